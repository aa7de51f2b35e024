"""Contenders in turns: A B C A B C ..., so that a disturbance of the machine meets all of them.

Here they are in one process, which is right for one thing in several settings; what is by different hands competes
:mod:`~benchmarks.apart`.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeAlias

from .servers import Servers

Work: TypeAlias = Callable[[int], Awaitable[None]]
"""Does a number of units (requests, transfers)."""

Contender: TypeAlias = Callable[[Servers], AbstractAsyncContextManager[Work]]
"""Opens connections, gives the work to measure, closes them."""

WorkIterator: TypeAlias = AsyncIterator[Work]
"""What a contender written with ``asynccontextmanager`` returns."""

TRIAL_SHARE: Final = 0.2
"""The part of a turn's length that the trial before the first round should at least take."""


LONG: Final = 2.0
"""Times the length of a turn: a first unit that takes so long need not be tried again."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: the number of rounds, and how many seconds one turn takes."""

    rounds: int
    seconds: float

    def shortened(self, share: int) -> Effort:
        """One of ``share`` rounds, at least three."""
        return Effort(max(3, self.rounds // share), self.seconds)


@dataclass(frozen=True, slots=True)
class Sample:
    """Seconds for one unit in one turn: by the clock on the wall, and of the processor in this process."""

    wall: float
    processor: float


@dataclass(frozen=True, slots=True)
class Times:
    """The samples of one contender, one for each round."""

    samples: list[Sample]

    @property
    def wall(self) -> float:
        """The median, in seconds for one unit."""
        return statistics.median(sample.wall for sample in self.samples)

    @property
    def processor(self) -> float:
        """The median of processor time, in seconds for one unit."""
        return statistics.median(sample.processor for sample in self.samples)

    def wall_ratio(self, other: Times) -> float:
        """How many times as long as ``other`` this took: the median over the rounds, each compared with itself."""
        pairs = zip(self.samples, other.samples, strict=True)
        return statistics.median(mine.wall / theirs.wall for mine, theirs in pairs)

    def processor_ratio(self, other: Times) -> float:
        """The same for processor time."""
        pairs = zip(self.samples, other.samples, strict=True)
        return statistics.median(mine.processor / theirs.processor for mine, theirs in pairs)


async def compete(contenders: Mapping[str, Contender], servers: Servers, effort: Effort) -> dict[str, Times]:
    """Opens all contenders, lets them take turns for ``effort.rounds`` rounds, and closes them."""
    async with AsyncExitStack() as stack:
        works = {name: await stack.enter_async_context(open_(servers)) for name, open_ in contenders.items()}
        units = {name: await units_of(work, effort.seconds) for name, work in works.items()}
        times: dict[str, Times] = {name: Times([]) for name in works}
        # What was made so far is not garbage; without this each would pay for looking at all the others' objects.
        gc.collect()
        gc.freeze()
        try:
            for _ in range(effort.rounds):
                for name, work in works.items():
                    times[name].samples.append(await one_turn(work, units[name]))
        finally:
            gc.unfreeze()
        return times


async def side_by_side(jobs: Sequence[Callable[[], Awaitable[object]]], times: int) -> None:
    """Each of ``jobs`` in a task of its own, ``times`` times, one after another."""

    async def repeat(job: Callable[[], Awaitable[object]]) -> None:
        for _ in range(times):
            await job()

    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(repeat(job))


async def one_turn(work: Work, units: int) -> Sample:
    """What one of ``units`` took."""
    gc.collect()
    wall, processor = time.perf_counter(), time.process_time()
    await work(units)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return Sample(wall / units, processor / units)


async def units_of(work: Work, seconds: float) -> int:
    """How many units fill a turn of ``seconds``; finding out also warms the contender up."""
    if (await one_turn(work, 1)).wall >= seconds * LONG:
        return 1
    units = 1
    while True:
        sample = await one_turn(work, units)
        if sample.wall * units >= seconds * TRIAL_SHARE:
            return max(1, round(seconds / sample.wall))
        units *= 2
