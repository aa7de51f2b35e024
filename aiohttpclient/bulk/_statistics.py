"""What came of many requests, in numbers: counted as they are done, in memory that does not grow."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from .._redact import shown_text, shown_url
from .._terminal import duration_text, harmless, seconds_text, size_text
from ..errors import RobotsDisallowed
from ._histogram import Histogram
from ._statistics_hosts import HostTable
from ._statistics_series import Rate, Series

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._result import Result
    from ._statistics_hosts import HostLatency
    from ._statistics_series import Throughput

KEPT_ERRORS: Final = 100
"""Kinds of errors that are told apart; the library itself has some forty. More are all counted as OTHERS."""

OTHERS: Final = "others"

LONGEST_EXAMPLE: Final = 300
"""Characters of the text of an error that is kept as an example of its kind."""

LONGEST_TEXT: Final = 16 * LONGEST_EXAMPLE
"""Characters of it that are looked at."""

SHOWN: Final = 5
"""Statuses, errors and hosts in a summary, which is read on a terminal; the report has more of them."""


class Statistics:
    """Counts results. It begins when it is made.

    ``done`` (int) are all results, ``failed`` those among them with an error or a status from 400 on; ``bytes`` (int)
    of bodies, decoded, of responses that are there; ``statuses`` (Counter of int) and ``errors`` (Counter of str: names
    of classes) how often there was each; ``examples`` (dict) the text of the first error of each kind; ``latency``
    (:class:`Histogram`) how long the answers took, errors left out; ``started`` the time of the day, as ``time.time``
    tells it.

    :param clock: tells the time, in seconds from whenever
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._ended: float | None = None
        self._series = Series()
        self._rate = Rate()
        self._hosts = HostTable()
        self.started = time.time()
        self.done = 0
        self.failed = 0
        self.bytes = 0
        self.statuses: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.examples: dict[str, str] = {}
        self.latency = Histogram()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.done} done, {self.failed} failed>"

    def add(self, result: Result) -> None:
        """Count one."""
        now = (self._clock() if self._ended is None else self._ended) - self._begun
        response, status, error = result.response, result.status, result.error
        size = 0 if response is None else len(response.content)
        failed = not result.ok
        self.done += 1
        self.bytes += size
        if status is not None:
            self.statuses[status] += 1
            self.latency.add(result.elapsed)
        if error is not None:
            self._count(error, result)
        if failed:
            self.failed += 1
        self._series.add(now, failed, size)
        if now >= self._rate.due:
            self._rate.sample(now, self.done)
        if result.request is not None and not isinstance(error, RobotsDisallowed):  # else nobody was asked
            self._hosts.add(result.request.url_text, failed, result.elapsed)

    def go_on(self) -> None:
        """Let time pass again after ``end``; what has passed in between does not count."""
        if self._ended is not None:
            self._begun += self._clock() - self._ended
            self._ended = None

    def end(self) -> None:
        """Let no more time pass: ``elapsed`` stays as it is, and what is counted from now on was there at the end."""
        if self._ended is None:
            self._ended = self._clock()

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning, or from there to the end."""
        return (self._clock() if self._ended is None else self._ended) - self._begun

    @property
    def per_second(self) -> float:
        """Results a second over the last ten seconds, or the last ten results if that is longer."""
        return self._rate.per_second(self.elapsed, self.done)

    @property
    def mean_per_second(self) -> float:
        """Results a second over all the time."""
        elapsed = self.elapsed
        return self.done / elapsed if elapsed > 0 else 0.0

    @property
    def hosts(self) -> int:
        """How many hosts were asked; an estimate where there are more than some ten thousand."""
        return len(self._hosts)

    @property
    def throughput(self) -> list[Throughput]:
        """What was done when: a bounded number of points, which stand for the more time the longer it takes."""
        return self._series.points(self.elapsed)

    def slowest_hosts(self, number: int) -> list[HostLatency]:
        """The hosts whose requests took longest, in the mean, the slowest first."""
        return self._hosts.slowest(number)

    def seconds_left(self, total: int | None) -> float | None:
        """How long it takes until ``total`` are done, going on as of late; None: nobody can tell."""
        if total is None or total < self.done:
            return None
        left, rate = total - self.done, self.per_second
        return 0.0 if not left else left / rate if rate else None

    def summary(self) -> str:
        """What came of it, in some lines for people."""
        lines = [", ".join(self._headline())]
        if self.latency.count:
            spread = zip(("p50", "p90", "p99"), self.latency.percentiles(0.5, 0.9, 0.99), strict=True)
            shown = [f"{name} {seconds_text(value)}" for name, value in (*spread, ("worst", self.latency.worst))]
            lines.append(f"answers   {', '.join(shown)}")
        if self.statuses:
            lines.append(f"statuses  {_most(self.statuses)}")
        if self.errors:
            lines.append(f"errors    {_most(self.errors)}")
        if self.hosts > 1:
            slow = [f"{host.host} {seconds_text(host.mean)}" for host in self.slowest_hosts(SHOWN)]
            lines.append(f"slowest   {', '.join(slow)}")
        return "\n".join(harmless(line) for line in lines)

    def _headline(self) -> list[str]:
        return [
            f"{self.done:,} done in {duration_text(self.elapsed)}",
            f"{self.failed:,} failed",
            f"{self.mean_per_second:,.1f}/s",
            size_text(self.bytes),
            f"{self.hosts:,} host{'' if self.hosts == 1 else 's'}",
        ]

    def _count(self, error: Exception, result: Result) -> None:
        kind = type(error).__name__
        if kind not in self.examples:
            if len(self.examples) >= KEPT_ERRORS:
                kind = OTHERS
            self.examples.setdefault(kind, _example(error, result))
        self.errors[kind] += 1


def _example(error: Exception, result: Result) -> str:
    """The text of ``error``, and what it was about."""
    try:
        text = shown_text(str(error)[:LONGEST_TEXT])
    except Exception:  # noqa: BLE001  # it is somebody else's, and must not end what it is counted in
        text = ""
    url = shown_url(result.request.url_text) if result.request is not None else ""
    shown = text if url in text else f"{url}: {text}" if text else url
    return shown if len(shown) <= LONGEST_EXAMPLE else f"{shown[: LONGEST_EXAMPLE - 3]}..."


def _most(numbers: Counter[int] | Counter[str]) -> str:
    """The most frequent ones, with their numbers."""
    shown = [f"{name}: {number:,}" for name, number in numbers.most_common(SHOWN)]
    rest = len(numbers) - len(shown)
    return ", ".join([*shown, *([f"{rest} more"] if rest else [])])
