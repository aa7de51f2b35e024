"""What happened when: a series for a chart, and the rate of the last seconds. Both in memory that does not grow."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

POINTS: Final = 240
"""Of a series, at most: a chart is some hundred pixels wide. When it is full, its resolution halves."""

WIDTH: Final = 0.05
"""Seconds that a point stands for at first, so that there is something to see of a run of one second."""

RECENT: Final = 10.0
"""Seconds over which the rate is taken: short enough to be that of now, long enough not to flicker."""

RECENT_RESULTS: Final = 10
"""Results over which it is taken at least, or one each minute would be no rate at all."""

SAMPLE: Final = 0.5
"""Seconds between two samples for the rate."""


class Throughput(NamedTuple):
    """What was done in ``seconds``, from ``at`` on (seconds since the beginning): results, ``failed`` among them."""

    at: float
    seconds: float
    done: int
    failed: int
    bytes: int


class Series:
    """Counts by time. ``width`` (s) is what each stands for; it doubles when there are more than POINTS."""

    __slots__ = ("_bytes", "_done", "_failed", "width")

    def __init__(self) -> None:
        self.width = WIDTH
        self._done: list[int] = []
        self._failed: list[int] = []
        self._bytes: list[int] = []

    def add(self, at: float, failed: bool, size: int) -> None:
        """One result, ``at`` seconds after the beginning."""
        index = int(at / self.width)
        if index >= len(self._done):
            index = self._reach(at)
        self._done[index] += 1
        self._failed[index] += failed
        self._bytes[index] += size

    def points(self, elapsed: float) -> list[Throughput]:
        """All of it, up to ``elapsed`` seconds after the beginning.

        The last one is shorter. Where little of its time has passed, which would make any rate of it, it is part of the
        one before.
        """
        while elapsed / self.width > POINTS:
            self._halve()
        found = []
        width, count = self.width, max(len(self._done), int(elapsed / self.width))
        self._extend(count)
        for index, (done, failed, size) in enumerate(zip(self._done, self._failed, self._bytes, strict=True)):
            at = index * width
            found.append(Throughput(at, min(width, max(elapsed - at, 0.0)), done, failed, size))
        if len(found) > 1 and found[-1].seconds < width / 2:
            last, before = found.pop(), found.pop()
            added = (one + other for one, other in zip(before[1:], last[1:], strict=True))
            found.append(Throughput(before.at, *added))  # type: ignore[arg-type]  # seconds, and numbers
        return found

    def _reach(self, at: float) -> int:
        while at / self.width >= POINTS:
            self._halve()
        index = int(at / self.width)
        self._extend(index + 1)
        return index

    def _extend(self, count: int) -> None:
        for numbers in (self._done, self._failed, self._bytes):
            numbers.extend([0] * (count - len(numbers)))

    def _halve(self) -> None:
        self.width *= 2
        for numbers in (self._done, self._failed, self._bytes):
            numbers.extend([0] * (len(numbers) % 2))
            numbers[:] = map(int.__add__, numbers[::2], numbers[1::2])


class Rate:
    """Results a second, over the last RECENT seconds, or the last RECENT_RESULTS if that is longer.

    ``due`` is the time from which on another sample is of use.
    """

    __slots__ = ("_samples", "due")

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque([(0.0, 0)])
        self.due = 0.0

    def sample(self, at: float, done: int) -> None:
        """Until ``at`` (seconds since the beginning) so many were done."""
        samples = self._samples
        self.due = at + SAMPLE
        if done == samples[-1][1]:
            if len(samples) == 1:
                return
            samples.pop()  # nothing came meanwhile, and what counts is when something does
        samples.append((at, done))
        while len(samples) > 1 and samples[1][0] <= at - RECENT and done - samples[1][1] >= RECENT_RESULTS:
            samples.popleft()

    def per_second(self, at: float, done: int) -> float:
        """The rate, at this time."""
        if at >= self.due:
            self.sample(at, done)
        since, before = self._samples[0]
        return (done - before) / (at - since) if at > since else 0.0
