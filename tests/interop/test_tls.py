"""HTTPS with each of the servers."""

from __future__ import annotations

import asyncio
import os
import ssl
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import AsyncHTTPSConnection

from .app import BLOCK
from .test_servers import fetch

if TYPE_CHECKING:
    from tests.support.servers import Server
    from tests.support.tls import TlsKit


def connect(server: Server, context: ssl.SSLContext | None) -> AsyncHTTPSConnection:
    return AsyncHTTPSConnection(server.host, server.port, context=context)


async def test_large_bodies(tls_server: Server, tls: TlsKit) -> None:
    """Large bodies pass both ways over one connection."""
    content = os.urandom(1 << 16) * 32
    async with connect(tls_server, tls.client) as conn:
        for _ in range(3):
            if tls_server.name == "nginx":
                response, _ = await fetch(conn, "PUT", "/upload/content", content)
                assert response.status in {201, 204}
                assert (await fetch(conn, "GET", "/upload/content"))[1] == content
            else:
                assert (await fetch(conn, "POST", "/echo", content))[1] == content
                assert (await fetch(conn, "GET", "/chunked?blocks=32"))[1] == BLOCK * 32


async def test_early_answer(tls_server: Server, tls: TlsKit) -> None:
    """An answer that comes while the body is still being sent is what the caller gets."""
    path = "/limited" if tls_server.name == "nginx" else "/too-large"
    async with connect(tls_server, tls.client) as conn:
        response, _ = await fetch(conn, "PUT", path, os.urandom(1 << 16) * 64)
        assert response.status == 413


async def test_many_connections(tls_server: Server, tls: TlsKit) -> None:
    """Ten connections side by side, each used and closed twice, leave nothing behind."""

    async def work() -> None:
        for _ in range(2):
            async with connect(tls_server, tls.client) as conn:
                for _ in range(3):
                    response, _ = await fetch(conn, "GET", "/")
                    assert response.status in {200, 403, 404}

    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(work())


async def test_unknown_authority(tls_server: Server) -> None:
    """By default only public authorities are trusted."""
    async with connect(tls_server, None) as conn:
        with pytest.raises(ssl.SSLCertVerificationError):
            await conn.request("GET", "/")
