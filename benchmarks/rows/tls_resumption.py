"""New connections over TLS: what resuming sessions saves."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from aiohttpclient.net import ResumingContext

from ..certificates import ECDSA, NAME, RSA
from ..clients import PEERS, Setup, fetch_through, pool_of, url_of
from ..report import Check, Result
from ..servers import check_small
from ..turns import compete, side_by_side

if TYPE_CHECKING:
    import ssl

    from aiohttpclient import ConnectionPool

    from ..clients import Client
    from ..servers import Servers
    from ..turns import Contender, Effort, WorkIterator

AT_ONCE: Final = 8
"""Connections at a time."""

AT_LEAST: Final = 1.15
"""Times as many connections in a second of the processor as without resumption."""

SHARE: Final = 0.9
"""Of all connections so many must have been resumed, or the row says nothing: the first ones cannot be."""

ROUNDS_SHARE: Final = 2
"""One of so many rounds is measured; fewer where nothing is required."""
OTHER_ROUNDS_SHARE: Final = 5


class FullHandshakes(ResumingContext):
    """A context through which nothing is resumed."""

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        return self._sessions.context.wrap_bio(*arguments, **options)

    def keep(self, server_hostname: str, ssl_object: ssl.SSLObject | None) -> None:
        pass


def _setup(servers: Servers, kind: str) -> Setup:
    return Setup(servers.tls[kind], AT_ONCE, close=True, hosts=[NAME], authority=servers.authority)


def _ours(wrapper: type[ResumingContext], kind: str) -> Contender:
    """A unit is one new connection in each of :data:`AT_ONCE` tasks."""

    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        setup = _setup(servers, kind)
        url = url_of(setup.address, "https", NAME)
        async with pool_of(setup, wrapper(setup.context())) as pool:
            fetch = fetch_through(pool)
            check_small(await fetch(url))
            yield lambda times: side_by_side([partial(fetch, url)] * AT_ONCE, times)
            _check_resumed(pool, wrapper is ResumingContext)

    return contender


def _check_resumed(pool: ConnectionPool, wanted: bool) -> None:
    """:raises RuntimeError: the server did not resume, or resumed what it should not"""
    stats = pool.stats()
    if wanted != (stats.resumed > SHARE * stats.opened) or (stats.resumed and not wanted):
        raise RuntimeError(f"{stats.resumed} of {stats.opened} connections were resumed")


def _peer(client: Client, kind: str) -> Contender:
    @asynccontextmanager
    async def contender(servers: Servers) -> WorkIterator:
        setup = _setup(servers, kind)
        url = url_of(setup.address, "https", NAME)
        async with client(setup) as fetch:
            check_small(await fetch(url))
            yield lambda times: side_by_side([partial(fetch, url)] * AT_ONCE, times)

    return contender


async def run(servers: Servers, effort: Effort) -> Result:
    """Connections in each second of the processor: handshake, one small request, close."""
    resumed, full = "aiohttpclient", "aiohttpclient, not resumed"
    contenders = {
        kind: {f"{resumed}, {kind}": _ours(ResumingContext, kind), f"{full}, {kind}": _ours(FullHandshakes, kind)}
        for kind in (RSA, ECDSA)
    }
    peers = {f"{name}, {RSA}": _peer(client, RSA) for name, client in PEERS.items()}
    lines: dict[str, tuple[float, ...]] = {}
    ratios = {}
    for kind, pair in contenders.items():
        times = await compete(pair, servers, effort.shortened(ROUNDS_SHARE if kind == RSA else OTHER_ROUNDS_SHARE))
        ratios[kind] = times[f"{full}, {kind}"].processor_ratio(times[f"{resumed}, {kind}"])
        for name, time in times.items():
            ratio = times[f"{full}, {kind}"].processor_ratio(time)
            lines[name] = (AT_ONCE / time.processor, time.processor * 1e6 / AT_ONCE, ratio)
    theirs = await compete(peers, servers, effort.shortened(OTHER_ROUNDS_SHARE))
    base = lines[f"{full}, {RSA}"][1]
    for name, time in theirs.items():
        each = time.processor * 1e6 / AT_ONCE
        lines[name] = (1e6 / each, each, base / each)
    return Result(
        name="tls-resumption",
        title=f"New connections over TLS with one small GET each, {AT_ONCE} at once",
        columns=("a processor second", "microseconds", "x as many"),
        lines=lines,
        checks=[
            Check(f"times as many with resumption, {RSA}", ratios[RSA], AT_LEAST, at_most=False),
        ],
    )
