"""Requests over a pool: when their connections are free again, when they are repeated, and what bounds them."""

from __future__ import annotations

import asyncio
import gc
import io
import pickle
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import yarl

from aiohttpclient import (
    AsyncHTTPConnection,
    ConnectionPool,
    ConnectTimeout,
    HTTPException,
    IncompleteRead,
    InvalidHead,
    InvalidURL,
    PhaseTimeout,
    PoolLimits,
    PoolTimeout,
    ProtocolError,
    ReadTimeout,
    RemoteDisconnected,
    StallTimeout,
    Timeout,
    TimeoutManager,
    TotalTimeout,
    WriteTimeout,
)
from aiohttpclient.connection import DEFAULT_LIMITS
from aiohttpclient.net import ResumingContext, StreamProtocol, TCPDialer
from aiohttpclient.pool import Drop, EventKind, PoolEvent
from tests.connection.exchanges import Listener
from tests.support.server import raw_server, reply

from .servers import (
    CHUNKED,
    HALF,
    Clock,
    Counts,
    counts,
    dechunked,
    dropped,
    get,
    refusing_port,
    serving,
    silent_port,
    turns,
    until,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from aiohttpclient import AsyncHTTPResponse
    from tests.support.server import Peer
    from tests.support.tls import TlsKit

SOON = 0.05
"""Seconds; where real time has to pass."""

ONE = PoolLimits(connections=1)


# -- free again, in the step in which the response is complete


async def test_a_connection_is_used_again() -> None:
    """Requests one after the other go over one connection, and each gets its own answer."""
    async with serving() as (server, site), ConnectionPool() as pool:
        for number in range(5):
            assert await get(pool, f"{server.url}/{number}") == b"/%d" % number
        assert server.connections == 1
        stats = pool.stats()
        assert (stats.opened, stats.reused, stats.retried, dict(stats.dropped)) == (1, 4, 0, {})
        assert site.targets == [f"/{number}" for number in range(5)]


@pytest.mark.parametrize("arguments", [(), (None,), (1000,)])
async def test_free_when_the_body_is_read(arguments: tuple[Any, ...]) -> None:
    """The connection is idle in the very step in which ``read`` returns the last byte; until then it is busy."""
    async with serving() as (server, _), ConnectionPool() as pool:
        response = await pool.request("GET", f"{server.url}/body")
        assert counts(pool) == Counts(busy=1)
        assert not response.isclosed()
        assert await response.read(*arguments) == b"/body"
        if arguments == (1000,) and not response.isclosed():
            assert await response.read() == b""
        assert counts(pool) == Counts(idle=1)


BODYLESS = {
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n"),
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
    "HEAD, chunked": ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "no length": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    "POST": ("POST", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("kind", BODYLESS)
async def test_free_when_there_is_no_body(kind: str) -> None:
    """A response without a body leaves the connection idle in the step in which ``request`` returns."""
    method, raw = BODYLESS[kind]
    async with serving({"/": raw}) as (server, _), ConnectionPool() as pool:
        for _ in range(2):
            response = await pool.request(method, f"{server.url}/", b"body" if kind == "POST" else None)
            assert counts(pool) == Counts(idle=1)
            assert response.isclosed()
            assert await response.read() == b""
            assert counts(pool) == Counts(idle=1)
        assert server.connections == 1


async def read_by_pieces(response: AsyncHTTPResponse) -> bytes:
    body = b""
    while piece := await response.read(2):
        body += piece
    return body


async def read_by_read1(response: AsyncHTTPResponse) -> bytes:
    body = b""
    while piece := await response.read1(4):
        body += piece
    return body


async def read_into(response: AsyncHTTPResponse) -> bytes:
    target = bytearray(4)
    body = b""
    while count := await response.readinto(target):
        body += target[:count]
    return body


async def read_blocks(response: AsyncHTTPResponse) -> bytes:
    return b"".join([block async for block in response.iter_bytes()])


async def read_blocks_of_a_size(response: AsyncHTTPResponse) -> bytes:
    return b"".join([block async for block in response.iter_bytes(4)])


async def read_lines(response: AsyncHTTPResponse) -> bytes:
    return b"".join(await response.readlines())


READERS: dict[str, Callable[[AsyncHTTPResponse], Awaitable[bytes]]] = {
    "pieces": read_by_pieces,
    "read1": read_by_read1,
    "readinto": read_into,
    "iter_bytes": read_blocks,
    "iter_bytes of a size": read_blocks_of_a_size,
    "lines": read_lines,
}


@pytest.mark.parametrize("raw", [reply(b"onetwo"), CHUNKED], ids=["length", "chunked"])
@pytest.mark.parametrize("reader", READERS)
async def test_free_however_the_body_is_read(reader: str, raw: bytes) -> None:
    """In whatever way a body is read to its end, the connection is idle then, and carries the next request."""
    async with serving({"/": raw}) as (server, _), ConnectionPool() as pool:
        response = await pool.request("GET", f"{server.url}/")
        assert await READERS[reader](response) == b"onetwo"
        assert counts(pool) == Counts(idle=1)
        assert await get(pool, f"{server.url}/next") == b"/next"
        assert server.connections == 1


async def test_body_until_close() -> None:
    """A body that ends with the connection takes that along."""

    async def page(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nuntil close")
        peer.close()

    async with serving({"/": page}) as (server, _), ConnectionPool() as pool:
        assert await get(pool, f"{server.url}/") == b"until close"
        assert counts(pool) == Counts()
        assert dropped(pool) in ({Drop.LAST: 1}, {Drop.CUT: 1})  # as the end comes before or after it is read


LAST = {
    "close": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlast",
    "HTTP/1.0": b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nlast",
}


@pytest.mark.parametrize("kind", LAST)
async def test_last_response(kind: str) -> None:
    """A connection is not used again after a response that said it was the last, nor after HTTP/1.0."""
    async with serving({"/": LAST[kind]}) as (server, _), ConnectionPool() as pool:
        assert await get(pool, f"{server.url}/") == b"last"
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.LAST: 1}
        assert await get(pool, f"{server.url}/next") == b"/next"
        assert server.connections == 2


async def test_last_response_without_a_body() -> None:
    """The same of a response without a body."""
    raw = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
    async with serving({"/": raw}) as (server, _), ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.LAST: 1}


async def test_close_that_was_asked_for() -> None:
    """After a request with ``Connection: close`` the connection is not kept, whatever the server says."""
    async with serving() as (server, _), ConnectionPool() as pool:
        await get(pool, f"{server.url}/", headers={"Connection": "close"})
        assert dropped(pool) == {Drop.LAST: 1}


async def test_http_1_0_that_keeps_alive() -> None:
    """A connection of HTTP/1.0 is kept where the server says so."""
    raw = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 4\r\n\r\nkept"
    async with serving({"/": raw}) as (server, _), ConnectionPool() as pool:
        for _ in range(2):
            assert await get(pool, f"{server.url}/") == b"kept"
        assert server.connections == 1


async def test_closed_early() -> None:
    """A response that is closed before its end takes its connection along, and the next waiter has its room."""
    async with serving({"/": HALF}) as (server, _), ConnectionPool(ONE) as pool:
        response = await pool.request("GET", f"{server.url}/")
        waiting = asyncio.create_task(get(pool, f"{server.url}/next"))
        await turns()
        assert counts(pool) == Counts(busy=1, waiting=1)
        assert await response.read(4) == b"half"
        await response.close()
        assert dropped(pool) == {Drop.ABANDONED: 1}
        assert counts(pool) == Counts(connecting=1)
        assert await waiting == b"/next"
        await response.close()
        assert dropped(pool) == {Drop.ABANDONED: 1}


async def test_closed_after_its_end() -> None:
    """To close a response that was read to its end costs nothing: the connection is somebody else's by then."""
    async with serving() as (server, _), ConnectionPool(ONE) as pool:
        response = await pool.request("GET", f"{server.url}/first")
        await response.read()
        other = await pool.request("GET", f"{server.url}/other")
        await response.close()
        assert await response.read() == b""
        assert await other.read() == b"/other"
        assert server.connections == 1


FAILURES: dict[str, tuple[Callable[[Peer], Awaitable[None]], type[Exception]]] = {}


def failure(error: type[Exception]) -> Callable[[Callable[[Peer], Awaitable[None]]], None]:
    """What a server may do in the middle of a body, and what a client gets."""

    def note(page: Callable[[Peer], Awaitable[None]]) -> None:
        FAILURES[page.__name__] = page, error

    return note


@failure(IncompleteRead)
async def truncated(peer: Peer) -> None:
    await peer.send(HALF)
    peer.close()


@failure(ConnectionResetError)
async def reset(peer: Peer) -> None:
    await peer.send(HALF)
    peer.reset()


@failure(HTTPException)
async def broken_chunk(peer: Peer) -> None:
    await peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n")
    await peer.read_until_eof()


@failure(ReadTimeout)
async def stuck(peer: Peer) -> None:
    await peer.send(HALF)
    await peer.read_until_eof()


@pytest.mark.parametrize("kind", FAILURES)
async def test_failure_in_the_body(kind: str) -> None:
    """Whatever goes wrong in a body, the connection is gone when the error arrives, and its room is the next one's."""
    page, error = FAILURES[kind]
    async with serving({"/": page}) as (server, _), ConnectionPool(ONE, Timeout(read=SOON, pool=10)) as pool:
        response = await pool.request("GET", f"{server.url}/")
        waiting = asyncio.create_task(get(pool, f"{server.url}/next"))
        with pytest.raises(error):
            await response.read()
        assert sum(dropped(pool).values()) == 1
        assert counts(pool).waiting == 0
        assert await waiting == b"/next"
        assert server.connections == 2
        assert sum(dropped(pool).values()) == 1
        with pytest.raises(error):
            await response.read()


@pytest.mark.parametrize("whole", [False, True], ids=["half a body", "the whole body"])
async def test_connection_that_ends_while_nobody_reads(whole: bool) -> None:
    """A connection that ends before its response is read gives its room to the next one at once; what came is still
    there for whoever reads.
    """

    async def page(peer: Peer) -> None:
        await peer.send(reply(b"whole") if whole else HALF)
        peer.close()

    async with serving({"/": page}) as (server, _), ConnectionPool(ONE) as pool:
        response = await pool.request("GET", f"{server.url}/")
        assert await get(pool, f"{server.url}/next") == b"/next"
        assert dropped(pool) == {Drop.CUT: 1}
        if whole:
            assert await response.read() == b"whole"
        else:
            with pytest.raises(IncompleteRead) as caught:
                await response.read()
            assert caught.value.partial == b"half."
        await response.close()
        assert dropped(pool) == {Drop.CUT: 1}
        assert counts(pool) == Counts(idle=1)


async def test_cancelled_in_the_body() -> None:
    """A task that is cancelled while it reads leaves nothing of its connection behind."""
    async with serving({"/": HALF}) as (server, _), ConnectionPool(ONE) as pool:
        response = await pool.request("GET", f"{server.url}/")
        reading = asyncio.create_task(response.read())
        await turns()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert counts(pool) == Counts()
        assert await get(pool, f"{server.url}/next") == b"/next"


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"HTTP/1.1 200 OK\r\nbroken\r\n\r\n", InvalidHead),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", ProtocolError),
        (b"SSH-2.0-OpenSSH\r\n", HTTPException),
        (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", InvalidHead),
    ],
)
async def test_broken_head(raw: bytes, error: type[Exception]) -> None:
    """A head that is ambiguous or none at all is refused, and the connection with it: the pool reads strictly."""
    async with serving({"/": raw}) as (server, _), ConnectionPool(ONE) as pool:
        with pytest.raises(error):
            await pool.request("GET", f"{server.url}/")
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.FAILED: 1}
        assert await get(pool, f"{server.url}/next") == b"/next"


async def test_message_limits() -> None:
    """The bounds on what a peer may send are those of the pool."""
    from aiohttpclient import LimitExceeded, MessageLimits

    raw = reply(b"", "A: 1", "B: 2", "C: 3")
    async with serving({"/": raw}) as (server, _), ConnectionPool(message_limits=MessageLimits(fields=3)) as pool:
        with pytest.raises(LimitExceeded):
            await pool.request("GET", f"{server.url}/")


async def test_expect_timeout() -> None:
    """How long a body waits for 100 Continue is the pool's to say, of its own connections and of those it leases."""
    headers = {"Expect": "100-continue"}
    async with serving() as (server, site), ConnectionPool(expect_timeout=0.01) as pool:
        response = await pool.request("POST", f"{server.url}/", b"body", headers)
        await response.read()
        async with pool.connection(server.url) as conn:
            assert conn.expect_timeout == 0.01
            await conn.request("POST", "/leased", b"body", headers)
            await (await conn.getresponse()).read()
        assert [(asked.target, asked.body) for asked in site.asked] == [("/", b"body"), ("/leased", b"body")]


async def test_switched_protocols() -> None:
    """A 101 to a request is an error, since nobody could get at the stream, whether it was asked for or not."""
    raw = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: Upgrade\r\n\r\n"
    async with serving({"/": raw}) as (server, _), ConnectionPool(ONE) as pool:
        for headers in ({"Connection": "Upgrade", "Upgrade": "other"}, {}):
            with pytest.raises(ProtocolError):
                await pool.request("GET", f"{server.url}/", headers=headers)
            assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.FAILED: 2}


async def test_surplus_behind_the_answer() -> None:
    """Bytes behind an answer, in its segment, are never the next answer: the connection is gone in the same step."""
    raw = reply(b"first") + reply(b"poison")
    async with serving({"/": raw}) as (server, _), ConnectionPool() as pool:
        assert await get(pool, f"{server.url}/") == b"first"
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.UNEXPECTED_BYTES: 1}
        assert await get(pool, f"{server.url}/next") == b"/next"


async def test_surplus_behind_an_answer_without_a_body() -> None:
    """The same of an answer that is complete with its head."""
    async with serving({"/": BODYLESS["204"][1] + reply(b"poison")}) as (server, _), ConnectionPool() as pool:
        assert await get(pool, f"{server.url}/") == b""
        assert dropped(pool) == {Drop.UNEXPECTED_BYTES: 1}
        assert await get(pool, f"{server.url}/next") == b"/next"


async def test_end_behind_the_answer() -> None:
    """A server that closes right behind an answer that did not say so has closed an idle connection."""
    with Listener() as listener:
        async with ConnectionPool() as pool:
            asking = asyncio.create_task(pool.request("GET", f"http://127.0.0.1:{listener.port}/"))
            await until(lambda: pool.stats().busy)
            sock = listener.accept()
            await listener.answer(sock, reply(b"answer"))
            sock.close()
            assert await (await asking).read() == b"answer"
            await until(lambda: not pool.stats().idle)
            assert dropped(pool) == {Drop.SERVER_CLOSED: 1}


# -- repeated once, or not


class Mortal:
    """A server whose first connection ends while a request on it, the second one, waits for an answer.

    ``deaths`` connections end like that; what comes after is answered.
    """

    def __init__(self, first: bytes = b"", *, deaths: int = 1, rst: bool = False, body: bool = True) -> None:
        self.bodies: list[bytes] = []
        self.heads: list[bytes] = []
        self.again = asyncio.Event()
        self._first = first
        self._deaths = deaths
        self._rst = rst
        self._body = body

    async def __call__(self, peer: Peer) -> None:
        if peer.number == 0:
            await peer.read_request()
            await peer.send(reply(b"warm"))
        while True:
            head, body = await peer.read_request()
            self.heads.append(head)
            self.bodies.append(dechunked(head, body))
            if peer.number < self._deaths:
                await peer.send(self._first)
                peer.reset() if self._rst else peer.close()
                return
            await peer.send(reply(b"alive"))


@pytest.mark.parametrize("rst", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_repeated(method: str, rst: bool) -> None:
    """An idempotent request on a used connection that dies before an answer is sent once more, on a fresh one."""
    events: list[PoolEvent] = []
    script = Mortal(rst=rst)
    async with raw_server(script) as server, ConnectionPool(ONE, on_event=events.append) as pool:
        await get(pool, f"{server.url}/")
        response = await pool.request(method, f"{server.url}/again")
        assert response.status == 200
        await response.close()
        assert len(script.heads) == 2
        assert script.heads[0] == script.heads[1]
        assert server.connections == 2
        assert pool.stats().retried == 1
        retried = [event for event in events if event.kind is EventKind.RETRIED]
        assert [event.origin for event in retried] == [server.url]
        assert events.index(retried[0]) < max(
            index for index, event in enumerate(events) if event.kind is EventKind.OPENED
        )


@pytest.mark.parametrize("body", [None, b"body", [b"bo", b"dy"]], ids=["none", "bytes", "chunks"])
async def test_on_sent(body: Any) -> None:
    """A caller is told when the request is out, before there is an answer; and once more when it is sent again."""
    told: list[tuple[bool, int]] = []
    script = Mortal()
    async with raw_server(script) as server, ConnectionPool(ONE) as pool:
        await get(pool, f"{server.url}/")
        response = await pool.request(
            "PUT", f"{server.url}/", body, on_sent=lambda whole: told.append((whole, pool.stats().retried))
        )
        assert await response.read() == b"alive"
        assert told == [(True, 0), (True, 1)]


async def test_on_sent_that_fails() -> None:
    """What it raises is the failure of the request, whose connection is closed."""

    def fail(_: bool) -> None:
        raise ZeroDivisionError

    async with serving() as (server, _), ConnectionPool(ONE) as pool:
        with pytest.raises(ZeroDivisionError):
            await pool.request("GET", f"{server.url}/", on_sent=fail)
        assert counts(pool) == Counts()
        assert await get(pool, f"{server.url}/") == b"/"


async def test_repeated_once_only() -> None:
    """When the fresh connection dies too, the error is raised."""
    script = Mortal(deaths=9)
    async with raw_server(script) as server, ConnectionPool(ONE) as pool:
        await get(pool, f"{server.url}/")
        with pytest.raises(RemoteDisconnected):
            await pool.request("GET", f"{server.url}/again")
        assert len(script.heads) == 2
        assert server.connections == 2
        assert pool.stats().retried == 1
        assert counts(pool) == Counts()


async def test_every_connection_is_counted() -> None:
    """Each connection that was opened is there, or was dropped for a reason, the one that died before a retry too."""
    script = Mortal()
    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        await get(pool, f"{server.url}/again")
        stats = pool.stats()
        assert stats.opened == 2
        assert stats.opened == stats.idle + stats.busy + sum(stats.dropped.values())


async def test_post_is_not_repeated() -> None:
    """A POST whose bytes went out is not sent twice: the error is the caller's."""
    script = Mortal()
    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        with pytest.raises(RemoteDisconnected):
            await pool.request("POST", f"{server.url}/order", b"one book")
        await server.wait_closed()
        assert script.bodies == [b"one book"]
        assert server.connections == 1
        assert pool.stats().retried == 0
        assert dropped(pool) == {Drop.FAILED: 1}


@pytest.mark.parametrize("method", ["POST", "PATCH", "BREW", "get"])
@pytest.mark.parametrize("rst", [False, True], ids=["closed", "reset"])
async def test_methods_that_are_not_repeated(method: str, rst: bool) -> None:
    """What is not known to be idempotent is not repeated, with a body or without."""
    script = Mortal(rst=rst)
    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        with pytest.raises(ConnectionError):
            await pool.request(method, f"{server.url}/order")
        await server.wait_closed()
        assert len(script.heads) == 1


async def test_retry_that_is_turned_off() -> None:
    """With ``retry=False`` nothing is repeated."""
    script = Mortal()
    async with raw_server(script) as server, ConnectionPool(retry=False) as pool:
        await get(pool, f"{server.url}/")
        with pytest.raises(RemoteDisconnected):
            await pool.request("GET", f"{server.url}/again")
        assert len(script.heads) == 1
        assert pool.stats().retried == 0


async def test_first_use_is_not_repeated() -> None:
    """On a connection that has carried nothing yet, the end of it is the answer."""

    async def script(peer: Peer) -> None:
        await peer.read_request()

    async with raw_server(script) as server, ConnectionPool() as pool:
        with pytest.raises(RemoteDisconnected):
            await pool.request("GET", f"{server.url}/")
        assert server.connections == 1
        assert pool.stats().retried == 0


@pytest.mark.parametrize(
    "first",
    [b"H", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 103 Early Hints\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHT"],
)
@pytest.mark.parametrize("rst", [False, True], ids=["closed", "reset"])
async def test_not_repeated_once_it_was_answered(first: bytes, rst: bool) -> None:
    """A byte of an answer, be it of a 1xx, shows that the request was received: it is not repeated."""
    script = Mortal(first, rst=rst)
    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        with pytest.raises((HTTPException, ConnectionError)):
            await pool.request("GET", f"{server.url}/again")
        await server.wait_closed()
        assert len(script.heads) == 1
        assert pool.stats().retried == 0


def seeked(file: Any, at: int) -> Any:
    file.seek(at)
    return file


BODIES: dict[str, tuple[Callable[[Path], Any], bytes]] = {
    "bytes": (lambda _: b"a body", b"a body"),
    "bytearray": (lambda _: bytearray(b"a body"), b"a body"),
    "text": (lambda _: "a b\xf6dy", b"a b\xf6dy"),
    "no bytes": (lambda _: b"", b""),
    "many bytes": (lambda _: bytes(range(256)) * 2000, bytes(range(256)) * 2000),
    "list": (lambda _: [b"a ", b"body"], b"a body"),
    "memory file at an offset": (lambda _: seeked(io.BytesIO(b"not this; a body"), 10), b"a body"),
    "file at an offset": (lambda path: seeked(path.open("rb"), 10), b"a body"),
    "text file": (lambda _: seeked(io.StringIO("not this; a body"), 10), b"a body"),
}


@pytest.mark.parametrize("kind", BODIES)
async def test_body_that_is_repeated(kind: str, tmp_path: Path) -> None:
    """A body that can be had again goes out the second time as it went out the first, byte for byte."""
    make, sent = BODIES[kind]
    path = tmp_path / "file"
    path.write_bytes(b"not this; a body")
    script = Mortal()
    body = make(path)
    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        assert await get(pool, f"{server.url}/", "PUT", body) == b"alive"
        assert script.bodies == [sent, sent]
        assert script.heads[0] == script.heads[1]
    if hasattr(body, "close"):
        body.close()


async def test_large_body_that_is_repeated() -> None:
    """A body that was sent in part is sent whole the second time."""
    body = io.BytesIO(bytes(range(256)) * 20_000)
    got: list[bytes] = []

    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.read_request()
            await peer.send(reply(b"warm"))
            await peer.read_head()
            await peer.read_exactly(100_000)
            peer.reset()
        else:
            _, sent = await peer.read_request()
            got.append(sent)
            await peer.send(reply(b"alive"))

    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        headers = {"Content-Length": str(len(body.getvalue()))}
        assert await get(pool, f"{server.url}/", "PUT", body, headers) == b"alive"
        assert got == [body.getvalue()]


async def test_body_that_cannot_be_had_again() -> None:
    """A request whose body is used up is not repeated."""

    def generated() -> Any:
        yield b"a body"

    async def generated_later() -> AsyncIterator[bytes]:
        yield b"a body"

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self._left = [b"a body"]

        def read(self, size: int = -1) -> bytes:
            return self._left.pop() if self._left else b""

    for body in (generated(), generated_later(), iter([b"a body"]), Pipe()):
        script = Mortal()
        async with raw_server(script) as server, ConnectionPool() as pool:
            await get(pool, f"{server.url}/")
            with pytest.raises(RemoteDisconnected):
                await pool.request("PUT", f"{server.url}/", body)
            await server.wait_closed()
            assert script.bodies == [b"a body"]
            assert pool.stats().retried == 0


async def test_body_that_fails_is_not_repeated() -> None:
    """An error of the body itself is the caller's, whatever its class, and nothing is repeated for it."""

    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionResetError("where the body comes from")

    script = Mortal()
    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        with pytest.raises(ConnectionResetError, match="where the body comes from"):
            await pool.request("PUT", f"{server.url}/", Broken(b"a body"))
        assert counts(pool) == Counts()
        assert pool.stats().retried == 0


async def test_timeout_is_not_repeated() -> None:
    """A server that does not answer in time may still do what it was asked to: the request is not repeated."""
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"warm"))
        heads.append((await peer.read_request())[0])
        await peer.read_until_eof()

    async with raw_server(script) as server, ConnectionPool(timeout=Timeout(read=SOON)) as pool:
        await get(pool, f"{server.url}/")
        with pytest.raises(ReadTimeout):
            await pool.request("GET", f"{server.url}/again")
        assert len(heads) == 1
        assert server.connections == 1


async def test_cancelled_request_is_not_repeated() -> None:
    """A request that is cancelled while it waits for its answer is over when its task is."""
    stuck = asyncio.Event()

    async def page(peer: Peer) -> None:
        stuck.set()
        await peer.read_until_eof()

    async with serving({"/stuck": page}) as (server, site), ConnectionPool(ONE) as pool:
        await get(pool, f"{server.url}/")
        asking = asyncio.create_task(pool.request("GET", f"{server.url}/stuck"))
        await stuck.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert counts(pool) == Counts()
        assert site.targets == ["/", "/stuck"]
        assert dropped(pool) == {Drop.FAILED: 1}


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("end", ["closed", "reset", "bytes"])
async def test_stale_connection_is_found_before(method: str, end: str) -> None:
    """What happened to an idle connection, and the loop had no time to see, is found before a request is written: it
    goes over a fresh connection, a POST too, and this is no retry.
    """
    with Listener() as listener:
        async with ConnectionPool() as pool:
            url = f"http://127.0.0.1:{listener.port}/"
            asking = asyncio.create_task(get(pool, url))
            await until(lambda: pool.stats().busy)
            first = listener.accept()
            await listener.answer(first, reply(b"warm"))
            await asking
            assert counts(pool) == Counts(idle=1)
            if end == "bytes":
                first.sendall(reply(b"poison"))
            else:
                if end == "reset":
                    first.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SO_LINGER: RST
                first.close()
            body = b"one book" if method == "POST" else None
            asking = asyncio.create_task(get(pool, url, method, body))
            await until(lambda: pool.stats().opened == 2)
            second = listener.accept()
            await listener.answer(second, reply(b"fresh"))
            assert await asking == b"fresh"
            assert pool.stats().retried == 0
            reason = Drop.UNEXPECTED_BYTES if end == "bytes" else Drop.SERVER_CLOSED
            assert dropped(pool) == {reason: 1}


async def test_post_of_which_nothing_went_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A POST that the transport did not take is sent on a fresh connection, for nothing of it was sent.

    A loop that writes later cannot tell; then it is an error, and not sent twice.
    """
    tells = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    orders: list[bytes] = []

    async def script(peer: Peer) -> None:
        for _ in range(2):
            head, body = await peer.read_request()
            if head.startswith(b"POST"):
                orders.append(body)
            await peer.send(reply(b"done"))
            if peer.number == 0:
                await asyncio.Event().wait()

    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        looked = StreamProtocol.is_clean

        def looks_too_early(stream: StreamProtocol) -> bool:
            """The reset arrives after the pool has looked, and before it writes."""
            monkeypatch.setattr(StreamProtocol, "is_clean", looked)
            server.peers[0].reset()
            return True

        monkeypatch.setattr(StreamProtocol, "is_clean", looks_too_early)
        try:
            assert await get(pool, f"{server.url}/order", "POST", b"one book") == b"done"
            assert pool.stats().retried == 1
            assert orders == [b"one book"]
        except ConnectionError:
            assert not tells
            assert orders == []


async def test_retry_over_tls(tls: TlsKit) -> None:
    """Over TLS a request is repeated just the same, with or without a goodbye."""
    for rst in (False, True):
        script = Mortal(rst=rst)
        async with raw_server(script, ssl=tls.good) as server, ConnectionPool(ssl_context=tls.client) as pool:
            await get(pool, f"{server.url}/")
            assert await get(pool, f"{server.url}/again") == b"alive"
            assert pool.stats().retried == 1


async def test_retry_that_cannot_connect() -> None:
    """When the fresh connection cannot be had, that is the error, and the slot is free."""
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"warm"))
        await peer.read_request()
        await gone.wait()

    async with raw_server(script) as server, ConnectionPool(ONE) as pool:
        await get(pool, f"{server.url}/")
        asking = asyncio.create_task(pool.request("GET", f"{server.url}/again"))
        await turns()
        server._stop_listening()
        gone.set()
        with pytest.raises(ConnectionRefusedError) as caught:
            await asking
        assert vars(caught.value)["unsent"] is False
        assert counts(pool) == Counts()
        assert pool.stats().retried == 1


async def test_retry_of_what_nothing_went_out_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """When no fresh connection can be had for a POST of which nothing was sent, its error says that.

    A loop that writes later cannot tell; then there is no second attempt, and its error does not say it.
    """
    tells = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"warm"))
        await asyncio.Event().wait()

    async with raw_server(script) as server, ConnectionPool() as pool:
        await get(pool, f"{server.url}/")
        looked = StreamProtocol.is_clean

        def looks_too_early(stream: StreamProtocol) -> bool:
            """The reset arrives after the pool has looked, and before it writes; and nobody is there any more."""
            monkeypatch.setattr(StreamProtocol, "is_clean", looked)
            server._stop_listening()
            server.peers[0].reset()
            return True

        monkeypatch.setattr(StreamProtocol, "is_clean", looks_too_early)
        with pytest.raises(ConnectionRefusedError if tells else ConnectionError) as caught:
            await pool.request("POST", f"{server.url}/order", b"one book")
        assert vars(caught.value)["unsent"] is isinstance(caught.value, ConnectionRefusedError)


@pytest.mark.parametrize("kind", ["refused", "silent", "no room", "in line", "tunnel", "TLS"])
async def test_errors_of_what_was_not_sent(kind: str, tls: TlsKit) -> None:
    """An error says that nothing was sent where there was no connection, whatever its class is."""

    async def refuse(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"", status="503 Busy"))

    async def stuck(peer: Peer) -> None:
        await peer.send(HALF)
        await peer.read_until_eof()

    limits = PoolLimits(connections=1, waiting=1 if kind == "in line" else 0)
    with silent_port() as silent:
        async with serving({"/": stuck}) as (server, _), raw_server(refuse) as proxy:
            url = {"refused": f"http://127.0.0.1:{refusing_port()}/", "silent": silent}.get(kind, f"{server.url}/")
            options: dict[str, Any] = {"timeout": Timeout(5, connect=SOON, pool=SOON), "ssl_context": tls.client}
            if kind in {"tunnel", "TLS"}:
                url = url.replace("http:", "https:")
                options["proxy"] = proxy.url if kind == "tunnel" else None
            async with ConnectionPool(limits, **options) as pool:
                busy = await pool.request("GET", url) if kind in {"no room", "in line"} else None
                with pytest.raises((OSError, HTTPException)) as caught:
                    await pool.request("POST", url, b"one book")
                assert vars(caught.value)["unsent"] is True
                if busy is not None:
                    await busy.close()


async def test_errors_of_what_may_have_been_sent() -> None:
    """An error says nothing of the kind once there was a connection, also where it has said so of another request."""

    async def source() -> AsyncIterator[bytes]:
        yield b"one "
        await pool.request("GET", f"http://127.0.0.1:{refusing_port()}/")

    async def hang_up(peer: Peer) -> None:
        await peer.read_request()

    async with raw_server(hang_up) as server, ConnectionPool(timeout=Timeout(5)) as pool:
        with pytest.raises(ConnectionRefusedError) as refused:
            await pool.request("POST", f"{server.url}/", source())
        with pytest.raises(RemoteDisconnected) as hung_up:
            await pool.request("POST", f"{server.url}/", b"one book")
        assert [vars(each.value)["unsent"] for each in (refused, hung_up)] == [False, False]


# -- what bounds a request


def check(error: PhaseTimeout, limit: float, method: str, url: str) -> None:
    """``error`` says which limit, after how long, and for which request, also when it was pickled."""
    assert isinstance(error, TimeoutError)
    assert isinstance(error, HTTPException)
    for one in (error, pickle.loads(pickle.dumps(error))):
        assert (one.limit, one.method, one.url) == (limit, method, url)
        assert 0 < one.elapsed < 30
        assert url in str(one)
        assert url in repr(one)


async def test_pool_timeout() -> None:
    """A request that gets no connection in time is a PoolTimeout, and waits no more."""
    async with serving({"/": HALF}) as (server, _), ConnectionPool(ONE) as pool:
        holder = await pool.request("GET", f"{server.url}/")
        url = f"{server.url}/waits"
        for timeout in (Timeout(pool=SOON), SOON):
            with pytest.raises(PoolTimeout) as caught:
                await pool.request("PUT", url, timeout=timeout)
            check(caught.value, SOON, "PUT", url)
            assert counts(pool) == Counts(busy=1)
        await holder.close()
        assert await get(pool, f"{server.url}/next") == b"/next"


async def test_connect_timeout() -> None:
    """A connection that is not open in time is a ConnectTimeout for the request that wanted it."""
    with silent_port() as origin:
        async with ConnectionPool(timeout=Timeout(connect=SOON)) as pool:
            with pytest.raises(ConnectTimeout) as caught:
                await pool.request("GET", f"{origin}/path")
            check(caught.value, SOON, "GET", f"{origin}/path")
            assert counts(pool) == Counts()
            assert dropped(pool) == {Drop.NOT_OPENED: 1}


async def test_read_timeout() -> None:
    """A server that does not answer, or stops in the middle of a body, is a ReadTimeout."""

    async def silent(peer: Peer) -> None:
        await peer.read_until_eof()

    async with serving({"/silent": silent, "/half": HALF}) as (server, _), ConnectionPool() as pool:
        url = f"{server.url}/silent"
        with pytest.raises(ReadTimeout) as caught:
            await pool.request("GET", url, timeout=Timeout(read=SOON))
        check(caught.value, SOON, "GET", url)
        url = f"{server.url}/half"
        response = await pool.request("GET", url, timeout=Timeout(read=SOON))
        with pytest.raises(ReadTimeout) as caught:
            await response.read()
        check(caught.value, SOON, "GET", url)
        assert counts(pool) == Counts()


async def test_write_timeout() -> None:
    """A server that takes nothing of a body is a WriteTimeout."""
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await done.wait()

    async with raw_server(script) as server, ConnectionPool(timeout=Timeout(write=SOON)) as pool:
        with pytest.raises(WriteTimeout) as caught:
            await pool.request("POST", f"{server.url}/", bytes(30_000_000))
        check(caught.value, SOON, "POST", f"{server.url}/")
        assert counts(pool) == Counts()
        done.set()


def stream_of(pool: ConnectionPool) -> StreamProtocol:
    """That of the one connection of ``pool``."""
    ((_, conn),) = pool._slots.items()
    assert conn._stream is not None
    return conn._stream


async def test_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that drips is a StallTimeout for the caller, whatever the time between two bytes."""
    clock, begun = Clock(monkeypatch), asyncio.Event()

    async def drip(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        await begun.wait()
        await clock.drip([b"x"] * 20, 1, peer.send, stream_of(pool))
        await peer.read_until_eof()

    timeout = Timeout(read=2, min_rate=(100_000, 5))
    async with serving({"/": drip}) as (server, _), ConnectionPool(timeout=timeout, dialer=clock) as pool:
        response = await pool.request("GET", f"{server.url}/")
        begun.set()
        with pytest.raises(StallTimeout) as caught:
            await response.read()
        assert (caught.value.method, caught.value.url) == ("GET", f"{server.url}/")
        assert (caught.value.limit, caught.value.rate) == (5, 100_000)
        assert counts(pool) == Counts()


async def test_stall_in_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head that drips is a StallTimeout too."""
    clock = Clock(monkeypatch)

    async def drip(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\nX: ")
        await clock.drip([b"x"] * 20, 1, peer.send, stream_of(pool))
        await peer.read_until_eof()

    timeout = Timeout(read=2, min_rate=(100_000, 5))
    async with serving({"/": drip}) as (server, _), ConnectionPool(timeout=timeout, dialer=clock) as pool:
        with pytest.raises(StallTimeout) as caught:
            await pool.request("GET", f"{server.url}/")
        assert (caught.value.method, caught.value.url) == ("GET", f"{server.url}/")


@pytest.mark.parametrize("total", [SOON, 0.0504, 0.0496])
async def test_total_while_it_waits(total: float) -> None:
    """A total that is used up while a request waits for a connection is a TotalTimeout, to whatever fraction."""
    async with serving({"/": HALF}) as (server, _), ConnectionPool(ONE) as pool:
        holder = await pool.request("GET", f"{server.url}/")
        url = f"{server.url}/waits"
        with pytest.raises(TotalTimeout) as caught:
            await pool.request("GET", url, timeout=Timeout(total=total))
        check(caught.value, total, "GET", url)
        assert counts(pool) == Counts(busy=1)
        await holder.close()


@pytest.mark.parametrize("total", [SOON, 0.0504, 0.0496])
async def test_total_while_it_connects(total: float) -> None:
    """The same while a connection is opened."""
    with silent_port() as origin:
        async with ConnectionPool() as pool:
            with pytest.raises(TotalTimeout) as caught:
                await pool.request("GET", f"{origin}/", timeout=Timeout(total=total))
            check(caught.value, total, "GET", f"{origin}/")
            assert counts(pool) == Counts()


async def test_total_over_a_retry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The total goes on over a retry, and is not begun anew with it."""
    clock, asked = Clock(monkeypatch), asyncio.Event()
    deadlines: list[float | None] = []
    start = AsyncHTTPConnection.start

    def noting(self: AsyncHTTPConnection, *arguments: Any) -> Any:
        deadlines.append(arguments[-1])
        return start(self, *arguments)

    async def script(peer: Peer) -> None:
        await peer.read_request()
        if peer.number == 0:
            await peer.send(reply(b"warm"))
            await peer.read_request()
            clock.advance(15)
            return
        asked.set()
        await peer.read_until_eof()

    async with raw_server(script) as server, ConnectionPool(dialer=clock) as pool:
        await get(pool, f"{server.url}/")
        monkeypatch.setattr(AsyncHTTPConnection, "start", noting)
        asking = pool.request("GET", f"{server.url}/again", timeout=Timeout(total=20))
        with pytest.raises(TotalTimeout) as caught:
            await clock.during(asking, 5, once=asked.is_set)
        check(caught.value, 20, "GET", f"{server.url}/again")
        assert pool.stats().retried == 1
        assert len(deadlines) == 2
        assert deadlines[0] == deadlines[1]
        assert counts(pool) == Counts()


async def test_total_over_head_and_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """A total ends a response that comes slowly, in its head and in its body, though no silence is long."""
    clock = Clock(monkeypatch)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    async def slow_head(peer: Peer) -> None:
        await clock.drip((bytes([byte]) for byte in head), 6, peer.send, stream_of(pool))

    async def slow_body(peer: Peer) -> None:
        await peer.send(head)
        await begun.wait()
        await clock.drip([b"x"] * 1000, 6, peer.send, stream_of(pool))

    begun = asyncio.Event()
    async with (
        serving({"/head": slow_head, "/body": slow_body}) as (server, _),
        ConnectionPool(timeout=Timeout(read=7, total=20), dialer=clock) as pool,
    ):
        with pytest.raises(TotalTimeout) as caught:
            await pool.request("GET", f"{server.url}/head")
        check(caught.value, 20, "GET", f"{server.url}/head")
        response = await pool.request("GET", f"{server.url}/body")
        begun.set()
        with pytest.raises(TotalTimeout) as caught:
            await response.read()
        check(caught.value, 20, "GET", f"{server.url}/body")
        assert counts(pool) == Counts()


async def test_total_while_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A total that is used up between two reads is what the next one raises."""
    clock = Clock(monkeypatch)
    async with serving({"/": HALF}) as (server, _), ConnectionPool(dialer=clock) as pool:
        response = await pool.request("GET", f"{server.url}/", timeout=Timeout(total=20))
        assert await response.read(4) == b"half"
        clock.advance(20)
        await server.wait_closed()
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.CUT: 1}
        with pytest.raises(TotalTimeout) as caught:
            await response.read()
        check(caught.value, 20, "GET", f"{server.url}/")
        assert counts(pool) == Counts()


async def test_total_over_a_body_that_does_not_come() -> None:
    """A total bounds the body of the request, too, where nobody but the caller keeps the server waiting."""
    closed = False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal closed
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            closed = True

    async with serving() as (server, _), ConnectionPool() as pool:
        await get(pool, f"{server.url}/")  # so that no time goes by before the body is asked for
        with pytest.raises(TotalTimeout) as caught:
            await pool.request("POST", f"{server.url}/", endless(), timeout=Timeout(total=SOON))
        check(caught.value, SOON, "POST", f"{server.url}/")
        assert closed
        assert counts(pool) == Counts()
        await server.wait_closed()


async def test_timeout_of_the_source_of_a_body() -> None:
    """A timeout that a body raises is that of the request from which the body comes, and keeps its name."""

    async def relayed() -> AsyncIterator[bytes]:
        yield b"first"
        raise ReadTimeout(5, 5, "GET", "http://source.example/")

    async with serving() as (server, _), ConnectionPool() as pool:
        with pytest.raises(ReadTimeout) as caught:
            await pool.request("POST", f"{server.url}/", relayed())
        assert (caught.value.method, caught.value.url) == ("GET", "http://source.example/")
        assert caught.value.__notes__ == [f"POST {server.url}/"]
        assert counts(pool) == Counts()


async def test_silence_is_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that says nothing for a while is the business of ``read``, however short the window of the rate is."""
    clock, go_on = Clock(monkeypatch), asyncio.Event()

    async def thoughtful(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
        await go_on.wait()
        await peer.send(b"42")

    timeout = Timeout(read=20, min_rate=(1000, 1))
    async with serving({"/": thoughtful}) as (server, _), ConnectionPool(timeout=timeout, dialer=clock) as pool:
        response = await pool.request("GET", f"{server.url}/")
        reading = asyncio.create_task(response.read())
        await until(lambda: stream_of(pool).waited_for)
        clock.advance(19)
        await turns()
        assert not reading.done()
        go_on.set()
        assert await reading == b"42"


async def test_total_that_passes_before_the_waiter_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A waiter that is handed a connection when its total is used up already, for the loop was late, sends nothing."""
    clock = Clock(monkeypatch)
    async with serving() as (server, site), ConnectionPool(ONE, dialer=clock) as pool:
        response = await pool.request("GET", f"{server.url}/first")
        timeout = Timeout(total=5)
        waiting = asyncio.create_task(pool.request("POST", f"{server.url}/order", b"one book", timeout=timeout))
        await turns()
        clock.advance(6)
        assert await response.read() == b"/first"
        with pytest.raises(TotalTimeout) as caught:
            await waiting
        check(caught.value, 5, "POST", f"{server.url}/order")
        assert counts(pool) == Counts(idle=1)
        assert await get(pool, f"{server.url}/next") == b"/next"
        assert site.targets == ["/first", "/next"]


async def test_total_is_over_with_the_response(monkeypatch: pytest.MonkeyPatch) -> None:
    """A total that is used up after the response was read has no say over the connection any more."""
    clock = Clock(monkeypatch)
    async with serving() as (server, _), ConnectionPool(PoolLimits(keepalive_expiry=None), dialer=clock) as pool:
        await get(pool, f"{server.url}/", timeout=Timeout(total=20))
        clock.advance(30)
        await turns()
        assert counts(pool) == Counts(idle=1)
        assert await get(pool, f"{server.url}/next") == b"/next"
        assert server.connections == 1


async def test_total_of_two_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """One TimeoutManager for two requests bounds both together, with what the first has left."""
    clock, asked = Clock(monkeypatch), asyncio.Event()

    async def stuck(peer: Peer) -> None:
        asked.set()
        await peer.read_until_eof()

    async with serving({"/stuck": stuck}) as (server, _), ConnectionPool(dialer=clock) as pool:
        both = TimeoutManager(Timeout(total=20))
        assert await get(pool, f"{server.url}/", timeout=both) == b"/"
        clock.advance(12)
        assert both.left == 8
        with pytest.raises(TotalTimeout) as caught:
            await clock.during(pool.request("GET", f"{server.url}/stuck", timeout=both), 8, once=asked.is_set)
        check(caught.value, 20, "GET", f"{server.url}/stuck")
        assert both.left == 0


@pytest.mark.parametrize("warm", [False, True], ids=["no connection", "idle connection"])
async def test_total_that_is_used_up_already(warm: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is begun when the total is used up: the request does not go out, on whatever connection."""
    clock = Clock(monkeypatch)
    async with serving() as (server, site), ConnectionPool(dialer=clock) as pool:
        if warm:
            await get(pool, f"{server.url}/")
        late = TimeoutManager(Timeout(total=5))
        clock.advance(5)
        with pytest.raises(TotalTimeout):
            await pool.request("POST", f"{server.url}/order", b"one book", timeout=late)
        await turns(20)
        assert "/order" not in site.targets
        if warm:
            assert counts(pool) == Counts(idle=1)


async def test_timeout_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request without a timeout of its own has the pool's; a number there sets each phase."""
    clock, asked = Clock(monkeypatch), asyncio.Event()

    async def silent(peer: Peer) -> None:
        asked.set()
        await peer.read_until_eof()

    async with serving({"/silent": silent}) as (server, _):
        for given in (20, Timeout(total=20)):
            async with ConnectionPool(timeout=given, dialer=clock) as pool:
                assert isinstance(pool.timeout, Timeout)
                asked.clear()
                with pytest.raises(TotalTimeout if isinstance(given, Timeout) else ReadTimeout) as caught:
                    await clock.during(pool.request("GET", f"{server.url}/silent"), 20, once=asked.is_set)
                check(caught.value, 20, "GET", f"{server.url}/silent")


async def test_url_in_an_error_is_text() -> None:
    """An error names its URL as text, also where a URL object was asked for."""

    async def silent(peer: Peer) -> None:
        await peer.read_until_eof()

    async with serving({"/silent": silent}) as (server, _), ConnectionPool() as pool:
        with pytest.raises(ReadTimeout) as caught:
            url: Any = yarl.URL(server.url) / "silent"
            await pool.request("GET", url, timeout=Timeout(read=SOON))
        assert type(caught.value.url) is str
        check(caught.value, SOON, "GET", f"{server.url}/silent")


@pytest.mark.parametrize("given", [0, -1, float("nan"), "5", True, Timeout])
async def test_timeout_that_is_none(given: Any) -> None:
    """What is not a time is refused before anything is done."""
    async with serving() as (server, _), ConnectionPool() as pool:
        with pytest.raises((ValueError, TypeError)):
            await pool.request("GET", f"{server.url}/", timeout=given)
        assert pool.stats().opened == 0


# -- what cannot be sent


async def test_body_that_ends_short() -> None:
    """A body that is shorter than what was declared fails, and its connection is gone."""
    async with serving() as (server, _), ConnectionPool(ONE) as pool:
        with pytest.raises(ValueError, match="short"):
            await pool.request("PUT", f"{server.url}/", iter([b"short"]), {"Content-Length": "10"})
        assert counts(pool) == Counts()
        assert await get(pool, f"{server.url}/next") == b"/next"


async def test_answer_before_the_body_is_sent() -> None:
    """An answer that does not want the rest of a body is given to the caller, and the connection goes with it."""

    async def refuse(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"too large", status="413 Content Too Large"))
        await peer.read_until_eof()

    async with raw_server(refuse) as server, ConnectionPool() as pool:
        response = await pool.request("POST", f"{server.url}/", bytes(30_000_000))
        assert response.status == 413
        assert await response.read() == b"too large"
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.LAST: 1}


async def test_error_that_is_not_a_timeout_names_the_request() -> None:
    """Every other error has a note that names the request."""
    port = refusing_port()
    async with ConnectionPool() as pool:
        with pytest.raises(ConnectionRefusedError) as caught:
            await pool.request("GET", f"http://127.0.0.1:{port}/path")
        assert caught.value.__notes__ == [f"GET http://127.0.0.1:{port}/path"]
        assert counts(pool) == Counts()
        assert dropped(pool) == {Drop.NOT_OPENED: 1}


async def test_errors_are_pickled_with_their_notes() -> None:
    """An error that comes from another process still names its request."""
    from aiohttpclient import AddressRefused, LimitExceeded, MessageLimits
    from aiohttpclient.net import public_only

    dialer = TCPDialer(allow=public_only)
    errors: list[Exception] = []
    async with serving({"/": reply(b"", "A: 1", "B: 2", "C: 3")}) as (server, _):
        url = f"{server.url}/"
        async with ConnectionPool(message_limits=MessageLimits(fields=3)) as pool:
            with pytest.raises(LimitExceeded) as exceeded:
                await pool.request("GET", url)
            errors.append(exceeded.value)
        async with ConnectionPool(dialer=dialer) as pool:
            with pytest.raises(AddressRefused) as refused:
                await pool.request("GET", url)
            errors.append(refused.value)
    dialer.close()
    for error in errors:
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy)) == (type(error), str(error))
        assert copy.__notes__ == error.__notes__ == [f"GET {url}"]


async def test_handshake_that_fails(tls: TlsKit) -> None:
    """A certificate that is not believed is an error of TLS, sends nothing, and frees the slot."""
    async with serving(ssl=tls.wrong_host) as (server, site), ConnectionPool(ONE, ssl_context=tls.client) as pool:
        for _ in range(2):
            with pytest.raises(ssl.SSLCertVerificationError):
                await pool.request("GET", f"{server.url}/secret")
            assert counts(pool) == Counts()
        assert site.asked == []
        assert dropped(pool) == {Drop.NOT_OPENED: 2}


# -- what a pool is made of


def test_pool_that_cannot_be_made() -> None:
    """Arguments that cannot be used are refused, and nothing complains when what was begun is collected."""
    for options in ({"proxy": "nonsense"}, {"timeout": -1}, {"proxy": "ftp://proxy"}, {"timeout": "5"}):
        with pytest.raises((ValueError, TypeError, InvalidURL)):
            ConnectionPool(**options)
        gc.collect()


async def test_timeout_is_not_to_be_set() -> None:
    """The bounds of a pool cannot be changed: requests would go on with those that it was made with."""
    async with ConnectionPool(timeout=5) as pool:
        with pytest.raises(AttributeError):
            pool.timeout = Timeout(1)  # type: ignore[misc]  # what is tested
        assert pool.timeout == Timeout(5)


async def test_arguments_by_position(tls: TlsKit) -> None:
    """The arguments of the constructor have the order of the documentation."""
    async with serving(ssl=tls.good) as (server, _):
        async with ConnectionPool(PoolLimits(5), 7.0, tls.client) as pool:
            assert (pool.limits.connections, pool.timeout) == (5, Timeout(7.0))
            assert await get(pool, f"{server.url}/") == b"/"


async def test_tls_sessions_are_resumed(tls: TlsKit) -> None:
    """A connection after the first resumes the TLS session of that, and is counted."""
    events: list[PoolEvent] = []
    limits = PoolLimits(keepalive_expiry=0)
    async with serving(ssl=tls.good) as (server, _):
        async with ConnectionPool(limits, ssl_context=tls.new_client(), on_event=events.append) as pool:
            for _ in range(3):
                assert await get(pool, f"{server.url}/") == b"/"
            stats = pool.stats()
            assert (stats.opened, stats.resumed) == (3, 2)
            details = [event.detail for event in events if event.kind is EventKind.OPENED]
            assert [bool(detail) for detail in details] == [False, True, True]


async def test_tls_sessions_are_resumed_after_a_close(tls: TlsKit) -> None:
    """The same where the server ends each connection with its first response."""
    raw = reply(b"last", "Connection: close")
    async with serving({"/": raw}, ssl=tls.good) as (server, _):
        async with ConnectionPool(ssl_context=tls.new_client()) as pool:
            for _ in range(3):
                assert await get(pool, f"{server.url}/") == b"last"
            assert (pool.stats().opened, pool.stats().resumed) == (3, 2)


async def test_tls_sessions_are_resumed_after_a_cut(tls: TlsKit) -> None:
    """The same where it does so before the response is read."""

    async def page(peer: Peer) -> None:
        await peer.send(reply(b"last", "Connection: close"))
        peer.close()

    async with serving({"/": page}, ssl=tls.good) as (server, _):
        async with ConnectionPool(ssl_context=tls.new_client()) as pool:
            for count in (1, 2, 3):
                response = await pool.request("GET", f"{server.url}/")
                await until(lambda count=count: dropped(pool).get(Drop.CUT) == count)  # type: ignore[misc]
                assert await response.read() == b"last"
            assert (pool.stats().opened, pool.stats().resumed) == (3, 2)


@pytest.mark.parametrize("error", [MemoryError(), ssl.SSLError("no session")])
async def test_tls_session_that_cannot_be_kept(error: Exception, tls: TlsKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong when a session is kept is no error of a request, nor of a lease, and no slot is lost to it."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(ResumingContext, "keep", fail)
    async with serving(ssl=tls.good) as (server, _):
        limits = PoolLimits(connections=1, keepalive_expiry=0)
        async with ConnectionPool(limits, ssl_context=tls.new_client()) as pool:
            for _ in range(2):
                assert await get(pool, f"{server.url}/") == b"/"
                async with pool.connection(server.url):
                    pass
                assert counts(pool) == Counts()
            assert pool.stats().resumed == 0


async def test_settings() -> None:
    """``settings`` make another pool with the same bounds; it has no proxy, and connects in a way of its own."""
    limits, bounds = DEFAULT_LIMITS, Timeout(3)
    pool = ConnectionPool(
        PoolLimits(connections=2),
        bounds,
        proxy="http://127.0.0.1:9",
        message_limits=limits,
        expect_timeout=2,
        retry=False,
    )
    other = ConnectionPool(**pool.settings())
    assert other.settings() == pool.settings()
    assert (other.limits, other.timeout, other.retry) == (PoolLimits(connections=2), bounds, False)
    assert pool.settings()["message_limits"] is limits
    assert pool.settings()["expect_timeout"] == 2
    assert pool.forwarded("http://example.org/") is not None
    assert other.forwarded("http://example.org/") is None
    assert pool.proxy_auth is other.proxy_auth is None
