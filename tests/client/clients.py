"""A client and a server for it, made and closed together; and short ways to say what either saw."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttpclient import AsyncHTTPClient, Headers
from aiohttpclient.client import ClientEvent
from tests.pool.servers import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttpclient.client import ResponseStream
    from tests.pool.servers import Asked, Page, Site
    from tests.support.server import RawServer


class Here(NamedTuple):
    """A client, the server that its ``base_url`` leads to, and what that server was asked."""

    client: AsyncHTTPClient
    server: RawServer
    site: Site

    @property
    def asked(self) -> Asked:
        """The last request."""
        return self.site.asked[-1]

    @property
    def sent(self) -> Headers:
        """The fields of the last request."""
        return fields_of(self.asked.head)


@contextlib.asynccontextmanager
async def talking(pages: dict[str, Page] | None = None, **options: Any) -> AsyncIterator[Here]:
    """A client with ``options`` that asks nothing of the environment, and a server of ``pages``."""
    async with serving(pages) as (server, site):
        options = {"base_url": server.url, "trust_env": False, **options}
        async with AsyncHTTPClient(**options) as client:
            yield Here(client, server, site)


@contextlib.asynccontextmanager
async def streaming(page: Page, method: str = "GET", **options: Any) -> AsyncIterator[tuple[ResponseStream, Here]]:
    """A stream of ``page``; both ends are closed after it."""
    async with talking({"/page": page}) as here:
        async with here.client.stream(method, "page", **options) as stream:
            yield stream, here


async def all_of(blocks: AsyncIterator[Any]) -> list[Any]:
    """Everything that an iterator gives."""
    return [block async for block in blocks]


def fields_of(head: bytes) -> Headers:
    """The fields of a request head, as they were sent."""
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    return Headers((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))


def coded(body: bytes, coding: str, *fields: str) -> bytes:
    """An answer whose ``body`` is in ``coding`` already."""
    lines = ["HTTP/1.1 200 OK", f"Content-Encoding: {coding}", *fields, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def chunked(*pieces: bytes, fields: str = "", trailers: str = "") -> bytes:
    """An answer in chunks; ``fields`` and ``trailers`` are whole lines."""
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    head = f"HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n"
    return head.encode() + body + f"0\r\n{trailers}\r\n".encode()


class Ear(list[Any]):
    """What ``on_event`` was told."""

    def __call__(self, event: Any) -> None:
        self.append(event)

    @property
    def kinds(self) -> list[str]:
        """The kinds of the client's own events, by name."""
        return [event.kind.name for event in self if isinstance(event, ClientEvent)]

    @property
    def own(self) -> list[ClientEvent]:
        """The client's own events."""
        return [event for event in self if isinstance(event, ClientEvent)]
