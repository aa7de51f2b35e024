"""Where the items come from: an iterable, or an async iterable, read as there is room for what it gives.

Theory of operation. A sync iterable is asked by whichever worker has nothing to do: nothing is read ahead of it. It
runs in one context all the same, whoever asks. An async iterable is read by one task only, which also closes it: a
generator may hold a timeout, a task group, or a variable of its context across a ``yield``, and all of these belong to
the task that entered them. That one reads a bounded number of items ahead, so that it need not be woken for each.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterable, Awaitable, Iterable
from contextvars import copy_context
from types import GeneratorType
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from yarl import URL

from ..client import Request
from ._items import request_of
from ._line import Line

if TYPE_CHECKING:
    from ..client import AsyncHTTPClient
    from ._items import Item
    from ._result import Result

Items: TypeAlias = "Iterable[Item] | AsyncIterable[Item]"

END: Final = object()


class Given:
    """One item on its way: its place in the input, and the request that was made of it, once there is one."""

    __slots__ = ("index", "item", "request")

    def __init__(self, item: Item, index: int) -> None:
        self.item = item
        self.index = index
        self.request: Request | None = None


class Reader(Protocol):
    """Gives the items of an input, one by one."""

    ahead: bool
    """Whether one task has to read them, which then had better read ahead."""

    def poll(self) -> Given | None:
        """The next one, if it is there; None: see :meth:`take`. What the input raises may be raised here, too."""

    async def take(self) -> Given | None:
        """The next one; None: there are no more. What the input raises is raised once, and then it has ended."""

    async def aclose(self) -> None:
        """Give up the input."""


class Iterated:
    """The items of a sync iterable."""

    ahead = False

    def __init__(self, requests: Iterable[Item]) -> None:
        self._context = copy_context()
        self._iterator = self._context.run(iter, requests)
        self._count = 0
        self._ended = False

    def poll(self) -> Given | None:
        """The next one, in the one context that the iterator has whoever takes."""
        if self._ended:
            return None
        try:
            item: Any = self._context.run(next, self._iterator, END)
        except BaseException:
            self._ended = True
            raise
        if item is END:
            self._ended = True
            return None
        self._count += 1
        return Given(item, self._count - 1)

    async def take(self) -> Given | None:
        """The same: nothing is to be awaited."""
        return self.poll()

    async def aclose(self) -> None:
        """Close the iterator if it is a generator. A file, say, is the caller's."""
        self._ended = True
        if isinstance(self._iterator, GeneratorType):
            self._context.run(self._iterator.close)


class Awaited:
    """The items of an async iterable."""

    ahead = True

    def __init__(self, requests: AsyncIterable[Item]) -> None:
        self._iterator = aiter(requests)
        self._count = 0

    def poll(self) -> Given | None:
        """None: it must be awaited."""
        return None

    async def take(self) -> Given | None:
        """The next one, as soon as it is there."""
        try:
            item = await anext(self._iterator)
        except StopAsyncIteration:
            return None
        self._count += 1
        return Given(item, self._count - 1)

    async def aclose(self) -> None:
        """Close the iterator, if it can be closed."""
        close = getattr(self._iterator, "aclose", None)
        if close is not None:
            await close()


def reader_of(requests: Items) -> Reader:
    """What reads ``requests``.

    :raises TypeError: it is one item, or no iterable
    """
    if isinstance(requests, (str, bytes, URL, Request)):
        raise TypeError(f"an iterable of what is to be fetched is needed, got one {type(requests).__name__}")
    return Awaited(requests) if isinstance(requests, AsyncIterable) else Iterated(requests)


class Source:
    """What the workers are given, and tell what came of it: items as they are read, by whoever takes them.

    ``holds`` tells that it bounds by itself how many items are read and not given out; else that is up to who takes.
    """

    holds = False

    def __init__(self, reader: Reader, client: AsyncHTTPClient) -> None:
        self._reader = reader
        self._client = client

    async def feed(self) -> None:
        """Read the input, where that is not done by those who take; called once, by the task that closes it, too."""

    def poll(self) -> Given | None:
        """The next one to be fetched, if it is there; None: see :meth:`take`."""
        return self._reader.poll()

    async def take(self) -> Given | None:
        """The next one to be fetched; None: there are no more."""
        return await self._reader.take()

    def admit(self, given: Given) -> Request | Awaitable[Request]:
        """The request that is to be sent now, which also is that of ``given``; or what gives it, if that takes time.

        :raises Exception: it cannot be sent, or must not
        """
        given.request = request = request_of(given.item, self._client)
        return request

    def settle(self, given: Given, result: Result) -> bool:
        """Whether ``result`` is what came of ``given``; else it is given once more."""
        return True

    def given_out(self) -> None:
        """Somebody has taken a result."""

    async def aclose(self) -> None:
        """Give up the input, in the task that has read it."""
        await self._reader.aclose()


class Fed(Source):
    """Items that one task reads, at most ``ahead`` before they are taken."""

    def __init__(self, reader: Reader, client: AsyncHTTPClient, ahead: int) -> None:
        super().__init__(reader, client)
        self._ahead = ahead
        self._items: deque[Given] = deque()
        self._takers = Line()
        self._feeder = Line()
        self._ended = False

    async def feed(self) -> None:
        """Read, until there is no more; what the input raises is raised here."""
        try:
            while (given := await self._reader.take()) is not None:
                self._items.append(given)
                self._takers.wake()
                while len(self._items) >= self._ahead:
                    await self._feeder.wait()
        finally:
            self._ended = True
            self._takers.wake_all()

    def poll(self) -> Given | None:
        """The next one, if it was read."""
        if not self._items:
            return None
        given = self._items.popleft()
        if 2 * len(self._items) <= self._ahead:
            self._feeder.wake()
        return given

    async def take(self) -> Given | None:
        """The next one, as soon as it was read."""
        while (given := self.poll()) is None and not self._ended:
            await self._takers.wait()
        return given

    async def aclose(self) -> None:
        """Give up the input, and what was read ahead."""
        self._ended = True
        self._items.clear()
        await super().aclose()


def source_of(reader: Reader, client: AsyncHTTPClient, ahead: int) -> Source:
    """What gives the items of ``reader`` to workers."""
    return Fed(reader, client, ahead) if reader.ahead else Source(reader, client)
