"""The connections that a pool has: how long they are kept, what ends them, and the end of all."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    BadStatusLine,
    ConnectionPool,
    HTTPException,
    PoolClosed,
    PoolLimits,
    RemoteDisconnected,
)
from aiohttpclient.net import PEER_CLOSED, StreamProtocol, TCPDialer
from aiohttpclient.pool import Drop, EventKind, PoolEvent, _routes, _stock
from tests.connection.exchanges import Listener
from tests.support.server import raw_server, reply

from .servers import (
    HALF,
    Clock,
    Counts,
    asked,
    connect_proxy,
    counts,
    dropped,
    get,
    serving,
    settled,
    silent_port,
    turns,
    until,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.server import Peer
    from tests.support.tls import TlsKit

ONE = PoolLimits(connections=1)


# -- how long a connection is kept


@pytest.mark.parametrize("limit", [15.0, 2.0])
async def test_idle_expiry(limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection is closed after ``keepalive_expiry`` seconds, and not before; each use begins them anew."""
    clock = Clock(monkeypatch)
    async with serving() as (server, _), ConnectionPool(PoolLimits(keepalive_expiry=limit), dialer=clock) as pool:
        for _ in range(3):
            await get(pool, f"{server.url}/")
            clock.advance(limit - 0.5)
            assert counts(pool) == Counts(idle=1)
        clock.advance(0.6)
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.EXPIRED: 1}
        await server.wait_closed(1)
        assert server.connections == 1


async def test_no_idle_expiry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ``keepalive_expiry`` an idle connection is kept for as long as the server keeps it."""
    clock = Clock(monkeypatch)
    async with serving() as (server, _), ConnectionPool(PoolLimits(keepalive_expiry=None), dialer=clock) as pool:
        await get(pool, f"{server.url}/")
        clock.advance(1_000_000)
        assert counts(pool) == Counts(idle=1)
        await get(pool, f"{server.url}/")
        assert server.connections == 1


async def test_nothing_is_kept() -> None:
    """With a ``keepalive_expiry`` of 0 no connection is kept idle."""
    async with serving() as (server, _), ConnectionPool(PoolLimits(1, keepalive_expiry=0)) as pool:
        response = await pool.request("GET", f"{server.url}/first")
        waiting = asyncio.create_task(get(pool, f"{server.url}/second"))
        await turns()
        assert await response.read() == b"/first"
        assert pool.stats().idle == 0
        assert await waiting == b"/second"
        assert counts(pool) == Counts()
        assert await get(pool, f"{server.url}/third") == b"/third"
        assert set(dropped(pool)) == {Drop.EXPIRED}
        assert server.connections == pool.stats().opened == dropped(pool)[Drop.EXPIRED]


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        ("timeout=5", 4.0),
        ("timeout=5, max=100", 4.0),
        ("max=100,TIMEOUT = 5", 4.0),
        ('timeout="5"', 4.0),
        ("timeout=1", 0.5),
        ("timeout=100", 15.0),
        ("timeout=five", 15.0),
        ("timeout=-5", 15.0),
        ("timeout=", 15.0),
        ("timeout=99999999999999999999", 15.0),
        ("timeout=5.5", 15.0),
        ("xtimeout=5", 15.0),
        ("", 15.0),
    ],
)
async def test_expiry_that_the_server_tells(field: str, kept: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """``Keep-Alive: timeout=`` shortens the expiry, with a margin; it never lengthens it, and what is no number is
    not heard.
    """
    clock = Clock(monkeypatch)
    raw = reply(b"", f"Keep-Alive: {field}")
    async with serving({"/": raw}) as (server, _), ConnectionPool(dialer=clock) as pool:
        await get(pool, f"{server.url}/")
        clock.advance(kept - 0.1)
        assert counts(pool) == Counts(idle=1)
        clock.advance(0.2)
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.EXPIRED: 1}


async def test_expiry_of_nothing_that_the_server_tells() -> None:
    """``Keep-Alive: timeout=0`` is a connection that is not kept."""
    async with serving({"/": reply(b"x", "Keep-Alive: timeout=0")}) as (server, _), ConnectionPool() as pool:
        assert await get(pool, f"{server.url}/") == b"x"
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.EXPIRED: 1}


async def test_expiry_that_the_server_tells_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the server tells counts also where the pool itself would keep a connection for ever."""
    clock = Clock(monkeypatch)
    limits = PoolLimits(keepalive_expiry=None)
    async with serving({"/": reply(b"x", "Keep-Alive: timeout=5")}) as (server, _):
        async with ConnectionPool(limits, dialer=clock) as pool:
            await get(pool, f"{server.url}/")
            clock.advance(4.1)
            assert counts(pool) == Counts()


async def test_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is older than ``max_lifetime`` when its response is complete is not used again."""
    clock = Clock(monkeypatch)
    async with serving() as (server, _), ConnectionPool(PoolLimits(max_lifetime=60), dialer=clock) as pool:
        for _ in range(6):
            await get(pool, f"{server.url}/")
            clock.advance(9)
        response = await pool.request("GET", f"{server.url}/last")
        clock.advance(9)
        assert await response.read() == b"/last"
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.LIFETIME: 1}
        assert server.connections == 1


async def test_lifetime_of_an_idle_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle connection is closed when it reaches ``max_lifetime``, and that is the reason."""
    clock = Clock(monkeypatch)
    limits = PoolLimits(keepalive_expiry=None, max_lifetime=60)
    async with serving() as (server, _), ConnectionPool(limits, dialer=clock) as pool:
        await get(pool, f"{server.url}/")
        clock.advance(50)
        await get(pool, f"{server.url}/")
        clock.advance(9)
        assert counts(pool) == Counts(idle=1)
        clock.advance(2)
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.LIFETIME: 1}


async def test_infinite_limits() -> None:
    """Infinity is no limit, for the expiry as for the lifetime."""
    limits = PoolLimits(keepalive_expiry=float("inf"), max_lifetime=float("inf"))
    async with serving() as (server, _), ConnectionPool(limits) as pool:
        for _ in range(2):
            await get(pool, f"{server.url}/")
            assert counts(pool) == Counts(idle=1)
        assert server.connections == 1


# -- the object of a connection that is over serves the next one


class Made:
    """Counts the connections that a pool makes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.conns: list[Any] = []
        make = _routes.Router.connection

        def made(router: _routes.Router, key: _routes.OriginKey) -> Any:
            self.conns.append(make(router, key))
            return self.conns[-1]

        monkeypatch.setattr(_routes.Router, "connection", made)


async def last(peer: Peer) -> None:
    """Answer with the target of a request, and close."""
    head = await peer.read_head()
    await peer.send(reply(head.split(b" ")[1], "Connection: close"))


async def test_object_of_a_connection_that_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections that end with their answer are opened by the objects of those before, and nothing else is shared."""
    made = Made(monkeypatch)
    async with raw_server(last) as server, ConnectionPool(PoolLimits(connections=3)) as pool:
        answers = await asyncio.gather(*(asked(pool, server.url, 20) for _ in range(3)))
        assert answers == [[b"/%d" % number for number in range(20)]] * 3
        assert server.connections == 60
        assert dropped(pool) == {Drop.LAST: 60}
        assert pool.stats().opened == 60
        assert len(made.conns) <= 6
        assert counts(pool) == Counts()


async def test_object_of_a_connection_over_tls(monkeypatch: pytest.MonkeyPatch, tls: TlsKit) -> None:
    """The same over TLS, and through a tunnel: each connection has its own handshake and its own CONNECT."""
    made = Made(monkeypatch)
    heads: list[bytes] = []

    async def tunnel(peer: Peer) -> None:
        await connect_proxy(peer, tls.good, heads)
        await last(peer)

    limits = PoolLimits(connections=2)
    async with raw_server(last, ssl=tls.good) as server:
        async with ConnectionPool(limits, ssl_context=tls.client) as pool:
            answers = await asyncio.gather(*(asked(pool, server.url, 10) for _ in range(2)))
            assert answers == [[b"/%d" % number for number in range(10)]] * 2
    assert server.connections == 20
    assert len(made.conns) <= 4
    made.conns.clear()
    async with raw_server(tunnel) as proxy:
        async with ConnectionPool(limits, ssl_context=tls.client, proxy=proxy.url) as pool:
            answers = await asyncio.gather(*(asked(pool, "https://localhost", 10) for _ in range(2)))
            assert answers == [[b"/%d" % number for number in range(10)]] * 2
    assert len(heads) == 20
    assert len(made.conns) <= 4


async def test_object_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what ended as it should serves again: not what failed, was cancelled, or is still to be read."""
    made = Made(monkeypatch)
    go_on = asyncio.Event()

    async def broken(peer: Peer) -> None:
        await peer.send(b"nonsense\r\n\r\n")
        peer.close()

    async def page(peer: Peer) -> None:
        await go_on.wait()
        await peer.send(reply(b"held", "Connection: close"))

    pages: dict[str, Any] = {"/broken": broken, "/held": page}
    async with serving(pages) as (server, _), ConnectionPool() as pool:
        held = asyncio.create_task(get(pool, f"{server.url}/held"))
        await until(lambda: counts(pool).busy == 1)
        for _ in range(3):
            with pytest.raises(HTTPException):
                await pool.request("GET", f"{server.url}/broken", whole=True)
        waiting = asyncio.create_task(pool.request("GET", f"{server.url}/held", whole=True))
        await until(lambda: counts(pool).busy == 2)
        waiting.cancel()
        await asyncio.wait([waiting])
        assert len(made.conns) == 5
        go_on.set()
        assert await held == b"held"
        assert len({id(conn) for conn in made.conns}) == 5


async def test_object_when_it_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """An object that could not be opened again is given up, and the next request has a new one."""
    made = Made(monkeypatch)
    dialer = TCPDialer()
    refuse = False

    class Dialer:
        async def dial(self, host: str, port: int) -> StreamProtocol:
            if refuse:
                raise ConnectionRefusedError("not now")
            return await dialer.dial(host, port)

    go_on = asyncio.Event()

    async def page(peer: Peer) -> None:
        await go_on.wait()
        await peer.send(reply(b"held"))

    last_one = reply(b"last", "Connection: close")
    async with serving({"/last": last_one, "/held": page}) as (server, _), ConnectionPool(dialer=Dialer()) as pool:
        held = asyncio.create_task(get(pool, f"{server.url}/held"))
        await until(lambda: counts(pool).busy == 1)
        url = f"{server.url}/last"
        for _ in range(2):
            assert (await pool.request("GET", url, whole=True))[1] == b"last"  # type: ignore[index]
        assert len(made.conns) == 2
        refuse = True
        with pytest.raises(ConnectionRefusedError):
            await pool.request("GET", url, whole=True)
        refuse = False
        assert (await pool.request("GET", url, whole=True))[1] == b"last"  # type: ignore[index]
        assert len(made.conns) == 3
        go_on.set()
        assert await held == b"held"


async def test_head_that_was_seen_on_another_connection() -> None:
    """Heads are remembered from one connection to the next; what differs is read anew, and what is none is refused."""
    answers = [
        reply(b"one", "Connection: close"),
        reply(b"two", "Connection: close"),
        reply(b"longer", "Connection: close"),
        reply(b"six", "Connection: close", "X-More: yes"),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + reply(b"two", "Connection: close"),
        reply(b"one", "Connection: close"),
    ]
    left = iter(answers)

    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        if b"/held" in head:
            await peer.read_until_eof()
        else:
            await peer.send(next(left, b"nonsense that is no HTTP\r\n\r\n"))

    async with raw_server(script) as server, ConnectionPool() as pool:
        held = asyncio.create_task(get(pool, f"{server.url}/held"))
        await until(lambda: counts(pool).busy == 1)
        seen = []
        for _ in answers:
            head, body, _ = await pool.request("GET", server.url, whole=True)  # type: ignore[misc]
            seen.append((head.headers.get("X-More"), body))
        assert [body for _, body in seen] == [b"one", b"two", b"longer", b"six", b"two", b"one"]
        assert [more for more, _ in seen] == [None, None, None, "yes", None, None]
        with pytest.raises(BadStatusLine):
            await pool.request("GET", server.url, whole=True)
        held.cancel()
        await asyncio.wait([held])


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


# -- what it is


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

    monkeypatch.setattr(_stock, "CLOSE_SECONDS", 0.01)
    monkeypatch.setattr(StreamProtocol, "shut", lambda *_: None)
    monkeypatch.setattr(StreamProtocol, "abort", abort_at_once)
    async with serving() as (server, _):
        pool = ConnectionPool()
        await asyncio.gather(*(get(pool, f"{server.url}/{number}") for number in range(3)))
        assert counts(pool) == Counts(idle=3)
        await pool.close()
        assert not pool._streams
        await server.wait_closed(3)


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


async def test_shut() -> None:
    """A pool whose streams were aborted is shut without waiting: who waits fails, and so does who comes."""
    async with serving({"/half": HALF}) as (server, _):
        pool = ConnectionPool(ONE)
        response = await pool.request("GET", f"{server.url}/half")
        waiting = asyncio.create_task(pool.request("GET", f"{server.url}/"))
        await until(lambda: pool.stats().waiting == 1)
        for stream in pool._streams:
            stream.abort()
        pool.shut()
        with pytest.raises(ConnectionAbortedError):
            await response.read()
        with pytest.raises(PoolClosed):
            await waiting
        with pytest.raises(PoolClosed):
            await pool.request("GET", f"{server.url}/")
        assert pool.stats().busy == 0


async def test_loop() -> None:
    """A pool has a loop from its first use on."""
    pool = ConnectionPool()
    before = pool.loop
    pool.check_usable()
    assert (before, pool.loop) == (None, asyncio.get_running_loop())
    await pool.close()
    with pytest.raises(PoolClosed):
        pool.check_usable()
