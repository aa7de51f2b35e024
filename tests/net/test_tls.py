"""``net/_tls.py``: the encrypted stream has every property of the plain one, and ends as safely."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient.errors import ReadTimeout, WriteTimeout
from aiohttpclient.net import StreamProtocol, checked_context, default_context, make_context, start_tls
from aiohttpclient.net._stream_timer import StreamTimer
from tests.support.channel import SocketChannel, TlsChannel
from tests.support.leaks import open_descriptors

from .clocks import FakeLoop
from .stepping import Ending, Moment, abandoned_at, sweep
from .streams import arrival, tcp_pair, turns, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.tls import TlsKit

LARGE = bytes(range(256)) * 8192  # 2 MiB


class Far:
    """The server's end of a stream, encrypted once or more."""

    def __init__(self, sock: SocketChannel) -> None:
        self.base = sock
        self.tls: TlsChannel = cast("TlsChannel", sock)  # until start_tls

    async def start_tls(self, context: ssl.SSLContext) -> None:
        channel = TlsChannel(self.tls, context, b"")
        await channel.handshake()
        self.tls = channel

    async def receive_exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count and (more := await self.tls.receive()):
            data += more
        return bytes(data)

    async def receive_all(self) -> bytes:
        """Everything until the client's end, which must be a close_notify."""
        data = bytearray()
        while more := await self.tls.receive():
            data += more
        return bytes(data)

    async def hung_up(self) -> bool:
        """Wait until the client's socket is closed."""
        with contextlib.suppress(ConnectionError):
            while await self.base.receive():
                pass
        return True


@contextlib.asynccontextmanager
async def plain_stream(
    *, send_buffer: int | None = None, receive_buffer: int | None = None
) -> AsyncIterator[tuple[StreamProtocol, Far]]:
    """A stream on which no TLS was started, and its far end."""
    loop = asyncio.get_running_loop()
    near, far = tcp_pair(send_buffer, receive_buffer)
    channel = SocketChannel(far)
    stream = StreamProtocol(loop)
    await loop.create_connection(lambda: stream, sock=near)
    try:
        yield stream, Far(channel)
    finally:
        stream.base_transport.abort()
        channel.close()
        await turns()


async def encrypt(stream: StreamProtocol, far: Far, server: ssl.SSLContext, client: ssl.SSLContext) -> StreamProtocol:
    """Shake hands, and expect bytes."""
    inner, _ = await asyncio.gather(start_tls(stream, client, "localhost"), far.start_tls(server))
    inner.quiet = False
    return inner


@pytest.fixture(params=[1, 2], ids=["TLS", "TLS in TLS"])
async def pair(request: pytest.FixtureRequest, tls: TlsKit) -> AsyncIterator[tuple[StreamProtocol, Far]]:
    """An encrypted stream that expects bytes, and its far end: once encrypted, and twice."""
    async with plain_stream() as (stream, far):
        for _ in range(request.param):
            stream = await encrypt(stream, far, tls.good, tls.client)
        yield stream, far
        await stream.aborted()


def fake_clock(stream: StreamProtocol) -> FakeLoop:
    """Give ``stream`` a timer whose clock the test moves."""
    clock = FakeLoop()
    stream._timer = StreamTimer(cast("asyncio.AbstractEventLoop", clock), stream._expired)
    return clock


async def fill(stream: StreamProtocol) -> int:
    """Write until nothing more is taken, by the kernel or by TLS; how many bytes that was."""
    part, count = bytes(1 << 18), 0
    while not stream.writing_paused:
        stream.transport.write(part)
        count += len(part)
        await asyncio.sleep(0)
    return count


def hash_of(path: Path) -> str:
    """The name under which OpenSSL looks for a certificate in a directory."""
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(path)]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        pytest.skip("there is no openssl here to compute it")


class TestContexts:
    def test_default(self) -> None:
        """The default context verifies chain and name, and speaks TLS 1.2 or later; it is made once."""
        context = default_context()
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.cert_store_stats()["x509_ca"] > 50
        assert default_context() is context
        assert make_context() is not context

    def test_key_without_certificate(self, tmp_path: Path) -> None:
        """A key alone is a mistake that is named."""
        with pytest.raises(ValueError, match="cert_file"):
            make_context(key_file=str(tmp_path / "key"))

    def test_missing_file(self, tmp_path: Path) -> None:
        """A file that is not there is the system's own error."""
        with pytest.raises(FileNotFoundError):
            make_context(cert_file=str(tmp_path / "none"))

    def test_key_of_another(self, tmp_path: Path, tls: TlsKit) -> None:
        """A key that does not belong to the certificate is refused when the context is made."""
        (tmp_path / "other").mkdir()
        files = tls.client_certificate(tmp_path)
        other = tls.client_certificate(tmp_path / "other")
        with pytest.raises(ssl.SSLError):
            make_context(str(other.key_file), str(files.cert_file))

    def test_certificate(self, tmp_path: Path, tls: TlsKit) -> None:
        """With a certificate the context verifies as it does without."""
        files = tls.client_certificate(tmp_path)
        context = make_context(str(files.key_file), str(files.cert_file))
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.post_handshake_auth

    @pytest.mark.parametrize("given", ["file", "directory"])
    async def test_trusted_instead(self, given: str, tmp_path: Path, tls: TlsKit) -> None:
        """A file, or a directory, of authorities is trusted instead of the usual ones, and nobody else is."""
        path = tls.authority_file(tmp_path)
        if given == "file":
            context = make_context(cafile=str(path))
            assert context.cert_store_stats()["x509_ca"] == 1
        else:
            path.rename(tmp_path / f"{hash_of(path)}.0")
            context = make_context(capath=str(tmp_path))
            assert context.cert_store_stats()["x509_ca"] == 0  # those of a directory are looked up when they are needed
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        async with plain_stream() as (stream, far):
            inner = await encrypt(stream, far, tls.good, context)
            assert inner.transport.get_extra_info("ssl_object").selected_alpn_protocol() is None
            await inner.aborted()
        async with plain_stream() as (stream, far):
            with pytest.raises(ssl.SSLCertVerificationError):
                await encrypt(stream, far, tls.unknown_authority, context)

    def test_usual_authorities_are_not_trusted_besides(self, tmp_path: Path, tls: TlsKit) -> None:
        """With an authority of one's own, none of the usual ones is trusted, also with a certificate for the client."""
        files = tls.client_certificate(tmp_path)
        context = make_context(str(files.key_file), str(files.cert_file), cafile=str(tls.authority_file(tmp_path)))
        (found,) = context.get_ca_certs()
        assert "aiohttpclient tests" in str(found)

    @pytest.mark.parametrize("name", ["none.pem", "empty.pem"])
    def test_no_authorities(self, name: str, tmp_path: Path) -> None:
        """A file of authorities that is not there, or has none, is an error when the context is made."""
        (tmp_path / "empty.pem").write_bytes(b"")
        with pytest.raises(FileNotFoundError if name == "none.pem" else ssl.SSLError) as caught:
            make_context(cafile=str(tmp_path / name))
        assert caught.value.filename == str(tmp_path / name)

    @pytest.mark.parametrize("context", [False, True, "roots.pem"])
    def test_no_context(self, context: Any) -> None:
        """What is no context is refused by its name, and neither taken for the default nor for less than that."""
        with pytest.raises(TypeError, match=r"^it must be an ssl.SSLContext, or None .*make_context"):
            checked_context("it", context)
        assert checked_context("it", None) is None

    async def test_alpn(self, tls: TlsKit) -> None:
        """A server that speaks HTTP/2 as well is told that this client does not."""
        server = tls.authority.issue_cert("localhost")
        server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        server.configure_cert(server_context)
        server_context.set_alpn_protocols(["h2", "http/1.1"])
        client = make_context()
        tls.authority.configure_trust(client)
        async with plain_stream() as (stream, far):
            inner = await encrypt(stream, far, server_context, client)
            assert inner.transport.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
            await inner.aborted()


class TestStream:
    async def test_both_ways(self, pair: tuple[StreamProtocol, Far]) -> None:
        """Bytes pass both ways, in order, and the socket sees none of them in clear."""
        stream, far = pair
        assert stream.transport is not stream.base_transport
        assert not stream.sendfile_works
        stream.transport.write(b"request")
        assert await far.receive_exactly(7) == b"request"
        await far.tls.send(b"answer")
        assert await arrival(stream) == b"answer"

    async def test_large_both_ways(self, pair: tuple[StreamProtocol, Far]) -> None:
        """Megabytes pass, and the stream's back-pressure reaches the writer."""
        stream, far = pair
        sent = bytearray()
        while not stream.writing_paused:
            part = LARGE[: 256 * 1024]
            stream.transport.write(part)
            sent += part
        assert stream.unsent() < 2 << 20
        assert await far.receive_exactly(len(sent)) == sent
        await until(lambda: not stream.writing_paused)
        sending = asyncio.create_task(far.tls.send(LARGE))
        received = bytearray()
        while len(received) < len(LARGE):
            await arrival(stream)
            received += stream.reader.take(len(stream.reader.buffered))
        await sending
        assert received == LARGE

    async def test_direct(self, pair: tuple[StreamProtocol, Far]) -> None:
        """A destination is filled with decrypted bytes, and what follows it is in the reader."""
        stream, far = pair
        target = bytearray(len(LARGE))
        waiter = stream.receive_into(memoryview(target), 30)
        sending = asyncio.create_task(far.tls.send(LARGE + b"tail"))
        await waiter
        assert stream.received_into() == 0
        await sending
        await until(lambda: stream.reader.buffered == b"tail")
        assert target == LARGE

    @pytest.mark.parametrize("size", [1, 1000, 16384, 16385, 32768, 256 * 1024])
    async def test_surplus_in_the_same_record(self, pair: tuple[StreamProtocol, Far], size: int) -> None:
        """Bytes behind a full destination, in the same record or the next, spoil the stream when it rests."""
        stream, far = pair
        target = bytearray(size)
        waiter = stream.receive_into(memoryview(target), None)
        await far.tls.send(b"b" * size + b"x")
        await waiter
        assert stream.received_into() == 0
        stream.rest()
        await stream.check_quiet()
        await until(lambda: stream.spoiled)
        assert target == b"b" * size
        assert await far.hung_up()

    async def test_idle_bytes(self, pair: tuple[StreamProtocol, Far]) -> None:
        """Bytes on an idle stream spoil it, and are not kept."""
        stream, far = pair
        stream.rest()
        await far.tls.send(b"poison")
        await stream.check_quiet()
        assert stream.spoiled is not None
        assert stream.reader.buffered == b""
        assert await far.hung_up()

    @pytest.mark.parametrize("goodbye", [True, False])
    async def test_idle_end(self, pair: tuple[StreamProtocol, Far], goodbye: bool) -> None:
        """The end of an idle stream, with close_notify or without, spoils it and closes the socket."""
        stream, far = pair
        stream.rest()
        if goodbye:
            far.tls.half_close()
        else:
            far.base.half_close()
        await stream.check_quiet()
        await until(lambda: stream.lost)
        assert stream.spoiled is not None
        assert await far.hung_up()

    async def test_session_tickets(self, tls: TlsKit) -> None:
        """Tickets that arrive on an idle stream do not spoil it: they carry no data."""
        async with plain_stream() as (stream, far):
            client = tls.new_client()
            client.minimum_version = ssl.TLSVersion.TLSv1_3
            inner, _ = await asyncio.gather(start_tls(stream, client, "localhost"), far.start_tls(tls.good))
            inner.rest()
            await inner.check_quiet()  # the tickets of the handshake
            assert inner.spoiled is None
            inner.quiet = False
            inner.transport.write(b"request")
            assert await far.receive_exactly(7) == b"request"
            await far.tls.send(b"answer")
            await until(lambda: inner.reader.buffered)
            assert inner.reader.take(6) == b"answer"
            await inner.aborted()

    async def test_end_with_goodbye(self, pair: tuple[StreamProtocol, Far]) -> None:
        """An end of file after close_notify is an end; what came before is there."""
        stream, far = pair
        await far.tls.send(b"last")
        far.tls.half_close()
        await until(lambda: stream.ended)
        assert stream.eof
        assert not stream.truncated
        assert stream.reader.buffered == b"last"
        await until(lambda: stream.lost)

    async def test_end_without_goodbye(self, tls: TlsKit) -> None:
        """An end of file without close_notify marks the stream as truncated; what came before is there."""
        async with plain_stream() as (stream, far):
            inner = await encrypt(stream, far, tls.good, tls.client)
            await far.tls.send(b"last")
            far.base.half_close()
            await until(lambda: inner.ended)
            assert inner.truncated
            assert inner.reader.buffered == b"last"
            await until(lambda: inner.lost)

    async def test_reset(self, pair: tuple[StreamProtocol, Far]) -> None:
        """A reset ends the stream; what came before it was decrypted."""
        stream, far = pair
        await far.tls.send(b"last")
        far.base.reset()
        await until(lambda: stream.lost)
        assert stream.reader.buffered == b"last"
        assert not stream.eof or stream.truncated

    async def test_reset_that_a_write_noticed(self, tls: TlsKit) -> None:
        """What had arrived before a reset is decrypted although it was a write that failed first."""
        async with plain_stream() as (stream, far):
            inner = await encrypt(stream, far, tls.good, tls.client)
            inner.transport.write(b"x")
            await far.receive_exactly(1)
            await turns()
            inner.base_transport.pause_reading()
            await far.tls.send(b"answer")
            far.base.reset()
            inner.transport.write(b"more of the request")
            await until(lambda: inner.lost)
            assert inner.reader.buffered == b"answer"

    async def test_garbage(self, tls: TlsKit) -> None:
        """Bytes that are no TLS end the stream with an error that says so."""
        async with plain_stream() as (stream, far):
            inner = await encrypt(stream, far, tls.good, tls.client)
            await far.base.send(b"this is not a TLS record at all")
            await until(lambda: inner.lost)
            assert isinstance(inner.fault, ssl.SSLError)
            assert await far.hung_up()

    async def test_slow_peer_is_not_a_silent_one(self, tls: TlsKit) -> None:
        """A write times out only when the peer took no byte for the whole of the limit, also below TLS."""
        async with plain_stream(send_buffer=4096, receive_buffer=4096) as (stream, far):
            inner = await encrypt(stream, far, tls.good, tls.client)
            clock = fake_clock(inner)
            inner.transport.write(LARGE)
            await turns()
            waiter = inner.wait(20, WriteTimeout)
            for _ in range(20):
                before = inner.base_transport.get_write_buffer_size()
                while inner.base_transport.get_write_buffer_size() == before:
                    with contextlib.suppress(BlockingIOError):
                        far.base.socket.recv(1000)
                    await asyncio.sleep(0)
                clock.advance(20)
                assert not waiter.done()
            clock.advance(20)
            with pytest.raises(WriteTimeout):
                await waiter
            await inner.aborted()


class TestHandshake:
    @pytest.mark.parametrize("fault", ["wrong_host", "unknown_authority", "expired"])
    async def test_not_trusted(self, tls: TlsKit, fault: str) -> None:
        """A certificate that does not verify ends the handshake, and the socket is closed when the error comes."""
        async with plain_stream() as (stream, far):
            before = open_descriptors()
            server = asyncio.create_task(far.start_tls(getattr(tls, fault)))
            with pytest.raises(ssl.SSLCertVerificationError):
                await start_tls(stream, tls.client, "localhost")
            assert len(before - open_descriptors()) == 1
            assert stream.lost
            with contextlib.suppress(OSError):
                await server
            assert await far.hung_up()

    @pytest.mark.parametrize("fault", ["wrong_host", "unknown_authority", "expired"])
    async def test_not_trusted_within(self, tls: TlsKit, fault: str) -> None:
        """The same holds for a certificate within an encrypted stream."""
        async with plain_stream() as (stream, far):
            outer = await encrypt(stream, far, tls.good, tls.client)
            before = open_descriptors()
            server = asyncio.create_task(far.start_tls(getattr(tls, fault)))
            with pytest.raises(ssl.SSLCertVerificationError):
                await start_tls(outer, tls.client, "localhost")
            assert len(before - open_descriptors()) == 1
            assert outer.lost
            with contextlib.suppress(OSError):
                await server
            assert await far.hung_up()

    @pytest.mark.parametrize("layers", [1, 2], ids=["TLS", "TLS in TLS"])
    @pytest.mark.parametrize("how", ["end", "reset", "garbage"])
    async def test_peer_gives_up(self, tls: TlsKit, how: str, layers: int) -> None:
        """A peer that ends, resets or talks nonsense within the handshake is an OSError; no socket is left."""
        async with plain_stream() as (stream, far):
            if layers == 2:
                stream = await encrypt(stream, far, tls.good, tls.client)
            before = open_descriptors()
            shaking = asyncio.create_task(start_tls(stream, tls.client, "localhost"))
            assert await far.tls.receive()
            if how == "end":
                far.tls.half_close()
            elif how == "reset":
                far.base.reset()
            else:
                await far.tls.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            with pytest.raises(OSError) as caught:
                await shaking
            assert isinstance(caught.value, ssl.SSLError if how == "garbage" else ConnectionError)
            assert str(caught.value)
            assert before - open_descriptors()
            assert stream.lost

    async def test_lost_before(self, tls: TlsKit) -> None:
        """A handshake over a stream that is gone already is an error and does not wait."""
        async with plain_stream() as (stream, _):
            await stream.aborted()
            with pytest.raises(ConnectionError):
                async with asyncio.timeout(5):
                    await start_tls(stream, tls.client, "localhost")

    async def test_no_name(self, tls: TlsKit) -> None:
        """A context that does not check names needs none."""
        client = tls.new_client()
        client.check_hostname = False
        async with plain_stream() as (stream, far):
            inner, _ = await asyncio.gather(start_tls(stream, client, ""), far.start_tls(tls.good))
            await inner.aborted()

    async def test_no_name_to_check(self, tls: TlsKit) -> None:
        """A context that checks names refuses to be used without one, and the socket is closed."""
        async with plain_stream() as (stream, far):
            server = asyncio.create_task(far.start_tls(tls.wrong_host))
            with pytest.raises((ValueError, ssl.SSLError)):
                await start_tls(stream, tls.client, "")
            assert stream.lost
            with contextlib.suppress(OSError):
                await server
            assert await far.hung_up()

    @pytest.mark.parametrize("layers", [1, 2], ids=["TLS", "TLS in TLS"])
    async def test_abandoned(self, tls: TlsKit, layers: int) -> None:
        """A handshake that nobody awaits any more waits for nothing, and its socket is closed a little later."""
        async with plain_stream() as (stream, far):
            for _ in range(layers - 1):
                stream = await encrypt(stream, far, tls.good, tls.client)
            before = open_descriptors()
            assert await abandoned_at(1, start_tls(stream, tls.client, "localhost"))
            assert stream.lost
            assert await far.hung_up()
            await until(lambda: len(open_descriptors()) == len(before) - 1)

    @pytest.mark.parametrize("moment", Moment)
    @pytest.mark.parametrize("layers", [1, 2], ids=["TLS", "TLS in TLS"])
    async def test_cancelled(self, tls: TlsKit, moment: Moment, layers: int) -> None:
        """Cancelled at any suspension, the socket is closed before the cancellation leaves, and no timer stays."""
        loop = asyncio.get_running_loop()
        loop.set_debug(False)
        scheduled = getattr(loop, "_scheduled", [])
        timers = [handle for handle in scheduled if not handle.cancelled()]
        fars: list[Far] = []
        made: list[StreamProtocol] = []

        async def work() -> None:
            near, far = tcp_pair()
            fars.append(Far(SocketChannel(far)))
            before = open_descriptors()
            stream = StreamProtocol(loop)
            await loop.create_connection(lambda: stream, sock=near)
            servers = asyncio.create_task(serve(fars[-1]))
            try:
                for _ in range(layers):
                    stream = await start_tls(stream, tls.client, "localhost")
                made.append(stream)
            except asyncio.CancelledError:
                assert near_closed(before), "the socket is open"
                raise
            finally:
                servers.cancel()

        async def serve(far: Far) -> None:
            with contextlib.suppress(OSError):
                for _ in range(layers):
                    await far.start_tls(tls.good)

        def near_closed(before: frozenset[object]) -> bool:
            return len(open_descriptors()) == len(before) - 1

        async def after(ending: Ending) -> None:
            if not ending.cancelled:
                await made.pop().aborted()
            assert not made
            assert await fars[-1].hung_up()
            fars[-1].base.close()
            await turns()
            left = [handle for handle in scheduled if not handle.cancelled()]
            assert left == timers, f"{ending}: {left}"

        def skip_first(ending: Ending) -> None:
            """The suspension of the test's own ``create_connection`` is not what is tested."""

        assert await sweep(moment, work, ended=skip_first, after=after) > layers


class TestEnding:
    async def test_close_says_goodbye(self, pair: tuple[StreamProtocol, Far]) -> None:
        """A graceful close sends what is unsent, then close_notify, then the end of the connection."""
        stream, far = pair
        stream.transport.write(LARGE)
        received, _ = await asyncio.gather(far.receive_all(), stream.close(30))
        assert received == LARGE
        assert stream.lost

    async def test_close_with_a_backlog(self, pair: tuple[StreamProtocol, Far]) -> None:
        """The same holds for what TLS itself holds back because the transport below it is full."""
        stream, far = pair
        count = await fill(stream)
        received, _ = await asyncio.gather(far.receive_all(), stream.close(30))
        assert len(received) == count
        assert stream.lost

    async def test_close_needs_no_answer(self, pair: tuple[StreamProtocol, Far]) -> None:
        """A graceful close does not wait for the peer's close_notify: it takes no time at all."""
        stream, _ = pair
        clock = fake_clock(stream)
        await stream.close(1)
        assert stream.lost
        assert clock.now == 1000

    async def test_close_is_bounded(self, pair: tuple[StreamProtocol, Far]) -> None:
        """A graceful close to a peer that takes nothing ends after its limit, with the socket closed."""
        stream, far = pair
        await fill(stream)
        clock = fake_clock(stream)
        closing = asyncio.create_task(stream.close(1))
        await turns()
        assert not closing.done()
        clock.advance(1)
        await closing
        assert stream.lost
        assert await far.hung_up()

    async def test_close_cancelled(self, pair: tuple[StreamProtocol, Far]) -> None:
        """A graceful close that is cancelled has closed the socket when it ends."""
        stream, far = pair
        await fill(stream)
        closing = asyncio.create_task(stream.close(1))
        await turns()
        before = open_descriptors()
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert stream.lost
        assert len(before - open_descriptors()) == 1
        assert await far.hung_up()

    async def test_shut(self, pair: tuple[StreamProtocol, Far]) -> None:
        """``shut`` says goodbye too, and the socket is closed a few turns later."""
        stream, far = pair
        stream.shut("it was the last")
        assert await far.receive_all() == b""
        await until(lambda: stream.lost)

    async def test_aborted(self, pair: tuple[StreamProtocol, Far]) -> None:
        """When ``aborted`` returns, the descriptor is gone, and a task that waited was woken."""
        stream, far = pair
        await fill(stream)
        waiter = stream.wait(30, ReadTimeout)
        before = open_descriptors()
        await stream.aborted()
        assert stream.lost
        assert len(before - open_descriptors()) == 1
        await waiter
        assert isinstance(stream.fault, ConnectionAbortedError)
        assert await far.hung_up()

    async def test_no_timer_stays(self, pair: tuple[StreamProtocol, Far]) -> None:
        """A closed stream leaves no timer of TLS's in the loop."""
        stream, _ = pair
        loop = asyncio.get_running_loop()
        await stream.close(1)
        assert [handle for handle in getattr(loop, "_scheduled", []) if not handle.cancelled()] == []

    async def test_released(self, pair: tuple[StreamProtocol, Far]) -> None:
        """After ``release`` reader and writer are complete asyncio streams."""
        stream, far = pair
        stream.release()
        stream.writer.write(b"ping")
        await stream.writer.drain()
        assert await far.receive_exactly(4) == b"ping"
        await far.tls.send(b"pong\n")
        assert await stream.reader.readline() == b"pong\n"
        far.tls.half_close()
        assert await stream.reader.read() == b""
        stream.writer.close()
        await stream.writer.wait_closed()
