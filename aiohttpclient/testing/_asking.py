"""What stands in the place of a pool's methods while interceptors are on.

A request goes down the stack: each interceptor lets it pass, or is asked over the twin of the pool; an answer is an
answer, a signal is followed. What nobody has answered at the bottom goes to the real thing.
"""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import BodyTooLarge, ConnectTimeout, PhaseTimeout, PoolFull, PoolTimeout
from ..pool import ConnectionPool, TimeoutManager, rewinder
from ..timeouts import Timeout
from ._intercepted import RealAnswer
from ._patches import STACK
from ._signals import SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from ..connection import AsyncHTTPResponse, WholeResponse
    from ..pool import Proxy
    from ._intercepted import InterceptedRequest
    from ._signals import Outcome
    from ._site import Site

    Answer: TypeAlias = AsyncHTTPResponse | WholeResponse


UNSENT = (ConnectionRefusedError, socket.gaierror, ConnectTimeout, PoolTimeout, PoolFull)
"""What a pool raises before it has a connection: after that any request may be sent again, see ``RetryPolicy``."""


class Asked(NamedTuple):
    """The parameters of a request to a pool; ``options`` are those that have no place but a name."""

    method: str
    url: str
    body: Any
    headers: Any
    timeout: Any
    options: dict[str, Any]

    async def by(self, pool: ConnectionPool, **options: Any) -> Answer:
        """The answer that the pool itself gets, with more or other ``options``."""
        method, url, body, headers, timeout, own = self
        options = own | options if options else own
        return await pool_request.original(pool, method, url, body, headers, timeout, **options)  # type: ignore[no-any-return]  # what the original returns


@STACK.patch(ConnectionPool, "request")
async def pool_request(
    self: ConnectionPool,
    method: str,
    url: str,
    body: Any = None,
    headers: Any = None,
    timeout: Any = None,
    **options: Any,
) -> Answer:
    return await ask(STACK.all, self, Asked(method, url, body, headers, timeout, options))


async def ask(sites: Sequence[Site], pool: ConnectionPool, asked: Asked, untold: bool = False) -> Answer:
    """The answer of one of those of ``sites``, the last one first, or of what ``pool`` connects to.

    :param untold: whoever asks was told that there is no proxy
    :raises BaseException: what an interceptor raises; and as :meth:`ConnectionPool.request`
    """
    rewind = rewinder(asked.body) if sites else None
    if sites:
        asked = asked._replace(timeout=one_clock(pool, asked.timeout))
    for site in reversed(sites):
        if site.is_over:
            continue
        pool.check_usable()
        twin = site.twin_of(pool)
        if site.may_pass and site.interceptor.passes(asked.method, twin.url_of(asked.url)):
            continue
        try:
            answer = await asked._replace(options=without_proxy(asked.options)).by(twin)
        except Exception as error:
            site.explain(error, asked.method, asked.url)
            raise
        outcome = SIGNALS.take(head_of(answer))
        if outcome is None:
            return answer
        if outcome.error is not None:
            describe(outcome.error, asked)
            outcome.check()
        asked = asked._replace(body=again(asked.body, rewind, outcome))
        untold = True
    if untold and pool.proxy_auth is not None and asked.options.get("proxy_authorization") is None:
        proxied = pool_forwarded.original(pool, asked.url)
        if proxied is not None:
            return await through(pool, proxied[0], proxied[1], asked)
    return await asked.by(pool)


async def through(pool: ConnectionPool, proxy: Proxy, target: str, asked: Asked) -> Answer:
    """The answer by way of a proxy that is told who asks: by us, since the client was told that there is none."""
    assert pool.proxy_auth is not None
    rewind = rewinder(asked.body)
    turn = pool.proxy_auth.begin(proxy, asked.method, target)
    while True:
        answer = await asked.by(pool, proxy_authorization=await turn.credentials())
        head = head_of(answer)
        if head.status != 407:
            turn.accepted(head.headers)
            return answer
        if not await turn.refused(head.headers) or rewind is None:
            return answer
        if not isinstance(answer, tuple):
            await answer.close()
        rewind()


def describe(error: BaseException, asked: Asked) -> None:
    """Let ``error`` say what it would if it were a pool's: of which request it is, and that nothing was sent of it."""
    if isinstance(error, UNSENT) and not hasattr(error, "unsent"):
        vars(error)["unsent"] = True
    if isinstance(error, PhaseTimeout) and error.method is None:
        error.method, error.url = asked.method, str(asked.url)


def head_of(answer: Answer) -> Any:
    """What has the status, the reason and the fields of ``answer``."""
    return answer[0] if isinstance(answer, tuple) else answer


def without_proxy(options: dict[str, Any]) -> dict[str, Any]:
    """``options`` for a pool that has no proxy."""
    return {name: option for name, option in options.items() if not name.startswith("proxy_")}


def one_clock(pool: ConnectionPool, timeout: Any) -> Any:
    """``timeout`` as it holds for everybody who is asked together, if it has a total."""
    bounds = pool.timeout if timeout is None else timeout
    return TimeoutManager(bounds) if isinstance(bounds, Timeout) and bounds.total is not None else timeout


def again(body: Any, rewind: Callable[[], object] | None, outcome: Outcome) -> Any:
    """``body`` as it is sent once more: where that is impossible, what was received of it, framed as it was."""
    if body is None:
        return None
    if rewind is not None:
        rewind()
        return body
    request = outcome.request
    assert request is not None
    return [request.body] if "Transfer-Encoding" in request.headers else request.body


async def sent_on(
    site: Site, pool: Callable[[], ConnectionPool | None], request: InterceptedRequest, max_body: int | None
) -> RealAnswer:
    """The answer of those below that of ``site``, or of what the pool connects to.

    :raises BodyTooLarge: its body has more bytes than ``max_body``
    :raises ConnectionAbortedError: the pool is gone
    """
    it = pool()
    if it is None:
        raise ConnectionAbortedError("the pool that this request belongs to is gone")
    body = request.body if "Content-Length" in request.headers or "Transfer-Encoding" in request.headers else None
    bounds = it.timeout  # how long the answer may take is the business of the caller, who waits for ours meanwhile
    patient = Timeout(pool=bounds.pool, connect=bounds.connect, write=None, read=None, min_rate=None)
    asked = Asked(request.method, request.address, body, request.headers, patient, {})
    return await read(await ask(STACK.below(site), it, asked, untold=True), max_body)


async def read(answer: Any, most: int | None) -> RealAnswer:
    """``answer``, read to its end.

    :raises BodyTooLarge: its body has more bytes than ``most``; the connection is closed
    """
    try:
        if most is not None and (answer.length or 0) > most:
            raise BodyTooLarge(most)
        body = await answer.read(None if most is None else most + 1)
        if most is not None and len(body) > most:
            raise BodyTooLarge(most)
    finally:
        await answer.close()
    version = "1.1" if answer.version == 11 else "1.0"
    return RealAnswer(answer.status, answer.reason, answer.headers.copy(), body, answer.trailers, version)


# -- the rest of a pool


def site_for(pool: ConnectionPool, url: Any) -> Site | None:
    """That of the one who is asked for ``url``; None: it passes all of them."""
    for site in reversed(STACK.all):
        if not (site.may_pass and site.interceptor.passes("", site.twin_of(pool).url_of(url))):
            return site
    return None


@STACK.patch(ConnectionPool, "connection")
def pool_connection(self: ConnectionPool, url: str, timeout: Any = None) -> Any:
    site = site_for(self, url)
    pool = self if site is None else site.twin_of(self)
    return pool_connection.original(pool, url, timeout)


@STACK.patch(ConnectionPool, "forwarded")
def pool_forwarded(self: ConnectionPool, url: str) -> tuple[Proxy, str] | None:
    return pool_forwarded.original(self, url) if site_for(self, url) is None else None


@STACK.patch(ConnectionPool, "tunnelled")
def pool_tunnelled(self: ConnectionPool, url: str) -> tuple[Proxy, str] | None:
    return pool_tunnelled.original(self, url) if site_for(self, url) is None else None


@STACK.patch(ConnectionPool, "has_room")
def pool_has_room(self: ConnectionPool, url: str) -> bool:
    site = site_for(self, url)
    pool = self if site is None else site.twin_of(self)
    return pool_has_room.original(pool, url)  # type: ignore[no-any-return]  # as there


@STACK.patch(ConnectionPool, "close")
async def pool_close(self: ConnectionPool, grace: float = 0.0) -> None:
    try:
        await pool_close.original(self, grace)
    finally:
        for site in STACK.all:
            twin = site.twins.get(self)
            if twin is not None:
                await pool_close.original(twin, grace)
