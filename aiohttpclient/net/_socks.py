"""Streams by way of a SOCKS proxy: SOCKS 5 (RFC 1928, RFC 1929), SOCKS 4 and SOCKS 4A.

python-socks knows the protocols; the connection stays ours, from the dialling to the abort of one that failed. What is
used of python-socks (2.7 to 3.2) is public: the errors, and ``async_.asyncio.v2.Proxy``, whose parameter ``forward``,
meant for the proxy before this one, is asked for the byte stream to speak over. ``forward`` is a :class:`_Stream` here,
which has of such a proxy, and of such a stream, what is asked of them; ``tests/net/test_socks.py`` proves that this is
enough for the version that is installed.
"""

from __future__ import annotations

import asyncio
import math
import re
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, cast

from .._url import ascii_host, bracketed, split_host_port
from ..errors import InvalidURL, ProxyError, ReadTimeout
from ._steps import TUNNELLED, dial_telling, tell_addresses

if TYPE_CHECKING:
    from typing import Self

    from ._dialer import Dialer
    from ._protocol import StreamProtocol
    from ._resolver import Resolver
    from ._steps import Tell

SocksKind: TypeAlias = Literal["socks4", "socks4a", "socks5", "socks5h"]
"""Which SOCKS, and who looks names up: this machine for ``socks4`` and ``socks5``, the proxy for the others."""

LOOKED_UP_HERE: Final = ("socks4", "socks5")

LONGEST: Final = 255
"""Bytes of a user name or password in SOCKS 5, whose length has one byte (RFC 1929 section 2)."""

_UNFIT: Final = r"[^\x20-\x7e]"
"""What no user name or password may have in it: a NUL ends the one of SOCKS 4, and python-socks sends ASCII only."""


class SocksDialer:
    """Dials through a SOCKS proxy.

    :param dialer: how the proxy itself is reached
    :param kind: the protocol; ``socks4`` and ``socks5`` look names up with ``resolver``, ``socks4a`` and ``socks5h``
        leave that to the proxy
    :param host: name or address of the proxy
    :param port: from 1 to 65535
    :param username: ASCII; SOCKS 4 calls it the user id
    :param password: ASCII, for SOCKS 5, which has both or neither
    :raises ImportError: python-socks is not installed
    :raises ValueError: the protocol cannot carry the credentials, or there is no resolver where one is needed

    What it does not promise: a policy of ``dialer`` sees the addresses of the proxy, and not where the proxy connects
    to.
    """

    def __init__(
        self,
        dialer: Dialer,
        kind: SocksKind,
        host: str,
        port: int,
        username: str | None = None,
        password: str | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        _check_installed()
        _check_credentials(kind, username, password)
        if kind in LOOKED_UP_HERE and resolver is None:
            raise ValueError(f"{kind} needs a resolver: the proxy looks no names up")
        self.kind = kind
        self.host, self.port = split_host_port(host, port, 0)
        self._dialer = dialer
        self._username = username
        self._password = password
        self._resolver = resolver

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kind}://{bracketed(self.host)}:{self.port}>"

    async def dial(self, host: str, port: int, tell: Tell | None = None) -> StreamProtocol:
        """Connect to ``host`` and ``port`` through the proxy; the waits are the caller's to bound.

        ``tell`` is called with each step. Where names are looked up here, ``socks5`` tries one address after another,
        ``socks4`` the first of IPv4.

        :raises ProxyError: the proxy refused, closed, or does not speak the protocol; ``status`` is None
        :raises InvalidURL: the protocol cannot carry ``host``
        :raises OSError: the proxy could not be reached, or a name is not known (``socket.gaierror``)
        """
        host, port = split_host_port(host, port, 0)
        host = ascii_host(host)
        destinations = await self._destinations(host, port, tell)
        for number, destination in enumerate(destinations, 1):
            try:
                return await self._through(destination, port, tell)
            except ProxyError as error:
                if getattr(error.__cause__, "error_code", None) is None:
                    raise  # not because of the address: the next would fare no better
                if number == len(destinations):
                    if self._resolver is not None:
                        self._resolver.forget(host)
                    raise
        raise ProxyError(None, f"SOCKS 4 reaches IPv4 addresses only, and {host!r} has none")

    async def _destinations(self, host: str, port: int, tell: Tell | None) -> list[str]:
        """What the proxy is asked for, one after the other: the name, or its addresses."""
        resolver = self._resolver
        if self.kind not in LOOKED_UP_HERE or resolver is None:
            return [host.partition("%")[0]]  # a zone means nothing to another machine
        since = asyncio.get_running_loop().time()
        addresses = await resolver.resolve(host, port)
        if tell is not None:
            tell_addresses(tell, host, addresses, asyncio.get_running_loop().time() - since)
        found = [str(address[0]).partition("%")[0] for *_, address in addresses]
        return [address for address in found if ":" not in address][:1] if self.kind == "socks4" else found

    async def _through(self, destination: str, port: int, tell: Tell | None) -> StreamProtocol:
        """Connect to the proxy, and let it connect to ``destination``; the stream is closed if that fails."""
        stream = await dial_telling(self._dialer, self.host, self.port, tell)
        since = stream.loop.time()
        try:
            if stream.spoiled is not None:
                raise ProxyError(None, f"before it was asked for anything, {stream.spoiled}")
            stream.quiet = False
            await self._negotiate(_Stream(stream), destination, port)
            stream.rest()
            if stream.spoiled is not None:
                raise ProxyError(None, f"it agreed, but {stream.spoiled}")
            if tell is not None:
                tell(TUNNELLED, f"by {bracketed(self.host)}:{self.port}", stream.loop.time() - since)
        except BaseException as error:
            await stream.aborted(error)
            raise
        return stream

    async def _negotiate(self, stream: _Stream, destination: str, port: int) -> None:
        from python_socks import ProxyConnectionError, ProxyTimeoutError, ProxyType
        from python_socks import ProxyError as Refusal
        from python_socks.async_.asyncio.v2 import Proxy

        proxy = Proxy(
            ProxyType.SOCKS5 if self.kind.startswith("socks5") else ProxyType.SOCKS4,
            self.host,
            self.port,
            self._username,
            self._password,
            rdns=True,  # where names are looked up here, there are none any more
            forward=cast("Any", stream),
        )
        try:
            await proxy.connect(destination, port, timeout=math.inf)  # the caller's is the one that counts
        except (Refusal, ProxyConnectionError, ProxyTimeoutError) as error:
            raise ProxyError(None, str(error)) from error
        except UnicodeDecodeError as error:
            raise ProxyError(None, "the name in its answer is not text") from error
        except ValueError as error:
            raise InvalidURL(f"host {destination!r} cannot be sent to a SOCKS proxy") from error


class _Stream:
    """A stream as python-socks wants it, and the proxy before ours that is asked for it."""

    def __init__(self, stream: StreamProtocol) -> None:
        self._stream = stream

    async def connect(self, dest_host: str, dest_port: int) -> Self:
        return self

    async def write(self, data: bytes) -> None:
        self._check_open()
        self._stream.transport.write(data)  # a few hundred bytes: there is room

    async def read_exactly(self, count: int) -> bytes:
        stream = self._stream
        while len(stream.reader.buffered) < count:
            self._check_open()
            await stream.wait(None, ReadTimeout)
        return stream.reader.take(count)

    async def close(self) -> None:
        """Nothing: the dialer closes what it has opened."""

    write_all, read_exact = write, read_exactly  # their names in python-socks 2

    def _check_open(self) -> None:
        if self._stream.ended:
            raise ProxyError(None, "it closed the connection") from self._stream.fault


def _check_installed() -> None:
    try:
        from python_socks.async_.asyncio.v2 import Proxy  # noqa: F401  # now, and not in the first dial()
    except ImportError as error:
        text = "SOCKS proxies need python-socks, the extra 'socks': pip install 'python-socks<4'"
        raise ImportError(text, name=error.name) from error


def _check_credentials(kind: SocksKind, username: str | None, password: str | None) -> None:
    """Refuse what the protocol cannot carry; the texts do not say what was given."""
    given = [part for part in (username, password) if part is not None]
    if any(re.search(_UNFIT, part) for part in given):
        raise ValueError("user name and password of a SOCKS proxy must be ASCII without control characters")
    if not kind.startswith("socks5"):
        if password:
            raise ValueError("SOCKS 4 has a user name only, and no password")
    elif given and (len(given) == 1 or not all(1 <= len(part) <= LONGEST for part in given)):
        raise ValueError(f"SOCKS 5 needs user name and password, each of 1 to {LONGEST} bytes")
