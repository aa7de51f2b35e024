"""Pages of which something is made on the workers of a cluster: two of them beside one.

Each worker is a process with a core of its own; everything else, the scheduler, who asks for it all, and nginx, has
what they leave over of two cores, and needs so little that it is worth while to have the second one. Nothing of a page
travels but what was made of it.

A host belongs to one worker: where all pages are of one, the other worker has nothing to do. So both turns are with the
same cluster, which costs something also where it rests.

The speed of a core of a shared machine changes by a third within seconds. No order of turns undoes that, but many turns
do: one worker goes first, then second, and all pages of all turns count alike. A median would throw away most of what
was measured.

Pages of two sizes are fetched: some of a size that real ones have, and small ones, where what is not the workers' has a
larger part.
"""

from __future__ import annotations

import os
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

PAGE_SIZE: Final = 52 << 10
"""Bytes, about: the median of the 530 pages of Debian's python3-doc, which tests/interop crawls. To look at one of
theirs of this size takes 700 to 1,900 us on a core that has one of these done in 640."""

SMALL_SIZE: Final = 20 << 10
"""Bytes, about: one in seven of those has less."""

PAGES: Final = {PAGE_SIZE: 8000, SMALL_SIZE: 16000}
"""For each second of the effort, in a turn: in a full run thousands, for which two workers take some three seconds. To
begin and to end takes a tenth of one."""

ROUNDS_SHARE: Final = 2
"""One of so many rounds is measured: each is long."""

FILES: Final = 15
"""Others for each host, whose number has no part in common with theirs."""

WORKERS: Final = 2

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


def _write_pages(servers: Servers, least: int) -> list[str]:
    """URLs of pages of the site, one after the other in one, until it has ``least`` bytes."""
    if servers.root is None:
        raise RuntimeError("the pages for a cluster are files, which nginx gives; it is not installed")
    folder = servers.root / "dask" / str(least)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(FILES):
        text = ""
        while len(text) < least:
            text += site.page((number * 31 + len(text)) % site.PAGES)
        (folder / f"{number}.html").write_text(text)
    hosts = servers.hosts
    return [
        f"http://{hosts[number % len(hosts)]}:{servers.origin.port}/dask/{least}/{number % FILES}.html"
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


class _Turns:
    """What became of all turns of a contender: pages, seconds, and those of the processor, on the workers and here."""

    def __init__(self, urls: list[str], count: int) -> None:
        self.urls = urls
        self.count = count
        self.pages = 0
        self.wall = 0.0
        self.workers = 0.0
        self.here = 0.0

    @property
    def rate(self) -> float:
        """Pages a second."""
        return self.pages / self.wall

    def line(self) -> tuple[float, ...]:
        """Its rate; microseconds of the processor for each page, on the workers and here; cores that workers had."""
        return self.rate, self.workers * 1e6 / self.pages, self.here * 1e6 / self.pages, self.workers / self.wall


async def _turn(client: Any, turns: _Turns) -> None:
    from aiohttpclient import bulk

    spent, here, began = sum((await client.run(_spent)).values()), time.process_time(), time.perf_counter()
    items = (f"{turns.urls[number % len(turns.urls)]}?{number}" for number in range(turns.count))
    found = 0
    async for result in bulk.fetch(items, cluster=client, concurrency=AT_ONCE, extract=looked_at, responses=False):
        if result.value is None or not min(result.value):
            raise RuntimeError(f"a page was not fetched: {result!r}")
        found += 1
    if found != turns.count:
        raise RuntimeError(f"{found} of {turns.count} pages were fetched")
    turns.wall += time.perf_counter() - began
    turns.here += time.process_time() - here
    turns.workers += sum((await client.run(_spent)).values()) - spent
    turns.pages += found


async def run(servers: Servers, effort: Effort) -> Result:
    """Rates in turns, each with what was used up where."""
    one_host = f"http://{servers.hosts[0]}:"
    pairs: dict[str, tuple[_Turns, _Turns]] = {}
    for size, pages in PAGES.items():
        urls, count = _write_pages(servers, size), int(pages * effort.seconds)
        one = _Turns([url for url in urls if url.startswith(one_host)], count)
        pairs[f"{size >> 10} KiB"] = one, _Turns(urls, count)
    in_order = [turns for pair in pairs.values() for turns in pair]
    with _any_core() as cores:
        async with _cluster(cores) as client:
            for turns in in_order:
                await _turn(client, _Turns(turns.urls, turns.count))
            for number in range(effort.shortened(ROUNDS_SHARE).rounds):
                for turns in reversed(in_order) if number % 2 else in_order:
                    await _turn(client, turns)
    return _result(pairs)


def _result(pairs: dict[str, tuple[_Turns, _Turns]]) -> Result:
    lines = {}
    checks = []
    for size, (one, two) in pairs.items():
        lines[f"one worker, {size}"] = one.line()
        lines[f"two workers, {size}"] = two.line()
        text = f"rate of two workers, times that of one, {size}"
        checks.append(Check(text, two.rate / one.rate, TIMES_ONE, at_most=False))
    return Result(
        name="dask",
        title="Pages of which links and words are found on the workers of a cluster",
        columns=("a second", "us worker", "us here", "cores"),
        lines=lines,
        checks=checks,
    )
