"""Transactions: requests of every kind, step by step or whole, their responses, and what ends them.

That the bytes of a request and the meaning of a response are http.client's is proved in tests/oracle.
"""

from __future__ import annotations

import asyncio
import io
import pickle
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

import aiohttpclient
from aiohttpclient import (
    AsyncHTTPConnection,
    AsyncHTTPSConnection,
    BadStatusLine,
    CannotSendHeader,
    CannotSendRequest,
    ExchangeState,
    HTTPException,
    InvalidHead,
    InvalidURL,
    PhaseTimeout,
    ProtocolError,
    ReadTimeout,
    RemoteDisconnected,
    ResponseNotReady,
    StallTimeout,
    Timeout,
    TotalTimeout,
    WriteTimeout,
)
from tests.net.clocks import Clock
from tests.net.streams import turns
from tests.support.server import raw_server, reply, script_once

from .exchanges import answer, fetch, framed, until

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aiohttpclient.net import StreamProtocol
    from tests.support.server import Peer
    from tests.support.tls import TlsKit


async def echo(peer: Peer) -> None:
    """Answer each request with its own bytes."""
    while True:
        head, body = await peer.read_request()
        await peer.send(reply(head + body))


# -- the sessions of the documentation


async def test_session_with_get() -> None:
    """The documentation's session with GET works, with await."""
    pages = script_once(reply(b"<html>index</html>"), reply(b"", status="404 Not Found"))
    async with raw_server(pages) as server:
        conn = AsyncHTTPConnection(server.netloc)
        await conn.request("GET", "/index.html")
        r1 = await conn.getresponse()
        assert (r1.status, r1.reason) == (200, "OK")
        data1 = await r1.read()
        await conn.request("GET", "/parrot.spam")
        r2 = await conn.getresponse()
        assert (r2.status, r2.reason) == (404, "Not Found")
        data2 = await r2.read()
        await conn.close()
        assert (data1, data2) == (b"<html>index</html>", b"")
        assert server.raw.startswith(b"GET /index.html HTTP/1.1\r\n")
        assert b"\r\n\r\nGET /parrot.spam HTTP/1.1\r\n" in server.raw
        assert server.connections == 1


async def test_session_with_post() -> None:
    """The documentation's session with POST works, with await."""
    async with raw_server(script_once(reply(b"result"))) as server:
        params = urlencode({"spam": 1, "eggs": 2, "bacon": 0})
        headers = {"Content-type": "application/x-www-form-urlencoded", "Accept": "text/plain"}
        conn = AsyncHTTPConnection(f"127.0.0.1:{server.port}")
        await conn.request("POST", "/cgi-bin/query", params, headers)
        response = await conn.getresponse()
        assert (response.status, response.reason) == (200, "OK")
        assert await response.read() == b"result"
        await conn.close()
        head, _, body = server.raw.partition(b"\r\n\r\n")
        assert head.split(b"\r\n") == [
            b"POST /cgi-bin/query HTTP/1.1",
            b"Host: " + server.netloc.encode(),
            b"Accept-Encoding: identity",
            b"Content-Length: 21",
            b"Content-type: application/x-www-form-urlencoded",
            b"Accept: text/plain",
        ]
        assert body == b"spam=1&eggs=2&bacon=0"


async def test_session_step_by_step() -> None:
    """The documentation's four functions send a request step by step."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            conn.putrequest("POST", "/path", skip_host=False, skip_accept_encoding=True)
            conn.putheader("Accept", "text/plain", "text/html")
            conn.putheader("Content-Length", 6)
            await conn.endheaders()
            await conn.send(b"abc")
            await conn.send([b"d", b"ef"])
            response = await conn.getresponse()
            assert await response.read() == b"ok"
        head, _, body = server.raw.partition(b"\r\n\r\n")
        assert head.split(b"\r\n")[2:] == [b"Accept: text/plain text/html", b"Content-Length: 6"]
        assert body == b"abcdef"


def test_constants_of_the_documentation() -> None:
    """The constants of the documentation are names of the package, and ``responses`` maps them to their phrases."""
    assert (aiohttpclient.HTTP_PORT, aiohttpclient.HTTPS_PORT) == (80, 443)
    assert aiohttpclient.responses[aiohttpclient.NOT_FOUND] == "Not Found"
    assert AsyncHTTPConnection.default_port == aiohttpclient.HTTP_PORT
    assert AsyncHTTPSConnection.default_port == aiohttpclient.HTTPS_PORT


# -- the order of one transaction


async def test_states() -> None:
    """``state`` tells where the transaction stands, step by step."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            states = [conn.state]
            conn.putrequest("PUT", "/")
            states.append(conn.state)
            conn.putheader("Content-Length", 3)
            states.append(conn.state)
            await conn.endheaders()
            states.append(conn.state)
            await conn.send(b"abc")
            states.append(conn.state)
            response = await conn.getresponse()
            states.append(conn.state)
            await response.read()
            states.append(conn.state)
    assert [state.name for state in states] == [
        "IDLE",
        "REQUEST_STARTED",
        "REQUEST_STARTED",
        "SENDING_BODY",
        "REQUEST_SENT",
        "READING_RESPONSE",
        "IDLE",
    ]


ORDERS: dict[str, tuple[list[Callable[[AsyncHTTPConnection], Any]], type[Exception]]] = {
    "a field first": ([lambda conn: conn.putheader("X", "y")], CannotSendHeader),
    "the end of a head first": ([lambda conn: conn.endheaders()], CannotSendHeader),
    "a body first": ([lambda conn: conn.send(b"x")], CannotSendRequest),
    "a response first": ([lambda conn: conn.getresponse()], ResponseNotReady),
    "two requests": ([lambda conn: conn.putrequest("GET", "/")] * 2, CannotSendRequest),
    "a request in another": (
        [lambda conn: conn.putrequest("GET", "/"), lambda conn: conn.request("GET", "/")],
        CannotSendRequest,
    ),
    "a body before the end of the head": (
        [lambda conn: conn.putrequest("PUT", "/"), lambda conn: conn.send(b"x")],
        CannotSendRequest,
    ),
    "a response before the end of the head": (
        [lambda conn: conn.putrequest("GET", "/"), lambda conn: conn.getresponse()],
        ResponseNotReady,
    ),
    "a field after the head": (
        [lambda conn: conn.request("GET", "/"), lambda conn: conn.putheader("X", "y")],
        CannotSendHeader,
    ),
    "a head after the head": (
        [lambda conn: conn.request("GET", "/"), lambda conn: conn.endheaders()],
        CannotSendHeader,
    ),
    "a detached connection": ([lambda conn: conn.detach()], ResponseNotReady),
    "one detached in between": ([lambda conn: conn.request("GET", "/"), lambda conn: conn.detach()], ResponseNotReady),
    "two responses": (
        [lambda conn: conn.request("GET", "/"), lambda conn: conn.getresponse(), lambda conn: conn.getresponse()],
        ResponseNotReady,
    ),
}


@pytest.mark.parametrize("order", ORDERS)
async def test_out_of_order(order: str) -> None:
    """A step out of order is the error of http.client, says what to do, and changes nothing."""
    steps, error = ORDERS[order]
    async with raw_server(answer(reply(b"ok"), close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            *before, last = steps
            for step in before:
                await call(step, conn)
            state = conn.state
            with pytest.raises(error, match=r".{20}"):
                await call(last, conn)
            assert conn.state is state


async def call(step: Callable[[AsyncHTTPConnection], Any], conn: AsyncHTTPConnection) -> Any:
    result = step(conn)
    return await result if asyncio.iscoroutine(result) else result


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("GE T", "/"), ValueError),
        (("G\r\nX", "/"), ValueError),
        (("GET", "/a b"), InvalidURL),
        (("GET", "/\r\nX: y"), InvalidURL),
        (("GET", "/\xe9"), InvalidURL),
        (("GET", "/", None, {"X": "a\r\nb"}), ValueError),
        (("GET", "/", None, {"X": "a\0b"}), ValueError),
        (("GET", "/", None, {"X\n": "a"}), ValueError),
        (("GET", "/", None, {"X": "\u20ac"}), ValueError),
        (("GET", "/", None, {"X": None}), TypeError),
        (("POST", "/", "\u20ac"), UnicodeEncodeError),
        (("POST", "/", b"abc", {"Content-Length": "5"}), ValueError),
    ],
)
async def test_request_that_cannot_be_sent(arguments: tuple[Any, ...], error: type[Exception]) -> None:
    """What cannot be sent is refused before anything is sent: the connection stays open, and clean."""
    async with raw_server(script_once(reply(b"one"), reply(b"two"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"one"
            with pytest.raises(error):
                await conn.request(*arguments)
            assert conn.connected
            assert await fetch(conn) == b"two"
        assert server.connections == 1
        assert server.raw.count(b" HTTP/1.1\r\n") == 2


async def test_field_that_cannot_be_sent() -> None:
    """A field that is refused step by step leaves the request as it was."""
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.putrequest("GET", "/")
        for name, value in (("X", "a\r\nb"), ("X\n", "a"), ("", "a"), ("X", "\x7f")):
            with pytest.raises(ValueError, match="Invalid header"):
                conn.putheader(name, value)
        with pytest.raises(TypeError):
            conn.putheader("X", None)  # type: ignore[arg-type]  # what is tested
        conn.putheader("X", "b")
        await conn.endheaders()
        sent = await (await conn.getresponse()).read()
        assert sent.endswith(b"identity\r\nX: b\r\n\r\n")


async def test_step_by_step_that_contradicts_itself() -> None:
    """``endheaders`` that is refused leaves the request as it was, so that it can be ended otherwise, or closed."""
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.putrequest("POST", "/")
        with pytest.raises(ValueError, match="Content-Length"):
            await conn.endheaders(b"abc")
        assert conn.state is ExchangeState.REQUEST_STARTED
        conn.putheader("Content-Length", "3")
        await conn.endheaders(b"abc")
        assert (await (await conn.getresponse()).read()).endswith(b"Content-Length: 3\r\n\r\nabc")


async def test_request_given_up() -> None:
    """A request that was begun step by step is given up by ``close()``."""
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.putrequest("POST", "/given-up")
        conn.putheader("X", "y")
        await conn.close()
        assert b"given-up" not in await fetch(conn)


# -- requests with every kind of body arrive

BODIES: dict[str, Callable[[], Any]] = {
    "bytes": lambda: b"abc",
    "str": lambda: "abc",
    "bytearray": lambda: bytearray(b"abc"),
    "memoryview": lambda: memoryview(b"abc"),
    "file": lambda: io.BytesIO(b"abc"),
    "text file": lambda: io.StringIO("abc"),
    "list": lambda: [b"a", b"", b"bc"],
    "list of str": lambda: ["a", "bc"],
    "generator": lambda: (piece for piece in (b"a", b"bc")),
    "async generator": lambda: pieces(b"a", b"", b"bc"),
}


async def pieces(*blocks: bytes) -> Any:
    for block in blocks:
        await asyncio.sleep(0)
        yield block


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_body(body: str, secure: bool, tls: TlsKit) -> None:
    """Every kind of body arrives, over TCP and over TLS, and the connection goes on."""
    async with raw_server(echo, ssl=tls.good if secure else None) as server:
        async with connection_to(server, tls) as conn:
            for _ in range(2):
                sent = await fetch(conn, "POST", "/", BODIES[body]())
                head, _, data = sent.partition(b"\r\n\r\n")
                if b"chunked" in head:
                    lines = data.split(b"\r\n")
                    data = b"".join(lines[1::2])
                    assert lines[-3:] == [b"0", b"", b""]
                assert data == b"abc"
            assert server.connections == 1


def connection_to(server: Any, tls: TlsKit, **options: Any) -> AsyncHTTPConnection:
    if server.url.startswith("https"):
        return AsyncHTTPSConnection(server.host, server.port, context=tls.client, **options)
    return AsyncHTTPConnection(server.host, server.port, **options)


async def test_body_after_a_request() -> None:
    """A request whose length was declared may be followed by its body, as in http.client."""
    async with raw_server(echo) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        for _ in range(2):
            await conn.request("PUT", "/", headers={"Content-Length": "6"})
            await conn.send(b"abc")
            await conn.send(b"def")
            sent = await (await conn.getresponse()).read()
            assert sent.endswith(b"\r\n\r\nabcdef")
        assert server.connections == 1


async def test_body_from_another_response() -> None:
    """A response, or any asyncio.StreamReader, may be the body of the next request: both have a ``read``."""
    content = bytes(range(256)) * 2000
    async with raw_server(script_once(reply(content))) as source, raw_server(echo) as sink:
        async with (
            AsyncHTTPConnection(source.host, source.port) as reading,
            AsyncHTTPConnection(sink.host, sink.port) as writing,
        ):
            await reading.request("GET", "/")
            response = await reading.getresponse()
            headers = {"Content-Length": str(response.length)}
            assert (await fetch(writing, "PUT", "/", response, headers)).endswith(content)
            reader = asyncio.StreamReader()
            reader.feed_data(content)
            reader.feed_eof()
            assert (await fetch(writing, "PUT", "/", reader, headers)).endswith(content)


# -- responses that do not come


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("end", ["close", "half_close", "reset"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_no_response(method: str, end: str, secure: bool, tls: TlsKit) -> None:
    """A peer that ends the connection without an answer is RemoteDisconnected, however it ends it."""
    received = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_request()
        await received.wait()
        getattr(peer, end)()

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await conn.request(method, "/", b"body" if method == "POST" else None)
        received.set()
        with pytest.raises(RemoteDisconnected):
            await conn.getresponse()
        assert not conn.connected
        assert conn.state is ExchangeState.IDLE
        with pytest.raises(ResponseNotReady):
            await conn.getresponse()


@pytest.mark.parametrize("raw", [b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX: y\r\n"])
@pytest.mark.parametrize("strict", [False, True])
async def test_half_a_head(raw: bytes, strict: bool) -> None:
    """A head that the end of the connection cuts short is not a head, in every mode."""
    async with raw_server(answer(raw)) as server, AsyncHTTPConnection(server.host, server.port, strict) as conn:
        await conn.request("GET", "/")
        with pytest.raises(InvalidHead, match="ended within the head") as raised:
            await conn.getresponse()
        assert raised.value.cut
        assert pickle.loads(pickle.dumps(raised.value)).cut
        assert not conn.connected


@pytest.mark.parametrize("raw", [b"nonsense\r\n\r\n", b"<html>"])
async def test_no_http_in_strict_mode(raw: bytes) -> None:
    """In strict mode, what does not begin like a response is BadStatusLine, without waiting for more of it."""
    async with raw_server(answer(raw, close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port, strict=True) as conn:
            await conn.request("GET", "/")
            with pytest.raises(BadStatusLine):
                await conn.getresponse()
            assert not conn.connected


STRICT = {
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "no head": b"ok",
    "a folded field": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 2\r\n\r\nok",
    "a blank before a colon": b"HTTP/1.1 200 OK\r\nX : a\r\nContent-Length: 2\r\n\r\nok",
    "lengths that differ": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "both framings": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "an unknown coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", STRICT)
async def test_strict(name: str) -> None:
    """Strict mode refuses what is ambiguous, and closes; lenient mode takes it, as http.client does."""
    raw = STRICT[name]
    async with raw_server(answer(raw)) as server:
        async with AsyncHTTPConnection(server.host, server.port, strict=True) as conn:
            await conn.request("GET", "/")
            with pytest.raises(HTTPException):
                await conn.getresponse()
            assert not conn.connected
            assert conn.state is ExchangeState.IDLE
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"ok"


async def test_simple_response_comes_first_only() -> None:
    """A response without a head (HTTP/0.9) is taken for one as the first of a connection only."""
    async with raw_server(script_once(reply(b"one"), b"poison")) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn) == b"one"
            await conn.request("GET", "/")
            with pytest.raises(BadStatusLine):
                await conn.getresponse()
            assert not conn.connected


# -- timeouts


async def silent(peer: Peer) -> None:
    """Take everything and answer nothing."""
    await peer.read_until_eof()


@pytest.mark.parametrize("given", [0.05, Timeout(read=0.05)])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_read_timeout_of_a_response(given: Any, secure: bool, tls: TlsKit) -> None:
    """A peer that does not answer is a ReadTimeout that says for what, and for how long, it was waited."""
    async with raw_server(silent, ssl=tls.good if secure else None) as server:
        async with connection_to(server, tls) as conn:
            await conn.connect()
            conn.timeout = given
            await conn.request("GET", "/slow?a=b")
            with pytest.raises(ReadTimeout) as caught:
                await conn.getresponse()
            check_timeout(caught.value, "read", "GET", f"{server.url}/slow?a=b")
            assert not conn.connected
            assert conn.state is ExchangeState.IDLE


def check_timeout(error: PhaseTimeout, phase: str, method: str, url: str, limit: float = 0.05) -> None:
    """A timeout says everything about itself, is what people catch, and survives a journey to another process."""
    assert isinstance(error, TimeoutError)
    assert isinstance(error, HTTPException)
    assert (error.phase, error.limit, error.method, error.url) == (phase, limit, method, url)
    assert 0.8 * limit < error.elapsed < limit + 4.95
    assert str(error) == f"{phase} timed out after {error.elapsed:.3g} s (limit {limit:g} s) for {method} {url}"
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert (copy.phase, copy.limit, copy.elapsed, copy.method, copy.url) == (
        phase,
        limit,
        error.elapsed,
        method,
        url,
    )
    assert str(copy) == str(error)


@pytest.mark.parametrize("framing", ["length", "chunked", "until close"])
@pytest.mark.parametrize("amount", [None, 50_000])
async def test_read_timeout_of_a_body(framing: str, amount: int | None) -> None:
    """A peer that stops in the middle of a body is a ReadTimeout too, in every framing and however the body is read."""
    half = framed(bytes(100_000), framing, chunk=100_000)[:20_000]
    async with raw_server(answer(half, close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=Timeout(read=0.05)) as conn:
            await conn.request("GET", "/half")
            response = await conn.getresponse()
            with pytest.raises(ReadTimeout) as caught:
                await response.read(amount)
            check_timeout(caught.value, "read", "GET", f"{server.url}/half")
            with pytest.raises(ReadTimeout):
                await response.read()


async def test_read_timeout_of_half_a_head() -> None:
    """A peer that stops in the middle of a head is a ReadTimeout."""
    async with raw_server(answer(b"HTTP/1.1 200 OK\r\nX: ", close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=Timeout(read=0.05)) as conn:
            await conn.request("GET", "/")
            with pytest.raises(ReadTimeout):
                await conn.getresponse()


@pytest.mark.parametrize("kind", ["bytes", "blocks", "file", "sent"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_write_timeout(kind: str, secure: bool, tls: TlsKit, tmp_path: Any) -> None:
    """A peer that takes nothing of a body is a WriteTimeout, whatever the body is."""
    done = asyncio.Event()
    size = 20_000_000

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await done.wait()

    path = tmp_path / "body"
    path.write_bytes(bytes(size))
    async with raw_server(script, ssl=tls.good if secure else None) as server:
        async with connection_to(server, tls, timeout=Timeout(write=0.05)) as conn:
            with path.open("rb") as file, pytest.raises(WriteTimeout) as caught:
                if kind == "sent":
                    conn.putrequest("PUT", "/upload")
                    conn.putheader("Content-Length", size)
                    await conn.endheaders()
                    await conn.send(bytes(size))
                else:
                    body = {"bytes": bytes(size), "blocks": [bytes(size // 100)] * 100, "file": file}[kind]
                    await conn.request("PUT", "/upload", body)
            check_timeout(caught.value, "write", "PUT", f"{server.url}/upload")
            assert not conn.connected
            done.set()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_total_of_a_response(secure: bool, tls: TlsKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A total ends a wait for a head, and for a body, though no silence is too long; and it says so."""
    clock = Clock(monkeypatch)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\n")
        if peer.number:
            await peer.send(b"Content-Length: 1000\r\n\r\n")
        await clock.drip([b"X"] * 4, 6, peer.send, stream_of(conn))
        await peer.read_until_eof()

    async with raw_server(script, ssl=tls.good if secure else None) as server:
        async with connection_to(server, tls, timeout=Timeout(read=7, total=20)) as conn:
            await connect_by(clock, conn)
            await conn.request("GET", "/head")
            with pytest.raises(TotalTimeout) as caught:
                await conn.getresponse()
            check_timeout(caught.value, "total", "GET", f"{server.url}/head", 20)
            await connect_by(clock, conn)
            await conn.request("GET", "/body")
            response = await conn.getresponse()
            with pytest.raises(TotalTimeout) as caught:
                await response.read()
            check_timeout(caught.value, "total", "GET", f"{server.url}/body", 20)
            with pytest.raises(TotalTimeout):
                await response.read()
            assert not conn.connected


async def connect_by(clock: Clock, conn: AsyncHTTPConnection) -> None:
    """Connect, and let ``clock`` say how much time passes then."""
    await conn.connect()
    clock.give(stream_of(conn))


def stream_of(conn: AsyncHTTPConnection) -> StreamProtocol:
    """The stream of an open connection."""
    assert conn._stream is not None
    return conn._stream


async def test_total_of_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A total ends the sending of a body, in one step and step by step."""
    clock, done = Clock(monkeypatch), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await done.wait()

    async def let_it_pass(sending: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.create_task(sending)
        await until(lambda: conn._stream is not None and conn._stream.waited_for)
        clock.advance(19)
        await turns()
        assert not task.done()
        clock.advance(1)
        await task

    async with raw_server(script) as server:
        timeout = Timeout(write=None, total=20)
        async with AsyncHTTPConnection(server.host, server.port, timeout=timeout, dialer=clock) as conn:
            with pytest.raises(TotalTimeout) as caught:
                await let_it_pass(conn.request("PUT", "/upload", bytes(20_000_000)))
            check_timeout(caught.value, "total", "PUT", f"{server.url}/upload", 20)
            conn.putrequest("PUT", "/upload")
            conn.putheader("Content-Length", 20_000_000)
            await conn.endheaders()
            with pytest.raises(TotalTimeout) as caught:
                await let_it_pass(conn.send(bytes(20_000_000)))
            check_timeout(caught.value, "total", "PUT", f"{server.url}/upload", 20)
            done.set()


async def test_total_while_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A total that ends between two calls is what the next one raises; the connection is closed by then."""
    clock = Clock(monkeypatch)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number == 0:
            await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf.")
        await peer.read_until_eof()

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=Timeout(total=20), dialer=clock) as conn:
            await conn.request("GET", "/body")
            response = await conn.getresponse()
            clock.advance(20)
            await server.wait_closed()
            with pytest.raises(TotalTimeout) as caught:
                await response.read()
            check_timeout(caught.value, "total", "GET", f"{server.url}/body", 20)
            await conn.request("GET", "/head")
            clock.advance(20)
            await server.wait_closed(2)
            with pytest.raises(TotalTimeout) as caught:
                await conn.getresponse()
            check_timeout(caught.value, "total", "GET", f"{server.url}/head", 20)


async def test_total_is_each_exchanges_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each exchange has the whole total, and an idle connection has none."""
    clock = Clock(monkeypatch)
    async with raw_server(echo) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=Timeout(total=20), dialer=clock) as conn:
            await conn.connect()
            for _ in range(4):
                clock.advance(15)
                await conn.request("GET", "/")
                clock.advance(15)
                await (await conn.getresponse()).read()
            clock.advance(100)
            await turns()
            assert conn.connected
            assert server.connections == 1


async def test_least_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that drips is a StallTimeout that names the request."""
    clock, begun = Clock(monkeypatch), asyncio.Event()

    async def drip(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        await begun.wait()
        await clock.drip([b"X"] * 20, 1, peer.send, stream_of(conn))
        await peer.read_until_eof()

    timeout = Timeout(read=2, min_rate=(100_000, 5))
    async with (
        raw_server(drip) as server,
        AsyncHTTPConnection(server.host, server.port, timeout=timeout, dialer=clock) as conn,
    ):
        await conn.request("GET", "/drip")
        response = await conn.getresponse()
        begun.set()
        with pytest.raises(StallTimeout) as caught:
            await response.read()
        error = caught.value
        assert (error.method, error.url) == ("GET", f"{server.url}/drip")
        assert (error.limit, error.rate, error.elapsed) == (5, 100_000, 5)
        assert not conn.connected


@pytest.mark.parametrize(
    ("fields", "told"), [((), None), (("Keep-Alive: timeout=5",), 5.0), (("keep-alive: max=3, timeout=60",), 60.0)]
)
async def test_keep_alive(fields: tuple[str, ...], told: float | None) -> None:
    """The head of a response tells for how long the server keeps the connection."""
    async with raw_server(script_once(reply(b"ok", *fields))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            assert response.head.keep_alive == told
            assert await response.read() == b"ok"


async def test_peer_that_takes_slowly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout bounds each silence, not the whole: a peer that takes a little again and again is in time."""
    clock, size, silences = Clock(monkeypatch), 40_000_000, 0

    def unsent() -> int:
        assert conn._stream is not None
        return conn._stream.transport.get_write_buffer_size()

    async def script(peer: Peer) -> None:
        nonlocal silences
        await peer.read_head()
        taken = 0
        while taken < size:
            for _ in range(200):  # turns, after which there is nothing left that the kernel does not take
                if unsent():
                    break
                await asyncio.sleep(0)
            if before := unsent():
                clock.advance(15)
                silences += 1
            while unsent() == before and taken < size:
                taken += len(await peer.read_exactly(size // 400))
        await peer.send(reply(b"taken"))

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=Timeout(write=20), dialer=clock) as conn:
            assert await fetch(conn, "PUT", "/", bytes(size)) == b"taken"
    assert silences > 4


@pytest.mark.parametrize("amount", [None, 100_000])
async def test_peer_that_sends_slowly(amount: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A peer that sends a little again and again is in time as well, in a large read and in a small one."""
    clock, begun = Clock(monkeypatch), asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % 80_000)
        await begun.wait()
        await clock.drip([bytes(10_000)] * 7, 15, peer.send, stream_of(conn))
        await peer.send(bytes(10_000))

    async with raw_server(script) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=Timeout(read=20), dialer=clock) as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            begun.set()
            assert await response.read(amount) == bytes(80_000)
        assert clock.now >= 1000 + 7 * 15


async def test_timeout_set_later() -> None:
    """A timeout that is set later counts for the next wait, in the middle of an exchange too."""
    async with raw_server(silent) as server, AsyncHTTPConnection(server.host, server.port, timeout=None) as conn:
        await conn.request("GET", "/")
        conn.timeout = 0.05
        with pytest.raises(ReadTimeout):
            await conn.getresponse()
        conn.timeout = Timeout(read=0.06)
        await conn.request("GET", "/")
        with pytest.raises(ReadTimeout) as caught:
            await conn.getresponse()
        assert caught.value.limit == 0.06


async def test_no_timeout() -> None:
    """With None nothing is bounded, and no timer runs."""
    async with raw_server(script_once(reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port, timeout=None) as conn:
            assert await fetch(conn) == b"ok"
            assert conn._stream is not None
            assert conn._stream._timer.deadline is None


async def test_connection_after_a_timeout() -> None:
    """After a timeout the next request goes over a new connection, so that the late answer answers nothing."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number:
            await peer.send(reply(b"answer"))
        await peer.read_until_eof()

    timeout = Timeout(read=0.05)
    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port, timeout=timeout) as conn:
        await conn.request("GET", "/")
        with pytest.raises(ReadTimeout):
            await conn.getresponse()
        conn.timeout = 10
        assert await fetch(conn) == b"answer"


# -- cancellation


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_cancelled_while_a_response_is_awaited(secure: bool, tls: TlsKit) -> None:
    """A task that is cancelled while it waits leaves a closed connection, which can be opened again, when it ends."""
    async with raw_server(silent, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await conn.request("GET", "/")
        task = asyncio.create_task(conn.getresponse())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not conn.connected
        assert conn.state is ExchangeState.IDLE
        await server.wait_closed()
        await conn.request("GET", "/")
        assert conn.connected


async def test_cancelled_while_a_body_is_sent() -> None:
    """A task that is cancelled while it sends leaves no half request on an open connection."""
    done = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await done.wait()

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        task = asyncio.create_task(conn.request("PUT", "/", bytes(20_000_000)))
        await until(lambda: conn.state is ExchangeState.SENDING_BODY)
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not conn.connected
        assert conn.state is ExchangeState.IDLE
        done.set()


# -- other protocols


@pytest.mark.parametrize("arrival", ["with the head", "later"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
async def test_detach_after_101(arrival: str, secure: bool, tls: TlsKit) -> None:
    """After 101 the byte stream is given away, with what has come of the other protocol already."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
    go_on = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(head + b"hello\n" if arrival == "with the head" else head)
        await go_on.wait()
        if arrival == "later":
            await peer.send(b"hello\n")
        await peer.send(b"you said " + await peer.read_until(b"\n"))

    async with raw_server(script, ssl=tls.good if secure else None) as server, connection_to(server, tls) as conn:
        await conn.request("GET", "/", headers={"Connection": "upgrade", "Upgrade": "echo"})
        response = await conn.getresponse()
        assert (response.status, response.getheader("Upgrade")) == (101, "echo")
        assert conn.state is ExchangeState.SWITCHED
        assert response.closed
        assert await response.read() == b""
        with pytest.raises(CannotSendRequest, match="switched"):
            await conn.request("GET", "/")
        reader, writer = conn.detach()
        assert isinstance(reader, asyncio.StreamReader)
        assert isinstance(writer, asyncio.StreamWriter)
        go_on.set()
        assert await reader.readline() == b"hello\n"
        writer.write(b"something\n")
        await writer.drain()
        assert await reader.readline() == b"you said something\n"
        assert await reader.read() == b""
        await close(writer)


async def close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


async def test_detached_connection() -> None:
    """A connection that gave its stream away has none: closing it closes nothing, and a request opens another."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        if peer.number:
            await peer.send(reply(b"answer"))
        else:
            await peer.send(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await peer.send(await peer.read_until_eof())

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/", headers={"Upgrade": "echo"})
        await conn.getresponse()
        reader, writer = conn.detach()
        assert not conn.connected
        assert conn.state is ExchangeState.IDLE
        with pytest.raises(ResponseNotReady):
            conn.detach()
        await conn.close()
        assert await fetch(conn) == b"answer"
        writer.write(b"still open")
        writer.write_eof()
        assert await reader.read() == b"still open"
        await close(writer)


async def test_detached_stream_outlives_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given away stays open when the connection is forgotten, without a complaint."""
    clock = Clock(monkeypatch)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        await peer.send(await peer.read_until(b"\n"))

    async def switch(host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        conn = AsyncHTTPConnection(host, port, timeout=Timeout(20, total=20), dialer=clock)
        await conn.request("GET", "/", headers={"Upgrade": "echo"})
        await conn.getresponse()
        return conn.detach()

    async with raw_server(script) as server:
        reader, writer = await switch(server.host, server.port)
        clock.advance(100)  # longer than the bounds of the connection, which has no say any more
        await turns()
        writer.write(b"echo\n")
        assert await reader.readline() == b"echo\n"
        await close(writer)


async def test_detach_after_connect() -> None:
    """After a 2xx to CONNECT the byte stream is the tunnel, and is given away as well."""

    async def script(peer: Peer) -> None:
        assert (await peer.read_head()).startswith(b"CONNECT example.org:443 HTTP/1.1\r\n")
        await peer.send(b"HTTP/1.1 200 Connection established\r\nContent-Length: 5\r\n\r\nhello")
        await peer.send(await peer.read_until(b"\n"))

    async with raw_server(script) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("CONNECT", "example.org:443")
        response = await conn.getresponse()
        assert response.status == 200
        reader, writer = conn.detach()
        writer.write(b"ping\n")
        assert await reader.readexactly(10) == b"helloping\n"
        await close(writer)


async def test_connect_that_is_refused() -> None:
    """Any other answer to CONNECT is an ordinary response."""
    async with raw_server(script_once(reply(b"no", status="403 Forbidden"), reply(b"ok"))) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            assert await fetch(conn, "CONNECT", "example.org:443") == b"no"
            with pytest.raises(ResponseNotReady):
                conn.detach()
            assert await fetch(conn) == b"ok"


async def test_101_that_nobody_asked_for() -> None:
    """A 101 without an Upgrade field in the request is a ProtocolError: the peer is not to be believed."""
    raw = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"
    async with raw_server(answer(raw, close=False)) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        await conn.request("GET", "/")
        with pytest.raises(ProtocolError, match="nobody asked"):
            await conn.getresponse()
        assert not conn.connected


async def test_switched_and_closed() -> None:
    """A switched connection that is not detached is closed like any other."""
    async with raw_server(answer(b"HTTP/1.1 101 Switching Protocols\r\n\r\n", close=False)) as server:
        async with AsyncHTTPConnection(server.host, server.port) as conn:
            await conn.request("GET", "/", headers={"Upgrade": "x"})
            await conn.getresponse()
            await conn.close()
            await server.wait_closed()
            assert conn.state is ExchangeState.IDLE
