"""How long many requests took: counted in one pass, in memory that does not grow."""

from __future__ import annotations

import math
from bisect import bisect_left
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST: Final = 1e-6
"""Seconds. What is faster counts as this; no request is."""

RATIO: Final = 1.01
"""Between the bounds of a bucket: no percentile is further off than that, 1 %."""

MOST: Final = 3600.0
"""Seconds. What is slower counts as this in percentiles; ``worst`` has it as it was."""

BUCKETS: Final = math.ceil(math.log(MOST / LEAST, RATIO)) + 1

_SCALE: Final = 1 / math.log(RATIO)


class Bucket(NamedTuple):
    """How many (``number``) took from ``least`` to ``most`` seconds."""

    least: float
    most: float
    number: int


class Histogram:
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

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.count}>"

    def add(self, seconds: float) -> None:
        """Count one."""
        index = 0 if seconds <= LEAST else int(math.log(seconds / LEAST) * _SCALE)
        self.buckets[index if index < BUCKETS else -1] += 1
        self.count += 1
        self.total += seconds
        if seconds < self.best:  # noqa: PLR1730  # min() and max() are calls, and this is done for each result
            self.best = seconds
        if seconds > self.worst:  # noqa: PLR1730  # the same
            self.worst = seconds

    @property
    def mean(self) -> float | None:
        """Seconds; None: there was nothing."""
        return self.total / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """Seconds within which ``share`` (0 to 1) of all were done, up to 1 %; None: there was nothing."""
        return self.percentiles(share)[0]

    def percentiles(self, *shares: float) -> list[float | None]:
        """Several at once, which costs hardly more than one."""
        if not self.count:
            return [None for _ in shares]
        seen = list(accumulate(self.buckets))
        return [self._middle(bisect_left(seen, max(1, math.ceil(share * self.count)))) for share in shares]

    def _middle(self, index: int) -> float:
        middle: float = LEAST * RATIO ** (index + 0.5)
        return min(max(middle, self.best), self.worst)

    def distribution(self) -> Iterator[Bucket]:
        """The buckets that have something in them, the quickest first."""
        for index, count in enumerate(self.buckets):
            if count:
                least: float = LEAST * RATIO**index
                yield Bucket(least, least * RATIO, count)
