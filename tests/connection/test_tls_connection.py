"""The connection over TLS: whom it believes, and that it is otherwise a connection like any other."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    AsyncHTTPSConnection,
    ConnectTimeout,
    IncompleteRead,
    NotConnected,
    Timeout,
)
from aiohttpclient.connection import Origin
from aiohttpclient.net import ResumingContext, TCPDialer, default_context
from tests.support.server import raw_server, reply, script_once

from .exchanges import fetch, framed, until

if TYPE_CHECKING:
    from pathlib import Path

    from aiohttpclient.net import StreamProtocol
    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit


async def test_get(tls: TlsKit) -> None:
    """A request over TLS is the request over TCP, encrypted."""
    async with raw_server(script_once(reply(b"one"), reply(b"two")), ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            assert await fetch(conn, "GET", "/one") == b"one"
            assert await fetch(conn, "POST", "/two", b"body") == b"two"
            assert server.connections == 1
        assert server.raw.startswith(b"GET /one HTTP/1.1\r\nHost: " + server.netloc.encode() + b"\r\n")
        assert server.raw.endswith(b"\r\n\r\nbody")


@pytest.mark.parametrize("size", [0, 1, 16_384, 1_000_000])
@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
async def test_body(size: int, framing: str, tls: TlsKit) -> None:
    """Bodies of every size and framing come through TLS."""
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)
    raw = framed(body, framing, chunk=70_000)
    async with raw_server(script_once(raw, close=framing == "until close"), ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            assert await fetch(conn) == body


def test_defaults() -> None:
    """The port is 443, the scheme https, and the context one for the whole process, which verifies."""
    conn = AsyncHTTPSConnection("example.org")
    assert isinstance(conn, AsyncHTTPConnection)
    assert (conn.port, conn.default_port, conn.scheme) == (443, 443, "https")
    assert conn.context is AsyncHTTPSConnection("example.net").context is default_context()
    assert conn.context.verify_mode is ssl.CERT_REQUIRED
    assert conn.context.check_hostname
    assert conn.context.minimum_version >= ssl.TLSVersion.TLSv1_2


async def test_host_field_has_no_default_port(tls: TlsKit, tmp_path: Path) -> None:
    """The Host field leaves out 443, and names every other port."""
    async with raw_server(script_once(reply()), path=tmp_path / "socket", ssl=tls.good) as server:
        for port, field in ((443, b"Host: localhost\r\n"), (80, b"Host: localhost:80\r\n")):
            async with AsyncHTTPSConnection("localhost", port, context=tls.client, uds=server.path) as conn:
                await fetch(conn)
            assert field in server.peers[-1].raw


# -- verification


@pytest.mark.parametrize("fault", ["wrong_host", "unknown_authority", "expired"])
async def test_bad_certificate(fault: str, tls: TlsKit) -> None:
    """A certificate that is for another host, from nobody we know, or expired is refused before anything is sent."""
    async with raw_server(script_once(reply()), ssl=getattr(tls, fault)) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.request("GET", "/secret")
            assert not conn.connected
            assert conn.state.name == "IDLE"
        await server.wait_closed()
        assert server.raw == b""


async def test_default_context_does_not_know_our_authority(tls: TlsKit) -> None:
    """Without a context of one's own only the public authorities are believed."""
    async with raw_server(script_once(reply()), ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port) as conn:
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.connect()


async def test_server_hostname(tls: TlsKit) -> None:
    """``server_hostname`` is verified and sent (SNI) in place of the host."""
    names: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.authority.issue_cert("elsewhere.test").configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with raw_server(script_once(reply(b"ok")), ssl=context) as server:
        async with AsyncHTTPSConnection(
            server.host, server.port, context=tls.client, server_hostname="elsewhere.test"
        ) as conn:
            assert await fetch(conn) == b"ok"
        assert b"Host: " + server.netloc.encode() in server.raw
    assert names == ["elsewhere.test"]


async def test_name_of_the_host_is_sent(tls: TlsKit, tmp_path: Path) -> None:
    """The name of the host is sent (SNI), in its IDNA form; an address is not."""
    names: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.authority.issue_cert("xn--bcher-kva.example", "127.0.0.1").configure_cert(context)
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    async with raw_server(script_once(reply(b"ok")), ssl=context, path=tmp_path / "socket") as server:
        for host in ("b\xfccher.example", "127.0.0.1"):
            async with AsyncHTTPSConnection(host, context=tls.client, uds=server.path) as conn:
                assert await fetch(conn) == b"ok"
    assert names == ["xn--bcher-kva.example", None]


async def test_context_that_does_not_verify(tls: TlsKit) -> None:
    """A context of one's own is used as it is, also if it verifies nothing."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with raw_server(script_once(reply(b"ok")), ssl=tls.expired) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=context) as conn:
            assert await fetch(conn) == b"ok"


# -- client certificates


@pytest.mark.parametrize("server", ["wants_client_certificate", "wants_client_certificate_late"])
async def test_client_certificate(server: str, tls: TlsKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``key_file`` and ``cert_file`` authenticate the client."""
    files = tls.client_certificate(tmp_path)
    import certifi

    monkeypatch.setattr(certifi, "where", lambda: str(tls.authority_file(tmp_path)))
    async with raw_server(script_once(reply(b"ok")), ssl=getattr(tls, server)) as running:
        async with AsyncHTTPSConnection(running.host, running.port, str(files.key_file), str(files.cert_file)) as conn:
            assert await fetch(conn) == b"ok"


@pytest.mark.parametrize("server", ["wants_client_certificate", "wants_client_certificate_late"])
async def test_no_client_certificate(server: str, tls: TlsKit) -> None:
    """Without a certificate, a server that wants one ends the connection with an error of TLS or of the system."""
    async with raw_server(script_once(reply(b"ok")), ssl=getattr(tls, server)) as running:
        async with AsyncHTTPSConnection(running.host, running.port, context=tls.client) as conn:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await fetch(conn)
            assert not conn.connected


def test_context_and_files(tls: TlsKit, tmp_path: Path) -> None:
    """A context and files at once are refused: the files belong into the context."""
    files = tls.client_certificate(tmp_path)
    with pytest.raises(ValueError, match="not both"):
        AsyncHTTPSConnection("example.org", 443, str(files.key_file), str(files.cert_file), context=tls.client)


def test_no_context() -> None:
    """False is no context: it does not stand for one that verifies less."""
    with pytest.raises(TypeError, match=r"context must be an .*SSLContext, or None"):
        AsyncHTTPSConnection("example.org", context=False)  # type: ignore[arg-type]  # what aiohttp users might write


def test_key_without_certificate(tls: TlsKit, tmp_path: Path) -> None:
    """A key alone authenticates nobody."""
    with pytest.raises(ValueError, match="cert_file"):
        AsyncHTTPSConnection("example.org", key_file=str(tls.client_certificate(tmp_path).key_file))


def test_missing_file() -> None:
    """A file that is not there is an error at once, not when connecting."""
    with pytest.raises(FileNotFoundError):
        AsyncHTTPSConnection("example.org", cert_file="/nonexistent/client.pem")


# -- handshakes that do not end


async def test_handshake_timeout(tls: TlsKit) -> None:
    """A handshake that is not answered is a ConnectTimeout, and leaves no socket behind."""

    async def script(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(script) as server:
        async with AsyncHTTPSConnection(
            server.host, server.port, context=tls.client, timeout=Timeout(connect=0.1)
        ) as conn:
            with pytest.raises(ConnectTimeout):
                await conn.connect()
            await server.wait_closed()


async def test_handshake_cancelled(tls: TlsKit) -> None:
    """A handshake that is cancelled leaves no socket behind when the task ends."""

    async def script(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(script) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            task = asyncio.create_task(conn.connect())
            await until(lambda: any(peer.raw for peer in server.peers))
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert not conn.connected
            await server.wait_closed()


@pytest.mark.parametrize("raw", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28", b""])
async def test_no_tls(raw: bytes, tls: TlsKit) -> None:
    """A server that does not speak TLS is an error of TLS or of the system."""

    async def script(peer: Peer) -> None:
        await peer.read_exactly(5)
        await peer.send(raw)

    async with raw_server(script) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await conn.connect()
            assert not conn.connected


# -- ends


@pytest.mark.parametrize("strict", [False, True])
async def test_truncation_of_a_body_until_close(strict: bool, tls: TlsKit) -> None:
    """A body that ends with the connection must end with TLS's goodbye: else, in strict mode, it was cut by anybody.

    Lenient mode forgives it as http.client does with its default context.
    """

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        peer.cut()

    async with raw_server(script, ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, strict=strict, context=tls.client) as conn:
            if strict:
                with pytest.raises(IncompleteRead) as caught:
                    await fetch(conn)
                assert caught.value.partial == b"half"
            else:
                assert await fetch(conn) == b"half"


async def test_goodbye_after_a_body_until_close(tls: TlsKit) -> None:
    """With the goodbye the same body is complete."""
    async with raw_server(script_once(framed(b"whole", "until close"), close=True), ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, strict=True, context=tls.client) as conn:
            assert await fetch(conn) == b"whole"


async def test_truncation_of_a_known_length(tls: TlsKit) -> None:
    """A body of known length that is cut is IncompleteRead with or without a goodbye."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        if peer.number:
            peer.cut()

    async with raw_server(script, ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            for _ in range(2):
                with pytest.raises(IncompleteRead) as caught:
                    await fetch(conn)
                assert caught.value.partial == b"half"


async def test_close_says_goodbye(tls: TlsKit) -> None:
    """Our own close sends TLS's goodbye, so that the server knows that nothing was cut."""
    ended: list[bytes] = []

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await peer.send(reply(b"ok"))
        ended.append(await peer.read_until_eof())  # raises where the goodbye is missing

    async with raw_server(script, ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            await fetch(conn)
        await server.wait_closed()
        assert server.peers[0].departure is None
    assert ended == [b""]


async def test_not_opened_when_not_wanted(tls: TlsKit) -> None:
    """With ``auto_open`` off nothing is opened over TLS either."""
    conn = AsyncHTTPSConnection("localhost", context=tls.client)
    conn.auto_open = 0
    with pytest.raises(NotConnected):
        await conn.request("GET", "/")


async def test_descriptor(tls: TlsKit) -> None:
    """``fileno()`` is the descriptor of the socket below TLS."""
    async with raw_server(script_once(reply(b"ok")), ssl=tls.good) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            assert response.fileno() > 2
            await response.read()


# -- sessions


async def session_of(server: RawServer, context: ssl.SSLContext, *, keep: bool = True, **options: Any) -> bool:
    """Whether a new connection resumes an earlier session; its own is kept for the next, unless ``keep`` is false."""
    async with AsyncHTTPSConnection(server.host, server.port, context=context, **options) as conn:
        assert await fetch(conn) == b"ok"
        reused = conn.session_reused
        if keep:
            conn.keep_session()
    assert not conn.session_reused
    return reused


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_session_is_resumed(version: ssl.TLSVersion, tls: TlsKit) -> None:
    """With a ``ResumingContext``, a connection resumes the session that an earlier one has kept."""
    inner = tls.new_client()
    inner.minimum_version = inner.maximum_version = version
    context = ResumingContext.over(inner)
    async with raw_server(script_once(reply(b"ok")), ssl=tls.good) as server:
        assert [await session_of(server, context) for _ in range(3)] == [False, True, True]


def test_session_of_no_connection() -> None:
    """A connection that is not open has no session, and nothing to keep."""
    conn = AsyncHTTPSConnection("example.org")
    assert not conn.session_reused
    conn.keep_session()


async def test_session_that_was_not_kept_is_not_resumed(tls: TlsKit) -> None:
    """A session is resumed only if it was kept; and with a context of another kind it never is."""
    async with raw_server(script_once(reply(b"ok")), ssl=tls.good) as server:
        context = ResumingContext.over(tls.new_client())
        assert [await session_of(server, context, keep=False) for _ in range(2)] == [False, False]
        plain = tls.new_client()
        assert [await session_of(server, plain) for _ in range(2)] == [False, False]


async def test_session_of_another_name(tls: TlsKit, tmp_path: Path) -> None:
    """A session is not offered to a server of another name, or in another's place."""
    context = ResumingContext.over(tls.new_client())
    async with raw_server(script_once(reply(b"ok")), ssl=tls.good) as server:
        assert not await session_of(server, context)
        assert not await session_of(server, context, server_hostname="localhost")
        assert await session_of(server, context, server_hostname="localhost")
        assert await session_of(server, context)
        assert await session_of(server, context, server_hostname="LOCALHOST")


async def test_session_through_a_tunnel(tls: TlsKit) -> None:
    """Through a tunnel the session is the origin's, and not the proxy's."""
    context = ResumingContext.over(tls.new_client())

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.start_tls(tls.good)
        await peer.read_head()
        await peer.send(reply(b"ok"))
        await peer.read_until_eof()

    async with raw_server(script) as server:
        for resumed in (False, True):
            async with AsyncHTTPSConnection(server.host, server.port, context=context) as conn:
                conn.set_tunnel("localhost", 443)
                assert await fetch(conn) == b"ok"
                assert conn.session_reused is resumed
                conn.keep_session()


# -- a dialer of one's own


async def test_dialer(tls: TlsKit) -> None:
    """A dialer makes the connection that TLS goes over; verified is the host's name, not where the dialer went."""
    asked: list[tuple[str, int]] = []

    async with raw_server(script_once(reply(b"ok")), ssl=tls.good) as server:

        class Elsewhere:
            async def dial(self, host: str, port: int) -> StreamProtocol:
                asked.append((host, port))
                return await TCPDialer().dial(server.host, server.port)

        async with AsyncHTTPSConnection("localhost", context=tls.client, dialer=Elsewhere()) as conn:
            assert await fetch(conn) == b"ok"
        async with AsyncHTTPSConnection("example.org", context=tls.client, dialer=Elsewhere()) as conn:
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.connect()
    assert asked == [("localhost", 443), ("example.org", 443)]


async def test_surrender_and_adopt(tls: TlsKit) -> None:
    """A stream over TLS moves from one connection to another, with what it knows of its session."""
    async with raw_server(script_once(reply(b"1"), reply(b"2")), ssl=tls.good) as server:
        context = ResumingContext.over(tls.new_client())
        first = AsyncHTTPSConnection(server.host, server.port, context=context)
        assert await fetch(first) == b"1"
        stream = first.surrender()
        assert stream is not None
        assert not first.session_reused
        first.keep_session()
        async with AsyncHTTPSConnection(server.host, server.port, context=context) as second:
            second.adopt(stream, Origin("https", server.host, server.port, 443))
            assert await fetch(second) == b"2"
            second.keep_session()
        assert await session_of_first(server, context)


async def session_of_first(server: RawServer, context: ssl.SSLContext) -> bool:
    async with AsyncHTTPSConnection(server.host, server.port, context=context) as conn:
        assert await fetch(conn) == b"1"
        return conn.session_reused
