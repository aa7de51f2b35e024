"""Programs with other clients, and with proxies of their own, are tested with the proxy that does harm, too."""

from __future__ import annotations

import asyncio
import http.client
from typing import Any

import pytest

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.testing import FaultProxy, LoopbackServer, line
from tests.testing.serving import SCHEMES

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))

BODY = b"0123456789" * 10_000
CUT = line.Cut(after=20_000)


@both
async def test_httpx(tls: bool) -> None:
    """A program that uses httpx sees what was done."""
    httpx = pytest.importorskip("httpx")
    async with LoopbackServer(tls=tls) as server, FaultProxy(server) as proxy:
        server.add("GET", "/", BODY)
        proxy.script(CUT, line.Drip(1000, 0, to="both"))
        async with httpx.AsyncClient(verify=server.client_context or True, trust_env=False) as client:
            with pytest.raises(httpx.TransportError):
                await client.get(proxy.url)
            assert (await client.get(proxy.url)).content == BODY


@both
async def test_aiohttp(tls: bool) -> None:
    """A program that uses aiohttp sees what was done."""
    aiohttp = pytest.importorskip("aiohttp")
    async with LoopbackServer(tls=tls) as server, FaultProxy(server) as proxy:
        server.add("GET", "/", BODY)
        proxy.script(CUT, line.Drip(1000, 0, to="both"))
        async with aiohttp.ClientSession() as session:
            options = {"ssl": server.client_context or True}
            with pytest.raises(aiohttp.ClientError):
                async with session.get(proxy.url, **options) as response:
                    await response.read()
            async with session.get(proxy.url, **options) as response:
                assert await response.read() == BODY


@both
async def test_http_client(tls: bool) -> None:
    """A program that uses http.client, in a thread, sees what was done."""
    async with LoopbackServer(tls=tls) as server, FaultProxy(server) as proxy:
        server.add("GET", "/", BODY)
        proxy.script(CUT, line.Drip(1000, 0, to="both"))
        context = server.client_context

        def fetch() -> bytes:
            if context is None:
                connection = http.client.HTTPConnection(proxy.host, proxy.port, timeout=30)
            else:
                connection = http.client.HTTPSConnection(proxy.host, proxy.port, timeout=30, context=context)
            try:
                connection.request("GET", "/")
                return connection.getresponse().read()
            finally:
                connection.close()

        with pytest.raises((http.client.IncompleteRead, OSError)):
            await asyncio.to_thread(fetch)
        assert await asyncio.to_thread(fetch) == BODY


# -- proxies behind it


async def _forwarding(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"CONNECT "):
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
    line_ = head.partition(b"\r\n")[0]
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(line_), line_))
    await reader.read()


async def _socks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readexactly(3)
    writer.write(b"\5\0")
    *_, length = await reader.readexactly(5)
    await reader.readexactly(length + 2)
    writer.write(b"\5\0\0\1" + bytes(6))
    await _forwarding(reader, writer)


@pytest.mark.parametrize("kind", ["http", "socks5h"])
async def test_behind_it_is_a_proxy(kind: str) -> None:
    """A proxy that the client uses may be behind it, of HTTP or of SOCKS: these are bytes as well."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy:
        server.raw(_socks if kind == "socks5h" else _forwarding)
        proxy.script(line.Drip(3, 0, to="both"), line.Cut())
        options: dict[str, Any] = {"proxy": f"{kind}://{proxy.netloc}", "retries": None, "trust_env": False}
        async with AsyncHTTPClient(**options) as client:
            asked = (await client.get("http://origin.example/a")).text
            assert asked.startswith("GET http://origin.example/a" if kind == "http" else "GET /a")
        async with AsyncHTTPClient(**options) as client:
            with pytest.raises((OSError, http.client.HTTPException)):
                await client.get("http://origin.example/a")
