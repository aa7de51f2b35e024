"""``python -m benchmarks.many``: one contender asks for many URLs, or crawls a site, in a process that does only that.

:func:`run` starts it; it prints what it has measured as JSON. :func:`in_turns` is for contenders that take turns. The
scripts are those that people write with each library; all of them read each body whole, and keep nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypeAlias

from aiohttpclient import AsyncHTTPClient, PoolLimits

from . import memory
from .clients import fetch_all, url_of
from .servers import PAGES, SMALL_SIZE, Address
from .site import PAGES as PAGES_OF_SITE
from .site import SITE

if TYPE_CHECKING:
    from .servers import Servers
    from .turns import Contender, WorkIterator

AT_ONCE: Final = 100
"""Requests under way."""

FIRST: Final = 10_000
"""Answers after which memory is looked at for the first time: what grows with their number is seen in the end."""

FETCH: Final = "fetch"
CRAWL: Final = "crawl"

OURS: Final = "aiohttpclient.bulk"
BARE: Final = "client.get"
AIOHTTP: Final = "aiohttp, semaphore"
SCRAPY: Final = "scrapy"


@dataclass(frozen=True, slots=True)
class Measured:
    """What a contender took for ``count`` answers: seconds by the clock on the wall and of the processor, and memory.

    ``first_peak`` and ``peak`` (bytes) are the most that was resident by the time of :data:`FIRST` answers, and of all.
    """

    count: int
    wall: float
    processor: float
    first_peak: int
    peak: int

    @property
    def wall_each(self) -> float:
        """Seconds for one answer."""
        return self.wall / self.count

    @property
    def processor_each(self) -> float:
        """The same of the processor."""
        return self.processor / self.count


class Tally:
    """Counts answers."""

    def __init__(self, size: int | None) -> None:
        self.count = 0
        self.first_peak = 0
        self._size = size

    def add(self, body: bytes) -> None:
        """One more.

        :raises RuntimeError: it is not of the size that all have
        """
        if self._size is not None and len(body) != self._size:
            raise RuntimeError(f"a body has {len(body)} bytes, not {self._size}")
        self.count += 1
        if self.count == FIRST:
            self.first_peak = memory.peak()

    def check(self, count: int) -> None:
        """:raises RuntimeError: there are not ``count``"""
        if self.count != count:
            raise RuntimeError(f"{self.count} answers, and not {count}")


Seen: TypeAlias = Callable[[bytes], None]
"""Is given each body."""

Script: TypeAlias = Callable[[Iterable[str], Seen], Awaitable[None]]
"""Asks for URLs."""


def urls(address: Address, path: str) -> Iterator[str]:
    """More and more URLs, of which no two are alike."""
    start = url_of(address, path=path)
    return (f"{start}{number:09}" for number in itertools.count())


def run(work: str, contender: str, address: Address, count: int = 0) -> Measured:
    """What ``contender`` takes for ``work`` (:data:`FETCH` or :data:`CRAWL`), measured in a fresh process.

    :param count: URLs to fetch; a crawl finds its own
    :raises subprocess.CalledProcessError: when it fails; its error is on stderr
    """
    arguments = [work, contender, address.host, str(address.port), str(count)]
    command = [sys.executable, "-m", "benchmarks.many", *arguments]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(answer.stdout))


def _client() -> AsyncHTTPClient:
    return AsyncHTTPClient(limits=PoolLimits(connections=AT_ONCE))


@asynccontextmanager
async def _ours() -> AsyncIterator[Script]:
    from aiohttpclient import bulk

    async with _client() as client:

        async def ask(urls: Iterable[str], seen: Seen) -> None:
            async for result in bulk.fetch(urls, client=client, concurrency=AT_ONCE):
                seen(result.unwrap().content)

        yield ask


@asynccontextmanager
async def _bare() -> AsyncIterator[Script]:
    async with _client() as client:

        async def ask(urls: Iterable[str], seen: Seen) -> None:
            async def fetch(url: str) -> int:
                response = await client.get(url)
                seen(response.content)
                return response.status

            await fetch_all(fetch, urls, AT_ONCE)

        yield ask


@asynccontextmanager
async def _aiohttp() -> AsyncIterator[Script]:
    import aiohttp

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=AT_ONCE)) as session:

        async def ask(urls: Iterable[str], seen: Seen) -> None:
            semaphore = asyncio.Semaphore(AT_ONCE)

            async def fetch(url: str) -> int:
                async with semaphore, session.get(url) as response:
                    seen(await response.read())
                    return response.status

            await asyncio.gather(*[fetch(url) for url in urls])

        yield ask


SCRIPTS: Final = {OURS: _ours, BARE: _bare, AIOHTTP: _aiohttp}
"""What opens and closes the client of each."""


def in_turns(who: str, path: str) -> Contender:
    """A contender whose unit is one URL that begins with ``path``."""
    return partial(_in_turns, who, path)


@asynccontextmanager
async def _in_turns(who: str, path: str, servers: Servers) -> WorkIterator:
    left = urls(servers.origin, path)
    async with SCRIPTS[who]() as ask:

        async def work(count: int) -> None:
            tally = Tally(SMALL_SIZE)
            await ask(itertools.islice(left, count), tally.add)
            tally.check(count)

        await work(AT_ONCE)  # which opens the connections
        yield work


# -- whole runs


def _fetch(who: str, address: Address, count: int, seen: Seen) -> None:
    async def fetch() -> None:
        async with SCRIPTS[who]() as ask:
            await ask(itertools.islice(urls(address, PAGES), count), seen)

    asyncio.run(fetch())


def _crawl(address: Address, count: int, seen: Seen) -> None:
    async def crawl() -> None:
        from aiohttpclient import bulk

        async with _client() as client:
            async for page in bulk.crawl([url_of(address, path=SITE)], client=client, concurrency=AT_ONCE):
                seen(page.unwrap().content)

    asyncio.run(crawl())


def _fetch_scrapy(address: Address, count: int, seen: Seen) -> None:
    from .spiders import fetch

    fetch(itertools.islice(urls(address, PAGES), count), AT_ONCE, seen)


def _crawl_scrapy(address: Address, count: int, seen: Seen) -> None:
    from .spiders import crawl

    crawl(url_of(address, path=SITE), AT_ONCE, seen)


RUNS: Final[dict[tuple[str, str], Callable[[Address, int, Seen], None]]] = {
    **{(FETCH, who): partial(_fetch, who) for who in SCRIPTS},
    (FETCH, SCRAPY): _fetch_scrapy,
    (CRAWL, OURS): _crawl,
    (CRAWL, SCRAPY): _crawl_scrapy,
}

IMPORTS: Final = {
    OURS: "aiohttpclient.bulk",
    BARE: "aiohttpclient",
    AIOHTTP: "aiohttp",
    SCRAPY: "benchmarks.spiders",
}
"""What is imported before the time begins to run, and not in the processes of the others."""


def version_of_scrapy() -> str | None:
    """Which one takes part; None: it is not installed. It is not imported."""
    return metadata.version("scrapy") if find_spec("scrapy") is not None else None


def main() -> None:
    """Measures what the command line names, and prints it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many")
    parser.add_argument("work", choices=(FETCH, CRAWL))
    parser.add_argument("contender")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    import_module(IMPORTS[given.contender])
    script, address = RUNS[given.work, given.contender], Address("", given.host, given.port)
    tally = Tally(None if given.work == CRAWL else SMALL_SIZE)
    wall, processor = time.perf_counter(), time.process_time()
    script(address, given.count, tally.add)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    tally.check(PAGES_OF_SITE if given.work == CRAWL else given.count)
    print(json.dumps(asdict(Measured(tally.count, wall, processor, tally.first_peak, memory.peak()))))


if __name__ == "__main__":
    main()
