"""Faults on one direction, one behind the other: the same comes out in whatever pieces the bytes came."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient.testing import line
from aiohttpclient.testing._line_stage import Item, Kind, LineFault, StreamFault, random_of
from tests.testing.lines import cuttings, data_of, items_of, seen

if TYPE_CHECKING:
    from collections.abc import Sequence

DATA = b"0123456789\r\n\r\nabcdefghijklmnopqrstuvwxyz"

ROWS: dict[str, Sequence[StreamFault]] = {
    "none": [],
    "Delay": [line.Delay(1, after=5)],
    "Bandwidth": [line.Bandwidth(100)],
    "Drip": [line.Drip(4, 0)],
    "Stall": [line.Stall(after=5)],
    "Stall for a time": [line.Stall(3, after=5)],
    "Cut": [line.Cut(after=b"\r\n\r\n")],
    "HalfClose": [line.HalfClose(after=(b"\r\n\r\n", 3))],
    "Reset": [line.Reset(after=range(20))],
    "Corrupt": [line.Corrupt(5, after=3)],
    "Garbage": [line.Garbage(b"GARBAGE", after=3)],
    "Garbage at the end": [line.Garbage(b"GARBAGE", after=38)],
    "Extra": [line.Extra(b"EXTRA", after=b"\r\n")],
    "Extra at the beginning": [line.Extra(b"EXTRA", after=0)],
    "Extra at the end": [line.Extra(b"EXTRA")],
    "Repeat": [line.Repeat(5, after=3)],
    "Repeat at the end": [line.Repeat(5, after=38)],
    "Truncate": [line.Truncate(5, after=3)],
    "Truncate all": [line.Truncate(after=3)],
    "corruption behind a cut": [line.Corrupt(5, after=20), line.Cut(after=10)],
    "a cut behind corruption": [line.Corrupt(5, after=5), line.Cut(after=7)],
    "stall behind a repetition": [line.Repeat(5, after=3), line.Stall(after=10)],
    "extra at the end, behind a half-close": [line.HalfClose(after=7), line.Extra(b"EXTRA")],
    "extra at the end, before a stall": [line.Extra(b"EXTRA"), line.Stall(after=len(DATA))],
    "four": [
        line.Truncate(2, after=1),
        line.Extra(b"\r\n\r\n", after=4),
        line.Corrupt(3, after=b"\r\n\r\n"),
        line.Reset(after=(b"\r\n\r\n", b"\r\n\r\n", 4)),
    ],
    "two of one kind": [line.Corrupt(1, after=5), line.Corrupt(1, after=5)],
}


@pytest.mark.parametrize("faults", ROWS.values(), ids=list(ROWS))
def test_pieces_do_not_matter(faults: Sequence[StreamFault]) -> None:
    """Which bytes come out, which marks are between them, and what is told, depends on the bytes alone."""
    whole = seen(items_of(faults, [DATA]))
    for pieces in cuttings(DATA):
        assert seen(items_of(faults, pieces)) == whole, pieces


def test_one_after_the_other() -> None:
    """A fault counts the bytes that the one before it lets through."""
    assert data_of([line.Truncate(3, after=2), line.Cut(after=4)], b"0123456789") == b"0156"
    assert data_of([line.Cut(after=4), line.Truncate(3, after=2)], b"0123456789") == b"01"


def test_what_is_told() -> None:
    """A fault is told where it begins to do something, once."""
    told = [item for item in items_of([line.Corrupt(3, after=4), line.Drip(1, 0)], [DATA]) if item.kind is Kind.NOTE]
    assert [(item.data, item.at) for item in told] == [(b"Drip(1, 0)", 0), (b"Corrupt(3)", 4)]


def test_nothing_is_told_of_what_nobody_got() -> None:
    """What a fault has done to bytes that another one held back did not happen."""
    items = items_of([line.Corrupt(3, after=8), line.Cut(after=5)], [b"0123456789"])
    assert seen(items) == [b"01234", ("note", "Cut", 5, 0.0, None), ("cut", "", 0, 0.0, None)]


def test_place_that_does_not_come() -> None:
    """A fault whose place does not come does nothing, also at the end."""
    assert seen(items_of([line.Repeat(3, after=100), line.Delay(1, after=100)], [DATA])) == [
        DATA,
        ("end", "", 0, 0.0, None),
    ]
    assert seen(items_of([line.Reset()], [])) == [("end", "", 0, 0.0, None)]


def test_items() -> None:
    """An item is split so that its pause is behind its last byte, and its delay is that of both parts."""
    item = Item(Kind.BYTES, b"abcd", late=1.0, pause=2.0)
    assert item.split(1) == (Item(Kind.BYTES, b"a", late=1.0), Item(Kind.BYTES, b"bcd", late=1.0, pause=2.0))
    assert item.split(4) == (item, Item(Kind.BYTES, b"", late=1.0))
    assert item.later(0.5).late == 1.5
    assert item.paused(0.5).pause == 2.5


# -- whom it concerns


def test_connections() -> None:
    """A fault is for one connection, for some, or for all."""
    for connection, numbers in ((None, [0, 1, 2, 3]), (1, [1]), (range(2, 9), [2, 3]), ({0, 3}, [0, 3])):
        fault = LineFault(connection=connection)
        assert [number for number in range(4) if fault.concerns(number, Random(0))] == numbers


def test_chance() -> None:
    """A fault happens as often as its chance says, and the same with the same random numbers."""
    fault = LineFault(chance=0.3)
    happened = [fault.concerns(0, random_of(seed, 0, "connection", "0")) for seed in range(1000)]
    assert happened == [fault.concerns(0, random_of(seed, 0, "connection", "0")) for seed in range(1000)]
    assert 250 < sum(happened) < 350
    assert not any(LineFault(chance=0).concerns(0, Random(seed)) for seed in range(100))


def test_random_numbers() -> None:
    """Random numbers differ by seed, connection, direction and fault, and are the same in every process."""
    names: list[tuple[Any, int, str, str]] = [
        (0, 0, "client", "0"),
        (1, 0, "client", "0"),
        (0, 1, "client", "0"),
        (0, 0, "server", "0"),
        (0, 0, "client", "1"),
    ]
    drawn = [random_of(*name).random() for name in names]
    assert len(set(drawn)) == len(drawn)
    assert random_of(7, 3, "client", "fault 0").getrandbits(32) == 0x6A167261


def test_what_connections_are_not() -> None:
    """What numbers cannot be in is refused when the fault is made."""
    for wrong in (1.5, "1"):
        with pytest.raises(TypeError):
            line.Cut(connection=cast("Any", wrong), chance=0)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: line.Cut(to=cast("Any", "nobody")), 'to is "client", "server" or "both", not \'nobody\''),
        (lambda: line.Cut(chance=1.1), "chance is from 0 to 1, not 1.1"),
        (lambda: line.Cut(chance=-0.1), "chance is from 0 to 1, not -0.1"),
        (lambda: line.Cut(after=-1), "after is at least 0, not -1"),
        (lambda: line.Refuse(chance=2), "chance is from 0 to 1, not 2"),
    ],
    ids=["to", "too likely", "too unlikely", "after", "a whole connection"],
)
def test_wrong_values(make: Any, text: str) -> None:
    """A value that means nothing is refused when the fault is made."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        make()
