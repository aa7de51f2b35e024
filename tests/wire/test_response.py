"""Response heads; what is wrong with hostile ones is in ``hostile.py``."""

from __future__ import annotations

import http.client
import io
import itertools
import pickle
from typing import Any

import pytest

from aiohttpclient._headers import Headers
from aiohttpclient.errors import BadStatusLine, InvalidHead, LimitExceeded, LineTooLong, UnknownProtocol
from aiohttpclient.wire import MessageLimits, check_partial_head, head_end, looks_like_http, parse_response_head
from tests.support.cases import for_each
from tests.wire.feeding import LIMITS, Head, Refused, byte_by_byte, head_of, read_only_head

NGINX = (
    b"HTTP/1.1 404 Not Found\r\nServer: nginx/1.22.1\r\nDate: Sun, 22 Nov 2026 21:12:00 GMT\r\n"
    b"Content-Type: text/html; charset=utf-8\r\nContent-Length: 153\r\nConnection: keep-alive\r\n\r\n"
)


@pytest.mark.parametrize("strict", [True, False])
def test_a_usual_head(strict: bool) -> None:
    """A head that keeps to the RFC is taken apart alike in both modes."""
    assert head_of(NGINX, strict=strict) == Head(
        11,
        404,
        "Not Found",
        [
            ("Server", "nginx/1.22.1"),
            ("Date", "Sun, 22 Nov 2026 21:12:00 GMT"),
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", "153"),
            ("Connection", "keep-alive"),
        ],
        b"",
    )


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("line", "version", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 11, 200, "OK"),
        (b"HTTP/1.0 200 OK", 10, 200, "OK"),
        (b"HTTP/1.9 200 OK", 11, 200, "OK"),
        (b"HTTP/1.1 200 ", 11, 200, ""),
        (b"HTTP/1.1 200", 11, 200, ""),
        (b"HTTP/1.1 200   spaced   out  ", 11, 200, "spaced   out"),
        (b"HTTP/1.1 100 Continue", 11, 100, "Continue"),
        (b"HTTP/1.1 999 \xff", 11, 999, "\xff"),
        (b"HTTP/1.1 600 200", 11, 600, "200"),
    ],
)
def test_status_lines(line: bytes, version: int, status: int, reason: str, strict: bool) -> None:
    """A status line gives version, status and reason, and the reason may be missing."""
    assert head_of(line + b"\r\n\r\n", strict=strict) == Head(version, status, reason, [], b"")


def test_headers_are_case_insensitive() -> None:
    """The fields are ``Headers``: looked up without case, kept with it."""
    headers = parse_response_head(b"HTTP/1.1 200 OK\r\nset-cookie: a\r\nSet-Cookie: b\r\n\r\n", LIMITS, True).headers
    assert isinstance(headers, Headers)
    assert headers.get_all("SET-COOKIE") == ["a", "b"]
    assert [name for name, _ in headers.items()] == ["set-cookie", "Set-Cookie"]


@pytest.mark.parametrize("strict", [True, False])
def test_an_answer_is_the_callers_own(strict: bool) -> None:
    """A head that comes again is read as the first time, whatever was done to the fields of the first."""
    first = parse_response_head(NGINX, LIMITS, strict)
    fields = list(first.headers.items())
    first.headers["Server"] = "changed"
    first.headers.add("Added", "later")
    assert list(parse_response_head(NGINX, LIMITS, strict).headers.items()) == fields


def test_get() -> None:
    """The first value of a field is found without case, whatever is done to the fields that were given out."""
    head = parse_response_head(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nEmpty:\r\n\r\n", LIMITS, True)
    head.headers["X-A"] = "changed"
    assert [head.get(name) for name in ("X-A", "x-A", "Empty", "None")] == ["1", "1", "", None]
    head.headers.clear()
    head.framing("GET")
    assert [head.get(name) for name in ("X-A", "Empty", "None")] == ["1", "", None]
    assert head.headers.getall("X-A") == ["1", "2"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("fields", "sets_cookies", "is_coded"),
    [
        (b"", False, False),
        (b"set-COOKIE: a=1\r\n", True, False),
        (b"content-Encoding: gzip\r\n", False, True),
        (b"Set-Cookie: a=1\r\nContent-Encoding:\r\nSet-Cookie2: b\r\n", True, True),
        (b"Cookie: a=1\r\nTransfer-Encoding: chunked\r\n", False, False),
    ],
)
def test_what_is_looked_for(fields: bytes, sets_cookies: bool, is_coded: bool, method: str) -> None:
    """Whether there are cookies or a content coding is known with the framing, for every method and each time."""
    for _ in range(2):
        head = parse_response_head(b"HTTP/1.1 200 OK\r\nX: %s\r\n%b\r\n" % (method.encode(), fields), LIMITS, True)
        head.framing(method)
        assert (head.sets_cookies, head.is_coded) == (sets_cookies, is_coded)


def test_a_head_pickles() -> None:
    """A head can go to another process, before and after it was looked at."""
    head = parse_response_head(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nKeep-Alive: timeout=5\r\n\r\n", LIMITS, True)
    fresh = pickle.loads(pickle.dumps(head))
    head.framing("GET")
    used = pickle.loads(pickle.dumps(head))
    for again in (fresh, used):
        assert again == head
        assert (again.get("x-a"), list(again.headers.items())) == ("1", list(head.headers.items()))
        assert again.framing("GET") == head.framing("GET")
        assert again.keep_alive == 5


def test_a_head_seen_in_another_mode_or_with_other_limits() -> None:
    """What a head came to before does not matter when the mode or the limits are others."""
    odd = b"HTTP/1.1 200 OK\r\nA : b\r\nC: d\r\n\r\n"
    for _ in range(2):
        assert parse_response_head(odd, LIMITS, False).headers["A"] == "b"
        with pytest.raises(InvalidHead):
            parse_response_head(odd, LIMITS, True)
        with pytest.raises(LimitExceeded):
            parse_response_head(odd, MessageLimits(fields=1), False)
        with pytest.raises(LineTooLong):
            parse_response_head(odd, MessageLimits(line=16), False)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("fields", "seconds"),
    [(b"", None), (b"Keep-Alive: timeout=5\r\n", 5.0), (b"Keep-Alive: x\r\nKEEP-ALIVE: max=1, timeout=0\r\n", 0.0)],
)
def test_keep_alive(fields: bytes, seconds: float | None, strict: bool) -> None:
    """A head whose framing was asked for tells how long the peer keeps the connection, also when it comes again."""
    for _ in range(2):
        head = parse_response_head(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n", LIMITS, strict)
        head.framing("GET")
        assert head.keep_alive == seconds


@pytest.mark.parametrize(
    ("buffer", "expected"),
    [
        (b"", None),
        (b"H", None),
        (b"HTTP", None),
        (b"HTTP/", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/9999", True),
        (b"h", False),
        (b"HTTX", False),
        (b"HTTP ", False),
        (b"\r\nHTTP/", False),
        (b"\0", False),
    ],
)
def test_looks_like_http(buffer: bytes, expected: bool | None) -> None:
    """The first byte that is not that of ``HTTP/`` decides, and until then nothing does."""
    assert looks_like_http(buffer) is expected
    assert looks_like_http(bytearray(buffer)) is expected


def test_head_end_takes_where_it_left_off() -> None:
    """``start`` may be any number of bytes that were there before, and the end is found all the same."""
    for start in range(len(NGINX)):
        assert head_end(bytearray(NGINX), start, True) == len(NGINX)
        assert head_end(NGINX, start, False) == len(NGINX)


def test_check_partial_head_without_start() -> None:
    """Without ``start`` the whole buffer is judged."""
    with pytest.raises(InvalidHead):
        check_partial_head(bytearray(b"HTTP/1.1 200 OK\nA: b"), LIMITS, True)
    check_partial_head(bytearray(b"HTTP/1.1 200 OK\nA: b"), LIMITS, False)


@pytest.mark.parametrize("strict", [True, False])
def test_limits_at_the_bound(strict: bool) -> None:
    """A head of exactly the bounds is accepted, and with one byte less of any of them it is refused."""
    longest = max(len(line) + 2 for line in NGINX.split(b"\r\n"))
    exact = {"line": longest, "head": len(NGINX), "fields": 5}
    assert isinstance(head_of(NGINX, strict=strict, limits=MessageLimits(**exact)), Head)
    for name, error in (("line", Refused("LineTooLong")), ("head", None), ("fields", None)):
        limits = MessageLimits(**exact | {name: exact[name] - 1})
        assert head_of(NGINX, strict=strict, limits=limits) == (error or Refused("LimitExceeded", name))


@pytest.mark.parametrize("strict", [True, False])
def test_a_head_limit_below_the_line_limit(strict: bool) -> None:
    """The bound of a head holds when it is the smaller one as well."""
    assert isinstance(head_of(NGINX, strict=strict, limits=MessageLimits(head=len(NGINX))), Head)
    for raw in (NGINX, NGINX * 9):
        limits = MessageLimits(head=len(NGINX) - 1)
        assert head_of(raw, strict=strict, limits=limits) == Refused("LimitExceeded", "head")


def test_limits_of_an_odd_head() -> None:
    """The bounds hold for a head that only lenient mode takes."""
    odd = NGINX.replace(b"\r\n", b"\n")
    longest = max(len(line) + 1 for line in odd.split(b"\n"))
    exact = {"line": longest, "head": len(odd), "fields": 5}
    assert isinstance(head_of(odd, strict=False, limits=MessageLimits(**exact)), Head)
    for name, error in (("line", Refused("LineTooLong")), ("head", None), ("fields", None)):
        limits = MessageLimits(**exact | {name: exact[name] - 1})
        assert head_of(odd, strict=False, limits=limits) == (error or Refused("LimitExceeded", name))


@pytest.mark.parametrize(
    ("raw", "error", "text"),
    [
        (b"HTTP/1.1 OK\r\n\r\n", BadStatusLine, "HTTP/1.1 OK"),
        (b"HTTP/1.1 " + b"x" * 60000 + b"\r\n\r\n", BadStatusLine, "HTTP/1.1 xxx"),
        (b"HTTP/2.0 200 OK\r\n\r\n", UnknownProtocol, "HTTP/2.0"),
        (b"Hello\r\n\r\n", BadStatusLine, "Hello"),
        (b"x" * 70000 + b"\r\n\r\n", BadStatusLine, "xxx"),
        (b"HTTP/1.1 200 OK\r\nA\r\n\r\n", InvalidHead, "not a field: 'A'"),
        (b"HTTP/1.1 200 OK\r\n" + b"A:" * 40000 + b"\r\n\r\n", LineTooLong, "header line"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n", LimitExceeded, "'fields'"),
    ],
)
def test_a_refusal_says_why(raw: bytes, error: type[Exception], text: str) -> None:
    """The error shows what was wrong, and never more than a few hundred characters of it."""
    with pytest.raises(error) as caught:
        parse_response_head(raw, LIMITS, True)
    assert text in str(caught.value)
    assert len(str(caught.value)) < 600


@pytest.mark.parametrize(
    "raw", [b"XTTP/1.1 200 OK\r\n\r\n", b"x" * 70000 + b"\r\n\r\n", b"\r\n\r\n", b"http/1.1 200\n\n"]
)
def test_no_head_at_all(raw: bytes) -> None:
    """Lenient: what does not begin with ``HTTP/`` is no head to the parser, too, if it is asked all the same."""
    with pytest.raises(BadStatusLine):
        parse_response_head(raw, LIMITS, False)


@pytest.mark.parametrize(
    ("raw", "after"),
    [
        (b"XTTP/1.1 200 OK\r\n", 1),
        (b"HTTP/1.1 200 OK\nA: b", 16),
        (b"HTTP/1.1 200 OK\rA: b", 17),
        (b"HTTP/1.1 200 OK\r\nA: b\nC: d\r\n", 22),
        (b"HTTP/1.1 200 " + b"k" * 70000, 65537),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70000, 17 + 65537),
    ],
)
def test_refused_at_once(raw: bytes, after: int) -> None:
    """Strict: a head is refused at the very byte that makes it hopeless, so that nobody waits for its end."""
    pieces = byte_by_byte(raw)
    assert read_only_head(pieces[: after - 1], LIMITS, True) is None
    assert isinstance(read_only_head(pieces[:after], LIMITS, True), Refused)


class _Socket:
    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.raw)


@for_each(
    itertools.product(
        [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"HTTP/1.", b"HTTP/1.1.1", b"HTTP/2", b"HTTP/"],
        [b" ", b"  ", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x85", b"\xa0", b" \t "],
        [b"\r\n", b"\n", b" \r\n", b" OK\r\n", b"\tO  K\n", b" OK \t\r\n"],
    )
)
def test_http_client_reads_the_same_status_line(version: bytes, separator: bytes, end: bytes) -> None:
    """Lenient: a status line means what it means to http.client."""
    raw = version + separator + b"200" + end + b"\r\n"
    response = http.client.HTTPResponse(_Socket(raw))  # type: ignore[arg-type]  # all it uses
    theirs: Any
    try:
        response.begin()
        theirs = Head(response.version, response.status, response.reason, [], b"")
    except http.client.HTTPException as error:
        theirs = Refused(type(error).__name__)
    assert head_of(raw, strict=False) == theirs
