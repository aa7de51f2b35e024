"""The scripted server does what a script says, on every transport, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from tests.support.leaks import other_tasks
from tests.support.server import Peer, RawServer, raw_server, reply, script_once

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.server import Script
    from tests.support.tls import TlsKit

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def _connect(
    server: RawServer, context: ssl.SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if server.path is not None:
        return await asyncio.open_unix_connection(server.path)
    name = "localhost" if context is not None else None
    # A limit that is not reached: uvloop's TLS loses what it holds when the end comes while reading is paused.
    return await asyncio.open_connection(server.host, server.port, ssl=context, server_hostname=name, limit=2**20)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def _exchange(server: RawServer, data: bytes, context: ssl.SSLContext | None = None) -> bytes:
    """Send ``data`` and receive until the server closes."""
    reader, writer = await _connect(server, context)
    writer.write(data)
    received = await reader.read()
    await _close(writer)
    return received


async def _visit(script: Script, times: int = 1, then: Exception | None = None) -> None:
    """Have ``script`` run so many times, and raise ``then`` in the server's block."""
    async with raw_server(script) as server:
        for _ in range(times):
            await _exchange(server, b"")
        if then is not None:
            raise then


async def _nothing(peer: Peer) -> None:
    pass


async def _wait_for_ever(peer: Peer) -> None:
    await asyncio.Event().wait()


# -- receiving


async def test_read_head_and_exactly() -> None:
    """A head ends with its empty line; what follows is left for the next read."""

    async def script(peer: Peer) -> None:
        assert await peer.read_head() == b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n"
        assert await peer.read_exactly(3) == b"hel"
        assert await peer.read_exactly(2) == b"lo"
        await peer.send(reply(b"done"))

    async with raw_server(script) as server:
        assert await _exchange(server, b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello") == reply(b"done")
        assert server.raw == server.peers[0].raw == b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (b"", b""),
        (b"Content-Length: 3\r\n", b"abc"),
        (b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n"),
        (b"Transfer-Encoding: chunked\r\n", b"5\r\n0\r\n\r\n\r\n0\r\n\r\n"),
    ],
)
async def test_read_request(fields: bytes, body: bytes) -> None:
    """A request ends where its framing says, and the next one on the connection is read as well."""
    head = b"PUT / HTTP/1.1\r\n" + fields + b"\r\n"

    async def script(peer: Peer) -> None:
        assert await peer.read_request() == (head, body)
        assert await peer.read_request() == (head, body)

    async with raw_server(script) as server:
        assert await _exchange(server, 2 * (head + body)) == b""
        assert server.peers[0].departure is None


async def test_read_until_eof_is_checked_to_the_end() -> None:
    """What a script asserts of the rest of its input counts, even when the block ends once the client has closed."""
    seen = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.read_until_eof())

    async with raw_server(script) as server:
        _, writer = await _connect(server)
        writer.write(b"x" * 300_000)
        await _close(writer)
    assert [len(data) for data in seen] == [300_000]


async def test_client_ends_early() -> None:
    """A client that leaves in the middle of a head ends the script in silence, and is remembered."""
    after = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        after.append("read_head")

    async with raw_server(script) as server:
        _, writer = await _connect(server)
        writer.write(b"GET /")
        await _close(writer)
        await server.wait_closed()
        assert isinstance(server.peers[0].departure, EOFError)
    assert after == []


async def test_client_resets() -> None:
    """A reset by the client ends ``read_until_eof`` with what had come, and is remembered."""
    reset = asyncio.Event()
    rest = []

    async def script(peer: Peer) -> None:
        await peer.read_head()
        reset.set()
        rest.append(await peer.read_until_eof())

    async with raw_server(script) as server:
        with socket.create_connection((server.host, server.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.sendall(REQUEST)
            await reset.wait()
        await server.wait_closed()
        assert isinstance(server.peers[0].departure, ConnectionResetError)
    assert rest == [b""]


# -- sending and ending


async def test_drip() -> None:
    """Dripped bytes arrive one by one."""

    async def script(peer: Peer) -> None:
        await peer.drip(b"dripping")

    async with raw_server(script) as server:
        reader, writer = await _connect(server)
        parts = []
        while part := await reader.read(100):
            parts.append(part)
        await _close(writer)
    assert b"".join(parts) == b"dripping"
    assert len(parts) > 1


async def test_half_close() -> None:
    """After a half close the client sees the end and can still send."""
    received = []

    async def script(peer: Peer) -> None:
        peer.half_close()
        received.append(await peer.read_until_eof())

    async with raw_server(script) as server:
        reader, writer = await _connect(server)
        assert await reader.read() == b""
        writer.write(b"still sending")
        writer.write_eof()
        await server.wait_closed()
        await _close(writer)
    assert received == [b"still sending"]


async def test_reset_is_seen_by_the_client() -> None:
    """A reset is ConnectionResetError for the client, not an orderly end."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        peer.reset()

    async with raw_server(script) as server:
        reader, writer = await _connect(server)
        writer.write(REQUEST)
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        with pytest.raises(ConnectionResetError):
            await writer.wait_closed()


@pytest.mark.parametrize("end", ["close", "reset", "cut"])
async def test_ended_from_outside(end: str) -> None:
    """A test may end a connection while its script waits for it; the script then ends in silence."""

    async def script(peer: Peer) -> None:
        await peer.read_head()

    async with raw_server(script) as server:
        reader, writer = await _connect(server)
        await server.wait_connections()
        getattr(server.peers[0], end)()
        await server.peers[0].closed.wait()
        assert isinstance(server.peers[0].departure, ConnectionAbortedError)
        writer.transport.abort()
        assert isinstance(await asyncio.gather(reader.read(), return_exceptions=True), list)


async def test_a_script_that_reads_nothing_blocks_writes() -> None:
    """There is no buffer but the kernel's: a client that sends without end is soon held up."""
    async with raw_server(_wait_for_ever) as server:
        with socket.create_connection((server.host, server.port)) as client:
            client.setblocking(False)
            sent = iter(lambda: client.send(bytes(65536)), 0)
            with pytest.raises(BlockingIOError):
                list(sent)


async def test_script_once() -> None:
    """Requests of one connection are answered in order; then the connection stays open until the client ends it."""
    first, second = reply(b"first", "X-Number: 1"), reply(status="404 Not Found")
    assert first == b"HTTP/1.1 200 OK\r\nX-Number: 1\r\nContent-Length: 5\r\n\r\nfirst"
    async with raw_server(script_once(first, second)) as server:
        for _ in range(2):
            reader, writer = await _connect(server)
            for response in (first, second):
                writer.write(REQUEST)
                assert await reader.readexactly(len(response)) == response
            assert not reader.at_eof()
            await _close(writer)
        await server.wait_closed(2)
        assert server.connections == 2
        assert [peer.number for peer in server.peers] == [0, 1]


async def test_script_once_that_closes() -> None:
    """With ``close`` the end of the responses is the end of the connection."""
    async with raw_server(script_once(reply(b"bye"), close=True)) as server:
        assert await _exchange(server, REQUEST) == reply(b"bye")


# -- where it listens


async def test_ipv4() -> None:
    """The address is that of the socket, and what a URL needs."""
    async with raw_server(_nothing) as server:
        assert (server.host, server.path) == ("127.0.0.1", None)
        assert server.netloc == f"127.0.0.1:{server.port}"
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert await _exchange(server, b"") == b""


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_ipv6() -> None:
    """An IPv6 address stands in brackets in a URL."""
    async with raw_server(_nothing, host="::1") as server:
        assert server.host == "::1"
        assert server.url == f"http://[::1]:{server.port}"
        assert await _exchange(server, b"") == b""


async def test_unix_socket(tmp_path: Path) -> None:
    """A Unix socket has a path, and the URL of a local host."""
    path = tmp_path / "socket"
    async with raw_server(script_once(reply(b"local"), close=True), path=path) as server:
        assert (server.path, server.host, server.port) == (str(path), "localhost", 0)
        assert server.url == "http://localhost"
        assert await _exchange(server, REQUEST) == reply(b"local")


# -- TLS


async def test_tls(tls: TlsKit) -> None:
    """Under TLS the script sees and sends plain bytes, and its end is a close_notify, not a truncation."""
    body = bytes(range(256)) * 2000
    async with raw_server(script_once(reply(body), close=True), ssl=tls.good) as server:
        assert server.url == f"https://127.0.0.1:{server.port}"
        assert await _exchange(server, REQUEST, tls.client) == reply(body)
        assert server.raw == REQUEST


async def test_tls_truncation(tls: TlsKit) -> None:
    """``cut`` ends a TLS connection without close_notify, which the client's TLS can tell."""

    async def script(peer: Peer) -> None:
        await peer.send(b"part")
        peer.cut()

    async with raw_server(script, ssl=tls.good) as server:
        context = tls.new_client()
        # Python sets this with OpenSSL 3, where a missing close_notify is an error without it.
        context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        with (
            socket.create_connection((server.host, server.port)) as plain,
            pytest.raises(ssl.SSLError, match=r"(?i)eof"),
        ):
            await asyncio.to_thread(_read_tls_to_the_end, plain, context)


def _read_tls_to_the_end(plain: socket.socket, context: ssl.SSLContext) -> None:
    with context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as sock:
        while sock.recv(100):
            pass


async def test_start_tls_after_connect(tls: TlsKit) -> None:
    """A script can answer CONNECT in the clear and go on with TLS, as a proxy with the origin behind it."""

    async def script(peer: Peer) -> None:
        assert (await peer.read_head()).startswith(b"CONNECT ")
        await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        await peer.start_tls(tls.good)
        await script_once(reply(b"inside"), close=True)(peer)

    async with raw_server(script) as server:
        reader, writer = await _connect(server)
        writer.write(b"CONNECT localhost:443 HTTP/1.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(tls.client, server_hostname="localhost")
        writer.write(REQUEST)
        assert await reader.read() == reply(b"inside")
        await _close(writer)


async def test_tls_within_tls(tls: TlsKit) -> None:
    """TLS can be started within TLS, as for an origin behind a proxy that is itself spoken to over TLS."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        await peer.start_tls(tls.good)
        await script_once(reply(b"innermost"))(peer)

    def client(host: str, port: int) -> bytes:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        inner = tls.client.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with (
            socket.create_connection((host, port)) as plain,
            tls.client.wrap_socket(plain, server_hostname="localhost") as outer,
        ):
            outer.sendall(b"CONNECT localhost:443 HTTP/1.1\r\n\r\n")
            assert outer.recv(1000).endswith(b"\r\n\r\n")
            steps: list[Callable[[], object]] = [
                inner.do_handshake,
                lambda: inner.write(REQUEST),
                lambda: inner.read(1000),
            ]
            result: object = None
            while steps:
                try:
                    result = steps[0]()
                    del steps[0]
                except ssl.SSLWantReadError:
                    outer.sendall(outgoing.read())
                    incoming.write(outer.recv(65536))
                else:
                    outer.sendall(outgoing.read())
            assert isinstance(result, bytes)
            return result

    async with raw_server(script, ssl=tls.good) as server:
        assert await asyncio.to_thread(client, server.host, server.port) == reply(b"innermost")


async def test_refused_handshake(tls: TlsKit) -> None:
    """A client that refuses the certificate ends the connection before the script runs; that fails nothing here."""
    ran = []

    async def script(peer: Peer) -> None:
        ran.append(peer.number)

    async with raw_server(script, ssl=tls.unknown_authority) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await _connect(server, tls.client)
        await server.wait_closed()
        assert isinstance(server.peers[0].departure, (ssl.SSLError, EOFError, ConnectionError))
    assert ran == []


# -- the end of the block


async def test_a_failing_script_fails_the_test() -> None:
    """What a script raises comes out of the block."""

    async def script(peer: Peer) -> None:
        raise AssertionError("the client sent something else")

    with pytest.raises(AssertionError, match="something else"):
        await _visit(script)


async def test_failing_scripts_are_all_reported() -> None:
    """When several scripts raise, all of it comes out."""

    async def script(peer: Peer) -> None:
        raise AssertionError(f"connection {peer.number}")

    with pytest.raises(ExceptionGroup) as caught:
        await _visit(script, times=2)
    assert [str(error) for error in caught.value.exceptions] == ["connection 0", "connection 1"]


async def test_a_failing_script_is_noted_on_the_clients_error() -> None:
    """When the block raises itself, its error stands, with a note of what the scripts raised."""

    async def script(peer: Peer) -> None:
        raise AssertionError("the reason")

    with pytest.raises(ValueError, match="the consequence") as caught:
        await _visit(script, then=ValueError("the consequence"))
    assert "the reason" in caught.value.__notes__[0]


@pytest.mark.parametrize("script", [_wait_for_ever, script_once(reply())])
async def test_a_waiting_script_is_ended(script: Script) -> None:
    """A script that still waits when the block ends is ended, its connection closed, and no task is left."""
    async with raw_server(script) as server:
        reader, writer = await _connect(server)
        await server.wait_connections()
    assert other_tasks() == set()
    assert server.peers[0].closed.is_set()
    assert await reader.read() == b""
    await _close(writer)


async def test_a_sending_script_is_ended() -> None:
    """A script that waits for a client that does not read is ended as well."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.send(bytes(1_000_000))

    with socket.socket() as client:
        async with raw_server(script) as server:
            await asyncio.get_running_loop().run_in_executor(None, client.connect, (server.host, server.port))
            await server.wait_connections()
        assert server.peers[0].closed.is_set()


async def test_cancelled_block() -> None:
    """Cancelled, the block ends its scripts before it ends itself."""
    entered = asyncio.Event()
    servers: list[RawServer] = []

    async def use() -> None:
        async with raw_server(_wait_for_ever) as server:
            servers.append(server)
            _, writer = await _connect(server)
            try:
                await server.wait_connections()
                entered.set()
                await asyncio.Event().wait()
            finally:
                await _close(writer)

    task = asyncio.create_task(use())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert servers[0].peers[0].closed.is_set()
    assert other_tasks() == set()


async def test_many_connections() -> None:
    """Connections that come at once are each served, and counted in order."""
    async with raw_server(script_once(reply(b"one of many"), close=True)) as server:
        answers = await asyncio.gather(*(_exchange(server, REQUEST) for _ in range(100)))
        assert set(answers) == {reply(b"one of many")}
        await server.wait_closed(100)
        assert [peer.number for peer in server.peers] == list(range(100))


async def test_a_port_in_use() -> None:
    """When the server cannot listen, nothing is left of the attempt."""
    with pytest.raises(OSError, match=r"(?i)address"):
        async with raw_server(_nothing, host="192.0.2.1"):  # TEST-NET-1 (RFC 5737): no machine has it
            pytest.fail("it listens")
