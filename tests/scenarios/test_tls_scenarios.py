"""TLS as a user meets it: who is trusted, what a handshake may cost, how a connection ends, and proxies in between."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPConnection, AsyncHTTPSConnection, Timeout
from aiohttpclient.errors import ConnectTimeout, IncompleteRead, TunnelError
from tests.net.streams import turns, until
from tests.support.leaks import open_descriptors
from tests.support.server import raw_server, reply

from .exchanges import PROXY, TLS, TLS_PROXY, serving
from .test_cancellation import client_sockets, timers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit

LARGE = bytes(range(256)) * 8192  # 2 MiB


async def serve(peer: Peer) -> None:
    """Answer requests with their target, until the client is done."""
    while True:
        head = await peer.read_head()
        await peer.send(reply(head.split()[1]))


async def fetch(conn: AsyncHTTPConnection, target: str = "/") -> bytes:
    await conn.request("GET", target)
    return await (await conn.getresponse()).read()


@contextlib.asynccontextmanager
async def https(server: RawServer, **options: Any) -> AsyncIterator[AsyncHTTPSConnection]:
    async with AsyncHTTPSConnection(server.host, server.port, **options) as conn:
        yield conn


class TestTrust:
    async def test_good(self, tls: TlsKit) -> None:
        """A server with a certificate from a trusted authority is talked to, again and again on one connection."""
        async with raw_server(serve, ssl=tls.good) as server, https(server, context=tls.client) as conn:
            for number in range(3):
                assert await fetch(conn, f"/{number}") == b"/%d" % number
            assert server.connections == 1

    async def test_by_name(self, tls: TlsKit) -> None:
        """A name is looked up, sent as SNI and verified."""
        names: list[str] = []

        def note(_: object, name: str, __: object) -> None:
            names.append(name)

        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.authority.issue_cert("localhost").configure_cert(context)
        context.sni_callback = note
        async with (
            raw_server(serve, ssl=context) as server,
            AsyncHTTPSConnection("localhost", server.port, context=tls.client) as conn,
        ):
            assert await fetch(conn) == b"/"
        assert names == ["localhost"]

    @pytest.mark.parametrize("fault", ["wrong_host", "unknown_authority", "expired"])
    async def test_refused(self, tls: TlsKit, fault: str) -> None:
        """A certificate for another host, of a stranger, or too old is refused; no byte of the request is sent."""
        async with raw_server(serve, ssl=getattr(tls, fault)) as server, https(server, context=tls.client) as conn:
            before = timers()
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.request("POST", "/", b"secret")
            assert client_sockets(server) == []
            assert timers() == before
            assert not conn.connected
            await server.wait_closed(1)
            assert server.raw == b""

    async def test_own_name_for_an_address(self, tls: TlsKit) -> None:
        """``server_hostname`` is verified in place of the host, for good or ill."""
        async with raw_server(serve, ssl=tls.wrong_host) as server:
            async with https(server, context=tls.client, server_hostname="elsewhere.test") as conn:
                assert await fetch(conn) == b"/"
            async with https(server, context=tls.client, server_hostname="localhost") as conn:
                with pytest.raises(ssl.SSLCertVerificationError):
                    await conn.connect()

    async def test_default_context(self, tls: TlsKit) -> None:
        """Without a context of one's own, only public authorities are trusted."""
        async with raw_server(serve, ssl=tls.good) as server, https(server) as conn:
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.connect()

    async def test_next_try(self, tls: TlsKit) -> None:
        """A connection that was refused once works when it is used again with a context that trusts."""
        async with raw_server(serve, ssl=tls.good) as server, https(server) as conn:
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.connect()
            conn.context = tls.client
            assert await fetch(conn) == b"/"

    async def test_plain_server(self) -> None:
        """A server that does not speak TLS is an SSLError and not a wait."""

        async def answer(peer: Peer) -> None:
            await peer.send(reply(b"this is HTTP", status="400 Bad Request"))
            await peer.read_until_eof()

        async with raw_server(answer) as server, https(server) as conn:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                async with asyncio.timeout(5):
                    await conn.connect()


class TestClientCertificate:
    async def test_shown(self, tls: TlsKit, tmp_path: Path) -> None:
        """``key_file`` and ``cert_file`` authenticate the client, with TLS 1.2 and 1.3."""
        files = tls.client_certificate(tmp_path)
        for context in (tls.wants_client_certificate, tls.wants_client_certificate_late):
            async with (
                raw_server(serve, ssl=context) as server,
                https(server, key_file=str(files.key_file), cert_file=str(files.cert_file)) as conn,
            ):
                tls.authority.configure_trust(conn.context)
                assert await fetch(conn) == b"/"

    async def test_in_one_file(self, tls: TlsKit, tmp_path: Path) -> None:
        """A certificate file that holds the key as well needs no ``key_file``."""
        files = tls.client_certificate(tmp_path)
        both = tmp_path / "both.pem"
        both.write_bytes(files.key_file.read_bytes() + files.cert_file.read_bytes())
        async with (
            raw_server(serve, ssl=tls.wants_client_certificate) as server,
            https(server, cert_file=str(both)) as conn,
        ):
            tls.authority.configure_trust(conn.context)
            assert await fetch(conn) == b"/"

    async def test_missing(self, tls: TlsKit) -> None:
        """A client without the certificate that is asked for is refused in the handshake."""
        async with (
            raw_server(serve, ssl=tls.wants_client_certificate) as server,
            https(server, context=tls.client) as conn,
        ):
            with pytest.raises(ssl.SSLError):
                await conn.connect()
            assert client_sockets(server) == []

    async def test_missing_late(self, tls: TlsKit) -> None:
        """Over TLS 1.3 the refusal comes after the handshake: the caller gets it in place of the response."""
        async with (
            raw_server(serve, ssl=tls.wants_client_certificate_late) as server,
            https(server, context=tls.client) as conn,
        ):
            with pytest.raises((ssl.SSLError, ConnectionError)) as caught:
                await fetch(conn)
            error: BaseException | None = caught.value
            while error is not None and not isinstance(error, ssl.SSLError):
                error = error.__cause__
            assert error is not None, f"{caught.value!r} does not say that TLS refused"
            await until(lambda: not client_sockets(server))

    async def test_files_and_context(self, tls: TlsKit) -> None:
        """Files beside a context are a mistake that is named."""
        with pytest.raises(ValueError, match="context"):
            AsyncHTTPSConnection("localhost", cert_file="x.pem", context=tls.client)


class TestHandshake:
    async def test_stalls(self, tls: TlsKit) -> None:
        """A server that says nothing costs the connect timeout, and the socket is closed when that is raised."""

        async def stall(peer: Peer) -> None:
            await peer.read_until_eof()

        async with raw_server(stall) as server:
            async with https(server, context=tls.client, timeout=Timeout(connect=0.05)) as conn:
                before = timers()
                with pytest.raises(ConnectTimeout) as caught:
                    await conn.request("GET", "/")
                assert client_sockets(server) == []
                assert timers() == before
                assert caught.value.limit == 0.05
                assert caught.value.elapsed >= 0.048  # uvloop counts in whole milliseconds
                assert caught.value.phase == "connect"
            await server.wait_closed(1)

    @pytest.mark.parametrize("route", [PROXY, TLS_PROXY], ids=str)
    async def test_stalls_behind_a_proxy(self, tls: TlsKit, route: Any) -> None:
        """An origin that says nothing behind a proxy costs the same, once for the whole way."""

        async def stall(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            await peer.read_until_eof()

        async with raw_server(stall, ssl=tls.good if route.tls else None) as server:
            conn = route.connect(server, tls)
            conn.timeout = Timeout(connect=0.1)
            before = timers()
            with pytest.raises(ConnectTimeout) as caught:
                await conn.request("GET", "/")
            assert client_sockets(server) == []
            assert timers() == before
            assert caught.value.elapsed < 5
            await server.wait_closed(1)

    async def test_proxy_stalls(self, tls: TlsKit) -> None:
        """A proxy that does not answer CONNECT costs the connect timeout."""

        async def stall(peer: Peer) -> None:
            await peer.read_until_eof()

        async with raw_server(stall) as server:
            conn = PROXY.connect(server, tls)
            conn.timeout = Timeout(connect=0.05)
            with pytest.raises(ConnectTimeout):
                await conn.connect()
            assert client_sockets(server) == []
            await server.wait_closed(1)

    async def test_closes_at_once(self, tls: TlsKit) -> None:
        """A server that closes instead of shaking hands is a ConnectionError, and not a wait."""

        async def leave(peer: Peer) -> None:
            peer.close()

        async with raw_server(leave) as server, https(server, context=tls.client) as conn:
            for _ in range(20):
                with pytest.raises(ConnectionError):
                    async with asyncio.timeout(5):
                        await conn.connect()
                assert client_sockets(server) == []

    async def test_byte_by_byte(self, tls: TlsKit) -> None:
        """A handshake and a response that arrive a byte at a time are complete in the end."""

        async def slow(peer: Peer) -> None:
            await peer.read_head()
            await peer.drip(reply(b"slowly"))

        async with raw_server(slow, ssl=tls.good) as server, https(server, context=tls.client) as conn:
            assert await fetch(conn) == b"slowly"


class TestProxies:
    @pytest.mark.parametrize("route", [PROXY, TLS_PROXY], ids=str)
    async def test_tunnel(self, tls: TlsKit, route: Any) -> None:
        """TLS through a tunnel, also one that is TLS itself, carries exchanges and large bodies both ways."""

        async def answer(peer: Peer) -> None:
            while True:
                _, body = await peer.read_request()
                await peer.send(reply(body[::-1]))

        async with serving(answer, route, tls) as server:
            conn = route.connect(server, tls)
            for _ in range(2):
                await conn.request("POST", "/", LARGE)
                response = await conn.getresponse()
                assert await response.read() == LARGE[::-1]
            assert server.connections == 1
            await conn.close()

    async def test_origin_is_verified(self, tls: TlsKit) -> None:
        """Behind a proxy it is the origin's name that is verified, and the proxy's own only for the way to it."""

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
            await peer.start_tls(tls.wrong_host)
            await serve(peer)

        async with raw_server(script, ssl=tls.good) as server:
            conn = TLS_PROXY.connect(server, tls)
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.connect()
            assert client_sockets(server) == []
            conn = TLS_PROXY.connect(server, tls)
            conn.set_tunnel("elsewhere.test", 443)
            assert await fetch(conn) == b"/"
            await conn.close()

    async def test_proxy_is_verified(self, tls: TlsKit) -> None:
        """A proxy over TLS that cannot prove its name gets no CONNECT."""
        async with raw_server(serve, ssl=tls.wrong_host) as server:
            conn = TLS_PROXY.connect(server, tls)
            with pytest.raises(ssl.SSLCertVerificationError):
                await conn.connect()
            assert client_sockets(server) == []
            await server.wait_closed(1)
            assert server.raw == b""

    @pytest.mark.parametrize("route", [PROXY, TLS_PROXY], ids=str)
    async def test_refused(self, tls: TlsKit, route: Any) -> None:
        """A proxy that refuses is a TunnelError with its status and fields, and the socket is closed."""

        async def refuse(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(reply(b"who are you?", "Proxy-Authenticate: Basic", status="407 Who"))
            await peer.read_until_eof()

        async with raw_server(refuse, ssl=tls.good if route.tls else None) as server:
            conn = route.connect(server, tls)
            with pytest.raises(TunnelError) as caught:
                await conn.connect()
            assert (caught.value.status, caught.value.reason) == (407, "Who")
            assert ("Proxy-Authenticate", "Basic") in caught.value.headers
            assert client_sockets(server) == []
            await server.wait_closed(1)


class TestEnding:
    async def test_close_does_not_wait(self, tls: TlsKit) -> None:
        """``close`` does not wait for a peer that neither reads nor says goodbye."""
        done = asyncio.Event()

        async def deaf(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(reply(b"ok"))
            await done.wait()

        async with raw_server(deaf, ssl=tls.good) as server:
            conn = TLS.connect(server, tls)
            assert await fetch(conn) == b"ok"
            before = timers()
            loop = asyncio.get_running_loop()
            started = loop.time()
            await conn.close()
            assert loop.time() - started < 0.5
            assert client_sockets(server) == []
            assert timers() == [each for each in before if not each.cancelled()]
            done.set()

    async def test_close_is_bounded(self, tls: TlsKit) -> None:
        """``close`` in the middle of a body that nobody takes ends within its second, with the socket closed."""
        done = asyncio.Event()

        async def deaf(peer: Peer) -> None:
            await peer.read_head()
            await done.wait()

        async with raw_server(deaf, ssl=tls.good) as server:
            conn = TLS.connect(server, tls)
            conn.timeout = Timeout(write=0.05)
            conn.putrequest("POST", "/")
            conn.putheader("Content-Length", 1 << 30)
            await conn.endheaders()
            assert conn._stream is not None
            while not conn._stream.writing_paused:
                conn._stream.transport.write(bytes(1 << 18))
            loop = asyncio.get_running_loop()
            started = loop.time()
            await conn.close()
            assert loop.time() - started < 3
            assert client_sockets(server) == []
            done.set()

    @pytest.mark.parametrize("strict", [True, False])
    @pytest.mark.parametrize("goodbye", [True, False])
    async def test_until_close(self, tls: TlsKit, strict: bool, goodbye: bool) -> None:
        """A body that ends with the connection is whole with close_notify; without, strict mode takes it for cut."""

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(b"HTTP/1.1 200 OK\r\n\r\nsome of it")
            if goodbye:
                peer.close()
            else:
                peer.cut()

        async with raw_server(script, ssl=tls.good) as server, https(server, context=tls.client, strict=strict) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            if strict and not goodbye:
                with pytest.raises(IncompleteRead) as caught:
                    await response.read()
                assert caught.value.partial == b"some of it"
            else:
                assert await response.read() == b"some of it"
            await until(lambda: not client_sockets(server))

    @pytest.mark.parametrize(
        "body", [b"Content-Length: 100\r\n\r\nshort", b"Transfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n"]
    )
    @pytest.mark.parametrize("goodbye", [True, False])
    async def test_cut_short(self, tls: TlsKit, body: bytes, goodbye: bool) -> None:
        """A body that says its length is IncompleteRead when it is cut, with close_notify or without."""

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(b"HTTP/1.1 200 OK\r\n" + body)
            if goodbye:
                peer.close()
            else:
                peer.cut()

        async with raw_server(script, ssl=tls.good) as server, https(server, context=tls.client) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            with pytest.raises(IncompleteRead) as caught:
                await response.read()
            assert caught.value.partial == b"short"

    async def test_last_response(self, tls: TlsKit) -> None:
        """After ``Connection: close`` the client says goodbye by itself, and the next request opens a new one."""
        goodbyes: list[bytes] = []

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(reply(b"bye", "Connection: close"))
            goodbyes.append(await peer.read_until_eof())
            assert peer.departure is None, "the client left without close_notify"

        async with raw_server(script, ssl=tls.good) as server, https(server, context=tls.client) as conn:
            for number in range(3):
                assert await fetch(conn) == b"bye"
                await server.wait_closed(number + 1)
            assert goodbyes == [b""] * 3

    async def test_tickets_do_not_spoil(self, tls: TlsKit) -> None:
        """Session tickets on an idle connection (TLS 1.3) are no poison: the connection is used again."""

        async def script(peer: Peer) -> None:
            await opened.wait()
            await serve(peer)

        opened = asyncio.Event()
        client = tls.new_client()
        client.minimum_version = ssl.TLSVersion.TLSv1_3
        async with raw_server(script, ssl=tls.good) as server, https(server, context=client, strict=True) as conn:
            await conn.connect()  # the tickets come behind the server's part of the handshake
            opened.set()
            for _ in range(3):
                assert await fetch(conn) == b"/"
            assert server.connections == 1

    async def test_early_answer_and_reset(self, tls: TlsKit) -> None:
        """An answer that comes before a reset, while the body is still being sent, is what the caller gets."""

        async def script(peer: Peer) -> None:
            await peer.read_head()
            await peer.send(reply(b"too large", status="413 Content Too Large"))
            peer.reset()

        async with raw_server(script, ssl=tls.good) as server, https(server, context=tls.client) as conn:
            await conn.request("POST", "/", bytes(64 << 20))
            response = await conn.getresponse()
            assert (response.status, await response.read()) == (413, b"too large")
            await until(lambda: not client_sockets(server))

    async def test_no_descriptor_is_left(self, tls: TlsKit) -> None:
        """Each way to end a TLS connection gives its descriptor back without a turn for the collector."""
        async with raw_server(serve, ssl=tls.good) as server:
            before = open_descriptors()
            gc.disable()
            try:
                for _ in range(5):
                    conn = TLS.connect(server, tls)
                    await fetch(conn)
                    await conn.close()
                    conn = TLS.connect(server, tls)
                    await fetch(conn)
                    conn.abort()
                await server.wait_closed(10)
                await turns()
                assert open_descriptors() == before
            finally:
                gc.enable()
