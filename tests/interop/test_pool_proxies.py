"""The pool through proxies that nobody here wrote: tinyproxy (HTTP) and microsocks (SOCKS 5)."""

from __future__ import annotations

import hashlib
import json
import socket
import uuid
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import ConnectionPool, PoolLimits, Proxy, ProxyError, TunnelError
from aiohttpclient.pool import Drop
from tests.support.servers import HOST

from .conftest import CREDENTIALS, needs_microsocks, needs_tinyproxy
from .test_pool import CONTENT, EIGHT, busy, check_notes, fetch, post_once, share_out

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Server
    from tests.support.tls import TlsKit

WITH_CREDENTIALS = pytest.param(CREDENTIALS, id="authenticated")
"""The proxy that wants to know who it is."""

COUNT = 32
"""Requests of a test. Few: these proxies write without TCP_NODELAY, which makes 40 ms of many an answer."""


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port at which nobody listens, and nobody else will."""
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        yield nobody.getsockname()[1]


def shows_nothing(text: str, *secrets: str | None) -> bool:
    """Whether no part of credentials is in ``text``."""
    return not any(part in text for secret in secrets if secret for part in secret.split(":"))


async def ask(pool: ConnectionPool, origin: Server, number: int) -> tuple[str, int]:
    """Let the origin tell what it has seen; where the request came from."""
    response, body = await fetch(pool, "GET", f"{origin.url}/request?number={number}")
    seen = json.loads(body)
    assert (response.status, seen["path"], seen["query"]) == (200, "/request", f"number={number}")
    headers = dict(seen["headers"])
    assert headers["host"] == f"{origin.host}:{origin.port}"
    assert "proxy-authorization" not in headers
    return seen["client"][0], seen["client"][1]


async def check_reuse(pool: ConnectionPool, origin: Server) -> None:
    """Many requests, 32 at once, get their own answers over at most eight connections; the origin sees no more."""
    clients = set()

    async def work(number: int) -> None:
        if number % 2:
            clients.add(await ask(pool, origin, number))
        else:
            content = b"%d+" % number * number
            response, body = await fetch(pool, "POST", f"{origin.url}/echo", content)
            assert (response.status, body) == (200, content)

    await share_out(work, COUNT)
    stats = pool.stats()
    assert (busy(stats), stats.idle, stats.origins, dict(stats.dropped)) == (0, stats.opened, 1, {})
    assert len(clients) <= stats.opened <= 8
    assert stats.opened + stats.reused == COUNT


async def check_large(pool: ConnectionPool, origin: Server) -> None:
    """A megabyte goes out, and one comes in."""
    content = CONTENT[: 1 << 20]
    _, body = await fetch(pool, "POST", f"{origin.url}/digest", content)
    assert body.decode() == hashlib.sha256(content).hexdigest()
    assert len((await fetch(pool, "GET", f"{origin.url}/big?blocks=16"))[1]) == 1 << 20


@needs_tinyproxy
class TestTinyproxy:
    """An HTTP proxy, which forwards requests to http origins, and tunnels to the others."""

    async def test_forward(self, tinyproxy: Server, origin: Server) -> None:
        """It closes after each answer, and does not say so; what may be repeated is not lost, the rest is done once."""
        prefix = f"{uuid.uuid4()}-"
        done: set[str] = set()
        lost: set[str] = set()
        async with ConnectionPool(EIGHT, proxy=tinyproxy.proxy_url("http")) as pool:

            async def work(number: int) -> None:
                if number % 3 == 0:
                    await ask(pool, origin, number)
                elif number % 3 == 1:
                    content = b"%d+" % number * number
                    response, body = await fetch(pool, "PUT", f"{origin.url}/echo", content)
                    assert body == content
                    assert "tinyproxy" in response.headers["via"]
                else:
                    note = f"{prefix}{number}"
                    (done if await post_once(pool, origin, note) else lost).add(note)

            await share_out(work, COUNT)
            stats = pool.stats()
            assert busy(stats) == 0
            assert stats.opened + stats.reused - stats.retried == COUNT
            assert set(stats.dropped) <= {Drop.SERVER_CLOSED, Drop.FAILED}
            assert stats.dropped.get(Drop.FAILED, 0) == stats.retried + len(lost)
            await check_notes(pool, origin, prefix, done)
            assert len((await fetch(pool, "GET", f"{origin.url}/big?blocks=64"))[1]) == 1 << 22

    async def test_tunnel(self, tinyproxy: Server, tls_origin: Server, tls: TlsKit) -> None:
        """A tunnel is used again as a connection is."""
        proxy = tinyproxy.proxy_url("http")
        async with ConnectionPool(EIGHT, proxy=proxy, ssl_context=tls.client) as pool:
            await check_reuse(pool, tls_origin)
            await check_large(pool, tls_origin)

    async def test_resumption(self, tinyproxy: Server, tls_origin: Server, tls: TlsKit) -> None:
        """TLS with the origin is resumed through the proxy."""
        proxy = tinyproxy.proxy_url("http")
        async with ConnectionPool(proxy=proxy, ssl_context=tls.client) as pool:
            for _ in range(3):
                await fetch(pool, "GET", f"{tls_origin.url}/hello", None, {"Connection": "close"})
            stats = pool.stats()
        assert (stats.opened, stats.resumed) == (3, 2)

    async def test_lease(self, tinyproxy: Server, tls_origin: Server, tls: TlsKit) -> None:
        """A tunnel can be leased, for several exchanges."""
        proxy = tinyproxy.proxy_url("http")
        async with ConnectionPool(proxy=proxy, ssl_context=tls.client) as pool:
            async with pool.connection(tls_origin.url) as conn:
                for number in range(2):
                    await conn.request("POST", "/echo", b"%d" % number)
                    assert await (await conn.getresponse()).read() == b"%d" % number
            assert (await fetch(pool, "GET", f"{tls_origin.url}/hello"))[1] == b"hello, world"
            stats = pool.stats()
        assert (stats.opened, stats.reused, stats.idle) == (1, 1, 1)

    @pytest.mark.parametrize("tinyproxy", [WITH_CREDENTIALS], indirect=True)
    @pytest.mark.parametrize(("given", "status"), [(None, 407), ("alice:wrong", 401), ("eve:pass-word.1", 401)])
    async def test_forward_unauthorized(
        self, tinyproxy: Server, origin: Server, given: str | None, status: int
    ) -> None:
        """Its refusal of an http request is a response like any other (401 where credentials are wrong)."""
        proxy = f"http://{given + '@' if given else ''}{tinyproxy.host}:{tinyproxy.port}"
        async with ConnectionPool(proxy=proxy) as pool:
            for method in ("GET", "POST"):
                response, body = await fetch(pool, method, f"{origin.url}/echo")
                assert response.status == status
                assert any(name.lower().endswith("-authenticate") for name, _ in response.getheaders())
                assert body.startswith(b"<h1>")
            response = await pool.request("POST", f"{origin.url}/echo", b"x" * 1000)
            assert response.status == status
            await response.close()  # the page may be cut short: the proxy resets, since it has not read our body
            assert busy(pool.stats()) == 0

    @pytest.mark.parametrize("tinyproxy", [WITH_CREDENTIALS], indirect=True)
    @pytest.mark.parametrize(("given", "status"), [(None, 407), ("alice:wrong", 401), ("eve:pass-word.1", 401)])
    async def test_tunnel_unauthorized(
        self, tinyproxy: Server, tls_origin: Server, tls: TlsKit, given: str | None, status: int
    ) -> None:
        """Its refusal to open a tunnel is an error, which has its status and page, and not the credentials."""
        proxy = f"http://{given + '@' if given else ''}{tinyproxy.host}:{tinyproxy.port}"
        async with ConnectionPool(EIGHT, proxy=proxy, ssl_context=tls.client) as pool:

            async def work(number: int) -> None:
                with pytest.raises(TunnelError) as caught:
                    await pool.request("GET", f"{tls_origin.url}/hello")
                error = caught.value
                assert error.status == status
                assert error.body.startswith(b"<h1>")
                assert any(name.lower().endswith("-authenticate") for name, _ in error.headers)
                assert f"GET {tls_origin.url}/hello" in error.__notes__
                assert shows_nothing(f"{error!r} {error} {error.__notes__} {pool!r}", given)

            await share_out(work, 20, 20)
            stats = pool.stats()
        assert (busy(stats), stats.idle, stats.opened, dict(stats.dropped)) == (0, 0, 0, {Drop.NOT_OPENED: 20})

    async def test_unreachable(self, tinyproxy: Server, closed_port: int, tls: TlsKit) -> None:
        """An origin that it does not reach: 500 from the proxy where it forwards, else an error that has the same."""
        async with ConnectionPool(proxy=tinyproxy.proxy_url("http"), ssl_context=tls.client) as pool:
            response, body = await fetch(pool, "GET", f"http://{HOST}:{closed_port}/")
            assert (response.status, body[:4]) == (500, b"<h1>")
            with pytest.raises(TunnelError, match="500 Unable to connect") as caught:
                await pool.request("GET", f"https://{HOST}:{closed_port}/")
            assert caught.value.body == body
            assert busy(pool.stats()) == 0


@needs_microsocks
@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
class TestMicrosocks:
    """A SOCKS 5 proxy, which looks up names itself or is given addresses."""

    async def test_plain(self, microsocks: Server, scheme: str, origin: Server) -> None:
        """Connections through it are used again."""
        async with ConnectionPool(EIGHT, proxy=microsocks.proxy_url(scheme)) as pool:
            await check_reuse(pool, origin)
            await check_large(pool, origin)

    async def test_tls(self, microsocks: Server, scheme: str, tls_origin: Server, tls: TlsKit) -> None:
        """So are those with TLS, which is the origin's."""
        proxy = microsocks.proxy_url(scheme)
        async with ConnectionPool(EIGHT, proxy=proxy, ssl_context=tls.client) as pool:
            await check_reuse(pool, tls_origin)

    async def test_lease(self, microsocks: Server, scheme: str, origin: Server) -> None:
        """A connection through it can be leased, for several exchanges."""
        async with ConnectionPool(proxy=microsocks.proxy_url(scheme)) as pool:
            async with pool.connection(origin.url) as conn:
                for number in range(2):
                    await conn.request("POST", "/echo", b"%d" % number)
                    assert await (await conn.getresponse()).read() == b"%d" % number
            assert (await fetch(pool, "GET", f"{origin.url}/hello"))[1] == b"hello, world"
            stats = pool.stats()
        assert (stats.opened, stats.reused, stats.idle) == (1, 1, 1)

    @pytest.mark.parametrize("microsocks", [WITH_CREDENTIALS], indirect=True)
    @pytest.mark.parametrize("given", [None, "alice:wrong", "eve:pass-word.1"])
    async def test_unauthorized(self, microsocks: Server, scheme: str, origin: Server, given: str | None) -> None:
        """Its refusal is an error, which does not show the credentials, and leaves the pool as it was."""
        proxy = f"{scheme}://{given + '@' if given else ''}{microsocks.host}:{microsocks.port}"
        async with ConnectionPool(EIGHT, proxy=proxy) as pool:

            async def work(number: int) -> None:
                with pytest.raises(ProxyError) as caught:
                    await pool.request("GET", f"{origin.url}/hello")
                error = caught.value
                assert error.status is None
                assert f"GET {origin.url}/hello" in error.__notes__
                assert shows_nothing(f"{error!r} {error} {error.__notes__} {pool!r}", given)

            await share_out(work, 20, 20)
            stats = pool.stats()
        assert (busy(stats), stats.opened, dict(stats.dropped)) == (0, 0, {Drop.NOT_OPENED: 20})

    async def test_unreachable(self, microsocks: Server, scheme: str, closed_port: int) -> None:
        """An origin that it does not reach is an error that says why."""
        async with ConnectionPool(proxy=microsocks.proxy_url(scheme)) as pool:
            for method in ("GET", "POST"):
                with pytest.raises(ProxyError, match="Connection refused by destination host") as caught:
                    await pool.request(method, f"http://{HOST}:{closed_port}/")
                assert f"{method} http://{HOST}:{closed_port}/" in caught.value.__notes__
            assert busy(pool.stats()) == 0


@needs_tinyproxy
@needs_microsocks
@pytest.mark.parametrize("tinyproxy", [WITH_CREDENTIALS], indirect=True)
@pytest.mark.parametrize("microsocks", [WITH_CREDENTIALS], indirect=True)
async def test_proxy_of_each_origin(
    tinyproxy: Server, microsocks: Server, origin: Server, tls_origin: Server, tls: TlsKit
) -> None:
    """Each origin may have its own proxy, or none, in one pool; the events show no credentials."""
    asked: list[str] = []
    events: list[str] = []

    def choose(url: str) -> str | Proxy | None:
        asked.append(url)
        if url == tls_origin.url:
            return tinyproxy.proxy_url("http")
        return Proxy.parse(microsocks.proxy_url("socks5")) if url == origin.url else None

    elsewhere = f"http://localhost:{origin.port}"  # the same server by another name
    limits = PoolLimits(connections=6)
    async with ConnectionPool(
        limits, proxy=choose, ssl_context=tls.client, on_event=lambda event: events.append(str(event))
    ) as pool:

        async def work(number: int) -> None:
            base = (origin.url, tls_origin.url, elsewhere)[number % 3]
            response, body = await fetch(pool, "GET", f"{base}/say?text={number}-&times=5")
            assert (response.status, body) == (200, b"%d-" % number * 5)

        await share_out(work, 30, 12)
        stats = pool.stats()
    assert sorted(asked) == sorted({origin.url, tls_origin.url, elsewhere})
    assert busy(stats) == 0
    assert 0 < stats.idle <= 6
    assert shows_nothing(" ".join(events), ":".join(CREDENTIALS))
    assert any("through http://***@" in event for event in events)
    assert any("through socks5://***@" in event for event in events)
    assert any(event.startswith(f"{elsewhere} ") for event in events)
