"""What runs behind a fetch: workers that ask, and the one who sees to it that nothing of them is left.

Theory of operation
-------------------
There are as many workers as requests may be under way. Each takes an item, sends its request, leaves the result for
whoever iterates, and takes the next: there is no task for each request, no queue, and nobody is woken who does not
wait. What a request raises is its result. What anything else raises ends the fetch: what the input raises when the
requests under way have ended, everything that is no ``Exception`` at once.

``room`` is how many requests may be begun: it goes down when a worker takes an item, and up when its result is given
out. So a consumer that is slow stops the workers, and those behind the first of an ordered fetch wait for it.

The supervisor is the task that owns all this. It starts the workers, reads an async input, and when there is nothing
more to do, or it is cancelled, it ends what is left: workers, the input, the client if it is the fetch's own.

None of these tasks knows the :class:`Fetch` that began them: when that is forgotten, they are cancelled.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from ..client import Request
from ..net import clock_of
from ._extract import extracted
from ._frames import without_frames
from ._line import Line
from ._result import Result

if TYPE_CHECKING:
    from ..client import AsyncHTTPClient
    from ._extract import Extract
    from ._sources import Given, Source


class Engine:
    """Fetches what ``source`` gives, in the running loop.

    :param owned: whether ``client`` is closed in the end
    :param concurrency: workers
    :param buffer: results that may wait for somebody who takes them, besides one for each worker
    :param ordered: whether results are given out in the order of the input
    :param extract: what is made of each result that is not to be asked for again; None: nothing

    ``ready`` (deque of Result) are those that can be taken; ``over`` (bool) tells that there will be no more.
    """

    __slots__ = (
        "_client",
        "_concurrency",
        "_consumers",
        "_debug",
        "_extract",
        "_failure",
        "_held",
        "_idle",
        "_next",
        "_now",
        "_ordered",
        "_owned",
        "_room",
        "_source",
        "_stopping",
        "_supervisor",
        "_workers",
        "over",
        "ready",
    )

    def __init__(
        self,
        source: Source,
        client: AsyncHTTPClient,
        owned: bool,
        concurrency: int,
        buffer: int,
        ordered: bool,
        extract: Extract | None = None,
    ) -> None:
        self._source = source
        self._client = client
        self._owned = owned
        self._concurrency = concurrency
        self._ordered = ordered
        self._extract = extract
        self._room = sys.maxsize if source.holds else concurrency + buffer
        self._held: dict[int, Result] = {}
        self._next = 0
        self._idle = Line()
        self._consumers = Line()
        self._failure: BaseException | None = None
        self._stopping = False
        self._workers: list[asyncio.Task[None]] = []
        self.over = False
        self.ready: deque[Result] = deque()
        loop = asyncio.get_running_loop()
        self._debug = loop.get_debug()
        self._now = clock_of(loop)
        self._supervisor: asyncio.Task[None] | None = None
        self._supervisor = loop.create_task(self._supervise(), name="bulk.fetch")
        self._supervisor.add_done_callback(self._ended)

    # -- for the fetch -----------------------------------------------------------------------------------------------

    async def next(self) -> Result | None:
        """The next result; None: there is none any more.

        :raises BaseException: what has ended the fetch early, once, when all results were given out
        """
        while not self.ready:
            if self.over:
                failure, self._failure = self._failure, None
                try:
                    if failure is not None:
                        raise failure
                finally:
                    del failure  # whose traceback leads to this frame
                return None
            await self._consumers.wait()
        return self.pop()

    def pop(self) -> Result:
        """The first of those that are ready."""
        self._make_room()
        self._source.given_out()
        return self.ready.popleft()

    def abandon(self) -> None:
        """Stop, without waiting for it."""
        self._stopping = True
        if self._supervisor is not None:
            self._supervisor.cancel()

    async def stop(self) -> None:
        """Stop, and return when nothing is left; also whoever is cancelled meanwhile waits for that.

        :raises Exception: closing the input, or the client, has failed
        """
        supervisor, self._failure = self._supervisor, None
        assert supervisor is not None
        cancelled: asyncio.CancelledError | None = None
        if not self._stopping:  # once: to end what is left may take its time, and is not to be disturbed
            self.abandon()
        while not supervisor.done():
            try:
                await asyncio.wait((supervisor,))
            except asyncio.CancelledError as error:
                cancelled = error
                supervisor.cancel()  # it may be the input that does not end
        failure, self._failure = self._failure, None
        if cancelled is not None:
            raise cancelled
        if failure is not None:
            raise failure

    # -- the supervisor ----------------------------------------------------------------------------------------------

    async def _supervise(self) -> None:
        self._supervisor = asyncio.current_task()
        try:
            async with AsyncExitStack() as stack:
                if self._owned:
                    stack.push_async_callback(self._client.close)
                stack.push_async_callback(self._source.aclose)
                stack.push_async_callback(self._dismiss)
                await self._run()
        except Exception as error:  # noqa: BLE001  # closing has failed: raised to who closes, or behind the results
            self._fail(error)

    def _ended(self, supervisor: asyncio.Task[None]) -> None:
        """All is done. That the task itself cannot tell: one that is cancelled before it begins is never run."""
        seen(supervisor)
        self.ready += [self._held[index] for index in sorted(self._held)]  # those behind one that was cancelled
        self._held.clear()
        self.over = True
        self._consumers.wake_all()

    async def _run(self) -> None:
        """Let the workers work until there is nothing more to do; whatever else ends it is the failure."""
        loop = asyncio.get_running_loop()
        try:
            for number in range(self._concurrency):
                self._workers.append(loop.create_task(self._work(), name=f"bulk.fetch {number}"))
            try:
                await self._source.feed()
            except Exception as error:  # noqa: BLE001  # raised to who iterates, behind the results
                self._fail(error)
            await asyncio.wait(self._workers)
        except BaseException as error:
            self._end_with(error)
            raise

    async def _dismiss(self) -> None:
        """End the workers, and wait for that whatever happens."""
        for worker in self._workers:
            worker.cancel()
        cancelled: asyncio.CancelledError | None = None
        while running := [worker for worker in self._workers if not worker.done()]:
            try:
                await asyncio.wait(running)
            except asyncio.CancelledError as error:
                cancelled = error
        for worker in self._workers:
            seen(worker)
        if cancelled is not None:
            raise cancelled

    def _fail(self, error: BaseException) -> None:
        if self._failure is None:
            self._failure = error

    def _end_with(self, error: BaseException) -> bool:
        """Whether it is ``error`` that ends the fetch, and so the failure, or somebody has ended it already."""
        if self._stopping:
            return False
        self._stopping = True
        self._fail(error)
        return True

    # -- the workers -------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        try:
            await self._go_on()
        except BaseException as error:
            if self._end_with(error) and self._supervisor is not None:
                self._supervisor.cancel()
            raise

    async def _go_on(self) -> None:
        """One item after the other, until there are no more."""
        while (given := self._poll() or await self._take()) is not None:
            result = await self._ask(given)
            if self._source.settle(given, result):
                if self._extract is not None:
                    extracted(result, self._extract)
                self._deliver(result)
            else:
                self._make_room()

    def _poll(self) -> Given | None:
        """The next item, if it is there, and room for its result; None: see :meth:`_take`."""
        if self._room <= 0:
            return None
        try:
            given = self._source.poll()
        except Exception as error:  # noqa: BLE001  # the input's, raised to who iterates, behind the results
            self._fail(error)
            return None
        if given is not None:
            self._room -= 1
        return given

    async def _take(self) -> Given | None:
        """The next item, once there is room for its result; None: there is none any more."""
        while self._room <= 0:
            await self._idle.wait()
        self._room -= 1
        try:
            given = await self._source.take()
        except Exception as error:  # noqa: BLE001  # the same
            self._fail(error)
            given = None
        if given is None:
            self._make_room()
        return given

    def _make_room(self) -> None:
        self._room += 1
        self._idle.wake()

    async def _ask(self, given: Given) -> Result:
        now = self._now
        started = now()
        try:
            request = self._source.admit(given)
            if not isinstance(request, Request):
                request = await request
            response = await self._client.complete(request)
        except Exception as error:  # noqa: BLE001  # it is the result
            if not self._debug:
                without_frames(error)
            return Result(given.item, given.index, given.request, None, error, now() - started)
        return Result(given.item, given.index, request, response, None, now() - started)

    def _deliver(self, result: Result) -> None:
        if self._ordered:
            self._held[result.index] = result
            while self._next in self._held:
                self.ready.append(self._held.pop(self._next))
                self._next += 1
                self._consumers.wake()
        else:
            self.ready.append(result)
            self._consumers.wake()


def seen(task: asyncio.Task[None]) -> None:
    """Let nobody miss the exception of ``task``: it is the failure."""
    if not task.cancelled():
        task.exception()
