"""A connection in memory with an ASGI application at its end: requests are taken out of what comes, one by one.

Theory of operation. The connection is a protocol of asyncio, and has no task: whatever comes is looked at in the
callback that brings it. It is at one of three points: in a head, in a body (which goes to the exchange as it comes), or
behind both, where it waits for the end of the answer; what comes meanwhile is the beginning of the next request.
The application's call is a task that the connection only knows as an :class:`ASGIExchange`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ._asgi_exchange import HIGH_WATER
from ._asgi_scope import wants_websocket
from ._request import BadRequest, RequestBody, find_head, parse_request_head, request_framing
from ._response import ServerResponse, encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._asgi_exchange import ASGIExchange
    from ._request import ServerRequest
    from ._transport import MemoryTransport


class ASGIConnection(asyncio.Protocol):
    """One connection to the application.

    :param made: called with the connection when it is there; what is not wanted may be aborted
    :param begin: makes the exchange of a request; ``start`` begins it
    :param failed: called with each :class:`BadRequest`

    ``transport`` is there as soon as ``is_made``.
    """

    transport: MemoryTransport
    is_made = False

    def __init__(
        self,
        made: Callable[[ASGIConnection], object],
        begin: Callable[[ServerRequest, ASGIConnection], ASGIExchange],
        start: Callable[[ASGIExchange], object],
        failed: Callable[[BaseException], object],
    ) -> None:
        self._made = made
        self._begin = begin
        self._start = start
        self._failed = failed
        self._unread = bytearray()
        self._seen = 0  # bytes of it that are known to hold no end of a head
        self._body: RequestBody | None = None
        self._exchange: ASGIExchange | None = None
        self._stopping = False  # the answer is the last one
        self._over = False  # nothing that comes is looked at
        self._writable = asyncio.Event()
        self._writable.set()

    # -- what the transport tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing is kept back here: what the client does not read, the application is to notice at once."""
        self.transport = transport  # type: ignore[assignment]  # it is one in memory
        self.is_made = True
        self.transport.set_write_buffer_limits(0, 0)
        self._made(self)

    def data_received(self, data: bytes) -> None:
        """Go on with the request."""
        self._unread += data
        self._go_on()

    def eof_received(self) -> None:
        """A client that has ended its side is gone, for us as for other servers: the transport closes."""
        self._leave()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the application."""
        self._leave()

    def pause_writing(self) -> None:
        """The client does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """It does."""
        self._writable.set()

    def _leave(self) -> None:
        self._over = True
        self._unread.clear()
        self._writable.set()
        if self._exchange is not None:
            self._exchange.left()

    # -- what the exchange tells

    @property
    def was_left(self) -> bool:
        """Whether the client has ended its side, or all is over."""
        return self.transport.was_left

    def write(self, data: bytes) -> None:
        """Send ``data``."""
        if not self.transport.is_closing():
            self.transport.write(data)

    async def drain(self) -> None:
        """Wait until the client has taken what was written, up to what is on its way."""
        await self._writable.wait()

    def wants_more(self) -> None:
        """The application has room."""
        self.transport.resume_reading()

    def answered(self) -> None:
        """The next request may come."""
        assert self._exchange is not None
        if self._exchange.answer.closes or self._stopping:
            self.cut()
        else:
            self.transport.resume_reading()
            self.transport.loop.call_soon(self._go_on)

    def cut(self) -> None:
        """Close, once what was written has arrived."""
        self._over = True
        self.transport.close()

    def stop(self) -> None:
        """Close now if nobody waits for an answer, and else after it."""
        self._stopping = True
        if self._exchange is None or self._exchange.answer.complete:
            self.transport.close()

    # -- requests

    def _go_on(self) -> None:
        try:
            while not self._over and self._advance():
                pass
        except BadRequest as error:
            self._refuse(error)

    def _advance(self) -> bool:
        """Take the next piece; whether another one may be there."""
        if self._body is not None:
            return self._take_body(self._body)
        if self._exchange is not None and not self._exchange.answer.complete:
            if len(self._unread) > HIGH_WATER:
                self.transport.pause_reading()
            return False
        return self._take_head()

    def _take_body(self, body: RequestBody) -> bool:
        assert self._exchange is not None
        piece = body.take(self._unread)
        if body.done:
            self._body = None
        self._exchange.feed(piece, body.done)
        if self._exchange.is_full:
            self.transport.pause_reading()
        return body.done

    def _take_head(self) -> bool:
        end = find_head(self._unread, self._seen)
        if end < 0:
            self._seen = len(self._unread)
            return False
        self._seen = 0
        head = bytes(self._unread[:end])
        del self._unread[:end]
        request = parse_request_head(head)
        body = RequestBody(request_framing(request))
        if wants_websocket(request):
            self._say(501, "there are no WebSockets in an ASGITransport")
            return False
        self._exchange = self._begin(request, self)
        self._body = body
        self._take_body(body)  # before an eager task asks for it, which would make the client continue
        self._start(self._exchange)
        return True

    def _refuse(self, error: BadRequest) -> None:
        """What comes is no request, or no body of one."""
        self._failed(error)
        if self._exchange is None or self._exchange.answer.complete:
            self._say(error.status, str(error))
            return
        begun = self._exchange.answer.begun
        self._exchange.left()
        if begun:
            self.cut()
        else:
            self._say(error.status, str(error))

    def _say(self, status: int, text: str) -> None:
        body = text.encode(errors="backslashreplace") + b"\n"
        response = ServerResponse(status, body, {"Content-Type": "text/plain; charset=utf-8"})
        self.write(encode(response, body, "GET", 11, keep=False).data)  # to nobody knows which method
        self.cut()
