"""What was sent, beside what a test says."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from aiohttpclient.testing import RequestCall
from aiohttpclient.testing._mock_compare import TRACELESS, body_differences, check_names, differences
from tests.support.ids import stable
from tests.testing.mocking import received

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}

ANOTHER_FIELD = ["form field 'a': expected <ANY>, got none", "form field 'b': expected none, got '1'"]


def said(expected: dict[str, Any], **request: Any) -> list[str]:
    url = request.pop("url", "http://a/")
    return [str(one) for one in differences(expected, RequestCall(received("POST", url, **request)))]


@pytest.mark.parametrize(
    ("expected", "request_", "texts"),
    [
        ({"headers": {"x-a": "1"}}, {"headers": {"X-A": "1", "X-B": "2"}}, []),
        ({"headers": {"x-a": 1, "X-B": None}}, {"headers": {"X-A": "1"}}, []),
        ({"headers": [("X-A", b"1")]}, {"headers": {"X-A": "1"}}, []),
        ({"headers": {"X-A": "1"}}, {"headers": {"X-A": "2"}}, ["header 'X-A': expected '1', got '2'"]),
        ({"headers": {"X-A": mock.ANY}}, {"headers": {"X-A": "2"}}, []),
        ({"headers": {"X-A": mock.ANY}}, {}, ["header 'X-A': expected any, got none"]),
        ({"headers": mock.ANY, "cookies": mock.ANY, "auth": mock.ANY}, {}, []),
        ({"data": mock.ANY}, {"headers": FORM, "body": b"a=2"}, []),
        ({"content": mock.ANY}, {"body": b"x"}, []),
        ({"json": mock.ANY}, {"body": b"x"}, ["json: expected <ANY>, got b'x', which is none"]),
        ({"headers": {"X-A": None}}, {"headers": {"X-A": "2"}}, ["header 'X-A': expected none, got '2'"]),
        (
            {"headers": {"Authorization": "abc"}},
            {"headers": {"Authorization": "d"}},
            ["header 'Authorization': expected *** (3 characters), got *** (1 characters)"],
        ),
        ({"auth": ("user", "pw")}, {"headers": {"Authorization": "Basic dXNlcjpwdw=="}}, []),
        (
            {"auth": ("user", "pw")},
            {},
            ["header 'Authorization': expected *** (18 characters), got none"],
        ),
        ({"params": {"a": 1, "b": ["2", "3"], "c": None}}, {"url": "http://a/?a=1&b=2&b=3&d=4"}, []),
        ({"params": "a=1"}, {"url": "http://a/?a=1"}, []),
        ({"params": {"a": True}}, {"url": "http://a/?a=true"}, []),
        ({"params": {"a": "1"}}, {"url": "http://a/?a=2"}, ["query 'a': expected '1', got '2'"]),
        ({"params": {"a": ["1", "1"]}}, {"url": "http://a/?a=1"}, ["query 'a': expected '1', '1', got '1'"]),
        ({"params": mock.ANY}, {"url": "http://a/?a=2"}, []),
        ({"params": {"a": mock.ANY}}, {"url": "http://a/?a=2&b=3"}, []),
        ({"params": {"a": mock.ANY}}, {"url": "http://a/?b=3"}, ["query 'a': expected <ANY>, got none"]),
        ({"params": {"a": [mock.ANY, "1"]}}, {"url": "http://a/?a=1&a=2"}, []),
        ({"params": {"a": [mock.ANY, "1"]}}, {"url": "http://a/?a=1"}, ["query 'a': expected <ANY>, '1', got '1'"]),
        ({"data": {"a": mock.ANY, "b": "1"}}, {"headers": FORM, "body": b"a=2&b=1"}, []),
        ({"data": {"a": mock.ANY}}, {"headers": FORM, "body": b"b=1"}, ANOTHER_FIELD),
        ({"json": {"a": (1,)}}, {"headers": JSON, "body": b'{"a": [1]}'}, []),
        ({"json": {"a": mock.ANY}}, {"headers": JSON, "body": b'{"a": [1]}'}, []),
        ({"json": {"a": 1}}, {"headers": JSON, "body": b'{"a": 2}'}, ["JSON at $.a: expected 1, got 2"]),
        ({"json": {"a": 1}}, {}, ["json: expected {'a': 1}, got b'', which is none"]),
        ({"json": None}, {}, []),
        ({"json": None}, {"body": b"x"}, ["body: expected none, got b'x'"]),
        ({"data": b"abc"}, {"body": b"abc"}, []),
        ({"data": "ä"}, {"body": "ä".encode()}, []),
        ({"content": b"abc"}, {"body": b"abd"}, ["body: expected b'abc', got b'abd'"]),
        ({"content": b"abc"}, {}, ["body: expected b'abc', got none"]),
        ({"data": {"a": 1, "b": ["x", "y"]}}, {"headers": FORM, "body": b"b=x&a=1&b=y"}, []),
        ({"data": {"a": "1"}}, {"headers": FORM, "body": b"a=2&b=3"},
         ["form field 'a': expected '1', got '2'", "form field 'b': expected none, got '3'"]),
        ({"data": {"a": "1"}}, {"body": b"{}"}, ["form: expected 'a=1', got b'{}', which is none"]),
        ({"data": None, "json": [1]}, {"headers": JSON, "body": b"[1]"}, []),
        ({"cookies": {"a": "1"}}, {"headers": {"Cookie": "b=2; a=1"}}, []),
        ({"cookies": {"a": "1"}}, {"headers": {"Cookie": "a=22"}},
         ["cookie 'a': expected *** (1 characters), got *** (2 characters)"]),
        ({"cookies": {"a": "1"}}, {}, ["cookie 'a': expected *** (1 characters), got none"]),
    ],
    ids=stable,
)  # fmt: skip
def test_differences(expected: dict[str, Any], request_: dict[str, Any], texts: list[str]) -> None:
    """What is named is compared with what was sent; what differs is said with both sides, unless it is a secret."""
    assert said(expected, **request_) == texts


def test_body_of_which_nothing_is_said() -> None:
    """A body of which nothing is said is a difference, and none where there is none."""
    with_body = RequestCall(received("POST", "http://a/", {}, b"abc"))
    without = RequestCall(received("POST", "http://a/"))
    assert [str(one) for one in body_differences({}, with_body)] == ["body: expected none, got b'abc'"]
    assert not list(body_differences({"data": b"abc"}, with_body))
    assert not list(body_differences({}, without))


@pytest.mark.parametrize("name", sorted(TRACELESS))
def test_options_without_trace(name: str) -> None:
    """An option of which nothing is sent is refused, for an assertion about it would be worth nothing."""
    with pytest.raises(TypeError, match=f"'{name}' leaves no trace in what is sent"):
        check_names(["json", name])


@pytest.mark.parametrize("name", ["jsno", "files", "verify"])
def test_unknown_names(name: str) -> None:
    """So is a name that cannot be compared; those that can are listed."""
    with pytest.raises(TypeError, match=rf"'{name}' is nothing that can be compared; there are auth, content, cookies"):
        check_names([name])


def test_auth_of_another_kind() -> None:
    """Credentials that depend on more than a request are compared as a field."""
    with pytest.raises(TypeError, match="auth is compared as user and password, not str: compare headers"):
        said({"auth": "token"})
