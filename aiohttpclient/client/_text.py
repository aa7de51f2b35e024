"""Bytes to text, and text to lines, at once or block by block.

What cannot be decoded becomes U+FFFD, and nothing raises: text is for reading, and the bytes are there for everything
else. One U+FEFF at the beginning is a byte order mark and no part of the text. Which encoding it is, ``_charsets``
decides.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import TYPE_CHECKING, Final

from ..errors import LimitExceeded
from ._charsets import GUESS, charset_of, chosen_encoding, encoding_for, is_enough, text_encoding

if TYPE_CHECKING:
    from collections.abc import Callable

    Decode = Callable[[bytes, bool], str]

__all__ = [
    "GUESS",
    "MAX_LINE",
    "LineSplitter",
    "TextDecoder",
    "charset_of",
    "chosen_encoding",
    "decode_text",
    "encoding_for",
]

MAX_LINE: Final = 4 * 1024 * 1024
"""Characters of a line. Far more than a record that is meant to be read by lines has; 64 KiB, which streams of asyncio
allow, are known to be too few. An endless line costs four times as many bytes of memory at most."""

# What Python's decoders of ISO 2022 do with escape sequences is wrong when these are broken: an incremental one raises
# after 9 bytes of one, whatever its error handler. So they see only sequences of the form that ISO 2022 gives them (at
# most two intermediate bytes, then a final one, of which "@" to "Z" are in use). ESC & @ announces that the next
# sequence means a later edition of its set, which changes nothing here.
_announcer = re.compile(rb"\x1b&@").sub
_broken_escape = re.compile(rb"\x1b(?![$()*+,\-./]{0,2}[@-Z])").sub
_open_escape = re.compile(rb"\x1b(?:[$()*+,\-./]{0,2}|&)\Z").search

_NO_CHARACTER: Final = b"\xff"
"""A byte that means nothing in ISO 2022 as these decoders know it, whose bytes have seven bits."""


def decode_text(data: bytes, encoding: str | None = None) -> str:
    """A whole body as text: in ``encoding``, else in what a byte order mark says, else UTF-8.

    What else speaks for an encoding, :func:`chosen_encoding` knows; it also says what this raises.
    """
    chosen = chosen_encoding(data, encoding=encoding)
    text = _WholeEscapes(chosen)(data, True) if chosen.startswith("iso2022") else str(data, chosen, "replace")
    return text.removeprefix("\ufeff")


class TextDecoder:
    """The same for a body that comes in blocks: however it is cut, the text is that of :func:`decode_text`.

    The arguments are those of :func:`chosen_encoding`. As many bytes are kept back as decide about the encoding. Making
    one raises LookupError for an encoding that does not exist; a guess may raise ImportError when it is made.
    """

    __slots__ = ("_choice", "_decode", "_held", "_started", "encoding")

    def __init__(self, content_type: str | None = None, encoding: str | None = None, default: str = "utf-8") -> None:
        self.encoding: str | None = None
        """The encoding; None until enough bytes have come to tell."""
        self._choice = (content_type, encoding, default)
        self._decode: Decode | None = None
        self._held = bytearray()
        self._started = False
        text_encoding(default if encoding is None or encoding == GUESS else encoding)

    def feed(self, data: bytes) -> str:
        """The text that ``data`` completes; may be empty."""
        if (decode := self._decode) is not None:
            return self._text(decode(data, False))
        self._held += data
        content_type, encoding, _ = self._choice
        return self._text(self._first(False)) if is_enough(self._held, content_type, encoding) else ""

    def finish(self) -> str:
        """The text of what is left, when the body is complete."""
        return self._text(self._first(True) if self._decode is None else self._decode(b"", True))

    def _first(self, final: bool) -> str:
        """Choose the encoding, and decode what was kept back for that."""
        content_type, encoding, default = self._choice
        data = bytes(self._held)
        self.encoding = chosen_encoding(data, content_type, encoding=encoding, default=default)
        self._decode = _incremental(self.encoding)
        self._held.clear()
        return self._decode(data, final)

    def _text(self, text: str) -> str:
        if self._started or not text:
            return text
        self._started = True
        return text.removeprefix("\ufeff")


def _incremental(encoding: str) -> Decode:
    if encoding.startswith("iso2022"):
        return _WholeEscapes(encoding)
    return codecs.getincrementaldecoder(encoding)("replace").decode


class _WholeEscapes:
    """A decoder of ISO 2022 that gets no broken escape sequence to see, and no half of one."""

    __slots__ = ("_decode", "_held")

    def __init__(self, encoding: str) -> None:
        self._decode = codecs.getincrementaldecoder(encoding)("replace").decode
        self._held = b""

    def __call__(self, data: bytes, final: bool) -> str:
        data = self._held + data
        held = None if final else _open_escape(data)
        cut = held.start() if held else len(data)
        self._held = data[cut:]
        return self._decode(_broken_escape(_NO_CHARACTER, _announcer(b"", data[:cut])), final)


class LineSplitter:
    r"""The lines of a text that comes in pieces, without their ends.

    A line ends with ``\n``, ``\r\n`` or ``\r``, as in Python's text files and in event streams, and with nothing else:
    ``str.splitlines`` also splits at U+2028, U+0085 and more, which are characters inside of JSON strings. A line that
    ended with ``\r`` is given at once, and an ``\n`` after it is dropped, whenever it comes.

    ``max_line`` bounds the characters of a line, without its end; ``name`` is what an error calls that bound.
    """

    __slots__ = ("_after_cr", "_max_line", "_name", "_rest", "_size")

    def __init__(self, max_line: int = MAX_LINE, name: str = "max_line") -> None:
        self._max_line = max_line
        self._name = name
        self._rest = io.StringIO(newline="")
        self._size = 0  # characters in it
        self._after_cr = False

    def feed(self, text: str) -> list[str]:
        """The lines that ``text`` completes.

        :raises LimitExceeded: a line is too long; nothing more is to be had from this splitter
        """
        if not text:
            return []
        if self._after_cr:
            text = text.removeprefix("\n")
            self._after_cr = False
        if "\r" in text:
            self._after_cr = text.endswith("\r")
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        if self._size + len(text) > self._max_line:
            self._check(lines)
        last = lines.pop()
        if lines and self._size:
            self._rest.write(lines[0])
            lines[0] = self._take()
        if last:
            self._rest.write(last)
            self._size += len(last)
        return lines

    def finish(self) -> list[str]:
        """The last line, if the text did not end with the end of one."""
        return [self._take()] if self._size else []

    def _take(self) -> str:
        rest, self._rest, self._size = self._rest.getvalue(), io.StringIO(newline=""), 0
        return rest

    def _check(self, lines: list[str]) -> None:
        sizes = [len(line) for line in lines]
        sizes[0] += self._size
        if max(sizes) > self._max_line:
            raise LimitExceeded(self._name, self._max_line)
