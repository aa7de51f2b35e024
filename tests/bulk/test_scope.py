"""``bulk/_scope.py``: which links are followed."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from aiohttpclient import InvalidURL
from aiohttpclient.bulk import Link
from aiohttpclient.bulk._scope import make_scope

PAGE: Any = object()
SEEDS = ["http://example.org/docs/index.html?a/b", "https://other.example:8443/"]


def followed(follow: Any, url: str, seeds: list[str] = SEEDS) -> bool:
    return make_scope(follow, seeds)(Link(url), PAGE)


@pytest.mark.parametrize("url", ["http://example.org/", "ftp://unheard.of/", "https://other.example/"])
def test_all(url: str) -> None:
    """``all`` is all."""
    assert followed("all", url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.org/", True),
        ("http://example.org/other/x", True),
        ("https://example.org/", True),
        ("http://example.org./", True),
        ("http://example.org:8080/", False),
        ("http://www.example.org/", False),
        ("http://example.org.evil.example/", False),
        ("http://badexample.org/", False),
        ("https://other.example:8443/x", True),
        ("http://other.example:8443/x", True),
        ("https://other.example/", False),
    ],
)
def test_host(url: str, expected: bool) -> None:
    """``host`` is the hosts of the seeds, with their ports; those of http and https themselves are one."""
    assert followed("host", url) is expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.org/docs/", True),
        ("http://example.org/docs/a/b?c", True),
        ("https://example.org/docs/a", True),
        ("http://example.org/docs", False),
        ("http://example.org/docsx/", False),
        ("http://example.org/", False),
        ("http://example.org/Docs/", False),
        ("http://www.example.org/docs/", False),
        ("http://other.example:8443/any", True),
        ("http://other.example/docs/", False),
    ],
)
def test_prefix(url: str, expected: bool) -> None:
    """``prefix`` is what lies in the directories of the seeds, and below."""
    assert followed("prefix", url) is expected


GIVEN = [
    "one.example",
    " TWO.example.:80 ",
    "three.example:8080",
    ".four.example",
    "[::1]:81",
    "b\u00fccher.example",
    "HTTP://five.example:80/%7edocs/../wiki/Category:",
    "https://six.example",
    ".seven.example:8443",
    "eight.example:443",
    ".nine.example:443",
]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://one.example/x", True),
        ("http://a.one.example/", False),
        ("http://two.example/", True),
        ("http://three.example:8080/", True),
        ("http://three.example/", False),
        ("http://four.example/", True),
        ("http://a.b.four.example/", True),
        ("http://afour.example/", False),
        ("http://a.four.example:8080/", False),
        ("http://[::1]:81/", True),
        ("http://[::1]/", False),
        ("http://xn--bcher-kva.example/", True),
        ("http://five.example/wiki/Category:x", True),
        ("https://five.example/wiki/Category:", True),
        ("http://five.example/wiki/", False),
        ("http://six.example/x", True),
        ("http://six.example.evil.example/x", False),
        ("http://six.example:81/x", False),
        ("http://a.seven.example:8443/", True),
        ("http://a.seven.example/", False),
        ("https://eight.example/", True),
        ("http://eight.example/", True),
        ("http://a.nine.example/", True),
        ("http://example.org/docs/", False),
    ],
)
def test_list(url: str, expected: bool) -> None:
    """A list has hosts, domains, and prefixes; the seeds are no part of it."""
    assert followed(GIVEN, url) is expected
    assert followed(iter(GIVEN), url) is expected


def test_function() -> None:
    """A function decides for itself, and is asked with the link and the page that has it."""
    asked: list[Any] = []

    def follow(link: Link, page: Any) -> bool:
        asked.append((link, page))
        return False

    link = Link("http://example.org/")
    assert make_scope(follow, SEEDS)(link, PAGE) is False
    assert asked == [(link, PAGE)]


class Waits:
    """What is called, and has to be waited for."""

    async def __call__(self, link: Link, page: Any) -> bool:
        return False


async def waits(link: Link, page: Any) -> bool:
    return False


@pytest.mark.parametrize("follow", [waits, Waits(), functools.partial(waits)], ids=["function", "object", "partial"])
def test_coroutine_function(follow: Any) -> None:
    """A function that has to be waited for is refused: a coroutine is true, and all would be followed."""
    with pytest.raises(TypeError, match="at once"):
        make_scope(follow, SEEDS)


@pytest.mark.parametrize(
    ("follow", "error"),
    [
        ("hosts", ValueError),
        ("example.org", ValueError),
        ("https://example.org/", ValueError),
        ("", ValueError),
        (b"host", TypeError),
        (None, TypeError),
        (7, TypeError),
        ([], ValueError),
        ([""], ValueError),
        (["."], ValueError),
        ([" "], ValueError),
        (["example.org/docs"], ValueError),
        (["user@example.org"], ValueError),
        (["..example.org"], ValueError),
        (["example.org?"], ValueError),
        (["*.example.org"], ValueError),
        ([".*.example.org"], ValueError),
        (["exa mple.org"], InvalidURL),
        (["example.org:port"], InvalidURL),
        (["http://"], InvalidURL),
        (["ftp://example.org/"], InvalidURL),
        ([b"example.org"], TypeError),
        ([None], TypeError),
    ],
    ids=repr,
)
def test_nonsense(follow: Any, error: type[Exception]) -> None:
    """What means nothing is refused, and not followed by nobody."""
    with pytest.raises(error):
        make_scope(follow, SEEDS)


@pytest.mark.parametrize("follow", ["host", "prefix"])
def test_seed_that_is_none(follow: Any) -> None:
    """A seed that is no URL has no host."""
    with pytest.raises(InvalidURL):
        make_scope(follow, ["example.org"])
