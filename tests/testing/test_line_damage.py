"""Faults that change bytes: which ones, and what AsyncHTTPClient makes of it."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from aiohttpclient.testing import FaultProxy, LoopbackServer, ServerResponse, line
from tests.testing.lines import ALL, BODY, HEAD, READ_TIMEOUT, check_report, data_of, outcome

DIGITS = b"0123456789"

REPORTS: dict[str, tuple[line.LineFault, str]] = {
    "corrupt status line": (line.Corrupt(4), "BadStatusLine: \x08tV@/1.1 200 OK"),
    "corrupt body": (line.Corrupt(2, after=BODY), "200: p\x1123456789"),
    "garbage in place of the answer": (line.Garbage(), "BadStatusLine: \x00ÿþ garbage \x80"),
    "garbage in the head": (line.Garbage(b"\0", after=20), "InvalidHead: not a field: 'Con\\x00ent-Length: 10'"),
    "garbage in the body": (line.Garbage(b"xx", after=(BODY, 1)), "200: 0xx3456789"),
    "extra before": (line.Extra(b"xx", after=0), "BadStatusLine: xxHTTP/1.1 200 OK"),
    "a hint": (line.Extra(b"HTTP/1.1 103 Early Hints\r\n\r\n", after=0), ALL),
    "extra in the body": (line.Extra(b"xx", after=(BODY, 1)), "200: 0xx1234567"),
    "extra behind": (line.Extra(b"HTTP/1.1 200 OK\r\n\r\n", after=len(HEAD) + 10), ALL),
    "repeated": (line.Repeat(8), "BadStatusLine: HTTP/1.1HTTP/1.1 200 OK"),
    "repeated in the body": (line.Repeat(3, after=BODY), "200: 0120123456"),
    "truncated status line": (line.Truncate(5), "BadStatusLine: 1.1 200 OK"),
    "truncated body": (line.Truncate(3, after=BODY), READ_TIMEOUT),
    "truncated to nothing": (line.Truncate(after=BODY), READ_TIMEOUT),
}


@pytest.mark.parametrize(("fault", "report"), REPORTS.values(), ids=list(REPORTS))
async def test_what_the_client_reports(fault: line.LineFault, report: str) -> None:
    """Bytes that are no answer are reported, and bytes of a body that are others are not: only its length is known."""
    await check_report(fault, report)


async def test_corrupt_coding() -> None:
    """That a body is damaged is seen where it has a checksum."""
    packed = gzip.compress(b"hello" * 100)
    async with LoopbackServer() as server, FaultProxy(server, faults=line.Corrupt(4, after=(BODY, 12))) as proxy:
        server.add("GET", "/", ServerResponse(200, packed, {"Content-Encoding": "gzip"}))
        assert (await outcome(proxy, server)).startswith("DecodingError: content coding 'gzip'")


WRONG_VERSION = "SSLError: [SSL: WRONG_VERSION_NUMBER] wrong version number"
BAD_RECORD = "SSLError: [SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac"
IN_BODY = 20_000


@pytest.mark.parametrize(
    ("fault", "report"),
    [
        (line.Corrupt(3), WRONG_VERSION),
        (line.Garbage(), WRONG_VERSION),
        (line.Extra(b"xx", after=0), WRONG_VERSION),
        (line.Truncate(3), WRONG_VERSION),
        (line.Corrupt(3, after=IN_BODY), BAD_RECORD),
        (line.Garbage(after=IN_BODY), BAD_RECORD),
        (line.Extra(b"xx", after=IN_BODY), BAD_RECORD),
        (line.Truncate(3, after=IN_BODY), BAD_RECORD),
        (line.Repeat(3, after=IN_BODY), BAD_RECORD),
    ],
    ids=lambda value: str(value.told()) if isinstance(value, line.LineFault) else "",
)
async def test_what_the_client_reports_of_tls(fault: line.LineFault, report: str) -> None:
    """Under TLS no damage gets through: it is an error of TLS, in the handshake and in a body."""
    async with LoopbackServer(tls=True) as server, FaultProxy(server, faults=fault) as proxy:
        server.add("GET", "/", b"0123456789" * 10_000)
        assert (await outcome(proxy, server)).startswith(report)


async def test_what_the_server_gets() -> None:
    """Damage to requests is the server's to refuse."""
    async with LoopbackServer() as server, FaultProxy(server, faults=line.Garbage(b"\0\0", to="server")) as proxy:
        assert (await outcome(proxy, server)).startswith("400: method can't contain control characters")
        server.failures.clear()


# -- bytes alone


def test_bytes() -> None:
    """What comes out is what went in, but for the bytes that the fault is about."""
    assert data_of([line.Garbage(b"abc", after=2)], DIGITS) == b"01abc56789"
    assert data_of([line.Garbage(b"abc", after=9)], DIGITS) == b"012345678a"
    assert data_of([line.Garbage(b"", after=9)], DIGITS) == DIGITS
    assert data_of([line.Extra(b"abc", after=2)], DIGITS) == b"01abc23456789"
    assert data_of([line.Extra(b"abc", after=10)], DIGITS) == b"0123456789abc"
    assert data_of([line.Extra(b"abc")], DIGITS) == b"0123456789abc"
    assert data_of([line.Extra(b"abc")], DIGITS, end=False) == DIGITS
    assert data_of([line.Repeat(3, after=2)], DIGITS) == b"0123423456789"
    assert data_of([line.Repeat(3, after=9)], DIGITS) == b"01234567899"
    assert data_of([line.Truncate(3, after=2)], DIGITS) == b"0156789"
    assert data_of([line.Truncate(3, after=9)], DIGITS) == b"012345678"
    assert data_of([line.Truncate(after=2)], DIGITS) == b"01"


def test_corrupt() -> None:
    """Each of the bytes differs in one bit, which depends on the seed, and the others do not."""
    data = bytes(100)
    changed = data_of([line.Corrupt(50, after=20)], data)
    assert changed[:20] == data[:20]
    assert changed[70:] == data[70:]
    assert {byte.bit_count() for byte in changed[20:70]} == {1}
    assert len(set(changed[20:70])) == 8
    assert data_of([line.Corrupt(50, after=20)], data) == changed
    assert data_of([line.Corrupt(50, after=20)], data, seed=1) != changed


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: line.Corrupt(0), "size is at least 1, not 0"),
        (lambda: line.Repeat(0), "size is at least 1, not 0"),
        (lambda: line.Truncate(0), "size is at least 1, not 0"),
        (lambda: line.Extra(b"x", after=-1), "after is at least 0, not -1"),
    ],
    ids=["Corrupt", "Repeat", "Truncate", "Extra"],
)
def test_wrong_numbers(make: Any, text: str) -> None:
    """A number that means nothing is refused when the fault is made."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        make()


def test_only_extra_has_an_end() -> None:
    """Behind the last byte something may be put in, and nothing else can be done there."""
    with pytest.raises(TypeError, match="not None"):
        line.Truncate(after=None)
