"""What people see: lines on stderr that nobody's bytes can turn into something else.

Whatever is printed beside the body goes through :func:`harmless`. There are no colours, so that ``NO_COLOR`` asks for
nothing more.
"""

from __future__ import annotations

import sys

from .._terminal import harmless, is_terminal, seconds_text, size_text, write_to

__all__ = ["harmless", "is_terminal", "say", "seconds_text", "size_text", "write"]


def say(line: str) -> None:
    """One line on stderr, made harmless; where nobody can be told, nobody is."""
    write(f"{harmless(line)}\n")


def write(text: str) -> None:
    """``text`` on stderr as it is: for what was made harmless before."""
    write_to(sys.stderr, text)
