"""``bulk/_frontier_store.py``: what is noted of URLs, and which are given out next."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import SinkError
from aiohttpclient.bulk import _frontier_store
from aiohttpclient.bulk._frontier_store import ASKED, FRESH, Store, as_sink_error
from aiohttpclient.bulk._frontier_work import Bounds, Found, Row, Work
from tests.bulk.sinking import keep, names

if TYPE_CHECKING:
    from pathlib import Path


def found(*urls: str, depth: int = 1, referrer: int | None = 1) -> dict[str, Found]:
    """What was found: of each, the host is what stands before the slash."""
    return {url: Found(url, url.partition("/")[0], depth, 0, referrer) for url in urls}


def opened(path: Path | None = None, *seeds: str, resume: bool = False, **bounds: int) -> Store:
    store = Store(path, resume, Bounds(**bounds))
    store.open(list(found(*seeds, depth=0, referrer=None).values()))
    return store


def take(store: Store, wanted: int = 100, **work: Any) -> list[Row]:
    return store.step(Work(wanted=wanted, **work))


def urls(rows: list[Row]) -> list[str]:
    return [row.url for row in rows]


@pytest.mark.parametrize("kept", [True, False])
def test_given_out_once(tmp_path: Path, kept: bool) -> None:
    """What was found is given out once, however often it is found; with the URL that it was found on."""
    store = opened(tmp_path / "f" if kept else None, "a/", "b/")
    (first, second) = take(store)
    assert (first.url, first.depth, first.hops, first.referrer) == ("a/", 0, 0, None)
    assert take(store) == []
    rows = take(store, found=found("a/1", "a/", "b/1", referrer=second.id))
    assert [row[1:] for row in rows] == [("a/1", 1, 0, "b/"), ("b/1", 1, 0, "b/")]
    assert take(store, found=found("a/1", "b/1", "b/")) == []
    assert store.known == 4
    store.end(None)
    assert names(tmp_path) == ({"f"} if kept else set())


def test_order() -> None:
    """Less deep ones come first, then in turn those of each host, then as they were found."""
    store = opened(None, "a/")
    take(store)
    take(store, 0, found=found("a/1", "a/2", "a/3", "b/1", "b/2"))
    take(store, 0, found={**found("c/1", depth=2), **found("a/4", "b/3", "d/1", depth=1)})
    assert urls(take(store, 3)) == ["b/1", "d/1", "a/1"]
    assert urls(take(store)) == ["b/2", "a/2", "b/3", "a/3", "a/4", "c/1"]
    store.end(None)


def test_least_depth() -> None:
    """What is found again, less deep, is as deep as that, as long as it was not given out."""
    store = opened(None, "a/")
    take(store)
    take(store, 0, found=found("b/1", "b/2", depth=5))
    take(store, 0, found=found("b/2", depth=2, referrer=None))
    assert [row[1:] for row in take(store)] == [("b/2", 2, 0, None), ("b/1", 5, 0, "a/")]
    assert take(store, found=found("b/1", depth=1)) == []
    store.end(None)


def test_levels() -> None:
    """With a bound for the depth, the next level is given out when all pages of one have told their links."""
    store = opened(None, "a/", "b/", depth=2)
    assert urls(take(store, 1)) == ["a/"]
    assert urls(take(store, read=[0], found=found("a/1"))) == ["b/"]
    assert take(store) == []
    assert urls(take(store, read=[0], found=found("b/1"))) == ["a/1", "b/1"]
    assert urls(take(store, read=[1, 1], found=found("a/2", depth=2))) == ["a/2"]
    assert take(store, read=[2], found=found("a/3", depth=3)) == []
    store.end(None)


def test_pages(tmp_path: Path) -> None:
    """No more are given out than may be; one that was, and was not done, is before any other has its place."""
    path = tmp_path / "f"
    store = opened(path, *(f"a/{number}" for number in range(10)), pages=4)
    rows = take(store, 3)
    take(store, 0, done=[rows[0].id], failed=[rows[1].id])
    store.end(Work())
    assert store.known == 10
    store = opened(path, resume=True, pages=4)
    assert (store.known, store.done, store.again) == (10, 1, 2)
    take(store, 0, found=found("0/first", depth=0))
    assert urls(take(store, 2)) == ["a/1", "a/2"]
    assert urls(take(store)) == ["0/first"]
    assert take(store) == []
    store.end(Work())
    store = opened(path, resume=True, pages=2)
    assert urls(take(store)) == ["0/first"]
    store.end(Work())
    store = opened(path, resume=True)
    assert len(take(store)) == 10
    store.end(Work())


def test_per_host(tmp_path: Path) -> None:
    """Of a host no more are known than may be, over all runs; what was left out is found again where it may be."""
    path = tmp_path / "f"
    store = opened(path, "a/", per_host=3)
    take(store)
    assert urls(take(store, found=found("a/1", "b/1", "a/2", "a/3"))) == ["b/1", "a/1", "a/2"]
    assert take(store, found=found("a/4")) == []
    store.end(Work())
    store = opened(path, resume=True, per_host=4)
    assert store.known == 4
    take(store)
    assert urls(take(store, found=found("a/4", "a/5", "b/2"))) == ["b/2", "a/4"]
    store.end(Work())


def test_seeds(tmp_path: Path) -> None:
    """A store that is opened again knows the seeds of before; one that is known already is a seed from then on."""
    store = opened(tmp_path / "f", "a/")
    take(store)
    take(store, 0, found=found("b/", "c/", depth=4))
    store.end(Work())
    store = Store(tmp_path / "f", True, Bounds())
    assert sorted(store.open(list(found("c/", "d/", depth=0, referrer=None).values()))) == ["a/", "c/", "d/"]
    assert [(row.url, row.depth) for row in take(store)] == [("a/", 0), ("c/", 0), ("d/", 0), ("b/", 4)]
    store.end(Work())


def test_one_step_is_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a step that fails nothing is noted, and nothing after it."""
    store = opened(tmp_path / "f", "a/")
    (row,) = take(store)
    monkeypatch.setattr(_frontier_store, "_MARK", "no statement")
    with pytest.raises(sqlite3.OperationalError):
        take(store, found=found("a/1"), done=[row.id])
    monkeypatch.undo()
    store.end(Work(done=[row.id]))
    with closing(sqlite3.connect(tmp_path / "f")) as connection:
        assert connection.execute("SELECT url, state FROM urls").fetchall() == [("a/", ASKED)]
    store = opened(tmp_path / "f", resume=True)
    assert urls(take(store)) == ["a/"]
    store.end(None)


@pytest.mark.skipif(sys.platform == "win32", reason="locks of files are another matter there")
def test_one_at_a_time(tmp_path: Path) -> None:
    """A store that is open keeps others out."""
    store = opened(tmp_path / "f", "a/")
    other = Store(tmp_path / "f", True, Bounds())
    with pytest.raises(SinkError, match="by another crawl"):
        other.open([])
    other.end(None)
    store.end(None)
    opened(tmp_path / "f", resume=True).end(None)
    assert names(tmp_path) == {"f"}


async def test_something_else(tmp_path: Path) -> None:
    """What is no frontier is refused, and stays; so is one of a later version."""
    from aiohttpclient.bulk import SQLite

    await keep(SQLite, tmp_path / "out", [])
    later = opened(tmp_path / "later", "a/")
    later.end(None)
    with closing(sqlite3.connect(tmp_path / "later")) as connection:
        connection.execute("PRAGMA user_version = 2")
    for name, why in (("out", "something else"), ("later", "version 2")):
        before = (tmp_path / name).read_bytes()
        store = Store(tmp_path / name, True, Bounds())
        with pytest.raises(SinkError, match=why):
            store.open([])
        store.end(None)
        assert (tmp_path / name).read_bytes() == before
    store = Store(tmp_path / "later", False, Bounds())
    with pytest.raises(FileExistsError):
        store.open([])
    store.end(None)


def test_plans() -> None:
    """What is given out, and what is known, is found by an index: it takes as long for millions."""
    store = opened(None, "a/")
    connection = store._connection
    assert connection is not None
    statements = [
        (_frontier_store._SELECT.format(FRESH), (1, 1)),
        (_frontier_store._ADD[0], ()),
        (_frontier_store._ADD[1], ()),
        (_frontier_store._MARK, (1, "[1]")),
        (f"SELECT min(rank) FROM urls WHERE state = {FRESH}", ()),
    ]
    for statement, values in statements:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        assert not [step for step in plan if step.startswith("SCAN urls") and "INDEX" not in step], plan
        assert any("urls" in step or "SEARCH r" in step for step in plan), plan
    store.end(None)


def test_text_of_errors(tmp_path: Path) -> None:
    """What has gone wrong is told with where."""
    assert str(as_sink_error(OSError("no"), tmp_path)) == f"the frontier in {tmp_path}: no"
    assert str(as_sink_error(OSError("no"), None)) == "the frontier in a temporary file: no"
