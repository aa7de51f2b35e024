"""``net/_pace.py``: numbers in, a verdict out."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.net._pace import Pace
from tests.properties.strategies import checked


def test_too_few_bytes_in_a_window() -> None:
    """A window full of waiting with too few bytes is a stall, and not a moment before it is full."""
    pace = Pace(100, 10)
    pace.resume(50)
    pace.count(999)
    assert not pace.stalled(59.999)
    assert pace.left(59) == 1
    assert pace.ends == 60
    assert pace.stalled(60)
    assert pace.stalled(61)


def test_enough_bytes_begin_a_new_window() -> None:
    """A window with just enough bytes is followed by another, which starts from nothing."""
    pace = Pace(100, 10)
    pace.resume(50)
    pace.count(1000)
    assert not pace.stalled(60)
    assert pace.ends == 70
    pace.count(999)
    assert not pace.stalled(69)
    assert pace.stalled(70)


def test_early_bytes_do_not_end_a_window() -> None:
    """Bytes beyond what a window needs do not count for the next."""
    pace = Pace(100, 10)
    pace.resume(0)
    pace.count(1_000_000)
    assert not pace.stalled(9)
    assert not pace.stalled(10)
    pace.count(1)
    assert pace.stalled(20)


def test_silence_is_no_stall() -> None:
    """A window without any byte begins anew, as often as it takes; one with a single byte is a stall."""
    pace = Pace(100, 10)
    pace.resume(0)
    for end in range(10, 1000, 10):
        assert not pace.stalled(end - 1)
        assert pace.ends == end
        assert not pace.stalled(end)
    pace.count(1)
    assert pace.left(990) == 10
    assert not pace.stalled(999)
    assert pace.stalled(1000)


def test_silence_in_short_waits() -> None:
    """A silent window that is full while nobody waits begins anew, too, and nothing of it counts for the next."""
    pace = Pace(100, 10)
    for start in range(3):
        pace.resume(start * 100)
        pace.pause(start * 100 + 10)
        assert pace.left(start * 100 + 50) == 0
        assert not pace.stalled(start * 100 + 50)
        assert pace.left(start * 100 + 50) == 10
        assert not pace.running
    pace.resume(1000)
    pace.count(999)
    assert pace.stalled(1010)


def test_only_waiting_counts() -> None:
    """The time in which nobody waits is not counted, however long it is."""
    pace = Pace(100, 10)
    pace.count(1)
    for start in range(0, 9_000, 1_000):
        pace.resume(start)
        assert pace.running is True
        pace.pause(start + 1)
        assert pace.ends == inf
        assert not pace.stalled(start + 999)
    assert pace.left(9_000) == 1
    assert pace.ends == inf
    pace.resume(10_000)
    assert pace.ends == 10_001
    assert not pace.stalled(10_000.5)
    assert pace.stalled(10_001)


def test_verdict_while_nobody_waits() -> None:
    """Many short waits fill a window, too: the verdict is due although nobody waits when it is."""
    pace = Pace(100, 10)
    pace.count(1)
    for start in range(10):
        pace.resume(start)
        pace.pause(start + 1)
    assert pace.left(1_000) == 0
    assert pace.stalled(1_000)
    pace.count(1000)
    assert not pace.stalled(2_000)
    assert pace.left(2_000) == 10


def test_bytes_between_waits_count() -> None:
    """Bytes that come while nobody waits for them have come."""
    pace = Pace(100, 10)
    pace.count(500)
    pace.resume(0)
    pace.pause(5)
    pace.count(500)
    pace.resume(100)
    assert not pace.stalled(105)


def test_pause_twice() -> None:
    """A second pause, or one before the first ``resume``, changes nothing."""
    pace = Pace(1, 10)
    assert not pace.running
    pace.pause(3)
    assert pace.left(3) == 10
    pace.resume(5)
    pace.pause(6)
    pace.pause(9)
    assert pace.left(9) == 9


def test_wait_that_was_given_up() -> None:
    """A wait that was resumed and never paused is not counted when the next begins."""
    pace = Pace(1, 10)
    pace.resume(0)
    pace.resume(100)
    assert pace.left(101) == 9


def test_late_verdict() -> None:
    """A window that is judged late, since the loop was busy, is judged by what came until then, and the next begins."""
    pace = Pace(100, 10)
    pace.resume(0)
    pace.count(1000)
    assert not pace.stalled(35)
    assert pace.ends == 45


@pytest.mark.parametrize("start", [0.0, 0.1, 1e6 + 0.1, 1e9 + 0.3])
def test_verdict_at_the_very_end(start: float) -> None:
    """At the moment that ``ends`` names the verdict is due, whatever the clock's numbers round to."""
    pace = Pace(10, 0.3)
    pace.count(1)
    for _ in range(50):
        pace.resume(start)
        pace.pause(start + 0.001)
        start += 0.7
    pace.resume(start)
    assert pace.stalled(pace.ends)


class Naive:
    """What is meant: all waits and all bytes since the window began, added up anew for each question."""

    def __init__(self, rate: int, window: int) -> None:
        self.rate, self.window = rate, window
        self.waits: list[list[int]] = []
        self.bytes: list[int] = []
        self.running = False

    def waited(self, now: int) -> int:
        return sum(min(end, now) - start for start, end in self.waits)

    def resume(self, now: int) -> None:
        if self.running:
            self.waits.pop()
        self.waits.append([now, 1 << 60])
        self.running = True

    def pause(self, now: int) -> None:
        if self.running:
            self.waits[-1][1] = now
            self.running = False

    def stalled(self, now: int) -> bool:
        if self.waited(now) < self.window:
            return False
        if 0 < sum(self.bytes) < self.rate * self.window:
            return True
        self.waits = [[now, 1 << 60]] if self.running else []
        self.bytes = []
        return False


STEPS = st.lists(
    st.tuples(st.integers(0, 12), st.sampled_from(["resume", "pause", "count", "ask"]), st.integers(0, 60)), max_size=60
)


@checked
@given(st.integers(1, 9), st.integers(1, 20), STEPS)
def test_like_the_naive_model(rate: int, window: int, steps: list[tuple[int, str, int]]) -> None:
    """Whatever happens when, the verdicts and the time left are those of adding everything up."""
    pace, naive, now = Pace(rate, window), Naive(rate, window), 0
    for seconds, what, nbytes in steps:
        now += seconds
        if what == "resume":
            pace.resume(now)
            naive.resume(now)
        elif what == "pause":
            pace.pause(now)
            naive.pause(now)
        elif what == "count":
            pace.count(nbytes)
            naive.bytes.append(nbytes)
        else:
            assert pace.stalled(now) == naive.stalled(now)
        assert pace.running == naive.running
        assert pace.left(now) == window - naive.waited(now)
        assert pace.ends == (now + pace.left(now) if naive.running else inf)


@checked
@given(st.integers(1, 1000), st.integers(1, 60), st.integers(0, 10), st.integers(1, 40))
def test_a_steady_peer(rate: int, window: int, surplus: int, windows: int) -> None:
    """A peer that sends as fast as it should never stalls; one that sends a byte a second less does, in one window.

    Unless it sends nothing: that is silence.
    """
    for speed in (rate + surplus, rate - 1):
        pace = Pace(rate, window)
        pace.resume(0)
        verdicts = []
        for second in range(1, windows * window + 1):
            pace.count(speed)
            verdicts.append(pace.stalled(second))
        stalls = 0 < speed < rate
        assert any(verdicts) is stalls
        assert not stalls or verdicts.index(True) == window - 1
