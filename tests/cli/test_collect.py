"""Taking the results of many requests."""

from __future__ import annotations

import asyncio
import io
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import InvalidURL, SinkError, bulk
from aiohttpclient.cli._collect import BAD_LINES, Screen, Tally, collect
from aiohttpclient.cli._exits import ReaderGone
from aiohttpclient.cli._lines import Line
from tests.bulk.sinking import answered, failed
from tests.cli.running import Terminal

if TYPE_CHECKING:
    from aiohttpclient.bulk import Result


def asked(**given: Any) -> Namespace:
    return Namespace(**{"command": "fetch", "fail": False, "quiet": False, "report": None, "json": False} | given)


class Results:
    """Results that are there, and an end; and which were taken meanwhile."""

    def __init__(
        self, given: list[Result], error: BaseException | None = None, later: list[Result] | None = None
    ) -> None:
        self.given = given
        self.error = error
        self.later = later or []
        self.closed = False

    async def __anext__(self) -> Result:
        if self.given:
            return self.given.pop(0)
        raise self.error or StopAsyncIteration

    def take(self) -> list[Result]:
        taken, self.later = self.later, []
        return taken

    async def aclose(self) -> None:
        self.closed = True


class Place:
    """A sink that keeps what it gets."""

    def __init__(self, error: Exception | None = None) -> None:
        self.kept: list[Any] = []
        self.error = error

    async def write(self, result: Result) -> None:
        self.kept.append(result.item)
        if self.error is not None:
            raise self.error

    async def flush(self) -> None:
        self.kept.append("flushed")


async def run(results: Results, place: Place, **given: Any) -> int:
    writes = given.pop("writes", True)
    made: Any = (asked(**given), results, place, lambda: 2)
    return await collect(*made, writes=writes)


async def test_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """Every result is written, then all is safe, and only then the summary is told."""
    results, place = Results([answered("http://h/1"), answered("http://h/2")]), Place()
    assert await run(results, place) == 0
    assert (place.kept, results.closed) == (["http://h/1", "http://h/2", "flushed"], True)
    assert capsys.readouterr().err.startswith("2 done in ")


async def test_what_writes_by_itself() -> None:
    """A crawl has written its pages already."""
    place = Place()
    assert await run(Results([answered("http://h/1")]), place, writes=False, quiet=True) == 0
    assert place.kept == ["flushed"]


@pytest.mark.parametrize("error", [asyncio.CancelledError(), ValueError("the input")], ids=["cancelled", "input"])
async def test_interrupted(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    """What is there when it is interrupted is kept as well."""
    results, place = Results([answered("http://h/1")], error, [answered("http://h/2")]), Place()
    with pytest.raises(type(error)):
        await run(results, place)
    assert (place.kept, results.closed) == (["http://h/1", "http://h/2"], True)
    assert capsys.readouterr().err.partition(":")[0] in {"interrupted", "ended by ValueError"}


async def test_nowhere_to_keep_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing can be written any more, nothing more is tried; and nobody is told who does not listen."""
    for error in (SinkError("full", "o"), ReaderGone()):
        results, place = Results([answered("http://h/1")], None, [answered("http://h/2")]), Place(error)
        with pytest.raises(type(error)):
            await run(results, place)
        assert (place.kept, results.closed) == (["http://h/1"], True)
        assert ("1 done" in capsys.readouterr().err) is isinstance(error, SinkError)


@pytest.mark.parametrize(
    ("status", "code", "with_fail"), [(200, 0, 0), (404, 0, 1), (429, 1, 1), (500, 1, 1), (None, 1, 1)], ids=str
)
def test_exit_code(status: int | None, code: int, with_fail: int) -> None:
    """It is 1 where the next run would repeat something; a status of 400 or above is a failure where that is said."""
    result = failed("http://h/") if status is None else answered("http://h/", status=status)
    for fail, wanted in ((False, code), (True, with_fail)):
        tally = Tally("fetch", fail=fail)
        tally.add(answered("http://h/"))
        tally.add(result)
        assert tally.code == wanted


def test_lines_that_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """A line that cannot be asked for is told with its place, and so are a few more of them, but no other error."""
    tally = Tally("fetch", fail=False)
    tally.add(failed("http://h/"))
    for number in range(BAD_LINES + 2):
        line = Line("http://me:secret@h:x/")
        line.where = f"f:{number}"
        item = line if number % 2 else (line, {"method": "HEAD"})
        tally.add(bulk.Result(item, number, None, None, InvalidURL(f"no URL: {line}"), 0.0))
    tally.end()
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "aiohttpclient fetch: f:0: no URL: http://***@h:x/"
    assert told[-1] == "aiohttpclient fetch: 2 more lines like this are not told"
    assert len(told) == BAD_LINES + 1


def test_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Something is written over on a terminal only, and nowhere once it is closed."""
    file = Terminal(io.BytesIO())
    monkeypatch.setattr(sys, "stderr", file)
    screen = Screen(live=True)
    assert (screen.isatty(), Screen(live=False).isatty()) == (True, False)
    assert screen.write("one") == 3
    screen.flush()
    screen.closed = True
    screen.write("two")
    file.seek(0)
    assert file.read() == "one"
