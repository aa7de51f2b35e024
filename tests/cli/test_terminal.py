"""What is printed on stderr; tests/test_terminal.py is about what it is made of."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

from aiohttpclient.cli._terminal import is_terminal, say

if TYPE_CHECKING:
    import pytest


def test_say(capsys: pytest.CaptureFixture[str]) -> None:
    """What is said is one line, whatever is in it."""
    say("a\nb\x1b[2J")
    assert capsys.readouterr().err == "a\\nb\\x1b[2J\n"


def test_say_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stderr is closed, or not there, nothing is told and nothing is raised."""
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        say("nobody hears this")
        assert not is_terminal(stream)
