"""A slow reader slows the sender down, in both directions: however large a body is, what is held of it is bounded."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import tempfile
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import Timeout
from aiohttpclient.errors import WriteTimeout
from tests.net.streams import turns
from tests.support.server import reply

from .exchanges import PLAIN, PROXY, TLS, TLS_PROXY, Route, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from aiohttpclient import AsyncHTTPConnection, AsyncHTTPResponse
    from tests.support.server import Peer
    from tests.support.tls import TlsKit

MIB = 1 << 20
PUSHED = 50 * MIB
"""What the server would send, and the client too, if they could."""

KERNEL = 256 * 1024
"""Bytes of SO_SNDBUF and SO_RCVBUF, as the kernel counts after doubling them."""

HELD = 400 * 1024
"""Bytes that the library may hold for a reader that does not read: twice the reader's limit, one receive buffer."""

HELD_BY_TLS = 600 * 1024
"""Bytes that asyncio's TLS may hold besides: 256 KiB and one record before it pauses, and a buffer on its way."""

STALLED = 300
"""Turns of the loop without progress, after which the other side is taken to be stalled."""


def limit_kernel(sock: Any) -> None:
    """Let the kernel hold little for ``sock``."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL // 2)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, KERNEL // 2)


class Pusher:
    """Sends a body of ``total`` bytes in one of the framings, as fast as it is taken, and counts."""

    def __init__(self, framing: str, total: int) -> None:
        self.framing = framing
        self.total = total
        self.sent = 0

    async def __call__(self, peer: Peer) -> None:
        limit_kernel(peer.socket)
        await peer.read_head()
        fields = {
            "length": b"Content-Length: %d\r\n" % self.total,
            "chunked": b"Transfer-Encoding: chunked\r\n",
            "until close": b"",
        }
        await peer.send(b"HTTP/1.1 200 OK\r\n" + fields[self.framing] + b"\r\n")
        part = bytes(16 * 1024)
        while self.sent < self.total:
            await peer.send(b"%x\r\n%b\r\n" % (len(part), part) if self.framing == "chunked" else part)
            self.sent += len(part)
        if self.framing == "chunked":
            await peer.send(b"0\r\n\r\n")
        peer.close()


async def stalled(count: Callable[[], int]) -> int:
    """Wait until ``count()`` has not changed for a while; what it is then."""
    quiet, last = 0, -1
    while quiet < STALLED:
        quiet = 0 if count() != last else quiet + 1
        last = count()
        await asyncio.sleep(0)
    return last


async def get(conn: AsyncHTTPConnection) -> AsyncHTTPResponse:
    """The response to a GET, over a socket for which the kernel holds little."""
    await conn.connect()
    assert conn._stream is not None
    limit_kernel(conn._stream.base_transport.get_extra_info("socket"))
    await conn.request("GET", "/")
    return await conn.getresponse()


FRAMINGS = pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
ROUTES = pytest.mark.parametrize("route", [PLAIN, TLS], ids=str)


def allowed(route: Route) -> int:
    """What may be on its way when nobody reads."""
    return 2 * KERNEL + HELD + (HELD_BY_TLS if route is TLS else 0)


@FRAMINGS
@ROUTES
@pytest.mark.parametrize("begun", [0, 1000, 100_000])
async def test_slow_reader(framing: str, route: Route, tls: TlsKit, begun: int) -> None:
    """While nobody reads, the server can send what the kernel and a few buffers hold, however much was read before."""
    pusher = Pusher(framing, PUSHED)
    async with serving(pusher, route, tls) as server:
        conn = route.connect(server, tls)
        response = await get(conn)
        if begun:
            assert len(await response.read(begun)) == begun
        sent = await stalled(lambda: pusher.sent)
        assert sent < begun + allowed(route)
        assert conn._stream is not None
        assert len(conn._stream.reader.buffered) <= HELD
        await conn.close()


@FRAMINGS
@ROUTES
async def test_reading_in_blocks(framing: str, route: Route, tls: TlsKit) -> None:
    """A reader that stops now and then gets the whole body, and never has more than the bound waiting."""
    pusher = Pusher(framing, 8 * MIB)
    async with serving(pusher, route, tls) as server:
        conn = route.connect(server, tls)
        response = await get(conn)
        received = 0
        async for block in response.iter_bytes():
            received += len(block)
            if received < MIB:
                await turns(20)
            assert pusher.sent - received < allowed(route)
        assert received == pusher.total
        await conn.close()


@FRAMINGS
async def test_lines(framing: str, tls: TlsKit) -> None:
    """A line without an end is read up to the limit that was asked for, and the rest waits."""
    pusher = Pusher(framing, PUSHED)
    async with serving(pusher, PLAIN, tls) as server:
        conn = PLAIN.connect(server, tls)
        response = await get(conn)
        assert len(await response.readline(1000)) == 1000
        assert await stalled(lambda: pusher.sent) < 1000 + allowed(PLAIN)
        await conn.close()


# -- sending


class Sink:
    """Takes nothing until it is told to, then everything; answers with the digest of the body."""

    def __init__(self) -> None:
        self.begin = asyncio.Event()

    async def __call__(self, peer: Peer) -> None:
        limit_kernel(peer.socket)
        await self.begin.wait()
        head, body = await peer.read_request()
        if b"chunked" in head.lower():
            body = unchunked(body)
        await peer.send(reply(hashlib.sha256(body).hexdigest().encode()))


def unchunked(body: bytes) -> bytes:
    """The content of a chunked body without extensions."""
    parts: list[bytes] = []
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size


class Producer:
    """An iterable body, which counts what was taken from it."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0

    def blocks(self) -> Iterator[bytes]:
        block = bytes(range(256)) * 64
        while self.taken < self.total:
            self.taken += len(block)
            yield block

    async def slowly(self) -> AsyncIterator[bytes]:
        for block in self.blocks():
            yield block


async def upload(conn: AsyncHTTPConnection, body: Any) -> bytes:
    await conn.connect()
    assert conn._stream is not None
    limit_kernel(conn._stream.base_transport.get_extra_info("socket"))
    await conn.request("PUT", "/", body)
    response = await conn.getresponse()
    return await response.read()


@ROUTES
@pytest.mark.parametrize("kind", ["iterable", "async iterable"])
async def test_slow_server_and_iterables(kind: str, route: Route, tls: TlsKit) -> None:
    """While the server takes nothing, an iterable is asked for what the buffers hold, and no more; then all arrives."""
    producer, sink = Producer(8 * MIB), Sink()
    body = producer.blocks() if kind == "iterable" else producer.slowly()
    async with serving(sink, route, tls) as server:
        conn = route.connect(server, tls)
        task = asyncio.create_task(upload(conn, body))
        assert await stalled(lambda: producer.taken) < allowed(route)
        sink.begin.set()
        assert await task == hashlib.sha256(b"".join(Producer(producer.total).blocks())).hexdigest().encode()
        await conn.close()


@ROUTES
@pytest.mark.parametrize("kind", ["bytes", "memoryview", "file"])
async def test_slow_server_and_large_bodies(kind: str, route: Route, tls: TlsKit) -> None:
    """While the server takes nothing, the transport holds a slice of a body and not a copy; then all arrives."""
    data, sink = bytes(range(256)) * (8 * MIB // 256), Sink()
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        body = {"bytes": data, "memoryview": memoryview(data), "file": file}[kind]
        async with serving(sink, route, tls) as server:
            conn = route.connect(server, tls)
            task = asyncio.create_task(upload(conn, body))
            while conn._stream is None:
                await asyncio.sleep(0)
            stream = conn._stream
            assert await stalled(stream.unsent) < HELD + (HELD_BY_TLS if route is TLS else 0)
            sink.begin.set()
            assert await task == hashlib.sha256(data).hexdigest().encode()
            await conn.close()


@ROUTES
@pytest.mark.parametrize("kind", ["bytes", "file", "iterable"])
async def test_server_that_takes_nothing(kind: str, route: Route, tls: TlsKit) -> None:
    """A server that takes nothing for longer than the write timeout ends the request with the error of that name."""
    sink = Sink()
    with tempfile.TemporaryFile() as file:
        file.truncate(8 * MIB)
        body = {"bytes": bytes(8 * MIB), "file": file, "iterable": Producer(8 * MIB).blocks()}[kind]
        async with serving(sink, route, tls) as server:
            conn = route.connect(server, tls)
            conn.timeout = Timeout(write=0.05)
            with pytest.raises(WriteTimeout) as caught:
                await upload(conn, body)
            assert (caught.value.method, caught.value.limit) == ("PUT", 0.05)
            assert not conn.connected
            sink.begin.set()


@pytest.mark.parametrize("route", [PLAIN, TLS, PROXY, TLS_PROXY], ids=str)
async def test_large_bodies_both_ways(route: Route, tls: TlsKit) -> None:
    """Bodies of many megabytes arrive unharmed in both directions, one after another on one connection."""
    data = bytes(range(256)) * (8 * MIB // 256)

    async def echo(peer: Peer) -> None:
        while True:
            _, body = await peer.read_request()
            await peer.send(reply(body))

    async with serving(echo, route, tls) as server:
        conn = route.connect(server, tls)
        for _ in range(2):
            await conn.request("PUT", "/", data)
            response = await conn.getresponse()
            assert await response.read() == data
        await conn.request("PUT", "/", data)
        response = await conn.getresponse()
        target = bytearray(len(data))
        assert await response.readinto(target) == len(data)
        assert target == data
        assert server.connections == 1
        await conn.close()
