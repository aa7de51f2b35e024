"""``bulk/_cluster_lane.py``: what is called when, and that nothing of it comes twice."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import ClusterError
from aiohttpclient.bulk import _cluster_lane as lane_module
from aiohttpclient.bulk._cluster_lane import Lane, Posted
from aiohttpclient.bulk._cluster_session import LEASE
from aiohttpclient.bulk._cluster_shares import Share
from aiohttpclient.bulk._sources import Given
from aiohttpclient.testing import virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PLAN = b"plan"


class Call:
    """One that waits for its answer."""

    def __init__(self, plan: bytes | None, number: int, lowest: int, cargo: bytes) -> None:
        self.plan = plan
        self.number = number
        self.lowest = lowest
        self.items = [index for index, _ in pickle.loads(cargo)] if cargo else []
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def back(self, *indexes: int) -> None:
        self.answer.set_result(pickle.dumps([(index, 0.0, None, 200, None, None) for index in indexes]))


class Worker:
    """Notes calls, which the test answers."""

    def __init__(self) -> None:
        self.calls: list[Call] = []

    async def call(self, worker: str, name: str, plan: bytes | None, number: int, lowest: int, cargo: bytes) -> Any:
        self.calls.append(Call(plan, number, lowest, cargo))
        return await self.calls[-1].answer


class Scene:
    """A lane, its worker, and what has arrived."""

    def __init__(self, stock: int, batch: int) -> None:
        self.worker = Worker()
        self.arrived: list[int] = []
        self.lane = Lane(
            "tcp://a", self.worker, PLAN, stock, batch, lambda posted, _: self.arrived.append(posted.index)
        )
        self.task = asyncio.create_task(self.lane.run())

    def add(self, *indexes: int) -> None:
        for index in indexes:
            self.lane.add(Posted(Given("http://a.example/", index), "http://a.example/", Share()))

    async def call(self, number: int) -> Call:
        """The call, once it is made."""
        while len(self.worker.calls) <= number:
            await asyncio.sleep(0.001)
        return self.worker.calls[number]


@contextlib.asynccontextmanager
async def scene(stock: int = 10, batch: int = 3) -> AsyncIterator[Scene]:
    one = Scene(stock, batch)
    try:
        yield one
    finally:
        one.task.cancel()
        await asyncio.wait([one.task])


async def test_calls() -> None:
    """The first call has the plan; there is one as long as something is under way, and one more for a batch."""
    with virtual_time() as clock:
        async with scene() as one:
            one.add(0)
            first = await clock.until(one.call(0))
            one.add(1, 2, 3, 4)
            assert (first.plan, first.number, first.items) == (PLAN, 0, [0])
            first.back()
            second = await clock.until(one.call(1))
            assert (second.plan, second.number, second.lowest, second.items) == (None, 1, 1, [1, 2, 3, 4])
            one.add(5, 6)
            await clock.elapse(60)
            assert len(one.worker.calls) == 2
            one.add(7)
            third = await clock.until(one.call(2))
            assert (third.lowest, third.items) == (1, [5, 6, 7])
            third.back(0, 1, 2, 3, 4, 5, 6)
            second.back(7)
            while one.lane.load:
                await asyncio.sleep(0)
            assert one.arrived == [0, 1, 2, 3, 4, 5, 6, 7]
            await clock.elapse(60)
            assert len(one.worker.calls) <= 4  # one that was made while there was something under way


async def test_stock() -> None:
    """A worker has no more than its stock."""
    async with scene(stock=4) as one:
        one.add(*range(9))
        call = await one.call(0)
        assert call.items == [0, 1, 2, 3]
        call.back(0, 1, 2)
        assert (await one.call(1)).items == [4, 5, 6]


async def test_large_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call takes no more than some MiB along."""
    monkeypatch.setattr(lane_module, "CARGO", 2 * len("http://a.example/"))
    async with scene() as one:
        one.add(*range(5))
        assert (await one.call(0)).items == [0, 1]


async def test_nothing_twice() -> None:
    """What comes for an item that has its result already is nobody's."""
    async with scene() as one:
        one.add(0, 1)
        (await one.call(0)).back(0, 0)
        (await one.call(1)).back(0, 1, 99)
        while one.lane.load:
            await asyncio.sleep(0)
        assert one.arrived == [0, 1]


@pytest.mark.parametrize("ending", [None, ConnectionError("gone")], ids=["no session", "an error"])
async def test_lost(ending: Exception | None) -> None:
    """Without a session, or when a call fails, a lane ends; what it has is given back in the order of the input."""
    async with scene(stock=3) as one:
        one.add(0, 1, 2, 3)
        call = await one.call(0)
        if ending is None:
            call.answer.set_result(None)
        else:
            call.answer.set_exception(ending)
        await one.task
        left = one.lane.give_up()
        assert [(posted.index, posted.losses) for posted in left] == [(0, 1), (1, 1), (2, 1), (3, 0)]
        assert one.lane.load == 0
        assert one.lane.why == ("it has forgotten us" if ending is None else "ConnectionError: gone")


async def test_neglected() -> None:
    """An item is not to blame for a session that ended since nobody called: the loop stood still, say."""
    with virtual_time() as clock:
        async with scene() as one:
            one.add(0)
            (await clock.until(one.call(0))).back(0)
            await clock.until(asyncio.sleep(LEASE))
            one.add(1)
            (await clock.until(one.call(1))).answer.set_result(None)
            await clock.until(one.task)
            assert [(posted.index, posted.losses) for posted in one.lane.give_up()] == [(1, 0)]


async def test_no_good() -> None:
    """A worker that cannot fetch says so, which ends more than the lane."""
    async with scene() as one:
        one.add(0)
        (await one.call(0)).answer.set_result("no such package")
        with pytest.raises(ClusterError, match="no such package"):
            await one.task


async def test_idle() -> None:
    """A worker with nothing to do is called now and then, so that it does not forget us."""
    with virtual_time() as clock:
        async with scene() as one:
            one.add(0)
            call = await clock.until(one.call(0))
            call.back(0)
            await clock.until(asyncio.sleep(1))
            one.lane.nudge()
            await clock.until(asyncio.sleep(1))
            assert len(one.worker.calls) == 1
            await clock.until(asyncio.sleep(lane_module.IDLE))
            one.lane.nudge()
            assert (await clock.until(one.call(1))).items == []
