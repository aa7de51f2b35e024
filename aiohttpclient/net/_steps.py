"""What is told while a connection is being opened: each step, in the moment in which it is done.

Whoever wants to know gives a function, which goes along from layer to layer; without one nothing is told, and nothing
is worked out for it. The function must not raise. Should it do so all the same, the connection is closed, and the error
is that of whoever opens it.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .._url import bracketed

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable
    from typing import Protocol

    from ._dialer import Dialer
    from ._protocol import StreamProtocol
    from ._resolver import AddrInfoType

    class TellingDialer(Protocol):
        """A dialer that tells what it does: the ``tell`` in the signature of its ``dial`` is how it says so."""

        async def dial(self, host: str, port: int, tell: Tell | None = None) -> StreamProtocol: ...


LOOKED_UP = "a name was looked up"
CONNECTED = "a peer has accepted"
TUNNELLED = "a tunnel is open"
SECURED = "the TLS handshake is done"
"""The steps on the way to an open connection. Which there are, and how often, depends on the way."""

Tell: TypeAlias = Callable[[str, str, float], object]
"""Called with a step, what came of it, and the seconds that it took."""


async def dial_telling(dialer: Dialer, host: str, port: int, tell: Tell | None) -> StreamProtocol:
    """``dialer.dial``, told step by step if anybody listens; of one that tells nothing itself, that it connected."""
    if tell is None:
        return await dialer.dial(host, port)
    if _tells(dialer):
        return await cast("TellingDialer", dialer).dial(host, port, tell=tell)
    since = asyncio.get_running_loop().time()
    return await told_connected(await dialer.dial(host, port), tell, since)


async def told_connected(stream: StreamProtocol, tell: Tell, since: float) -> StreamProtocol:
    """``stream``, which nobody else has yet, once it is told that it was connected ``since`` a time of its loop."""
    address = shown_address(stream.transport.get_extra_info("peername"))
    return await told(stream, tell, CONNECTED, address, since)


async def told(stream: StreamProtocol, tell: Tell, step: str, detail: str, since: float) -> StreamProtocol:
    """``stream``, which nobody else has yet, once the step that began at ``since`` is told; closed if that fails."""
    try:
        tell(step, detail, stream.loop.time() - since)
    except BaseException as error:
        await stream.aborted(error)
        raise
    return stream


def tell_addresses(tell: Tell, host: str, found: Iterable[AddrInfoType], seconds: float) -> None:
    """Tell what ``host`` stands for, unless it is an address, which is not looked up."""
    addresses = list(dict.fromkeys(str(where[0]) for *_, where in found))
    if addresses != [host]:
        tell(LOOKED_UP, f"{host} is {', '.join(addresses)}", seconds)


def tell_secured(tell: Tell, stream: StreamProtocol, seconds: float) -> None:
    """Tell how ``stream`` is encrypted, with whom, and whether an earlier session was resumed."""
    tls: ssl.SSLObject = stream.transport.get_extra_info("ssl_object")
    name = f" with {tls.server_hostname}" if tls.server_hostname else ""
    tell(SECURED, f"{tls.version()}{name}{', session resumed' if tls.session_reused else ''}", seconds)


def shown_address(address: Any) -> str:
    """What ``getpeername`` gives, as it stands in a URL; the path of a Unix socket as it is."""
    if isinstance(address, tuple):
        return f"{bracketed(str(address[0]))}:{address[1]}"
    return address if isinstance(address, str) else ""


def _tells(dialer: Dialer) -> bool:
    try:
        return "tell" in inspect.signature(dialer.dial).parameters
    except (TypeError, ValueError):  # of what is not written in Python nobody knows
        return False
