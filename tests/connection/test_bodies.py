"""What the bodies of responses promise beyond their content: memory, waiting, and where the bytes go."""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPConnection, IncompleteRead, LimitExceeded, MessageLimits
from aiohttpclient.connection import _bodies
from aiohttpclient.connection._bodies import ChunkedBody, LengthBody, UntilCloseBody, body_of
from aiohttpclient.wire import BodyKind, Framing
from tests.support.server import raw_server

from .exchanges import FRAMINGS, answer, framed, response_to, until

if TYPE_CHECKING:
    from aiohttpclient.net import StreamProtocol
    from tests.support.server import Peer

every_framing = pytest.mark.parametrize("framing", FRAMINGS)


def pieces_of(body: bytes, seed: int) -> list[bytes]:
    """The body, cut at random."""
    generator = random.Random(seed)
    cuts = sorted(generator.randrange(len(body)) for _ in range(30))
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]


@every_framing
@pytest.mark.parametrize("seed", range(5))
async def test_random_cuts_and_random_reads(framing: str, seed: int) -> None:
    """However a body is cut by the network and by its reader, nothing is lost, doubled or out of order."""
    generator = random.Random(seed)
    body = b"".join(generator.randbytes(generator.randrange(60)) + b"\n" for _ in range(5000))
    raw = framed(body, framing, chunk=generator.choice([100, 5000, 70_000]))

    async def script(peer: Peer) -> None:
        await peer.read_head()
        for piece in pieces_of(raw, seed):
            await peer.send(piece)
            await asyncio.sleep(0)

    async with response_to(script) as response:
        received = bytearray()
        while not response.closed:
            how, size = generator.randrange(5), generator.choice([1, 50, 3000, 40_000])
            if how == 0:
                received += await response.read(size)
            elif how == 1:
                received += await response.read1(size)
            elif how == 2:
                received += await response.readline(size)
            elif how == 3:
                buffer = bytearray(size)
                received += buffer[: await response.readinto(buffer)]
            else:
                async for block in response.iter_bytes(size):
                    received += block
                    if generator.randrange(3) == 0:
                        break
        assert received == body


# -- memory


def resident() -> int:
    """Bytes of memory that this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("length", [2**31, 2**40, 900_000_000_000_000_000])
@pytest.mark.parametrize("amount", [None, 2**30])
async def test_length_that_is_a_lie(length: int, amount: int | None) -> None:
    """A length costs no memory until the bytes come: a peer that announces exabytes and sends little costs little."""
    announced = asyncio.Event()
    used: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length)
        await announced.wait()
        await peer.send(bytes(1000))
        for _ in range(20):
            await asyncio.sleep(0)
        used.append(resident())

    gc.collect()
    before = resident()
    async with response_to(script) as response:
        announced.set()
        with pytest.raises(IncompleteRead) as caught:
            await response.read(amount)
        assert len(caught.value.partial) == 1000
        assert caught.value.expected == length - 1000
    assert used[0] - before < 64 * 1024 * 1024


@every_framing
async def test_slow_reader_holds_little(framing: str) -> None:
    """While nobody reads, a few hundred KiB are held and the peer has to wait, whatever the framing."""
    body = bytes(30_000_000)
    raw = framed(body, framing, chunk=1_000_000)
    sent: list[int] = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        view = memoryview(raw)
        for start in range(0, len(raw), 100_000):
            await peer.send(view[start : start + 100_000])  # type: ignore[arg-type]  # a view will do
            sent.append(start)

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        response = await conn.getresponse()
        count = -1
        while count != len(sent):
            count = len(sent)
            for _ in range(50):
                await asyncio.sleep(0)
        assert len(sent) * 100_000 < len(raw) / 2
        assert conn._stream is not None
        assert len(conn._stream.reader.buffered) < 1024 * 1024
        assert await response.read(5) == bytes(5)
        total = 5
        async for block in response.iter_bytes():
            total += len(block)
            assert len(block) <= _bodies.BLOCK
        assert total == len(body)


async def test_blocks_that_are_kept() -> None:
    """Blocks use memory again where nobody has it any more; a block that is kept stays what it was."""
    body = bytes(range(256)) * 20_000
    async with response_to(framed(body, "length")) as response:
        kept = []
        views = []
        async for block in response.iter_bytes():
            kept.append(block)
            views.append(memoryview(block))
        assert b"".join(kept) == b"".join(views) == body
        assert len({id(block) for block in kept}) == len(kept)


async def test_destination_grows_with_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body larger than what is taken on a peer's word is received into memory that grows."""
    monkeypatch.setattr(_bodies, "PREALLOCATED", 100_000)
    body = os.urandom(1_000_003)
    async with response_to(framed(body, "length")) as response:
        assert await response.read() == body
    async with response_to(framed(body, "length")[:-3]) as response:
        with pytest.raises(IncompleteRead) as caught:
            await response.read()
        assert (caught.value.partial, caught.value.expected) == (body[:-3], 3)


async def test_large_body_is_received_into_its_destination() -> None:
    """A large body of known length does not pass through the buffer of the reader."""
    body = os.urandom(1_000_000)
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(framed(body, "length")[: -len(body)])
        await asked.wait()
        await peer.send(body)

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        response = await conn.getresponse()
        target = bytearray(len(body))
        reading = asyncio.create_task(response.readinto(target))
        await asyncio.sleep(0)
        asked.set()
        assert conn._stream is not None
        most = 0
        while not reading.done():
            most = max(most, len(conn._stream.reader.buffered))
            await asyncio.sleep(0)
        assert most == 0
        assert await reading == len(body)
        assert target == body


async def test_destination_is_given_back() -> None:
    """After a read, also one that failed, nobody holds the destination any more."""
    for cut in (0, 10):
        body = bytes(200_000)
        raw = framed(body, "length")
        async with response_to(raw[: len(raw) - cut]) as response:
            target = bytearray(len(body))
            if cut:
                with pytest.raises(IncompleteRead):
                    await response.readinto(target)
            else:
                await response.readinto(target)
            target.clear()  # raises BufferError while anybody has a view of it


async def test_cancelled_read_gives_the_destination_back() -> None:
    """After a read that was cancelled nothing more is written to the destination."""
    cancelled = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(framed(bytes(200_000), "length")[:1000])
        await cancelled.wait()

    async with response_to(script) as response:
        target = bytearray(200_000)
        task = asyncio.create_task(response.readinto(target))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        target.clear()
        cancelled.set()


@pytest.mark.parametrize("size", [1, 1000, _bodies.DIRECT_MINIMUM - 1, _bodies.DIRECT_MINIMUM, _bodies.BLOCK + 1])
@every_framing
async def test_sizes(size: int, framing: str) -> None:
    """Bodies around the sizes at which they are received differently are what they are, read in every way."""
    body = os.urandom(size)
    for read in (
        lambda response: response.read(),
        lambda response: response.read(size),
        lambda response: response.read(size + 1),
        lambda response: _into(response, size + 5),
    ):
        async with response_to(framed(body, framing, chunk=50_000)) as response:
            assert await read(response) == body


async def _into(response: Any, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: await response.readinto(buffer)])


async def test_many_small_chunks() -> None:
    """A body in very many chunks takes time in proportion to its size, not more."""
    body = bytes(range(250)) * 400
    async with response_to(framed(body, "chunked", chunk=1), timeout=20) as response:
        assert await response.read() == body
    async with response_to(framed(body, "chunked", chunk=1)) as response:
        async with asyncio.timeout(20):
            received = b""
            while block := await response.read(1000):
                received += block
            assert received == body


async def test_many_short_lines() -> None:
    """Reading very many lines out of one large chunk takes time in proportion to its size, not more."""
    body = b"line\n" * 30_000
    async with response_to(framed(body, "chunked", chunk=len(body))) as response:
        async with asyncio.timeout(20):
            assert [line async for line in response] == [b"line\n"] * 30_000


@pytest.mark.parametrize("strict", [False, True])
async def test_limits_of_chunks(strict: bool) -> None:
    """The bounds of a connection are those of its chunked bodies."""
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=yyyyyyyyyyyyyyyyyyyyyyyyyy\r\nabc\r\n0\r\n\r\n"
    async with response_to(raw, strict=strict) as response:
        assert await response.read() == b"abc"
    async with response_to(raw, strict=strict, limits=MessageLimits(chunk_line=10)) as response:
        with pytest.raises(LimitExceeded):
            await response.read()


async def test_missing_trailer_section() -> None:
    """A body without its trailer section is complete in lenient mode, as in http.client, and not in strict mode."""
    for end in (b"0\r\n", b"0\r\nX: y\r\n"):
        raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + end
        for amount in (None, 2, 3, 4):
            async with response_to(raw) as response:
                parts = [await response.read(amount), await response.read(), await response.read()]
                assert b"".join(parts) == b"abc"
                assert response.closed
        async with response_to(raw, strict=True) as response:
            with pytest.raises(IncompleteRead) as caught:
                await response.read()
            assert caught.value.partial == b"abc"


# -- which body it is


@pytest.mark.parametrize(
    ("framing", "kind"),
    [
        (Framing(BodyKind.LENGTH, 5, False), LengthBody),
        (Framing(BodyKind.LENGTH, 0, False), type(None)),
        (Framing(BodyKind.CHUNKED, None, False), ChunkedBody),
        (Framing(BodyKind.UNTIL_CLOSE, None, False), UntilCloseBody),
    ],
)
async def test_body_of(framing: Framing, kind: type) -> None:
    """Each framing has its class of body; an empty body has none."""
    async with raw_server(answer(b"", close=False)) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.connect()
        stream: StreamProtocol | None = conn._stream
        assert stream is not None
        assert type(body_of(framing, stream, None, MessageLimits(), True)) is kind


async def test_body_that_is_there_already() -> None:
    """A body that has arrived whole is read without waiting."""
    async with raw_server(answer(framed(b"body", "length"), close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            stream = conn._stream
            assert stream is not None
            await until(lambda: len(stream.reader.buffered) == 4)
            reading = response.read()
            with pytest.raises(StopIteration) as caught:
                reading.send(None)
            assert caught.value.value == b"body"
            assert response.closed


@pytest.mark.parametrize("keeps", ["nothing", "the last", "every third", "views", "everything"])
@pytest.mark.parametrize("limit", [None, _bodies.DIRECT_MINIMUM, 100_003])
async def test_blocks_stay_as_they_were(keeps: str, limit: int | None) -> None:
    """A block that somebody has is never written to again, whatever comes: it is the memory of others that is used."""
    generator = random.Random(len(keeps))
    body = generator.randbytes(6_000_000)
    digests: list[bytes] = []
    kept: list[tuple[int, bytes | memoryview]] = []
    sizes = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        raw = framed(body, "length")
        while raw:
            size = generator.choice([1000, 60_000, 300_000, 900_000])
            await peer.send(raw[:size])
            raw = raw[size:]
            await asyncio.sleep(0)

    async with response_to(script) as response:
        start = 0
        while block := await response.read1(-1 if limit is None else generator.choice([limit, limit * 3])):
            digests.append(hashlib.sha256(block).digest())
            assert block == body[start : start + len(block)]
            start += len(block)
            sizes.append(len(block))
            if keeps == "the last":
                kept.clear()
            if keeps in ("the last", "everything") or (keeps == "every third" and len(sizes) % 3 == 0):
                kept.append((len(sizes) - 1, block))
            elif keeps == "views":
                kept.append((len(sizes) - 1, memoryview(block)[10:]))
            del block
    assert sum(sizes) == len(body)
    assert max(sizes) >= _bodies.DIRECT_MINIMUM
    for number, part in kept:
        start = sum(sizes[:number]) + (10 if isinstance(part, memoryview) else 0)
        assert part == body[start : start + len(part)]
        if isinstance(part, bytes):
            assert hashlib.sha256(part).digest() == digests[number]


async def test_memory_of_blocks_is_used_again() -> None:
    """Whoever lets go of each block, or has only the last, streams a body through the memory of a few."""
    body = os.urandom(8_000_000)
    async with response_to(framed(body, "length")) as response:
        places = set()
        count = 0
        async for block in response.iter_bytes():
            if len(block) >= _bodies.DIRECT_MINIMUM:
                places.add(id(block))
                count += 1
        assert count > 2 * len(places)
