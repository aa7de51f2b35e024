"""get, head, post and their siblings, against a server."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import Close, CutBody, LoopbackServer, ServerRequest, ServerResponse, Stall
from tests.cli.running import ran

if TYPE_CHECKING:
    from pathlib import Path


def echo(request: ServerRequest) -> dict[str, object]:
    fields = {name.lower(): value for name, value in request.headers.items()}
    return {"method": request.method, "target": request.target, "fields": fields, "body": request.body.decode()}


async def test_a_body_is_unharmed() -> None:
    """Stdout is the body, byte for byte, and nothing else; stderr is empty."""
    body = bytes(range(256)) * 5000
    async with LoopbackServer() as server:
        server.route("/")(lambda request: body)
        assert await ran("get", f"{server.url}/") == (0, body, "")


async def test_what_is_asked_for() -> None:
    """Method, parameters, fields, cookies and body are what was said."""
    async with LoopbackServer() as server:
        server.route("/a")(echo)
        words = ("-p", "x=1 2", "-p", "x=3", "-H", "X-One: 1", "-b", "c=d", "-A", "me", "-j", '{"a": 1}')
        done = await ran("patch", f"{server.url}/a?y", *words)
        told = json.loads(done.out)
        assert (told["method"], told["target"], told["body"]) == ("PATCH", "/a?y&x=1+2&x=3", '{"a": 1}')
        wanted = {"x-one": "1", "cookie": "c=d", "user-agent": "me", "content-type": "application/json"}
        assert told["fields"].items() >= wanted.items()


@pytest.mark.parametrize("command", ["get", "post", "put", "patch", "delete", "options"])
async def test_methods(command: str) -> None:
    """A command is its method."""
    async with LoopbackServer() as server:
        server.route("/")(echo)
        assert json.loads((await ran(command, f"{server.url}/")).out)["method"] == command.upper()


async def test_head() -> None:
    """``head`` writes the head, line by line as it came."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: ServerResponse(200, b"four", {"X": "y\x80"}))
        done = await ran("head", f"{server.url}/")
        assert done.out.splitlines() == [b"HTTP/1.1 200 OK", b"X: y\x80", b"Content-Length: 4", b""]


async def test_include() -> None:
    """``-i`` writes the head before the body."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"body")
        done = await ran("get", f"{server.url}/", "-i")
        assert done.out == b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"


async def test_forms_and_stdin(tmp_path: Path) -> None:
    """Forms have fields and files; a body can come from stdin."""
    (tmp_path / "a.txt").write_bytes(b"of a file")
    async with LoopbackServer() as server:
        server.route("/")(echo)
        done = await ran("post", f"{server.url}/", "-d", "a=b", "-F", f"f=@{tmp_path}/a.txt", "-F", "g=@-", stdin=b"in")
        told = json.loads(done.out)
        assert told["fields"]["content-type"].startswith("multipart/form-data")
        assert 'name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\nof a file' in told["body"]
        assert 'name="g"; filename="g"' in told["body"]
        told = json.loads((await ran("put", f"{server.url}/", "-c", "@-", stdin=b"piped")).out)
        assert told["body"] == "piped"


async def test_status() -> None:
    """A status of 400 or above is an answer; with --fail it is exit code 1, told in one line, without a body."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: (404, b"nothing here"))
        assert await ran("get", f"{server.url}/") == (0, b"nothing here", "")
        done = await ran("get", f"{server.url}/", "--fail")
        assert done == (1, b"", f"aiohttpclient get: 404 Not Found for GET {server.url}/\n")


async def test_json() -> None:
    """``--json`` is one object of what came: a body that is text as text, another in base64."""
    async with LoopbackServer() as server:
        server.route("/text")(lambda request: ServerResponse(201, "é", {"X": "1"}))
        server.route("/bytes")(lambda request: b"\xff\0")
        server.route("/old")(lambda request: ServerResponse(302, b"", {"Location": "/text?token=hunter2"}))
        told = json.loads((await ran("get", f"{server.url}/old", "--json")).out)
        assert (told["status"], told["text"], told["size"]) == (201, "é", 2)
        assert told["url"] == f"{server.url}/text?token=***"
        assert ["X", "1"] in told["headers"]
        assert told["history"] == [{"status": 302, "location": "/text?token=hunter2"}]
        assert told["timings"]["total"] > 0
        assert json.loads((await ran("get", f"{server.url}/bytes", "--json")).out)["base64"] == "/wA="


async def test_json_and_a_file(tmp_path: Path) -> None:
    """With ``-o`` the object has the path and the size, and the file has the body."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"body")
        told = json.loads((await ran("get", f"{server.url}/", "--json", "-o", str(tmp_path / "f"))).out)
        assert (told["path"], told["size"], (tmp_path / "f").read_bytes()) == (str(tmp_path / "f"), 4, b"body")
        assert "text" not in told
        assert (await ran("get", f"{server.url}/", "--json", "-o", "-")).code == 2


async def test_timings() -> None:
    """``--timings`` is a table on stderr of what took how long."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"body")
        done = await ran("get", f"{server.url}/", "--timings")
        names = [line.split()[0] for line in done.err.splitlines()]
        assert names == ["pool", "dns", "connect", "tls", "send", "wait", "receive", "total", "to"]
        assert done.out == b"body"


async def test_compression() -> None:
    """A body is decoded, unless --raw is given."""
    import gzip

    data = gzip.compress(b"plain")
    async with LoopbackServer() as server:
        server.route("/")(lambda request: ServerResponse(200, data, {"Content-Encoding": "gzip"}))
        assert (await ran("get", f"{server.url}/")).out == b"plain"
        assert (await ran("get", f"{server.url}/", "--raw")).out == data


async def test_redirects() -> None:
    """Redirects are followed, so many as are allowed, or not at all."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: ServerResponse(302, b"old", {"Location": "/1"}))
        server.route("/1")(lambda request: ServerResponse(302, b"old", {"Location": "/2"}))
        server.route("/2")(lambda request: b"new")
        assert (await ran("get", f"{server.url}/")).out == b"new"
        assert (await ran("get", f"{server.url}/", "--no-redirects")).out == b"old"
        done = await ran("get", f"{server.url}/", "--max-redirects", "1")
        assert (done.code, done.out) == (9, b"")


async def test_credentials() -> None:
    """``-u`` and user information of the URL are Basic, ``--bearer`` is a token, ``digest`` answers a challenge."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: request.headers.get("Authorization", "none"))

        @server.route("/digest")
        async def digest(request: ServerRequest) -> ServerResponse:
            if "Authorization" in request.headers:
                return ServerResponse(200, request.headers["Authorization"])
            return ServerResponse(401, b"", {"WWW-Authenticate": 'Digest realm="r", nonce="n", qop="auth"'})

        assert (await ran("get", f"{server.url}/", "-u", "a:b")).out == b"Basic YTpi"
        assert (await ran("get", f"http://a:b@{server.netloc}/")).out == b"Basic YTpi"
        assert (await ran("get", f"{server.url}/", "--bearer", "t")).out == b"Bearer t"
        done = await ran("get", f"{server.url}/digest", "-u", "a:b", "--auth-type", "digest")
        assert done.out.startswith(b'Digest username="a"')


async def test_tls(tmp_path: Path) -> None:
    """A certificate is checked: it needs --cacert, or --insecure; the error says the first."""
    async with LoopbackServer(tls=True) as server:
        server.route("/")(lambda request: b"safe")
        (tmp_path / "ca.pem").write_bytes(server.authority_pem)
        done = await ran("get", f"{server.url}/")
        assert done.code == 6
        assert "--cacert" in done.err
        assert (await ran("get", f"{server.url}/", "--cacert", str(tmp_path / "ca.pem"))).out == b"safe"
        assert (await ran("get", f"{server.url}/", "--insecure")).out == b"safe"


async def test_other_ways(tmp_path: Path) -> None:
    """A host can be at another address, or behind a proxy."""
    async with LoopbackServer() as server:
        server.route("/")(echo)
        done = await ran("get", f"http://a.test:{server.port}/", "--resolve", f"a.test:{server.port}:127.0.0.1")
        assert json.loads(done.out)["fields"]["host"] == f"a.test:{server.port}"
        done = await ran("get", "http://b.test/", "-x", server.url)
        assert json.loads(done.out)["target"] == "http://b.test/"


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no Unix sockets")
async def test_a_unix_socket(tmp_path: Path) -> None:
    """``--unix`` connects to a socket, whatever the host."""
    async with LoopbackServer(path=tmp_path / "s") as server:
        server.route("/")(lambda request: request.headers["Host"])
        assert (await ran("get", "http://any.test/", "--unix", str(tmp_path / "s"))).out == b"any.test"


async def test_what_goes_wrong() -> None:
    """Each failure has its exit code, and one line on stderr."""
    async with LoopbackServer() as server:
        server.route("/cut")(lambda request: CutBody(b"0123456789", after=4))
        server.route("/close")(lambda request: Close())
        server.route("/stall")(lambda request: Stall())
        server.route("/gzip")(lambda request: ServerResponse(200, b"no gzip", {"Content-Encoding": "gzip"}))
        server.route("/big")(lambda request: b"x" * 2000)
        for path, code, words in (
            ("cut", 8, ()),
            ("close", 4, ("--retries", "0")),
            ("stall", 5, ("-t", "100ms")),
            ("gzip", 8, ()),
            ("big", 8, ("--max-body", "1K")),
        ):
            done = await ran("get", f"{server.url}/{path}", *words)
            assert (path, done.code) == (path, code)
            assert done.err.startswith("aiohttpclient get: ")
            assert done.err.count("\n") == 1
    refused = await ran("get", f"{server.url}/", "--retries", "0")
    assert (refused.code, refused.err.count("\n")) == (4, 1)


@pytest.mark.parametrize(
    "words",
    [
        ("get", "example.org"),
        ("get", "ftp://a/"),
        ("request", "A B", "http://a/"),
        ("get", "http://a/", "-x", "p:1"),
        ("get", "/a"),
    ],
)
async def test_what_cannot_be_asked(words: tuple[str, ...]) -> None:
    """What no request can be made of is a matter of the command line: 2, and one line."""
    done = await ran(*words)
    assert (done.code, done.out, done.err.count("\n")) == (2, b"", 1)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "HTTPS_PROXY"])
async def test_an_environment_that_is_wrong(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says wrongly is told as what is said wrongly on the command line, with its name."""
    monkeypatch.setenv(name, "/no/such/file")
    done = await ran("get", "https://a.test/", "--retries", "0")
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert name in done.err


async def test_nothing_shows_a_password(tmp_path: Path) -> None:
    """Whatever goes wrong, credentials are not repeated."""
    for words in (
        ("http://ada:hunter2@127.0.0.1:1/",),
        ("http://ada:hunter2@127.0.0.1:x/",),
        ("http://127.0.0.1:1/?token=hunter2", "-u", "ada:hunter2"),
        ("http://127.0.0.1:1/", "-x", "ftp://ada:hunter2@p/"),
        ("http://127.0.0.1:1/", "-H", "Authorization: hunter2\n"),
        ("http://127.0.0.1:1/", "-x", "http://ada:hunter2@127.0.0.1:1"),
    ):
        done = await ran("get", *words, "--retries", "0", "-v")
        assert done.code in {2, 4, 7}
        assert "hunter2" not in done.err
    async with LoopbackServer() as server:
        url = f"http://ada:hunter2@{server.netloc}/a?token=hunter2"
        for command, *options in (("get", "--fail"), ("get", "--json"), ("download", "-C", str(tmp_path))):
            done = await ran(command, url, *options)
            assert "404" in done.err + done.out.decode()
            assert "hunter2" not in done.err + done.out.decode()
