"""Response heads taken off a connection: the informational ones, the final one, and those that are none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    BadStatusLine,
    Headers,
    InvalidHead,
    LimitExceeded,
    LineTooLong,
    MessageLimits,
    RemoteDisconnected,
    ResponseNotReady,
    Timeout,
    UnknownProtocol,
)
from tests.net.clocks import fake_clock
from tests.support.server import raw_server, reply, script_once

from .exchanges import ARRIVALS, answer, fetch, response_to, until

if TYPE_CHECKING:
    from tests.support.server import Peer

HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\nLink: </a.js>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
FINAL = reply(b"final", "X: y")

every_arrival = pytest.mark.parametrize("arrival", ARRIVALS)
every_mode = pytest.mark.parametrize("strict", [False, True], ids=["lenient", "strict"])


# -- informational responses


@every_arrival
@every_mode
async def test_informational(arrival: str, strict: bool) -> None:
    """1xx responses are offered to the callback with status, reason and fields; the final one is the response."""
    seen: list[tuple[int, str, Headers]] = []
    raw = CONTINUE + HINTS + b"HTTP/1.1 102 Processing\r\n\r\n" + HINTS + FINAL
    async with response_to(
        raw, arrival, strict=strict, on_informational=lambda *informational: seen.append(informational)
    ) as response:
        assert (response.status, response.getheader("X")) == (200, "y")
        assert response.getheader("Link") is None
        assert await response.read() == b"final"
    assert [(status, reason) for status, reason, _ in seen] == [
        (100, "Continue"),
        (103, "Early Hints"),
        (102, "Processing"),
        (103, "Early Hints"),
    ]
    assert seen[1][2].getall("link") == ["</style.css>; rel=preload", "</a.js>"]


@every_arrival
async def test_informational_without_callback(arrival: str) -> None:
    """Without a callback 1xx responses are skipped."""
    async with response_to(CONTINUE + HINTS + FINAL, arrival) as response:
        assert await response.read() == b"final"


async def test_informational_comes_before_the_final_response() -> None:
    """The callback is called when the 1xx response comes, and does not wait for the final one."""
    hinted = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(HINTS)
        await hinted.wait()
        await peer.send(FINAL)

    async with response_to(script, on_informational=lambda *_: hinted.set()) as response:
        assert await response.read() == b"final"


async def test_callback_set_later() -> None:
    """The callback is an attribute that may be set, and changed, between requests."""
    seen: list[int] = []
    async with raw_server(script_once(HINTS + FINAL, HINTS + FINAL, HINTS + FINAL)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await fetch(conn)
            conn.on_informational = lambda status, reason, headers: seen.append(status)
            await fetch(conn)
            conn.on_informational = None
            await fetch(conn)
    assert seen == [103]


async def test_callback_that_fails() -> None:
    """What a callback raises reaches the caller, and the connection is closed."""

    def fail(*_: object) -> None:
        raise KeyError("raised in a callback")

    async with raw_server(script_once(HINTS + FINAL)) as server:
        async with AsyncHTTPConnection(server.host, server.port, on_informational=fail) as conn:
            await conn.request("GET", "/")
            with pytest.raises(KeyError):
                await conn.getresponse()
            assert not conn.connected


@pytest.mark.parametrize("gracefully", [False, True])
async def test_callback_that_closes(gracefully: bool) -> None:
    """A callback may close the connection: whoever wants the final response gets an error that says so."""
    async with raw_server(script_once(HINTS + FINAL)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            closing: list[asyncio.Task[None]] = []

            def close(*_: object) -> None:
                if gracefully:
                    closing.append(asyncio.ensure_future(conn.close()))
                else:
                    conn.abort()

            conn.on_informational = close
            await conn.request("GET", "/")
            with pytest.raises((ConnectionAbortedError, ResponseNotReady)):
                response = await conn.getresponse()
                await asyncio.gather(*closing)
                await response.read()
            await asyncio.gather(*closing)
            assert not conn.connected
            assert conn.state.name == "IDLE"


@every_arrival
async def test_too_many_informational(arrival: str) -> None:
    """More 1xx responses than the limit are LimitExceeded: a peer cannot keep a client busy for ever."""
    limits = MessageLimits(informational=3)
    async with response_to(HINTS * 3 + FINAL, arrival, limits=limits) as response:
        assert await response.read() == b"final"
    with pytest.raises(LimitExceeded) as caught:
        async with response_to(HINTS * 4 + FINAL, arrival, limits=limits):
            pass
    assert (caught.value.limit, caught.value.allowed) == ("informational", 3)


async def test_informational_for_ever() -> None:
    """1xx responses without end are refused by default too."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        while True:
            await peer.send(HINTS)

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        with pytest.raises(LimitExceeded):
            await conn.getresponse()


async def test_limit_is_for_each_exchange() -> None:
    """1xx responses are counted anew for each request."""
    async with raw_server(script_once(*[HINTS * 2 + FINAL] * 5)) as server:
        async with AsyncHTTPConnection(server.host, server.port, limits=MessageLimits(informational=2)) as conn:
            for _ in range(5):
                assert await fetch(conn) == b"final"
            assert server.connections == 1


async def test_end_after_informational() -> None:
    """A connection that ends after a 1xx response has given no answer."""
    with pytest.raises(RemoteDisconnected):
        async with response_to(HINTS):
            pass


# -- heads in pieces


@every_mode
async def test_cut_anywhere(strict: bool) -> None:
    """A head means the same wherever it is cut in two."""
    raw = HINTS[:24] + b"\r\n\r\n" + FINAL

    async def script(peer: Peer) -> None:
        for cut in range(1, len(raw)):
            await peer.read_head()
            await peer.send(raw[:cut])
            for _ in range(5):
                await asyncio.sleep(0)
            await peer.send(raw[cut:])

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port, strict) as conn:
        for _ in range(1, len(raw)):
            assert await fetch(conn) == b"final"
        assert server.connections == 1


async def test_bare_line_feeds_byte_by_byte() -> None:
    """In lenient mode a head may end its lines with a bare LF, however it comes."""
    raw = b"HTTP/1.1 200 OK\nX: y\nContent-Length: 5\n\nfinal"
    for arrival in ARRIVALS:
        async with response_to(raw, arrival) as response:
            assert (response.getheader("X"), await response.read()) == ("y", b"final")


@every_mode
@pytest.mark.parametrize("size", [130_000, 200_000, 262_000])
async def test_large_head(size: int, strict: bool) -> None:
    """A head may be as large as its limit, which is more than what is held for a slow reader, and come in pieces."""
    fields = [f"X-{number}: {'v' * 60_000}" for number in range(size // 60_012)]
    raw = reply(b"final", *fields, f"Y: {'v' * (size % 60_012)}")

    async def script(peer: Peer) -> None:
        await peer.read_head()
        for start in range(0, len(raw), 30_000):
            await peer.send(raw[start : start + 30_000])
            await asyncio.sleep(0)

    async with response_to(script, strict=strict, timeout=5) as response:
        assert len(response.headers) == len(fields) + 2
        assert await response.read() == b"final"


@every_mode
async def test_head_over_its_limit(strict: bool) -> None:
    """A head over its limit is LimitExceeded as soon as that is known: its end is not waited for."""
    limits = MessageLimits(head=1000)
    raw = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 90
    async with raw_server(answer(raw + b"X: y\r\n" * 200, close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port, strict, limits=limits) as conn:
            await conn.request("GET", "/")
            with pytest.raises(LimitExceeded) as caught:
                await conn.getresponse()
            assert caught.value.limit == "head"


@every_mode
async def test_line_over_its_limit(strict: bool) -> None:
    """A line over its limit is LineTooLong before it has ended."""
    for raw in (b"HTTP/1.1 200 " + b"O" * 2000, b"HTTP/1.1 200 OK\r\nX: " + b"v" * 2000):
        async with raw_server(answer(raw, close=False)) as server:
            async with AsyncHTTPConnection(server.host, server.port, strict, limits=MessageLimits(line=1000)) as conn:
                await conn.request("GET", "/")
                with pytest.raises(LineTooLong):
                    await conn.getresponse()
                assert not conn.connected


@every_mode
async def test_fields_over_their_limit(strict: bool) -> None:
    """More fields than the limit are LimitExceeded; as many as it allows are not."""
    limits = MessageLimits(fields=5)
    async with response_to(reply(b"final", *["X: y"] * 4), strict=strict, limits=limits) as response:
        assert len(response.headers) == 5
    with pytest.raises(LimitExceeded) as caught:
        async with response_to(reply(b"final", *["X: y"] * 5), strict=strict, limits=limits):
            pass
    assert (caught.value.limit, caught.value.allowed) == ("fields", 5)


async def test_bare_line_feed_is_refused_at_once() -> None:
    """In strict mode a bare LF is refused when it comes, not when the head ends, which it never might."""
    async with raw_server(answer(b"HTTP/1.1 200 OK\nX", close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port, strict=True) as conn:
            await conn.request("GET", "/")
            with pytest.raises(InvalidHead):
                await conn.getresponse()


@every_mode
@pytest.mark.parametrize("raw", [b"HTTP/2 200\r\n\r\n", b"HTTP/2.0 200 OK\r\n\r\n", b"HTTP/3 200\r\nX: y\r\n\r\n"])
async def test_another_version(raw: bytes, strict: bool) -> None:
    """A peer that answers in another version of HTTP is UnknownProtocol."""
    with pytest.raises(UnknownProtocol):
        async with response_to(raw, strict=strict):
            pass


@every_mode
@pytest.mark.parametrize("raw", [b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1\r\n\r\n", b"HTTP/1.1 99 x\r\n\r\n"])
async def test_bad_status_line(raw: bytes, strict: bool) -> None:
    """A status line that is none is BadStatusLine, with the line."""
    with pytest.raises(BadStatusLine) as caught:
        async with response_to(raw, strict=strict):
            pass
    assert vars(caught.value)["line"] == raw.decode().strip()


@pytest.mark.parametrize("pause", [59, 299])
async def test_rate_between_informational_responses(pause: float) -> None:
    """A server that says now and then that it is still at work does not stall: its pauses are its time to think."""
    seen: list[int] = []
    go_on = asyncio.Semaphore(0)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        for _ in range(5):
            await go_on.acquire()
            await peer.send(b"HTTP/1.1 102 Processing\r\n\r\n")
        await go_on.acquire()
        await peer.send(FINAL)

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(
            server.host,
            server.port,
            timeout=Timeout(read=300),
            on_informational=lambda status, reason, headers: seen.append(status),
        ) as conn:
            await conn.connect()
            stream = conn._stream
            assert stream is not None
            clock = fake_clock(stream)
            await conn.request("GET", "/")
            waiting = asyncio.create_task(conn.getresponse())
            for count in range(6):
                await until(lambda count=count: len(seen) == count and stream.waited_for)  # type: ignore[misc]
                clock.advance(pause)
                assert stream.waited_for
                go_on.release()
            response = await waiting
            assert await response.read() == b"final"
    assert seen == [102] * 5


# -- HTTP/0.9


@every_arrival
@pytest.mark.parametrize("raw", [b"simple", b"", b"H", b"HTT", b"HTTQ", b"h", b"\r\n"])
async def test_simple_response(raw: bytes, arrival: str) -> None:
    """In lenient mode bytes that do not begin like a head are the body of a response without one; no bytes are none."""
    if not raw:
        with pytest.raises(RemoteDisconnected):
            async with response_to(raw, arrival):
                pass
        return
    async with response_to(raw, arrival) as response:
        assert (response.version, response.status, response.reason, len(response.headers)) == (9, 200, "", 0)
        assert response.will_close
        assert await response.read() == raw


async def test_large_simple_response() -> None:
    """A response without a head may be larger than every buffer."""
    body = b"simple" * 100_000
    async with response_to(body) as response:
        assert await response.read() == body


@pytest.mark.parametrize("raw", [b"\r\n" + FINAL, b"simple"])
async def test_no_simple_response_after_an_informational_one(raw: bytes) -> None:
    """A peer that has sent a 1xx head speaks HTTP/1.x: what follows it without a head is BadStatusLine."""
    with pytest.raises(BadStatusLine):
        async with response_to(CONTINUE + raw):
            pass


async def test_answer_that_is_there_before_it_is_asked_for() -> None:
    """A response that has arrived before it is asked for is the same response."""
    async with raw_server(script_once(FINAL)) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        stream = conn._stream
        assert stream is not None
        while len(stream.reader.buffered) < len(FINAL):
            await asyncio.sleep(0)
        response = await conn.getresponse()
        assert await response.read() == b"final"
        assert conn.connected


async def test_heads_of_a_connection_that_is_opened_again() -> None:
    """A connection that was renewed begins anew: what comes on it is judged as on a new one, HTTP/0.9 included."""
    answers = iter((reply(b"first", "Connection: close"), b"simple", CONTINUE + reply(b"first", "Connection: close")))

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(next(answers))

    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        seen = []
        for _ in range(3):
            await conn.open(Timeout(), None)
            await conn.request("GET", "/")
            response = await conn.getresponse()
            seen.append((response.version, await response.read(), response.will_close))
            conn.renew()
            assert not conn.connected
        assert seen == [(11, b"first", True), (9, b"simple", True), (11, b"first", True)]
