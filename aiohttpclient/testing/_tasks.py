"""Tasks that each have a socket that was accepted, and the end of all of them.

Theory of operation. A listener's owner starts a task for each socket, which closes it. At the end
:meth:`SocketTasks.stop` lets tasks come to their end that have all they wait for, cancels the others, and returns when
every socket is closed. What tasks raise is kept in ``failures``, also what they raise when they are cancelled.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Coroutine

SETTLE_TURNS: Final = 20
"""Turns of the loop that tasks get at the end, to come to theirs if they have all that they wait for."""

STUBBORN: Final = 5
"""How many times a task is cancelled, a second apart, before it is reported."""

CLOSE_TURNS: Final = 1000
"""Turns of the loop in which a transport that was aborted closes its socket; it takes two or three."""


class SocketTasks:
    """The tasks of those who listen; ``failures`` gets what they raise."""

    def __init__(self, failures: list[BaseException]) -> None:
        self.failures = failures
        self._tasks: dict[asyncio.Task[None], socket.socket] = {}

    def start(
        self, work: Coroutine[Any, Any, None], sock: socket.socket, name: str, ended: Callable[[], object]
    ) -> None:
        """Start ``work``, which closes ``sock``; ``ended`` is called when it has come to its end."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks[task] = sock
        task.add_done_callback(partial(self._ended, ended))

    def _ended(self, ended: Callable[[], object], task: asyncio.Task[None]) -> None:
        del self._tasks[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)
        ended()

    async def stop(self) -> None:
        """Let what can come to its end do so, cancel what cannot, and wait until all sockets are closed.

        Who is cancelled here does not wait, but leaves nothing all the same: all tasks are cancelled then.
        """
        try:
            await self._settle()
        except BaseException:
            for task in self._tasks:
                task.cancel()
            raise
        sockets = list(self._tasks.values())
        await self._cancel()
        for sock in sockets:
            await wait_closed(sock)

    async def _settle(self) -> None:
        for _ in range(SETTLE_TURNS):
            if not self._tasks:
                return
            await asyncio.sleep(0)

    async def _cancel(self) -> None:
        for _ in range(STUBBORN):
            for task in self._tasks:
                task.cancel()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=1)
            if not self._tasks:
                return
        for task in self._tasks:
            self.failures.append(RuntimeError(f"a handler does not end when it is cancelled: {task!r}"))


def peer_of(sock: socket.socket) -> Any:
    """The address of the other end; None if it is gone again."""
    try:
        return sock.getpeername()
    except OSError:
        return None


async def wait_closed(sock: socket.socket) -> None:
    """Wait until a transport that was aborted, or closed with nothing left to send, has closed its socket."""
    for _ in range(CLOSE_TURNS):
        if sock.fileno() < 0:
            return
        await asyncio.sleep(0)


def too_many_files(error: OSError, name: str) -> OSError:
    """``error``, by which a connection could not be accepted, with what can be done."""
    error.add_note(f"{name} cannot accept: where too many files are open, raise the bound (`ulimit -n`).")
    return error
