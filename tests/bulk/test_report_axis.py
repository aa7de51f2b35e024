"""``bulk/_report_axis.py``: ticks are round numbers, and cover what is drawn."""

from __future__ import annotations

import random

import pytest

from aiohttpclient.bulk import Throughput
from aiohttpclient.bulk._report_axis import (
    latency_text,
    latency_ticks,
    moment_text,
    number_text,
    number_ticks,
    time_ticks,
)


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (0, ["0", "2e-10"]),
        (0.037, ["0", "0.01", "0.02", "0.03", "0.04"]),
        (1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (7, ["0", "2", "4", "6", "8"]),
        (1735, ["0", "500", "1,000", "1,500", "2,000"]),
        (420_000, ["0", "100k", "200k", "300k", "400k", "500k"]),
        (2_300_000, ["0", "500k", "1M", "1.5M", "2M", "2.5M"]),
    ],
)
def test_number_ticks(most: float, labels: list[str]) -> None:
    """Numbers go up in steps of 1, 2 or 5, to the first that is not below the highest."""
    assert [tick.label for tick in number_ticks(most)] == labels


@pytest.mark.parametrize(("most", "labels"), [(1, ["0", "1"]), (2, ["0", "1", "2"]), (30, ["0", "10", "20", "30"])])
def test_whole_ticks(most: int, labels: list[str]) -> None:
    """Of what is counted there are no halves."""
    assert [tick.label for tick in number_ticks(most, whole=True)] == labels


@pytest.mark.parametrize(
    ("most", "labels"),
    [
        (0.0321, ["0", "5 ms", "10 ms", "15 ms", "20 ms", "25 ms", "30 ms"]),
        (0.5, ["0", "100 ms", "200 ms", "300 ms", "400 ms", "500 ms"]),
        (2.1, ["0", "0.5 s", "1 s", "1.5 s", "2 s"]),
        (141, ["0", "20 s", "40 s", "60 s", "80 s", "100 s", "120 s", "140 s"]),
        (1000, ["0", "5 min", "10 min", "15 min"]),
        (86400 * 3, ["0", "12 h", "24 h", "36 h", "48 h", "60 h", "72 h"]),
        (86400 * 1000, ["0", "200 d", "400 d", "600 d", "800 d", "1000 d"]),
    ],
)
def test_time_ticks(most: float, labels: list[str]) -> None:
    """Times go up in steps that clocks have, in one unit."""
    assert [tick.label for tick in time_ticks(most)] == labels


@pytest.mark.parametrize(
    ("at", "seconds", "text"),
    [(0.0, 0.8, "0:00.00"), (0.8, 0.8, "0:00.80"), (79.999, 1.6, "1:20.00"), (3600.5, 12.8, "1:00:00")],
)
def test_moment_text(at: float, seconds: float, text: str) -> None:
    """A moment is what a clock shows, and hundredths where seconds do not tell them apart."""
    assert moment_text(Throughput(at, seconds, 0, 0, 0)) == text


def test_latency_ticks() -> None:
    """On a logarithmic axis there are 1, 2 and 5, and where these are too many only powers of ten."""
    assert [tick.label for tick in latency_ticks(0.0099, 0.11)] == ["10 ms", "20 ms", "50 ms", "100 ms"]
    powers = ["1 µs", "10 µs", "100 µs", "1 ms", "10 ms", "100 ms", "1 s", "10 s", "100 s", "1,000 s"]
    assert [tick.label for tick in latency_ticks(1e-6, 3600)] == powers


def test_any_range_has_ticks() -> None:
    """Whatever the range, there are enough ticks to read it by and not too many, each with a label of its own."""
    rng = random.Random(1)
    for _ in range(2000):
        most = 10 ** rng.uniform(-3, 7)
        for ticks in (number_ticks(most), time_ticks(most), latency_ticks(most / 10 ** rng.uniform(1, 5), most)):
            values, labels = [tick.value for tick in ticks], [tick.label for tick in ticks]
            assert 2 <= len(ticks) <= 10, (most, labels)
            assert values == sorted(values)
            assert len(set(labels)) == len(labels), labels
        assert number_ticks(most)[-1].value >= most * 0.999
        assert time_ticks(most)[-1].value <= most * 1.001


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.0114, "0.0114"), (5.41, "5.41"), (99.96, "100"), (695.2, "695"), (1234.5, "1,234"), (2.5e9, "2.5G")],
)
def test_number_text(value: float, text: str) -> None:
    """A number has three digits, or no point."""
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 µs"),
        (2.5e-6, "2.5 µs"),
        (0.0005, "500 µs"),
        (0.001, "1 ms"),
        (0.0542, "54.2 ms"),
        (1.5, "1.5 s"),
        (600, "600 s"),
    ],
)
def test_latency_text(seconds: float, text: str) -> None:
    """A time has three digits."""
    assert latency_text(seconds) == text
