from __future__ import annotations

import asyncio
import errno
import gc
import socket
import ssl
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    AsyncHTTPConnection,
    AsyncHTTPSConnection,
    ConnectionPool,
    ConnectTimeout,
    HTTPException,
    PoolLimits,
    RemoteDisconnected,
    RetryPolicy,
)
from aiohttpclient.net import TCPDialer
from aiohttpclient.testing import MemoryDialer
from tests.net.stepping import Moment, sweep
from tests.net.streams import turns, until
from tests.support.leaks import LeakWatch, other_tasks
from tests.support.server import Peer, raw_server, reply

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from pathlib import Path

    from aiohttpclient.net import Dialer, StreamProtocol
    from tests.support.tls import TlsKit

OK = reply(b"ok")
URL = "http://example.org/"


async def answering(reader: StreamReader, writer: StreamWriter) -> None:
    """Answers each request, for as long as the client has any."""
    while True:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)


async def silent(reader: StreamReader, writer: StreamWriter) -> None:
    """Says nothing until the client goes."""
    await reader.read()


def on_asyncio() -> bool:
    return isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop)


# -- who may use it


async def test_a_client() -> None:
    """A client takes it as its transport: any name is dialled, and connections are kept."""
    async with MemoryDialer(answering) as dialer, AsyncHTTPClient(transport=dialer) as client:
        for _ in range(3):
            assert (await client.get(URL)).content == b"ok"
        response = await client.get("http://[::1]:8080/")
        assert dialer.dialed == [("example.org", 80), ("::1", 8080)]
        assert dialer.connections == 2
        assert response.timings.address == ("::1", 8080)
    assert dialer.connections == 0


async def test_a_pool() -> None:
    """A pool takes it as its dialer."""
    async with MemoryDialer(answering) as dialer, ConnectionPool(dialer=dialer) as pool:
        answers = [await pool.request("GET", URL) for _ in range(2)]
        assert [await answer.read() for answer in answers] == [b"ok", b"ok"]
        assert pool.stats().opened == 2


async def test_a_connection() -> None:
    """A connection takes it as its dialer."""
    async with MemoryDialer(answering) as dialer, AsyncHTTPConnection("example.org", dialer=dialer) as conn:
        await conn.request("GET", "/")
        assert await (await conn.getresponse()).read() == b"ok"


# -- what a handler is given


async def test_addresses() -> None:
    """The handler's own address is what was dialled, and that of its peer is one that no other client has."""
    seen: list[tuple[Any, Any]] = []

    def handler(reader: StreamReader, writer: StreamWriter) -> None:
        seen.append((writer.get_extra_info("sockname"), writer.get_extra_info("peername")))
        writer.close()

    async with MemoryDialer(handler) as dialer:
        streams = [await dialer.dial("one.test", 80), await dialer.dial("two.test", 443)]
        await until(lambda: len(seen) == 2)
        assert [own for own, _ in seen] == [("one.test", 80), ("two.test", 443)]
        assert [peer for _, peer in seen] == [stream.transport.get_extra_info("sockname") for stream in streams]
        assert seen[0][1] != seen[1][1]
        for stream in streams:
            await stream.aborted()


async def test_a_plain_function() -> None:
    """A handler may be a plain function: its connection is open until its writer, or the dialer, closes it."""
    writers: list[StreamWriter] = []
    async with MemoryDialer(lambda _, writer: writers.append(writer)) as dialer:
        async with AsyncHTTPConnection("example.org", dialer=dialer) as conn:
            await conn.request("GET", "/")
            await turns()
            writers[0].write(OK)
            assert await (await conn.getresponse()).read() == b"ok"
            assert dialer.connections == 1
        await turns()
        assert not writers[0].is_closing()  # its streams, as those of asyncio, allow for a client that has ended
        writers[0].close()
        await turns()
        assert dialer.connections == 0


async def test_the_end_of_a_handler_closes() -> None:
    """When a coroutine function returns, what it wrote arrives, and then the end."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000)

    async with MemoryDialer(handler) as dialer, AsyncHTTPClient(transport=dialer) as client:
        assert len((await client.get(URL)).content) == 300_000


async def test_large_bodies() -> None:
    """Bodies that are larger than what may be on its way go through, also an answer that comes piece by piece."""

    async def echo(reader: StreamReader, writer: StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        while left:
            data = await reader.read(1000)
            left -= len(data)
            writer.write(data)
            await writer.drain()

    body = bytes(range(256)) * 240
    async with MemoryDialer(echo, room=1500) as dialer, AsyncHTTPConnection("example.org", dialer=dialer) as conn:
        await conn.request("POST", "/", body)
        assert await (await conn.getresponse()).read() == body


async def test_files_are_sent(tmp_path: Path) -> None:
    """A file is sent from memory, as there is no socket to which the kernel could send it."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 300_000)

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        received = await reader.readexactly(300_000)
        writer.write(reply(str(len(received)).encode()))

    async with MemoryDialer(handler) as dialer, AsyncHTTPConnection("example.org", dialer=dialer) as conn:
        with path.open("rb") as file:
            await conn.request("POST", "/", file)
        assert await (await conn.getresponse()).read() == b"300000"


# -- what goes wrong


async def test_what_a_handler_raises_is_raised() -> None:
    """What a handler raises ends its connection, and is raised by the end of the block."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        raise AssertionError("not what the test expects")

    with pytest.raises(AssertionError, match="not what the test expects"):
        async with MemoryDialer(handler) as dialer, AsyncHTTPConnection("example.org", dialer=dialer) as conn:
            await conn.request("GET", "/")
            with pytest.raises(RemoteDisconnected):
                await conn.getresponse()
            assert [str(error) for error in dialer.failures] == ["not what the test expects"]


async def test_what_several_handlers_raise() -> None:
    """More than one failure is raised as a group, once; also what plain functions raise, and what fails a test."""

    def handler(reader: StreamReader, writer: StreamWriter) -> None:
        if len(dialer.dialed) == 2:
            pytest.fail("in the handler")
        raise ValueError(len(dialer.dialed))

    dialer = MemoryDialer(handler)
    for _ in range(2):
        stream = await dialer.dial("example.org", 80)
        while not stream.lost:
            await asyncio.sleep(0)
    with pytest.raises(BaseExceptionGroup) as caught:
        await dialer.close()
    assert [type(error) for error in caught.value.exceptions] == [ValueError, pytest.fail.Exception]
    await dialer.close()
    assert len(dialer.failures) == 2


async def test_the_error_of_the_block_comes_first() -> None:
    """When the block fails, its error stays, and has what handlers raised in its notes."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        raise ValueError("the reason")

    with pytest.raises(HTTPException) as caught:
        async with MemoryDialer(handler) as dialer, AsyncHTTPConnection("example.org", dialer=dialer) as conn:
            await conn.request("GET", "/")
            await conn.getresponse()
    assert "the reason" in caught.value.__notes__[-1]


async def test_a_client_that_goes_is_no_failure() -> None:
    """A handler that fails because its client has gone has done nothing wrong."""
    async with MemoryDialer(answering) as dialer:
        for leave in ("close", "abort"):
            conn = AsyncHTTPConnection("example.org", dialer=dialer)
            await conn.request("GET", "/")
            await (await conn.getresponse()).read()
            await conn.close() if leave == "close" else conn.abort()
            await until(lambda: not dialer.connections)
    assert dialer.failures == []


async def test_an_error_of_the_handlers_own_is_one() -> None:
    """A ConnectionError that has nothing to do with the client, who is there, is a failure as any other."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        raise ConnectionRefusedError("its database")

    dialer = MemoryDialer(handler)
    stream = await dialer.dial("example.org", 80)
    await until(lambda: stream.lost)
    with pytest.raises(ConnectionRefusedError, match="its database"):
        await dialer.close()


async def test_a_handler_that_resets() -> None:
    """``writer.transport.abort()`` resets the connection, and the client says so."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    async with MemoryDialer(handler) as dialer, AsyncHTTPConnection("example.org", dialer=dialer) as conn:
        await conn.request("GET", "/")
        with pytest.raises(ConnectionResetError):
            await conn.getresponse()


async def test_a_reset_that_nobody_asks_for(leak_watch: LeakWatch) -> None:
    """Of a client that resets nothing is reported, whatever the garbage collector comes to first."""
    protocols: list[Any] = []

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        protocols.append(writer.transport.get_protocol())
        await reader.read()

    async with MemoryDialer(handler) as dialer:
        stream = await dialer.dial("example.org", 80)
        await until(lambda: protocols)
        stream.transport.abort()
        await until(lambda: not dialer.connections)
    del protocols[0]._closed  # as a collector may do that takes the parts of a cycle in any order
    assert not leak_watch.loop_errors


async def test_an_early_answer_is_heard() -> None:
    """An answer to a request whose body the handler does not read is heard, whatever becomes of the rest."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(b"too large", status="413 Content Too Large"))

    async with MemoryDialer(handler) as dialer, AsyncHTTPClient(transport=dialer) as client:
        response = await client.post(URL, content=b"x" * 1_000_000)
        assert (response.status, response.content) == (413, b"too large")


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_died_idle_is_not_used(method: str) -> None:
    """What a kept connection was told is known before the next request is written to it, as with sockets."""
    writers: list[StreamWriter] = []

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        writers.append(writer)
        await answering(reader, writer)

    async with MemoryDialer(handler) as dialer, ConnectionPool(dialer=dialer) as pool:
        for _ in range(3):
            response = await pool.request(method, URL)
            assert await response.read() == b"ok"
            writers[-1].write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
        assert pool.stats().opened == 3


# -- refused


async def test_dials_are_refused() -> None:
    """``refuse`` decides by host and port, and what it gives is raised; the handler is not called."""

    def refuse(host: str, port: int) -> OSError | None:
        return socket.gaierror(socket.EAI_NONAME, "unknown") if host == "nowhere.test" else None

    async with (
        MemoryDialer(answering, refuse=refuse) as dialer,
        AsyncHTTPClient(transport=dialer, retries=None) as client,
    ):
        with pytest.raises(socket.gaierror):
            await client.get("http://nowhere.test/")
        assert (await client.get(URL)).content == b"ok"
        assert dialer.dialed == [("nowhere.test", 80), ("example.org", 80)]


async def test_refused_at_first() -> None:
    """A dial that is refused is tried again by a client that retries."""
    refusals: list[Exception] = [ConnectionRefusedError(errno.ECONNREFUSED, "not yet")] * 2

    def refuse(host: str, port: int) -> Exception | None:
        return refusals.pop() if refusals else None

    async with (
        MemoryDialer(answering, refuse=refuse) as dialer,
        AsyncHTTPClient(transport=dialer, retries=RetryPolicy(attempts=3, backoff=0)) as client,
    ):
        assert (await client.get(URL)).content == b"ok"


async def test_slow_to_connect() -> None:
    """``refuse`` may take its time: the connect timeout bounds it, and leaves nothing."""

    async def refuse(host: str, port: int) -> None:
        await asyncio.Event().wait()

    async with MemoryDialer(answering, refuse=refuse) as dialer:
        conn = AsyncHTTPConnection("example.org", dialer=dialer, timeout=0.001)
        with pytest.raises(ConnectTimeout):
            await conn.connect()
        assert (dialer.connections, other_tasks()) == (0, set())


# -- the end


async def test_close_ends_handlers() -> None:
    """``close`` cancels handlers, and returns when they have ended; clients see the end, and new dials are refused."""
    ended: list[str] = []

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await reader.read()
        finally:
            await turns()
            ended.append("handler")

    dialer = MemoryDialer(handler)
    stream = await dialer.dial("example.org", 80)
    await turns()
    await dialer.close()
    assert (ended, dialer.connections, other_tasks()) == (["handler"], 0, set())
    await turns()
    assert stream.eof
    with pytest.raises(ConnectionRefusedError, match="MemoryDialer is closed"):
        await dialer.dial("example.org", 80)


def test_one_loop_after_the_other() -> None:
    """A dialer may serve several loops, one after the other; what one has left behind is of no concern to the next."""
    writers: list[StreamWriter] = []

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await answering(reader, writer)

    dialer = MemoryDialer(lambda *streams: handler(*streams) if writers else writers.append(streams[1]))

    async def leave() -> None:
        await dialer.dial("example.org", 80)
        await turns()

    async def main() -> None:
        async with AsyncHTTPClient(transport=dialer) as client:
            assert (await client.get(URL)).content == b"ok"

    asyncio.run(leave())
    assert dialer.connections == 1
    asyncio.run(main())
    asyncio.run(dialer.close())
    assert dialer.connections == 0
    with pytest.warns(ResourceWarning, match="loop is closed"):  # asyncio's own, of the streams that were left
        writers.clear()
        gc.collect()


async def test_close_in_every_state() -> None:
    """``close`` works while a dial is under way, before the handler runs, while it writes, and when all is over."""

    async def writing(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            writer.write(b"x" * 100_000)
            await writer.drain()

    for number in range(8):
        dialer = MemoryDialer(writing)
        task = asyncio.create_task(dialer.dial("example.org", 80))
        await turns(number)
        await dialer.close()
        assert dialer.connections == 0
        for outcome in await asyncio.gather(task, return_exceptions=True):
            if not isinstance(outcome, BaseException):
                await outcome.aborted()
            else:
                assert isinstance(outcome, ConnectionRefusedError)
        await dialer.close()
        assert other_tasks() == set()


async def test_a_handler_may_close_the_dialer() -> None:
    """A handler that closes its own dialer does not wait for itself."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await dialer.close()

    dialer = MemoryDialer(handler)
    async with AsyncHTTPConnection("example.org", dialer=dialer) as conn:
        await conn.request("GET", "/")
        with pytest.raises(RemoteDisconnected):
            await conn.getresponse()
    await dialer.close()


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.name)
async def test_cancelled_anywhere(moment: Moment) -> None:
    """Cancelled at any await, an exchange over memory leaves no connection, and its handler ends."""
    async with MemoryDialer(answering) as dialer:

        async def work() -> None:
            async with AsyncHTTPClient(transport=dialer) as client:
                assert (await client.get(URL)).content == b"ok"

        async def after(_: object) -> None:
            await until(lambda: not dialer.connections)
            await turns()
            assert other_tasks() <= {asyncio.current_task()}

        assert await sweep(moment, work, after=after) > 2
    assert dialer.failures == []


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.name)
async def test_tls_cancelled_anywhere(moment: Moment, tls: TlsKit) -> None:
    """Cancelled at any await, a handshake in memory leaves no connection either."""
    if not on_asyncio():
        pytest.skip("uvloop encrypts only what is on a socket")
    async with MemoryDialer(answering, ssl=tls.good) as dialer:

        async def work() -> None:
            async with AsyncHTTPSConnection("localhost", context=tls.client, dialer=dialer) as conn:
                await conn.request("GET", "/")
                assert await (await conn.getresponse()).read() == b"ok"

        async def after(_: object) -> None:
            await until(lambda: not dialer.connections)

        assert await sweep(moment, work, after=after) >= 4


async def test_close_aborts_what_is_stuck() -> None:
    """``close`` does not wait for clients that do not read."""
    dialer = MemoryDialer(lambda _, writer: writer.write(b"x" * 1_000_000))
    stream = await dialer.dial("example.org", 80)
    stream.quiet = False
    stream.transport.pause_reading()
    await turns()
    await dialer.close()
    assert dialer.connections == 0
    await stream.aborted()


@pytest.mark.parametrize("moment", list(Moment), ids=lambda moment: moment.name)
async def test_a_dial_cancelled_anywhere(moment: Moment) -> None:
    """Cancelled at any await, a dial leaves nothing."""
    async with MemoryDialer(silent) as dialer:

        async def work() -> None:
            stream = await dialer.dial("example.org", 80)
            await stream.aborted()

        async def after(_: object) -> None:
            await turns(8)
            assert dialer.connections == 0

        assert await sweep(moment, work, after=after) >= 2


# -- https


class Shouting:
    """A dialer that seems to have everything, but is none that says that its streams are secure."""

    def __init__(self, dialer: Dialer) -> None:
        self.dial = dialer.dial

    def __getattr__(self, name: str) -> str:
        return "yes"


async def test_tls(tls: TlsKit) -> None:
    """On asyncio's own loop TLS works as over a socket, with the same contexts; elsewhere the error says what to do."""
    async with (
        MemoryDialer(answering, ssl=tls.good) as dialer,
        AsyncHTTPClient(transport=dialer, ssl_context=tls.client, retries=None) as client,
    ):
        if on_asyncio():
            response = await client.get("https://localhost/")
            assert response.content == b"ok"
            assert response.timings.tls_version == "TLSv1.3"
            assert (await client.get("https://localhost/again")).timings.reused
        else:
            with pytest.raises(NotImplementedError, match="secure=True"):
                await client.get("https://localhost/")


@pytest.mark.parametrize("fault", ["wrong_host", "unknown_authority", "expired"])
async def test_tls_that_is_wrong(tls: TlsKit, fault: str) -> None:
    """A certificate that is wrong is refused as over a socket, and the handler is not called."""
    if not on_asyncio():
        pytest.skip("uvloop encrypts only what is on a socket")
    called: list[object] = []
    async with (
        MemoryDialer(lambda *streams: called.append(streams), ssl=getattr(tls, fault)) as dialer,
        AsyncHTTPClient(transport=dialer, ssl_context=tls.client, retries=None) as client,
    ):
        with pytest.raises(ssl.SSLCertVerificationError):
            await client.get("https://localhost/")
        await until(lambda: not dialer.connections)
    assert called == []


async def test_a_server_that_refuses_the_client(tls: TlsKit) -> None:
    """A handshake that the server ends is the client's error, and no failure of a handler."""
    if not on_asyncio():
        pytest.skip("uvloop encrypts only what is on a socket")
    async with (
        MemoryDialer(answering, ssl=tls.wants_client_certificate) as dialer,
        AsyncHTTPClient(transport=dialer, ssl_context=tls.new_client(), retries=None) as client,
    ):
        with pytest.raises((HTTPException, OSError)):
            await client.get("https://localhost/")
        await until(lambda: not dialer.connections)


async def test_a_handler_that_starts_tls(tls: TlsKit) -> None:
    """A handler may start TLS by itself, as over a socket."""
    if not on_asyncio():
        pytest.skip("uvloop encrypts only what is on a socket")

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await writer.start_tls(tls.good)
        await answering(reader, writer)

    async with (
        MemoryDialer(handler) as dialer,
        AsyncHTTPClient(transport=dialer, ssl_context=tls.client) as client,
    ):
        assert (await client.get("https://localhost/")).content == b"ok"


async def test_no_tls_on_other_loops() -> None:
    """Where the loop cannot encrypt what is in memory, https is an error without ``secure``, and leaves nothing."""
    if on_asyncio():
        pytest.skip("asyncio's own loop can")
    async with MemoryDialer(answering) as dialer, AsyncHTTPSConnection("localhost", dialer=dialer) as conn:
        with pytest.raises(TypeError, match="MemoryTransport"):
            await conn.connect()
        await until(lambda: not dialer.connections)


async def test_secure() -> None:
    """With ``secure=True`` an https URL needs no handshake, and is an https URL all the same."""
    async with MemoryDialer(answering, secure=True) as dialer, AsyncHTTPClient(transport=dialer) as client:
        response = await client.get("https://example.org/")
        assert (response.content, str(response.url)) == (b"ok", "https://example.org/")
        assert (response.timings.tls, response.timings.tls_version) == (None, None)
        assert dialer.dialed == [("example.org", 443)]


async def test_secure_and_ssl_contradict_each_other(tls: TlsKit) -> None:
    """A dialer is given a context, or says that none is needed."""
    with pytest.raises(ValueError, match="give one of them"):
        MemoryDialer(answering, secure=True, ssl=tls.good)
    with pytest.raises(ValueError, match="room"):
        MemoryDialer(answering, room=0)


def records(received: list[bytes]) -> Any:
    """A handler that keeps the first bytes of what it gets."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        received.append(await reader.read(3))

    return handler


@pytest.mark.parametrize("kind", ["not said", "said by any attribute"])
async def test_nobody_else_is_secure(kind: str, leak_watch: LeakWatch) -> None:
    """Unless a dialer says True itself, an https connection begins with a handshake."""
    if not on_asyncio():
        pytest.skip("uvloop encrypts only what is on a socket")
    received: list[bytes] = []
    async with MemoryDialer(records(received)) as inner:
        dialer = cast("Dialer", Shouting(inner)) if kind == "said by any attribute" else inner
        async with AsyncHTTPSConnection("localhost", dialer=dialer) as conn:
            with pytest.raises(ConnectionResetError):
                await conn.connect()
    assert received[0][:1] == b"\x16"  # a record of the handshake (RFC 8446 section 5.1)
    leak_watch.loop_errors.clear()


async def test_a_tunnel_is_not_secure(tls: TlsKit) -> None:
    """In a tunnel through a proxy TLS is on, whatever the dialer says: its other end is somebody else's."""

    class Secure(TCPDialer):
        streams_are_secure = True

        async def dial(self, host: str, port: int, tell: Any = None) -> StreamProtocol:
            return await super().dial(server.host, server.port, tell)

    async def proxy(peer: Peer) -> None:
        assert (await peer.read_head()).startswith(b"CONNECT localhost:443 ")
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        await peer.start_tls(tls.good)
        await peer.read_head()
        await peer.send(OK)

    async with raw_server(proxy) as server:
        conn = AsyncHTTPSConnection("proxy.test", context=tls.client, dialer=Secure())
        conn.set_tunnel("localhost")
        async with conn:
            await conn.request("GET", "/")
            assert await (await conn.getresponse()).read() == b"ok"


async def test_the_scheme(tls: TlsKit) -> None:
    """Both ends know whether the client takes the connection for encrypted."""
    schemes: list[str] = []

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        schemes.append(writer.get_extra_info("scheme"))
        writer.write(OK)

    async with MemoryDialer(handler, secure=True) as dialer, AsyncHTTPClient(transport=dialer) as client:
        for url in (
            "http://example.org/",
            "https://example.org/",
            "https://example.org:80/",
            "http://example.org:443/",
        ):
            assert (await client.get(url)).content == b"ok"
    assert schemes == ["http", "https", "https", "http"]
    if on_asyncio():
        async with (
            MemoryDialer(handler, ssl=tls.good) as dialer,
            AsyncHTTPClient(transport=dialer, ssl_context=tls.client) as client,
        ):
            assert (await client.get("https://localhost/")).content == b"ok"
        assert schemes[4:] == ["https"]


async def test_secured_may_be_missing() -> None:
    """A dialer whose streams are secure need not want to know which of them are used so."""

    class Quiet:
        streams_are_secure = True

        def __init__(self, inner: MemoryDialer) -> None:
            self.dial = inner.dial

    async with MemoryDialer(answering) as inner, AsyncHTTPClient(transport=Quiet(inner)) as client:
        assert (await client.get("https://example.org/")).status == 200


# -- many


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
async def test_a_storm_in_memory(secure: bool) -> None:
    """Many requests over few connections, some cancelled, some cut: each gets its own answer, and nothing is left."""

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            name = head.split(b" ")[1]
            number = int(name.rpartition(b"/")[2])
            if number % 13 == 0:
                writer.transport.abort()
                return
            if number % 17 == 0:
                return
            writer.write(reply(name * (number % 50) * 40))
            if number % 11 == 0:
                writer.write(b"poison")
            await writer.drain()

    outcomes: list[str] = []

    async def fetch(number: int) -> None:
        path = f"/{number}"
        try:
            response = await client.get(f"{base}{path}")
        except (HTTPException, OSError):
            if number % 13 and number % 17:
                raise
            outcomes.append("failed")
        else:
            assert response.content == path.encode() * (number % 50) * 40
            outcomes.append("answered")

    base = f"http{'s' * secure}://example.org"
    async with (
        MemoryDialer(handler, secure=secure, room=500) as dialer,
        AsyncHTTPClient(transport=dialer, limits=PoolLimits(connections=7), retries=None) as client,
    ):
        tasks = [asyncio.create_task(fetch(number)) for number in range(1, 400)]
        for number, task in enumerate(tasks):
            if number % 7 == 3:
                await turns(3)
                task.cancel()
        await asyncio.wait(tasks)
        errors = [task.exception() for task in tasks if not task.cancelled()]
        assert not any(errors), errors
        stats = client.pool.stats()
        assert (stats.busy, stats.connecting, stats.waiting) == (0, 0, 0)
        assert (await client.get(f"{base}/1")).content == b"/1" * 40
    assert dialer.connections == 0
    assert outcomes.count("failed") > 20
    assert outcomes.count("answered") > 200
