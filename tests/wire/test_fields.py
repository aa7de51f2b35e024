"""Blocks of field lines: where they end, what they may hold, how much."""

from __future__ import annotations

from time import perf_counter

import pytest

from aiohttpclient.errors import InvalidChunk, InvalidHead, LimitExceeded, LineTooLong
from aiohttpclient.wire import MessageLimits, _fields
from tests.wire.feeding import LIMITS, byte_by_byte, in_every_way, refused

STATUS = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("raw", "strict_end", "lenient_end"),
    [
        (b"", -1, -1),
        (b"A: b\r\n", -1, -1),
        (b"A: b\r\n\r\n", 8, 8),
        (b"A: b\r\n\r\nrest\r\n\r\n", 8, 8),
        (b"A: b\n\n", -1, 6),
        (b"A: b\n\r\n", -1, 7),
        (b"A: b\r\n\n", -1, 7),
        (b"A: b\r\r\n\r\n", 9, 9),
        (b"A: b\n\nC: d\r\n\r\n", 14, 6),
        (b"A: b\r\n \r\n\r\n", 11, 11),
        (b"A: b\n\r\r\n", -1, -1),
    ],
)
def test_the_end(raw: bytes, strict_end: int, lenient_end: int) -> None:
    """A block ends with CR LF CR LF, or, lenient, with the first line that is empty but for its line end."""
    for strict, expected in ((True, strict_end), (False, lenient_end)):

        def find(pieces: list[bytes], strict: bool = strict) -> int:
            buffer = bytearray()
            seen = 0
            for piece in pieces:
                buffer += piece
                end = _fields.block_end(buffer, seen, strict)
                if end >= 0:
                    return end
                seen = len(buffer)
            return -1

        assert in_every_way(find, raw) == expected


def check(pieces: list[bytes], limits: MessageLimits, strict: bool) -> object:
    """Where the check of a growing head says no, and why."""
    buffer = bytearray()
    for piece in pieces:
        seen = len(buffer)
        buffer += piece
        try:
            _fields.check_block(buffer, limits, strict, seen, _fields.HEAD)
        except (InvalidHead, LimitExceeded, LineTooLong) as error:
            return refused(error)
    return None


@pytest.mark.parametrize("size", [1, 2, 5, 40])
@pytest.mark.parametrize("strict", [True, False])
def test_line_at_the_bound(size: int, strict: bool) -> None:
    """A line may be as long as the bound with its line end, first or later, complete or not, and no longer."""
    good = b"a" * size + b"\r\n"
    limits = MessageLimits(line=size + 2)
    for block in (good, good * 3, good * 2 + b"a" * (size + 2)):
        assert in_every_way(lambda pieces: check(pieces, limits, strict), block) is None
    for block in (b"a" + good, good + b"a" + good, good * 2 + b"a" * (size + 3), good + b"a" + good + good):
        outcome = in_every_way(lambda pieces: check(pieces, limits, strict), block)
        assert outcome == refused(LineTooLong("")), block


def test_line_too_long_says_which() -> None:
    """The error names the status line or a header line, as http.client's does."""
    limits = MessageLimits(line=30)
    with pytest.raises(LineTooLong, match="status line"):
        _fields.check_block(b"a" * 31, limits, True, 0, _fields.HEAD)
    with pytest.raises(LineTooLong, match="header line"):
        _fields.check_block(STATUS + b"a" * 31, limits, True, 0, _fields.HEAD)
    with pytest.raises(LineTooLong, match="trailer line"):
        _fields.check_block(b"\r\n" + b"a" * 31, limits, True, 0, _fields.TRAILER)


@pytest.mark.parametrize("strict", [True, False])
def test_size_at_the_bound(strict: bool) -> None:
    """A block may be as large as its bound, without what does not count, and no larger."""
    limits = MessageLimits(head=30, trailer=30)
    for block, name in ((_fields.HEAD, "head"), (_fields.TRAILER, "trailer")):
        raw = b"\r\n"[: block.prefix] + b"abc\r\n" * 6
        _fields.check_block(raw, limits, strict, 0, block)
        with pytest.raises(LimitExceeded) as caught:
            _fields.check_block(raw + b"a", limits, strict, 0, block)
        assert (caught.value.limit, caught.value.allowed) == (name, 30)


@pytest.mark.parametrize(
    "raw", [b"\n", b"a\n", b"a\r\nb\n", b"\r\r", b"a\ra", b"a\r\r\n", b"a\r\n\rb", b"a\r\n\n", b"\n\r\n"]
)
def test_bare_line_ends(raw: bytes) -> None:
    """Strict: a CR without LF and an LF without CR are refused as soon as they are there; lenient: they are not."""
    assert in_every_way(lambda pieces: check(pieces, LIMITS, True), raw) == refused(InvalidHead())
    assert in_every_way(lambda pieces: check(pieces, LIMITS, False), raw) is None


@pytest.mark.parametrize("raw", [b"\r\n", b"a\r", b"\r", b"a\r\nb\r\n", b"a\r\nb\r", b"", b"a"])
def test_whole_line_ends(raw: bytes) -> None:
    """Strict: CR LF, and a CR at the very end, are let pass."""
    assert in_every_way(lambda pieces: check(pieces, LIMITS, True), raw) is None


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"a" * 9 + b"\nb", refused(InvalidHead())),
        (b"a" * 10 + b"\n", refused(LineTooLong(""))),
        (b"a" * 8 + b"\rb", refused(InvalidHead())),
        (b"a" * 9 + b"\rb", refused(LineTooLong(""))),
        (b"a\r\n" * 10 + b"\n", refused(InvalidHead())),
        (b"a\r\n" * 10 + b"aa\n", refused(LimitExceeded("head", 0))._replace(limit="head")),
        (b"a\r\n" * 4 + b"a\n" + b"b" * 50, refused(InvalidHead())),
        (b"a\r\n" * 7 + b"b" * 11 + b"\n", refused(LineTooLong(""))),
    ],
)
def test_the_first_offence_counts(raw: bytes, expected: object) -> None:
    """Of several offences, the one that is complete after the fewest bytes is the reason, however the block arrives."""
    limits = MessageLimits(line=10, head=32)
    assert in_every_way(lambda pieces: check(pieces, limits, True), raw) == expected


def parse(raw: bytes, *, strict: bool, limits: MessageLimits = LIMITS) -> list[tuple[str, str]]:
    text = (STATUS + raw).decode("latin-1")
    return _fields.parse_fields(text, len(STATUS), limits.fields, strict, InvalidHead)


@pytest.mark.parametrize("strict", [True, False])
def test_fields_at_the_bound(strict: bool) -> None:
    """A block may have as many fields as the bound, and no more."""
    limits = MessageLimits(fields=3)
    assert len(parse(b"A: b\r\n" * 3 + b"\r\n", strict=strict, limits=limits)) == 3
    with pytest.raises(LimitExceeded) as caught:
        parse(b"A: b\r\n" * 4 + b"\r\n", strict=strict, limits=limits)
    assert (caught.value.limit, caught.value.allowed) == ("fields", 3)


def test_fields_at_the_bound_when_odd() -> None:
    """Lenient: continuation lines and lines that are no fields do not count."""
    limits = MessageLimits(fields=3)
    assert len(parse(b"A: b\n c\nnothing\n" * 3 + b"\n", strict=False, limits=limits)) == 3
    with pytest.raises(LimitExceeded):
        parse(b"A: b\n c\n" * 4 + b"\n", strict=False, limits=limits)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b" A: b\r\n\r\n", "folded"),
        (b"A: b\r\n c\r\n\r\n", "folded"),
        (b"A : b\r\n\r\n", "before the colon"),
        (b"A\r\n\r\n", "not a field: 'A'"),
        (b": b\r\n\r\n", "not a field"),
        (b"A: b\n\r\n", "not CR LF"),
        (b"A: b\r\n\n", "not CR LF"),
        (b"A: b\r\n\r\nC: d\r\n\r\n", "empty line"),
        (b"A: \0\r\n\r\n", r"not a field: 'A: \\x00'"),
        (b"A: " + b"\0" * 1000 + b"\r\n\r\n", "not a field"),
    ],
)
def test_a_refusal_says_why(raw: bytes, text: str) -> None:
    """Strict: the error says what is wrong with which line, and is short."""
    with pytest.raises(InvalidHead, match=text) as caught:
        parse(raw, strict=True)
    assert len(str(caught.value)) < 600


def test_the_error_is_the_callers() -> None:
    """What breaks the grammar of a trailer section is an ``InvalidChunk``."""
    with pytest.raises(InvalidChunk):
        _fields.parse_fields("\r\nA\r\n\r\n", 2, LIMITS.fields, True, InvalidChunk)


@pytest.mark.parametrize("strict", [True, False])
def test_order_and_repetition(strict: bool) -> None:
    """Fields keep their order, their case and their repetitions."""
    raw = b"b: 1\r\nA: 2\r\nB: 3\r\nb: 4\r\n\r\n"
    assert parse(raw, strict=strict) == [("b", "1"), ("A", "2"), ("B", "3"), ("b", "4")]


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("line", [b"a" * 60 + b"\r\n", b"A:" + b" " * 58 + b"\r\n", b"a\r\n"])
def test_byte_by_byte_is_linear(line: bytes, strict: bool) -> None:
    """A byte that arrives alone costs as much at the end of a large head as at its beginning."""
    head = line * (LIMITS.head // len(line))

    def cost(begin: int) -> float:
        buffer = bytearray(head[:begin])
        start = perf_counter()
        for piece in byte_by_byte(head[begin : begin + 4096]):
            seen = len(buffer)
            buffer += piece
            assert _fields.block_end(buffer, seen, strict) == -1
            _fields.check_block(buffer, LIMITS, strict, seen, _fields.HEAD)
        return perf_counter() - start

    # If each call looked at all of the buffer, this would be 100 times.
    assert min(cost(250_000) for _ in range(3)) < 12 * min(cost(2_500) for _ in range(3))
