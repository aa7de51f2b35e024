"""The pages of the demo: what is answered to whom, and what a polite crawl must make of it.

Every host has the same kind of pages, a tree of them. On the way to some there is a redirect, some links lead to
nothing, some to what ``robots.txt`` forbids, and some to where no crawl should go at all.
"""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PORTAL, BUSY, SLOW, OPEN = range(4)
"""Hosts, by their place: one links to all others, one is too busy at first, one is slow, one has no robots.txt."""

RETRY_AFTER = 1  # seconds that the busy one wants to be left alone for
SLOWNESS = 0.05  # seconds that the slow one takes for each answer
BRANCHES = 4  # pages below a page
MOVED, FORBIDDEN, MISSING = 10, 20, 25  # every so many pages has a redirect to it, links to these

ROBOTS = b"User-agent: *\nDisallow: /private/\n"
NOWHERE = (
    '<a href="http://outside.invalid/">elsewhere</a> <a href="/trap/{}" rel="nofollow">not for you</a> '
    '<a href="mailto:demo@outside.invalid">a letter</a> <a href="javascript:void(0)">a script</a> <a href="#a">up</a>'
)
"""Links that are not to be followed: out of scope, asked not to, or none at all."""


@dataclass(frozen=True)
class Answer:
    """What the origin says; ``location`` is where a redirect leads."""

    status: int
    body: bytes
    location: str | None = None
    kind: str = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Site:
    """The pages of all ``hosts`` (each with its port), ``pages`` for each."""

    hosts: Sequence[str]
    pages: int

    @property
    def seed(self) -> str:
        """Where a crawl begins."""
        return self.url(PORTAL, "/")

    def url(self, place: int, path: str) -> str:
        """A URL on the host at that place."""
        return f"http://{self.hosts[place]}{path}"

    def forbids(self, place: int, path: str) -> bool:
        """Whether the ``robots.txt`` of the host does not allow it."""
        return path.startswith("/private/") and place != OPEN

    def paths(self) -> Iterator[str]:
        """All that a host's pages link to."""
        for number in range(self.pages):
            yield path_of(number)
            for kind, every in {"old": MOVED, "private": FORBIDDEN, "missing": MISSING}.items():
                if number and not number % every:
                    yield f"/{kind}/{number}"

    def answer(self, place: int, path: str) -> Answer:
        """What is answered there, by a host that is not too busy."""
        if path == "/robots.txt" and place != OPEN:
            return Answer(200, ROBOTS, kind="text/plain")
        kind, _, digits = path.strip("/").partition("/")
        number = int(digits) if digits.isdigit() and int(digits) < self.pages else 0
        if path == "/" or (kind == "page" and number):
            return Answer(200, self.page(place, number))
        if kind == "old" and number:
            return Answer(301, f"<p>Moved to {path_of(number)}</p>".encode(), path_of(number))
        if kind == "private" and number:
            return Answer(200, f"<p>Nobody should see {number}</p>".encode())
        return Answer(404, f"<p>There is nothing at {path}</p>".encode())

    def page(self, place: int, number: int) -> bytes:
        """The HTML of one page."""
        links = [f'<a href="{href}">{href}</a>' for href in self.links(place, number)]
        words = " ".join(
            random.Random(f"{place} {number}").choices(("über", "naïve", "plain", "&amp;", "words"), k=400)
        )
        nowhere = NOWHERE.format(number)
        return f"<!doctype html><title>{place}/{number}</title><p>{words}</p>{' '.join(links)} {nowhere}\n".encode()

    def links(self, place: int, number: int) -> list[str]:
        """Where a page leads, in one of the ways in which links are written."""
        below = range(number * BRANCHES + 1, min((number + 1) * BRANCHES + 1, self.pages))
        links = [f"/page/../old/{child}" if child % MOVED == 0 else f"{path_of(child)}#text" for child in below]
        if number and not number % FORBIDDEN:
            links.append(f"/private/{number}")
        if number and not number % MISSING:
            links.append(f"//{self.hosts[place]}/missing/{number}")
        other = (place + number) % len(self.hosts)
        links.append(self.url(other, path_of(number)))
        if place == PORTAL and number == 0:
            links += [self.url(each, "") for each in range(len(self.hosts))]
        return links

    def expected(self) -> dict[str, Outcome]:
        """What must come of each URL, once."""
        outcomes = {}
        for place in range(len(self.hosts)):
            for path in self.paths():
                answer = self.answer(place, path)
                forbidden = self.forbids(place, path)
                outcomes[self.url(place, path)] = (
                    FORBIDDEN_OUTCOME if forbidden else outcome(answer.status, answer.body)
                )
        return outcomes


Outcome = tuple[int, str]
"""Status and digest of the body; 0 and nothing where robots.txt forbids to ask."""

FORBIDDEN_OUTCOME: Outcome = (0, "")


def outcome(status: int, body: bytes) -> Outcome:
    """What came of a request."""
    return status, hashlib.sha256(body).hexdigest()


def path_of(number: int) -> str:
    """The path of a page of a host."""
    return f"/page/{number}" if number else "/"
