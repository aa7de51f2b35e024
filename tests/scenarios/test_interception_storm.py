"""Many requests at once, by callers who leave at any time, to interceptors that answer, raise, pass, cut and hang."""

from __future__ import annotations

import asyncio
import gc
import random
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, AsyncHTTPConnection, HTTPException, PoolLimits
from aiohttpclient.testing import PASS, CutBody, Interceptor, LoopbackServer, Reset, ServerResponse
from aiohttpclient.testing._conversation import Conversation
from aiohttpclient.testing._signals import SIGNALS
from tests.net.streams import turns
from tests.support.leaks import other_tasks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttpclient.testing import InterceptedRequest

ROUNDS = 4
AT_ONCE = 32


class Boom(Exception):
    """What interceptors raise."""


class Moody(Interceptor):
    """Answers in whatever way comes to its mind; counts who waits for its answer."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.waiting = 0

    async def respond(self, request: InterceptedRequest) -> Any:
        self.waiting += 1
        try:
            await turns(self.rng.randrange(4))
            return await self.answer(request, self.rng.randrange(10))
        finally:
            self.waiting -= 1

    async def answer(self, request: InterceptedRequest, mood: int) -> Any:
        rng = self.rng
        if mood == 0:
            raise Boom
        if mood == 1:
            await asyncio.Event().wait()
        simple = {
            2: PASS,
            3: Reset(b"x" * 50, after=rng.randrange(50)),
            4: CutBody(b"0123456789", after=rng.randrange(10)),
            5: self.body(),
            6: ServerResponse(200, b"last", {"Connection": "close"}),
        }
        return await request.send_on() if mood == 7 else simple.get(mood, b"x" * rng.randrange(200_000))

    async def body(self) -> AsyncIterator[bytes]:
        for _ in range(self.rng.randrange(20)):
            yield b"y" * self.rng.randrange(1, 30_000)
            if self.rng.random() < 0.05:
                raise Boom


async def pieces(rng: random.Random) -> AsyncIterator[bytes]:
    for _ in range(rng.randrange(10)):
        yield b"p" * rng.randrange(1, 20_000)
        await asyncio.sleep(0)


async def asks(client: AsyncHTTPClient, server: LoopbackServer, rng: random.Random) -> None:
    """Ask in one of many ways, and read the answer, or some of it."""
    way = rng.randrange(5)
    if way == 0:
        await client.get(server.url)
    elif way == 1:
        await client.post(server.url, content=pieces(rng))
    elif way == 2:
        async with client.stream("GET", server.url) as stream:
            async for _ in stream.iter_bytes():
                if rng.random() < 0.3:
                    break
    elif way == 3:
        async with client.pool.connection(server.url) as conn:
            await asks_twice(conn, b"a" * rng.randrange(100_000))
    else:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await asks_twice(conn, b"b")


async def asks_twice(conn: AsyncHTTPConnection, body: bytes) -> None:
    for _ in range(2):
        await conn.request("POST", "/", body)
        await (await conn.getresponse()).read()


async def storm(server: LoopbackServer, rng: random.Random) -> None:
    """One round: ask, cancel some, stop in the middle."""
    below, above = Moody(rng), Moody(rng)
    async with AsyncHTTPClient(limits=PoolLimits(connections=5), retries=None) as client:
        async with below, above:
            tasks = [asyncio.create_task(asks(client, server, rng)) for _ in range(AT_ONCE)]
            for _ in range(rng.randrange(200)):
                await asyncio.sleep(0)
                if rng.random() < 0.1:
                    rng.choice(tasks).cancel()
            if rng.random() < 0.3:
                below.stop()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            fine = Boom, ConnectionError, HTTPException, asyncio.CancelledError
            if isinstance(ended, BaseException) and not isinstance(ended, fine):
                raise ended
    assert below.waiting == above.waiting == 0


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_left(seed: int) -> None:
    """Whatever is answered, and whoever leaves when: no task, connection or signal is left, and all callers end."""
    rng = random.Random(seed)
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"real")
        for _ in range(ROUNDS):
            before = other_tasks()
            await storm(server, rng)
            await turns(20)
            assert {task for task in other_tasks() - before if "LoopbackServer" not in task.get_name()} == set()
            assert not SIGNALS._sent
        server.failures.clear()
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, Conversation)]
