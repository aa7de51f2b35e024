"""The twin of a pool: its settings, its events, its leases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import ConnectionPool, InvalidURL, PoolLimits, RemoteDisconnected, Timeout
from aiohttpclient.pool import EventKind
from aiohttpclient.testing import PASS, Reset, ServerResponse
from aiohttpclient.testing._twin import absolute
from aiohttpclient.wire import MessageLimits
from tests.testing.intercepting import URL_TEXT, Answers

if TYPE_CHECKING:
    from aiohttpclient.pool import PoolEvent
    from aiohttpclient.testing import InterceptedRequest


async def test_settings() -> None:
    """It has the bounds of the pool, and no proxy."""
    limits, timeout, messages = PoolLimits(connections=3), Timeout(7), MessageLimits(fields=9)
    pool = ConnectionPool(
        limits, timeout, proxy="http://127.0.0.1:9", message_limits=messages, expect_timeout=2.0, retry=False
    )
    async with Answers() as interceptor, pool:
        assert interceptor._site is not None
        twin = interceptor._site.twin_of(pool)
        assert twin.settings() == pool.settings()
        assert (twin.limits, twin.timeout, twin.retry) == (limits, timeout, False)
        assert twin.forwarded(URL_TEXT) is pool.forwarded(URL_TEXT) is None
        assert pool.tunnelled("https://example.org/") is None
        assert pool.has_room(URL_TEXT)
    async with pool.__class__(proxy="http://127.0.0.1:9") as other:
        assert other.forwarded(URL_TEXT) is not None


async def test_retry() -> None:
    """It sends again what the pool would: a GET over a connection that died before the answer, if ``retry`` says so."""

    def answer(request: InterceptedRequest) -> object:
        return Reset(b"", after=0) if len(interceptor.requests) == 2 else b"ok"

    for retry in (True, False):
        async with Answers(answer) as interceptor, ConnectionPool(retry=retry) as pool:
            await (await pool.request("GET", URL_TEXT)).read()
            if retry:
                assert await (await pool.request("GET", URL_TEXT)).read() == b"ok"
            else:
                with pytest.raises(RemoteDisconnected):
                    await pool.request("GET", URL_TEXT)
            assert len(interceptor.requests) == 2 + retry


async def test_events() -> None:
    """Whoever listens to the pool hears what its twin does."""
    events: list[PoolEvent] = []
    async with Answers(), ConnectionPool(on_event=events.append) as pool:
        for _ in range(2):
            await (await pool.request("GET", URL_TEXT)).read()
    async with Answers():
        pass
    kinds = [event.kind for event in events]
    assert kinds.count(EventKind.CLOSED) == 1
    assert kinds[:2] == [EventKind.CONNECTING, EventKind.CONNECTED]
    assert EventKind.OPENED in kinds
    assert EventKind.REUSED in kinds


async def test_leases_end() -> None:
    """A connection that was leased is an ordinary one again after the lease."""
    async with Answers() as interceptor, ConnectionPool() as pool:
        for _ in range(2):
            async with pool.connection(URL_TEXT) as conn:
                for _ in range(2):
                    await conn.request("GET", "/")
                    await (await conn.getresponse()).read()
            await (await pool.request("GET", URL_TEXT)).read()
        assert len({request.connection for request in interceptor.requests}) == 1


async def test_a_lease_opens_again() -> None:
    """A lease whose connection was closed by the answer goes on over another one."""

    def answer(request: InterceptedRequest) -> object:
        return PASS if request.path == "/pass" else ServerResponse(headers={"Connection": "close"})

    async with Answers(b"below"), Answers(answer), ConnectionPool() as pool:
        async with pool.connection(URL_TEXT) as conn:
            await conn.request("GET", "/")
            await (await conn.getresponse()).read()
            await conn.request("GET", "/pass")
            assert await (await conn.getresponse()).read() == b"below"


@pytest.mark.parametrize("url", ["example.org", "ftp://example.org/", "", 7])
async def test_bad_urls(url: Any) -> None:
    """What is no URL is refused as ever."""
    async with Answers() as interceptor, ConnectionPool() as pool:
        with pytest.raises((InvalidURL, TypeError)):
            await pool.request("GET", url)
        with pytest.raises((InvalidURL, TypeError)):
            pool.connection(url)
        assert not interceptor.requests


def test_absolute() -> None:
    """A URL is taken as it is."""
    assert str(absolute("http://example.org/a%2Fb%7E?x=%41+y")) == "http://example.org/a%2Fb%7E?x=%41+y"
