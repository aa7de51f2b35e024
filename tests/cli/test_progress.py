"""Progress lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttpclient.cli._progress import BETWEEN_LINES, Progress

if TYPE_CHECKING:
    import pytest


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches there is a line now and then, and none at first."""
    clock = Clock()
    progress = Progress("a\x1b.iso", live=False, clock=clock)
    progress(1024, 10 * 1024)
    clock.now += BETWEEN_LINES - 0.1
    progress(2048, 10 * 1024)
    assert capsys.readouterr().err == ""
    clock.now += 0.1
    progress(6 * 1024, 10 * 1024)
    assert capsys.readouterr().err == "a\\x1b.iso   60 %  6.0 KiB of 10.0 KiB  1.0 KiB/s  4.00 s left\n"
    progress.end()
    assert capsys.readouterr().err == ""


def test_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal one line is written over, as wide as that, and taken away at the end."""
    monkeypatch.setenv("COLUMNS", "30")
    progress = Progress("file", live=True, clock=Clock())
    progress(1, None)
    progress(2, None)
    progress.end()
    progress.end()
    assert capsys.readouterr().err == f"\r{'file  1 B':<29}\r{'file  2 B':<29}\r{'':<29}\r"


def test_the_rate_is_of_what_comes_now(capsys: pytest.CaptureFixture[str]) -> None:
    """What was there before does not count in the rate, nor does what a download gave up to begin anew."""
    clock = Clock()
    progress = Progress("f", live=False, clock=clock)
    progress(1000 * 1024, 2000 * 1024)
    clock.now += 10
    assert "  1.0 KiB/s  " in progress.line(1010 * 1024, 2000 * 1024, clock.now)
    progress(0, 2000 * 1024)
    clock.now += 10
    assert "  2.0 KiB/s  " in progress.line(20 * 1024, 2000 * 1024, clock.now)
    capsys.readouterr()


def test_no_size() -> None:
    """A file of no bytes, or of an unknown size, has no share."""
    assert Progress("f", live=False).line(0, 0, 0.0) == "f  0 B"
    assert Progress("f", live=False).line(5, None, 0.0) == "f  5 B"
