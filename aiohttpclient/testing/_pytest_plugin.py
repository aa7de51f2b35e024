"""What the fixtures and the marker of the pytest plugin do. The door is ``_aiohttpclient_pytest.py``, which says why.

Theory of operation. Who runs a test, pytest-asyncio in either of its modes or anyio's plugin, has the loop, and runs
async fixtures in it. A public fixture here is a plain function: it finds out who that is, puts an async context manager
into the stash of the test, and asks for a fixture that enters it, as a fixture of that plugin. Such a fixture is made
when it is first asked for, one for each kind of value and each loop. So nothing of those plugins is used that they do
not document, and a strict mode is as good as an automatic one.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from yarl import URL

from ..client import AsyncHTTPClient
from ..net import UnixDialer
from ._fault_proxy import FaultProxy
from ._mock import HTTPMock
from ._no_network import no_network
from ._server import LoopbackServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from typing import TypeAlias

    # Those of pytest, which is an optional package: FixtureRequest, Item, Mark.
    Request: TypeAlias = Any
    Item: TypeAlias = Any
    Mark: TypeAlias = Any

SERVERS: Final = ("loopback_server", "fault_proxy")
"""The fixtures with a URL, which a mock leaves alone."""

PLUGINS: Final = {"pytest-asyncio": "pytest_asyncio.plugin", "anyio": "anyio.pytest_plugin"}
"""Who has event loops for tests, and the modules by which pytest knows them."""

OLDEST: Final = (1, 1)
"""Of pytest-asyncio. Before, it wanted to know all fixtures when tests are collected."""

NO_LOOP: Final = """\
the fixture {fixture} needs the event loop of the test, and nobody runs {test} in one. It must be an `async def`, and
- with pytest-asyncio, {pytest-asyncio}, be marked @pytest.mark.asyncio, unless the option asyncio_mode is auto;
- or with anyio, {anyio}, be marked @pytest.mark.anyio"""

TWO_LOOPS: Final = """\
{test} is run by pytest-asyncio, and its async fixtures by anyio, in another event loop: with asyncio_mode = auto no
test can be anyio's. Set asyncio_mode = strict, or take the marker anyio and the fixture anyio_backend away"""

TOO_LATE: Final = """\
the fixture {fixture} is asked for while {test} runs in its event loop, in which it cannot be set up any more: name it
as an argument of the test, or in @pytest.mark.usefixtures("{fixture}")"""


def loopback_server(request: Request) -> LoopbackServer:
    """The value of the fixture."""
    server: LoopbackServer = entered(request, LoopbackServer(**options_of(request)))
    return server


def fault_proxy(request: Request) -> FaultProxy:
    """The value of the fixture."""
    server = request.getfixturevalue("loopback_server")
    proxy: FaultProxy = entered(request, FaultProxy(server, **options_of(request)))
    return proxy


def http_client(request: Request) -> AsyncHTTPClient:
    """The value of the fixture."""
    options = {"trust_env": False, **options_of(request)}
    if "loopback_server" in request.fixturenames:
        server: LoopbackServer = request.getfixturevalue("loopback_server")
        if "ssl_context" not in options:
            options["ssl_context"] = server.client_context
        if "fault_proxy" in request.fixturenames:
            server = request.getfixturevalue("fault_proxy")
        options.setdefault("base_url", server.url)
        if server.path is not None:
            options.setdefault("transport", UnixDialer(server.path))
    client: AsyncHTTPClient = entered(request, AsyncHTTPClient(**options))
    return client


def http_mock(request: Request, assert_all_called: bool) -> Iterator[HTTPMock]:
    """The value of the fixture, which is for tests without a loop as well."""
    options = {"assert_all_called": assert_all_called, **options_of(request)}
    asserts, passthrough = options.pop("assert_all_called"), options.pop("passthrough", ())
    own = [request.getfixturevalue(name).url for name in SERVERS if name in request.fixturenames]
    given = [passthrough] if isinstance(passthrough, (str, URL)) else [*passthrough]
    mock = HTTPMock(passthrough=[*given, *(f"{url}/" for url in own)], **options)
    if asserts:
        _note_outcomes(request)
    if runner_of(request) is None or _in_a_loop():
        with mock:
            yield mock
    else:
        yield entered(request, mock)
    if asserts and request.node.stash.get(_passed(), False):  # who has failed, or was skipped, had no time for all
        mock.assert_all_called()


def options_of(request: Request) -> dict[str, Any]:
    """What the markers that are named like the fixture say; the closest to the test last."""
    options: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers(request.fixturename))):
        if mark.args:
            _fail(f"@pytest.mark.{mark.name} takes keyword arguments, and not {mark.args!r}")
        options |= mark.kwargs
    return options


def rules(nodeid: str, marker: Mark | None) -> AbstractContextManager[None]:
    """What holds while the test ``nodeid`` runs: what ``marker`` says, or the option for all tests.

    :raises TypeError, ValueError: the marker says what cannot be
    """
    if marker is None:
        return no_network(who=nodeid)
    if marker.args:
        raise TypeError(f"it takes keyword arguments, and not {marker.args!r}")
    return no_network(who=nodeid, **marker.kwargs)


# -- in the loop of the test


def entered(request: Request, manager: AbstractAsyncContextManager[Any]) -> Any:
    """What entering ``manager`` gives, in the loop of the test, where it is left when the test is over."""
    runner = runner_of(request)
    if runner is None:
        known = {name: "which is there" if _has(request, name) else "which is not installed" for name in PLUGINS}
        _fail(NO_LOOP.format_map({"fixture": request.fixturename, "test": request.node.name, **known}))
    if _in_a_loop():
        _fail(TOO_LATE.format(fixture=request.fixturename, test=request.node.name))
    name = f"_aiohttpclient_{request.fixturename}_{runner}"
    if not request.config.pluginmanager.has_plugin(name):
        _add_fixture(request, name, runner)
    request.node.stash.setdefault(_managers(), {})[name] = manager
    return request.getfixturevalue(name)


def runner_of(request: Request) -> str | None:
    """``"anyio"``, or the scope of the loop in which pytest-asyncio runs the test; None: nobody does."""
    item = request.node
    by_anyio = _has(request, "anyio") and "anyio_backend" in request.fixturenames and _is_async(item)
    if _has(request, "pytest-asyncio") and sys.modules["pytest_asyncio"].is_async_test(item):
        _check_version(sys.modules["pytest_asyncio"].__version__)
        if by_anyio:
            _fail(TWO_LOOPS.format(test=item.name))
        words = next(item.iter_markers("asyncio")).kwargs
        scope = words.get("loop_scope") or words.get("scope")  # which is its older name
        return str(scope or request.config.getini("asyncio_default_test_loop_scope"))
    if by_anyio:
        backend = request.getfixturevalue("anyio_backend")
        if (name := backend if isinstance(backend, str) else backend[0]) != "asyncio":
            _skip(f"aiohttpclient runs on asyncio only, and anyio_backend is {name!r}")
        return "anyio"
    return None


def _check_version(version: str) -> None:
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        _fail(f"pytest-asyncio {version} is too old for the fixtures of aiohttpclient: they need 1.1 or newer")


def _add_fixture(request: Request, name: str, runner: str) -> None:
    """Have pytest know a fixture ``name`` that enters what is in the stash of the test, in the loop of ``runner``."""
    import pytest

    async def enter(request: Request) -> AsyncIterator[Any]:
        async with request.node.stash[_managers()].pop(name) as value:
            yield value

    plugin = ModuleType(name, "A fixture that aiohttpclient has made.")
    if runner == "anyio":
        fixture = pytest.fixture(name=name)(enter)
    else:
        fixture = sys.modules["pytest_asyncio"].fixture(name=name, loop_scope=runner)(enter)
    setattr(plugin, name, fixture)
    request.config.pluginmanager.register(plugin, name)


def _note_outcomes(request: Request) -> None:
    """Have pytest put into the stash of each test whether it has passed, from now on."""
    name = "_aiohttpclient_outcomes"
    if request.config.pluginmanager.has_plugin(name):
        return
    import pytest

    def pytest_runtest_makereport(item: Item, call: Any) -> Iterator[None]:
        outcome: Any = yield
        if call.when == "call":
            item.stash[_passed()] = outcome.get_result().passed

    plugin = ModuleType(name, "A hook that aiohttpclient has made.")
    setattr(plugin, pytest_runtest_makereport.__name__, pytest.hookimpl(hookwrapper=True)(pytest_runtest_makereport))
    request.config.pluginmanager.register(plugin, name)


@cache
def _passed() -> Any:
    """Under which the stash of a test has whether it has passed."""
    import pytest

    return pytest.StashKey[bool]()


@cache
def _managers() -> Any:
    """Under which the stash of a test has what is to be entered, by the name of the fixture that does it."""
    import pytest

    return pytest.StashKey[dict[str, Any]]()


def _has(request: Request, name: str) -> bool:
    """Whether pytest has such a plugin."""
    module = sys.modules.get(PLUGINS[name])
    return module is not None and bool(request.config.pluginmanager.is_registered(module))


def _is_async(item: Item) -> bool:
    function = getattr(item, "function", None)
    hypothesis = getattr(function, "hypothesis", None)
    return inspect.iscoroutinefunction(function if hypothesis is None else hypothesis.inner_test)


def _in_a_loop() -> bool:
    """Whether the test, or an async fixture of it, is running; then nobody else gets into its loop."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _fail(text: str) -> NoReturn:
    import pytest

    pytest.fail(text, pytrace=False)


def _skip(text: str) -> NoReturn:
    import pytest

    pytest.skip(text)
