"""The storm once more, over connections that never leave the process: see ``tests.storm``."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import MemoryDialer
from tests.net.streams import turns
from tests.storm.answers import HINTS, POISON, TOO_LATE, End
from tests.storm.server import Connection, Server
from tests.storm.storm import LIMITS, Storm

if TYPE_CHECKING:
    import contextlib
    import ssl
    from asyncio import StreamReader, StreamWriter

REQUESTS = 2000

NOBODY, BLACK_HOLE = 1, 2
"""Ports on which a dial is refused, and on which it takes for ever."""


class MemoryServer(Server):
    """Listens on ports that are numbers, and nothing more."""

    def __init__(self) -> None:
        super().__init__()
        self._ports = itertools.count(8001)

    async def listen(self, context: ssl.SSLContext | None) -> int:
        return next(self._ports)


class MemoryConnection(Connection):
    """For which a reset takes no option of a socket."""

    writer: StreamWriter
    """Kept, since one that is let go of closes its transport."""

    def end(self, how: End) -> None:
        super().end(End.STALL if how is End.RESET else how)
        if how is End.RESET:
            self.transport.abort()


class MemoryStorm(Storm):
    """A storm over a ``MemoryDialer``."""

    def __init__(self, seed: int, room: int) -> None:
        super().__init__(seed)
        self.server = MemoryServer()
        self.dialer: MemoryDialer = MemoryDialer(self._accept, refuse=self._refuse, room=room)

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = MemoryConnection(self.server)
        writer.transport.set_protocol(connection)  # before anything has come
        connection.writer = writer
        connection.connection_made(writer.transport)

    async def _refuse(self, host: str, port: int) -> OSError | None:
        if port == BLACK_HOLE:
            await asyncio.Event().wait()
        await turns(1)
        return ConnectionRefusedError("nobody is there") if port == NOBODY else None

    async def _listen(self, stack: contextlib.ExitStack) -> None:
        await super()._listen(stack)
        self._nobody = f"http://127.0.0.1:{NOBODY}"
        self._black_hole = f"http://127.0.0.1:{BLACK_HOLE}"

    def _disturb_idle(self, connection: Connection, how: str) -> bool:
        self.mischief[how] += 1
        if how in {"close", "reset"}:
            connection.spent = None if how == "close" else f"{how} while it was idle"
            connection.end(End[how.upper()])
        else:
            connection.transport.write({"poison": POISON, "byte": b"\r", "hints": HINTS, "late": TOO_LATE}[how])
            connection.spent = f"{how} while it was idle"
        return False  # to no socket, which one could look at


@pytest.mark.parametrize(("seed", "room"), [*zip(range(len(LIMITS)), itertools.cycle([5000, 65_536]), strict=False)])
async def test_in_memory(seed: int, room: int) -> None:
    """In memory: every answer is the answer to its own request, and in the end the pool is empty and works."""
    asyncio.get_running_loop().set_debug(False)
    storm = MemoryStorm(seed, room)
    await storm.run(REQUESTS)
    assert storm.outcomes["done"] > REQUESTS / 2
    assert set(storm.outcomes) > {"cancelled", "RemoteDisconnected", "ConnectionResetError", "IncompleteRead"}
    assert set(storm.mischief) == {"close", "reset", "poison", "byte", "hints", "late"}
    await storm.dialer.close()
    assert storm.dialer.connections == 0
