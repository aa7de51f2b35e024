"""``net/_protocol.py``, on real sockets and on every loop; time is a clock that the test moves."""

from __future__ import annotations

import asyncio
import errno
from functools import partial
from typing import TYPE_CHECKING, cast

import pytest

from aiohttpclient.errors import ConcurrentUse, ReadTimeout, WriteTimeout
from aiohttpclient.net._buffer import RECEIVE_SIZE, receive_buffer
from aiohttpclient.net._protocol import CLOSING_TURNS, QUIET_TURNS, SALVAGE_LIMIT, feed, salvage, turns_until
from aiohttpclient.net._reader import READER_LIMIT
from aiohttpclient.net._timer import LazyTimer
from tests.support.leaks import open_descriptors

from .streams import Wire, arrival, open_stream, turns, until, uses_data_received
from .test_timer import FakeLoop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttpclient.net import StreamProtocol

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
    stream._timer = LazyTimer(cast("asyncio.AbstractEventLoop", clock), stream._expired)
    return clock


def reason(stream: StreamProtocol) -> str | None:
    """Why ``stream`` is unusable; a call, since the type checker takes an attribute for unchanged over an await."""
    return stream.spoiled


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

    async def test_salvage_without_a_socket(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A transport whose socket is gone has nothing to be read from it, and that is no error."""
        stream, _ = pair
        assert salvage(stream.transport) == []
        await stream.aborted()
        assert salvage(stream.transport) == []

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
        wire.send(b"x")
        await waiter

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
        assert stream.spoiled == "bytes arrived while the connection was idle"

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
        assert stream.spoiled == "the peer closed the connection"

    async def test_reset_spoils_an_idle_stream(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A reset on an idle stream spoils it; what came before it stays unread."""
        stream, wire = pair
        stream.quiet = True
        stream.transport.pause_reading()
        wire.send(b"poison")
        wire.reset()
        stream.transport.write(b"request")
        await until(lambda: stream.lost)
        assert stream.spoiled == "the connection was lost"
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
        assert stream.spoiled == "bytes followed the end of the response"
        await until(lambda: stream.lost)

    async def test_rest_after_the_end(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that ended before it came to rest is spoiled."""
        stream, wire = pair
        wire.socket.close()
        await until(lambda: stream.ended)
        stream.rest()
        assert stream.spoiled is not None

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
        assert stream.spoiled == "an idle connection stays readable"

    async def test_spoiled_once(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """The first reason why a stream is unusable is the one that is kept."""
        stream, wire = pair
        stream.quiet = True
        wire.send(b"x")
        wire.socket.close()
        await until(lambda: stream.lost)
        assert stream.spoiled == "bytes arrived while the connection was idle"

    async def test_loss_without_a_reason_spoils(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """A stream that was aborted cannot be taken for a usable one."""
        stream, _ = pair
        await stream.aborted()
        assert stream.spoiled is not None
        assert stream.ended


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
        stream, _ = pair
        await fill(stream)
        stream.shut("it was the last")
        await until(lambda: stream.lost)

    async def test_shut_after_the_end(self, pair: tuple[StreamProtocol, Wire]) -> None:
        """``shut`` on a stream that is gone, and ``shut`` twice, change nothing."""
        stream, wire = pair
        wire.socket.close()
        await until(lambda: stream.lost)
        stream.shut("first")
        stream.shut("second")
        assert stream.spoiled == "the connection was lost"

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
    async def test_turns_until_is_bounded(self) -> None:
        """Waiting for turns of the loop ends after a fixed number of them."""
        asked = 0

        def never() -> bool:
            nonlocal asked
            asked += 1
            return False

        await turns_until(never)
        assert asked == CLOSING_TURNS

    async def test_turns_until_goes_on_when_cancelled(self) -> None:
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

    async def test_turns_until_returns_at_once(self) -> None:
        """What is so already takes no turn."""
        with pytest.raises(StopIteration):
            turns_until(lambda: True).send(None)

    async def test_feed_in_parts(self) -> None:
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
