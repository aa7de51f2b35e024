"""nginx: files, uploads and limits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPConnection

from .conftest import needs_nginx
from .servers import UPLOAD_LIMIT
from .test_servers import connect, fetch

if TYPE_CHECKING:
    from tests.support.servers import Server

pytestmark = needs_nginx

CONTENT = os.urandom(1 << 16) * 64
"""4 MiB."""


@pytest.fixture
def file(nginx: Server) -> str:
    """The path of a file that nginx gives."""
    (nginx.folder / "files" / "content").write_bytes(CONTENT)
    return "/content"


async def test_get(nginx: Server, file: str) -> None:
    """A file arrives byte for byte, at once and in blocks."""
    async with connect(nginx) as conn:
        response, body = await fetch(conn, "GET", file)
        assert (response.status, response.getheader("content-length")) == (200, str(len(CONTENT)))
        assert body == CONTENT
        await conn.request("GET", file)
        response = await conn.getresponse()
        assert b"".join([block async for block in response.iter_bytes()]) == CONTENT


async def test_head(nginx: Server, file: str) -> None:
    """HEAD gives the length of the file and nothing of it."""
    async with connect(nginx) as conn:
        response, body = await fetch(conn, "HEAD", file)
        assert (response.getheader("content-length"), body) == (str(len(CONTENT)), b"")


async def test_range(nginx: Server, file: str) -> None:
    """206 gives the part that was asked for."""
    async with connect(nginx) as conn:
        response, body = await fetch(conn, "GET", file, None, {"Range": "bytes=10-19"})
        assert (response.status, body) == (206, CONTENT[10:20])


async def test_not_modified(nginx: Server, file: str) -> None:
    """304 ends with its head, and the connection can be used again."""
    async with connect(nginx) as conn:
        response, _ = await fetch(conn, "HEAD", file)
        etag = response.getheader("etag")
        response, body = await fetch(conn, "GET", file, None, {"If-None-Match": etag})
        assert (response.status, body) == (304, b"")
        assert (await fetch(conn, "GET", file))[1] == CONTENT


async def test_connection_is_reused(nginx: Server, file: str) -> None:
    """Nginx counts the requests of a connection: all of them came over one."""
    async with connect(nginx) as conn:
        serials = []
        for _ in range(3):
            await fetch(conn, "GET", file)
            await fetch(conn, "GET", "/missing")
            serials.append((await fetch(conn, "GET", "/serial"))[1].decode().split())
        assert len({connection for connection, _ in serials}) == 1
        assert [int(requests) for _, requests in serials] == [3, 6, 9]


@pytest.mark.parametrize("headers", [{}, {"Expect": "100-continue"}], ids=["plain", "expect"])
async def test_upload(nginx: Server, headers: dict[str, str]) -> None:
    """What is sent by PUT is what nginx writes to its disk."""
    async with connect(nginx) as conn:
        response, _ = await fetch(conn, "PUT", "/upload/content", CONTENT, headers)
        assert response.status in {201, 204}
        assert (nginx.folder / "files" / "upload" / "content").read_bytes() == CONTENT


@pytest.mark.parametrize("path", ["/limited", "/abrupt"])
async def test_upload_over_the_limit(nginx: Server, path: str) -> None:
    """413 is what the caller sees, also when nginx resets the connection while the body is being sent."""
    for _ in range(20):
        async with connect(nginx) as conn:
            response, body = await fetch(conn, "PUT", path, CONTENT)
            assert response.status == 413
            assert b"413 Request Entity Too Large" in body


async def test_upload_over_the_limit_with_expect(nginx: Server) -> None:
    """With Expect: 100-continue the 413 comes before the body, of which nothing is sent."""
    seen: list[Any] = []
    async with AsyncHTTPConnection(nginx.host, nginx.port, on_informational=lambda *args: seen.append(args)) as conn:
        headers = {"Expect": "100-continue"}
        response, _ = await fetch(conn, "PUT", "/limited", b"x" * (UPLOAD_LIMIT + 1), headers)
        assert (response.status, seen) == (413, [])
