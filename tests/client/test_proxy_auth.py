"""Who we are to a proxy: where it forwards and where it opens tunnels, and that nobody else gets to know."""

from __future__ import annotations

import asyncio
import io
import logging
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import (
    AsyncHTTPClient,
    BasicAuth,
    BearerAuth,
    ConnectionPool,
    DigestAuth,
    Headers,
    NetrcAuth,
    ProtocolError,
    Proxy,
    TunnelError,
)
from aiohttpclient.client._auth import TARGET
from aiohttpclient.client._proxy_auth import ClientProxyAuth
from aiohttpclient.client.middlewares import ATTEMPTS
from tests.net.stepping import Ending, Moment, sweep
from tests.pool.servers import counts, serving
from tests.support.server import reply

from .clients import Ear, fields_of
from .fakes_auth import DigestServer, parameters_of
from .fakes_proxy import PASSWORD, SECRETS, USER, Guard, guarded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttpclient import Request, ResponseStream
    from tests.support.server import RawServer
    from tests.support.tls import TlsKit

PLAIN, SECURE = "http://origin.example/a?b=1", "https://localhost/a?b=1"


def client_of(server: RawServer, known: Any = None, **options: Any) -> AsyncHTTPClient:
    """A client behind the proxy ``server``, to which it is ``known``, else somebody with a password for Digest."""
    known = known or DigestAuth(USER, PASSWORD)
    return AsyncHTTPClient(**{"proxy": server.url, "proxy_auth": known, "trust_env": False, "retries": None, **options})


def asks_for(credentials: str) -> Any:
    """A proxy's judgement: it lets pass who says just that."""
    return lambda method, target, field: (200, []) if field == credentials else (401, [("WWW-Authenticate", "X")])


# -- both ways, with every kind of credentials


BASIC = "Basic TXVmYXNhOkNpcmNsZSBvZiBMaWZl"
KINDS: dict[str, tuple[Any, str]] = {
    "tuple": ((USER, PASSWORD), BASIC),
    "Basic": (BasicAuth(USER, PASSWORD), BASIC),
    "Bearer": (BearerAuth("t0ken"), "Bearer t0ken"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("url", [PLAIN, SECURE])
async def test_sent_without_being_asked(kind: str, url: str, tls: TlsKit) -> None:
    """What is always the same is sent at once: with each request that is forwarded, and with CONNECT alone."""
    auth, field = KINDS[kind]
    async with guarded(Guard(asks_for(field), tls.good)) as (server, guard):
        async with client_of(server, auth, ssl_context=tls.client) as client:
            for _ in range(2):
                assert (await client.get(url)).status == 200
    assert guard.credentials == [field] * (2 if url == PLAIN else 1)
    assert not [head for head in guard.inside if b"roxy-" in head]


@pytest.mark.parametrize("url", [PLAIN, SECURE])
async def test_token_is_fetched_again(url: str, tls: TlsKit) -> None:
    """A token that the proxy does not take any more is fetched again, once."""
    tokens = iter(["old", "new", "never"])

    async def fetch() -> str:
        await asyncio.sleep(0)
        return next(tokens)

    async with guarded(Guard(asks_for("Bearer new"), tls.good)) as (server, guard):
        async with client_of(server, BearerAuth(fetch), ssl_context=tls.client) as client:
            assert (await client.get(url)).status == 200
    assert guard.credentials == ["Bearer old", "Bearer new"]


@pytest.mark.parametrize(
    ("algorithm", "qop"),
    [
        *[(name, qop) for name in (None, "SHA-256") for qop in ("auth", "auth-int", "auth,auth-int", None)],
        *[(name, qop) for name in ("MD5-sess", "SHA-256-sess") for qop in ("auth", "auth-int")],
    ],
)
async def test_digest_where_it_forwards(algorithm: str | None, qop: str | None) -> None:
    """The proof is about the whole URL, which is what stands in the first line (RFC 7616 section 3.4), and the body."""
    digest = DigestServer(SECRETS, algorithm, qop, body=b"payload")
    async with guarded(Guard(digest.judge)) as (server, guard):
        async with client_of(server) as client:
            for _ in range(2):
                assert (await client.post(PLAIN, content=b"payload")).content == PLAIN.encode()
    assert guard.statuses == [407, 200, 200]
    assert guard.connections == [0, 0, 0]
    assert {asked.target for asked in guard.asked} == {PLAIN}
    assert {asked.body for asked in guard.asked} == {b"payload"}
    if qop is not None:
        assert [parameters_of(field)["nc"] for field in guard.credentials if field] == ["00000001", "00000002"]


@pytest.mark.parametrize("qop", ["auth", "auth-int", None])
async def test_digest_for_a_tunnel(qop: str | None, tls: TlsKit) -> None:
    """The proof is about CONNECT, and host and port; the second one goes over the connection that the first came on."""
    digest = DigestServer(SECRETS, "SHA-256", qop)
    async with guarded(Guard(digest.judge, tls.good)) as (server, guard):
        async with client_of(server, ssl_context=tls.client) as client:
            for _ in range(2):
                assert (await client.get(SECURE)).content == b"inside /a?b=1"
    assert [(asked.method, asked.target) for asked in guard.asked] == [("CONNECT", "localhost:443")] * 2
    assert guard.connections == [0, 0]
    assert guard.statuses == [407, 200]
    assert len(guard.inside) == 2
    assert not [head for head in guard.inside if b"roxy-" in head]


@pytest.mark.parametrize("url", [PLAIN, SECURE])
async def test_digest_over_tls(url: str, tls: TlsKit) -> None:
    """A proxy that is spoken to over TLS gets the same."""
    async with guarded(Guard(None, tls.good), ssl=tls.good) as (server, guard):
        async with client_of(server, ssl_context=tls.client, proxy_ssl_context=tls.client) as client:
            assert (await client.get(url)).status == 200
    assert guard.statuses == [407, 200]


@pytest.mark.parametrize("url", [PLAIN, SECURE])
@pytest.mark.parametrize("leaves", ["at once", "says so"])
async def test_proxy_that_closes(leaves: str, url: str, tls: TlsKit) -> None:
    """Where the proxy closes the connection after it has asked, the answer goes over another one."""
    async with guarded(Guard(None, tls.good, leaves)) as (server, guard):
        async with client_of(server, ssl_context=tls.client) as client:
            assert (await client.get(url)).status == 200
            assert counts(client.pool) == (1, 0, 0, 0)
    assert guard.statuses == [407, 200]
    assert guard.connections == [0, 1]


async def test_long_page_of_a_proxy(tls: TlsKit) -> None:
    """A page that is longer than what is read of it costs a connection, and no more."""
    async with guarded(Guard(None, tls.good, page=b"x" * 100_000)) as (server, guard):
        async with client_of(server, ssl_context=tls.client) as client:
            assert (await client.get(SECURE)).status == 200
    assert guard.connections == [0, 1]


# -- nonces


async def test_one_nonce_for_all(tls: TlsKit) -> None:
    """Requests and tunnels, whatever they lead to, count on with the nonce that the proxy has given once."""
    async with guarded(Guard(None, tls.good)) as (server, guard):
        async with client_of(server, ssl_context=tls.client) as client:
            for url in (PLAIN, SECURE, "http://other.example/", "https://localhost:444/", PLAIN):
                assert (await client.get(url)).status == 200
    given = [parameters_of(field) for field in guard.credentials if field]
    assert [int(one["nc"], 16) for one in given] == [1, 2, 3, 4, 5]
    assert len({one["nonce"] for one in given}) == 1
    assert guard.statuses == [407] + [200] * 5


@pytest.mark.parametrize("says_stale", [True, False])
async def test_stale(says_stale: bool, tls: TlsKit) -> None:
    """A nonce that has run out is replaced, where it forwards and where it opens tunnels."""
    digest = DigestServer(SECRETS, uses=2, says_stale=says_stale)
    async with guarded(Guard(digest.judge, tls.good)) as (server, guard):
        async with client_of(server, ssl_context=tls.client) as client:
            for url in (PLAIN, PLAIN, SECURE, PLAIN, "https://localhost:444/"):
                assert (await client.get(url)).status == 200
    assert guard.statuses == [407, 200, 200, 407, 200, 200, 407, 200]


async def test_next_nonce(tls: TlsKit) -> None:
    """``Proxy-Authentication-Info`` may have the next nonce, also in the answer to CONNECT."""
    digest = DigestServer(SECRETS, uses=1, renews=True)
    async with guarded(Guard(digest.judge, tls.good)) as (server, guard):
        async with client_of(server, ssl_context=tls.client) as client:
            for url in (PLAIN, SECURE, PLAIN):
                assert (await client.get(url)).status == 200
    assert guard.statuses == [407, 200, 200, 200]


async def test_domain_means_nothing() -> None:
    """A ``domain`` is not for proxies, all of which is one space (RFC 7616 section 3.3)."""
    digest = DigestServer(SECRETS, extra='domain="/elsewhere"')
    async with guarded(Guard(digest.judge)) as (server, guard), client_of(server) as client:
        for _ in range(2):
            await client.get(PLAIN)
    assert guard.statuses == [407, 200, 200]


async def test_two_proxies() -> None:
    """What one proxy has asked is not answered to another."""
    async with guarded() as (first, one), guarded() as (second, other):
        proxies = {"http://a.example": first.url, "http://b.example": second.url}
        async with client_of(first, proxy=proxies.get) as client:
            for _ in range(2):
                for url in proxies:
                    assert (await client.get(url)).status == 200
    assert one.statuses == other.statuses == [407, 200, 200]
    assert one.credentials[0] is other.credentials[0] is None


# -- refusals


@pytest.mark.parametrize("url", [PLAIN, SECURE])
@pytest.mark.parametrize(("uses", "password", "times"), [(0, PASSWORD, ATTEMPTS), (9, "wrong", 2)])
async def test_refused(uses: int, password: str, times: int, url: str, tls: TlsKit) -> None:
    """A proxy that is never content is not asked for ever, and one that does not like the password not again."""
    digest = DigestServer(SECRETS, uses=uses)
    async with guarded(Guard(digest.judge, tls.good)) as (server, guard):
        async with client_of(server, DigestAuth(USER, password), ssl_context=tls.client) as client:
            if url == PLAIN:
                response = await client.get(url)
                assert (response.status, response.content) == (407, b"who are you?")
            else:
                with pytest.raises(TunnelError) as caught:
                    await client.get(url)
                assert (caught.value.status, caught.value.body) == (407, b"who are you?")
            assert counts(client.pool).busy == 0
    assert guard.statuses == [407] * times


@pytest.mark.parametrize("url", [PLAIN, SECURE])
async def test_nothing_that_can_be_answered(url: str, tls: TlsKit) -> None:
    """Where the proxy wants what we do not have, its refusal is the result."""
    async with guarded(Guard(asks_for("Negotiate abc"), tls.good)) as (server, guard):
        async with client_of(server, ssl_context=tls.client) as client:
            if url == PLAIN:
                assert (await client.get(url)).status == 407
            else:
                with pytest.raises(TunnelError, match="407"):
                    await client.get(url)
    assert guard.credentials == [None]


async def pieces() -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


async def test_body_for_one_time() -> None:
    """A body that can be sent once is not sent again: the 407 is the answer; the next one is more fortunate."""
    async with guarded() as (server, guard), client_of(server) as client:
        assert (await client.post(PLAIN, content=pieces())).status == 407
        assert (await client.post(PLAIN, content=pieces())).status == 200
    assert guard.statuses == [407, 200]
    assert guard.asked[1].body == b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n"


async def test_body_is_sent_again() -> None:
    """A body that can be sent again is: in memory, and from a file."""
    for content in (b"content", io.BytesIO(b"content"), [b"con", b"tent"]):
        async with guarded() as (server, guard), client_of(server) as client:
            assert (await client.post(PLAIN, content=content)).status == 200
        assert guard.statuses == [407, 200]
        assert [b"con" in asked.body for asked in guard.asked] == [True, True]


@pytest.mark.parametrize("url", [PLAIN, SECURE])
async def test_wrong_proof_of_the_proxy(url: str, tls: TlsKit) -> None:
    """A proxy that pretends to know the password too is not believed (RFC 7616 section 3.5)."""
    digest = DigestServer(SECRETS)

    def judge(method: str, target: str, field: str | None) -> tuple[int, list[tuple[str, str]]]:
        status, fields = digest.judge(method, target, field)
        return status, fields or [("Authentication-Info", f'qop=auth, rspauth="{"0" * 32}"')]

    async with guarded(Guard(judge, tls.good)) as (server, _):
        async with client_of(server, ssl_context=tls.client) as client:
            with pytest.raises(ProtocolError, match="rspauth"):
                await client.get(url)
            assert counts(client.pool) == (0, 0, 0, 0)


# -- it is for the proxy alone


async def test_redirect_to_where_no_proxy_is(tls: TlsKit) -> None:
    """A redirect that leads out of the proxy, or into a tunnel, takes nothing of it along."""
    async with serving() as (origin, site), guarded(Guard(None, tls.good)) as (server, guard):
        guard.pages[PLAIN] = reply(b"", f"Location: {origin.url}/direct", status="302 On")
        guard.pages["http://origin.example/in"] = reply(b"", "Location: https://localhost/in", status="302 On")

        def choose(url: str) -> str | None:
            return None if url == origin.url else server.url

        async with client_of(server, proxy=choose, ssl_context=tls.client) as client:
            assert (await client.get(PLAIN)).content == b"/direct"
            assert (await client.get("http://origin.example/in")).content == b"inside /in"
            assert (await client.get(f"{origin.url}/again")).content == b"/again"
    assert guard.statuses == [407, 200, 200, 200]
    for head in [*guard.inside, *(asked.head for asked in site.asked)]:
        assert b"roxy-" not in head
        assert b"igest" not in head


@pytest.mark.parametrize("listed", ["127.0.0.1", "*"])
async def test_no_proxy(listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where NO_PROXY makes a request direct, the origin sees nothing of it; elsewhere the environment's proxy does."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "no_proxy", "REQUEST_METHOD", "http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    async with serving() as (origin, site), guarded(Guard(asks_for(BASIC))) as (server, guard):
        monkeypatch.setenv("HTTP_PROXY", server.url)
        monkeypatch.setenv("NO_PROXY", listed)
        async with client_of(server, (USER, PASSWORD), proxy=None, trust_env=True) as client:
            assert (await client.get(origin.url)).status == 200
            if listed != "*":
                assert (await client.get(PLAIN)).status == 200
    assert b"roxy-" not in site.asked[0].head
    assert guard.statuses == ([] if listed == "*" else [200])


ASKS = reply(b"no", 'Proxy-Authenticate: Digest realm="r", nonce="n", qop="auth"', status="407 Who are you")


@pytest.mark.parametrize("way", ["direct", "tunnel"])
async def test_origin_that_asks_like_a_proxy(way: str, tls: TlsKit) -> None:
    """A 407 that does not come from a proxy of ours is not answered, but is the answer."""
    async with serving({"/": ASKS}, ssl=tls.good) as (origin, site), guarded(Guard(None, tls.good)) as (server, guard):
        guard.pages["/"] = ASKS
        proxy = None if way == "direct" else server.url
        async with client_of(server, proxy=proxy, ssl_context=tls.client) as client:
            url = f"https://localhost:{origin.port}/"
            for _ in range(2):
                assert (await client.get(url)).status == 407
    heads = [asked.head for asked in site.asked] if way == "direct" else guard.inside
    assert len(heads) == 2
    assert not [head for head in heads if b"uthorization" in head]


async def test_with_auth_of_the_origin() -> None:
    """The origin's authentication and the proxy's do not see each other: each has its own field, nonce and answer."""
    origin = DigestServer({"me": "word"}, realm="origin")

    class Both(Guard):
        async def __call__(self, peer: Any) -> None:
            while True:
                head, _ = await peer.read_request()
                fields = fields_of(head)
                status, given = self.judge("GET", PLAIN, fields.get("Proxy-Authorization"))
                if status == 401:
                    lines = [f"Proxy-Authenticate: {value}" for _, value in given]
                    await peer.send(reply(b"", *lines, status="407 Proxy"))
                    continue
                status, given = origin.judge("GET", "/a?b=1", fields.get("Authorization"))
                lines = [f"{name}: {value}" for name, value in given]
                await peer.send(reply(b"", *lines, status=f"{status} Origin"))

    async with guarded(Both()) as (server, _):
        async with client_of(server, auth=DigestAuth("me", "word")) as client:
            for _ in range(2):
                response = await client.get(PLAIN)
                assert response.status == 200
                assert "Proxy-Authorization" not in response.request.headers


async def test_in_nothing_that_is_shown(caplog: pytest.LogCaptureFixture, tls: TlsKit) -> None:
    """Neither events, logs, reprs nor errors show what the proxy is told."""
    caplog.set_level(logging.DEBUG)
    ear = Ear()
    shown = []
    for auth in ((USER, PASSWORD), BearerAuth(PASSWORD.replace(" ", "")), DigestAuth(USER, PASSWORD)):
        async with guarded(Guard(asks_for("nobody"), tls.good)) as (server, guard):
            async with client_of(server, auth, ssl_context=tls.client, on_event=ear) as client:
                response = await client.get(PLAIN)
                with pytest.raises(TunnelError) as caught:
                    await client.get(SECURE)
                proxy_auth = client._proxy_auth
                assert proxy_auth is not None
                turn = proxy_auth.begin(Proxy.parse(server.url), "GET", PLAIN)
                await turn.credentials()
                shown += [repr(client), repr(client.pool), repr(response), repr(response.request), repr(proxy_auth)]
                shown += [repr(turn), str(caught.value), repr(caught.value), *caught.value.__notes__]
            shown += [credentials for credentials in guard.credentials if credentials and credentials in str(shown)]
    shown += [f"{event!r} {event}" for event in ear]
    shown += [record.getMessage() for record in caplog.records if record.name.startswith("aiohttpclient")]
    for secret in (USER, PASSWORD, PASSWORD.replace(" ", ""), BASIC.partition(" ")[2]):
        assert not [text for text in shown if secret in text]


# -- what is refused


@pytest.mark.parametrize("auth", [(USER, PASSWORD), DigestAuth(USER, PASSWORD)], ids=["Basic", "Digest"])
async def test_said_twice(auth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """User name and password in the URL of the proxy as well are refused, wherever that URL comes from."""
    url = "http://user:s3cr3t@proxy.example:3128"
    with pytest.raises(ValueError, match="proxy_auth") as caught:
        AsyncHTTPClient(proxy=url, proxy_auth=auth)
    assert "s3cr3t" not in str(caught.value)
    for name in ("no_proxy", "NO_PROXY", "REQUEST_METHOD", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTP_PROXY", url)
    for options in ({"proxy": lambda _: url, "trust_env": False}, {"trust_env": True}):
        async with AsyncHTTPClient(proxy_auth=auth, **options) as client:
            with pytest.raises(ValueError, match="proxy_auth") as caught:
                await client.get(PLAIN)
            assert "s3cr3t" not in str(caught.value)


async def test_no_use() -> None:
    """Where nothing could come of it, it is refused: a SOCKS proxy, and a pool that is not the client's."""
    socks = "socks5://user:password@proxy.example"
    with pytest.raises(ValueError, match="proxy_auth"):
        AsyncHTTPClient(proxy=socks, proxy_auth=(USER, PASSWORD))
    async with AsyncHTTPClient(proxy=lambda _: socks, proxy_auth=(USER, PASSWORD), trust_env=False) as client:
        assert client.pool.forwarded(PLAIN) is client.pool.forwarded(SECURE) is None  # it has what its URL says
    async with ConnectionPool() as pool:
        with pytest.raises(ValueError, match="transport"):
            AsyncHTTPClient(transport=pool, proxy_auth=(USER, PASSWORD))


@pytest.mark.parametrize("given", ["user:password", ("a", 1), BasicAuth, lambda request: request])
def test_not_an_auth(given: Any) -> None:
    """What is no auth is refused by the name of the keyword."""
    with pytest.raises(TypeError, match=r"^proxy_auth (is|as) "):
        AsyncHTTPClient(proxy="http://proxy.example", proxy_auth=given, trust_env=False)


async def test_lease(tls: TlsKit) -> None:
    """A tunnel can be leased; a proxy that forwards is refused: nobody would answer it."""
    async with guarded(Guard(None, tls.good)) as (server, guard):
        async with client_of(server, ssl_context=tls.client) as client:
            with pytest.raises(ValueError, match="proxy_auth"):
                async with client.pool.connection(PLAIN):
                    pytest.fail("it was given")
            assert counts(client.pool) == (0, 0, 0, 0)
            assert guard.asked == []
            async with client.pool.connection(SECURE) as conn:
                for close in ({}, {"Connection": "close"}, {}):
                    await conn.request("GET", "/", headers=close)
                    assert await (await conn.getresponse()).read() == b"inside /"
    assert guard.statuses == [407, 200, 200]  # the lease has opened a second tunnel


# -- netrc


async def test_netrc_is_for_origins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The netrc file says nothing to a proxy, unless that is asked for; then the host of the proxy is what counts."""
    path = tmp_path / "netrc"
    path.write_text("machine 127.0.0.1 login Mufasa password secret\nmachine origin.example login o password p\n")
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(path))
    async with guarded(Guard(lambda *_: (200, []))) as (server, guard):
        async with AsyncHTTPClient(proxy=server.url) as client:
            await client.get(PLAIN)
        async with client_of(server, NetrcAuth()) as client:
            await client.get(PLAIN)
    first, second = guard.asked
    assert (first.fields.get("Authorization"), first.credentials) == ("Basic bzpw", None)
    assert (second.fields.get("Authorization"), second.credentials) == (None, "Basic TXVmYXNhOnNlY3JldA==")


# -- an auth of the caller's own


class Own:
    """One that notes what it is shown."""

    def __init__(self, fails: BaseException | None = None) -> None:
        self.fails = fails
        self.seen: list[Any] = []

    async def authorize(self, request: Request) -> None:
        self.seen.append((request.method, request.url_text, request.extensions[TARGET]))
        if "note" in request.extensions:
            request.headers["Authorization"] = "Own one"

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        self.seen.append((stream.status, stream.headers["WWW-Authenticate"]))
        request.extensions["note"] = True
        if self.fails is not None:
            raise self.fails
        return True

    def accepted(self, request: Request, stream: ResponseStream) -> None:
        self.seen.append((stream.status, list(stream.headers)))


@pytest.mark.parametrize("url", [PLAIN, SECURE])
async def test_own(url: str, tls: TlsKit) -> None:
    """It is shown a request to the proxy, and answers that have the names which those of an origin have."""
    own = Own()
    async with guarded(Guard(asks_for("Own one"), tls.good)) as (server, _):
        async with client_of(server, own, ssl_context=tls.client) as client:
            assert (await client.get(url)).status == 200
        shown = ("GET", f"{server.url}/", PLAIN) if url == PLAIN else ("CONNECT", f"{server.url}/", "localhost:443")
    assert own.seen == [shown, (401, "X"), shown, (200, [])]


async def test_origin_that_asks() -> None:
    """A 401 is the origin's: the auth of the proxy was accepted by then, and is not asked."""
    own = Own()
    async with guarded(Guard(lambda *_: (200, []))) as (server, guard), client_of(server, own) as client:
        guard.pages[PLAIN] = reply(b"", "WWW-Authenticate: X", status="401 Who are you")
        assert (await client.get(PLAIN)).status == 401
    assert own.seen[1:] == [(200, [])]


@pytest.mark.parametrize("url", [PLAIN, SECURE])
@pytest.mark.parametrize("error", [KeyError("x"), asyncio.CancelledError()], ids=["error", "cancelled"])
async def test_own_that_fails(error: BaseException, url: str, tls: TlsKit) -> None:
    """What it raises passes, and leaves no connection behind that somebody would have to close: where it forwards, the
    refusal was taken in by then, and its connection is free.
    """
    async with guarded(Guard(asks_for("Own one"), tls.good)) as (server, _):
        async with client_of(server, Own(error), ssl_context=tls.client) as client:
            with pytest.raises(type(error)):
                await client.get(url)
            assert counts(client.pool) == (1 if url == PLAIN else 0, 0, 0, 0)
        await server.wait_closed()


@pytest.mark.parametrize("lease", [False, True], ids=["request", "lease"])
async def test_cancelled_while_it_waits(lease: bool, tls: TlsKit) -> None:
    """Cancelled while the credentials of a tunnel are still to come, a request has made no connection; a lease leaves
    none behind.
    """
    waiting = asyncio.Event()

    async def never() -> str:
        waiting.set()
        await asyncio.Event().wait()
        return "x"

    async with guarded(Guard(None, tls.good)) as (server, guard):
        async with client_of(server, BearerAuth(never), ssl_context=tls.client) as client:
            leasing = client.pool.connection(SECURE).__aenter__()
            task: asyncio.Task[Any] = asyncio.create_task(leasing if lease else client.get(SECURE))
            await waiting.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert counts(client.pool) == (0, 0, 0, 0)
            if not lease:
                leasing.close()
                assert server.connections == 0
        if lease:
            await server.wait_closed()
    assert guard.asked == []


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("url", [PLAIN, SECURE])
@pytest.mark.parametrize("moment", Moment, ids=lambda moment: moment.name)
async def test_cancelled_anywhere(moment: Moment, url: str, tls: TlsKit) -> None:
    """Cancelled at any wait between the first question and the answer, a request holds no connection by then."""
    asyncio.get_running_loop().set_debug(False)
    async with guarded(Guard(None, tls.good)) as (server, _):
        clients: list[AsyncHTTPClient] = []

        async def work() -> None:
            clients.append(client_of(server, ssl_context=tls.client))
            assert (await clients[-1].get(url)).status == 200

        def ended(ending: Ending) -> None:
            now = counts(clients[-1].pool)
            assert (now.busy, now.connecting, now.waiting) == (0, 0, 0), str(ending)

        assert await sweep(moment, work, ended=ended) > 3
        for client in clients:
            await client.close()


async def test_nothing_to_say_any_more() -> None:
    """What was said once is not said again by itself."""

    class Once(Own):
        async def authorize(self, request: Request) -> None:
            if "note" not in request.extensions:
                request.headers["Authorization"] = "Own first"

    turn = ClientProxyAuth(Once()).begin(Proxy.parse("http://proxy.example"), "GET", PLAIN)
    assert await turn.credentials() == "Own first"
    assert await turn.refused(Headers({"Proxy-Authenticate": "X"}))
    assert await turn.credentials() is None


def test_repr() -> None:
    """It says of what kind it is."""
    assert repr(ClientProxyAuth(BasicAuth("u", "secret"))) == "<ClientProxyAuth BasicAuth>"
