"""``bulk/_cluster_session.py``: what a worker does between two calls, and what it gives back."""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.bulk import Politeness
from aiohttpclient.bulk import _cluster_session as session_module
from aiohttpclient.bulk._cluster_dask import dumps
from aiohttpclient.bulk._cluster_pack import unpack_result
from aiohttpclient.bulk._cluster_session import Plan, Session, made_client
from aiohttpclient.bulk._extract import Extract
from aiohttpclient.bulk._sources import Given
from aiohttpclient.testing import virtual_time
from tests.bulk.pages import reply, site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttpclient.bulk import Result
    from tests.bulk.pages import Site


@contextlib.asynccontextmanager
async def session(
    answer: Callable[[Any], Any] = lambda asked: asked.path.encode(), extract: Any = None, **changes: Any
) -> AsyncIterator[tuple[Session, Site, list[bool]]]:
    """A session whose client asks a site, that site, and what notes its end."""
    ended: list[bool] = []
    async with site(answer) as (client, here):
        plan = Plan(lambda: client, 10, 1000, 100, None, extract)._replace(**changes)
        one = Session(plan, dumps, lambda: ended.append(True))
        try:
            yield one, here, ended
        finally:
            await one.end()


def results(answer: bytes | str | None) -> dict[int, Result]:
    assert isinstance(answer, bytes)
    return {one[0]: unpack_result(one, Given(f"http://example.org/{one[0]}", one[0])) for one in pickle.loads(answer)}


def items(*numbers: int) -> bytes:
    return pickle.dumps([(number, f"http://example.org/{number}") for number in numbers])


def length(result: Result) -> int:
    return len(result.unwrap().content)


async def test_a_call() -> None:
    """A call brings items, and takes their results along; when all are there it does not wait for more."""
    with virtual_time() as clock:
        async with session() as (one, here, _):
            began = clock.time()
            got = results(await clock.until(one.exchange(0, 0, items(1, 2, 3))))
            assert {index: result.unwrap().text for index, result in got.items()} == {1: "/1", 2: "/2", 3: "/3"}
            assert results(await clock.until(one.exchange(1, 1, b""))) == {}
            assert len(here.asked) == 3
            assert clock.time() == began


async def test_what_is_slow() -> None:
    """What is slow holds up nobody: it comes with a later call, and goes on in between."""
    with virtual_time() as clock:
        async with session(lambda asked: 2 if asked.path == "/1" else b"") as (one, _, _):
            began = clock.time()
            assert set(results(await clock.until(one.exchange(0, 0, items(1, 2, 3))))) == {2, 3}
            assert clock.time() - began == pytest.approx(session_module.LINGER)
            assert results(await clock.until(one.exchange(1, 1, b""))) == {}
            assert clock.time() - began == pytest.approx(session_module.LINGER + session_module.POLL)
            await clock.until(asyncio.sleep(2))
            assert set(results(await clock.until(one.exchange(2, 2, b"")))) == {1}


async def test_enough() -> None:
    """A call returns when so much is done that it is worth one."""
    with virtual_time() as clock:
        async with session(lambda asked: 0.001, concurrency=1, batch=5) as (one, _, _):
            got = results(await clock.until(one.exchange(0, 0, items(*range(20)))))
            assert len(got) == 5


async def test_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer takes no more than a few MiB, and the next one the rest."""
    monkeypatch.setattr(session_module, "REPLY", 2500)
    async with session(lambda asked: b"x" * 1000) as (one, _, _):
        counts = [
            len(results(await one.exchange(number, number, items(*range(5)) if not number else b"")))
            for number in range(3)
        ]
        assert counts == [3, 2, 0]


async def test_a_call_that_comes_twice() -> None:
    """A call that comes again, at once or later, gets the same answer, and nothing is fetched twice."""
    async with session() as (one, here, _):
        first, again = await asyncio.gather(one.exchange(0, 0, items(1, 2)), one.exchange(0, 0, items(1, 2)))
        assert first == again == await one.exchange(0, 0, items(1, 2))
        assert len(here.asked) == 2
        await one.exchange(1, 1, b"")
        assert set(one._calls) == {1}


async def test_what_cannot_be_read() -> None:
    """An item that cannot be read here has an error; the others are fetched."""
    async with session() as (one, _, _):
        got = results(await one.exchange(0, 0, pickle.dumps([(7, b"nonsense"), (8, "http://example.org/8")])))
    assert got[7].error is not None
    assert got[8].ok


async def test_value() -> None:
    """What is made of a result is made here."""
    async with session(extract=Extract(length, False)) as (one, _, _):
        (result,) = results(await one.exchange(0, 0, items(12))).values()
    assert (result.value, result.status, result.response) == (3, 200, None)


async def test_polite() -> None:
    """Politeness goes from call to call: a host that asks to be left alone is."""
    answers = [reply(b"", "429 Too Many Requests", "Retry-After: 5"), b"well", b"well"]
    with virtual_time() as clock:
        polite = Politeness("name/1.0", robots=False, per_host=1)
        async with session(lambda asked: answers.pop(0), politeness=polite) as (one, here, _):
            assert results(await clock.until(one.exchange(0, 0, items(1)))) == {}
            assert results(await clock.until(one.exchange(1, 1, items(2)))) == {}
            await clock.until(asyncio.sleep(6))
            assert set(results(await clock.until(one.exchange(2, 2, b"")))) == {1, 2}
            assert here.asked[1].at - here.asked[0].at == pytest.approx(5, abs=0.1)


async def test_ends() -> None:
    """A session that ends cancels its requests, answers calls that wait, and closes its client."""
    never = asyncio.Event()
    async with session(lambda asked: never.wait()) as (one, here, ended):
        waiting = asyncio.create_task(one.exchange(0, 0, items(1, 2)))
        while here.under_way < 2:
            await asyncio.sleep(0)
        await one.end()
        assert await waiting is None
        assert ended == [True]
        assert await one.exchange(1, 1, b"") is None
        assert one._engine.over


async def test_forgotten() -> None:
    """A session that nobody calls any more ends by itself, and not before."""
    with virtual_time() as clock:
        async with session() as (one, _, ended):
            await clock.until(one.exchange(0, 0, items(1)))
            await clock.until(asyncio.sleep(session_module.LEASE - 1))
            await clock.until(one.exchange(1, 1, b""))
            await clock.until(asyncio.sleep(session_module.LEASE - 1))
            assert not ended
            await clock.until(asyncio.sleep(2))
            assert ended == [True]


class Leaving(BaseException):
    """As ``SystemExit`` is, which would end the loop as well."""


def leave(result: Result) -> None:
    raise Leaving("enough")


async def test_what_ends_it() -> None:
    """What ends a fetch ends a session, which says so."""
    async with session(extract=Extract(leave, True)) as (one, _, _):
        answer = await one.exchange(0, 0, items(1))
        assert "enough" in str(answer)


def leave_for_good(result: Result) -> None:
    sys.exit("enough")


async def test_what_would_end_the_worker() -> None:
    """What would end the process ends a session only: others have a part in the worker."""
    async with session(extract=Extract(leave_for_good, True)) as (one, _, _):
        assert "extract has raised SystemExit('enough')" in str(await one.exchange(0, 0, items(1)))


async def test_client() -> None:
    """A client is made by a function, or of settings, with room for as many requests as there are at once."""
    plan = Plan(None, 7, 1, 1, Politeness("name/1.0", robots=False), None)
    async with made_client(plan) as client:
        assert (client.pool.limits.connections or 0) >= 7
        assert client.headers["User-Agent"] == "name/1.0"
    async with made_client(plan._replace(client={"headers": {"X-A": "1"}})) as client:
        assert client.headers["X-A"] == "1"
    async with made_client(plan._replace(client=AsyncHTTPClient)) as client:
        assert isinstance(client, AsyncHTTPClient)
    with pytest.raises(TypeError, match="must make an AsyncHTTPClient"):
        made_client(plan._replace(client=dict))  # type: ignore[arg-type]  # what is wrong
