"""The two clients, driven by the same steps against the same server, and what comes of it.

A step is a function of a connection: ``lambda conn: conn.request("GET", "/")`` works on both, since the names are the
same; what it returns is awaited where it can be. http.client blocks, so its steps run in a thread. Both connect to a
Unix socket, so that any host and port can stand in the request.
"""

from __future__ import annotations

import asyncio
import http.client
import inspect
import re
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPResponse
from tests.support.server import raw_server

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.support.server import RawServer, Script

    Step = Callable[[Any], Any]

BLOCKSIZE = 8192
"""Bytes read from a file at a time, given to both, since it decides where chunks end."""

SECONDS = 5.0
"""A bound for each wait of both clients: nothing here takes long, unless it hangs."""


class OracleConnection(http.client.HTTPConnection):
    """http.client over a Unix socket."""

    def __init__(self, path: str, host: str, port: Any = None, **options: Any) -> None:
        super().__init__(host, port, SECONDS, None, BLOCKSIZE)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)
        if getattr(self, "_tunnel_host", None):
            self._tunnel()  # type: ignore[attr-defined]  # what connect() of the class itself does


class Sent(NamedTuple):
    """What became of a request: the bytes that the server received, and the error that a step raised."""

    wire: bytes = b""
    error: type[BaseException] | None = None

    def is_as(self, stated: Sent) -> bool:
        """Whether this is what was stated; an error may be of a class below the stated one."""
        if self.error is None or stated.error is None:
            return self == stated
        return self.wire == stated.wire and issubclass(self.error, stated.error)


class Received(NamedTuple):
    """What became of a response. ``partial`` is what an ``IncompleteRead`` carried."""

    error: type[BaseException] | None = None
    status: int | None = None
    reason: str | None = None
    version: int | None = None
    headers: Sequence[tuple[str, str]] = ()
    will_close: bool | None = None
    body: bytes | None = None
    partial: bytes | None = None


# -- requests


async def record(path: Path, script: Script, steps: Sequence[Step], host: str, port: Any = None) -> tuple[Sent, Sent]:
    """What http.client and what this library sends for ``steps``."""
    return await sent_by_oracle(path, script, steps, host, port), await sent_by_us(path, script, steps, host, port)


async def sent_by_oracle(path: Path, script: Script, steps: Sequence[Step], host: str, port: Any) -> Sent:
    error: type[BaseException] | None = None

    def run() -> None:
        conn = OracleConnection(str(path / "oracle"), host, port)
        try:
            for step in steps:
                step(conn)
        finally:
            conn.close()

    async with raw_server(script, path=path / "oracle") as server:
        try:
            await asyncio.to_thread(run)
        except Exception as caught:  # noqa: BLE001  # whatever it is, it is what is compared
            error = type(caught)
        wire = await all_received(server)
        if not hasattr(http.client, "_strip_ipv6_iface"):  # before 3.11.4 the zone of an address went into Host
            wire = re.sub(rb"(Host: \[[^%\]]*)%[^\]]*\]", rb"\1]", wire)
        return Sent(wire, error)


async def sent_by_us(path: Path, script: Script, steps: Sequence[Step], host: str, port: Any) -> Sent:
    error: type[BaseException] | None = None

    async def run(socket_path: str) -> None:
        conn = AsyncHTTPConnection(host, port, timeout=SECONDS, blocksize=BLOCKSIZE, uds=socket_path)
        async with conn:
            for step in steps:
                result = step(conn)
                if inspect.isawaitable(result):
                    await result

    async with raw_server(script, path=path / "ours") as server:
        try:
            await run(str(path / "ours"))
        except Exception as caught:  # noqa: BLE001  # whatever it is, it is what is compared
            error = type(caught)
        return Sent(await all_received(server), error)


async def all_received(server: RawServer) -> bytes:
    """What the server received on all connections that had been opened, one after another."""
    reader, writer = await asyncio.open_unix_connection(server.path)  # which is accepted after all others
    writer.write_eof()
    await reader.read()
    writer.close()
    await writer.wait_closed()
    await server.wait_closed(server.connections)
    return b"".join(bytes(peer.raw) for peer in server.peers)


# -- responses


async def fetch_by_oracle(path: Path, script: Script, method: str) -> Received:
    def run() -> Received:
        conn = OracleConnection(str(path / "oracle"), "localhost")
        response: http.client.HTTPResponse | None = None
        body: bytes | None = None
        try:
            conn.request(method, "/")
            response = conn.getresponse()
            body = response.read()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is compared
            return received(response, body, error)
        finally:
            if response is not None:
                response.close()
            conn.close()
        return received(response, body)

    async with raw_server(script, path=path / "oracle"):
        return await asyncio.to_thread(run)


async def fetch_by_us(path: Path, script: Script, method: str) -> Received:
    response: AsyncHTTPResponse | None = None
    body: bytes | None = None
    (path / "ours").unlink(missing_ok=True)
    async with (
        raw_server(script, path=path / "ours"),
        AsyncHTTPConnection("localhost", timeout=SECONDS, uds=str(path / "ours")) as conn,
    ):
        try:
            await conn.request(method, "/")
            response = await conn.getresponse()
            body = await response.read()
        except Exception as error:  # noqa: BLE001  # whatever it is, it is what is compared
            return received(response, body, error)
    return received(response, body)


def received(response: Any, body: bytes | None, error: Exception | None = None) -> Received:
    partial = error.partial if isinstance(error, http.client.IncompleteRead) else None
    kind = None if error is None else type(error)
    if response is None:
        return Received(kind, partial=partial)
    return Received(
        kind,
        response.status,
        response.reason,
        response.version,
        response.getheaders(),
        response.will_close,
        body,
        partial,
    )
