"""100 MiB streamed in blocks: the library against a protocol that throws the bytes away."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttpclient import AsyncHTTPConnection

from ..apart import compete_apart
from ..floors import DiscardProtocol, request_bytes
from ..report import Check, Result
from ..servers import LARGE, LARGE_SIZE, check_large

if TYPE_CHECKING:
    from ..servers import Servers
    from ..turns import Effort, WorkIterator

AT_LEAST: Final = 0.9
"""Of the throughput of the protocol that throws the bytes away."""

READINTO_SIZE: Final = 1 << 20
"""Bytes of the buffer of the ``readinto`` line."""


@asynccontextmanager
async def _blocks(servers: Servers) -> WorkIterator:
    async with AsyncHTTPConnection(servers.origin.host, servers.origin.port) as conn:

        async def work(transfers: int) -> None:
            for _ in range(transfers):
                await conn.request("GET", LARGE)
                response = await conn.getresponse()
                size = 0
                async for block in response.iter_bytes():
                    size += len(block)
                check_large(size)

        yield work


@asynccontextmanager
async def _readinto(servers: Servers) -> WorkIterator:
    buffer = bytearray(READINTO_SIZE)
    async with AsyncHTTPConnection(servers.origin.host, servers.origin.port) as conn:

        async def work(transfers: int) -> None:
            for _ in range(transfers):
                await conn.request("GET", LARGE)
                response = await conn.getresponse()
                size = 0
                while count := await response.readinto(buffer):
                    size += count
                check_large(size)

        yield work


@asynccontextmanager
async def _discard(servers: Servers) -> WorkIterator:
    request = request_bytes(servers.origin, LARGE)
    _, protocol = await asyncio.get_running_loop().create_connection(
        lambda: DiscardProtocol(LARGE_SIZE), servers.origin.host, servers.origin.port
    )
    try:

        async def work(transfers: int) -> None:
            for _ in range(transfers):
                await protocol.fetch(request)

        yield work
    finally:
        protocol.close()


@asynccontextmanager
async def _aiohttp(servers: Servers) -> WorkIterator:
    import aiohttp

    async with aiohttp.ClientSession(f"http://{servers.origin.host}:{servers.origin.port}") as session:

        async def work(transfers: int) -> None:
            for _ in range(transfers):
                async with session.get(LARGE) as response:
                    size = 0
                    async for block in response.content.iter_any():
                        size += len(block)
                    check_large(size)

        yield work


async def run(servers: Servers, effort: Effort) -> Result:
    """Throughput against the protocol that throws the bytes away."""
    contenders = {"iter_bytes()": _blocks, "readinto()": _readinto, "throw away": _discard, "aiohttp": _aiohttp}
    times = compete_apart(contenders, servers, effort)
    floor = times["throw away"]
    return Result(
        name="stream-large",
        title="100 MiB streamed in blocks, milliseconds a transfer",
        columns=("wall", "processor", "share of throw away"),
        lines={name: (time.wall * 1e3, time.processor * 1e3, floor.wall_ratio(time)) for name, time in times.items()},
        checks=[
            Check(
                "throughput of iter_bytes(), share of the protocol that throws the bytes away",
                floor.wall_ratio(times["iter_bytes()"]),
                AT_LEAST,
                at_most=False,
            )
        ],
    )
