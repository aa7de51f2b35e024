"""Small GETs on one connection, one after another: the library against ``http.client`` itself."""

from __future__ import annotations

import http.client
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Final

from aiohttpclient import AsyncHTTPConnection

from ..apart import compete_apart
from ..floors import BareStream
from ..report import Check, Result
from ..servers import SMALL, SMALL_SIZE

if TYPE_CHECKING:
    from ..servers import Servers
    from ..turns import Effort, WorkIterator

AT_LEAST: Final = 1.3
"""Times as fast as ``http.client``."""


@asynccontextmanager
async def _ours(servers: Servers) -> WorkIterator:
    async with AsyncHTTPConnection(servers.origin.host, servers.origin.port) as conn:

        async def work(requests: int) -> None:
            for _ in range(requests):
                await conn.request("GET", SMALL)
                response = await conn.getresponse()
                await response.read()

        yield work


@asynccontextmanager
async def _http_client(servers: Servers) -> WorkIterator:
    with closing(http.client.HTTPConnection(servers.origin.host, servers.origin.port)) as conn:

        async def work(requests: int) -> None:
            # It blocks the loop, which has nothing else to do meanwhile.
            for _ in range(requests):
                conn.request("GET", SMALL)
                response = conn.getresponse()
                response.read()

        yield work


@asynccontextmanager
async def _bare_stream(servers: Servers) -> WorkIterator:
    stream = await BareStream.connect(servers.origin, SMALL, SMALL_SIZE)
    try:

        async def work(requests: int) -> None:
            for _ in range(requests):
                await stream.fetch()

        yield work
    finally:
        await stream.close()


async def run(servers: Servers, effort: Effort) -> Result:
    """Wall and processor time for each request, against ``http.client``."""
    contenders = {"aiohttpclient": _ours, "http.client": _http_client, "bare stream": _bare_stream}
    times = compete_apart(contenders, servers, effort)
    ours, peer = times["aiohttpclient"], times["http.client"]
    return Result(
        name="small-serial",
        title=f"Small GETs ({SMALL_SIZE} bytes), one connection, one after another, microseconds a request",
        columns=("wall", "processor", "x as fast (wall)", "x as fast (processor)"),
        lines={
            name: (time.wall * 1e6, time.processor * 1e6, peer.wall_ratio(time), peer.processor_ratio(time))
            for name, time in times.items()
        },
        checks=[
            Check("times as fast as http.client, wall", peer.wall_ratio(ours), AT_LEAST, at_most=False),
            Check("times as fast as http.client, processor", peer.processor_ratio(ours), AT_LEAST, at_most=False),
        ],
    )
