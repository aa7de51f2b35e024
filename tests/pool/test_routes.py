"""From a URL to a connection: origins, what is sent as target, proxies, and dialers of one's own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import yarl

from aiohttpclient import (
    AddressRefused,
    ConnectionPool,
    InvalidURL,
    PoolLimits,
    Proxy,
    ProxyError,
    RemoteDisconnected,
    Timeout,
    TunnelError,
)
from aiohttpclient.connection import FieldBlock
from aiohttpclient.net import ResumingContext, TCPDialer, UnixDialer, adopt, public_only
from aiohttpclient.pool import Drop, PoolEvent, _prepared, _routes
from aiohttpclient.pool._routes import OriginKey, Router
from tests.connection.exchanges import fetch
from tests.support.server import raw_server, reply

from .servers import Counts, Site, connect_proxy, counts, dropped, get, refusing_port, serving, socks5_proxy, turns

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from aiohttpclient.net import StreamProtocol
    from tests.support.server import Peer, RawServer
    from tests.support.tls import TlsKit


def nothing(*_: Any) -> Any:
    raise AssertionError("nobody connects here")


def router(proxy: Any = None) -> Router:
    """The routes of a pool that does not connect."""
    return Router(proxy, nothing, nothing, TCPDialer(), nothing)


def basic(credentials: str) -> bytes:
    return b"Proxy-Authorization: Basic " + base64.b64encode(credentials.encode()) + b"\r\n"


# -- origins and targets


@pytest.mark.parametrize(
    ("url", "key", "target"),
    [
        ("http://example.org", ("http", "example.org", 80), "/"),
        ("http://example.org/", ("http", "example.org", 80), "/"),
        ("http://example.org:80/a", ("http", "example.org", 80), "/a"),
        ("http://example.org:/a", ("http", "example.org", 80), "/a"),
        ("HTTP://EXAMPLE.org/A", ("http", "example.org", 80), "/A"),
        ("https://example.org/", ("https", "example.org", 443), "/"),
        ("https://example.org:443/", ("https", "example.org", 443), "/"),
        ("https://example.org:80/", ("https", "example.org", 80), "/"),
        ("http://example.org?a=b", ("http", "example.org", 80), "/?a=b"),
        ("http://example.org?a=/b", ("http", "example.org", 80), "/?a=/b"),
        ("http://example.org#a/b", ("http", "example.org", 80), "/"),
        ("http://example.org/a?b=c#d", ("http", "example.org", 80), "/a?b=c"),
        ("http://example.org/a?b#c?d#e", ("http", "example.org", 80), "/a?b"),
        ("http://example.org/?", ("http", "example.org", 80), "/?"),
        ("http://example.org//a//", ("http", "example.org", 80), "//a//"),
        ("http://example.org/../a/./b", ("http", "example.org", 80), "/../a/./b"),
        ("http://example.org/%41%2f%zz?%20+", ("http", "example.org", 80), "/%41%2f%zz?%20+"),
        ("http://example.org/@user:x", ("http", "example.org", 80), "/@user:x"),
        ("http://example.org/http://other/", ("http", "example.org", 80), "/http://other/"),
        ("http://[::1]/a", ("http", "::1", 80), "/a"),
        ("http://[2001:DB8::1]:81/a", ("http", "2001:db8::1", 81), "/a"),
        ("http://b\xfccher.example/", ("http", "xn--bcher-kva.example", 80), "/"),
        ("http://h/a", ("http", "h", 80), "/a"),
        ("http://h", ("http", "h", 80), "/"),
        ("http://h?x/y", ("http", "h", 80), "/?x/y"),
    ],
)
def test_url(url: str, key: tuple[str, str, int], target: str) -> None:
    """A URL gives an origin, and the target as it stands; the second time as the first, and whatever came before."""
    routes = router()
    for _ in range(3):
        route, found = routes.find(url)
        assert (route.key, found) == (OriginKey(*key, None), target)
    for other in ("http://example.org/x", "http://example.org?x", "https://example.org/x", "http://h/x"):
        routes.find(other)
    route, found = routes.find(url)
    assert (route.key, found) == (OriginKey(*key, None), target)


BAD_URLS = [
    "",
    "/path",
    "example.org",
    "example.org/path",
    "//example.org/",
    "ftp://example.org/",
    "ws://example.org/",
    "file:///etc/passwd",
    "http:/example.org/",
    "http:example.org",
    "http://",
    "http:///path",
    "http://:80/",
    "http://?a",
    " http://example.org/",
    "http://example.org /",
    "http://exam ple.org/",
    "http://example.org\r\nX: y/",
    "http://example.org\t/",
    "http://example.org\0/",
    "http://example.org:0/",
    "http://example.org:65536/",
    "http://example.org:-1/",
    "http://example.org:8o/",
    "http://example.org:80:80/",
    "http://::1/",
    "http://[::1/",
    "http://::1]/",
    "http://[::1]x/",
    "http://[example.org]/",
    "http://[]/",
    "http://user:secret@example.org/",
    "http://user@example.org/",
    "http://@example.org/",
    "http://user:secret\\@example.org/",
    "http://example.org\\path",
    "http://example.org%2fpath/",
    "http://example.org%40other/",
    "http://example.org%3a80/",
    "http://%3a%3a1/",
    "http://%5b%3a%3a1%5d/",
    "http://example.org%00/",
    "http://example.org%0d%0a/",
    "http://%20/",
    "http:/user:secret@example.org/",
    "//user:secret@example.org/",
    "user:secret@example.org",
]


@pytest.mark.parametrize("url", BAD_URLS)
def test_url_that_is_none(url: str) -> None:
    """What is not an absolute URL of HTTP with a host is InvalidURL, each time, and no password is in its text."""
    routes = router()
    for _ in range(2):
        with pytest.raises(InvalidURL) as caught:
            routes.find(url)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "path", ["/a b", "/a\tb", "/a\r\nX: y", "/a\nb", "/\0", "/b\xfccher", "/?\x7f", "?a b", "?\u20ac", "/\u2028"]
)
async def test_target_that_cannot_be_sent(path: str) -> None:
    """A target with what has no place in a request line is InvalidURL, before any connection, and after one."""
    async with serving() as (server, site), ConnectionPool() as pool:
        with pytest.raises(InvalidURL):
            await pool.request("GET", server.url + path)
        assert pool.stats().opened == 0
        await get(pool, f"{server.url}/good")
        with pytest.raises(InvalidURL):
            await pool.request("GET", server.url + path)
        assert counts(pool) == Counts(idle=1)
        assert site.targets == ["/good"]


@pytest.mark.parametrize("url", [b"http://example.org/", None, 5, object(), ["http://example.org/"]])
async def test_url_of_another_type(url: Any) -> None:
    """What is neither text nor a URL object is a TypeError."""
    async with ConnectionPool() as pool:
        with pytest.raises(TypeError):
            await pool.request("GET", url)


async def test_url_object() -> None:
    """A ``yarl.URL`` is taken, in its encoded form."""
    async with serving() as (server, site), ConnectionPool() as pool:
        url = yarl.URL(f"{server.url}/b\xfccher").with_query({"a b": "c&d"}).with_fragment("e")
        await get(pool, url)
        assert site.targets == ["/b%C3%BCcher?a+b=c%26d"]
        for bad in (yarl.URL("/path"), yarl.URL("http://user:secret@127.0.0.1/"), yarl.URL("")):
            with pytest.raises(InvalidURL) as caught:
                await get(pool, bad)
            assert "secret" not in str(caught.value)


async def test_what_is_sent() -> None:
    """The server sees the path and the query as they were given, and no fragment."""
    async with serving() as (server, site), ConnectionPool() as pool:
        for path in ("", "/", "?query", "/a?b#c", "#fragment", "/%7e/../x//y", "/a#b?c"):
            await get(pool, server.url + path)
        assert site.targets == ["/", "/", "/?query", "/a?b", "/", "/%7e/../x//y", "/a"]
        assert all(f"\r\nHost: {server.netloc}\r\n".encode() in asked.head for asked in site.asked)
        assert server.connections == 1


async def test_one_origin() -> None:
    """The same scheme, host and port are one origin, however they are spelled."""
    async with serving() as (server, _), ConnectionPool() as pool:
        for url in (
            "http://localhost:{}",
            "HTTP://LOCALHOST:{}/",
            "http://LocalHost:{:05}/a",
            "http://l%6fcalhost:{}?b",
        ):
            await get(pool, url.format(server.port))
        assert server.connections == 1
        assert pool.stats().origins == 1


async def test_default_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default port is the same origin whether it is said or not, and is left out of Host."""
    dialled: list[tuple[str, int]] = []

    async with serving() as (server, site):

        class Elsewhere:
            async def dial(self, host: str, port: int) -> StreamProtocol:
                dialled.append((host, port))
                return await TCPDialer().dial(server.host, server.port)

        async with ConnectionPool(dialer=Elsewhere()) as pool:
            await get(pool, "http://example.org/")
            await get(pool, "http://example.org:80/")
            await get(pool, "http://example.org")
        assert dialled == [("example.org", 80)]
        assert all(b"\r\nHost: example.org\r\n" in asked.head for asked in site.asked)


async def test_names_of_one_address_are_two_origins() -> None:
    """Two names are two origins, also where they stand for the same address: a connection is not shared by them."""
    async with serving() as (server, _), ConnectionPool() as pool:
        await get(pool, f"http://127.0.0.1:{server.port}/")
        await get(pool, f"http://localhost:{server.port}/")
        assert server.connections == 2
        assert pool.stats().origins == 2


async def test_http_and_https_are_two_origins(tls: TlsKit) -> None:
    """A request to ``http`` never goes over a connection of ``https`` to the same host and port, nor the other way."""

    async def script(peer: Peer) -> None:
        if peer.number == 0:
            await peer.start_tls(tls.good)
        await peer.read_request()
        await peer.send(reply(b"secret" if peer.number == 0 else b"open"))
        await peer.read_until_eof()

    async with raw_server(script) as server, ConnectionPool(ssl_context=tls.client) as pool:
        assert await get(pool, f"https://{server.netloc}/") == b"secret"
        assert await get(pool, f"http://{server.netloc}/") == b"open"
        assert counts(pool) == Counts(idle=2)


async def test_ipv6() -> None:
    """An IPv6 address stands in brackets, in the URL and in Host."""
    async with serving(host="::1") as (server, site), ConnectionPool() as pool:
        for _ in range(2):
            assert await get(pool, f"http://[::1]:{server.port}/a") == b"/a"
        assert f"\r\nHost: [::1]:{server.port}\r\n".encode() in site.asked[0].head
        assert server.connections == 1


async def test_routes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more routes are remembered than ``ROUTES``; those that are forgotten are worked out again."""
    monkeypatch.setattr(_routes, "ROUTES", 10)
    routes = router()
    for number in range(100):
        assert routes.find(f"http://host{number}/a")[0].key.host == f"host{number}"
        assert len(routes._routes) <= 10
    assert routes.find("http://host0/b")[1] == "/b"
    for number in range(100):
        routes.find(f"http://host0?query={number}/")
        routes.find(f"http://host0#fragment{number}/")
    assert len(routes._routes) <= 10


def test_origin_as_text() -> None:
    """An origin says its scheme, host and port, and the proxy without its credentials."""
    assert str(OriginKey("http", "example.org", 80, None)) == "http://example.org"
    assert str(OriginKey("https", "::1", 8443, None)) == "https://[::1]:8443"
    proxied = str(OriginKey("http", "example.org", 81, Proxy.parse("http://user:secret@proxy:3128")))
    assert proxied.startswith("http://example.org:81 ")
    assert "proxy:3128" in proxied
    assert "secret" not in proxied


# -- proxies that forward


async def test_forward_proxy() -> None:
    """A proxy is sent requests to ``http`` origins with the whole URL as target, over connections for that origin."""
    async with serving() as (proxy, site), ConnectionPool(proxy=f"http://{proxy_at(proxy)}") as pool:
        response = await pool.request("GET", "http://example.org/a?b#c", headers={"X-Field": "value"})
        assert await response.read() == b"http://example.org/a?b"
        assert response.url == "http://example.org/a?b"
        assert await get(pool, "http://example.org:81?c") == b"http://example.org:81/?c"
        assert b"\r\nHost: example.org\r\n" in site.asked[0].head
        assert b"\r\nHost: example.org:81\r\n" in site.asked[1].head
        assert b"Proxy-Authorization" not in site.asked[0].head
        assert await get(pool, "http://example.org/again") == b"http://example.org/again"
        assert proxy.connections == 2


def proxy_at(server: RawServer, credentials: str = "") -> str:
    return f"{credentials and credentials + '@'}{server.netloc}"


@pytest.mark.parametrize("headers", [None, {"Host": "other.example"}, {"Accept-Encoding": "gzip"}])
async def test_credentials_of_a_forward_proxy(headers: dict[str, str] | None) -> None:
    """The credentials of the proxy are sent to it with each request, whatever else is."""
    async with serving() as (proxy, site), ConnectionPool(proxy=f"http://{proxy_at(proxy, 'user:p%40ss')}") as pool:
        for method in ("GET", "POST"):
            await get(pool, "http://example.org/", method, headers=headers)
        assert [asked.head.count(basic("user:p@ss")) for asked in site.asked] == [1, 1]


async def test_credentials_in_nothing_that_is_shown() -> None:
    """The credentials of a proxy are in no event, repr or error."""
    events: list[PoolEvent] = []
    async with serving({"http://example.org/die": close_at_once}) as (proxy, _):
        given = f"http://{proxy_at(proxy, 'user:secret')}"
        async with ConnectionPool(proxy=given, on_event=events.append) as pool:
            with pytest.raises(RemoteDisconnected) as caught:
                await get(pool, "http://example.org/die")
            shown = [*map(str, events), *map(repr, events), repr(pool), repr(caught.value), *caught.value.__notes__]
            assert len(events) > 2
            assert not [text for text in shown if "secret" in text]
            assert not [text for text in shown if "dXNlc" in text]


async def close_at_once(peer: Peer) -> None:
    peer.close()


async def test_forward_proxy_over_tls(tls: TlsKit) -> None:
    """An ``https`` proxy is spoken to over TLS, verified as its own context says, and forwards just the same."""
    async with serving(ssl=tls.good) as (proxy, site):
        url = f"https://{proxy_at(proxy, 'user:pw')}"
        async with ConnectionPool(proxy=url, proxy_ssl_context=tls.client) as pool:
            assert await get(pool, "http://example.org/a") == b"http://example.org/a"
            assert basic("user:pw") in site.asked[0].head
        async with ConnectionPool(proxy=url) as pool:
            with pytest.raises(ssl.SSLCertVerificationError):
                await get(pool, "http://example.org/a")


GIVEN: dict[str, Any] = {
    "mapping": {"Proxy-Authorization": "Basic x"},
    "other case": {"proxy-AUTHORIZATION": "Basic x"},
    "bytes": {b"Proxy-Authorization": b"Basic x"},
    "pairs": [("A", "b"), ("Proxy-Authorization", "Basic x")],
    "pairs of bytes": [(b"proxy-authorization", b"Basic x")],
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("given", GIVEN)
async def test_credentials_as_a_field(given: str, scheme: str) -> None:
    """``Proxy-Authorization`` as a field is refused, with a proxy or without: it would reach the origin."""
    async with serving() as (proxy, _):
        for chosen in (f"http://{proxy_at(proxy)}", None, lambda _: None):
            async with ConnectionPool(proxy=chosen) as pool:
                with pytest.raises(ValueError, match="Proxy-Authorization"):
                    await pool.request("GET", f"{scheme}://example.org/", headers=GIVEN[given])
                assert pool.stats().opened == 0


async def test_credentials_as_a_field_in_a_lease() -> None:
    """The same on a leased connection, in one step and step by step."""
    async with serving() as (server, site), ConnectionPool() as pool:
        async with pool.connection(server.url) as conn:
            with pytest.raises(ValueError, match="Proxy-Authorization"):
                await conn.request("GET", "/", headers={"Proxy-Authorization": "Basic x"})
            conn.putrequest("GET", "/")
            with pytest.raises(ValueError, match="Proxy-Authorization"):
                conn.putheader("proxy-authorization", "Basic x")
                await conn.endheaders()
        assert site.asked == []


WAYS: dict[str, tuple[Any, str]] = {
    "direct": (None, "http://127.0.0.1:{port}/"),
    "direct, over TLS": (None, "https://localhost:{port}/"),
    "chosen to be direct": (lambda _: None, "http://127.0.0.1:{port}/"),
    "tunnel": ("http://127.0.0.1:{port}", "https://origin.example/"),
    "SOCKS": ("socks5://127.0.0.1:{port}", "http://origin.example/"),
    "credentials in the URL": ("http://u:p@127.0.0.1:{port}", "http://origin.example/"),
}
"""Ways on which no value is taken: the proxy, and what is asked for."""


@pytest.mark.parametrize("way", WAYS)
async def test_credentials_that_only_a_proxy_may_see(way: str) -> None:
    """A value for ``Proxy-Authorization`` is sent to a proxy that forwards, and refused where anybody else is next."""
    proxy, url = WAYS[way]
    async with serving() as (server, site):
        if isinstance(proxy, str):
            proxy = proxy.format(port=server.port)
        async with ConnectionPool(proxy=proxy) as pool:
            url = url.format(port=server.port)
            with pytest.raises(ValueError, match="Proxy-Authorization"):
                await pool.request("GET", url, proxy_authorization="X y")
            if way != "credentials in the URL":
                assert pool.forwarded(url) is None
            assert pool.stats().opened == 0
    assert site.asked == []


async def test_tunnelled() -> None:
    """A pool tells to which proxy it would send which CONNECT, and where it would send none."""
    proxy = "http://proxy.example:3128"
    async with ConnectionPool(proxy=proxy) as pool:
        found = {url: pool.tunnelled(url) for url in ("https://a.example/x", "https://[::1]:444", "http://a.example/")}
        assert list(found.values()) == [(Proxy.parse(proxy), "a.example:443"), (Proxy.parse(proxy), "[::1]:444"), None]
    for other in ("socks5://proxy.example", None):
        async with ConnectionPool(proxy=other) as pool:
            assert pool.tunnelled("https://a.example/") is None


@pytest.mark.parametrize("headers", [None, {"A": "b"}, FieldBlock([("A", "b")])], ids=["none", "mapping", "block"])
@pytest.mark.parametrize("body", [None, b"body"])
async def test_credentials_of_one_request(headers: Any, body: bytes | None) -> None:
    """They go with that request alone, as the last field of a head that is the same otherwise."""
    async with serving() as (proxy, site), ConnectionPool(proxy=f"http://{proxy_at(proxy)}") as pool:
        assert pool.forwarded("http://example.org/a#b") == (Proxy.parse(proxy.url), "http://example.org/a")
        for given in (None, "X y"):
            await get(pool, "http://example.org/a", "POST", body, headers, proxy_authorization=given)
        without, given_with = (asked.head for asked in site.asked)
        assert given_with == without[:-2] + b"Proxy-Authorization: X y\r\n\r\n"
        assert site.asked[1].body == (body or b"")
        for value in ("a\r\nb: c", "a\0"):
            with pytest.raises(ValueError, match="value"):
                await pool.request("GET", "http://example.org/", proxy_authorization=value)
        with pytest.raises(ValueError, match="Proxy-Authorization"):
            await pool.request(
                "GET", "http://example.org/", headers={"proxy-authorization": "z"}, proxy_authorization="X y"
            )
        assert len(site.asked) == 2


async def test_fields_that_can_be_had_once() -> None:
    """Fields may come from an iterator, with a proxy too."""
    async with serving() as (proxy, site), ConnectionPool(proxy=f"http://{proxy_at(proxy)}") as pool:
        await get(pool, "http://example.org/", headers=iter([("X-Field", "value")]))
        assert b"\r\nX-Field: value\r\n" in site.asked[0].head
        with pytest.raises(ValueError, match="Proxy-Authorization"):
            await get(pool, "http://example.org/", headers=iter([("A", "b"), ("Proxy-Authorization", "Basic x")]))


async def test_lease_through_a_forward_proxy() -> None:
    """A lease of an ``http`` origin reaches that origin through the proxy as a request does, with its credentials."""
    async with serving() as (proxy, site), ConnectionPool(proxy=f"http://{proxy_at(proxy, 'user:pw')}") as pool:
        async with pool.connection("http://example.org/") as conn:
            assert await fetch(conn, "GET", "/leased?a=b") == b"http://example.org/leased?a=b"
            conn.putrequest("GET", "/steps")
            await conn.endheaders()
            assert await (await conn.getresponse()).read() == b"http://example.org/steps"
        assert await get(pool, "http://example.org/a") == b"http://example.org/a"
        assert proxy.connections == 1
        for asked in site.asked:
            assert asked.head.count(basic("user:pw")) == 1
            assert b"\r\nHost: example.org\r\n" in asked.head


async def test_refusal_of_a_forward_proxy() -> None:
    """What a forwarding proxy answers is the response: a 407 too."""
    raw = reply(b"who are you?", "Proxy-Authenticate: Basic", status="407 Proxy Authentication Required")
    async with serving({"http://example.org/": raw}) as (proxy, _):
        async with ConnectionPool(proxy=f"http://{proxy_at(proxy)}") as pool:
            response = await pool.request("GET", "http://example.org/")
            assert (response.status, await response.read()) == (407, b"who are you?")


# -- tunnels


@contextlib.asynccontextmanager
async def tunnelling(tls: TlsKit, *, secure: bool = False) -> AsyncIterator[tuple[RawServer, Site, list[bytes]]]:
    """A proxy that opens tunnels, with the origin at their end, and the heads of its CONNECT requests."""
    site = Site()
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        await connect_proxy(peer, tls.good, heads)
        await site(peer)

    async with raw_server(script, ssl=tls.good if secure else None) as server:
        yield server, site, heads


@pytest.mark.parametrize("secure", [False, True], ids=["http proxy", "https proxy"])
async def test_tunnel(secure: bool, tls: TlsKit) -> None:
    """An ``https`` origin is reached through CONNECT; the proxy's credentials are there, and nowhere else."""
    async with tunnelling(tls, secure=secure) as (proxy, site, heads):
        given = f"http{'s' if secure else ''}://{proxy_at(proxy, 'user:pw')}"
        async with ConnectionPool(proxy=given, ssl_context=tls.client, proxy_ssl_context=tls.client) as pool:
            for path in ("/a", "/b?c"):
                response = await pool.request("GET", f"https://localhost{path}")
                assert await response.read() == path.encode()
                assert response.url == f"https://localhost{path}"
            async with pool.connection("https://localhost") as conn:
                assert await fetch(conn, "GET", "/c") == b"/c"
        assert proxy.connections == 1
        assert len(heads) == 1
        assert heads[0].startswith(b"CONNECT localhost:443 HTTP/1.1\r\n")
        assert heads[0].count(basic("user:pw")) == 1
        assert not [asked for asked in site.asked if b"proxy-" in asked.head.lower()]
        assert all(b"\r\nHost: localhost\r\n" in asked.head for asked in site.asked)


async def test_tunnel_without_credentials(tls: TlsKit) -> None:
    """Without credentials none are sent."""
    async with tunnelling(tls) as (proxy, _, heads):
        async with ConnectionPool(proxy=f"http://{proxy_at(proxy)}", ssl_context=tls.client) as pool:
            assert await get(pool, "https://localhost:8443/a") == b"/a"
        assert heads[0].startswith(b"CONNECT localhost:8443 HTTP/1.1\r\n")
        assert b"authorization" not in heads[0].lower()


async def test_tunnel_that_is_refused(tls: TlsKit) -> None:
    """A refused tunnel is a TunnelError with status, fields and body; the slot is free, and nothing is sent on."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(reply(b"who are you?", "Proxy-Authenticate: Basic", status="407 Who"))
        await peer.read_until_eof()

    async with raw_server(script) as proxy:
        async with ConnectionPool(PoolLimits(1), proxy=f"http://{proxy_at(proxy, 'user:secret')}") as pool:
            for _ in range(2):
                with pytest.raises(TunnelError) as caught:
                    await pool.request("GET", "https://localhost/private?token=1")
                error = caught.value
                assert isinstance(error, ProxyError)
                assert (error.status, error.reason, error.body) == (407, "Who", b"who are you?")
                assert ("Proxy-Authenticate", "Basic") in error.headers
                assert "secret" not in str(error)
                assert counts(pool) == Counts()
            assert dropped(pool) == {Drop.NOT_OPENED: 2}
            assert b"private" not in proxy.raw


async def test_tunnel_that_is_refused_slowly() -> None:
    """A refusal whose body does not end is a TunnelError before the connect timeout, and not that."""

    async def script(peer: Peer) -> None:
        await peer.read_head()
        await peer.send(b"HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nbecause")
        await peer.read_until_eof()

    async with raw_server(script) as proxy:
        async with ConnectionPool(proxy=f"http://{proxy_at(proxy)}", timeout=Timeout(connect=0.2)) as pool:
            with pytest.raises(TunnelError) as caught:
                await pool.request("GET", "https://localhost/")
            assert caught.value.body == b"because"


async def test_http_and_https_through_one_proxy(tls: TlsKit) -> None:
    """Through one proxy, ``http`` is forwarded and ``https`` tunnelled, each over connections of its own."""
    site = Site()
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        if peer.number == 1:
            await connect_proxy(peer, tls.good, heads)
        await site(peer)

    async with raw_server(script) as proxy:
        async with ConnectionPool(proxy=f"http://{proxy_at(proxy)}", ssl_context=tls.client) as pool:
            assert await get(pool, "http://localhost:443/a") == b"http://localhost:443/a"
            assert await get(pool, "https://localhost/a") == b"/a"
            assert await get(pool, "http://localhost:443/b") == b"http://localhost:443/b"
            assert proxy.connections == 2


# -- one proxy for each


async def test_function_that_chooses() -> None:
    """A function chooses the proxy of each origin: a URL, a Proxy, or none; it is asked once for each."""
    asked: list[str] = []
    async with serving() as (origin, _), serving() as (one, _), serving() as (two, _):

        def choose(url: str) -> str | Proxy | None:
            asked.append(url)
            if url.startswith("http://127."):
                return None
            return Proxy.parse(one.url) if url == "http://one.example" else two.url

        async with ConnectionPool(proxy=choose) as pool:
            for _ in range(2):
                assert await get(pool, f"{origin.url}/a") == b"/a"
                assert await get(pool, "http://one.example/a?b") == b"http://one.example/a?b"
                assert await get(pool, "http://two.example:8080/a") == b"http://two.example:8080/a"
            assert (origin.connections, one.connections, two.connections) == (1, 1, 1)
            assert asked == [origin.url, "http://one.example", "http://two.example:8080"]


async def test_function_is_asked_once() -> None:
    """It is asked once for an origin however that is spelled, with or without a path."""
    asked: list[str] = []

    async with serving() as (proxy, _):

        def choose(url: str) -> str:
            asked.append(url)
            return proxy.url

        async with ConnectionPool(proxy=choose) as pool:
            base = "http://one.example"
            for url in (f"{base}/", base, "HTTP://One.Example/", f"{base}:80/", f"{base}?a", f"{base}#a"):
                await get(pool, url)
                await get(pool, url)
            assert asked == ["http://one.example"]


async def test_tls_sessions_are_not_shared_by_proxies(tls: TlsKit, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session is resumed through the proxy, and with the credentials, that it was begun with; else an origin could
    tell that two of its clients are one.
    """
    monkeypatch.setattr(_routes, "ROUTES", 1)  # so that the function is asked again
    monkeypatch.setattr(_prepared, "PREPARED_LENGTH", 0)
    users = iter(("alice:pw", "bob:pw", "alice:pw"))
    async with tunnelling(tls) as (proxy, _, heads):

        def choose(url: str) -> str | None:
            return f"http://{proxy_at(proxy, next(users))}" if url == "https://localhost" else None

        limits = PoolLimits(keepalive_expiry=0)
        async with ConnectionPool(limits, ssl_context=tls.new_client(), proxy=choose) as pool:
            for resumed in (0, 0, 1):
                assert await get(pool, "https://localhost/") == b"/"
                assert pool.stats().resumed == resumed
                pool._router.find("http://other.example/")
        assert [head.count(basic("alice:pw")) for head in heads] == [1, 0, 1]


async def test_tls_sessions_of_two_ports(tls: TlsKit) -> None:
    """Nor is one offered to another port of the same name: what listens there would most likely refuse it."""
    async with serving(ssl=tls.good) as (one, _), serving(ssl=tls.good) as (other, _):
        limits = PoolLimits(keepalive_expiry=0)
        async with ConnectionPool(limits, ssl_context=tls.new_client()) as pool:
            for server, resumed in ((one, 0), (other, 0), (one, 1), (other, 2)):
                assert await get(pool, f"{server.url}/") == b"/"
                assert pool.stats().resumed == resumed


async def test_function_that_fails() -> None:
    """What the function raises, or what is wrong with its answer, is the caller's to see; nothing is opened."""

    def fail(_: str) -> str:
        raise KeyError("no such proxy")

    for choose, error in ((fail, KeyError), (lambda _: "nonsense", InvalidURL), (lambda _: 5, TypeError)):
        async with ConnectionPool(proxy=choose) as pool:  # type: ignore[arg-type]  # one of them is wrong
            with pytest.raises(error):
                await pool.request("GET", "http://example.org/")
            assert counts(pool) == Counts()


@pytest.mark.parametrize("proxy", ["", "proxy:3128", "ftp://proxy", "http://", "http://pro xy", "http://a:secret@b/c"])
async def test_proxy_that_is_none(proxy: str) -> None:
    """A proxy that cannot be one is refused when the pool is made, and its password not shown."""
    with pytest.raises(InvalidURL) as caught:
        ConnectionPool(proxy=proxy)
    assert "secret" not in str(caught.value)


# -- SOCKS


@contextlib.asynccontextmanager
async def socks(tls: TlsKit | None = None) -> AsyncIterator[tuple[RawServer, Site, list[tuple[str, str, int]]]]:
    """A SOCKS 5 proxy with the origin behind it, over TLS if ``tls`` is given, and what it was asked for."""
    site = Site()
    asked: list[tuple[str, str, int]] = []

    async def script(peer: Peer) -> None:
        await socks5_proxy(peer, asked)
        if tls is not None:
            await peer.start_tls(tls.good)
        await site(peer)

    async with raw_server(script) as server:
        yield server, site, asked


async def test_socks() -> None:
    """A SOCKS proxy connects to the origin, which sees requests as if they came without one."""
    async with socks() as (proxy, site, asked):
        async with ConnectionPool(proxy=f"socks5h://{proxy_at(proxy, 'user:pw')}") as pool:
            assert await get(pool, "http://example.invalid/a") == b"/a"
            assert await get(pool, "http://example.invalid/b") == b"/b"
            async with pool.connection("http://example.invalid:81") as conn:
                assert await fetch(conn, "GET", "/c") == b"/c"
        assert asked == [("user:pw", "example.invalid", 80), ("user:pw", "example.invalid", 81)]
        assert b"\r\nHost: example.invalid\r\n" in site.asked[0].head
        assert not [one for one in site.asked if b"proxy" in one.head.lower()]


async def test_socks_and_tls(tls: TlsKit) -> None:
    """An ``https`` origin is spoken to over TLS through the proxy."""
    async with socks(tls) as (proxy, _, asked):
        async with ConnectionPool(proxy=f"socks5h://{proxy_at(proxy)}", ssl_context=tls.client) as pool:
            assert await get(pool, "https://localhost/a") == b"/a"
        assert asked == [("", "localhost", 443)]


async def test_socks_with_names_looked_up_here() -> None:
    """With ``socks5`` the proxy is given an address."""
    async with socks() as (proxy, _, asked):
        async with ConnectionPool(proxy=f"socks5://{proxy_at(proxy)}") as pool:
            assert await get(pool, "http://127.0.0.1:81/a") == b"/a"
        assert asked == [("", "127.0.0.1", 81)]


async def test_socks_that_refuses() -> None:
    """A SOCKS proxy that refuses is a ProxyError without a status, and the slot is free."""

    async def script(peer: Peer) -> None:
        await peer.read_exactly(3)
        await peer.send(b"\5\0")
        await peer.read_exactly(5)
        await peer.send(b"\5\5\0\1\0\0\0\0\0\0")
        await peer.read_until_eof()

    async with raw_server(script) as proxy:
        async with ConnectionPool(proxy=f"socks5h://{proxy_at(proxy)}") as pool:
            with pytest.raises(ProxyError) as caught:
                await pool.request("GET", "http://example.invalid/")
            assert caught.value.status is None
            assert counts(pool) == Counts()
            assert dropped(pool) == {Drop.NOT_OPENED: 1}


# -- dialers of one's own


class Pairs:
    """A dialer whose streams end in this process."""

    def __init__(self, site: Site) -> None:
        self.asked: list[tuple[str, int]] = []
        self._site = site
        self._far: list[socket.socket] = []

    async def dial(self, host: str, port: int) -> StreamProtocol:
        self.asked.append((host, port))
        near, far = socket.socketpair()
        far.setblocking(False)
        self._far.append(far)
        return await adopt(near)

    async def answer(self, raw: bytes) -> bytes:
        """Answer the next request; its head."""
        loop = asyncio.get_running_loop()
        while not self._far:
            await asyncio.sleep(0)
        head = await loop.sock_recv(self._far[-1], 65536)
        await loop.sock_sendall(self._far[-1], raw)
        return head

    def close(self) -> None:
        for sock in self._far:
            sock.close()


async def test_dialer_of_ones_own() -> None:
    """A dialer is asked for the host and the port of the origin, and what it opens is used as every other stream."""
    dialer = Pairs(Site())
    async with ConnectionPool(dialer=dialer) as pool:
        for number in range(2):
            asking = asyncio.create_task(get(pool, "http://nowhere.invalid:81/a"))
            head = await dialer.answer(reply(b"%d" % number))
            assert head.startswith(b"GET /a HTTP/1.1\r\nHost: nowhere.invalid:81\r\n")
            assert await asking == b"%d" % number
        assert counts(pool) == Counts(idle=1)
        dialer.close()
        await turns()
        assert dropped(pool) == {Drop.SERVER_CLOSED: 1}
    assert dialer.asked == [("nowhere.invalid", 81)]


async def test_dialer_that_fails() -> None:
    """What a dialer raises is the caller's error, and its slot is free."""

    class Failing:
        async def dial(self, host: str, port: int) -> StreamProtocol:
            raise OSError(113, f"no way to {host}")

    async with ConnectionPool(PoolLimits(1), dialer=Failing()) as pool:
        for _ in range(2):
            with pytest.raises(OSError, match=r"no way to example\.org"):
                await pool.request("GET", "http://example.org/")
            assert counts(pool) == Counts()


async def test_dialer_to_a_proxy() -> None:
    """A dialer is asked for the proxy where there is one."""
    dialer = Pairs(Site())
    async with ConnectionPool(dialer=dialer, proxy="http://proxy.invalid:3128") as pool:
        asking = asyncio.create_task(get(pool, "http://nowhere.invalid/a"))
        assert (await dialer.answer(reply(b"x"))).startswith(b"GET http://nowhere.invalid/a HTTP/1.1\r\n")
        assert await asking == b"x"
    dialer.close()
    assert dialer.asked == [("proxy.invalid", 3128)]


async def test_unix_dialer(tmp_path: Path) -> None:
    """All origins may be behind one Unix socket."""
    site = Site()
    async with raw_server(site, path=tmp_path / "socket") as server:
        assert server.path is not None
        async with ConnectionPool(dialer=UnixDialer(server.path)) as pool:
            assert await get(pool, "http://one.invalid/a") == b"/a"
            assert await get(pool, "http://two.invalid/b") == b"/b"
            assert await get(pool, "http://one.invalid/c") == b"/c"
        assert server.connections == 2
        assert b"\r\nHost: two.invalid\r\n" in site.asked[1].head


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "localhost"]
)
async def test_policy(host: str) -> None:
    """With ``public_only`` this machine is not connected to, however its address is spelled."""
    async with serving() as (server, _):
        dialer = TCPDialer(allow=public_only)
        async with ConnectionPool(dialer=dialer) as pool:
            with pytest.raises(AddressRefused):
                await pool.request("GET", f"http://{host}:{server.port}/")
            assert counts(pool) == Counts()
        dialer.close()
        assert server.connections == 0


async def test_dialer_is_not_the_pools_to_close() -> None:
    """A dialer of one's own serves several pools, one after the other and at once."""
    dialer = TCPDialer()
    async with serving() as (server, _):
        url = f"http://localhost:{server.port}/"
        async with ConnectionPool(dialer=dialer) as one:
            async with ConnectionPool(dialer=dialer) as two:
                assert await get(one, url) == await get(two, url) == b"/"
            assert await get(one, url) == b"/"
        async with ConnectionPool(dialer=dialer) as three:
            assert await get(three, url) == b"/"
    dialer.close()


def test_what_is_around_targets() -> None:
    """A route keeps what is around the targets of few kinds of requests, and nothing where the target is a URL."""
    route, _ = router().find("http://example.org/a")
    blocks = [FieldBlock({"X": str(number)}) for number in range(2 * _routes.AROUND)]
    for number, block in enumerate(blocks):
        route.know("GET", block)
        assert len(route.around) <= _routes.AROUND
        before, behind, plan = route.around["GET", block]
        head, expected = block.prepare(route.origin, "GET", "/a?b", None, False)
        assert (before + b"/a?b" + behind, plan) == (head, expected)
        assert b"\r\nX: %d\r\n" % number in head
    forwarded, _ = router(Proxy.parse("http://proxy.example:3128")).find("http://example.org/a")
    forwarded.know("GET", blocks[0])
    assert forwarded.around == {}


async def test_context_that_resumes_already(tls: TlsKit) -> None:
    """A ``ResumingContext`` of the caller's own is used as it is, so that it can be shared by pools."""
    context = ResumingContext.over(tls.new_client())
    async with raw_server(Site(), ssl=tls.good) as server:
        for resumed in (0, 1):
            async with ConnectionPool(ssl_context=context) as pool:
                assert await get(pool, f"{server.url}/page") == b"/page"
                assert pool.stats().resumed == resumed


@pytest.mark.parametrize("url", ["http://example.org/", "https://example.org/"])
async def test_a_proxy_that_is_not_there(url: str) -> None:
    """The error of a proxy that cannot be connected to says whose way it was, without who we are to it."""
    netloc = f"127.0.0.1:{refusing_port()}"
    async with ConnectionPool(proxy=f"http://user:secret@{netloc}") as pool:
        with pytest.raises(ConnectionRefusedError) as caught:
            await get(pool, url)
    assert caught.value.__notes__ == [f"GET {url}", f"by way of the proxy http://***@{netloc}"]
