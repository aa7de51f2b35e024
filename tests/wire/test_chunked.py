"""The chunked coding; what is wrong with hostile bodies is in ``hostile.py``."""

from __future__ import annotations

from array import array
from time import perf_counter

import pytest

from aiohttpclient._headers import Headers
from aiohttpclient.errors import InvalidChunk, LimitExceeded
from aiohttpclient.wire import LAST_CHUNK, ChunkedDecoder, MessageLimits, chunk_header, encode_chunk
from tests.wire.feeding import LIMITS, Decoded, Refused, byte_by_byte, chunked_of, read_chunked

END = b"0\r\n\r\n"


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("raw", "payload"),
    [
        (END, b""),
        (b"000\r\n\r\n", b""),
        (b"5\r\nhello\r\n" + END, b"hello"),
        (b"5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n" + END, b"hello world"),
        (b"00a\r\n0123456789\r\n" + END, b"0123456789"),
        (b"A\r\n0123456789\r\n" + END, b"0123456789"),
        (b"a;b\r\n0123456789\r\n" + END, b"0123456789"),
        (b'a;b="\xff\t ;c\r\n0123456789\r\n0;last\r\n\r\n', b"0123456789"),
        (b"7\r\n\r\n0\r\n\r\n\r\n" + END, b"\r\n0\r\n\r\n"),
        (b"1800\r\n" + b"x" * 6144 + b"\r\n" + END, b"x" * 6144),
    ],
)
def test_bodies(raw: bytes, payload: bytes, strict: bool) -> None:
    """The payload is what the chunks hold, in order, whatever is in it."""
    assert chunked_of(raw, strict=strict) == Decoded(payload, True, [], b"", 0)


@pytest.mark.parametrize("strict", [True, False])
def test_trailers(strict: bool) -> None:
    """Trailer fields are given as fields, in their order, without the blanks around their values."""
    raw = b"1\r\nx\r\n0\r\nDigest: a=b \r\nX: 1\r\nx: 2\r\n\r\n"
    assert chunked_of(raw, strict=strict) == Decoded(b"x", True, [("Digest", "a=b"), ("X", "1"), ("x", "2")], b"", 0)
    decoder = ChunkedDecoder(LIMITS, strict)
    decoder.feed(raw)
    assert isinstance(decoder.trailers, Headers)
    assert decoder.trailers["DIGEST"] == "a=b"


def test_lenient_trailers() -> None:
    """Lenient: the trailer section is read as a lenient head is."""
    raw = b"0\nA: b\n c\nnothing\nD : e\n\n"
    assert chunked_of(raw, strict=False) == Decoded(b"", True, [("A", "b c"), ("D", "e")], b"", 0)


def test_states() -> None:
    """``done``, ``in_trailer`` and ``remaining`` follow the bytes."""
    decoder = ChunkedDecoder(LIMITS, True)
    seen = []
    for piece in (b"a", b"\r\n", b"0123", b"456789", b"\r", b"\n0", b"\r\n", b"A: b\r\n", b"\r\n", b"rest", b"more"):
        decoder.feed(piece)
        seen.append((decoder.done, decoder.in_trailer, decoder.remaining))
    assert seen == [
        (False, False, 0),
        (False, False, 10),
        (False, False, 6),
        (False, False, 0),
        (False, False, 0),
        (False, False, 0),
        (False, True, 0),
        (False, True, 0),
        (True, False, 0),
        (True, False, 0),
        (True, False, 0),
    ]
    assert decoder.surplus == b"restmore"


def test_nothing_is_fed() -> None:
    """No bytes change nothing."""
    decoder = ChunkedDecoder(LIMITS, True)
    assert decoder.feed(b"") == []
    assert not decoder.done


def test_cut_anywhere() -> None:
    """A body that ends early is never done, and what is missing of a chunk is known."""
    raw = b"5\r\nhello\r\n3;a\r\nabc\r\n0\r\nA: b\r\n\r\n"
    for end in range(len(raw)):
        outcome = read_chunked([raw[:end]], LIMITS, True)
        assert isinstance(outcome, Decoded)
        assert not outcome.done
        assert b"helloabc".startswith(outcome.payload)
        in_chunk = 3 <= end < 8 or 15 <= end < 18
        assert outcome.remaining == ((8 - end if end < 8 else 18 - end) if in_chunk else 0)


@pytest.mark.parametrize("size", [1, 4096, 4097, 65536])
def test_payload_is_not_copied_when_large(size: int) -> None:
    """A large piece is a view of what was fed, or the very object, and a small one is bytes."""
    body = b"x" * size
    decoder = ChunkedDecoder(LIMITS, True)
    (piece,) = decoder.feed(chunk_header(size) + body + b"\r\n")
    assert isinstance(piece, memoryview if size > 4096 else bytes)
    assert piece == body
    decoder = ChunkedDecoder(LIMITS, True)
    decoder.feed(chunk_header(size + 1))
    (piece,) = decoder.feed(body)
    assert piece is body


@pytest.mark.parametrize("strict", [True, False])
def test_size_line_at_the_bound(strict: bool) -> None:
    """A size line may be as long as the bound, with its line end, and no longer."""
    for limit in (5, 17, 18, 40):
        limits = MessageLimits(chunk_line=limit)
        fits = b"0;" + b"a" * (limit - 4) + b"\r\n\r\n"
        assert chunked_of(fits, strict=strict, limits=limits) == Decoded(b"", True, [], b"", 0)
        longer = b"0;" + b"a" * (limit - 3) + b"\r\n\r\n"
        assert chunked_of(longer, strict=strict, limits=limits) == Refused("LimitExceeded", "chunk_line")
    # Also for a line without an extension, of which 18 bytes are the longest there is.
    for limit in (6, 17):
        limits = MessageLimits(chunk_line=limit)
        line = b"1\r\n".rjust(limit, b"0")
        assert chunked_of(line + b"x\r\n" + END, strict=strict, limits=limits) == Decoded(b"x", True, [], b"", 0)
        outcome = chunked_of(b"0" + line + b"x\r\n" + END, strict=strict, limits=limits)
        assert outcome == Refused("LimitExceeded", "chunk_line")


@pytest.mark.parametrize("strict", [True, False])
def test_extensions_at_the_bound(strict: bool) -> None:
    """All extensions of a body together may be as long as the bound, each counted from its semicolon, and no longer."""
    limits = MessageLimits(chunk_extensions=12)
    fits = b"1;abc\r\nx\r\n1\r\nx\r\n1;abc\r\nx\r\n0;abc\r\n\r\n"
    assert chunked_of(fits, strict=strict, limits=limits) == Decoded(b"xxx", True, [], b"", 0)
    longer = fits.replace(b"0;abc", b"0;abcde")
    assert chunked_of(longer, strict=strict, limits=limits) == Refused("LimitExceeded", "chunk_extensions")


@pytest.mark.parametrize("strict", [True, False])
def test_trailer_at_the_bound(strict: bool) -> None:
    """A trailer section may be as large as the bound, with its empty line, and no larger."""
    limits = MessageLimits(trailer=20)
    fits = b"0\r\nA: 34567\r\nB: 5\r\n\r\n"
    assert len(fits) - len(b"0\r\n") == 18
    assert isinstance(chunked_of(fits, strict=strict, limits=limits), Decoded)
    assert isinstance(chunked_of(fits.replace(b"5", b"555", 1), strict=strict, limits=limits), Decoded)
    longer = fits.replace(b"5", b"5555", 1)
    assert chunked_of(longer, strict=strict, limits=limits) == Refused("LimitExceeded", "trailer")


@pytest.mark.parametrize("strict", [True, False])
def test_trailer_lines_and_fields_at_the_bound(strict: bool) -> None:
    """A line of the trailer section, and the number of its fields, have the bounds of a head."""
    raw = b"0\r\nA: b\r\nC: def\r\n\r\n"
    assert isinstance(chunked_of(raw, strict=strict, limits=MessageLimits(line=8, fields=2)), Decoded)
    assert chunked_of(raw, strict=strict, limits=MessageLimits(line=7)) == Refused("LineTooLong")
    assert chunked_of(raw, strict=strict, limits=MessageLimits(fields=1)) == Refused("LimitExceeded", "fields")


@pytest.mark.parametrize(
    ("raw", "after"),
    [
        (b"HTTP/1.1 200 OK\r\n", 1),
        (b"-1\r\n", 1),
        (b"0x10\r\n", 2),
        (b"00000000000000001\r\n", 17),
        (b"5 \r\n", 2),
        (b"5\n", 2),
        (b"5\rx", 3),
        (b"5;a\0", 4),
        (b"1\r\nxX", 5),
        (b"1\r\nx\n", 5),
        (b"1\r\nx\r\r", 6),
        (b"0\r\n\n", 4),
        (b"0\r\nA: b\rC", 9),
    ],
)
def test_refused_at_once(raw: bytes, after: int) -> None:
    """Strict: a body is refused at the very byte that makes it hopeless, so that nobody waits for the rest."""
    pieces = byte_by_byte(raw)
    assert isinstance(read_chunked(pieces[: after - 1], LIMITS, True), Decoded)
    assert read_chunked(pieces[:after], LIMITS, True) == Refused("InvalidChunk")


def test_the_error_is_short() -> None:
    """The error shows the beginning of the line, and no more of it."""
    with pytest.raises(InvalidChunk, match="not a chunk size") as caught:
        ChunkedDecoder(LIMITS, True).feed(b"5;" + b"\xff" * 4000 + b"\0\r\n")
    assert len(str(caught.value)) < 600
    with pytest.raises(LimitExceeded, match="chunk_line"):
        ChunkedDecoder(LIMITS, True).feed(b"5;" + b"\xff" * 5000)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "body",
    [
        b"1\r\nx\r\n" * 8000,
        b"ffff\r\n" + b"x" * 65535 + b"\r\n",
        b"0\r\n" + (b"A: " + b"b" * 500 + b"\r\n") * 80,
        (b"1;" + b"a" * 4000 + b"\r\nx\r\n") * 4,
    ],
)
def test_byte_by_byte_is_linear(body: bytes, strict: bool) -> None:
    """A body that comes byte by byte costs some microseconds a byte, whatever it is made of."""
    pieces = byte_by_byte(body)
    start = perf_counter()
    outcome = read_chunked(pieces, LIMITS, strict)
    # Seconds. Work that looks at everything so far for each byte would take many times as long.
    assert perf_counter() - start < 2
    assert isinstance(outcome, Decoded)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(
    ("data", "chunk"), [(b"hello", b"5\r\nhello\r\n"), (b"x" * 26, b"1A\r\n" + b"x" * 26 + b"\r\n")]
)
def test_encode(kind: type, data: bytes, chunk: bytes) -> None:
    """A chunk is its size in hexadecimal digits (upper case, as http.client writes them), CR LF, the data, CR LF."""
    assert encode_chunk(kind(data)) == chunk
    assert chunk_header(len(data)) + data + b"\r\n" == chunk


def test_encode_counts_bytes() -> None:
    """The size is in bytes, also for data whose items are larger."""
    assert encode_chunk(memoryview(array("H", [1, 2]))) == b"4\r\n" + array("H", [1, 2]).tobytes() + b"\r\n"


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_encode_nothing(kind: type) -> None:
    """No data is no chunk, because an empty one would end the body."""
    assert encode_chunk(kind(b"")) == b""


@pytest.mark.parametrize("size", [0, -1])
def test_header_of_nothing(size: int) -> None:
    """The size line of an empty chunk is refused, because it would end the body."""
    with pytest.raises(ValueError, match="at least one byte"):
        chunk_header(size)


def test_last_chunk() -> None:
    """The last chunk ends a body."""
    assert chunked_of(encode_chunk(b"a") + LAST_CHUNK, strict=True) == Decoded(b"a", True, [], b"", 0)
