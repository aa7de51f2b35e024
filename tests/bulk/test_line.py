"""``bulk/_line.py``: who waits is woken in turn, and no wake-up is lost."""

from __future__ import annotations

import asyncio

import pytest

from aiohttpclient.bulk._line import Line
from tests.net.streams import turns


async def test_in_turn() -> None:
    """Those who wait are woken in the order in which they came, one by one, or all at once."""
    line, woken = Line(), []

    async def wait(number: int) -> None:
        await line.wait()
        woken.append(number)

    tasks = [asyncio.create_task(wait(number)) for number in range(4)]
    await turns(1)
    assert len(line) == 4
    line.wake()
    await turns(2)
    assert woken == [0]
    line.wake()
    await turns(2)
    assert woken == [0, 1]
    line.wake_all()
    await asyncio.wait(tasks)
    assert woken == [0, 1, 2, 3]
    assert len(line) == 0


async def test_nobody_waits() -> None:
    """To wake where nobody waits does nothing, and is not remembered."""
    line = Line()
    line.wake()
    line.wake_all()
    task = asyncio.create_task(line.wait())
    await turns(3)
    assert not task.done()
    line.wake()
    await task


async def test_cancelled_while_waiting() -> None:
    """Who is cancelled leaves the line, and nobody is woken for that."""
    line = Line()
    first, second = (asyncio.create_task(line.wait()) for _ in range(2))
    await turns(1)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert len(line) == 1
    assert not second.done()
    line.wake()
    await second


async def test_cancelled_when_woken() -> None:
    """Who is cancelled in the tick in which he is woken wakes the next."""
    line = Line()
    first, second = (asyncio.create_task(line.wait()) for _ in range(2))
    await turns(1)
    line.wake()
    first.cancel()
    await asyncio.wait([first, second])
    assert first.cancelled()
    assert not second.cancelled()


async def test_all_woken_and_one_cancelled() -> None:
    """When all are woken, one that is cancelled takes nothing from the others, even if that was in the same tick."""
    line = Line()
    tasks = [asyncio.create_task(line.wait()) for _ in range(3)]
    await turns(1)
    tasks[1].cancel()
    line.wake_all()
    await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [False, True, False]
