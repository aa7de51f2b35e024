"""One exchange after the other on a connection, and what ends it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import Delay, LoopbackServer, ServerRequest, ServerResponse
from aiohttpclient.testing._exchange import answered
from tests.testing.serving import SCHEMES, client_of, connected, exchanged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n"


@both
@pytest.mark.parametrize(
    ("line", "connection", "stays"),
    [
        (b"GET / HTTP/1.1", b"", True),
        (b"GET / HTTP/1.1", b"Connection: close\r\n", False),
        (b"GET / HTTP/1.1", b"Connection: x, Close\r\n", False),
        (b"GET / HTTP/1.0", b"", False),
        (b"GET / HTTP/1.0", b"Connection: keep-alive\r\n", True),
    ],
)
async def test_keep_alive(tls: bool, line: bytes, connection: bytes, stays: bool) -> None:
    """The connection stays as RFC 9112 section 9.3 has it, and the answer says so where that is not understood."""
    async with LoopbackServer(tls=tls) as server, connected(server) as (reader, writer):
        server.add("GET", "/", b"x")
        writer.write(line + b"\r\nHost: x\r\n" + connection + b"\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(1) == b"x"
        assert (b"Connection: close" in head) is not stays
        assert (b"Connection: keep-alive" in head) is (stays and line.endswith(b"1.0"))
        if stays:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert await reader.read() == OK + b"Connection: close\r\n\r\nx"
        else:
            assert await reader.read() == b""


@both
async def test_head_then_get(tls: bool) -> None:
    """An answer to HEAD has no body, and the next answer on the connection is found."""
    async with LoopbackServer(tls=tls) as server, client_of(server) as client:
        server.add("GET", "/", "hello")
        head = await client.head("/")
        assert (head.content, head.headers["Content-Length"]) == (b"", "5")
        assert (await client.get("/")).text == "hello"
        assert len(server.connections) == 1


async def test_streams_for_http_1_0() -> None:
    """A streamed body ends with the connection where the client knows no chunks."""

    async def body() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async with LoopbackServer() as server:
        server.route("/")(lambda request: ServerResponse(body=body()))
        answer = await exchanged(server, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        assert answer == b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none two"


@both
async def test_stream_that_fails(tls: bool) -> None:
    """A streamed body that fails cuts the connection: what was begun cannot become a 500."""

    async def body() -> AsyncIterator[bytes]:
        yield b"one"
        raise ZeroDivisionError

    async with LoopbackServer(tls=tls) as server:
        server.route("/")(lambda request: ServerResponse(body=body()))
        answer = await exchanged(server, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert answer.endswith(b"\r\n\r\n3\r\none\r\n")
        assert isinstance(server.failures.pop(), ZeroDivisionError)


async def test_connection_survives_a_failure() -> None:
    """After a 500 the connection ends, so that nothing of the failure meets the next request."""
    async with LoopbackServer() as server, client_of(server) as client:
        server.route("/")(lambda request: 1 / 0)
        assert (await client.get("/")).headers["Connection"] == "close"
        server.failures.clear()


async def test_handler_that_is_cancelled_by_itself() -> None:
    """A handler that waits for something that is cancelled has failed; it is not the server that ends."""
    async with LoopbackServer() as server, client_of(server) as client:

        @server.route("/")
        async def wait(request: ServerRequest) -> None:
            future = asyncio.get_running_loop().create_future()
            future.cancel()
            await future

        assert (await client.get("/")).text == "CancelledError: \n"
        assert isinstance(server.failures.pop(), asyncio.CancelledError)


async def test_errors_of_handlers_are_told_from_departures() -> None:
    """A ConnectionError of a handler's own is a failure, though that of a client that leaves is none."""
    with pytest.raises(ConnectionRefusedError, match="elsewhere"):
        async with LoopbackServer() as server, client_of(server) as client:

            @server.route("/")
            async def proxy(request: ServerRequest) -> None:
                raise ConnectionRefusedError("elsewhere")

            assert (await client.get("/")).status == 500


async def test_early_body_that_breaks_off() -> None:
    """A body that a handler reads may break the grammar: that is 400, and a failure."""
    async with LoopbackServer() as server:

        @server.route("POST", "/", early=True)
        async def post(request: ServerRequest) -> bytes:
            return await request.read()

        data = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"
        assert (await exchanged(server, data)).startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert "not a chunk size" in str(server.failures.pop())


@both
async def test_unread_body_does_not_destroy_the_answer(tls: bool) -> None:
    """An answer that comes while the client still sends arrives: the rest is read, and thrown away."""
    async with LoopbackServer(tls=tls) as server, connected(server) as (reader, writer):
        server.route("POST", "/", early=True)(lambda request: (403, b"no"))
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n" + b"x" * 1_000_000)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head == b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
        for _ in range(4):
            writer.write(b"x" * 1_000_000)
            await writer.drain()
        assert await reader.readexactly(2) == b"no"


async def test_answered() -> None:
    """Whether a handler has answered already is known while it runs; elsewhere nothing was answered."""
    seen = [answered()]
    async with LoopbackServer() as server, client_of(server) as client:

        @server.route("/")
        async def handler(request: ServerRequest) -> None:
            seen.append(answered())
            await Delay("hello", 0)
            seen.append(answered())

        assert (await client.get("/")).text == "hello"
    assert [*seen, answered()] == [False, False, True, False]
