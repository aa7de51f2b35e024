"""How every test runs: on which loops, and what it must not leave behind."""

from __future__ import annotations

import asyncio
import asyncio.constants
import gc
import sys
import traceback
from importlib.util import find_spec
from itertools import count
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from aiohttpclient.net import _race
from tests.support.leaks import LeakWatch
from tests.support.tls import TlsKit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

pytest_plugins = ["tests.client.httpbin_fixtures"]
"""Fixtures that more than one folder of tests needs."""

_TESTS_DONE = count(1)

DEBUG_STACK_DEPTH = 6
"""Frames of "created at" that a loop in debug mode notes for each handle, coroutine, future and task.

The last ones tell which test or which line of the library it was. Without a bound, tasks and futures note all frames
down to pytest's, fifty or more, which is a third of the time of the tests in ``net``.
"""


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Every async test runs once on each of these, which are also what stands in brackets behind its name."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if sys.version_info >= (3, 12):
        factories["eager"] = _eager_loop
    if find_spec("uvloop") is not None:
        import uvloop

        factories["uvloop"] = uvloop.new_event_loop
    return factories


def _eager_loop() -> asyncio.AbstractEventLoop:
    """A stock loop on which a task runs up to its first wait before ``create_task`` returns."""
    loop = asyncio.new_event_loop()
    if sys.version_info >= (3, 12):
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop


def pytest_configure() -> None:
    """Bound what debug mode costs."""
    asyncio.constants.DEBUG_STACK_DEPTH = DEBUG_STACK_DEPTH  # type: ignore[misc]  # a Final that is ours to choose
    # Futures and tasks, which are written in C, call this one without arguments. (None, None) are its defaults.
    traceback.extract_stack.__defaults__ = (None, DEBUG_STACK_DEPTH)


def pytest_collection_finish() -> None:
    """Get out of the way what happens once a process: the first loop of a kind opens descriptors that stay."""
    for factory in pytest_asyncio_loop_factories().values():
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(asyncio.sleep(0))
    _exempt_from_collection()


def pytest_runtest_logfinish() -> None:
    """Now and then exempt what has gathered, mostly reports."""
    if next(_TESTS_DONE) % 25 == 0:
        _exempt_from_collection()


def _exempt_from_collection() -> None:
    """Leave what exists by now out of the garbage collection after each test, which is quick then."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def leak_watch() -> Iterator[LeakWatch]:
    """The watch around this test. Its report, looked at when the loop is closed, must be empty."""
    watch = LeakWatch()
    yield watch
    watch.check_process()
    if report := watch.report():
        pytest.fail(f"the test left something behind\n{report}", pytrace=False)


@pytest_asyncio.fixture
async def _loop_watch(leak_watch: LeakWatch) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    # The stock loops stay in debug mode; the code that runs when nobody debugs is tested on uvloop.
    loop.set_debug(isinstance(loop, asyncio.BaseEventLoop))
    leak_watch.attach(loop)
    yield
    await leak_watch.check_loop()


@pytest.fixture(autouse=True)
def _nothing_leaks(request: pytest.FixtureRequest, leak_watch: LeakWatch) -> None:
    """Put the watch around every test, and inside its loop when it has one.

    An autouse fixture is set up before those that a test names, and so torn down after them; it must not be async
    itself, or every plain test would get a loop.
    """
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("_loop_watch")


@pytest.fixture(scope="session")
def tls() -> TlsKit:
    """Certificates and TLS contexts, good and bad, from an authority of our own."""
    return TlsKit()


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connecting waits, as it does over a network: of a peer on this machine it is known at once that it accepts."""
    monkeypatch.setattr(_race, "ASKS_AGAIN", False)
