"""One response: head at hand, body to be awaited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from .._headers import Headers
from ._bodies import BLOCK, Body, ChunkedBody, LengthBody

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from types import TracebackType
    from typing import Protocol, Self, TypeVar

    from ..net import Marks, StreamProtocol
    from ..wire import ResponseHead
    from ._origin import Origin

    T = TypeVar("T")

    class Exchange(Protocol):
        """What a response needs of the connection that it came over."""

        claimed: bool
        debuglevel: int

        def response_complete(self, response: AsyncHTTPResponse) -> None: ...
        async def response_abandoned(self, response: AsyncHTTPResponse) -> None: ...
        async def failed(self, error: BaseException) -> None: ...
        async def exclusively(self, work: Coroutine[Any, Any, T]) -> T: ...
        def check_unclaimed(self) -> None: ...
        def abort(self) -> None: ...


WholeResponse: TypeAlias = "tuple[ResponseHead, bytes, Marks]"
"""Head and body of a response, and :attr:`AsyncHTTPResponse.marks`. A plain tuple: most requests make one."""


class AsyncHTTPResponse:
    """The answer to one request, as :class:`http.client.HTTPResponse`, with ``await`` where bytes move.

    Made by :meth:`AsyncHTTPConnection.getresponse`. The connection is free for the next request in the step in which
    the last byte of the body was read; a response without a body is complete from the start.

    ``status`` (int), ``reason`` (str), ``version`` (9, 10 or 11 for HTTP/0.9, 1.0, 1.1), ``headers``
    (:class:`~aiohttpclient.Headers`, also as ``msg``), ``chunked`` (bool), ``will_close`` (bool: the connection ends
    with this response), ``method`` and ``url`` of the request. ``head`` is what ``wire`` made of the head; it is shared
    by responses, and not to be changed.
    """

    __slots__ = (
        "_body",
        "_exchange",
        "_failure",
        "_headers",
        "_origin",
        "_stream",
        "_target",
        "_trailers",
        "chunked",
        "head",
        "method",
        "will_close",
    )

    def __init__(
        self,
        exchange: Exchange,
        stream: StreamProtocol,
        origin: Origin,
        method: str,
        target: str,
        head: ResponseHead,
        body: Body | None,
        will_close: bool,
    ) -> None:
        self.head = head
        self._headers: Headers | None = None
        self.method = method
        self.will_close = will_close
        self.chunked = type(body) is ChunkedBody
        self._origin = origin
        self._target = target
        self._trailers: Headers | None = None
        self._exchange = exchange
        self._stream = stream
        self._body = body
        self._failure: BaseException | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} [{self.status} {self.reason}] {self.method} {self.url}>"

    # -- the head ----------------------------------------------------------------------------------------------------

    @property
    def status(self) -> int:
        """The status code (RFC 9110 section 15)."""
        return self.head.status

    @property
    def reason(self) -> str:
        """The reason phrase, which may be empty."""
        return self.head.reason

    @property
    def version(self) -> int:
        """9, 10 or 11."""
        return self.head.version

    @property
    def url(self) -> str:
        """The URL that was asked for."""
        return self._origin.full_url(self._target)

    @property
    def debuglevel(self) -> int:
        """The connection's."""
        return self._exchange.debuglevel

    @property
    def headers(self) -> Headers:
        """The header fields: names without case, in the order in which they came."""
        if self._headers is None:
            self._headers = self.head.headers
        return self._headers

    @property
    def msg(self) -> Headers:
        """The header fields: ``http.client``'s older name for ``headers``."""
        return self.headers

    def getheader(self, name: str, default: Any = None) -> Any:
        """The value of a field, several joined by ``", "``; without one ``default``, joined if it is a list."""
        values = self.headers.getall(name, None) or default
        if isinstance(values, str) or not hasattr(values, "__iter__"):
            return values
        return ", ".join(values)

    def getheaders(self) -> list[tuple[str, str]]:
        """All fields as (name, value), in the order in which they came."""
        return list(self.headers.items())

    def info(self) -> Headers:
        """The header fields, as old-style ``urllib`` responses give them."""
        return self.headers

    def geturl(self) -> str:
        """The URL that was asked for; redirects are not followed at this level."""
        return self.url

    def getcode(self) -> int:
        """The status."""
        return self.status

    def fileno(self) -> int:
        """The file descriptor of the connection's socket."""
        return int(self._stream.base_transport.get_extra_info("socket").fileno())

    @property
    def marks(self) -> Marks:
        """The stream's, for a client, which asks as soon as it has the response."""
        return self._stream.marks

    # -- the body ----------------------------------------------------------------------------------------------------

    @property
    def length(self) -> int | None:
        """Bytes of the body that are left, None when only its end will tell."""
        body = self._body
        if body is None:
            return 0
        return body.remaining if isinstance(body, LengthBody) else None

    @property
    def trailers(self) -> Headers:
        """Fields that came after a chunked body (RFC 9112 section 7.1.2); empty until the body was read to its end."""
        return Headers() if self._trailers is None else self._trailers

    def isclosed(self) -> bool:
        """True when nothing is left to read: the body is complete, failed or was closed."""
        return self._body is None

    @property
    def closed(self) -> bool:
        """The same as :meth:`isclosed`, by the name that files use."""
        return self._body is None

    @property
    def complete(self) -> bool:
        """True when the body was read to its end, or there is none."""
        return self._body is None and self._failure is None

    def readable(self) -> bool:
        """True, as for every file that can be read."""
        return True

    async def read(self, amt: int | None = None) -> bytes:
        """The rest of the body, or ``amt`` bytes of it: fewer only where it ends, and none after that.

        :raises IncompleteRead: the peer ended the body early; ``partial`` (bytes) came, ``expected`` (int or None) did
            not
        :raises ReadTimeout: no byte came for too long
        :raises ProtocolError: the chunked coding is broken
        """
        body = self._body
        if body is None:
            return self._nothing()
        if self._exchange.claimed:
            self._exchange.check_unclaimed()
        if amt is None or amt < 0:
            try:
                data = body.take_rest()
            except BaseException as error:
                await self._exchange.failed(error)
                raise
            if data is None:
                data = await self._exchange.exclusively(body.read_all())
        else:
            data = await self._exchange.exclusively(body.read_exactly(amt))
        if body.ended:
            self._complete(body)
        return data

    async def read1(self, n: int = -1) -> bytes:
        """From 1 to ``n`` bytes of the body as soon as there are any (negative: any number); none at its end."""
        body = self._body
        if body is None or n == 0:
            return self._nothing()
        data = await self._exchange.exclusively(body.read_some(BLOCK if n < 0 else n))
        if body.ended:
            self._complete(body)
        return data

    async def read_soon(self, n: int, seconds: float) -> bytes:
        """As :meth:`read1`, but it waits for ``seconds`` at most, and none does not mean the end: see :meth:`isclosed`.

        A wait that was in vain is no error, and has closed nothing: the body can still be read.
        """
        body = self._body
        if body is None or n == 0:
            return self._nothing()
        data = await self._exchange.exclusively(body.read_soon(n, seconds))
        if body.ended:
            self._complete(body)
        return data

    async def readinto(self, buffer: Any) -> int:
        """Read into a writable bytes-like object: its whole size, or less where the body ends; the number of bytes.

        A large body of known length is received straight into ``buffer``.
        """
        body = self._body
        if body is None:
            return len(self._nothing())
        with memoryview(buffer) as whole, whole.cast("B") as view:  # given back at once, however this ends
            if view.readonly:
                raise TypeError("readinto() needs a writable bytes-like object")
            count = await self._exchange.exclusively(body.read_into(view))
        if body.ended:
            self._complete(body)
        return count

    async def readline(self, limit: int = -1) -> bytes:
        """The next line of the body with its line feed, at most ``limit`` bytes of it; none at the end."""
        body = self._body
        if body is None:
            return self._nothing()
        data = await self._exchange.exclusively(body.read_line(limit))
        if body.ended:
            self._complete(body)
        return data

    async def readlines(self, hint: int = -1) -> list[bytes]:
        """The lines that are left, or as many as make up ``hint`` bytes."""
        lines: list[bytes] = []
        size = 0
        async for line in self:
            lines.append(line)
            size += len(line)
            if 0 < hint <= size:
                break
        return lines

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        line = await self.readline()
        if not line:
            raise StopAsyncIteration
        return line

    async def iter_bytes(self, size: int | None = None) -> AsyncIterator[bytes]:
        """The body in blocks: of ``size`` bytes each but the last, or as they come."""
        if size is not None and size <= 0:
            raise ValueError(f"size must be greater than zero, got {size!r}")
        read = self.read1 if size is None else self.read
        while block := await read(size or BLOCK):
            yield block
            del block

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give up what was not read, and the connection with it: the rest would stand before the next response."""
        if self._body is not None:
            await self._exchange.response_abandoned(self)

    def abort(self) -> None:
        """The same now, without waiting for anything."""
        if self._body is not None:
            self._exchange.abort()

    def fail(self, error: BaseException) -> None:
        """Note why the body will not be complete; reading on raises it again. Called by the connection."""
        if self._body is not None:
            self._body = None
            self._failure = error

    # -- inside ------------------------------------------------------------------------------------------------------

    def _nothing(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        return b""

    def _complete(self, body: Body) -> None:
        self._body = None
        if type(body) is ChunkedBody:
            self._trailers = body.decoder.trailers
        self._exchange.response_complete(self)
