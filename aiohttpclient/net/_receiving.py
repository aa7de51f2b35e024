"""What comes over a byte stream, who waits for it, what spoils it: a ``StreamReader`` fed by a ``BufferedProtocol``.

Theory of operation
-------------------
Bytes arrive in one of three ways:

* *streamed*: the transport fills the receive buffer of the loop, and the bytes are fed to the reader;
* *direct*: between ``receive_into(view)`` and its end, the transport fills ``view`` itself, so that a large body is
  copied once, by the kernel;
* *quiet*: nobody asked for anything. A byte or an end of file spoils the stream at once: what an idle peer sends can
  never become part of a later answer.

One task at a time waits, for whatever comes next: bytes, the end, room to write, or the deadline. ``wait`` returns the
future to await, so waiting costs no coroutine; the waiter looks at the stream and decides for itself whether to wait
again. There is one lazy timer for all waits of a stream, and for the times in which nobody waits.

The end comes as ``eof`` (the peer is done), ``lost`` (the transport is gone) or both; ``fault`` says why it is gone,
where there is a reason. Bytes that the kernel had received before a reset are read in ``connection_lost``, while the
socket is still open: a server that answers 413 and resets is heard, even when it was our write that noticed the reset.

This file knows nothing of HTTP, nor of exchanges: when a stream is quiet, and what bounds it then, ``_protocol`` says.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from ..errors import ConcurrentUse, ReadTimeout, WriteTimeout
from ._buffer import receive_buffer
from ._reader import READER_LIMIT, StreamReader
from ._stream_timer import StreamTimer
from ._transport import feed, salvage

if TYPE_CHECKING:
    import select
    from asyncio import AbstractEventLoop, BaseTransport, Future, Transport
    from collections.abc import Callable

    from ..errors import PhaseTimeout
    from ._dialer import Dialed

BYTES_WHILE_IDLE = "bytes arrived while the connection was idle"
PEER_CLOSED = "the peer closed the connection"
SURPLUS = "bytes followed the end of the response"
EXPIRED = "the connection was idle for too long"
STAYS_READABLE = "an idle connection stays readable"
LOST = "the connection was lost"
ABORTED = "the connection was aborted"
"""Why a stream cannot be used again, as ``StreamProtocol.spoiled`` says it."""


class ReceivingProtocol(asyncio.StreamReaderProtocol, asyncio.BufferedProtocol):
    """A byte stream as its transport sees it, with the state of a :class:`StreamProtocol`, which says what it means."""

    # An idle connection should be small, and with the attributes of the base a shared dictionary would be too full.
    __slots__ = (
        "_direct",
        "_first_only",
        "_missing",
        "_poll",
        "_released",
        "_shared",
        "_timer",
        "_view",
        "_waiter",
        "_writer",
        "base_transport",
        "begun",
        "dialed",
        "eof",
        "exchanges",
        "fault",
        "looked_up",
        "loop",
        "lost",
        "on_lost",
        "on_spoiled",
        "quiet",
        "reader",
        "sendfile_works",
        "spoiled",
        "transport",
        "truncated",
        "watcher",
        "writing_paused",
    )

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.reader = StreamReader(READER_LIMIT, loop)
        super().__init__(self.reader, loop=loop)
        self.loop = loop
        self.transport: Transport = cast("Transport", None)  # set by connection_made, before anybody sees the stream
        self.base_transport: Transport = self.transport
        self.quiet = True
        self.eof = False
        self.lost = False
        self.truncated = False
        self.fault: Exception | None = None
        self.spoiled: str | None = None
        self.sendfile_works = True
        self.looked_up: float | None = None
        self.dialed: Dialed | None = None
        self.begun = 0.0
        self.exchanges = 0
        self.writing_paused = False
        self.watcher: Callable[[], object] | None = None
        self.on_spoiled: Callable[[Any], object] | None = None
        self.on_lost: Callable[[Any], object] | None = None
        self._shared = receive_buffer(loop)
        self._view = self._shared
        self._direct = False
        self._first_only = False
        self._missing = 0
        self._waiter: Future[None] | None = None
        self._timer = StreamTimer(loop, self._expired)
        self._poll: select.poll | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._released = False

    # -- called by the transport -------------------------------------------------------------------------------------

    def connection_made(self, transport: BaseTransport) -> None:
        """Start on ``transport``, which is also the one below TLS until ``base_transport`` is set to another."""
        super().connection_made(transport)
        self.transport = self.base_transport = cast("Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go: the receive buffer of the loop, or what is left of a direct destination."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Pass on the ``nbytes`` that the buffer of the last ``get_buffer`` now starts with."""
        timer = self._timer
        if timer.pace is not None:
            timer.pace.count(nbytes)
        if self._direct:
            self._view = self._view[nbytes:]
            if self._first_only or not self._view:
                self._end_direct()  # at once: more may arrive before the waiter runs, and belongs in the reader
                self.wake()
            elif timer.deadline is not None:
                timer.progress()
        elif self.quiet:
            self._spoil(BYTES_WHILE_IDLE)
        else:
            timer.heard = True
            self.reader.feed_data(self._shared[:nbytes])
            if self._waiter is not None or self.watcher is not None:
                self.wake()

    def data_received(self, data: bytes) -> None:
        """Pass on ``data``, from a loop to which a ``Protocol`` is never a ``BufferedProtocol`` too: uvloop."""
        if self._direct or self.quiet:
            feed(self, data)
        else:
            timer = self._timer
            timer.heard = True
            if timer.pace is not None:
                timer.pace.count(len(data))
            self.reader.feed_data(data)
            self.wake()

    def eof_received(self) -> bool:
        """Note that the peer is done. The transport closes itself: nobody answers a request after that."""
        self.eof = True
        self.reader.feed_eof()
        if self.quiet:
            self._spoil(PEER_CLOSED)
        self.wake()
        return self._released and self.transport is self.base_transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the transport is gone, and why; read what arrived before a reset."""
        self._end_direct()
        self.reader.release_transport()
        if exc is not None and not self.quiet and not self.eof and self.transport is self.base_transport:
            for data in salvage(self.transport):
                self.reader.feed_data(data)
        self.lost = True
        if self.fault is None:
            self.fault = exc
        self._timer.pace = None  # what a dead transport has not sent was not taken
        super().connection_lost(exc)
        if exc is not None:
            closed: Future[None] = self._closed  # type: ignore[attr-defined]  # what wait_closed() of a writer waits for
            if not closed.cancelled():
                closed.exception()  # seen: asyncio sees to that in __del__, whose turn may come after the future's
        self.wake()
        if self.watcher is not None:  # somebody else may have waited: who closes the stream
            self.watcher()
        self._timer.close()
        self._poll = None
        if self.spoiled is None:
            self.spoiled = LOST
            if self.quiet:
                self._tell_spoiled()
        self._tell_lost()

    def pause_writing(self) -> None:
        """Note that the transport holds more than it should."""
        super().pause_writing()
        self.writing_paused = True

    def resume_writing(self) -> None:
        """Let whoever waits for room go on."""
        super().resume_writing()
        self.writing_paused = False
        self.wake()

    # -- waiting -----------------------------------------------------------------------------------------------------

    @property
    def ended(self) -> bool:
        """True when no more bytes will come."""
        return self.eof or self.lost

    def wait(self, seconds: float | None, timeout: type[PhaseTimeout], metered: bool = True) -> Future[None]:
        """A future that is done at the next event of this stream; ``timeout`` is raised after ``seconds`` without one.

        Pass False as ``metered`` when what the peer takes meanwhile is not written through this stream, so that nobody
        here can count it.

        :raises ConcurrentUse: another task waits already
        :raises StallTimeout: in the waits of this exchange, this one included, the peer does not keep up the least rate
        """
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            raise ConcurrentUse("another task is already waiting on this connection")
        timer = self._timer
        if timeout is WriteTimeout:
            timer.unsent = self.unsent()
        timer.begin(seconds, timeout, metered)
        waiter = self._waiter = self.loop.create_future()
        return waiter

    def wake(self, *_: object) -> None:
        """Let whoever waits look at the stream again; also the done callback of what is waited for besides."""
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            timer = self._timer
            timer.deadline = None
            if timer.pace is not None:
                if timer.writes:
                    timer.took(self.unsent())
                timer.end()
            if not waiter.done():
                waiter.set_result(None)
        elif self.watcher is not None:
            self.watcher()

    def receive_into(self, view: memoryview, seconds: float | None, first_only: bool = False) -> Future[None]:
        """Let the transport fill ``view``.

        The future is done when it is full, at the end of the stream, or, with ``first_only``, at the first bytes.
        Nothing may be left in the reader. Call ``received_into`` when the future is done. ``seconds`` bound each
        silence, not the whole.
        """
        waiter = self.wait(seconds, ReadTimeout)
        self._view = view
        self._direct = True
        self._first_only = first_only
        return waiter

    def received_into(self) -> int:
        """End a direct reception; the number of bytes of ``view`` that were not filled."""
        self._end_direct()
        return self._missing

    def unsent(self) -> int:
        """Bytes that were written and not yet given to the kernel, above TLS and below it."""
        size = self.transport.get_write_buffer_size()
        return size if self.transport is self.base_transport else size + self.base_transport.get_write_buffer_size()

    def _expired(self, ceiling: float | None) -> None:
        waiter, timer = self._waiter, self._timer
        if waiter is None or waiter.done():
            if ceiling is None:
                if self.quiet:
                    self._spoil(EXPIRED)
            elif not self.ended:
                if self.fault is None:
                    self.fault = timer.overdue(ceiling)
                self.abort()
            return
        if ceiling is not None:
            error: PhaseTimeout | None = timer.overdue(ceiling)
        else:
            if timer.writes:
                timer.took(self.unsent())
            error = timer.verdict()
        if error is not None:
            self._waiter = None
            waiter.set_exception(error)

    # -- the end -----------------------------------------------------------------------------------------------------

    def abort(self) -> None:
        """Drop the connection now. The socket is closed in the next turn of the loop, see :meth:`aborted`."""
        self._end_direct()
        if self.spoiled is None:
            self.spoiled = ABORTED
        if self.fault is None and not self.quiet:
            self.fault = ConnectionAbortedError("the connection was closed by its owner in the middle of an exchange")
        if not self.lost:
            self.base_transport.abort()  # what is above it learns of that; asyncio's TLS must not be aborted twice

    def _end_direct(self) -> None:
        if self._direct:
            self._direct = False
            self._missing = len(self._view)
            self._view = self._shared

    def _spoil(self, reason: str) -> None:
        """Give an idle stream up: in this step it is known to be unusable, and its owner is told."""
        first = self.spoiled is None
        if first:
            self.spoiled = reason
        self.abort()
        if first:
            self._tell_spoiled()

    def _tell_spoiled(self) -> None:
        on_spoiled, self.on_spoiled = self.on_spoiled, None
        if on_spoiled is not None:
            on_spoiled(self)

    def _tell_lost(self) -> None:
        on_lost, self.on_lost, self.on_spoiled = self.on_lost, None, None
        if on_lost is not None:
            on_lost(self)
