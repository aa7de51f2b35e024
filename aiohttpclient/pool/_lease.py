"""A connection of the pool for one holder, for as many exchanges as it wants."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from ..connection import AsyncHTTPConnection
    from ..timeouts import Timeout
    from ._connections import LeasedConnection
    from ._pool import ConnectionPool
    from ._routes import Route
    from ._slot import Slot
    from ._timeouts import TimeoutManager


class Lease:
    """What ``pool.connection(url)`` gives: ``async with`` it is the connection, and after it nobody's any more."""

    __slots__ = ("_conn", "_entered", "_pool", "_route", "_slot", "_timeout", "_url")

    def __init__(
        self, pool: ConnectionPool, route: Route, timeout: float | Timeout | TimeoutManager | None, url: str
    ) -> None:
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
