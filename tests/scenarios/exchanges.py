"""Whole exchanges, from the look-up of a name to the close, for the scenarios that disturb them; and ways to connect.

An :class:`Exchange` is what the client does and what the server answers. A :class:`Route` is how the one reaches the
other: in the clear, over TLS, through a proxy.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import socket
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPSConnection
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator

    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit

SMALL_BUFFER = 64 * 1024
"""Bytes of SO_SNDBUF where an exchange is to feel back-pressure; the kernel doubles it. With less than the segment of
the loopback device (64 KiB) both ends would wait for delayed acknowledgements."""

BLOCK = bytes(range(256)) * 16
"""4 KiB."""

LENGTH = 64 * len(BLOCK)
"""Bytes of a body that is large enough to be received directly, and to wait for room when it is sent."""


@dataclass(frozen=True)
class Exchange:
    """One exchange: ``act`` on the client's side, ``answer`` on the server's."""

    name: str
    act: Callable[[AsyncHTTPConnection], Coroutine[Any, Any, None]]
    answer: Callable[[Peer], Awaitable[None]]
    waits: int = 1
    """At least this often it must wait, or it does not test what it is for."""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Route:
    """How to reach a server."""

    name: str
    connect: Callable[[RawServer, TlsKit], AsyncHTTPConnection]
    tls: bool = False
    """The server speaks TLS from the start."""
    tunnel: bool = False
    """The server is a proxy first, and then the origin over TLS."""
    waits: int = 0
    """Waits that the route adds."""

    def __str__(self) -> str:
        return self.name


# -- routes


def _tunnelled(server: RawServer, tls: TlsKit, **options: Any) -> AsyncHTTPConnection:
    conn = AsyncHTTPSConnection(server.host, server.port, context=tls.client, **options)
    conn.set_tunnel("localhost", 443)
    return conn


PLAIN = Route("plain", lambda server, _: AsyncHTTPConnection(server.host, server.port), waits=1)
NAMED = Route("by name", lambda server, _: AsyncHTTPConnection("localhost", server.port), waits=2)
TLS = Route(
    "TLS", lambda server, tls: AsyncHTTPSConnection(server.host, server.port, context=tls.client), tls=True, waits=2
)
PROXY = Route("proxy", _tunnelled, tunnel=True, waits=3)
TLS_PROXY = Route(
    "TLS proxy",
    lambda server, tls: _tunnelled(server, tls, proxy_context=tls.client),
    tls=True,
    tunnel=True,
    waits=4,
)
ROUTES = (PLAIN, NAMED, TLS, PROXY, TLS_PROXY)


@contextlib.asynccontextmanager
async def serving(answer: Callable[[Peer], Awaitable[None]], route: Route, tls: TlsKit) -> AsyncIterator[RawServer]:
    """A server at the end of ``route``: it answers ``/again`` by itself, and leaves everything else to ``answer``."""

    async def script(peer: Peer) -> None:
        if route.tunnel:
            head = await peer.read_head()
            assert head.startswith(b"CONNECT localhost:443 ")
            await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            await peer.start_tls(tls.good)
        line = await peer.read_until(b"\r\n")
        if b" /again " in line:
            await peer.read_head()
            await peer.send(reply(b"here"))
        else:
            await answer(peer)
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if route.tls else None) as server:
        yield server


async def again(conn: AsyncHTTPConnection) -> None:
    """The next request on ``conn``, which must work whatever happened to it before."""
    await conn.request("GET", "/again")
    response = await conn.getresponse()
    assert (response.status, await response.read()) == (200, b"here")
    await conn.close()


# -- exchanges: reading


async def _get(conn: AsyncHTTPConnection) -> None:
    await conn.request("GET", "/")
    response = await conn.getresponse()
    assert await response.read() == BLOCK
    await conn.close()


async def _answer_slowly(peer: Peer) -> None:
    await peer.read_head()
    await peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-")
    await asyncio.sleep(0)
    await peer.send(b"Length: %d\r\n\r\n" % len(BLOCK) + BLOCK[:10])
    await asyncio.sleep(0)
    await peer.send(BLOCK[10:])


GET = Exchange("GET", _get, _answer_slowly, waits=2)


async def _read_large(conn: AsyncHTTPConnection) -> None:
    await conn.request("GET", "/")
    response = await conn.getresponse()
    assert len(await response.read()) == LENGTH
    await conn.close()


async def _read_into(conn: AsyncHTTPConnection) -> None:
    await conn.request("GET", "/")
    response = await conn.getresponse()
    target = bytearray(LENGTH // 2)
    while await response.readinto(target):
        pass
    await conn.close()


async def _read_blocks(conn: AsyncHTTPConnection) -> None:
    await conn.request("GET", "/")
    response = await conn.getresponse()
    size = 0
    async for block in response.iter_bytes():
        size += len(block)
    assert size == LENGTH
    await conn.close()


async def _read_lines(conn: AsyncHTTPConnection) -> None:
    await conn.request("GET", "/")
    response = await conn.getresponse()
    assert len(await response.readlines()) > LENGTH // 256
    await conn.close()


async def _send_length(peer: Peer) -> None:
    await peer.read_head()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % LENGTH)
    await _send_parts(peer)


async def _send_chunked(peer: Peer) -> None:
    await peer.read_head()
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await _send_parts(peer, b"%x\r\n" % len(BLOCK * 8), b"\r\n")
    await peer.send(b"0\r\nChecksum: none\r\n")
    await asyncio.sleep(0)
    await peer.send(b"\r\n")


async def _send_until_close(peer: Peer) -> None:
    await peer.read_head()
    await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    await _send_parts(peer)
    peer.close()


async def _send_parts(peer: Peer, before: bytes = b"", after: bytes = b"") -> None:
    for _ in range(LENGTH // len(BLOCK) // 8):
        await asyncio.sleep(0)
        await peer.send(before + BLOCK * 8 + after)


READS = (
    Exchange("read a length", _read_large, _send_length, waits=3),
    Exchange("read a length into a buffer", _read_into, _send_length, waits=3),
    Exchange("read blocks of a length", _read_blocks, _send_length, waits=3),
    Exchange("read chunked", _read_large, _send_chunked, waits=3),
    Exchange("read lines of chunked", _read_lines, _send_chunked, waits=3),
    Exchange("read until close", _read_large, _send_until_close, waits=3),
)


# -- exchanges: sending


async def _small_buffer(conn: AsyncHTTPConnection) -> None:
    """Connect, and let the kernel take few bytes at a time, so that sending has to wait."""
    await conn.connect()
    assert conn._stream is not None
    sock = conn._stream.base_transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)


async def _post(conn: AsyncHTTPConnection, body: object, headers: dict[str, str] | None = None) -> None:
    await _small_buffer(conn)
    await conn.request("POST", "/", body, headers or {})
    response = await conn.getresponse()
    assert (response.status, await response.read()) == (200, b"taken")
    await conn.close()


async def _post_bytes(conn: AsyncHTTPConnection) -> None:
    await _post(conn, bytes(3 * LENGTH))


async def _post_regular_file(conn: AsyncHTTPConnection) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(bytes(2 * LENGTH))
        file.seek(0)
        await _post(conn, file)


async def _post_other_file(conn: AsyncHTTPConnection) -> None:
    await _post(conn, io.BufferedReader(_RawZeros(2 * LENGTH)))


class _RawZeros(io.RawIOBase):
    """A file that is neither on disk nor known to be in memory: it is read in a thread."""

    def __init__(self, size: int) -> None:
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._left)
        buffer[:count] = bytes(count)
        self._left -= count
        return count


async def _post_iterable(conn: AsyncHTTPConnection) -> None:
    def blocks() -> Iterator[bytes]:
        for _ in range(4 * LENGTH // len(BLOCK)):
            yield BLOCK

    await _post(conn, blocks())


async def _post_async_iterable(conn: AsyncHTTPConnection) -> None:
    closed = []

    async def blocks() -> AsyncIterator[bytes]:
        try:
            for _ in range(8):
                await asyncio.sleep(0)
                yield BLOCK * 8
        finally:
            closed.append(True)

    try:
        await _post(conn, blocks())
    finally:
        assert len(closed) <= 1


async def _post_expecting(conn: AsyncHTTPConnection) -> None:
    await _post(conn, bytes(LENGTH), {"Expect": "100-continue"})


async def _post_step_by_step(conn: AsyncHTTPConnection) -> None:
    await _small_buffer(conn)
    conn.putrequest("POST", "/")
    conn.putheader("Content-Length", 4 * LENGTH)
    await conn.endheaders()
    for _ in range(4):
        await conn.send(bytes(LENGTH))
    response = await conn.getresponse()
    assert (response.status, await response.read()) == (200, b"taken")
    await conn.close()


async def _take(peer: Peer) -> None:
    await asyncio.sleep(0)
    head, _ = await peer.read_request()
    assert b"100-continue" not in head
    await peer.send(reply(b"taken"))


async def _continue(peer: Peer) -> None:
    head = await peer.read_head()
    assert b"100-continue" in head
    await asyncio.sleep(0)
    await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
    await peer.read_exactly(LENGTH)
    await peer.send(reply(b"taken"))


async def _post_refused(conn: AsyncHTTPConnection) -> None:
    await _small_buffer(conn)
    with tempfile.TemporaryFile() as file:
        file.write(bytes(4 * LENGTH))
        file.seek(0)
        with contextlib.suppress(ConnectionError):  # the answer may be lost with the connection, but nothing else may
            await conn.request("POST", "/", file)
            response = await conn.getresponse()
            assert response.status == 413
            await response.read()
    await conn.close()


async def _refuse(peer: Peer) -> None:
    await peer.read_head()
    await peer.send(reply(b"too large", status="413 Content Too Large"))
    await asyncio.sleep(0)
    peer.reset()


SENDS = (
    Exchange("send bytes", _post_bytes, _take, waits=4),
    Exchange("send a file on disk", _post_regular_file, _take, waits=4),
    Exchange("send a file that is not on disk", _post_other_file, _take, waits=4),
    Exchange("send an iterable", _post_iterable, _take, waits=4),
    Exchange("send an async iterable", _post_async_iterable, _take, waits=4),
    Exchange("send when told to continue", _post_expecting, _continue, waits=4),
    Exchange("send step by step", _post_step_by_step, _take, waits=4),
    Exchange("send what is refused with a reset", _post_refused, _refuse, waits=2),
)

ALL = (GET, *READS, *SENDS)
