"""What a ``timeout`` argument of a connection stands for."""

from __future__ import annotations

import socket

from .._sentinels import Default
from ..timeouts import Timeout

USUAL = Timeout()
UNBOUNDED = Timeout(pool=None, connect=None, write=None, read=None, min_rate=None)


def effective_timeout(given: float | Timeout | Default | None) -> Timeout:
    """The bounds that a ``timeout`` argument stands for."""
    if isinstance(given, Default):
        given = socket.getdefaulttimeout()
        return USUAL if given is None else Timeout(given)
    if given is None:
        return UNBOUNDED
    return given if isinstance(given, Timeout) else Timeout(given)
