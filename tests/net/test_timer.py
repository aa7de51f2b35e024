"""``net/_timer.py``."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from typing import Any, cast

import pytest

from aiohttpclient.net._timer import LazyTimer, clock_of

from .clocks import FakeLoop


def arm(timer: LazyTimer, seconds: float) -> float:
    """Expire ``seconds`` from now, as everybody does it who is in a hurry; at what time that is."""
    timer.deadline = deadline = timer.time() + seconds
    if timer.due > deadline:
        timer.wake_by(deadline)
    return deadline


def cap(timer: LazyTimer, ceiling: float) -> None:
    """Expire at ``ceiling`` at the latest, in the same way."""
    timer.ceiling = ceiling
    if timer.due > ceiling:
        timer.wake_by(ceiling)


class Ticks:
    """A timer on a fake loop, and the times at which it expired, in seconds since the start."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.at: list[float] = []
        self.ceilings: list[float | None] = []
        self.timer = LazyTimer(cast("asyncio.AbstractEventLoop", self.loop), self._expired)

    def _expired(self, ceiling: float | None) -> None:
        self.at.append(self.loop.now - 1000.0)
        self.ceilings.append(None if ceiling is None else ceiling - 1000.0)


def test_expires_once() -> None:
    """A timer that is armed expires at its deadline, once."""
    ticks = Ticks()
    arm(ticks.timer, 5)
    ticks.loop.advance(4.5)
    assert ticks.at == []
    ticks.loop.advance(100)
    assert ticks.at == [5]
    assert ticks.timer.deadline is None
    assert ticks.loop.handles == []


def test_later_deadline_keeps_the_handle() -> None:
    """A deadline that moves later costs nothing until the handle fires, and then one new handle."""
    ticks = Ticks()
    arm(ticks.timer, 5)
    for _ in range(1000):
        ticks.loop.advance(0.004)
        arm(ticks.timer, 5)
    assert ticks.loop.armed == 1
    ticks.loop.advance(4.5)
    assert ticks.loop.armed == 2
    assert ticks.at == []
    ticks.loop.advance(1)
    assert ticks.at == [pytest.approx(9)]


def test_earlier_deadline_replaces_the_handle() -> None:
    """A deadline earlier than the handle's time is kept, and the old handle is cancelled."""
    ticks = Ticks()
    arm(ticks.timer, 30)
    arm(ticks.timer, 2)
    assert len(ticks.loop.handles) == 1
    ticks.loop.advance(100)
    assert ticks.at == [2]
    assert ticks.loop.handles == []


def test_deadline_taken_away() -> None:
    """A timer whose deadline was taken away does not expire, and its handle is gone once it has fired."""
    ticks = Ticks()
    arm(ticks.timer, 5)
    ticks.timer.deadline = None
    assert len(ticks.loop.handles) == 1
    ticks.loop.advance(100)
    assert ticks.at == []
    assert ticks.loop.handles == []


def test_armed_again() -> None:
    """A timer armed again while its old handle waits uses that handle, and expires at the new deadline."""
    ticks = Ticks()
    arm(ticks.timer, 5)
    ticks.timer.deadline = None
    ticks.loop.advance(3)
    arm(ticks.timer, 10)
    assert ticks.loop.armed == 1
    ticks.loop.advance(9)
    assert ticks.at == []
    ticks.loop.advance(1)
    assert ticks.at == [13]


def test_armed_again_after_the_handle_has_fired() -> None:
    """A timer whose handle fired while it had no deadline can be armed again."""
    ticks = Ticks()
    arm(ticks.timer, 5)
    ticks.timer.deadline = None
    ticks.loop.advance(6)
    arm(ticks.timer, 1)
    ticks.loop.advance(1)
    assert ticks.at == [7]


def test_handle_that_fires_early_waits_on() -> None:
    """A handle that the loop fires before the deadline, as a coarse clock does, waits for the rest."""
    ticks = Ticks()
    arm(ticks.timer, 5)
    handle = ticks.loop.handles.pop()
    ticks.loop.now += 4.9999
    handle.callback()
    assert ticks.at == []
    assert len(ticks.loop.handles) == 1
    ticks.loop.advance(0.0002)
    assert len(ticks.at) == 1


def test_handle_that_fires_at_the_very_deadline() -> None:
    """A deadline that is exactly now has passed."""
    ticks = Ticks()
    arm(ticks.timer, 5)
    handle = ticks.loop.handles.pop()
    ticks.loop.now += 5
    handle.callback()
    assert ticks.at == [5]


def test_armed_from_its_own_expiry() -> None:
    """``expired`` may arm the timer again, for a longer or shorter time."""
    loop = FakeLoop()
    at: list[float] = []

    def expired(_: float | None) -> None:
        at.append(loop.now - 1000.0)
        if len(at) < 4:
            arm(timer, (3, 1, 2)[len(at) - 1])

    timer = LazyTimer(cast("asyncio.AbstractEventLoop", loop), expired)
    arm(timer, 1)
    loop.advance(100)
    assert at == [1, 4, 5, 7]


def test_close_gives_the_handle_back() -> None:
    """A closed timer has no handle in the loop; closing again changes nothing, and it may be armed anew."""
    ticks = Ticks()
    arm(ticks.timer, 5)
    ticks.timer.close()
    ticks.timer.close()
    assert ticks.loop.handles == []
    arm(ticks.timer, 1)
    ticks.loop.advance(10)
    assert ticks.at == [1]


@pytest.mark.parametrize(("moved", "armed"), [(1003, 2), (1030, 2), (1010, 1)])
def test_moved_deadline(moved: float, armed: int) -> None:
    """A deadline may be moved both ways; earlier costs a handle at once, later when the old one fires."""
    ticks = Ticks()
    arm(ticks.timer, 10)
    ticks.timer.move(moved)
    ticks.loop.advance(100)
    assert ticks.at == [moved - 1000]
    assert ticks.loop.armed == armed


def test_moved_without_a_handle() -> None:
    """A deadline that is set for the first time by moving it is one."""
    ticks = Ticks()
    ticks.timer.move(1007)
    ticks.loop.advance(100)
    assert (ticks.at, ticks.ceilings) == ([7], [None])


class TestCeiling:
    def test_alone(self) -> None:
        """A ceiling expires without any deadline, once, and says that it was the ceiling."""
        ticks = Ticks()
        cap(ticks.timer, 1005)
        ticks.loop.advance(100)
        assert (ticks.at, ticks.ceilings) == ([5], [5])
        assert ticks.timer.ceiling is None
        assert ticks.loop.handles == []

    def test_deadlines_below(self) -> None:
        """Deadlines that come and go below the ceiling do not move it."""
        ticks = Ticks()
        cap(ticks.timer, 1020)
        for _ in range(9):
            arm(ticks.timer, 5)
            ticks.loop.advance(2)
            ticks.timer.deadline = None
        ticks.loop.advance(100)
        assert (ticks.at, ticks.ceilings) == ([20], [20])

    def test_deadline_first(self) -> None:
        """A deadline that passes first expires as one, and the ceiling still holds."""
        ticks = Ticks()
        cap(ticks.timer, 1020)
        arm(ticks.timer, 5)
        ticks.loop.advance(100)
        assert (ticks.at, ticks.ceilings) == ([5, 20], [None, 20])

    @pytest.mark.parametrize("seconds", [20, 20.5, 1e9])
    def test_deadline_above(self, seconds: float) -> None:
        """A deadline that is not earlier than the ceiling yields to it, and is gone with it."""
        ticks = Ticks()
        cap(ticks.timer, 1020)
        arm(ticks.timer, seconds)
        assert ticks.loop.armed == 1
        ticks.loop.advance(2e9)
        assert (ticks.at, ticks.ceilings) == ([20], [20])
        assert ticks.timer.deadline is None

    def test_below_a_deadline_that_is_set(self) -> None:
        """A ceiling that comes after a later deadline moves the handle."""
        ticks = Ticks()
        arm(ticks.timer, 30)
        cap(ticks.timer, 1020)
        assert len(ticks.loop.handles) == 1
        ticks.loop.advance(100)
        assert (ticks.at, ticks.ceilings) == ([20], [20])

    def test_armed_beyond_it_from_an_expiry(self) -> None:
        """A deadline beyond the ceiling, set while an earlier one expires, does not keep the ceiling from expiring."""
        loop = FakeLoop()
        seen: list[tuple[float, float | None]] = []

        def expired(ceiling: float | None) -> None:
            seen.append((loop.now, ceiling))
            if ceiling is None:
                arm(timer, 1000)

        timer = LazyTimer(cast("asyncio.AbstractEventLoop", loop), expired)
        cap(timer, 1020)
        arm(timer, 5)
        loop.advance(5000)
        assert seen == [(1005, None), (1020, 1020)]

    def test_taken_away(self) -> None:
        """A ceiling that was taken away does not expire, and the deadline goes on without it."""
        ticks = Ticks()
        cap(ticks.timer, 1005)
        arm(ticks.timer, 10)
        ticks.timer.ceiling = None
        ticks.loop.advance(100)
        assert (ticks.at, ticks.ceilings) == ([10], [None])

    def test_passed_already(self) -> None:
        """A ceiling in the past expires at the next chance."""
        ticks = Ticks()
        cap(ticks.timer, 999)
        ticks.loop.advance(0)
        assert ticks.ceilings == [-1]

    def test_handle_that_fires_early(self) -> None:
        """A handle that the loop fires before the ceiling waits for the rest."""
        ticks = Ticks()
        cap(ticks.timer, 1005)
        handle = ticks.loop.handles.pop()
        ticks.loop.now += 4.9999
        handle.callback()
        assert ticks.at == []
        ticks.loop.advance(0.0002)
        assert ticks.ceilings == [5]

    def test_closed(self) -> None:
        """A closed timer has no ceiling either."""
        ticks = Ticks()
        cap(ticks.timer, 1005)
        ticks.timer.close()
        assert ticks.timer.ceiling is None
        assert ticks.loop.handles == []

    def test_same_bounds_for_each_request(self) -> None:
        """One request after another, each with ceiling, deadlines and idleness of its own, seldom needs a handle."""
        ticks = Ticks()
        for _ in range(1000):
            cap(ticks.timer, ticks.loop.now + 20)
            arm(ticks.timer, 30)
            ticks.loop.advance(0.01)
            ticks.timer.deadline = ticks.timer.ceiling = None
            arm(ticks.timer, 15)
            ticks.loop.advance(0.02)
        assert ticks.at == []
        assert ticks.loop.armed <= 2 + 2 * 1000 * 0.03 / 15


def expiring(loop: asyncio.AbstractEventLoop) -> tuple[LazyTimer, asyncio.Future[None]]:
    """A timer of ``loop``, and a future that is done when it expires."""
    future = loop.create_future()
    return LazyTimer(loop, lambda _: future.set_result(None)), future


@pytest.mark.parametrize(
    "seconds", [(0.0001, 0.00005), (0.0001, 0.01), (0.01, 0.0001), (0.0104, 0.0001), (0.0,), (1e9, 0.001)]
)
async def test_real_loops_take_any_length(seconds: tuple[float, ...]) -> None:
    """On each loop a timer can be armed for any time, and again for any other, and expires not before the last one."""
    loop = asyncio.get_running_loop()
    timer, expired = expiring(loop)
    deadlines = [arm(timer, each) for each in seconds]
    await expired
    assert loop.time() >= deadlines[-1]
    timer.close()


async def test_closed_timer_keeps_nothing_alive() -> None:
    """The loop does not hold what a closed timer belongs to."""

    class Owner:
        def __init__(self) -> None:
            self.timer = LazyTimer(asyncio.get_running_loop(), self.expired)

        def expired(self, ceiling: float | None) -> None:
            raise AssertionError("closed before its time")

    owner: Any = Owner()
    arm(owner.timer, 3600)
    owner.timer.close()
    watch = weakref.ref(owner)
    del owner
    await asyncio.sleep(0)
    gc.collect()
    assert watch() is None


async def test_clock_of_the_loop() -> None:
    """The clock is the loop's own, also where that was replaced; the stock one is asked without a detour."""
    loop = asyncio.get_running_loop()
    clock = clock_of(loop)
    assert (clock is time.monotonic) is isinstance(loop, asyncio.BaseEventLoop)
    assert abs(clock() - loop.time()) < 1

    class Replaced:
        def time(self) -> float:
            return 7.0

    assert clock_of(cast("asyncio.AbstractEventLoop", Replaced()))() == 7.0
