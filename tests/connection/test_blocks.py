"""What may be given as a body, and the pieces that it is sent in."""

from __future__ import annotations

import array
import asyncio
import gzip
import io
import mmap
import os
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.connection._blocks import (
    as_bytes,
    blocks_of,
    body_size,
    encode_text,
    file_blocks,
    regular_file,
)
from tests.support.ids import stable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterator


async def collect(blocks: AsyncGenerator[object, None]) -> list[object]:
    return [block async for block in blocks]


# -- sizes


@pytest.mark.parametrize(
    ("body", "size"),
    [
        (None, None),
        (b"abc", 3),
        ("caf\xe9", 4),
        (bytearray(5), 5),
        (memoryview(b"abcdefgh").cast("I"), 8),
        (memoryview(b"abcdef")[::2], 3),
        (array.array("I", [1, 2]), 8),
        (io.BytesIO(b"abc"), None),
        ([b"abc"], None),
        (iter([b"abc"]), None),
        (5, None),
    ],
    ids=stable,
)
def test_body_size(body: Any, size: int | None) -> None:
    """The size of text and of bytes-like objects is known, in bytes; that of nothing else."""
    assert body_size(body) == size


def test_size_of_a_map() -> None:
    """A memory map is bytes-like, and a file: as in http.client it is a file, so that its position counts."""
    with tempfile.TemporaryFile() as file:
        file.write(b"abc")
        file.flush()
        with mmap.mmap(file.fileno(), 3) as mapped:
            assert body_size(mapped) is None


# -- pieces


@pytest.mark.parametrize(
    ("body", "blocks"),
    [
        (b"abc", [b"abc"]),
        ("abc", ["abc"]),
        (bytearray(b"abc"), [b"abc"]),
        (array.array("B", b"abc"), [array.array("B", b"abc")]),
        ([b"a", "b", b""], [b"a", "b", b""]),
        ((b"a", b"b"), [b"a", b"b"]),
        ({b"a": 1, b"b": 2}, [b"a", b"b"]),
        ([], []),
    ],
    ids=stable,
)
async def test_pieces(body: object, blocks: list[object]) -> None:
    """Bytes and text are one piece; everything else is what it iterates over, as it is."""
    assert await collect(blocks_of(body)) == blocks


async def test_pieces_of_an_iterator() -> None:
    """An iterator gives its pieces, too."""
    assert await collect(blocks_of(iter([b"a", b"b"]))) == [b"a", b"b"]


async def test_pieces_of_an_async_iterable() -> None:
    """Async iterables of every kind give their pieces."""

    async def generator() -> AsyncIterator[bytes]:
        yield b"a"
        await asyncio.sleep(0)
        yield b"b"

    class Iterable:
        def __aiter__(self) -> AsyncIterator[bytes]:
            return generator()

    class Both(Iterable):
        def __iter__(self) -> Iterator[bytes]:
            raise AssertionError("the async way is the better one here")

    for body in (generator(), Iterable(), Both()):
        assert await collect(blocks_of(body)) == [b"a", b"b"]


@pytest.mark.parametrize("body", [5, 1.5, object(), True])
async def test_no_pieces(body: object) -> None:
    """What is neither bytes nor text nor iterable is a TypeError that says what may be given."""
    with pytest.raises(TypeError, match="bytes-like, str, a file or an iterable"):
        await collect(blocks_of(body))


async def test_unfinished_generators_are_closed() -> None:
    """A generator that is not used up is closed at once, and not by the garbage collector."""
    closed = []

    async def waiting() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            await asyncio.sleep(0)
            closed.append("async")

    def plain() -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append("plain")

    kept = [waiting(), plain()]
    for body in kept:
        blocks = blocks_of(body)
        assert await anext(blocks) == b"a"
        await blocks.aclose()
    assert closed == ["async", "plain"]


@pytest.mark.parametrize(
    ("block", "data"),
    [
        (b"abc", b"abc"),
        (bytearray(b"abc"), b"abc"),
        (memoryview(b"abc"), b"abc"),
        (memoryview(b"abcd").cast("B", (2, 2)), b"abcd"),
        (array.array("H", [1, 2]), array.array("H", [1, 2]).tobytes()),
        ("caf\xe9", b"caf\xe9"),
        (b"", b""),
    ],
    ids=stable,
)
def test_as_bytes(block: object, data: bytes) -> None:
    """A piece is bytes, whatever its items are; text is ISO-8859-1."""
    view = as_bytes(block)
    assert (view.format, view.nbytes, bytes(view)) == ("B", len(data), data)


@pytest.mark.parametrize("block", [5, None, [b"a"], memoryview(b"abcd")[::2]])
def test_not_bytes(block: object) -> None:
    """A piece of another kind is a TypeError."""
    with pytest.raises(TypeError, match="bytes-like or str"):
        as_bytes(block)


def test_text_outside_iso_8859_1() -> None:
    """Text that ISO-8859-1 cannot express is an error that says what to do, as in http.client."""
    with pytest.raises(UnicodeEncodeError, match=r"body\.encode\('utf-8'\)") as caught:
        encode_text("a\u20ac")
    assert (caught.value.object, caught.value.start, caught.value.end) == ("a\u20ac", 1, 2)


# -- files


@pytest.mark.parametrize("blocksize", [1, 2, 3, 100])
async def test_blocks_of_a_file(blocksize: int, tmp_path: Path) -> None:
    """A file is read from its position to its end, in blocks, in memory or not."""
    path = tmp_path / "file"
    path.write_bytes(b"xxabc")
    with path.open("rb") as on_disk:
        for file in (on_disk, io.BytesIO(b"xxabc"), io.StringIO("xxabc")):
            file.seek(2)
            blocks = [as_bytes(block) for block in await collect(file_blocks(file, blocksize))]
            assert b"".join(blocks) == b"abc"
            assert all(len(block) == blocksize for block in blocks[:-1])


async def test_async_file() -> None:
    """A file whose ``read`` is a coroutine function, as those of aiofiles, is awaited."""

    class File:
        def __init__(self) -> None:
            self._file = io.BytesIO(b"abc")

        async def read(self, size: int) -> bytes:
            await asyncio.sleep(0)
            return self._file.read(size)

    class Sneaky(File):
        def read(self, size: int) -> Any:  # a plain function that gives a coroutine
            return super().read(size)

    for file in (File(), Sneaky()):
        assert await collect(file_blocks(file, 2)) == [b"ab", b"c"]


async def test_slow_file_does_not_block_the_loop() -> None:
    """While a file that is slow is read, the loop goes on."""
    asked, go_on = threading.Event(), threading.Event()

    class Slow:
        def __init__(self) -> None:
            self.blocks = [b"abc", b""]

        def read(self, size: int) -> bytes:
            asked.set()
            assert go_on.wait(10)
            return self.blocks.pop(0)

    task = asyncio.create_task(collect(file_blocks(Slow(), 10)))
    turns = 0
    while not asked.is_set() or turns < 10:
        await asyncio.sleep(0)
        turns += 1
    assert not task.done()
    go_on.set()
    assert await task == [b"abc"]


async def test_file_that_fails() -> None:
    """What reading raises reaches the caller."""

    class Broken:
        def read(self, size: int) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        await collect(file_blocks(Broken(), 10))


def test_regular_file(tmp_path: Path) -> None:
    """A plain binary file on disk is known by its descriptor, from its position to its end."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    for mode, buffering in (("rb", -1), ("rb", 0), ("r+b", -1)):
        with path.open(mode, buffering) as file:
            assert regular_file(file) == (0, 10)
            file.read(4)
            assert regular_file(file) == (4, 10)
            file.seek(0, os.SEEK_END)
            assert regular_file(file) is None
    with tempfile.TemporaryFile() as file:
        file.write(b"abc")
        file.seek(1)
        assert regular_file(file) == (1, 3)


def test_page_of_the_kernel() -> None:
    """A file that claims to have a page, and is made when it is read, is not plain."""
    path = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    if not path.exists():
        pytest.skip("this system has no sysfs")
    with path.open("rb") as file:
        assert regular_file(file) is None


def test_unwritten_data_of_a_file(tmp_path: Path) -> None:
    """What was written to a file and is still in its buffer is not lost."""
    with (tmp_path / "file").open("w+b") as file:
        file.write(b"abc")
        file.seek(0)
        assert regular_file(file) in {(0, 3), None}
        file.seek(0, os.SEEK_END)
        file.write(b"def")
        span = regular_file(file)
        assert span is None


def test_not_a_regular_file(tmp_path: Path) -> None:
    """Text, compressed and packed files, pipes, devices and files in memory are not plain, whatever ``fileno`` says."""
    path = tmp_path / "file"
    path.write_bytes(gzip.compress(b"abc"))
    with path.open(encoding="latin-1") as text, gzip.open(path) as compressed, path.open("rb") as below:
        assert regular_file(text) is None
        assert regular_file(compressed) is None
        assert regular_file(io.BufferedReader(gzip.GzipFile(fileobj=below))) is None
    reader, writer = os.pipe()
    with open(reader, "rb") as pipe, open(writer, "wb") as other_end:  # noqa: PTH123  # descriptors, not paths
        assert regular_file(pipe) is None
        assert regular_file(other_end) is None
    with open("/dev/zero", "rb") as device:  # noqa: PTH123  # the same file for everybody
        assert regular_file(device) is None
    assert regular_file(io.BytesIO(b"abc")) is None
    assert regular_file(object()) is None
    with path.open("rb") as closed:
        pass
    assert regular_file(closed) is None
