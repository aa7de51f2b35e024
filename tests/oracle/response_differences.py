"""Where this library, in lenient mode, makes something else of a response than http.client; and why."""

from __future__ import annotations

from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong
from typing import Any, NamedTuple

from aiohttpclient.errors import AmbiguousFraming, InvalidChunk, InvalidHead, LimitExceeded, ProtocolError

from .response_cases import Case, chunked, ok, status_line


class Difference(NamedTuple):
    """What differs, by the names of ``Received``: what http.client makes of it, what we make of it.

    Everything else is the same, unless an error is among what differs: one of the two has got less far then.
    """

    reason: str
    case: Case
    differs: dict[str, tuple[Any, Any]]


TWO = "Content-Length: 2\r\n"

_STRIP = "RFC 9110 section 5.5: blanks at the end are not part of the value"
_FOLD = (
    "RFC 9112 section 5.2: a fold is replaced by a space; line ends in a value are dangerous to whoever passes it on"
)
_CR = "RFC 9112 section 2.2: a CR without LF is no line end; where it is taken for one, a value can smuggle in a field"
_NUL = "RFC 9110 section 5.5: NUL is replaced by a space"
_LOST = "email.parser loses all fields from the first bad line on, Content-Length among them"
_DIGITS = "RFC 9112 section 4: a status is digits; int() also takes a sign and underscores"
_SIMPLE = "HTTP/0.9: Python up to 3.3 took a response without a head with strict=False; later ones have no such mode"
_CUT = "the end of the connection is not the end of the head: what is missing may be the field that matters"
_LENGTH = "others may read another length out of it, so the connection is not used again"
_SIZE = "RFC 9112 section 7.1: a size is hex digits; int() also takes a sign, 0x and underscores"
_NO_SIZE = "the coding is broken, which is not the same as cut short"
_CHUNK_END = "RFC 9112 section 7.1: CR LF follows a chunk; where any two bytes may, two readers see different bodies"
_BARE = "a bare LF is forgiven in all places, not in all but one"
_HUGE = "a number that cannot be a size is a fault of the peer, and not an OverflowError in the program"
_BOUND = "what a peer may send is bounded (MessageLimits)"
_NAMED = "the bound that was exceeded has a name; the error is an HTTPException as well"
_COUNT = "http.client counts the empty line as a field"
_INTERIM = "RFC 9110 section 15.2: a client must be able to parse 1xx responses before the final one"
_SWITCH = "RFC 9110 section 7.8: a server must not switch to a protocol that was not asked for"
_NO_BODY = "RFC 9112 section 6.3 rule 1: there is no body, whatever the fields say"
_CONNECT = "RFC 9112 section 6.3 rule 2: what follows a 2xx to CONNECT is the tunnel, not a body"
_TOKEN = "RFC 9110 section 7.6.1: Connection is a list of tokens, in as many fields as one likes"
_PARTIAL = "http.client leaves out what had come of the last chunk"


def _refused(reason: str, case: Case, theirs: Any, ours: Any) -> Difference:
    return Difference(reason, case, {"error": (theirs, ours)})


def _closes(reason: str, case: Case, theirs: bool = False) -> Difference:
    return Difference(reason, case, {"will_close": (theirs, not theirs)})


def _lost(line: str) -> Difference:
    fields = [("Content-Length", "2")]
    if line == "X : a":
        fields.insert(0, ("X", "a"))  # RFC 9112 section 5.1: blanks before the colon are removed
    return Difference(_LOST, ok(f"{line}\r\n{TWO}", b"ok"), {"headers": ([], fields), "will_close": (True, False)})


def _value(reason: str, line: str, theirs: list[tuple[str, str]], ours: str) -> Difference:
    two = ("Content-Length", "2")
    return Difference(
        reason, ok(f"X: {line}\r\n{TWO}", b"ok", open=True), {"headers": ([*theirs, two], [("X", ours), two])}
    )


DIFFERENCES: dict[str, Difference] = {
    # -- status line
    **{
        f"no head: {raw!r}": _refused(_SIMPLE, Case(raw), BadStatusLine, None)
        for raw in (
            b"<html>simple</html>",
            b"x",
            b"HTT",
            b"\r\nHTTP/1.1 200 OK\r\n\r\n",
            b"http/1.1 200 OK\r\n\r\n",
            b"HTTPS/1.1 200 OK\r\n\r\n",
        )
    },
    "no head: a blank before it": Difference(
        _SIMPLE,
        Case(b" HTTP/1.0 200 OK\r\n\r\nok"),
        {"reason": ("OK", ""), "version": (10, 9), "body": (b"ok", b" HTTP/1.0 200 OK\r\n\r\nok")},
    ),
    "a status with a sign": _refused(_DIGITS, status_line(b"HTTP/1.1 +200 OK"), None, BadStatusLine),
    "a status with an underscore": _refused(_DIGITS, status_line(b"HTTP/1.1 2_00 OK"), None, BadStatusLine),
    "closed in the status line": _refused(_CUT, Case(b"HTTP/1.1 20"), BadStatusLine, InvalidHead),
    "closed after the reason": _refused(_CUT, Case(b"HTTP/1.1 200 OK"), None, InvalidHead),
    "closed after the status line": _refused(_CUT, Case(b"HTTP/1.1 200 OK\r\n"), None, InvalidHead),
    "closed in a field": _refused(_CUT, Case(b"HTTP/1.1 200 OK\r\nContent-Length: 2"), IncompleteRead, InvalidHead),
    "closed after a field": _refused(_CUT, Case(b"HTTP/1.1 200 OK\r\nX: y\r\n"), None, InvalidHead),
    # -- fields
    "blanks after a value": _value(_STRIP, "a  ", [("X", "a  ")], "a"),
    "a tab after a value": _value(_STRIP, "a\t", [("X", "a\t")], "a"),
    "a folded value": _value(_FOLD, "a\r\n b\r\n\tc", [("X", "a\r\n b\r\n\tc")], "a b c"),
    "a bare CR": _value(_CR, "a\rY: b", [("X", "a"), ("Y", "b")], "a Y: b"),
    "NUL": _value(_NUL, "a\0b", [("X", "a\0b")], "a b"),
    **{f"a line that is no field: {line!r}": _lost(line) for line in ("X : a", "X", "X Y: a", "X\xe9: a", "X\x01: a")},
    "100 fields": _refused(_COUNT, ok("".join(f"X-{n}: {n}\r\n" for n in range(99)) + TWO, b"ok"), HTTPException, None),
    "101 fields": _refused(
        _NAMED, ok("".join(f"X-{n}: {n}\r\n" for n in range(100)) + TWO, b"ok"), HTTPException, LimitExceeded
    ),
    "a head of 300 KB": _refused(
        _BOUND, ok("".join(f"X: {'v' * 60000}\r\n" for _ in range(5)) + TWO, b"ok"), None, LimitExceeded
    ),
    # -- length
    "Content-Lengths that differ": _closes(
        _LENGTH, ok("Content-Length: 3\r\nContent-Length: 5\r\n", b"abc", open=True)
    ),
    "Content-Length with a sign": _closes(_LENGTH, ok("Content-Length: +3\r\n", b"abc", open=True)),
    "Content-Length with an underscore": _closes(_LENGTH, ok("Content-Length: 0_3\r\n", b"abc", open=True)),
    "Content-Length as a list of equals": Difference(
        "RFC 9110 section 8.6: the same value several times may be taken as one",
        ok("Content-Length: 3, 3\r\n", b"abcd"),
        {"will_close": (True, False), "body": (b"abcd", b"abc")},
    ),
    "Content-Length of 20 digits": _refused(
        _HUGE, ok(f"Content-Length: {'9' * 20}\r\n", b"abc"), OverflowError, AmbiguousFraming
    ),
    "Content-Length beside another coding": _closes(
        _LENGTH, ok("Transfer-Encoding: gzip\r\nContent-Length: 3\r\n", b"abc", open=True)
    ),
    "Content-Length beside chunked": _closes(
        _LENGTH, ok("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", b"3\r\nabc\r\n0\r\n\r\n", open=True)
    ),
    "Content-Length beside an empty coding": _closes(
        _LENGTH, ok("Transfer-Encoding:\r\nContent-Length: 3\r\n", b"abc", open=True)
    ),
    "both in the answer to HEAD": _closes(
        _LENGTH, ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", method="HEAD", open=True)
    ),
    "204 with a length": _closes(_LENGTH, Case(b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", open=True)),
    "204 with chunks": Difference(
        _NO_BODY,
        Case(b"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", open=True),
        {"will_close": (False, True), "body": (b"abc", b"")},
    ),
    "304 with chunks": Difference(
        _NO_BODY,
        Case(b"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", open=True),
        {"body": (b"abc", b"")},
    ),
    "2xx to CONNECT": Difference(
        _CONNECT, Case(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "CONNECT"), {"body": (b"ok", b"")}
    ),
    # -- chunks
    "chunked twice": _closes(_LENGTH, ok("Transfer-Encoding: chunked\r\n" * 2, b"3\r\nabc\r\n0\r\n\r\n", open=True)),
    "chunked with a blank after it": Difference(
        _STRIP,
        ok("Transfer-Encoding: chunked \r\n", b"3\r\nabc\r\n0\r\n\r\n"),
        {
            "headers": ([("Transfer-Encoding", "chunked ")], [("Transfer-Encoding", "chunked")]),
            "will_close": (True, False),
            "body": (b"3\r\nabc\r\n0\r\n\r\n", b"abc"),
        },
    ),
    "chunked in HTTP/1.0 that is kept alive": _closes(
        _LENGTH,
        Case(
            b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            open=True,
        ),
    ),
    **{
        f"size {size!r}": _refused(_SIZE, chunked(size + b"\r\nabc\r\n0\r\n\r\n", open=False), None, InvalidChunk)
        for size in (b"+3", b"0x3", b"0_3", b"\x0c3", b"0" * 20 + b"3")
    },
    "a negative size": _refused(_SIZE, chunked(b"-3\r\nabc\r\n0\r\n\r\n", open=False), ValueError, InvalidChunk),
    "a size that is none": _refused(_NO_SIZE, chunked(b"3\r\nabc\r\nxyz\r\n"), IncompleteRead, InvalidChunk),
    "an empty size": _refused(_NO_SIZE, chunked(b"\r\n"), IncompleteRead, InvalidChunk),
    "a size of 17 digits": _refused(_HUGE, chunked(b"f" * 17 + b"\r\nabc", open=False), OverflowError, InvalidChunk),
    "a size of 16 digits": _refused(_HUGE, chunked(b"f" * 16 + b"\r\nabc", open=False), OverflowError, IncompleteRead),
    "something else after a chunk": _refused(_CHUNK_END, chunked(b"3\r\nabcxx0\r\n\r\n"), None, InvalidChunk),
    "more in a chunk than its size": _refused(
        _CHUNK_END, chunked(b"3\r\nabcd\r\n0\r\n\r\n", open=False), IncompleteRead, InvalidChunk
    ),
    "a bare LF after a chunk": _refused(_BARE, chunked(b"3\r\nabc\n0\r\n\r\n", open=False), IncompleteRead, None),
    "closed in a chunk": Difference(
        _PARTIAL, chunked(b"3\r\nabc\r\n5\r\nde", open=False), {"partial": (b"abc", b"abcde")}
    ),
    "an extension of 5 KB": _refused(
        _BOUND, chunked(b"3;" + b"x" * 5000 + b"\r\nabc\r\n0\r\n\r\n"), None, LimitExceeded
    ),
    "an extension of 70 KB": _refused(
        _BOUND, chunked(b"3;" + b"x" * 70000 + b"\r\nabc\r\n0\r\n\r\n"), LineTooLong, LimitExceeded
    ),
    "101 trailers": _refused(_BOUND, chunked(b"0\r\n" + b"X: y\r\n" * 101 + b"\r\n"), None, LimitExceeded),
    # -- closing
    "Connection: not-close": _closes(_TOKEN, ok(f"Connection: not-close\r\n{TWO}", b"ok", open=True), theirs=True),
    "Connection: closed": _closes(_TOKEN, ok(f"Connection: closed\r\n{TWO}", b"ok", open=True), theirs=True),
    "close in the second Connection": _closes(
        _TOKEN, ok(f"Connection: x\r\nConnection: close\r\n{TWO}", b"ok", open=True)
    ),
    "close and Keep-Alive in HTTP/1.0": _closes(
        _TOKEN,
        Case(b"HTTP/1.0 200 OK\r\nConnection: close\r\nKeep-Alive: 5\r\nContent-Length: 2\r\n\r\nok", open=True),
    ),
    "no-keep-alive in HTTP/1.0": _closes(
        _TOKEN, Case(b"HTTP/1.0 200 OK\r\nConnection: no-keep-alive\r\nContent-Length: 2\r\n\r\nok", open=True)
    ),
    # -- informational
    **{
        f"{status} before the response": Difference(
            _INTERIM,
            Case(
                f"HTTP/1.1 {status} {reason}\r\n\r\n".encode() + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                open=True,
            ),
            {
                "status": (status, 200),
                "reason": (reason, "OK"),
                "headers": ([], [("Content-Length", "2")]),
                "body": (b"", b"ok"),
            },
        )
        for status, reason in ((102, "Processing"), (103, "Early Hints"), (199, "Odd"))
    },
    "101 that nobody asked for": _refused(
        _SWITCH, Case(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", open=True), None, ProtocolError
    ),
    "33 informational responses": _refused(
        _BOUND,
        Case(b"HTTP/1.1 100 Continue\r\n\r\n" * 33 + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        None,
        LimitExceeded,
    ),
}
