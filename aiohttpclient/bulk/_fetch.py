"""Fetching many: what a caller says, and what he iterates over."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ..client import AsyncHTTPClient
from ..pool import PoolLimits
from ._engine import Engine
from ._politeness import Politeness, check_count
from ._robots import parser
from ._schedule import Schedule
from ._sources import reader_of, source_of

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from ._result import Result
    from ._sources import Items, Reader

CONCURRENCY = 100
"""Requests under way, as many as a pool has connections: :class:`aiohttpclient.PoolLimits`."""


def fetch(
    requests: Items,
    *,
    client: AsyncHTTPClient | None = None,
    concurrency: int = CONCURRENCY,
    ordered: bool = False,
    buffer: int | None = None,
    politeness: Politeness | None = None,
) -> Fetch:
    """Fetch everything that ``requests`` gives, and give a :class:`Result` for each.

    ::

        async for result in bulk.fetch(urls, client=client, concurrency=100):
            ...

    :param requests: an iterable or async iterable of URLs, of :class:`aiohttpclient.Request`, or of pairs of a URL and
        a mapping of options: those of ``client.request``, and ``method``. It is read as there is room for results, of
        an async one up to ``concurrency`` items ahead, and never held whole. When the fetch ends, an async one is
        closed, and so is a generator. What it raises ends the fetch: it is raised when all results were given out
    :param client: what sends the requests; None: one that is made for this, and closed when it ends
    :param concurrency: requests that are under way at once. The pool of ``client`` should have as many connections:
        else they wait for each other there, for as long as ``Timeout.pool`` lets them
    :param ordered: give results in the order of ``requests``; else as they come
    :param buffer: results that may wait to be taken, besides those for which there is a request under way; when so many
        do, no request is begun; None: as many as ``concurrency``
    :param politeness: how hosts are treated; None: as if there was one, that can take everything
    :raises TypeError, ValueError: one of these is something else
    :raises ImportError: ``politeness`` needs a package that is not installed
    """
    check_count("concurrency", concurrency, 1)
    buffer = concurrency if buffer is None else buffer
    check_count("buffer", buffer, 0)
    if politeness is not None:
        if not isinstance(politeness, Politeness):
            raise TypeError(f"politeness must be a Politeness, got {politeness!r}")
        if politeness.robots:
            parser()  # whatever is missing is said now
    return Fetch(reader_of(requests), client, concurrency, buffer, ordered, politeness)


class Fetch:
    """The results of a fetch, to be iterated over with ``async for``; several tasks may do so at once.

    It begins with the first result that is asked for. Whoever wants to leave before its end uses ``async with``, or
    ``aclose``; when it is left and forgotten, its requests are cancelled as well, but nobody waits for that.

    A task that is cancelled while waiting for a result does not end the fetch: it can go on, or ``take`` what is there.
    """

    def __init__(
        self,
        reader: Reader,
        client: AsyncHTTPClient | None,
        concurrency: int,
        buffer: int,
        ordered: bool,
        politeness: Politeness | None,
    ) -> None:
        self._given = reader, client, concurrency, buffer, ordered, politeness
        self._engine: Engine | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def __repr__(self) -> str:
        engine = self._engine
        state = "new" if engine is None else "closed" if self._closed else "over" if engine.over else "running"
        return f"<{type(self).__name__} {state}>"

    def __del__(self) -> None:
        engine, loop = self._engine, self._loop
        if engine is None or loop is None or engine.over or loop.is_closed():
            return
        if asyncio._get_running_loop() is loop:  # noqa: SLF001  # the one that raises nothing where there is none
            engine.abandon()
        else:  # the collector has found it, in another thread perhaps
            with contextlib.suppress(RuntimeError):  # the loop was closed in this moment
                loop.call_soon_threadsafe(engine.abandon)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Result:
        """The next result; or what has ended the fetch early, once all results were given out."""
        if self._closed:
            raise StopAsyncIteration
        result = await (self._engine or self._begin()).next()
        if result is None:
            raise StopAsyncIteration
        return result

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Cancel what is under way, and return when nothing is left of it: requests, input, a client of its own.

        Results that were there already can still be had from ``take``.

        :raises Exception: the input cannot be closed
        """
        self._closed = True
        if self._engine is not None:
            await self._engine.stop()

    def take(self) -> list[Result]:
        """The results that are there already, without waiting; also when the fetch was closed."""
        engine = self._engine
        return [] if engine is None else [engine.pop() for _ in range(len(engine.ready))]

    def _begin(self) -> Engine:
        reader, client, concurrency, buffer, ordered, politeness = self._given
        owned = client is None
        if client is None:
            fields = None if politeness is None else {"User-Agent": politeness.user_agent}
            client = AsyncHTTPClient(headers=fields, limits=PoolLimits(connections=concurrency))
        self._loop = asyncio.get_running_loop()
        if politeness is None:
            source = source_of(reader, client, concurrency)
        else:
            source = Schedule(reader, client, politeness, ordered)
        self._engine = Engine(source, client, owned, concurrency, buffer, ordered)
        return self._engine
