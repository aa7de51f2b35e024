"""An event loop on which time passes at once when there is nothing else to do: its selector moves the clock."""

from __future__ import annotations

import asyncio
import contextlib
import math
import selectors
import sys
import time
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

RESOLUTION = time.get_clock_info("monotonic").resolution
"""Seconds. A timer is due when its time is less than that of the loop with this added, by which a float of half a year
does not change."""

LISTED = 10
"""Tasks that an error names at most."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop of asyncio on which no time is waited for: when nothing else is to be done, the next timer is due.

    Its ``time()`` begins at 0.0, and stands still while anything runs.

    ::

        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(main())

    What sockets have to say by then is heard before time jumps, but nobody waits for more: a kernel, a thread or
    another process that takes its time comes too late. Within ``real_io()`` it does not, since real time passes there.
    What was given to an executor is waited for anyway. Connections in memory (:class:`MemoryDialer`) never take time.

    Where there is no timer, no socket, no other thread and no signal that is handled, whoever waits would wait for
    ever: what runs the loop then raises a RuntimeError that says who that is.
    """

    def __init__(self) -> None:
        self._virtual_now = 0.0
        self._real_io = 0
        selector = _JumpingSelector(self)
        super().__init__(selector)
        self._own_files = len(selector.get_map())  # by which other threads, and signals, wake it

    def time(self) -> float:
        """The virtual time, in seconds."""
        return self._virtual_now

    @contextlib.contextmanager
    def real_io(self) -> Iterator[None]:
        """As long as the block runs, the loop sleeps as others do, and its clock moves by what that takes."""
        self._real_io += 1
        try:
            yield
        finally:
            self._real_io -= 1

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> Future[T]:
        """As that of every loop; no time is jumped over until ``func`` has returned."""
        future = super().run_in_executor(executor, func, *args)
        self._real_io += 1
        future.add_done_callback(self._executed)
        return future

    async def shutdown_default_executor(self, *args: Any) -> None:
        """As that of every loop; in real time."""
        with self.real_io():
            await super().shutdown_default_executor(*args)

    def _check_awaited(self, files: int) -> None:
        """Nothing is to be done and no time waited for: see whether anything can change that.

        :param files: at which the loop looks
        :raises RuntimeError: nothing can
        """
        threads = len(sys._current_frames())  # noqa: SLF001  # those that threading does not know are here, too
        signals = getattr(self, "_signal_handlers", None)  # which there are not on Windows
        if files > self._own_files or threads > 1 or signals or self._real_io:
            return
        tasks = sorted(map(repr, asyncio.all_tasks(self)))
        if len(tasks) > LISTED:
            tasks[LISTED:] = [f"{len(tasks) - LISTED} others"]
        names = ", ".join(tasks) or "no tasks"
        raise RuntimeError(f"nothing is going to happen, whatever the time, and there wait: {names}")

    def _executed(self, _: object) -> None:
        self._real_io -= 1

    def _pass_time(self, seconds: float, sleep: Callable[[float], list[Any]]) -> list[Any]:
        """Nothing is to be done for ``seconds``: let them pass, or ``sleep`` for as long; what came meanwhile."""
        found: list[Any] = []
        if self._real_io:
            started = time.monotonic()
            if found := sleep(seconds):
                seconds = min(time.monotonic() - started, seconds)
        self._virtual_now += seconds
        if self._virtual_now + RESOLUTION == self._virtual_now:
            self._virtual_now = math.nextafter(self._virtual_now, math.inf)
        return found


class _JumpingSelector(selectors.DefaultSelector):
    """Looks, and does not sleep."""

    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._pass_time = loop._pass_time  # noqa: SLF001  # which is made of it
        self._check_awaited = loop._check_awaited  # noqa: SLF001  # likewise

    def select(self, timeout: float | None = None) -> list[Any]:
        """What is ready. Where there is nothing, and no timer either, only another thread or a peer can change that."""
        found = super().select(0)
        if found or (timeout is not None and timeout <= 0):
            return found
        if timeout is None:
            self._check_awaited(len(self.get_map()))
            return super().select(None)
        return self._pass_time(timeout, super().select)
