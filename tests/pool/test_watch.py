"""A pool that nobody has any more is gone, and its connections with it: what knows it does not keep it alive."""

from __future__ import annotations

import asyncio
import gc
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import ConnectionPool, PoolLimits
from tests.support.server import reply

from .servers import (
    get,
    serving,
    turns,
)

if TYPE_CHECKING:
    from aiohttpclient import AsyncHTTPResponse
    from tests.support.tls import TlsKit


async def test_forgotten_pool() -> None:
    """A pool that is forgotten complains, once for all its connections, which are closed all the same."""
    async with serving() as (server, _):
        pool = ConnectionPool()
        await asyncio.gather(*(get(pool, f"{server.url}/{number}") for number in range(3)))
        gc.collect()
        with pytest.warns(ResourceWarning, match=r"unclosed pool <ConnectionPool of 100: 3 idle") as caught:
            del pool
            gc.collect()
        assert len(caught) == 1
        await server.wait_closed(3)


async def test_forgotten_pool_over_tls(tls: TlsKit) -> None:
    """The same over TLS."""
    async with serving(ssl=tls.good) as (server, _):
        pool = ConnectionPool(ssl_context=tls.client)
        await get(pool, f"{server.url}/")
        with pytest.warns(ResourceWarning, match="unclosed pool") as caught:
            del pool
            gc.collect()
        assert len(caught) == 1
        await server.wait_closed()


async def test_forgotten_pool_without_connections() -> None:
    """A pool that has no connections is forgotten in silence, used or not, closed or not."""
    async with serving({"/": reply(b"last", "Connection: close")}) as (server, _):
        pool = ConnectionPool()
        await get(pool, f"{server.url}/")
        closed = ConnectionPool()
        await get(closed, f"{server.url}/")
        await closed.close()
        unused = ConnectionPool()
        forgotten = [weakref.ref(each) for each in (pool, closed, unused)]
        with warnings.catch_warnings(record=True, action="always") as caught:
            del pool, closed, unused
            gc.collect()
        assert [each() for each in forgotten] == [None] * 3
        assert caught == []


async def test_response_keeps_its_pool() -> None:
    """A pool of which only a response is kept lives until that is read."""
    async with serving() as (server, _):
        pool = ConnectionPool()
        response: AsyncHTTPResponse = await pool.request("GET", f"{server.url}/")
        del pool
        gc.collect()
        assert await response.read() == b"/"
        with pytest.warns(ResourceWarning, match="unclosed pool"):
            del response
            gc.collect()
        await server.wait_closed()


async def test_what_is_over_needs_no_collector() -> None:
    """A connection that is over, and all that the pool has had for it, is gone when the loop has closed its socket."""
    gc.collect()
    gc.disable()
    try:
        async with serving() as (server, _), ConnectionPool(PoolLimits(keepalive_expiry=0)) as pool:
            response = await pool.request("GET", f"{server.url}/")
            [slot] = pool._slots
            gone: list[Any] = [weakref.ref(slot.conn), weakref.ref(slot.stream)]
            await response.read()
            del slot, response
            await server.wait_closed(1)
            await turns(3)
            assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()
