"""One connection, one transaction at a time: ``http.client.HTTPConnection`` with ``await`` where bytes move.

The state of the exchange moves only by the table in ``wire``. The coroutines here decide what is to be sent or awaited;
the sender, the head reader and the bodies do it, and the base class opens and closes what they do it on.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Literal, overload

from ..errors import ProtocolError, ReadTimeout, ResponseNotReady
from ..wire import (
    BodyKind,
    ExchangeEvent,
    ExchangeState,
    advance,
    check_method,
    check_target,
    field_line,
    request_head,
)
from ._blocks import encode_text
from ._bodies import body_of
from ._heads import SWITCHING_PROTOCOLS, HeadReader
from ._openable import OpenableLink
from ._request import Plan, plan_step_by_step, prepare
from ._sender import BodySender

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Coroutine

    from .._headers import HeadersInit
    from ..net import StreamProtocol
    from ..timeouts import Timeout
    from ..wire import ResponseHead
    from ._response import AsyncHTTPResponse, WholeResponse

# The way of every request through the table, looked up once. (An attribute of an Enum class, too, is slow to get before
# Python 3.12.)
IDLE = ExchangeState.IDLE
REQUEST_SENT = advance(IDLE, ExchangeEvent.WHOLE_REQUEST)
READING_RESPONSE = advance(REQUEST_SENT, ExchangeEvent.RESPONSE)
AFTER_RESPONSE = advance(READING_RESPONSE, ExchangeEvent.END_RESPONSE)
SWITCH = BodyKind.SWITCH

SMALL = 4096
"""Bytes of a body that is written with its head, and not waited for, as a head is not: what JSON APIs are asked. The
kernel has room for that on every connection that is not stuck (tcp(7), ``tcp_wmem``)."""


class AsyncHTTPConnection(OpenableLink):
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
    :param dialer: makes the connection instead of ours: see :class:`aiohttpclient.net.Dialer`
    :param expect_timeout: seconds to wait for ``100 Continue`` where the caller expects one, before the body is sent
        anyway
    :raises InvalidURL: ``host`` or ``port`` cannot be used
    """

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
        if self._state is not IDLE:
            advance(self._state, ExchangeEvent.WHOLE_REQUEST)  # says what is wrong
        url = url or "/"
        head, plan, body = prepare(self._origin, method, url, body, headers, encode_chunked)
        if self.debuglevel > 0 and plan.chunked and not encode_chunked:
            print(f"Unable to determine size of {body!r}")
        timeout = self._timeout
        self._deadline = None if timeout.total is None else self._until(timeout.total)
        stream = self._stream
        if stream is None or not stream.is_clean():
            await self.exclusively(self._make_ready())
        sending = self.start(method, url, head, body, plan, timeout, self._deadline)
        if sending is not None:
            await sending

    def start(
        self,
        method: str,
        target: str,
        head: bytes,
        body: Any,
        plan: Plan,
        timeout: Timeout,
        deadline: float | None,
        whole: bool = True,
    ) -> Coroutine[Any, Any, None] | None:
        """Write what ``prepare`` made on the open and clean connection; what has a body is then to be awaited.

        For ``request``, and for a pool, which opens connections by itself. ``deadline`` is the time of the loop by
        which the whole response must have been read; ``whole`` tells that ``body`` is all of it.
        """
        heads = self._heads
        if heads is None:
            self._raise_closed()
        stream = heads.stream
        self._timeout, self._deadline = timeout, deadline
        self._method, self._target, self._plan, self._sender = method, target, plan, None
        if (
            self.limits is not heads.limits
            or self.strict is not heads.strict
            or self.on_informational is not heads.on_informational
            or self.debuglevel != heads.debuglevel
        ):
            heads.adapt(self.limits, self.strict, self.on_informational, self.debuglevel)
        stream.allow(deadline, timeout.total, timeout.min_rate)
        if body is not None or plan.left != 0 or not whole:
            small = type(body) is bytes and len(body) <= SMALL and plan.left == len(body)
            if not (small and whole) or plan.expects or heads.debuglevel:
                return self.exclusively(self._send(heads, head, body, plan, whole and body is not None))
            head += body
        self._state = REQUEST_SENT
        if self.debuglevel > 0:
            print("send:", repr(head))
        stream.transport.write(head)  # what a StreamWriter would call
        if method != "GET":  # which may be repeated anyway
            self.refused = stream.base_transport.is_closing()
        return None

    @property
    def stopped(self) -> bool:
        """True when an answer, or the end, came before the body of the last request was sent, and ended the sending."""
        return self._sender is not None and self._sender.stopped

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
        own = self._origin.own_fields(self._target, *self._skips)
        head = request_head(self._method, self._target, plan.fields, own)
        timeout = self._timeout
        self._deadline = None if timeout.total is None else self._until(timeout.total)
        stream = self._stream
        if stream is None or not stream.is_clean():
            await self.exclusively(self._make_ready())
        sending = self.start(self._method, self._target, head, message_body, plan, timeout, self._deadline, whole=False)
        assert sending is not None
        await sending

    async def send(self, data: Any) -> None:
        """Send a piece of the body after ``endheaders``, as it is: bytes-like, str, a file, or an iterable of those.

        :raises ValueError: it is more than Content-Length declares, or nothing was declared
        """
        self.check_unclaimed()
        state = advance(self._state, ExchangeEvent.BODY)
        sender = self._sender
        if sender is None:
            raise ValueError("a body needs a Content-Length or Transfer-Encoding field in the head of its request")
        await self.exclusively(sender.send(data))
        self._state = advance(state, ExchangeEvent.END_BODY) if sender.left == 0 else state

    # -- responses ---------------------------------------------------------------------------------------------------

    @overload
    async def getresponse(self, *, whole: Literal[False] = False) -> AsyncHTTPResponse: ...

    @overload
    async def getresponse(self, *, whole: bool) -> AsyncHTTPResponse | WholeResponse: ...

    async def getresponse(self, *, whole: bool = False) -> AsyncHTTPResponse | WholeResponse:
        """Wait for the head of the response; its body is read from what is returned.

        :param whole: where all of the body has come with the head, give both in a :class:`WholeResponse`, and be free
            for the next request at once, without a word to the owner. Most small responses come so
        :raises ResponseNotReady: no request was sent, or its response was fetched already
        :raises ReadTimeout: no byte came for too long
        :raises RemoteDisconnected: the peer closed without an answer
        :raises HTTPException: what came is not a response, or breaks a limit
        """
        heads = self._heads
        if heads is None or self.claimed or self._state is not REQUEST_SENT:
            heads = self._heads_of_early_answer()
        stream = heads.stream
        seconds = self._timeout.read
        self.claimed = True  # what exclusively() does, written out: every request comes this way
        try:
            if not (stream.reader.buffered or stream.eof or stream.lost or heads.final):
                await stream.wait(seconds, ReadTimeout)
            head = heads.poll() or await heads.wait(seconds)
            framing = head.framing(self._method)
            length = framing.length
            if framing.kind is SWITCH:
                return self._switched(stream, head)
            content = body = None
            if whole and length is not None and length <= len(stream.reader.buffered):
                content = stream.reader.take(length)
            else:
                body = body_of(framing, stream, seconds, heads.limits, heads.strict)
            if self._heads is not heads:
                self._raise_closed()
        except BaseException as error:
            await self._unanswered(heads, error)
            raise
        finally:
            self.claimed = False
        will_close = (
            framing.last or self._plan.closes or (self._sender is not None and self._is_incomplete(self._sender))
        )
        if content is not None:
            self._come_to_rest(will_close)
            return head, content, stream.marks
        self._state = READING_RESPONSE
        response = self.response_class(self, stream, self._origin, self._method, self._target, head, body, will_close)
        if body is None:
            self.response_complete(response)
        else:
            self._response = response if self.keeps_response else weakref.ref(response)
        return response

    def _heads_of_early_answer(self) -> HeadReader:
        """Those of an answer that comes before its request was sent.

        :raises ConcurrentUse, ResponseNotReady: nobody may wait for an answer now
        """
        self.check_unclaimed()
        advance(self._state, ExchangeEvent.RESPONSE)
        if self._heads is None:
            raise ResponseNotReady("the connection was closed")
        return self._heads

    async def _unanswered(self, heads: HeadReader, error: BaseException) -> None:
        """Waiting for an answer has failed with ``error``: close, and say so if somebody else has closed before."""
        if isinstance(error, GeneratorExit):
            self.abort()
            return
        closed = self._heads is not heads
        await self.failed(error)
        if closed:
            self._raise_closed(error)

    def _switched(self, stream: StreamProtocol, head: ResponseHead) -> AsyncHTTPResponse:
        """The response after which the bytes are no longer HTTP: 101, or 2xx to CONNECT."""
        if head.status == SWITCHING_PROTOCOLS and not self._plan.upgrades:
            raise ProtocolError("the peer switched protocols, which nobody asked for")
        if not self.may_switch:
            raise ProtocolError("the peer switched protocols; that is for pool.connection() and detach()")
        self._state = advance(self._state, ExchangeEvent.SWITCH)
        return self.response_class(self, stream, self._origin, self._method, self._target, head, None, False)

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

    # -- for the response --------------------------------------------------------------------------------------------

    def response_complete(self, response: AsyncHTTPResponse) -> None:
        """The last byte of ``response`` was read: the connection is free, or closes, in this very step."""
        self._response = None
        self._come_to_rest(response.will_close)
        owner = self.owner
        if owner is not None and self._stream is not None:
            self.owner = None
            owner.exchange_complete(self, response)

    async def response_abandoned(self, response: AsyncHTTPResponse) -> None:
        """``response`` will not be read to its end: what is left of it must not stand before the next one."""
        await self._end(ResponseNotReady("the response was closed before its body was read"))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _come_to_rest(self, will_close: bool) -> None:
        self._state = AFTER_RESPONSE
        stream, heads = self._stream, self._heads
        if stream is not None and heads is not None:
            heads.final = None  # an idle connection keeps nothing of the last exchange
            if heads.informational:
                heads.rest()
            if will_close:
                stream.shut("the last response said that it was the last")
            else:
                stream.rest()

    async def _send(self, heads: HeadReader, head: bytes, body: Any, plan: Plan, whole: bool) -> None:
        """Send head and body; ``whole``: nothing more will follow."""
        sender = self._sender = BodySender(
            heads, plan.left, self._timeout.write, self.blocksize, self._deadline, self._timeout.total
        )
        self._state = ExchangeState.SENDING_BODY
        heads.stream.begun = heads.stream.loop.time()
        try:
            await sender.send_request(head, body, plan, self.expect_timeout)
        finally:
            self.refused = sender.refused
        if self._sender is not sender:
            self._raise_closed()
        if whole and sender.left and not sender.stopped:
            raise ValueError(f"the body ended {sender.left} bytes short of its Content-Length")
        if sender.complete and (whole or sender.left == 0):
            self._state = advance(self._state, ExchangeEvent.END_BODY)

    def _is_incomplete(self, sender: BodySender) -> bool:
        """Whether the body may not have been sent whole, so that the peer could take the next request for its rest."""
        return not (sender.complete and (sender.left == 0 or self._plan.chunked))
