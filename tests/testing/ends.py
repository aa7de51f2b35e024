"""Connections in memory, and beside them the same over sockets, for whoever compares."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttpclient.testing._transport import MemoryTransport, pair
from aiohttpclient.testing._way import ROOM
from tests.net.streams import tcp_pair

if TYPE_CHECKING:
    from collections.abc import Callable


class Recorder(asyncio.Protocol):
    """Notes what it is told, in the order in which that happens."""

    def __init__(self, keep_open: bool = True) -> None:
        self.told: list[Any] = []
        self.received = b""
        self.keep_open = keep_open
        self.error: BaseException | None = None
        self.changed: Callable[[], object] = lambda: None

    def note(self, what: Any) -> None:
        self.told.append(what)
        self.changed()

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.note(len(data))

    def eof_received(self) -> bool:
        self.note("end")
        return self.keep_open

    def pause_writing(self) -> None:
        self.note("pause")

    def resume_writing(self) -> None:
        self.note("resume")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.error = exc
        self.note("lost" if exc is None else type(exc))


class BufferedRecorder(asyncio.BufferedProtocol):
    """The same, with a buffer of its own of ``size`` bytes."""

    def __init__(self, size: int) -> None:
        self.told: list[Any] = []
        self.received = b""
        self.buffer = bytearray(size)

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.received += self.buffer[:nbytes]
        self.told.append(nbytes)

    def eof_received(self) -> None:
        self.told.append("end")

    def connection_lost(self, exc: BaseException | None) -> None:
        self.told.append("lost" if exc is None else type(exc))


def joined(
    near: asyncio.BaseProtocol, far: asyncio.BaseProtocol, room: int = ROOM
) -> tuple[MemoryTransport, MemoryTransport]:
    """Two ends, whose protocols were told that they are there."""
    ends = pair(asyncio.get_running_loop(), near, far, room=room)
    near.connection_made(ends[0])
    far.connection_made(ends[1])
    return ends


class Streams(NamedTuple):
    """One end, as asyncio's streams show it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


def in_memory(room: int = ROOM) -> tuple[Streams, Streams]:
    """Two ends in memory."""
    loop = asyncio.get_running_loop()
    readers = asyncio.StreamReader(loop=loop), asyncio.StreamReader(loop=loop)
    protocols = [asyncio.StreamReaderProtocol(reader, loop=loop) for reader in readers]
    ends = joined(protocols[0], protocols[1], room)
    made = [
        Streams(reader, asyncio.StreamWriter(end, protocol, reader, loop))
        for reader, end, protocol in zip(readers, ends, protocols, strict=True)
    ]
    return made[0], made[1]


async def on_sockets() -> tuple[Streams, Streams]:
    """Two ends on loopback."""
    near, far = tcp_pair(20_000, 20_000)
    return Streams(*await asyncio.open_connection(sock=near)), Streams(*await asyncio.open_connection(sock=far))
