"""``net/_stream_timer.py``, without a stream: a clock that the test moves, and what the timer says when it expires."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, cast

import pytest

from aiohttpclient.errors import PhaseTimeout, ReadTimeout, StallTimeout, TotalTimeout, WriteTimeout
from aiohttpclient.net._stream_timer import StreamTimer

from .clocks import FakeLoop
from .test_timer import cap

if TYPE_CHECKING:
    import asyncio

    from aiohttpclient.net._pace import Pace

RATE = (10.0, 60.0)
ENOUGH = 600


class Waits:
    """A timer on a fake loop, used as a stream uses it, and the errors that it ended waits with."""

    def __init__(self, rate: tuple[float, float] | None = RATE) -> None:
        self.loop = FakeLoop()
        self.timer = StreamTimer(cast("asyncio.AbstractEventLoop", self.loop), self._expired)
        self.timer.rate = rate
        self.errors: list[tuple[float, PhaseTimeout]] = []
        self.unsent = 0

    def _expired(self, ceiling: float | None) -> None:
        if ceiling is not None:
            error: PhaseTimeout | None = self.timer.overdue(ceiling)
        else:
            if self.timer.writes:
                self.timer.took(self.unsent)
            error = self.timer.verdict()
        if error is not None:
            self.errors.append((self.loop.now - 1000, error))

    def allow(self, deadline: float, total: float) -> None:
        self.timer.total = total
        cap(self.timer, deadline)

    def begin(self, limit: float | None = 30, kind: type[PhaseTimeout] = ReadTimeout, metered: bool = True) -> None:
        self.timer.unsent = self.unsent
        self.timer.begin(limit, kind, metered)

    def end(self, nbytes: int = 0) -> None:
        self.timer.heard = self.timer.heard or nbytes > 0
        if self.timer.pace is not None:
            self.timer.pace.count(nbytes)
        if self.timer.writes:
            self.timer.took(self.unsent)
        self.timer.end()

    def wait(self, seconds: float, nbytes: int = 0, limit: float | None = 30) -> None:
        """A wait of ``seconds`` that ends with ``nbytes``."""
        self.begin(limit)
        self.loop.advance(seconds)
        self.end(nbytes)

    def pass_first(self) -> None:
        """The wait before the first byte."""
        self.wait(1, 100)

    @property
    def pace(self) -> Pace | None:
        return self.timer.pace


class TestLimit:
    @pytest.mark.parametrize("kind", [ReadTimeout, WriteTimeout])
    @pytest.mark.parametrize("rate", [None, RATE])
    @pytest.mark.parametrize("heard", [False, True])
    def test_silence(self, kind: type[PhaseTimeout], rate: tuple[float, float] | None, heard: bool) -> None:
        """A wait ends when its limit has passed, with its own error, metered or not."""
        waits = Waits(rate)
        waits.timer.heard = heard
        waits.begin(20, kind)
        waits.loop.advance(100)
        ((at, error),) = waits.errors
        assert (at, type(error), error.limit, error.elapsed) == (20, kind, 20, 20)
        assert waits.timer.deadline is None

    def test_progress(self) -> None:
        """Bytes in the middle of a wait begin its silence anew."""
        waits = Waits(None)
        waits.begin(20)
        waits.loop.advance(15)
        waits.timer.progress()
        waits.loop.advance(100)
        assert [(at, error.elapsed) for at, error in waits.errors] == [(35, 20)]

    def test_slow_is_not_silent(self) -> None:
        """A write goes on while the number of unsent bytes falls."""
        waits = Waits(None)
        waits.unsent = 100
        waits.begin(20, WriteTimeout)
        for _ in range(5):
            waits.unsent -= 1
            waits.loop.advance(20)
            assert waits.errors == []
        waits.loop.advance(20)
        assert [(at, error.elapsed) for at, error in waits.errors] == [(120, 20)]

    def test_none(self) -> None:
        """A wait without a limit has none, also after one that had."""
        waits = Waits(None)
        waits.begin(20)
        waits.begin(None)
        waits.loop.advance(1e9)
        assert waits.errors == []


class TestTotal:
    @pytest.mark.parametrize("limit", [None, 20, 30, 1e9])
    @pytest.mark.parametrize("heard", [False, True])
    def test_the_whole(self, limit: float | None, heard: bool) -> None:
        """The total ends the wait in which it passes, also one whose own limit would end with it or later."""
        waits = Waits()
        waits.allow(1020, 25)
        waits.timer.heard = heard
        waits.begin(limit)
        waits.loop.advance(100)
        ((at, error),) = waits.errors
        assert (at, type(error), error.limit, error.elapsed) == (20, TotalTimeout, 25, 25)

    def test_limit_first(self) -> None:
        """A limit that passes before the total ends its wait."""
        waits = Waits()
        waits.allow(1020, 20)
        waits.begin(19)
        waits.loop.advance(19)
        assert [type(error) for _, error in waits.errors] == [ReadTimeout]

    def test_late(self) -> None:
        """``elapsed`` is what has really passed since the exchange began."""
        waits = Waits()
        waits.allow(1020, 20)
        (handle,) = waits.loop.handles
        waits.loop.handles.clear()
        waits.loop.now += 27
        handle.callback()
        assert waits.errors[0][1].elapsed == 27

    def test_lifted(self) -> None:
        """When the exchange is over nothing expires."""
        waits = Waits()
        waits.allow(1020, 20)
        waits.pass_first()
        waits.begin(30)
        waits.timer.lift()
        waits.loop.advance(1000)
        assert waits.errors == []
        assert (waits.timer.rate, waits.pace) == (None, None)


class TestRate:
    def test_small_response(self) -> None:
        """A response that comes at once needs no pace, and neither does one whose first byte is long in coming."""
        waits = Waits()
        waits.begin(None)
        waits.loop.advance(1e6)
        waits.end(200)
        assert waits.pace is None
        assert waits.errors == []

    def test_drip(self) -> None:
        """A peer that is never silent for long, but sends too little, is cut off when it has been awaited a window."""
        waits = Waits()
        waits.pass_first()
        for _ in range(5):
            waits.wait(10, 99)
        waits.begin()
        waits.loop.advance(9.99)
        assert waits.errors == []
        waits.loop.advance(10)
        ((at, error),) = waits.errors
        assert at == 61
        assert isinstance(error, StallTimeout)
        assert (error.limit, error.elapsed, error.rate) == (60, 60, 10)

    def test_fast_enough(self) -> None:
        """A peer that keeps the rate up is waited for as often as it takes."""
        waits = Waits()
        waits.pass_first()
        for _ in range(1000):
            waits.wait(10, 120)  # what comes at the end of a window is for the next
        assert waits.errors == []

    def test_enough_in_the_middle_of_a_wait(self) -> None:
        """A window that ends well in the middle of a wait begins another, and does not end the wait."""
        waits = Waits()
        waits.pass_first()
        waits.begin(None)
        for _ in range(2):
            assert waits.pace is not None
            waits.pace.count(ENOUGH)
            waits.timer.progress()
            waits.loop.advance(60)
            assert waits.errors == []
        assert waits.pace is not None
        waits.pace.count(1)
        waits.timer.progress()
        waits.loop.advance(60)
        assert [(at, type(error)) for at, error in waits.errors] == [(181, StallTimeout)]

    def test_window_and_silence(self) -> None:
        """A window that ends well in the middle of a silence leaves the silence its limit, counted from its begin."""
        waits = Waits((10.0, 25.0))
        waits.pass_first()
        waits.begin(20)
        waits.loop.advance(15)
        assert waits.pace is not None
        waits.pace.count(ENOUGH)
        waits.timer.progress()
        waits.loop.advance(19)
        assert waits.errors == []
        waits.loop.advance(1)
        assert [(at, type(error), error.elapsed) for at, error in waits.errors] == [(36, ReadTimeout, 20)]

    def test_silence_of_the_same_length(self) -> None:
        """Where the limit and the window end together, it is the silence that is told."""
        waits = Waits((10.0, 30.0))
        waits.pass_first()
        waits.begin(30)
        waits.loop.advance(100)
        assert [(at, type(error)) for at, error in waits.errors] == [(31, ReadTimeout)]

    def test_busy_consumer(self) -> None:
        """The time between waits is the consumer's own."""
        waits = Waits()
        waits.pass_first()
        for _ in range(59):
            waits.wait(1, 1)
            waits.loop.advance(1000)
        assert waits.errors == []
        waits.begin()
        waits.loop.advance(1)
        assert [type(error) for _, error in waits.errors] == [StallTimeout]

    def test_short_waits_fill_a_window(self) -> None:
        """A window that is full when a wait begins ends that wait at once, however short all of them were."""
        waits = Waits()
        waits.pass_first()
        waits.wait(59.5, limit=None)
        waits.loop.advance(5)
        waits.begin()
        waits.loop.now += 0.6  # the loop was busy; what came is delivered before the timer has its turn
        waits.end(1)
        assert waits.errors == []
        with pytest.raises(StallTimeout) as caught:
            waits.begin()
        assert caught.value.elapsed == pytest.approx(60.1)
        waits.loop.advance(1000)
        assert waits.errors == []

    def test_full_window_with_enough(self) -> None:
        """A window that is full of enough bytes when a wait begins is followed by a new one."""
        waits = Waits()
        waits.pass_first()
        waits.begin()
        waits.loop.now += 61
        waits.end(ENOUGH)
        waits.begin()
        assert waits.timer.deadline == waits.loop.now + 30
        assert waits.pace is not None
        assert waits.pace.ends == waits.loop.now + 60

    def test_without_a_limit(self) -> None:
        """The rate holds where silence is not bounded."""
        waits = Waits()
        waits.pass_first()
        waits.begin(None)
        assert waits.pace is not None
        waits.pace.count(1)
        waits.loop.advance(1000)
        assert [(at, type(error)) for at, error in waits.errors] == [(61, StallTimeout)]

    def test_silence_longer_than_a_window(self) -> None:
        """A silence, however many windows long, is bounded by its limit alone, and is told as what it is."""
        waits = Waits()
        waits.pass_first()
        waits.begin(300)
        waits.loop.advance(299.9)
        assert waits.errors == []
        waits.loop.advance(100)
        assert [(at, type(error), error.elapsed) for at, error in waits.errors] == [(301, ReadTimeout, 300)]

    @pytest.mark.parametrize("kind", [ReadTimeout, WriteTimeout])
    def test_silence_without_a_limit(self, kind: type[PhaseTimeout]) -> None:
        """Where silence is not bounded it may last for ever; the rate holds again from the first byte after it."""
        waits = Waits()
        waits.pass_first()
        waits.unsent = 100
        waits.begin(None, kind)
        waits.loop.advance(60_000)
        assert waits.errors == []
        waits.unsent -= 1
        if kind is ReadTimeout:
            assert waits.pace is not None
            waits.pace.count(1)
        waits.loop.advance(59)
        assert waits.errors == []
        waits.loop.advance(61)
        assert [type(error) for _, error in waits.errors] == [StallTimeout]

    def test_no_rate(self) -> None:
        """Without a rate a peer may drip for ever."""
        waits = Waits(None)
        for _ in range(1000):
            waits.wait(29, 1)
        assert waits.errors == []
        assert waits.pace is None

    def test_uploads(self) -> None:
        """While a request is sent, what counts is what the peer takes; the first wait counts already."""
        waits = Waits()
        waits.unsent = 100_000
        for _ in range(5):
            waits.begin(30, WriteTimeout)
            waits.loop.advance(5)
            waits.unsent -= 50
            waits.loop.advance(5)
            waits.unsent -= 50
            waits.end()
        waits.begin(30, WriteTimeout)
        waits.unsent -= 99
        waits.loop.advance(9.99)
        assert waits.errors == []
        waits.loop.advance(0.01)
        ((at, error),) = waits.errors
        assert (at, type(error)) == (60, StallTimeout)

    def test_fast_upload(self) -> None:
        """An upload that keeps the rate up goes on, in one wait or in many."""
        waits = Waits()
        waits.unsent = 1_000_000
        waits.begin(30, WriteTimeout)
        for _ in range(100):
            waits.unsent -= 300
            waits.loop.advance(25)
        assert waits.errors == []

    def test_bytes_written_between_waits(self) -> None:
        """More unsent bytes than before are neither progress nor less than none."""
        waits = Waits()
        waits.unsent = 100
        waits.begin(30, WriteTimeout)
        waits.unsent = 200
        waits.loop.advance(30)
        assert [(at, type(error)) for at, error in waits.errors] == [(30, WriteTimeout)]

    def test_request_and_response_apart(self) -> None:
        """What is left of a window when the request is sent does not burden the response, nor help it."""
        for taken in (0, 1, 1_000_000):
            waits = Waits()
            waits.unsent = taken
            waits.begin(None, WriteTimeout)
            waits.loop.advance(59)
            waits.unsent = 0
            waits.end()
            waits.begin(None)  # for the first byte
            waits.loop.advance(1000)
            waits.end(1)
            waits.begin(None)
            assert waits.pace is not None
            waits.pace.count(1)
            waits.loop.advance(59)
            assert waits.errors == []
            waits.loop.advance(1)
            assert [type(error) for _, error in waits.errors] == [StallTimeout]

    def test_first_byte_after_an_upload(self) -> None:
        """The wait for the first byte is not metered, whatever was before it, and is bounded by its own limit."""
        for limit in (None, 100):
            waits = Waits()
            waits.begin(None, WriteTimeout)
            waits.loop.advance(59)
            waits.end()
            waits.begin(limit)
            waits.loop.advance(99)
            assert waits.errors == []

    def test_unmetered(self) -> None:
        """A wait that cannot be metered takes no time of the window, and ends by its limit alone."""
        waits = Waits()
        waits.unsent = 100
        waits.begin(None, WriteTimeout)
        waits.unsent = 99
        waits.loop.advance(59)
        waits.end()
        for _ in range(100):
            waits.begin(100, WriteTimeout, metered=False)
            waits.loop.advance(99)
            waits.end()
        assert waits.errors == []
        waits.begin(100, WriteTimeout, metered=False)
        waits.loop.advance(100)
        assert [type(error) for _, error in waits.errors] == [WriteTimeout]
        waits.begin(None, WriteTimeout)
        waits.loop.advance(1)
        assert [type(error) for _, error in waits.errors] == [WriteTimeout, StallTimeout]

    def test_total_first(self) -> None:
        """The total holds in metered waits."""
        waits = Waits()
        waits.allow(1040, 40)
        waits.pass_first()
        for _ in range(3):
            waits.wait(10, 1)
        waits.begin()
        waits.loop.advance(100)
        assert [(at, type(error)) for at, error in waits.errors] == [(40, TotalTimeout)]

    def test_timeout_stops_the_clock(self) -> None:
        """What follows a wait that timed out is not waiting."""
        waits = Waits()
        waits.pass_first()
        waits.begin(20)
        waits.loop.advance(1000)
        assert waits.pace is not None
        assert not waits.pace.running
        assert waits.pace.left(waits.loop.now) == 40
        assert waits.pace.ends == inf

    def test_handles(self) -> None:
        """Metering moves the deadline to later times, so the loop is asked for a handle only now and then."""
        waits = Waits()
        for _ in range(20):
            waits.timer.rate = RATE
            waits.timer.heard = False
            waits.pass_first()
            for _ in range(500):
                waits.wait(0.2, 100)
            waits.timer.lift()
        assert waits.errors == []
        assert waits.loop.armed <= 20 * 5
