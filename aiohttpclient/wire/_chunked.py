"""The chunked transfer coding, RFC 9112 section 7.1.

Theory of operation. The decoder takes bytes as they come and returns the payload in them. Payload is never kept; a line
that is not complete is, within its bound. In the common case, a size line and its whole chunk in one piece, one regular
expression and one comparison handle a chunk; everything else goes by small states:

    SIZE --size--> DATA --all of it--> DATA_END --CR LF--> SIZE
      `---size 0--> TRAILER --empty line--> DONE

A body is refused for the same reason however its bytes were split, and as soon as that can be told; only the grammar of
trailer fields waits for the end of their section. Payload found before the offence in the same call is not returned: a
peer that broke the coding is not to be believed about what it said just before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .._headers import Headers
from ..errors import InvalidChunk, LimitExceeded
from . import _grammar
from ._fields import TRAILER, block_end, check_block, parse_fields

if TYPE_CHECKING:
    from ._limits import MessageLimits

LAST_CHUNK: Final = b"0\r\n\r\n"
"""The last chunk and an empty trailer section."""

# Bytes. A slice up to this size costs no more as a copy than as a memoryview, and does not keep the whole arrival
# alive.
_COPY: Final = 4096

_SIZE, _DATA, _DATA_END, _TRAILER, _DONE = range(5)


class ChunkedDecoder:
    """Takes the chunked coding off a body, piece by piece.

    :param limits: bounds of size lines, extensions and the trailer section
    :param strict: refuse everything but 1 to 16 hex digits, then CR LF or an extension; CR LF after each chunk;
        trailer fields as in a head. Lenient: also blanks around a size, and a bare LF for CR LF; trailer fields as in
        a lenient head. ``http.client`` also takes a sign, ``0x`` and underscores in a size, and any two bytes for the
        CR LF after a chunk: those are refused in both modes, because that is how a peer makes two readers see
        different bodies

    ``remaining`` (int): bytes missing of the chunk under way, 0 between chunks. ``trailers`` (Headers): the fields of
    the trailer section once ``done``; what RFC 9110 section 6.5.1 forbids there is not taken out, so they must not be
    merged into the headers. ``surplus`` (bytes): what came after the end.
    """

    __slots__ = ("_extensions", "_limits", "_line", "_state", "_strict", "_trailer", "remaining", "surplus", "trailers")

    def __init__(self, limits: MessageLimits, strict: bool) -> None:
        self._limits = limits
        self._strict = strict
        self._state = _SIZE
        self._line = b""
        self._extensions = 0
        self._trailer = bytearray()
        self.remaining = 0
        self.trailers = Headers()
        self.surplus = b""

    @property
    def done(self) -> bool:
        """Whether the whole body was seen, trailer section included."""
        return self._state == _DONE

    @property
    def in_trailer(self) -> bool:
        """Whether all payload was seen, and only the trailer section, or the rest of it, is missing.

        ``http.client`` takes the end of the connection here for the end of the body.
        """
        return self._state == _TRAILER

    def feed(self, data: bytes) -> list[bytes | memoryview]:
        """Return the payload in the next bytes of the body, in order, without empty pieces.

        :param data: large pieces that are returned are views of it, so it must be immutable
        :raises InvalidChunk: for what is not the chunked coding
        :raises LimitExceeded: ``chunk_line``, ``chunk_extensions``, ``trailer``, ``fields``
        :raises LineTooLong: for a line of the trailer section over ``limits.line``

        After an error the decoder must not be used again.
        """
        payload: list[bytes | memoryview] = []
        at = 0
        size = len(data)
        while at < size:
            state = self._state
            if state == _SIZE:
                at = self._size_line(data, at) if self._line else self._whole_chunks(data, at, payload)
            elif state == _DATA:
                end = min(size, at + self.remaining)
                payload.append(_piece(data, at, end))
                self.remaining -= end - at
                at = end
                if not self.remaining:
                    self._state = _DATA_END
            elif state == _DATA_END:
                at = self._data_end(data, at)
            elif state == _TRAILER:
                at = self._trailer_section(data, at)
            else:
                self.surplus += data[at:]
                break
        return payload

    def _whole_chunks(self, data: bytes, at: int, payload: list[bytes | memoryview]) -> int:
        """Take the chunks that `data` holds from end to end; leave the first that is not plain to the states."""
        size = len(data)
        while at < size:
            match = _grammar.plain_chunk_line(data, at)
            if match is None or self._limits.chunk_line < _grammar.PLAIN_CHUNK_LINE:
                break
            begin = match.end()
            # int() takes white space off, and there is nothing else in what matched.
            end = begin + int(match[0], 16)
            if data[end : end + 2] != b"\r\n":
                break
            if begin == end:
                self._state = _DONE
                return end + 2
            payload.append(_piece(data, begin, end))
            at = end + 2
        else:
            return at
        return self._size_line(data, at)

    def _size_line(self, data: bytes, at: int) -> int:
        end = data.find(b"\n", at) + 1
        line = self._line + data[at : end or len(data)]
        longest = self._limits.chunk_line
        if len(line) > longest or not end:
            match_beginning = _grammar.chunk_line_beginning if self._strict else _grammar.lenient_chunk_line_beginning
            if not match_beginning(line[:longest]):
                raise InvalidChunk(f"not a chunk size: {line[:100]!r}")
            if len(line) > longest:
                raise LimitExceeded("chunk_line", longest)
            self._line = line
            return len(data)
        match = _grammar.chunk_line(line) if self._strict else _grammar.lenient_chunk_line(line)
        if match is None:
            raise InvalidChunk(f"not a chunk size: {line[:100]!r}")
        if match[2] is not None:
            self._extensions += len(match[2])
            if self._extensions > self._limits.chunk_extensions:
                raise LimitExceeded("chunk_extensions", self._limits.chunk_extensions)
        self._line = b""
        self.remaining = int(match[1], 16)
        self._state = _DATA if self.remaining else _TRAILER
        return end

    def _data_end(self, data: bytes, at: int) -> int:
        line = self._line + data[at : at + 2 - len(self._line)]
        if line == b"\r\n" or (not self._strict and line[:1] == b"\n"):
            at += line.index(b"\n") + 1 - len(self._line)
            self._line = b""
            self._state = _SIZE
            return at
        if line != b"\r":
            raise InvalidChunk(f"not the CR LF that ends a chunk: {line!r}")
        self._line = line
        return at + 1

    def _trailer_section(self, data: bytes, at: int) -> int:
        buffer = self._trailer or bytearray(b"\r\n")
        seen = len(buffer)
        buffer += data[at:]
        end = block_end(buffer, seen, self._strict)
        check_block(buffer[:end] if end >= 0 else buffer, self._limits, self._strict, seen, TRAILER)
        if end < 0:
            self._trailer = buffer
            return len(data)
        text = buffer[:end].decode("latin-1")
        self.trailers.extend(parse_fields(text, TRAILER.prefix, self._limits.fields, self._strict, TRAILER.error))
        self._trailer = bytearray()
        self._state = _DONE
        return at + end - seen


def _piece(data: bytes, begin: int, end: int) -> bytes | memoryview:
    if end - begin <= _COPY or end - begin == len(data):
        return data[begin:end]  # CPython returns `data` itself for a slice of all of it
    return memoryview(data)[begin:end]


def chunk_header(size: int) -> bytes:
    """Return the size line that goes before a chunk of ``size`` bytes; CR LF goes after it (RFC 9112 section 7.1).

    In upper-case digits, as ``http.client`` writes them.

    :raises ValueError: for a size below 1: a chunk of 0 bytes ends the body, and is :data:`LAST_CHUNK`
    """
    if size < 1:
        raise ValueError(f"a chunk holds at least one byte, not {size}")
    return b"%X\r\n" % size


def encode_chunk(data: bytes | bytearray | memoryview) -> bytes:
    """Return ``data`` as one chunk, or nothing for no data, since an empty chunk would end the body."""
    size = memoryview(data).nbytes
    return b"".join((b"%X\r\n" % size, data, b"\r\n")) if size else b""
