"""One response: its head, and every way to read its body."""

from __future__ import annotations

import array
import asyncio
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    AsyncHTTPResponse,
    AsyncHTTPSConnection,
    ConcurrentUse,
    ExchangeState,
    Headers,
    IncompleteRead,
    InvalidChunk,
    ReadTimeout,
    ResponseNotReady,
    Timeout,
)
from tests.net.clocks import fake_clock
from tests.net.streams import turns
from tests.support.server import raw_server, reply, script_once

from .exchanges import ARRIVALS, FRAMINGS, answer, fetch, framed, response_to, until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.support.server import Peer
    from tests.support.tls import TlsKit

BODY = b"first line\nsecond\n\nfourth, without an end"
LINES = [b"first line\n", b"second\n", b"\n", b"fourth, without an end"]
LARGE = bytes(range(256)) * 4096 + b"end"
"""A mebibyte and a bit: more than any buffer on the way."""

every_framing = pytest.mark.parametrize("framing", FRAMINGS)
every_arrival = pytest.mark.parametrize("arrival", ARRIVALS)
every_chunk = pytest.mark.parametrize("chunk", [1, 7, 1000])


# -- reading


@every_framing
@every_arrival
async def test_read(framing: str, arrival: str) -> None:
    """``read()`` gives the whole body, and nothing after it."""
    async with response_to(framed(BODY, framing), arrival) as response:
        assert await response.read() == BODY
        assert await response.read() == b""
        assert await response.read(5) == b""


@every_framing
@every_arrival
@pytest.mark.parametrize("amount", [1, 7, 40, 41, 1000])
async def test_read_amount(framing: str, arrival: str, amount: int) -> None:
    """``read(n)`` gives exactly n bytes, fewer only where the body ends."""
    async with response_to(framed(BODY, framing, chunk=9), arrival) as response:
        parts = [await response.read(amount) for _ in range(len(BODY) // amount + 1)]
        assert b"".join(parts) == BODY
        assert all(len(part) == amount for part in parts[:-1])
        assert await response.read(amount) == b""


@every_framing
@pytest.mark.parametrize("amount", [None, -1, -5])
async def test_read_rest(framing: str, amount: int | None) -> None:
    """``read`` with None or a negative number gives what is left."""
    async with response_to(framed(BODY, framing)) as response:
        assert await response.read(10) == BODY[:10]
        assert await response.read(amount) == BODY[10:]


@every_framing
async def test_read_nothing(framing: str) -> None:
    """``read(0)``, ``read1(0)`` and ``readline(0)`` give nothing and take nothing."""
    async with response_to(framed(BODY, framing)) as response:
        assert await response.read(0) == await response.read1(0) == await response.readline(0) == b""
        assert await response.readinto(bytearray()) == 0
        assert not response.closed
        assert await response.read() == BODY


@every_framing
@every_arrival
@pytest.mark.parametrize("limit", [-1, 1, 7, 1000])
async def test_read1(framing: str, arrival: str, limit: int) -> None:
    """``read1(n)`` gives from one to n bytes, whatever has come, and nothing only at the end."""
    async with response_to(framed(BODY, framing), arrival) as response:
        parts: list[bytes] = []
        while part := await response.read1(limit):
            assert limit < 0 or len(part) <= limit
            parts.append(part)
        assert b"".join(parts) == BODY
        assert response.closed


@every_framing
async def test_read1_does_not_wait_for_more(framing: str) -> None:
    """``read1()`` gives what has come, and does not wait for what has not."""
    go_on = asyncio.Event()
    raw = framed(BODY, framing, chunk=9)
    middle = raw.index(b"first") + 9

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(raw[:middle])
        await go_on.wait()
        await peer.send(raw[middle:])

    async with response_to(script) as response:
        assert await response.read1() == BODY[:9]
        go_on.set()
        assert await response.read() == BODY[9:]


@every_framing
@every_arrival
@pytest.mark.parametrize("size", [1, 7, 40, 1000])
async def test_readinto(framing: str, arrival: str, size: int) -> None:
    """``readinto`` fills the buffer, or as much of it as the body has left, and touches no more of it."""
    async with response_to(framed(BODY, framing, chunk=9), arrival) as response:
        received = b""
        while True:
            buffer = bytearray(b"." * size)
            count = await response.readinto(buffer)
            assert buffer[count:] == b"." * (size - count)
            received += buffer[:count]
            if count < size:
                break
        assert received == BODY
        assert await response.readinto(bytearray(5)) == 0


@every_framing
async def test_readinto_of_every_type(framing: str) -> None:
    """``readinto`` writes into every writable bytes-like object, and counts in bytes."""
    words = array.array("I", [0] * 4)
    async with response_to(framed(bytes(range(32)), framing)) as response:
        assert await response.readinto(words) == 16
        assert words.tobytes() == bytes(range(16))
        target = bytearray(20)
        assert await response.readinto(memoryview(target)[4:12]) == 8
        assert target == bytes(4) + bytes(range(16, 24)) + bytes(8)


@pytest.mark.parametrize("buffer", [b"read only", memoryview(b"read only"), "text", 5, None])
async def test_readinto_of_wrong_type(buffer: Any) -> None:
    """``readinto`` refuses what it cannot write to, and the response can still be read."""
    async with response_to(framed(BODY, "length")) as response:
        with pytest.raises(TypeError):
            await response.readinto(buffer)
        assert await response.read() == BODY


@every_framing
@every_arrival
@every_chunk
async def test_readline(framing: str, arrival: str, chunk: int) -> None:
    """``readline()`` gives line after line with its line feed, the last perhaps without one, then nothing."""
    async with response_to(framed(BODY, framing, chunk), arrival) as response:
        assert [await response.readline() for _ in range(6)] == [*LINES, b"", b""]


@every_framing
@every_arrival
async def test_readline_with_limit(framing: str, arrival: str) -> None:
    """``readline(n)`` gives at most n bytes, and the rest of the line the next time."""
    async with response_to(framed(BODY, framing, chunk=3), arrival) as response:
        parts = [await response.readline(limit) for limit in (4, 100, 6, 1, 1, 2)]
        assert parts == [b"firs", b"t line\n", b"second", b"\n", b"\n", b"fo"]
        assert await response.read() == BODY[-20:]


@every_framing
async def test_long_line(framing: str) -> None:
    """A line may be longer than every buffer."""
    line = b"x" * 1_000_000 + b"\n"
    async with response_to(framed(line * 2, framing, chunk=50_000)) as response:
        assert await response.readline() == line
        assert await response.readline(1_000_000) == line[:-1]
        assert await response.readline() == b"\n"


@every_framing
@every_arrival
async def test_readlines(framing: str, arrival: str) -> None:
    """``readlines()`` gives the lines that are left, and ``readlines(n)`` as many as make up n bytes."""
    async with response_to(framed(BODY, framing), arrival) as response:
        assert await response.readlines(12) == LINES[:2]
        assert await response.readlines() == LINES[2:]
        assert await response.readlines() == []


@every_framing
@every_arrival
async def test_iterate_over_lines(framing: str, arrival: str) -> None:
    """``async for`` goes over the lines."""
    async with response_to(framed(BODY, framing), arrival) as response:
        assert [line async for line in response] == LINES


@every_framing
@every_arrival
@pytest.mark.parametrize("size", [None, 1, 7, 40, 1000])
async def test_iterate_over_blocks(framing: str, arrival: str, size: int | None) -> None:
    """``iter_bytes()`` goes over the body as it comes, ``iter_bytes(n)`` in blocks of n bytes."""
    async with response_to(framed(BODY, framing, chunk=9), arrival) as response:
        blocks = [block async for block in response.iter_bytes(size)]
        assert b"".join(blocks) == BODY
        assert all(blocks)
        assert size is None or all(len(block) == size for block in blocks[:-1])


@pytest.mark.parametrize("size", [0, -1])
async def test_blocks_of_no_size(size: int) -> None:
    """Blocks have at least one byte."""
    async with response_to(framed(BODY, "length")) as response:
        with pytest.raises(ValueError, match="greater than zero"):
            await anext(response.iter_bytes(size))


READERS: dict[str, Callable[[AsyncHTTPResponse], Awaitable[list[bytes]]]] = {}


def reader(read: Callable[[AsyncHTTPResponse], Awaitable[list[bytes]]]) -> None:
    READERS[read.__name__] = read


@reader
async def whole(response: AsyncHTTPResponse) -> list[bytes]:
    return [await response.read()]


@reader
async def amounts(response: AsyncHTTPResponse) -> list[bytes]:
    parts = []
    while part := await response.read(100_000):
        parts.append(part)
    return parts


@reader
async def as_it_comes(response: AsyncHTTPResponse) -> list[bytes]:
    parts = []
    while part := await response.read1():
        parts.append(part)
    return parts


@reader
async def into_a_buffer(response: AsyncHTTPResponse) -> list[bytes]:
    parts, buffer = [], bytearray(70_000)
    while count := await response.readinto(buffer):
        parts.append(bytes(buffer[:count]))
    return parts


@reader
async def lines(response: AsyncHTTPResponse) -> list[bytes]:
    return [line async for line in response]


@reader
async def blocks(response: AsyncHTTPResponse) -> list[bytes]:
    return [block async for block in response.iter_bytes()]


@reader
async def blocks_of_a_size(response: AsyncHTTPResponse) -> list[bytes]:
    return [block async for block in response.iter_bytes(100_000)]


@reader
async def a_bit_of_everything(response: AsyncHTTPResponse) -> list[bytes]:
    buffer = bytearray(40_000)
    parts = [await response.read(10), await response.readline(), await response.read1(50_000)]
    parts += [bytes(buffer[: await response.readinto(buffer)]), *await response.readlines(30_000)]
    return [*parts, await response.read()]


every_reader = pytest.mark.parametrize("name", READERS)


@every_framing
@every_reader
async def test_large_body(framing: str, name: str) -> None:
    """A body larger than all buffers is complete whichever way it is read, and its parts stay what they were."""
    async with response_to(framed(LARGE, framing, chunk=70_000)) as response:
        parts = await READERS[name](response)
        assert b"".join(parts) == LARGE
        assert response.closed


@every_framing
@every_reader
async def test_slow_reader(framing: str, name: str) -> None:
    """A body that has arrived as far as it can before it is asked for is complete as well."""
    async with response_to(framed(LARGE, framing, chunk=70_000)) as response:
        for _ in range(100):
            await asyncio.sleep(0)
        assert b"".join(await READERS[name](response)) == LARGE


# -- the end of the body


@every_framing
@every_arrival
async def test_state(framing: str, arrival: str) -> None:
    """A response is closed, and its connection free, in the very step in which the last byte is read."""
    raw = framed(BODY, framing)
    async with raw_server(answer(raw, arrival, close=framing == "until close")) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            assert (response.closed, response.isclosed(), conn.state.name) == (False, False, "READING_RESPONSE")
            before = response.complete
            assert response.length == (len(BODY) if framing == "length" else None)
            assert response.chunked is (framing == "chunked")
            await response.read(10)
            assert response.length == (len(BODY) - 10 if framing == "length" else None)
            await response.read()
            assert (response.closed, response.isclosed(), conn.state.name) == (True, True, "IDLE")
            assert (before, response.complete) == (False, True)
            assert response.length == 0
            assert conn.connected is (framing != "until close")


@pytest.mark.parametrize("end", ["close", "abort", "cut"])
async def test_closed_is_not_complete(end: str) -> None:
    """A response that was closed, or has failed, has nothing left to be read, and is not complete."""
    async with response_to(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf.") as response:
        if end == "close":
            await response.close()
        elif end == "abort":
            response.abort()
        else:
            with pytest.raises(IncompleteRead):
                await response.read()
        assert (response.isclosed(), response.complete) == (True, False)


async def test_last_byte_of_a_known_length() -> None:
    """A body of known length ends with its last byte: no further read is needed."""
    async with raw_server(answer(framed(BODY, "length"), close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            await response.read(len(BODY))
            assert response.closed
            assert conn.state is ExchangeState.IDLE


@every_arrival
async def test_trailers(arrival: str) -> None:
    """Fields after a chunked body are there once it was read, apart from the header fields."""
    async with response_to(framed(BODY, "chunked"), arrival) as response:
        assert response.trailers == Headers()
        assert await response.read() == BODY
        assert response.trailers == Headers({"x-trailer": "end"})
        assert "X-Trailer" not in response.headers


async def test_no_trailers() -> None:
    """A response that is not chunked has no trailers."""
    async with response_to(framed(BODY, "length")) as response:
        await response.read()
        assert response.trailers == Headers()


BODILESS = {
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"),
    "HEAD, chunked": ("HEAD", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    "HEAD without length": ("HEAD", b"HTTP/1.1 200 OK\r\n\r\n"),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\n\r\n"),
    "a length of 0": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
}


@pytest.mark.parametrize("name", BODILESS)
@every_arrival
async def test_no_body(name: str, arrival: str) -> None:
    """A response without a body is complete from the start, and the connection is free for the next request."""
    method, raw = BODILESS[name]

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await (peer.drip(raw) if arrival == "byte by byte" else peer.send(raw))
        await peer.read_head()
        await peer.send(reply(b"next"))

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request(method, "/")
        response = await conn.getresponse()
        assert response.closed
        assert response.length == 0
        assert conn.state is ExchangeState.IDLE
        assert await response.read() == await response.read1() == await response.readline() == b""
        assert await response.readinto(bytearray(5)) == 0
        assert await response.readlines() == [block async for block in response.iter_bytes()] == []
        assert await fetch(conn) == b"next"
        assert server.connections == 1


# -- bodies that are not waited for


@every_framing
@every_arrival
async def test_read_soon(framing: str, arrival: str) -> None:
    """``read_soon`` gives what comes in time, in blocks of any size; none at the end."""
    async with response_to(framed(BODY, framing, chunk=9), arrival) as response:
        received = []
        while not response.isclosed():
            assert await response.read_soon(0, 60) == b""
            received.append(await response.read_soon(7, 60))
        assert b"".join(received) == BODY
        assert max(map(len, received)) <= 7
        assert response.complete
        assert await response.read_soon(7, 60) == b""


@pytest.mark.parametrize("large", [False, True])
@every_framing
async def test_read_too_soon(framing: str, large: bool) -> None:
    """A wait of ``read_soon`` that was in vain closes nothing; the next one has a bound of its own."""
    body = LARGE if large else BODY
    raw, late = framed(body, framing), asyncio.Event()
    begin = raw.index(b"\r\n\r\n") + 4

    async def script(peer: Peer) -> None:
        await peer.read_head()
        for piece in (raw[:begin], raw[begin:-1], raw[-1:]):
            await peer.send(piece)
            await late.wait()
            late.clear()

    async with response_to(script) as response:
        received = [await response.read_soon(100_000, 0.01) for _ in range(3)]
        assert received == [b""] * 3
        late.set()
        while sum(map(len, received)) < len(body) - (framing != "chunked"):
            received.append(await response.read_soon(100_000, 60))
        assert await response.read_soon(100_000, 0.01) == b""
        assert not response.isclosed()
        late.set()
        if framing == "until close":
            await turns()
            late.set()
        assert b"".join(received) + await response.read() == body


async def test_read_soon_of_what_is_cut_short() -> None:
    """A body that is broken is an error, whoever waits, and the same one again."""
    async with response_to(CUT_SHORT["length"][0]) as response:
        assert await response.read_soon(1000, 60) == BODY
        for _ in range(2):
            with pytest.raises(IncompleteRead):
                await response.read_soon(1000, 60)


# -- bodies that are cut short

CUT_SHORT = {
    "length": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + BODY, 100 - len(BODY)),
    "in a chunk": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n%b\r\n60\r\n%b" % (BODY[:5], BODY[5:]),
        60,
    ),
    "between chunks": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n29\r\n%b\r\n" % BODY, None),
    "in a size": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n29\r\n%b\r\n1" % BODY, None),
}
CUT_SHORT["in a chunk"] = (CUT_SHORT["in a chunk"][0], 0x60 - len(BODY[5:]))

PARTS: dict[str, tuple[Callable[[AsyncHTTPResponse], Awaitable[Any]], bytes]] = {
    "read": (lambda response: response.read(), BODY),
    "read(n)": (lambda response: response.read(90), BODY),
    "readinto": (lambda response: response.readinto(bytearray(90)), BODY),
    "readlines": (lambda response: response.readlines(), LINES[-1]),
}
"""How to read what is cut short, and what has come by then of what was being read."""

every_cut = pytest.mark.parametrize("cut", CUT_SHORT)
every_part = pytest.mark.parametrize("part", PARTS)


@every_cut
@every_part
@every_arrival
async def test_incomplete(cut: str, part: str, arrival: str) -> None:
    """A body that the peer cuts short is IncompleteRead, with what has come and how much has not."""
    raw, missing = CUT_SHORT[cut]
    read, partial = PARTS[part]
    async with response_to(raw, arrival) as response:
        with pytest.raises(IncompleteRead) as caught:
            await read(response)
        assert (caught.value.partial, caught.value.expected) == (partial, missing)
        assert response.closed


@every_cut
async def test_incomplete_as_it_comes(cut: str) -> None:
    """Reading as it comes, line by line or block by block gives all that has come, and only then raises."""
    raw, missing = CUT_SHORT[cut]
    async with response_to(raw) as response:
        received = []
        with pytest.raises(IncompleteRead) as caught:
            while True:
                received.append(await response.read1())
        assert b"".join(received) == BODY
        assert (caught.value.partial, caught.value.expected) == (b"", missing)
    async with response_to(raw) as response:
        received = []
        with pytest.raises(IncompleteRead) as caught:
            async for block in response.iter_bytes():
                received.append(block)  # what was received before the error is what counts
        assert b"".join(received) == BODY
    async with response_to(raw) as response:
        received = []
        with pytest.raises(IncompleteRead) as caught:
            async for line in response:
                received.append(line)  # the same
        assert received == LINES[:-1]
        assert caught.value.partial == LINES[-1]


@every_cut
async def test_incomplete_again(cut: str) -> None:
    """After a failure every further read fails in the same way: a short body never looks complete."""
    raw, _ = CUT_SHORT[cut]
    async with response_to(raw) as response:
        for read in (response.read, response.read, response.read1, response.readline, response.readlines):
            with pytest.raises(IncompleteRead):
                await read()
        with pytest.raises(IncompleteRead):
            await response.readinto(bytearray(5))
        with pytest.raises(IncompleteRead):
            await anext(response.iter_bytes())
        with pytest.raises(IncompleteRead):
            await anext(aiter(response))
        await response.close()


async def test_incomplete_closes_the_connection() -> None:
    """After a body that was cut short the next request goes over a new connection."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"whole") if peer.number else CUT_SHORT["length"][0])

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        with pytest.raises(IncompleteRead):
            await fetch(conn)
        assert not conn.connected
        assert conn.state.name == "IDLE"
        assert await fetch(conn) == b"whole"


async def test_incomplete_pickles() -> None:
    """The error keeps what has come, and what has not, in another process."""
    async with response_to(CUT_SHORT["length"][0]) as response:
        with pytest.raises(IncompleteRead) as caught:
            await response.read()
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.partial, copy.expected) == (BODY, 100 - len(BODY))


@every_framing
@every_part
async def test_reset(framing: str, part: str) -> None:
    """A reset in the middle of a body is the error of the system, whatever the framing: it is not the end of a body."""
    raw = {
        "length": CUT_SHORT["length"][0],
        "chunked": CUT_SHORT["in a chunk"][0],
        "until close": framed(BODY, "until close"),
    }[framing]
    seen = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(raw)
        await seen.wait()
        peer.reset()

    async with response_to(script) as response:
        seen.set()
        with pytest.raises((ConnectionResetError, IncompleteRead)):
            await PARTS[part][0](response)
        assert response.closed


BROKEN_CHUNKS = {
    "no size": b"xyz\r\nabc\r\n0\r\n\r\n",
    "a sign": b"+3\r\nabc\r\n0\r\n\r\n",
    "too much": b"3\r\nabcd\r\n0\r\n\r\n",
    "no end": b"3\r\nabcxx",
}


@pytest.mark.parametrize("broken", BROKEN_CHUNKS)
@every_arrival
@pytest.mark.parametrize("strict", [False, True])
async def test_broken_chunks(broken: str, arrival: str, strict: bool) -> None:
    """Chunks that break the coding are InvalidChunk in every mode, again and again, and close the connection."""
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + BROKEN_CHUNKS[broken]
    async with raw_server(answer(raw, arrival, close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port, strict) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            for _ in range(2):
                with pytest.raises(InvalidChunk):
                    await response.read()
            assert not conn.connected
            assert response.closed


# -- leaving early


@every_framing
async def test_close(framing: str) -> None:
    """``close()`` gives up what was not read, and with it the connection; the next request opens another."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"next") if peer.number else framed(LARGE, framing))

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        response = await conn.getresponse()
        assert await response.read(5) == LARGE[:5]
        await response.close()
        await response.close()
        assert response.closed
        assert not conn.connected
        with pytest.raises(ResponseNotReady, match="closed before its body was read"):
            await response.read()
        assert await fetch(conn) == b"next"


@every_framing
@pytest.mark.parametrize("failing", [False, True])
async def test_async_with(framing: str, failing: bool) -> None:
    """``async with`` closes what was not read, and the connection with it; what is raised in it goes on."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"next") if peer.number else framed(LARGE, framing))

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        got = await conn.getresponse()
        try:
            async with got as response:
                assert response is got
                assert await response.read(5) == LARGE[:5]
                if failing:
                    raise KeyError("raised by the caller")
        except KeyError:
            assert failing
        else:
            assert not failing
        assert got.closed
        assert not conn.connected
        with pytest.raises(ResponseNotReady, match="closed before its body was read"):
            await got.read()
        assert await fetch(conn) == b"next"


async def test_async_with_of_a_complete_response() -> None:
    """``async with`` around a response that is read leaves the connection to the next request."""
    async with raw_server(script_once(reply(b"one"), reply(b"two"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for body in (b"one", b"two"):
                await conn.request("GET", "/")
                async with await conn.getresponse() as response:
                    assert await response.read() == body
                assert conn.connected
            assert server.connections == 1


async def test_close_of_a_complete_response() -> None:
    """``close()`` after the last byte changes nothing: the connection is used again."""
    async with raw_server(script_once(reply(b"one"), reply(b"two"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            await response.read()
            await response.close()
            assert await response.read() == b""
            assert await fetch(conn) == b"two"
            assert server.connections == 1


async def test_response_of_a_closed_connection() -> None:
    """Reading on after the connection was closed is an error, not an end."""
    async with raw_server(answer(framed(LARGE, "length"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            await conn.close()
            with pytest.raises(ResponseNotReady):
                await response.read()


@every_framing
@every_part
async def test_cancelled(framing: str, part: str) -> None:
    """A read that is cancelled closes the connection before the task ends; what was lost with it is not passed over."""
    reading = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(framed(BODY, framing).replace(b"41", b"99").partition(b"0\r\nX")[0])
        await reading.wait()
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        response = await conn.getresponse()
        task = asyncio.ensure_future(PARTS[part][0](response))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
        reading.set()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not conn.connected
        assert response.closed
        with pytest.raises(ResponseNotReady, match="cancelled"):
            await response.read()


@every_framing
@pytest.mark.parametrize("goes_on", [True, False])
async def test_silence_longer_than_the_window_of_the_rate(framing: str, goes_on: bool) -> None:
    """A long ``read`` is as long as it says in the middle of a body, too: silence is no matter of the least rate."""
    go_on = asyncio.Event()
    raw = framed(BODY, framing)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(raw[:-20])
        await go_on.wait()
        await peer.send(raw[-20:])

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=Timeout(read=300)) as conn:
            await conn.connect()
            stream = conn._stream
            assert stream is not None
            clock = fake_clock(stream)
            await conn.request("GET", "/")
            response = await conn.getresponse()
            reading = asyncio.create_task(response.read())
            await until(lambda: stream.waited_for)
            for seconds in (61, 61, 61, 116):
                clock.advance(seconds)
                assert stream.waited_for
            if goes_on:
                go_on.set()
                assert await reading == BODY
            else:
                clock.advance(1)
                with pytest.raises(ReadTimeout) as caught:
                    await reading
                assert caught.value.elapsed == 300
                go_on.set()


async def test_two_readers() -> None:
    """A second task that reads gets ConcurrentUse, and the first one its body."""
    go_on = asyncio.Event()
    raw = framed(BODY, "length")

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(raw[:-10])
        await go_on.wait()
        await peer.send(raw[-10:])

    async with response_to(script) as response:
        first = asyncio.create_task(response.read())
        for _ in range(3):
            await asyncio.sleep(0)
        for read in (response.read, response.read1, response.readline, response.readlines):
            with pytest.raises(ConcurrentUse):
                await read()
        with pytest.raises(ConcurrentUse):
            await response.read(5)
        with pytest.raises(ConcurrentUse):
            await response.readinto(bytearray(5))
        go_on.set()
        assert await first == BODY


# -- the head


async def test_attributes() -> None:
    """A response says what it is."""
    raw = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nX: 1\r\nx: 2\r\nContent-Length: 2\r\n\r\nno"
    async with response_to(raw) as response:
        assert (response.status, response.getcode(), response.reason, response.version) == (404, 404, "Not Found", 11)
        assert response.headers is response.msg is response.info()
        assert isinstance(response.headers, Headers)
        assert response.getheader("CONTENT-type") == "text/plain"
        assert response.getheader("X") == "1, 2"
        assert response.getheader("Y") is None
        assert response.getheader("Y", "default") == "default"
        assert response.getheader("Y", ["a", "b"]) == "a, b"
        assert response.getheaders() == [
            ("Content-Type", "text/plain"),
            ("X", "1"),
            ("x", "2"),
            ("Content-Length", "2"),
        ]
        assert response.method == "GET"
        assert response.url == response.geturl()
        assert response.url.startswith("http://127.0.0.1:")
        assert response.url.endswith("/path")
        assert response.will_close is False
        assert response.debuglevel == 0
        assert response.readable()
        assert repr(response) == f"<AsyncHTTPResponse [404 Not Found] GET {response.url}>"


async def test_fileno() -> None:
    """``fileno()`` is the descriptor of the connection's socket."""
    async with raw_server(answer(framed(BODY, "length"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            assert conn._stream is not None
            assert response.fileno() == conn._stream.transport.get_extra_info("socket").fileno()


@pytest.mark.parametrize(
    ("raw", "version", "will_close"),
    [
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 10, True),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok", 10, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 11, False),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 11, True),
        (b"HTTP/1.1 200 OK\r\n\r\nok", 11, True),
        (b"HTTP/1.7 200 OK\r\nContent-Length: 2\r\n\r\nok", 11, False),
        (b"ok", 9, True),
    ],
)
@every_arrival
async def test_version(raw: bytes, version: int, will_close: bool, arrival: str) -> None:
    """The version is 9, 10 or 11, and decides with the fields whether the connection goes on."""
    async with response_to(raw, arrival) as response:
        assert (response.version, response.will_close) == (version, will_close)
        assert await response.read() == b"ok"


async def test_own_response_class() -> None:
    """``response_class`` may be a class of one's own, as in http.client."""

    class Response(AsyncHTTPResponse):
        async def text(self) -> str:
            return (await self.read()).decode()

    class Connection(AsyncHTTPConnection):
        response_class = Response

    async with raw_server(script_once(reply(b"text"))) as server, Connection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        response = await conn.getresponse()
        assert isinstance(response, Response)
        assert await response.text() == "text"


# -- what took how long


async def timed(conn: AsyncHTTPConnection, method: str = "GET", body: Any = None) -> AsyncHTTPResponse:
    await conn.request(method, "/", body)
    response = await conn.getresponse()
    await response.read()
    return response


async def test_marks() -> None:
    """A response knows how its connection was opened, whether it was the first on it, and when what was begun."""
    now = asyncio.get_running_loop().time
    async with raw_server(script_once(reply(), reply(), reply())) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            times = [now()]
            dialed, first, begun, awaited = (await timed(conn)).marks
            times.append(now())
            assert dialed is not None
            assert (first, begun) == (True, 0.0)
            assert times[0] <= dialed.at <= awaited <= times[1]
            assert dialed.address == (server.host, server.port)
            assert dialed.dns is not None
            assert min(dialed.dns, dialed.connect) >= 0
            assert dialed.dns + dialed.connect <= times[1] - times[0]
            assert (dialed.tls, dialed.tls_version) == (None, None)
            again = (await timed(conn, "PUT", b"abc")).marks
            times.append(now())
            assert again[:2] == (dialed, False)
            assert times[1] <= again[3] <= times[2]
            large = (await timed(conn, "PUT", iter([b"abc", b"def"]))).marks
            assert times[2] <= large[2] <= large[3] <= now()


async def test_marks_of_another_connection() -> None:
    """Opened again, a connection is another one, and the first exchange on it is the first."""
    async with raw_server(script_once(reply())) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        one = (await timed(conn)).marks
        await conn.close()
        other = (await timed(conn)).marks
        assert (one[1], other[1]) == (True, True)
        assert one[0] is not other[0]


async def test_marks_of_tls(tls: TlsKit) -> None:
    """The handshake is timed apart from the connection, and told with its version."""
    async with raw_server(script_once(reply(), reply()), ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            for first in (True, False):
                marks = (await timed(conn)).marks
                assert marks[0] is not None
                assert marks[0].tls is not None
                assert (marks[0].tls >= 0, marks[0].tls_version, marks[1]) == (True, "TLSv1.3", first)
                assert marks[0].address == (server.host, server.port)


async def test_marks_of_a_tunnel(tls: TlsKit) -> None:
    """The way through a proxy counts as connecting, and what was said to the proxy is no exchange."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        await peer.start_tls(tls.good)
        for _ in range(2):
            await peer.read_head()
            await peer.send(reply())

    async with raw_server(script) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            conn.set_tunnel("localhost", 443)
            for first in (True, False):
                marks = (await timed(conn)).marks
                assert marks[0] is not None
                assert (marks[0].address, marks[0].tls is None, marks[1]) == (
                    (server.host, server.port),
                    False,
                    first,
                )


async def test_marks_of_a_unix_socket(tmp_path: Path) -> None:
    """Where nothing is looked up there is no time for that."""
    async with raw_server(script_once(reply()), path=tmp_path / "socket") as server:
        async with AsyncHTTPConnection("localhost", uds=server.path) as conn:
            dialed = (await timed(conn)).marks[0]
            assert dialed is not None
            assert (dialed.dns, dialed.tls) == (None, None)


@every_framing
async def test_abort(framing: str) -> None:
    """An aborted response has closed its connection in that very step; one that was read has nothing to abort."""
    async with raw_server(answer(framed(LARGE, framing), close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            assert len(await response.read(10)) == 10
            response.abort()
            assert (conn.connected, response.closed) == (False, True)
            with pytest.raises(ResponseNotReady):
                await response.read()
            response.abort()


async def test_abort_after_the_body() -> None:
    """After its last byte the connection is not the response's any more."""
    async with raw_server(script_once(reply(b"abc"), reply(b"def"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            response = await timed(conn)
            response.abort()
            assert conn.connected
            assert await fetch(conn) == b"def"
