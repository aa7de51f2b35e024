"""How many retries there may be in all: what keeps many clients from holding down together what has just gone down."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

BUDGET_SHARE = 0.2
"""Retries to a request. When everything fails, the load on what fails rises to 1.2 times, and not to three times."""

BUDGET_PER_SECOND = 10.0
"""Retries a second besides: a script with few requests has no share to speak of. To a server that is no load."""

BUDGET_RESERVE = 100.0
"""Retries that may be saved up, and are there at the beginning: ten seconds of the above, for a burst."""


class RetryBudget:
    """A bound on the retries of many requests together: a bucket of tokens, of which each retry takes one.

    :param share: tokens that a request puts in
    :param per_second: tokens that each second puts in
    :param reserve: tokens that the bucket holds; it begins full
    :raises ValueError: a negative number, or one that is not finite

    When a service is down, every client of it retries, and the load that it must come up under is a multiple of what it
    was. With a budget it is not: over t seconds and n requests there are at most ``reserve + per_second * t + share *
    n`` retries. A client has one for all that it sends; one budget may also be given to several clients.

    What it does not promise: that a request is retried, nor that retries are spread fairly. Hosts that are down for
    good use up what others would have needed, until the bucket has filled again.
    """

    __slots__ = ("_balance", "_clock", "_counted", "per_second", "reserve", "share")

    def __init__(
        self,
        share: float = BUDGET_SHARE,
        per_second: float = BUDGET_PER_SECOND,
        reserve: float = BUDGET_RESERVE,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.share = number("share", share)
        self.per_second = number("per_second", per_second)
        self.reserve = number("reserve", reserve)
        self._clock = clock
        self._balance = self.reserve
        self._counted = clock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.share:g}, {self.per_second:g}, {self.reserve:g})"

    def deposit(self) -> None:
        """A request begins."""
        # What is too much is taken off when somebody asks: until then nothing was taken out, so it comes to the same.
        self._balance += self.share

    @property
    def balance(self) -> float:
        """Tokens that are there now; a retry needs a whole one."""
        now = self._clock()
        self._balance = min(self.reserve, self._balance + max(0.0, now - self._counted) * self.per_second)
        self._counted = now
        return self._balance

    def withdraw(self) -> bool:
        """Take a token for a retry; False: there is none."""
        if self.balance < 1:
            return False
        self._balance -= 1
        return True


def number(name: str, value: float, least: float = 0) -> float:
    """``value``, when it is a finite number of at least ``least``.

    :raises TypeError, ValueError: it is not; ``name`` says of what
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, got {value!r}")
    if not math.isfinite(value) or value < least:
        raise ValueError(f"{name} must be a number of at least {least:g}, got {value!r}")
    return float(value)
