"""``bulk/_report_chart.py``: charts, whose marks are within them and where the numbers say."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from aiohttpclient.bulk import Histogram, Throughput
from aiohttpclient.bulk._report_chart import (
    BARS,
    BOTTOM,
    COLUMNS,
    FEWEST,
    LEFT,
    RIGHT,
    columns,
    latency_chart,
    throughput_chart,
)
from aiohttpclient.bulk._report_style import STYLE

Element = ET.Element


def drawn(chart: str) -> Element:
    """The image, which is well-formed."""
    svg = ET.fromstring(chart).find("svg")
    assert svg is not None
    return svg


def size(svg: Element) -> tuple[float, float]:
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    return width, height


def check(svg: Element) -> None:
    """All that is drawn is within the image, and all labels are in their places, none over another."""
    width, height = size(svg)
    for rect in svg.iter("rect"):
        x, y, wide, high = (float(rect.attrib[name]) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height
        assert min(wide, high) >= 0
    for line in svg.iter("line"):
        assert all(0 <= float(line.attrib[name]) <= width for name in ("x1", "x2"))
        assert all(0 <= float(line.attrib[name]) <= height for name in ("y1", "y2"))
    labels = [label for label in svg.iter("text") if label.attrib["class"] == "along"]
    places = [float(label.attrib["x"]) for label in labels]
    assert all(after - before > 45 for before, after in pairwise(places))
    title, about = svg.find("title"), svg.find("desc")
    assert title is not None
    assert about is not None
    assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], about.attrib["id"]]
    assert about.text


def points(rates: list[tuple[int, int]], seconds: float = 1.0) -> list[Throughput]:
    return [Throughput(n * seconds, seconds, done, failed, 0) for n, (done, failed) in enumerate(rates)]


def test_throughput() -> None:
    """A column is as high as its rate; those that failed stand before all of them, in a colour of their own."""
    svg = drawn(throughput_chart(points([(10, 0), (20, 5), (40, 0)])))
    check(svg)
    width, height = size(svg)
    ok, bad = (path.attrib for path in svg.iter("path"))
    assert (ok["class"], bad["class"]) == ("ok", "bad")
    tops = [float(y) for y in re.findall(r"V([\d.]+)", ok["d"])]
    heights = [height - BOTTOM - top for top in tops]
    assert heights[1] / heights[0] == pytest.approx(2, rel=0.01)
    assert heights[2] / heights[0] == pytest.approx(4, rel=0.01)
    ends = [float(x) for x in re.findall(r"H([\d.]+)", ok["d"])]
    assert ends[-1] == pytest.approx(width - RIGHT)
    assert ends[0] - LEFT == pytest.approx((width - RIGHT - LEFT) / 3, abs=0.1)
    told = [title.text for title in svg.iter("title")]
    assert told == [
        "Results a second over time",
        "0:00.00: 10 a second",
        "0:01.00: 20 a second, 5 failed",
        "0:02.00: 40 a second",
    ]
    about = svg.find("desc")
    assert about is not None
    assert about.text == "70 results in 3.0 s, 5 of them failed; at most 40 a second."


def test_throughput_without_failures() -> None:
    """Where nothing failed, nothing of that is drawn."""
    assert [path.attrib["class"] for path in drawn(throughput_chart(points([(1, 0)] * 5))).iter("path")] == ["ok"]


def test_columns() -> None:
    """There are no more columns than can be told apart, fewer where there are few results, and nothing is lost."""
    many = drawn(throughput_chart(columns(points([(100, 1)] * 240))))
    few = drawn(throughput_chart(columns(points([(n % 7 == 0, 0) for n in range(240)]))))
    for svg, most in ((many, COLUMNS), (few, 2 * FEWEST)):
        check(svg)
        assert most / 2 <= sum(rect.attrib["class"] == "hover" for rect in svg.iter("rect")) <= most
    about = few.find("desc")
    assert about is not None
    assert str(about.text).startswith("35 results in 4:00")


@pytest.mark.parametrize("seed", range(8))
def test_any_throughput(seed: int) -> None:
    """Whatever was done, the chart can be drawn."""
    rng = random.Random(seed)
    rates = [(done, rng.randint(0, done)) for done in (rng.randint(0, 10**seed) for _ in range(rng.randint(1, 240)))]
    check(drawn(throughput_chart(columns(points(rates, 10 ** rng.uniform(-4, 5))))))


def test_no_time() -> None:
    """What was done in no time has no rate, and a chart all the same."""
    check(drawn(throughput_chart([Throughput(0.0, 0.0, 5, 5, 0)])))


def histogram(*values: float) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


def test_latency() -> None:
    """A bar is as high as the number of answers of its time, which it tells; the percentiles are marked."""
    svg = drawn(latency_chart(histogram(*[0.01] * 30, *[0.05] * 60, *[0.4] * 10)))
    check(svg)
    bars = list(svg.iter("rect"))
    heights = [float(bar.attrib["height"]) for bar in bars]
    assert [round(height / heights[2]) for height in heights] == [3, 6, 1]
    assert [bar.findtext("title", "").rpartition(" ")[2] for bar in bars] == ["30", "60", "10"]
    marks = [text for text in svg.iter("text") if "mark" in text.attrib["class"]]
    assert [str(mark.text).split()[0] for mark in marks] == ["p50", "p90", "p99"]
    assert float(marks[0].attrib["x"]) < float(marks[2].attrib["x"])


@pytest.mark.parametrize(
    "values",
    [
        [0.0],
        [0.0, 0.0],
        [0.0312],
        [0.0101, 0.0102, 0.0103] * 100,
        [1e-7, 1e9],
        [5000.0],
        [20_000.0, 90_000.0],
        [0.001] * 999 + [30.0],
        [0.001 * 1.3**n for n in range(60)],
        [float(n) for n in range(1, 2000)],
    ],
    ids=lambda values: f"{len(values)} from {values[0]:g}",
)
def test_any_latency(values: list[float]) -> None:
    """Whatever answers took, the chart can be drawn: one of them, equal ones, times beyond all bounds."""
    svg = drawn(latency_chart(histogram(*values)))
    check(svg)
    bars = [rect.findtext("title", "") for rect in svg.iter("rect")]
    assert 1 <= len(bars) <= BARS + 1
    assert sum(int(bar.rpartition(" ")[2].replace(",", "")) for bar in bars) == len(values)


@pytest.mark.parametrize("seed", range(6))
def test_marks_do_not_overlap(seed: int) -> None:
    """The labels of marks that are close together stand one above the other, also at the right end."""
    rng = random.Random(seed)
    svg = drawn(latency_chart(histogram(*(rng.lognormvariate(-4, seed / 4) for _ in range(300)))))
    check(svg)
    width, _ = size(svg)
    largest = float(re.findall(r"\.beside svg text\{font-size:(\d+)px", STYLE)[-1])  # on a narrow screen
    places = []
    for text in svg.iter("text"):
        if "mark" in text.attrib["class"]:
            x, y, long = float(text.attrib["x"]), float(text.attrib["y"]), 6.5 * len(str(text.text))
            start = x if "right" in text.attrib["class"] else x - long
            assert 0 <= start <= start + long <= width
            places.append((y, start, start + long))
    for number, (y, start, end) in enumerate(places):
        others = places[number + 1 :]
        assert all(abs(y - other) >= largest or end <= left or right <= start for other, left, right in others)
