"""``bulk/_sources.py``: how far an input is read, by whom, and what becomes of it in the end."""

from __future__ import annotations

import asyncio
import io
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, InvalidURL, Request
from aiohttpclient.bulk import Result
from aiohttpclient.bulk._sources import Awaited, Fed, Iterated, reader_of, source_of
from tests.net.streams import turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aiohttpclient.bulk._sources import Given, Reader, Source

mark: ContextVar[str] = ContextVar("mark", default="nobody's")


def fed(requests: Any, ahead: int = 4) -> Source:
    """A source of these, for a client that is never used."""
    return source_of(reader_of(requests), AsyncHTTPClient(trust_env=False), ahead)


async def some(source: Source | Reader, count: int) -> list[Any]:
    """Items with their indices; None for the end."""
    taken: list[Given | None] = [await source.take() for _ in range(count)]
    return [one and (one.index, one.item) for one in taken]


# -- sync iterables


async def test_iterated() -> None:
    """A sync iterable is read as far as items are taken, and not asked again when it has ended."""
    read: list[str] = []

    def items() -> Iterator[str]:
        for letter in "ab":
            read.append(letter)
            yield letter

    source = reader_of(items())
    assert isinstance(source, Iterated)
    assert read == []
    assert await some(source, 1) == [(0, "a")]
    assert read == ["a"]
    assert await some(source, 3) == [(1, "b"), None, None]


async def test_what_is_there() -> None:
    """An item that nothing has to be awaited for can be had at once, before and between those that are awaited."""
    source = fed([*"abcd"])
    assert (got := source.poll()) is not None
    assert (got.index, got.item) == (0, "a")
    assert await some(source, 2) == [(1, "b"), (2, "c")]
    assert (got := source.poll()) is not None
    assert (got.index, got.item) == (3, "d")
    assert source.poll() is None
    assert await source.take() is None


async def test_iterated_raises_once() -> None:
    """What a sync iterable raises is raised to one who takes; for the others it has ended."""

    def items() -> Iterator[str]:
        yield "a"
        raise KeyError("b")

    source = reader_of(items())
    assert await some(source, 1) == [(0, "a")]
    with pytest.raises(KeyError):
        await source.take()
    assert await some(source, 2) == [None, None]


async def test_iterated_has_one_context() -> None:
    """A sync generator sees the variables of where it was given, and its own, whichever task takes from it."""

    def items() -> Iterator[str]:
        yield mark.get()
        mark.set("the generator's")
        yield mark.get()
        yield mark.get()

    mark.set("the caller's")
    source = reader_of(items())
    mark.set("somebody's")
    taken = [await asyncio.create_task(source.take()) for _ in range(3)]
    assert [one and one.item for one in taken] == ["the caller's", "the generator's", "the generator's"]
    assert mark.get() == "somebody's"


async def test_generator_is_closed() -> None:
    """A generator is closed with the source, in its context; after that there are no items."""
    closed = []

    def items() -> Iterator[str]:
        mark.set("the generator's")
        try:
            yield "a"
            yield "b"
        finally:
            closed.append(mark.get())

    source = reader_of(items())
    await source.take()
    await source.aclose()
    assert closed == ["the generator's"]
    assert await source.take() is None


async def test_file_is_the_callers() -> None:
    """A file whose lines are URLs is not closed."""
    with io.StringIO("http://example.org/1\nhttp://example.org/2\n") as file:
        source = reader_of(file)
        await source.take()
        await source.aclose()
        assert file.readline() == "http://example.org/2\n"


# -- async iterables


async def letters(read: list[str]) -> AsyncIterator[str]:
    """Each one is noted when it is read."""
    for letter in "abcdefgh":
        read.append(letter)
        yield letter


async def test_fed_reads_ahead() -> None:
    """Of an async iterable so many items are read before they are taken, and more when half of them are gone."""
    read: list[str] = []
    source = fed(letters(read))
    assert isinstance(source, Fed)
    task = asyncio.create_task(source.feed())
    await turns(5)
    assert "".join(read) == "abcd"
    await some(source, 1)
    await turns(5)
    assert "".join(read) == "abcd"
    await some(source, 1)
    await turns(5)
    assert "".join(read) == "abcdef"
    taken = [await source.take() for _ in range(7)]
    assert [one and one.item for one in taken] == [*"cdefgh", None]
    await task
    await source.aclose()


async def test_fed_waits() -> None:
    """Whoever takes before there is an item gets one as soon as it is read, in turn; None when there are no more."""
    gate = asyncio.Event()

    async def items() -> AsyncIterator[str]:
        yield "a"
        await gate.wait()
        yield "b"

    source = fed(items())
    takers = [asyncio.create_task(source.take()) for _ in range(4)]
    feeder = asyncio.create_task(source.feed())
    await turns(5)
    assert [task.done() for task in takers] == [True, False, False, False]
    gate.set()
    taken = [await task for task in takers]
    assert [one and one.item for one in taken] == ["a", "b", None, None]
    await feeder
    await source.aclose()


async def test_fed_is_there_when_it_was_read() -> None:
    """Of an async iterable those that were read can be had at once."""
    read: list[str] = []
    reader = reader_of(letters(read))
    assert reader.poll() is None
    source = source_of(reader, AsyncHTTPClient(trust_env=False), 2)
    assert source.poll() is None
    feeder = asyncio.create_task(source.feed())
    await turns(5)
    assert read == ["a", "b"]
    for index, letter in enumerate("ab"):
        assert (got := source.poll()) is not None
        assert (got.index, got.item) == (index, letter)
    assert source.poll() is None
    await turns(5)
    assert read == [*"abcd"]
    feeder.cancel()
    await asyncio.wait([feeder])
    await source.aclose()


async def test_fed_raises_to_the_feeder() -> None:
    """What an async iterable raises is raised where it is read; items from before are given out."""

    async def items() -> AsyncIterator[str]:
        yield "a"
        raise KeyError("b")

    source = fed(items())
    with pytest.raises(KeyError):
        await source.feed()
    assert await some(source, 2) == [(0, "a"), None]
    await source.aclose()


async def test_fed_is_closed() -> None:
    """The iterator is closed with the source, and that is awaited; what was read ahead is dropped."""
    closed = []

    async def items() -> AsyncIterator[str]:
        try:
            while True:
                yield "a"
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    source = fed(items())
    feeder = asyncio.create_task(source.feed())
    await source.take()
    feeder.cancel()
    await asyncio.wait([feeder])
    await source.aclose()
    assert closed == [True]
    assert await source.take() is None


async def test_fed_without_aclose() -> None:
    """An async iterator that cannot be closed is left as it is; it need not be iterable itself."""

    class Countdown:
        def __aiter__(self) -> Any:
            return Numbers()

    class Numbers:
        left = 2

        async def __anext__(self) -> str:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return str(self.left)

    source = fed(Countdown())
    await source.feed()
    assert await some(source, 3) == [(0, "1"), (1, "0"), None]
    await source.aclose()


async def test_awaited() -> None:
    """Who reads an async iterable by himself gets its items as they are asked for."""
    read: list[str] = []
    reader = reader_of(letters(read))
    assert isinstance(reader, Awaited)
    assert await some(reader, 2) == [(0, "a"), (1, "b")]
    assert read == ["a", "b"]
    assert (await some(reader, 7))[-2:] == [(7, "h"), None]
    await reader.aclose()


# -- what a source does besides


async def test_plain_source() -> None:
    """A source without more ado gives what is read, makes the request when it is sent, and settles for anything."""
    source = fed(iter(["http://example.org/a", "b"]))
    await source.feed()
    given = await source.take()
    assert given is not None
    request = source.admit(given)
    assert isinstance(request, Request)
    assert request is given.request
    assert source.settle(given, Result(given.item, given.index, request, None, OSError(), 0.0))
    source.given_out()
    given = await source.take()
    assert given is not None
    with pytest.raises(InvalidURL):
        source.admit(given)
    assert await source.take() is None
    await source.aclose()


# -- what is no input


@pytest.mark.parametrize(
    "one",
    ["http://example.org/", b"http://example.org/", URL("http://example.org/"), Request("GET", "http://a/"), 7, None],
    ids=repr,
)
def test_one_item(one: Any) -> None:
    """One URL or request is not taken for several, and what cannot be iterated over is refused at once."""
    with pytest.raises(TypeError):
        reader_of(one)
