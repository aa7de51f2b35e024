"""Many requests that wait for few connections: what one more that waits costs the others, and what it weighs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from .. import probe
from ..clients import CLIENTS, OURS, Setup, url_of
from ..floors import BareStream
from ..report import Check, Result
from ..servers import SMALL, SMALL_SIZE, check_small
from ..turns import compete

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from ..clients import Client
    from ..servers import Servers
    from ..turns import Contender, Effort, WorkIterator

CONNECTIONS: Final = probe.BUSY
FEW: Final = 100
MANY: Final = 10_000

LESS: Final = {"httpx2": 1000}
"""Where many would take minutes, because each costs more the more there are."""

UNLIMITED: Final = "wreq"
"""It opens as many connections as there are requests, so that nobody waits."""

AT_MOST: Final = 1.25
"""Times the processor time for each request when there are few."""

KIB_AT_MOST: Final = 6.0
"""KiB for each request that waits."""

ROUNDS_SHARE: Final = 2
"""One of so many rounds is measured, since they are long; fewer of the peers, of which nothing is required."""
PEER_ROUNDS_SHARE: Final = 7


async def _burst(fetch: Callable[[], Awaitable[object]], requests: int, times: int) -> None:
    """``requests`` tasks that are made at once and fetch one answer each; all of that ``times`` times."""

    async def once() -> None:
        await fetch()

    for _ in range(times):
        async with asyncio.TaskGroup() as group:
            for _ in range(requests):
                group.create_task(once())


def _contender(client: Client, requests: int) -> Contender:
    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        url = url_of(servers.origin)
        async with client(Setup(servers.origin, CONNECTIONS)) as fetch:
            check_small(await fetch(url))
            yield partial(_burst, partial(fetch, url), requests)

    return contender


def _floor(requests: int) -> Contender:
    """Bare streams that are shared out by a semaphore: what the tasks alone cost."""

    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        async with AsyncExitStack() as stack:
            streams = [await BareStream.connect(servers.origin, SMALL, SMALL_SIZE) for _ in range(CONNECTIONS)]
            for stream in streams:
                stack.push_async_callback(stream.close)
            semaphore = asyncio.Semaphore(CONNECTIONS)

            async def fetch() -> None:
                async with semaphore:
                    stream = streams.pop()
                    await stream.fetch()
                    streams.append(stream)

            yield partial(_burst, fetch, requests)

    return contender


async def _compare(
    makers: Mapping[str, Callable[[int], Contender]], servers: Servers, effort: Effort
) -> dict[str, tuple[float, float, float]]:
    """For each: seconds of the processor for each request of few and of many, and the ratio."""
    counts = {name: (FEW, LESS.get(name, MANY)) for name in makers}
    contenders = {(name, count): make(count) for name, make in makers.items() for count in counts[name]}
    times = await compete({f"{name} {count}": each for (name, count), each in contenders.items()}, servers, effort)
    found = {}
    for name, (few, many) in counts.items():
        less, more = times[f"{name} {few}"], times[f"{name} {many}"]
        found[name] = less.processor / few, more.processor / many, more.processor_ratio(less) * few / many
    return found


async def run(servers: Servers, effort: Effort) -> Result:
    """Processor time for each request of a burst, and private memory for each that waits."""
    ours: dict[str, Callable[[int], Contender]] = {
        OURS: partial(_contender, CLIENTS[OURS]),
        probe.SEMAPHORE: _floor,
    }
    peers = {name: partial(_contender, peer) for name, peer in CLIENTS.items() if name not in {OURS, UNLIMITED}}
    costs = await _compare(ours, servers, effort.shortened(ROUNDS_SHARE))
    costs |= await _compare(peers, servers, effort.shortened(PEER_ROUNDS_SHARE))
    memory = {name: probe.run("wait", name, servers.origin, LESS.get(name, MANY)) / 1024 for name in costs}
    return Result(
        name="waiters",
        title=f"Bursts of requests on {CONNECTIONS} connections, processor microseconds a request",
        columns=(f"{FEW} at once", f"{MANY:,} at once", "ratio", "KiB waiting"),
        lines={
            f"{name}, {LESS[name]:,} at once" if name in LESS else name: (few * 1e6, many * 1e6, ratio, memory[name])
            for name, (few, many, ratio) in costs.items()
        },
        checks=[
            Check(f"cost of a request of {MANY:,}, times one of {FEW}", costs[OURS][2], AT_MOST, at_most=True),
            Check("KiB for each request that waits", memory[OURS], KIB_AT_MOST, at_most=True),
        ],
    )
