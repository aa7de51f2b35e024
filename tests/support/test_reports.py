"""What is sent between the processes of a run is enough for what the run says in the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).parents[2]

TESTS = """
import pytest

@pytest.fixture
def shown():
    yield
    print("printed by the fixture")

@pytest.fixture
def broken():
    yield
    raise ValueError("when it was over")

def test_well(): pass

def test_wrong(shown): assert 1 + 1 == 3

def test_error(broken): pass

@pytest.mark.skip(reason="not today")
def test_skipped(): pass

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""


def _run(folder: Path, *options: str) -> str:
    (folder / "test_five.py").write_text(TESTS, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p tests.support.reports -ra\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(folder), "-c", str(folder / "pytest.ini")]
    done = subprocess.run(
        [*command, str(folder / "test_five.py")], cwd=ROOT, check=False, capture_output=True, text=True, timeout=60
    )
    return done.stdout


@pytest.mark.parametrize("options", [["-n", "1"], ["-n", "1", "--durations=1"], []], ids=" ".join)
def test_nothing_is_missing(tmp_path: Path, options: list[str]) -> None:
    """A failure, an error when all was over, a skip, an expected failure, and what was printed are told as ever."""
    told = _run(tmp_path, "-p", "xdist", *options)
    for text in (
        "1 failed, 2 passed, 1 skipped, 1 xfailed, 1 error",
        "assert (1 + 1) == 3",
        "printed by the fixture",
        "ValueError: when it was over",
        "not today",
        "known",
    ):
        assert text in told, told


def test_a_file_for_others_is_complete(tmp_path: Path) -> None:
    """The XML of a run of several processes has each of its tests."""
    _run(tmp_path, "-n", "1", f"--junitxml={tmp_path / 'report.xml'}")
    names = [case.attrib["name"] for case in ET.parse(tmp_path / "report.xml").iter("testcase")]
    assert sorted(set(names)) == ["test_error", "test_known", "test_skipped", "test_well", "test_wrong"]
