"""What a program does with a server every day, with each of the servers of the application in ``app``."""

from __future__ import annotations

import asyncio
import io
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPResponse

from .app import BLOCK

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.servers import Server

LARGE = os.urandom(1 << 16) * 256
"""16 MiB: far more than all buffers between the two sides hold together."""


def connect(server: Server, **options: Any) -> AsyncHTTPConnection:
    return AsyncHTTPConnection(server.host, server.port, **options)


async def fetch(conn: AsyncHTTPConnection, method: str, url: str, *arguments: Any) -> tuple[AsyncHTTPResponse, bytes]:
    await conn.request(method, url, *arguments)
    response = await conn.getresponse()
    return response, await response.read()


async def test_get(server: Server) -> None:
    """A GET gives status, reason, fields and body."""
    async with connect(server) as conn:
        response, body = await fetch(conn, "GET", "/hello")
        reason = "" if server.name == "hypercorn" else "OK"  # which is optional (RFC 9112 section 4)
        assert (response.status, response.reason, response.version) == (200, reason, 11)
        assert response.getheader("content-type") == "text/plain"
        assert response.getheader("content-length") == "12"
        assert body == b"hello, world"


async def test_server_sees_what_was_asked(server: Server) -> None:
    """Method, path, query and fields reach the application as they were given."""
    async with connect(server) as conn:
        _, body = await fetch(conn, "OPTIONS", "/request?a=1&b=%20", None, {"X-One": "1", "X-Two": "caf\xe9"})
        seen = json.loads(body)
        assert (seen["method"], seen["path"], seen["query"], seen["version"]) == (
            "OPTIONS",
            "/request",
            "a=1&b=%20",
            "1.1",
        )
        headers = dict(seen["headers"])
        assert headers["host"] == f"{server.host}:{server.port}"
        assert headers["accept-encoding"] == "identity"
        assert (headers["x-one"], headers["x-two"]) == ("1", "caf\xe9")
        assert "content-length" not in headers


async def test_connection_is_reused(server: Server) -> None:
    """Requests one after another go over one connection, whatever the statuses and bodies are."""
    async with connect(server) as conn:
        peers = set()
        for path in ("/hello", "/status/204", "/chunked?blocks=3", "/status/304", "/status/404", "/big?blocks=1"):
            await fetch(conn, "GET", path)
            await fetch(conn, "HEAD", "/hello")
            _, body = await fetch(conn, "GET", "/request")
            peers.add(tuple(json.loads(body)["client"]))
        assert len(peers) == 1


async def test_head_has_no_body(server: Server) -> None:
    """The answer to HEAD has the fields of the body, and no body."""
    async with connect(server) as conn:
        response, body = await fetch(conn, "HEAD", "/hello")
        assert (response.status, response.getheader("content-length"), body) == (200, "12", b"")


@pytest.mark.parametrize("status", [204, 304])
async def test_status_without_body(server: Server, status: int) -> None:
    """204 and 304 end with their head."""
    async with connect(server) as conn:
        response, body = await fetch(conn, "GET", f"/status/{status}")
        assert (response.status, body) == (status, b"")


@pytest.mark.parametrize("status", [201, 301, 400, 418, 500, 503])
async def test_status(server: Server, status: int) -> None:
    """A status is given as it is; nothing is followed, nothing is raised."""
    async with connect(server) as conn:
        response, body = await fetch(conn, "GET", f"/status/{status}")
        assert (response.status, body) == (status, b"as you wish")


async def test_chunked_response(server: Server) -> None:
    """A body whose length the server does not know arrives whole, and the connection can be used again."""
    async with connect(server) as conn:
        await conn.request("GET", "/chunked?blocks=20")
        response = await conn.getresponse()
        assert response.chunked
        assert await response.read() == BLOCK * 20
        assert (await fetch(conn, "GET", "/hello"))[1] == b"hello, world"


async def test_chunked_response_in_blocks(server: Server) -> None:
    """The same in blocks."""
    async with connect(server) as conn:
        await conn.request("GET", "/chunked?blocks=20")
        response = await conn.getresponse()
        assert b"".join([block async for block in response.iter_bytes()]) == BLOCK * 20


async def test_large_response(server: Server) -> None:
    """A large body of known length arrives whole, at once and in blocks."""
    async with connect(server) as conn:
        assert (await fetch(conn, "GET", "/big?blocks=256"))[1] == BLOCK * 256
        await conn.request("GET", "/big?blocks=256")
        response = await conn.getresponse()
        assert b"".join([block async for block in response.iter_bytes()]) == BLOCK * 256


async def test_post_bytes(server: Server) -> None:
    """Bytes are sent with their length."""
    async with connect(server) as conn:
        for body in (b"", b"x", b"x" * 70_000):
            assert (await fetch(conn, "POST", "/echo", body))[1] == body


async def test_post_str(server: Server) -> None:
    """A str is sent as ISO-8859-1."""
    async with connect(server) as conn:
        assert (await fetch(conn, "PUT", "/echo", "caf\xe9"))[1] == b"caf\xe9"


async def test_post_large(server: Server) -> None:
    """16 MiB go out and come back."""
    async with connect(server) as conn:
        assert (await fetch(conn, "POST", "/echo", LARGE))[1] == LARGE


async def test_post_file(server: Server, tmp_path: Path) -> None:
    """A file is sent chunked, since http.client does not trust its size, or with the length that the caller gives."""
    path = tmp_path / "body"
    path.write_bytes(LARGE[:3_000_001])
    async with connect(server) as conn:
        for headers in ({}, {"Content-Length": "3000001"}):
            with path.open("rb") as file:
                assert (await fetch(conn, "POST", "/echo", file, headers))[1] == LARGE[:3_000_001]


async def test_post_file_object(server: Server) -> None:
    """So is something that only reads like a file."""
    async with connect(server) as conn:
        assert (await fetch(conn, "POST", "/echo", io.BytesIO(LARGE[:200_000])))[1] == LARGE[:200_000]


async def test_post_iterable(server: Server) -> None:
    """Blocks of an iterable are sent chunked."""

    def blocks() -> Iterator[bytes]:
        yield b"one"
        yield b""
        yield LARGE[:100_000]

    async with connect(server) as conn:
        assert (await fetch(conn, "POST", "/echo", blocks()))[1] == b"one" + LARGE[:100_000]


async def test_post_async_iterable(server: Server) -> None:
    """So are those of an async iterable."""

    async def blocks() -> AsyncIterator[bytes]:
        for number in range(5):
            await asyncio.sleep(0)
            yield b"%d" % number * 1000

    async with connect(server) as conn:
        expected = b"".join(b"%d" % number * 1000 for number in range(5))
        assert (await fetch(conn, "POST", "/echo", blocks()))[1] == expected


async def test_step_by_step(server: Server) -> None:
    """The calls of http.client for a request in steps."""
    async with connect(server) as conn:
        conn.putrequest("POST", "/echo")
        conn.putheader("Content-Length", "10")
        await conn.endheaders()
        await conn.send(b"01234")
        await conn.send(b"56789")
        response = await conn.getresponse()
        assert await response.read() == b"0123456789"


async def test_connection_close(server: Server) -> None:
    """Asked to close, the server does, and the next request connects again by itself."""
    async with connect(server) as conn:
        response, body = await fetch(conn, "GET", "/hello", None, {"Connection": "close"})
        assert (response.will_close, body) == (True, b"hello, world")
        response, body = await fetch(conn, "GET", "/hello")
        assert (response.will_close, body) == (False, b"hello, world")


async def test_early_answer(server: Server) -> None:
    """An answer that comes while the body is still being sent is what the caller gets."""
    async with connect(server) as conn:
        response, body = await fetch(conn, "POST", "/too-large", LARGE)
        assert (response.status, body) == (413, b"too large")
        assert (await fetch(conn, "GET", "/hello"))[1] == b"hello, world"


async def test_early_answer_to_chunked(server: Server) -> None:
    """So it is when the body has no end that the server could wait for."""

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield BLOCK
            await asyncio.sleep(0)

    async with connect(server) as conn, asyncio.timeout(30):
        await conn.request("POST", "/too-large", endless())
        response = await conn.getresponse()
        assert response.status == 413


async def test_expect_continue(server: Server) -> None:
    """The body of a request with Expect: 100-continue follows the 100 of the server."""
    seen: list[int] = []
    async with connect(server, on_informational=lambda status, reason, headers: seen.append(status)) as conn:
        response, body = await fetch(conn, "POST", "/echo", b"x" * 1000, {"Expect": "100-continue"})
        assert (seen, response.status, body) == ([100], 200, b"x" * 1000)


async def test_expect_continue_refused(server: Server) -> None:
    """Refused at its head, a request with Expect: 100-continue sends no body; the answer is the caller's."""
    pulled: list[int] = []

    def body() -> Iterator[bytes]:
        pulled.append(1)
        yield BLOCK

    async with connect(server, expect_timeout=20) as conn:
        response, answer = await fetch(conn, "POST", "/too-large", body(), {"Expect": "100-continue"})
        assert (response.status, answer) == (413, b"too large")
        if server.name != "hypercorn":  # which says 100 before it asks the application, and closes without a word
            assert not pulled
            assert (await fetch(conn, "GET", "/hello"))[1] == b"hello, world"


async def test_many_connections(server: Server) -> None:
    """Twenty connections side by side each get their own answers."""

    async def work(number: int) -> None:
        async with connect(server) as conn:
            for turn in range(10):
                body = b"%d of %d" % (turn, number)
                assert (await fetch(conn, "POST", "/echo", body))[1] == body

    async with asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(work(number))
