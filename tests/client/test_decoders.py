"""One coding taken off: runs after runs, what may stand behind the last, what is cut short."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.client._decoders import EMPTY_RUNS, SLICE, UNBROKEN_RUNS, Refusal, Step
from aiohttpclient.client._decompressors import Coding
from aiohttpclient.errors import DecodingError
from tests.client.coded import (
    BODY,
    KINDS,
    SKIPPABLE,
    byte_by_byte,
    encoded,
    gzipped,
    name,
    raw_deflated,
    step,
    zstd_frame,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiohttpclient.client._decompressors import Buffer


ONE_RUN = ("deflate", "deflate (raw)", "br")


def _read(kind: str, parts: Iterable[Buffer]) -> bytes:
    one = step(kind)
    body = b"".join(piece for part in parts for piece in one.decode(part))
    one.finish()
    return body


def _ways(data: bytes) -> list[list[bytes]]:
    return [[data], byte_by_byte(data), [data[:-1], data[-1:]], [data[:1], b"", data[1:]]]


@pytest.mark.parametrize(
    ("kind", "data", "body"),
    [
        ("gzip", gzipped(b"one") + gzipped(b"two") + gzipped(b"three"), b"onetwothree"),
        ("gzip", gzipped(b"") + gzipped(b"one") + gzipped(b"") + gzipped(b""), b"one"),
        ("gzip", gzipped(b"one") + bytes(1), b"one"),
        ("gzip", gzipped(b"one") + gzipped(b"two") + bytes(600), b"onetwo"),
        ("zstd", zstd_frame(b"one") + zstd_frame(b"two"), b"onetwo"),
        ("zstd", SKIPPABLE + zstd_frame(b"one") + SKIPPABLE + SKIPPABLE + zstd_frame(b"two") + SKIPPABLE, b"onetwo"),
        ("zstd", SKIPPABLE, b""),
        ("zstd", zstd_frame(b""), b""),
    ],
)
def test_many_runs(kind: str, data: bytes, body: bytes) -> None:
    """A body of several members or frames is read to its end, and zeros after gzip are dropped."""
    for parts in _ways(data):
        assert _read(kind, parts) == body


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("gzip", gzipped(BODY) + b"garbage"),
        ("gzip", gzipped(BODY) + b"\0garbage"),
        ("gzip", gzipped(BODY) + b"\0" + gzipped(BODY)),
        ("gzip", gzipped(BODY) + b"\x1f"),
        ("gzip", b"\0" + gzipped(BODY)),
        ("gzip", bytes(20)),
        ("zstd", zstd_frame(BODY) + bytes(4)),
        ("zstd", zstd_frame(BODY) + b"garbage"),
        ("zstd", zstd_frame(BODY) + b"\x28"),
        *(
            (kind, encoded([kind], BODY) + after)
            for kind in ("deflate", "deflate (raw)", "br")
            for after in (b"\0", b"g")
        ),
        *((kind, encoded([kind], BODY) * 2) for kind in ("deflate", "deflate (raw)", "br")),
    ],
)
def test_what_belongs_to_nothing(kind: str, data: bytes) -> None:
    """Bytes that no run and no padding accounts for are an error, however the body was split."""
    for parts in _ways(data):
        with pytest.raises(DecodingError) as caught:
            _read(kind, parts)
        assert caught.value.coding == name(kind)


@pytest.mark.parametrize("kind", KINDS)
def test_cut_short(kind: str) -> None:
    """A body without its last bytes is an error, at whichever byte it was cut and however it was split."""
    data = encoded([kind], BODY)
    for end in range(1, len(data)):
        for parts in ([data[:end]], byte_by_byte(data[:end])):
            with pytest.raises(DecodingError, match="cut short"):
                _read(kind, parts)


@pytest.mark.parametrize("kind", KINDS)
def test_what_came_before_the_cut(kind: str) -> None:
    """What could be decoded of a body that was cut short was given before the error."""
    one = step(kind)
    data = encoded([kind], BODY * 50)
    got = b"".join(one.decode(data[:-1]))
    assert got
    assert (BODY * 50).startswith(got)
    with pytest.raises(DecodingError, match="cut short"):
        one.finish()


@pytest.mark.parametrize("kind", KINDS)
def test_no_content(kind: str) -> None:
    """A body of no bytes is an empty one: servers label an answer to HEAD with the coding of what is not there."""
    for parts in ([], [b""], [b"", b""]):
        assert _read(kind, parts) == b""


def _wrong(data: bytes, at: int) -> bytes:
    whole = bytearray(data)
    whole[at] ^= 0x01
    return bytes(whole)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("gzip", _wrong(gzipped(BODY), -8)),
        ("gzip", gzipped(BODY)[:-4] + struct.pack("<L", len(BODY) + 1)),
        ("gzip", gzipped(BODY) + _wrong(gzipped(BODY), -1)),
        ("gzip", _wrong(gzipped(BODY), 0)),
        ("gzip", b"<html>"),
        ("deflate", _wrong(encoded(["deflate"], BODY), -1)),
        ("deflate", b"<html>"),
        ("deflate", b"\x78\xbb" + raw_deflated(BODY)),  # asks for a preset dictionary
        ("br", b"<html>"),
        ("zstd", _wrong(zstd_frame(BODY), -1)),
        ("zstd", b"<html>"),
        ("zstd", zstd_frame(BODY, window_log=24)),
    ],
)
def test_wrong_bytes(kind: str, data: bytes) -> None:
    """A checksum or length that is not right is an error, as is what is not the coding at all."""
    for parts in _ways(data):
        with pytest.raises(DecodingError) as caught:
            _read(kind, parts)
        assert caught.value.coding == kind
        assert caught.value.reason


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_what_can_be_fed(make: type[Buffer]) -> None:
    """Any kind of bytes can be decoded."""
    assert _read("gzip", [make(gzipped(BODY))]) == BODY


EMPTY = {"gzip": gzipped(b""), "zstd": zstd_frame(b""), "zstd, skippable": SKIPPABLE}
every_empty = pytest.mark.parametrize(
    ("kind", "nothing"), [(kind.partition(",")[0], EMPTY[kind]) for kind in EMPTY], ids=EMPTY
)


@every_empty
def test_runs_without_content(kind: str, nothing: bytes) -> None:
    """A body may have ``EMPTY_RUNS`` runs without content, and one for each run that has some, and not one more."""
    some = encoded([kind], b"x")
    for data, body in ((b"", b""), ((nothing + some) * 20, b"x" * 20), (some * 20 + nothing * 20, b"x" * 20)):
        most = data + nothing * EMPTY_RUNS
        for parts in ([most], [most[at : at + 1000] for at in range(0, len(most), 1000)]):
            assert _read(kind, parts) == body
        with pytest.raises(DecodingError, match=f"more than {EMPTY_RUNS} members or frames without content") as caught:
            _read(kind, [most + nothing])
        assert caught.value.coding == kind


@every_empty
def test_pieces_of_nothing(kind: str, nothing: bytes) -> None:
    """While runs have no content, an empty piece comes now and then."""
    data = nothing * (3 * UNBROKEN_RUNS + 1) + encoded([kind], BODY)
    pieces = list(step(kind).decode(data))
    assert pieces[:3] == [b"", b"", b""]
    assert all(pieces[3:])
    assert b"".join(pieces) == BODY


class _Counting:
    """A run that makes a piece of each slice, and remembers how long those were."""

    done = False
    rest = b""

    def __init__(self, sizes: list[int]) -> None:
        self.sizes = sizes

    def decode(self, data: Buffer) -> Iterator[bytes]:
        self.sizes.append(len(data))
        yield bytes(data[:1])


def test_slices() -> None:
    """A decompressor is given a bounded number of bytes at once, and only when its last piece was taken."""
    sizes: list[int] = []
    pieces = Step(Coding("test", lambda: _Counting(sizes), ValueError)).decode(bytes(3 * SLICE + 1))
    assert sizes == []
    next(pieces)
    assert sizes == [SLICE]
    assert len(list(pieces)) == 3
    assert sizes == [SLICE, SLICE, SLICE, 1]


def test_errors_of_others() -> None:
    """What a decompressor raises for other reasons than wrong bytes passes."""

    class Broken(_Counting):
        def decode(self, data: Buffer) -> Iterator[bytes]:
            raise MemoryError

    with pytest.raises(MemoryError):
        list(Step(Coding("test", lambda: Broken([]), ValueError)).decode(b"x"))


def test_refusal() -> None:
    """What cannot be decoded is an error as soon as there is a byte of it, and not before."""
    refusal = Refusal("lzma", "not known")
    assert list(refusal.decode(b"")) == []
    refusal.finish()
    with pytest.raises(DecodingError, match="not known") as caught:
        refusal.decode(b"x")
    assert (caught.value.coding, refusal.name) == ("lzma", "lzma")
