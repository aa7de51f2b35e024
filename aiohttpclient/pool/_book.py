"""Who has which connection, and who waits for one: decisions, and nothing else.

Theory of operation
-------------------
The book has a *page* for each origin with connections or waiters, and forgets it when there are none. A page counts the
slots of its origin and knows which of them are idle. Nothing here waits, opens or closes: every operation says what is
to be done ("this slot is yours, that one has to be closed, wake him"), and its caller does it in the same step.

Requests that find no room are *waiters*. All of them stand in one line, in the order in which they came, and whoever
has waited longest is served first, whatever its origin: with a connection that became free, if it is one of its
origin's, or with the room of a connection that was closed. A connection that became free is closed when the room is due
to a waiter of another origin.

A waiter whose origin has as many connections as it may have must not hold up the line. When such a one comes to stand
first, it steps *aside*; so whoever stands aside is older than everybody in line. The next connection of its origin that
becomes free, or is closed, is its.

Invariants, which hold between any two operations:

1. No more than ``connections`` slots are open, and of no origin more than ``per_origin``.
2. While somebody waits who could be served, every slot is open and none is idle: nobody waits beside a free connection.
3. A slot has one holder: it is idle, or it was handed to exactly one waiter or caller.

Every operation takes the same time whatever the number of slots, waiters and origins: pages are found by their key, and
lines are ordered dictionaries, from whose ends and middle one takes alike. (A plain dictionary would be searched from
its beginning over everything that was taken from there before.)
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from ..errors import PoolFull
from ._slot import Slot, SlotState

if TYPE_CHECKING:
    from asyncio import Future
    from collections.abc import Hashable, Iterator

    from ._connections import PooledConnection
    from ._limits import PoolLimits

CONNECTING, BUSY, IDLE, CLOSED = SlotState.CONNECTING, SlotState.BUSY, SlotState.IDLE, SlotState.CLOSED


class Page:
    """What the book knows about one origin. ``spare`` is the pool's: what serves for the next connection."""

    __slots__ = ("aside", "idle", "key", "open", "spare", "waiters")

    def __init__(self, key: Any) -> None:
        self.key = key
        self.open = 0
        self.spare: PooledConnection | None = None
        self.idle: dict[Slot, None] = {}  # the one used last is the last
        self.waiters: OrderedDict[Waiter, None] | None = None  # those aside are the first; most origins never have any
        self.aside = 0


class Waiter:
    """A request that waits for a connection.

    ``slot`` is what it was given, once it was; ``future`` and ``deadline`` (a time of the loop) are the pool's.
    """

    __slots__ = ("aside", "deadline", "future", "page", "slot")

    future: Future[None]
    deadline: float

    def __init__(self, page: Page) -> None:
        self.page = page
        self.aside = False
        self.slot: Slot | None = None


class Book:
    """The bookkeeping of one pool."""

    __slots__ = ("_all", "_each", "_idle", "_line", "_most", "_pages", "connecting", "open", "waiting")

    def __init__(self, limits: PoolLimits) -> None:
        self._all = sys.maxsize if limits.connections is None else limits.connections
        self._each = sys.maxsize if limits.per_origin is None else limits.per_origin
        self._most = sys.maxsize if limits.waiting is None else limits.waiting
        self._pages: dict[Any, Page] = {}
        self._line: OrderedDict[Waiter, None] = OrderedDict()
        self._idle: OrderedDict[Slot, None] = OrderedDict()  # the one that has been idle longest is the first
        self.open = 0
        self.connecting = 0
        self.waiting = 0

    # -- what there is -----------------------------------------------------------------------------------------------

    @property
    def idle(self) -> int:
        """How many connections are open and nobody's."""
        return len(self._idle)

    @property
    def busy(self) -> int:
        """How many connections somebody has."""
        return self.open - self.connecting - len(self._idle)

    @property
    def origins(self) -> int:
        """How many origins have connections or waiters."""
        return len(self._pages)

    def idle_slots(self) -> Iterator[Slot]:
        """The idle slots, the one that has been idle longest first."""
        return iter(self._idle)

    def has_room(self, key: Hashable) -> bool:
        """Whether :meth:`take` or :meth:`reserve` would give a slot of ``key``."""
        page = self._pages.get(key)
        if page is not None and (page.idle or page.open >= self._each):
            return bool(page.idle)
        return self.open < self._all or bool(self._idle)

    def waiters(self) -> Iterator[Waiter]:
        """Everybody who waits, in no particular order."""
        for page in self._pages.values():
            yield from page.waiters or ()

    # -- for those who want a connection -----------------------------------------------------------------------------

    def take(self, key: Hashable) -> Slot | None:
        """The idle slot of ``key`` that was used last, which is busy from now on; None when there is none."""
        page = self._pages.get(key)
        if page is None or not page.idle:
            return None
        slot, _ = page.idle.popitem()
        del self._idle[slot]
        slot.state = BUSY
        return slot

    def reserve(self, key: Hashable) -> tuple[Slot, Slot | None] | None:
        """A new slot of ``key``, to be connected, and the idle one that is to be closed for it, if any.

        None when there is no room: then :meth:`wait`. To be asked after :meth:`take`.
        """
        page = self._pages.get(key)
        if page is not None and page.open >= self._each:
            return None
        evicted = None
        if self.open >= self._all:
            if not self._idle:
                return None
            evicted = next(iter(self._idle))
            self._remove(evicted)
            page = self._pages.get(key)  # it may have been this origin's last
        return self._open(page or self._page(key)), evicted

    def wait(self, key: Hashable) -> Waiter:
        """Stand in line for a connection to ``key``.

        :raises PoolFull: as many as may wait do
        """
        if self.waiting >= self._most:
            raise PoolFull(self._most)
        page = self._pages.get(key) or self._page(key)
        waiter = Waiter(page)
        if page.waiters is None:
            page.waiters = OrderedDict()
        page.waiters[waiter] = self._line[waiter] = None
        self.waiting += 1
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Wait no longer. Whoever was given a slot already has to give that back instead."""
        page = waiter.page
        self._dismiss(waiter)
        if not (page.open or page.waiters):
            del self._pages[page.key]

    # -- for those who have one --------------------------------------------------------------------------------------

    def connected(self, slot: Slot) -> None:
        """The connection of ``slot`` is open, and its holder's."""
        if slot.state is CONNECTING:
            self.connecting -= 1
            slot.state = BUSY

    def reconnecting(self, slot: Slot) -> None:
        """The holder of ``slot`` opens its connection again."""
        if slot.state is BUSY:
            self.connecting += 1
            slot.state = CONNECTING

    def free(self, slot: Slot) -> Waiter | None:
        """The holder of ``slot`` is done, and its connection still good; the waiter that is to be woken.

        That waiter has ``slot`` itself, or a new one, whose connection is to be opened: then ``slot`` is closed, and
        its connection is to be closed.
        """
        page = slot.page
        if self._line or page.aside:
            waiter = self._first_after(page)
            if waiter is not None:
                if waiter.page is not page:
                    self._remove(slot)
                    self._grant(waiter, self._open(waiter.page))
                else:
                    self._grant(waiter, slot)
                return waiter
        slot.state = IDLE
        page.idle[slot] = self._idle[slot] = None
        return None

    def close(self, slot: Slot) -> Waiter | None:
        """The connection of ``slot`` is gone; the waiter, with a new slot, that is to be woken."""
        page = slot.page
        self._remove(slot)
        waiter = self._first_after(page)
        if waiter is not None:
            self._grant(waiter, self._open(waiter.page))
        return waiter

    # -- inside ------------------------------------------------------------------------------------------------------

    def _page(self, key: Hashable) -> Page:
        page = self._pages[key] = Page(key)
        return page

    def _open(self, page: Page) -> Slot:
        page.open += 1
        self.open += 1
        self.connecting += 1
        return Slot(page)

    def _remove(self, slot: Slot) -> None:
        """Take ``slot`` out of the book, and its page with it if that is empty."""
        page = slot.page
        if slot.state is IDLE:
            del page.idle[slot], self._idle[slot]
        elif slot.state is CONNECTING:
            self.connecting -= 1
        slot.state = CLOSED
        page.open -= 1
        self.open -= 1
        if not (page.open or page.waiters):
            del self._pages[page.key]

    def _first_after(self, page: Page) -> Waiter | None:
        """Who is served when a slot of ``page`` becomes free or is gone."""
        if page.aside:
            return next(iter(page.waiters or ()))
        while self._line:
            waiter = next(iter(self._line))
            if waiter.page is page or waiter.page.open < self._each:
                return waiter
            del self._line[waiter]
            waiter.aside = True
            waiter.page.aside += 1
        return None

    def _grant(self, waiter: Waiter, slot: Slot) -> None:
        self._dismiss(waiter)
        waiter.slot = slot

    def _dismiss(self, waiter: Waiter) -> None:
        page = waiter.page
        assert page.waiters is not None
        del page.waiters[waiter]
        if waiter.aside:
            page.aside -= 1
        else:
            del self._line[waiter]
        self.waiting -= 1
