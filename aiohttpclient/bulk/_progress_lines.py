"""Progress where nobody looks at it now: a line now and then, as a log has them."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final

from .._terminal import clock_text, harmless, write_to
from ._progress_text import BETWEEN, counts, latencies, share, time_left

if TYPE_CHECKING:
    from ._statistics import Statistics

BETWEEN_LINES: Final = 10.0
"""Seconds between two lines: enough to see that it goes on, few enough to read."""


class Lines:
    """Writes lines to ``file``; where it cannot be written to, nothing happens."""

    interval = BETWEEN_LINES

    def __init__(self, file: IO[str] | None, title: str) -> None:
        self._file = file
        self._title = harmless(title)

    def begin(self, statistics: Statistics, total: int | None) -> None:
        """It begins: there is nothing to tell yet."""

    def show(self, statistics: Statistics, total: int | None) -> None:
        """How far it is."""
        done = share(statistics, total)
        pieces = [self._title, clock_text(statistics.elapsed), *counts(statistics, total), *latencies(statistics)]
        if done is not None:
            pieces += [f"{int(100 * done)} %", time_left(statistics, total)]
        write_to(self._file, f"{harmless(BETWEEN.join(pieces))}\n")

    def end(self, text: str) -> None:
        """It is over; ``text`` is what remains."""
        write_to(self._file, f"{text}\n")
