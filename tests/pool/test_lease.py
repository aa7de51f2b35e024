"""Leases: a connection of the pool for one ``async with`` block, and nothing after it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    AsyncHTTPSConnection,
    CannotSendRequest,
    ConnectionPool,
    ConnectTimeout,
    ImproperConnectionState,
    InvalidURL,
    LeaseEnded,
    PoolClosed,
    PoolLimits,
    PoolTimeout,
    ReadTimeout,
    ResponseNotReady,
    Timeout,
    TimeoutManager,
    TotalTimeout,
)
from aiohttpclient.pool import Drop
from tests.connection.exchanges import fetch
from tests.support.server import raw_server, reply

from .servers import HALF, Clock, Counts, counts, dropped, get, serving, silent_port, turns, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.support.server import Peer
    from tests.support.tls import TlsKit

ONE = PoolLimits(connections=1)
SOON = 0.05


async def test_several_exchanges() -> None:
    """A lease is one connection for as many exchanges as wanted, step by step too, and goes back into the pool."""
    async with serving() as (server, site), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            assert isinstance(conn, AsyncHTTPConnection)
            assert counts(pool) == Counts(busy=1)
            assert conn.connected
            for path in ("/one", "/two"):
                assert await fetch(conn, "GET", path) == path.encode()
                assert counts(pool) == Counts(busy=1)
            conn.putrequest("POST", "/three")
            conn.putheader("Content-Length", 4)
            await conn.endheaders()
            await conn.send(b"body")
            assert await (await conn.getresponse()).read() == b"/three"
        assert counts(pool) == Counts(idle=1)
        assert await get(pool, f"{server.url}/four") == b"/four"
        assert server.connections == 1
        assert pool.stats().opened == 1
        assert pool.stats().reused == 1
        assert f"\r\nHost: {server.netloc}\r\n".encode() in site.asked[0].head


async def test_connection_that_was_idle() -> None:
    """A lease takes the connection that is idle."""
    async with serving() as (server, _), ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        for _ in range(2):
            async with pool.connection(f"{server.url}/a/path?that=does&not=matter") as conn:
                assert await fetch(conn) == b"/"
        assert server.connections == 1
        assert pool.stats().reused == 2


async def test_over_tls(tls: TlsKit) -> None:
    """A lease of an ``https`` origin is a connection over TLS."""
    async with serving(ssl=tls.good) as (server, _), ConnectionPool(ssl_context=tls.client) as pool:
        async with pool.connection(server.url) as conn:
            assert isinstance(conn, AsyncHTTPSConnection)
            assert await fetch(conn) == b"/"
        assert await get(pool, f"{server.url}/next") == b"/next"
        assert server.connections == 1


async def test_lease_that_is_not_used() -> None:
    """A lease over which nothing was sent gives the connection back as it was."""
    async with serving() as (server, _), ConnectionPool() as pool:
        for _ in range(3):
            async with pool.connection(server.url):
                pass
        assert counts(pool) == Counts(idle=1)
        assert server.connections <= 1
        assert pool.stats().opened == 1


async def step_by_step(conn: AsyncHTTPConnection) -> None:
    conn.putrequest("GET", "/late")
    await conn.endheaders()


AFTERWARDS: dict[str, Callable[[AsyncHTTPConnection], Awaitable[Any]]] = {
    "connect": lambda conn: conn.connect(),
    "request": lambda conn: conn.request("GET", "/late"),
    "request with a body": lambda conn: conn.request("POST", "/late", b"body"),
    "step by step": step_by_step,
}


@pytest.mark.parametrize("use", AFTERWARDS)
@pytest.mark.parametrize("fit", [True, False], ids=["given back", "dropped"])
async def test_dead_afterwards(use: str, fit: bool) -> None:
    """After the block the connection says that the lease is over, and the one in the pool is not touched."""
    async with serving() as (server, site), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            assert await fetch(conn) == b"/"
            if not fit:
                await conn.request("GET", "/unread")
        for _ in range(2):
            with pytest.raises(LeaseEnded):
                await AFTERWARDS[use](conn)
            with pytest.raises(ImproperConnectionState):
                await conn.getresponse()
            await conn.close()
            conn.abort()
        assert not conn.connected
        assert counts(pool) == Counts(idle=1 if fit else 0)
        assert "/late" not in site.targets
        assert await get(pool, f"{server.url}/next") == b"/next"


async def test_reconnect_within_a_lease() -> None:
    """When the server closes between two exchanges, the connection is opened again, and counts as one all the time."""

    async def last(peer: Peer) -> None:
        await peer.send(reply(b"last", "Connection: close"))
        peer.close()

    async def unannounced(peer: Peer) -> None:
        await peer.send(reply(b"unannounced"))
        peer.close()

    async with serving({"/last": last, "/unannounced": unannounced}) as (server, _), ConnectionPool(ONE) as pool:
        async with pool.connection(server.url) as conn:
            assert await fetch(conn, "GET", "/last") == b"last"
            assert counts(pool) == Counts(busy=1)
            assert await fetch(conn, "GET", "/unannounced") == b"unannounced"
            await server.wait_closed(2)
            assert await fetch(conn, "GET", "/third") == b"/third"
            assert counts(pool) == Counts(busy=1)
            assert pool.stats().opened == 3
        assert counts(pool) == Counts(idle=1)
        assert await get(pool, f"{server.url}/next") == b"/next"
        assert server.connections == 3


async def test_reconnect_after_a_close() -> None:
    """A holder may close its connection and go on; each that was opened is there, or was dropped for a reason."""
    async with serving() as (server, _), ConnectionPool(ONE) as pool:
        async with pool.connection(server.url) as conn:
            for _ in range(2):
                assert await fetch(conn) == b"/"
                await conn.close()
            assert await fetch(conn) == b"/"
        stats = pool.stats()
        assert (stats.opened, stats.idle, sum(stats.dropped.values())) == (3, 1, 2)
        async with pool.connection(server.url) as conn:
            await conn.close()
        assert sum(dropped(pool).values()) == 3


async def test_reconnect_that_fails() -> None:
    """A lease whose connection cannot be opened again fails, and frees its slot at the end of the block."""
    async with serving({"/last": reply(b"last", "Connection: close")}) as (server, _), ConnectionPool(ONE) as pool:
        async with pool.connection(server.url) as conn:
            assert await fetch(conn, "GET", "/last") == b"last"
            server._stop_listening()
            with pytest.raises(ConnectionRefusedError):
                await conn.request("GET", "/")
            assert counts(pool) == Counts(busy=1)
        assert counts(pool) == Counts()
        assert dropped(pool)[Drop.LEASE] == 1


async def test_no_retry_within_a_lease() -> None:
    """Within a lease nothing is repeated: what happens on the connection is its holder's business."""

    async def die(peer: Peer) -> None:
        peer.close()

    async with serving({"/die": die}) as (server, site), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            assert await fetch(conn) == b"/"
            with pytest.raises(ConnectionError):
                await fetch(conn, "GET", "/die")
            assert await fetch(conn, "GET", "/next") == b"/next"
        assert site.targets == ["/", "/die", "/next"]
        assert pool.stats().retried == 0


async def unread_head(conn: AsyncHTTPConnection) -> None:
    await conn.request("GET", "/")


async def unread_body(conn: AsyncHTTPConnection) -> None:
    await conn.request("GET", "/half")
    await conn.getresponse()


async def half_a_request(conn: AsyncHTTPConnection) -> None:
    conn.putrequest("POST", "/")
    conn.putheader("Content-Length", 10)
    await conn.endheaders()
    await conn.send(b"half.")


async def putrequest(conn: AsyncHTTPConnection) -> None:
    conn.putrequest("GET", "/")


async def close(conn: AsyncHTTPConnection) -> None:
    await conn.close()


async def abort(conn: AsyncHTTPConnection) -> None:
    conn.abort()


@pytest.mark.parametrize("leave", [unread_head, unread_body, half_a_request, putrequest, close, abort])
async def test_left_unusable(leave: Callable[[AsyncHTTPConnection], Awaitable[None]]) -> None:
    """A connection that a lease leaves in the middle of an exchange, or closed, is dropped, and its room is free."""
    async with serving({"/half": HALF}) as (server, _), ConnectionPool(ONE) as pool:
        async with pool.connection(server.url) as conn:
            await leave(conn)
            waiting = asyncio.create_task(get(pool, f"{server.url}/next"))
            await turns()
            assert counts(pool) == Counts(busy=1, waiting=1)
        assert dropped(pool) == {Drop.LEASE: 1}
        assert counts(pool) == Counts(connecting=1)
        assert await waiting == b"/next"
        assert server.connections <= 2


async def test_response_after_the_block() -> None:
    """What was not read of a response in the block cannot be read after it."""
    async with serving({"/half": HALF}) as (server, _), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            await conn.request("GET", "/half")
            response = await conn.getresponse()
        with pytest.raises(ResponseNotReady):
            await response.read()
        assert counts(pool) == Counts()


@pytest.mark.parametrize("idle", [True, False])
async def test_exception_in_the_block(idle: bool) -> None:
    """A block that fails ends the lease as every other does: only what is in the middle of something is dropped."""
    async with serving() as (server, _), ConnectionPool() as pool:
        with pytest.raises(KeyError):
            async with pool.connection(server.url) as conn:
                await conn.request("GET", "/")
                if idle:
                    await (await conn.getresponse()).read()
                raise KeyError
        assert counts(pool) == Counts(idle=1 if idle else 0)
        with pytest.raises(LeaseEnded):
            await conn.request("GET", "/")


async def test_cancelled_in_the_block() -> None:
    """A task that is cancelled within a lease gives the slot back."""
    async with serving({"/half": HALF}) as (server, _), ConnectionPool(ONE) as pool:

        async def holder() -> None:
            async with pool.connection(server.url) as conn:
                await fetch(conn, "GET", "/half")

        task = asyncio.create_task(holder())
        await until(lambda: pool.stats().busy)
        await turns(10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert counts(pool) == Counts()
        assert await get(pool, f"{server.url}/next") == b"/next"


async def test_used_by_another_task_at_the_end() -> None:
    """A connection on which another task still waits at the end of the block is closed, and that task told."""

    async def silent(peer: Peer) -> None:
        await peer.read_until_eof()

    async with serving({"/silent": silent}) as (server, _), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            other = asyncio.create_task(fetch(conn, "GET", "/silent"))
            await turns(10)
        with pytest.raises(ConnectionAbortedError):
            await other
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.LEASE: 1}


UPGRADE = {"Connection": "Upgrade", "Upgrade": "echo"}


async def upgraded(peer: Peer) -> None:
    """Switch to a protocol that sends back what it gets."""
    await peer.send(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello\n")
    while True:
        await peer.send(await peer.read_until(b"\n"))


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_detach(secure: bool, tls: TlsKit) -> None:
    """``detach()`` after a 101 takes the stream out of the pool: it outlives the lease, and the pool as well."""
    async with serving({"/": upgraded}, ssl=tls.good if secure else None) as (server, _):
        pool = ConnectionPool(ONE, ssl_context=tls.client)
        async with pool.connection(server.url) as conn:
            await conn.request("GET", "/", headers=UPGRADE)
            assert (await conn.getresponse()).status == 101
            reader, writer = conn.detach()
            with pytest.raises(ImproperConnectionState):
                conn.detach()
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.LEASE: 1}
        assert await get(pool, f"{server.url}/next") == b"/next"
        async with asyncio.timeout(0.5):  # nobody waits for what is not the pool's any more
            await pool.close()
        assert await reader.readline() == b"hello\n"
        writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
        writer.close()
        await writer.wait_closed()


async def test_detached_stream_of_a_forgotten_pool() -> None:
    """A stream that was detached is not closed with a pool that is forgotten."""
    async with serving({"/": upgraded}) as (server, _):
        pool = ConnectionPool(ONE)
        async with pool.connection(server.url) as conn:
            await conn.request("GET", "/", headers=UPGRADE)
            await conn.getresponse()
            reader, writer = conn.detach()
        del pool, conn
        gc.collect()
        await turns()
        assert await reader.readline() == b"hello\n"
        writer.write(b"still here\n")
        assert await reader.readline() == b"still here\n"
        writer.close()
        await writer.wait_closed()


async def test_switched_and_not_detached() -> None:
    """A connection that was switched and not taken is closed at the end of the block."""
    async with serving({"/": upgraded}) as (server, _), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            await conn.request("GET", "/", headers=UPGRADE)
            await conn.getresponse()
        assert counts(pool) == Counts()
        await server.wait_closed()


async def test_one_block() -> None:
    """A lease is for one block: a second one is refused, within the first and after it."""
    async with serving() as (server, _), ConnectionPool() as pool:
        lease = pool.connection(server.url)
        async with lease as conn:
            with pytest.raises(RuntimeError, match="one `async with` block"):
                async with lease:
                    pass
            assert await fetch(conn) == b"/"
        with pytest.raises(RuntimeError, match="one `async with` block"):
            async with lease:
                pass
        assert counts(pool) == Counts(idle=1)


async def test_two_tasks_with_one_lease() -> None:
    """Two tasks that enter one lease at once do not both get it, and no slot is lost."""
    async with serving() as (server, _), ConnectionPool() as pool:
        lease = pool.connection(server.url)

        async def hold() -> bytes:
            async with lease as conn:
                return await fetch(conn)

        results = await asyncio.gather(hold(), hold(), return_exceptions=True)
        assert [type(result) for result in results if not isinstance(result, bytes)] == [RuntimeError]
        assert [result for result in results if isinstance(result, bytes)] == [b"/"]
        assert counts(pool) == Counts(idle=1)


async def test_lease_that_was_not_had() -> None:
    """A lease that could not be had may be tried again."""
    async with serving({"/half": HALF}) as (server, _), ConnectionPool(ONE, Timeout(pool=0.01)) as pool:
        holder = await pool.request("GET", f"{server.url}/half")
        lease = pool.connection(server.url)
        with pytest.raises(PoolTimeout) as caught:
            async with lease:
                pass
        assert caught.value.url == server.url
        await holder.close()
        async with lease as conn:
            assert await fetch(conn) == b"/"


async def test_leases_count() -> None:
    """A lease is one of the connections that the limits allow, whoever waits for it."""
    async with serving() as (server, site), ConnectionPool(PoolLimits(2)) as pool:
        async with pool.connection(server.url) as one, pool.connection(server.url) as two:
            assert counts(pool) == Counts(busy=2)
            waiting = asyncio.create_task(get(pool, f"{server.url}/waits"))
            third = pool.connection(server.url)
            entering = asyncio.create_task(third.__aenter__())
            await turns()
            assert counts(pool) == Counts(busy=2, waiting=2)
            assert await fetch(one, "GET", "/one") == b"/one"
            assert await fetch(two, "GET", "/two") == b"/two"
        assert await waiting == b"/waits"
        conn = await entering
        assert await fetch(conn, "GET", "/three") == b"/three"
        await third.__aexit__(None, None, None)
        assert site.targets[:2] == ["/one", "/two"]
        assert set(site.targets[2:]) == {"/waits", "/three"}
        assert server.connections == 2
        assert counts(pool) == Counts(idle=2)


async def test_one_transaction_at_a_time() -> None:
    """A leased connection carries one transaction at a time, as every other."""
    async with serving() as (server, _), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            await conn.request("GET", "/")
            with pytest.raises(CannotSendRequest):
                await conn.request("GET", "/")
            assert await (await conn.getresponse()).read() == b"/"


async def test_settings_are_not_handed_on() -> None:
    """What a holder sets on its connection does not reach the next one, nor the pool's own requests."""

    async def silent(peer: Peer) -> None:
        await peer.read_until_eof()

    async with serving({"/silent": silent}) as (server, _), ConnectionPool(timeout=Timeout(read=SOON)) as pool:
        async with pool.connection(server.url) as conn:
            conn.timeout = 100
            conn.set_debuglevel(1)
            conn.auto_open = False
        async with pool.connection(server.url) as other:
            assert other is not conn
            assert (other.debuglevel, other.auto_open) == (0, True)
            with pytest.raises(ReadTimeout):
                await fetch(other, "GET", "/silent")
        assert await get(pool, f"{server.url}/") == b"/"


async def test_expiry_that_the_server_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    """``Keep-Alive: timeout=`` in a response over a lease shortens the expiry of the connection, too."""
    clock = Clock(monkeypatch)
    async with (
        serving({"/": reply(b"x", "Keep-Alive: timeout=5")}) as (server, _),
        ConnectionPool(dialer=clock) as pool,
    ):
        async with pool.connection(server.url) as conn:
            assert await fetch(conn) == b"x"
        clock.advance(3.9)
        assert counts(pool) == Counts(idle=1)
        clock.advance(0.2)
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.EXPIRED: 1}


async def test_idle_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease has its connection for as long as it wants; only after the block it expires."""
    clock = Clock(monkeypatch)
    async with serving() as (server, _), ConnectionPool(dialer=clock) as pool:
        await get(pool, f"{server.url}/")
        async with pool.connection(server.url) as conn:
            clock.advance(1000)
            assert await fetch(conn) == b"/"
            clock.advance(1000)
            assert conn.connected
        clock.advance(14.9)
        assert counts(pool) == Counts(idle=1)
        clock.advance(0.2)
        assert dropped(pool) == {Drop.EXPIRED: 1}
        assert server.connections == 1


async def test_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that has become too old within a lease is dropped after it."""
    clock = Clock(monkeypatch)
    async with serving() as (server, _), ConnectionPool(PoolLimits(max_lifetime=60), dialer=clock) as pool:
        async with pool.connection(server.url) as conn:
            assert await fetch(conn) == b"/"
            clock.advance(61)
        assert dropped(pool) == {Drop.LIFETIME: 1}


async def test_tls_session_is_kept(tls: TlsKit) -> None:
    """The TLS session of a connection that was only leased is resumed on the next one."""
    async with serving(ssl=tls.good) as (server, _):
        async with ConnectionPool(PoolLimits(keepalive_expiry=0), ssl_context=tls.new_client()) as pool:
            for resumed in (False, True):
                async with pool.connection(server.url) as conn:
                    assert isinstance(conn, AsyncHTTPSConnection)
                    assert await fetch(conn) == b"/"
                    assert conn.session_reused is resumed
            assert pool.stats().resumed == 1


# -- bounds


async def test_timeouts() -> None:
    """The timeout of a lease bounds waiting for it, connecting, and each exchange on it."""

    async def silent(peer: Peer) -> None:
        await peer.read_until_eof()

    with silent_port() as origin:
        async with serving({"/silent": silent, "/half": HALF}) as (server, _), ConnectionPool(ONE) as pool:
            with pytest.raises(ConnectTimeout) as caught:
                async with pool.connection(origin, Timeout(connect=SOON)):
                    pass
            assert caught.value.url == origin
            async with pool.connection(server.url, Timeout(SOON, connect=10)) as conn:
                with pytest.raises(ReadTimeout):
                    await fetch(conn, "GET", "/silent")
                with pytest.raises(PoolTimeout):
                    async with pool.connection(server.url, SOON):
                        pass
                assert await fetch(conn) == b"/"
            assert counts(pool) == Counts(idle=1)


async def test_total_of_getting_a_lease() -> None:
    """A total bounds getting the connection."""
    with silent_port() as origin:
        async with ConnectionPool(ONE) as pool:
            with pytest.raises(TotalTimeout) as caught:
                async with pool.connection(origin, Timeout(total=SOON)):
                    pass
            assert caught.value.limit == SOON


async def test_total_of_a_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A total bounds each exchange of a lease anew."""
    clock, asked = Clock(monkeypatch), asyncio.Event()

    async def silent(peer: Peer) -> None:
        asked.set()
        await peer.read_until_eof()

    async def half(peer: Peer) -> None:
        await peer.send(HALF)
        asked.set()
        await peer.read_until_eof()

    async with (
        serving({"/silent": silent, "/half": half}) as (server, _),
        ConnectionPool(ONE, dialer=clock) as pool,
        pool.connection(server.url, Timeout(total=20)) as conn,
    ):
        for _ in range(3):
            clock.advance(15)
            assert await fetch(conn) == b"/"
        for path in ("/silent", "/half"):
            asked.clear()
            with pytest.raises(TotalTimeout) as caught:
                await clock.during(fetch(conn, "GET", path), 20, once=asked.is_set)
            assert (caught.value.limit, caught.value.elapsed) == (20, 20)
        assert await fetch(conn) == b"/"


async def test_clock_of_a_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that a lease is given holds for everything that is done on the connection, together."""
    clock, asked = Clock(monkeypatch), asyncio.Event()

    async def silent(peer: Peer) -> None:
        asked.set()
        await peer.read_until_eof()

    async with serving({"/silent": silent}) as (server, site), ConnectionPool(ONE, dialer=clock) as pool:
        together = TimeoutManager(Timeout(total=20))
        async with pool.connection(server.url, together) as conn:
            clock.advance(12)
            assert await fetch(conn) == b"/"
            with pytest.raises(TotalTimeout) as caught:
                await clock.during(fetch(conn, "GET", "/silent"), 8, once=asked.is_set)
            assert together.left == 0
            assert caught.value.limit == 20
            with pytest.raises(TotalTimeout):
                await fetch(conn, "GET", "/late")
        with pytest.raises(TotalTimeout):
            async with pool.connection(server.url, together):
                pass
        assert site.targets == ["/", "/silent"]
        assert counts(pool) == Counts()


async def test_total_of_a_lease_begins_with_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """The total of a lease does not run while nobody has entered it."""
    clock = Clock(monkeypatch)
    async with serving() as (server, _), ConnectionPool(dialer=clock) as pool:
        lease = pool.connection(server.url, Timeout(total=5))
        clock.advance(6)
        async with lease as conn:
            assert await fetch(conn) == b"/"


@pytest.mark.parametrize(
    "url", ["", "/path", "ftp://host/", "http://user:secret@host/", "http://a b/", b"http://host/"]
)
async def test_url_that_is_none(url: Any) -> None:
    """A URL that cannot be used is refused when the lease is asked for, and says no password."""
    async with ConnectionPool() as pool:
        with pytest.raises((InvalidURL, TypeError)) as caught:
            pool.connection(url)
        assert "secret" not in str(caught.value)


# -- the end of the pool


async def test_pool_closed_during_a_lease() -> None:
    """A pool that is closed takes the connections of leases along, and they cannot be opened again."""
    async with serving() as (server, site):
        pool = ConnectionPool()
        async with pool.connection(server.url) as conn:
            assert await fetch(conn) == b"/"
            await pool.close()
            assert not conn.connected
            for use in AFTERWARDS.values():
                with pytest.raises((PoolClosed, LeaseEnded)):
                    await use(conn)
                conn.abort()
        assert counts(pool) == Counts()
        assert site.targets == ["/"]
        assert server.connections == 1


async def test_pool_closed_in_an_exchange_of_a_lease() -> None:
    """The same in the middle of an exchange, which fails."""

    async def silent(peer: Peer) -> None:
        await peer.read_until_eof()

    async with serving({"/silent": silent}) as (server, _):
        pool = ConnectionPool()
        with pytest.raises((ConnectionAbortedError, PoolClosed)):
            async with pool.connection(server.url) as conn:
                await conn.request("GET", "/silent")
                waiting = asyncio.create_task(conn.getresponse())
                await turns()
                await pool.close()
                await waiting
        assert counts(pool) == Counts()
        await server.wait_closed()


async def test_pool_closed_with_grace_during_a_lease() -> None:
    """With grace a lease may go on until its block ends, and ``close()`` returns then."""
    async with serving() as (server, _):
        pool = ConnectionPool()
        async with pool.connection(server.url) as conn:
            closing = asyncio.create_task(pool.close(grace=30))
            await turns()
            assert await fetch(conn, "GET", "/one") == b"/one"
            assert await fetch(conn, "GET", "/two") == b"/two"
            assert not closing.done()
        async with asyncio.timeout(1):
            await closing
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.POOL_CLOSED: 1}


async def test_pool_closed_while_a_lease_waits() -> None:
    """A lease that waits for a connection, or opens one, gets PoolClosed."""
    with silent_port() as origin:
        async with serving({"/half": HALF}) as (server, _):
            pool = ConnectionPool(PoolLimits(2))

            async def lease(url: str) -> None:
                async with pool.connection(url):
                    pass

            holder = await pool.request("GET", f"{server.url}/half")
            tasks = [asyncio.create_task(lease(url)) for url in (origin, server.url)]
            await until(lambda: counts(pool) == Counts(busy=1, connecting=1, waiting=1))
            await pool.close()
            for task in tasks:
                with pytest.raises(PoolClosed):
                    await task
            assert holder.isclosed()
            assert counts(pool) == Counts()


async def test_nothing_is_kept_alive() -> None:
    """After the block the pool keeps nothing of the leased connection."""
    async with serving() as (server, _), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            await fetch(conn)
        gone = weakref.ref(conn)
        del conn
        gc.collect()
        assert gone() is None
        assert counts(pool) == Counts(idle=1)


async def test_poison_within_a_lease() -> None:
    """Bytes behind an answer are not the next one within a lease either: the connection is opened again."""

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"answer") + reply(b"poison"))
        await peer.read_until_eof()

    async with raw_server(script) as server, ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            assert await fetch(conn, "GET", "/first") == b"answer"
            assert await fetch(conn, "GET", "/second") == b"answer"
        assert server.connections == 2
