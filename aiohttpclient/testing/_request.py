"""Requests as a server reads them: RFC 9112, and nothing that it does not allow.

The reader is strict, because it is also a check on the client: what real servers forgive in silence, or each in another
way, is refused with 400 and a text that says what is wrong.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from multidict import MultiDict

from .._headers import Headers
from ..errors import HTTPException, InvalidHead, LimitExceeded, LineTooLong
from ..wire import (
    BodyKind,
    ChunkedDecoder,
    MessageLimits,
    check_method,
    check_partial_head,
    check_target,
    head_end,
    keeps_alive,
    parse_fields,
    response_framing,
)
from ._stream import ClientGone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..wire import Framing
    from ._connection import ServerConnection
    from ._stream import ServerSide

LIMITS: Final = MessageLimits()
"""What a request may be, outside of its body. The bounds are those of what the client accepts."""

_VERSIONS: Final = {"HTTP/1.1": 11, "HTTP/1.0": 10}
_TLS_RECORD: Final = b"\x16\x03"
"""How a TLS handshake begins (RFC 8446 section 5.1)."""


class BadRequest(Exception):
    """A request that breaks RFC 9112; ``status`` (int) is what it is answered with."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class ServerRequest:
    """A request that a server has received.

    ``method``; ``target``, as it stood in the request line; ``path``, decoded; ``query``, a multidict; ``headers``;
    ``body`` (bytes), without transfer coding; ``trailers``, the fields after a chunked body; ``http_version``,
    ``"1.1"`` or ``"1.0"``; ``params``, what stood in the place of the ``{names}`` of the route, decoded;
    ``connection``, the :class:`ServerConnection` over which it came.
    """

    def __init__(
        self, method: str, target: str, version: int, headers: Headers, connection: ServerConnection | None = None
    ) -> None:
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers
        self.connection = connection
        self.body = b""
        self.trailers = Headers()
        self.params: dict[str, str] = {}
        self.raw_path, self.query = _taken_apart(method, target)
        self.path = unquote(self.raw_path)
        self.reads: Callable[[], Awaitable[None]] | None = None  # how the body is read, until it was

    def __repr__(self) -> str:
        return f"<ServerRequest {self.method} {self.target}>"

    @property
    def http_version(self) -> str:
        """``"1.1"`` or ``"1.0"``."""
        return "1.1" if self.version == 11 else "1.0"

    @property
    def text(self) -> str:
        """The body as UTF-8.

        :raises UnicodeDecodeError: it is not
        """
        return self.body.decode()

    def json(self) -> Any:
        """What the body stands for in JSON.

        :raises ValueError: it is not JSON
        """
        return json.loads(self.body)

    async def read(self) -> bytes:
        """The body, in a handler that is called before it was read (``route(..., early=True)``); else it is there.

        A client that waits for 100 Continue is told so now (RFC 9110 section 10.1.1).
        """
        if self.reads is not None:
            await self.reads()
            self.reads = None
        return self.body


def _taken_apart(method: str, target: str) -> tuple[str, MultiDict[str]]:
    """Path and query of a target in any of its four forms (RFC 9112 section 3.2)."""
    if method == "CONNECT" or target == "*":
        return target, MultiDict()
    if target.startswith("/"):
        path, _, query = target.partition("?")
    else:
        parts = urlsplit(target)
        path, query = parts.path or "/", parts.query
    return path, MultiDict(parse_qsl(query, keep_blank_values=True))


# -- heads


async def read_head(stream: ServerSide) -> bytes | None:
    """The next head, with its empty line; None where the client ends the connection between two requests.

    :raises BadRequest: what has come cannot become one
    :raises ClientGone: the client leaves in the middle
    """
    seen = 0
    while (end := find_head(stream.unread, seen)) < 0:
        seen = len(stream.unread)
        try:
            await stream.receive()
        except ClientGone:
            if not stream.unread:
                return None
            raise
    return stream.take(end)


def find_head(unread: bytearray, seen: int) -> int:
    """How long the head is with which ``unread`` begins; -1 where its end has not come. ``seen`` bytes are known.

    :raises BadRequest: what has come cannot become one
    """
    end = head_end(unread, seen, True)
    if end < 0:
        _refuse_early(unread, seen)
    return end


def _refuse_early(buffer: bytearray, seen: int) -> None:
    if buffer.startswith(_TLS_RECORD):
        raise BadRequest("this is a TLS handshake, and the server has no TLS: use http, or LoopbackServer(tls=True)")
    if buffer.startswith((b"\r", b"\n")):
        raise BadRequest("an empty line before the request line (RFC 9112 section 2.2)")
    try:
        check_partial_head(buffer, LIMITS, True, seen)
    except HTTPException as error:
        raise _bad_head(error) from error


def _bad_head(error: Exception) -> BadRequest:
    # The rules are those for the heads of responses, and so are the words.
    text = str(error).replace("status line", "request line")
    return BadRequest(text, 431 if isinstance(error, (LimitExceeded, LineTooLong)) else 400)


def parse_request_head(head: bytes, connection: ServerConnection | None = None) -> ServerRequest:
    """Take a request head apart.

    :raises BadRequest: RFC 9112 section 3 (request line), section 5 (fields) or section 3.2 (Host) is broken
    """
    _refuse_early(bytearray(head), 0)
    text = head.decode("latin-1")
    line, _, _ = text.partition("\r\n")
    parts = line.split(" ")
    if len(parts) != 3:
        raise BadRequest(f"not a request line: {line[:200]!r}")
    method, target, version = parts
    if version not in _VERSIONS:
        raise BadRequest(f"not HTTP/1.1 or HTTP/1.0: {line[:200]!r}", 505 if version.startswith("HTTP/") else 400)
    try:
        check_method(method)
        check_target(target)
        headers = Headers(parse_fields(text, len(line) + 2, LIMITS.fields, True, InvalidHead))
    except (HTTPException, ValueError) as error:
        raise _bad_head(error) from error
    hosts = headers.getall("Host", [])
    if len(hosts) > 1 or (not hosts and version == "HTTP/1.1"):
        raise BadRequest(f"{len(hosts)} Host fields; exactly one is needed (RFC 9112 section 3.2)")
    _check_form(method, target)
    try:
        made = ServerRequest if connection is None else connection.request_class
        return made(method, target, _VERSIONS[version], headers, connection)
    except ValueError as error:  # brackets that hold no address
        raise BadRequest(f"not a target: {target[:200]!r}: {error}") from error


def _check_form(method: str, target: str) -> None:
    if method == "CONNECT":
        wrong = "/" in target or ":" not in target
    elif target == "*":
        wrong = method != "OPTIONS"
    else:
        wrong = not target.startswith("/") and "://" not in target
    if wrong or "#" in target:
        raise BadRequest(f"not a target for {method} (RFC 9112 section 3.2): {target[:200]!r}")


# -- bodies


def request_framing(request: ServerRequest) -> Framing:
    """Where the body of a request ends (RFC 9112 section 6.3); its kind is LENGTH or CHUNKED.

    :raises BadRequest: that cannot be told for sure
    """
    try:
        # The fields mean in a request what they mean in an answer of the same version that may have a body.
        framing = response_framing("GET", 200, request.version, request.headers, True)
    except HTTPException as error:
        raise BadRequest(str(error)) from error
    if framing.kind is BodyKind.UNTIL_CLOSE:
        return framing._replace(kind=BodyKind.LENGTH, length=0)
    return framing


class RequestBody:
    """The body of a request, as it comes.

    ``trailers``: the fields behind it, once it is ``done``.
    """

    def __init__(self, framing: Framing) -> None:
        self._decoder = ChunkedDecoder(LIMITS, True) if framing.kind is BodyKind.CHUNKED else None
        self._left = framing.length or 0

    @property
    def done(self) -> bool:
        """Whether all of it was taken."""
        return not self._left if self._decoder is None else self._decoder.done

    @property
    def trailers(self) -> Headers:
        """The fields behind a chunked body."""
        return Headers() if self._decoder is None else self._decoder.trailers

    def take(self, unread: bytearray) -> bytes:
        """What of its payload is in ``unread``, which keeps what comes behind the body.

        :raises BadRequest: its chunks break the grammar
        """
        if self._decoder is None:
            piece = bytes(unread[: self._left])
            del unread[: len(piece)]
            self._left -= len(piece)
            return piece
        try:
            payload = b"".join(self._decoder.feed(bytes(unread)))
        except HTTPException as error:
            raise BadRequest(str(error)) from error
        unread[:] = self._decoder.surplus
        return payload


async def read_body(stream: ServerSide, request: ServerRequest, framing: Framing) -> None:
    """Read the body of ``request`` into it.

    :raises BadRequest: its chunks break the grammar
    :raises ClientGone: the client leaves before its end
    """
    body = RequestBody(framing)
    payload = bytearray(body.take(stream.unread))
    while not body.done:
        await stream.receive()
        payload += body.take(stream.unread)
    request.body, request.trailers = bytes(payload), body.trailers


def wants_continue(request: ServerRequest) -> bool:
    """Whether the client waits for 100 Continue before it sends its body (RFC 9110 section 10.1.1)."""
    return request.version >= 11 and request.headers.get("Expect", "").lower() == "100-continue"


def keeps_connection(request: ServerRequest) -> bool:
    """Whether the client means to go on with the connection (RFC 9112 section 9.3)."""
    return keeps_alive(request.version, request.headers)
