"""Where the body of a response ends, and whether the connection outlives it: RFC 9112 sections 6.3 and 9.3.

One pure function decides the framing. What strict mode accepts means the same in lenient mode; what strict mode
refuses, lenient mode takes as ``http.client`` does, and marks as ambiguous, so that the connection is not used again.
"""

from __future__ import annotations

import re
from enum import IntEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from multidict import istr

from ..errors import AmbiguousFraming, UnknownTransferEncoding
from . import _grammar

if TYPE_CHECKING:
    from .._headers import Headers

# An istr is looked up without folding its case anew.
_CONTENT_LENGTH: Final = istr("Content-Length")
_TRANSFER_ENCODING: Final = istr("Transfer-Encoding")
_CONNECTION: Final = istr("Connection")
_PLAIN_KEEP_ALIVE: Final = ["keep-alive"]
_KEEP_ALIVE: Final = istr("Keep-Alive")
_PROXY_CONNECTION: Final = istr("Proxy-Connection")


class BodyKind(IntEnum):
    """How the end of a body is found."""

    LENGTH = 0
    """After a number of bytes that is known."""
    CHUNKED = 1
    """Where the chunked coding says (RFC 9112 section 7.1)."""
    UNTIL_CLOSE = 2
    """Where the peer closes the connection."""
    SWITCH = 3
    """There is no body: what follows the head is not HTTP."""


class Framing(NamedTuple):
    """Where a body ends.

    ``length`` (int, bytes) is given for ``LENGTH`` only, else None. ``ambiguous`` (bool): others may read the same head
    differently, and the connection must be closed after this response. ``last`` (bool): that is done, for whatever
    reason; only :meth:`ResponseHead.framing` knows.
    """

    kind: BodyKind
    length: int | None
    ambiguous: bool
    last: bool = False


# An attribute of an Enum class is looked up slowly in 3.11.
_LENGTH: Final = BodyKind.LENGTH
_CHUNKED: Final = Framing(BodyKind.CHUNKED, None, False)
_UNTIL_CLOSE: Final = Framing(BodyKind.UNTIL_CLOSE, None, False)
_SWITCH: Final = Framing(BodyKind.SWITCH, None, False)


def response_framing(method: str, status: int, version: int, headers: Headers, strict: bool) -> Framing:
    """Decide where the body of a response ends (RFC 9112 section 6.3).

    :param method: of the request that is answered, in upper case as it was sent
    :param status: of the response, 100 to 999
    :param version: of the response, 10 or 11
    :param headers: of the response
    :param strict: refuse instead of guess
    :raises AmbiguousFraming: strict: Content-Length beside Transfer-Encoding, Content-Lengths that differ or are not
        plain digits, ``chunked`` twice or not last, Transfer-Encoding in HTTP/1.0; both modes: a length that
        does not fit into 18 digits
    :raises UnknownTransferEncoding: strict: a transfer coding other than ``chunked``

    Responses without a body (rule 1) are checked all the same: to HEAD, and in a 304, the fields say what would have
    been sent, and a contradiction in them comes from a peer that cannot be trusted with the next response either. A
    1xx or 204 ends with its head whatever its fields say, but must not have Transfer-Encoding or Content-Length (RFC
    9112 section 6.1, RFC 9110 section 8.6); one that announces a body is ambiguous in both modes, because such a peer
    may well send it. A successful answer to CONNECT, and a 101, are not checked: their fields are to be ignored (rule
    2).

    Lenient mode differs from ``http.client`` in three places: a chunked 204 has no body; a Content-Length list of equal
    values is that value; a length of over 18 digits is refused, where ``http.client`` may fail with ``OverflowError``.
    """
    if status == 101 or (method == "CONNECT" and 200 <= status < 300):
        return _SWITCH
    lengths = headers.getall(_CONTENT_LENGTH, None)
    if _TRANSFER_ENCODING in headers:
        framing = _framing_by_coding(version, headers.getall(_TRANSFER_ENCODING), lengths, strict)
    elif lengths is None:
        framing = _UNTIL_CLOSE
    elif len(lengths) == 1 and _grammar.content_length(lengths[0]):
        framing = Framing(_LENGTH, int(lengths[0]), False)
    else:
        framing = _odd_length(lengths, strict)
    if method == "HEAD" or status == 304:
        return Framing(_LENGTH, 0, framing.ambiguous)
    if status < 200 or status == 204:
        announced = framing.kind is BodyKind.CHUNKED or bool(framing.length)
        return Framing(_LENGTH, 0, framing.ambiguous or announced)
    return framing


def _framing_by_coding(version: int, codings: list[str], lengths: list[str] | None, strict: bool) -> Framing:
    """Rules 3 and 4: there is a Transfer-Encoding."""
    chunked = codings[0].lower() == "chunked"
    if chunked and len(codings) == 1 and lengths is None and version >= 11:
        return _CHUNKED
    if strict:
        raise _refusal(version, codings, lengths)
    # http.client looks at the first field only, and takes it as a whole.
    if chunked:
        return _CHUNKED._replace(ambiguous=True)
    if lengths is None:
        return _UNTIL_CLOSE._replace(ambiguous=True)
    return _odd_length(lengths, strict)._replace(ambiguous=True)


def _odd_length(lengths: list[str], strict: bool) -> Framing:
    """Content-Length when it is not one field of digits."""
    values = [value.strip(" \t") for field in lengths for value in field.split(",")]
    first = values[0]
    # RFC 9110 section 8.6: the same value several times, in a list or in several fields, may be taken as one.
    if _grammar.content_length(first) and all(value == first for value in values):
        return Framing(_LENGTH, int(first), False)
    if strict:
        raise AmbiguousFraming(f"Content-Length is not one plain number: {', '.join(lengths):.100}")
    try:
        length = int(lengths[0])
    except ValueError:
        # int() also refuses thousands of digits.
        length = _grammar.TOO_LONG if lengths[0].isdecimal() else -1
    if length >= _grammar.TOO_LONG:
        raise AmbiguousFraming(f"Content-Length is larger than anything can be: {lengths[0]:.100}")
    if length < 0:
        return _UNTIL_CLOSE._replace(ambiguous=True)
    return Framing(_LENGTH, length, True)


def _refusal(version: int, codings: list[str], lengths: list[str] | None) -> AmbiguousFraming | UnknownTransferEncoding:
    """Why strict mode does not take a Transfer-Encoding."""
    text = ", ".join(codings)
    if lengths is not None:
        # RFC 9112 section 6.3 rule 3: "ought to be handled as an error".
        return AmbiguousFraming(f"Content-Length beside Transfer-Encoding: {text:.100}")
    if version < 11:
        # RFC 9112 section 6.1: "MUST treat the message as if the framing is faulty".
        return AmbiguousFraming(f"Transfer-Encoding in an HTTP/1.0 response: {text:.100}")
    names = [name.strip(" \t").lower() for name in text.split(",")]
    if "chunked" in names[:-1]:
        # RFC 9112 section 6.1: not more than once, and last. One that is not last leaves the end to the connection's.
        return AmbiguousFraming(f"chunked is not the last transfer coding, or there twice: {text:.100}")
    return UnknownTransferEncoding(f"a transfer coding other than chunked: {text:.100}")


def keeps_alive(version: int, headers: Headers) -> bool:
    """Tell whether the peer keeps the connection open after this response (RFC 9112 section 9.3).

    ``http.client``'s rules, with Connection compared by token (RFC 9110 section 7.6.1) and ``close`` before everything.

    :param version: of the response: 9, 10 or 11
    """
    connection = headers.getall(_CONNECTION, None)
    if connection is not None and connection != _PLAIN_KEEP_ALIVE and _has_token(connection, "close"):
        return False
    if version >= 11:
        return True
    if version < 10:
        return False
    # RFC 9112 appendix C.2.2; Keep-Alive without Connection, and Proxy-Connection, are what http.client forgives.
    if connection is not None and _has_token(connection, "keep-alive"):
        return True
    return bool(headers.get(_KEEP_ALIVE)) or _has_token(headers.getall(_PROXY_CONNECTION, ()), "keep-alive")


_TIMEOUT: Final = r'(?ia)(?:^|,)[ \t]*timeout[ \t]*=[ \t]*"?(\d{1,9})"?[ \t]*(?:,|$)'


def keep_alive_timeout(headers: Headers) -> float | None:
    """The seconds after which the peer closes an idle connection, where it says so; else None.

    ``Keep-Alive: timeout=5`` is described in RFC 2068 section 19.7.1.1 and in an expired draft
    (thomson-hybi-http-timeout), and sent by Apache httpd, Node.js and others.
    """
    for value in headers.getall(_KEEP_ALIVE, ()):
        if found := re.search(_TIMEOUT, value):
            return float(found[1])
    return None


def _has_token(values: list[str] | tuple[()], token: str) -> bool:
    for value in values:
        lowered = value.lower()
        if lowered == token or (token in lowered and token in [part.strip(" \t") for part in lowered.split(",")]):
            return True
    return False


def refuses_body(status: int) -> bool:
    """Tell whether a final ``status`` says that the peer does not want the rest of the request body.

    RFC 9112 section 9.5: a client that sees such a response while it sends stops sending, and closes. A redirect (3xx)
    does not want the body here, an error (4xx, 5xx) does not want it at all; after 2xx the peer may still be reading.
    """
    return status >= 300
