"""The connections of a pool: the ones it keeps, and the ones it leases.

A kept connection carries requests of the pool's own. For a lease its stream is moved to a new connection, made for one
holder and one ``async with`` block, and moved back after it: so a holder that keeps the object has nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..connection import AsyncHTTPConnection, AsyncHTTPResponse, AsyncHTTPSConnection
from ..errors import LeaseEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from .._headers import HeadersInit
    from ..connection import Plan
    from ..net import StreamProtocol, Tell
    from ..timeouts import Timeout
    from ._slot import Slot


FOR_PROXY = "Proxy-Authorization is made from the URL of the proxy; an origin must not see it"


class PooledResponse(AsyncHTTPResponse):
    """A response that gives its connection up when it is forgotten before it was read to its end."""

    __slots__ = ("__weakref__",)

    def __del__(self) -> None:
        if self._body is not None:
            self._body = None
            # The collector may run anywhere, in the middle of a decision of the pool or in another thread.
            loop = self._stream.loop
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._exchange.abort)


class SessionKeeper(AsyncHTTPConnection):
    """A connection of a pool, which is told when there may be a TLS session to keep."""

    def keep_session(self) -> None:
        """Nothing, without TLS."""


class PooledConnection(SessionKeeper):
    """A connection that the pool keeps."""

    response_class = PooledResponse
    keeps_response = False  # else a response that nobody reads would never be forgotten
    may_switch = False  # nobody could get hold of the stream
    slot: Slot

    def __del__(self) -> None:
        """The pool says when it was not closed; one warning is enough."""


class PooledTLSConnection(AsyncHTTPSConnection, PooledConnection):
    """A connection over TLS that the pool keeps."""

    response_class = PooledResponse
    keeps_response = False


class LeasedConnection(SessionKeeper):
    """A connection of a pool, for as many exchanges as its holder wants, until the end of its ``async with`` block.

    It is opened again by itself if the server closes it between two exchanges, and counts as one connection all the
    time.
    """

    permitted: Callable[[], Tell | None]
    """Asks the pool whether a stream may be opened, and what is to be told of that; it raises ``PoolClosed`` if not."""

    opened: Callable[[StreamProtocol], None]
    """Tells the pool of a stream that was opened."""

    ended: bool = False
    deadline: float | None = None
    """The time of the loop at which the clock that the lease was made with runs out."""

    prefix: str = ""
    """What stands before the path of a target that a proxy forwards."""

    told: float | None = None
    """What the server said last about how long it keeps an idle connection."""

    def end(self) -> StreamProtocol | None:
        """End the lease: the stream, if it is fit for others; else the connection is closed now."""
        self.ended = True
        stream = self.surrender()
        if stream is None:
            self.abort()
        return stream

    async def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: HeadersInit = {},  # noqa: B006  # http.client's signature; it is never changed
        *,
        encode_chunked: bool = False,
    ) -> None:
        await super().request(method, self._target_for(url), body, headers, encode_chunked=encode_chunked)

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        super().putrequest(method, self._target_for(url), skip_host, skip_accept_encoding)

    def _target_for(self, url: str) -> str:
        url = url or "/"
        return self.prefix + url if url.startswith("/") else url

    def start(
        self,
        method: str,
        target: str,
        head: bytes,
        body: Any,
        plan: Plan,
        timeout: Timeout,
        deadline: float | None,
        whole: bool = True,
    ) -> Coroutine[Any, Any, None] | None:
        """As in the base, for requests that an origin may see."""
        if plan.for_proxy:
            raise ValueError(FOR_PROXY)
        return super().start(method, target, head, body, plan, timeout, deadline, whole)

    def _until(self, total: float) -> float:
        until = super()._until(total)
        return until if self.deadline is None else min(until, self.deadline)

    def response_complete(self, response: AsyncHTTPResponse) -> None:
        super().response_complete(response)
        self.told = response.head.keep_alive

    async def _open(self, tell: Tell | None = None) -> StreamProtocol:
        if self.ended:
            raise LeaseEnded("this connection was leased from a pool, and its `async with` block is over")
        stream = await super()._open(self.permitted())
        self.opened(stream)
        return stream


class LeasedTLSConnection(AsyncHTTPSConnection, LeasedConnection):
    """The same over TLS."""
