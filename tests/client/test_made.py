"""``client/_made.py``."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, cast

import pytest

from aiohttpclient import AsyncHTTPConnection, IncompleteRead
from aiohttpclient.client import AsyncHTTPClient, ResponseStream
from aiohttpclient.client._made import BegunResponse, MadeResponse
from aiohttpclient.errors import BodyTooLarge
from tests.pool.servers import HALF
from tests.support.server import raw_server

if TYPE_CHECKING:
    from aiohttpclient import AsyncHTTPResponse
    from aiohttpclient.client import Handler, Request
    from tests.support.server import Peer


async def kept(request: Request, call_next: Handler) -> ResponseStream:
    """Answers by itself."""
    fields = {"Content-Type": "application/json", "Content-Encoding": "deflate", "Set-Cookie": "a=1"}
    return ResponseStream.made(request, 203, fields, zlib.compress(b'{"url": "%b"}' % request.url_text.encode()))


async def test_middleware_answers() -> None:
    """A middleware may answer without anything being sent; its answer is decoded, bounded and timed like any other."""
    async with AsyncHTTPClient(middlewares=[kept]) as client:
        response = await client.get("http://nobody.invalid/x")
        assert (response.status, response.reason) == (203, "Non-Authoritative Information")
        assert response.json() == {"url": "http://nobody.invalid/x"}
        assert response.cookies == {"a": "1"}
        assert response.timings.reused is False
        assert response.timings.total < 60
        async with client.stream("GET", "http://nobody.invalid/") as stream:
            assert [block async for block in stream.iter_bytes(20)] == [b'{"url": "http://nobo', b'dy.invalid/"}']
        with pytest.raises(BodyTooLarge):
            await client.get("http://nobody.invalid/", max_body=5)
        assert client.pool.stats().opened == 0


async def test_body() -> None:
    """It is read bit by bit, or whole, or given up."""
    made = MadeResponse(200, (), b"0123456789")
    assert (await made.read1(4), made.length, made.isclosed()) == (b"0123", 6, False)
    assert (await made.read(), made.length, made.isclosed()) == (b"456789", 0, True)
    assert await made.read1() == b""
    assert await made.read_soon(1, 0) == b""
    other = MadeResponse(200, (), b"0123456789")
    await other.close()
    assert (other.isclosed(), await other.read()) == (True, b"")


async def test_begun() -> None:
    """What was read already comes first, in pieces of any size, and counts until it was read again."""
    for read in ("read1", "read_soon"):
        raw = MadeResponse(200, {"X-A": "1"}, b"56789")
        begun = BegunResponse(cast("AsyncHTTPResponse", raw), b"01234")
        assert (begun.headers["X-A"], dict(begun.trailers), begun.chunked, begun.head) == ("1", {}, False, raw.head)
        more = (60,) if read == "read_soon" else ()
        seen = []
        while not begun.isclosed():
            assert not begun.complete
            seen.append((begun.length, await getattr(begun, read)(3, *more)))
        assert seen == [(10, b"012"), (7, b"34"), (5, b"567"), (2, b"89")]
        assert begun.complete
    whole = BegunResponse(cast("AsyncHTTPResponse", MadeResponse(200, (), b"56789")), b"01234")
    assert await whole.read1() == b"01234"
    assert await whole.read1() == b"56789"
    whole = BegunResponse(cast("AsyncHTTPResponse", MadeResponse(200, (), b"56789")), b"01234")
    assert (await whole.read(), whole.length) == (b"0123456789", 0)


async def test_begun_and_cut_short() -> None:
    """An error that has what was read has all of it."""

    async def cut(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(HALF)

    async with raw_server(cut) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        raw = await conn.getresponse()
        begun = BegunResponse(raw, await raw.read(3))
        with pytest.raises(IncompleteRead) as caught:
            await begun.read()
        assert (caught.value.partial, caught.value.expected) == (b"half.", 5)
