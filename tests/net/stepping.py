"""Cancel a coroutine at an exact suspension: the n-th time that it gives control back to the loop.

``sweep`` does it for every n, from the first suspension on, until the work completes undisturbed. Which suspension is
the n-th depends on the work alone, so a failure names a place and repeats itself.
"""

from __future__ import annotations

import asyncio
import types
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

MOST = 400
"""Suspensions of the longest work. Beyond that it waits for something that does not come."""


class Moment(Enum):
    """When the cancellation comes."""

    WAITING = "while it waits"
    """What is waited for has not happened yet."""
    WOKEN = "when it is woken"
    """It has happened, and the task was told to go on, but has not run yet: in the tick in which the data came."""
    AGAIN = "again and again"
    """While it waits, and at every wait of its cleaning up."""


class Ending(NamedTuple):
    """How one run ended."""

    number: int
    moment: Moment
    cancelled: bool

    def __str__(self) -> str:
        return f"cancelled at suspension {self.number}, {self.moment.value}"


def tasks_begin_at_once() -> bool:
    """Whether a task runs up to its first wait before ``create_task`` returns: what is done by then has no wait."""
    eager = getattr(asyncio, "eager_task_factory", None)  # from Python 3.12 on
    return eager is not None and asyncio.get_running_loop().get_task_factory() is eager


@types.coroutine
def _drive(work: Coroutine[Any, Any, Any], suspended: Callable[[Any], None]) -> Generator[Any, Any, Any]:
    """Await ``work``, and call ``suspended`` with what it waits for whenever it does."""
    throw: BaseException | None = None
    while True:
        try:
            waited = work.send(None) if throw is None else work.throw(throw)
        except StopIteration as stop:
            return stop.value
        suspended(waited)
        try:
            yield waited
            throw = None
        except BaseException as error:  # noqa: BLE001  # it is the work's
            throw = error


async def cancelled_at(
    number: int, moment: Moment, work: Coroutine[Any, Any, Any], ended: Callable[[Ending], None]
) -> Ending:
    """Run ``work`` and cancel this task at the given suspension.

    ``ended`` is called in the very step in which the work ends, before the task does.
    """
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    seen = 0

    def suspended(waited: Any) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            if moment is not Moment.WOKEN:
                task.cancel()
            elif waited is None:
                loop.call_soon(task.cancel)
            else:  # this callback is called before the one that wakes the task
                waited.add_done_callback(lambda _: task.cancel())
        elif seen > number and moment is Moment.AGAIN:
            task.cancel()

    try:
        await _drive(work, suspended)
    except asyncio.CancelledError:
        if seen < number:
            raise  # somebody else's
        ending = Ending(number, moment, cancelled=True)
    else:
        ending = Ending(number, moment, cancelled=False)
        assert seen < number, f"{ending}, and went on as if nothing had happened"
    ended(ending)
    return ending


async def disturbed_at(number: int, work: Coroutine[Any, Any, Any], disturb: Callable[[], None]) -> bool:
    """Run ``work``, and call ``disturb`` at the given suspension; whether it came to that."""
    seen = 0

    def suspended(_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == number:
            disturb()

    await _drive(work, suspended)
    return seen >= number


def abandoned_at(number: int, work: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, bool]:
    """Run ``work``, and close it at the given suspension, as the collector does with a coroutine that nobody awaits."""

    class Abandoned(Exception):
        pass

    def abandon() -> None:
        raise Abandoned

    async def run() -> bool:
        try:
            return await disturbed_at(number, work, abandon)
        except Abandoned:
            work.close()
            return True

    return run()


async def sweep(
    moment: Moment,
    make: Callable[[], Coroutine[Any, Any, Any]],
    *,
    ended: Callable[[Ending], None] = lambda _: None,
    after: Callable[[Ending], Coroutine[Any, Any, None]] | None = None,
) -> int:
    """Cancel at every suspension in turn, a new work and task each time; how many there are.

    ``ended`` looks at things in the step in which the work ends, ``after`` when its task has ended.
    """
    for number in range(1, MOST):
        task = asyncio.create_task(cancelled_at(number, moment, make(), ended), name=f"cancelled at {number}")
        await asyncio.wait([task])
        ending = task.result()
        if after is not None:
            await after(ending)
        if not ending.cancelled:
            return number - 1
    raise AssertionError(f"the work did not complete within {MOST} suspensions")
