"""How far apart requests to one host begin, as a limiter of aiolimiter has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

SOON: Final = 1e-6
"""Seconds before its time that a host may be asked: timers go off a little early."""


class Limiter(Protocol):
    """What an ``aiolimiter.AsyncLimiter`` has, as far as it is used here."""

    def has_capacity(self) -> bool:
        """Whether ``acquire`` would not wait."""

    async def acquire(self) -> None:
        """Take the room for one, as soon as there is some."""


def limiter(pace: float) -> Limiter | None:
    """What lets one request begin each ``pace`` seconds, and no two at once; None: so little is no time at all.

    A leaky bucket that holds one drop: a larger one would let several begin at once after a pause. It is empty again a
    little before its time, so that whoever comes for the next drop as early as ``SOON`` allows, by sums that are
    rounded, finds room for it.

    :raises ImportError: aiolimiter is not installed; the text says how that is done
    """
    kind = limiter_type()
    return kind(1, pace - 2 * SOON) if pace > 4 * SOON else None


def limiter_type() -> Callable[[float, float], Limiter]:
    """What makes a limiter, for so many in so many seconds.

    :raises ImportError: aiolimiter is not installed; the text says how that is done
    """
    try:
        from aiolimiter import AsyncLimiter
    except ImportError as error:
        raise ImportError(
            'a rate, and the Crawl-delay of robots.txt, are kept by aiolimiter, of the extra "bulk": '
            "pip install aiolimiter, or rate=None and robots=False"
        ) from error
    return AsyncLimiter
