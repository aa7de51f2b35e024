"""The pool of a client: one that it was given, or its own, made of what was said about connections."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..pool import ConnectionPool
from ._environment import Environment, without_environment

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from typing import Any

    from ..net import Dialer
    from ..pool import PoolLimits, Proxy, ProxyAuth
    from ..timeouts import Timeout


def pool_for(
    transport: ConnectionPool | Dialer | None,
    *,
    limits: PoolLimits,
    timeout: Timeout,
    ssl_context: ssl.SSLContext | None,
    proxy_ssl_context: ssl.SSLContext | None,
    proxy: str | Proxy | Callable[[str], str | Proxy | None] | None,
    proxy_auth: ProxyAuth | None,
    trust_env: bool,
    on_event: Callable[[Any], object] | None,
) -> tuple[ConnectionPool, bool]:
    """The pool, and whether it is the client's own. The parameters are those of the client.

    :raises InvalidURL, ValueError, OSError: see :class:`AsyncHTTPClient`
    """
    if isinstance(transport, ConnectionPool):
        if proxy_auth is not None:
            raise ValueError("proxy_auth is for the client's own pool, and transport is another")
        return transport, False
    environment = Environment() if trust_env else None
    # Whoever brings a dialer says where connections lead; what listens there may be no network's business at all.
    if environment is not None and proxy is None and transport is None and environment.has_proxies:
        proxy = environment.proxy_for
    usual = without_environment() if environment is None else environment.ssl_context()
    pool = ConnectionPool(
        limits,
        timeout,
        usual if ssl_context is None else ssl_context,
        proxy,
        transport,
        proxy_ssl_context=usual if proxy_ssl_context is None else proxy_ssl_context,
        proxy_auth=proxy_auth,
        on_event=on_event,
    )
    pool.warns = False  # the client does, and says where it was made
    return pool, True
