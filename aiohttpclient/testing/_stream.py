"""The server's end of one connection: bytes that arrive, bytes that leave, and every way to end it.

Theory of operation. A :class:`ServerStream` owns the reader, and keeps what came and nobody has taken yet. Whatever the
client's departure makes reading and writing raise becomes :class:`ClientGone`, so that it is told apart from what a
handler raises: a handler may have connections of its own, and theirs fail with the same classes.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from abc import ABC, abstractmethod
from typing import Any

DEPARTURES = (EOFError, ConnectionError, ssl.SSLError)
"""What reading and writing raise when the client has closed, reset, or given up its TLS handshake."""

_RECEIVE = 65536
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

LINGER = 0.25
"""Seconds of silence after which nothing more is expected of a client that has its answer. Clients on the same machine
send without pauses."""

_FLUSH_TURNS = 3
"""Turns of the loop after which uvloop has sent what was written: it gathers the writes of a turn."""


class ClientGone(Exception):
    """The client has ended the connection where something was still expected of it."""


class ServerProtocol(asyncio.StreamReaderProtocol):
    """The protocol of a server's end: how its connection was lost is no news that anybody has to take.

    The base keeps it in a future, and makes up for those who never ask in a finalizer of its own. A garbage collector
    that comes to the future first reports an exception that was never retrieved.
    """

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the reader, and whoever waits for it."""
        super().connection_lost(exc)
        closed: asyncio.Future[None] = self._get_close_waiter(None)  # type: ignore[attr-defined]  # typeshed lacks it
        if not closed.cancelled():
            closed.exception()


class ServerSide(ABC):
    """What a server's end of a connection can do, whatever it is made of; ``unread`` is what nobody has taken yet."""

    unread: bytearray

    @abstractmethod
    async def receive(self) -> None:
        """Add what comes next to ``unread``.

        :raises ClientGone: nothing more comes
        """

    @abstractmethod
    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of ``data``; returns when it was taken, by a kernel or what stands for one.

        :raises ClientGone: there is nobody to take it
        """

    @abstractmethod
    async def finish(self, read_all: bool = True) -> None:
        """End the connection so that all that was sent arrives."""

    @abstractmethod
    async def cut(self) -> None:
        """Close as a server does that dies."""

    @abstractmethod
    async def reset(self) -> None:
        """Close with a reset, after what was sent."""

    async def fail(self, error: BaseException) -> None:
        """Close in the middle of an answer, because of ``error``; only one who is not in another process can say so."""
        await self.cut()

    def take(self, size: int) -> bytes:
        """The first ``size`` bytes of what is unread."""
        taken = bytes(self.unread[:size])
        del self.unread[:size]
        return taken

    async def discard(self) -> None:
        """Read until the client ends its side, in whatever way, and forget what comes."""
        with contextlib.suppress(ClientGone):
            while True:
                self.unread.clear()
                await self.receive()


class ServerStream(ServerSide):
    """A reader and a writer of asyncio, over a socket or in memory."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.unread = bytearray()
        self.reader = reader
        self.writer = writer
        self._is_secure = writer.get_extra_info("ssl_object") is not None
        self._cut = False
        # drain() returns when all was handed on. Under TLS a bound of 0 is reached by 0 bytes: it would never return.
        writer.transport.set_write_buffer_limits(1 if self._is_secure else 0, 0)

    def get_extra_info(self, name: str) -> Any:
        """What the transport knows: ``peername``, ``ssl_object``."""
        return self.writer.get_extra_info(name)

    # -- receiving

    async def receive(self) -> None:
        """Add what comes next to ``unread``.

        :raises ClientGone: nothing more comes
        """
        try:
            data = await self.reader.read(_RECEIVE)
        except DEPARTURES as error:
            raise ClientGone(f"the client is gone: {error!r}") from error
        if not data:
            raise ClientGone("the client has ended its side")
        self.unread += data

    # -- sending

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of ``data``; returns when the kernel has taken it.

        :raises ClientGone: there is nobody to take it
        """
        if self.is_closing:
            raise ClientGone("the connection was closed")
        try:
            self.writer.write(data)
            await self.writer.drain()
        except DEPARTURES as error:
            raise ClientGone(f"the client is gone: {error!r}") from error

    # -- ending

    async def finish(self, read_all: bool = True) -> None:
        """End the connection so that all that was sent arrives.

        A socket that is closed while something is unread is reset, and a reset can destroy an answer on its way (RFC
        9112 section 9.6). So the sending side ends first, and what still comes is read. TLS has no half of a
        close; there what comes is read only if it was not ``read_all``, until the client ends or is silent for a
        moment.
        """
        if self.is_closing:
            return
        if self.writer.can_write_eof():
            with contextlib.suppress(*DEPARTURES, OSError):
                self.writer.write_eof()
            await self.discard()
        elif not read_all:
            with contextlib.suppress(ClientGone, TimeoutError):
                while True:
                    self.unread.clear()
                    async with asyncio.timeout(LINGER):
                        await self.receive()
        self.writer.close()

    async def cut(self) -> None:
        """Close as a server does that dies: what was sent arrives, then FIN; under TLS without close_notify.

        With TLS what the kernel has no room for, because the client does not read, is lost: asyncio has no way to wait
        for it, and closing would send close_notify.
        """
        self._cut = True
        if self._is_secure:
            await flushed()
            self.writer.transport.abort()
        else:
            self.writer.close()

    async def reset(self) -> None:
        """Close with RST, after what was sent. On a Unix socket, which has no RST, the connection just ends."""
        await flushed()
        reset_on_close(self.writer.get_extra_info("socket"))
        self.writer.transport.abort()

    def abort(self) -> None:
        """Close now."""
        self.writer.transport.abort()

    @property
    def is_closing(self) -> bool:
        """Whether this side has ended the connection, or found it ended."""
        return self._cut or self.writer.is_closing()

    async def wait_closed(self) -> None:
        """Close, and wait until that is done."""
        self.writer.close()
        with contextlib.suppress(*DEPARTURES, OSError):
            await self.writer.wait_closed()


def reset_on_close(sock: Any) -> None:
    """Have the kernel end a connection with RST when its socket is closed; a Unix socket, or None, has no RST."""
    if sock is not None and sock.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):  # not connected any more
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)


async def flushed() -> None:
    """Wait until the loop has handed on what was written to a transport whose kernel has room."""
    for _ in range(_FLUSH_TURNS):
        await asyncio.sleep(0)


async def open_stream(sock: socket.socket, context: ssl.SSLContext | None) -> ServerStream:
    """A stream over a socket that was accepted; with a ``context`` after a TLS handshake as the server.

    The socket is the transport's from here on, also when this fails.

    :raises OSError: the client is gone, or does not like the certificate (``ssl.SSLError``)
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(loop=loop)
    protocol = ServerProtocol(reader, loop=loop)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=context)
    return ServerStream(reader, asyncio.StreamWriter(transport, protocol, reader, loop))
