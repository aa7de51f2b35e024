"""Header fields as users see them."""

from __future__ import annotations

import pickle
from email.message import Message

from aiohttpclient import Headers

PAIRS = [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2")]


def test_names_compare_without_case() -> None:
    """A field is found by its name in any case (RFC 9110 section 5.1)."""
    headers = Headers(PAIRS)
    assert headers["content-type"] == headers["CONTENT-TYPE"] == "text/plain"
    assert "Content-type" in headers
    assert "Content" not in headers
    assert headers.get("x") is None
    assert headers.get("x", "default") == "default"


def test_fields_keep_their_order() -> None:
    """Fields are listed in the order in which they came, with their names as they came, and as often."""
    assert list(Headers(PAIRS).items()) == PAIRS
    assert len(Headers(PAIRS)) == 3


def test_first_value_and_all_values() -> None:
    """Indexing gives the first value, ``getall`` and ``get_all`` give all of them."""
    headers = Headers(PAIRS)
    assert headers["Set-Cookie"] == "a=1"
    assert headers.getall("SET-COOKIE") == headers.get_all("Set-cookie") == ["a=1", "b=2"]


def test_get_all_as_in_email_message() -> None:
    """``get_all`` without a field gives None or what was passed, as in the class that http.client uses."""
    headers, message = Headers(PAIRS), Message()
    for name, value in PAIRS:
        message[name] = value
    for name in ("content-type", "set-cookie", "x"):
        assert headers.get_all(name) == message.get_all(name)
        assert headers.get_all(name, "default") == message.get_all(name, "default")
        assert headers.get_all(name, failobj=[]) == message.get_all(name, failobj=[])


def test_mapping_or_pairs() -> None:
    """Fields are made of a mapping, of pairs, or of keywords."""
    assert Headers({"a": "1"}) == Headers([("a", "1")]) == Headers(a="1") == Headers({"A": "1"})


def test_changes() -> None:
    """Fields may be set, which replaces all of a name, added, and removed."""
    headers = Headers(PAIRS)
    headers.add("X", "1")
    headers["SET-cookie"] = "c=3"
    del headers["content-type"]
    assert headers.get_all("Set-Cookie") == ["c=3"]
    assert "Content-Type" not in headers
    assert headers["x"] == "1"


def test_copies() -> None:
    """A copy is of the same class, and independent; so is one that was pickled."""
    headers = Headers(PAIRS)
    copy = headers.copy()
    copy["X"] = "1"
    assert "X" not in headers
    assert isinstance(copy, Headers)
    again = pickle.loads(pickle.dumps(headers))
    assert isinstance(again, Headers)
    assert list(again.items()) == PAIRS
