"""Each answer that comes late, in pieces, or not to its end, and what AsyncHTTPClient makes of it."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import Timeout
from aiohttpclient.testing import (
    Close,
    CutBody,
    CutHead,
    Delay,
    Drip,
    Fault,
    LoopbackServer,
    Reset,
    ServerRequest,
    ServerResponse,
    Stall,
    Truncate,
)
from tests.testing.serving import SCHEMES, SHORT, check_report, client_of, exchanged, failure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
DIGITS = b"0123456789"

READ_TIMEOUT = "ReadTimeout: read timed out after T s (limit 0.05 s) for GET URL/"
GONE = "RemoteDisconnected: Remote end closed connection without response"
RESET = "ConnectionResetError: [Errno 104] Connection reset by peer"
WITHIN_HEAD = "InvalidHead: the connection ended within the head of the response"

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))


def _gzipped() -> ServerResponse:
    return ServerResponse(200, gzip.compress(bytes(range(256))), {"Content-Encoding": "gzip"})


REPORTS = {
    "stall before": (Stall(), READ_TIMEOUT),
    "stall in head": (Stall(DIGITS, 10), READ_TIMEOUT),
    "stall in body": (Stall(DIGITS, len(HEAD) + 4), READ_TIMEOUT),
    "cut before": (CutHead(after=0), GONE),
    "cut in head": (CutHead(DIGITS, 20), WITHIN_HEAD),
    "cut before the last byte of the head": (CutHead(DIGITS, 1000), WITHIN_HEAD),
    "cut behind head": (CutBody(DIGITS), "IncompleteRead: IncompleteRead(0 bytes read, 10 more expected)"),
    "cut in body": (CutBody(DIGITS, 4), "IncompleteRead: IncompleteRead(4 bytes read, 6 more expected)"),
    "cut in chunks": (
        CutBody(ServerResponse(body=DIGITS, chunked=True), 7),
        "IncompleteRead: IncompleteRead(4 bytes read, 6 more expected)",
    ),
    "close": (Close(), GONE),
    "close in head": (Close(DIGITS, 20), WITHIN_HEAD),
    "close in body": (Close(DIGITS, len(HEAD) + 4), "IncompleteRead: IncompleteRead(4 bytes read, 6 more expected)"),
    "close behind": (Close(DIGITS), "200: 0123456789"),
    "truncated text": (Truncate(DIGITS, 4), "200: 0123"),
    "truncated gzip": (
        Truncate(_gzipped(), 40),
        "DecodingError: content coding 'gzip': the body ends before its end mark: it was cut short",
    ),
    "drip": (Drip(DIGITS, pause=0), "200: 0123456789"),
    "drip in pieces": (Drip(DIGITS, 7, 0), "200: 0123456789"),
    "delay": (Delay(DIGITS, 0), "200: 0123456789"),
    "too long a delay": (Delay(DIGITS, 3600), READ_TIMEOUT),
    "delayed fault": (Delay(CutHead(), 0), WITHIN_HEAD),
}


@both
@pytest.mark.parametrize(("fault", "report"), REPORTS.values(), ids=list(REPORTS))
async def test_what_the_client_reports(tls: bool, fault: Fault, report: str) -> None:
    """A fault is reported as what it is, by class and text, and costs the server nothing."""
    await check_report(fault, report, tls)


@both
@pytest.mark.parametrize(
    ("after", "reports"),
    [
        (0, {GONE}),
        (20, {GONE, WITHIN_HEAD}),
        (len(HEAD) + 4, {GONE, RESET, "IncompleteRead: IncompleteRead(4 bytes read, 6 more expected)"}),
    ],
)
async def test_reset(tls: bool, after: int, reports: set[str]) -> None:
    """After a reset the client reports as much as came before it, which may be nothing."""
    async with LoopbackServer(tls=tls) as server:
        server.add("GET", "/", Reset(DIGITS, after))
        assert await failure(server) in reports


async def test_reset_is_one() -> None:
    """A reset is seen as such by who looks at the socket, where the end of a cut connection is not."""
    async with LoopbackServer() as server:
        server.add("GET", "/", Reset(), CutHead(after=0))
        with pytest.raises(ConnectionResetError):
            await exchanged(server, GET)
        assert await exchanged(server, GET) == b""


@pytest.mark.parametrize(
    ("fault", "data"),
    [
        (CutHead(DIGITS, 5), HEAD[:5]),
        (CutBody(DIGITS, 3), HEAD + DIGITS[:3]),
        (Close(DIGITS, 5), HEAD[:5]),
        (Close(DIGITS), HEAD + DIGITS),
        (Stall(DIGITS, 5), HEAD[:5]),
    ],
    ids=["CutHead", "CutBody", "Close in it", "Close", "Stall"],
)
async def test_bytes(fault: Fault, data: bytes) -> None:
    """What is sent is the beginning of the usual answer, byte by byte."""
    async with LoopbackServer() as server:
        server.add("GET", "/", fault)
        async with asyncio.timeout(30):
            if isinstance(fault, Stall):
                request = GET + b"x"
                reader, writer = await asyncio.open_connection(server.host, server.port)
                writer.write(request)
                assert await reader.readexactly(len(data)) == data
                writer.close()
                await writer.wait_closed()
            else:
                assert await exchanged(server, GET) == data


@both
async def test_retries_get_through(tls: bool) -> None:
    """What a test wants to see: a client that tries again gets the answer."""
    async with LoopbackServer(tls=tls, close_after=1) as server:
        server.add("GET", "/", (503, "later"), "well")
        async with client_of(server, retries=None) as client:
            assert [(await client.get("/")).status for _ in range(2)] == [503, 200]


@both
async def test_drip_is_a_stall(tls: bool) -> None:
    """A server that drips is cut off by the least rate that a client asks for."""
    timeout = Timeout(read=30, min_rate=(1_000_000, 0.1))
    async with LoopbackServer(tls=tls) as server:
        server.add("GET", "/", Drip(b"x" * 100_000, 1, 0.001))
        report = await failure(server, timeout=timeout)
        assert report == "StallTimeout: transfer stalled: fewer than 1e+06 bytes a second over 0.1 s for GET URL/"


async def test_awaited() -> None:
    """A handler may await a fault in place of returning it, and go on when it is over."""
    after = []
    async with LoopbackServer() as server:

        @server.route("/")
        async def wait(request: ServerRequest) -> None:
            await Stall(DIGITS, 5)
            after.append(request)

        assert await failure(server, timeout=SHORT) == READ_TIMEOUT
        while not after:
            await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="Stall is awaited outside of a handler of a LoopbackServer"):
        await Stall()


async def test_one_of_your_own() -> None:
    """A fault of one's own is a class with one method."""

    class Shout(Fault):
        async def play(self, exchange: Any) -> None:
            encoded = await exchange.encode("hello")
            await exchange.send(encoded.data.upper())

    async with LoopbackServer() as server:
        server.add("GET", "/", Shout())
        assert await exchanged(server, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")) == (
            b"HTTP/1.1 200 OK\r\nCONTENT-TYPE: TEXT/PLAIN; CHARSET=UTF-8\r\nCONTENT-LENGTH: 5\r\n"
            b"CONNECTION: CLOSE\r\n\r\nHELLO"
        )


@both
async def test_head(tls: bool) -> None:
    """A fault in answer to HEAD has no body to cut."""
    async with LoopbackServer(tls=tls) as server:
        server.add("GET", "/", CutBody(DIGITS, 3))
        assert await failure(server, method="HEAD") == "200: "


async def test_streamed_bodies() -> None:
    """A body that is an async iterator is gathered first, so that its bytes can be counted."""

    async def body() -> AsyncIterator[bytes]:
        yield b"01234"
        yield b"56789"

    async with LoopbackServer() as server:
        server.route("/")(lambda request: CutBody(body(), 7))
        assert await failure(server) == "IncompleteRead: IncompleteRead(4 bytes read, 6 more expected)"


async def test_too_late_a_cut() -> None:
    """A cut behind the end of the body is none, and the test is told."""
    async with LoopbackServer() as server:
        server.add("GET", "/", CutBody(DIGITS, 10))
        assert await failure(server) == "500: ValueError: the body is 10 bytes: cut it after fewer than 10\n"
        server.failures.clear()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Delay("x", -1), "seconds is at least 0, not -1"),
        (lambda: Drip("x", 0), "size is at least 1, not 0"),
        (lambda: Drip("x", 1, -0.1), "pause is at least 0, not -0.1"),
        (lambda: CutHead("x", -1), "after is at least 0, not -1"),
        (lambda: Close("x", -1), "after is at least 0, not -1"),
    ],
    ids=["Delay", "Drip size", "Drip pause", "CutHead", "Close"],
)
def test_wrong_numbers(make: Any, text: str) -> None:
    """A number that means nothing is refused when the fault is made."""
    with pytest.raises(ValueError, match=f"^{text}$"):
        make()


def test_repr() -> None:
    """In the text of a failed test a fault says what it is, and no more than a line of it."""
    assert repr(Stall("later", after=3)) == "Stall(answer='later', after=3)"
    assert repr(Close((404, "gone"))) == "Close(answer=(404, 'gone'), after=None)"
    assert len(repr(CutBody(b"x" * 10_000))) < 100
