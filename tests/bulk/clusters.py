"""A cluster in memory: workers that are sessions in this loop, and that can be lost; and a fetch with them."""

from __future__ import annotations

import asyncio
import functools
import itertools
from typing import TYPE_CHECKING, Any

from aiohttpclient.bulk import Fetch
from aiohttpclient.bulk._cluster import ClusterEngine, plan_of
from aiohttpclient.bulk._cluster_dask import Sessions, dumps
from aiohttpclient.bulk._extract import extract_of
from aiohttpclient.bulk._sources import reader_of
from aiohttpclient.errors import ClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Self

    from aiohttpclient import AsyncHTTPClient

_MADE: dict[int, Callable[[], AsyncHTTPClient]] = {}
_NUMBERS = itertools.count()


def client_of(number: int) -> AsyncHTTPClient:
    """What a worker calls: a function that pickles, for one that need not."""
    return _MADE[number]()


def travelling(make: Callable[[], AsyncHTTPClient]) -> Callable[[], AsyncHTTPClient]:
    """``make``, which stays in this process, as a function that pickles."""
    number = next(_NUMBERS)
    _MADE[number] = make
    return functools.partial(client_of, number)


class Cluster:
    """A link to workers in this loop.

    ``calls`` (list of (worker, number)) were made; ``twice`` makes each of them twice, as Dask may do; ``gone``
    tells that there is no scheduler any more.
    """

    def __init__(self, *workers: str) -> None:
        self.at = {worker: Sessions() for worker in workers}
        self.calls: list[tuple[str, int]] = []
        self.twice = False
        self.gone = False
        self.closed = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.closed += 1

    async def workers(self) -> set[str]:
        if self.gone:
            raise ClusterError("the scheduler is gone")
        return set(self.at)

    async def call(
        self, worker: str, name: str, plan: bytes | None, number: int, lowest: int, cargo: bytes
    ) -> bytes | str | None:
        self.calls.append((worker, number))
        if worker not in self.at:
            await asyncio.Event().wait()  # as a task does that no worker can have
        sessions = self.at[worker]
        answer = await sessions.exchange(name, plan, number, lowest, cargo)
        if self.twice:
            assert await sessions.exchange(name, plan, number, lowest, cargo) == answer
        if self.at.get(worker) is not sessions:
            await asyncio.Event().wait()  # it was killed: nobody hears what it says
        return answer

    async def end(self, workers: Iterable[str], sessions: list[str]) -> None:
        for worker in workers:
            if worker in self.at:
                await self.at[worker].end(sessions)

    async def kill(self, worker: str) -> None:
        """It is gone, with all that it was doing."""
        await self.at.pop(worker).end()

    def held(self) -> int:
        """Sessions that are left."""
        return sum(len(sessions._sessions) for sessions in self.at.values())


def fetch_on(
    cluster: Cluster,
    items: Any,
    client: Any = None,
    concurrency: int = 20,
    ordered: bool = False,
    buffer: int = 20,
    politeness: Any = None,
    extract: Any = None,
    responses: bool = True,
    **sizes: Any,
) -> Fetch:
    """A fetch with it; ``sizes`` are the plan's."""
    plan = plan_of(client, concurrency, politeness, extract_of(extract, responses))._replace(**sizes)
    packed = dumps(plan)
    link: Any = cluster
    return Fetch(lambda: ClusterEngine(reader_of(items), link, plan, packed, buffer, ordered))
