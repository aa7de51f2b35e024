"""Requests as the calls that they came of."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from multidict import MultiDict
from yarl import URL

from aiohttpclient.testing._mock_calls import RequestCall, Requests
from tests.testing.mocking import received

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}


def test_nothing_but_a_url() -> None:
    """Without a body there are fields and parameters."""
    call = RequestCall(received("GET", "http://a/?a=1&a=2", {"X-A": "1"}))
    assert call.args == ()
    assert call.kwargs["headers"]["x-a"] == "1"
    assert call.kwargs["params"] == MultiDict([("a", "1"), ("a", "2")])
    assert (call.kwargs["content"], call.kwargs["data"]) == (b"", None)
    assert "json" not in call.kwargs
    assert call == (call.args, call.kwargs)
    assert repr(call) == "RequestCall(GET http://a/?a=1&a=2)"
    assert repr(Requests().add(received("GET", "http://a/?token=x&b=1"))) == "RequestCall(GET http://a/?b=1&token=***)"


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8", "application/problem+json"])
def test_json(kind: str) -> None:
    """A body that says that it is JSON is that."""
    call = RequestCall(received("POST", "http://a/", {"Content-Type": kind}, b'{"a": 1}'))
    assert call.kwargs["json"] == {"a": 1}
    assert call.kwargs["data"] is None
    assert call.kwargs["content"] == b'{"a": 1}'


def test_broken_json() -> None:
    """One that says so and is not is bytes."""
    call = RequestCall(received("POST", "http://a/", JSON, b"{"))
    assert "json" not in call.kwargs
    assert call.kwargs["data"] == b"{"


def test_form() -> None:
    """A form is a multidict."""
    call = RequestCall(received("POST", "http://a/", FORM, b"a=1&b=x+y&a="))
    assert call.kwargs["data"] == MultiDict([("a", "1"), ("b", "x y"), ("a", "")])


def test_bytes() -> None:
    """Anything else is bytes."""
    assert RequestCall(received("POST", "http://a/", {}, b"\xff")).kwargs["data"] == b"\xff"


def test_by_method_and_url() -> None:
    """Calls are found by the URL in whatever form, and by the method in whatever case."""
    requests = Requests()
    call = requests.add(received("GET", "http://a/?b=2&a=1"))
    assert list(requests) == [("GET", URL("http://a/?a=1&b=2"))]
    keys: list[tuple[str, str | URL]] = [
        ("GET", URL("http://a/?b=2&a=1")),
        ("get", "http://a:80/?a=1&b=2#x"),
        ("GET", "http://a/?a=1&b=2"),
    ]
    for key in keys:
        assert key in requests
        assert requests[key] == requests.get(key) == [call]
    others: list[Any] = [("POST", "http://a/"), ("GET", "/"), ("GET", None), "GET", None, ("GET",)]
    for other in others:
        assert other not in requests
        assert requests.get(other, "none") == "none"
        with pytest.raises(KeyError):
            requests[other]


def test_order() -> None:
    """All calls come in their order, also those to several URLs."""
    requests = Requests()
    urls = ["http://a/1", "http://a/2", "http://a/1", "http://b/1"]
    calls = [requests.add(received("GET", url)) for url in urls]
    assert [call.request for call in requests.all()] == [call.request for call in calls]
    assert [call.request for call in requests.to("GET", re.compile("http://a"))] == [one.request for one in calls[:3]]
    assert [call.request for call in requests.to("GET", "http://a/1")] == [calls[0].request, calls[2].request]
    assert requests.to("POST", "http://a/1") == []


def test_emptied() -> None:
    """A test may empty it."""
    requests = Requests()
    requests.add(received("GET", "http://a/"))
    requests.clear()
    assert not requests.all()


def test_copy() -> None:
    """A copy of a call is equal to it."""
    call = Requests().add(received("POST", "http://a/", JSON, b"[1]"))
    other = copy.copy(call)
    assert other == call
    assert (other.request, other.number) == (call.request, call.number)
