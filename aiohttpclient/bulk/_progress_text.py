"""How far a run is, in words: the same on a terminal, in lines and in any width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .._terminal import clock_text, seconds_text, size_text

if TYPE_CHECKING:
    from ._statistics import Statistics

LONGEST_LEFT: Final = 100 * 24 * 3600.0
"""Seconds that are told as time left; more means that nobody knows."""

SHOWN: Final = 3
"""Reasons for failure that are told while it runs."""

BETWEEN: Final = "  "
"""What stands between two pieces: no comma, as numbers have some."""


def counts(statistics: Statistics, total: int | None) -> list[str]:
    """How many, how fast, from where."""
    done = f"{statistics.done:,}"
    if total is not None and total >= statistics.done:
        done += f" of {total:,}"
    hosts = statistics.hosts
    return [
        f"{done} done",
        f"{statistics.failed:,} failed",
        f"{statistics.per_second:,.1f}/s",
        size_text(statistics.bytes),
        f"{hosts:,} host{'' if hosts == 1 else 's'}",
    ]


def share(statistics: Statistics, total: int | None) -> float | None:
    """How much of ``total`` is done, from 0 to 1; None: nobody can tell."""
    if not total or total < statistics.done:
        return None
    return statistics.done / total


def time_left(statistics: Statistics, total: int | None) -> str:
    """How long it goes on, or else how long it has gone on."""
    left = statistics.seconds_left(total)
    if left is None or left > LONGEST_LEFT:
        return f"{clock_text(statistics.elapsed)} so far"
    return f"{clock_text(left + 0.5)} left"


def latencies(statistics: Statistics) -> list[str]:
    """Percentiles; nothing where there is no answer yet."""
    if not statistics.latency.count:
        return []
    values = statistics.latency.percentiles(0.5, 0.9, 0.99)
    return [f"{name} {seconds_text(value)}" for name, value in zip(("p50", "p90", "p99"), values, strict=True)]


def reasons(statistics: Statistics) -> list[str]:
    """Why requests failed, the most frequent reasons first."""
    bad = [(str(status), number) for status, number in statistics.statuses.items() if status >= 400]
    bad += statistics.errors.items()
    bad.sort(key=lambda pair: -pair[1])
    shown = [f"{name}: {number:,}" for name, number in bad[:SHOWN]]
    return [*shown, f"{len(bad) - SHOWN} more"] if len(bad) > SHOWN else shown


def rows(pieces: list[str], width: int) -> list[str]:
    """``pieces`` in lines of at most ``width`` characters, where each of them is shorter than that."""
    lines = [""]
    for piece in pieces:
        longer = f"{lines[-1]}{BETWEEN}{piece}" if lines[-1] else piece
        if len(longer) > width and lines[-1]:
            lines.append(piece)
        else:
            lines[-1] = longer
    return [line for line in lines if line]
