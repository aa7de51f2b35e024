"""``bulk/_progress_above.py``: what is printed while a terminal is written over, and where it goes."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.bulk._progress_above import Above
from tests.bulk.screens import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator


class Calls:
    """What it calls, counted."""

    def __init__(self) -> None:
        self.written = 0
        self.flushed = 0
        self.above = Above(self._written, self._flushed)

    def _written(self) -> None:
        self.written += 1

    def _flushed(self) -> None:
        self.flushed += 1


@contextlib.contextmanager
def standing(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Calls, Terminal]]:
    """In the place of a terminal; not a fixture, as pytest has a stdout of its own for each step of a test."""
    file, made = Terminal(), Calls()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", file)
        made.above.stand_in(file)
        try:
            yield made, file
        finally:
            made.above.step_aside()


def test_whole_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed is kept, and given in whole lines; the rest is given when it is wanted, with an end."""
    with standing(monkeypatch) as (calls, stdout):
        sys.stdout.write("a")
        assert (calls.above.take(), calls.written) == ("", 0)
        sys.stdout.write("b\nc\nd")
        assert (calls.above.take(), calls.written) == ("ab\nc\n", 1)
        assert calls.above.take() == ""
        assert calls.above.take(unfinished=True) == "d\n"
        assert calls.above.take(unfinished=True) == ""
        assert stdout.getvalue() == ""


def test_flush(monkeypatch: pytest.MonkeyPatch) -> None:
    """To flush says that it is to be shown now, if there is something."""
    with standing(monkeypatch) as (calls, _):
        sys.stdout.flush()
        assert calls.flushed == 0
        print("no end", end="", flush=True)  # noqa: T201  # that is what it is about
        assert calls.flushed == 1


def test_like_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in the place of a file is one, as far as anybody asks."""
    with standing(monkeypatch) as (calls, stdout):
        assert sys.stdout.isatty()
        assert sys.stdout.encoding == stdout.encoding
        assert sys.stdout.write("three") == 5
        sys.stdout.writelines(["\n", "lines\n"])
        assert calls.above.take() == "three\nlines\n"
        with pytest.raises(TypeError, match="str"):
            sys.stdout.write(b"bytes")  # type: ignore[arg-type]  # by this some tell files of bytes


def test_step_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the end the file is back, and who has kept what stood there writes to the file."""
    with standing(monkeypatch) as (calls, stdout):
        kept = sys.stdout
        kept.write("unfinished")
        assert calls.above.step_aside() == "unfinished\n"
        assert sys.stdout is stdout
        kept.write("later")
        kept.writelines([" and", " later"])
        kept.flush()
        assert stdout.getvalue() == "later and later"
        assert (calls.written, calls.flushed) == (0, 0)


def test_somebody_else_stands_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has redirected stdout meanwhile is not disturbed."""
    with standing(monkeypatch) as (calls, stdout):
        other = io.StringIO()
        with contextlib.redirect_stdout(other):
            calls.above.step_aside()
            assert sys.stdout is other
        sys.stdout.write("a")  # what stood there, which was put back by the other
        assert stdout.getvalue() == "a"


def test_files_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to a file goes there, and where there is none, nothing stands."""
    file = io.StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setattr(sys, "stderr", None)
    calls = Calls()
    calls.above.stand_in(Terminal())
    assert sys.stdout is file
    assert sys.stderr is None
    assert calls.above.step_aside() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
def test_another_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to another terminal goes there."""
    with contextlib.ExitStack() as stack:
        files = [
            stack.enter_context(open(descriptor, "w", encoding="utf-8"))  # noqa: PTH123  # a descriptor
            for _ in range(2)
            for descriptor in os.openpty()
        ]
        ours, other = files[1], files[3]
        calls = Calls()
        monkeypatch.setattr(sys, "stdout", other)
        monkeypatch.setattr(sys, "stderr", ours)
        calls.above.stand_in(ours)
        assert sys.stdout is other
        assert sys.stderr is not ours
        calls.above.step_aside()
        assert sys.stderr is ours
        monkeypatch.undo()
