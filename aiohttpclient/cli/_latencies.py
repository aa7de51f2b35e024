"""How long many requests took: counted in one pass, in memory that does not grow."""

from __future__ import annotations

import math
from typing import Final

LEAST: Final = 1e-6
"""Seconds. What is faster counts as this; no request is."""

RATIO: Final = 1.01
"""Between the bounds of a bucket: no percentile is further off than that, 1 %."""

MOST: Final = 3600.0
"""Seconds. What is slower counts as this in percentiles; ``worst`` has it as it was."""

BUCKETS: Final = math.ceil(math.log(MOST / LEAST, RATIO)) + 1

_SCALE: Final = 1 / math.log(RATIO)


class Latencies:
    """A histogram with buckets that grow by 1 %: some 2,200 numbers, however many requests there are.

    ``count`` (int), ``total``, ``best`` and ``worst`` (seconds) are exact.
    """

    __slots__ = ("best", "buckets", "count", "total", "worst")

    def __init__(self) -> None:
        self.buckets = [0] * BUCKETS
        self.count = 0
        self.total = 0.0
        self.best = math.inf
        self.worst = 0.0

    def add(self, seconds: float) -> None:
        """Count one."""
        index = 0 if seconds <= LEAST else int(math.log(seconds / LEAST) * _SCALE)
        self.buckets[min(index, BUCKETS - 1)] += 1
        self.count += 1
        self.total += seconds
        self.best = min(self.best, seconds)
        self.worst = max(self.worst, seconds)

    @property
    def mean(self) -> float | None:
        """Seconds; None: there was nothing."""
        return self.total / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """Seconds within which ``share`` (0 to 1) of all were done, up to 1 %; None: there was nothing."""
        wanted, seen = math.ceil(share * self.count), 0
        if not self.count:
            return None
        for index, number in enumerate(self.buckets):
            seen += number
            if seen >= max(1, wanted):
                middle: float = LEAST * RATIO ** (index + 0.5)
                return min(max(middle, self.best), self.worst)
        raise AssertionError("the buckets have as many as were counted")
