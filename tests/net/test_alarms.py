"""``net/_alarms.py``."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient.net._alarms import SPARES, Alarms, alarms_of

from .clocks import FakeLoop

if TYPE_CHECKING:
    from collections.abc import Callable


class Rings:
    """The alarms of a fake loop, and what rang at which second since the start."""

    def __init__(self) -> None:
        self.loop = FakeLoop()
        self.alarms = Alarms(cast("asyncio.AbstractEventLoop", self.loop))
        self.rang: list[tuple[str, float]] = []

    def note(self, name: str) -> Callable[[], None]:
        """What notes that ``name`` rang."""
        return lambda: self.rang.append((name, self.loop.now - 1000.0))


@pytest.fixture
def rings() -> Rings:
    return Rings()


def test_rings_once(rings: Rings) -> None:
    """An alarm rings at its time, once, and is gone from the loop."""
    alarm = rings.alarms.set(1005.0, rings.note("a"))
    assert alarm.due == 1005.0
    rings.loop.advance(4.9)
    assert rings.rang == []
    rings.loop.advance(100)
    assert rings.rang == [("a", 5.0)]
    assert rings.alarms.wanted == 0


def test_released_alarm_serves_another(rings: Rings) -> None:
    """What was released does not ring for whom it was set, but for the next, at its own time: nothing is armed anew."""
    rings.alarms.set(2000.0, rings.note("long"))
    first = rings.alarms.set(1005.0, rings.note("first"))
    first.release()
    second = rings.alarms.set(1030.0, rings.note("second"))
    assert second is first
    assert second.due == 1005.0
    assert rings.loop.armed == 2
    rings.loop.advance(100)
    assert rings.rang == [("second", 5.0)]


def test_only_for_a_later_time(rings: Rings) -> None:
    """An alarm that would ring too late is of no use."""
    rings.alarms.set(2000.0, rings.note("long"))
    rings.alarms.set(1030.0, rings.note("first")).release()
    assert rings.alarms.set(1029.9, rings.note("second")).due == 1029.9
    assert rings.loop.armed == 3
    rings.loop.advance(100)
    assert [name for name, _ in rings.rang] == ["second"]
    assert rings.rang[0][1] == pytest.approx(29.9)


def test_spare_alarm_that_nobody_took(rings: Rings) -> None:
    """An alarm that rings while it is spare is one no more."""
    rings.alarms.set(2000.0, rings.note("long"))
    rings.alarms.set(1005.0, rings.note("first")).release()
    assert len(rings.alarms.spare) == 1
    rings.loop.advance(6)
    assert rings.alarms.spare == []
    assert rings.rang == []
    assert rings.alarms.set(1030.0, rings.note("second")).due == 1030.0


def test_nothing_is_kept_for_nobody(rings: Rings) -> None:
    """With the last alarm that is waited for, the spare ones leave the loop: released, cancelled or rung."""
    for end in ("release", "cancel", "ring"):
        last = rings.alarms.set(rings.loop.now + 50, rings.note(end))
        others = [rings.alarms.set(rings.loop.now + 10, rings.note("other")) for _ in range(3)]
        for other in others:
            other.release()
        assert len(rings.alarms.spare) == 3
        assert len(rings.loop.handles) == 4
        if end == "ring":
            last.ring = rings.note("last")
            handle = next(each for each in rings.loop.handles if each.when() == last.due)
            rings.loop.handles.remove(handle)
            handle.callback()
        else:
            getattr(last, end)()
        assert rings.loop.handles == []
        assert rings.alarms.spare == []
        assert rings.alarms.wanted == 0
    assert [name for name, _ in rings.rang] == ["last"]


def test_set_anew_while_it_rings(rings: Rings) -> None:
    """What rings may set the next alarm: the spare ones stay for that."""

    def again() -> None:
        rings.rang.append(("again", rings.loop.now - 1000.0))
        rings.alarms.set(1300.0, rings.note("later"))

    rings.alarms.set(1005.0, again)
    rings.alarms.set(1200.0, rings.note("never")).release()
    rings.loop.advance(6)
    assert rings.loop.armed == 2
    rings.loop.advance(1000)
    assert rings.rang == [("again", 5.0), ("later", 200.0)]


def test_over_twice(rings: Rings) -> None:
    """After it has rung, or was given up, neither way of giving it up does anything."""
    rings.alarms.set(5000.0, rings.note("long"))
    rung = rings.alarms.set(1005.0, rings.note("rung"))
    rings.loop.advance(10)
    released = rings.alarms.set(1100.0, rings.note("released"))
    released.release()
    cancelled = rings.alarms.set(1010.0, rings.note("cancelled"))
    cancelled.cancel()
    for alarm in (rung, released, cancelled):
        alarm.release()
        alarm.cancel()
    assert rings.alarms.spare == [released]
    assert rings.alarms.wanted == 1
    rings.loop.advance(1000)
    assert rings.rang == [("rung", 5.0)]


def test_as_many_as_are_kept(rings: Rings) -> None:
    """No more than SPARES are kept, whatever was released."""
    rings.alarms.set(5000.0, rings.note("long"))
    alarms = [rings.alarms.set(1010.0, rings.note("one")) for _ in range(SPARES + 9)]
    for alarm in alarms:
        alarm.release()
    assert len(rings.alarms.spare) == SPARES
    assert len(rings.loop.handles) == SPARES + 1
    rings.loop.advance(20)
    assert (rings.rang, rings.alarms.spare) == ([], [])


def test_error_in_what_rings(rings: Rings) -> None:
    """What is called may fail: the alarm has rung all the same."""

    def fails() -> None:
        raise ZeroDivisionError

    rings.alarms.set(1005.0, fails)
    with pytest.raises(ZeroDivisionError):
        rings.loop.advance(6)
    assert rings.alarms.wanted == 0


def test_one_for_each_loop() -> None:
    """Alarms are a loop's own, and are gone with it, whatever was set: the registry keeps no loop alive."""
    loops = [asyncio.new_event_loop() for _ in range(2)]
    first, second = (alarms_of(loop) for loop in loops)
    assert first is alarms_of(loops[0])
    assert first is not second
    first.set(loops[0].time() + 3600, print)
    watch: Any = weakref.ref(loops[0])
    for loop in loops:
        loop.close()
    del loop, loops, first, second
    gc.collect()
    assert watch() is None


def test_closed_loop() -> None:
    """On a closed loop no alarm can be set, and none is counted."""
    loop = asyncio.new_event_loop()
    alarms = alarms_of(loop)
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        alarms.set(loop.time() + 1, print)
    assert alarms.wanted == 0
