"""Every wait of an exchange is bounded, by the limit of its phase, and the error says which, for what and how long."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPConnection, Timeout
from aiohttpclient.errors import ConnectTimeout, HTTPException, PhaseTimeout, ReadTimeout, ResponseNotReady
from tests.support.server import raw_server, reply

from .exchanges import PLAIN, PROXY, TLS, Route, again, serving
from .test_cancellation import client_sockets, timers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.server import Peer
    from tests.support.tls import TlsKit

SHORT = 0.02
"""Seconds. What is waited for never comes, so it only has to be short."""

ROUTES = pytest.mark.parametrize("route", [PLAIN, TLS, PROXY], ids=str)


@pytest.fixture
def silent() -> Iterator[tuple[str, int]]:
    """An address that drops every SYN: its queue of connections is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()


def check(error: PhaseTimeout, kind: type[PhaseTimeout], method: str) -> None:
    """The error says all that it should, and goes through pickle with it."""
    assert type(error) is kind
    assert isinstance(error, TimeoutError)
    assert isinstance(error, HTTPException)
    assert error.limit == SHORT
    assert SHORT * 0.9 <= error.elapsed < 5
    assert error.method == method
    assert error.url is not None
    assert kind.phase in str(error)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.method, copy.url) == (type(error), str(error), error.method, error.url)


async def test_connect(silent: tuple[str, int]) -> None:
    """A host that does not answer costs the connect timeout."""
    conn = AsyncHTTPConnection(*silent, timeout=Timeout(connect=SHORT))
    before = timers()
    with pytest.raises(ConnectTimeout) as caught:
        await conn.request("GET", "/")
    check(caught.value, ConnectTimeout, "CONNECT")
    assert timers() == before
    assert not conn.connected


@ROUTES
async def test_head(route: Route, tls: TlsKit) -> None:
    """A server that does not answer costs the read timeout; the connection is closed, and can be used again."""

    async def stall(peer: Peer) -> None:
        await peer.read_head()
        await peer.read_until_eof()

    async with serving(stall, route, tls) as server:
        conn = route.connect(server, tls)
        conn.timeout = Timeout(read=SHORT)
        before = timers()
        await conn.request("GET", "/some/where")
        with pytest.raises(ReadTimeout) as caught:
            await conn.getresponse()
        check(caught.value, ReadTimeout, "GET")
        assert str(caught.value.url).endswith("/some/where")
        assert client_sockets(server) == []
        assert timers() == before
        conn.timeout = None
        await again(conn)


@ROUTES
@pytest.mark.parametrize(
    "begin",
    [
        b"HTTP/1.1 200",
        b"HTTP/1.1 103 Early Hints\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(50_000),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
    ],
    ids=["half a head", "1xx", "no body", "half a body", "half of chunked", "no trailers", "until close"],
)
async def test_body(begin: bytes, route: Route, tls: TlsKit) -> None:
    """A response that stops, wherever it does, costs the read timeout, and reading on says that it failed."""

    async def stall(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(begin)
        await peer.read_until_eof()

    async with serving(stall, route, tls) as server:
        conn = route.connect(server, tls)
        conn.timeout = Timeout(read=SHORT)
        await conn.request("GET", "/")
        response = None
        with pytest.raises(ReadTimeout) as caught:
            response = await conn.getresponse()
            await response.read()
        check(caught.value, ReadTimeout, "GET")
        assert client_sockets(server) == []
        if response is not None:
            with pytest.raises((ReadTimeout, ResponseNotReady)):
                await response.read()
        conn.timeout = None
        await again(conn)


async def test_expect() -> None:
    """A server that ignores ``Expect: 100-continue`` gets the body after a while; no timeout comes of it."""

    async def ignore(peer: Peer) -> None:
        _, body = await peer.read_request()
        await peer.send(reply(body))
        await peer.read_until_eof()

    async with raw_server(ignore) as server:
        conn = AsyncHTTPConnection(server.host, server.port, expect_timeout=SHORT)
        loop = asyncio.get_running_loop()
        started = loop.time()
        await conn.request("POST", "/", b"patience", {"Expect": "100-continue"})
        assert loop.time() - started >= SHORT * 0.9
        assert await (await conn.getresponse()).read() == b"patience"
        await conn.close()


async def test_dripping_is_not_silence() -> None:
    """A response that comes a byte at a time is never silent for long enough, as the timeout's docstring says."""

    async def drip(peer: Peer) -> None:
        await peer.read_head()
        await peer.drip(reply(b"slowly but surely"))
        await peer.read_until_eof()

    async with raw_server(drip) as server:
        conn = AsyncHTTPConnection(server.host, server.port, timeout=1)
        await conn.request("GET", "/")
        assert await (await conn.getresponse()).read() == b"slowly but surely"
        await conn.close()


@pytest.mark.parametrize("seconds", [0.0001, 0.001, 0.0104])
async def test_very_short(seconds: float) -> None:
    """A timeout shorter than a clock's tick is a timeout and nothing else."""

    async def stall(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(stall) as server:
        for _ in range(20):
            conn = AsyncHTTPConnection(server.host, server.port, timeout=Timeout(read=seconds))
            await conn.request("GET", "/")
            with pytest.raises(ReadTimeout):
                await conn.getresponse()
            assert client_sockets(server) == []


async def test_changed_between_requests() -> None:
    """A timeout that is set on an open connection holds for the next wait."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"ok"))
        await peer.read_until_eof()

    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port, timeout=None)
        await conn.request("GET", "/")
        assert await (await conn.getresponse()).read() == b"ok"
        conn.timeout = SHORT
        await conn.request("GET", "/")
        with pytest.raises(ReadTimeout):
            await conn.getresponse()


async def test_own_timeout_inside_the_callers() -> None:
    """Of the library's timeout and one around it, the shorter ends the wait, with its own error."""

    async def stall(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(stall) as server:
        for own, outer, kind in (
            (Timeout(read=SHORT), 30.0, ReadTimeout),
            (Timeout(30), SHORT, TimeoutError),
        ):
            conn = AsyncHTTPConnection(server.host, server.port, timeout=own)
            with pytest.raises(TimeoutError) as caught:
                async with asyncio.timeout(outer):
                    await conn.request("GET", "/")
                    await conn.getresponse()
            assert type(caught.value) is kind
            assert client_sockets(server) == []


async def test_connect_timeout_is_not_the_callers() -> None:
    """A caller's timeout that ends a connect is the caller's: its ``TimeoutError``, not ``ConnectTimeout``."""

    async def stall(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(stall) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        conn.set_tunnel("localhost", 80)
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(SHORT):
                await conn.connect()
        assert not isinstance(caught.value, PhaseTimeout)
        assert client_sockets(server) == []
