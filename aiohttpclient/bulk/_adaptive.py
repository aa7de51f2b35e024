"""How many requests at once a host can take, found out by asking.

As TCP finds out how much a path can carry (RFC 5681): one more for each round that goes well, half as many when one
does not. A round is about as many answers as there are requests at once. Requests that were under way when the number
was halved say nothing about half as many, so what becomes of them halves nothing again.
"""

from __future__ import annotations

import math

START = 2
"""Requests at once to a host of which nothing is known: browsers begin so."""

QUICK = 2.0
"""An answer that takes no more than so many times as long as the best ones is quick: nobody stood in a queue for it."""

FORGETS = 0.02
"""How fast the best time is forgotten: what took less a hundred answers ago was perhaps another path, or a cache."""


class Adaptive:
    """The number of requests at once, from 1 to ``most``.

    :param adapts: whether it changes; else it is ``most``
    """

    __slots__ = ("_adapts", "_best", "_cut", "_limit", "_most")

    def __init__(self, most: int, adapts: bool) -> None:
        self._adapts = adapts
        self._most = most
        self._limit = float(min(START, most) if adapts else most)
        self._best = math.inf
        self._cut = -math.inf

    @property
    def limit(self) -> int:
        """So many may be under way."""
        return int(self._limit)

    def answered(self, seconds: float, full: bool) -> None:
        """An answer came after ``seconds``; ``full``: when it was asked for, as many as may be were under way."""
        if seconds < self._best:
            self._best = seconds
        else:
            self._best += (seconds - self._best) * FORGETS
        if self._adapts and full and seconds <= QUICK * self._best:
            self._limit = min(self._limit + 1 / self._limit, float(self._most))

    def strained(self, began: float, now: float) -> None:
        """A request that began at ``began`` shows that it was too much."""
        if self._adapts and began >= self._cut:
            self._limit = max(1.0, self._limit / 2)
            self._cut = now
