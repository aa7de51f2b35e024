"""``client/_api.py``: one request and nothing more."""

from __future__ import annotations

import asyncio
import inspect
import socket
from typing import TYPE_CHECKING, Any

import pytest

import aiohttpclient
from aiohttpclient import AsyncHTTPClient, InvalidURL, Response, StatusError
from aiohttpclient.client import _api
from aiohttpclient.client._verbs import Verbs
from tests.client.clients import fields_of
from tests.client.test_client import every_loop
from tests.net.streams import until
from tests.pool.servers import serving
from tests.scenarios.pools import strangers
from tests.scenarios.test_loops import Threads
from tests.support.leaks import open_descriptors
from tests.support.server import reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.server import Peer

VERBS = ("get", "head", "options", "delete", "post", "put", "patch")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what a test sets is in the environment; certificates of one's own take time to load."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme.upper()}_PROXY", raising=False)


@pytest.fixture
def threads() -> Iterator[Threads]:
    """A server that needs no loop."""
    server = Threads()
    yield server
    server.close()


@pytest.mark.parametrize("verb", VERBS)
async def test_verbs(verb: str) -> None:
    """Each function sends one request of its method, with all options that a client has, and closes its connection."""
    async with serving({"/x?a=1": b"HTTP/1.1 204 No Content\r\n\r\n"}) as (server, site):
        response = await getattr(aiohttpclient, verb)(
            f"{server.url}/x#here", params={"a": 1}, headers={"X-A": "1"}, auth=("u", "p"), timeout=30
        )
        assert isinstance(response, Response)
        assert (response.status, response.method, str(response.url)) == (204, verb.upper(), f"{server.url}/x?a=1#here")
        (asked,) = site.asked
        fields = fields_of(asked.head)
        assert (asked.method, fields["X-A"], fields["Authorization"]) == (verb.upper(), "1", "Basic dTpw")
        await server.wait_closed()


async def test_request() -> None:
    """Any method can be asked for, with a body."""
    async with serving() as (server, site):
        response = await aiohttpclient.request("QUERY", f"{server.url}/x", json=[1])
        assert response.content == b"/x"
        assert (site.asked[0].method, site.asked[0].body) == ("QUERY", b"[1]")


async def test_redirects_cookies_and_codings() -> None:
    """One request is all that a client makes of it."""
    pages: Any = {"/1": reply(b"", "Location: /2", "Set-Cookie: a=1", status="302 Found")}
    async with serving(pages) as (server, site):
        response = await aiohttpclient.get(f"{server.url}/1")
        assert (response.content, len(response.history)) == (b"/2", 1)
        assert fields_of(site.asked[1].head)["Cookie"] == "a=1"
        assert server.connections == 1
        await aiohttpclient.get(f"{server.url}/3")
        assert "Cookie" not in fields_of(site.asked[2].head)
        assert server.connections == 2


def test_signatures() -> None:
    """The functions have the names and the parameters of a client's methods."""
    for verb in (*VERBS, "request"):
        function, method = getattr(_api, verb), getattr(AsyncHTTPClient, verb)
        assert getattr(aiohttpclient, verb) is function
        assert list(inspect.signature(function).parameters) == list(inspect.signature(method).parameters)[1:]
        assert function.__doc__
    assert all(hasattr(Verbs, verb) for verb in VERBS)


@every_loop
def test_script_leaves_nothing(new_loop: Callable[[], asyncio.AbstractEventLoop], threads: Threads) -> None:
    """A script that asks once and ends leaves neither connections nor warnings, however often it does so."""
    url = f"http://127.0.0.1:{threads.port}/"
    for _ in range(3):
        before = len([each for each in open_descriptors() if each.addresses()[1:] == [("127.0.0.1", threads.port)]])
        with asyncio.Runner(loop_factory=new_loop) as runner:
            response = runner.run(aiohttpclient.get(url))
        after = len([each for each in open_descriptors() if each.addresses()[1:] == [("127.0.0.1", threads.port)]])
        assert (response.content, before, after) == (b"ok", 0, 0)
    assert threads.requests == [1, 1, 1]


@pytest.mark.parametrize(
    ("url", "options", "error"),
    [
        ("nonsense", {}, InvalidURL),
        ("http://127.0.0.1:1/", {"no_such": 1}, TypeError),
        ("http://127.0.0.1:1/", {"json": 1, "content": b""}, TypeError),
        ("http://127.0.0.1:1/", {"headers": {"X": "\n"}}, ValueError),
    ],
)
async def test_refused(url: str, options: Any, error: type[Exception]) -> None:
    """What cannot be sent is refused as by a client, and leaves nothing."""
    with pytest.raises(error):
        await aiohttpclient.get(url, **options)


async def test_error_of_a_status() -> None:
    """A status of an error is none until it is asked about."""
    async with serving({"/x": reply(b"because", status="500 Oh")}) as (server, _):
        response = await aiohttpclient.get(f"{server.url}/x")
        with pytest.raises(StatusError) as caught:
            response.raise_for_status()
        assert caught.value.response.content == b"because"


async def test_failed() -> None:
    """A request that fails leaves nothing either."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        await aiohttpclient.get(f"http://127.0.0.1:{port}/", retries=None)


async def test_cancelled() -> None:
    """Cancelled in the middle, it closes its client all the same."""

    async def silent(peer: Peer) -> None:
        await peer.read_until_eof()

    async with serving({"/x": silent}) as (server, site):
        task = asyncio.create_task(aiohttpclient.get(f"{server.url}/x"))
        await until(lambda: site.asked)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_closed()
    assert strangers() == set()
