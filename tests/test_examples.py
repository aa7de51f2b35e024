"""Every numbered example is short, and does what it shows, without a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aiohttpclient.bulk import Record
from examples.demo.check import Verdict
from examples.demo.site import FORBIDDEN_OUTCOME, Site

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("[0-9]*.py"))

LINES = 60
"""A page: an example that needs more shows two things."""

SECONDS = 55
"""Less than the time a test may take, so that it is the example that is named."""

TROUBLE = ("Traceback (most recent call last)", "Exception ignored in", "Warning:", "was destroyed but it is pending")
"""What Python writes to the error stream without ending the script."""


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run an example as its reader would, with every warning an error and asyncio in debug mode (``-X dev``)."""
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    return subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", *map(str, command)],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )


def _check(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip()
    assert not [line for line in run.stderr.splitlines() if any(sign in line for sign in TROUBLE)], run.stderr


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
    _check(_run(path))


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


def test_demo_runs(tmp_path: Path) -> None:
    """The demo, of few pages, finds every page of every kind of host, keeps it, and writes its report."""
    run = _run("-m", "examples.demo", "--hosts", "5", "--pages", "26", "--output", tmp_path)
    _check(run)
    assert f"report:  {tmp_path / 'report.html'}" in run.stdout
    assert (tmp_path / "report.html").stat().st_size
    assert (tmp_path / "pages.jsonl").stat().st_size


def test_the_demo_can_fail() -> None:
    """The demo sees what is missing, twice there, different, or asked for against robots.txt."""
    site = Site(["a.test", "b.test"], 21)
    urls = {url: 1 for url, outcome in site.expected().items() if outcome != FORBIDDEN_OUTCOME}
    asked = {**urls, "http://a.test/robots.txt": 1, "http://b.test/robots.txt": 1, "http://b.test/": 2}
    verdict = Verdict(site)
    verdict.see_asked(asked)
    assert not verdict.faults
    verdict.see_asked({**asked, "http://a.test/page/1": 2, "http://a.test/page/2": 0, "http://a.test/private/20": 1})
    assert len(verdict.faults) == 3
    verdict.see_records([Record("", "http://a.test/", status=200, content=b"another")])
    assert verdict.faults[3] == "not what the origin has: the record of http://a.test/"
    missing = len(site.expected()) - 1
    assert len(verdict.faults) == 4 + missing
    verdict.see_all()
    assert len(verdict.faults) == 4 + missing + 1 + missing
