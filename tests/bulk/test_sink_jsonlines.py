"""``bulk/_sink_jsonlines.py``: the lines that others read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import SinkError
from aiohttpclient.bulk import JSONLines
from aiohttpclient.bulk._sink_key import key_of
from tests.bulk.sinking import SITE, answered, failed, got, keep, listed, made, names, put, urls

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


def link(path: Path, real: Path) -> None:
    path.symlink_to(real)


def is_link(path: Path) -> bool:
    return path.is_symlink()


async def test_lines(path: Path) -> None:
    """A line is an object that any reader of JSON Lines understands; failures are in a file beside."""
    await keep(JSONLines, path, [answered(SITE, "für".encode()), failed(f"{SITE}/no")])
    (line,) = [json.loads(line) for line in got(path).splitlines()]
    line.pop("time")
    assert line.pop("key") == key_of(SITE).hex()
    assert line == {
        "v": 1, "url": SITE, "method": "GET", "status": 200, "reason": "OK", "version": 11, "elapsed": 0.25,
        "headers": [["Content-Type", "text/plain"]], "encoding": "utf-8", "content": "für", "attempts": 1,
    }  # fmt: skip
    assert names(path.parent) == {"out.jsonl", "out.failed.jsonl"}
    (line,) = [json.loads(line) for line in got(path.with_name("out.failed.jsonl")).splitlines()]
    assert line["error"] == {"type": "ConnectionRefusedError", "message": "nobody is there"}


async def test_a_line_elsewhere(path: Path) -> None:
    """What a line of a result is can be had without a file, and read from one."""
    put(path, JSONLines.line(answered(f"{SITE}/1")) + JSONLines.line(failed(f"{SITE}/2")))
    assert listed(JSONLines, path) == [f"{SITE}/1", f"{SITE}/2"]
    assert JSONLines.line(answered(f"{SITE}/1")).count(b"\n") == 1


async def test_torn_anywhere(path: Path) -> None:
    """Whatever byte a kill has cut the last records at, resumed there is each URL once, and none is lost."""
    await keep(JSONLines, path, [answered(url, b"\xff" if url.endswith("3") else b"text") for url in urls(4)])
    whole = got(path)
    second_last = sum(map(len, whole.splitlines(keepends=True)[:2]))
    for end in range(second_last, len(whole), 7):
        put(path, whole[:end])
        async with JSONLines(path, resume=True) as sink:
            for url in sink.pending(urls(5)):
                await sink.write(answered(url))
        assert listed(JSONLines, path) == urls(5)


async def test_torn_failures(path: Path) -> None:
    """Failures that a kill has torn are failures of the next run again, or were never any."""
    await keep(JSONLines, path, [answered(urls(1)[0]), *(failed(url) for url in urls(4)[1:])])
    beside = path.with_name("out.failed.jsonl")
    whole = got(beside)
    for end in range(0, len(whole), 31):
        put(beside, whole[:end])
        async with JSONLines(path, resume=True) as sink:
            assert list(sink.pending(urls(4))) == urls(4)[1:]
        assert listed(JSONLines, path, failed=True) == urls(4)[1 : 1 + whole[:end].count(b"\n")]


@pytest.mark.parametrize("content", [b"precious", b'{"my": "data"}\n', b"a,b\n1,2\n"])
async def test_files_of_others(path: Path, content: bytes) -> None:
    """A file of another kind is refused, and stays as it is; the lock does not stay."""
    put(path, content)
    with pytest.raises(SinkError, match="could have written: line 1"):
        await keep(JSONLines, path, [answered(SITE)], resume=True)
    assert got(path) == content
    assert names(path.parent) == {"out.jsonl"}


async def test_links(path: Path) -> None:
    """A symbolic link to a file stays one."""
    real = made(path.parent / "disk") / "real.jsonl"
    link(path, real)
    await keep(JSONLines, path, [answered(SITE)])
    assert names(path.parent) == {"out.jsonl", "disk"}
    assert listed(JSONLines, path) == listed(JSONLines, real) == [SITE]
    assert is_link(path)


async def test_no_folder(path: Path) -> None:
    """A folder that does not exist is not made."""
    with pytest.raises(FileNotFoundError):
        await keep(JSONLines, path.parent / "none" / "out.jsonl", [])


async def test_a_folder(path: Path) -> None:
    """A folder is no file."""
    made(path)
    with pytest.raises(FileExistsError):
        await keep(JSONLines, path, [])
    with pytest.raises(IsADirectoryError):
        await keep(JSONLines, path, [], resume=True)
    assert names(path.parent) == {"out.jsonl"}
