"""What a request pays for its time limits.

Over sockets the share is hardly more than what two runs of the same thing differ by; that is printed, with such a
second run beside it. What counts is measured without sockets: the same request, through the same pool and connection,
with all limits and with none, answered at once. The difference, idle expiry included, is set beside what a small
request takes.
"""

from __future__ import annotations

import statistics
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttpclient import ConnectionPool, PoolLimits, Timeout

from ..clients import KEPT, fetch_through, url_of
from ..in_memory import AnsweringDialer
from ..report import Check, Result
from ..servers import check_small
from ..turns import Effort, compete, side_by_side
from .small_concurrent import CONNECTIONS

if TYPE_CHECKING:
    from ..servers import Servers
    from ..turns import Contender, Times, WorkIterator

BOUNDED: Final = Timeout(total=60.0)
UNBOUNDED: Final = Timeout(pool=None, connect=None, write=None, read=None, min_rate=None)

PERCENT_AT_MOST: Final = 2.0
"""Of a small request."""

SHORTER: Final = 8
"""Turns are so many times as short as elsewhere, and as many times more: what disturbs one hardly lasts for two."""

LIMITED, FREE, AGAIN = "with limits", "without", "without, again"


def _requests(timeout: Timeout, keepalive_expiry: float | None, at_once: int, in_memory: bool) -> Contender:
    """A contender whose unit is one small request in each of ``at_once`` tasks."""

    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        url = url_of(servers.origin)
        limits = PoolLimits(connections=at_once, keepalive_expiry=keepalive_expiry)
        async with ConnectionPool(limits, timeout, dialer=AnsweringDialer() if in_memory else None) as pool:
            fetch = fetch_through(pool)
            check_small(await fetch(url))
            yield lambda times: side_by_side([partial(fetch, url)] * at_once, times)

    return contender


def _differences(times: dict[str, Times], contest: str, at_once: int) -> tuple[float, float, float, float]:
    """Microseconds of a request with limits and without; how many more they cost, and those that were free again."""
    limited, free, again = (times[f"{contest}, {way}"] for way in (LIMITED, FREE, AGAIN))
    seconds = limited.processor, free.processor, _more(limited, free), _more(again, free)
    a, b, c, d = (one * 1e6 / at_once for one in seconds)
    return a, b, c, d


def _more(times: Times, free: Times) -> float:
    """The median over the rounds, each compared with itself."""
    pairs = zip(times.samples, free.samples, strict=True)
    return statistics.median(mine.processor - theirs.processor for mine, theirs in pairs)


async def run(servers: Servers, effort: Effort) -> Result:
    """What limits add without sockets, as a share of a small request through the pool."""
    contests = {f"over sockets, {CONNECTIONS} at once": CONNECTIONS, (in_memory := "without sockets"): 1}
    contenders = {
        f"{contest}, {way}": _requests(*bounds, at_once, contest == in_memory)
        for contest, at_once in contests.items()
        for way, bounds in {LIMITED: (BOUNDED, KEPT), FREE: (UNBOUNDED, None), AGAIN: (UNBOUNDED, None)}.items()
    }
    times = await compete(contenders, servers, Effort(effort.rounds * SHORTER, effort.seconds / SHORTER))
    lines: dict[str, tuple[float, ...]] = {
        contest: _differences(times, contest, at_once) for contest, at_once in contests.items()
    }
    (request, *_), (_, _, more, _) = lines.values()
    return Result(
        name="timers",
        title="What limits of time cost a small GET through a pool, microseconds of processor",
        columns=(LIMITED, FREE, "more with limits", "more without, again"),
        lines=lines,
        checks=[Check("percent of a request that its limits add", 100 * more / request, PERCENT_AT_MOST, at_most=True)],
    )
