"""Crawling: pages, and those that they lead to, each once.

Theory of operation
-------------------
A crawl is a fetch whose input are the URLs that its own results have led to: see :class:`Frontier`. A result becomes a
page, and its links go to the frontier, in the moment in which a consumer gets it. So who is slow slows the crawl, and
as long as a page waits for somebody there may be more.

That a page is done is noted when it is safe: when the sink has it on the disk, or without one, when the task that got
it comes for the next. Its links are noted before. So a kill at any moment repeats some pages, and loses none.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections import deque
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from weakref import WeakKeyDictionary

from .._threads import finished
from ._engine import seen
from ._fetch import CONCURRENCY, fetch
from ._frontier import Feed, Frontier
from ._frontier_work import Bounds
from ._links import find_links
from ._normal import normal_url
from ._page import Explorer
from ._politeness import Politeness, check_count
from ._sink import Sink, is_failure

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from ..client import AsyncHTTPClient
    from ._fetch import Fetch
    from ._frontier_work import Row
    from ._page import Links, Page
    from ._result import Result
    from ._scope import Follow

SHARE: Final = 4
"""Times as many URLs of a host are given out as it may be asked for at once: it is kept busy then, and of a window of a
thousand it has the thirtieth part."""


def crawl(
    seeds: Iterable[str],
    *,
    follow: Follow = "host",
    client: AsyncHTTPClient | None = None,
    concurrency: int = CONCURRENCY,
    politeness: Politeness | None = None,
    buffer: int | None = None,
    depth: int | None = None,
    pages: int | None = None,
    pages_per_host: int | None = None,
    frontier: str | os.PathLike[str] | None = None,
    resume: bool = False,
    sink: Sink | None = None,
    links: Links = find_links,
) -> Crawl:
    """Fetch ``seeds`` and the pages that they lead to, each URL once, and give a :class:`Page` for each.

    ::

        async for page in bulk.crawl(["https://example.org/"], client=client):
            ...

    :param seeds: the URLs to begin with
    :param follow: which links are followed: "host", those to a host of one of the seeds; "prefix", those to what is
        below the folder of one of them; "all"; hosts and prefixes; or what tells of a link and its page whether it is
    :param client, concurrency, politeness, buffer: see :func:`fetch`. Where ``politeness`` minds ``robots.txt``, links
        that are marked ``nofollow`` are not followed
    :param depth: links of pages that are so many links from a seed are not followed; None: however many
    :param pages: at most so many are fetched, with those of earlier runs of the same frontier
    :param pages_per_host: at most so many of each host are; what is found after them is left out
    :param frontier: the file in which is noted what is known and what is done; None: a temporary one
    :param resume: go on with the frontier that is there. Without it there must be none
    :param sink: each page is written to it before it is given out. It is opened before the crawl, and closed behind it
    :param links: finds the links of a page, whose status is below 300; see :func:`find_links`
    :raises InvalidURL: (a ValueError) a seed is no URL of http or https
    :raises TypeError, ValueError: one of these is something else
    :raises ImportError: something needs a package that is not installed
    """
    if isinstance(seeds, (str, bytes)):
        raise TypeError(f"seeds are an iterable of URLs, got one {type(seeds).__name__}: [{seeds!r}]")
    for name, number, least in (("depth", depth, 0), ("pages", pages, 1), ("pages_per_host", pages_per_host, 1)):
        if number is not None:
            check_count(name, number, least)
    if resume and frontier is None:
        raise ValueError("to resume, a crawl needs its frontier: frontier=path")
    if inspect.iscoroutinefunction(links) or not callable(links):
        raise TypeError(f"links must be a function that tells them at once, got {links!r}")
    if sink is not None and not isinstance(sink, Sink):
        raise TypeError(f"sink must be a Sink, got {type(sink).__name__}")
    urls = list(dict.fromkeys(normal_url(str(seed)) for seed in seeds))
    place = None if frontier is None else Path(frontier).resolve()
    most = politeness.per_host * SHARE if isinstance(politeness, Politeness) else None
    known = Frontier(place, resume, Bounds(depth, pages, pages_per_host), urls, most)
    results = fetch(Feed(known), client=client, concurrency=concurrency, buffer=buffer, politeness=politeness)
    nofollow = politeness is not None and politeness.robots
    return Crawl(known, results, Explorer(known, links, follow, nofollow, depth), sink)


class Held(NamedTuple):
    """A page that is not safe yet: its row, whether it failed, and how many results of the sink must be safe."""

    row: Row
    failed: bool
    behind: int


class Crawl:
    """The pages of a crawl, to be iterated over with ``async for``; several tasks may do so at once.

    It begins with the first page that is asked for, and ends as a :class:`Fetch` does. Who may resume it, or leaves it
    before its end, uses ``async with``, or ``aclose``.
    """

    def __init__(self, frontier: Frontier, results: Fetch, explorer: Explorer, sink: Sink | None) -> None:
        self._frontier = frontier
        self._fetch = results
        self._explorer = explorer
        self._sink = sink
        self._kept: deque[tuple[Page, Row]] = deque()
        self._unsafe: deque[Held] = deque()
        self._with: WeakKeyDictionary[asyncio.Task[object], list[Held]] = WeakKeyDictionary()
        self._ending: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.done} done, {self.failed} failed, {self.pending} pending>"

    def __del__(self) -> None:
        if hasattr(self, "_ending"):
            self._frontier.forget(partial(_note_safe, self._frontier, self._sink, self._unsafe))

    # -- what it knows -----------------------------------------------------------------------------------------------

    @property
    def known(self) -> int:
        """URLs that were found, by this run or before it; with ``pages``, more than are ever fetched."""
        return self._frontier.known

    @property
    def done(self) -> int:
        """Of those, which are done: the next run does not ask for them again."""
        return self._frontier.done

    @property
    def failed(self) -> int:
        """Which have failed in this run, and are repeated by the next: see :func:`is_failure`, ``repeat`` of a sink."""
        return self._frontier.failed

    @property
    def pending(self) -> int:
        """Which are neither: they wait, or are under way, or not safe yet."""
        return max(0, self.known - self.done - self.failed)

    # -- pages -------------------------------------------------------------------------------------------------------

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Page:
        """The next page; or what has ended the crawl early, once."""
        self._come_back()
        if self._ending is not None:
            raise StopAsyncIteration
        if not self._kept:
            try:
                await self._frontier.room()
                result = await anext(self._fetch, None)
                if result is not None:
                    return self._give(*await self._made(result))
            except Exception:
                with contextlib.suppress(Exception):  # it may be the same once more
                    await finished(self._end(drain=False))
                raise
        if self._kept:  # somebody was cancelled who had it; if it was the last one, others may have waited here
            return self._give(*self._kept.popleft())
        if all(task.done() for task in self._with):  # else the one who is the last to come back closes it
            await self.aclose()
        raise StopAsyncIteration

    async def _made(self, result: Result) -> tuple[Page, Row]:
        """The page that ``result`` is; the sink has it then. Who is cancelled meanwhile leaves it to the next."""
        row, cancelled = self._frontier.row(result.index), None
        found = self._explorer.begin(result)
        if found is not None:
            with contextlib.suppress(Exception):  # which page() raises
                try:
                    await finished(found)
                except asyncio.CancelledError as error:
                    cancelled = error
        page = self._explorer.page(result, found)
        if self._sink is not None:
            try:
                await self._sink.write(page)
            except asyncio.CancelledError as error:  # the sink has taken it all the same
                cancelled = error
            self._unsafe.append(Held(row, self._sink.repeats(page), self._sink.taken))
        if cancelled is not None:
            self._kept.append((page, row))
            raise cancelled
        return page, row

    def _give(self, page: Page, row: Row) -> Page:
        task = asyncio.current_task() if self._sink is None and self._ending is None else None
        if task is not None:
            self._with.setdefault(task, []).append(Held(row, is_failure(page), 0))
        return page

    def _come_back(self) -> None:
        """Who asks for the next page is done with those that he has got."""
        task = asyncio.current_task()
        if task is not None:
            for held in self._with.pop(task, ()):
                self._frontier.finish(held.row, held.failed)
        _note_safe(self._frontier, self._sink, self._unsafe)
        self._frontier.consider()

    def take(self) -> list[Page]:
        """The pages that are there already, without waiting; also when the crawl was closed.

        With a sink there are none before, since each is written first.

        :raises Exception: what finds links has failed, or what decides which to follow; this ends the crawl
        """
        try:
            if self._sink is None and self._ending is None:
                for result in self._fetch.take():
                    row = self._frontier.row(result.index)
                    self._kept.append((self._explorer.page(result), row))
        except Exception:
            _ = self._end(drain=False)  # nobody can wait for it here
            raise
        pages = [self._give(*one) for one in self._kept]
        self._kept.clear()
        return pages

    # -- the end -----------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except Exception as own:
            if error is None:
                raise
            if own is not error:  # what ended the block has the say, be it a cancellation
                error.add_note(f"besides, the crawl could not be closed: {own}")

    async def aclose(self) -> None:
        """Cancel what is under way, and return when nothing is left of it, and all that is safe was noted.

        Pages that were there already are written to the sink, and can still be had from ``take``.

        :raises SinkError: not everything could be written, or noted
        :raises Exception: a client of its own cannot be closed, or what finds links has failed
        """
        await finished(self._end(drain=True))

    def _end(self, drain: bool) -> asyncio.Task[None]:
        if self._ending is None:
            self._ending = asyncio.get_running_loop().create_task(self._finish(drain), name="bulk.crawl")
            self._ending.add_done_callback(seen)
        return self._ending

    async def _finish(self, drain: bool) -> None:
        try:
            await self._fetch.aclose()
            for result in self._fetch.take() if drain else ():
                self._kept.append(await self._made(result))
        finally:
            try:
                if self._unsafe and self._sink is not None:
                    await self._sink.flush()
            finally:
                _note_safe(self._frontier, self._sink, self._unsafe)
                await self._frontier.close()


def _note_safe(frontier: Frontier, sink: Sink | None, unsafe: deque[Held]) -> None:
    """Pages that the sink has on the disk are done."""
    reported = 0 if sink is None else sink.reported
    while unsafe and unsafe[0].behind <= reported:
        held = unsafe.popleft()
        frontier.finish(held.row, held.failed)
