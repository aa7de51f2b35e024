"""The body of a response that is still to come: taken once, in one form, and how that ends.

Theory of operation. A body has two forms, raw and decoded. Whoever reads first decides which of them it is, and each
byte is given once; ``READ`` in the place of the body says that it was read, or given up. Whatever goes wrong closes the
connection, and is told with the request that it is about.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from .._redact import shown_url
from ..errors import ConcurrentUse, LimitExceeded, PhaseTimeout
from ..pool import TimeoutManager
from ._body import Body, decode
from ._codings import decoder_for
from ._events import EventKind
from ._headed import Headed
from ._retry_policy import tell
from ._timings import timings_of

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Self

    from ..connection import AsyncHTTPResponse
    from ._request import Request
    from ._response import Response
    from ._retry_policy import Attempt
    from ._timings import Marks

P = TypeVar("P", str, bytes)
T = TypeVar("T")

SMALL: Final = 4 * 1024
"""Bytes of a coded body that is received whole before it is decoded, which takes less time than bit by bit."""

READ: Final = object()
"""In the place of a body that is not to be read any more."""


class Reading(Headed):
    """A response, and what becomes of its body; :class:`ResponseStream` is all that can be done with it.

    ``history`` and ``attempts`` are written by those who have followed redirects, and tried again.
    """

    __slots__ = (
        "_body",
        "_decoded",
        "_ended",
        "_marks",
        "_raw",
        "attempts",
        "history",
    )

    def __init__(self, request: Request, raw: AsyncHTTPResponse, marks: Marks) -> None:
        self._request = request
        self.history: tuple[Response, ...] = ()
        self.attempts: tuple[Attempt, ...] = ()
        self._head = raw.head
        self._headers = None
        self._raw = raw
        self._marks = marks
        self._body: Body | object = None
        self._ended = False

    async def close(self) -> None:
        """Close the connection, unless the body was read to its end."""
        self._body = READ
        if self._request.settings.tell is not None:
            self._left()
        await self._raw.close()

    def abort(self) -> None:
        """The same now, without waiting for anything."""
        self._body = READ
        self._left()
        self._raw.abort()

    # -- inside ------------------------------------------------------------------------------------------------------

    def _rest(self) -> Coroutine[Any, Any, bytes]:
        """All that is left; where there is nothing to decode or to bound, by the shortest way."""
        raw, limit = self._raw, self._request.settings.max_body
        if self._body is None and not raw.head.is_coded and (limit is None or 0 <= (raw.length or -1) <= limit):
            self._body = READ
            return raw.read()
        return self._joined(limit)

    async def _joined(self, limit: int | None) -> bytes:
        raw, coding = self._raw, self._coding
        if self._body is None and coding is not None and 0 < (raw.length or 0) <= SMALL:
            self._body = READ
            return await decode(coding, await raw.read(), limit, self._clock)
        return b"".join([block async for block in Blocks(self, True, None)])

    @property
    def _coding(self) -> str | None:
        """The content codings, in the order in which they were applied; they may be spread over several lines."""
        if not self._head.is_coded:
            return None
        return ", ".join(self.headers.getall("Content-Encoding"))

    @property
    def _clock(self) -> Callable[[], None] | None:
        """What raises when the total is used up: to decode what is here waits for nobody, and may take long."""
        request = self._request
        timeout = request.settings.timeout
        return partial(timeout.check, request.method, request.url_text) if isinstance(timeout, TimeoutManager) else None

    def _body_of(self, decoded: bool) -> Body:
        """The body, from which only one of its two forms can be read, and only once.

        :raises RuntimeError: it was read, or begun in the other form
        """
        if self._body is None:
            decoder = decoder_for(self._coding) if decoded else None
            self._decoded = decoded
            self._body = Body(self._raw, decoder, self._request.settings.max_body, self._clock)
        elif self._body is READ or self._decoded is not decoded:
            raise RuntimeError("the body was read or closed already, or is being read in its other form")
        return cast("Body", self._body)

    async def _next(self, decoded: bool, size: int | None) -> bytes:
        try:
            body = self._body_of(decoded)
            block = await (body.some() if size is None else body.exactly(size))
        except ConcurrentUse:
            raise  # another task reads, and goes on
        except GeneratorExit:
            self.abort()  # nothing may be awaited any more
            raise
        except BaseException as error:
            self._body = READ
            await self._raw.close()
            self._failed(error)
            raise
        if not block:
            self._body = READ
            if self._request.settings.tell is not None:
                self._tell(EventKind.RECEIVED)
        return block

    async def _within(self, feed: Callable[[P], list[T]], piece: P) -> list[T]:
        """What ``feed`` makes of ``piece``; what is too long closes the connection."""
        try:
            return feed(piece)
        except LimitExceeded as error:
            self._body = READ
            await self._raw.close()
            self._failed(error)
            raise

    def _left(self) -> None:
        """Nothing more is going to be read: either the body has come to its end, or it never does."""
        self._tell(EventKind.RECEIVED if self._raw.complete else EventKind.GIVEN_UP)

    def _tell(self, kind: EventKind, detail: str = "") -> None:
        """Tell whoever listens how it ended with the body, if that was not told before."""
        teller = self._request.settings.tell
        if teller is not None and not self._ended:
            self._ended = True
            received = self._marks[0]() if kind is EventKind.RECEIVED else None
            teller(kind, self._request, detail, timings_of(self._marks, received))

    def _failed(self, error: BaseException) -> None:
        """Reading has failed: let ``error`` say which request it is about, if it does not by itself."""
        if isinstance(error, ConcurrentUse):
            return
        self._tell(EventKind.FAILED, type(error).__name__)
        note = f"{self._request.method} {shown_url(self._request.url_text)}"
        noted = isinstance(error, PhaseTimeout) or note in getattr(error, "__notes__", ())
        if isinstance(error, Exception):
            if not noted:
                error.add_note(note)
            tell(error, self.attempts)


class Blocks:
    """The blocks of a body, for ``async for``. To stop early closes nothing: that is up to the stream."""

    __slots__ = ("_decoded", "_ended", "_size", "_stream")

    def __init__(self, stream: Reading, decoded: bool, size: int | None) -> None:
        if size is not None and size <= 0:
            raise ValueError(f"size must be greater than zero, got {size!r}")
        self._stream = stream
        self._decoded = decoded
        self._size = size
        self._ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._ended:
            raise StopAsyncIteration
        block = await self._stream._next(self._decoded, self._size)  # noqa: SLF001  # the other half of it
        if not block:
            self._ended = True
            raise StopAsyncIteration
        return block
