"""Requests as they are sent: what is refused before there is a connection, and what a body becomes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    ConnectionPool,
    InvalidURL,
)
from aiohttpclient.connection import FieldBlock
from aiohttpclient.pool import _prepared
from aiohttpclient.pool._prepared import Preparations

from .servers import (
    Counts,
    counts,
    dechunked,
    get,
    serving,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        (("GET ", "/"), {}),
        (("", "/"), {}),
        (("GET\r\nX: y", "/"), {}),
        (("GET", "/a b"), {}),
        (("GET", "/\r\nX: y"), {}),
        (("GET", "/b\xfccher"), {}),
        (("GET", "/?\0"), {}),
        (("CONNECT", "/tunnel"), {}),
        (("GET", "/"), {"headers": {"A\r\nB": "c"}}),
        (("GET", "/"), {"headers": {"A": "b\r\nC: d"}}),
        (("GET", "/"), {"headers": {"Content-Length": "1", "Transfer-Encoding": "chunked"}}),
        (("POST", "/", b"body"), {"headers": {"Content-Length": "1"}}),
        (("GET", "/"), {"headers": {"Content-Length": "5"}}),
        (("POST", "/"), {"headers": [(b"content-length", 5)]}),
        (("HEAD", "/"), {"headers": {"Content-Length": "5"}}),
        (("POST", "/", 5), {}),
        (("POST", "/", "\u20ac"), {}),
    ],
)
async def test_request_that_cannot_be_sent(arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    """What cannot be sent is refused before a connection is opened, and does not touch one that is idle."""
    method, path, *rest = arguments
    async with serving() as (server, site), ConnectionPool() as pool:
        for connections in (0, 1):
            with pytest.raises((ValueError, TypeError, InvalidURL)):
                await pool.request(method, server.url + path, *rest, **options)
            assert counts(pool) == Counts(idle=connections)
            assert pool.stats().opened == connections
            await get(pool, f"{server.url}/good")
        assert site.targets == ["/good", "/good"]
        assert server.connections == 1


async def test_length_without_a_body() -> None:
    """A Content-Length that nothing follows is refused with that reason, as nobody could send the rest; 0 is none."""
    async with serving() as (server, site), ConnectionPool() as pool:
        with pytest.raises(ValueError, match="Content-Length says 5 bytes, and there is no body"):
            await pool.request("GET", f"{server.url}/", headers={"Content-Length": "5"})
        for method in ("GET", "HEAD", "POST", "DELETE"):
            assert await get(pool, f"{server.url}/", method, headers={"Content-Length": "0"}) in (b"/", b"")
            assert b"\r\nContent-Length: 0\r\n" in site.asked[-1].head
        assert server.connections == 1


async def test_length_of_what_the_holder_of_a_lease_sends() -> None:
    """On a lease the body may follow a Content-Length in pieces, as on any connection."""
    async with serving() as (server, site), ConnectionPool() as pool, pool.connection(server.url) as conn:
        await conn.request("POST", "/", headers={"Content-Length": "5"})
        await conn.send(b"piece")
        assert await (await conn.getresponse()).read() == b"/"
        assert site.asked[-1].body == b"piece"


async def test_body_of_a_request() -> None:
    """A body of whatever kind arrives, and its fields are those of the connection level."""

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a "
        yield b"body"

    async with serving() as (server, site), ConnectionPool() as pool:
        for body in (b"a body", "a body", io.BytesIO(b"a body"), [b"a ", b"body"], pieces()):
            assert await get(pool, f"{server.url}/", "POST", body, {"X-Field": "value"}) == b"/"
        assert [dechunked(asked.head, asked.body) for asked in site.asked] == [b"a body"] * 5
        assert all(b"\r\nX-Field: value\r\n" in asked.head for asked in site.asked)
        assert server.connections == 1


# -- fields that many requests share


async def test_shared_fields() -> None:
    """The same fields with many targets and methods: each request is what it would be alone, however often it came."""
    block = FieldBlock({"X-Shared": "1"})
    async with serving() as (server, site), ConnectionPool() as pool:
        asked = [(method, f"/{number % 3}") for method in ("GET", "DELETE", "POST", "HEAD") for number in range(9)]
        for method, path in asked:
            response = await pool.request(method, server.url + path, headers=block)
            await response.read()
        response = await pool.request("GET", f"{server.url}/0", b"body", headers=block)
        await response.read()
        assert site.targets == [path for _, path in asked] + ["/0"]
        heads = [one.head for one in site.asked]
    host = server.url.partition("//")[2].encode()
    lines = b"Host: %b\r\nAccept-Encoding: identity\r\nX-Shared: 1\r\n" % host
    for head, (method, path) in zip(heads, asked, strict=False):
        framed = b"Content-Length: 0\r\n" if method == "POST" else b""
        assert head == f"{method} {path} HTTP/1.1\r\n".encode() + lines + framed + b"\r\n"
    assert b"\r\nContent-Length: 4\r\n" in heads[-1]


@pytest.mark.parametrize(
    ("method", "path", "fields", "error"),
    [
        ("CONNECT", "/", {}, "makes a tunnel"),
        ("GET", "/", {"Proxy-Authorization": "Basic dTpw"}, "an origin must not see it"),
        ("GET", "/a b", {}, "URL can.t contain"),
        ("GET", "/\xe9", {}, "URL can.t contain"),
        ("G T", "/", {}, "must be a token"),
    ],
)
async def test_shared_fields_that_cannot_be_sent(method: str, path: str, fields: dict[str, str], error: str) -> None:
    """What cannot be sent is refused each time, also beside requests with the same fields that can."""
    block = FieldBlock(fields)
    async with serving() as (server, site), ConnectionPool() as pool:
        for _ in range(4):
            with pytest.raises((ValueError, InvalidURL), match=error):
                await pool.request(method, server.url + path, headers=block)
            if not fields:
                await get(pool, f"{server.url}/good", headers=block)
        assert set(site.targets) <= {"/good"}


async def test_shared_fields_through_a_proxy() -> None:
    """Where a proxy forwards requests, each names its origin; credentials of one of them are in no other."""
    block = FieldBlock({"X": "1"})
    async with serving() as (server, site):
        async with ConnectionPool(proxy=server.url) as pool:
            for number in range(6):
                given = f"Basic {number}" if number % 2 else None
                url = f"http://host{number % 3}.example/a"
                response = await pool.request("GET", url, headers=block, proxy_authorization=given)
                await response.read()
        for number, one in enumerate(site.asked):
            assert one.target == f"http://host{number % 3}.example/a"
            assert one.head.count(f"Host: host{number % 3}.example\r\n".encode()) == 1
            assert one.head.count(b"Proxy-Authorization: Basic") == number % 2
        assert len(site.asked) == 6


async def test_few_are_remembered() -> None:
    """No more requests are remembered than ``PREPARED``, none with a long URL, and none of those that come once."""
    block = FieldBlock({"X": "1"})
    async with ConnectionPool() as pool:
        preparations = Preparations(pool._router)
        for number in range(_prepared.PREPARED + 20):
            for _ in range(3):
                prepared = preparations.prepare("GET", f"http://a.example/{number}", None, block, None)
                assert prepared[1] == f"/{number}"
                assert len(preparations.known) <= _prepared.PREPARED
        preparations.known.clear()
        long = "http://a.example/" + "x" * _prepared.PREPARED_LENGTH
        for _ in range(3):
            preparations.prepare("GET", long, None, block, None)
            preparations.prepare("POST", "http://a.example/", b"body", block, None)
            preparations.prepare("GET", "http://a.example/", None, {"X": "1"}, None)
        assert len(preparations.known) == 0
        for number in range(1000):
            preparations.prepare("GET", f"http://a.example/once/{number}", None, block, None)
        assert len(preparations.known) < 30
