"""The charts of a report that are more than bars: inline SVG, whose colours are those of the page around it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from .._terminal import duration_text
from ._histogram import Bucket
from ._report_axis import Tick, latency_text, latency_ticks, moment_text, number_text, number_ticks, time_ticks
from ._statistics_series import Throughput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._histogram import Histogram

LEFT: Final = 56
RIGHT: Final = 20
BOTTOM: Final = 30
TOP: Final = 14
"""Around what is drawn, in units that are pixels where a chart has its full width."""

COLUMNS: Final = 120
"""Of a throughput, at most."""

FEWEST: Final = 12
EACH: Final = 5
"""Results in one of them, in the mean, as long as there are more than FEWEST: less is noise."""

BARS: Final = 60
"""Of a distribution, at most: they are as wide as a finger is thick, and the shape is seen all the same."""

DECADE: Final = 10.0
"""A distribution shows at least so many times its least value, or a flat server would look like an uneven one."""

LABEL: Final = 124
"""Width of a mark's label, within which there is no other one in the same row."""

ROW: Final = 20.0
"""Height of a row of labels: also of those on narrow screens, whose text is larger."""

MARKS: Final = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class Frame(NamedTuple):
    """Where values are on a chart of ``width`` and ``height``, which has ``above`` units free above what is drawn."""

    width: int
    height: int
    least: float
    most: float
    highest: float
    above: float = TOP
    logarithmic: bool = False

    @property
    def right(self) -> int:
        """The right end of what is drawn."""
        return self.width - RIGHT

    @property
    def bottom(self) -> int:
        """Its lower end."""
        return self.height - BOTTOM

    def x(self, value: float) -> float:
        """Units from the left; what is beyond an end is there."""
        least, most = self.least, self.most
        value = min(max(value, least), most)
        if self.logarithmic:
            value, least, most = math.log(value), math.log(least), math.log(most)
        return LEFT + (value - least) / (most - least) * (self.right - LEFT)

    def y(self, value: float) -> float:
        """Units from the top."""
        return self.bottom - value / self.highest * (self.bottom - self.above)


def columns(points: Sequence[Throughput]) -> list[Throughput]:
    """``points``, some in one where there are more than can be told apart."""
    done, count = sum(point.done for point in points), len(points)
    together = max(1, math.ceil(count / COLUMNS), min(math.ceil(EACH * count / max(done, 1)), count // FEWEST))
    return [
        Throughput(group[0].at, *(sum(numbers) for numbers in zip(*(point[1:] for point in group), strict=True)))
        for group in (points[first : first + together] for first in range(0, count, together))
    ]


def throughput_chart(points: Sequence[Throughput]) -> str:
    """Results a second over time, those that failed among them; there must be a point. They are :func:`columns`."""
    end = max(points[-1].at + points[-1].seconds, 1e-3)
    rates = [
        (point.done / point.seconds, point.failed / point.seconds) if point.seconds else (0, 0) for point in points
    ]
    ticks = number_ticks(max(done for done, _ in rates))
    frame = Frame(960, 260, 0.0, end, ticks[-1].value)
    parts = [_axes(frame, time_ticks(end), ticks)]
    for name, index in (("ok", 0), ("bad", 1)):
        if any(rate[index] for rate in rates):
            parts.append(f'<path class="{name}" d="{_steps(frame, points, [rate[index] for rate in rates])}"/>')
    parts += [_hover(frame, point, *rate) for point, rate in zip(points, rates, strict=True)]
    done, failed = sum(point.done for point in points), sum(point.failed for point in points)
    best = max(rate[0] for rate in rates)
    return _svg(
        frame,
        "throughput",
        "Results a second over time",
        f"{done:,} results in {duration_text(end)}, {failed:,} of them failed; at most {number_text(best)} a second.",
        parts,
    )


def latency_chart(latency: Histogram) -> str:
    """How many answers took how long, on a logarithmic axis, with percentiles; there must be an answer."""
    bars = _bars(list(latency.distribution()))
    least, most = bars[0].least, bars[-1].most
    if most / least < DECADE:
        wider = math.sqrt(DECADE * least / most)
        least, most = least / wider, most * wider
    values = dict(zip(MARKS, latency.percentiles(*MARKS.values()), strict=True))
    marks = [Tick(value, f"{name} {latency_text(value)}") for name, value in values.items() if value is not None]
    ticks = number_ticks(max(bar.number for bar in bars), whole=True)
    frame = Frame(780, 310, least, most, ticks[-1].value, logarithmic=True)
    rows = _rows(frame, marks)
    frame = frame._replace(above=TOP + ROW * (1 + max(rows)))
    parts = [_axes(frame, latency_ticks(least, most), ticks)]
    parts += [_bar(frame, bar) for bar in bars]
    for draw in (_line, _label):  # the labels over all lines
        parts += [draw(frame, mark, row) for mark, row in zip(marks, rows, strict=True)]
    told = ", ".join(mark.label for mark in marks)
    return _svg(frame, "latency", "How long answers took", f"{latency.count:,} answers: {told}.", parts)


def _svg(frame: Frame, name: str, title: str, text: str, parts: list[str]) -> str:
    return (
        f'<div class="chart"><svg viewBox="0 0 {frame.width} {frame.height}" role="img"'
        f' aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{title}</title><desc id="{name}-d">{text}</desc>{"".join(parts)}</svg></div>'
    )


def _axes(frame: Frame, along: list[Tick], up: list[Tick]) -> str:
    right, bottom = frame.right, frame.bottom
    parts = []
    for value, label in up:
        y = f"{frame.y(value):.1f}"
        parts.append(f'<line class="{"grid" if value else "axis"}" x1="{LEFT}" x2="{right}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text class="up" x="{LEFT - 8}" y="{y}" dy="0.32em">{label}</text>')
    for value, label in along:
        x = f"{frame.x(value):.1f}"
        parts.append(f'<line class="axis" x1="{x}" x2="{x}" y1="{bottom}" y2="{bottom + 5}"/>')
        parts.append(f'<text class="along" x="{x}" y="{bottom + 20}">{label}</text>')
    return "".join(parts)


def _steps(frame: Frame, points: Sequence[Throughput], values: list[float]) -> str:
    """An area below steps."""
    bottom = f"{frame.y(0):.1f}"
    path = [f"M{frame.x(points[0].at):.1f} {bottom}"]
    for point, value in zip(points, values, strict=True):
        path.append(f"V{frame.y(value):.1f}H{frame.x(point.at + point.seconds):.1f}")
    return f"{''.join(path)}V{bottom}Z"


def _hover(frame: Frame, point: Throughput, done: float, failed: float) -> str:
    """What is told about a point when somebody points at it."""
    x, end, height = frame.x(point.at), frame.x(point.at + point.seconds), frame.bottom - frame.above
    text = f"{moment_text(point)}: {number_text(done)} a second" + (f", {number_text(failed)} failed" if failed else "")
    return (
        f'<rect class="hover" x="{x:.1f}" y="{frame.above}" width="{end - x:.1f}" height="{height}">'
        f"<title>{text}</title></rect>"
    )


def _bars(buckets: list[Bucket]) -> list[Bucket]:
    """``buckets``, which are hundreds, in bars that are equally wide on a logarithmic axis."""
    first = buckets[0]
    ratio = first.most / first.least
    span = max(math.log(buckets[-1].most / first.least), math.log(DECADE))
    width = math.ceil(span / math.log(ratio) / BARS - 1e-6)
    bars: dict[int, int] = {}
    for bucket in buckets:
        index = round(math.log(bucket.least / first.least) / math.log(ratio)) // width
        bars[index] = bars.get(index, 0) + bucket.number
    broad = ratio**width
    return [
        Bucket(first.least * broad**index, first.least * broad ** (index + 1), bars[index]) for index in sorted(bars)
    ]


def _bar(frame: Frame, bar: Bucket) -> str:
    x, end, y = frame.x(bar.least), frame.x(bar.most), frame.y(bar.number)
    y = min(y, frame.bottom - 1)  # one among thousands is to be seen
    return (
        f'<rect class="ok" x="{x + 0.5:.1f}" y="{y:.1f}" width="{max(end - x - 1, 1):.1f}"'
        f' height="{frame.bottom - y:.1f}">'
        f"<title>{latency_text(bar.least)} to {latency_text(bar.most)}: {bar.number:,}</title></rect>"
    )


def _rows(frame: Frame, marks: list[Tick]) -> list[int]:
    """In which row above the chart the label of each mark stands, none of them over another.

    Those to the left are above those to the right, whose lines would go through them.
    """
    rows: list[int] = []
    taken: list[tuple[int, float, float]] = []
    for mark in reversed(marks):
        start, end = _span(frame, mark)
        row = 0
        while any(row == other and start < right and left < end for other, left, right in taken):
            row += 1
        taken.append((row, start, end))
        rows.insert(0, row)
    return rows


def _span(frame: Frame, mark: Tick) -> tuple[float, float]:
    """Where the label of ``mark`` begins and ends: to the right of its line, where there is room."""
    x = frame.x(mark.value)
    return (x, x + LABEL) if x + LABEL < frame.width else (x - LABEL, x)


def _line(frame: Frame, mark: Tick, row: int) -> str:
    x, y = frame.x(mark.value), frame.above - 14 - ROW * row
    return f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{y:.1f}" y2="{frame.bottom}"/>'


def _label(frame: Frame, mark: Tick, row: int) -> str:
    x, y = frame.x(mark.value), frame.above - 6 - ROW * row
    side, at = ("right", x + 4) if _span(frame, mark)[0] == x else ("left", x - 4)
    return f'<text class="mark {side}" x="{at:.1f}" y="{y:.1f}">{mark.label}</text>'
