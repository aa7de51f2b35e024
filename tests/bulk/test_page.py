"""``bulk/_page.py``: what a page has, and which of its links are followed."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.bulk import Link, Page, Result, find_links
from aiohttpclient.bulk._frontier_work import Row
from aiohttpclient.bulk._page import HOPS, Explorer
from tests.bulk.sinking import answered, failed

if TYPE_CHECKING:
    from collections.abc import Iterable

SITE = "http://example.org"

URL = f"{SITE}/page"

HTML = {"Content-Type": "text/html"}


class Told:
    """A frontier that only notes what it is told; its row is of depth 3, behind ``hops`` redirects."""

    seeds = [f"{SITE}/"]  # noqa: RUF012  # nobody changes it

    def __init__(self, hops: int = 0) -> None:
        self.hops = hops
        self.told: list[tuple[list[str], int, int]] = []

    def row(self, index: int) -> Row:
        return Row(index, URL, 3, self.hops, f"{SITE}/before")

    def read(self, index: int, urls: Iterable[str], depth: int, hops: int) -> None:
        self.told.append((list(urls), depth, hops))


def explored(result: Result, hops: int = 0, links: Any = find_links, nofollow: bool = False, **options: Any) -> Any:
    """The page, and what the frontier was told of it."""
    frontier: Any = Told(hops)
    given = {"follow": "host", "depth": None, **options}
    page = Explorer(frontier, links, nofollow=nofollow, **given).page(result)
    (told,) = frontier.told
    return page, told


def test_page() -> None:
    """A page is a result whose item is its URL, and pickles."""
    page, _ = explored(answered(URL, b"<a href=/a>text</a>", headers=HTML))
    again = pickle.loads(pickle.dumps(page))
    for one in (page, again):
        assert isinstance(one, Page)
        assert isinstance(one, Result)
        assert (one.item, one.url, one.depth, one.referrer) == (URL, URL, 3, f"{SITE}/before")
        assert one.links == [Link(f"{SITE}/a", "text")]
        assert one.unwrap().status == 200
    assert repr(page).startswith("<Page 0 ")


def test_failed() -> None:
    """A page without an answer, or with one that tells of an error, leads nowhere."""
    for result in (failed(URL), answered(URL, b"<a href=/a>", 404, HTML)):
        page, told = explored(result)
        assert page.links == []
        assert told == ([], 4, 0)


@pytest.mark.parametrize(("hops", "then"), [(0, (3, 1)), (HOPS - 1, (3, HOPS)), (HOPS, (4, 0))])
def test_redirect(hops: int, then: tuple[int, int]) -> None:
    """A redirect leads to what is as deep, for so many of them, whatever finds links elsewhere."""
    result = answered(URL, b"<a href=/a>", 301, {**HTML, "Location": "/there"})
    for links in (find_links, lambda response: ["/no"]):
        page, told = explored(result, hops, links)
        assert [link.url for link in page.links] == [f"{SITE}/there"]
        assert told == ([f"{SITE}/there"], *then)


@pytest.mark.parametrize(("depth", "followed"), [(3, False), (4, True)])
def test_depth(depth: int, followed: bool) -> None:
    """Links of a page that is as deep as may be are found, and not followed."""
    page, told = explored(answered(URL, b"<a href=/a>", headers=HTML), depth=depth)
    assert len(page.links) == 1
    assert bool(told[0]) is followed


def test_nofollow() -> None:
    """A link that is marked is left, where that is minded."""
    result = answered(URL, b"<a rel=nofollow href=/a>a</a><a href=/b>b</a>", headers=HTML)
    assert explored(result)[1][0] == [f"{SITE}/a", f"{SITE}/b"]
    assert explored(result, nofollow=True)[1][0] == [f"{SITE}/b"]


def test_links_of_a_function() -> None:
    """What a function tells becomes a link in its one spelling, once, or is passed over."""
    given = [
        "a#b",
        "mailto:me",
        "/" + "x" * 8000,
        "\ud800",
        "http://\ud800/",
        "http://[",
        Link("/a", "second"),
        Link("HTTP://EXAMPLE.org/b", "b", frozenset({"next"})),
    ]
    page, told = explored(answered(URL, b""), links=lambda response: iter(given))
    assert page.links == [Link(f"{SITE}/a"), Link(f"{SITE}/b", "b", frozenset({"next"}))]
    assert told[0] == [f"{SITE}/a", f"{SITE}/b"]


def test_told_once() -> None:
    """What was told to the frontier is not told again; what was out of scope for one page may be in it for another."""
    frontier: Any = Told()
    explorer = Explorer(frontier, find_links, lambda link, page: page.index == 1, False, None)
    for index in range(3):
        explorer.page(answered(URL, b"<a href=/a>", headers=HTML, index=index))
    assert [told[0] for told in frontier.told] == [[], [f"{SITE}/a"], []]


@pytest.mark.parametrize("error", [KeyError("no"), StopIteration("no"), StopAsyncIteration("no")], ids=repr)
def test_function_that_fails(error: Exception) -> None:
    """What a function raises is raised with the page that it is about, and never as the end of an iteration."""

    def fails(response: Any) -> Any:
        raise error

    frontier: Any = Told()
    with pytest.raises((KeyError, RuntimeError)) as caught:
        Explorer(frontier, fails, "all", False, None).page(answered(URL, b""))
    assert URL in str([caught.value, *getattr(caught.value, "__notes__", ())])
    assert error in (caught.value, caught.value.__cause__)
    assert not frontier.told
