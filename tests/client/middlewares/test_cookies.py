from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from aiohttpclient import Headers
from aiohttpclient.client._cookies import CookieJar
from aiohttpclient.client._request import Request, Settings
from aiohttpclient.client.middlewares._cookies import CookiesMiddleware, with_cookies

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiohttpclient.client._stream import ResponseStream

URL = "https://www.example.com/docs/"


def request_for(url: str = URL, cookies: Mapping[str, str] | None = None, **fields: str) -> Request:
    request = Request("GET", url, settings=Settings(cookies=cookies))
    request.headers.update(fields)
    return request


class Answer:
    """As much of a stream as the middleware looks at."""

    def __init__(self, *set_cookies: str) -> None:
        self.set_cookies = set_cookies
        self.headers_made = 0

    @property
    def sets_cookies(self) -> bool:
        return bool(self.set_cookies)

    @property
    def headers(self) -> Headers:
        self.headers_made += 1
        return Headers(("Set-Cookie", value) for value in self.set_cookies)


async def exchange(jar: CookieJar, request: Request, *set_cookies: str) -> Request:
    """Send ``request`` through the middleware to a server that sets these; what the server was sent."""
    sent: list[Request] = []
    answer = Answer(*set_cookies)

    async def handler(request: Request) -> ResponseStream:
        sent.append(request)
        return cast("ResponseStream", answer)

    assert await CookiesMiddleware(jar)(request, handler) is cast("Any", answer)
    (one,) = sent
    assert answer.headers_made == (1 if set_cookies else 0)
    return one


async def test_cookies_come_back() -> None:
    """What a response sets goes with the next request to that place, each malformed field for itself."""
    jar = CookieJar()
    first = await exchange(jar, request_for(), "a=1; Path=/", "b\0=2", "c=3; Domain=com", "d=J\xc3\xb6rg")
    assert "Cookie" not in first.headers
    assert (await exchange(jar, request_for())).headers["Cookie"] == "d=J\xc3\xb6rg; a=1"
    assert (await exchange(jar, request_for("https://www.example.com/?q=/docs/"))).headers["Cookie"] == "a=1"
    assert "Cookie" not in (await exchange(jar, request_for("https://sub.www.example.com/docs/"))).headers


async def test_nothing_to_do_costs_nothing() -> None:
    """With an empty jar and no cookies of the request, the request is passed on untouched; no header object is made."""
    request = Request("GET", URL)
    assert await exchange(CookieJar(), request) is request
    assert request._headers is None
    assert request._extensions is None
    assert await exchange(CookieJar(), request_for(cookies={})) is not None


async def test_a_host_without_cookies_costs_little() -> None:
    """With cookies of other hosts only, the request is passed on untouched."""
    jar = CookieJar()
    jar.learn("https://other.example.org/", ["a=1"])
    request = Request("GET", URL)
    assert await exchange(jar, request) is request
    assert request._headers is None
    assert request._extensions is None


async def test_the_request_stays_as_it_was() -> None:
    """The field goes into a copy: whoever holds the request can send it again, with the cookies of that moment."""
    jar = CookieJar()
    jar.learn(URL, ["a=1"])
    request = Request("GET", URL, settings=Settings(cookies={"own": "2"}))
    sent = await exchange(jar, request, "a=3")
    assert sent is not request
    assert sent.headers["Cookie"] == "a=1; own=2"
    assert request._headers is None
    assert (await exchange(jar, request)).headers["Cookie"] == "a=3; own=2"


@pytest.mark.parametrize(
    ("cookies", "own", "expected"),
    [
        (None, None, "a=1; b=2"),
        ({}, None, "a=1; b=2"),
        ({"c": "3"}, None, "a=1; b=2; c=3"),
        ({"a": "own"}, None, "b=2; a=own"),
        (None, "x=y", "x=y"),
        ({"a": "own"}, "x=y", "x=y"),
        (None, "", ""),
    ],
)
async def test_what_is_stronger(cookies: dict[str, str] | None, own: str | None, expected: str) -> None:
    """Cookies of the request stand in for those of the jar; a Cookie field of the caller's stands alone."""
    jar = CookieJar()
    jar.learn(URL, ["a=1", "b=2"])
    fields = {} if own is None else {"cookie": own}
    sent = await exchange(jar, request_for(cookies=cookies, **fields))
    assert sent.headers.getall("Cookie") == [expected]


async def test_cookies_of_a_request_are_not_kept() -> None:
    """Cookies of one request are not those of the next."""
    jar = CookieJar()
    assert (await exchange(jar, request_for(cookies={"a": "1"}))).headers["Cookie"] == "a=1"
    assert not jar
    assert "Cookie" not in (await exchange(jar, request_for())).headers


@pytest.mark.parametrize(("cookies", "error"), [({"a": "x\r\nHost: evil"}, ValueError), ({"a": 1}, TypeError)])
async def test_cookies_of_a_request_are_checked(cookies: Any, error: type[Exception]) -> None:
    """What cannot be sent as a cookie is an error, before anything is sent."""

    async def handler(request: Request) -> ResponseStream:
        raise AssertionError("sent")

    with pytest.raises(error):
        await CookiesMiddleware(CookieJar())(request_for(cookies=cookies), handler)


async def test_an_answer_that_fails_teaches_nothing() -> None:
    """An error of the handler passes, and the jar is as it was."""
    jar = CookieJar({"a": "1"})

    async def handler(request: Request) -> ResponseStream:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await CookiesMiddleware(jar)(request_for(), handler)
    assert jar.items() == [("a", "1")]


# -- redirects


def hop(request: Request, url: str) -> Request:
    """The request that a redirect makes of ``request``, as far as cookies matter; see ``_redirects.py``."""
    following = request.copy()
    following.url_text = url
    return following


async def test_each_hop_has_its_own_cookies() -> None:
    """A hop carries the cookies of the jar for its URL, those included that the redirect has set, and no others."""
    jar = CookieJar()
    jar.learn(URL, ["a=1"])
    first = request_for()
    assert (await exchange(jar, first, "b=2; Path=/")).headers["Cookie"] == "a=1"
    second = hop(first, "https://www.example.com/other")
    assert (await exchange(jar, second)).headers["Cookie"] == "b=2"
    third = hop(second, "https://elsewhere.example/docs/")
    assert "Cookie" not in (await exchange(jar, third)).headers


@pytest.mark.parametrize(
    "elsewhere", ["https://other.example/", "http://www.example.com/docs/", "https://www.example.com:8443/docs/"]
)
async def test_unbound_cookies_stay_at_home(elsewhere: str) -> None:
    """Cookies that are bound to no domain go to the origin that the caller asked, on every hop there; after one to
    another origin they are gone, also when a later hop returns.
    """
    jar = CookieJar({"any": "1"})
    first = request_for()
    assert (await exchange(jar, first)).headers["Cookie"] == "any=1"
    same = hop(first, "https://www.example.com/other?x")
    assert (await exchange(jar, same)).headers["Cookie"] == "any=1"
    away = hop(same, elsewhere)
    assert "Cookie" not in (await exchange(jar, away)).headers
    back = hop(away, URL)
    assert "Cookie" not in (await exchange(jar, back)).headers
    assert (await exchange(jar, request_for(elsewhere))).headers["Cookie"] == "any=1"


def test_a_request_that_is_repeated_has_its_cookies_once() -> None:
    """A copy that was made for sending is not filled again; the request that it was made of is, anew."""
    jar = CookieJar({"a": "1"})
    request = request_for()
    sent = with_cookies(request, jar)
    jar["a"] = "2"
    assert with_cookies(sent, jar).headers.getall("Cookie") == ["a=1"]
    assert with_cookies(request, jar).headers.getall("Cookie") == ["a=2"]
