from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing._transport import HIGH_WATER
from tests.net.streams import turns

from .ends import BufferedRecorder, Recorder, in_memory, joined

if TYPE_CHECKING:
    from tests.support.leaks import LeakWatch

# -- bytes


async def test_nothing_arrives_inside_write() -> None:
    """What is written arrives in a later turn of the loop, all that there is at once."""
    near, far = Recorder(), Recorder()
    here, there = joined(near, far)
    here.write(b"abc")
    here.write(bytearray(b"def"))
    here.write(memoryview(b"ghi")[1:])
    assert not far.told
    await turns(1)
    assert (far.told, far.received) == ([8], b"abcdefhi")
    there.write(b"back")
    await turns(1)
    assert near.received == b"back"


async def test_a_buffered_protocol_gets_as_much_as_it_takes() -> None:
    """A BufferedProtocol is given its buffer full at a time, one in a turn of the loop."""
    far = BufferedRecorder(4)
    here, _ = joined(Recorder(), far)
    here.write(b"0123456789")
    here.close()
    await turns(1)
    assert far.told == [4]
    await turns(6)
    assert far.told == [4, 4, 2, "end", "lost"]
    assert far.received == b"0123456789"


async def test_what_was_written_may_be_changed() -> None:
    """A buffer that was written belongs to the writer again, also if there was no room for it."""
    far = Recorder()
    here, _ = joined(Recorder(), far, room=4)
    data = bytearray(b"0123456789")
    here.write(data)
    data[:] = b"x" * 10
    await turns(6)
    assert far.received == b"0123456789"


@pytest.mark.parametrize("data", ["text", None, [1]])
async def test_only_bytes_are_written(data: Any) -> None:
    """What is not bytes-like is refused, as by the transports of asyncio."""
    here, _ = joined(Recorder(), Recorder())
    with pytest.raises(TypeError, match="bytes-like"):
        here.write(data)


async def test_wide_items_are_written_as_bytes() -> None:
    """A view of items that are more than a byte wide is written as the bytes that it is made of."""
    far = Recorder()
    here, _ = joined(Recorder(), far, room=3)
    here.write(memoryview(b"01234567").cast("I"))
    here.write(b"")
    await turns(6)
    assert far.received == b"01234567"


# -- flow control


async def test_a_writer_is_told_to_pause() -> None:
    """Above the high water mark the writer is told to pause, and at the low one to go on; each once."""
    near, far = Recorder(), Recorder()
    here, there = joined(near, far, room=10)
    here.set_write_buffer_limits(high=20, low=5)
    there.pause_reading()
    here.write(b"x" * 30)
    assert (near.told, here.get_write_buffer_size()) == ([], 20)
    here.write(b"y")
    here.write(b"z")
    assert near.told == ["pause"]
    there.resume_reading()
    await turns(3)
    assert (near.told, here.get_write_buffer_size()) == (["pause"], 12)
    await turns(10)
    assert near.told == ["pause", "resume"]
    assert far.received == b"x" * 30 + b"yz"


@pytest.mark.parametrize(
    ("high", "low", "marks"),
    [
        (None, None, (HIGH_WATER // 4, HIGH_WATER)),
        (40, None, (10, 40)),
        (None, 10, (10, 40)),
        (0, 0, (0, 0)),
        (20, 20, (20, 20)),
    ],
)
async def test_water_marks(high: int | None, low: int | None, marks: tuple[int, int]) -> None:
    """The marks follow from each other as those of asyncio do."""
    here, _ = joined(Recorder(), Recorder())
    here.set_write_buffer_limits(high, low)
    assert here.get_write_buffer_limits() == marks


async def test_contradicting_water_marks() -> None:
    """A low mark above the high one is refused."""
    here, _ = joined(Recorder(), Recorder())
    with pytest.raises(ValueError, match="must be >="):
        here.set_write_buffer_limits(10, 20)


async def test_an_end_that_is_paused_hears_nothing() -> None:
    """While reading is paused neither bytes nor the end are delivered, and afterwards both, in their order."""
    far = Recorder()
    here, there = joined(Recorder(), far)
    here.write(b"before")
    there.pause_reading()
    here.write(b"after")
    here.close()
    assert there.get_extra_info("readable")
    await turns()
    assert (far.told, there.is_reading()) == ([], False)
    there.resume_reading()
    there.resume_reading()
    await turns()
    assert far.told == [11, "end"]
    assert not there.get_extra_info("readable")


# -- ends


async def test_half_close() -> None:
    """After write_eof the other side has its end, and may still write; the one that has ended may not."""
    near, far = Recorder(), Recorder()
    here, there = joined(near, far, room=4)
    assert here.can_write_eof()
    here.write(b"012345")
    here.write_eof()
    here.write_eof()
    with pytest.raises(RuntimeError, match="write_eof"):
        here.write(b"more")
    await turns()
    assert (far.received, far.told[-1]) == (b"012345", "end")
    there.write(b"answer")
    await turns()
    assert near.received == b"answer"
    assert [end.is_closing() for end in (here, there)] == [False, False]


async def test_eof_received_may_close() -> None:
    """Where eof_received says nothing else, the end of the peer closes the transport, once it has sent what it had."""
    near, far = Recorder(), Recorder(keep_open=False)
    here, there = joined(near, far, room=4)
    there.write(b"0123456789")
    here.pause_reading()
    here.write_eof()
    await turns()
    assert (far.told, there.is_closing()) == (["end"], True)
    here.resume_reading()
    await turns(8)
    assert far.told == ["end", "lost"]
    assert (near.received, near.told[-1]) == (b"0123456789", "end")


async def test_close_sends_what_was_written() -> None:
    """After close everything that was written arrives, then the end; connection_lost comes last, without an error."""
    near, far = Recorder(), Recorder()
    here, there = joined(near, far, room=4)
    here.write(b"0123456789")
    here.close()
    here.close()
    assert here.is_closing()
    assert not near.told
    await turns(9)
    assert (far.received, far.told[-1], near.told) == (b"0123456789", "end", ["lost"])
    assert not there.is_closing()


async def test_a_closing_end_receives_nothing() -> None:
    """What comes after close is not received any more, also while there is something left to be sent."""
    near, far = Recorder(), Recorder()
    here, there = joined(near, far, room=4)
    there.pause_reading()
    here.write(b"0123456789")
    here.close()
    there.write(b"late")
    await turns()
    assert near.received == b""
    there.resume_reading()
    await turns(9)
    assert far.received == b"0123456789"


async def test_abort_is_a_reset() -> None:
    """After abort the other side receives what was on its way, then ConnectionResetError; the outbox is lost."""
    near, far = Recorder(), Recorder()
    here, _ = joined(near, far, room=4)
    here.write(b"0123456789")
    here.abort()
    here.abort()
    await turns()
    assert near.told == ["lost"]
    assert (far.received, far.told[-1]) == (b"0123", ConnectionResetError)
    assert "reset" in str(far.error)


async def test_abort_after_close_changes_nothing() -> None:
    """What is closed, and has sent everything, ends with an end of file also if it is aborted then."""
    far = Recorder()
    here, _ = joined(Recorder(), far)
    here.close()
    here.abort()
    await turns()
    assert far.told == ["end"]


async def test_a_reset_waits_for_a_reader() -> None:
    """An end that is paused hears of a reset when it reads on, or when it writes."""
    far = Recorder()
    here, there = joined(Recorder(), far)
    there.pause_reading()
    here.write(b"lost with it")
    here.abort()
    await turns()
    assert far.told == []
    there.write(b"anybody there?")
    assert far.told == []
    await turns()
    assert far.told == [ConnectionResetError]


async def test_writing_to_an_end_that_is_gone() -> None:
    """Who writes to an end that is gone is reset, after having received what had come before it went."""
    near, far = Recorder(), Recorder()
    here, there = joined(near, far)
    here.write(b"last words")
    here.close()
    await turns(1)
    there.write(b"nobody reads this")
    await turns()
    assert far.told == [10, "end", ConnectionResetError]
    there.write(b"nor this")
    await turns()
    assert far.told[3:] == []
    assert near.told == ["lost"]


async def test_nothing_is_lost_because_one_writes() -> None:
    """What had come is received, to its end, before who has written to an end that is gone is reset."""
    far = BufferedRecorder(4)
    here, there = joined(Recorder(), far)
    here.write(b"0123456789")
    here.close()
    await turns(1)
    assert far.told == [4]
    there.write(b"nobody reads this")
    await turns()
    assert far.told == [4, 4, 2, "end", "lost"]


async def test_who_does_not_read_is_reset_at_once() -> None:
    """An end that is paused, and writes to one that is gone, is reset without what it had not read."""
    far = Recorder()
    here, there = joined(Recorder(), far)
    there.pause_reading()
    here.write(b"not read")
    here.close()
    await turns()
    there.write(b"nobody reads this")
    await turns()
    assert far.told == [ConnectionResetError]


async def test_what_is_in_the_outbox_when_the_other_end_goes() -> None:
    """A writer that waits for room hears of it when the other end goes, without having to write."""
    near, far = Recorder(), Recorder(keep_open=True)
    here, there = joined(near, far, room=4)
    there.write(b"x" * (HIGH_WATER + 5))
    here.write(b"413")
    here.close()
    await turns(8)
    assert far.told == ["pause", 3, "end", ConnectionResetError]
    assert there.get_write_buffer_size() == 0


async def test_both_close_at_once() -> None:
    """Where both ends close in the same turn, both are told that it is over, without an error."""
    near, far = Recorder(), Recorder()
    for end in joined(near, far):
        end.write(b"bye")
        end.close()
    await turns()
    assert (near.told, far.told) == (["lost"], ["lost"])


async def test_what_it_says_of_itself() -> None:
    """The addresses of the two ends mirror each other; there is no socket."""
    here, there = joined(Recorder(), Recorder())
    assert here.get_extra_info("peername") == there.get_extra_info("sockname") == ("127.0.0.1", 80)
    assert here.get_extra_info("socket") is None
    assert "open" in repr(here)
    assert isinstance(here.get_protocol(), Recorder)
    here.close()
    assert "lost" in repr(here)
    assert here.get_extra_info("readable")  # as of a socket that is closed
    await turns()
    assert here.get_protocol() is None


async def test_a_protocol_that_fails(leak_watch: LeakWatch) -> None:
    """What a protocol raises is told to the loop, and ends the connection."""

    class Failing(Recorder):
        def data_received(self, data: bytes) -> None:
            raise LookupError("of the protocol")

    near, far = Recorder(), Failing()
    here, _ = joined(near, far)
    here.write(b"abc")
    await turns()
    assert (far.told, near.told) == (["lost"], [ConnectionResetError])
    assert "of the protocol" in leak_watch.loop_errors.pop()


# -- streams of asyncio


async def test_streams() -> None:
    """The streams of asyncio work on it: reading, draining, half-closing and waiting for the end."""
    near, far = in_memory(room=100)

    async def echo() -> None:
        while data := await far.reader.read(1000):
            far.writer.write(data)
            await far.writer.drain()
        far.writer.close()
        await far.writer.wait_closed()

    task = asyncio.create_task(echo())
    data = bytes(range(256)) * 2000
    near.writer.write(data)
    near.writer.write_eof()
    _, received = await asyncio.gather(near.writer.drain(), near.reader.read())
    assert received == data
    near.writer.close()
    await near.writer.wait_closed()
    await task


async def test_draining_fails_when_the_reader_has_gone() -> None:
    """Whoever waits in drain for a reader that goes away gets ConnectionResetError."""
    near, far = in_memory(room=10)
    near.writer.write(b"x" * 2 * HIGH_WATER)
    task = asyncio.create_task(near.writer.drain())
    await turns()
    assert not task.done()
    far.writer.transport.abort()
    with pytest.raises(ConnectionResetError):
        await task
    with pytest.raises(ConnectionResetError):
        await near.reader.read()
    with pytest.raises(ConnectionResetError):
        await near.writer.wait_closed()
