"""How much a pool may hold. Values only; the book and the pool enforce them."""

from __future__ import annotations

import math
from dataclasses import dataclass

KEEPALIVE_EXPIRY = 15.0
"""Seconds. Among the servers that close idle connections sooner are Node.js (5 s) and Apache httpd (5 s), which say so
in ``Keep-Alive``; most others wait a minute or more. Browsers and Go's client keep them longer, and find them dead more
often."""


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """Bounds of a :class:`ConnectionPool`. None means without bound.

    :raises TypeError: for something that is not a number
    :raises ValueError: for a number below the least that makes sense

    What it does not promise: fairness between origins. Waiting requests are served in the order in which they came;
    whoever asks for one origin a thousand times stands in front of whoever comes after, as in any queue.
    """

    connections: int | None = 100
    """Connections of the pool in all: open, or being opened. aiohttp and httpx have the same default."""

    per_origin: int | None = None
    """Connections to one origin (through one proxy). ``connections`` bounds it anyway."""

    keepalive_expiry: float | None = KEEPALIVE_EXPIRY
    """Seconds after which an idle connection is closed; less where the server says so (``Keep-Alive: timeout=``). 0:
    none is kept."""

    max_lifetime: float | None = None
    """Seconds after which a connection is not used again, so that a change of a name's addresses is noticed."""

    waiting: int | None = None
    """Requests that may wait for a connection; one more fails at once with ``PoolFull``."""

    def __post_init__(self) -> None:
        if self.connections is not None:
            _check_count("connections", self.connections, 1)
        if self.per_origin is not None:
            _check_count("per_origin", self.per_origin, 1)
        if self.waiting is not None:
            _check_count("waiting", self.waiting, 0)
        if self.keepalive_expiry is not None:
            _check_seconds("keepalive_expiry", self.keepalive_expiry, zero=True)
        if self.max_lifetime is not None:
            _check_seconds("max_lifetime", self.max_lifetime, zero=False)


def _check_count(name: str, value: int, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"the limit {name!r} must be an int, got {value!r}")
    if value < least:
        raise ValueError(f"the limit {name!r} must be at least {least}, got {value!r}")


def _check_seconds(name: str, value: float, *, zero: bool) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"the limit {name!r} must be a number of seconds, got {value!r}")
    if math.isnan(value) or value < 0 or (value == 0 and not zero):
        raise ValueError(f"the limit {name!r} is too small: {value!r}")
