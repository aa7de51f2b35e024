"""The truth table of RFC 9112 section 6.3, and which connections live on."""

from __future__ import annotations

import http.client
import io

import pytest

from aiohttpclient._headers import Headers
from aiohttpclient.errors import AmbiguousFraming, UnknownTransferEncoding
from aiohttpclient.wire import BodyKind, Framing, keeps_alive, refuses_body, response_framing
from aiohttpclient.wire._framing import keep_alive_timeout

CHUNKED = Framing(BodyKind.CHUNKED, None, False)
UNTIL_CLOSE = Framing(BodyKind.UNTIL_CLOSE, None, False)
SWITCH = Framing(BodyKind.SWITCH, None, False)
NO_BODY = Framing(BodyKind.LENGTH, 0, False)

Fields = list[tuple[str, str]]
Outcome = Framing | type[Exception]


def length(number: int) -> Framing:
    return Framing(BodyKind.LENGTH, number, False)


def ambiguous(framing: Framing) -> Framing:
    return framing._replace(ambiguous=True)


def cl(*values: str) -> Fields:
    return [("Content-Length", value) for value in values]


def te(*values: str) -> Fields:
    return [("transfer-encoding", value) for value in values]


# Fields; what they come to in strict and in lenient mode, for a response that may have a body.
FIELDS: list[tuple[Fields, Outcome, Outcome]] = [
    ([], UNTIL_CLOSE, UNTIL_CLOSE),
    ([("Content-Type", "text/plain")], UNTIL_CLOSE, UNTIL_CLOSE),
    # Rule 6: a valid Content-Length.
    (cl("0"), length(0), length(0)),
    (cl("5"), length(5), length(5)),
    (cl("007"), length(7), length(7)),
    (cl("9" * 18), length(10**18 - 1), length(10**18 - 1)),
    (cl("5", "5"), length(5), length(5)),
    (cl("5, 5"), length(5), length(5)),
    (cl("5,5", "5"), length(5), length(5)),
    # Rule 5: an invalid one.
    (cl("9" * 19), AmbiguousFraming, AmbiguousFraming),
    (cl("9" * 5000), AmbiguousFraming, AmbiguousFraming),
    (cl("+" + "9" * 19), AmbiguousFraming, AmbiguousFraming),
    (cl("5", "6"), AmbiguousFraming, ambiguous(length(5))),
    (cl("5", "05"), AmbiguousFraming, ambiguous(length(5))),
    (cl("5", "x"), AmbiguousFraming, ambiguous(length(5))),
    (cl("x", "5"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl("5, 6"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl("5,"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl(""), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl("-0"), AmbiguousFraming, ambiguous(length(0))),
    (cl("-5"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl("+5"), AmbiguousFraming, ambiguous(length(5))),
    (cl("1_0"), AmbiguousFraming, ambiguous(length(10))),
    (cl("5 5"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl("0x5"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl("5.0"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl("²"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (cl("\uff15"), AmbiguousFraming, ambiguous(length(5))),
    # Rule 4: Transfer-Encoding with chunked last, and without.
    (te("chunked"), CHUNKED, CHUNKED),
    (te("Chunked"), CHUNKED, CHUNKED),
    (te("gzip"), UnknownTransferEncoding, ambiguous(UNTIL_CLOSE)),
    (te("identity"), UnknownTransferEncoding, ambiguous(UNTIL_CLOSE)),
    (te(""), UnknownTransferEncoding, ambiguous(UNTIL_CLOSE)),
    (te("gzip, chunked"), UnknownTransferEncoding, ambiguous(UNTIL_CLOSE)),
    (te("gzip", "chunked"), UnknownTransferEncoding, ambiguous(UNTIL_CLOSE)),
    (te("chunked;a=b"), UnknownTransferEncoding, ambiguous(UNTIL_CLOSE)),
    (te("chunked, gzip"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (te("chunked", "gzip"), AmbiguousFraming, ambiguous(CHUNKED)),
    (te("chunked, chunked"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    (te("chunked", "chunked"), AmbiguousFraming, ambiguous(CHUNKED)),
    (te("chunked,"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
    # Rule 3: both.
    (cl("5") + te("chunked"), AmbiguousFraming, ambiguous(CHUNKED)),
    (te("chunked") + cl("5"), AmbiguousFraming, ambiguous(CHUNKED)),
    (te("chunked") + cl("x"), AmbiguousFraming, ambiguous(CHUNKED)),
    (te("gzip") + cl("5"), AmbiguousFraming, ambiguous(length(5))),
    (te("identity") + cl("x"), AmbiguousFraming, ambiguous(UNTIL_CLOSE)),
]


def check(method: str, status: int, version: int, fields: Fields, *, strict: bool, expected: Outcome) -> None:
    if isinstance(expected, Framing):
        assert response_framing(method, status, version, Headers(fields), strict) == expected
        return
    with pytest.raises(expected) as caught:
        response_framing(method, status, version, Headers(fields), strict)
    assert type(caught.value) is expected
    assert 0 < len(str(caught.value)) < 300


@pytest.mark.parametrize(("fields", "strict", "lenient"), FIELDS)
def test_with_a_body(fields: Fields, strict: Outcome, lenient: Outcome) -> None:
    """A response that may have a body ends where its fields say, and neither method nor status changes that."""
    for method, status in (("GET", 200), ("POST", 404), ("OPTIONS", 299), ("CONNECT", 407), ("GET", 205)):
        check(method, status, 11, fields, strict=True, expected=strict)
        check(method, status, 11, fields, strict=False, expected=lenient)


@pytest.mark.parametrize(("fields", "strict", "lenient"), FIELDS)
def test_without_a_body_but_with_its_fields(fields: Fields, strict: Outcome, lenient: Outcome) -> None:
    """Rule 1: a response to HEAD and a 304 have no body, and contradictory fields are refused all the same."""
    for method, status in (("HEAD", 200), ("HEAD", 404), ("HEAD", 204), ("GET", 304), ("POST", 304)):
        for outcome, mode in ((strict, True), (lenient, False)):
            expected = NO_BODY._replace(ambiguous=outcome.ambiguous) if isinstance(outcome, Framing) else outcome
            check(method, status, 11, fields, strict=mode, expected=expected)


@pytest.mark.parametrize(("fields", "strict", "lenient"), FIELDS)
def test_without_a_body_or_its_fields(fields: Fields, strict: Outcome, lenient: Outcome) -> None:
    """Rule 1: a 1xx and a 204 have no body, and when their fields announce one, the connection is not used again."""
    for status in (100, 102, 103, 199, 204):
        for outcome, mode in ((strict, True), (lenient, False)):
            expected = outcome
            if isinstance(outcome, Framing):
                announced = outcome.kind is BodyKind.CHUNKED or outcome.length not in {None, 0}
                expected = NO_BODY._replace(ambiguous=outcome.ambiguous or announced)
            check("GET", status, 11, fields, strict=mode, expected=expected)


@pytest.mark.parametrize("fields", [fields for fields, _, _ in FIELDS])
def test_switched(fields: Fields) -> None:
    """Rule 2: after 2xx to CONNECT, and after 101, the bytes are another protocol's, whatever the fields say."""
    for method, status in (("CONNECT", 200), ("CONNECT", 204), ("CONNECT", 299), ("GET", 101), ("HEAD", 101)):
        check(method, status, 11, fields, strict=True, expected=SWITCH)
        check(method, status, 11, fields, strict=False, expected=SWITCH)


@pytest.mark.parametrize(("fields", "strict", "lenient"), FIELDS)
def test_version_1_0(fields: Fields, strict: Outcome, lenient: Outcome) -> None:
    """Transfer-Encoding in an HTTP/1.0 response is faulty framing (RFC 9112 section 6.1); nothing else is different."""
    if not any(name == "transfer-encoding" for name, _ in fields):
        check("GET", 200, 10, fields, strict=True, expected=strict)
        check("GET", 200, 10, fields, strict=False, expected=lenient)
        return
    check("GET", 200, 10, fields, strict=True, expected=AmbiguousFraming)
    expected = lenient._replace(ambiguous=True) if isinstance(lenient, Framing) else lenient
    check("GET", 200, 10, fields, strict=False, expected=expected)


def test_strict_is_a_part_of_lenient() -> None:
    """What strict mode accepts means the same in lenient mode, and is never ambiguous when a body may follow."""
    for fields, strict, lenient in FIELDS:
        if isinstance(strict, Framing):
            assert strict == lenient, fields
            assert not strict.ambiguous


class _Socket:
    """What an ``http.client.HTTPResponse`` needs to be made."""

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO()


# Version; fields; whether the connection stays open. http.client agrees unless the last column says why not.
ALIVE: list[tuple[int, Fields, bool, str]] = [
    (11, [], True, ""),
    (11, [("Connection", "keep-alive")], True, ""),
    (11, [("Connection", "close")], False, ""),
    (11, [("connection", "Close")], False, ""),
    (11, [("Connection", "foo, close")], False, ""),
    (11, [("Connection", "close ,foo")], False, ""),
    (11, [("Connection", "foo,\tclose")], False, ""),
    (11, [("Connection", "keep-alive, close")], False, ""),
    (11, [("Connection", "keep-alive"), ("Connection", "close")], False, "it looks at the first field only"),
    (11, [("Connection", "closed")], True, "it compares by substring"),
    (11, [("Connection", "x-close")], True, "it compares by substring"),
    (11, [("Connection", "")], True, ""),
    (11, [("Connection", "Upgrade")], True, ""),
    (11, [("Proxy-Connection", "close")], True, ""),
    (10, [], False, ""),
    (10, [("Connection", "keep-alive")], True, ""),
    (10, [("Connection", "Keep-Alive, foo")], True, ""),
    (10, [("Connection", "close")], False, ""),
    (10, [("Connection", "keep-alive, close")], False, "close comes first in RFC 9112 section 9.3"),
    (10, [("Connection", "not-keep-alive")], False, "it compares by substring"),
    (10, [("Keep-Alive", "timeout=5")], True, ""),
    (10, [("Keep-Alive", "")], False, ""),
    (10, [("Keep-Alive", "timeout=5"), ("Connection", "close")], False, "close comes first in RFC 9112 section 9.3"),
    (10, [("Proxy-Connection", "keep-alive")], True, ""),
    (10, [("Proxy-Connection", "close")], False, ""),
    (9, [], False, ""),
]


@pytest.mark.parametrize(("version", "fields", "alive", "difference"), ALIVE)
def test_keeps_alive(version: int, fields: Fields, alive: bool, difference: str) -> None:
    """HTTP/1.1 stays open unless it says close, HTTP/1.0 closes unless it says keep-alive, and close comes first."""
    assert keeps_alive(version, Headers(fields)) is alive
    theirs = http.client.HTTPResponse(_Socket())  # type: ignore[arg-type]  # all it uses
    theirs.version = version
    theirs.headers = http.client.HTTPMessage()
    for name, value in fields:
        theirs.headers.add_header(name, value)
    assert (theirs._check_close() is alive) is bool(difference)  # type: ignore[attr-defined]  # the oracle is private


@pytest.mark.parametrize(
    ("status", "refuses"),
    [(200, False), (201, False), (299, False), (300, True), (401, True), (413, True), (503, True)],
)
def test_refuses_body(status: int, refuses: bool) -> None:
    """A final status from 300 up ends the sending of a body."""
    assert refuses_body(status) is refuses


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ((), None),
        (("timeout=5",), 5.0),
        (("timeout=5, max=100",), 5.0),
        (("max=100, timeout=5",), 5.0),
        (("max=100,timeout=5",), 5.0),
        (("Timeout=5",), 5.0),
        (("timeout = 5",), 5.0),
        (("\ttimeout=5\t",), 5.0),
        (('timeout="5"',), 5.0),
        (("timeout=0",), 0.0),
        (("timeout=007",), 7.0),
        (("timeout=999999999",), 999999999.0),
        (("timeout=5", "timeout=9"), 5.0),
        (("max=100", "timeout=9"), 9.0),
        (("timeout=5, timeout=9",), 5.0),
        (("",), None),
        (("5",), None),
        (("timeout",), None),
        (("timeout=",), None),
        (("timeout=five",), None),
        (("timeout=-5",), None),
        (("timeout=+5",), None),
        (("timeout=5.5",), None),
        (("timeout=5s",), None),
        (("timeout=1e3",), None),
        (("timeout=inf",), None),
        (("timeout=\u0665",), None),
        (("timeout=9999999999",), None),
        (("timeout=5;max=100",), None),
        (("x-timeout=5",), None),
        (("xtimeout=5",), None),
        (("a timeout=5",), None),
    ],
)
def test_keep_alive_timeout(values: tuple[str, ...], seconds: float | None) -> None:
    """The seconds of ``Keep-Alive: timeout=`` are a whole number in an element of its own; nothing else is one."""
    assert keep_alive_timeout(Headers([("Keep-Alive", value) for value in values])) == seconds
    assert keep_alive_timeout(Headers([("keep-ALIVE", value) for value in values])) == seconds


def test_keep_alive_timeout_of_a_long_value() -> None:
    """A long value is looked at in linear time."""
    for value in ("timeout=" * 10_000, "timeout= " * 10_000, " " * 60_000, ", " * 30_000 + "timeout=5"):
        assert keep_alive_timeout(Headers([("Keep-Alive", value)])) in (None, 5.0)
