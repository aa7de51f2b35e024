"""``client/_contents.py``: what a body may be made of, how often it can be sent, and what is refused."""

from __future__ import annotations

import array
import asyncio
import bz2
import codecs
import gzip
import io
import lzma
import os
import tempfile
import threading
import zipfile
from collections import UserList, deque
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.client._contents import BLOCK, Blocks, PathPayload, content_payload
from aiohttpclient.connection._sender import SLICE, BodySender
from aiohttpclient.errors import BodyNotReplayable, RemoteDisconnected
from aiohttpclient.pool import ConnectionPool
from tests.net.streams import until
from tests.support.leaks import open_descriptors
from tests.support.server import raw_server

from .bodies import Receiver, in_parts, opened, send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

LARGE = bytes(range(256)) * 3000
"""More than two blocks, and not a whole number of them."""


def body_of(content: Any) -> Any:
    """The payload that has it; which kind that is, tests see."""
    return content_payload(content)


def generator() -> Iterator[bytes]:
    yield b"abc"
    yield b"def"


async def async_generator() -> AsyncIterator[bytes]:
    yield b"abc"
    yield b"def"


class Again:
    """Can be iterated over as often as one likes."""

    def __iter__(self) -> Iterator[bytes]:
        return generator()


class AsyncAgain:
    """The same for ``async for``."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return async_generator()


class AsyncFile:
    """A file of which every method is a coroutine function, as those of aiofiles and anyio are."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    async def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    async def seekable(self) -> bool:
        return True

    async def tell(self) -> int:
        return 0


def pipe(content: bytes) -> Any:
    """A pipe that has ``content`` and then ends."""
    reading, writing = os.pipe()
    os.write(writing, content)
    os.close(writing)
    return open(reading, "rb")  # noqa: PTH123  # a descriptor


# -- what it says of itself

IN_MEMORY: list[Any] = [
    pytest.param(b"abcdef", id="bytes"),
    pytest.param(b"", id="no bytes"),
    pytest.param(bytearray(b"abcdef"), id="bytearray"),
    pytest.param(memoryview(b"abcdef"), id="memoryview"),
    pytest.param(memoryview(array.array("H", [1, 2, 3])), id="memoryview of numbers"),
    pytest.param(array.array("H", [1, 2, 3]), id="array"),
]


@pytest.mark.parametrize("content", IN_MEMORY)
async def test_bytes(content: Any) -> None:
    """Whatever is bytes-like is sent as it lies in memory, any number of times, and nothing is said about its type."""
    payload = body_of(content)
    expected = bytes(memoryview(content).cast("B"))
    assert (payload.content_type, payload.length, payload.replayable) == (None, len(expected), True)
    assert [await opened(payload), await opened(payload), await in_parts(payload)] == [expected] * 3


def test_bytes_are_not_copied() -> None:
    """Bytes are handed on as the object that they are; a bytearray can still be changed in size meanwhile."""
    data, mutable = b"abc", bytearray(b"abc")
    assert body_of(data).open() is data
    payload = body_of(mutable)
    mutable.clear()
    assert payload.open() is mutable


def test_bytes_with_gaps() -> None:
    """A view of bytes that do not lie one behind the other is refused."""
    with pytest.raises(TypeError, match="contiguous"):
        body_of(memoryview(b"abcdef")[::2])


@pytest.mark.parametrize("text", ["", "abc", "äöü", "€ 😀"])
async def test_text(text: str) -> None:
    """Text is sent in UTF-8, and says so."""
    payload = body_of(text)
    expected = text.encode("utf-8")
    assert (payload.content_type, payload.length) == ("text/plain; charset=utf-8", len(expected))
    assert await opened(payload) == expected


def test_text_that_is_none() -> None:
    """A lone surrogate is no character, and cannot be sent."""
    with pytest.raises(UnicodeEncodeError):
        body_of("a\ud800")


@pytest.mark.parametrize("content", [{"a": 1}, {}, 1, 1.5, True, object(), Blocks])
def test_what_is_no_body(content: Any) -> None:
    """Anything else is refused, a mapping too, with a word about where it might have been meant to go."""
    with pytest.raises(TypeError, match=r"str, bytes, a binary file.* not '\w+'; data= .* json= "):
        body_of(content)


# -- files

FILES: list[Any] = [
    pytest.param(lambda path: path.open("rb"), id="buffered"),
    pytest.param(lambda path: path.open("r+b"), id="to write"),
    pytest.param(lambda path: path.open("rb", buffering=0), id="raw"),
    pytest.param(lambda path: io.BytesIO(path.read_bytes()), id="in memory"),
    pytest.param(lambda path: filled(tempfile.TemporaryFile(), path), id="temporary"),  # noqa: SIM115  # closed there
    pytest.param(lambda path: filled(tempfile.NamedTemporaryFile(), path), id="named"),  # noqa: SIM115  # the same
    pytest.param(lambda path: filled(tempfile.SpooledTemporaryFile(10), path), id="spooled"),  # noqa: SIM115  # the same
    pytest.param(lambda path: filled(tempfile.SpooledTemporaryFile(), path), id="not spooled"),  # noqa: SIM115  # the same
]


def filled(file: Any, path: Path) -> Any:
    file.write(path.read_bytes())
    file.seek(0)
    return file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of more than two blocks."""
    path = tmp_path / "content.bin"
    path.write_bytes(LARGE)
    return path


@pytest.mark.parametrize("position", [0, 12_345, len(LARGE) + 10])
@pytest.mark.parametrize("factory", FILES)
async def test_files(path: Path, factory: Callable[[Path], Any], position: int) -> None:
    """A file is sent from where it stood when it was given, each time, and its length is what follows there."""
    with factory(path) as file:
        file.seek(position)
        payload = body_of(file)
        rest = LARGE[position:]
        assert (payload.content_type, payload.length, payload.replayable) == (None, len(rest), True)
        assert file.tell() == position
        file.seek(3)
        assert payload.open() is file
        assert file.read() == rest
        assert [await opened(payload), await in_parts(payload), await in_parts(payload)] == [rest] * 3
        assert not file.closed


async def test_what_was_written_is_counted(tmp_path: Path) -> None:
    """What has been written to a file, and not to the disk yet, belongs to its length."""
    with (tmp_path / "new").open("w+b") as file:
        file.write(b"abcdef")
        file.seek(2)
        file.write(b"xy")
        file.seek(1)
        payload = body_of(file)
        assert payload.length == 5
        assert await opened(payload) == b"bxyef"


@contextmanager
def zipped(path: Path) -> Iterator[Any]:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("member", LARGE)
    with zipfile.ZipFile(path) as archive, archive.open("member") as member:
        yield member


def compressed(module: Any) -> Callable[[Path], Any]:
    def factory(path: Path) -> Any:
        path.write_bytes(module.compress(LARGE))
        return module.open(path)

    return factory


COMPRESSED = [
    pytest.param(compressed(gzip), id="gzip"),
    pytest.param(compressed(bz2), id="bz2"),
    pytest.param(compressed(lzma), id="lzma"),
    pytest.param(zipped, id="zip"),
]


@pytest.mark.parametrize("factory", COMPRESSED)
async def test_files_that_compute_their_contents(path: Path, factory: Callable[[Path], Any]) -> None:
    """A file that decompresses is not run through to learn its length; it is sent from where it stood nevertheless."""
    with factory(path) as file:
        file.seek(1000)
        payload = body_of(file)
        assert (payload.length, payload.replayable) == (None, True)
        assert [await opened(payload), await in_parts(payload), await opened(payload)] == [LARGE[1000:]] * 3


async def test_buffer_around_such_a_file(path: Path) -> None:
    """A buffer around a file that decompresses makes no plain file of it."""
    with compressed(gzip)(path) as file, io.BufferedReader(file) as buffered:
        payload = body_of(buffered)
        assert payload.length is None
        assert await opened(payload) == LARGE


TEXT_FILES = [
    pytest.param(lambda path: path.open(), id="text"),
    pytest.param(lambda path: io.StringIO("abc"), id="in memory"),
    pytest.param(lambda path: codecs.open(str(path), encoding="utf-8"), id="codecs"),  # noqa: SIM115  # the same
    pytest.param(lambda path: tempfile.NamedTemporaryFile("w+"), id="named"),  # noqa: SIM115  # the same
    pytest.param(lambda path: tempfile.SpooledTemporaryFile(mode="w+"), id="spooled"),  # noqa: SIM115  # the same
]


@pytest.mark.filterwarnings("ignore:codecs.open:DeprecationWarning")  # from Python 3.14 on
@pytest.mark.parametrize("factory", TEXT_FILES)
def test_text_files(path: Path, factory: Callable[[Path], Any]) -> None:
    """A file in text mode is refused, whatever it is made of, and the error says how to open it."""
    with factory(path) as file, pytest.raises(TypeError, match=r"binary mode.*open\(path, 'rb'\)"):
        body_of(file)


@pytest.mark.parametrize("factory", [lambda: io.BytesIO(b"abc"), tempfile.TemporaryFile])
def test_closed_files(factory: Callable[[], Any]) -> None:
    """A closed file is refused when it is given, not when it is sent."""
    file = factory()
    file.close()
    with pytest.raises(ValueError, match="the file is closed"):
        body_of(file)


@pytest.mark.parametrize("factory", [pipe, AsyncFile], ids=["pipe", "async file"])
async def test_files_that_cannot_seek(factory: Callable[[bytes], Any]) -> None:
    """A file that cannot be brought back has no length, and is opened once."""
    file = factory(b"abcdef")
    payload = body_of(file)
    assert (payload.length, payload.replayable) == (None, False)
    assert payload.open() is file
    assert await in_parts(payload) == b"abcdef"
    with pytest.raises(BodyNotReplayable, match="the file can be sent only once"):
        payload.open()
    if isinstance(file, io.IOBase):
        file.close()


@contextmanager
def as_files(path: Path) -> Iterator[tuple[Any, Any]]:
    if not path.exists():
        pytest.skip(f"this system has no {path}")
    with path.open("rb") as buffered, path.open("rb", buffering=0) as raw:
        yield buffered, raw


UNSIZED = {
    "proc": "/proc/version",
    "proc, empty": "/proc/self/cmdline",
    "sysfs": "/sys/kernel/mm/transparent_hugepage/enabled",
    "device": "/dev/null",
}


@pytest.mark.parametrize("name", UNSIZED.values(), ids=UNSIZED)
async def test_files_that_know_no_size(name: str) -> None:
    """What is made when it is read, and says that it has no bytes or too many, is sent in chunks, as often as asked."""
    with as_files(Path(name)) as (file, raw):
        content = file.read()
        file.seek(0)
        receiver = Receiver()
        async with raw_server(receiver) as server, ConnectionPool() as pool:
            for given in (file, raw, Path(name)):
                if given == Path("/dev/null"):
                    continue  # nothing but regular files by their paths
                payload = body_of(given)
                assert (payload.length, payload.replayable) == (None, True)
                for _ in range(2):
                    await (await send(pool, server.url, payload)).read()
                    assert b"\r\ntransfer-encoding: chunked\r\n" in receiver.heads[-1].lower()
                assert await in_parts(payload) == content
        assert set(receiver.bodies) == {content}


def test_devices_have_no_length() -> None:
    """A character device has no end that could be looked for."""
    with Path("/dev/urandom").open("rb") as file:
        assert body_of(file).length is None


async def test_empty_files(tmp_path: Path) -> None:
    """A file without bytes is one, of which the length is known."""
    path = tmp_path / "empty"
    path.touch()
    with path.open("rb") as file:
        assert [body_of(given).length for given in (file, path)] == [0, 0]


@pytest.mark.parametrize(("size", "named"), [(5, "had 6 bytes when .* has 5"), (7, "had 6 bytes when .* has 7")])
def test_files_that_changed(tmp_path: Path, size: int, named: str) -> None:
    """A file of another length than the one that was told is refused before it is sent, and named with both."""
    path = tmp_path / "changing"
    path.write_bytes(b"abcdef")
    with path.open("rb") as file:
        payloads = [body_of(file), body_of(path)]
        os.truncate(path, size)
        for payload in payloads:
            with pytest.raises(ValueError, match=f"{path}.*{named}"):
                payload.open()
            assert payload.length == 6


# -- paths


async def test_paths(path: Path) -> None:
    """A path is opened when the body is sent, closed after that, and can be sent again."""
    before = open_descriptors()
    payload = body_of(path)
    assert (payload.content_type, payload.length, payload.replayable) == (None, len(LARGE), True)
    payload.open()
    assert open_descriptors() == before
    assert [await opened(payload), await opened(payload), await in_parts(payload)] == [LARGE] * 3
    async with aclosing(payload.blocks()) as blocks:
        assert await anext(blocks) == LARGE[:BLOCK]
    assert open_descriptors() == before


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    """A path without a regular file at its end is refused when it is given; a pipe is not opened, which would wait."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError, match="missing"):
        body_of(tmp_path / "missing")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ValueError, match=f"{path}.* is not a regular file"):
            body_of(path)


def test_paths_that_are_gone(path: Path) -> None:
    """A file that was removed since is missed before anything is sent."""
    payload = body_of(path)
    path.unlink()
    with pytest.raises(FileNotFoundError):
        payload.open()


class SlowFile:
    """A file whose reads take until they may return."""

    def __init__(self) -> None:
        self.reading, self.may_return, self.closed_while_reading = threading.Event(), threading.Event(), False
        self.busy = self.closed = False

    def read(self, size: int) -> bytes:
        self.busy = True
        self.reading.set()
        self.may_return.wait()
        self.busy = False
        return b"x"

    def close(self) -> None:
        self.closed_while_reading |= self.busy
        self.closed = True


async def test_a_read_that_is_cancelled(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is cancelled while a thread reads does not wait for it; the file is closed when the thread is done."""
    file = SlowFile()
    payload = PathPayload(path)
    monkeypatch.setattr(type(path), "open", lambda *_, **__: file)
    task = asyncio.create_task(in_parts(payload))
    await until(file.reading.is_set)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not file.closed
    file.may_return.set()
    await until(lambda: file.closed)
    assert not file.closed_while_reading


# -- what is iterated over

REPEATABLE: list[Any] = [
    [b"abc", b"def"],
    (b"abc", bytearray(b"def")),
    deque([b"abc", memoryview(b"def")]),
    UserList([b"abc", b"def"]),
    {b"abc": 1, b"def": 2}.keys(),
    Again(),
    AsyncAgain(),
]


@pytest.mark.parametrize("content", REPEATABLE, ids=lambda content: type(content).__name__)
async def test_repeatable_iterables(content: Any) -> None:
    """What can be iterated over again is sent again, from its beginning, also by a pool that repeats a request."""
    payload = body_of(content)
    assert (payload.content_type, payload.length, payload.replayable) == (None, None, True)
    assert [await opened(payload), await opened(payload), await in_parts(payload)] == [b"abcdef"] * 3
    body = payload.open()
    first = [[bytes(block) async for block in body]]
    body.rewind()
    assert first == [[bytes(block) async for block in body]]


@pytest.mark.parametrize(
    "factory",
    [generator, async_generator, lambda: iter([b"abc", b"def"]), lambda: map(bytes, [b"abc", b"def"])],
    ids=["generator", "async generator", "iterator", "map"],
)
async def test_iterators(factory: Callable[[], Any]) -> None:
    """An iterator is sent once; the second time is refused, and what it was is named."""
    content = factory()
    payload = body_of(content)
    assert (payload.length, payload.replayable) == (None, False)
    assert not hasattr(payload.open(), "rewind")
    with pytest.raises(BodyNotReplayable, match=f"'{type(content).__name__}' can be sent only once"):
        payload.open()
    assert await in_parts(payload) == b"abcdef"


@pytest.mark.parametrize("piece", ["abc", 1, None, [b"abc"]], ids=repr)
async def test_pieces(piece: Any) -> None:
    """A piece that is not bytes-like is refused, text too, which would be sent in an encoding that nobody chose."""
    for content in ([b"abc", piece], (one for one in [b"abc", piece])):
        with pytest.raises(TypeError, match=f"a piece of a body must be bytes-like, got {type(piece).__name__!r}"):
            await opened(body_of(content))


@pytest.mark.parametrize("kind", ["sync", "async"])
async def test_generators_are_closed(kind: str) -> None:
    """A generator of which only a part was sent is closed with the body, not by the collector."""
    closed = []

    def plain() -> Iterator[bytes]:
        try:
            yield b"abc"
            yield b"def"
        finally:
            closed.append(True)

    async def awaited() -> AsyncIterator[bytes]:
        try:
            yield b"abc"
            yield b"def"
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    content: Any = plain() if kind == "sync" else awaited()
    iterator = aiter(body_of(content).open())
    assert await anext(iterator) == b"abc"
    await iterator.aclose()
    assert closed == [True]


# -- over the wire


def contents(path: Path) -> dict[str, Any]:
    """One of each kind, of the same bytes."""
    data = path.read_bytes()
    return {
        "bytes": data,
        "file": path.open("rb"),
        "memory": io.BytesIO(data),
        "path": path,
        "list": [data[:1000], b"", data[1000:]],
        "again": UserList([data[:1000], data[1000:]]),
        "generator": (block for block in [data[:1000], data[1000:]]),
        "pipe": pipe(data[:1000]),
    }


CHUNKED_KINDS = {"list", "again", "generator", "pipe"}
ONCE = {"generator", "pipe"}
KINDS = ["bytes", "file", "memory", "path", "list", "again", "generator", "pipe"]


@pytest.fixture
def content(request: pytest.FixtureRequest, path: Path) -> Iterator[tuple[str, Any, bytes]]:
    """The kind of a content, the content, and its bytes."""
    every = contents(path)
    try:
        yield request.param, every[request.param], LARGE[:1000] if request.param == "pipe" else LARGE
    finally:
        every["file"].close()
        every["pipe"].close()


@pytest.mark.parametrize("content", KINDS, indirect=True)
async def test_sent(content: tuple[str, Any, bytes]) -> None:
    """Every kind arrives as it is, with a Content-Length where its length is known, else in chunks."""
    kind, given, expected = content
    receiver = Receiver()
    async with raw_server(receiver) as server, ConnectionPool() as pool:
        response = await send(pool, f"{server.url}/", body_of(given))
        await response.read()
    assert receiver.bodies == [expected]
    field = b"Transfer-Encoding: chunked" if kind in CHUNKED_KINDS else b"Content-Length: %d" % len(expected)
    assert field in receiver.heads[0]
    assert b"Content-Type" not in receiver.heads[0]


@pytest.mark.parametrize("content", KINDS, indirect=True)
async def test_sent_again_by_the_pool(content: tuple[str, Any, bytes]) -> None:
    """When a reused connection dies under a body, the pool sends it again from its beginning, if it is replayable."""
    kind, given, expected = content
    receiver = Receiver(dies=True)
    async with raw_server(receiver) as server, ConnectionPool() as pool:
        await (await pool.request("GET", f"{server.url}/")).read()
        payload = body_of(given)
        if kind in ONCE:
            with pytest.raises((RemoteDisconnected, ConnectionResetError)):
                await send(pool, f"{server.url}/", payload)
        else:
            await (await send(pool, f"{server.url}/", payload)).read()
        assert pool.stats().retried == (kind not in ONCE)
    assert receiver.bodies[2:] == ([] if kind in ONCE else [expected])


async def test_files_go_the_short_way(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A regular file is handed to the part of the sender that lets the kernel send it, from its position."""
    seen = []
    way = BodySender._send_regular

    async def spy(self: BodySender, file: Any, offset: int, end: int, chunked: bool) -> None:
        seen.append((file, offset, end, chunked))
        await way(self, file, offset, end, chunked)

    monkeypatch.setattr(BodySender, "_send_regular", spy)
    receiver = Receiver()
    async with raw_server(receiver) as server, ConnectionPool() as pool:
        with path.open("rb") as file:
            file.seek(77)
            await (await send(pool, f"{server.url}/", body_of(file))).read()
            assert seen == [(file, 77, len(LARGE), False)]
    assert receiver.bodies == [LARGE[77:]]


@pytest.mark.parametrize("kind", ["file", "path"])
@pytest.mark.parametrize(("size", "named"), [(len(LARGE) - 9, "9 bytes short of"), (len(LARGE) + 9, "longer than")])
async def test_files_that_change_too_late(path: Path, kind: str, size: int, named: str) -> None:
    """A file that changes after it was opened fails its request, and no byte beyond what was told arrives."""
    receiver = Receiver()
    async with raw_server(receiver) as server, ConnectionPool() as pool:
        with path.open("rb") as file:
            payload = body_of(file if kind == "file" else path)
            headers = {"Content-Length": str(payload.length)}
            body = payload.open()
            os.truncate(path, size)
            with pytest.raises(ValueError, match=f"the body .*{named}.* its Content-Length|{named} its Content-Length"):
                await pool.request("PUT", f"{server.url}/", body, headers)
    assert receiver.bodies == []
    assert len(server.raw.partition(b"\r\n\r\n")[2]) <= len(LARGE)


def test_block() -> None:
    """A block is as large as what the sender hands to a transport at once, so that it goes in one write."""
    assert BLOCK == SLICE
