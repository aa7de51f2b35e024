"""What a test that fails says of two things that differ."""

from __future__ import annotations

import re
from typing import Any
from unittest import mock

import pytest

from aiohttpclient.testing._mock_difference import Difference, hidden, json_difference, shown
from tests.support.ids import stable


@pytest.mark.parametrize(
    ("expected", "got", "text"),
    [
        ({"a": 1}, {"a": 2}, "JSON at $.a: expected 1, got 2"),
        ({"a": {"b c": [1, 2]}}, {"a": {"b c": [1, 3]}}, "JSON at $.a['b c'][1]: expected 2, got 3"),
        ({"a": 1}, {}, "JSON at $.a: expected 1, got nothing"),
        ({}, {"a": 1}, "JSON at $.a: expected nothing, got 1"),
        ({}, {"a b": 1}, "JSON at $['a b']: expected nothing, got 1"),
        ({1: 1}, {}, "JSON at $[1]: expected 1, got nothing"),
        ([1], [1, 2], "JSON at $: expected 1 items, got 2"),
        ([1], {}, "JSON at $: expected [1], got {}"),
        (True, 1, "JSON at $: expected True, got 1"),
        (0, False, "JSON at $: expected 0, got False"),
        (None, 0, "JSON at $: expected None, got 0"),
        ({"id": re.compile(r"^\d+$")}, {"id": "x"}, r"JSON at $.id: expected a match of '^\\d+$', got 'x'"),
        (re.compile("x"), 1, "JSON at $: expected a match of 'x', got 1"),
    ],
    ids=stable,
)
def test_json_that_differs(expected: Any, got: Any, text: str) -> None:
    """The first difference is named by its path, with both sides."""
    assert str(json_difference(expected, got)) == text


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ({"a": [1, None, "x"]}, {"a": [1, None, "x"]}),
        ((1, 2), [1, 2]),
        (1, 1.0),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"id": re.compile(r"^\d+$")}, {"id": "17"}),
        ({"at": mock.ANY}, {"at": True}),
        (mock.ANY, {"a": 1}),
    ],
    ids=stable,
)
def test_json_that_is_equal(expected: Any, got: Any) -> None:
    """Values that say the same in JSON do not differ, nor does what says itself that it is equal."""
    assert json_difference(expected, got) is None


def test_long_values_are_cut() -> None:
    """Of a long value its beginning, its end and its length are shown."""
    text = shown("x" * 1000 + "y")
    assert len(text) < 300
    assert text.endswith("y' (1003 characters)")
    assert shown("x") == "'x'"


def test_secrets_are_hidden() -> None:
    """Of a secret only its length is shown."""
    assert hidden("hunter2") == "*** (7 characters)"


def test_text() -> None:
    """A difference says in what, what was expected, and what came."""
    assert str(Difference("path", "/a", "/b")) == "path: expected /a, got /b"
