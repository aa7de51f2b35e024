"""What a program prints while lines on the same terminal are written over: it is kept, and shown above them.

It is shown with the next frame, so that a line costs no more than without progress: to draw a frame for each would take
as long as some requests. Where frames are late, because somebody keeps the loop busy, it is shown at once.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import IO, TYPE_CHECKING, Any, cast

from .._terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

NAMES = ("stdout", "stderr")


class Above:
    """Stands in the place of ``sys.stdout`` and ``sys.stderr`` where these are terminals.

    :param written: called when something was printed
    :param flushed: called when it is to be shown at once
    """

    def __init__(self, written: Callable[[], None], flushed: Callable[[], None]) -> None:
        self._written = written
        self._flushed = flushed
        self._lock = threading.Lock()
        self._text: list[str] = []
        self._streams: dict[str, Stream] = {}

    def stand_in(self, terminal: IO[str]) -> None:
        """Begin; what goes to a file, a pipe or another terminal is left alone, as it must not end on this one."""
        for name in NAMES:
            stream: TextIO | None = getattr(sys, name)
            if stream is not None and is_terminal(stream) and _same(stream, terminal):
                self._streams[name] = Stream(stream, self)
                setattr(sys, name, cast("TextIO", self._streams[name]))

    def step_aside(self) -> str:
        """End, and put back what was there; what was printed and not shown yet."""
        for name, stream in self._streams.items():
            stream.above = None  # somebody may have kept it
            if getattr(sys, name) is stream:
                setattr(sys, name, stream.file)
        return self.take(unfinished=True)

    def take(self, *, unfinished: bool = False) -> str:
        """What was printed since the last time, in whole lines; with ``unfinished`` one that has no end gets one."""
        with self._lock:
            text = "".join(self._text)
            lines, end, rest = text.rpartition("\n")
            self._text = [rest] if rest and not unfinished else []
        if unfinished and rest:
            return f"{text}\n"
        return lines + end

    def write(self, text: str) -> None:
        """Keep ``text``."""
        with self._lock:
            self._text.append(text)
        if "\n" in text:
            self._written()

    def flush(self) -> None:
        """Show what there is."""
        if self._text:
            self._flushed()


def _same(one: IO[str], other: IO[str]) -> bool:
    """Whether both are the same terminal, as far as can be told."""
    try:
        return os.fstat(one.fileno()).st_rdev == os.fstat(other.fileno()).st_rdev
    except (OSError, ValueError, AttributeError):  # no file of the system
        return True


class Stream:
    """What ``print`` writes to in the meantime: as ``file``, but that text goes to ``above`` while there is one."""

    def __init__(self, file: IO[str], above: Above) -> None:
        self.file = file
        self.above: Above | None = above

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)

    def write(self, text: str) -> int:
        """As that of a text file."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.above is None:
            return self.file.write(text)
        self.above.write(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """As that of a text file."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """As that of a text file."""
        if self.above is None:
            self.file.flush()
        else:
            self.above.flush()
