"""The watch around every test finds each kind of leak, blames the test that leaked, and stays silent otherwise."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from tests.support.leaks import LeakWatch, open_descriptors, other_tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]

LEAKS = {
    "test_unhandled_callback_error": "raised in a callback",
    "test_task_error_never_retrieved": "raised in a task",
    "test_task_left_running": "task left running",
    "test_transport_left_open": "left open in the loop",
    "test_server_left_open": "left open in the loop",
    "test_coroutine_never_awaited": "never awaited",
    "test_async_generator_left_to_the_loop": "left open in the loop",
    "test_socket_dropped": "ResourceWarning: unclosed <socket",
    "test_socket_dropped_in_a_cycle": "ResourceWarning: unclosed <socket",
    "test_socket_kept": "left open: descriptor",
    "test_file_dropped": "ResourceWarning: unclosed file",
    "test_descriptor_left_open": "left open: descriptor",
    "test_error_in_finalizer": "raised in __del__",
    "test_waits_for_ever": "Timeout",
}
"""Each leaking test of ``leaky.py``, and what its report must say."""

CLEAN = {"test_closed_without_waiting", "test_expected_loop_error", "test_opened_and_closed"}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a run of ``leaky.py`` said of each test, by the test's name and loop; an empty list when it passed."""
    path = tmp_path_factory.mktemp("leaks") / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", "tests/support/leaky.py", "-q", f"--junitxml={path}"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        timeout=60,
    )
    found: dict[str, list[str]] = defaultdict(list)
    for case in ET.parse(path).iter("testcase"):
        found[case.attrib["name"]] += [part.text or "" for part in case if part.tag in {"failure", "error"}]
    return found


def _of(reports: dict[str, list[str]], test: str) -> Iterator[tuple[str, str]]:
    for name, texts in reports.items():
        if name.partition("[")[0] == test:
            yield name, "\n".join(texts)


@pytest.mark.parametrize(("test", "expected"), LEAKS.items())
def test_leak_is_found(reports: dict[str, list[str]], test: str, expected: str) -> None:
    """A test that leaks does not pass, on any loop, and its report says what leaked."""
    runs = dict(_of(reports, test))
    assert runs
    for name, text in runs.items():
        assert expected in text, name


@pytest.mark.parametrize("test", sorted(CLEAN))
def test_no_leak_is_made_up(reports: dict[str, list[str]], test: str) -> None:
    """A test that leaves nothing behind passes, also right after one that leaked."""
    runs = dict(_of(reports, test))
    assert runs
    assert set(runs.values()) == {""}


def test_every_leak_is_run(reports: dict[str, list[str]]) -> None:
    """No test of ``leaky.py`` goes unlooked at."""
    assert {name.partition("[")[0] for name in reports} == {*LEAKS, *CLEAN}


def test_async_tests_run_on_each_loop(reports: dict[str, list[str]]) -> None:
    """An async test runs on the stock loop and on uvloop, and on one with eager tasks where Python has them."""
    loops = {name.partition("[")[2].rstrip("]") for name, _ in _of(reports, "test_closed_without_waiting")}
    assert loops == {"asyncio", "uvloop"} | ({"eager"} if sys.version_info >= (3, 12) else set())


async def test_the_stock_loop_is_in_debug_mode() -> None:
    """The stock loops run in debug mode; uvloop runs as it does when nobody debugs."""
    loop = asyncio.get_running_loop()
    assert loop.get_debug() == isinstance(loop, asyncio.BaseEventLoop)


def test_a_descriptor_is_told_by_more_than_its_number() -> None:
    """A descriptor that was closed and whose number was used again counts as a new one."""
    with socket.socket() as first:
        before = open_descriptors()
        number = first.fileno()
    with socket.socket() as second:
        assert second.fileno() == number
        assert len(open_descriptors() - before) == 1


def test_a_socket_is_described_by_its_addresses() -> None:
    """The report of a socket has both of its ends."""
    before = open_descriptors()
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as client:
        texts = [one.describe() for one in open_descriptors() - before]
        assert any(f"{client.getsockname()} to {listener.getsockname()}" in text for text in texts)
        assert any(text.endswith(f"{listener.getsockname()})") for text in texts)


async def test_other_tasks() -> None:
    """The running task does not count as left over; another does until it is done."""
    assert other_tasks() == set()
    task = asyncio.create_task(asyncio.Event().wait())
    assert other_tasks() == {task}
    task.cancel()
    await asyncio.wait([task])
    assert other_tasks() == set()


async def test_a_watch_of_its_own() -> None:
    """A watch reports nothing when there is nothing, and everything that there is."""
    watch = LeakWatch()
    watch.attach(asyncio.get_running_loop())
    await watch.check_loop()
    assert watch.report() == ""
    with socket.create_server(("127.0.0.1", 0)):
        await watch.check_loop()
        watch.check_process()
    assert watch.report().count("left open") == 2
