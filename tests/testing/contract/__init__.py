"""One application, the places where it can be, and what a client asks of it: for ``test_contract.py`` beside this."""
