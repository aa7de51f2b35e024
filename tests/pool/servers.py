"""Servers for the tests of the pool, clocks that tests move, and short ways to say what a pool has."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.connection.exchanges import full_backlog
from tests.net.clocks import Clock
from tests.net.streams import turns, until
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from typing import TypeAlias

    from aiohttpclient import AsyncHTTPResponse, ConnectionPool
    from aiohttpclient.pool import Drop
    from tests.support.server import Peer, RawServer

    Page: TypeAlias = bytes | Callable[[Peer], Awaitable[None]]

__all__ = [
    "CHUNKED",
    "HALF",
    "Asked",
    "Clock",
    "Counts",
    "Site",
    "asked",
    "connect_proxy",
    "counts",
    "dechunked",
    "dropped",
    "get",
    "refusing_port",
    "serving",
    "settled",
    "silent_port",
    "socks5_proxy",
    "turns",
    "until",
]

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\nX-Trailer: end\r\n\r\n"
"""An answer of which the length is not known before its end."""

HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf."
"""The first half of an answer."""


class Asked(NamedTuple):
    """One request, as a server saw it."""

    connection: int
    method: str
    target: str
    head: bytes
    body: bytes


class Site:
    """A script that answers every request with its own target, and those of ``pages`` as they say.

    A page is the bytes of an answer, or a function that does what is to be done; it may close the connection.
    """

    def __init__(self, pages: dict[str, Page] | None = None) -> None:
        self.pages = pages or {}
        self.asked: list[Asked] = []

    @property
    def targets(self) -> list[str]:
        """What was asked for, in the order in which it came."""
        return [asked.target for asked in self.asked]

    @property
    def connections(self) -> list[int]:
        """Over which connections."""
        return [asked.connection for asked in self.asked]

    async def __call__(self, peer: Peer) -> None:
        """Serve one connection until one side has enough of it."""
        while peer.socket.fileno() >= 0:
            head, body = await peer.read_request()
            method, target, _ = head.split(b"\r\n")[0].decode().split(" ")
            self.asked.append(Asked(peer.number, method, target, head, body))
            page = self.pages.get(target)
            if page is None:
                answer = reply(target.encode())
                await peer.send(answer.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == "HEAD" else answer)
            elif isinstance(page, bytes):
                await peer.send(page)
            else:
                await page(peer)


@contextlib.asynccontextmanager
async def serving(
    pages: dict[str, Page] | None = None, *, ssl: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[RawServer, Site]]:
    """A server of a :class:`Site`, and the site."""
    site = Site(pages)
    async with raw_server(site, ssl=ssl, host=host) as server:
        yield server, site


class Counts(NamedTuple):
    """What a pool has in one moment."""

    idle: int = 0
    busy: int = 0
    connecting: int = 0
    waiting: int = 0


def counts(pool: ConnectionPool) -> Counts:
    """What ``pool`` has now."""
    stats = pool.stats()
    return Counts(stats.idle, stats.busy, stats.connecting, stats.waiting)


def dropped(pool: ConnectionPool) -> dict[Drop, int]:
    """Why connections have left ``pool``."""
    return dict(pool.stats().dropped)


async def get(pool: ConnectionPool, url: Any, method: str = "GET", *arguments: Any, **options: Any) -> bytes:
    """The body of the answer to one request."""
    response: AsyncHTTPResponse = await pool.request(method, url, *arguments, **options)
    return await response.read()


async def connect_proxy(peer: Peer, tls: ssl.SSLContext, heads: list[bytes]) -> None:
    """Be a proxy that opens a tunnel, and then the origin at its end, over TLS; ``heads`` get the CONNECT request."""
    heads.append(await peer.read_head())
    await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
    await peer.start_tls(tls)


def refusing_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def silent_port() -> Iterator[str]:
    """The origin of a socket whose queue of connections is full, so that the kernel does not answer."""
    with full_backlog() as (host, port):
        yield f"http://{host}:{port}"


async def socks5_proxy(peer: Peer, asked: list[tuple[str, str, int]]) -> None:
    """Be a SOCKS 5 proxy (RFC 1928, RFC 1929) that connects to whatever it is asked for; then the origin itself.

    ``asked`` gets the credentials (``user:password``, empty without), and the host and the port that are wanted.
    """
    version, count = await peer.read_exactly(2)
    assert version == 5
    methods = await peer.read_exactly(count)
    credentials = ""
    if 2 in methods:
        await peer.send(b"\5\2")
        await peer.read_exactly(1)
        user = await peer.read_exactly((await peer.read_exactly(1))[0])
        password = await peer.read_exactly((await peer.read_exactly(1))[0])
        credentials = f"{user.decode()}:{password.decode()}"
        await peer.send(b"\1\0")
    else:
        await peer.send(b"\5\0")
    _, command, _, kind = await peer.read_exactly(4)
    assert command == 1
    if kind == 3:
        host = (await peer.read_exactly((await peer.read_exactly(1))[0])).decode()
    else:
        host = socket.inet_ntop(
            *(socket.AF_INET, await peer.read_exactly(4))
            if kind == 1
            else (socket.AF_INET6, await peer.read_exactly(16))
        )
    port = int.from_bytes(await peer.read_exactly(2), "big")
    asked.append((credentials, host, port))
    await peer.send(b"\5\0\0\1\0\0\0\0\0\0")


async def asked(pool: ConnectionPool, url: str, times: int) -> list[bytes]:
    """The bodies of so many answers in a row, each had whole where that is possible."""
    bodies = []
    for number in range(times):
        answer = await pool.request("GET", f"{url}/{number}", whole=True)
        bodies.append(answer[1] if isinstance(answer, tuple) else await answer.read())
    return bodies


def dechunked(head: bytes, body: bytes) -> bytes:
    """The payload of a request whose body, as it was sent, is ``body``."""
    if b"\r\nTransfer-Encoding: chunked\r\n" not in head:
        return body
    payload = b""
    while body:
        line, _, rest = body.partition(b"\r\n")
        payload += rest[: int(line, 16)]
        body = rest[int(line, 16) + 2 :]
    return payload


async def settled(pool: ConnectionPool, **expected: int) -> None:
    """Wait until ``pool`` has what is expected."""
    await until(lambda: counts(pool) == Counts(**expected))
