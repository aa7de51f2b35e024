"""What the scripted server reads from and writes to: a socket, or TLS on top of another channel."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

_T = TypeVar("_T")

_SIZE = 65536


class Channel(Protocol):
    """Bytes both ways, and an end of sending."""

    async def receive(self) -> bytes:
        """The next bytes; none at the end."""

    async def send(self, data: bytes) -> None:
        """Send all of ``data``."""

    def send_now(self, data: bytes) -> None:
        """Send what fits without waiting, and drop the rest; for last words."""

    def half_close(self) -> None:
        """End the sending side, with close_notify under TLS."""


class SocketChannel:
    """A connected socket.

    It may be closed while a task waits for it: that task gets ``ConnectionAbortedError``, and the descriptor is closed
    once the loop has forgotten it.
    """

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self._pending: set[asyncio.Task[Any]] = set()
        self._ended = asyncio.Event()

    async def receive(self) -> bytes:
        return await self._run(asyncio.get_running_loop().sock_recv(self.socket, _SIZE))

    async def send(self, data: bytes) -> None:
        await self._run(asyncio.get_running_loop().sock_sendall(self.socket, data))

    def send_now(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            self.socket.send(data)

    def half_close(self) -> None:
        with contextlib.suppress(OSError):  # not connected any more
            self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """FIN, and let go of the socket. What arrived and was not read makes the kernel send RST after the FIN."""
        self.half_close()
        self._end()

    def reset(self) -> None:
        """RST, and let go of the socket. TCP only."""
        if not self._ended.is_set():
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._end()

    def _end(self) -> None:
        self._ended.set()
        for task in self._pending:
            task.cancel()
        if not self._pending:
            self.socket.close()

    async def _run(self, operation: Coroutine[Any, Any, _T]) -> _T:
        if self._ended.is_set():
            operation.close()
            raise ConnectionAbortedError("the script has closed this connection")
        task = asyncio.ensure_future(operation)
        self._pending.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is None or current.cancelling() or not self._ended.is_set():
                raise
            raise ConnectionAbortedError("this connection was closed meanwhile") from None
        finally:
            self._pending.discard(task)
            if self._ended.is_set():
                self._end()


class TlsChannel:
    """TLS, as the server, on top of ``below``; ``received`` is what was already read from there."""

    def __init__(self, below: Channel, context: ssl.SSLContext, received: bytes) -> None:
        self._below = below
        self._incoming = ssl.MemoryBIO()
        self._incoming.write(received)
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def handshake(self) -> None:
        await self._drive(self._tls.do_handshake)

    async def receive(self) -> bytes:
        try:
            return await self._drive(partial(self._tls.read, _SIZE))
        except ssl.SSLZeroReturnError:  # close_notify
            return b""

    async def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[await self._drive(partial(self._tls.write, view)) :]

    def send_now(self, data: bytes) -> None:
        with contextlib.suppress(ssl.SSLError):
            self._tls.write(data)
        self._below.send_now(self._outgoing.read())

    def half_close(self) -> None:
        # unwrap() writes close_notify, then asks for the client's, which nobody waits for.
        with contextlib.suppress(ssl.SSLError):
            self._tls.unwrap()
        self._below.send_now(self._outgoing.read())
        self._below.half_close()

    async def _drive(self, step: Callable[[], _T]) -> _T:
        """Do ``step``, and what it wants received and sent."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                if data := await self._below.receive():
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                await self._flush()  # the alert that says why
                raise
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await self._below.send(data)
