"""Slots, given out and taken back: what the book decides is done here, in the same step.

Theory of operation
-------------------
Whoever wants a connection *takes* an idle one, or *reserves* room for a new one and opens it in its own task, or
*waits*. From then on it holds the slot, and gives it back on every way out: free, for the next one, or dropped, with
its room. A waiter that gives up in the tick in which it was given a slot gives that back too.

So there is nothing to clean up later: no task, no scan, and no timer but the one that each stream has. What happens to
an idle connection is told by its stream when it happens; before a request is written the kernel is asked once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import warnings
import weakref
from collections import Counter
from typing import TYPE_CHECKING, cast

from .._redact import shown_url
from ..connection import AsyncHTTPSConnection
from ..errors import PhaseTimeout, PoolClosed, PoolFull
from ..net import (
    BYTES_WHILE_IDLE,
    CONNECTED,
    EXPIRED,
    LOST,
    PEER_CLOSED,
    STAYS_READABLE,
    SURPLUS,
    Resolver,
    SocksDialer,
    TCPDialer,
    clock_of,
    default_context,
)
from ._book import Book
from ._patience import Patience, wake
from ._retry import note_unsent
from ._routes import Router
from ._slot import SlotState
from ._stats import Drop, EventKind, PoolEvent

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ..connection import AsyncHTTPConnection
    from ..net import Dialer, SocksKind, StreamProtocol, Tell
    from ..wire import MessageLimits
    from ._limits import PoolLimits
    from ._proxy import Proxy, ProxyAuth
    from ._routes import OriginKey, ProxyChoice
    from ._slot import Slot
    from ._timeouts import TimeoutManager

BUSY, IDLE = SlotState.BUSY, SlotState.IDLE
CONNECTING, DROPPED = EventKind.CONNECTING, EventKind.DROPPED

log = logging.getLogger("aiohttpclient.pool")

CLOSE_SECONDS = 1.0
"""Seconds in which idle connections may say goodbye when the pool is closed."""

DROPS = {
    BYTES_WHILE_IDLE: Drop.UNEXPECTED_BYTES,
    SURPLUS: Drop.UNEXPECTED_BYTES,
    STAYS_READABLE: Drop.UNEXPECTED_BYTES,
    PEER_CLOSED: Drop.SERVER_CLOSED,
    LOST: Drop.SERVER_CLOSED,
    EXPIRED: Drop.EXPIRED,
}
"""What a spoiled stream says, in the words of a pool."""


class Supply:
    """The connections of one pool; see :class:`ConnectionPool`, which says what the parameters are."""

    warns = True
    """Whether it complains when it was not closed; its owner may do that instead."""

    _closed = True  # as long as the constructor has not succeeded

    def __init__(
        self,
        limits: PoolLimits,
        proxy: ProxyChoice,
        dialer: Dialer | None,
        context: ssl.SSLContext | None,
        proxy_context: ssl.SSLContext | None,
        message_limits: MessageLimits,
        on_event: Callable[[PoolEvent], object] | None,
        proxy_auth: ProxyAuth | None = None,
    ) -> None:
        self._slots: dict[Slot, AsyncHTTPConnection] = {}
        self._streams: set[StreamProtocol] = set()
        self.limits = limits
        self._resolver = Resolver()
        self._dialer: Dialer = TCPDialer(self._resolver) if dialer is None else dialer
        self._router = Router(
            proxy,
            lambda: context or default_context(),
            lambda: proxy_context or default_context(),
            self._dialer,
            self._through,
            proxy_auth,
            limits=message_limits,
        )
        self._book = Book(limits)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._now: Callable[[], float] = lambda: asyncio.get_running_loop().time()
        self._patience: Patience  # made with the loop
        self._closers: list[asyncio.Future[None]] = []
        self._on_event = on_event
        self._talks = on_event is not None  # looked up with each request: a level may change
        self._lifetime = limits.max_lifetime
        self._careful = limits.max_lifetime is not None  # or closed: an open connection is not good for that alone
        self._opened = self._resumed = self._reused = 0
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

    async def close(self, grace: float = 0.0) -> None:
        """Close every connection, and return when all of them are closed. Nothing can be asked of the pool after this.

        Whoever waits for a connection gets ``PoolClosed`` at once. Exchanges under way get ``grace`` seconds to end;
        what goes on longer is aborted, and leases too.
        """
        self.check_loop()
        if not self._closed:
            self._closed = self._careful = True
            self._say(EventKind.CLOSED)
        for waiter in list(self._book.waiters()):
            if not waiter.future.done():
                waiter.future.set_exception(PoolClosed("the pool was closed before the request had its turn"))
        for slot in list(self._book.idle_slots()):
            slot.stream.shut(Drop.POOL_CLOSED.value)
            self._drop(slot, Drop.POOL_CLOSED)
        try:
            await self._settle(grace, lambda: not self._slots)
        finally:
            for conn in list(self._slots.values()):
                conn.abort()
            self._resolver.close()
            self._patience.close()
        try:
            await self._settle(CLOSE_SECONDS, lambda: not (self._streams or self._book.connecting))
        finally:
            for stream in list(self._streams):
                stream.abort()
        await self._settle(CLOSE_SECONDS, lambda: not self._streams)

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

    # -- getting a slot ----------------------------------------------------------------------------------------------

    async def _acquire(self, slot: Slot | None, key: OriginKey, clock: TimeoutManager, method: str, url: str) -> Slot:
        """A slot with an open connection, when ``take`` gave none, or one whose stream may not be clean."""
        try:
            self._check_usable()
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
        await self._connect(slot, clock, method, url)
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
            self._check_usable()
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
    ) -> None:
        """Open the connection of ``slot``, which is the caller's; the slot is closed if that, or ``before``, fails.

        ``unsent``: nothing of the request was sent so far.
        """
        page = slot.page
        key = page.key
        try:
            self._check_open()
            if slot.conn is None:
                spare, page.spare = page.spare, None
                slot.conn = spare or self._router.connection(key)
                slot.conn.slot = slot
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

    # -- giving it back ----------------------------------------------------------------------------------------------

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

    # -- besides -----------------------------------------------------------------------------------------------------

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

    def _check_usable(self) -> None:
        self.check_loop()
        self._check_open()

    def _check_open(self) -> None:
        if self._closed:
            raise PoolClosed("the pool is closed")

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

    def _steps(self, key: OriginKey) -> Tell | None:
        """What is to be told of each step, once CONNECTING was said; None where nobody listens."""
        return functools.partial(self._say_step, key) if self._talks else None

    def _say_step(self, key: OriginKey, step: str, detail: str, seconds: float) -> None:
        """A connection for ``key`` has come one step further."""
        if step == CONNECTED and key.proxy is not None:
            detail = ", ".join(filter(None, (detail, "the proxy")))
        self._say(EventKind(step), key, detail, seconds)

    def _say(
        self, kind: EventKind, key: OriginKey | None = None, detail: str = "", seconds: float | None = None
    ) -> None:
        """Tell whoever listens; nothing is built where nobody does."""
        self._talks = self._on_event is not None or log.isEnabledFor(logging.DEBUG)
        if not self._talks:
            return
        try:
            event = PoolEvent(kind, "" if key is None else str(key), detail, seconds)
            log.debug("%s", event)
            if self._on_event is not None:
                self._on_event(event)
        except Exception as error:  # noqa: BLE001  # the decision it was told of has to be carried out all the same
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"what listens to {self!r} failed", "exception": error}
            )

    def _through(self, proxy: Proxy) -> Dialer:
        kind = cast("SocksKind", proxy.scheme)
        return SocksDialer(self._dialer, kind, proxy.host, proxy.port, proxy.username, proxy.password, self._resolver)


class Watch:
    """Tells the pool what becomes of the stream of a slot, and does not keep the pool alive."""

    __slots__ = ("_slot", "_supply")

    def __init__(self, supply: Supply, slot: Slot) -> None:
        self._supply = weakref.ref(supply)
        self._slot = slot

    def spoiled(self, stream: StreamProtocol) -> None:
        """``StreamProtocol.on_spoiled``."""
        supply = self._supply()
        if supply is not None:
            supply.stream_spoiled(self._slot, stream)

    def lost(self, stream: StreamProtocol) -> None:
        """``StreamProtocol.on_lost``."""
        supply = self._supply()
        if supply is not None:
            supply.stream_lost(self._slot, stream)
