"""Where a connection leads, and the way there: a host and a port in, an open stream out.

The way has up to three parts, one after the other: a connection to the server or to a proxy, which a dialer makes; a
tunnel through that proxy; TLS with the server. What fails or is cancelled in the middle leaves nothing open. How long
all this may take, and what becomes of the stream, is the business of ``_openable``.
"""

from __future__ import annotations

from asyncio import get_running_loop
from typing import TYPE_CHECKING

from .._url import ascii_host, bracketed, split_host_port
from ..net import TUNNELLED, Dialed, dial, dial_telling, dial_unix, start_tls, tell_secured
from ..status import HTTP_PORT
from ._heads import DEFAULT_LIMITS
from ._origin import Origin, shared_origin
from ._tunnel import open_tunnel

if TYPE_CHECKING:
    import ssl

    from .._headers import Headers
    from ..net import Dialer, StreamProtocol, Tell
    from ..wire import MessageLimits
    from ._tunnel import ProxyTurn, Tunnel


class Endpoint:
    """A server, and how streams to it are made; see :class:`AsyncHTTPConnection`, which says what the parameters are.

    Nothing is kept of the streams but what the proxy said when the last tunnel was opened.
    """

    __slots__ = ("__dict__", "__weakref__", "_origin")

    default_port: int = HTTP_PORT
    scheme: str = "http"
    debuglevel: int = 0
    _tunnel: Tunnel | None = None  # until set_tunnel() is called
    _proxy_headers: Headers | None = None
    turn: ProxyTurn | None = None
    """What tells the proxy who asks for the next tunnel, instead of what ``set_tunnel`` was given."""

    def __init__(
        self,
        host: str,
        port: int | None = None,
        source_address: tuple[str, int] | None = None,
        limits: MessageLimits = DEFAULT_LIMITS,
        uds: str | None = None,
        proxy_context: ssl.SSLContext | None = None,
        dialer: Dialer | None = None,
    ) -> None:
        self._host, self._port = split_host_port(host, port, self.default_port)
        self._origin: Origin = shared_origin(self.scheme, self._host, self._port, self.default_port)
        self.source_address = source_address
        self.limits = limits
        self.uds = uds
        self.proxy_context = proxy_context
        self.dialer = dialer

    @property
    def host(self) -> str:
        """The host that is connected to: the server, or the proxy of a tunnel."""
        return self._host

    @property
    def port(self) -> int:
        """The port that is connected to."""
        return self._port

    def get_proxy_response_headers(self) -> Headers | None:
        """The fields of the proxy's answer to CONNECT; None before there was one."""
        return self._proxy_headers

    def set_debuglevel(self, level: int) -> None:
        """Print what is sent and received when ``level`` is above 0, as ``http.client`` prints it."""
        self.debuglevel = level

    # -- the way there -----------------------------------------------------------------------------------------------

    async def _dial(self, tell: Tell | None, deadline: float | None) -> StreamProtocol:
        """A stream to the server, encrypted where it is to be; it knows how it was ``dialed``.

        ``tell`` is called with each step. ``deadline`` is the time of the loop at which the caller gives up.
        """
        now = get_running_loop().time
        started = now()
        tunnel = self._tunnel
        plain = await (self._reach(tell) if tunnel is None else self._reach_through(tunnel, tell, deadline))
        try:
            connected, looked_up = now(), plain.looked_up
            stream = await self._secure(plain)
            tls = None if stream is plain else now() - connected
            if tell is not None and tls is not None:
                tell_secured(tell, stream, tls)
        except BaseException as error:
            await plain.aborted(error)
            raise
        extra = stream.transport.get_extra_info
        version = None if tls is None else extra("ssl_object").version()
        connect = connected - started - (looked_up or 0.0)
        stream.dialed = Dialed(now(), looked_up, connect, tls, extra("peername"), version)
        return stream

    async def _reach(self, tell: Tell | None) -> StreamProtocol:
        """A connection to the server, or to the proxy."""
        if self.dialer is not None:
            return await dial_telling(self.dialer, self._host, self._port, tell)
        if self.uds is not None:
            return await dial_unix(self.uds)
        return await dial(self._host, self._port, source_address=self.source_address)

    async def _reach_through(self, tunnel: Tunnel, tell: Tell | None, deadline: float | None) -> StreamProtocol:
        """A tunnel; through the second connection where the proxy has closed the first to ask who we are."""
        now = get_running_loop().time
        turn, self.turn = self.turn or tunnel.begin(), None
        while True:
            stream = await self._reach(tell)
            try:
                since = now()
                if self.proxy_context is not None:
                    stream = await start_tls(stream, self.proxy_context, ascii_host(self._host))
                    if tell is not None:
                        tell_secured(tell, stream, now() - since)
                since = now()
                fields = await open_tunnel(stream, tunnel, self.limits, self.debuglevel, deadline, turn)
                if fields is not None:
                    self._proxy_headers = fields
                    if tell is not None:
                        tell(TUNNELLED, f"by {bracketed(self._host)}:{self._port}", now() - since)
                    return stream
            except BaseException as error:
                await stream.aborted(error)
                raise
            await stream.aborted()

    async def _secure(self, stream: StreamProtocol) -> StreamProtocol:
        """Encrypt the stream to the origin, in the class that does."""
        return stream
