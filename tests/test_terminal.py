"""What is printed beside results, wherever."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from aiohttpclient._terminal import (
    clock_text,
    duration_text,
    harmless,
    is_terminal,
    seconds_text,
    size_text,
    write_to,
)


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


def test_write_survives() -> None:
    """Where a stream is closed, full, or not there, nothing is told and nothing is raised."""
    closed = io.StringIO()
    closed.close()
    for stream in (closed, None):
        write_to(stream, "nobody hears this")
        assert not is_terminal(stream)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_write_survives_a_full_disk() -> None:
    """A disk that is full ends nothing."""
    with Path("/dev/full").open("w", encoding="utf-8", buffering=1) as full:
        write_to(full, "nobody reads this\n")
        write_to(full, "nor this\n")
        with pytest.raises(OSError, match="No space"):  # what waits is tried once more when it is closed
            full.close()


def test_write_in_any_encoding() -> None:
    """What the encoding of a stream does not have is escaped, and the rest is told."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="")
    write_to(file, "Größe\n")
    assert file.buffer.getvalue() == b"Gr\\xf6\\xdfe\n"


def test_write() -> None:
    """What is written is there at once."""
    stream = io.StringIO()
    write_to(stream, "a\n")
    assert stream.getvalue() == "a\n"


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


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (7.9, "0:07"), (60, "1:00"), (3600, "1:00:00"), (360_000, "100:00:00")]
)
def test_clock_text(seconds: float, text: str) -> None:
    """A clock shows what has passed in whole seconds, and hours without end."""
    assert clock_text(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 ms"), (0.0321, "32.1 ms"), (4.56, "4.6 s"), (123, "2:03")])
def test_duration_text(seconds: float, text: str) -> None:
    """How long something took has three digits, or is what a clock shows."""
    assert duration_text(seconds) == text
