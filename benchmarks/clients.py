"""The clients with a pool of connections: this library's and its peers, each made to do the same.

A peer takes part when it is installed, and is imported when it begins, not in the processes of the others. Those with a
compiled core have threads of their own, which inherit the core from the thread that starts them; what they use counts
as processor time of this process, like everything else.
"""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from aiohttpclient import AsyncHTTPClient, ConnectionPool, PoolLimits
from aiohttpclient.net import adopt

from .servers import SMALL, check_small
from .turns import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import aiohttp.abc

    from aiohttpclient.net import StreamProtocol

    from .servers import Address, Servers
    from .turns import Contender, WorkIterator

Fetch: TypeAlias = Callable[[str], Awaitable[int]]
"""Asks for the URL and reads the body; how many bytes that has, or values, where it is JSON."""

KEPT: Final = 600.0
"""Seconds for which an idle connection is kept, and a request may wait: longer than any row takes."""

CLOSE: Final = {"Connection": "close"}
"""The fields of a request on a connection of its own."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a client is to do."""

    address: Address
    """The server, to which every name leads."""

    connections: int
    """How many connections there may be at once."""

    close: bool = False
    """Whether each request has a connection of its own."""

    hosts: Sequence[str] = ()
    """The names that are asked for, besides the server's address."""

    authority: Path | None = None
    """Who signs for the server, over TLS."""

    json: bool = False
    """Whether what comes is JSON, and to be read as such."""

    @property
    def headers(self) -> dict[str, str] | None:
        """Fields of each request."""
        return CLOSE if self.close else None

    def context(self) -> ssl.SSLContext:
        """A new TLS context that trusts the server."""
        return ssl.create_default_context(cafile=self.authority)


Client: TypeAlias = Callable[[Setup], AbstractAsyncContextManager[Fetch]]
"""Opens a client, gives what asks through it, closes it."""

FetchIterator: TypeAlias = AsyncIterator[Fetch]
"""What a client written with ``asynccontextmanager`` returns."""


class LoopbackDialer:
    """Leads every name to one server, without a look-up."""

    def __init__(self, address: Address) -> None:
        self._address = address

    async def dial(self, host: str, port: int) -> StreamProtocol:
        sock = socket.socket()
        try:
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, (self._address.host, port))
        except BaseException:
            sock.close()
            raise
        return await adopt(sock)


def pool_of(setup: Setup, context: ssl.SSLContext | None = None) -> ConnectionPool:
    """A pool of this library's; ``context`` instead of a plain one."""
    limits = PoolLimits(connections=setup.connections, keepalive_expiry=0 if setup.close else KEPT)
    dialer = LoopbackDialer(setup.address) if setup.hosts else None
    if context is None and setup.authority is not None:
        context = setup.context()
    return ConnectionPool(limits, ssl_context=context, dialer=dialer)


def fetch_through(pool: ConnectionPool, headers: dict[str, str] | None = None) -> Fetch:
    """What asks through ``pool``."""

    async def fetch(url: str) -> int:
        response = await pool.request("GET", url, None, headers)
        return len(await response.read())

    return fetch


@asynccontextmanager
async def pool(setup: Setup) -> FetchIterator:
    """This library."""
    async with pool_of(setup) as opened:
        yield fetch_through(opened, setup.headers)


@asynccontextmanager
async def pool_with_json(setup: Setup) -> FetchIterator:
    """The same, where what comes is JSON."""
    async with pool_of(setup) as opened:

        async def fetch(url: str) -> int:
            response = await opened.request("GET", url, None, setup.headers)
            return len(json.loads(await response.read()))

        yield fetch


@asynccontextmanager
async def client(setup: Setup) -> FetchIterator:
    """This library's client."""
    async with AsyncHTTPClient(transport=pool_of(setup), headers=setup.headers) as opened, opened.pool:

        async def fetch(url: str) -> int:
            response = await opened.get(url)
            return len(response.json()) if setup.json else len(response.content)

        yield fetch


def _leading_to(address: Address) -> aiohttp.abc.AbstractResolver:
    import aiohttp.abc

    class Resolver(aiohttp.abc.AbstractResolver):
        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> list[aiohttp.abc.ResolveResult]:
            return [
                aiohttp.abc.ResolveResult(
                    hostname=host, host=address.host, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST
                )
            ]

        async def close(self) -> None:
            """There is nothing to close."""

    return Resolver()


@asynccontextmanager
async def _aiohttp(setup: Setup) -> FetchIterator:
    import aiohttp

    connector = aiohttp.TCPConnector(
        limit=setup.connections,
        resolver=_leading_to(setup.address),
        ssl=setup.context() if setup.authority else True,
        family=socket.AF_INET,
        **{"force_close": True} if setup.close else {"keepalive_timeout": KEPT},
    )
    timeout = aiohttp.ClientTimeout(total=KEPT)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, headers=setup.headers) as session:

        async def fetch(url: str) -> int:
            async with session.get(url) as response:
                return len(await response.json()) if setup.json else len(await response.read())

        yield fetch


@asynccontextmanager
async def _httpx2(setup: Setup) -> FetchIterator:
    httpx2: Any = import_module("httpx2")
    count = setup.connections
    limits = httpx2.Limits(max_connections=count, max_keepalive_connections=count, keepalive_expiry=KEPT)
    transport = httpx2.AsyncHTTPTransport(
        verify=setup.context() if setup.authority else True, limits=limits, trust_env=False
    )
    if setup.hosts:
        # It has no door for names; this is the seam inside.
        network: Any = transport._pool._network_backend  # noqa: SLF001
        connect = network.connect_tcp
        network.connect_tcp = lambda host, port, **options: connect(setup.address.host, port, **options)
    async with httpx2.AsyncClient(transport=transport, timeout=KEPT, headers=setup.headers) as client:

        async def fetch(url: str) -> int:
            response = await client.get(url)
            return len(response.json()) if setup.json else len(response.content)

        yield fetch


@asynccontextmanager
async def _pyreqwest(setup: Setup) -> FetchIterator:
    builder: Any = import_module("pyreqwest.client").ClientBuilder()
    # Counts requests under way, where the others count connections.
    builder = builder.http1_only().no_proxy().max_connections(setup.connections).timeout(timedelta(seconds=KEPT))
    builder = builder.pool_idle_timeout(timedelta(seconds=KEPT)).pool_max_idle_per_host(setup.connections)
    for host in setup.hosts:
        builder = builder.resolve(host, setup.address.host, setup.address.port)
    if setup.authority is not None:
        builder = builder.add_root_certificate_pem(setup.authority.read_bytes())
    async with builder.build() as client:

        async def fetch(url: str) -> int:
            request = client.get(url)
            if setup.close:
                request = request.headers(CLOSE)
            response = await request.build().send()
            return len(await response.json()) if setup.json else len(await response.bytes())

        yield fetch


@asynccontextmanager
async def _wreq(setup: Setup) -> FetchIterator:
    wreq: Any = import_module("wreq")
    options: dict[str, Any] = {}
    if setup.hosts:
        options["dns_options"] = dns = wreq.DnsOptions()
        for host in setup.hosts:
            dns.add_resolve(host, [IPv4Address(setup.address.host)])
    if setup.authority is not None:
        options["tls_verify"] = setup.authority
    # It has no limit to the connections that are open, only to those that are kept.
    client = wreq.Client(
        http1_only=True,
        no_proxy=True,
        timeout=timedelta(seconds=KEPT),
        pool_idle_timeout=timedelta(seconds=KEPT),
        pool_max_size=setup.connections,
        pool_max_idle_per_host=setup.connections,
        headers=setup.headers or {},
        **options,
    )
    try:

        async def fetch(url: str) -> int:
            response = await client.get(url)
            return len(await response.json()) if setup.json else len(await response.bytes())

        yield fetch
    finally:
        client.close()


def _peers() -> dict[str, Client]:
    optional = {"httpx2": _httpx2, "pyreqwest": _pyreqwest, "wreq": _wreq}
    return {"aiohttp": _aiohttp, **{name: peer for name, peer in optional.items() if find_spec(name) is not None}}


PEERS: Final[dict[str, Client]] = _peers()
"""The others, by name."""

OURS: Final = "aiohttpclient"

CLIENTS: Final[dict[str, Client]] = {OURS: pool, **PEERS}
"""All of them, by name, this library first."""


def url_of(address: Address, scheme: str = "http", host: str | None = None, path: str = SMALL) -> str:
    """The URL of ``path`` on the server, or on ``host``, which leads there."""
    return f"{scheme}://{host or address.host}:{address.port}{path}"


async def fetch_all(fetch: Fetch, urls: Iterable[str], at_once: int) -> None:
    """Asks for each of ``urls``, ``at_once`` at a time."""
    left = iter(urls)

    async def work() -> None:
        for url in left:
            await fetch(url)

    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(work())


def repeating(client: Client, connections: int) -> Contender:
    """A contender whose unit is one small request in each of ``connections`` tasks."""
    return partial(_repeat, client, connections)


@asynccontextmanager
async def _repeat(client: Client, connections: int, servers: Servers) -> WorkIterator:
    url = url_of(servers.origin)
    async with client(Setup(servers.origin, connections)) as fetch:
        check_small(await fetch(url))

        yield lambda times: side_by_side([partial(fetch, url)] * connections, times)
