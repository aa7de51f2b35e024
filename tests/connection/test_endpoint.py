"""Where a connection leads, and the way there: names, sockets, dialers of one's own."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    ConnectTimeout,
    ExchangeState,
    InvalidURL,
    MessageLimits,
)
from aiohttpclient.connection import _endpoint
from aiohttpclient.net import StreamProtocol, _resolver, adopt
from tests.support.server import raw_server, reply, script_once

from .exchanges import Dials, fetch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.server import Peer


# -- where it leads


@pytest.mark.parametrize(
    "arguments",
    [("www.cwi.nl",), ("www.cwi.nl:80",), ("www.cwi.nl", 80), ("www.cwi.nl", 80, False, 10)],
)
def test_ways_to_name_a_server(arguments: tuple[Any, ...]) -> None:
    """The documentation's four ways to name one server mean the same."""
    conn = AsyncHTTPConnection(*arguments)
    assert (conn.host, conn.port) == ("www.cwi.nl", 80)


@pytest.mark.parametrize("host", ["", ":80", "a b", "a\r\nb", "host:port", "host:-1", "host:65536", "host\0"])
def test_host_that_cannot_be_used(host: str) -> None:
    """A host or port that cannot be connected to is InvalidURL at once."""
    with pytest.raises(InvalidURL):
        AsyncHTTPConnection(host)


def test_limits_are_the_callers() -> None:
    """The bounds are those that were given, or the defaults."""
    assert AsyncHTTPConnection("example.org").limits == MessageLimits()
    assert AsyncHTTPConnection("example.org", limits=MessageLimits(fields=5)).limits.fields == 5


# -- the way there


async def test_stream_to_an_endpoint() -> None:
    """An endpoint gives a stream by itself, which says how it was opened."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        stream = await _endpoint.Endpoint(server.host, server.port)._dial(None, None)
        assert stream.dialed is not None
        assert stream.dialed.address == (server.host, server.port)
        assert stream.dialed.tls is None
        assert stream.is_clean()
        await stream.close(1)


async def test_nobody_listens() -> None:
    """A connection that is refused is the system's own error, and the object can be used again."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    async with AsyncHTTPConnection("127.0.0.1", port) as conn:
        for _ in range(2):
            with pytest.raises(ConnectionRefusedError):
                await conn.request("GET", "/")
            assert conn.state is ExchangeState.IDLE


async def test_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that nobody knows is the resolver's own error."""

    def look_up(name: str, flags: int) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(_resolver, "look_up", look_up)
    async with AsyncHTTPConnection("nobody.invalid", 80) as conn:
        with pytest.raises(socket.gaierror, match="nobody"):
            await conn.connect()


async def test_unix_socket(tmp_path: Path) -> None:
    """With ``uds`` the connection goes to a Unix socket, and host and port only name the origin."""
    path = tmp_path / "socket"
    async with raw_server(script_once(reply(b"ok")), path=path) as server:
        async with AsyncHTTPConnection("example.org", uds=str(path)) as conn:
            assert await fetch(conn) == b"ok"
        assert b"\r\nHost: example.org\r\n" in server.raw


async def test_source_address() -> None:
    """``source_address`` is where the connection comes from."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, source_address=("127.0.0.2", 0)) as conn:
            assert await fetch(conn) == b"ok"
            assert server.peers[0].socket.getpeername()[0] == "127.0.0.2"


async def test_ipv6() -> None:
    """An IPv6 address, with or without brackets, is connected to."""
    async with raw_server(script_once(reply(b"ok")), host="::1") as server:
        async with AsyncHTTPConnection("::1", server.port) as conn:
            assert await fetch(conn) == b"ok"
        async with AsyncHTTPConnection(f"[::1]:{server.port}") as conn:
            assert await fetch(conn) == b"ok"
        assert f"\r\nHost: [::1]:{server.port}\r\n".encode() in server.raw


async def test_timeout_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system gives up first, its own error passes."""

    async def give_up(*_: object, **__: object) -> None:
        raise TimeoutError(110, "Connection timed out")

    monkeypatch.setattr(_endpoint, "dial", give_up)
    async with AsyncHTTPConnection("example.org") as conn:
        with pytest.raises(TimeoutError, match="Connection timed out") as caught:
            await conn.connect()
        assert not isinstance(caught.value, ConnectTimeout)


# -- a dialer of one's own


async def test_dialer() -> None:
    """A dialer is asked for the host and the port of the connection, each time that it is opened."""
    dialer = Dials()
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
            assert conn.dialer is dialer
            assert await fetch(conn) == b"ok"
            await conn.close()
            assert await fetch(conn) == b"ok"
        assert dialer.asked == [(server.host, server.port)] * 2


async def test_dialer_of_another_stream() -> None:
    """What a dialer connects to is its own business: the request is for the origin all the same."""
    near, far = socket.socketpair()
    far.setblocking(False)

    class Pair:
        async def dial(self, host: str, port: int) -> StreamProtocol:
            return await adopt(near)

    async with AsyncHTTPConnection("example.org", dialer=Pair()) as conn:
        await conn.request("GET", "/a")
        head = await asyncio.get_running_loop().sock_recv(far, 65536)
        assert head.startswith(b"GET /a HTTP/1.1\r\nHost: example.org\r\n")
        far.send(reply(b"answer"))
        assert await (await conn.getresponse()).read() == b"answer"
    far.close()


async def test_dialer_of_a_stream_without_a_socket() -> None:
    """A dialer may give a stream in memory, whose transport has no socket to be asked whether it is quiet."""

    class Memory(asyncio.Transport):
        def __init__(self, stream: StreamProtocol) -> None:
            super().__init__()
            self.written: list[bytes] = []
            self.ended = False
            self._stream = stream

        def write(self, data: Any) -> None:
            self.written.append(bytes(data))
            self._stream.loop.call_soon(self._answer)

        def _answer(self) -> None:
            raw = reply(b"answer")
            self._stream.get_buffer(-1)[: len(raw)] = raw
            self._stream.buffer_updated(len(raw))

        def is_closing(self) -> bool:
            return self.ended

        def close(self) -> None:
            if not self.ended:
                self.ended = True
                self._stream.loop.call_soon(self._stream.connection_lost, None)

        abort = close

    class Dialer:
        async def dial(self, host: str, port: int) -> StreamProtocol:
            stream = StreamProtocol(asyncio.get_running_loop())
            transports.append(Memory(stream))
            stream.connection_made(transports[-1])
            return stream

    transports: list[Memory] = []
    async with AsyncHTTPConnection("example.org", dialer=Dialer()) as conn:
        for _ in range(2):
            assert await fetch(conn) == b"answer"
    (transport,) = transports
    assert transport.ended
    assert len(transport.written) == 2


async def test_dialer_comes_first(tmp_path: Path) -> None:
    """A dialer is asked even where ``uds`` or ``source_address`` is given."""
    dialer = Dials()
    async with raw_server(script_once(reply(b"ok"))) as server:
        uds = str(tmp_path / "nobody")
        async with AsyncHTTPConnection(server.host, server.port, uds=uds, dialer=dialer) as conn:
            assert await fetch(conn) == b"ok"
        assert len(dialer.asked) == 1


async def test_dialer_of_a_tunnel() -> None:
    """With a tunnel, the dialer is asked for the proxy."""
    dialer = Dials()

    async def script(peer: Peer) -> None:
        assert (await peer.read_head()).startswith(b"CONNECT example.org:80 ")
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.read_head()
        await peer.send(reply(b"ok"))
        await peer.read_until_eof()

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
            conn.set_tunnel("example.org", 80)
            assert await fetch(conn) == b"ok"
        assert dialer.asked == [(server.host, server.port)]


@pytest.mark.parametrize("error", [OSError(113, "no way"), KeyError("a bug"), TimeoutError("its own")])
async def test_dialer_that_fails(error: Exception) -> None:
    """What a dialer raises passes as it is, and the connection can be used again."""

    class Failing:
        async def dial(self, host: str, port: int) -> StreamProtocol:
            raise error

    async with AsyncHTTPConnection("example.org", dialer=Failing()) as conn:
        for _ in range(2):
            with pytest.raises(type(error)) as caught:
                await conn.request("GET", "/")
            assert caught.value is error
            assert conn.state is ExchangeState.IDLE
