"""GETs through the client, 32 at once: against its own pool, and against other clients."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from ..apart import compete_apart
from ..certificates import NAME, RSA
from ..clients import OURS, PEERS, Setup, client, pool_with_json, url_of
from ..report import Check, Result
from ..servers import FIELD_COUNT, FIELDS, JSON, JSON_BODY
from ..turns import side_by_side
from .small_concurrent import CONNECTIONS

if TYPE_CHECKING:
    from ..apart import LoopFactory
    from ..clients import Client, FetchIterator
    from ..servers import Servers
    from ..turns import Contender, Effort, Times, WorkIterator

COMPILED: Final = ("pyreqwest", "wreq")
"""The peers with a compiled core."""

POOL: Final = "its pool"

VALUES: Final = 6
"""Values at the top of the document."""

LARGE_BLOCK: Final = 1 << 20
"""Bytes: more than a stock transport takes for a ``recv``."""

PER_REQUEST: Final = 1e6 / CONNECTIONS
"""Microseconds; a unit is one request in each of as many tasks."""


def _asking(opened: Client, path: str, tls: str | None = None, close: bool = False, number: int = 0) -> Contender:
    """A contender whose unit is one request for ``path`` in each task, over TLS with a certificate of the kind.

    With ``close`` each has a connection of its own; ``number`` is the contender's, who has an address of the server to
    himself then (see :data:`benchmarks.servers.OTHER_HOSTS`).
    """
    return partial(_ask, opened, path, tls, close, number)


@asynccontextmanager
async def _ask(opened: Client, path: str, tls: str | None, close: bool, number: int, servers: Servers) -> WorkIterator:
    address = servers.origin if tls is None else servers.tls[tls]
    if close:
        address = replace(address, host=servers.hosts[number % len(servers.hosts)])
    setup = Setup(address, CONNECTIONS, close=close, json=True)
    url = url_of(address, path=path)
    if tls is not None:
        setup = replace(setup, hosts=[NAME], authority=servers.authority)
        url = url_of(address, "https", NAME, path)
    async with opened(setup) as fetch:
        if await fetch(url) != VALUES:
            raise RuntimeError(f"{path} is not what it should be")
        yield lambda times: side_by_side([partial(fetch, url)] * CONNECTIONS, times)


@asynccontextmanager
async def _after_large_block(setup: Setup) -> FetchIterator:
    """Aiohttp in a process that has freed a large block before (see :mod:`benchmarks.apart`)."""
    bytes(LARGE_BLOCK)
    async with PEERS["aiohttp"](setup) as fetch:
        yield fetch


def _line(time: Times, ours: Times) -> tuple[float, float, float]:
    return time.processor * PER_REQUEST, time.wall * PER_REQUEST, time.processor_ratio(ours)


def _small(
    servers: Servers,
    effort: Effort,
    name: str,
    times_aiohttp: float,
    times_compiled: float,
    loop_factory: LoopFactory = asyncio.new_event_loop,
) -> Result:
    contenders = {OURS: client, POOL: pool_with_json, **PEERS, "aiohttp, see apart": _after_large_block}
    asking = {who: _asking(opened, JSON) for who, opened in contenders.items()}
    times = compete_apart(asking, servers, effort, loop_factory)
    ours = times[OURS]
    checks = [
        Check("throughput, times aiohttp's", times["aiohttp"].processor_ratio(ours), times_aiohttp, at_most=False),
        Check("processor time, times the pool's", ours.processor_ratio(times[POOL]), 1.35, at_most=True),
    ]
    compiled = {who: times[who].processor_ratio(ours) for who in COMPILED if who in times}
    if compiled:
        fastest = min(compiled, key=lambda who: compiled[who])
        checks.append(Check(f"throughput, times {fastest}'s", compiled[fastest], times_compiled, at_most=False))
    return Result(
        name=name,
        title=f"JSON of {len(JSON_BODY)} bytes, {CONNECTIONS} at once, microseconds a request",
        columns=("processor", "wall", "x ours"),
        lines={who: _line(time, ours) for who, time in times.items()},
        checks=checks,
    )


async def small(servers: Servers, effort: Effort) -> Result:
    """Small answers, on the stock loop."""
    return _small(servers, effort, "client-small", 4.0, 1.4)


async def small_uvloop(servers: Servers, effort: Effort) -> Result:
    """The same on uvloop."""
    import uvloop

    return _small(servers, effort, "client-small-uvloop", 3.0, 1.4, uvloop.new_event_loop)


def _against_aiohttp(
    servers: Servers, effort: Effort, name: str, title: str, at_least: float, *asked: object
) -> Result:
    contenders = {OURS: client, **PEERS}
    times = compete_apart(
        {
            who: _asking(opened, *asked, number=number)  # type: ignore[arg-type, misc]  # as given
            for number, (who, opened) in enumerate(contenders.items())
        },
        servers,
        effort.shortened(2),
    )
    ours = times[OURS]
    ratio = times["aiohttp"].processor_ratio(ours)
    return Result(
        name=name,
        title=f"{title}, {CONNECTIONS} at once, microseconds a request",
        columns=("processor", "wall", "x ours"),
        lines={who: _line(time, ours) for who, time in times.items()},
        checks=[Check("throughput, times aiohttp's", ratio, at_least, at_most=False)],
    )


async def fields(servers: Servers, effort: Effort) -> Result:
    """Answers with many fields."""
    title = f"JSON with {FIELD_COUNT} more fields in the head"
    return _against_aiohttp(servers, effort, "client-fields", title, 2.5, FIELDS)


async def tls(servers: Servers, effort: Effort) -> Result:
    """Connections over TLS that are kept."""
    return _against_aiohttp(servers, effort, "client-tls", "JSON over TLS", 2.3, JSON, RSA)


async def cold(servers: Servers, effort: Effort) -> Result:
    """A connection for each request."""
    title = "JSON over a connection of its own (Connection: close)"
    return _against_aiohttp(servers, effort, "client-cold", title, 1.6, JSON, None, True)
