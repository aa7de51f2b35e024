"""``bulk/_cluster_shares.py``: which worker has which hosts."""

from __future__ import annotations

from collections import Counter
from typing import Any

from aiohttpclient.bulk._cluster_shares import SHARES, Shares


class Lane:
    """As much of one as shares know."""

    def __init__(self, load: int = 0) -> None:
        self.load = load
        self.shares = 0
        self.lost = False


def test_hosts_are_spread() -> None:
    """Few hosts go to all workers alike; many do, too."""
    for count in (4, 40, 4000):
        shares, lanes = Shares(60.0), [Lane() for _ in range(4)]
        chosen: Counter[Any] = Counter()
        for number in range(count):
            share = shares.of(f"host-{number}.example")
            chosen[shares.settle(share, lanes, 0.0)] += 1  # type: ignore[arg-type]  # as much of one as is needed
        assert set(chosen) == set(lanes)
        assert max(chosen.values()) < 1.2 * count / 4 + 1


def test_the_same_in_every_process() -> None:
    """A host has the same share wherever it is asked for, and there is a bounded number of them."""
    shares = Shares(60.0)
    assert shares.of("example.org") is shares.of("example.org")
    for number in range(3 * SHARES):
        shares.of(f"host-{number}.example")
    assert len(shares._shares) <= SHARES
    assert shares.of("\ud800") is not None


def test_least_to_do() -> None:
    """A share goes to the lane that has least to do, and stays there whatever that has to do later."""
    shares, lanes = Shares(60.0), [Lane(5), Lane(3)]
    settle: Any = shares.settle
    share = shares.of("a.example")
    assert settle(share, lanes, 0.0) is lanes[1]
    lanes[1].load = 100
    share.under_way = 1
    assert settle(share, lanes, 1e6) is lanes[1]


def test_quiet_for_long() -> None:
    """A share is given away again when it was quiet for longer than its hosts are remembered."""
    shares, lanes = Shares(60.0), [Lane(), Lane()]
    settle: Any = shares.settle
    share = shares.of("a.example")
    assert settle(share, lanes, 0.0) is lanes[0]
    lanes[0].load = 100
    share.idle_since = 100.0
    assert settle(share, lanes, 160.0) is lanes[0]
    assert settle(share, lanes, 160.1) is lanes[1]
    assert [lane.shares for lane in lanes] == [0, 1]


def test_lost() -> None:
    """The share of a lane that is lost goes to another; if there is none, to nobody."""
    shares, lanes = Shares(60.0), [Lane(), Lane()]
    settle: Any = shares.settle
    share = shares.of("a.example")
    share.under_way = 1
    settle(share, lanes, 0.0)
    lanes[0].lost = True
    assert settle(share, [], 0.0) is None
    assert settle(share, [lanes[1]], 0.0) is lanes[1]
