"""Who we are to a proxy: an :class:`Auth` like any other, asked by 407 instead of 401 (RFC 9110 section 11.7).

Theory of operation
-------------------
An :class:`Auth` knows ``Authorization`` and ``WWW-Authenticate``; a proxy has other names for them. So what an auth is
shown here is not the request on its way, but one that was made for it: its URL is that of the proxy, whose protection
space is all of the proxy; what really stands in the first line is the note :data:`TARGET`; and the field that the auth
writes into it is read, and handed on as a value. It is never among the fields of a request that an origin could get:
the pool sends that value to a proxy, or refuses to.

A :class:`Turn` is that for one request to a proxy: one that it forwards, which is sent here, or the CONNECT of a
tunnel, which the pool sends when it opens a connection.

By then it has taken room for that connection, and the time for connecting runs. So an auth that may have to ask
somebody (a token that is fetched) is asked before, and where a 407 shows that it has to be asked again, the room is
given back for as long as that takes: see :class:`TunnelTurn`. Only where it has to be: the second CONNECT may need the
connection of the first, and there are proxies for which it must be the same. A lease, which is no request, and
opens tunnels by itself, does without: there the token is waited for with a connection in hand.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from ..errors import TunnelError
from ._auth import TARGET
from ._request import Request
from ._stream import ResponseStream
from .middlewares import ATTEMPTS, in_time, is_replayable, or_closed, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._headers import Headers
    from ..connection import AsyncHTTPResponse
    from ..pool import ConnectionPool, Proxy
    from ._auth import Auth
    from ._payloads import Payload
    from ._sending import Sender

AS_ORIGIN: Final = {"Proxy-Authenticate": "WWW-Authenticate", "Proxy-Authentication-Info": "Authentication-Info"}
"""The fields in the answer of a proxy, and what they are called in that of an origin."""


class ClientProxyAuth:
    """A pool's :class:`ProxyAuth`, made of an :class:`Auth`."""

    __slots__ = ("_auth",)

    def __init__(self, auth: Auth) -> None:
        self._auth = auth

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {type(self._auth).__name__}>"

    def begin(self, proxy: Proxy, method: str, target: str, payload: Payload | None = None) -> Turn:
        """The turn of one request, whose body is ``payload``."""
        return Turn(self._auth, request_to(proxy, method, target, payload))

    def begin_tunnel(self, proxy: Proxy, target: str, has_room: Callable[[], bool]) -> TunnelTurn | None:
        """The turn of a CONNECT for one request; None where the auth asks nobody, and :meth:`begin` does as well.

        :param has_room: whether the pool has a connection for somebody else
        """
        if not hasattr(self._auth, "refused"):
            return None
        return TunnelTurn(self._auth, request_to(proxy, "CONNECT", target), has_room)


def request_to(proxy: Proxy, method: str, target: str, payload: Payload | None = None) -> Request:
    """What an auth is shown of a request to ``proxy``."""
    request = Request(method, f"{proxy.url}/", payload=payload)
    request.extensions[TARGET] = target
    return request


class Turn:
    """A pool's :class:`ProxyTurn`: one request to a proxy, sent at most :data:`ATTEMPTS` times."""

    __slots__ = ("_auth", "_left", "_request")

    def __init__(self, auth: Auth, request: Request) -> None:
        self._auth = auth
        self._request = request
        self._left = ATTEMPTS

    async def credentials(self) -> str | None:
        """The value of ``Proxy-Authorization`` for the next attempt; what the auth raises passes."""
        self._request = request = self._request.copy()
        request.headers.popall("Authorization", None)
        await self._auth.authorize(request)
        return request.headers.get("Authorization")

    async def refused(self, headers: Headers, blocks: bool = False) -> bool:
        """Let the auth look at a 407, and learn from it; whether there is to be another attempt.

        ``blocks``: it cannot ask anybody before the connection of this one is given up.
        """
        self._left -= 1
        return await verdict(self._auth, self._request, self._answer(401, headers), blocks) and self._left > 0

    def accepted(self, headers: Headers) -> None:
        """Let the auth look at any other answer, if it wants to."""
        accepted = getattr(self._auth, "accepted", None)
        if accepted is not None:
            accepted(self._request, self._answer(200, headers))

    def _answer(self, status: int, headers: Headers) -> ResponseStream:
        fields = [(ours, value) for name, ours in AS_ORIGIN.items() for value in headers.getall(name, ())]
        return ResponseStream.made(self._request, status, fields)


class TunnelTurn(Turn):
    """That of a CONNECT where nobody may be asked while the pool has no other connection: the auth has ``refused``.

    Then the refusal counts as final, which gives the room back, and ``again`` says that it is not.
    """

    __slots__ = ("_has_room", "again")

    def __init__(self, auth: Auth, request: Request, has_room: Callable[[], bool]) -> None:
        super().__init__(auth, request)
        self._has_room = has_room
        self.again = False

    async def prepare(self) -> None:
        """Let the auth ask whom it has to ask; what it raises passes."""
        self.again = False
        await self._auth.authorize(self._request.copy())

    async def refused(self, headers: Headers, blocks: bool = False) -> bool:
        """As in the base, but False also where the next attempt has to be :meth:`prepare`d."""
        blocks = blocks or not self._has_room()
        again = await super().refused(headers, blocks)
        self.again = again and blocks
        return again and not blocks


class ProxySender:
    """Sends requests, and answers the proxies that forward them; a handler, in the place of the :class:`Sender`.

    A request that goes to its origin, directly or through a tunnel, passes as it is: no 407 that comes back is
    answered, since it is not from a proxy of ours. One whose body can be sent only once is not sent again: the 407 is
    the answer; what there is to learn from it is learned, so that the next request is more fortunate.
    """

    __slots__ = ("_auth", "_pool", "_send")

    def __init__(self, send: Sender, pool: ConnectionPool, auth: ClientProxyAuth) -> None:
        self._send = send
        self._pool = pool
        self._auth = auth

    async def __call__(self, request: Request) -> ResponseStream:
        """The answer to ``request``."""
        forwarded = self._pool.forwarded(request.url_text)
        if forwarded is None:
            return await self._send_past(request)
        proxy, target = forwarded
        turn = self._auth.begin(proxy, request.method, target, request.payload)
        while True:
            stream = await self._send(request, await in_time(request, turn.credentials()))
            again = await or_closed(stream, self._wants_another(turn, request, stream))
            if not (again and is_replayable(request)):
                return stream
            await stream.release()
            request = request.copy()

    async def _send_past(self, request: Request) -> ResponseStream:
        """Send what no proxy gets to see; one may get to see the CONNECT before it."""
        tunnelled = self._pool.tunnelled(request.url_text)
        if tunnelled is None:
            return await self._send(request)
        turn = self._auth.begin_tunnel(*tunnelled, partial(self._pool.has_room, request.url_text))
        if turn is None:
            return await self._send(request)
        await in_time(request, turn.prepare())
        return await self._send(request, ask=partial(self._ask, request, turn))

    async def _ask(self, request: Request, turn: TunnelTurn, *given: Any, **options: Any) -> AsyncHTTPResponse:
        """As :meth:`ConnectionPool.request`: once more, as if for the first time, where ``turn`` was put off."""
        while True:
            try:
                response: AsyncHTTPResponse = await self._pool.request(*given, proxy_turn=turn, **options)
            except TunnelError:
                if not turn.again:
                    raise
            else:
                return response
            await in_time(request, turn.prepare())

    async def _wants_another(self, turn: Turn, request: Request, stream: ResponseStream) -> bool:
        """Let ``turn`` look at the answer, and say whether the request should be sent again."""
        if stream.status == 407:
            blocks = not (await stream.hold() or self._pool.has_room(request.url_text))  # see the middleware for auth
            return await in_time(request, turn.refused(stream.headers, blocks))
        turn.accepted(stream.headers)
        return False
