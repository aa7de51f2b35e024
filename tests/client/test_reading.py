"""``client/_reading.py``: a body is taken once, in one form, by one task; more in ``test_stream.py``."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.errors import ConcurrentUse
from tests.client.clients import all_of, coded, streaming
from tests.client.coded import gzipped
from tests.net.streams import turns, until
from tests.pool.servers import HALF
from tests.support.server import reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.server import Peer

NOISE = random.Random(2).randbytes(300_000)


async def test_size_of_nothing() -> None:
    """A size that no block can have is refused at once."""
    async with streaming(reply(b"abc")) as (stream, _):
        for size in (0, -1):
            for make in (stream.iter_bytes, stream.iter_raw):
                with pytest.raises(ValueError, match="size must be greater than zero"):
                    make(size)
        assert await stream.read() == b"abc"


@pytest.mark.parametrize("first", ["iter_raw", "iter_bytes"])
async def test_two_forms(first: str) -> None:
    """A body that is read raw cannot be read decoded, nor the other way round: a part of it would be lost."""
    async with streaming(coded(gzipped(NOISE), "gzip")) as (stream, _):
        assert await anext(getattr(stream, first)(10))
        other = "iter_bytes" if first == "iter_raw" else "iter_raw"
        with pytest.raises(RuntimeError, match="in its other form"):
            await anext(getattr(stream, other)())


async def test_iterators_share_the_body() -> None:
    """Two iterators of one stream share its body; one that has ended stays ended."""
    async with streaming(reply(b"0123456789")) as (stream, _):
        one, other = stream.iter_bytes(3), stream.iter_bytes(4)
        assert [await anext(one), await anext(other), await anext(one)] == [b"012", b"3456", b"789"]
        assert await all_of(one) == []
        assert await all_of(one) == []


@pytest.mark.parametrize("size", [None, 10])
async def test_two_readers(size: int | None) -> None:
    """A second task that reads is refused, and the first gets its body all the same."""
    go_on = asyncio.Event()

    async def slowly(peer: Peer) -> None:
        await peer.send(HALF)
        await go_on.wait()
        await peer.send(b"whole")

    async def joined(blocks: AsyncIterator[bytes]) -> bytes:
        return b"".join(await all_of(blocks))

    async with streaming(slowly) as (stream, _):
        reading = asyncio.create_task(joined(stream.iter_bytes(size)))
        await until(lambda: stream.length == 5)
        await turns()
        with pytest.raises(ConcurrentUse):
            await anext(stream.iter_bytes())
        go_on.set()
        assert await reading == b"half.whole"
