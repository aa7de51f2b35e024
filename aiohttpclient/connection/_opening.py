"""The bound on opening a connection: ``asyncio.timeout`` without its two coroutines, which cost half of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..errors import ConnectTimeout, TotalTimeout
from ..net import alarms_of

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ..errors import PhaseTimeout
    from ..net import Alarm


class Opening:
    """Cancels the task that makes it after ``seconds`` (None: never), or when it is told to, until it is over.

    An exchange that must be over at ``ends``, a time of the loop which follows from a bound of ``total`` seconds, may
    do that sooner. ``deadline`` is the time of the loop at which it is done, ``expired`` tells that it was.

    :raises RuntimeError: there is no task
    """

    __slots__ = (
        "_alarm",
        "_before",
        "_ends",
        "_is_over",
        "_limit",
        "_started",
        "_task",
        "_total",
        "deadline",
        "expired",
        "loop",
    )

    def __init__(
        self, loop: AbstractEventLoop, seconds: float | None, ends: float | None = None, total: float | None = None
    ) -> None:
        task = asyncio.current_task(loop)
        if task is None:
            raise RuntimeError("a connection is opened in a task")
        self._task = task
        self._before = task.cancelling()
        self._is_over = False
        self.loop = loop
        self.expired = False
        self.deadline: float | None = None
        self._alarm: Alarm | None = None
        self._started = now = loop.time()
        self._limit = seconds
        self._ends = 0.0
        self._total: float | None = None
        if ends is not None:
            left = max(0.0, ends - now)
            if seconds is None or left <= seconds:
                seconds, self._ends, self._total = left, ends, total
        if seconds is not None:
            self.deadline = now + seconds
            self._alarm = alarms_of(loop).set(self.deadline, self._rings)

    def _rings(self) -> None:
        assert self.deadline is not None
        if self.loop.time() < self.deadline:  # an alarm may be early
            self._alarm = alarms_of(self.loop).set(self.deadline, self._rings)
        else:
            self.expire()

    def expire(self) -> None:
        """Cancel the task, unless that was done, or it is over."""
        if not (self.expired or self._is_over):
            self.expired = True
            self._task.cancel()

    def over(self, error: BaseException | None = None) -> bool:
        """It is over; whether ``error``, with which it ended, is the cancellation from here, and nobody else's too."""
        self._is_over = True
        if self._alarm is not None:
            self._alarm.release()
        # The request to cancel is taken back (asyncio.Task.uncancel), whatever became of it.
        return self.expired and self._task.uncancel() <= self._before and isinstance(error, asyncio.CancelledError)

    def timeout(self, url: str) -> PhaseTimeout:
        """What to say of opening a connection for ``url`` that was ended by the time."""
        now, total = self.loop.time(), self._total
        if total is not None:
            return TotalTimeout(total, now - self._ends + total, "CONNECT", url)
        return ConnectTimeout(self._limit or 0.0, now - self._started, "CONNECT", url)
