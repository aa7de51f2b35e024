"""What is decided about a request before a byte of it is sent. The bytes themselves are compared in tests/oracle."""

from __future__ import annotations

import array
import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import Headers
from aiohttpclient.connection._request import (
    Plan,
    declared_length,
    has_token,
    plan_request,
    plan_step_by_step,
    special_fields,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def blocks() -> AsyncIterator[bytes]:
    yield b"abc"


# -- whole requests


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "CONNECT", "OTHER"])
def test_no_body_without_length(method: str) -> None:
    """Without a body, methods that give a body no meaning declare nothing (RFC 9110 section 8.6)."""
    assert plan_request(method, None, {}, False) == Plan([])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "post", "Put"])
def test_no_body_with_length(method: str) -> None:
    """Without a body, methods that expect one declare a length of 0."""
    assert plan_request(method, None, {}, False) == Plan([("Content-Length", "0")])


@pytest.mark.parametrize("method", ["GET", "POST", "OTHER"])
@pytest.mark.parametrize(
    ("body", "size"),
    [(b"", 0), (b"abc", 3), ("caf\xe9", 4), (bytearray(5), 5), (memoryview(bytes(6)), 6), (array.array("d", [1.0]), 8)],
)
def test_known_size_is_declared(method: str, body: Any, size: int) -> None:
    """A body whose size is known is sent with Content-Length, in bytes, whatever the method is."""
    assert plan_request(method, body, {}, False) == Plan([("Content-Length", str(size))], size)


@pytest.mark.parametrize(
    "body", [io.BytesIO(b"abc"), io.StringIO("abc"), [b"abc"], iter([b"abc"]), blocks(), {b"a": 1}]
)
def test_unknown_size_is_chunked(body: Any) -> None:
    """A file, an iterable or an async iterable is sent in chunks."""
    assert plan_request("PUT", body, {"X": "y"}, False) == Plan(
        [("Transfer-Encoding", "chunked"), ("X", "y")], None, chunked=True
    )


@pytest.mark.parametrize("encode_chunked", [False, True])
def test_own_coding(encode_chunked: bool) -> None:
    """With Transfer-Encoding of the caller's own, only ``encode_chunked`` makes chunks of the body."""
    fields = {"transfer-encoding": "gzip, chunked"}
    assert plan_request("PUT", [b"abc"], fields, encode_chunked) == Plan(list(fields.items()), None, encode_chunked)


@pytest.mark.parametrize("body", [b"abc", "abc", io.BytesIO(b"abc"), [b"abc"], None])
def test_own_length(body: Any) -> None:
    """With Content-Length of the caller's own, nothing is added and nothing is chunked."""
    fields = {"content-length": "3"}
    assert plan_request("PUT", body, fields, True) == Plan(list(fields.items()), 3)


@pytest.mark.parametrize("value", [3, "3", b"3", " 3 ", bytearray(b"3"), memoryview(b"3")])
def test_own_length_of_every_type(value: Any) -> None:
    """Content-Length may be of every type that a field value may be of."""
    assert plan_request("PUT", b"abc", {"Content-Length": value}, False).left == 3


@pytest.mark.parametrize(
    "fields",
    [
        {"Content-Length": "2"},
        {"Content-Length": "4"},
        {"Content-Length": "+3"},
        {"Content-Length": "three"},
        {"Content-Length": "\u0663"},
        {"Content-Length": ""},
        {"Content-Length": "3, 3"},
        {"Content-Length": "3", "Transfer-Encoding": "chunked"},
        {"Content-Length": "3", "content-length": "3"},
        {"Transfer-Encoding": "chunked", "transfer-encoding": "chunked"},
        {"Host": "a", "host": "b"},
        {b"Host": "a", "host": "b"},
    ],
    ids=str,
)
def test_contradiction(fields: Any) -> None:
    """Fields that contradict each other or the body are refused: two readers could see different requests in them."""
    with pytest.raises(ValueError, match=r"."):
        plan_request("PUT", b"abc", fields, False)


@pytest.mark.parametrize(
    "headers",
    [{"X": "1", "Y": "2"}, [("X", "1"), ("Y", "2")], Headers({"X": "1", "Y": "2"}), iter([("X", "1"), ("Y", "2")])],
    ids=lambda headers: type(headers).__name__,
)
def test_kinds_of_headers(headers: Any) -> None:
    """Fields come from a mapping, a multi-map or an iterable of pairs, and keep their order."""
    assert plan_request("GET", None, headers, False).fields == [("X", "1"), ("Y", "2")]


def test_repeated_field() -> None:
    """Fields that may be repeated are, as pairs or in a multi-map."""
    pairs = [("Cookie", "a=1"), ("Cookie", "b=2")]
    assert plan_request("GET", None, pairs, False).fields == pairs
    assert plan_request("GET", None, Headers(pairs), False).fields == pairs


def test_headers_are_not_changed() -> None:
    """The caller's mapping stays as it is."""
    headers = {"X": "y"}
    plan_request("POST", b"abc", headers, False)
    assert headers == {"X": "y"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"Host": "x"}, {"has_host": True}),
        ({b"hOST": "x"}, {"has_host": True}),
        ({"accept-encoding": "gzip"}, {"has_accept_encoding": True}),
        ({"Connection": "close"}, {"closes": True}),
        ({"Connection": "x, CLOSE"}, {"closes": True}),
        ({"Connection": "keep-alive"}, {}),
        ({"Connection": "closed"}, {}),
        ({"Expect": "100-continue"}, {"expects": True}),
        ({"expect": b"100-Continue"}, {"expects": True}),
        ({"Expect": "x"}, {}),
        ({"Connection": "upgrade", "Upgrade": "websocket"}, {"upgrades": True}),
    ],
    ids=str,
)
def test_fields_that_mean_something(fields: Any, expected: dict[str, bool]) -> None:
    """Fields that change what is sent, or what may follow, are recognised however they are written."""
    plan = plan_request("GET", None, fields, False)
    assert plan == Plan(list(fields.items()), **expected)


def test_connection_in_several_fields() -> None:
    """Connection is a list that may be spread over several fields (RFC 9110 section 5.3)."""
    assert plan_request("GET", None, [("Connection", "x"), ("Connection", "close")], False).closes


# -- requests step by step


def test_step_by_step_adds_nothing() -> None:
    """Step by step, only the caller's own fields are sent."""
    assert plan_step_by_step([("X", "y")], None, False) == Plan([("X", "y")])


def test_step_by_step_length() -> None:
    """Step by step, a declared length may be sent in pieces, so that the first may be shorter."""
    fields: list[Any] = [(b"Content-Length", b"5")]
    assert plan_step_by_step(fields, b"abc", False) == Plan(fields, 5)
    assert plan_step_by_step(fields, None, False) == Plan(fields, 5)


@pytest.mark.parametrize("body", [[b"abc"], b"abc"])
def test_step_by_step_chunked(body: Any) -> None:
    """Step by step, ``encode_chunked`` makes chunks of the body that goes with the head."""
    fields: list[Any] = [("Transfer-Encoding", "chunked")]
    assert plan_step_by_step(fields, body, True) == Plan(fields, None, chunked=True)
    assert plan_step_by_step(fields, body, False) == Plan(fields, None)


@pytest.mark.parametrize("body", [b"abc", "abc", [b"abc"], io.BytesIO(b"abc")])
@pytest.mark.parametrize("encode_chunked", [False, True])
def test_step_by_step_without_framing(body: Any, encode_chunked: bool) -> None:
    """Step by step, a body that no field announces is refused: it would be taken for the next request."""
    with pytest.raises(ValueError, match="Content-Length or Transfer-Encoding"):
        plan_step_by_step([], body, encode_chunked)


def test_step_by_step_contradiction() -> None:
    """Step by step, both framing fields together are refused (RFC 9112 section 6.2)."""
    with pytest.raises(ValueError, match="9112"):
        plan_step_by_step([("Content-Length", "3"), ("Transfer-Encoding", "chunked")], None, False)


# -- the parts


def test_special_fields() -> None:
    """Only the fields that mean something to the connection are looked at, by their names in lower case."""
    fields: list[Any] = [("HOST", "x"), ("X", "y"), (b"Connection", b"a"), ("connection", "b")]
    assert special_fields(fields) == {"host": "x", "connection": "a, b"}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, False),
        ("", False),
        ("close", True),
        ("a,close ,b", True),
        ("Close", True),
        ("closed", False),
        ("a b", False),
    ],
)
def test_has_token(value: str | None, found: bool) -> None:
    """A token is found as an element of a list, without case."""
    assert has_token(value, "close") is found


def test_declared_length_is_compared_with_what_is_known() -> None:
    """A declared length is compared with the body where its size is known, and believed where it is not."""
    assert declared_length("3", None, b"abc") == 3
    assert declared_length("3", None, io.BytesIO(b"abcd")) == 3
    with pytest.raises(ValueError, match="says 3 bytes, the body has 4"):
        declared_length("3", None, b"abcd")
