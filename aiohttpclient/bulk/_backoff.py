"""For how long a host is left alone with which something is wrong."""

from __future__ import annotations

from typing import Final

BACKOFF: Final = 1.0
"""Seconds for which a host is left alone that does not say for how long; twice as many each time."""

BACKOFF_MAX: Final = 60.0
"""Seconds, of those."""


def backoff(times: int, first: float = BACKOFF, most: float = BACKOFF_MAX) -> float:
    """Seconds after something went wrong for so many ``times``, from 1 on, in a row."""
    return min(first * 2.0 ** min(times - 1, 32), most)
