"""``bulk/_silence.py``: hosts that do not answer are not asked for ever."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import HostGivenUp, ReadTimeout, RobotsDisallowed
from aiohttpclient.bulk import Politeness, fetch, is_failure
from aiohttpclient.bulk._silence import GIVEN_UP, GIVEN_UP_MAX, Silence
from aiohttpclient.testing import virtual_time
from tests.bulk.pages import all_of, numbered, reply, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttpclient.bulk import Result
    from tests.bulk.pages import Asked

WHO = "tester/1.0"


class Dead:
    """Refuses connections to ``dead.example`` after so many ``seconds``, before the time ``until``; counts them."""

    def __init__(self, seconds: float = 0, until: float = 1e9) -> None:
        self._seconds = seconds
        self._until = until
        self._began = asyncio.get_running_loop().time()
        self.dialled: list[float] = []

    async def __call__(self, host: str, port: int) -> OSError | None:
        now = asyncio.get_running_loop().time() - self._began
        if host != "dead.example" or now >= self._until:
            return None
        self.dialled.append(now)
        await asyncio.sleep(self._seconds)
        return ConnectionRefusedError("nobody is there")


async def run(items: Any, refuse: Any = None, answer: Any = lambda asked: b"here", **settings: Any) -> list[Result]:
    given: Any = {"robots": False} | settings
    async with site(answer, refuse=refuse) as (client, _):
        return await all_of(fetch(items, client=client, concurrency=10, politeness=Politeness(WHO, **given)))


# -- one host


def test_pauses() -> None:
    """After the second time the host is left alone, for twice as long each time; after so many it is given up."""
    silence = Silence(5)
    assert [silence.go_on(now, now, "why") for now in (10.0, 20.0, 30.0, 40.0)] == [0, 1, 2, 4]
    assert silence.until < 0
    assert silence.go_on(50.0, 50.0, "why") == 0
    assert silence.until == 50 + GIVEN_UP
    assert str(silence.refusal("h")) == "h is not asked: 5 times in a row there was no answer, the last: why"


def test_given_up_for_longer() -> None:
    """Each time that it is given up anew it is for longer, up to a bound."""
    silence, now, periods = Silence(1), 0.0, []
    for _ in range(6):
        silence.go_on(now, now, "why")
        periods.append(silence.until - now)
        now = silence.until
    assert periods == [300, 600, 1200, 2400, GIVEN_UP_MAX, GIVEN_UP_MAX]


def test_together() -> None:
    """Requests that were under way at once count once."""
    silence = Silence(2)
    for _ in range(10):
        silence.go_on(1.0, 2.0, "why")
    assert silence.until < 0


def test_answer() -> None:
    """Any answer, be it to a request that was asked long ago, ends the silence."""
    silence = Silence(2)
    for now in (1.0, 2.0):
        silence.go_on(now, now, "why")
    silence.end()
    assert silence.until < 0
    assert silence.go_on(3.0, 3.0, "why") == 0
    assert silence.until < 0


def test_never() -> None:
    """Who says None is never given up, and there are no pauses."""
    silence = Silence(None)
    assert {silence.go_on(float(now), float(now), "why") for now in range(1000)} == {0.0}
    assert silence.until < 0


# -- a fetch


@pytest.mark.parametrize("robots", [False, True])
@pytest.mark.parametrize("seconds", [0, 10_000])
async def test_ten_thousand_urls(seconds: float, robots: bool) -> None:
    """A host that refuses, or never answers, is done with in minutes, however many URLs it has; others go on."""
    items = [f"http://{host}.example/{number}" for number in range(500) for host in ("dead", "live")]
    with virtual_time() as clock:
        began, dead = clock.time(), Dead(seconds)
        results = await clock.until(run(items, dead, adapt=False, robots=robots))
        assert clock.time() - began < (600 if seconds else 180)
    assert len(results) == 1000
    failed = [result for result in results if not result.ok]
    assert {str(result.item)[:12] for result in failed} == {"http://dead."}
    assert len(failed) == 500
    assert all(is_failure(result) for result in failed)
    if not robots:
        last = [result.error for result in failed if isinstance(result.error, HostGivenUp)]
        assert len(last) > 400
        assert (last[0].host, last[0].failures) == ("dead.example", 8)
        assert ("ConnectTimeout" if seconds else "nobody is there") in last[0].reason


async def test_connected_and_silent() -> None:
    """So is a host that takes connections and requests, and says nothing."""
    with virtual_time() as clock:
        results = await clock.until(run(numbered(200), answer=lambda asked: 10_000, give_up=3))
    kinds = [type(result.error) for result in sorted(results, key=lambda result: result.index)]
    assert kinds == [ReadTimeout] * 4 + [HostGivenUp] * 196


async def test_asked_again() -> None:
    """When that time is over, the next item is asked for; a host that answers is asked as before."""

    async def items() -> AsyncIterator[str]:
        for number in range(100):
            yield f"http://dead.example/{number}"
            await asyncio.sleep(10)

    with virtual_time() as clock:
        dead = Dead(until=250)
        results = await clock.until(run(items(), dead, give_up=3))
    kinds = [type(result.error).__name__ for result in results]
    assert kinds == ["ConnectionRefusedError"] * 3 + ["HostGivenUp"] * 29 + ["NoneType"] * 68


async def test_stays_away() -> None:
    """A host that is still silent then is given up for twice as long."""

    async def items() -> AsyncIterator[str]:
        for number in range(200):
            yield f"http://dead.example/{number}"
            await asyncio.sleep(10)

    with virtual_time() as clock:
        dead = Dead()
        results = await clock.until(run(items(), dead, give_up=2))
    assert dead.dialled == pytest.approx([0, 10, 310, 910], abs=1)
    assert sum(isinstance(result.error, HostGivenUp) for result in results) == 196


async def test_some_answers() -> None:
    """A host that answers now and then, with an error even, is not given up."""

    def answer(asked: Asked) -> Any:
        return reply(b"", "500 Error") if asked.path.endswith("7") else None

    with virtual_time() as clock:
        results = await clock.until(run(numbered(100), answer=answer, give_up=20, per_host=1))
    assert sum(result.response is not None for result in results) == 10
    assert not any(isinstance(result.error, HostGivenUp) for result in results)


async def test_redirects() -> None:
    """A host that redirects to one that is silent has answered."""
    away = reply(b"", "302 Found", "Location: http://dead.example/")
    with virtual_time() as clock:
        results = await clock.until(run(numbered(30), Dead(), lambda asked: away, give_up=3))
    assert {type(result.error) for result in results} == {ConnectionRefusedError}


async def test_never_given_up() -> None:
    """With ``give_up=None`` each item is asked for, without a pause."""
    with virtual_time() as clock:
        began, dead = clock.time(), Dead()
        results = await clock.until(run([f"http://dead.example/{n}" for n in range(50)], dead, give_up=None))
        assert clock.time() == began
    assert {type(result.error) for result in results} == {ConnectionRefusedError}
    assert len(dead.dialled) == 50


async def test_robots() -> None:
    """A host that gives no answer when it is asked for robots.txt is silent, too."""

    async def items() -> AsyncIterator[str]:
        for number in range(20):
            yield f"http://dead.example/{number}"
            await asyncio.sleep(30)

    with virtual_time() as clock:
        dead = Dead()
        results = await clock.until(run(items(), dead, robots=True, give_up=2))
    assert dead.dialled == pytest.approx([0, 60, 360], abs=2)
    kinds = [type(result.error) for result in results]
    assert kinds[:3] == [RobotsDisallowed] * 3
    assert kinds[3] is HostGivenUp
