"""``pool/_limits.py``: values; what they do is tested with the book and the pool."""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from decimal import Decimal
from typing import Any

import pytest

from aiohttpclient.pool import PoolLimits
from aiohttpclient.pool._limits import KEEPALIVE_EXPIRY

COUNTS = {"connections": 1, "per_origin": 1, "waiting": 0}
"""The limits that are counts, and the least that each may be."""

SECONDS = ("keepalive_expiry", "max_lifetime")


def test_defaults() -> None:
    """A pool is bounded by default, and keeps idle connections for a while."""
    limits = PoolLimits()
    assert dataclasses.asdict(limits) == {
        "connections": 100,
        "per_origin": None,
        "keepalive_expiry": 15.0,
        "max_lifetime": None,
        "waiting": None,
    }
    assert limits.keepalive_expiry == KEEPALIVE_EXPIRY


def test_order() -> None:
    """The limits may be given by position, in the order in which they are documented."""
    assert PoolLimits(1, 2, 3, 4, 5) == PoolLimits(
        connections=1, per_origin=2, keepalive_expiry=3, max_lifetime=4, waiting=5
    )


@pytest.mark.parametrize("name", [*COUNTS, *SECONDS])
@pytest.mark.parametrize("value", [1, 2, 10**9])
def test_values(name: str, value: int) -> None:
    """Each limit is kept as it was given, and says nothing about the others."""
    limits = PoolLimits(**{name: value})
    assert dataclasses.asdict(limits) == dataclasses.asdict(PoolLimits()) | {name: value}


@pytest.mark.parametrize("name", [*COUNTS, *SECONDS])
def test_without_bound(name: str) -> None:
    """None means without bound."""
    assert getattr(PoolLimits(**{name: None}), name) is None


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [0.001, 1e9, math.inf])
def test_seconds(name: str, value: float) -> None:
    """Seconds may have fractions, and be as many as there are."""
    assert getattr(PoolLimits(**{name: value}), name) == value  # type: ignore[arg-type]  # any of several types


def test_zero() -> None:
    """Nothing idle may be kept, and nobody may wait."""
    limits = PoolLimits(keepalive_expiry=0, waiting=0)
    assert (limits.keepalive_expiry, limits.waiting) == (0, 0)
    assert PoolLimits(keepalive_expiry=-0.0) == PoolLimits(keepalive_expiry=0.0)


@pytest.mark.parametrize(("name", "least"), COUNTS.items())
def test_too_few(name: str, least: int) -> None:
    """A count below the least that makes sense is a ValueError that names the limit and says what it may be."""
    for value in (least - 1, -1, -(10**9)):
        with pytest.raises(ValueError, match=rf"'{name}' must be at least {least}, got {value}$"):
            PoolLimits(**{name: value})


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize("value", [True, False, 1.0, math.nan, math.inf, "1", b"1", Decimal(1), [], object()])
def test_no_count(name: str, value: Any) -> None:
    """What is not an int is no count: neither a truth value nor a float."""
    with pytest.raises(TypeError, match=rf"'{name}' must be an int"):
        PoolLimits(**{name: value})


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [-1, -0.001, -math.inf, math.nan])
def test_too_short(name: str, value: float) -> None:
    """Negative seconds, and what is no number of them, are a ValueError that names the limit."""
    with pytest.raises(ValueError, match=rf"'{name}' is too small: {value}"):
        PoolLimits(**{name: value})  # type: ignore[arg-type]  # any of several types


@pytest.mark.parametrize("value", [0, 0.0, -0.0])
def test_no_lifetime(value: float) -> None:
    """A connection has to live for some time."""
    with pytest.raises(ValueError, match="'max_lifetime' is too small"):
        PoolLimits(max_lifetime=value)


@pytest.mark.parametrize("name", SECONDS)
@pytest.mark.parametrize("value", [True, False, "1", b"1", Decimal(1), [], object()])
def test_no_seconds(name: str, value: Any) -> None:
    """What is not a number, or is a truth value, is a TypeError that names the limit."""
    with pytest.raises(TypeError, match=rf"'{name}' must be a number of seconds"):
        PoolLimits(**{name: value})


def test_value() -> None:
    """Limits are a value: they cannot be changed, compare and hash by their numbers, pickle, copy, and show them."""
    limits = PoolLimits(5, per_origin=2, keepalive_expiry=1.5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        limits.connections = 6  # type: ignore[misc]  # what is tested
    same = PoolLimits(connections=5, per_origin=2, keepalive_expiry=1.5)
    assert limits == same
    assert hash(limits) == hash(same)
    assert limits != PoolLimits(5)
    assert pickle.loads(pickle.dumps(limits)) == copy.deepcopy(limits) == limits
    assert dataclasses.replace(limits, waiting=3) == PoolLimits(5, 2, 1.5, waiting=3)
    assert eval(repr(limits)) == limits
    assert repr(PoolLimits()) == (
        "PoolLimits(connections=100, per_origin=None, keepalive_expiry=15.0, max_lifetime=None, waiting=None)"
    )


def test_replaced_values_are_checked() -> None:
    """A changed copy is checked as a new one is."""
    with pytest.raises(ValueError, match="connections"):
        dataclasses.replace(PoolLimits(), connections=0)
