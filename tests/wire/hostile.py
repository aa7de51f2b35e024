"""Responses that are wrong, or look it, as data: what each of them comes to in both modes.

The peer sends ``raw`` and closes. ``strict`` and ``lenient`` are the class of the exception, ``SIMPLE`` (HTTP/0.9), or
what was got. Where ``http.client`` comes to something else than lenient mode, ``stdlib`` says why we differ.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aiohttpclient.errors import (
    AmbiguousFraming,
    BadStatusLine,
    HTTPException,
    IncompleteRead,
    InvalidChunk,
    InvalidHead,
    LimitExceeded,
    LineTooLong,
    RemoteDisconnected,
    UnknownProtocol,
    UnknownTransferEncoding,
)
from tests.wire.feeding import SIMPLE


class Got(NamedTuple):
    """A response that was accepted. ``fields`` None: not compared. ``reusable``: the connection may serve another."""

    status: int
    body: bytes
    fields: tuple[tuple[str, str], ...] | None = None
    reusable: bool = True


class Hostile(NamedTuple):
    name: str
    raw: bytes
    strict: type[HTTPException] | str | Got
    lenient: type[HTTPException] | str | Got
    stdlib: str = ""
    method: str = "GET"


def _fields(lines: bytes) -> bytes:
    """A response whose fields are ``lines`` and one Content-Length; the body is ``body``."""
    return b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 4\r\n\r\nbody"


def _framed(lines: bytes, body: bytes = b"5\r\nhello\r\n0\r\n\r\n") -> bytes:
    return b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n" + body


def _chunked(body: bytes) -> bytes:
    return _framed(b"Transfer-Encoding: chunked\r\n", body)


_LENGTH = ("Content-Length", "4")
_HELLO: Final = Got(200, b"hello")
_CLOSED: Final = Got(200, b"hello", reusable=False)
_EMPTY: Final = Got(200, b"", reusable=False)

# Reasons that occur more than once.
_LOSES_FIELDS = "there the fields after such a line are lost, and with them the framing"
_CR_IS_NO_LINE_END = "there a bare CR ends a line, so that a value can smuggle in a field"
_ONE_SPACE = "there the line ends stay in the value; RFC 9112 section 5.2 says spaces"
_PYTHON_INT = "there int() decides, which takes more than digits"
_ANY_TWO_BYTES = "there the two bytes after a chunk are not looked at"
_BOUNDS = "there the bound is not there, or another"

STATUS_LINES: Final = [
    Hostile("nothing", b"", RemoteDisconnected, RemoteDisconnected),
    Hostile("half a status line", b"HTTP/1.1 2", RemoteDisconnected, RemoteDisconnected, "there it is BadStatusLine"),
    Hostile(
        "half a head",
        b"HTTP/1.1 200 OK\r\nA: b\r\n",
        RemoteDisconnected,
        RemoteDisconnected,
        "there the end of the connection is that of the head",
    ),
    Hostile("no HTTP", b"SSH-2.0-OpenSSH_9.2\r\n", BadStatusLine, SIMPLE, "HTTP/0.9 is not there any more"),
    Hostile("a page without a head", b"<html>\n\n</html>", BadStatusLine, SIMPLE, "HTTP/0.9 is not there any more"),
    Hostile(
        "an empty line first", b"\r\nHTTP/1.1 200 OK\r\n\r\n", BadStatusLine, SIMPLE, "HTTP/0.9 is not there any more"
    ),
    Hostile("lower case", b"http/1.1 200 OK\r\n\r\n", BadStatusLine, SIMPLE, "HTTP/0.9 is not there any more"),
    Hostile("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x46", BadStatusLine, SIMPLE, "HTTP/0.9 is not there any more"),
    Hostile("Shoutcast", b"ICY 200 OK\r\n\r\n", BadStatusLine, SIMPLE, "HTTP/0.9 is not there any more"),
    Hostile("HTTP/2.0", b"HTTP/2.0 200 OK\r\n\r\n", UnknownProtocol, UnknownProtocol),
    Hostile("HTTP/2", b"HTTP/2 200 \r\n\r\n", UnknownProtocol, UnknownProtocol),
    Hostile("HTTP/3", b"HTTP/3 200 OK\r\n\r\n", UnknownProtocol, UnknownProtocol),
    Hostile("HTTP/0.9 with a head", b"HTTP/0.9 200 OK\r\n\r\nx", UnknownProtocol, Got(200, b"x", (), reusable=False)),
    Hostile("HTTP/11", b"HTTP/11 200 OK\r\n\r\n", UnknownProtocol, UnknownProtocol),
    Hostile("HTTP/1.10", b"HTTP/1.10 200 OK\r\n\r\n", UnknownProtocol, Got(200, b"", (), reusable=False)),
    Hostile("HTTP/1.x", b"HTTP/1.x 200 OK\r\n\r\n", BadStatusLine, Got(200, b"", (), reusable=False)),
    Hostile(
        "HTTP/1.2", b"HTTP/1.2 200 OK\r\n\r\nx", Got(200, b"x", (), reusable=False), Got(200, b"x", (), reusable=False)
    ),
    Hostile("no version", b"HTTP/ 200 OK\r\n\r\n", BadStatusLine, UnknownProtocol),
    Hostile("no status", b"HTTP/1.1\r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("no status but a space", b"HTTP/1.1 \r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("a status of two digits", b"HTTP/1.1 20 OK\r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("a status of four digits", b"HTTP/1.1 2000 OK\r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("status 099", b"HTTP/1.1 099 OK\r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("status 000", b"HTTP/1.1 000 OK\r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("status 999", b"HTTP/1.1 999 Request denied\r\nContent-Length: 0\r\n\r\n", Got(999, b""), Got(999, b"")),
    Hostile("status 0200", b"HTTP/1.1 0200 OK\r\n\r\n", BadStatusLine, _EMPTY),
    Hostile("status +200", b"HTTP/1.1 +200 OK\r\n\r\n", BadStatusLine, BadStatusLine, _PYTHON_INT),
    Hostile("status -200", b"HTTP/1.1 -200 OK\r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("status 2_00", b"HTTP/1.1 2_00 OK\r\n\r\n", BadStatusLine, BadStatusLine, _PYTHON_INT),
    Hostile("status 0xc8", b"HTTP/1.1 0xc8 OK\r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("a status in superscript", b"HTTP/1.1 2\xb200 OK\r\n\r\n", BadStatusLine, BadStatusLine),
    Hostile("no reason and no space", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", Got(200, b""), Got(200, b"")),
    Hostile("two spaces", b"HTTP/1.1  200 OK\r\n\r\n", BadStatusLine, _EMPTY),
    Hostile("a tab", b"HTTP/1.1\t200 OK\r\n\r\n", BadStatusLine, _EMPTY),
    Hostile("a no-break space", b"HTTP/1.1\xa0200 OK\r\n\r\n", BadStatusLine, _EMPTY),
    Hostile("NUL in the reason", b"HTTP/1.1 200 O\0K\r\n\r\n", BadStatusLine, _EMPTY),
    Hostile("a bare CR in the reason", b"HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n", InvalidHead, _EMPTY),
    Hostile(
        "a bare CR as line end",
        b"HTTP/1.1 200 OK\rA: b\r\r",
        InvalidHead,
        RemoteDisconnected,
        "there the end of the connection is that of the head",
    ),
    Hostile(
        "bytes above 127 in the reason",
        "HTTP/1.1 200 Très bien\r\nContent-Length: 0\r\n\r\n".encode(),
        Got(200, b""),
        Got(200, b""),
    ),
]

FIELDS: Final = [
    Hostile(
        "bare LF everywhere",
        _fields(b"A: b\r\n").replace(b"\r", b""),
        InvalidHead,
        Got(200, b"body", (("A", "b"), _LENGTH)),
    ),
    Hostile(
        "one bare LF", _fields(b"A: b\nC: d\r\n"), InvalidHead, Got(200, b"body", (("A", "b"), ("C", "d"), _LENGTH))
    ),
    Hostile(
        "a bare LF at the empty line",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\nbody",
        InvalidHead,
        Got(200, b"body", (_LENGTH,)),
    ),
    Hostile(
        "LF CR at the empty line",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\n\r\nbody",
        InvalidHead,
        Got(200, b"body", (_LENGTH,)),
    ),
    Hostile(
        "CR CR LF", _fields(b"A: b\r\r\n"), InvalidHead, Got(200, b"body", (("A", "b"), _LENGTH)), _CR_IS_NO_LINE_END
    ),
    Hostile(
        "a bare CR in a value",
        _fields(b"A: b\rTransfer-Encoding: chunked\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b Transfer-Encoding: chunked"), _LENGTH)),
        _CR_IS_NO_LINE_END,
    ),
    Hostile(
        "a bare CR before a name",
        _fields(b"A: b\r\n\rC: d\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b C: d"), _LENGTH)),
        _CR_IS_NO_LINE_END,
    ),
    Hostile(
        "two bare CRs",
        _fields(b"A: b\r\rC: d\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b  C: d"), _LENGTH)),
        _CR_IS_NO_LINE_END,
    ),
    Hostile(
        "NUL in a value",
        _fields(b"A: b\0c\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b c"), _LENGTH)),
        "there NUL stays; RFC 9110 section 5.5 says space",
    ),
    Hostile(
        "NUL before the name",
        _fields(b"X: y\r\n\0A: b\r\n"),
        InvalidHead,
        Got(200, b"body", (("X", "y A: b"), _LENGTH)),
        _LOSES_FIELDS,
    ),
    Hostile(
        "NUL in a name", _fields(b"Content-\0Length: 9\r\n"), InvalidHead, Got(200, b"body", (_LENGTH,)), _LOSES_FIELDS
    ),
    Hostile(
        "ESC in a value", _fields(b"A: \x1b[31m\r\n"), InvalidHead, Got(200, b"body", (("A", "\x1b[31m"), _LENGTH))
    ),
    Hostile("DEL in a value", _fields(b"A: \x7f\r\n"), InvalidHead, Got(200, b"body", (("A", "\x7f"), _LENGTH))),
    Hostile(
        "a vertical tab in a value",
        _fields(b"A: b\x0bc\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b\x0bc"), _LENGTH)),
    ),
    Hostile(
        "a NEL in a value",
        _fields(b"A: b\x85C: d\r\n"),
        Got(200, b"body", (("A", "b\x85C: d"), _LENGTH)),
        Got(200, b"body", (("A", "b\x85C: d"), _LENGTH)),
    ),
    Hostile(
        "a folded value",
        _fields(b"A: b\r\n c\r\n\td\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b c d"), _LENGTH)),
        _ONE_SPACE,
    ),
    Hostile(
        "a folded Transfer-Encoding",
        _fields(b"X: y\r\nTransfer-Encoding:\r\n chunked\r\n"),
        InvalidHead,
        InvalidChunk,
        "there the value is not exactly chunked, because of its line end, and Content-Length wins",
    ),
    Hostile(
        "a fold of nothing",
        _fields(b"A: b\r\n \r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b"), _LENGTH)),
        _ONE_SPACE,
    ),
    Hostile("a fold first", _fields(b" A: b\r\n"), InvalidHead, Got(200, b"body", (_LENGTH,))),
    Hostile(
        "a space before the colon",
        _fields(b"A : b\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b"), _LENGTH)),
        _LOSES_FIELDS,
    ),
    Hostile(
        "a tab before the colon",
        _fields(b"A\t: b\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b"), _LENGTH)),
        _LOSES_FIELDS,
    ),
    Hostile(
        "Transfer-Encoding with a space before the colon",
        _framed(b"Transfer-Encoding : chunked\r\n"),
        InvalidHead,
        _HELLO,
        _LOSES_FIELDS,
    ),
    Hostile("a space in a name", _fields(b"A B: c\r\n"), InvalidHead, Got(200, b"body", (_LENGTH,)), _LOSES_FIELDS),
    Hostile(
        "no colon",
        _fields(b"Nonsense\r\n continued\r\nA: b\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b"), _LENGTH)),
        _LOSES_FIELDS,
    ),
    Hostile(
        "no colon, after a field",
        _fields(b"A: b\r\nNonsense\r\n continued\r\nC: d\r\n"),
        InvalidHead,
        Got(200, b"body", (("A", "b"), ("C", "d"), _LENGTH)),
        _LOSES_FIELDS,
    ),
    Hostile("no name", _fields(b": b\r\nA: b\r\n"), InvalidHead, Got(200, b"body", (("A", "b"), _LENGTH))),
    Hostile("only a colon", _fields(b":\r\n"), InvalidHead, Got(200, b"body", (_LENGTH,))),
    Hostile(
        "a name with a parenthesis", _fields(b"A(1): b\r\n"), InvalidHead, Got(200, b"body", (("A(1)", "b"), _LENGTH))
    ),
    Hostile(
        "a name in UTF-8", _fields("Größe: 5\r\n".encode()), InvalidHead, Got(200, b"body", (_LENGTH,)), _LOSES_FIELDS
    ),
    Hostile("a mailbox line", _fields(b"From me: now\r\n"), InvalidHead, Got(200, b"body", (_LENGTH,))),
    Hostile(
        "a status line as a field",
        _fields(b"HTTP/1.1 200 OK\r\n"),
        InvalidHead,
        Got(200, b"body", (_LENGTH,)),
        _LOSES_FIELDS,
    ),
    Hostile(
        "a value in UTF-8",
        _fields("A: Größe\r\n".encode()),
        Got(200, b"body", (("A", "GrÃ¶Ã\x9fe"), _LENGTH)),
        Got(200, b"body", (("A", "GrÃ¶Ã\x9fe"), _LENGTH)),
    ),
    Hostile(
        "a tab after a value",
        _fields(b"A: b\t\r\n"),
        Got(200, b"body", (("A", "b"), _LENGTH)),
        Got(200, b"body", (("A", "b"), _LENGTH)),
    ),
    Hostile(
        "an empty value",
        _fields(b"A:\r\nB: \r\n"),
        Got(200, b"body", (("A", ""), ("B", ""), _LENGTH)),
        Got(200, b"body", (("A", ""), ("B", ""), _LENGTH)),
    ),
    Hostile(
        "colons in a value",
        _fields(b"A::b:\r\n"),
        Got(200, b"body", (("A", ":b:"), _LENGTH)),
        Got(200, b"body", (("A", ":b:"), _LENGTH)),
    ),
    Hostile(
        "blanks around a value",
        _fields(b"A: \t b \t \r\n"),
        Got(200, b"body", (("A", "b"), _LENGTH)),
        Got(200, b"body", (("A", "b"), _LENGTH)),
    ),
    Hostile("a line too long", _fields(b"A: " + b"b" * 65536 + b"\r\n"), LineTooLong, LineTooLong),
    Hostile("a status line too long", b"HTTP/1.1 200 " + b"k" * 65536 + b"\r\n\r\n", LineTooLong, LineTooLong),
    Hostile("a line without end", b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000, LineTooLong, LineTooLong),
    Hostile("fields too many", _fields(b"A: b\r\n" * 100), LimitExceeded, LimitExceeded),
    Hostile("fields too many, folded", _fields(b"A:\r\n b\r\n" * 101), InvalidHead, LimitExceeded),
    Hostile(
        "a head too long",
        b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"b" * 60000 + b"\r\n") * 5,
        LimitExceeded,
        LimitExceeded,
        "there the end of the connection is that of the head, and a head has no bound",
    ),
]

LENGTHS: Final = [
    Hostile("twice the same", _framed(b"Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"), _HELLO, _HELLO),
    Hostile("a list of the same", _framed(b"Content-Length: 5, 5\r\n", b"hello"), _HELLO, _HELLO),
    Hostile(
        "a list of the same, and surplus",
        _framed(b"Content-Length: 5, 5\r\n", b"hello!"),
        _CLOSED,
        _CLOSED,
        "there it is no number, and the end unknown",
    ),
    Hostile(
        "different ones", _framed(b"Content-Length: 5\r\nContent-Length: 6\r\n", b"hello!"), AmbiguousFraming, _CLOSED
    ),
    Hostile("a list of different ones", _framed(b"Content-Length: 5, 6\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile(
        "the same but for a zero",
        _framed(b"Content-Length: 5\r\nContent-Length: 05\r\n", b"hello"),
        AmbiguousFraming,
        _CLOSED,
    ),
    Hostile("a list with a hole", _framed(b"Content-Length: 5,,5\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("negative", _framed(b"Content-Length: -5\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("with a plus", _framed(b"Content-Length: +5\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("with an underscore", _framed(b"Content-Length: 0_5\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("hexadecimal", _framed(b"Content-Length: 0x5\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("fractional", _framed(b"Content-Length: 5.0\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("empty", _framed(b"Content-Length:\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("with a comment", _framed(b"Content-Length: 5 bytes\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("in other digits", _framed(b"Content-Length: \xb2\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("with leading zeros", _framed(b"Content-Length: 0005\r\n", b"hello"), _HELLO, _HELLO),
    Hostile("18 digits", _framed(b"Content-Length: 999999999999999999\r\n", b"hello"), IncompleteRead, IncompleteRead),
    Hostile(
        "19 digits",
        _framed(b"Content-Length: 9999999999999999999\r\n", b"hello"),
        AmbiguousFraming,
        AmbiguousFraming,
        "there it is an OverflowError",
    ),
    Hostile(
        "5000 digits",
        _framed(b"Content-Length: " + b"9" * 5000 + b"\r\n", b"hello"),
        AmbiguousFraming,
        AmbiguousFraming,
        "there it is no number, and the end unknown",
    ),
    Hostile(
        "a plus and 30 digits",
        _framed(b"Content-Length: +" + b"9" * 30 + b"\r\n", b"hello"),
        AmbiguousFraming,
        AmbiguousFraming,
        "there it is an OverflowError",
    ),
    Hostile("more than there is", _framed(b"Content-Length: 6\r\n", b"hello"), IncompleteRead, IncompleteRead),
    Hostile(
        "less than there is",
        _framed(b"Content-Length: 4\r\n", b"hello"),
        Got(200, b"hell", reusable=False),
        Got(200, b"hell", reusable=False),
    ),
]

CODINGS: Final = [
    Hostile(
        "beside Content-Length",
        _framed(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"),
        AmbiguousFraming,
        _CLOSED,
    ),
    Hostile(
        "before Content-Length",
        _framed(b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"),
        AmbiguousFraming,
        _CLOSED,
    ),
    Hostile(
        "beside Content-Length, to HEAD",
        _framed(b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b""),
        AmbiguousFraming,
        _EMPTY,
        method="HEAD",
    ),
    Hostile(
        "HTTP/1.0",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        AmbiguousFraming,
        _CLOSED,
    ),
    Hostile("chunked twice", _framed(b"Transfer-Encoding: chunked, chunked\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile(
        "chunked in two fields",
        _framed(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        AmbiguousFraming,
        _CLOSED,
    ),
    Hostile("chunked not last", _framed(b"Transfer-Encoding: chunked, gzip\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile(
        "chunked and identity",
        _framed(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n"),
        AmbiguousFraming,
        _CLOSED,
    ),
    Hostile(
        "identity and chunked",
        _framed(b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", b"hello"),
        UnknownTransferEncoding,
        _CLOSED,
    ),
    Hostile(
        "gzip and chunked", _framed(b"Transfer-Encoding: gzip, chunked\r\n", b"hello"), UnknownTransferEncoding, _CLOSED
    ),
    Hostile("gzip", _framed(b"Transfer-Encoding: gzip\r\n", b"hello"), UnknownTransferEncoding, _CLOSED),
    Hostile(
        "identity",
        _framed(b"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", b"hello"),
        AmbiguousFraming,
        _CLOSED,
    ),
    Hostile("an unknown one", _framed(b"Transfer-Encoding: xchunked\r\n", b"hello"), UnknownTransferEncoding, _CLOSED),
    Hostile("in quotes", _framed(b'Transfer-Encoding: "chunked"\r\n', b"hello"), UnknownTransferEncoding, _CLOSED),
    Hostile(
        "with a parameter", _framed(b"Transfer-Encoding: chunked;q=1\r\n", b"hello"), UnknownTransferEncoding, _CLOSED
    ),
    Hostile("with a comma", _framed(b"Transfer-Encoding: chunked,\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("empty", _framed(b"Transfer-Encoding:\r\nContent-Length: 5\r\n", b"hello"), AmbiguousFraming, _CLOSED),
    Hostile("a vertical tab before it", _framed(b"Transfer-Encoding: \x0bchunked\r\n", b"hello"), InvalidHead, _CLOSED),
    Hostile("upper case", _framed(b"TRANSFER-ENCODING: CHUNKED\r\n"), _HELLO, _HELLO),
    Hostile(
        "a chunked 204",
        b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        Got(204, b"", reusable=False),
        Got(204, b"", reusable=False),
        "there it has a body",
    ),
    Hostile(
        "a 204 with a length",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        Got(204, b"", reusable=False),
        Got(204, b"", reusable=False),
    ),
    Hostile(
        "a 204 with a length of 0",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
        Got(204, b""),
        Got(204, b""),
    ),
    Hostile(
        "a 304 with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Got(304, b""), Got(304, b"")
    ),
    Hostile(
        "a 304 with a body",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
        Got(304, b"", reusable=False),
        Got(304, b"", reusable=False),
    ),
    Hostile(
        "a second answer",
        _framed(b"Content-Length: 5\r\n", b"helloHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
        _CLOSED,
        _CLOSED,
    ),
]

CHUNKS: Final = [
    Hostile("a sign", _chunked(b"+5\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk, _PYTHON_INT),
    Hostile("a minus", _chunked(b"-5\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk),
    Hostile("0x", _chunked(b"0x5\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk, _PYTHON_INT),
    Hostile("an underscore", _chunked(b"0_5\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk, _PYTHON_INT),
    Hostile("a space before", _chunked(b" 5\r\nhello\r\n0\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile("a space after", _chunked(b"5 \r\nhello\r\n0\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile("a space before an extension", _chunked(b"5 ;a=b\r\nhello\r\n0\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile("a vertical tab", _chunked(b"\x0b5\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk, _PYTHON_INT),
    Hostile("a bare LF after the size", _chunked(b"5\nhello\r\n0\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile("a bare CR after the size", _chunked(b"5\rhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk),
    Hostile("a bare LF after the chunk", _chunked(b"5\r\nhello\n0\r\n\r\n"), InvalidChunk, _HELLO, _ANY_TWO_BYTES),
    Hostile(
        "two other bytes after the chunk",
        _chunked(b"5\r\nhelloXX0\r\n\r\n"),
        InvalidChunk,
        InvalidChunk,
        _ANY_TWO_BYTES,
    ),
    Hostile("nothing after the chunk", _chunked(b"5\r\nhello0\r\n\r\n"), InvalidChunk, InvalidChunk),
    Hostile("a chunk longer than its size", _chunked(b"4\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk),
    Hostile("no size", _chunked(b"\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk),
    Hostile("no size but an extension", _chunked(b";a=b\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk),
    Hostile("not hexadecimal", _chunked(b"5g\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk),
    Hostile("16 digits", _chunked(b"0000000000000005\r\nhello\r\n0\r\n\r\n"), _HELLO, _HELLO),
    Hostile("17 digits", _chunked(b"00000000000000005\r\nhello\r\n0\r\n\r\n"), InvalidChunk, InvalidChunk, _BOUNDS),
    Hostile(
        "a size that wraps at 64 bits",
        _chunked(b"10000000000000005\r\nhello\r\n0\r\n\r\n"),
        InvalidChunk,
        InvalidChunk,
        "there it is an OverflowError",
    ),
    Hostile(
        "a size of 64 bits",
        _chunked(b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        IncompleteRead,
        IncompleteRead,
        "there it is an OverflowError",
    ),
    Hostile("digits without end", _chunked(b"0" * 5000), InvalidChunk, InvalidChunk, _BOUNDS),
    Hostile("an extension", _chunked(b'5;a=b;c="d e"\r\nhello\r\n0;x\r\n\r\n'), _HELLO, _HELLO),
    Hostile("a bare LF in an extension", _chunked(b"5;a\nhello\r\n0\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile("a bare CR in an extension", _chunked(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile("NUL in an extension", _chunked(b"5;\0\r\nhello\r\n0\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile(
        "a size line too long",
        _chunked(b"5;" + b"a" * 4096 + b"\r\nhello\r\n0\r\n\r\n"),
        LimitExceeded,
        LimitExceeded,
        _BOUNDS,
    ),
    Hostile(
        "extensions too long together",
        _chunked((b"1;" + b"a" * 1000 + b"\r\nx\r\n") * 17 + b"0\r\n\r\n"),
        LimitExceeded,
        LimitExceeded,
        _BOUNDS,
    ),
    Hostile("cut in the size", _chunked(b"5"), IncompleteRead, IncompleteRead),
    Hostile("cut after the size", _chunked(b"5\r\n"), IncompleteRead, IncompleteRead),
    Hostile("cut in the chunk", _chunked(b"5\r\nhel"), IncompleteRead, IncompleteRead),
    Hostile("cut after the chunk", _chunked(b"5\r\nhello"), IncompleteRead, IncompleteRead),
    Hostile("cut before the last chunk", _chunked(b"5\r\nhello\r\n"), IncompleteRead, IncompleteRead),
    Hostile("cut before the empty line", _chunked(b"5\r\nhello\r\n0\r\n"), IncompleteRead, _HELLO),
    Hostile("cut in the trailer section", _chunked(b"5\r\nhello\r\n0\r\nA: b\r\n"), IncompleteRead, _HELLO),
    Hostile("a folded trailer field", _chunked(b"5\r\nhello\r\n0\r\nA: b\r\n c\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile("a trailer without colon", _chunked(b"5\r\nhello\r\n0\r\nA\r\n\r\n"), InvalidChunk, _HELLO),
    Hostile("a bare LF in the trailer section", _chunked(b"5\r\nhello\r\n0\r\nA: b\n\r\n"), InvalidChunk, _HELLO),
    Hostile(
        "a bare CR in the trailer section", _chunked(b"5\r\nhello\r\n0\r\nA: b\rC: d\r\n\r\n"), InvalidChunk, _HELLO
    ),
    Hostile("a bare LF for the empty line", _chunked(b"5\r\nhello\r\n0\r\n\n"), InvalidChunk, _HELLO),
    Hostile("a trailer line too long", _chunked(b"0\r\nA: " + b"b" * 65536 + b"\r\n\r\n"), LineTooLong, LineTooLong),
    Hostile(
        "a trailer section too long",
        _chunked(b"0\r\n" + (b"A: " + b"b" * 1000 + b"\r\n") * 66 + b"\r\n"),
        LimitExceeded,
        LimitExceeded,
        _BOUNDS,
    ),
    Hostile(
        "trailer fields too many",
        _chunked(b"0\r\n" + b"A: b\r\n" * 101 + b"\r\n"),
        LimitExceeded,
        LimitExceeded,
        _BOUNDS,
    ),
    Hostile(
        "a second answer",
        _chunked(b"5\r\nhello\r\n0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"),
        _CLOSED,
        _CLOSED,
    ),
]

HOSTILE: Final = {
    "status line": STATUS_LINES,
    "fields": FIELDS,
    "Content-Length": LENGTHS,
    "Transfer-Encoding": CODINGS,
    "chunked": CHUNKS,
}
