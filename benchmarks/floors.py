"""The floors: the least that asyncio needs to move the same bytes, with no HTTP library at all.

They know their answers in advance, check nothing and handle no error; no client can be as fast and still be one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from .servers import Address

RECEIVE: Final = memoryview(bytearray(256 << 10))
"""One receive buffer for every connection of the loop, of the size asyncio's own transports ask the kernel for."""


def request_bytes(address: Address, path: str) -> bytes:
    """A GET with the fields that http.client sends."""
    return f"GET {path} HTTP/1.1\r\nHost: {address.host}:{address.port}\r\nAccept-Encoding: identity\r\n\r\n".encode()


class BufferedStreamProtocol(asyncio.StreamReaderProtocol, asyncio.BufferedProtocol):
    """A stream protocol into which the transport receives without making a new ``bytes`` for each arrival."""

    def __init__(self, reader: asyncio.StreamReader, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(reader, loop=loop)
        self._feed = reader.feed_data

    def get_buffer(self, sizehint: int) -> memoryview:
        return RECEIVE

    def buffer_updated(self, nbytes: int) -> None:
        self._feed(RECEIVE[:nbytes])


class BareStream:
    """A keep-alive connection on an asyncio stream: fixed bytes out, a head and a body of known size in."""

    __slots__ = ("_body_size", "_reader", "_writer", "request")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, size: int) -> None:
        self._reader = reader
        self._writer = writer
        self.request = request
        self._body_size = size

    @classmethod
    async def connect(cls, address: Address, path: str, body_size: int) -> BareStream:
        """Connects to ``address`` to ask for ``path``, whose body has ``body_size`` bytes."""
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        transport, protocol = await loop.create_connection(
            lambda: BufferedStreamProtocol(reader, loop), address.host, address.port
        )
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        return cls(reader, writer, request_bytes(address, path), body_size)

    async def fetch(self) -> bytes:
        """One request and its answer."""
        self._writer.write(self.request)
        await self._reader.readuntil(b"\r\n\r\n")
        return await self._reader.readexactly(self._body_size)

    async def close(self) -> None:
        """Closes the connection and waits until it is closed."""
        self._writer.close()
        await self._writer.wait_closed()


class DiscardProtocol(asyncio.BufferedProtocol):
    """Counts the bytes of an answer and throws them away."""

    def __init__(self, body_size: int) -> None:
        self._body_size = body_size
        self._left = 0
        self._in_head = False
        self._done: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        return RECEIVE

    def buffer_updated(self, nbytes: int) -> None:
        if self._in_head:
            self._in_head = False
            self._left = self._body_size + bytes(RECEIVE[:nbytes]).index(b"\r\n\r\n") + 4
        self._left -= nbytes
        if self._left == 0 and self._done is not None:
            self._done.set_result(None)

    async def fetch(self, request: bytes) -> None:
        """One request and its answer, of which nothing is kept."""
        self._done = asyncio.get_running_loop().create_future()
        self._in_head = True
        self._transport.write(request)
        await self._done

    def close(self) -> None:
        """Closes the connection."""
        self._transport.close()
