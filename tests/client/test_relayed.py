"""``client/_relayed.py``."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPConnection, IncompleteRead
from aiohttpclient.client._relayed import RelayedResponse
from tests.support.server import raw_server, script_once

if TYPE_CHECKING:
    from aiohttpclient import AsyncHTTPResponse
    from tests.support.server import Peer

TRAILED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n"
    b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n0\r\nX-End: yes\r\n\r\n"
)


def said(response: AsyncHTTPResponse | RelayedResponse) -> tuple[object, ...]:
    """What an answer says of itself."""
    return (
        response.head,
        response.chunked,
        list(response.headers.items()),
        list(response.trailers.items()),
        response.length,
        response.complete,
        response.isclosed(),
    )


async def test_relayed() -> None:
    """At every moment it says what the answer says, and gives what that has, whichever way it is read."""
    async with raw_server(script_once(TRAILED)) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        raw = await conn.getresponse()
        relayed = RelayedResponse(raw)
        seen = [said(raw)]
        assert said(relayed) == seen[-1]
        parts = [await relayed.read1(2), await relayed.read_soon(1, 5.0)]
        assert parts == [b"on", b"e"]
        assert said(relayed) == said(raw)
        assert await relayed.read() == b"twothree"
        seen.append(said(raw))
        assert said(relayed) == seen[-1]
        assert seen[0] != seen[1]
        assert dict(relayed.trailers) == {"X-End": "yes"}


@pytest.mark.parametrize("gracefully", [True, False])
async def test_given_up(gracefully: bool) -> None:
    """It is closed, or aborted, as the answer is."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(TRAILED[:-40])
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        raw = await conn.getresponse()
        relayed = RelayedResponse(raw)
        if gracefully:
            await relayed.close()
        else:
            relayed.abort()
        assert raw.isclosed()
        assert relayed.isclosed()
        assert not relayed.complete
        await server.wait_closed()


async def test_cut_short() -> None:
    """What the answer raises comes through."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(TRAILED[:-40])

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        relayed = RelayedResponse(await conn.getresponse())
        async with asyncio.timeout(10):
            with pytest.raises(IncompleteRead):
                await relayed.read()
