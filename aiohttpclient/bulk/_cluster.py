"""Fetching with the workers of a cluster: who gets what, and what becomes of it when a worker is lost.

Theory of operation
-------------------
This is an :class:`Engine` whose one worker has many hands. It reads items while there is room: for each worker of the
cluster a stock, which is what is under way there and what must be at hand so that the worker never waits, and the
buffer. An item goes to the worker that has its host (``_cluster_shares``), in the lane of that (``_cluster_lane``). The
requests themselves are made by sessions (``_cluster_session``), which are engines, too: politeness is theirs.

Every :data:`CENSUS` seconds the scheduler is asked who is there. Whoever is new gets a lane, and hosts that nobody has
yet; whoever is gone is lost, and all that he had goes to others, as what he alone has fetched was never given out. An
item that was under way when a worker was lost, and more than :data:`LOSSES` times, is perhaps what kills them: it has
an error. A scheduler that is gone ends the fetch: nothing can be asked of anybody then.

In the end, however it comes, sessions are ended, and so are their requests, and the scheduler forgets all tasks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from yarl import URL

from ..client import Request
from ..errors import ClusterError, InvalidURL
from ._cluster_dask import Link, Place, dumps
from ._cluster_lane import Lane, Posted
from ._cluster_pack import pack_item, unpack_result
from ._cluster_session import Plan
from ._cluster_shares import Shares
from ._engine import Engine
from ._items import place_of
from ._result import Result
from ._sources import reader_of, source_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._cluster_pack import Packed
    from ._extract import Extract
    from ._politeness import Politeness
    from ._sources import Items, Reader

CENSUS: Final = 0.5
"""Seconds between two looks at who is there; each costs the scheduler less than a millisecond."""

NOBODY: Final = 300.0
"""Seconds without any worker after which none is expected any more: machines take minutes to start."""

LOSSES: Final = 3
"""Workers that may be lost with an item: as Dask's ``allowed-failures``."""

AHEAD: Final = 4
"""Batches that a worker has besides the requests that are under way: one that comes back, two that are on their way."""

MEMORY: Final = 60.0
"""Seconds for which a host stays with its worker, where nobody is to be polite: for cookies and connections."""

READS: Final = 50
"""Items that are read without a break, so that reading does not stop those who wait for the loop."""

BATCH: Final = 100
"""Items that are worth a call, which costs as much as asking for some ten of them."""


def on_cluster(
    cluster: Any,
    requests: Items,
    client: Any,
    concurrency: int,
    buffer: int,
    ordered: bool,
    politeness: Politeness | None,
    extract: Extract | None,
) -> Callable[[], ClusterEngine]:
    """What begins a fetch with ``cluster``; for the others see :func:`bulk.fetch`.

    :raises TypeError, ValueError: one of these is something else, or cannot be sent to a worker
    :raises ImportError: distributed is missing
    """
    place, reader = Place(cluster), reader_of(requests)
    plan = plan_of(client, concurrency, politeness, extract)
    try:
        packed = dumps(plan)
    except Exception as error:
        raise TypeError(f"client= and extract= must pickle, to be sent to the workers: {error}") from error
    return lambda: ClusterEngine(reader, Link(place), plan, packed, buffer, ordered)


def plan_of(client: Any, concurrency: int, politeness: Politeness | None, extract: Extract | None) -> Plan:
    """What every session is to know.

    :raises TypeError: ``client`` is none of the kinds that can travel
    """
    if not (client is None or callable(client) or isinstance(client, Mapping)):
        raise TypeError(
            f"on a cluster each worker has a client of its own: client= is a mapping of settings for AsyncHTTPClient, "
            f"or a function that makes one; got {client!r}"
        )
    stock = concurrency + AHEAD * BATCH
    if politeness is not None:
        stock = max(stock, politeness.window)
    settings = dict(client) if isinstance(client, Mapping) else client
    return Plan(settings, concurrency, stock, BATCH, politeness, extract)


class ClusterEngine(Engine):
    """Fetches what ``reader`` gives with the workers of the cluster that ``link`` leads to.

    :param plan: for the sessions, and ``packed`` the same as it travels
    :param buffer: results that may wait to be taken, besides those of what the workers have
    """

    __slots__ = (
        "_base",
        "_ended_input",
        "_finished",
        "_hands",
        "_homeless",
        "_lanes",
        "_link",
        "_names",
        "_packed",
        "_plan",
        "_shares",
        "_under_way",
    )

    def __init__(self, reader: Reader, link: Link, plan: Plan, packed: bytes, buffer: int, ordered: bool) -> None:
        nobody = cast("Any", None)  # requests are made and sent elsewhere
        super().__init__(source_of(reader, nobody, plan.batch), nobody, False, 1, buffer, ordered)
        self._plan = plan
        self._packed = packed
        self._link = link
        self._base = base_of(plan.client)
        self._shares = Shares(MEMORY if plan.politeness is None else memory_of(plan.politeness))
        self._lanes: dict[str, Lane] = {}
        self._hands: dict[Lane, asyncio.Task[None]] = {}
        self._names: set[str] = set()
        self._homeless: deque[Posted] = deque()
        self._under_way = 0
        self._ended_input = False
        self._finished = asyncio.Event()

    async def _go_on(self) -> None:
        async with self._link:
            try:
                await self._fetch_all()
            finally:
                await self._link.end(self._lanes, sorted(self._names))

    async def _fetch_all(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                census = group.create_task(self._look(group), name="bulk.fetch census")
                await self._read()
                await self._finished.wait()
                census.cancel()
                for hand in self._hands.values():
                    hand.cancel()
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None

    # -- items -------------------------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while (given := await self._take()) is not None:
            self._under_way += 1
            share = self._shares.of(host_of(given.item, self._base))
            share.under_way += 1
            try:
                posted = Posted(given, pack_item(given.item, dumps), share)
            except Exception as error:  # noqa: BLE001  # it is the result
                self._settle(Posted(given, "", share), Result(given.item, given.index, None, None, error, 0.0))
            else:
                self._route(posted)
            if not given.index % READS:
                await asyncio.sleep(0)
        self._ended_input = True
        self._check()

    def _route(self, posted: Posted) -> None:
        lane = self._shares.settle(posted.share, self._lanes.values(), self._now())
        if lane is None:
            self._homeless.append(posted)
        else:
            lane.add(posted)

    def _arrived(self, posted: Posted, packed: Packed) -> None:
        self._settle(posted, unpack_result(packed, posted))

    def _settle(self, posted: Posted, result: Result) -> None:
        share = posted.share
        share.under_way -= 1
        if not share.under_way:
            share.idle_since = self._now()
        self._under_way -= 1
        self._deliver(result)
        self._check()

    def _check(self) -> None:
        if self._ended_input and not self._under_way:
            self._finished.set()

    # -- workers -----------------------------------------------------------------------------------------------------

    async def _look(self, group: asyncio.TaskGroup) -> None:
        """See who has come, and who is gone; and do it again.

        :raises ClusterError: the scheduler is gone, or there was nobody for too long
        """
        seen = self._now()
        while True:
            here = await self._link.workers()
            for lane in list(self._lanes.values()):
                if lane.worker not in here:
                    self._lose(lane)
                else:
                    lane.nudge()
            for worker in sorted(here - self._lanes.keys()):
                self._employ(worker, group)
            if self._lanes:
                seen = self._now()
                homeless, self._homeless = self._homeless, deque()
                for posted in homeless:
                    self._route(posted)
            elif self._now() - seen > NOBODY:
                raise ClusterError(f"the cluster has had no worker for {NOBODY:g} s")
            await asyncio.sleep(CENSUS)

    def _employ(self, worker: str, group: asyncio.TaskGroup) -> None:
        plan = self._plan
        lane = self._lanes[worker] = Lane(worker, self._link, self._packed, plan.stock, plan.batch, self._arrived)
        self._names.add(lane.name)
        self._hands[lane] = group.create_task(self._serve(lane), name=f"bulk.fetch {worker}")
        self._room += plan.stock
        self._idle.wake()

    async def _serve(self, lane: Lane) -> None:
        await lane.run()
        self._lose(lane)

    def _lose(self, lane: Lane) -> None:
        """Give all that ``lane`` has to others."""
        if self._lanes.get(lane.worker) is not lane:
            return
        del self._lanes[lane.worker]
        self._room -= self._plan.stock
        hand = self._hands.pop(lane)
        if hand is not asyncio.current_task():
            hand.cancel()
        for posted in lane.give_up():
            if posted.losses > LOSSES:
                error = ClusterError(
                    f"{posted.losses} workers of the cluster were lost while they had this to fetch; of the last one "
                    f"is known: {lane.why}"
                )
                self._settle(posted, Result(posted.item, posted.index, None, None, error, 0.0))
            else:
                self._route(posted)


def host_of(item: object, base: str) -> str:
    """The host that decides where ``item`` goes; ``base`` is that of what names none."""
    found: Any = item[0] if isinstance(item, tuple) and item else item
    if not isinstance(found, (Request, str, URL)):  # a worker says what is wrong with it
        return base
    text = found.url_text if isinstance(found, Request) else str(found).strip()
    try:
        return place_of(text).host
    except (InvalidURL, ValueError):
        return base


def base_of(client: object) -> str:
    """The host of ``base_url`` in settings of a client; empty: they do not name one here."""
    url = client.get("base_url") if isinstance(client, Mapping) else None
    return "" if url is None else host_of(url, "")


def memory_of(politeness: Politeness) -> float:
    """Seconds for which a host may have to be left alone."""
    return max(politeness.retry_after_max, politeness.crawl_delay_max, politeness.pace)
