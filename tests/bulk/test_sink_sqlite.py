"""``bulk/_sink_sqlite.py``: the table that others read."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import SinkError
from aiohttpclient.bulk import SQLite
from tests.bulk.sinking import SITE, answered, failed, got, keep, listed, made, names, put, read, urls

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.sqlite"


def ask(path: Path, *statements: str) -> list[Any]:
    """What the last statement finds."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


async def test_table(path: Path) -> None:
    """A row has columns that SQL can ask for; what failed is marked, until it is done."""
    await keep(SQLite, path, [answered(SITE, b"\xff"), failed(f"{SITE}/no")])
    assert ask(path, "SELECT url, status, content FROM results WHERE done") == [(SITE, 200, b"\xff")]
    ((url, error),) = ask(path, "SELECT url, error FROM results WHERE NOT done")
    assert (url, json.loads(error)["type"]) == (f"{SITE}/no", "ConnectionRefusedError")
    assert ask(path, "SELECT headers ->> '$[0][1]' FROM results WHERE done") == [("text/plain",)]
    assert ask(path, "PRAGMA user_version") == [(1,)]
    assert names(path.parent) == {"out.sqlite"}


async def test_others_read_meanwhile(path: Path) -> None:
    """A transaction that reads does not keep the sink from writing."""
    async with SQLite(path) as sink:
        await sink.write(answered(urls(1)[0]))
        await sink.flush()
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            assert connection.execute("SELECT count(*) FROM results").fetchone() == (1,)
            await sink.write(answered(urls(2)[1]))
            await sink.flush()
            assert connection.execute("SELECT count(*) FROM results").fetchone() == (1,)
    assert listed(SQLite, path) == urls(2)


async def test_later_columns(path: Path) -> None:
    """A column that a later version has added stays, and is passed over."""
    await keep(SQLite, path, [answered(urls(1)[0])])
    ask(path, "ALTER TABLE results ADD COLUMN new TEXT DEFAULT 'x'")
    await keep(SQLite, path, [answered(url) for url in urls(2)], resume=True)
    assert listed(SQLite, path) == urls(2)
    assert ask(path, "SELECT new FROM results") == [("x",), ("x",)]


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("CREATE TABLE results (a)", "something else"),
        ("PRAGMA user_version = 3", "something else"),
        ("PRAGMA application_id = 5", "something else"),
    ],
)
async def test_databases_of_others(path: Path, statement: str, says: str) -> None:
    """A database of something else is refused, and stays as it is."""
    ask(path, statement)
    before = got(path)
    with pytest.raises(SinkError, match=says):
        await keep(SQLite, path, [answered(SITE)], resume=True)
    assert got(path) == before
    with pytest.raises(SinkError, match=says):
        read(SQLite, path)


async def test_later_versions(path: Path) -> None:
    """A table of a later version is refused."""
    await keep(SQLite, path, [answered(SITE)])
    ask(path, "PRAGMA user_version = 2")
    with pytest.raises(SinkError, match="version 2, and this program knows 1"):
        await keep(SQLite, path, [], resume=True)


async def test_files_of_others(path: Path) -> None:
    """What is no database at all is refused, and stays as it is."""
    put(path, b"precious" * 1000)
    with pytest.raises(SinkError, match="not a database"):
        await keep(SQLite, path, [answered(SITE)], resume=True)
    assert got(path) == b"precious" * 1000
    assert names(path.parent) == {"out.sqlite"}


async def test_disk_full(path: Path) -> None:
    """When the disk is full the batch is undone as a whole, and everybody is told what is safe; later it goes on."""
    with pytest.raises(SinkError, match=r"disk is full; 2 of [34] results are safe"):
        async with SQLite(path, batch=2) as sink:
            inside: Any = sink
            for number, url in enumerate(urls(4)):
                if number == 2:
                    await sink.flush()
                    execute = inside._store._connection.execute
                    await inside._writer._in_thread(execute, "PRAGMA max_page_count = 1")  # as on a full disk
                await sink.write(answered(url, bytes(100_000)))
    assert listed(SQLite, path) == urls(2)
    async with SQLite(path, resume=True) as sink:
        for url in sink.pending(urls(4)):
            await sink.write(answered(url))
    assert listed(SQLite, path) == urls(4)


async def test_folder(path: Path) -> None:
    """What SQLite itself refuses is told with the path that it is about."""
    folder = made(path)
    with pytest.raises(SinkError, match=r"out\.sqlite: unable to open"):
        await keep(SQLite, folder, [], resume=True)
    assert names(folder.parent) == {"out.sqlite"}


async def test_begun(path: Path) -> None:
    """A run that was killed before it had a table leaves what can be resumed, and read."""
    for statement in ("SELECT 1", "PRAGMA application_id = 0x61686362"):
        ask(path, statement)
        await keep(SQLite, path, [answered(SITE)], resume=True)
        assert listed(SQLite, path) == [SITE]
        ask(path, "DROP TABLE results", "PRAGMA application_id = 0")


async def test_no_file(path: Path) -> None:
    """A reader of nothing is told so, and makes no file."""
    with pytest.raises(FileNotFoundError):
        SQLite.read(path)
    put(path, b"")
    assert listed(SQLite, path) == []
