"""What a test may say of the requests that were made."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from unittest.mock import ANY

import pytest

from aiohttpclient.testing._mock_asserts import CallAssertions
from aiohttpclient.testing._mock_calls import Requests
from tests.testing.mocking import received

if TYPE_CHECKING:
    from collections.abc import Callable

JSON = {"Content-Type": "application/json"}


class Called(CallAssertions):
    """What was called with some requests."""

    def __init__(self, *calls: tuple[Any, ...]) -> None:
        self.requests = Requests()
        for call in calls:
            self.requests.add(received(*call))


ONE = ("POST", "http://a/x?b=2&a=1", JSON, b'{"name": "joe"}')
OTHER = ("POST", "http://a/x?a=1&b=2", JSON, b'{"name": "jane"}')
GET = ("GET", "http://a/y")


def text_of(check: Callable[..., None], *args: Any, **kwargs: Any) -> str:
    with pytest.raises(AssertionError) as raised:
        check(*args, **kwargs)
    return str(raised.value)


def test_called() -> None:
    """``assert_called`` wants a request."""
    Called(GET).assert_called()
    assert text_of(Called().assert_called) == "a request was expected, but none was made"


def test_not_called() -> None:
    """``assert_not_called`` wants none, and lists those that there are."""
    Called().assert_not_called()
    assert text_of(Called(GET).assert_not_called) == "no request was expected, and one was made:\n  GET http://a/y"
    assert text_of(Called(GET, GET, ONE).assert_not_called) == (
        "no request was expected, and 3 were made:\n  GET http://a/y (2 times)\n  POST http://a/x?a=1&b=2"
    )


def test_called_once() -> None:
    """``assert_called_once`` wants just one, in all."""
    Called(GET).assert_called_once()
    assert text_of(Called().assert_called_once) == "one request was expected, and none were made"
    assert text_of(Called(GET, GET).assert_called_once) == (
        "one request was expected, and 2 were made\n  GET http://a/y (2 times)"
    )


def test_called_with() -> None:
    """``assert_called_with`` is about the last request with a method and URL, and the whole of its body."""
    called = Called(ONE, OTHER, GET)
    called.assert_called_with("http://a/x?a=1&b=2", "post", json={"name": "jane"})
    called.assert_called_with("http://a/x", method="POST", params={"a": 1, "b": 2}, json={"name": "jane"})
    called.assert_called_with(re.compile("http://a/"), "POST", headers=JSON, json={"name": "jane"})
    called.assert_called_with("http://a/y")
    assert text_of(called.assert_called_with, "http://a/x?a=1&b=2", "POST", json={"name": "joe"}) == (
        "POST http://a/x?a=1&b=2: the last request differs\n  JSON at $.name: expected 'joe', got 'jane'"
    )
    assert text_of(called.assert_called_with, "http://a/x?a=1&b=2", "POST") == (
        'POST http://a/x?a=1&b=2: the last request differs\n  body: expected none, got b\'{"name": "jane"}\''
    )


def test_called_with_what_was_not() -> None:
    """A method and URL that were not asked for are an error that lists those that were."""
    assert text_of(Called(GET).assert_called_with, "http://a/y", "POST") == (
        "no request POST http://a/y was made; there are:\n  GET http://a/y"
    )
    assert text_of(Called().assert_any_call, re.compile("x")) == (
        "no request GET re.compile('x') was made; there are:\n  none"
    )
    many = Called(*[("GET", f"http://a/{number}") for number in range(12)])
    assert text_of(many.assert_any_call, "http://b/").endswith("GET http://a/9\n  and 2 others")


def test_any_params() -> None:
    """``ANY`` as a parameter is any value of that name, and in place of all parameters any query."""
    called = Called(("GET", "http://a/x?page=1&t=5"), ("GET", "http://a/x?page=2&t=6"), GET)
    called.assert_called_with("http://a/x", params={"page": 2, "t": ANY})
    called.assert_called_with("http://a/x?page=2", params={"t": ANY})
    called.assert_any_call("http://a/x", params=[("page", "1"), ("t", ANY)])
    called.assert_called_with("http://a/x", params=ANY)
    called.assert_called_with(re.compile("http://a/x"), params={"t": ANY})
    with pytest.raises(AssertionError, match=r"no request GET http://a/x\?page=3&t=\* was made"):
        called.assert_any_call("http://a/x", params={"page": 3, "t": ANY})
    with pytest.raises(AssertionError, match=r"no request GET http://a/z\?\* was made"):
        called.assert_any_call("http://a/z", params=ANY)


def test_args_to_match() -> None:
    """With ``args_to_match`` just those keywords are compared."""
    called = Called(("POST", "http://a/x", {**JSON, "X-A": "1"}, b"[1]"))
    called.assert_called_with("http://a/x", "POST", ["headers"], headers={"X-A": "1"}, json=[2])
    called.assert_called_with("http://a/x", "POST", args_to_match=[], json=[2])
    text = text_of(called.assert_called_with, "http://a/x", "POST", ["json"], json=[2])
    assert text.endswith("\n  JSON at $[0]: expected 2, got 1")
    with pytest.raises(TypeError, match="args_to_match names 'data', for which there is no keyword"):
        called.assert_called_with("http://a/x", "POST", ["data"], json=[2])
    with pytest.raises(TypeError, match=r"args_to_match takes several names: \['json'\]"):
        called.assert_called_with("http://a/x", "POST", "json", json=[2])


def test_positional_arguments() -> None:
    """Positional arguments are none of a request's."""
    text = text_of(Called(GET).assert_called_with, "http://a/y", "GET", None, 5)
    assert text.endswith("\n  positional arguments: expected (5,), got none, for a request has none")


def test_any_call() -> None:
    """``assert_any_call`` is about every request, and what is not named is not compared."""
    called = Called(ONE, OTHER)
    called.assert_any_call("http://a/x?a=1&b=2", "POST")
    called.assert_any_call("http://a/x?a=1&b=2", "POST", json={"name": "joe"})
    assert text_of(called.assert_any_call, "http://a/x?a=1&b=2", "POST", json={"name": "jim"}, headers={"X": 1}) == (
        "POST http://a/x?a=1&b=2: of 2 requests the nearest differs\n"
        "  JSON at $.name: expected 'jim', got 'joe'\n"
        "  header 'X': expected '1', got none"
    )
    assert "the request differs" in text_of(Called(ONE).assert_any_call, ONE[1], "POST", json=1)


def test_called_once_with() -> None:
    """``assert_called_once_with`` wants one request in all, and this one."""
    Called(ONE).assert_called_once_with(ONE[1], "POST", json={"name": "joe"})
    assert "2 were made" in text_of(Called(ONE, GET).assert_called_once_with, ONE[1], "POST", json={"name": "joe"})
    assert "JSON at $.name" in text_of(Called(ONE).assert_called_once_with, ONE[1], "POST", json={"name": "x"})


@pytest.mark.parametrize("name", ["assert_called_with", "assert_any_call", "assert_called_once_with"])
def test_options_without_trace(name: str) -> None:
    """What leaves no trace in a request cannot be asserted."""
    with pytest.raises(TypeError, match="'timeout' leaves no trace"):
        getattr(Called(GET), name)("http://a/y", timeout=5)


def test_secrets() -> None:
    """No text shows a secret of a URL."""
    text = text_of(Called(("GET", "http://a/?api_key=hunter2")).assert_not_called)
    assert "hunter2" not in text
