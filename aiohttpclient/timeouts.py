"""What may take how long. Values only: the clocks are in ``net``."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ._sentinels import DEFAULT, Default

__all__ = ["Timeout"]

CONNECT: float = 10.0
"""Seconds. Three lost SYN packets (1 + 2 + 4 s, RFC 6298) and a slow TLS handshake still fit."""

WRITE: float = 30.0
"""Seconds without one byte taken. A live peer with a full receive window opens it again well within this."""

READ: float = 30.0
"""Seconds without one byte received. Longer than the slowest answers of ordinary services, short enough to notice."""


@dataclass(frozen=True, slots=True, init=False)
class Timeout:
    """Bounds for the waits of one exchange, in seconds; None means without bound.

    :param default: a number sets each phase that is not given by name; None leaves each its own default
    :param connect: name look-up, TCP, proxy tunnel and TLS handshake together
    :param write: the longest time in which the peer takes no byte of the request
    :param read: the longest time in which the peer sends no byte of the response
    :raises ValueError: for a negative number, zero or NaN
    :raises TypeError: for something that is not a number

    What it does not promise: ``read`` and ``write`` bound the silence between bytes, not the whole. A peer that sends
    one byte every 29 s is never silent for 30.
    """

    connect: float | None
    write: float | None
    read: float | None

    def __init__(
        self,
        default: float | None = None,
        *,
        connect: float | Default | None = DEFAULT,
        write: float | Default | None = DEFAULT,
        read: float | Default | None = DEFAULT,
    ) -> None:
        for name, given, own in (("connect", connect, CONNECT), ("write", write, WRITE), ("read", read, READ)):
            if isinstance(given, Default):
                given = own if default is None else default
            object.__setattr__(self, name, _seconds(name, given))


def _seconds(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} timeout must be a number of seconds or None, got {value!r}")
    if math.isnan(value) or value <= 0:
        raise ValueError(f"{name} timeout must be greater than zero, got {value!r}")
    return None if math.isinf(value) else float(value)
