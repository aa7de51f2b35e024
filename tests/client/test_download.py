"""Downloads: cut anywhere and resumed, a file is what the server has now, or there is an error."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import stat
import sys
import threading
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from aiohttpclient.client import AsyncHTTPClient, _download
from aiohttpclient.client._download import BLOCK, FLUSH_INTERVAL, PROGRESS_INTERVAL, Download, download
from aiohttpclient.client._partfile import PartFile
from aiohttpclient.errors import (
    BodyTooLarge,
    DigestMismatch,
    DownloadError,
    IncompleteRead,
    StatusError,
)
from tests.support.server import raw_server, reply

from .clients import chunked
from .fileserver import RANGES, FileServer, Version

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.server import Peer, Script

URL = "http://example.org/file"
CONTENT = bytes(range(50))
NUMBERS = count()


def names(target: Path) -> set[str]:
    """What is left beside the target, without the name that all have."""
    return {path.name.removeprefix(target.name) for path in target.parent.iterdir()}


def entries(folder: Path) -> set[str]:
    """What is in a folder."""
    return {path.name for path in folder.iterdir()}


def link(path: Path, to: str) -> None:
    path.symlink_to(to)


def give(path: Path, mode: int) -> None:
    path.chmod(mode)


def mode_of(path: Path) -> int:
    """What ``chmod`` sets."""
    return stat.S_IMODE(path.stat().st_mode)


def read(target: Path) -> bytes:
    return target.read_bytes()


def put(target: Path, content: bytes) -> None:
    target.write_bytes(content)


def size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


async def fetch(server: FileServer, target: Path, **options: Any) -> Download:
    result = await download(server, target, **{"url": URL, **options})
    assert not server.open
    return result


async def fetch_cut(server: FileServer, target: Path, cut: int, **options: Any) -> None:
    """A download whose connection breaks after ``cut`` bytes."""
    server.cuts.append(cut)
    with pytest.raises(IncompleteRead):
        await fetch(server, target, **options)
    assert not server.open


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


# -- whole files


@pytest.mark.parametrize("size", [0, 1, 49, 3 * BLOCK + 17])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_whole_file(target: Path, size: int, announced: bool) -> None:
    """A file of any size, told or not, comes as it is, and nothing else is left."""
    content = os.urandom(size)
    server = FileServer(Version(content, announced=announced), block=65536)
    result = await fetch(server, str(target))  # type: ignore[arg-type]  # a path may be a str
    assert result == Download(target, size)
    assert read(target) == content
    assert names(target) == {""}
    assert server.requests == [{"Accept-Encoding": "identity"}]


async def test_an_existing_file_is_there_until_the_end(target: Path) -> None:
    """Whoever opens the target sees the old file until the new one is complete."""
    put(target, b"old")
    server = FileServer(Version(CONTENT))
    await fetch_cut(server, target, 30)
    assert read(target) == b"old"
    await fetch(server, target)
    assert read(target) == CONTENT


async def test_nothing_is_asked_for_in_vain(target: Path) -> None:
    """What can be seen to fail beforehand is not asked for."""
    server = FileServer(Version(CONTENT))
    put(target, b"old")
    with pytest.raises(FileExistsError):
        await fetch(server, target, overwrite=False)
    with pytest.raises(IsADirectoryError):
        await fetch(server, target.parent)
    with pytest.raises(FileNotFoundError):
        await fetch(server, target.parent / "missing" / "file")
    with pytest.raises(ValueError):
        await fetch(server, target, digest="sha256:00")
    assert not server.requests
    assert names(target) == {""}


@pytest.mark.parametrize("status", [404, 416, 500])
async def test_errors_of_the_server(target: Path, status: int) -> None:
    """A status of 400 and above is an error, and leaves nothing, or what was there before."""
    server = FileServer(Version(CONTENT), status=status)
    with pytest.raises(StatusError):
        await fetch(server, target)
    assert names(target) == set()
    server.status = 200
    await fetch_cut(server, target, 20)
    server.status = status
    with pytest.raises(StatusError):
        await fetch(server, target)
    assert names(target) == {".part", ".part.json"}
    server.status = 200
    assert (await fetch(server, target)).resumed == 19


@pytest.mark.parametrize("status", [204, 202, 304])
async def test_other_answers(target: Path, status: int) -> None:
    """What is neither a file nor an error of the server's is an error all the same."""
    server = FileServer(Version(CONTENT), status=status)
    with pytest.raises(DownloadError, match=str(status)) as caught:
        await fetch(server, target)
    assert caught.value.path == str(target)
    assert names(target) == set()


class LyingStream:
    """An answer of another length than its head says."""

    status = 200

    def __init__(self, announced: int) -> None:
        self.announced = announced

    def field(self, name: str) -> str | None:
        return {"Content-Length": str(self.announced), "ETag": '"a"'}.get(name)

    async def raise_for_status(self) -> None:
        pass

    async def iter_bytes(self) -> Any:
        yield CONTENT


@pytest.mark.parametrize("announced", [len(CONTENT) - 1, len(CONTENT) + 1])
async def test_lengths_are_checked(target: Path, announced: int) -> None:
    """A file that is shorter or longer than its Content-Length is not taken."""

    @contextlib.asynccontextmanager
    async def open_stream(_: dict[str, str]) -> Any:
        yield LyingStream(announced)

    with pytest.raises(DownloadError, match=f"{announced} bytes"):
        await download(open_stream, target, url=URL)
    assert names(target) == ({".part", ".part.json"} if announced > len(CONTENT) else set())


# -- resumed files


@pytest.mark.parametrize("cut", [0, 1, 2, 25, 48, 49, 50])
@pytest.mark.parametrize("version", [Version(CONTENT), Version(CONTENT, tag=None)], ids=["tag", "date"])
async def test_going_on(target: Path, cut: int, version: Version) -> None:
    """After a cut only the rest is asked for, and the last byte, of the same version; then nothing else is left."""
    server = FileServer(version)
    await fetch_cut(server, target, cut)
    assert names(target) == ({".part", ".part.json"} if cut else set())
    result = await fetch(server, target)
    assert read(target) == CONTENT
    assert names(target) == {""}
    if cut < 2:
        assert result.resumed == 0
        assert "Range" not in server.requests[-1]
    else:
        assert result.resumed == cut - 1
        assert server.requests[-1]["Range"] == f"bytes={cut - 1}-"
        assert server.requests[-1]["If-Range"] == version.fields["last-modified" if version.tag is None else "etag"]


async def test_many_cuts(target: Path) -> None:
    """A file can be cut again and again, and each time goes on."""
    server = FileServer(Version(CONTENT))
    for _ in range(12):
        await fetch_cut(server, target, 5)
    result = await fetch(server, target)
    assert result.resumed == 5 + 11 * 4 - 1
    assert read(target) == CONTENT


@pytest.mark.parametrize(
    "version",
    [
        Version(CONTENT, tag=None, dated=False),
        Version(CONTENT, tag='W/"{}"'),
        Version(CONTENT, tag="{}", dated=False),
        Version(CONTENT, coding="gzip"),
    ],
    ids=["nothing", "weak", "broken", "coded"],
)
async def test_what_cannot_be_resumed(target: Path, version: Version) -> None:
    """Without a strong validator, or with a coding, nothing is kept, and all of it is asked for again."""
    server = FileServer(version)
    await fetch_cut(server, target, 20)
    assert names(target) == set()
    assert (await fetch(server, target)).resumed == 0
    assert server.requests == [{"Accept-Encoding": "identity"}] * 2
    assert read(target) == CONTENT


async def test_without_resuming(target: Path) -> None:
    """Who does not want to resume asks for all of it, and leaves nothing."""
    server = FileServer(Version(CONTENT))
    await fetch_cut(server, target, 20)
    await fetch_cut(server, target, 30, resume=False)
    assert names(target) == set()
    assert server.requests == [{"Accept-Encoding": "identity"}] * 2


async def test_another_url(target: Path) -> None:
    """A part of what another URL gave is not continued."""
    server = FileServer(Version(CONTENT))
    await fetch_cut(server, target, 20)
    assert (await fetch(server, target, url=URL + "?other")).resumed == 0
    assert "Range" not in server.requests[-1]
    assert read(target) == CONTENT


async def test_a_file_that_changed(target: Path) -> None:
    """A server whose file has changed sends all of the new one, in the same answer."""
    server = FileServer(Version(CONTENT))
    await fetch_cut(server, target, 20)
    server.change(CONTENT[::-1])
    assert (await fetch(server, target)).resumed == 0
    assert len(server.requests) == 2
    assert read(target) == CONTENT[::-1]


@pytest.mark.parametrize("ranges", ["other", "multipart", "unsatisfied", "blind"])
async def test_answers_of_no_use(target: Path, ranges: str) -> None:
    """When the answer to a range is of no use, all of the file is asked for."""
    server = FileServer(Version(CONTENT))
    await fetch_cut(server, target, 20)
    server.ranges = ranges
    server.change(CONTENT[::-1])
    server.version = Version(CONTENT[::-1], server.version.number)
    if ranges != "blind":
        server.version = Version(CONTENT)
    assert (await fetch(server, target)).resumed == 0
    assert ["Range" in request for request in server.requests] == [False, True, False]
    assert read(target) == server.version.content


async def test_a_part_that_nobody_asked_for(target: Path) -> None:
    """A server that sends a part when asked for the whole is an error."""
    server = FileServer(Version(CONTENT), ranges="eager")
    with pytest.raises(DownloadError, match="part of the file"):
        await fetch(server, target)
    assert names(target) == set()


async def test_shorter_parts(target: Path) -> None:
    """A server may send less than it was asked for; what came stays, and each attempt goes on."""
    server = FileServer(Version(CONTENT))
    await fetch_cut(server, target, 41)
    server.ranges = "short"
    for size in (43, 45, 47, 49):
        with pytest.raises(DownloadError, match=f"{size} of 50 bytes"):
            await fetch(server, target)
    assert (await fetch(server, target)).resumed == 48
    assert read(target) == CONTENT


contents = st.sampled_from([CONTENT, CONTENT[::-1], CONTENT[:30], CONTENT * 2, b"", CONTENT[:25] + b"!" + CONTENT[26:]])
versions = [
    Version(CONTENT),
    Version(CONTENT, tag=None),
    Version(CONTENT, dated=False),
    Version(CONTENT, tag=None, dated=False),
    Version(CONTENT, tag='W/"{}"'),
    Version(CONTENT, announced=False),
    Version(CONTENT, coding="gzip"),
]


@given(
    cut=st.integers(0, 50),
    shortened=st.integers(0, 50),
    content=contents,
    version=st.sampled_from(versions),
    ranges=st.sampled_from(RANGES),
    coding=st.booleans(),
)
@example(cut=50, shortened=50, content=CONTENT[::-1], version=versions[0], ranges="blind", coding=False)
@example(cut=30, shortened=30, content=CONTENT * 2, version=versions[1], ranges="blind", coding=False)
@example(cut=40, shortened=40, content=CONTENT[:30], version=versions[0], ranges="good", coding=False)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_cut_anywhere(
    tmp_path: Path, cut: int, shortened: int, content: bytes, version: Version, ranges: str, coding: bool
) -> None:
    """Cut anywhere, and the part to any of its beginnings, a resumed file is what the server has now, or an error.

    Whatever the server makes of ranges, whether the file has changed meanwhile, and whatever it tells of its version.
    """
    target = tmp_path / f"{next(NUMBERS)}.bin"
    server = FileServer(version)
    await fetch_cut(server, target, cut)
    part = target.with_name(target.name + ".part")
    if part.exists():
        os.truncate(part, min(shortened, part.stat().st_size))
    server.ranges = ranges
    if content != CONTENT:
        server.change(content)
    if coding:
        server.version = Version(content, server.version.number, version.tag, version.dated, "gzip", version.announced)
    attempts = 0
    while not target.exists():
        try:
            await fetch(server, target, digest="sha256")
        except (DownloadError, StatusError):
            attempts += 1
            assert ranges in {"short", "eager"}
            if attempts > 60 or ranges == "eager":
                return
    assert read(target) == content


# -- digests


async def test_digests(target: Path) -> None:
    """A digest is of the whole file, also when some of it was there before, and may just be asked for."""
    server = FileServer(Version(CONTENT))
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    for wanted in (digest, digest.upper(), tuple(digest.split(":")), "sha256"):
        for cut in (0, 25):
            await fetch_cut(server, target, cut)
            result = await fetch(server, target, digest=wanted)
            assert result == Download(target, 50, max(0, cut - 1), digest)


@pytest.mark.parametrize("cut", [None, 30])
async def test_mismatches(target: Path, cut: int | None) -> None:
    """A file with another digest than expected is not taken, and nothing of it is left to go on with."""
    server = FileServer(Version(CONTENT))
    if cut is not None:
        await fetch_cut(server, target, cut)
    put(target, b"old")
    with pytest.raises(DigestMismatch) as caught:
        await fetch(server, target, digest="sha256:" + "0" * 64)
    assert caught.value.actual == hashlib.sha256(CONTENT).hexdigest()
    assert names(target) == {""}
    assert read(target) == b"old"


async def test_a_part_that_was_changed(target: Path) -> None:
    """A part into which somebody wrote has another digest; after that the file comes anew."""
    server = FileServer(Version(CONTENT))
    digest = ("sha256", hashlib.sha256(CONTENT).hexdigest())
    await fetch_cut(server, target, 30)
    target.with_name("file.bin.part").write_bytes(b"?" * 30)
    with pytest.raises(DigestMismatch):
        await fetch(server, target, digest=digest)
    assert (await fetch(server, target, digest=digest)).resumed == 0
    assert read(target) == CONTENT


# -- bounds


@pytest.mark.parametrize("announced", [True, False])
async def test_the_largest_file(target: Path, announced: bool) -> None:
    """A file has no more than ``max_size`` bytes, whether it tells its length or not; else nothing of it is left."""
    server = FileServer(Version(CONTENT, announced=announced))
    with pytest.raises(BodyTooLarge) as caught:
        await fetch(server, target, max_size=49)
    assert (caught.value.limit, caught.value.allowed) == ("max_body", 49)
    assert names(target) == set()
    assert (await fetch(server, target, max_size=50)).size == 50


async def test_little_is_in_memory(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the disk is, no more is received than two blocks, one on its way and one gathered."""
    taken, written = [0], [0]
    real = PartFile.write

    def write(self: PartFile, blocks: list[bytes], *args: Any, **options: Any) -> None:
        assert taken[0] - written[0] <= 2 * BLOCK + 65536
        real(self, blocks, *args, **options)
        written[0] += sum(map(len, blocks))

    monkeypatch.setattr(PartFile, "write", write)

    class Long(LyingStream):
        async def iter_bytes(self) -> Any:
            for _ in range(80):
                taken[0] += 65536
                yield bytes(65536)

    @contextlib.asynccontextmanager
    async def open_stream(_: dict[str, str]) -> Any:
        yield Long(80 * 65536)

    assert (await download(open_stream, target, url=URL)).size == written[0] == 80 * 65536


# -- progress


class Clock:
    """The time that downloads see: it stands still, but for ``step`` seconds before each block."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, server: FileServer, step: float) -> None:
        self.now = 0.0
        self.step = step
        server.tick = self.tick
        real = _download._Transfer.__init__

        def init(transfer: Any, *args: Any) -> None:
            real(transfer, *args)
            transfer._now = lambda: self.now

        monkeypatch.setattr(_download._Transfer, "__init__", init)

    def tick(self) -> None:
        self.now += self.step


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_progress(target: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Progress is told at the beginning, at the end, and in between when there was time enough since the last time."""
    server = FileServer(Version(CONTENT), block=5)
    Clock(monkeypatch, server, PROGRESS_INTERVAL * 0.6)
    told: list[tuple[int, int | None]] = []

    async def tell_later(done: int, total: int | None) -> None:
        await asyncio.sleep(0)
        told.append((done, total))

    def tell(done: int, total: int | None) -> None:
        told.append((done, total))

    await fetch(server, target, progress=tell if kind == "plain" else tell_later)
    assert told == [(0, 50), (10, 50), (20, 50), (30, 50), (40, 50), (50, 50), (50, 50)]


async def test_progress_of_a_resumed_file(target: Path) -> None:
    """What was there before counts; a length that is not known is None."""
    server = FileServer(Version(CONTENT))
    await fetch_cut(server, target, 30)
    told: list[tuple[int, int | None]] = []
    await fetch(server, target, progress=lambda *given: told.append(given))
    assert (told[0], told[-1]) == ((29, 50), (50, 50))
    told.clear()
    await fetch(FileServer(Version(CONTENT, announced=False)), target, progress=lambda *given: told.append(given))
    assert (told[0], told[-1]) == ((0, None), (50, None))


async def test_progress_that_fails(target: Path) -> None:
    """An error of the caller's function ends the download, which can be continued."""

    def fail(done: int, _: int | None) -> None:
        if done == 50:
            raise ZeroDivisionError

    server = FileServer(Version(CONTENT))
    with pytest.raises(ZeroDivisionError):
        await fetch(server, target, progress=lambda *_: 1 / 0)
    assert names(target) == set()


async def test_slow_files_are_written_in_time(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few bytes came, they are written after ``FLUSH_INTERVAL``: that much is lost when a process is killed."""
    server = FileServer(Version(CONTENT), cuts=[50], gate=asyncio.Event())
    Clock(monkeypatch, server, FLUSH_INTERVAL)
    task = asyncio.create_task(fetch(server, target))
    await server.arrived.wait()
    while size(target.with_name("file.bin.part")) < len(CONTENT):
        await asyncio.sleep(0)
    assert server.gate is not None
    server.gate.set()
    with pytest.raises(IncompleteRead):
        await task


# -- cancellation


@pytest.mark.parametrize("cut", [0, 1, 25, 50])
async def test_cancelled_while_receiving(target: Path, cut: int) -> None:
    """A download that is cancelled keeps all that came, closes the stream and the file, and can be continued."""
    server = FileServer(Version(CONTENT), cuts=[cut], gate=asyncio.Event())
    task = asyncio.create_task(fetch(server, target))
    await server.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not server.open
    assert names(target) == ({".part", ".part.json"} if cut else set())
    assert (await fetch(server, target)).resumed == max(0, cut - 1)
    assert read(target) == CONTENT


METHODS = ["open", "hash", "write", "complete", "give_up"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("times", [1, 3])
async def test_cancelled_while_a_thread_works(
    target: Path, monkeypatch: pytest.MonkeyPatch, method: str, times: int
) -> None:
    """Cancelled in a thread's time, however often, a download waits for the thread, and leaves no open file."""
    server = FileServer(Version(CONTENT))
    await fetch_cut(server, target, 30)
    loop, entered, go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    real = getattr(PartFile, method)

    def slowly(*args: Any, **options: Any) -> Any:
        loop.call_soon_threadsafe(entered.set)
        go.wait(10)
        return real(*args, **options)

    monkeypatch.setattr(PartFile, method, slowly)
    if method == "give_up":
        server.cuts = [10]
    task = asyncio.create_task(fetch(server, target, digest="sha256"))
    await entered.wait()
    for _ in range(times):
        task.cancel()
        await asyncio.sleep(0)
    assert not task.done()
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    monkeypatch.undo()
    server.cuts = []
    assert names(target) in ({".part", ".part.json"}, {""})
    result = await fetch(server, target)
    assert result.resumed == {"open": 29, "hash": 29, "write": 0, "complete": 0, "give_up": 38}[method]
    assert read(target) == CONTENT


async def test_cancelled_with_a_write_under_way(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is being written and what was gathered meanwhile end up in the part in this order."""
    monkeypatch.setattr(_download, "BLOCK", 7)
    loop, entered, go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    real = PartFile.write

    def slowly(*args: Any, **options: Any) -> None:
        loop.call_soon_threadsafe(entered.set)
        go.wait(10)
        real(*args, **options)

    monkeypatch.setattr(PartFile, "write", slowly)
    server = FileServer(Version(CONTENT), block=6, cuts=[18], gate=asyncio.Event())
    task = asyncio.create_task(fetch(server, target))
    await entered.wait()
    await server.arrived.wait()
    task.cancel()
    await asyncio.sleep(0)
    go.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert target.with_name("file.bin.part").read_bytes() == CONTENT[:18]


async def test_cancelled_before_the_answer(target: Path) -> None:
    """A download that is cancelled before there is an answer leaves nothing."""
    asked = asyncio.Event()

    @contextlib.asynccontextmanager
    async def open_stream(_: dict[str, str]) -> Any:
        asked.set()
        await asyncio.Event().wait()
        yield

    task = asyncio.create_task(download(open_stream, target, url=URL))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert names(target) == set()


async def test_a_full_disk(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the disk is the caller's, whether it shows while receiving or at the end; the stream is closed."""

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "full")

    for block in (BLOCK, 7):
        server = FileServer(Version(CONTENT))
        with monkeypatch.context() as patch:
            patch.setattr(_download, "BLOCK", block)
            patch.setattr(PartFile, "write", full)
            with pytest.raises(OSError, match="full"):
                await fetch(server, target)
        assert not server.open
        assert names(target) == set()


async def test_two_at_once(target: Path) -> None:
    """A second download of the same file is refused while the first runs, which it does not disturb."""
    server = FileServer(Version(CONTENT), cuts=[20], gate=asyncio.Event())
    first = asyncio.create_task(fetch(server, target))
    await server.arrived.wait()
    with pytest.raises(DownloadError, match="another download"):
        await download(server, target, url=URL)
    assert server.gate is not None
    server.gate.set()
    with pytest.raises(IncompleteRead):
        await first
    assert (await fetch(server, target)).resumed == 19


# -- over sockets


def file_script(content: bytes, cuts: list[int]) -> Script:
    """A server of ``content`` that knows ranges, and closes a connection after so many bytes of a body."""

    async def script(peer: Peer) -> None:
        with contextlib.suppress(EOFError):
            while True:
                head = (await peer.read_head()).decode().lower()
                found = re.search(r"range: bytes=(\d+)-\r\nif-range: \"v1\"", head)
                start, total = int(found[1]) if found else 0, len(content)
                fields = ['ETag: "v1"', *([f"Content-Range: bytes {start}-{total - 1}/{total}"] if found else [])]
                answer = reply(content[start:], *fields, status="206 Partial Content" if found else "200 OK")
                if cuts:
                    await peer.send(answer[: answer.index(b"\r\n\r\n") + 4 + cuts.pop(0)])
                    return
                await peer.send(answer)

    return script


async def test_over_sockets(target: Path) -> None:
    """A connection that breaks in the middle of a file, twice, costs no more than the bytes that it has not brought."""
    content = os.urandom(3_000_000)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    async with raw_server(file_script(content, [1_000_000, 1_000_000])) as server, AsyncHTTPClient() as client:
        for expected in (999_999, 1_999_998):
            with pytest.raises(IncompleteRead):
                await client.download(server.url + "/file", target, digest=digest)
            assert size(target.with_name("file.bin.part")) == expected + 1
        told: list[tuple[int, int | None]] = []
        result = await client.download(
            server.url + "/file", target, digest=digest, progress=lambda *at: told.append(at)
        )
        assert result == Download(target, len(content), 1_999_998, digest)
        assert (told[0], told[-1]) == ((1_999_998, len(content)), (len(content), len(content)))
    assert read(target) == content


async def test_cancelled_over_sockets(target: Path) -> None:
    """A download that is cancelled while it waits for bytes closes its connection, and what came is there."""
    content = os.urandom(100_000)
    sent = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(content, 'ETag: "v1"')[:-1000])
        sent.set()
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPClient() as client:
        got = asyncio.Event()

        def tell(done: int, _: int | None) -> None:
            if done == len(content) - 1000:
                got.set()

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_download, "PROGRESS_INTERVAL", 0)
            task = asyncio.create_task(client.download(server.url, target, progress=tell))
            await sent.wait()
            await got.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_closed()
    assert size(target.with_name("file.bin.part")) == len(content) - 1000


LENGTHS = [245, 246, 250, 251, 255]
"""Of names of files: 255 is the longest on nearly all file systems, ``.part`` and ``.part.json`` are longer."""


@pytest.mark.parametrize("letter", ["a", "é", "\U0001f4be"], ids=["ASCII", "Latin", "disk"])
@pytest.mark.parametrize("length", LENGTHS)
async def test_long_names_over_sockets(tmp_path: Path, length: int, letter: str) -> None:
    """A file with any name that a file may have is downloaded, and resumed, and nothing is left beside it."""
    letters, rest = divmod(length, len(letter.encode()))
    target = tmp_path / (letter * letters + "b" * rest)
    content = os.urandom(10_000)
    async with raw_server(file_script(content, [5_000])) as server, AsyncHTTPClient() as client:
        with pytest.raises(IncompleteRead):
            await client.download(f"{server.url}/f", target)
        assert len(entries(tmp_path)) == 2
        assert (await client.download(f"{server.url}/f", target)).resumed == 4_999
    assert entries(tmp_path) == {target.name}
    assert read(target) == content


async def test_names_that_are_too_long_over_sockets(tmp_path: Path) -> None:
    """A name that no file can have is refused before anything is asked for, and leaves nothing."""
    async with raw_server(file_script(b"content", [])) as server, AsyncHTTPClient() as client:
        with pytest.raises(OSError, match="too long"):
            await client.download(f"{server.url}/f", tmp_path / ("a" * 256))
        assert not server.connections
    assert entries(tmp_path) == set()


async def test_too_large_with_a_long_name_over_sockets(tmp_path: Path) -> None:
    """Of a file that is too large nothing is left, however long its name."""
    async with raw_server(file_script(b"content", [])) as server, AsyncHTTPClient() as client:
        with pytest.raises(BodyTooLarge):
            await client.download(f"{server.url}/f", tmp_path / ("a" * 248), max_body=3)
    assert entries(tmp_path) == set()


unix = pytest.mark.skipif(sys.platform == "win32", reason="files have no such modes, links are for administrators")


@unix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o755, 0o4755, 0o000], ids=oct)
async def test_the_mode_over_sockets(target: Path, mode: int) -> None:
    """A file that takes the place of another has its mode, and nobody else can read what comes meanwhile either."""
    content = os.urandom(100_000)
    put(target, b"old")
    give(target, mode)
    part = target.with_name("file.bin.part")
    async with raw_server(file_script(content, [50_000])) as server, AsyncHTTPClient() as client:
        with pytest.raises(IncompleteRead):
            await client.download(f"{server.url}/f", target)
        assert mode_of(part) == mode & 0o777 | 0o600
        assert (await client.download(f"{server.url}/f", target)).resumed == 49_999
    assert mode_of(target) == mode & 0o777
    give(target, 0o600)
    assert read(target) == content


@unix
@pytest.mark.parametrize("umask", [0o022, 0o077], ids=oct)
async def test_the_mode_of_new_files_over_sockets(target: Path, umask: int) -> None:
    """A file that is new has the mode that new files have."""
    before = os.umask(umask)
    try:
        async with raw_server(file_script(b"content", [])) as server, AsyncHTTPClient() as client:
            await client.download(f"{server.url}/f", target)
    finally:
        os.umask(before)
    assert mode_of(target) == 0o666 & ~umask


@unix
@pytest.mark.parametrize("there", [True, False])
async def test_links_over_sockets(target: Path, there: bool) -> None:
    """Where the target is a symbolic link, the file is replaced, or made, to which it leads; the link stays."""
    folder = target.with_name("elsewhere")
    folder.mkdir()
    real = folder / "real.bin"
    link(target.with_name("link"), "elsewhere")
    link(target, "link/real.bin")
    if there:
        put(real, b"old")
        give(real, 0o600)
    content = os.urandom(100_000)
    async with raw_server(file_script(content, [50_000])) as server, AsyncHTTPClient() as client:
        with pytest.raises(IncompleteRead):
            await client.download(f"{server.url}/f", target)
        assert entries(folder) - {real.name} == {"real.bin.part", "real.bin.part.json"}
        result = await client.download(f"{server.url}/f", target)
    assert (result.path, result.resumed) == (target, 49_999)
    assert os.readlink(target) == "link/real.bin"  # noqa: PTH115  # as it was written
    assert entries(folder) == {"real.bin"}
    assert read(real) == content
    assert not there or mode_of(real) == 0o600
    assert entries(target.parent) == {target.name, "link", "elsewhere"}


@unix
@pytest.mark.parametrize("kind", ["pipe", "link", "circle"])
async def test_what_is_no_file_over_sockets(target: Path, kind: str) -> None:
    """What is not a file is not replaced by one, and nothing is asked for."""
    if kind != "pipe":
        link(target, "pipe" if kind == "link" else target.name)
    if kind != "circle":
        os.mkfifo(target.with_name("pipe") if kind == "link" else target)
    before = entries(target.parent)
    async with raw_server(file_script(b"content", [])) as server, AsyncHTTPClient() as client:
        with pytest.raises(OSError, match="not a regular file" if kind != "circle" else "symbolic"):
            await client.download(f"{server.url}/f", target)
        assert not server.connections
    assert entries(target.parent) == before


@pytest.mark.parametrize("kind", ["long", "short"])
async def test_ranges_that_contradict_themselves_over_sockets(target: Path, kind: str) -> None:
    """Where another part comes than is announced, all of the file is asked for, and nothing is left of the part."""
    content = os.urandom(3_000_000)
    heads: list[str] = []

    async def script(peer: Peer) -> None:
        while True:
            heads.append((await peer.read_head()).decode())
            found = re.search(r"Range: bytes=(\d+)-", heads[-1])
            if len(heads) == 1:
                await peer.send(reply(content, 'ETag: "v1"')[:1_000_000])
                return
            if found is None:
                await peer.send(reply(content, 'ETag: "v1"'))
                continue
            start, end = int(found[1]), len(content)
            body = content[start:-10] if kind == "short" else content[start:] + b"more"
            told = f"Content-Range: bytes {start}-{end - 1}/{end}"
            await peer.send(reply(body, told, 'ETag: "v1"', status="206 Partial Content"))

    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    async with raw_server(script) as server, AsyncHTTPClient() as client:
        with pytest.raises(IncompleteRead):
            await client.download(f"{server.url}/f", target)
        result = await client.download(f"{server.url}/f", target, digest=digest)
    assert result == Download(target, len(content), 0, digest)
    assert ["Range: " in head for head in heads] == [False, True, False]
    assert read(target) == content
    assert names(target) == {""}


async def test_nothing_is_left_of_too_much(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only its end shows that a range is longer than announced, nothing is left of it: the next begins anew."""

    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        if peer.number == 0:
            await peer.send(reply(CONTENT, 'ETag: "v1"')[:-30])
        elif b"Range: " in head:
            fields = f'Content-Range: bytes 19-{len(CONTENT) - 1}/{len(CONTENT)}\r\nETag: "v1"\r\n'
            answer = chunked(*(CONTENT[at : at + 10] for at in range(19, 50, 10)), b"more", fields=fields)
            await peer.send(answer.replace(b"200 OK", b"206 Partial Content", 1))
        else:
            await peer.send(reply(CONTENT, 'ETag: "v1"'))

    monkeypatch.setattr(_download, "BLOCK", 7)
    async with raw_server(script) as server, AsyncHTTPClient(retries=None) as client:
        with pytest.raises(IncompleteRead):
            await client.download(f"{server.url}/f", target)
        assert names(target) == {".part", ".part.json"}
        with pytest.raises(DownloadError, match="more came"):
            await client.download(f"{server.url}/f", target)
        assert names(target) == set()
        assert (await client.download(f"{server.url}/f", target)).resumed == 0
    assert read(target) == CONTENT
