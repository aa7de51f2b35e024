"""What is decided about a request before a byte of it is sent. The bytes themselves are compared in tests/oracle."""

from __future__ import annotations

import array
import io
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient import ConnectionPool, Headers
from aiohttpclient.connection import FieldBlock, Origin, prepare
from aiohttpclient.connection._request import (
    CONTENT_TYPES,
    SPECIAL,
    Plan,
    declared_length,
    has_token,
    plan_request,
    plan_step_by_step,
    special_fields,
)
from tests.properties.strategies import checked, field_lists, targets
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.server import Peer


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


# -- blocks of fields

ORIGIN = Origin("http", "example.org", 81, 80)


def lines_of(head: bytes) -> tuple[bytes, list[bytes], list[bytes]]:
    """The request line, the lines that tell of the framing, and the other ones in their order."""
    first, *lines = head.split(b"\r\n")[:-2]
    framing = [line for line in lines if line.lower().startswith((b"content-length:", b"transfer-encoding:"))]
    return first, framing, [line for line in lines if line not in framing]


def test_block_says_what_its_fields_say() -> None:
    """A block sends the very bytes that its fields would, with those that the origin implies before them."""
    fields: list[Any] = [("X-A", "caf\xe9"), (b"X-B", b"2"), ("x-a", 3)]
    block = FieldBlock(fields)
    assert block.lines == b"X-A: caf\xe9\r\nX-B: 2\r\nx-a: 3\r\n"
    assert block.fields == fields
    assert prepare(ORIGIN, "GET", "/x", None, block)[0] == prepare(ORIGIN, "GET", "/x", None, fields)[0]
    assert prepare(ORIGIN, "GET", "/x", None, block)[0] == (
        b"GET /x HTTP/1.1\r\nHost: example.org:81\r\nAccept-Encoding: identity\r\n" + block.lines + b"\r\n"
    )


@pytest.mark.parametrize("given", [{}, (), [], Headers(), iter(())])
def test_empty_block(given: Any) -> None:
    """A block of nothing is nothing."""
    assert prepare(ORIGIN, "GET", "/", None, FieldBlock(given)) == prepare(ORIGIN, "GET", "/", None, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"Content-Length": "3"},
        {"transfer-ENCODING": "chunked"},
        {b"Content-Length": b"0"},
        {"X": "a\r\nY: b"},
        {"X Y": "a"},
        {"": "a"},
        {"X": "\u20ac"},
        {"caf\xe9": "a"},
        [("Host", "a"), ("host", "b")],
    ],
    ids=str,
)
def test_block_that_cannot_be(fields: Any) -> None:
    """What cannot be sent, or frames one body only, is refused when the block is made."""
    with pytest.raises(ValueError, match=r"."):
        FieldBlock(fields)


@pytest.mark.parametrize("fields", [{"X": 1.5}, {"X": None}, [("X", ["a"])]], ids=str)
def test_block_of_no_type(fields: Any) -> None:
    """What is no field is refused when the block is made."""
    with pytest.raises(TypeError):
        FieldBlock(fields)


def test_block_is_not_changed_from_outside() -> None:
    """A block is what its fields were when it was made."""
    fields = Headers({"X": "1"})
    block = FieldBlock(fields)
    fields["X"] = "2"
    fields["Y"] = "3"
    assert block.lines == b"X: 1\r\n"


@pytest.mark.parametrize(
    "extra",
    [
        [("Content-Length", "3")],
        [("transfer-encoding", "chunked")],
        [("Host", "a")],
        [(b"CONNECTION", b"close")],
        [("Expect", "100-continue")],
        [("Upgrade", "x")],
        [("Accept-Encoding", "gzip")],
        [("Proxy-Authorization", "Basic eDp5")],
        [("x", "2")],
        [(b"X", b"2")],
        [("Y", "1"), ("X", "2")],
    ],
    ids=str,
)
def test_plus_what_cannot_be_added(extra: Any) -> None:
    """A name that is there already, or that means something to the connection, cannot be added."""
    block = FieldBlock({"X": "1"})
    assert block.plus(extra) is None
    assert block.fields == [("X", "1")]


def test_plus() -> None:
    """What is added stands behind the block, may repeat itself, and leaves the block as it is."""
    block = FieldBlock({"X": "1", "Connection": "close"})
    more = block.plus([("Y", "2"), (b"y", 3)])
    assert more is not None
    assert more.fields == [("X", "1"), ("Connection", "close"), ("Y", "2"), (b"y", 3)]
    assert (block.fields, block.base, more.base) == ([("X", "1"), ("Connection", "close")], block, block)
    head, plan, _ = prepare(ORIGIN, "GET", "/", None, more)
    assert head.endswith(b"X: 1\r\nConnection: close\r\nY: 2\r\ny: 3\r\n\r\n")
    assert plan.closes
    assert prepare(ORIGIN, "GET", "/", None, block)[0].endswith(b"Connection: close\r\n\r\n")


def test_plus_twice() -> None:
    """What was added is there, and cannot be added again."""
    more = FieldBlock({"X": "1"}).plus([("Y", "2")])
    assert more is not None
    assert more.plus([("y", "3")]) is None
    assert more.plus([("x", "3")]) is None
    most = more.plus([("Z", "3")])
    assert most is not None
    assert prepare(ORIGIN, "GET", "/", None, most)[0].endswith(b"X: 1\r\nY: 2\r\nZ: 3\r\n\r\n")
    assert most.with_type("a/b") is not None


def test_plus_of_what_cannot_be_sent() -> None:
    """What cannot be sent is refused with the request."""
    more = FieldBlock().plus([("X", "a\r\nY: b")])
    with pytest.raises(ValueError, match="Invalid header value"):
        prepare(ORIGIN, "GET", "/", None, more)


def test_with_type() -> None:
    """A Content-Type makes another block, the same one each time; where there is one already it makes none."""
    block = FieldBlock({"X": "1"})
    typed = block.with_type("a/b")
    assert typed is not None
    assert block.with_type("a/b") is typed
    assert typed.lines == b"X: 1\r\nContent-Type: a/b\r\n"
    assert typed.with_type("c/d") is None
    assert FieldBlock({"content-TYPE": "c/d"}).with_type("a/b") is None
    more = block.plus([("Content-type", "c/d")])
    assert more is not None
    assert more.with_type("a/b") is None
    assert block.fields == [("X", "1")]


def test_types_are_kept_within_bounds() -> None:
    """However many types there are, as multipart makes them, few are kept, and each is right."""
    block = FieldBlock({"X": "1"})
    for number in range(100):
        typed = block.with_type(f"a/{number}")
        assert typed is not None
        assert typed.lines == b"X: 1\r\nContent-Type: a/%d\r\n" % number
    assert len(block._with_type) <= CONTENT_TYPES


@pytest.mark.parametrize("target", ["http://other.example/x", "https://other.example:444/", "/", "*", "httpd"])
@pytest.mark.parametrize("fields", [{"X": "1"}, {"Host": "mine"}, {"Accept-Encoding": "gzip", "Host": "mine"}], ids=str)
def test_block_for_a_proxy(target: str, fields: Any) -> None:
    """To a proxy that forwards go the same bytes as without a block: the target's Host, and what the proxy wants."""
    origin = Origin("http", "example.org", 81, 80, b"Proxy-Authorization: Basic eDp5\r\n")
    block = FieldBlock(fields)
    for _ in range(2):
        for each in (target, "/"):
            assert prepare(origin, "GET", each, None, block)[0] == prepare(origin, "GET", each, None, fields)[0]


blocks_of_special = st.dictionaries(
    st.sampled_from(["Host", "Connection", "Accept-Encoding", "Expect", "Upgrade", "Proxy-Authorization"]),
    st.sampled_from(["close", "100-continue", "gzip", "a, close", "x"]),
    max_size=3,
).map(lambda chosen: list(chosen.items()))


@checked
@given(
    method=st.sampled_from(["GET", "POST", "put", "QUERY", "HEAD"]),
    target=st.one_of(targets, targets.map("http://other.example{}".format)),
    fields=field_lists,
    special=blocks_of_special,
    extra=field_lists,
    body=st.sampled_from([None, b"", b"abc", "caf\xe9", [b"abc"]]),
    content_type=st.sampled_from([None, "a/b"]),
)
def test_a_block_is_its_fields(
    method: str, target: str, fields: Any, special: Any, extra: Any, body: Any, content_type: str | None
) -> None:
    """Whatever is in a block and added to it, a request is the same as with plain fields, to the byte."""
    block = FieldBlock([*fields, *special])
    everything = [*fields, *special]
    more = block.plus(extra)
    taken = {name.lower() for name, _ in everything} | SPECIAL
    assert (more is None) == any(name.lower() in taken for name, _ in extra)
    if more is not None:
        block, everything = more, [*everything, *extra]
    if content_type is not None and (typed := block.with_type(content_type)) is not None:
        block, everything = typed, [*everything, ("Content-Type", content_type)]
    for _ in range(2):  # what is remembered the first time is the same the second
        head, plan, sent = prepare(ORIGIN, method, target, body, block)
        plain_head, plain_plan, plain_sent = prepare(ORIGIN, method, target, body, everything)
        assert lines_of(head) == lines_of(plain_head)
        assert len(head) == len(plain_head)
        assert sent == plain_sent
        assert plan._replace(fields=[]) == plain_plan._replace(fields=[])


async def test_block_over_a_wire() -> None:
    """A pool takes a block as it takes fields, also when it sends a request again because its connection had died."""

    async def script(peer: Peer) -> None:
        heads.append((await peer.read_request())[0])
        await peer.send(reply(b"ok"))
        heads.append((await peer.read_request())[0])
        if peer.number == 0:
            return  # the second request meets a connection that has just been closed
        await peer.send(reply(b"ok"))

    heads: list[bytes] = []
    fields = {"X-A": "1", "Accept-Encoding": "br"}
    block = FieldBlock(fields)
    async with raw_server(script) as server, ConnectionPool() as pool:
        for headers in (block, block, fields):
            response = await pool.request("PUT", f"{server.url}/x", b"abc", headers)
            assert await response.read() == b"ok"
        assert pool.stats().retried == 1
    assert len(heads) == 4
    assert {head.replace(b"Content-Length: 3\r\n", b"") for head in heads} == {
        b"PUT /x HTTP/1.1\r\nHost: %b\r\nX-A: 1\r\nAccept-Encoding: br\r\n\r\n" % server.netloc.encode()
    }
