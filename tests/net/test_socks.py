"""SOCKS 4, 4A and 5 with a proxy that says what the test tells it to; tests/interop has a real one."""

from __future__ import annotations

import asyncio
import pickle
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.errors import HTTPException, InvalidURL, ProxyError, ReadTimeout
from aiohttpclient.net import StreamProtocol, dial, start_tls
from aiohttpclient.net._socks import LOOKED_UP_HERE, SocksDialer
from tests.net.stepping import MOST, Ending, Moment, abandoned_at, sweep
from tests.net.streams import until
from tests.support.leaks import open_descriptors
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from aiohttpclient.net._socks import SocksKind
    from tests.support.server import Peer, RawServer, Script
    from tests.support.tls import TlsKit

NAME = "origin.example"
PORT = 8080
AT = PORT.to_bytes(2, "big")
KINDS: tuple[SocksKind, ...] = ("socks4", "socks4a", "socks5", "socks5h")
REMOTE: tuple[SocksKind, ...] = ("socks4a", "socks5h")
USER, PASSWORD = "alice", "s3cret~word"

ASKED: dict[SocksKind, bytes] = {
    "socks4": b"\4\1" + AT + b"\xc0\0\2\1" + b"\0",
    "socks4a": b"\4\1" + AT + b"\0\0\0\1" + b"\0" + b"origin.example\0",
    "socks5": b"\5\1\0" + b"\5\1\0\1\xc0\0\2\1" + AT,
    "socks5h": b"\5\1\0" + b"\5\1\0\3\x0eorigin.example" + AT,
}
"""What a proxy is asked for NAME and PORT by somebody without credentials."""

GRANTED_4 = b"\0\x5a" + bytes(6)
GRANTED_5 = b"\5\0\0\1" + bytes(6)
BOUND = {
    "IPv4": b"\5\0\0\1\x7f\0\0\1" + AT,
    "IPv6": b"\5\0\0\4" + bytes(15) + b"\1" + AT,
    "name": b"\5\0\0\3\x09localhost" + AT,
    "no name": b"\5\0\0\3\0" + AT,
}
REFUSALS_5 = {
    1: "General SOCKS server failure",
    2: "Connection not allowed by ruleset",
    3: "Network unreachable",
    4: "Host unreachable",
    5: "Connection refused by destination host",
    6: "TTL expired",
    7: "Command not supported or protocol error",
    8: "Address type not supported",
}
REFUSALS_4 = {0x5B: "rejected or failed", 0x5C: "identd", 0x5D: "different user-ids"}


class Direct:
    """Reaches the proxy as it is, and remembers the streams."""

    def __init__(self) -> None:
        self.streams: list[StreamProtocol] = []

    async def dial(self, host: str, port: int) -> StreamProtocol:
        stream = await dial(host, port)
        self.streams.append(stream)
        return stream


class Names:
    """A resolver that knows one name."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses or ("192.0.2.1",)
        self.asked: list[tuple[str, int]] = []
        self.forgotten: list[str] = []

    async def resolve(self, host: str, port: int, *, local: bool = False) -> list[Any]:
        self.asked.append((host, port))
        found = []
        for address in self.addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            rest = (0, 0) if family is socket.AF_INET6 else ()
            found.append((family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, *rest)))
        return found

    def forget(self, host: str) -> None:
        self.forgotten.append(host)


def dialer(server: RawServer, kind: SocksKind, names: Names | None = None, **options: Any) -> SocksDialer:
    resolver: Any = (names or Names()) if kind in LOOKED_UP_HERE else None
    return SocksDialer(Direct(), kind, server.host, server.port, resolver=resolver, **options)


# -- the proxy


async def read_socks4(peer: Peer) -> None:
    head = await peer.read_exactly(8)
    assert head[:2] == b"\4\1"
    await peer.read_until(b"\0")
    if head[4:7] == bytes(3):
        await peer.read_until(b"\0")


async def read_socks5(peer: Peer) -> None:
    head = await peer.read_exactly(5)
    assert head[:3] == b"\5\1\0"
    await peer.read_exactly({1: 4 - 1, 3: head[4], 4: 16 - 1}[head[3]] + 2)


async def serve_origin(peer: Peer) -> None:
    """What is behind the proxy."""
    while True:
        await peer.read_request()
        await peer.send(reply(b"origin"))


def proxy(kind: SocksKind, answer: bytes | None = None, *, method: bytes = b"\5\0", slowly: bool = False) -> Script:
    """A proxy that grants what it is asked for, or gives ``answer``, and then is the origin."""

    async def script(peer: Peer) -> None:
        say = peer.drip if slowly else peer.send
        if kind.startswith("socks4"):
            await read_socks4(peer)
            await say(GRANTED_4 if answer is None else answer)
        else:
            await peer.read_exactly((await peer.read_exactly(2))[1])
            await say(method)
            if method == b"\5\2":
                await peer.read_exactly((await peer.read_exactly(2))[1])
                await peer.read_exactly((await peer.read_exactly(1))[0])
                await say(b"\1\0")
            await read_socks5(peer)
            await say(GRANTED_5 if answer is None else answer)
        await serve_origin(peer)

    return script


async def ask(stream: StreamProtocol) -> bytes:
    """The answer of the origin at the other end of ``stream``, which is closed then."""
    try:
        stream.quiet = False
        stream.writer.write(b"GET / HTTP/1.1\r\n\r\n")
        while not stream.reader.buffered.endswith(b"\r\n\r\norigin"):
            assert not stream.ended
            await stream.wait(None, ReadTimeout)
        return bytes(stream.reader.buffered)
    finally:
        await stream.aborted()


async def through(server: RawServer, kind: SocksKind, host: str = NAME, **options: Any) -> bytes:
    """What the proxy was asked, once the origin has answered through it."""
    stream = await dialer(server, kind, **options).dial(host, PORT)
    assert stream.quiet
    assert stream.spoiled is None
    asked = server.raw
    assert await ask(stream) == reply(b"origin")
    return asked


# -- what is sent


async def test_socks5h() -> None:
    """SOCKS 5 with the name: the proxy looks it up (RFC 1928)."""
    async with raw_server(proxy("socks5h")) as server:
        assert await through(server, "socks5h") == ASKED["socks5h"]


async def test_socks5() -> None:
    """SOCKS 5 with the address that this machine knows for the name."""
    names = Names("192.0.2.1", "2001:db8::1")
    async with raw_server(proxy("socks5")) as server:
        assert await through(server, "socks5", names=names) == ASKED["socks5"]
    assert names.asked == [(NAME, PORT)]
    assert names.forgotten == []


async def test_socks4() -> None:
    """SOCKS 4 with the first IPv4 address that this machine knows for the name."""
    names = Names("2001:db8::1", "192.0.2.1", "192.0.2.2")
    async with raw_server(proxy("socks4")) as server:
        assert await through(server, "socks4", names=names) == ASKED["socks4"]
    assert names.asked == [(NAME, PORT)]


async def test_socks4a() -> None:
    """SOCKS 4A with the name: the proxy looks it up."""
    async with raw_server(proxy("socks4a")) as server:
        assert await through(server, "socks4a") == ASKED["socks4a"]


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("192.0.2.7", b"\1\xc0\0\2\7"),
        ("2001:db8::7", b"\4 \1\r\xb8" + bytes(11) + b"\7"),
        ("[2001:db8::7]", b"\4 \1\r\xb8" + bytes(11) + b"\7"),
        ("fe80::7%eth0", b"\4\xfe\x80" + bytes(13) + b"\7"),
        ("b\xfccher.example", b"\3\x15xn--bcher-kva.example"),
        ("ORIGIN.example.", b"\3\x0fORIGIN.example."),
        ("under_score.example", b"\3\x13under_score.example"),
        ("a" * 63 + ".example", b"\3\x47" + b"a" * 63 + b".example"),
    ],
)
async def test_destinations(host: str, sent: bytes) -> None:
    """Addresses go as addresses, without their zone; names in their IDNA form."""
    async with raw_server(proxy("socks5h")) as server:
        assert (await through(server, "socks5h", host))[3:] == b"\5\1\0" + sent + AT


async def test_zone_of_an_address_found() -> None:
    """The zone of an address that was looked up is ours alone."""
    async with raw_server(proxy("socks5")) as server:
        asked = await through(server, "socks5", names=Names("fe80::7%eth0"))
        assert asked[3:] == b"\5\1\0\4\xfe\x80" + bytes(13) + b"\7" + AT


@pytest.mark.parametrize("kind", ["socks4", "socks4a"])
async def test_user_id(kind: SocksKind) -> None:
    """SOCKS 4 sends the user id."""
    async with raw_server(proxy(kind)) as server:
        assert (await through(server, kind, username="alice w"))[8:].startswith(b"alice w\0")


@pytest.mark.parametrize("kind", ["socks5", "socks5h"])
@pytest.mark.parametrize("length", [1, 255])
async def test_credentials(kind: SocksKind, length: int) -> None:
    """SOCKS 5 offers to authenticate, and does when the proxy wants it (RFC 1929)."""
    user, password = "u" * length, "p" * length
    async with raw_server(proxy(kind, method=b"\5\2")) as server:
        asked = await through(server, kind, username=user, password=password)
        size = bytes([length])
        assert asked.startswith(b"\5\2\0\2" + b"\1" + size + user.encode() + size + password.encode() + b"\5\1\0")


async def test_credentials_that_nobody_wants() -> None:
    """Credentials stay here where the proxy does not ask for them."""
    async with raw_server(proxy("socks5h")) as server:
        asked = await through(server, "socks5h", username=USER, password=PASSWORD)
        assert asked == b"\5\2\0\2" + b"\5\1\0\3\x0eorigin.example" + AT


# -- what is answered


@pytest.mark.parametrize("slowly", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("kind", KINDS)
async def test_arrivals(kind: SocksKind, slowly: bool) -> None:
    """It does not matter in what pieces the answers come."""
    async with raw_server(proxy(kind, slowly=slowly)) as server:
        assert await through(server, kind) == ASKED[kind]


@pytest.mark.parametrize("slowly", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("bound", BOUND)
async def test_bound_addresses(bound: str, slowly: bool) -> None:
    """The address that the proxy connects from may be of any kind; it is read to its end, and no further."""
    script = proxy("socks5h", BOUND[bound], method=b"\5\2", slowly=slowly)
    async with raw_server(script) as server:
        asked = await through(server, "socks5h", username=USER, password=PASSWORD)
    assert asked.endswith(ASKED["socks5h"][3:])


async def refused(server: RawServer, kind: SocksKind = "socks5h", **options: Any) -> ProxyError:
    """The error, whose stream is closed by then."""
    socks = dialer(server, kind, **options)
    with pytest.raises(ProxyError) as caught:
        await socks.dial(NAME, PORT)
    assert isinstance(socks._dialer, Direct)
    assert all(stream.lost for stream in socks._dialer.streams)
    error = caught.value
    assert isinstance(error, OSError)
    assert isinstance(error, HTTPException)
    assert (error.status, error.headers, error.body) == (None, [], b"")
    assert str(error) == f"Proxy connection failed: {error.reason}"
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.reason) == (str(error), error.reason)
    return error


@pytest.mark.parametrize("code", REFUSALS_5)
async def test_refusals_of_socks5(code: int) -> None:
    """Each reply code of RFC 1928 section 6 is a ProxyError that says what it means; its cause is kept."""
    from python_socks import ProxyError as Original

    async with raw_server(proxy("socks5h", bytes([5, code, 0, 1]) + bytes(6))) as server:
        error = await refused(server)
    assert error.reason == REFUSALS_5[code]
    assert isinstance(error.__cause__, Original)
    assert error.__cause__.error_code == code


@pytest.mark.parametrize("code", REFUSALS_4)
@pytest.mark.parametrize("kind", ["socks4", "socks4a"])
async def test_refusals_of_socks4(kind: SocksKind, code: int) -> None:
    """Each reply code of SOCKS 4 is a ProxyError that says what it means."""
    async with raw_server(proxy(kind, bytes([0, code]) + bytes(6))) as server:
        assert REFUSALS_4[code] in (await refused(server, kind)).reason


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("socks5h", bytes([5, 9, 0, 1]) + bytes(6)),
        ("socks5h", bytes([5, 255, 0, 1]) + bytes(6)),
        ("socks4a", bytes([0, 0]) + bytes(6)),
        ("socks4a", bytes([0, 0x59]) + bytes(6)),
        ("socks4a", bytes([0, 0x5E]) + bytes(6)),
    ],
)
async def test_codes_that_nobody_has_defined(kind: SocksKind, answer: bytes) -> None:
    """Only the one code that grants is taken for a grant."""
    async with raw_server(proxy(kind, answer)) as server:
        assert "Invalid reply code" in (await refused(server, kind)).reason


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        (b"\5\1", "authentication method"),
        (b"\5\2", "authentication method"),
        (b"\5\3", "authentication method"),
        (b"\5\xff", "authentication method"),
        (b"\4\0", "version"),
        (b"HT", "version"),
        (b"\0\0", "version"),
    ],
)
async def test_methods_that_were_not_offered(method: bytes, reason: str) -> None:
    """A proxy that wants what was not offered, or nothing of it, is refused, and the error says what was wrong."""
    async with raw_server(proxy("socks5h", method=method)) as server:
        assert reason in (await refused(server)).reason
        assert USER.encode() not in server.raw


@pytest.mark.parametrize("verdict", [b"\1\1", b"\1\xff", b"\5\0", b"\0\0"])
async def test_credentials_that_are_wrong(verdict: bytes) -> None:
    """Wrong credentials are a ProxyError; neither they nor the errors it comes from show them."""

    async def script(peer: Peer) -> None:
        await peer.read_exactly(4)
        await peer.send(b"\5\2")
        await peer.read_exactly(3 + len(USER) + len(PASSWORD))
        await peer.send(verdict)
        await peer.read_until_eof()

    async with raw_server(script) as server:
        error: BaseException | None = await refused(server, username=USER, password=PASSWORD)
        while error is not None:
            for text in (str(error), repr(error)):
                assert USER not in text
                assert PASSWORD not in text
            error = error.__cause__ or error.__context__


@pytest.mark.parametrize(
    ("kind", "answer", "reason"),
    [
        ("socks5h", b"HTTP/1.1 400 Bad Request\r\n\r\n", "version"),
        ("socks5h", b"\4\0\0\1" + bytes(6), "version"),
        ("socks5h", b"\5\0\1\1" + bytes(6), "reserved byte"),
        ("socks5h", b"\5\0\0\2" + bytes(6), "address type"),
        ("socks5h", b"\5\0\0\3\2\xff\xfe\0\0", "the name in its answer is not text"),
        ("socks4a", b"HTTP/1.1 400 Bad Request\r\n\r\n", "version"),
        ("socks4a", b"\4\x5a" + bytes(6), "version"),
        ("socks4a", b"\5\0\0\1" + bytes(6), "version"),
    ],
)
async def test_garbage(kind: SocksKind, answer: bytes, reason: str) -> None:
    """What is not SOCKS is a ProxyError that says what was wrong with it."""
    async with raw_server(proxy(kind, answer)) as server:
        assert reason in (await refused(server, kind)).reason


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("kind", KINDS)
async def test_cut_short(kind: SocksKind, how: str) -> None:
    """A proxy that closes or resets after any of the bytes of its answers is a ProxyError."""
    method, answer = (b"\5\0", BOUND["name"]) if kind.startswith("socks5") else (b"", GRANTED_4)

    async def script(peer: Peer) -> None:
        for part, read in ((method, 3), (answer, 7)):
            if part:
                await peer.read_exactly(read)
                await peer.send(part[: max(0, peer.number - len(method) * (part is answer))])
            if peer.number < len(method):
                break
        if how == "reset":
            peer.reset()

    async with raw_server(script) as server:
        for _ in range(len(method + answer)):
            assert (await refused(server, kind)).reason.startswith("it closed the connection")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("surplus", [b"\0", reply(b"poison"), b"\x16\x03\x01"])
async def test_bytes_behind_the_answer(kind: SocksKind, surplus: bytes) -> None:
    """Bytes right behind the answer cannot be the origin's, which was sent nothing: they are refused."""
    answer = GRANTED_4 if kind.startswith("socks4") else BOUND["name"]
    async with raw_server(proxy(kind, answer + surplus)) as server:
        assert "followed" in (await refused(server, kind)).reason


async def test_bytes_after_the_answer() -> None:
    """Bytes that come later spoil the stream, as they do every idle one."""
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        await read_socks4(peer)
        await peer.send(GRANTED_4)
        await go.wait()
        await peer.send(b"x")
        await peer.read_until_eof()

    async with raw_server(script) as server:
        stream = await dialer(server, "socks4").dial(NAME, PORT)
        assert stream.spoiled is None
        go.set()
        await until(lambda: stream.lost)
        assert stream.spoiled == "bytes arrived while the connection was idle"


@pytest.mark.parametrize("banner", [b"\5\0", b""])
async def test_word_before_it_was_asked(banner: bytes) -> None:
    """A proxy that speaks, or closes, before it is asked for anything is refused, and is sent nothing."""

    class Slow(Direct):
        async def dial(self, host: str, port: int) -> StreamProtocol:
            stream = await super().dial(host, port)
            await until(lambda: stream.spoiled)
            return stream

    async def script(peer: Peer) -> None:
        if banner:
            await peer.send(banner)
            await peer.read_until_eof()

    async with raw_server(script) as server:
        with pytest.raises(ProxyError, match="before it was asked"):
            await SocksDialer(Slow(), "socks5h", server.host, server.port).dial(NAME, PORT)
        await server.wait_closed()
        assert server.raw == b""


# -- several addresses


def choosy(answers: dict[bytes, bytes]) -> Script:
    """A proxy that answers by address."""

    async def script(peer: Peer) -> None:
        await peer.read_exactly(3)
        await peer.send(b"\5\0")
        head = await peer.read_exactly(4)
        address = await peer.read_exactly({1: 4, 4: 16}[head[3]])
        await peer.read_exactly(2)
        await peer.send(answers.get(address, GRANTED_5))
        await serve_origin(peer)

    return script


FIRST, SECOND = socket.inet_pton(socket.AF_INET6, "2001:db8::1"), socket.inet_aton("192.0.2.1")


@pytest.mark.parametrize("code", REFUSALS_5)
async def test_next_address(code: int) -> None:
    """When the proxy cannot reach one address of a name, it is asked for the next, on a connection of its own."""
    names = Names("2001:db8::1", "192.0.2.1", "192.0.2.2")
    async with raw_server(choosy({FIRST: bytes([5, code, 0, 1]) + bytes(6)})) as server:
        stream = await dialer(server, "socks5", names).dial(NAME, PORT)
        await ask(stream)
        assert server.connections == 2
        assert bytes(server.peers[1].raw).startswith(b"\5\1\0\5\1\0\1" + SECOND)
    assert names.forgotten == []


async def test_no_address() -> None:
    """When all fail, the error is the last one's, and the addresses are not kept for the next time."""
    names = Names("2001:db8::1", "192.0.2.1")
    answers = {FIRST: b"\5\4\0\1" + bytes(6), SECOND: b"\5\5\0\1" + bytes(6)}
    async with raw_server(choosy(answers)) as server:
        assert (await refused(server, "socks5", names=names)).reason == REFUSALS_5[5]
        assert server.connections == 2
    assert names.forgotten == [NAME]


async def test_other_addresses_would_not_help() -> None:
    """A failure that is not the address's is final: wrong credentials are not sent again and again."""
    names = Names("2001:db8::1", "192.0.2.1")
    async with raw_server(proxy("socks5", method=b"\5\xff")) as server:
        await refused(server, "socks5", names=names)
        assert server.connections == 1
    assert names.forgotten == []


@pytest.mark.parametrize("host", [NAME, "2001:db8::1"])
async def test_socks4_without_ipv4(host: str) -> None:
    """SOCKS 4 knows no IPv6: a name without IPv4 addresses is refused before the proxy is asked."""
    async with raw_server(proxy("socks4")) as server:
        with pytest.raises(ProxyError, match="IPv4 addresses only"):
            await dialer(server, "socks4", Names("2001:db8::1")).dial(host, PORT)
        assert server.connections == 0


# -- what goes wrong elsewhere


@pytest.mark.parametrize("kind", LOOKED_UP_HERE)
async def test_unknown_name(kind: SocksKind) -> None:
    """A name that this machine does not know is the error that the look-up gives."""

    class Unknown(Names):
        async def resolve(self, host: str, port: int, *, local: bool = False) -> list[Any]:
            raise socket.gaierror(socket.EAI_NONAME, "not known")

    async with raw_server(proxy(kind)) as server:
        with pytest.raises(socket.gaierror):
            await dialer(server, kind, Unknown()).dial(NAME, PORT)
        assert server.connections == 0


async def test_no_proxy() -> None:
    """A proxy that is not there is the error that the system gives."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            await SocksDialer(Direct(), "socks5h", *nobody.getsockname()).dial(NAME, PORT)


@pytest.mark.parametrize(
    "host", ["", "a b", "a\0b", "a\r\nb", "a" * 64, "a..b", ".".join(["a" * 60] * 5), "01.2.3.4", "\u212a/evil"]
)
async def test_hosts_that_cannot_be_sent(host: str) -> None:
    """A host that the protocol cannot carry is an InvalidURL, and nothing of it is sent."""
    async with raw_server(proxy("socks5h")) as server:
        with pytest.raises(InvalidURL):
            await dialer(server, "socks5h").dial(host, PORT)
        await server.wait_closed(server.connections)
        assert all(peer.raw == b"\5\1\0" for peer in server.peers)


@pytest.mark.parametrize("port", [-1, 65536])
async def test_ports_that_cannot_be_sent(port: int) -> None:
    """A port that is none is an InvalidURL, before anything is opened."""
    async with raw_server(proxy("socks5h")) as server:
        with pytest.raises(InvalidURL):
            await dialer(server, "socks5h").dial(NAME, port)
        assert server.connections == 0


async def test_tls_through_it(tls: TlsKit) -> None:
    """The stream can be encrypted, and is verified by the name of the origin."""

    async def script(peer: Peer) -> None:
        await read_socks4(peer)
        await peer.send(GRANTED_4)
        await peer.start_tls(tls.good)
        await serve_origin(peer)

    async with raw_server(script) as server:
        stream = await dialer(server, "socks4a").dial("localhost", PORT)
        assert await ask(await start_tls(stream, tls.client, "localhost")) == reply(b"origin")


async def test_proxy_behind_tls(tls: TlsKit) -> None:
    """The dialer that reaches the proxy may be any, one that encrypts for example."""

    class Secure(Direct):
        async def dial(self, host: str, port: int) -> StreamProtocol:
            return await start_tls(await super().dial(host, port), tls.client, "localhost")

    async with raw_server(proxy("socks5h", BOUND["name"]), ssl=tls.good) as server:
        stream = await SocksDialer(Secure(), "socks5h", server.host, server.port).dial(NAME, PORT)
        assert await ask(stream) == reply(b"origin")


async def test_proxy_behind_a_proxy() -> None:
    """The dialer may be one through another proxy."""

    async def script(peer: Peer) -> None:
        await read_socks4(peer)
        await peer.send(GRANTED_4)
        await proxy("socks5h")(peer)

    async with raw_server(script) as server:
        outer = SocksDialer(dialer(server, "socks4a"), "socks5h", "second.example", 1080)
        assert await ask(await outer.dial(NAME, PORT)) == reply(b"origin")
        assert server.raw.startswith(b"\4\1" + (1080).to_bytes(2, "big") + b"\0\0\0\1\0second.example\0\5\1\0")


# -- interrupted


def sockets_to(server: RawServer) -> list[str]:
    address = (server.host, server.port)
    return [each.describe() for each in open_descriptors() if each.addresses()[1:] == [address]]


@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
@pytest.mark.parametrize("kind", KINDS)
async def test_cancelled_anywhere(kind: SocksKind, moment: Moment) -> None:
    """Cancelled at any of its waits, it has closed the socket before the task ends."""
    asyncio.get_running_loop().set_debug(False)
    credentials: dict[str, Any] = {"username": USER, "password": PASSWORD} if kind.startswith("socks5") else {}
    async with raw_server(proxy(kind, method=b"\5\2", slowly=True)) as server:

        async def work() -> None:
            await ask(await dialer(server, kind, **credentials).dial(NAME, PORT))

        def ended(ending: Ending) -> None:
            assert sockets_to(server) == [], str(ending)

        assert await sweep(moment, work, ended=ended) >= 3


@pytest.mark.parametrize("kind", REMOTE)
async def test_abandoned_anywhere(kind: SocksKind) -> None:
    """A coroutine that is closed instead of cancelled, at any wait on the open stream, aborts the stream."""
    asyncio.get_running_loop().set_debug(False)

    class Open:
        def __init__(self, stream: StreamProtocol) -> None:
            self.stream = stream

        async def dial(self, host: str, port: int) -> StreamProtocol:
            return self.stream

    async with raw_server(proxy(kind, slowly=True)) as server:
        for number in range(1, MOST):
            opened = Open(await dial(server.host, server.port))
            work = SocksDialer(opened, kind, server.host, server.port).dial(NAME, PORT)
            abandoned = await abandoned_at(number, work)
            assert opened.stream.transport.is_closing() is abandoned
            await opened.stream.aborted()
            if not abandoned:
                break
        assert number > 1


async def test_timeout_around_it() -> None:
    """The caller's own time limit ends it, and is not taken for anything else."""

    async def script(peer: Peer) -> None:
        await peer.read_until_eof()

    async with raw_server(script) as server:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.05):
                try:
                    await dialer(server, "socks5h").dial(NAME, PORT)
                finally:
                    assert sockets_to(server) == []
        assert type(caught.value) is TimeoutError
        assert server.raw == b"\5\1\0"


async def test_no_time_limit_is_left() -> None:
    """The time limit that python-socks insists on leaves no timer behind."""
    loop = asyncio.get_running_loop()
    async with raw_server(proxy("socks5h")) as server:
        stream = await dialer(server, "socks5h").dial(NAME, PORT)
        assert [handle for handle in getattr(loop, "_scheduled", ()) if not handle.cancelled()] == []
        await stream.aborted()


# -- construction


@pytest.mark.parametrize("kind", KINDS)
def test_repr(kind: SocksKind) -> None:
    """``repr`` says which proxy, and nothing of the credentials."""
    resolver: Any = Names()
    password = PASSWORD if kind.startswith("socks5") else None
    shown = repr(SocksDialer(Direct(), kind, "2001:db8::1", 1080, USER, password, resolver))
    assert shown == f"<SocksDialer {kind}://[2001:db8::1]:1080>"


@pytest.mark.parametrize(
    ("kind", "username", "password"),
    [
        ("socks5h", USER, None),
        ("socks5h", None, PASSWORD),
        ("socks5h", USER, ""),
        ("socks5h", "", PASSWORD),
        ("socks5h", "", None),
        ("socks5h", "u" * 256, PASSWORD),
        ("socks5h", USER, "p" * 256),
        ("socks5h", "j\xfcrgen", PASSWORD),
        ("socks5h", USER, "s3cret\0"),
        ("socks4a", USER, PASSWORD),
        ("socks4a", None, PASSWORD),
        ("socks4a", "alice\0evil.example", None),
        ("socks4a", "j\xfcrgen", None),
    ],
)
def test_credentials_that_cannot_be_sent(kind: SocksKind, username: str | None, password: str | None) -> None:
    """Credentials that the protocol cannot carry are refused, not left out; the error does not show them."""
    with pytest.raises(ValueError, match="SOCKS") as caught:
        SocksDialer(Direct(), kind, "proxy.example", 1080, username, password)
    for secret in (username, password):
        assert not secret or secret not in str(caught.value)


@pytest.mark.parametrize("kind", LOOKED_UP_HERE)
def test_resolver_is_needed(kind: SocksKind) -> None:
    """Where names are looked up here, something must do it."""
    with pytest.raises(ValueError, match="resolver"):
        SocksDialer(Direct(), kind, "proxy.example", 1080)


@pytest.mark.parametrize("host", ["", "a b", "a\r\n"])
def test_proxy_hosts_that_cannot_be_used(host: str) -> None:
    """A proxy that is nowhere is refused at once."""
    with pytest.raises(InvalidURL):
        SocksDialer(Direct(), "socks5h", host, 1080)


def test_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without python-socks the error says what to install, and says it when the dialer is made."""
    monkeypatch.setitem(sys.modules, "python_socks.async_.asyncio.v2", None)
    with pytest.raises(ImportError, match=r"pip install 'python-socks<4'"):
        SocksDialer(Direct(), "socks5h", "proxy.example", 1080)


def test_package_is_not_imported_before_it_is_needed() -> None:
    """Importing the library does not import python-socks."""
    import subprocess

    code = "import sys, aiohttpclient, aiohttpclient.net._socks; sys.exit('python_socks' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
