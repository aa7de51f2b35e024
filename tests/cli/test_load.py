"""Loads."""

from __future__ import annotations

import asyncio

import pytest

from aiohttpclient.cli._load import Load
from aiohttpclient.client import Request, Response, ResponseStream


async def answer(status: int = 200, content: bytes = b"four") -> Response:
    return await ResponseStream.made(Request("GET", "http://h/"), status, (), content).complete()


async def test_so_many() -> None:
    """Exactly as many requests are sent as were asked for, and never more at once."""
    running, most = 0, 0

    async def ask() -> Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return await answer()

    tally = await Load(ask, 50, 7, 60).run()
    assert (tally.latencies.count, tally.statuses, tally.bytes, most) == (50, {200: 50}, 200, 7)
    assert (tally.failed, tally.unfinished) == (0, 0)
    assert tally.elapsed > 0


async def test_errors_are_counted() -> None:
    """A request that fails is counted by its class, and has no latency."""
    turns = iter(range(10))

    async def ask() -> Response:
        if next(turns) % 2:
            raise ConnectionResetError
        return await answer(503)

    tally = await Load(ask, 10, 1, 60).run()
    assert (tally.errors, tally.statuses) == ({"ConnectionResetError": 5}, {503: 5})
    assert tally.latencies.count == 5


async def test_the_time_is_over() -> None:
    """When the time is over, requests under way are given up, and counted as such."""

    async def ask() -> Response:
        await asyncio.get_running_loop().create_future()
        raise AssertionError

    tally = await Load(ask, 1000, 3, 0.01).run()
    assert (tally.unfinished, tally.latencies.count) == (3, 0)
    assert tally.elapsed >= 0.01


async def test_cancelled() -> None:
    """A load that is cancelled leaves nothing behind, and what it has counted."""
    begun = asyncio.Event()

    async def ask() -> Response:
        if begun.is_set():
            await asyncio.get_running_loop().create_future()
        begun.set()
        return await answer()

    load = Load(ask, 1000, 2, 60)
    task = asyncio.ensure_future(load.run())
    await begun.wait()
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (load.tally.latencies.count, load.tally.unfinished) == (1, 2)
