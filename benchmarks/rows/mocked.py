"""GETs that HTTPMock answers, one after another, against the same over loopback.

``aiohttpclient.testing`` is imported by who measures it, not in the processes of all contenders of all rows.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiohttpclient import AsyncHTTPClient

from ..apart import compete_apart
from ..clients import url_of
from ..report import Check, Result
from ..servers import JSON, JSON_BODY

if TYPE_CHECKING:
    from ..servers import Servers
    from ..turns import Effort, Work, WorkIterator

AT_MOST: Final = 1.2
"""Times the wall time of the real ones."""

REAL: Final = "over loopback"
MOCKED: Final = "mocked"


def _asking(client: AsyncHTTPClient, url: str) -> Work:
    async def work(requests: int) -> None:
        for _ in range(requests):
            response = await client.get(url)
            if response.text != JSON_BODY:
                raise RuntimeError(f"{url} is not what it should be")

    return work


@asynccontextmanager
async def _real(servers: Servers) -> WorkIterator:
    async with AsyncHTTPClient() as client:
        yield _asking(client, url_of(servers.origin, path=JSON))


@asynccontextmanager
async def _mocked(servers: Servers) -> WorkIterator:
    from aiohttpclient.testing import HTTPMock

    async with HTTPMock() as mock, AsyncHTTPClient() as client:
        url = url_of(servers.origin, path=JSON)
        mock.get(url, body=JSON_BODY, repeat=True)
        yield _asking(client, url)


@asynccontextmanager
async def _loopback_server(servers: Servers) -> WorkIterator:
    from aiohttpclient.testing import LoopbackServer

    async with LoopbackServer() as server, AsyncHTTPClient() as client:
        server.add("GET", JSON, JSON_BODY)
        yield _asking(client, server.url + JSON)


async def run(servers: Servers, effort: Effort) -> Result:
    """Wall and processor time for each request."""
    contenders = {REAL: _real, MOCKED: _mocked, "LoopbackServer": _loopback_server}
    times = compete_apart(contenders, servers, effort)
    real = times[REAL]
    return Result(
        name="mocked",
        title=f"GETs of {len(JSON_BODY)} bytes, one after another, microseconds a request",
        columns=("wall", "processor", "x real (wall)"),
        lines={who: (time.wall * 1e6, time.processor * 1e6, time.wall_ratio(real)) for who, time in times.items()},
        checks=[
            Check(
                "wall time of mocked ones, times that of real ones",
                times[MOCKED].wall_ratio(real),
                AT_MOST,
                at_most=True,
            )
        ],
    )
