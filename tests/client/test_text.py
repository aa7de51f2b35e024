"""Text from bytes and lines from text: however the body is cut, it is what the whole would give."""

from __future__ import annotations

import re
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aiohttpclient.client._charsets import CHARSETS, GUESS, GUESS_SAMPLE, text_encoding
from aiohttpclient.client._text import MAX_LINE, LineSplitter, TextDecoder, chosen_encoding, decode_text
from aiohttpclient.errors import LimitExceeded

T = TypeVar("T", bytes, str)

ENCODINGS = sorted({text_encoding(name) for name in CHARSETS})

DELICATE = [0x00, 0x0A, 0x0D, 0x0E, 0x0F, 0x1B, 0x24, 0x28, 0x40, 0x41, 0x42, 0x7B, 0x7D, 0x7E, 0x80, 0x81, 0xA4, 0xAC]
"""Bytes that mean something in one multi-byte encoding or another."""

broken = st.sampled_from([*DELICATE, 0xC3, 0xD8, 0xDC, 0xE2, 0xEF, 0xBB, 0xBF, 0xFE, 0xFF])
bodies = st.lists(broken | st.integers(0, 255)).map(bytes)
cut_places = st.lists(st.integers(0, 200), max_size=8)


def cut(whole: T, places: list[int]) -> list[T]:
    """``whole`` in pieces, also empty ones."""
    ends: list[int] = [*sorted(place % (len(whole) + 1) for place in places), len(whole)]
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def decoded(pieces: list[bytes], content_type: str | None = None, **options: str | None) -> str:
    decoder = TextDecoder(content_type, **options)  # type: ignore[arg-type]  # str and None, as it wants them
    return "".join(map(decoder.feed, pieces)) + decoder.finish()


# -- text


@given(data=bodies, places=cut_places, encoding=st.sampled_from(ENCODINGS))
@settings(max_examples=300)
@example(data=b"\xff\xfe\x00\x00", places=[1, 2, 3], encoding="utf-16")
@example(data=b"\xef\xbb\xbf\xef\xbb\xbfx", places=[1, 4], encoding="utf-8")
@example(data=b"\x1b$(((((((((((((((((((((", places=[4, 5, 6, 7, 8, 9, 10], encoding="iso2022_jp")
@example(data=b"\x1b&@\x1b$BF|K\\\x1b(B\x1b&", places=[1, 2, 4, 7, 12], encoding="iso2022_jp")
@example(data=b"\x1b$B\x1b\x1b\x1b$\x1b(", places=list(range(9)), encoding="iso2022_jp_ext")
def test_cuts_do_not_show(data: bytes, places: list[int], encoding: str) -> None:
    """Cut anywhere, in any encoding, broken or not, a body becomes the text that it becomes at once."""
    whole = decode_text(data, encoding=encoding)
    assert decoded(cut(data, places), encoding=encoding) == whole
    assert decoded([data[at : at + 1] for at in range(len(data))], encoding=encoding) == whole


@given(
    data=bodies, places=cut_places, content_type=st.sampled_from([None, "application/json", "text/a; charset=utf-16"])
)
def test_cuts_do_not_show_in_what_is_chosen(data: bytes, places: list[int], content_type: str | None) -> None:
    """The encoding is chosen by the first bytes of the body, not by those of its first block."""
    chosen = chosen_encoding(data, content_type)
    assert decoded(cut(data, places), content_type) == decode_text(data, chosen)


@given(text=st.text(), encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]))
def test_text_with_a_mark_comes_back(text: str, encoding: str) -> None:
    """Text that was encoded with a byte order mark is decoded without one, and without being told how."""
    data = ("\ufeff" + text).encode(encoding, "replace")
    expected = data.decode(encoding)[1:]
    if not (encoding == "utf-16-le" and expected.startswith("\0")):  # looks like UTF-32
        assert decode_text(data) == expected


@pytest.mark.parametrize(
    ("data", "content_type", "text"),
    [
        (b"", None, ""),
        (b"\xef\xbb\xbf", None, ""),
        (b"\xef\xbb\xbf\xef\xbb\xbfa", None, "\ufeffa"),
        (b"\xef\xbb\xbfa", "text/plain; charset=utf-8", "a"),
        (b"\xff\xfea\0", "text/plain; charset=utf-16le", "a"),
        (b"a\xffb", None, "a\ufffdb"),
        (b"caf\xe9", "text/plain; charset=latin1", "café"),
        (b"\x93\x94", "text/plain; charset=iso-8859-1", "\x93\x94"),
        ("naïve".encode(), "text/plain; charset=us-ascii", "naïve"),
        (b"a\0", "text/plain; charset=utf-16", "a"),
        (b"a\0b", "text/plain; charset=utf-16", "a\ufffd"),
        ("{\ufeff}".encode(), "application/json", "{\ufeff}"),
        ("日本 a".encode("iso2022_jp"), "text/plain; charset=iso-2022-jp", "日本 a"),
        (b"\x1b&@" + "日本 a".encode("iso2022_jp"), "text/plain; charset=iso-2022-jp", "日本 a"),
        ("한국".encode("iso2022_kr"), "text/plain; charset=iso-2022-kr", "한국"),
        (b"a\x1b[0mb\x1b", "text/plain; charset=iso-2022-jp", "a\ufffd[0mb\ufffd"),
    ],
)
def test_decode_text(data: bytes, content_type: str | None, text: str) -> None:
    """One byte order mark at the beginning goes, what cannot be decoded becomes U+FFFD, and the rest stays."""
    assert decode_text(data, chosen_encoding(data, content_type)) == text
    assert decoded([data], content_type) == text


def test_the_encoding_shows_when_it_is_known() -> None:
    """A decoder keeps back what may be a byte order mark, and nothing else: a short first block is text at once."""
    decoder = TextDecoder("text/plain")
    assert (decoder.feed(b""), decoder.feed(b"\xff\xfe"), decoder.encoding) == ("", "", None)
    assert (decoder.feed(b"a"), decoder.encoding) == ("", "utf-16-le")
    assert (decoder.feed(b"\0"), decoder.finish()) == ("a", "")
    prompt = TextDecoder()
    assert (prompt.feed(b"1"), prompt.encoding) == ("1", "utf-8")
    short = TextDecoder()
    assert (short.feed(b"\xef\xbb"), short.finish(), short.encoding) == ("", "\ufffd", "utf-8")


def test_a_guess_is_made_of_the_same_bytes() -> None:
    """A stream is kept back until there is enough for a guess, which is then that of the whole body."""
    pytest.importorskip("charset_normalizer")
    text = "Съешь же ещё этих мягких французских булок, да выпей чаю.\n"
    for data in (text.encode("cp1251") * 3, text.encode("cp1251") * (3 * GUESS_SAMPLE // len(text))):
        whole = decode_text(data, encoding=GUESS)
        assert whole.startswith(text)
        assert decoded([data[at : at + 1000] for at in range(0, len(data), 1000)], encoding=GUESS) == whole


def test_encodings_are_checked_at_once() -> None:
    """A decoder for an encoding that does not exist is not made."""
    with pytest.raises(LookupError):
        TextDecoder(encoding="nonsense")
    with pytest.raises(LookupError):
        TextDecoder(encoding=GUESS, default="hex")


# -- lines


def split(pieces: list[str], max_line: int = MAX_LINE) -> list[str]:
    splitter = LineSplitter(max_line)
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.finish()


texts = st.lists(st.sampled_from(["\r", "\n", "\r\n", "a", "é", "😀", "\u2028", "\x85", "\x0b", "\x1c"])).map("".join)


@given(text=texts, places=cut_places)
@example(text="a\r\n\r\nb\r", places=[2, 4])
def test_lines_do_not_depend_on_cuts(text: str, places: list[int]) -> None:
    """Cut anywhere, a text has the lines that a universal-newline text file has."""
    expected = re.split("\r\n|\r|\n", text)
    expected = expected if expected[-1] else expected[:-1]
    assert split([text]) == split(cut(text, places)) == split(list(text)) == expected


def test_lines_come_as_soon_as_they_end() -> None:
    """A line that ends with a carriage return is not kept back to see what follows."""
    splitter = LineSplitter()
    assert splitter.feed("data: 1\r") == ["data: 1"]
    assert splitter.feed("") == []
    assert splitter.feed("\n") == []
    assert splitter.feed("\n") == [""]
    assert splitter.feed("rest") == []
    assert splitter.finish() == ["rest"]
    assert splitter.finish() == []


@given(text=texts, places=cut_places, limit=st.integers(0, 4))
def test_long_lines_are_refused(text: str, places: list[int], limit: int) -> None:
    """A line is refused when it is longer than allowed, however it comes; its end does not count."""
    if max(map(len, [*split([text]), ""])) <= limit:
        assert split(cut(text, places), max_line=limit) == split([text])
        return
    for pieces in ([text], cut(text, places), list(text)):
        with pytest.raises(LimitExceeded, match="max_line") as caught:
            split(pieces, max_line=limit)
        assert (caught.value.limit, caught.value.allowed) == ("max_line", limit)


def test_an_endless_line_is_refused() -> None:
    """A peer that never ends a line fills no more than ``MAX_LINE`` characters."""
    splitter = LineSplitter(name="max_event")
    block = "x" * 65536
    with pytest.raises(LimitExceeded, match="max_event"):
        for _ in range(MAX_LINE // len(block) + 1):
            splitter.feed(block)
