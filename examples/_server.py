"""A server for the examples, on this machine: so small that it is read in one look, and good for nothing else."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    Script = Callable[[StreamReader, StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serve(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[str, int]]:
    """Run ``script`` for each connection; host and port."""
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(EOFError, ConnectionError):  # the client went away
            await script(reader, writer)
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        await asyncio.sleep(0)  # whom it has accepted by now gets to begin
        while running := [task for task in tasks if not task.done()]:
            await asyncio.wait(running)


def site(pages: Mapping[str, bytes]) -> Script:
    """A script that answers with the page that was asked for, or with what was posted."""

    async def script(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            method, path, body = await read_request(reader)
            page = pages.get(path)
            status, content = ("404 Not Found", b"no such page\n") if page is None else ("200 OK", page or body)
            writer.write(response(content if method != "HEAD" else b"", status))
            await writer.drain()

    return script


async def read_request(reader: StreamReader) -> tuple[str, str, bytes]:
    """Method, path and body of the next request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    method, path, _ = head.split(" ", 2)
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.splitlines()[1:-1])}
    if "transfer-encoding" not in fields:
        return method, path, await reader.readexactly(int(fields.get("content-length", 0)))
    body = b""
    while size := int(await reader.readline(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return method, path, body


def response(body: bytes, status: str = "200 OK") -> bytes:
    """A whole response, as it goes on the wire."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode("latin-1") + body
