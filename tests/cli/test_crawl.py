"""The command crawl."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPClient, bulk
from aiohttpclient.cli._crawl import Work, bound_settings
from aiohttpclient.cli._parser import parse
from aiohttpclient.testing import LoopbackServer, ServerResponse
from tests.cli.running import KINDS, names, ran

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PAGES = {"/": ("/a", "/docs/"), "/a": ("/b",), "/b": ("/",), "/docs/": ("x", "/a"), "/docs/x": ()}


def page(*links: str) -> ServerResponse:
    content = "".join(f'<a href="{link}">link</a>' for link in links)
    return ServerResponse(200, content, {"Content-Type": "text/html"})


pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])
"""The command has a loop of its own, whatever that of the server is."""


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    async with LoopbackServer() as server:
        server.route("/robots.txt")(lambda request: (404, b""))
        for path in PAGES:
            server.route(path)(lambda request: page(*PAGES[request.target]))
        yield server


def paths(server: LoopbackServer, out: bytes) -> list[str]:
    """The paths of the lines on stdout, in their order."""
    return [line.split("\t")[3].removeprefix(server.url) for line in out.decode().splitlines()]


async def test_a_site(server: LoopbackServer) -> None:
    """Each page of the host is fetched once, after robots.txt was asked for."""
    done = await ran("crawl", f"{server.url}/")
    assert (done.code, sorted(paths(server, done.out))) == (0, sorted(PAGES))
    assert done.err.startswith("5 done in ")
    assert server.requests[0].target == "/robots.txt"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--depth", "0"), ["/"]),
        (("--depth", "1"), ["/", "/a", "/docs/"]),
        (("--pages", "2", "-c", "1"), ["/", "/a"]),
        (("--pages-per-host", "1"), ["/"]),
        (("--follow", "prefix"), ["/", "/a", "/b", "/docs/", "/docs/x"]),
        (("--follow", "all"), ["/", "/a", "/b", "/docs/", "/docs/x"]),
        (("--follow", "example.org"), ["/"]),
        (("--follow", "{url}/docs/", "--follow", "example.org"), ["/", "/docs/", "/docs/x"]),
    ],
)
async def test_bounds(server: LoopbackServer, words: tuple[str, ...], found: list[str]) -> None:
    """It goes as far as it is told to."""
    done = await ran("crawl", f"{server.url}/", "-q", *(word.format(url=server.url) for word in words))
    assert sorted(paths(server, done.out)) == found


@pytest.mark.parametrize(("words", "total"), [((), 5), (("--pages", "2"), 2), (("--pages", "9"), 5)])
async def test_how_many_there_will_be(
    server: LoopbackServer, words: tuple[str, ...], total: int, tmp_path: Path
) -> None:
    """Progress is towards what is known, or towards --pages where more is known than that."""
    work = Work(parse(["crawl", f"{server.url}/", *words]))
    async with AsyncHTTPClient() as client, bulk.JSONLines(tmp_path / "o.jsonl") as sink:
        async with work.begin(client, sink) as pages:
            assert work.total() is None
            async for _ in pages:
                assert (work.total() or 0) <= total
            assert work.total() == total


async def test_several_seeds(server: LoopbackServer) -> None:
    """It begins with every URL; options may stand between."""
    done = await ran("crawl", f"{server.url}/docs/", "--follow", "prefix", "-q", f"{server.url}/b")
    assert sorted(paths(server, done.out)) == sorted(PAGES)


@pytest.mark.parametrize("name", KINDS)
async def test_kept(server: LoopbackServer, tmp_path: Path, name: str) -> None:
    """With -o pages are kept, and what is known beside them: it is gone on with only if that is said."""
    kind = KINDS[name]
    out = f"{tmp_path}/{name}"
    done = await ran("crawl", f"{server.url}/", "-o", out, "--pages", "2", "--json", "-q")
    assert json.loads(done.out).items() >= {"results": 2, "failed": 0, "statuses": {"200": 2}}.items()
    assert f"{name.rstrip('/')}.frontier" in names(tmp_path)
    done = await ran("crawl", f"{server.url}/", "-o", out)
    assert (done.code, done.err.count("\n"), "--resume" in done.err) == (10, 1, True)
    server.requests.clear()
    assert (await ran("crawl", f"{server.url}/", "-o", out, "--resume", "-q")).code == 0
    assert len([request for request in server.requests if request.target != "/robots.txt"]) == 3
    assert sorted(record.url for record in kind.read(out)) == sorted(f"{server.url}{path}" for path in PAGES)


async def test_results_that_are_gone(server: LoopbackServer, tmp_path: Path) -> None:
    """What is known to be done is nowhere any more: that is told, and not passed over."""
    out = tmp_path / "o.jsonl"
    assert (await ran("crawl", f"{server.url}/", "-o", str(out), "-q")).code == 0
    out.unlink()
    done = await ran("crawl", f"{server.url}/", "-o", str(out), "-q", "--resume")
    assert (done.code, done.err) == (
        10,
        f"aiohttpclient crawl: {out} is gone, and {out}.frontier tells what was in it: remove that to begin anew\n",
    )


async def test_a_frontier_of_ones_own(server: LoopbackServer, tmp_path: Path) -> None:
    """Without -o a frontier tells what was written to stdout before."""
    words = ("crawl", f"{server.url}/", "-q", "--frontier", f"{tmp_path}/f", "--pages")
    first = await ran(*words, "2")
    assert (await ran(*words, "4")).code == 10
    then = await ran(*words, "5", "--resume")
    assert sorted(paths(server, first.out + then.out)) == sorted(PAGES)


async def test_politeness(server: LoopbackServer) -> None:
    """robots.txt is minded, unless that is not wanted."""
    server.route("/robots.txt")(lambda request: b"User-agent: *\nDisallow: /docs/\n")
    done = await ran("crawl", f"{server.url}/", "-q")
    refused = [line for line in done.out.decode().splitlines() if line.startswith("RobotsDisallowed")]
    assert (done.code, len(refused)) == (0, 1)
    assert len((await ran("crawl", f"{server.url}/", "-q", "--no-robots")).out.splitlines()) == len(PAGES)


async def test_credentials_stay(server: LoopbackServer) -> None:
    """Whatever it follows, credentials go to where it began."""
    async with LoopbackServer() as other:
        other.route("/")(lambda request: page())
        server.route("/out")(lambda request: page(f"{other.url.replace('127.0.0.1', 'localhost')}/"))
        words = ("-u", "me:secret", "-H", "X-Token: t", "-b", "c=d", "--no-robots", "--follow", "all", "--depth", "1")
        assert (await ran("crawl", f"{server.url}/out", "-q", *words)).code == 0
        secrets = ("Authorization", "X-Token", "Cookie")
        assert [name for name in secrets if name in server.requests[0].headers] == list(secrets)
        assert not [name for name in secrets if name in other.requests[0].headers]


async def test_credentials_are_for_where_it_begins() -> None:
    """Where it begins is known by the spelling that requests have."""
    args = Namespace(url=["HTTP://\u00c4x.example"], cookie=[("c", "d")])
    settings = bound_settings(args, {"auth": None, "headers": [("X-Token", "t")]})
    assert [cookie.domain for cookie in settings["cookies"]] == ["xn--x-zfa.example"]
    assert settings["middlewares"][0].origins == {
        ("http", "xn--x-zfa.example", 80),
        ("https", "xn--x-zfa.example", 443),
    }
    assert bound_settings(Namespace(url=["http://h/"], cookie=[]), {"auth": None, "headers": [("X", "t")]}) == {}


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("ftp://h/",),
        ("http://me:hunter2@h/",),
        ("http://h/", "--follow", "host", "--follow", "example.org"),
        ("http://h/", "--follow", "::"),
        ("http://h/", "--follow", ""),
        ("http://h/", "--follow", "*.example.org"),
        ("http://h/", "--resume"),
        ("http://h/", "--frontier", "/no/such/f"),
        ("http://h/", "--frontier", "nul\0"),
        ("http://h/", "--frontier", ""),
        ("http://h/", "--frontier", "."),
        ("http://h/", "-o", "x"),
        ("http://h/", "--depth", "-1"),
        ("http://h/", "--pages", "0"),
        ("http://h/", "-A", ""),
        ("http://h/", "-o", "a.db", "--frontier", "./a.db"),
    ],
)
async def test_what_cannot_be_meant(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be done is told in one line, before anything is asked for, or made."""
    monkeypatch.chdir(tmp_path)
    out = () if "-o" in words or "--resume" in words else ("-o", "out.sqlite")
    done = await ran("crawl", *words, *out)
    assert names(tmp_path) == []
    assert (done.code, done.out, done.err.count("\n")) == (2, b"", 1)
    assert "hunter2" not in done.err
    assert " follow=" not in done.err
