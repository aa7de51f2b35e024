"""Fetching many: what a caller says, and what he iterates over."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

from ..client import AsyncHTTPClient
from ._cluster import on_cluster
from ._engine import Engine
from ._extract import extract_of
from ._own_client import own_client
from ._politeness import Politeness, check_count
from ._schedule import Schedule, check_packages
from ._sources import reader_of, source_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Self

    from ._extract import Extract, Function
    from ._result import Result
    from ._sources import Items, Reader

CONCURRENCY = 100
"""Requests under way, as many as a pool has connections: :class:`aiohttpclient.PoolLimits`."""


def fetch(
    requests: Items,
    *,
    client: AsyncHTTPClient | Mapping[str, Any] | Callable[[], AsyncHTTPClient] | None = None,
    concurrency: int = CONCURRENCY,
    ordered: bool = False,
    buffer: int | None = None,
    politeness: Politeness | None = None,
    extract: Function | None = None,
    responses: bool = True,
    cluster: Any = None,
) -> Fetch:
    """Fetch everything that ``requests`` gives, and give a :class:`Result` for each.

    ::

        async for result in bulk.fetch(urls, client=client, concurrency=100):
            ...

    :param requests: an iterable or async iterable of URLs, of :class:`aiohttpclient.Request`, or of pairs of a URL and
        a mapping of options: those of ``client.request``, and ``method``. It is read as there is room for results, of
        an async one up to ``concurrency`` items ahead, and never held whole. When the fetch ends, an async one is
        closed, and so is a generator. What it raises ends the fetch: it is raised when all results were given out
    :param client: what sends the requests; None: one that is made for this, and closed when it ends. On a cluster each
        worker has its own: settings for one as a mapping, or a function that makes one there
    :param concurrency: requests that are under way at once, on a cluster in each of its workers. The pool of ``client``
        should have as many connections: else they wait for each other there, for as long as ``Timeout.pool`` lets them.
        With one more for each host that is asked in turn, none has to be opened anew
    :param ordered: give results in the order of ``requests``; else as they come
    :param buffer: results that may wait to be taken, besides those for which there is a request under way; when so many
        do, no request is begun; None: as many as ``concurrency``
    :param politeness: how hosts are treated; None: as if there was one, that can take everything
    :param extract: is called with each result that has a response, before it is given out; what it returns is the
        ``value`` of the result, what it raises its ``error``. It is called in the loop, on a cluster in that of the
        worker: what takes long stops all there
    :param responses: whether results keep their response; else it is let go as soon as ``extract`` has seen it, and
        never leaves the worker that has it
    :param cluster: a cluster of Dask whose workers fetch: the address of its scheduler, or a ``distributed.Client``.
        This needs distributed: ``pip install distributed``. What is sent to it are pickles
    :raises TypeError, ValueError: one of these is something else
    :raises ImportError: ``politeness`` or ``cluster`` needs a package that is not installed
    """
    check_count("concurrency", concurrency, 1)
    buffer = concurrency if buffer is None else buffer
    check_count("buffer", buffer, 0)
    if politeness is not None:
        if not isinstance(politeness, Politeness):
            raise TypeError(f"politeness must be a Politeness, got {politeness!r}")
        if cluster is None:
            check_packages(politeness)  # whatever is missing is said now
    made = extract_of(extract, responses)
    if cluster is not None:
        return Fetch(on_cluster(cluster, requests, client, concurrency, buffer, ordered, politeness, made))
    if client is not None and not isinstance(client, AsyncHTTPClient):
        raise TypeError(f"client must be an AsyncHTTPClient, or cluster= be given, got {client!r}")
    return Fetch(partial(begun, reader_of(requests), client, concurrency, buffer, ordered, politeness, made))


def begun(
    reader: Reader,
    client: AsyncHTTPClient | None,
    concurrency: int,
    buffer: int,
    ordered: bool,
    politeness: Politeness | None,
    extract: Extract | None,
) -> Engine:
    """What fetches in the running loop."""
    owned = client is None
    if client is None:
        client = own_client(concurrency, politeness)
    if politeness is None:
        source = source_of(reader, client, concurrency)
    else:
        source = Schedule(reader, client, politeness, ordered)
    return Engine(source, client, owned, concurrency, buffer, ordered, extract)


class Fetch:
    """The results of a fetch, to be iterated over with ``async for``; several tasks may do so at once.

    It begins with the first result that is asked for. Whoever wants to leave before its end uses ``async with``, or
    ``aclose``; when it is left and forgotten, its requests are cancelled as well, but nobody waits for that.

    A task that is cancelled while waiting for a result does not end the fetch: it can go on, or ``take`` what is there.
    """

    def __init__(self, begin: Callable[[], Engine]) -> None:
        self._begun = begin
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
        engine = self._engine or self._begin()
        if engine.ready:  # for which nobody has to be waited
            return engine.pop()
        result = await engine.next()
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
        self._loop = asyncio.get_running_loop()
        self._engine = self._begun()
        return self._engine
