"""A connection as one stream that one task uses at a time, and that is closed when anything goes wrong.

What goes over it is the business of ``_connection``, and where it comes from, of ``_openable``. Here is what must hold
whatever that is:

* what fails in the middle of an exchange, cancellation included, closes the stream before the exception leaves;
* two tasks that meet on one connection get ``ConcurrentUse`` or ``CannotSendRequest``; their bytes never mix;
* closing it in one task while another waits on it wakes that one with an error;
* whoever has lent it out is told of its end, once.
"""

from __future__ import annotations

import asyncio
import warnings
import weakref
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, TypeVar

from .._sentinels import DEFAULT, Default
from .._url import bracketed
from ..errors import ConcurrentUse, PhaseTimeout, ResponseNotReady
from ..wire import ExchangeState
from ._endpoint import Endpoint
from ._heads import DEFAULT_LIMITS
from ._request import NO_FIELDS
from ._response import AsyncHTTPResponse
from ._timeout import effective_timeout

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine
    from types import TracebackType
    from typing import Self

    from ..net import Dialer, StreamProtocol
    from ..timeouts import Timeout
    from ..wire import MessageLimits
    from ._heads import HeadReader, OnInformational
    from ._opening import Opening
    from ._request import Field
    from ._sender import BodySender

T = TypeVar("T")

BLOCKSIZE = 64 * 1024
"""Bytes read from a file at a time. ``http.client``'s 8 KiB would cost a thread switch for each."""

EXPECT_TIMEOUT = 1.0
"""Seconds to wait for ``100 Continue``. RFC 9110 section 10.1.1 forbids waiting for ever; curl waits this long."""

CLOSE_TIMEOUT = 1.0
"""Seconds in which a graceful close may send what is unsent."""


class Owner(Protocol):
    """What has lent a connection out, and is told in the very step in which it is free again. It is told once."""

    def exchange_complete(self, conn: Any, response: AsyncHTTPResponse) -> None:
        """``response`` was read to its end; ``conn`` can be used again, if its stream was not shut."""

    def connection_ended(self, conn: Any) -> None:
        """``conn`` was closed, for whatever reason."""


class Link(Endpoint):
    """A connection without its requests, and without a way to open it; :class:`AsyncHTTPConnection` has the parameters.

    ``untouched`` tells after a failure that not a byte of a response had come, and ``refused`` that the transport took
    no byte of the request.
    """

    # What changes with each exchange, for quick access: Python shares the keys of at most 30 attributes of a class, and
    # is slow to reach those of an instance with more. Everything else is in its dictionary, as anybody may expect.
    __slots__ = (
        "_deadline",
        "_epoch",
        "_fields",
        "_heads",
        "_method",
        "_opening",
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
        super().__init__(host, port, source_address, limits, uds, proxy_context, dialer)
        if blocksize <= 0:
            raise ValueError(f"blocksize must be greater than zero, got {blocksize!r}")
        self.strict = strict
        self.timeout = timeout
        self.blocksize = blocksize
        self.on_informational = on_informational
        self.expect_timeout = expect_timeout
        self.owner: Owner | None = None
        self.untouched = False
        self.refused = False
        self.claimed = False
        self._epoch = 0  # how often it was closed
        self._deadline: float | None = None
        self._opening: Opening | None = None
        self._state = ExchangeState.IDLE
        self._heads: HeadReader | None = None
        self._worn: HeadReader | None = None
        self._sender: BodySender | None = None
        self._response: AsyncHTTPResponse | weakref.ref[AsyncHTTPResponse] | None = None
        self._method = ""
        self._target = ""
        self._plan = NO_FIELDS
        self._fields: list[Field] = []
        self._skips = (False, False)

    # -- what it is --------------------------------------------------------------------------------------------------

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

    def _until(self, total: float) -> float:
        """The time of the loop at which an exchange that begins now, and may take ``total`` seconds, must be over."""
        return asyncio.get_running_loop().time() + total

    def __repr__(self) -> str:
        where = self.uds or f"{bracketed(self._host)}:{self._port}"
        return f"<{type(self).__name__} {where} {self._state.name}{'' if self.connected else ' (not connected)'}>"

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

    # -- closing -----------------------------------------------------------------------------------------------------

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
