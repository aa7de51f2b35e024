"""The connections that a pool has: counted, kept while they are idle, and taken back from whoever had one.

Theory of operation
-------------------
Whoever has a slot gives it back on every way out: free, for the next one, or dropped, with its room. What the book
decides is done here, in the same step.

So there is nothing to clean up later: no task, no scan, and no timer but the one that each stream has. What happens to
an idle connection is told by its stream when it happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import warnings
from collections import Counter
from typing import TYPE_CHECKING

from ..errors import PoolClosed
from ..net import BYTES_WHILE_IDLE, EXPIRED, LOST, PEER_CLOSED, STAYS_READABLE, SURPLUS, clock_of
from ._book import Book
from ._patience import Patience, wake
from ._slot import SlotState
from ._stats import Drop, EventKind, PoolEvent
from ._teller import Teller

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..connection import AsyncHTTPConnection, AsyncHTTPResponse
    from ..net import Resolver, StreamProtocol
    from ._connections import PooledConnection
    from ._limits import PoolLimits
    from ._slot import Slot

BUSY, IDLE = SlotState.BUSY, SlotState.IDLE
DROPPED, LAST = EventKind.DROPPED, Drop.LAST

CLOSE_SECONDS = 1.0
"""Seconds in which idle connections may say goodbye when the pool is closed."""

KEEP_ALIVE_MARGIN = 1.0
"""Seconds taken off the time for which a server says that it keeps a connection, at most half of that: a request that
is written in the last moment arrives too late."""

DROPS = {
    BYTES_WHILE_IDLE: Drop.UNEXPECTED_BYTES,
    SURPLUS: Drop.UNEXPECTED_BYTES,
    STAYS_READABLE: Drop.UNEXPECTED_BYTES,
    PEER_CLOSED: Drop.SERVER_CLOSED,
    LOST: Drop.SERVER_CLOSED,
    EXPIRED: Drop.EXPIRED,
}
"""What a spoiled stream says, in the words of a pool."""


class Stock(Teller):
    """The connections of one pool; see :class:`ConnectionPool`.

    :param limits: how many there may be, for how long
    :param resolver: what looks names up for them, and is closed with them
    :param on_event: is told of each decision
    """

    warns = True
    """Whether it complains when it was not closed; its owner may do that instead."""

    _closed = True  # as long as the constructor has not succeeded

    def __init__(self, limits: PoolLimits, resolver: Resolver, on_event: Callable[[PoolEvent], object] | None) -> None:
        super().__init__(on_event)
        self.limits = limits
        self._resolver = resolver
        self._book = Book(limits)
        self._slots: dict[Slot, AsyncHTTPConnection] = {}
        self._streams: set[StreamProtocol] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._now: Callable[[], float] = lambda: asyncio.get_running_loop().time()
        self._patience: Patience  # made with the loop
        self._closers: list[asyncio.Future[None]] = []
        self._lifetime = limits.max_lifetime
        self._careful = limits.max_lifetime is not None  # or closed: an open connection is not good for that alone
        self._dropped: Counter[Drop] = Counter()
        self._closed = False

    def __repr__(self) -> str:
        book = self._book
        counts = f"{book.idle} idle, {book.busy} busy, {book.connecting} connecting, {book.waiting} waiting"
        size = "any number" if self.limits.connections is None else self.limits.connections
        return f"<{type(self).__name__} of {size}: {counts}{', closed' if self._closed else ''}>"

    def __del__(self) -> None:
        if self._closed:
            return
        if self._slots and self.warns:
            warnings.warn(f"unclosed pool {self!r}", ResourceWarning, stacklevel=1, source=self)
        for stream in self._streams:
            if not stream.loop.is_closed():
                stream.loop.call_soon_threadsafe(stream.abort)

    @property
    def loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop to which the pool belongs; None as long as it was not used."""
        return self._loop

    def check_loop(self) -> None:
        """Make sure that this is the loop to which the pool belongs; the first one is.

        :raises RuntimeError: it is another
        """
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
            self._now = clock_of(loop)
            self._patience = Patience(loop)
        elif self._loop is not loop:
            raise RuntimeError("this pool, or client, was used in another event loop first; make one for each loop")

    def check_usable(self) -> None:
        """Make sure that the pool is open, and this its loop.

        :raises PoolClosed: it is closed
        :raises RuntimeError: it belongs to another loop
        """
        self.check_loop()
        self._check_open()

    def _check_open(self) -> None:
        if self._closed:
            raise PoolClosed("the pool is closed")

    # -- taking a slot back ------------------------------------------------------------------------------------------

    def _complete(self, slot: Slot, told: float | None, conn: PooledConnection | None = None) -> None:
        """The exchange on ``slot`` is over; ``told``: for how many seconds the server keeps the connection.

        ``conn``: its connection, if nobody else knows that. When it is over, the next one has its object.
        """
        stream = slot.stream
        if stream.spoiled is None:
            if told is not None:
                slot.expiry = self._shorter(told)
            if slot.expiry and not (self._careful or self._book.waiting):
                self._book.free(slot)  # nearly always: what _free() would come to
                stream.expire_in(slot.expiry)
                if self._talks:
                    self._say(EventKind.IDLE, slot.page.key)
                return
            self._free(slot)
        else:
            self._drop(slot, DROPS.get(stream.spoiled, LAST))
        if conn is not None and slot.conn is None:
            conn.renew()
            slot.page.spare = conn

    def _free(self, slot: Slot) -> None:
        """Pass on ``slot``, whose stream is open and clean."""
        expiry = slot.expiry
        if self._lifetime is not None:
            left = slot.born + self._lifetime - slot.stream.loop.time()
            if left <= 0:
                self._shut(slot, Drop.LIFETIME)
                return
            expiry = left if expiry is None else min(expiry, left)
        if self._closed:
            self._shut(slot, Drop.POOL_CLOSED)
            return
        waiter = self._book.free(slot)
        if waiter is None:
            if expiry:
                slot.stream.expire_in(expiry)
            elif expiry is not None:
                self._shut(slot, Drop.EXPIRED)
                return
            if self._talks:
                self._say(EventKind.IDLE, slot.page.key)
            return
        if waiter.slot is not slot:
            slot.stream.shut(Drop.EVICTED.value)
            self._gone(slot, Drop.EVICTED)
        wake(waiter)

    def _give_back(self, slot: Slot) -> None:
        """Pass on a slot that nothing was done with."""
        if slot.state is not BUSY:
            self._drop(slot, Drop.NOT_OPENED)
        elif slot.stream.spoiled is not None:
            self._drop(slot, DROPS.get(slot.stream.spoiled, Drop.FAILED))
        else:
            self._free(slot)

    def _shut(self, slot: Slot, reason: Drop) -> None:
        slot.stream.shut(reason.value)
        self._drop(slot, reason)

    def _drop(self, slot: Slot, reason: Drop) -> None:
        """The connection of ``slot`` is gone, or of no more use: its room is the next one's."""
        if slot.conn is not None:
            if slot.conn.connected:
                slot.conn.abort()
            slot.conn = None  # which knows the slot: what is over should be gone without the collector
        waiter = self._book.close(slot)
        self._gone(slot, reason)
        if waiter is not None:
            wake(waiter)

    def _gone(self, slot: Slot, reason: Drop) -> None:
        self._slots.pop(slot, None)
        self._count(slot, reason)
        self._look_again()

    def _count(self, slot: Slot, reason: Drop) -> None:
        self._dropped[reason] += 1
        self._say(DROPPED, slot.page.key, reason.value)

    def _shorter(self, told: float) -> float:
        """How long a connection may be idle that the server keeps for ``told`` seconds."""
        told -= min(KEEP_ALIVE_MARGIN, told / 2)
        return told if self.limits.keepalive_expiry is None else min(self.limits.keepalive_expiry, told)

    # -- told by connections and their streams -----------------------------------------------------------------------

    def exchange_complete(self, conn: PooledConnection, response: AsyncHTTPResponse) -> None:
        """A response was read to its end: its connection is idle, or somebody else's, in this step."""
        self._complete(conn.slot, response.head.keep_alive)

    def connection_ended(self, conn: PooledConnection) -> None:
        """A connection was closed in the middle of a response."""
        self._drop(conn.slot, Drop.ABANDONED)

    def stream_spoiled(self, slot: Slot, stream: StreamProtocol) -> None:
        """Something has happened to a connection from which nobody expects anything."""
        if slot.state is not IDLE or slot.stream is not stream:
            return
        reason = DROPS.get(stream.spoiled or "", Drop.FAILED)
        if reason is Drop.EXPIRED and self._lifetime is not None and self._lifetime <= stream.loop.time() - slot.born:
            reason = Drop.LIFETIME
        self._drop(slot, reason)

    def stream_lost(self, slot: Slot, stream: StreamProtocol) -> None:
        """The socket of a connection is about to be closed; what is left of its last response needs it no more."""
        self._streams.discard(stream)
        conn = slot.conn
        owner: object = None if conn is None else conn.owner
        if conn is not None and owner is self and conn.carries(stream):
            conn.owner = None
            self._drop(slot, Drop.CUT)
        self._look_again()

    # -- the end -----------------------------------------------------------------------------------------------------

    async def close(self, grace: float = 0.0) -> None:
        """Close every connection, and return when all of them are closed. Nothing can be asked of the pool after this.

        Whoever waits for a connection gets ``PoolClosed`` at once. Exchanges under way get ``grace`` seconds to end;
        what goes on longer is aborted, and leases too. In another loop than its own, a pool that is closed, or is being
        closed there, is left as it is.

        :raises RuntimeError: it is open, and this is not its loop
        """
        if self._closed and self._loop is not asyncio.get_running_loop():
            return
        self.check_loop()
        self._begin_end()
        try:
            await self._settle(grace, lambda: not self._slots)
        finally:
            for conn in list(self._slots.values()):
                conn.abort()
            self._let_go()
        try:
            await self._settle(CLOSE_SECONDS, lambda: not (self._streams or self._book.connecting))
        finally:
            for stream in list(self._streams):
                stream.abort()
        await self._settle(CLOSE_SECONDS, lambda: not self._streams)

    def shut(self) -> None:
        """Close without waiting for anything, when the streams of all connections were aborted; in the loop's thread.

        For a twin of a pool, see ``testing``; everybody else closes a pool with :meth:`close`.
        """
        self._begin_end()
        self._let_go()

    def _begin_end(self) -> None:
        """Give out nothing from now on, and close what is idle."""
        if not self._closed:
            self._closed = self._careful = True
            self._say(EventKind.CLOSED)
        for waiter in list(self._book.waiters()):
            if not waiter.future.done():
                waiter.future.set_exception(PoolClosed("the pool was closed before the request had its turn"))
        for slot in list(self._book.idle_slots()):
            slot.stream.shut(Drop.POOL_CLOSED.value)
            self._drop(slot, Drop.POOL_CLOSED)

    def _let_go(self) -> None:
        self._resolver.close()
        self._patience.close()

    async def _settle(self, seconds: float, done: Callable[[], bool]) -> None:
        """Wait until ``done()``, which is looked at whenever a connection goes, for ``seconds`` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not done():
                    change = asyncio.get_running_loop().create_future()
                    self._closers.append(change)
                    await change
                    await asyncio.sleep(0)  # whose connection it was has been woken, too, and has his turn first

    def _look_again(self) -> None:
        while self._closers:
            change = self._closers.pop()
            if not change.done():
                change.set_result(None)
