"""The event loop of a command."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ._exits import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")

PATIENCE: Final = 1.0
"""Seconds that a command has to end after a second Ctrl-C."""


def run(work: Callable[[], Coroutine[Any, Any, T]], *, fast: bool = False) -> T:
    """What ``work`` gives, in a loop of its own; ``fast``: of uvloop.

    After the first Ctrl-C it ends as it does when it is cancelled, which may take its time: results are written, and
    connections closed. The second is for who does not want to wait for that.

    :raises UsageError: uvloop is not installed
    :raises KeyboardInterrupt: Ctrl-C was pressed
    """
    runner, over = asyncio.Runner(loop_factory=_factory(fast)), False

    async def whole() -> T:
        nonlocal over
        try:
            return await work()
        finally:
            over = True

    waits = True
    try:
        return runner.run(whole())
    except KeyboardInterrupt:
        waits = over or _ends(runner.get_loop())
        raise
    finally:
        if waits:
            runner.close()


def _factory(fast: bool) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if not fast:
        return None
    try:
        import uvloop
    except ImportError:
        raise UsageError("--uvloop: it is not installed here (the extra 'speed')") from None
    return uvloop.new_event_loop


def _ends(loop: asyncio.AbstractEventLoop) -> bool:
    """Cancel what is left in ``loop``; whether it has ended. If not, nobody is told any more what becomes of it."""
    loop.set_exception_handler(lambda *_: None)
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    try:
        return not tasks or not loop.run_until_complete(asyncio.wait(tasks, timeout=PATIENCE))[1]
    except KeyboardInterrupt:
        return False
