"""``bulk/_statistics_series.py``: what happened when, and the rate of now."""

from __future__ import annotations

import random

import pytest

from aiohttpclient.bulk._statistics_series import POINTS, RECENT, WIDTH, Rate, Series


def test_series() -> None:
    """A point has what came in its time; the last one is as long as there was time."""
    series = Series()
    series.add(0.0, False, 10)
    series.add(WIDTH * 0.9, True, 20)
    series.add(WIDTH * 2.5, False, 30)
    points = series.points(WIDTH * 2.75)
    assert [point[2:] for point in points] == [(2, 1, 30), (0, 0, 0), (1, 0, 30)]
    assert [point.at for point in points] == pytest.approx([0, WIDTH, 2 * WIDTH])
    assert [point.seconds for point in points] == pytest.approx([WIDTH, WIDTH, 0.75 * WIDTH])


def test_the_last_point_is_no_splinter() -> None:
    """What came in the last moment is counted in the point before, of which it would make any rate."""
    series = Series()
    series.add(WIDTH * 0.5, False, 1)
    series.add(WIDTH * 1.01, False, 1)
    (point,) = series.points(WIDTH * 1.1)
    assert (point.done, point.bytes) == (2, 2)
    assert point.seconds == pytest.approx(WIDTH * 1.1)


def test_nothing_for_long() -> None:
    """Time in which nothing came is there as well, also after the last result."""
    series = Series()
    series.add(0.0, False, 1)
    points = series.points(10 * WIDTH)
    assert len(points) == 10
    assert [point.done for point in points] == [1, *[0] * 9]
    assert Series().points(0.0) == []


@pytest.mark.parametrize("days", [0.0001, 0.01, 1, 100])
def test_series_is_bounded(days: float) -> None:
    """However long it takes, there are no more points than fit, none is lost, and they stand for all of the time."""
    series, rng, seconds = Series(), random.Random(1), days * 86400
    times = sorted(rng.random() * seconds for _ in range(5000))
    for number, at in enumerate(times):
        series.add(at, number % 10 == 0, 7)
    points = series.points(seconds)
    assert POINTS / 3 <= len(points) <= POINTS
    assert sum(point.done for point in points) == 5000
    assert sum(point.failed for point in points) == 500
    assert sum(point.bytes for point in points) == 35_000
    assert sum(point.seconds for point in points) == pytest.approx(seconds)
    middle = next(point for point in points if point.at + point.seconds > seconds / 2)
    assert middle.done == sum(middle.at <= at < middle.at + middle.seconds for at in times)


def test_rate() -> None:
    """The rate is that of the last seconds, and not of all the time."""
    rate, done = Rate(), 0
    for tick in range(1, 2001):  # 100 seconds with 10 a second, then 100 with 2
        at = tick / 10
        if tick <= 1000 or tick % 5 == 0:
            done += 1
            rate.sample(at, done) if at >= rate.due else None
        if tick == 1000:
            assert rate.per_second(at, done) == pytest.approx(10, rel=0.1)
    assert rate.per_second(200.0, done) == pytest.approx(2, rel=0.1)
    assert len(rate._samples) < 40


def test_rate_of_few() -> None:
    """Of results that come more rarely than that there is a rate all the same, over some of them."""
    rate = Rate()
    for number in range(1, 200):
        rate.sample(30.0 * number, number)
        rate.per_second(30.0 * number + 15, number)
    assert rate.per_second(30.0 * 199, 199) == pytest.approx(1 / 30, rel=0.1)
    assert len(rate._samples) < 40


def test_rate_falls() -> None:
    """When nothing comes any more, the rate falls, and it is soon what it was when it goes on."""
    rate, done, at = Rate(), 0, 0.0
    for _ in range(100):
        at, done = at + 0.5, done + 5
        rate.sample(at, done)
    assert rate.per_second(at, done) == pytest.approx(10)
    falling = [rate.per_second(at + pause, done) for pause in range(0, 100, 2)]
    assert falling == sorted(falling, reverse=True)
    assert falling[-1] < 2
    at += 100
    for _ in range(30):
        at, done = at + 0.5, done + 5
        rate.sample(at, done)
    assert at - RECENT > 100
    assert rate.per_second(at, done) == pytest.approx(10, rel=0.1)


def test_no_rate() -> None:
    """Before anything came, and in no time, there is no rate."""
    rate = Rate()
    assert rate.per_second(0.0, 0) == 0
    assert rate.per_second(5.0, 0) == 0
    assert rate.per_second(6.0, 3) == pytest.approx(0.5)
