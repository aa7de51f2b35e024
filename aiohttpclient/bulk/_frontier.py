"""The URLs that a crawl has found and not asked for yet: the input of its fetch. This is the side that is in the loop.

Theory of operation
-------------------
What is known is in a :class:`Store`, in a thread of its own. What happens meanwhile gathers, and goes there as a whole:
links that were found, pages that are done. Such a step begins when few URLs are left that can be given out, when much
has gathered, or after a time; it brings as many URLs as are wanted. There is one at a time, and ``room`` waits while
too much gathers behind it.

There are no more URLs when the store has none, and each that was given out has told its links: ``read`` is called for
it, whatever came of it. Those that wait for a consumer have not; so a crawl cannot end before it is found out.

A store that has failed is not asked again. Everybody who has to do with the frontier from then on is told.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from .._threads import finished
from ..errors import SinkError
from ._frontier_store import Store, as_sink_error
from ._frontier_turns import Turns
from ._frontier_work import Found, Row, Work
from ._items import place_of
from ._line import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future
    from pathlib import Path
    from typing import Self

    from ._frontier_work import Bounds
    from ._items import Item

AHEAD: Final = 512
"""URLs that are taken out of the store at a time, and may wait here; some tenths of a second at the most."""

GATHERED: Final = 4096
"""Links and pages that wait for the store until a step begins because of them; some 10 ms of work for it."""

MOST: Final = 4 << 20
"""Characters of links that wait for the store; who has more is kept waiting."""

INTERVAL: Final = 0.5
"""Seconds after which what has happened is on the disk, where nothing else is wanted from there."""

OPTIONS: Final = {"follow_redirects": False}
"""Of each request: where a page redirects to is a page of its own."""


class Frontier:
    """The URLs of a crawl; see :class:`Store` for ``path``, ``resume`` and ``bounds``.

    :param most: URLs of one host that are given out before what came of them is read; None: it makes no difference

    ``known``, ``done`` and ``failed`` (int) count URLs; ``seeds`` (list of str) are all, once it is open.
    """

    def __init__(
        self, path: Path | None, resume: bool, bounds: Bounds, seeds: list[str], most: int | None = None
    ) -> None:
        self._store = Store(path, resume, bounds)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._job: asyncio.Future[list[Row]] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._error: Exception | None = None
        self._told = False
        self._closed = False
        self._work = Work()
        self._size = 0
        self._due = False
        self._dry = False
        self._wanted = 0
        self._turns = Turns(most)
        self._out: dict[int, Row] = {}
        self._count = 0
        self._takers = Line()
        self._waiters = Line()
        self.seeds = seeds
        self.done = self.failed = 0

    @property
    def known(self) -> int:
        """URLs that were found, by this run or before it."""
        return self._store.known

    # -- the input of the fetch --------------------------------------------------------------------------------------

    async def take(self) -> str | None:
        """The next URL to be asked for, as soon as there is one; None: there are no more. The first has index 0."""
        if self._thread is None:
            await self._open()
        while not self._turns.ready:
            self.check()
            if self._closed or (self._dry and not (self._out or self._work.read or self._job)):
                return None
            self.consider()
            await self._takers.wait()
        row = self._turns.ready.popleft()
        index, self._count = self._count, self._count + 1
        self._out[index] = row
        if len(self._turns.ready) == AHEAD // 2:
            self.consider()
        return row.url

    # -- what came of it ---------------------------------------------------------------------------------------------

    def row(self, index: int) -> Row:
        """What was given out with that index, until its links are read."""
        return self._out[index]

    def read(self, index: int, urls: Iterable[str], depth: int, hops: int) -> None:
        """The page with that index leads to ``urls``, at ``depth`` and behind so many redirects. Once for each."""
        row, found = self._out.pop(index), self._work.found
        for url in urls:
            if (one := found.get(url)) is None or one.depth > depth:
                found[url] = Found(url, place_of(url).host, depth, hops, row.id)
                self._size += len(url)
        self._work.read.append(row.depth)
        self._turns.back(row)
        self._takers.wake()
        self.consider()

    def finish(self, row: Row, failed: bool) -> None:
        """All is done with the page; if it has ``failed``, a run that resumes asks for it again."""
        if failed:
            self._work.failed.append(row.id)
            self.failed += 1
        else:
            self._work.done.append(row.id)
            self.done += 1

    async def room(self) -> None:
        """Wait until there is room for the links of another page.

        :raises SinkError: the store has failed
        """
        while self._size >= MOST and self._error is None and not self._closed:
            self.consider()
            await self._waiters.wait()
        self.check()

    def check(self) -> None:
        """Say what has gone wrong.

        :raises SinkError: something has
        """
        if (error := self._error) is not None:
            self._told = True
            raise as_sink_error(error, self._store.path) from error

    # -- steps -------------------------------------------------------------------------------------------------------

    def consider(self) -> None:
        """Begin a step, if it is time for one; else see to it that it will be.

        All that tells what happened does so, but for ``finish``.
        """
        work = self._work
        if self._job is not None or self._closed or self._error is not None or self._thread is None:
            return
        gathered = len(work.found) + len(work.done)
        hungry = 2 * len(self._turns.ready) <= AHEAD and (not self._dry or work.read) and self._turns.room(AHEAD)
        if hungry or self._due or gathered >= GATHERED or self._size >= MOST:
            self._begin()
        elif self._timer is None and (gathered or work.read or work.failed):
            self._timer = asyncio.get_running_loop().call_later(INTERVAL, self._is_due)

    def _is_due(self) -> None:
        self._timer = None
        self._due = True
        self.consider()

    def _gathered(self) -> Work:
        work, self._work, self._due, self._size = self._work, Work(), False, 0
        return work

    def _begin(self) -> None:
        assert self._thread is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        work = self._gathered()
        work.wanted = self._wanted = self._turns.room(AHEAD)
        self._dry = False
        self._job = asyncio.get_running_loop().run_in_executor(self._thread, self._store.step, work)
        self._job.add_done_callback(self._is_stepped)

    def _is_stepped(self, job: asyncio.Future[list[Row]]) -> None:
        self._job = None
        self._waiters.wake_all()
        self._takers.wake_all()
        if job.cancelled():
            return
        if isinstance(error := job.exception(), Exception):
            self._error = error
            return
        rows = job.result()
        self._dry = len(rows) < self._wanted
        self._turns.add(rows)
        self.consider()

    # -- beginning and end -------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "aiohttpclient-crawl")
        seeds = [Found(url, place_of(url).host, 0, 0, None) for url in self.seeds]
        try:
            self.seeds = await finished(self._loop.run_in_executor(self._thread, self._store.open, seeds))
        except Exception as error:
            self._error, self._told = error, True
            if isinstance(error, (SinkError, FileExistsError)):
                raise
            raise as_sink_error(error, self._store.path) from error
        self.done = self._store.done

    async def close(self) -> None:
        """Note all that has happened, and close; to the end, also when the caller is cancelled meanwhile.

        :raises SinkError: not all of it could be noted, and nobody was told so
        """
        if self._timer is not None:
            self._timer.cancel()
        last = self.abandon()
        if last is None:
            return
        try:
            await finished(asyncio.wrap_future(last))
        except Exception as error:  # noqa: BLE001  # check() raises it
            self._error = self._error or error
        self._takers.wake_all()
        self._waiters.wake_all()
        if not self._told:
            self.check()

    def abandon(self) -> Future[None] | None:
        """The same, without waiting for it; what can be waited for, if it was not done before."""
        if self._closed or self._thread is None:
            self._closed = True
            return None
        self._closed = True
        work = self._gathered() if self._error is None else None
        with contextlib.suppress(RuntimeError):  # the interpreter ends
            last = self._thread.submit(self._store.end, work)
            self._thread.shutdown(wait=False)
            return last
        return None

    def forget(self, before: Callable[[], None]) -> None:
        """Have ``before`` called, and the frontier abandoned: the collector has found it, in any thread."""

        def leave() -> None:
            before()
            self.abandon()

        loop = self._loop
        if loop is not None and not loop.is_closed() and asyncio._get_running_loop() is not loop:  # noqa: SLF001
            with contextlib.suppress(RuntimeError):  # the loop was closed in this moment
                loop.call_soon_threadsafe(leave)
                return
        leave()


class Feed:
    """The frontier as the input of a fetch, which outlives that: what is done with the last pages is noted still."""

    def __init__(self, frontier: Frontier) -> None:
        self._frontier = frontier

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        url = await self._frontier.take()
        if url is None:
            raise StopAsyncIteration
        return url, OPTIONS
