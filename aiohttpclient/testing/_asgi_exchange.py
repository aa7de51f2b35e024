"""One call of an ASGI application: what it receives, what it sends, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from ._asgi_answer import Answer, ASGIProtocolError
from ._exchange import CONTINUE, _is_cancelled

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[Message]]
    Send: TypeAlias = Callable[[Message], Awaitable[None]]
    Application: TypeAlias = Callable[[Any, Any, Any], Awaitable[object]]

FAIRNESS: Final = 100
"""Messages that an application may send or receive without a wait, before the others get their turn. Mostly there is no
wait where there is none in uvicorn: Starlette asks in a scope that is cancelled whether a message is there already."""

HIGH_WATER: Final = 64 * 1024
"""Bytes of a body that wait for the application, before the client has to: uvicorn's number."""

DEPARTURES: Final = {"ClientDisconnect", "ClientDisconnected", "RequestAborted"}
"""What frameworks raise when they are told that the client has gone (Starlette; Werkzeug, Quart; Django). By name: none
of them is imported here."""


class ClientDisconnected(OSError):
    """``send`` was called, and the client is gone. An application lets it pass, or ends in another way."""


class Link(Protocol):
    """What an exchange needs of the connection."""

    @property
    def was_left(self) -> bool:
        """Whether the client is gone, though nobody may have heard of it yet."""

    def write(self, data: bytes) -> None:
        """Send ``data``."""

    async def drain(self) -> None:
        """Wait while the client does not take what was written."""

    def wants_more(self) -> None:
        """There is room for more of the body."""

    def answered(self) -> None:
        """All of the answer was written."""

    def cut(self) -> None:
        """End the connection, once what was written has arrived."""


class ASGIExchange:
    """A request, on its way to the application, and the answer.

    :param scope: of the request
    :param waits: whether the client waits for 100 Continue (RFC 9110 section 10.1.1)

    ``gone`` (bool): the client has left before the answer was complete, or is given up.
    """

    def __init__(self, scope: dict[str, Any], answer: Answer, link: Link, waits: bool) -> None:
        self.scope = scope
        self.answer = answer
        self.gone = False
        self._link = link
        self._waits = waits
        self._body = bytearray()
        self._ended = self._end_was_told = False
        self._news = asyncio.Event()
        self._messages = 0

    def __repr__(self) -> str:
        return f"<ASGIExchange {self.scope['method']} {self.scope['path']}>"

    # -- the side of the connection

    @property
    def is_full(self) -> bool:
        """Whether so much waits for the application that the client should, too."""
        return len(self._body) >= HIGH_WATER

    @property
    def is_abandoned(self) -> bool:
        """Whether nobody is left who could get the answer."""
        return not self.answer.complete and (self.gone or self._link.was_left)

    def feed(self, data: bytes, ended: bool) -> None:
        """So much of the body has come; ``ended``: that was all. Behind a complete answer nobody wants it."""
        self._waits = self._waits and not data
        self._ended = ended
        if not self.answer.complete:
            self._body += data
            self._news.set()

    def left(self) -> None:
        """The client is gone."""
        self.gone = self.gone or not self.answer.complete
        self._news.set()

    # -- the side of the application

    async def receive(self) -> Message:
        """The next message: http.request, or http.disconnect when the client is gone or has its answer."""
        if self._waits and not (self.answer.begun or self.gone):
            self._waits = False
            self._link.write(CONTINUE)
        while not (self.gone or self.answer.complete):
            if self._body or (self._ended and not self._end_was_told):
                return self._next_piece()
            self._news.clear()
            self._link.wants_more()
            await self._news.wait()
        await self._be_fair()
        return {"type": "http.disconnect"}

    async def _be_fair(self) -> None:
        """An application that sends nothing, or asks, again and again, stops nobody else."""
        self._messages += 1
        if self._messages % FAIRNESS == 0:
            await asyncio.sleep(0)

    def _next_piece(self) -> Message:
        piece = bytes(self._body)
        self._body.clear()
        self._end_was_told = self._ended
        self._link.wants_more()
        return {"type": "http.request", "body": piece, "more_body": not self._ended}

    async def send(self, message: Message) -> None:
        """Send what ``message`` stands for, and wait while the client does not take it.

        :raises ClientDisconnected: there is nobody to take it
        :raises ASGIProtocolError: the message is wrong, or comes at a wrong time
        """
        if self.gone or self.is_abandoned:
            self.left()
            raise ClientDisconnected("the client is gone")
        if self._waits:
            self.answer.closes = True  # it may send its body or not: nobody can tell where the next request begins
        data = self.answer.feed(message)
        self._link.write(data)
        if self.answer.complete:
            self._body.clear()  # nobody waits for what is left of it
            self._news.set()
            self._link.answered()
        await self._link.drain()
        await self._be_fair()
        if self.gone:
            raise ClientDisconnected("the client is gone")

    async def run(self, application: Application, failed: Callable[[BaseException], None]) -> None:
        """Call ``application``. ``failed`` is called with what it raises, or an error that says what is missing."""
        try:
            self._check_end(await application(self.scope, self.receive, self.send))
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                self._give_up()
                raise
            if not is_departure(error):
                failed(error)
            self._give_up()

    def _check_end(self, result: object) -> None:
        if result is not None:
            raise ASGIProtocolError(f"the application returned {result!r:.100}, and not None")
        if not (self.is_abandoned or self.answer.complete):
            what = "completing its" if self.answer.begun else "an"
            raise ASGIProtocolError(f"the application returned without {what} answer to {self!r}")

    def _give_up(self) -> None:
        """Nothing more comes of the application: end the answer so that the client can tell."""
        if self.answer.complete:
            return
        if not (self.answer.begun or self.gone):
            self._link.write(self.answer.failure())
            self._link.answered()
        else:
            self._link.cut()
        self.gone = True
        self._news.set()


def is_departure(error: BaseException) -> bool:
    """Whether ``error`` is no more than what becomes of a client that is gone; of a group, each of its errors."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_departure(one) for one in error.exceptions)
    return isinstance(error, ClientDisconnected) or type(error).__name__ in DEPARTURES
