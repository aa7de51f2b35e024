"""The decompressors that there are, each behind the same few names.

Each class here undoes one *run*: a member of gzip, a frame of zstd, or the only stream of a deflate or br body. It
gives no more than ``PIECE`` bytes at a time, and makes the next piece when the last one was taken.

What a decompressor allocates besides its pieces is bounded by the window of its format: 32 KiB for gzip and deflate,
``WINDOW_LOG`` for zstd, and 16 MiB for br, whose encoders use 4 MiB unless told otherwise.
"""

from __future__ import annotations

import sys
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Buffer: TypeAlias = bytes | bytearray | memoryview

PIECE: Final = 64 * 1024
"""Bytes. The longest decoded piece: large enough that handling it costs little beside making it, small enough that a
stack of codings holds less than one read of a socket may bring."""

WINDOW_LOG: Final = 23
"""The largest zstd window is two to this power, 8 MiB: what RFC 9659 section 3 allows in HTTP. A frame says itself how
much its decoder must allocate, and zstd alone would go to 128 MiB."""

_BR_LIMIT: Final = 16 * 1024
"""What brotli is asked for at a time. It fills its first block of just below 32 KiB before it looks, and beyond that
would go on with one of 64 KiB."""


class Run(Protocol):
    """Undoes one run: a member, a frame, or the only stream there is."""

    @property
    def done(self) -> bool:
        """Whether the end mark was read, and what it says about length and checksum was true."""

    @property
    def rest(self) -> bytes:
        """What came after the end mark, once ``done``."""

    def decode(self, data: Buffer) -> Iterator[bytes]:
        """Yield all that can be told from the bytes so far."""


class _Inflate:
    """A gzip member, or deflate in a format that is known: :mod:`zlib` tells by ``window_bits``."""

    __slots__ = ("_inflater",)

    def __init__(self, window_bits: int) -> None:
        self._inflater = zlib.decompressobj(window_bits)

    @property
    def done(self) -> bool:
        return self._inflater.eof

    @property
    def rest(self) -> bytes:
        return self._inflater.unused_data

    def decode(self, data: Buffer) -> Iterator[bytes]:
        inflater = self._inflater
        while True:
            piece = inflater.decompress(data, PIECE)
            if piece:
                yield piece
            data = inflater.unconsumed_tail
            # A full piece may have left something behind inside zlib even though all bytes were read.
            if inflater.eof or (not data and len(piece) < PIECE):
                return


class _Deflate:
    """Deflate as RFC 9110 section 8.4.1.2 has it, in zlib's format, or bare, as the note there says that some send it.

    The first two bytes tell. A zlib head has 8 in its lower half byte, and is a multiple of 31 (RFC 1950 section 2.2).
    Bare deflate begins with such a half byte only when its first block is stored, is not the last one, and has padding
    bits that are not zero, which no encoder writes.
    """

    __slots__ = ("_first", "_inflate")

    def __init__(self) -> None:
        self._first = b""
        self._inflate: _Inflate | None = None

    @property
    def done(self) -> bool:
        return self._inflate is not None and self._inflate.done

    @property
    def rest(self) -> bytes:
        return self._inflate.rest if self._inflate is not None else b""

    def decode(self, data: Buffer) -> Iterator[bytes]:
        if self._inflate is None:
            data = self._first + bytes(data)
            if len(data) < 2:
                self._first = data
                return
            self._inflate = _Inflate(zlib.MAX_WBITS if _has_zlib_head(data) else -zlib.MAX_WBITS)
        yield from self._inflate.decode(data)


def _has_zlib_head(data: bytes) -> bool:
    return data[0] & 0x0F == zlib.DEFLATED and int.from_bytes(data[:2]) % 31 == 0


class _Br:
    """The one stream of a br body (RFC 7932); brotli itself refuses what comes after its end in the same slice."""

    __slots__ = ("_decompressor",)

    rest: Final = b""

    def __init__(self, brotli: Any) -> None:
        self._decompressor = brotli.Decompressor()

    @property
    def done(self) -> bool:
        return bool(self._decompressor.is_finished())

    def decode(self, data: Buffer) -> Iterator[bytes]:
        process = self._decompressor.process
        while True:
            piece: bytes = process(data, output_buffer_limit=_BR_LIMIT)
            if piece:
                yield piece
            # can_accept_more_data() tells of input only: output may wait although all of that was read.
            if len(piece) < _BR_LIMIT:
                return
            data = b""


class _Zstd:
    """A zstd frame (RFC 8878), data or skippable."""

    __slots__ = ("_decompressor",)

    def __init__(self, zstd: Any) -> None:
        self._decompressor = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: WINDOW_LOG})

    @property
    def done(self) -> bool:
        return bool(self._decompressor.eof)

    @property
    def rest(self) -> bytes:
        rest: bytes = self._decompressor.unused_data
        return rest

    def decode(self, data: Buffer) -> Iterator[bytes]:
        decompressor = self._decompressor
        while True:
            piece: bytes = decompressor.decompress(data, PIECE)
            if piece:
                yield piece
            if decompressor.eof or decompressor.needs_input:
                return
            data = b""


class Coding(NamedTuple):
    """How a content coding is undone.

    ``begin`` makes what undoes one run, ``error`` is what that raises for bytes that it does not understand; ``many``
    says whether another run may follow, ``padded`` whether zeros may.
    """

    name: str
    begin: Callable[[], Run]
    error: type[Exception]
    many: bool = False
    padded: bool = False


def _gzip() -> Coding:
    # 16 asks zlib for gzip's head and trailer, checksum and length included.
    return Coding("gzip", lambda: _Inflate(zlib.MAX_WBITS | 16), zlib.error, many=True, padded=True)


def _deflate() -> Coding:
    return Coding("deflate", _Deflate, zlib.error)


def _br() -> Coding | None:
    try:
        import brotli  # type: ignore[import-untyped]  # it ships no types
    except ImportError:
        return None
    if not hasattr(brotli.Decompressor, "can_accept_more_data"):
        return None  # before 1.2 it cannot stop at a bound, so that a small body could take any amount of memory
    return Coding("br", lambda: _Br(brotli), brotli.error)


def _zstd() -> Coding | None:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd
        else:
            from backports import zstd
    except ImportError:
        return None
    return Coding("zstd", lambda: _Zstd(zstd), zstd.ZstdError, many=True)


CODINGS: Final[dict[str, Callable[[], Coding | None]]] = {"gzip": _gzip, "deflate": _deflate, "br": _br, "zstd": _zstd}
"""What makes each coding that is known, or finds that it is not installed. The order is that of Accept-Encoding."""

ALIASES: Final = {"x-gzip": "gzip"}
"""Names that are to be read as another one (RFC 9110 section 8.4.1.3)."""

PACKAGES: Final = {"br": "brotli", "zstd": "backports-zstd"}
"""What a coding needs, of the extra ``brotli``, or ``zstd``."""


@cache
def coding(name: str) -> Coding | None:
    """How the content coding `name`, in lower case, is undone: None when it is not known or not installed.

    The packages are imported when they are first asked for.
    """
    make = CODINGS.get(ALIASES.get(name, name))
    return make() if make is not None else None
