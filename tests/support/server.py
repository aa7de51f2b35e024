r"""A server that does exactly what a test's script says, byte by byte, on a raw socket in the test's own loop.

::

    async def script(peer: Peer) -> None:
        head = await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async with raw_server(script) as server:
        ...  # connect to server.host, server.port

The script runs once for each connection; ``peer.number`` tells which. Its connection is closed when it returns. There
is no transport between the script and the socket: nothing is read or written that the script does not read or write, so
a script that reads nothing makes a client's writes block, and ``reset()`` discards what was not read, as kernels do.

When the ``async with`` block ends, the server stops listening, and every script sees the end of its input once it has
read what the client had sent (so that what it asserts after ``read_until_eof()`` is asserted). A script that still
waits for something else after that is cancelled. Errors that a client's departure causes (:data:`DEPARTURES`) end a
script in silence and are kept in ``peer.departure``; any other error of a script fails the test.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl as ssl_module
import traceback
from typing import TYPE_CHECKING, TypeAlias

from tests.support.channel import SocketChannel, TlsChannel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from tests.support.channel import Channel

    Script: TypeAlias = Callable[["Peer"], Awaitable[None]]

DEPARTURES = (EOFError, ConnectionError, ssl_module.SSLError)
"""What reading and writing raise when the client has closed, reset, or given up its TLS handshake."""

QUIET_TURNS = 20
"""Turns of the loop without a byte received, after which a script is taken to wait for what will not come."""


class Peer:
    """The server's end of one connection."""

    def __init__(self, number: int, connection: SocketChannel) -> None:
        self.number = number
        """How many connections the server had accepted before this one."""
        self.raw = bytearray()
        """Every byte that was received, decrypted where TLS was on."""
        self.departure: Exception | None = None
        """The error by which the client's departure showed, if it did."""
        self.closed = asyncio.Event()
        """Set when the script has ended and the connection is closed."""
        self.socket = connection.socket
        """For socket options."""
        self._connection = connection
        self._channel: Channel = connection
        self._unread = bytearray()

    # -- receiving

    async def read_head(self) -> bytes:
        """A head, through the empty line that ends it. ``EOFError`` when the client ends before that."""
        return await self.read_until(b"\r\n\r\n")

    async def read_until(self, separator: bytes) -> bytes:
        """Everything through ``separator``. ``EOFError`` when the client ends before that."""
        while (at := self._unread.find(separator)) < 0:
            await self._receive()
        return self._take(at + len(separator))

    async def read_exactly(self, size: int) -> bytes:
        """``size`` bytes. ``EOFError`` when the client ends before that."""
        while len(self._unread) < size:
            await self._receive()
        return self._take(size)

    async def read_until_eof(self) -> bytes:
        """Everything that comes until the client ends its side, in whatever way."""
        try:
            while True:
                await self._receive()
        except EOFError:
            pass
        except DEPARTURES as error:
            self.departure = error
        return self._take(len(self._unread))

    async def read_request(self) -> tuple[bytes, bytes]:
        """A head, and its body as it was sent: by Content-Length, or chunked without trailer fields."""
        head = await self.read_head()
        lines = (line.lower().partition(b":") for line in head.split(b"\r\n")[1:])
        fields = {name: value.strip() for name, _, value in lines}
        if b"transfer-encoding" not in fields:
            return head, await self.read_exactly(int(fields.get(b"content-length", b"0")))
        body = bytearray()
        while not body.endswith(b"0\r\n\r\n"):
            line = await self.read_until(b"\r\n")
            body += line + await self.read_exactly(int(line, 16) + 2)
        return head, bytes(body)

    async def _receive(self) -> None:
        if not (data := await self._channel.receive()):
            raise EOFError("the client has ended its side")
        self.raw += data
        self._unread += data

    def _take(self, size: int) -> bytes:
        taken = bytes(self._unread[:size])
        del self._unread[:size]
        return taken

    # -- sending

    async def send(self, data: bytes) -> None:
        """Send all of ``data``; returns when the kernel has taken it."""
        await self._channel.send(data)

    async def drip(self, data: bytes) -> None:
        """Send ``data`` one byte a write, with a turn of the loop between two, so that the client sees each alone."""
        for at in range(len(data)):
            await self._channel.send(data[at : at + 1])
            await asyncio.sleep(0)

    # -- TLS

    async def start_tls(self, context: ssl_module.SSLContext) -> None:
        """Go on with TLS, as the server. May be called again, for TLS within TLS."""
        channel = TlsChannel(self._channel, context, bytes(self._unread))
        self._unread.clear()
        await channel.handshake()
        self._channel = channel

    # -- ending

    def half_close(self) -> None:
        """End the sending side (FIN); the client can still send."""
        self._channel.half_close()

    def close(self) -> None:
        """Close the connection: what was sent arrives, then FIN. Under TLS, close_notify goes before it."""
        self._channel.half_close()
        self._connection.close()

    def cut(self) -> None:
        """Close the connection with FIN alone, which under TLS is a truncation: no close_notify."""
        self._connection.close()

    def reset(self) -> None:
        """Close the connection with RST. TCP only."""
        self._connection.reset()


class RawServer:
    """A listening socket, the connections that it accepted and the tasks that run their scripts."""

    def __init__(self, script: Script, listener: socket.socket, context: ssl_module.SSLContext | None) -> None:
        self.peers: list[Peer] = []
        """The connections that were accepted, in order; also those that are over."""
        self.failures: list[Exception] = []
        """What scripts raised, other than :data:`DEPARTURES`."""
        self._script = script
        self._listener = listener
        self._context = context
        self._scripts: set[asyncio.Task[None]] = set()
        self._address = listener.getsockname()
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(listener, self._accept)

    # -- where it is

    @property
    def host(self) -> str:
        """The address that it listens on; ``localhost`` for a Unix socket."""
        return "localhost" if self.path is not None else str(self._address[0])

    @property
    def port(self) -> int:
        """The port that it listens on; 0 for a Unix socket."""
        return 0 if self.path is not None else int(self._address[1])

    @property
    def path(self) -> str | None:
        """The path of its Unix socket."""
        return self._address if isinstance(self._address, str) else None

    @property
    def netloc(self) -> str:
        """Host and port as they stand in a URL, and in Host fields."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}" if self.port else host

    @property
    def url(self) -> str:
        """The URL of its root, without a slash at the end."""
        return f"{'http' if self._context is None else 'https'}://{self.netloc}"

    # -- what happened

    @property
    def connections(self) -> int:
        """How many connections were accepted."""
        return len(self.peers)

    @property
    def raw(self) -> bytes:
        """What the first connection received."""
        return bytes(self.peers[0].raw)

    async def wait_connections(self, count: int = 1) -> None:
        """Wait until ``count`` connections have been accepted in all."""
        await self._wait_until(lambda: len(self.peers) >= count)

    async def wait_closed(self, count: int = 1) -> None:
        """Wait until ``count`` connections are over: their scripts have ended and their sockets are closed."""
        await self._wait_until(lambda: sum(peer.closed.is_set() for peer in self.peers) >= count)

    async def _wait_until(self, reached: Callable[[], bool]) -> None:
        while not reached():
            self._changed.clear()
            await self._changed.wait()

    # -- work

    def _accept(self) -> None:
        # A plain callback: a task cancelled in the turn in which it accepts would lose the socket.
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:  # the client is gone again
            return
        except OSError as error:
            self.failures.append(error)
            self._stop_listening()
            return
        peer = Peer(len(self.peers), SocketChannel(sock))
        self.peers.append(peer)
        self._changed.set()
        task = asyncio.create_task(self._serve(peer), name=f"raw_server: connection {peer.number}")
        self._scripts.add(task)
        task.add_done_callback(self._scripts.discard)

    async def _serve(self, peer: Peer) -> None:
        try:
            if self._context is not None:
                await peer.start_tls(self._context)
            await self._script(peer)
        except DEPARTURES as error:
            peer.departure = error
        except Exception as error:  # noqa: BLE001  # whatever it is, it fails the test when the block ends
            self.failures.append(error)
        finally:
            peer.close()
            peer.closed.set()
            self._changed.set()

    async def finish(self) -> None:
        """Let every script come to its end, as the top of this file says, and raise what scripts raised."""
        self._stop_listening()
        await self._settle()
        for peer in self.peers:
            with contextlib.suppress(OSError):  # closed or reset by now
                peer.socket.shutdown(socket.SHUT_RD)
        await self._settle()
        await self.abort()
        if len(self.failures) == 1:
            raise self.failures[0]
        if self.failures:
            raise ExceptionGroup("scripts failed", self.failures)

    async def _settle(self) -> None:
        """Give scripts turns of the loop until they have ended, or wait for what does not come."""
        quiet = received = 0
        while self._scripts and quiet < QUIET_TURNS:
            await asyncio.sleep(0)
            before, received = received, sum(len(peer.raw) for peer in self.peers)
            quiet = quiet + 1 if before == received else 0

    async def abort(self) -> None:
        """Cancel everything that still runs, and wait until it has ended."""
        self._stop_listening()
        for task in self._scripts:
            task.cancel()
        if self._scripts:
            await asyncio.wait(self._scripts)

    def _stop_listening(self) -> None:
        if self._listener.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()


@contextlib.asynccontextmanager
async def raw_server(
    script: Script,
    *,
    ssl: ssl_module.SSLContext | None = None,
    path: str | Path | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[RawServer]:
    """Serve ``script`` on a free port of ``host`` or the Unix socket ``path``; with ``ssl``, under TLS throughout."""
    server = RawServer(script, _listen(path, host), ssl)
    try:
        yield server
    except BaseException as error:
        await server.abort()
        for failure in server.failures:  # most likely why the client failed
            error.add_note("A script of the server had failed:\n" + "".join(traceback.format_exception(failure)))
        raise
    await server.finish()


def script_once(*responses: bytes, close: bool = False) -> Script:
    """A script that answers the first request of each connection with the first response, and so on.

    After the last response the connection is closed if ``close`` is true; else it stays open until the client ends it.
    """

    async def script(peer: Peer) -> None:
        for response in responses:
            await peer.read_request()
            await peer.send(response)
        if not close:
            await peer.read_until_eof()

    return script


def reply(body: bytes = b"", *fields: str, status: str = "200 OK") -> bytes:
    """A response with ``fields`` (``"Name: value"``) and the Content-Length of ``body``."""
    lines = [f"HTTP/1.1 {status}", *fields, f"Content-Length: {len(body)}"]
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode("latin-1") + body


def _listen(path: str | Path | None, host: str) -> socket.socket:
    family = socket.AF_UNIX if path is not None else socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        listener.bind((host, 0) if path is None else str(path))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener
