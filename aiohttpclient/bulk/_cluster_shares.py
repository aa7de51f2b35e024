"""Which worker of a cluster has which hosts.

Theory of operation. A host belongs to one of :data:`SHARES` shares, by a hash of its name that is the same in every
process. A share belongs to one worker as long as that lives: so what a host was asked, and by how many, is known in
one process, and nothing of it needs to be told to others. Who gets a share is decided when its first item comes: the
worker that has least to do. A share that was quiet for so long that nothing of its hosts is worth remembering is
given away again when its next item comes, perhaps to a worker that is new. There are more shares than workers, so
that they are spread evenly, and so few that nobody forgets any: memory does not grow with the hosts.
"""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._cluster_lane import Lane

SHARES: Final = 4096
"""About a hundred bytes each, once they were needed; several for each worker of the largest clusters."""


class Share:
    """Some hosts: the lane that has them, items of theirs that are under way, and since when there are none."""

    __slots__ = ("idle_since", "lane", "under_way")

    def __init__(self) -> None:
        self.lane: Lane | None = None
        self.under_way = 0
        self.idle_since = -math.inf


class Shares:
    """All of them.

    :param memory: seconds for which a worker may have to remember a host of which nothing is wanted
    """

    def __init__(self, memory: float) -> None:
        self._memory = memory
        self._shares: dict[int, Share] = {}

    def of(self, host: str) -> Share:
        """The share that ``host`` belongs to."""
        number = zlib.crc32(host.encode("utf-8", "surrogatepass")) % SHARES
        share = self._shares.get(number)
        if share is None:
            share = self._shares[number] = Share()
        return share

    def settle(self, share: Share, lanes: Iterable[Lane], now: float) -> Lane | None:
        """The lane that has ``share``, or is given it now; None: there is none."""
        lane = share.lane
        if lane is None or lane.lost or not (share.under_way or now - share.idle_since <= self._memory):
            lane = min(lanes, key=lambda one: (one.load, one.shares), default=None)
            if share.lane is not None:
                share.lane.shares -= 1
            if lane is not None:
                lane.shares += 1
            share.lane = lane
        return lane
