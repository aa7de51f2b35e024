"""``bulk/_schedule.py``: which host is asked when, and that none is in another's way."""

from __future__ import annotations

import asyncio
import itertools
import random
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import InvalidURL, RobotsDisallowed, Timeout
from aiohttpclient.bulk import Politeness, fetch
from aiohttpclient.bulk import _hosts as hosts_module
from aiohttpclient.bulk._rate import limiter
from aiohttpclient.testing import LoopbackServer, virtual_time
from tests.bulk.pages import all_of, numbered, reply, settle, site
from tests.net.stepping import Moment, sweep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from aiohttpclient.bulk import Result
    from tests.bulk.pages import Asked, Site
    from tests.net.stepping import Ending

WHO = "tester/1.0 (+https://example.org/bot)"


def polite(**settings: Any) -> Politeness:
    """Without robots, unless it is said otherwise."""
    return Politeness(WHO, **({"robots": False} | settings))


async def run(
    items: Any, answer: Any, settings: Politeness, concurrency: int = 20, **options: Any
) -> tuple[list[Result], Site, float]:
    """The results, the site, and the time at which it all began."""
    with virtual_time() as clock:
        began = clock.time()
        async with site(answer) as (client, here):
            results = fetch(items, client=client, concurrency=concurrency, politeness=settings, **options)
            return await clock.until(all_of(results)), here, began


def times(here: Site, began: float, host: str | None = None) -> list[float]:
    """When each request came."""
    return [asked.at - began for asked in here.asked if host in (None, asked.host)]


# -- how many, and how fast


async def test_at_most_so_many() -> None:
    """There are at most so many requests under way to one host, and as many in all as there are workers."""
    items = [f"http://{host}.example/{number}" for number in range(30) for host in "abc"]
    results, here, _ = await run(items, lambda asked: 1, polite(per_host=4, adapt=False), concurrency=10)
    assert len(results) == 90
    assert set(here.most_of.values()) == {4}
    assert here.most == 10


async def test_grows() -> None:
    """A host that answers quickly gets more at once, up to the bound."""
    _, here, began = await run(numbered(60), lambda asked: 1, polite(per_host=6))
    at_once = [times(here, began).count(second) for second in range(12)]
    assert at_once[0] == 2
    assert max(at_once) == 6
    assert at_once == sorted(at_once[:-1]) + at_once[-1:]


async def test_halves() -> None:
    """A host in trouble gets half as many."""
    _, here, began = await run(
        numbered(60), lambda asked: reply(b"", "500 Error") if asked.path == "/40" else 1, polite(per_host=8)
    )
    at_once = [times(here, began).count(second) for second in range(20)]
    peak = at_once.index(max(at_once))
    assert min(at_once[peak : peak + 3]) <= max(at_once) / 2 + 1


async def test_rate() -> None:
    """Requests to one host begin as far apart as the rate says; each host has its own."""
    items = [f"http://{host}.example/{number}" for host in "ab" for number in range(5)]
    results, here, began = await run(items, lambda asked: b"quick", polite(rate=2))
    assert len(results) == 10
    for host in "ab":
        assert times(here, began, f"{host}.example") == pytest.approx([0, 0.5, 1, 1.5, 2])


@pytest.mark.parametrize("rate", [0.3, 3, 7, 900 / 7, 10_000, 1e9, 1.7e308])
async def test_rate_to_the_point(rate: float) -> None:
    """Requests come at the rate, no earlier than a timer may go off, and no later, however sums are rounded."""
    results, here, began = await run(numbered(200), lambda asked: b"quick", polite(rate=rate))
    assert len(results) == 200
    came = times(here, began)
    assert all(later - earlier > 1 / rate - 2e-6 for earlier, later in itertools.pairwise(came))
    assert came[-1] == pytest.approx(199 / rate, abs=1e-4)


async def test_rate_on_the_loop_itself() -> None:
    """Times that come within a tick of the loop, for which uvloop has no timer, are waited for as well."""
    items = [f"http://{host}.example/{number}" for number in range(50) for host in "abc"]
    async with asyncio.timeout(20), site(lambda asked: b"quick") as (client, _):
        results = await all_of(fetch(items, client=client, concurrency=20, politeness=polite(rate=3000)))
    assert len(results) == 150
    assert all(result.ok for result in results)


async def test_rate_after_a_pause() -> None:
    """Nothing is saved up: after a pause requests begin as far apart as before it."""

    async def items() -> AsyncIterator[str]:
        for path in numbered(6):
            yield path
            await asyncio.sleep(100 if path == "/2" else 0)

    _, here, began = await run(items(), lambda asked: b"quick", polite(rate=2))
    assert times(here, began) == pytest.approx([0, 0.5, 1, 100, 100.5, 101])


async def test_rate_that_others_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limiter has the last word: who finds no room, though it is time, looks again, and blocks nobody."""
    monkeypatch.setattr(hosts_module, "limiter", lambda pace: limiter(2 * pace))
    _, here, began = await run(numbered(4), lambda asked: b"quick", polite(rate=10_000))
    assert times(here, began) == pytest.approx([0, 2e-4, 4e-4, 6e-4], abs=1e-5)


# -- in turn


async def test_hosts_in_turn() -> None:
    """Hosts are asked in turn, however many items stand before those of another."""
    items = [f"http://a.example/{number}" for number in range(20)] + ["http://b.example/", "http://c.example/"]
    _, here, _ = await run(items, lambda asked: 1, polite(adapt=False, per_host=2), concurrency=1)
    assert sorted(asked.host[0] for asked in here.asked[:4]) == ["a", "a", "b", "c"]


async def test_slow_host_is_in_nobodys_way() -> None:
    """A host that is slow keeps its own items waiting, and no worker: others are done meanwhile."""
    items = [f"http://{host}/{number}" for number in range(10) for host in ("slow.example", "quick.example")]
    results, here, began = await run(
        items, lambda asked: 20 if asked.host == "slow.example" else 1, polite(per_host=1), concurrency=2
    )
    assert len(results) == 20
    assert max(times(here, began, "quick.example")) <= 10
    assert max(times(here, began, "slow.example")) == 180


async def test_window() -> None:
    """So many items are read ahead, and no more: when all of them are for one host, the others wait."""
    read = 0

    def items() -> Iterator[str]:
        nonlocal read
        for read in itertools.count(1):
            yield f"http://slow.example/{read}"

    with virtual_time() as clock:
        async with site(lambda asked: 5) as (client, here):
            async with fetch(items(), client=client, politeness=polite(per_host=1, window=30)) as results:
                await clock.until(anext(results))
                await settle()
                assert len(here.asked) == 2
                assert 30 <= read <= 32


async def test_window_with_repetitions() -> None:
    """What is asked for again counts as waiting again: no more is read for it."""
    refused: set[str] = set()
    read = 0

    def items() -> Iterator[str]:
        nonlocal read
        for read in range(1, 201):
            yield f"/{read}"

    def answer(asked: Asked) -> bytes:
        if asked.path in refused:
            return b"fine"
        refused.add(asked.path)
        return reply(b"", "429 Busy", "Retry-After: 1")

    with virtual_time() as clock:
        async with site(answer) as (client, _):

            async def collect() -> None:
                done = 0
                settings = polite(per_host=3, window=10)
                async for result in fetch(items(), client=client, concurrency=3, buffer=0, politeness=settings):
                    done += result.ok
                    assert read - done <= 10 + 2 * 3
                assert done == 200

            await clock.until(collect())


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("window", [1, 3, 1000])
async def test_in_order(asynchronous: bool, window: int) -> None:
    """In order, the first is given out first though its host is the slowest, and nothing waits for ever."""

    async def fed() -> AsyncIterator[str]:
        for item in items:
            yield item

    hosts = ["slow.example", "a.example", "b.example"]
    items = [f"http://{hosts[number % 3]}/{number}" for number in range(30)]
    results, here, _ = await run(
        fed() if asynchronous else items,
        lambda asked: 9 if asked.host == "slow.example" else 1,
        polite(per_host=1, window=window),
        concurrency=5,
        buffer=0,
        ordered=True,
    )
    assert [result.index for result in results] == list(range(30))
    assert here.most <= min(5, window)


# -- left alone


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Busy"])
async def test_retry_after(status: str) -> None:
    """A host that asks for it is left alone as a whole, and then asked again for the same; others go on."""
    refused = iter([True])

    def answer(asked: Asked) -> Any:
        if asked.path == "/2" and asked.host == "a.example" and next(refused, False):
            return reply(b"", status, "Retry-After: 60")
        return 1

    items = [f"http://{host}.example/{number}" for number in range(6) for host in "ab"]
    results, here, began = await run(items, answer, polite(per_host=1))
    assert len(results) == 12
    assert all(result.ok for result in results)
    assert times(here, began, "a.example") == pytest.approx([0, 1, 2, 62, 63, 64, 65])
    assert [asked.path for asked in here.asked if asked.host == "a.example"][2:4] == ["/2", "/2"]
    assert times(here, began, "b.example") == pytest.approx([0, 1, 2, 3, 4, 5])


async def test_left_alone_while_it_stands_in_turn() -> None:
    """A host that could be asked more at once is not, from when it wants to be left alone."""
    refused = iter([True])

    def answer(asked: Asked) -> Any:
        return reply(b"", "429 Busy", "Retry-After: 60") if next(refused, False) else 1

    _, here, began = await run(numbered(3), answer, polite(per_host=4, adapt=False), concurrency=1)
    assert times(here, began) == pytest.approx([0, 60, 61, 62])


async def test_first_is_left_alone() -> None:
    """In order, there is room for the first item when its host may be asked again, however many were done since."""
    refused = iter([True])

    def answer(asked: Asked) -> Any:
        return reply(b"", "429 Busy", "Retry-After: 20") if next(refused, False) else 1

    items = ["http://a.example/", *(f"http://b.example/{number}" for number in range(50))]
    results, here, began = await run(items, answer, polite(), concurrency=2, buffer=0, ordered=True)
    assert [result.index for result in results] == list(range(51))
    assert times(here, began, "a.example") == pytest.approx([0, 20])


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("robots", [False, True])
async def test_nothing_is_used_up(ordered: bool, robots: bool) -> None:
    """What is asked again, asked for robots.txt, or forbidden takes no room from others, however little there is."""
    refused: set[tuple[str, str]] = set()

    def answer(asked: Asked) -> Any:
        if asked.path == "/robots.txt":
            return b"User-agent: *\nDisallow: /1\n"
        if asked[:2] in refused:
            return b"fine"
        refused.add(asked[:2])
        return reply(b"", "429 Busy", "Retry-After: 1")

    items = [f"http://{host}.example{path}" for path in numbered(9) for host in "abc"]
    results, _, _ = await run(items, answer, polite(robots=robots), concurrency=1, buffer=0, ordered=ordered)
    assert len(results) == 27
    assert sum(result.ok for result in results) == (24 if robots else 27)


async def test_asked_a_bounded_number_of_times() -> None:
    """An item whose host is always too busy is its last answer; the client's own retries do not add to that."""
    with virtual_time() as clock:
        async with site(lambda asked: reply(b"no", "503 Busy"), retries=None) as (client, here):
            one = client.build_request("GET", "/one", retries=None)
            results = await clock.until(all_of(fetch([one], client=client, politeness=polite(attempts=4))))
            assert [result.unwrap().status for result in results] == [503]
            assert len(here.asked) == 4


async def test_retries_of_the_client() -> None:
    """What a host that is busy answers is left to politeness; other retries are the client's."""
    answers = iter([reply(b"", "502 Bad Gateway"), reply(b"", "503 Busy"), b"fine"])
    with virtual_time() as clock:
        async with site(lambda asked: next(answers)) as (client, here):
            from aiohttpclient import RetryPolicy

            request = client.build_request("GET", "/", retries=RetryPolicy(backoff=0))
            (result,) = await clock.until(all_of(fetch([request], client=client, politeness=polite())))
            assert result.unwrap().text == "fine"
            assert here.asked[2].at - here.asked[1].at == 1


async def test_total_timeout_is_of_one_attempt() -> None:
    """Time in which a host is left alone is none of a request's total."""
    answers = iter([reply(b"", "429 Busy", "Retry-After: 100"), 3])
    results, _, _ = await run(
        [("/", {"timeout": Timeout(total=5)})], lambda asked: next(answers), polite(retry_after_max=100)
    )
    assert results[0].ok
    assert results[0].elapsed == pytest.approx(3)


# -- robots.txt


def with_robots(text: bytes, page: Any = b"page") -> Any:
    return lambda asked: text if asked.path == "/robots.txt" else page


async def test_robots() -> None:
    """Each origin is asked for its robots.txt once, before anything else; what that forbids is never asked for."""
    items = [f"http://{host}.example/{path}/{n}" for n in range(5) for host in "ab" for path in ("open", "closed")]
    results, here, _ = await run(items, with_robots(b"User-agent: *\nDisallow: /closed\n"), polite(robots=True))
    assert len(results) == 20
    for host in ("a.example", "b.example"):
        paths = [asked.path for asked in here.asked if asked.host == host]
        assert paths[0] == "/robots.txt"
        assert sorted(paths[1:]) == [f"/open/{n}" for n in range(5)]
    for result in results:
        assert result.request is not None
        assert result.ok == ("open" in str(result.item))
        if not result.ok:
            assert isinstance(result.error, RobotsDisallowed)
            assert result.error.url == result.item


async def test_robots_of_each_origin() -> None:
    """Two schemes and two ports are four origins with a file each; two spellings of a name are one."""
    items = ["http://A.example/1", "http://a.example:80/2", "http://a.example./3", "http://a.example:8080/4"]
    items += ["http://bücher.example/5", "http://xn--bcher-kva.example/6", "http://B%C3%BCCHER.example/7"]
    _, here, _ = await run(items, with_robots(b""), polite(robots=True))
    asked = sorted(asked.host for asked in here.asked if asked.path == "/robots.txt")
    assert asked == ["a.example", "a.example:8080", "xn--bcher-kva.example"]
    assert len(here.asked) == 10


async def test_crawl_delay() -> None:
    """A Crawl-delay is kept between one request and the next; a long one is cut."""
    text = b"User-agent: *\nCrawl-delay: 10\n"
    _, here, began = await run(numbered(4), with_robots(text, 2), polite(robots=True))
    assert times(here, began)[1:] == pytest.approx([0, 10, 20, 30])
    _, here, began = await run(numbered(3), with_robots(text), polite(robots=True, crawl_delay_max=4))
    assert times(here, began)[1:] == pytest.approx([0, 4, 8])


async def test_forbidden_costs_no_time() -> None:
    """What is forbidden counts neither for the rate nor as a request."""
    text = b"User-agent: *\nDisallow: /\nAllow: /$\nCrawl-delay: 10\n"
    results, here, began = await run(["/", *numbered(500), "/"], with_robots(text), polite(robots=True))
    assert sum(result.ok for result in results) == 2
    assert times(here, began)[1:] == pytest.approx([0, 10])


async def test_robots_that_cannot_be_had() -> None:
    """A host without an answer for robots.txt is not asked for anything; later it is tried again."""
    broken = iter([True])

    def answer(asked: Asked) -> Any:
        return reply(b"", "500 Error") if asked.path == "/robots.txt" and next(broken, False) else b"fine"

    async def items() -> AsyncIterator[str]:
        yield "/1"
        yield "/2"
        await asyncio.sleep(61)
        yield "/3"

    results, here, _ = await run(items(), answer, polite(robots=True), ordered=True)
    assert [result.ok for result in results] == [False, False, True]
    assert "status 500" in str(results[1].error)
    assert here.paths == ["/robots.txt", "/robots.txt", "/3"]


async def test_busy_robots() -> None:
    """A host that is too busy for its robots.txt is left alone, and asked again; for a bounded number of times."""
    answers = [reply(b"", "429 Busy", "Retry-After: 20"), reply(b"", "503 Busy"), b""]

    def answer(asked: Asked) -> Any:
        return answers[min(len(here.asked), 3) - 1] if asked.path == "/robots.txt" else b"fine"

    for attempts, ok in ((3, True), (2, False)):
        with virtual_time() as clock:
            async with site(answer) as (client, here):
                began = clock.time()
                settings = polite(robots=True, attempts=attempts)
                results = await clock.until(all_of(fetch(numbered(3), client=client, politeness=settings)))
                assert [result.ok for result in results] == [ok] * 3
                assert times(here, began)[:3] == [0, 20, 22][: attempts if not ok else 3]


async def test_robots_that_are_busy_for_longer_than_that_is_remembered() -> None:
    """An item whose host is always too busy for its robots.txt is given up, however long the host is left alone."""
    busy = reply(b"", "503 Busy", "Retry-After: 200")
    results, here, began = await run(numbered(2), lambda asked: busy, polite(robots=True, attempts=2))
    assert [type(result.error) for result in results] == [RobotsDisallowed] * 2
    assert times(here, began) == [0, 200, 400, 600]


async def test_robots_count_for_the_rate() -> None:
    """Asking for robots.txt is a request like any other."""
    _, here, began = await run(numbered(3), with_robots(b""), polite(robots=True, rate=2))
    assert times(here, began) == pytest.approx([0, 0.5, 1, 1.5])


async def test_slow_robots_are_in_nobodys_way() -> None:
    """While one host is asked for robots.txt it is asked for nothing else, and takes up one worker."""
    items = [f"http://{host}.example/{number}" for number in range(8) for host in "ab"]
    results, here, began = await run(
        items,
        lambda asked: 15 if (asked.host, asked.path) == ("a.example", "/robots.txt") else 1,
        polite(robots=True, adapt=False),
        concurrency=2,
    )
    assert len(results) == 16
    assert max(times(here, began, "b.example")) < 10
    assert times(here, began, "a.example")[:2] == [0, 15]


async def test_client_closed() -> None:
    """When the client is closed, each item that is left fails of that, and not of robots.txt."""
    async with site(with_robots(b"")) as (client, _):
        results = fetch(numbered(9), client=client, politeness=polite(robots=True))
        await client.close()
        found = await all_of(results)
        assert {str(result.error) for result in found} == {"the client is closed"}
        assert len(found) == 9


# -- who asks


async def test_user_agent() -> None:
    """Every request says who asks, unless it says so itself."""
    async with site(with_robots(b"")) as (client, here):
        own = client.build_request("GET", "/own", headers={"User-Agent": "own/1"})
        items: list[Any] = ["/text", client.build_request("GET", "/request"), own]
        items.append(("/pair", {"headers": {"user-agent": "pair/1"}}))
        await all_of(fetch(items, client=client, politeness=polite(robots=True)))
        said = {asked.path: asked.head.partition("User-Agent: ")[2].partition("\r\n")[0] for asked in here.asked}
        said["/pair"] = said["/pair"] or "pair/1" * ("user-agent: pair/1" in here.asked[-1].head)
    assert said == {"/robots.txt": WHO, "/text": WHO, "/request": WHO, "/own": "own/1", "/pair": "pair/1"}


async def test_own_client() -> None:
    """So does a client of the fetch's own."""
    async with LoopbackServer() as server:
        server.add("GET", "/{path}", "yes")
        results = await all_of(fetch([f"{server.url}/a"], politeness=polite(robots=True)))
        assert results[0].unwrap().text == "yes"
        assert [request.headers["User-Agent"] for request in server.requests] == [WHO, WHO]


# -- what cannot be sent, and how it ends


async def test_failures_are_results() -> None:
    """What has no host is a result as well, with its error, in its place."""
    items: list[Any] = ["http://[", "/a", None, "ftp://example.org/", "/b"]
    for ordered in (False, True):
        async with site() as (client, _):
            results = await all_of(fetch(items, client=client, politeness=polite(), ordered=ordered))
        results.sort(key=lambda result: result.index)
        assert [type(result.error) for result in results] == [InvalidURL, type(None), TypeError, InvalidURL, type(None)]


async def test_same_request_twice() -> None:
    """The same request may be given again and again."""
    async with site() as (client, here):
        request = client.build_request("GET", "/a")
        results = await all_of(fetch([request] * 5, client=client, politeness=polite()))
        assert [result.ok for result in results] == [True] * 5
        assert len(here.asked) == 5


async def test_input_raises() -> None:
    """What the input raises comes after the results of what was read before."""

    def items() -> Iterator[str]:
        yield from numbered(5)
        raise KeyError("broken")

    found = []
    with virtual_time() as clock:
        async with site(lambda asked: 3) as (client, _):

            async def collect() -> None:
                async for result in fetch(items(), client=client, politeness=polite(rate=1)):
                    found.append(result)  # noqa: PERF401  # those before the error are wanted

            with pytest.raises(KeyError):
                await clock.until(collect())
    assert len(found) == 5


@pytest.mark.parametrize("moment", Moment)
async def test_cancelled_anywhere(moment: Moment) -> None:
    """Cancelled at any await, a polite fetch leaves nothing: no task, no request, no timer that matters."""
    refused = itertools.cycle([False, True, False])

    def answer(asked: Asked) -> Any:
        if asked.path != "/robots.txt" and next(refused):
            return reply(b"", "429 Busy", "Retry-After: 0")
        return b""

    async with site(answer) as (client, _):

        async def work() -> None:
            items = [f"http://{host}.example{path}" for path in numbered(3) for host in "ab"]
            async with fetch(items, client=client, concurrency=3, politeness=polite(robots=True)) as results:
                async for result in results:
                    assert result.response is not None

        def ended(ending: Ending) -> None:
            left = [task for task in asyncio.all_tasks() if task.get_name().startswith("bulk.fetch")]
            stats = client.pool.stats()
            assert (left, stats.busy, stats.connecting, stats.waiting) == ([], 0, 0, 0), ending

        assert await sweep(moment, work, ended=ended) > 3


async def test_many_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of hosts does not pile up: a host that has nothing more to do is let go."""
    monkeypatch.setattr(hosts_module, "KEPT", 20)
    most = 0
    async with site() as (client, _):
        items = (f"http://host{number}.example/" for number in range(300))
        results = fetch(items, client=client, concurrency=5, buffer=5, politeness=polite(window=20))
        async for result in results:
            assert result.ok
            assert results._engine is not None
            most = max(most, len(results._engine._source._hosts))  # type: ignore[attr-defined]  # a Schedule
    assert most <= 60


async def test_redirects_to_another_host() -> None:
    """A redirect counts for the host that was asked; when another one is too busy there, that one is left alone."""

    def answer(asked: Asked) -> Any:
        if asked.host == "a.example":
            return reply(b"", "302 Found", "Location: http://b.example/target")
        return reply(b"", "429 Busy", "Retry-After: 30") if asked.path == "/target" else b"fine"

    async def items() -> AsyncIterator[str]:
        yield "http://a.example/"
        await asyncio.sleep(5)
        yield "http://b.example/own"

    results, here, began = await run(items(), answer, polite(), ordered=True)
    assert [result.unwrap().status for result in results] == [429, 200]
    assert times(here, began, "b.example") == pytest.approx([0, 30])


@pytest.mark.parametrize("seed", range(12))
async def test_storm(seed: int) -> None:
    """Whatever the settings, and whatever goes wrong, each item has one result, and no host gets more than it may."""
    rng = random.Random(seed)
    settings = Politeness(
        WHO,
        per_host=rng.choice([1, 2, 5]),
        rate=rng.choice([None, None, 0.5, 3.0]),
        robots=rng.random() < 0.6,
        attempts=rng.choice([1, 3]),
        adapt=rng.random() < 0.7,
        window=rng.choice([1, 7, 1000]),
        retry_after_max=rng.choice([5.0, 300.0]),
        give_up=rng.choice([1, 3, 8, None]),
    )
    ordered, concurrency, buffer = rng.random() < 0.5, rng.choice([1, 3, 20]), rng.choice([0, 1, 30])

    def answer(asked: Asked) -> Any:
        if asked.path == "/robots.txt":
            texts = [b"", b"User-agent: *\nDisallow: /1\nCrawl-delay: 2", reply(b"", "404 No"), reply(b"", "503 Busy")]
            return rng.choice([*texts, reply(b"", "500 Error"), None])
        wait = f"Retry-After: {rng.choice([0, 1, 7, 90])}"
        refusals = [reply(b"", "429 Busy", wait), reply(b"", "503 Busy"), reply(b"", "503 Busy", wait)]
        return rng.choice([*refusals, reply(b"", "500 Error"), None, *[rng.random() * 9 for _ in range(12)]])

    items: list[Any] = [f"http://{rng.choice('aabcdefg')}.example/{number}" for number in range(120)]
    for number in rng.sample(range(120), 5):
        items[number] = rng.choice(["http://[", None, "ftp://a.example/"])
    given = as_awaited(items) if rng.random() < 0.5 else iter(items)
    results, here, _ = await run(given, answer, settings, concurrency, buffer=buffer, ordered=ordered)
    indices = [result.index for result in results]
    assert indices == list(range(120)) if ordered else sorted(indices) == list(range(120))
    assert all(result.item is items[result.index] for result in results)
    assert all(most <= settings.per_host for most in here.most_of.values())
    assert here.most <= concurrency


async def as_awaited(items: list[Any]) -> AsyncIterator[Any]:
    """The same, asynchronously."""
    for item in items:
        yield item
        await asyncio.sleep(0)
