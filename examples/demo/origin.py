"""The origin server: uvicorn, a real server, giving the files below a directory."""

from __future__ import annotations

import asyncio
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable


class StaticFiles:
    """An ASGI application: the path of a request is that of a file below ``root``; anything else is a 404."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        path = (self.root / scope["path"].lstrip("/")).resolve()
        found = path.is_relative_to(self.root) and path.is_file()
        body = path.read_bytes() if found else b"not found"
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200 if found else 404, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def running(root: Path, certificate: Path | None = None) -> AsyncIterator[int]:
    """Runs a server for the files below ``root`` as long as the block lasts, and gives its port on 127.0.0.1.

    ``certificate``: a PEM file with a private key and its certificate; with it the server speaks HTTPS.
    """
    arguments = [str(root)] if certificate is None else [str(root), str(certificate)]
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "examples.demo.origin", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        yield int(await server.stdout.readline())
    finally:
        server.terminate()
        await server.wait()


def main(root: str, certificate: str | None = None) -> None:
    """Serves until the process is ended; prints the port first. Whoever connects from then on waits in the backlog."""
    config = uvicorn.Config(
        StaticFiles(Path(root)), ssl_certfile=certificate, log_level="warning", lifespan="off", ws="none"
    )
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main(*sys.argv[1:])
