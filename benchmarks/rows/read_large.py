"""100 MiB read into memory with one ``read()``: the library against aiohttp."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttpclient import AsyncHTTPConnection

from .. import probe
from ..apart import compete_apart
from ..report import Check, Result
from ..servers import LARGE, LARGE_SIZE, check_large

if TYPE_CHECKING:
    from ..servers import Servers
    from ..turns import Effort, WorkIterator

AT_LEAST: Final = 2.0
"""Times as fast as aiohttp."""

PEAK_AT_MOST: Final = 1.3
"""Times the size of the body."""


@asynccontextmanager
async def _ours(servers: Servers) -> WorkIterator:
    async with AsyncHTTPConnection(servers.origin.host, servers.origin.port) as conn:

        async def work(transfers: int) -> None:
            for _ in range(transfers):
                await conn.request("GET", LARGE)
                response = await conn.getresponse()
                check_large(len(await response.read()))

        yield work


@asynccontextmanager
async def _aiohttp(servers: Servers) -> WorkIterator:
    import aiohttp

    async with aiohttp.ClientSession(f"http://{servers.origin.host}:{servers.origin.port}") as session:

        async def work(transfers: int) -> None:
            for _ in range(transfers):
                async with session.get(LARGE) as response:
                    check_large(len(await response.read()))

        yield work


async def run(servers: Servers, effort: Effort) -> Result:
    """Wall time for each transfer against aiohttp, and the peak of memory against the size of the body."""
    times = compete_apart({"aiohttpclient": _ours, "aiohttp": _aiohttp}, servers, effort)
    peaks = {name: probe.run("read", name, servers.origin) / LARGE_SIZE for name in times}
    ours, peer = times["aiohttpclient"], times["aiohttp"]
    return Result(
        name="read-large",
        title="100 MiB read into memory, milliseconds a transfer",
        columns=("wall", "processor", "x as fast", "peak memory / body"),
        lines={
            name: (time.wall * 1e3, time.processor * 1e3, peer.wall_ratio(time), peaks[name])
            for name, time in times.items()
        },
        checks=[
            Check("times as fast as aiohttp, wall", peer.wall_ratio(ours), AT_LEAST, at_most=False),
            Check("peak memory, times the body", peaks["aiohttpclient"], PEAK_AT_MOST, at_most=True),
        ],
    )
