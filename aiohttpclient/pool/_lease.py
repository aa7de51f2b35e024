"""Leases: a connection of the pool for one holder, for as many exchanges as it wants.

While it lasts, the slot is the holder's. The stream of the slot is moved to a connection that is made for the holder
alone, and moved back at the end.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ..net import LOST
from ._routes import as_text
from ._stats import Drop, EventKind
from ._stock import DROPS
from ._supply import Supply
from ._timeouts import TimeoutManager

if TYPE_CHECKING:
    from types import TracebackType

    from ..connection import AsyncHTTPConnection, Origin
    from ..net import StreamProtocol, Tell
    from ..timeouts import Timeout
    from ._connections import LeasedConnection
    from ._routes import OriginKey, Route
    from ._slot import Slot


class Lender(Supply):
    """Leases the connections of one pool."""

    def connection(self, url: str, timeout: float | Timeout | TimeoutManager | None = None) -> Lease:
        """Lease a connection to the origin of ``url``, for as many exchanges as wanted.

        ::

            async with pool.connection("https://example.org") as conn:
                await conn.request("GET", "/")
                response = await conn.getresponse()
                await response.read()

        After the block the connection is of no use any more, and says so with ``LeaseEnded``. ``timeout`` bounds
        getting the connection, and each exchange on it. A lease is the way to an upgrade: ``conn.detach()`` after a 101
        takes the stream out of the pool.

        :raises InvalidURL: ``url`` is not an absolute URL of HTTP
        :raises ValueError: a proxy forwards, and there is ``proxy_auth``, with which a lease cannot answer
        """
        route, _ = self._router.find(url)
        return Lease(self, route, timeout, as_text(url))

    async def begin_lease(
        self, route: Route, timeout: float | Timeout | TimeoutManager | None, url: str
    ) -> tuple[Slot, LeasedConnection]:
        """A slot for a holder, and the connection on which it has the stream of that slot."""
        if route.prefix and self._router.auth is not None:
            raise ValueError("a lease can't answer a proxy with proxy_auth, but has what the URL of the proxy says")
        conn = self._router.lease(route.key)
        conn.timeout, deadline = self._bounds(timeout, "CONNECT", url)
        if isinstance(timeout, TimeoutManager):
            conn.deadline = deadline
        conn.prefix = route.prefix
        clock = TimeoutManager(conn.timeout, deadline)
        slot = await self._acquire(self._book.take(route.key), route.key, clock, "CONNECT", url)
        conn.permitted = functools.partial(self._reopening, route.key)
        conn.opened = functools.partial(self._reopened, slot, conn)
        assert slot.conn is not None
        slot.conn.surrender()
        slot.stream.rest()  # from its idleness, which has a limit, to that of the lease, which has none
        conn.adopt(slot.stream, route.origin)
        self._slots[slot] = conn
        return slot, conn

    def _reopening(self, key: OriginKey) -> Tell | None:
        """The holder of a lease has lost the connection between two exchanges, and wants another."""
        self.check_usable()
        self._say(EventKind.CONNECTING, key)
        return self._steps(key)

    def _reopened(self, slot: Slot, conn: LeasedConnection, stream: StreamProtocol) -> None:
        """The other one is open."""
        self._count(slot, DROPS.get(slot.stream.spoiled or "", Drop.LEASE))
        self._stand_for(slot, conn, stream)

    def end_lease(self, slot: Slot, conn: LeasedConnection, origin: Origin) -> None:
        """Take the stream back, if it is fit for others."""
        if not slot.used:
            conn.keep_session()
        spoiled = slot.stream.spoiled
        stream = conn.end()
        if stream is None:
            # A stream that the holder has closed is lost too.
            self._drop(slot, Drop.LEASE if spoiled in (None, LOST) else DROPS.get(spoiled, Drop.LEASE))
            return
        assert slot.conn is not None
        slot.used = True
        slot.conn.adopt(stream, origin)
        self._slots[slot] = slot.conn
        if conn.told is not None:
            slot.expiry = self._shorter(conn.told)
        self._free(slot)


class Lease:
    """What ``pool.connection(url)`` gives: ``async with`` it is the connection, and after it nobody's any more."""

    __slots__ = ("_conn", "_entered", "_pool", "_route", "_slot", "_timeout", "_url")

    def __init__(self, pool: Lender, route: Route, timeout: float | Timeout | TimeoutManager | None, url: str) -> None:
        self._pool = pool
        self._route = route
        self._timeout = timeout
        self._url = url
        self._entered = False
        self._slot: Slot | None = None
        self._conn: LeasedConnection | None = None

    async def __aenter__(self) -> AsyncHTTPConnection:
        if self._entered:
            raise RuntimeError("a lease is for one `async with` block; ask the pool for another")
        self._entered = True
        try:
            self._slot, self._conn = await self._pool.begin_lease(self._route, self._timeout, self._url)
        except BaseException:
            self._entered = False
            raise
        return self._conn

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._slot is not None
        assert self._conn is not None
        self._pool.end_lease(self._slot, self._conn, self._route.origin)
