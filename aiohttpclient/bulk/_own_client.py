"""The client of a fetch that was given none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ..client import AsyncHTTPClient
from ..pool import PoolLimits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._politeness import Politeness

IDLE: Final = 1000
"""Connections that are kept besides those in use: a host that was asked is asked again when the others had their turn,
and a connection that was closed for one of these by then is opened anew, which takes several times as long as to use
it. An idle one takes some 10 KiB."""

FILES: Final = 1024
"""Files that a process may have open where there is nobody who could tell: what Linux has had for decades."""


def own_client(
    concurrency: int, politeness: Politeness | None, settings: Mapping[str, Any] | None = None
) -> AsyncHTTPClient:
    """A client for ``concurrency`` requests at once, to many hosts; it says who asks, if ``politeness`` does.

    :param settings: of the client, which come before these
    """
    usual = {
        "headers": None if politeness is None else {"User-Agent": politeness.user_agent},
        "limits": pool_limits(concurrency),
    }
    return AsyncHTTPClient(**{**usual, **(settings or {})})


def pool_limits(concurrency: int) -> PoolLimits:
    """Limits for the pool of a client that sends ``concurrency`` requests at once, to many hosts.

    A fetch that was given no client has these.
    """
    return PoolLimits(connections=room_for(concurrency, most_files()))


def room_for(concurrency: int, files: float) -> int:
    """Connections for so many requests at once, and idle ones, with which they take no more than half of ``files``."""
    return max(concurrency, int(min(concurrency + IDLE, files / 2)))


def most_files() -> float:
    """How many files, sockets among them, this process may have open."""
    try:
        import resource
    except ImportError:  # there is none on Windows
        return FILES
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.inf if soft == resource.RLIM_INFINITY else soft
