"""Commands that are killed and interrupted, and given again; see ``cli_killed.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SEEDS = 2
"""For each kind of command; each kills three runs."""


@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
def test_killed_and_given_again(tmp_path: Path) -> None:
    """Whenever a command is killed or interrupted, the same command goes on, and in the end each URL is there once."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.scenarios.cli_killed", str(tmp_path), str(SEEDS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) >= 12, "too few were killed to show anything"
