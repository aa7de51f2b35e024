"""``net/_transport.py``."""

from __future__ import annotations

import asyncio

import pytest

from aiohttpclient.net._buffer import RECEIVE_SIZE
from aiohttpclient.net._transport import CLOSING_TURNS, SALVAGE_LIMIT, feed, salvage, turns_until

from .streams import Wire, open_stream


async def test_salvage() -> None:
    """What the kernel has received for a transport that does not read is found, in order, in blocks."""
    async with open_stream() as (stream, wire):
        stream.transport.pause_reading()
        sent = bytes(range(256)) * 400
        wire.send(sent)
        assert b"".join(salvage(stream.transport)) == sent
        assert salvage(stream.transport) == []


async def test_salvage_of_nothing() -> None:
    """A transport with nothing to read, or whose socket is gone, has nothing to be salvaged, and that is no error."""
    async with open_stream() as (stream, _):
        assert salvage(stream.transport) == []
        await stream.aborted()
        assert salvage(stream.transport) == []


async def test_salvage_is_bounded() -> None:
    """No more than a bound is read, whatever the peer has sent."""
    async with open_stream() as (stream, wire):
        stream.transport.pause_reading()
        await send_much(wire, 2 * SALVAGE_LIMIT)
        found = salvage(stream.transport)
        assert sum(map(len, found)) == SALVAGE_LIMIT
        assert max(map(len, found)) <= RECEIVE_SIZE


async def send_much(wire: Wire, count: int) -> None:
    """Send ``count`` bytes to somebody who does not read."""
    view = memoryview(bytes(count))
    while view:
        try:
            view = view[wire.socket.send(view) :]
        except BlockingIOError:
            await asyncio.sleep(0)


async def test_turns_until_is_bounded() -> None:
    """Waiting for turns of the loop ends after a fixed number of them."""
    asked = 0

    def never() -> bool:
        nonlocal asked
        asked += 1
        return False

    await turns_until(never)
    assert asked == CLOSING_TURNS


async def test_turns_until_goes_on_when_cancelled() -> None:
    """A cancellation, or several, is raised only when what was waited for has happened."""
    asked = 0

    def fifth_time() -> bool:
        nonlocal asked
        asked += 1
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        return asked == 5

    task = asyncio.get_running_loop().create_task(turns_until(fifth_time))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asked == 5


async def test_turns_until_returns_at_once() -> None:
    """What is so already takes no turn."""
    with pytest.raises(StopIteration):
        turns_until(lambda: True).send(None)


async def test_feed_in_parts() -> None:
    """``feed`` hands over more than the protocol's buffer holds, in parts."""
    taken: list[bytes] = []

    class Narrow(asyncio.BufferedProtocol):
        def __init__(self) -> None:
            self.buffer = bytearray(4)

        def get_buffer(self, sizehint: int) -> bytearray:
            return self.buffer

        def buffer_updated(self, nbytes: int) -> None:
            taken.append(bytes(self.buffer[:nbytes]))

    feed(Narrow(), b"0123456789")
    feed(Narrow(), b"")
    assert taken == [b"0123", b"4567", b"89"]
