"""Requests that are answered whole, and the short way of those with which no middleware has anything to do.

Theory of operation
-------------------
Auth and cookies are written into a request before it is sent; redirects, attempts and cookies come of its answer. Most
requests have none of the first, and most answers cause none of the second: they would pass through all middlewares
unchanged. Such a request is sent before anybody is asked. If its answer is remarkable, or there is none, the
middlewares are given the request after all, and find that answer where they send it for the first time. So what comes
of a request is decided in one place, whichever way it goes.

An answer that came in one piece becomes a :class:`Response` at once; its connection is free by then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ..net import clock_of
from ._made import HeldResponse
from ._pipeline import compose
from ._response import Response
from ._sending import opened
from ._stream import ResponseStream
from .middlewares import SPENT

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Sequence

    from ..connection import AsyncHTTPResponse, WholeResponse
    from ..pool import ConnectionPool
    from ._cookies import CookieJar
    from ._pipeline import Handler, Middleware
    from ._request import Request
    from .middlewares import RetriesMiddleware


class CompleteSender:
    """Sends requests, and gives their answers complete.

    :param sender: the innermost handler
    :param middlewares: all of a client, outermost first; of them ``retries`` counts every request
    :param jar: whose cookies go with every request
    :param direct: whether the short way may be taken: there are no middlewares but the client's own, and no proxy asks
        who we are

    ``pipeline`` is the long way, whose answers are still to be read.
    """

    __slots__ = ("_direct", "_jar", "_middlewares", "_now", "_pool", "_retries", "_sender", "pipeline")

    def __init__(
        self,
        pool: ConnectionPool,
        loop: AbstractEventLoop,
        sender: Handler,
        middlewares: Sequence[Middleware],
        retries: RetriesMiddleware,
        jar: CookieJar,
        *,
        direct: bool,
    ) -> None:
        self._pool = pool
        self._now = clock_of(loop)
        self._sender = sender
        self._middlewares = middlewares
        self.pipeline = compose(middlewares, sender)
        self._retries = retries
        self._jar = jar
        self._direct = direct

    async def __call__(self, request: Request) -> Response:
        """The answer to ``request``; for what is raised see :meth:`AsyncHTTPClient.request`."""
        settings = request.settings
        if self._jar or not (settings.is_plain and self._direct):
            return await (await self.pipeline(request.unshared())).complete()
        started = self._now()
        try:
            body, fields = (None, request.fields) if request.payload is None else opened(request)
            answer = await self._pool.request(
                request.method, request.url_text, body, fields, settings.timeout, whole=True
            )
        except Exception as error:  # noqa: BLE001  # the middlewares raise it, or send again
            request = request.unshared()
            handler = Resumed(self._sender, error)
        else:
            head = answer[0] if isinstance(answer, tuple) else answer.head
            retries = settings.retries
            if head.is_plain and (retries is None or head.status not in retries.on_status):
                if retries is not None:
                    self._retries.count(retries)
                if isinstance(answer, tuple) and not head.is_coded and settings.max_body is None:
                    _, content, marks = answer
                    now = self._now()
                    return Response(request, head, content, (self._now, started, marks, now), now)
                return await self._stream(request.unshared(), answer, started).complete()
            request = request.unshared()
            handler = Resumed(self._sender, self._stream(request, answer, started))
        if settings.retries is not None and settings.retries.attempts > 1:  # else nobody would take it away again
            request.extensions[SPENT] = self._now() - started
        return await (await compose(self._middlewares, handler)(request)).complete()

    def _stream(self, request: Request, answer: AsyncHTTPResponse | WholeResponse, started: float) -> ResponseStream:
        raw = cast("AsyncHTTPResponse", HeldResponse(*answer)) if isinstance(answer, tuple) else answer
        return ResponseStream(request, raw, (self._now, started, raw.marks, self._now()))


class Resumed:
    """Sends requests, the first of which was sent already, with an answer or an error as its ``outcome``."""

    __slots__ = ("_outcome", "_sender")

    def __init__(self, sender: Handler, outcome: ResponseStream | Exception) -> None:
        self._sender = sender
        self._outcome: ResponseStream | Exception | None = outcome

    async def __call__(self, request: Request) -> ResponseStream:
        """The outcome, if it was not given away yet; else what comes of sending ``request``."""
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            return await self._sender(request)
        if isinstance(outcome, ResponseStream):
            return outcome
        try:
            raise outcome
        finally:
            del outcome  # whose traceback leads to this frame
