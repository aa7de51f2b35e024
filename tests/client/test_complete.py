"""``client/_complete.py``: a request that no middleware has to do with is sent at once, and comes to the same."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPResponse,
    BodyTooLarge,
    HTTPException,
    IncompleteRead,
    PoolLimits,
    RetryPolicy,
    TooManyRedirects,
)
from aiohttpclient.client._complete import CompleteSender
from tests.client.clients import chunked, coded, talking
from tests.pool.servers import HALF, counts, refusing_port, turns
from tests.support.server import reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttpclient.client import Request, ResponseStream
    from aiohttpclient.client._pipeline import Handler
    from tests.client.clients import Here
    from tests.support.server import Peer

SLOW, RESOLUTION = 0.01, 0.002
"""Seconds: more than the clock of uvloop, which has whole milliseconds, can be wrong by."""

QUICK = RetryPolicy(backoff=0.0)
ODD = RetryPolicy(backoff=0.0, on_status={202})


def to(location: str, status: str = "302 Found", body: bytes = b"over there") -> bytes:
    """An answer that leads to ``location``."""
    return reply(body, f"Location: {location}", status=status)


def once(first: bytes, then: bytes) -> Callable[[Peer], Any]:
    """A page that is ``first`` when it is asked for first, and ``then`` from then on."""
    left = [first]

    async def page(peer: Peer) -> None:
        await peer.send(left.pop() if left else then)

    return page


def pages() -> dict[str, Any]:
    """One of each kind of answer."""
    return {
        "/whole": reply(b"whole"),
        "/empty": reply(b"", status="204 No Content"),
        "/chunked": chunked(b"a", b"bc"),
        "/coded": coded(zlib.compress(b"coded"), "deflate"),
        "/away": to("/whole"),
        "/round": to("/round"),
        "/cookie": reply(b"cookie", "Set-Cookie: a=b"),
        "/missing": reply(b"no", status="404 Not Found"),
        "/busy": once(reply(b"later", status="503 Service Unavailable"), reply(b"now")),
        "/accepted": once(reply(b"later", status="202 Accepted"), reply(b"now")),
    }


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("/whole", {}),
    "no content": ("/empty", {}),
    "chunked": ("/chunked", {}),
    "coded": ("/coded", {}),
    "coded, bounded": ("/coded", {"max_body": 3}),
    "bounded": ("/whole", {"max_body": 3}),
    "within bounds": ("/whole", {"max_body": 5}),
    "redirect": ("/away", {}),
    "redirect not followed": ("/away", {"follow_redirects": False}),
    "circle": ("/round", {}),
    "cookie": ("/cookie", {}),
    "missing": ("/missing", {}),
    "retried": ("/busy", {"retries": QUICK}),
    "not retried": ("/busy", {"retries": None}),
    "retried though 2xx": ("/accepted", {"retries": ODD}),
    "own fields": ("/whole", {"headers": {"X-A": "b"}}),
    "post": ("/whole", {"method": "POST", "json": {"a": 1}}),
    "post redirected": ("/away", {"method": "POST", "content": b"abc"}),
    "head": ("/empty", {"method": "HEAD"}),
}


async def outcome(here: Here, path: str, options: dict[str, Any]) -> list[Any]:
    """What comes of a request that is made four times, and so remembered, and what the server has seen of it."""
    seen: list[Any] = []
    for _ in range(4):
        try:
            response = await here.client.request(**{"method": "GET", "url": path, **options})
        except (HTTPException, OSError) as error:
            notes = [note.replace(here.server.netloc, "") for note in getattr(error, "__notes__", [])]
            seen.append((type(error), str(error).replace(here.server.netloc, ""), notes))
        else:
            attempts = [(one.number, one.status, one.error, one.delay) for one in response.attempts]
            history = [(one.status, one.url.path, one.content) for one in response.history]
            seen += [response.status, response.url.path, response.content, response.headers, history, attempts]
    asked = [(one.method, one.target, one.body, one.head.count(b"Cookie: a=b")) for one in here.site.asked]
    cookies = [(cookie.name, cookie.value, cookie.domain) for cookie in here.client.cookies]
    return [*seen, asked, cookies, counts(here.client.pool).busy]


@pytest.mark.parametrize(("path", "options"), CASES.values(), ids=CASES)
async def test_both_ways_come_to_the_same(path: str, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes of a request does not depend on the way that it goes."""
    async with talking(pages()) as here:
        short = await outcome(here, path, options)
    init = CompleteSender.__init__

    def long_way(self: CompleteSender, *arguments: Any, direct: bool) -> None:
        assert direct
        init(self, *arguments, direct=False)

    monkeypatch.setattr(CompleteSender, "__init__", long_way)
    async with talking(pages()) as here:
        assert await outcome(here, path, options) == short


async def test_whole_answer_leaves_the_connection_free() -> None:
    """When the response is there its connection is idle; its timings tell of this request."""
    async with talking({"/": reply(b"whole")}) as here:
        first, second = await here.client.get("/"), await here.client.get("/")
        assert counts(here.client.pool) == (1, 0, 0, 0)
        assert (first.timings.reused, second.timings.reused) == (False, True)
        assert second.timings.receive == 0.0
        assert 0.0 <= second.timings.wait <= second.timings.total < 60.0
        assert first.timings.address == second.timings.address == (here.server.host, here.server.port)


async def test_no_object_for_a_body_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small answer that came in one piece takes the short way: nothing is made to read its body with."""
    made: list[object] = []
    init = AsyncHTTPResponse.__init__

    def noting(self: AsyncHTTPResponse, *arguments: Any) -> None:
        made.append(self)
        init(self, *arguments)

    monkeypatch.setattr(AsyncHTTPResponse, "__init__", noting)
    async with talking(pages()) as here:
        assert (await here.client.get("/whole")).content == b"whole"
        assert (await here.client.get("/coded")).content == b"coded"
        assert not made
        assert (await here.client.get("/chunked")).content == b"abc"
        assert len(made) == 1


async def test_own_middlewares_see_every_request() -> None:
    """Where the caller has middlewares of his own, each request passes through them."""
    seen: list[str] = []

    async def watching(request: Request, call_next: Handler) -> ResponseStream:
        seen.append(request.url.path)
        return await call_next(request)

    async with talking(pages(), middlewares=[watching]) as here:
        for path in ("/whole", "/coded", "/missing"):
            await here.client.get(path)
    assert seen == ["/whole", "/coded", "/missing"]


@pytest.mark.parametrize("path", ["/whole", "/missing", "/coded", "/chunked"])
async def test_each_request_counts_once_for_the_budget(path: str) -> None:
    """Whichever way it goes, a request is one that retries are allowed for, and no more."""
    policy = RetryPolicy()
    async with talking(pages()) as here:
        await here.client.get(path)
        budget = here.client._retries._budget
        before = budget._balance
        for number in range(1, 4):
            await here.client.get(path, retries=policy)
            assert budget._balance == pytest.approx(before + number * budget.share)
        await here.client.get(path, retries=None)
        await here.client.get(path, retries=RetryPolicy(attempts=1))
        assert budget._balance == pytest.approx(before + 3 * budget.share)


async def test_first_attempt_tells_its_time() -> None:
    """An attempt that failed on the short way tells how long it has taken, as every other."""
    taken: list[float] = []

    async def slow(peer: Peer) -> None:
        begun = time.monotonic()
        await turns(20)
        taken.append(time.monotonic() - begun)
        await peer.send(reply(b"later", status="503 Service Unavailable"))

    async with talking({"/": slow}) as here:
        response = await here.client.get("/", retries=RetryPolicy(attempts=2, backoff=0.0))
        first, second = response.attempts
        assert first.elapsed >= taken[0] - RESOLUTION
        assert second.elapsed >= taken[1]


async def test_error_of_the_short_way_is_told_once() -> None:
    """What fails before there is an answer has one note of each attempt, no context, and no cycle that keeps it."""
    url = f"http://127.0.0.1:{refusing_port()}/"
    async with AsyncHTTPClient(trust_env=False) as client:
        with pytest.raises(ConnectionRefusedError) as caught:
            await client.get(url, retries=RetryPolicy(attempts=2, backoff=0.0))
    notes = caught.value.__notes__
    assert [note.partition(":")[0] for note in notes if note.startswith("attempt")] == ["attempt 1", "attempt 2"]
    assert caught.value.__context__ is None


async def test_refusals_come_by_the_short_way_too() -> None:
    """A circle of redirects, a body that is too large and one that ends early are errors all the same."""
    async with talking(pages(), limits=PoolLimits(connections=1)) as here:
        with pytest.raises(TooManyRedirects):
            await here.client.get("/round")
        with pytest.raises(BodyTooLarge):
            await here.client.get("/whole", max_body=4)

        async def cut(peer: Peer) -> None:
            await peer.send(HALF)
            peer.close()

        here.site.pages["/cut"] = cut
        with pytest.raises(IncompleteRead):
            await here.client.get("/cut")
        assert counts(here.client.pool)[1:] == (0, 0, 0)


@pytest.mark.parametrize("path", ["/whole", "/coded", "/missing", "/away"])
async def test_requests_are_nobody_elses(path: str) -> None:
    """Requests that are alike are made once; what anybody gets to see of one is his own."""
    async with talking(pages()) as here:
        responses = [await here.client.get(path) for _ in range(3)]
        requests = [response.request for response in responses]
        assert len({id(request) for request in requests}) == 3
        assert [response.request for response in responses] == requests
        requests[1].headers["X-Mine"] = "1"
        requests[1].url_text = "http://changed.example/"
        requests[1].change(max_body=0)
        requests[1].extensions["mine"] = 1
        again = await here.client.get(path)
        assert (again.status, again.content, again.url) == (
            responses[0].status, responses[0].content, responses[0].url,
        )  # fmt: skip
        assert "X-Mine" not in again.request.headers
        assert "mine" not in again.request.extensions
        assert b"X-Mine" not in here.asked.head


async def test_what_the_client_says_may_change() -> None:
    """A request that was made before is made anew when the client has other fields."""
    async with talking(pages()) as here:
        for _ in range(2):
            await here.client.get("/whole")
        here.client.headers["X-New"] = "1"
        assert (await here.client.get("/whole")).request.headers["X-New"] == "1"
        assert here.sent["X-New"] == "1"
        del here.client.headers["X-New"]
        await here.client.get("/whole")
        assert "X-New" not in here.sent


@pytest.mark.parametrize(
    "options",
    [{"headers": {"X-A": "b"}}, {"auth": ("u", "p")}, {"cookies": {"a": "b"}}, {"content": b"abc"}],
    ids=["headers", "auth", "cookies", "content"],
)
async def test_options_are_for_one_request(options: dict[str, Any]) -> None:
    """What is said about one request is not said with the next one like it."""
    async with talking(pages()) as here:
        await here.client.post("/whole")
        plain = here.asked
        await here.client.post("/whole", **options)
        assert here.asked != plain
        await here.client.post("/whole")
        assert here.asked == plain


@pytest.mark.parametrize("retries", [None, RetryPolicy(attempts=1), RetryPolicy()], ids=["none", "one", "usual"])
@pytest.mark.parametrize("path", ["/missing", "/away", "/cookie"])
async def test_nothing_is_left_in_the_request(path: str, retries: RetryPolicy | None) -> None:
    """What the short way notes for the long one is not there any more when the caller gets to see the request."""
    async with talking(pages(), retries=retries) as here:
        response = await here.client.get(path)
        assert [each.request.extensions for each in (response, *response.history)] == [{}] * (1 + len(response.history))
