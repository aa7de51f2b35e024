"""``bulk/_items.py``: what may be given, and the request that it becomes."""

from __future__ import annotations

from typing import Any

import pytest
from yarl import URL

from aiohttpclient import AsyncHTTPClient, InvalidURL, Timeout, TimeoutManager
from aiohttpclient.bulk._items import named, place_of, renewed, request_of
from aiohttpclient.testing import virtual_time

PAGE = "http://example.org/page"


def client(**options: Any) -> AsyncHTTPClient:
    """One that is never used, so there is nothing to close."""
    return AsyncHTTPClient(trust_env=False, **options)


@pytest.mark.parametrize("item", [PAGE, URL(PAGE), f"  {PAGE}\r\n", (PAGE, {}), (f"{PAGE}\n", {}), (URL(PAGE), {})])
def test_url(item: Any) -> None:
    """A URL is asked for with GET, whether it is a str, an object, a line of a file, or has options."""
    request = request_of(item, client())
    assert (request.method, request.url_text) == ("GET", PAGE)


def test_relative() -> None:
    """A relative URL is one of the client's."""
    assert request_of("page", client(base_url="http://example.org/")).url_text == PAGE


def test_options() -> None:
    """Options are those of ``client.request``, and the method; the mapping stays as it is."""
    options = {"method": "post", "json": {"a": 1}, "headers": {"X-A": "b"}}
    request = request_of((PAGE, options), client())
    assert (request.method, request.headers["X-A"]) == ("POST", "b")
    assert request.payload is not None
    assert options["method"] == "post"


def test_request() -> None:
    """A request is copied, so that the same one may be given twice; what is done to a copy is not done to it."""
    own = client()
    given = own.build_request("PUT", PAGE, headers={"X-A": "b"}, content=b"c")
    one, two = request_of(given, own), request_of(given, own)
    assert one is not given is not two
    one.headers["X-A"] = "other"
    one.extensions["x"] = 1
    assert (two.headers["X-A"], two.method, given.headers["X-A"], given.extensions) == ("b", "PUT", "b", {})


@pytest.mark.parametrize(
    ("item", "error"),
    [
        ("", InvalidURL),
        ("page", InvalidURL),
        ("ftp://example.org/", InvalidURL),
        ("http://example.org/a\x00b", InvalidURL),
        (b"http://example.org/", TypeError),
        (7, TypeError),
        (None, TypeError),
        ((PAGE,), TypeError),
        ((PAGE, {}, {}), TypeError),
        ((PAGE, "GET"), TypeError),
        ((PAGE, None), TypeError),
        ((None, {}), TypeError),
        ((PAGE, {"verify": False}), TypeError),
    ],
    ids=repr,
)
def test_refused(item: Any, error: type[Exception]) -> None:
    """What cannot be sent is refused with the error that the client has for it."""
    with pytest.raises(error):
        request_of(item, client())


@pytest.mark.parametrize("of_the_client", [True, False])
async def test_total_begins_anew(of_the_client: bool) -> None:
    """The total timeout of a request that was made long ago begins to run when its turn comes."""
    with virtual_time() as clock:
        total = Timeout(total=10, read=3)
        own = client(timeout=total) if of_the_client else client()
        given = own.build_request("GET", PAGE, timeout=None if of_the_client else total)
        clock.advance(60)
        timeout = request_of(given, own).timeout
        assert isinstance(timeout, TimeoutManager)
        assert (timeout.left, timeout.timeout) == (10, total)
        assert isinstance(given.timeout, TimeoutManager)
        assert given.timeout.left == 0


def test_without_a_total() -> None:
    """A request without a total timeout keeps the timeout that it has."""
    request = client().build_request("GET", PAGE, timeout=3)
    timeout = request.timeout
    assert renewed(request) is request
    assert request.timeout is timeout


@pytest.mark.parametrize(
    ("url", "host", "origin"),
    [
        ("http://example.org/a?b", "example.org", "http://example.org"),
        ("http://EXAMPLE.org:80", "example.org", "http://example.org"),
        ("https://example.org./", "example.org", "https://example.org"),
        ("https://example.org:443/", "example.org", "https://example.org"),
        ("http://example.org:8080/", "example.org:8080", "http://example.org:8080"),
        ("http://example.org:443/", "example.org:443", "http://example.org:443"),
        ("http://b\u00fccher.example/", "xn--bcher-kva.example", "http://xn--bcher-kva.example"),
        ("http://B%C3%BCcher.example/", "xn--bcher-kva.example", "http://xn--bcher-kva.example"),
        ("http://[::1]/", "[::1]", "http://[::1]"),
        ("http://[2001:DB8::1]:81?x", "[2001:db8::1]:81", "http://[2001:db8::1]:81"),
        ("http://127.0.0.1:8000/", "127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[0:0::1]:8080/", "[::1]:8080", "http://[::1]:8080"),
        ("http://[FE80::0:1%25eth0]/", "[fe80::0:1%eth0]", "http://[fe80::0:1%eth0]"),
    ],
)
def test_place(url: str, host: str, origin: str) -> None:
    """A host has one spelling, in which the ports of http and https are one; an origin has its scheme before it."""
    assert place_of(url) == (host, origin)


@pytest.mark.parametrize("url", ["", "example.org", "http://", "http://[", "http://a:b/"])
def test_no_place(url: str) -> None:
    """What is no absolute URL has no place."""
    with pytest.raises(InvalidURL):
        place_of(url)


def test_named() -> None:
    """Who asks is said where nothing but the client has said it."""
    own = client()
    assert named(own.build_request("GET", PAGE), "who/1", own).headers["User-Agent"] == "who/1"
    other = named(own.build_request("GET", PAGE, headers={"User-Agent": "own/1"}), "who/1", own)
    assert other.headers["User-Agent"] == "own/1"
    silent = named(own.build_request("GET", PAGE, headers={"User-Agent": None}), "who/1", own)
    assert "User-Agent" not in silent.headers
    same = client(headers={"User-Agent": "who/1"})
    assert named(same.build_request("GET", PAGE), "who/1", same).only_block
