"""The life of a connection: opened when it is needed, closed when anything goes wrong, used by one task at a time.

What goes over it is the business of ``_connection``. Here is what must hold whatever that is:

* what fails in the middle of an exchange, cancellation included, closes the stream before the exception leaves;
* a stream is used again only if nothing arrived on it since the last response ended. That is looked at when bytes come,
  and once more, by asking the kernel, before a request is written;
* two tasks that meet on one connection get ``ConcurrentUse`` or ``CannotSendRequest``; their bytes never mix;
* closing it in one task while another waits on it wakes that one with an error.
"""

from __future__ import annotations

import asyncio
import socket
import warnings
import weakref
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from .._sentinels import DEFAULT, Default
from .._url import ascii_host, bracketed, split_host_port
from ..errors import (
    ConcurrentUse,
    ConnectTimeout,
    NotConnected,
    PhaseTimeout,
    ProtocolError,
    RemoteDisconnected,
    ResponseNotReady,
    TotalTimeout,
)
from ..net import (
    LOST,
    PEER_CLOSED,
    TUNNELLED,
    Dialed,
    StreamProtocol,
    dial,
    dial_telling,
    dial_unix,
    start_tls,
    tell_secured,
)
from ..status import HTTP_PORT
from ..timeouts import Timeout
from ..wire import ExchangeEvent, ExchangeState, MessageLimits, advance
from ._heads import DEFAULT_LIMITS, HeadReader
from ._opening import Opening
from ._origin import Origin, shared_origin
from ._request import NO_FIELDS
from ._response import AsyncHTTPResponse
from ._tunnel import Tunnel, open_tunnel

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Coroutine, Mapping
    from types import TracebackType
    from typing import Self

    from .._headers import Headers
    from ..net import Dialer, Tell
    from ._heads import OnInformational
    from ._request import Field
    from ._sender import BodySender
    from ._tunnel import ProxyTurn

T = TypeVar("T")

BLOCKSIZE = 64 * 1024
"""Bytes read from a file at a time. ``http.client``'s 8 KiB would cost a thread switch for each."""

EXPECT_TIMEOUT = 1.0
"""Seconds to wait for ``100 Continue``. RFC 9110 section 10.1.1 forbids waiting for ever; curl waits this long."""

CLOSE_TIMEOUT = 1.0
"""Seconds in which a graceful close may send what is unsent."""

USUAL = Timeout()
UNBOUNDED = Timeout(pool=None, connect=None, write=None, read=None, min_rate=None)


class Owner(Protocol):
    """What has lent a connection out, and is told in the very step in which it is free again. It is told once."""

    def exchange_complete(self, conn: Any, response: AsyncHTTPResponse) -> None:
        """``response`` was read to its end; ``conn`` can be used again, if its stream was not shut."""

    def connection_ended(self, conn: Any) -> None:
        """``conn`` was closed, for whatever reason."""


class Link:
    """The connection without its transactions; see :class:`AsyncHTTPConnection`, which says what the parameters are."""

    # What changes with each exchange, for quick access: Python shares the keys of at most 30 attributes of a class, and
    # is slow to reach those of an instance with more. Everything else is in its dictionary, as anybody may expect.
    __slots__ = (
        "__dict__",
        "__weakref__",
        "_deadline",
        "_epoch",
        "_fields",
        "_heads",
        "_method",
        "_opening",
        "_origin",
        "_plan",
        "_response",
        "_sender",
        "_skips",
        "_state",
        "_stream",
        "_target",
        "_timeout",
        "_worn",
        "claimed",
        "owner",
        "refused",
        "untouched",
    )

    response_class: type[AsyncHTTPResponse] = AsyncHTTPResponse
    default_port: int = HTTP_PORT
    scheme: str = "http"
    auto_open: bool | int = True
    debuglevel: int = 0
    keeps_response: bool = True
    may_switch: bool = True

    def __init__(
        self,
        host: str,
        port: int | None = None,
        strict: bool = False,
        timeout: float | Timeout | Default | None = DEFAULT,
        source_address: tuple[str, int] | None = None,
        *,
        blocksize: int = BLOCKSIZE,
        limits: MessageLimits = DEFAULT_LIMITS,
        uds: str | None = None,
        proxy_context: ssl.SSLContext | None = None,
        on_informational: OnInformational | None = None,
        expect_timeout: float = EXPECT_TIMEOUT,
        dialer: Dialer | None = None,
    ) -> None:
        self._stream: StreamProtocol | None = None  # first, for __del__
        self._host, self._port = split_host_port(host, port, self.default_port)
        if blocksize <= 0:
            raise ValueError(f"blocksize must be greater than zero, got {blocksize!r}")
        self.strict = strict
        self.timeout = timeout
        self.source_address = source_address
        self.blocksize = blocksize
        self.limits = limits
        self.uds = uds
        self.dialer = dialer
        self.proxy_context = proxy_context
        self.on_informational = on_informational
        self.expect_timeout = expect_timeout
        self.owner: Owner | None = None
        self.untouched = False
        self.refused = False
        self._deadline: float | None = None
        self._opening: Opening | None = None
        self._tunnel: Tunnel | None = None
        self._proxy_headers: Headers | None = None
        self._state = ExchangeState.IDLE
        self.claimed = False
        self._epoch = 0
        self._heads: HeadReader | None = None
        self._worn: HeadReader | None = None
        self._sender: BodySender | None = None
        self._response: AsyncHTTPResponse | weakref.ref[AsyncHTTPResponse] | None = None
        self._method = ""
        self._target = ""
        self._plan = NO_FIELDS
        self._fields: list[Field] = []
        self._skips = (False, False)
        self._origin = shared_origin(self.scheme, self._host, self._port, self.default_port)

    # -- what it is --------------------------------------------------------------------------------------------------

    @property
    def host(self) -> str:
        """The host that is connected to: the server, or the proxy of a tunnel."""
        return self._host

    @property
    def port(self) -> int:
        """The port that is connected to."""
        return self._port

    @property
    def timeout(self) -> float | Timeout | Default | None:
        """What was given as ``timeout``; setting it takes effect with the next wait."""
        return self._given_timeout

    @timeout.setter
    def timeout(self, value: float | Timeout | Default | None) -> None:
        self._timeout = effective_timeout(value)
        self._given_timeout = value

    @property
    def state(self) -> ExchangeState:
        """Where the exchange stands."""
        return self._state

    @property
    def connected(self) -> bool:
        """True while there is an open connection that a request could go over."""
        return self._stream is not None and self._stream.spoiled is None

    def set_debuglevel(self, level: int) -> None:
        """Print what is sent and received when ``level`` is above 0, as ``http.client`` prints it."""
        self.debuglevel = level

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

    def get_proxy_response_headers(self) -> Headers | None:
        """The fields of the proxy's answer to CONNECT; None before there was one."""
        return self._proxy_headers

    def __repr__(self) -> str:
        where = self.uds or f"{bracketed(self._host)}:{self._port}"
        return f"<{type(self).__name__} {where} {self._state.name}{'' if self.connected else ' (not connected)'}>"

    # -- opening and closing -----------------------------------------------------------------------------------------

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

    async def close(self) -> None:
        """Close the connection, gracefully where nothing is in the way, within a second in any case.

        The next request opens a new one. What was not read of a response is lost.
        """
        await self._end(ResponseNotReady("the connection was closed before the response was read"), gracefully=True)

    def abort(self) -> None:
        """Close the connection now, without waiting for anything."""
        stream = self._forget(ResponseNotReady("the connection was aborted before the response was read"))
        if stream is not None and not stream.loop.is_closed():
            stream.abort()
        self._tell_owner()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def __del__(self) -> None:
        stream = self._stream
        if stream is not None and not stream.lost and not stream.transport.is_closing():
            warnings.warn(f"unclosed connection {self!r}", ResourceWarning, stacklevel=1, source=self)
            if not stream.loop.is_closed():
                stream.loop.call_soon_threadsafe(stream.abort)

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

    # -- one task at a time ------------------------------------------------------------------------------------------

    def check_unclaimed(self) -> None:
        """Refuse a second task.

        :raises ConcurrentUse: another task is in the middle of something on this connection
        """
        if self.claimed:
            raise ConcurrentUse("another task is using this connection; it carries one transaction at a time")

    async def exclusively(self, work: Coroutine[Any, Any, T]) -> T:
        """Await ``work`` while no other task may use the connection, and close the connection if it fails.

        :raises ConcurrentUse: another task is in the middle of something; ``work`` was not begun
        """
        if self.claimed:
            work.close()
            self.check_unclaimed()
        self.claimed = True
        epoch = self._epoch
        try:
            result = await work
            if epoch != self._epoch:
                self._raise_closed()
        except GeneratorExit:
            self.abort()  # nothing may be awaited any more
            raise
        except BaseException as error:
            closed = epoch != self._epoch
            await self.failed(error)
            if closed:
                self._raise_closed(error)
            raise
        finally:
            self.claimed = False
        return result

    def _raise_closed(self, error: BaseException | None = None) -> NoReturn:
        """Raise what is true when another task has closed the connection, whatever ``error`` came of it here."""
        if error is not None and (isinstance(error, ConnectionAbortedError) or not isinstance(error, Exception)):
            raise error
        raise ConnectionAbortedError("the connection was closed by another task") from error

    async def failed(self, error: BaseException) -> None:
        """Close the connection after ``error``, which is given the name of the request if it has room for it."""
        if isinstance(error, PhaseTimeout) and error.method is None and self._method:
            error.method, error.url = self._method, self._origin.full_url(self._target)
        heads = self._heads
        self.untouched = heads is not None and heads.untouched and heads.stream.ended
        cancelled = ResponseNotReady("the task that read the response was cancelled")
        await self._end(error if isinstance(error, Exception) else cancelled)

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _end(self, error: Exception, gracefully: bool = False) -> None:
        """Close the connection, which reading on raises ``error`` for; another event loop is left to do that itself."""
        stream = self._forget(error)
        try:
            if stream is None:
                return
            if stream.loop is not asyncio.get_running_loop():
                if not stream.loop.is_closed():
                    stream.loop.call_soon_threadsafe(stream.abort)
            elif gracefully:
                await stream.close(CLOSE_TIMEOUT)
            else:
                await stream.aborted()
        finally:
            self._tell_owner()

    def _tell_owner(self) -> None:
        owner, self.owner = self.owner, None
        if owner is not None:
            owner.connection_ended(self)

    def _forget(self, error: Exception) -> StreamProtocol | None:
        """Back to the beginning: no stream, no exchange; the stream that was, for the caller to close."""
        self._epoch += 1
        stream, self._stream = self._stream, None
        response, self._response = self._response, None
        self._state = ExchangeState.IDLE
        self._heads = self._sender = None
        self._fields = []
        if isinstance(response, weakref.ref):
            response = response()
        if response is not None:
            response.fail(error)
        if self._opening is not None and self._opening.loop is asyncio.get_running_loop():
            self._opening.loop.call_soon(self._opening.expire)
        return stream

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
        epoch = self._epoch
        loop = asyncio.get_running_loop()
        started = loop.time()
        limit, deadline, total = self._timeout.connect, self._deadline, self._timeout.total
        left = None if deadline is None else max(0.0, deadline - started)
        by_total = left is not None and (limit is None or left <= limit)
        opening = self._opening = Opening(loop, left if by_total else limit)
        try:
            stream = await self._dial(tell)
        except BaseException as error:
            if not opening.over(error):
                raise
            if epoch != self._epoch:
                self._raise_closed()
            now, url = loop.time(), self._origin.full_url("*")
            if by_total and total is not None and deadline is not None:
                raise TotalTimeout(total, now - deadline + total, "CONNECT", url) from None
            raise ConnectTimeout(limit or 0.0, now - started, "CONNECT", url) from None
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

    async def _dial(self, tell: Tell | None) -> StreamProtocol:
        assert self._opening is not None
        now = self._opening.loop.time
        started = now()
        plain = await (self._reach(tell) if self._tunnel is None else self._reach_through(self._tunnel, tell))
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

    async def _reach_through(self, tunnel: Tunnel, tell: Tell | None) -> StreamProtocol:
        """A tunnel; through the second connection where the proxy has closed the first to ask who we are."""
        now = asyncio.get_running_loop().time
        turn = tunnel.begin()
        until = None if self._opening is None else self._opening.deadline
        while True:
            stream = await self._reach(tell)
            try:
                since = now()
                if self.proxy_context is not None:
                    stream = await start_tls(stream, self.proxy_context, ascii_host(self._host))
                    if tell is not None:
                        tell_secured(tell, stream, now() - since)
                since = now()
                fields = await open_tunnel(stream, tunnel, self.limits, self.debuglevel, until, turn)
                if fields is not None:
                    self._proxy_headers = fields
                    if tell is not None:
                        tell(TUNNELLED, f"by {bracketed(self._host)}:{self._port}", now() - since)
                    return stream
            except BaseException as error:
                await stream.aborted(error)
                raise
            await stream.aborted()

    def _until(self, total: float) -> float:
        """The time of the loop at which an exchange that begins now, and may take ``total`` seconds, must be over."""
        return asyncio.get_running_loop().time() + total

    async def _secure(self, stream: StreamProtocol) -> StreamProtocol:
        """Encrypt the stream to the origin, in the class that does."""
        return stream


def effective_timeout(given: float | Timeout | Default | None) -> Timeout:
    """The bounds that a ``timeout`` argument stands for."""
    if isinstance(given, Default):
        given = socket.getdefaulttimeout()
        return USUAL if given is None else Timeout(given)
    if given is None:
        return UNBOUNDED
    return given if isinstance(given, Timeout) else Timeout(given)


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
