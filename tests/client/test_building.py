"""``client/_building.py``: what a caller says, made into a request; what is sent of it is in ``test_sending.py``."""

from __future__ import annotations

import asyncio
import io
from typing import TYPE_CHECKING, Any

import pytest
from multidict import CIMultiDict
from yarl import URL

from aiohttpclient import Headers, RetryPolicy, Timeout, TimeoutManager, __version__
from aiohttpclient.client._auth import BasicAuth, BearerAuth
from aiohttpclient.client._building import KNOWN, REPEATED, REPEATED_LENGTH, USER_AGENT, Builder, clock_for, merged
from aiohttpclient.client._codings import accept_encoding
from aiohttpclient.client._options import RequestOptions
from aiohttpclient.client._request import Settings
from aiohttpclient.connection import Origin, prepare
from aiohttpclient.errors import InvalidURL
from tests.support.ids import stable

if TYPE_CHECKING:
    from aiohttpclient.client._request import Request

USUAL = [("User-Agent", USER_AGENT), ("Accept", "*/*"), ("Accept-Encoding", accept_encoding())]
URL_TEXT = "http://a.example/x"


def tell(kind: Any, request: Any, detail: str = "", timings: Any = None, head: Any = None) -> None:
    """Tell nobody."""


def builder(
    base: str | None = None,
    *,
    params: Any = None,
    headers: Any = None,
    timeout: Timeout = Timeout(),  # noqa: B008  # an immutable value
    json_dumps: Any = None,
    **settings: Any,
) -> Builder:
    return Builder(base, params, headers, timeout, Settings(**settings), json_dumps, tell)


def build(url: Any = URL_TEXT, *, by: Builder | None = None, method: str = "GET", **options: Any) -> Request:
    return (by or builder()).build(method, url, options, False)  # type: ignore[arg-type]  # whatever a caller gives


def sent(request: Request, body: Any = None) -> list[tuple[str, str]]:
    """The fields that a connection to the origin would send, in lower case and in order, but for Host."""
    head, _, _ = prepare(Origin("http", "a.example", 80, 80), request.method, "/", body, request.fields)
    lines = head.decode("latin-1").split("\r\n")[1:-2]
    pairs = [line.split(": ", 1) for line in lines]
    return [(name.lower(), value) for name, value in pairs if name != "Host"]


# -- what all requests have


def test_usual_fields() -> None:
    """A request says what sends it, and what may come back, and nothing about who asks."""
    assert f"aiohttpclient/{__version__}" == USER_AGENT
    assert list(build().headers.items()) == USUAL


def test_nothing_said_is_shared() -> None:
    """Requests that say nothing of their own share fields and settings with all others, and make neither."""
    one, other = build(by=(by := builder())), build(by=by)
    assert one.fields is other.fields
    assert one.settings is other.settings
    assert one.only_block


@pytest.mark.parametrize("talks", [True, False])
def test_telling(talks: bool) -> None:
    """A request tells what becomes of it where somebody listens."""
    request = builder().build("GET", URL_TEXT, {}, talks)
    assert request.settings.tell is (tell if talks else None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, USUAL),
        (None, USUAL),
        ({"X-A": "1"}, [*USUAL, ("X-A", "1")]),
        ({"user-agent": "mine"}, [*USUAL[1:], ("user-agent", "mine")]),
        ({"USER-AGENT": None}, USUAL[1:]),
        ({"No-Such": None}, USUAL),
        ({"User-Agent": None, "Accept": None, "Accept-Encoding": None}, []),
        ([(b"X-A", b"caf\xe9"), ("X-N", 5)], [*USUAL, ("X-A", "caf\xe9"), ("X-N", "5")]),
        ([("X-A", "1"), ("x-a", "2")], [*USUAL, ("X-A", "1"), ("x-a", "2")]),
        ([("Accept", "a/b"), ("accept", "c/d")], [USUAL[0], USUAL[2], ("Accept", "a/b"), ("accept", "c/d")]),
        (CIMultiDict([("X-A", "1"), ("X-A", "2")]), [*USUAL, ("X-A", "1"), ("X-A", "2")]),
        ({"Host": "b.example"}, [*USUAL, ("Host", "b.example")]),
        (iter([("X-A", "1")]), [*USUAL, ("X-A", "1")]),
    ],
    ids=stable,
)
def test_fields_of_the_client(given: Any, expected: list[tuple[str, str]]) -> None:
    """Fields of the client stand in for the usual ones with the same names, and None takes one away."""
    by = builder(headers=given)
    assert list(by.headers.items()) == expected
    assert [list(build(by=by).headers.items()) for _ in range(2)] == [expected, expected]


@pytest.mark.parametrize(
    "given",
    [
        {"Content-Length": "5"},
        {"transfer-encoding": "chunked"},
        {"X\r\nY": "1"},
        {"X": "1\r\nY: 2"},
        {"X": "\u20ac"},
        {"": "1"},
        {"X Y": "1"},
        [("Host", "a"), ("host", "b")],
    ],
    ids=stable,
)
def test_fields_that_no_client_can_have(given: Any) -> None:
    """What cannot be sent, or frames one body only, is refused when the client is made."""
    with pytest.raises(ValueError, match=r"."):
        builder(headers=given)


@pytest.mark.parametrize("given", [{"X": 1.5}, {"X": ["a"]}, [("X", object())], {"X": memoryview(b"a")}], ids=stable)
def test_fields_of_no_type(given: Any) -> None:
    """A field that is made of anything but str, bytes and int is refused, by name of its type."""
    with pytest.raises(TypeError, match=r"is made of str, bytes and int, got (float|list|object|mem)"):
        builder(headers=given)


def test_fields_changed_later() -> None:
    """What is changed in the client's fields holds from the next request on, and not for those that are made."""
    by = builder(headers={"X-A": "1"})
    before = build(by=by)
    by.headers["X-A"] = "2"
    by.headers.add("X-B", "3")
    del by.headers["user-agent"]
    after = build(by=by)
    assert dict(after.headers) == {"Accept": "*/*", "Accept-Encoding": accept_encoding(), "X-A": "2", "X-B": "3"}
    assert list(before.headers.items()) == [*USUAL, ("X-A", "1")]
    assert build(by=by).block is after.block
    by.headers.clear()
    assert sent(build(by=by)) == [("accept-encoding", "identity")]


def test_fields_changed_to_what_cannot_be_sent() -> None:
    """As long as the client's fields cannot be sent, each request is refused; then they are as they should be."""
    by = builder()
    by.headers["X-A"] = "1\r\nX-B: 2"
    for _ in range(2):
        with pytest.raises(ValueError, match="Invalid header value"):
            build(by=by)
    by.headers["X-A"] = "1"
    assert build(by=by).headers["X-A"] == "1"


def test_fields_of_a_request_do_not_stay() -> None:
    """What one request has of its own the next does not have."""
    by = builder(headers={"X-A": "1"})
    build(by=by, headers={"X-A": "2", "X-B": "3", "User-Agent": None})
    first = build(by=by, headers={"X-B": "3"})
    first.headers["X-C"] = "4"
    assert list(build(by=by).headers.items()) == [*USUAL, ("X-A", "1")]


# -- fields of one request

OTHERS = [(name.lower(), value) for name, value in USUAL]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"X-B": "2"}, [*OTHERS, ("x-a", "1"), ("x-b", "2")]),
        ([("X-B", "2"), ("x-b", b"3"), (b"X-B", 4)], [*OTHERS, ("x-a", "1"), ("x-b", "2"), ("x-b", "3"), ("x-b", "4")]),
        ({"x-A": "2"}, [*OTHERS, ("x-a", "2")]),
        ({b"X-A": "2"}, [*OTHERS, ("x-a", "2")]),
        ({"x-A": None}, OTHERS),
        ({"X-C": None}, [*OTHERS, ("x-a", "1")]),
        ([("X-A", None), ("X-B", "2")], [*OTHERS, ("x-b", "2")]),
        ([("X-A", "2"), ("X-A", None)], [*OTHERS, ("x-a", "2")]),
        ({"User-Agent": "mine"}, [*OTHERS[1:], ("x-a", "1"), ("user-agent", "mine")]),
        ({"User-Agent": None}, [*OTHERS[1:], ("x-a", "1")]),
        ({"ACCEPT-ENCODING": "br"}, [*OTHERS[:2], ("x-a", "1"), ("accept-encoding", "br")]),
        ({"Connection": "close"}, [*OTHERS, ("x-a", "1"), ("connection", "close")]),
        ({"Content-Length": 0}, [*OTHERS, ("x-a", "1"), ("content-length", "0")]),
        ({"Expect": "100-continue"}, [*OTHERS, ("x-a", "1"), ("expect", "100-continue")]),
        (Headers([("X-B", "2"), ("X-B", "3")]), [*OTHERS, ("x-a", "1"), ("x-b", "2"), ("x-b", "3")]),
        (iter([("X-B", "2")]), [*OTHERS, ("x-a", "1"), ("x-b", "2")]),
        ({}, [*OTHERS, ("x-a", "1")]),
        (None, [*OTHERS, ("x-a", "1")]),
    ],
    ids=stable,
)
def test_fields_of_a_request(given: Any, expected: list[tuple[str, str]]) -> None:
    """Fields of a request stand in for those of the client with the same names, whatever their case; None removes."""
    assert sent(build(by=builder(headers={"X-A": "1"}), headers=given)) == expected


@pytest.mark.parametrize("given", [{"Host": "b.example"}, {"host": "b.example"}, [(b"HOST", b"b.example")]], ids=str)
def test_host_of_a_request(given: Any) -> None:
    """A Host of the caller's own is the only one that is sent."""
    request = build(headers=given)
    head, _, _ = prepare(Origin("http", "a.example", 80, 80), "GET", "/", None, request.fields)
    assert head.lower().count(b"host:") == 1
    assert b": b.example\r\n" in head


def test_added_fields_cost_no_headers() -> None:
    """Fields besides the client's leave its block as it is, and make no map."""
    by = builder()
    request = build(by=by, headers={"X-B": "2"})
    assert request.only_block
    assert request.block.base is build(by=by).block


@pytest.mark.parametrize("given", [{"X": "1\r\nY: 2"}, {"X\n": "1"}, {"User-Agent": "\0"}, {"X": "\u20ac"}], ids=str)
def test_fields_that_cannot_be_sent(given: Any) -> None:
    """A field that cannot be sent is refused before anything is, however it goes with those of the client."""
    with pytest.raises(ValueError, match=r"."):
        sent(build(headers=given))


@pytest.mark.parametrize("given", [{"X": 1.5}, {"User-Agent": 1.5}, {5: "a"}, {"X": None, "Y": []}, 5, "X: 1"], ids=str)
def test_fields_of_a_request_of_no_type(given: Any) -> None:
    """Neither a field nor fields of another type are taken for something."""
    with pytest.raises((TypeError, ValueError), match=r"."):
        sent(build(headers=given))


@pytest.mark.parametrize(
    "given",
    [{"Range": "bytes=0-1"}, {"RANGE": "bytes=0-1"}, [(b"Range", b"bytes=0-1")], {"Range": "bytes=0-1", "X-A": None}],
    ids=str,
)
def test_range_is_of_the_representation_itself(given: Any) -> None:
    """Who asks for a range gets it uncoded: a part of a coded representation cannot be decoded."""
    assert build(headers=given).headers.getall("Accept-Encoding") == ["identity"]


def test_range_in_a_coding_that_the_caller_wants() -> None:
    """A caller that asks for a coding of a range gets what it asks for."""
    request = build(headers={"Range": "bytes=0-1", "accept-encoding": "gzip"})
    assert request.headers.getall("Accept-Encoding") == ["gzip"]


def test_no_range() -> None:
    """A range that is taken away says nothing about codings."""
    assert build(headers={"Range": None}).headers["Accept-Encoding"] == accept_encoding()


def test_merged() -> None:
    """Fields are merged by name: all of that name go, and those that are given come, in their order."""
    headers = Headers([("A", "1"), ("B", "2"), ("a", "3")])
    assert merged(headers, [("a", "4"), ("C", "5"), (b"A", 6)]) is headers
    assert list(headers.items()) == [("B", "2"), ("a", "4"), ("C", "5"), ("A", "6")]
    assert list(merged(headers, None).items()) == [("B", "2"), ("a", "4"), ("C", "5"), ("A", "6")]


@pytest.mark.parametrize(
    ("given", "method"), [("get", "GET"), ("Post", "POST"), ("M-search", "M-SEARCH"), ("X1", "X1")]
)
def test_method(given: str, method: str) -> None:
    """A method is sent in upper case, as its name is registered."""
    assert build(method=given).method == method


@pytest.mark.parametrize("method", [None, 5, b"GET"])
def test_method_of_no_type(method: Any) -> None:
    """What is no text is no method."""
    with pytest.raises(TypeError, match="method"):
        sent(build(method=method))


# -- where to


@pytest.mark.parametrize(
    ("base", "url", "expected"),
    [
        (None, "http://a.example", "http://a.example/"),
        (None, URL("http://a.example/%7Ex?y=%2B", encoded=True), "http://a.example/%7Ex?y=%2B"),
        ("http://a.example/v1", "users", "http://a.example/v1/users"),
        ("http://a.example/v1/", "/users", "http://a.example/v1/users"),
        ("http://a.example/v1", "", "http://a.example/v1"),
        ("http://a.example/v1", "?page=2", "http://a.example/v1?page=2"),
        ("http://a.example/v1", "https://b.example/x", "https://b.example/x"),
    ],
)
def test_base_url(base: str | None, url: Any, expected: str) -> None:
    """Relative URLs are below the base; absolute ones go where they say."""
    assert build(url, by=builder(base)).url_text == expected


@pytest.mark.parametrize("base", ["", "/v1", "a.example", "ftp://a.example/", "http://a.example/?q=1", "http://a b/"])
def test_base_url_that_cannot_be_used(base: str) -> None:
    """What is wrong with the base is said when the client is made, and not with each request."""
    with pytest.raises(InvalidURL):
        builder(base)


@pytest.mark.parametrize("url", ["", "/x", "a.example/x", "ftp://a.example/", "http:///x", "http://a.example/\n"])
def test_url_that_cannot_be_used(url: str) -> None:
    """What is no absolute URL of HTTP is refused where there is no base."""
    with pytest.raises(InvalidURL):
        build(url)


@pytest.mark.parametrize(
    ("url", "of_client", "of_request", "query"),
    [
        ("/x", None, None, ""),
        ("/x", {"key": "k"}, None, "?key=k"),
        ("/x", None, {"q": ["a b", 2], "n": None}, "?q=a+b&q=2"),
        ("/x?y=1", {"key": "k"}, {"q": "a"}, "?y=1&key=k&q=a"),
        ("/x?y=1#here", {"key": "k"}, "q=%7E", "?y=1&key=k&q=%7E"),
        ("/x?", "?a=1", [("a", True), ("a", 1.5)], "?a=1&a=true&a=1.5"),
        ("/x", {}, [], ""),
        ("/x", {"key": None}, "", ""),
    ],
)
def test_params(url: str, of_client: Any, of_request: Any, query: str) -> None:
    """Parameters of the client stand behind those of the URL, and those of the request behind these."""
    by = builder("http://a.example", params=of_client)
    requests = [build(url, by=by, params=of_request) for _ in range(2)]
    assert [request.url_text for request in requests] == [f"http://a.example/x{query}"] * 2
    assert {request.fragment for request in requests} == ({"here"} if "#" in url else {""})


def test_params_given_once() -> None:
    """Parameters of the client are those of all requests, even if they can be gone through only once."""
    by = builder(params=(pair for pair in [("key", "k")]))
    assert [build(by=by).url_text for _ in range(2)] == [f"{URL_TEXT}?key=k"] * 2


@pytest.mark.parametrize("params", [5, [1, 2], {"a": object()}])
def test_params_of_no_type(params: Any) -> None:
    """What has no form as a query is refused."""
    with pytest.raises(TypeError, match=r"params|names and values"):
        build(params=params)


def test_fragment() -> None:
    """The fragment is kept beside the URL, and is no part of what is asked for."""
    request = build("http://a.example/x#a b")
    assert (request.url_text, request.fragment) == (URL_TEXT, "a%20b")
    assert str(request.whole_url) == f"{URL_TEXT}#a%20b"


async def authorization(request: Request) -> str | None:
    """What ``request.auth`` says."""
    if request.auth is not None:
        await request.auth.authorize(request)
    return request.headers.get("Authorization")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://Aladdin:open%20sesame@a.example/x", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("http://user@a.example/x", "Basic dXNlcjo="),
        ("http://:pass@a.example/x", "Basic OnBhc3M="),
        ("http://@a.example/x", None),
        ("http://a.example/x", None),
    ],
)
async def test_user_information(url: str, expected: str | None) -> None:
    """User and password of a URL become Basic, and leave the URL."""
    request = build(url)
    assert request.url_text == URL_TEXT
    assert await authorization(request) == expected


@pytest.mark.parametrize(
    ("base", "url", "of_client", "options", "expected"),
    [
        (None, "http://u:p@a.example/", BearerAuth("t"), {}, "Basic dTpw"),
        (None, "http://a.example/", BearerAuth("t"), {}, "Bearer t"),
        (None, "http://u:p@a.example/", BearerAuth("t"), {"auth": ("a", "b")}, "Basic YTpi"),
        (None, "http://u:p@a.example/", BearerAuth("t"), {"auth": None}, None),
        (None, "http://a.example/", BearerAuth("t"), {"auth": None}, None),
        (None, "http://a.example/", None, {"auth": BasicAuth("a", "b")}, "Basic YTpi"),
        ("http://u:p@a.example/", "x", BearerAuth("t"), {}, "Basic dTpw"),
        ("http://u:p@a.example/", "http://b.example/x", None, {}, None),
        ("http://u:p@a.example/", "http://b.example/x", BearerAuth("t"), {}, "Bearer t"),
    ],
)
async def test_who_we_are(base: Any, url: str, of_client: Any, options: Any, expected: str | None) -> None:
    """What the request says goes before what the URL says, and that before what the client says."""
    assert await authorization(build(url, by=builder(base, auth=of_client), **options)) == expected


# -- settings


@pytest.mark.parametrize(
    ("name", "of_client", "of_request"),
    [
        ("follow_redirects", True, False),
        ("max_redirects", 20, 0),
        ("max_body", 1000, None),
        ("max_body", None, 0),
        ("retries", RetryPolicy(), None),
        ("cookies", None, {"a": "b"}),
        ("auth", BasicAuth("a", "b"), None),
    ],
)
def test_settings_of_a_request(name: str, of_client: Any, of_request: Any) -> None:
    """A setting of the request is its own, whatever the client has; the next request has the client's again."""
    by = builder(**{name: of_client})
    assert getattr(build(by=by, **{name: of_request}), name) is of_request
    assert getattr(build(by=by), name) is of_client


def test_sensitive() -> None:
    """Names of sensitive fields are added to those of the client, in lower case."""
    by = builder(sensitive=frozenset({"x-a"}))
    assert build(by=by, sensitive=["X-B", "x-c"]).sensitive == {"x-a", "x-b", "x-c"}
    assert build(by=by).sensitive == {"x-a"}


def test_sensitive_is_not_one_text() -> None:
    """One name instead of several is not taken for its letters, by which the field would leave its origin."""
    try:
        assert build(sensitive="X-Key").sensitive == {"x-key"}
    except TypeError as error:
        assert "sensitive" in str(error)  # noqa: PT017  # either is right


def test_extensions() -> None:
    """Notes for middlewares are the request's own."""
    given = {"note": 1}
    request = build(extensions=given)
    request.extensions["more"] = 2
    assert (request.extensions, given) == ({"note": 1, "more": 2}, {"note": 1})
    assert build(extensions=None).extensions == {}


@pytest.mark.parametrize("given", [{"verify": False}, {"allow_redirects": True}, {"Timeout": 5}], ids=str)
def test_unknown_options(given: Any) -> None:
    """An option that does not exist is refused, by its name, beside the names that there are."""
    (name,) = given
    with pytest.raises(TypeError, match=rf"a request has no option '{name}'; it has auth, content, .*, timeout"):
        build(**given)


def test_known_options() -> None:
    """The options that are taken are those that are documented and typed."""
    assert set(RequestOptions.__annotations__) == KNOWN


# -- what is remembered


def made(by: Builder, url: Any = URL_TEXT, method: str = "GET", talks: bool = False) -> Request:
    """What ``AsyncHTTPClient.request`` sends."""
    request = by.repeated(method, url)
    if request is None:
        request = by.build(method, url, {}, talks)
        by.remember(method, url, request)
    return request


def said(request: Request) -> tuple[Any, ...]:
    """All that a request is."""
    return request.method, request.url_text, request.fragment, sent(request), request.settings, request.payload


@pytest.mark.parametrize("url", [URL_TEXT, "http://a.example/x#y", "http://a.example/b c", "http://a.example"])
def test_remembered(url: str) -> None:
    """A request that comes again is the same as the first; from the third on one object is, which nobody may change."""
    by = builder()
    requests = [made(by, url) for _ in range(4)]
    assert requests[3] is requests[2]
    assert {repr(said(request)) for request in requests} == {repr(said(build(url, by=by)))}
    others = [request.unshared() for request in requests[2:]]
    assert len({id(request) for request in (*requests[2:], *others)}) == 3
    others[0].headers["X"] = "1"
    assert ("x", "1") not in sent(others[1]) + sent(made(by, url))


def test_methods_are_remembered_apart() -> None:
    """The same URL with another method is another request."""
    by = builder()
    for _ in range(4):
        for method in ("GET", "HEAD", "get", "POST"):
            assert made(by, method=method).method == method.upper()


@pytest.mark.parametrize(
    ("by", "url", "talks"),
    [
        (builder(), URL_TEXT, True),
        (builder(timeout=Timeout(total=5)), URL_TEXT, False),
        (builder(), "http://u:p@a.example/", False),
        (builder(), "http://a.example/" + "x" * REPEATED_LENGTH, False),
        (builder(), URL(URL_TEXT), False),
    ],
    ids=["listened to", "total", "user", "long", "object"],
)
async def test_not_remembered(by: Builder, url: Any, talks: bool) -> None:
    """What has something of its own, or is rarely asked for twice, is made anew each time."""
    assert len({id(one) for one in [made(by, url, talks=talks) for _ in range(4)]}) == 4


def test_remembered_until_fields_change() -> None:
    """When the fields of the client change, what was remembered is not sent any more."""
    by = builder()
    for number in range(3):
        by.headers["X"] = str(number)
        for _ in range(4):
            assert ("x", str(number)) in sent(made(by))


def test_remembered_few() -> None:
    """No more are remembered than ``REPEATED``."""
    by = builder()
    for number in range(REPEATED + 20):
        for _ in range(2):
            made(by, f"{URL_TEXT}{number}")
        assert len(by._repeated) <= REPEATED
    assert len(by._repeated) > 0


# -- time


async def test_no_total_no_clock() -> None:
    """Without a total no clock is made: the bounds of the client are its pool's as well."""
    assert build(by=builder(timeout=Timeout(5))).timeout is None


async def test_total_of_the_client() -> None:
    """A total becomes one clock when the request is made, for all that is done on its behalf."""
    timeout = Timeout(total=7)
    by = builder(timeout=timeout)
    before = asyncio.get_running_loop().time()
    request, other = build(by=by), build(by=by)
    clock = request.timeout
    assert isinstance(clock, TimeoutManager)
    assert clock.timeout is timeout
    assert clock.deadline is not None
    assert before + 7 <= clock.deadline <= asyncio.get_running_loop().time() + 7
    assert request.copy().timeout is clock
    assert other.timeout is not clock


@pytest.mark.parametrize(
    ("given", "read", "total"),
    [(5, 5.0, None), (2.5, 2.5, None), (Timeout(read=3), 3.0, None), (Timeout(3, total=4), 3.0, 4.0)],
    ids=str,
)
async def test_timeout_of_a_request(given: Any, read: float, total: float | None) -> None:
    """The bounds of a request stand in for all of the client's; a total among them is a clock that runs."""
    timeout = build(by=builder(timeout=Timeout(9, total=10)), timeout=given).timeout
    if total is None:
        assert isinstance(timeout, Timeout)
        assert (timeout.read, timeout.total) == (read, None)
    else:
        assert isinstance(timeout, TimeoutManager)
        assert timeout.left is not None
        assert timeout.timeout.read == read
        assert 0 < timeout.left <= total


async def test_clock_of_the_callers_own() -> None:
    """A clock that runs already goes on running: several requests may share it."""
    clock = TimeoutManager(Timeout(total=5))
    assert build(timeout=clock).timeout is clock
    assert clock_for(clock) is clock


async def test_timeout_none() -> None:
    """None is what the client has, its total included, which holds for the whole request."""
    by = builder(timeout=Timeout(total=7))
    assert isinstance(build(by=by, timeout=None).timeout, TimeoutManager)
    assert build(by=builder(), timeout=None).timeout is None


@pytest.mark.parametrize("given", [0, -1, float("nan"), "5", True])
def test_timeouts_that_are_none(given: Any) -> None:
    """What is no time is refused when the request is made."""
    with pytest.raises((TypeError, ValueError), match="timeout must be"):
        build(timeout=given)


# -- bodies


def opened(request: Request) -> Any:
    assert request.payload is not None
    return request.payload.open()


@pytest.mark.parametrize(
    ("options", "content_type", "body"),
    [
        ({"content": b"abc"}, None, b"abc"),
        ({"content": "caf\xe9"}, "text/plain; charset=utf-8", b"caf\xc3\xa9"),
        ({"content": b""}, None, b""),
        ({"json": {"a": [1, None]}}, "application/json", b'{"a":[1,null]}'),
        ({"json": False}, "application/json", b"false"),
        ({"json": []}, "application/json", b"[]"),
        ({"data": {"a": "b c"}}, "application/x-www-form-urlencoded", b"a=b+c"),
        ({"content": b"abc", "json": None, "data": None, "files": None}, None, b"abc"),
    ],
    ids=str,
)
def test_bodies(options: dict[str, Any], content_type: str | None, body: bytes) -> None:
    """Each kind of body implies its type; what says None says nothing."""
    request = build(method="POST", **options)
    assert request.payload is not None
    assert (request.payload.content_type, request.payload.open()) == (content_type, body)


@pytest.mark.parametrize("options", [{}, {"json": None}, {"data": {}}, {"content": None, "data": None}], ids=str)
def test_no_body(options: dict[str, Any]) -> None:
    """Without a body there is no payload."""
    assert build(method="POST", **options).payload is None


@pytest.mark.parametrize("options", [{"content": b"a", "json": 1}, {"data": {"a": 1}, "json": 1}], ids=str)
def test_two_bodies(options: dict[str, Any]) -> None:
    """A request has one body."""
    with pytest.raises(TypeError, match="one body"):
        build(method="POST", **options)


@pytest.mark.parametrize("dumps", [lambda value: f"<{value}>", lambda value: f"<{value}>".encode()])
def test_json_dumps_of_the_client(dumps: Any) -> None:
    """The client's way to write JSON is used, whether it makes text or bytes."""
    assert opened(build(by=builder(json_dumps=dumps), method="POST", json=5)) == b"<5>"


def test_body_is_not_read_when_the_request_is_made() -> None:
    """A file is left where it stands."""
    file = io.BytesIO(b"abc")
    file.read(1)
    request = build(method="PUT", content=file)
    assert request.payload is not None
    assert (file.tell(), request.payload.length) == (1, 2)
