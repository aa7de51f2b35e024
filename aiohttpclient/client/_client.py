"""The client: requests are built, go down the pipeline, and come back as responses."""

from __future__ import annotations

import asyncio
import logging
import sys
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any

from ..errors import PoolClosed
from ..pool import PoolLimits
from ..timeouts import Timeout
from ._auth import as_auth
from ._building import Builder, names_of
from ._checks import check_settings, checked_middlewares
from ._complete import CompleteSender
from ._cookies import CookieJar
from ._events import EventKind, event_of
from ._netrc import netrc_auth
from ._pipeline import in_order
from ._proxy_auth import ClientProxyAuth, ProxySender
from ._request import Settings
from ._retry_policy import RetryPolicy
from ._sending import Sender
from ._transfers import Transfers
from ._transport import pool_for
from .middlewares import (
    AuthMiddleware,
    CookiesMiddleware,
    ExpectationsMiddleware,
    RedirectsMiddleware,
    RetriesMiddleware,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterable, Sequence
    from types import TracebackType
    from typing import Self, Unpack

    from yarl import URL

    from .._headers import Headers
    from ..net import Dialer
    from ..pool import ConnectionPool, PoolEvent, Proxy
    from ..wire import ResponseHead
    from ._auth import Auth
    from ._cookies import CookiesInit
    from ._events import ClientEvent
    from ._options import FieldChanges, RequestOptions
    from ._pipeline import Handler, Middleware
    from ._request import Request
    from ._response import Response
    from ._stream import ResponseStream
    from ._timings import Timings
    from ._urls import Params

log = logging.getLogger("aiohttpclient.client")


class AsyncHTTPClient(Transfers):
    """What is said once for many requests, and the connections that they share.

    ::

        async with AsyncHTTPClient(base_url="https://api.example.org/v1") as client:
            response = await client.get("users", params={"page": 2})
            for user in response.raise_for_status().json():
                ...

    :param base_url: what relative URLs are appended to
    :param headers: fields of every request; they may be changed later, as ``client.headers``
    :param params: appended to the query of every request
    :param auth: ``("user", "password")`` for Basic, or an :class:`Auth`; for every request that says nothing else. An
        ``Authorization`` field in ``headers`` comes before it, and ``auth`` of a request before that
    :param cookies: a :class:`CookieJar`, which is used as it is, or cookies to begin one with. A ``Cookie`` field in
        ``headers`` stands instead of it, and ``cookies`` of a request instead of that
    :param timeout: bounds for each request: seconds for each phase, or a :class:`Timeout`, whose ``total`` holds for
        the whole: redirects, attempts and the waits between them, what ``auth`` does, and the body
    :param limits: of the connections
    :param ssl_context: for https; None: certifi's roots, host names, TLS 1.2 or later
    :param proxy_ssl_context: for https proxies; None: as for https by default
    :param proxy: URL of a proxy, a :class:`Proxy`, or a function that is asked for each origin; None: what the
        environment says, unless there is a ``transport``
    :param proxy_auth: what ``auth`` is, for ``http`` and ``https`` proxies, instead of user name and password in their
        URLs, which are Basic. Nothing else says it: the netrc file is for origins, as it is in curl and requests
        (``proxy_auth=NetrcAuth()`` looks there for the host of the proxy). It is sent to proxies only. Where one asks
        for it (407), the request is sent again, unless its body can be sent once only: then the 407 is the answer. A
        tunnel that is refused all the same is a :class:`TunnelError`
    :param trust_env: use ``HTTP_PROXY``, ``HTTPS_PROXY``, ``ALL_PROXY``, ``NO_PROXY``, ``SSL_CERT_FILE``,
        ``SSL_CERT_DIR``, ``SSLKEYLOGFILE`` and the netrc file, where they are set and nothing else is said
    :param follow_redirects, max_redirects: whether, and how many
    :param retries: what is sent again, and when; None: nothing is
    :param max_body: bytes that the body of a response may have when it is decoded; None: any number. Set it where
        others choose the URLs
    :param middlewares: the caller's own, outermost first; see :data:`Middleware`
    :param transport: a :class:`ConnectionPool` to use instead of one's own, which is not closed with the client, or a
        dialer, which makes the connections: see :class:`aiohttpclient.net.Dialer`. Over those of a dialer the proxies
        of the environment are not asked, as in httpx: what listens on a Unix socket is no proxy. ``proxy`` names one
    :param sensitive: names of header fields that are for their origin only, and do not follow a redirect to another;
        ``Authorization``, ``Cookie`` and others that look like credentials never do
    :param allow_downgrade: follow redirects from https to http
    :param json_loads, json_dumps: parse bytes, and make str or bytes; such as ``orjson.loads`` and ``orjson.dumps``
    :param on_event: called with each :class:`ClientEvent`, and each :class:`PoolEvent` of its own pool, as it happens.
        It must not use the client, nor raise: what it raises is reported to the event loop, and changes nothing
    :raises InvalidURL: ``base_url`` or ``proxy`` cannot be used
    :raises TypeError: something of another type than above
    :raises ValueError: ``proxy_auth`` for a proxy that has credentials in its URL (from a function, or the environment:
        when it is used), for a SOCKS proxy, or for a pool of one's own

    It belongs to the event loop in which it is used first, and may be made outside of one. Close it, or use ``async
    with``.
    """

    _closed = True  # as long as the constructor has not succeeded

    def __init__(
        self,
        *,
        base_url: str | URL | None = None,
        headers: FieldChanges | None = None,
        params: Params | None = None,
        auth: Auth | tuple[str, str] | None = None,
        cookies: CookieJar | CookiesInit | None = None,
        timeout: float | Timeout = Timeout(),  # noqa: B008  # an immutable value
        limits: PoolLimits = PoolLimits(),  # noqa: B008  # the same
        ssl_context: ssl.SSLContext | None = None,
        proxy_ssl_context: ssl.SSLContext | None = None,
        proxy: str | Proxy | Callable[[str], str | Proxy | None] | None = None,
        proxy_auth: Auth | tuple[str, str] | None = None,
        trust_env: bool = True,
        follow_redirects: bool = True,
        max_redirects: int = 20,
        retries: RetryPolicy | None = RetryPolicy(),  # noqa: B008  # the same
        max_body: int | None = None,
        middlewares: Sequence[Middleware] = (),
        transport: ConnectionPool | Dialer | None = None,
        sensitive: Iterable[str] = (),
        allow_downgrade: bool = False,
        json_loads: Callable[[bytes], Any] | None = None,
        json_dumps: Callable[[Any], str | bytes] | None = None,
        on_event: Callable[[ClientEvent | PoolEvent], object] | None = None,
    ) -> None:
        check_settings(
            {
                "allow_downgrade": allow_downgrade,
                "follow_redirects": follow_redirects,
                "json_dumps": json_dumps,
                "json_loads": json_loads,
                "max_body": max_body,
                "max_redirects": max_redirects,
                "on_event": on_event,
                "retries": retries,
                "trust_env": trust_env,
            }
        )
        self._timeout = timeout if isinstance(timeout, Timeout) else Timeout(timeout)
        self._on_event = on_event
        self.cookies = cookies if isinstance(cookies, CookieJar) else CookieJar(cookies or ())
        self._retries = RetriesMiddleware()
        self._is_plain = not middlewares and proxy_auth is None
        settings = Settings(
            auth=as_auth(auth) or (netrc_auth() if trust_env else None),
            follow_redirects=follow_redirects,
            max_body=max_body,
            max_redirects=max_redirects,
            retries=retries,
            sensitive=names_of(sensitive),
        )
        if json_loads is not None:
            settings = settings.replace(json_loads=json_loads)
        base = None if base_url is None else str(base_url)
        self._builder = Builder(base, params, headers, self._timeout, settings, json_dumps, self._tell)
        known = as_auth(proxy_auth, "proxy_auth")
        self._proxy_auth = None if known is None else ClientProxyAuth(known)
        self.pool, self._owns_pool = pool_for(
            transport,
            limits=limits,
            timeout=self._timeout,
            ssl_context=ssl_context,
            proxy_ssl_context=proxy_ssl_context,
            proxy=proxy,
            proxy_auth=self._proxy_auth,
            trust_env=trust_env,
            on_event=on_event,
        )
        own: dict[str, Middleware] = {
            "redirects": RedirectsMiddleware(allow_downgrade),
            "retries": self._retries,
            "expectations": ExpectationsMiddleware(),
            "auth": AuthMiddleware(partial(has_room, self.pool)),
            "cookies": CookiesMiddleware(self.cookies),
        }
        self._middlewares = in_order(own, checked_middlewares(middlewares))
        self._sender: CompleteSender | None = None
        self._made_at = caller(self)
        self._closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}{' closed' if self._closed else ''} {self.pool!r}>"

    def __del__(self) -> None:
        if not self._closed and self._owns_pool and self._sender is not None:
            warnings.warn(f"unclosed client, made at {self._made_at}", ResourceWarning, stacklevel=1, source=self)

    async def __aenter__(self) -> Self:
        self._check_open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self, grace: float = 0.0) -> None:
        """Close all connections, and return when they are closed; a client cannot be used again.

        Requests under way have ``grace`` seconds to end, and are aborted then. To close a closed client does nothing,
        in whatever loop.

        :raises RuntimeError: this is not the loop to which the client belongs; it is not closed then. Where that loop
            is closed already, forget the client: it warns, and its sockets are closed
        """
        if self._owns_pool and not self._closed:
            self.pool.check_loop()
        self._closed = True
        self._sender = None
        if self._owns_pool:
            await self.pool.close(grace)

    @property
    def closed(self) -> bool:
        """Whether the client was closed."""
        return self._closed

    @property
    def headers(self) -> Headers:
        """The fields of every request; what is changed here holds from the next one on."""
        return self._builder.headers

    # -- requests that are answered whole ----------------------------------------------------------------------------

    async def request(self, method: str, url: str | URL, **options: Unpack[RequestOptions]) -> Response:
        """Send a request, and read the whole answer.

        :param url: absolute, or relative to ``base_url``; what is percent-encoded in it stays as it is
        :param options: see :class:`RequestOptions`
        :raises InvalidURL, ValueError, TypeError: something that cannot be sent
        :raises PhaseTimeout: something took too long; which, says the class
        :raises TooManyRedirects, RedirectRefused, BodyNotReplayable: redirects that cannot be followed
        :raises DecodingError, BodyTooLarge, IncompleteRead: the body is not what it should be
        :raises HTTPException, OSError: anything else that went wrong
        """
        talks = self._on_event is not None or log.isEnabledFor(logging.DEBUG)
        request = None if options or talks else self._builder.repeated(method, url)
        if request is None:
            request = self._builder.build(method, url, options, talks)
            if not options:
                self._builder.remember(method, url, request)
        return await (self._sender or self._make_sender())(request)

    # -- requests that are made by themselves -------------------------------------------------------------------------

    async def send(self, request: Request) -> ResponseStream:
        """Send a request that is made already; the answer is the caller's to read, and to close."""
        return await (self._sender or self._make_sender()).pipeline(request)

    async def complete(self, request: Request) -> Response:
        """The same with the whole answer; what is raised says :meth:`request`."""
        return await (self._sender or self._make_sender())(request)

    def build_request(self, method: str, url: str | URL, **options: Unpack[RequestOptions]) -> Request:
        """The request that :meth:`request` would send, for :meth:`send`; a total timeout begins to run now."""
        talks = self._on_event is not None or log.isEnabledFor(logging.DEBUG)
        return self._builder.build(method, url, options, talks)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _make_sender(self) -> CompleteSender:
        """What sends requests, made in the loop that the client belongs to."""
        self._check_open()
        loop = asyncio.get_running_loop()
        send, auth = Sender(self.pool, loop), self._proxy_auth
        handler: Handler = send if auth is None else ProxySender(send, self.pool, auth)
        self._sender = CompleteSender(
            self.pool, loop, handler, self._middlewares, self._retries, self.cookies, direct=self._is_plain
        )
        return self._sender

    def _check_open(self) -> None:
        if self._closed:
            raise PoolClosed("the client is closed")

    def _tell(
        self,
        kind: EventKind,
        request: Request,
        detail: str = "",
        timings: Timings | None = None,
        head: ResponseHead | None = None,
    ) -> None:
        try:
            event = event_of(kind, request, detail, timings, head)
            log.debug("%s", event)
            if self._on_event is not None:
                self._on_event(event)
        except Exception as error:  # noqa: BLE001  # the request has to go on all the same
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"what listens to {self!r} failed", "exception": error}
            )


def has_room(pool: ConnectionPool, url: str) -> bool:
    """:meth:`ConnectionPool.has_room`, looked up when it is called: a test may intercept requests by then."""
    return pool.has_room(url)


def caller(client: AsyncHTTPClient) -> str:
    """Where ``client`` is being made: file and line of the first frame that is not its constructor, or a subclass's."""
    frame = sys._getframe(2)  # noqa: SLF001  # inspect.stack() reads files
    while frame.f_back is not None and frame.f_locals.get("self") is client:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
