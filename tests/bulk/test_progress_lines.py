"""``bulk/_progress_lines.py``: progress in a log."""

from __future__ import annotations

import io

from aiohttpclient.bulk._progress_lines import BETWEEN_LINES, Lines
from tests.bulk.counting import counted, good


def test_lines() -> None:
    """A line has all numbers, and the time left where there is a total; at the end the summary follows."""
    file = io.StringIO()
    lines, statistics = Lines(file, "fetch"), counted([good(elapsed=0.5)] * 10)
    lines.begin(statistics, 20)
    assert file.getvalue() == ""
    lines.show(statistics, 20)
    lines.show(statistics, None)
    lines.end("the end")
    numbers = "0 failed  1.0/s  100 B  1 host  p50 500.00 ms  p90 500.00 ms  p99 500.00 ms"
    assert file.getvalue().splitlines() == [
        f"fetch  0:10  10 of 20 done  {numbers}  50 %  0:10 left",
        f"fetch  0:10  10 done  {numbers}",
        "the end",
    ]
    assert lines.interval == BETWEEN_LINES


def test_titles_are_harmless() -> None:
    """A title, which may be a URL of somebody else's, stays in its line."""
    file = io.StringIO()
    Lines(file, "a\n\x1b[31mb").show(counted([]), None)
    assert file.getvalue().startswith(r"a\n\x1b[31mb  0:00  0 done")
    assert file.getvalue().count("\n") == 1


class Refusing(io.StringIO):
    """A pipe whose other end is gone."""

    tries = 0

    def write(self, text: str) -> int:
        """Count, and fail."""
        self.tries += 1
        raise BrokenPipeError


def test_nobody_listens() -> None:
    """A file that takes nothing, one that is closed, or none at all, is no reason to end; the others are tried."""
    closed, refusing = io.StringIO(), Refusing()
    closed.close()
    for file in (refusing, closed, None):
        lines = Lines(file, "fetch")
        lines.show(counted([good()]), None)
        lines.end("the end")
    assert refusing.tries == 2
