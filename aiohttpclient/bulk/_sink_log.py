"""A file of lines that only grows, and of which a kill tears the last line at most.

Theory of operation. Lines are appended many at a time, and are safe when ``append`` has returned: it ends with
``fsync``. Where it fails the file is cut to where it was. A process that is killed may leave the beginning of a line,
and a machine that loses its power a hole of zero bytes, in both cases behind everything that was safe. ``open`` finds
what is torn, and cuts it off. What is torn looks like the beginning of a record; anything else is a file of somebody
else's, or was changed by hand, and is refused rather than cut.
"""

from __future__ import annotations

import contextlib
import io
import os
from array import array
from typing import TYPE_CHECKING, Any, Final

from .._files import OPEN_FLAGS, sync_folder, write_all
from ..errors import SinkError
from ._sink_ledger import Ledger
from ._sink_text import BEGINNING, NoJSON, NoRecord, checked, values_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

NEW: Final = ".new"
"""Behind the name of a log that is written anew, until it takes the place of the old one."""

BLOCK: Final = 1024 * 1024
"""Bytes read ahead when a file is read from front to back."""


class Log:
    """The file at ``path``. Where there is none, ``open`` makes it, or if it is ``optional``, the first line."""

    def __init__(self, path: Path, optional: bool = False) -> None:
        self.path = path
        self._optional = optional
        self._file: io.FileIO | None = None
        self._safe = 0

    def open(self, see: Callable[[dict[str, Any]], None]) -> None:
        """Show all records that are there to ``see``, in their order, and cut off what is torn.

        :raises SinkError: it is no such file
        """
        self._safe = 0
        self.path.with_name(self.path.name + NEW).unlink(missing_ok=True)
        try:
            file = io.FileIO(os.open(self.path, OPEN_FLAGS & ~os.O_CREAT), "r+")
        except FileNotFoundError:
            if not self._optional:
                self._make()
            return
        try:
            self._safe, unended = _scan(self.path, file, see)
            if os.fstat(file.fileno()).st_size != self._safe:
                file.truncate(self._safe)
            file.seek(self._safe)
            if unended:
                self._write(file, b"\n")
        except BaseException:
            file.close()
            raise
        self._file = file

    def append(self, lines: list[bytes]) -> None:
        """Add ``lines``, which end in line feeds; they are on the disk when this returns.

        :raises OSError: they are not, none of them
        """
        if not lines:
            return
        file = self._file or self._make()
        try:
            self._write(file, b"".join(lines))
        except BaseException:
            with contextlib.suppress(OSError):
                file.truncate(self._safe)
                file.seek(self._safe)
            raise

    def _make(self) -> io.FileIO:
        self._file = io.FileIO(os.open(self.path, OPEN_FLAGS, 0o666), "r+")
        sync_folder(self.path.parent)
        return self._file

    def _write(self, file: io.FileIO, data: bytes) -> None:
        write_all(file, data)
        os.fsync(file.fileno())
        self._safe += len(data)

    def tidy(self, stays: Callable[[bytes], bool]) -> None:
        """Leave only the last record of each key, and only of those that are to stay; without any, no file.

        :raises OSError: it stays as it was
        """
        self.close()
        with contextlib.suppress(FileNotFoundError), self.path.open("rb", BLOCK) as file:
            lines, keep = _last_of_each(file, stays)
            if not keep:
                self.path.unlink()
                sync_folder(self.path.parent)
            elif len(keep) < lines:
                self._replace(file, keep)

    def _replace(self, file: BinaryIO, keep: array[int]) -> None:
        beside = self.path.with_name(self.path.name + NEW)
        try:
            with io.FileIO(os.open(beside, OPEN_FLAGS | os.O_TRUNC, 0o666), "r+") as raw, io.BufferedWriter(raw) as new:
                for start in keep:
                    file.seek(start)
                    new.write(file.readline())
                new.flush()
                os.fsync(new.fileno())
            beside.replace(self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise
        sync_folder(self.path.parent)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_log(path: Path) -> Iterator[dict[str, Any]]:
    """What the records in ``path`` say, one by one; nothing of what is torn, or just being written.

    :raises SinkError: it is no such file
    :raises FileNotFoundError: there is none
    """
    with path.open("rb", BLOCK) as file:
        for number, line in enumerate(file, 1):
            try:
                yield values_in(line)
            except NoRecord as error:
                if is_torn(line, number, error):
                    return
                raise _refused(path, number, error) from None


def is_torn(line: bytes, number: int, error: NoRecord) -> bool:
    """Whether ``line``, the ``number``-th, which is no record, is what a kill or a loss of power may leave of one."""
    if not isinstance(error, NoJSON):
        return False
    if b"\0" not in line:
        return not line.endswith(b"\n") and (line.startswith(BEGINNING) or BEGINNING.startswith(line))
    rest = line.lstrip(b"\0")
    return number > 1 or not rest or rest.startswith(BEGINNING)


def _scan(path: Path, file: io.FileIO, see: Callable[[dict[str, Any]], None]) -> tuple[int, bool]:
    """Where the last record ends, and whether its line feed is missing."""
    end, line = 0, b"\n"
    buffered = io.BufferedReader(file, BLOCK)
    try:
        for number, line in enumerate(buffered, 1):  # the last one is looked at
            try:
                see(checked(line))
            except NoRecord as error:
                if is_torn(line, number, error):
                    return end, False
                raise _refused(path, number, error) from None
            end += len(line)
    finally:
        buffered.detach()
    return end, not line.endswith(b"\n")


def _last_of_each(file: BinaryIO, stays: Callable[[bytes], bool]) -> tuple[int, array[int]]:
    """How many lines there are, and where those begin that are to be kept."""
    starts, at = array("Q"), 0
    for line in file:
        starts.append(at)
        at += len(line)
    seen, keep = Ledger(), array("Q")
    for start in reversed(starts):
        file.seek(start)
        key = bytes.fromhex(checked(file.readline())["key"])
        if not seen.set(key, 1) and stays(key):
            keep.append(start)
    keep.reverse()
    return len(starts), keep


def _refused(path: Path, number: int, error: NoRecord) -> SinkError:
    return SinkError(f"{path} is not a file that this sink could have written: line {number} is {error}", str(path))
