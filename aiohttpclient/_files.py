"""What those have in common that write files which a kill must not tear: locks, and names that are on the disk."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import io
    from pathlib import Path

if sys.platform != "win32":
    import fcntl

OPEN_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Not through symbolic links: in a folder where others can write, one could lead to any file of ours."""


def lock(file: io.FileIO) -> None:
    """Lock ``file`` against others that do so, for as long as it is open.

    :raises BlockingIOError: one of them has it
    """
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:  # some network file systems know no locks
            pass


def write_all(file: io.FileIO, data: bytes | memoryview) -> None:
    """Write ``data``; one call of the system may write less.

    :raises OSError: the disk is full, ...; some of it may be written
    """
    with memoryview(data) as rest:
        at = 0
        while at < len(rest):
            at += file.write(rest[at:]) or 0


def is_at(file: io.FileIO, path: Path) -> bool:
    """Whether ``path`` still leads to ``file``."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def sync_folder(folder: Path) -> None:
    """Put the names in ``folder`` on the disk, where folders can be synchronized."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
