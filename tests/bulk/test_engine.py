"""``bulk/_engine.py``: how a fetch ends, whatever ends it, and that nothing is left of it then."""

from __future__ import annotations

import asyncio
import gc
import itertools
import signal
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.bulk import Politeness, fetch
from aiohttpclient.testing import LoopbackServer, virtual_time
from tests.bulk.pages import all_of, numbered, settle, site
from tests.net.stepping import MOST, Moment, abandoned_at, sweep
from tests.support.interrupts import interruptible

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from aiohttpclient import AsyncHTTPClient, Request, ResponseStream
    from aiohttpclient.bulk import Fetch, Result
    from aiohttpclient.client import Handler
    from tests.net.stepping import Ending

mark: ContextVar[str] = ContextVar("mark", default="nobody's")


class Broken(Exception):
    """The input's own."""


class Ended(BaseException):
    """What nobody catches."""


def left() -> list[str]:
    """The tasks of fetches that still run."""
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("bulk.fetch")]


async def until_error(results: Fetch, kind: type[BaseException]) -> list[Result]:
    """The results until ``kind`` is raised, which it must be, and only once."""
    found = []
    with pytest.raises(kind):
        async for result in results:
            found.append(result)  # noqa: PERF401  # those before the error are wanted
    assert await all_of(results) == []
    assert left() == []
    return found


# -- what the input raises


def failing(count: int, error: BaseException) -> Iterator[str]:
    yield from numbered(count)
    raise error


async def failing_later(count: int, error: BaseException) -> AsyncIterator[str]:
    for path in numbered(count):
        yield path
    raise error


@pytest.mark.parametrize("items", [failing, failing_later])
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize(("concurrency", "buffer"), [(1, 0), (3, 0), (3, 2), (50, 50)])
async def test_input_raises(items: Any, ordered: bool, concurrency: int, buffer: int) -> None:
    """What the input raises ends the fetch when everything that was read before is done, and given out."""
    with virtual_time() as clock:
        async with site(lambda asked: 3) as (client, here):
            results = fetch(items(7, Broken()), client=client, concurrency=concurrency, buffer=buffer, ordered=ordered)
            found = await clock.until(until_error(results, Broken))
            assert sorted(result.index for result in found if result.ok) == list(range(7))
            assert len(here.asked) == 7


@pytest.mark.parametrize("items", [failing, failing_later])
async def test_input_ends_it(items: Any) -> None:
    """What is no Exception ends the fetch at once: what was done by then is given out, what is under way cancelled."""
    async with site(lambda asked: asyncio.Event().wait() if asked.path == "/5" else b"quick") as (client, _):
        found = await until_error(fetch(items(6, Ended()), client=client, concurrency=2), Ended)
        assert {result.index for result in found} <= set(range(5))
        assert client.pool.stats().busy == 0


async def test_input_raises_at_once() -> None:
    """An input that raises before its first item gives no results, and then the error."""
    async with site() as (client, _):
        assert await until_error(fetch(failing(0, Broken()), client=client), Broken) == []
        assert await until_error(fetch(failing_later(0, Broken()), client=client), Broken) == []


async def test_error_is_not_raised_to_who_has_left() -> None:
    """Who leaves before the error of the input comes up is not told of it."""
    async with site() as (client, _):
        async with fetch(failing(3, Broken()), client=client) as results:
            await anext(results)
        assert left() == []


async def test_input_cannot_be_closed() -> None:
    """What closing the input raises is raised by ``aclose``, or behind the results; all the rest is done."""

    async def items() -> AsyncIterator[str]:
        try:
            yield "/a"
            await asyncio.Event().wait()
        finally:
            raise Broken

    async with site() as (client, _):
        with pytest.raises(Broken):
            async with fetch(items(), client=client) as results:
                await anext(results)
        assert left() == []
        await results.aclose()


async def test_input_is_read_and_closed_by_one_task() -> None:
    """An async generator may hold a timeout or a variable across a yield: one task reads it, and closes it."""
    tasks, marks = set(), []

    async def items() -> AsyncIterator[str]:
        mark.set("the generator's")
        try:
            async with asyncio.timeout(60):
                for number in itertools.count():
                    tasks.add(asyncio.current_task())
                    yield f"/{number}"
        finally:
            await asyncio.sleep(0)
            tasks.add(asyncio.current_task())
            marks.append(mark.get())

    async with site() as (client, _):
        async with fetch(items(), client=client, concurrency=3) as results:
            async for result in results:
                if result.index == 20:
                    break
    assert (len(tasks), marks, mark.get()) == (1, ["the generator's"], "nobody's")


# -- what others do to it


def test_keyboard_interrupt() -> None:
    """A KeyboardInterrupt within a request ends the program, and the fetch with it; nothing is left behind."""
    cleaned = []

    async def interrupt(request: Request, call_next: Handler) -> ResponseStream:
        if request.url.path == "/3":
            raise KeyboardInterrupt
        return await call_next(request)

    async def items() -> AsyncIterator[str]:
        try:
            for path in numbered(9):
                yield path
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def main() -> None:
        async with site(middlewares=[interrupt]) as (client, _):
            async for _ in fetch(items(), client=client, concurrency=2):
                pass

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert cleaned == [True]


def test_ctrl_c() -> None:
    """Ctrl-C ends the program as ever, and what was done by then can be kept, all of it."""
    kept: list[Result] = []
    asked = 0

    async def main() -> None:
        nonlocal asked
        async with site() as (client, here):
            paths = (f"/{number}" for number in range(1000))
            async with fetch(paths, client=client, concurrency=3, buffer=4) as results:
                try:
                    async for result in results:
                        kept.append(result)
                        if len(kept) == 5:
                            signal.raise_signal(signal.SIGINT)
                finally:
                    await results.aclose()
                    kept.extend(results.take())
                    asked = len(here.asked)

    with interruptible(), pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert all(result.ok for result in kept)
    assert len({result.index for result in kept}) == len(kept)
    assert asked - 3 <= len(kept) <= asked


async def test_all_tasks_are_cancelled() -> None:
    """When somebody cancels the tasks of a fetch, as the end of a program does, who iterates is cancelled as well."""
    async with site(lambda asked: asyncio.Event().wait() if asked.path == "/4" else b"quick") as (client, _):
        results = fetch(numbered(5), client=client, concurrency=1)
        consumer = asyncio.create_task(all_of(results))
        await settle()
        for task in asyncio.all_tasks():
            if task.get_name().startswith("bulk.fetch"):
                task.cancel()
        await asyncio.wait([consumer])
        assert consumer.cancelled()
        assert left() == []
        assert client.pool.stats().busy == 0


@pytest.mark.parametrize("who", ["bulk.fetch", "bulk.fetch 1"])
async def test_one_task_is_cancelled(who: str) -> None:
    """When one of its tasks is cancelled, a fetch ends: what was done is given out first."""
    async with site(lambda asked: asyncio.Event().wait() if asked.path > "/3" else b"quick") as (client, _):
        results = fetch(numbered(9), client=client, concurrency=3)
        first = await anext(results)
        await settle()
        next(task for task in asyncio.all_tasks() if task.get_name() == who).cancel()
        found = [first, *await until_error(results, asyncio.CancelledError)]
        assert sorted(result.index for result in found) == [0, 1, 2, 3]


async def test_closed_while_others_wait() -> None:
    """When one closes a fetch, those who wait for a result of it have come to its end."""
    async with site(lambda asked: asyncio.Event().wait()) as (client, _):
        results = fetch(numbered(5), client=client)
        waiting = [asyncio.create_task(all_of(results)) for _ in range(3)]
        await settle()
        await asyncio.gather(results.aclose(), results.aclose())
        assert [await task for task in waiting] == [[], [], []]


async def test_closed_before_it_could_begin() -> None:
    """Closed in the tick in which it began, a fetch has ended for those who wait."""
    async with site() as (client, here):
        results = fetch(numbered(5), client=client)
        waiting = [asyncio.create_task(all_of(results)) for _ in range(2)]
        while results._engine is None:
            await asyncio.sleep(0)
        await results.aclose()
        assert [len(await task) for task in waiting] == [0, 0]
        assert left() == []
        assert here.under_way == 0


async def test_closed_by_two() -> None:
    """When two close a fetch, both wait for the end of its input, which is not disturbed by that."""
    ended = []
    gate = asyncio.Event()

    async def items() -> AsyncIterator[str]:
        try:
            for path in numbered(9):
                yield path
            await asyncio.Event().wait()
        finally:
            await gate.wait()
            ended.append(True)

    async with site() as (client, _):
        results = fetch(items(), client=client)
        await anext(results)
        closing = []
        for _ in range(2):
            closing.append(asyncio.create_task(results.aclose()))
            await settle()
        assert not any(task.done() for task in closing)
        gate.set()
        await asyncio.gather(*closing)
        assert (ended, left()) == ([True], [])


async def test_nothing_that_was_done_is_lost() -> None:
    """In order, what was done behind something that was cancelled is given out in the end."""

    def answer(asked: Any) -> Awaitable[Any] | bytes:
        return asyncio.Event().wait() if asked.path in {"/1", "/3"} else b"quick"

    async with site(answer) as (client, _):
        results = fetch(numbered(5), client=client, ordered=True)
        assert (await anext(results)).index == 0
        await settle()
        assert results.take() == []
        next(task for task in asyncio.all_tasks() if task.get_name() == "bulk.fetch").cancel()
        assert [result.index for result in await until_error(results, asyncio.CancelledError)] == [2, 4]

        results = fetch(numbered(5), client=client, ordered=True)
        assert (await anext(results)).index == 0
        await settle()
        await results.aclose()
        assert [result.index for result in results.take()] == [2, 4]


@pytest.mark.parametrize("politeness", [None, Politeness("tester/1.0", robots=False, rate=0.001)])
async def test_nothing_of_it_is_kept(politeness: Politeness | None) -> None:
    """When a fetch has ended, or was forgotten, nothing holds on to it: no task, no timer, no client."""
    async with site() as (client, _):
        for left_early in (False, True):
            items = numbered(1) if not left_early else itertools.cycle(["/a"])
            results: Fetch | None = fetch(items, client=client, concurrency=3, politeness=politeness)
            assert results is not None
            await anext(results)
            if not left_early:
                assert await all_of(results) == []
            await settle()
            assert results._engine is not None
            source = weakref.ref(results._engine._source)  # which the engine has, and the timer
            results = None
            await settle()
            gc.collect()
            assert source() is None


async def test_cancelled_while_closing() -> None:
    """Who is cancelled while he closes a fetch waits until that is done; an input that hangs is cancelled, too."""
    hung = []

    async def items() -> AsyncIterator[str]:
        try:
            for path in numbered(9):
                yield path
            await asyncio.Event().wait()
        finally:
            try:
                await asyncio.Event().wait()
            finally:
                hung.append(True)

    async with site() as (client, _):
        results = fetch(items(), client=client)
        await anext(results)
        closing = asyncio.create_task(results.aclose())
        await settle()
        assert not closing.done()
        closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled()
        assert (hung, left()) == ([True], [])


# -- cancelled anywhere


async def slow_items(done: list[str]) -> AsyncIterator[str]:
    """Items that take a turn each, and so does the end."""
    try:
        for path in numbered(6):
            await asyncio.sleep(0)
            yield path
    finally:
        await asyncio.sleep(0)
        done.append("closed")


async def use(client: AsyncHTTPClient, items: Any, ordered: bool) -> None:
    async with fetch(items, client=client, concurrency=2, buffer=1, ordered=ordered) as results:
        async for result in results:
            assert result.ok
            await asyncio.sleep(0)


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("asynchronous", [False, True])
async def test_cancelled_anywhere(moment: Moment, ordered: bool, asynchronous: bool) -> None:
    """Cancelled at any await, a fetch leaves nothing: no task, no request, no input that is open, in the same step."""
    done: list[str] = []
    async with site() as (client, _):

        def make() -> Any:
            return use(client, slow_items(done) if asynchronous else numbered(6), ordered)

        def ended(ending: Ending) -> None:
            stats = client.pool.stats()
            assert (left(), stats.busy, stats.connecting, stats.waiting) == ([], 0, 0, 0), ending

        async def after(ending: Ending) -> None:
            assert (await client.get("/again")).text == "/again"

        waits = await sweep(moment, make, ended=ended, after=after)
        assert waits > 6
        assert len(done) <= waits + 1


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_abandoned_anywhere(asynchronous: bool) -> None:
    """Whoever iterates and is dropped at any await leaves nothing behind a few turns later."""
    done: list[str] = []

    async def work(client: AsyncHTTPClient) -> None:
        items = slow_items(done) if asynchronous else numbered(6)
        async for result in fetch(items, client=client, concurrency=2, buffer=1):
            assert result.ok
            await asyncio.sleep(0)

    async with site() as (client, _):
        for number in range(1, MOST):
            abandoned = await abandoned_at(number, work(client))
            await settle()
            assert (left(), client.pool.stats().busy) == ([], 0)
            if not abandoned:
                break
        assert number > 6


async def test_own_client_is_closed_whatever_happens() -> None:
    """A client of the fetch's own is closed also when the fetch is left early, cancelled, or its input raises."""
    async with LoopbackServer() as server:
        server.add("GET", "/{path}", "yes")

        def items() -> Iterator[str]:
            return (f"{server.url}{path}" for path in numbered(6))

        async with fetch(items(), concurrency=2) as results:
            await anext(results)
        consumer = asyncio.create_task(all_of(fetch(items(), concurrency=2)))
        await settle()
        consumer.cancel()
        await asyncio.wait([consumer])
        await until_error(fetch(itertools.chain(items(), failing(0, Broken())), concurrency=2), Broken)


# -- sharing the loop


async def test_others_get_their_turn() -> None:
    """A fetch of which no request ever waits still lets others run, as often as its window is full."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with site() as (client, _):
        counting = asyncio.create_task(count())
        results = await all_of(fetch(["http://["] * 1000, client=client, concurrency=5, buffer=5))
        counting.cancel()
        assert len(results) == 1000
        assert turns >= 100


async def test_context_of_requests() -> None:
    """Requests see the variables of the context in which the first result was asked for, and keep theirs apart."""
    seen = []

    async def watch(request: Request, call_next: Callable[[Request], Awaitable[ResponseStream]]) -> ResponseStream:
        seen.append(mark.get())
        return await call_next(request)

    async with site(middlewares=[watch]) as (client, _):
        mark.set("the consumer's")
        await all_of(fetch(numbered(3), client=client, concurrency=2))
    assert seen == ["the consumer's"] * 3
