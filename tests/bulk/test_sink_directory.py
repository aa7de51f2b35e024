"""``bulk/_sink_directory.py``: a file for each URL, and an index of them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import Request, RobotsDisallowed, SinkError
from aiohttpclient.bulk import Directory, Result
from tests.bulk.sinking import SITE, answered, failed, keep, listed, names, put, read, urls

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some" / "out"


def index(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (path / "index.jsonl").read_text("utf-8").splitlines()]


def files(path: Path) -> set[str]:
    return {one.relative_to(path).as_posix() for one in path.rglob("*") if one.is_file()}


async def test_files(path: Path) -> None:
    """Contents are files that can be opened by their suffixes; the index names them, and has everything else."""
    html = {"Content-Type": "text/html; charset=latin-1"}
    results = [
        answered(f"{SITE}/a/b?c=d", b"f\xfcr", headers=html),
        answered("http://h:81/", b""),
        failed(f"{SITE}/no"),
    ]
    await keep(Directory, path, results)
    one, other = index(path)
    assert one["file"].startswith("example.org/a_b_c_d~")
    assert one["file"].endswith(".html")
    assert other["file"].startswith("h_81/index~")
    assert (path / one["file"]).read_bytes() == b"f\xfcr"
    assert (one["size"], one["status"], one["encoding"]) == (3, 200, "iso8859-1")
    assert "content" not in one
    assert files(path) == {one["file"], other["file"], "index.jsonl", "index.failed.jsonl"}
    assert [record.text for record in read(Directory, path)] == ["für", ""]


async def test_no_file_without_answer(path: Path) -> None:
    """What is done without an answer, as robots.txt forbids it, is in the index, and has no file."""
    await keep(Directory, path, [failed(SITE, RobotsDisallowed(SITE, "robots.txt forbids it")), answered(f"{SITE}/1")])
    one, other = index(path)
    assert "file" not in one
    assert files(path) == {other["file"], "index.jsonl"}
    assert [record.content for record in read(Directory, path)] == [None, b"content"]


async def test_no_file_without_response(path: Path) -> None:
    """A response that was let go has its status in the index, and no file; so it is when the run is resumed."""
    gone = Result(SITE, 0, Request("GET", SITE), None, None, 0.5, left=204)
    await keep(Directory, path, [gone, answered(f"{SITE}/1")])
    await keep(Directory, path, [gone, answered(f"{SITE}/1")], resume=True)
    one, other = index(path)
    assert (one["status"], "file" in one) == (204, False)
    assert files(path) == {other["file"], "index.jsonl"}
    assert [(record.status, record.content) for record in read(Directory, path)] == [(204, None), (200, b"content")]


async def test_same_names(path: Path) -> None:
    """URLs that differ in case, in what no name can have, or behind the length of a name, have files of their own."""
    paths = ["a", "A", "a?", "a/", "%61", "a_b", "a/b", "x" * 1000, "x" * 1001, "..%2f..", "..%5c.."]
    results = [answered(f"{SITE}/{one}", one.encode()) for one in paths]
    await keep(Directory, path, results)
    assert [record.content for record in read(Directory, path)] == [one.encode() for one in paths]
    assert len({one["file"].lower() for one in index(path)}) == len(paths)


async def test_killed_before_the_index(path: Path) -> None:
    """Contents that were written, and are not in the index, are gone when it is resumed."""
    await keep(Directory, path, [answered(SITE)])
    before = files(path)
    (path / ".incoming").mkdir()
    put(path / ".incoming" / ("0" * 32), b"half")
    await keep(Directory, path, [], resume=True)
    assert files(path) == before
    assert not (path / ".incoming").exists()


async def test_killed_after_the_index(path: Path) -> None:
    """Contents that are in the index, and have not got their names, get them when it is resumed; readers find both."""
    await keep(Directory, path, [answered(url, url.encode()) for url in urls(3)])
    before = files(path)
    (path / ".incoming").mkdir()
    for one in index(path)[1:]:
        (path / one["file"]).rename(path / ".incoming" / one["key"])
    shutil.copy(path / ".incoming" / index(path)[1]["key"], path / index(path)[1]["file"])  # whoever copies the folder
    assert [record.content for record in read(Directory, path)] == [url.encode() for url in urls(3)]
    await keep(Directory, path, [answered(url) for url in urls(3)], resume=True)
    assert files(path) == before
    assert [record.content for record in read(Directory, path)] == [url.encode() for url in urls(3)]


async def test_torn_index(path: Path) -> None:
    """Whatever byte a kill has cut the index at, resumed there is each URL once, and nobody's file."""
    await keep(Directory, path, [answered(url, url.encode()) for url in urls(3)])
    before, whole = files(path), (path / "index.jsonl").read_bytes()
    for end in range(len(whole.splitlines(keepends=True)[0]), len(whole), 23):
        put(path / "index.jsonl", whole[:end])
        async with Directory(path, resume=True) as sink:
            for url in sink.pending(urls(3)):
                await sink.write(answered(url, url.encode()))
        assert listed(Directory, path) == urls(3)
        assert files(path) == before


async def test_folders_of_others(path: Path) -> None:
    """A folder with something else in it is refused, and stays as it is."""
    put(path / "precious", b"data")
    for resume, error in ((True, SinkError), (False, FileExistsError)):
        with pytest.raises(error):
            await keep(Directory, path, [answered(SITE)], resume=resume)
    assert names(path) == {"precious"}


@pytest.mark.parametrize("name", ["../escaped", "a", "a/b/c", "/a", "a/..", "./a", "a\\..\\b/c", "a/b\0", 5, None])
async def test_index_that_leads_elsewhere(path: Path, name: Any) -> None:
    """An index that somebody has changed leads to no file outside the folder, neither to read nor to write it."""
    await keep(Directory, path, [answered(SITE)])
    (one,) = index(path)
    (path / "index.jsonl").write_text(json.dumps(one | {"file": name}) + "\n", encoding="utf-8")
    with pytest.raises(SinkError, match="as no sink does"):
        read(Directory, path)
    (path / ".incoming").mkdir()
    (path / ".incoming" / one["key"]).touch()
    with pytest.raises(SinkError, match="as no sink does"):
        await keep(Directory, path, [], resume=True)


async def test_file_that_is_gone(path: Path) -> None:
    """A file that somebody has taken away is missed by who reads."""
    await keep(Directory, path, [answered(SITE)])
    (path / index(path)[0]["file"]).unlink()
    with pytest.raises(SinkError, match="is gone"):
        read(Directory, path)
