"""``net/_timer.py``."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient.net._timer import LazyTimer

if TYPE_CHECKING:
    from collections.abc import Callable


class FakeHandle:
    def __init__(self, loop: FakeLoop, when: float, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._when = when
        self.callback = callback

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self._loop.handles.remove(self)


class FakeLoop:
    """A loop whose clock moves when told to, and which counts the timers that it was given."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.handles: list[FakeHandle] = []
        self.armed = 0

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> FakeHandle:
        self.armed += 1
        handle = FakeHandle(self, when, callback)
        self.handles.append(handle)
        return handle

    def advance(self, seconds: float) -> None:
        """Move the clock, firing on the way what is due, each at its time."""
        end = self.now + seconds
        while due := [handle for handle in self.handles if handle.when() <= end]:
            first = min(due, key=FakeHandle.when)
            self.handles.remove(first)
            self.now = max(self.now, first.when())
            first.callback()
        self.now = end


class Ticks:
    """A timer on a fake loop, and the times at which it expired, in seconds since the start."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.at: list[float] = []
        self.timer = LazyTimer(cast("asyncio.AbstractEventLoop", self.loop), self._expired)

    def _expired(self) -> None:
        self.at.append(self.loop.now - 1000.0)


def test_expires_once() -> None:
    """A timer that is armed expires at its deadline, once."""
    ticks = Ticks()
    ticks.timer.arm(5)
    ticks.loop.advance(4.5)
    assert ticks.at == []
    ticks.loop.advance(100)
    assert ticks.at == [5]
    assert ticks.timer.deadline is None
    assert ticks.loop.handles == []


def test_later_deadline_keeps_the_handle() -> None:
    """A deadline that moves later costs nothing until the handle fires, and then one new handle."""
    ticks = Ticks()
    ticks.timer.arm(5)
    for _ in range(1000):
        ticks.loop.advance(0.004)
        ticks.timer.arm(5)
    assert ticks.loop.armed == 1
    ticks.loop.advance(4.5)
    assert ticks.loop.armed == 2
    assert ticks.at == []
    ticks.loop.advance(1)
    assert ticks.at == [pytest.approx(9)]


def test_earlier_deadline_replaces_the_handle() -> None:
    """A deadline earlier than the handle's time is kept, and the old handle is cancelled."""
    ticks = Ticks()
    ticks.timer.arm(30)
    ticks.timer.arm(2)
    assert len(ticks.loop.handles) == 1
    ticks.loop.advance(100)
    assert ticks.at == [2]
    assert ticks.loop.handles == []


def test_disarmed_does_not_expire() -> None:
    """A timer that was disarmed does not expire, and its handle is gone once it has fired."""
    ticks = Ticks()
    ticks.timer.arm(5)
    ticks.timer.disarm()
    assert len(ticks.loop.handles) == 1
    ticks.loop.advance(100)
    assert ticks.at == []
    assert ticks.loop.handles == []


def test_armed_again_after_disarm() -> None:
    """A timer armed again while its old handle waits uses that handle, and expires at the new deadline."""
    ticks = Ticks()
    ticks.timer.arm(5)
    ticks.timer.disarm()
    ticks.loop.advance(3)
    ticks.timer.arm(10)
    assert ticks.loop.armed == 1
    ticks.loop.advance(9)
    assert ticks.at == []
    ticks.loop.advance(1)
    assert ticks.at == [13]


def test_armed_again_after_the_handle_has_fired() -> None:
    """A timer whose handle fired while it was disarmed can be armed again."""
    ticks = Ticks()
    ticks.timer.arm(5)
    ticks.timer.disarm()
    ticks.loop.advance(6)
    ticks.timer.arm(1)
    ticks.loop.advance(1)
    assert ticks.at == [7]


def test_handle_that_fires_early_waits_on() -> None:
    """A handle that the loop fires before the deadline, as a coarse clock does, waits for the rest."""
    ticks = Ticks()
    ticks.timer.arm(5)
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
    ticks.timer.arm(5)
    handle = ticks.loop.handles.pop()
    ticks.loop.now += 5
    handle.callback()
    assert ticks.at == [5]


def test_armed_from_its_own_expiry() -> None:
    """``expired`` may arm the timer again, for a longer or shorter time."""
    loop = FakeLoop()
    at: list[float] = []

    def expired() -> None:
        at.append(loop.now - 1000.0)
        if len(at) < 4:
            timer.arm((3, 1, 2)[len(at) - 1])

    timer = LazyTimer(cast("asyncio.AbstractEventLoop", loop), expired)
    timer.arm(1)
    loop.advance(100)
    assert at == [1, 4, 5, 7]


def test_close_gives_the_handle_back() -> None:
    """A closed timer has no handle in the loop; closing again changes nothing, and it may be armed anew."""
    ticks = Ticks()
    ticks.timer.arm(5)
    ticks.timer.close()
    ticks.timer.close()
    assert ticks.loop.handles == []
    ticks.timer.arm(1)
    ticks.loop.advance(10)
    assert ticks.at == [1]


def test_elapsed_counts_from_the_last_arm() -> None:
    """``elapsed`` is the time since the timer was armed last."""
    ticks = Ticks()
    ticks.timer.arm(5)
    ticks.loop.advance(2)
    assert ticks.timer.elapsed() == 2
    ticks.timer.arm(5)
    ticks.loop.advance(3)
    assert ticks.timer.elapsed() == 3


def expiring(loop: asyncio.AbstractEventLoop) -> tuple[LazyTimer, asyncio.Future[None]]:
    """A timer of ``loop``, and a future that is done when it expires."""
    future = loop.create_future()
    return LazyTimer(loop, lambda: future.set_result(None)), future


@pytest.mark.parametrize(
    "seconds", [(0.0001, 0.00005), (0.0001, 0.01), (0.01, 0.0001), (0.0104, 0.0001), (0.0,), (1e9, 0.001)]
)
async def test_real_loops_take_any_length(seconds: tuple[float, ...]) -> None:
    """On each loop a timer can be armed for any time, and again for any other, and expires not before the last one."""
    loop = asyncio.get_running_loop()
    timer, expired = expiring(loop)
    for each in seconds:
        timer.arm(each)
    started = timer.started
    await expired
    assert loop.time() >= started + seconds[-1]
    timer.close()


async def test_closed_timer_keeps_nothing_alive() -> None:
    """The loop does not hold what a closed timer belongs to."""

    class Owner:
        def __init__(self) -> None:
            self.timer = LazyTimer(asyncio.get_running_loop(), self.expired)

        def expired(self) -> None:
            raise AssertionError("closed before its time")

    owner: Any = Owner()
    owner.timer.arm(3600)
    owner.timer.close()
    watch = weakref.ref(owner)
    del owner
    await asyncio.sleep(0)
    gc.collect()
    assert watch() is None
