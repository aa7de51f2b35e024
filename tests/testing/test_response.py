"""Answers, and the bytes that they become."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing import ServerResponse
from aiohttpclient.testing._response import as_response, encode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def _blocks() -> AsyncIterator[bytes]:
    yield b"x"


def _sent(response: ServerResponse, method: str = "GET", version: int = 11, keep: bool = True) -> tuple[bytes, bool]:
    """All that is sent, and whether the connection ends after it."""
    assert isinstance(response.body, bytes)
    encoded = encode(response, response.body, method, version, keep)
    return encoded.data, encoded.closes


def _head(*lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in [*lines, ""]).encode()


@pytest.mark.parametrize(
    ("response", "data"),
    [
        (ServerResponse(), _head("HTTP/1.1 200 OK", "Content-Length: 0")),
        (ServerResponse(404, b"no"), _head("HTTP/1.1 404 Not Found", "Content-Length: 2") + b"no"),
        (ServerResponse(HTTPStatus.CREATED), _head("HTTP/1.1 201 Created", "Content-Length: 0")),
        (ServerResponse(299), _head("HTTP/1.1 299 ", "Content-Length: 0")),
        (ServerResponse(reason="Fine"), _head("HTTP/1.1 200 Fine", "Content-Length: 0")),
        (
            ServerResponse(body="é"),
            _head("HTTP/1.1 200 OK", "Content-Type: text/plain; charset=utf-8", "Content-Length: 2") + "é".encode(),
        ),
        (
            ServerResponse(json=None, headers={"Content-Type": "text/json"}),
            _head("HTTP/1.1 200 OK", "Content-Type: text/json", "Content-Length: 4") + b"null",
        ),
        (
            ServerResponse(headers=[("A", "1"), (b"A", b"\xe9"), ("B", 2)]),
            b"HTTP/1.1 200 OK\r\nA: 1\r\nA: \xe9\r\nB: 2\r\nContent-Length: 0\r\n\r\n",
        ),
        (
            ServerResponse(body=b"abc", chunked=True),
            _head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"3\r\nabc\r\n0\r\n\r\n",
        ),
        (ServerResponse(chunked=True), _head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"0\r\n\r\n"),
        (
            ServerResponse(body=b"a", headers={"content-length": "9"}),
            _head("HTTP/1.1 200 OK", "content-length: 9") + b"a",
        ),
        (
            ServerResponse(body=b"zz", headers={"Transfer-Encoding": "chunked"}),
            _head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + b"zz",
        ),
        (ServerResponse(204, b"x"), _head("HTTP/1.1 204 No Content")),
        (ServerResponse(304), _head("HTTP/1.1 304 Not Modified")),
    ],
    ids=lambda value: repr(value) if isinstance(value, ServerResponse) else "",
)
def test_bytes(response: ServerResponse, data: bytes) -> None:
    """What is sent is the status, the fields in their order, what frames the body, and the body."""
    assert _sent(response) == (data, False)


@pytest.mark.parametrize(
    ("version", "keep", "headers", "connection", "closes"),
    [
        (11, True, {}, None, False),
        (11, False, {}, "close", True),
        (10, True, {}, "keep-alive", False),
        (10, False, {}, "close", True),
        (11, True, {"Connection": "close"}, "close", True),
        (11, False, {"Connection": "keep-alive"}, "keep-alive", True),
    ],
)
def test_connection(version: int, keep: bool, headers: dict[str, str], connection: str | None, closes: bool) -> None:
    """The client is told whether the connection ends, unless the answer has a field for it; RFC 9112 section 9.3."""
    data, closing = _sent(ServerResponse(headers=headers), "GET", version, keep)
    line = b"" if connection is None else f"Connection: {connection}\r\n".encode()
    assert (line in data, b"Connection" in data, closing) == (True, connection is not None, closes)


def test_no_chunks_for_http_1_0() -> None:
    """HTTP/1.0 has no chunks: the body ends with the connection."""
    assert _sent(ServerResponse(body=b"abc", chunked=True), "GET", 10) == (
        _head("HTTP/1.1 200 OK", "Connection: close") + b"abc",
        True,
    )


def test_head() -> None:
    """The answer to HEAD says what GET would send, and has no body."""
    assert _sent(ServerResponse(body=b"abc"), "HEAD") == (_head("HTTP/1.1 200 OK", "Content-Length: 3"), False)
    chunked = _head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked")
    assert _sent(ServerResponse(body=b"abc", chunked=True), "HEAD") == (chunked, False)


def test_connect() -> None:
    """A successful answer to CONNECT has no framing (RFC 9110 section 9.3.6)."""
    assert _sent(ServerResponse(), "CONNECT") == (_head("HTTP/1.1 200 OK"), False)


def test_stream() -> None:
    """A body that is an async iterator is chunked."""
    assert ServerResponse(body=_blocks()).chunked


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"status": 199}, ValueError),
        ({"status": 1000}, ValueError),
        ({"status": True}, ValueError),
        ({"body": 3}, TypeError),
        ({"body": {"a": 1}}, TypeError),
        ({"body": b"x", "json": 1}, TypeError),
        ({"reason": "a\r\nb: c"}, ValueError),
        ({"headers": {"a": "b\r\nc: d"}}, ValueError),
        ({"headers": {"a b": "c"}}, ValueError),
    ],
    ids=str,
)
def test_wrong_responses(options: dict[str, Any], error: type[Exception]) -> None:
    """What cannot be sent is refused when the response is made."""
    with pytest.raises(error):
        ServerResponse(**options)


def test_repr() -> None:
    """The repr is short."""
    assert repr(ServerResponse(404)) == "<ServerResponse 404 Not Found>"
    assert repr(ServerResponse(299)) == "<ServerResponse 299>"


@pytest.mark.parametrize("answer", [None, 3, 3.5, (200,), (200, None), ("200", "x"), (200, ServerResponse()), object])
def test_no_answers(answer: Any) -> None:
    """What is no answer is refused with a list of what is."""
    with pytest.raises(TypeError, match="one is a ServerResponse, a Fault, bytes, str, a dict, a list"):
        as_response(answer)


def test_answers() -> None:
    """A response is taken as it is; a status goes with whatever else may be an answer."""
    response = ServerResponse()
    assert as_response(response) is response
    made = as_response((503, ["x"]))
    assert (made.status, made.body, made.headers["Content-Type"]) == (503, b'["x"]', "application/json")
