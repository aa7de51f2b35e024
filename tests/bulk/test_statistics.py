"""``bulk/_statistics.py``: what is counted of results, what it costs, and how much of it is kept."""

from __future__ import annotations

import gc
import time

import pytest

from aiohttpclient import InvalidURL, RobotsDisallowed
from aiohttpclient.bulk import Statistics, fetch
from aiohttpclient.bulk._statistics import KEPT_ERRORS, LONGEST_EXAMPLE, OTHERS
from tests.bulk.counting import Clock, bad, counted, good
from tests.bulk.pages import numbered, reply, site

MOST_SECONDS = 5e-6
"""For one result."""


async def test_of_a_fetch() -> None:
    """Every result of a fetch is counted, by status or by error; from 400 on, it has failed."""

    def answer(asked: object) -> bytes:
        path = asked.path  # type: ignore[attr-defined]  # it is an Asked
        return reply(b"gone", "410 Gone") if path == "/3" else b"" if path == "/4" else path.encode()

    statistics = Statistics()
    async with site(answer) as (client, _):
        async for result in fetch([*numbered(10), "http://["], client=client):
            statistics.add(result)
    assert (statistics.done, statistics.failed) == (11, 2)
    assert statistics.statuses == {200: 9, 410: 1}
    assert statistics.errors == {"InvalidURL": 1}
    assert statistics.bytes == 8 * 2 + 4
    assert statistics.hosts == 1
    assert statistics.latency.count == 10
    assert statistics.elapsed > 0
    assert sum(point.done for point in statistics.throughput) == 11
    assert repr(statistics) == "<Statistics 11 done, 2 failed>"


def test_latency_is_of_answers() -> None:
    """How long an error took is no latency, as a time limit would be one; to its host it counts."""
    statistics = counted([good(elapsed=0.1), good(status=503, elapsed=0.3), bad(TimeoutError(), elapsed=30.0)])
    assert (statistics.latency.count, statistics.latency.worst) == (2, 0.3)
    (host,) = statistics.slowest_hosts(1)
    assert (host.done, host.failed, host.worst) == (3, 2, 30.0)


def test_hosts_that_were_not_asked() -> None:
    """What robots.txt forbids, and what cannot be sent, is no request to a host, but it has failed."""
    robots = RobotsDisallowed("http://example.org/", "no")
    statistics = counted([bad(robots), bad(InvalidURL("no"), None), bad(InvalidURL("no"), "no")])
    assert (statistics.done, statistics.failed, statistics.hosts) == (3, 3, 0)
    assert statistics.errors == {"RobotsDisallowed": 1, "InvalidURL": 2}


async def test_responses_that_are_not_kept() -> None:
    """A response that was let go counts with its status and its time, or as what was wrong with it."""
    statistics = Statistics()
    async with site(lambda asked: reply(b"body", "404 Gone" if asked.path == "/0" else "200 OK")) as (client, _):
        results = fetch(numbered(4), client=client, responses=False, extract=lambda result: 1 / (result.index - 3))
        async for result in results:
            assert result.response is None
            statistics.add(result)
    assert (statistics.done, statistics.failed, statistics.bytes) == (4, 2, 0)
    assert statistics.statuses == {200: 2, 404: 1}
    assert statistics.errors == {"ZeroDivisionError": 1}
    assert statistics.latency.count == 3


def test_neither_answer_nor_error() -> None:
    """A result that somebody has made of nothing is done, and nothing more is known of it."""
    result = good()
    result.response = None
    statistics = counted([result])
    assert (statistics.done, statistics.failed, statistics.bytes) == (1, 1, 0)
    assert not statistics.statuses
    assert not statistics.errors


def test_time() -> None:
    """Rates are results a second: the one of late, from which follows what is left, and the one over all."""
    clock = Clock()
    statistics = Statistics(clock=clock)
    assert (statistics.per_second, statistics.mean_per_second, statistics.seconds_left(5)) == (0, 0, None)
    for number in range(100):
        clock.now += 1.0 if number < 50 else 0.5
        statistics.add(good())
    assert statistics.elapsed == 75
    assert statistics.mean_per_second == pytest.approx(100 / 75)
    assert statistics.per_second == pytest.approx(2, rel=0.05)
    assert statistics.seconds_left(120) == pytest.approx(10, rel=0.05)
    assert statistics.seconds_left(100) == 0
    assert statistics.seconds_left(99) is None
    assert statistics.seconds_left(None) is None


def test_end() -> None:
    """After the end no time passes, and what is counted then was there at the end."""
    clock = Clock()
    statistics = Statistics(clock=clock)
    clock.now += 10
    statistics.add(good())
    statistics.end()
    clock.now += 1000
    statistics.end()
    statistics.add(good())
    assert (statistics.elapsed, statistics.mean_per_second) == (10, 0.2)
    assert statistics.throughput[-1].at < 10
    assert sum(point.done for point in statistics.throughput) == 2


def test_go_on() -> None:
    """After the end it can go on; the time in between does not count."""
    clock = Clock()
    statistics = Statistics(clock=clock)
    statistics.go_on()
    clock.now += 10
    statistics.add(good())
    statistics.end()
    clock.now += 1000
    statistics.go_on()
    clock.now += 5
    statistics.add(good())
    assert statistics.elapsed == 15
    assert (statistics.throughput[0].at, statistics.throughput[-1].done) == (0, 1)


def test_errors_are_bounded() -> None:
    """Kinds of errors are told apart up to a bound, and only the first text of each is kept, cut where it is long."""
    kinds = [type(f"Kind{number}", (Exception,), {}) for number in range(2 * KEPT_ERRORS)]
    statistics = counted(bad(kind("x" * 10_000)) for kind in [*kinds, *kinds])
    assert len(statistics.errors) == KEPT_ERRORS + 1
    assert statistics.errors.total() == 4 * KEPT_ERRORS
    assert statistics.errors["Kind0"] == 2
    assert statistics.errors[OTHERS] == 2 * KEPT_ERRORS
    assert {len(text) for text in statistics.examples.values()} == {LONGEST_EXAMPLE}


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


@pytest.mark.parametrize(
    ("error", "url", "text"),
    [
        (ValueError("why"), "http://example.org/a", "http://example.org/a: why"),
        (ValueError("http://example.org/a: why"), "http://example.org/a", "http://example.org/a: why"),
        (ValueError("why"), None, "why"),
        (ValueError(), "http://example.org/?token=hush", "http://example.org/?token=***"),
        (ValueError("http://joe:hush@example.org/?token=hush"), None, "http://***@example.org/?token=***"),
        (Mute(), "http://example.org/a", "http://example.org/a"),
        (Mute(), None, ""),
    ],
    ids=["text", "text with url", "no request", "no text", "secrets", "broken", "nothing"],
)
def test_examples(error: Exception, url: str | None, text: str) -> None:
    """An example says what it was about, without what may be secret, and is empty where there is nothing to say."""
    assert counted([bad(error, url)]).examples == {type(error).__name__: text}


def test_summary() -> None:
    """The summary has the numbers, and the most frequent of what there is much of."""
    results = [good(f"http://host-{n}.example/", status=200 + n, elapsed=0.1 * (n + 1)) for n in range(7)]
    results += [
        good("http://host-0.example/", status=200, size=3000),
        bad(TimeoutError("long"), "http://host-6.example/"),
    ]
    slow = [(5, 600), (4, 500), (3, 400), (6, 400), (2, 300)]
    assert counted(results, every=0.5).summary().splitlines() == [
        "9 done in 4.5 s, 1 failed, 2.0/s, 3.0 KiB, 7 hosts",
        "answers   p50 300.15 ms, p90 699.29 ms, p99 699.29 ms, worst 700.00 ms",
        "statuses  200: 2, 201: 1, 202: 1, 203: 1, 204: 1, 2 more",
        "errors    TimeoutError: 1",
        f"slowest   {', '.join(f'host-{host}.example {ms}.00 ms' for host, ms in slow)}",
    ]


def test_summary_of_nothing() -> None:
    """Of nothing there is a summary, too."""
    assert counted([]).summary() == "0 done in 0 ms, 0 failed, 0.0/s, 0 B, 0 hosts"


def test_summary_is_harmless() -> None:
    """What a server, or an exception, is called does nothing to a terminal."""
    kind = type("A\x1b[2J\nB", (Exception,), {})
    lines = counted([bad(kind())]).summary().splitlines()
    assert lines[-1] == r"errors    A\x1b[2J\nB: 1"


def test_cost() -> None:
    """To count a result takes less than 5 microseconds, the best of some turns: it is done for each of millions."""
    results = [
        good(f"https://host-{n % 200}.example/{n}", status=404 if n % 20 == 0 else 200, elapsed=0.01 + n % 7 * 0.003)
        for n in range(2000)
    ]
    statistics, best = Statistics(), 1.0
    gc.disable()
    try:
        for _ in range(20):
            started = time.process_time()
            for result in results:
                statistics.add(result)
            best = min(best, (time.process_time() - started) / len(results))
    finally:
        gc.enable()
    assert best < MOST_SECONDS, f"{1e6 * best:.2f} us"
