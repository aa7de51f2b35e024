"""An answer whose body is shown to somebody else on its way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._headers import Headers
    from ..connection import AsyncHTTPResponse

AT_ONCE: Final = 1024 * 1024
"""Bytes that are shown at once, and not in a thread: to hash them takes a millisecond or two."""


class WatchedResponse:
    """As much of ``raw`` as a client needs; see :meth:`ResponseStream.watch`."""

    __slots__ = ("_ended", "_raw", "_seen", "chunked", "head")

    def __init__(self, raw: AsyncHTTPResponse, seen: Callable[[bytes], object], ended: Callable[[], object]) -> None:
        self.head = raw.head
        self.chunked = raw.chunked
        self._raw = raw
        self._seen = seen
        self._ended: Callable[[], object] | None = ended

    @property
    def headers(self) -> Headers:
        """The fields."""
        return self._raw.headers

    @property
    def trailers(self) -> Headers:
        """Those after the body, as far as they have come."""
        return self._raw.trailers

    @property
    def length(self) -> int | None:
        """Bytes of the body that are left; None when only its end will tell."""
        return self._raw.length

    @property
    def complete(self) -> bool:
        """Whether all was read that there is."""
        return self._raw.complete

    def isclosed(self) -> bool:
        """Whether nothing is left to read."""
        return self._raw.isclosed()

    async def read(self) -> bytes:
        """What is left."""
        return await self._show(await self._raw.read())

    async def read1(self, n: int = -1) -> bytes:
        """At most ``n`` bytes of it, as soon as there are any; negative: any number."""
        return await self._show(await self._raw.read1(n))

    async def read_soon(self, n: int, seconds: float) -> bytes:
        """The same, waiting for ``seconds`` at most."""
        return await self._show(await self._raw.read_soon(n, seconds))

    def abort(self) -> None:
        """Give up what is left."""
        self._raw.abort()

    async def close(self) -> None:
        """The same, gracefully."""
        await self._raw.close()

    async def _show(self, block: bytes) -> bytes:
        if len(block) > AT_ONCE:
            await asyncio.to_thread(self._seen, block)
        else:
            self._seen(block)
        if self._raw.complete and self._ended is not None:
            ended, self._ended = self._ended, None
            ended()
        return block
