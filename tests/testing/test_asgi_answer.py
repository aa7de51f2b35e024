"""What an application sends, and the bytes that it becomes; what it may not send."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import pytest

from aiohttpclient.testing import ASGIProtocolError
from aiohttpclient.testing._asgi_answer import Answer
from tests.support.ids import stable

OK = {"type": "http.response.start", "status": 200}
EMPTY = {"type": "http.response.body"}


def start(status: Any = 200, *headers: Any, **rest: Any) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": headers, **rest}


def body(data: Any, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


def trailers(*headers: Any, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.trailers", "headers": headers, "more_trailers": more}


def new(method: str = "GET", version: int = 11, keep: bool = True, te: bool = False) -> Answer:
    return Answer(method, version, keep, te)


def sent(answer: Answer, *messages: Any) -> bytes:
    return b"".join([answer.feed(message) for message in messages])


# -- framing


LENGTH = (b"content-length", b"2")
HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("messages", "data"),
    [
        ([start(200, LENGTH), body(b"ok")], HEAD + b"content-length: 2\r\n\r\nok"),
        ([start(200, LENGTH), body(b"o", True), body(b"k")], HEAD + b"content-length: 2\r\n\r\nok"),
        ([OK, body(b"ok")], HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        (
            [OK, body(b"o", True), body(b"", True), body(b"k", True), EMPTY],
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        ),
        ([start(200, (b"Transfer-Encoding", b"gzip"), LENGTH), body(b"ok")], HEAD + b"content-length: 2\r\n\r\nok"),
        ([start(204), EMPTY], b"HTTP/1.1 204 No Content\r\n\r\n"),
        ([start(304, LENGTH), EMPTY], b"HTTP/1.1 304 Not Modified\r\ncontent-length: 2\r\n\r\n"),
        ([start(299), body(b"")], b"HTTP/1.1 299 \r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        (
            [start(HTTPStatus.OK, LENGTH), body(bytearray(b"ok"))],
            HEAD + b"content-length: 2\r\n\r\nok",
        ),
        ([start(200, LENGTH), body(memoryview(b"ok"))], HEAD + b"content-length: 2\r\n\r\nok"),
        (
            [start(200, [b"set-cookie", b"a=1"], (b"x-odd", b"\xff"), (b"set-cookie", b"b=2"), LENGTH), body(b"ok")],
            HEAD + b"set-cookie: a=1\r\nx-odd: \xff\r\nset-cookie: b=2\r\ncontent-length: 2\r\n\r\nok",
        ),
    ],
    ids=stable,
)
def test_framing(messages: list[Any], data: bytes) -> None:
    """A body is sent by its Content-Length, or in chunks; what is said of Transfer-Encoding is ignored."""
    answer = new()
    assert sent(answer, *messages) == data
    assert (answer.begun, answer.complete, answer.closes) == (True, True, False)


@pytest.mark.parametrize("header", [LENGTH, (b"x-length", b"2")])
def test_head(header: tuple[bytes, bytes]) -> None:
    """The answer to HEAD has the head of one to GET, and no body, of whatever size."""
    messages = [start(200, header), body(b"not two", True), body(b"")]
    data = sent(new("HEAD"), *messages)
    assert data.endswith(b"\r\n\r\n")
    assert data.count(b"\r\n\r\n") == 1
    assert (b"chunked" in data) == (header is not LENGTH)


def test_older_clients() -> None:
    """HTTP/1.0 has no chunks: the body ends with the connection."""
    answer = new(version=10)
    assert sent(answer, OK, body(b"ok")) == HEAD + b"Connection: close\r\n\r\nok"
    assert answer.closes
    answer = new(version=10)
    assert sent(answer, start(200, LENGTH), body(b"ok")).endswith(b"Connection: keep-alive\r\n\r\nok")
    assert not answer.closes


def test_the_end_of_the_connection() -> None:
    """The connection ends where the client or the application wants it to, and the client is told."""
    answer = new(keep=False)
    assert b"Connection: close\r\n" in sent(answer, OK, EMPTY)
    assert answer.closes
    answer = new()
    assert sent(answer, start(200, (b"connection", b"Close"), LENGTH)).count(b"lose") == 1
    assert answer.closes


def test_connect() -> None:
    """What follows a 2xx to CONNECT is no body."""
    answer = new("CONNECT")
    assert sent(answer, start(200, LENGTH), EMPTY) == HEAD + b"content-length: 2\r\n\r\n"


# -- extensions


def test_trailers() -> None:
    """Trailers go behind the last chunk, to a client that wants them."""
    messages = [start(200, trailers=True), body(b"a"), trailers((b"x-a", b"1"), more=True), trailers((b"x-b", b"2"))]
    answer = new(te=True)
    assert sent(answer, *messages[:3]).endswith(b"1\r\na\r\n")
    assert (answer.begun, answer.complete) == (True, False)
    assert answer.feed(messages[3]) == b"0\r\nx-a: 1\r\nx-b: 2\r\n\r\n"
    assert answer.complete
    assert sent(new(), *messages).endswith(b"1\r\na\r\n0\r\n\r\n")
    assert sent(new(te=True), start(200, LENGTH, trailers=True), body(b"ok"), trailers((b"a", b"b"))).endswith(b"\nok")


def test_hints() -> None:
    """Links are sent ahead, and ignored where no informational answer may come any more, or is not known."""
    hint = {"type": "http.response.early_hint", "links": [b"</a>; rel=preload", b"</b>"]}
    answer = new()
    assert answer.feed(hint) == b"HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\nlink: </b>\r\n\r\n"
    assert answer.feed({"type": "http.response.early_hint"}) == b""
    assert not answer.begun
    answer.feed(OK)
    assert answer.feed(hint) == b""
    assert new(version=10).feed(hint) == b""
    with pytest.raises(ASGIProtocolError):
        new().feed(hint | {"links": ["</a>"]})


# -- what is wrong


@pytest.mark.parametrize(
    ("before", "message", "text"),
    [
        ([], None, "a message is a dict with a type, not None"),
        ([], {}, "a message is a dict with a type, not {}"),
        ([], [], "a message is a dict with a type"),
        ([], EMPTY, "'http.response.body' was sent where only 'http.response.start' may follow"),
        ([], {"type": "websocket.accept"}, "'websocket.accept' was sent where only 'http.response.start' may follow"),
        ([OK], OK, "'http.response.start' was sent where only 'http.response.body' may follow"),
        ([OK], trailers(), "'http.response.trailers' was sent where only 'http.response.body' may follow"),
        ([OK, EMPTY], EMPTY, "'http.response.body' was sent where nothing may follow"),
        ([OK, EMPTY], OK, "'http.response.start' was sent where nothing may follow"),
        ([OK, EMPTY], {"type": "http.response.early_hint"}, "where nothing may follow"),
        ([], {"type": "http.response.early_hint", "links": None}, "links are bytes, several, not None"),
        ([], {"type": "http.response.early_hint", "links": 5}, "links are bytes, several, not 5"),
        ([start(trailers=True), EMPTY], EMPTY, "where only 'http.response.trailers' may follow"),
        ([], {"type": "http.response.start"}, "the status of an answer is an int from 200 to 999, not None"),
        ([], start("200"), "not '200'"),
        ([], start(True), "not True"),
        ([], start(103), "not 103"),
        ([], start(1000), "not 1000"),
        ([], start(200, (b"a", "b")), "names and values of headers are bytes, not b'a' and 'b'"),
        ([], start(200, ("a", b"b")), "names and values of headers are bytes"),
        ([], start(200, (b"a", 1)), "names and values of headers are bytes"),
        ([], start(200, b"ab:c"), "headers are pairs of bytes"),
        ([], {**OK, "headers": 1}, "headers are pairs of bytes, not 1"),
        ([], {**OK, "headers": {b"abc": b"d"}}, "headers are pairs of bytes"),
        ([], start(200, (b"a", b"b\r\nc: d")), "not a header: "),
        ([], start(200, (b"a", b"b\nc: d")), "not a header: "),
        ([], start(200, (b"a", b"\0")), "not a header: "),
        ([], start(200, (b"a\r\nb", b"c")), "not a header: "),
        ([], start(200, (b":status", b"200")), "not a header: "),
        ([], start(200, (b"", b"c")), "not a header: "),
        ([], start(200, (b"content-length", b"two")), "not a Content-Length: two"),
        ([], start(200, (b"content-length", b"-1")), "not a Content-Length: -1"),
        ([], start(200, (b"content-length", b"9" * 5000)), "not a Content-Length: 999"),
        ([], start(200, LENGTH, (b"Content-Length", b"3")), "not a Content-Length: "),
        ([OK], body("text"), "a body is bytes, not str"),
        ([OK], body(None), "a body is bytes, not NoneType"),
        ([start(200, LENGTH)], body(b"three"), "the body has more bytes than its Content-Length says: 5 where 2 were"),
        ([start(200, LENGTH), body(b"ok", True)], body(b"k"), "more bytes than its Content-Length says: 1 where 0"),
        (
            [start(200, LENGTH)],
            body(b"1"),
            "the body has fewer bytes than its Content-Length says: 1 where 2",
        ),
        ([start(200, LENGTH)], EMPTY, "fewer bytes"),
        ([start(204)], body(b"a"), "an answer with this status has no body"),
        ([start(304)], body(b"a", True), "an answer with this status has no body"),
        ([start(trailers=True), EMPTY], trailers((b"a", b"b\r\n")), "not a header"),
    ],
    ids=stable,
)
def test_refused(before: list[Any], message: Any, text: str) -> None:
    """What is not a message, or none that may come now, is refused, and nothing has changed."""
    answer = new()
    sent(answer, *before)
    was = (answer.begun, answer.complete, answer.closes, answer._next, answer._left)
    with pytest.raises(ASGIProtocolError) as caught:
        answer.feed(message)
    assert text in str(caught.value)
    assert (answer.begun, answer.complete, answer.closes, answer._next, answer._left) == was


def test_nothing_wrong_was_sent() -> None:
    """Behind what was refused, the right message may still come."""
    answer = new()
    for wrong in (start(200, (b"a", b"b\n")), start(0), EMPTY):
        with pytest.raises(ASGIProtocolError):
            answer.feed(wrong)
    assert sent(answer, start(200, LENGTH), body(b"ok")).endswith(b"ok")


# -- failure


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_failure(method: str) -> None:
    """In place of an answer that was not begun there is a 500, and the connection ends."""
    answer = new(method)
    head, _, content = answer.failure().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 500 Internal Server Error\r\ncontent-type: text/plain; charset=utf-8\r\n")
    assert b"Connection: close" in head
    assert b"Content-Length: 21" in head
    assert content == (b"Internal Server Error" if method == "GET" else b"")
    assert answer.closes
    assert answer.complete
