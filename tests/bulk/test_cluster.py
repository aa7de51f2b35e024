"""``bulk/_cluster.py``: fetching with several workers, which are in this process; see ``test_cluster_dask.py``, too."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, ClusterError, Request
from aiohttpclient.bulk import Politeness, fetch
from aiohttpclient.bulk import _cluster as cluster_module
from aiohttpclient.bulk._cluster import LOSSES, base_of, host_of, memory_of
from aiohttpclient.testing import virtual_time
from tests.bulk.clusters import Cluster, fetch_on, travelling
from tests.bulk.pages import all_of, numbered, site
from tests.support.ids import stable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from aiohttpclient.bulk import Fetch
    from tests.bulk.pages import Site


@pytest.fixture(autouse=True)
def _quick_census(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for half a second until it is seen who is there."""
    monkeypatch.setattr(cluster_module, "CENSUS", 0.02)


def pages(count: int, hosts: int = 10) -> list[str]:
    return [f"http://h{number % hosts}.example/{number}" for number in range(count)]


class Scene:
    """Workers, the site that each of them asks, and fetches with them."""

    def __init__(self, cluster: Cluster, answer: Callable[[Any], Any], stack: contextlib.AsyncExitStack) -> None:
        self.cluster = cluster
        self.sites: list[Site] = []
        self._answer = answer
        self._stack = stack
        self.clients: list[AsyncHTTPClient] = []
        self._unused: list[AsyncHTTPClient] = []
        self._client = travelling(self._unused.pop)

    async def prepare(self, count: int) -> None:
        """Clients for so many sessions."""
        for _ in range(count):
            client, here = await self._stack.enter_async_context(site(self._answer))
            self.clients.append(client)
            self._unused.append(client)
            self.sites.append(here)

    def fetch(self, items: Any, **options: Any) -> Fetch:
        return fetch_on(self.cluster, items, self._client, **options)

    @property
    def asked(self) -> Counter[str]:
        return Counter(asked.path for here in self.sites for asked in here.asked)


@contextlib.asynccontextmanager
async def scene(
    *workers: str, answer: Callable[[Any], Any] = lambda asked: asked.path.encode(), clients: int = 8
) -> AsyncIterator[Scene]:
    async with contextlib.AsyncExitStack() as stack:
        one = Scene(Cluster(*workers), answer, stack)
        await one.prepare(clients)
        yield one
        assert not one.cluster.held()
        assert one.cluster.closed


# -- what comes of it


async def test_all_of_it() -> None:
    """Each item has one result, by one of the workers; a host is asked by one of them only."""
    async with scene("a", "b") as one:
        items: list[Any] = [
            *pages(300),
            "http://[",
            URL("http://x.example/u"),
            ("http://y.example/p", {"method": "PUT"}),
        ]
        results = await all_of(one.fetch(items))
        assert sorted(result.index for result in results) == list(range(len(items)))
        assert all(result.item == items[result.index] for result in results)
        assert [result.index for result in results if not result.ok] == [300]
        assert max(one.asked.values()) == 1
        hosts = [{asked.host for asked in here.asked} for here in one.sites if here.asked]
        assert len(hosts) == 2
        assert not hosts[0] & hosts[1]
        assert min(map(len, hosts)) >= 4


async def test_ordered() -> None:
    """Results come in the order of the input where that is wanted."""
    async with scene("a", "b", answer=lambda asked: 0.01 if asked.path.endswith("7") else b"") as one:
        results = await all_of(one.fetch(pages(200), ordered=True))
        assert [result.index for result in results] == list(range(200))


async def test_async_items() -> None:
    """An async input is read, and closed; what it raises comes behind the results."""
    closed = []

    async def items() -> AsyncIterator[str]:
        try:
            for url in pages(50):
                yield url
            raise LookupError("enough")
        finally:
            closed.append(True)

    async with scene("a") as one:
        results: list[Any] = []
        with pytest.raises(LookupError, match="enough"):
            async for result in one.fetch(items()):
                results.append(result)  # noqa: PERF401  # it raises in the end
        assert len(results) == 50
        assert closed == [True]


async def test_nothing() -> None:
    """Nothing comes of nothing, also where there are no workers."""
    async with scene() as one:
        assert await all_of(one.fetch([])) == []


async def test_items_that_cannot_travel() -> None:
    """What cannot be sent to a worker is a result, too."""
    async with scene("a") as one:
        items = [("http://a.example/", {"content": (part for part in [b""])}), "http://a.example/1"]
        first, second = await all_of(one.fetch(items, ordered=True))
        assert isinstance(first.error, TypeError)
        assert second.ok


class Mute:
    """Is no URL, and cannot say so."""

    def __str__(self) -> str:
        raise LookupError


async def test_items_that_are_none() -> None:
    """What is no URL at all is a result, as it is without a cluster."""
    async with scene("a") as one:
        odd: tuple[Any, ...] = (Mute(), (Mute(), {}), 5, ())
        for item in odd:
            first, second = await all_of(one.fetch([item, "http://a.example/1"], ordered=True))
            assert isinstance(first.error, TypeError)
            assert second.ok


async def test_values() -> None:
    """What is made of results is made by the workers; responses stay there where nobody wants them."""
    async with scene("a", "b") as one:
        results = await all_of(one.fetch(pages(30), extract=lambda result: result.unwrap().text, responses=False))
        assert {result.value for result in results} == {f"/{number}" for number in range(30)}
        assert {(result.status, result.response) for result in results} == {(200, None)}


async def test_polite() -> None:
    """No host is asked more than it may be, whoever asks."""
    polite = Politeness("name/1.0", robots=False, per_host=2, adapt=False)
    async with scene("a", "b", "c", answer=lambda asked: 0.002) as one:
        results = await all_of(one.fetch(pages(120, hosts=6), politeness=polite))
        assert len(results) == 120
        most = Counter[str]()
        for here in one.sites:
            most.update(here.most_of)
        assert set(most.values()) == {2}


# -- how far it goes ahead


async def test_slow_consumer() -> None:
    """Nothing is read beyond what workers have and the buffer holds; when results are taken, it goes on."""
    read = []

    def items() -> Iterator[str]:
        for url in pages(1000):
            read.append(url)
            yield url

    with virtual_time() as clock:
        async with scene("a", "b") as one, one.fetch(items(), buffer=7, stock=20, batch=5) as results:
            await clock.until(anext(results))
            await clock.elapse(60)
            assert len(read) == 49  # two stocks, the buffer, the one that was taken, and one in the hand
            for _ in range(10):
                await clock.until(anext(results))
            await clock.elapse(60)
            assert len(read) == 59


# -- workers come and go


async def test_a_lost_worker() -> None:
    """What a worker had that is lost is fetched by others; what was given out before is not given out again."""
    async with scene("a", "b") as one:
        results = []
        async with one.fetch(pages(400), stock=50, batch=10) as fetched:
            async for result in fetched:
                results.append(result)
                if len(results) == 150:
                    await one.cluster.kill("a")
        assert sorted(result.index for result in results) == list(range(400))
        assert all(result.ok for result in results)
        assert set(one.cluster.at) == {"b"}


async def test_a_worker_that_begins_anew() -> None:
    """A worker that has forgotten its session begins another one, and repeats what it had."""
    async with scene("a") as one:
        results = []
        async with one.fetch(pages(200), stock=50, batch=10) as fetched:
            async for result in fetched:
                results.append(result)
                if len(results) == 100:
                    await one.cluster.at["a"].end()
        assert sorted(result.index for result in results) == list(range(200))


async def test_calls_that_come_twice() -> None:
    """A task that Dask runs twice fetches nothing twice."""
    async with scene("a", "b") as one:
        one.cluster.twice = True
        results = await all_of(one.fetch(pages(300)))
        assert sorted(result.index for result in results) == list(range(300))
        assert max(one.asked.values()) == 1


async def test_workers_that_come() -> None:
    """Without workers a fetch waits for some; one that comes later gets hosts that nobody has."""
    both = asyncio.Event()

    async def items() -> AsyncIterator[str]:
        for url in pages(50):
            yield url
        await both.wait()
        for number in range(50):
            yield f"http://new-{number}.example/"

    with virtual_time() as clock:
        async with scene() as one, one.fetch(items()) as fetched:
            first = asyncio.ensure_future(anext(fetched))
            await clock.elapse(60)
            assert not first.done()
            one.cluster.at.update(Cluster("a").at)
            assert (await clock.until(first)).ok
            one.cluster.at.update(Cluster("b").at)
            await clock.elapse(cluster_module.CENSUS)
            both.set()
            assert len(await clock.until(all_of(fetched))) == 99
            assert {worker for worker, _ in one.cluster.calls} == {"a", "b"}


async def test_what_kills_workers() -> None:
    """An item with which workers are lost again and again has an error; and then the fetch goes on."""

    async def killer(asked: Any) -> bytes:
        if asked.path == "/13":
            worker = min(one.cluster.at)
            asyncio.get_running_loop().call_soon(lambda: deaths.append(asyncio.ensure_future(replace(worker))))
            await asyncio.Event().wait()
        return b"fine"

    async def replace(worker: str) -> None:
        await one.cluster.kill(worker)
        one.cluster.at.update(Cluster(f"{worker}'").at)

    deaths: list[Any] = []
    async with scene("a", answer=killer) as one:
        results = await all_of(one.fetch(pages(20), concurrency=1))
        assert sorted(result.index for result in results) == list(range(20))
        assert len(deaths) == LOSSES + 1
        errors = [result for result in results if result.error is not None]
        assert 13 in [result.index for result in errors]
        assert all(isinstance(result.error, ClusterError) for result in errors)
        assert "were lost" in str(errors[0].error)
        assert "it is gone" in str(errors[0].error)


# -- how it ends


async def test_break() -> None:
    """A fetch that is left ends its sessions, and their requests."""
    async with scene("a", "b", answer=lambda asked: 60 if asked.path > "/3" else b"") as one:
        async with one.fetch(pages(100)) as fetched:
            async for _ in fetched:
                break
        assert sum(here.under_way for here in one.sites) > 10
        assert all(client.pool.stats().busy == 0 for client in one.clients)


async def test_forgotten() -> None:
    """So does one that is forgotten, a little later."""
    async with scene("a") as one:
        async for _ in one.fetch(pages(100)):
            break
        async with asyncio.timeout(40):
            while not one.cluster.closed:
                await asyncio.sleep(0)
        assert all(client.pool.stats().busy == 0 for client in one.clients)


async def test_cancelled() -> None:
    """Whoever is cancelled while he waits for the end of a fetch has waited for it."""
    async with scene("a", answer=lambda asked: 60) as one:
        fetched = one.fetch(pages(10))
        waiting = asyncio.create_task(anext(fetched))
        while not one.sites or not any(here.under_way for here in one.sites):
            await asyncio.sleep(0.001)
        waiting.cancel()
        closing = asyncio.create_task(fetched.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        assert one.cluster.closed


async def test_no_scheduler_any_more() -> None:
    """When the scheduler is gone the fetch ends with an error, behind everything that was done."""
    async with scene("a") as one:
        results = []
        with pytest.raises(ClusterError, match="gone"):
            async for result in one.fetch(pages(5000), stock=50, batch=10):
                results.append(result)
                one.cluster.gone = True
        assert results


async def test_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that has no worker for too long is given up."""
    monkeypatch.setattr(cluster_module, "NOBODY", 3.0)
    with virtual_time() as clock:
        async with scene() as one:
            fetched = one.fetch(pages(10))
            with pytest.raises(ClusterError, match="no worker for 3 s"):
                await clock.until(anext(fetched))


async def test_workers_that_cannot() -> None:
    """A worker that cannot have a client says so, which ends the fetch."""

    def fails() -> AsyncHTTPClient:
        raise LookupError("no proxy here")

    cluster = Cluster("a")
    with pytest.raises(ClusterError, match="LookupError: no proxy here"):
        await all_of(fetch_on(cluster, pages(3), travelling(fails)))


# -- what is refused, and small things


async def test_a_client_of_this_process() -> None:
    """A client cannot be sent to workers; the error says what can."""
    pytest.importorskip("distributed")
    async with AsyncHTTPClient() as client:
        with pytest.raises(TypeError, match="a mapping of settings"):
            fetch([], client=client, cluster="tcp://127.0.0.1:1")
        with pytest.raises(TypeError, match="must pickle"):
            fetch([], extract=lambda result: client, client={"transport": open}, cluster="tcp://127.0.0.1:1")


@pytest.mark.parametrize("client", [{}, AsyncHTTPClient], ids=stable)
def test_settings_without_a_cluster(client: Any) -> None:
    """Settings of a client are for a cluster."""
    with pytest.raises(TypeError, match="cluster="):
        fetch([], client=client)


@pytest.mark.parametrize(
    ("item", "host"),
    [
        (" HTTP://Example.ORG:80/a\n", "example.org"),
        (URL("https://example.org:8443/"), "example.org:8443"),
        (("http://a.example/", {}), "a.example"),
        (Request("GET", "http://b.example/"), "b.example"),
        ("/relative", "base.example"),
        ((), "base.example"),
        (None, "base.example"),
        ("http://[", "base.example"),
    ],
    ids=stable,
)
def test_hosts(item: Any, host: str) -> None:
    """An item belongs to the host of its URL; what names none belongs to that of the client."""
    base = base_of({"base_url": "http://base.example/x"})
    assert host_of(item, base) == host
    assert base_of(None) == base_of({}) == ""


def test_memory() -> None:
    """A host is remembered for as long as it may have to be left alone."""
    assert memory_of(Politeness("a/1", retry_after_max=7, crawl_delay_max=9, robots=False)) == 9
    assert memory_of(Politeness("a/1", rate=0.001, robots=False)) == 1000
    assert numbered(0) == []
