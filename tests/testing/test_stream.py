"""The server's end of a connection, in every way in which it can end."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

import pytest

from aiohttpclient.testing import Exchange, Fault, LoopbackServer
from aiohttpclient.testing._stream import ClientGone, ServerStream
from tests.testing.serving import SCHEMES, connected, exchanged

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))

LARGE = b"x" * 5_000_000
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class _Ends(Fault):
    """Sends ``data``, and ends the connection in one way."""

    def __init__(self, end: str, data: bytes = b"") -> None:
        self.end = end
        self.data = data

    async def play(self, exchange: Exchange) -> None:
        await exchange.send(self.data)
        await getattr(exchange._stream, self.end)()
        exchange.begun = exchange.closes = True


@both
@pytest.mark.parametrize("end", ["finish", "cut"])
@pytest.mark.parametrize("data", [b"", b"hello", LARGE], ids=["nothing", "little", "much"])
async def test_all_arrives(tls: bool, end: str, data: bytes) -> None:
    """What was sent before an end arrives, however much it is; but where TLS is cut, not what finds no room."""
    async with LoopbackServer(tls=tls) as server:
        server.add("GET", "/", _Ends(end, data))
        received = await exchanged(server, GET)
        assert data.startswith(received)
        assert received == data or (tls and end == "cut" and data is LARGE)


async def _ended(server: LoopbackServer) -> tuple[bytes, int]:
    """The goodbye with which the server ends a TLS connection, if there is one, and how many bytes came before."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = server.client_context
    assert context is not None
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        asked, received = False, 0
        while True:
            try:
                if not asked:
                    tls.do_handshake()
                    asked = bool(tls.write(GET))
                if not (block := tls.read(65536)):
                    return b"close_notify", received
                received += len(block)
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                if data := await reader.read(65536):
                    incoming.write(data)
                else:
                    incoming.write_eof()
            except ssl.SSLError:
                return b"nothing", received
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@pytest.mark.parametrize(("end", "goodbye"), [("finish", b"close_notify"), ("cut", b"nothing")])
@pytest.mark.parametrize("data", [b"", b"hello"], ids=["at once", "later"])
async def test_close_notify(end: str, goodbye: bytes, data: bytes) -> None:
    """A connection that is finished ends with close_notify, one that is cut does not (RFC 8446 section 6.1)."""
    async with LoopbackServer(tls=True) as server:
        server.add("GET", "/", _Ends(end, data))
        came, size = await _ended(server)
        assert came == goodbye
        assert size == len(data)


async def test_reset() -> None:
    """A reset is a reset."""
    async with LoopbackServer() as server:
        server.add("GET", "/", _Ends("reset"))
        with pytest.raises(ConnectionResetError):
            await exchanged(server, GET)


@both
async def test_client_that_is_gone(tls: bool) -> None:
    """Reading from and writing to a client that is gone raises one class, which is no ConnectionError."""
    outcomes: list[str] = []
    async with LoopbackServer(tls=tls) as server:

        @server.raw
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            stream = ServerStream(reader, writer)
            await stream.receive()
            assert stream.take(1) == b"a"
            assert stream.take(10) == b"bc"
            with pytest.raises(ClientGone, match="ended its side"):
                await stream.receive()
            with pytest.raises(ClientGone):
                while True:
                    await stream.send(LARGE)
            stream.abort()
            assert stream.is_closing
            with pytest.raises(ClientGone, match="was closed"):
                await stream.send(b"x")
            outcomes.append("well")

        async with connected(server) as (_, writer):
            writer.write(b"abc")
        while not server.connections[0].closed:
            await asyncio.sleep(0)
    assert outcomes == ["well"]


@both
async def test_discard(tls: bool) -> None:
    """What is discarded is read to its end, and not kept."""
    async with LoopbackServer(tls=tls) as server:
        kept = []

        @server.raw
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            stream = ServerStream(reader, writer)
            await stream.discard()
            kept.append(bytes(stream.unread))

        async with connected(server) as (_, writer):
            writer.write(LARGE)
            await writer.drain()
        while not kept:
            await asyncio.sleep(0)
    assert kept == [b""]
