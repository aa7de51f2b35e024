"""An asyncio HTTP/1.1 client: ``http.client`` made awaitable, one transaction at a time on a connection.

The names most programs need; everything else is in the sub-modules, each of which says what it exports. The status
constants of ``http.client`` (``NOT_FOUND``, ``responses``, ...) are here too, as they are there.
"""

from . import errors, status
from ._headers import Headers
from .connection import AsyncHTTPConnection, AsyncHTTPResponse, AsyncHTTPSConnection
from .errors import *  # noqa: F403  # the list of names is errors.__all__
from .pool import ConnectionPool, PoolLimits, PoolStats, Proxy, TimeoutManager
from .status import *  # noqa: F403  # the list of names is status.__all__
from .timeouts import Timeout
from .wire import ExchangeState, MessageLimits

__all__ = [  # noqa: PLE0604  # two lists of names have their own modules
    "AsyncHTTPConnection",
    "AsyncHTTPResponse",
    "AsyncHTTPSConnection",
    "ConnectionPool",
    "ExchangeState",
    "Headers",
    "MessageLimits",
    "PoolLimits",
    "PoolStats",
    "Proxy",
    "Timeout",
    "TimeoutManager",
    *errors.__all__,
    *status.__all__,
]
