"""``bulk/_frontier.py``: when there are more URLs, and how what happens goes to the disk."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import SinkError
from aiohttpclient.bulk import _frontier
from aiohttpclient.bulk._frontier import Feed, Frontier
from aiohttpclient.bulk._frontier_store import DONE
from aiohttpclient.bulk._frontier_work import Bounds
from tests.bulk.linked import THREAD, threads_gone
from tests.bulk.pages import settle
from tests.bulk.sinking import names

if TYPE_CHECKING:
    from pathlib import Path

SEEDS = ["http://a.example/", "http://b.example/"]


def frontier_at(path: Path | None = None, resume: bool = False, seeds: list[str] = SEEDS, **bounds: int) -> Frontier:
    return Frontier(path, resume, Bounds(**bounds), seeds)


def state_of(path: Path, url: str) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT state FROM urls WHERE url = ?", (url,)).fetchone()[0]


async def test_end() -> None:
    """There are no more when each that was given out has told its links, and these were given out as well."""
    frontier = frontier_at()
    assert [await frontier.take(), await frontier.take()] == SEEDS
    waiting = asyncio.ensure_future(frontier.take())
    frontier.read(0, [], 1, 0)
    for _ in range(20):
        await settle()
    assert not waiting.done()
    frontier.read(1, ["http://c.example/"], 1, 0)
    assert await waiting == "http://c.example/"
    assert frontier.row(2).referrer == SEEDS[1]
    frontier.read(2, [*SEEDS, "http://c.example/"], 2, 0)
    assert await frontier.take() is None
    assert frontier.known == 3
    await frontier.close()
    await threads_gone()


async def test_feed() -> None:
    """As the input of a fetch it gives URLs whose redirects are not followed, and outlives that."""
    frontier = frontier_at(pages=2)
    items = [item async for item in _read_at_once(frontier)]
    assert items == [(seed, {"follow_redirects": False}) for seed in SEEDS]
    assert not hasattr(Feed(frontier), "aclose")
    await frontier.close()


async def _read_at_once(frontier: Frontier) -> Any:
    async for index, item in _counted(Feed(frontier)):
        yield item
        frontier.read(index, ["http://c.example/"], 1, 0)


async def _counted(feed: Feed) -> Any:
    index = 0
    async for item in feed:
        yield index, item
        index += 1


async def test_same_link_in_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that is found twice before the store is told has the lesser depth."""
    frontier = frontier_at()
    await frontier.take()
    await frontier.take()
    with monkeypatch.context() as patched:
        patched.setattr(frontier, "consider", lambda: None)
        frontier.read(0, ["http://c.example/"], 5, 0)
    frontier.read(1, ["http://c.example/"], 2, 1)
    assert await frontier.take() == "http://c.example/"
    assert frontier.row(2)[2:] == (2, 1, SEEDS[1])
    await frontier.close()


async def test_noted_after_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens is on the disk after a time, also when nothing else is wanted."""
    monkeypatch.setattr(_frontier, "INTERVAL", 0.0)
    frontier = frontier_at(tmp_path / "f")
    await frontier.take()
    row = frontier.row(0)
    while frontier._job is not None or frontier._timer is not None:
        await settle()
    frontier.finish(row, failed=False)
    frontier.consider()
    while state_of(tmp_path / "f", SEEDS[0]) != DONE:
        await settle()
    assert (frontier.done, frontier.failed) == (1, 0)
    await frontier.close()


async def test_noted_when_closed(tmp_path: Path) -> None:
    """What has happened is on the disk when the frontier is closed; to close it again does nothing."""
    frontier = frontier_at(tmp_path / "f")
    await frontier.take()
    frontier.finish(frontier.row(0), failed=False)
    await frontier.close()
    await frontier.close()
    assert state_of(tmp_path / "f", SEEDS[0]) == DONE
    assert names(tmp_path) == {"f"}
    await threads_gone()


async def test_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has found too much waits until the store has it."""
    monkeypatch.setattr(_frontier, "MOST", 100)
    frontier = frontier_at()
    await frontier.take()
    await frontier.room()
    step, go = frontier._store.step, threading.Event()
    monkeypatch.setattr(frontier._store, "step", lambda work: (go.wait(), step(work))[1])
    frontier.read(0, [f"http://a.example/{number}" for number in range(9)], 1, 0)
    await frontier.take()
    frontier.read(1, [f"http://a.example/{number}" for number in range(20)], 1, 0)
    waiting = asyncio.ensure_future(frontier.room())
    for _ in range(5):
        await settle()
    assert not waiting.done()
    go.set()
    await waiting
    await frontier.close()


async def test_store_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the store has failed everybody is told, nothing is noted any more, and it is closed in the end."""
    frontier = frontier_at(tmp_path / "f")
    await frontier.take()
    await frontier.take()

    def fails(_work: object) -> Any:
        raise sqlite3.OperationalError("disk I/O error")

    step = frontier._store.step
    monkeypatch.setattr(frontier._store, "step", fails)
    waiting = asyncio.ensure_future(frontier.take())
    await settle()
    frontier.finish(frontier.row(0), failed=False)
    frontier.read(0, ["http://c.example/"], 1, 0)
    with pytest.raises(SinkError, match="disk I/O error") as caught:
        await waiting
    assert caught.value.path == str(tmp_path / "f")
    with pytest.raises(SinkError, match="disk I/O error"):
        await frontier.room()
    monkeypatch.setattr(frontier._store, "step", step)
    await frontier.close()
    await threads_gone()
    assert state_of(tmp_path / "f", SEEDS[0]) != DONE
    assert names(tmp_path) == {"f"}


async def test_fails_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the last of what has happened could not be noted is told to who closes."""
    frontier = frontier_at(tmp_path / "f")
    await frontier.take()

    def fails(_work: object) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(frontier._store, "step", fails)
    with pytest.raises(SinkError, match="disk is full"):
        await frontier.close()
    await frontier.close()
    await threads_gone()
    assert names(tmp_path) == {"f"}


async def test_cannot_be_opened(tmp_path: Path) -> None:
    """What keeps the store from being opened is raised, and nothing is left."""
    (tmp_path / "f").write_text("no database, and long enough to be looked at as one, one hundred bytes" * 2)
    for resume, error in ((False, FileExistsError), (True, SinkError)):
        frontier = frontier_at(tmp_path / "f", resume)
        with pytest.raises(error):
            await frontier.take()
        await frontier.close()
    frontier = frontier_at(tmp_path / "no folder" / "f")
    with pytest.raises(SinkError, match="no folder"):
        await frontier.take()
    await frontier.close()
    await threads_gone()
    assert names(tmp_path) == {"f"}


async def test_abandoned(tmp_path: Path) -> None:
    """A frontier that is abandoned notes what has happened, and closes, without anybody who waits."""
    frontier = frontier_at(tmp_path / "f")
    await frontier.take()
    frontier.finish(frontier.row(0), failed=False)
    called: list[bool] = []
    frontier.forget(lambda: called.append(True))
    await threads_gone()
    assert called == [True]
    assert state_of(tmp_path / "f", SEEDS[0]) == DONE
    assert names(tmp_path) == {"f"}


async def test_abandoned_elsewhere(tmp_path: Path) -> None:
    """What the collector finds in another thread is abandoned in the loop."""
    frontier = frontier_at(tmp_path / "f")
    await frontier.take()
    where: list[str] = []
    other = threading.Thread(target=frontier.forget, args=[lambda: where.append(threading.current_thread().name)])
    other.start()
    other.join()
    while any(thread.name.startswith(THREAD) for thread in threading.enumerate()):
        await settle()
    assert where == [threading.current_thread().name]


async def test_never_opened() -> None:
    """One from which nobody has taken anything has nothing to close."""
    frontier = frontier_at()
    frontier.forget(lambda: None)
    await frontier.close()
    assert frontier.seeds == SEEDS
