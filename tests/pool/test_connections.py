"""The connections that a pool keeps and leases, and the responses that come over them."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPResponse, AsyncHTTPSConnection, ConnectionPool, PoolLimits
from aiohttpclient.pool import Drop
from aiohttpclient.pool._connections import (
    LeasedConnection,
    LeasedTLSConnection,
    PooledConnection,
    PooledResponse,
    PooledTLSConnection,
)

from .servers import CHUNKED, HALF, Counts, counts, dropped, get, serving, turns, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.server import Peer
    from tests.support.tls import TlsKit

ONE = PoolLimits(connections=1)


def test_they_are_connections() -> None:
    """What a pool keeps and leases are connections of the connection level, and read responses strictly."""
    for kind, base in (
        (PooledConnection, AsyncHTTPConnection),
        (PooledTLSConnection, AsyncHTTPSConnection),
        (LeasedConnection, AsyncHTTPConnection),
        (LeasedTLSConnection, AsyncHTTPSConnection),
    ):
        assert issubclass(kind, base)
    assert issubclass(PooledTLSConnection, PooledConnection)
    assert issubclass(LeasedTLSConnection, LeasedConnection)


async def test_response_of_a_request() -> None:
    """The response of a request is one of the connection level, with everything that it knows."""
    async with serving({"/path?query": CHUNKED}) as (server, _), ConnectionPool() as pool:
        response = await pool.request("GET", f"{server.url}/path?query#fragment")
        assert isinstance(response, AsyncHTTPResponse)
        assert isinstance(response, PooledResponse)
        assert (response.status, response.reason, response.version) == (200, "OK", 11)
        assert (response.method, response.url) == ("GET", f"{server.url}/path?query")
        assert response.chunked
        assert await response.read() == b"onetwo"
        assert response.trailers["X-Trailer"] == "end"


def forget(holder: list[Any]) -> None:
    """Let go of a response: nothing else refers to it."""
    holder.clear()


def forget_in_a_cycle(holder: list[Any]) -> None:
    """Let go of a response that refers to itself by way of something else."""

    class Page:
        response: Any
        itself: Any

    page = Page()
    page.response = holder.pop()
    page.itself = page
    del page
    gc.collect()


def forget_in_another_thread(holder: list[Any]) -> None:
    """Let the last reference go in a thread that is not the loop's."""
    thread = threading.Thread(target=holder.clear)
    thread.start()
    thread.join()


FORGET = [forget, forget_in_a_cycle, forget_in_another_thread]


@pytest.mark.parametrize("let_go", FORGET)
@pytest.mark.parametrize("read", [0, 4])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_response_that_is_forgotten(
    let_go: Callable[[list[Any]], None], read: int, secure: bool, tls: TlsKit
) -> None:
    """A response that is forgotten before it is read to its end takes its connection along, and the next waiter has
    the room, without a word.
    """
    async with serving({"/": HALF}, ssl=tls.good if secure else None) as (server, _):
        async with ConnectionPool(ONE, ssl_context=tls.client) as pool:
            holder = [await pool.request("GET", f"{server.url}/")]
            if read:
                assert await holder[0].read(read) == b"half"
            waiting = asyncio.create_task(get(pool, f"{server.url}/next"))
            await turns()
            assert counts(pool) == Counts(busy=1, waiting=1)
            let_go(holder)
            assert await waiting == b"/next"
            assert dropped(pool) == {Drop.ABANDONED: 1}
            assert counts(pool) == Counts(idle=1)
            await server.wait_closed(1)


async def test_responses_that_are_forgotten_all_the_time() -> None:
    """A caller that looks at statuses only gets an answer each time, however few connections there are."""
    async with serving({"/": HALF}) as (server, _), ConnectionPool(ONE) as pool:
        for _ in range(20):
            assert (await pool.request("GET", f"{server.url}/")).status == 200
        await until(lambda: not pool.stats().busy)
        assert dropped(pool) == {Drop.ABANDONED: 20}


async def test_response_that_is_forgotten_after_its_end() -> None:
    """A response that was read is forgotten without consequences, for the connection is somebody else's by then."""
    async with serving({"/half": HALF}) as (server, _), ConnectionPool(ONE) as pool:
        first = await pool.request("GET", f"{server.url}/")
        await first.read()
        second = await pool.request("GET", f"{server.url}/half")
        del first
        gc.collect()
        await turns()
        assert await second.read(4) == b"half"
        assert counts(pool) == Counts(busy=1)
        await second.close()


async def test_response_that_failed_is_forgotten() -> None:
    """The same after a response that failed, or was closed."""

    async def cut(peer: Peer) -> None:
        await peer.send(HALF)
        peer.close()

    async with serving({"/cut": cut, "/half": HALF}) as (server, _), ConnectionPool(ONE) as pool:
        for path in ("/cut", "/half"):
            response = await pool.request("GET", server.url + path)
            if path == "/cut":
                with pytest.raises(Exception, match="IncompleteRead"):
                    await response.read()
            else:
                await response.close()
            other = await pool.request("GET", f"{server.url}/other")
            del response
            gc.collect()
            await turns()
            assert await other.read() == b"/other"


async def test_response_that_is_read_is_not_forgotten() -> None:
    """A response lives while it is read, also if nothing but that reading refers to it."""
    go_on = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await peer.send(HALF)
        await go_on.wait()
        await peer.send(b"whole")

    async with serving({"/": slow}) as (server, _), ConnectionPool() as pool:
        readings = [
            asyncio.create_task((await pool.request("GET", f"{server.url}/")).read()),
            asyncio.create_task(whole(await pool.request("GET", f"{server.url}/"))),
        ]
        await turns()
        gc.collect()
        go_on.set()
        assert await asyncio.gather(*readings) == [b"half.whole"] * 2
        assert counts(pool) == Counts(idle=2)


async def whole(response: AsyncHTTPResponse) -> bytes:
    blocks = response.iter_bytes(3)
    del response
    return b"".join([block async for block in blocks])


def test_response_that_outlives_its_loop() -> None:
    """A response that is forgotten when its loop is closed is forgotten in silence."""
    kept: list[Any] = []

    async def main() -> None:
        async with serving({"/": HALF}) as (server, _):
            async with ConnectionPool() as pool:
                kept.append(await pool.request("GET", f"{server.url}/"))

    asyncio.run(main())
    forgotten = weakref.ref(kept[0])
    with warnings.catch_warnings(record=True, action="always") as caught:
        kept.clear()
        gc.collect()
    assert forgotten() is None
    assert caught == []


async def test_nothing_is_kept_of_a_response() -> None:
    """An idle connection keeps neither the response nor the body of the last request alive."""

    class Body(bytes):
        pass

    async with serving() as (server, _), ConnectionPool() as pool:
        body = Body(b"a body")
        response = await pool.request("PUT", f"{server.url}/", body)
        await response.read()
        forgotten = weakref.ref(response)
        del response
        gc.collect()
        assert forgotten() is None
        assert counts(pool) == Counts(idle=1)
        assert not any(isinstance(one, list) for one in gc.get_referrers(body))


async def test_kept_connection_is_forgotten_in_silence() -> None:
    """A connection that a pool keeps says nothing when it is collected: the pool does."""
    async with serving() as (server, _):
        pool = ConnectionPool()
        await get(pool, f"{server.url}/")
        with pytest.warns(ResourceWarning) as caught:
            del pool
            gc.collect()
        assert ["pool" in str(warning.message) for warning in caught] == [True]
        await server.wait_closed()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_leased_connection(secure: bool, tls: TlsKit) -> None:
    """A lease has a connection of its own on the stream of the slot, and another lease another one."""
    async with serving(ssl=tls.good if secure else None) as (server, _):
        async with ConnectionPool(ssl_context=tls.client) as pool:
            async with pool.connection(server.url) as first:
                assert type(first) is (LeasedTLSConnection if secure else LeasedConnection)
                assert first.strict
                ended = [first.ended]
            assert [*ended, first.ended] == [False, True]
            async with pool.connection(server.url) as second:
                assert second is not first
                assert first.end() is None
                assert second.connected
            assert server.connections == 1
