"""What one process of a cluster does for one fetch: a client, an engine, and what came of it so far.

Theory of operation
-------------------
A session lives on the loop of a worker from the first call of a fetch until the fetch ends it, or the worker ends; its
requests go on between calls. A call brings items, waits a little, and takes along whatever is done by then: so what is
slow holds up nobody, and comes with a later call. The scheduler sees short tasks, one after the other, and no more of
them than that.

A call has a number. Dask may run a task twice, because its result was lost on the way: the second run gets the answer
of the first, whose items were taken already. Answers are kept until a later call says that they have arrived.

A session that nobody calls for :data:`LEASE` seconds ends itself: whoever wanted it was killed, perhaps. If he was not,
he finds no session under its name, and begins another: what the worker had is fetched again, as if it had been lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
from collections import deque
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from ..client import AsyncHTTPClient
from ._cluster_pack import PROTOCOL, pack_error, pack_result, unpack_item
from ._engine import Engine
from ._line import Line
from ._own_client import own_client
from ._schedule import Schedule, check_packages
from ._sources import Given, Source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._cluster_pack import Dumps, Packed
    from ._extract import Extract
    from ._politeness import Politeness
    from ._result import Result

LEASE: Final = 120.0
"""Seconds without a call after which a session ends: longer than a loop stands still whose consumer blocks it."""

POLL: Final = 0.5
"""Seconds that a call waits for a first result: so long an item waits that comes while a call is under way, where a
worker runs one task at a time."""

LINGER: Final = 0.1
"""Seconds that a call waits for more, behind the first. Each call costs the scheduler some milliseconds."""

REPLY: Final = 4 << 20
"""Bytes of bodies after which a reply is full: below what Dask calls large (10 MiB)."""


class Plan(NamedTuple):
    """What a session needs to know; ``stock`` is how many items it has at most, ``batch`` how many are worth a call."""

    client: Mapping[str, Any] | Callable[[], AsyncHTTPClient] | None
    concurrency: int
    stock: int
    batch: int
    politeness: Politeness | None
    extract: Extract | None


def made_client(plan: Plan) -> AsyncHTTPClient:
    """The client of a session.

    :raises TypeError: the function has made something else
    """
    if callable(plan.client):
        client = plan.client()
        if not isinstance(client, AsyncHTTPClient):
            raise TypeError(f"client= must make an AsyncHTTPClient, and made {client!r}")
        return client
    return own_client(plan.concurrency, plan.politeness, plan.client)


class Exit(BaseException):
    """``extract`` wants to end the process: that ends the session, and says so, instead of one worker after another."""


def guarded(extract: Extract | None) -> Extract | None:
    """``extract`` for a loop that others have a part in: a ``SystemExit`` goes through every task, and ends it."""
    if extract is None or extract.function is None:
        return extract
    function = extract.function

    def call(result: Result) -> Any:
        try:
            return function(result)
        except SystemExit as error:
            raise Exit(f"extract has raised {error!r}") from error

    return extract._replace(function=call)


class Inbox:
    """Gives the items that calls have brought."""

    ahead = False

    def __init__(self) -> None:
        self._items: deque[Given] = deque()
        self._takers = Line()

    def put(self, given: Given) -> None:
        """One more."""
        self._items.append(given)
        self._takers.wake()

    def poll(self) -> Given | None:
        """The next one, if it is there."""
        return self._items.popleft() if self._items else None

    async def take(self) -> Given | None:
        """The next one, as soon as it is there: there is no last one."""
        while (given := self.poll()) is None:
            await self._takers.wait()
        return given

    async def aclose(self) -> None:
        """Forget what is left."""
        self._items.clear()


class Session:
    """Fetches for one lane of a fetch, in the running loop, which is that of a worker.

    :param ended: called when it has ended
    :raises Exception: there is no client to be had
    """

    def __init__(self, plan: Plan, dumps: Dumps, ended: Callable[[], None]) -> None:
        self._plan = plan
        self._dumps = dumps
        self._ended = ended
        self._inbox = Inbox()
        self._done: deque[Packed] = deque()
        self._left = 0
        self._some = asyncio.Event()
        self._full = asyncio.Event()
        self._calls: dict[int, asyncio.Task[bytes | str | None]] = {}
        self._failure: BaseException | None = None
        self._over = False
        polite = plan.politeness
        if polite is not None:
            check_packages(polite)  # before there is anything to close
        client = made_client(plan)
        source = Source(self._inbox, client) if polite is None else Schedule(self._inbox, client, polite, False)
        self._engine = Engine(source, client, True, plan.concurrency, plan.stock, False, guarded(plan.extract))
        loop = asyncio.get_running_loop()
        self._collector = loop.create_task(self._collect(), name="bulk.fetch collector")
        self._loop = loop
        self._called = loop.time()
        self._lease = loop.call_later(LEASE, self._look)

    async def exchange(self, number: int, lowest: int, cargo: bytes) -> bytes | str | None:
        """Take items, and give what is done: a pickle of a list of what :func:`._cluster_pack.pack_result` gives.

        None: it has ended, as if it had never been here. A text: nothing is to be had here or elsewhere, and why.

        :param number: of the call: one that comes twice gets the same answer
        :param lowest: of all calls whose answers did not arrive yet
        :param cargo: a pickle of pairs of an index, and what :func:`._cluster_pack.pack_item` gives; or empty
        """
        self._called = self._loop.time()
        call = self._calls.get(number)
        if call is None:
            self._take(pickle.loads(cargo) if cargo else [])  # noqa: S301  # as Dask's own
            call = self._calls[number] = self._loop.create_task(self._answer(), name=f"bulk.fetch call {number}")
        for old in [one for one in self._calls if one < lowest]:
            del self._calls[old]
        return await asyncio.shield(call)

    async def end(self) -> None:
        """End it, and return when nothing is left of it. Calls are answered, or Dask would wait for them."""
        self._over = True
        self._lease.cancel()
        self._ended()
        self._some.set()
        self._full.set()
        self._collector.cancel()
        with contextlib.suppress(Exception):  # of no interest to anybody any more
            await self._engine.stop()
        await asyncio.wait([self._collector, *self._calls.values()])

    # -- items in, results out ---------------------------------------------------------------------------------------

    def _take(self, items: list[tuple[int, str | bytes]]) -> None:
        self._left += len(items)
        for index, packed in items:
            try:
                self._inbox.put(Given(unpack_item(packed), index))
            except Exception as error:  # noqa: BLE001  # it is the result
                self._note((index, 0.0, False, None, pack_error(error, self._dumps), None))

    async def _collect(self) -> None:
        """Pack each result when it is there: in between the requests, and not all at once in a call."""
        try:
            while (result := await self._engine.next()) is not None:
                self._note(pack_result(result, self._dumps))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # raised where it is asked for
            self._failure = error
        self._some.set()
        self._full.set()

    def _note(self, packed: Packed) -> None:
        self._done.append(packed)
        self._left -= 1
        self._some.set()
        if len(self._done) >= self._plan.batch or not self._left:
            self._full.set()

    async def _answer(self) -> bytes | str | None:
        """What is done by then."""
        if self._left and not self._done:
            await _at_most(POLL, self._some)
        if self._left and self._done:
            await _at_most(LINGER, self._full)
        if self._over:
            return None
        if self._collector.done():
            return f"a worker cannot go on: {self._failure!r}"
        taken: list[Packed] = []
        size = 0
        while self._done and size < REPLY:
            packed = self._done.popleft()
            size += size_of(packed)
            taken.append(packed)
        if not self._done:
            self._some.clear()
        if len(self._done) < self._plan.batch:
            self._full.clear()
        return pickle.dumps(taken, PROTOCOL)

    # -- how long it lives -------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """End it if nobody has called for too long."""
        rest = self._called + LEASE - self._loop.time()
        if rest > 0 or any(not call.done() for call in self._calls.values()):
            self._lease = self._loop.call_later(max(rest, LEASE / 2), self._look)
        else:
            self._ending = self._loop.create_task(self.end(), name="bulk.fetch forgotten")


def size_of(packed: Packed) -> int:
    """Bytes of its body and its value."""
    _, _, _, _, outcome, value = packed
    body = outcome[2] if isinstance(outcome, tuple) else outcome
    return len(body or b"") + len(value or b"")


async def _at_most(seconds: float, event: asyncio.Event) -> None:
    """Wait for ``event``, but no longer than that."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
