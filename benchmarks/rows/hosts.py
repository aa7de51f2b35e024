"""Requests to many different hosts: what having seen ten thousand of them costs each request.

All names lead to one server, without look-ups, so that a request to any host is the same work. It is compared in three
ways, each with few hosts and with many:

* *new*: a new client asks each host once: every request finds its route and opens a connection. The turns of the many
  are parts of that, with ever more hosts seen;
* *again*: a client that has seen all the hosts asks them in turn, on a new connection each time;
* *kept*: a connection to each host is open, and used in turn. Nothing is required of that: the caches of the processor
  hold few connections and not many, whoever uses them, as the bare streams show.
"""

from __future__ import annotations

import resource
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import cycle, islice
from typing import TYPE_CHECKING, Final

from ..clients import OURS, PEERS, Setup, fetch_all, pool, url_of
from ..floors import BareStream
from ..report import Check, Result
from ..servers import SMALL, SMALL_SIZE, check_small
from ..turns import compete, side_by_side
from .idle import SPARE_FILES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..clients import Client
    from ..servers import Servers
    from ..turns import Contender, Effort, WorkIterator

FEW: Final = 100
MANY: Final = 10_000

AT_ONCE: Final = 10
"""Requests at a time: few, so that the tasks are little of what few hosts cost."""

SLICE: Final = 500
"""Requests in one unit, to so many of the hosts: the same for few and for many, and every unit goes on with the next.
"""

AT_MOST: Final = 1.25
"""Times the processor time for each request to few hosts."""

ROUNDS_SHARE: Final = 2
"""One of so many rounds is measured; fewer where nothing is required."""
OTHER_ROUNDS_SHARE: Final = 7

NEW: Final = f"{OURS}, new"
AGAIN: Final = f"{OURS}, again"

PEER: Final = "aiohttp"
"""The one whose names can be led elsewhere without a look-up, one by one and in Python."""


def _hosts(count: int) -> list[str]:
    return [f"host-{number:05}.test" for number in range(count)]


def _urls(servers: Servers, hosts: Sequence[str]) -> list[str]:
    return [url_of(servers.origin, host=host) for host in hosts]


def _new(count: int) -> Contender:
    """A unit is :data:`SLICE` requests, each the first one to its host; after ``count`` hosts there is a new pool."""

    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        hosts = _hosts(count)
        setup, urls = Setup(servers.origin, AT_ONCE, close=True, hosts=hosts), _urls(servers, hosts)
        turn = cycle(range(0, count, FEW))
        async with AsyncExitStack() as stack:
            fetch = await stack.enter_async_context(pool(setup))

            async def work(times: int) -> None:
                nonlocal fetch
                for start in islice(turn, times * SLICE // FEW):
                    if start == 0:
                        await stack.aclose()
                        fetch = await stack.enter_async_context(pool(setup))
                    await fetch_all(fetch, urls[start : start + FEW], AT_ONCE)

            yield work

    return contender


def _seen(client: Client, close: bool, count: int) -> Contender:
    """A unit is :data:`SLICE` requests to hosts of which each has been asked before."""

    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        hosts = _hosts(count)
        urls = _urls(servers, hosts)
        async with client(Setup(servers.origin, AT_ONCE if close else count, close, hosts)) as fetch:
            check_small(await fetch(urls[0]))
            await fetch_all(fetch, urls, AT_ONCE)
            turn = cycle(urls)

            async def work(times: int) -> None:
                for _ in range(times):
                    await fetch_all(fetch, list(islice(turn, SLICE)), AT_ONCE)

            yield work

    return contender


def _streams(count: int) -> Contender:
    """The same as kept connections, with bare streams."""

    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        async with AsyncExitStack() as stack:
            streams = [await BareStream.connect(servers.origin, SMALL, SMALL_SIZE) for _ in range(count)]
            for stream in streams:
                stack.push_async_callback(stream.close)
                await stream.fetch()
            turn = cycle(streams)
            each = SLICE // AT_ONCE
            yield lambda times: side_by_side([lambda: next(turn).fetch()] * AT_ONCE, each * times)

    return contender


async def _compare(
    make: Callable[[int], Contender], servers: Servers, effort: Effort, many: int = MANY
) -> tuple[float, float, float]:
    """Seconds of the processor for each request to few hosts and to many, and the ratio."""
    times = await compete({"few": make(FEW), "many": make(many)}, servers, effort)
    few, more = times["few"], times["many"]
    return few.processor / SLICE, more.processor / SLICE, more.processor_ratio(few)


async def run(servers: Servers, effort: Effort) -> Result:
    """Processor time for each request, with many hosts against few."""
    again, other = effort.shortened(ROUNDS_SHARE), effort.shortened(OTHER_ROUNDS_SHARE)
    _, files = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MANY if files == resource.RLIM_INFINITY else min(MANY, files - FEW - SPARE_FILES)
    peer = PEERS[PEER]
    lines = {
        NEW: await _compare(_new, servers, again),
        AGAIN: await _compare(partial(_seen, pool, True), servers, again),
        f"{PEER}, again": await _compare(partial(_seen, peer, True), servers, other),
        f"{OURS}, kept": await _compare(partial(_seen, pool, False), servers, other, most),
        f"{PEER}, kept": await _compare(partial(_seen, peer, False), servers, other, most),
        "bare streams, kept": await _compare(_streams, servers, other, most),
    }
    return Result(
        name="hosts",
        title=f"Small GETs ({SMALL_SIZE} bytes) to different hosts, processor microseconds a request",
        columns=(f"{FEW} hosts", f"{MANY:,} hosts", "ratio"),
        lines={name: (few * 1e6, many * 1e6, ratio) for name, (few, many, ratio) in lines.items()},
        checks=[
            Check(f"cost of a request to {MANY:,} hosts, {how}, times one to {FEW}", lines[name][2], AT_MOST, True)
            for how, name in (("each asked once", NEW), ("each asked before", AGAIN))
        ],
    )
