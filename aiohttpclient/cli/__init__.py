"""The command line: what the library does, for a shell.

``main(["get", "https://example.org/"])`` is the same as ``aiohttpclient get https://example.org/``, and returns the
exit code. Importing this imports the parser and nothing of the client.
"""

from ._main import main

__all__ = ["main"]
