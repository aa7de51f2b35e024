"""Cancelled at any await, the library leaves no socket, no task and no timer, but a connection that works again."""

from __future__ import annotations

import asyncio
import gc
import io
import traceback
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import ExchangeState
from aiohttpclient.errors import IncompleteRead, PhaseTimeout, ResponseNotReady
from aiohttpclient.net import _race
from tests.net.stepping import MOST, Ending, Moment, abandoned_at, disturbed_at, sweep
from tests.net.streams import turns, until
from tests.support.leaks import open_descriptors, other_tasks

from .exchanges import ALL, GET, NAMED, PLAIN, PROXY, SENDS, TLS, TLS_PROXY, Exchange, Route, again, serving

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttpclient import AsyncHTTPConnection, AsyncHTTPResponse
    from aiohttpclient.net import StreamProtocol
    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit


pytestmark = pytest.mark.usefixtures("far")


def client_sockets(server: RawServer) -> list[str]:
    """The client's open sockets: those whose peer is the server."""
    address = (server.host, server.port)
    return [each.describe() for each in open_descriptors() if each.addresses()[1:] == [address]]


def library_tasks() -> list[str]:
    """Unfinished tasks that the library or what it uses has started."""
    return [
        repr(task)
        for task in other_tasks()
        if task.get_name().startswith("aiohttpclient") or "run_one_coro" in repr(task.get_coro())
    ]


def timers() -> list[Any]:
    """The timers in the running loop; uvloop does not show them."""
    return [handle for handle in getattr(asyncio.get_running_loop(), "_scheduled", ()) if not handle.cancelled()]


class Bystander:
    """Looks at what a run has left, in the step in which it ends, and when it has ended."""

    def __init__(self, server: RawServer, conn: AsyncHTTPConnection) -> None:
        self.server = server
        self.conn = conn
        self.timers = timers()
        self.tasks = len(other_tasks())

    def ended(self, ending: Ending) -> None:
        assert client_sockets(self.server) == [], str(ending)
        assert library_tasks() == [], str(ending)
        if ending.cancelled:
            assert not self.conn.connected, str(ending)
            assert self.conn.state is ExchangeState.IDLE, str(ending)

    async def after(self, ending: Ending) -> None:
        left = timers()
        assert left == self.timers, f"{ending}: {left}"
        await again(self.conn)
        # Connections are accepted in order: all that were ever made have been accepted now.
        await self.server.wait_closed(self.server.connections)
        await asyncio.sleep(0)
        assert len(other_tasks()) == self.tasks, f"{ending}: {other_tasks()}"


async def cancel_everywhere(exchange: Exchange, route: Route, tls: TlsKit, moment: Moment) -> int:
    """Cancel ``exchange`` at each of its awaits in turn, and look at what is left; how many there were."""
    asyncio.get_running_loop().set_debug(False)
    if route is NAMED:
        await asyncio.get_running_loop().getaddrinfo("localhost", 80)  # starts the thread
    async with serving(exchange.answer, route, tls) as server:
        conn = route.connect(server, tls)
        bystander = Bystander(server, conn)

        async def work() -> None:
            await exchange.act(conn)

        return await sweep(moment, work, ended=bystander.ended, after=bystander.after)


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
async def test_near(tls: TlsKit, moment: Moment, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a peer that accepts at once there are fewer awaits; there a cancellation leaves nothing behind either."""
    far = await cancel_everywhere(GET, PLAIN, tls, moment)
    monkeypatch.undo()
    assert (await cancel_everywhere(GET, PLAIN, tls, moment) < far) is _race.ASKS_AGAIN


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
@pytest.mark.parametrize("exchange", ALL, ids=str)
async def test_plain(exchange: Exchange, tls: TlsKit, moment: Moment) -> None:
    """At every await of every kind of exchange on a plain connection, a cancellation leaves nothing behind."""
    assert await cancel_everywhere(exchange, PLAIN, tls, moment) >= exchange.waits + PLAIN.waits


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
@pytest.mark.parametrize("exchange", ALL, ids=str)
async def test_tls(exchange: Exchange, tls: TlsKit, moment: Moment) -> None:
    """At every await of every kind of exchange over TLS, a cancellation leaves nothing behind."""
    assert await cancel_everywhere(exchange, TLS, tls, moment) >= exchange.waits + TLS.waits


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
@pytest.mark.parametrize("exchange", [GET, SENDS[0]], ids=str)
@pytest.mark.parametrize("route", [NAMED, PROXY, TLS_PROXY], ids=str)
async def test_routes(exchange: Exchange, route: Route, tls: TlsKit, moment: Moment) -> None:
    """At every await on the way to a server, look-up and tunnels included, a cancellation leaves nothing behind."""
    assert await cancel_everywhere(exchange, route, tls, moment) >= exchange.waits + route.waits


# -- other ways to be interrupted


@pytest.mark.parametrize("how", ["close", "abort"])
@pytest.mark.parametrize("route", [PLAIN, TLS], ids=str)
@pytest.mark.parametrize("exchange", ALL, ids=str)
async def test_closed_by_another_task(exchange: Exchange, route: Route, tls: TlsKit, how: str) -> None:
    """When another task closes the connection at any await, the first gets an error, and nothing is left."""
    asyncio.get_running_loop().set_debug(False)
    closers: list[asyncio.Task[None]] = []
    async with serving(exchange.answer, route, tls) as server:
        conn = route.connect(server, tls)
        bystander = Bystander(server, conn)

        async def close() -> None:
            if how == "close":
                await conn.close()
            else:
                conn.abort()

        for number in range(1, MOST):
            try:
                async with asyncio.timeout(10):
                    disturbed = await disturbed_at(
                        number, exchange.act(conn), lambda: closers.append(asyncio.create_task(close()))
                    )
            except (ConnectionError, ResponseNotReady, IncompleteRead):
                disturbed = True
            await asyncio.gather(*closers)
            closers.clear()
            ending = Ending(number, Moment.WAITING, cancelled=disturbed)
            assert conn.state is ExchangeState.IDLE, str(ending)
            assert not conn.connected, str(ending)
            await until(lambda: not client_sockets(server) and timers() == bystander.timers)
            await bystander.after(ending)
            if not disturbed:
                break
        assert number > exchange.waits


ABANDONABLE = tuple(each for each in ALL if not set(each.name.split()) & {"blocks", "file", "iterable", "reset"})
"""Exchanges without asynchronous generators, which only their loop can close, and without ``sendfile``, a task."""


@pytest.mark.parametrize("route", [PLAIN, TLS], ids=str)
@pytest.mark.parametrize("exchange", ABANDONABLE, ids=str)
async def test_abandoned(exchange: Exchange, route: Route, tls: TlsKit) -> None:
    """A coroutine that is closed instead of cancelled, at any await on an open connection, aborts the connection."""
    asyncio.get_running_loop().set_debug(False)
    async with serving(exchange.answer, route, tls) as server:
        conn = route.connect(server, tls)
        bystander = Bystander(server, conn)
        for number in range(1, MOST):
            await conn.connect()
            abandoned = await abandoned_at(number, exchange.act(conn))
            ending = Ending(number, Moment.WAITING, cancelled=abandoned)
            assert not conn.connected, str(ending)
            await until(lambda: not client_sockets(server))
            await until(lambda: not library_tasks() and timers() == bystander.timers)
            await bystander.after(ending)
            if not abandoned:
                break
        assert number >= exchange.waits


async def _stall(peer: Peer) -> None:
    """Take the request, and say nothing."""
    await peer.read_head()


async def _stall_in_body(peer: Peer) -> None:
    """Send half of the answer."""
    await peer.read_head()
    await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(50000))


async def _get(conn: AsyncHTTPConnection) -> None:
    await conn.request("GET", "/")
    response = await conn.getresponse()
    await response.read()


@pytest.mark.parametrize("route", [PLAIN, TLS, PROXY, TLS_PROXY], ids=str)
@pytest.mark.parametrize("answer", [_stall, _stall_in_body])
async def test_timeout_around(answer: Callable[[Peer], Awaitable[None]], route: Route, tls: TlsKit) -> None:
    """``asyncio.timeout`` around an exchange ends it with ``TimeoutError`` and the socket closed."""
    async with serving(answer, route, tls) as server:
        conn = route.connect(server, tls)
        bystander = Bystander(server, conn)
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                try:
                    await _get(conn)
                finally:
                    bystander.ended(Ending(0, Moment.WAITING, cancelled=True))
        assert not isinstance(caught.value, PhaseTimeout)
        await bystander.after(Ending(0, Moment.WAITING, cancelled=True))


async def test_cancelled_before_it_starts(tls: TlsKit) -> None:
    """A task that is cancelled before its first step opens nothing, and the connection works."""
    async with serving(GET.answer, PLAIN, tls) as server:
        conn = PLAIN.connect(server, tls)
        task = asyncio.get_running_loop().create_task(_get(conn))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await again(conn)


async def test_response_of_a_cancelled_read(tls: TlsKit) -> None:
    """A response whose reading was cancelled says so when it is read again, and cannot disturb the next exchange."""
    async with serving(_stall_in_body, PLAIN, tls) as server:
        conn = PLAIN.connect(server, tls)
        await conn.request("GET", "/")
        response = await conn.getresponse()
        task = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert response.closed
        with pytest.raises(ResponseNotReady, match="cancelled"):
            await response.read()
        await conn.request("GET", "/again")
        answer = await conn.getresponse()
        with pytest.raises(ResponseNotReady):
            await response.read()
        await response.close()
        assert await answer.read() == b"here"
        await conn.close()


async def test_group_of_tasks(tls: TlsKit) -> None:
    """When one task of a group fails, the exchanges of the others end, and the group leaves no socket."""
    async with serving(_stall, TLS, tls) as server:
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                for _ in range(5):
                    group.create_task(_get(TLS.connect(server, tls)))
                await server.wait_connections(5)
                await asyncio.sleep(0)
                raise LookupError
        assert len(caught.value.exceptions) == 1
        assert client_sockets(server) == []


@pytest.mark.parametrize("how", ["read", "read some", "read into", "blocks"])
@pytest.mark.parametrize("interruption", ["cancelled", "reset"])
async def test_lent_memory_is_given_back(how: str, interruption: str, tls: TlsKit) -> None:
    """Memory lent to the transport is given back when a read is interrupted, whatever the traceback still refers to.

    A ``BytesIO`` whose memory is lent out when the collector finds it crashes Python before 3.12.2 (gh-111049).
    """

    async def answer(peer: Peer) -> None:
        await _stall_in_body(peer)
        await interrupt.wait()
        peer.reset()

    async def read(response: AsyncHTTPResponse) -> None:
        if how == "read":
            await response.read()
        elif how == "read some":
            await response.read(80_000)
        elif how == "read into":
            await response.readinto(target)
        else:
            async for _ in response.iter_bytes():
                pass

    interrupt, target = asyncio.Event(), bytearray(90_000)
    async with serving(answer, PLAIN, tls) as server:
        conn = PLAIN.connect(server, tls)
        await conn.request("GET", "/")
        task = asyncio.create_task(read(await conn.getresponse()))
        await turns(20)
        if interruption == "cancelled":
            task.cancel()
        interrupt.set()
        with pytest.raises((asyncio.CancelledError, ConnectionError)) as caught:
            await task
        for frame, _ in traceback.walk_tb(caught.tb):
            for name, value in frame.f_locals.items():
                if isinstance(value, io.BytesIO):
                    value.close()  # BufferError while any of it is lent
                if isinstance(value, memoryview):
                    with pytest.raises(ValueError, match="released"):
                        assert not len(value), f"{name} of {frame}"
        target.clear()


@pytest.mark.parametrize("route", [PLAIN, TLS], ids=str)
async def test_nothing_keeps_a_cancelled_stream(route: Route, tls: TlsKit) -> None:
    """After a cancellation nothing but garbage refers to the stream: no loop, timer, transport or connection does."""
    made: weakref.WeakSet[StreamProtocol] = weakref.WeakSet()
    async with serving(_stall_in_body, route, tls) as server:
        conn = route.connect(server, tls)
        task = asyncio.create_task(_get(conn))
        while conn.state is not ExchangeState.READING_RESPONSE:
            await asyncio.sleep(0)
        assert conn._stream is not None
        made.add(conn._stream)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        await server.wait_closed(1)
        gc.collect()
        assert not made
