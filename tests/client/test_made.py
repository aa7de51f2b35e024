"""``client/_made.py``."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.client import AsyncHTTPClient, ResponseStream
from aiohttpclient.client._made import MadeResponse
from aiohttpclient.errors import BodyTooLarge

if TYPE_CHECKING:
    from aiohttpclient.client import Handler, Request


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
    other = MadeResponse(200, (), b"0123456789")
    await other.close()
    assert (other.isclosed(), await other.read()) == (True, b"")
