"""A timer that is armed once and re-armed lazily.

Arming asyncio's own timers costs a heap operation each time, and a request needs several. Here a deadline is a number:
moving it later, or taking it away, touches nothing else. The one ``TimerHandle`` looks at the number when it fires, and
goes back to sleep when the deadline has moved. Only a deadline earlier than the handle's time needs a new handle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle
    from collections.abc import Callable


class LazyTimer:
    """Calls ``expired()`` once the deadline set last has passed, unless it was taken away."""

    __slots__ = ("_expired", "_handle", "_time", "_when", "deadline", "loop", "started")

    def __init__(self, loop: AbstractEventLoop, expired: Callable[[], None]) -> None:
        self.loop = loop
        self.deadline: float | None = None
        self.started = 0.0
        self._time = loop.time
        self._expired = expired
        self._handle: TimerHandle | None = None
        self._when = 0.0

    def arm(self, seconds: float) -> None:
        """Expire ``seconds`` from now, instead of whatever was set before."""
        self.started = now = self._time()
        self.deadline = deadline = now + seconds
        if self._handle is None:
            self._sleep(deadline)
        elif self._when > deadline:
            self._handle.cancel()
            self._sleep(deadline)

    def disarm(self) -> None:
        """Do not expire. The handle stays where it is: the next ``arm`` most likely finds it useful."""
        self.deadline = None

    def close(self) -> None:
        """Give the handle back to the loop; the timer holds nothing alive after this."""
        self.deadline = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def elapsed(self) -> float:
        """Seconds since ``arm`` was called last."""
        return self._time() - self.started

    def _sleep(self, until: float) -> None:
        # The time is kept here, too: uvloop's handle for a time that is almost now has no when().
        self._when = until
        self._handle = self.loop.call_at(until, self._fire)

    def _fire(self) -> None:
        self._handle = None
        deadline = self.deadline
        if deadline is None:
            return
        if self._time() < deadline:
            self._sleep(deadline)
            return
        self.deadline = None
        self._expired()
