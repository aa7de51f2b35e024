"""Progress on a terminal: some lines that are written over, by rich. It is asked to, and starts no thread."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import IO, TYPE_CHECKING, Any, Final
from weakref import WeakSet

from .._terminal import harmless, is_terminal, write_to
from ._progress_above import Above
from ._progress_text import counts, latencies, reasons, rows, share, time_left

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._statistics import Statistics

BETWEEN_FRAMES: Final = 0.1
"""Seconds from one frame to the next, at least: who looks sees no more."""

SHARE: Final = 0.02
"""Of the time, that frames may take: also where a terminal is slow, the fetch goes on."""

LONGEST: Final = 2.0
"""Seconds from one frame to the next, however slow the terminal is: what was printed waits for it."""

NARROWEST_BAR: Final = 10
WIDEST_BAR: Final = 40
"""Columns; where there is less room than for the narrowest there is none."""


ON_SCREEN: Final[WeakSet[Frames]] = WeakSet()
"""What is shown now."""


def terminal(file: IO[str] | None) -> Any:
    """A rich console on ``file``; None: that is no terminal, or one that cannot do it, or there is no rich.

    There is one at a time: two that write over their own lines would write over those of the other.
    """
    if ON_SCREEN or not is_terminal(file):
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    console: Any = Console(file=file, markup=False, emoji=False, highlight=False)
    console.on_broken_pipe = _gone  # its own would put /dev/null in the place of stdout, and end the process
    console.show_cursor = _as_it_is  # a process that is killed cannot show again what was hidden
    return console if console.is_terminal and not console.is_dumb_terminal else None


def _gone() -> None:
    raise BrokenPipeError


def _as_it_is(*_: bool) -> bool:
    return False


class Frames:
    """Shows how far it is on ``console``, for as long as that can be written to.

    What others print meanwhile on the same terminal, by ``print`` for one, appears above it.
    """

    def __init__(self, console: Any, title: str) -> None:
        from rich.live import Live

        self._console = console
        self._frame = Frame(harmless(title))
        self._live: Any = Live(
            self._frame,
            console=console,
            auto_refresh=False,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._above = Above(self._printed, self._draw_all)
        self._lock = threading.RLock()
        self._drawn = 0.0
        self.interval = BETWEEN_FRAMES

    def begin(self, statistics: Statistics, total: int | None) -> None:
        """The first frame."""
        ON_SCREEN.add(self)
        self._above.stand_in(self._console.file)
        self._frame.set(statistics, total)
        try:
            self._live.start(refresh=True)
        except BaseException as error:
            self._give_up()
            if not isinstance(error, (OSError, ValueError)):  # which say that the terminal is gone
                raise

    def show(self, statistics: Statistics, total: int | None) -> None:
        """The next frame."""
        self._frame.set(statistics, total)
        began = time.perf_counter()
        self._draw(self._above.take())
        self._drawn = time.perf_counter()
        self.interval = min(max(BETWEEN_FRAMES, (self._drawn - began) / SHARE), LONGEST)

    def end(self, text: str) -> None:
        """Take the frame away, for ``text`` to stand in its place."""
        self._give_up()
        write_to(self._console.file, f"{text}\n")

    def _printed(self) -> None:
        if time.perf_counter() - self._drawn > 2 * self.interval:  # else there is a frame soon
            self._draw(self._above.take())

    def _draw_all(self) -> None:
        self._draw(self._above.take(unfinished=True))

    def _draw(self, text: str) -> None:
        """A frame, with ``text`` above it."""
        with self._lock:
            if self._live is None:
                write_to(self._console.file, text)
                return
            try:
                self._console.print(Printed(text), end="", crop=False)
            except (OSError, ValueError):  # the terminal is gone
                self._give_up()
            self._drawn = time.perf_counter()

    def _give_up(self) -> None:
        with self._lock:
            live, self._live = self._live, None
            ON_SCREEN.discard(self)
            text = self._above.step_aside()
            if live is not None:
                with contextlib.suppress(OSError, ValueError):
                    live.stop()
            if text:
                write_to(self._console.file, text)


class Printed:
    """What somebody has printed, as it was printed."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """The very characters."""
        from rich.segment import Segment

        if self._text:
            yield Segment(self._text)


class Frame:
    """What is to be seen at one moment; rich asks it for lines that fit."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._statistics: Statistics | None = None
        self._total: int | None = None

    def set(self, statistics: Statistics, total: int | None) -> None:
        """It is to show these."""
        self._statistics = statistics
        self._total = total

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        """A bar, how many, how long they took, and what went wrong."""
        from rich.text import Text

        width, statistics, total = options.max_width, self._statistics, self._total
        if statistics is None:
            return
        yield self._head(width, statistics, total)
        for pieces, style in (
            (counts(statistics, total), ""),
            (latencies(statistics), "dim"),
            (reasons(statistics), "red"),
        ):
            for row in rows(pieces, width):
                yield Text(harmless(row), style=style, no_wrap=True, overflow="ellipsis")

    def _head(self, width: int, statistics: Statistics, total: int | None) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        done, left = share(statistics, total), time_left(statistics, total)
        told = left if done is None else f"{int(100 * done):3d} %  {left}"
        room = width - len(self._title) - len(told) - 2
        grid = Table.grid(padding=(0, 1))
        cells: list[Any] = [Text(self._title, style="bold", no_wrap=True, overflow="ellipsis")]
        if room >= NARROWEST_BAR:
            whole = None if done is None else 1.0
            bar: dict[str, Any] = {"complete_style": "blue", "finished_style": "blue", "pulse_style": "blue"}
            cells.append(ProgressBar(whole, done or 0.0, width=min(room, WIDEST_BAR), pulse=done is None, **bar))
        cells.append(Text(told, no_wrap=True, overflow="ellipsis"))
        grid.add_row(*cells)
        return grid
