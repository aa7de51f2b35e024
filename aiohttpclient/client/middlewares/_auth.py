"""Authentication: a request that says who we are, and the answer when that is asked (RFC 9110 section 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from ...pool import TimeoutManager

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .._auth import Auth
    from .._pipeline import Handler
    from .._request import Request
    from .._stream import ResponseStream

T = TypeVar("T")

ATTEMPTS: Final = 3
"""How often one request is sent at most for the sake of authentication. Two are the rule: one that is refused, and the
answer. A third is needed where that is answered with a nonce that has just run out; more than that is no accident."""


class AuthMiddleware:
    """Lets ``request.auth`` write the ``Authorization`` field, and send the request again where a 401 can be answered.

    Without ``auth``, and with an ``Authorization`` field of the caller's own, which wins, the request passes as it is.
    (A field of the client's, over which ``auth`` of the request wins, is gone by then.)
    Otherwise what is sent is a copy: the one that was given never has credentials in it that were made here.

    A request whose body can be sent only once is not sent again: the 401 is the answer. What there is to learn from it
    is learned all the same, so that the next request is more fortunate.

    The total of a request holds for what ``auth`` does on its behalf as well.

    :param has_room: whether the pool has a connection for another request to a URL; without it, it always has
    """

    __slots__ = ("_has_room",)

    def __init__(self, has_room: Callable[[str], bool] | None = None) -> None:
        self._has_room = has_room

    def __call__(self, request: Request, call_next: Handler) -> Awaitable[ResponseStream]:
        """Send ``request``; what ``auth`` raises passes."""
        auth = request.settings.auth
        if auth is None or "Authorization" in request.headers:
            return call_next(request)
        return self.authorized(auth, request, call_next)

    async def authorized(self, auth: Auth, request: Request, call_next: Handler) -> ResponseStream:
        """Send ``request`` with what ``auth`` says."""
        left = ATTEMPTS if is_replayable(request) else 1
        while True:
            request = request.copy()
            await in_time(request, auth.authorize(request))
            stream = await call_next(request)
            left -= 1
            if not await or_closed(stream, self._wants_another(auth, request, stream)) or not left:
                return stream
            await stream.release()

    async def _wants_another(self, auth: Auth, request: Request, stream: ResponseStream) -> bool:
        """Let ``auth`` look at the answer, and say whether the request should be sent again."""
        if stream.status == 401:
            # It may have to ask somebody, which takes a connection; there may be no other one.
            blocks = not (await stream.hold() or self._has_room is None or self._has_room(request.url_text))
            return await in_time(request, verdict(auth, request, stream, blocks))
        accepted = getattr(auth, "accepted", None)
        if accepted is not None:
            accepted(request, stream)
        return False


def is_replayable(request: Request) -> bool:
    """Whether a request can be sent more than once."""
    return request.payload is None or request.payload.replayable


async def verdict(auth: Auth, request: Request, stream: ResponseStream, blocks: bool) -> bool:
    """What ``auth`` says to a 401: whether the request should be sent again.

    ``blocks``: whoever is asked now waits for the connection of ``stream``. That is given up before ``request`` is sent
    again, and not before it is known that it will be: else nobody could read this answer.
    """
    refused = getattr(auth, "refused", None) if blocks else None
    return await auth.answer(request, stream) if refused is None else bool(refused(request, stream))


def in_time(request: Request, work: Awaitable[T]) -> Awaitable[T]:
    """``work`` within the total of ``request``, if that has one; nothing else bounds what an auth does."""
    clock = request.settings.timeout
    if isinstance(clock, TimeoutManager):
        return clock.wait_for(work, request.method, request.url_text)
    return work


async def or_closed(stream: ResponseStream, verdict: Awaitable[bool]) -> bool:
    """``verdict`` on ``stream``, which is closed if that fails: nobody else knows of it yet."""
    try:
        return await verdict
    except GeneratorExit:
        stream.abort()
        raise
    except BaseException:
        await stream.close()
        raise
