"""What an ASGI application sends, and the bytes that it becomes: HTTP & WebSocket ASGI message format, version 2.5.

Theory of operation. An :class:`Answer` takes one message after the other, and gives the bytes to send for it. It knows
what may come next, and refuses everything else with an :class:`ASGIProtocolError`, before anything of it is sent. It
does no I/O.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from ..wire import field_line
from ._response import ServerResponse, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BODILESS: Final = {204, 304}
"""Statuses of answers that end with their head (RFC 9112 section 6.3)."""

LONGEST: Final = 100
"""Digits of a Content-Length; int() has a bound, too, and an error of its own."""

INTERNAL_ERROR: Final = b"Internal Server Error"
"""What is answered in place of an application that fails: uvicorn's words."""


class ASGIProtocolError(RuntimeError):
    """The application has done something that the ASGI specification does not allow."""


class _Next(Enum):
    START = "http.response.start"
    BODY = "http.response.body"
    TRAILERS = "http.response.trailers"
    NOTHING = "nothing"


class Answer:
    """The answer to one request.

    :param version: of HTTP, 10 or 11
    :param keep: whether the connection may go on after it
    :param trailers: whether the client takes fields behind the body (``TE: trailers``, RFC 9110 section 6.5.1)

    ``begun``: whether there were bytes of it, other than informational ones; ``complete``: whether that was all;
    ``closes``: whether the connection ends after it.
    """

    def __init__(self, method: str, version: int, keep: bool, trailers: bool) -> None:
        self.closes = not keep
        self._method = method
        self._version = version
        self._takes_trailers = trailers
        self._next = _Next.START
        self._has_trailers = self._is_bodiless = False
        self._left: int | None = None  # bytes that are still to come, of as many as were announced
        self._frame: Any = bytes
        self._last = b""
        self._trailers: list[bytes] = []

    @property
    def begun(self) -> bool:
        """Whether the client has, or is about to get, some of it."""
        return self._next is not _Next.START

    @property
    def complete(self) -> bool:
        """Whether nothing more may come."""
        return self._next is _Next.NOTHING

    def feed(self, message: Any) -> bytes:
        """What is sent for ``message``.

        :raises ASGIProtocolError: it may not be sent at all, or not now; nothing has changed
        """
        try:
            kind = message["type"]
        except (TypeError, KeyError, IndexError):
            raise ASGIProtocolError(f"a message is a dict with a type, not {message!r:.100}") from None
        if kind == "http.response.early_hint" and not self.complete:
            return self._hint(message)
        if kind != self._next.value:
            raise ASGIProtocolError(f"{kind!r:.100} was sent where {self._expected()} may follow")
        if kind == "http.response.start":
            return self._start(message)
        return self._body(message) if kind == "http.response.body" else self._trailer_fields(message)

    def failure(self) -> bytes:
        """What is sent in place of an answer that was never begun; the connection ends after it."""
        response = ServerResponse(500, INTERNAL_ERROR, {"content-type": "text/plain; charset=utf-8"})
        self._next = _Next.NOTHING
        self.closes = True
        return encode(response, INTERNAL_ERROR, self._method, self._version, keep=False).data

    def _expected(self) -> str:
        return "nothing" if self.complete else f"only {self._next.value!r}"

    # -- messages

    def _hint(self, message: Mapping[str, Any]) -> bytes:
        try:
            links = [(b"link", link) for link in message.get("links", ())]
        except TypeError:
            raise ASGIProtocolError(f"links are bytes, several, not {message['links']!r:.100}") from None
        lines = b"".join([line for _, _, line in _fields(links)])
        if self.begun or self._version < 11 or not lines:
            return b""  # behind the final head there is no place for another
        return b"HTTP/1.1 103 Early Hints\r\n" + lines + b"\r\n"

    def _start(self, message: Mapping[str, Any]) -> bytes:
        status = message.get("status")
        if not isinstance(status, int) or isinstance(status, bool) or not 200 <= status <= 999:
            raise ASGIProtocolError(f"the status of an answer is an int from 200 to 999, not {status!r:.100}")
        # Transfer-Encoding is the server's, and what the application says about it is to be ignored.
        fields = [field for field in _fields(message.get("headers", ())) if field[0].lower() != b"transfer-encoding"]
        lengths = {value for name, value, _ in fields if name.lower() == b"content-length"}
        bodiless = status in BODILESS or (self._method == "CONNECT" and status < 300)
        left = None if bodiless or self._method == "HEAD" or not lengths else _length(lengths)
        response = ServerResponse(status, b"", [field[:2] for field in fields], chunked=True)
        encoded = encode(response, b"", self._method, self._version, not self.closes)
        self.closes = encoded.closes
        self._frame, self._last = encoded.frame, encoded.last
        self._is_bodiless, self._left = bodiless, left
        self._has_trailers = bool(message.get("trailers", False))
        self._next = _Next.BODY
        return encoded.head

    def _body(self, message: Mapping[str, Any]) -> bytes:
        body = message.get("body", b"")
        if not isinstance(body, (bytes, bytearray, memoryview)):
            raise ASGIProtocolError(f"a body is bytes, not {type(body).__name__}")
        size, more = memoryview(body).nbytes, bool(message.get("more_body", False))
        self._count(size, more)
        data: bytes = self._frame(body)
        if more:
            return data
        if self._has_trailers:
            self._next = _Next.TRAILERS
            return data
        self._next = _Next.NOTHING
        return data + self._last

    def _count(self, size: int, more: bool) -> None:
        if self._is_bodiless and size:
            raise ASGIProtocolError("an answer with this status has no body (RFC 9112 section 6.3)")
        if self._left is None:
            return
        if size > self._left or (size < self._left and not more):
            than = "more" if size > self._left else "fewer"
            raise ASGIProtocolError(
                f"the body has {than} bytes than its Content-Length says: {size} where {self._left} were left"
            )
        self._left -= size

    def _trailer_fields(self, message: Mapping[str, Any]) -> bytes:
        self._trailers += [line for _, _, line in _fields(message.get("headers", ()))]
        if message.get("more_trailers", False):
            return b""
        self._next = _Next.NOTHING
        if not (self._takes_trailers and self._last):
            return self._last
        return b"0\r\n" + b"".join(self._trailers) + b"\r\n"


def _fields(headers: Any) -> list[tuple[bytes, bytes, bytes]]:
    """The names, the values, and the lines that are sent for them."""
    try:
        pairs: list[tuple[Any, Any]] = [(name, value) for name, value in headers]
    except (TypeError, ValueError):
        raise ASGIProtocolError(f"headers are pairs of bytes, not {headers!r:.100}") from None
    found = []
    for name, value in pairs:
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            raise ASGIProtocolError(f"names and values of headers are bytes, not {name!r:.100} and {value!r:.100}")
        try:
            found.append((name, value, field_line(name, value)))
        except ValueError as error:  # what would break the head, or put fields into it
            raise ASGIProtocolError(f"not a header: {error}") from error
    return found


def _length(values: Iterable[bytes]) -> int:
    first, *others = values
    if others or not first.isdigit() or len(first) > LONGEST:
        raise ASGIProtocolError(f"not a Content-Length: {b', '.join([first, *others]).decode('latin-1'):.100}")
    return int(first)
