"""Bodies on their way to the peer: answers that come too early, ends without an answer, files, and arithmetic."""

from __future__ import annotations

import asyncio
import contextvars
import gzip
import io
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    AsyncHTTPSConnection,
    ExchangeState,
    HTTPException,
    RemoteDisconnected,
    Timeout,
    TotalTimeout,
    WriteTimeout,
)
from aiohttpclient.connection import _sender
from aiohttpclient.connection._connection import SMALL
from aiohttpclient.connection._heads import HeadReader
from aiohttpclient.connection._request import Plan
from aiohttpclient.net import StreamProtocol
from aiohttpclient.wire import MessageLimits
from tests.net.streams import open_stream, turns, uses_data_received
from tests.support.server import raw_server, reply, script_once

from .exchanges import fetch, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit

LARGE = 40 * 1024 * 1024
"""Bytes. Far more than the kernel takes of a body that nobody reads."""

REPETITIONS = {"closes": 30, "resets": 30, "half closes": 5, "keeps open": 5, "reads on": 3}
"""An early answer races with the body, most of all where the connection ends; each race must have the same outcome."""

TOO_LARGE = reply(b"too large", status="413 Content Too Large")

every_security = pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])


def connection_to(server: RawServer, tls: TlsKit, **options: Any) -> AsyncHTTPConnection:
    if server.url.startswith("https"):
        return AsyncHTTPSConnection(server.host, server.port, context=tls.client, **options)
    return AsyncHTTPConnection(server.host, server.port, **options)


@pytest.fixture
def large_file(tmp_path: Path) -> Iterator[BinaryIO]:
    """A file of ``LARGE`` bytes that takes no room on the disk."""
    with (tmp_path / "large").open("w+b") as file:
        file.truncate(LARGE)
        yield file


class Blocks:
    """An async iterable of ``size`` bytes in blocks, which knows whether it was closed."""

    def __init__(self, size: int = LARGE, block: bytes = bytes(65536)) -> None:
        self.size = size
        self.block = block
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for _ in range(self.size // len(self.block)):
                yield self.block
        finally:
            self.closed = True


# -- an answer that comes too early

WHOLE = bytes(LARGE)

BODIES: dict[str, tuple[Callable[[Any], Any], dict[str, str]]] = {
    "bytes": (lambda file: WHOLE, {}),
    "file": (lambda file: file, {"Content-Length": str(LARGE)}),
    "chunked file": (lambda file: file, {}),
    "async iterable": (lambda file: Blocks(), {"Content-Length": str(LARGE)}),
    "chunked iterable": (lambda file: Blocks(), {}),
    "list": (lambda file: [WHOLE], {}),
}


async def answered(peer: Peer, ending: str, done: asyncio.Event) -> None:
    """What a server does after it has refused a body that it does not read."""
    if ending == "keeps open":
        await done.wait()
    elif ending == "reads on":
        await peer.read_until_eof()
    elif ending == "half closes":
        peer.half_close()
        await done.wait()
    elif ending == "closes":
        peer.close()
    else:
        peer.reset()


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("ending", REPETITIONS)
@every_security
async def test_early_refusal(body: str, ending: str, secure: bool, tls: TlsKit, large_file: BinaryIO) -> None:
    """A 413 that comes while the body is being sent is delivered, whatever the server does then; no broken pipe."""
    make, headers = BODIES[body]
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number % 3:
            await peer.read_exactly(peer.number * 10_000)
        await peer.send(TOO_LARGE)
        await answered(peer, ending, done)

    async with raw_server(script, ssl=tls.good if secure else None) as server:
        async with connection_to(server, tls, timeout=Timeout(write=10)) as conn:
            for number in range(1, REPETITIONS[ending] + 1):
                large_file.seek(0)
                content = make(large_file)
                await conn.request("PUT", "/", content, headers)
                assert conn.stopped
                response = await conn.getresponse()
                assert (response.status, response.will_close) == (413, True)
                assert await response.read() == b"too large"
                assert not conn.connected
                assert server.connections == number
                if isinstance(content, Blocks):
                    assert content.closed
                done.set()
                await server.wait_closed(number)
                done.clear()


@pytest.mark.parametrize("status", ["301 Moved", "400 Bad Request", "401 Unauthorized", "500 Error", "503 Unavailable"])
async def test_every_refusal_stops_the_body(status: str) -> None:
    """Every final status from 300 on ends the sending (RFC 9112 section 9.5)."""
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"no", status=status))
        await done.wait()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("PUT", "/", Blocks())
        response = await conn.getresponse()
        assert response.status == int(status[:3])
        assert await response.read() == b"no"
        done.set()


@pytest.mark.parametrize("kind", ["bytes", "blocks", "file"])
@every_security
async def test_early_success_does_not_stop_the_body(kind: str, secure: bool, tls: TlsKit, tmp_path: Path) -> None:
    """A 200 that comes early does not: the peer may still be reading; and the connection goes on after it."""
    body = bytes(range(256)) * 40_000
    path = tmp_path / "body"
    path.write_bytes(body)
    received: list[bytes] = []

    async def script(peer: Peer) -> None:
        for _ in range(2):
            await peer.read_head()
            await peer.send(reply(b"yes"))
            for _ in range(20):
                await asyncio.sleep(0)
            received.append(await peer.read_exactly(len(body)))
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        for _ in range(2):
            with path.open("rb") as file:
                content = {"bytes": body, "blocks": Blocks(len(body), body[:102_400]), "file": file}[kind]
                assert await fetch(conn, "PUT", "/", content, {"Content-Length": str(len(body))}) == b"yes"
            assert conn.connected
        assert server.connections == 1
        await until(lambda: len(received) == 2)
    if kind != "blocks":
        assert received == [body, body]


@pytest.mark.parametrize("ending", ["closes", "resets"])
@every_security
async def test_early_success_and_the_end(ending: str, secure: bool, tls: TlsKit) -> None:
    """An early 200 after which the server ends the connection is delivered too."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"enough", "Connection: close"))
        await answered(peer, ending, asyncio.Event())

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        for _ in range(5):
            assert await fetch(conn, "PUT", "/", Blocks()) == b"enough"
            assert not conn.connected


@pytest.mark.parametrize("kind", ["bytes", "blocks", "file"])
async def test_informational_does_not_stop_the_body(kind: str, tmp_path: Path) -> None:
    """1xx responses in the middle of a body are offered to the callback, and the body goes on."""
    size = 10_000_000
    path = tmp_path / "body"
    path.write_bytes(bytes(size))
    seen: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        await peer.read_exactly(size // 2)
        await peer.send(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
        await peer.read_exactly(size // 2)
        await peer.send(reply(b"received"))

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(
            server.host, server.port, on_informational=lambda status, reason, headers: seen.append(status)
        ) as conn:
            with path.open("rb") as file:
                content = {"bytes": bytes(size), "blocks": Blocks(size, bytes(100_000)), "file": file}[kind]
                assert await fetch(conn, "PUT", "/", content, {"Content-Length": str(size)}) == b"received"
    assert seen == [100, 103]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("ending", ["half closes", "closes", "resets"])
@every_security
async def test_end_without_an_answer(body: str, ending: str, secure: bool, tls: TlsKit, large_file: BinaryIO) -> None:
    """A connection that ends in the middle of a body, without an answer, is RemoteDisconnected."""
    make, headers = BODIES[body]
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await answered(peer, ending, done)

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        for _ in range(5):
            large_file.seek(0)
            content = make(large_file)
            with pytest.raises(RemoteDisconnected):
                await fetch(conn, "PUT", "/", content, headers)
            assert not conn.connected
            assert conn.state is ExchangeState.IDLE
            if isinstance(content, Blocks):
                assert content.closed
        done.set()


@pytest.mark.parametrize("raw", [b"HTTP/1.1 413 Content", b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 5\r\n"])
@pytest.mark.parametrize("ending", ["closes", "resets"])
async def test_end_within_an_answer(raw: bytes, ending: str) -> None:
    """Half an answer is none: an HTTPException, and not a broken pipe either."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(raw)
        await answered(peer, ending, asyncio.Event())

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        for _ in range(5):
            with pytest.raises(HTTPException):
                await fetch(conn, "PUT", "/", Blocks())


async def test_nonsense_while_a_body_is_sent() -> None:
    """An answer that is none ends the sending with the error that it is, and closes the connection."""
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 abc\r\n\r\n")
        await done.wait()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        blocks = Blocks()
        with pytest.raises(HTTPException):
            await conn.request("PUT", "/", blocks)
        assert blocks.closed
        assert not conn.connected
        done.set()


async def test_sending_piece_by_piece_after_a_refusal() -> None:
    """After a refusal, what is still passed to ``send`` is not sent, and the answer is there."""
    refused = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.read_exactly(5)
        await peer.send(TOO_LARGE)
        refused.set()
        assert await peer.read_until_eof() == b""

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.putrequest("PUT", "/")
        conn.putheader("Content-Length", 20)
        await conn.endheaders()
        await conn.send(b"first")
        await refused.wait()
        for _ in range(5):
            await asyncio.sleep(0)
        await conn.send(b"second")
        await conn.send([b"and", b"third"])
        response = await conn.getresponse()
        assert await response.read() == b"too large"
        assert not conn.connected


# -- an answer that comes while there is nothing to send


class Silent:
    """An async iterable that gives ``first``, and then nothing more; it knows that it waits, and that it was closed."""

    def __init__(self, *first: bytes) -> None:
        self.first = first
        self.waiting = asyncio.Event()
        self.go_on = asyncio.Event()
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            for block in self.first:
                yield block
            self.waiting.set()
            await self.go_on.wait()
            yield b"last"
        finally:
            self.closed = True


every_silence = pytest.mark.parametrize(
    ("first", "headers"),
    [((), {}), ((b"block",), {}), ((b"block",), {"Content-Length": "1000"})],
    ids=["at once", "after a block", "of a declared length"],
)


@every_silence
@pytest.mark.parametrize("ending", REPETITIONS)
@every_security
async def test_refusal_of_a_silent_body(
    first: tuple[bytes, ...], headers: dict[str, str], ending: str, secure: bool, tls: TlsKit
) -> None:
    """A refusal is the answer at once, also while the caller's own iterator is silent, which is closed then."""
    body = Silent(*first)
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        await peer.send(TOO_LARGE)
        await answered(peer, ending, done)

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await conn.request("PUT", "/", body, headers)
        assert body.closed
        assert conn.stopped
        assert conn._stream is None or conn._stream.watcher is None
        response = await conn.getresponse()
        assert (response.status, await response.read()) == (413, b"too large")
        assert not conn.connected
        done.set()
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()


@every_silence
@pytest.mark.parametrize("ending", ["half closes", "closes", "resets"])
@every_security
async def test_end_while_a_body_is_silent(
    first: tuple[bytes, ...], headers: dict[str, str], ending: str, secure: bool, tls: TlsKit
) -> None:
    """The end of the connection without an answer is RemoteDisconnected at once, also then."""
    body = Silent(*first)
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        await answered(peer, ending, done)

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        with pytest.raises(RemoteDisconnected):
            await conn.request("PUT", "/", body, headers)
        assert body.closed
        assert not conn.connected
        done.set()


@pytest.mark.parametrize("ending", ["closes", "resets"])
async def test_early_success_and_the_end_of_a_silent_body(ending: str) -> None:
    """A 200 after which the server is gone is the answer too; the rest of the body could reach nobody."""
    body = Silent(b"block")

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        await peer.send(reply(b"enough", "Connection: close"))
        await answered(peer, ending, asyncio.Event())

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        assert await fetch(conn, "PUT", "/", body) == b"enough"
        assert body.closed


@every_security
async def test_silent_body_that_nobody_refuses(secure: bool, tls: TlsKit) -> None:
    """Neither 1xx nor half an answer nor a 200 ends a silent body: it goes on when its iterator does."""
    body = Silent(b"block")
    seen: list[int] = []
    pieces = [
        b"HTTP/1.1 103 Early Hints\r\n",
        b"Link: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"Content-Length: 2\r\n\r\nok",
    ]

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        for piece in pieces:
            await peer.send(piece)
            await turns(20)
        body.go_on.set()
        assert (await peer.read_until_eof()).endswith(b"4\r\nlast\r\n0\r\n\r\n")

    async with raw_server(script, ssl=tls.good if secure else None) as server:
        told = connection_to(server, tls, on_informational=lambda status, reason, headers: seen.append(status))
        async with told as conn:
            assert await fetch(conn, "PUT", "/", body) == b"ok"
            assert seen == [103]
            assert not conn.stopped


async def test_nonsense_while_a_body_is_silent() -> None:
    """An answer that is none, and what the callback for 1xx raises, end a silent body with that error."""
    pieces = [b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\n"]

    def on_informational(*_: object) -> None:
        raise ZeroDivisionError

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await bodies[peer.number].waiting.wait()
        await peer.send(pieces[peer.number])
        await peer.read_until_eof()

    bodies = [Silent(b"block"), Silent(b"block")]
    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, on_informational=on_informational) as conn:
            for body, error in zip(bodies, (HTTPException, ZeroDivisionError), strict=True):
                with pytest.raises(error):
                    await conn.request("PUT", "/", body)
                assert body.closed
                assert not conn.connected


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_closed_while_a_body_is_silent(how: str) -> None:
    """Who closes the connection ends the wait for the iterator as well."""
    body = Silent(b"block")

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        task = asyncio.create_task(conn.request("PUT", "/", body))
        await body.waiting.wait()
        if how == "close":
            await conn.close()
        else:
            conn.abort()
        with pytest.raises(ConnectionAbortedError, match="the connection was closed by"):
            await task
        assert body.closed


@pytest.mark.parametrize("then", ["gives more", "gives nothing", "ends", "raises", "is cancelled"])
async def test_silent_body_that_clings(then: str) -> None:
    """What an iterator does with the end of its wait does not hold the answer back; its own error is raised."""
    waiting = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"block"
        try:
            waiting.set()
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if then == "raises":
                raise ZeroDivisionError from None
            if then == "is cancelled":
                await turns(5)
                raise
            while then.startswith("gives"):
                yield b"more" if then == "gives more" else b""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await waiting.wait()
        await peer.send(TOO_LARGE)
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        if then == "raises":
            with pytest.raises(ZeroDivisionError):
                await conn.request("PUT", "/", body())
        else:
            assert await fetch(conn, "PUT", "/", body()) == b"too large"
        assert not conn.connected


@pytest.mark.parametrize("ending", ["closes", "resets"])
@pytest.mark.parametrize("silent", [True, False])
async def test_iterator_that_cleans_up(silent: bool, ending: str) -> None:
    """What an iterator does when it is closed is not interrupted by what happens to the connection meanwhile."""
    waiting, cleaning = asyncio.Event(), asyncio.Event()
    cleaned: list[bool] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            waiting.set()
            while not silent:
                yield bytes(65536)
            await asyncio.Event().wait()
        finally:
            stream = conn._stream
            assert stream is not None
            cleaning.set()
            await until(lambda: stream.lost)
            await turns(5)
            cleaned.append(True)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await waiting.wait()
        await peer.send(TOO_LARGE)
        await cleaning.wait()
        await answered(peer, ending, asyncio.Event())

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        assert await fetch(conn, "PUT", "/", body()) == b"too large"
        assert cleaned


async def test_refusal_of_a_silent_piece() -> None:
    """Step by step, a refusal ends the ``send`` of a silent iterator, and what is sent after that is not sent."""
    body = Silent(b"block")

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        await peer.send(TOO_LARGE)
        assert await peer.read_until_eof() == b"block"

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.putrequest("PUT", "/")
        conn.putheader("Content-Length", 20)
        await conn.endheaders()
        await conn.send(body)
        assert body.closed
        await conn.send(b"second")
        assert await (await conn.getresponse()).read() == b"too large"


async def test_refusal_of_a_silent_file() -> None:
    """A file that is read by a coroutine is silent in the same way, and that coroutine is told."""
    waiting = asyncio.Event()
    told: list[bool] = []

    class File:
        async def read(self, size: int) -> bytes:
            if not waiting.is_set():
                waiting.set()
                return b"block"
            try:
                await asyncio.Event().wait()
            finally:
                told.append(True)
            return b""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.read_exactly(10)
        await peer.send(TOO_LARGE)
        assert await peer.read_until_eof() == b""

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        assert await fetch(conn, "PUT", "/", File()) == b"too large"
        assert told
        assert not conn.connected


@pytest.mark.parametrize("grace", [0.0, None])
async def test_pieces_that_must_not_be_interrupted(grace: float | None) -> None:
    """Where the maker of pieces says that a wait must not be interrupted, the refusal waits for the next piece."""

    class Pieces(Silent):
        def __init__(self) -> None:
            super().__init__(b"block")
            self.grace = grace

    body = Pieces()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        await peer.send(TOO_LARGE)
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        task = asyncio.create_task(fetch(conn, "PUT", "/", body))
        await body.waiting.wait()
        stream = conn._stream
        assert stream is not None
        await until(lambda: bool(stream.reader.buffered) or task.done())
        await turns(20)
        assert task.done() is (grace is not None)
        body.go_on.set()
        assert await task == b"too large"
        assert body.closed


@pytest.mark.parametrize("then", ["comes", "does not come"])
@pytest.mark.parametrize("what", ["a refusal", "nonsense", "the end"])
async def test_pieces_that_have_some_time(then: str, what: str) -> None:
    """A maker of pieces that asks for time has it, and what ends the sending is told all the same."""

    class Pieces(Silent):
        grace = 30.0 if then == "comes" else 0.05

    body = Pieces()
    answer = {"a refusal": TOO_LARGE, "nonsense": b"HTTP/1.1 abc\r\n\r\n", "the end": b""}[what]

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        await peer.send(answer)
        if answer:
            await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        task = asyncio.create_task(fetch(conn, "PUT", "/", body))
        await body.waiting.wait()
        sender = conn._sender
        assert sender is not None
        await until(lambda: sender.stopped or sender._seen is not None or task.done())
        if then == "comes":
            await turns(20)
            assert not task.done()
            body.go_on.set()
        if what == "a refusal":
            assert await task == b"too large"
        else:
            with pytest.raises(RemoteDisconnected if what == "the end" else HTTPException):
                await task
        assert body.closed
        assert not conn.connected


async def test_cancelled_as_a_silent_body_is_refused() -> None:
    """Who is cancelled in the moment in which the refusal comes is cancelled."""
    body = Silent(b"block")

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        await peer.send(TOO_LARGE)
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        task = asyncio.create_task(conn.request("PUT", "/", body))
        await body.waiting.wait()
        sender = conn._sender
        assert sender is not None
        await until(lambda: sender.stopped or task.done())
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert body.closed
        assert not conn.connected


async def test_fields_of_context_while_a_body_is_silent() -> None:
    """The callback for 1xx sees the context of the request, also when the iterator is silent."""
    body = Silent(b"block")
    word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="none")
    seen: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await body.waiting.wait()
        await peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n" + TOO_LARGE)
        await peer.read_until_eof()

    async with raw_server(script) as server:
        told = AsyncHTTPConnection(server.host, server.port, on_informational=lambda *_: seen.append(word.get()))
        async with told as conn:
            await conn.connect()
            word.set("request")
            assert await fetch(conn, "PUT", "/", body) == b"too large"
    assert seen == ["request"]


# -- Expect: 100-continue

EXPECT = {"Expect": "100-continue"}


async def nothing_comes(peer: Peer) -> None:
    """The client sends nothing for now."""
    before = len(peer.raw)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(peer.raw) == before


@pytest.mark.parametrize("body", ["bytes", "file", "blocks", "disk"])
@every_security
async def test_continue(body: str, secure: bool, tls: TlsKit, tmp_path: Path) -> None:
    """A body that expects 100 Continue is sent when that has come, and not before."""
    path = tmp_path / "body"
    path.write_bytes(b"body")

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.read_head()
            assert b"\r\nExpect: 100-continue\r\n" in head
            await nothing_comes(peer)
            await peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            await nothing_comes(peer)
            await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            received = await (peer.read_exactly(4) if b"Content-Length: 4" in head else peer.read_until(b"0\r\n\r\n"))
            await peer.send(reply(received))

    async with raw_server(script, ssl=tls.good if secure else None) as server:
        async with connection_to(server, tls, expect_timeout=30) as conn:
            for _ in range(2):
                with path.open("rb") as disk:
                    content = {
                        "bytes": b"body",
                        "file": io.BytesIO(b"body"),
                        "blocks": Blocks(4, b"body"),
                        "disk": disk,
                    }
                    sent = await fetch(conn, "PUT", "/", content[body], EXPECT)
                assert sent == (b"body" if body == "bytes" else b"4\r\nbody\r\n0\r\n\r\n")
            assert server.connections == 1


@pytest.mark.parametrize("status", ["417 Expectation Failed", "401 Unauthorized", "200 OK", "204 No Content"])
@pytest.mark.parametrize("body", ["bytes", "blocks"])
async def test_final_response_instead_of_continue(status: str, body: str) -> None:
    """A final response instead of 100 Continue is the response; the body is not sent, and the connection not reused."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"final" if status[:3] != "204" else b"", status=status))
        assert await peer.read_until_eof() == b""

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, expect_timeout=30) as conn:
            blocks = Blocks()
            await conn.request("PUT", "/", b"body" if body == "bytes" else blocks, EXPECT)
            response = await conn.getresponse()
            assert (response.status, response.will_close) == (int(status[:3]), True)
            await response.read()
            assert not conn.connected
            assert not blocks.closed  # it was never begun


async def test_continue_that_does_not_come() -> None:
    """A server that ignores the expectation gets the body after a while (RFC 9110 section 10.1.1)."""

    async def script(peer: Peer) -> None:
        for _ in range(2):
            await peer.read_head()
            await peer.send(reply(await peer.read_exactly(4)))

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, expect_timeout=0.05) as conn:
            for _ in range(2):
                assert await fetch(conn, "PUT", "/", b"body", EXPECT) == b"body"
            assert server.connections == 1


async def test_continue_that_comes_late() -> None:
    """A 100 Continue that comes after the body was sent is skipped."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        body = await peer.read_exactly(4)
        await peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" + reply(body))

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, expect_timeout=0.01) as conn:
            assert await fetch(conn, "PUT", "/", b"body", EXPECT) == b"body"


async def test_end_instead_of_continue() -> None:
    """A connection that ends instead is RemoteDisconnected, and at once."""

    async def script(peer: Peer) -> None:
        await peer.read_head()

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, expect_timeout=30) as conn:
            with pytest.raises(RemoteDisconnected):
                await fetch(conn, "PUT", "/", b"body", EXPECT)


async def test_expectation_without_a_body() -> None:
    """A request without a body waits for nothing, whatever it expects."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, expect_timeout=30) as conn:
            async with asyncio.timeout(10):
                assert await fetch(conn, "GET", "/", None, EXPECT) == b"ok"


@pytest.mark.parametrize("answer", [b"HTTP/1.1 100 Continue\r\n\r\n", reply(b"no", status="417 Expectation Failed")])
async def test_continue_step_by_step(answer: bytes) -> None:
    """Step by step, ``endheaders`` waits for 100 Continue, and ``send`` sends nothing after a refusal."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await nothing_comes(peer)
        await peer.send(answer)
        if b"100" in answer:
            await peer.send(reply(await peer.read_exactly(4)))
        else:
            assert await peer.read_until_eof() == b""

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, expect_timeout=30) as conn:
            conn.putrequest("PUT", "/")
            conn.putheader("Expect", "100-continue")
            conn.putheader("Content-Length", 4)
            await conn.endheaders()
            await conn.send(b"bo")
            await conn.send(b"dy")
            response = await conn.getresponse()
            assert await response.read() == (b"body" if b"100" in answer else b"no")
            assert conn.connected is (b"100" in answer)


# -- files


class Spy:
    """Counts the bytes that go by ``loop.sock_sendfile``, the work behind ``loop.sendfile``; uvloop has neither."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent = 0
        self.loop = asyncio.get_running_loop()
        self.is_stock = isinstance(self.loop, asyncio.BaseEventLoop)
        if self.is_stock:
            self._sendfile = self.loop.sock_sendfile
            monkeypatch.setattr(self.loop, "sock_sendfile", self.sendfile)

    async def sendfile(self, *arguments: Any, **options: Any) -> int:
        count = await self._sendfile(*arguments, **options)
        self.sent += count
        return count


async def echo(peer: Peer) -> None:
    """Answer each request with its body, without chunks."""
    while True:
        head, body = await peer.read_request()
        if b"chunked" in head:
            lines = io.BytesIO(body)
            body = b""
            while size := int(lines.readline(), 16):
                body += lines.read(size)
                assert lines.read(2) == b"\r\n"
        await peer.send(reply(body))


PART = _sender.SENDFILE_PART


@pytest.mark.parametrize("size", [1, 1000, PART - 1, PART, PART + 1, 3 * PART + 5])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_regular_file(size: int, chunked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file on disk is sent whole, inside the kernel where the loop can do that, and is at its end then."""
    body = os.urandom(size)
    path = tmp_path / "body"
    path.write_bytes(body)
    spy = Spy(monkeypatch)
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        for _ in range(2):
            with path.open("rb") as file:
                assert await fetch(conn, "PUT", "/", file, {} if chunked else {"Content-Length": str(size)}) == body
                assert file.tell() == size
        assert server.connections == 1
    assert spy.sent == (2 * size if spy.is_stock else 0)


async def test_file_from_its_position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is sent from its position, also where a part of it was read into a buffer."""
    path = tmp_path / "body"
    path.write_bytes(bytes(range(256)))
    spy = Spy(monkeypatch)
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with path.open("rb") as file:
            file.read(100)
            assert await fetch(conn, "PUT", "/", file) == bytes(range(100, 256))
    assert spy.sent == (156 if spy.is_stock else 0)


async def test_file_step_by_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``send`` and ``endheaders`` send files in the same way."""
    path = tmp_path / "body"
    path.write_bytes(b"0123456789")
    spy = Spy(monkeypatch)
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with path.open("rb") as file, path.open("rb") as other:
            conn.putrequest("PUT", "/")
            conn.putheader("Content-Length", 20)
            await conn.endheaders(file)
            await conn.send(other)
            assert await (await conn.getresponse()).read() == b"01234567890123456789"
    assert spy.sent == (20 if spy.is_stock else 0)


async def test_files_over_tls(tls: TlsKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over TLS files are read and encrypted, since a kernel that sends a file does not encrypt it."""
    path = tmp_path / "body"
    path.write_bytes(bytes(range(256)) * 3000)
    spy = Spy(monkeypatch)
    async with raw_server(echo, ssl=tls.good) as server, connection_to(server, tls) as conn:
        with path.open("rb") as file:
            assert await fetch(conn, "PUT", "/", file) == path.read_bytes()
    assert spy.sent == 0


async def test_packed_file_is_not_a_regular_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compressed file is sent as what is in it, although it has a descriptor."""
    path = tmp_path / "body.gz"
    path.write_bytes(gzip.compress(b"content" * 1000))
    spy = Spy(monkeypatch)
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with gzip.open(path) as file:
            assert await fetch(conn, "PUT", "/", file) == b"content" * 1000
    assert spy.sent == 0


async def test_text_file(tmp_path: Path) -> None:
    """A text file is sent as ISO-8859-1, whatever it is on disk."""
    path = tmp_path / "body"
    path.write_text("caf\xe9\n", encoding="utf-16")
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with path.open(encoding="utf-16") as file:
            assert await fetch(conn, "PUT", "/", file) == b"caf\xe9\n"


async def test_loop_without_sendfile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the loop or the transport has no sendfile, files are read and sent all the same."""
    path = tmp_path / "body"
    path.write_bytes(bytes(range(256)) * 3000)
    loop = asyncio.get_running_loop()
    if isinstance(loop, asyncio.BaseEventLoop):  # uvloop has none anyway

        async def missing(*_: object, **__: object) -> int:
            raise asyncio.SendfileNotAvailableError("not here")

        monkeypatch.setattr(loop, "sock_sendfile", missing)
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with path.open("rb") as file:
            assert await fetch(conn, "PUT", "/", file) == path.read_bytes()
        with path.open("rb") as file:
            headers = {"Content-Length": str(path.stat().st_size)}
            assert await fetch(conn, "PUT", "/", file, headers) == path.read_bytes()


@pytest.mark.parametrize(
    ("chunked", "secure"),
    [(False, False), (True, False), (False, True)],
    ids=["length-plain", "chunked-plain", "length-TLS"],
)
async def test_file_that_shrinks(chunked: bool, secure: bool, tls: TlsKit, tmp_path: Path) -> None:
    """A file that shrinks while it is sent is an error, and closes the connection: the rest cannot be made up.

    Only where it is read block by block, and each becomes a chunk, nothing was promised that could be missed.
    """
    size = 20_000_000
    path = tmp_path / "body"
    path.write_bytes(bytes(size))

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.read_exactly(1_000_000)
        os.truncate(path, 1_000_000)
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        with path.open("rb") as file, pytest.raises(ValueError, match=r"shrank|short of its Content-Length"):
            await conn.request("PUT", "/", file, {} if chunked else {"Content-Length": str(size)})
        assert not conn.connected


async def test_file_that_grows(tmp_path: Path) -> None:
    """A file that grows while it is sent is sent as long as it was, by the length that was declared."""
    size = 5_000_000
    path = tmp_path / "body"
    path.write_bytes(bytes(size))

    async def script(peer: Peer) -> None:
        await peer.read_head()
        with path.open("ab") as more:
            more.write(b"more" * 1_000_000)
        await peer.read_exactly(size)
        await nothing_comes(peer)
        await peer.send(reply(b"ok"))

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with path.open("rb") as file:
            assert await fetch(conn, "PUT", "/", file, {"Content-Length": str(size)}) == b"ok"


async def test_cancelled_within_a_file(large_file: BinaryIO) -> None:
    """A task that is cancelled while a file is sent leaves nothing running, and the connection closed."""
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await done.wait()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        task = asyncio.create_task(conn.request("PUT", "/", large_file))
        await until(lambda: any(peer.raw for peer in server.peers))
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not conn.connected
        done.set()


async def test_slow_file_does_not_block_the_loop() -> None:
    """While a file that is slow is read, other connections of the loop go on."""
    asked, go_on = threading.Event(), threading.Event()

    class Slow:
        def __init__(self) -> None:
            self.blocks = [b"slow", b""]

        def read(self, size: int) -> bytes:
            asked.set()
            assert go_on.wait(10)
            return self.blocks.pop(0)

    async with raw_server(echo) as server:
        async with (
            AsyncHTTPConnection(server.host, server.port) as slow,
            AsyncHTTPConnection(server.host, server.port) as quick,
        ):
            sending = asyncio.create_task(fetch(slow, "PUT", "/", Slow()))
            await until(asked.is_set)
            for _ in range(3):
                assert await fetch(quick, "PUT", "/", b"quick") == b"quick"
            assert not sending.done()
            go_on.set()
            assert await sending == b"slow"


# -- arithmetic


@pytest.mark.parametrize("declared", [3, 5])
@pytest.mark.parametrize("kind", ["file", "disk", "list", "blocks"])
async def test_length_that_is_wrong(declared: int, kind: str, tmp_path: Path) -> None:
    """A body longer or shorter than declared is an error, and closes the connection; no byte too many is sent."""
    path = tmp_path / "body"
    path.write_bytes(b"abab")

    async def script(peer: Peer) -> None:
        await peer.read_head()
        assert b"abab".startswith(await peer.read_until_eof())

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with path.open("rb") as disk:
            content = {
                "file": io.BytesIO(b"abab"),
                "disk": disk,
                "list": [b"ab", b"ab"],
                "blocks": Blocks(4, b"ab"),
            }[kind]
            with pytest.raises(ValueError, match=r"(longer than|short of) its Content-Length"):
                await conn.request("PUT", "/", content, {"Content-Length": str(declared)})
        assert not conn.connected
        await server.wait_closed()
        assert len(server.raw.partition(b"\r\n\r\n")[2]) <= declared


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_iterable_that_fails(secure: bool, tls: TlsKit) -> None:
    """What an iterable raises reaches the caller; the connection is closed, so that half a body stays half a body."""
    closed: list[str] = []

    async def failing() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            raise KeyError("raised in a body")
        finally:
            closed.append("async")

    def plain() -> Iterator[bytes]:
        try:
            yield b"first"
            raise KeyError("raised in a body")
        finally:
            closed.append("plain")

    async def script(peer: Peer) -> None:
        await peer.read_head()
        assert await peer.read_until_eof() == b"5\r\nfirst\r\n"

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        for body in (failing(), plain()):
            with pytest.raises(KeyError):
                await conn.request("PUT", "/", body)
            assert not conn.connected
            assert conn.state is ExchangeState.IDLE
    assert closed == ["async", "plain"]


@pytest.mark.parametrize("piece", [5, None, [b"x"]])
async def test_iterable_of_something_else(piece: Any) -> None:
    """A piece that is neither bytes nor text is a TypeError, and closes the iterator and the connection."""
    closed = []

    async def body() -> AsyncIterator[Any]:
        try:
            yield b"first"
            yield piece
        finally:
            closed.append(True)

    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with pytest.raises(TypeError, match="bytes-like or str"):
            await conn.request("PUT", "/", body())
        assert closed
        assert not conn.connected


async def test_cancelled_iterable() -> None:
    """A task that is cancelled while it waits for a piece closes the iterator too."""
    waiting, closed = asyncio.Event(), []

    async def body() -> AsyncIterator[bytes]:
        try:
            yield b"first"
            waiting.set()
            await asyncio.Event().wait()
        finally:
            closed.append(True)

    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        task = asyncio.create_task(conn.request("PUT", "/", body()))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert closed
        assert not conn.connected


# -- the total


@pytest.mark.parametrize("first", [True, False], ids=["at once", "after a block"])
@every_security
async def test_total_of_blocks_that_do_not_come(first: bool, secure: bool, tls: TlsKit) -> None:
    """The total also ends the waiting for the caller's own blocks; their iterator and the connection are closed."""
    closed: list[bool] = []

    async def body() -> AsyncIterator[bytes]:
        try:
            if not first:
                yield b"block"
            await asyncio.Event().wait()
            yield b"never"
        finally:
            closed.append(True)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await conn.connect()
        conn.timeout = Timeout(total=0.05)
        with pytest.raises(TotalTimeout) as caught:
            await conn.request("PUT", "/upload", body())
        assert closed == [True]
        assert caught.value.limit == 0.05
        assert 0.05 <= caught.value.elapsed < 5
        assert (caught.value.method, caught.value.url) == ("PUT", f"{server.url}/upload")
        assert caught.value.__cause__ is None
        assert not conn.connected
        task = asyncio.current_task()
        assert task is not None
        assert not task.cancelling()


async def test_total_of_blocks_step_by_step() -> None:
    """The total of an exchange holds in each call of ``send``."""

    async def body() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b"never"

    async with raw_server(echo) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.connect()
            conn.timeout = Timeout(total=0.05)
            conn.putrequest("PUT", "/")
            conn.putheader("Content-Length", 10)
            await conn.endheaders()
            with pytest.raises(TotalTimeout):
                await conn.send(body())
            assert not conn.connected


@pytest.mark.parametrize("total", [None, 30])
@pytest.mark.parametrize("error", [TimeoutError("of the caller"), WriteTimeout(1, 1.5), asyncio.CancelledError()])
async def test_timeout_of_the_blocks_own(total: float | None, error: BaseException) -> None:
    """A timeout, or a cancellation, that the caller's own blocks raise is not taken for the total."""

    async def body() -> AsyncIterator[bytes]:
        yield b"block"
        raise error

    async with raw_server(echo) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=Timeout(total=total)) as conn:
            with pytest.raises(type(error)) as caught:
                await conn.request("PUT", "/", body())
            assert caught.value is error
            assert not conn.connected


async def test_blocks_that_outlive_their_total() -> None:
    """An iterator that swallows the cancellation by which the total ends its wait does not get past the total."""

    async def body() -> AsyncIterator[bytes]:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            yield b"late"
            yield b"later"

    async with raw_server(echo) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.connect()
            conn.timeout = Timeout(total=0.05)
            with pytest.raises(TotalTimeout):
                await conn.request("PUT", "/", body())
            assert not conn.connected


# -- what the sender tells, and what it tells the stream


@pytest.mark.parametrize("body", [None, b"body"])
@pytest.mark.parametrize("dead", [False, True])
async def test_refused(dead: bool, body: bytes | None) -> None:
    """A transport that the very first write finds closed has taken nothing; a loop that writes later may not tell."""
    async with open_stream() as (stream, wire):
        stream.quiet = False
        heads = HeadReader(stream)
        heads.adapt(MessageLimits(), strict=False)
        sender = _sender.BodySender(heads, len(body or b""), 10, 8192)
        if dead:
            wire.reset()
        await sender.send_request(b"PUT / HTTP/1.1\r\n\r\n", body, Plan([], len(body or b"")), 1)
        assert sender.refused is dead or (dead and uses_data_received(stream))


async def test_refused_is_of_the_first_write() -> None:
    """A transport that a later write finds closed has taken something, so nothing is said to be refused."""
    async with open_stream() as (stream, wire):
        stream.quiet = False
        heads = HeadReader(stream)
        heads.adapt(MessageLimits(), strict=False)
        sender = _sender.BodySender(heads, 4, 10, 8192)
        await sender.send_request(b"PUT / HTTP/1.1\r\n\r\n", None, Plan([], 4), 1)
        wire.reset()
        await sender.send(b"body")
        assert sender.refused is False


@pytest.mark.parametrize("body", ["file", "chunked file", "async iterable", "bytes"])
@every_security
async def test_metered(
    body: str, secure: bool, tls: TlsKit, large_file: BinaryIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waits of a body are metered, but for those of a file that the kernel may send: it is not known how fast."""
    waits: list[bool] = []
    waiting = asyncio.Event()
    wait = StreamProtocol.wait

    def spy(stream: Any, seconds: Any, timeout: Any, metered: bool = True) -> Any:
        if timeout is WriteTimeout:
            waits.append(metered)
            waiting.set()
        return wait(stream, seconds, timeout, metered)

    async def script(peer: Peer) -> None:
        for _ in range(2):
            await waiting.wait()
            await peer.read_request()
            await peer.send(reply(b"ok"))

    monkeypatch.setattr(StreamProtocol, "wait", spy)
    size = LARGE // 5  # more than the kernel takes while the script waits, and read to its end
    large_file.truncate(size)
    bodies = {"bytes": bytes(size), "file": large_file, "chunked file": large_file, "async iterable": Blocks(size)}
    headers = {"Content-Length": str(size)} if "Content-Length" in BODIES[body][1] else {}
    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await conn.connect()
        assert conn._stream is not None
        by_the_kernel = "file" in body and conn._stream.sendfile_works
        assert await fetch(conn, "PUT", "/", bodies[body], headers) == b"ok"
        assert waits
        assert set(waits) == {not by_the_kernel}
        waits.clear()
        waiting.clear()
        assert await fetch(conn, "PUT", "/", Blocks(size)) == b"ok"
        assert set(waits) == {True}


# -- sizes


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 262_144, 262_145, 2_000_000])
@every_security
async def test_sizes(size: int, secure: bool, tls: TlsKit) -> None:
    """Bodies around the sizes at which they are sent differently arrive as they are, in one piece or in chunks."""
    body = os.urandom(size)
    async with raw_server(echo, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        for content in (body, [body], io.BytesIO(body), [body[: size // 2], body[size // 2 :]]):
            assert await fetch(conn, "PUT", "/", content) == body
        assert server.connections == 1


class Writes:
    """A transport that notes what is written to it."""

    def __init__(self, transport: Any) -> None:
        self._transport = transport
        self.written: list[bytes] = []

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))
        self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_small_body_goes_with_its_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small body is written together with its head: one segment, one system call."""
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.connect()
        assert conn._stream is not None
        writes = Writes(conn._stream.transport)
        monkeypatch.setattr(conn._stream, "transport", writes)
        for number, body in enumerate((b"body", b"b" * SMALL, b"b" * (SMALL + 1), bytearray(b"body"), "body"), 1):
            assert await fetch(conn, "POST", "/", body) == (body.encode() if isinstance(body, str) else body)
            assert len(writes.written) == number


async def test_body_is_not_kept_by_the_connection() -> None:
    """Nothing of a body that was sent is kept: it may be changed, or its memory given back."""
    body = bytearray(b"first" * 100_000)
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        assert await fetch(conn, "PUT", "/", body) == b"first" * 100_000
        body.clear()  # raises BufferError while anybody has a view of it


async def test_loop_turns_while_a_large_body_is_sent() -> None:
    """A large body is sent in slices, between which the loop turns."""
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.connect()
        turns = 0
        task = asyncio.create_task(conn.request("PUT", "/", bytes(3_000_000)))
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        assert turns > 5
        await (await conn.getresponse()).read()
