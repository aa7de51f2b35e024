"""The server's side of HTTP/1.1: requests from a stream, answers to it, one after the other.

Theory of operation. :func:`converse` reads requests as long as the client has any, asks an :class:`Application` for the
answer to each, and sends it through an :class:`Exchange`. An answer that is not a response but a :class:`Fault` is
given the exchange, and does with it what it wants. Streams may be sockets or memory: all that is known of them is
:class:`ServerSide`.
"""

from __future__ import annotations

import asyncio
import contextlib
import reprlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from ._request import (
    BadRequest,
    keeps_connection,
    parse_request_head,
    read_body,
    read_head,
    request_framing,
    wants_continue,
)
from ._response import ServerResponse, as_response, encode
from ._stream import ClientGone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Generator

    from ._connection import ServerConnection
    from ._request import ServerRequest
    from ._response import Encoded
    from ._stream import ServerSide

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

_current: ContextVar[Exchange] = ContextVar("exchange")


class Fault(ABC):
    """An answer that is not what a client expects.

    A handler returns it, or awaits it: ``await Stall()``. Faults of one's own derive from this.
    """

    @abstractmethod
    async def play(self, exchange: Exchange) -> None:
        """Do it, with the methods of ``exchange``."""

    def __repr__(self) -> str:
        given = ", ".join([f"{name}={reprlib.repr(value)}" for name, value in vars(self).items()])
        return f"{type(self).__name__}({given})"

    def __await__(self) -> Generator[Any, None, None]:
        exchange = _current.get(None)
        if exchange is None:
            raise RuntimeError(f"{type(self).__name__} is awaited outside of a handler of a LoopbackServer")
        return self.play(exchange).__await__()


class Exchange:
    """One request, and what is sent in answer to it.

    ``request``; ``begun`` (bool): whether a byte of the answer was sent; ``closes`` (bool): whether the connection ends
    after it, also if nobody says so to the client.
    """

    def __init__(self, request: ServerRequest, stream: ServerSide, keep: bool) -> None:
        self.request = request
        self.begun = False
        self.closes = not keep
        self._stream = stream

    async def encode(self, answer: Any) -> Encoded:
        """``answer``, which is no fault, in the bytes in which it would be sent; an async body is read to its end."""
        response = as_response(answer)
        body = response.body
        if isinstance(body, AsyncIterable):
            async with _closing(body):
                body = b"".join([block async for block in body])
        encoded = self._encode(response, body)
        self.closes = self.closes or encoded.closes
        return encoded

    def _encode(self, response: ServerResponse, body: bytes) -> Encoded:
        # Who has not read the body cannot tell where the next request begins.
        keep = not self.closes and self.request.reads is None
        return encode(response, body, self.request.method, self.request.version, keep)

    async def send(self, data: bytes) -> None:
        """Send bytes as they are, and wait until the kernel has taken them.

        :raises ClientGone: there is nobody to take them; a handler lets it pass
        """
        self.begun = self.begun or bool(data)
        await self._stream.send(data)

    async def answer(self, answer: Any) -> None:
        """Send ``answer``, whatever a handler may return."""
        if isinstance(answer, Fault):
            await answer.play(self)
            return
        response = as_response(answer)
        if isinstance(response.body, AsyncIterable):
            await self._send_stream(response, response.body)
        else:
            await self.send((await self.encode(response)).data)

    async def _send_stream(self, response: ServerResponse, body: AsyncIterable[bytes]) -> None:
        encoded = self._encode(response, b"")
        self.closes = self.closes or encoded.closes
        await self.send(encoded.head)
        if self.request.method != "HEAD":
            async with _closing(body):
                async for block in body:
                    await self.send(encoded.frame(block))
            await self.send(encoded.last)

    async def finish(self) -> None:
        """End the connection in an orderly way, once all that was sent has arrived."""
        self.begun = self.closes = True
        await self._stream.finish(read_all=self.request.reads is None)

    async def cut(self) -> None:
        """End the connection as a server does that dies: under TLS without close_notify."""
        self.begun = self.closes = True
        await self._stream.cut()

    async def fail(self, error: BaseException) -> None:
        """The same because of ``error``, for who can be told."""
        self.begun = self.closes = True
        await self._stream.fail(error)

    async def reset(self) -> None:
        """End the connection with RST."""
        self.begun = self.closes = True
        await self._stream.reset()

    async def wait_gone(self) -> None:
        """Wait until the client ends the connection; what it still sends is thrown away."""
        self.begun = self.closes = True
        await self._stream.discard()


def answered() -> bool:
    """Whether the handler that runs has answered already: by a fault that it has awaited."""
    exchange = _current.get(None)
    return exchange is not None and exchange.begun


class Application(Protocol):
    """What gives the answers in a conversation."""

    def is_early(self, request: ServerRequest) -> bool:
        """Whether ``request`` is answered before its body was read."""

    def received(self, request: ServerRequest) -> None:
        """``request`` is there; with its body, unless it is early."""

    async def respond(self, request: ServerRequest) -> Any:
        """The answer: what a handler may return. What it raises is answered with 500."""

    def failed(self, error: BaseException) -> None:
        """``error`` was raised by ``respond``, or is a BadRequest."""

    def refusal(self, error: BaseException) -> ServerResponse:
        """What is answered because of ``error``, where nothing was answered yet."""

    def closes_after(self, number: int) -> bool:
        """Whether the connection ends after ``number`` requests, without a word."""


async def converse(stream: ServerSide, application: Application, connection: ServerConnection) -> None:
    """Answer requests until the client has no more, or the connection ends for another reason.

    :raises ClientGone: the client ends it where something is still expected of it
    """
    while await exchanged(stream, application, connection):
        pass


async def exchanged(stream: ServerSide, application: Application, connection: ServerConnection) -> bool:
    """Answer the next request; whether another one may come.

    :raises ClientGone: the client ends the connection where something is still expected of it
    """
    try:
        request = await _next_request(stream, application, connection)
    except BadRequest as error:
        application.failed(error)
        response = application.refusal(error)
        assert isinstance(response.body, bytes)
        # To nobody knows which method: GET has an answer with a body.
        await stream.send(encode(response, response.body, "GET", 11, False).data)
        await stream.finish(read_all=False)
        return False
    if request is None:
        return False
    exchange = Exchange(request, stream, keeps_connection(request))
    await _respond(exchange, application)
    if exchange.closes or application.closes_after(len(connection.requests)):
        await exchange.finish()
        return False
    return True


def refused(error: BaseException) -> ServerResponse:
    """What a server says of ``error``, which is its own or a BadRequest; the connection ends with it."""
    status, text = (error.status, "") if isinstance(error, BadRequest) else (500, f"{type(error).__name__}: ")
    return ServerResponse(status, _line(f"{text}{error}"), {"Connection": "close"})


async def _next_request(
    stream: ServerSide, application: Application, connection: ServerConnection
) -> ServerRequest | None:
    head = await read_head(stream)
    if head is None:
        return None
    request = parse_request_head(head, connection)
    framing = request_framing(request)

    async def reads() -> None:
        if wants_continue(request):
            await stream.send(CONTINUE)
        await read_body(stream, request, framing)

    if framing.length != 0:
        if application.is_early(request):
            request.reads = reads
        else:
            await reads()
    connection.requests.append(request)
    application.received(request)
    return request


async def _respond(exchange: Exchange, application: Application) -> None:
    """Send the answer of ``application``, or 500."""
    token = _current.set(exchange)
    try:
        answer = await application.respond(exchange.request)
        if answer is not None or not exchange.begun:
            await exchange.answer(answer)
    except (ClientGone, GeneratorExit, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a body that breaks the rules; and pytest.fail() too is answered, and reported
        if isinstance(error, asyncio.CancelledError) and _is_cancelled():
            raise
        application.failed(error)
        if exchange.begun:  # nobody can read another answer
            await exchange.fail(error)
        else:
            await exchange.answer(application.refusal(error))
    finally:
        with contextlib.suppress(
            ValueError
        ):  # the collector, which ends what a closed loop has left, has another context
            _current.reset(token)


@contextlib.asynccontextmanager
async def _closing(body: AsyncIterable[bytes]) -> AsyncIterator[None]:
    """Close ``body`` on every way out, where it is a generator: what it holds is let go of now."""
    try:
        yield
    finally:
        aclose = getattr(body, "aclose", None)
        if aclose is not None:
            await aclose()


def _line(text: str) -> bytes:
    return text.encode(errors="backslashreplace") + b"\n"


def _is_cancelled() -> bool:
    """Whether it is this task that is cancelled, and not something that a handler waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
