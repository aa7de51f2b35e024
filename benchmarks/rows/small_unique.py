"""Small GETs of which no two are alike: what there is to remember when nothing repeats."""

from __future__ import annotations

import itertools
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttpclient import AsyncHTTPConnection

from ..apart import compete_apart
from ..clients import Setup, pool, url_of
from ..floors import BareStream, request_bytes
from ..report import Result
from ..servers import SMALL_SIZE, UNIQUE
from ..turns import side_by_side
from .small_concurrent import CONNECTIONS, bare_connections, bare_streams

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from ..servers import Servers
    from ..turns import Effort, WorkIterator

ROUNDS_SHARE: Final = 3
"""One of so many rounds is measured: nothing is required of it."""


def _targets() -> Iterator[str]:
    return (f"{UNIQUE}{number:09}" for number in itertools.count())


@asynccontextmanager
async def _connections(servers: Servers) -> WorkIterator:
    targets = _targets()

    def fetch_on(conn: AsyncHTTPConnection) -> Callable[[], Awaitable[object]]:
        async def fetch() -> None:
            await conn.request("GET", next(targets))
            response = await conn.getresponse()
            await response.read()

        return fetch

    async with AsyncExitStack() as stack:
        conns = [AsyncHTTPConnection(servers.origin.host, servers.origin.port) for _ in range(CONNECTIONS)]
        fetches = [fetch_on(await stack.enter_async_context(conn)) for conn in conns]
        yield lambda times: side_by_side(fetches, times)


@asynccontextmanager
async def _pool(servers: Servers) -> WorkIterator:
    start, targets = url_of(servers.origin, path=""), _targets()
    async with pool(Setup(servers.origin, CONNECTIONS)) as fetch:
        yield lambda times: side_by_side([lambda: fetch(start + next(targets))] * CONNECTIONS, times)


@asynccontextmanager
async def _bare_streams(servers: Servers) -> WorkIterator:
    before, after = request_bytes(servers.origin, "|").split(b"|")
    targets = _targets()

    def fetch_on(stream: BareStream) -> Callable[[], Awaitable[object]]:
        def fetch() -> Awaitable[object]:
            stream.request = before + next(targets).encode() + after
            return stream.fetch()

        return fetch

    async with AsyncExitStack() as stack:
        streams = [await BareStream.connect(servers.origin, UNIQUE, SMALL_SIZE) for _ in range(CONNECTIONS)]
        for stream in streams:
            stack.push_async_callback(stream.close)
        fetches = [fetch_on(stream) for stream in streams]
        yield lambda times: side_by_side(fetches, times)


async def run(servers: Servers, effort: Effort) -> Result:
    """Processor time for each request, beside the same requests repeated."""
    floors = {"bare stream": bare_streams, "bare stream, unique": _bare_streams}
    ours = {"aiohttpclient": bare_connections, "aiohttpclient, unique": _connections, "pool, unique": _pool}
    times = compete_apart({**ours, **floors}, servers, effort.shortened(ROUNDS_SHARE))
    per_request = 1e6 / CONNECTIONS  # a unit is one request on each connection
    return Result(
        name="small-unique",
        title=f"Small GETs of which no two are alike, {CONNECTIONS} at once, microseconds a request",
        columns=("processor", "wall", "x floor"),
        lines={
            name: (
                time.processor * per_request,
                time.wall * per_request,
                time.processor_ratio(times["bare stream, unique" if "unique" in name else "bare stream"]),
            )
            for name, time in times.items()
        },
    )
