"""A tunnel through a proxy: CONNECT (RFC 9110 section 9.3.6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .._url import ascii_host, bracketed
from ..errors import ProtocolError, TunnelError
from ..wire import field_line, request_head
from ._heads import HeadReader

if TYPE_CHECKING:
    from .._headers import Headers
    from ..net import StreamProtocol
    from ..wire import MessageLimits
    from ._request import Field


class Tunnel(NamedTuple):
    """Where a tunnel leads, and the fields that the proxy alone gets to see."""

    host: str
    port: int
    fields: list[Field]


async def open_tunnel(stream: StreamProtocol, tunnel: Tunnel, limits: MessageLimits, debuglevel: int) -> Headers:
    """Ask the proxy at the other end of ``stream`` for ``tunnel``; the fields of its answer.

    The waits are the caller's to bound. The answer is read strictly: a proxy that is misread gives away what follows.

    :raises TunnelError: it refused
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
        raise TunnelError(answer.status, answer.reason, list(answer.headers.items()))
    stream.rest()
    if stream.spoiled is not None:
        raise ProtocolError(f"the proxy answered CONNECT with {answer.status}, but {stream.spoiled}")
    return answer.headers
