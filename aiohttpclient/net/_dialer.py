"""From a host and a port to a connected stream."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .._url import bracketed
from ..errors import AddressRefused
from ._protocol import StreamProtocol
from ._race import connect, race
from ._resolver import Resolver
from ._steps import tell_addresses, told_connected

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from ._resolver import AddrInfoType
    from ._steps import Tell

    Policy: TypeAlias = Callable[[IPv4Address | IPv6Address], bool]

ATTEMPT_DELAY = 0.25
"""Seconds before the next address is tried beside one that does not answer (RFC 8305 section 5, the recommended value).
"""


class Dialed(NamedTuple):
    """How a connection was opened: ``at`` which time of the loop it was there, and the seconds that each part took.

    ``dns`` and ``tls`` are None where there was none, or nobody told. ``connect`` has a proxy's tunnel in it.
    ``address`` is the peer's, as ``getpeername`` gives it; ``tls_version`` such as ``"TLSv1.3"``.
    """

    at: float
    dns: float | None
    connect: float
    tls: float | None
    address: Any
    tls_version: str | None


Marks: TypeAlias = tuple[Dialed | None, bool, float, float]
"""How a connection was opened, and whether its exchange is its first; when the last request with a body was begun, and
when the last wait began: both are times of the loop."""


class Dialer(Protocol):
    """Whatever makes streams: the seam between this library and the network.

    A dialer whose attribute ``streams_are_secure`` is ``True`` says that what goes over its streams needs no encryption
    any more: with an ``https`` peer that it has dialled there is no handshake then. It is for dialers that do not leave
    the process, or that encrypt in a way of their own; none of this library's says so by itself. Only the very dialer
    that a connection was given is asked, so a dialer that goes through another says it anew, or not; and in a tunnel,
    whose other end is somebody else's, there is a handshake all the same. A method ``secured``, if such a dialer has
    one, is called with each stream for which the handshake was left out, before anything is sent.
    """

    async def dial(self, host: str, port: int) -> StreamProtocol:
        """A stream to ``port`` (int) of ``host`` (a name or an address literal, without brackets).

        Cancelled, it leaves nothing open. ``adopt`` makes a stream of a connected socket.

        A parameter ``tell`` (None by default) may be added. Where somebody listens, it is a function to be called with
        each step, see ``Tell``; one that dials through another dialer hands it on. Without, it is only told that there
        is a connection, when there is.

        :raises OSError: there is none to be had
        """
        ...


class TCPDialer:
    """The default dialer: TCP to the first address of a name that answers.

    :param resolver: how names are looked up; without one the dialer has its own, which ``close`` closes
    :param source_address: the (host, port) to connect from, as in ``socket.create_connection``
    :param allow: asked about every address that a name, or a literal in whatever spelling, stands for; those for which
        it returns false are not connected to. An IPv4 address in IPv6 form (``::ffff:127.0.0.1``) comes as the IPv4
        address that it is. ``public_only`` is one such policy.
    """

    def __init__(
        self,
        resolver: Resolver | None = None,
        *,
        source_address: tuple[str, int] | None = None,
        allow: Policy | None = None,
    ) -> None:
        self._owns_resolver = resolver is None
        self._resolver = Resolver() if resolver is None else resolver
        self._source_address = source_address
        self._allow = allow

    async def dial(self, host: str, port: int, tell: Tell | None = None) -> StreamProtocol:
        """Connect to the first address of ``host`` that answers: Happy Eyeballs (RFC 8305) over all that are allowed.

        When none does, the error says what became of each. It has the errno, and so the class, of their errors; where
        these differ, of the first. Its ``__cause__`` is that one error, or an ``ExceptionGroup`` of them all.

        ``tell`` is called with each step that is done: with all the addresses, before any is refused.

        :raises OSError: no address could be reached
        :raises socket.gaierror: the name is not known
        :raises AddressRefused: the policy allows none of the addresses
        :raises InvalidURL: no name can be like ``host``
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        addresses = await self._resolver.resolve(host, port)
        looked_up = loop.time() - started
        if tell is not None:
            tell_addresses(tell, host, addresses, looked_up)
        if self._allow is not None:
            addresses = allowed(self._allow, host, addresses)
        local = None
        if self._source_address is not None:
            local = await self._resolver.resolve(*self._source_address, local=True)
        try:
            outcome = await race(addresses, local, ATTEMPT_DELAY)
        except BaseException:
            self._resolver.forget(host)  # a time limit ends as a cancellation: the addresses may be why
            raise
        if isinstance(outcome, socket.socket):
            stream = await adopt(outcome)
            stream.looked_up = looked_up
            return stream if tell is None else await told_connected(stream, tell, started + looked_up)
        self._resolver.forget(host)
        where = f"{bracketed(host)}:{port}"
        cause = outcome[0] if len(outcome) == 1 else ExceptionGroup(f"the addresses of {where}", outcome)
        raise unreachable(where, outcome) from cause

    def close(self) -> None:
        """Let the threads of the dialer's own resolver go. It may be used again."""
        if self._owns_resolver:
            self._resolver.close()


class UnixDialer:
    """A dialer that connects to the Unix socket at ``path``, whatever the host and the port."""

    def __init__(self, path: str) -> None:
        self._path = path

    async def dial(self, host: str, port: int) -> StreamProtocol:
        """Connect to the socket.

        :raises OSError: nobody listens there
        """
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await connect(sock, self._path)
        except BaseException:
            sock.close()
            raise
        return await adopt(sock)


async def adopt(sock: socket.socket) -> StreamProtocol:
    """A stream over a connected stream socket, for dialers of one's own. From now on the socket is the stream's.

    It is closed if that fails.
    """
    loop = asyncio.get_running_loop()
    stream = StreamProtocol(loop)
    try:
        await loop.create_connection(lambda: stream, sock=sock)  # which also turns Nagle's algorithm off
    except BaseException as error:
        # Before anything else gets to run: uvloop up to 0.22 has closed the descriptor and does not tell the socket,
        # which would close it again when the number is somebody else's (uvloop issue 738).
        with contextlib.suppress(OSError):
            sock.close()
        if stream.transport is not None:
            if isinstance(error, GeneratorExit):
                stream.abort()
            else:
                await stream.aborted()
        raise
    return stream


_RESOLVER = Resolver(ttl=None)
"""For connections that are made one by one, as with ``http.client``: each asks anew."""


async def dial(host: str, port: int, *, source_address: tuple[str, int] | None = None) -> StreamProtocol:
    """Connect as ``TCPDialer`` does, and look ``host`` up each time."""
    return await TCPDialer(_RESOLVER, source_address=source_address).dial(host, port)


async def dial_unix(path: str) -> StreamProtocol:
    """Connect as ``UnixDialer`` does."""
    return await UnixDialer(path).dial("", 0)


def allowed(allow: Policy, host: str, addresses: list[AddrInfoType]) -> list[AddrInfoType]:
    """Those of ``addresses`` to which connections may go.

    :raises AddressRefused: none is
    """
    passed = [address for address in addresses if allow(plain(address))]
    if not passed:
        raise AddressRefused(host, [str(plain(address)) for address in addresses])
    return passed


def plain(address: AddrInfoType) -> IPv4Address | IPv6Address:
    """The bare address, and an IPv4 address in IPv6 form as what it is: the system connects over IPv4."""
    found = ip_address(address[4][0])
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def unreachable(where: str, failures: list[OSError]) -> OSError:
    """One error for what became of each address."""
    return OSError(failures[0].errno, f"cannot connect to {where}: {', '.join(str(e.strerror) for e in failures)}")
