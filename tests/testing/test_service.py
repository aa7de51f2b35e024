"""Whatever clients and handlers do, a server comes to its end, and leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import ssl
import struct
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import CutBody, LoopbackServer, Reset, ServerRequest, ServerResponse, Stall
from aiohttpclient.testing._tasks import STUBBORN
from tests.support.leaks import open_descriptors, other_tasks
from tests.testing.serving import SCHEMES, client_of, connected, exchanged

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n0123456789"
CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))


def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


leaving = pytest.mark.parametrize("leave", [_close, _reset], ids=["close", "reset"])


@both
@leaving
@pytest.mark.parametrize("request_bytes", [POST, CHUNKED], ids=["length", "chunked"])
async def test_clients_that_disappear(tls: bool, leave: Callable[..., None], request_bytes: bytes) -> None:
    """A client may leave after each byte of a request: no handler fails, and only whole requests are recorded."""
    async with LoopbackServer(tls=tls) as server:
        server.route("/")(lambda request: request.body)
        for size in range(0, len(request_bytes) + 1, 5 if tls else 1):
            async with connected(server) as (_, writer):
                writer.write(request_bytes[:size])
                await writer.drain()
                leave(writer)
        assert {request.method for request in server.requests} <= {"POST"}
    assert not server.failures
    assert all(connection.closed for connection in server.connections)


@leaving
async def test_clients_that_disappear_in_the_handshake(leave: Callable[..., None]) -> None:
    """A client may leave in the middle of its first message of TLS, which is noted, and no failure."""
    hello = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    data = hello.read()
    async with LoopbackServer(tls=True) as server:
        for size in [*range(0, len(data), 50), len(data)]:
            _, writer = await asyncio.open_connection(server.host, server.port)
            writer.write(data[:size])
            await writer.drain()
            leave(writer)
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
        while not (server.connections and all(connection.closed for connection in server.connections)):
            await asyncio.sleep(0)
        assert all(isinstance(connection.error, OSError) for connection in server.connections)


@both
@leaving
async def test_client_that_leaves_in_the_answer(tls: bool, leave: Callable[..., None]) -> None:
    """A client may leave in the middle of a large answer."""
    async with LoopbackServer(tls=tls) as server:
        server.route("/")(lambda request: b"x" * 20_000_000)
        async with connected(server) as (reader, writer):
            writer.write(GET)
            await reader.readexactly(100_000)
            leave(writer)
        while not server.connections[0].closed:
            await asyncio.sleep(0)
    assert [request.target for request in server.requests] == ["/"]
    assert not server.failures


@both
async def test_client_that_does_not_read(tls: bool) -> None:
    """A client that reads nothing of a large answer keeps nobody at the end of the block."""
    async with LoopbackServer(tls=tls) as server:
        server.route("/")(lambda request: b"x" * 50_000_000)
        async with connected(server) as (_, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # the writer's type has not got it
            writer.write(GET)
            await server.wait_requests(1)
            await server.__aexit__(None, None, None)
            assert server.connections[0].closed


@both
async def test_pipelined_requests(tls: bool) -> None:
    """Requests that come together are answered one after the other, in their order."""
    async with LoopbackServer(tls=tls) as server:
        server.route("/{name}")(lambda request: request.params["name"])
        names = [f"n{number:03}" for number in range(200)]
        data = b"".join([f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for name in names])
        answer = await exchanged(server, data + b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nmore")
        assert [part[-4:].decode() for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]] == [*names, "last"]
        assert len(server.connections) == 1


@both
async def test_half_closed_connection(tls: bool) -> None:
    """A client that ends its side after the request gets the answer, where there is half a close."""
    async with LoopbackServer(tls=tls) as server, connected(server) as (reader, writer):

        @server.route("/")
        async def later(request: ServerRequest) -> bytes:
            for _ in range(10):
                await asyncio.sleep(0)
            return b"hello"

        writer.write(GET)
        if not tls:
            writer.write_eof()
            assert (await reader.read()).endswith(b"hello")
        else:
            assert await reader.readuntil(b"hello")


@both
async def test_many_connections(tls: bool) -> None:
    """Connections that come at once are all accepted, a thousand, or with TLS a hundred, and closed at the end."""
    number = 100 if tls else 1000
    async with contextlib.AsyncExitStack() as stack:
        async with LoopbackServer(tls=tls) as server:
            server.add("GET", "/", "hello")
            opened = await asyncio.gather(*[stack.enter_async_context(connected(server)) for _ in range(number)])
            for _, writer in opened:
                writer.write(GET)
            heads = await asyncio.gather(*[reader.readuntil(b"\r\n\r\nhello") for reader, _ in opened])
        assert len(heads) == len(server.connections) == len(server.requests) == number
        for reader, _ in opened:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""


async def test_too_many_open_files() -> None:
    """Where no more connections can be accepted, the test is told what to do."""
    with pytest.raises(OSError, match="Too many open files") as caught:
        async with LoopbackServer() as server:
            server._service.cannot_accept(OSError(errno.EMFILE, "Too many open files"))
    assert "raise the bound (`ulimit -n`)" in caught.value.__notes__[0]


async def test_unix_socket(tmp_path: Path) -> None:
    """Over a Unix socket it is the same, but that a reset is the end."""
    async with LoopbackServer(path=tmp_path / "socket") as server:
        server.add("GET", "/", CutBody(b"hello", 2), Reset(), Stall())
        assert (await exchanged(server, GET)).endswith(b"\r\n\r\nhe")
        with contextlib.suppress(ConnectionError):
            assert await exchanged(server, GET) == b""
        async with connected(server) as (_, writer):
            writer.write(GET)
            await server.wait_requests(3)


@both
async def test_handlers_that_hang(tls: bool) -> None:
    """A handler that waits for ever is cancelled when the block ends, and gets to clean up."""
    cleaned = []
    async with LoopbackServer(tls=tls) as server, contextlib.AsyncExitStack() as stack:

        @server.route("/")
        async def hang(request: ServerRequest) -> bytes:
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                cleaned.append(request)
            return b""

        for _ in range(3):
            _, writer = await stack.enter_async_context(connected(server))
            writer.write(GET)
        await server.wait_requests(3)
        before = other_tasks()
        assert len(before) >= 3
        await server.__aexit__(None, None, None)
        assert len(cleaned) == 3
        assert all(connection.closed for connection in server.connections)


async def test_handler_that_fails_at_the_end() -> None:
    """What a handler raises when it is cancelled is raised by the block."""
    with pytest.raises(ZeroDivisionError):
        async with LoopbackServer() as server, connected(server) as (_, writer):

            @server.route("/")
            async def hang(request: ServerRequest) -> bytes:
                try:
                    await asyncio.Event().wait()
                finally:
                    raise ZeroDivisionError

            writer.write(GET)
            await server.wait_requests(1)


async def test_handler_that_defies_cancellation() -> None:
    """A handler that goes on when it is cancelled is cancelled again."""
    async with LoopbackServer() as server, connected(server) as (_, writer):
        cancelled = []

        @server.route("/")
        async def defy(request: ServerRequest) -> bytes:
            for _ in range(2):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    cancelled.append(request)
            return b""

        writer.write(GET)
        await server.wait_requests(1)
    assert len(cancelled) == 2 < STUBBORN


@both
async def test_handshakes_that_hang(tls: bool) -> None:
    """A client that connects and says nothing keeps nobody, and the end of the block closes its connection."""
    async with LoopbackServer(tls=tls) as server:
        reader, writer = await asyncio.open_connection(server.host, server.port)
        while not server.connections:
            await asyncio.sleep(0)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


@both
async def test_nothing_is_left_at_once(tls: bool) -> None:
    """When the block has ended there is no task and no descriptor of the server's, and nobody listens."""
    tasks, descriptors = other_tasks(), open_descriptors()
    async with LoopbackServer(tls=tls) as server:
        server.add("GET", "/", ServerResponse(body=b"x" * 1000))
        host, port = server.host, server.port
        async with client_of(server) as client:
            await asyncio.gather(*[client.get("/") for _ in range(5)])
    assert other_tasks() <= tasks
    assert not {one for one in open_descriptors() - descriptors if one.addresses()[:1] == [(host, port)]}
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(host, port)


async def test_block_that_is_cancelled() -> None:
    """A test that is cancelled in the block, or while it ends, leaves nothing either."""
    tasks, descriptors = other_tasks(), open_descriptors()
    cancelled = 0
    for turns in range(30):
        inside = asyncio.Event()

        async def block(inside: asyncio.Event = inside) -> None:
            async with LoopbackServer() as server, connected(server) as (_, writer):
                server.add("GET", "/", ServerResponse(body=b"x"))
                writer.write(GET)
                await server.wait_requests(1)
                inside.set()

        task = asyncio.create_task(block())
        await inside.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        cancelled += task.cancelled()
    for _ in range(10):
        await asyncio.sleep(0)
    assert cancelled
    assert other_tasks() <= tasks
    assert open_descriptors() <= descriptors
