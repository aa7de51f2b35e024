"""The character classes against the RFC, one by one, and the time the expressions take on input made for that."""

from __future__ import annotations

import string
from time import perf_counter
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.wire import _grammar

if TYPE_CHECKING:
    from collections.abc import Callable

LATIN_1 = [chr(number) for number in range(256)]
# RFC 9110 section 5.6.2, written a second time.
TCHARS = set(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")
# RFC 9110 section 5.5: HTAB, SP, VCHAR, obs-text.
VALUE_CHARS = {"\t"} | {chr(number) for number in range(0x20, 0x7F)} | {chr(number) for number in range(0x80, 0x100)}
VISIBLE = {chr(number) for number in range(0x21, 0x7F)}
# Characters that are no bytes must not slip into a class of bytes.
MORE = [*LATIN_1, "\u0100", "\u2028", "\uff21", "\U0001f600"]


def test_token() -> None:
    """A method and a field name are made of the 77 characters of a token, and of no others."""
    assert {character for character in MORE if _grammar.method(character)} == TCHARS
    assert {character for character in MORE if _grammar.field_name(character.encode())} == TCHARS


def test_an_empty_token_is_none() -> None:
    """A method and a field name have at least one character."""
    assert not _grammar.method("")
    assert not _grammar.field_name(b"")


def test_value() -> None:
    """A field value is made of visible characters, blanks and bytes above 127, whether it is sent or received."""
    assert {character for character in MORE if _grammar.field_value(f"a{character}b")} == VALUE_CHARS
    assert {character for character in MORE if _grammar.field_lines(f"Name: a{character}b\r\n")} == VALUE_CHARS


def test_reason() -> None:
    """A reason is made of the characters of a value."""
    assert {character for character in MORE if _grammar.status_line(f"HTTP/1.1 200 a{character}b\r\n")} == VALUE_CHARS


def test_field_line() -> None:
    """The name in a field line is a token that begins its line and ends at the first colon."""
    found = {character: _grammar.field_lines(f"A{character}B: c\r\n") for character in LATIN_1}
    expected = {character: [(f"A{character}B", "c")] if character in TCHARS else [] for character in LATIN_1}
    # After a colon comes a value, and after a line feed another line.
    assert found == expected | {":": [("A", "B: c")], "\n": [("B", "c")]}


def test_target() -> None:
    """A request target is made of visible ASCII characters."""
    assert {character for character in MORE if _grammar.target(f"/{character}")} == VISIBLE
    assert not _grammar.target("")


def test_chunk_size() -> None:
    """A chunk size is made of hexadecimal digits; only CR LF, an extension and, lenient, blanks may follow."""
    every = [character.encode("latin-1") for character in LATIN_1]
    digits = {digit.encode() for digit in string.hexdigits}
    assert {byte for byte in every if _grammar.plain_chunk_line(b"1%b\r\n" % byte)} == digits
    assert {byte for byte in every if _grammar.chunk_line(b"1%b\r\n" % byte)} == digits | {b";"}
    assert {byte for byte in every if _grammar.lenient_chunk_line(b"%b1\r\n" % byte)} == digits | {b" ", b"\t"}
    assert {byte for byte in every if _grammar.lenient_chunk_line(b"1%b\r\n" % byte)} == digits | {
        b" ",
        b"\t",
        b";",
        b"\n",
    }


def test_extension() -> None:
    """A chunk extension is made of the characters of a value; lenient, of everything but a line feed."""
    every = [character.encode("latin-1") for character in LATIN_1]
    values = {character.encode("latin-1") for character in VALUE_CHARS}
    assert {byte for byte in every if _grammar.chunk_line(b"1;a%bb\r\n" % byte)} == values
    lenient = {byte: _grammar.lenient_chunk_line(b"1;a%bb\r\n" % byte) for byte in every}
    assert {byte for byte, match in lenient.items() if match and match[2] == b";a%bb" % byte} == set(every) - {b"\n"}


@pytest.mark.parametrize("line", [b"1f\r\n", b"1F;a=b\r\n", b"0000000000000000;\r\n", b"0\r\n"])
@pytest.mark.parametrize("strict", [True, False])
def test_beginnings(line: bytes, strict: bool) -> None:
    """Every beginning of a size line is taken for one, and the whole line is not."""
    beginning = _grammar.chunk_line_beginning if strict else _grammar.lenient_chunk_line_beginning
    assert all(beginning(line[:end]) for end in range(len(line)))
    assert not beginning(line)


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("HTTP/2.0 200 OK\r\n", "HTTP/2.0"),
        ("HTTP/2 200\r\n", "HTTP/2"),
        ("HTTP/10.21 200 OK\r\n", "HTTP/10.21"),
        ("HTTP/2 2 OK\r\n", None),
        ("HTTP/x 200 OK\r\n", None),
        ("HTTP/2. 200 OK\r\n", None),
    ],
)
def test_other_versions(line: str, version: str | None) -> None:
    """A status line of another HTTP version is told from a line that is none."""
    match = _grammar.status_line_of_any_version(line)
    assert (match and match[1]) == version


@pytest.mark.parametrize(
    ("value", "status"),
    [
        ("200", "200"),
        ("0200", "200"),
        ("099", None),
        ("1000", None),
        ("+200", None),
        ("2_00", None),
        ("\uff12\uff10\uff10", None),
    ],
)
def test_lenient_status(value: str, status: str | None) -> None:
    """A lenient status is digits with a value of 100 to 999."""
    match = _grammar.lenient_status(value)
    assert (match and match[1]) == status


def test_content_length_is_bounded() -> None:
    """A Content-Length has at most 18 digits, so that it fits into 63 bits."""
    assert _grammar.content_length("9" * 18)
    assert not _grammar.content_length("9" * 19)
    assert _grammar.TOO_LONG - 1 == int("9" * 18) < 2**63
    assert not _grammar.content_length("")
    assert not _grammar.content_length("\uff15")


SLOW: dict[str, Callable[[int], object]] = {
    "blanks in a value": lambda size: _grammar.field_lines("A:" + " " * size + "b" + " " * size + "\0\r\n"),
    "names without colon": lambda size: _grammar.field_lines("a" * size + "\r\n"),
    "lines without value": lambda size: _grammar.field_lines("a\r\n" * size),
    "empty lines": lambda size: _grammar.field_lines("\r\n" * size),
    "a reason of blanks": lambda size: _grammar.status_line("HTTP/1.1 200" + " " * size + "\0"),
    "a long version": lambda size: _grammar.status_line_of_any_version("HTTP/" + "1" * size),
    "a long status": lambda size: _grammar.lenient_status("0" * size),
    "a value": lambda size: _grammar.field_value(" " * size + "\0"),
    "CRs": lambda size: _grammar.lenient_empty_line(b"\r" * size),
    "LF and CR": lambda size: _grammar.lenient_empty_line(b"\n\r" * size),
    "a long chunk size": lambda size: _grammar.chunk_line(b"0" * size),
    "a long extension": lambda size: _grammar.chunk_line(b"0;" + b"a" * size),
    "a long lenient extension": lambda size: _grammar.lenient_chunk_line(b"0;" + b"\r" * size),
    "blanks before a size": lambda size: _grammar.lenient_chunk_line(b" " * size),
    "the beginning of a long extension": lambda size: _grammar.lenient_chunk_line_beginning(
        b"0;" + b"\r" * size + b"\n"
    ),
}


@pytest.mark.parametrize("name", SLOW)
def test_linear(name: str) -> None:
    """100,000 characters take milliseconds, also those made to make an expression try again and again."""
    times = []
    # The best of several, because the machine does other things as well.
    for _ in range(3):
        start = perf_counter()
        SLOW[name](100_000)
        times.append(perf_counter() - start)
    # Seconds. Linear work takes a thousandth of a second, quadratic work several seconds.
    assert min(times) < 0.1
