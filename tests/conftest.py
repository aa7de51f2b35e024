"""How every test runs: on which loops, and what it must not leave behind."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from importlib.util import find_spec
from itertools import count
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from aiohttpclient.net import _race
from tests.support import origins
from tests.support.leaks import LeakWatch
from tests.support.tls import TlsKit

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

pytest_plugins = ["tests.client.httpbin_fixtures", "tests.support.reports"]
"""Fixtures that more than one folder of tests needs, and what is sent between processes."""

_TESTS_DONE = count(1)

FOR_HTTP_CLIENTS = {"REQUEST_METHOD", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "NETRC"}
"""Variables that clients look at, beside those that name proxies; a test sets what it is about."""


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
    """Bound what debug mode costs, and forget what the machine that runs the tests has set for its HTTP clients.

    A client that is to trust other authorities than usual makes a context of its own, which takes 20 ms: with
    ``SSL_CERT_FILE`` set that was one for each test that has a client.
    """
    origins.bound()
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name in FOR_HTTP_CLIENTS:
            del os.environ[name]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while the tests are collected, all of which stay: that is a fifth of the time it takes."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


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


@pytest_asyncio.fixture  # type: ignore[type-var]  # it takes a plain function as well, and sets the loop for it
def _loop_watch(request: pytest.FixtureRequest, leak_watch: LeakWatch) -> asyncio.AbstractEventLoop:
    """Watch the loop of this test, from before its other fixtures until after them.

    It is no coroutine, and looks at the loop without the runner: of each test these were two turns of ``Runner.run``,
    a sixth of what a test costs that does nothing.
    """
    loop = asyncio.get_event_loop()
    # The stock loops stay in debug mode; the code that runs when nobody debugs is tested on uvloop.
    loop.set_debug(isinstance(loop, asyncio.BaseEventLoop))
    leak_watch.attach(loop)
    request.addfinalizer(lambda: loop.run_until_complete(leak_watch.check_loop()))
    return loop


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
