"""Programs with other clients are tested with the loopback server, too."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import Drip, LoopbackServer
from tests.testing.serving import SCHEMES

if TYPE_CHECKING:
    import ssl
    from pathlib import Path

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))


async def _curl(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "curl", "-sS", *arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    said, _ = await process.communicate()
    return said.decode()


def _echo(server: LoopbackServer) -> None:
    server.route("/{rest:path}")(lambda request: {"method": request.method, "size": len(request.body)})


@both
async def test_httpx(tls: bool) -> None:
    """A program that uses httpx can be tested with it."""
    httpx = pytest.importorskip("httpx")
    async with LoopbackServer(tls=tls) as server:
        _echo(server)
        server.add("GET", "/drip", Drip("slow", pause=0))
        async with httpx.AsyncClient(verify=server.client_context or True, trust_env=False) as client:
            for size in (0, 200_000):
                response = await client.post(f"{server.url}/x", content=b"x" * size)
                assert response.json() == {"method": "POST", "size": size}
            assert (await client.get(f"{server.url}/drip")).text == "slow"


@both
async def test_aiohttp(tls: bool) -> None:
    """A program that uses aiohttp can be tested with it."""
    aiohttp = pytest.importorskip("aiohttp")
    async with LoopbackServer(tls=tls) as server:
        _echo(server)
        async with aiohttp.ClientSession() as session:
            for size in (0, 200_000):
                async with session.post(
                    f"{server.url}/x", data=b"x" * size, ssl=server.client_context or True
                ) as response:
                    assert await response.json() == {"method": "POST", "size": size}


@both
async def test_http_client(tls: bool) -> None:
    """A program that uses http.client, in a thread, can be tested with it."""

    def ask(host: str, port: int, context: ssl.SSLContext | None) -> list[bytes]:
        conn = http.client.HTTPConnection(host, port, timeout=30)
        if context is not None:
            conn = http.client.HTTPSConnection(host, port, timeout=30, context=context)
        bodies = []
        for size in (0, 200_000):
            conn.request("POST", "/x", b"x" * size)
            bodies.append(conn.getresponse().read())
        conn.close()
        return bodies

    async with LoopbackServer(tls=tls) as server:
        _echo(server)
        bodies = await asyncio.to_thread(ask, server.host, server.port, server.client_context)
        assert bodies == [b'{"method": "POST", "size": 0}', b'{"method": "POST", "size": 200000}']
        assert len(server.connections) == 1


@pytest.mark.skipif(which("curl") is None, reason="curl is not installed")
@both
async def test_curl(tls: bool, tmp_path: Path) -> None:
    """A script that calls curl can be tested with it: with large bodies, certificates in a file, and HTTP/1.0."""
    (tmp_path / "authority.pem").write_bytes(LoopbackServer().authority_pem)
    (tmp_path / "body").write_bytes(b"x" * 2_000_000)
    async with LoopbackServer(tls=tls) as server:
        _echo(server)
        options = ["--cacert", str(tmp_path / "authority.pem"), "--noproxy", "*", "--http1.1"]
        upload = ["-H", "Expect: 100-continue", "--data-binary", f"@{tmp_path / 'body'}"]
        assert await _curl(*options, *upload, f"{server.url}/x") == '{"method": "POST", "size": 2000000}'
        assert await _curl(*options, "-0", f"{server.url}/x") == '{"method": "GET", "size": 0}'
        assert "Content-Length: 29" in await _curl(*options, "-I", f"{server.url}/x")
        assert [request.http_version for request in server.requests] == ["1.1", "1.0", "1.1"]
