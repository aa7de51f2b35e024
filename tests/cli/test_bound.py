"""Credentials that go to a few origins only."""

from __future__ import annotations

import pytest

from aiohttpclient import AsyncHTTPClient, BasicAuth
from aiohttpclient.cli._bound import Bound, cookies_for, origins_of
from aiohttpclient.testing import LoopbackServer, ServerRequest


def test_origins() -> None:
    """An origin is scheme, host and port; who is asked by http may be asked by https as well, but not the reverse."""
    assert origins_of(["http://H/a", "https://i", "http://j:8080/"]) == {
        ("http", "h", 80),
        ("https", "h", 443),
        ("https", "i", 443),
        ("http", "j", 8080),
    }


@pytest.mark.parametrize("same", [True, False])
async def test_fields(same: bool) -> None:
    """Fields that look like credentials, auth and cookies go to the origin that they are for, and others everywhere."""
    async with LoopbackServer() as server:
        server.route("/")(lambda request: b"")
        origins = origins_of([server.url if same else "http://127.0.0.1:1/"])
        client = AsyncHTTPClient(
            headers={"X-Api-Key": "secret", "X-Plain": "seen"},
            auth=BasicAuth("me", "secret"),
            cookies=cookies_for(origins if same else {("http", "localhost", 1)}, [("a", "secret")]),
            middlewares=[Bound(origins)],
        )
        async with client:
            await client.get(f"{server.url}/")
        (asked,) = server.requests
        assert asked.headers["X-Plain"] == "seen"
        assert {name for name in ("X-Api-Key", "Authorization", "Cookie") if name in asked.headers} == (
            {"X-Api-Key", "Authorization", "Cookie"} if same else set()
        )


async def test_what_is_shared_is_not_changed() -> None:
    """Credentials that one request must not have are there in the next."""
    async with LoopbackServer() as server, LoopbackServer() as other:
        seen: list[str | None] = []

        @server.route("/")
        @other.route("/")
        async def page(request: ServerRequest) -> bytes:
            seen.append(request.headers.get("X-Token"))
            return b""

        async with AsyncHTTPClient(headers={"X-Token": "t"}, middlewares=[Bound(origins_of([server.url]))]) as client:
            for url in (server.url, other.url, server.url):
                await client.get(f"{url}/")
        assert seen == ["t", None, "t"]
