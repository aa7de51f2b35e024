"""Two transports that are each other's network: what is written to one is received by the other, in the same process.

Theory of operation
-------------------
A socket has two buffers behind it: that of its transport, and the kernel's. Here they are the *outbox* of the end that
writes, and a :class:`Way` to the end that reads. What is written goes on its way as far as there is room, and into the
outbox otherwise; only the outbox counts for flow control, as with sockets.

Nothing is received inside ``write``. Whatever arrives (bytes, an end, a reset) is delivered by a callback of its own in
a later turn of the loop, in the order in which it was sent, and only while the end reads.

An end is *closing* when it receives nothing more, *lost* when its ``connection_lost`` is about to be called, and *gone*
after that: this is when a socket would be closed, and when the other end hears of it. An end that was closed says so
with an end of file, one that was aborted with a reset. To write to an end that is gone breaks the connection, in a
later turn.
"""

from __future__ import annotations

import asyncio
import errno
import os
from typing import TYPE_CHECKING, Any, cast

from ._way import ROOM, Way, nobody

if TYPE_CHECKING:
    from collections.abc import Callable

HIGH_WATER = 64 * 1024
"""Bytes in an outbox above which the writer is told to pause; at a quarter of it, to go on. asyncio's own numbers."""


class MemoryTransport(asyncio.Transport):
    """One end of a connection in memory; ``pair`` makes both.

    It does what the transports of asyncio do on a socket of TCP, but for two things:

    * ``abort`` is a reset, always: the other end sees ``ConnectionResetError``, after what had been on its way. A
      kernel sends a reset only where something was left unread.
    * ``close`` is an end of file, always, also where something was left unread.
    """

    # What loop.start_tls of asyncio asks for. TLS uses, besides the interface of a transport, ``_force_close``.
    _start_tls_compatible = True

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: asyncio.BaseProtocol, way_in: Way, way_out: Way, **extra: Any
    ) -> None:
        super().__init__(extra)
        self.shared: dict[str, Any] = {"scheme": "http"}
        """What the other end knows as well."""
        self.loop = loop
        self._in = way_in
        self._out = way_out
        self._outbox = bytearray()
        self._high, self._low = HIGH_WATER, HIGH_WATER // 4
        self._reading_paused = self._writing_paused = False
        self._end_was_told = self._has_ended = self._aborted = False
        self._closing = self._lost = False
        self._delivery_is_due = self._sending_is_due = False
        self.on_gone: Callable[[], object] = nobody
        """Called when the transport is gone."""
        self.set_protocol(protocol)
        way_in.on_news = self._expect_delivery
        way_out.on_room = self._expect_sending
        way_out.on_left = self._hear_left

    def __repr__(self) -> str:
        state = "lost" if self._lost else "closing" if self._closing else "open"
        return (
            f"<{type(self).__name__} {self.get_extra_info('sockname')} to {self.get_extra_info('peername')}, {state}>"
        )

    # -- the interface of a transport --------------------------------------------------------------------------------

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """``"sockname"``, ``"peername"``; ``"scheme"``: whether both ends take it for ``"http"`` or ``"https"``.

        ``"readable"``: whether something has come of which nobody was told yet.
        """
        if name == "readable":
            return self._lost or self._has_news()
        if name == "scheme":
            return self.shared["scheme"]
        return super().get_extra_info(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """From now on ``protocol`` is told what happens."""
        self._protocol: Any = protocol
        self._buffered = isinstance(protocol, asyncio.BufferedProtocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that is told what happens; None when it was told that the connection is lost."""
        return cast("asyncio.BaseProtocol", self._protocol)

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._closing

    def is_reading(self) -> bool:
        """Whether what comes is delivered."""
        return not (self._reading_paused or self._closing)

    def pause_reading(self) -> None:
        """Deliver nothing until ``resume_reading``."""
        if not self._closing:
            self._reading_paused = True

    def resume_reading(self) -> None:
        """Deliver what has come, and what will."""
        self._reading_paused = False
        self._expect_delivery()

    def get_write_buffer_size(self) -> int:
        """Bytes for which there was no room on the way."""
        return len(self._outbox)

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The low and the high water mark."""
        return self._low, self._high

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Tell the protocol to pause above ``high`` bytes, and to go on at ``low``."""
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high!r}) must be >= low ({low!r}) must be >= 0")
        self._high, self._low = high, low
        self._check_high_water()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send ``data``; the other end receives it in a later turn of the loop."""
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"data argument must be a bytes-like object, not {type(data).__name__!r}")
        if self._has_ended:
            raise RuntimeError("Cannot call write() after write_eof()")
        if not data or self._lost:
            return
        if not self._out.is_read:
            self.loop.call_soon(self._break)
            return
        view = memoryview(data).cast("B")
        self._outbox += view if self._outbox else view[self._out.put(view) :]
        self._check_high_water()

    def can_write_eof(self) -> bool:
        """It can."""
        return True

    def write_eof(self) -> None:
        """End this side once everything is sent; the other may go on."""
        if not (self._closing or self._has_ended):
            self._has_ended = True
            if not self._outbox:
                self._out.end()

    def close(self) -> None:
        """Receive nothing more, and close once everything is sent."""
        if not self._closing:
            self._closing = True
            if not self._outbox:
                self._lose(None)

    def abort(self) -> None:
        """Close now; what is in the outbox is lost, and the other end sees a reset."""
        self._aborted = self._aborted or not self._lost
        self._force_close(None)

    def _force_close(self, error: BaseException | None) -> None:
        if not self._lost:
            self._outbox.clear()
            self._closing = True
            self._lose(error)

    # -- sending -----------------------------------------------------------------------------------------------------

    def _expect_sending(self) -> None:
        if self._outbox and not self._sending_is_due:
            self._sending_is_due = True
            self.loop.call_soon(self._send_more)

    def _send_more(self) -> None:
        self._sending_is_due = False
        if not (self._outbox and self._out.is_read):
            return
        with memoryview(self._outbox) as view:
            count = self._out.put(view)
        del self._outbox[:count]
        if self._writing_paused and len(self._outbox) <= self._low:
            self._writing_paused = False
            self._tell(self._protocol.resume_writing)  # which may write more
        if not (self._outbox or self._lost):
            if self._closing:
                self._lose(None)
            elif self._has_ended:
                self._out.end()

    def _check_high_water(self) -> None:
        if len(self._outbox) > self._high and not self._writing_paused:
            self._writing_paused = True
            self._tell(self._protocol.pause_writing)

    # -- receiving ---------------------------------------------------------------------------------------------------

    @property
    def was_left(self) -> bool:
        """Whether the other end has ended its side, in whatever way, or this one was lost."""
        return self._in.ended or self._in.was_reset or self._lost

    def _has_news(self) -> bool:
        return len(self._in) > 0 or (self._in.ended and not self._end_was_told) or self._in.was_reset

    def _expect_delivery(self) -> None:
        if not self._delivery_is_due and self.is_reading() and self._has_news():
            self._delivery_is_due = True
            self.loop.call_soon(self._deliver_next)

    def _deliver_next(self) -> None:
        self._delivery_is_due = False
        if self.is_reading():
            self._deliver()
            self._expect_delivery()

    def _deliver(self) -> None:
        """One piece of news, as one ``recv`` of a socket would get it."""
        if len(self._in):
            self._deliver_bytes()
        elif self._in.ended and not self._end_was_told:
            self._end_was_told = True
            if not self._tell(self._protocol.eof_received):
                self.close()
        elif self._in.was_reset:
            self._force_close(_reset())

    def _deliver_bytes(self) -> None:
        if not self._buffered:
            self._tell(self._protocol.data_received, self._in.take(len(self._in)))
        elif (buffer := self._tell(self._protocol.get_buffer, len(self._in))) is not None:
            data = self._in.take(len(buffer))
            if not data:
                raise RuntimeError("get_buffer() returned an empty buffer")
            memoryview(buffer)[: len(data)] = data
            self._tell(self._protocol.buffer_updated, len(data))

    def _hear_left(self) -> None:
        """The other end is gone, and does not take what is in the outbox."""
        if self._outbox:
            self.loop.call_soon(self._break)

    def _break(self) -> None:
        """What was written cannot arrive any more. What has come is received, unless the protocol is not reading."""
        while self.is_reading() and self._has_news():
            self._deliver()
        self._force_close(_reset())

    # -- the end -----------------------------------------------------------------------------------------------------

    def _lose(self, error: BaseException | None) -> None:
        self._lost = True
        self.loop.call_soon(self._end, error)

    def _end(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(error)
        finally:
            self._protocol = None
            self._out.end(reset=self._aborted)
            self._in.leave()
            self.on_gone()

    def _tell(self, method: Callable[..., Any], *args: Any) -> Any:
        """What ``method`` of the protocol returns. When it fails the loop's handler is told, and the end aborted."""
        try:
            return method(*args)
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not end the loop
            context = {"message": "Fatal error: protocol callback failed", "exception": error, "transport": self}
            self.loop.call_exception_handler(context)
            self.abort()


def _reset() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))


def pair(
    loop: asyncio.AbstractEventLoop,
    near: asyncio.BaseProtocol,
    far: asyncio.BaseProtocol,
    *,
    room: int = ROOM,
    near_address: tuple[str, int] = ("127.0.0.1", 49152),
    far_address: tuple[str, int] = ("127.0.0.1", 80),
) -> tuple[MemoryTransport, MemoryTransport]:
    """Two connected ends for the protocols ``near`` and ``far``, whose ``connection_made`` is the caller's to call."""
    there, back = Way(room), Way(room)
    one = MemoryTransport(loop, near, back, there, sockname=near_address, peername=far_address)
    other = MemoryTransport(loop, far, there, back, sockname=far_address, peername=near_address)
    other.shared = one.shared
    return one, other
