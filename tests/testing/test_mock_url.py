"""Which URLs are the same, and in what others differ."""

from __future__ import annotations

import re
from typing import Any
from unittest import mock

import pytest
from yarl import URL

from aiohttpclient.testing._mock_url import (
    OpenAddress,
    Prefixes,
    is_pattern,
    matches_pattern,
    merged,
    normalized,
    same_address,
    shown_address,
    url_differences,
)
from tests.support.ids import stable


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a/?b=2&a=1", "http://a/?a=1&b=2"),
        ("http://a/?a=2&a=1", "http://a/?a=1&a=2"),
        ("http://a", "http://a/"),
        ("http://a/x#part", "http://a/x"),
        ("http://a:80/", "http://a/"),
        ("https://a:443/", "https://a/"),
        ("http://user:password@a/", "http://a/"),
        ("HTTP://A/", "http://a/"),
        ("http://a/%7Ex?q=%41", "http://a/~x?q=A"),
        ("http://a/?q=x+y", "http://a/?q=x%20y"),
        ("http://a/?q", "http://a/?q="),
        ("http://a/?", "http://a/"),
        ("http://müller.example/ä", "http://xn--mller-kva.example/%C3%A4"),
    ],
)
def test_same(one: str, other: str) -> None:
    """What makes no difference to a server that goes by RFC 3986 makes none here, nor does the order of the query."""
    assert normalized(one) == normalized(URL(other)) == normalized(normalized(one))
    assert same_address(one, normalized(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a/", "https://a/"),
        ("http://a/x", "http://a/x/"),
        ("http://a/X", "http://a/x"),
        ("http://a/?a=1", "http://a/?a=1&a=1"),
        ("http://a:81/", "http://a/"),
        ("http://a/%2F", "http://a//"),
        ("http://a/?q=a%26b", "http://a/?q=a&b"),
    ],
)
def test_other(one: str, other: str) -> None:
    """What a server may tell apart is told apart."""
    assert normalized(one) != normalized(other)
    assert list(url_differences(normalized(one), normalized(other)))


@pytest.mark.parametrize("url", ["/users", "users", "", "ftp://a/", "http://"])
def test_relative(url: str) -> None:
    """A URL that no request can have is refused."""
    with pytest.raises(ValueError):
        normalized(url)


@pytest.mark.parametrize("url", [None, b"http://a/", 1, ["http://a/"]])
def test_no_url(url: Any) -> None:
    """What is no URL is refused by its type."""
    with pytest.raises(TypeError, match=r"a URL is a str, a yarl\.URL or a compiled pattern"):
        normalized(url)


@pytest.mark.parametrize(
    ("url", "params", "whole"),
    [
        ("http://a/", {"b": "1"}, "http://a/?b=1"),
        ("http://a/?b=1", {"a": 2}, "http://a/?a=2&b=1"),
        ("http://a/?a=1", [("a", "2")], "http://a/?a=1&a=2"),
        ("http://a/", "b=1&a=2", "http://a/?a=2&b=1"),
        ("http://a/?x=1", None, "http://a/?x=1"),
    ],
    ids=stable,
)
def test_merged(url: str, params: Any, whole: str) -> None:
    """Parameters come behind the query that is there."""
    assert merged(url, params) == URL(whole)


@pytest.mark.parametrize(
    ("pattern", "url", "fits"),
    [
        (r"^http://example\.com/api\?foo=.*$", "http://example.com/api?foo=bar", True),
        (r"http://a/\?a=1&b=2$", "http://a/?b=2&a=1", True),
        (r"http://a/\?b=2&a=1$", "http://a/?b=2&a=1", True),
        (r"http://a$", "http://a/", True),
        (r"http://a/$", "http://a/", True),
        (r"a/", "http://a/", False),
        (r"http://b", "http://a/", False),
    ],
)
def test_patterns(pattern: str, url: str, fits: bool) -> None:
    """A pattern is matched at the beginning of a URL, in either order of its query; a lone slash may miss."""
    compiled = re.compile(pattern)
    assert is_pattern(compiled)
    assert matches_pattern(compiled, URL(url, encoded=True)) is fits
    assert same_address(compiled, URL(url, encoded=True)) is fits


@pytest.mark.parametrize(
    ("base", "params", "url", "fits"),
    [
        ("http://a/", {"a": [mock.ANY]}, "http://a/?a=1", True),
        ("http://a:80/#x", {"a": [mock.ANY]}, "http://a/?a=", True),
        ("http://a/", {"a": [mock.ANY]}, "http://a/", False),
        ("http://a/", {"a": [mock.ANY]}, "http://a/?a=1&b=2", False),
        ("http://a/", {"a": [mock.ANY]}, "http://a/?a=1&a=2", False),
        ("http://a/", {"a": [mock.ANY, "2"]}, "http://a/?a=1&a=2", True),
        ("http://a/", {"a": [mock.ANY, "2"]}, "http://a/?a=1&a=3", False),
        ("http://a/?b=2", {"a": [mock.ANY]}, "http://a/?a=1&b=2", True),
        ("http://a/?b=2", {"a": [mock.ANY]}, "http://a/?a=1&b=3", False),
        ("http://a/", {"a": [mock.ANY]}, "http://a/x?a=1", False),
        ("http://a/", None, "http://a/", True),
        ("http://a/", None, "http://a/?a=1", True),
        ("http://a/?a=1", None, "http://a/?a=1&b=2", True),
        ("http://a/?a=1", None, "http://a/?b=2", False),
        ("http://a/", None, "https://a/", False),
    ],
)
def test_open(base: str, params: Any, url: str, fits: bool) -> None:
    """Of a URL some parameters may be anything, and with None there may be others; the rest is compared."""
    assert same_address(OpenAddress(base, params), normalized(url)) is fits


def test_open_shown() -> None:
    """What may be anything is shown as a star, and what is a secret not at all."""
    assert shown_address(OpenAddress("http://a/?b=2", {"a": [mock.ANY, "1"]})) == "http://a/?b=2&a=*&a=1"
    assert shown_address(OpenAddress("http://a/?token=2", None)) == "http://a/?token=***&*"


def test_pattern_of_bytes() -> None:
    """A pattern that could match no URL is refused."""
    with pytest.raises(TypeError, match="the pattern must be of str"):
        is_pattern(re.compile(b"http"))


@pytest.mark.parametrize(
    ("given", "url", "covered"),
    [
        ((), "http://a/", False),
        (["http://backend"], "http://backend/api", True),
        (["http://backend/api"], "http://backend/", False),
        ("http://backend", "http://backend/api", True),
        ("http://backend", "http://a/", False),
        ([URL("http://backend/api")], "http://backend/api?x=1", True),
        (["http://a/?a=1"], "http://a/?b=2&a=1", True),
        (["http://a/?b=2"], "http://a/?b=2&a=1", True),
    ],
    ids=stable,
)
def test_prefixes(given: Any, url: str, covered: bool) -> None:
    """A URL is covered that begins with a prefix; one str is one prefix."""
    assert Prefixes(given).cover(URL(url, encoded=True)) is covered


def test_prefixes_of_another_type() -> None:
    """A prefix that could never cover anything is refused."""
    with pytest.raises(TypeError, match="passthrough takes what URLs begin with"):
        Prefixes([re.compile("http")])  # type: ignore[list-item]  # that is the point


@pytest.mark.parametrize(
    ("wanted", "got", "texts"),
    [
        ("http://a/x", "https://b:81/y", ["scheme: expected http, got https", "host: expected a, got b",
                                          "port: expected 80, got 81", "path: expected /x, got /y"]),
        ("http://a/", "http://a/?p=1", ["query 'p': expected none, got '1'"]),
        ("http://a/?p=1&q=2&q=3", "http://a/?p=1&q=2", ["query 'q': expected '2', '3', got '2'"]),
        ("http://a/?token=abc", "http://a/?token=d",
         ["query 'token': expected *** (3 characters), got *** (1 characters)"]),
        ("http://a/", "https://a/", ["scheme: expected http, got https"]),
    ],
    ids=stable,
)  # fmt: skip
def test_differences(wanted: str, got: str, texts: list[str]) -> None:
    """Each part that differs is named, with both sides, unless it is a secret."""
    assert [str(one) for one in url_differences(normalized(wanted), normalized(got))] == texts


def test_differences_without_query() -> None:
    """Where the query is compared elsewhere it makes no difference here."""
    assert not list(url_differences(normalized("http://a/"), normalized("http://a/?p=1"), with_query=False))


def test_shown() -> None:
    """A URL is shown without the secrets in it, a pattern as it was compiled."""
    assert shown_address("http://a/?api_key=abc&p=1") == "http://a/?api_key=***&p=1"
    assert shown_address(re.compile(r"http://a\d")) == r"re.compile('http://a\\d')"
