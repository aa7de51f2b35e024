"""Redirects: what follows from them, what must not go with them, and when they are not followed."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient._headers import Headers
from aiohttpclient._redact import is_secret
from aiohttpclient.client._auth import BasicAuth
from aiohttpclient.client._cookies import CookieJar
from aiohttpclient.client._payloads import payload_of
from aiohttpclient.client._request import Request, Settings
from aiohttpclient.client._retry_policy import RetryPolicy
from aiohttpclient.client._urls import resolve, same_origin
from aiohttpclient.client.middlewares import _redirects
from aiohttpclient.client.middlewares._auth import AuthMiddleware
from aiohttpclient.client.middlewares._cookies import CookiesMiddleware
from aiohttpclient.client.middlewares._redirects import (
    BODY_FIELDS,
    REDIRECT_BODY,
    REDIRECTS,
    RedirectsMiddleware,
    next_method,
    next_request,
)
from aiohttpclient.client.middlewares._retries import RetriesMiddleware
from aiohttpclient.connection import FieldBlock
from aiohttpclient.errors import BodyNotReplayable, RedirectRefused, TooManyRedirects
from tests.properties.strategies import checked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiohttpclient.client._pipeline import Handler

A, B = "https://a.example/", "https://b.example/"


def make(
    method: str = "GET",
    url: str = A,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    content: Any = None,
    **settings: Any,
) -> Request:
    target = resolve(url)
    request = Request(method, target.text, target.fragment, payload=payload_of(content), settings=Settings(**settings))
    if headers:
        request.headers.extend(headers)
    return request


class FakeStream:
    """An answer, as far as redirects see it; its Response is the stream and what it was when it was made."""

    def __init__(self, request: Request, status: int, fields: list[tuple[str, str]]) -> None:
        self.request = request
        self.status = status
        self.fields = Headers(fields)
        self.history: tuple[Any, ...] = ()
        self.limits: list[int] = []
        self.looked = 0

    @property
    def headers(self) -> Headers:
        self.looked += 1
        return self.fields

    def field(self, name: str) -> str | None:
        return self.fields.get(name)

    @property
    def sets_cookies(self) -> bool:
        return "Set-Cookie" in self.fields

    async def shortened(self, limit: int) -> Any:
        self.limits.append(limit)
        return FakeResponse(self)


class FakeResponse:
    def __init__(self, stream: FakeStream) -> None:
        self.url = stream.request.url_text
        self.status = stream.status
        self.history = stream.history

    def __reduce__(self) -> tuple[Any, ...]:
        return str, (self.url,)


class Web:
    """What is behind the middlewares: URLs, each with its answer or several in turn, as status and fields."""

    def __init__(self, pages: Mapping[str, Any]) -> None:
        self.pages = {url: list(answer) if isinstance(answer, list) else [answer] for url, answer in pages.items()}
        self.sent: list[Request] = []
        self.streams: list[FakeStream] = []

    async def __call__(self, request: Request) -> Any:
        self.sent.append(request)
        answers = self.pages.get(request.url_text, [200])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        status, *fields = answer if isinstance(answer, tuple) else (answer,)
        fields = [("Location", field) if isinstance(field, str) else field for field in fields]
        stream = FakeStream(request, status, fields)
        self.streams.append(stream)
        return stream

    @property
    def asked(self) -> list[tuple[str, str]]:
        return [(request.method, request.url_text) for request in self.sent]


async def follow(request: Request, pages: Mapping[str, Any], **options: Any) -> tuple[Web, Any]:
    web = Web(pages)
    return web, await RedirectsMiddleware(**options)(request, web)


# -- which answers are redirects


@pytest.mark.parametrize("status", [200, 204, 300, 304, 305, 306, 309, 400, 404, 500])
async def test_other_statuses(status: int) -> None:
    """What is not one of the five redirects is the answer, Location or not, and nobody has looked into its fields."""
    web, stream = await follow(make(), {A: (status, B)})
    assert stream is web.streams[0]
    assert stream.looked == 0
    assert stream.history == ()
    assert len(web.sent) == 1


async def test_nothing_is_touched() -> None:
    """An answer that is no redirect leaves the request as it was, fields not even made."""
    request = make()
    web, _ = await follow(request, {})
    assert web.sent[0] is request
    assert request.fields is request.block


@pytest.mark.parametrize("status", sorted(REDIRECTS))
async def test_without_location(status: int) -> None:
    """A redirect without Location is the answer, and its body is the caller's."""
    web, stream = await follow(make(), {A: status})
    assert stream is web.streams[0]
    assert stream.limits == []
    assert stream.history == ()


@pytest.mark.parametrize("status", sorted(REDIRECTS))
async def test_not_followed(status: int) -> None:
    """Without follow_redirects a redirect is the answer."""
    web, stream = await follow(make(follow_redirects=False), {A: (status, B)})
    assert stream is web.streams[0]
    assert stream.limits == []


async def test_history() -> None:
    """The last answer has those before it as complete responses, each of which has those before it."""
    pages = {A: (301, "/1"), f"{A}1": (302, "2"), f"{A}2": (307, "//b.example/3")}
    web, stream = await follow(make(), pages)
    assert web.asked == [("GET", A), ("GET", f"{A}1"), ("GET", f"{A}2"), ("GET", f"{B}3")]
    assert [(response.url, response.status) for response in stream.history] == [
        (A, 301),
        (f"{A}1", 302),
        (f"{A}2", 307),
    ]
    assert [len(response.history) for response in stream.history] == [0, 1, 2]
    assert [each.limits for each in web.streams] == [[REDIRECT_BODY]] * 3 + [[]]


async def test_requests_are_not_changed() -> None:
    """Each hop is a request of its own; those that were sent stay as they were."""
    first = make("POST", f"{A}#f", {"Authorization": "x", "Content-Type": "y"}, b"body", auth=BasicAuth("a", "b"))
    web, _ = await follow(first, {A: (302, B)})
    assert (first.method, first.url_text, first.fragment) == ("POST", A, "f")
    assert [*first.headers] == ["Authorization", "Content-Type"]
    assert first.payload is not None
    assert first.auth is not None
    assert web.sent[1] is not first
    assert web.sent[1].fragment == "f"


# -- method and body

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY", "post"]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", sorted(REDIRECTS))
def test_methods(method: str, status: int) -> None:
    """301 and 302 make GET of POST, 303 of everything but HEAD, 307 and 308 of nothing."""
    expected = method
    if (status == 303 and method != "HEAD") or (status in {301, 302} and method == "POST"):
        expected = "GET"
    assert next_method(method, status) == expected
    assert next_request(make(method), status, B).method == expected


DESCRIBING = {
    "Content-Type": "text/plain",
    "content-length": "4",
    "Content-Encoding": "gzip",
    "Content-Language": "de",
    "Content-Location": "/x",
    "Content-MD5": "x",
    "Content-Range": "bytes 0-3/4",
    "Content-Digest": "x",
    "Repr-Digest": "x",
    "Digest": "x",
    "Last-Modified": "x",
    "Transfer-Encoding": "chunked",
    "Trailer": "X",
    "Expect": "100-continue",
}


@pytest.mark.parametrize("url", [A, B])
@pytest.mark.parametrize("status", sorted(REDIRECTS))
def test_bodies(status: int, url: str) -> None:
    """A body goes with the next request unless the method has changed or the status is 303; so do its fields."""
    for method in METHODS:
        request = make(method, A, {**DESCRIBING, "Accept": "x"}, b"body")
        following = next_request(request, status, url)
        if status == 303 or following.method != method:
            assert following.payload is None
            assert [*following.headers] == ["Accept"]
        else:
            assert following.payload is request.payload
            assert following.headers == request.headers


def test_body_fields() -> None:
    """The fields that go with the body are those of the test above."""
    assert {name.lower() for name in DESCRIBING} == BODY_FIELDS


@pytest.mark.parametrize(("method", "status"), [("POST", 307), ("POST", 308), ("PUT", 301), ("PUT", 302), ("GET", 302)])
async def test_bodies_that_cannot_be_sent_again(method: str, status: int) -> None:
    """A body that can be sent once is not left out in silence: the error says which redirect wants it again."""
    with pytest.raises(BodyNotReplayable, match=f"^{status} redirects {method} to {B}x "):
        await follow(make(method, content=iter([b"x"])), {A: (status, f"{B}x")})


@pytest.mark.parametrize(("method", "status"), [("POST", 301), ("POST", 302), ("POST", 303), ("PUT", 303)])
async def test_bodies_that_need_not_be_sent_again(method: str, status: int) -> None:
    """A body that can be sent once is no problem where the next request has none."""
    web, _ = await follow(make(method, content=iter([b"x"])), {A: (status, B)})
    assert web.asked == [(method, A), ("GET", B)]
    assert web.sent[1].payload is None


# -- where it leads


@pytest.mark.parametrize(
    ("location", "text", "fragment"),
    [
        ("x", "https://a.example/p/x", "f"),
        ("/x#g", "https://a.example/x", "g"),
        ("?x", "https://a.example/p/q?x", "f"),
        ("//b.example", "https://b.example/", "f"),
        ("/caf\xc3\xa9 au lait", "https://a.example/caf%C3%A9%20au%20lait", "f"),
        ("https://joe:secret@b.example/", "https://b.example/", "f"),
        ("https://s3.example/a%2Fb%2fc?X-Sig=ab%2b%7E+&&x=#", "https://s3.example/a%2Fb%2fc?X-Sig=ab%2b%7E+&&x=", ""),
    ],
)
def test_where_to(location: str, text: str, fragment: str) -> None:
    """Location is a reference; a signed URL is not quoted anew; who is named in it is nobody to us."""
    following = next_request(make(url="https://a.example/p/q?r#f"), 302, location)
    assert (following.url_text, following.fragment) == (text, fragment)
    assert following.auth is None
    assert str(following.url) == text


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("ftp://b.example/x", "ftp://b.example/x"),
        ("file:///etc/passwd", "file:///etc/passwd"),
        ("javascript:alert(1)", "javascript:alert(1)"),
        ("data:text/html,x", "data:text/html,x"),
        ("https://", "https://"),
        ("//[", "//["),
        ("/a\tb", "/a\tb"),
        ("https://good.example\\@evil.example/", "https://...@evil.example/"),
        ("ftp://joe:secret@b.example/", "ftp://...@b.example/"),
        ("https://joe:secret@b.example:x/", "https://...@b.example:x/"),
        ("//joe:secret@:x/", "//...@:x/"),
    ],
)
async def test_other_destinations(location: str, url: str) -> None:
    """What is no URL of http or https is refused, and the error has neither a password nor a half-made request."""
    with pytest.raises(RedirectRefused) as caught:
        await follow(make(), {A: (302, location)})
    assert caught.value.url == url
    assert "secret" not in f"{caught.value} {caught.value!r}"
    assert [response.url for response in caught.value.history] == [A]
    assert caught.value.__cause__ is None


async def test_more_than_one_location() -> None:
    """Two different Locations are one too many; the same one twice is one."""
    web, _ = await follow(make(), {A: (302, B, B)})
    assert web.asked[1] == ("GET", B)
    with pytest.raises(RedirectRefused, match="more than one Location"):
        await follow(make(), {A: (302, "//joe:secret@b.example", B)})


@pytest.mark.parametrize("status", sorted(REDIRECTS))
@pytest.mark.parametrize(
    "location", ["http://a.example/", "http://b.example/", "http://a.example:443/", "HTTP://a.example"]
)
async def test_downgrade(status: int, location: str) -> None:
    """From https to http is refused, on whatever host, unless the caller allows it."""
    with pytest.raises(RedirectRefused, match="from https to http") as caught:
        await follow(make(), {A: (status, location)})
    assert caught.value.url == resolve(location).text
    assert [response.status for response in caught.value.history] == [status]
    web, _ = await follow(make(), {A: (status, location)}, allow_downgrade=True)
    assert web.sent[1].url_text == resolve(location).text


async def test_upgrade() -> None:
    """From http to https is followed."""
    web, stream = await follow(make(url="http://a.example/"), {"http://a.example/": (301, A)})
    assert web.asked == [("GET", "http://a.example/"), ("GET", A)]
    assert stream.status == 200


# -- credentials

SECRETS = [
    "Authorization", "Proxy-Authorization", "Cookie", "Cookie2", "X-Api-Key", "x-api-key", "API-Key", "ApiKey",
    "X-Goog-Api-Key", "X-RapidAPI-Key", "Ocp-Apim-Subscription-Key", "X-Functions-Key", "Fastly-Key",
    "DD-APPLICATION-KEY", "X-Amz-Server-Side-Encryption-Customer-Key",
    "X-Auth-Token", "X-Auth-Key", "X-Auth", "X-Access-Token", "X-Csrf-Token", "X-CSRFToken", "X-XSRF-TOKEN",
    "X-Amz-Security-Token", "Private-Token", "Job-Token", "X-Vault-Token", "X-Shopify-Access-Token", "X-Token",
    "X-Session-Id", "Mcp-Session-Id", "X-Client-Secret", "X-Password", "X-JWT",
    "X-Honeycomb-Team", "X-Ms-Authorization-Auxiliary", "X-Credentials", "Authentication",
    "X-GitHub-OTP", "x-github-otp", "X-OTP-Code", "X-TOTP", "X-Csrf", "X-XSRF", "X-SSO", "X-Ticket", "Ticket", "sid",
    "Sid", "X-Sid", "X-Pass", "X-Db-Pwd", "X-UserPass", "OK-ACCESS-PASSPHRASE", "X-Passcode", "X-Shopify-Hmac-Sha256",
    "X-Signature", "Signature", "X-Saml-Response", "Client-Assertion", "X-Access-Key-Id", "X-AWSAccessKeyId",
    "X-Private-Key",
]  # fmt: skip

HARMLESS = [
    "Accept", "Accept-Encoding", "Accept-Language", "User-Agent", "Range", "If-None-Match", "If-Range", "Cache-Control",
    "Idempotency-Key", "X-Idempotency-Key", "Origin", "Referer", "X-Request-Id", "traceparent", "tracestate", "baggage",
    "DNT", "Sec-Fetch-Mode", "Sec-WebSocket-Key", "X-Author", "Prefer", "Via", "X-Forwarded-For", "Content-Type", "TE",
    "X-Keyboard", "Keep-Alive", "Priority", "X-Amz-Date", "Upgrade-Insecure-Requests",
    "X-Pass-Through", "X-Passenger-Id", "X-Bypass-Cache", "X-Side", "X-Inside", "X-President", "X-Ticket-Type",
    "X-Opt-In", "X-Hotpink", "X-Lesson", "X-Design", "X-Code", "X-Country-Code", "Surrogate-Key", "X-Cache-Key",
    "Content-Disposition",
]  # fmt: skip

ELSEWHERE = [
    "https://b.example/",
    "https://a.example:8443/",
    "https://sub.a.example/",
    "https://example/",
    "http://a.example/",
]


@pytest.mark.parametrize("location", ELSEWHERE)
def test_fields_that_are_secrets(location: str) -> None:
    """Fields with a name that credentials have go to no other origin, and others do."""
    for name in (*SECRETS, *HARMLESS):
        request = make(headers={name: "x"})
        assert name in next_request(request, 307, "/x").headers
        following = next_request(request, 307, location, allow_downgrade=True)
        dropped = name in SECRETS or (name == "Referer" and location.startswith("http:"))
        assert (name in following.headers) is not dropped
        assert is_secret(name) is (name in SECRETS)


@pytest.mark.parametrize("status", sorted(REDIRECTS))
@pytest.mark.parametrize("location", ELSEWHERE)
def test_another_origin(status: int, location: str) -> None:
    """To another origin go neither auth nor cookies of the request, nor Host, nor what the caller calls sensitive."""
    fields = [("Host", "internal"), ("X-Tenant", "1"), ("x-tenant", "2"), ("Accept", "3")]
    settings = {"auth": BasicAuth("a", "b"), "cookies": {"c": "d"}, "sensitive": frozenset({"x-tenant"}), "max_body": 5}
    request = make("GET", A, fields, **settings)
    following = next_request(request, status, location, allow_downgrade=True)
    assert following.auth is None
    assert following.cookies is None
    assert [*following.headers.items()] == [("Accept", "3")]
    assert following.max_body == 5
    assert request.auth is not None
    assert len(request.headers) == 4


def test_the_same_origin() -> None:
    """To the same origin, in whatever spelling, go all of them."""
    fields = [("Host", "internal"), ("X-Tenant", "1"), ("Authorization", "2"), ("Cookie", "3"), ("Referer", A)]
    settings = {"auth": BasicAuth("a", "b"), "cookies": {"c": "d"}, "sensitive": frozenset({"x-tenant"})}
    request = make("GET", A, fields, **settings)
    following = next_request(request, 302, "https://A.Example:443/x")
    assert [*following.headers.items()] == fields
    assert following.settings is request.settings


def test_fields_of_all_requests_of_a_client() -> None:
    """What a client adds to each of its requests is dropped as well."""
    request = Request("GET", A, block=FieldBlock([("X-Api-Key", "secret"), ("Accept", "x")]))
    assert [*next_request(request, 302, B).headers] == ["Accept"]
    assert [*next_request(request, 302, "/x").headers] == ["X-Api-Key", "Accept"]


def test_user_information_to_the_same_origin() -> None:
    """User information in Location does not take the place of the auth that was there."""
    auth = BasicAuth("a", "b")
    following = next_request(make(auth=auth), 302, "https://joe:secret@a.example/x")
    assert following.auth is auth
    assert following.url_text == f"{A}x"


async def test_there_and_back() -> None:
    """What was left behind at the border of an origin does not come back with a redirect to it."""
    fields = {"Authorization": "1", "Cookie": "2", "X-Api-Key": "3", "X-Tenant": "4", "Host": "internal", "Accept": "5"}
    settings = {"auth": BasicAuth("a", "b"), "cookies": {"c": "d"}, "sensitive": frozenset({"x-tenant"})}
    web, _ = await follow(make("GET", A, fields, **settings), {A: [(302, B), 200], B: (302, A)})
    assert web.asked == [("GET", A), ("GET", B), ("GET", A)]
    for request in web.sent[1:]:
        assert [*request.headers] == ["Accept"]
        assert request.auth is None
        assert request.cookies is None


@pytest.mark.parametrize("retries", [None, RetryPolicy()])
async def test_there_and_back_with_the_others(retries: RetryPolicy | None) -> None:
    """With the other middlewares in their order, each origin gets its own cookies, and only the first hops our auth."""
    jar = CookieJar({"unbound": "1"})
    jar.learn(A, ["of_a=2"])
    jar.learn(B, ["of_b=3"])
    web = Web({A: [(302, f"{A}x"), 200], f"{A}x": (307, B), B: (302, A)})
    handler: Handler = web
    for middleware in (CookiesMiddleware(jar), AuthMiddleware(), RetriesMiddleware(), RedirectsMiddleware()):
        handler = _around(middleware, handler)
    await handler(make("GET", A, auth=BasicAuth("a", "b"), cookies={"own": "4"}, retries=retries))
    assert [request.url_text for request in web.sent] == [A, f"{A}x", B, A]
    cookies = [set(request.headers.get("Cookie", "").split("; ")) for request in web.sent]
    assert cookies == [{"unbound=1", "of_a=2", "own=4"}, {"unbound=1", "of_a=2", "own=4"}, {"of_b=3"}, {"of_a=2"}]
    assert ["Authorization" in request.headers for request in web.sent] == [True, True, False, False]


def _around(middleware: Any, handler: Handler) -> Handler:
    return lambda request: middleware(request, handler)


def test_referer() -> None:
    """A Referer that the caller gave goes on, but not from https to http; there is none otherwise."""
    request = make(headers={"Referer": "https://a.example/secret"})
    assert "Referer" in next_request(request, 302, B).headers
    assert "Referer" not in next_request(request, 302, "http://b.example/", allow_downgrade=True).headers
    assert "Referer" in next_request(make(url="http://a.example/", headers={"Referer": "x"}), 302, "/y").headers
    assert "Referer" not in next_request(make(), 302, B).headers


@checked
@given(
    st.lists(st.sampled_from([A, B, f"{A}x", "http://a.example/", "https://a.example:8443/"]), min_size=1, max_size=6),
    st.lists(st.sampled_from(sorted(REDIRECTS)), min_size=6, max_size=6),
)
def test_no_chain_leaks(places: list[str], statuses: list[int]) -> None:
    """Whatever the chain, credentials are sent as long as it has not left the first origin, and not after that."""
    request = make("POST", A, {"X-Api-Key": "x", "Cookie": "y", "Accept": "z"}, b"x", auth=BasicAuth("a", "b"))
    at_home = True
    for place, status in zip(places, statuses, strict=False):
        request = next_request(request, status, place, allow_downgrade=True)
        at_home = at_home and same_origin(place, A)
        assert (
            ("X-Api-Key" in request.headers) is ("Cookie" in request.headers) is (request.auth is not None) is at_home
        )
        assert "Accept" in request.headers


# -- when it ends


@pytest.mark.parametrize("limit", [0, 1, 5, 20])
async def test_limit(limit: int) -> None:
    """As many redirects are followed as the limit says, and one more is an error that has all answers."""
    pages = {f"{A}{number}": (302, f"/{number + 1}") for number in range(limit)}
    web, stream = await follow(make(url=f"{A}0", max_redirects=limit), pages)
    assert stream.status == 200
    assert len(web.sent) == limit + 1
    pages[f"{A}{limit}"] = (302, "/end")
    with pytest.raises(TooManyRedirects, match=f"more than {limit} redirects") as caught:
        await follow(make(url=f"{A}0", max_redirects=limit), pages)
    error = caught.value
    assert (error.limit, error.url) == (limit, f"{A}end")
    assert [response.url for response in error.history] == [f"{A}{number}" for number in range(limit + 1)]
    assert pickle.loads(pickle.dumps(error)).history == tuple(response.url for response in error.history)


@pytest.mark.parametrize(
    ("pages", "asked"),
    [
        ({A: (302, "")}, 1),
        ({A: (302, "#x")}, 1),
        ({A: (302, f"{A}1"), f"{A}1": (302, A)}, 2),
        ({A: (302, f"{A}1"), f"{A}1": (302, f"{A}2"), f"{A}2": (302, f"{A}1")}, 3),
        ({A: (302, B), B: (302, A)}, 3),  # the second request to A has no credentials, so it is another one
    ],
)
async def test_circles(pages: dict[str, Any], asked: int) -> None:
    """A request that was sent before, with nothing changed since, is not sent again."""
    web = Web(pages)
    with pytest.raises(TooManyRedirects, match="circle") as caught:
        await RedirectsMiddleware()(make(), web)
    assert len(web.sent) == asked
    assert len(caught.value.history) == asked
    assert len(set(web.asked)) >= asked - 1


@pytest.mark.parametrize(
    ("request_", "pages", "asked"),
    [
        (make("POST", content=b"x"), {A: [(302, A), 200]}, [("POST", A), ("GET", A)]),
        (make("GET", content=b"x"), {A: [(303, A), 200]}, [("GET", A), ("GET", A)]),
        (make(), {A: [(302, A, ("Set-Cookie", "a=b")), 200]}, [("GET", A), ("GET", A)]),
        (
            make(),
            {A: [(302, f"{A}login"), 200], f"{A}login": (302, A, ("Set-Cookie", "a=b"))},
            [("GET", A), ("GET", f"{A}login"), ("GET", A)],
        ),
        (make(), {A: [(302, B), 200], B: (302, A)}, [("GET", A), ("GET", B), ("GET", A)]),
        (make(url="http://a.example/"), {"http://a.example/": (301, A)}, [("GET", "http://a.example/"), ("GET", A)]),
    ],
)
async def test_no_circles(request_: Request, pages: dict[str, Any], asked: list[tuple[str, str]]) -> None:
    """The same URL again is no circle where method, body, cookies or credentials are others."""
    web, stream = await follow(request_, pages)
    assert stream.status == 200
    assert web.asked == asked


async def test_circles_with_cookies() -> None:
    """Where each answer sets a cookie, only the limit ends it."""
    web = Web({A: (302, A, ("Set-Cookie", "a=b"))})
    with pytest.raises(TooManyRedirects, match="more than 7"):
        await RedirectsMiddleware()(make(max_redirects=7), web)
    assert len(web.sent) == 8


# -- what fails on the way


@pytest.mark.parametrize("fails", ["send", "read"])
async def test_other_errors_pass(fails: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails while an answer is read, or the next request is sent, passes as it is."""

    async def broken(*_: Any) -> Any:
        raise ConnectionResetError(fails)

    web = Web({A: (302, B)})

    async def handler(request: Request) -> Any:
        return await (broken() if fails == "send" and web.sent else web(request))

    if fails == "read":
        monkeypatch.setattr(FakeStream, "shortened", broken)
    with pytest.raises(ConnectionResetError, match=fails):
        await RedirectsMiddleware()(make(), handler)
    assert len(web.sent) == 1


@pytest.mark.parametrize(
    "answer",
    [(302, "ftp://x"), (302, "http://a.example/"), (307, B), (302, A), (302, B, A)],
)
async def test_answers_are_finished_before_errors(answer: tuple[Any, ...]) -> None:
    """Whatever is raised about a redirect, its body was dealt with before, and its connection is nobody's any more."""
    web = Web({A: answer})
    with pytest.raises((RedirectRefused, TooManyRedirects, BodyNotReplayable)):
        await RedirectsMiddleware()(make("PUT", content=iter([b"x"])), web)
    assert [stream.limits for stream in web.streams] == [[REDIRECT_BODY]]


def test_the_bound_of_bodies() -> None:
    """All bodies in a history together have a bound that fits into memory."""
    assert _redirects.REDIRECT_BODY * Settings().max_redirects <= 2 * 1024 * 1024
