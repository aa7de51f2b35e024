"""Where an interceptor answers: twins of pools, connections in memory, and the end of all of them.

Theory of operation. A :class:`Site` is that of one interceptor from its start to its stop, for all loops and threads.
Nothing here keeps a pool alive, nor a connection. The end may come at any time, from any thread: each connection is
ended in the thread of its own loop; what belongs to a loop that is closed is left to the collector.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import itertools
import threading
import weakref
from typing import TYPE_CHECKING, Any

from .._redact import shown_url
from ..net import StreamProtocol
from ._conversation import Conversation
from ._memory import EPHEMERAL
from ._tasks import CLOSE_TURNS, STUBBORN
from ._transport import pair
from ._twin import Twin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from ..connection import AsyncHTTPConnection
    from ..pool import ConnectionPool
    from ._conversation import SendOn
    from ._intercept import Interceptor
    from ._intercepted import InterceptedRequest, RealAnswer

    SendsOn: TypeAlias = Callable[["Site", Callable[[], Any], InterceptedRequest, int | None], Awaitable[RealAnswer]]


class Site:
    """The connections to one interceptor, from its start to its stop.

    ``may_pass``: whether ``passes`` has to be asked. ``twins``: those of pools that were used.

    :param sends_on: asks somebody else in the place of a pool
    :param sends_on_past: the same for a connection that has none
    """

    def __init__(self, interceptor: Interceptor, may_pass: bool, sends_on: SendsOn, sends_on_past: SendsOn) -> None:
        self.interceptor = interceptor
        self.may_pass = may_pass
        self._sends_on, self._sends_on_past = sends_on, sends_on_past
        self.numbers = itertools.count()
        self.twins: weakref.WeakKeyDictionary[ConnectionPool, Twin] = weakref.WeakKeyDictionary()
        self.tasks: set[asyncio.Task[None]] = set()
        self.is_over = False
        self._conversations: weakref.WeakSet[Conversation] = weakref.WeakSet()
        self._ports = itertools.cycle(EPHEMERAL)
        self._lock = threading.RLock()

    def twin_of(self, pool: ConnectionPool) -> Twin:
        """The twin of ``pool``, made when it is first wanted."""
        twin = self.twins.get(pool)
        if twin is None:
            send_on = functools.partial(self._sends_on, self, weakref.ref(pool))
            with self._lock:
                twin = self.twins[pool] = Twin(pool, SiteDialer(self, send_on))
        return twin

    def connect(self, host: str, port: int, send_on: SendOn, belongs_to_pool: bool) -> StreamProtocol:
        """The near end of a new connection.

        :param host, port: what is connected to
        :param send_on: gives the real answer to a request
        :param belongs_to_pool: the client can send a request again over another connection
        """
        loop = asyncio.get_running_loop()
        near = StreamProtocol(loop)
        near.sendfile_works = False  # there is no socket that a kernel could send it to
        conversation = Conversation(self, loop, near, send_on, belongs_to_pool)
        own = ("127.0.0.1", next(self._ports))
        one, other = pair(loop, near, conversation.far_end, near_address=own, far_address=(host, port))
        conversation.transport = other
        with self._lock:
            if self.is_over:
                raise self.over()
            self._conversations.add(conversation)
        near.connection_made(one)
        conversation.far_end.connection_made(other)
        return near

    def connect_for(self, conn: AsyncHTTPConnection) -> StreamProtocol:
        """A connection for ``conn``, which belongs to no pool."""
        send_on = functools.partial(self._sends_on_past, self, weakref.ref(conn))
        host, port = destination(conn)
        stream = self.connect(host, port, send_on, False)
        stream.base_transport.shared["scheme"] = conn.scheme  # type: ignore[attr-defined]  # a MemoryTransport
        return stream

    # -- the end

    def explain(self, error: Exception, method: str, url: str) -> None:
        """Let a request that failed because of the end say so.

        :raises ConnectionAbortedError: it did
        """
        if self.is_over:
            raise self.over(f" while {method} {shown_url(str(url))} was under way") from error

    def over(self, when: str = "") -> ConnectionAbortedError:
        """What becomes of whatever is under way; such an error is never a reason to send a request again."""
        return ConnectionAbortedError(errno.ECONNABORTED, f"{named(self.interceptor)} was stopped{when}")

    def end(self) -> None:
        """End all connections, in whatever loop they are, and cancel whoever still answers."""
        with self._lock:
            self.is_over = True
            twins = list(self.twins.values())
            self.twins.clear()
        for conversation in self._known():
            in_loop(conversation.loop, conversation.end, self.over)
        for twin in twins:
            if twin.loop is not None:
                in_loop(twin.loop, twin.shut)

    async def wait_ended(self) -> None:
        """Wait until nobody answers any more in this loop, and all its connections are gone."""
        loop = asyncio.get_running_loop()
        running = {task for task in list(self.tasks) if task.get_loop() is loop} - {asyncio.current_task()}
        for _ in range(STUBBORN):
            if running:
                _, running = await asyncio.wait(running, timeout=1)
            for task in running:
                task.cancel()
        if running:
            raise RuntimeError(f"{named(self.interceptor)}: what answers does not end when it is cancelled: {running}")
        for _ in range(CLOSE_TURNS):
            if not any(each.loop is loop for each in self._known()):
                return
            await asyncio.sleep(0)

    def _known(self) -> list[Conversation]:
        with self._lock:
            return list(self._conversations)

    def gone(self, conversation: Conversation) -> None:
        """A connection is over."""
        with self._lock:
            self._conversations.discard(conversation)


def named(interceptor: Interceptor) -> str:
    """What ``interceptor`` is called in errors."""
    return type(interceptor).__name__


def in_loop(loop: asyncio.AbstractEventLoop, function: Callable[..., object], *given: Any) -> None:
    """Call ``function`` in the thread of ``loop``: now, if that is this one, or nobody's. Not if it is closed."""
    if loop.is_closed():
        return
    if not loop.is_running() or loop is running_loop():
        function(*given)
        return
    with contextlib.suppress(RuntimeError):  # it was closed meanwhile
        loop.call_soon_threadsafe(function, *given)


def destination(conn: Any) -> tuple[str, int]:
    """Host and port of the origin to which ``conn`` leads, maybe through a tunnel."""
    tunnel = conn._tunnel  # noqa: SLF001  # what stands in the place of its dialling is a part of it
    return (conn.host, conn.port) if tunnel is None else (tunnel.host, tunnel.port)


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread."""
    return asyncio._get_running_loop()  # noqa: SLF001  # in the documentation, for uses like this


class SiteDialer:
    """The dialer of a twin."""

    streams_are_secure = True

    def __init__(self, site: Site, send_on: SendOn) -> None:
        self._site = site
        self._send_on = send_on

    async def dial(self, host: str, port: int) -> StreamProtocol:
        """A connection to the site."""
        return self._site.connect(host, port, self._send_on, True)

    def secured(self, stream: StreamProtocol) -> None:
        """It is for https."""
        stream.base_transport.shared["scheme"] = "https"  # type: ignore[attr-defined]  # a MemoryTransport
