"""What the tests of connections share: responses in one line, servers and dialers that do as they are told."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPSConnection
from aiohttpclient.net import TCPDialer
from tests.support.server import raw_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Self

    from aiohttpclient import AsyncHTTPResponse
    from aiohttpclient.net import StreamProtocol
    from tests.support.server import Peer, Script
    from tests.support.tls import TlsKit

ARRIVALS = ("at once", "byte by byte")
"""How a response comes: in one segment, or each byte alone."""

POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"
"""A response that nobody has asked for."""


async def deliver(peer: Peer, raw: bytes, arrival: str) -> None:
    """Send ``raw`` in one of the ways of ``ARRIVALS``."""
    await (peer.send(raw) if arrival == "at once" else peer.drip(raw))


def answer(raw: bytes, arrival: str = "at once", *, close: bool = True) -> Script:
    """A script that answers the first request of each connection with ``raw``.

    It closes then; without ``close``, it waits until the client has closed.
    """

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await deliver(peer, raw, arrival)
        if not close:
            await peer.read_until_eof()

    return script


@contextlib.asynccontextmanager
async def response_to(
    script: Script | bytes, arrival: str = "at once", *, method: str = "GET", **options: Any
) -> AsyncIterator[AsyncHTTPResponse]:
    """The response that ``script`` gives, or the raw one; the connection is closed afterwards."""
    script = answer(script, arrival) if isinstance(script, bytes) else script
    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port, **options) as conn:
        await conn.request(method, "/path")
        yield await conn.getresponse()


async def fetch(conn: AsyncHTTPConnection, method: str = "GET", url: str = "/", *arguments: Any) -> bytes:
    """The body of the response to one request."""
    await conn.request(method, url, *arguments)
    response = await conn.getresponse()
    return await response.read()


def framed(body: bytes, framing: str, chunk: int = 1000) -> bytes:
    """A response with ``body`` in one of the three framings."""
    if framing == "length":
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    if framing == "until close":
        return b"HTTP/1.1 200 OK\r\n\r\n" + body
    pieces = [body[start : start + chunk] for start in range(0, len(body), chunk)]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX-Trailer: end\r\n\r\n"


FRAMINGS = ("length", "chunked", "until close")


async def until(reached: Callable[[], bool]) -> None:
    """Let the loop turn until something that is on its way has happened."""
    async with asyncio.timeout(10):
        while not reached():
            await asyncio.sleep(0)


@contextlib.contextmanager
def full_backlog() -> Iterator[tuple[str, int]]:
    """The address of a socket whose queue of connections is full, so that the kernel does not answer."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            client = sockets.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(listener.getsockname())
        yield listener.getsockname()


class Listener:
    """A server that is not in the loop: what it sends is there before the loop can look.

    It accepts and reads only when told to, and it blocks while it does, for a moment: what it waits for has been sent.
    """

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._accepted: list[socket.socket] = []
        self.host, self.port = self._listener.getsockname()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in (*self._accepted, self._listener):
            sock.close()

    def accept(self) -> socket.socket:
        """The next connection, which has been opened already."""
        self._listener.settimeout(5)
        sock, _ = self._listener.accept()
        sock.settimeout(5)
        self._accepted.append(sock)
        return sock

    async def answer(self, sock: socket.socket, raw: bytes) -> bytes:
        """Read the head of a request and send ``raw``; the head."""
        for _ in range(3):
            await asyncio.sleep(0)  # uvloop writes at the end of a turn
        head = b""
        while b"\r\n\r\n" not in head:
            head += sock.recv(65536)
        sock.sendall(raw)
        return head


class Dials:
    """A dialer that remembers what it was asked for, and waits until it may go on; ``stubborn``: cancelled or not."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.asked: list[tuple[str, int]] = []
        self.cancelled = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._stubborn = stubborn

    async def dial(self, host: str, port: int) -> StreamProtocol:
        """Connect as asked."""
        self.asked.append((host, port))
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            if not self._stubborn:
                raise
            await self.go_on.wait()
        return await TCPDialer().dial(host, port)


def connection_to(server: Any, tls: TlsKit) -> AsyncHTTPConnection:
    """A connection to ``server``, over TLS where that speaks it."""
    if server.url.startswith("https"):
        return AsyncHTTPSConnection(server.host, server.port, context=tls.client)
    return AsyncHTTPConnection(server.host, server.port)
