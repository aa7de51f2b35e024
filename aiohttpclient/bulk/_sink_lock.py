"""One process at a time for what a sink or a crawl writes: a file that is locked for as long as that is open.

It stands beside the results and not in for them, since a file of results may be replaced while it is written, and
SQLite has locks of its own on its file, which go when anybody else closes that. The kernel unlocks what a killed
process had; the file that then stays is locked by the next one.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

from .._files import OPEN_FLAGS, is_at, lock
from ..errors import SinkError

if TYPE_CHECKING:
    from pathlib import Path


class Lock:
    """The right of a ``holder`` to write ``path``; ``at`` (Path) is the file that is locked for it."""

    def __init__(self, path: Path, at: Path, holder: str = "sink") -> None:
        self._path = path
        self._at = at
        self._holder = holder
        self._file: io.FileIO | None = None

    def acquire(self) -> None:
        """Take it.

        :raises SinkError: somebody else has it
        """
        while True:
            file = io.FileIO(os.open(self._at, OPEN_FLAGS, 0o666), "r+")
            try:
                lock(file)
                if is_at(file, self._at):
                    self._file = file
                    return
            except BlockingIOError:
                file.close()
                raise SinkError(f"{self._path} is being written by another {self._holder}", str(self._path)) from None
            except BaseException:
                file.close()
                raise
            file.close()  # it was given back between our opening and our locking it

    def release(self) -> None:
        """Give it back, and leave nothing."""
        if self._file is None:
            return
        if sys.platform == "win32":  # where an open file cannot be removed
            self._file.close()
        self._at.unlink(missing_ok=True)
        self._file.close()
        self._file = None
