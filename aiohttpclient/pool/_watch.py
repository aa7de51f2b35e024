"""Who tells a pool what becomes of its connections: these are known to streams, and do not keep the pool alive."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..connection import AsyncHTTPResponse
    from ..net import StreamProtocol
    from ._connections import PooledConnection
    from ._slot import Slot
    from ._stock import Stock


class Watch:
    """Tells the pool what becomes of the stream of a slot, and does not keep the pool alive."""

    __slots__ = ("_slot", "_stock")

    def __init__(self, stock: Stock, slot: Slot) -> None:
        self._stock = weakref.ref(stock)
        self._slot = slot

    def spoiled(self, stream: StreamProtocol) -> None:
        """``StreamProtocol.on_spoiled``."""
        stock = self._stock()
        if stock is not None:
            stock.stream_spoiled(self._slot, stream)

    def lost(self, stream: StreamProtocol) -> None:
        """``StreamProtocol.on_lost``."""
        stock = self._stock()
        if stock is not None:
            stock.stream_lost(self._slot, stream)


class Asking:
    """The owner of a connection until the head of a response is there: so far, failures are told by exceptions."""

    __slots__ = ("_pool",)

    def __init__(self, pool: Stock) -> None:
        self._pool = weakref.ref(pool)

    def exchange_complete(self, conn: PooledConnection, response: AsyncHTTPResponse) -> None:
        """The response has no body: its connection is free at once."""
        pool = self._pool()
        if pool is not None:
            pool.exchange_complete(conn, response)

    def connection_ended(self, conn: PooledConnection) -> None:
        """``request`` is going to hear of it."""
