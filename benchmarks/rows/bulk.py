"""Many small pages, each asked for once; and a site that is crawled.

What is quick takes turns, with ever more URLs; what is required of a long list is shown by runs of all of it, each in a
process of its own. Scrapy is given a shorter one: what it needs for each does not depend on their number.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from .. import many, site
from ..apart import compete_apart
from ..many import AIOHTTP, AT_ONCE, BARE, CRAWL, FETCH, FIRST, OURS, SCRAPY
from ..report import Check, Result
from ..servers import PAGES, SMALL_SIZE, UNIQUE

if TYPE_CHECKING:
    from ..many import Measured
    from ..servers import Servers
    from ..turns import Effort, Times

MANY: Final = 100_000
"""URLs."""

MANY_PER_ROUND: Final = 5_000
"""URLs for each round of the effort, where that is less."""

RUNS_SHARE: Final = 10
"""One run of all of them for so many rounds of the effort."""

FEW: Final = 2_000
"""URLs for scrapy."""

ROUNDS_SHARE: Final = 3
"""One of so many rounds is measured where nothing is required."""

TIMES_BARE: Final = 0.75
TIMES_AIOHTTP: Final = 3.0
TIMES_SCRAPY: Final = 20.0
TIMES_SCRAPY_CRAWL: Final = 5.0
"""What the rate must be at least, times that of others."""

PEAK_AT_MOST: Final = 150.0
"""MiB of the process, at any time."""

GROWTH_AT_MOST: Final = 4.0
"""MiB by which the peak of all answers may be above that of the first :data:`benchmarks.many.FIRST`: flat, but for what
a heap does when it breaks into pieces."""

MIB: Final = 1 << 20

COLUMNS: Final = ("processor", "wall", "a second", "x ours")


def _in_turns(servers: Servers, effort: Effort, path: str) -> dict[str, Times]:
    return compete_apart({who: many.in_turns(who, path) for who in many.SCRIPTS}, servers, effort)


def _lines(times: dict[str, Times]) -> dict[str, tuple[float, ...]]:
    ours = times[OURS]
    return {
        who: (time.processor * 1e6, time.wall * 1e6, 1 / time.wall, time.processor_ratio(ours))
        for who, time in times.items()
    }


def _line(runs: list[Measured], ours: list[Measured]) -> tuple[float, ...]:
    processor, wall = (
        statistics.median(seconds)
        for seconds in zip(*((run.processor_each, run.wall_each) for run in runs), strict=True)
    )
    return processor * 1e6, wall * 1e6, 1 / wall, _times(runs, ours)


def _times(runs: list[Measured], ours: list[Measured]) -> float:
    """How many times as much of the processor as ours they took: the median of the runs, each with its neighbour."""
    pairs = zip(runs, ours, strict=True)
    return statistics.median(run.processor_each / our.processor_each for run, our in pairs)


def _at_least(who: str, ratio: float, bound: float) -> Check:
    return Check(f"throughput, times that of {who}", ratio, bound, at_most=False)


def _scrapy() -> tuple[str, bool]:
    """What it is called, and whether it takes part, because it is installed."""
    version = many.version_of_scrapy()
    return f"{SCRAPY} {version}" if version else f"{SCRAPY} is not installed", version is not None


async def fetch(servers: Servers, effort: Effort) -> Result:
    """A list of URLs, and memory that does not grow with it."""
    count = min(MANY, MANY_PER_ROUND * effort.rounds)
    turns = _in_turns(servers, effort, PAGES)
    ours, others = [], []
    for _ in range(max(1, effort.rounds // RUNS_SHARE)):
        ours.append(many.run(FETCH, OURS, servers.origin, count))
        others.append(many.run(FETCH, AIOHTTP, servers.origin, count))
    at_one_go = f"{AIOHTTP}, {count:,} at one go"
    lines = _lines(turns) | {f"{OURS}, {count:,} at one go": _line(ours, ours), at_one_go: _line(others, ours)}
    checks = [
        _at_least(BARE, turns[BARE].processor_ratio(turns[OURS]), TIMES_BARE),
        _at_least(at_one_go, _times(others, ours), TIMES_AIOHTTP),
    ]
    scrapy, there = _scrapy()
    if there:
        run = many.run(FETCH, SCRAPY, servers.origin, FEW)
        lines[f"{scrapy}, {FEW:,} at one go"] = _line([run], ours[-1:])
        checks.append(_at_least(scrapy, _times([run], ours[-1:]), TIMES_SCRAPY))
    peak = max(run.peak for run in ours) / MIB
    grown = max(run.peak - run.first_peak for run in ours) / MIB
    checks += [
        Check(f"MiB of the process, {count:,} at one go", peak, PEAK_AT_MOST, at_most=True),
        Check(f"MiB more than after {FIRST:,} of them", grown, GROWTH_AT_MOST, at_most=True),
    ]
    title = f"Different URLs ({SMALL_SIZE} bytes), {AT_ONCE} at once, microseconds each; {scrapy}"
    return Result("bulk-fetch", title, COLUMNS, lines, checks)


async def fetch_unique(servers: Servers, effort: Effort) -> Result:
    """The same where no two heads are alike: what is remembered of heads is of no use. Nothing is required of that."""
    turns = _in_turns(servers, effort.shortened(ROUNDS_SHARE), UNIQUE)
    title = f"Different URLs, answers with different heads, {AT_ONCE} at once, microseconds each"
    return Result("bulk-fetch-unique", title, COLUMNS, _lines(turns))


async def crawl(servers: Servers, effort: Effort) -> Result:
    """A site, of which each page is found; one run of each, ``effort`` does not matter."""
    if servers.root is not None:
        site.write(servers.root / site.SITE.strip("/"))
    scrapy, there = _scrapy()
    ours = [many.run(CRAWL, OURS, servers.origin)]
    lines, checks = {OURS: _line(ours, ours)}, []
    if there:
        run = [many.run(CRAWL, SCRAPY, servers.origin)]
        lines[scrapy] = _line(run, ours)
        checks.append(_at_least(scrapy, _times(run, ours), TIMES_SCRAPY_CRAWL))
    title = f"Crawl of {site.PAGES:,} pages, with some 20 links each, {AT_ONCE} at once, microseconds each; {scrapy}"
    return Result("bulk-crawl", title, COLUMNS, lines, checks)
