"""From arguments to an exit code."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.cli import _main, main
from aiohttpclient.cli._exits import EXITS
from aiohttpclient.cli._parser import option_strings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["get", "--help"]])
def test_help_is_no_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Help and version go to stdout, and are 0."""
    assert main(words) == 0
    captured = capsys.readouterr()
    assert captured.out
    assert captured.err == ""


def test_the_arguments_of_the_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments those of the process are taken."""
    monkeypatch.setattr("sys.argv", ["aiohttpclient", "--version"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("aiohttpclient ")


def test_a_fault_of_ones_own(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A fault of the program is one line, too, and 70; --debug shows where it is."""

    def fail(args: object) -> int:
        raise ZeroDivisionError("why")

    monkeypatch.setattr(_main, "_run", fail)
    assert main(["get", "http://h/"]) == 70
    assert capsys.readouterr().err == "aiohttpclient get: unexpected ZeroDivisionError: why (--debug shows where)\n"
    assert main(["get", "http://h/", "--debug"]) == 70
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["\x1b[2J\n", "", "\udcff"], ids=["controls", "nothing", "no text"])
@pytest.mark.parametrize("command", ["get", "download", "fetch", "crawl", "bench"])
def test_whatever_is_given(
    command: str, value: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever value an option is given, the end is an exit code that is documented, and harmless lines."""
    monkeypatch.chdir(tmp_path)
    for name in option_strings(command):
        if not name.startswith("--") or name in {"--help", "--debug", "--auth", "--requests"}:
            continue
        words = [command, "http://127.0.0.1:1/file", "--retries", "0", f"{name}={value}"]
        assert main(words) in EXITS.keys() - {70}, words
        captured = capsys.readouterr()
        assert not {"\x1b", "\udcff"} & set(captured.out + captured.err), words
        assert "Traceback" not in captured.err


@pytest.mark.parametrize("presses", [False, True], ids=["waits", "ctrl-c"])
def test_threads_that_do_not_end(presses: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that has not ended, as a look-up may, is not waited for where the command is the whole program."""
    event, ended, threads = threading.Event(), list[int](), list[threading.Thread]()

    def look_up(args: object) -> int:
        threads.append(threading.Thread(target=event.wait))
        threads[0].start()
        if presses:
            monkeypatch.setattr(threads[0], "join", press)
        return 5

    def press(timeout: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(_main, "_run", look_up)
    monkeypatch.setattr(_main, "PATIENCE", 0.001)
    monkeypatch.setattr("os._exit", ended.append)
    monkeypatch.setattr("sys.argv", ["aiohttpclient", "get", "http://h/"])
    try:
        main()
    finally:
        event.set()
        threading.Thread.join(threads[0])
    assert ended == [130 if presses else 5]


def test_threads_that_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that end, or that were there before, are no reason for anything."""

    def work(args: object) -> int:
        threading.Thread(target=int).start()
        return 5

    monkeypatch.setattr(_main, "_run", work)
    monkeypatch.setattr("os._exit", pytest.fail)
    monkeypatch.setattr("sys.argv", ["aiohttpclient", "get", "http://h/"])
    assert main() == 5


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C is 130, and one line."""

    def press(args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(_main, "_run", press)
    assert main(["get", "http://h/"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_an_error_has_the_name_of_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line about an error begins with the program and the command."""
    assert main(["post", "nonsense"]) == 2
    assert capsys.readouterr().err.startswith("aiohttpclient post: an absolute URL")
