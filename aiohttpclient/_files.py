"""What those have in common that write files which a kill must not tear: locks, and names that are on the disk."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import io
    from collections.abc import Iterator
    from pathlib import Path

if sys.platform != "win32":
    import fcntl

OPEN_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
"""Not through symbolic links: in a folder where others can write, one could lead to any file of ours."""

NEW_FLAGS: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
"""Of a file that nobody has yet: O_EXCL follows no link either."""

PREFIX_LENGTH: Final = 50
"""Characters of a file's name that the name of its successor begins with, until it has its place: names are 255 bytes
long at most, and a character may be four."""

_ALONE: Final = threading.Lock()
"""Of whoever is alone in any folder: a lock of the system is each thread's as soon as it is one's."""


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


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep others who ask for it here, in any process, from ``folder``.

    Where folders cannot be locked (Windows, some file systems), others are kept out who are in this process.
    """
    with _ALONE, contextlib.ExitStack() as stack:
        if sys.platform != "win32":
            with contextlib.suppress(OSError):
                descriptor = os.open(folder, os.O_RDONLY)
                stack.callback(os.close, descriptor)  # which lets go of the lock
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


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


def replaceable(path: Path) -> os.stat_result | None:
    """What is known of the file at ``path``, in whose place another one may be put; None: there is none.

    A device that is replaced is gone for everybody on the machine, /dev/null for one.

    :raises IsADirectoryError: it is a folder
    :raises OSError: it is something else than a file, or there can be none of that name, ...
    """
    try:
        found = path.stat()  # what the kernel says about links of others passes
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return found


def put_file(place: Path, data: bytes, mode: int, *, keep_mode: bool = False) -> None:
    """Put a file with ``data`` at ``place`` in one step, with ``mode``, less what the umask takes.

    Whoever reads it meanwhile, and whoever finds it after this process was killed, sees the old one or the new one.
    With ``keep_mode`` the new one has the mode of the old one, if there is one.

    :raises OSError: it cannot be written, or what is there is no file; that is there still
    """
    old = replaceable(place)
    # In the same folder, as a rename cannot go to another disk.
    beside = place.with_name(f".{place.name[:PREFIX_LENGTH]}.{secrets.token_hex(8)}")
    try:
        with open(os.open(beside, NEW_FLAGS, mode), "wb") as file:  # noqa: PTH123  # a descriptor
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if keep_mode and old is not None:
            beside.chmod(old.st_mode & 0o777)
        beside.replace(place)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Put the names in ``folder`` on the disk, where folders can be synchronized."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
