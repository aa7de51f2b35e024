"""The servers as fixtures. Each is started for the tests that use it, which run together, and stopped after them."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from aiohttpclient import AsyncHTTPClient

from . import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.support.servers import Server
    from tests.support.tls import CertificateFiles, TlsKit

needs_nginx = pytest.mark.skipif(servers.find("nginx") is None, reason="nginx is not installed")
needs_haproxy = pytest.mark.skipif(servers.find("haproxy") is None, reason="haproxy is not installed")
needs_tinyproxy = pytest.mark.skipif(servers.find("tinyproxy") is None, reason="tinyproxy is not installed")
needs_squid = pytest.mark.skipif(
    servers.find("squid") is None or servers.digest_helper() is None, reason="squid is not installed"
)
needs_microsocks = pytest.mark.skipif(servers.find("microsocks") is None, reason="microsocks is not installed")

START: dict[str, Callable[[Path, CertificateFiles | None], AbstractContextManager[Server]]] = {
    "uvicorn-h11": servers.uvicorn,
    "uvicorn-httptools": partial(servers.uvicorn, http="httptools"),
    "hypercorn": servers.hypercorn,
    "granian": servers.granian,
    "nginx": servers.nginx,
}
APPLICATION_SERVERS = ("uvicorn-h11", "uvicorn-httptools", "hypercorn", "granian")


@pytest.fixture(scope="session", params=[*APPLICATION_SERVERS, pytest.param("haproxy", marks=needs_haproxy)])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of ``app``, or haproxy in front of one."""
    with ExitStack() as stack:
        if request.param == "haproxy":
            behind = stack.enter_context(servers.uvicorn(tmp_path_factory.mktemp("behind")))
            yield stack.enter_context(servers.haproxy(tmp_path_factory.mktemp("haproxy"), behind))
        else:
            yield stack.enter_context(START[request.param](tmp_path_factory.mktemp(request.param), None))


@pytest.fixture(scope="session")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with servers.nginx(tmp_path_factory.mktemp("nginx")) as running:
        yield running


@pytest.fixture(scope="session", params=[*APPLICATION_SERVERS, pytest.param("nginx", marks=needs_nginx)])
def tls_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, tls: TlsKit
) -> Iterator[Server]:
    """Any of the servers, speaking HTTPS with a certificate that ``tls.client`` trusts."""
    folder = tmp_path_factory.mktemp(f"{request.param}-tls")
    with START[request.param](folder, tls.server_certificate(folder)) as running:
        yield running


# -- servers that end connections

HASTY: dict[str, Callable[[Path, Server], AbstractContextManager[Server]]] = {
    "uvicorn": lambda folder, _: servers.uvicorn(folder, http="httptools", keep_alive=0),
    "haproxy": partial(servers.haproxy, keep_alive=1),
    "nginx": partial(servers.nginx_front, keep_alive=1),
}


@pytest.fixture(
    scope="session",
    params=[
        "uvicorn",
        pytest.param("haproxy", marks=needs_haproxy),
        pytest.param("nginx", marks=needs_nginx),
    ],
)
def hasty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, origin: Server) -> Iterator[Server]:
    """A server of ``app`` that closes each connection within a millisecond after it has answered, and says nothing."""
    with HASTY[request.param](tmp_path_factory.mktemp(f"hasty-{request.param}"), origin) as running:
        yield running


@pytest.fixture(scope="session")
def nginx_front(tmp_path_factory: pytest.TempPathFactory, origin: Server) -> Iterator[Server]:
    """Nginx that can be reloaded, in front of ``origin``."""
    with servers.nginx_front(tmp_path_factory.mktemp("nginx-front"), origin) as running:
        yield running


# -- proxies, and what is behind them

CREDENTIALS = ("alice", "pass-word.1")


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server of ``app``."""
    with servers.uvicorn(tmp_path_factory.mktemp("origin")) as running:
        yield running


@pytest.fixture(scope="session")
def tls_origin(tmp_path_factory: pytest.TempPathFactory, tls: TlsKit) -> Iterator[Server]:
    """The same over HTTPS, with a certificate that ``tls.client`` trusts."""
    folder = tmp_path_factory.mktemp("tls-origin")
    with servers.uvicorn(folder, tls.server_certificate(folder)) as running:
        yield running


@pytest.fixture(scope="session", params=[None, CREDENTIALS], ids=["open", "authenticated"])
def tinyproxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An HTTP proxy: anybody's, then one that wants credentials, which it has as ``username`` and ``password``."""
    with servers.tinyproxy(tmp_path_factory.mktemp("tinyproxy"), *request.param or ()) as running:
        yield running


@pytest.fixture(scope="session")
def squid(request: pytest.FixtureRequest) -> Iterator[Server]:
    """An HTTP proxy that wants Digest of ``CREDENTIALS``; ``strict``: numbers without a gap."""
    options = "auth_param digest nonce_strictness on" if request.param == "strict" else ""
    with servers.squid(*CREDENTIALS, options) as running:
        yield running


@pytest.fixture(scope="session", params=[None, CREDENTIALS], ids=["open", "authenticated"])
def microsocks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A SOCKS 5 proxy: anybody's, then one that wants credentials, which it has as ``username`` and ``password``."""
    with servers.microsocks(tmp_path_factory.mktemp("microsocks"), *request.param or ()) as running:
        yield running


# -- httpbin


@pytest_asyncio.fixture
async def client(httpbin: str) -> AsyncIterator[AsyncHTTPClient]:
    """A client of httpbin, which knows nothing of the environment."""
    async with AsyncHTTPClient(base_url=httpbin, trust_env=False) as client:
        yield client


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing about proxies and certificates (``tests/conftest.py``), to which one may add."""
    return monkeypatch
