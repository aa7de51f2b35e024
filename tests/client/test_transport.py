"""``client/_transport.py``: whose pool it is, and what is said to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, ConnectionPool, Timeout
from aiohttpclient.client._transport import pool_for
from aiohttpclient.net import TCPDialer, UnixDialer
from aiohttpclient.pool import PoolLimits
from tests.pool.servers import refusing_port, serving
from tests.support.server import raw_server, reply, script_once

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttpclient.pool import PoolEvent


def made(**options: Any) -> tuple[ConnectionPool, bool]:
    """What comes of ``options``, and otherwise of the defaults."""
    usual: dict[str, Any] = dict.fromkeys(("ssl_context", "proxy_ssl_context", "proxy", "proxy_auth", "on_event"))
    return pool_for(
        **{"transport": None, "limits": PoolLimits(), "timeout": Timeout(), "trust_env": False, **usual, **options}
    )


async def test_own_pool() -> None:
    """A client has a pool of its own, with its limits, bounds and listener, and warns in its place."""
    limits, timeout = PoolLimits(connections=3), Timeout(7)
    told: list[PoolEvent] = []
    pool, own = made(limits=limits, timeout=timeout, on_event=told.append)
    async with pool:
        assert (own, pool.limits, pool.timeout, pool.warns) == (True, limits, timeout, False)
    assert len(told) == 1


async def test_given_pool() -> None:
    """A pool that is given is used as it is, and who has it says what concerns it."""
    async with ConnectionPool() as pool:
        assert made(transport=pool) == (pool, False)
        assert pool.warns
        with pytest.raises(ValueError, match="proxy_auth is for the client's own pool"):
            AsyncHTTPClient(transport=pool, proxy_auth=("user", "password"))


# -- proxies of the environment


@pytest.fixture
def in_an_office(monkeypatch: pytest.MonkeyPatch) -> str:
    """The environment names a proxy for everything, with a password."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "no_proxy", "NO_PROXY", "REQUEST_METHOD", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    url = f"http://user:s3cret@127.0.0.1:{refusing_port()}"
    monkeypatch.setenv("http_proxy", url)
    return url


async def test_unix_sockets_are_no_proxies(tmp_path: Path, in_an_office: str) -> None:
    """What listens on a Unix socket is asked as the origin that it is, and hears nothing of the environment's proxy."""
    async with raw_server(script_once(reply(b"ok")), path=tmp_path / "socket") as server:
        assert server.path is not None
        async with AsyncHTTPClient(transport=UnixDialer(server.path)) as client:
            assert (await client.get("http://docker/v1/info")).content == b"ok"
        assert server.raw.startswith(b"GET /v1/info HTTP/1.1\r\nHost: docker\r\n")
        assert b"proxy" not in server.raw.lower()


async def test_dialers_lead_to_origins(in_an_office: str) -> None:
    """Whoever says how connections are made says where they lead: the environment's proxy is not between."""
    async with serving() as (server, site):
        async with AsyncHTTPClient(transport=TCPDialer(), retries=None) as client:
            assert (await client.get(f"{server.url}/x")).content == b"/x"
            assert site.targets == ["/x"]
        async with AsyncHTTPClient(retries=None) as client:
            with pytest.raises(ConnectionRefusedError):
                await client.get(f"{server.url}/x")


async def test_dialers_lead_to_proxies_that_are_named(in_an_office: str) -> None:
    """A proxy that the caller names is asked, over the connections that the dialer makes."""
    async with serving() as (server, site), AsyncHTTPClient(transport=TCPDialer(), proxy=server.url) as client:
        await client.get("http://origin.test/x")
        assert site.targets == ["http://origin.test/x"]


async def test_the_rest_of_the_environment(in_an_office: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates of the environment count whatever makes the connections."""
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such/file")
    with pytest.raises(FileNotFoundError, match="SSL_CERT_FILE"):
        AsyncHTTPClient(transport=TCPDialer())


async def test_networks_with_ports_without_a_proxy(in_an_office: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ``no_proxy`` lists as a network with a port is asked directly at that port, and only there."""
    async with serving() as (server, site):
        for port, direct in ((server.port, True), (server.port + 1, False)):
            monkeypatch.setenv("no_proxy", f"127.0.0.0/8:{port}")
            async with AsyncHTTPClient(retries=None) as client:
                if direct:
                    assert (await client.get(f"{server.url}/x")).content == b"/x"
                else:
                    with pytest.raises(ConnectionRefusedError):
                        await client.get(f"{server.url}/x")
        assert site.targets == ["/x"]
