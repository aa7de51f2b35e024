"""``_har_bodies.py``: bodies as text and in base64, without their codings, and with them again."""

from __future__ import annotations

import gzip
import zlib

import brotli  # type: ignore[import-untyped]  # it ships no types
import pytest

from aiohttpclient import BodyTooLarge
from aiohttpclient.testing import _har_bodies as bodies

TEXTS = [
    (b"plain", None, "plain"),
    (b'{"a": 1}', "application/json", '{"a": 1}'),
    ("ü 😀".encode(), "text/html", "ü 😀"),
    ("ü".encode("latin-1"), "text/plain; charset=ISO-8859-1", "ü"),
    ("ш".encode("koi8-r"), "text/plain; charset=koi8-r", "ш"),
    ("日本".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本"),
    (b"\xef\xbb\xbfmark", "text/plain", "\ufeffmark"),
    (b"a\r\n\tb\x0c\x1b[m", "text/plain", "a\r\n\tb\x0c\x1b[m"),
    (b"", "text/plain", ""),
]

DATA = [
    (b"\xff\xd8\xff", "image/jpeg"),
    ("ü".encode("latin-1"), "text/plain"),
    (b"\x00\x01", "text/plain"),
    ("ü".encode("utf-16-be"), "text/plain; charset=utf-16"),
    (b"\xe9", "text/plain; charset=no-such"),
    (b"\x1b$B\x1b(B", "text/plain; charset=iso-2022-jp"),
]


@pytest.mark.parametrize(("body", "content_type", "text"), TEXTS)
def test_text(body: bytes, content_type: str | None, text: str) -> None:
    """Text is stored as text, decoded by its charset or as UTF-8, and gives the same bytes again."""
    assert bodies.stored(body, content_type) == (text, False)
    assert bodies.restored(text, "", content_type) == body


@pytest.mark.parametrize(("body", "content_type"), DATA)
def test_data(body: bytes, content_type: str) -> None:
    """What is no text, or would not give the same bytes again, is stored in base64."""
    text, is_base64 = bodies.stored(body, content_type)
    assert is_base64
    assert text.isascii()
    assert bodies.restored(text, "base64", content_type) == body


def test_text_that_its_charset_does_not_have() -> None:
    """A character that somebody has written into a file, and that the charset lacks, becomes a question mark."""
    assert bodies.restored("aш", None, "text/plain; charset=latin-1") == b"a?"


@pytest.mark.parametrize(
    ("text", "encoding", "why"),
    [("a", "base64", "not base64"), ("é", "base64", "not base64"), ("a", "gzip", "'gzip'"), ("a", 7, "7")],
)
def test_wrong_text(text: str, encoding: object, why: str) -> None:
    """Text that is not in the encoding that is said of it, or of one that HAR does not know, is refused."""
    with pytest.raises(ValueError, match=why):
        bodies.restored(text, encoding, None)


def test_base64_in_lines() -> None:
    """Base64 may be broken into lines, as some tools write it."""
    assert bodies.restored("aGVs\r\nbG8=\n", "base64", None) == b"hello"


# -- content codings


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(b"text", mtime=0), "gzip"),
        (gzip.compress(b"text", mtime=0), "x-GZIP"),
        (zlib.compress(b"text"), "deflate"),
        (gzip.compress(zlib.compress(b"text"), mtime=0), "deflate, gzip"),
        (brotli.compress(b"text"), "br"),
        (b"text", None),
        (b"text", "identity"),
    ],
)
def test_decoded(body: bytes, coding: str | None) -> None:
    """Codings are undone as the client undoes them."""
    assert bodies.decoded(body, coding) == b"text"


@pytest.mark.parametrize(
    ("body", "coding"), [(b"text", "gzip"), (gzip.compress(b"text", mtime=0)[:-1], "gzip"), (b"text", "rot13")]
)
def test_what_cannot_be_decoded(body: bytes, coding: str) -> None:
    """What is broken, cut short, or in an unknown coding cannot be stored decoded."""
    assert bodies.decoded(body, coding) is None


def test_nothing_is_nothing() -> None:
    """An empty body is one in any coding, as servers name codings for answers without content."""
    assert bodies.decoded(b"", "gzip") == b""
    assert bodies.encoded(b"", "gzip") == b""
    assert bodies.encoded(b"", "rot13") == b""


def test_a_bound() -> None:
    """A body that unfolds to more than its bound is given up."""
    body = gzip.compress(bytes(1000))
    assert bodies.decoded(body, "gzip", 1000) == bytes(1000)
    with pytest.raises(BodyTooLarge):
        bodies.decoded(body, "gzip", 999)


@pytest.mark.parametrize("coding", ["gzip", "X-Gzip", "deflate", "deflate, gzip", "identity", "", None])
def test_encoded(coding: str | None) -> None:
    """What the standard library can make is made again, always with the same bytes."""
    made = bodies.encoded(b"text", coding)
    assert made is not None
    assert bodies.decoded(made, coding) == b"text"
    assert bodies.encoded(b"text", coding) == made


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, br", "rot13"])
def test_what_cannot_be_encoded(coding: str) -> None:
    """Codings that only packages know cannot be made again."""
    assert bodies.encoded(b"text", coding) is None
