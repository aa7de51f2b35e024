"""What a request pays for its time limits.

The share is too small for a comparison of whole requests to show: that is printed, and shows no more than that there is
no surprise. What counts is measured directly: the calls that a request makes to arm its timers, with limits and
without; the difference is set beside what a small request takes.
"""

from __future__ import annotations

import statistics
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttpclient import ConnectionPool, PoolLimits, Timeout
from aiohttpclient.errors import ReadTimeout
from aiohttpclient.net import clock_of

from ..clients import KEPT, LoopbackDialer, fetch_through, url_of
from ..report import Check, Result
from ..servers import check_small
from ..turns import Effort, compete, side_by_side
from .small_concurrent import CONNECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttpclient.net import StreamProtocol

    from ..servers import Servers
    from ..turns import Contender, WorkIterator

BOUNDED: Final = Timeout(total=60.0)
UNBOUNDED: Final = Timeout(pool=None, connect=None, write=None, read=None, min_rate=None)

PERCENT_AT_MOST: Final = 2.0
"""Of a small request."""

SHORTER: Final = 4
"""Turns are so many times as short as elsewhere, and as many times more: what disturbs one hardly lasts for two."""

CALLS: Final = 5000
"""Requests whose calls are timed in one turn."""


def _requests(timeout: Timeout, keepalive_expiry: float | None) -> Contender:
    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        url = url_of(servers.origin)
        limits = PoolLimits(connections=CONNECTIONS, keepalive_expiry=keepalive_expiry)
        async with ConnectionPool(limits, timeout) as pool:
            fetch = fetch_through(pool)
            check_small(await fetch(url))
            yield lambda times: side_by_side([partial(fetch, url)] * CONNECTIONS, times)

    return contender


def _bounded_calls(stream: StreamProtocol) -> None:
    """What a pool and its connection do about time in a small request, in their order."""
    now = clock_of(stream.loop)
    for _ in range(CALLS):
        timeout, deadline = _bounds(None, now)
        stream.allow(deadline, timeout.total, timeout.min_rate)
        _ = stream.wait(timeout.read, ReadTimeout)
        stream.wake()
        stream.rest()


def _bounds(timeout: Timeout | None, now: Callable[[], float]) -> tuple[Timeout, float | None]:
    """What a pool does to find the bounds of a request."""
    if timeout is None:
        timeout = BOUNDED
    if timeout.total is None:
        return timeout, None
    return timeout, now() + timeout.total


def _idle_calls(stream: StreamProtocol) -> None:
    """What it costs besides that an idle connection expires: a limit of the pool, not of the request."""
    for _ in range(CALLS):
        stream.expire_in(KEPT)


def _unbounded_calls(stream: StreamProtocol) -> None:
    """The same where nothing has a limit, and so nothing is worked out anew."""
    usual = (UNBOUNDED, None)
    for _ in range(CALLS):
        timeout, deadline = usual
        stream.allow(deadline, timeout.total, timeout.min_rate)
        _ = stream.wait(timeout.read, ReadTimeout)
        stream.wake()
        stream.rest()


async def _calls(servers: Servers, rounds: int) -> tuple[float, float, float, float]:
    """Seconds of the processor for the calls of one request: with limits, without, the difference; and for idleness."""
    stream = await LoopbackDialer(servers.origin).dial(servers.origin.host, servers.origin.port)
    try:
        pairs = [(_timed(_bounded_calls, stream), _timed(_unbounded_calls, stream)) for _ in range(rounds)]
        idle = statistics.median(_timed(_idle_calls, stream) for _ in range(rounds))
    finally:
        await stream.aborted()
    with_, without = zip(*pairs, strict=True)
    difference = statistics.median(more - less for more, less in pairs)
    return statistics.median(with_), statistics.median(without), difference, idle


def _timed(calls: Callable[[StreamProtocol], None], stream: StreamProtocol) -> float:
    started = time.process_time()
    calls(stream)
    return (time.process_time() - started) / CALLS


async def run(servers: Servers, effort: Effort) -> Result:
    """The calls that arm timers, as a share of a small request through the pool."""
    bounded, unbounded = "with limits", "without"
    contenders = {bounded: _requests(BOUNDED, KEPT), unbounded: _requests(UNBOUNDED, None)}
    times = await compete(contenders, servers, Effort(effort.rounds * SHORTER, effort.seconds / SHORTER))
    request = times[bounded].processor / CONNECTIONS
    with_, without, difference, idle = await _calls(servers, effort.rounds)
    return Result(
        name="timers",
        title=f"What limits of time cost a small GET, {CONNECTIONS} at once through a pool, microseconds of processor",
        columns=(bounded, unbounded, "difference", "ratio"),
        lines={
            "the whole request": (
                request * 1e6,
                times[unbounded].processor * 1e6 / CONNECTIONS,
                (request - times[unbounded].processor / CONNECTIONS) * 1e6,
                times[bounded].processor_ratio(times[unbounded]),
            ),
            "the calls that arm timers": (with_ * 1e6, without * 1e6, difference * 1e6, with_ / without),
            "the idle expiry of the pool": (idle * 1e6, 0.0, idle * 1e6, 0.0),
        },
        checks=[
            Check("percent of a request that its limits add", 100 * difference / request, PERCENT_AT_MOST, at_most=True)
        ],
    )
