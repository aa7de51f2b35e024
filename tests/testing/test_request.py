"""Requests as the server reads them, strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiohttpclient import Headers
from aiohttpclient.testing import BadRequest, LoopbackServer, ServerRequest
from aiohttpclient.testing._request import RequestBody, parse_request_head, request_framing, wants_continue
from aiohttpclient.wire import BodyKind
from tests.testing.serving import SCHEMES, connected, exchanged

if TYPE_CHECKING:
    from collections.abc import Iterator

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))

HOST = b"Host: localhost\r\n"


def _head(line: bytes, fields: bytes = HOST) -> bytes:
    return line + b"\r\n" + fields + b"\r\n"


@pytest.mark.parametrize(
    ("head", "method", "target", "path", "version"),
    [
        (_head(b"GET / HTTP/1.1"), "GET", "/", "/", "1.1"),
        (_head(b"GET /a%20b?c=d HTTP/1.0", b""), "GET", "/a%20b?c=d", "/a b", "1.0"),
        (_head(b"GET //a HTTP/1.1"), "GET", "//a", "//a", "1.1"),
        (_head(b"OPTIONS * HTTP/1.1"), "OPTIONS", "*", "*", "1.1"),
        (_head(b"CONNECT a:443 HTTP/1.1"), "CONNECT", "a:443", "a:443", "1.1"),
        (_head(b"GET http://a:80/b?c HTTP/1.1"), "GET", "http://a:80/b?c", "/b", "1.1"),
        (
            _head(b"M-SEARCH /\xc3\xb6 HTTP/1.1".replace(b"\xc3\xb6", b"%C3%B6")),
            "M-SEARCH",
            "/%C3%B6",
            "/\u00f6",
            "1.1",
        ),
    ],
)
def test_heads(head: bytes, method: str, target: str, path: str, version: str) -> None:
    """A request line has a method, a target in one of four forms, and a version (RFC 9112 section 3)."""
    request = parse_request_head(head)
    assert (request.method, request.target, request.path, request.http_version) == (method, target, path, version)


@pytest.mark.parametrize(
    ("head", "status", "text"),
    [
        (_head(b"GET /"), 400, "not a request line: 'GET /'"),
        (_head(b"GET  / HTTP/1.1"), 400, "not a request line"),
        (_head(b"GET /a b HTTP/1.1"), 400, "not a request line"),
        (_head(b"GET / HTTP/1.2"), 505, "not HTTP/1.1 or HTTP/1.0"),
        (_head(b"GET / HTTP/2"), 505, "not HTTP/1.1 or HTTP/1.0"),
        (_head(b"GET / http/1.1"), 400, "not HTTP/1.1 or HTTP/1.0"),
        (_head(b"G@T / HTTP/1.1"), 400, "method must be a token"),
        (_head(b"GET /\xe9 HTTP/1.1"), 400, "outside ASCII"),
        (_head(b"GET /\x01 HTTP/1.1"), 400, "control characters"),
        (_head(b"GET a HTTP/1.1"), 400, "not a target for GET"),
        (_head(b"GET * HTTP/1.1"), 400, "not a target for GET"),
        (_head(b"GET /#a HTTP/1.1"), 400, "not a target for GET"),
        (_head(b"CONNECT /a HTTP/1.1"), 400, "not a target for CONNECT"),
        (_head(b"GET http://[a HTTP/1.1"), 400, "not a target"),
        (_head(b"GET / HTTP/1.1", b""), 400, "0 Host fields"),
        (_head(b"GET / HTTP/1.1", HOST + HOST), 400, "2 Host fields"),
        (_head(b"GET / HTTP/1.1", HOST + b"a b: c\r\n"), 400, "not a field: 'a b: c'"),
        (_head(b"GET / HTTP/1.1", HOST + b"a : c\r\n"), 400, "blanks before the colon"),
        (_head(b"GET / HTTP/1.1", HOST + b" folded\r\n"), 400, "a folded field"),
        (_head(b"GET / HTTP/1.1", HOST + b"a: \x00\r\n"), 400, "not a field"),
        (_head(b"GET / HTTP/1.1", HOST + b"a: b\n"), 400, "a line end that is not CR LF"),
        (_head(b"GET / HTTP/1.1", HOST + b"a: b\r\n" * 100), 431, "exceeded the limit 'fields' (100)"),
        (b"\r\n" + _head(b"GET / HTTP/1.1"), 400, "an empty line before the request line"),
    ],
)
def test_bad_heads(head: bytes, status: int, text: str) -> None:
    """What RFC 9112 does not allow a client to send is refused, with the reason."""
    with pytest.raises(BadRequest) as caught:
        parse_request_head(head)
    assert text in str(caught.value)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("fields", "kind", "length"),
    [
        ({}, BodyKind.LENGTH, 0),
        ({"Content-Length": "0"}, BodyKind.LENGTH, 0),
        ({"Content-Length": "12"}, BodyKind.LENGTH, 12),
        ({"Transfer-Encoding": "chunked"}, BodyKind.CHUNKED, None),
    ],
    ids=str,
)
def test_framing(fields: dict[str, str], kind: BodyKind, length: int | None) -> None:
    """A body has a length, or chunks, or there is none (RFC 9112 section 6.3)."""
    framing = request_framing(ServerRequest("POST", "/", 11, Headers(fields)))
    assert (framing.kind, framing.length) == (kind, length)


@pytest.mark.parametrize(
    ("fields", "version"),
    [
        ([("Content-Length", "1"), ("Content-Length", "2")], 11),
        ([("Content-Length", "+1")], 11),
        ([("Content-Length", "1"), ("Transfer-Encoding", "chunked")], 11),
        ([("Transfer-Encoding", "gzip, chunked")], 11),
        ([("Transfer-Encoding", "chunked")], 10),
    ],
    ids=str,
)
def test_ambiguous_framing(fields: list[tuple[str, str]], version: int) -> None:
    """A request that two servers may read in two ways is refused."""
    with pytest.raises(BadRequest):
        request_framing(ServerRequest("POST", "/", version, Headers(fields)))


def _splits(data: bytes) -> Iterator[list[bytes]]:
    """``data`` whole, and byte by byte."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]


CHUNKED = (
    b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    b"3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n"
)


@both
@pytest.mark.parametrize("pieces", list(_splits(CHUNKED)), ids=["whole", "bytes"])
async def test_chunked_body(tls: bool, pieces: list[bytes]) -> None:
    """Chunks are taken together, however they arrive, and the fields after them are there."""
    async with LoopbackServer(tls=tls) as server, connected(server) as (reader, writer):
        server.route("/a")(lambda request: request.body)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        assert (await reader.read()).endswith(b"\r\n\r\nabc0123456789")
        assert server.requests[0].trailers["X-Sum"] == "1"


@both
@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        (b"\x16\x03\x01\x02\x00", b"400", b"this is a TLS handshake"),
        (b"\r\n", b"400", b"an empty line before the request line"),
        (b"GET / HTTP/1.1\nHost: x\n\n", b"400", b"a line end that is not CR LF"),
        (b"GET /" + b"x" * 70_000, b"431", b"got more than 65536 bytes when reading request line"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400", b"not a chunk size"),
    ],
    ids=["tls", "empty line", "line feed", "long line", "chunk"],
)
async def test_bad_requests(tls: bool, data: bytes, status: bytes, text: bytes) -> None:
    """A client that breaks RFC 9112 is told at once, with the end of the connection; and so is the test."""
    async with LoopbackServer(tls=tls) as server:
        answer = await exchanged(server, data)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert b"Connection: close" in answer
        assert text in answer
        (error,) = server.failures
        assert isinstance(error, BadRequest)
        server.failures.clear()


@pytest.mark.parametrize(
    ("version", "expects", "waits"),
    [(11, "100-continue", True), (11, "100-Continue", True), (10, "100-continue", False), (11, "", False)],
)
def test_wants_continue(version: int, expects: str, waits: bool) -> None:
    """A client of HTTP/1.1 may wait for 100 Continue (RFC 9110 section 10.1.1)."""
    assert wants_continue(ServerRequest("PUT", "/", version, Headers({"Expect": expects}))) is waits


@both
@pytest.mark.parametrize("early", [False, True])
async def test_continue(tls: bool, early: bool) -> None:
    """A client that waits is told to go on: before the handler is called, or when an early one reads."""
    async with LoopbackServer(tls=tls) as server, connected(server) as (reader, writer):

        @server.route("PUT", "/", early=early)
        async def put(request: ServerRequest) -> bytes:
            assert request.body == (b"" if early else b"hello")
            return await request.read()

        writer.write(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"hello")
        assert await reader.readuntil(b"hello")


def test_values() -> None:
    """A request has its body as text and as JSON, and a short repr."""
    request = ServerRequest("PUT", "/a?b", 11, Headers())
    request.body = b'["\xc3\xa9"]'
    assert (request.text, request.json(), repr(request)) == ('["\u00e9"]', ["\u00e9"], "<ServerRequest PUT /a?b>")


async def test_read_again() -> None:
    """A body that is there is read at once, as often as one likes."""
    request = ServerRequest("PUT", "/", 11, Headers())
    request.body = b"x"
    assert [await request.read() for _ in range(2)] == [b"x", b"x"]


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_as_it_comes(chunked: bool, size: int) -> None:
    """A body is taken out of what has come, in pieces of any size, and what comes behind it stays."""
    fields = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": "11"}
    data = b"5\r\nhello\r\n6\r\n world\r\n0\r\nA: b\r\n\r\n" if chunked else b"hello world"
    body = RequestBody(request_framing(ServerRequest("POST", "/", 11, Headers(fields))))
    unread, payload = bytearray(), b""
    for at in range(0, len(data), size):
        assert not body.done
        unread += data[at : at + size]
        if at + size >= len(data):
            unread += b"GET /"
        payload += body.take(unread)
    assert (payload, bytes(unread), body.done) == (b"hello world", b"GET /", True)
    assert list(body.trailers.items()) == ([("A", "b")] if chunked else [])


def test_a_body_that_breaks_the_grammar() -> None:
    """Chunks that are none are refused while they come."""
    body = RequestBody(request_framing(ServerRequest("POST", "/", 11, Headers({"Transfer-Encoding": "chunked"}))))
    with pytest.raises(BadRequest):
        body.take(bytearray(b"x"))


def test_no_body() -> None:
    """A request without a body has all of it from the beginning."""
    assert RequestBody(request_framing(ServerRequest("GET", "/", 11, Headers()))).done
