"""What a test leaves behind: errors that its loop swallowed, tasks, sockets and other file descriptors.

``tests/conftest.py`` puts a :class:`LeakWatch` around every test. In a test it is the fixture ``leak_watch``; a test
that provokes an error in the loop reads ``leak_watch.loop_errors`` and empties it.

Leaks are looked for twice. In the loop, when the test and its fixtures are done: whatever still runs or is still open
then was left behind, also if closing the loop would sweep it up. After the loop was closed, for what is not the loop's.
A garbage collection before the second look makes everything unreachable speak up, so that a ``ResourceWarning`` or an
error in ``__del__`` falls to the test that caused it.

Nothing here sleeps. Transports get the turns of the loop that closing takes, and not more: what needs real time to go
away is something that the test should have waited for.
"""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import traceback
import warnings
from typing import Any, NamedTuple

import pytest

SETTLE_TURNS = 20
"""Turns of the loop after a test. ``close()`` ends in ``connection_lost`` a turn later; TLS and servers take a few."""

_DESCRIPTORS = "/proc/self/fd"

_NOT_IN_REPORT = {"message", "exception", "source_traceback"}  # shown otherwise, or too long: a repr says "created at"


class Descriptor(NamedTuple):
    """An open file descriptor. ``target`` tells two uses of one number apart: a socket's holds its inode."""

    number: int
    target: str

    def describe(self) -> str:
        """The descriptor, and for a socket its two addresses."""
        names = " to ".join(str(name) for name in self.addresses())
        return f"descriptor {self.number} ({self.target}{names and ': '}{names})"

    def addresses(self) -> list[Any]:
        """The addresses of a socket, its own and its peer's; fewer when it is not connected or not a socket."""
        if not self.target.startswith("socket:"):
            return []
        with socket.socket(fileno=os.dup(self.number)) as sock:
            try:
                return [sock.getsockname(), sock.getpeername()]
            except OSError:  # not connected
                return [sock.getsockname()]


def open_descriptors(known: frozenset[Descriptor] = frozenset()) -> frozenset[Descriptor]:
    """The open descriptors of this process; none on a system that does not list them in ``/proc``.

    ``known`` are some that are open still: nobody has closed any of them since.
    """
    found = set(known)
    numbers = {str(one.number) for one in known}
    # Several times a test: `os` does it in a quarter of the time that `pathlib` takes.
    for name in os.listdir(_DESCRIPTORS) if os.path.isdir(_DESCRIPTORS) else ():  # noqa: PTH112, PTH208  # see above
        if name in numbers:
            continue
        try:
            target = os.readlink(f"{_DESCRIPTORS}/{name}")  # noqa: PTH115  # see above
        except FileNotFoundError:  # the descriptor that this very listing used
            continue
        # uvloop opens /dev/null anew when it likes, to have a descriptor in reserve.
        if target != "/dev/null":
            found.add(Descriptor(int(name), target))
    return frozenset(found)


def other_tasks() -> set[asyncio.Task[Any]]:
    """The unfinished tasks of the running loop, without the one that asks."""
    return asyncio.all_tasks() - {asyncio.current_task()}


class LeakWatch:
    """Remembers how things were, and lists what is left over: see the text at the top of this file."""

    def __init__(self) -> None:
        self.loop_errors: list[str] = []
        """What the loop's exception handler got, as text: an exception would keep its frames and their sockets."""
        self._leaks: list[str] = []
        self._before = open_descriptors()
        self._before_in_loop: frozenset[Descriptor] = frozenset()

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Watch ``loop``, which has done nothing yet."""
        loop.set_exception_handler(self._note)
        self._before_in_loop = open_descriptors(self._before)  # since then the loop was made, and nothing closed

    async def check_loop(self) -> None:
        """Look for tasks and descriptors that are left in the running loop, after the turns that closing takes."""
        for _ in range(SETTLE_TURNS):
            await asyncio.sleep(0)
            if not other_tasks() and not self._new_in_loop():
                return
        self._leaks += [f"task left running: {task!r}" for task in other_tasks()]
        self._leaks += [f"left open in the loop: {leak.describe()}" for leak in self._new_in_loop()]
        # uvloop warns about what it finds open when it is closed, and waits for ever if that warning is an error.
        warnings.simplefilter("ignore", ResourceWarning)

    def check_process(self) -> None:
        """Look for descriptors that are left once the loop is closed, and let every unreachable object complain."""
        gc.collect()
        self._leaks += [f"left open: {leak.describe()}" for leak in sorted(open_descriptors() - self._before)]

    def report(self) -> str:
        """Everything that was found, one finding a paragraph; empty when there was nothing."""
        return "\n".join([*(f"unhandled in the loop: {error}" for error in self.loop_errors), *self._leaks])

    def _new_in_loop(self) -> list[Descriptor]:
        # uvloop makes its pair of sockets for signals anew each time it runs. A pair of ours would be found in the end.
        return sorted(one for one in open_descriptors() - self._before_in_loop if one.addresses() != ["", ""])

    def _note(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        parts = {key: repr(value) for key, value in context.items() if key not in _NOT_IN_REPORT}
        error = context.get("exception")
        trace = "".join(traceback.format_exception(error)) if error is not None else ""
        self.loop_errors.append(
            "\n".join([str(context.get("message")), *map(": ".join, parts.items()), trace]).rstrip()
        )
        if isinstance(error, pytest.fail.Exception):
            # The time limit of the test, which uvloop takes for an error of a callback: nothing else ends the test now.
            for task in asyncio.all_tasks(loop):
                task.cancel()
