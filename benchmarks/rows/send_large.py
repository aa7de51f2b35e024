"""100 MiB sent from memory: the library against aiohttp."""

from __future__ import annotations

import warnings
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttpclient import AsyncHTTPConnection

from .. import probe
from ..apart import compete_apart
from ..report import Check, Result
from ..servers import LARGE_SIZE

if TYPE_CHECKING:
    from ..servers import Servers
    from ..turns import Effort, WorkIterator

AT_LEAST: Final = 2.0
"""Times as fast as aiohttp."""

GROWTH_AT_MOST: Final = 8
"""MiB of memory while sending: far below the body, so no second copy of it was made."""


@asynccontextmanager
async def _ours(servers: Servers) -> WorkIterator:
    body = b"x" * LARGE_SIZE
    async with AsyncHTTPConnection(servers.sink.host, servers.sink.port) as conn:

        async def work(transfers: int) -> None:
            for _ in range(transfers):
                await conn.request("POST", "/sink", body)
                response = await conn.getresponse()
                await response.read()

        yield work


@asynccontextmanager
async def _aiohttp(servers: Servers) -> WorkIterator:
    import aiohttp

    # It advises against large bytes; sending them is what is measured.
    warnings.filterwarnings("ignore", "Sending a large body directly", ResourceWarning)
    body = b"x" * LARGE_SIZE
    async with aiohttp.ClientSession(f"http://{servers.sink.host}:{servers.sink.port}") as session:

        async def work(transfers: int) -> None:
            for _ in range(transfers):
                async with session.post("/sink", data=body) as response:
                    await response.read()

        yield work


async def run(servers: Servers, effort: Effort) -> Result:
    """Wall time for each transfer against aiohttp, and the memory that sending takes."""
    times = compete_apart({"aiohttpclient": _ours, "aiohttp": _aiohttp}, servers, effort)
    growth = {name: probe.run("send", name, servers.sink) / (1 << 20) for name in times}
    ours, peer = times["aiohttpclient"], times["aiohttp"]
    return Result(
        name="send-large",
        title="100 MiB sent from memory, milliseconds a transfer",
        columns=("wall", "processor", "x as fast", "growth, MiB"),
        lines={
            name: (time.wall * 1e3, time.processor * 1e3, peer.wall_ratio(time), growth[name])
            for name, time in times.items()
        },
        checks=[
            Check("times as fast as aiohttp, wall", peer.wall_ratio(ours), AT_LEAST, at_most=False),
            Check("MiB of memory while sending", growth["aiohttpclient"], GROWTH_AT_MOST, at_most=True),
        ],
    )
