"""The plugin in projects of its own: pytest is run in folders that are made for it, in this process where possible."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from aiohttpclient.net import Resolver, TCPDialer, UnixDialer

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., pytest.RunResult]

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
DOOR = "_aiohttpclient_pytest"
"""The module of the plugin."""

OURS = ["-p", "aiohttpclient" if entry_points(group="pytest11", name="aiohttpclient") else DOOR]
"""Where this checkout is installed pytest knows the plugin by the name of its entry point, and must not be given it by
another one as well."""

LOOPS = ["-p", "asyncio", "-p", "anyio"]

STRICT = "asyncio_default_fixture_loop_scope = function\nasyncio_mode = strict\n"
AUTO = "asyncio_default_fixture_loop_scope = function\nasyncio_mode = auto\n"
SETTINGS = """
[pytest]
filterwarnings =
    error
    ignore::pytest.PytestAssertRewriteWarning
addopts = --strict-markers --strict-config -p no:cacheprovider
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``code`` as a file of tests, with lines for the ini file and arguments for pytest; no plugins but these."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(
        code: str, *arguments: str, ini: str = STRICT, conftest: str = "", how: str = "inprocess"
    ) -> pytest.RunResult:
        pytester.makeini(SETTINGS + ini)
        if conftest:
            pytester.makeconftest(textwrap.dedent(conftest))
        pytester.makepyfile(test_it=textwrap.dedent(code))
        loops = LOOPS if ini else []
        result: pytest.RunResult = getattr(pytester, f"runpytest_{how}")(*OURS, *loops, *arguments)
        return result

    return run


ASYNCIO = "pytestmark = pytest.mark.asyncio\n"
ANYIO = """
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
ANYIO_UVLOOP = ANYIO.replace('"asyncio"', '("asyncio", {"use_uvloop": True})')

HEAD = "import asyncio\nimport pytest\n"

PLUGINS = {
    "asyncio, strict": (HEAD + ASYNCIO, STRICT),
    "asyncio, auto": (HEAD, AUTO),
    "anyio": (HEAD + ANYIO, STRICT),
    "anyio, on uvloop": (HEAD + ANYIO_UVLOOP, STRICT),
}
"""What tests begin with, and the ini option, for each plugin that has loops."""

EACH_PLUGIN = pytest.mark.parametrize(("head", "ini"), PLUGINS.values(), ids=PLUGINS)

FETCHING = """
@pytest.fixture
def routes(loopback_server):
    loopback_server.add("GET", "/", "hello")
    return loopback_server

@pytest.mark.loopback_server(tls=True)
async def test_tls(loopback_server, http_client):
    loopback_server.add("GET", "/", "encrypted")
    assert loopback_server.url.startswith("https:")
    assert (await http_client.get("/")).text == "encrypted"

async def test_plain(http_client, routes):
    assert (await http_client.get("/")).text == "hello"

class TestClass:
    async def test_method(self, routes, http_client):
        assert (await http_client.get("/")).text == "hello"
        assert len(routes.requests) == 1

async def test_task(loopback_server, http_client):
    loopback_server.add("GET", "/", "hello")
    answers = await asyncio.gather(*(http_client.get("/") for _ in range(3)))
    assert [answer.text for answer in answers] == ["hello"] * 3

async def test_proxy(loopback_server, fault_proxy, http_client):
    loopback_server.add("GET", "/", "through the proxy")
    assert (await http_client.get("/")).text == "through the proxy"
    assert len(fault_proxy.connections) == 1

async def test_mock(http_mock, http_client):
    http_mock.get("http://example.test/", body="mocked")
    assert (await http_client.get("http://example.test/")).text == "mocked"
"""


# -- in the loop of the test


@EACH_PLUGIN
def test_each_plugin(run: Run, head: str, ini: str) -> None:
    """The fixtures are in the loop of the test, whichever plugin runs it, and in whichever mode."""
    run(head + FETCHING, ini=ini).assert_outcomes(passed=6)


FIXTURES = """
@pytest.fixture
def http_client(http_client):
    http_client.headers["X-From"] = "a fixture of the same name"
    return http_client

@{decorator}
async def user(loopback_server, http_client):
    loopback_server.add("GET", "/user", {{"name": "Joe"}})
    user = (await http_client.get("/user")).json()
    yield user
    assert (await http_client.get("/user")).json() == user

async def test_it(user, loopback_server):
    assert user == {{"name": "Joe"}}
    assert loopback_server.requests[0].headers["X-From"] == "a fixture of the same name"
"""


@EACH_PLUGIN
def test_fixtures_of_fixtures(run: Run, head: str, ini: str) -> None:
    """Fixtures of a project's own, plain and async, may stand on these, also under the same name."""
    decorator = "pytest_asyncio.fixture" if head == HEAD + ASYNCIO else "pytest.fixture"
    code = "import pytest_asyncio\n" + head + FIXTURES.format(decorator=decorator)
    run(code, ini=ini).assert_outcomes(passed=1)


def test_both_plugins(run: Run) -> None:
    """Tests of both plugins may be in one file."""
    code = """
    import pytest

    @pytest.mark.anyio
    async def test_by_anyio(loopback_server, http_client):
        loopback_server.add("GET", "/", "hello")
        assert (await http_client.get("/")).text == "hello"

    @pytest.mark.asyncio
    async def test_by_asyncio(loopback_server, http_client):
        loopback_server.add("GET", "/", "hello")
        assert (await http_client.get("/")).text == "hello"
    """
    run(code).assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("scope", "said"),
    [*((scope, "marker") for scope in ("function", "class", "module", "package", "session")), ("session", "option")],
)
def test_scopes_of_loops(run: Run, scope: str, said: str) -> None:
    """With pytest-asyncio the fixtures are in the loop of the test, however many tests that is for."""
    words = f'loop_scope="{scope}"' if said == "marker" else ""
    code = f"""
    import asyncio
    import pytest

    pytestmark = pytest.mark.asyncio({words})
    loops = set()

    class TestClass:
        async def test_first(self, loopback_server, http_client):
            loops.add(asyncio.get_running_loop())
            loopback_server.add("GET", "/", "hello")
            assert (await http_client.get("/")).text == "hello"

        async def test_second(self, loopback_server, http_client):
            loops.add(asyncio.get_running_loop())
            loopback_server.add("GET", "/", "hello")
            assert (await http_client.get("/")).text == "hello"
            assert len(loopback_server.requests) == 1
            assert len(loops) == {1 + (scope == "function")}
    """
    ini = STRICT if said == "marker" else f"{STRICT}asyncio_default_test_loop_scope = {scope}\n"
    run(code, ini=ini).assert_outcomes(passed=2)


def test_other_loops(run: Run) -> None:
    """They are in loops of other kinds, of which a test may run on several."""
    conftest = """
    import asyncio
    import uvloop

    def pytest_asyncio_loop_factories(config, item):
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    """
    run(HEAD + FETCHING, ini=AUTO, conftest=conftest).assert_outcomes(passed=12)


def test_side_by_side(run: Run) -> None:
    """They are there with pytest-xdist."""
    run(HEAD + FETCHING, "-p", "xdist", "-n", "2", ini=AUTO, how="subprocess").assert_outcomes(passed=6)


def test_trio(run: Run) -> None:
    """A test that anyio runs on trio is skipped, and says why."""
    code = """
    import pytest

    pytestmark = pytest.mark.anyio

    @pytest.fixture
    def anyio_backend():
        return "trio"

    async def test_it(http_client):
        pass
    """
    result = run(code, "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines("*aiohttpclient runs on asyncio only, and anyio_backend is 'trio'*")


@pytest.mark.parametrize("fixture", ["loopback_server", "http_client"])
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_nobody_runs_it(run: Run, fixture: str, kind: str) -> None:
    """Where nobody runs a test in an event loop, the error says what to install."""
    result = run(f"{kind} test_it({fixture}): pass", ini="")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            f"the fixture {fixture} needs the event loop of the test, and nobody runs test_it in one. *",
            "- with pytest-asyncio, which is not installed, be marked @pytest.mark.asyncio, *",
            "- or with anyio, which is not installed, be marked @pytest.mark.anyio",
        ]
    )


@pytest.mark.parametrize(("code", "ini"), [("def", AUTO), ("async def", STRICT)], ids=["plain", "not marked"])
def test_nobody_was_told_to(run: Run, code: str, ini: str) -> None:
    """Where somebody could run it, the error says that it must be async, and how it is marked."""
    result = run(f"{code} test_it(loopback_server): pass", ini=ini)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("- with pytest-asyncio, which is there, be marked @pytest.mark.asyncio, *")


def test_two_loops(run: Run) -> None:
    """Where pytest-asyncio takes a test that is anyio's, whose fixtures would be in another loop, the error says so."""
    result = run(HEAD + ANYIO + "async def test_it(http_client): pass", ini=AUTO)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("test_it is run by pytest-asyncio, and its async fixtures by anyio, *")


@EACH_PLUGIN
def test_asked_for_too_late(run: Run, head: str, ini: str) -> None:
    """A test that runs already is told that it cannot have a fixture of its loop any more; a mock it can have."""
    code = """
    async def test_it(request):
        for name in ("loopback_server", "http_client"):
            with pytest.raises(pytest.fail.Exception, match="as an argument of the test"):
                request.getfixturevalue(name)
        request.getfixturevalue("http_mock").get("http://example.org/", body="mocked")
        from aiohttpclient import get
        assert (await get("http://example.org/")).text == "mocked"
    """
    run(head + textwrap.dedent(code), ini=ini).assert_outcomes(passed=1)


def test_too_old(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pytest-asyncio that is too old, the error says so."""
    monkeypatch.setattr(pytest_asyncio, "__version__", "1.0.3")
    result = run("async def test_it(http_client): pass", ini=AUTO)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("pytest-asyncio 1.0.3 is too old for the fixtures of aiohttpclient: *")


# -- fixtures and their options


def test_a_failing_handler(run: Run) -> None:
    """A handler of the server that raises fails the test, when that is over."""
    code = """
    async def test_it(loopback_server, http_client):
        @loopback_server.route("/")
        def fails(request):
            raise ZeroDivisionError("in the handler")

        assert (await http_client.get("/")).status == 500
    """
    result = run(code, ini=AUTO)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines("E*ZeroDivisionError: in the handler")


def test_options(run: Run) -> None:
    """A marker that is named like a fixture has arguments for it; the closest to the test has the say."""
    code = """
    import pytest

    pytestmark = [pytest.mark.http_client(timeout=7, headers={"X-From": "module"})]

    @pytest.mark.http_client(headers={"X-From": "class"})
    @pytest.mark.loopback_server(host="::1")
    class TestClass:
        @pytest.mark.http_client(headers={"X-From": "test"})
        async def test_it(self, loopback_server, http_client):
            loopback_server.add("GET", "/", "hello")
            await http_client.get("/")
            assert loopback_server.host == "::1"
            assert loopback_server.requests[0].headers["X-From"] == "test"
            assert http_client.pool.timeout.read == 7

    @pytest.mark.parametrize(
        "tls", [False, pytest.param(True, marks=pytest.mark.loopback_server(tls=True))]
    )
    async def test_both(loopback_server, http_client, tls):
        loopback_server.add("GET", "/", "hello")
        assert (await http_client.get("/")).url.scheme == ("https" if tls else "http")
    """
    run(code, ini=AUTO).assert_outcomes(passed=3)


def test_wrong_options(run: Run) -> None:
    """Arguments that there are not, and arguments without names, fail the test."""
    code = """
    import pytest

    @pytest.mark.loopback_server(tsl=True)
    async def test_unknown(loopback_server):
        pass

    @pytest.mark.http_client(1)
    async def test_by_position(http_client):
        pass
    """
    result = run(code, ini=AUTO)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["*unexpected keyword argument 'tsl'", "*http_client takes keyword arguments, and not (1,)"]
    )


def test_client_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the server the client has no base URL; it does not look at the environment."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    code = """
    import pytest
    from aiohttpclient import InvalidURL
    from aiohttpclient.testing import LoopbackServer

    async def test_it(http_client):
        async with LoopbackServer() as server:
            server.add("GET", "/", "hello")
            assert (await http_client.get(server.url)).text == "hello"

    async def test_no_base(http_client):
        with pytest.raises(InvalidURL):
            await http_client.get("/")
    """
    run(code, ini=AUTO).assert_outcomes(passed=2)


def test_mock_without_a_loop(run: Run) -> None:
    """The mock is there for tests that run their own loop, and where no plugin has any."""
    code = """
    import asyncio
    from aiohttpclient import AsyncHTTPClient

    async def fetch():
        async with AsyncHTTPClient() as client:
            return (await client.get("http://example.test/")).text

    def test_it(http_mock):
        http_mock.get("http://example.test/", body="mocked")
        assert asyncio.run(fetch()) == "mocked"
    """
    run(code, ini="").assert_outcomes(passed=1)


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_unused_registrations(run: Run, kind: str) -> None:
    """What is registered and not asked for fails a test that has passed, where a marker or the option says so."""
    code = f"""
    import pytest

    {kind} test_option(http_mock):
        http_mock.get("http://example.test/")

    {kind} test_failed(http_mock):
        http_mock.get("http://example.test/")
        raise ZeroDivisionError

    {kind} test_skipped(http_mock):
        http_mock.get("http://example.test/")
        pytest.skip("in the middle")

    @pytest.mark.http_mock(assert_all_called=False)
    {kind} test_marker(http_mock):
        http_mock.get("http://example.test/")
    """
    result = run(code, ini=f"{AUTO}aiohttpclient_assert_all_called = true\n")
    result.assert_outcomes(passed=2, failed=1, skipped=1, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_option*", "*http://example.test/*"])
    run(code, ini=AUTO).assert_outcomes(passed=2, failed=1, skipped=1)


def test_mock_beside_servers(run: Run) -> None:
    """The mock leaves alone what the test has started itself, and what its marker says."""
    code = """
    import pytest
    from aiohttpclient import AsyncHTTPClient
    from aiohttpclient.testing import LoopbackServer

    @pytest.mark.http_mock(passthrough="http://localhost:")
    async def test_it(http_mock, loopback_server, fault_proxy, http_client):
        loopback_server.add("GET", "/", "real")
        http_mock.get("http://example.test/", body="mocked")
        assert (await http_client.get("/")).text == "real"
        assert (await http_client.get(loopback_server.url)).text == "real"
        assert (await http_client.get(f"http://localhost:{loopback_server.port}")).text == "real"
        assert (await http_client.get("http://example.test/")).text == "mocked"
    """
    run(code, ini=AUTO).assert_outcomes(passed=1)


def test_proxy_with_tls(run: Run) -> None:
    """The client trusts the server behind the proxy, whose faults it meets."""
    code = """
    import pytest
    from aiohttpclient import RemoteDisconnected
    from aiohttpclient.testing import line

    @pytest.mark.loopback_server(tls=True)
    @pytest.mark.fault_proxy(seed=7)
    @pytest.mark.http_client(retries=None)
    async def test_it(loopback_server, fault_proxy, http_client):
        loopback_server.add("GET", "/", "hello")
        assert fault_proxy.seed == 7
        assert (await http_client.get("/")).text == "hello"
        assert fault_proxy.url.startswith("https:")
    """
    run(code, ini=AUTO).assert_outcomes(passed=1)


def test_mock_is_no_network(run: Run) -> None:
    """What is mocked is no network, what passes through the mock is."""
    code = """
    import pytest
    from aiohttpclient.testing import NetworkForbidden

    @pytest.mark.no_network(loopback=False)
    @pytest.mark.http_mock(passthrough=["http://real.test"])
    async def test_it(http_mock, http_client):
        http_mock.get("http://example.test/", body="mocked")
        assert (await http_client.get("http://example.test/")).text == "mocked"
        with pytest.raises(NetworkForbidden):
            await http_client.get("http://real.test/")
    """
    run(code, ini=AUTO).assert_outcomes(passed=1)


def test_unix_socket(run: Run, pytester: pytest.Pytester) -> None:
    """The client goes to the Unix socket of a server that has one."""
    code = f"""
    import pytest

    @pytest.mark.loopback_server(path="{pytester.path}/socket")
    async def test_it(loopback_server, http_client):
        loopback_server.add("GET", "/", "hello")
        assert (await http_client.get("/")).text == "hello"
    """
    run(code, ini=AUTO).assert_outcomes(passed=1)


# -- no network


FORBIDDEN = """
from aiohttpclient import AsyncHTTPClient
from aiohttpclient.testing import NetworkForbidden

async def fetch(url="http://192.0.2.1/"):
    async with AsyncHTTPClient(trust_env=False, timeout=0.01) as client:
        with pytest.raises(Exception) as caught:
            await client.get(url)
        return caught.type is NetworkForbidden
"""


def put_back() -> list[Any]:
    return [TCPDialer.__dict__["dial"], UnixDialer.__dict__["dial"], Resolver.__dict__["resolve"]]


@pytest.fixture
def _put_back() -> Any:
    before = put_back()
    yield
    assert put_back() == before


@pytest.mark.usefixtures("_put_back")
@pytest.mark.parametrize("option", [False, True])
def test_no_network(run: Run, option: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker, or the option for all tests, holds for the tests that have it, whatever becomes of them."""

    async def dial(self: TCPDialer, host: str, port: int, tell: Any = None) -> Any:
        raise ConnectionRefusedError

    monkeypatch.setattr(TCPDialer, "dial", dial)
    code = (
        HEAD
        + FORBIDDEN
        + f"""
    @pytest.mark.no_network
    async def test_marked():
        assert await fetch()

    @pytest.mark.no_network
    async def test_fails():
        raise ZeroDivisionError

    async def test_not_marked():
        assert await fetch() is {option}

    @pytest.mark.no_network
    class TestClass:
        async def test_method(self):
            assert await fetch()

        @pytest.mark.network
        async def test_exception(self):
            assert not await fetch()

        @pytest.mark.no_network(allow=["192.0.2.0/24"])
        async def test_closest(self):
            assert not await fetch()
            assert await fetch("http://192.0.3.1/")

        @pytest.mark.no_network(loopback=False)
        async def test_loopback(self):
            assert await fetch("http://127.0.0.1/")
    """.replace("\n    ", "\n")
    )
    run(code, ini=f"{AUTO}aiohttpclient_no_network = {option}\n").assert_outcomes(passed=6, failed=1)


@pytest.mark.usefixtures("_put_back")
def test_no_network_in_fixtures(run: Run) -> None:
    """It holds while fixtures of the test are set up and torn down."""
    code = (
        HEAD
        + FORBIDDEN
        + """
@pytest.fixture
async def before():
    assert await fetch()
    yield
    assert await fetch()

@pytest.mark.no_network
async def test_it(before):
    pass
"""
    )
    run(code, ini=AUTO).assert_outcomes(passed=1)


def test_no_network_says_which_test(run: Run) -> None:
    """The error says which test it was, and what it wanted."""
    code = """
    import pytest

    @pytest.mark.no_network
    async def test_it(http_client):
        await http_client.get("http://example.test/path")
    """
    result = run(code, ini=AUTO)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E *NetworkForbidden: test_it.py::test_it must not use the network, but connects to example.test:80: *",
            "E *GET http://example.test/path",
        ]
    )


@pytest.mark.usefixtures("_put_back")
@pytest.mark.parametrize("words", ["'db.internal'", "allow='db.internal'", "allow=['https://db']", "alow=[]"])
def test_no_network_said_wrong(run: Run, words: str) -> None:
    """A marker that says what cannot be fails its test, and none beside it."""
    code = f"""
    import pytest

    @pytest.mark.no_network({words})
    def test_it():
        pass

    def test_other():
        pass
    """
    result = run(code)
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines("@pytest.mark.no_network: *")


# -- what it costs


def test_costs_nothing(tmp_path: Path) -> None:
    """Where nobody uses it, the plugin imports nothing: not the library, and not what that stands on."""
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n", encoding="utf-8")
    code = f"""
import sys, pytest

assert pytest.main(["-q", "-p", "no:cacheprovider", *{OURS!r}]) == 0
found = {{"aiohttpclient", "asyncio", "ssl", "yarl", "multidict"}} & set(sys.modules)
assert "{DOOR}" in sys.modules and not found, found
"""
    alone = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=alone, check=True, timeout=30)


def test_is_shipped() -> None:
    """The wheel has the door, and an entry point that leads to it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["pytest11"] == {"aiohttpclient": DOOR}
    assert f"{DOOR}.py" in project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
