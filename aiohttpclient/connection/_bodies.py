"""The body of a response, on its way from the peer: one class for each framing (RFC 9112 section 6.3).

All offer the same operations, of which ``more``, ``read_all`` and ``read_into`` wait:

* ``available()``: how many bytes can be taken now; ``find(end)``: where among them the first line ends,
* ``take(count)``: take them; ``more()``: wait until there are some, or ``ended``,
* ``read_all()`` and ``read_into(view)``: take many, by the shortest way for the framing.

``ended`` is true once every byte was taken. A body that the peer cuts short raises ``IncompleteRead`` whatever the
framing, and a reset raises the error of the system: there is no silent short body.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from collections import deque
from typing import TYPE_CHECKING

from ..errors import IncompleteRead, ReadTimeout
from ..wire import BodyKind, ChunkedDecoder

if TYPE_CHECKING:
    from ..net import StreamProtocol
    from ..wire import Framing, MessageLimits

CHUNKED = BodyKind.CHUNKED

PREALLOCATED = 256 * 1024 * 1024
"""Bytes of address space taken on a peer's word. Pages are touched only when bytes arrive in them, so a lie costs no
memory; above this the space grows as the body does."""

DIRECT_MINIMUM = 32 * 1024
"""Bytes. Below this a detour over the receive buffer costs less than a destination of its own."""

BLOCK = 512 * 1024
"""Bytes of the largest block that is handed out when the caller does not say how much it wants. With half or twice as
much, streaming measures slower."""


class Body(ABC):
    """What the framings share."""

    __slots__ = ("ended", "seconds", "stream")

    def __init__(self, stream: StreamProtocol, seconds: float | None) -> None:
        self.stream = stream
        self.seconds = seconds
        self.ended = False

    @abstractmethod
    def available(self) -> int:
        """Bytes that can be taken without waiting."""

    @abstractmethod
    def find(self, end: int) -> int:
        """Bytes through the first line feed among the first ``end`` available ones; 0 when there is none."""

    @abstractmethod
    def take(self, count: int) -> bytes:
        """``count`` bytes, which are available."""

    @abstractmethod
    async def more(self) -> None:
        """Wait until bytes are available or the body has ended.

        :raises IncompleteRead: the peer cut the body short
        """

    def take_rest(self) -> bytes | None:
        """All that is left, when it has arrived already; None when that cannot be told without waiting."""
        return None

    async def read_line(self, limit: int) -> bytes:
        """Bytes through the next line feed, at most ``limit`` of them (any number when negative), fewer at the end."""
        parts: list[bytes] = []
        while limit and not self.ended:
            end = self.available() if limit < 0 else min(self.available(), limit)
            found = self.find(end)
            if end:
                parts.append(self.take(found or end))
            if found or end == limit:
                break
            limit -= end if limit > 0 else 0
            try:
                await self.more()
            except IncompleteRead as error:
                raise IncompleteRead(b"".join(parts), error.expected) from error.__cause__
        return b"".join(parts)

    async def read_some(self, limit: int) -> bytes:
        """From 1 to ``limit`` bytes, as soon as there are any; none at the end."""
        if not self.available():
            await self.more()
        return self.take(min(self.available(), limit))

    async def read_soon(self, limit: int, seconds: float) -> bytes:
        """As ``read_some``, but none, too, when none come within ``seconds``: then the body is as it was."""
        own, self.seconds = self.seconds, seconds
        try:
            return await self.read_some(limit)
        except ReadTimeout:
            return b""
        finally:
            self.seconds = own

    async def read_exactly(self, count: int) -> bytes:
        """``count`` bytes, fewer only where the body ends."""
        parts: list[bytes] = []
        try:
            while count and not self.ended:
                part = await self.read_some(count)
                parts.append(part)
                count -= len(part)
        except IncompleteRead as error:
            raise IncompleteRead(b"".join(parts), error.expected) from error.__cause__
        return b"".join(parts)

    async def read_all(self) -> bytes:
        """Everything that is left."""
        parts: list[bytes] = []
        try:
            while not self.ended:
                parts.append(await self.read_some(BLOCK))
        except IncompleteRead as error:
            raise IncompleteRead(b"".join((*parts, error.partial)), error.expected) from error.__cause__
        return b"".join(parts)

    async def read_into(self, view: memoryview) -> int:
        """Fill ``view``, or as much of it as the body has left; the number of bytes written."""
        filled = 0
        try:
            while filled < len(view) and not self.ended:
                part = await self.read_some(len(view) - filled)
                view[filled : filled + len(part)] = part
                filled += len(part)
        except IncompleteRead as error:
            raise IncompleteRead(bytes(view[:filled]), error.expected) from error.__cause__
        return filled


class LengthBody(Body):
    """A body of known length. Large reads are received straight into their destination."""

    __slots__ = ("_last", "_spare", "remaining")

    def __init__(self, stream: StreamProtocol, seconds: float | None, length: int) -> None:
        self.stream = stream
        self.seconds = seconds
        self.ended = False
        self.remaining = length
        self._last: io.BytesIO | None = None
        self._spare: io.BytesIO | None = None

    def available(self) -> int:
        return min(len(self.stream.reader.buffered), self.remaining)

    def find(self, end: int) -> int:
        return self.stream.reader.buffered.find(b"\n", 0, min(end, self.remaining)) + 1

    def take(self, count: int) -> bytes:
        data = self.stream.reader.take(count)
        self._count(count)
        return data

    def take_rest(self) -> bytes | None:
        remaining = self.remaining
        if len(self.stream.reader.buffered) < remaining:
            return None
        self.remaining = 0
        self.ended = True
        return self.stream.reader.take(remaining)

    async def more(self) -> None:
        while not (self.stream.reader.buffered or self.ended):
            if self.stream.ended:
                raise self._cut_short(b"")
            await self.stream.wait(self.seconds, ReadTimeout)

    async def read_some(self, limit: int) -> bytes:
        stream = self.stream
        if stream.reader.buffered or stream.ended or min(limit, self.remaining) < DIRECT_MINIMUM:
            return await super().read_some(limit)
        limit = min(limit, self.remaining, BLOCK)
        sink = self._next_sink(limit)
        with sink.getbuffer() as whole, whole[:limit] as view:
            try:
                await stream.receive_into(view, self.seconds, first_only=True)
            finally:
                filled = limit - stream.received_into()
        if not filled:
            raise self._cut_short(b"")
        self._count(filled)
        sink.truncate(filled)
        return sink.getvalue()

    def _next_sink(self, size: int) -> io.BytesIO:
        """Memory for a block of ``size`` bytes: where possible that of the last but one, which need not be zeroed.

        ``BytesIO`` lends out the memory of the ``bytes`` that it has returned, and copies it if somebody still has
        them. Whoever lets go of each block gets them all in the same two places; a block that is kept stays what it is.
        """
        sink, self._spare = self._spare, self._last
        if sink is None:
            sink = io.BytesIO(bytes(size))
        else:
            sink.seek(size - 1)
            sink.write(b"\0")
        self._last = sink
        return sink

    async def read_exactly(self, count: int) -> bytes:
        count = min(count, self.remaining)
        if count <= self.available():
            return self.take(count)
        return await self._receive(count)

    async def read_all(self) -> bytes:
        return await self.read_exactly(self.remaining)

    async def read_into(self, view: memoryview) -> int:
        wanted = min(len(view), self.remaining)
        with view[:wanted] as destination:
            filled = await self._fill(destination)
        if filled < wanted:
            raise self._cut_short(bytes(view[:filled]))
        return filled

    async def _receive(self, count: int) -> bytes:
        """Receive into memory that becomes the ``bytes`` it is returned as, without a copy.

        ``BytesIO`` over fresh ``bytes`` lends them out for writing and gives the same object back. ``bytes(n)`` of a
        large ``n`` is address space until it is written to.
        """
        size = min(count, PREALLOCATED)
        sink = io.BytesIO(bytes(size))
        filled = 0
        while True:
            # Every view is released, whatever happens: a BytesIO that the collector finds lent out crashes Python
            # before 3.12.2 (gh-111049).
            with sink.getbuffer() as whole, whole[filled:] as rest:
                filled += await self._fill(rest)
            if filled < size or size == count:
                break
            size = min(count, 2 * size)
            sink.seek(size - 1)
            sink.write(b"\0")
        sink.truncate(filled)
        data = sink.getvalue()
        if filled < count:
            raise self._cut_short(data)
        return data

    async def _fill(self, view: memoryview) -> int:
        """Fill ``view`` from the reader, then straight from the transport; less only at the end of the stream."""
        stream = self.stream
        filled = stream.reader.take_into(view)
        while filled < len(view) and not stream.ended:
            with view[filled:] as rest:
                try:
                    await stream.receive_into(rest, self.seconds)
                finally:
                    missing = stream.received_into()
                filled = len(view) - missing
        if filled < len(view) and stream.ended:
            with view[filled:] as rest:
                filled += stream.reader.take_into(rest)  # what was salvaged from a reset
        self._count(filled)
        return filled

    def _count(self, count: int) -> None:
        self.remaining -= count
        if not self.remaining:
            self.ended = True

    def _cut_short(self, partial: bytes) -> Exception:
        return cut_short(self.stream, partial, self.remaining)


class ChunkedBody(Body):
    """A body in chunked coding; ``decoder.trailers`` holds the trailer section once it has ended."""

    __slots__ = ("_ready", "_size", "_strict", "decoder")

    def __init__(self, stream: StreamProtocol, seconds: float | None, limits: MessageLimits, strict: bool) -> None:
        super().__init__(stream, seconds)
        self.decoder = ChunkedDecoder(limits, strict)
        self._strict = strict
        self._ready: deque[bytes | memoryview] = deque()
        self._size = 0

    def available(self) -> int:
        return self._size

    def find(self, end: int) -> int:
        seen = 0
        for piece in self._ready:
            position = bytes(piece[: end - seen]).find(b"\n") + 1
            if position:
                return seen + position
            seen += len(piece)
            if seen >= end:
                break
        return 0

    def take(self, count: int) -> bytes:
        parts = []
        self._size -= count
        while count:
            piece = self._ready.popleft()
            if len(piece) > count:
                self._ready.appendleft(memoryview(piece)[count:])
                piece = piece[:count]
            parts.append(piece)
            count -= len(piece)
        if self.decoder.done and not self._size:
            self.ended = True
        return b"".join(parts)

    def take_rest(self) -> bytes | None:
        if not self.decoder.done:
            self._decode()
        return self.take(self._size) if self.decoder.done else None

    async def more(self) -> None:
        stream = self.stream
        while not (self._size or self.ended):
            if stream.reader.buffered:
                self._decode()
            elif stream.ended:
                if self.decoder.in_trailer and stream.eof and not self._strict:
                    self.ended = (
                        True  # some servers leave out the empty line after the last chunk; http.client forgives
                    )
                    return
                raise cut_short(stream, b"", self.decoder.remaining or None)
            else:
                await stream.wait(self.seconds, ReadTimeout)

    def _decode(self) -> None:
        """Decode what has arrived; the body is not complete yet."""
        reader = self.stream.reader
        for piece in self.decoder.feed(reader.take(len(reader.buffered))):
            self._ready.append(piece)
            self._size += len(piece)
        if self.decoder.done:
            reader.put_back(self.decoder.surplus)
            self.ended = not self._size


class UntilCloseBody(Body):
    """A body that ends where the connection does.

    With ``strict``, TLS must say goodbye (``close_notify``): an end without it may be anybody's (RFC 9112 section 9.8).
    """

    __slots__ = ("_strict",)

    def __init__(self, stream: StreamProtocol, seconds: float | None, strict: bool) -> None:
        super().__init__(stream, seconds)
        self._strict = strict

    def available(self) -> int:
        return len(self.stream.reader.buffered)

    def find(self, end: int) -> int:
        return self.stream.reader.buffered.find(b"\n", 0, end) + 1

    def take(self, count: int) -> bytes:
        return self.stream.reader.take(count)

    async def more(self) -> None:
        stream = self.stream
        while not stream.reader.buffered:
            if stream.ended:
                if stream.fault is not None or (stream.truncated and self._strict):
                    raise cut_short(stream, b"", None)
                self.ended = True
                return
            await stream.wait(self.seconds, ReadTimeout)


def body_of(
    framing: Framing, stream: StreamProtocol, seconds: float | None, limits: MessageLimits, strict: bool
) -> Body | None:
    """The body that ``framing`` announces, None for an empty one; ``seconds`` bound each silence."""
    kind, length = framing.kind, framing.length
    if length is not None:
        return LengthBody(stream, seconds, length) if length else None
    if kind is CHUNKED:
        return ChunkedBody(stream, seconds, limits, strict)
    return UntilCloseBody(stream, seconds, strict)


def cut_short(stream: StreamProtocol, partial: bytes, expected: int | None) -> Exception:
    """The error for a body that ended early: of the system where it says why, else ``IncompleteRead``."""
    if stream.fault is not None and not stream.eof:
        return stream.fault
    return IncompleteRead(partial, expected)
