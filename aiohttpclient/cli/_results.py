"""Where the results of many requests go: to a sink, which keeps them, or to stdout, a line each."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .._redact import shown_text
from .._url import without_userinfo
from ._exits import LocalError, ReaderGone, UsageError, text_of
from ._output import Output, stdout_file
from ._terminal import harmless

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from ..bulk import Result, Sink

SUFFIXES: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
    ".parquet": "parquet",
}
"""What a file is whose name ends like this."""

FULL: Final = 64 * 1024
"""Bytes of lines that wait for whoever reads them: what a pipe takes at once on Linux."""

SOON: Final = 0.02
"""Seconds for which lines are gathered: not seen by people, and a thread is not begun for each line."""

LAST: Final = 1.0
"""Seconds that a command that is interrupted waits for somebody to read what is done."""


def format_of(args: Namespace) -> str | None:
    """What kind of sink is asked for; None: stdout.

    :raises UsageError: that is not said
    """
    if args.output in {None, "-"}:
        if args.format or (args.resume and getattr(args, "frontier", None) is None):
            raise UsageError(f"{'--resume' if args.resume else '--format'}: say of what, with -o OUT")
        return None
    kind = args.format or SUFFIXES.get(Path(args.output).suffix.lower())
    if args.output.endswith(("/", "\\")) and kind != "parquet" and not args.format:
        kind = "directory"
    if kind is None:
        raise UsageError(
            "-o: a name with .jsonl, .sqlite, .db or .parquet at its end, or / for a folder of files; or --format"
        )
    return str(kind)


def sink_of(args: Namespace) -> Sink | None:
    """The sink that is asked for; None: stdout.

    :raises UsageError: it cannot be meant
    """
    kind = format_of(args)
    if kind is None:
        return None
    from .. import bulk

    kinds: dict[str, Callable[..., Sink]] = {
        "jsonl": bulk.JSONLines,
        "sqlite": bulk.SQLite,
        "directory": bulk.Directory,
        "parquet": bulk.Parquet,
    }
    try:
        path = Path(args.output).absolute()
        if not path.parent.is_dir():
            raise UsageError(f"-o: there is no folder {path.parent}")
        return kinds[kind](path, resume=args.resume)
    except ValueError:
        raise UsageError("-o: a path cannot have a NUL in it") from None


def printed(args: Namespace) -> Printed:
    """Stdout.

    :raises LocalError: there is none
    """
    from .. import bulk

    return Printed(Output(stdout_file(), "stdout"), bulk.JSONLines.line if args.json else line_of)


class Printed:
    """Takes results like a sink, and writes each as a line; waits while whoever reads them is far behind."""

    def __init__(self, output: Output, line: Callable[[Result], bytes]) -> None:
        self._output = output
        self._line = line
        self._lines: list[bytes] = []
        self._size = 0
        self._job: asyncio.Task[None] | None = None
        self._waits = True

    done = failed = 0
    """Nothing is known of what was done before, as a sink does."""

    def pending(self, items: Any) -> Any:
        """All of them: nothing is known of what was done before."""
        return items

    async def write(self, result: Result) -> None:
        """Take ``result``, before anything is waited for.

        :raises LocalError: lines cannot be written
        :raises ReaderGone: nobody reads stdout any more
        """
        line = self._line(result)
        self._lines.append(line)
        self._size += len(line)
        if self._job is None:
            self._job = asyncio.ensure_future(self._write())
        if (self._size >= FULL and self._waits) or self._job.done():
            await self.flush()

    def hurry(self) -> None:
        """Wait for nobody any more, but for a moment in the end: it was interrupted."""
        self._waits = False

    async def flush(self) -> None:
        """Wait until everything was written.

        :raises LocalError, ReaderGone: it is not
        """
        if (job := self._job) is not None:
            await asyncio.wait((job,))
            job.result()

    async def _write(self) -> None:
        """Write what is gathered, until there is nothing; in a task, so that who gives up waiting tears no line."""
        while self._lines:
            if self._size < FULL:
                await asyncio.sleep(SOON)
            block, self._lines, self._size = b"".join(self._lines), [], 0
            await self._output.write(block)
        self._job = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, (LocalError, ReaderGone)):
            with contextlib.suppress(*([] if error is None else [Exception])):  # what has ended it has the say
                await asyncio.wait_for(self.flush(), None if error is None else LAST)
        if self._job is not None:
            self._job.cancel()


def line_of(result: Result) -> bytes:
    """Status, size, seconds and URL, with tabs between; of what has no answer the class of the error, and its text."""
    item: Any = result.item
    if result.request is not None:
        url = result.request.url_text
    else:
        url = without_userinfo(str(item[0] if isinstance(item, tuple) else item))
    if result.response is not None:
        cells = [str(result.response.status), str(len(result.response.content)), f"{result.elapsed:.3f}", url]
    else:
        assert result.error is not None
        cells = [type(result.error).__name__, "-", f"{result.elapsed:.3f}", url, shown_text(text_of(result.error))]
    text = "\t".join(harmless(cell.replace("\t", "\\t")) for cell in cells)
    return f"{text}\n".encode()
