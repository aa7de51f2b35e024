"""Work that blocks, in threads: begun, and waited for to its end also by whoever is cancelled meanwhile."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")


def start(work: Callable[..., _T], *arguments: Any) -> asyncio.Future[_T]:
    """Have ``work`` done in a thread."""
    return asyncio.get_running_loop().run_in_executor(None, work, *arguments)


async def in_thread(work: Callable[..., _T], *arguments: Any) -> _T:
    """What ``work`` gives, which is done in a thread, and to its end even when the caller is cancelled."""
    return await finished(start(work, *arguments))


async def finished(job: asyncio.Future[_T]) -> _T:
    """The result of ``job`` once it is done; the caller's cancellation waits until then, and hides the result."""
    cancelled: asyncio.CancelledError | None = None
    while not job.done():
        try:
            await asyncio.wait((job,))
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is None:
        return job.result()
    job.exception()  # so that nobody misses it
    raise cancelled
