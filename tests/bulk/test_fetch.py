"""``bulk/_fetch.py``: what comes of many requests, in which order, and how far a fetch goes ahead of its consumer."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import InvalidURL, PoolLimits, RemoteDisconnected, StatusError
from aiohttpclient.bulk import fetch
from aiohttpclient.testing import LoopbackServer, virtual_time
from tests.bulk.pages import all_of, numbered, reply, settle, site
from tests.net.streams import turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aiohttpclient import Request, ResponseStream
    from aiohttpclient.bulk import Fetch, Result
    from aiohttpclient.client import Handler


# -- results


async def test_every_kind_of_item() -> None:
    """A URL, a request, and a URL with options are fetched; each result has the item, its place, and the request."""
    async with site() as (client, here):
        given = client.build_request("GET", "/request")
        items: list[Any] = ["/text\n", URL("http://other.example/url"), given, ("/pair", {"method": "DELETE"}), given]
        results = sorted(await all_of(fetch(items, client=client)), key=lambda result: result.index)
        assert [result.item for result in results] == items
        assert [result.index for result in results] == [0, 1, 2, 3, 4]
        assert [result.unwrap().text for result in results] == ["/text", "/url", "/request", "/pair", "/request"]
        assert [result.request and result.request.method for result in results] == ["GET"] * 3 + ["DELETE", "GET"]
        assert {asked.host for asked in here.asked} == {"example.org", "other.example"}


async def test_failures_are_results() -> None:
    """What cannot be sent, gets no answer, or one that tells of an error, is a result; the others go on."""

    def answer(asked: Any) -> bytes:
        if asked.path == "/gone":
            return reply(b"", "410 Gone")
        return b"HTTP/1.1 what\r\n\r\n" if asked.path == "/broken" else b"fine"

    items: list[Any] = ["/fine", "http://[", None, "/broken", "/gone", "/fine"]
    async with site(answer) as (client, _):
        results = await all_of(fetch(items, client=client, ordered=True))
    assert [result.ok for result in results] == [True, False, False, False, False, True]
    assert [result.request is None for result in results] == [False, True, True, False, False, False]
    assert [type(result.error) for result in results[1:3]] == [InvalidURL, TypeError]
    assert results[3].error is not None
    assert results[4].response is not None
    assert results[4].error is None
    with pytest.raises(StatusError):
        results[4].unwrap().raise_for_status()


async def test_elapsed() -> None:
    """The time of a result is that of its own request, not what it has waited before, or was waited for."""
    with virtual_time() as clock:
        async with site(lambda asked: 2) as (client, _):
            results = await clock.until(all_of(fetch(["/a", "/b", "http://["], client=client, concurrency=1)))
        assert [result.elapsed for result in results] == [2, 2, 0]


async def test_redirects_and_request() -> None:
    """The request of a result is the one that was asked for; the response knows where it led."""

    def answer(asked: Any) -> bytes:
        return reply(b"", "302 Found", "Location: /there") if asked.path == "/here" else b"found"

    async with site(answer) as (client, _):
        (result,) = await all_of(fetch(["/here"], client=client))
    assert result.request is not None
    assert result.request.url.path == "/here"
    assert result.unwrap().url.path == "/there"


async def test_nothing_to_fetch() -> None:
    """An empty input gives no results."""

    async def nothing() -> AsyncIterator[str]:
        for path in numbered(0):
            yield path

    async with site() as (client, _):
        assert await all_of(fetch([], client=client)) == []
        assert await all_of(fetch(nothing(), client=client)) == []


async def test_ends_once_and_for_all() -> None:
    """When all was given out, the iteration has ended, however often it is asked."""
    async with site() as (client, _):
        results = fetch(["/a"], client=client)
        assert len(await all_of(results)) == 1
        assert await all_of(results) == []
        await results.aclose()
        assert repr(results) == "<Fetch closed>"


async def test_own_client() -> None:
    """Without a client there is one of the fetch's own, with a connection for each worker, which is closed with it."""
    async with LoopbackServer() as server:
        server.add("GET", "/{path}", "yes")
        urls = [f"{server.url}/{number}" for number in range(20)]
        results = await all_of(fetch(urls, concurrency=3))
        assert [result.unwrap().text for result in results] == ["yes"] * 20
        assert len(server.connections) == 3


# -- order


async def test_as_they_come() -> None:
    """Results are given out as they come."""
    delays = {"/a": 3, "/b": 1, "/c": 2}
    with virtual_time() as clock:
        async with site(lambda asked: delays[asked.path]) as (client, _):
            results = await clock.until(all_of(fetch(delays, client=client)))
    assert [result.item for result in results] == ["/b", "/c", "/a"]


@pytest.mark.parametrize(("concurrency", "buffer"), [(1, 0), (4, 0), (4, 3)])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_in_order(concurrency: int, buffer: int, asynchronous: bool) -> None:
    """In order, results are given out as they stand in the input, and no further ahead of the first is asked."""

    async def fed() -> AsyncIterator[str]:
        for path in numbered(20):
            yield path

    with virtual_time() as clock:
        async with site(lambda asked: 20 if asked.path == "/0" else 1 + int(asked.path[1:]) % 3) as (client, here):
            items = fed() if asynchronous else numbered(20)
            results = fetch(items, client=client, concurrency=concurrency, buffer=buffer, ordered=True)
            task = asyncio.create_task(all_of(results))
            await clock.elapse(19)
            assert len(here.asked) == concurrency + buffer
            done = await clock.until(task)
            assert [result.index for result in done] == list(range(20))
            assert here.most == concurrency


# -- how far it goes ahead


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(("concurrency", "buffer", "ahead"), [(5, None, 10), (5, 2, 7), (5, 0, 5), (1, 0, 1)])
async def test_back_pressure(
    concurrency: int, buffer: int | None, ahead: int, ordered: bool, asynchronous: bool
) -> None:
    """A consumer that takes nothing stops the fetch; each result that it takes lets one more request begin."""
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        for read in itertools.count(1):
            yield f"/{read}"

    async def fed() -> AsyncIterator[str]:
        for item in endless():
            yield item

    async with site() as (client, here):
        items = fed() if asynchronous else endless()
        async with fetch(items, client=client, concurrency=concurrency, buffer=buffer, ordered=ordered) as results:
            for taken in range(1, 4):
                await anext(results)
                await settle()
                assert len(here.asked) == ahead + taken
                assert read <= len(here.asked) + (concurrency if asynchronous else 0)
            assert here.most <= concurrency


async def test_begins_when_asked() -> None:
    """Nothing is read or sent before the first result is asked for; what was never begun has nothing to close."""
    read = []

    def items() -> Iterator[str]:
        read.append(True)
        yield "/a"

    async with site() as (client, here):
        results = fetch(items(), client=client)
        assert repr(results) == "<Fetch new>"
        await settle()
        async with results:
            assert results.take() == []
        assert await all_of(results) == []
        assert (read, here.asked) == ([], [])


async def test_fewer_connections_than_workers() -> None:
    """Where the pool has fewer connections than there are workers, these wait for each other."""
    async with site(limits=PoolLimits(connections=2)) as (client, here):
        assert len(await all_of(fetch(numbered(30), client=client, concurrency=10))) == 30
        assert here.most <= 2


# -- those who take


async def test_several_consumers() -> None:
    """Several tasks can take the results of one fetch: each result is given to one of them."""
    async with site() as (client, _):
        results = fetch(numbered(50), client=client, concurrency=4)
        shares = await asyncio.gather(*(all_of(results) for _ in range(5)))
        assert sorted(result.index for share in shares for result in share) == list(range(50))


async def test_consumer_that_gives_up_waiting() -> None:
    """Who is cancelled while waiting for a result takes none with him, and the fetch goes on."""
    with virtual_time() as clock:
        async with site(lambda asked: 5) as (client, here):
            results = fetch(numbered(4), client=client, concurrency=2)

            async def impatient() -> list[Result]:
                found: list[Result] = []
                gave_up = 0
                while len(found) < 4:
                    try:
                        async with asyncio.timeout(2):
                            found.append(await anext(results))
                    except TimeoutError:
                        gave_up += 1
                assert gave_up == 4
                return found

            assert len(await clock.until(impatient())) == 4
            assert len(here.asked) == 4
            await results.aclose()


async def test_consumer_cancelled_when_woken() -> None:
    """Who is cancelled in the tick in which a result has come leaves it to the next."""
    async with site() as (client, _):
        results = fetch(["/a"], client=client)
        one, other = (asyncio.create_task(results.__anext__()) for _ in range(2))
        await turns(1)
        engine = results._engine
        assert engine is not None
        while not engine.ready:
            await turns(1)
        one.cancel()
        result = await other if one.cancelled() or not one.done() else one.result()
        assert result.unwrap().text == "/a"
        await asyncio.wait([one, other])
        await results.aclose()


async def test_take() -> None:
    """What is there can be taken without waiting, also when the fetch was closed: nothing that was done is lost."""
    async with site() as (client, here):
        results = fetch(itertools.cycle(["/a"]), client=client, concurrency=2, buffer=2)
        await anext(results)
        await settle()
        taken = results.take()
        assert len(taken) == 4
        assert results.take() == []
        await settle()
        assert len(here.asked) == 9  # there is room again
        await results.aclose()
        assert [result.ok for result in results.take()] == [True] * 4
        assert await all_of(results) == []


# -- leaving early


async def test_break_and_forget() -> None:
    """Left and forgotten, a fetch cancels what is under way, closes its input, and leaves nothing."""
    closed = []

    async def items() -> AsyncIterator[str]:
        try:
            for number in itertools.count():
                yield f"/{number}"
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async with site(lambda asked: asyncio.Event().wait() if asked.path > "/3" else b"quick") as (client, here):
        async for result in fetch(items(), client=client, concurrency=10):
            if result.item == "/3":
                break
        assert here.under_way
        await settle()
        assert asyncio.all_tasks() - {asyncio.current_task()} == set(await_handlers())
        assert closed == [True]
        assert client.pool.stats().busy == 0


def await_handlers() -> set[asyncio.Task[Any]]:
    """The tasks of the site's connections, which are not the fetch's."""
    return {task for task in asyncio.all_tasks() if "MemoryDialer" in repr(task) or "Site.talk" in repr(task)}


@pytest.mark.parametrize("in_thread", [False, True])
async def test_collected(in_thread: bool) -> None:
    """A fetch that is part of a cycle ends when the collector finds it, in whatever thread."""

    async def begun() -> None:
        results: Any = fetch(["/a"], client=client)
        results.itself = results
        waiting = asyncio.create_task(results.__anext__())
        await settle()
        assert here.under_way == 1
        waiting.cancel()
        await asyncio.wait([waiting])

    async with site(lambda asked: asyncio.Event().wait()) as (client, here):
        await begun()
        if in_thread:
            thread = threading.Thread(target=gc.collect)
            thread.start()
            thread.join()
        else:
            gc.collect()
        await settle()
        assert client.pool.stats().busy == 0


async def test_forgotten_when_done() -> None:
    """A fetch that is over, or was never begun, can be forgotten."""
    async with site() as (client, _):
        results: Fetch | None = fetch(["/a"], client=client)
        assert results is not None
        await all_of(results)
        results = fetch(["/a"], client=client)
        del results
        gc.collect()


def test_forgotten_after_its_loop() -> None:
    """A fetch that outlives its loop does nothing when it is forgotten."""
    kept: list[Fetch] = []

    async def main() -> None:
        async with site() as (client, _):
            kept.append(fetch(numbered(9), client=client, concurrency=1, buffer=0))
            await anext(kept[0])

    asyncio.run(main())
    forgotten = weakref.ref(kept[0])
    kept.clear()
    gc.collect()
    assert forgotten() is None


# -- what surrounds it


async def test_client_closed_under_it() -> None:
    """When the client is closed, what is left of the input fails, each item by itself, and the fetch ends."""
    async with site(lambda asked: asyncio.Event().wait() if asked.path == "/2" else b"quick") as (client, here):
        results = fetch(numbered(40), client=client, concurrency=3)
        found = [await anext(results)]
        while "/2" not in here.paths:
            found.append(await anext(results))
        await client.close()
        found += await all_of(results)
        assert sorted(result.index for result in found) == list(range(40))
        assert any(result.ok for result in found)
        assert {str(result.error) for result in found[-3:]} == {"the client is closed"}


async def test_of_another_fetch() -> None:
    """The results of one fetch can be the input of another, which closes it."""
    async with site() as (client, here):
        first = fetch(numbered(30), client=client, concurrency=3)

        async def again() -> AsyncIterator[str]:
            async with first:
                async for result in first:
                    yield f"/again{result.item}"

        async with fetch(again(), client=client, concurrency=2) as second:
            async for result in second:
                assert result.unwrap().text.startswith("/again/")
                break
        assert first._engine is not None
        assert first._engine.over
        assert len(here.asked) < 30


async def test_middlewares_and_context() -> None:
    """Requests pass through the middlewares of the client."""
    seen = []

    async def watch(request: Request, call_next: Handler) -> ResponseStream:
        seen.append(request.url.path)
        return await call_next(request)

    async with site(middlewares=[watch]) as (client, _):
        await all_of(fetch(["/a", "/b"], client=client))
    assert sorted(seen) == ["/a", "/b"]


async def test_disconnected() -> None:
    """A server that goes away is an error of the requests that it had, and of no other."""

    def answer(asked: Any) -> Any:
        return None if asked.path == "/2" else b"fine"

    async with site(answer) as (client, _):
        results = await all_of(fetch(numbered(6), client=client, ordered=True))
    assert [result.ok for result in results] == [True, True, False, True, True, True]
    assert isinstance(results[2].error, RemoteDisconnected)


# -- what is refused


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"concurrency": 0}, ValueError),
        ({"concurrency": 1.5}, TypeError),
        ({"concurrency": True}, TypeError),
        ({"concurrency": None}, TypeError),
        ({"buffer": -1}, ValueError),
        ({"buffer": "9"}, TypeError),
        ({"politeness": True}, TypeError),
    ],
    ids=repr,
)
def test_refused(options: dict[str, Any], error: type[Exception]) -> None:
    """What makes no sense is refused where it is given."""
    with pytest.raises(error, match=next(iter(options))):
        fetch([], **options)
