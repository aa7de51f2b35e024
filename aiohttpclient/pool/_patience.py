"""The end of waiting: one timer for all who wait in a pool, not one for each."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle

    from ._book import Waiter


class Patience:
    """Wakes waiters whose time is over, without anything for them.

    Waiters come one after another and mostly have the same limit, so their time is over in that order too: they stand
    in one queue, and the timer looks at its head. Whoever has less time than the last in the queue gets a timer of its
    own. Who has been served meanwhile is passed over when it comes to the head.
    """

    __slots__ = ("_loop", "_queue", "_timer")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: deque[Waiter] = deque()
        self._timer: TimerHandle | None = None

    def add(self, waiter: Waiter, deadline: float, waiting: int) -> TimerHandle | None:
        """Wake ``waiter`` at ``deadline``, a time of the loop; its own timer, to be cancelled, if it needed one.

        ``waiting`` is how many wait, this one included: more than twice as many in the queue is too many.
        """
        queue = self._queue
        while queue and queue[0].future.done():
            queue.popleft()
        if len(queue) > 2 * waiting:
            queue = self._queue = deque(one for one in queue if not one.future.done())
        if self._timer is not None and not queue:  # it was for somebody who may have had far more time
            self._timer.cancel()
            self._timer = None
        if queue and deadline < queue[-1].deadline:
            return self._loop.call_at(deadline, wake, waiter)
        waiter.deadline = deadline
        queue.append(waiter)
        if self._timer is None:
            self._timer = self._loop.call_at(deadline, self._look)
        return None

    def close(self) -> None:
        """Forget everybody; nobody waits any more."""
        self._queue.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        queue, now = self._queue, self._loop.time()
        while queue and (queue[0].future.done() or queue[0].deadline <= now):
            wake(queue.popleft())
        self._timer = self._loop.call_at(queue[0].deadline, self._look) if queue else None


def wake(waiter: Waiter) -> None:
    """Let ``waiter`` go on, with a slot or without; one that has given up in this very tick has been woken already."""
    if not waiter.future.done():
        waiter.future.set_result(None)
