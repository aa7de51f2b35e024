"""Crawls whose process is killed, at many moments, and which are resumed; see ``crawl_killed.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SEEDS = 8
"""Each kills three runs, and resumes them."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it forks")


FULL = """
import asyncio, resource, sys
from pathlib import Path
from aiohttpclient import SinkError
from aiohttpclient.bulk import JSONLines, crawl
from tests.bulk.linked import SEED, SITE, tree, web
from tests.bulk.pages import site

async def run(folder):
    async with (
        site(web(tree(500))) as (client, _),
        JSONLines(folder / "out", resume=True) as sink,
        crawl([SEED], client=client, sink=sink, frontier=folder / "f", resume=True) as pages,
    ):
        async for page in pages:
            pass
    assert pages.done == pages.known == 500

folder = Path(sys.argv[1])
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
for room in (100, 36_000, 60_000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        asyncio.run(run(folder))
    except SinkError as error:
        print(error)
    else:
        raise AssertionError("there was room for everything")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
asyncio.run(run(folder))
assert sorted(record.url for record in JSONLines.read(folder / "out")) == sorted(f"{SITE}{path}" for path in tree(500))
assert {one.name for one in folder.iterdir()} == {"f", "out"}
"""


def test_no_room(tmp_path: Path) -> None:
    """Where the system writes no further a crawl ends, and says where; the next run goes on, and nothing is lost."""
    pytest.importorskip("selectolax")
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", FULL, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.count(f"the frontier in {tmp_path / 'f'}") == 3


@pytest.mark.parametrize("way", ["lines", "table", "pages", "depth", "consumer"])
def test_killed_and_resumed(way: str, tmp_path: Path) -> None:
    """Whenever a crawl is killed, no page is lost, none is in the output twice, and what is done is not asked again."""
    pytest.importorskip("selectolax")
    run = subprocess.run(
        [sys.executable, "-W", "error", "-m", "tests.scenarios.crawl_killed", way, str(tmp_path), str(SEEDS)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=55,
    )
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) >= 2 * SEEDS, "too few were killed to show anything"
