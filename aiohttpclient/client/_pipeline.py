"""The way of a request through the client, and its order.

A *handler* takes a request and gives the head of an answer. A *middleware* is given the request and the handler behind
it; it may change the request (a copy, once it was sent), answer by itself, or send several times::

    async def timed(request: Request, call_next: Handler) -> ResponseStream:
        started = time.monotonic()
        stream = await call_next(request)
        log.info("%s took %.3f s", request.url, time.monotonic() - started)
        return stream

What it gives up of the answers that it was given it must ``release``; an answer of its own is
:meth:`ResponseStream.made`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final, TypeAlias

from ._request import Request
from ._stream import ResponseStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Handler: TypeAlias = Callable[[Request], Awaitable[ResponseStream]]
"""Sends a request, and gives the answer, whose body is not read yet."""

Middleware: TypeAlias = Callable[[Request, Handler], Awaitable[ResponseStream]]
"""Stands between a client and a handler."""

ORDER: Final = (
    "redirects",  # outermost: each hop is a request of its own, with its own attempts, credentials and cookies
    "retries",  # a hop is repeated, not the way that led there
    "expectations",  # an attempt that is repeated without them is one; it is authorized anew, as nonces are counted
    "auth",  # an attempt that is asked who we are answers before it counts as failed
    "cookies",  # innermost: a 401 may set cookies, which the answer to it must carry
)
"""The client's own middlewares, outermost first; those of the caller stand before them, and see what he sees."""


def compose(middlewares: Sequence[Middleware], handler: Handler) -> Handler:
    """One handler: ``middlewares``, the outermost first, around ``handler``."""
    for middleware in reversed(middlewares):
        handler = _around(middleware, handler)
    return handler


def in_order(own: Mapping[str, Middleware], given: Sequence[Middleware]) -> list[Middleware]:
    """All middlewares of a client: those that it was given, and its own in their order."""
    return [*given, *(own[name] for name in ORDER if name in own)]


def _around(middleware: Middleware, handler: Handler) -> Handler:
    return lambda request: middleware(request, handler)
