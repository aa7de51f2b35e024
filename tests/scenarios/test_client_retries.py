"""The budget of retries: what servers that fail are spared."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, InvalidHead, RetryBudget, RetryPolicy
from aiohttpclient.testing import CutHead, LoopbackServer
from tests.client.clients import talking
from tests.pool.servers import refusing_port
from tests.support.server import reply

if TYPE_CHECKING:
    from aiohttpclient import Response

FAILING: dict[str, Any] = {"/": reply(b"", status="503 Later"), "/fine": reply(b"fine")}


def at_once(attempts: int = 3, **options: Any) -> RetryPolicy:
    """A policy without a wait."""
    return RetryPolicy(attempts, backoff=0, **options)


def statuses(response: Response) -> list[int | None]:
    return [attempt.status for attempt in response.attempts]


@pytest.mark.parametrize("reserve", [0, 1, 3])
async def test_reserve(reserve: int) -> None:
    """Once the budget is spent, each request is sent once, and its first answer is the answer, however it came."""
    budget = RetryBudget(share=0, per_second=0, reserve=reserve)
    async with talking(FAILING, retries=at_once(3, budget=budget)) as here:
        sent = []
        for _ in range(4):
            before = len(here.site.asked)
            assert (await here.client.get("")).status == 503
            async with here.client.stream("GET", "") as stream:
                assert stream.status == 503
            sent.append(len(here.site.asked) - before)
        assert sent == {0: [2, 2, 2, 2], 1: [3, 2, 2, 2], 3: [5, 2, 2, 2]}[reserve]
        assert budget.balance == 0


async def test_share_of_requests() -> None:
    """Each request, whatever becomes of it, puts in a share, and when these make a whole one there is a retry again."""
    budget = RetryBudget(share=0.25, per_second=0, reserve=1)
    async with talking(FAILING, retries=at_once(2, budget=budget)) as here:
        first = await here.client.get("")
        assert statuses(first) == [503, 503]
        assert (await here.client.get("")).attempts == ()
        assert (await here.client.get("fine")).content == b"fine"
        async with here.client.stream("GET", "fine") as stream:
            assert await stream.read() == b"fine"
        del here.site.asked[:]
        assert statuses(await here.client.get("")) == [503, 503]
        assert here.site.targets == ["/", "/"]


async def test_shared_by_clients() -> None:
    """One budget may be given to several clients, which spend it together."""
    budget = RetryBudget(share=0, per_second=0, reserve=2)
    async with talking(FAILING) as here:
        options: Any = {"retries": at_once(2, budget=budget), "base_url": here.server.url, "trust_env": False}
        async with AsyncHTTPClient(**options) as one, AsyncHTTPClient(**options) as other:
            for client, count in ((one, 2), (other, 2), (one, 1), (other, 1)):
                del here.site.asked[:]
                await client.get("")
                assert len(here.site.asked) == count


async def test_errors() -> None:
    """What fails without an answer is repeated out of the same budget."""
    budget = RetryBudget(share=0, per_second=0, reserve=3)
    async with AsyncHTTPClient(retries=at_once(3, budget=budget), trust_env=False) as client:
        for tried in (3, 2, 0):
            with pytest.raises(ConnectionRefusedError) as caught:
                await client.get(f"http://127.0.0.1:{refusing_port()}/")
            assert len(vars(caught.value).get("attempts", ())) == tried


@pytest.mark.parametrize(("method", "times"), [("GET", 3), ("PUT", 3), ("POST", 1), ("PATCH", 1)])
@pytest.mark.parametrize("length", [1, 12, 30])
async def test_cut_within_the_head(length: int, method: str, times: int) -> None:
    """A request whose answer was cut in its head is repeated as one without an answer is: if that is idempotent."""
    async with LoopbackServer() as server, AsyncHTTPClient(retries=at_once(3), trust_env=False) as client:
        server.add(method, "/cut", CutHead("text", length))
        with pytest.raises(InvalidHead) as caught:
            await client.request(method, f"{server.url}/cut")
        assert caught.value.cut
        assert len(server.requests) == times
        answers: list[Any] = [CutHead("text", length), "complete"]
        server.add(method, "/later", lambda request: answers.pop(0))
        if times == 1:
            with pytest.raises(InvalidHead):
                await client.request(method, f"{server.url}/later")
        else:
            response = await client.request(method, f"{server.url}/later")
            assert response.text == "complete"
            assert len(response.attempts) == 2


async def test_of_a_client() -> None:
    """A client has a budget of its own, unless it is turned off: what it sends to a server that fails is bounded."""
    count = 160
    async with talking(FAILING, retries=at_once(2)) as here:
        started = time.monotonic()
        for _ in range(count):
            await here.client.get("")
        passed = time.monotonic() - started
        retries = len(here.site.asked) - count
        assert 100 <= retries <= 100 + 0.2 * count + 10 * passed
        del here.site.asked[:]
        for _ in range(30):
            await here.client.get("", retries=at_once(2, budget=None))
        assert len(here.site.asked) == 60
