"""What the tests of ASGITransport share: small applications, and a client of bare bytes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from aiohttpclient.testing import ASGITransport
from tests.net.streams import until
from tests.testing.ends import Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
    from typing import TypeAlias

    Scope: TypeAlias = dict[str, Any]
    Receive: TypeAlias = Callable[[], Coroutine[Any, Any, Any]]
    Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
    App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[Any]]

GET = b"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def post(body: bytes = b"", fields: bytes = b"", length: int | None = None) -> bytes:
    """A POST; with a ``length`` the body may be only its beginning."""
    size = len(body) if length is None else length
    return b"POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n%b\r\n%b" % (size, fields, body)


async def start(send: Send, status: int = 200, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def more(send: Send, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def end(send: Send, body: bytes = b"") -> None:
    await send({"type": "http.response.body", "body": body})


async def respond(send: Send, body: bytes = b"ok", status: int = 200) -> None:
    await start(send, status, (b"content-length", str(len(body)).encode()))
    await end(send, body)


async def read(receive: Receive) -> bytes:
    """The whole body."""
    body = bytearray()
    while True:
        message = await receive()
        assert message["type"] == "http.request"
        body += message["body"]
        if not message["more_body"]:
            return bytes(body)


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that says ok, and knows nothing but http."""
    assert scope["type"] == "http"
    await respond(send)


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """One that sends back what it gets, as it gets it."""
    assert scope["type"] == "http"
    await start(send)
    while (message := await receive())["type"] == "http.request" and message["more_body"]:
        await more(send, message["body"])
    await end(send, message.get("body", b""))


class Talk:
    """A client of a transport: ``send`` bytes, and wait for some."""

    def __init__(self, transport: ASGITransport, end: Any) -> None:
        self.transport = transport
        self.end = end
        self.heard = Recorder()
        end.set_protocol(self.heard)

    def send(self, data: bytes) -> None:
        self.end.write(data)

    async def until(self, ending: bytes) -> bytes:
        """All that has come since the last time, which ends in ``ending``."""
        await until(lambda: self.heard.received.endswith(ending) or "end" in self.heard.told)
        assert self.heard.received.endswith(ending), self.heard.received
        data, self.heard.received = self.heard.received, b""
        return data

    async def all(self) -> bytes:
        """All that comes until the end."""
        await until(lambda: "end" in self.heard.told)
        return self.heard.received


@contextlib.asynccontextmanager
async def talking(app: App, **options: Any) -> AsyncIterator[Talk]:
    """A connection to ``app``, without a lifespan."""
    async with ASGITransport(app, **{"lifespan": "off", **options}) as transport:
        stream = await transport.dial("a.test", 80)
        talk = Talk(transport, stream.transport)
        try:
            yield talk
        finally:
            talk.end.close()
