"""``net/_protocol.py``, on real sockets and on every loop; time is a clock that the test moves."""

from __future__ import annotations

import asyncio
import errno
import gc
from functools import partial
from typing import TYPE_CHECKING, cast

import pytest

from aiohttpclient.errors import ConcurrentUse, ReadTimeout, StallTimeout, TotalTimeout, WriteTimeout
from aiohttpclient.net import StreamProtocol, start_tls
from aiohttpclient.net._buffer import RECEIVE_SIZE, receive_buffer
from aiohttpclient.net._protocol import (
    ABORTED,
    BYTES_WHILE_IDLE,
    EXPIRED,
    LOST,
    PEER_CLOSED,
    QUIET_TURNS,
    STAYS_READABLE,
    SURPLUS,
)
from aiohttpclient.net._reader import READER_LIMIT
from aiohttpclient.net._stream_timer import StreamTimer
from aiohttpclient.net._transport import SALVAGE_LIMIT, feed
from tests.support.channel import SocketChannel, TlsChannel
from tests.support.leaks import open_descriptors

from .clocks import FakeLoop
from .stepping import abandoned_at
from .streams import Wire, arrival, open_stream, turns, until, uses_data_received

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.leaks import LeakWatch
    from tests.support.tls import TlsKit

LARGE = bytes(range(256)) * 4096  # 1 MiB
UNREADABLE = 64 << 20
"""Bytes: more than the buffers of both kernels take, so that most of them stay with the transport."""


@pytest.fixture
async def pair() -> AsyncIterator[tuple[StreamProtocol, Wire]]:
    """A stream that expects bytes, and its far end."""
    async with open_stream() as (stream, wire):
        stream.quiet = False
        yield stream, wire


def fake_clock(stream: StreamProtocol) -> FakeLoop:
    """Give ``stream`` a timer whose clock the test moves."""
    clock = FakeLoop()
    stream._timer = StreamTimer(cast("asyncio.AbstractEventLoop", clock), stream._expired)
    return clock


def reason(stream: StreamProtocol) -> str | None:
    """Why ``stream`` is unusable; a call, since the type checker takes an attribute for unchanged over an await."""
    return stream.spoiled


def watch(stream: StreamProtocol) -> tuple[list[tuple[StreamProtocol, str | None]], list[StreamProtocol]]:
    """Lists of what ``stream`` tells from now on: that it is spoiled, and why; that it is lost."""
    told: list[tuple[StreamProtocol, str | None]] = []
    lost: list[StreamProtocol] = []
    stream.on_spoiled = lambda spoiled: told.append((spoiled, spoiled.spoiled))
    stream.on_lost = lost.append
    return told, lost


def has_poll(stream: StreamProtocol) -> bool:
    """Whether ``stream`` keeps a poll object; a call for the same reason."""
    return stream._poll is not None


def is_open(stream: StreamProtocol) -> bool:
    """Whether the socket of ``stream`` still has a descriptor."""
    return any(addresses_of(stream) == each.addresses() for each in open_descriptors())


_ADDRESSES: dict[int, list[object]] = {}


def addresses_of(stream: StreamProtocol) -> list[object]:
    known = _ADDRESSES.get(id(stream))
    if known is None:
        get = stream.transport.get_extra_info
        known = _ADDRESSES[id(stream)] = [get("sockname"), get("peername")]
    return known


@pytest.fixture(autouse=True)
def _forget_addresses() -> None:
    _ADDRESSES.clear()


async def fill(stream: StreamProtocol, data: bytes = bytes(UNREADABLE)) -> None:
    """Write more than both kernels take."""
    stream.transport.write(data)
    await turns()
    assert stream.writing_paused


class TestWaiting:
    async def test_bytes_wake_the_waiter(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Bytes that arrive are in the reader, in order, when the waiter runs."""
        stream, wire = pair
        for part in (b"first", b"second"):
            waiter = stream.wait(None, ReadTimeout)
            wire.send(part)
            await waiter
        assert stream.reader.buffered == b"firstsecond"
        assert not stream.waited_for

    async def test_large_arrivals_are_whole(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """More than the receive buffer holds arrives in several parts, complete and in order."""
        stream, wire = pair
        sender = asyncio.create_task(asyncio.get_running_loop().sock_sendall(wire.socket, LARGE))
        received = bytearray()
        while len(received) < len(LARGE):
            await arrival(stream)
            received += stream.reader.take(len(stream.reader.buffered))
        await sender
        assert received == LARGE

    async def test_unread_bytes_pause_the_transport(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A reader that nobody reads holds no more than its limit and one receive buffer, whatever the peer sends."""
        stream, wire = pair
        sent = 0
        for _ in range(2000):
            try:
                sent += wire.socket.send(LARGE)
            except BlockingIOError:
                await asyncio.sleep(0)
        assert sent > 2 * READER_LIMIT + RECEIVE_SIZE
        assert len(stream.reader.buffered) <= 2 * READER_LIMIT + RECEIVE_SIZE
        received = len(stream.reader.take(len(stream.reader.buffered)))
        while received < sent:
            await arrival(stream)
            received += len(stream.reader.take(len(stream.reader.buffered)))
        assert received == sent

    async def test_one_waiter_at_a_time(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A second wait raises ConcurrentUse and leaves the first as it was."""
        stream, wire = pair
        waiter = stream.wait(None, ReadTimeout)
        with pytest.raises(ConcurrentUse):
            _ = stream.wait(None, ReadTimeout)
        with pytest.raises(ConcurrentUse):
            _ = stream.receive_into(memoryview(bytearray(8)), None)
        wire.send(b"x")
        await waiter
        assert stream.reader.buffered == b"x"

    async def test_end_of_file_wakes_the_waiter(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """At an end of file the waiter is woken, the bytes before it can be read, and the socket closes itself."""
        stream, wire = pair
        waiter = stream.wait(None, ReadTimeout)
        wire.send(b"last")
        wire.socket.close()
        await waiter
        await until(lambda: stream.lost)
        assert stream.eof
        assert stream.ended
        assert stream.fault is None
        assert stream.reader.buffered == b"last"
        assert await stream.reader.read() == b"last"

    async def test_reset_wakes_the_waiter(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """At a reset the waiter is woken, and the reason is kept."""
        stream, wire = pair
        waiter = stream.wait(None, ReadTimeout)
        wire.reset()
        await waiter
        await until(lambda: stream.lost)
        assert not stream.eof
        assert isinstance(stream.fault, ConnectionResetError)

    async def test_reset_that_nobody_asks_about(self, pair: tuple[StreamProtocol, Wire], leak_watch: LeakWatch) -> None:
        """A reset is not reported to the loop because nobody has waited for the end of the transport."""
        stream, wire = pair
        wire.reset()
        await until(lambda: stream.lost)
        assert stream.fault is not None
        del stream._closed  # type: ignore[attr-defined]  # in a cycle its turn may come before that of the stream
        gc.collect()
        assert leak_watch.loop_errors == []

    async def test_reset_after_a_cancelled_wait(self, pair: tuple[StreamProtocol, Wire], leak_watch: LeakWatch) -> None:
        """Nor does it matter that somebody has waited for that end, and was cancelled."""
        stream, wire = pair
        waiting = asyncio.create_task(stream.writer.wait_closed())
        await turns()
        waiting.cancel()
        await turns()
        wire.reset()
        await until(lambda: stream.lost)
        assert waiting.cancelled()
        assert leak_watch.loop_errors == []

    async def test_bytes_before_a_reset_are_kept(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """What arrived before a reset can be read after it, also when a paused transport had not fetched it."""
        stream, wire = pair
        stream.transport.pause_reading()
        wire.send(b"answer")
        wire.reset()
        stream.transport.resume_reading()
        await until(lambda: stream.ended)
        assert stream.reader.buffered == b"answer"

    async def test_bytes_before_a_reset_that_a_write_noticed(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """What arrived before a reset is read although it was a write that failed first."""
        stream, wire = pair
        stream.transport.pause_reading()
        wire.send(b"answer")
        wire.reset()
        stream.transport.write(b"more of the request")
        await until(lambda: stream.lost)
        assert isinstance(stream.fault, ConnectionError)
        assert not stream.eof
        assert stream.reader.buffered == b"answer"

    async def test_salvage_is_bounded(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """No more than a bound is read from a socket that was reset."""
        stream, wire = pair
        stream.transport.pause_reading()
        for _ in range(50):
            try:
                wire.socket.send(LARGE)
            except BlockingIOError:
                await asyncio.sleep(0)
        wire.reset()
        stream.transport.write(b"more of the request")
        await until(lambda: stream.lost)
        assert 0 < len(stream.reader.buffered) <= SALVAGE_LIMIT

    async def test_cancelled_waiter(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Bytes that arrive after the waiter was cancelled are in the reader, and another may wait."""
        stream, wire = pair
        stream.wait(30, ReadTimeout).cancel()
        wire.send(b"x")
        await until(lambda: stream.reader.buffered)
        waiter = stream.wait(None, ReadTimeout)
        wire.send(b"y")
        await waiter
        assert stream.reader.buffered == b"xy"


class TestTimeouts:
    async def test_silence(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A wait ends with the timeout it was given, which names its limit and how long it took."""
        stream, _ = pair
        clock = fake_clock(stream)
        for kind in (ReadTimeout, WriteTimeout):
            waiter = stream.wait(20, kind)
            clock.advance(19)
            assert not waiter.done()
            clock.advance(1)
            with pytest.raises(kind) as caught:
                await waiter
            assert caught.value.limit == 20
            assert caught.value.elapsed == 20
            assert not stream.waited_for

    async def test_each_wait_is_bounded_anew(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The limit is for one silence: bytes that keep coming never run into it."""
        stream, wire = pair
        clock = fake_clock(stream)
        for _ in range(10):
            waiter = stream.wait(20, ReadTimeout)
            clock.advance(15)
            wire.send(b"x")
            await waiter
        assert clock.armed <= 10

    async def test_no_timer_while_nobody_waits(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A wait that has ended leaves no deadline behind."""
        stream, wire = pair
        clock = fake_clock(stream)
        waiter = stream.wait(20, ReadTimeout)
        wire.send(b"x")
        await waiter
        clock.advance(100)
        assert clock.handles == []
        assert not stream.lost
        assert stream.fault is None

    async def test_wait_without_a_limit(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A wait without a limit has none, also after one with a limit that was cancelled."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.wait(20, ReadTimeout).cancel()
        waiter = stream.wait(None, ReadTimeout)
        clock.advance(100)
        assert not waiter.done()
        wire.send(b"x")
        await waiter
        assert stream.reader.buffered == b"x"
        assert stream.fault is None

    async def test_shorter_limit_after_a_longer(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A wait with a shorter limit than the last one's does not wait for the old timer."""
        stream, wire = pair
        clock = fake_clock(stream)
        waiter = stream.wait(60, ReadTimeout)
        wire.send(b"x")
        await waiter
        waiter = stream.wait(1, ReadTimeout)
        clock.advance(1)
        with pytest.raises(ReadTimeout):
            await waiter

    async def test_bytes_win_when_they_come_first(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """When the deadline passes in the tick in which bytes came, the waiter gets the bytes."""
        stream, _ = pair
        clock = fake_clock(stream)
        waiter = stream.wait(20, ReadTimeout)
        feed(stream, b"x")
        clock.advance(20)
        await waiter
        assert stream.reader.buffered == b"x"

    async def test_timeout_wins_when_it_comes_first(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """When bytes come in the tick in which the deadline has passed, the waiter gets the timeout."""
        stream, _ = pair
        clock = fake_clock(stream)
        waiter = stream.wait(20, ReadTimeout)
        clock.advance(20)
        feed(stream, b"x")
        with pytest.raises(ReadTimeout):
            await waiter
        assert stream.reader.buffered == b"x"

    async def test_cancelled_waiter_does_not_time_out(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A deadline that passes after its waiter was cancelled changes nothing."""
        stream, _ = pair
        clock = fake_clock(stream)
        waiter = stream.wait(20, ReadTimeout)
        waiter.cancel()
        clock.advance(100)
        assert waiter.cancelled()
        assert not stream.lost

    async def test_lost_stream_has_no_timer(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that is lost gives its timer back to the loop."""
        stream, wire = pair
        clock = fake_clock(stream)
        waiter = stream.wait(20, ReadTimeout)
        wire.socket.close()
        await waiter
        await until(lambda: stream.lost)
        assert clock.handles == []

    async def test_slow_peer_is_not_a_silent_one(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A write times out only when the peer took no byte for the whole of the limit."""
        stream, wire = pair
        clock = fake_clock(stream)
        await fill(stream)
        waiter = stream.wait(20, WriteTimeout)
        for _ in range(5):
            before = stream.transport.get_write_buffer_size()
            while stream.transport.get_write_buffer_size() == before:
                wire.take()
                await asyncio.sleep(0)
            clock.advance(20)
            assert not waiter.done()
        clock.advance(20)
        with pytest.raises(WriteTimeout) as caught:
            await waiter
        assert caught.value.limit == 20
        assert caught.value.elapsed == 20

    async def test_room_wakes_the_writer(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A task that waits for room goes on when the peer has taken enough."""
        stream, wire = pair
        await fill(stream)
        waiter = stream.wait(30, WriteTimeout)
        while not waiter.done():
            wire.take()
            await asyncio.sleep(0)
        assert not stream.writing_paused
        await waiter


class TestDirect:
    async def test_filled_in_parts(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The future is done when the last byte of the destination has come, and the reader saw none of them."""
        stream, wire = pair
        target = bytearray(9)
        waiter = stream.receive_into(memoryview(target), None)
        for part in (b"abc", b"def"):
            wire.send(part)
            await until(partial(target.__contains__, part))
            assert not waiter.done()
        wire.send(b"ghi")
        await waiter
        assert stream.received_into() == 0
        assert target == b"abcdefghi"
        assert stream.reader.buffered == b""

    async def test_surplus_in_the_same_segment(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Bytes right behind the destination's are in the reader."""
        stream, wire = pair
        target = bytearray(4)
        waiter = stream.receive_into(memoryview(target), None)
        wire.send(b"bodyHTTP/1.1 200")
        await waiter
        await until(lambda: stream.reader.buffered)
        assert stream.received_into() == 0
        assert target == b"body"
        assert stream.reader.buffered == b"HTTP/1.1 200"

    async def test_surplus_before_the_waiter_runs(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Bytes that come after the destination is full, but before its owner runs, go to the reader."""
        stream, _ = pair
        target = bytearray(4)
        waiter = stream.receive_into(memoryview(target), None)
        feed(stream, b"body")
        assert waiter.done()
        feed(stream, b"more")
        stream.data_received(b", and more")
        assert stream.received_into() == 0
        assert target == b"body"
        assert stream.reader.buffered == b"more, and more"

    async def test_both_ways_to_deliver(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """``data_received`` does what ``get_buffer`` and ``buffer_updated`` do: destination first, then the reader."""
        stream, _ = pair
        for deliver in (stream.data_received, lambda data: feed(stream, data)):
            target = bytearray(6)
            waiter = stream.receive_into(memoryview(target), None)
            deliver(b"abcd")
            assert not waiter.done()
            deliver(b"efXYZ")
            assert waiter.done()
            assert stream.received_into() == 0
            assert target == b"abcdef"
            assert stream.reader.take(3) == b"XYZ"

    async def test_large(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A destination larger than any one arrival is filled in order, and what follows it is kept apart."""
        stream, wire = pair
        target = bytearray(len(LARGE))
        waiter = stream.receive_into(memoryview(target), 30)
        sender = asyncio.create_task(asyncio.get_running_loop().sock_sendall(wire.socket, LARGE + b"tail"))
        await waiter
        assert stream.received_into() == 0
        await sender
        await until(lambda: len(stream.reader.buffered) == 4)
        assert target == LARGE
        assert stream.reader.buffered == b"tail"

    async def test_first_bytes_only(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """With ``first_only`` the first bytes end the reception, and the next go to the reader."""
        stream, wire = pair
        target = bytearray(100)
        waiter = stream.receive_into(memoryview(target), None, True)
        wire.send(b"abc")
        await waiter
        feed(stream, b"next")
        assert stream.received_into() == 97
        assert target[:4] == b"abc\0"
        assert stream.reader.buffered == b"next"

    async def test_end_of_file_in_the_middle(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """At an end of file the future is done, and tells how much is missing."""
        stream, wire = pair
        target = bytearray(10)
        waiter = stream.receive_into(memoryview(target), None)
        wire.send(b"1234")
        wire.socket.close()
        await waiter
        assert stream.ended
        assert stream.received_into() == 6
        assert target == b"1234" + bytes(6)

    async def test_reset_in_the_middle(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """At a reset the future is done, what came is counted, and the reason is kept."""
        stream, wire = pair
        target = bytearray(10)
        waiter = stream.receive_into(memoryview(target), None)
        wire.send(b"1234")
        await until(lambda: target[3])
        wire.reset()
        await waiter
        assert stream.received_into() == 6
        assert isinstance(stream.fault, ConnectionResetError)

    async def test_cancelled_in_the_middle(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """After a cancellation no byte is written to the destination any more; what comes is in the reader."""
        stream, wire = pair
        target = bytearray(10)
        view = memoryview(target)
        waiter = stream.receive_into(view, 30)
        wire.send(b"1234")
        await until(lambda: target[3])
        waiter.cancel()
        assert stream.received_into() == 6
        wire.send(b"5678")
        await until(lambda: stream.reader.buffered)
        assert target == b"1234" + bytes(6)
        assert stream.reader.buffered == b"5678"
        view.release()

    async def test_each_part_moves_the_deadline(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The limit is for each silence: a destination that keeps filling does not time out, one that stops does."""
        stream, wire = pair
        clock = fake_clock(stream)
        target = bytearray(100)
        waiter = stream.receive_into(memoryview(target), 20)
        for at in range(5):
            clock.advance(15)
            wire.send(b"x")
            await until(partial(target.__getitem__, at))
        clock.advance(19)
        assert not waiter.done()
        clock.advance(1)
        with pytest.raises(ReadTimeout) as caught:
            await waiter
        assert caught.value.elapsed == 20
        assert stream.received_into() == 95

    async def test_room_to_write_does_not_end_it_for_good(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A waiter that room to write woke early can go on from where the destination stands."""
        stream, _ = pair
        target = bytearray(6)
        waiter = stream.receive_into(memoryview(target), None)
        feed(stream, b"abc")
        stream.pause_writing()
        stream.resume_writing()
        await waiter
        missing = stream.received_into()
        assert missing == 3
        waiter = stream.receive_into(memoryview(target)[6 - missing :], None)
        feed(stream, b"def")
        await waiter
        assert target == b"abcdef"

    async def test_abort_in_the_middle(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """An abort ends a direct reception and says so."""
        stream, _ = pair
        waiter = stream.receive_into(memoryview(bytearray(6)), None)
        stream.abort()
        await waiter
        assert stream.received_into() == 6
        assert isinstance(stream.fault, ConnectionAbortedError)

    async def test_bytes_salvaged_for_a_direct_destination(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """What a failed write finds in the kernel during a direct reception is in the reader."""
        stream, wire = pair
        stream.transport.pause_reading()
        waiter = stream.receive_into(memoryview(bytearray(10)), None)
        wire.send(b"0123456789")
        wire.reset()
        stream.transport.write(b"more of the request")
        await waiter
        assert stream.received_into() == 10
        assert stream.reader.buffered == b"0123456789"


class TestQuiet:
    async def test_bytes_spoil_an_idle_stream(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A byte on an idle stream closes it at once, and nobody can read it."""
        stream, wire = pair
        stream.quiet = True
        wire.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await until(lambda: stream.spoiled)
        assert stream.reader.buffered == b""
        await until(lambda: stream.lost)
        assert await wire.ended()
        assert stream.spoiled == BYTES_WHILE_IDLE

    async def test_bytes_spoil_by_either_way(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """``data_received`` on an idle stream spoils it too."""
        stream, _ = pair
        stream.quiet = True
        stream.data_received(b"x")
        assert stream.spoiled is not None
        assert stream.reader.buffered == b""
        await until(lambda: stream.lost)

    async def test_end_of_file_spoils_an_idle_stream(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """An end of file on an idle stream spoils it, and closes the socket."""
        stream, wire = pair
        stream.quiet = True
        wire.socket.close()
        await until(lambda: stream.lost)
        assert stream.spoiled == PEER_CLOSED

    async def test_reset_spoils_an_idle_stream(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A reset on an idle stream spoils it; what came before it stays unread."""
        stream, wire = pair
        stream.quiet = True
        stream.transport.pause_reading()
        wire.send(b"poison")
        wire.reset()
        stream.transport.write(b"request")
        await until(lambda: stream.lost)
        assert stream.spoiled == LOST
        assert stream.reader.buffered == b""

    async def test_rest_of_a_clean_stream(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream with nothing left over rests, and can be used again."""
        stream, wire = pair
        stream.rest()
        assert stream.quiet
        assert stream.spoiled is None
        assert not stream.readable()
        await stream.check_quiet()
        stream.quiet = False
        waiter = stream.wait(None, ReadTimeout)
        wire.send(b"x")
        await waiter
        assert stream.reader.buffered == b"x"

    async def test_rest_with_bytes_left_over(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Bytes left in the reader when a stream comes to rest spoil it."""
        stream, wire = pair
        wire.send(b"left over")
        await until(lambda: stream.reader.buffered)
        stream.rest()
        assert stream.spoiled == SURPLUS
        await until(lambda: stream.lost)

    async def test_rest_after_the_end(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that ended before it came to rest is spoiled."""
        stream, wire = pair
        wire.socket.close()
        await until(lambda: stream.ended)
        stream.rest()
        assert stream.spoiled is not None

    async def test_rest_after_an_abort(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that was aborted a moment ago does not come to rest clean, though all of the body was there."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 20, 20, None)
        wire.send(b"the whole body")
        await until(lambda: len(stream.reader.buffered) == 14)
        clock.advance(20)
        assert reason(stream) == ABORTED
        assert not stream.lost  # that takes a turn of the loop
        assert stream.reader.take(14) == b"the whole body"
        stream.rest()
        assert reason(stream) == ABORTED
        assert not stream.is_clean()
        await until(lambda: stream.lost)
        assert reason(stream) == ABORTED
        assert isinstance(stream.fault, TotalTimeout)

    async def test_abort_of_a_spoiled_stream(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Why a stream was spoiled stays the reason when it is aborted after that."""
        stream, _ = pair
        stream.quiet = True
        feed(stream, b"x")
        stream.abort()
        assert stream.spoiled == BYTES_WHILE_IDLE

    @pytest.mark.parametrize("asked", [False, True], ids=["first", "again"])
    @pytest.mark.parametrize("event", ["nothing", "bytes", "end", "reset", "abort", "another loop"])
    async def test_is_clean(self, pair: tuple[StreamProtocol, Wire], event: str, asked: bool) -> None:
        """A stream is clean until something has arrived, delivered or not, or it is aborted; and to its loop only."""
        stream, wire = pair
        stream.rest()
        if asked:
            assert stream.is_clean()
            assert has_poll(stream)
        loop = stream.loop
        if event == "bytes":
            wire.send(b"x")
        elif event == "end":
            wire.socket.close()
        elif event == "reset":
            wire.reset()
        elif event == "abort":
            stream.abort()
        elif event == "another loop":
            stream.loop = asyncio.new_event_loop()
            stream.loop.close()
        clean = stream.is_clean()
        stream.loop = loop
        assert clean is (event == "nothing")

    async def test_transport_without_a_socket(self) -> None:
        """A transport in memory has nothing that was not delivered."""
        stream = StreamProtocol(asyncio.get_running_loop())
        stream.connection_made(asyncio.Transport())
        stream.rest()
        for _ in range(2):
            assert stream.is_clean()
            assert not stream.readable()
        assert not has_poll(stream)
        await stream.check_quiet()
        assert stream.spoiled is None

    @pytest.mark.parametrize("event", ["bytes", "end", "reset"])
    async def test_the_kernel_is_asked(self, pair: tuple[StreamProtocol, Wire], event: str) -> None:
        """What arrived on an idle stream is seen before the loop has delivered it, and spoils the stream."""
        stream, wire = pair
        stream.rest()
        if event == "bytes":
            wire.send(b"x")
        elif event == "end":
            wire.socket.close()
        else:
            wire.reset()
        assert stream.readable()
        assert reason(stream) is None
        await stream.check_quiet()
        assert reason(stream) is not None
        assert stream.reader.buffered == b""

    async def test_quiet_check_does_not_suspend(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A check that finds nothing takes no turn of the loop."""
        stream, _ = pair
        stream.rest()
        with pytest.raises(StopIteration):
            stream.check_quiet().send(None)

    async def test_quiet_check_is_bounded(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that stays readable although nothing is delivered is given up after a few turns."""
        stream, wire = pair
        stream.rest()
        stream.transport.pause_reading()
        wire.send(b"x")
        before = 0
        check = stream.check_quiet()
        try:
            while True:
                check.send(None)
                before += 1
        except StopIteration:
            pass
        assert before == QUIET_TURNS
        assert stream.spoiled == STAYS_READABLE

    async def test_spoiled_once(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The first reason why a stream is unusable is the one that is kept."""
        stream, wire = pair
        stream.quiet = True
        wire.send(b"x")
        wire.socket.close()
        await until(lambda: stream.lost)
        assert stream.spoiled == BYTES_WHILE_IDLE

    async def test_loss_without_a_reason_spoils(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that was aborted cannot be taken for a usable one."""
        stream, _ = pair
        await stream.aborted()
        assert stream.spoiled == ABORTED
        assert stream.ended


class TestTotal:
    """The bound of the whole exchange."""

    async def test_waiter(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Whoever waits when the total passes gets it raised; to close the stream is the waiter's business."""
        stream, _ = pair
        clock = fake_clock(stream)
        for seconds in (None, 30, 20):
            stream.allow(clock.now + 20, 25, None)
            clock.advance(3)
            waiter = stream.wait(seconds, ReadTimeout)
            clock.advance(16.5)
            assert not waiter.done()
            clock.advance(1)
            with pytest.raises(TotalTimeout) as caught:
                await waiter
            assert (caught.value.limit, caught.value.elapsed) == (25, 25)
            assert stream.fault is None
            assert not stream.transport.is_closing()

    async def test_direct(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The total ends a direct reception in which bytes keep coming."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 20, 20, None)
        target = bytearray(100)
        waiter = stream.receive_into(memoryview(target), 5)
        for count in range(1, 5):
            clock.advance(4)
            wire.send(b"x")
            await until(lambda count=count: target.count(b"x") == count)  # type: ignore[misc]  # not inferred
        clock.advance(4)
        with pytest.raises(TotalTimeout):
            await waiter
        assert stream.received_into() == 96

    async def test_nobody_waits(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """When nobody waits as the total passes, the stream is aborted, and its fault is the error for the next."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 20, 20, None)
        clock.advance(20)
        assert isinstance(stream.fault, TotalTimeout)
        assert (stream.fault.limit, stream.fault.elapsed) == (20, 20)
        await until(lambda: stream.lost)
        assert isinstance(stream.fault, TotalTimeout)
        assert stream.ended
        assert not stream.eof
        assert await wire.ended()
        assert clock.handles == []

    async def test_cancelled_waiter(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A waiter that was cancelled is nobody."""
        stream, _ = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 20, 20, None)
        stream.wait(30, ReadTimeout).cancel()
        clock.advance(20)
        assert isinstance(stream.fault, TotalTimeout)
        await until(lambda: stream.lost)

    async def test_endless_body(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A body that is there whenever it is asked for ends, too."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 20, 20, (1.0, 60.0))
        received = 0
        while not stream.ended:
            if not stream.transport.is_closing():
                wire.send(bytes(1000))
            received += len(stream.reader.take(len(await arrival(stream))))
            clock.advance(1)
        assert received == 20_000
        assert isinstance(stream.fault, TotalTimeout)

    async def test_over(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The total is gone when the stream rests, or is given away, and another exchange has its own or none."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 20, 20, None)
        stream.rest()
        clock.advance(100)
        assert (stream.spoiled, stream.fault) == (None, None)
        stream.allow(clock.now + 20, 20, None)
        clock.advance(15)
        stream.rest()
        stream.allow(None, None, None)
        waiter = stream.wait(None, ReadTimeout)
        clock.advance(1e6)
        wire.send(b"x")
        await waiter
        stream.allow(clock.now + 20, 20, None)
        stream.release()
        clock.advance(100)
        assert stream.fault is None
        assert clock.handles == []

    async def test_after_the_end(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A total that passes when the peer is done, or the stream aborted, does not change why the stream ended."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 20, 20, None)
        wire.send(b"all of it")
        await until(lambda: stream.reader.buffered)
        stream.eof_received()
        clock.advance(20)
        assert stream.fault is None
        stream.abort()
        async with open_stream() as (other, _):
            clock = fake_clock(other)
            other.allow(clock.now + 20, 20, None)
            other.abort()
            clock.advance(20)
            assert isinstance(other.fault, ConnectionAbortedError)

    async def test_close(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A graceful close has its own limit, and the bounds of the exchange before it do not end it."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 1, 1, (1e9, 0.1))
        await fill(stream, bytes(1 << 24))
        closing = asyncio.create_task(stream.close(30))
        await turns()
        clock.advance(20)
        assert len(await wire.receive_all()) == 1 << 24
        await closing

    async def test_shut(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that shuts down after a complete exchange is not overdue."""
        stream, _ = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 1, 1, None)
        stream.shut("it was the last")
        clock.advance(20)
        assert stream.fault is None
        assert stream.spoiled == "it was the last"
        await until(lambda: stream.lost)

    async def test_real_time(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The deadline is a time of the stream's loop."""
        stream, _ = pair
        deadline = stream.loop.time() + 0.02
        stream.allow(deadline, 0.02, (256.0, 60.0))
        with pytest.raises(TotalTimeout) as caught:
            await stream.wait(30, ReadTimeout)
        assert caught.value.elapsed >= 0.02
        assert stream.loop.time() >= deadline  # the difference of two times is not exact


class TestRate:
    """What the peer must send, or take, while it is waited for."""

    @pytest.mark.parametrize("seconds", [None, 30])
    async def test_drip(self, pair: tuple[StreamProtocol, Wire], seconds: float | None) -> None:
        """A peer that sends now and then, but too little, is cut off when it has been waited for a window."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        waiter = stream.wait(seconds, ReadTimeout)
        clock.advance(20)  # for the first byte, which is not metered
        wire.send(b"H")
        await waiter
        for _ in range(5):
            waiter = stream.wait(seconds, ReadTimeout)
            clock.advance(10)
            wire.send(bytes(99))
            await waiter
            clock.advance(100)  # with what came
        waiter = stream.wait(seconds, ReadTimeout)
        clock.advance(10)
        with pytest.raises(StallTimeout) as caught:
            await waiter
        assert (caught.value.limit, caught.value.elapsed, caught.value.rate) == (60, 60, 10)
        assert not stream.waited_for

    async def test_fast_enough(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A peer that keeps the rate up may take as long as it likes."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        for _ in range(50):
            waiter = stream.wait(30, ReadTimeout)
            clock.advance(10)
            wire.send(bytes(120))
            await waiter
            stream.reader.take(120)
        assert clock.armed <= 50

    @pytest.mark.parametrize("nbytes", [99, 100])
    @pytest.mark.parametrize("by", ["buffer", "data"])
    async def test_direct(self, pair: tuple[StreamProtocol, Wire], nbytes: int, by: str) -> None:
        """A direct reception is one wait, and metered by the bytes that come in it, by either way."""
        stream, _ = pair
        deliver = stream.data_received if by == "data" else partial(feed, stream)
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        deliver(b"head")
        stream.reader.take(4)
        waiter = stream.receive_into(memoryview(bytearray(1 << 20)), 30)
        for _ in range(6):
            assert not waiter.done()
            deliver(bytes(nbytes))
            clock.advance(10)
        if nbytes == 100:
            assert not waiter.done()
            deliver(bytes(1000))
            clock.advance(30)
            with pytest.raises(ReadTimeout) as silence:
                await waiter
            assert silence.value.elapsed == 30
        else:
            with pytest.raises(StallTimeout):
                await waiter
        stream.received_into()

    @pytest.mark.parametrize("by", ["buffer", "data"])
    async def test_bytes_before_the_first_wait(self, pair: tuple[StreamProtocol, Wire], by: str) -> None:
        """Where the response began before anybody waited, the first wait is metered."""
        stream, _ = pair
        deliver = stream.data_received if by == "data" else partial(feed, stream)
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        deliver(b"H")
        waiter = stream.wait(None, ReadTimeout)
        clock.advance(59)
        deliver(b"x")
        await waiter
        waiter = stream.wait(None, ReadTimeout)
        clock.advance(0.9)
        assert not waiter.done()
        clock.advance(0.1)
        with pytest.raises(StallTimeout):
            await waiter

    async def test_silence(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """In the middle of a response silence is bounded by its own limit, however short the window of the rate is."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (256.0, 60.0))
        for _ in range(2):
            wire.send(b"H")
            await arrival(stream)
            stream.reader.take(1)
            waiter = stream.wait(300, ReadTimeout)
            clock.advance(61)
            assert not waiter.done()
            clock.advance(238)
            assert not waiter.done()
            wire.send(bytes(256 * 60))
            await waiter
            await until(lambda: len(stream.reader.buffered) == 256 * 60)
            stream.reader.take(256 * 60)
        waiter = stream.wait(300, ReadTimeout)
        clock.advance(300)
        with pytest.raises(ReadTimeout) as caught:
            await waiter
        assert caught.value.elapsed == 300

    async def test_may_think(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """After bytes that were whole, and not the answer yet, the wait for that is that for a first byte."""
        stream, _ = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        for _ in range(20):
            waiter = stream.wait(100, ReadTimeout)
            clock.advance(50)
            feed(stream, b"102")
            await waiter
            stream.reader.take(3)
            stream.may_think()
        assert stream._timer.pace is None
        feed(stream, b"200")
        waiter = stream.wait(100, ReadTimeout)
        clock.advance(59)
        feed(stream, b"x")
        await waiter
        waiter = stream.wait(100, ReadTimeout)
        clock.advance(1)
        with pytest.raises(StallTimeout):
            await waiter

    async def test_small_response(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """An exchange with one wait, however long, has no pace."""
        stream, wire = pair
        clock = fake_clock(stream)
        for _ in range(3):
            stream.allow(None, None, (10.0, 60.0))
            waiter = stream.wait(None, ReadTimeout)
            clock.advance(1000)
            wire.send(b"small")
            await waiter
            assert stream.reader.take(5) == b"small"
            assert stream._timer.pace is None
            stream.rest()

    async def test_next_exchange(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """What one exchange took does not count in the next."""
        stream, wire = pair
        clock = fake_clock(stream)
        for rate in ((10.0, 60.0), (10.0, 60.0), None):
            stream.allow(None, None, rate)
            for seconds in (59, 59):
                waiter = stream.wait(None, ReadTimeout)
                clock.advance(seconds)
                wire.send(b"x")
                await waiter
            stream.reader.take(2)
            stream.rest()
        assert stream.spoiled is None

    async def test_window_that_ends_as_bytes_come(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """When bytes and the end of a window come in one tick, the bytes are had, and the next wait raises."""
        stream, _ = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        feed(stream, b"H")
        waiter = stream.wait(None, ReadTimeout)
        clock.now += 60
        feed(stream, b"x")
        clock.advance(0)
        await waiter
        assert stream.reader.buffered == b"Hx"
        with pytest.raises(StallTimeout):
            stream.wait(None, ReadTimeout)  # type: ignore[unused-awaitable]  # it raises
        with pytest.raises(StallTimeout):
            stream.receive_into(memoryview(bytearray(10)), 30)  # type: ignore[unused-awaitable]  # the same
        assert not stream.waited_for
        assert stream.get_buffer(-1) is receive_buffer(stream.loop)
        clock.advance(1000)

    async def test_upload_of_which_little_is_taken(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A peer that takes too little of a request is cut off after a window, also where writing has no limit."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (float(UNREADABLE), 60.0))
        await fill(stream)
        waiter = stream.wait(None, WriteTimeout)
        clock.advance(59)
        assert not waiter.done()
        before = stream.unsent()
        while stream.unsent() == before:
            wire.take()
            await asyncio.sleep(0)
        assert not waiter.done()
        clock.advance(1)
        with pytest.raises(StallTimeout):
            await waiter

    async def test_upload_that_nobody_takes(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A peer that takes nothing of a request is silent: the limit of writing cuts it off, and not the rate."""
        stream, _ = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        await fill(stream)
        waiter = stream.wait(None, WriteTimeout)
        clock.advance(60_000)
        assert not waiter.done()
        stream.wake()
        await waiter
        waiter = stream.wait(300, WriteTimeout)
        clock.advance(299)
        assert not waiter.done()
        clock.advance(1)
        with pytest.raises(WriteTimeout):
            await waiter

    async def test_upload_that_is_taken(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A peer that takes enough of a request is waited for, and every byte that it takes in a wait counts."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        await fill(stream)
        waiter = stream.wait(60, WriteTimeout)
        for _ in range(3):
            before = stream.unsent()
            while stream.unsent() == before:
                wire.take()
                await asyncio.sleep(0)
            assert before - stream.unsent() >= 600
            clock.advance(59)
            assert not waiter.done()
        while not waiter.done():
            wire.take()
            await asyncio.sleep(0)
        await waiter

    async def test_not_metered(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A wait for what is sent past the stream is not metered."""
        stream, _ = pair
        clock = fake_clock(stream)
        stream.allow(None, None, (10.0, 60.0))
        for _ in range(3):
            waiter = stream.wait(100, WriteTimeout, metered=False)
            clock.advance(99)
            stream.wake()
            await waiter
        waiter = stream.wait(100, WriteTimeout, metered=False)
        clock.advance(100)
        with pytest.raises(WriteTimeout):
            await waiter

    async def test_lost(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that is lost in the middle of a metered upload wakes its waiter and leaves no timer."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 100, 100, (10.0, 60.0))
        await fill(stream)
        waiter = stream.wait(30, WriteTimeout)
        wire.reset()
        await waiter
        await until(lambda: stream.lost)
        assert clock.handles == []


class TestIdle:
    """How long a stream may rest, and who is told that it cannot be used again."""

    async def test_expiry(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """An idle stream is given up when its time has passed."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.rest()
        stream.expire_in(15)
        clock.advance(14.9)
        assert reason(stream) is None
        clock.advance(0.2)
        assert reason(stream) == EXPIRED
        assert stream.fault is None
        await until(lambda: stream.lost)
        assert reason(stream) == EXPIRED
        assert await wire.ended()

    @pytest.mark.parametrize("begin", ["allow", "quiet"])
    @pytest.mark.parametrize("waits", [False, True])
    async def test_exchange_began(self, pair: tuple[StreamProtocol, Wire], begin: str, waits: bool) -> None:
        """An exchange that began in time is not disturbed, whether it waits or not, though nothing else bounds it."""
        stream, wire = pair
        clock = fake_clock(stream)
        stream.rest()
        stream.expire_in(15)
        clock.advance(14)
        if begin == "allow":
            stream.allow(None, None, None)
        else:
            stream.quiet = False
        waiter = stream.wait(None, ReadTimeout) if waits else None
        clock.advance(1000)
        assert stream.spoiled is None
        wire.send(b"x")
        if waiter is not None:
            await waiter
        await until(lambda: stream.reader.buffered)
        assert stream.reader.take(1) == b"x"

    async def test_rests_again(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The time begins anew with each rest, and is without bound where none is given."""
        stream, _ = pair
        clock = fake_clock(stream)
        for _ in range(100):
            stream.rest()
            stream.expire_in(15)
            clock.advance(14)
            stream.allow(None, None, None)
        assert clock.armed <= 100
        stream.rest()
        clock.advance(1000)
        assert stream.spoiled is None

    async def test_waits_of_others_do_not_expire_it(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A limit of the last exchange does not end the rest after it."""
        stream, _ = pair
        clock = fake_clock(stream)
        stream.allow(clock.now + 7, 7, (256.0, 60.0))
        stream.wait(5, ReadTimeout).cancel()
        stream.rest()
        clock.advance(100)
        assert stream.spoiled is None

    async def test_spoiled_already(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that is spoiled has no more time, and no timer."""
        stream, wire = pair
        clock = fake_clock(stream)
        wire.socket.close()
        await until(lambda: stream.lost)
        stream.rest()
        stream.expire_in(15)
        assert clock.handles == []

    async def test_real_time(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream expires by the clock of its loop."""
        stream, wire = pair
        stream.rest()
        stream.expire_in(0.005)
        assert await wire.ended()
        assert stream.spoiled == EXPIRED

    @pytest.mark.parametrize(
        ("event", "why"),
        [
            ("bytes", BYTES_WHILE_IDLE),
            ("data", BYTES_WHILE_IDLE),
            ("end", PEER_CLOSED),
            ("loss", LOST),
            ("expiry", EXPIRED),
        ],
    )
    async def test_told(self, pair: tuple[StreamProtocol, Wire], event: str, why: str) -> None:
        """The owner of an idle stream is told in the very step in which it is spoiled, and once."""
        stream, _ = pair
        told, lost = watch(stream)
        clock = fake_clock(stream)
        stream.rest()
        stream.expire_in(15)
        if event == "bytes":
            feed(stream, b"x")
        elif event == "data":
            stream.data_received(b"x")
        elif event == "end":
            stream.eof_received()
        elif event == "loss":
            stream.connection_lost(None)
            stream.lost = False  # it was said for the transport, which is still there
        else:
            clock.advance(15)
        assert told == [(stream, why)]
        feed(stream, b"x")
        stream.eof_received()
        await stream.aborted()
        clock.advance(15)
        assert told == [(stream, why)]
        assert lost == [stream]

    @pytest.mark.parametrize("event", ["bytes", "end", "reset", "nothing is delivered"])
    async def test_told_over_a_socket(self, pair: tuple[StreamProtocol, Wire], event: str) -> None:
        """Whatever a peer does to an idle stream, its owner is told of it, and that the socket is closed, too."""
        stream, wire = pair
        told, lost = watch(stream)
        stream.rest()
        if event == "bytes":
            wire.send(b"x")
        elif event == "end":
            wire.socket.close()
        elif event == "reset":
            wire.reset()
        else:
            stream.transport.pause_reading()
            wire.send(b"x")
            await stream.check_quiet()
            assert told == [(stream, STAYS_READABLE)]
        await until(lambda: stream.lost)
        assert len(told) == 1
        assert lost == [stream]
        assert stream.on_spoiled is None
        assert stream.on_lost is None

    @pytest.mark.parametrize(
        "end",
        [
            "rest with bytes",
            "rest after the end",
            "rest after an abort",
            "shut",
            "close",
            "abort",
            "idle abort",
            "reset",
        ],
    )
    async def test_not_told(self, pair: tuple[StreamProtocol, Wire], end: str) -> None:
        """What happens in an exchange, or what its owner does or is to see for itself, is not told; the loss is."""
        stream, wire = pair
        told, lost = watch(stream)
        if end == "rest with bytes":
            wire.send(b"x")
            await until(lambda: stream.reader.buffered)
            stream.rest()
            assert stream.spoiled == SURPLUS
        elif end == "rest after the end":
            stream.eof_received()
            stream.rest()
            assert stream.spoiled == PEER_CLOSED
        elif end == "shut":
            stream.shut("it was the last")
        elif end == "close":
            stream.rest()
            await stream.close(1)
        elif end == "abort":
            stream.abort()
        elif end == "idle abort":
            stream.rest()
            stream.abort()
            assert stream.spoiled == ABORTED
        elif end == "rest after an abort":
            stream.abort()
            stream.rest()
            assert stream.spoiled == ABORTED
        else:
            wire.reset()
        await until(lambda: stream.lost)
        assert told == []
        assert lost == [stream]

    async def test_given_away(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that is given away is lost to its owner then, and nothing of it is told any more."""
        stream, wire = pair
        told, lost = watch(stream)
        stream.release()
        assert lost == [stream]
        wire.send(b"x")
        assert await stream.reader.read(1) == b"x"
        stream.writer.close()
        await stream.writer.wait_closed()
        assert told == []
        assert lost == [stream]

    async def test_over_tls(self, tls: TlsKit) -> None:
        """Of an encrypted stream it is the inner one that tells."""
        async with open_stream() as (stream, wire):
            outside = watch(stream)
            channel = TlsChannel(SocketChannel(wire.socket), tls.good, b"")
            inner, _ = await asyncio.gather(start_tls(stream, tls.client, "localhost"), channel.handshake())
            told, lost = watch(inner)
            inner.quiet = False
            inner.rest()
            await inner.check_quiet()
            await channel.send(b"poison")
            await until(lambda: inner.lost)
            assert told == [(inner, BYTES_WHILE_IDLE)]
            assert lost == [inner]
            assert outside == ([], [])
            stream.lost = True

    async def test_expiry_over_tls(self, tls: TlsKit) -> None:
        """An encrypted stream expires as a plain one does."""
        async with open_stream() as (stream, wire):
            channel = TlsChannel(SocketChannel(wire.socket), tls.good, b"")
            inner, _ = await asyncio.gather(start_tls(stream, tls.client, "localhost"), channel.handshake())
            clock = fake_clock(inner)
            told, lost = watch(inner)
            inner.rest()
            inner.expire_in(15)
            clock.advance(15)
            assert told == [(inner, EXPIRED)]
            await until(lambda: inner.lost)
            assert lost == [inner]
            stream.lost = True


class TestEnding:
    async def test_shut_closes_gracefully(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """``shut`` on a stream with nothing unsent ends it with an end of file, not with a reset."""
        stream, wire = pair
        stream.transport.write(b"all of it")
        stream.shut("it was the last")
        assert await wire.receive_all() == b"all of it"
        await until(lambda: stream.lost)
        assert stream.spoiled == "it was the last"

    async def test_shut_with_unsent_bytes(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """``shut`` does not wait for a peer that takes nothing."""
        stream, wire = pair
        await fill(stream)
        stream.shut("it was the last")
        await until(lambda: stream.lost)
        assert stream.spoiled == "it was the last"
        assert wire.take(1) == b"\0"  # what the kernels had taken; nobody has waited for it to be read

    async def test_shut_after_the_end(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """``shut`` on a stream that is gone, and ``shut`` twice, change nothing."""
        stream, wire = pair
        wire.socket.close()
        await until(lambda: stream.lost)
        stream.shut("first")
        stream.shut("second")
        assert stream.spoiled == LOST

    async def test_abort_wakes_the_waiter(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A task that waits when the stream is aborted is woken and finds out why."""
        stream, wire = pair
        waiter = stream.wait(30, ReadTimeout)
        stream.abort()
        stream.abort()
        await waiter
        assert stream.ended
        assert isinstance(stream.fault, ConnectionAbortedError)
        assert await wire.ended()

    async def test_aborted_returns_when_the_socket_is_closed(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """When ``aborted`` returns, the descriptor is gone, also with much unsent."""
        stream, _ = pair
        await fill(stream)
        assert is_open(stream)
        await stream.aborted()
        assert stream.lost
        assert not is_open(stream)

    async def test_aborted_keeps_a_cancellation(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A cancellation that comes while a stream is being aborted is raised after the socket was closed."""
        stream, _ = pair

        async def abort() -> bool:
            try:
                await stream.aborted()
            except asyncio.CancelledError:
                return is_open(stream)
            raise AssertionError("the cancellation was lost")

        task = asyncio.create_task(abort())
        await until(stream.transport.is_closing)
        task.cancel()
        task.cancel()
        assert await task is False

    async def test_aborted_after_an_error(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Whatever error it is for, ``aborted`` waits for the end of the socket."""
        stream, _ = pair
        await stream.aborted(asyncio.CancelledError())
        assert stream.lost
        assert not is_open(stream)

    async def test_aborted_in_a_coroutine_that_is_closed(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """After ``GeneratorExit`` nothing is waited for, and the socket is closed all the same, a little later."""
        stream, wire = pair
        await fill(stream)
        with pytest.raises(StopIteration):
            stream.aborted(GeneratorExit()).send(None)
        assert stream.spoiled == ABORTED
        assert not stream.lost
        await until(lambda: stream.lost)
        assert await wire.ended()

    async def test_close_abandoned(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A graceful close that nobody awaits any more aborts, and waits for nothing."""
        stream, wire = pair
        await fill(stream)
        assert await abandoned_at(1, stream.close(30))
        await until(lambda: stream.lost)
        assert await wire.ended()

    async def test_close_sends_what_is_unsent(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A graceful close sends everything that was written, then ends."""
        stream, wire = pair
        stream.transport.write(LARGE * 8)
        received, _ = await asyncio.gather(wire.receive_all(), stream.close(30))
        assert received == LARGE * 8
        assert not is_open(stream)

    async def test_close_is_bounded(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A graceful close to a peer that takes nothing ends after its limit, with the socket closed."""
        stream, wire = pair
        await fill(stream)
        clock = fake_clock(stream)
        closing = asyncio.create_task(stream.close(1))
        await turns()
        assert not closing.done()
        clock.advance(1)
        await closing
        assert stream.lost
        assert not is_open(stream)
        assert await wire.ended()

    async def test_close_twice(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """Closing what is closed, or aborted, or lost, returns at once."""
        stream, _ = pair
        await stream.close(1)
        await stream.close(1)
        stream.abort()
        await stream.aborted()
        assert stream.lost

    async def test_close_while_another_task_waits(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A close in the middle of somebody's wait does not wait beside it: it aborts, and wakes the other."""
        stream, _ = pair
        waiter = stream.wait(30, ReadTimeout)
        await stream.close(30)
        assert stream.lost
        await waiter
        assert isinstance(stream.fault, ConnectionAbortedError)

    async def test_close_cancelled(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A graceful close that is cancelled has closed the socket when it ends."""
        stream, _ = pair
        await fill(stream)
        closing = asyncio.create_task(stream.close(30))
        await turns()
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert stream.lost
        assert not is_open(stream)

    async def test_close_when_the_peer_closes_too(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """An end of file during a graceful close is what one expects, not a spoiled stream."""
        stream, wire = pair
        stream.transport.write(LARGE)
        closing = asyncio.create_task(stream.close(30))
        await turns()
        wire.socket.close()
        await closing
        assert stream.lost

    async def test_nothing_in_the_loop_after_the_end(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A closed stream leaves no timer in the loop."""
        stream, wire = pair
        loop = asyncio.get_running_loop()
        if uses_data_received(stream):
            pytest.skip("uvloop does not show its timers")
        before = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]  # private
        waiter = stream.wait(3600, ReadTimeout)
        wire.send(b"x")
        await waiter
        await stream.close(1)
        after = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]  # private
        assert after == before


class TestReleased:
    async def test_reader_and_writer(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """After ``release`` the reader and the writer are complete asyncio streams."""
        stream, wire = pair
        wire.send(b"early ")
        await until(lambda: stream.reader.buffered)
        stream.release()
        reader, writer = stream.reader, stream.writer
        wire.send(b"line\nrest")
        assert await reader.readline() == b"early line\n"
        assert await reader.readexactly(4) == b"rest"
        writer.write(LARGE)
        received, _ = await asyncio.gather(wire.receive_exactly(len(LARGE)), writer.drain())
        assert received == LARGE
        writer.close()
        await writer.wait_closed()
        assert stream.lost

    async def test_half_closed(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """After ``release`` the peer may end its side and still be written to, as with asyncio's own streams."""
        stream, wire = pair
        stream.release()
        wire.send(b"last")
        wire.socket.shutdown(1)
        assert await stream.reader.read() == b"last"
        stream.writer.write(b"still here")
        await stream.writer.drain()
        assert await wire.receive_exactly(10) == b"still here"
        stream.writer.write_eof()
        assert await wire.receive() == b""

    async def test_bytes_do_not_spoil(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that came to rest before it was released takes bytes again."""
        stream, wire = pair
        stream.rest()
        stream.release()
        wire.send(b"x")
        assert await stream.reader.read(1) == b"x"
        assert stream.spoiled is None

    async def test_writer_is_one(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """There is one writer for a stream."""
        stream, _ = pair
        assert stream.writer is stream.writer

    async def test_reset_reaches_the_reader(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A reset of a released stream is raised by its reader."""
        stream, wire = pair
        stream.release()
        wire.reset()
        with pytest.raises(ConnectionResetError):
            await stream.reader.read()


class TestHelpers:
    async def test_receive_buffer_is_the_loops(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """An idle stream has no receive buffer of its own."""
        stream, _ = pair
        loop = asyncio.get_running_loop()
        assert stream.get_buffer(-1) is receive_buffer(loop)
        async with open_stream() as (other, _):
            assert other.get_buffer(-1) is stream.get_buffer(-1)

    async def test_poll_follows_the_socket(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The poll object is made once, and dropped with the socket, whose number the next one may get."""
        stream, _ = pair
        assert not stream.readable()
        assert not stream.readable()
        assert has_poll(stream)
        await stream.aborted()
        assert not has_poll(stream)
        await stream.check_quiet()

    async def test_system_error_is_kept_as_it_is(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The error with which a transport was lost is kept unwrapped."""
        stream, _ = pair
        error = OSError(errno.EHOSTUNREACH, "no route")
        waiter = stream.wait(None, ReadTimeout)
        stream.connection_lost(error)
        await waiter
        assert stream.fault is error
        stream.lost = False  # it was said for the transport, which is still there to be closed
