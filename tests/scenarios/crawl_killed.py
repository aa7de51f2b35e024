"""Crawls that are killed, and resumed; a script, because it forks.

``python -m tests.scenarios.crawl_killed WAY FOLDER SEEDS``: for each seed, a crawl in a process of its own, in that way
(see ``WAYS``), until it is killed: from outside, after so many lines of what it tells, before one of the statements of
its frontier, in the middle of one, or at one of the steps by which the results become safe. That is done again two
times, each resuming what the one before has left, and the last run is left to end. What must hold is asserted after
each.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.bulk import JSONLines, SQLite, _frontier_store, crawl
from aiohttpclient.testing import MemoryDialer
from tests.bulk.linked import SEED, SITE, html, tree
from tests.scenarios.killed import KILLS, STEPS, WRITES, Steps, forked, void

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable

    from tests.bulk.sinking import Kind

PAGES = tree(60)

DEPTHS = {
    f"{SITE}{path}": depth for depth, paths in enumerate([list(PAGES)[0:1], list(PAGES)[1:4], list(PAGES)[4:13],
    list(PAGES)[13:40], list(PAGES)[40:]]) for path in paths
}  # fmt: skip
"""How deep each page is: three more for each."""


class Way(NamedTuple):
    """Where pages are written, if anywhere; the bounds; and whether a third of the pages fails but for the last run."""

    kind: Kind | None
    bounds: dict[str, Any]
    breaks: bool


WAYS = {
    "lines": Way(JSONLines, {}, True),
    "table": Way(SQLite, {}, True),
    "pages": Way(JSONLines, {"pages": 25}, True),
    "depth": Way(JSONLines, {"depth": 3}, False),
    "consumer": Way(None, {}, False),
}

OUT, FRONTIER = "out", "frontier"


# -- the run that is killed


async def crawl_all(way: Way, folder: Path, tell: Callable[[str], None], breaks: bool) -> None:
    async def page(reader: StreamReader, writer: StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            path = head.split()[1].decode()
            tell(f"asked {SITE}{path}")
            fails = breaks and path != "/" and int(path[1:]) % 3 == 0
            writer.write(html(status="503 Service Unavailable") if fails else html(*PAGES[path]))

    async with MemoryDialer(page) as dialer, AsyncHTTPClient(transport=dialer, retries=None) as client:
        async with contextlib.AsyncExitStack() as stack:
            sink = None
            if way.kind is not None:
                sink = await stack.enter_async_context(way.kind(folder / OUT, resume=True, batch=4, interval=0.001))
            pages = crawl(
                [SEED], client=client, concurrency=6, frontier=folder / FRONTIER, resume=True, sink=sink, **way.bounds
            )
            async for found in await stack.enter_async_context(pages):
                tell(f"page {found.url} {found.depth}")
                await asyncio.sleep(0)
    tell("closed")


class Statements:
    """Dies before statement ``last`` of the frontier, or within it, after some of its instructions."""

    def __init__(self, last: int, within: bool) -> None:
        self.left = last
        names = vars(_frontier_store)
        connected = names["connected"]

        def wrapped(path: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connected(path)
            if within:
                connection.set_progress_handler(self.count, 7)
            else:
                connection.set_trace_callback(self.count)
            return connection

        names["connected"] = wrapped

    def count(self, _: str = "") -> int:
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return 0


def run(way: Way, folder: Path, fault: Callable[[], object], breaks: bool, told: int) -> None:
    fault()
    asyncio.run(crawl_all(way, folder, lambda line: void(os.write(told, f"{line}\n".encode())), breaks))


# -- the one that kills it


def killed(way: Way, folder: Path, rng: random.Random) -> list[str]:
    """What a run told before it was killed, or ended."""
    last = rng.randrange(rng.choice([4, 15, 40]))
    fault: Callable[[], object] = rng.choice(
        [
            lambda: None,
            lambda: Statements(last * 3, within=False),
            lambda: Statements(last * 40, within=True),
            lambda: Steps(rng.choice([WRITES, STEPS]), last),
        ]
    )
    child, lines = forked(lambda told: run(way, folder, fault, way.breaks, told))
    told, moment = [], rng.randrange(1, rng.choice([8, 30, 80]))
    for line in lines:
        told.append(line.rstrip("\n"))
        if len(told) == moment:
            os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return told


def found(way: Way, folder: Path) -> list[str]:
    """The URLs that are in the output."""
    assert way.kind is not None
    if not (folder / OUT).exists():
        return []
    return [record.url for record in way.kind.read(folder / OUT)]


def in_frontier(folder: Path, state: int) -> set[str]:
    """The URLs of which the frontier says that."""
    if not (folder / FRONTIER).exists():
        return set()
    with closing(sqlite3.connect(folder / FRONTIER)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'urls'").fetchone():
            return set()
        return {url for (url,) in connection.execute("SELECT url FROM urls WHERE state = ?", (state,))}


def check(way: Way, folder: Path, seed: int) -> Counter[str]:
    """Kill, resume, and look; how often what happened."""
    rng, seen, finished, given = random.Random(seed), Counter[str](), set[str](), set[str]()
    for _ in range(KILLS):
        told = killed(way, folder, rng)
        seen["closed" if told[-1:] == ["closed"] else "killed"] += 1
        pages = [line.split()[1] for line in told if line.startswith("page")]
        assert len(pages) == len(set(pages)), "twice in one run"
        asked = {line.split()[1] for line in told if line.startswith("asked")}
        assert not asked & finished, "what was done was asked for again"
        finished = in_frontier(folder, _frontier_store.DONE)
        given.update(pages)
        if way.kind is None:
            assert finished <= given, "done, and given to nobody"
        else:
            there = found(way, folder)
            assert len(there) == len(set(there)), "twice"
            assert finished <= set(there), "done, and not there"
            assert len(there) <= way.bounds.get("pages", len(PAGES)), "too many"
    child, lines = forked(lambda told: run(way, folder, lambda: None, False, told))
    told = [line.rstrip("\n") for line in lines]
    assert os.waitpid(child, 0)[1] == 0
    check_end(way, folder, told, finished)
    return seen


def check_end(way: Way, folder: Path, told: list[str], finished: set[str]) -> None:
    """What must hold when the last run has ended."""
    assert told[-1] == "closed"
    last = {line.split()[1]: int(line.split()[2]) for line in told if line.startswith("page")}
    assert not last.keys() & finished
    done = in_frontier(folder, _frontier_store.DONE)
    expected = {url for url, depth in DEPTHS.items() if depth <= way.bounds.get("depth", 9)}
    if "pages" in way.bounds:
        assert len(done) == way.bounds["pages"]
        expected = done
    if not way.breaks:
        assert all(depth == DEPTHS[url] for url, depth in last.items())
    assert done == expected == finished | last.keys()
    if way.kind is not None:
        assert sorted(found(way, folder)) == sorted(expected)
    names = {one.name for one in folder.iterdir()}
    assert names == {FRONTIER, *([OUT] if way.kind else [])}, "something is left"


def main(name: str, folder: str, seeds: str) -> None:
    total = Counter[str]()
    for seed in range(int(seeds)):
        place = Path(folder) / str(seed)
        place.mkdir()
        try:
            total += check(WAYS[name], place, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    print(total["killed"])  # noqa: T201  # what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
