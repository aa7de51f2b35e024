"""An ``asyncio.StreamReader`` whose buffer can be looked at and taken from without waiting.

The stock reader can only be read by awaiting, and copies what it hands out twice. A parser wants to look at what is
there, take exactly what it understood, and leave the rest. Everything else (limits, pausing the transport, end of file)
is inherited, so the reader that :meth:`AsyncHTTPConnection.detach` gives away is a complete ``asyncio.StreamReader``.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Future, Transport

READER_LIMIT = 64 * 1024
"""Bytes. The transport is paused above twice this, so a slow reader holds at most 128 KiB and one receive buffer."""

SMALL = 4096
"""Bytes that are copied twice faster than a ``memoryview`` of them is made."""


class StreamReader(asyncio.StreamReader):
    """A stock reader with synchronous access to its buffer.

    ``buffered`` (bytearray) is what has arrived and was not taken yet: to be looked at, not to be kept or changed.

    Relies on attributes of the base class that have kept their names and meaning since Python 3.4, and on its buffer
    being one object for life; ``tests/net/test_reader.py`` proves both for the Python it runs on.
    """

    _buffer: bytearray
    _paused: bool
    _transport: Transport | None
    _waiter: Future[None] | None
    _limit: int

    if TYPE_CHECKING:  # typeshed leaves out what is private

        def _maybe_resume_transport(self) -> None: ...

    def __init__(self, limit: int, loop: AbstractEventLoop) -> None:
        super().__init__(limit, loop)
        self.buffered = self._buffer

    def feed_data(self, data: bytes | memoryview) -> None:  # type: ignore[override]  # what transports have to give
        """Append ``data``: the stock method, less what the common case does not need."""
        if self._waiter is None and len(self._buffer) + len(data) <= self._limit:
            self._buffer.extend(data)
        else:
            super().feed_data(data)

    def take(self, count: int) -> bytes:
        """The first ``count`` bytes of the buffer, which must hold as many."""
        buffer = self._buffer
        if count == len(buffer):
            data = bytes(buffer)
            buffer.clear()
        elif count < SMALL:
            data = bytes(buffer[:count])
            del buffer[:count]
        else:
            data = bytes(memoryview(buffer)[:count])
            del buffer[:count]
        if self._paused:
            self._maybe_resume_transport()
        return data

    def take_into(self, view: memoryview) -> int:
        """Move as much as there is into ``view``; the number of bytes moved."""
        buffer = self._buffer
        count = min(len(buffer), len(view))
        view[:count] = memoryview(buffer)[:count]
        del buffer[:count]
        if self._paused:
            self._maybe_resume_transport()
        return count

    def pause_below(self, transport: Transport) -> None:
        """Pause and resume ``transport``, which is below TLS, instead of TLS.

        What TLS has decrypted is small and bounded; but uvloop's TLS loses it when it is paused as the connection ends.
        """
        self._transport = transport

    def resume(self) -> None:
        """Let the transport go on although nothing was taken; for a caller that bounds what it lets pile up."""
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def put_back(self, data: bytes) -> None:
        """Make ``data`` the next bytes to be taken: a parser took more than was its own."""
        if data:
            self._buffer[:0] = data

    def release_transport(self) -> None:
        """Forget the transport, which is gone: what is left in the buffer can be read without resuming it."""
        self._transport = None
        self._paused = False
