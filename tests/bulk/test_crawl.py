"""``bulk/_crawl.py``: which pages a crawl has, how often each, how it ends, and how it goes on."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import InvalidURL, SinkError
from aiohttpclient.bulk import (
    Crawl,
    JSONLines,
    Politeness,
    _frontier,
    _frontier_known,
    _page,
    crawl,
    find_links,
    is_failure,
    normal_url,
)
from aiohttpclient.testing import LoopbackServer, ServerResponse
from tests.bulk.linked import SEED, SITE, html, moved, pages_of, paths, threads_gone, tree, web
from tests.bulk.pages import reply, settle, site
from tests.bulk.sinking import names
from tests.support.ids import stable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiohttpclient import AsyncHTTPClient
    from aiohttpclient.bulk import Page


WAYS = [
    {},
    {"concurrency": 1, "buffer": 0},
    {"concurrency": 3, "buffer": 0},
    {"politeness": Politeness("tests", robots=False)},
    {"depth": 9},
]

WAY_NAMES = ["usual", "one", "few", "polite", "levels"]


# -- which pages


@pytest.mark.parametrize("options", WAYS, ids=WAY_NAMES)
async def test_each_page_once(options: dict[str, Any]) -> None:
    """Every page that a seed leads to is asked for once, however many link to it, and then the crawl has ended."""
    async with site(web(tree(60))) as (client, here):
        results = crawl([SEED], client=client, **options)
        found = await pages_of(results)
        assert sorted(paths(found)) == sorted(tree(60)) == sorted(here.paths)
        assert (results.known, results.done, results.failed, results.pending) == (60, 60, 0, 0)
        assert sorted(page.index for page in found) == list(range(60))
        assert await pages_of(results) == []
    await threads_gone()


async def test_over_sockets() -> None:
    """A crawl without a client makes one of its own, over sockets, and closes it."""
    async with LoopbackServer() as server:
        fields = {"Content-Type": "text/html"}
        server.add("GET", "/", ServerResponse(200, b"<a href=a>a</a>", headers=fields))
        server.add("GET", "/a", ServerResponse(200, b"<a href=/>back</a>", headers=fields))
        found = await pages_of(crawl([server.url], concurrency=2))
        assert [page.unwrap().url.path for page in found] == ["/", "/a"]


async def test_what_a_page_has() -> None:
    """A page is a result with its URL, its depth, its links, and the page that it was found on."""
    there = {"/": ["a#top", "http://other.example/", "/a"], "/a": ["/b", "/"], "/b": html("c", status="404 No")}
    async with site(web(there)) as (client, _):
        first, second, third = await pages_of(crawl(["HTTP://EXAMPLE.org:80"], client=client))
    assert [(page.item, page.url) for page in (first, second, third)] == [
        (f"{SITE}{path}", f"{SITE}{path}") for path in ("/", "/a", "/b")
    ]
    assert [page.depth for page in (first, second, third)] == [0, 1, 2]
    assert [page.referrer for page in (first, second, third)] == [None, SEED, f"{SITE}/a"]
    assert [link.url for link in first.links] == [f"{SITE}/a", "http://other.example/"]
    assert third.links == []
    assert third.response is not None
    assert third.response.status == 404


async def test_breadth_first() -> None:
    """What is fewer links away is asked for first."""
    async with site(web(tree(120))) as (client, _):
        found = await pages_of(crawl([SEED], client=client, concurrency=1, buffer=0))
    depths = [page.depth for page in found]
    assert depths == sorted(depths)
    assert max(depths) == 4


async def test_hosts_are_mixed() -> None:
    """Of pages that are as deep, those of a host do not come one behind the other."""
    hosts = [f"host{number}.example" for number in range(4)]
    there = {"/": [f"http://{host}/{number}" for host in hosts for number in range(10)]}
    async with site(web(there)) as (client, here):
        await pages_of(crawl([SEED], client=client, follow="all", concurrency=1, buffer=0))
    asked = [asked.host for asked in here.asked[1:]]
    assert all(sorted(asked[at : at + 4]) == hosts for at in range(0, 40, 4))


async def test_slow_host() -> None:
    """A host that is slow, of which very many pages are known, does not keep those of others waiting."""
    go = asyncio.Semaphore(0)

    async def slow(asked: Any) -> bytes:
        await go.acquire()
        return html(f"http://b.example{asked.path}")

    def answer(asked: Any) -> Any:
        if asked.path == "/":
            return html(*(f"http://slow.example/{number}" for number in range(300)))
        return slow(asked) if asked.host == "slow.example" else html()

    polite = Politeness("tests", per_host=2, adapt=False, robots=False, window=50)
    async with site(answer) as (client, here):
        async with crawl([SEED], client=client, follow="all", politeness=polite, concurrency=10) as results:
            assert (await anext(results)).url == SEED
            for number in range(5):
                go.release()
                assert (await anext(results)).url.startswith("http://slow.example/")
                assert (await anext(results)).url.startswith("http://b.example/")
                assert here.most_of["slow.example"] <= 2
                assert here.of["b.example"] == 0
                assert len(here.asked) <= 4 + 2 * (number + 1)


async def test_follow() -> None:
    """The scope is asked for each link, but not for seeds."""
    asked = []

    def even(link: Any, page: Page) -> bool:
        asked.append((page.url.removeprefix(SITE), link.url.removeprefix(SITE)))
        return int(link.url.rpartition("/")[2] or 0) % 2 == 0

    there = {f"/{number}": [f"/{number + 1}", f"/{number + 2}"] for number in range(20)}
    async with site(web(there)) as (client, here):
        await pages_of(crawl([f"{SITE}/1", f"{SITE}/10"], client=client, follow=even))
    assert sorted(here.paths, key=lambda path: int(path[1:])) == [
        "/1", "/2", "/4", "/6", "/8", "/10", "/12", "/14", "/16", "/18", "/20"
    ]  # fmt: skip
    assert ("/1", "/3") in asked
    assert ("/4", "/5") in asked


async def test_scope_of_a_generator() -> None:
    """What is followed may be told by an iterator; it is read once."""
    there = {"/": ["http://a.example/", "http://b.example/"], "a.example/": [SEED, "http://b.example/x"]}
    async with site(web(there)) as (client, here):
        await pages_of(crawl([SEED], client=client, follow=iter(["a.example"])))
    assert [asked.host for asked in here.asked] == ["example.org", "a.example"]


async def test_nofollow() -> None:
    """Links that are marked nofollow are left where robots.txt is minded, and nowhere else."""
    pytest.importorskip("protego")
    there = {"/": ["<a rel=nofollow href=/no>no</a>", "/yes"]}
    for robots in (True, False):
        async with site(web(there)) as (client, here):
            polite = Politeness("tests", robots=robots)
            await pages_of(crawl([SEED], client=client, politeness=polite))
        assert ("/no" in here.paths) is not robots
        assert "/yes" in here.paths


async def test_robots() -> None:
    """What robots.txt forbids is a page without an answer, that leads nowhere."""
    pytest.importorskip("protego")
    rules = reply(b"User-agent: *\nDisallow: /no", "200 OK", "Content-Type: text/plain")
    async with site(web({"/": ["/no", "/yes"], "/robots.txt": rules})) as (client, here):
        results = crawl([SEED], client=client, politeness=Politeness("tests"))
        found = {page.url: page for page in await pages_of(results)}
    assert sorted(here.paths) == ["/", "/robots.txt", "/yes"]
    assert type(found[f"{SITE}/no"].error).__name__ == "RobotsDisallowed"
    assert (results.pending, results.failed) == (0, sum(is_failure(page) for page in found.values()))


# -- redirects


async def test_redirects() -> None:
    """Where a page redirects to is a page of its own, as deep as that, if it is in scope and was not there yet."""
    there = {
        "/": ["/old", "/new", "/away", "/gone"],
        "/old": moved("/new"),
        "/away": moved("http://other.example/"),
        "/gone": moved("/further"),
        "/further": moved("there#now"),
        "/there": ["/"],
    }
    async with site(web(there)) as (client, here):
        found = await pages_of(crawl([SEED], client=client))
    assert sorted(here.paths) == sorted(there.keys() | {"/new"})
    depths = {path: page.depth for path, page in zip(paths(found), found, strict=True)}
    assert depths == {"/": 0, "/old": 1, "/new": 1, "/away": 1, "/gone": 1, "/further": 1, "/there": 1}
    assert {page.url: page.referrer for page in found}[f"{SITE}/there"] == f"{SITE}/further"


async def test_redirects_without_an_end() -> None:
    """A chain of redirects is as deep as where it began, for twenty of them; so it ends where there is a bound."""
    numbers = itertools.count(1)
    async with site(lambda asked: moved(f"/{next(numbers)}")) as (client, here):
        found = await pages_of(crawl([SEED], client=client, depth=2))
    assert [page.depth for page in found] == [0] * 21 + [1] * 21 + [2] * 21
    assert len(here.asked) == 63


# -- bounds


@pytest.mark.parametrize("options", WAYS[1:], ids=WAY_NAMES[1:])
@pytest.mark.parametrize("pages", [1, 20, 99])
async def test_pages(pages: int, options: dict[str, Any]) -> None:
    """There are as many pages as may be, and no more is asked for."""
    async with site(web(tree(60))) as (client, here):
        found = await pages_of(crawl([SEED], client=client, pages=pages, **options))
    assert len(found) == len(here.asked) == min(pages, 60)


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
@pytest.mark.parametrize("concurrency", [1, 20])
async def test_depth(depth: int, concurrency: int) -> None:
    """No page is deeper than may be, and each that is not is found."""
    async with site(web(tree(100))) as (client, _):
        found = await pages_of(crawl([SEED], client=client, depth=depth, concurrency=concurrency))
    assert len(found) == [1, 4, 13, 40][depth]
    assert max(page.depth for page in found) == depth


async def test_depth_is_the_least() -> None:
    """Where there is a bound for it, the depth of a page does not depend on who answers first."""
    quick = asyncio.Event()
    slow = {"/slow": lambda: _after(quick, html("/end"))}
    there = {"/": ["/slow", "/a"], "/a": ["/b"], "/b": ["/end"], "/end": ["/last"], **slow}
    async with site(web(there)) as (client, here):
        task = asyncio.create_task(pages_of(crawl([SEED], client=client, depth=3)))
        while "/a" not in here.paths:
            await settle()
        for _ in range(20):
            await settle()
        assert "/b" not in here.paths
        quick.set()
        found = {page.url.removeprefix(SITE): page for page in await task}
    assert {path: page.depth for path, page in found.items()} == {
        "/": 0, "/slow": 1, "/a": 1, "/b": 2, "/end": 2, "/last": 3
    }  # fmt: skip
    assert found["/end"].referrer == f"{SITE}/slow"


async def _after(event: asyncio.Event, answer: bytes) -> bytes:
    await event.wait()
    return answer


async def test_pages_per_host() -> None:
    """No host has more pages than may be; those of the others are not fewer for that."""
    numbers = itertools.count()

    def endless(asked: Any) -> bytes:
        return html(*(f"/{next(numbers)}" for _ in range(5)), "http://b.example/", "http://c.example/")

    async with site(endless) as (client, here):
        found = await pages_of(crawl([SEED], client=client, follow="all", pages_per_host=7))
    assert len(found) == len(here.asked) == 21
    assert {asked.host for asked in here.asked} == {"example.org", "b.example", "c.example"}


async def test_back_pressure() -> None:
    """A consumer that takes nothing stops the crawl."""
    async with site(web(tree(300))) as (client, here), crawl([SEED], client=client, concurrency=5, buffer=3) as results:
        for taken in range(1, 9):
            await anext(results)
            for _ in range(5):
                await settle()
            assert len(here.asked) <= taken + 8


# -- functions of the caller


async def test_links() -> None:
    """A function may tell the links: as text, relative to the page, or as links; what is none is passed over."""

    def numbers(response: Any) -> Iterator[Any]:
        yield from response.text.split()

    there = {"/": b"1 mailto:me http:// 1#2", "/1": b"2?a=%7e", "/2?a=~": b"", "/moved": moved("/1")}
    async with site(web(there)) as (client, here):
        found = await pages_of(crawl([SEED, f"{SITE}/moved"], client=client, links=numbers))
    assert sorted(here.paths) == ["/", "/1", "/2?a=~", "/moved"]
    assert [link.url for page in found for link in page.links if page.url == SEED] == [f"{SITE}/1"]


class Fault(Exception):
    """What a function of the caller raises."""


@pytest.mark.parametrize("error", [Fault, StopIteration, StopAsyncIteration, RuntimeError])
@pytest.mark.parametrize("name", ["links", "follow"])
async def test_functions_that_fail(name: str, error: type[Exception], tmp_path: Path) -> None:
    """What a function of the caller raises ends the crawl, and says about which page; everything before is kept."""
    broken = True

    def fails(one: Any, page: Any = None) -> Any:
        url = one.request.url_text if page is None else page.url
        if url == f"{SITE}/4" and broken:
            raise error("that page")
        return [f"/{number}" for number in range(1, 30)] if page is None else True

    async with site(web(tree(20))) as (client, here):
        options: dict[str, Any] = {"client": client, "frontier": tmp_path / "f", name: fails}
        results = crawl([SEED], concurrency=1, buffer=0, **options)
        found: list[Page] = []
        with pytest.raises((error, RuntimeError)) as caught:
            async for page in results:
                found.append(page)  # noqa: PERF401  # it ends with an error
        assert "that page" in str(caught.value)
        assert f"{SITE}/4" in str([caught.value, *getattr(caught.value, "__notes__", ())])
        assert len(found) == 4
        assert client.pool.stats().busy == 0
        assert await pages_of(results) == []
        await threads_gone()
        broken = False
        here.asked.clear()
        again = await pages_of(crawl([], resume=True, **options))
        assert not set(paths(again)) & set(paths(found))
        assert "/4" in here.paths
    assert names(tmp_path) == {"f"}


# -- those who take


async def test_several_consumers() -> None:
    """Several tasks can take the pages of one crawl: each page is given to one of them, and all of them end."""
    async with site(web(tree(60))) as (client, _):
        results = crawl([SEED], client=client, concurrency=4)
        shares = await asyncio.gather(*(pages_of(results) for _ in range(5)))
        assert sorted(page.index for share in shares for page in share) == list(range(60))
        assert (results.done, results.pending) == (60, 0)
    await threads_gone()


async def test_one_who_never_comes_back(tmp_path: Path) -> None:
    """Who leaves with a page keeps nobody waiting; that page was not done."""
    async with site(web(tree(20))) as (client, _), crawl([SEED], client=client, frontier=tmp_path / "f") as results:
        await asyncio.create_task(_next(results))
        assert len(await pages_of(results)) == 19
    assert (results.done, results.pending) == (19, 1)


async def _next(results: Crawl) -> Page:
    return await anext(results)


async def test_consumer_that_gives_up_waiting() -> None:
    """Who is cancelled while waiting for a page takes none with him, and the crawl goes on."""
    go = asyncio.Event()
    async with site(web({"/": lambda: _after(go, html("/a")), "/a": []})) as (client, _):
        results = crawl([SEED], client=client)
        waiting = asyncio.create_task(_next(results))
        await settle()
        waiting.cancel()
        await asyncio.wait([waiting])
        go.set()
        assert paths(await pages_of(results)) == ["/", "/a"]


async def test_take() -> None:
    """What is there can be taken without waiting; its links are followed, too."""
    async with site(web(tree(50))) as (client, here):
        results = crawl([SEED], client=client, concurrency=4, buffer=4)
        found = [await anext(results)]
        while len(here.asked) < 4:
            await settle()
        for _ in range(10):
            await settle()
        found += results.take()
        assert len(found) == 4
        found += await pages_of(results)
        assert sorted(paths(found)) == sorted(tree(50))


# -- leaving early


async def test_close(tmp_path: Path) -> None:
    """A crawl that is closed cancels what is under way; what was there already can be taken still."""

    def answer(asked: Any) -> Any:
        return asyncio.Event().wait() if asked.path > "/3" else html("/1", "/2", "/3", "/4", "/5")

    async with site(answer) as (client, here):
        async with crawl([SEED], client=client, frontier=tmp_path / "f") as results:
            await anext(results)
            while here.under_way < 2 or len(here.asked) < 6:
                await settle()
            for _ in range(10):
                await settle()
        assert paths(results.take()) == ["/1", "/2", "/3"]
        assert await pages_of(results) == []
        assert client.pool.stats().busy == 0
        await results.aclose()
    assert names(tmp_path) == {"f"}


async def test_consumer_that_fails(tmp_path: Path) -> None:
    """What a consumer raises is what he gets, whatever else goes wrong then; the page that he had is not done."""
    async with site(web(tree(30))) as (client, _):
        with pytest.raises(Fault, match="mine") as caught:
            async with (
                JSONLines(tmp_path / "out.jsonl", batch=1) as sink,
                crawl([SEED], client=client, sink=sink, frontier=tmp_path / "f") as results,
            ):
                await anext(results)
                assert sink._writer is not None
                sink._writer._store.write = broken  # type: ignore[method-assign]  # the disk
                await anext(results)
                raise Fault("mine")
        assert "the disk is full" in caught.value.__notes__[0]
        assert client.pool.stats().busy == 0
    await threads_gone()
    assert names(tmp_path) == {"f", "out.jsonl"}


async def test_close_before_it_begins(tmp_path: Path) -> None:
    """What was never begun has nothing to close, and has touched nothing."""
    async with site() as (client, here):
        async with crawl([SEED], client=client, frontier=tmp_path / "f") as results:
            assert repr(results) == "<Crawl 0 done, 0 failed, 0 pending>"
            assert results.take() == []
        assert await pages_of(results) == []
        assert not here.asked
    assert names(tmp_path) == set()


async def test_cancelled_while_it_begins(tmp_path: Path) -> None:
    """A crawl that is cancelled in whatever tick it begins in leaves neither thread nor lock."""
    for ticks in range(12):
        async with site(web(tree(9))) as (client, _):
            results = crawl([SEED], client=client, frontier=tmp_path / "f", resume=True)
            task = asyncio.create_task(_next(results))
            for _ in range(ticks):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await results.aclose()
        await threads_gone()
        assert names(tmp_path) <= {"f"}


async def test_break_and_forget(tmp_path: Path) -> None:
    """Left and forgotten, a crawl leaves no request, no thread and no lock; what was done before is done."""
    async with site(web(tree(40))) as (client, _):
        seen = 0
        async for _page in crawl([SEED], client=client, frontier=tmp_path / "f"):
            if (seen := seen + 1) == 10:
                break
        await settle()
        await threads_gone()
        await settle()
        assert client.pool.stats().busy == 0
        results = crawl([], client=client, frontier=tmp_path / "f", resume=True)
        assert len(await pages_of(results)) == 31
    assert names(tmp_path) == {"f"}


@pytest.mark.parametrize("in_thread", [False, True])
async def test_collected(in_thread: bool, tmp_path: Path) -> None:
    """A crawl that is part of a cycle ends when the collector finds it, in whatever thread."""

    async def begun(client: AsyncHTTPClient) -> None:
        results: Any = crawl([SEED], client=client, frontier=tmp_path / "f")
        results.itself = results
        await anext(results)

    async with site(web(tree(40))) as (client, _):
        await begun(client)
        if in_thread:
            thread = threading.Thread(target=gc.collect)
            thread.start()
            thread.join()
        else:
            gc.collect()
        await settle()
        await threads_gone()
        await settle()
        assert client.pool.stats().busy == 0
    assert names(tmp_path) == {"f"}


def test_forgotten_after_its_loop(tmp_path: Path) -> None:
    """A crawl that outlives its loop closes its frontier when it is forgotten."""
    kept: list[Crawl] = []

    async def main() -> None:
        async with site(web(tree(40))) as (client, _):
            kept.append(crawl([SEED], client=client, frontier=tmp_path / "f"))
            for _ in range(5):
                await anext(kept[0])

    asyncio.run(main())
    kept.clear()
    gc.collect()
    asyncio.run(threads_gone())
    assert names(tmp_path) == {"f"}


# -- resuming


async def run(path: Path, client: AsyncHTTPClient, stop: int | None = None, **options: Any) -> list[Page]:
    """One run, which is left behind its page ``stop``."""
    found: list[Page] = []
    async with crawl([SEED], client=client, frontier=path, **options) as results:
        async for page in results:
            found.append(page)
            if len(found) == stop:
                break
    return found


@pytest.mark.parametrize("options", WAYS, ids=WAY_NAMES)
async def test_resume(options: dict[str, Any], tmp_path: Path) -> None:
    """A run that resumes goes on where the last one ended: with the page that was left, and no other a second time."""
    path = tmp_path / "f"
    async with site(web(tree(60))) as (client, here):
        first = await run(path, client, 10, **options)
        second = await run(path, client, 20, resume=True, **options)
        third = await run(path, client, resume=True, **options)
        assert len(first + second + third) == 62
        assert {page.url for page in first[:9] + second[:19] + third} == {f"{SITE}{path}" for path in tree(60)}
        assert {page.depth for page in first + second + third} == {0, 1, 2, 3, 4}
        here.asked.clear()
        assert await run(path, client, resume=True, **options) == []
        assert not here.asked
    assert names(tmp_path) == {"f"}


async def test_pages_of_all_runs(tmp_path: Path) -> None:
    """The bound for pages is about all runs together; it can be raised, and lowered."""
    path = tmp_path / "f"
    async with site(web(tree(60))) as (client, _):
        done: set[str] = set()
        for stop, pages, left in ((5, 40, 4), (10, 20, 9), (None, 20, 7), (None, 10, 0), (None, 30, 10)):
            found = await run(path, client, stop, resume=True, pages=pages)
            finished = found if stop is None else found[: stop - 1]
            assert len(finished) == left
            assert not done & {page.url for page in found}
            done |= {page.url for page in finished}
    assert len(done) == 30


async def test_failures(tmp_path: Path) -> None:
    """What failed is repeated by the next run, and not by this one; what it leads to is found then."""
    path, busy = tmp_path / "f", True

    def answer(asked: Any) -> bytes:
        if asked.path == "/a" and busy:
            return html("/no", status="503 Service Unavailable")
        return html(*({"/": ["/a", "/b"], "/a": ["/c"]}.get(asked.path, [])))

    async with site(answer) as (client, here):
        async with crawl([SEED], client=client, frontier=path) as results:
            assert sorted(paths(await pages_of(results))) == ["/", "/a", "/b"]
            assert (results.done, results.failed, results.pending) == (2, 1, 0)
        busy = False
        here.asked.clear()
        async with crawl([SEED], client=client, frontier=path, resume=True) as results:
            assert [(page.url, page.depth) for page in await pages_of(results)] == [(f"{SITE}/a", 1), (f"{SITE}/c", 2)]
            assert (results.known, results.done, results.failed, results.pending) == (4, 4, 0, 0)


async def test_new_seeds(tmp_path: Path) -> None:
    """A run that resumes adds its seeds to those that were there; both are what is followed."""
    there = {"/": ["/a", "http://b.example/"], "/a": ["/c"], "b.example/": ["/x", SEED]}
    async with site(web(there)) as (client, here):
        await run(tmp_path / "f", client, 1)
        results = crawl(["http://b.example/", SEED], client=client, frontier=tmp_path / "f", resume=True)
        await pages_of(results)
    assert {(asked.host, asked.path) for asked in here.asked} == {
        ("example.org", "/"), ("example.org", "/a"), ("example.org", "/c"), ("b.example", "/"), ("b.example", "/x")
    }  # fmt: skip
    assert results.known == 5


async def test_frontier_is_there(tmp_path: Path) -> None:
    """Where a frontier is, a crawl begins only if it is to resume, and nobody else has it."""
    path = tmp_path / "f"
    async with site(web(tree(9))) as (client, _):
        await run(path, client)
        with pytest.raises(FileExistsError, match="resume=True"):
            await run(path, client)
        async with crawl([f"{SITE}/other"], client=client, frontier=path, resume=True) as results:
            await anext(results)
            with pytest.raises(SinkError, match="another crawl"):
                await run(path, client, resume=True)
        path.write_text("something else that is long enough to be looked at, as if it was a database")
        with pytest.raises(SinkError, match="cannot be read"):
            await run(path, client, resume=True)
    await threads_gone()
    assert names(tmp_path) == {"f"}


# -- sinks


def urls_in(path: Path) -> list[str]:
    return [record.url for record in JSONLines.read(path)]


async def test_sink(tmp_path: Path) -> None:
    """With a sink, each page is written before it is given out; it is there once, however often a run is left."""
    out, runs, pending = tmp_path / "out.jsonl", 0, 1
    async with site(web(tree(60))) as (client, _):
        while pending:
            runs += 1
            async with (
                JSONLines(out, resume=True, batch=4) as sink,
                crawl([SEED], client=client, frontier=tmp_path / "f", resume=True, sink=sink, concurrency=6) as results,
            ):
                for _ in range(9):
                    async for page in results:
                        assert sink.taken
                        assert page.item == page.url
                        break
            assert results.done == sink.done
            assert len(results.take()) <= 12
            pending = results.pending
    assert sorted(urls_in(out)) == sorted(f"{SITE}{path}" for path in tree(60))
    assert 3 <= runs <= 8


async def test_sink_repeats(tmp_path: Path) -> None:
    """What is repeated, and counts as failed, is what the sink says."""
    async with site(web({"/": ["/no"]})) as (client, _):
        for resume in (False, True):
            async with (
                JSONLines(tmp_path / "out.jsonl", resume=resume, repeat=lambda result: not result.ok) as sink,
                crawl([SEED], client=client, frontier=tmp_path / "f", resume=resume, sink=sink) as results,
            ):
                assert paths(await pages_of(results)) == (["/no"] if resume else ["/", "/no"])
            assert (results.done, results.failed, results.pending) == (1, 1, 0)


async def test_sink_has_more(tmp_path: Path) -> None:
    """What a sink has of an earlier run, and the frontier has not, is asked for and not written again."""
    out = tmp_path / "out.jsonl"
    async with site(web(tree(30))) as (client, _):
        for resume in (False, True):
            async with JSONLines(out, resume=resume) as sink:
                await pages_of(crawl([SEED], client=client, sink=sink))
                assert sink.duplicates == (30 if resume else 0)
    assert len(urls_in(out)) == 30


async def test_sink_fails(tmp_path: Path) -> None:
    """A sink that cannot write ends the crawl; what it does not have is not done."""
    path = tmp_path / "f"
    async with site(web(tree(30))) as (client, _):
        with pytest.raises(SinkError, match="results are safe"):
            async with (
                JSONLines(tmp_path / "out.jsonl", batch=1) as sink,
                crawl([SEED], client=client, frontier=path, sink=sink, concurrency=1, buffer=0) as results,
            ):
                async for _page in results:
                    if sink.taken == 10:
                        await sink.flush()
                        assert sink._writer is not None
                        sink._writer._store.write = broken  # type: ignore[method-assign]  # the disk
        assert results.done == sink.reported == 10
        async with (
            JSONLines(tmp_path / "out.jsonl", resume=True) as sink,
            crawl([SEED], client=client, frontier=path, sink=sink, resume=True) as results,
        ):
            assert len(await pages_of(results)) == 20
    assert sorted(urls_in(tmp_path / "out.jsonl")) == sorted(f"{SITE}{path}" for path in tree(30))


def broken(entries: object) -> None:
    raise OSError("the disk is full")


async def test_cancelled_while_the_sink_writes(tmp_path: Path) -> None:
    """A page whose consumer is cancelled while the sink is busy is given to the next."""
    go = threading.Event()
    async with site(web(tree(30))) as (client, _), JSONLines(tmp_path / "out.jsonl", batch=1) as sink:
        assert sink._writer is not None
        write = sink._writer._store.write
        sink._writer._store.write = lambda entries: (go.wait(), write(entries))[1]  # type: ignore[method-assign]
        results = crawl([SEED], client=client, sink=sink)
        found = [await anext(results)]
        waiting = asyncio.create_task(_next(results))
        while sink.taken < 2:
            await settle()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        go.set()
        found += await pages_of(results)
        assert sorted(paths(found)) == sorted(tree(30))
        assert results.done == 30


# -- long pages


def long_page(*links: str) -> bytes:
    return html(*links, " lorem ipsum" * 8000)


async def test_long_pages() -> None:
    """Links of long pages are found in a thread, and followed as others are."""
    there = {path: long_page(*links) for path, links in tree(20).items()}
    async with site(web(there)) as (client, here):
        assert sorted(paths(await pages_of(crawl([SEED], client=client)))) == sorted(tree(20))
        assert len(here.asked) == 20


@pytest.mark.parametrize("with_sink", [False, True])
async def test_cancelled_while_links_are_found(
    with_sink: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page whose consumer is cancelled while its links are found is given to the next, and they are followed."""
    began, go = threading.Event(), threading.Event()

    def slow(response: Any) -> Any:
        began.set()
        go.wait()
        return find_links(response)

    monkeypatch.setattr(_page, "find_links", slow)
    async with site(web({"/": long_page("/a"), "/a": []})) as (client, _), JSONLines(tmp_path / "out") as sink:
        results = crawl([SEED], client=client, sink=sink if with_sink else None, links=slow)
        waiting = asyncio.create_task(_next(results))
        while not began.is_set():
            await settle()
        waiting.cancel()
        await settle()
        assert not waiting.done()
        go.set()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        assert paths(await pages_of(results)) == ["/", "/a"]
        assert results.done == 2


async def test_long_page_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes wrong in the thread ends the crawl as it would elsewhere."""

    def fails(response: Any) -> Any:
        raise Fault("that page")

    monkeypatch.setattr(_page, "find_links", fails)
    async with site(web({"/": long_page("/a")})) as (client, _):
        with pytest.raises(Fault) as caught:
            await pages_of(crawl([SEED], client=client, links=fails))
    assert SEED in caught.value.__notes__[0]


# -- what it costs


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory does not grow with the number of URLs: neither with those that are done, nor with those that wait."""
    monkeypatch.setattr(_frontier_known, "KEPT", 100)
    monkeypatch.setattr(_frontier, "AHEAD", 100)
    sizes: list[int] = []

    def endless(asked: Any) -> bytes:
        number = int(asked.path[1:] or 0)
        return html(*(f"/{5 * number + child:07}" for child in range(1, 6)))  # all as long, for what remembers some

    async def main() -> None:
        async with site(endless) as (client, here):
            results = crawl([SEED], client=client, pages=1780)
            async for page in results:
                here.asked.clear()
                if page.index >= 1200 and page.index % 20 == 0:  # when what is remembered of few URLs is full
                    gc.collect()
                    sizes.append(tracemalloc.get_traced_memory()[0])
            assert results.known > 6500

    tracemalloc.start()
    try:
        asyncio.run(main())
    finally:
        tracemalloc.stop()
    # It goes up and down by as much, with what is read and written at once: so the least of 160 pages, 400 pages apart.
    assert min(sizes[-9:]) - min(sizes[:9]) < 80_000  # the URLs that were found meanwhile are twice that


# -- what is refused


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"depth": -1}, ValueError),
        ({"depth": "1"}, TypeError),
        ({"pages": 0}, ValueError),
        ({"pages_per_host": 0}, ValueError),
        ({"resume": True}, ValueError),
        ({"sink": "out.jsonl"}, TypeError),
        ({"follow": "hosts"}, ValueError),
        ({"links": "a"}, TypeError),
        ({"links": asyncio.sleep}, TypeError),
        ({"concurrency": 0}, ValueError),
        ({"politeness": True}, TypeError),
    ],
    ids=stable,
)
def test_refused(options: dict[str, Any], error: type[Exception]) -> None:
    """What makes no sense is refused where it is given."""
    with pytest.raises(error, match=next(iter(options))):
        crawl([SEED], **options)


@pytest.mark.parametrize(
    ("seeds", "error"), [(SEED, TypeError), (["/path"], InvalidURL), (["mailto:me"], InvalidURL)], ids=stable
)
def test_seeds_that_are_none(seeds: Any, error: type[Exception]) -> None:
    """Seeds are URLs of http or https."""
    with pytest.raises(error):
        crawl(seeds)


def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what finds links there is an error before there is a file, unless they are found in another way."""
    monkeypatch.setitem(sys.modules, "selectolax.lexbor", None)
    with pytest.raises(ImportError, match="pip install selectolax"):
        crawl([SEED], frontier=tmp_path / "frontier")
    assert not names(tmp_path)
    crawl([SEED], links=lambda response: [])


async def test_no_seeds() -> None:
    """Without seeds there are no pages."""
    async with site() as (client, _):
        assert await pages_of(crawl([], client=client)) == []


def test_seeds_are_normal() -> None:
    """Seeds have the one spelling that links have."""
    assert normal_url("http://EXAMPLE.org") == SEED


async def test_hot_page() -> None:
    """A page with very many links does not keep the crawl from its end."""
    links = [f"/{number}" for number in range(11_000)]
    async with site(lambda asked: html(*links) if asked.path == "/" else html("/")) as (client, _):
        results = crawl([SEED], client=client, pages=50)
        assert len(await pages_of(results)) == 50
        assert results.known == 10_001
