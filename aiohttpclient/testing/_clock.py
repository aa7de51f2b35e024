"""Time that passes when a test says so.

The timers of the loop that runs are taken into our own hands, whatever kind of loop it is: ``time``, ``call_at`` and
``call_later`` are replaced on that one loop, and given back in the end. ``call_soon`` is replaced too, to be counted:
where nobody calls it any more, everybody waits.

Everything of this library that is bounded by seconds goes by the clock of its loop, and so by this one. What does not:
the dates of cookies and of ``Retry-After``, which are the world's; ``Attempt.elapsed`` and the budget of retries, which
are measured on ``time.monotonic``.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import itertools
import math
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..net import renew_alarms
from ._loop import RESOLUTION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

T = TypeVar("T")

QUIET_TURNS = 3
"""Turns of the loop in which nothing was begun, after which everybody is taken to wait for time: on the way of bytes
through a socket there may be one or two."""

MOST_TURNS = 10_000
"""Turns after which time passes all the same: somebody spins."""


class _Timer:
    """What ``call_at`` gives, in place of an ``asyncio.TimerHandle``."""

    def __init__(self, when: float, call: Callable[[], object], context: contextvars.Context) -> None:
        self._when = when
        self.call: Callable[[], object] | None = call
        self.context = context

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self.call = None

    def cancelled(self) -> bool:
        return self.call is None


class VirtualClock:
    """The clock of a loop for the time of a :func:`virtual_time` block. It stands still until it is told to move."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._now = self._origin = float(math.ceil(loop.time()))
        self._passed = 0.0
        self._timers: list[tuple[float, int, _Timer]] = []
        self._numbers = itertools.count()
        self._begun = 0
        self._call_soon = loop.call_soon

    def time(self) -> float:
        """The time of the loop, in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once: what is due is called on the way, in its order, and each at its time.

        Tasks that wait for it go on afterwards, when the caller waits itself. To let them go on in between, and set
        timers that are also due within these seconds, is what ``elapse`` is for.
        """
        end = self._after(seconds)
        while self._is_due(end):
            self._ring()
        self._now = max(self._now, end)

    async def elapse(self, seconds: float) -> None:
        """Let ``seconds`` pass as they would: at each time at which something is due, everybody goes on first."""
        end = self._after(seconds)
        await self.settle()
        while self._is_due(end):
            self._ring()
            await self.settle()
        self._now = max(self._now, end)

    async def until(self, work: Coroutine[Any, Any, T] | Awaitable[T]) -> T:
        """What comes of ``work``, while time passes as fast as everybody's waiting allows.

        If the caller is cancelled, so is ``work``.

        :raises RuntimeError: it waits for something that no time will bring
        """
        task = asyncio.ensure_future(work)
        try:
            while True:
                await self.settle(task.done)
                if task.done():
                    return task.result()
                if self._next_time() is None:
                    raise RuntimeError(f"nothing is going to happen, whatever the time, and not done is {task!r}")
                self._ring()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait([task])

    async def settle(self, done: Callable[[], object] = lambda: False) -> None:
        """Let everybody go on until they wait, for time or for what is not there yet; or until ``done()``."""
        quiet = 0
        for _ in range(MOST_TURNS):
            if quiet == QUIET_TURNS or done():
                break
            before = self._begun
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._begun == before + 1 else 0  # the one is this task

    # -- what the loop is given --------------------------------------------------------------------------------------

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """As that of the loop."""
        timer = _Timer(when, lambda: callback(*args), context or contextvars.copy_context())
        heapq.heappush(self._timers, (when, next(self._numbers), timer))
        return cast("asyncio.TimerHandle", timer)

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """As that of the loop."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        """That of the loop, counted."""
        self._begun += 1
        return self._call_soon(callback, *args, context=context)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _after(self, seconds: float) -> float:
        """The time when ``seconds`` more will have passed. The sum of many is as exact as if it were one."""
        if not seconds >= 0:
            raise ValueError(f"time does not go back: {seconds!r}")
        if abs(self._origin + self._passed - self._now) > _rounding(self._now):  # a timer has moved the clock
            self._origin, self._passed = self._now, 0.0
        self._passed += seconds
        return self._origin + self._passed

    def _is_due(self, end: float) -> bool:
        when = self._next_time()
        return when is not None and when <= end + _rounding(end)

    def _next_time(self) -> float | None:
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def _ring(self) -> None:
        """Move to the time of the next timer, and call all that is due then, before anybody goes on, as a loop does."""
        self._now = max(self._now, self._timers[0][0])
        due = []
        while self._timers and self._timers[0][0] <= self._now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:
            self._call(timer)

    def _call(self, timer: _Timer) -> None:
        call, timer.call = timer.call, None
        if call is None:
            return
        try:
            timer.context.run(call)
        except Exception as error:  # noqa: BLE001  # what a loop does with it
            context = {"message": f"Exception in callback {call!r}", "exception": error}
            self._loop.call_exception_handler(context)

    def _hand_back(self) -> None:
        """What is still to come comes in real time."""
        for when, _, timer in sorted(self._timers, key=lambda entry: entry[:2]):
            if timer.call is not None:
                self._loop.call_later(when - self._now, _if_wanted, timer, context=timer.context)
        self._timers.clear()


def _rounding(when: float) -> float:
    """Seconds by which two sums of the same seconds may differ about ``when``."""
    return max(RESOLUTION, 4 * math.ulp(when))


def _if_wanted(timer: _Timer) -> None:
    if timer.call is not None:
        timer.call()


@contextlib.contextmanager
def virtual_time() -> Iterator[VirtualClock]:
    """The running loop's timers go by the clock that this gives, as long as the block runs; sockets work as ever.

    ::

        with virtual_time() as clock:
            task = asyncio.create_task(client.get(url))
            await clock.elapse(300)  # five minutes, in which nobody answers

    Make clients and pools within the block, and close them there: what was there before goes by the time of before.
    A timer that is left when the block ends comes after what was left of its time, as real time.

    :raises RuntimeError: there is no running loop, or its clock was replaced already
    """
    loop = asyncio.get_running_loop()
    if "time" in vars(loop):
        raise RuntimeError("the loop goes by another clock than its own already: use that one")
    clock = VirtualClock(loop)
    taken = ("time", "call_at", "call_later", "call_soon")
    slow = loop.slow_callback_duration
    loop.slow_callback_duration = math.inf  # debug mode would wonder at who moves the clock
    renew_alarms(loop)
    for name in taken:
        setattr(loop, name, getattr(clock, name))
    try:
        yield clock
    finally:
        for name in taken:
            delattr(loop, name)
        loop.slow_callback_duration = slow
        renew_alarms(loop)
        clock._hand_back()  # noqa: SLF001  # a part of this
