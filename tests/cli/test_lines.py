"""Files of URLs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiohttpclient.cli._exits import UsageError
from aiohttpclient.cli._lines import LONGEST, Lines, Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def blocks(data: bytes, size: int) -> AsyncIterator[bytes]:
    for begin in range(0, len(data), size):
        yield data[begin : begin + size]


def lines(data: bytes, size: int = 100, name: str = "f") -> Lines:
    return Lines([Text(name, blocks(data, size), len(data))])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
async def test_lines(size: int) -> None:
    """Lines are the same however the bytes come: without white space around, empty ones, comments, and line ends."""
    data = "\ufeffhttp://a/\r\n\r\n# b\n  http://ü/ \n\t#\n\nhttp://c/".encode()
    found = [(str(line), line.where) async for line in lines(data, size)]
    assert found == [("http://a/", "f:1"), ("http://ü/", "f:4"), ("http://c/", "f:7")]


async def test_several_files() -> None:
    """Files are read one after the other, and each counts its own lines."""
    texts = [Text("a", blocks(b"1\n2", 9), 3), Text("b", blocks(b"3\n", 9), 2)]
    found = Lines(texts)
    assert [f"{line} {line.where}" async for line in found] == ["1 a:1", "2 a:2", "3 b:1"]
    assert found.share == 1.0


async def test_how_far() -> None:
    """It knows how much of the files was given out, where somebody knows how large they are."""
    found = lines(b"aaaa\nbbbb\ncccc\ndddd\n", 7)
    shares = [found.share, *[found.share async for _ in found], found.share]
    assert shares == [0, 0.25, 0.5, 0.75, 1, 1]
    assert Lines([Text("a", blocks(b"", 1), 5), Text("-", blocks(b"", 1), None)]).share is None
    assert [line async for line in lines(b"")] == []


async def test_no_text() -> None:
    """Bytes that are no UTF-8 are still there, one by one, for the error to show."""
    assert [line async for line in lines(b"http://a/\xff\n")] == ["http://a/\udcff"]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
async def test_another_encoding(mark: bytes) -> None:
    """UTF-16 is told from what stands at its beginning."""
    with pytest.raises(UsageError, match="f: it is text in UTF-16"):
        await anext(aiter(lines(mark + b"h\0t\0")))


async def test_no_lines() -> None:
    """What has no ends of lines is not read to its end."""
    with pytest.raises(UsageError, match="f:2: so long is no URL"):
        assert [line async for line in lines(b"a\n" + b"x" * (LONGEST + 100_000), 65536)]


async def test_a_file_is_let_go() -> None:
    """Whoever leaves early closes the file."""
    source = blocks(b"a\nb\n", 2)
    found = aiter(Lines([Text("f", source, None)]))
    assert await anext(found) == "a"
    await found.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(source)
