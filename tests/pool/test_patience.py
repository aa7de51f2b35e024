"""One timer for all who wait: who is woken, when, and what is left behind."""

from __future__ import annotations

import asyncio
from functools import partial

from aiohttpclient.pool._book import Page, Waiter
from aiohttpclient.pool._patience import Patience, wake


def waiter() -> Waiter:
    one = Waiter(Page("origin"))
    one.future = asyncio.get_running_loop().create_future()
    return one


def handles() -> int:
    """Timers of the stock loop that are not cancelled."""
    loop = asyncio.get_running_loop()
    return sum(not handle.cancelled() for handle in getattr(loop, "_scheduled", ()))


async def test_woken_in_order() -> None:
    """Whoever has waited long enough is woken, the first first, and not before its time."""
    loop = asyncio.get_running_loop()
    patience = Patience(loop)
    waiters = [waiter() for _ in range(3)]
    now = loop.time()
    woken: list[tuple[int, float]] = []

    def note(number: int, _: object) -> None:
        woken.append((number, loop.time()))

    for number, one in enumerate(waiters):
        one.future.add_done_callback(partial(note, number))
        assert patience.add(one, now + 0.01 * (number + 1), 3) is None
    for one in waiters:
        await one.future
    await asyncio.sleep(0)
    assert [number for number, _ in woken] == [0, 1, 2]
    assert all(at >= now + 0.01 * (number + 1) - 0.0011 for number, at in woken)


async def test_one_timer() -> None:
    """A thousand waiters with the same limit have one timer, and none when the pool is closed."""
    patience = Patience(asyncio.get_running_loop())
    before = handles()
    now = asyncio.get_running_loop().time()
    for _ in range(1000):
        assert patience.add(waiter(), now + 60, 1000) is None
    if hasattr(asyncio.get_running_loop(), "_scheduled"):
        assert handles() == before + 1
    patience.close()
    assert handles() == before


async def test_less_time_than_the_last() -> None:
    """Whoever has less time than the last in the queue is not held up by that."""
    loop = asyncio.get_running_loop()
    patience = Patience(loop)
    patient, hasty = waiter(), waiter()
    patience.add(patient, loop.time() + 60, 1)
    timer = patience.add(hasty, loop.time() + 0.01, 2)
    assert timer is not None
    await hasty.future
    assert not patient.future.done()
    patience.close()


async def test_hurried_after_patient() -> None:
    """The time of somebody who was served long before it was over is nobody else's."""
    loop = asyncio.get_running_loop()
    patience = Patience(loop)
    patient, hurried = waiter(), waiter()
    now = loop.time()
    assert patience.add(patient, now + 60, 1) is None
    wake(patient)
    assert patience.add(hurried, now + 0.01, 1) is None
    await hurried.future
    assert now + 0.01 - 0.0011 <= loop.time() < now + 60


async def test_served_before() -> None:
    """Who was served, or has given up, is passed over: the next one's time is not its business."""
    loop = asyncio.get_running_loop()
    patience = Patience(loop)
    served, cancelled, last = waiter(), waiter(), waiter()
    now = loop.time()
    for one, seconds in ((served, 0.001), (cancelled, 0.002), (last, 0.01)):
        patience.add(one, now + seconds, 3)
    served.future.set_result(None)
    cancelled.future.cancel()
    await last.future
    assert loop.time() >= now + 0.01 - 0.0011


async def test_served_ones_do_not_gather() -> None:
    """The queue forgets those who were served when others come."""
    loop = asyncio.get_running_loop()
    patience = Patience(loop)
    for _ in range(100):
        one = waiter()
        patience.add(one, loop.time() + 60, 1)
        wake(one)
    assert len(patience._queue) == 1
    patience.close()


async def test_served_ones_behind_somebody_who_waits() -> None:
    """Those who were served do not gather behind somebody who is not, either."""
    loop = asyncio.get_running_loop()
    patience = Patience(loop)
    first = waiter()
    patience.add(first, loop.time() + 60, 1)
    for _ in range(1000):
        one = waiter()
        patience.add(one, loop.time() + 60, 2)
        wake(one)
    assert len(patience._queue) <= 6
    assert patience._queue[0] is first
    patience.close()


async def test_wake_twice() -> None:
    """Waking somebody who has been woken, or has given up, does nothing."""
    one = waiter()
    wake(one)
    wake(one)
    other = waiter()
    other.future.cancel()
    wake(other)
    assert other.future.cancelled()
