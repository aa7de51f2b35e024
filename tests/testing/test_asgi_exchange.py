"""What an application receives, what becomes of what it sends, and how its call ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing import ASGIProtocolError
from aiohttpclient.testing._asgi_exchange import ClientDisconnected, is_departure
from tests.net.streams import turns, until
from tests.testing.calling import GET, OK, echo, end, more, post, read, respond, start, talking

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.testing.calling import Receive, Scope, Send

EXPECT = b"Expect: 100-continue\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


# -- what it receives


async def test_a_request_without_a_body() -> None:
    """There is one empty message, and then none until the answer is complete."""
    messages: list[Any] = []
    tasks: list[asyncio.Task[Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        messages.append(await receive())
        tasks.append(asyncio.create_task(receive()))
        await turns()
        assert not tasks[0].done()
        await respond(send)
        messages.append(await tasks[0])
        messages.append(await receive())

    async with talking(app) as talk:
        talk.send(GET)
        await talk.until(OK)
        await until(lambda: len(messages) == 3)
    disconnect = {"type": "http.disconnect"}
    assert messages == [{"type": "http.request", "body": b"", "more_body": False}, disconnect, disconnect]


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_as_it_comes(chunked: bool) -> None:
    """The application gets each piece when it is there, and answers to it while the client still sends."""
    head = b"POST / HTTP/1.1\r\nHost: a.test\r\n"
    pieces = [b"one", b"two", b"3"]
    framing = b"Transfer-Encoding: chunked\r\n\r\n" if chunked else b"Content-Length: 7\r\n\r\n"
    async with talking(echo) as talk:
        talk.send(head + framing)
        await talk.until(b"Transfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            data = b"%x\r\n%b\r\n" % (len(piece), piece)
            talk.send(data if chunked else piece)
            last = b"0\r\n\r\n" if piece is pieces[-1] and not chunked else b""
            assert await talk.until(data + last) == data + last
        if chunked:
            talk.send(b"0\r\n\r\n")
            await talk.until(b"0\r\n\r\n")
        talk.send(post(b"again"))
        await talk.until(b"5\r\nagain\r\n0\r\n\r\n")


async def test_a_large_body_waits_for_the_application() -> None:
    """What the application does not take is not read from the client."""
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        assert len(await read(receive)) == 1_000_000
        await respond(send)

    async with talking(app, room=10_000) as talk:
        talk.send(post(b"x" * 1_000_000))
        await turns(50)
        assert talk.end.get_write_buffer_size() > 900_000
        go.set()
        await talk.until(OK)


async def test_receiving_is_given_up() -> None:
    """A receive that is cancelled loses nothing, and several at once get each a message of their own."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(3):
            task = asyncio.create_task(receive())
            await turns()
            task.cancel()
            await asyncio.wait([task])
        await start(send)
        tasks: list[Any] = [asyncio.create_task(receive()) for _ in range(2)]
        await turns()
        await more(send, b"go")
        found = await asyncio.gather(*tasks)
        assert [message["body"] for message in found] == [b"one", b"two"]
        tasks = [asyncio.create_task(receive()) for _ in range(3)]
        await end(send)
        assert [message["type"] for message in await asyncio.gather(*tasks)] == ["http.disconnect"] * 3

    async with talking(app) as talk:
        talk.send(post(length=6))
        await talk.until(b"2\r\ngo\r\n")
        talk.send(b"one")
        await turns()
        talk.send(b"two")
        await talk.until(b"0\r\n\r\n")


# -- 100 Continue


async def test_continue() -> None:
    """A client that waits for 100 gets it when the application wants the body, once, and not before."""
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        assert await read(receive) == b"body"
        await respond(send)

    async with talking(app) as talk:
        talk.send(post(fields=EXPECT, length=4))
        await turns(20)
        assert talk.heard.received == b""
        go.set()
        assert await talk.until(CONTINUE) == CONTINUE
        talk.send(b"body")
        assert await talk.until(OK) == OK


async def test_continue_that_nobody_needs() -> None:
    """A client that sends its body all the same is told nothing (RFC 9110 section 10.1.1)."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await read(receive)
        await respond(send)

    async with talking(app) as talk:
        talk.send(post(b"body", EXPECT))
        assert await talk.until(OK) == OK


async def test_an_answer_in_place_of_continue() -> None:
    """An answer that comes instead of 100 ends the connection: the client may send its body or not."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send, b"no", 417)
        assert (await receive())["type"] == "http.disconnect"

    async with talking(app) as talk:
        talk.send(post(fields=EXPECT, length=4))
        data = await talk.all()
        assert data.startswith(b"HTTP/1.1 417 ")
        assert b"Connection: close\r\n" in data
        assert CONTINUE not in data


# -- what it sends


async def test_an_answer_before_the_body() -> None:
    """The application may answer before it has read the body; the rest is thrown away, and the connection kept."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            assert (await receive())["body"] == b"one"
        await respond(send)

    async with talking(app) as talk:
        talk.send(post(b"one", length=1_000_003))
        assert await talk.until(OK) == OK
        talk.send(b"x" * 1_000_000)
        await turns()
        talk.send(GET)
        assert await talk.until(OK) == OK


async def test_an_answer_to_a_full_body() -> None:
    """So it may where so much of the body has come that the client has to wait."""
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await go.wait()
        await respond(send)

    async with talking(app) as talk:
        talk.send(post(b"x" * 1_000_000))
        await turns(20)
        go.set()
        assert await talk.until(OK) == OK
        talk.send(GET)
        assert await talk.until(OK) == OK


async def test_flow_control() -> None:
    """``send`` waits for a client that does not read, so that an endless answer takes no memory."""
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await start(send)
        while True:
            await more(send, b"x" * 1000)
            sent += 1000

    async with talking(app, room=10_000) as talk:
        talk.end.pause_reading()
        talk.send(GET)
        await turns(100)
        assert 8000 <= sent <= 11_000
        talk.end.resume_reading()
        await until(lambda: sent > 1_000_000)
        talk.end.close()
        await until(lambda: not talk.transport.connections)


async def test_nobody_is_starved() -> None:
    """An application that sends nothing again and again, or receives, leaves the others their turns."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            await start(send)
            while True:
                await more(send, b"")
        await respond(send)
        while True:
            assert (await receive())["type"] in {"http.request", "http.disconnect"}

    async with talking(app, shutdown_timeout=0, raise_app_exceptions=False) as talk:
        talk.send(GET)
        await talk.until(OK)
        talk.send(post())
        await talk.until(b"\r\n\r\n")


# -- the client goes


@pytest.mark.parametrize("leave", ["close", "abort"])
async def test_the_client_leaves(leave: str) -> None:
    """Who receives is told, and ``send`` raises an OSError; that the application passes it on is no failure."""
    messages: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await start(send)
        messages.append(await receive())
        messages.append(await receive())
        with pytest.raises(OSError, match="the client is gone"):
            await more(send, b"one")
        await end(send)

    async with talking(app) as talk:
        talk.send(GET)
        await talk.until(b"\r\n\r\n")
        getattr(talk.end, leave)()
        await until(lambda: len(messages) == 2)
    assert messages == [{"type": "http.disconnect"}] * 2


async def test_the_client_leaves_and_nobody_receives() -> None:
    """An application that only sends finds out by that, also where it waits for the client to read."""
    errors: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send)
        try:
            await more(send, b"x" * 100_000)
            await asyncio.Event().wait()
        except OSError as error:
            errors.append(error)
            raise

    async with talking(app, room=1000) as talk:
        talk.end.pause_reading()
        talk.send(GET)
        await turns(20)
        assert not errors
        talk.end.close()
        await until(lambda: errors)
    assert isinstance(errors[0], ClientDisconnected)


async def test_the_client_leaves_in_its_body() -> None:
    """What has come of a body is there; instead of the rest comes http.disconnect."""
    messages: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while not messages or messages[-1]["type"] == "http.request":
            messages.append(await receive())

    async with talking(app) as talk:
        talk.send(post(b"beginning", length=1000))
        await until(lambda: messages)
        talk.end.close()
        await until(lambda: len(messages) == 2)
    first = {"type": "http.request", "body": b"beginning", "more_body": True}
    assert messages == [first, {"type": "http.disconnect"}]


async def test_the_client_leaves_while_its_body_waits() -> None:
    """Also where the client was not read from any more, its departure is found when the application sends."""
    sends = asyncio.Event()
    errors: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sends.wait()
        try:
            await respond(send)
        except OSError as error:
            errors.append(error)

    async with talking(app) as talk:
        talk.send(post(b"x" * 500_000))
        await turns(20)
        talk.end.close()
        await turns(20)
        sends.set()
        await until(lambda: errors)
    assert len(errors) == 1


# -- how it ends


def _raises(error: BaseException) -> Callable[..., Any]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    return app


async def _silent(scope: Scope, receive: Receive, send: Send) -> None:
    pass


async def _wrong(scope: Scope, receive: Receive, send: Send) -> None:
    await end(send, b"without a start")


async def _wrong_and_caught(scope: Scope, receive: Receive, send: Send) -> None:
    with pytest.raises(ASGIProtocolError):
        await end(send)


async def _speaks(scope: Scope, receive: Receive, send: Send) -> str:
    return "an answer"


@pytest.mark.parametrize(
    ("app", "kind", "text"),
    [
        (_raises(ValueError("a bug")), ValueError, "a bug"),
        (_raises(asyncio.CancelledError("by itself")), asyncio.CancelledError, "by itself"),
        (_raises(pytest.fail.Exception("in the application")), pytest.fail.Exception, "in the application"),
        (_silent, ASGIProtocolError, "the application returned without an answer to <ASGIExchange GET />"),
        (_wrong, ASGIProtocolError, "'http.response.body' was sent where only 'http.response.start' may follow"),
        (_wrong_and_caught, ASGIProtocolError, "the application returned without an answer"),
        (_speaks, ASGIProtocolError, "the application returned 'an answer', and not None"),
    ],
    ids=["raises", "cancelled", "fails the test", "silent", "wrong", "wrong and caught", "returns"],
)
async def test_no_answer(app: Any, kind: type[BaseException], text: str) -> None:
    """An application that gives no answer has failed: the client gets 500, and the connection ends."""
    async with talking(app) as talk:
        talk.send(GET)
        data = await talk.all()
        assert data.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
        assert data.endswith(b"\r\n\r\nInternal Server Error")
        (failure,) = talk.transport.failures
        talk.transport.failures.clear()
    assert type(failure) is kind
    assert text in str(failure)


@pytest.mark.parametrize("how", ["raises", "returns", "too long", "too short"])
async def test_half_an_answer(how: str) -> None:
    """An answer that has begun cannot become another one: it is cut, and the client can tell."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await start(send, 200, (b"content-length", b"9"))
        await more(send, b"half")
        if how == "raises":
            raise ValueError("a bug")
        if how != "returns":
            await end(send, b"a" * (2 if how == "too short" else 8))

    async with talking(app) as talk:
        talk.send(GET)
        assert await talk.all() == b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"
        (failure,) = talk.transport.failures
        talk.transport.failures.clear()
    assert isinstance(failure, ValueError if how == "raises" else ASGIProtocolError)
    if how == "returns":
        assert "returned without completing its answer" in str(failure)


async def test_after_the_answer() -> None:
    """What goes wrong behind a complete answer is a failure, and nothing that the client sees."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await respond(send)
        await turns()
        await respond(send)

    async with talking(app) as talk:
        for _ in range(2):
            talk.send(GET)
            assert await talk.until(OK) == OK
            await turns(20)
        assert len(talk.transport.failures) == 2
        assert "where nothing may follow" in str(talk.transport.failures[0])
        talk.transport.failures.clear()


async def test_others_that_send() -> None:
    """A task that the application left behind cannot send into what has become of its answer."""
    errors: list[BaseException] = []

    async def late(send: Send) -> None:
        await turns(20)
        try:
            await respond(send)
        except OSError as error:
            errors.append(error)

    tasks: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tasks.append(asyncio.create_task(late(send)))

    async with talking(app) as talk:
        talk.send(GET)
        assert (await talk.all()).startswith(b"HTTP/1.1 500 ")
        await until(lambda: errors)
        talk.transport.failures.clear()


def _named(name: str) -> Exception:
    kind: Any = type(name, (Exception,), {})
    error: Exception = kind()
    return error


@pytest.mark.parametrize(
    ("error", "departure"),
    [
        (ClientDisconnected(), True),
        (_named("ClientDisconnect"), True),
        (_named("ClientDisconnected"), True),
        (_named("RequestAborted"), True),
        (ExceptionGroup("", [ClientDisconnected(), _named("ClientDisconnect")]), True),
        (ExceptionGroup("", [ClientDisconnected(), ValueError()]), False),
        (ConnectionResetError(), False),
        (OSError(), False),
        (ValueError(), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_departures(error: BaseException, departure: bool) -> None:
    """That a client is gone is no failure of the application, in the words of several frameworks."""
    assert is_departure(error) is departure
