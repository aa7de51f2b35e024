"""``connection/_opening.py``: the same as ``asyncio.timeout``."""

from __future__ import annotations

import asyncio

import pytest

from aiohttpclient import ConnectTimeout, TotalTimeout
from aiohttpclient.connection._opening import Opening
from aiohttpclient.net import alarms_of
from tests.net.streams import turns


async def bounded(opening: Opening, ended: list[tuple[type[BaseException] | None, bool]]) -> None:
    """Wait for ever within ``opening``, and note how that ended, and whether it is said to be its doing."""
    error: BaseException | None = None
    try:
        await asyncio.get_running_loop().create_future()
    except asyncio.CancelledError as cancelled:
        error = cancelled
        raise
    finally:
        mine = opening.over(error)
        ended.append((None if error is None else type(error), mine))


async def test_time_is_up() -> None:
    """At the deadline the task is cancelled, and the opening says that it has done that."""
    ended: list[tuple[type[BaseException] | None, bool]] = []
    made: list[Opening] = []

    async def work() -> None:
        made.append(Opening(asyncio.get_running_loop(), 0.0))
        await bounded(made[0], ended)

    task = asyncio.create_task(work())
    await asyncio.wait([task])
    [opening] = made
    assert opening.deadline is not None
    assert opening.deadline <= asyncio.get_running_loop().time()
    assert opening.expired
    assert ended == [(asyncio.CancelledError, True)]
    assert task.cancelling() == 0


async def test_alarm_that_rings_early() -> None:
    """With an alarm that somebody else had no more use for, the deadline is the same, though that rings before it."""
    loop = asyncio.get_running_loop()
    alarms = alarms_of(loop)
    kept = alarms.set(loop.time() + 3600, turns)
    alarms.set(loop.time() + 0.001, turns).release()
    ended: list[tuple[type[BaseException] | None, bool]] = []
    made: list[Opening] = []

    async def work() -> None:
        made.append(Opening(loop, 0.05))
        await bounded(made[0], ended)

    started = loop.time()
    await asyncio.wait([asyncio.create_task(work())])
    assert loop.time() - started >= 0.05
    assert made[0].expired
    assert ended == [(asyncio.CancelledError, True)]
    assert alarms.wanted == 1
    kept.cancel()


async def test_nothing_happens_afterwards() -> None:
    """What is over in time cancels nothing, neither by itself nor when it is told to."""
    opening = Opening(asyncio.get_running_loop(), 0.0)
    assert not opening.over()
    opening.expire()
    await turns(3)
    assert not opening.expired


async def test_without_a_bound() -> None:
    """Without seconds there is no deadline; it may be told all the same."""
    ended: list[tuple[type[BaseException] | None, bool]] = []
    made: list[Opening] = []

    async def work() -> None:
        made.append(Opening(asyncio.get_running_loop(), None))
        await bounded(made[0], ended)

    task = asyncio.create_task(work())
    await turns(2)
    assert made[0].deadline is None
    made[0].expire()
    made[0].expire()
    await asyncio.wait([task])
    assert ended == [(asyncio.CancelledError, True)]
    assert task.cancelling() == 0


async def test_cancelled_by_another() -> None:
    """A cancellation by somebody else is not its own, not even when both come in one turn."""
    for both in (False, True):
        ended: list[tuple[type[BaseException] | None, bool]] = []
        made: list[Opening] = []

        async def work(
            made: list[Opening] = made, ended: list[tuple[type[BaseException] | None, bool]] = ended
        ) -> None:
            made.append(Opening(asyncio.get_running_loop(), None))
            await bounded(made[0], ended)

        task = asyncio.create_task(work())
        await turns(2)
        if both:
            made[0].expire()
        task.cancel()
        await asyncio.wait([task])
        assert ended == [(asyncio.CancelledError, False)]
        assert task.cancelling() == 1


async def test_another_error() -> None:
    """Another error that ends it after the deadline is not taken for the cancellation, which is taken back."""
    opening = Opening(asyncio.get_running_loop(), None)
    opening.expire()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.sleep(0)
    assert not opening.over(ConnectionResetError())
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


def test_without_a_task() -> None:
    """Where there is no task there is nothing that could be cancelled."""
    loop = asyncio.new_event_loop()
    try:
        with pytest.raises(RuntimeError, match="in a task"):
            Opening(loop, 1.0)
    finally:
        loop.close()


async def test_the_bound_that_ends_first_is_named() -> None:
    """An exchange that must be over sooner bounds its opening; the error says which bound it was, and its limit."""
    loop = asyncio.get_running_loop()
    now = loop.time()
    for seconds, ends, error, limit in (
        (5.0, None, ConnectTimeout, 5.0),
        (5.0, now + 60, ConnectTimeout, 5.0),
        (5.0, now + 1, TotalTimeout, 10.0),
        (None, now + 1, TotalTimeout, 10.0),
        (5.0, now - 1, TotalTimeout, 10.0),
    ):
        opening = Opening(loop, seconds, ends, 10.0)
        opening.over()
        said = opening.timeout("http://example.org")
        assert type(said) is error
        assert (said.limit, said.method, said.url) == (limit, "CONNECT", "http://example.org")
