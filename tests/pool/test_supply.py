"""Connections given out: limits, the line of those who wait, and who goes first."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import ConnectionPool, PoolFull, PoolLimits, PoolTimeout, Timeout
from aiohttpclient.pool import Drop
from aiohttpclient.pool._patience import wake
from tests.support.server import raw_server, reply

from .servers import (
    HALF,
    Counts,
    counts,
    dropped,
    get,
    serving,
    settled,
    silent_port,
    turns,
)

if TYPE_CHECKING:
    from tests.support.server import Peer

ONE = PoolLimits(connections=1)


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


# -- the end of waiting


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
