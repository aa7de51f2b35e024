"""One byte stream between a connection and its peer, exchange after exchange: it begins, rests, is looked at, and ends.

Theory of operation
-------------------
An exchange begins with ``allow``, which sets the bounds of all its waits, and is over with ``rest``. In between the
stream is as ``_receiving`` describes it; in the middle of a transfer the waits are *metered*: their time, and the bytes
that come, must add up to a least rate. A small response needs one wait, before its first byte, and never gets there.

At rest the stream is *quiet*. What comes then spoils it, and so does its age (``expire_in``). The loop may have had no
time to deliver what has come; so the kernel is asked, too, before the next exchange (``is_clean``, ``check_quiet``).

This file knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
import select
from asyncio import get_running_loop
from typing import TYPE_CHECKING

from ..errors import ReadTimeout
from ._receiving import PEER_CLOSED, STAYS_READABLE, SURPLUS, ReceivingProtocol
from ._transport import turns_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._dialer import Marks

QUIET_TURNS = 8
"""Turns of the loop in which a readable socket may turn out to carry nothing for us (TLS session tickets, key updates).
"""


class StreamProtocol(ReceivingProtocol):
    """One connected byte stream. Made by the dialer; dead once ``lost``.

    ``on_spoiled`` is called with the stream in the step in which it is spoiled while idle: by bytes, by the end, by its
    loss, or by its age. It is not called for what ``rest`` finds, nor for what ``shut`` and ``abort`` do, since their
    callers know. ``on_lost`` is called when the transport is gone, for whatever reason, or given away by ``release``.
    Each is called once, and let go. ``watcher`` is called, as long as it is there, when there is something new that
    nobody waits for: bytes, the end, or room to write.

    For whoever wants to know what took how long: ``looked_up`` (seconds, set by the dialer), ``dialed`` (set by the
    connection), how many ``exchanges`` were begun, and the times of the loop at which a body was begun to be sent
    (``begun``), and at which everything was sent and the wait for an answer began (``awaited``).
    """

    __slots__ = ()

    on_spoiled: Callable[[StreamProtocol], object] | None
    on_lost: Callable[[StreamProtocol], object] | None

    # -- an exchange -------------------------------------------------------------------------------------------------

    def allow(self, deadline: float | None, total: float | None, min_rate: tuple[float, float] | None) -> None:
        """Begin an exchange, once the stream is at rest, with bounds that hold until it rests again.

        :param deadline: the time of the loop at which ``TotalTimeout`` ends the exchange. Whoever waits then gets it
            raised; when nobody does, the stream is aborted with it as ``fault``, for the next read to find
        :param total: the limit (seconds) that ``deadline`` came from, for the error
        :param min_rate: (bytes a second, seconds of waiting): what the peer must send or take in the middle of a
            transfer, that is, while the request is being sent, and after the first byte of the response
        """
        self.quiet = False
        self.exchanges += 1
        timer = self._timer
        timer.heard = False
        timer.rate = min_rate
        if deadline is not None:
            timer.total = total
            timer.ceiling = deadline
            if timer.due > deadline:
                timer.wake_by(deadline)

    def may_think(self) -> None:
        """What has come was whole, and not the answer yet: the wait for that is not the middle of a transfer."""
        self._timer.heard = False

    def rest(self) -> None:
        """Nothing more is expected until the next request; what is there already, or comes, spoils the stream.

        The caller looks at ``spoiled`` afterwards: ``on_spoiled`` is not called for what is found here.
        """
        self.quiet = True
        timer = self._timer  # lift(), written out
        timer.rate = timer.pace = timer.deadline = timer.ceiling = None
        if self.reader.buffered or self.eof or self.lost:
            if self.spoiled is None:
                self.spoiled = SURPLUS if self.reader.buffered else PEER_CLOSED
            self.abort()

    def expire_in(self, seconds: float) -> None:
        """Spoil a stream that came to rest with ``EXPIRED`` after ``seconds``, unless an exchange begins before."""
        if self.spoiled is None:
            timer = self._timer
            timer.deadline = deadline = timer.time() + seconds
            if timer.due > deadline:
                timer.wake_by(deadline)

    @property
    def awaited(self) -> float:
        """The time of the loop at which the last wait, or its last silence, began."""
        return self._timer.started

    @property
    def marks(self) -> Marks:
        """From which it follows what took how long, for whoever asks as soon as an answer is there."""
        return self.dialed, self.exchanges == 1, self.begun, self._timer.started

    # -- before the next one -----------------------------------------------------------------------------------------

    async def check_quiet(self) -> None:
        """Look whether anything arrived on an idle stream that the loop had no time to deliver; ``spoiled`` tells.

        One system call when there is nothing, and no wait.
        """
        for _ in range(QUIET_TURNS):
            if self.spoiled is not None or not self.readable():
                return
            await asyncio.sleep(0)
        if self.spoiled is None:
            self._spoil(STAYS_READABLE)

    def is_clean(self) -> bool:
        """True when a request may be written at once: nothing has arrived, and the stream is of the running loop."""
        if self.spoiled is not None or self.loop is not get_running_loop():
            return False
        poll = self._poll
        return not (self.readable() if poll is None else poll.poll(0))

    def readable(self) -> bool:
        """True when the kernel has something for us: bytes, an end of file or an error."""
        poll = self._poll
        if poll is None:
            sock = self.base_transport.get_extra_info("socket")
            if sock is None:  # a transport in memory, which may know
                return bool(self.base_transport.get_extra_info("readable"))
            if sock.fileno() < 0:  # closed under TLS, which is told in the next turn of the loop
                return True
            if not hasattr(select, "poll"):  # Windows
                return bool(select.select([sock], (), (), 0)[0])
            poll = self._poll = select.poll()
            poll.register(sock.fileno(), select.POLLIN)
        return bool(poll.poll(0))

    # -- giving it away, and closing it ------------------------------------------------------------------------------

    @property
    def writer(self) -> asyncio.StreamWriter:
        """The ``asyncio.StreamWriter`` of this stream, made when first wanted."""
        if self._writer is None:
            self._writer = asyncio.StreamWriter(self.transport, self, self.reader, self.loop)
        return self._writer

    def release(self) -> None:
        """Leave the stream to whoever has its reader and writer: from now on it behaves as asyncio's own do."""
        self.quiet = False
        self._released = True
        self._timer.lift()
        self._timer.close()
        self._tell_lost()

    def shut(self, reason: str) -> None:
        """Close after a complete exchange, without waiting; ``close`` and ``aborted`` wait for the end of it."""
        self.quiet = True
        self._timer.lift()
        if self.spoiled is None:
            self.spoiled = reason
        if self.unsent():
            self.abort()
        else:
            self._close_transports()

    @property
    def waited_for(self) -> bool:
        """True while a task waits on this stream."""
        return self._waiter is not None and not self._waiter.done()

    async def aborted(self, error: BaseException | None = None) -> None:
        """Abort, and return when the socket is closed, a few turns of the loop later.

        ``error`` is why, where that is an exception: after ``GeneratorExit`` nothing may be waited for any more.
        """
        self.abort()
        if not isinstance(error, GeneratorExit):
            await turns_until(lambda: self.lost)

    async def close(self, seconds: float) -> None:
        """Send what is still unsent, say goodbye (TLS ``close_notify``), close; abort after ``seconds``.

        The peer's own goodbye is not waited for: nothing that it could say is wanted any more (RFC 8446 section 6.1).
        """
        self._end_direct()
        self._timer.lift()
        self.quiet = False  # from now on an end of file is no surprise
        try:
            if not self.waited_for:
                self._close_transports()
                while not self.lost:
                    await self.wait(seconds, ReadTimeout)
        except ReadTimeout:
            pass  # what is unsent after so long will not be sent
        except BaseException as error:
            await self.aborted(error)
            raise
        await self.aborted()

    def _close_transports(self) -> None:
        """Close, each transport once: asyncio's TLS must not be closed twice.

        The one below TLS is closed only when it has nothing left to write; else TLS does that, after its goodbye.
        """
        if not (self.lost or self.transport.is_closing()):
            self.transport.close()
            if self.base_transport is not self.transport and not self.base_transport.get_write_buffer_size():
                self.base_transport.close()
