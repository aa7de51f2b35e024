"""A load: the same request again and again, by many workers at once, until enough were sent or the time is over."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from ..bulk import Histogram

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine

    from ..client import Response


class Tally:
    """What came of a load.

    ``latencies``; ``statuses`` and ``errors`` (how often, by status and by class); ``bytes`` of bodies, decoded;
    ``elapsed`` and ``cpu`` in seconds, the latter of this process; ``unfinished``: requests that were under way when
    the time was over.
    """

    def __init__(self) -> None:
        self.latencies = Histogram()
        self.statuses: Counter[int] = Counter()
        self.errors: Counter[str] = Counter()
        self.bytes = 0
        self.unfinished = 0
        self.elapsed = 0.0
        self.cpu = 0.0

    @property
    def failed(self) -> int:
        """Requests that ended in an error."""
        return self.errors.total()


class Load:
    """At most ``requests`` calls of ``ask``, ``concurrency`` at once, for at most ``duration`` seconds."""

    def __init__(
        self, ask: Callable[[], Coroutine[Any, Any, Response]], requests: int, concurrency: int, duration: float
    ) -> None:
        self._ask = ask
        self._left = requests
        self._concurrency = min(concurrency, requests)
        self._duration = duration
        self._ends = 0.0
        self.tally = Tally()

    async def run(self) -> Tally:
        """Do it. Cancelled, ``tally`` has what was done until then."""
        started, cpu = time.perf_counter(), time.process_time()
        self._ends = started + self._duration
        workers = [asyncio.ensure_future(self._work()) for _ in range(self._concurrency)]
        try:
            await self._wait(workers)
        finally:
            self.tally.elapsed, self.tally.cpu = time.perf_counter() - started, time.process_time() - cpu
            for worker in workers:
                worker.cancel()
            results = await asyncio.gather(*workers, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
                raise result
        return self.tally

    async def _wait(self, workers: Collection[asyncio.Future[None]]) -> None:
        """Until all ``workers`` are done, or the time is over by the clock that ``elapsed`` is from.

        Timers of uvloop may be early by that: they count milliseconds, from when a turn of the loop began.
        """
        while workers and (left := self._ends - time.perf_counter()) > 0:
            _, workers = await asyncio.wait(workers, timeout=left)

    async def _work(self) -> None:
        tally, now, ask = self.tally, time.perf_counter, self._ask
        while self._left > 0:
            since = now()
            if since >= self._ends:
                return
            self._left -= 1
            try:
                response = await ask()
            except asyncio.CancelledError:
                tally.unfinished += 1
                raise
            except Exception as error:  # noqa: BLE001  # a request that fails is a result
                tally.errors[type(error).__name__] += 1
                continue
            tally.latencies.add(now() - since)
            tally.statuses[response.status] += 1
            tally.bytes += len(response.content)
