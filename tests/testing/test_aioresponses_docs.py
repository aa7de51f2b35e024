"""What the README of aioresponses 0.7.9 shows, and its documentation promises: with another import, and our client.

Each test is one of its sections, written anew, in its order. Where the README takes a loop and a session, so does the
test, as fixtures: the decorated functions are tests of pytest as they are.
"""

from __future__ import annotations

import asyncio
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, testing
from aiohttpclient.testing import CallbackResult, HTTPMock, LoopbackServer
from tests.testing.mocking import plain_client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttpclient import Response


class Run:
    """What ``loop.run_until_complete`` and the session are in the README."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.session = plain_client()

    def get(self, url: str, **options: Any) -> Response:
        return self.runner.run(self.session.get(url, **options))

    def post(self, url: str, **options: Any) -> Response:
        return self.runner.run(self.session.post(url, **options))


@pytest.fixture
def run() -> Iterator[Run]:
    it = Run()
    yield it
    it.runner.run(it.session.close())
    it.runner.close()


@HTTPMock()
def test_request(mocked: HTTPMock, run: Run) -> None:
    """As a decorator of a plain function, which is given the mock."""
    mocked.get("http://example.com", status=200, body="test")
    resp = run.get("http://example.com")
    assert resp.status == 200
    assert resp.text == "test"
    mocked.assert_called_once_with("http://example.com")


@HTTPMock()
async def test_request_of_a_coroutine(mocked: HTTPMock) -> None:
    """As a decorator of a coroutine function."""
    mocked.get("http://example.com", status=200, body="test")
    async with plain_client() as session:
        resp = await session.get("http://example.com")
    assert resp.status == 200
    mocked.assert_called_once_with("http://example.com")


def test_ctx(run: Run) -> None:
    """As a context manager; ``payload`` is an answer in JSON."""
    with HTTPMock() as m:
        m.get("http://test.example.com", payload={"foo": "bar"})
        data = run.get("http://test.example.com").json()
        assert data == {"foo": "bar"}
        m.assert_called_once_with("http://test.example.com")


@HTTPMock()
def test_http_headers(m: HTTPMock, run: Run) -> None:
    """Any header field can be mocked, and its name has no case."""
    m.post("http://example.com", payload={}, headers={"connection": "keep-alive"})
    resp = run.post("http://example.com")
    assert resp.headers["Connection"] == "keep-alive"
    m.assert_called_once_with("http://example.com", method="POST")


@HTTPMock()
def test_multiple_responses(m: HTTPMock, run: Run) -> None:
    """Several answers for the same URL are given in their order."""
    m.get("http://example.com", status=500)
    m.get("http://example.com", status=200)
    assert run.get("http://example.com").status == 500
    assert run.get("http://example.com").status == 200


@HTTPMock()
def test_repeated_responses(m: HTTPMock, run: Run) -> None:
    """``repeat=2`` answers twice, before the next registration has its turn."""
    m.get("http://example.com", status=500, repeat=2)
    m.get("http://example.com", status=200)
    assert [run.get("http://example.com").status for _ in range(3)] == [500, 500, 200]


@pytest.mark.parametrize("repeat", [False, 1])
def test_no_repeat(run: Run, repeat: bool | int) -> None:
    """Without ``repeat``, and with ``repeat=1``, an answer is given once."""
    with HTTPMock() as m:
        m.get("http://example.com", repeat=repeat)
        assert run.get("http://example.com").status == 200
        with pytest.raises(ConnectionError, match="Connection refused: GET http://example"):
            run.get("http://example.com")


@HTTPMock()
def test_repeat_for_ever(m: HTTPMock, run: Run) -> None:
    """``repeat=True`` answers as often as one asks."""
    m.get("http://example.com", repeat=True)
    assert {run.get("http://example.com").status for _ in range(20)} == {200}


@HTTPMock()
def test_regexp_example(m: HTTPMock, run: Run) -> None:
    """A compiled pattern stands for many URLs."""
    pattern = re.compile(r"^http://example\.com/api\?foo=.*$")
    m.get(pattern, status=200)
    assert run.get("http://example.com/api?foo=bar").status == 200


@HTTPMock()
def test_redirect_example(m: HTTPMock, run: Run) -> None:
    """Redirects are followed, absolute and relative ones; each hop has its registration."""
    m.get("http://example.com/", headers={"Location": "http://another.com/"}, status=307)
    m.get("http://another.com/")
    resp = run.get("http://example.com/", follow_redirects=True)
    assert str(resp.url) == "http://another.com/"

    m.get("http://example.com/", headers={"Location": "/test"}, status=307)
    m.get("http://example.com/test")
    resp = run.get("http://example.com/", follow_redirects=True)
    assert str(resp.url) == "http://example.com/test"


async def test_passthrough() -> None:
    """What begins with one of ``passthrough`` leads to the real server, and is not noted."""
    async with LoopbackServer() as backend, plain_client() as session:
        backend.add("GET", "/api", "real")

        @HTTPMock(passthrough=[backend.url])
        async def passthrough(m: HTTPMock) -> None:
            assert (await session.get(f"{backend.url}/api")).text == "real"
            m.assert_not_called()

        await passthrough()


async def test_passthrough_unmatched() -> None:
    """With ``passthrough_unmatched`` everything does that is not registered."""
    async with LoopbackServer() as backend, plain_client() as session:
        backend.add("GET", "/api", "real")

        @HTTPMock(passthrough_unmatched=True)
        async def passthrough(m: HTTPMock) -> None:
            url = "https://httpbin.org/get"
            m.get(url, status=200)
            resp = await session.get(f"{backend.url}/api")
            resp2 = await session.get(url)
            assert resp.text == "real"
            assert resp2.status == 200
            assert resp2.text == ""

        await passthrough()


class ProcessingError(Exception):
    """As in the README ``HttpProcessingError``."""


@HTTPMock()
def test_how_to_throw_an_exception(m: HTTPMock, run: Run) -> None:
    """``exception`` is raised at the caller."""
    error = ProcessingError("test")
    m.get("http://example.com/api", exception=error)
    with pytest.raises(ProcessingError) as raised:
        run.get("http://example.com/api")
    assert raised.value is error


def callback(url: URL, **kwargs: Any) -> CallbackResult:
    assert url == URL("http://example.com")
    return CallbackResult(status=418)


@HTTPMock()
def test_callback(m: HTTPMock, run: Run) -> None:
    """A callback makes the answer."""
    m.get("http://example.com", callback=callback)
    assert run.get("http://example.com").status == 418


@pytest.fixture
def mock_aioresponse() -> Iterator[HTTPMock]:
    with HTTPMock() as m:
        yield m


def test_fixture(mock_aioresponse: HTTPMock, run: Run) -> None:
    """It can be the value of a fixture."""
    mock_aioresponse.get("http://example.com", status=204)
    assert run.get("http://example.com").status == 204


# -- what its documentation says in words, and its own tests rely on


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_methods(method: str) -> None:
    """Each method has one of its own, which answers no other."""
    async with HTTPMock() as m, plain_client() as session:
        getattr(m, method.lower())("http://example.com/api?foo=bar#fragment", status=201)
        with pytest.raises(ConnectionError):
            await session.request("GET" if method != "GET" else "POST", "http://example.com/api?foo=bar")
        assert (await session.request(method, "http://example.com/api?foo=bar#fragment")).status == 201


@HTTPMock()
async def test_response_headers(m: HTTPMock) -> None:
    """``content_type`` and ``headers`` are those of the answer; without them it is JSON."""
    m.get("http://example.com", content_type="text/html", headers={"X-A": "1"})
    m.get("http://example.com")
    m.get("http://example.com", headers={"Content-Type": "text/plain"})
    async with plain_client() as session:
        answers = [await session.get("http://example.com") for _ in range(3)]
    assert [answer.headers["Content-Type"] for answer in answers] == ["text/html", "application/json", "text/plain"]
    assert answers[0].headers["X-A"] == "1"


@HTTPMock()
async def test_response_cookies(m: HTTPMock) -> None:
    """Set-Cookie is a cookie of the response; here it is in the jar as well, and goes with the next request."""
    m.get("http://example.com", headers={"Set-Cookie": "cookie=value"})
    m.get("http://example.com/next", match_headers={"Cookie": "cookie=value"})
    async with plain_client() as session:
        resp = await session.get("http://example.com")
        assert resp.cookies["cookie"] == "value"
        assert (await session.get("http://example.com/next")).status == 200


@HTTPMock()
async def test_params(m: HTTPMock) -> None:
    """Parameters of a call are part of the URL."""
    m.get("http://example.com/api?foo=bar&x=42#fragment")
    async with plain_client() as session:
        resp = await session.get("http://example.com/api?foo=bar#fragment", params={"x": 42})
    assert resp.status == 200
    m.assert_called_once_with("http://example.com/api?foo=bar", params={"x": 42})


@HTTPMock()
async def test_raise_for_status(m: HTTPMock) -> None:
    """The reason is that of the status, as everywhere."""
    m.get("http://example.com", status=400)
    m.get("http://example.com", status=400, reason="Oh no")
    async with plain_client() as session:
        assert (await session.get("http://example.com")).reason == "Bad Request"
        assert (await session.get("http://example.com")).reason == "Oh no"


@HTTPMock()
async def test_streaming(m: HTTPMock) -> None:
    """A body can be read in pieces."""
    m.get("http://example.com", body="Test")
    async with plain_client() as session, session.stream("GET", "http://example.com") as stream:
        assert [block async for block in stream.iter_bytes(2)] == [b"Te", b"st"]


async def test_passing_argument() -> None:
    """``param`` names the keyword with which a function is given the mock."""

    @HTTPMock(param="mocked")
    async def named(*, mocked: HTTPMock) -> int:
        mocked.add("http://example.com", payload={"foo": "bar"})
        async with plain_client() as session:
            return (await session.get("http://example.com")).status

    assert await named() == 200

    @HTTPMock(param="foo")
    def other(bar: int) -> None: ...

    with pytest.raises(TypeError, match="got an unexpected keyword argument 'foo'"):
        other()


@pytest.mark.parametrize(
    "error", [Exception, Exception(), BaseException, BaseException(), asyncio.CancelledError, TimeoutError]
)
async def test_raising(error: Any) -> None:
    """Classes and instances of any exception are raised."""
    async with HTTPMock() as m, plain_client() as session:
        m.get("http://example.com", exception=error)
        with pytest.raises(error if isinstance(error, type) else type(error)):
            await session.get("http://example.com")


async def test_requests_are_kept() -> None:
    """What was sent is kept as it was, by method and URL, also for requests without an answer, or with an exception."""
    key = ("GET", URL("http://example.com/api?foo=bar"))
    async with HTTPMock() as m, plain_client() as session:
        m.get(key[1], status=201)
        m.get(key[1], exception=ValueError("oops"))
        content = [1]
        assert (await session.request("GET", key[1], json=content)).status == 201
        content[:] = [2]
        with pytest.raises(ValueError, match="oops"):
            await session.request("GET", key[1], json=content)
        with pytest.raises(ConnectionError):
            await session.get(key[1])
        assert [call.args for call in m.requests[key]] == [(), (), ()]
        assert [call.kwargs.get("json") for call in m.requests[key]] == [[1], [2], None]


@HTTPMock()
async def test_exceptions_in_the_middle_of_responses(m: HTTPMock) -> None:
    """Answers and exceptions may come in turns."""
    url = "http://example.com"
    for status in (204, None, 202, None):
        m.get(url, exception=ValueError("oops")) if status is None else m.get(url, payload={}, status=status)
    async with plain_client() as session:
        assert (await session.get(url)).status == 204
        with pytest.raises(ValueError, match="oops"):
            await session.get(url)
        assert (await session.get(url)).status == 202
        with pytest.raises(ValueError, match="oops"):
            await session.get(url)


@HTTPMock()
async def test_timeout(m: HTTPMock) -> None:
    """``timeout`` raises what a server that says nothing would."""
    m.get("http://example.com", timeout=True)
    async with plain_client() as session:
        with pytest.raises(asyncio.TimeoutError):
            await session.get("http://example.com")


async def test_callback_coroutine() -> None:
    """A callback may be a coroutine function, and wait."""
    event = asyncio.Event()

    async def wait(url: URL, **kwargs: Any) -> CallbackResult:
        await event.wait()
        return CallbackResult(body=b"New body")

    async with HTTPMock() as m, plain_client() as session:
        m.get("http://example.com", callback=wait)
        task = asyncio.create_task(session.get("http://example.com"))
        while not m.requests:
            await asyncio.sleep(0)
        assert not task.done()
        event.set()
        assert (await task).content == b"New body"


async def test_redirects() -> None:
    """A redirect has its history; one that leads to nothing that is registered is refused, one without Location not."""
    url = "http://10.1.1.1:8080/redirect"
    async with HTTPMock() as m, plain_client() as session:
        m.get(url, status=307, headers={"Location": "https://httpbin.org"})
        m.get("https://httpbin.org")
        response = await session.get(url)
        assert (response.status, str(response.url)) == (200, "https://httpbin.org/")
        assert [str(hop.url) for hop in response.history] == [url]

        m.get(url, status=307, headers={"Location": "https://httpbin.org"})
        with pytest.raises(ConnectionError):
            await session.get(url)

        m.get(url, status=307)
        assert str((await session.get(url)).url) == url


async def test_closed_client() -> None:
    """A client that is closed says so, whatever is registered."""
    session = AsyncHTTPClient()
    await session.close()
    async with HTTPMock() as m:
        m.get("http://example.com")
        with pytest.raises(Exception, match="closed"):
            await session.get("http://example.com")


# -- the tables of the differences

DOCUMENT = Path(__file__).parents[2] / "docs" / "testing.md"
OURS: dict[str, Any] = {
    "HTTPMock(...)": HTTPMock.__init__,
    "mock.add(...)": HTTPMock.add,
    "CallbackResult(...)": CallbackResult.__init__,
}
OURS["mock.assert_called_with(...)"] = HTTPMock.assert_called_with


def tables() -> dict[str, list[list[str]]]:
    """The rows of each table about aioresponses, by what stands at its head on the left."""
    found: dict[str, list[list[str]]] = {}
    rows: list[list[str]] = []
    section = DOCUMENT.read_text(encoding="utf-8").partition("### Coming from aioresponses")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            rows = []
        elif not rows:
            rows = found[cells[0]] = [cells]
        elif set(line) - set("|- "):
            rows.append(cells)
    return found


TABLES = tables()


def names(cell: str) -> set[str]:
    """The names between backticks."""
    return {word for span in re.findall(r"`([^`]+)`", cell) for word in re.findall(r"\w+", span)}


def theirs(path: str) -> set[str]:
    """What aioresponses has in the place of ``path``: parameters of a call, or names."""
    library = pytest.importorskip("aioresponses")
    found: Any = library
    *parents, last = path.removesuffix("(...)").split(".")
    for name in [*parents[1:], last]:
        found = getattr(found, name)
    if path == "aioresponses.aioresponses(...)":  # it takes what it likes from **kwargs
        return set(re.findall(r"kwargs\.pop\('(\w+)'", inspect.getsource(found)))
    if path.endswith("(...)"):
        parameters = inspect.signature(found).parameters.values()
        return {one.name for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD} - {"self"}
    return {name for name in {*dir(found), *vars(found())} if not name.startswith("_")}


@pytest.mark.parametrize("head", [head for head in TABLES if not head.startswith("module")])
def test_theirs_is_complete(head: str) -> None:
    """Each public name and each parameter of aioresponses 0.7.9 has a row."""
    found = theirs(head.strip("`"))
    assert found
    assert not found - {name for row in TABLES[head] for name in names(row[0])}


def test_their_module_is_complete() -> None:
    """So has each name of its module, and each class of the module that has them all."""
    library = pytest.importorskip("aioresponses")
    of_core = {"RequestCall"} | {
        name for name, thing in vars(library.core).items() if getattr(thing, "__module__", "") == library.core.__name__
    }
    public = {name for name in {*library.__all__, *of_core} if not name.startswith("_")}
    assert not public - {name for row in TABLES["module `aioresponses`"] for name in names(row[0])}


@pytest.mark.parametrize("row", [row for rows in TABLES.values() for row in rows[1:]], ids=lambda row: row[0])
def test_ours_exists(row: list[str]) -> None:
    """What a row names of ours is there, or it says that there is nothing."""
    (head,) = [rows[0][1].strip("`") for rows in TABLES.values() if row in rows]
    assert row[1].startswith("not here") or names(row[1])
    for span in re.findall(r"`([^`]+)`", row[1]):
        if span.endswith("="):
            assert span[:-1] in inspect.signature(OURS[head]).parameters
        elif span.startswith("mock."):
            assert hasattr(HTTPMock(), span.removeprefix("mock."))
        else:
            assert hasattr(testing, span)


@pytest.mark.parametrize("head", OURS)
def test_ours_is_complete(head: str) -> None:
    """Each of our parameters is beside something of theirs, or beside nothing."""
    (rows,) = [rows for rows in TABLES.values() if rows[0][1].strip("`") == head]
    named = {name for row in rows for name in names(row[1])}
    assert set(inspect.signature(OURS[head]).parameters) - {"self", "args"} <= named


# -- what is shown of ours


def blocks() -> list[str]:
    """The Python in the section about the mock."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("## A mock\n")[2].partition("\n## ")[0]
    return re.findall(r"(?ms)^```python\n(.*?)^```", section)


async def test_first_block() -> None:
    """The first test that is shown passes."""
    names: dict[str, Any] = {}
    exec(blocks()[0], names)
    await names["test_user"]()


ANSWERS: list[tuple[str, str, dict[str, Any], str]] = [
    ("GET", "/", {}, "404 not here"),
    ("GET", "/users", {}, '200 [{"name": "Joe"}]'),
    ("GET", "/users/7", {}, '200 {"name": "Joe"}'),
    ("GET", "/old", {}, '200 [{"name": "Joe"}]'),
    ("POST", "/login", {}, "200 "),
    ("POST", "/greet", {"json": {"name": "Joe"}}, "201 hello, Joe"),
    ("GET", "/down", {}, "ConnectionResetError: gone"),
    ("GET", "/slow", {}, "ReadTimeout: read timed out after 30 s (limit 30 s) for GET https://a.example/slow"),
    ("GET", "/lines", {}, "200 one line\nanother\n"),
    ("GET", "/pauses", {}, "TimeoutError: in the middle"),
    ("GET", "/cut", {}, "IncompleteRead: IncompleteRead(4 bytes read, 6 more expected)"),
]


async def test_answers_that_are_shown() -> None:
    """Each registration that is shown answers as it is said."""
    code = blocks()[1].replace("with HTTPMock() as mock:", "def register(mock):")
    names: dict[str, Any] = {}
    exec(code, names)
    async with HTTPMock(assert_all_called=True) as mock, plain_client() as client:
        names["register"](mock)
        for method, path, options, outcome in ANSWERS:
            try:
                response = await client.request(method, f"https://a.example{path}", **options)
                seen = f"{response.status} {response.text}"
            except Exception as error:  # noqa: BLE001  # it is the outcome
                seen = f"{type(error).__name__}: {error}"
            assert seen == outcome
        assert dict(client.cookies) == {"id": "1", "lang": "en"}
