"""Cookies of httpbin, at hosts with names, over http and https: what it sets, and what it is sent after that."""

from __future__ import annotations

import http.cookiejar
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from yarl import URL

from aiohttpclient import AsyncHTTPClient, CookieJar
from aiohttpclient.client import _cookies
from tests.client import httpbin as httpbin_server
from tests.support.dialers import Everywhere
from tests.support.tls import CertificateFiles

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.servers import Server
    from tests.support.tls import TlsKit

NAMES = ("shop.test", "*.shop.test", "evilshop.test", "other.test")
"""What the certificate is for. None of them is this machine, to which secure cookies go in any way."""

SHOP, WWW, API = "shop.test", "www.shop.test", "api.shop.test"

DAY = 86400


@pytest.fixture(scope="session")
def _httpbin_of_names(tmp_path_factory: pytest.TempPathFactory, tls: TlsKit) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("httpbin-names")
    leaf = tls.authority.issue_cert(*NAMES)
    files = CertificateFiles(folder / "server.key", folder / "server.pem")
    leaf.private_key_pem.write_to_path(str(files.key_file))
    leaf.cert_chain_pems[0].write_to_path(str(files.cert_file))
    with httpbin_server.serving(folder, files) as server:
        yield server


class World:
    """A client for which each name leads to httpbin, over http and over https."""

    def __init__(self, http: str, https: str, tls: TlsKit) -> None:
        self._ports = {"http": URL(http).port, "https": URL(https).port}
        self._tls = tls
        self.client = self.new_client()

    def new_client(self, **options: Any) -> AsyncHTTPClient:
        options = {"transport": Everywhere(), "trust_env": False, **options}
        return AsyncHTTPClient(ssl_context=self._tls.client, **options)

    async def ask(self, url: str, path: str, client: AsyncHTTPClient | None = None, **options: Any) -> Any:
        """What httpbin answers there; ``url`` is scheme and host, and a path before ``path``, if any."""
        scheme, _, rest = url.partition("://")
        response = await (client or self.client).get(f"{scheme}://{rest}:{self._ports[scheme]}/{path}", **options)
        return response.raise_for_status().json()

    async def set(self, url: str, *fields: str) -> None:
        """Have httpbin answer there with these Set-Cookie fields."""
        await self.ask(url, "response-headers", params=[("Set-Cookie", field) for field in fields])

    async def sent(self, url: str, path: str = "headers", client: AsyncHTTPClient | None = None) -> str | None:
        """The Cookie field that httpbin is sent there."""
        seen: str | None = (await self.ask(url, path, client))["headers"].get("Cookie")
        return seen


@pytest_asyncio.fixture
async def world(httpbin: str, _httpbin_of_names: Server, tls: TlsKit) -> AsyncIterator[World]:
    found = World(httpbin, _httpbin_of_names.url, tls)
    async with found.client:
        yield found


# -- where cookies go


DOMAINS = {
    (WWW, "shop.test"): {SHOP, WWW, API},
    (WWW, ".Shop.TEST"): {SHOP, WWW, API},
    (SHOP, "shop.test"): {SHOP, WWW, API},
    (WWW, "www.shop.test"): {WWW},
    (WWW, "api.shop.test"): set(),
    (SHOP, "www.shop.test"): set(),
    ("evilshop.test", "shop.test"): set(),
    ("shop.test.evil", "shop.test"): set(),
    (WWW, "op.test"): set(),
    (WWW, "test"): set(),
    ("10.0.0.1", "10.0.0.1"): {"10.0.0.1"},
    ("10.0.0.1", "0.0.1"): set(),
}
"""Hosts that set a cookie for a domain, and the hosts that it is sent to."""


async def test_domains(world: World) -> None:
    """A host sets cookies for itself and for domains that it is part of; they go to that domain, and to all below it.

    What only ends in the same letters is no part of a domain, and an address is part of nothing.
    """
    hosts = [SHOP, WWW, API, "evilshop.test", "shop.test.evil", "test", "10.0.0.1", "20.0.0.1"]
    found = {}
    for setter, domain in DOMAINS:
        await world.set(f"http://{setter}", f"a=1; Domain={domain}")
        found[setter, domain] = {host for host in hosts if await world.sent(f"http://{host}") == "a=1"}
        world.client.cookies.clear()
    assert found == DOMAINS


async def test_secure_is_sent_over_https_only(world: World) -> None:
    """What was set as Secure is never sent in the clear, to its host as little as to those below."""
    await world.set(f"https://{SHOP}", "a=1; Secure", "b=2; Secure; Domain=shop.test", "c=3")
    assert await world.sent(f"https://{SHOP}") == "a=1; b=2; c=3"
    assert await world.sent(f"https://{WWW}") == "b=2"
    assert await world.sent(f"http://{SHOP}") == "c=3"
    assert await world.sent(f"http://{WWW}") is None


async def test_secure_is_set_over_https_only(world: World) -> None:
    """Who can only write to http cannot set what https takes for its own."""
    await world.set(f"http://{SHOP}", "a=1; Secure", "b=2; Secure; Domain=shop.test", "c=3")
    assert await world.sent(f"https://{SHOP}") == "c=3"
    assert len(world.client.cookies) == 1


async def test_http_leaves_secure_cookies_alone(world: World) -> None:
    """Over http no secure cookie is replaced, hidden by one with a longer path or of another domain, or removed."""
    await world.set(f"https://{WWW}", "a=1; Secure", "b=2; Secure; Domain=shop.test; Path=/anything")
    for host in (WWW, SHOP):
        for attributes in ("", "; Path=/anything", "; Domain=shop.test", "; Path=/anything/x", "; Max-Age=0"):
            await world.set(f"http://{host}", f"a=evil{attributes}", f"b=evil; Path=/anything{attributes}")
    assert await world.sent(f"https://{WWW}") == "a=1"
    assert await world.sent(f"https://{WWW}", "anything/x") == "b=2; a=1"
    await world.set(f"http://{WWW}", "b=other; Path=/", "c=3")
    assert await world.sent(f"https://{WWW}", "anything/x") == "b=2; a=1; b=other; c=3"
    await world.set(f"https://{WWW}", "a=4; Secure")
    assert await world.sent(f"https://{WWW}") == "a=4; b=other; c=3"


PREFIXED = {
    ("https", "__Secure-a=b; Secure"): True,
    ("https", "__Secure-a=b; Secure; Domain=shop.test; Path=/headers"): True,
    ("https", "__Secure-a=b"): False,
    ("https", "__secure-a=b"): False,
    ("http", "__Secure-a=b; Secure"): False,
    ("http", "__Secure-a=b"): False,
    ("https", "__Host-a=b; Secure; Path=/"): True,
    ("https", "__Host-a=b; Secure; Path=/; Domain="): True,
    ("https", "__Host-a=b; Secure"): False,
    ("https", "__Host-a=b; Path=/"): False,
    ("https", "__HOST-a=b; Secure; Path=/headers"): False,
    ("https", "__Host-a=b; Secure; Path=/; Domain=shop.test"): False,
    ("https", "__Host-a=b; Secure; Path=/; Domain=www.shop.test"): False,
    ("http", "__Host-a=b; Secure; Path=/"): False,
    ("http", "__Host-a=b; Path=/"): False,
    ("https", "__Http-a=b; Secure; HttpOnly"): True,
    ("https", "__Http-a=b; Secure"): False,
    ("https", "__Host-Http-a=b; Secure; HttpOnly; Path=/"): True,
    ("https", "__Host-Http-a=b; Secure; Path=/"): False,
    ("https", "=__Host-a=b; Secure; Path=/"): False,
    ("http", "=__Secure-a=b"): False,
    ("http", "__Secure=b"): True,
    ("http", "a=__Host-b"): True,
}
"""Schemes and cookies of the host www.shop.test, and whether they are kept."""


async def test_prefixes(world: World) -> None:
    """A name that promises how its cookie was set keeps that promise, or is not kept itself."""
    kept = {}
    for scheme, cookie in PREFIXED:
        await world.set(f"{scheme}://{WWW}", cookie)
        sent = await world.sent(f"https://{WWW}")
        assert sent in {None, cookie.partition(";")[0]}
        kept[scheme, cookie] = sent is not None
        world.client.cookies.clear()
    assert kept == PREFIXED


# -- how much, and for how long


async def test_sizes(world: World) -> None:
    """A cookie of more than 4096 octets is dropped alone; an attribute of more than 1024 is passed over."""
    fits, name = "a=" + "x" * 4095, "n" * 4000
    await world.set(f"http://{SHOP}", fits, "b=" + "x" * 4096, f"{name}={'x' * 97}", "c=3")
    assert await world.sent(f"http://{SHOP}") == f"{fits}; c=3"
    world.client.cookies.clear()
    long = ["a=1; Path=/" + "x" * 1024, "b=2; Max-Age=" + "0" * 1025, "c=3; Domain=" + "x" * 1025]
    await world.set(f"http://{SHOP}", *long, "d=4; Path=/" + "x" * 1023)
    assert await world.sent(f"http://{SHOP}") == "a=1; b=2; c=3"
    assert await world.sent(f"http://{SHOP}", "anything/" + "x" * 1023) == "a=1; b=2; c=3"


@pytest.mark.parametrize(
    "attribute", ["Max-Age=99999999999", "Expires=Fri, 31 Dec 2299 23:59:59 GMT", "Max-Age=" + "9" * 400]
)
async def test_no_cookie_for_ever(world: World, attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a server says, after 400 days a cookie is gone; those of a year last that long."""
    await world.set(f"http://{SHOP}", f"a=1; {attribute}", f"b=2; Max-Age={365 * DAY}")
    now = time.time()
    for days, expected in ((364, "a=1; b=2"), (366, "a=1"), (399, "a=1"), (401, None)):
        monkeypatch.setattr(_cookies, "time", lambda days=days: now + days * DAY)
        assert await world.sent(f"http://{SHOP}") == expected


# -- files


async def login(world: World) -> None:
    """Get cookies of all kinds."""
    fields = ["session=1", "kept=2; Max-Age=1000", "safe=3; Secure; Max-Age=1000; HttpOnly", "deep=4; Path=/anything"]
    await world.set(f"https://{SHOP}", *fields, "wide=5; Domain=shop.test; Max-Age=1000", "o=\xe9 \"'=,")


EXPECTED = {
    f"https://{SHOP}/headers": "session=1; kept=2; safe=3; wide=5; o=\xe9 \"'=,",
    f"https://{SHOP}/anything/x": "deep=4; session=1; kept=2; safe=3; wide=5; o=\xe9 \"'=,",
    f"http://{SHOP}/headers": "session=1; kept=2; wide=5; o=\xe9 \"'=,",
    f"https://{WWW}/headers": "wide=5",
    "https://other.test/headers": None,
}
"""What is sent where after :func:`login`."""


async def everywhere(world: World, client: AsyncHTTPClient | None = None) -> dict[str, str | None]:
    """What is sent to each URL of ``EXPECTED``."""
    sent = {}
    for url in EXPECTED:
        scheme, _, host, path = url.split("/", 3)
        sent[url] = await world.sent(f"{scheme}//{host}", path, client)
    return sent


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("kind", ["json", "netscape"])
async def test_saved_and_loaded(world: World, tmp_path: Path, kind: str) -> None:
    """A client with the cookies of a file, of one's own format or Netscape's, sends what the one before it would."""
    await login(world)
    assert await everywhere(world) == EXPECTED
    path = tmp_path / "jar"
    jar = world.client.cookies
    (jar.save if kind == "json" else jar.write_netscape)(path)
    assert mode_of(path) == 0o600
    loaded = CookieJar.load(path) if kind == "json" else CookieJar.read_netscape(path)
    async with world.new_client(cookies=loaded) as client:
        assert await everywhere(world, client) == EXPECTED
    (jar.save if kind == "json" else jar.write_netscape)(path, session=False)
    loaded = CookieJar.load(path) if kind == "json" else CookieJar.read_netscape(path)
    async with world.new_client(cookies=loaded) as client:
        assert await world.sent(f"https://{SHOP}", client=client) == "kept=2; safe=3; wide=5"


@pytest.mark.parametrize("kind", ["json", "netscape"])
async def test_expired_in_the_file(world: World, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has expired by the time that a file is read is not sent any more."""
    await world.set(f"http://{SHOP}", "a=1; Max-Age=1000", "b=2; Max-Age=10")
    path, jar = tmp_path / "jar", world.client.cookies
    (jar.save if kind == "json" else jar.write_netscape)(path)
    now = time.time()
    monkeypatch.setattr(_cookies, "time", lambda: now + 500)
    loaded = CookieJar.load(path) if kind == "json" else CookieJar.read_netscape(path)
    async with world.new_client(cookies=loaded) as client:
        assert await world.sent(f"http://{SHOP}", client=client) == "a=1"


async def test_file_of_another_client(world: World, tmp_path: Path) -> None:
    """A cookies.txt that the standard library wrote is read, and what we write is read by it."""
    await world.set(f"https://{SHOP}", "kept=2; Max-Age=1000", "safe=3; Secure", "wide=5; Domain=shop.test")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    world.client.cookies.write_netscape(ours)
    other = http.cookiejar.MozillaCookieJar(str(ours))
    other.load(ignore_discard=True, ignore_expires=True)
    assert {(each.name, each.value, each.domain, each.secure) for each in other} == {
        ("kept", "2", "shop.test", False),
        ("safe", "3", "shop.test", True),
        ("wide", "5", ".shop.test", False),
    }
    for each in other:
        each.expires = (
            each.expires or None
        )  # 0, in our file as in curl's, is the end of the session; here it is nothing
    other.save(str(theirs), ignore_discard=True)
    async with world.new_client(cookies=CookieJar.read_netscape(theirs)) as client:
        sent = {
            url: await world.sent(url, client=client) for url in (f"https://{SHOP}", f"http://{SHOP}", f"http://{WWW}")
        }
    assert {url: set((cookies or "").split("; ")) for url, cookies in sent.items()} == {
        f"https://{SHOP}": {"kept=2", "safe=3", "wide=5"},
        f"http://{SHOP}": {"kept=2", "wide=5"},
        f"http://{WWW}": {"wide=5"},
    }
