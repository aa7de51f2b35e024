"""Streams on real sockets for the tests of ``net``, with the other end in the test's hands, and the means to wait."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING, Any

from aiohttpclient.errors import ReadTimeout
from aiohttpclient.net import StreamProtocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

READ_SIZE = 1 << 16

LARGE = bytes(range(256)) * 4096  # 1 MiB
UNREADABLE = 64 << 20
"""Bytes: more than the buffers of both kernels take, so that most of them stay with the transport."""


async def until(done: Callable[[], Any]) -> None:
    """Let the loop run until ``done()``; the time limit of the test is the only bound."""
    while not done():
        await asyncio.sleep(0)


async def turns(count: int = 5) -> None:
    """Let the loop run ``count`` times: long enough for what it has been told to do already."""
    for _ in range(count):
        await asyncio.sleep(0)


async def arrival(stream: StreamProtocol) -> bytearray:
    """Wait until there is something to take from ``stream``, or it has ended."""
    while not (stream.reader.buffered or stream.ended):
        await stream.wait(None, ReadTimeout)
    return stream.reader.buffered


def uses_data_received(stream: StreamProtocol) -> bool:
    """True on a loop that takes the stream for a ``Protocol`` and not for a ``BufferedProtocol``: uvloop."""
    return not isinstance(stream.loop, asyncio.BaseEventLoop)


class Wire:
    """The far end of a stream: a plain non-blocking socket."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.socket = sock

    def send(self, data: bytes) -> None:
        """Hand ``data`` to the kernel, which has room for it."""
        sent = self.socket.send(data)
        assert sent == len(data), "the test sends more than fits"

    def take(self, limit: int = READ_SIZE) -> bytes | None:
        """What has come, none at the end, None when nothing has."""
        try:
            return self.socket.recv(limit)
        except BlockingIOError:
            return None

    async def receive(self, limit: int = READ_SIZE) -> bytes:
        """The next bytes; none at the end."""
        return await asyncio.get_running_loop().sock_recv(self.socket, limit)

    async def receive_exactly(self, count: int) -> bytes:
        """``count`` bytes, fewer only if the stream ends."""
        data = bytearray()
        while len(data) < count and (more := await self.receive(count - len(data))):
            data += more
        return bytes(data)

    async def receive_all(self) -> bytes:
        """Everything until the end."""
        data = bytearray()
        while more := await self.receive():
            data += more
        return bytes(data)

    async def ended(self) -> bool:
        """Wait until the stream's side has closed or reset its socket."""
        with contextlib.suppress(ConnectionError):
            while await self.receive():
                pass
        return True

    def reset(self) -> None:
        """Close with RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


def tcp_pair(send_buffer: int | None = None, receive_buffer: int | None = None) -> tuple[socket.socket, socket.socket]:
    """Two connected TCP sockets; the sizes (bytes) are those of the first one's SO_SNDBUF and the other's SO_RCVBUF."""
    with socket.socket() as listener:
        if receive_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        near = socket.socket()
        if send_buffer is not None:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
        near.connect(listener.getsockname())
        far, _ = listener.accept()
    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    near.setblocking(False)
    return near, far


@contextlib.asynccontextmanager
async def open_stream(
    *, send_buffer: int | None = None, receive_buffer: int | None = None
) -> AsyncIterator[tuple[StreamProtocol, Wire]]:
    """A connected stream and its far end; both are closed at the end, whatever became of them."""
    loop = asyncio.get_running_loop()
    near, far = tcp_pair(send_buffer, receive_buffer)
    stream = StreamProtocol(loop)
    await loop.create_connection(lambda: stream, sock=near)
    wire = Wire(far)
    try:
        yield stream, wire
    finally:
        await stream.aborted()
        wire.socket.close()


async def fill(stream: StreamProtocol, data: bytes = bytes(UNREADABLE)) -> None:
    """Write more than both kernels take."""
    stream.transport.write(data)
    await turns()
    assert stream.writing_paused
