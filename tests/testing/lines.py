"""What the tests of the proxy that does harm share: faults at work on bytes alone, and clients behind the proxy."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
from typing import TYPE_CHECKING, Any

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.testing import FaultProxy, LoopbackServer, line
from aiohttpclient.testing._line_stage import Item, Kind, Stage, random_of, through
from tests.testing.serving import SHORT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

DIGITS = b"0123456789"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
BODY = b"\r\n\r\n"
"""Behind this a body begins."""

GONE = "RemoteDisconnected: Remote end closed connection without response"
RESET = "ConnectionResetError: [Errno 104] Connection reset by peer"
WITHIN_HEAD = "InvalidHead: the connection ended within the head of the response"
READ_TIMEOUT = "ReadTimeout: read timed out after T s (limit 0.05 s) for GET URL/"
CONNECT_TIMEOUT = "ConnectTimeout: connect timed out after T s (limit 0.05 s) for GET URL/"
INCOMPLETE = "IncompleteRead: IncompleteRead(4 bytes read, 6 more expected)"
ALL = "200: 0123456789"


# -- bytes alone


def items_of(
    faults: Sequence[line.StreamFault], pieces: Iterable[bytes], *, seed: int = 0, end: bool = True
) -> list[Item]:
    """What becomes of a stream that comes in ``pieces``, on its way through ``faults``."""
    stages = [Stage(fault, random_of(seed, 0, "client", str(index))) for index, fault in enumerate(faults)]
    items = [Item(Kind.BYTES, piece) for piece in pieces if piece]
    if end:
        items.append(Item(Kind.END))
    return [one for item in items for one in through(stages, item)]


def seen(items: Iterable[Item]) -> list[Any]:
    """Items without what depends on the pieces: bytes that follow one another are one, and marks have their names."""
    found: list[Any] = []
    for item in items:
        if item.kind is not Kind.BYTES:
            found.append((item.kind.value, item.data.decode(), item.at, round(item.late, 9), item.pause))
        elif found and isinstance(found[-1], bytes):
            found[-1] += item.data
        elif item.data:
            found.append(item.data)
    return found


def data_of(faults: Sequence[line.StreamFault], data: bytes, **options: Any) -> bytes:
    """The bytes that come out for ``data``."""
    return b"".join([item.data for item in items_of(faults, [data], **options) if item.kind is Kind.BYTES])


def cuttings(data: bytes) -> list[list[bytes]]:
    """``data`` whole, byte by byte, in two pieces at each place, and in pieces by chance."""
    chance = random.Random(1)
    found = [[data], [data[at : at + 1] for at in range(len(data))]]
    found += [[data[:at], data[at:]] for at in range(1, len(data))]
    for _ in range(20):
        places = sorted(chance.choices(range(len(data) + 1), k=5))
        found.append([data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)])
    return found


# -- clients


def client_through(proxy: FaultProxy, server: LoopbackServer, **options: Any) -> AsyncHTTPClient:
    """A client that goes through the proxy, and tries nothing twice."""
    options = {"retries": None, "trust_env": False, **options}
    return AsyncHTTPClient(base_url=proxy.url, ssl_context=server.client_context, **options)


async def outcome(proxy: FaultProxy, server: LoopbackServer, method: str = "GET", **options: Any) -> str:
    """The answer, or the class and the text of what ``AsyncHTTPClient`` raises, with the URL and the time left out."""
    async with client_through(proxy, server, **options) as client:
        try:
            response = await client.request(method, "/")
        except Exception as error:  # noqa: BLE001  # it is the outcome
            text = f"{type(error).__name__}: {error}".replace(proxy.url, "URL")
            return re.sub(r"after [0-9.e+-]+ s", "after T s", text)
        return f"{response.status}: {response.text}"


async def check_report(fault: line.LineFault, report: str | set[str], tls: bool = False, body: bytes = DIGITS) -> None:
    """``outcome`` of ``fault`` is ``report``, and it costs nothing more: the next connection is well."""
    reports = {report} if isinstance(report, str) else report
    options: dict[str, Any] = {"timeout": SHORT} if {READ_TIMEOUT, CONNECT_TIMEOUT} & reports else {}
    async with LoopbackServer(tls=tls) as server, FaultProxy(server) as proxy:
        server.add("GET", "/", body)
        proxy.script(fault, None)
        assert await outcome(proxy, server, **options) in reports
        assert proxy.log
        assert {event.connection for event in proxy.log} == {0}
        server.failures.clear()  # of requests that are damaged
        assert await outcome(proxy, server) == f"200: {body.decode()}"
    assert all(connection.closed for connection in proxy.connections)


@contextlib.asynccontextmanager
async def connected(proxy: FaultProxy) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the proxy with nothing between its bytes and the test."""
    if proxy.path is not None:
        reader, writer = await asyncio.open_unix_connection(proxy.path)
    else:
        reader, writer = await asyncio.open_connection(proxy.host, proxy.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def echo(**options: Any) -> AsyncIterator[tuple[LoopbackServer, FaultProxy]]:
    """A server that sends back what it gets, and ends when the client does, behind a proxy."""
    async with LoopbackServer() as server:

        @server.raw
        async def again(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

        async with FaultProxy(server, **options) as proxy:
            yield server, proxy
