"""What a request must have, and what is said of one that has not."""

from __future__ import annotations

import re
from typing import Any
from unittest import mock

import pytest

from aiohttpclient.testing._mock_matchers import JsonMatcher, body_matcher, header_matcher, query_matcher
from tests.support.ids import stable
from tests.testing.mocking import received


def texts(matcher: Any, **request: Any) -> list[str]:
    url = request.pop("url", "http://a/")
    return [str(one) for one in matcher.differences(received("POST", url, **request))]


def has_x(thing: Any) -> bool:
    """A function as a caller gives it."""
    return "x" in thing


@pytest.mark.parametrize(
    ("wanted", "headers", "said"),
    [
        ({"X-A": "1"}, {"x-a": "1", "Other": "2"}, []),
        ({"x-a": 1}, {"X-A": "1"}, []),
        ({"X-A": None}, {}, []),
        ({"X-A": "1"}, {}, ["header 'X-A': expected '1', got none"]),
        ({"X-A": None}, {"X-A": "1"}, ["header 'X-A': expected none, got '1'"]),
        ({"X-A": re.compile("^b")}, {"X-A": "a"}, ["header 'X-A': expected a match of re.compile('^b'), got 'a'"]),
        ({"X-A": has_x}, {"X-A": "a"}, ["header 'X-A': expected what has_x accepts, got 'a'"]),
        (
            {"X-A": "1", "X-B": "2"},
            {"X-A": "2"},
            ["header 'X-A': expected '1', got '2'", "header 'X-B': expected '2', got none"],
        ),
        (
            {"Authorization": "Bearer abc"},
            {"Authorization": "x"},
            ["header 'Authorization': expected *** (10 characters), got *** (1 characters)"],
        ),
        ({"X-A": ["1", "2"]}, [("X-A", "1"), ("X-A", "2")], []),
        ({"X-A": mock.ANY}, {"X-A": "1"}, []),
        ({"X-A": mock.ANY}, {"X-B": "1"}, ["header 'X-A': expected any, got none"]),
        (mock.ANY, {"X-B": "1"}, []),
        (re.compile("(?i)x-a: 1"), {"X-A": "1"}, []),
        (has_x, {"x": "1"}, []),
    ],
    ids=stable,
)
def test_headers(wanted: Any, headers: Any, said: list[str]) -> None:
    """Fields are compared by their names without case, and those that are not named are not looked at."""
    assert texts(header_matcher(wanted), headers=headers) == said


def test_headers_by_one_condition() -> None:
    """A pattern for a line, or a function of all fields, says what it did not find."""
    assert texts(header_matcher(re.compile("^X: 1$")), headers={"X": "2"}) == [
        "headers: expected what re.compile('^X: 1$') accepts, got <Headers('X': '2')>"
    ]
    assert texts(header_matcher(has_x)) == ["headers: expected what has_x accepts, got <Headers()>"]


@pytest.mark.parametrize(
    ("wanted", "query", "said"),
    [
        ({"a": "1"}, "?a=1&b=2", []),
        ({"a": 1, "b": None}, "?a=1", []),
        ({"a": ["1", "2"]}, "?a=1&a=2", []),
        ({"a": "1"}, "?b=2", ["query 'a': expected '1', got none"]),
        ({"a": mock.ANY}, "?a=1&b=2", []),
        ({"a": mock.ANY}, "?b=2", ["query 'a': expected any, got none"]),
        ({"a": [mock.ANY, "2"]}, "?a=1&a=2", []),
        ({"a": [mock.ANY, "2"]}, "?a=2", ["query 'a': expected any, '2', got '2'"]),
        (mock.ANY, "?a=1", []),
        ({"token": "1"}, "", ["query 'token': expected *** (1 characters), got none"]),
        ("b=2&a=1", "?a=1&b=2", []),
        ("?a=1", "?a=1", []),
        ("a=1", "?a=1&b=2", ["query 'b': expected none, got '2'"]),
        ("a=1&b=2", "?b=3", ["query 'a': expected '1', got none", "query 'b': expected '2', got '3'"]),
        ("", "", []),
        (re.compile("b=2"), "?a=1&b=2", []),
        (re.compile("c=2"), "?a=1", ["query: expected what re.compile('c=2') accepts, got 'a=1'"]),
        (has_x, "?x=1", []),
        (has_x, "?y=1", ["query: expected what has_x accepts, got <MultiDict('y': '1')>"]),
    ],
    ids=stable,
)
def test_query(wanted: Any, query: str, said: list[str]) -> None:
    """A mapping names some parameters, a text all of them; a pattern is searched for in what was sent."""
    assert texts(query_matcher(wanted), url=f"http://a/{query}") == said


@pytest.mark.parametrize(
    ("wanted", "body", "said"),
    [
        (b"abc", b"abc", []),
        ("ä", "ä".encode(), []),
        (re.compile("b"), b"abc", []),
        (re.compile(b"b"), b"abc", []),
        (lambda body: body.startswith(b"a"), b"abc", []),
        (b"abc", b"abd", ["body: expected b'abc', got b'abd'"]),
        (re.compile("^b"), b"abc", ["body: expected a match of re.compile('^b'), got b'abc'"]),
    ],
    ids=stable,
)
def test_body(wanted: Any, body: bytes, said: list[str]) -> None:
    """A body is compared as bytes."""
    assert texts(body_matcher(wanted), body=body) == said


def positive(value: Any) -> bool:
    """A function that says why not."""
    assert value["n"] > 0, "n is not positive"
    return True


@pytest.mark.parametrize(
    ("wanted", "body", "said"),
    [
        ({"a": [1]}, b'{"a": [1]}', []),
        (None, b"null", []),
        (re.compile("joe"), b'{"name": "joe"}', []),
        (positive, b'{"n": 1}', []),
        ({"a": 1}, b'{"a": 2}', ["JSON at $.a: expected 1, got 2"]),
        (re.compile("x"), b"1", ["JSON: expected a match of re.compile('x'), got b'1'"]),
        ({}, b"", ["JSON: expected {}, got b'', which is none: Expecting value: line 1 column 1 (char 0)"]),
    ],
    ids=stable,
)
def test_json(wanted: Any, body: bytes, said: list[str]) -> None:
    """JSON is compared by what it says, and the first difference has its path."""
    assert texts(JsonMatcher(wanted), body=body) == said


def test_function_with_a_reason() -> None:
    """An AssertionError in a function is a no, whose text is told."""
    (text,) = texts(JsonMatcher(positive), body=b'{"n": -1}')
    assert text.startswith("JSON: expected what positive accepts, got {'n': -1} (n is not positive")


def test_function_that_fails() -> None:
    """Any other exception of a function is no answer, and raised."""
    with pytest.raises(KeyError):
        texts(JsonMatcher(positive), body=b"{}")


async def awaited(thing: Any) -> bool:
    """A function that would have to be awaited."""
    return True


@pytest.mark.parametrize(
    ("make", "wanted", "text"),
    [
        (header_matcher, "X-A: 1", "match_headers is a mapping, a compiled pattern or a function, not str"),
        (header_matcher, {"X-A": object()}, "header 'X-A' is a str, a list"),
        (query_matcher, 1, "match_query is a mapping, a str, a compiled pattern or a function, not int"),
        (body_matcher, {"a": 1}, "match_body is bytes, .*, not dict; for JSON there is match_json"),
        (body_matcher, 1, "match_body is bytes, .*, not int$"),
        (header_matcher, awaited, "cannot be a coroutine function"),
        (query_matcher, awaited, "cannot be a coroutine function"),
        (body_matcher, awaited, "cannot be a coroutine function"),
        (JsonMatcher, awaited, "cannot be a coroutine function"),
    ],
    ids=stable,
)
def test_what_cannot_be_compared(make: Any, wanted: Any, text: str) -> None:
    """What could never fit is refused when it is said."""
    with pytest.raises(TypeError, match=text):
        make(wanted)
