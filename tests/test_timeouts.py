"""The values of a timeout; what they do is tested in tests/connection."""

from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import pytest

from aiohttpclient import Timeout
from aiohttpclient._sentinels import DEFAULT
from aiohttpclient.timeouts import CONNECT, READ, WRITE

PHASES = ("connect", "write", "read")


def test_defaults() -> None:
    """Each phase has a default of its own: nothing waits for ever unless it is told to."""
    timeout = Timeout()
    assert (timeout.connect, timeout.write, timeout.read) == (CONNECT, WRITE, READ) == (10, 30, 30)
    assert Timeout(None) == timeout


@pytest.mark.parametrize("seconds", [5, 0.5, 1e6])
def test_one_number(seconds: float) -> None:
    """A number sets each phase."""
    assert Timeout(seconds) == Timeout(connect=seconds, write=seconds, read=seconds)


@pytest.mark.parametrize("phase", PHASES)
def test_one_phase(phase: str) -> None:
    """A phase that is named has its own number, the others have the common one or their defaults."""
    timeout = Timeout(5, **{phase: 7})
    assert {name: getattr(timeout, name) for name in PHASES} == dict.fromkeys(PHASES, 5.0) | {phase: 7.0}
    alone = Timeout(**{phase: 7})
    assert {name: getattr(alone, name) for name in PHASES} == {"connect": 10, "write": 30, "read": 30} | {phase: 7}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("value", [None, math.inf])
def test_without_bound(phase: str, value: float | None) -> None:
    """None, or infinity, for a phase means without bound, and says nothing about the others."""
    timeout = Timeout(5, **{phase: value})
    assert getattr(timeout, phase) is None
    assert [getattr(timeout, name) for name in PHASES if name != phase] == [5, 5]


def test_infinity_for_all() -> None:
    """Infinity for all phases means without bound."""
    assert Timeout(math.inf) == Timeout(connect=None, write=None, read=None)


@pytest.mark.parametrize("value", [0, -1, -0.0, math.nan, -math.inf])
@pytest.mark.parametrize("phase", [None, *PHASES])
def test_no_time(phase: str | None, value: float) -> None:
    """Zero, negative numbers and NaN are not times, and the error names the phase."""
    with pytest.raises(ValueError, match=phase or "timeout"):
        Timeout(value) if phase is None else Timeout(**{phase: value})


@pytest.mark.parametrize("value", ["5", b"5", True, [], object()])
def test_no_number(value: Any) -> None:
    """What is not a number is a TypeError."""
    with pytest.raises(TypeError, match="number of seconds"):
        Timeout(value)
    with pytest.raises(TypeError, match="read timeout"):
        Timeout(read=value)


def test_value() -> None:
    """A timeout is a value: it cannot be changed, compares and hashes by its numbers, and pickles."""
    timeout = Timeout(5, read=7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        timeout.read = 8  # type: ignore[misc]  # what is tested
    assert timeout == Timeout(read=7.0, connect=5, write=5)
    assert hash(timeout) == hash(Timeout(5, read=7))
    assert pickle.loads(pickle.dumps(timeout)) == timeout
    assert repr(timeout) == "Timeout(connect=5.0, write=5.0, read=7.0)"


def test_not_given() -> None:
    """The marker for what was not given shows as what it is in a signature."""
    assert repr(DEFAULT) == "<default>"
    assert Timeout(read=DEFAULT) == Timeout()
