"""``bulk/_progress.py``: results that are shown while they are taken, and how that ends."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.bulk import Progress, Result, Statistics, fetch
from aiohttpclient.bulk._progress_lines import BETWEEN_LINES
from aiohttpclient.testing import LoopbackServer, virtual_time
from tests.bulk.counting import Clock, given, good
from tests.bulk.pages import numbered, settle, site
from tests.bulk.screens import Broken, Terminal, screen

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable


async def taken(progress: Progress[Any]) -> list[Result]:
    """All results, in the block that shows them."""
    async with progress as results:
        return [result async for result in results]


# -- results


async def test_results_pass_through() -> None:
    """Whoever iterates gets what the fetch gives, over real sockets, and at the end there is a summary of it."""
    file = io.StringIO()
    async with LoopbackServer() as server:
        urls = [f"{server.url}/{number}" for number in range(20)]
        results = await taken(Progress(fetch(urls, concurrency=5), total=20, file=file))
    assert sorted(result.index for result in results) == list(range(20))
    assert file.getvalue().startswith("20 done in ")
    assert ", 1 host\n" in file.getvalue()


async def test_statistics() -> None:
    """A result is counted when it is given out, and may be counted together with those of other runs."""
    statistics = Statistics()
    for _ in range(2):
        async with Progress(given([good(), good(status=500)]), file=None, statistics=statistics) as results:
            async for result in results:
                assert result is not None
    assert (statistics.done, statistics.failed) == (4, 2)
    clock = Clock()
    statistics = Statistics(clock=clock)
    for _ in range(2):
        async with Progress(given([]), file=None, statistics=statistics):
            clock.now += 1
        clock.now += 100
    assert statistics.elapsed == 2


async def test_time_before() -> None:
    """The time before the block is entered does not count."""
    clock = Clock()
    progress = Progress(given([]), file=None, statistics=Statistics(clock=clock))
    clock.now += 100
    async with progress:
        clock.now += 1
    assert progress.statistics.elapsed == 1


async def test_take() -> None:
    """What is there already can be taken, and counts; from what has no ``take`` there is nothing."""
    async with site() as (client, _), Progress(fetch(numbered(5), client=client), file=None) as results:
        first = await anext(results)
        await settle()
        assert first.index == 0
        assert len(results.take()) == 4
        assert results.statistics.done == 5
    async with Progress(given([good()]), file=None) as results:
        assert results.take() == []


async def test_several_consumers() -> None:
    """Several tasks may iterate; each result goes to one of them, and all are counted."""

    async def consume(results: Any) -> int:
        return len([result async for result in results])

    async with site() as (client, _), Progress(fetch(numbered(30), client=client), file=None) as results:
        numbers = await asyncio.gather(*(consume(results) for _ in range(3)))
    assert sum(numbers) == results.statistics.done == 30


async def test_only_in_its_block() -> None:
    """Without the block nobody would end it, and so there are no results either."""
    progress = Progress(given([good()]), file=None)
    with pytest.raises(RuntimeError, match="async with"):
        await anext(progress)
    await progress.aclose()
    assert repr(progress).startswith("<Progress of <async_generator")


# -- what is shown


async def test_lines() -> None:
    """Where nobody watches there is a line each ten seconds, whoever waits, with the total as it is by then."""
    file, known = io.StringIO(), 5

    async def slow() -> AsyncGenerator[Result, None]:
        nonlocal known
        for _ in range(5):
            await asyncio.sleep(BETWEEN_LINES * 0.55)
            known += 10
            yield good()

    with virtual_time() as clock:
        progress = Progress(slow(), total=lambda: known, file=file, statistics=Statistics(clock=clock.time))
        await clock.until(taken(progress))
    lines = file.getvalue().splitlines()
    assert [line.split("  ")[1:3] for line in lines[:2]] == [["0:10", "1 of 15 done"], ["0:20", "3 of 35 done"]]
    assert lines[2].startswith("5 done in 27.5 s")


@pytest.fixture
def _terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rich")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.usefixtures("_terminals")
async def test_frames() -> None:
    """On a terminal there are frames, and no more than ten a second, while nobody does anything but wait."""
    file = Terminal()

    async def slow() -> AsyncGenerator[Result, None]:
        for _ in range(3):
            await asyncio.sleep(1)
            yield good()

    with virtual_time() as clock:
        progress = Progress(slow(), total=3, file=file, statistics=Statistics(clock=clock.time), title="slowly")
        await clock.until(taken(progress))
    assert 3 <= file.getvalue().count("slowly") <= 32  # of three seconds, with the first and the last
    assert "2 of 3 done" in file.getvalue()
    assert screen(file.getvalue())[0] == "3 done in 3.0 s, 0 failed, 1.0/s, 30 B, 1 host"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.usefixtures("_terminals")
async def test_a_real_terminal() -> None:
    """On a terminal of the system there is a frame, and in the end the summary."""
    master, slave = os.openpty()
    with open(master, "rb", buffering=0) as reader:  # noqa: PTH123, ASYNC230  # a descriptor
        with open(slave, "w", encoding="utf-8") as file:  # noqa: PTH123, ASYNC230  # the same
            async with site() as (client, _):
                await taken(Progress(fetch(numbered(3), client=client), total=3, file=file))
            file.flush()
            text = b""
            while b"statuses" not in text:  # it comes in pieces
                text += reader.read(1 << 16)
    assert b"\x1b[1mfetch\x1b[0m" in text
    assert screen(text.decode())[0].startswith("3 done in ")


@pytest.mark.parametrize("writes", [0, 1, 2, 5])
@pytest.mark.usefixtures("_terminals")
async def test_a_terminal_that_is_gone(writes: int) -> None:
    """When the terminal goes away, the results still come."""
    file = Broken(writes, OSError(5, "Input/output error"))
    assert len(await taken(Progress(given([good()] * 9), file=file))) == 9


async def test_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless something else is said it is shown on stderr, if there is one that can be written to."""
    for stderr in (io.StringIO(), None):
        monkeypatch.setattr(sys, "stderr", stderr)
        assert len(await taken(Progress(given([good()])))) == 1
        if stderr is not None:
            assert stderr.getvalue().startswith("1 done in ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
async def test_a_full_disk() -> None:
    """A log on a disk that is full is no reason to end."""
    file = open("/dev/full", "w", encoding="utf-8", buffering=1)  # noqa: PTH123, ASYNC230, SIM115  # below
    try:
        assert len(await taken(Progress(given([good()]), file=file))) == 1
    finally:
        with contextlib.suppress(OSError):
            file.close()


@pytest.mark.parametrize("total", [True, 1.5, "10"], ids=repr)
def test_total_must_be_a_number(total: Any) -> None:
    """A total is a number, a function, or not known."""
    with pytest.raises(TypeError, match="total"):
        Progress(given([]), total=total)


async def test_a_total_that_fails() -> None:
    """A function that cannot tell the total says so at once."""

    def total() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await taken(Progress(given([]), total=total, file=None))


# -- how it ends


async def leave(results: Any) -> None:
    async for _ in results:
        break


async def cancel(results: Any) -> None:
    async for _ in results:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)


async def fail(results: Any) -> None:
    async for _ in results:
        raise ValueError("no more")


async def interrupt(results: Any) -> None:
    async for _ in results:
        raise KeyboardInterrupt


async def finish(results: Any) -> None:
    async for _ in results:
        pass


ENDS: dict[Callable[[Any], Any], tuple[str, type[BaseException] | None]] = {
    finish: ("3 done in ", None),
    leave: ("left early: 1 done in ", None),
    cancel: ("interrupted: 1 done in ", asyncio.CancelledError),
    interrupt: ("interrupted: 1 done in ", KeyboardInterrupt),
    fail: ("ended by ValueError: 1 done in ", ValueError),
}


@pytest.mark.parametrize("consume", ENDS, ids=lambda consume: consume.__name__)
async def test_end(consume: Callable[[Any], Any], tmp_path: Path) -> None:
    """However it ends, the fetch is closed, there are a summary and a report, and both say how it was."""
    said, raised = ENDS[consume]
    file, report, where = io.StringIO(), tmp_path / "report.html", []
    async with site() as (client, _):
        results = fetch(numbered(3), client=client, concurrency=1, buffer=0)
        with contextlib.nullcontext() if raised is None else pytest.raises(raised):
            async with Progress(results, total=3, file=file, report=report) as shown:
                await consume(shown)
        where.append(repr(results))
    assert file.getvalue().startswith(said)
    page = report.read_text(encoding="utf-8")
    how = said.rpartition(": ")[0]
    assert (f">{how[0].upper()}{how[1:]}<" in page) if how else ("class=note" not in page)
    assert where == ["<Fetch closed>"]


async def test_all_were_taken() -> None:
    """Whoever leaves when there are as many as there should be has not left early."""
    for total, said in ((1, "1 done in "), (2, "left early: 1 done in ")):
        file = io.StringIO()
        async with Progress(given([good()] * 2), total=total, file=file) as results:
            await anext(results)
        assert file.getvalue().startswith(said)


async def test_left_by_a_generator() -> None:
    """A generator that is closed inside the block has left early."""
    file = io.StringIO()

    async def passed_on() -> AsyncGenerator[Result, None]:
        async with Progress(given([good()] * 9), file=file) as results:
            async for result in results:
                yield result

    generator = passed_on()
    await anext(generator)
    await generator.aclose()
    assert file.getvalue().startswith("left early: 1 done in ")


async def test_the_source_fails() -> None:
    """What the source raises is raised, and the summary says so."""
    file = io.StringIO()
    with pytest.raises(ZeroDivisionError):
        await taken(Progress(given([good(), ZeroDivisionError()]), file=file))
    assert file.getvalue().startswith("ended by ZeroDivisionError: 1 done in ")


class Stubborn:
    """Results that cannot be closed."""

    async def __anext__(self) -> Result:
        raise StopAsyncIteration

    async def aclose(self) -> None:
        raise OSError("no")


async def test_the_source_cannot_be_closed() -> None:
    """That a source cannot be closed is raised, behind the summary."""
    file = io.StringIO()
    with pytest.raises(OSError, match="no"):
        await taken(Progress(Stubborn(), file=file))
    assert file.getvalue().startswith("ended by OSError: 0 done in ")


async def test_inside_an_error() -> None:
    """What was handled around it is not what has ended it."""
    file = io.StringIO()
    try:
        raise ValueError
    except ValueError:
        await taken(Progress(given([good()]), file=file))
    assert file.getvalue().startswith("1 done in ")


async def test_no_timer_is_left() -> None:
    """When it has ended, nothing is shown any more."""
    file = io.StringIO()
    with virtual_time() as clock:
        await clock.until(taken(Progress(given([good()]), file=file)))
        text = file.getvalue()
        await clock.elapse(100)
    assert file.getvalue() == text


# -- reports


@pytest.mark.parametrize("place", [".", "missing/report.html"])
async def test_a_report_with_no_place(place: str, tmp_path: Path) -> None:
    """That there can be no report is said before anything is fetched, and not hours later."""
    begun = False

    async def source() -> AsyncGenerator[Result, None]:
        nonlocal begun
        begun = True
        yield good()

    with pytest.raises(OSError, match=r"directory|Is a"):
        await taken(Progress(source(), file=None, report=tmp_path / place))
    assert not begun


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
async def test_a_report_in_a_folder_of_others(tmp_path: Path) -> None:
    """That nothing may be written to a folder is said as early."""
    os.chmod(tmp_path, 0o500)  # noqa: PTH101  # the other spelling is refused in async functions
    with pytest.raises(PermissionError):
        await taken(Progress(given([good()]), file=None, report=tmp_path / "report.html"))


async def test_a_report_stays_where_it_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path is relative to the folder that one was in when it was given."""
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    progress = Progress(given([good()]), file=None, report="report.html")
    monkeypatch.chdir(tmp_path / "other")
    await taken(progress)
    assert os.listdir(tmp_path / "other") == []  # noqa: PTH208  # the other spelling is refused in async functions
    assert sorted(os.listdir(tmp_path)) == ["other", "report.html"]  # noqa: PTH208  # the same


async def test_a_report_that_fails(tmp_path: Path) -> None:
    """That the report could not be written is raised, unless something else is, which goes first."""
    file, folder = io.StringIO(), tmp_path / "gone"
    for error in (None, ValueError("first")):
        folder.mkdir()
        with pytest.raises(OSError if error is None else ValueError):
            async with Progress(given([good()]), file=file, report=folder / "report.html") as results:
                await finish(results)
                folder.rmdir()
                if error is not None:
                    raise error
    assert file.getvalue().splitlines()[-1].startswith("the report was not written: ")
