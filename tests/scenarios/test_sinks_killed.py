"""Sinks whose process is killed, at many moments, and which are resumed; see ``killed.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bulk.sinking import KINDS, Kind, kind_name

SEEDS = 10
"""Each kills three runs, and resumes them."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it forks")


FULL = """
import asyncio, resource, sys
from pathlib import Path
from aiohttpclient import SinkError
from tests.bulk.sinking import KINDS, answered, listed, urls

async def run(kind, path):
    async with kind(path, resume=True, batch=20) as sink:
        for url in sink.pending(urls(300)):
            await sink.write(answered(url, url.encode() * 10))
            await sink.flush() if sink.done % 20 == 0 else None
            safe[:] = [sink.reported]

(kind,) = [kind for kind in KINDS if kind.__name__ == sys.argv[1]]
path, safe = Path(sys.argv[2]) / "out", []
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), hard))
try:
    asyncio.run(run(kind, path))
except SinkError as error:
    print(error)
    assert error.reported == safe[0]
    if safe[0]:
        assert set(urls(safe[0])) <= set(listed(kind, path))
else:
    raise AssertionError("there was room for everything")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
asyncio.run(run(kind, path))
assert listed(kind, path) == urls(300)
assert {one.name for one in path.parent.iterdir()} == {"out"}
"""


@pytest.mark.parametrize("room", [1000, 24_001], ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=kind_name)
def test_no_room(kind: Kind, tmp_path: Path, room: int) -> None:
    """Where the system writes no further, in the middle of a file, what was reported is there, and it goes on later."""
    if kind.__name__ == "Parquet":
        room //= 20  # of each part
    if kind.__name__ == "SQLite":
        room += 40_000  # without 32 KiB for its index, no transaction begins
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL, kind.__name__, str(tmp_path), str(room)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert run.returncode == 0, run.stderr
    assert "results are safe" in run.stdout


@pytest.mark.parametrize("kind", KINDS, ids=kind_name)
def test_killed_and_resumed(kind: Kind, tmp_path: Path) -> None:
    """Whenever a run is killed, what it reported stays and is not fetched again; resumed, each URL is there once."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.scenarios.killed", kind.__name__, str(tmp_path), str(SEEDS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) >= 25, "too few were killed to show anything"
