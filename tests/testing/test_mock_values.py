"""Single values that are wanted."""

from __future__ import annotations

import re
from typing import Any
from unittest import mock

import pytest

from aiohttpclient.testing._mock_values import check_function, checked, found, one_fits, refusal, shown_wanted, text_of
from tests.support.ids import stable


def is_digit(value: str) -> bool:
    """A function as a caller gives it."""
    return value.isdigit()


async def later(value: str) -> bool:
    """One that would have to be awaited."""
    return True


@pytest.mark.parametrize(
    ("wanted", "values", "fits"),
    [
        ("a", ["a"], True),
        ("a", ["b", "a"], True),
        ("a", ["b"], False),
        ("a", [], False),
        (b"a", ["a"], True),
        (1, ["1"], True),
        (1.5, ["1.5"], True),
        (True, ["true"], True),
        (["a", "b"], ["a", "b"], True),
        (["a", "b"], ["b", "a"], False),
        (("a",), ["a"], True),
        (["a"], ["a", "b"], False),
        ([], [], True),
        (None, [], True),
        (None, ["a"], False),
        (re.compile("^b"), ["a", "bc"], True),
        (re.compile(b"c$"), ["bc"], True),
        (re.compile("^c"), ["bc"], False),
        (is_digit, ["x", "1"], True),
        (is_digit, ["x"], False),
        (is_digit, [], False),
        (mock.ANY, ["x"], True),
        (mock.ANY, [], False),
        ([mock.ANY, "b"], ["a", "b"], True),
        ([mock.ANY], ["a", "b"], False),
    ],
    ids=stable,
)
def test_one_fits(wanted: Any, values: list[str], fits: bool) -> None:
    """One value is enough, several are all of them, and None is for none."""
    assert one_fits(checked("query 'x'", wanted), values) is fits


@pytest.mark.parametrize("wanted", [{}, object(), [None]], ids=stable)
def test_what_is_no_value(wanted: Any) -> None:
    """What could never be equal to a value is refused."""
    with pytest.raises(TypeError):
        checked("query 'x'", wanted)


def test_coroutine_function() -> None:
    """A function that would have to be awaited is refused."""
    with pytest.raises(TypeError, match=r"match_json cannot be a coroutine function"):
        check_function("match_json", later)
    with pytest.raises(TypeError, match="header 'X' cannot be"):
        checked("header 'X'", later)


def test_refusal() -> None:
    """A function refuses with something that is false, or with an AssertionError, whose text is the reason."""

    def asserts(value: str) -> bool:
        assert value == "a", "it is not a"
        return True

    assert refusal(asserts, "a") is None
    assert "it is not a" in (refusal(asserts, "b") or "")
    assert refusal(is_digit, "b") == ""


def test_found() -> None:
    """A pattern of str is searched for in text that may be broken."""
    assert found(re.compile("b"), b"\xffb")
    assert not found(re.compile("^b"), b"\xffb")


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (None, "none"),
        ("a", "'a'"),
        (["a", "b"], "'a', 'b'"),
        ([], "none"),
        (re.compile("x"), "a match of re.compile('x')"),
        (is_digit, "what is_digit accepts"),
        (mock.ANY, "any"),
    ],
    ids=stable,
)
def test_shown(wanted: Any, text: str) -> None:
    """What is wanted is shown as a reader would say it."""
    assert shown_wanted(wanted) == text


def test_shown_secret() -> None:
    """A secret is not shown, but the pattern for one is."""
    assert shown_wanted("abc", secret=True) == "*** (3 characters)"
    assert shown_wanted(["abc"], secret=True) == "*** (3 characters)"
    assert shown_wanted(mock.ANY, secret=True) == "any"
    assert shown_wanted(re.compile("abc"), secret=True) == "a match of re.compile('abc')"


def test_text_of() -> None:
    """A value is compared as it is sent."""
    assert [text_of(one) for one in ("a", b"\xe9", 1, False)] == ["a", "é", "1", "false"]
