"""The command download."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import CutBody, LoopbackServer, ServerRequest, ServerResponse
from tests.cli.running import names, ran

if TYPE_CHECKING:
    from pathlib import Path

BODY = bytes(range(256)) * 1000
DIGEST = hashlib.sha256(BODY).hexdigest()


async def test_files(tmp_path: Path) -> None:
    """Files go where they are told to: named by the URL, by a second argument, by -o, into -C."""
    async with LoopbackServer() as server:
        server.route("/a.bin")(lambda request: BODY)
        server.route("/b.bin")(lambda request: b"b")
        urls = [f"{server.url}/a.bin", f"{server.url}/b.bin"]
        assert (await ran("download", *urls, "-C", str(tmp_path), "-q")) == (0, b"", "")
        assert ((tmp_path / "a.bin").read_bytes(), (tmp_path / "b.bin").read_bytes()) == (BODY, b"b")
        assert (await ran("download", urls[1], str(tmp_path / "second"), "-q")).code == 0
        assert (await ran("download", urls[1], "-o", "third", "-C", str(tmp_path), "-q")).code == 0
        (tmp_path / "folder").mkdir()
        assert (await ran("download", urls[1], "-o", str(tmp_path / "folder"), "-q")).code == 0
        assert names(tmp_path) == ["a.bin", "b.bin", "b.bin", "folder", "second", "third"]
        assert (tmp_path / "folder" / "b.bin").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ("http://h/",),
        ("http://h/a", "http://i/a"),
        ("http://h/a", "http://h/b", "-o", "x"),
        ("http://h/a", "http://h/b", "--digest", "sha256:00"),
        ("http://h/a", "-o", "-"),
        ("http://h/a", "--digest", "nothing"),
        ("http://h/a", "--digest", "sha256:zz"),
        ("http://h/a", "h/b", "i/c"),
        ("http://h/a", "-C", "/no/such/folder"),
    ],
)
async def test_what_cannot_be_meant(words: tuple[str, ...], tmp_path: Path) -> None:
    """What would go to one place twice, or nowhere, is refused before anything is asked for."""
    done = await ran("download", "-C", str(tmp_path), *words)
    assert (done.code, done.out, done.err.count("\n")) == (2, b"", 1)
    assert names(tmp_path) == []


async def test_a_digest(tmp_path: Path) -> None:
    """A digest is checked, or computed and told; with another one nothing is left, and it is 11."""
    path = tmp_path / "f"
    async with LoopbackServer() as server:
        server.route("/f")(lambda request: BODY)
        url = f"{server.url}/f"
        assert (await ran("download", url, str(path), "--digest", f"sha256:{DIGEST}", "-q")).code == 0
        done = await ran("download", url, str(path), "--digest", "sha256", "-q")
        assert done.out.decode() == f"sha256:{DIGEST}  {path}\n"
        path.unlink()
        done = await ran("download", url, str(path), "--digest", f"sha256:{'0' * 64}")
        assert (done.code, names(tmp_path)) == (11, [])


async def test_resumed(tmp_path: Path) -> None:
    """What broke off is told, and the same command goes on from there, and says from where."""
    asked: list[str | None] = []
    async with LoopbackServer() as server:

        @server.route("/f")
        async def file(request: ServerRequest) -> ServerResponse | CutBody:
            asked.append(begin := request.headers.get("Range"))
            if begin is None:
                return CutBody(ServerResponse(200, BODY, {"ETag": '"1"'}), after=100_000)
            at = int(begin.removeprefix("bytes=").removesuffix("-"))
            fields = {"ETag": '"1"', "Content-Range": f"bytes {at}-{len(BODY) - 1}/{len(BODY)}"}
            return ServerResponse(206, BODY[at:], fields)

        done = await ran("download", f"{server.url}/f", str(tmp_path / "f"))
        assert done.code == 8
        assert done.err.endswith("; what came is kept, and the same command goes on from there\n")
        done = await ran("download", f"{server.url}/f", str(tmp_path / "f"), "--json", "-q")
        told = json.loads(done.out)
        assert (told["size"], told["resumed"] > 0, asked[1]) == (len(BODY), True, f"bytes={told['resumed']}-")
        assert (tmp_path / "f").read_bytes() == BODY


async def test_some_fail(tmp_path: Path) -> None:
    """One file that fails does not keep the others from coming; the exit code is that of the first that failed."""
    async with LoopbackServer() as server:
        server.route("/b")(lambda request: b"b")
        urls = [f"{server.url}/{name}" for name in ("none", "b")]
        done = await ran("download", *urls, "-C", str(tmp_path), "--json")
        told = [json.loads(line) for line in done.out.splitlines()]
        assert done.code == 1
        assert [one.get("error") for one in told] == ["StatusError", None]
        assert told[0]["message"] in done.err
        assert names(tmp_path) == ["b"]
        assert "404 Not Found" in done.err


async def test_a_certificate(tmp_path: Path) -> None:
    """A certificate that is refused is a failure of TLS, and of no argument."""
    async with LoopbackServer(tls=True) as server:
        done = await ran("download", f"{server.url}/f", "-C", str(tmp_path))
        assert (done.code, "--cacert" in done.err) == (6, True)


async def test_no_clobber(tmp_path: Path) -> None:
    """With --no-clobber a file that exists stays as it is."""
    (tmp_path / "b").write_bytes(b"old")
    async with LoopbackServer() as server:
        server.route("/b")(lambda request: b"new")
        done = await ran("download", f"{server.url}/b", "-C", str(tmp_path), "--no-clobber")
        assert (done.code, (tmp_path / "b").read_bytes()) == (10, b"old")
        assert (await ran("download", f"{server.url}/b", "-C", str(tmp_path))).code == 0
        assert (tmp_path / "b").read_bytes() == b"new"


async def test_a_summary(tmp_path: Path) -> None:
    """What came is told in one line on stderr, unless --quiet is given."""
    async with LoopbackServer() as server:
        server.route("/b")(lambda request: b"new")
        done = await ran("download", f"{server.url}/b", "-C", str(tmp_path))
        assert done.out == b""
        assert done.err.startswith(f"{tmp_path / 'b'}: 3 B in ")
        assert done.err.count("\n") == 1


async def test_too_large(tmp_path: Path) -> None:
    """--max-body bounds a file; of one that is larger nothing is left."""
    async with LoopbackServer() as server:
        server.route("/f")(lambda request: BODY)
        done = await ran("download", f"{server.url}/f", "-C", str(tmp_path), "--max-body", "1K")
        assert (done.code, names(tmp_path)) == (8, [])
