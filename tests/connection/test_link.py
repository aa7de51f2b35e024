"""The life of a connection: used by one task at a time, closed, by whomever; what its owner is told of that."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    AsyncHTTPSConnection,
    CannotSendRequest,
    ConcurrentUse,
    ExchangeState,
    ImproperConnectionState,
    InvalidURL,
    ResponseNotReady,
)
from aiohttpclient.connection import _link
from tests.support.server import raw_server, reply, script_once

from .exchanges import POISON, Dials, Listener, connection_to, fetch, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttpclient import AsyncHTTPResponse
    from tests.support.server import Peer
    from tests.support.tls import TlsKit


# -- what it is


def test_attributes() -> None:
    """A connection has the attributes of http.client's."""
    conn = AsyncHTTPConnection("www.example.org", 8080, timeout=10)
    assert (conn.host, conn.port, conn.timeout) == ("www.example.org", 8080, 10)
    assert (conn.default_port, conn.auto_open, conn.debuglevel, conn.strict) == (80, True, 0, False)
    assert conn.state is ExchangeState.IDLE
    assert not conn.connected
    conn.set_debuglevel(1)
    assert conn.debuglevel == 1
    assert conn.get_proxy_response_headers() is None


def test_arguments_by_position() -> None:
    """The arguments of the constructors have the order of the documentation."""
    conn = AsyncHTTPConnection("example.org", 81, True, 5, ("127.0.0.1", 0))
    assert (conn.strict, conn.timeout, conn.source_address) == (True, 5, ("127.0.0.1", 0))
    secure = AsyncHTTPSConnection("example.org", 444, None, None, True, 5, ("127.0.0.1", 0))
    assert (secure.strict, secure.timeout, secure.source_address) == (True, 5, ("127.0.0.1", 0))


@pytest.mark.parametrize("blocksize", [0, -1])
def test_blocksize_that_cannot_be_used(blocksize: int) -> None:
    """Blocks have at least one byte."""
    with pytest.raises(ValueError, match="blocksize"):
        AsyncHTTPConnection("example.org", blocksize=blocksize)


async def test_repr() -> None:
    """The repr tells where to, what is going on, and whether there is a connection; it has no password in it."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            where = f"127.0.0.1:{server.port}"
            assert repr(conn) == f"<AsyncHTTPConnection {where} IDLE (not connected)>"
            await conn.connect()
            assert repr(conn) == f"<AsyncHTTPConnection {where} IDLE>"
            await conn.request("GET", "http://user:secret@127.0.0.1/")
            assert repr(conn) == f"<AsyncHTTPConnection {where} REQUEST_SENT>"
            response = await conn.getresponse()
            assert repr(conn) == f"<AsyncHTTPConnection {where} READING_RESPONSE>"
            assert "secret" not in repr(response)
    assert repr(AsyncHTTPConnection("::1", 81)) == "<AsyncHTTPConnection [::1]:81 IDLE (not connected)>"
    assert repr(AsyncHTTPConnection("a", uds="/x")) == "<AsyncHTTPConnection /x IDLE (not connected)>"


# -- closing


async def test_close() -> None:
    """``close()`` closes the connection, twice if need be; the next request opens another."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.close()
            assert await fetch(conn) == b"ok"
            await conn.close()
            await conn.close()
            assert not conn.connected
            await server.wait_closed()
            assert await fetch(conn) == b"ok"
            assert server.connections == 2


async def test_close_sends_what_is_unsent() -> None:
    """``close()`` waits until what was written has left: a request that nobody waits for arrives whole."""
    async with raw_server(_swallow) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        conn.putrequest("POST", "/")
        conn.putheader("Content-Length", 3_000_000)
        await conn.endheaders()
        await conn.send(bytes(3_000_000))
        await conn.close()
        await server.wait_closed()
        assert len(server.raw.partition(b"\r\n\r\n")[2]) == 3_000_000


async def _swallow(peer: Peer) -> None:
    await peer.read_until_eof()


async def test_close_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """``close()`` does not wait for ever for a peer that takes nothing."""
    monkeypatch.setattr(_link, "CLOSE_TIMEOUT", 0.05)
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await done.wait()

    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        await conn.connect()
        assert conn._stream is not None
        conn._stream.writer.write(bytes(20_000_000))
        async with asyncio.timeout(5):
            await conn.close()
        done.set()


async def test_abort() -> None:
    """``abort()`` closes the connection without waiting."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        conn.abort()
        await conn.request("GET", "/")
        conn.abort()
        assert not conn.connected
        assert conn.state is ExchangeState.IDLE
        with pytest.raises(ResponseNotReady):
            await conn.getresponse()
        await server.wait_closed()


async def test_async_with() -> None:
    """``async with`` closes the connection, also when the block fails."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        with pytest.raises(KeyError):
            async with AsyncHTTPConnection(server.host, server.port) as conn:
                assert await fetch(conn) == b"ok"
                raise KeyError
        assert not conn.connected
        await server.wait_closed()


async def test_forgotten_connection() -> None:
    """A connection that is forgotten complains, and is closed all the same."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        await fetch(conn)
        with pytest.warns(ResourceWarning, match=r"unclosed connection <AsyncHTTPConnection 127\.0\.0\.1") as caught:
            del conn
            gc.collect()
        assert len(caught) == 1
        await server.wait_closed()
        assert [peer.departure for peer in server.peers] == [None]  # an end of file, which its script waits for


async def test_forgotten_within_an_exchange() -> None:
    """The same in the middle of an exchange, when only the response was kept: that keeps the connection."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        await conn.request("GET", "/")
        response = await conn.getresponse()
        del conn
        gc.collect()
        assert await response.read() == b"ok"
        with pytest.warns(ResourceWarning, match="unclosed connection"):
            del response
            gc.collect()
        await server.wait_closed()


async def test_connection_that_was_never_opened() -> None:
    """A connection that was never opened, or could not be made, is forgotten in silence."""
    AsyncHTTPConnection("example.org")
    with pytest.raises(InvalidURL):
        AsyncHTTPConnection("a b")
    gc.collect()


# -- one task at a time


async def test_second_request_before_the_response() -> None:
    """A second request before the response is read is CannotSendRequest, and the first exchange goes on."""
    async with raw_server(script_once(reply(b"one"), reply(b"two"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/one")
            await refused(conn)
            response = await conn.getresponse()
            await refused(conn)
            assert await response.read(2) == b"on"
            await refused(conn)
            assert await response.read() == b"e"
            assert await fetch(conn) == b"two"
        assert server.raw.count(b"HTTP/1.1\r\n") == 2


async def refused(conn: AsyncHTTPConnection) -> None:
    """Every way to begin another request is refused now."""
    with pytest.raises(CannotSendRequest):
        await conn.request("GET", "/refused")
    with pytest.raises(CannotSendRequest):
        await conn.request("POST", "/refused", b"body")
    with pytest.raises(CannotSendRequest):
        conn.putrequest("GET", "/refused")
    with pytest.raises(CannotSendRequest):
        await conn.connect()


async def putrequest(conn: AsyncHTTPConnection) -> None:
    conn.putrequest("GET", "/intruder")


MEANWHILE: dict[str, Callable[[AsyncHTTPConnection], Awaitable[Any]]] = {
    "request": lambda conn: conn.request("GET", "/intruder"),
    "request with a body": lambda conn: conn.request("POST", "/intruder", b"body"),
    "putrequest": putrequest,
    "endheaders": lambda conn: conn.endheaders(),
    "send": lambda conn: conn.send(b"intruder"),
    "getresponse": lambda conn: conn.getresponse(),
    "connect": lambda conn: conn.connect(),
}
every_meanwhile = pytest.mark.parametrize("meanwhile", MEANWHILE)


async def intrude(conn: AsyncHTTPConnection, meanwhile: str) -> None:
    """What another task does is refused."""
    with pytest.raises(ImproperConnectionState):
        await MEANWHILE[meanwhile](conn)


@every_meanwhile
async def test_another_task_while_a_response_is_awaited(meanwhile: str) -> None:
    """While a task waits for a response, every other use of the connection is refused, and the response comes."""
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await go_on.wait()
        await peer.send(reply(b"answer"))
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        first = asyncio.create_task(conn.getresponse())
        await asyncio.sleep(0)
        await intrude(conn, meanwhile)
        go_on.set()
        assert await (await first).read() == b"answer"
        assert b"intruder" not in server.raw


@every_meanwhile
async def test_another_task_while_a_body_is_sent(meanwhile: str) -> None:
    """While a task sends a body, every other use of the connection is refused, and the body arrives whole."""
    go_on = asyncio.Event()
    body = bytes(5_000_000)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await go_on.wait()
        assert await peer.read_exactly(len(body)) == body
        await peer.send(reply(b"answer"))
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        first = asyncio.create_task(conn.request("PUT", "/", body))
        await until(lambda: conn.state is ExchangeState.SENDING_BODY)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not first.done()
        await intrude(conn, meanwhile)
        go_on.set()
        await first
        assert await (await conn.getresponse()).read() == b"answer"


@every_meanwhile
async def test_another_task_while_connecting(meanwhile: str) -> None:
    """While a task opens the connection, every other use of it is refused, and the request is sent."""
    dialer = Dials()
    dialer.go_on.clear()
    async with raw_server(script_once(reply(b"answer"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
            first = asyncio.create_task(fetch(conn))
            await until(lambda: bool(dialer.asked))
            await intrude(conn, meanwhile)
            dialer.go_on.set()
            assert await first == b"answer"
            assert server.connections == 1


async def test_many_tasks_on_one_connection() -> None:
    """Of many tasks that start at once one gets its answer, and all others a named error; no answer is mixed up."""

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.read_head()
            await peer.send(reply(head.split()[1]))

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        for _ in range(5):
            results = await asyncio.gather(
                *(fetch(conn, "GET", f"/{number}") for number in range(20)), return_exceptions=True
            )
            answers = [(number, result) for number, result in enumerate(results) if isinstance(result, bytes)]
            assert answers
            assert all(result == b"/%d" % number for number, result in answers)
            errors = [result for result in results if not isinstance(result, bytes)]
            assert all(isinstance(error, (ConcurrentUse, CannotSendRequest, ResponseNotReady)) for error in errors)


async def test_body_that_uses_its_own_connection() -> None:
    """A body that asks its own connection for something gets ConcurrentUse, and the request fails with that."""
    async with raw_server(_swallow) as server, AsyncHTTPConnection(server.host, server.port) as conn:

        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            yield await fetch(conn, "GET", "/intruder")

        with pytest.raises(ConcurrentUse):
            await conn.request("PUT", "/", body())
        assert not conn.connected


async def test_response_of_an_earlier_connection() -> None:
    """A response whose connection was closed has no say over the one that was opened since."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"second") if peer.number else b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst")
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/first")
        first = await conn.getresponse()
        await conn.close()
        await conn.request("GET", "/second")
        await first.close()
        with pytest.raises(ResponseNotReady):
            await first.read()
        second = await conn.getresponse()
        with pytest.raises(ResponseNotReady):
            await first.read()
        await first.close()
        assert await second.read() == b"second"
        assert conn.connected


# -- closed by another task


async def abort(conn: AsyncHTTPConnection) -> None:
    conn.abort()


CLOSERS: dict[str, Callable[[AsyncHTTPConnection], Awaitable[Any]]] = {
    "close": lambda conn: conn.close(),
    "abort": abort,
}
every_closer = pytest.mark.parametrize("closer", CLOSERS)


@every_closer
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_closed_while_a_response_is_awaited(closer: str, secure: bool, tls: TlsKit) -> None:
    """A task that waits for a response is woken by an error that says what happened when another closes."""
    async with raw_server(_swallow, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await conn.request("GET", "/")
        waiting = asyncio.create_task(conn.getresponse())
        await asyncio.sleep(0)
        await CLOSERS[closer](conn)
        with pytest.raises(ConnectionAbortedError, match="closed"):
            await waiting
        assert conn.state is ExchangeState.IDLE


@every_closer
@pytest.mark.parametrize("framing", [b"Content-Length: 100\r\n", b"Transfer-Encoding: chunked\r\n", b""])
@pytest.mark.parametrize("amount", [None, 50])
async def test_closed_while_a_body_is_read(closer: str, framing: bytes, amount: int | None) -> None:
    """A task that reads a body is woken as well, whatever the framing: it never takes that for the end of the body."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        response = await conn.getresponse()
        waiting = asyncio.create_task(response.read(amount))
        await asyncio.sleep(0)
        await CLOSERS[closer](conn)
        with pytest.raises((ConnectionAbortedError, ResponseNotReady), match=r"closed|aborted"):
            await waiting
        assert response.closed
        with pytest.raises((ConnectionAbortedError, ResponseNotReady)):
            await response.read()


@every_closer
async def test_closed_while_a_body_is_sent(closer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that sends a body is woken as well."""
    monkeypatch.setattr(_link, "CLOSE_TIMEOUT", 0.05)
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await done.wait()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        sending = asyncio.create_task(conn.request("PUT", "/", bytes(20_000_000)))
        await until(lambda: conn.state is ExchangeState.SENDING_BODY)
        for _ in range(20):
            await asyncio.sleep(0)
        await CLOSERS[closer](conn)
        with pytest.raises(ConnectionAbortedError):
            await sending
        done.set()


@every_closer
async def test_closed_while_connecting(closer: str) -> None:
    """Closing interrupts the opening of a connection at once: its task gets an error, and no connection is made."""
    dialer = Dials()
    dialer.go_on.clear()
    async with raw_server(_swallow) as server, AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
        opening = asyncio.create_task(conn.request("GET", "/"))
        await until(lambda: bool(dialer.asked))
        await CLOSERS[closer](conn)
        with pytest.raises(ConnectionAbortedError, match="closed"):
            await opening
        assert dialer.cancelled == 1
        assert not conn.connected
        assert server.connections == 0


@every_closer
async def test_closed_while_a_dialer_does_not_listen(closer: str) -> None:
    """What a dialer connects all the same, after the connection was closed, is closed, and does not appear."""
    dialer = Dials(stubborn=True)
    dialer.go_on.clear()
    async with raw_server(_swallow) as server, AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
        opening = asyncio.create_task(conn.request("GET", "/"))
        await until(lambda: bool(dialer.asked))
        await CLOSERS[closer](conn)
        await until(lambda: dialer.cancelled > 0)
        dialer.go_on.set()
        with pytest.raises(ConnectionAbortedError, match="closed"):
            await opening
        assert not conn.connected
        await server.wait_closed()
        assert server.raw == b""


@every_closer
async def test_closed_in_the_handshake(closer: str, tls: TlsKit) -> None:
    """Closing interrupts a handshake as well."""
    async with raw_server(_swallow) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            opening = asyncio.create_task(conn.connect())
            await until(lambda: any(peer.raw for peer in server.peers))
            await CLOSERS[closer](conn)
            with pytest.raises(ConnectionAbortedError, match="closed"):
                await opening
            await server.wait_closed()
            assert not conn.connected


@every_closer
async def test_opened_again_after_it_was_closed_while_connecting(closer: str) -> None:
    """A connection whose opening was interrupted can be opened again."""
    dialer = Dials()
    dialer.go_on.clear()
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
            opening = asyncio.create_task(conn.connect())
            await until(lambda: bool(dialer.asked))
            await CLOSERS[closer](conn)
            with pytest.raises(ConnectionAbortedError):
                await opening
            dialer.go_on.set()
            assert await fetch(conn) == b"ok"
            assert server.connections == 1


async def test_cancelled_while_it_is_closed() -> None:
    """A task that is cancelled in the tick in which another closes the connection is cancelled, and not merely told."""
    dialer = Dials()
    dialer.go_on.clear()
    conn = AsyncHTTPConnection("example.org", dialer=dialer)
    opening = asyncio.create_task(conn.connect())
    await until(lambda: bool(dialer.asked))
    conn.abort()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not conn.connected


@every_closer
async def test_used_again_while_the_first_task_is_being_woken(closer: str) -> None:
    """A task that closes the connection can use it at once for itself; the other one gets its error all the same."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number:
            await peer.send(reply(b"second"))
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/first")
        waiting = asyncio.create_task(conn.getresponse())
        await asyncio.sleep(0)
        conn.abort() if closer == "abort" else await conn.close()
        with contextlib.suppress(ConcurrentUse):
            assert await fetch(conn, "GET", "/second") == b"second"
        with pytest.raises(ConnectionAbortedError):
            await waiting


# -- what a pool is told


class Ledger:
    """An owner that notes what it is told, and in what state the connection is then."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool, ExchangeState]] = []

    def exchange_complete(self, conn: AsyncHTTPConnection, response: AsyncHTTPResponse) -> None:
        assert response.isclosed()
        self.told.append(("complete", conn.connected, conn.state))

    def connection_ended(self, conn: AsyncHTTPConnection) -> None:
        self.told.append(("ended", conn.connected, conn.state))


IDLE = ExchangeState.IDLE


@pytest.mark.parametrize(
    ("raw", "connected"),
    [
        (reply(b"answer"), True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n", True),
        (reply(b"answer", "Connection: close"), False),
        (reply(b"answer") + POISON, False),
    ],
)
async def test_owner_is_told_of_the_end_of_a_response(raw: bytes, connected: bool) -> None:
    """An owner is told in the step in which a response is complete, once; then the connection is nobody's."""
    async with raw_server(script_once(raw)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            conn.owner = ledger = Ledger()
            response = await conn.getresponse()
            assert await response.read(3) == b"ans"
            told_too_early = list(ledger.told)
            assert await response.read(3) == b"wer"
            await response.read()
            assert [told_too_early, ledger.told] == [[], [("complete", connected, IDLE)]]
            await conn.close()
            assert len(ledger.told) == 1


async def test_owner_is_told_of_a_response_without_a_body() -> None:
    """A response that has no body is complete when it is there."""
    async with raw_server(script_once(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            conn.owner = ledger = Ledger()
            await conn.getresponse()
            assert ledger.told == [("complete", True, IDLE)]


async def test_owner_is_told_of_the_end_of_a_connection() -> None:
    """An owner is told once when the connection is closed: by closing the response or the connection, or by a fault."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.")
        if peer.number < 4:
            await peer.read_until_eof()

    async def read(response: AsyncHTTPResponse, conn: AsyncHTTPConnection) -> None:
        with pytest.raises(Exception, match="IncompleteRead"):
            await response.read()

    async def cancel(response: AsyncHTTPResponse, conn: AsyncHTTPConnection) -> None:
        task = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    ends: list[Callable[[AsyncHTTPResponse, AsyncHTTPConnection], Awaitable[None]]] = [
        lambda response, _: response.close(),
        lambda _, conn: conn.close(),
        lambda _, conn: abort(conn),
        cancel,
        read,
    ]
    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for end in ends:
                await conn.request("GET", "/")
                response = await conn.getresponse()
                conn.owner = ledger = Ledger()
                await end(response, conn)
                assert ledger.told == [("ended", False, IDLE)]
                await response.close()
                await conn.close()
                conn.abort()
                assert len(ledger.told) == 1
                assert conn.owner is None


class Dying:
    """A server whose connections end in the ways that matter to whoever would repeat a request."""

    def __init__(self, first: bytes, rst: bool) -> None:
        self._first = first
        self._rst = rst

    async def __call__(self, peer: Peer) -> None:
        await peer.read_head()
        await peer.send(self._first)
        if self._rst:
            peer.reset()


@pytest.mark.parametrize("rst", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("first", "untouched"),
    [
        (b"", True),
        (b"H", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP", False),
        (b"garbage", False),
    ],
)
async def test_untouched(first: bytes, untouched: bool, rst: bool) -> None:
    """After a failure ``untouched`` tells whether not a byte of a response had come."""
    async with raw_server(Dying(first, rst)) as server:
        async with AsyncHTTPConnection(server.host, server.port, strict=True) as conn:
            await conn.request("GET", "/")
            with pytest.raises(Exception, match=r".*"):
                await conn.getresponse()
            assert conn.untouched is untouched


async def test_untouched_and_refused_of_a_second_request() -> None:
    """What is told is about the last request: what an earlier exchange received does not count."""
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            await conn.request("GET", "/")
            sock = listener.accept()
            await listener.answer(sock, reply(b"first"))
            assert await (await conn.getresponse()).read() == b"first"
            await conn.request("POST", "/", b"body")
            assert not conn.refused
            await listener.answer(sock, b"")
            sock.close()
            with pytest.raises(ConnectionError):
                await conn.getresponse()
            assert conn.untouched
            assert not conn.refused


@pytest.mark.parametrize("body", [None, b"body", b"", [b"bo", b"dy"]])
async def test_refused(body: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``refused`` tells that the transport was found closed by the very first write; on a loop that writes later it
    stays false.
    """
    tells = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            await conn.connect()
            stream = conn._stream
            assert stream is not None
            sock = listener.accept()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            monkeypatch.setattr(type(stream), "is_clean", lambda _: True)  # the reset comes after it was looked at
            with pytest.raises(ConnectionError):
                await conn.request("POST", "/", body)
                await conn.getresponse()
            assert conn.refused or not tells
            assert conn.untouched
            assert not conn.connected
