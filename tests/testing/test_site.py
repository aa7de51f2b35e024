"""The end of an interceptor, which may come at any time, in any loop and any thread."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    ConnectionPool,
    PoolClosed,
    PoolLimits,
)
from aiohttpclient.testing import (
    PASS,
    InterceptedRequest,
    LoopbackServer,
    Stall,
    virtual_time,
)
from aiohttpclient.testing._signals import SIGNALS
from tests.net.streams import turns
from tests.testing.intercepting import URL_TEXT, WAYS, Answers, every_way, nobody_is_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.testing.intercepting import Ask


@every_way
@pytest.mark.parametrize("waits", [True, False], ids=["async", "sync"])
async def test_stop_under_way(ask: Ask, waits: bool) -> None:
    """A request that is under way when the interceptor is stopped fails and says so, and is not sent for real."""
    entered = asyncio.Event()

    async def forever(request: InterceptedRequest) -> None:
        entered.set()
        await asyncio.Event().wait()

    async with LoopbackServer() as server:
        interceptor = Answers(forever)
        if waits:
            async with interceptor:
                task = asyncio.ensure_future(ask(server.url + "/"))
                await entered.wait()
        else:
            with interceptor:
                task = asyncio.ensure_future(ask(server.url + "/"))
                await entered.wait()
        with pytest.raises(ConnectionAbortedError, match="Answers was stopped"):
            await task
        await nobody_is_left()
        assert not server.requests


async def test_stop_while_others_wait() -> None:
    """So do those who wait for a connection."""
    async with AsyncHTTPClient(limits=PoolLimits(connections=1)) as client:
        async with Answers(Stall()):
            tasks = [asyncio.create_task(client.get(URL_TEXT)) for _ in range(3)]
            await turns(10)
        for task in tasks:
            with pytest.raises(ConnectionAbortedError, match="Answers was stopped"):
                await task


async def test_stop_in_a_body() -> None:
    """So does an answer that is being read."""

    async def body() -> AsyncIterator[bytes]:
        yield b"begun"
        await asyncio.Event().wait()

    interceptor = Answers(lambda _: body())
    interceptor.start()
    async with AsyncHTTPClient() as client, client.stream("GET", URL_TEXT) as stream:
        blocks = stream.iter_bytes()
        assert await anext(blocks) == b"begun"
        interceptor.stop()
        with pytest.raises(ConnectionAbortedError, match="Answers was stopped"):
            await anext(blocks)


async def test_stop_from_within() -> None:
    """``respond`` may stop its interceptor; the request has failed then, and it is cancelled where it waits next."""
    done = asyncio.Event()

    async def answer(request: InterceptedRequest) -> bytes:
        interceptor.stop()
        try:
            await turns()
        finally:
            done.set()
        return b"too late"

    interceptor = Answers(answer)
    interceptor.start()
    async with AsyncHTTPClient() as client:
        with pytest.raises(ConnectionAbortedError, match="Answers was stopped"):
            await client.get(URL_TEXT)
        await done.wait()
        await nobody_is_left()


async def test_stop_in_any_order() -> None:
    """Interceptors may be stopped in any order; a request that passes one that was stopped goes on."""
    entered, go_on = asyncio.Event(), asyncio.Event()

    async def passing(request: InterceptedRequest) -> Any:
        entered.set()
        await go_on.wait()
        return PASS

    bottom, middle, top = Answers(b"bottom"), Answers(b"middle"), Answers(passing)
    for each in (bottom, middle, top):
        each.start()
    async with AsyncHTTPClient() as client:
        task = asyncio.create_task(client.get(URL_TEXT))
        await entered.wait()
        middle.stop()
        go_on.set()
        assert (await task).content == b"bottom"
        bottom.stop()
        top.stop()


async def test_a_lease_after_the_end() -> None:
    """A lease of the time before is over."""
    interceptor = Answers()
    async with ConnectionPool() as pool:
        interceptor.start()
        lease = pool.connection(URL_TEXT)
        conn = await lease.__aenter__()
        interceptor.stop()
        with pytest.raises((ConnectionAbortedError, PoolClosed)):
            await conn.request("GET", "/")
            await conn.getresponse()
        await lease.__aexit__(None, None, None)


def test_many_loops() -> None:
    """One interceptor serves one loop after the other; what belongs to a loop that is over does not matter."""
    interceptor = Answers()
    client = None
    with interceptor:
        for _ in range(2):
            assert asyncio.run(WAYS["client"](URL_TEXT)) == b"ok"
        loop = asyncio.new_event_loop()
        client = AsyncHTTPClient()
        loop.run_until_complete(client.get(URL_TEXT))
        loop.run_until_complete(client.close())
        pool = ConnectionPool()
        pool.warns = False
        loop.run_until_complete(pool.request("GET", URL_TEXT))
        other = asyncio.new_event_loop()
        with pytest.raises(RuntimeError, match="another event loop"):
            other.run_until_complete(pool.request("GET", URL_TEXT))
        other.close()
        loop.close()
    assert len(interceptor.requests) == 4


def test_stop_without_a_loop() -> None:
    """``stop`` works where no loop runs, with connections of a loop that may run again."""
    with asyncio.Runner() as runner:
        interceptor = Answers(lambda request: Stall() if request.path == "/stall" else b"ok")
        interceptor.start()
        client = AsyncHTTPClient()
        runner.run(client.get(URL_TEXT))

        async def begin() -> asyncio.Task[Any]:
            task = asyncio.create_task(client.get("http://example.org/stall"))
            await turns(10)
            return task

        task = runner.run(begin())
        interceptor.stop()

        async def end() -> None:
            with pytest.raises(ConnectionAbortedError, match="Answers was stopped"):
                await task
            await client.close()
            await nobody_is_left()

        runner.run(end())


def test_threads() -> None:
    """Threads with loops of their own are intercepted, and ended from another thread."""
    entered = threading.Barrier(4)
    errors: list[Exception] = []

    async def forever(request: InterceptedRequest) -> None:
        await asyncio.to_thread(entered.wait, 30)
        await asyncio.Event().wait()

    def work() -> None:
        assert asyncio.run(WAYS["client"]("http://example.org/quick")) == b"quick"
        try:
            asyncio.run(WAYS["client"](URL_TEXT))
        except ConnectionAbortedError as error:
            errors.append(error)

    with Answers(lambda request: b"quick" if request.path == "/quick" else forever(request)):
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        entered.wait(30)
    for thread in threads:
        thread.join()
    assert len(errors) == 3


async def test_pools_are_not_kept_alive() -> None:
    """A pool that nobody has any more is gone, and its twin with it."""
    async with Answers() as interceptor:
        pool = ConnectionPool()
        pool.warns = False
        await (await pool.request("GET", URL_TEXT)).read()
        found = weakref.ref(pool)
        assert interceptor._site is not None
        twin = weakref.ref(interceptor._site.twin_of(pool))
        del pool
        gc.collect()
        gc.collect()  # of the twin, which had to be let go of first
        assert found() is twin() is None
        await turns()


async def test_a_stubborn_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not end when it is cancelled is reported, and not waited for forever."""
    monkeypatch.setattr("aiohttpclient.testing._site.STUBBORN", 1)
    stop = asyncio.Event()

    async def stubborn(request: InterceptedRequest) -> None:
        while not stop.is_set():
            try:
                await stop.wait()
            except asyncio.CancelledError:
                continue

    with virtual_time() as clock:
        interceptor = Answers(stubborn)
        await interceptor.__aenter__()
        async with AsyncHTTPClient() as client:
            task = asyncio.create_task(client.get(URL_TEXT))
            await clock.settle()
            with pytest.raises(RuntimeError, match="does not end"):
                await clock.until(interceptor.__aexit__(None, None, None))
            stop.set()
            with pytest.raises(ConnectionAbortedError):
                await task
            await nobody_is_left()
            assert not SIGNALS._sent  # what it returns in the end is an error that nobody hears of


def test_a_loop_that_was_closed_in_the_middle(caplog: pytest.LogCaptureFixture) -> None:
    """What a loop has left that was closed in the middle of a request is let go of; asyncio alone says so."""

    async def begin(pool: ConnectionPool) -> asyncio.Task[Any]:
        task = asyncio.create_task(pool.request("GET", URL_TEXT))
        await turns(10)
        return task

    async def forever(request: InterceptedRequest) -> None:
        await asyncio.Event().wait()

    interceptor = Answers(forever)
    interceptor.start()
    pool = ConnectionPool()
    pool.warns = False
    loop = asyncio.new_event_loop()
    task = loop.run_until_complete(begin(pool))
    loop.close()
    interceptor.stop()
    assert not task.done()
    del task, pool, interceptor
    gc.collect()
    assert {record.message.partition("!")[0] for record in caplog.records if record.levelname == "ERROR"} <= {
        "Task was destroyed but it is pending"
    }
