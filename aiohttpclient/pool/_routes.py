"""From a URL to what a pool has to know: which connections may carry the request, and how one is made."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, NamedTuple

from .._url import host_field, split_url
from ..connection import Origin
from ..errors import InvalidURL
from ..net import ResumingContext
from ..status import HTTP_PORT, HTTPS_PORT
from ..wire import around_target, field_line
from ._connections import LeasedConnection, LeasedTLSConnection, PooledConnection, PooledTLSConnection
from ._proxy import Proxy

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ..connection import FieldBlock, Plan
    from ..net import Dialer
    from ._proxy import ProxyAuth

    ProxyChoice = Proxy | Callable[[str], str | Proxy | None] | None

ROUTES = 16384
"""Routes that are remembered, of about 2 KiB each. A crawl of more origins than that works them out again."""

AROUND = 4
"""Methods, each with fields that many requests share, of which a route keeps what stands around the target."""

PROXIES = 256
"""SOCKS dialers that are remembered, where a function chooses the proxy."""

CONTEXTS = 256
"""TLS contexts that are remembered, of 12 KiB each, one for each proxy and port; nearly always there is one."""


class OriginKey(NamedTuple):
    """Connections with the same key carry the same requests (RFC 9110 section 4.3.1), to the same proxy or none."""

    scheme: str
    host: str
    port: int
    proxy: Proxy | None

    def __str__(self) -> str:
        through = "" if self.proxy is None else f" through {self.proxy}"
        default = HTTPS_PORT if self.scheme == "https" else HTTP_PORT
        return f"{self.scheme}://{host_field(self.host, self.port, default)}{through}"


class Route:
    """How requests to one origin travel. ``prefix`` stands before the target where a proxy forwards them.

    ``around`` is what is sent before and behind the target of a request without a body, and its plan, by its method and
    fields.
    """

    __slots__ = ("around", "key", "origin", "prefix")

    def __init__(self, key: OriginKey) -> None:
        scheme, host, port, proxy = key
        self.key = key
        self.prefix = ""
        extra = b""
        default = HTTPS_PORT if scheme == "https" else HTTP_PORT
        if proxy is not None and forwards(proxy, scheme):
            self.prefix = f"{scheme}://{host_field(host, port, default)}"
            if proxy.authorization is not None:
                extra = field_line("Proxy-Authorization", proxy.authorization)
        self.origin = Origin(scheme, host, port, default, extra)
        self.around: dict[tuple[str, Any], tuple[bytes, bytes, Plan]] = {}

    def know(self, method: str, block: FieldBlock) -> None:
        """Keep what is around the target of a request with these, which one without a body has shown to be allowed."""
        if not self.prefix:  # else the target is a URL, from which the Host field follows
            if len(self.around) >= AROUND:
                self.around.clear()
            before, behind = around_target(method, self.origin.with_block("/", block))
            self.around[method, block] = before, behind, block.plan


def forwards(proxy: Proxy, scheme: str) -> bool:
    """Whether ``proxy`` is sent the requests to origins of ``scheme`` themselves, with the whole URL as target."""
    return proxy.scheme in ("http", "https") and not proxy.tunnels(scheme)


def resuming(context: ssl.SSLContext) -> ResumingContext:
    """One of its own over ``context``; what the caller has made one of, it wants to be shared as it is."""
    return context if isinstance(context, ResumingContext) else ResumingContext(context)


def is_socks(proxy: Proxy) -> bool:
    """Whether ``proxy`` connects without seeing what for."""
    return proxy.scheme not in ("http", "https")


class Router:
    """Knows the routes of a pool.

    :param proxy: one for all origins, none, or a function that is asked once for each, with its URL
    :param context, proxy_context: give the TLS context for origins, and for proxies
    :param dialer: connects to origins and proxies
    :param through: makes of ``dialer`` one that goes through a SOCKS proxy
    :param auth: who we are to HTTP proxies
    :raises ValueError: ``auth`` is of no use with ``proxy``, or not needed
    """

    def __init__(
        self,
        proxy: ProxyChoice,
        context: Callable[[], ssl.SSLContext],
        proxy_context: Callable[[], ssl.SSLContext],
        dialer: Dialer,
        through: Callable[[Proxy], Dialer],
        auth: ProxyAuth | None = None,
        **options: Any,
    ) -> None:
        self.auth = auth
        self._proxy = proxy
        # Who resumes a session is seen to be who began it: not through another proxy, nor with other credentials. And
        # behind another port of the same name is most likely another server, which would refuse it.
        self._context = functools.lru_cache(CONTEXTS)(lambda proxy, port: resuming(context()))  # noqa: ARG005
        self._proxy_context = functools.lru_cache(CONTEXTS)(lambda proxy: resuming(proxy_context()))  # noqa: ARG005
        self._dialer = dialer
        self._through = functools.lru_cache(PROXIES)(through)
        if isinstance(proxy, Proxy):  # whatever is wrong with it is said now
            self._check(proxy)
            if is_socks(proxy):
                self._through(proxy)
                if auth is not None:
                    raise ValueError(f"{proxy} takes user name and password from its URL, and no proxy_auth")
        self._options = options
        self._by_origin = functools.lru_cache(ROUTES)(self._route)
        self._routes: dict[str, Route] = {}  # the same by what URLs begin with, which origins have several spellings of

    def find(self, url: str) -> tuple[Route, str]:
        """The route to the origin of ``url``, and the target to be asked for.

        :raises InvalidURL: ``url`` is not an absolute URL of HTTP
        :raises TypeError: it is something else than text or a URL object
        """
        if type(url) is not str:
            url = as_text(url)
        slash = url.find("/", len("https://"))  # of http, too: a host has one character at least
        if slash > 0 and "#" not in url:
            route = self._routes.get(url[:slash])
            if route is not None:
                return route, route.prefix + url[slash:]
        return self._find_new(url)

    def _find_new(self, url: str) -> tuple[Route, str]:
        scheme, host, port, target = split_url(url)
        route = self._by_origin(scheme, host, port)
        start = url.partition("://")[2]
        base = url[: len(url) - len(start)] + start.partition("/")[0]
        if not any(mark in base[8:] for mark in "?#"):
            if len(self._routes) >= ROUTES:
                del self._routes[next(iter(self._routes))]
            self._routes[base] = route
        return route, route.prefix + target

    def _route(self, scheme: str, host: str, port: int) -> Route:
        proxy = self._proxy
        if callable(proxy):
            chosen = proxy(str(OriginKey(scheme, host, port, None)))
            proxy = None if chosen is None else Proxy.parse(chosen)
        if proxy is not None:
            self._check(proxy)
        return Route(OriginKey(scheme, host, port, proxy))

    def _check(self, proxy: Proxy) -> None:
        """Refuse to guess who we are to ``proxy``.

        :raises ValueError: it has credentials of its own, and there is ``auth``
        """
        if self.auth is not None and proxy.authorization is not None:
            raise ValueError(f"proxy_auth is given, and {proxy} has user name or password in its URL: say only one")

    def connection(self, key: OriginKey) -> PooledConnection:
        """A connection that the pool is going to keep; not open."""
        return self._make(key, PooledConnection, PooledTLSConnection)  # type: ignore[no-any-return]  # one of the two

    def lease(self, key: OriginKey) -> LeasedConnection:
        """A connection that the pool is going to lease; not open."""
        return self._make(key, LeasedConnection, LeasedTLSConnection)  # type: ignore[no-any-return]  # one of the two

    def _make(self, key: OriginKey, plain: type[Any], tls: type[Any]) -> Any:
        scheme, host, port, proxy = key
        options: dict[str, Any] = {"strict": True, "dialer": self._dialer, **self._options}
        if proxy is not None and is_socks(proxy):
            options["dialer"] = self._through(proxy)
            proxy = None
        if proxy is None:
            if scheme == "https":
                return tls(host, port, context=self._context(key.proxy, key.port), **options)
            return plain(host, port, **options)
        if forwards(proxy, scheme):
            if proxy.scheme == "https":
                return tls(proxy.host, proxy.port, context=self._proxy_context(key.proxy), **options)
            return plain(proxy.host, proxy.port, **options)
        if proxy.scheme == "https":
            options["proxy_context"] = self._proxy_context(key.proxy)
        conn = tls(proxy.host, proxy.port, context=self._context(key.proxy, key.port), **options)
        authorization = proxy.authorization
        fields = {} if authorization is None else {"Proxy-Authorization": authorization}
        auth = None if self.auth is None else functools.partial(self.auth.begin, proxy, "CONNECT")
        conn.set_tunnel(host, port, fields, auth=auth)
        return conn


def as_text(url: object) -> str:
    """``url`` as text: a ``str``, or an object of a URL class (``yarl.URL``, ``httpx.URL``) in its encoded form."""
    if isinstance(url, str):
        return str(url)
    if isinstance(url, (bytes, bytearray)) or not hasattr(url, "host"):
        raise TypeError(f"a URL must be str or a URL object, got {type(url).__name__}")
    text = str(url)
    if not text:
        raise InvalidURL("a URL must not be empty")
    return text
