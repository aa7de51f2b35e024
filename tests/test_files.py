"""Locks and names of files; who relies on them tests them where it matters: parts of downloads, sinks of results."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from aiohttpclient._files import OPEN_FLAGS, is_at, lock, sync_folder

if TYPE_CHECKING:
    from pathlib import Path


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
    sync_folder(tmp_path)
    sync_folder(tmp_path / "none")


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed here")
def test_links_are_not_followed(tmp_path: Path) -> None:
    """What is opened is never what a symbolic link leads to."""
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(OSError, match="symbolic"):
        opened(tmp_path / "link")
