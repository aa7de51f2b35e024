"""Where values come from."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.cli._exits import UsageError
from aiohttpclient.cli._sources import Sources, blocks_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"from stdin\n")))


@pytest.mark.usefixtures("stdin")
def test_text(tmp_path: Path) -> None:
    """A value is itself, the text of a file without its last line end, or that of stdin."""
    (tmp_path / "a").write_bytes(b"secret\r\n")
    sources = Sources()
    assert sources.text("plain", "-x") == "plain"
    assert sources.text(f"@{tmp_path / 'a'}", "-x") == "secret"
    assert sources.text("@-", "-x") == "from stdin"
    assert sources.bytes(f"@{tmp_path / 'a'}", "-x") == b"secret\r\n"


@pytest.mark.usefixtures("stdin")
def test_stdin_is_read_once() -> None:
    """A second option that wants stdin is told which one has it."""
    sources = Sources()
    sources.bytes("@-", "--json-body")
    with pytest.raises(UsageError, match="--bearer: stdin can be read only once, and is for --json-body already"):
        sources.text("@-", "--bearer")


@pytest.mark.parametrize("name", ["missing", ".", "nul\0"])
def test_no_file(name: str, tmp_path: Path) -> None:
    """A file that cannot be read is told with its name and its option."""
    for read in (Sources().text, Sources().bytes, Sources().stream):
        with pytest.raises(UsageError, match=r"^-x: "):
            read(f"@{tmp_path}/{name}", "-x")


def test_no_text(tmp_path: Path) -> None:
    """What is no UTF-8 is no text, and its bytes are not repeated."""
    (tmp_path / "a").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="not text in UTF-8"):
        Sources().text(f"@{tmp_path / 'a'}", "-x")


def test_a_file_is_streamed(tmp_path: Path) -> None:
    """A body in a file is given as its path, so that it is not held in memory."""
    (tmp_path / "a").write_bytes(b"x")
    assert Sources().stream(f"@{tmp_path / 'a'}", "-c") == tmp_path / "a"
    assert Sources().stream("text", "-c") == b"text"


@pytest.mark.skipif(sys.platform == "win32", reason="arguments are text there")
def test_bytes_that_are_no_text() -> None:
    """An argument that is no UTF-8 is sent as it was typed."""
    assert Sources().bytes(os.fsdecode(b"\xff"), "-c") == b"\xff"


@pytest.mark.usefixtures("stdin")
async def test_blocks(tmp_path: Path) -> None:
    """A file, or stdin, is read block by block; whether it can be is known before."""
    (tmp_path / "a").write_bytes(b"of a file")
    sources = Sources()
    assert [block async for block in sources.blocks(str(tmp_path / "a"), "FILE")] == [b"of a file"]
    assert [block async for block in sources.blocks("-", "FILE")] == [b"from stdin\n"]
    for name in ("-", "missing", ".", "nul\0"):
        with pytest.raises(UsageError, match=r"^FILE: "):
            sources.blocks(name, "FILE")


async def test_blocks_of_a_pipe() -> None:
    """A pipe is read block by block, to its end."""
    assert [block async for block in blocks_of(io.BytesIO(b"ab"))] == [b"ab"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
async def test_a_named_pipe(tmp_path: Path) -> None:
    """A pipe with a name is opened when the body is sent, and closed at its end."""
    import asyncio

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    body = Sources().stream(f"@{pipe}", "-c")
    written = asyncio.create_task(asyncio.to_thread(pipe.write_bytes, b"through"))
    assert b"".join([block async for block in body]) == b"through"
    await written
