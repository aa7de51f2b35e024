"""``_har_json.py``: lists of names and values, cookies, and what others have written."""

from __future__ import annotations

from typing import Any

import pytest

from aiohttpclient import Headers
from aiohttpclient.testing._har_json import Reader, cookies_of, cookies_set, pairs


def _fields(*listed: tuple[str, str]) -> Headers:
    found = [{"name": name, "value": value} for name, value in listed]
    return Reader({"headers": found}, "x.har: entry 1").fields("headers")


def test_pairs_keep_order_and_repeats() -> None:
    """Fields are listed as they came, each with its value."""
    headers = Headers([("B", "1"), ("a", "2"), ("b", "3")])
    assert [(one["name"], one["value"]) for one in pairs(headers.items())] == [("B", "1"), ("a", "2"), ("b", "3")]


def test_cookies_of_a_request() -> None:
    """Each pair of a Cookie field is a cookie; what is no pair is none."""
    headers = Headers([("Cookie", 'a=1; b="x=y" ;; c=; d'), ("cookie", "e=5")])
    found = [(one["name"], one["value"]) for one in cookies_of(headers)]
    assert found == [("a", "1"), ("b", '"x=y"'), ("c", ""), ("e", "5")]


def test_cookies_that_are_set() -> None:
    """A Set-Cookie is a cookie with those attributes that HAR knows, dates in the form that HAR has for them."""
    value = "a=b=c; Path=/x; DOMAIN=e.org; Expires=Wed, 21 Oct 2026 07:28:00 GMT; secure; HttpOnly; SameSite=Lax"
    assert cookies_set(Headers([("Set-Cookie", value), ("Set-Cookie", "d=; Expires=soon; Max-Age=5")])) == [
        {
            "name": "a", "value": "b=c", "path": "/x", "domain": "e.org", "expires": "2026-10-21T07:28:00Z",
            "secure": True, "httpOnly": True,
        },
        {"name": "d", "value": ""},
    ]  # fmt: skip


@pytest.mark.parametrize("date", ["soon", "Fri, 01 Jan 99999999999 00:00:00 GMT", "Fri, 01 Jan 99999 00:00:00 GMT"])
def test_cookies_with_dates_that_are_none(date: str) -> None:
    """A date that nobody can read is left out, as HAR has dates in one form only."""
    assert cookies_set(Headers([("Set-Cookie", f"a=b; Expires={date}")])) == [{"name": "a", "value": "b"}]


def test_what_is_missing_is_empty() -> None:
    """Members that are not there, or null, are empty, as browsers leave out what HAR wants."""
    reader = Reader({"a": None}, "x")
    for name in ("a", "b"):
        assert reader.text(name) == ""
        assert reader.number(name) == 0
        assert reader.object(name).found == {}
        assert reader.pairs(name) == []
        assert list(reader.fields(name)) == []


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("text", {"m": 1}, "'m' is of type int, not what HAR has there"),
    ("number", {"m": "1"}, "'m' is of type str, not what HAR has there"),
    ("number", {"m": True}, "'m' is of type bool, not what HAR has there"),
    ("object", {"m": []}, "'m' is of type list, not what HAR has there"),
    ("pairs", {"m": {}}, "'m' is of type dict, not what HAR has there"),
    ("pairs", {"m": [1]}, "'m' has something else than objects in it"),
    ("fields", {"m": [{"name": "a", "value": 1}]}, "'value' is of type int, not what HAR has there"),
]


@pytest.mark.parametrize(("method", "found", "why"), WRONG, ids=str)
def test_wrong_types(method: str, found: dict[str, Any], why: str) -> None:
    """A member of another type than HAR has is an error that names the entry and the member."""
    with pytest.raises(ValueError) as caught:
        getattr(Reader(found, "x.har: entry 3"), method)("m")
    assert str(caught.value) == f"x.har: entry 3: {why}"


def test_fields_of_browsers() -> None:
    """Pseudo-fields of HTTP/2 are left out, fields that Chrome has joined by line feeds are several again."""
    found = _fields((":status", "200"), ("set-cookie", "a=1\nb=2"), ("ETag", ' "x" '))
    assert list(found.items()) == [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("ETag", '"x"')]


def test_values_are_octets() -> None:
    """A character of a value is an octet; others have been decoded from UTF-8, and become its octets."""
    assert _fields(("a", "é"), ("b", "日"))["a"] == "é"
    assert _fields(("b", "日é"))["b"] == "日é".encode().decode("latin-1")


@pytest.mark.parametrize(("name", "value"), [("a b", "x"), ("", "x"), ("a", "x\0"), ("a\r\nb", "x"), ("a", "x\ry")])
def test_fields_that_are_none(name: str, value: str) -> None:
    """What would break a head is refused when the file is read."""
    with pytest.raises(ValueError, match=r"x.har: entry 1: not a header field"):
        _fields((name, value))


def test_a_body_that_is_not_what_is_said_of_it() -> None:
    """The error of a body names the entry."""
    with pytest.raises(ValueError, match=r"^x: a text that is not base64"):
        Reader({}, "x").restored("?", "base64", None)
