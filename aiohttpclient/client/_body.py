"""The body of a response on its way to the caller: taken from the connection, decoded, and counted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ..errors import BodyTooLarge, ConcurrentUse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..connection import AsyncHTTPResponse
    from ._codings import Decoder

BLOCK: Final = 64 * 1024
"""Bytes that are taken from the connection at a time where they have to be decoded. A block of the best coding there is
may mean a thousand times as many, of which the decoder holds one piece."""

UNBROKEN: Final = 16
"""Pieces after which the loop has its turn: what arrived at once may mean a thousand times as much, and meanwhile no
timeout and no cancellation is heard. That many are decoded in about a millisecond."""


class Body:
    """Gives the bytes of a body, as they come or in blocks.

    :param raw: where they come from
    :param decoder: undoes the content codings; None: nothing is undone
    :param limit: bytes that the body may have when it is decoded; None: any number
    :raises BodyTooLarge: it is known from the start that it has more
    """

    __slots__ = ("_claimed", "_decoder", "_ended", "_kept", "_left", "_limit", "_pieces", "_raw", "_unbroken")

    def __init__(self, raw: AsyncHTTPResponse, decoder: Decoder | None, limit: int | None) -> None:
        if decoder is None and limit is not None and (raw.length or 0) > limit:
            raise BodyTooLarge(limit)
        self._raw = raw
        self._decoder = decoder
        self._limit = limit
        self._left = limit
        self._pieces: Iterator[bytes] = iter(())
        self._kept = bytearray()
        self._ended = False
        self._unbroken = 0
        self._claimed = False

    async def some(self) -> bytes:
        """The next bytes, as soon as there are any; none at the end.

        :raises BodyTooLarge: there are more than may be
        :raises ConcurrentUse: another task is waiting for some
        :raises DecodingError: the coding is broken or cut short
        :raises IncompleteRead: the peer ended the body early
        """
        return await self._alone(None)

    async def exactly(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer only at the end; for the same reasons as ``some`` it may fail."""
        return await self._alone(size)

    async def _alone(self, size: int | None) -> bytes:
        if self._claimed:
            raise ConcurrentUse("another task is reading this body")
        self._claimed = True
        try:
            if size is None:
                return self._take(None) if self._kept else await self._more()
            while len(self._kept) < size and (block := await self._more()):
                if not self._kept and len(block) == size:
                    return block
                self._kept += block
            return self._take(size)
        finally:
            self._claimed = False

    def _take(self, size: int | None) -> bytes:
        """Of what was kept ``size`` bytes, or all."""
        taken = bytes(self._kept[:size])
        del self._kept[:size]
        return taken

    async def _more(self) -> bytes:
        block = await (self._raw.read1() if self._decoder is None else self._piece(self._decoder))
        if self._left is not None:
            self._left -= len(block)
            if self._left < 0:
                assert self._limit is not None
                raise BodyTooLarge(self._limit)
        return block

    async def _piece(self, decoder: Decoder) -> bytes:
        self._unbroken += 1
        if self._unbroken >= UNBROKEN:
            self._unbroken = 0
            await asyncio.sleep(0)
        while not (piece := next(self._pieces, b"")):
            if self._ended:
                return b""
            block = await self._raw.read1(BLOCK)
            self._ended = not block
            self._pieces = decoder.feed(block) if block else decoder.finish()
        return piece
