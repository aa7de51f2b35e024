"""What passes between the two sides of a frontier, the loop and the thread of its store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple


class Row(NamedTuple):
    """A URL that is given out, and the URL of its referrer; ``hops`` are the redirects, one behind the other, to it."""

    id: int
    url: str
    depth: int
    hops: int
    referrer: str | None


class Found(NamedTuple):
    """A URL that was found: of which host, how deep, after how many redirects, and the id of the page it was on."""

    url: str
    host: str
    depth: int
    hops: int
    referrer: int | None


@dataclass(slots=True)
class Work:
    """What has happened since the last step, and what is wanted: so many rows.

    ``found`` are links, by their URLs; ``read`` has the depths of the pages that these, or none, are the links of;
    ``done`` and ``failed`` the ids of those of which the crawl has done everything.
    """

    found: dict[str, Found] = field(default_factory=dict)
    read: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    failed: list[int] = field(default_factory=list)
    wanted: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a crawl: how deep it goes, how many pages it has, all runs together, and how many URLs of a host are known."""

    depth: int | None = None
    pages: int | None = None
    per_host: int | None = None
