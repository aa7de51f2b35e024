"""``bulk/_sink.py``: what holds for every kind of sink."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import tracemalloc
from collections import Counter
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, RobotsDisallowed, SinkError
from aiohttpclient.bulk import JSONLines, Record, Result, fetch, is_failure
from aiohttpclient.bulk._sink_key import key_of
from aiohttpclient.bulk._sink_text import line_of
from aiohttpclient.testing import MemoryDialer
from tests.bulk.sinking import KINDS, NAMES, SITE, Kind, answered, failed, keep, kind_name, listed, names, read, urls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

MIB = 1024 * 1024

each_kind = pytest.mark.parametrize("kind", KINDS, ids=kind_name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


# -- written and read


@each_kind
async def test_written(kind: Kind, folder: Path) -> None:
    """What is written can be read, in its order and with all that it was; and there is nothing else in the folder."""
    path = folder / NAMES[kind]
    contents = [b"", b"text", b"\xff\0\r\n", "für\u2028".encode(), os.urandom(100_000)]
    results = [answered(url, content) for url, content in zip(urls(5), contents, strict=True)]
    await keep(kind, path, results, batch=2)
    records = read(kind, path)
    assert [(record.url, record.content) for record in records] == list(zip(urls(5), contents, strict=True))
    for record in records:
        assert (record.status, record.reason, record.method, record.elapsed) == (200, "OK", "GET", 0.25)
        assert record.headers == [("Content-Type", "text/plain")]
        assert (record.redirects, record.error, record.timings, record.attempts) == (None, None, None, 1)
    assert names(folder) == {path.name}
    assert listed(kind, path, failed=True) == []


@each_kind
async def test_nothing_written(kind: Kind, folder: Path) -> None:
    """A run without results leaves something that can be read, and resumed."""
    path = folder / NAMES[kind]
    for _ in range(2):
        await keep(kind, path, [], resume=True)
        assert listed(kind, path) == listed(kind, path, failed=True) == []
    assert names(folder) == {path.name}


@each_kind
async def test_every_field(kind: Kind, folder: Path) -> None:
    """Fields that repeat, errors that count as done, and text of all kinds come back as they were."""
    headers = [("X-A", "ä\"'"), ("x-a", ""), ("Set-Cookie", "a=b")]
    results = [answered(f"{SITE}/ü?a=b&c", headers=headers, status=299), failed(f"{SITE}/no", OSError("für\ud800"))]
    await keep(kind, folder / NAMES[kind], results, repeat=lambda _: False)
    one, other = read(kind, folder / NAMES[kind])
    assert (one.headers, one.status, one.reason) == ([("X-A", "ä\"'"), ("x-a", ""), ("Set-Cookie", "***")], 299, "")
    assert (other.error, other.status) == ({"type": "OSError", "message": r"für\ud800"}, None)


async def test_it_has_to_be_open(folder: Path) -> None:
    """A sink is used as ``async with``, once; to close it again does nothing."""
    sink = JSONLines(folder / "out.jsonl")
    await sink.close()
    for state in ("not open", "closed"):
        with pytest.raises(RuntimeError, match=state):
            await sink.write(answered(SITE))
        with pytest.raises(RuntimeError, match=state):
            await sink.flush()
        with pytest.raises(RuntimeError, match=state):
            sink.pending([])
        if state == "not open":
            async with sink:
                assert repr(sink).endswith("0 of 0 results are safe>")
    await sink.close()
    with pytest.raises(RuntimeError, match="make another one"):
        await sink.__aenter__()


async def test_forgotten(folder: Path) -> None:
    """A sink that is never closed says so when it is collected."""
    sink = JSONLines(folder / "out.jsonl")
    await sink.__aenter__()
    released = sink._store.release
    with pytest.warns(ResourceWarning, match="was not closed"):
        del sink
        gc.collect()
    released()


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"interval": -1}])
def test_options(folder: Path, wrong: dict[str, Any]) -> None:
    """Options that make no sense are refused."""
    with pytest.raises(ValueError, match="1 or more"):
        JSONLines(folder / "out.jsonl", **wrong)


# -- done and failed


def outcome(result: Result) -> str:
    return str(result.error if result.response is None else result.response.status)


@pytest.mark.parametrize(
    ("result", "fails"),
    [
        *((answered(SITE, status=status), False) for status in (200, 204, 304, 400, 403, 404, 410, 451)),
        *((answered(SITE, status=status), True) for status in (408, 425, 429, 500, 502, 503, 504, 599)),
        (failed(SITE), True),
        (failed(SITE, RobotsDisallowed(SITE, "a rule forbids it")), False),
        (failed(SITE, RobotsDisallowed(SITE, "no file", final=False)), True),
    ],
    ids=lambda value: (
        str(value.response.status if value.response else value.error) if isinstance(value, Result) else ""
    ),
)
def test_failures(result: Result, fails: bool) -> None:
    """No answer is a failure, and so is one that says that another time may do; any other, and a rule, is an answer."""
    assert is_failure(result) is fails


@each_kind
async def test_forbidden(kind: Kind, folder: Path) -> None:
    """What robots.txt forbids is done, kept with the reason and without content, and not repeated by the next run."""
    path = folder / NAMES[kind]
    forbidden = failed(f"{SITE}/1", RobotsDisallowed(f"{SITE}/1", "robots.txt forbids it"))
    unknown = failed(f"{SITE}/2", RobotsDisallowed(f"{SITE}/2", "robots.txt could not be read", final=False))
    await keep(kind, path, [answered(f"{SITE}/0"), forbidden, unknown])
    assert listed(kind, path) == [f"{SITE}/0", f"{SITE}/1"]
    record = read(kind, path)[1]
    assert (record.status, record.content) == (None, None)
    assert record.error is not None
    assert "robots.txt forbids it" in record.error["message"]
    assert listed(kind, path, failed=True) == [f"{SITE}/2"]
    async with kind(path, resume=True) as sink:
        assert list(sink.pending(urls(4))) == [f"{SITE}/2", f"{SITE}/3"]
        await sink.write(forbidden)
        assert (sink.done, sink.failed, sink.duplicates) == (2, 1, 1)
    assert listed(kind, path) == [f"{SITE}/0", f"{SITE}/1"]


@each_kind
async def test_resume(kind: Kind, folder: Path) -> None:
    """What is done is skipped; what failed is repeated, and is there once when it is done."""
    path = folder / NAMES[kind]
    await keep(kind, path, [answered(f"{SITE}/0"), failed(f"{SITE}/1"), answered(f"{SITE}/2", status=503)])
    assert listed(kind, path) == [f"{SITE}/0"]
    why, later = read(kind, path, failed=True)
    assert why.error == {"type": "ConnectionRefusedError", "message": "nobody is there"}
    assert (later.status, later.content) == (503, b"content")
    async with kind(path, resume=True) as sink:
        assert (sink.done, sink.failed, sink.reported) == (1, 2, 0)
        assert list(sink.pending(urls(4))) == [f"{SITE}/{number}" for number in (1, 2, 3)]
        await sink.write(failed(f"{SITE}/1", OSError("still")))
        await sink.write(answered(f"{SITE}/2"))
        await sink.write(answered(f"{SITE}/3"))
        assert (sink.done, sink.failed) == (3, 1)
    assert sorted(listed(kind, path)) == [f"{SITE}/{number}" for number in (0, 2, 3)]
    assert [record.error for record in read(kind, path, failed=True)] == [{"type": "OSError", "message": "still"}]
    await keep(kind, path, [answered(f"{SITE}/1")], resume=True)
    assert sorted(listed(kind, path)) == urls(4)
    assert listed(kind, path, failed=True) == []
    assert names(folder) == {path.name}


@each_kind
async def test_within_one_run(kind: Kind, folder: Path) -> None:
    """An item that fails, is done, fails and is done again in one run is there once, as it was done first."""
    path, item = folder / NAMES[kind], f"{SITE}/0"
    for batch in (1, 100):
        results = [failed(item), failed(item), answered(item, b"first"), failed(item), answered(item, b"second")]
        async with kind(path, resume=True, batch=batch) as sink:
            for result in results:
                await sink.write(result)
            assert sink.duplicates == (2 if batch == 1 else 5)
        assert [record.content for record in read(kind, path)] == [b"first"]
        assert listed(kind, path, failed=True) == []


@each_kind
async def test_repeat(kind: Kind, folder: Path) -> None:
    """What counts as a failure can be chosen."""
    path = folder / NAMES[kind]
    await keep(kind, path, [answered(SITE, status=404)], repeat=lambda result: not result.ok)
    async with kind(path, resume=True) as sink:
        assert list(sink.pending([SITE])) == [SITE]


@each_kind
async def test_without_resume(kind: Kind, folder: Path) -> None:
    """Without ``resume`` nothing that is there is touched: neither results nor failures."""
    for name, result in (("done", answered(SITE)), ("failed", failed(SITE))):
        path = folder / name / NAMES[kind]
        path.parent.mkdir()
        await keep(kind, path, [result])
        before = {one: one.read_bytes() for one in path.parent.rglob("*") if one.is_file()}
        with pytest.raises(FileExistsError, match="resume=True"):
            await keep(kind, path, [])
        assert {one: one.read_bytes() for one in path.parent.rglob("*") if one.is_file()} == before


@each_kind
async def test_two_at_once(kind: Kind, folder: Path) -> None:
    """What one sink writes another cannot, until it is closed."""
    path = folder / NAMES[kind]
    async with kind(path) as sink:
        with pytest.raises(SinkError, match="being written by another"):
            async with kind(path, resume=True):
                raise AssertionError
        await sink.write(answered(SITE))
    await keep(kind, path, [], resume=True)
    assert listed(kind, path) == [SITE]


@each_kind
async def test_read_meanwhile(kind: Kind, folder: Path) -> None:
    """What is reported can be read while more is written."""
    path = folder / NAMES[kind]
    async with kind(path) as sink:
        for count, url in enumerate(urls(5), 1):
            await sink.write(answered(url))
            await sink.flush()
            assert sink.reported == count
            assert listed(kind, path) == urls(count)


# -- pending


@asynccontextmanager
async def down() -> AsyncIterator[AsyncHTTPClient]:
    """A client whom nobody answers."""

    async def nobody(*_: Any) -> None:
        raise AssertionError

    refuse = lambda *_: ConnectionRefusedError("down")  # noqa: E731  # it is short
    async with MemoryDialer(nobody, refuse=refuse) as dialer, AsyncHTTPClient(transport=dialer, retries=None) as client:
        yield client


async def test_pending_is_lazy(folder: Path) -> None:
    """Items are looked at when they are asked for, one by one; those that are there twice are given once."""
    seen: list[str] = []

    def items() -> Iterator[str]:
        for url in [*urls(2), *urls(4)]:
            seen.append(url)
            yield url

    async with JSONLines(folder / "out.jsonl") as sink:
        pending = sink.pending(items())
        assert not seen
        assert next(pending) == urls(1)[0]
        assert len(seen) == 1
        await sink.write(answered(urls(2)[1]))
        assert list(pending) == urls(4)[2:]
        assert list(sink.pending(urls(4))) == [url for url in urls(4) if url != urls(2)[1]]


async def test_pending_of_async_iterables(folder: Path) -> None:
    """An async iterable is filtered in the same way."""

    async def items() -> AsyncIterator[str]:
        for url in [*urls(3), *urls(3)]:
            yield url

    async with JSONLines(folder / "out.jsonl") as sink:
        await sink.write(answered(urls(1)[0]))
        assert [url async for url in sink.pending(items())] == urls(3)[1:]


async def test_pending_closes_generators(folder: Path) -> None:
    """A generator is closed with what is made of it, and not when it is forgotten."""
    closed: list[str] = []

    def items() -> Iterator[str]:
        try:
            yield from urls(3)
        finally:
            closed.append("sync")

    async def async_items() -> AsyncIterator[str]:
        try:
            for url in urls(3):
                yield url
        finally:
            closed.append("async")

    async with JSONLines(folder / "out.jsonl") as sink, down() as client:
        for given in (items(), async_items()):
            async with aclosing(fetch(sink.pending(given), client=client, concurrency=1)) as results:
                async for result in results:
                    assert not result.ok
                    break
    assert closed == ["sync", "async"]


@each_kind
async def test_key(kind: Kind, folder: Path) -> None:
    """Items can be told apart by what the caller says, so that one URL can be there more than once."""
    items = [(SITE, {"headers": {"Accept-Language": language}}) for language in ("de", "fr", "de")]

    def language(item: Any) -> str:
        return str(item[1]["headers"]["Accept-Language"])

    for repeats in (0, 1):
        async with kind(folder / NAMES[kind], resume=True, key=language) as sink:
            pending = list(sink.pending(items))
            assert pending == ([] if repeats else items[:2])
            for item in pending:
                await sink.write(answered(item))
    assert listed(kind, folder / NAMES[kind]) == [SITE, SITE]


async def test_pending_of_one(folder: Path) -> None:
    """One URL instead of many is refused: its letters are none."""
    async with JSONLines(folder / "out.jsonl") as sink:
        with pytest.raises(TypeError, match="not one of them"):
            sink.pending(SITE)


def test_memory_of_pending(folder: Path) -> None:
    """To know of 100,000 URLs that they are done, and to skip them, takes less than 10 MiB."""
    path, count = folder / "out.jsonl", 100_000
    with path.open("wb") as file:
        for url in urls(count):
            file.write(line_of(Record(key_of(url).hex(), url, status=200)))

    async def resume() -> None:
        async with JSONLines(path, resume=True) as sink:
            for _ in sink.pending(f"{SITE}/{number}" for number in range(count)):
                raise AssertionError
            assert sink.done == count

    tracemalloc.start(1)
    asyncio.run(resume())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10 * MIB, peak


# -- cancelled, and broken


class Held:
    """Holds the thread of a sink before it writes."""

    def __init__(self, sink: Any) -> None:
        self.go = threading.Event()
        write = sink._store.write

        def held(entries: Any) -> None:
            assert self.go.wait(10)
            write(entries)

        sink._store.write = held


@each_kind
async def test_cancelled_writes(kind: Kind, folder: Path) -> None:
    """A result whose ``write`` was cancelled is written, once, whether it is given again or not."""
    path = folder / NAMES[kind]
    async with kind(path, batch=1) as sink:
        held = Held(sink)
        await sink.write(answered(f"{SITE}/0"))
        tasks = [asyncio.create_task(sink.write(answered(url))) for url in urls(6)[1:]]
        for task in tasks:
            for _ in range(3):
                await asyncio.sleep(0)
            assert not task.done()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert all(task.cancelled() for task in tasks)
        held.go.set()
        for url in urls(3):
            await sink.write(answered(url))
        assert sink.duplicates == 3
    assert listed(kind, path) == urls(6)


@each_kind
@pytest.mark.parametrize("error", [asyncio.CancelledError, KeyError])
async def test_block_that_fails(kind: Kind, folder: Path, error: type[BaseException]) -> None:
    """However the block ends, what was written in it is kept."""
    path = folder / NAMES[kind]
    with pytest.raises(error):
        async with kind(path) as sink:
            await sink.write(answered(SITE))
            raise error
    assert listed(kind, path) == [SITE]
    assert names(folder) == {path.name}


def break_disk(monkeypatch: pytest.MonkeyPatch, sink: Any, calls: int) -> None:
    """Let the disk be full after so many batches."""
    write, count = sink._store.write, Counter[str]()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    def limited(entries: Any) -> None:
        count["batches"] += 1
        if count["batches"] > calls:
            monkeypatch.setattr(os, "fsync", full)
        write(entries)

    sink._store.write = limited


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.__name__ != "SQLite"], ids=kind_name)
async def test_disk_full(kind: Kind, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full everybody is told what is safe, which is there, and only that; later it goes on."""
    path = folder / NAMES[kind]
    with monkeypatch.context() as patch:
        with pytest.raises(SinkError, match=r"No space left on device; 4 of [5-8] results are safe"):
            async with kind(path, batch=2) as sink:
                break_disk(patch, sink, 2)
                for url in urls(10):
                    await sink.write(answered(url))
                    await asyncio.sleep(0)
        with pytest.raises(SinkError, match="No space"):
            async with kind(folder / "other", batch=1) as other:
                break_disk(patch, other, 0)
                await other.write(answered(SITE))
    assert sink.reported == 4
    assert listed(kind, path) == urls(4)
    async with kind(path, resume=True) as sink:
        pending = list(sink.pending(urls(10)))
        assert pending == urls(10)[4:]
        for url in pending:
            await sink.write(answered(url))
    assert listed(kind, path) == urls(10)


async def test_error_while_another_is_raised(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ended the block has the say; that the sink failed as well is noted on it."""
    with pytest.raises(KeyError) as caught, monkeypatch.context() as patch:
        async with JSONLines(folder / "out.jsonl") as sink:
            break_disk(patch, sink, 0)
            await sink.write(answered(SITE))
            raise KeyError
    assert any("No space" in note for note in caught.value.__notes__)


async def test_flush_tells(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``flush``, ``write`` and ``close`` tell of an error of the thread; ``close`` closes all the same."""
    sink = JSONLines(folder / "out.jsonl")
    with monkeypatch.context() as patch:
        await sink.__aenter__()
        break_disk(patch, sink, 0)
        await sink.write(answered(SITE))
        for call in (sink.flush(), sink.write(answered(SITE)), sink.write(failed(SITE)), sink.close()):
            with pytest.raises(SinkError, match="0 of 1 results are safe"):
                await call
    await sink.close()
    assert names(folder) == {"out.jsonl"}


async def test_taken_and_repeats(folder: Path) -> None:
    """A sink tells how many results it took, of which some may not be safe, and what it would repeat."""
    sink = JSONLines(folder / "out.jsonl", repeat=lambda result: not result.ok)
    assert sink.taken == 0
    async with sink:
        for result in (answered(urls(1)[0]), answered(urls(1)[0]), failed(urls(2)[1])):
            await sink.write(result)
        assert (sink.taken, sink.reported) == (2, 0)
        await sink.flush()
        assert (sink.taken, sink.reported) == (2, 2)
    assert [sink.repeats(answered(SITE, status=status)) for status in (200, 404, 503)] == [False, True, True]
