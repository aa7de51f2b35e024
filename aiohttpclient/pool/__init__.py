"""Connections that are kept and shared out, within limits and in order."""

from ._connections import PooledConnection, SessionKeeper
from ._limits import PoolLimits
from ._pool import ConnectionPool
from ._proxy import Proxy, ProxyAuth
from ._retry import IDEMPOTENT, rewinder
from ._stats import Drop, EventKind, PoolEvent, PoolStats
from ._timeouts import TimeoutManager

__all__ = [
    "IDEMPOTENT",
    "ConnectionPool",
    "Drop",
    "EventKind",
    "PoolEvent",
    "PoolLimits",
    "PoolStats",
    "PooledConnection",
    "Proxy",
    "ProxyAuth",
    "SessionKeeper",
    "TimeoutManager",
    "rewinder",
]
