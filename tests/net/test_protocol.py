"""``net/_protocol.py``, on real sockets and on every loop: exchange after exchange, and what becomes of an idle one."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.errors import ReadTimeout, TotalTimeout
from aiohttpclient.net import StreamProtocol, start_tls
from aiohttpclient.net._buffer import receive_buffer
from aiohttpclient.net._protocol import QUIET_TURNS
from aiohttpclient.net._receiving import (
    ABORTED,
    BYTES_WHILE_IDLE,
    EXPIRED,
    LOST,
    PEER_CLOSED,
    STAYS_READABLE,
    SURPLUS,
)
from aiohttpclient.net._transport import feed
from tests.support.channel import SocketChannel, TlsChannel
from tests.support.leaks import open_descriptors

from .clocks import fake_clock
from .stepping import abandoned_at
from .streams import LARGE, Wire, fill, open_stream, turns, until, uses_data_received

if TYPE_CHECKING:
    from tests.support.tls import TlsKit


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
