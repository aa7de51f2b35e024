"""The body of a response on its way to the caller: taken from the connection, decoded, and counted."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING, Final

from ..errors import BodyTooLarge, ConcurrentUse
from ._codings import decoder_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..connection import AsyncHTTPResponse
    from ._codings import Decoder

BLOCK: Final = 64 * 1024
"""Bytes that are taken from the connection at a time where they have to be decoded. A block of the best coding there is
may mean a thousand times as many, of which the decoder holds one piece."""

UNBROKEN: Final = 16
"""Pieces after which the loop has its turn, and the clock is looked at: what arrived at once may mean a thousand times
as much, and meanwhile no timeout and no cancellation is heard. That many are decoded in about a millisecond."""


class Body:
    """Gives the bytes of a body, as they come or in blocks.

    :param raw: where they come from
    :param decoder: undoes the content codings; None: nothing is undone
    :param limit: bytes that the body may have when it is decoded; None: any number
    :param check: called now and then while much is made of what is here already, and raises when there is no time left;
        whatever waits for the peer has its own bounds
    :raises BodyTooLarge: it is known from the start that it has more
    """

    __slots__ = ("_check", "_claimed", "_decoder", "_ended", "_kept", "_left", "_limit", "_pieces", "_raw", "_unbroken")

    def __init__(
        self,
        raw: AsyncHTTPResponse,
        decoder: Decoder | None,
        limit: int | None,
        check: Callable[[], object] | None = None,
    ) -> None:
        if decoder is None and limit is not None and (raw.length or 0) > limit:
            raise BodyTooLarge(limit)
        self._raw = raw
        self._decoder = decoder
        self._limit = limit
        self._check = check
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
            await turn(self._check)
        while not (piece := next(self._pieces, None)):
            if piece is not None:  # an empty one: much was done for it
                await turn(self._check)
            elif self._ended:
                return b""
            else:
                block = await self._raw.read1(BLOCK)
                self._ended = not block
                self._pieces = decoder.feed(block) if block else decoder.finish()
        return piece


async def turn(check: Callable[[], object] | None) -> None:
    """Let others go on, and find out whether there is time left to go on oneself."""
    await asyncio.sleep(0)
    if check is not None:
        check()


async def decode(
    content_encoding: str | None, data: bytes, limit: int | None, check: Callable[[], object] | None = None
) -> bytes:
    """Decode a complete body, which takes less time than bit by bit.

    However few bytes it has: 800 of br, or 4 KiB of zstd, may mean half a GiB, so that the loop has its turns here too.

    :param content_encoding: as for :func:`decoder_for`
    :param data: the body as it was sent
    :param limit: bytes that it may be, decoded; None: any number. No more than this and one piece is held
    :param check: as for :class:`Body`
    :raises BodyTooLarge: it is longer
    :raises DecodingError: as for :meth:`Decoder.feed` and :meth:`Decoder.finish`
    """
    decoder = decoder_for(content_encoding)
    if decoder is None:
        if limit is not None and len(data) > limit:
            raise BodyTooLarge(limit)
        return data
    body = BytesIO()  # gives its bytes away in the end without a copy
    size = unbroken = 0
    for piece in _whole(decoder, data):
        size += len(piece)
        if limit is not None and size > limit:
            raise BodyTooLarge(limit)
        body.write(piece)
        unbroken += 1
        if unbroken >= UNBROKEN or not piece:
            unbroken = 0
            await turn(check)
    return body.getvalue()


def _whole(decoder: Decoder, data: bytes) -> Iterator[bytes]:
    yield from decoder.feed(data)
    yield from decoder.finish()
