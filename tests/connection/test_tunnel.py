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
from aiohttpclient.connection import _tunnel
from aiohttpclient.net import dial
from tests.net.stepping import Ending, Moment, sweep
from tests.support.leaks import open_descriptors
from tests.support.server import raw_server, reply

from .exchanges import ARRIVALS, FRAMINGS, answer, fetch, framed

if TYPE_CHECKING:
    import ssl

    from aiohttpclient import Headers
    from tests.support.server import Peer, RawServer, Script
    from tests.support.tls import TlsKit

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\nVia: 1.1 proxy\r\nX: y\r\n\r\n"


def proxy(head: bytes = ESTABLISHED, context: ssl.SSLContext | None = None, body: bytes = b"origin") -> Script:
    """A proxy, and behind it an origin, which speaks TLS with a ``context``."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(head)
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
    assert error.body == b"body"
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.status, copy.reason, copy.headers) == (str(error), 407, error.reason, error.headers)
    assert copy.body == b"body"


@pytest.mark.parametrize(
    "status", [b"301 Moved", b"304 Not Modified", b"403 Forbidden", b"502 Bad Gateway", b"101 Switching Protocols"]
)
async def test_other_refusals(status: bytes) -> None:
    """Everything but 2xx is a refusal."""
    async with raw_server(proxy(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")) as server:
        with pytest.raises(TunnelError, match=status.decode()) as caught:
            await through(server)
        assert caught.value.body == b""


# -- who asks


class Turn:
    """What a caller says to a proxy, and hears of it: ``given``, one after the other, as long as there is more."""

    def __init__(self, *given: str | None) -> None:
        self.left = list(given)
        self.begun: list[str] = []
        self.heard: list[tuple[str, str | None]] = []

    def begin(self, authority: str) -> Turn:
        self.begun.append(authority)
        return self

    async def credentials(self) -> str | None:
        await asyncio.sleep(0)
        return self.left.pop(0)

    async def refused(self, headers: Headers) -> bool:
        await asyncio.sleep(0)
        self.heard.append(("refused", headers.get("proxy-authenticate")))
        return bool(self.left)

    def accepted(self, headers: Headers) -> None:
        self.heard.append(("accepted", headers.get("via")))


WHO = b"HTTP/1.1 407 Who\r\nProxy-Authenticate: X\r\n"

FIELD = b"Proxy-Authorization: "


def asking(
    password: bytes, refusal: bytes = WHO + b"Content-Length: 4\r\n\r\nbody", then: Script | None = None
) -> Script:
    """A proxy that opens tunnels for those who know ``password``; ``then`` is what it does after a refusal."""

    async def script(peer: Peer) -> None:
        while FIELD + password + b"\r\n" not in await peer.read_head():
            await peer.send(refusal)
            if then is not None:
                await then(peer)
                return
        await peer.send(ESTABLISHED)
        await peer.read_request()
        await peer.send(reply(b"origin"))
        await peer.read_until_eof()

    return script


async def ask(server: RawServer, turn: Turn, **options: Any) -> bytes:
    async with AsyncHTTPConnection(server.host, server.port, **options) as conn:
        conn.set_tunnel("origin.example", 8080, {"X": "y"}, auth=turn.begin)
        return await fetch(conn)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("framing", ["length", "chunked", "no body"])
async def test_asked_who_it_is(framing: str, secure: bool, tls: TlsKit) -> None:
    """A 407 is answered on the same connection, when its body was read; the origin hears nothing of all that."""
    bodies = {
        "length": b"Content-Length: 4\r\n\r\nbody",
        "chunked": b"Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
        "no body": b"Content-Length: 0\r\n\r\n",
    }
    turn = Turn(None, "a", "b")
    async with raw_server(asking(b"b", WHO + bodies[framing]), ssl=tls.good if secure else None) as server:
        assert await ask(server, turn, **({"proxy_context": tls.client} if secure else {})) == b"origin"
        assert server.connections == 1
        *heads, request, rest = server.raw.split(b"\r\n\r\n")
    same = b"CONNECT origin.example:8080 HTTP/1.1\r\nHost: origin.example:8080\r\nX: y"
    assert heads == [same, same + b"\r\n" + FIELD + b"a", same + b"\r\n" + FIELD + b"b"]
    assert (request, rest) == (b"GET / HTTP/1.1\r\nHost: origin.example:8080\r\nAccept-Encoding: identity", b"")
    assert turn.begun == ["origin.example:8080"]
    assert turn.heard == [("refused", "X"), ("refused", "X"), ("accepted", "1.1 proxy")]


async def leave(peer: Peer) -> None:
    peer.close()


async def reset(peer: Peer) -> None:
    peer.reset()


async def close_when_asked_again(peer: Peer) -> None:
    await peer.read_head()


async def reset_when_asked_again(peer: Peer) -> None:
    await peer.read_exactly(10)
    peer.reset()


async def cut_when_asked_again(peer: Peer) -> None:
    await peer.read_head()
    peer.cut()


async def stay(peer: Peer) -> None:
    await peer.read_until_eof()


LEAVING: dict[str, tuple[bytes, Script]] = {
    "says so": (b"Connection: close\r\nContent-Length: 4\r\n\r\nbody", stay),
    "until close": (b"\r\nbody", leave),
    "at once": (b"Content-Length: 4\r\n\r\nbody", leave),
    "reset": (b"Content-Length: 4\r\n\r\nbody", reset),
    "when asked again": (b"Content-Length: 4\r\n\r\nbody", close_when_asked_again),
    "reset when asked again": (b"Content-Length: 4\r\n\r\nbody", reset_when_asked_again),
    "cut when asked again": (b"Content-Length: 4\r\n\r\nbody", cut_when_asked_again),
    "too much": (b"Content-Length: 20000\r\n\r\n" + b"x" * 20000, stay),
    "surplus": (b"Content-Length: 4\r\n\r\nbody and more", stay),
    "wrong body": (b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", stay),
}
"""How a proxy refuses after which the connection is of no more use."""


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("leaving", LEAVING)
async def test_asked_on_a_connection_that_is_lost(leaving: str, secure: bool, tls: TlsKit) -> None:
    """Where the proxy closes, says that it will, or is not understood, the 407 is answered on another connection."""
    rest, then = LEAVING[leaving]
    turn = Turn("a", "b", "b", "b")
    async with raw_server(asking(b"b", WHO + rest, then), ssl=tls.good if secure else None) as server:
        assert await ask(server, turn, **({"proxy_context": tls.client} if secure else {})) == b"origin"
        assert server.connections == 2
        await server.wait_closed(2)
    assert turn.heard == [("refused", "X"), ("accepted", "1.1 proxy")]
    assert turn.begun == ["origin.example:8080"]


async def test_asked_once_too_often() -> None:
    """When there is no other answer the last refusal is the error."""
    turn = Turn("a", "b")
    async with raw_server(asking(b"c")) as server:
        with pytest.raises(TunnelError) as caught:
            await ask(server, turn)
        await server.wait_closed()
    assert (caught.value.status, caught.value.body) == (407, b"body")
    assert turn.heard == [("refused", "X")] * 2


@pytest.mark.parametrize("status", [b"401 Who", b"403 No", b"502 Bad"])
async def test_refused_for_another_reason(status: bytes) -> None:
    """Only 407 is a question; whatever else refuses is an error at once."""
    turn = Turn("a", "b")
    async with raw_server(answer(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")) as server:
        with pytest.raises(TunnelError, match=status.decode()):
            await ask(server, turn)
    assert turn.heard == []


async def test_lost_before_it_was_asked() -> None:
    """A proxy that closes instead of answering the first CONNECT is not asked again."""
    turn = Turn("a", "b")
    async with raw_server(close_when_asked_again) as server:
        with pytest.raises(RemoteDisconnected):
            await ask(server, turn)
        assert server.connections == 1
    assert turn.heard == []


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 Conn", b"HTTP/1.1 103 Early\r\n\r\n"])
async def test_lost_within_the_second_answer(beginning: bytes) -> None:
    """Nor is it asked again when it closes in the middle of an answer."""

    async def begin_to_answer(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(beginning)

    turn = Turn("a", "b", "c")
    async with raw_server(asking(b"c", then=begin_to_answer)) as server:
        with pytest.raises(HTTPException, match=r"within the head|without response"):
            await ask(server, turn)
        assert server.connections == 1
    assert turn.heard == [("refused", "X")]


async def test_each_connection_has_a_turn() -> None:
    """Each time that the connection is opened, the credentials are asked for anew."""
    turn = Turn("b", "b")
    async with raw_server(asking(b"b")) as server, AsyncHTTPConnection(server.host, server.port) as conn:
        conn.set_tunnel("origin.example", auth=turn.begin)
        for _ in range(2):
            assert await fetch(conn) == b"origin"
            await conn.close()
    assert turn.begun == ["origin.example:80"] * 2


async def test_time_for_all_attempts() -> None:
    """The connect timeout is for all attempts together."""

    class Endless(Turn):
        async def credentials(self) -> str | None:
            return "a"

        async def refused(self, headers: Headers) -> bool:
            return True

    async with raw_server(asking(b"b")) as server:
        with pytest.raises(ConnectTimeout):
            await ask(server, Endless(), timeout=Timeout(connect=0.05))
        await server.wait_closed()


@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
async def test_cancelled_anywhere_while_it_is_asked(moment: Moment, leaves: bool) -> None:
    """Cancelled at any wait on the way to the second CONNECT, and behind it, every socket is closed by then."""
    asyncio.get_running_loop().set_debug(False)
    async with raw_server(asking(b"b", then=leave if leaves else None)) as server:

        async def work() -> None:
            assert await ask(server, Turn("a", "b", "b")) == b"origin"

        def ended(ending: Ending) -> None:
            address = (server.host, server.port)
            assert not [each for each in open_descriptors() if each.addresses()[1:] == [address]], str(ending)

        assert await sweep(moment, work, ended=ended) > 5


# -- the body of a refusal

PAGE = b"<h1>No</h1>" * 100


async def refusal(raw: bytes, arrival: str = "at once", *, close: bool = False, **options: Any) -> TunnelError:
    """The error that a proxy's answer ``raw`` becomes; the connection is closed by then."""
    async with raw_server(answer(raw, arrival, close=close)) as server:
        with pytest.raises(TunnelError) as caught:
            await through(server, **options)
        await server.wait_closed()
        return caught.value


@pytest.fixture
def endless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away the time limit for the body of a refusal, so that nothing but what is tested ends it."""
    monkeypatch.setattr(_tunnel, "PROXY_BODY_SECONDS", 1000.0)


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the time limit for the body of a refusal as short as can be."""
    monkeypatch.setattr(_tunnel, "PROXY_BODY_SECONDS", 0.05)


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize("arrival", ARRIVALS)
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_body_of_a_refusal(framing: str, arrival: str) -> None:
    """The error has the body of the proxy's answer, in whatever framing it came."""
    raw = framed(PAGE, framing).replace(b"200 OK", b"403 Forbidden", 1)
    error = await refusal(raw, arrival, close=framing == "until close")
    assert (error.status, error.body) == (403, PAGE)


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("size", [_tunnel.PROXY_BODY - 1, _tunnel.PROXY_BODY, _tunnel.PROXY_BODY + 1, 300_000])
@pytest.mark.parametrize("framing", FRAMINGS)
async def test_large_body_of_a_refusal(framing: str, size: int, secure: bool, tls: TlsKit) -> None:
    """No more than ``PROXY_BODY`` bytes of it are kept, nor waited for."""
    page = bytes(range(250)) * (size // 250 + 1)
    raw = framed(page[:size], framing).replace(b"200 OK", b"403 Forbidden", 1)
    script = answer(raw, close=framing == "until close")
    async with raw_server(script, ssl=tls.good if secure else None) as server:
        options: dict[str, Any] = {"proxy_context": tls.client} if secure else {}
        with pytest.raises(TunnelError) as caught:
            await through(server, **options)
        assert caught.value.body == page[: min(size, _tunnel.PROXY_BODY)]


@pytest.mark.usefixtures("endless")
async def test_endless_body_of_a_refusal() -> None:
    """A body without end is read until there is enough of it."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 403 No\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            await peer.send(b"3e8\r\n" + b"x" * 1000 + b"\r\n")
            await asyncio.sleep(0)

    async with raw_server(script) as server:
        with pytest.raises(TunnelError) as caught:
            await through(server)
        assert caught.value.body == b"x" * _tunnel.PROXY_BODY


@pytest.mark.usefixtures("endless")
@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"Content-Length: 10\r\n\r\nhalf", b"half"),
        (b"Content-Length: 10\r\n\r\n", b""),
        (b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n6\r\n", b"half"),
        (b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n", b""),
        (b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", b""),
        (b"Content-Length: 4, 5\r\n\r\nbody!", b""),
        (b"Transfer-Encoding: gzip\r\n\r\nbody", b""),
    ],
)
async def test_body_that_is_wrong(raw: bytes, body: bytes) -> None:
    """A body that is cut short, or makes no sense, does not hide the refusal: the error has what came of it."""
    error = await refusal(b"HTTP/1.1 502 Bad Gateway\r\n" + raw, close=True)
    assert (error.status, error.body) == (502, body)


@pytest.mark.usefixtures("endless")
async def test_what_follows_a_switch_is_no_body() -> None:
    """What follows a 101 is not HTTP, and so no body."""
    error = await refusal(b"HTTP/1.1 101 Switching Protocols\r\nContent-Length: 4\r\n\r\nbody")
    assert (error.status, error.body) == (101, b"")


@pytest.mark.usefixtures("endless")
async def test_body_that_is_reset() -> None:
    """A refusal whose body ends in a reset is still the refusal."""

    async def script(peer: Peer) -> None:
        await peer.read_exactly(10)
        await peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf")
        peer.reset()

    async with raw_server(script) as server:
        with pytest.raises(TunnelError) as caught:
            await through(server)
        assert (caught.value.status, caught.value.body) == (403, b"half")


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize("fields", [b"Content-Length: 10\r\n", b""])
@pytest.mark.parametrize("start", [b"half", b""])
async def test_body_that_does_not_come(fields: bytes, start: bytes) -> None:
    """A body that does not come, or does not end, is not waited for beyond ``PROXY_BODY_SECONDS``."""
    error = await refusal(b"HTTP/1.1 403 Forbidden\r\n" + fields + b"\r\n" + start)
    assert (error.status, error.body) == (403, start)


@pytest.mark.usefixtures("brief")
async def test_dripping_body() -> None:
    """A body that drips is not waited for either, though there is never a long silence."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 10000000\r\n\r\n")
        while True:
            await peer.drip(b"drip")

    async with raw_server(script) as server:
        with pytest.raises(TunnelError) as caught:
            await through(server, timeout=Timeout(connect=20))
        body = caught.value.body
        assert len(body) == _tunnel.PROXY_BODY or body.startswith(b"drip")


@pytest.mark.usefixtures("endless")
async def test_body_until_the_deadline() -> None:
    """Told when the connect timeout ends, the tunnel gives up on the body before that, and reports the refusal."""
    loop = asyncio.get_running_loop()
    async with raw_server(answer(b"HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\nhalf", close=False)) as server:
        stream = await dial(server.host, server.port)
        try:
            with pytest.raises(TunnelError) as caught:
                async with asyncio.timeout(0.2) as scope:
                    tunnel = _tunnel.Tunnel("origin.example", 443, [])
                    await _tunnel.open_tunnel(stream, tunnel, MessageLimits(), 0, scope.when())
            assert caught.value.body == b"half"
            assert loop.time() < (scope.when() or 0)
        finally:
            await stream.aborted()


@pytest.mark.usefixtures("endless")
async def test_cancelled_in_the_body_of_a_refusal() -> None:
    """A cancellation is not lost while the body of a refusal is read, and leaves no socket behind."""
    sent = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 10\r\n\r\nhalf")
        sent.set()
        await peer.read_until_eof()

    async with raw_server(script) as server:
        task = asyncio.create_task(through(server))
        await sent.wait()
        for _ in range(20):  # until the head has arrived, too
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await server.wait_closed()


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
async def test_cancelled_anywhere_in_a_refusal(moment: Moment) -> None:
    """Cancelled at any wait of a refused CONNECT, the socket is closed by then, and nothing is swallowed."""
    asyncio.get_running_loop().set_debug(False)

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.drip(b"HTTP/1.1 403 No\r\nContent-Length: 10\r\n\r\n0123456789")
        await peer.read_until_eof()

    async with raw_server(script) as server:

        async def work() -> None:
            with pytest.raises(TunnelError) as caught:
                await through(server)
            assert caught.value.body == b"0123456789"

        def ended(ending: Ending) -> None:
            address = (server.host, server.port)
            assert not [each for each in open_descriptors() if each.addresses()[1:] == [address]], str(ending)

        assert await sweep(moment, work, ended=ended) > 3


# -- granted


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
