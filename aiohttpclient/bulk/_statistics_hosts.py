"""How long hosts take: the figures of each, of a bounded number of them."""

from __future__ import annotations

import heapq
import math
from typing import Final, NamedTuple

from ..errors import InvalidURL
from ._items import place_of

KEPT: Final = 20_000
"""Hosts whose figures are kept, which takes some 8 MiB. When there are more, the quicker half is forgotten: it is the
slow ones that are asked for."""

BITS: Final = 1 << 20
"""Of the table that counts hosts, 128 KiB: an estimate is within 1 % up to nine million of them."""


AUTHORITY: Final = len("https://")
"""Where the host may begin, and no slash comes any more that does not end it."""


class HostLatency(NamedTuple):
    """What is known of one host: ``done`` requests, ``failed`` among them; ``mean`` and ``worst`` in seconds.

    Requests without an answer count with the time that was spent on them: a host that lets one wait is slow.
    """

    host: str
    done: int
    failed: int
    mean: float
    worst: float


class HostTable:
    """The figures of each host, and how many there are.

    How many is exact while their figures are kept, and after that an estimate by linear counting (Whang, 1990): each
    sets one bit of a table by its hash, and those that are not set tell how many there were.
    """

    __slots__ = ("_bits", "_figures", "_of_base", "_set")

    def __init__(self) -> None:
        self._figures: dict[str, list[float]] = {}  # done, failed, seconds, worst
        self._of_base: dict[str, list[float]] = {}  # the same, by what URLs begin with: most were seen before
        self._bits: bytearray | None = None
        self._set = 0

    def add(self, url_text: str, failed: bool, seconds: float) -> None:
        """One request for ``url_text`` is done. One that is no absolute URL has no host, and does not count."""
        end = url_text.find("/", AUTHORITY)
        base = url_text if end < 0 else url_text[:end]
        figures = self._of_base.get(base)
        if figures is None:
            try:
                figures = self._found(base, place_of(url_text).host)
            except InvalidURL:
                return
        figures[0] += 1
        figures[1] += failed
        figures[2] += seconds
        if seconds > figures[3]:  # noqa: PLR1730  # max() is a call, and this is done for each result
            figures[3] = seconds

    def __len__(self) -> int:
        """How many hosts there were."""
        if self._bits is None:
            return len(self._figures)
        return round(-BITS * math.log(max(1, BITS - self._set) / BITS))

    @property
    def exact(self) -> bool:
        """Whether all hosts are known, and not only the slower ones."""
        return self._bits is None

    def slowest(self, number: int) -> list[HostLatency]:
        """Those with the longest mean time, the slowest first."""
        slow = heapq.nlargest(number, self._figures.items(), key=_mean)
        return [
            HostLatency(host, int(done), int(failed), seconds / done, worst)
            for host, (done, failed, seconds, worst) in slow
        ]

    def _found(self, base: str, host: str) -> list[float]:
        figures = self._figures.get(host) or self._new(host)
        if len(self._of_base) >= KEPT:
            self._of_base.clear()
        self._of_base[base] = figures
        return figures

    def _new(self, host: str) -> list[float]:
        if len(self._figures) >= KEPT:
            self._forget()
        if self._bits is not None:
            self._mark(host)
        figures = self._figures[host] = [0, 0, 0.0, 0.0]
        return figures

    def _forget(self) -> None:
        if self._bits is None:
            self._bits = bytearray(BITS // 8)
            for host in self._figures:
                self._mark(host)
        self._figures = dict(sorted(self._figures.items(), key=_mean, reverse=True)[: KEPT // 2])
        self._of_base.clear()  # some of its hosts are forgotten

    def _mark(self, host: str) -> None:
        assert self._bits is not None
        byte, bit = divmod(hash(host) % BITS, 8)
        if not self._bits[byte] >> bit & 1:
            self._bits[byte] |= 1 << bit
            self._set += 1


def _mean(pair: tuple[str, list[float]]) -> float:
    done, _, seconds, _ = pair[1]
    return seconds / done
