"""Files of URLs: one a line, read as they come, and never held whole."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple

from ._exits import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Sequence

LONGEST: Final = 1024 * 1024
"""Bytes of a line. A URL that servers take has some thousands; what is longer is another kind of file."""

MARK: Final = b"\xef\xbb\xbf"
"""The byte order mark that editors of Windows put before UTF-8."""

OTHER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
"""Those of UTF-16, which the shell of Windows writes."""


class Line(str):
    """A line that has something in it, and where that stands: ``name:number``."""

    __slots__ = ("where",)

    where: str


class Text(NamedTuple):
    """A file: its name, what is in it, and how many bytes that will be; None: nobody knows."""

    name: str
    blocks: AsyncIterator[bytes]
    size: int | None


class Lines:
    """The lines of several files, one after the other, to be iterated over once.

    Empty lines are left out, and so are those that begin with ``#``. What is not UTF-8 has surrogates in it, with which
    nothing can be asked for. What is raised: UsageError, if something is no list of URLs.

    ``share`` (float) is how much of the files was given out, from 0 to 1; None: nobody knows.
    """

    def __init__(self, texts: Sequence[Text]) -> None:
        self._texts = texts
        sizes = [text.size for text in texts]
        self._size = None if None in sizes else sum(size or 0 for size in sizes)
        self._read = 0

    @property
    def share(self) -> float | None:
        """How much was given out."""
        return None if self._size is None else min(1.0, self._read / (self._size or 1))

    async def __aiter__(self) -> AsyncGenerator[Line, None]:
        for text in self._texts:
            async with aclosing(self._lines_in(text)) as lines:
                async for line in lines:
                    yield line

    async def _lines_in(self, text: Text) -> AsyncGenerator[Line, None]:
        rest, number = b"", 0
        try:
            async for block in text.blocks:
                *whole, rest = (rest + block).split(b"\n")
                for raw in whole:
                    number += 1
                    self._read += len(raw) + 1
                    if (line := _line(text.name, number, raw)) is not None:
                        yield line
                if len(rest) > LONGEST:
                    raise UsageError(f"{text.name}:{number + 1}: so long is no URL, and this no list of them")
            self._read += len(rest)
            if (line := _line(text.name, number + 1, rest)) is not None:
                yield line
        finally:
            close = getattr(text.blocks, "aclose", None)
            if close is not None:
                await close()


def _line(name: str, number: int, raw: bytes) -> Line | None:
    if number == 1:
        if raw.startswith(OTHER_MARKS):
            raise UsageError(f"{name}: it is text in UTF-16, and not in UTF-8")
        raw = raw.removeprefix(MARK)
    text = raw.strip()
    if not text or text.startswith(b"#"):
        return None
    line = Line(text.decode("utf-8", "surrogateescape"))
    line.where = f"{name}:{number}"
    return line
