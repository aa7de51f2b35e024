"""Expectations that cannot be met: what is sent then (RFC 9110 section 10.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._auth import is_replayable

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from .._pipeline import Handler
    from .._request import Request
    from .._stream import ResponseStream


class ExpectationsMiddleware:
    """Sends a request once more, without ``Expect: 100-continue``, where that is answered with 417.

    That answer says nothing about the request, only that somebody on the way knows no expectations. To wait for 100,
    and not to send the body where another answer comes instead, is for the connection.

    A request whose body can be sent only once is not sent again: the 417 is the answer.
    """

    __slots__ = ()

    def __call__(self, request: Request, call_next: Handler) -> Awaitable[ResponseStream]:
        """Send ``request``."""
        if request.payload is None or not expects(request):
            return call_next(request)
        return self.expecting(request, call_next)

    async def expecting(self, request: Request, call_next: Handler) -> ResponseStream:
        """Send ``request``, which expects 100, and if need be one that does not."""
        stream = await call_next(request)
        if stream.status != 417 or not is_replayable(request):
            return stream
        await stream.release()
        request = request.copy()
        del request.headers["Expect"]
        return await call_next(request)


def expects(request: Request) -> bool:
    """Whether a request has the expectation that it is answered with 100 before its body is sent."""
    if request.only_block:
        return request.block.plan.expects
    return "100-continue" in request.headers.get("Expect", "").lower()
