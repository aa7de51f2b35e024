"""Connections that belong to no pool while interceptors are on."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPClient, AsyncHTTPConnection, AsyncHTTPSConnection, ProtocolError
from aiohttpclient.testing import PASS, Exchange, Fault, LoopbackServer, Stall
from tests.net.streams import until
from tests.testing.intercepting import WAYS, Answers, Picky, nobody_is_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from yarl import URL


async def test_an_open_connection_goes_on() -> None:
    """A connection without a pool that was open before goes on with what it has."""
    async with LoopbackServer() as server, AsyncHTTPConnection(server.host, server.port) as conn:
        server.add("GET", "/", b"real")
        await conn.connect()
        async with Answers() as interceptor:
            await conn.request("GET", "/")
            assert await (await conn.getresponse()).read() == b"real"
        assert not interceptor.requests


async def test_timings_and_address() -> None:
    """What a response says of how it came is there: who answered, and that nothing was looked up."""
    async with Answers(), AsyncHTTPClient() as client:
        response = await client.get("https://example.org/")
        assert response.timings.address == ("example.org", 443)
        assert response.timings.dns is None
        assert response.timings.tls is None


async def test_tunnels() -> None:
    """A connection with a tunnel and TLS of its own needs neither: the origin is in memory."""
    async with Answers() as interceptor:
        conn = AsyncHTTPSConnection("proxy.test", 3128)
        conn.set_tunnel("inner.test", 8443)
        async with conn:
            for path in ("/a", "/b"):
                await conn.request("GET", path)
                assert await (await conn.getresponse()).read() == b"ok"
        assert [str(request.url) for request in interceptor.requests] == [
            "https://inner.test:8443/a",
            "https://inner.test:8443/b",
        ]
        assert len({request.connection for request in interceptor.requests}) == 1


async def test_methods_that_are_not_known_yet() -> None:
    """A connection, and a lease, are asked about without a method."""
    asked: list[tuple[str, str]] = []

    def lets(method: str, url: URL) -> bool:
        asked.append((method, str(url)))
        return False

    async with Picky(lets):
        for way in ("connection", "lease", "pool"):
            await WAYS[way]("http://example.org/x")
    assert asked == [("", "http://example.org/"), ("", "http://example.org/x"), ("GET", "http://example.org/x")]


async def test_bodies_are_sent_on() -> None:
    """What a connection has sent is sent on with its framing, over a connection of its own for each request."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async with LoopbackServer() as server, Answers(PASS):
        server.add("POST", "/", b"got it")
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for body in (b"bytes", pieces(), b""):
                await conn.request("POST", "/", body)
                assert await (await conn.getresponse()).read() == b"got it"
        assert [request.body for request in server.requests] == [b"bytes", b"one two", b""]
        assert ["Transfer-Encoding" in request.headers for request in server.requests] == [False, True, False]
        assert len(server.connections) == 3


async def test_tls_is_sent_on() -> None:
    """What passes an https connection is encrypted, and verified, as that would have been."""
    async with LoopbackServer(tls=True) as server, Answers(PASS):
        server.add("GET", "/", b"secret")
        async with AsyncHTTPSConnection(server.host, server.port, context=server.client_context) as conn:
            await conn.request("GET", "/")
            assert await (await conn.getresponse()).read() == b"secret"
        async with AsyncHTTPSConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.getresponse()


async def test_where_nobody_listens() -> None:
    """What passes a connection, and finds nobody, fails as it would without an interceptor."""
    async with LoopbackServer() as server:
        port = server.port
    async with Answers(PASS), AsyncHTTPConnection("127.0.0.1", port) as conn:
        await conn.request("GET", "/")
        with pytest.raises(ConnectionRefusedError):
            await conn.getresponse()


async def test_upgrades_are_not_sent_on() -> None:
    """An upgrade that passes after it was sent is an error that says what to do."""

    class Switch(Fault):
        async def play(self, exchange: Exchange) -> None:
            await exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n")
            await exchange.finish()

    async with LoopbackServer() as server, Answers(PASS):
        server.add("GET", "/", Switch())
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/", headers={"Upgrade": "x", "Connection": "Upgrade"})
            with pytest.raises(ProtocolError, match=r"passes\(\)"):
                await conn.getresponse()


async def test_a_caller_who_leaves() -> None:
    """A caller who leaves ends what is sent on for him."""
    async with LoopbackServer() as server, Answers(PASS):
        server.add("GET", "/", Stall())
        conn = AsyncHTTPConnection(server.host, server.port)
        await conn.request("GET", "/")
        await server.wait_requests(1)
        conn.abort()
        await until(lambda: server.connections[0].closed)
        await nobody_is_left()


async def test_an_interceptor_that_is_gone() -> None:
    """A connection that was opened in memory is opened for real when the interceptor is gone."""
    async with LoopbackServer() as server, AsyncHTTPConnection(server.host, server.port) as conn:
        server.add("GET", "/", b"real")
        async with Answers():
            await conn.request("GET", "/")
            assert await (await conn.getresponse()).read() == b"ok"
        await conn.request("GET", "/")
        assert await (await conn.getresponse()).read() == b"real"
