"""What is printed beside the body."""

from __future__ import annotations

import io
import sys

import pytest

from aiohttpclient.cli._terminal import harmless, is_terminal, say, seconds_text, size_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é", "plain é"),
        ("a\tb", "a\tb"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\r\nb", r"a\r\nb"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u202eb", r"a\u202eb"),
        ("\ud800", r"\ud800"),
        ("\x7f", r"\x7f"),
    ],
)
def test_harmless(text: str, shown: str) -> None:
    """What could move the cursor, begin a line or turn the direction is shown as an escape."""
    assert harmless(text) == shown


def test_say_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stderr is closed, or not there, nothing is told and nothing is raised."""
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        say("nobody hears this")
        assert not is_terminal(stream)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1024**2, "1.0 MiB"),
        (1536 * 1024**2, "1.5 GiB"),
        (1024**5, "1024.0 TiB"),
    ],
)
def test_size_text(size: int, text: str) -> None:
    """Sizes have a point in every locale, and the unit that is theirs."""
    assert size_text(size) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (0.00123, "1.23 ms"), (1.5, "1.50 s"), (123, "2:03"), (3607, "1:00:07")]
)
def test_seconds_text(seconds: float | None, text: str) -> None:
    """The same of times."""
    assert seconds_text(seconds) == text
