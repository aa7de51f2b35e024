"""The event loop of a command."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from ._exits import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


def run(work: Callable[[], Coroutine[Any, Any, T]], *, fast: bool = False) -> T:
    """What ``work`` gives, in a loop of its own; ``fast``: of uvloop.

    :raises UsageError: uvloop is not installed
    """
    factory = None
    if fast:
        try:
            import uvloop
        except ImportError:
            raise UsageError("--uvloop: it is not installed here (the extra 'speed')") from None
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work())
