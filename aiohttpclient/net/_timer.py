"""A timer that is armed once and re-armed lazily.

Arming asyncio's own timers costs a heap operation each time, and a request needs several. Here a deadline is a number:
moving it later, or taking it away, touches nothing else. The one :class:`Alarm` looks at the number when it rings, and
is set anew when the deadline has moved. Only a deadline earlier than the alarm's time needs a new one.

There are two numbers. ``deadline`` is that of the moment, and changes several times in an exchange. ``ceiling`` is that
of the whole, and stays; since the alarm is never later than the ceiling, setting a deadline need not look at it.
"""

from __future__ import annotations

import asyncio
import time
from math import inf
from typing import TYPE_CHECKING

from ._alarms import alarms_of

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable

    from ._alarms import Alarm


def clock_of(loop: AbstractEventLoop) -> Callable[[], float]:
    """What tells the time of ``loop``: without a detour, where that is the stock one, which asks ``time.monotonic``."""
    stock = getattr(loop.time, "__func__", None) is asyncio.BaseEventLoop.time
    return time.monotonic if stock else loop.time


class LazyTimer:
    """Calls ``expired`` once the deadline, or the ceiling, that was set last has passed, unless it was taken away.

    ``expired`` is called with the ceiling if that is what has passed, with None if it is the deadline. Either is set by
    assigning it, and calling ``wake_by`` where it is earlier than ``due``, the time of the alarm (``inf`` without
    one): a comparison in place of a call, since each request does this three times. Either is taken away by assigning
    None; the alarm stays, since the next deadline most likely finds it useful. ``time`` is the clock.
    """

    __slots__ = ("_alarm", "_alarms", "_expired", "ceiling", "deadline", "due", "loop", "time")

    def __init__(self, loop: AbstractEventLoop, expired: Callable[[float | None], None]) -> None:
        self.loop = loop
        self.deadline: float | None = None
        self.ceiling: float | None = None
        self.time = clock_of(loop)
        self._expired = expired
        self._alarms = alarms_of(loop)
        self._alarm: Alarm | None = None
        self.due = inf

    def move(self, deadline: float) -> None:
        """Expire at ``deadline`` instead of at the one that was set before."""
        self.deadline = deadline
        if self.due > deadline:
            self.wake_by(deadline)

    def close(self) -> None:
        """Leave the alarm to others; the timer holds nothing alive after this."""
        self.deadline = self.ceiling = None
        if self._alarm is not None:
            self._alarm.release()
            self._alarm = None
            self.due = inf

    def wake_by(self, when: float) -> None:
        """Look at the numbers at ``when``, which is earlier than ``due``."""
        if self._alarm is not None:
            self._alarm.cancel()
        alarm = self._alarm = self._alarms.set(when, self._fire)
        self.due = alarm.due

    def _fire(self) -> None:
        self._alarm = None
        self.due = inf
        deadline, ceiling = self.deadline, self.ceiling
        if deadline is None or (ceiling is not None and ceiling <= deadline):
            if ceiling is None:
                return
            if self.time() < ceiling:
                self.wake_by(ceiling)
                return
            self.deadline = self.ceiling = None
            self._expired(ceiling)
        elif self.time() < deadline:
            self.wake_by(deadline)
        else:
            self.deadline = None
            if ceiling is not None:
                self.wake_by(ceiling)  # before anything can arm a deadline beyond it
            self._expired(None)
