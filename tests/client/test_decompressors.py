"""The decompressors: what is there, how much they give at once, where they stop."""

from __future__ import annotations

import itertools
import sys
import zlib
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.client._decompressors import CODINGS, PIECE, Coding, coding
from tests.client.coded import BODY, KINDS, MIB, ZSTD_MODULES, br_stream, encoded, name, without, zstd_frame
from tests.support.cases import for_each

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _looked_up_anew() -> Iterator[None]:
    coding.cache_clear()
    yield
    coding.cache_clear()


def _coding(kind: str) -> Coding:
    found = coding(name(kind))
    assert found is not None
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_one_run(kind: str) -> None:
    """A run gives the body, is done at its end mark, and has what comes after that."""
    run = _coding(kind).begin()
    data = encoded([kind], BODY)
    body = b"".join(run.decode(data[:-1]))
    before = run.done
    assert body + b"".join(run.decode(data[-1:])) == BODY
    assert (before, run.done, run.rest) == (False, True, b"")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "br"])
def test_what_comes_after(kind: str) -> None:
    """Bytes after the end mark are kept; brotli alone refuses them."""
    run = _coding(kind).begin()
    assert b"".join(run.decode(encoded([kind], BODY) + b"after")) == BODY
    assert (run.done, run.rest) == (True, b"after")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [0, 1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE, 20 * PIECE])
def test_pieces(kind: str, size: int) -> None:
    """However much few bytes stand for, it comes in pieces of bounded size, and all of it comes."""
    run = _coding(kind).begin()
    sizes = [len(piece) for piece in run.decode(encoded([kind], bytes(size)))]
    assert sum(sizes) == size
    assert all(0 < length <= PIECE for length in sizes)
    assert run.done


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_made_when_asked_for(kind: str) -> None:
    """A run does not decode further than to the piece that was taken."""
    run = _coding(kind).begin()
    pieces = run.decode(encoded([kind], bytes(10 * PIECE)))
    seen = [run.done for _ in pieces]
    assert len(seen) >= 10
    assert not any(seen[:-1])
    assert run.done


@for_each(itertools.product(range(-1, 10), range(9, 16), [False, True]))
def test_both_kinds_of_deflate(level: int, window: int, raw: bool) -> None:
    """Deflate is told from its first two bytes, in zlib's format or bare, whatever level and window made it."""
    deflater = zlib.compressobj(level, wbits=-window if raw else window)
    data = deflater.compress(BODY) + deflater.flush()
    for parts in ([data], [data[:1], data[1:]], [data[:2], data[2:]]):
        run = _coding("deflate").begin()
        assert b"".join(piece for part in parts for piece in run.decode(part)) == BODY
        assert run.done


@pytest.mark.parametrize("alias", ["x-gzip", "gzip"])
def test_alias(alias: str) -> None:
    """x-gzip is gzip (RFC 9110 section 8.4.1.3)."""
    assert _coding(alias).name == "gzip"


@pytest.mark.parametrize("unknown", ["", "identity", "compress", "x-compress", "GZIP", "dcb", "*"])
def test_unknown(unknown: str) -> None:
    """A name that is not a coding that can be undone is none; names are in lower case here."""
    assert coding(unknown) is None


def test_windows_of_zstd() -> None:
    """A zstd frame may ask for 8 MiB of memory, as RFC 9659 has it, and for no more."""
    zstd = _coding("zstd")
    run = zstd.begin()
    assert b"".join(run.decode(zstd_frame(BODY, window_log=23))) == BODY
    with pytest.raises(zstd.error, match="memory"):
        list(zstd.begin().decode(zstd_frame(BODY, window_log=24)))


def test_windows_of_br() -> None:
    """A br stream may have the largest window of its format."""
    assert b"".join(_coding("br").begin().decode(br_stream(BODY, window_log=24))) == BODY


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the packages are missing, so are br and zstd, and nothing else."""
    without(monkeypatch, "brotli", *ZSTD_MODULES)
    assert [one for one in CODINGS if coding(one) is not None] == ["gzip", "deflate"]


def test_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """A brotli that cannot bound its output is as good as none."""
    old = ModuleType("brotli")
    monkeypatch.setattr(old, "Decompressor", object, raising=False)
    monkeypatch.setitem(sys.modules, "brotli", old)
    assert coding("br") is None


def test_output_that_waits() -> None:
    """Output that brotli holds although it has read all input is asked for."""
    data = br_stream(bytes(4 * MIB))
    assert len(data) < 100
    run = _coding("br").begin()
    assert sum(len(piece) for byte in data for piece in run.decode(bytes([byte]))) == 4 * MIB
