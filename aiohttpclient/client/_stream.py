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
from typing import TYPE_CHECKING, Any, Final, cast

from ..errors import HTTPException, StatusError
from ._events import EventKind
from ._made import BegunResponse, MadeResponse
from ._reading import READ, Blocks, Reading
from ._response import Response
from ._sse import EventParser
from ._text import LineSplitter, TextDecoder, charset_of
from ._timings import timings_of
from ._watched import WatchedResponse

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType
    from typing import Self

    from .._headers import Headers, HeadersInit
    from ..connection import AsyncHTTPResponse
    from ._request import Request
    from ._sse import ServerSentEvent
    from ._timings import Timings

REST: Final = 64 * 1024
"""Bytes of a body that nobody wants which are read all the same: a new connection costs more than that."""

REST_SECONDS: Final = 1.0
"""Seconds in which they must come, for the same reason: whoever redirects, or fails, is slow to say no more."""


class ResponseStream(Reading):
    """The head of a response, and the way to its body.

    ``request`` (:class:`Request`), ``status`` (int), ``reason`` (str), ``version`` (10 or 11), ``history`` (tuple of
    :class:`Response`: the redirects before) and ``attempts`` (tuple of :class:`Attempt`: what was tried, this included,
    if it was more than once).

    ``async with client.stream(...)`` gives one, and closes it: with the body read to its end the connection is free for
    others, and closed otherwise.
    """

    __slots__ = ()

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

    # -- the head ----------------------------------------------------------------------------------------------------

    def field(self, name: str) -> str | None:
        """The first value of a header field; it costs less than ``headers``."""
        return self._head.get(name)

    @property
    def sets_cookies(self) -> bool:
        """Whether there is a Set-Cookie field."""
        return self._head.sets_cookies

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

    def watch(self, seen: Callable[[bytes], object], ended: Callable[[], object]) -> None:
        """Let somebody see the body as it is transferred, whoever reads it.

        ``seen`` is called with each block of it, in a thread if that is long; ``ended`` when it was read to its end,
        which may be now. What that raises is raised to who reads. A body that somebody has begun to read is not shown.
        """
        if self._body is not None:
            return
        if self._raw.complete:
            ended()
        else:
            self._raw = cast("AsyncHTTPResponse", WatchedResponse(self._raw, seen, ended))

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
        async for block in self.iter_bytes():
            for event in await self._within(parser.feed_bytes, block):
                yield event

    async def read(self) -> bytes:
        """The whole body, decoded, or what is left of it; see :meth:`iter_bytes` for what it raises."""
        try:
            content = await self._rest()
        except BaseException as error:
            self._failed(error)
            raise
        if self._request.settings.tell is not None:
            self._tell(EventKind.RECEIVED)
        return content

    async def text(self, encoding: str | None = None) -> str:
        """The whole body as text."""
        return "".join([piece async for piece in self.iter_text(encoding)])

    async def json(self, loads: Callable[[bytes], Any] | None = None) -> Any:
        """What the whole body says, as JSON.

        :raises ValueError: it is not JSON
        """
        return (self._request.settings.json_loads if loads is None else loads)(await self.read())

    async def complete(self) -> Response:
        """The response with its body, read and decoded."""
        try:
            content = await self._rest()
        except BaseException as error:
            self._failed(error)
            raise
        if self._request.settings.tell is not None:
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

    async def hold(self) -> bool:
        """Take in the body, if it is short and comes soon, so that its connection is free; it is still to be read.

        For whoever has more to ask before it is clear what becomes of this answer: a request that waits for another one
        should not keep from it the connection that it needs. A body that fails meanwhile fails when it is read.

        Whether the connection is free; the rest of a body that is too long, or late, still needs it.
        """
        raw, left = self._raw, REST
        if self._body is not None or raw.isclosed() or (raw.length or 0) > left:
            return raw.isclosed()
        now = self._marks[0]
        end = now() + REST_SECONDS
        parts: list[bytes] = []
        with contextlib.suppress(HTTPException, OSError):
            while left > 0 and (wait := end - now()) > 0 and (part := await raw.read_soon(left, wait)):
                parts.append(part)
                left -= len(part)
        if parts:
            self._raw = cast("AsyncHTTPResponse", BegunResponse(raw, b"".join(parts)))
        return raw.isclosed()

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
