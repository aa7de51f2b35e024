"""A server that does what the target of a request says: fast, in the loop of the storm, and wary.

It notes as a *mistake* whatever a client must never do: send anything over a connection that cannot be used any more,
mix two requests, or send the same POST twice.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import struct
from typing import TYPE_CHECKING, cast

from .answers import ANSWERS, SPENT, Answer, End
from .plans import ONCE, payload

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from .answers import Step

_NAME = re.compile(rb"\r\nx-name: ([^\r]*)", re.IGNORECASE)
_CODED = re.compile(rb"\r\ntransfer-encoding: chunked\r\n", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


class Server:
    """What is heard on some ports."""

    def __init__(self) -> None:
        self.connections: dict[object, Connection] = {}
        """Those that are open, by the address of the client."""
        self.accepted = 0
        self.requests = 0
        self.turned_away = 0
        """Of these, how many came over a connection that had been used, and was closed instead of an answer."""
        self.mistakes: list[str] = []
        self.once: set[str] = set()
        """The names of requests that may arrive once, and have."""
        self._servers: list[asyncio.Server] = []

    async def listen(self, context: ssl.SSLContext | None) -> int:
        """Listen on one more port."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(self), "127.0.0.1", 0, ssl=context, backlog=200)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Close everything."""
        for server in self._servers:
            server.close()
        for connection in list(self.connections.values()):
            connection.transport.abort()
        while self.connections:
            await asyncio.sleep(0)


class Connection(asyncio.Protocol):
    """One connection, which answers one request after another."""

    transport: asyncio.Transport

    def __init__(self, server: Server) -> None:
        self.server = server
        self.spent: str | None = None
        """Why nothing may come over it any more."""
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._steps: Iterator[Step] | None = None
        self._continued = False
        self._answered = 0
        self._address: object = None

    # -- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._address = transport.get_extra_info("peername")
        self.server.accepted += 1
        self.server.connections[self._address] = self

    def connection_lost(self, exc: Exception | None) -> None:
        if self.server.connections.get(self._address) is self:
            del self.server.connections[self._address]
        self._steps = iter((End.STALL,))  # nothing is answered any more

    def data_received(self, data: bytes) -> None:
        if self.spent is not None:
            self.server.mistakes.append(f"{data[:60]!r} after {self.spent}")
        self._buffer += data
        if self._steps is None:
            self._next()

    # -- one request

    def _next(self) -> None:
        """Answer the next request, if it is here."""
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n") + 4
        if end < 4:
            return
        head = buffer[:end]
        method, target, _ = head.split(b" ", 2)
        *_, name, behaviour, size, upload = target.decode().split("/")
        if behaviour == "refuse":
            self._steps = iter(ANSWERS[behaviour](Answer(name, 0, False, False)))
            self._step()
            return
        body = self._body(head, end)
        if body is None:
            if b"100-continue" in head and not self._continued:
                self._continued = True
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return
        self._continued = False
        self.server.requests += 1
        self._check(name, head, body, int(upload))
        if method.decode() in ONCE:
            if name in self.server.once:
                self.server.mistakes.append(f"{name} came twice: {head!r}")
            self.server.once.add(name)
        behaviour = behaviour.replace("-", " ")
        used = self._answered > 0
        self._answered += 1
        self.server.turned_away += used and behaviour == "used up"
        self.spent = SPENT.get(behaviour)
        self._steps = iter(ANSWERS[behaviour](Answer(name, int(size), method == b"HEAD", used)))
        self._step()

    def _body(self, head: bytes, end: int) -> bytes | None:
        """The body of the request, taken off the buffer with its head; None when it is not all here."""
        if not _CODED.search(head):
            found = _LENGTH.search(head)
            whole = end + (int(found[1]) if found else 0)
            if len(self._buffer) < whole:
                return None
            body, self._buffer = self._buffer[end:whole], self._buffer[whole:]
            return body
        parts = []
        while (line := self._buffer.find(b"\r\n", end)) >= 0:
            size = int(self._buffer[end:line], 16)
            end = line + 2 + size + 2
            if len(self._buffer) < end:
                return None
            parts.append(self._buffer[line + 2 : end - 2])
            if not size:
                self._buffer = self._buffer[end:]
                return b"".join(parts)
        return None

    def _check(self, name: str, head: bytes, body: bytes, upload: int) -> None:
        field = _NAME.search(head)
        if field is None or field[1].decode() != name or body != payload(name, upload):
            self.server.mistakes.append(f"{name} is not one request: {head!r} {len(body)} of {upload} {body[:40]!r}")

    # -- the answer

    def _step(self) -> None:
        """Do what comes next."""
        for step in self._steps or ():
            if isinstance(step, bytes):
                self.transport.write(step)
            elif isinstance(step, int):
                self._loop.call_soon(self._wait, step)
                return
            elif step is not End.UNLESS_ASKED or not self._buffer:
                self.end(step)
                return
        self._steps = None
        if self._buffer:
            self._next()

    def _wait(self, turns: int) -> None:
        if turns > 1:
            self._loop.call_soon(self._wait, turns - 1)
        else:
            self._step()

    def end(self, how: End) -> None:
        """End the connection, or answer nothing any more."""
        self._steps = iter((End.STALL,))
        if how is End.STALL:
            return
        if how is End.RESET:
            with socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno())) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.transport.abort()
        else:
            self.transport.close()
