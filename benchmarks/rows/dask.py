"""Pages of which something is made on the workers of a cluster: two of them beside one.

Each worker is a process with a core of its own; everything else, the scheduler, who asks for it all, and nginx, has
what they leave over of two cores, and needs so little that it is worth while to have the second one. Nothing of a page
travels but what was made of it.

A host belongs to one worker: where all pages are of one, the other worker has nothing to do. So both turns are with the
same cluster, which costs something also where it rests.
"""

from __future__ import annotations

import os
import statistics
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from .. import site
from ..report import Check, Result

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aiohttpclient.bulk import Result as Page

    from ..servers import Servers
    from ..turns import Effort

PAGE_SIZE: Final = 20 << 10
"""Bytes, about: what a page of text has without its pictures."""

FILES: Final = 15
"""Others for each host, whose number has no part in common with theirs."""

WORKERS: Final = 2

PAGES_PER_ROUND: Final = 400
"""For each round of the effort: some thousands in a full run, for which two workers take four seconds. To begin and to
end takes some tenths of one."""

ROUNDS_SHARE: Final = 3
"""One of so many rounds is measured: each is long."""

AT_ONCE: Final = 32
"""Requests under way in each worker: it is busy with far fewer."""

QUIET: Final = {"distributed.worker.profile.enabled": False}
"""Dask's own profiler looks at every worker a hundred times a second."""

TIMES_ONE: Final = 1.6
"""What the rate of two workers must be at least, times that of one."""


def looked_at(page: Page) -> tuple[int, int]:
    """What is made of each page: its links and its words are counted."""
    from selectolax.lexbor import LexborHTMLParser

    from aiohttpclient.bulk import find_links

    assert page.response is not None
    body = LexborHTMLParser(page.response.content).body
    assert body is not None
    return len(find_links(page.response)), len(body.text(separator=" ").split())


def _write_pages(servers: Servers) -> list[str]:
    """URLs of pages of the site, one after the other in one, until it is large enough."""
    if servers.root is None:
        raise RuntimeError("the pages for a cluster are files, which nginx gives; it is not installed")
    folder = servers.root / "dask"
    folder.mkdir(exist_ok=True)
    for number in range(FILES):
        text = ""
        while len(text) < PAGE_SIZE:
            text += site.page((number * 31 + len(text)) % site.PAGES)
        (folder / f"{number}.html").write_text(text)
    hosts = servers.hosts
    return [
        f"http://{hosts[number % len(hosts)]}:{servers.origin.port}/dask/{number % FILES}.html"
        for number in range(len(hosts) * FILES)
    ]


@contextmanager
def _any_core() -> Iterator[list[int]]:
    """The cores there are; this process may use all of them for the length of the block."""
    if not hasattr(os, "sched_setaffinity"):
        yield []
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        yield sorted(os.sched_getaffinity(0))
    finally:
        os.sched_setaffinity(0, before)


def _pin(core: int) -> None:
    """The loop of a worker is in the thread in which this runs."""
    os.sched_setaffinity(0, {core})


def _spent() -> float:
    """Seconds of the processor that a worker has used."""
    return time.process_time()


@asynccontextmanager
async def _cluster(cores: list[int]) -> AsyncIterator[Any]:
    """A client of a cluster of two processes, each on a core."""
    import dask
    import distributed

    make: Any = distributed.LocalCluster  # which has no annotations, nor has the other
    client_of: Any = distributed.Client
    options = {"n_workers": WORKERS, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0", "host": "127.0.0.1"}
    with dask.config.set(QUIET):
        async with (
            make(**options, processes=True, asynchronous=True) as cluster,
            client_of(cluster.scheduler_address, asynchronous=True) as client,
        ):
            await client.wait_for_workers(WORKERS)
            for number, worker in enumerate(await client.nthreads()):
                if cores:
                    await client.run(_pin, cores[number % len(cores)], workers=[worker])
            yield client


class _Turn:
    """Pages a second, and microseconds of the processor for each: on the workers, and here with the scheduler."""

    def __init__(self, count: int, wall: float, workers: float, here: float) -> None:
        self.rate = count / wall
        self.workers = workers * 1e6 / count
        self.here = here * 1e6 / count


async def _turn(client: Any, urls: list[str], count: int) -> _Turn:
    from aiohttpclient import bulk

    spent, here, began = sum((await client.run(_spent)).values()), time.process_time(), time.perf_counter()
    items = (f"{urls[number % len(urls)]}?{number}" for number in range(count))
    found = 0
    async for result in bulk.fetch(items, cluster=client, concurrency=AT_ONCE, extract=looked_at, responses=False):
        if result.value is None or not min(result.value):
            raise RuntimeError(f"a page was not fetched: {result!r}")
        found += 1
    wall, here = time.perf_counter() - began, time.process_time() - here
    if found != count:
        raise RuntimeError(f"{found} of {count} pages were fetched")
    return _Turn(count, wall, sum((await client.run(_spent)).values()) - spent, here)


async def run(servers: Servers, effort: Effort) -> Result:
    """Rates in turns, each with what was used up where."""
    every = _write_pages(servers)
    one_host = [url for url in every if url.startswith(f"http://{servers.hosts[0]}:")]
    count = PAGES_PER_ROUND * effort.rounds
    rounds = []
    with _any_core() as cores:
        async with _cluster(cores) as client:
            for urls in (one_host, every):
                await _turn(client, urls, count // 4)
            for _ in range(max(2, effort.rounds // ROUNDS_SHARE)):
                rounds.append([await _turn(client, urls, count) for urls in (one_host, every)])  # noqa: PERF401  # long
    return _result(rounds)


def _result(rounds: list[list[_Turn]]) -> Result:
    def line(number: int) -> tuple[float, float, float]:
        turns = [turns[number] for turns in rounds]
        return tuple(statistics.median(getattr(turn, name) for turn in turns) for name in ("rate", "workers", "here"))

    ratio = statistics.median(two.rate / one.rate for one, two in rounds)
    return Result(
        name="dask",
        title=f"Pages of {PAGE_SIZE >> 10} KiB, of which links and words are found on the workers of a cluster",
        columns=("a second", "us worker", "us here"),
        lines={"one worker": line(0), "two workers": line(1)},
        checks=[Check("rate of two workers, times that of one", ratio, TIMES_ONE, at_most=False)],
    )
