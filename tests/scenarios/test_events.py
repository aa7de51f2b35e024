"""What is told on the way of a request, in which order, and when: by the client and its pool, to a hook and to the log.

Each test gives the whole sequence: what is missing in it was not told. Ports stand in it as ``PORT``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, ClientEvent, PoolLimits, RetryPolicy, TunnelError
from aiohttpclient.client import _stream
from aiohttpclient.net import Resolver, dial
from aiohttpclient.pool import PoolEvent
from tests.client.clients import Ear
from tests.net.streams import until
from tests.pool.servers import HALF, Site, refusing_port, socks5_proxy
from tests.support.server import raw_server, reply

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from tests.pool.servers import Page
    from tests.support.leaks import LeakWatch
    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit

    Prelude = Callable[[Peer, TlsKit], Awaitable[None]]

SECRET = "s3cr3t"  # it is shown nowhere

NAMES = {"localhost": ["127.0.0.1"], "two.test": ["::1", "127.0.0.1"]}
"""All names that there are."""


class Names:
    """Stands for the name servers: knows ``NAMES``, when it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()
        self.may.set()

    async def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        if host[0].isdigit():
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (host, port))]
        await self.may.wait()
        if host not in NAMES:
            raise socket.gaierror(socket.EAI_NONAME, f"nobody knows {host!r}")
        families = [(socket.AF_INET6 if ":" in one else socket.AF_INET, one) for one in NAMES[host]]
        return [(family, socket.SOCK_STREAM, 0, "", (one, port)) for family, one in families]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """What every resolver knows."""
    names = Names()
    monkeypatch.setattr(Resolver, "resolve", names)
    return names


# -- what was told


def told(ear: Ear, server: RawServer | None = None) -> list[str]:
    """Kind and detail of each event."""
    texts = [f"{event.kind.name} {event.detail}".strip() for event in ear]
    return [text if server is None else text.replace(str(server.port), "PORT") for text in texts]


def opened(*steps: str) -> list[str]:
    """What is told of a request that opens a connection by ``steps``."""
    return ["SENDING", "CONNECTING", *steps, "OPENED", "SENT", "ANSWERED 200 OK", "IDLE", "RECEIVED"]


REUSED = ["SENDING", "REUSED", "SENT", "ANSWERED 200 OK", "IDLE", "RECEIVED"]
CLOSED = ["CLOSED", "DROPPED the pool was closed"]
NOT_OPENED = "DROPPED it could not be opened, or its opener was cancelled"
ABANDONED = "DROPPED a response was not read to its end: that failed, was cancelled, or given up"


# -- ways


@dataclass(frozen=True)
class Way:
    """How a client reaches an origin, what is told on it, and what the server does before it is the origin."""

    name: str
    url: str
    steps: tuple[str, ...]
    proxy: str | None = None
    prelude: Prelude | None = None
    tls: bool = False


async def tunnel(peer: Peer, tls: TlsKit) -> None:
    head = await peer.read_head()
    assert head.startswith(b"CONNECT localhost:443 ")
    await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
    await peer.start_tls(tls.good)


async def socks(peer: Peer, tls: TlsKit) -> None:
    await socks5_proxy(peer, [])


async def socks_and_tls(peer: Peer, tls: TlsKit) -> None:
    await socks5_proxy(peer, [])
    await peer.start_tls(tls.good)


LOOKED_UP = "LOOKED_UP localhost is 127.0.0.1"
CONNECTED = "CONNECTED 127.0.0.1:PORT"
PROXY = "CONNECTED 127.0.0.1:PORT, the proxy"
TUNNELLED = "TUNNELLED by 127.0.0.1:PORT"
SECURED = "SECURED TLSv1.3 with localhost"
USER = f"user:{SECRET}@"

WAYS = [
    Way("http", "http://127.0.0.1:{port}", (CONNECTED,)),
    Way("a name", "http://localhost:{port}", (LOOKED_UP, CONNECTED)),
    Way("https", "https://localhost:{port}", (LOOKED_UP, CONNECTED, SECURED), tls=True),
    Way("http proxy", "http://origin.test", (PROXY,), f"http://{USER}127.0.0.1:{{port}}"),
    Way(
        "https proxy",
        "http://origin.test",
        (LOOKED_UP, PROXY, SECURED),
        f"https://{USER}localhost:{{port}}",
        tls=True,
    ),
    Way("tunnel", "https://localhost", (PROXY, TUNNELLED, SECURED), f"http://{USER}127.0.0.1:{{port}}", tunnel),
    Way(
        "tunnel in TLS",
        "https://localhost",
        (LOOKED_UP, PROXY, SECURED, "TUNNELLED by localhost:PORT", SECURED),
        f"https://{USER}localhost:{{port}}",
        tunnel,
        tls=True,
    ),
    Way("socks5h", "http://origin.test", (PROXY, TUNNELLED), f"socks5h://{USER}127.0.0.1:{{port}}", socks),
    Way("socks5", "http://localhost", (LOOKED_UP, PROXY, TUNNELLED), f"socks5://{USER}127.0.0.1:{{port}}", socks),
    Way(
        "https over socks5h",
        "https://localhost",
        (PROXY, TUNNELLED, SECURED),
        f"socks5h://{USER}127.0.0.1:{{port}}",
        socks_and_tls,
    ),
]


class Place:
    """A client, what it told, and the server at the end of its way."""

    def __init__(self, client: AsyncHTTPClient, ear: Ear, server: RawServer, site: Site) -> None:
        self.client = client
        self.ear = ear
        self.server = server
        self.site = site

    def told(self) -> list[str]:
        """What was told since this was asked last."""
        texts = told(self.ear, self.server)
        self.ear.clear()
        return texts

    def kinds(self) -> list[str]:
        """What was told so far."""
        return [event.kind.name for event in self.ear]


@contextlib.asynccontextmanager
async def at(
    way: Way, tls: TlsKit, pages: dict[str, Page] | None = None, *, prelude: Prelude | None = None, **options: Any
) -> AsyncIterator[Place]:
    """The end of ``way``; ``prelude`` stands in for its own."""
    site = Site(pages)
    first = prelude or way.prelude

    async def script(peer: Peer) -> None:
        if first is not None:
            await first(peer, tls)
        await site(peer)

    ear = Ear()
    async with raw_server(script, ssl=tls.good if way.tls else None) as server:
        async with AsyncHTTPClient(
            base_url=way.url.format(port=server.port),
            proxy=None if way.proxy is None else way.proxy.format(port=server.port),
            ssl_context=tls.new_client(),
            proxy_ssl_context=tls.new_client(),
            trust_env=False,
            **{"on_event": ear, "retries": None, **options},
        ) as client:
            yield Place(client, ear, server, site)


HTTP, HTTPS, TUNNEL = WAYS[0], WAYS[2], WAYS[5]


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
async def test_each_way(way: Way, tls: TlsKit, caplog: pytest.LogCaptureFixture) -> None:
    """On each way everything that is done is told, in the order in which it is done; the log says the same in the same
    order; nothing of it is secret, and what is told of connections has no path.
    """
    caplog.set_level(logging.DEBUG, "aiohttpclient")
    ear = Ear()
    async with at(way, tls, on_event=ear) as place:
        for _ in range(2):
            await place.client.get(f"/path?token={SECRET}&page=1", auth=("me", SECRET))
        assert len(place.site.asked) == 2
    assert told(ear, place.server) == [*opened(*way.steps), *REUSED, *CLOSED]
    records = [record for record in caplog.records if record.name.startswith("aiohttpclient.")]
    assert [record.getMessage() for record in records] == [str(event) for event in ear]
    assert not [text for event in ear for text in (str(event), repr(event)) if SECRET in text or "bWU6" in text]
    assert not [event for event in ear if isinstance(event, PoolEvent) and "path" in str(event)]
    origin = way.url.format(port=place.server.port)
    assert {event.origin.partition(" through ")[0] for event in ear if isinstance(event, PoolEvent)} == {origin, ""}
    steps = {step.partition(" ")[0] for step in way.steps}
    assert {event.kind.name for event in ear if getattr(event, "seconds", None) is not None} == steps
    assert all(event.seconds >= 0 for event in ear if event.kind.name in steps)


@pytest.mark.usefixtures("names")
async def test_events_and_timings_agree(tls: TlsKit) -> None:
    """What an event says of how long a step took is what the timings say of it later."""
    async with at(HTTPS, tls) as place:
        timings = (await place.client.get("/")).timings
        took = {event.kind.name: event.seconds for event in place.ear if isinstance(event, PoolEvent)}
        assert (took["LOOKED_UP"], took["SECURED"]) == (timings.dns, timings.tls)
        connected = took["CONNECTED"]
        assert connected is not None
        assert timings.connect is not None
        assert 0 <= connected < timings.connect + 1e-6  # as numbers are rounded


@pytest.mark.usefixtures("names")
async def test_resumed_session(tls: TlsKit) -> None:
    """It is told whether a TLS session was resumed."""
    async with at(HTTPS, tls, {"/": reply(b"last", "Connection: close")}) as place:
        await place.client.get("/")
        assert SECURED in place.told()
        await place.client.get("/")
        assert f"{SECURED}, session resumed" in place.told()


@pytest.mark.usefixtures("names")
async def test_several_addresses(tls: TlsKit) -> None:
    """All addresses of a name are told, and then the one that answered."""
    async with at(HTTP, tls) as place:
        await place.client.get(f"http://two.test:{place.server.port}/")
        assert place.told() == opened("LOOKED_UP two.test is ::1, 127.0.0.1", CONNECTED)


async def test_waiting(tls: TlsKit) -> None:
    """A request that finds no room tells that it waits, and that it was given what it has waited for."""
    async with at(HTTP, tls, limits=PoolLimits(1)) as place:
        async with place.client.stream("GET", "/1") as stream:
            waiting = asyncio.create_task(place.client.get("/2"))
            await until(lambda: "WAITING" in place.kinds())
            place.ear.clear()
            await stream.read()
            await waiting
        assert place.told() == [
            "RECEIVED",
            "HANDED_OVER",
            "REUSED",
            "SENT",
            "ANSWERED 200 OK",
            "IDLE",
            "RECEIVED",
        ]


async def test_lease_that_is_opened_again(tls: TlsKit) -> None:
    """The steps to another connection of a lease are told, too."""
    async with at(HTTP, tls, {"/": reply(b"last", "Connection: close")}) as place:
        async with place.client.pool.connection(place.server.url) as conn:
            for _ in range(2):
                await conn.request("GET", "/")
                await (await conn.getresponse()).read()
        first = ["CONNECTING", CONNECTED, "OPENED"]
        again = ["CONNECTING", CONNECTED, "DROPPED the holder of a lease closed it, or left it unusable", "OPENED"]
        assert place.told() == [*first, *again, again[2]]


# -- what fails


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("url", ["http://unknown.test/", "https://unknown.test/"])
async def test_name_that_nobody_knows(url: str, tls: TlsKit) -> None:
    """After a look-up that fails nothing more is told of the connection but its end, and then that of the request."""
    async with at(HTTP, tls) as place:
        with pytest.raises(socket.gaierror):
            await place.client.get(url)
        assert place.told() == ["SENDING", "CONNECTING", NOT_OPENED, "FAILED gaierror"]


@pytest.mark.usefixtures("names")
async def test_nobody_answers(tls: TlsKit) -> None:
    """Where nobody listens, that the name was looked up is the last that went well."""
    async with at(HTTP, tls) as place:
        with pytest.raises(ConnectionRefusedError):
            await place.client.get(f"http://localhost:{refusing_port()}/")
        assert place.told() == ["SENDING", "CONNECTING", LOOKED_UP, NOT_OPENED, "FAILED ConnectionRefusedError"]


@pytest.mark.usefixtures("names")
async def test_handshake_that_fails(tls: TlsKit) -> None:
    """A handshake that fails is not told as done, the connection before it is."""

    async def script(peer: Peer) -> None:
        await peer.start_tls(tls.wrong_host)
        await peer.read_until_eof()

    async with at(HTTPS, tls) as place, raw_server(script) as other:
        with pytest.raises(OSError, match="certificate"):
            await place.client.get(f"https://localhost:{other.port}/")
        expected = ["SENDING", "CONNECTING", LOOKED_UP, CONNECTED, NOT_OPENED, "FAILED SSLCertVerificationError"]
        assert told(place.ear, other) == expected


async def test_tunnel_that_is_refused(tls: TlsKit) -> None:
    """Nor is a tunnel that the proxy refuses."""

    async def refuse(peer: Peer, tls: TlsKit) -> None:
        await peer.read_head()
        await peer.send(reply(b"who?", status="407 Denied"))

    async with at(TUNNEL, tls, prelude=refuse) as place:
        with pytest.raises(TunnelError):
            await place.client.get("/")
        assert place.told() == ["SENDING", "CONNECTING", PROXY, NOT_OPENED, "FAILED TunnelError"]


@pytest.mark.parametrize("seen", ["CONNECTED", "SENT"])
async def test_cancelled(seen: str, tls: TlsKit) -> None:
    """A request that is cancelled ends in FAILED, wherever it stands."""

    async def silent(peer: Peer, _: TlsKit) -> None:
        await peer.read_until_eof()

    async with at(TUNNEL if seen == "CONNECTED" else HTTP, tls, prelude=silent) as place:
        task = asyncio.create_task(place.client.get("/"))
        await until(lambda: seen in place.kinds())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert place.kinds()[-3:] == [seen, "DROPPED", "FAILED"]


# -- when it is told


class Gate:
    """Lets a server go on when the test says so."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self._open = asyncio.Event()

    async def __call__(self) -> None:
        self.reached.set()
        await self._open.wait()

    def open(self) -> None:
        self._open.set()


async def test_look_up_is_told_when_it_is_done(names: Names, tls: TlsKit) -> None:
    """That a name was looked up is told then, and not before."""
    names.may.clear()
    async with at(HTTP, tls) as place:
        task = asyncio.create_task(place.client.get(f"http://localhost:{place.server.port}/"))
        await until(lambda: "CONNECTING" in place.kinds())
        assert place.told() == ["SENDING", "CONNECTING"]
        names.may.set()
        await task
        assert place.told() == opened(LOOKED_UP, CONNECTED)[2:]


async def test_steps_are_told_when_they_are_done(tls: TlsKit) -> None:
    """While the proxy thinks, only the connection to it is told; while the origin shakes no hands, only the tunnel; and
    while it does not answer, that the request was written.
    """
    asked, shaking, answering = Gate(), Gate(), Gate()

    async def slow(peer: Peer, tls: TlsKit) -> None:
        await peer.read_head()
        await asked()
        await peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        await shaking()
        await peer.start_tls(tls.good)

    async def page(peer: Peer) -> None:
        await answering()
        await peer.send(reply(b"x"))

    async with at(TUNNEL, tls, {"/": page}, prelude=slow) as place:
        task = asyncio.create_task(place.client.get("/"))
        await asked.reached.wait()
        assert place.told() == ["SENDING", "CONNECTING", PROXY]
        asked.open()
        await until(place.kinds)
        assert place.told() == [TUNNELLED]
        shaking.open()
        await answering.reached.wait()
        assert place.told() == [SECURED, "OPENED", "SENT"]
        answering.open()
        await task
        assert place.told() == ["ANSWERED 200 OK", "IDLE", "RECEIVED"]


async def test_sent_is_told_when_the_body_is_out(tls: TlsKit) -> None:
    """As long as something of the body is to come, the request is not told as sent."""
    more = asyncio.Event()

    async def body() -> AsyncIterator[bytes]:
        yield b"one"
        await more.wait()
        yield b"two"

    async with at(HTTP, tls) as place:
        task = asyncio.create_task(place.client.post("/", content=body()))
        await place.server.wait_connections()
        await until(lambda: place.server.raw.endswith(b"one\r\n"))
        assert place.told() == ["SENDING", "CONNECTING", CONNECTED, "OPENED"]
        more.set()
        await task
        assert place.told() == ["SENT", "ANSWERED 200 OK", "IDLE", "RECEIVED"]


async def test_answer_before_the_body_was_sent(tls: TlsKit) -> None:
    """A body of which the server did not want the rest is told as one that was not sent to its end."""

    async def refuse(peer: Peer, _: TlsKit) -> None:
        await peer.read_head()
        await peer.send(reply(b"no", "Connection: close", status="413 Too Large"))
        await peer.read_until_eof()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000
            await asyncio.sleep(0)

    async with at(HTTP, tls, prelude=refuse) as place:
        await place.client.post("/", content=endless())
        assert place.told()[4:] == [
            "SENT not to its end, because the answer came before",
            "ANSWERED 413 Too Large",
            "DROPPED the last response said that it was the last",
            "RECEIVED",
        ]


async def test_sent_again(tls: TlsKit) -> None:
    """Where the pool sends a request again, it is told as sent again."""

    async def die(peer: Peer) -> None:
        peer.close()

    pages: dict[str, Page] = {"/2": die}
    async with at(HTTP, tls, pages) as place:
        await place.client.get("/1")
        place.ear.clear()
        task = asyncio.create_task(place.client.get("/2"))
        await until(lambda: "RETRIED" in place.kinds())
        pages.clear()
        await task
        assert place.told() == [
            "SENDING",
            "REUSED",
            "SENT",
            "DROPPED a request on it failed or was cancelled before its response came",
            "RETRIED RemoteDisconnected",
            "CONNECTING",
            CONNECTED,
            "OPENED",
            "SENT",
            "ANSWERED 200 OK",
            "IDLE",
            "RECEIVED",
        ]


# -- how an answer ends


ANSWERED = ["SENDING", "CONNECTING", CONNECTED, "OPENED", "SENT", "ANSWERED 200 OK"]


async def test_stream_that_is_left(tls: TlsKit) -> None:
    """A stream that is left before the end of its body is told as given up, before its connection goes."""
    async with at(HTTP, tls, {"/": HALF}) as place:
        async with place.client.stream("GET", "/") as stream:
            async for _ in stream.iter_bytes():
                break
        assert place.told() == [*ANSWERED, "GIVEN_UP", ABANDONED]


async def test_stream_that_is_left_by_an_error(tls: TlsKit) -> None:
    """So is one that is left because of something that the caller does."""
    async with at(HTTP, tls, {"/": HALF}) as place:
        with pytest.raises(ZeroDivisionError):
            async with place.client.stream("GET", "/"):
                raise ZeroDivisionError
        assert place.told() == [*ANSWERED, "GIVEN_UP", ABANDONED]


async def test_stream_that_is_aborted(tls: TlsKit) -> None:
    """So is one that is aborted; once, whatever is done to it then."""
    async with at(HTTP, tls, {"/": HALF}) as place:
        async with place.client.stream("GET", "/") as stream:
            stream.abort()
            stream.abort()
            with pytest.raises(RuntimeError, match="closed already"):
                await anext(stream.iter_bytes())
        assert place.told() == [*ANSWERED, "GIVEN_UP", ABANDONED]


async def test_stream_that_fails(tls: TlsKit) -> None:
    """A body that fails is told as that, and not as given up when the stream is closed."""

    async def cut(peer: Peer) -> None:
        await peer.send(HALF)
        peer.close()

    async with at(HTTP, tls, {"/": cut}) as place:
        with pytest.raises(Exception, match="more expected"):
            async with place.client.stream("GET", "/") as stream:
                await stream.read()
        assert place.told() == [*ANSWERED, ABANDONED, "FAILED IncompleteRead"]


@pytest.mark.parametrize(
    ("method", "page"),
    [("HEAD", reply(b"").replace(b"0", b"9")), ("GET", b"HTTP/1.1 204 No Content\r\n\r\n")],
    ids=["HEAD", "204"],
)
async def test_nothing_to_read(method: str, page: bytes, tls: TlsKit) -> None:
    """An answer without a body is told as received when its stream is closed, read or not."""
    async with at(HTTP, tls, {"/": page}) as place:
        async with place.client.stream(method, "/"):
            assert "RECEIVED" not in place.kinds()
        assert [kind for kind in place.kinds() if kind in {"RECEIVED", "GIVEN_UP"}] == ["RECEIVED"]


async def test_read_to_the_end(tls: TlsKit) -> None:
    """A stream that was read to its end has been told as received, and its end tells nothing more."""
    async with at(HTTP, tls) as place:
        async with place.client.stream("GET", "/") as stream:
            assert b"".join([block async for block in stream.iter_bytes()]) == b"/"
            assert place.told() == [*ANSWERED, "IDLE", "RECEIVED"]
        assert place.told() == []


@pytest.mark.parametrize("size", [10, 1_000_000])
async def test_answer_that_nobody_wants(size: int, tls: TlsKit) -> None:
    """Of an answer after which the request is sent again, a short body is read, and a long one given up."""
    pages: dict[str, Page] = {"/": reply(b"x" * size, status="503 Busy")}
    async with at(HTTP, tls, pages, retries=RetryPolicy(2, backoff=0.001)) as place:
        await place.client.get("/")
        kinds = [event.kind.name for event in place.ear if isinstance(event, ClientEvent)]
        ending = "RECEIVED" if size == 10 else "GIVEN_UP"
        assert kinds == ["SENDING", "SENT", "ANSWERED", ending, "SENDING", "SENT", "ANSWERED", "RECEIVED"]


async def stuck(peer: Peer) -> None:
    await peer.send(HALF.replace(b"200 OK", b"302 Found\r\nLocation: /next"))
    await peer.read_until_eof()


@pytest.mark.parametrize(
    ("page", "ending"),
    [
        (reply(b"short", "Location: /next", status="302 Found"), "RECEIVED"),
        (reply(b"x" * 1_000_000, "Location: /next", status="302 Found"), "GIVEN_UP"),
        (stuck, "GIVEN_UP"),
        (reply(b"junk", "Location: /next", "Content-Encoding: gzip", status="302 Found"), "RECEIVED"),
    ],
    ids=["short", "long", "stuck", "junk"],
)
async def test_redirect(page: Page, ending: str, tls: TlsKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each hop is told from its beginning to its end; that the body of a redirect is of no use is no failure."""
    if page is stuck:
        monkeypatch.setattr(_stream, "REST_SECONDS", 0.02)
    async with at(HTTP, tls, {"/": page}) as place:
        response = await place.client.get("/")
        assert (response.content, len(response.history)) == (b"/next", 1)
        kinds = [event.kind.name for event in place.ear if isinstance(event, ClientEvent)]
        assert kinds == ["SENDING", "SENT", "ANSWERED", ending, "SENDING", "SENT", "ANSWERED", "RECEIVED"]


# -- who listens


@pytest.mark.usefixtures("names")
async def test_whoever_listens_raises(leak_watch: LeakWatch, tls: TlsKit) -> None:
    """A listener that raises at every event changes nothing; the loop is told each time."""
    heard: list[str] = []

    def listen(event: ClientEvent | PoolEvent) -> None:
        heard.append(event.kind.name)
        raise ZeroDivisionError

    async with at(HTTPS, tls, {"/half": HALF}, on_event=listen) as place:
        assert (await place.client.get("/x")).content == b"/x"
        async with place.client.stream("GET", "/half"):
            pass
        stats = place.client.pool.stats()
        assert (stats.busy, stats.connecting, stats.opened) == (0, 0, 1)
    assert {"LOOKED_UP", "CONNECTED", "SECURED", "SENT", "GIVEN_UP"} <= set(heard)
    assert len(leak_watch.loop_errors) == len(heard)
    assert all("ZeroDivisionError" in error for error in leak_watch.loop_errors)
    leak_watch.loop_errors.clear()


async def test_nobody_listens(tls: TlsKit, caplog: pytest.LogCaptureFixture) -> None:
    """Where nobody listens, nothing goes along that could be told."""
    given: list[Any] = []

    class Dialer:
        async def dial(self, host: str, port: int, tell: Any = None) -> Any:
            given.append(tell)
            return await dial(host, port)

    caplog.set_level(logging.INFO, "aiohttpclient")
    async with at(HTTP, tls, on_event=None, transport=Dialer()) as place:
        await place.client.get("/")
    async with at(HTTP, tls, transport=Dialer()) as place:
        await place.client.get("/")
    assert [tell is None for tell in given] == [True, False]
