"""The bounds as values."""

from __future__ import annotations

import http.client
from dataclasses import FrozenInstanceError

import pytest

from aiohttpclient.wire import MessageLimits

NAMES = MessageLimits.__slots__


def test_defaults() -> None:
    """The bounds that http.client has are http.client's, and a line fits into a head."""
    limits = MessageLimits()
    assert limits.line == http.client._MAXLINE  # type: ignore[attr-defined]  # the number that is meant is private
    assert limits.fields == http.client._MAXHEADERS  # type: ignore[attr-defined]
    assert limits.line <= limits.head


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0, -1])
def test_below_one(name: str, value: int) -> None:
    """A bound below 1 is refused, and the error names it."""
    with pytest.raises(ValueError, match=name):
        MessageLimits(**{name: value})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [1.5, "10", None, True])
def test_other_types(name: str, value: object) -> None:
    """A bound that is not an int is refused, and the error names it."""
    with pytest.raises(TypeError, match=name):
        MessageLimits(**{name: value})  # type: ignore[arg-type]  # what is tested


def test_one_is_enough() -> None:
    """A bound of 1 is accepted."""
    assert all(getattr(MessageLimits(**{name: 1}), name) == 1 for name in NAMES)


def test_frozen() -> None:
    """Limits are values: equal when their numbers are, hashable, and without change."""
    assert MessageLimits(line=10) == MessageLimits(line=10)
    assert hash(MessageLimits(line=10)) == hash(MessageLimits(line=10))
    with pytest.raises(FrozenInstanceError):
        MessageLimits().line = 5  # type: ignore[misc]  # what is tested
