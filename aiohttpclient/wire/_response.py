"""Response heads: one ``bytes`` in, version, status, reason and fields out (RFC 9112 sections 2 to 5).

Theory of operation. The caller collects bytes. As soon as there are some it asks :func:`looks_like_http`, then
:func:`head_end` for the empty line, and while there is none :func:`check_partial_head`. Once there is one,
:func:`parse_response_head` looks at the head once. Two regular expressions accept a head that keeps to the RFC, and
take it apart in the same step, for both modes. Only a head that they do not accept is looked at line by line: in
strict mode to say what is wrong with it, in lenient mode to make of it what ``http.client`` would.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from .._headers import Headers
from ..errors import BadStatusLine, InvalidHead, UnknownProtocol
from . import _grammar
from ._fields import HEAD, block_end, check_block, parse_fields
from ._framing import BodyKind, keep_alive_timeout, keeps_alive, response_framing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._framing import Framing
    from ._limits import MessageLimits


class ResponseHead:
    """What a response head says, and what follows from it.

    ``version`` is 9, 10 or 11, as ``http.client`` writes them; ``status`` 100 to 999; ``reason`` may be empty;
    ``fields`` are (name, value) pairs in the order in which they came. Responses with the same head share one object,
    which nobody changes: what is worked out of it once is kept. ``keep_alive`` is the seconds of ``Keep-Alive:
    timeout=`` (see :func:`keep_alive_timeout`), None where there are none; ``sets_cookies`` tells whether there is a
    Set-Cookie field, ``is_coded`` whether there is a Content-Encoding, ``is_plain`` whether the status is 2xx and no
    cookie is set. The four are known once ``framing`` was asked for.
    """

    __slots__ = (
        "_framing",
        "_map",
        "_persists",
        "fields",
        "is_coded",
        "is_plain",
        "keep_alive",
        "reason",
        "sets_cookies",
        "status",
        "strict",
        "version",
    )

    def __init__(self, version: int, status: int, reason: str, fields: Sequence[tuple[str, str]], strict: bool) -> None:
        self.version = version
        self.status = status
        self.reason = reason
        self.fields = fields
        self.strict = strict
        self._framing: Framing | None = None
        self._persists: bool | None = None
        self.keep_alive: float | None = None
        self.sets_cookies = False
        self.is_coded = False
        self.is_plain = False
        self._map: Headers | None = None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ResponseHead):
            return NotImplemented
        return self._said() == other._said()

    __hash__ = None  # type: ignore[assignment]  # as that of every object that is equal by what may change

    def _said(self) -> tuple[object, ...]:
        return self.version, self.status, self.reason, self.fields, self.strict

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.version} {self.status} {self.reason!r} {self.fields!r}>"

    @property
    def headers(self) -> Headers:
        """The fields as a new multidict, the caller's to change."""
        return Headers(self.fields)

    def get(self, name: str) -> str | None:
        """The first value of a field, for those who want to know no more."""
        fields = self._map
        if fields is None:
            fields = self._map = self.headers
        return fields.get(name)

    @property
    def persists(self) -> bool:
        """Whether the peer keeps the connection open after this response; see :func:`keeps_alive`."""
        if self._persists is None:
            self._persists = keeps_alive(self.version, self.headers)
        return self._persists

    def framing(self, method: str) -> Framing:
        """Where the body ends in an answer to ``method``, see :func:`response_framing`; and what follows it."""
        usual = method not in ("HEAD", "CONNECT")
        if usual and self._framing is not None:
            return self._framing
        headers = self._map = self.headers
        self._persists = keeps_alive(self.version, headers)
        self.keep_alive = keep_alive_timeout(headers)
        self.sets_cookies = "Set-Cookie" in headers
        self.is_coded = "Content-Encoding" in headers
        self.is_plain = 200 <= self.status < 300 and not self.sets_cookies
        framing = response_framing(method, self.status, self.version, headers, self.strict)
        if framing.ambiguous or framing.kind is BodyKind.UNTIL_CLOSE or not self._persists:
            framing = framing._replace(last=True)
        if usual:
            self._framing = framing
        return framing


def looks_like_http(buffer: bytes | bytearray) -> bool | None:
    """Tell whether a response begins with ``HTTP/``; None: there are not enough bytes to tell.

    To be asked before anything else. False is a simple response (HTTP/0.9: all of it is body) to a lenient reader, and
    ``BadStatusLine`` to a strict one.
    """
    beginning = bytes(buffer[:5])
    if beginning == b"HTTP/":
        return True
    return None if b"HTTP/".startswith(beginning) else False


head_end = block_end
"""Return the index just past the empty line that ends a head, or -1; see :func:`block_end`."""


def check_partial_head(buffer: bytes | bytearray, limits: MessageLimits, strict: bool, start: int = 0) -> None:
    """Refuse the beginning of a head that no further bytes can make acceptable, so that nobody waits for them.

    :param buffer: the bytes of the response so far, in which :func:`head_end` found no end
    :param start: how many of them an earlier call of this function has seen and accepted; with 0 all of them are looked
        at again, which is correct, but makes many small arrivals quadratic
    :raises LineTooLong: for a line over ``limits.line``, complete or not
    :raises LimitExceeded: for more bytes than ``limits.head``
    :raises InvalidHead: strict: for a CR without LF or an LF without CR
    """
    check_block(buffer, limits, strict, start, HEAD)


def parse_response_head(head: bytes, limits: MessageLimits, strict: bool) -> ResponseHead:
    """Take a response head apart.

    :param head: with the empty line that ends it, and nothing after
    :param strict: refuse everything that RFC 9112 does not allow, but for a status line without the space before an
        empty reason; else take it as ``http.client`` does, with the exceptions below
    :raises BadStatusLine: for a first line that is not a status line
    :raises UnknownProtocol: for an HTTP version other than 1.x; lenient: 0.9 is taken for 1.0
    :raises LineTooLong: for a line over ``limits.line``
    :raises LimitExceeded: for more than ``limits.head`` bytes or ``limits.fields`` fields
    :raises InvalidHead: strict: for fields that break the grammar, and line ends other than CR LF

    Both modes take blanks off both ends of values and of the reason (RFC 9110 section 5.5), where ``http.client``
    leaves those at the end of a value. Lenient mode differs from it where it is dangerous or loses fields:

    - a folded value is joined with one space (RFC 9112 section 5.2), not kept with its line ends;
    - a CR without LF, and NUL, become spaces (RFC 9112 section 2.2, RFC 9110 section 5.5), where ``http.client`` ends a
      line at a CR, so that a value can smuggle in a field;
    - blanks between a name and its colon are dropped (RFC 9112 section 5.1), where ``http.client`` loses the field and
      all after it;
    - a line without a colon, or with a name that is empty or holds blanks, control characters or bytes above 126, is
      skipped with its continuation lines, where ``http.client`` (but for the empty name) loses all fields after it too;
    - a status is digits only, where ``http.client`` allows a sign and underscores.
    """
    size = len(head)
    take_apart = _repeated_head if size <= REPEATED_HEAD else _take_apart
    taken = take_apart(head, limits.fields, strict) if size <= limits.line and size <= limits.head else None
    if taken is None:
        # In the order in which a caller that sees the bytes one by one is told.
        text = head.decode("latin-1")
        if not looks_like_http(head):
            raise BadStatusLine(_first_line(text))
        check_block(head, limits, strict, 0, HEAD)
        taken = _take_apart(head, limits.fields, strict) or _odd_head(text, limits.fields, strict)
    return taken


def _take_apart(head: bytes, limit: int, strict: bool) -> ResponseHead | None:
    """A head whose first line is plainly that of an HTTP/1.x response; None for every other."""
    text = head.decode("latin-1")
    match = _grammar.status_line(text)
    if match is None:
        return None
    minor, status, reason = match.groups("")
    fields = parse_fields(text, match.end(), limit, strict, InvalidHead)
    return ResponseHead(10 if minor == "0" else 11, int(status), reason.strip(" \t"), fields, strict)


# A server that is asked for the same again within the second answers with the same head, and most answers of a service
# differ only in the body: comparing costs a tenth of parsing. The two bounds keep a peer from filling the memory.
REPEATED_HEAD = 1024
"""Bytes of the longest head that is remembered."""

_repeated_head = lru_cache(maxsize=128)(_take_apart)


def _odd_head(text: str, limit: int, strict: bool) -> ResponseHead:
    """Take apart, or refuse, a head whose status line is not plainly one of HTTP/1.x."""
    if strict:
        other = _grammar.status_line_of_any_version(text)
        if other is not None:
            raise UnknownProtocol(other[1])
        raise BadStatusLine(_first_line(text))
    line = text.partition("\n")[0]
    parts = line.split(None, 2)
    status = _grammar.lenient_status(parts[1]) if len(parts) > 1 else None
    if status is None:
        raise BadStatusLine(_first_line(text))
    reason = parts[2].replace("\r", " ").replace("\0", " ").strip() if len(parts) > 2 else ""
    if parts[0] in ("HTTP/1.0", "HTTP/0.9"):
        version = 10
    elif parts[0].startswith("HTTP/1."):
        version = 11
    else:
        raise UnknownProtocol(parts[0][:200])
    fields = parse_fields(text, len(line) + 1, limit, strict, InvalidHead)
    return ResponseHead(version, int(status[1]), reason, fields, strict)


def _first_line(text: str) -> str:
    # Enough of a line to recognise it by.
    return text.partition("\n")[0].removesuffix("\r")[:200]
