"""Sending again: what is sent, when, what is released, and what is told. Nothing here waits for real time."""

from __future__ import annotations

import asyncio
import errno
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import RetryBudget
from aiohttpclient.client._request import Request, Settings
from aiohttpclient.client._retry_policy import Attempt, RetryPolicy
from aiohttpclient.client.middlewares._retries import RetriesMiddleware
from aiohttpclient.errors import ConnectTimeout, PoolClosed
from aiohttpclient.pool import TimeoutManager
from aiohttpclient.pool._retry import note_unsent
from aiohttpclient.timeouts import Timeout

if TYPE_CHECKING:
    from typing import TypeAlias

    Outcome: TypeAlias = "int | Exception | FakeStream"

NOW = 784111777.0
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
IN_3_S = "Sun, 06 Nov 1994 08:49:40 GMT"
LIKELY = Settings(retries=RetryPolicy(backoff=1.0))


class FakeStream:
    """A response, as far as retries see it."""

    def __init__(self, status: int, **fields: str) -> None:
        self.status = status
        self.fields = {name.replace("_", "-").lower(): value for name, value in fields.items()}
        self.looked_at: list[str] = []
        self.released = False
        self.attempts: Any = "untouched"

    def field(self, name: str) -> str | None:
        self.looked_at.append(name)
        return self.fields.get(name.lower())

    async def release(self) -> None:
        await asyncio.sleep(0)
        self.released = True


class FakePayload:
    content_type = None
    length = None

    def __init__(self, replayable: bool) -> None:
        self.replayable = replayable

    def open(self) -> bytes:
        return b""


class Line:
    """What is behind the middleware: it answers as told, and has a clock that only waiting and answering move."""

    def __init__(self, *outcomes: Outcome, elapsed: float = 0.25) -> None:
        self.outcomes = [FakeStream(each) if isinstance(each, int) else each for each in outcomes]
        self.left = iter(self.outcomes)
        self.elapsed = elapsed
        self.sent: list[Request] = []
        self.waited: list[float] = []
        self.told: list[Attempt] = []
        self.time = 50.0
        self.looked = 0

    def clock(self) -> float:
        self.looked += 1
        return self.time

    async def handler(self, request: Request) -> Any:
        assert self.all_released()
        self.sent.append(request)
        self.time += self.elapsed
        outcome = next(self.left)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def sleep(self, seconds: float) -> None:
        assert self.all_released()
        self.waited.append(seconds)
        self.time += seconds

    def all_released(self) -> bool:
        """Whether every response that was given so far is released."""
        return all(each.released for each in self.outcomes[: len(self.sent)] if isinstance(each, FakeStream))

    def middleware(self, budget: RetryBudget | None = None, **more: Any) -> RetriesMiddleware:
        options: dict[str, Any] = {
            "on_retry": lambda request, attempt: self.told.append(attempt),
            "sleep": self.sleep,
            "clock": self.clock,
            "now": lambda: NOW + self.time - 50,
            "rng": lambda: 0.5,
        }
        return RetriesMiddleware(budget, **options | more)

    async def send(self, request: Request, **more: Any) -> Any:
        return await self.middleware(**more)(request, self.handler)


def request(method: str = "GET", settings: Settings = LIKELY, payload: Any = None) -> Request:
    return Request(method, "http://host.example/", payload=payload, settings=settings)


def reset() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "reset by peer")


# -- nothing to do


@pytest.mark.parametrize("settings", [Settings(), Settings(retries=RetryPolicy(1))], ids=["none", "one attempt"])
@pytest.mark.parametrize("status", [200, 503])
async def test_off(settings: Settings, status: int) -> None:
    """Without a policy, or with one attempt, the very request goes through, and its response comes back as it is."""
    line, given = Line(status), request(settings=settings)
    stream = await line.send(given)
    assert line.sent[0] is given
    assert (stream, stream.attempts, stream.looked_at, line.looked) == (line.outcomes[0], "untouched", [], 0)


@pytest.mark.parametrize("status", [200, 204, 301, 404, 500])
async def test_success_costs_nothing(status: int) -> None:
    """A response that nothing is to be done about is not looked at beyond its status."""
    line = Line(status)
    stream = await line.send(request())
    assert (stream.attempts, stream.looked_at, stream.released) == ("untouched", [], False)
    assert (len(line.sent), line.looked, line.waited, line.told) == (1, 1, [], [])


async def test_error_that_is_final() -> None:
    """An error that is not one to repeat after comes as it is, without notes."""
    error = ValueError("a bug")
    line = Line(error)
    with pytest.raises(ValueError) as caught:
        await line.send(request())
    assert caught.value is error
    assert not hasattr(error, "__notes__")
    assert not hasattr(error, "attempts")
    assert len(line.sent) == 1


@pytest.mark.parametrize("outcome", [503, reset()])
async def test_body_that_is_used_up(outcome: Outcome) -> None:
    """A request whose body cannot be sent twice is sent once, and what comes of that is the result."""
    line, given = Line(outcome), request("PUT", payload=FakePayload(replayable=False))
    if isinstance(outcome, Exception):
        with pytest.raises(ConnectionResetError):
            await line.send(given)
    else:
        stream = await line.send(given)
        assert (stream.status, stream.released, stream.attempts) == (503, False, "untouched")
    assert len(line.sent) == 1


async def test_post_with_a_status() -> None:
    """A POST is not repeated after a status."""
    line = Line(503)
    stream = await line.send(request("POST", payload=FakePayload(replayable=True)))
    assert (stream.status, stream.released, line.waited) == (503, False, [])


# -- repeating


async def test_until_it_succeeds() -> None:
    """What failed is released, waited after, and sent again until it succeeds; the stream says what was tried."""
    line = Line(503, reset(), 200)
    stream = await line.send(request(payload=FakePayload(replayable=True)))
    assert (stream.status, stream.released) == (200, False)
    assert line.waited == [0.5, 1.0]
    assert stream.attempts == (
        Attempt(1, NOW, 0.25, 503, None, 0.5),
        Attempt(2, NOW + 0.75, 0.25, None, f"ConnectionResetError: [Errno {errno.ECONNRESET}] reset by peer", 1.0),
        Attempt(3, NOW + 2, 0.25, 200),
    )
    assert line.told == list(stream.attempts[:2])


async def test_all_attempts_fail_with_a_status() -> None:
    """When the attempts are used up, the last response is the result, unreleased, with all attempts on it."""
    last = FakeStream(504)
    line = Line(503, 502, last)
    stream = await line.send(request())
    assert stream is last
    assert not stream.released
    assert [(each.number, each.status, each.delay) for each in stream.attempts] == [
        (1, 503, 0.5), (2, 502, 1.0), (3, 504, None),
    ]  # fmt: skip


async def test_all_attempts_fail_with_an_error() -> None:
    """When the attempts are used up, the last error has all of them, in its notes as well, and when it pickles."""
    last = ConnectTimeout(1.0, 1.0)
    line = Line(reset(), 503, last)
    with pytest.raises(ConnectTimeout) as caught:
        await line.send(request())
    assert caught.value is last
    assert last.__notes__ == [
        f"attempt 1: ConnectionResetError: [Errno {errno.ECONNRESET}] reset by peer (0.25 s; next after 0.5 s)",
        "attempt 2: 503 (0.25 s; next after 1 s)",
        "attempt 3: ConnectTimeout: connect timed out after 1 s (limit 1 s) (0.25 s; the last)",
    ]
    attempts = vars(last)["attempts"]
    assert [each.number for each in attempts] == [1, 2, 3]
    assert last.__context__ is None
    assert vars(pickle.loads(pickle.dumps(last)))["attempts"] == attempts


async def test_another_error_ends_it() -> None:
    """An error that is final is raised, whatever came before, and says so."""
    line = Line(503, PoolClosed("closed"))
    with pytest.raises(PoolClosed) as caught:
        await line.send(request())
    assert caught.value.__notes__[1] == "attempt 2: PoolClosed: closed (0.25 s; the last)"


async def test_another_status_ends_it() -> None:
    """A status that is final is the result, whatever came before."""
    line = Line(503, 404)
    stream = await line.send(request())
    assert [each.status for each in stream.attempts] == [503, 404]


async def test_each_attempt_is_the_same() -> None:
    """Each attempt sends the very request that was given: those behind write into copies of their own."""
    line, given = Line(503, reset(), 200), request()
    await line.send(given)
    assert [each is given for each in line.sent] == [True, True, True]
    assert given.only_block


async def test_post_that_was_not_sent() -> None:
    """A POST is repeated when nothing of it was sent, which the pool says."""
    error = ConnectTimeout(1, 1)
    note_unsent(error, True)
    line = Line(error, 200)
    stream = await line.send(request("POST", payload=FakePayload(replayable=True)))
    assert stream.status == 200
    assert [each.method for each in line.sent] == ["POST", "POST"]


async def test_post_that_may_have_been_sent() -> None:
    """A POST is not repeated after an error that looks as if there was no connection, but does not come of that."""
    line = Line(ConnectTimeout(1, 1))
    with pytest.raises(ConnectTimeout):
        await line.send(request("POST", payload=FakePayload(replayable=True)))
    assert len(line.sent) == 1


# -- how long it waits


@pytest.mark.parametrize(
    ("fields", "waited"),
    [
        ({}, [0.5]),
        ({"Retry_After": "3"}, [3.5]),
        ({"Retry_After": "5"}, [5.5]),
        ({"Retry_After": "6"}, []),
        ({"Retry_After": "rubbish"}, [0.5]),
        ({"Retry_After": "-1"}, [0.5]),
        ({"Retry_After": DATE}, [0.5]),
        ({"Retry_After": "Fri, 31 Dec 9999 23:59:59 GMT"}, []),
        ({"Retry_After": IN_3_S}, [3.25]),  # a quarter of a second has passed since
        ({"Retry_After": IN_3_S, "Date": "rubbish"}, [3.25]),
        ({"Retry_After": IN_3_S, "Date": DATE}, [3.5]),
        ({"Retry_After": "Mon, 01 Jan 2035 00:00:02 GMT", "Date": "Mon, 01 Jan 2035 00:00:00 GMT"}, [2.5]),
    ],
)
async def test_retry_after(fields: dict[str, str], waited: list[float]) -> None:
    """A wait that the server asks for is obeyed, a date by its own clock; one that is too long ends it."""
    first = FakeStream(429, **fields)
    line = Line(first, 200)
    stream = await line.send(request())
    assert line.waited == waited
    assert first.released is bool(waited)
    assert (stream is first) is not bool(waited)


async def test_retry_after_that_is_not_respected() -> None:
    """A policy that does not respect Retry-After does not look at it."""
    first = FakeStream(503, Retry_After="60")
    line = Line(first, 200)
    await line.send(request(settings=Settings(retries=RetryPolicy(backoff=1.0, respect_retry_after=False))))
    assert (line.waited, first.looked_at) == ([0.5], [])


@pytest.mark.parametrize(("asked", "again"), [("1000", False), ("1", True)])
async def test_total_is_known(asked: str, again: bool) -> None:
    """A wait that does not fit into what is left of the total is not begun, and the response is there at once."""
    clock = TimeoutManager(Timeout(total=500))
    policy = RetryPolicy(backoff=0, retry_after_max=None)
    first = FakeStream(503, Retry_After=asked)
    line = Line(first, 200)
    stream = await line.send(request(settings=Settings(retries=policy, timeout=clock)))
    assert (stream is not first, first.released, len(line.waited)) == (again, again, int(again))


async def test_total_is_used_up() -> None:
    """With nothing left of the total, an error is raised as it came."""
    clock = TimeoutManager(Timeout(total=1), deadline=asyncio.get_running_loop().time())
    line = Line(reset())
    with pytest.raises(ConnectionResetError) as caught:
        await line.send(request(settings=Settings(retries=RetryPolicy(), timeout=clock)))
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize("timeout", [None, 3.0, Timeout(3)])
async def test_no_total(timeout: float | Timeout | None) -> None:
    """Without a clock that runs, nothing bounds the wait."""
    line = Line(503, 200)
    stream = await line.send(request(settings=Settings(retries=RetryPolicy(), timeout=timeout)))
    assert stream.status == 200


# -- budgets


async def test_budget() -> None:
    """Requests share a budget; once it is used up, each is sent once, and its response is the result."""
    budget = RetryBudget(0.25, 0, 3)
    line = Line(*[503] * 12)
    middleware = line.middleware(budget)
    sent = []
    for _ in range(8):
        before = len(line.sent)
        stream = await middleware(request(), line.handler)
        assert stream.status == 503
        await stream.release()  # as its caller would
        sent.append(len(line.sent) - before)
    assert sent == [3, 2, 1, 1, 2, 1, 1, 1]  # three of the reserve, and one for every four requests


async def test_budget_ends_an_error() -> None:
    """With the budget used up, an error is raised after the first attempt."""
    line = Line(reset())
    with pytest.raises(ConnectionResetError):
        await line.send(request(), budget=RetryBudget(0, 0, 0))
    assert line.waited == []


@pytest.mark.parametrize("reserve", [None, 5], ids=["none", "own"])
async def test_budget_of_the_policy(reserve: int | None) -> None:
    """A policy with a budget of its own, or with none, does not touch that of the client."""
    own = None if reserve is None else RetryBudget(0, 0, reserve)
    budget = RetryBudget(1.0, 0, 1)
    budget.withdraw()
    line = Line(503, 503, 200)
    stream = await line.send(request(settings=Settings(retries=RetryPolicy(budget=own))), budget=budget)
    assert stream.status == 200
    assert budget.balance == 0
    if own is not None:
        assert own.balance == 3


async def test_budget_counts_requests() -> None:
    """Every request that may be retried brings its share, one that may not brings nothing."""
    budget = RetryBudget(0.5, 0, 10)
    for _ in range(10):
        budget.withdraw()
    middleware = RetriesMiddleware(budget)
    for settings in (LIKELY, LIKELY, Settings()):
        await middleware(request(settings=settings), Line(200).handler)
    assert budget.balance == 1


async def test_nothing_is_tried_that_has_no_use() -> None:
    """What a policy does not repeat takes nothing out of the budget."""
    budget = RetryBudget(0, 0, 1)
    await Line(503).send(request("POST"), budget=budget)
    assert budget.balance == 1


# -- cancellation


@pytest.mark.parametrize("first", [503, reset()])
async def test_cancelled_while_it_waits(first: Outcome) -> None:
    """Cancelled between two attempts, it holds nothing, and sends nothing more."""
    line, waiting = Line(first, 200), asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(line.send(request(), sleep=sleep))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert line.all_released()
    assert len(line.sent) == 1


async def test_cancelled_while_it_sends() -> None:
    """A cancellation is not an error to repeat after, even for a policy that repeats after everything."""
    calls = []

    async def handler(sent: Request) -> Any:
        calls.append(sent)
        raise asyncio.CancelledError

    settings = Settings(retries=RetryPolicy(on_errors=lambda error: True))
    with pytest.raises(asyncio.CancelledError):
        await RetriesMiddleware()(request(settings=settings), handler)
    assert len(calls) == 1


async def test_real_sleep() -> None:
    """Without one given, it is asyncio's sleep that waits."""
    line = Line(503, reset(), 200)
    stream = await RetriesMiddleware()(request(settings=Settings(retries=RetryPolicy(backoff=0))), line.handler)
    assert [each.number for each in stream.attempts] == [1, 2, 3]
