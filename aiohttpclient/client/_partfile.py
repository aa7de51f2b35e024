"""The file beside a download's target that fills until it is complete, and takes its name then.

Theory of operation. ``name.part`` holds the first bytes of the file, and nothing but its first bytes: it is written
from front to back. ``name.part.json`` notes what they are the first bytes of: URL (its digest only, as URLs hold
secrets), validator, and length. The note is gone before the part is begun anew, and written before the first byte that
it is about, so that at every moment in which the process may be killed, note and part belong together or there is no
note. Where what begins anew is the very file of which there is a part, both stay, and the part is written over. Without
a validator there is no note, and the part goes when the download ends too early. Where ``name`` is too long to put
anything behind it, a digest of it stands in for its end.

A part is locked while it is written, where the system knows such locks, so that two downloads of one file cannot mix.
It takes its name after everything is on the disk (``fsync``), by ``os.replace``: whoever opens the target sees all of
it, or what was there before. It has the mode of the file that it replaces. Where the target is a symbolic link, all of
this is about the file to which that leads.

Everything here blocks, and is called in threads, one call at a time.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import json
import os
import sys
from typing import TYPE_CHECKING, Final

from .._files import OPEN_FLAGS, is_at, lock, replaceable, sync_folder, write_all
from ..errors import DownloadError
from ._ranges import Held, is_rewritten, is_validator

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ._checksums import Hasher
    from ._ranges import Body

NOTE_SIZE: Final = 64 * 1024
"""Bytes of a note that are read: a few hundred is usual, and the longest field that is accepted fits."""

READ: Final = 1024 * 1024
"""Bytes read at a time to hash what is there."""

NAME_MAX: Final = 255
"""Bytes that the name of a file may have, on nearly all file systems."""

PART, NOTE = ".part", ".part.json"


class PartFile:
    """The part of one download, from before the first byte until it is complete or given up.

    ``target`` (Path) is what it becomes, ``url`` (str) where it comes from. ``resume`` (bool): what an earlier download
    left is of use, and what this one leaves should be; ``overwrite`` (bool): the target may exist.
    """

    def __init__(self, target: Path, url: str, *, resume: bool = True, overwrite: bool = True) -> None:
        self.target = target
        self._stand_beside(target)
        self._url = hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()
        self._resume = resume
        self._overwrite = overwrite
        self._file: io.FileIO | None = None
        self._body: Body | None = None
        self._old: Held | None = None
        self._begun = False
        self._noted = False
        self._broken = False

    # -- beginning ---------------------------------------------------------------------------------------------------

    def open(self) -> Held | None:
        """Open and lock the part; what of it can be continued, all but the last byte.

        :raises FileExistsError: the target exists, and must not
        :raises IsADirectoryError: the target is a folder
        :raises OSError: it is a device or a pipe, or there can be no file of that name, ...
        :raises DownloadError: another download writes this part
        """
        replaced = self._check_target()
        if self.target.is_symlink():
            self._stand_beside(self.target.resolve())
        self._file = self._locked(replaced)
        size = os.fstat(self._file.fileno()).st_size
        self._old = self._held(size) if self._resume and size > 1 else None
        return self._old

    def _stand_beside(self, place: Path) -> None:
        self._place, beside = place, name_beside(place.name)
        self.path, self.note = place.with_name(beside + PART), place.with_name(beside + NOTE)

    def _check_target(self) -> os.stat_result | None:
        """What is known of the file that is to be replaced; None: there is none."""
        found = replaceable(self.target)
        if found is None:
            return None
        if not self._overwrite:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(self.target))
        return found

    def _locked(self, replaced: os.stat_result | None) -> io.FileIO:
        # Whoever must not read the old file must not read the new one while it comes, but we must when we go on.
        mode = 0o666 if replaced is None else replaced.st_mode & 0o777 | 0o600
        while True:
            file = io.FileIO(os.open(self.path, OPEN_FLAGS, mode), "r+")
            try:
                lock(file)
                if is_at(file, self.path):
                    if replaced is not None:
                        _liken(file, replaced, mode)
                    return file
            except BlockingIOError:
                file.close()
                raise DownloadError(f"another download is writing {self.path}", str(self.target)) from None
            except BaseException:
                file.close()
                raise
            file.close()  # it took its name between our opening and our locking it

    def _held(self, size: int) -> Held | None:
        try:
            with self.note.open("rb") as file:
                note = json.loads(file.read(NOTE_SIZE))
            url, validator, total = note["url"], note["validator"], note["total"]
        except (OSError, ValueError, TypeError, LookupError, RecursionError):
            return None
        fits = total is None or (type(total) is int and size <= total)
        if not fits or url != self._url or not isinstance(validator, str) or not is_validator(validator):
            return None
        return Held(size - 1, validator, total)

    # -- filling -----------------------------------------------------------------------------------------------------

    def expect(self, body: Body) -> None:
        """Say what the next bytes are. Changes no file: an old part stays until there is something to write."""
        self._body = body
        self._begun = self._noted = False

    def hash(self, hasher: Hasher, start: int, end: int) -> None:
        """Take the bytes from ``start`` to ``end`` into a digest."""
        file = self._opened()
        file.seek(start)
        while start < end:
            data = file.read(min(READ, end - start))
            if not data:
                raise DownloadError(f"{self.path} became shorter meanwhile", str(self.target))
            hasher.update(data)
            start += len(data)

    def write(self, blocks: Sequence[bytes], hasher: Hasher | None, *, note: bool = True) -> None:
        """Append ``blocks``, and take them into a digest; ``note`` that more is to come.

        :raises OSError: the disk is full, ...; what was written is the beginning of the file all the same
        """
        file = self._opened()
        try:
            self._begin(file, note)
            data = b"".join(blocks)
            if hasher is not None:
                hasher.update(data)
            write_all(file, data)
        except BaseException:
            self._broken = True
            raise

    def empty(self) -> None:
        """Forget what was written, which may be anything: what comes next begins anew."""
        self.note.unlink(missing_ok=True)
        self._opened().truncate(0)
        self._old = None
        self._begun = self._noted = False

    def _begin(self, file: io.FileIO, note: bool) -> None:
        if self._begun:
            return
        assert self._body is not None
        start, _, total, validator = self._body
        rewritten = is_rewritten(self._old, self._body)
        self._noted = start > 0 or rewritten
        if not self._noted:
            self.note.unlink(missing_ok=True)
        if not rewritten:
            file.truncate(start)
        file.seek(start)
        self._begun = True
        if not self._noted and note and self._resume and validator is not None:
            text = json.dumps({"url": self._url, "validator": validator, "total": total})
            with io.FileIO(os.open(self.note, OPEN_FLAGS | os.O_TRUNC, 0o666), "r+") as beside:
                beside.write(text.encode())
            self._noted = True

    # -- ending ------------------------------------------------------------------------------------------------------

    def complete(self) -> None:
        """Put everything on the disk, and the file in its place."""
        file = self._opened()
        if (replaced := self._check_target()) is not None:
            _liken(file, replaced, replaced.st_mode & 0o777)
        os.fsync(file.fileno())
        if sys.platform == "win32":  # where an open file cannot be renamed
            self.close()
        self.path.replace(self._place)
        self.note.unlink(missing_ok=True)
        self.close()
        sync_folder(self._place.parent)

    def give_up(self, rest: Sequence[bytes]) -> None:
        """End too early: keep what can be continued, ``rest`` included, and nothing else."""
        if self._file is None:
            return
        try:
            if rest and not self._broken:
                with contextlib.suppress(OSError):
                    self.write(rest, None)
            old = not self._begun and os.fstat(self._file.fileno()).st_size > 0
            if not old and not self._noted:
                self.discard()
        finally:
            self.close()

    def discard(self) -> None:
        """Remove the part and its note."""
        if sys.platform == "win32":  # where an open file cannot be removed
            self.close()
        for path in (self.note, self.path):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        """Close the part, which unlocks it."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _opened(self) -> io.FileIO:
        assert self._file is not None, "open() comes first"
        return self._file


def name_beside(name: str) -> str:
    """What the names of part and note begin with: ``name``, or where that leaves no room its beginning and a digest."""
    encoded = os.fsencode(name)
    if len(encoded) + len(NOTE) <= NAME_MAX:
        return name  # else 40 characters, 160 bytes at most, and 64 bits of SHA-256 tell them apart
    return f"{name[:40]}~{hashlib.sha256(encoded).hexdigest()[:16]}"


def _liken(file: io.FileIO, replaced: os.stat_result, mode: int) -> None:
    """Give ``file`` the owner and the group of what it replaces, and ``mode``, as far as we may."""
    if sys.platform != "win32":
        with contextlib.suppress(OSError):
            os.fchown(file.fileno(), replaced.st_uid, replaced.st_gid)
        with contextlib.suppress(OSError):
            os.fchmod(file.fileno(), mode)
