"""Places in a stream: found where they are, however the stream is cut."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from aiohttpclient.testing._line_places import Place, check_place
from tests.testing.lines import cuttings

DATA = b"ab\r\n\r\nabab\r\n\r\nrest"

PLACES: dict[str, tuple[Any, int | None]] = {
    "0": (0, 0),
    "number": (5, 5),
    "end": (len(DATA), len(DATA)),
    "behind the end": (len(DATA) + 1, None),
    "byte": (b"a", 1),
    "pattern": (b"\r\n\r\n", 6),
    "pattern that overlaps itself": (b"abab", 10),
    "pattern that is not there": (b"\r\n\r\n\r\n", None),
    "pattern at the end": (b"rest", len(DATA)),
    "number, then pattern": ((1, b"ab"), 8),
    "pattern, then number": ((b"\r\n\r\n", 3), 9),
    "pattern, then 0": ((b"\r\n\r\n", 0), 6),
    "pattern, then the next one": ((b"\r\n\r\n", b"\r\n\r\n"), 14),
    "numbers": ((2, 3, 0, 1), 6),
    "pattern, number behind the end": ((b"\r\n\r\n", 100), None),
    "range of one": (range(7, 8), 7),
}


def _found(after: Any, pieces: list[bytes]) -> int | None:
    place = Place(after, Random(0))
    passed = 0
    for piece in pieces:
        if piece:
            found = place.find(piece)
            if found is not None:
                return passed + found
            passed += len(piece)
    return None


@pytest.mark.parametrize(("after", "place"), PLACES.values(), ids=list(PLACES))
def test_places(after: Any, place: int | None) -> None:
    """A place is found where it is, in whatever pieces the bytes come."""
    check_place(after)
    for pieces in cuttings(DATA):
        assert _found(after, pieces) == place, pieces


def test_found_at_once() -> None:
    """A place is found together with the byte before it, not when the next one comes."""
    assert Place(3, Random(0)).find(b"abc") == 3
    assert Place(b"bc", Random(0)).find(b"abc") == 3


def test_by_chance() -> None:
    """A number out of a range comes from the random numbers, and each of them comes."""
    drawn = [_found(range(5), [b"x" * 5]) for _ in range(3)]
    assert len(set(drawn)) == 1
    assert {Place(range(5), Random(seed)).find(b"x" * 5) for seed in range(100)} == set(range(5))


@pytest.mark.parametrize(
    ("after", "error", "text"),
    [
        (-1, ValueError, "after is at least 0, not -1"),
        (b"", ValueError, "after is empty: b''"),
        (range(0), ValueError, r"after is empty: range\(0, 0\)"),
        (range(-1, 3), ValueError, "after is at least 0, not -1"),
        ((), ValueError, "a place has one step at least"),
        ((3, -1), ValueError, "after is at least 0, not -1"),
        ("text", TypeError, "a place is a number of bytes, bytes, a range, or a tuple of these, not 'text'"),
        (None, TypeError, "not None"),
        (True, TypeError, "not True"),
        (1.5, TypeError, "not 1.5"),
    ],
)
def test_what_is_none(after: Any, error: type[Exception], text: str) -> None:
    """What is no place is refused, with what one is."""
    with pytest.raises(error, match=text):
        check_place(after)
