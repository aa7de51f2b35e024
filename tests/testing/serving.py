"""What the tests of the loopback server share: clients of it, on several levels."""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Any

from aiohttpclient import AsyncHTTPClient, Timeout
from aiohttpclient.testing import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttpclient.testing import Fault

SCHEMES = {"http": False, "https": True}


def client_of(server: LoopbackServer, **options: Any) -> AsyncHTTPClient:
    """A client with the server's URL and trust, which tries nothing twice."""
    options = {"retries": None, "trust_env": False, **options}
    return AsyncHTTPClient(base_url=server.url, ssl_context=server.client_context, **options)


SHORT = Timeout(read=0.05)
"""For answers that never come."""


@contextlib.asynccontextmanager
async def connected(server: LoopbackServer) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection with nothing between its bytes and the test."""
    # A limit that is not reached: uvloop's TLS loses what it holds when the end comes while reading is paused.
    limit = 2**25
    if server.path is not None:
        reader, writer = await asyncio.open_unix_connection(server.path, limit=limit)
    else:
        context = server.client_context
        name = None if context is None else "localhost"
        reader, writer = await asyncio.open_connection(
            server.host, server.port, ssl=context, server_hostname=name, limit=limit
        )
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def exchanged(server: LoopbackServer, data: bytes) -> bytes:
    """What comes until the server ends the connection, after ``data`` was sent."""
    async with connected(server) as (reader, writer):
        writer.write(data)
        return await reader.read()


async def failure(server: LoopbackServer, path: str = "/", method: str = "GET", **options: Any) -> str:
    """The class and the text of what ``AsyncHTTPClient`` raises for a request, with the server's URL as ``URL``.

    The time that a wait took is ``T``.
    """
    async with client_of(server, **options) as client:
        try:
            response = await client.request(method, path)
        except Exception as error:  # noqa: BLE001  # it is the outcome
            text = f"{type(error).__name__}: {error}".replace(server.url, "URL")
            return re.sub(r"after [0-9.e-]+ s", "after T s", text)
        return f"{response.status}: {response.text}"


async def check_report(fault: Fault, report: str, tls: bool) -> None:
    """``failure`` of ``fault`` is ``report``, and it costs the server nothing: the next answer is well."""
    async with LoopbackServer(tls=tls) as server:
        server.add("GET", "/", fault)
        patience = SHORT if report.startswith("ReadTimeout") else Timeout()
        assert await failure(server, timeout=patience) == report
        server.add("GET", "/", "well")
        assert await failure(server) == "200: well"
