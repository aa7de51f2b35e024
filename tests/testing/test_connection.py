"""What a test can know of a connection."""

from __future__ import annotations

import asyncio

from aiohttpclient.testing import LoopbackServer, ServerConnection
from tests.testing.serving import client_of, connected


async def test_connections() -> None:
    """Connections are numbered, know their client, and tell whether they are over and how."""
    async with LoopbackServer() as server:
        server.add("GET", "/", "x")
        async with client_of(server) as client:
            await asyncio.gather(client.get("/"), client.get("/"))
            await client.get("/")
        async with connected(server) as (_, writer):
            own = writer.get_extra_info("sockname")
            writer.write(b"GET /")
        while not all(connection.closed for connection in server.connections):
            await asyncio.sleep(0)
        first, second, third = server.connections
        assert [connection.number for connection in server.connections] == [0, 1, 2]
        assert len(first.requests) + len(second.requests) == 3
        assert first.error is None
        assert str(third.error) == "the client has ended its side"
        assert third.peer == own
        assert third.tls_version is None


def test_repr() -> None:
    """The repr tells number, state, and how many requests came."""
    connection = ServerConnection(3)
    assert repr(connection) == "<ServerConnection 3, open, 0 requests>"
    connection.closed = True
    assert repr(connection) == "<ServerConnection 3, closed, 0 requests>"
