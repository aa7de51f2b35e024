"""Connections given out and taken back: limits, the line of those who wait, what becomes of idle ones, and the end."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import socket
import struct
import warnings
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import ConnectionPool, PoolClosed, PoolFull, PoolLimits, PoolTimeout, RemoteDisconnected, Timeout
from aiohttpclient.net import PEER_CLOSED, StreamProtocol
from aiohttpclient.pool import Drop, EventKind, PoolEvent, _routes, _supply
from aiohttpclient.pool._patience import wake
from tests.connection.exchanges import Listener
from tests.support.server import raw_server, reply

from .servers import HALF, Counts, counts, dropped, get, serving, silent_port, turns, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttpclient import AsyncHTTPResponse
    from tests.support.leaks import LeakWatch
    from tests.support.server import Peer
    from tests.support.tls import TlsKit

ONE = PoolLimits(connections=1)


async def settled(pool: ConnectionPool, **expected: int) -> None:
    """Wait until ``pool`` has what is expected."""
    await until(lambda: counts(pool) == Counts(**expected))


# -- limits


@pytest.mark.parametrize("limit", [1, 3])
async def test_connections_in_all(limit: int) -> None:
    """No more requests are under way than connections are allowed, and every one has its turn."""
    most = under_way = 0

    async def script(peer: Peer) -> None:
        nonlocal most, under_way
        while True:
            await peer.read_request()
            under_way += 1
            most = max(most, under_way)
            await turns()
            under_way -= 1
            await peer.send(reply(b"answer"))

    async with raw_server(script) as one, raw_server(script) as other, ConnectionPool(PoolLimits(limit)) as pool:
        urls = [f"{server.url}/{number}" for number in range(20) for server in (one, other)]
        assert await asyncio.gather(*(get(pool, url) for url in urls)) == [b"answer"] * 40
        assert most == limit
        assert 0 < counts(pool).idle <= limit


async def test_connections_to_one_origin() -> None:
    """``per_origin`` bounds the connections to each origin, and origins do not stand in each other's way."""
    go_on = asyncio.Event()

    async def page(peer: Peer) -> None:
        await go_on.wait()
        await peer.send(reply(b"answer"))

    async with serving({"/": page}) as (one, _), serving({"/": page}) as (other, _):
        async with ConnectionPool(PoolLimits(10, per_origin=2)) as pool:
            asking = [asyncio.create_task(get(pool, f"{server.url}/")) for server in (one, one, one, one, other, other)]
            await settled(pool, busy=4, waiting=2)
            assert pool.stats().origins == 2
            go_on.set()
            assert await asyncio.gather(*asking) == [b"answer"] * 6
            assert (one.connections, other.connections) == (2, 2)
            assert counts(pool) == Counts(idle=4)


async def test_waiting() -> None:
    """No more requests wait than may: one more is PoolFull at once, and the others are not disturbed."""
    async with serving({"/half": HALF}) as (server, _), ConnectionPool(PoolLimits(1, waiting=2)) as pool:
        holder = await pool.request("GET", f"{server.url}/half")
        waiting = [asyncio.create_task(get(pool, f"{server.url}/{number}")) for number in range(2)]
        await turns()
        with pytest.raises(PoolFull) as caught:
            await pool.request("GET", f"{server.url}/one-more")
        assert caught.value.allowed == 2
        assert counts(pool) == Counts(busy=1, waiting=2)
        await holder.close()
        assert await asyncio.gather(*waiting) == [b"/0", b"/1"]


async def test_no_limit() -> None:
    """Without a bound on connections every request has one of its own, and nobody waits."""
    async with serving({"/half": HALF}) as (server, _), ConnectionPool(PoolLimits(None, waiting=0)) as pool:
        responses = await asyncio.gather(*(pool.request("GET", f"{server.url}/half") for _ in range(120)))
        assert counts(pool) == Counts(busy=120)
        for response in responses:
            await response.close()


async def test_nobody_may_wait() -> None:
    """With ``waiting=0`` a request has a connection at once, or none; that there is an idle one is enough."""
    async with serving({"/half": HALF}) as (server, _), ConnectionPool(PoolLimits(1, waiting=0)) as pool:
        assert await get(pool, f"{server.url}/") == b"/"
        assert await get(pool, f"{server.url}/") == b"/"
        holder = await pool.request("GET", f"{server.url}/half")
        with pytest.raises(PoolFull):
            await pool.request("GET", f"{server.url}/")
        await holder.close()


async def test_first_come_first_served() -> None:
    """Waiting requests are served in the order in which they came, as the server sees it."""
    async with serving({"/half": HALF}) as (server, site), ConnectionPool(ONE) as pool:
        holder = await pool.request("GET", f"{server.url}/half")
        tasks = []
        for number in range(30):
            tasks.append(asyncio.create_task(get(pool, f"{server.url}/{number}")))
            await asyncio.sleep(0)
        await holder.close()
        await asyncio.gather(*tasks)
        assert site.targets == ["/half", *(f"/{number}" for number in range(30))]
        assert server.connections == 2


async def test_newcomers_stand_behind() -> None:
    """A request that comes when a connection has just been handed over does not overtake whoever waited for it."""
    async with serving() as (server, site), ConnectionPool(ONE) as pool:
        first = await pool.request("GET", f"{server.url}/first")
        second = asyncio.create_task(get(pool, f"{server.url}/second"))
        await turns()
        await first.read()
        third = asyncio.create_task(get(pool, f"{server.url}/third"))
        assert (await second, await third) == (b"/second", b"/third")
        assert site.targets == ["/first", "/second", "/third"]
        assert server.connections == 1


async def test_cancelled_waiter() -> None:
    """A waiter that is cancelled is passed over."""
    async with serving({"/half": HALF}) as (server, site), ConnectionPool(ONE) as pool:
        holder = await pool.request("GET", f"{server.url}/half")
        waiting = [asyncio.create_task(get(pool, f"{server.url}/{number}")) for number in range(3)]
        await turns()
        waiting[0].cancel()
        waiting[1].cancel()
        await turns()
        assert counts(pool) == Counts(busy=1, waiting=1)
        await holder.close()
        assert await waiting[2] == b"/2"
        assert site.targets == ["/half", "/2"]
        for task in waiting[:2]:
            assert task.cancelled()


async def test_cancelled_in_the_tick_in_which_it_is_woken() -> None:
    """A waiter that is cancelled when it was handed a connection passes that on, without a connection more."""
    async with serving() as (server, site), ConnectionPool(ONE) as pool:
        first = await pool.request("GET", f"{server.url}/first")
        waiting = [asyncio.create_task(get(pool, f"{server.url}/{number}")) for number in range(2)]
        await turns()
        assert await first.read() == b"/first"
        waiting[0].cancel()
        assert await waiting[1] == b"/1"
        assert waiting[0].cancelled()
        assert site.targets == ["/first", "/1"]
        assert server.connections == 1
        assert counts(pool) == Counts(idle=1)


async def test_most_recently_used_first() -> None:
    """Of several idle connections the one that was used last is used."""
    go_on = asyncio.Event()

    async def page(peer: Peer) -> None:
        await go_on.wait()
        await peer.send(reply(b"answer"))

    async with serving({"/slow": page}) as (server, site), ConnectionPool() as pool:
        slow = [asyncio.create_task(pool.request("GET", f"{server.url}/slow")) for _ in range(3)]
        await settled(pool, busy=3)
        go_on.set()
        responses = await asyncio.gather(*slow)
        last = site.asked[1].connection
        order = [response for response, asked in zip(responses, site.asked, strict=False) if asked.connection != last]
        for response in order:
            await response.read()
        await next(response for response in responses if response not in order).read()
        assert counts(pool) == Counts(idle=3)
        for _ in range(3):
            await get(pool, f"{server.url}/again")
        assert set(site.connections[3:]) == {site.connections[3]}


async def test_idle_connection_of_another_origin_makes_room() -> None:
    """When the pool is full of idle connections, the one that was idle longest is closed for another origin."""
    async with serving() as (one, _), serving() as (two, _), serving() as (three, _):
        async with ConnectionPool(PoolLimits(2)) as pool:
            await get(pool, f"{one.url}/")
            await get(pool, f"{two.url}/")
            assert await get(pool, f"{three.url}/") == b"/"
            assert dropped(pool) == {Drop.EVICTED: 1}
            assert counts(pool) == Counts(idle=2)
            await one.wait_closed()
            await get(pool, f"{two.url}/")
            assert two.connections == 1


async def test_connection_that_becomes_free_makes_room() -> None:
    """A connection that becomes free is closed when a request for another origin waits for its room."""
    async with serving() as (one, _), serving() as (other, _), ConnectionPool(ONE) as pool:
        response = await pool.request("GET", f"{one.url}/")
        waiting = asyncio.create_task(get(pool, f"{other.url}/other"))
        await turns()
        await response.read()
        assert counts(pool) == Counts(connecting=1)
        assert dropped(pool) == {Drop.EVICTED: 1}
        assert await waiting == b"/other"
        await one.wait_closed()


async def test_idle_connection_of_the_own_origin_is_not_held_up() -> None:
    """A request for an origin with an idle connection does not wait for room in the pool."""
    async with serving({"/half": HALF}) as (one, _), serving() as (other, _):
        async with ConnectionPool(PoolLimits(2), Timeout(pool=1)) as pool:
            await get(pool, f"{other.url}/")
            holder = await pool.request("GET", f"{one.url}/half")
            assert counts(pool) == Counts(idle=1, busy=1)
            assert await get(pool, f"{other.url}/again") == b"/again"
            await holder.close()


async def test_one_idle_connection_for_one_waiter() -> None:
    """One idle connection is handed to exactly one of many requests that begin in the same tick."""
    async with serving() as (server, _), ConnectionPool(PoolLimits(3)) as pool:
        await get(pool, f"{server.url}/")
        bodies = await asyncio.gather(*(get(pool, f"{server.url}/{number}") for number in range(3)))
        assert bodies == [b"/0", b"/1", b"/2"]
        assert server.connections == 3
        assert pool.stats().reused == 1


async def test_failure_to_connect_gives_the_room_on() -> None:
    """A waiter has the room of a connection that could not be opened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = listener.getsockname()[1]
    async with serving() as (server, _), ConnectionPool(ONE) as pool:
        failing = asyncio.create_task(pool.request("GET", f"http://127.0.0.1:{dead}/"))
        waiting = asyncio.create_task(get(pool, f"{server.url}/next"))
        with pytest.raises(ConnectionRefusedError):
            await failing
        assert await waiting == b"/next"
        assert dropped(pool) == {Drop.NOT_OPENED: 1}


async def test_cancelled_while_connecting() -> None:
    """A request that is cancelled while its connection is opened leaves its room to the next."""
    with silent_port() as origin:
        async with serving() as (server, _), ConnectionPool(ONE) as pool:
            connecting = asyncio.create_task(pool.request("GET", f"{origin}/"))
            waiting = asyncio.create_task(get(pool, f"{server.url}/next"))
            await turns()
            assert counts(pool) == Counts(connecting=1, waiting=1)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            assert await waiting == b"/next"


# -- what becomes of idle connections


async def idle_connection(pool: ConnectionPool, listener: Listener) -> socket.socket:
    """Make a connection of ``pool`` idle; the server's end of it."""
    asking = asyncio.create_task(get(pool, f"http://127.0.0.1:{listener.port}/"))
    await until(lambda: pool.stats().busy)
    sock = listener.accept()
    await listener.answer(sock, reply(b"answer"))
    assert await asking == b"answer"
    assert counts(pool) == Counts(idle=1)
    return sock


def close(sock: socket.socket) -> None:
    sock.close()


def half_close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def say(sock: socket.socket) -> None:
    sock.sendall(reply(b"poison", status="408 Request Timeout"))


def say_little(sock: socket.socket) -> None:
    sock.sendall(b"\r")


def say_and_close(sock: socket.socket) -> None:
    say(sock)
    sock.close()


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (close, Drop.SERVER_CLOSED),
        (half_close, Drop.SERVER_CLOSED),
        (reset, Drop.SERVER_CLOSED),
        (say, Drop.UNEXPECTED_BYTES),
        (say_little, Drop.UNEXPECTED_BYTES),
        (say_and_close, Drop.UNEXPECTED_BYTES),
    ],
)
async def test_dropped_when_it_happens(act: Callable[[socket.socket], None], reason: Drop) -> None:
    """An idle connection that the server ended, or wrote to, is dropped when that happens, and not when it is used."""
    events: list[PoolEvent] = []
    with Listener() as listener:
        async with ConnectionPool(on_event=events.append) as pool:
            act(await idle_connection(pool, listener))
            await settled(pool)
            assert dropped(pool) == {reason: 1}
            assert pool.stats().origins == 0
            assert [event.detail for event in events if event.kind is EventKind.DROPPED] == [reason.value]


async def test_dropped_when_it_happens_over_tls(tls: TlsKit) -> None:
    """The same over TLS: a goodbye, a cut, and bytes."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"answer"))
        await gone.wait()
        gone.clear()
        if peer.number == 0:
            peer.close()
        elif peer.number == 1:
            peer.cut()
        else:
            await peer.send(reply(b"poison"))
            await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good) as server, ConnectionPool(ssl_context=tls.client) as pool:
        for reasons in (
            {Drop.SERVER_CLOSED: 1},
            {Drop.SERVER_CLOSED: 2},
            {Drop.SERVER_CLOSED: 2, Drop.UNEXPECTED_BYTES: 1},
        ):
            assert await get(pool, f"{server.url}/") == b"answer"
            assert counts(pool) == Counts(idle=1)
            gone.set()
            await settled(pool)
            assert dropped(pool) == reasons


async def test_waiting_request_has_the_room_of_a_dead_connection() -> None:
    """A connection that dies in the very tick in which it is handed over is not used: a new one is opened."""
    with Listener() as listener:
        async with ConnectionPool(ONE) as pool:
            url = f"http://127.0.0.1:{listener.port}/"
            first = asyncio.create_task(pool.request("GET", url))
            await until(lambda: pool.stats().busy)
            sock = listener.accept()
            await listener.answer(sock, b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
            response = await first
            second = asyncio.create_task(get(pool, url, "POST", b"order"))
            await turns()
            sock.sendall(b"first")
            reading = asyncio.create_task(response.read())
            await until(reading.done)
            assert reading.result() == b"first"
            sock.close()
            fresh: socket.socket | None = None
            await until(lambda: pool.stats().opened == 2 or second.done())
            fresh = listener.accept()
            await listener.answer(fresh, reply(b"second"))
            assert await second == b"second"


# -- the end


async def test_close_idle_connections() -> None:
    """``close()`` closes what is idle, and returns when that is done."""
    async with serving() as (server, _):
        pool = ConnectionPool()
        await asyncio.gather(*(get(pool, f"{server.url}/{number}") for number in range(3)))
        await pool.close()
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.POOL_CLOSED: 3}
        await server.wait_closed(3)


async def test_close_says_goodbye_over_tls(tls: TlsKit) -> None:
    """An idle connection over TLS is closed with TLS's goodbye, and without waiting for the answer to that."""
    ended: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"answer"))
        ended.append(await peer.read_until_eof())

    async with raw_server(script, ssl=tls.good) as server:
        pool = ConnectionPool(ssl_context=tls.client)
        await get(pool, f"{server.url}/")
        async with asyncio.timeout(0.5):
            await pool.close()
        await server.wait_closed()
        assert server.peers[0].departure is None
        assert ended == [b""]


async def test_close_twice() -> None:
    """``close()`` may be called again, and does nothing then."""
    async with serving() as (server, _):
        pool = ConnectionPool()
        await get(pool, f"{server.url}/")
        for _ in range(3):
            await pool.close()
        assert dropped(pool) == {Drop.POOL_CLOSED: 1}
        assert repr(pool).endswith(", closed>")


async def test_close_a_pool_that_was_not_used() -> None:
    """A pool that was never used can be closed."""
    pool = ConnectionPool()
    await pool.close()
    with pytest.raises(PoolClosed):
        await pool.request("GET", "http://127.0.0.1/")


async def test_use_after_close() -> None:
    """Nothing can be asked of a closed pool: request, lease and ``async with`` say so."""
    async with serving() as (server, _):
        async with ConnectionPool() as pool:
            await get(pool, f"{server.url}/")
        with pytest.raises(PoolClosed):
            await pool.request("GET", f"{server.url}/")
        with pytest.raises(PoolClosed):
            async with pool.connection(server.url):
                pass
        with pytest.raises(PoolClosed):
            async with pool:
                pass
        assert server.connections == 1
        assert counts(pool) == Counts()


async def test_async_with_that_fails() -> None:
    """``async with`` closes the pool also when its block fails."""
    async with serving() as (server, _):
        with pytest.raises(KeyError):
            async with ConnectionPool() as pool:
                await get(pool, f"{server.url}/")
                raise KeyError
        assert counts(pool) == Counts()
        await server.wait_closed()


async def test_close_in_the_middle_of_everything() -> None:
    """``close()`` ends what waits, connects, is asked or is read, each with an error that says so, and at once."""
    asked = asyncio.Event()

    async def silent(peer: Peer) -> None:
        asked.set()
        await peer.read_until_eof()

    with silent_port() as origin:
        async with serving({"/silent": silent, "/half": HALF}) as (server, _):
            pool = ConnectionPool(PoolLimits(3))
            response = await pool.request("GET", f"{server.url}/half")
            tasks = [
                asyncio.create_task(pool.request("GET", url))
                for url in (f"{server.url}/silent", f"{origin}/connecting", f"{server.url}/waiting")
            ]
            reading = asyncio.create_task(response.read())
            await asked.wait()
            await settled(pool, busy=2, connecting=1, waiting=1)
            async with asyncio.timeout(0.5):
                await pool.close()
            assert counts(pool) == Counts()
            for task in tasks:
                with pytest.raises(PoolClosed):
                    await task
            with pytest.raises((ConnectionAbortedError, PoolClosed)):
                await reading
            await server.wait_closed(2)


async def test_close_with_a_response_that_is_not_read() -> None:
    """A response that nobody reads when the pool is closed says so when it is read later."""
    async with serving({"/half": HALF}) as (server, _):
        pool = ConnectionPool()
        response = await pool.request("GET", f"{server.url}/half")
        await pool.close()
        assert counts(pool) == Counts()
        assert response.isclosed()
        with pytest.raises(Exception, match=r"abort|closed"):
            await response.read()
        await server.wait_closed()


async def test_close_with_grace() -> None:
    """With grace, exchanges under way end by themselves; ``close()`` returns when the last one has."""
    go_on = asyncio.Event()

    async def slow(peer: Peer) -> None:
        await go_on.wait()
        await peer.send(reply(b"slow"))

    async with serving({"/slow": slow}) as (server, _):
        pool = ConnectionPool(ONE)
        asking = asyncio.create_task(get(pool, f"{server.url}/slow"))
        await settled(pool, busy=1)
        waiting = asyncio.create_task(get(pool, f"{server.url}/waiting"))
        await turns()
        closing = asyncio.create_task(pool.close(grace=30))
        with pytest.raises(PoolClosed):
            await waiting
        with pytest.raises(PoolClosed):
            await pool.request("GET", f"{server.url}/late")
        assert not closing.done()
        go_on.set()
        assert await asking == b"slow"
        await closing
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.POOL_CLOSED: 1}


async def test_close_after_grace() -> None:
    """What goes on longer than the grace is aborted."""
    async with serving({"/half": HALF}) as (server, _):
        pool = ConnectionPool()
        response = await pool.request("GET", f"{server.url}/half")
        reading = asyncio.create_task(response.read())
        await turns()
        await pool.close(grace=0.05)
        with pytest.raises((ConnectionAbortedError, PoolClosed)):
            await reading
        assert counts(pool) == Counts()
        await server.wait_closed()


async def test_grace_that_is_cut_short() -> None:
    """A second ``close()`` without grace ends the first one, too."""
    async with serving({"/half": HALF}) as (server, _):
        pool = ConnectionPool()
        response = await pool.request("GET", f"{server.url}/half")
        patient = asyncio.create_task(pool.close(grace=30))
        await turns()
        async with asyncio.timeout(2):
            await pool.close()
            await patient
        assert response.isclosed()
        assert counts(pool) == Counts()


async def test_close_that_is_cancelled() -> None:
    """A ``close()`` that is cancelled in its grace aborts what is left."""
    async with serving({"/half": HALF}) as (server, _):
        pool = ConnectionPool()
        response = await pool.request("GET", f"{server.url}/half")
        closing = asyncio.create_task(pool.close(grace=30))
        await turns()
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await server.wait_closed()
        assert response.isclosed()
        assert counts(pool) == Counts()
        await pool.close()


async def test_close_before_the_waiter_runs() -> None:
    """A waiter that was handed a connection in the tick in which the pool is closed gets PoolClosed, and no more."""
    async with serving() as (server, site):
        pool = ConnectionPool(ONE)
        response = await pool.request("GET", f"{server.url}/first")
        waiting = asyncio.create_task(get(pool, f"{server.url}/second"))
        await turns()
        await response.read()
        await pool.close()
        with pytest.raises(PoolClosed):
            await waiting
        await server.wait_closed()
        assert site.targets == ["/first"]
        assert counts(pool) == Counts()


async def test_closed_pool_does_not_retry() -> None:
    """A request whose connection dies while the pool closes is not sent again."""
    go_on = asyncio.Event()
    asked: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"warm"))
        asked.append((await peer.read_request())[0])
        await go_on.wait()

    async with raw_server(script) as server:
        pool = ConnectionPool()
        await get(pool, f"{server.url}/")
        asking = asyncio.create_task(pool.request("GET", f"{server.url}/again"))
        await until(lambda: asked)
        closing = asyncio.create_task(pool.close(grace=30))
        await turns()
        go_on.set()
        with pytest.raises((RemoteDisconnected, PoolClosed)):
            await asking
        await closing
        assert server.connections == 1


# -- event loops


def test_another_loop() -> None:
    """A pool that is used in a second event loop says so clearly, and is intact in the first."""
    with Listener() as listener, asyncio.Runner() as here, asyncio.Runner() as there:
        pool = ConnectionPool()
        url = f"http://127.0.0.1:{listener.port}/"
        accepted: list[socket.socket] = []

        async def exchange() -> bytes:
            asking = asyncio.create_task(get(pool, url))
            await until(lambda: pool.stats().busy)
            accepted.append(accepted[0] if accepted else listener.accept())
            await listener.answer(accepted[0], reply(b"answer"))
            return await asking

        async def enter() -> None:
            async with pool:
                pass

        async def lease() -> None:
            async with pool.connection(url):
                pass

        assert here.run(exchange()) == b"answer"
        for attempt in (get(pool, url), enter(), lease(), pool.close()):
            with pytest.raises(RuntimeError, match="another event loop"):
                there.run(attempt)
        assert counts(pool) == Counts(idle=1)
        assert here.run(exchange()) == b"answer"
        assert pool.stats().opened == 1
        here.run(pool.close())


@pytest.mark.parametrize("expiry", [15.0, None])
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a transport that its loop has left open
def test_loop_that_is_closed(expiry: float | None) -> None:
    """The same when the first loop is closed by then: the pool cannot be used, and says why."""

    async def exchange(pool: ConnectionPool, listener: Listener) -> None:
        asking = asyncio.create_task(get(pool, f"http://127.0.0.1:{listener.port}/"))
        await until(lambda: pool.stats().busy)
        await listener.answer(listener.accept(), reply(b"answer"))
        await asking

    with Listener() as listener:
        pool = ConnectionPool(PoolLimits(keepalive_expiry=expiry))
        with asyncio.Runner() as runner:
            runner.run(exchange(pool, listener))
        for _ in range(2):
            with asyncio.Runner() as runner, pytest.raises(RuntimeError, match="another event loop"):
                runner.run(get(pool, f"http://127.0.0.1:{listener.port}/"))
    del pool
    gc.collect()


# -- forgotten


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


# -- what it says


async def one_of_each(pool: ConnectionPool, server: Any, other: Any) -> None:
    """Do what makes ``pool``, which has one connection, say each kind of thing; and close it."""
    secret = "/path?token=secret#fragment"
    await get(pool, server.url + secret, headers={"Authorization": "Bearer secret"})
    response = await pool.request("GET", server.url + secret)
    waiting = asyncio.create_task(get(pool, other.url + secret))
    await turns()
    await response.read()
    await waiting
    response = await pool.request("GET", other.url + secret)
    waiting = asyncio.create_task(get(pool, other.url + secret))
    await turns()
    await response.read()
    await waiting
    with pytest.raises(RemoteDisconnected):
        await pool.request("GET", f"{other.url}/die?token=secret")
    await get(pool, server.url + secret)
    await pool.close()


async def die(peer: Peer) -> None:
    peer.close()


def expected(one: str, other: str) -> list[tuple[EventKind, str, str]]:
    kind = EventKind
    return [
        (kind.CONNECTING, one, ""),
        (kind.CONNECTED, one, one.removeprefix("http://")),
        (kind.OPENED, one, ""),
        (kind.IDLE, one, ""),
        (kind.REUSED, one, ""),
        (kind.WAITING, other, ""),
        (kind.DROPPED, one, Drop.EVICTED.value),
        (kind.HANDED_OVER, other, ""),
        (kind.CONNECTING, other, ""),
        (kind.CONNECTED, other, other.removeprefix("http://")),
        (kind.OPENED, other, ""),
        (kind.IDLE, other, ""),
        (kind.REUSED, other, ""),
        (kind.WAITING, other, ""),
        (kind.HANDED_OVER, other, ""),
        (kind.REUSED, other, ""),
        (kind.IDLE, other, ""),
        (kind.REUSED, other, ""),
        (kind.DROPPED, other, Drop.FAILED.value),
        (kind.RETRIED, other, "RemoteDisconnected"),
        (kind.CONNECTING, other, ""),
        (kind.CONNECTED, other, other.removeprefix("http://")),
        (kind.OPENED, other, ""),
        (kind.DROPPED, other, Drop.FAILED.value),
        (kind.CONNECTING, one, ""),
        (kind.CONNECTED, one, one.removeprefix("http://")),
        (kind.OPENED, one, ""),
        (kind.IDLE, one, ""),
        (kind.CLOSED, "", ""),
        (kind.DROPPED, one, Drop.POOL_CLOSED.value),
    ]


NOT_ON_EVERY_WAY = {EventKind.LOOKED_UP, EventKind.TUNNELLED, EventKind.SECURED}
"""What is not done to reach an address over plain TCP; tests/scenarios/test_events.py has other ways."""


@pytest.mark.parametrize("listens", ["on_event", "logging", "both"])
async def test_events(listens: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each decision is said to ``on_event`` and to ``aiohttpclient.pool`` at DEBUG, in order, and without a path, a
    query or a credential.
    """
    events: list[PoolEvent] = []
    if listens != "on_event":
        caplog.set_level(logging.DEBUG, "aiohttpclient.pool")
    async with serving({"/die?token=secret": die}) as (one, _), serving({"/die?token=secret": die}) as (other, _):
        await one_of_each(ConnectionPool(ONE, on_event=None if listens == "logging" else events.append), one, other)
        said = expected(one.url, other.url)
    if listens != "logging":
        assert [(event.kind, event.origin, event.detail) for event in events] == said
        assert {event.kind for event in events} == set(EventKind) - NOT_ON_EVERY_WAY
        assert {event.kind for event in events if event.seconds is not None} == {EventKind.CONNECTED}
    if listens != "on_event":
        records = [record for record in caplog.records if record.name == "aiohttpclient.pool"]
        logged = [record.getMessage() for record in records]
        assert [re.sub(r" \(\d+\.\d ms\)$", "", text) for text in logged] == [str(PoolEvent(*one)) for one in said]
        assert listens != "both" or logged == [str(event) for event in events]
        assert {record.levelno for record in records} == {logging.DEBUG}
    assert "secret" not in caplog.text
    assert "/path" not in caplog.text


async def test_events_cost_nothing_when_nobody_listens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nobody listens no event is made, and no origin is turned into text."""
    made: list[str] = []

    def count_text(_: object) -> str:
        made.append("text")
        return ""

    caplog.set_level(logging.INFO, "aiohttpclient.pool")
    monkeypatch.setattr(_supply, "PoolEvent", lambda *_: made.append("event"))
    monkeypatch.setattr(_routes.OriginKey, "__str__", count_text)
    async with serving({"/die?token=secret": die}) as (one, _), serving({"/die?token=secret": die}) as (other, _):
        await one_of_each(ConnectionPool(ONE), one, other)
    assert made == []


async def test_listener_that_fails(leak_watch: LeakWatch) -> None:
    """A listener that raises disturbs nothing: the loop is told, and what was decided is done."""

    def listener(event: PoolEvent) -> None:
        raise KeyError(event.kind.name)

    async with serving({"/half": HALF}) as (server, _), ConnectionPool(ONE, on_event=listener) as pool:
        holder = await pool.request("GET", f"{server.url}/half")
        waiting = asyncio.create_task(get(pool, f"{server.url}/next"))
        await turns()
        await holder.close()
        assert await waiting == b"/next"
        assert counts(pool) == Counts(idle=1)
        assert server.connections == 2
    assert len(leak_watch.loop_errors) > 5
    assert all("KeyError" in error for error in leak_watch.loop_errors)
    leak_watch.loop_errors.clear()


async def test_log_that_fails(
    leak_watch: LeakWatch, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter of the log that raises disturbs nothing either: no slot is lost, and no waiter."""

    def fail(record: logging.LogRecord) -> bool:
        raise KeyError(record.getMessage())

    caplog.set_level(logging.DEBUG, "aiohttpclient.pool")
    monkeypatch.setattr(_supply.log, "filters", [fail])
    async with serving({"/die?token=secret": die}) as (one, _), serving({"/die?token=secret": die}) as (other, _):
        pool = ConnectionPool(ONE, Timeout(pool=5))
        await one_of_each(pool, one, other)
        assert counts(pool) == Counts()
        assert len(leak_watch.loop_errors) == len(expected(one.url, other.url))
    leak_watch.loop_errors.clear()


async def test_repr() -> None:
    """The repr says how many connections there are, and in what state."""
    with silent_port() as origin:
        async with serving({"/half": HALF}) as (server, _):
            async with ConnectionPool(PoolLimits(3)) as pool:
                assert repr(pool) == "<ConnectionPool of 3: 0 idle, 0 busy, 0 connecting, 0 waiting>"
                holder = await pool.request("GET", f"{server.url}/half")
                other = await pool.request("GET", f"{server.url}/")
                await other.read()
                connecting = asyncio.create_task(pool.request("GET", f"{origin}/"))
                await turns()
                assert repr(pool) == "<ConnectionPool of 3: 1 idle, 1 busy, 1 connecting, 0 waiting>"
                other = await pool.request("GET", f"{server.url}/")
                waiting = asyncio.create_task(pool.request("GET", f"{server.url}/"))
                await turns()
                assert repr(pool) == "<ConnectionPool of 3: 0 idle, 2 busy, 1 connecting, 1 waiting>"
                for task in (waiting, connecting):
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                await other.read()
                await holder.close()
            assert repr(pool) == "<ConnectionPool of 3: 0 idle, 0 busy, 0 connecting, 0 waiting, closed>"


async def test_stats_stand_still() -> None:
    """Statistics are those of one moment: they do not change afterwards."""
    async with serving() as (server, _), ConnectionPool() as pool:
        before = pool.stats()
        await get(pool, f"{server.url}/", headers={"Connection": "close"})
        assert (before.opened, dict(before.dropped)) == (0, {})
        assert (pool.stats().opened, dropped(pool)) == (1, {Drop.LAST: 1})


@pytest.mark.parametrize("first", ["the limit", "the connection"])
async def test_limit_in_the_tick_in_which_a_connection_is_free(first: str) -> None:
    """A waiter whose limit passes in the tick in which it is handed a connection has that, and it is not lost."""
    async with serving() as (server, _), ConnectionPool(ONE, Timeout(pool=30)) as pool:
        response = await pool.request("GET", f"{server.url}/first")
        await response.read(1)
        waiting = asyncio.create_task(get(pool, f"{server.url}/second"))
        await turns()
        (waiter,) = pool._book.waiters()
        if first == "the limit":
            wake(waiter)  # what its timer would do
        assert await response.read() == b"first"
        if first == "the connection":
            wake(waiter)
        assert await waiting == b"/second"
        assert counts(pool) == Counts(idle=1)
        assert server.connections == 1


async def test_waiting_is_not_for_ever() -> None:
    """A request whose wait ends by its limit leaves the line, and nothing is handed to it afterwards."""
    async with serving({"/half": HALF}) as (server, site), ConnectionPool(ONE) as pool:
        holder = await pool.request("GET", f"{server.url}/half")
        patient = asyncio.create_task(get(pool, f"{server.url}/patient"))
        await turns()
        with pytest.raises(PoolTimeout):
            await pool.request("GET", f"{server.url}/impatient", timeout=Timeout(pool=0.01))
        assert counts(pool) == Counts(busy=1, waiting=1)
        await holder.close()
        assert await patient == b"/patient"
        assert site.targets == ["/half", "/patient"]


async def test_stream_of_earlier() -> None:
    """What becomes of a stream that a slot had before is not taken for the end of the one that it has."""
    async with serving() as (server, _), ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        (slot,) = pool._book.idle_slots()
        earlier = StreamProtocol(asyncio.get_running_loop())
        earlier.spoiled = PEER_CLOSED
        pool.stream_spoiled(slot, earlier)
        pool.stream_lost(slot, earlier)
        assert counts(pool) == Counts(idle=1)
        assert await get(pool, f"{server.url}/") == b"/"
        assert server.connections == 1


async def test_streams_that_end_while_they_are_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    """``close()`` aborts all streams that do not end by themselves, also if they say so in the same step."""
    abort = StreamProtocol.abort
    asked: set[StreamProtocol] = set()

    def abort_at_once(stream: StreamProtocol) -> None:
        if stream not in asked:  # the first time, when it is dropped
            asked.add(stream)
            return
        abort(stream)
        assert stream.on_lost is not None
        stream.on_lost(stream)

    monkeypatch.setattr(_supply, "CLOSE_SECONDS", 0.01)
    monkeypatch.setattr(StreamProtocol, "shut", lambda *_: None)
    monkeypatch.setattr(StreamProtocol, "abort", abort_at_once)
    async with serving() as (server, _):
        pool = ConnectionPool()
        await asyncio.gather(*(get(pool, f"{server.url}/{number}") for number in range(3)))
        assert counts(pool) == Counts(idle=3)
        await pool.close()
        assert not pool._streams
        await server.wait_closed(3)


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
