"""An answer that is read through something else, which does with the body what it is there for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._headers import Headers
    from ..connection import AsyncHTTPResponse


class RelayedResponse:
    """As much of ``raw`` as a client needs: all of it as it is. What is different is for subclasses."""

    __slots__ = ("_raw", "chunked", "head")

    def __init__(self, raw: AsyncHTTPResponse) -> None:
        self.head = raw.head
        self.chunked = raw.chunked
        self._raw = raw

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
        return await self._raw.read()

    async def read1(self, n: int = -1) -> bytes:
        """At most ``n`` bytes of it, as soon as there are any; negative: any number."""
        return await self._raw.read1(n)

    async def read_soon(self, n: int, seconds: float) -> bytes:
        """The same, waiting for ``seconds`` at most."""
        return await self._raw.read_soon(n, seconds)

    def abort(self) -> None:
        """Give up what is left."""
        self._raw.abort()

    async def close(self) -> None:
        """The same, gracefully."""
        await self._raw.close()
