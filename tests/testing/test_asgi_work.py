"""What still runs when a transport closes."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPClient, ReadTimeout, Timeout
from aiohttpclient.testing import ASGITransport, virtual_time
from aiohttpclient.testing._asgi_work import ABANDONED, STUBBORN
from tests.net.streams import turns, until
from tests.support.leaks import other_tasks
from tests.testing.calling import GET, OK, end, respond, start, talking

if TYPE_CHECKING:
    from tests.testing.calling import Receive, Scope, Send

URL = "http://a.test/"


async def test_work_behind_an_answer() -> None:
    """The client does not wait for what the application does behind its answer; the end of the block does."""
    done: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send)
        await asyncio.sleep(4)
        done.append("work")

    with virtual_time() as clock:
        async with contextlib.AsyncExitStack() as stack:
            transport = await stack.enter_async_context(ASGITransport(app, lifespan="off"))
            client = await stack.enter_async_context(AsyncHTTPClient(transport=transport))
            assert (await client.get(URL)).content == b"ok"
            assert (await client.get(URL)).timings.reused
            assert not done
            await clock.until(stack.aclose())
    assert done == ["work"] * 2


@pytest.mark.parametrize("answered", [False, True])
async def test_work_that_takes_too_long(answered: bool) -> None:
    """What runs on is cancelled after ``shutdown_timeout`` seconds, and that is a failure."""
    cancelled: list[bool] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if answered:
                await respond(send)
            await asyncio.Event().wait()
        finally:
            cancelled.append(True)

    with virtual_time() as clock:
        begun = clock.time()
        with pytest.raises(TimeoutError, match=r"GET /> still ran 7 s after the transport was closed") as caught:
            async with talking(app, shutdown_timeout=7) as talk:
                talk.send(GET)
                await turns()
                await clock.until(talk.transport.close())
        assert clock.time() - begun == pytest.approx(7)
        assert cancelled
        assert other_tasks() == set()
    assert "__notes__" not in vars(caught.value)


async def test_work_for_nobody() -> None:
    """A request whose client has left before it was answered is not waited for, and that it runs is no failure."""
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("slow")

    with virtual_time() as clock:
        async with ASGITransport(app, lifespan="off", shutdown_timeout=100) as transport:
            async with AsyncHTTPClient(transport=transport, timeout=Timeout(read=3), retries=None) as client:
                with pytest.raises(ReadTimeout):
                    await clock.until(client.get(URL))
            assert not ended
            before = clock.time()
            await clock.until(transport.close())
            assert clock.time() - before == pytest.approx(ABANDONED)
    assert ended == ["slow"]


async def test_work_that_tidies_up() -> None:
    """Who notices that the client has gone may tidy up in peace, as long as that takes less."""
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()
        await asyncio.sleep(ABANDONED / 2)
        ended.append("tidy")

    with virtual_time() as clock:
        async with talking(app) as talk:
            talk.send(GET)
            await turns()
            talk.end.close()
            await clock.until(talk.transport.close())
    assert ended == ["tidy"]


async def test_work_that_cannot_be_cancelled() -> None:
    """A call that does not end when it is cancelled is reported in the end."""
    go = asyncio.Event()
    cancelled = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal cancelled
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                cancelled += 1

    with virtual_time() as clock:
        async with talking(app, shutdown_timeout=0) as talk:
            talk.send(GET)
            await turns()
            with pytest.raises(BaseExceptionGroup) as caught:
                await clock.until(talk.transport.close())
            go.set()
            await until(lambda: not other_tasks())
    kinds = [type(error) for error in caught.value.exceptions]
    assert kinds == [TimeoutError, RuntimeError]
    assert "does not end when it is cancelled" in str(caught.value.exceptions[1])
    assert cancelled >= STUBBORN


async def test_work_that_closes() -> None:
    """An application that closes its own transport does not wait for itself."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send)
        await transport.close()
        await end(send, b"closed")

    async with ASGITransport(app, lifespan="off") as transport:
        client = AsyncHTTPClient(transport=transport, retries=None)
        with contextlib.suppress(Exception):
            await client.get(URL)
        await client.close()
        assert transport.connections == 0


async def test_what_a_cancelled_call_raises() -> None:
    """What a call raises instead of its cancellation is a failure as any other."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send)
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("while it tidied up")

    with virtual_time() as clock:
        async with talking(app, shutdown_timeout=0) as talk:
            talk.send(GET)
            await talk.until(OK)
            with pytest.raises(BaseExceptionGroup) as caught:
                await clock.until(talk.transport.close())
    assert {type(error) for error in caught.value.exceptions} == {TimeoutError, ValueError}
