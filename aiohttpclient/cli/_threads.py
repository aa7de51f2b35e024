"""Reading and writing that may wait for a person, or another program: in threads that nobody has to wait for.

A thread of an executor is joined when the loop and the process end. One that waits for stdin, or for whoever reads
stdout, would keep the process alive after Ctrl-C; a daemon does not.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


async def in_daemon(function: Callable[..., T], *args: object) -> T:
    """``function(*args)``, in a thread of its own. Cancelled, it is left to itself."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if not future.done():
            if error is None:
                future.set_result(result)  # type: ignore[arg-type]  # it is T where there is no error
            else:
                future.set_exception(error)

    def run() -> None:
        result, error = None, None
        try:
            result = function(*args)
        except BaseException as raised:  # noqa: BLE001  # it is raised again where it is awaited
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="aiohttpclient-cli", daemon=True).start()
    return await future
