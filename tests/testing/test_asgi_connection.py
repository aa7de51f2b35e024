"""A connection to an application: requests one after the other, strictly read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import BadRequest
from tests.net.streams import turns, until
from tests.testing.calling import GET, OK, echo, end, hello, more, post, read, respond, start, talking

if TYPE_CHECKING:
    from tests.testing.calling import Receive, Scope, Send


async def names(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with the path, and what was in the body."""
    await respond(send, scope["path"].encode() + await read(receive))


def get(path: bytes, fields: bytes = b"") -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: a.test\r\n" + fields + b"\r\n"


async def test_one_after_the_other() -> None:
    """A connection is kept as long as both sides want it."""
    async with talking(hello) as talk:
        for _ in range(3):
            talk.send(GET)
            assert await talk.until(OK) == OK
        assert talk.transport.connections == 1
        talk.send(get(b"/", b"Connection: close\r\n"))
        assert b"Connection: close\r\n" in await talk.all()


@pytest.mark.parametrize("size", [1, 3, 1000])
async def test_pieces(size: int) -> None:
    """Requests come in pieces of any size, and several at once: they are answered one by one, in their order."""
    data = get(b"/a") + post(b"body") + get(b"/b", b"Connection: close\r\n")
    async with talking(names) as talk:
        for at in range(0, len(data), size):
            talk.send(data[at : at + size])
            await turns(2)
        answers = (await talk.all()).split(b"HTTP/1.1 200 OK\r\n")
        assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers[1:]] == [b"/a", b"/body", b"/b"]


async def test_requests_that_do_not_wait() -> None:
    """Who sends request after request without reading an answer has to wait; its answers come in their order."""
    count = 5000
    seen = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal seen
        seen += 1
        await go.wait()
        await respond(send, scope["query_string"])

    go = asyncio.Event()
    async with talking(app, room=10_000) as talk:
        talk.send(b"".join(get(b"/?%d" % number) for number in range(count)))
        await turns(20)
        assert seen == 1
        assert talk.end.get_write_buffer_size() > 50_000
        go.set()
        last = b"\r\n%d" % (count - 1)
        data = b""
        while not data.endswith(last):
            data += await talk.until(b"")
            await turns()
        assert data.count(b"HTTP/1.1 200 OK") == seen == count


async def test_older_clients() -> None:
    """HTTP/1.0 ends with the answer, or goes on if the client asks for it."""
    async with talking(echo) as talk:
        talk.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await talk.all()).endswith(b"Connection: close\r\n\r\n")
    async with talking(hello) as talk:
        talk.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        await talk.until(b"Connection: keep-alive\r\n\r\nok")
        talk.send(GET)
        await talk.until(OK)


# -- what is no request


@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        (b"GET\r\n\r\n", b"400", b"not a request line: 'GET'"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400", b"0 Host fields"),
        (get(b"/", b"A : b\r\n"), b"400", b""),
        (get(b"/", b"A: b\r\n c\r\n"), b"400", b""),
        (get(b"/", b"A: " + b"x" * 100_000), b"431", b""),
        (post(b"", b"Transfer-Encoding: chunked\r\n"), b"400", b""),
        (b"\x16\x03\x01", b"400", b"this is a TLS handshake"),
        (b"GET / HTTP/2\r\n\r\n", b"505", b"not HTTP/1.1"),
    ],
    ids=["line", "host", "blank", "fold", "long", "framing", "tls", "version"],
)
async def test_bad_requests(data: bytes, status: bytes, text: bytes) -> None:
    """What is no request is answered as such, fails the test, and never gets to the application."""
    called: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        called.append(scope)

    async with talking(app, raise_app_exceptions=False) as talk:  # it is not the application's
        talk.send(data)
        answer = await talk.all()
        assert answer.startswith(b"HTTP/1.1 %b " % status)
        assert text in answer
        (failure,) = talk.transport.failures
        talk.transport.failures.clear()
    assert isinstance(failure, BadRequest)
    assert not called


@pytest.mark.parametrize("begun", [False, True])
async def test_a_body_that_breaks(begun: bool) -> None:
    """Where the chunks of a body are none, the application is told that the client is gone; so it is, soon."""
    messages: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if begun:
            await start(send)
        while not messages or messages[-1] == "http.request":
            messages.append((await receive())["type"])
        with pytest.raises(OSError):
            await more(send, b"late") if begun else await start(send)

    async with talking(app) as talk:
        talk.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        await until(lambda: messages)
        talk.send(b"no chunk\r\n")
        answer = await talk.all()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n" if begun else b"HTTP/1.1 400 ")
        assert (b"not a chunk size" in answer) != begun
        await until(lambda: messages[-1] == "http.disconnect")
        (failure,) = talk.transport.failures
        talk.transport.failures.clear()
    assert isinstance(failure, BadRequest)


async def test_a_rest_that_breaks() -> None:
    """Also behind an early answer a body must be one."""
    async with talking(hello) as talk:
        talk.send(b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        await talk.until(OK)
        talk.send(b"no chunk\r\n")
        assert (await talk.all()).startswith(b"HTTP/1.1 400 ")
        talk.transport.failures.clear()


async def test_websockets() -> None:
    """A request for a WebSocket is refused at once, and is no failure; any other upgrade is ignored."""
    async with talking(hello) as talk:
        talk.send(get(b"/", b"Connection: Upgrade\r\nUpgrade: h2c\r\n"))
        assert await talk.until(OK) == OK
        talk.send(get(b"/", b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"))
        answer = await talk.all()
    assert answer.startswith(b"HTTP/1.1 501 Not Implemented\r\n")
    assert answer.endswith(b"there are no WebSockets in an ASGITransport\n")


# -- the end


@pytest.mark.parametrize("data", [b"", b"GET / HTTP", get(b"/"), post(b"half", length=9)], ids=len)
async def test_clients_that_leave(data: bytes) -> None:
    """A client may leave at any point: that is no failure, and nothing stays."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    for leave in ("close", "abort", "write_eof"):
        async with talking(app) as talk:
            talk.send(data)
            await turns()
            getattr(talk.end, leave)()
            while talk.transport.connections:
                await asyncio.sleep(0)
        assert not talk.transport.failures


async def test_the_transport_closes_first() -> None:
    """When the transport closes, idle connections end, and others after their answer."""
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/wait":
            assert await read(receive) == b""
            await go.wait()
        await start(send)
        await end(send, b"ok")

    async with talking(app) as talk:
        other = await talk.transport.dial("b.test", 80)
        talk.send(get(b"/wait"))
        await turns()
        closing = asyncio.create_task(talk.transport.close())
        await until(lambda: other.ended)
        assert not closing.done()
        go.set()
        assert (await talk.all()).endswith(b"2\r\nok\r\n0\r\n\r\n")
        await closing
        await other.aborted()
