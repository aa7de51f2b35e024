"""The next URLs of a crawl, of which no host may have too many under way.

Politeness holds back what a host cannot take, in a window of so many items. If the URLs of one slow host came there as
they stand in the store, they would fill it, and everybody else would wait behind them, also for what is found later.
So no more of a host are given out than keep it busy; others wait here until these have come back.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from ._items import place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._frontier_work import Row

WAITING: Final = 4096
"""URLs that wait for their host, at most: how far one looks past those of slow ones. Mostly below 2 MiB."""


class Turns:
    """Rows, first come, first served, but for those of hosts that have ``most`` under way; None: as many as there are.

    ``ready`` (deque of Row) can be given out now; ``waiting`` (int) are more than these.
    """

    __slots__ = ("_most", "_out", "_waiting", "ready", "waiting")

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._out: dict[str, int] = {}
        self._waiting: dict[str, deque[Row]] = {}
        self.ready: deque[Row] = deque()
        self.waiting = 0

    def add(self, rows: Iterable[Row]) -> None:
        """More of them."""
        if self._most is None:
            self.ready += rows
            return
        for row in rows:
            host = place_of(row.url).host
            if self._out.get(host, 0) < self._most:
                self._out[host] = self._out.get(host, 0) + 1
                self.ready.append(row)
            else:
                self._waiting.setdefault(host, deque()).append(row)
                self.waiting += 1

    def back(self, row: Row) -> None:
        """A row that was given out is not under way any more."""
        if self._most is None:
            return
        host = place_of(row.url).host
        line = self._waiting.get(host)
        if line is not None:
            self.ready.append(line.popleft())
            self.waiting -= 1
            if not line:
                del self._waiting[host]
        elif self._out[host] > 1:
            self._out[host] -= 1
        else:
            del self._out[host]

    def room(self, ahead: int) -> int:
        """How many more are wanted, so that ``ahead`` are ready."""
        return max(0, min(ahead - len(self.ready), WAITING - self.waiting))
