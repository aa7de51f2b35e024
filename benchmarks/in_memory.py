"""A peer that is not there: each request is answered in the next turn of the loop, by bytes that were ready before.

Without sockets the system takes no part, so what is measured is this library and the loop, and differences of a
hundredth of a small request show.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiohttpclient.net import StreamProtocol

from .servers import SMALL_SIZE

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\n"
    b"Server: nothing\r\n"
    b"Date: Mon, 23 Nov 2026 00:00:00 GMT\r\n"
    b"Content-Type: application/octet-stream\r\n"
    b"Content-Length: %d\r\n"
    b"Connection: keep-alive\r\n\r\n" % SMALL_SIZE
) + bytes(SMALL_SIZE)


class AnsweringTransport(asyncio.Transport):
    """The transport of one such connection."""

    def __init__(self, loop: AbstractEventLoop, protocol: StreamProtocol) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._loop.call_soon(self._answer)

    def _answer(self) -> None:
        if not self._closing:
            self._protocol.get_buffer(-1)[: len(ANSWER)] = ANSWER
            self._protocol.buffer_updated(len(ANSWER))

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self.abort()

    def abort(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._protocol.connection_lost, None)


class AnsweringDialer:
    """Connects to it, whatever the name."""

    async def dial(self, host: str, port: int) -> StreamProtocol:
        loop = asyncio.get_running_loop()
        stream = StreamProtocol(loop)
        stream.connection_made(AnsweringTransport(loop, stream))
        return stream
