"""Slots, given out: to whoever wants a connection, one that is idle, or a new one, or the next one that is free.

Theory of operation
-------------------
Whoever wants a connection *takes* an idle one, or *reserves* room for a new one and opens it in its own task, or
*waits*. From then on it holds the slot, and gives it back on every way out: see ``_stock``. A waiter that gives up in
the tick in which it was given a slot gives that back too.

What has happened to an idle connection is known; before a request is written the kernel is asked once more.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from .._redact import shown_url
from ..connection import AsyncHTTPSConnection
from ..errors import PhaseTimeout, PoolClosed, PoolFull
from ..net import Resolver, SocksDialer, TCPDialer, checked_context, default_context
from ..timeouts import Timeout
from ._limits import PoolLimits
from ._retry import note_unsent
from ._routes import Router
from ._stats import Drop, EventKind, PoolEvent
from ._stock import BUSY, DROPS, Stock
from ._timeouts import TimeoutManager
from ._watch import Watch

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ..connection import AsyncHTTPConnection, ProxyTurn
    from ..net import Dialer, SocksKind, StreamProtocol
    from ._proxy import Proxy, ProxyAuth
    from ._routes import OriginKey, ProxyChoice
    from ._slot import Slot

CONNECTING = EventKind.CONNECTING


class Supply(Stock):
    """Gives out the connections of one pool; see :class:`ConnectionPool`, which says what the parameters are."""

    def __init__(
        self,
        limits: PoolLimits,
        timeout: Timeout,
        proxy: ProxyChoice,
        dialer: Dialer | None,
        context: ssl.SSLContext | None,
        proxy_context: ssl.SSLContext | None,
        options: dict[str, Any],
        on_event: Callable[[PoolEvent], object] | None,
        proxy_auth: ProxyAuth | None = None,
    ) -> None:
        check_kinds(limits, dialer, on_event)
        context = checked_context("ssl_context", context)
        proxy_context = checked_context("proxy_ssl_context", proxy_context)
        super().__init__(limits, Resolver(), on_event)
        self._timeout = timeout
        self._dialer: Dialer = TCPDialer(self._resolver) if dialer is None else dialer
        self._router = Router(
            proxy,
            lambda: context or default_context(),
            lambda: proxy_context or default_context(),
            self._dialer,
            self._through,
            proxy_auth,
            **options,
        )
        self._opened = self._resumed = self._reused = 0

    @property
    def timeout(self) -> Timeout:
        """The bounds of a request that does not bring its own."""
        return self._timeout

    def _bounds(
        self, timeout: float | Timeout | TimeoutManager | None, method: str, url: str
    ) -> tuple[Timeout, float | None]:
        """The bounds of a request that begins now, and the time of the loop at which its total is used up.

        :raises TotalTimeout: it is used up
        """
        if timeout is None:
            timeout = self._timeout
        elif isinstance(timeout, TimeoutManager):
            timeout.check(method, str(url))
            return timeout.timeout, timeout.deadline
        elif not isinstance(timeout, Timeout):
            timeout = Timeout(timeout)
        if timeout.total is None:
            return timeout, None
        return timeout, self._now() + timeout.total

    async def _acquire(
        self,
        slot: Slot | None,
        key: OriginKey,
        clock: TimeoutManager,
        method: str,
        url: str,
        turn: ProxyTurn | None = None,
    ) -> Slot:
        """A slot with an open connection, when ``take`` gave none, or one whose stream may not be clean."""
        try:
            self.check_usable()
        except BaseException:
            if slot is not None:
                self._book.free(slot)
            raise
        if slot is None:
            slot = self._reserve(key) or await self._wait(key, clock, method, url)
        while slot.state is BUSY:
            spoiled = None if slot.stream.is_clean() else await self._spoiled(slot)
            if spoiled is None:
                self._reused += 1
                if self._talks:
                    self._say(EventKind.REUSED, key)
                return slot
            other = self._book.take(key)
            if other is None:
                self._count(slot, DROPS.get(spoiled, Drop.FAILED))
                break  # the room stays ours: whoever waits came later
            self._drop(slot, DROPS.get(spoiled, Drop.FAILED))
            slot = other
        await self._connect(slot, clock, method, url, turn=turn)
        return slot

    def _reserve(self, key: OriginKey) -> Slot | None:
        """A new slot, if there is room for it, or can be made."""
        reserved = self._book.reserve(key)
        if reserved is None:
            return None
        slot, evicted = reserved
        if evicted is not None:
            evicted.stream.shut(Drop.EVICTED.value)
            self._gone(evicted, Drop.EVICTED)
        return slot

    async def _spoiled(self, slot: Slot) -> str | None:
        """What has come to a connection of which something can be read; None if that was nothing to us."""
        try:
            await slot.stream.check_quiet()
        except BaseException:
            self._give_back(slot)
            raise
        return slot.stream.spoiled

    async def _wait(self, key: OriginKey, clock: TimeoutManager, method: str, url: str) -> Slot:
        """Stand in line, and return with a slot: one with a connection, or one whose connection is to be opened."""
        loop = asyncio.get_running_loop()
        try:
            waiter = self._book.wait(key)
        except PoolFull as full:
            note_unsent(full, True)
            raise
        waiter.future = loop.create_future()
        self._say(EventKind.WAITING, key)
        started = loop.time()
        limit = clock.bound(clock.timeout.pool)
        timer = None if limit is None else self._patience.add(waiter, started + limit, self._book.waiting)
        try:
            await waiter.future
        except BaseException:
            if waiter.slot is None:
                self._book.leave(waiter)
            else:
                self._give_back(waiter.slot)  # it was given in the tick in which the waiter gave up
            raise
        finally:
            if timer is not None:
                timer.cancel()
        slot = waiter.slot
        if slot is None:
            self._book.leave(waiter)
            error = clock.pool_error(loop.time() - started, method, str(url))
            note_unsent(error, True)
            raise error
        if self._closed or clock.left == 0:
            self._give_back(slot)
            self.check_usable()
            clock.check(method, str(url))
        if self._talks:
            self._say(EventKind.HANDED_OVER, key)
        return slot

    async def _connect(
        self,
        slot: Slot,
        clock: TimeoutManager,
        method: str,
        url: str,
        before: Callable[[], object] | None = None,
        unsent: bool = True,
        turn: ProxyTurn | None = None,
    ) -> None:
        """Open the connection of ``slot``, which is the caller's; the slot is closed if that, or ``before``, fails.

        ``unsent``: nothing of the request was sent so far. ``turn``: says who asks, should that take a tunnel.
        """
        page = slot.page
        key = page.key
        try:
            self._check_open()
            if slot.conn is None:
                spare, page.spare = page.spare, None
                slot.conn = spare or self._router.connection(key)
                slot.conn.slot = slot
            if turn is not None:
                slot.conn.turn = turn
            self._slots[slot] = slot.conn
            self._book.reconnecting(slot)
            self._say(CONNECTING, key)
            clock.check()
            if before is not None:
                before()
            stream = await slot.conn.open(clock.timeout, clock.deadline, self._steps(key))
        except BaseException as error:
            self._drop(slot, Drop.NOT_OPENED)
            self._explain(error, method, url, unsent)
            if key.proxy is not None and isinstance(error, Exception):
                error.add_note(f"by way of the proxy {key.proxy}")  # whose address may be all that the error has
            raise
        self._book.connected(slot)
        self._stand_for(slot, slot.conn, stream)

    def _stand_for(self, slot: Slot, conn: AsyncHTTPConnection, stream: StreamProtocol) -> None:
        """``stream``, which ``conn`` has opened, is what ``slot`` stands for from now on."""
        watch = Watch(self, slot)
        stream.on_spoiled, stream.on_lost = watch.spoiled, watch.lost
        self._streams.add(stream)
        slot.stream = stream
        slot.born = stream.loop.time()
        slot.used = False
        slot.expiry = self.limits.keepalive_expiry
        resumed = isinstance(conn, AsyncHTTPSConnection) and conn.session_reused
        self._opened += 1
        self._resumed += resumed
        if self._talks:
            self._say(EventKind.OPENED, slot.page.key, "TLS session resumed" if resumed else "")

    def _explain(self, error: BaseException, method: str, url: str, unsent: bool) -> None:
        """Let ``error`` say which request it is about, and whether that is ``unsent``; or that the pool was closed."""
        if isinstance(error, Exception):
            note_unsent(error, unsent)
        if isinstance(error, PhaseTimeout) and error.method in (None, "CONNECT"):
            error.method, error.url = method, str(url)
        elif self._closed and isinstance(error, ConnectionAbortedError):
            raise PoolClosed(f"the pool was closed in the middle of {method} {shown_url(str(url))}") from error
        elif isinstance(error, Exception):
            error.add_note(f"{method} {shown_url(str(url))}")

    def _through(self, proxy: Proxy) -> Dialer:
        kind = cast("SocksKind", proxy.scheme)
        return SocksDialer(self._dialer, kind, proxy.host, proxy.port, proxy.username, proxy.password, self._resolver)


def check_kinds(limits: PoolLimits, dialer: Dialer | None, on_event: Any) -> None:
    """Refuse what would be noticed with the first request only, or as an attribute that something else has not.

    :raises TypeError: one is of another type
    """
    if not isinstance(limits, PoolLimits):
        raise TypeError(f"limits must be PoolLimits(...), such as PoolLimits(connections=100), got {limits!r}")
    if dialer is not None and not callable(getattr(dialer, "dial", None)):
        raise TypeError(f"a dialer, or transport, must have a method dial, or be a ConnectionPool, got {dialer!r}")
    if on_event is not None and not callable(on_event):
        raise TypeError(f"on_event must be a function, or None, got {on_event!r}")
