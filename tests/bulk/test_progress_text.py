"""``bulk/_progress_text.py``: how far it is, in words."""

from __future__ import annotations

import pytest

from aiohttpclient.bulk import Statistics
from aiohttpclient.bulk._progress_text import counts, latencies, reasons, rows, share, time_left
from tests.bulk.counting import Clock, bad, counted, good


def test_counts() -> None:
    """The numbers, with the total where it is known and not smaller than what is done."""
    statistics = counted([good(size=1024)] * 1500, every=0.5)
    statistics.add(good("http://other.example/", status=404, size=0))
    assert counts(statistics, 2000) == ["1,501 of 2,000 done", "1 failed", "2.1/s", "1.5 MiB", "2 hosts"]
    assert counts(statistics, None)[0] == counts(statistics, 1500)[0] == "1,501 done"
    assert counts(counted([good()]), 1)[-1] == "1 host"


@pytest.mark.parametrize(
    ("total", "done", "left"),
    [
        (None, None, "0:10 so far"),
        (0, None, "0:10 so far"),
        (9, None, "0:10 so far"),
        (10, 1.0, "0:00 left"),
        (20, 0.5, "0:10 left"),
        (100_000_000, 1e-7, "0:10 so far"),
    ],
)
def test_share_and_time_left(total: int | None, done: float | None, left: str) -> None:
    """The time left follows from the rate of late; where nobody knows, or it is years, what has passed is told."""
    statistics = counted([good()] * 10)
    assert share(statistics, total) == done
    assert time_left(statistics, total) == left


def test_totals_grow() -> None:
    """A total that grows, as that of a crawl does, makes the share smaller and the time longer."""
    clock = Clock()
    statistics = Statistics(clock=clock)
    told = []
    for total in (10, 100, 1000):
        clock.now += 1
        statistics.add(good())
        told.append((share(statistics, total), time_left(statistics, total)))
    assert told == [(0.1, "0:09 left"), (0.02, "1:38 left"), (0.003, "16:37 left")]


def test_latencies() -> None:
    """Three percentiles; nothing where there is no answer."""
    assert latencies(counted([good(elapsed=0.5)])) == ["p50 500.00 ms", "p90 500.00 ms", "p99 500.00 ms"]
    assert latencies(counted([bad(OSError())])) == []


def test_reasons() -> None:
    """Statuses and errors together, the most frequent first, and no more of them than can be read."""
    results = [good()] * 9 + [bad(OSError())] * 2 + [good(status=503)] * 3 + [good(status=404)]
    assert reasons(counted(results)) == ["503: 3", "OSError: 2", "404: 1"]
    assert reasons(counted([*results, bad(ValueError()), good(status=500)])) == [
        "503: 3",
        "OSError: 2",
        "404: 1",
        "2 more",
    ]
    assert reasons(counted([good()])) == []


@pytest.mark.parametrize(
    ("width", "lines"),
    [(80, ["one  two  three"]), (8, ["one  two", "three"]), (5, ["one", "two", "three"]), (1, ["one", "two", "three"])],
)
def test_rows(width: int, lines: list[str]) -> None:
    """Pieces stand beside each other where there is room, and are not broken where there is none."""
    assert rows(["one", "two", "three"], width) == lines
    assert rows([], width) == []
