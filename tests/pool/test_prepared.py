"""Requests as they are sent: what is refused before there is a connection, and what a body becomes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    ConnectionPool,
    InvalidURL,
)

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
