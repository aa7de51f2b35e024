"""Pools, ways from them to a server, and what is looked at when somebody was disturbed: for the scenarios about pools.

A :class:`Way` is how a pool reaches the server: in the clear, by name, over TLS, through a proxy of each kind. A
:class:`Place` is one server at the end of a way, with a pool that goes there.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from aiohttpclient import ConnectionPool, PoolLimits, Timeout
from aiohttpclient.net import Resolver, TCPDialer
from tests.net.streams import until
from tests.support.leaks import open_descriptors, other_tasks
from tests.support.server import raw_server, reply

from .exchanges import SMALL_BUFFER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttpclient import PoolStats
    from aiohttpclient.net import StreamProtocol
    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit

    Answer = Callable[[Peer], Awaitable[None]]
    Prelude = Callable[[Peer, TlsKit], Awaitable[None]]

UNHURRIED = Timeout(30)
"""For requests that are disturbed by something else than a timeout."""


# -- ways


@dataclass(frozen=True)
class Way:
    """How a pool reaches a server."""

    name: str
    url: str = "http://127.0.0.1:{port}"
    """Of the origin, without a path; ``{port}`` is the server's."""
    proxy: str | None = None
    """The same for a proxy."""
    tls: bool = False
    """The server speaks TLS from the start."""
    prelude: Prelude | None = None
    """What the server does before it is the origin."""
    waits: int = 1
    """How often connecting waits, at least."""

    def __str__(self) -> str:
        return self.name


async def _connect_tunnel(peer: Peer, tls: TlsKit) -> None:
    head = await peer.read_head()
    assert head.startswith(b"CONNECT localhost:443 ")
    await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
    await peer.start_tls(tls.good)


async def _negotiate_socks5(peer: Peer, tls: TlsKit) -> None:
    await peer.read_exactly((await peer.read_exactly(2))[1])
    await peer.send(b"\5\0")
    head = await peer.read_exactly(5)
    assert head[:4] == b"\5\1\0\3"
    await peer.read_exactly(head[4] + 2)
    await peer.send(b"\5\0\0\1" + bytes(6))


async def _negotiate_socks4(peer: Peer, tls: TlsKit) -> None:
    assert (await peer.read_exactly(8))[:2] == b"\4\1"
    await peer.read_until(b"\0")
    await peer.read_until(b"\0")
    await peer.send(b"\0\x5a" + bytes(6))


async def _negotiate_socks5_then_tls(peer: Peer, tls: TlsKit) -> None:
    await _negotiate_socks5(peer, tls)
    await peer.start_tls(tls.good)


PLAIN = Way("plain")
NAMED = Way("by name", "http://localhost:{port}", waits=2)
TLS = Way("TLS", "https://127.0.0.1:{port}", tls=True, waits=2)
FORWARD = Way("proxy", "http://origin.test", "http://127.0.0.1:{port}")
TUNNEL = Way("tunnel", "https://localhost", "http://127.0.0.1:{port}", prelude=_connect_tunnel, waits=3)
TLS_TUNNEL = Way(
    "tunnel through TLS", "https://localhost", "https://127.0.0.1:{port}", tls=True, prelude=_connect_tunnel, waits=4
)
SOCKS5 = Way("SOCKS 5", "http://origin.test", "socks5h://127.0.0.1:{port}", prelude=_negotiate_socks5, waits=3)
SOCKS4 = Way("SOCKS 4A", "http://origin.test", "socks4a://127.0.0.1:{port}", prelude=_negotiate_socks4, waits=2)
SOCKS5_TLS = Way(
    "TLS through SOCKS 5",
    "https://localhost",
    "socks5h://127.0.0.1:{port}",
    prelude=_negotiate_socks5_then_tls,
    waits=4,
)
WAYS = (PLAIN, NAMED, TLS, FORWARD, TUNNEL, TLS_TUNNEL, SOCKS5, SOCKS4, SOCKS5_TLS)


class OwnResolver(Protocol):
    """A dialer with a resolver of its own, which is closed with the place."""

    resolver: Resolver

    async def dial(self, host: str, port: int) -> StreamProtocol: ...


class SmallBuffers:
    """Dials as a pool does, but asks for a name each time, and lets the kernel take few bytes at a time."""

    def __init__(self) -> None:
        self.resolver = Resolver(ttl=None)
        self.tcp = TCPDialer(self.resolver)

    async def dial(self, host: str, port: int) -> StreamProtocol:
        stream = await self.tcp.dial(host, port)
        sock = stream.base_transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
        return stream


# -- a place


@dataclass
class Place:
    """A server at the end of a way, and a pool."""

    server: RawServer
    pool: ConnectionPool
    url: str
    numbers: itertools.count[int] = field(default_factory=itertools.count)
    origins: int = 0
    """Connections on which the server has become the origin."""

    async def again(self) -> None:
        """A request of somebody who was not disturbed: it gets its own answer."""
        target = f"/again/{next(self.numbers)}"
        response = await self.pool.request("GET", self.url + target)
        assert (response.status, response.headers["X-Target"]) == (200, target)
        assert await response.read() == target.encode()

    async def again_leased(self) -> None:
        """The same, twice, by a lease."""
        async with self.pool.connection(self.url) as conn:
            for _ in range(2):
                target = f"/again/{next(self.numbers)}"
                await conn.request("GET", target)
                response = await conn.getresponse()
                assert await response.read() == target.encode()

    # -- what there is

    def sockets(self) -> list[str]:
        """The client's open sockets: those whose peer is the server."""
        address = (self.server.host, self.server.port)
        return [each.describe() for each in open_descriptors() if each.addresses()[1:] == [address]]

    async def settled(self) -> None:
        """Let the loop do what it has been told already; then nothing is left but the connections that are kept."""
        stats = self.pool.stats()
        assert (stats.busy, stats.connecting, stats.waiting) == (0, 0, 0), stats
        await until(lambda: len(self.sockets()) == stats.idle)
        await until(lambda: len(timers()) <= stats.idle + 1)  # the one of each connection, and that of all waiters
        await until(lambda: len(self.pool._streams) == stats.idle)
        assert len(self.pool._slots) == stats.idle
        assert stats.origins == (1 if stats.idle else 0)


def timers() -> list[Any]:
    """The timers in the running loop; uvloop does not show them."""
    return [handle for handle in getattr(asyncio.get_running_loop(), "_scheduled", ()) if not handle.cancelled()]


def strangers(*known: asyncio.Task[Any]) -> set[asyncio.Task[Any]]:
    """Unfinished tasks that are neither known nor the server's: the library's, or of something that it uses."""
    return {task for task in other_tasks() if task not in known and not is_the_servers(task)}


def is_the_servers(task: asyncio.Task[Any]) -> bool:
    """Whether ``task`` runs a script of ``raw_server``, or receives or sends for one."""
    what = str(getattr(task.get_coro(), "__qualname__", ""))
    return task.get_name().startswith("raw_server") or what.endswith(("sock_recv", "sock_sendall"))


def counts(stats: PoolStats) -> tuple[int, int, int, int]:
    """Connections idle, busy and connecting, and requests waiting."""
    return stats.idle, stats.busy, stats.connecting, stats.waiting


@contextlib.asynccontextmanager
async def place(
    way: Way,
    tls: TlsKit,
    answer: Answer | None = None,
    *,
    keep: bool = True,
    connections: int = 1,
    dialer: OwnResolver | None = None,
    **options: Any,
) -> AsyncIterator[Place]:
    """A server at the end of ``way``, and a pool of ``connections``, which must have nothing left when it is closed.

    The server answers ``/again`` by itself, and closes after it unless told to ``keep`` connections. Everything else is
    left to ``answer``, which finds the request line taken.
    """

    async def script(peer: Peer) -> None:
        if way.prelude is not None:
            await way.prelude(peer, tls)
        here.origins += 1
        while True:
            target = (await peer.read_until(b"\r\n")).split()[1].decode()
            target = target[target.find("/again") :]
            if target.startswith("/again"):
                await peer.read_head()
                fields = [f"X-Target: {target}", *([] if keep else ["Connection: close"])]
                await peer.send(reply(target.encode(), *fields))
            else:
                assert answer is not None
                await answer(peer)

    options.setdefault("timeout", UNHURRIED)
    options.setdefault("limits", PoolLimits(connections=connections))
    async with raw_server(script, ssl=tls.good if way.tls else None) as server:
        proxy = None if way.proxy is None else way.proxy.format(port=server.port)
        pool = ConnectionPool(
            ssl_context=tls.new_client(),
            proxy=proxy,
            proxy_ssl_context=tls.new_client(),
            dialer=dialer,
            **options,
        )
        here = Place(server, pool, way.url.format(port=server.port))
        try:
            yield here
        finally:
            await pool.close()
            if dialer is not None:
                dialer.resolver.close()
        assert counts(pool.stats()) == (0, 0, 0, 0)
        assert here.sockets() == []
        assert not pool._slots
        assert not pool._streams
