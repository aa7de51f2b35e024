"""CONNECT through a proxy; what http.client sends there is compared in tests/oracle."""

from __future__ import annotations

import asyncio
import http.client
import pickle
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    AsyncHTTPSConnection,
    ConnectTimeout,
    ExchangeState,
    HTTPException,
    InvalidURL,
    LimitExceeded,
    MessageLimits,
    ProtocolError,
    RemoteDisconnected,
    Timeout,
    TunnelError,
)
from tests.support.server import raw_server, reply

from .exchanges import fetch

if TYPE_CHECKING:
    import ssl

    from tests.support.server import Peer, RawServer, Script
    from tests.support.tls import TlsKit

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\nX: y\r\n\r\n"


def proxy(answer: bytes = ESTABLISHED, context: ssl.SSLContext | None = None, body: bytes = b"origin") -> Script:
    """A proxy, and behind it an origin, which speaks TLS with a ``context``."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(answer)
        if context is not None:
            await peer.start_tls(context)
        while True:
            await peer.read_request()
            await peer.send(reply(body))

    return script


async def through(server: RawServer, *, headers: dict[str, str] | None = None, **options: Any) -> bytes:
    async with AsyncHTTPConnection(server.host, server.port, **options) as conn:
        conn.set_tunnel("origin.example", 8080, headers)
        return await fetch(conn)


async def test_tunnel() -> None:
    """Through a tunnel, requests are the origin's: its Host, and nothing of what went with CONNECT."""
    async with raw_server(proxy()) as server:
        assert await through(server, headers={"Proxy-Authorization": "Basic eDp5"}) == b"origin"
        connect, _, request = server.raw.partition(b"\r\n\r\n")
        assert connect.split(b"\r\n") == [
            b"CONNECT origin.example:8080 HTTP/1.1",
            b"Host: origin.example:8080",
            b"Proxy-Authorization: Basic eDp5",
        ]
        assert request == b"GET / HTTP/1.1\r\nHost: origin.example:8080\r\nAccept-Encoding: identity\r\n\r\n"


async def test_host_and_port_are_the_proxys() -> None:
    """``host`` and ``port`` stay those of the proxy; the response names the origin."""
    async with raw_server(proxy()) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.set_tunnel("origin.example:8080")
        await conn.request("GET", "/path")
        response = await conn.getresponse()
        assert (conn.host, conn.port) == (server.host, server.port)
        assert response.url == "http://origin.example:8080/path"
        await response.read()


async def test_headers_of_the_answer() -> None:
    """The fields of the proxy's answer are there after connecting, and not before."""
    async with raw_server(proxy()) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.set_tunnel("origin.example")
        assert conn.get_proxy_response_headers() is None
        await conn.connect()
        headers = conn.get_proxy_response_headers()
        assert headers is not None
        assert headers["via"] == "1.1 proxy"


async def test_own_host_field() -> None:
    """A Host field of the caller's own replaces ours."""
    async with raw_server(proxy()) as server:
        await through(server, headers={"host": "other"})
        assert server.raw.startswith(b"CONNECT origin.example:8080 HTTP/1.1\r\nhost: other\r\n\r\n")


@pytest.mark.parametrize(
    ("host", "port", "authority"),
    [
        ("2001:db8::1", 443, b"[2001:db8::1]:443"),
        ("[2001:db8::1]:443", None, b"[2001:db8::1]:443"),
        ("b\xfccher.example", 80, b"xn--bcher-kva.example:80"),
        ("origin.example", None, b"origin.example:80"),
    ],
)
async def test_authority(host: str, port: int | None, authority: bytes) -> None:
    """The target of CONNECT is always host and port (RFC 9112 section 3.2.3)."""
    async with raw_server(proxy()) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.set_tunnel(host, port)
        await conn.connect()
        await server.wait_connections()
        await conn.request("GET", "/")
        await conn.getresponse()
        assert server.raw.startswith(b"CONNECT " + authority + b" HTTP/1.1\r\nHost: " + authority + b"\r\n")


async def test_tunnel_is_opened_again() -> None:
    """Each new connection goes through a tunnel of its own."""
    async with raw_server(proxy()) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.set_tunnel("origin.example")
        for _ in range(2):
            assert await fetch(conn) == b"origin"
            await conn.close()
        assert server.connections == 2
        assert all(peer.raw.startswith(b"CONNECT") for peer in server.peers)


async def test_https_through_a_proxy(tls: TlsKit) -> None:
    """TLS goes through the tunnel, and is verified by the name of the origin."""
    async with raw_server(proxy(context=tls.good)) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            conn.set_tunnel("localhost")
            assert await fetch(conn) == b"origin"
        assert server.raw.startswith(b"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n")
        assert server.raw.endswith(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: identity\r\n\r\n")


async def test_wrong_host_through_a_proxy(tls: TlsKit) -> None:
    """A certificate that is the proxy's, and not the origin's, is refused."""
    import ssl as ssl_module

    async with raw_server(proxy(context=tls.good)) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            conn.set_tunnel("origin.example")
            with pytest.raises(ssl_module.SSLCertVerificationError):
                await conn.connect()
            assert not conn.connected


async def test_http_through_a_tls_proxy(tls: TlsKit) -> None:
    """With ``proxy_context`` the way to the proxy is encrypted, whatever goes through it."""
    async with raw_server(proxy(), ssl=tls.good) as server:
        assert await through(server, proxy_context=tls.client) == b"origin"


@pytest.mark.parametrize("size", [10, 300_000])
async def test_https_through_a_tls_proxy(size: int, tls: TlsKit) -> None:
    """TLS goes through TLS."""
    body = bytes(range(250)) * (size // 10)
    async with raw_server(proxy(context=tls.good, body=body), ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client, proxy_context=tls.client) as conn:
            conn.set_tunnel("localhost")
            for _ in range(2):
                assert await fetch(conn, "POST", "/", body) == body
            assert server.connections == 1


async def test_tls_proxy_with_a_wrong_name(tls: TlsKit) -> None:
    """A proxy whose certificate is not its own gets to see nothing, not even CONNECT."""
    import ssl as ssl_module

    async with raw_server(proxy(), ssl=tls.wrong_host) as server:
        with pytest.raises(ssl_module.SSLCertVerificationError):
            await through(server, headers={"Proxy-Authorization": "secret"}, proxy_context=tls.client)
        await server.wait_closed()
        assert server.raw == b""


# -- refused


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_refused(secure: bool, tls: TlsKit) -> None:
    """A proxy that refuses is a TunnelError: http.client's OSError and its text, with status and fields."""
    refusal = (
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\nContent-Length: 4\r\n\r\nbody"
    )
    async with raw_server(proxy(refusal), ssl=tls.good if secure else None) as server:
        options: dict[str, Any] = {"proxy_context": tls.client} if secure else {}
        async with AsyncHTTPConnection(server.host, server.port, **options) as conn:
            conn.set_tunnel("origin.example")
            with pytest.raises(TunnelError) as caught:
                await conn.request("GET", "/")
            assert conn.state is ExchangeState.IDLE
            assert not conn.connected
    error = caught.value
    assert isinstance(error, OSError)
    assert isinstance(error, HTTPException)
    assert str(error) == "Tunnel connection failed: 407 Proxy Authentication Required"
    assert (error.status, error.reason) == (407, "Proxy Authentication Required")
    assert error.headers == [("Proxy-Authenticate", "Basic"), ("Content-Length", "4")]
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.status, copy.reason, copy.headers) == (str(error), 407, error.reason, error.headers)


@pytest.mark.parametrize("status", [b"301 Moved", b"403 Forbidden", b"502 Bad Gateway", b"101 Switching Protocols"])
async def test_other_refusals(status: bytes) -> None:
    """Everything but 2xx is a refusal."""
    async with raw_server(proxy(b"HTTP/1.1 " + status + b"\r\n\r\n")) as server:
        with pytest.raises(TunnelError, match=status.decode()):
            await through(server)


@pytest.mark.parametrize("status", [b"200 OK", b"201 Created", b"299 Odd"])
async def test_established(status: bytes) -> None:
    """Every 2xx opens the tunnel (RFC 9110 section 9.3.6), where http.client takes 200 alone."""
    async with raw_server(proxy(b"HTTP/1.1 " + status + b"\r\nContent-Length: 5\r\n\r\n")) as server:
        assert await through(server) == b"origin"


async def test_informational_before_the_answer() -> None:
    """A 1xx response before the answer is skipped."""
    async with raw_server(proxy(b"HTTP/1.1 100 Continue\r\n\r\n" + ESTABLISHED)) as server:
        assert await through(server) == b"origin"


async def test_bytes_behind_the_answer() -> None:
    """Bytes right behind the answer cannot be the origin's, which was sent nothing: they are refused."""
    async with raw_server(proxy(ESTABLISHED + reply(b"poison"))) as server:
        with pytest.raises(ProtocolError, match="followed"):
            await through(server)


async def test_bytes_behind_the_answer_under_tls(tls: TlsKit) -> None:
    """The same before TLS: they would become a part of its handshake."""
    async with raw_server(proxy(ESTABLISHED + b"\x16\x03\x01", tls.good)) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            conn.set_tunnel("localhost")
            with pytest.raises(ProtocolError):
                await conn.connect()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"", RemoteDisconnected),
        (b"HTTP/1.1 200 OK\r\n", ProtocolError),
        (b"HTTP/1.1 200 OK\nX: y\n\n", ProtocolError),
        (b"nonsense\r\n\r\n", http.client.BadStatusLine),
        (b"HTTP/2 200\r\n\r\n", http.client.UnknownProtocol),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20 + b"\r\n", LimitExceeded),
    ],
)
async def test_nonsense(answer: bytes, error: type[Exception]) -> None:
    """What is not a head is refused, in lenient mode as well: behind a misread proxy everything would be misread."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(answer)

    async with raw_server(script) as server:
        with pytest.raises(error):
            await through(server, limits=MessageLimits(fields=10))


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_silence(secure: bool, tls: TlsKit) -> None:
    """A proxy that does not answer is a ConnectTimeout: the tunnel is a part of connecting."""

    async def script(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server:
        options: dict[str, Any] = {"proxy_context": tls.client} if secure else {}
        with pytest.raises(ConnectTimeout):
            await through(server, timeout=Timeout(connect=0.2), **options)
        await server.wait_closed()


async def test_cancelled() -> None:
    """A task that is cancelled while it waits for a proxy leaves no socket behind."""
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        asked.set()
        await peer.read_until_eof()

    async with raw_server(script) as server:
        task = asyncio.create_task(through(server))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_closed()


# -- arguments


@pytest.mark.parametrize("host", ["", "a b", "a\r\nX: y", "host:port", "host:99999"])
def test_host_that_cannot_be_used(host: str) -> None:
    """A tunnel to nowhere is refused at once, and leaves the connection as it was."""
    conn = AsyncHTTPConnection("proxy.example")
    with pytest.raises(InvalidURL):
        conn.set_tunnel(host)
    assert conn._tunnel is None


@pytest.mark.parametrize("headers", [{"X": "a\r\nb"}, {"X\n": "a"}, {"X": "\0"}])
async def test_fields_that_cannot_be_sent(headers: dict[str, str]) -> None:
    """Fields for the proxy are checked like all others: nothing is sent with bad ones."""
    async with raw_server(proxy()) as server:
        with pytest.raises(ValueError, match="Invalid header"):
            await through(server, headers=headers)
        assert not any(peer.raw for peer in server.peers)


async def test_debug_output(capsys: pytest.CaptureFixture[str]) -> None:
    """At debug level 1 CONNECT and the answer are printed too."""
    async with raw_server(proxy()) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.set_debuglevel(1)
        conn.set_tunnel("origin.example")
        await conn.connect()
    output = capsys.readouterr().out.splitlines()
    assert output[0].startswith("send: b'CONNECT origin.example:80 HTTP/1.1")
    assert output[1:] == [
        r"reply: 'HTTP/1.1 200 Connection established\r\n'",
        "header: Via: 1.1 proxy",
        "header: X: y",
    ]
