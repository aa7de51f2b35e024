"""The life of a connection: opened, used by one task at a time, found dead or poisoned, closed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPConnection,
    AsyncHTTPSConnection,
    CannotSendRequest,
    ConcurrentUse,
    ConnectTimeout,
    ExchangeState,
    ImproperConnectionState,
    InvalidURL,
    MessageLimits,
    NotConnected,
    ResponseNotReady,
    Timeout,
    TotalTimeout,
)
from aiohttpclient.connection import Origin, _link
from aiohttpclient.connection._link import effective_timeout
from aiohttpclient.net import StreamProtocol, TCPDialer, _dialer, _resolver, adopt
from tests.support.server import raw_server, reply, script_once

from .exchanges import Listener, fetch, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from aiohttpclient import AsyncHTTPResponse
    from tests.support.server import Peer
    from tests.support.tls import TlsKit


class Dials:
    """A dialer that remembers what it was asked for, and waits until it may go on; ``stubborn``: cancelled or not."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.asked: list[tuple[str, int]] = []
        self.cancelled = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self._stubborn = stubborn

    async def dial(self, host: str, port: int) -> StreamProtocol:
        """Connect as asked."""
        self.asked.append((host, port))
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            if not self._stubborn:
                raise
            await self.go_on.wait()
        return await TCPDialer().dial(host, port)


POISON = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison"


# -- what it is


def test_attributes() -> None:
    """A connection has the attributes of http.client's."""
    conn = AsyncHTTPConnection("www.example.org", 8080, timeout=10)
    assert (conn.host, conn.port, conn.timeout) == ("www.example.org", 8080, 10)
    assert (conn.default_port, conn.auto_open, conn.debuglevel, conn.strict) == (80, True, 0, False)
    assert conn.state is ExchangeState.IDLE
    assert not conn.connected
    conn.set_debuglevel(1)
    assert conn.debuglevel == 1
    assert conn.get_proxy_response_headers() is None


def test_arguments_by_position() -> None:
    """The arguments of the constructors have the order of the documentation."""
    conn = AsyncHTTPConnection("example.org", 81, True, 5, ("127.0.0.1", 0))
    assert (conn.strict, conn.timeout, conn.source_address) == (True, 5, ("127.0.0.1", 0))
    secure = AsyncHTTPSConnection("example.org", 444, None, None, True, 5, ("127.0.0.1", 0))
    assert (secure.strict, secure.timeout, secure.source_address) == (True, 5, ("127.0.0.1", 0))


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


@pytest.mark.parametrize("blocksize", [0, -1])
def test_blocksize_that_cannot_be_used(blocksize: int) -> None:
    """Blocks have at least one byte."""
    with pytest.raises(ValueError, match="blocksize"):
        AsyncHTTPConnection("example.org", blocksize=blocksize)


async def test_repr() -> None:
    """The repr tells where to, what is going on, and whether there is a connection; it has no password in it."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            where = f"127.0.0.1:{server.port}"
            assert repr(conn) == f"<AsyncHTTPConnection {where} IDLE (not connected)>"
            await conn.connect()
            assert repr(conn) == f"<AsyncHTTPConnection {where} IDLE>"
            await conn.request("GET", "http://user:secret@127.0.0.1/")
            assert repr(conn) == f"<AsyncHTTPConnection {where} REQUEST_SENT>"
            response = await conn.getresponse()
            assert repr(conn) == f"<AsyncHTTPConnection {where} READING_RESPONSE>"
            assert "secret" not in repr(response)
    assert repr(AsyncHTTPConnection("::1", 81)) == "<AsyncHTTPConnection [::1]:81 IDLE (not connected)>"
    assert repr(AsyncHTTPConnection("a", uds="/x")) == "<AsyncHTTPConnection /x IDLE (not connected)>"


# -- opening


async def test_connect() -> None:
    """``connect()`` opens the connection; when it is open already, it does nothing."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.connect()
            await conn.connect()
            assert conn.connected
            assert await fetch(conn) == b"ok"
            await conn.connect()
            await server.wait_connections()
            assert server.connections == 1


async def test_connect_within_an_exchange() -> None:
    """``connect()`` in the middle of an exchange is refused, and the exchange goes on."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            with pytest.raises(CannotSendRequest):
                await conn.connect()
            assert await (await conn.getresponse()).read() == b"ok"


async def test_opened_when_needed() -> None:
    """A request opens the connection by itself."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"ok"
            await server.wait_connections()


@pytest.mark.parametrize("off", [0, False])
async def test_not_opened_when_not_wanted(off: int) -> None:
    """With ``auto_open`` off, a request on a connection that is not open is NotConnected."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            conn.auto_open = off
            with pytest.raises(NotConnected):
                await conn.request("GET", "/")
            conn.putrequest("GET", "/")
            with pytest.raises(NotConnected):
                await conn.endheaders()
            assert conn.state is ExchangeState.IDLE
            await conn.connect()
            assert await fetch(conn) == b"ok"


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


async def test_connect_timeout_of_a_dialer() -> None:
    """The connect timeout bounds a dialer too, which is cancelled."""
    dialer = Dials()
    dialer.go_on.clear()
    async with AsyncHTTPConnection("example.org", dialer=dialer, timeout=Timeout(connect=0.02)) as conn:
        with pytest.raises(ConnectTimeout):
            await conn.connect()
        assert dialer.cancelled == 1


# -- the timeout


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (5, Timeout(pool=5, connect=5, write=5, read=5)),
        (0.5, Timeout(0.5)),
        (None, Timeout(pool=None, connect=None, write=None, read=None, min_rate=None)),
        (Timeout(read=1), Timeout(connect=10, write=30, read=1)),
    ],
)
def test_effective_timeout(given: Any, expected: Timeout) -> None:
    """A number bounds each wait, None bounds none, and a Timeout says what it says."""
    assert effective_timeout(given) == expected
    assert AsyncHTTPConnection("example.org", timeout=given).timeout == given


@pytest.mark.parametrize("given", [0, -1, "5", float("nan"), True])
def test_timeout_that_cannot_be_used(given: Any) -> None:
    """What is not a time is refused at once, also when it is set later."""
    with pytest.raises((ValueError, TypeError)):
        AsyncHTTPConnection("example.org", timeout=given)
    conn = AsyncHTTPConnection("example.org", timeout=7)
    with pytest.raises((ValueError, TypeError)):
        conn.timeout = given
    assert conn.timeout == 7


def test_default_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a timeout the global default of sockets counts, if it is set, and else our own."""
    default = AsyncHTTPConnection("example.org").timeout
    assert effective_timeout(default) == Timeout()
    monkeypatch.setattr(socket, "getdefaulttimeout", lambda: 7.0)
    assert effective_timeout(default) == Timeout(7)
    assert AsyncHTTPConnection("example.org")._timeout == Timeout(7)


async def test_connect_timeout() -> None:
    """A connection that is not opened in time is a ConnectTimeout that says so, and leaves nothing behind."""
    with full_backlog() as (host, port):
        async with AsyncHTTPConnection(host, port, timeout=Timeout(connect=0.05)) as conn:
            for attempt in (conn.connect, lambda: conn.request("GET", "/path")):
                with pytest.raises(ConnectTimeout) as caught:
                    await attempt()
                error = caught.value
                assert isinstance(error, TimeoutError)
                assert (error.phase, error.limit) == ("connect", 0.05)
                assert 0.04 < error.elapsed < 5
                assert error.url is not None
                assert error.url.startswith(f"http://{host}:{port}")
                assert f"http://{host}:{port}" in str(error)
                assert conn.state is ExchangeState.IDLE
                assert not conn.connected


@contextlib.contextmanager
def full_backlog() -> Any:
    """The address of a socket whose queue of connections is full, so that the kernel does not answer."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            client = sockets.enter_context(socket.socket())
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.connect(listener.getsockname())
        yield listener.getsockname()


async def test_connect_timeout_covers_the_look_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up of the name counts as a part of connecting."""
    release = threading.Event()
    look_up = _resolver.look_up

    def never(name: str, flags: int) -> Any:
        if flags & socket.AI_NUMERICHOST:
            return look_up(name, flags)
        release.wait(30)
        return []

    monkeypatch.setattr(_resolver, "look_up", never)
    try:
        async with AsyncHTTPConnection("slow.invalid", timeout=0.05) as conn:
            with pytest.raises(ConnectTimeout):
                await conn.connect()
    finally:
        release.set()
        await until(lambda: not _dialer._RESOLVER._jobs)  # else the next to ask for the name would join it


async def test_timeout_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system gives up first, its own error passes."""

    async def give_up(*_: object, **__: object) -> None:
        raise TimeoutError(110, "Connection timed out")

    monkeypatch.setattr(_link, "dial", give_up)
    async with AsyncHTTPConnection("example.org") as conn:
        with pytest.raises(TimeoutError, match="Connection timed out") as caught:
            await conn.connect()
        assert not isinstance(caught.value, ConnectTimeout)


@pytest.mark.parametrize("total", [0.05, 0.0504, 0.0496])
async def test_total_while_connecting(total: float) -> None:
    """A total that ends before the connection is open is a TotalTimeout, to whatever fraction of a millisecond."""
    with full_backlog() as (host, port):
        async with AsyncHTTPConnection(host, port, timeout=Timeout(total=total)) as conn:
            for attempt in (conn.connect, lambda: conn.request("GET", "/path")):
                with pytest.raises(TotalTimeout) as caught:
                    await attempt()
                assert caught.value.limit == total
                assert 0.04 < caught.value.elapsed < 5
                assert caught.value.url is not None
                assert caught.value.url.startswith(f"http://{host}:{port}")


async def test_shorter_bound_of_connecting() -> None:
    """Of the connect timeout and the total, the one that ends first is named."""
    with full_backlog() as (host, port):
        for timeout, error in ((Timeout(total=5, connect=0.02), ConnectTimeout), (Timeout(total=0.02), TotalTimeout)):
            async with AsyncHTTPConnection(host, port, timeout=timeout) as conn:
                with pytest.raises(error):
                    await conn.connect()


# -- closing


async def test_close() -> None:
    """``close()`` closes the connection, twice if need be; the next request opens another."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.close()
            assert await fetch(conn) == b"ok"
            await conn.close()
            await conn.close()
            assert not conn.connected
            await server.wait_closed()
            assert await fetch(conn) == b"ok"
            assert server.connections == 2


async def test_close_sends_what_is_unsent() -> None:
    """``close()`` waits until what was written has left: a request that nobody waits for arrives whole."""
    async with raw_server(_swallow) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        conn.putrequest("POST", "/")
        conn.putheader("Content-Length", 3_000_000)
        await conn.endheaders()
        await conn.send(bytes(3_000_000))
        await conn.close()
        await server.wait_closed()
        assert len(server.raw.partition(b"\r\n\r\n")[2]) == 3_000_000


async def _swallow(peer: Peer) -> None:
    await peer.read_until_eof()


async def test_close_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """``close()`` does not wait for ever for a peer that takes nothing."""
    monkeypatch.setattr(_link, "CLOSE_TIMEOUT", 0.05)
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await done.wait()

    async with raw_server(script) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        await conn.connect()
        assert conn._stream is not None
        conn._stream.writer.write(bytes(20_000_000))
        async with asyncio.timeout(5):
            await conn.close()
        done.set()


async def test_abort() -> None:
    """``abort()`` closes the connection without waiting."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        conn.abort()
        await conn.request("GET", "/")
        conn.abort()
        assert not conn.connected
        assert conn.state is ExchangeState.IDLE
        with pytest.raises(ResponseNotReady):
            await conn.getresponse()
        await server.wait_closed()


async def test_async_with() -> None:
    """``async with`` closes the connection, also when the block fails."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        with pytest.raises(KeyError):
            async with AsyncHTTPConnection(server.host, server.port) as conn:
                assert await fetch(conn) == b"ok"
                raise KeyError
        assert not conn.connected
        await server.wait_closed()


async def test_forgotten_connection() -> None:
    """A connection that is forgotten complains, and is closed all the same."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        await fetch(conn)
        with pytest.warns(ResourceWarning, match=r"unclosed connection <AsyncHTTPConnection 127\.0\.0\.1") as caught:
            del conn
            gc.collect()
        assert len(caught) == 1
        await server.wait_closed()
        assert [peer.departure for peer in server.peers] == [None]  # an end of file, which its script waits for


async def test_forgotten_within_an_exchange() -> None:
    """The same in the middle of an exchange, when only the response was kept: that keeps the connection."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        conn = AsyncHTTPConnection(server.host, server.port)
        await conn.request("GET", "/")
        response = await conn.getresponse()
        del conn
        gc.collect()
        assert await response.read() == b"ok"
        with pytest.warns(ResourceWarning, match="unclosed connection"):
            del response
            gc.collect()
        await server.wait_closed()


async def test_connection_that_was_never_opened() -> None:
    """A connection that was never opened, or could not be made, is forgotten in silence."""
    AsyncHTTPConnection("example.org")
    with pytest.raises(InvalidURL):
        AsyncHTTPConnection("a b")
    gc.collect()


# -- what is found on an idle connection

ANSWERS = {
    "a length": ("GET", reply(b"answer")),
    "chunks": ("GET", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n"),
    "no body": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
    "HEAD": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"),
}
SURPLUS = {"an answer": POISON, "a byte": b"\0", "an empty line": b"\r\n", "1xx": b"HTTP/1.1 103 Early Hints\r\n\r\n"}

every_answer = pytest.mark.parametrize("answer", ANSWERS)


@every_answer
@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_surplus_in_the_same_segment(answer: str, surplus: str, secure: bool, tls: TlsKit) -> None:
    """Bytes right behind a response make the connection unusable; the next request gets its own answer."""
    method, raw = ANSWERS[answer]

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"next") if peer.number else raw + SURPLUS[surplus])
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await fetch(conn, method)
        await until(lambda: not conn.connected)
        assert await fetch(conn) == b"next"
        assert server.connections == 2


def connection_to(server: Any, tls: TlsKit) -> AsyncHTTPConnection:
    if server.url.startswith("https"):
        return AsyncHTTPSConnection(server.host, server.port, context=tls.client)
    return AsyncHTTPConnection(server.host, server.port)


@every_answer
@pytest.mark.parametrize("surplus", SURPLUS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_surplus_later(answer: str, surplus: str, secure: bool, tls: TlsKit) -> None:
    """Bytes that come while a connection is idle make it unusable."""
    method, raw = ANSWERS[answer]
    idle = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number:
            await peer.send(reply(b"next"))
        else:
            await peer.send(raw)
            await idle.wait()
            await peer.send(SURPLUS[surplus])
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await fetch(conn, method)
        assert conn.connected
        idle.set()
        await until(lambda: not conn.connected)
        assert await fetch(conn) == b"next"
        assert server.connections == 2


ENDS: dict[str, Callable[[Peer], None]] = {
    "closed": lambda peer: peer.close(),
    "half closed": lambda peer: peer.half_close(),
    "reset": lambda peer: peer.reset(),
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_end_of_an_idle_connection(end: str, secure: bool, tls: TlsKit) -> None:
    """An idle connection that the peer ends is noticed, and the next request goes over another."""
    idle = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"next" if peer.number else b"answer"))
        if not peer.number:
            await idle.wait()
            ENDS[end](peer)
        else:
            await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        assert await fetch(conn) == b"answer"
        idle.set()
        await until(lambda: not conn.connected)
        assert await fetch(conn) == b"next"


def end_of_file(sock: socket.socket) -> None:
    sock.close()


def half_close(sock: socket.socket) -> None:
    sock.shutdown(socket.SHUT_WR)


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def poison(sock: socket.socket) -> None:
    sock.sendall(POISON)


UNSEEN: dict[str, Callable[[socket.socket], None]] = {
    "bytes": poison,
    "end of file": end_of_file,
    "half closed": half_close,
    "reset": reset,
}
every_unseen = pytest.mark.parametrize("unseen", UNSEEN)


@every_unseen
@pytest.mark.parametrize("step_by_step", [False, True])
async def test_before_the_loop_could_see_it(unseen: str, step_by_step: bool) -> None:
    """What arrived on an idle connection is found before a request is written, also if the loop had no time to look."""
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            await conn.request("GET", "/one")
            peer = listener.accept()
            await listener.answer(peer, reply(b"one"))
            assert await (await conn.getresponse()).read() == b"one"
            UNSEEN[unseen](peer)
            if step_by_step:
                conn.putrequest("GET", "/two")
                await conn.endheaders()
            else:
                await conn.request("GET", "/two")
            head = await listener.answer(listener.accept(), reply(b"two"))
            assert head.startswith(b"GET /two ")
            assert await (await conn.getresponse()).read() == b"two"


@every_unseen
async def test_before_the_loop_could_see_it_on_a_new_connection(unseen: str) -> None:
    """The same on a connection over which nothing was sent yet."""
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            await conn.connect()
            UNSEEN[unseen](listener.accept())
            await conn.request("GET", "/")
            await listener.answer(listener.accept(), reply(b"answer"))
            assert await (await conn.getresponse()).read() == b"answer"


@every_unseen
async def test_before_the_loop_could_see_it_and_not_opened_again(unseen: str) -> None:
    """With ``auto_open`` off, a connection that is found dead or poisoned is NotConnected."""
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            conn.auto_open = False
            await conn.connect()
            UNSEEN[unseen](listener.accept())
            with pytest.raises(NotConnected):
                await conn.request("GET", "/")
            assert conn.state is ExchangeState.IDLE


async def test_surplus_and_not_opened_again() -> None:
    """With ``auto_open`` off, the request after a poisoned response is NotConnected, and nothing is sent."""
    async with raw_server(script_once(reply(b"answer") + POISON)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"answer"
            conn.auto_open = 0
            with pytest.raises(NotConnected):
                await conn.request("GET", "/")
            assert server.connections == 1


async def test_idle_connection_is_used_again() -> None:
    """A connection on which nothing happened is used again, however often."""
    async with raw_server(script_once(*[reply(b"answer")] * 50)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for _ in range(50):
                assert await fetch(conn) == b"answer"
            assert server.connections == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 6\r\n\r\nanswer",
        b"HTTP/1.0 200 OK\r\nContent-Length: 6\r\n\r\nanswer",
        b"HTTP/1.1 200 OK\r\n\r\nanswer",
    ],
)
async def test_connection_that_closes(raw: bytes) -> None:
    """After a response that says so, the connection is closed by us too, and the next request opens another."""
    async with raw_server(script_once(raw, close=b"Length" not in raw)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for number in (1, 2, 3):
                assert await fetch(conn) == b"answer"
                assert not conn.connected
                assert server.connections == number
                await server.wait_closed(number)


async def test_kept_alive_in_http_1_0() -> None:
    """A connection of HTTP/1.0 is used again when the server says so."""
    raw = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\nanswer"
    async with raw_server(script_once(raw, raw)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == await fetch(conn) == b"answer"
            assert server.connections == 1


async def test_session_tickets_are_not_poison(tls: TlsKit) -> None:
    """What TLS sends on its own account, as session tickets after the handshake, leaves a connection usable."""
    async with raw_server(script_once(reply(b"one"), reply(b"two")), ssl=tls.good) as server:
        for number in range(1, 11):
            async with connection_to(server, tls) as conn:
                await conn.connect()
                for _ in range(number):
                    await asyncio.sleep(0)
                assert await fetch(conn) == b"one"
                assert await fetch(conn) == b"two"
            assert server.connections == number


def test_another_loop() -> None:
    """A connection that is open in one loop is refused to another, which could not even close it."""

    async def exchange(conn: AsyncHTTPConnection, listener: Listener, body: bytes) -> None:
        await conn.request("GET", "/")
        await listener.answer(listener.accept(), reply(body))
        assert await (await conn.getresponse()).read() == body

    with Listener() as listener, asyncio.Runner() as here, asyncio.Runner() as there:
        conn = AsyncHTTPConnection(listener.host, listener.port)
        here.run(exchange(conn, listener, b"first"))
        with pytest.raises(RuntimeError, match="another event loop"):
            there.run(exchange(conn, listener, b"never"))
        here.run(conn.close())
        there.run(exchange(conn, listener, b"second"))
        there.run(conn.close())


async def test_close_that_was_asked_for() -> None:
    """After a request with ``Connection: close`` the connection is not used again, whatever the server says."""
    async with raw_server(script_once(reply(b"answer"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/", headers={"Connection": "close"})
            response = await conn.getresponse()
            assert response.will_close
            assert await response.read() == b"answer"
            assert not conn.connected
            assert await fetch(conn) == b"answer"
            assert server.connections == 2


# -- one task at a time


async def test_second_request_before_the_response() -> None:
    """A second request before the response is read is CannotSendRequest, and the first exchange goes on."""
    async with raw_server(script_once(reply(b"one"), reply(b"two"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/one")
            await refused(conn)
            response = await conn.getresponse()
            await refused(conn)
            assert await response.read(2) == b"on"
            await refused(conn)
            assert await response.read() == b"e"
            assert await fetch(conn) == b"two"
        assert server.raw.count(b"HTTP/1.1\r\n") == 2


async def refused(conn: AsyncHTTPConnection) -> None:
    """Every way to begin another request is refused now."""
    with pytest.raises(CannotSendRequest):
        await conn.request("GET", "/refused")
    with pytest.raises(CannotSendRequest):
        await conn.request("POST", "/refused", b"body")
    with pytest.raises(CannotSendRequest):
        conn.putrequest("GET", "/refused")
    with pytest.raises(CannotSendRequest):
        await conn.connect()


async def putrequest(conn: AsyncHTTPConnection) -> None:
    conn.putrequest("GET", "/intruder")


MEANWHILE: dict[str, Callable[[AsyncHTTPConnection], Awaitable[Any]]] = {
    "request": lambda conn: conn.request("GET", "/intruder"),
    "request with a body": lambda conn: conn.request("POST", "/intruder", b"body"),
    "putrequest": putrequest,
    "endheaders": lambda conn: conn.endheaders(),
    "send": lambda conn: conn.send(b"intruder"),
    "getresponse": lambda conn: conn.getresponse(),
    "connect": lambda conn: conn.connect(),
}
every_meanwhile = pytest.mark.parametrize("meanwhile", MEANWHILE)


async def intrude(conn: AsyncHTTPConnection, meanwhile: str) -> None:
    """What another task does is refused."""
    with pytest.raises(ImproperConnectionState):
        await MEANWHILE[meanwhile](conn)


@every_meanwhile
async def test_another_task_while_a_response_is_awaited(meanwhile: str) -> None:
    """While a task waits for a response, every other use of the connection is refused, and the response comes."""
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await go_on.wait()
        await peer.send(reply(b"answer"))
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        first = asyncio.create_task(conn.getresponse())
        await asyncio.sleep(0)
        await intrude(conn, meanwhile)
        go_on.set()
        assert await (await first).read() == b"answer"
        assert b"intruder" not in server.raw


@every_meanwhile
async def test_another_task_while_a_body_is_sent(meanwhile: str) -> None:
    """While a task sends a body, every other use of the connection is refused, and the body arrives whole."""
    go_on = asyncio.Event()
    body = bytes(5_000_000)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await go_on.wait()
        assert await peer.read_exactly(len(body)) == body
        await peer.send(reply(b"answer"))
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        first = asyncio.create_task(conn.request("PUT", "/", body))
        await until(lambda: conn.state is ExchangeState.SENDING_BODY)
        for _ in range(20):
            await asyncio.sleep(0)
        assert not first.done()
        await intrude(conn, meanwhile)
        go_on.set()
        await first
        assert await (await conn.getresponse()).read() == b"answer"


@every_meanwhile
async def test_another_task_while_connecting(meanwhile: str) -> None:
    """While a task opens the connection, every other use of it is refused, and the request is sent."""
    dialer = Dials()
    dialer.go_on.clear()
    async with raw_server(script_once(reply(b"answer"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
            first = asyncio.create_task(fetch(conn))
            await until(lambda: bool(dialer.asked))
            await intrude(conn, meanwhile)
            dialer.go_on.set()
            assert await first == b"answer"
            assert server.connections == 1


async def test_many_tasks_on_one_connection() -> None:
    """Of many tasks that start at once one gets its answer, and all others a named error; no answer is mixed up."""

    async def script(peer: Peer) -> None:
        while True:
            head = await peer.read_head()
            await peer.send(reply(head.split()[1]))

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        for _ in range(5):
            results = await asyncio.gather(
                *(fetch(conn, "GET", f"/{number}") for number in range(20)), return_exceptions=True
            )
            answers = [(number, result) for number, result in enumerate(results) if isinstance(result, bytes)]
            assert answers
            assert all(result == b"/%d" % number for number, result in answers)
            errors = [result for result in results if not isinstance(result, bytes)]
            assert all(isinstance(error, (ConcurrentUse, CannotSendRequest, ResponseNotReady)) for error in errors)


async def test_body_that_uses_its_own_connection() -> None:
    """A body that asks its own connection for something gets ConcurrentUse, and the request fails with that."""
    async with raw_server(_swallow) as server, AsyncHTTPConnection(server.host, server.port) as conn:

        async def body() -> AsyncIterator[bytes]:
            yield b"first"
            yield await fetch(conn, "GET", "/intruder")

        with pytest.raises(ConcurrentUse):
            await conn.request("PUT", "/", body())
        assert not conn.connected


async def test_response_of_an_earlier_connection() -> None:
    """A response whose connection was closed has no say over the one that was opened since."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"second") if peer.number else b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfirst")
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/first")
        first = await conn.getresponse()
        await conn.close()
        await conn.request("GET", "/second")
        await first.close()
        with pytest.raises(ResponseNotReady):
            await first.read()
        second = await conn.getresponse()
        with pytest.raises(ResponseNotReady):
            await first.read()
        await first.close()
        assert await second.read() == b"second"
        assert conn.connected


# -- closed by another task


async def abort(conn: AsyncHTTPConnection) -> None:
    conn.abort()


CLOSERS: dict[str, Callable[[AsyncHTTPConnection], Awaitable[Any]]] = {
    "close": lambda conn: conn.close(),
    "abort": abort,
}
every_closer = pytest.mark.parametrize("closer", CLOSERS)


@every_closer
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_closed_while_a_response_is_awaited(closer: str, secure: bool, tls: TlsKit) -> None:
    """A task that waits for a response is woken by an error that says what happened when another closes."""
    async with raw_server(_swallow, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await conn.request("GET", "/")
        waiting = asyncio.create_task(conn.getresponse())
        await asyncio.sleep(0)
        await CLOSERS[closer](conn)
        with pytest.raises(ConnectionAbortedError, match="closed"):
            await waiting
        assert conn.state is ExchangeState.IDLE


@every_closer
@pytest.mark.parametrize("framing", [b"Content-Length: 100\r\n", b"Transfer-Encoding: chunked\r\n", b""])
@pytest.mark.parametrize("amount", [None, 50])
async def test_closed_while_a_body_is_read(closer: str, framing: bytes, amount: int | None) -> None:
    """A task that reads a body is woken as well, whatever the framing: it never takes that for the end of the body."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\n")
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        response = await conn.getresponse()
        waiting = asyncio.create_task(response.read(amount))
        await asyncio.sleep(0)
        await CLOSERS[closer](conn)
        with pytest.raises((ConnectionAbortedError, ResponseNotReady), match=r"closed|aborted"):
            await waiting
        assert response.closed
        with pytest.raises((ConnectionAbortedError, ResponseNotReady)):
            await response.read()


@every_closer
async def test_closed_while_a_body_is_sent(closer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A task that sends a body is woken as well."""
    monkeypatch.setattr(_link, "CLOSE_TIMEOUT", 0.05)
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await done.wait()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        sending = asyncio.create_task(conn.request("PUT", "/", bytes(20_000_000)))
        await until(lambda: conn.state is ExchangeState.SENDING_BODY)
        for _ in range(20):
            await asyncio.sleep(0)
        await CLOSERS[closer](conn)
        with pytest.raises(ConnectionAbortedError):
            await sending
        done.set()


@every_closer
async def test_closed_while_connecting(closer: str) -> None:
    """Closing interrupts the opening of a connection at once: its task gets an error, and no connection is made."""
    dialer = Dials()
    dialer.go_on.clear()
    async with raw_server(_swallow) as server, AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
        opening = asyncio.create_task(conn.request("GET", "/"))
        await until(lambda: bool(dialer.asked))
        await CLOSERS[closer](conn)
        with pytest.raises(ConnectionAbortedError, match="closed"):
            await opening
        assert dialer.cancelled == 1
        assert not conn.connected
        assert server.connections == 0


@every_closer
async def test_closed_while_a_dialer_does_not_listen(closer: str) -> None:
    """What a dialer connects all the same, after the connection was closed, is closed, and does not appear."""
    dialer = Dials(stubborn=True)
    dialer.go_on.clear()
    async with raw_server(_swallow) as server, AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
        opening = asyncio.create_task(conn.request("GET", "/"))
        await until(lambda: bool(dialer.asked))
        await CLOSERS[closer](conn)
        await until(lambda: dialer.cancelled > 0)
        dialer.go_on.set()
        with pytest.raises(ConnectionAbortedError, match="closed"):
            await opening
        assert not conn.connected
        await server.wait_closed()
        assert server.raw == b""


@every_closer
async def test_closed_in_the_handshake(closer: str, tls: TlsKit) -> None:
    """Closing interrupts a handshake as well."""
    async with raw_server(_swallow) as server:
        async with AsyncHTTPSConnection(server.host, server.port, context=tls.client) as conn:
            opening = asyncio.create_task(conn.connect())
            await until(lambda: any(peer.raw for peer in server.peers))
            await CLOSERS[closer](conn)
            with pytest.raises(ConnectionAbortedError, match="closed"):
                await opening
            await server.wait_closed()
            assert not conn.connected


@every_closer
async def test_opened_again_after_it_was_closed_while_connecting(closer: str) -> None:
    """A connection whose opening was interrupted can be opened again."""
    dialer = Dials()
    dialer.go_on.clear()
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, dialer=dialer) as conn:
            opening = asyncio.create_task(conn.connect())
            await until(lambda: bool(dialer.asked))
            await CLOSERS[closer](conn)
            with pytest.raises(ConnectionAbortedError):
                await opening
            dialer.go_on.set()
            assert await fetch(conn) == b"ok"
            assert server.connections == 1


async def test_cancelled_while_it_is_closed() -> None:
    """A task that is cancelled in the tick in which another closes the connection is cancelled, and not merely told."""
    dialer = Dials()
    dialer.go_on.clear()
    conn = AsyncHTTPConnection("example.org", dialer=dialer)
    opening = asyncio.create_task(conn.connect())
    await until(lambda: bool(dialer.asked))
    conn.abort()
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    assert not conn.connected


@every_closer
async def test_used_again_while_the_first_task_is_being_woken(closer: str) -> None:
    """A task that closes the connection can use it at once for itself; the other one gets its error all the same."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number:
            await peer.send(reply(b"second"))
        await peer.read_until_eof()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/first")
        waiting = asyncio.create_task(conn.getresponse())
        await asyncio.sleep(0)
        conn.abort() if closer == "abort" else await conn.close()
        with contextlib.suppress(ConcurrentUse):
            assert await fetch(conn, "GET", "/second") == b"second"
        with pytest.raises(ConnectionAbortedError):
            await waiting


# -- for a pool


async def test_open() -> None:
    """``open()`` connects under bounds of its own, and gives the stream that is open then."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=1) as conn:
            stream = await conn.open(Timeout(5), None)
            assert conn.connected
            assert not stream.ended
            assert await fetch(conn) == b"ok"
            assert server.connections == 1


async def test_open_is_bounded() -> None:
    """Its bounds are the connect timeout, and the deadline of a request that began earlier."""
    with full_backlog() as (host, port):
        async with AsyncHTTPConnection(host, port) as conn:
            with pytest.raises(ConnectTimeout):
                await conn.open(Timeout(connect=0.02), None)
            loop = asyncio.get_running_loop()
            started = loop.time()
            with pytest.raises(TotalTimeout) as caught:
                await conn.open(Timeout(total=10), started + 0.02)
            assert caught.value.limit == 10
            assert 9.9 < caught.value.elapsed < 15
            with pytest.raises(TotalTimeout):
                await conn.open(Timeout(total=10), started - 1)
            assert not conn.connected


async def test_surrender_and_adopt() -> None:
    """A stream moves from one connection to another and back, between any two exchanges; the origin may be another."""
    async with raw_server(script_once(reply(b"1"), reply(b"2"), reply(b"3"))) as server:
        first, second = (AsyncHTTPConnection(server.host, server.port, strict=True) for _ in range(2))
        assert await fetch(first) == b"1"
        stream = first.surrender()
        assert stream is not None
        assert not first.connected
        second.adopt(stream, Origin("http", "example.org", 8080, 80))
        assert second.connected
        assert await fetch(second) == b"2"
        assert b"\r\nHost: example.org:8080\r\n" in server.raw
        assert second.surrender() is stream
        assert second.surrender() is None
        first.adopt(stream, Origin("http", server.host, server.port, 80))
        assert await fetch(first) == b"3"
        assert server.connections == 1
        await second.close()
        await first.close()


async def test_surrender_of_what_is_not_idle() -> None:
    """Only an open and idle stream is surrendered; else the connection stays as it is."""
    async with raw_server(script_once(reply(b"one"), reply(b"two"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert conn.surrender() is None
            await conn.request("GET", "/")
            assert conn.surrender() is None
            response = await conn.getresponse()
            assert conn.surrender() is None
            assert await response.read() == b"one"
            conn.putrequest("GET", "/")
            assert conn.surrender() is None
            await conn.endheaders()
            reading = asyncio.create_task(conn.getresponse())
            await asyncio.sleep(0)
            assert conn.surrender() is None
            assert await (await reading).read() == b"two"
            await conn.close()
            assert conn.surrender() is None


async def test_surrender_of_a_spoiled_stream() -> None:
    """A stream on which something has arrived is not surrendered."""
    async with raw_server(script_once(reply(b"one") + POISON)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"one"
            await until(lambda: not conn.connected)
            assert conn.surrender() is None


class Ledger:
    """An owner that notes what it is told, and in what state the connection is then."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool, ExchangeState]] = []

    def exchange_complete(self, conn: AsyncHTTPConnection, response: AsyncHTTPResponse) -> None:
        assert response.isclosed()
        self.told.append(("complete", conn.connected, conn.state))

    def connection_ended(self, conn: AsyncHTTPConnection) -> None:
        self.told.append(("ended", conn.connected, conn.state))


IDLE = ExchangeState.IDLE


@pytest.mark.parametrize(
    ("raw", "connected"),
    [
        (reply(b"answer"), True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nanswer\r\n0\r\n\r\n", True),
        (reply(b"answer", "Connection: close"), False),
        (reply(b"answer") + POISON, False),
    ],
)
async def test_owner_is_told_of_the_end_of_a_response(raw: bytes, connected: bool) -> None:
    """An owner is told in the step in which a response is complete, once; then the connection is nobody's."""
    async with raw_server(script_once(raw)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            conn.owner = ledger = Ledger()
            response = await conn.getresponse()
            assert await response.read(3) == b"ans"
            told_too_early = list(ledger.told)
            assert await response.read(3) == b"wer"
            await response.read()
            assert [told_too_early, ledger.told] == [[], [("complete", connected, IDLE)]]
            await conn.close()
            assert len(ledger.told) == 1


async def test_owner_is_told_of_a_response_without_a_body() -> None:
    """A response that has no body is complete when it is there."""
    async with raw_server(script_once(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            conn.owner = ledger = Ledger()
            await conn.getresponse()
            assert ledger.told == [("complete", True, IDLE)]


async def test_owner_is_told_of_the_end_of_a_connection() -> None:
    """An owner is told once when the connection is closed: by closing the response or the connection, or by a fault."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.")
        if peer.number < 4:
            await peer.read_until_eof()

    async def read(response: AsyncHTTPResponse, conn: AsyncHTTPConnection) -> None:
        with pytest.raises(Exception, match="IncompleteRead"):
            await response.read()

    async def cancel(response: AsyncHTTPResponse, conn: AsyncHTTPConnection) -> None:
        task = asyncio.create_task(response.read())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    ends: list[Callable[[AsyncHTTPResponse, AsyncHTTPConnection], Awaitable[None]]] = [
        lambda response, _: response.close(),
        lambda _, conn: conn.close(),
        lambda _, conn: abort(conn),
        cancel,
        read,
    ]
    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            for end in ends:
                await conn.request("GET", "/")
                response = await conn.getresponse()
                conn.owner = ledger = Ledger()
                await end(response, conn)
                assert ledger.told == [("ended", False, IDLE)]
                await response.close()
                await conn.close()
                conn.abort()
                assert len(ledger.told) == 1
                assert conn.owner is None


class Dying:
    """A server whose connections end in the ways that matter to whoever would repeat a request."""

    def __init__(self, first: bytes, rst: bool) -> None:
        self._first = first
        self._rst = rst

    async def __call__(self, peer: Peer) -> None:
        await peer.read_head()
        await peer.send(self._first)
        if self._rst:
            peer.reset()


@pytest.mark.parametrize("rst", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize(
    ("first", "untouched"),
    [
        (b"", True),
        (b"H", False),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP", False),
        (b"garbage", False),
    ],
)
async def test_untouched(first: bytes, untouched: bool, rst: bool) -> None:
    """After a failure ``untouched`` tells whether not a byte of a response had come."""
    async with raw_server(Dying(first, rst)) as server:
        async with AsyncHTTPConnection(server.host, server.port, strict=True) as conn:
            await conn.request("GET", "/")
            with pytest.raises(Exception, match=r".*"):
                await conn.getresponse()
            assert conn.untouched is untouched


async def test_untouched_and_refused_of_a_second_request() -> None:
    """What is told is about the last request: what an earlier exchange received does not count."""
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            await conn.request("GET", "/")
            sock = listener.accept()
            await listener.answer(sock, reply(b"first"))
            assert await (await conn.getresponse()).read() == b"first"
            await conn.request("POST", "/", b"body")
            assert not conn.refused
            await listener.answer(sock, b"")
            sock.close()
            with pytest.raises(ConnectionError):
                await conn.getresponse()
            assert conn.untouched
            assert not conn.refused


@pytest.mark.parametrize("body", [None, b"body", b"", [b"bo", b"dy"]])
async def test_refused(body: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """``refused`` tells that the transport was found closed by the very first write; on a loop that writes later it
    stays false.
    """
    tells = isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)
    with Listener() as listener:
        async with AsyncHTTPConnection(listener.host, listener.port) as conn:
            await conn.connect()
            stream = conn._stream
            assert stream is not None
            sock = listener.accept()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.close()
            monkeypatch.setattr(type(stream), "is_clean", lambda _: True)  # the reset comes after it was looked at
            with pytest.raises(ConnectionError):
                await conn.request("POST", "/", body)
                await conn.getresponse()
            assert conn.refused or not tells
            assert conn.untouched
            assert not conn.connected


# -- tunnels are in test_tunnel.py; this is what a connection has to say about them


async def test_tunnel_of_an_open_connection() -> None:
    """A tunnel has to be set before the connection is opened."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.connect()
            with pytest.raises(RuntimeError, match="established connection"):
                conn.set_tunnel("example.org")
            assert await fetch(conn) == b"ok"


def test_limits_are_the_callers() -> None:
    """The bounds are those that were given, or the defaults."""
    assert AsyncHTTPConnection("example.org").limits == MessageLimits()
    assert AsyncHTTPConnection("example.org", limits=MessageLimits(fields=5)).limits.fields == 5
