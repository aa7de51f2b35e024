"""``python -m benchmarks.bare_server HOST [CERTIFICATE]``: the least server that can answer the benchmarks.

It prints its port and its name on one line, then serves until it is ended, over TLS if it is given a PEM file with a
key and a certificate. ``GET /small`` and ``GET /large`` give bodies of fixed size; ``GET /unique/...`` numbers its
answers; ``GET /site/...`` gives the pages of :mod:`benchmarks.site`; the body of any POST is thrown away and answered
with ``200``. It trusts its clients: no limits, no errors.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import re
import ssl
import sys
from typing import TYPE_CHECKING, Final, cast

from .servers import FIELD_COUNT, FIELDS, JSON, JSON_BODY, LARGE, LARGE_SIZE, SMALL_SIZE, UNIQUE
from .site import SITE, page

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD: Final = b"HTTP/1.1 200 OK\r\nServer: bare\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n"
SMALL_ANSWER: Final = HEAD % SMALL_SIZE + b"x" * SMALL_SIZE
UNIQUE_ANSWER: Final = SMALL_ANSWER.replace(b"\r\n", b"\r\nX-Request-Id: %032x\r\n", 1)
JSON_ANSWER: Final = HEAD.replace(b"octet-stream", b"json") % len(JSON_BODY.encode()) + JSON_BODY.encode()
FIELDS_LINES: Final = b"".join(b"X-Field-%d: the value of field %d\r\n" % (one, one) for one in range(FIELD_COUNT))
FIELDS_ANSWER: Final = JSON_ANSWER.replace(b"\r\n", b"\r\n" + FIELDS_LINES, 1)
SUNK_ANSWER: Final = HEAD % 2 + b"ok"
SIMPLE: Final = {JSON.encode(): JSON_ANSWER, FIELDS.encode(): FIELDS_ANSWER}
PAGE: Final = re.compile(rf"GET {SITE}(?:(\d+)\.html)? ".encode())
CONTENT_LENGTH: Final = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

NUMBERS: Final = itertools.count()

BLOCK: Final = memoryview(b"x" * (256 << 10))
"""What ``/large`` is sent from: as much as a socket takes at a time, so that little is copied into the transport."""

RECEIVE: Final = memoryview(bytearray(1 << 20))
"""One buffer for all connections: what arrives is looked at before the next arrival."""


class Exchange(asyncio.BufferedProtocol):
    """One connection, one request after another."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._body_left = 0
        self._writable = asyncio.Event()
        self._writable.set()
        self._sending: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._sending is not None:
            self._sending.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def get_buffer(self, sizehint: int) -> memoryview:
        return RECEIVE

    def buffer_updated(self, nbytes: int) -> None:
        if self._body_left:
            self._body_left -= nbytes
            if self._body_left == 0:
                self._transport.write(SUNK_ANSWER)
            return
        self._head += RECEIVE[:nbytes]
        end = self._head.find(b"\r\n\r\n")
        if end >= 0:
            head, rest = bytes(self._head[:end]), len(self._head) - end - 4
            self._head.clear()
            self._answer(head, rest)

    def _answer(self, head: bytes, arrived: int) -> None:
        if head.startswith(b"POST"):
            length = CONTENT_LENGTH.search(head)
            self._body_left = int(length[1]) - arrived if length else 0
            if self._body_left == 0:
                self._transport.write(SUNK_ANSWER)
        elif head.startswith(b"GET " + LARGE.encode()):
            self._sending = asyncio.ensure_future(self._send_large())
        elif head.startswith(b"GET " + UNIQUE.encode()):
            self._transport.write(UNIQUE_ANSWER % next(NUMBERS))
        elif match := PAGE.match(head):
            self._transport.write(page_answer(int(match[1] or 0)))
        else:
            self._transport.write(SIMPLE.get(head.split(b" ", 2)[1], SMALL_ANSWER))
            if b"\r\nconnection: close" in head.lower():
                self._transport.close()

    async def _send_large(self) -> None:
        self._transport.write(HEAD % LARGE_SIZE)
        for _ in range(LARGE_SIZE // len(BLOCK)):
            self._transport.write(BLOCK)
            await self._writable.wait()


@functools.cache
def page_answer(number: int) -> bytes:
    """What ``GET`` of a page of the site is answered with."""
    body = page(number).encode()
    return HEAD.replace(b"application/octet-stream", b"text/html") % len(body) + body


async def serve(host: str, software: str, certificate: str | None) -> None:
    """Listens on a free port of ``host`` for ever."""
    loop = asyncio.get_running_loop()
    context = None
    if certificate is not None:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    server = await loop.create_server(Exchange, host, 0, backlog=4096, ssl=context)
    print(server.sockets[0].getsockname()[1], software, flush=True)
    await server.serve_forever()


def loop_factory() -> tuple[str, Callable[[], asyncio.AbstractEventLoop]]:
    """A name for the server and the loop it runs on: uvloop's when that is installed."""
    try:
        import uvloop
    except ImportError:
        return "bare asyncio server", asyncio.new_event_loop
    return "bare uvloop server", uvloop.new_event_loop


def main() -> None:
    """Serves until the process is ended."""
    software, factory = loop_factory()
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(serve(sys.argv[1], software, sys.argv[2] if len(sys.argv) > 2 else None))


if __name__ == "__main__":
    main()
