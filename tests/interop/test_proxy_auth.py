"""``proxy_auth`` with proxies that nobody here wrote: Squid, which wants Digest, and tinyproxy, which wants Basic."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, DigestAuth, PoolLimits, TunnelError
from aiohttpclient.pool import EventKind

from .conftest import CREDENTIALS, needs_squid, needs_tinyproxy
from .test_pool import share_out
from .test_pool_proxies import WITH_CREDENTIALS, shows_nothing

if TYPE_CHECKING:
    from tests.support.servers import Server
    from tests.support.tls import TlsKit

NEEDED = [pytest.param("squid", marks=needs_squid), pytest.param("strict", marks=needs_squid)]
"""Squid as it comes, and as it is when it wants the numbers of a nonce without a gap."""


def client_of(proxy: Server, auth: Any, tls: TlsKit, **options: Any) -> AsyncHTTPClient:
    """A client of ``proxy``, to which it is ``auth``."""
    return AsyncHTTPClient(
        proxy=f"http://{proxy.host}:{proxy.port}",
        proxy_auth=auth,
        trust_env=False,
        ssl_context=tls.client,
        retries=None,
        **options,
    )


async def check_both_ways(client: AsyncHTTPClient, origin: Server, tls_origin: Server) -> None:
    """Forwarded and through a tunnel, requests with and without a body arrive, and no credentials with them."""
    for server in (origin, tls_origin):
        for _ in range(2):
            seen = (await client.get(f"{server.url}/request?a=b%22c")).raise_for_status().json()
            assert (seen["path"], seen["query"]) == ("/request", "a=b%22c")
            assert not {"authorization", "proxy-authorization"} & set(dict(seen["headers"]))
            assert (await client.post(f"{server.url}/echo", content=b"x" * 1000)).content == b"x" * 1000


@pytest.mark.parametrize("squid", NEEDED, indirect=True)
async def test_digest(squid: Server, origin: Server, tls_origin: Server, tls: TlsKit) -> None:
    """Squid asks once, and then lets everything pass."""
    events: list[Any] = []
    async with client_of(squid, DigestAuth(*CREDENTIALS), tls, on_event=events.append) as client:
        await check_both_ways(client, origin, tls_origin)
        stats = client.pool.stats()
    assert sum("407" in str(event) for event in events) == 1
    assert stats.opened <= 3
    assert shows_nothing(" ".join(map(str, events)), ":".join(CREDENTIALS))


@pytest.mark.parametrize("squid", NEEDED, indirect=True)
async def test_tunnel_that_is_asked_for(squid: Server, tls_origin: Server, tls: TlsKit) -> None:
    """The refusal of a CONNECT, and the answer to it, are on one connection."""
    opened: list[Any] = []
    async with client_of(squid, DigestAuth(*CREDENTIALS), tls, on_event=opened.append) as client:
        assert (await client.get(f"{tls_origin.url}/hello")).content == b"hello, world"
    assert [event.kind for event in opened if event.kind is EventKind.OPENED] == [EventKind.OPENED]


@pytest.mark.parametrize("squid", NEEDED, indirect=True)
async def test_digest_of_many_at_once(squid: Server, origin: Server, tls_origin: Server, tls: TlsKit) -> None:
    """Requests at the same time all get through, though their numbers arrive in another order than they were made."""
    limits = PoolLimits(connections=20)
    async with client_of(squid, DigestAuth(*CREDENTIALS), tls, limits=limits) as client:

        async def work(number: int) -> None:
            base = tls_origin.url if number % 5 == 0 else origin.url
            headers = {"Connection": "close"} if number % 3 == 0 else {}
            response = await client.get(f"{base}/say?text={number}-&times=5", headers=headers)
            assert (response.status, response.content) == (200, b"%d-" % number * 5)

        await share_out(work, 200, 20)


@pytest.mark.parametrize("squid", NEEDED, indirect=True)
@pytest.mark.parametrize("given", [(CREDENTIALS[0], "wrong"), ("eve", CREDENTIALS[1])], ids=["password", "user"])
async def test_wrong_digest(
    squid: Server, given: tuple[str, str], origin: Server, tls_origin: Server, tls: TlsKit
) -> None:
    """Squid's refusal is the answer where it forwards, and an error where there is no tunnel; nothing is shown."""
    async with client_of(squid, DigestAuth(*given), tls) as client:
        response = await client.get(f"{origin.url}/hello")
        assert response.status == 407
        with pytest.raises(TunnelError) as caught:
            await client.get(f"{tls_origin.url}/hello")
        assert caught.value.status == 407
        assert shows_nothing(f"{caught.value!r} {caught.value} {caught.value.__notes__} {client!r}", given[1])


@needs_tinyproxy
@pytest.mark.parametrize("tinyproxy", [WITH_CREDENTIALS], indirect=True)
async def test_basic(tinyproxy: Server, origin: Server, tls_origin: Server, tls: TlsKit) -> None:
    """Tinyproxy is told at once, and lets everything pass."""
    async with client_of(tinyproxy, CREDENTIALS, tls) as client:
        for server in (origin, tls_origin):
            seen = json.loads((await client.get(f"{server.url}/request")).raise_for_status().content)
            assert not {"authorization", "proxy-authorization"} & set(dict(seen["headers"]))


@needs_tinyproxy
@pytest.mark.parametrize("tinyproxy", [WITH_CREDENTIALS], indirect=True)
async def test_digest_where_basic_is_wanted(tinyproxy: Server, origin: Server, tls_origin: Server, tls: TlsKit) -> None:
    """A password for Digest is not given away to a proxy that wants Basic."""
    async with client_of(tinyproxy, DigestAuth(*CREDENTIALS), tls) as client:
        assert (await client.get(f"{origin.url}/hello")).status == 407
        with pytest.raises(TunnelError, match="407"):
            await client.get(f"{tls_origin.url}/hello")
