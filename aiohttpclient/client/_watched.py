"""An answer whose body is shown to somebody else on its way."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from ._relayed import RelayedResponse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..connection import AsyncHTTPResponse

AT_ONCE: Final = 1024 * 1024
"""Bytes that are shown at once, and not in a thread: to hash them takes a millisecond or two."""


class WatchedResponse(RelayedResponse):
    """An answer of which somebody sees each block, and the end; see :meth:`ResponseStream.watch`."""

    __slots__ = ("_ended", "_seen")

    def __init__(self, raw: AsyncHTTPResponse, seen: Callable[[bytes], object], ended: Callable[[], object]) -> None:
        super().__init__(raw)
        self._seen = seen
        self._ended: Callable[[], object] | None = ended

    async def read(self) -> bytes:
        """What is left."""
        return await self._show(await super().read())

    async def read1(self, n: int = -1) -> bytes:
        """At most ``n`` bytes of it, as soon as there are any; negative: any number."""
        return await self._show(await super().read1(n))

    async def read_soon(self, n: int, seconds: float) -> bytes:
        """The same, waiting for ``seconds`` at most."""
        return await self._show(await super().read_soon(n, seconds))

    async def _show(self, block: bytes) -> bytes:
        if len(block) > AT_ONCE:
            await asyncio.to_thread(self._seen, block)
        else:
            self._seen(block)
        if self._raw.complete and self._ended is not None:
            ended, self._ended = self._ended, None
            ended()
        return block
