"""``client/_stream.py``: a response whose body is read as wanted, and what becomes of its connection."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import json
import random
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import (
    BodyTooLarge,
    DecodingError,
    HTTPException,
    IncompleteRead,
    InvalidChunk,
    LimitExceeded,
    ReadTimeout,
    RetryPolicy,
    StatusError,
    Timeout,
    TimeoutManager,
    Timings,
    TotalTimeout,
)
from aiohttpclient.client import _stream
from aiohttpclient.client._decoders import EMPTY_RUNS, UNBROKEN_RUNS
from aiohttpclient.client._stream import REST, ResponseStream
from aiohttpclient.pool import Drop
from tests.client.clients import all_of, chunked, coded, streaming, talking
from tests.client.coded import MIB, encoded, field, gzipped
from tests.net.stepping import Ending, Moment, sweep
from tests.net.streams import until
from tests.pool.servers import HALF, counts, dropped
from tests.support.leaks import open_descriptors
from tests.support.server import reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

    from aiohttpclient.client import Handler, Request
    from tests.client.clients import Here
    from tests.pool.servers import Page
    from tests.support.server import Peer

    Reading = Callable[[ResponseStream], Awaitable[Any]]

NOISE = random.Random(2).randbytes(300_000)
EMPTY = {"gzip": gzipped(b""), "zstd": b"\x50\x2a\x4d\x18" + bytes(4)}
"""Members and frames without content."""
TEXT = "caf\xe9 \u20ac\r\nsecond\n\nlast \U0001f600"


def framed(body: bytes, framing: str, *fields: str) -> Page:
    """A page with ``body`` in one of the three framings."""
    if framing == "length":
        return reply(body, *fields)
    lines = "".join(f"{line}\r\n" for line in fields)
    if framing == "chunked":
        return chunked(*(body[at : at + 999] for at in range(0, len(body), 999)), fields=lines)

    async def until_close(peer: Peer) -> None:
        await peer.send(f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + body)
        peer.close()

    return until_close


# -- the head


async def test_head() -> None:
    """All that a head says is there before the body is."""
    fields = ["Content-Type: text/plain; charset=ISO-8859-1", "X-A: 1", "x-a: 2", "Link: </2>; rel=next"]
    page = reply(b"caf\xe9", *fields, status="203 Sort Of")
    async with talking({"/page?q=1": page}) as here:
        async with here.client.stream("GET", "page#here", params={"q": 1}) as stream:
            assert (stream.status, stream.reason, stream.version, stream.ok) == (203, "Sort Of", 11, True)
            assert stream.headers.get_all("X-A") == ["1", "2"]
            assert [stream.field(name) for name in ("X-A", "x-a", "x-b")] == ["1", "1", None]
            assert (stream.method, stream.url) == ("GET", URL(f"{here.server.url}/page?q=1#here"))
            assert stream.links["next"]["url"] == f"{here.server.url}/2"
            assert (stream.encoding, stream.length) == ("iso8859-1", 4)
            assert (stream.history, stream.attempts, dict(stream.trailers)) == ((), (), {})
            assert isinstance(stream.timings, Timings)
            assert stream.timings.receive is None
            assert repr(stream) == f"<ResponseStream [203 Sort Of] GET {here.server.url}/page?q=1>"
            assert await stream.text() == "caf\xe9"
            assert stream.length == 0


async def test_length_and_trailers() -> None:
    """A length is told where there is one; trailers are there when the body was read."""
    async with streaming(chunked(b"one", b"two", trailers="X-T: end\r\n")) as (stream, _):
        assert (stream.length, stream.encoding) == (None, None)
        assert dict(stream.trailers) == {}
        assert await stream.read() == b"onetwo"
        assert dict(stream.trailers) == {"X-T": "end"}


# -- reading

every_framing = pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
every_coding = pytest.mark.parametrize(
    "kinds", [(), ("gzip",), ("deflate", "br")], ids=lambda kinds: field(kinds) or "plain"
)


@every_framing
@every_coding
async def test_iter_bytes(framing: str, kinds: tuple[str, ...]) -> None:
    """The decoded body comes in blocks of the size that is asked for, but for the last, or as it comes."""
    page = framed(encoded(kinds, NOISE), framing, *([f"Content-Encoding: {field(kinds)}"] if kinds else []))
    for size in (None, 1000, 70_000, 10**6):
        async with streaming(page) as (stream, here):
            blocks = await all_of(stream.iter_bytes(size))
            assert b"".join(blocks) == NOISE
            assert all(blocks)
            if size is not None:
                assert {len(block) for block in blocks[:-1]} <= {size}
                assert 0 < len(blocks[-1]) <= size
            assert counts(here.client.pool).busy == 0


@every_framing
@pytest.mark.parametrize("size", [None, 1000])
async def test_iter_raw(framing: str, size: int | None) -> None:
    """The raw body is what was transferred, codings and all, but without the framing."""
    sent = gzipped(NOISE)
    async with streaming(framed(sent, framing, "Content-Encoding: gzip")) as (stream, _):
        assert b"".join(await all_of(stream.iter_raw(size))) == sent
    async with streaming(framed(b"no gzip", framing, "Content-Encoding: gzip")) as (stream, _):
        assert b"".join(await all_of(stream.iter_raw(size))) == b"no gzip"


@every_framing
@pytest.mark.parametrize("step", [1, 2, 1000])
async def test_text(framing: str, step: int) -> None:
    """Text is the same however its bytes come, and lines end where lines end."""
    encoded_text = TEXT.encode()

    async def bit_by_bit(peer: Peer) -> None:
        page = framed(encoded_text, "length" if framing == "until close" else framing)
        assert isinstance(page, bytes)
        for at in range(0, len(page), step):
            await peer.send(page[at : at + step])
            await asyncio.sleep(0)

    async with talking({"/page": bit_by_bit}) as here:
        for read, expected in (
            (lambda stream: stream.text(), TEXT),
            (lambda stream: all_of(stream.iter_lines()), ["caf\xe9 \u20ac", "second", "", "last \U0001f600"]),
            (lambda stream: stream.read(), encoded_text),
        ):
            async with here.client.stream("GET", "page") as stream:
                assert await read(stream) == expected
        async with here.client.stream("GET", "page") as stream:
            pieces = await all_of(stream.iter_text())
        assert all(pieces)
        assert "".join(pieces) == TEXT
        assert here.server.connections == 1


@pytest.mark.parametrize(
    ("content", "content_type", "encoding", "text"),
    [
        (b"caf\xe9", "text/plain; charset=iso-8859-1", None, "caf\xe9"),
        (b"caf\xe9", "text/plain", "cp1252", "caf\xe9"),
        (b"caf\xc3\xa9", "text/plain; charset=iso-8859-1", "utf-8", "caf\xe9"),
        (b"\xff\xfea\x00", "text/plain", None, "a"),
        (b"caf\xe9", "text/plain", None, "caf\ufffd"),
    ],
)
async def test_encodings(content: bytes, content_type: str, encoding: str | None, text: str) -> None:
    """Text is in the encoding that the caller says, else in what Content-Type or a byte order mark says."""
    page = reply(content, f"Content-Type: {content_type}")
    async with talking({"/page": page}) as (client, *_):
        async with client.stream("GET", "page") as stream:
            assert await stream.text(encoding) == text
        async with client.stream("GET", "page") as stream:
            assert await all_of(stream.iter_lines(encoding)) == [text]


async def test_unknown_encoding() -> None:
    """An encoding that does not exist is an error before anything is read."""
    async with streaming(reply(b"abc")) as (stream, _):
        with pytest.raises(LookupError):
            await stream.text("no such thing")
        assert await stream.read() == b"abc"


async def test_json() -> None:
    """JSON is read by what is given, else by what the client has."""
    async with talking({"/page": reply(b"[1.5]")}, json_loads=len) as (client, *_):
        async with client.stream("GET", "page") as stream:
            assert await stream.json() == 5
        async with client.stream("GET", "page") as stream:
            assert await stream.json(json.loads) == [1.5]
    async with streaming(reply(b"<html>")) as (stream, _):
        with pytest.raises(ValueError, match="Expecting value"):
            await stream.json()


async def test_iter_events() -> None:
    """Server-sent events are read as they come."""
    page = chunked(b"data: o", b"ne\n\ndata: two\nid: 2\n\ndata: lost", fields="Content-Type: text/event-stream\r\n")
    async with streaming(page) as (stream, _):
        assert [(event.data, event.id) async for event in stream.iter_events()] == [("one", ""), ("two", "2")]


@pytest.mark.parametrize(("marks", "count"), [(0, 2), (1, 2), (2, 1)])
async def test_byte_order_mark_of_events(marks: int, count: int) -> None:
    """Of an event stream one byte order mark is taken off, and another is a part of the first line."""
    content = b"\xef\xbb\xbf" * marks + b"data: a\n\ndata: \xc3\xa4\n\n"
    page = chunked(*(content[at : at + 1] for at in range(len(content))), fields="Content-Type: text/event-stream\r\n")
    async with streaming(page) as (stream, here):
        seen = [event.data async for event in stream.iter_events()]
        assert seen == ["a", "\xe4"][-count:]
        assert [event.data async for event in here.client.events("page", reconnect=False)] == seen


async def test_complete() -> None:
    """A stream can be read into a response, with all that the response of a simple request has."""
    page = coded(gzipped(b"abc"), "gzip", "X-A: 1")
    async with talking({"/1": reply(b"", "Location: /page", status="302 Found"), "/page": page}) as (client, server, _):
        async with client.stream("GET", "/1") as stream:
            response = await stream.complete()
        assert (response.status, response.content, response.headers["X-A"]) == (200, b"abc", "1")
        assert (str(response.url), [each.status for each in response.history]) == (f"{server.url}/page", [302])
        assert response.timings.receive is not None
        assert response.timings[:4] == stream.timings[:4]


@pytest.mark.parametrize("kinds", [(), ("gzip",)], ids=["plain", "gzip"])
@pytest.mark.parametrize("size", [None, 7])
@pytest.mark.parametrize("read", [ResponseStream.read, ResponseStream.text, ResponseStream.complete])
async def test_the_rest(kinds: tuple[str, ...], size: int | None, read: Reading) -> None:
    """Whoever stops after a block gets the rest by another call, without a byte missing."""
    content = b"0123456789" * 100
    page = framed(encoded(kinds, content), "chunked", *(["Content-Encoding: gzip"] if kinds else []))
    async with streaming(page) as (stream, _):
        first = await anext(stream.iter_bytes(size))
        read_later: Any = await read(stream)
        rest: Any = getattr(read_later, "content", read_later)
        assert first + (rest.encode() if isinstance(rest, str) else rest) == content


async def test_made_by_a_middleware() -> None:
    """An answer that came over no connection is read like any other: decoded, bounded, in blocks or whole."""
    pages = {
        "/coded": (200, {"Content-Encoding": "gzip", "Content-Type": "text/plain"}, gzipped(NOISE)),
        "/bytes": (418, [(b"X-A", b"1")], b"teapot"),
        "/none": (204, {}, b""),
    }

    async def answer(request: Request, call_next: Handler) -> ResponseStream:
        page: Any = pages.get(request.url.path)
        return await call_next(request) if page is None else ResponseStream.made(request, *page)

    async with talking(middlewares=[answer]) as (client, server, _):
        response = await client.get("/coded")
        assert (response.content, response.status, response.reason) == (NOISE, 200, "OK")
        assert response.timings.address is None
        for size in (None, 1000):
            async with client.stream("GET", "/coded") as stream:
                assert b"".join(await all_of(stream.iter_bytes(size))) == NOISE
        async with client.stream("GET", "/coded") as stream:
            assert await anext(stream.iter_bytes(10)) == NOISE[:10]
        with pytest.raises(BodyTooLarge):
            await client.get("/coded", max_body=1000)
        with pytest.raises(StatusError, match="418") as caught:
            (await client.get("/bytes")).raise_for_status()
        assert (caught.value.response.headers["X-A"], caught.value.response.content) == ("1", b"teapot")
        assert (await client.get("/none")).content == b""
        assert server.connections == 0
        assert (await client.get("/next")).content == b"/next"


# -- once, and in one way


READS: dict[str, Reading] = {
    "read": ResponseStream.read,
    "text": ResponseStream.text,
    "json": ResponseStream.json,
    "complete": ResponseStream.complete,
    "iter_bytes": lambda stream: all_of(stream.iter_bytes()),
    "iter_raw": lambda stream: all_of(stream.iter_raw(2)),
    "iter_lines": lambda stream: all_of(stream.iter_lines()),
    "iter_events": lambda stream: all_of(stream.iter_events()),
}
every_read = pytest.mark.parametrize("read", READS.values(), ids=READS)


@every_read
async def test_read_twice(read: Reading) -> None:
    """A body is read once: whoever reads it again is told, and gets no empty one."""
    async with talking({"/page": reply(b"[1]")}) as (client, server, _):
        for again in READS.values():
            async with client.stream("GET", "page") as stream:
                await read(stream)
                with pytest.raises(RuntimeError, match="was read or closed already") as caught:
                    await again(stream)
            assert caught.value.__notes__ == [f"GET {server.url}/page"]
        assert server.connections == 1


@pytest.mark.parametrize("end", [ResponseStream.close, ResponseStream.release], ids=["closed", "released"])
async def test_read_after_the_end(end: Reading) -> None:
    """A body that was given up cannot be read."""
    async with talking({"/page": reply(b"[1]")}) as (client, *_):
        for read in READS.values():
            async with client.stream("GET", "page") as stream:
                await end(stream)
                with pytest.raises(RuntimeError, match="was read or closed already"):
                    await read(stream)


async def test_read_after_the_block() -> None:
    """After its block a stream has nothing more to give, but for its head."""
    async with talking({"/page": reply(b"[1]")}) as (client, *_):
        for read in READS.values():
            async with client.stream("GET", "page") as stream:
                pass
            with pytest.raises(RuntimeError, match="was read or closed already"):
                await read(stream)
            assert stream.status == 200


# -- leaving early


async def stuck(peer: Peer) -> None:
    """Half of an answer, and nothing more."""
    await peer.send(HALF)
    await peer.read_until_eof()


@pytest.mark.parametrize("kind", ["iter_bytes", "iter_raw", "iter_text", "iter_lines", "nothing"])
async def test_block_is_left_early(kind: str) -> None:
    """A body that was not read to its end costs its connection; the next request gets its own answer over another."""
    async with talking({"/page": reply(NOISE)}) as (client, server, _):
        async with client.stream("GET", "page") as stream:
            if kind != "nothing":
                async for _ in getattr(stream, kind)():
                    break
        assert counts(client.pool) == (0, 0, 0, 0)
        assert dropped(client.pool) == {Drop.ABANDONED: 1}
        assert (await client.get("/next")).content == b"/next"
        assert server.connections == 2


@pytest.mark.parametrize("read", [ResponseStream.read, lambda stream: all_of(stream.iter_bytes(3))])
async def test_connection_is_free_when_the_body_was_read(read: Reading) -> None:
    """With the last byte of the body the connection is free for others, in the block already."""
    async with streaming(reply(b"0123456789")) as (stream, here):
        await read(stream)
        assert counts(here.client.pool) == (1, 0, 0, 0)
        assert (await here.client.get("/next")).content == b"/next"
        assert here.server.connections == 1


async def test_error_in_the_block() -> None:
    """An error of the caller's own passes, and closes the connection."""
    async with talking({"/page": stuck}) as (client, *_):
        with pytest.raises(ZeroDivisionError):
            async with client.stream("GET", "page"):
                raise ZeroDivisionError
        assert counts(client.pool) == (0, 0, 0, 0)


async def test_forgotten() -> None:
    """A stream that is forgotten before it was read gives up its connection."""
    async with talking({"/page": stuck}) as (client, *_):
        stream: ResponseStream | None = await client.send(client.build_request("GET", "page"))
        assert counts(client.pool).busy == 1
        del stream
        gc.collect()
        await until(lambda: counts(client.pool) == (0, 0, 0, 0))


async def test_stream_is_a_context() -> None:
    """What ``send`` gives can be used in an ``async with`` block itself, which closes it."""
    async with talking({"/page": stuck}) as (client, *_):
        async with await client.send(client.build_request("GET", "page")) as stream:
            assert counts(client.pool).busy == 1
        assert counts(client.pool) == (0, 0, 0, 0)
        await stream.close()
        assert dropped(client.pool) == {Drop.ABANDONED: 1}


async def test_cancelled_in_the_middle() -> None:
    """A reader that is cancelled leaves neither connection nor descriptor."""
    async with talking({"/page": stuck}) as (client, server, _):
        before = len(open_descriptors())

        async def read() -> None:
            async with client.stream("GET", "page") as stream:
                async for _ in stream.iter_bytes():
                    seen.set()

        seen = asyncio.Event()
        reading = asyncio.create_task(read())
        await seen.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert counts(client.pool) == (0, 0, 0, 0)
        await server.wait_closed()
        assert len(open_descriptors()) <= before
        assert (await client.get("/next")).content == b"/next"


# -- bounds


@every_framing
@every_coding
async def test_max_body(framing: str, kinds: tuple[str, ...]) -> None:
    """A decoded body of as many bytes as may be is read; one byte more closes the connection, however it is framed."""
    content = b"abcde" * 2000
    page = framed(encoded(kinds, content), framing, *([f"Content-Encoding: {field(kinds)}"] if kinds else []))
    async with talking({"/page": page}) as (client, server, _):
        for read in ("read", "text", "complete", "iter_bytes"):
            async with client.stream("GET", "page", max_body=len(content)) as stream:
                await READS[read](stream)
            with pytest.raises(BodyTooLarge) as caught:
                async with client.stream("GET", "page", max_body=len(content) - 1) as stream:
                    await READS[read](stream)
            assert caught.value.allowed == len(content) - 1
            assert caught.value.__notes__ == [f"GET {server.url}/page"]
            assert counts(client.pool).busy == 0
            assert (await client.get("/next")).content == b"/next"


async def test_max_body_by_the_length() -> None:
    """What says beforehand that it is too long is not waited for."""
    async with streaming(stuck, max_body=9) as (stream, here):
        with pytest.raises(BodyTooLarge):
            await stream.read()
        assert counts(here.client.pool) == (0, 0, 0, 0)


async def test_max_body_of_the_raw_body() -> None:
    """A body that is read raw is bounded raw."""
    sent = gzipped(bytes(100_000))
    async with talking({"/page": coded(sent, "gzip")}, max_body=len(sent)) as (client, *_):
        async with client.stream("GET", "page") as stream:
            assert b"".join(await all_of(stream.iter_raw())) == sent
        with pytest.raises(BodyTooLarge):
            await client.get("page")
        with pytest.raises(BodyTooLarge):
            async with client.stream("GET", "page", max_body=len(sent) - 1) as stream:
                await all_of(stream.iter_raw())


async def test_bomb() -> None:
    """A body that unfolds to very much costs no more memory than a few blocks, and with a bound hardly any time."""
    sent = gzipped(bytes(64 * MIB))
    async with talking({"/page": coded(sent, "gzip")}) as (client, *_):
        async with client.stream("GET", "page") as stream:
            size = 0
            tracemalloc.start()
            async for block in stream.iter_bytes():
                size += len(block)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert size == 64 * MIB
        assert peak < 2 * MIB
        with pytest.raises(BodyTooLarge):
            await client.get("page", max_body=MIB)


@pytest.mark.parametrize("kinds", [("gzip",), ("gzip", "gzip"), ("br",), ("zstd",)], ids=field)
async def test_small_bomb_lets_others_go_on(kinds: tuple[str, ...]) -> None:
    """While a small body unfolds to very much, everybody else has his turn: timeouts, cancellation, other requests."""
    sent = encoded(kinds, bytes(32 * MIB))
    assert len(sent) < 64 * 1024
    turned = 0

    async def turn() -> None:
        nonlocal turned
        while True:
            await asyncio.sleep(0)
            turned += 1

    async with talking({"/page": coded(sent, field(kinds))}) as (client, *_):
        async with client.stream("GET", "page") as stream:
            turning = asyncio.create_task(turn())
            response = await stream.complete()
            turning.cancel()
        assert len(response.content) == 32 * MIB
        assert turned >= 20


@pytest.mark.parametrize("count", [300, EMPTY_RUNS], ids=["short", "long"])
@pytest.mark.parametrize("kind", EMPTY)
async def test_body_of_nothing(kind: str, count: int) -> None:
    """While a body comes to nothing everybody else has his turn, and the total holds."""
    page = coded(EMPTY[kind] * count, kind)
    turned = 0

    async def turn() -> None:
        nonlocal turned
        while True:
            await asyncio.sleep(0)
            turned += 1

    async def as_time_runs_out(peer: Peer) -> None:
        await peer.send(page)
        clock.deadline = 0.0

    async with talking({"/page": page, "/late": as_time_runs_out}) as (client, *_):
        for read in (ResponseStream.read, lambda stream: all_of(stream.iter_bytes())):
            turning = asyncio.create_task(turn())
            async with client.stream("GET", "page") as stream:
                turned = 0
                assert not await read(stream)
            turning.cancel()
            assert turned >= count // UNBROKEN_RUNS
            clock = TimeoutManager(Timeout(30, total=60))
            with pytest.raises(TotalTimeout):
                async with client.stream("GET", "late", timeout=clock) as stream:
                    await read(stream)


@functools.cache
def _unfolding(kinds: tuple[str, ...]) -> bytes:
    """16 MiB of lines in these codings."""
    return encoded(kinds, (b"\n" * 1023 + b" ") * 16 * 1024)


@pytest.mark.parametrize("kinds", [("gzip",), ("deflate",), ("br",), ("zstd",), ("gzip", "gzip")], ids=field)
@pytest.mark.parametrize("read", ["get", "read", "complete", "text", "iter_bytes", "iter_lines"])
async def test_total_holds_while_decoding(kinds: tuple[str, ...], read: str) -> None:
    """A body that was received in time, and unfolds to very much, has the total and not more."""
    sent = _unfolding(kinds)

    async def as_time_runs_out(peer: Peer) -> None:
        await peer.send(coded(sent, field(kinds)))
        clock.deadline = 0.0  # the connection has its own timer, which was set before

    async with talking({"/page": as_time_runs_out}) as (client, server, _):
        clock = TimeoutManager(Timeout(30, total=60))
        with pytest.raises(TotalTimeout) as caught:
            if read == "get":
                await client.get("page", timeout=clock)
            else:
                async with client.stream("GET", "page", timeout=clock) as stream:
                    await READS[read](stream)
        assert (caught.value.method, caught.value.url, caught.value.limit) == ("GET", f"{server.url}/page", 60)
        assert counts(client.pool).busy == 0
        assert (await client.get("/next")).content == b"/next"


# -- what goes wrong


@pytest.mark.parametrize(
    ("page", "error"),
    [
        pytest.param(coded(gzipped(NOISE[:9000])[:-1], "gzip"), DecodingError, id="coding cut short"),
        pytest.param(coded(b"no gzip", "gzip"), DecodingError, id="no coding at all"),
        pytest.param(coded(NOISE, "gzip"), DecodingError, id="no coding, at length"),
        pytest.param(coded(gzipped(gzipped(b"abc")), "gzip, no-such"), DecodingError, id="unknown coding"),
        pytest.param(coded(gzipped(b"abc") + b"junk", "gzip"), DecodingError, id="bytes after the end"),
        pytest.param(coded(EMPTY["gzip"] * (EMPTY_RUNS + 1), "gzip"), DecodingError, id="many members of nothing"),
        pytest.param(coded(EMPTY["zstd"] * (EMPTY_RUNS + 1), "zstd"), DecodingError, id="many frames of nothing"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n",
            InvalidChunk,
            id="broken chunk",
        ),
    ],
)
async def test_broken_bodies(page: bytes, error: type[Exception]) -> None:
    """A body that is not what it should be is an error that names the request, and the connection is not left over."""
    async with talking({"/page": page}) as (client, server, _):
        for read in ("read", "text", "json", "complete", "iter_bytes", "iter_lines"):
            with pytest.raises(error) as caught:
                async with client.stream("GET", "page") as stream:
                    await READS[read](stream)
            assert caught.value.__notes__ == [f"GET {server.url}/page"]
            assert counts(client.pool).busy == 0
            assert (await client.get("/next")).content == b"/next"
            assert counts(client.pool) == (1, 0, 0, 0)


@pytest.mark.parametrize("way", ["close", "reset"])
@pytest.mark.parametrize("sent", [HALF, chunked(b"half.")[:-9]], ids=["length", "chunked"])
async def test_cut_short(sent: bytes, way: str) -> None:
    """A body that the peer ends early is an error that names the request, and never a shorter body."""

    async def cut(peer: Peer) -> None:
        started.clear()
        await peer.send(sent)
        await started.wait()
        getattr(peer, way)()

    started = asyncio.Event()
    async with talking({"/page": cut}) as (client, server, _):
        for read in ("read", "complete", "iter_bytes", "iter_raw"):
            with pytest.raises(IncompleteRead if way == "close" else (IncompleteRead, ConnectionError)) as caught:
                async with client.stream("GET", "page") as stream:
                    started.set()
                    await READS[read](stream)
            assert caught.value.__notes__ == [f"GET {server.url}/page"]
            assert counts(client.pool) == (0, 0, 0, 0)


@pytest.mark.parametrize("read", ["get", "read", "complete", "iter_bytes", "iter_lines"])
@pytest.mark.parametrize("page", ["cut", "too large"])
async def test_attempts_of_what_breaks(page: str, read: str) -> None:
    """The error of a body that breaks says what was tried before, once, however often it is raised."""

    async def broken(peer: Peer) -> None:
        if here.site.targets.count("/page") < 3:
            await peer.send(reply(b"", status="503 Busy"))
            return
        await peer.send(HALF)
        peer.close()

    retries = RetryPolicy(3, backoff=0.0)
    max_body = 3 if page == "too large" else None
    async with talking({"/page": broken}, retries=retries, max_body=max_body) as here:
        error: type[Exception] = BodyTooLarge if max_body else IncompleteRead
        if read == "get":
            with pytest.raises(error) as caught:
                await here.client.get("page")
        else:
            stream = await here.client.send(here.client.build_request("GET", "page"))
            with pytest.raises(error) as caught:
                await READS[read](stream)
            with contextlib.suppress(RuntimeError):
                await stream.read()
        assert [each.status for each in vars(caught.value)["attempts"]] == [503, 503, 200]
        notes = [note.partition(" (")[0] for note in caught.value.__notes__]
        assert notes == [f"GET {here.server.url}/page", "attempt 1: 503", "attempt 2: 503", "attempt 3: 200"]


@pytest.mark.parametrize("read", ["iter_lines", "iter_events"])
async def test_line_without_an_end(read: str) -> None:
    """A line that is longer than any line should be closes the connection, with an error that names the request."""
    async with talking({"/page": reply(bytes(5 * MIB) + b"\n\n")}) as (client, server, _):
        stream = await client.send(client.build_request("GET", "page"))
        with pytest.raises(LimitExceeded) as caught:
            await READS[read](stream)
        assert caught.value.limit in {"max_line", "max_event"}
        assert caught.value.__notes__ == [f"GET {server.url}/page"]
        assert counts(client.pool).busy == 0


async def test_error_is_the_same_again() -> None:
    """After an error there is no body, and no part of one."""
    async with streaming(coded(gzipped(NOISE)[:-1], "gzip")) as (stream, _):
        with pytest.raises(DecodingError):
            await stream.read()
        with pytest.raises(RuntimeError, match="was read or closed already"):
            await stream.read()


@pytest.mark.parametrize("read", ["read", "iter_bytes", "iter_lines"])
async def test_silence(read: str) -> None:
    """A peer that says nothing more is not waited for longer than ``read``; the error names the request."""
    async with streaming(stuck, timeout=Timeout(30, read=0.02)) as (stream, here):
        with pytest.raises(ReadTimeout) as caught:
            await READS[read](stream)
        assert (caught.value.method, caught.value.url) == ("GET", f"{here.server.url}/page")
        assert counts(here.client.pool) == (0, 0, 0, 0)


@pytest.mark.parametrize("read", ["get", "read", "iter_bytes", "iter_raw"])
async def test_slow_drip(read: str) -> None:
    """A peer that drips, so that it is never silent, has the total and not more."""

    async def drip(peer: Peer) -> None:
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await peer.send(b"x")
            await asyncio.sleep(0)

    async with talking({"/page": drip}) as (client, server, _):
        with pytest.raises(TotalTimeout) as caught:
            if read == "get":
                await client.get("page", timeout=Timeout(30, total=0.05))
            async with client.stream("GET", "page", timeout=Timeout(30, total=0.05)) as stream:
                await READS[read](stream)
        assert (caught.value.method, caught.value.limit) == ("GET", 0.05)
        assert counts(client.pool) == (0, 0, 0, 0)
        await server.wait_closed()


@pytest.mark.parametrize(
    ("method", "page"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: 100\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 404 No\r\nContent-Encoding: %s\r\nContent-Length: 100\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\nContent-Encoding: %s\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Encoding: %s\r\nContent-Length: 100\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: 0\r\n\r\n"),
        ("GET", b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ],
)
@pytest.mark.parametrize(("coding", "max_body"), [(b"gzip", None), (b"no-such", 0)])
async def test_no_body_in_a_coding(method: str, page: bytes, coding: bytes, max_body: int | None) -> None:
    """What has no body has none, whatever coding and length it would have had; the connection is kept."""
    async with talking({"/page": page.replace(b"%s", coding)}, max_body=max_body) as (client, server, _):
        response = await client.request(method, "page")
        assert (response.content, response.text) == (b"", "")
        for read in ("read", "text", "iter_bytes", "iter_raw", "iter_lines"):
            async with client.stream(method, "page") as stream:
                assert not await READS[read](stream)
        assert (await client.get("/next", max_body=None)).content == b"/next"
        assert server.connections == 1


# -- giving it up


async def drip_for_ever(peer: Peer) -> None:
    with contextlib.suppress(OSError):
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await peer.send(b"x")
            await asyncio.sleep(0)


GIVEN_UP: dict[str, tuple[Page, bool]] = {
    "nothing": (reply(), True),
    "short": (reply(bytes(1000)), True),
    "just": (reply(bytes(REST)), True),
    "short, in chunks": (chunked(bytes(1000), bytes(5)), True),
    "too long": (reply(bytes(REST + 1)), False),
    "much too long": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", False),
    "too long, in chunks": (chunked(bytes(REST), b"x"), False),
    "silent": (stuck, False),
    "dripping": (drip_for_ever, False),
    "broken": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", False),
    "the last": (reply(b"abc", "Connection: close"), False),
}


@pytest.mark.parametrize("name", GIVEN_UP)
async def test_release(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short rest that comes soon is read, and the connection kept; for everything else it is closed."""
    page, kept = GIVEN_UP[name]
    monkeypatch.setattr(_stream, "REST_SECONDS", 10.0 if kept else 0.02)
    async with talking({"/page": page}) as (client, server, _):
        stream = await client.send(client.build_request("GET", "page"))
        await stream.release()
        assert counts(client.pool) == (1 if kept else 0, 0, 0, 0)
        await stream.release()
        await stream.close()
        assert (await client.get("/next")).content == b"/next"
        assert server.connections == (1 if kept else 2)


async def test_release_of_the_rest() -> None:
    """What is left after a part was read is read as well, and not decoded: it may be anything."""
    for page in (coded(gzipped(NOISE[:9000])[:-1], "gzip"), coded(NOISE[:9000], "no-such"), reply(NOISE[:9000])):
        async with talking({"/page": page}) as (client, server, _):
            async with client.stream("GET", "page") as stream:
                await anext(stream.iter_raw(10))
                await stream.release()
                assert counts(client.pool) == (1, 0, 0, 0)
            await client.get("/next")
            assert server.connections == 1


async def test_cancelled_while_releasing() -> None:
    """Who is cancelled while the rest is read leaves no connection."""
    async with talking({"/page": stuck}) as (client, *_):
        stream = await client.send(client.build_request("GET", "page"))
        releasing = asyncio.create_task(stream.release())
        await until(lambda: stream.length == 5)
        releasing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await releasing
        assert counts(client.pool) == (0, 0, 0, 0)


HELD: dict[str, tuple[Page, bytes | type[Exception], bool]] = {
    "nothing": (reply(), b"", True),
    "short": (reply(bytes(1000)), bytes(1000), True),
    "just": (reply(bytes(REST)), bytes(REST), True),
    "short, in chunks": (chunked(bytes(1000), bytes(5), trailers="X-T: end\r\n"), bytes(1005), True),
    "coded": (coded(gzipped(NOISE[:9000]), "gzip"), NOISE[:9000], True),
    "the last": (reply(b"abc", "Connection: close"), b"abc", False),
    "too long": (reply(NOISE), NOISE, False),
    "too long, in chunks": (chunked(NOISE, trailers="X-T: end\r\n"), NOISE, False),
    "cut short": (reply(b"abc")[:-1], IncompleteRead, False),
    "cut short, in chunks": (chunked(b"abc", b"def")[:-11], IncompleteRead, False),
    "broken": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabczz\r\n", InvalidChunk, False),
}


async def content_of(stream: ResponseStream) -> bytes:
    return (await stream.complete()).content


async def in_sevens(stream: ResponseStream) -> bytes:
    return b"".join(await all_of(stream.iter_bytes(7)))


@pytest.mark.parametrize("read", [ResponseStream.read, content_of, in_sevens], ids=["read", "complete", "iter_bytes"])
@pytest.mark.parametrize("name", HELD)
async def test_hold(name: str, read: Reading) -> None:
    """A short body that is held keeps no connection busy; held or not, it is read, and fails, as if nothing was."""
    page, content, free = HELD[name]

    async def send(peer: Peer) -> None:
        assert isinstance(page, bytes)
        await peer.send(page)
        if not isinstance(content, bytes):
            peer.close()

    async with talking({"/page": send}) as here:
        stream = await here.client.send(here.client.build_request("GET", "page"))
        assert await stream.hold() is not name.startswith("too long")
        assert counts(here.client.pool) == (int(free), int(name.startswith("too long")), 0, 0)
        if isinstance(content, bytes):
            assert await read(stream) == content
            assert dict(stream.trailers) == ({"X-T": "end"} if "chunks" in name else {})
        else:
            with pytest.raises(content):
                await read(stream)
        await stream.hold()
        assert (await here.client.get("/next")).content == b"/next"


async def test_hold_of_what_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that does not come soon is not waited for, and nothing of it is lost, nor of the connection."""
    monkeypatch.setattr(_stream, "REST_SECONDS", 0.02)
    late = asyncio.Event()
    pages = {"/length": b"Content-Length: 6\r\n\r\nabcdef", "/chunks": b"Transfer-Encoding: chunked\r\n\r\n" + CHUNKS}

    async def in_two(peer: Peer) -> None:
        raw = b"HTTP/1.1 200 OK\r\n" + pages[here.site.targets[-1]]
        await peer.send(raw[:-19] if b"chunk" in raw else raw[:-3])
        await late.wait()
        await peer.send(raw[-19:] if b"chunk" in raw else raw[-3:])

    async with talking(dict.fromkeys(pages, in_two)) as here:
        for page in pages:
            late.clear()
            async with here.client.stream("GET", page, timeout=Timeout(30, read=10)) as stream:
                for _ in range(2):
                    assert not await stream.hold()
                assert counts(here.client.pool).busy == 1
                late.set()
                assert await stream.read() == b"abcdef"
        assert here.server.connections == 1


CHUNKS = b"3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"


async def test_hold_of_a_drip(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that drips is waited for no longer than one that is silent."""
    monkeypatch.setattr(_stream, "REST_SECONDS", 0.02)
    async with streaming(drip_for_ever) as (stream, here):
        await stream.hold()
        assert counts(here.client.pool).busy == 1
        assert await anext(stream.iter_bytes(10)) == b"x" * 10


async def test_held_and_given_up() -> None:
    """What was held can be released, shortened, closed and aborted; the connection has nothing to do with it."""
    async with talking({"/page": reply(b"abc")}) as here:
        for _ in range(2):
            for end in ("release", "close", "abort"):
                stream = await here.client.send(here.client.build_request("GET", "page"))
                await stream.hold()
                done = getattr(stream, end)()
                if done is not None:
                    await done
                assert counts(here.client.pool) == (1, 0, 0, 0)
            stream = await here.client.send(here.client.build_request("GET", "page"))
            await stream.hold()
            assert (await stream.shortened(3)).content == b"abc"
        assert here.server.connections == 1


async def test_cancelled_while_it_is_held() -> None:
    """Who is cancelled while a body is taken in leaves no connection."""
    async with talking({"/page": stuck}) as (client, *_):
        stream = await client.send(client.build_request("GET", "page"))
        holding = asyncio.create_task(stream.hold())
        await until(lambda: stream.length == 5)
        holding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await holding
        await stream.close()
        assert counts(client.pool) == (0, 0, 0, 0)


SHORTENED: dict[str, tuple[Page, bytes, bool]] = {
    "nothing": (reply(), b"", True),
    "short": (reply(b"abc"), b"abc", True),
    "just": (chunked(b"abcde", b"fghij"), b"abcdefghij", True),
    "coded": (coded(gzipped(b"abc"), "gzip"), b"abc", True),
    "too long": (reply(NOISE), b"", False),
    "too long, coded": (coded(gzipped(bytes(MIB)), "gzip"), b"", False),
    "much too long": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n", b"", False),
    "silent": (stuck, b"", False),
    "dripping": (drip_for_ever, b"", False),
    "broken": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"", False),
}


@pytest.mark.parametrize("name", SHORTENED)
async def test_shortened(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A response has its body where that is short and comes soon; else it has none, and the connection is closed."""
    page, content, kept = SHORTENED[name]
    monkeypatch.setattr(_stream, "REST_SECONDS", 10.0 if kept else 0.02)
    async with talking({"/page": page}) as (client, *_):
        stream = await client.send(client.build_request("GET", "page"))
        response = await stream.shortened(10)
        assert (response.status, response.content) == (200, content)
        if "coded" not in name:  # that one is small, and may have been received
            assert counts(client.pool) == (1 if kept else 0, 0, 0, 0)
        assert (await client.get("/next")).content == b"/next"
        assert counts(client.pool) == (1, 0, 0, 0)


@pytest.mark.parametrize("end", [ResponseStream.release, lambda stream: stream.shortened(10)], ids=["rest", "body"])
async def test_nobody_waits_for_what_nobody_wants(end: Reading, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rest that does not come soon is given up, however long the caller would wait for what he wants."""
    monkeypatch.setattr(_stream, "REST_SECONDS", 0.02)
    async with talking({"/page": stuck}, timeout=Timeout(read=None, min_rate=None)) as (client, server, _):
        stream = await client.send(client.build_request("GET", "page"))
        await end(stream)  # else never
        assert counts(client.pool) == (0, 0, 0, 0)
        await server.wait_closed()


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "399 "])
async def test_no_error(status: str) -> None:
    """Without an error the stream comes back, with its body still to be read."""
    async with streaming(reply(b"abc", status=status), follow_redirects=False) as (stream, _):
        assert await stream.raise_for_status() is stream
        assert await stream.read() == b"abc"


@pytest.mark.parametrize(("body", "kept"), [(b"because", True), (bytes(REST), True), (bytes(8 * REST), False)])
async def test_raise_for_status(body: bytes, kept: bool) -> None:
    """The error of a status has the response, and its body where that is not long."""
    async with talking({"/page": reply(body, "X-A: 1", status="404 Not Found")}) as (client, server, _):
        with pytest.raises(StatusError, match=f"404 Not Found for GET {server.url}/page") as caught:
            async with client.stream("GET", "page") as stream:
                await stream.raise_for_status()
        response = caught.value.response
        assert (response.status, response.headers["X-A"], response.content) == (404, "1", body if kept else b"")
        assert counts(client.pool) == (1 if kept else 0, 0, 0, 0)


@pytest.mark.parametrize("end", [ResponseStream.read, ResponseStream.close, ResponseStream.release])
async def test_raise_for_status_after_the_body(end: Reading) -> None:
    """The error of a status is one also when the body was read before; it is in the caller's hands then."""
    async with streaming(reply(b"because", status="500 Oh")) as (stream, _):
        await end(stream)
        with pytest.raises(StatusError) as caught:
            await stream.raise_for_status()
        assert caught.value.response.status == 500


# -- cancelled at any await


async def _complete(here: Here) -> None:
    response = await here.client.get("page")
    assert response.content[-len(NOISE) :] == NOISE


async def _blocks(here: Here) -> None:
    size = 0
    async with here.client.stream("GET", "page") as stream:
        async for block in stream.iter_bytes(10_000):
            size += len(block)
    assert size >= len(NOISE)


async def _bare_stream(here: Here) -> None:
    stream = await here.client.send(here.client.build_request("GET", "page"))
    assert len(await stream.read()) >= len(NOISE)


async def _shortened(here: Here) -> None:
    stream = await here.client.send(here.client.build_request("GET", "page"))
    response = await stream.shortened(100 * MIB)
    assert len(response.content) >= len(NOISE)


async def _released(here: Here) -> None:
    stream = await here.client.send(here.client.build_request("GET", "page"))
    await stream.release()


async def _left(here: Here) -> None:
    async with here.client.stream("GET", "page") as stream:
        async for _ in stream.iter_lines():
            break


@pytest.mark.parametrize("kinds", [(), ("gzip",)], ids=["plain", "gzip"])
@pytest.mark.parametrize("work", [_complete, _blocks, _bare_stream, _shortened, _released, _left])
async def test_cancelled_anywhere(work: Callable[[Here], Coroutine[Any, Any, None]], kinds: tuple[str, ...]) -> None:
    """Cancelled at any await of reading, decoding and closing, a stream holds no connection in that very step."""
    asyncio.get_running_loop().set_debug(False)
    content = (b"\n" * (2 * MIB) if kinds else b"") + NOISE
    body = encoded(kinds, content)

    async def in_parts(peer: Peer) -> None:
        fields = f"Content-Encoding: {field(kinds)}\r\n" if kinds else ""
        await peer.send(f"HTTP/1.1 200 OK\r\n{fields}Content-Length: {len(body)}\r\n\r\n".encode() + body[:1000])
        await asyncio.sleep(0)
        await peer.send(body[1000:])

    async with talking({"/page": in_parts}) as here:
        pool = here.client.pool

        def ended(ending: Ending) -> None:
            assert counts(pool)[1:] == (0, 0, 0), f"{ending}: {counts(pool)}"

        async def after(ending: Ending) -> None:
            gc.collect()
            assert (await here.client.get("/next")).content == b"/next"

        for moment in Moment:
            assert await sweep(moment, lambda: work(here), ended=ended, after=after) >= 2


async def test_errors_are_http_exceptions() -> None:
    """Whatever a peer does to a body, one ``except`` catches it."""
    async with talking({"/page": coded(NOISE, "gzip"), "/raw": chunked(b"abc")[:-7] + b"zz\r\n"}) as (client, *_):
        for name, read in READS.items():
            with pytest.raises((HTTPException, OSError)):
                async with client.stream("GET", "/raw" if name == "iter_raw" else "page") as stream:
                    await read(stream)
            assert counts(client.pool).busy == 0
