"""A page about a run: one file of HTML, which needs no script and no other file, and looks well in light and dark.

Hosts, and the texts of errors, are chosen by others. All text is escaped, nothing is a link, and the page has a policy
by which a browser would load nothing, and run nothing, even so.
"""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .._files import put_file
from .._terminal import duration_text, seconds_text, size_text
from .._version import VERSION
from ._report_axis import latency_text, moment_text, number_text
from ._report_chart import columns, latency_chart, throughput_chart
from ._report_style import STYLE
from ._report_table import Row, safe, table

if TYPE_CHECKING:
    import os

    from ._statistics import Statistics

POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

ROWS: Final = 20
"""Statuses, errors and hosts in a table, at most: the page stays one that is read, whatever the servers do."""

PERCENTILES: Final = {"p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}


def write_report(path: str | os.PathLike[str], statistics: Statistics, title: str = "fetch", *, note: str = "") -> None:
    """Write a page about ``statistics`` to ``path``, in the place of what is there: one HTML file that needs no other.

    It blocks until the file is on the disk.

    :param title: what was done
    :param note: what is to be known before all else, such as that it was interrupted
    :raises OSError: it cannot be written
    """
    put_file(Path(path), page(statistics, title, note).encode(), 0o666, keep_mode=True)


def page(statistics: Statistics, title: str, note: str = "") -> str:
    """The page."""
    began = datetime.fromtimestamp(statistics.started, UTC)
    parts = [_throughput(statistics), _latency(statistics), _statuses_and_errors(statistics), _hosts(statistics)]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{safe(title)}</title><style>{STYLE}</style></head>\n<body><main>"
        f'<header><h1>{safe(title)}</h1><p class="soft">{began:%Y-%m-%d %H:%M:%S} UTC, '
        f"{duration_text(statistics.elapsed)} long</p>{f'<p class=note>{safe(note)}</p>' if note else ''}</header>\n"
        + "\n".join([_tiles(statistics), *(part for part in parts if part)])
        + "\n<footer>Times are those of whole requests, with redirects and retries; percentiles are of answers, errors "
        f"left out, and exact to 1 %. aiohttpclient {VERSION}</footer></main></body></html>\n"
    )


def _tiles(statistics: Statistics) -> str:
    """What one wants to know first."""
    failed = statistics.failed
    latency = statistics.latency.percentiles(0.5, 0.9, 0.99)
    times = zip(("Median", "90th percentile", "99th percentile"), latency, strict=True)
    tiles = [
        ("Results", f"{statistics.done:,}", ""),
        (
            "Failed",
            f"{failed:,}{f' <small>{_percent(failed, statistics.done)}</small>' if failed else ''}",
            " bad" if failed else "",
        ),
        ("Per second", number_text(statistics.mean_per_second), ""),
        ("Bodies", size_text(statistics.bytes), ""),
        ("Hosts", f"{statistics.hosts:,}", ""),
        *((name, "-" if value is None else latency_text(value), "") for name, value in times),
    ]
    shown = (f'<div class="tile{kind}"><dt>{name}</dt><dd>{value}</dd></div>' for name, value, kind in tiles)
    return f'<dl class="tiles">{"".join(shown)}</dl>'


def _throughput(statistics: Statistics) -> str:
    points = columns(statistics.throughput)
    if len(points) < 2 or not statistics.done:
        told = f"{statistics.done:,} result{'' if statistics.done == 1 else 's'} in {duration_text(statistics.elapsed)}"
        return _card("Throughput", f'<p class="soft">{told}: not enough for a chart.</p>')
    rows = (
        Row(moment_text(p), (f"{p.seconds:.3g} s", f"{p.done:,}", f"{p.failed:,}", size_text(p.bytes))) for p in points
    )
    numbers = table(("From", "For", "Results", "Failed", "Bodies"), rows)
    return _card(
        "Throughput",
        f'{throughput_chart(points)}<details><summary>The numbers</summary><div class="long" tabindex="0" role="region"'
        f' aria-label="Throughput, the numbers">{numbers}</div></details>',
        '<span class="soft">results a second</span><span class="soft key">all</span>'
        + ('<span class="soft key bad">failed</span>' if statistics.failed else ""),
    )


def _latency(statistics: Statistics) -> str:
    latency = statistics.latency
    if not latency.count:
        return ""
    values = zip(PERCENTILES, latency.percentiles(*PERCENTILES.values()), strict=True)
    told = [("fastest", latency.best), *values, ("slowest", latency.worst), ("mean", latency.mean)]
    numbers = table(("", "Time"), (Row(name, (seconds_text(value),)) for name, value in told))
    return _card(
        "Latency",
        f'<div class="beside">{latency_chart(latency)}{numbers}</div>',
        '<span class="soft">answers by the time they took</span>',
    )


def _statuses_and_errors(statistics: Statistics) -> str:
    statuses, errors = statistics.statuses, statistics.errors
    parts = []
    if statuses:
        most = max(statuses.values())
        shown = sorted(statuses.most_common(ROWS))
        rows = [
            Row(_named(status), (f"{n:,}", _percent(n, statistics.done)), n / most, status >= 400)
            for status, n in shown
        ]
        parts.append(_card("Statuses", table(("Status", "Answers", "Share"), rows, caption=_rest(len(statuses)))))
    if errors:
        most = max(errors.values())
        rows = [
            Row(kind, (f"{n:,}", _percent(n, statistics.done)), n / most, True, statistics.examples.get(kind, ""))
            for kind, n in errors.most_common(ROWS)
        ]
        parts.append(
            _card("Errors", table(("Kind, and the first of it", "Times", "Share"), rows, caption=_rest(len(errors))))
        )
    elif statistics.done:
        parts.append(_card("Errors", '<p class="soft">Every request was answered.</p>'))
    return f'<div class="two">{"".join(parts)}</div>' if parts else ""


def _hosts(statistics: Statistics) -> str:
    slow = statistics.slowest_hosts(ROWS)
    if not slow:
        return ""
    longest = slow[0].mean or 1.0
    rows = (
        Row(
            host.host,
            (seconds_text(host.mean), seconds_text(host.worst), f"{host.done:,}", f"{host.failed:,}"),
            host.mean / longest,
        )
        for host in slow
    )
    told = f"the slowest {len(slow)} of {statistics.hosts:,}" if statistics.hosts > len(slow) else "the slowest first"
    heads = ("Host", "Mean", "Worst", "Requests", "Failed")
    return _card("Hosts", table(heads, rows), f'<span class="soft">{told}</span>')


def _card(title: str, body: str, beside: str = "") -> str:
    return (
        f'<section class="card" aria-label="{title}"><div class="head"><h2>{title}</h2>{beside}</div>{body}</section>'
    )


def _named(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _percent(number: int, whole: int) -> str:
    """A share: never 0 % where there is some, never 100 % where there are others."""
    if not whole or not number:
        return "0 %"
    share = 100 * number / whole
    if share < 0.1:
        return "< 0.1 %"
    return f"{share:.0f} %" if number == whole else f"{min(share, 99.9):.1f} %"


def _rest(number: int) -> str:
    return f"the most frequent {ROWS} of {number:,}" if number > ROWS else ""
