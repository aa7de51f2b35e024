"""The bounds of a stream's waits: which there are, which of them ends a wait, and with what error.

* A *limit* bounds one silence, and belongs to a wait.
* The *total* bounds the exchange, whether anybody waits or not: the ceiling of the timer.
* The *rate* bounds what the peer takes to send, or to take, many bytes. It is metered only in the middle of a transfer:
  while a request waits for room, and once the first byte of a response has come. The wait before that byte is the
  limit's business. So a small response needs one wait, and costs no :class:`Pace`.

The stream says when a wait begins and ends, and what came. Time is read here, and nothing else of the world.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from ..errors import ReadTimeout, StallTimeout, TotalTimeout, WriteTimeout
from ._pace import Pace
from ._timer import LazyTimer

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from ..errors import PhaseTimeout


def nobody_listens(_ceiling: float | None) -> None:
    """What is called in place of a stream that is gone."""


class StreamTimer(LazyTimer):
    """The lazy timer of one stream.

    ``started`` is when the wait, or its last silence, began. ``heard`` is true once a byte of the response has come.
    ``pace`` is there once an exchange has been metered; then it wants to know every byte. ``total`` is the limit that
    the ceiling comes from. ``unsent`` is the number of bytes that the peer had not taken when that was last counted.
    """

    __slots__ = ("_limit", "_paced", "_timeout", "heard", "pace", "rate", "started", "total", "unsent")

    def __init__(self, loop: AbstractEventLoop, expired: Callable[[float | None], None]) -> None:
        super().__init__(loop, expired)
        self.started = 0.0
        self.heard = False
        self.pace: Pace | None = None
        self.unsent = 0
        self.rate: tuple[float, float] | None = None
        self._limit = inf
        self._timeout: type[PhaseTimeout] = ReadTimeout
        self._paced: type[PhaseTimeout] = ReadTimeout
        self.total: float | None = None

    def lift(self) -> None:
        """The exchange is over: nothing is bounded any more."""
        self.rate = self.pace = self.deadline = self.ceiling = None

    def close(self) -> None:
        """Bound nothing any more, for good: the stream, whose method was called, and this are no cycle then."""
        super().close()
        self._expired = nobody_listens

    # -- one wait ----------------------------------------------------------------------------------------------------

    def begin(self, limit: float | None, timeout: type[PhaseTimeout], metered: bool) -> None:
        """A wait begins, which ``limit`` bounds; ``metered`` is False if what comes meanwhile cannot be counted.

        :raises StallTimeout: a window has filled up by now, and with too little
        """
        if (self.heard or timeout is WriteTimeout) and self.rate is not None and metered:
            self._begin_metered(self.rate, limit, timeout)
        elif limit is not None:
            self._limit = limit
            self._timeout = timeout
            self.started = now = self.time()
            self.deadline = deadline = now + limit
            if self.due > deadline:
                self.wake_by(deadline)
        else:
            self.started = self.time()
            self.deadline = None

    def _begin_metered(self, rate: tuple[float, float], limit: float | None, timeout: type[PhaseTimeout]) -> None:
        now = self.started = self.time()
        pace = self.pace
        if pace is None or timeout is not self._paced:  # the request and the response have windows of their own
            pace = self.pace = Pace(*rate)
            self._paced = timeout
        elif pace.stalled(now):
            raise self._stall(pace, now)
        pace.resume(now)
        self._limit = inf if limit is None else limit
        self._timeout = timeout
        self.move(min(now + self._limit, pace.ends))

    def progress(self) -> None:
        """Bytes came in the middle of a wait that goes on: its silence begins anew."""
        self.started = now = self.time()
        self.move(min(now + self._limit, inf if self.pace is None else self.pace.ends))

    @property
    def writes(self) -> bool:
        """True when the wait is one for the peer to take bytes."""
        return self._timeout is WriteTimeout

    def took(self, unsent: int) -> None:
        """Of what the peer was to take ``unsent`` bytes are left. If they are fewer now, it is slow, but not silent."""
        if unsent < self.unsent:
            if self.pace is not None:
                self.pace.count(self.unsent - unsent)
            self.started = self.time()
        self.unsent = unsent

    def end(self) -> None:
        """The wait is over; without a pace, to take the deadline away is enough."""
        self.deadline = None
        if self.pace is not None:
            self.pace.pause(self.time())

    # -- the end of time ---------------------------------------------------------------------------------------------

    def verdict(self) -> PhaseTimeout | None:
        """The deadline has passed: what ends the wait; None, with a later deadline, when nothing does yet."""
        now, pace, limit = self.time(), self.pace, self._limit
        if now >= self.started + limit:
            error: PhaseTimeout = self._timeout(limit, now - self.started)
        elif pace is not None and pace.running and pace.stalled(now):
            error = self._stall(pace, now)
        else:
            self.move(min(self.started + limit, inf if pace is None else pace.ends))
            return None
        self.end()
        return error

    def overdue(self, ceiling: float) -> TotalTimeout:
        """The error for the ceiling that has passed."""
        total = self.total or 0.0
        return TotalTimeout(total, total + max(0.0, self.time() - ceiling))

    def _stall(self, pace: Pace, now: float) -> StallTimeout:
        return StallTimeout(pace.window, pace.window - pace.left(now), rate=pace.rate)
