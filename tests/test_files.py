"""Locks and names of files; who relies on them tests them where it matters: parts of downloads, sinks of results."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import CookieJar
from aiohttpclient._files import OPEN_FLAGS, is_at, lock, put_file, replaceable, sync_folder
from aiohttpclient.testing._har import new_document, write

if TYPE_CHECKING:
    from collections.abc import Callable


def opened(path: Path) -> io.FileIO:
    return io.FileIO(os.open(path, OPEN_FLAGS, 0o666), "r+")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_one_has_the_lock(tmp_path: Path) -> None:
    """A file that somebody has locked, be it in the same process, cannot be locked until that one has closed it."""
    with opened(tmp_path / "file") as one, opened(tmp_path / "file") as other:
        lock(one)
        with pytest.raises(BlockingIOError):
            lock(other)
        one.close()
        lock(other)


def test_is_at(tmp_path: Path) -> None:
    """An open file is at its path until another has that name, or nothing."""
    path = tmp_path / "file"
    with opened(path) as file:
        assert is_at(file, path)
        path.unlink()
        assert not is_at(file, path)
        path.touch()
        assert not is_at(file, path)


def test_sync_folder(tmp_path: Path) -> None:
    """A folder that cannot be synchronized is left as it is."""
    (tmp_path / "file").touch()
    sync_folder(tmp_path)
    sync_folder(tmp_path / "none")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed here")
def test_links_are_not_followed(tmp_path: Path) -> None:
    """What is opened is never what a symbolic link leads to."""
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match="symbolic"):
        opened(tmp_path / "link")


POSIX = pytest.mark.skipif(sys.platform == "win32", reason="modes and special files of POSIX")

WRITERS = {
    "put_file": lambda path: put_file(path, b"new", 0o600),
    "cookies": lambda path: CookieJar().save(path),
    "cookies of Netscape": lambda path: CookieJar().write_netscape(path),
    "recording": lambda path: write(path, new_document()),
}
"""Whatever puts a file in the place of another."""


@POSIX
@pytest.mark.parametrize("put", WRITERS.values(), ids=WRITERS)
def test_what_is_no_file_is_not_replaced(tmp_path: Path, put: Callable[[Path], None]) -> None:
    """A pipe, a folder or a device stays what it is: /dev/null must not become a file, whoever writes to it as root."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path, kind in ((pipe, OSError), (tmp_path, IsADirectoryError), (Path(os.devnull), OSError)):
        before = path.stat()
        with pytest.raises(kind, match=r"not a regular file|Is a directory"):
            put(path)
        assert os.path.samestat(before, path.stat())
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def test_replaceable(tmp_path: Path) -> None:
    """Of a file it is said what it is, of nothing that there is nothing."""
    assert replaceable(tmp_path / "file") is None
    (tmp_path / "file").write_bytes(b"12345")
    found = replaceable(tmp_path / "file")
    assert found is not None
    assert found.st_size == 5


@POSIX
@pytest.mark.parametrize(
    ("keep_mode", "expected"), [(False, 0o640), (True, 0o604)], ids=["of its own", "of the old one"]
)
def test_modes(tmp_path: Path, keep_mode: bool, expected: int) -> None:
    """A file that is put somewhere has the mode that was asked for, or that of the one in whose place it is put."""
    path = tmp_path / "file"
    for size in (3, 5):
        put_file(path, bytes(size), 0o640, keep_mode=keep_mode)
        assert path.read_bytes() == bytes(size)
        assert path.stat().st_mode & 0o777 == (0o640 if size == 3 else expected)
        path.chmod(0o604)


def test_a_long_name(tmp_path: Path) -> None:
    """A name may be as long as names can be, in whatever letters."""
    path = tmp_path / ("\N{SNOWMAN}" * 80 + "a" * 15)
    put_file(path, b"there", 0o600)
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be put into its place leaves nothing but what was there."""
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        put_file(path, b"new", 0o600)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
