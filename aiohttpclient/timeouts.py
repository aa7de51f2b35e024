"""What may take how long. Values only: the clocks are in ``net`` and ``pool``."""

from __future__ import annotations

import math
from typing import Any

from ._sentinels import DEFAULT, Default
from ._values import Value

__all__ = ["Timeout"]

POOL: float = 30.0
"""Seconds for a connection of the pool to become free. As long as the slowest answer that is waited for."""

CONNECT: float = 10.0
"""Seconds. Three lost SYN packets (1 + 2 + 4 s, RFC 6298) and a slow TLS handshake still fit."""

WRITE: float = 30.0
"""Seconds without one byte taken. A live peer with a full receive window opens it again well within this."""

READ: float = 30.0
"""Seconds without one byte received. Longer than the slowest answers of ordinary services, short enough to notice."""

MIN_RATE: tuple[float, float] = (256.0, 60.0)
"""Bytes a second, over seconds of transfer. A modem of 1990 (9600 bit/s) is four times as fast: whoever sends less for
a minute keeps a connection busy, and does not want to be done."""


class Timeout(Value):
    """Bounds for the waits of one request, in seconds; None means without bound.

    :param default: a number sets each phase that is not given by name; None leaves each its own default
    :param total: everything together: waiting for a connection, connecting, retries, the request and the whole response
    :param pool: waiting for a connection of a pool to become free
    :param connect: name look-up, TCP, proxy tunnel and TLS handshake together
    :param write: the longest time in which the peer takes no byte of the request
    :param read: the longest time in which the peer sends no byte of the response
    :param min_rate: (bytes a second, seconds): fewer bytes than that, but some, over so many seconds of waiting for the
        peer in the middle of a transfer, is a stall; silence is the business of ``read`` and ``write``
    :raises ValueError: for a negative number, zero or NaN, or an infinite rate
    :raises TypeError: for something that is not a number

    What it does not promise: ``read`` and ``write`` bound the silence between bytes, not the whole; ``total`` does
    that, and ``min_rate`` cuts off a peer that drips while a long download goes on. An event stream that is silent on
    purpose wants ``min_rate=None``.
    """

    __slots__ = ("total", "pool", "connect", "write", "read", "min_rate")  # noqa: RUF023  # as they are shown

    total: float | None
    pool: float | None
    connect: float | None
    write: float | None
    read: float | None
    min_rate: tuple[float, float] | None

    def __init__(
        self,
        default: float | None = None,
        *,
        total: float | None = None,
        pool: float | Default | None = DEFAULT,
        connect: float | Default | None = DEFAULT,
        write: float | Default | None = DEFAULT,
        read: float | Default | None = DEFAULT,
        min_rate: tuple[float, float] | None = MIN_RATE,
    ) -> None:
        if default is not None:
            # In requests it may be a pair.
            default = _number("timeout", default, "a number of seconds, or Timeout(connect=3, read=10)")
        phases = (("pool", pool, POOL), ("connect", connect, CONNECT), ("write", write, WRITE), ("read", read, READ))
        for name, given, own in phases:
            if isinstance(given, Default):
                given = own if default is None else default
            self._set(**{name: _seconds(f"{name} timeout", given)})
        self._set(total=_seconds("total timeout", total), min_rate=_rate(min_rate))


def _seconds(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    value = _number(name, value, "a number of seconds or None")
    return None if math.isinf(value) else value


def _rate(given: Any) -> tuple[float, float] | None:
    if given is None:
        return None
    if not isinstance(given, tuple) or len(given) != 2:
        raise TypeError(f"min_rate must be a pair (bytes a second, seconds) or None, got {given!r}")
    rate, window = (_number("min_rate", value, "two numbers") for value in given)
    if math.isinf(rate):
        raise ValueError("min_rate must be a rate that can be kept up, got infinity")
    return None if math.isinf(window) else (rate, window)


def _number(name: str, value: float, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be {what}, got {value!r}")
    if math.isnan(value) or value <= 0:
        raise ValueError(f"{name} must be greater than zero, got {value!r}")
    return float(value)
