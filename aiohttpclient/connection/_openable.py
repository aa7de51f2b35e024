"""How a connection gets a stream, and parts with it: opened when it is needed, found clean before it is used again.

A stream is used again only if nothing arrived on it since the last response ended. That is looked at when bytes come,
and once more, by asking the kernel, before a request is written. A pool takes streams from connections and gives them
to others; those are open and idle.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .._url import split_host_port
from ..errors import NotConnected, ProtocolError, RemoteDisconnected
from ..net import LOST, PEER_CLOSED
from ..wire import ExchangeEvent, ExchangeState, advance
from ._heads import HeadReader
from ._link import Link
from ._opening import Opening
from ._origin import shared_origin
from ._tunnel import Tunnel

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..net import StreamProtocol, Tell
    from ..timeouts import Timeout
    from ._origin import Origin
    from ._tunnel import ProxyTurn


class OpenableLink(Link):
    """A connection without its requests; see :class:`AsyncHTTPConnection`, which says what the parameters are."""

    auto_open: bool | int = True

    def set_tunnel(
        self,
        host: str,
        port: int | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        auth: Callable[[str], ProxyTurn] | None = None,
    ) -> None:
        """Reach ``host`` and ``port`` through CONNECT (RFC 9110 section 9.3.6); the constructor's host is the proxy.

        ``headers`` go with the CONNECT request, and only there. ``auth`` is for proxies that ask who we are and are not
        content with a field that is always the same: each time that the connection is opened, it is called with the
        target of CONNECT, and gives a :class:`ProxyTurn`.

        :raises RuntimeError: the connection is open already
        """
        if self._stream is not None and not self._stream.lost:
            raise RuntimeError("Can't set up tunnel for established connection")
        host, port = split_host_port(host, port, self.default_port)
        self._tunnel = Tunnel(host, port, list(headers.items()) if headers else [], auth)
        self._origin = shared_origin(self.scheme, host, port, self.default_port)

    async def connect(self) -> None:
        """Open the connection, if it is not open. ``request`` does this by itself while ``auto_open`` is true.

        :raises ConnectTimeout: the look-up, the connection, the tunnel and TLS together took too long
        :raises OSError: nobody answered, or the name is not known
        :raises TunnelError: the proxy refused
        :raises ssl.SSLError: the handshake or the verification failed
        """
        advance(self._state, ExchangeEvent.START)
        if not self.connected:
            self._deadline = None if self._timeout.total is None else self._until(self._timeout.total)
            await self.exclusively(self._open())

    # -- for a pool --------------------------------------------------------------------------------------------------

    async def open(self, timeout: Timeout, deadline: float | None, tell: Tell | None = None) -> StreamProtocol:
        """Connect under the bounds of a request that is not known here; the stream that is open then.

        ``tell`` is called with each step, if there is a dialer that was given.
        """
        self._timeout, self._deadline = timeout, deadline
        return await self.exclusively(self._open(tell))

    def adopt(self, stream: StreamProtocol, origin: Origin) -> None:
        """Go on with a stream that another connection to the same place has surrendered; requests are to ``origin``."""
        self._origin = origin
        self._stream = stream
        self._heads = HeadReader(stream)

    def surrender(self) -> StreamProtocol | None:
        """Give the stream away if it is open and idle; else None, and the connection stays as it is."""
        if not self.connected or self._state is not ExchangeState.IDLE or self.claimed:
            return None
        stream, self._stream, self._heads = self._stream, None, None
        return stream

    def renew(self) -> None:
        """After an exchange that was the last on its stream: let go of that, to be opened again as a new connection is.

        What the last head was like is remembered.
        """
        self._worn, self._heads, self._stream = self._heads, None, None
        self.untouched = self.refused = False

    def carries(self, stream: StreamProtocol) -> bool:
        """Whether ``stream`` is the one that requests go over."""
        return self._stream is stream

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _make_ready(self) -> StreamProtocol:
        """A stream that a request can be written to: the one there is, if it is clean, or a new one."""
        stream = self._stream
        if stream is not None:
            if stream.loop is not asyncio.get_running_loop():
                raise RuntimeError("the connection was opened in another event loop; close() it there, or let it go")
            await stream.check_quiet()
            if stream.spoiled is None:
                return stream
        if not self.auto_open:
            raise NotConnected("the connection is not open, and auto_open is off")
        return await self._open()

    async def _open(self, tell: Tell | None = None) -> StreamProtocol:
        """Connect within the connect timeout, and put the stream in place."""
        old, self._stream = self._stream, None
        if old is not None:
            await old.aborted()
        epoch, timeout = self._epoch, self._timeout
        opening = Opening(asyncio.get_running_loop(), timeout.connect, self._deadline, timeout.total)
        self._opening = opening
        try:
            stream = await self._dial(tell, opening.deadline)
        except BaseException as error:
            if not opening.over(error):
                raise
            if epoch != self._epoch:
                self._raise_closed()
            raise opening.timeout(self._origin.full_url("*")) from None
        else:
            opening.over()
        finally:
            self._opening = None
        if epoch != self._epoch:
            await stream.aborted()
            self._raise_closed()
        if not stream.is_clean():
            await refuse_early_bytes(stream)
        self._stream = stream
        worn, self._worn = self._worn, None
        self._heads = HeadReader(stream) if worn is None else worn.renewed(stream)
        return stream


async def refuse_early_bytes(stream: StreamProtocol) -> None:
    """Refuse a new connection on which the server speaks, or hangs up, before it was asked anything.

    :raises ProtocolError: what it says would be taken for the answer to the first request
    :raises RemoteDisconnected: it has closed the connection
    """
    try:
        await stream.check_quiet()
    except BaseException as error:
        await stream.aborted(error)
        raise
    if stream.spoiled is None:
        return
    await stream.aborted()
    if stream.spoiled in (PEER_CLOSED, LOST):
        raise RemoteDisconnected("Remote end closed connection before the request") from stream.fault
    raise ProtocolError("the server sent something before it was asked for anything")
