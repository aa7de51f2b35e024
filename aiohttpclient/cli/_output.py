"""Where the body goes: stdout, or a file; block by block, and as it came."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._exits import LocalError, ReaderGone
from ._names import name_of
from ._terminal import harmless, is_terminal
from ._threads import in_daemon

if TYPE_CHECKING:
    from argparse import Namespace


class Output:
    """Bytes to ``file``; :meth:`write` waits in a thread for whoever reads slowly, so that no timer is late.

    ``size`` (int) counts the bytes of the body.

    :param name: of the file, for errors
    :param guards: a terminal: what is not text is refused
    """

    def __init__(self, file: Any, name: str, *, guards: bool = False, owned: bool = False) -> None:
        self._file = file
        self._name = name
        self._guards = guards
        self._owned = owned
        self._last = b"\n"
        self.size = 0

    async def write(self, block: bytes) -> None:
        """Write ``block``, all of it.

        :raises LocalError: it cannot be written
        :raises ReaderGone: nobody reads stdout any more
        """
        if self._guards and not self.size and b"\0" in block:
            raise LocalError(
                "the body is not text, and stdout is a terminal: -o FILE saves it, -o - shows it all the same"
            )
        self.size += len(block)
        self._last = block[-1:] or self._last
        await in_daemon(self._write, block)

    async def head(self, text: str) -> None:
        """Write lines that stand before the body: as they came, but harmless on a terminal."""
        lines = [harmless(line) for line in text.split("\r\n")] if self._guards else None
        data = text.encode("iso-8859-1", "replace") if lines is None else "\n".join(lines).encode("utf-8", "replace")
        await in_daemon(self._write, data)

    async def end(self) -> None:
        """Finish: on a terminal, the prompt begins in a line of its own."""
        if self._guards and self.size and self._last != b"\n":
            await in_daemon(self._write, b"\n")

    def close(self) -> None:
        """Close the file, if it was opened here."""
        if self._owned:
            self._file.close()

    def _write(self, block: bytes) -> None:
        view = memoryview(block)
        try:
            while view:
                written = self._file.write(view)
                view = view[len(view) if written is None else written :]
        except OSError as error:
            # Windows says EINVAL of a pipe that nobody reads.
            if not self._owned and (isinstance(error, BrokenPipeError) or error.errno == errno.EINVAL):
                raise ReaderGone from None
            raise LocalError(f"{self._name}: {error.strerror or error}; {self.size} bytes came") from None


def stdout_file() -> Any:
    """Stdout for bytes, without a buffer where it can be had.

    :raises LocalError: there is none
    """
    if sys.stdout is None:
        raise LocalError("there is no stdout")
    sys.stdout.flush()
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        raise LocalError("stdout takes no bytes")
    return getattr(buffer, "raw", buffer)


def open_output(args: Namespace, url: str) -> Output:
    """What the arguments say, opened now that there is something to write.

    :raises LocalError: it cannot be opened
    """
    path = target(args, url)
    if path is None:
        shown = args.output != "-" and not args.json and is_terminal(sys.stdout)
        return Output(stdout_file(), "stdout", guards=shown)
    try:
        return Output(path.open("wb", buffering=0), str(path), owned=True)
    except (OSError, ValueError) as error:
        raise LocalError(f"{path}: {getattr(error, 'strerror', None) or error}") from None


def target(args: Namespace, url: str) -> Path | None:
    """The file that the body goes to; None: stdout."""
    if args.remote_name:
        return Path(name_of(url))
    return None if args.output in {None, "-"} else Path(args.output)
