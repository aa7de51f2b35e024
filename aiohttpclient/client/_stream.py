"""A response whose body is still to come.

Theory of operation. The body passes through three stages, each of which takes no more than it passes on: what the
connection receives (*raw*), the content codings undone (*decoded*), and text. Raw or decoded, it can be read once, and
is counted against ``max_body``. Whatever goes wrong closes the connection: what is left of the body would stand before
the next answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from .._redact import shown_url
from ..errors import ConcurrentUse, HTTPException, LimitExceeded, PhaseTimeout, StatusError
from ._body import Body
from ._codings import decode, decoder_for
from ._events import EventKind
from ._links import parse_links
from ._made import MadeResponse
from ._response import Response
from ._sse import EventParser
from ._text import LineSplitter, TextDecoder, charset_of
from ._timings import timings_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from types import TracebackType
    from typing import Self

    from yarl import URL

    from .._headers import Headers, HeadersInit
    from ..connection import AsyncHTTPResponse
    from ._request import Request
    from ._retry_policy import Attempt
    from ._sse import ServerSentEvent
    from ._timings import Marks, Timings

T = TypeVar("T")

REST: Final = 64 * 1024
"""Bytes of a body that nobody wants which are read all the same: a new connection costs more than that."""

REST_SECONDS: Final = 1.0
"""Seconds in which they must come, for the same reason: whoever redirects, or fails, is slow to say no more."""

SMALL: Final = 4 * 1024
"""Bytes of a coded body that is received whole before it is decoded, which takes less time than bit by bit. With one
coding they become 4 MiB at most, and the loop stands still for some milliseconds."""

READ: Final = object()
"""In the place of a body that is not to be read any more."""


class ResponseStream:
    """The head of a response, and the way to its body.

    ``request`` (:class:`Request`), ``status`` (int), ``reason`` (str), ``version`` (10 or 11), ``history`` (tuple of
    :class:`Response`: the redirects before) and ``attempts`` (tuple of :class:`Attempt`: what was tried before).

    ``async with client.stream(...)`` gives one, and closes it: with the body read to its end the connection is free for
    others, and closed otherwise.
    """

    __slots__ = (
        "_body",
        "_decoded",
        "_ended",
        "_marks",
        "_raw",
        "attempts",
        "history",
        "reason",
        "request",
        "status",
        "version",
    )

    def __init__(self, request: Request, raw: AsyncHTTPResponse, marks: Marks) -> None:
        self.request = request
        self.status = raw.status
        self.reason = raw.reason
        self.version = raw.version
        self.history: tuple[Response, ...] = ()
        self.attempts: tuple[Attempt, ...] = ()
        self._raw = raw
        self._marks = marks
        self._body: Body | object = None
        self._ended = False

    @classmethod
    def made(
        cls, request: Request, status: int = 200, headers: HeadersInit = (), content: bytes = b""
    ) -> ResponseStream:
        """An answer to ``request`` that came over no connection: for middlewares that have kept one, or make one up.

        ``content`` (bytes) is the body as it would be transferred, with the codings that ``headers`` name.
        """
        now = time.monotonic
        raw = MadeResponse(status, headers, content)
        return cls(request, cast("AsyncHTTPResponse", raw), (now, now(), raw.marks, now()))

    def __repr__(self) -> str:
        asked = f"{self.request.method} {shown_url(self.request.url_text)}"
        return f"<{type(self).__name__} [{self.status} {self.reason}] {asked}>"

    # -- the head ----------------------------------------------------------------------------------------------------

    @property
    def ok(self) -> bool:
        """Whether the status tells of no error: it is below 400."""
        return self.status < 400

    @property
    def headers(self) -> Headers:
        """The header fields: names without case, in the order in which they came."""
        return self._raw.headers

    def field(self, name: str) -> str | None:
        """The first value of a header field; it costs less than ``headers``."""
        return self._raw.head.get(name)

    @property
    def sets_cookies(self) -> bool:
        """Whether there is a Set-Cookie field."""
        return self._raw.head.sets_cookies

    @property
    def method(self) -> str:
        """The method of the request."""
        return self.request.method

    @property
    def url(self) -> URL:
        """The URL that was asked for last, with the fragment that goes with it."""
        return self.request.whole_url

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """The links of the ``Link`` field (RFC 8288), by relation."""
        return parse_links(self.headers.getall("Link", ()), self.request.url_text)

    @property
    def encoding(self) -> str | None:
        """The character encoding that Content-Type declares; None: it declares none that Python knows."""
        return charset_of(self.field("Content-Type"))

    @property
    def length(self) -> int | None:
        """Bytes of the body that are to come, as it is transferred; None where only its end will tell."""
        return self._raw.length

    @property
    def trailers(self) -> Headers:
        """Fields that came after the body; empty until it was read to its end."""
        return self._raw.trailers

    @property
    def timings(self) -> Timings:
        """What took how long so far."""
        return timings_of(self._marks, None)

    async def raise_for_status(self) -> Self:
        """The response itself, unless its status tells of an error.

        :raises StatusError: it is 400 or above; its ``response`` has the body, where that is not longer than ``REST``
        """
        if self.status >= 400:
            raise StatusError(await self.shortened(REST))
        return self

    # -- the body ----------------------------------------------------------------------------------------------------

    def iter_raw(self, size: int | None = None) -> Blocks:
        """The body as it is transferred, codings and all, in blocks of ``size`` bytes, or as they come.

        :raises BodyTooLarge: it has more than ``max_body`` bytes
        :raises IncompleteRead: the peer ended it early
        """
        return Blocks(self, False, size)

    def iter_bytes(self, size: int | None = None) -> Blocks:
        """The decoded body, in blocks of ``size`` bytes each but the last, or as they come.

        :raises BodyTooLarge: it has more than ``max_body`` bytes
        :raises DecodingError: a content coding is broken, cut short, or not known
        :raises IncompleteRead: the peer ended the body early
        """
        return Blocks(self, True, size)

    async def iter_text(self, encoding: str | None = None) -> AsyncIterator[str]:
        """The body as text, as it comes; in ``encoding``, else in what Content-Type or a byte order mark says."""
        decoder = TextDecoder(self.field("Content-Type"), encoding=encoding)
        async for block in self.iter_bytes():
            if text := decoder.feed(block):
                yield text
        if text := decoder.finish():
            yield text

    async def iter_lines(self, encoding: str | None = None) -> AsyncIterator[str]:
        """The lines of the text, without their ends."""
        splitter = LineSplitter()
        async for piece in self.iter_text(encoding):
            for line in await self._within(splitter.feed, piece):
                yield line
        for line in splitter.finish():
            yield line

    async def iter_events(self) -> AsyncIterator[ServerSentEvent]:
        """The server-sent events of a ``text/event-stream``; ``client.events`` also connects again."""
        parser = EventParser()
        async for piece in self.iter_text("utf-8"):
            for event in await self._within(parser.feed, piece):
                yield event

    async def read(self) -> bytes:
        """The whole body, decoded, or what is left of it; see :meth:`iter_bytes` for what it raises."""
        try:
            content = await self._rest()
        except BaseException as error:
            self._failed(error)
            raise
        if self.request.settings.tell is not None:
            self._tell(EventKind.RECEIVED)
        return content

    async def text(self, encoding: str | None = None) -> str:
        """The whole body as text."""
        return "".join([piece async for piece in self.iter_text(encoding)])

    async def json(self, loads: Callable[[bytes], Any] | None = None) -> Any:
        """What the whole body says, as JSON.

        :raises ValueError: it is not JSON
        """
        return (self.request.settings.json_loads if loads is None else loads)(await self.read())

    async def complete(self) -> Response:
        """The response with its body, read and decoded."""
        try:
            content = await self._rest()
        except BaseException as error:
            self._failed(error)
            raise
        if self.request.settings.tell is not None:
            self._tell(EventKind.RECEIVED)
        return self._with(content)

    async def shortened(self, limit: int) -> Response:
        """The response with its body if that has at most ``limit`` bytes, and comes soon; else without, and closed.

        Without it, too, if it was read before.
        """
        parts: list[bytes] = []
        if self._body is READ:
            return self._with(b"")
        ended, self._ended = self._ended, True  # the request has not failed where this does
        try:
            with contextlib.suppress(HTTPException, OSError):
                async with asyncio.timeout(REST_SECONDS):
                    async for block in self.iter_bytes():
                        limit -= len(block)
                        if limit < 0:
                            break
                        parts.append(block)
                    else:
                        return self._with(b"".join(parts))
        finally:
            self._ended = ended
            self._left()
        await self.close()
        return self._with(b"")

    async def release(self) -> None:
        """Give up the body: a short rest that comes soon is read, and the connection kept; else it is closed."""
        raw = self._raw
        self._body = READ
        left = REST
        try:
            if not raw.isclosed() and (raw.length or 0) <= left:
                with contextlib.suppress(HTTPException, OSError):
                    async with asyncio.timeout(REST_SECONDS):
                        while left > 0 and (block := await raw.read1(left)):
                            left -= len(block)
        finally:
            self._left()
        await raw.close()

    async def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        self._body = READ
        if self.request.settings.tell is not None:
            self._left()
        await self._raw.close()

    def abort(self) -> None:
        """The same now, without waiting for anything."""
        self._body = READ
        self._left()
        self._raw.abort()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _with(self, content: bytes) -> Response:
        raw = self._raw
        received = self._marks[0]()
        trailers = raw.trailers if raw.chunked else None
        return Response(self.request, raw.head, content, self._marks, received, self.history, self.attempts, trailers)

    def _rest(self) -> Coroutine[Any, Any, bytes]:
        """All that is left; where there is nothing to decode or to bound, by the shortest way."""
        raw, limit = self._raw, self.request.settings.max_body
        if self._body is None and not raw.head.is_coded and (limit is None or 0 <= (raw.length or -1) <= limit):
            self._body = READ
            return raw.read()
        return self._joined(limit)

    async def _joined(self, limit: int | None) -> bytes:
        raw, coding = self._raw, self._coding
        if self._body is None and coding is not None and "," not in coding and 0 < (raw.length or 0) <= SMALL:
            self._body = READ
            return decode(coding, await raw.read(), limit)
        return b"".join([block async for block in self.iter_bytes()])

    @property
    def _coding(self) -> str | None:
        """The content codings, in the order in which they were applied; they may be spread over several lines."""
        if not self._raw.head.is_coded:
            return None
        return ", ".join(self.headers.getall("Content-Encoding"))

    def _body_of(self, decoded: bool) -> Body:
        """The body, from which only one of its two forms can be read, and only once.

        :raises RuntimeError: it was read, or begun in the other form
        """
        if self._body is None:
            decoder = decoder_for(self._coding) if decoded else None
            self._decoded = decoded
            self._body = Body(self._raw, decoder, self.request.settings.max_body)
        elif self._body is READ or self._decoded is not decoded:
            raise RuntimeError("the body was read or closed already, or is being read in its other form")
        return cast("Body", self._body)

    async def _next(self, decoded: bool, size: int | None) -> bytes:
        try:
            body = self._body_of(decoded)
            block = await (body.some() if size is None else body.exactly(size))
        except ConcurrentUse:
            raise  # another task reads, and goes on
        except GeneratorExit:
            self.abort()  # nothing may be awaited any more
            raise
        except BaseException as error:
            self._body = READ
            await self._raw.close()
            self._failed(error)
            raise
        if not block:
            self._body = READ
            if self.request.settings.tell is not None:
                self._tell(EventKind.RECEIVED)
        return block

    async def _within(self, feed: Callable[[str], list[T]], piece: str) -> list[T]:
        """What ``feed`` makes of ``piece``; what is too long closes the connection."""
        try:
            return feed(piece)
        except LimitExceeded as error:
            self._body = READ
            await self._raw.close()
            self._failed(error)
            raise

    def _left(self) -> None:
        """Nothing more is going to be read: either the body has come to its end, or it never does."""
        self._tell(EventKind.RECEIVED if self._raw.complete else EventKind.GIVEN_UP)

    def _tell(self, kind: EventKind, detail: str = "") -> None:
        """Tell whoever listens how it ended with the body, if that was not told before."""
        tell = self.request.settings.tell
        if tell is not None and not self._ended:
            self._ended = True
            received = self._marks[0]() if kind is EventKind.RECEIVED else None
            tell(kind, self.request, detail, timings_of(self._marks, received))

    def _failed(self, error: BaseException) -> None:
        """Reading has failed: let ``error`` say which request it is about, if it does not by itself."""
        if isinstance(error, ConcurrentUse):
            return
        self._tell(EventKind.FAILED, type(error).__name__)
        note = f"{self.request.method} {shown_url(self.request.url_text)}"
        noted = isinstance(error, PhaseTimeout) or note in getattr(error, "__notes__", ())
        if isinstance(error, Exception) and not noted:
            error.add_note(note)


class Blocks:
    """The blocks of a body, for ``async for``. To stop early closes nothing: that is up to the stream."""

    __slots__ = ("_decoded", "_ended", "_size", "_stream")

    def __init__(self, stream: ResponseStream, decoded: bool, size: int | None) -> None:
        if size is not None and size <= 0:
            raise ValueError(f"size must be greater than zero, got {size!r}")
        self._stream = stream
        self._decoded = decoded
        self._size = size
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        block = await self._stream._next(self._decoded, self._size)  # noqa: SLF001  # the other half of it
        if not block:
            self._ended = True
            raise StopAsyncIteration
        return block
