"""However a connection ends, its descriptor is given back: counted over thousands of them."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPSConnection
from aiohttpclient.errors import HTTPException, IncompleteRead
from tests.support.leaks import open_descriptors
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.leaks import Descriptor
    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit

PLAIN = 10_000
TLS = 300
AT_ONCE = 50

ENDINGS = ("close", "abort", "server closes", "response closed", "cut short", "never used")


async def script(peer: Peer) -> None:
    """Answer as the request's path says."""
    head = await peer.read_head()
    if b"server-closes" in head:
        await peer.send(reply(b"bye", "Connection: close"))
    elif b"cut-short" in head:
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    else:
        await peer.send(reply(b"here"))
        await peer.read_until_eof()


async def use(conn: AsyncHTTPConnection, ending: str) -> None:
    """Open ``conn``, and end it in one of the ways."""
    if ending == "never used":
        await conn.connect()
        await conn.close()
        return
    await conn.request("GET", f"/{ending.replace(' ', '-')}")
    response = await conn.getresponse()
    if ending == "response closed":
        await response.close()
    elif ending == "cut short":
        with pytest.raises(IncompleteRead):
            await response.read()
    else:
        assert response.status == 200
        await response.read()
        if ending == "abort":
            conn.abort()
        elif ending == "close":
            await conn.close()


async def use_many(
    count: int, server: RawServer, connect: Callable[[], AsyncHTTPConnection]
) -> tuple[int, frozenset[Descriptor]]:
    """Open and close ``count`` connections, some at once, and count descriptors all along.

    How many connections the server has seen, and the descriptors that are left, before the collector's turn or after.
    """
    asyncio.get_running_loop().set_debug(False)
    before = open_descriptors()
    numbers = iter(range(count))

    async def work() -> None:
        for number in numbers:
            await use(connect(), ENDINGS[number % len(ENDINGS)])
            if number % 1000 == 0:
                # Two ends for each of the others, and those that the loop is about to close.
                assert len(open_descriptors()) < len(before) + 5 * AT_ONCE

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())
    await server.wait_closed(server.connections)
    for _ in range(10):
        await asyncio.sleep(0)
    left = open_descriptors() - before
    gc.collect()
    return server.connections, left | open_descriptors() - before


async def test_plain() -> None:
    """Ten thousand plain connections leave not one descriptor."""
    async with raw_server(script) as server:
        seen, left = await use_many(PLAIN, server, lambda: AsyncHTTPConnection(server.host, server.port))
    assert seen == PLAIN
    assert not left


async def test_tls(tls: TlsKit) -> None:
    """Three hundred connections over TLS leave not one descriptor."""
    async with raw_server(script, ssl=tls.good) as server:
        seen, left = await use_many(
            TLS, server, lambda: AsyncHTTPSConnection(server.host, server.port, context=tls.client)
        )
    assert seen == TLS
    assert not left


@pytest.mark.parametrize("fault", ["refused", "cut", "garbage"])
async def test_failures(tls: TlsKit, fault: str) -> None:
    """Connections that cannot be made, in the clear or over TLS, leave nothing either."""

    async def fail(peer: Peer) -> None:
        if fault == "garbage":
            await peer.send(b"not what was asked for\r\n\r\n" * 10)

    async with raw_server(fail) as server:
        port = server.port
        if fault == "refused":
            server._stop_listening()
        before = open_descriptors()
        for number in range(60):
            conn = (
                AsyncHTTPConnection(server.host, port, strict=True)
                if number % 2
                else AsyncHTTPSConnection(server.host, port, context=tls.client)
            )
            with pytest.raises((OSError, HTTPException)):
                await conn.request("GET", "/")
                await conn.getresponse()
            assert not conn.connected
        await server.wait_closed(server.connections)
        assert open_descriptors() == before
