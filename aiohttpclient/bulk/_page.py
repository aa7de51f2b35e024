"""What comes of one URL of a crawl, and where that leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from .._threads import start
from ..errors import InvalidURL
from ._frontier_known import Known
from ._html import parser
from ._links import MAX_URL, Link, find_links
from ._normal import normal_url
from ._result import Result
from ._scope import make_scope

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from ..client import Response
    from ._frontier import Frontier
    from ._scope import Follow

Links: TypeAlias = "Callable[[Response], Iterable[Link | str]]"
"""Finds the links of a page, or their URLs, which may be relative to that of the page."""

LONG: Final = 64 * 1024
"""Bytes of a page whose links are found in a thread: that would keep the loop for some 10 ms, and megabytes as long as
half a second."""

HOPS: Final = 20
"""Redirects, one behind the other, that keep the depth; the next is one deeper, so that chains without an end have one
where there is a bound for the depth. Browsers follow 20 (Fetch Standard, section 4.4)."""


@dataclass(slots=True, eq=False, repr=False)
class Page(Result):
    """What came of one URL of a crawl: a result, whose item is the URL; where it was found, and where it leads.

    :param url: the URL, normalised
    :param depth: links from a seed to here; a seed has 0, and where a page redirects to has the depth of that page
    :param links: those that were found, whether they are followed or not
    :param referrer: the URL of the page that has the link to this one; None: it is a seed
    """

    url: str = ""
    depth: int = 0
    links: list[Link] = field(default_factory=list)
    referrer: str | None = None


class Explorer:
    """Makes pages of results, and tells ``frontier`` where they lead.

    :param links: what finds links
    :param follow: which links are followed: see :func:`make_scope`
    :param nofollow: whether links that are marked so are left
    :param depth: that of pages whose links are not followed any more
    :raises ImportError: a package is missing with which links are found
    """

    def __init__(self, frontier: Frontier, links: Links, follow: Follow, nofollow: bool, depth: int | None) -> None:
        if links is find_links:
            parser()  # what is missing is said before there is a file
        self._frontier = frontier
        self._links = links
        self._scope = make_scope(follow, frontier.seeds)
        self._by_seeds = follow if isinstance(follow, str) else None
        self._nofollow = nofollow
        self._depth = depth
        self._known = Known()

    def begin(self, result: Result) -> asyncio.Future[list[Link]] | None:
        """Have the links of a long page found in a thread; None: it does not take that long, or is not ours to do."""
        response = result.response
        if self._links is not find_links or response is None or len(response.content) < LONG:
            return None
        return start(find_links, response)

    def page(self, result: Result, found: asyncio.Future[list[Link]] | None = None) -> Page:
        """The page that ``result`` is, whose links were ``found``, if that was begun.

        :raises Exception: what finds links, or decides which to follow, has failed; the page counts as not read then
        """
        row = self._frontier.row(result.index)
        page = Page(row.url, result.index, result.request, result.response, result.error, result.elapsed, url=row.url)
        page.depth, page.referrer = row.depth, row.referrer
        try:
            moved = self._look(page, found)
            hops = row.hops + 1 if moved and row.hops < HOPS else 0
            depth = row.depth if hops else row.depth + 1
            urls = self._followed(page, depth) if self._depth is None or depth <= self._depth else []
        except (StopIteration, StopAsyncIteration) as error:  # which would be taken for the end of the pages
            raise RuntimeError(f"the links of {row.url}: {error!r}") from error
        except Exception as error:
            error.add_note(f"that was about the links of {row.url}")
            raise
        self._frontier.read(result.index, urls, depth, hops)
        return page

    def _look(self, page: Page, found: asyncio.Future[list[Link]] | None) -> bool:
        """Find the links of the page; whether it is one that redirects."""
        response = page.response
        moved = response is not None and 300 <= response.status < 400
        if found is not None:
            page.links = found.result()
        elif response is not None and response.status < 400:
            # Whatever finds them elsewhere: the link of a redirect is where it leads.
            page.links = find_links(response) if moved else self._found(response, page.url)
        return moved

    def _found(self, response: Response, base: str) -> list[Link]:
        if self._links is find_links:
            return find_links(response)
        found: dict[str, Link] = {}
        for one in self._links(response):
            link = Link(one) if isinstance(one, str) else one
            try:
                url = normal_url(link.url, base)
            except InvalidURL:  # as find_links passes over it
                continue
            if len(url) <= MAX_URL:
                found.setdefault(url, link._replace(url=url))
        return list(found.values())

    def _followed(self, page: Page, depth: int) -> list[str]:
        if self._by_seeds is not None:  # now that the frontier is open, and knows those of earlier runs
            self._scope = make_scope(self._by_seeds, self._frontier.seeds)
            self._by_seeds = None
        known, scope, urls = self._known, self._scope, []
        for link in page.links:
            url = link.url
            if known.has(url, depth) or (self._nofollow and link.nofollow) or not scope(link, page):
                continue
            known.add(url, depth)
            urls.append(url)
        return urls
