"""``net/_receiving.py``, on real sockets and on every loop; time is a clock that the test moves."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.errors import ConcurrentUse, ReadTimeout, StallTimeout, TotalTimeout, WriteTimeout
from aiohttpclient.net._buffer import RECEIVE_SIZE, receive_buffer
from aiohttpclient.net._reader import READER_LIMIT
from aiohttpclient.net._transport import SALVAGE_LIMIT, feed

from .clocks import fake_clock
from .streams import LARGE, UNREADABLE, Wire, arrival, fill, open_stream, turns, until

if TYPE_CHECKING:
    from aiohttpclient.net import StreamProtocol
    from tests.support.leaks import LeakWatch


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
