"""Downloads from servers that lie about ranges, over real sockets: the file is right, or an error.

What servers do that tell the truth is shown with nginx in ``interop``. Here a script says what comes, and where the
connection breaks.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, BodyTooLarge, DigestMismatch, DownloadError, IncompleteRead, StatusError
from aiohttpclient.client import _download
from tests.client.clients import fields_of, talking
from tests.client.coded import gzipped
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiohttpclient import Download
    from tests.support.server import Peer, RawServer

    Part = Callable[[int], bytes]

OLD = bytes(range(200))
NEW = bytes(range(50, 250))
SIZE = len(OLD)

CUT = 80
"""Bytes of a body after which the connection breaks."""

HELD = CUT - 1
"""Where the next request begins: the last byte that is there is asked for again."""

STRONG, WEAK, CHANGED = 'ETag: "v1"', 'ETag: W/"v1"', 'ETag: "v2"'


class Files:
    """A script that sends the whole of a file, or what ``part`` makes of it for a request that names its first byte."""

    def __init__(self, content: bytes = OLD, *fields: str, part: Part | None = None) -> None:
        self.content = content
        self.fields = fields or (STRONG,)
        self.part = part
        self.cuts: list[int] = []
        self.asked: list[tuple[str | None, str | None]] = []
        """Range and If-Range of each request."""

    async def __call__(self, peer: Peer) -> None:
        while True:
            fields = fields_of(await peer.read_head())
            asked = fields.get("Range"), fields.get("If-Range")
            assert fields.getall("Accept-Encoding") == ["identity"]
            self.asked.append(asked)
            first = None if asked[0] is None else int(asked[0].removeprefix("bytes=").removesuffix("-"))
            answer = reply(self.content, *self.fields)
            if first is not None and self.part is not None:
                answer = self.part(first)
            if self.cuts:
                await peer.send(answer[: answer.index(b"\r\n\r\n") + 4 + self.cuts.pop(0)])
                return
            await peer.send(answer)


def part_of(content: bytes, first: int, last: int, *fields: str, said: str | None = None) -> bytes:
    """A part, with a Content-Range that is true, or says what is ``said``."""
    said = said or f"bytes {first}-{last}/{len(content)}"
    return reply(
        content[first : last + 1], f"Content-Range: {said}", *(fields or (STRONG,)), status="206 Partial Content"
    )


def in_a_chunk(answer: bytes) -> bytes:
    """``answer``, with a body that does not say how long it is before it comes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    head = head[: head.index(b"Content-Length")] + b"Transfer-Encoding: chunked"
    return head + b"\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file"


def read(path: Path) -> bytes:
    return path.read_bytes()


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def number(path: Path) -> int:
    """What tells a file from others, whatever their names."""
    return path.stat().st_ino


def left(target: Path) -> set[str]:
    return {path.name.removeprefix(target.name) for path in target.parent.iterdir()}


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


async def fetch(server: RawServer, target: Path, **options: Any) -> Download:
    async with AsyncHTTPClient(base_url=server.url, trust_env=False) as client:
        return await client.download("file", target, **options)


async def fetch_cut(server: RawServer, files: Files, target: Path, cut: int = CUT) -> None:
    """A download whose connection breaks after ``cut`` bytes."""
    files.cuts.append(cut)
    with pytest.raises(IncompleteRead):
        await fetch(server, target)


# -- parts that are not what they should be


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(lambda at: part_of(OLD, at + 1, SIZE - 1), id="one byte later"),
        pytest.param(lambda at: part_of(OLD, at - 1, SIZE - 1), id="one byte before"),
        pytest.param(lambda _: part_of(OLD, 0, SIZE - 1), id="from the beginning"),
        pytest.param(lambda at: part_of(NEW + OLD, at, SIZE - 1), id="of a longer file"),
        pytest.param(lambda at: part_of(OLD[:-9], at, SIZE - 10), id="of a shorter file"),
        pytest.param(lambda at: part_of(NEW, at, SIZE - 1, CHANGED), id="of a file that has changed"),
        pytest.param(lambda at: part_of(NEW, at, SIZE - 1, WEAK), id="of a file that means the same"),
        pytest.param(lambda at: part_of(NEW, at, SIZE - 1, "X: y"), id="of who knows what"),
        pytest.param(lambda at: part_of(OLD, at, SIZE - 1, STRONG, "Content-Encoding: gzip"), id="coded"),
        pytest.param(lambda at: part_of(OLD, at, SIZE - 1, said=f"lines {at}-{SIZE - 1}/{SIZE}"), id="of lines"),
        pytest.param(
            lambda _: reply(b"--x\r\n\r\n--x--", "Content-Type: multipart/byteranges; boundary=x", status="206 Parts"),
            id="of several",
        ),
        pytest.param(lambda _: reply(b"no", f"Content-Range: bytes */{SIZE}", status="416 Beyond"), id="refused"),
        pytest.param(lambda _: reply(b"no", status="416 Beyond"), id="refused without a reason"),
        pytest.param(lambda _: reply(b"no", status="403 No ranges here"), id="forbidden"),
        pytest.param(lambda _: reply(b"no", status="501 Not Implemented"), id="not implemented"),
    ],
)
async def test_parts_of_no_use(target: Path, part: Part) -> None:
    """Another part than the one that was asked for, one of another file, or none: all of the file is asked for."""
    files = Files(part=part)
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        files.content, files.fields = NEW, (CHANGED,)
        result = await fetch(server, target, digest=digest_of(NEW))
    assert (result.size, result.resumed) == (SIZE, 0)
    assert read(target) == NEW
    assert left(target) == {""}
    assert files.asked == [(None, None), (f"bytes={HELD}-", '"v1"'), (None, None)]


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(lambda at: part_of(OLD, at, SIZE - 1), id="told"),
        pytest.param(lambda at: part_of(OLD, at, SIZE - 1, said=f"bytes {at}-{SIZE - 1}/*"), id="of a known length"),
        pytest.param(lambda at: part_of(OLD, at, SIZE - 1, STRONG, "Content-Encoding: identity"), id="not coded"),
    ],
)
async def test_parts_of_use(target: Path, part: Part) -> None:
    """The part that was asked for, of the same file, continues it; and there may be many of them."""
    files = Files(part=part)
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        await fetch_cut(server, files, target, 50)
        result = await fetch(server, target, digest=digest_of(OLD))
    assert (result.size, result.resumed) == (SIZE, HELD + 49)
    assert read(target) == OLD
    assert [asked for asked, _ in files.asked] == [None, f"bytes={HELD}-", f"bytes={HELD + 49}-"]


@pytest.mark.parametrize(
    "fields",
    [(WEAK,), ("X: y",), ("Last-Modified: Fri, 06 Nov 2026 12:00:00 GMT",), (STRONG, "Content-Encoding: gzip")],
)
async def test_nothing_to_continue_by(target: Path, fields: tuple[str, ...]) -> None:
    """Without a strong validator, or when it came coded, nothing is kept, and the next request is for all of it.

    Two files with one weak tag mean the same, and are not the same: half of either is neither.
    """
    content = gzipped(OLD) if len(fields) == 2 else OLD
    files = Files(content, *fields, part=lambda at: part_of(NEW, at, SIZE - 1, *fields))
    async with raw_server(files) as server:
        files.cuts.append(len(content) - 1)
        with pytest.raises(IncompleteRead):
            await fetch(server, target)
        assert left(target) == set()
        assert (await fetch(server, target)).resumed == 0
    assert read(target) == OLD
    assert files.asked == [(None, None)] * 2


@pytest.mark.parametrize("content", [NEW, NEW + OLD, NEW[:90], NEW[:30], b""], ids=len)
async def test_all_of_it_instead(target: Path, content: bytes) -> None:
    """A 200 in place of a part is the whole file: what was there goes, and nothing of it is before or behind."""
    files = Files()
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        files.content, files.fields = content, (CHANGED,)
        result = await fetch(server, target, digest=digest_of(content))
    assert (result.size, result.resumed) == (len(content), 0)
    assert read(target) == content
    assert files.asked == [(None, None), (f"bytes={HELD}-", '"v1"')]


async def test_all_of_it_instead_and_cut(target: Path) -> None:
    """What came in place of a part is the new part, with the validator that came with it."""
    files = Files()
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        files.content, files.fields = NEW, (CHANGED,)
        await fetch_cut(server, files, target, 20)
        assert read(target.with_name("file.part")) == NEW[:20]
        files.part = lambda at: part_of(NEW, at, SIZE - 1, CHANGED)
        assert (await fetch(server, target, digest=digest_of(NEW))).resumed == 19
    assert files.asked[2] == ("bytes=19-", '"v2"')


async def test_part_of_another_url(target: Path) -> None:
    """A part is continued from the URL that it came from, and from no other."""
    files = Files(part=lambda at: part_of(OLD, at, SIZE - 1))
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        result = await fetch(server, target, params={"version": "2"})
    assert result.resumed == 0
    assert files.asked == [(None, None)] * 2


# -- lengths


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(lambda at: part_of(OLD, at, SIZE - 10), id="says so"),
        pytest.param(
            lambda at: in_a_chunk(part_of(OLD, at, SIZE - 10, said=f"bytes {at}-{SIZE - 1}/{SIZE}")), id="does not"
        ),
    ],
)
async def test_too_little(target: Path, part: Part) -> None:
    """A part that ends before the file does is no end: no file, but more to continue."""
    put(target, b"old")
    files = Files(part=part)
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        with pytest.raises(DownloadError, match=f"{SIZE - 9} of {SIZE} bytes"):
            await fetch(server, target)
        assert read(target) == b"old"
        assert left(target) == {"", ".part", ".part.json"}
        files.part = lambda at: part_of(OLD, at, SIZE - 1)
        assert (await fetch(server, target, digest=digest_of(OLD))).resumed == SIZE - 10


async def test_too_much(target: Path) -> None:
    """A part that goes on behind the end of the file is no file."""
    files = Files(part=lambda at: in_a_chunk(part_of(OLD + NEW, at, SIZE + 4, said=f"bytes {at}-{SIZE - 1}/{SIZE}")))
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        with pytest.raises(DownloadError, match=f"more came than the {SIZE} bytes"):
            await fetch(server, target)
    assert "" not in left(target)


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"x" * 9, "Content-Range: bytes 0-8/9", STRONG, status="206 Partial Content"),
        reply(b"", status="204 No Content").replace(b"Content-Length: 0\r\n", b""),
        reply(b"x" * 9, status="202 Accepted"),
    ],
    ids=["a part", "nothing", "a promise"],
)
async def test_no_file(target: Path, answer: bytes) -> None:
    """What is not all of a file is none, whatever its status says."""
    async with talking({"/file": answer}) as here:
        with pytest.raises(DownloadError):
            await here.client.download("file", target)
    assert left(target) == set()


@pytest.mark.parametrize("status", ["404 Gone", "416 Beyond", "503 Later"])
async def test_errors_of_the_server(target: Path, status: str) -> None:
    """An error that is the answer to a request for all of it is the caller's, and no file."""
    async with talking({"/file": reply(b"oops", status=status)}) as here:
        with pytest.raises(StatusError, match=status[:3]):
            await here.client.download("file", target, retries=None)
    assert left(target) == set()


@pytest.mark.parametrize("status", ["404 Gone", "401 Who", "503 Later"])
async def test_errors_that_are_not_about_the_range(target: Path, status: str) -> None:
    """What is the matter with the file, or the server, is said at once, and what was there is continued later."""
    files = Files(part=lambda _: reply(b"no", status=status))
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        with pytest.raises(StatusError, match=status[:3]):
            await fetch(server, target, retries=None)
        assert [asked for asked, _ in files.asked] == [None, f"bytes={HELD}-"]
        files.part = lambda at: part_of(OLD, at, SIZE - 1)
        assert (await fetch(server, target)).resumed == HELD
    assert read(target) == OLD


# -- parts that bring the file no further

STOP = 150
"""The last byte that a server gives of any part, whatever it is asked for."""


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(lambda at: part_of(OLD, at, STOP), id="says so"),
        pytest.param(
            lambda at: in_a_chunk(part_of(OLD, at, STOP, said=f"bytes {at}-{SIZE - 1}/{SIZE}")), id="does not"
        ),
        pytest.param(
            lambda at: in_a_chunk(part_of(OLD, at, STOP if at < STOP else 0, said=f"bytes {at}-{SIZE - 1}/{SIZE}")),
            id="has nothing",
        ),
    ],
)
@pytest.mark.parametrize("flush", [1.0, 0.0], ids=["gathered", "written"])
async def test_parts_that_end_where_the_last_one_did(
    target: Path, part: Part, flush: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is continued as long as more comes; where no new byte does, all of the file is asked for, at once."""
    monkeypatch.setattr(_download, "FLUSH_INTERVAL", flush)
    files = Files(part=part)
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        with pytest.raises(DownloadError, match=f"{STOP + 1} of {SIZE} bytes"):
            await fetch(server, target)
        result = await fetch(server, target, digest=digest_of(OLD))
    assert (result.size, result.resumed) == (SIZE, 0)
    assert read(target) == OLD
    assert left(target) == {""}
    assert [asked for asked, _ in files.asked] == [None, f"bytes={HELD}-", f"bytes={STOP}-", None]


@pytest.mark.parametrize("cuts", [(0,), (1,), (0, 0), (0, 1), (1, 0), (1, 1)], ids=str)
@pytest.mark.parametrize("flush", [1.0, 0.0], ids=["gathered", "written"])
async def test_connections_that_break_before_the_first_new_byte(
    target: Path, cuts: tuple[int, ...], flush: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part whose connection breaks before its first new byte is asked for once more, and then all of the file is."""
    monkeypatch.setattr(_download, "FLUSH_INTERVAL", flush)
    files = Files(part=lambda at: part_of(OLD, at, SIZE - 1))
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        files.cuts = [*cuts]
        result = await fetch(server, target, digest=digest_of(OLD))
    assert result.resumed == (HELD if len(cuts) == 1 else 0)
    assert read(target) == OLD
    anew = [None] if len(cuts) == 2 else []
    assert [asked for asked, _ in files.asked] == [None, f"bytes={HELD}-", f"bytes={HELD}-", *anew]


async def test_connections_that_are_reset_before_the_first_new_byte(target: Path) -> None:
    """It is the same whether a connection is closed or reset."""
    files = Files()
    heads: list[bytes] = []
    told = asyncio.Event()

    async def resets(peer: Peer) -> None:
        heads.append(await peer.read_head())
        if b"Range: " not in heads[-1]:
            await peer.send(reply(OLD, STRONG))
            return
        told.clear()
        await peer.send(part_of(OLD, HELD, SIZE - 1).partition(OLD[HELD:])[0])
        await told.wait()
        peer.reset()

    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        files.cuts = []
        async with raw_server(resets) as other, AsyncHTTPClient(trust_env=False, proxy=other.url) as client:
            result = await client.download(f"{server.url}/file", target, progress=lambda *_: told.set())
    assert (result.resumed, read(target)) == (0, OLD)
    assert [b"Range: " in head for head in heads] == [True, True, False]


@pytest.mark.parametrize("cut", [0, 1, 20, HELD, CUT])
@pytest.mark.parametrize("why", ["short", "broken", "ignored"])
async def test_beginning_anew_costs_nothing(target: Path, cut: int, why: str) -> None:
    """A connection that breaks while the same file comes from its beginning leaves as much of it as there was."""
    files = Files()
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        files.cuts = [0, 0, cut] if why == "broken" else [cut]
        if why != "ignored":
            files.part = lambda at: part_of(OLD, at, at if why == "short" else SIZE - 1)
        if why == "short":
            files.cuts = [len(OLD), cut]
        with pytest.raises(IncompleteRead):
            await fetch(server, target)
        assert read(target.with_name("file.part")) == OLD[:CUT]
        files.part = lambda at: part_of(OLD, at, SIZE - 1)
        assert (await fetch(server, target, digest=digest_of(OLD))).resumed == HELD
    assert read(target) == OLD


async def test_beginning_anew_with_another_file(target: Path) -> None:
    """Where no new byte of a part came, and the file is another one by then, nothing of the old one stays."""
    files = Files(part=lambda at: part_of(OLD, at, at))
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        files.content, files.fields, files.cuts = NEW, (CHANGED,), [SIZE, 20]
        with pytest.raises(IncompleteRead):
            await fetch(server, target)
        assert read(target.with_name("file.part")) == NEW[:20]
        files.part = lambda at: part_of(NEW, at, SIZE - 1, CHANGED)
        assert (await fetch(server, target, digest=digest_of(NEW))).resumed == 19
    assert read(target) == NEW


# -- digests, bounds, and the name


async def test_another_digest(target: Path) -> None:
    """A file that is not what its digest says is none, and nothing is left that could be continued."""
    put(target, b"old")
    files = Files(part=lambda at: part_of(OLD, at, SIZE - 1))
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        with pytest.raises(DigestMismatch) as caught:
            await fetch(server, target, digest=digest_of(NEW))
        assert f"sha256:{caught.value.actual}" == digest_of(OLD)
        assert (left(target), read(target)) == ({""}, b"old")
        assert (await fetch(server, target, digest=digest_of(OLD))).resumed == 0
    assert read(target) == OLD


@pytest.mark.parametrize("framing", ["length", "chunks", "close", "coded"])
async def test_too_large(target: Path, framing: str) -> None:
    """No file has more bytes than ``max_body``, however many were announced; nothing is left of it."""
    body = gzipped(OLD) if framing == "coded" else OLD
    fields = ["Content-Encoding: gzip"] if framing == "coded" else []
    answer = reply(body, STRONG, *fields)
    head = answer[: answer.index(b"Content-Length")]
    if framing == "chunks":
        answer = in_a_chunk(answer)

    async def until_close(peer: Peer) -> None:
        await peer.send(head + b"\r\n" + OLD)
        peer.close()

    async with talking({"/file": until_close if framing == "close" else answer}) as here:
        with pytest.raises(BodyTooLarge):
            await here.client.download("file", target, max_body=SIZE - 1)
        assert left(target) == set()
        assert (await here.client.download("file", target, max_body=SIZE)).size == SIZE
    assert read(target) == OLD


async def test_too_large_together(target: Path) -> None:
    """The bound is of the file, and not of the part that is still to come."""
    files = Files(part=lambda at: part_of(OLD, at, SIZE - 1))
    async with raw_server(files) as server:
        await fetch_cut(server, files, target)
        with pytest.raises(BodyTooLarge):
            await fetch(server, target, max_body=SIZE - HELD)
    assert files.asked[-1][0] == f"bytes={HELD}-"
    assert left(target) == set()


async def test_the_name_comes_last(target: Path) -> None:
    """The target is the old file until every byte of the new one has come, and is another file then."""
    put(target, b"old")
    before = number(target)
    seen: list[tuple[bytes, set[str]]] = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(OLD, STRONG)[:-1])
        seen.append((read(target), left(target)))
        await peer.send(OLD[-1:])

    async with raw_server(script) as server:
        with target.open("rb") as old:
            await fetch(server, target)
            assert old.read() == b"old"
    assert seen == [(b"old", {"", ".part"})]
    assert read(target) == OLD
    assert number(target) != before
    assert left(target) == {""}
