"""Sending a request again, as its ``RetryPolicy`` decides.

Theory of operation
-------------------
Each attempt sends the same request: those further in write ``Authorization`` and ``Cookie`` into copies of their own.
Between two attempts nothing is held: the response that is not wanted was read to its end or closed, so its connection
is free while time passes, and a cancellation then has nothing to clean up.

What was done is told where the caller looks: ``attempts`` of the stream, or of the error, which has a note for each as
well. A request that is not repeated has none of it: its stream and its error pass as they came.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Final

from ..._sentinels import DEFAULT, Default
from ...pool import TimeoutManager
from .._retry_budget import RetryBudget
from .._retry_policy import Attempt, described, http_date, retry_after, tell

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._pipeline import Handler
    from .._request import Request
    from .._retry_policy import RetryPolicy
    from .._stream import ResponseStream

SPENT: Final = "retries.spent"
"""Under which a request's ``extensions`` say how many seconds its first attempt has taken before it came here."""


class RetriesMiddleware:
    """Sends requests again that failed in a way that ``request.retries`` names; None there: never.

    :param budget: for the requests whose policy has no budget of its own; without one this has its own
    :param on_retry: called with the request and the :class:`Attempt` that failed, before the wait; must not raise
    :param sleep, clock, now, rng: waits; gives seconds to measure with, and those since the epoch; a number from 0 to 1

    A wait that does not fit into what is left of the total (``request.timeout``, when that is a ``TimeoutManager``) is
    not begun: the response or the error that is there is the result.
    """

    __slots__ = ("_budget", "_clock", "_now", "_on_retry", "_rng", "_sleep")

    def __init__(
        self,
        budget: RetryBudget | None = None,
        *,
        on_retry: Callable[[Request, Attempt], object] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._budget = RetryBudget() if budget is None else budget
        self._on_retry = on_retry
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._rng = rng

    async def __call__(self, request: Request, call_next: Handler) -> ResponseStream:
        """The response to the request, or to one of its repetitions."""
        policy = request.settings.retries
        if policy is None or policy.attempts == 1:
            return await call_next(request)
        self.count(policy)
        spent = request.extensions.pop(SPENT, 0.0)
        attempts: tuple[Attempt, ...] = ()
        while True:
            started = self._clock() - spent
            spent = 0.0
            try:
                stream = await call_next(request)
            except Exception as error:
                attempts = (*attempts, self._judge(request, policy, len(attempts) + 1, started, error))
                if (delay := attempts[-1].delay) is None:
                    tell(error, attempts)
                    raise
            else:
                if stream.status not in policy.on_status and not attempts:
                    return stream  # nearly always: there is nothing to decide, and nothing to tell
                attempts = (*attempts, self._judge(request, policy, len(attempts) + 1, started, stream))
                if (delay := attempts[-1].delay) is None:
                    if len(attempts) > 1:
                        stream.attempts = attempts
                    return stream
                await stream.release()
            if self._on_retry is not None:
                self._on_retry(request, attempts[-1])
            await self._sleep(delay)

    def count(self, policy: RetryPolicy) -> None:
        """A request begins, for which there may be retries."""
        budget = self._budget if policy.budget is DEFAULT else self._budget_of(policy)
        if budget is not None and policy.attempts > 1:
            budget.deposit()

    def _budget_of(self, policy: RetryPolicy) -> RetryBudget | None:
        return self._budget if isinstance(policy.budget, Default) else policy.budget

    def _judge(
        self, request: Request, policy: RetryPolicy, number: int, started: float, outcome: ResponseStream | Exception
    ) -> Attempt:
        """What became of an attempt, and whether there is to be another: its ``delay``."""
        elapsed = self._clock() - started
        began = self._now() - elapsed
        left = request.timeout.left if isinstance(request.timeout, TimeoutManager) else None
        replayable = request.payload is None or request.payload.replayable
        if isinstance(outcome, Exception):
            delay = policy.decide(number, request.method, outcome, replayable=replayable, left=left, rng=self._rng)
            status, error = None, described(outcome)
        else:
            status, error = outcome.status, None
            wait = asked_for(outcome, self._now) if policy.respect_retry_after else None
            delay = policy.decide(
                number, request.method, status, replayable=replayable, retry_after=wait, left=left, rng=self._rng
            )
        if delay is not None and (budget := self._budget_of(policy)) is not None and not budget.withdraw():
            delay = None
        return Attempt(number, began, elapsed, status, error, delay)


def asked_for(stream: ResponseStream, now: Callable[[], float]) -> float | None:
    """Seconds that the response asks to wait; None: it does not say.

    A date is taken by the server's own clock, which need not agree with ours, where the response says what that shows.
    """
    value = stream.field("Retry-After")
    if value is None:
        return None
    date = http_date(stream.field("Date"))
    return retry_after(value, now() if date is None else date)
