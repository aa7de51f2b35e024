"""Bodies in HAR files: as text where they are text, in base64 else; without their content codings, and with them again.

What browsers, people and ``diff`` look at is the content as it is after decoding. How it was on the wire can be told
from that mostly: by compressing it again. Where that would give other bytes, ``_compressed`` has them.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import re
import zlib
from typing import TYPE_CHECKING, Any, Final

from ..client import charset_of, decoder_for
from ..errors import BodyTooLarge, DecodingError

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
"""Controls that no text has, but for blanks, and ESC, which some charsets need."""

_ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "x-gzip": lambda data: gzip.compress(data, mtime=0),
    "deflate": zlib.compress,
}
"""The codings that the standard library can make again, always with the same bytes."""


# -- text


def as_text(body: bytes, content_type: str | None) -> str | None:
    """``body`` as text from which the very same bytes can be made again; None where it is none.

    The encoding is what ``charset`` in the Content-Type says, or UTF-8.
    """
    encoding = charset_of(content_type) or "utf-8"
    try:
        text = body.decode(encoding)
        if text.encode(encoding) != body:
            return None
    except UnicodeError:
        return None
    return None if _NO_TEXT.search(text) else text


def as_bytes(text: str, content_type: str | None) -> bytes:
    """What ``as_text`` was made of; where somebody wrote characters that the charset does not have, ``?`` for them."""
    return text.encode(charset_of(content_type) or "utf-8", "replace")


def stored(body: bytes, content_type: str | None) -> tuple[str, bool]:
    """A body as a string in JSON, and whether that is base64."""
    text = as_text(body, content_type)
    return (base64.b64encode(body).decode(), True) if text is None else (text, False)


def restored(text: str, encoding: Any, content_type: str | None) -> bytes:
    """The body of which ``text`` is in a file, where ``encoding`` is what that says about it.

    :raises ValueError: the encoding is not known, or the text is not base64
    """
    if not encoding:
        return as_bytes(text, content_type)
    if encoding != "base64":
        raise ValueError(f"an encoding of text that is not base64: {encoding!r:.40}")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a text that is not base64, as is said of it") from None


# -- content codings


def decoded(body: bytes, content_encoding: str | None, most: int | None = None) -> bytes | None:
    """``body`` without its content codings; None where these cannot be undone.

    :param most: bytes that it may have then; None: any number
    :raises BodyTooLarge: it has more
    """
    decoder = decoder_for(content_encoding)
    if decoder is None or not body:
        return body
    content = bytearray()
    try:
        for piece in decoder.feed(body):
            content += piece
            if most is not None and len(content) > most:
                raise BodyTooLarge(most)
        for piece in decoder.finish():
            content += piece
    except DecodingError:
        return None
    return bytes(content)


def encoded(content: bytes, content_encoding: str | None) -> bytes | None:
    """``content`` in the codings that a Content-Encoding names; None where they cannot be made here."""
    names = [name.strip(" \t").lower() for name in (content_encoding or "").split(",")]
    for name in names:
        if name in {"", "identity"} or not content:
            continue
        if name not in _ENCODERS:
            return None
        content = _ENCODERS[name](content)
    return content
