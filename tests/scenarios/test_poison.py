"""A response belongs to the request it answers: bytes that nobody asked for never become one (response splitting).

The poison is a whole, valid response. Whenever it comes, the request that follows must get its own answer or an error,
and the connection that was poisoned must be closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPConnection, ExchangeState
from aiohttpclient.errors import NotConnected, ProtocolError
from tests.net.streams import until
from tests.support.server import raw_server, reply

from .exchanges import PLAIN, PROXY, TLS, TLS_PROXY, Route, serving

if TYPE_CHECKING:
    from tests.support.server import Peer
    from tests.support.tls import TlsKit

POISON = reply(b"poison", "Set-Cookie: stolen=1")
GOOD = reply(b"good")

ROUTES = pytest.mark.parametrize("route", [PLAIN, TLS, PROXY, TLS_PROXY], ids=str)


async def fetch(conn: AsyncHTTPConnection, target: str = "/") -> bytes:
    await conn.request("GET", target)
    response = await conn.getresponse()
    return await response.read()


class Trap:
    """A server's script that poisons the first ``poisoned`` connections in a given way, and serves the others."""

    def __init__(self, kind: str, poisoned: int = 1) -> None:
        self.kind = kind
        self.poisoned = poisoned
        self.served = 0
        self.sprung = asyncio.Event()
        self.requests: list[bytes] = []

    async def __call__(self, peer: Peer) -> None:
        """Answer a connection, whose request line was read already."""
        self.served += 1
        if self.served <= self.poisoned:
            await self.poison(peer)
        else:
            await peer.read_head()
            await peer.send(GOOD)

    async def poison(self, peer: Peer) -> None:
        await peer.read_head()
        if self.kind == "in the same segment":
            await peer.send(GOOD + POISON)
        elif self.kind == "after the body":
            await peer.send(GOOD)
            await peer.send(POISON)
        elif self.kind == "after no body":
            await peer.send(b"HTTP/1.1 204 No Content\r\n\r\n" + POISON)
        elif self.kind == "after a chunked body":
            chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n"
            await peer.send(chunked + POISON)
        elif self.kind == "one byte":
            await peer.send(GOOD + b"\n")
        elif self.kind == "half of it":
            await peer.send(GOOD + POISON[:20])
        else:
            await peer.send(GOOD)
            await peer.send(POISON[:1])
            await asyncio.sleep(0)
            await peer.send(POISON[1:])
        self.sprung.set()
        # Whatever comes over this connection now must not be a request that hopes for an answer.
        self.requests.append(await peer.read_until_eof())


KINDS = (
    "in the same segment",
    "after the body",
    "after no body",
    "after a chunked body",
    "one byte",
    "half of it",
    "byte first",
)


@ROUTES
@pytest.mark.parametrize("kind", KINDS)
async def test_between_two_requests(kind: str, route: Route, tls: TlsKit) -> None:
    """Bytes behind the end of a response, whatever it looked like, close the connection; the next is a new one."""
    trap = Trap(kind)
    async with serving(trap, route, tls) as server:
        conn = route.connect(server, tls)
        first = await fetch(conn)
        assert first == (b"" if kind == "after no body" else b"good")
        await trap.sprung.wait()
        assert await fetch(conn) == b"good"
        assert server.connections == 2
        await conn.close()
    assert trap.requests == [b""]


@ROUTES
async def test_noticed_while_idle(route: Route, tls: TlsKit) -> None:
    """Poison on an idle connection closes it as soon as it comes, without a request."""
    trap = Trap("after the body")
    async with serving(trap, route, tls) as server:
        conn = route.connect(server, tls)
        await fetch(conn)
        await trap.sprung.wait()
        await until(lambda: not conn.connected)
        await server.wait_closed(1)
        assert server.connections == 1
    assert trap.requests == [b""]


@pytest.mark.parametrize("strict", [True, False])
async def test_large_body_with_surplus(strict: bool) -> None:
    """Poison right behind a body that was received directly is not part of it, nor of the next response."""
    body = bytes(300_000)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number == 0:
            await peer.send(reply(body) + POISON)
            assert await peer.read_until_eof() == b""
        else:
            await peer.send(GOOD)
            await peer.read_until_eof()

    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port, strict=strict)
        assert await fetch(conn) == body
        assert await fetch(conn) == b"good"
        assert server.connections == 2
        await conn.close()


@pytest.mark.parametrize("amount", [None, 1, 3])
async def test_read_in_pieces(amount: int | None) -> None:
    """However a body is read, its last byte is where the connection is found to be poisoned."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(GOOD + (POISON if peer.number == 0 else b""))
        assert await peer.read_until_eof() == b""

    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        await conn.request("GET", "/")
        response = await conn.getresponse()
        while await response.read(amount):
            pass
        assert not conn.connected
        assert conn.state is ExchangeState.IDLE
        assert await fetch(conn) == b"good"
        await conn.close()


async def test_before_the_loop_has_seen_it() -> None:
    """Poison that the kernel has, but the loop has not delivered, is found by asking the kernel before a request."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(GOOD)
        if peer.number == 0:
            await asked.wait()
            await peer.send(POISON)
            sent.set()  # the client runs before the loop looks at its sockets again
        assert await peer.read_until_eof() == b""

    asked, sent = asyncio.Event(), asyncio.Event()
    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        assert await fetch(conn) == b"good"
        asked.set()
        await sent.wait()
        assert await fetch(conn) == b"good"
        assert server.connections == 2
        await conn.close()


@pytest.mark.parametrize("late", [True, False], ids=["not yet delivered", "delivered"])
async def test_before_the_first_request(late: bool) -> None:
    """Poison on a connection that was opened, but not used yet, is not taken for the answer to its first request."""

    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await opened.wait()
            await peer.send(POISON)
            sent.set()
            assert await peer.read_until_eof() == b""
        else:
            await peer.read_head()
            await peer.send(GOOD)
            await peer.read_until_eof()

    opened, sent = asyncio.Event(), asyncio.Event()
    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        await conn.connect()
        opened.set()
        await sent.wait()
        if not late:
            await until(lambda: not conn.connected)
        assert await fetch(conn) == b"good"
        await conn.close()


@ROUTES
async def test_at_once(route: Route, tls: TlsKit) -> None:
    """A server that talks before it was asked poisons every connection: none of its responses is ever handed out."""

    async def script(peer: Peer) -> None:
        if route.tunnel:
            await peer.read_head()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            await peer.start_tls(tls.good)
        await peer.send(POISON)
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if route.tls else None) as server:
        conn = route.connect(server, tls)
        with contextlib.suppress(ProtocolError):  # what has arrived by then is seen at once
            await conn.connect()
        await server.wait_connections(1)
        await until(lambda: not conn.connected)
        conn.auto_open = False
        with pytest.raises(NotConnected):
            await conn.request("GET", "/")
        await conn.close()


async def test_without_auto_open() -> None:
    """A poisoned connection with ``auto_open`` off is an error, and not an answer."""
    trap = Trap("in the same segment")
    async with raw_server(trap) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        assert await fetch(conn) == b"good"
        conn.auto_open = False
        with pytest.raises(NotConnected):
            await conn.request("GET", "/")


async def test_step_by_step() -> None:
    """Requests put together step by step are protected alike."""
    trap = Trap("after the body")
    async with raw_server(trap) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        for _ in range(2):
            conn.putrequest("GET", "/")
            await conn.endheaders()
            response = await conn.getresponse()
            assert await response.read() == b"good"
            await trap.sprung.wait()
        assert server.connections == 2
        await conn.close()
    assert trap.requests == [b""]


async def test_after_the_tunnel() -> None:
    """Bytes that a proxy sends behind its answer to CONNECT, before the origin can have said a word, are refused."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + POISON)
        assert await peer.read_until_eof() == b""

    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        conn.set_tunnel("localhost", 80)
        with pytest.raises(ProtocolError):
            await conn.request("GET", "/")
        assert not conn.connected


@pytest.mark.parametrize("status", ["100 Continue", "103 Early Hints"])
async def test_informational_while_idle(status: str) -> None:
    """An informational response on an idle connection is poison like any other: it answers nothing."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(GOOD)
        if peer.number == 0:
            await peer.send(f"HTTP/1.1 {status}\r\n\r\n".encode())
        assert await peer.read_until_eof() == b""

    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        assert await fetch(conn) == b"good"
        await until(lambda: not conn.connected)
        assert await fetch(conn) == b"good"
        assert server.connections == 2
        await conn.close()


@pytest.mark.parametrize("how", ["end", "reset"])
@ROUTES
async def test_end_while_idle(how: str, route: Route, tls: TlsKit) -> None:
    """The end of an idle connection, of whatever kind, costs the next request nothing: it goes over a new one."""
    ended = asyncio.Event()

    async def answer(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(GOOD)
        if peer.number == 0:
            if how == "end":
                peer.close()
            else:
                peer.reset()
            ended.set()

    async with serving(answer, route, tls) as server:
        conn = route.connect(server, tls)
        assert await fetch(conn) == b"good"
        await ended.wait()
        assert await fetch(conn) == b"good"
        assert server.connections == 2
        await conn.close()
