"""Small GETs on 32 connections at once: what one request costs the processor of a busy service."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from aiohttpclient import AsyncHTTPConnection

from ..apart import compete_apart
from ..floors import BareStream
from ..report import Check, Result
from ..servers import SMALL, SMALL_SIZE
from ..turns import side_by_side

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..servers import Servers
    from ..turns import Contender, Effort, WorkIterator

CONNECTIONS: Final = 32
AT_MOST: Final = 1.6
"""Times the processor time of the bare stream."""


@asynccontextmanager
async def bare_connections(servers: Servers) -> WorkIterator:
    def fetch_on(conn: AsyncHTTPConnection) -> Callable[[], Awaitable[object]]:
        async def fetch() -> None:
            await conn.request("GET", SMALL)
            response = await conn.getresponse()
            await response.read()

        return fetch

    async with AsyncExitStack() as stack:
        conns = [AsyncHTTPConnection(servers.origin.host, servers.origin.port) for _ in range(CONNECTIONS)]
        fetches = [fetch_on(await stack.enter_async_context(conn)) for conn in conns]
        yield lambda times: side_by_side(fetches, times)


@asynccontextmanager
async def bare_streams(servers: Servers) -> WorkIterator:
    async with AsyncExitStack() as stack:
        streams = [await BareStream.connect(servers.origin, SMALL, SMALL_SIZE) for _ in range(CONNECTIONS)]
        for stream in streams:
            stack.push_async_callback(stream.close)
        yield lambda times: side_by_side([stream.fetch for stream in streams], times)


@asynccontextmanager
async def _aiohttp(servers: Servers) -> WorkIterator:
    import aiohttp

    url = f"http://{servers.origin.host}:{servers.origin.port}{SMALL}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:

        async def fetch() -> None:
            async with session.get(url) as response:
                await response.read()

        yield lambda times: side_by_side([fetch] * CONNECTIONS, times)


@asynccontextmanager
async def _httpx(servers: Servers) -> WorkIterator:
    httpx: Any = import_module("httpx")  # nothing is required of it, so it need not be installed
    url = f"http://{servers.origin.host}:{servers.origin.port}{SMALL}"
    limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:
        yield lambda times: side_by_side([lambda: client.get(url)] * CONNECTIONS, times)


async def run(servers: Servers, effort: Effort) -> Result:
    """Processor time for each request, against the bare buffered stream."""
    contenders: dict[str, Contender] = {
        "aiohttpclient": bare_connections,
        "bare stream": bare_streams,
        "aiohttp": _aiohttp,
    }
    if find_spec("httpx") is not None:
        contenders["httpx"] = _httpx
    times = compete_apart(contenders, servers, effort)
    floor = times["bare stream"]
    per_request = 1e6 / CONNECTIONS  # a unit is one request on each connection
    return Result(
        name="small-concurrent",
        title=f"Small GETs ({SMALL_SIZE} bytes), {CONNECTIONS} connections at once, microseconds a request",
        columns=("processor", "wall", "x floor"),
        lines={
            name: (time.processor * per_request, time.wall * per_request, time.processor_ratio(floor))
            for name, time in times.items()
        },
        checks=[
            Check(
                "processor time, times that of the bare stream",
                times["aiohttpclient"].processor_ratio(floor),
                AT_MOST,
                at_most=True,
            )
        ],
    )
