"""``bulk/_progress_rich.py``: what is to be seen on a terminal, and what becomes of it when that is gone."""

from __future__ import annotations

import builtins
import io
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.bulk._progress_lines import Lines
from aiohttpclient.bulk._progress_rich import BETWEEN_FRAMES, LONGEST, SHARE, Frames, terminal
from tests.bulk.counting import bad, counted, good
from tests.bulk.screens import Broken, Terminal, colours, screen

if TYPE_CHECKING:
    from aiohttpclient.bulk import Statistics

VARIABLES = ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLORTERM", "LINES")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns, whatever this is run on."""
    pytest.importorskip("rich")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")


def some(failed: int = 3) -> Statistics:
    """Statistics of a run with something of everything."""
    return counted([good(elapsed=0.5)] * 97 + [good(status=503)] * failed, every=0.1)


def shown(statistics: Statistics, total: int | None = None, title: str = "fetch", file: Any = None) -> str:
    """What is written by two frames and no end."""
    file = file or Terminal()
    frames = Frames(terminal(file), title)
    frames.begin(statistics, total)
    frames.show(statistics, total)
    text: str = file.getvalue()
    frames.end("")
    return text


def test_frame() -> None:
    """A frame has a bar, the numbers, how long answers took and what went wrong; the next one stands in its place."""
    lines = screen(shown(some(), 200))
    assert lines[0].startswith("fetch ━")
    assert lines[0].endswith(" 50 %  0:10 left")
    assert lines[1:] == [
        "100 of 200 done  3 failed  10.0/s  1000 B  1 host",
        "p50 498.58 ms  p90 498.58 ms  p99 498.58 ms",
        "503: 3",
    ]


def test_without_a_total() -> None:
    """Where nobody knows how many there will be, there is no share, and the time that has passed."""
    lines = screen(shown(some()))
    assert lines[0].endswith(" 0:10 so far")
    assert "%" not in lines[0]
    assert lines[1].startswith("100 done ")


@pytest.mark.parametrize("total", [None, 50, 0])
def test_a_total_that_is_wrong(total: int | None) -> None:
    """A total that is less than what is done is no total."""
    assert screen(shown(some(), total)) == screen(shown(some()))


@pytest.mark.parametrize("columns", [1, 5, 12, 20, 33, 60, 79, 200])
def test_narrow(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow the terminal is, no line is longer: it would be two, and the next frame in the wrong place."""
    monkeypatch.setenv("COLUMNS", str(columns))
    text = shown(some(), 200, "a long title")
    assert max(len(line) for line in screen(text)) <= columns
    assert len(screen(text)) <= 13  # and not those of two frames
    if columns >= 20:
        assert "3 failed" in "".join(screen(text))


def test_bar_needs_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no bar where there is no room for one."""
    monkeypatch.setenv("COLUMNS", "30")
    assert "━" not in shown(some(), 200)


@pytest.mark.parametrize("no_color", [False, True])
def test_no_color(no_color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """NO_COLOR takes the colours away, and nothing else."""
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    text = shown(some(), 200)
    assert bool(colours(text)) is not no_color
    assert "503: 3" in screen(text)


def test_harmless() -> None:
    """What a title or an error is called is neither markup, nor an emoji, nor an escape sequence."""
    kind = type("[red]:boom:\x1b[2J", (Exception,), {})
    text = shown(counted([bad(kind())]), title="[bold]\x1b]0;title\x07\r\n[/bold]")
    assert r"[red]:boom:\x1b[2J: 1" in screen(text)
    assert r"[bold]\x1b]0;title\x07\r\n[/bold]" in screen(text)[0]
    assert "\x1b[2J" not in text
    assert "\x1b]" not in text
    assert "\x07" not in text


def test_end() -> None:
    """At the end the frame is gone, and what remains is the summary."""
    file = Terminal()
    frames = Frames(terminal(file), "fetch")
    frames.begin(some(), 200)
    frames.end("the [red]end[/red]\nof it")
    assert screen(file.getvalue()) == ["the [red]end[/red]", "of it"]
    assert "\x1b[?25" not in file.getvalue()  # the cursor was never hidden: who is killed could not bring it back
    frames.show(some(), 200)  # a frame that is late
    assert screen(file.getvalue()) == ["the [red]end[/red]", "of it"]


def test_no_thread() -> None:
    """Nothing is shown but what was asked for: there is no thread that does it."""
    before = threading.active_count()
    frames = Frames(terminal(Terminal()), "fetch")
    frames.begin(some(), 200)
    assert threading.active_count() == before
    frames.end("")


def test_what_others_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed meanwhile on the same terminal stands above the frame, as it was printed."""
    file = Terminal()
    monkeypatch.setattr(sys, "stdout", file)
    frames = Frames(terminal(file), "fetch")
    frames.begin(some(), 200)
    print("a [red]line[/red] of somebody else", "x" * 90)  # noqa: T201  # that is what it is about
    frames.show(some(), 200)
    lines = screen(file.getvalue())
    assert lines[0] == f"a [red]line[/red] of somebody else {'x' * 90}"
    assert lines[1].startswith("fetch ")
    assert len(lines) == 5
    frames.end("the end")
    assert sys.stdout is file
    assert screen(file.getvalue())[1:] == ["the end"]


def test_many_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines wait for the next frame, as long as frames come; where that is late, or it is flushed, they do not."""
    file, now = Terminal(), [100.0]
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    frames = Frames(terminal(file), "fetch")
    frames.begin(some(), 200)
    frames.show(some(), 200)
    before = file.getvalue().count("fetch")
    for number in range(1000):
        print(number)  # noqa: T201  # that is what it is about
    assert file.getvalue().count("fetch") == before
    frames.show(some(), 200)
    assert screen(file.getvalue())[:1000] == [str(number) for number in range(1000)]
    now[0] += 1  # nobody has let the loop go on
    print("late")  # noqa: T201  # the same
    assert screen(file.getvalue())[1000] == "late"
    print("now", end="", flush=True)  # noqa: T201  # the same
    assert screen(file.getvalue())[1001] == "now"
    assert file.getvalue().count("fetch") == before + 3
    frames.end("")


def test_a_line_without_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was printed without an end of line is there when the frame is gone."""
    file = Terminal()
    monkeypatch.setattr(sys, "stdout", file)
    frames = Frames(terminal(file), "fetch")
    frames.begin(some(), 200)
    print("...", end="")  # noqa: T201  # that is what it is about
    frames.end("the end")
    assert screen(file.getvalue()) == ["...", "the end"]


def test_two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two do not write over each other's lines: the second has none to write over, and what it writes is above."""
    file = Terminal()
    monkeypatch.setattr(sys, "stderr", file)
    first = Frames(terminal(file), "first")
    first.begin(some(), 200)
    assert terminal(sys.stderr) is None
    second = Lines(sys.stderr, "second")
    second.show(some(), 200)
    lines = screen(file.getvalue())
    assert lines[0].startswith("second")
    assert any(line.startswith("first") for line in lines[1:])
    first.end("the end")
    assert terminal(file) is not None


def test_what_others_print_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed to a file or a pipe goes there, and not to the terminal."""
    file, stdout = Terminal(), sys.stdout
    frames = Frames(terminal(file), "fetch")
    frames.begin(some(), 200)
    assert sys.stdout is stdout
    print("for the pipe")  # noqa: T201  # that is what it is about
    frames.end("the end")
    assert capsys.readouterr().out == "for the pipe\n"
    assert screen(file.getvalue()) == ["the end"]


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), BrokenPipeError(), ValueError("closed")], ids=repr)
@pytest.mark.parametrize("writes", [0, 1, 2, 3, 4])
def test_a_terminal_that_is_gone(error: Exception, writes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that is gone is no reason to end, and others can print as before."""
    file = Broken(writes, error)
    stdout = Terminal()
    monkeypatch.setattr(sys, "stdout", stdout)
    frames = Frames(terminal(file), "fetch")
    with monkeypatch.context() as patch:
        patch.setattr(os, "dup2", pytest.fail)  # by which rich puts /dev/null in the place of stdout
        frames.begin(some(), 200)
        for _ in range(3):
            frames.show(some(), 200)
        frames.end("the end")
    assert sys.stdout is stdout


class Slow(Terminal):
    """A terminal that takes its time: as long as the clock says."""

    now = 0.0
    seconds = 0.01

    def write(self, text: str) -> int:
        Slow.now += Slow.seconds
        return super().write(text)


def test_a_slow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames take no more than a share of the time: where the terminal is slow there are fewer, else ten a second."""
    monkeypatch.setattr("time.perf_counter", lambda: Slow.now)
    frames = Frames(terminal(Slow()), "fetch")
    frames.begin(some(), 200)
    frames.show(some(), 200)
    assert frames.interval == pytest.approx(Slow.seconds / SHARE)
    monkeypatch.setattr(Slow, "seconds", 10.0)
    frames.show(some(), 200)
    assert frames.interval == LONGEST
    frames.end("")
    frames = Frames(terminal(Terminal()), "fetch")
    frames.begin(some(), 200)
    frames.show(some(), 200)
    assert frames.interval == BETWEEN_FRAMES
    frames.end("")


def test_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no console where nobody looks, or the terminal can do nothing."""
    assert terminal(None) is None
    assert terminal(io.StringIO()) is None
    assert terminal(Terminal()) is not None
    monkeypatch.setenv("TERM", "dumb")
    assert terminal(Terminal()) is None


def test_no_rich(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no console where rich is not installed."""
    found = builtins.__import__

    def missing(name: str, *args: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "rich":
            raise ImportError(name)
        return found(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    assert terminal(Terminal()) is None
