"""What a server gets to see of a URL, byte for byte, and of which it sees nothing."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, InvalidURL, RedirectRefused
from tests.client.clients import fields_of, talking
from tests.pool.servers import serving
from tests.support.dialers import Everywhere
from tests.support.server import reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttpclient.net import StreamProtocol
    from tests.client.clients import Here
    from tests.support.tls import TlsKit


class Noting(Everywhere):
    """Leads every name here, and notes it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    async def dial(self, host: str, port: int) -> StreamProtocol:
        self.names.append(host)
        return await super().dial(host, port)


# -- paths and queries


DOTTED = [
    "/a/../b/./c",
    "/../../x",
    "/.",
    "/..",
    "/a/.",
    "/a/%2e%2e/%2E/b",
    "/a/..;x=1/b",
    "/a/b?x=/../y/./",
    "//a//..//b//",
    "/bucket/../key/.?X-Amz-Signature=..",
]


@pytest.mark.parametrize("form", [str, lambda text: URL(text, encoded=True)], ids=["text", "object"])
@pytest.mark.parametrize("based", [False, True], ids=["", "with base_url"])
async def test_dot_segments(based: bool, form: Callable[[str], Any]) -> None:
    """Dot segments of an absolute URL are sent as they are: whoever signs URLs has signed them."""
    async with talking() as here:
        base = f"{here.server.url}/api" if based else None
        async with AsyncHTTPClient(base_url=base, trust_env=False) as client:
            for target in DOTTED:
                response = await client.get(form(here.server.url + target))
                assert str(response.url) == here.server.url + target
        assert here.site.targets == DOTTED


STRAY = {
    "/100%": "/100%25",
    "/100%/x": "/100%25/x",
    "/%zz?a=50%&b=%": "/%25zz?a=50%25&b=%25",
    "/%2": "/%252",
    "/%%41%4": "/%25%41%254",
    "/%e9%C3%": "/%e9%C3%25",
    "/ä%ä": "/%C3%A4%25%C3%A4",
}
"""Paths as they are given, and as they must be asked for."""


@pytest.mark.parametrize("source", ["absolute", "relative", "location"])
async def test_stray_percent_signs(source: str) -> None:
    """A percent sign that begins no escape is encoded, wherever the URL comes from; the others stay."""
    async with talking() as here:
        for given, target in STRAY.items():
            location = f"Location: {given}".encode().decode("iso-8859-1")
            here.site.pages["/to"] = reply(b"", location, status="302 There")
            url = {"absolute": here.server.url + given, "relative": given.removeprefix("/"), "location": "to"}
            await here.client.get(url[source])
            assert here.asked.target == target


async def test_stray_percent_signs_in_params() -> None:
    """In a query that is given as text it is the same; in one that is given as pairs, each percent sign is one."""
    async with talking() as here:
        await here.client.get("", params="a=50%&b=%41")
        await here.client.get("", params={"a": "50%", "b": "%41"})
        assert here.site.targets == ["/?a=50%25&b=%41", "/?a=50%25&b=%2541"]


# -- a query that is empty

EMPTY = ["/path?", "/?", "//?", "/path?#f?"]
"""A question mark with nothing behind it."""


@pytest.mark.parametrize("target", EMPTY)
@pytest.mark.parametrize("params", [None, {}, [], "", {"a": None}, {"a": []}], ids=repr)
@pytest.mark.parametrize("based", [False, True], ids=["", "with base_url"])
async def test_empty_query(target: str, params: Any, based: bool) -> None:
    """A question mark at the end is sent, with and without params that say nothing; ``url_text`` has it as well."""
    async with talking() as here:
        base = here.server.url if based else None
        asked = target.partition("#")[0]
        async with AsyncHTTPClient(base_url=base, params=params, trust_env=False) as client:
            for options in ({}, {"params": params}):
                response = await client.get(here.server.url + target, **options)
                assert here.asked.target == asked
                assert response.request.url_text == here.server.url + asked
            async with client.stream("GET", here.server.url + target) as stream:
                assert await stream.read() == asked.encode()


@pytest.mark.parametrize(
    ("url", "below"), [("path?", "/path?"), ("/path?", "/path?"), ("?", "?"), ("./?", "/?"), ("x/../?", "/?")]
)
@pytest.mark.parametrize("slash", ["", "/"])
async def test_empty_query_below_a_base(url: str, below: str, slash: str) -> None:
    """It is sent below base_url too, and directly behind it."""
    async with talking() as here:
        async with AsyncHTTPClient(base_url=f"{here.server.url}/api{slash}", trust_env=False) as client:
            await client.get(url)
            await client.get(url, params={})
        target = "/api" + (slash + below if url == "?" else below)
        assert here.site.targets == [target] * 2


@pytest.mark.parametrize("location", ["/path?", "path?", "{}/path?", "/x/../path?", "/path?#f", "?"])
async def test_empty_query_in_a_location(location: str) -> None:
    """It is followed to where it leads, and what has a query loses that to it."""
    async with talking() as here:
        target = "/to?" if location == "?" else "/path?"
        field = f"Location: {location.format(here.server.url)}"
        here.site.pages = {"/to?x=1": reply(b"", field, status="302 There")}
        response = await here.client.get("to?x=1")
        assert here.site.targets == ["/to?x=1", target]
        assert response.request.url_text == here.server.url + target


async def test_empty_query_and_params() -> None:
    """What is said besides takes the place behind it."""
    async with talking() as here:
        await here.client.get("path?", params={"a": "1"})
        await here.client.get("path?#f", params="?a=1")
        assert here.site.targets == ["/path?a=1"] * 2


async def test_empty_query_of_an_object() -> None:
    """A ``yarl.URL`` has lost it when it comes to us, and shows none of what was sent."""
    async with talking() as here:
        for url in (URL(f"{here.server.url}/path?"), URL(f"{here.server.url}/path?", encoded=True)):
            await here.client.get(url)
        response = await here.client.get("path?")
        assert here.site.targets == ["/path", "/path", "/path?"]
        assert str(response.url) == f"{here.server.url}/path"


# -- names


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("日本語.example", "xn--wgv71a119e.example"),
        ("bücher\N{IDEOGRAPHIC FULL STOP}example", "xn--bcher-kva.example"),
        ("b%C3%BCcher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
async def test_idna(host: str, name: str) -> None:
    """A name that is not ASCII is looked up, and asked for, in its IDNA form (RFC 5891), the same from a Location."""
    dialer = Noting()
    async with serving() as (server, site), AsyncHTTPClient(transport=dialer, trust_env=False) as client:
        await client.get(f"http://{host}:{server.port}/x")
        location = f"Location: //{host}:{server.port}/x".encode().decode("iso-8859-1")
        site.pages["/to"] = reply(b"", location, status="302 There")
        await client.get(f"{server.url}/to")
        hosts = [fields_of(asked.head)["Host"] for asked in site.asked]
        assert hosts == [f"{name}:{server.port}", server.netloc, f"{name}:{server.port}"]
        assert (dialer.names, site.targets) == ([name, server.host], ["/x", "/to", "/x"])


async def test_idna_in_tls(tls: TlsKit) -> None:
    """The IDNA form is what TLS asks for, and what the certificate must be for."""
    asked: list[str | None] = []
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.authority.issue_cert("xn--bcher-kva.example").configure_cert(context)
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with serving(ssl=context) as (server, site):
        async with AsyncHTTPClient(transport=Everywhere(), ssl_context=tls.client, trust_env=False) as client:
            assert (await client.get(f"https://bücher.example:{server.port}/x")).content == b"/x"
            with pytest.raises(ssl.SSLCertVerificationError):
                await client.get(f"https://bucher.example:{server.port}/x")
    assert (asked, site.targets) == (["xn--bcher-kva.example", "bucher.example"], ["/x"])


async def test_names_without_idna() -> None:
    """A name that has no IDNA form, or would become another host by it, is refused, and nobody is asked."""
    dialer = Noting()
    async with AsyncHTTPClient(transport=dialer, trust_env=False) as client:
        for host in ("a\N{ACCOUNT OF}b.example", "a\N{FULLWIDTH SOLIDUS}b", "ü" * 80, "a\ud800"):
            with pytest.raises(InvalidURL):
                await client.get(f"http://{host}/")
    assert dialer.names == []


# -- what is refused

CONTROLS = ["\r\nX-Evil: 1", "\n", "\r", "\t", "\x00", "\x1f", "\x7f", "\x85", " HTTP/1.1\r\n\r\nGET /evil"]


@pytest.mark.parametrize("place", ["path", "query", "fragment", "host", "user", "params", "relative", "base"])
async def test_controls(place: str) -> None:
    """A URL with controls in it is refused, wherever they are, and not a byte of it is sent."""
    async with talking() as here:
        await here.client.get("first")
        for bad in CONTROLS:
            with pytest.raises(InvalidURL):
                await ask_with(bad, place, here)
        await here.client.get("last")
        assert (here.site.targets, here.server.connections) == (["/first", "/last"], 1)
        assert here.server.raw.count(b"\r\n\r\n") == 2


async def ask_with(bad: str, place: str, here: Here) -> None:
    """Ask for something that has ``bad`` in one place."""
    url, host = here.server.url, here.server.netloc
    urls = {
        "path": f"{url}/a{bad}b",
        "query": f"{url}/a?b={bad}c",
        "fragment": f"{url}/a#{bad}b",
        "host": f"http://{bad}{host}/a",
        "user": f"http://me{bad}:word@{host}/a",
        "relative": f"a{bad}b",
    }
    base = f"{url}/a{bad}b" if place == "base" else url
    async with AsyncHTTPClient(base_url=base, transport=here.client.pool, trust_env=False) as client:
        await client.get(urls.get(place, "a"), params=f"a={bad}b" if place == "params" else None)


@pytest.mark.parametrize("bad", ["\t", "\x85"])
async def test_controls_in_a_location(bad: str) -> None:
    """A redirect to such a URL is refused as well: those that a field may have in it are in no URL."""
    location = f"Location: /a{bad}b".encode().decode("iso-8859-1")
    async with talking({"/to": reply(b"", location, status="302 There")}) as here:
        with pytest.raises(RedirectRefused, match="control characters"):
            await here.client.get("to")
        assert here.site.targets == ["/to"]


# -- base_url


BELOW = {
    "users": "/api/v1/users",
    "/users": "/api/v1/users",
    "users/?x=1&x=2#y": "/api/v1/users/?x=1&x=2",
    "../v2/x": "/api/v2/x",
    "./x/..": "/api/v1/",
    "../../../x": "/x",
    "c%2fd %zz": "/api/v1/c%2fd%20%25zz",
    "projects/x:run": "/api/v1/projects/x:run",
    "@evil.example/x": "/api/v1/@evil.example/x",
    "/\\evil.example/x": "/api/v1/%5Cevil.example/x",
    "x?y=/../z": "/api/v1/x?y=/../z",
}
"""Relative URLs, and what they are below ``/api/v1``."""


@pytest.mark.parametrize("slash", ["", "/"])
async def test_base(slash: str) -> None:
    """A relative URL is asked for below the path of base_url, with one slash in between, at its host."""
    async with talking() as here:
        async with AsyncHTTPClient(base_url=f"{here.server.url}/api/v1{slash}", trust_env=False) as client:
            for url, target in BELOW.items():
                await client.get(url)
                assert here.asked.target == target
        assert here.server.connections == 1


async def test_base_itself() -> None:
    """A relative URL without a path is base_url itself, without a slash that it does not have."""
    async with talking() as here:
        async with AsyncHTTPClient(base_url=f"{here.server.url}/api", trust_env=False) as client:
            for url in ("", "?x=1", "#x"):
                await client.get(url)
        assert here.site.targets == ["/api", "/api?x=1", "/api"]


async def test_base_and_absolute_urls() -> None:
    """An absolute URL is itself, and who the base says we are is for relative URLs only."""
    async with serving() as (other, there), talking() as here:
        base = here.server.url.replace("://", "://me:word@") + "/api"
        async with AsyncHTTPClient(base_url=base, trust_env=False) as client:
            for url in ("x", f"{here.server.url}/x", f"{other.url}/x"):
                await client.get(url)
        assert (here.site.targets, there.targets) == (["/api/x", "/x"], ["/x"])
        asked = [*here.site.asked, *there.asked]
        assert ["Authorization" in fields_of(one.head) for one in asked] == [True, False, False]


async def test_base_and_doubtful_urls() -> None:
    """What is a host for one reader and a path for another is refused, and nobody is asked."""
    dialer = Noting()
    async with AsyncHTTPClient(base_url="http://good.example/", transport=dialer, trust_env=False) as client:
        for url in ("//evil.example/x", "//", "http:x", "https:/x"):
            with pytest.raises(InvalidURL):
                await client.get(url)
    assert dialer.names == []
