"""Waiting in line."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque


class Line:
    """Tasks that wait for something to happen, first come, first served.

    Whoever is woken looks whether it is there: somebody who did not wait may have taken it. One that is cancelled in
    the tick in which it is woken wakes the next, so that nothing lies there while others wait for it.
    """

    __slots__ = ("_waiters",)

    def __init__(self) -> None:
        self._waiters: deque[asyncio.Future[None]] = deque()

    def __len__(self) -> int:
        return len(self._waiters)

    async def wait(self) -> None:
        """Return when it is this task's turn to look."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                self.wake()
            else:
                with contextlib.suppress(ValueError):
                    self._waiters.remove(waiter)
            raise

    def wake(self) -> None:
        """Let the first one look."""
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def wake_all(self) -> None:
        """Let everybody look."""
        while self._waiters:
            self.wake()
