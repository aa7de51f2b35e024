"""A terminal, as far as progress needs one: what is on the screen when all was written."""

from __future__ import annotations

import io
import re

CODES = re.compile(r"\x1b\[(\??[\d;]*)([A-Za-z])")


class Terminal(io.StringIO):
    """A file that is a terminal."""

    def isatty(self) -> bool:
        return True


class Broken(Terminal):
    """One that is gone after so many writes, with ``error``."""

    def __init__(self, writes: int, error: Exception) -> None:
        super().__init__()
        self.writes = writes
        self.error = error

    def write(self, text: str) -> int:
        self.writes -= 1
        if self.writes < 0:
            raise self.error
        return super().write(text)


def screen(text: str) -> list[str]:
    """The lines that are seen after ``text``, without the empty ones at the end."""
    lines, row, column = [""], 0, 0
    for part in re.split(r"(\x1b\[\??[\d;]*[A-Za-z]|\r|\n)", text):
        code = CODES.fullmatch(part)
        if part == "\n":
            row, column = row + 1, 0  # a terminal makes \r\n of it
        elif part == "\r":
            column = 0
        elif code is not None and code[2] == "A":
            row = max(0, row - int(code[1] or 1))
        elif code is not None and code[2] == "K":
            lines[row] = ""
        elif code is None:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
        lines += [""] * (row + 1 - len(lines))
    while lines and not lines[-1]:
        lines.pop()
    return [line.rstrip() for line in lines]


def colours(text: str) -> set[str]:
    """The codes of colours in ``text``; bold and dim are none."""
    found = {code for codes, kind in CODES.findall(text) if kind == "m" for code in codes.split(";")}
    return {code for code in found if code.isdigit() and (30 <= int(code) <= 49 or 90 <= int(code) <= 107)}
