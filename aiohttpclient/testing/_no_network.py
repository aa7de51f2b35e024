"""Connections that a test must not open: refused before a name is looked up.

Theory of operation. While at least one :class:`Rules` is in force, three methods are replaced at their classes: those
by which this library connects (``TCPDialer.dial``, ``UnixDialer.dial``), and that by which it looks names up
(``Resolver.resolve``: for some SOCKS proxies, which may be on this machine, it does so without connecting). They ask
all the rules, and go on with what they replace. When the last rules are gone the methods are what they were.
"""

from __future__ import annotations

import contextlib
import functools
import socket
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from .._url import ascii_host, bracketed
from ..errors import AddressRefused, InvalidURL
from ..net import Resolver, TCPDialer, UnixDialer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from contextlib import AbstractContextManager
    from ipaddress import IPv4Address, IPv4Network, IPv6Network

    from ..net import StreamProtocol, Tell

WAYS_OUT: Final = (
    "mock it (HTTPMock), serve it on this machine (LoopbackServer), or let it pass: no_network(allow=[{!r}])"
)
"""What whoever sees the error can do about it."""


class NetworkForbidden(AddressRefused):
    """A connection, or the look-up of a name, that :func:`no_network` or the marker of the pytest plugin forbids.

    No policy of retries repeats it. ``host`` (str) is the name, the address, or the path of a Unix socket;
    ``addresses`` is empty, since nothing was looked up; ``what`` (str) was to be done, and ``who`` (str) must not, such
    as the id of a test.
    """

    def __init__(self, who: str, what: str, host: str) -> None:
        super().__init__(host, [])
        self.args = (f"{who} must not use the network, but {what}: {WAYS_OUT.format(host)}",)
        self.who = who
        self.what = what

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.who, self.what, self.host), self.__dict__


class Rules:
    """Which hosts may be connected to, and by whom this is asked (``who``); the rest as :func:`no_network` says it.

    :raises TypeError, ValueError: see there
    """

    def __init__(self, who: str, allow: Collection[str] = (), loopback: bool = True) -> None:
        if isinstance(allow, str) or not all(isinstance(one, str) for one in allow):
            raise TypeError(f"allow is a list of names, addresses and networks, not {allow!r}")
        if not isinstance(loopback, bool):
            raise TypeError(f"loopback is True or False, not {loopback!r}")
        self._who = who
        self._loopback = loopback
        parsed = [_parsed(one) for one in allow]
        self._names = {one for one in parsed if isinstance(one, str)}
        self._networks = [one for one in parsed if not isinstance(one, str)]

    def check(self, host: str, port: int | None) -> None:
        """Refuse a connection to ``port`` of ``host``; the look-up of ``host`` if there is no port.

        :raises NetworkForbidden: it is not allowed
        """
        if not self._allows(host):
            what = f"looks up {host}" if port is None else f"connects to {bracketed(host)}:{port}"
            raise NetworkForbidden(self._who, what, host)

    def check_unix(self, path: str) -> None:
        """Refuse a connection to the Unix socket at ``path``.

        :raises NetworkForbidden: even this machine is forbidden
        """
        if not self._loopback and path not in self._names:
            raise NetworkForbidden(self._who, f"connects to the Unix socket {path}", path)

    def _allows(self, host: str) -> bool:
        address = literal(host)
        if address is None:
            name = _comparable(host)
            return name in self._names or (self._loopback and name.rpartition(".")[2] == "localhost")  # RFC 6761
        return (self._loopback and address.is_loopback) or any(address in network for network in self._networks)


def no_network(
    *, allow: Collection[str] = (), loopback: bool = True, who: str = "this block"
) -> AbstractContextManager[None]:
    """Within the block this library connects to nothing but this machine: loopback addresses, and Unix sockets.

    What is mocked, or connected in memory, is not connected to anything. Where blocks are within blocks, all have to
    agree. It holds for the whole process, threads included, and for connections that are opened, not for those that are
    open already.

    :param allow: names, as they stand in URLs (``"db.internal"``; their addresses are not looked at), addresses and
        networks (``"10.0.0.0/8"``: for addresses in URLs, since names are not looked up), and paths of Unix sockets
    :param loopback: whether this machine is allowed
    :param who: what the error says of who must not
    :raises TypeError: ``allow`` is no list of str
    :raises ValueError: there cannot be such a name, address or network

    Elsewhere it raises :class:`NetworkForbidden`, before any look-up.
    """
    return _applied(Rules(who, allow, loopback))


@contextlib.contextmanager
def _applied(rules: Rules) -> Iterator[None]:
    _begin(rules)
    try:
        yield
    finally:
        _end(rules)


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that ``host`` is a spelling of, as the system reads it (``127.1`` is one); None for a name."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return None
    address = ip_address(str(found[0][4][0]).partition("%")[0])
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _parsed(allowed: str) -> IPv4Network | IPv6Network | str:
    """One of ``allow``: a network, of one address perhaps, or a name or path in the form in which it is compared.

    :raises ValueError: it is neither
    """
    if allowed.startswith("/"):
        return allowed
    bare = allowed[1:-1] if allowed.startswith("[") and allowed.endswith("]") else allowed
    address = literal(bare)
    if address is not None:
        return ip_network(address)
    if bare and not set(bare) & set("/:*@?# "):
        return _comparable(bare)
    try:
        return ip_network(bare)
    except ValueError:
        text = f"{allowed!r} is neither the name of a host, nor an address, nor a network such as '10.0.0.0/8'"
        raise ValueError(text) from None


def _comparable(name: str) -> str:
    with contextlib.suppress(InvalidURL):  # which is what the dialer has to say
        name = ascii_host(name)
    return name.lower().rstrip(".")


# -- the methods that are replaced

_in_force: list[Rules] = []
_undo = contextlib.ExitStack()
_lock = Lock()


def _begin(rules: Rules) -> None:
    with _lock:
        if not _in_force:
            _replace(TCPDialer, "dial", _checked_dial(TCPDialer.dial))
            _replace(UnixDialer, "dial", _checked_dial_unix(UnixDialer.dial))
            _replace(Resolver, "resolve", _checked_resolve(Resolver.resolve))
        _in_force.append(rules)


def _end(rules: Rules) -> None:
    with _lock:
        _in_force.remove(rules)
        if not _in_force:
            _undo.close()


def _replace(owner: type, name: str, by: Any) -> None:
    _undo.callback(setattr, owner, name, owner.__dict__[name])
    setattr(owner, name, by)


def _checked_dial(real: Any) -> Any:
    async def dial(self: TCPDialer, host: str, port: int, tell: Tell | None = None) -> StreamProtocol:
        for rules in _in_force:
            rules.check(host, port)
        stream: StreamProtocol = await real(self, host, port, tell)
        return stream

    return functools.wraps(real)(dial)


def _checked_dial_unix(real: Any) -> Any:
    async def dial(self: UnixDialer, host: str, port: int) -> StreamProtocol:
        for rules in _in_force:
            rules.check_unix(self._path)
        stream: StreamProtocol = await real(self, host, port)
        return stream

    return functools.wraps(real)(dial)


def _checked_resolve(real: Any) -> Any:
    async def resolve(self: Resolver, host: str, port: int, *, local: bool = False) -> list[Any]:
        if not local and literal(host) is None:
            for rules in _in_force:
                rules.check(host, None)
        found: list[Any] = await real(self, host, port, local=local)
        return found

    return functools.wraps(real)(resolve)
