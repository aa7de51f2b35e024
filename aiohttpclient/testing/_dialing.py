"""What stands in the place of a connection's methods while interceptors are on.

A connection that belongs to no pool is opened in memory, unless those who are asked let it pass. One that was open
before goes on with what it has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..connection import AsyncHTTPConnection
from ..errors import ProtocolError
from ..net import Dialed
from ..pool import PooledConnection, SessionKeeper
from ._asking import read
from ._patches import STACK
from ._signals import SIGNALS
from ._twin import absolute

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..connection import AsyncHTTPResponse, WholeResponse
    from ..net import StreamProtocol, Tell
    from ._intercepted import InterceptedRequest, RealAnswer
    from ._site import Site


@STACK.patch(AsyncHTTPConnection, "_dial")
async def connection_dial(self: AsyncHTTPConnection, tell: Tell | None, deadline: float | None) -> StreamProtocol:
    sites = () if isinstance(self, SessionKeeper) else STACK.all  # a pool is intercepted, not what it consists of
    return await opened(sites, self, tell, deadline)


async def opened(
    sites: Sequence[Site], conn: Any, tell: Tell | None = None, deadline: float | None = None
) -> StreamProtocol:
    """A stream for ``conn``: to one of ``sites``, the last one first, or to where it leads."""
    for site in reversed(sites):
        origin = conn._origin  # noqa: SLF001  # what stands in the place of its dialling is a part of it
        if site.is_over or (
            site.may_pass and site.interceptor.passes("", absolute(f"{origin.scheme}://{origin.authority}/"))
        ):
            continue
        stream = site.connect_for(conn)
        now = stream.loop.time()
        stream.dialed = Dialed(now, None, 0.0, None, stream.transport.get_extra_info("peername"), None)
        return stream
    return await connection_dial.original(conn, tell, deadline)  # type: ignore[no-any-return]  # as there


@STACK.patch(AsyncHTTPConnection, "getresponse")
async def connection_getresponse(
    self: AsyncHTTPConnection, *, whole: bool = False
) -> AsyncHTTPResponse | WholeResponse:
    answer = await connection_getresponse.original(self, whole=whole)
    if not isinstance(self, PooledConnection):  # whose pool looks for that itself
        outcome = SIGNALS.take(answer[0] if type(answer) is tuple else answer)
        if outcome is not None:
            outcome.check()
    return answer  # type: ignore[no-any-return]  # what the original returns


async def sent_on(site: Site, conn: Callable[[], Any], request: InterceptedRequest, max_body: int | None) -> RealAnswer:
    """The answer of those below that of ``site``, or of what the connection leads to; over one of its own.

    :raises BodyTooLarge: its body has more bytes than ``max_body``
    :raises ConnectionAbortedError: the connection is gone
    :raises ProtocolError: the answer is not one that could be handed on
    """
    it = conn()
    if it is None:
        raise ConnectionAbortedError("the connection that this request came over is gone")
    origin = it._origin  # noqa: SLF001  # as above
    stream = await opened(STACK.below(site), it)
    # How long the answer may take is the business of the caller, who waits for ours meanwhile.
    real = AsyncHTTPConnection(it.host, it.port, it.strict, None, limits=it.limits, expect_timeout=it.expect_timeout)
    real.adopt(stream, origin)
    try:
        chunked = "Transfer-Encoding" in request.headers
        body = request.body if chunked or "Content-Length" in request.headers else None
        await real.request(request.method, request.target, body, request.headers, encode_chunked=chunked)
        response = await real.getresponse()
        if response.status == 101:
            raise ProtocolError("an upgrade cannot be sent on: let passes() say that it is for somebody else")
        answer = await read(response, max_body)
    except BaseException:
        real.abort()
        raise
    await real.close()
    return answer
