"""What a redirect leads to, and what does not go there, byte for byte as servers see it."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, RedirectRefused, TooManyRedirects
from tests.client.clients import fields_of, talking
from tests.pool.servers import serving
from tests.support.server import reply

if TYPE_CHECKING:
    from tests.support.server import Peer

REDIRECTS = (301, 302, 303, 307, 308)

ABOUT_THE_BODY = {
    "Content-Digest": "sha-256=:x:",
    "Content-Encoding": "x-own",
    "Content-Language": "de",
    "Content-Length": "4",
    "Content-Location": "/here",
    "Content-MD5": "x",
    "Content-Range": "bytes 0-3/9",
    "Content-Type": "text/x-own",
    "Digest": "x",
    "Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT",
    "Repr-Digest": "sha-256=:x:",
    "Trailer": "X-End",
}
"""Fields of a request that say something of its body."""


def leads_to(*locations: str, status: int = 302) -> bytes:
    return reply(b"", *(f"Location: {location}" for location in locations), status=f"{status} Elsewhere")


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


# -- the body


@pytest.mark.parametrize("status", REDIRECTS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_fields_about_the_body(method: str, status: int) -> None:
    """Where a body does not go along, nothing goes that is about it, and all else does; where it does, all does."""
    fields = {**ABOUT_THE_BODY, "Expect": "x-own", "X-Mine": "1", "Accept-Language": "de"}
    async with talking({"/": leads_to("/there", status=status)}) as here:
        await here.client.request(method, "", content=b"body", headers=fields)
        assert here.site.asked[0].body == b"body"
        sent = fields_of(here.asked.head)
    if status == 303 or (method == "POST" and status in {301, 302}):
        assert (here.asked.method, here.asked.body) == ("GET", b"")
        assert not sent.keys() & {*ABOUT_THE_BODY, "Expect", "Transfer-Encoding"}
        assert (sent["X-Mine"], sent["Accept-Language"]) == ("1", "de")
    else:
        assert (here.asked.method, here.asked.body) == (method, b"body")
        assert fields.items() <= dict(sent).items()


async def test_fields_about_a_chunked_body() -> None:
    """The same of a body in chunks: without it, nobody says that there are any."""
    async with talking({"/": leads_to("/there", status=303)}) as here:
        await here.client.post("", content=iter([b"bo", b"dy"]), headers={"Transfer-Encoding": "chunked"})
        first, then = (fields_of(asked.head) for asked in here.site.asked)
        assert first["Transfer-Encoding"] == "chunked"
        assert not then.keys() & {"Transfer-Encoding", "Content-Length", "Content-Type"}
        assert here.site.targets == ["/", "/there"]


# -- where to

RELATIVE = {
    "/x": "/x",
    "/x/../y/./z": "/y/z",
    "x": "/a/b/x",
    "./x": "/a/b/x",
    "../x": "/a/x",
    "../../../x": "/x",
    "x/../y/.": "/a/b/y/",
    ".": "/a/b/",
    "..": "/a/",
    "?x": "/a/b/c?x",
    "?": "/a/b/c?",
    "x?y=/../z": "/a/b/x?y=/../z",
    "x#new": "/a/b/x",
    "/x y": "/x%20y",
    "./x:y/z": "/a/b/x:y/z",
    " \tx\t": "/a/b/x",
    "/%7e%2F..%2f": "/%7e%2F..%2f",
}
"""What stands in Location in the answer to ``/a/b/c?q``, and what is asked for then."""


async def test_relative() -> None:
    """Location is a reference, resolved against what was asked for (RFC 3986 section 5.2)."""
    async with talking() as here:
        for location, target in RELATIVE.items():
            here.site.pages["/a/b/c?q"] = leads_to(location)
            response = await here.client.get("a/b/c?q#old")
            fragment = "new" if location.endswith("#new") else "old"
            assert response.url == URL(f"{here.server.url}{target}#{fragment}", encoded=True)
            assert (here.asked.target, len(response.history)) == (target, 1)


@pytest.mark.parametrize("location", ["#new", "", "c?q", "x:y/z", "data:,x"])
async def test_nowhere(location: str) -> None:
    """What leads to the very same, or to a URL of another scheme, is refused at once."""
    async with talking({"/a/b/c?q": leads_to(location)}) as here:
        with pytest.raises((RedirectRefused, TooManyRedirects), match=r"is not followed|circle"):
            await here.client.get("a/b/c?q")
        assert here.site.targets == ["/a/b/c?q"]


async def test_relative_to_the_last_one() -> None:
    """In a chain, each Location is relative to the URL that gave it, also at another host."""
    async with serving({"/p/q": leads_to("../r")}) as (other, there), talking() as here:
        here.site.pages |= {"/a/b": leads_to("c/d"), "/a/c/d": leads_to(f"//{other.netloc}/p/q")}
        await here.client.get("a/b")
        assert (here.site.targets, there.targets) == (["/a/b", "/a/c/d"], ["/p/q", "/r"])
        assert [fields_of(asked.head)["Host"] for asked in there.asked] == [other.netloc] * 2


# -- who we are


@pytest.mark.parametrize("auth", [None, ("me", "word")], ids=["nobody", "somebody"])
async def test_user_information_in_location(auth: tuple[str, str] | None) -> None:
    """User and password in Location are nobody's: at our origin we stay who we are, elsewhere we are nobody."""
    async with serving() as (other, there), talking(auth=auth) as here:
        mine = None if auth is None else basic(*auth)
        for server, expected in ((here.server, mine), (other, None)):
            here.site.pages["/to"] = leads_to(f"http://evil:secret@{server.netloc}/there")
            response = await here.client.get("to")
            assert str(response.url) == f"{server.url}/there"
            asked = (here.site if server is here.server else there).asked[-1]
            assert (asked.target, fields_of(asked.head).get("Authorization")) == ("/there", expected)
            assert b"evil" not in asked.head


async def test_cookies_that_are_bound_to_no_domain() -> None:
    """Cookies of the client without a domain go where the caller asked, and to no other origin, nor back from there."""
    async with serving({"/set": reply(b"", "Set-Cookie: of_other=1")}) as (other, there):
        async with talking(cookies={"unbound": "1"}) as here:
            elsewhere = other.url.replace("127.0.0.1", "localhost")
            await here.client.get(f"{elsewhere}/set")
            here.site.pages |= {"/": leads_to("/next"), "/next": leads_to(f"{elsewhere}/away")}
            there.pages["/away"] = leads_to(f"{here.server.url}/back")
            del there.asked[:]
            await here.client.get("")
            sent = [(asked.target, fields_of(asked.head).get("Cookie")) for asked in [*here.site.asked, *there.asked]]
            assert sent == [
                ("/", "unbound=1"),
                ("/next", "unbound=1"),
                ("/back", None),
                ("/away", "of_other=1"),
            ]
            await here.client.get("again")
            assert here.sent["Cookie"] == "unbound=1"


async def test_cookie_that_comes_while_redirects_are_followed() -> None:
    """Such a cookie does not go to another origin either when the caller sets it in the midst of a chain."""
    async with serving() as (other, there), talking() as here:

        async def away(peer: Peer) -> None:
            here.client.cookies.set("late", "1")
            await peer.send(leads_to(f"{other.url}/away"))

        here.site.pages |= {"/": away}
        there.pages["/away"] = leads_to(f"{here.server.url}/back")
        async with here.client.stream("GET", "") as stream:
            assert await stream.read() == b"/back"
        asked = [*here.site.asked, *there.asked]
        assert [(one.target, "Cookie" in fields_of(one.head)) for one in asked] == [
            ("/", False),
            ("/back", False),
            ("/away", False),
        ]
        await here.client.get("again")
        assert here.sent["Cookie"] == "late=1"


async def test_host_of_the_caller() -> None:
    """A Host of the caller's own goes along within an origin, and to another one goes that one's, and back as well."""
    async with serving() as (other, there), talking() as here:
        here.site.pages |= {"/": leads_to("/next"), "/next": leads_to(f"{other.url}/away")}
        there.pages["/away"] = leads_to(f"{here.server.url}/back")
        await here.client.get("", headers={"Host": "virtual.example"})
        hosts = [(asked.target, fields_of(asked.head).getall("Host")) for asked in [*here.site.asked, *there.asked]]
        assert hosts == [
            ("/", ["virtual.example"]),
            ("/next", ["virtual.example"]),
            ("/back", [here.server.netloc]),
            ("/away", [other.netloc]),
        ]


# -- more than one Location


@pytest.mark.parametrize("status", REDIRECTS)
async def test_two_locations(status: int) -> None:
    """An answer with two different Locations is an error, and neither is asked; the same one twice is one."""
    async with serving() as (other, _), talking() as here:
        for pair in (("/one", f"{other.url}/two"), (f"{other.url}/two", "/one"), ("/one", "/ONE"), ("/one", "")):
            here.site.pages["/to"] = leads_to(*pair, status=status)
            with pytest.raises(RedirectRefused, match="more than one Location") as caught:
                await here.client.get("to")
            assert [each.status for each in caught.value.history] == [status]
        here.site.pages["/to"] = leads_to("/one", "/one", status=status)
        assert (await here.client.get("to")).content == b"/one"
        assert here.site.targets == ["/to"] * 5 + ["/one"]
        assert other.connections == 0


async def test_two_locations_of_no_redirect() -> None:
    """Where a redirect is not followed, what it says is for the caller to read."""
    pages: dict[str, Any] = {"/to": leads_to("/one", "/two"), "/made": leads_to("/one", "/two", status=201)}
    async with talking(pages) as here, AsyncHTTPClient(follow_redirects=False, trust_env=False) as client:
        assert (await client.get(f"{here.server.url}/to")).headers.getall("Location") == ["/one", "/two"]
        assert (await here.client.get("made")).status == 201
