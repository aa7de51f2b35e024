"""The right to one connection of a pool."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..net import StreamProtocol
    from ._book import Page
    from ._connections import PooledConnection


class SlotState(IntEnum):
    """Where a slot stands. It begins as CONNECTING and ends as CLOSED."""

    CONNECTING = 0
    """Somebody opens its connection."""
    BUSY = 1
    """Somebody has its connection."""
    IDLE = 2
    """Its connection is open, and nobody's."""
    CLOSED = 3
    """It is no longer in the book, and counts for nothing."""


class Slot:
    """One connection of the pool, open or about to be: what the limits count.

    ``page`` and ``state`` belong to the book. ``conn`` and ``stream`` are what the slot stands for, ``born`` the time
    of the loop at which it was opened, ``expiry`` the seconds for which it may be idle, and ``used`` tells that it has
    carried an exchange; these belong to the pool.
    """

    __slots__ = ("born", "conn", "expiry", "page", "state", "stream", "used")

    stream: StreamProtocol
    expiry: float | None

    def __init__(self, page: Page) -> None:
        self.page = page
        self.conn: PooledConnection | None = None
        self.state = SlotState.CONNECTING
        self.born = 0.0
        self.used = False

    def __repr__(self) -> str:
        return f"<Slot {self.state.name} of {self.page.key}>"
