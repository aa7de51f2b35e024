"""Each answer with more in it than an answer, and what AsyncHTTPClient makes of it."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Any

import pytest

from aiohttpclient.testing import (
    Chunks,
    CutHead,
    EarlyAnswer,
    Extra,
    Fault,
    Garbage,
    Hints,
    LoopbackServer,
    ServerRequest,
    ServerResponse,
    Truncate,
)
from tests.testing.serving import SCHEMES, check_report, client_of, connected, exchanged, failure

GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
ANOTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))

REPORTS = {
    "garbage": (Garbage(), "BadStatusLine: \x00\xff\xfe garbage \x80"),
    "no bytes": (Garbage(b""), "RemoteDisconnected: Remote end closed connection without response"),
    "another protocol": (Garbage(b"SSH-2.0-OpenSSH_9.6\r\n"), "BadStatusLine: SSH-2.0-OpenSSH_9.6\r\n"),
    "another version": (Garbage(b"HTTP/2 200\r\n\r\n"), "UnknownProtocol: HTTP/2"),
    "and nothing more": (
        Garbage(b"HTT", close=False),
        "ReadTimeout: read timed out after T s (limit 0.05 s) for GET URL/",
    ),
    "two lengths": (
        Garbage(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
        "AmbiguousFraming: Content-Length is not one plain number: 1, 2",
    ),
    "extra bytes": (Extra("hello", b"garbage"), "200: hello"),
    "extra answer": (Extra("hello", ANOTHER), "200: hello"),
    "late bytes": (Extra("hello", ANOTHER, 0), "200: hello"),
    "hints": (Hints("hello", [{"Link": "</a.css>"}, 102, 100]), "200: hello"),
    "hints and a fault": (
        Hints(CutHead(), [102]),
        "InvalidHead: the connection ended within the head of the response",
    ),
    "endless hints": (Hints("hello", [102] * 100), "LimitExceeded: the peer exceeded the limit 'informational' (32)"),
    "chunks": (Chunks("hello", 2, extension=b";a=b", trailers={"X-Sum": "1"}), "200: hello"),
    "size is no number": (
        Chunks("hello", header=lambda size: b"-%x\r\n" % size),
        r"InvalidChunk: not a chunk size: b'-1\r\n'",
    ),
    "size is too small": (
        Chunks("hello", 5, header=lambda size: b"4\r\n"),
        r"InvalidChunk: not the CR LF that ends a chunk: b'o\r'",
    ),
    "size is endless": (
        Chunks("x", header=lambda size: b"1" * 5000),
        "InvalidChunk: not a chunk size: " + repr(b"1" * 100),
    ),
    "no end of chunk": (Chunks("hello", 5, end=b"xx"), "InvalidChunk: not the CR LF that ends a chunk: b'xx'"),
    "no last chunk": (Chunks("hello", last=b""), "IncompleteRead: IncompleteRead(5 bytes read)"),
    "broken trailer": (Chunks("hello", last=b"0\r\nno field\r\n\r\n"), "InvalidChunk: not a field: 'no field'"),
}


@both
@pytest.mark.parametrize(("fault", "report"), REPORTS.values(), ids=list(REPORTS))
async def test_what_the_client_reports(tls: bool, fault: Fault, report: str) -> None:
    """A fault is reported as what it is, by class and text, and costs the server nothing."""
    await check_report(fault, report, tls)


@both
async def test_extra_bytes_answer_nothing(tls: bool) -> None:
    """What comes behind an answer is not the answer to the next request: that goes over another connection."""
    async with LoopbackServer(tls=tls) as server, client_of(server) as client:
        server.add("GET", "/", Extra("hello", ANOTHER), "well")
        assert [(await client.get("/")).text for _ in range(2)] == ["hello", "well"]
        assert len(server.connections) == 2


@pytest.mark.parametrize("pause", [None, 0, 0.001])
async def test_extra_bytes(pause: float | None) -> None:
    """The bytes come behind the answer, at once or later."""
    async with LoopbackServer() as server, connected(server) as (reader, writer):
        server.add("GET", "/", Extra(b"hello", b"more", pause))
        writer.write(GET)
        assert await reader.readuntil(b"more") == b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhellomore"


async def test_hints() -> None:
    """Informational responses come first, with the fields that are given."""
    async with LoopbackServer() as server:
        server.add("GET", "/", Hints(b"hello", [{"Link": "</a>"}, [("Link", "</b>"), ("Link", "</c>")], 102]))
        assert await exchanged(server, LAST) == (
            b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            b"HTTP/1.1 103 Early Hints\r\nLink: </b>\r\nLink: </c>\r\n\r\n"
            b"HTTP/1.1 102 Processing\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
        )
    for status in (99, 101, 200):
        with pytest.raises(ValueError, match=f"not an informational status: {status}"):
            _ = Hints("hello", [status])


async def test_chunks() -> None:
    """The chunks are what was asked for, byte by byte."""
    async with LoopbackServer() as server:
        server.add("GET", "/", Chunks(b"hello", 3, extension=b";x", trailers={"X-Sum": "1"}))
        assert await exchanged(server, LAST) == (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            b"3;x\r\nhel\r\n2;x\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"
        )


@both
@pytest.mark.parametrize("reset", [False, True], ids=["read", "reset"])
async def test_early_answer(tls: bool, reset: bool) -> None:
    """An answer before the body was read reaches the client, unless a reset overtakes it."""
    async with LoopbackServer(tls=tls) as server, client_of(server) as client:
        server.add("POST", "/", EarlyAnswer((413, "too much"), reset=reset), early=True)
        with contextlib.suppress(*[ConnectionError] if reset else []):
            response = await client.post("/", content=b"x" * 10_000_000)
            assert (response.status, response.text) == (413, "too much")
        assert server.requests[0].body == b""
        server.add("POST", "/", "well")
        assert (await client.post("/", content=b"x")).text == "well"
        assert len(server.connections) == 2


@both
@pytest.mark.parametrize("reads", [False, True])
async def test_early_route(tls: bool, reads: bool) -> None:
    """A handler of an early route may read the body, or answer without, and then the connection ends."""
    async with LoopbackServer(tls=tls) as server, client_of(server) as client:

        @server.route("PUT", "/", early=True)
        async def put(request: ServerRequest) -> ServerResponse:
            size = len(await request.read()) if reads else 0
            assert len(request.body) == size
            return ServerResponse(json=size)

        for _ in range(2):
            response = await client.put("/", content=b"x" * 200_000)
            assert response.json() == (200_000 if reads else 0)
            assert response.headers.get("Connection") == (None if reads else "close")
        assert len(server.connections) == (1 if reads else 2)


async def test_late_early_answer() -> None:
    """An early answer on a route that reads the body first is not early, and the test is told what to do."""
    async with LoopbackServer() as server, client_of(server) as client:
        server.add("POST", "/", EarlyAnswer("x"))
        response = await client.post("/", content=b"body")
        assert response.status == 500
        assert "say early=True to server.route or server.add" in response.text
        server.failures.clear()


@pytest.mark.parametrize("fault", [Chunks, partial(Truncate, after=1)], ids=["Chunks", "Truncate"])
async def test_streamed_bodies(fault: Any) -> None:
    """A fault that counts bytes of the content says so where it cannot."""

    async def body() -> Any:
        yield b"x"

    async with LoopbackServer() as server:
        server.route("/")(lambda request: fault(body()))
        assert "takes a body of bytes or str" in await failure(server)
        server.failures.clear()
