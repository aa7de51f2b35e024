"""How a connection gets a stream and parts with it: opened in time, found dead or poisoned, given to another."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    CannotSendRequest,
    ConnectTimeout,
    ExchangeState,
    NotConnected,
    Timeout,
    TotalTimeout,
)
from aiohttpclient.connection import Origin
from aiohttpclient.net import _dialer, _resolver
from tests.support.server import raw_server, reply, script_once

from .exchanges import POISON, Dials, Listener, connection_to, fetch, full_backlog, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.server import Peer
    from tests.support.tls import TlsKit


# -- opening


async def test_connect() -> None:
    """``connect()`` opens the connection; when it is open already, it does nothing."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.connect()
            await conn.connect()
            assert conn.connected
            assert await fetch(conn) == b"ok"
            await conn.connect()
            await server.wait_connections()
            assert server.connections == 1


async def test_connect_within_an_exchange() -> None:
    """``connect()`` in the middle of an exchange is refused, and the exchange goes on."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            with pytest.raises(CannotSendRequest):
                await conn.connect()
            assert await (await conn.getresponse()).read() == b"ok"


async def test_opened_when_needed() -> None:
    """A request opens the connection by itself."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"ok"
            await server.wait_connections()


@pytest.mark.parametrize("off", [0, False])
async def test_not_opened_when_not_wanted(off: int) -> None:
    """With ``auto_open`` off, a request on a connection that is not open is NotConnected."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            conn.auto_open = off
            with pytest.raises(NotConnected):
                await conn.request("GET", "/")
            conn.putrequest("GET", "/")
            with pytest.raises(NotConnected):
                await conn.endheaders()
            assert conn.state is ExchangeState.IDLE
            await conn.connect()
            assert await fetch(conn) == b"ok"


# -- tunnels are in test_tunnel.py; this is what a connection has to say about them


async def test_tunnel_of_an_open_connection() -> None:
    """A tunnel has to be set before the connection is opened."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.connect()
            with pytest.raises(RuntimeError, match="established connection"):
                conn.set_tunnel("example.org")
            assert await fetch(conn) == b"ok"


# -- in time


async def test_connect_timeout() -> None:
    """A connection that is not opened in time is a ConnectTimeout that says so, and leaves nothing behind."""
    with full_backlog() as (host, port):
        async with AsyncHTTPConnection(host, port, timeout=Timeout(connect=0.05)) as conn:
            for attempt in (conn.connect, lambda: conn.request("GET", "/path")):
                with pytest.raises(ConnectTimeout) as caught:
                    await attempt()
                error = caught.value
                assert isinstance(error, TimeoutError)
                assert (error.phase, error.limit) == ("connect", 0.05)
                assert 0.04 < error.elapsed < 5
                assert error.url is not None
                assert error.url.startswith(f"http://{host}:{port}")
                assert f"http://{host}:{port}" in str(error)
                assert conn.state is ExchangeState.IDLE
                assert not conn.connected


async def test_connect_timeout_covers_the_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up of the name counts as a part of connecting."""
    release = threading.Event()
    look_up = _resolver.look_up

    def never(name: str, flags: int) -> Any:
        if flags & socket.AI_NUMERICHOST:
            return look_up(name, flags)
        release.wait(30)
        return []

    monkeypatch.setattr(_resolver, "look_up", never)
    try:
        async with AsyncHTTPConnection("slow.invalid", timeout=0.05) as conn:
            with pytest.raises(ConnectTimeout):
                await conn.connect()
    finally:
        release.set()
        await until(lambda: not _dialer._RESOLVER._jobs)  # else the next to ask for the name would join it


async def test_connect_timeout_of_a_dialer() -> None:
    """The connect timeout bounds a dialer too, which is cancelled."""
    dialer = Dials()
    dialer.go_on.clear()
    async with AsyncHTTPConnection("example.org", dialer=dialer, timeout=Timeout(connect=0.02)) as conn:
        with pytest.raises(ConnectTimeout):
            await conn.connect()
        assert dialer.cancelled == 1


@pytest.mark.parametrize("total", [0.05, 0.0504, 0.0496])
async def test_total_while_connecting(total: float) -> None:
    """A total that ends before the connection is open is a TotalTimeout, to whatever fraction of a millisecond."""
    with full_backlog() as (host, port):
        async with AsyncHTTPConnection(host, port, timeout=Timeout(total=total)) as conn:
            for attempt in (conn.connect, lambda: conn.request("GET", "/path")):
                with pytest.raises(TotalTimeout) as caught:
                    await attempt()
                assert caught.value.limit == total
                assert 0.04 < caught.value.elapsed < 5
                assert caught.value.url is not None
                assert caught.value.url.startswith(f"http://{host}:{port}")


async def test_shorter_bound_of_connecting() -> None:
    """Of the connect timeout and the total, the one that ends first is named."""
    with full_backlog() as (host, port):
        for timeout, error in ((Timeout(total=5, connect=0.02), ConnectTimeout), (Timeout(total=0.02), TotalTimeout)):
            async with AsyncHTTPConnection(host, port, timeout=timeout) as conn:
                with pytest.raises(error):
                    await conn.connect()


# -- what is found on an idle connection


ANSWERS = {
    "a length": ("GET", reply(b"answer")),
    "chunks": ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n"),
    "no body": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"),
}


SURPLUS = {"an answer": POISON, "a byte": b"\0", "an empty line": b"\r\n", "1xx": b"HTTP/1.1 103 Early Hints\r\n\r\n"}


every_answer = pytest.mark.parametrize("answer", ANSWERS)


@every_answer
@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_surplus_in_the_same_segment(answer: str, surplus: str, secure: bool, tls: TlsKit) -> None:
    """Bytes right behind a response make the connection unusable; the next request gets its own answer."""
    method, raw = ANSWERS[answer]

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"next") if peer.number else raw + SURPLUS[surplus])
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await fetch(conn, method)
        await until(lambda: not conn.connected)
        assert await fetch(conn) == b"next"
        assert server.connections == 2


@every_answer
@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_surplus_later(answer: str, surplus: str, secure: bool, tls: TlsKit) -> None:
    """Bytes that come while a connection is idle make it unusable."""
    method, raw = ANSWERS[answer]
    idle = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number:
            await peer.send(reply(b"next"))
        else:
            await peer.send(raw)
            await idle.wait()
            await peer.send(SURPLUS[surplus])
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await fetch(conn, method)
        assert conn.connected
        idle.set()
        await until(lambda: not conn.connected)
        assert await fetch(conn) == b"next"
        assert server.connections == 2


ENDS: dict[str, Callable[[Peer], None]] = {
    "closed": lambda peer: peer.close(),
    "half closed": lambda peer: peer.half_close(),
    "reset": lambda peer: peer.reset(),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_end_of_an_idle_connection(end: str, secure: bool, tls: TlsKit) -> None:
    """An idle connection that the peer ends is noticed, and the next request goes over another."""
    idle = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"next" if peer.number else b"answer"))
        if not peer.number:
            await idle.wait()
            ENDS[end](peer)
        else:
            await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        assert await fetch(conn) == b"answer"
        idle.set()
        await until(lambda: not conn.connected)
        assert await fetch(conn) == b"next"


def end_of_file(sock: socket.socket) -> None:
    sock.close()


def half_close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def poison(sock: socket.socket) -> None:
    sock.sendall(POISON)


UNSEEN: dict[str, Callable[[socket.socket], None]] = {
    "bytes": poison,
    "end of file": end_of_file,
    "half closed": half_close,
    "reset": reset,
}


every_unseen = pytest.mark.parametrize("unseen", UNSEEN)


@every_unseen
@pytest.mark.parametrize("step_by_step", [False, True])
async def test_before_the_loop_could_see_it(unseen: str, step_by_step: bool) -> None:
    """What arrived on an idle connection is found before a request is written, also if the loop had no time to look."""
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            await conn.request("GET", "/one")
            peer = listener.accept()
            await listener.answer(peer, reply(b"one"))
            assert await (await conn.getresponse()).read() == b"one"
            UNSEEN[unseen](peer)
            if step_by_step:
                conn.putrequest("GET", "/two")
                await conn.endheaders()
            else:
                await conn.request("GET", "/two")
            head = await listener.answer(listener.accept(), reply(b"two"))
            assert head.startswith(b"GET /two ")
            assert await (await conn.getresponse()).read() == b"two"


@every_unseen
async def test_before_the_loop_could_see_it_on_a_new_connection(unseen: str) -> None:
    """The same on a connection over which nothing was sent yet."""
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            await conn.connect()
            UNSEEN[unseen](listener.accept())
            await conn.request("GET", "/")
            await listener.answer(listener.accept(), reply(b"answer"))
            assert await (await conn.getresponse()).read() == b"answer"


@every_unseen
async def test_before_the_loop_could_see_it_and_not_opened_again(unseen: str) -> None:
    """With ``auto_open`` off, a connection that is found dead or poisoned is NotConnected."""
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            conn.auto_open = False
            await conn.connect()
            UNSEEN[unseen](listener.accept())
            with pytest.raises(NotConnected):
                await conn.request("GET", "/")
            assert conn.state is ExchangeState.IDLE


async def test_surplus_and_not_opened_again() -> None:
    """With ``auto_open`` off, the request after a poisoned response is NotConnected, and nothing is sent."""
    async with raw_server(script_once(reply(b"answer") + POISON)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"answer"
            conn.auto_open = 0
            with pytest.raises(NotConnected):
                await conn.request("GET", "/")
            assert server.connections == 1


async def test_idle_connection_is_used_again() -> None:
    """A connection on which nothing happened is used again, however often."""
    async with raw_server(script_once(*[reply(b"answer")] * 50)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for _ in range(50):
                assert await fetch(conn) == b"answer"
            assert server.connections == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nanswer",
        b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nanswer",
        b"HTTP/1.1 200 OK\r\n\r\nanswer",
    ],
)
async def test_connection_that_closes(raw: bytes) -> None:
    """After a response that says so, the connection is closed by us too, and the next request opens another."""
    async with raw_server(script_once(raw, close=b"Length" not in raw)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for number in (1, 2, 3):
                assert await fetch(conn) == b"answer"
                assert not conn.connected
                assert server.connections == number
                await server.wait_closed(number)


async def test_kept_alive_in_http_1_0() -> None:
    """A connection of HTTP/1.0 is used again when the server says so."""
    raw = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\nanswer"
    async with raw_server(script_once(raw, raw)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == await fetch(conn) == b"answer"
            assert server.connections == 1


async def test_session_tickets_are_not_poison(tls: TlsKit) -> None:
    """What TLS sends on its own account, as session tickets after the handshake, leaves a connection usable."""
    async with raw_server(script_once(reply(b"one"), reply(b"two")), ssl=tls.good) as server:
        for number in range(1, 11):
            async with connection_to(server, tls) as conn:
                await conn.connect()
                for _ in range(number):
                    await asyncio.sleep(0)
                assert await fetch(conn) == b"one"
                assert await fetch(conn) == b"two"
            assert server.connections == number


def test_another_loop() -> None:
    """A connection that is open in one loop is refused to another, which could not even close it."""

    async def exchange(conn: AsyncHTTPConnection, listener: Listener, body: bytes) -> None:
        await conn.request("GET", "/")
        await listener.answer(listener.accept(), reply(body))
        assert await (await conn.getresponse()).read() == body

    with Listener() as listener, asyncio.Runner() as here, asyncio.Runner() as there:
        conn = AsyncHTTPConnection(listener.host, listener.port)
        here.run(exchange(conn, listener, b"first"))
        with pytest.raises(RuntimeError, match="another event loop"):
            there.run(exchange(conn, listener, b"never"))
        here.run(conn.close())
        there.run(exchange(conn, listener, b"second"))
        there.run(conn.close())


async def test_close_that_was_asked_for() -> None:
    """After a request with ``Connection: close`` the connection is not used again, whatever the server says."""
    async with raw_server(script_once(reply(b"answer"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/", headers={"Connection": "close"})
            response = await conn.getresponse()
            assert response.will_close
            assert await response.read() == b"answer"
            assert not conn.connected
            assert await fetch(conn) == b"answer"
            assert server.connections == 2


# -- for a pool


async def test_open() -> None:
    """``open()`` connects under bounds of its own, and gives the stream that is open then."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=1) as conn:
            stream = await conn.open(Timeout(5), None)
            assert conn.connected
            assert not stream.ended
            assert await fetch(conn) == b"ok"
            assert server.connections == 1


async def test_open_is_bounded() -> None:
    """Its bounds are the connect timeout, and the deadline of a request that began earlier."""
    with full_backlog() as (host, port):
        async with AsyncHTTPConnection(host, port) as conn:
            with pytest.raises(ConnectTimeout):
                await conn.open(Timeout(connect=0.02), None)
            loop = asyncio.get_running_loop()
            started = loop.time()
            with pytest.raises(TotalTimeout) as caught:
                await conn.open(Timeout(total=10), started + 0.02)
            assert caught.value.limit == 10
            assert 9.9 < caught.value.elapsed < 15
            with pytest.raises(TotalTimeout):
                await conn.open(Timeout(total=10), started - 1)
            assert not conn.connected


async def test_surrender_and_adopt() -> None:
    """A stream moves from one connection to another and back, between any two exchanges; the origin may be another."""
    async with raw_server(script_once(reply(b"1"), reply(b"2"), reply(b"3"))) as server:
        first, second = (AsyncHTTPConnection(server.host, server.port, strict=True) for _ in range(2))
        assert await fetch(first) == b"1"
        stream = first.surrender()
        assert stream is not None
        assert not first.connected
        second.adopt(stream, Origin("http", "example.org", 8080, 80))
        assert second.connected
        assert await fetch(second) == b"2"
        assert b"\r\nHost: example.org:8080\r\n" in server.raw
        assert second.surrender() is stream
        assert second.surrender() is None
        first.adopt(stream, Origin("http", server.host, server.port, 80))
        assert await fetch(first) == b"3"
        assert server.connections == 1
        await second.close()
        await first.close()


async def test_surrender_of_what_is_not_idle() -> None:
    """Only an open and idle stream is surrendered; else the connection stays as it is."""
    async with raw_server(script_once(reply(b"one"), reply(b"two"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert conn.surrender() is None
            await conn.request("GET", "/")
            assert conn.surrender() is None
            response = await conn.getresponse()
            assert conn.surrender() is None
            assert await response.read() == b"one"
            conn.putrequest("GET", "/")
            assert conn.surrender() is None
            await conn.endheaders()
            reading = asyncio.create_task(conn.getresponse())
            await asyncio.sleep(0)
            assert conn.surrender() is None
            assert await (await reading).read() == b"two"
            await conn.close()
            assert conn.surrender() is None


async def test_surrender_of_a_spoiled_stream() -> None:
    """A stream on which something has arrived is not surrendered."""
    async with raw_server(script_once(reply(b"one") + POISON)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"one"
            await until(lambda: not conn.connected)
            assert conn.surrender() is None
