"""The twin of a pool: it has the same settings, answers in the pool's place, and its connections are in memory."""

from __future__ import annotations

import functools
import weakref
from typing import TYPE_CHECKING, Any

from yarl import URL

from ..pool import ConnectionPool, EventKind

if TYPE_CHECKING:
    from ..net import Dialer, StreamProtocol
    from ..pool import PoolEvent

URLS = 256
"""URLs that are remembered as objects."""


class Twin(ConnectionPool):
    """A pool in the place of ``pool``, which it does not keep alive.

    :param dialer: connects to the one who answers
    """

    warns = False  # whoever made the pool closes it, or is warned about it

    def __init__(self, pool: ConnectionPool, dialer: Dialer) -> None:
        self._original = weakref.ref(pool)
        settings = pool.settings()
        told = settings.pop("on_event") and functools.partial(tell, self._original)
        super().__init__(dialer=dialer, on_event=told, **settings)

    def url_of(self, url: Any) -> URL:
        """``url`` as it is going to be asked for.

        :raises InvalidURL: it is not an absolute URL of HTTP
        """
        route, target = self._router.find(url)
        return absolute(f"{route.origin.scheme}://{route.origin.authority}{target}")

    # -- leases, which their connections are to know of

    async def begin_lease(self, route: Any, timeout: Any, url: str) -> Any:
        """As for any pool, if the other one can still be used."""
        pool = self._original()
        if pool is not None:
            pool.check_usable()
        slot, conn = await super().begin_lease(route, timeout, url)
        mark(slot.stream, True)
        return slot, conn

    def _reopened(self, slot: Any, conn: Any, stream: StreamProtocol) -> None:
        super()._reopened(slot, conn, stream)
        mark(stream, True)

    def end_lease(self, slot: Any, conn: Any, origin: Any) -> None:
        """As for any pool."""
        mark(slot.stream, False)
        super().end_lease(slot, conn, origin)


def mark(stream: StreamProtocol, leased: bool) -> None:
    """Let the far end of ``stream`` know whether it is a lease's."""
    stream.base_transport.shared["leased"] = leased  # type: ignore[attr-defined]  # a MemoryTransport


def tell(pool: weakref.ref[ConnectionPool], event: PoolEvent) -> None:
    """Tell whoever listens to ``pool``; not that it is closed, which it says itself, and may not be."""
    it = pool()
    if it is not None and event.kind is not EventKind.CLOSED:
        it.settings()["on_event"](event)


@functools.lru_cache(URLS)
def absolute(url: str) -> URL:
    """``url``, exactly as it is."""
    return URL(url, encoded=True)
