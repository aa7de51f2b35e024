"""Through proxies that nobody here wrote: tinyproxy (HTTP) and microsocks (SOCKS 5)."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPSConnection, ProxyError, TunnelError
from aiohttpclient.net import Resolver, SocksDialer, TCPDialer, start_tls
from aiohttpclient.pool._proxy import Proxy
from tests.support.servers import HOST

from .conftest import CREDENTIALS, needs_microsocks, needs_tinyproxy
from .test_servers import fetch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiohttpclient.net import Dialer, SocksKind
    from tests.support.servers import Server
    from tests.support.tls import TlsKit

CONTENT = os.urandom(1 << 16) * 32
"""2 MiB: more than what the buffers on the way hold."""


@pytest.fixture
def resolver() -> Iterator[Resolver]:
    resolver = Resolver()
    yield resolver
    resolver.close()


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, and nobody else will."""
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        yield nobody.getsockname()[1]


def through(proxy: Proxy, resolver: Resolver) -> SocksDialer:
    """The dialer through a SOCKS proxy."""
    kind = cast("SocksKind", proxy.scheme)
    credentials = proxy.username, proxy.password
    return SocksDialer(TCPDialer(resolver), kind, proxy.host, proxy.port, *credentials, resolver)


def connect(
    origin: Server, proxy: Proxy, resolver: Resolver, tls: TlsKit, dialer: Dialer | None = None
) -> AsyncHTTPConnection:
    """A connection to ``origin`` through a SOCKS proxy, or a tunnel of an HTTP proxy that ``dialer`` reaches."""
    options: dict[str, Any] = {"dialer": dialer}
    host, port = proxy.host, proxy.port
    if proxy.scheme.startswith("socks"):
        options["dialer"] = through(proxy, resolver)
        host, port = origin.host, origin.port
    if origin.tls:
        conn: AsyncHTTPConnection = AsyncHTTPSConnection(host, port, context=tls.client, **options)
    else:
        conn = AsyncHTTPConnection(host, port, **options)
    if not proxy.scheme.startswith("socks"):
        authorization = proxy.authorization
        conn.set_tunnel(origin.host, origin.port, {"Proxy-Authorization": authorization} if authorization else None)
    return conn


async def exercise(conn: AsyncHTTPConnection) -> tuple[str, int]:
    """Do what is done on a connection, several times over the same; the address from which the origin was reached.

    Through a proxy that is the proxy's. Our own is what the connection has.
    """
    clients: set[tuple[str, int]] = set()
    for _ in range(3):
        _, body = await fetch(conn, "GET", "/request")
        seen = json.loads(body)
        clients.add(tuple(seen["client"]))
        assert "proxy-authorization" not in dict(seen["headers"])
        response, body = await fetch(conn, "POST", "/echo", CONTENT)
        assert (response.status, body) == (200, CONTENT)
        _, body = await fetch(conn, "GET", "/chunked?blocks=8")
        assert len(body) == 8 << 16
        assert (await fetch(conn, "HEAD", "/hello"))[1] == b""
    (client,) = clients
    return client


def own_address(conn: AsyncHTTPConnection) -> Any:
    """The address of this end of ``conn``."""
    assert conn._stream is not None
    return conn._stream.transport.get_extra_info("sockname")


@needs_tinyproxy
class TestTinyproxy:
    """An HTTP proxy, by CONNECT and by forwarding."""

    async def test_tunnel(self, tinyproxy: Server, origin: Server, resolver: Resolver, tls: TlsKit) -> None:
        """Requests go through a tunnel, one after another; the origin sees nothing of the proxy's credentials."""
        async with connect(origin, Proxy.parse(tinyproxy.proxy_url("http")), resolver, tls) as conn:
            assert await exercise(conn) != own_address(conn)
            headers = conn.get_proxy_response_headers()
            assert headers is not None
            assert "tinyproxy" in headers["proxy-agent"]

    async def test_tls(self, tinyproxy: Server, tls_origin: Server, resolver: Resolver, tls: TlsKit) -> None:
        """The same over TLS, which is the origin's."""
        async with connect(tls_origin, Proxy.parse(tinyproxy.proxy_url("http")), resolver, tls) as conn:
            assert await exercise(conn) != own_address(conn)

    async def test_forward(self, tinyproxy: Server, origin: Server) -> None:
        """A request whose target is the whole URL is forwarded; the credentials stay with the proxy."""
        proxy = Proxy.parse(tinyproxy.proxy_url("http"))
        headers = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
        # This proxy closes after each answer and does not say so: what is asked at once on the same connection is lost.
        async with AsyncHTTPConnection(proxy.host, proxy.port) as conn:
            response, body = await fetch(conn, "GET", f"{origin.url}/request?a=b", None, headers)
            assert response.status == 200
            assert "tinyproxy" in (response.getheader("via") or "")
            seen = json.loads(body)
            assert (seen["path"], seen["query"]) == ("/request", "a=b")
            assert dict(seen["headers"])["host"] == f"{origin.host}:{origin.port}"
            assert "proxy-authorization" not in dict(seen["headers"])
        async with AsyncHTTPConnection(proxy.host, proxy.port) as conn:
            response, body = await fetch(conn, "POST", f"{origin.url}/echo", CONTENT, headers)
            assert (response.status, body) == (200, CONTENT)

    @pytest.mark.parametrize("tinyproxy", [CREDENTIALS], ids=["authenticated"], indirect=True)
    @pytest.mark.parametrize("given", [None, "alice:wrong"])
    async def test_unauthorized(
        self, tinyproxy: Server, origin: Server, resolver: Resolver, tls: TlsKit, given: str | None
    ) -> None:
        """A proxy that wants other credentials refuses, with its page in the error."""
        proxy = Proxy.parse(f"http://{given + '@' if given else ''}{tinyproxy.host}:{tinyproxy.port}")
        async with connect(origin, proxy, resolver, tls) as conn:
            with pytest.raises(TunnelError) as caught:
                await conn.request("GET", "/hello")
            assert not conn.connected
        error = caught.value
        assert error.status == (401 if given else 407)  # this proxy makes a difference
        assert "authenticate" in "".join(name for name, _ in error.headers).lower()
        assert error.body.startswith(b"<h1>")
        assert b"auth" in error.body

    async def test_unreachable(
        self, tinyproxy: Server, closed_port: int, resolver: Resolver, tls: TlsKit, origin: Server
    ) -> None:
        """A proxy that cannot reach the origin says so, and why in its page."""
        nowhere = type(origin)("nowhere", closed_port, origin.folder)
        proxy = Proxy.parse(tinyproxy.proxy_url("http"))
        async with connect(nowhere, proxy, resolver, tls) as conn:
            with pytest.raises(TunnelError, match="500 Unable to connect") as caught:
                await conn.connect()
        assert caught.value.body.startswith(b"<h1>Unable to connect</h1>")


@needs_microsocks
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
class TestMicrosocks:
    """A SOCKS 5 proxy, which looks up names itself or is given addresses."""

    async def test_plain(
        self, microsocks: Server, scheme: str, origin: Server, resolver: Resolver, tls: TlsKit
    ) -> None:
        """Requests go through it, one after another on one connection."""
        async with connect(origin, Proxy.parse(microsocks.proxy_url(scheme)), resolver, tls) as conn:
            assert await exercise(conn) != own_address(conn)

    async def test_tls(
        self, microsocks: Server, scheme: str, tls_origin: Server, resolver: Resolver, tls: TlsKit
    ) -> None:
        """The same over TLS, which is the origin's."""
        async with connect(tls_origin, Proxy.parse(microsocks.proxy_url(scheme)), resolver, tls) as conn:
            assert await exercise(conn) != own_address(conn)

    async def test_by_name(
        self, microsocks: Server, scheme: str, tls_origin: Server, resolver: Resolver, tls: TlsKit
    ) -> None:
        """A name is looked up by whom the scheme says, and the certificate is verified by it."""
        first = socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)[0][4][0]
        if scheme == "socks5h" and first != HOST:
            pytest.skip("this proxy tries the first address only, which is another")
        socks = through(Proxy.parse(microsocks.proxy_url(scheme)), resolver)
        stream = await start_tls(await socks.dial("localhost", tls_origin.port), tls.client, "localhost")
        certificate = stream.transport.get_extra_info("peercert")
        assert ("DNS", "localhost") in certificate["subjectAltName"]
        await stream.close(1)

    @pytest.mark.parametrize("microsocks", [CREDENTIALS], ids=["authenticated"], indirect=True)
    @pytest.mark.parametrize("given", [None, "alice:wrong", "eve:pass-word.1"])
    async def test_unauthorized(
        self, microsocks: Server, scheme: str, origin: Server, resolver: Resolver, given: str | None
    ) -> None:
        """A proxy that wants other credentials refuses, and the error does not show what it was given."""
        url = f"{scheme}://{given + '@' if given else ''}{microsocks.host}:{microsocks.port}"
        socks = through(Proxy.parse(url), resolver)
        with pytest.raises(ProxyError) as caught:
            await socks.dial(origin.host, origin.port)
        assert caught.value.status is None
        assert not any(secret in str(caught.value) for secret in (given or "").split(":") if secret)

    async def test_unreachable(self, microsocks: Server, scheme: str, closed_port: int, resolver: Resolver) -> None:
        """A proxy that cannot reach the origin says why."""
        with pytest.raises(ProxyError, match="Connection refused by destination host"):
            await through(Proxy.parse(microsocks.proxy_url(scheme)), resolver).dial(HOST, closed_port)

    async def test_many(self, microsocks: Server, scheme: str, origin: Server, resolver: Resolver, tls: TlsKit) -> None:
        """Twenty connections side by side, every second one cancelled on its way, leave nothing behind."""
        proxy = Proxy.parse(microsocks.proxy_url(scheme))

        async def work() -> bytes:
            async with connect(origin, proxy, resolver, tls) as conn:
                return (await fetch(conn, "GET", "/hello"))[1]

        tasks = [asyncio.create_task(work()) for _ in range(20)]
        for turn, task in enumerate(tasks[::2]):
            for _ in range(turn):
                await asyncio.sleep(0)
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert results[1::2] == [b"hello, world"] * 10
        assert all(isinstance(result, (asyncio.CancelledError, bytes)) for result in results)


@needs_tinyproxy
@needs_microsocks
async def test_proxy_behind_a_proxy(
    microsocks: Server, tinyproxy: Server, tls_origin: Server, resolver: Resolver, tls: TlsKit
) -> None:
    """The way to an HTTP proxy may lead through a SOCKS proxy."""
    way = through(Proxy.parse(microsocks.proxy_url("socks5h")), resolver)
    async with connect(tls_origin, Proxy.parse(tinyproxy.proxy_url("http")), resolver, tls, way) as conn:
        assert await exercise(conn) != own_address(conn)
