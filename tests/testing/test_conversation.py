"""What an interceptor answers and raises, as the caller sees it, and what becomes of it when the caller leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    ConnectionPool,
    IncompleteRead,
    ReadTimeout,
    RemoteDisconnected,
    Timeout,
)
from aiohttpclient.testing import (
    BadRequest,
    CutBody,
    Delay,
    Exchange,
    Fault,
    InterceptedRequest,
    Reset,
    ServerResponse,
    Stall,
    virtual_time,
)
from tests.net.stepping import Moment, sweep
from tests.net.streams import turns, until
from tests.support.leaks import other_tasks
from tests.testing.intercepting import URL_TEXT, Answers, Boom, every_way, nobody_is_left

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.testing.intercepting import Ask


async def test_faults() -> None:
    """A fault does to the connection in memory what it does to that of a server."""
    faults: dict[Any, type[Exception]] = {
        Reset(b"x" * 10, after=0): RemoteDisconnected,
        CutBody(b"0123", after=2): IncompleteRead,
        Stall(b"0123"): ReadTimeout,
    }
    for fault, error in faults.items():
        async with Answers(fault), AsyncHTTPClient(retries=None, timeout=Timeout(read=0.02)) as client:
            with pytest.raises(error):
                await client.get(URL_TEXT)


async def test_an_awaited_fault() -> None:
    """A fault may be awaited, as in a handler of a server."""

    async def answer(request: InterceptedRequest) -> None:
        await Delay({"late": True}, 0)

    async with Answers(answer), AsyncHTTPClient() as client:
        assert (await client.get(URL_TEXT)).json() == {"late": True}


async def test_upgrade() -> None:
    """A fault that switches protocols is seen by the holder of a lease, who gets the stream."""

    class Switch(Fault):
        async def play(self, exchange: Exchange) -> None:
            await exchange.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nhello")
            await exchange.wait_gone()

    async with Answers(Switch()), ConnectionPool() as pool:
        async with pool.connection(URL_TEXT) as conn:
            await conn.request("GET", "/", headers={"Upgrade": "x", "Connection": "Upgrade"})
            assert (await conn.getresponse()).status == 101
            reader, writer = conn.detach()
        assert await reader.readexactly(5) == b"hello"
        writer.write(b"anything")
        writer.close()
        await writer.wait_closed()
        await nobody_is_left()


@every_way
async def test_what_it_raises(ask: Ask) -> None:
    """What ``respond`` raises is raised at the caller: the very object."""
    error = Boom("here")

    def answer(request: InterceptedRequest) -> None:
        raise error

    async with Answers(answer):
        for _ in range(2):
            with pytest.raises(Boom) as caught:
                await ask(URL_TEXT)
            assert caught.value is error


@pytest.mark.parametrize(
    "kind", [asyncio.CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit, pytest.fail.Exception]
)
async def test_what_else_it_raises(kind: type[BaseException]) -> None:
    """So is what is no Exception."""

    def answer(request: InterceptedRequest) -> None:
        raise kind

    async with Answers(answer), AsyncHTTPClient() as client:
        with pytest.raises(kind):
            await client.get(URL_TEXT)
        assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # there is one


@every_way
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
async def test_what_a_body_raises(ask: Ask, kind: type[BaseException]) -> None:
    """What would end the loop, or a task without a word, is raised where the body is read, and ends neither."""
    error = kind()

    async def body() -> AsyncIterator[bytes]:
        yield b"x"
        raise error

    async with Answers(lambda _: ServerResponse(200, body())):
        with pytest.raises(kind) as caught:
            await ask(URL_TEXT)
        assert caught.value is error
    await nobody_is_left()


@every_way
async def test_what_answers_is_cancelled(ask: Ask) -> None:
    """Where the task that answers is cancelled, and not by who asks, who asks gets the ``CancelledError``."""

    async def answer(request: InterceptedRequest) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(1)

    async with Answers(answer):
        with pytest.raises(asyncio.CancelledError):
            await ask(URL_TEXT)
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # there is one
    await nobody_is_left()


async def test_a_connection_survives() -> None:
    """A connection is as good as before when something was raised, or passed."""
    answers = [b"one", Boom(), b"two"]

    def answer(request: InterceptedRequest) -> Any:
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    async with Answers(answer) as interceptor, AsyncHTTPClient() as client:
        await client.get(URL_TEXT)
        with pytest.raises(Boom):
            await client.get(URL_TEXT)
        assert (await client.get(URL_TEXT)).content == b"two"
        assert len({request.connection for request in interceptor.requests}) == 1


@pytest.mark.parametrize("answer", [None, 3, object()], ids=["None", "int", "object"])
async def test_what_is_no_answer(answer: Any) -> None:
    """What cannot be sent is a TypeError at the caller."""
    async with Answers(answer), AsyncHTTPClient() as client:
        with pytest.raises(TypeError, match="not an answer"):
            await client.get(URL_TEXT)


async def test_bad_requests() -> None:
    """A request that breaks RFC 9112 fails at the caller, and says why; its connection ends, and another is opened."""
    async with Answers() as interceptor, AsyncHTTPConnection("example.org") as conn:
        conn.putrequest("GET", "/", skip_host=True)
        await conn.endheaders()
        with pytest.raises(BadRequest, match="0 Host fields"):
            await conn.getresponse()
        await conn.request("GET", "/")
        assert await (await conn.getresponse()).read() == b"ok"
        assert len(interceptor.requests) == 1


async def test_a_bad_body() -> None:
    """So does one whose body breaks the rules, while it is sent."""
    fields = {"Transfer-Encoding": "chunked"}
    async with Answers() as interceptor, AsyncHTTPConnection("example.org") as conn:
        conn.putrequest("POST", "/")
        conn.putheader("Transfer-Encoding", "chunked")
        await conn.endheaders()
        await conn.send(b"not a chunk\r\n")
        with pytest.raises(BadRequest, match="chunk"):
            await conn.getresponse()
        assert not interceptor.requests
        await conn.request("POST", "/", b"fine", fields, encode_chunked=True)
        assert await (await conn.getresponse()).read() == b"ok"


async def test_a_generator_that_raises() -> None:
    """What an answer's generator raises in the middle is what reading the answer raises, after what was sent."""
    error = Boom()

    async def body() -> AsyncIterator[bytes]:
        yield b"begun"
        raise error

    async with Answers(lambda _: body()), AsyncHTTPClient(retries=None) as client:
        async with client.stream("GET", URL_TEXT) as stream:
            blocks = stream.iter_bytes()
            assert await anext(blocks) == b"begun"
            with pytest.raises(Boom) as caught:
                await anext(blocks)
        assert caught.value is error
        await nobody_is_left()


async def test_a_generator_that_nobody_reads() -> None:
    """The generator of an answer is closed when the client leaves before its end."""
    closed = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 50_000
        finally:
            await asyncio.sleep(0)
            closed.set()

    async with Answers(lambda _: body()), AsyncHTTPClient() as client:
        async with client.stream("GET", URL_TEXT) as stream:
            async for _ in stream.iter_bytes():
                break
        await closed.wait()
        await nobody_is_left()


@every_way
async def test_the_caller_leaves(ask: Ask) -> None:
    """``respond`` is cancelled when its caller gives up."""
    entered, left = asyncio.Event(), asyncio.Event()

    async def forever(request: InterceptedRequest) -> None:
        entered.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    async with Answers(forever):
        task = asyncio.ensure_future(ask(URL_TEXT))
        await entered.wait()
        task.cancel()
        await asyncio.wait([task])
        await left.wait()
        await nobody_is_left()


async def test_a_timeout() -> None:
    """The bounds of a request hold while ``respond`` waits, in virtual time too, and end it."""
    left = asyncio.Event()

    async def forever(request: InterceptedRequest) -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            left.set()

    with virtual_time() as clock:
        async with Answers(forever), AsyncHTTPClient(retries=None) as client:
            with pytest.raises(ReadTimeout) as caught:
                await clock.until(client.get(URL_TEXT, timeout=Timeout(read=5)))
            assert caught.value.elapsed == pytest.approx(5)
            await until(left.is_set)


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.name)
@every_way
async def test_cancelled_anywhere(moment: Moment, ask: Ask) -> None:
    """Cancelled at any await, a request leaves nothing, and the next one is answered."""

    async def answer(request: InterceptedRequest) -> bytes:
        await asyncio.sleep(0)
        return b"ok"

    async with Answers(answer):

        async def work() -> None:
            assert await ask(URL_TEXT) == b"ok"

        async def after(_: object) -> None:
            await turns(8)
            assert other_tasks() <= {asyncio.current_task()}

        assert await sweep(moment, work, after=after) >= 2
        assert await ask(URL_TEXT) == b"ok"
