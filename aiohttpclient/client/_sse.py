"""Server-sent events (WHATWG HTML, section 9.2): one stream of them, and many streams made one by connecting again.

Theory of operation. :class:`EventParser` makes events of text and does no I/O. :func:`events` opens a stream, yields
what the parser gives, and when the stream ends or breaks, waits and opens the next with the id of the last event, so
that the server can go on from there. Which errors mean that the connection was lost, and which that trying again is of
no use, is said in :data:`LOST` and :data:`FUTILE`, or by an error itself (see ``final``); everything else passes as it
is.

Where this differs from browsers: an id lives on over a new connection until another comes (in the letter of the
standard, the first event without one would erase it); a server cannot make the client connect again sooner than after
:data:`MIN_RETRY`, nor later than after ``max_retry``; and who cannot connect is told: at once when nothing was open
before, else after ``max_failures``.
"""

from __future__ import annotations

import asyncio
import codecs
import json
import re
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..errors import AddressRefused, IncompleteRead, LimitExceeded, ProtocolError, TotalTimeout
from ._retry_policy import final
from ._text import LineSplitter

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager

MAX_EVENT: Final = 4 * 1024 * 1024
"""Characters of one line and of the data of one event: as of a line elsewhere (``_text.MAX_LINE``)."""

RETRY: Final = 3.0
"""Seconds before the next connection, until the server says otherwise. The standard asks for "a few"."""

MIN_RETRY: Final = 0.1
"""Seconds that pass before the next connection whatever the server says: ``retry: 0`` would have us spin."""

MAX_RETRY: Final = 60.0
"""Seconds before the next connection at most, whatever the server says, and however often it failed."""

MAX_FAILURES: Final = 10
"""Streams in a row that may fail to open, each after twice the wait of the one before: some six minutes."""

RETRY_DIGITS: Final = 15
"""Digits of a ``retry`` field; one with more means nothing. That many milliseconds are 30,000 years."""

EVENT_STREAM: Final = "text/event-stream"

LOST: Final = (OSError, IncompleteRead)
"""The connection was lost, or could not be made; timeouts are OSErrors too."""

FUTILE: Final = (AddressRefused, TotalTimeout, ssl.SSLCertVerificationError)
"""Those of them that the next connection would meet as well, or with which the caller's own bound was reached."""

# RFC 9110 section 5.5: what cannot be sent in a field, and so not as Last-Event-ID; the standard names NUL alone.
_not_in_field = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search


class EventStream(Protocol):
    """What :func:`events` needs of a :class:`ResponseStream`."""

    @property
    def status(self) -> int:
        """The status code."""

    def field(self, name: str) -> str | None:
        """The first value of a header field."""

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """The decoded body."""

    async def raise_for_status(self) -> Any:
        """Raise StatusError for a status of 400 and above."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event.

    ``event`` (str) is its type; ``data`` (str) its lines, joined by line feeds; ``id`` (str) the last id that the
    stream gave, with this event or before; ``retry`` (float or None) the seconds to wait before the next connection, if
    that was said together with this event.
    """

    event: str = "message"
    data: str = ""
    id: str = ""
    retry: float | None = None

    def json(self, loads: Callable[[str], Any] = json.loads) -> Any:
        """What ``data`` says, as JSON.

        :raises ValueError: it is not JSON
        """
        return loads(self.data)


class EventParser:
    """Makes events of the text of one stream, in whatever pieces it comes (section 9.2.6 of the standard).

    ``last_event_id`` (str) is where to go on: the id of the last event that was complete, to begin with what the caller
    knows from an earlier stream. ``retry`` (float or None) are the seconds that the server wants to pass before the
    next connection. ``max_event`` bounds the characters of a line, and of the data of an event.
    """

    __slots__ = (
        "_data",
        "_decode",
        "_id",
        "_lines",
        "_max_event",
        "_retry",
        "_size",
        "_started",
        "_type",
        "last_event_id",
        "retry",
    )

    def __init__(self, last_event_id: str = "", max_event: int = MAX_EVENT) -> None:
        self.last_event_id = last_event_id
        self.retry: float | None = None
        self._lines = LineSplitter(max_event, "max_event")
        self._max_event = max_event
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._started = False
        self._id = last_event_id
        self._type = ""
        self._data: list[str] = []
        self._size = 0  # characters in it, each line with its end
        self._retry: float | None = None

    def feed(self, text: str) -> list[ServerSentEvent]:
        """The events that ``text`` completes. What is not complete at the end of the stream is no event.

        :raises LimitExceeded: a line or an event is too long; nothing more is to be had from this parser
        """
        if text and not self._started:
            self._started = True
            text = text.removeprefix("\ufeff")
        events: list[ServerSentEvent] = []
        for line in self._lines.feed(text):
            if line:
                self._field(line)
            else:
                self._dispatch(events)
        return events

    def feed_bytes(self, data: bytes) -> list[ServerSentEvent]:
        """The same of bytes, which are UTF-8 whatever Content-Type says."""
        return self.feed(self._decode(data))

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")  # without a name it is a comment
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
            self._size += len(value) + 1
            if self._size > self._max_event:
                raise LimitExceeded("max_event", self._max_event)
        elif name == "event":
            self._type = value
        elif name == "id":
            if not _not_in_field(value):
                self._id = value
        elif name == "retry" and len(value) <= RETRY_DIGITS and value.isascii() and value.isdigit():
            self.retry = self._retry = int(value) / 1000

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        self.last_event_id = self._id
        if self._data:
            events.append(ServerSentEvent(self._type or "message", "\n".join(self._data), self._id, self._retry))
            self._data = []
            self._size = 0
        self._type = ""
        self._retry = None


def event_fields(last_event_id: str = "") -> dict[str, str]:
    """The fields of a request for an event stream that goes on after ``last_event_id`` (section 9.2.2).

    The id is sent in UTF-8, of which each byte is a character here, as in all fields.
    """
    fields = {"Accept": EVENT_STREAM, "Cache-Control": "no-cache"}
    if last_event_id:
        fields["Last-Event-ID"] = last_event_id.encode().decode("iso-8859-1")
    return fields


async def accepted(stream: EventStream) -> bool:
    """Whether events follow; False after 204, by which a server ends this for good.

    :raises StatusError: the status is 400 or above
    :raises ProtocolError: it is another one than 200 and 204, or what follows is something else
    """
    if stream.status == 204:
        return False
    await stream.raise_for_status()
    content_type = stream.field("Content-Type") or ""
    if stream.status != 200 or content_type.partition(";")[0].strip().lower() != EVENT_STREAM:
        raise ProtocolError(
            f"asked for {EVENT_STREAM}, the server answered {stream.status} with {content_type[:100]!r}"
        )
    return True


def backoff(retry: float, failures: int, max_retry: float = MAX_RETRY) -> float:
    """Seconds before the next connection when the last ``failures`` ones could not be made."""
    return float(min(max_retry, retry * 2 ** min(max(failures - 1, 0), 32)))


async def events(
    open_stream: Callable[[str], AbstractAsyncContextManager[EventStream]],
    *,
    last_event_id: str = "",
    reconnect: bool = True,
    retry: float = RETRY,
    max_retry: float = MAX_RETRY,
    max_failures: int | None = MAX_FAILURES,
    max_event: int = MAX_EVENT,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> AsyncGenerator[ServerSentEvent, None]:
    """The events of a stream, and of those after it, until the server ends it with 204.

    :param open_stream: called with the id to go on after ("" at first), see :func:`event_fields`; it is closed when it
        has ended, and when this generator is
    :param last_event_id: the id of the last event that the caller knows
    :param reconnect: open the next stream when one ends or breaks; else its end is the end, and its error an error
    :param retry: seconds before the next stream, until the server says otherwise; they double while it cannot be opened
    :param max_retry: seconds before the next stream at most
    :param max_failures: how many streams in a row may fail to open, once one was open, before the error is raised;
        None: any number
    :param max_event: characters of a line, and of the data of an event
    :param sleep: what waits
    :raises StatusError: the status is 400 or above
    :raises ProtocolError: what came is no event stream
    :raises LimitExceeded: an event is too long
    :raises OSError: the connection could not be made, or was lost and there is no other
    """
    failures = 0
    forgiven: int | None = 0
    while True:
        parser = EventParser(last_event_id, max_event)
        failures += 1
        try:
            async with open_stream(last_event_id) as stream:
                if not await accepted(stream):
                    return
                failures, forgiven = 0, max_failures
                async for block in stream.iter_bytes():
                    for event in parser.feed_bytes(block):
                        yield event
        except LOST as error:
            futile = isinstance(error, FUTILE) or final(error) or (forgiven is not None and failures > forgiven)
            if futile or not reconnect:
                raise
        if not reconnect:
            return
        last_event_id = parser.last_event_id
        if parser.retry is not None:
            retry = max(parser.retry, MIN_RETRY)
        await sleep(backoff(retry, failures, max_retry))
