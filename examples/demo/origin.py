"""The origin server: uvicorn, a real server, with many hosts at one port of many addresses of this machine."""

from __future__ import annotations

import asyncio
import errno
import json
import socket
import sys
from collections import Counter
from contextlib import ExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from .site import BUSY, RETRY_AFTER, SLOW, SLOWNESS, Answer, Site

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

ASKED = "/-/asked"
"""Where the origin says how often it was asked for what."""

PORTS = 10
"""Ports that are tried: one may be taken at another address."""


class Pages:
    """An ASGI application: gives the pages of ``site``, to whom asks for one of its hosts, and counts."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.places = {host: place for place, host in enumerate(site.hosts)}
        self.asked: Counter[str] = Counter()

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        host, path = dict(scope["headers"])[b"host"].decode(), scope["raw_path"].decode()
        answer = await self.answer(self.places[host], path)
        headers = [(b"content-type", answer.kind.encode()), (b"content-length", b"%d" % len(answer.body))]
        if answer.location is not None:
            headers.append((b"location", answer.location.encode()))
        if answer.status == 503:
            headers.append((b"retry-after", b"%d" % RETRY_AFTER))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def answer(self, place: int, path: str) -> Answer:
        """What is said, by a host that has a temper."""
        if path == ASKED:
            return Answer(200, json.dumps(self.asked).encode(), kind="application/json")
        self.asked[self.site.url(place, path)] += 1
        if place == SLOW:
            await asyncio.sleep(SLOWNESS)
        if place == BUSY and path == "/" and self.asked[self.site.url(place, path)] == 1:
            return Answer(503, b"busy")
        return self.site.answer(place, path)


@asynccontextmanager
async def running(hosts: int, pages: int) -> AsyncIterator[Site]:
    """Runs a server as long as the block lasts, and gives what it serves.

    :param hosts: how many; only one where the addresses 127.0.0.2 and so on are not this machine's
    :param pages: for each of them
    """
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "examples.demo.origin", str(hosts), str(pages), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        yield Site(json.loads(await server.stdout.readline()), pages)
    finally:
        server.terminate()
        await server.wait()


def listeners(count: int) -> list[socket.socket]:
    """Sockets that listen at the same port of as many addresses of the loopback network as this machine has.

    All of 127.0.0.0/8 is this machine (RFC 1122 section 3.2.1.3): on Linux it is, elsewhere only the first of them.
    """
    for attempt in range(1, PORTS + 1):
        with ExitStack() as stack:
            sockets: list[socket.socket] = []
            try:
                for number in range(1, count + 1):
                    port = sockets[0].getsockname()[1] if sockets else 0
                    sockets.append(stack.enter_context(socket.create_server((f"127.0.0.{number}", port), backlog=1024)))
            except OSError as error:
                if error.errno == errno.EADDRINUSE and attempt < PORTS:
                    continue
                if error.errno != errno.EADDRNOTAVAIL or not sockets:
                    raise
            stack.pop_all()
            return sockets
    raise AssertionError("the last attempt returns, or raises")


def main(count: str, pages: str) -> None:
    """Serves until the process is ended; prints the hosts first. Whoever connects from then on waits in the backlog."""
    sockets = listeners(int(count))
    site = Site(["{}:{}".format(*each.getsockname()) for each in sockets], int(pages))
    print(json.dumps(site.hosts), flush=True)
    config = uvicorn.Config(Pages(site), log_level="warning", access_log=False, lifespan="off", ws="none")
    uvicorn.Server(config).run(sockets=sockets)


if __name__ == "__main__":
    main(*sys.argv[1:])
