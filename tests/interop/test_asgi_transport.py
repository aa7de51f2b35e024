"""An application in an ASGITransport is told, and its client gets, what uvicorn tells and gives over a socket."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, HTTPException
from aiohttpclient.testing import ASGITransport
from tests.interop.asgi_app import REQUESTS, SCRIPTS, app
from tests.support import servers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.servers import Server

ROOT_PATH = "/root"

THEIRS = {"date", "server", "transfer-encoding"}
"""Headers that servers add as they like."""

BROKEN = {"/bug", "/silent", "/no-start", "/unknown"}
"""Paths that are answered with 500, whose length is told or not."""

CUT = {"/late", "/late-chunk", "/unfinished", "/short", "/long", "/twice", "/behind", "/after"}
"""Paths whose answers break off, or that break something behind them."""

PARSERS = ("h11", "httptools")


@pytest.fixture(scope="module", params=PARSERS)
def origin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """uvicorn, with each of its parsers."""
    folder = tmp_path_factory.mktemp(request.param)
    options = ("--lifespan", "on", "--root-path", ROOT_PATH, "--log-level", "critical")
    with servers.uvicorn("tests.interop.asgi_app:app", folder, http=request.param, options=options) as server:
        yield server


async def outcome(client: AsyncHTTPClient, method: str, path: str, options: dict[str, Any]) -> Any:
    """What a client gets: the whole answer, or the name of an error."""
    try:
        response = await client.request(method, path, **options)
    except HTTPException as error:
        return type(error).__name__
    left_out = THEIRS | ({"content-length"} if path in BROKEN else set())
    headers = [(name.lower(), value) for name, value in response.headers.items() if name.lower() not in left_out]
    content: Any = response.json() if path.startswith("/told") else response.content
    if "multipart" in str(content):
        content["body"] = "its boundary is a random number"
        content["headers"] = [[name, re.sub("boundary=.*", "", value)] for name, value in content["headers"]]
    return response.status, response.reason, sorted(headers), content


@pytest.mark.parametrize(
    ("method", "path", "options"),
    REQUESTS,
    ids=[f"{number}-{method}" for number, (method, _, _) in enumerate(REQUESTS)],
)
async def test_as_uvicorn(origin: Server, method: str, path: str, options: dict[str, Any]) -> None:
    """Each request has the same outcome, in memory and over a socket; also the one behind it."""
    usual: dict[str, Any] = {"base_url": origin.url, "retries": None, "trust_env": False}
    async with AsyncHTTPClient(**usual) as client:
        theirs = [await outcome(client, method, path, options) for _ in range(2)]
    transport = ASGITransport(app, root_path=ROOT_PATH, raise_app_exceptions=False)
    async with transport, AsyncHTTPClient(transport=transport, **usual) as client:
        ours = [await outcome(client, method, path, options) for _ in range(2)]
    assert ours == theirs


async def test_what_fails() -> None:
    """What uvicorn writes into its log is a failure here, each time."""
    failed = []
    for path in SCRIPTS:
        transport = ASGITransport(app)
        async with transport, AsyncHTTPClient(transport=transport, retries=None) as client:
            await outcome(client, "GET", f"http://a.test{path}", {})
            await transport._work.finish()
            failed += [path] * len(transport.failures)
            transport.failures.clear()
    assert failed == [path for path in SCRIPTS if path in BROKEN | CUT]
