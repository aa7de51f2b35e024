"""What the documents say: code that compiles, names that exist, and tables that leave nothing out."""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.util
import inspect
import io
import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import aiohttpclient
from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    AsyncHTTPResponse,
    AsyncHTTPSConnection,
    CookieJar,
    Request,
    Response,
    ResponseStream,
    bulk,
)
from aiohttpclient.client import RequestOptions
from tests.support.cases import for_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[1]
COMING_FROM = ROOT / "docs" / "coming-from.md"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

NOT_HERE = "not here"
"""How a cell begins that has no counterpart to name."""


# -- reading


class Row(NamedTuple):
    """One row of a table: the cells for theirs, for ours, and the reason."""

    section: str
    head: str
    ours_head: str
    theirs: str
    ours: str
    reason: str

    def __str__(self) -> str:
        return f"{self.section}: {self.theirs[:60]}"


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _rows(text: str) -> Iterator[Row]:
    section, head = "", None
    for line in text.splitlines():
        if line.startswith("## "):
            section = line[3:]
        if not line.startswith("|"):
            head = None
        elif head is None:
            head = _cells(line)
        elif set(line) - set("|- "):
            yield Row(section, head[0], head[1], *_cells(line))


def _spans(cell: str) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def _words(rows: list[Row]) -> set[str]:
    """The names in their column."""
    return {word for row in rows for span in _spans(row.theirs) for word in re.findall(r"\w+", span)}


ROWS = list(_rows(COMING_FROM.read_text(encoding="utf-8")))


# -- code


def _blocks(path: Path) -> list[str]:
    return re.findall(r"(?ms)^```python\n(.*?)^```", path.read_text(encoding="utf-8"))


BLOCKS = [pytest.param(code, id=f"{path.name}-{n}") for path in DOCUMENTS for n, code in enumerate(_blocks(path), 1)]


@pytest.mark.parametrize("code", BLOCKS)
def test_code_compiles(code: str) -> None:
    """Each block of Python compiles, and what it imports of the library exists."""
    tree = ast.parse(code)
    compile(tree, "block", "exec")
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("aiohttpclient"):
            module = importlib.import_module(node.module or "")
            names = [alias.name for alias in node.names if not hasattr(module, alias.name)]
            assert not [name for name in names if not importlib.util.find_spec(f"{node.module}.{name}")]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """A link to a file, or to a heading of a document, leads to one."""
    for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        other = path.parent / name if name else path
        assert other.exists(), target
        assert not heading or heading in _headings(other), target


def _headings(path: Path) -> set[str]:
    """What links to the headings of a document end with."""
    titles = re.findall(r"(?m)^#+ (.*)$", path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


def test_the_readme_leads_everywhere() -> None:
    """Each document is linked from README.md."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in DOCUMENTS if path.parent.name == "docs" and f"(docs/{path.name})" not in text] == []


@pytest.mark.parametrize("path", [*DOCUMENTS, ROOT / "CHANGELOG.md"], ids=lambda path: path.name)
def test_nothing_is_said_twice(path: Path) -> None:
    """No long line outside of code and tables stands in a document twice, as where two changes were put together."""
    prose = re.sub(r"(?ms)^```.*?^```", "", path.read_text(encoding="utf-8"))
    lines = [line for line in prose.splitlines() if len(line) > 50 and not line.startswith("|")]
    assert sorted({line for line in lines if lines.count(line) > 1}) == []


# -- our names


class NotThere(AssertionError):
    """A document names something that does not exist."""


PLACEHOLDERS = {"url", "data", "buffer"}
"""Names that stand for what the caller has."""

RECEIVERS: dict[str, Any] = {
    "client": AsyncHTTPClient(trust_env=False),  # it is never used, so there is nothing to close
    "response": Response,
    "stream": ResponseStream,
    "request": Request,
    "jar": CookieJar,
    "conn": AsyncHTTPSConnection,
    "bulk": bulk,
    "page": bulk.Page,
}

OF_THE_CONNECTION = "http.client"
"""The section in which a response is that of the connection level."""

SUB_PACKAGES = ("aiohttpclient.client", "aiohttpclient.net", "aiohttpclient.pool")
"""Where names are imported from that the package itself does not have; the row says so."""


class Names:
    """What the names in one row stand for."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.receivers = RECEIVERS | ({"response": AsyncHTTPResponse} if row.section == OF_THE_CONNECTION else {})

    def check(self, span: str) -> None:
        """Refuse what does not exist in ``span``: ``name=``, a keyword of what stands at the head, or Python."""
        if re.fullmatch(r"\w+=", span):
            self._check_keywords(self._head(), {span[:-1]})
            return
        for node in ast.walk(_parsed(span)):
            if isinstance(node, ast.Call):
                self._check_keywords(self._find(node.func), {word.arg for word in node.keywords if word.arg})
            elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load):
                self._find(node)

    def _head(self) -> Any:
        (span,) = _spans(self.row.ours_head)
        return self._find(ast.parse(span.removesuffix("(...)"), mode="eval").body)

    def _find(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Attribute):
            return self._attribute(self._find(node.value), node.attr)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        raise NotThere(f"{ast.unparse(node)} is more than a name: say it in another way")

    def _attribute(self, holder: Any, name: str) -> Any:
        if isinstance(holder, property) or not hasattr(holder, name):
            raise NotThere(f"{holder!r} has no {name!r}")
        return getattr(holder, name)

    def _name(self, name: str) -> Any:
        if name in PLACEHOLDERS:
            return None
        if name in self.receivers:
            return self.receivers[name]
        modules = [aiohttpclient, builtins]
        modules += [importlib.import_module(one) for one in SUB_PACKAGES if one in self.row.ours + self.row.reason]
        for module in modules:
            if hasattr(module, name):
                return getattr(module, name)
        known = {"aiohttpclient": aiohttpclient, "ssl": ssl}
        if name not in known:
            raise NotThere(f"there is no {name!r}")
        return known[name]

    def _check_keywords(self, call: Any, names: set[str]) -> None:
        if unknown := names - _keywords(call):
            raise NotThere(f"{call!r} has no keywords {unknown}")


def _parsed(span: str) -> ast.AST:
    """``span`` as Python: an expression, or the first line of a block, in which something may be awaited."""
    for body in (span, f"{span}: pass"):
        try:
            return ast.parse(f"async def doc():\n    {body}")
        except SyntaxError:
            continue
    raise NotThere(f"{span!r} is not Python")


def _keywords(call: Any) -> set[str]:
    """The names of the parameters of ``call``, those of ``**options`` among them."""
    parameters = inspect.signature(call).parameters.values()
    names = {one.name for one in parameters if one.kind is not one.VAR_KEYWORD}
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        options = AsyncHTTPConnection if call is AsyncHTTPSConnection else None
        names |= set(RequestOptions.__annotations__) if options is None else _keywords(options)
    return names


@for_each(ROWS, ids=str)
def test_ours_exists(row: Row) -> None:
    """What a row names of ours exists: names, attributes, and keywords; or the row says that there is nothing."""
    names = Names(row)
    assert row.theirs
    assert _spans(row.ours) or row.ours.startswith(NOT_HERE), row.ours
    for span in _spans(row.ours):
        names.check(span)


OURS = [row for row in ROWS if row.ours_head in ("`AsyncHTTPClient(...)`", "`client.request(...)`")]


@pytest.mark.parametrize("head", sorted({row.head for row in OURS}))
def test_ours_is_complete(head: str) -> None:
    """Beside each constructor and each request of theirs, all our keywords are listed."""
    rows = [row for row in OURS if row.head == head]
    named = {span.removesuffix("=") for row in rows for span in _spans(row.ours)}
    assert _keywords(Names(rows[0])._head()) - {"self"} <= named


@pytest.mark.parametrize("name", ["client", "response", "stream"])
def test_everything_is_named(name: str) -> None:
    """Whatever is public of a client, a response and a stream is named in some row."""
    named = {found for row in ROWS for span in _spans(row.ours) for found in re.findall(rf"\b{name}\.(\w+)", span)}
    assert _public(RECEIVERS[name]) <= named


@pytest.mark.parametrize(
    ("span", "there"),
    [
        ("retries=", True),
        ("verify=", False),
        ("client.get", True),
        ("client.fetch", False),
        ("client.pool.stats()", True),
        ("client.pool.spare()", False),
        ("await response.json()", False),
        ("response.url.host", False),
        ("async with client.stream(method='GET', url=url) as stream", True),
        ("async with client.stream(verify=False) as stream", False),
        ("async for line in stream.iter_lines()", True),
        ("Timeout(total=1)", True),
        ("Timeout(all=1)", False),
        ("TCPDialer()", False),
        ("FormData", False),
        ("a b", False),
    ],
)
def test_the_check_can_fail(span: str, there: bool) -> None:
    """A name, an attribute or a keyword that does not exist is found, wherever it stands."""
    names = Names(Row("requests", "theirs", "`AsyncHTTPClient(...)`", "`x`", f"`{span}`", ""))
    if there or span == "await response.json()":  # that nothing is to be awaited is not seen here
        names.check(span)
    else:
        with pytest.raises(NotThere):
            names.check(span)


# -- their names


def _parameters(call: Any) -> set[str]:
    parameters = inspect.signature(call).parameters.values()
    return {one.name for one in parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)} - {"self"}


def _public(thing: Any) -> set[str]:
    return {name for name in dir(thing) if not name.startswith("_")}


def _find(path: str, library: str) -> Any:
    """What ``path`` stands for, where ``library`` has the place of its first name."""
    module, *names = path.split(".")
    found: Any = importlib.import_module(library)
    assert library.startswith(module)
    for name in names:
        found = getattr(found, name, None) or importlib.import_module(f"{found.__name__}.{name}")
    return found


def _of_an_answer(response: Any) -> set[str]:
    """With the attributes that a response of ``http.client`` has once its head was read."""

    class Socket:
        def makefile(self, mode: str) -> io.BytesIO:
            return io.BytesIO(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    answer = response(Socket())
    answer.begin()
    return _public(answer)


def _defined(module: Any) -> set[str]:
    """The classes that a module without ``__all__`` has of its own."""
    return {name for name in _public(module) if getattr(getattr(module, name), "__module__", "") == module.__name__}


def _request_of_aiohttp(session: Any) -> set[str]:
    return _parameters(session._request)  # what `request` hands its keywords to


THEIRS: dict[str, Callable[[Any], set[str]]] = {
    "http.client.HTTPConnection(...)": _parameters,
    "http.client.HTTPSConnection(...)": _parameters,
    "http.client.HTTPConnection": _public,
    "http.client.HTTPResponse": _of_an_answer,
    "http.client": lambda module: set(module.__all__),
    "requests": lambda module: set(vars(module.api)) & {"get", "post", "put", "patch", "delete", "head", "options"},
    "requests.Session": lambda session: _public(session) | set(session.__attrs__),
    "requests.Session.request(...)": _parameters,
    "requests.Response": lambda response: _public(response()),
    "requests.Request(...)": _parameters,
    "requests.PreparedRequest": lambda prepared: _public(prepared()) - {"hooks"},
    "requests.adapters.HTTPAdapter(...)": _parameters,
    "httpx.AsyncClient(...)": _parameters,
    "httpx.AsyncClient.request(...)": _parameters,
    "httpx.AsyncClient.send(...)": _parameters,
    "httpx.AsyncClient": lambda client: _public(client(trust_env=False)),
    "httpx.Response": lambda response: _public(response(200)),
    "httpx.Limits(...)": _parameters,
    "httpx.Timeout(...)": _parameters,
    "httpx.AsyncHTTPTransport(...)": _parameters,
    "urllib3.util.Retry(...)": _parameters,
    "aiohttp.ClientSession(...)": _parameters,
    "aiohttp.ClientSession.request(...)": lambda _: _request_of_aiohttp(
        importlib.import_module("aiohttp").ClientSession
    ),
    "aiohttp.ClientSession": _public,
    "aiohttp.ClientResponse": _public,
    "aiohttp.StreamReader": _public,
    "aiohttp.TCPConnector(...)": _parameters,
    "aiohttp.ClientTimeout(...)": _parameters,
    "aiohttp.CookieJar(...)": _parameters,
    "aiohttp.TraceConfig": lambda config: {name for name in _public(config) if name.startswith("on_")},
}
"""The tables by what stands at their head, and what is to be found in each."""

ALIKE = {
    "http": ["http"],
    "requests": ["requests"],
    "urllib3": ["urllib3"],
    "httpx": ["httpx", "httpx2"],
    "aiohttp": ["aiohttp"],
}
"""Libraries that one table is about."""

INSTALLED = [
    pytest.param(path, library, id=f"{library}: {path}")
    for path in THEIRS
    for library in ALIKE[path.partition(".")[0]]
    if importlib.util.find_spec(library)
]


@pytest.mark.parametrize(("path", "library"), INSTALLED)
def test_theirs_is_complete(path: str, library: str) -> None:
    """What the installed version of a library has is in the table about it, so that what is new is noticed."""
    thing = _find(path.removesuffix("(...)"), library)
    rows = [row for row in ROWS if path in _spans(row.head)]
    assert rows, f"there is no table about {path}"
    assert not THEIRS[path](thing) - _words(rows)


def test_settings_of_scrapy_exist() -> None:
    """The settings that the table about scrapy names are some of its own."""
    settings = pytest.importorskip("scrapy.settings.default_settings")
    named = {word for row in ROWS if row.section == "scrapy" for word in _spans(row.theirs) if word.isupper()}
    assert len(named) > 20
    assert sorted(name for name in named if not hasattr(settings, name)) == []


VERBS = ["get", "post", "put", "patch", "delete", "head", "options"]

SAME_AS_ANOTHER = {
    "httpx.AsyncClient.request": ["stream", "build_request", *VERBS],
    "requests.Session.request": VERBS,
}
"""Calls whose keywords are those of another, whose table is theirs too."""

CALLS = [
    pytest.param(path, call, library, id=f"{library}: {path} as {call}")
    for path, calls in SAME_AS_ANOTHER.items()
    for call in calls
    for library in ALIKE[path.partition(".")[0]]
    if importlib.util.find_spec(library)
]


@pytest.mark.parametrize(("path", "call", "library"), CALLS)
def test_theirs_takes_no_more(path: str, call: str, library: str) -> None:
    """The siblings of a call have no keyword that is not in its table."""
    rows = [row for row in ROWS if f"{path}(...)" in _spans(row.head)]
    holder = _find(path.rpartition(".")[0], library)
    assert sorted(_parameters(getattr(holder, call)) - _words(rows)) == []


NAMES_OF: dict[str, Callable[[Any], set[str]]] = {
    "requests": lambda module: set(getattr(module, "__all__", ())) or _defined(module),
    "requests.exceptions": _defined,
    "httpx": lambda module: {name for name in module.__all__ if not name.startswith("__")},
    "aiohttp": lambda module: set(module.__all__),
}
"""Modules, and what they have to offer."""

MODULES = [
    pytest.param(path, library, id=f"{library}: {path}")
    for path in NAMES_OF
    for library in ALIKE[path.partition(".")[0]]
    if importlib.util.find_spec(library)
]


@pytest.mark.parametrize(("path", "library"), MODULES)
def test_every_name_of_theirs(path: str, library: str) -> None:
    """What a module of theirs offers stands somewhere in the section about it."""
    section = path.partition(".")[0]
    rows = [row for row in ROWS if row.section == section]
    assert sorted(NAMES_OF[path](_find(path, library)) - _words(rows)) == []
