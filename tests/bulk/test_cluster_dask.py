"""``bulk/_cluster_dask.py``: fetching with a cluster of Dask, of several processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, ClusterError
from aiohttpclient.bulk import _cluster_dask as module
from aiohttpclient.bulk import fetch
from aiohttpclient.bulk._cluster_session import Plan
from aiohttpclient.testing import LoopbackServer
from tests.bulk.dask_cluster import dask_cluster
from tests.bulk.pages import all_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

distributed = pytest.importorskip("distributed")

HOSTS = 8
"""Addresses of this machine: each is a host of its own."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two processes."""
    with dask_cluster(2) as (found, _):
        yield found


@contextlib.asynccontextmanager
async def origin(body: Any = "page") -> AsyncIterator[Any]:
    """A function that gives so many URLs of several hosts."""
    async with LoopbackServer(host="0.0.0.0") as server:
        server.add("GET", "/{path}", body)
        port = server.url.rpartition(":")[2]
        yield lambda count: [f"http://127.0.0.{number % HOSTS + 1}:{port}/{number}" for number in range(count)]


def by_whom(result: Any) -> tuple[int, str]:
    """The process that has fetched, and what."""
    return os.getpid(), result.response.text


def with_field() -> AsyncHTTPClient:
    return AsyncHTTPClient(headers={"X-Field": "there"})


async def nothing_left(client: Any) -> None:
    """Return when there is nothing: the scheduler reads what two connections have brought in any order."""
    async with asyncio.timeout(40):  # half as long as a session lives that was forgotten
        while await left_on(client) != (0, 0):
            await asyncio.sleep(0.05)


async def left_on(client: Any) -> Any:
    """Sessions on the workers, and tasks of the scheduler."""

    def sessions(dask_worker: Any) -> int:
        plugin = dask_worker.plugins.get("aiohttpclient.bulk")
        return 0 if plugin is None else len(plugin.sessions._sessions)

    def tasks(dask_scheduler: Any) -> int:
        return len(dask_scheduler.tasks)

    return sum((await client.run(sessions)).values()), await client.run_on_scheduler(tasks)


async def test_fetch(address: str) -> None:
    """All workers fetch; each page comes once, with what was made of it there."""
    async with origin() as urls:
        results = await all_of(fetch(urls(400), cluster=address, extract=by_whom, client=with_field))
    assert sorted(result.index for result in results) == list(range(400))
    assert {result.unwrap().text for result in results} == {"page"}
    assert {result.value[1] for result in results} == {"page"}
    assert len({result.value[0] for result in results} - {os.getpid()}) == 2
    assert all(result.unwrap().timings.total > 0 for result in results)


async def test_client_of_dask(address: str) -> None:
    """A client of Dask stands for its cluster, and is left as it was; so is the cluster, also by who leaves early."""
    async with distributed.Client(address, asynchronous=True, set_as_default=False) as client, origin() as urls:
        async with fetch(urls(2000), cluster=client, extract=lambda result: result.status, responses=False) as fetched:
            async for result in fetched:
                assert result.value == 200
                break
        assert client.status == "running"
        await nothing_left(client)
    with pytest.raises(ValueError, match="closed"):
        fetch([], cluster=client)


def test_a_worker_is_killed(address: str) -> None:
    """What a process had that is killed is fetched by others; each result is given out once, and nothing is left."""

    async def run() -> None:
        async with distributed.Client(address, asynchronous=True, set_as_default=False) as client, origin() as urls:
            results: list[Any] = []
            killed = 0
            async for result in fetch(urls(1000), cluster=client, extract=by_whom, concurrency=20):
                results.append(result)
                if len(results) == 300:
                    killed = result.value[0]
                    os.kill(killed, signal.SIGKILL)
            assert sorted(result.index for result in results) == list(range(1000))
            assert all(result.ok for result in results)
            assert len({result.value[0] for result in results} - {killed}) >= 1
            await nothing_left(client)

    asyncio.run(run())


def test_the_scheduler_is_killed(caplog: pytest.LogCaptureFixture) -> None:
    """A scheduler that is gone is an error, behind everything that was done; one that was never there, too."""

    async def run(process: Any) -> int:
        done = 0
        async with origin() as urls:
            with pytest.raises(ClusterError, match="gone"):
                async for _ in fetch(urls(20000), cluster=found):
                    done += 1
                    if done == 100:
                        process.kill()
            with pytest.raises(ClusterError, match="no scheduler"):
                await all_of(fetch(["http://127.0.0.1/"], cluster="nonsense://127.0.0.1:1"))
        return done

    with dask_cluster(0) as (found, process):
        assert asyncio.run(run(process)) >= 100


async def test_a_call_behind_the_end() -> None:
    """A call that comes when its session was ended, or would have been, does not begin it."""
    sessions = module.Sessions()
    plan = module.dumps(Plan(None, 1, 1, 1, None, None))
    await sessions.end(["a"])
    assert await sessions.exchange("a", plan, 0, 0, b"") is None
    assert await sessions.exchange("b", plan, 0, 0, b"") is not None
    await sessions.end()
    assert not sessions._sessions


def test_what_is_no_cluster() -> None:
    """What is neither an address nor a client of Dask is refused."""
    with pytest.raises(TypeError, match="address of a scheduler"):
        fetch([], cluster=5)


def test_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without distributed the error says how to get it."""
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with pytest.raises(ImportError, match='the extra "dask": pip install distributed'):
        fetch([], cluster="tcp://127.0.0.1:1")


async def test_missing_on_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker without this package says so."""
    call = module.remote_call()
    monkeypatch.setitem(__import__("sys").modules, "aiohttpclient.bulk._cluster_dask", None)
    assert "no aiohttpclient like ours" in str(await call("name", None, 0, 0, b""))
