"""The switches of a server: what they may be set to, and when they take effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import Timeout
from aiohttpclient.testing import LoopbackServer, ServerFaults
from tests.testing.serving import SCHEMES, SHORT, client_of, exchanged, failure

if TYPE_CHECKING:
    from pathlib import Path

LAST = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))


def test_defaults() -> None:
    """A server does nothing wrong unless it is told to."""
    faults = LoopbackServer().faults
    assert (faults.slow_accept, faults.refuse, faults.close_after, faults.certificate) == (0.0, False, None, "good")


def test_options() -> None:
    """The options of the server are those of its faults."""
    faults = LoopbackServer(tls=True, slow_accept=1, refuse=True, close_after=2, certificate="expired").faults
    assert (faults.slow_accept, faults.refuse, faults.close_after, faults.certificate) == (1, True, 2, "expired")


def test_faults_are_those_of_the_server() -> None:
    """Others are not taken in their place, for they would do nothing."""
    with pytest.raises(AttributeError):
        LoopbackServer().faults = ServerFaults(refuse=True)  # type: ignore[misc]  # just that is refused


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("slow_accept", -1, "slow_accept is in seconds, and not -1"),
        ("close_after", 0, "close_after is at least 1, not 0"),
        ("certificate", "broken", "there is no certificate 'broken'"),
    ],
)
def test_wrong_values(name: str, value: Any, text: str) -> None:
    """A value that means nothing is refused, at the start and later."""
    with pytest.raises(ValueError, match=text):
        ServerFaults(**{name: value})
    faults = ServerFaults()
    before = getattr(faults, name)
    with pytest.raises(ValueError, match=text):
        setattr(faults, name, value)
    assert getattr(faults, name) == before


def test_watcher() -> None:
    """Whoever watches is told what holds now, and of each change, until it watches no more."""
    told: list[bool] = []
    faults = ServerFaults(refuse=True)
    faults.watch(told.append)
    faults.refuse = False
    faults.watch(None)
    faults.refuse = True
    assert told == [True, False]


def _works(server: LoopbackServer) -> None:
    server.add("GET", "/", "hello")


@both
async def test_refuse(tls: bool) -> None:
    """A server refuses connections while it is told to, always at the same port."""
    async with LoopbackServer(tls=tls, refuse=True) as server:
        _works(server)
        port = server.port
        for _ in range(2):
            assert (await failure(server)).endswith("Connection refused (127.0.0.1)")
            server.faults.refuse = False
            assert server.port == port
            assert await failure(server) == "200: hello"
            server.faults.refuse = True
    assert len(server.connections) == 2


async def test_refuse_at_a_unix_socket(tmp_path: Path) -> None:
    """A Unix socket refuses connections too."""
    async with LoopbackServer(path=tmp_path / "socket", refuse=True) as server:
        _works(server)
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                await exchanged(server, LAST)
            server.faults.refuse = False
            assert (await exchanged(server, LAST)).endswith(b"hello")
            server.faults.refuse = True


async def test_slow_accept() -> None:
    """A connection that is left alone costs the client its patience: with the answer, or with the handshake."""
    async with LoopbackServer(slow_accept=3600) as server:
        assert await failure(server, timeout=SHORT) == (
            "ReadTimeout: read timed out after T s (limit 0.05 s) for GET URL/"
        )
    async with LoopbackServer(tls=True, slow_accept=3600) as server:
        assert await failure(server, timeout=Timeout(connect=0.05)) == (
            "ConnectTimeout: connect timed out after T s (limit 0.05 s) for GET URL/"
        )
        server.faults.slow_accept = 0.0
        _works(server)
        assert await failure(server) == "200: hello"


@both
async def test_close_after(tls: bool) -> None:
    """A connection ends after so many answers, and the client goes on with another."""
    async with LoopbackServer(tls=tls, close_after=2) as server, client_of(server) as client:
        _works(server)
        for _ in range(5):
            response = await client.get("/")
            assert "Connection" not in response.headers
        assert [len(connection.requests) for connection in server.connections] == [2, 2, 1]


@pytest.mark.parametrize(
    ("certificate", "report"),
    [
        ("expired", "certificate has expired"),
        ("wrong host", "IP address mismatch, certificate is not valid for '127.0.0.1'"),
        ("unknown", "unable to get local issuer certificate"),
    ],
)
async def test_certificates(certificate: Any, report: str) -> None:
    """A wrong certificate is what the client reports, and the server notes that the client went."""
    async with LoopbackServer(tls=True, certificate=certificate) as server:
        _works(server)
        said = await failure(server)
        assert said.startswith("SSLCertVerificationError: ")
        assert report in said
        assert server.requests == []
        server.faults.certificate = "good"
        assert await failure(server) == "200: hello"
    assert isinstance(server.connections[0].error, OSError)
    assert server.connections[1].error is None
