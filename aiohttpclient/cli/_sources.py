"""What an argument stands for: itself, the contents of a file (``@FILE``), or stdin (``@-``), which is read once."""

from __future__ import annotations

import os
import stat
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ._exits import UsageError
from ._threads import in_daemon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Bytes = bytes  # in the class below that name is a method's

BLOCK: Final = 256 * 1024
"""Bytes that are read from stdin at a time."""


class Sources:
    """Where values come from. One for each command: it knows whether stdin is taken."""

    def __init__(self) -> None:
        self._taker: str | None = None

    def text(self, given: str, option: str) -> str:
        """The text that ``given`` stands for, without the line end that a file has at its end.

        :raises UsageError: the file cannot be read, or is no text
        """
        if not given.startswith("@"):
            return given
        try:
            return self.bytes(given, option).decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise UsageError(f"{option}: {given} is not text in UTF-8") from None

    def bytes(self, given: str, option: str) -> bytes:
        """The same, unchanged.

        :raises UsageError: the file cannot be read
        """
        if not given.startswith("@"):
            return given.encode("utf-8", "surrogateescape")
        if given == "@-":
            return bytes(self.stdin(option).read())
        try:
            return self.path(given[1:], option).read_bytes()
        except OSError as error:
            raise UsageError(f"{option}: {given[1:]}: {error.strerror or error}") from None

    def path(self, given: str, option: str) -> Path:
        """A file that can be read.

        :raises UsageError: it cannot
        """
        path = Path(given)
        try:
            with path.open("rb"):
                return path
        except OSError as error:
            raise UsageError(f"{option}: {given}: {error.strerror or error}") from None
        except ValueError:
            raise UsageError(f"{option}: a path cannot have a NUL in it") from None

    def stdin(self, option: str) -> Any:
        """The binary file that stdin is.

        :raises UsageError: another option has it, or there is none
        """
        if self._taker is not None:
            raise UsageError(f"{option}: stdin can be read only once, and is for {self._taker} already")
        self._taker = option
        if sys.stdin is None:
            raise UsageError(f"{option}: there is no stdin")
        return sys.stdin.buffer

    def stream(self, given: str, option: str) -> Any:
        """A body, for ``content=``, that is read while it is sent where it can be large.

        :raises UsageError: the file cannot be read
        """
        if given == "@-":
            file = self.stdin(option)
            return file if _is_regular(file) else blocks_of(file)
        if not given.startswith("@"):
            return self.bytes(given, option)
        path = Path(given[1:])
        return blocks_of_path(path) if _is_special(path) else self.path(given[1:], option)

    def blocks(self, given: str, option: str) -> AsyncIterator[Bytes]:
        """What is in the file ``given``, or with ``-`` in stdin, block by block, as it comes.

        :raises UsageError: the file cannot be read
        """
        if given == "-":
            return blocks_of(self.stdin(option))
        return blocks_of_path(path if _is_special(path := Path(given)) else self.path(given, option))


def _is_special(path: Path) -> bool:
    """Whether it is a pipe, say, that waits to be opened, and whose bytes come once."""
    try:
        return path.exists() and not path.is_file() and not path.is_dir()
    except ValueError:  # a NUL in it, on Python 3.11
        return False


def _is_regular(file: Any) -> bool:
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (OSError, ValueError, AttributeError):
        return False


async def blocks_of(file: Any) -> AsyncIterator[bytes]:
    """What a pipe or a terminal gives, block by block. Ctrl-C does not wait for the next."""
    raw = getattr(file, "raw", file)
    while block := await in_daemon(raw.read, BLOCK):
        yield block


async def blocks_of_path(path: Path) -> AsyncIterator[bytes]:
    """The same of a pipe, or a device, that has a name."""
    file: Any = await in_daemon(partial(path.open, "rb", buffering=0))
    try:
        while block := await in_daemon(file.read, BLOCK):
            yield block
    finally:
        file.close()
