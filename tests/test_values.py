"""``_values.py``."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import pytest

from aiohttpclient._values import Value


class Point(Value):
    """A value."""

    __slots__ = ("x", "y")

    x: int
    y: object

    def __init__(self, x: int, y: object = None) -> None:
        self._set(x=x, y=y)


class Other(Point):
    """Another kind of value, with the same attributes."""

    __slots__ = ()


def test_equal() -> None:
    """Values are equal when they are of one class and all attributes are."""
    assert Point(1, [2]) == Point(1, [2])
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2) != (1, 2)
    assert Point(1, 2) != Other(1, 2)


def test_hash() -> None:
    """Equal values have one hash, so that they can be keys; a value of what has none has none."""
    assert {Point(1, 2): "found"}[Point(1, 2)] == "found"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1, [2]))


def test_never_changed() -> None:
    """No attribute can be set, or deleted, by whoever has a value."""
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="'x'"):
        point.x = 2  # type: ignore[misc]  # what is tested
    with pytest.raises(dataclasses.FrozenInstanceError, match="'x'"):
        del point.x
    with pytest.raises(AttributeError):
        point.z = 2
    assert point == Point(1)


def test_shown() -> None:
    """The repr is how the value is made."""
    assert repr(Point(1, "two")) == "Point(x=1, y='two')"


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickled(protocol: int) -> None:
    """A value comes out of a pickle, or a copy, equal."""
    point = Point(1, {"two": 3})
    assert pickle.loads(pickle.dumps(point, protocol)) == point
    assert copy.copy(point) == copy.deepcopy(point) == point
