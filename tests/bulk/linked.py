"""Pages that link to each other, in memory; and what a crawl finds of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tests.bulk.pages import reply, settle

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiohttpclient.bulk import Crawl, Page
    from tests.bulk.pages import Asked

SITE = "http://example.org"

SEED = f"{SITE}/"

THREAD = "aiohttpclient-crawl"


def html(*links: str, fields: Sequence[str] = (), status: str = "200 OK") -> bytes:
    """An answer with these links; one that has a space in it is written as it is."""
    body = "".join(link if " " in link else f"<a href='{link}'>{link}</a>" for link in links)
    return reply(f"<html>{body}".encode(), status, "Content-Type: text/html", *fields)


def moved(place: str) -> bytes:
    return reply(b"", "302 Found", f"Location: {place}")


def web(pages: Mapping[str, Any]) -> Callable[[Asked], Any]:
    """What answers: for a path, or a host and a path, links, a whole answer, or what gives one; else 404."""

    def answer(asked: Asked) -> Any:
        place = asked.path if asked.host == "example.org" else f"{asked.host}{asked.path}"
        if place not in pages:
            return reply(b"", "404 Not Found")
        there = pages[place]
        if callable(there):
            there = there()
        return html(*there) if isinstance(there, (list, tuple)) else there

    return answer


def tree(count: int, width: int = 3) -> dict[str, list[str]]:
    """The pages ``/``, ``/1`` and so on: each links to ``width`` others, and to some that it should not find first."""
    names = ["/", *(f"/{number}" for number in range(1, count))]
    return {
        name: [
            *(names[child] for child in range(index * width + 1, index * width + width + 1) if child < count),
            names[0],
            names[index // 2],
        ]
        for index, name in enumerate(names)
    }


async def pages_of(crawl: Crawl) -> list[Page]:
    """Every page."""
    return [page async for page in crawl]


def paths(pages: Sequence[Page]) -> list[str]:
    """Their URLs, without what all have in common."""
    return [page.url.removeprefix(SITE) for page in pages]


async def threads_gone() -> None:
    """Wait until no crawl has its thread any more."""
    while any(thread.name.startswith(THREAD) for thread in threading.enumerate()):
        await settle()
