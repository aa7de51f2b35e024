"""Taking the results of many requests: progress, what is told of them, and what the exit code is."""

from __future__ import annotations

import sys
from typing import IO, TYPE_CHECKING, Any, Final, cast

from .._redact import shown_text
from .._terminal import write_to
from ..errors import SinkError
from ._exits import FAILED, OK, LocalError, ReaderGone, told
from ._output import Output, stdout_file
from ._report import json_line
from ._results import Printed
from ._terminal import is_terminal, say

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from ..bulk import Crawl, Fetch, Progress, Result, Sink, Statistics

BAD_LINES: Final = 10
"""Lines that cannot be asked for, and are told; more are only counted."""


class Screen:
    """Stderr as progress sees it: until nobody is to be told any more.

    :param live: whether there may be something that is written over
    """

    def __init__(self, *, live: bool) -> None:
        self._file: IO[str] | None = sys.stderr
        self._live = live and is_terminal(self._file)
        self.closed = False

    def write(self, text: str) -> int:
        """Show ``text``."""
        if not self.closed:
            write_to(self._file, text)
        return len(text)

    def flush(self) -> None:
        """It was shown when it was written."""

    def isatty(self) -> bool:
        """Whether something may be written over."""
        return self._live


class Tally:
    """What decides about the exit code, and what is told of single items.

    :param fail: whether a status of 400 or above is a failure, too
    """

    def __init__(self, command: str, *, fail: bool) -> None:
        self._command = command
        self._fail = fail
        self._bad_lines = 0
        self.failed = 0

    def add(self, result: Result) -> None:
        """Count one."""
        from ..bulk import is_failure

        if is_failure(result) or (self._fail and not result.ok):
            self.failed += 1
        if result.request is None and result.error is not None:
            self._bad_lines += 1
            if self._bad_lines <= BAD_LINES:
                item: Any = result.item[0] if isinstance(result.item, tuple) else result.item
                why = shown_text(told(result.error))
                say(f"aiohttpclient {self._command}: {getattr(item, 'where', item)}: {why}")

    def end(self) -> None:
        """Tell how many were not told."""
        if self._bad_lines > BAD_LINES:
            say(f"aiohttpclient {self._command}: {self._bad_lines - BAD_LINES} more lines like this are not told")

    @property
    def code(self) -> int:
        """The exit code."""
        return FAILED if self.failed else OK


async def collect(
    args: Namespace, results: Fetch | Crawl, outlet: Sink | Printed, total: Callable[[], int | None], *, writes: bool
) -> int:
    """Take all ``results``, show how far it is, and tell what came of it; the exit code.

    :param total: how many there will be; None: nobody knows
    :param writes: whether they are to be written to ``outlet``, or it has them already
    :raises LocalError, SinkError: they cannot be kept
    :raises ReaderGone: nobody reads stdout any more
    """
    from ..bulk import Progress

    to_stdout = isinstance(outlet, Printed)
    screen = Screen(live=not (to_stdout and is_terminal(sys.stdout)))
    tally = Tally(args.command, fail=args.fail)
    file = None if args.quiet else cast("IO[str]", screen)
    progress: Progress[Result] = Progress(results, total=total, report=args.report, file=file, title=args.command)
    try:
        async with progress:
            try:
                await _keep(progress, outlet, tally, writes)
            except ReaderGone:
                screen.closed = True
                raise
            finally:
                tally.end()
    finally:
        if args.json and not to_stdout:
            await Output(stdout_file(), "stdout").write(json_line(summary_object(args, progress.statistics, tally)))
    return tally.code


async def _keep(progress: Progress[Result], outlet: Sink | Printed, tally: Tally, writes: bool) -> None:
    """Keep every result, also those that are there when it is interrupted."""

    async def take(result: Result) -> None:
        tally.add(result)
        if writes:
            await outlet.write(result)

    try:
        async for result in progress:
            await take(result)
        await outlet.flush()
    except (LocalError, SinkError, ReaderGone):
        raise
    except BaseException:
        if isinstance(outlet, Printed):
            outlet.hurry()
        await progress.aclose()
        for result in progress.take():
            await take(result)
        raise


def summary_object(args: Namespace, statistics: Statistics, tally: Tally) -> dict[str, Any]:
    """What ``--json`` says of a run whose results are kept elsewhere: seconds, bytes, and results a second."""
    latency = statistics.latency
    spread = zip(("p50", "p90", "p99"), latency.percentiles(0.5, 0.9, 0.99), strict=True)
    return {
        "output": args.output,
        "results": statistics.done,
        "failed": tally.failed,
        "bytes": statistics.bytes,
        "seconds": round(statistics.elapsed, 6),
        "rate": round(statistics.mean_per_second, 3),
        "hosts": statistics.hosts,
        "latency": {name: None if value is None else round(value, 6) for name, value in spread},
        "statuses": {str(status): number for status, number in sorted(statistics.statuses.items())},
        "errors": dict(sorted(statistics.errors.items())),
    }
