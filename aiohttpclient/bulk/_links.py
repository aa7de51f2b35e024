"""The links of a page, as a crawl follows them."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from ..client import utf8_text
from ..errors import InvalidURL
from ._html import elements, html_text, is_html
from ._normal import normal_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..client import Response

    Attributes = Mapping[str, str | None]

MAX_LINKS: Final = 10_000
"""Links of a page that are found: the index of a manual has some thousand."""

MAX_URL: Final = 8000
"""Characters of a URL that is found: RFC 9110 section 4.1 wants 8000 octets to be understood by everybody, and few
servers take more."""

MAX_TEXT: Final = 500
"""Characters of the text of a link that are kept: it may lie around a whole page."""

RELATIONS: Final = frozenset({"alternate", "canonical", "next", "prev"})
"""Types of ``link`` elements that lead to pages; others are about style sheets, icons, scripts."""

_SELECTOR: Final = "a,area[href],iframe[src],frame[src],link[href][rel],meta[content],base[href]"

_REFRESH = re.compile(
    r"""(?is)\s*+(?:\d++[\d.]*+|\.[\d.]*+)(?:\s*+[;,]|\s)\s*+(?:url\s*+=\s*+)?+(?:"([^"]*)|'([^']*)|(.*))"""
)
"""Seconds and URL of a ``meta`` element that refreshes (HTML Standard, section 4.2.5.3)."""

_NONE: Final = frozenset({"nofollow", "none"})
"""What robots are told where they are to follow no link of a page."""

_VALUED: Final = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
"""What else they are told that has a colon in it, as the name of a crawler has behind it."""

_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")

_UNTYPED: Final[frozenset[str]] = frozenset()
_NOFOLLOW: Final = frozenset({"nofollow"})


class Link(NamedTuple):
    """A link of a page.

    ``url`` is absolute and in its normal form (:func:`normal_url`), ``text`` what it is on, with single spaces, ``rel``
    its types in lower case, with ``nofollow`` among them where the page says that of all its links.
    """

    url: str
    text: str = ""
    rel: frozenset[str] = _UNTYPED

    @property
    def nofollow(self) -> bool:
        """Whether the page asks crawlers not to follow it."""
        return "nofollow" in self.rel


def find_links(response: Response) -> list[Link]:
    """The links of a page of HTML, in its order, each URL once, and none to the page itself (RFC 3986 section 4.4).

    They are those of ``a``, ``area``, ``iframe`` and ``frame`` elements, of ``link`` elements that lead to pages
    (``alternate``, ``canonical``, ``next``, ``prev``), and where ``meta`` elements refresh to; ``base`` is minded. The
    one link of a redirect (3xx) is where it leads. An error (400 and above) has none, as what it says is not about its
    URL: relative links of such pages have no end. Nor has what is not HTML.

    Of several links to one URL the result has the place of the first, the first text that is not empty, the types of
    all, and ``nofollow`` only where all have it. What cannot be asked for is left out, and so is what is longer than
    8000 characters, or comes after 10,000 others.

    :raises ImportError: selectolax is not installed
    """
    status, headers = response.status, response.headers
    found = _Found(response.request.url_text)
    redirected = 300 <= status < 400 and found.add(utf8_text(headers.get("Location", "")))
    if status < 400 and not redirected and is_html(response):
        text, encoding = html_text(response)
        _collect(elements(text, _SELECTOR), found, encoding)
    nofollow = found.nofollow or _says_nofollow(headers.getall("X-Robots-Tag", ()))
    links = found.links.values()
    return [link._replace(rel=link.rel | _NOFOLLOW) for link in links] if nofollow else list(links)


class _Found:
    """Links by their URLs; ``nofollow`` is what the page says of all."""

    __slots__ = ("_page", "base", "links", "nofollow")

    def __init__(self, page: str) -> None:
        self.base = self._page = normal_url(page)
        self.links: dict[str, Link] = {}
        self.nofollow = False

    def add(self, reference: str, text: str = "", rel: frozenset[str] = _UNTYPED) -> bool:
        """Whether ``reference`` leads to something that can be asked for, which is kept, unless it is the page."""
        if len(reference) > MAX_URL:
            return False
        try:
            url = normal_url(reference, self.base)
        except InvalidURL:
            return False
        if len(url) > MAX_URL:
            return False
        if url == self._page:
            return bool(reference)
        other = self.links.get(url)
        if other is None:
            self.links[url] = Link(url, text, rel)
        elif (text and not other.text) or rel != other.rel:
            every = (other.rel | rel) - _NOFOLLOW | (other.rel & rel & _NOFOLLOW)
            self.links[url] = Link(url, other.text or text, every)
        return True


def _collect(nodes: list[Any], found: _Found, encoding: str) -> None:
    for node in nodes:
        if node.tag == "base":
            with contextlib.suppress(InvalidURL):  # then it is as if there were none
                found.base = normal_url(node.attributes.get("href") or "", found.base)
            break
    for node in nodes:
        if len(found.links) >= MAX_LINKS:
            break
        tag, attributes = node.tag, node.attributes
        rel = attributes.get("rel")
        types = frozenset(rel.lower().split()) if rel else _UNTYPED
        if tag == "a":
            reference = attributes.get("href") or attributes.get("xlink:href")  # as drawings have it
            text = node.text() if reference else ""
        else:
            reference, text = _other(tag, attributes, types, found)
        if reference:
            reference = reference if encoding == "utf-8" else _in_encoding(reference, encoding)
            found.add(reference, " ".join(text.split())[:MAX_TEXT], types)


def _other(tag: str, attributes: Attributes, types: frozenset[str], found: _Found) -> tuple[str | None, str]:
    """Where an element leads, and its text; None: nowhere."""
    if tag == "meta":
        content = attributes.get("content") or ""
        if _lower(attributes, "name") == "robots":
            found.nofollow |= not _NONE.isdisjoint(content.lower().replace(",", " ").split())
        refresh = _REFRESH.match(content) if _lower(attributes, "http-equiv") == "refresh" else None
        return (refresh[1] or refresh[2] or refresh[3], "") if refresh else (None, "")
    if tag == "link":
        leads = not RELATIONS.isdisjoint(types) and "stylesheet" not in types
        return attributes.get("href") if leads else None, attributes.get("title") or ""
    if tag == "area":
        return attributes.get("href"), attributes.get("alt") or ""
    return attributes.get("src"), attributes.get("title") or ""


def _lower(attributes: Attributes, name: str) -> str:
    return (attributes.get(name) or "").strip().lower()


def _in_encoding(reference: str, encoding: str) -> str:
    """``reference``, whose query is sent in the encoding of its page, as servers of such pages expect.

    Browsers do that (URL Standard, section 4.4, query state); all else, and what UTF-16 has, is UTF-8.
    """
    if reference.isascii() or encoding.startswith("utf-16"):
        return reference
    path, mark, query = reference.partition("#")[0].partition("?")
    return path + mark + _NOT_ASCII.sub(lambda found: quote(found[0].encode(encoding, "xmlcharrefreplace"), ""), query)


def _says_nofollow(values: Iterable[str]) -> bool:
    """Whether ``X-Robots-Tag`` says so to everybody, and not to a crawler that it names (``googlebot: nofollow``)."""
    for value in values:
        for directive in value.lower().split(","):
            name, colon, _ = directive.partition(":")
            if colon and name.strip() not in _VALUED and not name.strip().count(" "):
                break  # what follows is for that crawler
            if directive.strip() in _NONE:
                return True
    return False
