"""The command fetch."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, bulk
from aiohttpclient.cli import main
from aiohttpclient.testing import LoopbackServer, ServerRequest, ServerResponse
from tests.cli.running import KINDS, names, ran

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])
"""The command has a loop of its own, whatever that of the server is."""


@pytest.fixture
async def server() -> AsyncIterator[LoopbackServer]:
    async with LoopbackServer() as server:
        for name in "abc":
            server.route(f"/{name}")(lambda request: request.target.encode())
        yield server


def listed(server: LoopbackServer, folder: Path, *paths: str) -> str:
    """A file of URLs; its path."""
    path = folder / "urls.txt"
    path.write_text("".join(f"{server.url}{one}\n" for one in paths), encoding="utf-8")
    return str(path)


async def test_lines(server: LoopbackServer, tmp_path: Path) -> None:
    """Without -o there is a line on stdout for each URL: status, size, seconds, URL; and a summary on stderr."""
    server.route("/none")(lambda request: (404, b""))
    urls = listed(server, tmp_path, "/a", "/b", "/none")
    done = await ran("fetch", urls)
    rows = [line.split("\t") for line in done.out.decode().splitlines()]
    assert sorted((row[0], row[1], row[3]) for row in rows) == [
        ("200", "2", f"{server.url}/a"),
        ("200", "2", f"{server.url}/b"),
        ("404", "0", f"{server.url}/none"),
    ]
    assert all(float(row[2]) >= 0 for row in rows)
    assert (done.code, done.err[:7]) == (0, "3 done ")
    done = await ran("fetch", urls, "-q", "--fail", "--ordered")
    assert (done.code, done.err) == (1, "")
    assert [line.split("\t")[0] for line in done.out.decode().splitlines()] == ["200", "200", "404"]


async def test_json(server: LoopbackServer, tmp_path: Path) -> None:
    """With --json each line is one of JSON, as a sink writes them; with -o there is one object about all."""
    urls = listed(server, tmp_path, "/a", "/b")
    done = await ran("fetch", urls, "--json", "-q", "--ordered")
    (tmp_path / "copy.jsonl").write_bytes(done.out)
    assert [record.text for record in bulk.JSONLines.read(tmp_path / "copy.jsonl")] == ["/a", "/b"]
    told = json.loads((await ran("fetch", urls, "--json", "-q", "-o", f"{tmp_path}/o.jsonl")).out)
    assert told.items() >= {"results": 2, "failed": 0, "bytes": 4, "statuses": {"200": 2}, "errors": {}}.items()
    assert told["output"] == f"{tmp_path}/o.jsonl"


@pytest.mark.parametrize("name", KINDS)
async def test_kept(server: LoopbackServer, tmp_path: Path, name: str) -> None:
    """With -o results are kept, each URL once; what is there is not touched without --resume, and gone on with else."""
    urls = listed(server, tmp_path, "/a", "/b", "/a")
    kind = KINDS[name]
    out = f"{tmp_path}/{name}"
    assert (await ran("fetch", urls, "-o", out, "-q")) == (0, b"", "")
    assert sorted(record.text for record in kind.read(out)) == ["/a", "/b"]
    done = await ran("fetch", urls, "-o", out)
    assert (done.code, done.err) == (10, f"aiohttpclient fetch: {out} is there already: --resume goes on with it\n")
    listed(server, tmp_path, "/a", "/c")
    server.requests.clear()
    done = await ran("fetch", urls, "-o", out, "--resume")
    assert [request.target for request in server.requests] == ["/c"]
    assert done.err.startswith(f"{out}: 2 done before, 0 failed\n1 done in ")
    assert sorted(record.text for record in kind.read(out)) == ["/a", "/b", "/c"]


async def test_what_failed_is_repeated(server: LoopbackServer, tmp_path: Path) -> None:
    """What has no answer, or one that says later, makes it 1, and --resume asks for that again, and for no more."""
    up: list[str] = []
    server.route("/broken")(lambda request: (200 if up else 500, b""))
    urls, out = listed(server, tmp_path, "/a", "/broken"), f"{tmp_path}/o.jsonl"
    assert (await ran("fetch", urls, "-o", out, "-q")).code == 1
    up.append("now")
    server.requests.clear()
    assert (await ran("fetch", urls, "-o", out, "-q", "--resume")).code == 0
    assert [request.target for request in server.requests] == ["/broken"]
    assert names(tmp_path) == ["o.jsonl", "urls.txt"]


async def test_bad_lines(server: LoopbackServer, tmp_path: Path) -> None:
    """A line that is no URL is a result with an error, and told with its place; a few of them only, and no secrets."""
    path = tmp_path / "urls.txt"
    path.write_bytes(b"# URLs\n\nnonsense\nftp://me:hunter2@h/\n" + f"{server.url}/a\n".encode() + b"x\n" * 20)
    done = await ran("fetch", str(path))
    told = done.err.splitlines()
    assert told[0].startswith(f"aiohttpclient fetch: {path}:3: an absolute URL")
    assert told[1].startswith(f"aiohttpclient fetch: {path}:4: an absolute URL")
    assert told[10] == "aiohttpclient fetch: 12 more lines like this are not told"
    assert (done.code, done.out.count(b"InvalidURL"), done.out.count(b"\n")) == (1, 22, 23)
    assert "hunter2" not in done.err + done.out.decode()


async def test_a_request_of_ones_own(server: LoopbackServer, tmp_path: Path) -> None:
    """Method, fields, cookies and parameters are those that were said, each time."""
    urls = listed(server, tmp_path, "/a", "/b")
    done = await ran("fetch", urls, "-q", "-X", "put", "-H", "X: y", "-b", "c=d", "-p", "e=f", "-A", "me/1")
    assert done.code == 0
    assert sorted((one.method, one.target) for one in server.requests) == [("PUT", "/a?e=f"), ("PUT", "/b?e=f")]
    fields = {(one.headers["X"], one.headers["Cookie"], one.headers["User-Agent"]) for one in server.requests}
    assert fields == {("y", "c=d", "me/1")}


async def test_robots(server: LoopbackServer, tmp_path: Path) -> None:
    """With --robots what robots.txt forbids is not asked for."""
    server.route("/robots.txt")(lambda request: b"User-agent: me\nDisallow: /b\n")
    done = await ran("fetch", listed(server, tmp_path, "/a", "/b"), "-q", "--robots", "-A", "me/1.0")
    assert sorted(line.split("\t")[0] for line in done.out.decode().splitlines()) == ["200", "RobotsDisallowed"]
    assert "/b" not in [request.target for request in server.requests]


async def test_a_report(server: LoopbackServer, tmp_path: Path) -> None:
    """--report writes a page about it."""
    await ran("fetch", listed(server, tmp_path, "/a"), "-q", "--report", f"{tmp_path}/report.html")
    assert "<svg" in (tmp_path / "report.html").read_text(encoding="utf-8")
    done = await ran("fetch", listed(server, tmp_path, "/a"), "--report", f"{tmp_path}/none/report.html")
    assert (done.code, done.out, done.err.count("\n")) == (2, b"", 1)


async def test_conversation(server: LoopbackServer, tmp_path: Path) -> None:
    """-v tells requests and answers."""
    done = await ran("fetch", listed(server, tmp_path, "/a"), "-v")
    assert {"> GET /a HTTP/1.1", "< HTTP/1.1 200 OK"} <= set(done.err.splitlines())


async def test_several_files(server: LoopbackServer, tmp_path: Path) -> None:
    """Files are read one after the other, and stdin among them; options may stand between."""
    urls = listed(server, tmp_path, "/a")
    done = await ran("fetch", urls, "--ordered", "-", "-q", urls, stdin=f"{server.url}/b\n".encode())
    assert [line.rpartition("/")[2] for line in done.out.decode().splitlines()] == ["a", "b", "a"]


@pytest.mark.skipif(sys.platform == "win32", reason="the pipe is one of Unix")
async def test_stdin_while_it_is_written(server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes through stdin is fetched when it comes, and the answer is there before the next line."""
    reads, writes = os.pipe()
    told, tells = os.pipe()
    with os.fdopen(reads) as stdin, os.fdopen(tells, "w") as stdout, os.fdopen(told, "rb") as answers:
        monkeypatch.setattr(sys, "stdin", stdin)
        monkeypatch.setattr(sys, "stdout", stdout)
        command = asyncio.ensure_future(asyncio.to_thread(main, ["fetch", "-", "-q"]))
        for name in "abc":
            os.write(writes, f"{server.url}/{name}\n".encode())
            assert (await asyncio.to_thread(answers.readline)).endswith(f"/{name}\n".encode())
        os.write(writes, f"{server.url}/last, without an end".encode())
        os.close(writes)
        assert await command == 0
        assert server.requests[-1].target == "/last,%20without%20an%20end"


@pytest.mark.parametrize(
    "words",
    [
        ("no such file",),
        (".",),
        ("http://me:hunter2@h/",),
        ("-", "-"),
        ("-", "--resume"),
        ("-", "-o", "x"),
        ("-", "-c", "10001"),
        ("-", "-c", "0"),
        ("-", "--rate", "0"),
        ("-", "-A", ""),
        ("-", "-X", "A B"),
        ("-", "--cluster", "tcp://127.0.0.1:1", "-k"),
        ("-", "--cluster", "http://h/"),
        ("-", "--header", "a"),
        ("-", "--report", "no/such/report.html"),
        ("-", "-o", "a.db", "--report", "./a.db"),
    ],
)
async def test_what_cannot_be_meant(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be done is told in one line, before anything is asked for, or made."""
    monkeypatch.chdir(tmp_path)
    out = () if "-o" in words or "--resume" in words else ("-o", "out.sqlite")
    done = await ran("fetch", *words, *out, stdin=b"http://127.0.0.1:1/\n")
    assert names(tmp_path) == []
    assert (done.code, done.out, done.err.count("\n")) == (2, b"", 1)
    assert "hunter2" not in done.err


async def test_a_cluster(server: LoopbackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --cluster the workers of one are asked, each with a client that has the settings that were said."""
    fetch, seen = bulk.fetch, dict[str, Any]()

    def on_cluster(items: Any, *, cluster: str, client: dict[str, Any], **settings: Any) -> bulk.Fetch:
        seen.update(cluster=cluster, client=AsyncHTTPClient(**pickle.loads(pickle.dumps(client))), **settings)
        return fetch(items, **settings)

    monkeypatch.setattr(bulk, "fetch", on_cluster)
    words = ("--cluster", "tcp://h:8786", "-c", "7", "-H", "X: y", "-u", "me:secret", "-x", "none", "-v", "-t", "5")
    done = await ran("fetch", listed(server, tmp_path, "/a"), "-q", *words)
    assert (done.code, seen["cluster"], seen["concurrency"]) == (0, "tcp://h:8786", 7)
    assert seen["client"].headers["X"] == "y"


async def test_no_list_of_urls(server: LoopbackServer, tmp_path: Path) -> None:
    """What turns out to be no list of URLs ends it; what was done until then is kept."""
    path = tmp_path / "urls.txt"
    path.write_bytes(f"{server.url}/a\n".encode() + b"x" * 3_000_000)
    done = await ran("fetch", str(path), "-q", "-o", f"{tmp_path}/o.jsonl")
    assert (done.code, done.err) == (2, f"aiohttpclient fetch: {path}:2: so long is no URL, and this no list of them\n")
    assert [record.text for record in bulk.JSONLines.read(tmp_path / "o.jsonl")] == ["/a"]


async def test_another_file(server: LoopbackServer, tmp_path: Path) -> None:
    """A file that is something else is left as it is."""
    (tmp_path / "o.jsonl").write_text('{"mine": 1}\n')
    done = await ran("fetch", listed(server, tmp_path, "/a"), "-o", f"{tmp_path}/o.jsonl", "--resume")
    assert (done.code, done.err.count("\n")) == (10, 1)
    assert (tmp_path / "o.jsonl").read_text() == '{"mine": 1}\n'


async def test_a_bad_line_of_stdin() -> None:
    """A line of stdin is told as one."""
    assert (await ran("fetch", "-", stdin=b"\nx\n")).err.startswith("aiohttpclient fetch: stdin:2: an absolute URL")


async def test_redirects_and_large_bodies(server: LoopbackServer, tmp_path: Path) -> None:
    """Redirects are followed unless that is not wanted, and what is too large is an error."""

    @server.route("/old")
    async def old(request: ServerRequest) -> ServerResponse:
        return ServerResponse(302, b"", {"Location": "/a"})

    urls = listed(server, tmp_path, "/old")
    assert (await ran("fetch", urls, "-q")).out.startswith(b"200\t2\t")
    assert (await ran("fetch", urls, "-q", "--no-redirects")).out.startswith(b"302\t0\t")
    done = await ran("fetch", urls, "-q", "--max-body", "1")
    assert (done.code, done.out.split(b"\t")[0]) == (1, b"BodyTooLarge")
