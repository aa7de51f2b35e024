"""The pool itself: requests over connections that are kept, and connections to be leased.

Theory of operation
-------------------
A request holds a slot from the moment in which it was given one until the last byte of its response was read. On every
way out the slot is given back:

* the response was read to its end: the connection tells its owner, which is the pool, in the very step;
* anything failed, was closed early or was cancelled: the connection has closed its socket before that is known here;
* the response was forgotten before it was read: it says so when it is collected.

What a server does in the moment in which a request is written cannot be seen in time by anybody; for that there is one
retry, where ``_retry`` allows it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, overload

from .._url import authority
from ..connection import DEFAULT_LIMITS, EXPECT_TIMEOUT, FieldBlock
from ..timeouts import Timeout
from ._lease import Lender
from ._limits import PoolLimits
from ._prepared import Preparations
from ._proxy import Proxy
from ._retry import may_repeat, rewinder
from ._stats import Drop, EventKind, PoolEvent, PoolStats
from ._timeouts import TimeoutManager
from ._watch import Asking

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from .._headers import HeadersInit
    from ..connection import AsyncHTTPResponse, ProxyTurn, WholeResponse
    from ..net import Dialer
    from ..wire import MessageLimits
    from ._proxy import ProxyAuth
    from ._slot import Slot

REUSED = EventKind.REUSED


class ConnectionPool(Lender):
    """Keeps connections to any number of origins, and lends them to one request at a time each.

    :param limits: how many connections, for how long; and how many requests may wait
    :param timeout: bounds for each request that does not bring its own; a number sets each phase
    :param ssl_context: for ``https``; None: certifi's roots, host names, TLS 1.2 or later
    :param proxy: the URL of a proxy (``http``, ``https``, ``socks4``, ``socks4a``, ``socks5``, ``socks5h``), a
        :class:`Proxy`, or a function that is asked once for each origin (``"https://example.org"``) and answers with
        one of these, or None for a direct connection
    :param dialer: makes the connections: see :class:`aiohttpclient.net.Dialer`. The default looks names up in threads
        of its own, remembers the addresses for a short time, and tries all of them. ``TCPDialer(allow=public_only)``
        keeps to the public Internet, whatever a name stands for: use it where others choose the URLs. It judges the
        address that is connected to, which behind a proxy is the proxy's
    :param proxy_ssl_context: for ``https`` proxies; None: the same as for ``https`` by default
    :param proxy_auth: who we are to ``http`` and ``https`` proxies that have nothing about that in their URLs, where a
        tunnel is opened; a request that is forwarded takes ``proxy_authorization``
    :param message_limits: bounds on what a peer may send outside of a body
    :param expect_timeout: seconds to wait for ``100 Continue`` where a request expects one, before the body is sent
        anyway
    :param retry: send a request once more when the reused connection that it went out on died before a byte of an
        answer came, and the request may be repeated: its method is idempotent, or nothing of it was written
    :param on_event: called with a :class:`PoolEvent` for each decision, and each step on the way to a connection.
        It must not use the pool, nor raise: what it raises is reported to the event loop, and changes nothing
    :raises TypeError: something of another type than above
    :raises InvalidURL: ``proxy`` is not the URL of one
    :raises ValueError: ``proxy`` has credentials, or takes others, and there is ``proxy_auth``

    A pool belongs to the event loop in which it is used first. Close it, or use ``async with``.
    """

    def __init__(
        self,
        limits: PoolLimits = PoolLimits(),  # noqa: B008  # an immutable value
        timeout: float | Timeout = Timeout(),  # noqa: B008  # the same
        ssl_context: ssl.SSLContext | None = None,
        proxy: str | Proxy | Callable[[str], str | Proxy | None] | None = None,
        dialer: Dialer | None = None,
        *,
        proxy_ssl_context: ssl.SSLContext | None = None,
        proxy_auth: ProxyAuth | None = None,
        message_limits: MessageLimits = DEFAULT_LIMITS,
        expect_timeout: float = EXPECT_TIMEOUT,
        retry: bool = True,
        on_event: Callable[[PoolEvent], object] | None = None,
    ) -> None:
        chosen = Proxy.parse(proxy) if isinstance(proxy, str) else proxy
        bounds = timeout if isinstance(timeout, Timeout) else Timeout(timeout)
        options = {"limits": message_limits, "expect_timeout": expect_timeout}
        super().__init__(limits, bounds, chosen, dialer, ssl_context, proxy_ssl_context, options, on_event, proxy_auth)
        # What has no total has no time of its own either: one clock is enough for all such requests.
        self._clock = TimeoutManager(Timeout() if bounds.total is not None else bounds)
        self.retry = retry
        self._options = options
        self._retried = 0
        self._asking = Asking(self)
        preparations = Preparations(self._router)
        self._prepared, self._prepare = preparations.known, preparations.prepare

    async def __aenter__(self) -> Self:
        self.check_usable()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # -- what people use ---------------------------------------------------------------------------------------------

    @overload
    async def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: HeadersInit | FieldBlock | None = None,
        timeout: float | Timeout | TimeoutManager | None = None,
        *,
        proxy_authorization: str | None = None,
        proxy_turn: ProxyTurn | None = None,
        on_sent: Callable[[bool], object] | None = None,
        whole: Literal[False] = False,
    ) -> AsyncHTTPResponse: ...

    @overload
    async def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: HeadersInit | FieldBlock | None = None,
        timeout: float | Timeout | TimeoutManager | None = None,
        *,
        proxy_authorization: str | None = None,
        proxy_turn: ProxyTurn | None = None,
        on_sent: Callable[[bool], object] | None = None,
        whole: bool,
    ) -> AsyncHTTPResponse | WholeResponse: ...

    async def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: HeadersInit | FieldBlock | None = None,
        timeout: float | Timeout | TimeoutManager | None = None,
        *,
        proxy_authorization: str | None = None,
        proxy_turn: ProxyTurn | None = None,
        on_sent: Callable[[bool], object] | None = None,
        whole: bool = False,
    ) -> AsyncHTTPResponse | WholeResponse:
        """Send a request over a connection to the origin of ``url``; the response, whose body is still to be read.

        The connection is free for others in the step in which the last byte of the body is read. A response that is not
        read to its end keeps its connection: read it, or ``close`` it.

        :param url: absolute; the path and query as they are to be sent, percent-encoded
        :param body: whatever :meth:`AsyncHTTPConnection.request` takes; under a Transfer-Encoding of the caller's own,
            which must end in ``chunked``, it is sent in chunks, too
        :param timeout: None: the pool's; a number sets each phase; a :class:`TimeoutManager`: what is left of that
        :param proxy_authorization: the value of that field, for a request that is :meth:`forwarded`
        :param proxy_turn: says who asks, for one that is :meth:`tunnelled`, should a tunnel have to be opened for it;
            None: ``proxy_auth`` of the pool does
        :param on_sent: called when the request was written, head and body, and its answer is waited for: with True, or
            with False when an answer ended the sending before. Again where the request is sent again
        :param whole: see :meth:`AsyncHTTPConnection.getresponse`
        :raises InvalidURL, ValueError, TypeError: something that cannot be sent; no connection was touched
        :raises PoolTimeout: no connection became free in time
        :raises PoolFull: as many requests as may wait do
        :raises PoolClosed: the pool is closed
        :raises PhaseTimeout: something else took too long
        :raises HTTPException, OSError: as :meth:`AsyncHTTPConnection.request` and its ``getresponse``

        What is raised because no connection could be had has an attribute ``unsent``, which is True: it is certain that
        nothing of the request has left.
        """
        # A body is looked at each time, and fields too, unless they are a block, which never changes.
        repeats = body is None and proxy_authorization is None and (headers is None or type(headers) is FieldBlock)
        prepared = self._prepared.get((method, url, headers)) if repeats else None
        if prepared is None:
            prepared = self._prepare(method, url, body, headers, proxy_authorization)
        route, target, head, plan, body = prepared
        bounds, deadline = self._timeout, None
        if timeout is not None or bounds.total is not None:
            bounds, deadline = self._bounds(timeout, method, url)
        rewind = None if body is None else rewinder(body)
        slot = self._book.take(route.key)
        if slot is None or not slot.stream.is_clean():
            clock = self._clock if bounds is self._timeout and deadline is None else TimeoutManager(bounds, deadline)
            slot = await self._acquire(slot, route.key, clock, method, url, proxy_turn)
        else:
            self._reused += 1
            self._say(REUSED, route.key)
        while True:
            conn = slot.conn
            assert conn is not None
            try:
                sending = conn.start(method, target, head, body, plan, bounds, deadline)
                if sending is not None:
                    await sending
                if on_sent is not None:
                    on_sent(not conn.stopped)
                conn.owner = self._asking
                response = await conn.getresponse(whole=whole)
            except BaseException as error:  # noqa: BLE001  # raised again
                self._raise_or_retry(slot, method, url, body is None or rewind is not None, error)
            else:
                if not slot.used:
                    slot.used = True
                    conn.keep_session()  # before the body: a server that closes after it may do so unread
                if type(response) is tuple:
                    conn.owner = None
                    self._complete(slot, response[0].keep_alive, conn)
                elif conn.owner is not None:  # the response is not complete yet
                    conn.owner = self
                return response
            await self._connect(slot, TimeoutManager(bounds, deadline), method, url, rewind, conn.refused, proxy_turn)

    def forwarded(self, url: str) -> tuple[Proxy, str] | None:
        """The proxy to which a request for ``url`` is sent, and the target in its first line.

        None: it goes to the origin, be it through a tunnel or SOCKS, and no proxy gets to see it.

        :raises InvalidURL: ``url`` is not an absolute URL of HTTP
        """
        route, target = self._router.find(url)
        proxy = route.key.proxy
        return (proxy, target) if proxy is not None and route.prefix else None

    def tunnelled(self, url: str) -> tuple[Proxy, str] | None:
        """The proxy through which a request for ``url`` has a tunnel, and the target of the CONNECT that opens it.

        None: it goes to the origin directly or by SOCKS, or is :meth:`forwarded`.

        :raises InvalidURL: ``url`` is not an absolute URL of HTTP
        """
        scheme, host, port, proxy = self._router.find(url)[0].key
        return (proxy, authority(host, port)) if proxy is not None and proxy.tunnels(scheme) else None

    def has_room(self, url: str) -> bool:
        """Whether a request for ``url`` would get a connection now, and wait for nobody else's.

        :raises InvalidURL: ``url`` is not an absolute URL of HTTP
        """
        return self._book.has_room(self._router.find(url)[0].key)

    @property
    def proxy_auth(self) -> ProxyAuth | None:
        """Who we are to proxies that have nothing about that in their URLs."""
        return self._router.auth

    def settings(self) -> dict[str, Any]:
        """What another pool is made with that has the same bounds, and connects in a way of its own."""
        message_limits, expect_timeout = self._options.values()
        return {
            "limits": self.limits,
            "timeout": self._timeout,
            "message_limits": message_limits,
            "expect_timeout": expect_timeout,
            "retry": self.retry,
            "on_event": self._on_event,
        }

    def stats(self) -> PoolStats:
        """What the pool has and has done, counted in this moment."""
        book = self._book
        return PoolStats(
            idle=book.idle,
            busy=book.busy,
            connecting=book.connecting,
            waiting=book.waiting,
            origins=book.origins,
            opened=self._opened,
            resumed=self._resumed,
            reused=self._reused,
            retried=self._retried,
            dropped=dict(self._dropped),
        )

    def _raise_or_retry(self, slot: Slot, method: str, url: str, replayable: bool, error: BaseException) -> None:
        """Raise ``error``, with which an exchange failed, unless that may be done once more on a fresh connection."""
        conn = slot.conn
        assert conn is not None
        may = self.retry and slot.used and replayable and not self._closed
        if not (may and may_repeat(method, conn.untouched, conn.refused, error)):
            self._drop(slot, Drop.FAILED)
            self._explain(error, method, url, False)
            raise error
        self._retried += 1
        self._count(slot, Drop.FAILED)
        self._say(EventKind.RETRIED, slot.page.key, type(error).__name__)
