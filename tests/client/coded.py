"""Bodies in content codings, made by the codecs themselves; and ways of reading them."""

from __future__ import annotations

import gzip
import sys
import zlib
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped]  # it ships no types

from aiohttpclient.client import _body
from aiohttpclient.client._codings import decoder_for
from aiohttpclient.client._decoders import Step
from aiohttpclient.client._decompressors import coding
from aiohttpclient.errors import DecodingError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

BODY = b"".join(b"line %d of a body, which repeats itself\n" % (number * number) for number in range(40))

SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00note"
"""A skippable zstd frame (RFC 8878 section 3.1.2)."""

KINDS = ("gzip", "deflate", "deflate (raw)", "br", "zstd")
"""The codings, and both formats of deflate; ``name`` is what Content-Encoding says."""

MIB = 1 << 20


def name(kind: str) -> str:
    return kind.partition(" ")[0]


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def raw_deflated(data: bytes, level: int = -1) -> bytes:
    deflater = zlib.compressobj(level, wbits=-zlib.MAX_WBITS)
    return deflater.compress(data) + deflater.flush()


def zstd_frame(data: bytes, window_log: int = 0) -> bytes:
    """With a checksum, and as a stream, so that the head has a window and no length."""
    parameter = zstd.CompressionParameter
    compressor = zstd.ZstdCompressor(options={parameter.checksum_flag: 1, parameter.window_log: window_log})
    return compressor.compress(data) + compressor.flush()


def br_stream(data: bytes, window_log: int = 22) -> bytes:
    return bytes(brotli.compress(data, quality=5, lgwin=window_log))


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzipped,
    "x-gzip": gzipped,
    "deflate": zlib.compress,
    "deflate (raw)": raw_deflated,
    "br": br_stream,
    "zstd": zstd_frame,
    "identity": bytes,
}


def _gzip_flushing() -> Callable[[bytes], bytes]:
    deflater = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    return lambda data: deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)


def _deflate_flushing() -> Callable[[bytes], bytes]:
    deflater = zlib.compressobj()
    return lambda data: deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)


def _br_flushing() -> Callable[[bytes], bytes]:
    compressor = brotli.Compressor(quality=5)
    return lambda data: bytes(compressor.process(data) + compressor.flush())


def _zstd_flushing() -> Callable[[bytes], bytes]:
    compressor = zstd.ZstdCompressor()
    return lambda data: compressor.compress(data, zstd.ZstdCompressor.FLUSH_BLOCK)


FLUSHING = {"gzip": _gzip_flushing, "deflate": _deflate_flushing, "br": _br_flushing, "zstd": _zstd_flushing}
"""What encodes one part of a body after the other, each so that it can be decoded at once."""


def encoded(kinds: Iterable[str], data: bytes) -> bytes:
    """``data`` in these codings, applied in this order."""
    for kind in kinds:
        data = ENCODERS[kind](data)
    return data


def field(kinds: Iterable[str]) -> str:
    return ", ".join(map(name, kinds))


def read(content_encoding: str, parts: Iterable[bytes]) -> bytes:
    """What a body stands for that comes in these parts."""
    decoder = decoder_for(content_encoding)
    assert decoder is not None
    body = b"".join(piece for part in parts for piece in decoder.feed(part))
    return body + b"".join(decoder.finish())


def decode(content_encoding: str | None, data: bytes, limit: int | None) -> bytes:
    """A complete body, decoded in one go: nobody else wants a turn."""
    decoding = _body.decode(content_encoding, data, limit)
    while True:
        try:
            decoding.send(None)
        except StopIteration as done:
            content: bytes = done.value
            return content


def outcome(content_encoding: str, parts: Iterable[bytes]) -> bytes | type[DecodingError]:
    try:
        return read(content_encoding, parts)
    except DecodingError:
        return DecodingError


def byte_by_byte(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def step(kind: str) -> Step:
    found = coding(name(kind))
    assert found is not None
    return Step(found)


def without(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Make importing these modules fail, as it does where they are not installed."""
    for module in modules:
        monkeypatch.setitem(sys.modules, module, None)


ZSTD_MODULES = ("backports", "backports.zstd", "compression", "compression.zstd")
