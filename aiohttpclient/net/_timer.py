"""A timer that is armed once and re-armed lazily.

Arming asyncio's own timers costs a heap operation each time, and a request needs several. Here a deadline is a number:
moving it later, or taking it away, touches nothing else. The one ``TimerHandle`` looks at the number when it fires, and
goes back to sleep when the deadline has moved. Only a deadline earlier than the handle's time needs a new handle.

There are two numbers. ``deadline`` is that of the moment, and changes several times in an exchange. ``ceiling`` is that
of the whole, and stays; since the handle is never later than the ceiling, setting a deadline need not look at it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle
    from collections.abc import Callable


def clock_of(loop: AbstractEventLoop) -> Callable[[], float]:
    """What tells the time of ``loop``: without a detour, where that is the stock one, which asks ``time.monotonic``."""
    stock = getattr(loop.time, "__func__", None) is asyncio.BaseEventLoop.time
    return time.monotonic if stock else loop.time


class LazyTimer:
    """Calls ``expired`` once the deadline, or the ceiling, that was set last has passed, unless it was taken away.

    ``expired`` is called with the ceiling if that is what has passed, with None if it is the deadline. Either is taken
    away by assigning None; the handle stays where it is, since the next ``arm`` most likely finds it useful.
    ``started`` is the time at which ``arm`` was called last.
    """

    __slots__ = ("_expired", "_handle", "_when", "ceiling", "deadline", "loop", "started", "time")

    def __init__(self, loop: AbstractEventLoop, expired: Callable[[float | None], None]) -> None:
        self.loop = loop
        self.deadline: float | None = None
        self.ceiling: float | None = None
        self.started = 0.0
        self.time = clock_of(loop)
        self._expired = expired
        self._handle: TimerHandle | None = None
        self._when = 0.0

    def arm(self, seconds: float) -> None:
        """Expire ``seconds`` from now, instead of at the deadline that was set before."""
        self.started = now = self.time()
        self.deadline = deadline = now + seconds
        if self._handle is None or self._when > deadline:
            self._wake_by(deadline)

    def move(self, deadline: float) -> None:
        """Expire at ``deadline`` instead; what ``arm`` began goes on."""
        self.deadline = deadline
        self._wake_by(deadline)

    def cap(self, ceiling: float) -> None:
        """Expire at ``ceiling`` at the latest, whatever the deadline is or becomes."""
        self.ceiling = ceiling
        self._wake_by(ceiling)

    def close(self) -> None:
        """Give the handle back to the loop; the timer holds nothing alive after this."""
        self.deadline = self.ceiling = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _wake_by(self, when: float) -> None:
        if self._handle is not None:
            if self._when <= when:
                return
            self._handle.cancel()
        self._sleep(when)

    def _sleep(self, until: float) -> None:
        # The time is kept here, too: uvloop's handle for a time that is almost now has no when().
        self._when = until
        self._handle = self.loop.call_at(until, self._fire)

    def _fire(self) -> None:
        self._handle = None
        deadline, ceiling = self.deadline, self.ceiling
        if deadline is None or (ceiling is not None and ceiling <= deadline):
            if ceiling is None:
                return
            if self.time() < ceiling:
                self._sleep(ceiling)
                return
            self.deadline = self.ceiling = None
            self._expired(ceiling)
        elif self.time() < deadline:
            self._sleep(deadline)
        else:
            self.deadline = None
            if ceiling is not None:
                self._sleep(ceiling)  # before anything can arm a deadline beyond it
            self._expired(None)
