"""A tunnel through a proxy: CONNECT (RFC 9110 section 9.3.6), and who asks for it (section 11.7)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .._url import authority
from ..errors import HTTPException, ProtocolError, TunnelError
from ..wire import BodyKind, field_line, request_head
from ._bodies import body_of
from ._heads import HeadReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._headers import Headers
    from ..net import StreamProtocol
    from ..wire import MessageLimits, ResponseHead
    from ._request import Field

PROXY_BODY = 16 * 1024
"""Bytes that are kept of the body of a refusal. The error pages of proxies are a few KiB (Squid's is one of the
longest, for its style sheet); a bound, because errors are logged and kept."""

PROXY_BODY_SECONDS = 1.0
"""Seconds for the body of a refusal, which is on its way when its head is there. The refusal is worth almost as much
without it."""


class ProxyTurn(Protocol):
    """One request to a proxy that may want to know who asks: what each attempt at it says.

    Whoever sends the request asks for the credentials right before each attempt, since they may be good for one time
    only, and tells what became of it.
    """

    async def credentials(self) -> str | None:
        """The value of ``Proxy-Authorization``; None: the field is not sent."""

    async def refused(self, headers: Headers) -> bool:
        """Look at the fields of a 407, and say whether there is to be another attempt; some time the answer is no."""

    def accepted(self, headers: Headers) -> None:
        """Look at the fields of any other answer."""


class Tunnel(NamedTuple):
    """Where a tunnel leads, and the fields that the proxy alone gets to see.

    ``auth``, if it is there, is called with the authority that is asked for, and gives the credentials.
    """

    host: str
    port: int
    fields: list[Field]
    auth: Callable[[str], ProxyTurn] | None = None

    @property
    def authority(self) -> str:
        """The target of CONNECT (RFC 9112 section 3.2.3)."""
        return authority(self.host, self.port)

    def head(self, credentials: str | None) -> bytes:
        """The head of the request for it."""
        has_host = any(str(name).lower() == "host" for name, _ in self.fields)
        own = b"" if has_host else field_line("Host", self.authority)
        known = [] if credentials is None else [("Proxy-Authorization", credentials)]
        return request_head("CONNECT", self.authority, [*self.fields, *known], own)

    def begin(self) -> ProxyTurn | None:
        """A turn for it; None: ``fields`` say all."""
        return None if self.auth is None else self.auth(self.authority)


async def open_tunnel(
    stream: StreamProtocol,
    tunnel: Tunnel,
    limits: MessageLimits,
    debuglevel: int,
    deadline: float | None = None,
    turn: ProxyTurn | None = None,
) -> Headers | None:
    """Ask the proxy at the other end of ``stream`` for ``tunnel``; the fields of its answer.

    None: it wants to know who asks, and ``turn`` can say that, but on another connection: this one is of no more use.

    The waits are the caller's to bound. ``deadline`` is the time of the loop at which he does: the body of a refusal is
    waited for until half of what is left, so that it is the refusal which he gets to see. The answer is read strictly:
    a proxy that is misread gives away what follows.

    :raises TunnelError: it refused; the caller closes the stream
    :raises ProtocolError: it sent bytes that the origin cannot have sent
    """
    heads = HeadReader(stream)
    refused = False
    while True:
        head = tunnel.head(None if turn is None else await turn.credentials())
        if refused and not stream.is_clean():
            return None
        try:
            answer = await _ask(heads, head, limits, debuglevel)
        except ConnectionError:
            if refused and heads.untouched:
                return None  # it has closed after the refusal, and had not said so
            raise
        if 200 <= answer.status < 300:
            break
        body, ended = await _refusal_body(stream, answer, limits, deadline)
        if turn is None or answer.status != 407 or not await turn.refused(answer.headers):
            raise TunnelError(answer.status, answer.reason, list(answer.headers.items()), body)
        if not (ended and answer.persists):
            return None
        stream.rest()
        refused = True
    stream.rest()
    if stream.spoiled is not None:
        raise ProtocolError(f"the proxy answered CONNECT with {answer.status}, but {stream.spoiled}")
    if turn is not None:
        turn.accepted(answer.headers)
    return answer.headers


async def _ask(heads: HeadReader, head: bytes, limits: MessageLimits, debuglevel: int) -> ResponseHead:
    """Send one request; the head of its answer."""
    if debuglevel > 0:
        print("send:", repr(head))
    heads.rest()
    heads.adapt(limits, strict=True, debuglevel=debuglevel)
    heads.stream.quiet = False
    # Not by a StreamWriter, which would close the transport under TLS when it is collected.
    heads.stream.transport.write(head)
    return await heads.wait(None)


async def _refusal_body(
    stream: StreamProtocol, answer: ResponseHead, limits: MessageLimits, deadline: float | None
) -> tuple[bytes, bool]:
    """What comes of the body of a refusal, at most ``PROXY_BODY`` in ``PROXY_BODY_SECONDS``; and whether that is all.

    Nothing that is wrong with the body is an error: the refusal is what counts.
    """
    parts: list[bytes] = []
    left = PROXY_BODY
    ended = False
    end = stream.loop.time() + PROXY_BODY_SECONDS
    if deadline is not None:
        end = min(end, (stream.loop.time() + deadline) / 2)
    with contextlib.suppress(OSError, HTTPException):  # a timeout is an OSError
        async with asyncio.timeout_at(end):
            framing = answer.framing("CONNECT")
            body = None if framing.kind is BodyKind.SWITCH else body_of(framing, stream, None, limits, strict=True)
            while body is not None and left and not body.ended:
                part = await body.read_some(left)
                parts.append(part)
                left -= len(part)
            ended = body is None or body.ended
    return b"".join(parts), ended
