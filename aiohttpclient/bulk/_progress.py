"""Showing how far a fetch or a crawl is, and what came of it: around the results, while somebody else takes them."""

from __future__ import annotations

import asyncio
import errno
import os
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from .._files import replaceable
from .._sentinels import DEFAULT
from .._terminal import harmless, write_to
from .._threads import in_thread
from ._progress_lines import Lines
from ._progress_rich import Frames, terminal
from ._report import write_report
from ._result import Result
from ._statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType
    from typing import Self

    from .._sentinels import Default

R_co = TypeVar("R_co", bound=Result, covariant=True)


class Results(Protocol[R_co]):
    """What gives results, and can be closed: a :class:`Fetch`, a crawl, an async generator of one's own."""

    def __anext__(self) -> Awaitable[R_co]:
        """The next."""

    def aclose(self) -> Awaitable[Any]:
        """No more are wanted."""


class Display(Protocol):
    """Where progress is shown. ``interval``: seconds until the next frame."""

    interval: float

    def begin(self, statistics: Statistics, total: int | None) -> None:
        """Once, before all else."""

    def show(self, statistics: Statistics, total: int | None) -> None:
        """Now and then."""

    def end(self, text: str) -> None:
        """Once, at the end; ``text`` is what remains."""


class Progress(Generic[R_co]):
    """Gives the results of a fetch, or of a crawl, and shows how far it is.

    ::

        async with bulk.Progress(bulk.fetch(urls, client=client), total=len(urls), report="report.html") as results:
            async for result in results:
                ...

    On a terminal it is drawn by rich, where that is installed, and at most ten times a second; elsewhere a line is
    written each ten seconds. At the end there is a summary, however it ends. A result counts when it is given out.

    :param results: what gives them; it is closed at the end
    :param total: how many there will be: a number, or a function that tells it now, such as ``lambda: crawl.known``;
        None: nobody knows, and no time left is shown
    :param report: a path where a page about it is written at the end, see :func:`write_report`
    :param file: where it is shown; stderr, unless something else is said; None: nowhere
    :param title: what is being done
    :param statistics: where results are counted, if they are to be counted together with those of others before it
    :raises TypeError: ``total`` is something else
    :raises OSError: when it is entered: there can be no report at ``report``

    ``statistics`` (:class:`Statistics`) has the numbers.
    """

    def __init__(
        self,
        results: Results[R_co],
        *,
        total: int | Callable[[], int | None] | None = None,
        report: str | os.PathLike[str] | None = None,
        file: IO[str] | Default | None = DEFAULT,
        title: str = "fetch",
        statistics: Statistics | None = None,
    ) -> None:
        if total is not None and not callable(total) and (isinstance(total, bool) or not isinstance(total, int)):
            raise TypeError(f"total must be a number, a function or None, got {total!r}")
        self.statistics = Statistics() if statistics is None else statistics
        self.statistics.end()  # until the block is entered
        self._results = results
        self._total = total
        self._report = None if report is None else Path(report).absolute()  # whatever folder one is in by then
        self._file = file
        self._title = title
        self._display: Display | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._complete = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._results!r}: {self.statistics!r}>"

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R_co:
        """The next result.

        :raises RuntimeError: it was not entered: ``async with``
        """
        if self._display is None:
            raise RuntimeError("a Progress is shown inside its block: async with bulk.Progress(...) as results")
        try:
            result = await self._results.__anext__()
        except StopAsyncIteration:
            self._complete = True
            raise
        self.statistics.add(result)
        return result

    def take(self) -> list[R_co]:
        """The results that are there already, without waiting, where they come from something that has ``take``."""
        take: Callable[[], list[R_co]] | None = getattr(self._results, "take", None)
        taken = [] if take is None else take()
        for result in taken:
            self.statistics.add(result)
        return taken

    async def aclose(self) -> None:
        """Close what gives the results. The summary comes at the end of the block."""
        await self._results.aclose()

    async def __aenter__(self) -> Self:
        if self._report is not None:
            check_place(self._report)
        file = self._shown_at()
        console = terminal(file)
        display: Display = Lines(file, self._title) if console is None else Frames(console, self._title)
        self._display = display
        self.statistics.go_on()
        display.begin(self.statistics, self._now_total())
        self._arm(display)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self._results.aclose()
        except BaseException as failure:
            await self._end(failure)
            raise
        await self._end(error)

    async def _end(self, error: BaseException | None) -> None:
        display = self._display
        assert display is not None
        if self._timer is not None:
            self._timer.cancel()
        self.statistics.end()
        how = self._how(error)
        display.end(f"{f'{how}: ' if how else ''}{self.statistics.summary()}")
        if self._report is not None:
            await self._write(self._report, error, how)

    async def _write(self, path: Path, error: BaseException | None, how: str) -> None:
        """Write the report. That it cannot be written is an error, unless there is one already."""
        try:
            await in_thread(lambda: write_report(path, self.statistics, self._title, note=how[:1].upper() + how[1:]))
        except OSError as failure:
            if error is None:
                raise
            write_to(self._shown_at(), harmless(f"the report was not written: {failure}") + "\n")

    def _shown_at(self) -> IO[str] | None:
        return sys.stderr if self._file is DEFAULT else self._file

    def _how(self, error: BaseException | None) -> str:
        """How it ended, if not as it should."""
        if isinstance(error, (asyncio.CancelledError, KeyboardInterrupt)):
            return "interrupted"
        if error is not None and not isinstance(error, GeneratorExit):
            return harmless(f"ended by {type(error).__name__}")
        return "" if self._complete or self.statistics.done == self._total else "left early"

    def _arm(self, display: Display) -> None:
        self._timer = asyncio.get_running_loop().call_later(display.interval, self._tick, display)

    def _tick(self, display: Display) -> None:
        display.show(self.statistics, self._now_total())
        self._arm(display)

    def _now_total(self) -> int | None:
        return self._total() if callable(self._total) else self._total


def check_place(path: Path) -> None:
    """Say now what would be said when hours of work are done.

    :raises OSError: no file can be written to ``path``
    """
    replaceable(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path.parent))
