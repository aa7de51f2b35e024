"""The values of a timeout; what they do is tested in tests/connection."""

from __future__ import annotations

import dataclasses
import math
import pickle
from typing import Any

import pytest

from aiohttpclient import Timeout
from aiohttpclient._sentinels import DEFAULT
from aiohttpclient.timeouts import CONNECT, MIN_RATE, POOL, READ, WRITE

PHASES = ("pool", "connect", "write", "read")
OWN = {"pool": 30.0, "connect": 10.0, "write": 30.0, "read": 30.0}


def only(name: str, value: object) -> dict[str, Any]:
    """One argument, by name."""
    return {name: value}


def test_defaults() -> None:
    """Each phase has a default of its own: nothing waits for ever unless it is told to. The total has no bound."""
    timeout = Timeout()
    assert (timeout.connect, timeout.write, timeout.read) == (CONNECT, WRITE, READ) == (10, 30, 30)
    assert timeout.pool == POOL == 30
    assert (timeout.min_rate, timeout.total) == (MIN_RATE, None)
    assert list(MIN_RATE) == [256, 60]
    assert Timeout(None) == timeout


@pytest.mark.parametrize("seconds", [5, 0.5, 1e6])
def test_one_number(seconds: float) -> None:
    """A number sets each phase, and neither the total nor the rate."""
    timeout = Timeout(seconds)
    assert timeout == Timeout(pool=seconds, connect=seconds, write=seconds, read=seconds)
    assert (timeout.total, timeout.min_rate) == (None, MIN_RATE)


@pytest.mark.parametrize("phase", PHASES)
def test_one_phase(phase: str) -> None:
    """A phase that is named has its own number, the others have the common one or their defaults."""
    timeout = Timeout(5, **only(phase, 7))
    assert {name: getattr(timeout, name) for name in PHASES} == dict.fromkeys(PHASES, 5.0) | {phase: 7.0}
    alone = Timeout(**only(phase, 7))
    assert {name: getattr(alone, name) for name in PHASES} == OWN | {phase: 7}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("value", [None, math.inf])
def test_without_bound(phase: str, value: float | None) -> None:
    """None, or infinity, for a phase means without bound, and says nothing about the others."""
    timeout = Timeout(5, **only(phase, value))
    assert getattr(timeout, phase) is None
    assert [getattr(timeout, name) for name in PHASES if name != phase] == [5, 5, 5]


def test_infinity_for_all() -> None:
    """Infinity for all phases means without bound."""
    assert Timeout(math.inf) == Timeout(pool=None, connect=None, write=None, read=None)


def test_total() -> None:
    """The total is a number of its own; infinity means without bound."""
    timeout = Timeout(5, total=60)
    assert timeout.total == 60
    assert isinstance(timeout.total, float)
    assert timeout.read == 5
    assert Timeout(total=math.inf) == Timeout(total=None) == Timeout()


def test_rate() -> None:
    """The least rate is a pair of numbers; None, or a window without end, means that there is none."""
    rate = Timeout(min_rate=(1000, 5)).min_rate
    assert rate is not None
    assert list(map(repr, rate)) == ["1000.0", "5.0"]
    assert Timeout(min_rate=None).min_rate is None
    assert Timeout(min_rate=(1, math.inf)).min_rate is None


@pytest.mark.parametrize("value", [0, -1, -0.0, math.nan, -math.inf])
@pytest.mark.parametrize("position", [0, 1])
def test_no_rate(position: int, value: float) -> None:
    """Zero, negative numbers and NaN are neither a rate nor a window."""
    with pytest.raises(ValueError, match="min_rate must be greater than zero"):
        Timeout(min_rate=(value, 60) if position == 0 else (256, value))


def test_infinite_rate() -> None:
    """A rate that nobody can keep up is refused."""
    with pytest.raises(ValueError, match="min_rate"):
        Timeout(min_rate=(math.inf, 60))


@pytest.mark.parametrize("value", [256, "ab", [256, 60], (), (256,), (256, 60, 1), {256: 60}, object()])
def test_rate_is_no_pair(value: Any) -> None:
    """What is not a pair is a TypeError that says what is wanted."""
    with pytest.raises(TypeError, match="min_rate must be a pair"):
        Timeout(min_rate=value)


@pytest.mark.parametrize("value", [("256", 60), (256, "60"), (None, 60), (256, None), (True, 60), (256, False)])
def test_rate_is_no_number(value: Any) -> None:
    """A pair of something else than numbers is a TypeError."""
    with pytest.raises(TypeError, match="min_rate must be two numbers"):
        Timeout(min_rate=value)


@pytest.mark.parametrize("value", [0, -1, -0.0, math.nan, -math.inf])
@pytest.mark.parametrize("phase", [None, "total", *PHASES])
def test_no_time(phase: str | None, value: float) -> None:
    """Zero, negative numbers and NaN are not times, and the error names the phase."""
    with pytest.raises(ValueError, match=phase or "timeout"):
        Timeout(value) if phase is None else Timeout(**only(phase, value))


@pytest.mark.parametrize("value", ["5", b"5", True, [], object()])
def test_no_number(value: Any) -> None:
    """What is not a number is a TypeError."""
    with pytest.raises(TypeError, match="number of seconds"):
        Timeout(value)
    for name in ("total", *PHASES):
        with pytest.raises(TypeError, match=f"{name} timeout must be a number of seconds"):
            Timeout(**only(name, value))


def test_value() -> None:
    """A timeout is a value: it cannot be changed, compares and hashes by its numbers, and pickles."""
    timeout = Timeout(5, read=7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        timeout.read = 8  # type: ignore[misc]  # what is tested
    assert timeout == Timeout(read=7.0, pool=5, connect=5, write=5)
    assert hash(timeout) == hash(Timeout(5, read=7))
    assert pickle.loads(pickle.dumps(timeout)) == timeout
    fields = "total=None, pool=5.0, connect=5.0, write=5.0, read=7.0, min_rate=(256.0, 60.0)"
    assert repr(timeout) == f"Timeout({fields})"
    assert timeout != Timeout(5, read=7, min_rate=None)
    assert timeout != Timeout(5, read=7, total=8)


def test_not_given() -> None:
    """The marker for what was not given shows as what it is in a signature."""
    assert repr(DEFAULT) == "<default>"
    assert Timeout(read=DEFAULT) == Timeout()
