"""A body that is shown to somebody else on its way, whichever way it is read."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

import pytest

from aiohttpclient import ProtocolError
from aiohttpclient.client._made import MadeResponse
from aiohttpclient.client._watched import AT_ONCE, WatchedResponse

from .clients import all_of, chunked, streaming

if TYPE_CHECKING:
    from aiohttpclient.connection import AsyncHTTPResponse


class Watcher:
    """What was shown to it."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.seen = b""
        self.ends = 0
        self.threads: set[int] = set()

    def see(self, block: bytes) -> None:
        self.seen += block
        self.threads.add(threading.get_ident())

    def end(self) -> None:
        self.ends += 1
        if self.error is not None:
            raise self.error


def watched(content: bytes, watcher: Watcher) -> WatchedResponse:
    """An answer with ``content`` that ``watcher`` sees."""
    return WatchedResponse(cast("AsyncHTTPResponse", MadeResponse(200, (), content)), watcher.see, watcher.end)


async def test_each_way_to_read() -> None:
    """Every byte is shown once, in its order, and the end once."""
    watcher = Watcher()
    raw = watched(b"0123456789", watcher)
    assert (raw.length, raw.complete, raw.isclosed(), raw.chunked, raw.head.status) == (10, False, False, False, 200)
    assert await raw.read1(3) == b"012"
    assert await raw.read_soon(3, 1.0) == b"345"
    assert (watcher.seen, watcher.ends) == (b"012345", 0)
    assert await raw.read() == b"6789"
    assert await raw.read1() == b""
    assert (watcher.seen, watcher.ends) == (b"0123456789", 1)
    assert (raw.length, raw.complete, raw.isclosed(), dict(raw.trailers)) == (0, True, True, {})
    assert watcher.threads == {threading.get_ident()}


async def test_long_block() -> None:
    """A long block is shown in a thread: the loop goes on meanwhile."""
    watcher = Watcher()
    content = bytes(AT_ONCE + 1)
    assert await watched(content, watcher).read() == content
    assert (watcher.seen, watcher.ends) == (content, 1)
    assert threading.get_ident() not in watcher.threads


@pytest.mark.parametrize("end", ["close", "abort"])
async def test_given_up(end: str) -> None:
    """What is given up was not read to its end."""
    watcher = Watcher()
    raw = watched(b"0123", watcher)
    done = getattr(raw, end)()
    if done is not None:
        await done
    assert (raw.complete, watcher.ends) == (True, 0)


async def test_stream() -> None:
    """A stream shows what it transfers, and raises what is said at the end to who reads that; it has its trailers."""
    watcher = Watcher(ProtocolError("odd"))
    async with streaming(chunked(b"abc", b"def", trailers="X-T: end\r\n")) as (stream, _):
        stream.watch(watcher.see, watcher.end)
        with pytest.raises(ProtocolError, match="odd"):
            await all_of(stream.iter_bytes(2))
        assert (watcher.seen, dict(stream.trailers)) == (b"abcdef", {"X-T": "end"})


async def test_stream_without_a_body() -> None:
    """Of a body that is empty the end is there at once, and one that was read is not shown."""
    watcher = Watcher()
    async with streaming(b"HTTP/1.1 204 Empty\r\n\r\n") as (stream, _):
        stream.watch(watcher.see, watcher.end)
        assert watcher.ends == 1
        assert await stream.read() == b""
        stream.watch(watcher.see, watcher.end)
        assert watcher.ends == 1
