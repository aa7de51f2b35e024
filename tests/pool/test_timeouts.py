"""``pool/_timeouts.py``, by a clock that moves when it is told to. (``Timeout`` itself: ``tests/test_timeouts.py``.)"""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

from aiohttpclient.errors import PoolTimeout, TotalTimeout
from aiohttpclient.pool import TimeoutManager
from aiohttpclient.timeouts import Timeout

START = 1000.0
URL = "https://example.org/"


class Clock:
    """Stands in for the running loop, of which nothing but the time is wanted."""

    def __init__(self) -> None:
        self.now = START

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    return clock


# -- with a total


def test_deadline(clock: Clock) -> None:
    """The total runs from the moment in which the manager is made."""
    timeout = Timeout(total=10)
    manager = TimeoutManager(timeout)
    assert manager.timeout is timeout
    assert manager.deadline == START + 10
    clock.now += 4
    assert manager.deadline == START + 10


def test_deadline_that_is_known(clock: Clock) -> None:
    """A deadline that is known already is not made anew, and is what everything goes by."""
    manager = TimeoutManager(Timeout(total=10), START + 4)
    assert (manager.deadline, manager.left, manager.bound(30)) == (START + 4, 4, 4)
    clock.now += 4
    with pytest.raises(TotalTimeout) as caught:
        manager.check("GET", URL)
    assert (caught.value.limit, caught.value.elapsed) == (10, 10)


def test_left(clock: Clock) -> None:
    """What is left of the total becomes less, and never less than nothing."""
    manager = TimeoutManager(Timeout(total=10))
    found = []
    for seconds in (0, 2.5, 7.5, 5):
        clock.now += seconds
        found.append(manager.left)
    assert found == [10, 7.5, 0, 0]


def test_bound(clock: Clock) -> None:
    """A phase may take its own limit, or what is left of the total, whichever is less; one without limit the rest."""
    manager = TimeoutManager(Timeout(total=10))
    assert [manager.bound(limit) for limit in (3, 10, 30, None)] == [3, 10, 10, 10]
    clock.now += 8
    assert [manager.bound(limit) for limit in (1, 3, None)] == [1, 2, 2]
    clock.now += 8
    assert [manager.bound(limit) for limit in (1, None)] == [0, 0]


def test_check(clock: Clock) -> None:
    """Nothing is begun when the total is used up; the error says of how much, after how long, and for which request."""
    manager = TimeoutManager(Timeout(total=10))
    manager.check()
    clock.now += 9.75
    manager.check("GET", URL)
    clock.now += 0.25
    with pytest.raises(TotalTimeout) as caught:
        manager.check("GET", URL)
    error = caught.value
    assert (error.phase, error.limit, error.elapsed, error.method, error.url) == ("total", 10, 10, "GET", URL)
    assert str(error) == f"total timed out after 10 s (limit 10 s) for GET {URL}"
    clock.now += 5
    with pytest.raises(TotalTimeout) as caught:
        manager.check()
    assert (caught.value.elapsed, caught.value.method, caught.value.url) == (15, None, None)


def test_several_requests(clock: Clock) -> None:
    """One total holds for everything that is done under it, however often it is asked."""
    manager = TimeoutManager(Timeout(5, total=10))
    granted = []
    for _ in range(4):
        manager.check()
        granted.append(manager.bound(manager.timeout.read))
        clock.now += 3
    assert granted == [5, 5, 4, 1]
    with pytest.raises(TotalTimeout):
        manager.check()


def test_managers_do_not_share_a_clock(clock: Clock) -> None:
    """Each manager made from one timeout runs from its own beginning."""
    timeout = Timeout(total=10)
    first = TimeoutManager(timeout)
    clock.now += 4
    second = TimeoutManager(timeout)
    assert (first.left, second.left) == (6, 10)


# -- without one


def test_without_total(clock: Clock) -> None:
    """Without a total nothing runs out, and every phase has the limit of its own."""
    manager = TimeoutManager(Timeout(5))
    clock.now += 1e9
    assert manager.deadline is None
    assert manager.left is None
    assert [manager.bound(limit) for limit in (3, 30, None)] == [3, 30, None]
    manager.check("GET", URL)


def test_made_from_a_number() -> None:
    """A number sets each phase, None leaves the defaults, and neither is a total."""
    assert TimeoutManager(5).timeout == Timeout(5)
    assert TimeoutManager().timeout == TimeoutManager(None).timeout == Timeout()
    assert TimeoutManager(5).deadline is None


@pytest.mark.parametrize("value", ["5", True, [], object()])
def test_made_from_something_else(value: Any) -> None:
    """What is neither a timeout nor a number of seconds is refused."""
    with pytest.raises(TypeError):
        TimeoutManager(value)
    with pytest.raises(ValueError, match="greater than zero"):
        TimeoutManager(0)


def test_outside_of_a_loop() -> None:
    """Only a total needs a running loop, to take the time from."""
    manager = TimeoutManager(5)
    assert manager.left is None
    with pytest.raises(RuntimeError, match="no running event loop"):
        TimeoutManager(Timeout(total=10))
    endless = TimeoutManager(Timeout(total=math.inf))
    assert endless.deadline is None


async def test_time_of_the_loop() -> None:
    """The clock is that of the loop that runs, also where that is not the system's."""
    loop = asyncio.get_running_loop()
    before = loop.time()
    manager = TimeoutManager(Timeout(total=10))
    assert manager.deadline is not None
    assert before + 10 <= manager.deadline <= loop.time() + 10
    assert manager.left is not None
    assert 0 < manager.left <= 10


# -- other waits


async def nothing(seconds: float = 0.0) -> str:
    await asyncio.sleep(seconds)
    return "done"


@pytest.mark.parametrize("timeout", [Timeout(1), Timeout(total=60)], ids=["no total", "total"])
async def test_wait_for(timeout: Timeout) -> None:
    """What ends in time gives its result, or raises what it raises; a ``TimeoutError`` of its own is its own."""
    manager = TimeoutManager(timeout)
    assert await manager.wait_for(nothing()) == "done"
    for error in (ValueError("x"), TimeoutError("its own")):
        broken = asyncio.get_running_loop().create_future()
        broken.set_exception(error)
        with pytest.raises(type(error)) as caught:
            await manager.wait_for(broken)
        assert caught.value is error


async def test_wait_for_too_long() -> None:
    """What goes on beyond the total is cancelled; the error names the request."""
    manager = TimeoutManager(Timeout(total=0.01))
    task = asyncio.create_task(nothing(60))
    with pytest.raises(TotalTimeout) as caught:
        await manager.wait_for(task, "GET", URL)
    assert (caught.value.limit, caught.value.method, caught.value.url) == (0.01, "GET", URL)
    assert caught.value.elapsed < 30
    assert task.cancelled()
    with pytest.raises(TotalTimeout):
        await manager.wait_for(nothing(), "GET", URL)


async def test_wait_for_who_does_not_listen() -> None:
    """Who swallows the cancellation has used up the total all the same."""

    async def deaf() -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "done"
        raise AssertionError

    with pytest.raises(TotalTimeout):
        await TimeoutManager(Timeout(total=0.01)).wait_for(deaf())


async def test_cancelled_in_wait_for() -> None:
    """A cancellation from elsewhere passes."""
    task = asyncio.create_task(TimeoutManager(Timeout(total=60)).wait_for(nothing(60)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# -- the error of a request that was not given a connection


def test_pool_timeout(clock: Clock) -> None:
    """Whoever waited as long as it may for a connection gets an error that says so."""
    for timeout in (Timeout(total=60, pool=3), Timeout(pool=3)):
        manager = TimeoutManager(timeout)
        clock.now += 3
        error = manager.pool_error(3.0, "GET", URL)
        assert type(error) is PoolTimeout
        assert (error.phase, error.limit, error.elapsed, error.method, error.url) == ("pool", 3, 3, "GET", URL)
        assert str(error) == f"pool timed out after 3 s (limit 3 s) for GET {URL}"


@pytest.mark.parametrize("pool", [30, None])
def test_total_while_waiting(clock: Clock, pool: float | None) -> None:
    """Whoever has used up the total while it waited is told of the total, and of the time since the beginning."""
    manager = TimeoutManager(Timeout(total=10, pool=pool))
    clock.now += 10.5
    error = manager.pool_error(4.0, "PUT", URL)
    assert type(error) is TotalTimeout
    assert (error.limit, error.elapsed, error.method, error.url) == (10, 10.5, "PUT", URL)


@pytest.mark.parametrize("early", [0.0003, 1e-9, 0.0, -25.0])
@pytest.mark.parametrize("before", [0.0, 4.0])
@pytest.mark.parametrize("pool", [30, None])
def test_the_shorter_bound_names_the_error(clock: Clock, pool: float | None, before: float, early: float) -> None:
    """A timer may come a little early, by the resolution of a loop's clock, or late, after whatever kept the loop busy:
    the error names the bound that it was set to, which is the total where no more than that was left.
    """
    manager = TimeoutManager(Timeout(total=10, pool=pool))
    clock.now += before
    limit = manager.bound(pool)
    assert limit == 10 - before
    clock.now += limit - early
    error = manager.pool_error(limit - early, "GET", URL)
    assert type(error) is TotalTimeout
    assert error.limit == 10


@pytest.mark.parametrize("early", [0.0003, 1e-9, 0.0, -25.0])
def test_the_pool_names_its_error(clock: Clock, early: float) -> None:
    """The same where the wait for a connection was the shorter bound."""
    manager = TimeoutManager(Timeout(total=10, pool=3))
    clock.now += 4 - early
    error = manager.pool_error(3 - early, "GET", URL)
    assert type(error) is PoolTimeout
    assert error.limit == 3


# -- besides


def test_repr(clock: Clock) -> None:
    """A manager shows its bounds, and what is left."""
    manager = TimeoutManager(Timeout(total=10))
    clock.now += 2.5
    assert repr(manager) == f"<TimeoutManager {manager.timeout} left=7.5>"
    assert repr(TimeoutManager(5)).endswith(" left=None>")


def test_size() -> None:
    """A manager holds what it has to, and nothing can be put there by mistake."""
    manager = TimeoutManager(5)
    with pytest.raises(AttributeError):
        manager.total = 10  # type: ignore[attr-defined]  # what is tested
