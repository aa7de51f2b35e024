"""``bulk/_sink_writer.py``: what is written when, in which order, and what becomes of errors and cancellations."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import SinkError
from aiohttpclient.bulk._sink_ledger import Ledger
from aiohttpclient.bulk._sink_store import Entry
from aiohttpclient.bulk._sink_writer import Writer
from aiohttpclient.testing import virtual_time
from tests.bulk.sinking import answered

if TYPE_CHECKING:
    from collections.abc import Sequence

TIMEOUT = 10


class Place:
    """A store that writes when the test lets it, or fails, and remembers what it was asked to do."""

    path = Path("place")

    def __init__(self, fails: Sequence[str] = (), held: bool = False) -> None:
        self.fails = fails
        self.calls: list[str] = []
        self.batches: list[list[int]] = []
        self.go = threading.Event()
        self.threads: set[int] = set()
        if not held:
            self.go.set()

    def _do(self, what: str) -> None:
        self.calls.append(what)
        self.threads.add(threading.get_ident())
        assert self.go.wait(TIMEOUT)
        if what in self.fails:
            raise OSError(28, "No space left on device")

    def open(self, ledger: Ledger, resume: bool) -> None:
        self._do("open")

    def write(self, entries: list[Entry]) -> None:
        self._do(f"write {len(self.batches)}")
        self.batches.append([entry.result.index for entry in entries])

    def tidy(self, ledger: Ledger) -> None:
        self._do("tidy")

    def release(self) -> None:
        self._do("release")


def entry(number: int) -> Entry:
    return Entry(bytes(16), True, answered("http://h/", index=number))


def take(writer: Writer, *numbers: int, size: int = 0) -> None:
    for number in numbers:
        writer.take(entry(number), size)


async def test_lists() -> None:
    """Entries are written in their order, so many at a time; what comes meanwhile is the next batch, however long."""
    place = Place(held=True)
    writer = Writer(place, 2, 100, 60)
    take(writer, 0, 1, 2, 3, 4)
    assert writer.reported == 0
    place.go.set()
    await writer.flush()
    take(writer, 5)
    await writer.close(Ledger())
    assert place.batches == [[0, 1], [2, 3, 4], [5]]
    assert place.calls[-2:] == ["tidy", "release"]
    assert (writer.taken, writer.reported) == (6, 6)
    assert len(place.threads) == 1
    assert threading.get_ident() not in place.threads


async def test_size() -> None:
    """A batch is full as well when its entries are large."""
    place = Place(held=True)
    writer = Writer(place, 1000, 100, 60)
    take(writer, 0, size=99)
    take(writer, 1, size=1)
    take(writer, 2, size=100)
    place.go.set()
    await writer.close(Ledger())
    assert place.batches == [[0, 1], [2]]


async def test_interval() -> None:
    """Entries do not wait for longer than the interval, counted from the first of them, also behind a long write."""
    with virtual_time() as clock:
        place = Place(held=True)
        writer = Writer(place, 1000, 100, 5)
        take(writer, 0)
        await clock.elapse(3)
        take(writer, 1)
        await clock.elapse(1.9)
        assert not place.calls
        await clock.elapse(0.1)
        assert writer._job is not None
        take(writer, 2)
        await clock.elapse(5)
        take(writer, 3)
        place.go.set()
        while writer.reported < 4:
            await asyncio.sleep(0)
        assert place.batches == [[0, 1], [2, 3]]
        await writer.close(Ledger())


async def test_room() -> None:
    """While one batch is written and the next is full there is no room; whoever waits for it goes on when there is."""
    place = Place(held=True)
    writer = Writer(place, 2, 100, 60)
    take(writer, 0, 1, 2)
    await writer.room()
    take(writer, 3)
    waiting = [asyncio.create_task(writer.room()) for _ in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    waiting[0].cancel()
    place.go.set()
    assert await asyncio.gather(*waiting[1:]) == [None, None]
    assert waiting[0].cancelled()
    await writer.close(Ledger())
    assert place.batches == [[0, 1], [2, 3]]


async def test_error() -> None:
    """After an error nothing is written; what is safe are the first, and everybody is told."""
    place = Place(["write 1"], held=True)
    writer = Writer(place, 2, 100, 60)
    take(writer, 0, 1, 2, 3)
    place.go.set()
    await writer.flush()
    with pytest.raises(SinkError, match="No space left on device; 2 of 4 results are safe"):
        writer.check()
    with pytest.raises(SinkError) as caught:
        writer.check()
    assert isinstance(caught.value.__cause__, OSError)
    assert (caught.value.reported, caught.value.path) == (2, "place")
    await writer.close(Ledger())
    assert place.batches == [[0, 1]]
    assert place.calls[-2:] == ["write 1", "release"]


async def test_error_without_words() -> None:
    """An error that says nothing is named."""
    place = Place()

    def write(entries: list[Entry]) -> None:
        raise MemoryError

    place.write = write  # type: ignore[method-assign]  # for this test
    writer = Writer(place, 1, 100, 60)
    take(writer, 0)
    await writer.close(Ledger())
    with pytest.raises(SinkError, match="MemoryError; 0 of 1"):
        writer.check()


async def test_error_at_the_end() -> None:
    """Where only tidying up fails, that is told, and all results are safe."""
    place = Place(["tidy"])
    writer = Writer(place, 1, 100, 60)
    take(writer, 0)
    await writer.close(Ledger())
    with pytest.raises(SinkError, match="1 of 1 results are safe"):
        writer.check()
    assert place.calls[-1] == "release"


@pytest.mark.parametrize("fails", [(), ("open",)], ids=["well", "fails"])
async def test_cancelled_opening(fails: Sequence[str]) -> None:
    """What is opened while the caller is cancelled is closed again."""
    place = Place(fails, held=True)
    writer = Writer(place, 1, 100, 60)
    task = asyncio.create_task(writer.open(Ledger(), True))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.sleep(0)
    place.go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert place.calls == ["open", "release"]


async def test_opening_fails() -> None:
    """What could not be opened is closed, and says why."""
    place = Place(["open"])
    with pytest.raises(OSError, match="No space"):
        await Writer(place, 1, 100, 60).open(Ledger(), True)
    assert place.calls == ["open", "release"]


async def test_cancelled_at_the_end() -> None:
    """Closing goes on to its end when the caller is cancelled, as often as one likes, and then that is told."""
    place = Place(held=True)
    writer = Writer(place, 2, 100, 60)
    take(writer, 0, 1, 2)
    task = asyncio.create_task(writer.close(Ledger()))
    for _ in range(3):
        await asyncio.sleep(0)
        task.cancel()
    await asyncio.sleep(0)
    place.go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert place.batches == [[0, 1], [2]]
    assert place.calls[-1] == "release"


async def test_flush_waits_for_what_was_there() -> None:
    """To flush waits for what was taken before, not for what comes meanwhile; there may be nothing."""
    place = Place(held=True)
    writer = Writer(place, 100, 100, 60)
    await writer.flush()
    take(writer, 0)
    task = asyncio.create_task(writer.flush())
    await asyncio.sleep(0)
    take(writer, 1)
    place.go.set()
    await task
    assert place.batches == [[0]]
    await writer.close(Ledger())
    assert place.batches == [[0], [1]]
