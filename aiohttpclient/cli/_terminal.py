"""What people see: lines on stderr that nobody's bytes can turn into something else.

A server chooses field values, reasons and parts of error texts; on a terminal an escape sequence among them could
rewrite what stands there already. So whatever is printed beside the body goes through :func:`harmless`. There are no
colours, so that ``NO_COLOR`` asks for nothing more.
"""

from __future__ import annotations

import contextlib
import sys
from typing import IO, Any


def harmless(text: str) -> str:
    """``text`` in one line, with what is not printed escaped: controls, marks of direction, halves of surrogate pairs.

    A tab stays.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)


def say(line: str) -> None:
    """One line on stderr, made harmless; where nobody can be told, nobody is."""
    write(f"{harmless(line)}\n")


def write(text: str) -> None:
    """``text`` on stderr as it is: for what was made harmless before."""
    with contextlib.suppress(OSError, ValueError, AttributeError):  # closed, or None under pythonw
        sys.stderr.write(text)
        sys.stderr.flush()


def is_terminal(stream: IO[Any] | None) -> bool:
    """Whether somebody looks at ``stream``."""
    try:
        return stream is not None and stream.isatty()
    except (OSError, ValueError):  # closed
        return False


def size_text(size: float) -> str:
    """Bytes for people: ``999 B``, ``1.5 KiB``, ``12.0 MiB``; the same in every locale."""
    if size < 1024:
        return f"{size:.0f} B"
    units = ["TiB", "GiB", "MiB", "KiB"]
    unit, size = units.pop(), size / 1024
    while size >= 1024 and units:
        unit, size = units.pop(), size / 1024
    return f"{size:.1f} {unit}"


def seconds_text(seconds: float | None) -> str:
    """Seconds for people: ``1.23 ms``, ``4.56 s``, ``2:03``, ``1:00:07``; ``-`` for None."""
    if seconds is None:
        return "-"
    if seconds < 1:
        return f"{1000 * seconds:.2f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
