"""What people see beside results: lines that nobody's bytes can turn into something else, and numbers with units.

A server chooses field values, reasons and parts of error texts; on a terminal an escape sequence among them could
rewrite what stands there already. So whatever is printed goes through :func:`harmless`.
"""

from __future__ import annotations

import contextlib
from typing import IO, Any


def harmless(text: str) -> str:
    """``text`` in one line, with what is not printed escaped: controls, marks of direction, halves of surrogate pairs.

    A tab stays.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text)


def write_to(file: IO[str] | None, text: str) -> None:
    """``text`` into ``file`` as it is, for what was made harmless before; where nobody can be told, nobody is.

    What its encoding does not have is escaped.
    """
    if file is None:  # sys.stderr under pythonw
        return
    with contextlib.suppress(OSError, ValueError):  # full, gone, closed
        try:
            file.write(text)
        except UnicodeEncodeError as error:
            file.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        file.flush()


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
    return clock_text(seconds)


def duration_text(seconds: float) -> str:
    """How long something took as a whole: ``32.1 ms``, ``4.6 s``, ``2:03``, ``1:00:07``."""
    if seconds >= 60:
        return clock_text(seconds)
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def clock_text(seconds: float) -> str:
    """Seconds as a clock shows them: ``0:07``, ``2:03``, ``1:00:07``, ``100:00:00``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
