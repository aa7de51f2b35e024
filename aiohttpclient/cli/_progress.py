"""Progress on stderr: on a terminal one line that is written over, elsewhere a line now and then."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING, Final

from ._terminal import harmless, seconds_text, size_text, write

if TYPE_CHECKING:
    from collections.abc import Callable

BETWEEN_LINES: Final = 5.0
"""Seconds between two lines in a log: enough to see that it goes on, few enough to read."""

RATE_AFTER: Final = 0.2
"""Seconds before there is a rate to speak of."""


class Progress:
    """Called with the bytes that are there and those of the whole (None: not known).

    :param name: of the file
    :param live: a terminal, on which one line is written over
    :param clock: seconds
    """

    def __init__(self, name: str, *, live: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = harmless(name)
        self._live = live
        self._clock = clock
        self._begun: tuple[float, int] | None = None
        self._next = 0.0
        self._written = False

    def __call__(self, done: int, total: int | None) -> None:
        """Tell how far it is, if it is time to."""
        now = self._clock()
        if self._begun is None or done < self._begun[1]:  # the first time, or it has begun anew
            self._begun = (now, done)
            self._next = now + BETWEEN_LINES
        if self._live:
            columns = max(20, shutil.get_terminal_size().columns - 1)
            write(f"\r{self.line(done, total, now)[:columns]:<{columns}}")
            self._written = True
        elif now >= self._next:
            write(f"{self.line(done, total, now)}\n")
            self._next = now + BETWEEN_LINES

    def line(self, done: int, total: int | None, now: float) -> str:
        """How far it is: share, bytes, rate and the time that is left."""
        since, before = self._begun or (now, done)
        seconds = now - since
        rate = (done - before) / seconds if seconds >= RATE_AFTER else 0.0
        parts = [self._name]
        if total:
            parts += [f"{100 * done // total:3d} %", f"{size_text(done)} of {size_text(total)}"]
        else:
            parts.append(size_text(done))
        if rate:
            parts.append(f"{size_text(rate)}/s")
            if total is not None and done < total:
                parts.append(f"{seconds_text((total - done) / rate)} left")
        return "  ".join(parts)

    def end(self) -> None:
        """Take the line away that was written over, for others to write in its place."""
        if self._written:
            columns = max(20, shutil.get_terminal_size().columns - 1)
            write(f"\r{'':<{columns}}\r")
            self._written = False
