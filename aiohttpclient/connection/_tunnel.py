"""A tunnel through a proxy: CONNECT (RFC 9110 section 9.3.6)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, NamedTuple

from .._url import ascii_host, bracketed
from ..errors import HTTPException, ProtocolError, TunnelError
from ..wire import BodyKind, field_line, request_head
from ._bodies import body_of
from ._heads import HeadReader

if TYPE_CHECKING:
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


class Tunnel(NamedTuple):
    """Where a tunnel leads, and the fields that the proxy alone gets to see."""

    host: str
    port: int
    fields: list[Field]


async def open_tunnel(
    stream: StreamProtocol, tunnel: Tunnel, limits: MessageLimits, debuglevel: int, deadline: float | None = None
) -> Headers:
    """Ask the proxy at the other end of ``stream`` for ``tunnel``; the fields of its answer.

    The waits are the caller's to bound. ``deadline`` is the time of the loop at which he does: the body of a refusal is
    waited for until half of what is left, so that it is the refusal which he gets to see. The answer is read strictly:
    a proxy that is misread gives away what follows.

    :raises TunnelError: it refused; the caller closes the stream
    :raises ProtocolError: it sent bytes that the origin cannot have sent
    """
    authority = f"{bracketed(ascii_host(tunnel.host))}:{tunnel.port}"
    has_host = any(str(name).lower() == "host" for name, _ in tunnel.fields)
    own = b"" if has_host else field_line("Host", authority)
    head = request_head("CONNECT", authority, tunnel.fields, own)
    if debuglevel > 0:
        print("send:", repr(head))
    heads = HeadReader(stream)
    heads.begin(limits, strict=True, debuglevel=debuglevel)
    stream.transport.write(
        head
    )  # not by a StreamWriter, which would close the transport under TLS when it is collected
    answer = await heads.wait(None)
    if not 200 <= answer.status < 300:
        body = await _refusal_body(stream, answer, limits, deadline)
        raise TunnelError(answer.status, answer.reason, list(answer.headers.items()), body)
    stream.rest()
    if stream.spoiled is not None:
        raise ProtocolError(f"the proxy answered CONNECT with {answer.status}, but {stream.spoiled}")
    return answer.headers


async def _refusal_body(
    stream: StreamProtocol, answer: ResponseHead, limits: MessageLimits, deadline: float | None
) -> bytes:
    """What comes of the body of a refusal: at most ``PROXY_BODY`` of it, in ``PROXY_BODY_SECONDS``.

    Nothing that is wrong with the body is an error: the refusal is what counts.
    """
    parts: list[bytes] = []
    left = PROXY_BODY
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
    return b"".join(parts)
