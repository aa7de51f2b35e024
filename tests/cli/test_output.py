"""Where a body goes."""

from __future__ import annotations

import asyncio
import io
import os
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.cli._exits import LocalError, ReaderGone
from aiohttpclient.cli._output import Output
from aiohttpclient.testing import CutBody, LoopbackServer, ServerResponse
from tests.cli.running import names, ran

if TYPE_CHECKING:
    from pathlib import Path


async def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``-o`` names the file; ``-O`` takes the end of the URL that was asked for, made safe, and no redirect's."""
    monkeypatch.chdir(tmp_path)
    async with LoopbackServer() as server:
        server.route("/a/%2Ex")(lambda request: b"b")
        server.route("/a/.x")(lambda request: b"a")
        assert await ran("get", f"{server.url}/a/.x", "-o", "named") == (0, b"", "")
        assert await ran("get", f"{server.url}/a/.x?q", "-O") == (0, b"", "")
        server.route("/moved")(lambda request: ServerResponse(302, b"", {"Location": "/a/.x"}))
        assert await ran("get", f"{server.url}/moved", "-O") == (0, b"", "")
        assert names(tmp_path) == ["_x", "moved", "named"]
        assert (await ran("get", f"{server.url}/a/", "-O")).code == 2
        assert (await ran("get", f"{server.url}/a/.x", "-O", "-o", "x")).code == 2


async def test_a_file_that_cannot_be(tmp_path: Path) -> None:
    """A file that cannot be written is 10, told with its name; one is not opened before there is an answer."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"x")
        for name in ("missing/file", "."):
            done = await ran("get", f"{server.url}/", "-o", str(tmp_path / name))
            assert done.code == 10
            assert str(tmp_path) in done.err
        kept = tmp_path / "kept"
        kept.write_bytes(b"old")
        assert (await ran("get", f"{server.url}/none", "-f", "-o", str(kept))).code == 1
        assert kept.read_bytes() == b"old"


async def test_what_came_before_it_broke() -> None:
    """What came of a body that breaks off was written."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: CutBody(b"0123456789", after=4))
        done = await ran("get", f"{server.url}/")
        assert (done.code, done.out) == (8, b"0123")


async def test_a_terminal() -> None:
    """On a terminal a head is harmless, what is not text is refused, and the prompt gets a line of its own."""
    async with LoopbackServer() as server:
        server.route("/text")(lambda request: ServerResponse(200, b"text", {"X": "\x9bA"}))
        server.route("/bytes")(lambda request: b"\x89PNG\0")
        done = await ran("get", f"{server.url}/text", "-i", terminal=True)
        assert done.out == b"HTTP/1.1 200 OK\nX: \\x9bA\nContent-Length: 4\n\ntext\n"
        done = await ran("get", f"{server.url}/bytes", terminal=True)
        assert (done.code, done.out) == (10, b"")
        assert "-o FILE" in done.err
        assert (await ran("get", f"{server.url}/bytes", "-o", "-", terminal=True)).out == b"\x89PNG\0"


class Slow(io.RawIOBase):
    """Takes three bytes at a time, as a pipe that is full may."""

    def __init__(self) -> None:
        self.taken = b""

    def write(self, data: bytes) -> int:  # type: ignore[override]  # a part of it
        self.taken += bytes(data[:3])
        return len(data[:3])


async def test_partial_writes() -> None:
    """What a file takes in parts is written whole."""
    file = Slow()
    await Output(file, "f").write(b"0123456789")
    assert file.taken == b"0123456789"


async def test_a_reader_that_is_gone() -> None:
    """A pipe that nobody reads is no error of stdout, and one of a file."""
    for owned, kind in ((False, ReaderGone), (True, LocalError)):
        there, here = os.pipe()
        os.close(there)
        with os.fdopen(here, "wb", buffering=0) as file, pytest.raises(kind):
            await Output(file, "f", owned=owned).write(b"x" * 100_000)


async def test_cancelled_while_nobody_reads() -> None:
    """Ctrl-C does not wait until somebody reads what is written."""
    there, here = os.pipe()
    with os.fdopen(there, "rb") as reader, os.fdopen(here, "wb", buffering=0) as writer:
        os.set_blocking(reader.fileno(), False)
        writing = asyncio.ensure_future(Output(writer, "f").write(b"x" * 1_000_000))
        while not (first := reader.read(1)):
            await asyncio.sleep(0)
        assert first == b"x"
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        left = 999_999
        while left:  # so that the thread has come to its end
            left -= len(reader.read() or b"")
