"""The histogram of latencies."""

from __future__ import annotations

import random

import pytest

from aiohttpclient.bulk._histogram import BUCKETS, RATIO, Histogram


def test_percentiles_are_within_one_percent() -> None:
    """Percentiles differ from those of all values by no more than the width of a bucket."""
    rng = random.Random(1)
    values = sorted(rng.lognormvariate(-6, 1) for _ in range(20_000))
    latencies = Histogram()
    for value in values:
        latencies.add(value)
    for share in (0.01, 0.5, 0.9, 0.99, 0.999):
        exact = values[max(0, -(-int(share * 1_000_000) * len(values) // 1_000_000) - 1)]
        assert latencies.percentile(share) == pytest.approx(exact, rel=RATIO - 1 + 0.001)
    assert latencies.worst == values[-1]
    assert latencies.best == values[0]
    assert latencies.mean == pytest.approx(sum(values) / len(values))


def test_memory_is_bounded() -> None:
    """However long and however short requests are, the number of buckets stays."""
    latencies = Histogram()
    for value in (0.0, 1e-12, 1e-6, 1.0, 3600.0, 1e9):
        latencies.add(value)
    assert len(latencies.buckets) == BUCKETS
    assert latencies.count == 6
    assert latencies.percentile(1.0) is not None
    assert latencies.worst == 1e9


def test_nothing() -> None:
    """Of no requests there is nothing to tell."""
    assert Histogram().percentile(0.5) is None
    assert Histogram().mean is None


def test_one() -> None:
    """Of one request every percentile is that one."""
    latencies = Histogram()
    latencies.add(0.0123)
    assert {latencies.percentile(share) for share in (0.0, 0.5, 1.0)} == {0.0123}


def test_several_percentiles_at_once() -> None:
    """Several percentiles are the same as each alone; of nothing they are nothing."""
    histogram = Histogram()
    assert histogram.percentiles(0.5, 0.9) == [None, None]
    for number in range(1, 101):
        histogram.add(number / 100)
    shares = (0.0, 0.1, 0.5, 0.99, 1.0)
    assert histogram.percentiles(*shares) == [histogram.percentile(share) for share in shares]


def test_distribution() -> None:
    """The distribution has each value once, in a bucket around it, and no bucket that is empty."""
    histogram = Histogram()
    for value in (0.5, 0.5, 0.001, 20.0):
        histogram.add(value)
    buckets = list(histogram.distribution())
    assert [bucket.number for bucket in buckets] == [1, 2, 1]
    for bucket, value in zip(buckets, (0.001, 0.5, 20.0), strict=True):
        assert bucket.least <= value * (1 + 1e-9)
        assert value <= bucket.most * (1 + 1e-9)
        assert bucket.most == pytest.approx(bucket.least * RATIO)
    assert repr(histogram) == "<Histogram 4>"
