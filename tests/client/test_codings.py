"""Stacks of content codings: any of them, in any pieces, within bounds."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aiohttpclient.client import _decompressors
from aiohttpclient.client._codings import MAX_CODINGS, SLACK, Decoder, accept_encoding, decoder_for
from aiohttpclient.client._decompressors import PIECE
from aiohttpclient.errors import BodyTooLarge, DecodingError
from tests.client.coded import (
    BODY,
    FLUSHING,
    KINDS,
    MIB,
    SKIPPABLE,
    ZSTD_MODULES,
    byte_by_byte,
    decode,
    encoded,
    field,
    gzipped,
    outcome,
    read,
    without,
)
from tests.properties.strategies import checked, cuts

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


@pytest.fixture
def _looked_up_anew() -> Iterator[None]:
    caches = (accept_encoding.cache_clear, _decompressors.coding.cache_clear)
    for clear in caches:
        clear()
    yield
    for clear in caches:
        clear()


# -- what is asked for


@pytest.mark.usefixtures("_looked_up_anew")
@pytest.mark.parametrize(
    ("missing", "value"),
    [
        ((), "gzip, deflate, br, zstd"),
        (("brotli",), "gzip, deflate, zstd"),
        (ZSTD_MODULES, "gzip, deflate, br"),
        (("brotli", *ZSTD_MODULES), "gzip, deflate"),
    ],
)
def test_accept_encoding(missing: tuple[str, ...], value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept-Encoding names what is installed, and it is looked up once."""
    without(monkeypatch, *missing)
    assert accept_encoding() == value
    monkeypatch.undo()
    assert accept_encoding() == value


# -- what Content-Encoding says


@pytest.mark.parametrize(
    "value", [None, "", " ", ",", "identity", "Identity", "identity, identity", " , identity ,\t,"]
)
def test_nothing_to_do(value: str | None) -> None:
    """Without a coding there is nothing to decode."""
    assert decoder_for(value) is None
    assert decode(value, BODY, None) is BODY


@pytest.mark.parametrize(
    ("value", "codings"),
    [
        ("gzip", ("gzip",)),
        ("GZip", ("gzip",)),
        ("x-gzip", ("x-gzip",)),
        ("deflate,br", ("deflate", "br")),
        ("\tgzip ,, identity,\tbr , ", ("gzip", "br")),
    ],
)
def test_lists(value: str, codings: tuple[str, ...]) -> None:
    """The field is a list, in any case; empty elements and identity do not count (RFC 9110 sections 5.6.1 and 8.4)."""
    decoder = decoder_for(value)
    assert decoder is not None
    assert decoder.codings == codings
    assert decode(value, encoded(codings, BODY), None) == BODY


@pytest.mark.parametrize("outer", KINDS)
@pytest.mark.parametrize("inner", KINDS)
def test_stacks(inner: str, outer: str) -> None:
    """Codings are taken off in the reverse of the order in which they were applied, whole or byte by byte."""
    data = encoded([inner, outer], BODY)
    assert read(field([inner, outer]), [data]) == BODY
    assert read(field([inner, outer]), byte_by_byte(data)) == BODY


def test_order() -> None:
    """The same codings in another order are another body."""
    with pytest.raises(DecodingError):
        decode("br, gzip", encoded(["gzip", "br"], BODY), None)


@pytest.mark.parametrize(
    ("value", "coding", "reason"),
    [
        ("compress", "compress", "not known; what can be decoded is gzip, deflate"),
        ("gzip, x-compress", "x-compress", "not known"),
        ("x-compress, gzip", "x-compress", "not known"),
        ("x" * 5000, "x" * 40, "not known"),
        (", ".join(["gzip"] * (MAX_CODINGS + 1)), "gzip, gzip, ", "6 codings, where 5 are the most"),
        (", ".join(["gzip"] * 5000), "gzip, gzip, ", "5000 codings, where 5 are the most"),
    ],
)
def test_what_cannot_be_decoded(value: str, coding: str, reason: str) -> None:
    """A coding that is unknown, or one too many, is an error for the first byte of the body, and none before."""
    decoder = decoder_for(value)
    assert decoder is not None
    assert list(decoder.feed(b"")) == []
    assert list(decoder.finish()) == []
    with pytest.raises(DecodingError) as caught:
        next(decoder.feed(b"x"))
    assert caught.value.coding.startswith(coding)
    assert reason in caught.value.reason
    assert len(str(caught.value)) < 200
    assert decode(value, b"", 0) == b""
    with pytest.raises(DecodingError):
        decode(value, b"x", None)


def test_the_most_codings() -> None:
    """As many codings as are allowed can be taken off."""
    kinds = ["gzip", "deflate", "br", "zstd", "deflate (raw)"]
    assert len(kinds) == MAX_CODINGS
    assert decode(field(kinds), encoded(kinds, BODY), None) == BODY


@pytest.mark.usefixtures("_looked_up_anew")
@pytest.mark.parametrize(
    ("coding", "package", "modules"), [("br", "brotli", ("brotli",)), ("zstd", "backports-zstd", ZSTD_MODULES)]
)
def test_not_installed(coding: str, package: str, modules: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """The error for a coding that is not installed says what to install."""
    without(monkeypatch, *modules)
    with pytest.raises(DecodingError, match=f"pip install -U {package}"):
        decode(f"gzip, {coding}", encoded(["gzip", coding], BODY), None)
    assert decode(coding, b"", None) == b""


# -- one at a time


def test_pieces_must_be_taken() -> None:
    """Bytes are not lost in silence when the pieces of the last ones were not all taken."""
    decoder = Decoder(("gzip",))
    pieces = decoder.feed(gzipped(bytes(10 * PIECE)))
    next(pieces)
    with pytest.raises(RuntimeError, match="not all pieces"):
        decoder.feed(b"more")
    with pytest.raises(RuntimeError, match="not all pieces"):
        decoder.finish()
    assert sum(map(len, pieces)) == 9 * PIECE
    assert list(decoder.finish()) == []


def test_after_an_error() -> None:
    """A decoder that has failed does not go on, and says the same again."""
    decoder = Decoder(("gzip",))
    with pytest.raises(DecodingError) as first:
        list(decoder.feed(b"<html>"))
    with pytest.raises(DecodingError, match=re.escape(str(first.value))):
        decoder.feed(gzipped(BODY))
    with pytest.raises(DecodingError, match=re.escape(str(first.value))):
        decoder.finish()


@pytest.mark.parametrize("codings", [(*inner, outer) for inner in [(), ("gzip",)] for outer in FLUSHING])
def test_as_it_comes(codings: tuple[str, ...]) -> None:
    """What a server has flushed can be read before the rest is sent, in a stack as well."""
    encoders = [FLUSHING[name]() for name in codings]
    decoder = Decoder(codings)
    for line in (b"one\n", b"two\n", bytes(3 * PIECE)):
        part = line
        for encode in encoders:
            part = encode(part)
        assert b"".join(decoder.feed(part)) == line


def test_finish_raises_at_once() -> None:
    """That a body is not complete is told by the call, also to those who expect no more pieces."""
    decoder = Decoder(("gzip",))
    list(decoder.feed(gzipped(BODY)[:-1]))
    with pytest.raises(DecodingError, match="cut short"):
        decoder.finish()


@pytest.mark.parametrize("cut", ["inner", "outer"])
def test_cut_inside(cut: str) -> None:
    """In a stack, the coding that is cut short is the one that is named."""
    inner = encoded(["br"], BODY)
    data = gzipped(inner[:-1]) if cut == "inner" else gzipped(inner)[:-1]
    with pytest.raises(DecodingError, match="cut short") as caught:
        decode("br, gzip", data, None)
    assert caught.value.coding == ("br" if cut == "inner" else "gzip")


# -- how much


@pytest.mark.parametrize("kinds", [[], ["gzip"], ["br", "gzip"]], ids=field)
def test_max_size(kinds: list[str]) -> None:
    """A body may be as long as the bound, and not a byte longer."""
    data = encoded(kinds, BODY)
    assert decode(field(kinds), data, len(BODY)) == BODY
    for bound in (len(BODY) - 1, 1, 0):
        with pytest.raises(BodyTooLarge) as caught:
            decode(field(kinds), data, bound)
        assert caught.value.allowed == bound
    assert decode(field(kinds), encoded(kinds, b""), 0) == b""


STACKS = [["gzip"], ["deflate"], ["deflate (raw)"], ["br"], ["zstd"], ["br", "gzip"], ["gzip", "zstd"], ["gzip"] * 5]


def _bomb(kinds: list[str], mib: int) -> bytes:
    return encoded(kinds, bytes(mib * MIB))


@pytest.fixture
def _traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
@pytest.mark.parametrize("kinds", STACKS, ids=field)
def test_memory(kinds: list[str]) -> None:
    """However much a small body unfolds to, and through however many codings, a few pieces of it are held at a time."""
    bomb = _bomb(kinds, 16)
    decoder = decoder_for(field(kinds))
    assert decoder is not None
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    size = 0
    for piece in decoder.feed(bomb):
        assert len(piece) <= PIECE
        size += len(piece)
    _, peak = tracemalloc.get_traced_memory()
    assert size == 16 * MIB
    assert peak - before < 6 * PIECE * len(kinds)


@pytest.mark.usefixtures("_traced")
@pytest.mark.parametrize("kinds", STACKS, ids=field)
def test_memory_of_a_bounded_body(kinds: list[str]) -> None:
    """No more is held of a body that is too large than the bound, and a few pieces."""
    bomb = _bomb(kinds, 16)
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()
    with pytest.raises(BodyTooLarge):
        decode(field(kinds), bomb, MIB)
    _, peak = tracemalloc.get_traced_memory()
    # BytesIO has an eighth more than is in it, and both the old and the new when it grows.
    assert peak - before < 2.25 * MIB + 6 * PIECE * len(kinds)


WATCH = """
import sys
from aiohttpclient.client._codings import decoder_for

def memory(which):
    lines = open("/proc/self/status").read().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(which))

bomb = sys.stdin.buffer.read()
decoder = decoder_for(sys.argv[1])
before = memory("VmRSS")
print(sum(map(len, decoder.feed(bomb))), memory("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the high-water mark of memory is read from /proc")
@pytest.mark.parametrize(
    ("kinds", "mib", "times"),
    [(["gzip"], 64, 8), (["br"], 32, 1), (["zstd"], 32, 1), (["gzip", "gzip"], 32, 1), (["br", "zstd"], 32, 1)],
)
def test_memory_of_the_process(kinds: list[str], mib: int, times: int) -> None:
    """512 MiB of zeros cost the whole process, with all decompressors, less than 8 MiB while they are streamed."""
    run = subprocess.run(
        [sys.executable, "-c", WATCH, field(kinds)],
        input=_bomb(kinds, mib) * times,
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=50,
    )
    decoded, grown = map(int, run.stdout.split())
    assert decoded == mib * times * MIB
    assert grown < 8 * MIB


NOTHING = {
    "empty members": gzip.compress(b""),
    "skippable frames": SKIPPABLE,
    "long names": b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 5000 + b"\0" + gzip.compress(b"")[10:],
    "long frames": SKIPPABLE[:4] + (5000).to_bytes(4, "little") + bytes(5000),
}


@pytest.mark.parametrize("nothing", NOTHING.values(), ids=NOTHING)
def test_much_for_nothing(nothing: bytes) -> None:
    """A body that unfolds, between two codings, to much that stands for nothing is refused, not worked through."""
    inner = "zstd" if nothing.startswith(SKIPPABLE[:4]) else "gzip"
    decoder = Decoder((inner, "gzip"))
    with pytest.raises(DecodingError, match="many bytes that stand for few") as caught:
        list(decoder.feed(gzipped(nothing * (4 * SLACK // len(nothing)))))
    assert caught.value.coding == inner
    few = nothing * (SLACK // 8 // len(nothing))
    assert decode(f"{inner}, gzip", gzipped(few + encoded([inner], BODY)), None) == BODY


@pytest.mark.parametrize("inner", KINDS)
def test_much_that_cannot_be_made_shorter(inner: str) -> None:
    """What a coding made is never so much longer than the body that it is refused inside another one."""
    noise = bytes((number * number * 2654435761 >> 13) & 0xFF for number in range(3 * SLACK))
    assert decode(field([inner, "gzip"]), encoded([inner, "gzip"], noise), None) == noise


# -- properties

bodies = st.one_of(
    st.binary(max_size=300),
    st.builds(bytes.__mul__, st.binary(min_size=1, max_size=20), st.integers(0, 20_000)),
)
stacks = st.lists(st.sampled_from([*KINDS, "x-gzip", "identity"]), min_size=1, max_size=MAX_CODINGS).filter(
    lambda kinds: set(kinds) != {"identity"}
)


@checked
@given(bodies, stacks, st.data())
def test_there_and_back(body: bytes, kinds: list[str], data: st.DataObject) -> None:
    """Any body, in any codings, split in any way, is decoded to what it was."""
    raw = encoded(kinds, body)
    assert read(field(kinds), data.draw(cuts(raw))) == body
    assert decode(field(kinds), raw, len(body)) == body


@checked
@given(bodies, stacks, st.data())
def test_any_cut_is_noticed(body: bytes, kinds: list[str], data: st.DataObject) -> None:
    """A body that was cut anywhere is an error, whatever its codings and however it was split."""
    raw = encoded(kinds, body)
    assume(len(raw) > 1)  # nothing at all is one byte in br
    raw = raw[: data.draw(st.integers(1, len(raw) - 1))]
    assert outcome(field(kinds), data.draw(cuts(raw))) is DecodingError
    assert outcome(field(kinds), [raw]) is DecodingError


@checked
@given(bodies, st.lists(st.sampled_from(["gzip", "deflate", "zstd"]), min_size=1, max_size=3), st.data())
def test_damage_is_noticed(body: bytes, kinds: list[str], data: st.DataObject) -> None:
    """A byte that was changed is an error, or of no consequence, in codings with a checksum.

    The first two of deflate are left alone, which tell whether it has one.
    """
    raw = bytearray(encoded(kinds, body))
    raw[data.draw(st.integers(2 if kinds[-1] == "deflate" else 0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    assert outcome(field(kinds), data.draw(cuts(bytes(raw)))) in {body, DecodingError}


@checked
@given(bodies, stacks, st.data())
def test_cutting_changes_nothing(body: bytes, kinds: list[str], data: st.DataObject) -> None:
    """A damaged body has one outcome however it is split, and that is a body or a named error."""
    raw = bytearray(encoded(kinds, body))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    whole = outcome(field(kinds), [bytes(raw)])
    assert outcome(field(kinds), data.draw(cuts(bytes(raw)))) == whole
    assert outcome(field(kinds), byte_by_byte(bytes(raw))) == whole


@checked
@given(stacks, st.binary(max_size=200))
def test_anything(kinds: list[str], data: bytes) -> None:
    """Bytes that are no coding at all are a body or a named error."""
    assert outcome(field(kinds), [data]) == outcome(field(kinds), byte_by_byte(data))
