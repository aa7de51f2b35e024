"""An asyncio HTTP/1.1 client: ``http.client`` made awaitable, one transaction at a time on a connection.

The names most programs need; everything else is in the sub-modules, each of which says what it exports. The status
constants of ``http.client`` (``NOT_FOUND``, ``responses``, ...) are here too, as they are there.

The names of the pool and of the client are imported when they are first asked for: what a program does not use should
not slow its start.
"""

from typing import TYPE_CHECKING, Any

from . import _version, errors, status
from ._headers import Headers
from .connection import AsyncHTTPConnection, AsyncHTTPResponse, AsyncHTTPSConnection
from .errors import *  # noqa: F403  # the list of names is errors.__all__
from .status import *  # noqa: F403  # the list of names is status.__all__
from .timeouts import Timeout
from .wire import ExchangeState, MessageLimits

if TYPE_CHECKING:
    from .client import (
        AsyncHTTPClient,
        Attempt,
        Auth,
        BasicAuth,
        BearerAuth,
        ClientEvent,
        Cookie,
        CookieJar,
        DigestAuth,
        Download,
        NetrcAuth,
        Request,
        Response,
        ResponseStream,
        RetryBudget,
        RetryPolicy,
        ServerSentEvent,
        Timings,
        delete,
        get,
        head,
        options,
        patch,
        post,
        put,
        request,
    )
    from .pool import ConnectionPool, PoolLimits, PoolStats, Proxy, TimeoutManager

__all__ = [  # noqa: PLE0604  # two lists of names have their own modules
    "AsyncHTTPClient",
    "AsyncHTTPConnection",
    "AsyncHTTPResponse",
    "AsyncHTTPSConnection",
    "Attempt",
    "Auth",
    "BasicAuth",
    "BearerAuth",
    "ClientEvent",
    "ConnectionPool",
    "Cookie",
    "CookieJar",
    "DigestAuth",
    "Download",
    "ExchangeState",
    "Headers",
    "MessageLimits",
    "NetrcAuth",
    "PoolLimits",
    "PoolStats",
    "Proxy",
    "Request",
    "Response",
    "ResponseStream",
    "RetryBudget",
    "RetryPolicy",
    "ServerSentEvent",
    "Timeout",
    "TimeoutManager",
    "Timings",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "request",
    *errors.__all__,
    *status.__all__,
]

__version__ = _version.VERSION

_OF_THE_POOL = {"ConnectionPool", "PoolLimits", "PoolStats", "Proxy", "TimeoutManager"}


def __getattr__(name: str) -> Any:
    if name in _OF_THE_POOL:
        from . import pool

        return getattr(pool, name)
    if name in __all__:
        from . import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
