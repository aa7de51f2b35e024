"""Every numbered example is short, and does what it shows, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))

LINES = 60
"""A page: an example that needs more shows two things."""

SECONDS = 55
"""Less than the time a test may take, so that it is the example that is named."""

TROUBLE = ("Traceback (most recent call last)", "Exception ignored in", "Warning:", "was destroyed but it is pending")
"""What Python writes to the error stream without ending the script."""


def _run(path: Path) -> subprocess.CompletedProcess[str]:
    """Run one example as its reader would, with every warning an error and asyncio in debug mode (``-X dev``)."""
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", str(path)],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def test_there_are_examples() -> None:
    """Examples exist, and their numbers make one reading order."""
    numbers = [path.name.partition("_")[0] for path in EXAMPLES]
    assert numbers
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_is_short(path: Path) -> None:
    """An example is read in one look, and begins with what it shows."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LINES
    assert text.startswith('"""')


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs(path: Path) -> None:
    """An example ends well, prints something, and leaves nothing that Python complains about."""
    run = _run(path)
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    assert not [line for line in run.stderr.splitlines() if any(sign in line for sign in TROUBLE)], run.stderr


@pytest.mark.parametrize(
    ("script", "works"),
    [
        ("print('well')", True),
        ("", False),
        ("print('well'); raise SystemExit(1)", False),
        ("print('well'); import socket; socket.socket()", False),
        ("print('well'); import asyncio; asyncio.run(asyncio.sleep(0)); asyncio.sleep(0)", False),
    ],
)
def test_the_runner_can_fail(tmp_path: Path, script: str, works: bool) -> None:
    """The checks above refuse a script that fails, prints nothing, or leaks."""
    path = tmp_path / "00_script.py"
    path.write_text(script, encoding="utf-8")
    if works:
        test_example_runs(path)
    else:
        with pytest.raises(AssertionError):
            test_example_runs(path)
