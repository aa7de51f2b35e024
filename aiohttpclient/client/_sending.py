"""The innermost handler: a request becomes an exchange of the pool."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..net import clock_of
from ._events import EventKind
from ._stream import ResponseStream

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable
    from typing import Any

    from .._headers import Headers
    from ..connection import AsyncHTTPResponse, FieldBlock
    from ..pool import ConnectionPool
    from ._events import Teller
    from ._payloads import Payload
    from ._request import Request


class Sender:
    """Sends requests through ``pool``, on ``loop``; what it is called with is sent as it is."""

    __slots__ = ("_now", "_pool")

    def __init__(self, pool: ConnectionPool, loop: AbstractEventLoop) -> None:
        self._pool = pool
        self._now = clock_of(loop)

    async def __call__(
        self,
        request: Request,
        proxy_authorization: str | None = None,
        ask: Callable[..., Awaitable[AsyncHTTPResponse]] | None = None,
    ) -> ResponseStream:
        """The answer to ``request``; ``ask`` stands for :meth:`ConnectionPool.request`, which says what is raised."""
        body, fields = opened(request)
        tell = request.settings.tell
        on_sent = None
        if tell is not None:
            tell(EventKind.SENDING, request)
            on_sent = partial(tell_sent, tell, request)
        started = self._now()
        try:
            raw = await (self._pool.request if ask is None else ask)(
                request.method,
                request.url_text,
                body,
                fields,
                request.settings.timeout,
                proxy_authorization=proxy_authorization,
                on_sent=on_sent,
            )
        except BaseException as error:
            if tell is not None:
                tell(EventKind.FAILED, request, type(error).__name__)
            raise
        stream = ResponseStream(request, raw, (self._now, started, raw.marks, self._now()))
        if tell is not None:
            tell(EventKind.ANSWERED, request, f"{stream.status} {stream.reason}", stream.timings, raw.head)
        return stream


def tell_sent(tell: Teller, request: Request, whole: bool) -> None:
    """Tell that ``request`` was written, or as much of it as the server has waited for."""
    tell(EventKind.SENT, request, "" if whole else "not to its end, because the answer came before")


def opened(request: Request) -> tuple[Any, Headers | FieldBlock]:
    """Body and fields as the pool takes them."""
    payload = request.payload
    if payload is None:
        return None, request.fields
    body = payload.open()
    return body, fields_with(request, payload, body)


def fields_with(request: Request, payload: Payload, body: Any) -> Headers | FieldBlock:
    """The fields of a request, and those that its body implies, where the caller has not given them."""
    kind, length = payload.content_type, payload.length
    # Of bytes the connection knows the length; it would send everything else in chunks, as http.client does.
    told = length is not None and not isinstance(body, (bytes, bytearray, memoryview))
    if not told and request.only_block:
        block = request.block if kind is None else request.block.with_type(kind)
        if block is not None:
            return block
    headers = request.headers.copy()
    if kind is not None:
        headers.setdefault("Content-Type", kind)
    if told and "Transfer-Encoding" not in headers:
        headers.setdefault("Content-Length", str(length))
    return headers
