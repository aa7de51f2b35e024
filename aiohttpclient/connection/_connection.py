"""One connection, one transaction at a time: ``http.client.HTTPConnection`` with ``await`` where bytes move.

Theory of operation
-------------------
A connection is a stream (or none, before it is opened and after it is closed) and the state of one exchange, which
moves only by the table in ``wire``. The public coroutines decide what is to be sent or awaited; the sender, the head
reader and the bodies do it.

* Whatever goes wrong in the middle of an exchange, cancellation included, closes the stream before the exception
  leaves: half a request or half a response is in the way of the next.
* A stream is used again only if nothing arrived on it since the last response ended. That is looked at when bytes come,
  and once more, by asking the kernel, before a request is written.
* Two tasks that meet on one connection get ``ConcurrentUse`` or ``CannotSendRequest``; their bytes never mix.
"""

from __future__ import annotations

import asyncio
import socket
import time
import warnings
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from .._sentinels import DEFAULT, Default
from .._url import ascii_host, bracketed, host_field, split_host_port, target_authority
from ..errors import (
    ConcurrentUse,
    ConnectTimeout,
    NotConnected,
    PhaseTimeout,
    ProtocolError,
    ReadTimeout,
    ResponseNotReady,
    TunnelError,
)
from ..net import StreamProtocol, dial, dial_unix, start_tls
from ..status import HTTP_PORT
from ..timeouts import Timeout
from ..wire import (
    BodyKind,
    ExchangeEvent,
    ExchangeState,
    MessageLimits,
    advance,
    check_method,
    check_target,
    field_line,
    keeps_alive,
    request_head,
    response_framing,
)
from ._bodies import body_of
from ._heads import SWITCHING_PROTOCOLS, HeadReader
from ._request import METHODS_WITH_BODY, Plan, body_size, full_url, plan_request, plan_step_by_step
from ._response import AsyncHTTPResponse
from ._sender import BodySender, encode_text

if TYPE_CHECKING:
    import ssl
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Coroutine, Mapping
    from types import TracebackType
    from typing import Self

    from .._headers import Headers, HeadersInit
    from ..wire import ResponseHead
    from ._heads import OnInformational
    from ._request import Field

T = TypeVar("T")

BLOCKSIZE = 64 * 1024
"""Bytes read from a file at a time. ``http.client``'s 8 KiB would cost a thread switch for each."""

EXPECT_TIMEOUT = 1.0
"""Seconds to wait for ``100 Continue``. RFC 9110 section 10.1.1 forbids waiting for ever; curl waits this long."""

CLOSE_TIMEOUT = 1.0
"""Seconds in which a graceful close may send what is unsent."""

DEFAULT_LIMITS = MessageLimits()

# An attribute of an Enum class is looked up slowly before Python 3.12; these are on the way of every request.
WHOLE_REQUEST, RESPONSE = ExchangeEvent.WHOLE_REQUEST, ExchangeEvent.RESPONSE
SWITCH, UNTIL_CLOSE = BodyKind.SWITCH, BodyKind.UNTIL_CLOSE
AFTER_RESPONSE = advance(ExchangeState.READING_RESPONSE, ExchangeEvent.END_RESPONSE)

_NO_FIELDS = Plan([])
_ACCEPT_ENCODING = field_line("Accept-Encoding", "identity")


class AsyncHTTPConnection:
    """A connection to an HTTP server, which carries one transaction at a time.

    :param host: name or address; the port may follow a colon (``"example.org:8080"``)
    :param port: from 1 to 65535; None: the one in ``host``, or ``default_port``
    :param strict: refuse everything ambiguous in a response; False forgives what ``http.client`` forgives (bare line
        feeds, an HTTP/0.9 response), and closes the connection after it
    :param timeout: seconds for the connect, each write and each read; a :class:`Timeout` sets them apart; None: no
        bound; not given: ``socket.getdefaulttimeout()`` if that is set, else the defaults of :class:`Timeout`
    :param source_address: (host, port) to connect from
    :param blocksize: bytes read from a file at a time
    :param limits: bounds on what a peer may send
    :param uds: path of a Unix socket to connect to instead of ``host`` and ``port``, which still name the origin
    :param proxy_context: encrypt the connection to a proxy that ``set_tunnel`` goes through
    :param on_informational: called with (status, reason, headers) of each 1xx response but 101
    :param expect_timeout: seconds to wait for ``100 Continue`` where the caller expects one, before the body is sent
        anyway
    :raises InvalidURL: ``host`` or ``port`` cannot be used
    """

    response_class: type[AsyncHTTPResponse] = AsyncHTTPResponse
    default_port: int = HTTP_PORT
    scheme: str = "http"
    auto_open: bool | int = True
    debuglevel: int = 0

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
        self.proxy_context = proxy_context
        self.on_informational = on_informational
        self.expect_timeout = expect_timeout
        self._tunnel: tuple[str, int] | None = None
        self._tunnel_fields: list[Field] = []
        self._proxy_headers: Headers | None = None
        self._state = ExchangeState.IDLE
        self.claimed = False
        self._epoch = 0
        self._heads: HeadReader | None = None
        self._sender: BodySender | None = None
        self._response: AsyncHTTPResponse | None = None
        self._method = ""
        self._target = ""
        self._plan = _NO_FIELDS
        self._fields: list[Field] = []
        self._skips = (False, False)
        self._set_origin(self._host, self._port)

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
        self._given_timeout = value
        self._timeout = effective_timeout(value)

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

    def set_tunnel(self, host: str, port: int | None = None, headers: Mapping[str, str] | None = None) -> None:
        """Reach ``host`` and ``port`` through CONNECT (RFC 9110 section 9.3.6); the constructor's host is the proxy.

        ``headers`` go with the CONNECT request, and only there.

        :raises RuntimeError: the connection is open already
        """
        if self._stream is not None and not self._stream.lost:
            raise RuntimeError("Can't set up tunnel for established connection")
        self._tunnel = split_host_port(host, port, self.default_port)
        self._tunnel_fields = list(headers.items()) if headers else []
        self._set_origin(*self._tunnel)

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
            await self.exclusively(self._open())

    async def close(self) -> None:
        """Close the connection, gracefully where nothing is in the way, within a second in any case.

        The next request opens a new one. What was not read of a response is lost.
        """
        stream = self._forget(ResponseNotReady("the connection was closed before the response was read"))
        if stream is not None:
            await stream.close(CLOSE_TIMEOUT)

    def abort(self) -> None:
        """Close the connection now, without waiting for anything."""
        stream = self._forget(ResponseNotReady("the connection was aborted before the response was read"))
        if stream is not None:
            stream.abort()

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

    def detach(self) -> tuple[StreamReader, StreamWriter]:
        """Give the byte stream away, after a 101 or a 2xx to CONNECT.

        The ``asyncio.StreamReader`` starts with what followed the head; the ``asyncio.StreamWriter`` is the caller's to
        close.

        :raises ResponseNotReady: no such response was received
        """
        stream = self._stream
        if self._state is not ExchangeState.SWITCHED or stream is None:
            raise ResponseNotReady("only a connection that was switched to another protocol can be detached")
        stream.release()
        self._forget(ResponseNotReady("the connection was detached"))
        return stream.reader, stream.writer

    # -- requests ----------------------------------------------------------------------------------------------------

    async def request(
        self,
        method: str,
        url: str,
        body: Any = None,
        headers: HeadersInit = {},  # noqa: B006  # http.client's signature; it is never changed
        *,
        encode_chunked: bool = False,
    ) -> None:
        """Send a complete request.

        :param url: the target: ``/path?query``, a whole URL (for a proxy), or ``*``; percent-encoded
        :param body: bytes-like, str (sent as ISO-8859-1), a file, an iterable or async iterable of those
        :param headers: mapping or (name, value) pairs; Host, Accept-Encoding, Content-Length and Transfer-Encoding are
            added where they are not given
        :param encode_chunked: chunk the body although the caller gave the Transfer-Encoding field
        :raises CannotSendRequest: the response to the last request was not read
        :raises ValueError, InvalidURL: something that cannot be sent; the connection is as it was
        :raises WriteTimeout: the peer took no byte for too long
        :raises OSError: the connection could not be opened, or ended before an answer

        When the peer answers before the body is sent, and does not want the rest, ``request`` returns: the answer is
        there.
        """
        if self.claimed:
            self.check_unclaimed()
        sent = advance(self._state, WHOLE_REQUEST)
        if isinstance(body, str):
            body = encode_text(body)
        if headers or body is not None or method.upper() in METHODS_WITH_BODY:
            plan = plan_request(method, body, headers, encode_chunked)
        else:
            plan = _NO_FIELDS
        url = url or "/"
        head = request_head(method, url, plan.fields, self._own_fields(url, plan.has_host, plan.has_accept_encoding))
        stream = self._stream
        if stream is None or stream.spoiled is not None or stream.readable():
            stream = await self.exclusively(self._make_ready())
        self._begin(method, url, plan)
        if body is None and plan.left == 0:
            self._state = sent
            self._write(stream, head)
        else:
            self._state = ExchangeState.SENDING_BODY
            await self.exclusively(self._send_request(stream, head, body, plan, whole=body is not None))

    def putrequest(self, method: str, url: str, skip_host: bool = False, skip_accept_encoding: bool = False) -> None:
        """Begin a request step by step: then ``putheader``, ``endheaders`` and ``send``.

        ``skip_host`` and ``skip_accept_encoding`` leave out the fields that are otherwise added.
        """
        self.check_unclaimed()
        state = advance(self._state, ExchangeEvent.START)
        check_method(method)
        check_target(url := url or "/")
        self._method, self._target = method, url
        self._skips = (skip_host, skip_accept_encoding)
        self._fields = []
        self._state = state

    def putheader(self, header: str | bytes, *values: str | bytes | int) -> None:
        """Add a field.

        Several values are joined by a space: ``http.client`` folds them, which RFC 9112 section 5.2 forbids and defines
        to mean the same.

        :raises ValueError: the name is not a token, or a value has a control character in it
        """
        state = advance(self._state, ExchangeEvent.FIELD)
        name, _, value = field_line(header, *values).partition(b": ")
        self._fields.append((name, value[:-2]))
        self._state = state

    async def endheaders(self, message_body: Any = None, *, encode_chunked: bool = False) -> None:
        """Send the head, and ``message_body`` after it, chunked if ``encode_chunked``.

        :raises ValueError: the fields contradict each other or the body
        """
        self.check_unclaimed()
        advance(self._state, ExchangeEvent.END_HEAD)
        if isinstance(message_body, str):
            message_body = encode_text(message_body)
        plan = plan_step_by_step(self._fields, message_body, encode_chunked)
        own = self._own_fields(self._target, *self._skips)
        head = request_head(self._method, self._target, plan.fields, own)
        stream = self._stream
        if stream is None or stream.spoiled is not None or stream.readable():
            stream = await self.exclusively(self._make_ready())
        self._begin(self._method, self._target, plan)
        self._state = ExchangeState.SENDING_BODY
        if message_body is None and not plan.expects:
            self._write(stream, head)
            self._sender = self._new_sender(stream, plan)
            if plan.left == 0:
                self._state = advance(self._state, ExchangeEvent.END_BODY)
        else:
            await self.exclusively(self._send_request(stream, head, message_body, plan, whole=False))

    async def send(self, data: Any) -> None:
        """Send a piece of the body after ``endheaders``, as it is: bytes-like, str, a file, or an iterable of those.

        :raises ValueError: it is more than Content-Length declares, or nothing was declared
        """
        self.check_unclaimed()
        state = advance(self._state, ExchangeEvent.BODY)
        if self._sender is None:
            raise ValueError("a body needs a Content-Length or Transfer-Encoding field in the head of its request")
        await self.exclusively(self._sender.send(data))
        if state is ExchangeState.SENDING_BODY and self._sender.left == 0:
            state = advance(state, ExchangeEvent.END_BODY)
        self._state = state

    # -- responses ---------------------------------------------------------------------------------------------------

    async def getresponse(self) -> AsyncHTTPResponse:
        """Wait for the head of the response; its body is read from what is returned.

        :raises ResponseNotReady: no request was sent, or its response was fetched already
        :raises ReadTimeout: no byte came for too long
        :raises RemoteDisconnected: the peer closed without an answer
        :raises HTTPException: what came is not a response, or breaks a limit
        """
        if self.claimed:
            self.check_unclaimed()
        state = advance(self._state, RESPONSE)
        heads = self._heads
        if heads is None:
            raise ResponseNotReady("the connection was closed")
        stream = heads.stream
        strict, seconds = self.strict, self._timeout.read
        self.claimed = True  # what exclusively() does, written out: every request comes this way
        try:
            while not (stream.reader.buffered or stream.ended or heads.final):
                await stream.wait(seconds, ReadTimeout)
            head = heads.poll() or await heads.wait(seconds)
            framing = response_framing(self._method, head.status, head.version, head.headers, strict)
            if framing.kind is SWITCH:
                return self._switched(stream, head)
            body = body_of(framing, stream, seconds, self.limits, strict)
            if self._heads is not heads:
                self._raise_closed()
        except GeneratorExit:
            self.abort()
            raise
        except BaseException as error:
            await self.failed(error)
            raise
        finally:
            self.claimed = False
        will_close = (
            framing.ambiguous
            or framing.kind is UNTIL_CLOSE
            or self._plan.closes
            or self._is_incomplete()
            or not keeps_alive(head.version, head.headers)
        )
        self._state = state
        response = self.response_class(self, stream, self._method, self._target, head, body, will_close)
        if body is None:
            self.response_complete(response)
        else:
            self._response = response
        return response

    def _switched(self, stream: StreamProtocol, head: ResponseHead) -> AsyncHTTPResponse:
        """The response after which the bytes are no longer HTTP: 101, or 2xx to CONNECT."""
        if head.status == SWITCHING_PROTOCOLS and not self._plan.upgrades:
            raise ProtocolError("the peer switched protocols, which nobody asked for")
        self._state = advance(self._state, ExchangeEvent.SWITCH)
        return self.response_class(self, stream, self._method, self._target, head, None, False)

    # -- for the response --------------------------------------------------------------------------------------------

    def full_url(self, target: str) -> str:
        """The URL that ``target`` stands for on this connection."""
        return full_url(self.scheme, self._authority, target)

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
            await self.failed(error)
            raise
        finally:
            self.claimed = False
        return result

    def _raise_closed(self) -> NoReturn:
        raise ConnectionAbortedError("the connection was closed by another task")

    async def failed(self, error: BaseException) -> None:
        """Close the connection after ``error``, which is given the name of the request if it has room for it."""
        if isinstance(error, PhaseTimeout) and error.method is None and self._method:
            error.method, error.url = self._method, self.full_url(self._target)
        cancelled = ResponseNotReady("the task that read the response was cancelled")
        stream = self._forget(error if isinstance(error, Exception) else cancelled)
        if stream is not None:
            await stream.aborted()

    def response_complete(self, response: AsyncHTTPResponse) -> None:
        """The last byte of ``response`` was read: the connection is free, or closes, in this very step."""
        self._response = None
        self._state = AFTER_RESPONSE
        stream = self._stream
        if stream is not None:
            if response.will_close:
                stream.shut("the last response said that it was the last")
            else:
                stream.rest()

    async def response_abandoned(self, response: AsyncHTTPResponse) -> None:
        """``response`` will not be read to its end: what is left of it must not stand before the next one."""
        stream = self._forget(ResponseNotReady("the response was closed before its body was read"))
        if stream is not None:
            await stream.aborted()

    # -- inside: the exchange ----------------------------------------------------------------------------------------

    def _begin(self, method: str, target: str, plan: Plan) -> None:
        self._method, self._target, self._plan = method, target, plan
        self._sender = None
        heads = self._heads
        if heads is not None:
            heads.begin()
            heads.debuglevel = self.debuglevel
            heads.stream.quiet = False

    def _forget(self, error: Exception) -> StreamProtocol | None:
        """Back to the beginning: no stream, no exchange; the stream that was, for the caller to close."""
        self._epoch += 1
        stream, self._stream = self._stream, None
        response, self._response = self._response, None
        self._state = ExchangeState.IDLE
        self._heads = self._sender = None
        self._fields = []
        if response is not None:
            response.fail(error)
        return stream

    def _is_incomplete(self) -> bool:
        """Whether the request may not have been sent whole, so that the peer could take the next for its rest."""
        sender = self._sender
        return (
            sender is not None
            and (sender.stopped or sender.left != 0)
            and not (self._plan.chunked and not sender.stopped)
        )

    # -- inside: sending ---------------------------------------------------------------------------------------------

    def _set_origin(self, host: str, port: int) -> None:
        self._authority = host_field(host, port, self.default_port)
        self._host_field = field_line("Host", self._authority)
        self._both_fields = self._host_field + _ACCEPT_ENCODING

    def _own_fields(self, target: str, skip_host: bool, skip_accept_encoding: bool) -> bytes:
        """The field lines that are added to every request: Host, Accept-Encoding."""
        host = self._host_field
        if target.startswith("http") and (authority := target_authority(target)):
            host = field_line("Host", authority)
        elif not (skip_host or skip_accept_encoding):
            return self._both_fields
        return (b"" if skip_host else host) + (b"" if skip_accept_encoding else _ACCEPT_ENCODING)

    def _write(self, stream: StreamProtocol, data: bytes) -> None:
        if self.debuglevel > 0:
            print("send:", repr(data))
        stream.writer.write(data)

    def _new_sender(self, stream: StreamProtocol, plan: Plan) -> BodySender:
        assert self._heads is not None
        return BodySender(
            stream,
            self._heads.poll,
            left=plan.left,
            seconds=self._timeout.write,
            blocksize=self.blocksize,
            debuglevel=self.debuglevel,
        )

    async def _send_request(self, stream: StreamProtocol, head: bytes, body: Any, plan: Plan, whole: bool) -> None:
        """Send head and body, a small body in the same segment; ``whole``: nothing more will follow it."""
        sender = self._sender = self._new_sender(stream, plan)
        size = body_size(body)
        if plan.expects or body is None:
            self._write(stream, head)
            if plan.expects and not await self._continue(stream):
                sender.stopped = True
                return
        elif size is not None and size <= self.blocksize and not plan.chunked and self.debuglevel <= 0:
            await sender.send_with_head(head, body)
            body = None
        else:
            self._write(stream, head)
        if body is not None:
            await sender.send(body, chunked=plan.chunked)
        elif plan.chunked:
            await sender.send(b"", chunked=True)
        if self._sender is not sender:
            self._raise_closed()
        if whole and sender.left and not sender.stopped:
            raise ValueError(f"the body ended {sender.left} bytes short of its Content-Length")
        if not sender.stopped and not sender.left:
            self._state = advance(self._state, ExchangeEvent.END_BODY)

    async def _continue(self, stream: StreamProtocol) -> bool:
        """Wait for ``100 Continue``, for a while; False when a final response came (RFC 9110 section 10.1.1)."""
        heads = self._heads
        assert heads is not None
        deadline = time.monotonic() + self.expect_timeout
        while heads.poll() is None and not heads.continued and not stream.ended:
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            try:
                await stream.wait(left, ReadTimeout)
            except ReadTimeout:
                return True
        return heads.final is None and not stream.ended

    # -- inside: connecting ------------------------------------------------------------------------------------------

    async def _make_ready(self) -> StreamProtocol:
        """A stream that a request can be written to: the one there is, if it is clean, or a new one."""
        stream = self._stream
        if stream is not None:
            await stream.check_quiet()
            if stream.spoiled is None:
                return stream
        if not self.auto_open:
            raise NotConnected("the connection is not open, and auto_open is off")
        return await self._open()

    async def _open(self) -> StreamProtocol:
        """Connect within the connect timeout, and put the stream in place."""
        old, self._stream = self._stream, None
        if old is not None:
            await old.aborted()
        epoch = self._epoch
        started = time.monotonic()
        limit = self._timeout.connect
        scope = asyncio.timeout(limit)
        try:
            async with scope:
                stream = await self._dial()
        except TimeoutError:
            if limit is None or not scope.expired():
                raise  # the system's own ETIMEDOUT
            url = f"{self.scheme}://{self._authority}"
            raise ConnectTimeout(limit, time.monotonic() - started, "CONNECT", url) from None
        if epoch != self._epoch:
            await stream.aborted()
            self._raise_closed()
        self._stream = stream
        self._heads = HeadReader(stream, self.limits, self.strict, self._inform)
        return stream

    async def _dial(self) -> StreamProtocol:
        if self.uds is not None:
            stream = await dial_unix(self.uds)
        else:
            stream = await dial(self._host, self._port, source_address=self.source_address)
        try:
            if self._tunnel is not None:
                if self.proxy_context is not None:
                    stream = await start_tls(stream, self.proxy_context, ascii_host(self._host))
                await self._open_tunnel(stream, *self._tunnel)
            return await self._secure(stream)
        except BaseException:
            await stream.aborted()
            raise

    async def _secure(self, stream: StreamProtocol) -> StreamProtocol:
        """Encrypt the stream to the origin, in the class that does."""
        return stream

    async def _open_tunnel(self, stream: StreamProtocol, host: str, port: int) -> None:
        """Ask the proxy for a tunnel.

        :raises TunnelError: it refused
        :raises ProtocolError: it sent bytes that the origin cannot have sent
        """
        authority = f"{bracketed(ascii_host(host))}:{port}"
        has_host = any(str(name).lower() == "host" for name, _ in self._tunnel_fields)
        own = b"" if has_host else field_line("Host", authority)
        head = request_head("CONNECT", authority, self._tunnel_fields, own)
        if self.debuglevel > 0:
            print("send:", repr(head))
        stream.quiet = False
        stream.transport.write(head)
        heads = HeadReader(stream, self.limits, True, None)
        heads.debuglevel = self.debuglevel
        answer = await heads.wait(None)  # within the connect timeout
        self._proxy_headers = answer.headers
        if not 200 <= answer.status < 300:
            raise TunnelError(answer.status, answer.reason, list(answer.headers.items()))
        stream.rest()
        if stream.spoiled is not None:
            raise ProtocolError(f"the proxy answered CONNECT with {answer.status}, but {stream.spoiled}")

    def _inform(self, status: int, reason: str, headers: Headers) -> None:
        if self.on_informational is not None:
            self.on_informational(status, reason, headers)


def effective_timeout(given: float | Timeout | Default | None) -> Timeout:
    """The bounds that a ``timeout`` argument stands for."""
    if isinstance(given, Default):
        given = socket.getdefaulttimeout()
        return Timeout() if given is None else Timeout(given)
    if given is None:
        return Timeout(connect=None, write=None, read=None)
    return given if isinstance(given, Timeout) else Timeout(given)
