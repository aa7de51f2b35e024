"""Redirects and cookies of httpbin: where they lead, what goes along, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, BodyNotReplayable, RedirectRefused, TooManyRedirects
from aiohttpclient.client import CookieJar
from tests.support.dialers import Everywhere
from tests.support.servers import HOST

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttpclient import Response
    from tests.support.tls import TlsKit

STATUSES = (301, 302, 303, 307, 308)

KEPT = ("POST", "PUT", "PATCH", "DELETE")
"""Methods whose requests have a body here."""


def redirect_to(url: str, status: int = 302) -> dict[str, Any]:
    """What to ask ``/redirect-to`` for."""
    return {"url": url, "status_code": status}


def statuses(response: Response) -> list[int]:
    return [each.status for each in response.history]


# -- redirects


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize(
    "path", ["redirect/{}", "relative-redirect/{}", "absolute-redirect/{}", "redirect/{}?absolute=true"]
)
async def test_chains(client: AsyncHTTPClient, httpbin: str, path: str, count: int) -> None:
    """A chain is followed to its end over one connection, relative links or absolute; it is all told."""
    response = await client.get(path.format(count))
    assert (response.status, response.json()["url"]) == (200, f"{httpbin}/get")
    assert str(response.url) == f"{httpbin}/get"
    assert statuses(response) == [302] * count
    assert str(response.history[0].url) == f"{httpbin}/{path.format(count)}"
    assert [each.history for each in response.history] == [response.history[:number] for number in range(count)]
    assert client.pool.stats().opened == 1


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("method", ["GET", *KEPT])
async def test_methods(client: AsyncHTTPClient, method: str, status: int) -> None:
    """What becomes of method, body, and the fields about it, depends on the status: RFC 9110 section 15.4."""
    body: Any = {} if method == "GET" else {"json": {"a": "ä"}}
    response = await client.request(method, "redirect-to", params=redirect_to("/anything", status), **body)
    seen = response.json()
    becomes_get = status == 303 or (method == "POST" and status in {301, 302})
    assert (statuses(response), response.method) == ([status], seen["method"])
    assert seen["method"] == ("GET" if becomes_get else method)
    assert seen["json"] == (None if becomes_get or not body else {"a": "ä"})
    assert ("Content-Type" in seen["headers"]) == bool(seen["json"])


@pytest.mark.parametrize("status", STATUSES)
async def test_head(client: AsyncHTTPClient, status: int) -> None:
    """HEAD stays HEAD."""
    response = await client.head("redirect-to", params=redirect_to("/anything", status))
    assert (response.status, response.method, statuses(response), response.content) == (200, "HEAD", [status], b"")


@pytest.mark.parametrize("status", [300, 304, 305, 306])
async def test_other_statuses(client: AsyncHTTPClient, status: int) -> None:
    """No other 3xx is followed, Location or not."""
    response = await client.get("redirect-to", params=redirect_to("/get", status))
    assert (response.status, response.headers["Location"], response.history) == (status, "/get", ())


async def test_bodies(client: AsyncHTTPClient) -> None:
    """A form with a file is sent again; what can be sent only once is not, and is an error."""

    async def once() -> AsyncIterator[bytes]:
        yield b"content"

    form: Any = {"data": {"a": "1"}, "files": {"f": ("n", b"content" * 50_000)}}
    response = await client.post("redirect-to", params=redirect_to("/post", 307), **form)
    seen = response.json()
    assert (seen["form"], seen["files"]) == ({"a": "1"}, {"f": "content" * 50_000})
    with pytest.raises(BodyNotReplayable, match="307 redirects POST"):
        await client.post("redirect-to", params=redirect_to("/post", 307), content=once())
    response = await client.post("redirect-to", params=redirect_to("/get", 303), content=once())
    assert (response.status, response.method) == (200, "GET")


async def test_not_followed(client: AsyncHTTPClient, httpbin: str) -> None:
    """Without ``follow_redirects`` the redirect is the answer."""
    response = await client.get("redirect/3", follow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/relative-redirect/2")
    async with AsyncHTTPClient(follow_redirects=False, trust_env=False) as other:
        assert (await other.get(f"{httpbin}/status/301")).status == 301
        assert (await other.get(f"{httpbin}/status/301", follow_redirects=True)).url == URL(f"{httpbin}/get")


@pytest.mark.parametrize("limit", [0, 1, 3])
async def test_limit(client: AsyncHTTPClient, httpbin: str, limit: int) -> None:
    """``max_redirects`` are followed and no more; the error knows how far it came."""
    if limit:
        assert (await client.get(f"redirect/{limit}", max_redirects=limit)).status == 200
    with pytest.raises(TooManyRedirects, match=f"more than {limit} redirects") as caught:
        await client.get(f"relative-redirect/{limit + 2}", max_redirects=limit)
    assert (caught.value.limit, caught.value.url) == (limit, f"{httpbin}/relative-redirect/1")
    assert [each.status for each in caught.value.history] == [302] * (limit + 1)


async def test_default_limit(client: AsyncHTTPClient) -> None:
    """Twenty redirects are followed, twenty-one are not."""
    assert len((await client.get("redirect/20")).history) == 20
    with pytest.raises(TooManyRedirects):
        await client.get("redirect/21")


async def test_circle(client: AsyncHTTPClient, httpbin: str) -> None:
    """What leads back to itself is noticed at once."""
    with pytest.raises(TooManyRedirects, match="circle") as caught:
        await client.get("redirect-to", params={"url": "#again"})
    assert len(caught.value.history) == 1
    assert caught.value.url == f"{httpbin}/redirect-to?url=%23again"


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/", "http://", "http://a b/", "javascript:alert(1)"])
async def test_destinations_that_are_none(client: AsyncHTTPClient, location: str) -> None:
    """A redirect to something that cannot be asked for is an error, which has the answer."""
    with pytest.raises(RedirectRefused) as caught:
        await client.get("redirect-to", params=redirect_to(location))
    assert caught.value.history[-1].headers["Location"] == location


@pytest.mark.parametrize(
    ("location", "path", "fragment"),
    [
        ("/anything/ä b", "/anything/ä b", "old"),
        ("anything/%C3%A4?x=%2F", "/anything/ä", "old"),
        ("./anything/a/../b#new", "/anything/b", "new"),
        ("//{netloc}/anything/c", "/anything/c", "old"),
        ("?url=/anything/d", "/anything/d", "old"),
    ],
)
async def test_destinations(client: AsyncHTTPClient, httpbin: str, location: str, path: str, fragment: str) -> None:
    """A reference is resolved as RFC 3986 says; the fragment is inherited unless there is another."""
    target = location.format(netloc=httpbin.removeprefix("http://"))
    response = await client.get(URL("/redirect-to").with_query(url=target).with_fragment("old").human_repr())
    assert URL(response.json()["url"]).path == path
    assert response.url.fragment == fragment


async def test_upgrade_and_downgrade(httpbin: str, httpbin_tls: str, tls: TlsKit) -> None:
    """From http to https a redirect is followed; back it is not, unless that is allowed."""
    up, down = {"url": f"{httpbin_tls}/get"}, {"url": f"{httpbin}/get"}
    async with AsyncHTTPClient(ssl_context=tls.client, trust_env=False) as client:
        response = await client.get(f"{httpbin}/redirect-to", params=up)
        assert (response.status, response.url.scheme) == (200, "https")
        with pytest.raises(RedirectRefused, match="https to http"):
            await client.get(f"{httpbin_tls}/redirect-to", params=down)
    async with AsyncHTTPClient(ssl_context=tls.client, allow_downgrade=True, trust_env=False) as client:
        assert (await client.get(f"{httpbin_tls}/redirect-to", params=down)).json()["url"] == f"{httpbin}/get"


async def test_credentials_stay(httpbin: str, httpbin_tls: str, tls: TlsKit) -> None:
    """What is for one origin does not go to another, not even when a later redirect leads back there."""
    own = {"Authorization": "Bearer own", "X-Api-Key": "k", "X-Mine": "m", "X-Plain": "p"}
    back = URL(f"{httpbin_tls}/redirect-to").with_query(url=f"{httpbin}/headers")
    async with AsyncHTTPClient(ssl_context=tls.client, allow_downgrade=True, trust_env=False) as client:
        for path in ("/headers", str(URL("/redirect-to").with_query(url="/headers"))):
            seen = (await client.get(httpbin + path, headers=own, cookies={"c": "1"})).json()["headers"]
            assert own.items() <= seen.items()
            assert seen["Cookie"] == "c=1"
        for url in (f"{httpbin_tls}/headers", str(back)):
            response = await client.get(
                f"{httpbin}/redirect-to", params={"url": url}, headers=own, cookies={"c": "1"}, sensitive=["x-mine"]
            )
            seen = response.json()["headers"]
            assert seen["X-Plain"] == "p"
            assert not {"Authorization", "X-Api-Key", "X-Mine", "Cookie"} & set(seen)


async def test_total_for_all(client: AsyncHTTPClient) -> None:
    """A stream that was redirected is the last answer, and knows those before."""
    async with client.stream("GET", "redirect/2") as stream:
        assert (stream.status, [each.status for each in stream.history]) == (200, [302, 302])
        assert (await stream.json())["url"] == str(stream.url)


# -- cookies


async def cookies(client: AsyncHTTPClient, **options: Any) -> dict[str, str]:
    """The cookies that httpbin is sent."""
    seen: dict[str, str] = (await client.get("cookies", **options)).json()["cookies"]
    return seen


async def test_set_and_delete(client: AsyncHTTPClient) -> None:
    """A cookie that a redirect sets goes with the next hop, and with all later requests until it is deleted."""
    response = await client.get("cookies/set", params={"a": "1", "b": "2"})
    assert response.json() == {"cookies": {"a": "1", "b": "2"}}
    assert response.history[0].cookies == {"a": "1", "b": "2"}
    assert response.cookies == {}
    assert (await client.get("cookies/set/c/3")).json() == {"cookies": {"a": "1", "b": "2", "c": "3"}}
    assert await cookies(client) == {"a": "1", "b": "2", "c": "3"}
    assert (await client.get("cookies/delete", params={"a": "", "c": ""})).json() == {"cookies": {"b": "2"}}
    assert {cookie.name: cookie.value for cookie in client.cookies} == {"b": "2"}


@pytest.mark.parametrize("value", ["a b", 'with "quotes"', "a;b,c", "tab\tand=", "ünï", "日本語", "%20", "\\"])
async def test_values(client: AsyncHTTPClient, value: str) -> None:
    """Whatever value a server has put into a cookie, it gets back."""
    response = await client.get("cookies/set", params={"c": value})
    assert response.json() == {"cookies": {"c": value}}


async def test_cookies_of_a_request(client: AsyncHTTPClient) -> None:
    """Cookies of a request stand in for those of the jar, for this one time."""
    await client.get("cookies/set/a/jar")
    assert await cookies(client, cookies={"a": "own", "b": "2"}) == {"a": "own", "b": "2"}
    assert await cookies(client) == {"a": "jar"}
    assert await cookies(client, headers={"Cookie": "x=y"}) == {"x": "y"}


async def test_cookies_to_begin_with(httpbin: str) -> None:
    """A client may begin with cookies, or with a jar, which it shares with others."""
    async with AsyncHTTPClient(base_url=httpbin, cookies={"a": "1"}, trust_env=False) as client:
        assert await cookies(client) == {"a": "1"}
    jar = CookieJar()
    async with (
        AsyncHTTPClient(base_url=httpbin, cookies=jar, trust_env=False) as one,
        AsyncHTTPClient(base_url=httpbin, cookies=jar, trust_env=False) as other,
    ):
        await one.get("cookies/set/shared/yes")
        assert await cookies(other) == {"shared": "yes"}


@pytest.mark.parametrize(
    ("field", "at_home", "below"),
    [
        ("c=1", {"c": "1"}, {}),
        ("c=1; Domain=shop.test; HttpOnly; SameSite=Strict", {"c": "1"}, {"c": "1"}),
        ("c=1; Domain=.SHOP.test; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", {"c": "1"}, {"c": "1"}),
        ("c=1; Domain=test", {}, {}),
        ("c=1; Domain=other.test", {}, {}),
        ("c=1; Domain=www.shop.test", {}, {}),
        ("c=1; Secure", {}, {}),
        ("c=1; Path=/cookies", {"c": "1"}, {}),
        ("c=1; Path=/cook", {}, {}),
        ("c=1; Max-Age=0", {}, {}),
        ("c=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT", {}, {}),
        ("c=ü; x", {"c": "ü"}, {}),
        ("c", {"c": ""}, {}),  # a cookie without a name, which the server reads as one without a value
    ],
)
async def test_whose_cookie_it_is(httpbin: str, field: str, at_home: dict[str, str], below: dict[str, str]) -> None:
    """A cookie goes where its attributes say, if its server may say so: to its own host, unless a domain is given."""
    port = URL(httpbin).port
    async with AsyncHTTPClient(transport=Everywhere(), trust_env=False) as client:
        await client.get(f"http://shop.test:{port}/response-headers", params={"Set-Cookie": field})
        for host, expected in (("shop.test", at_home), ("www.shop.test", below), ("other.test", {})):
            assert (await client.get(f"http://{host}:{port}/cookies")).json() == {"cookies": expected}


async def test_secure(httpbin: str, httpbin_tls: str, tls: TlsKit) -> None:
    """A cookie of an https origin is Secure, and goes to this machine in any way, at any port."""
    async with AsyncHTTPClient(ssl_context=tls.client, trust_env=False) as client:
        await client.get(f"{httpbin}/cookies/set/plain/1")
        seen = (await client.get(f"{httpbin_tls}/cookies/set/safe/2")).json()
        assert seen == {"cookies": {"plain": "1", "safe": "2"}}
        assert (await client.get(f"{httpbin}/cookies")).json() == seen
        assert {cookie.name: cookie.secure for cookie in client.cookies} == {"plain": False, "safe": True}
        elsewhere = httpbin.replace(HOST, "localhost")
        assert (await client.get(f"{elsewhere}/cookies")).json() == {"cookies": {}}
