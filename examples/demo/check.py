"""What a crawl of the demo has found, compared with what the origin made."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from aiohttpclient.errors import RobotsDisallowed

from .site import BUSY, FORBIDDEN_OUTCOME, Outcome, Site, outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiohttpclient.bulk import Page, Record

SHOWN = 10  # faults that are printed; the others are counted
KINDS = {200: "pages", 301: "redirects", 404: "nothing there", 0: "forbidden by robots.txt"}


class Verdict:
    """Collects what is wrong: every URL must come once, with the status and the very bytes that it has."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.expected = site.expected()
        self.found: Counter[str] = Counter()
        self.outcomes: Counter[int] = Counter()
        self.faults: list[str] = []

    def see(self, page: Page) -> None:
        """Check a page that the crawl gave."""
        self.found[page.url] += 1
        got: Outcome | None = None
        if page.response is not None:
            got = outcome(page.response.status, page.response.content)
            self.outcomes[page.response.status] += 1
        elif isinstance(page.error, RobotsDisallowed):
            got = FORBIDDEN_OUTCOME
            self.outcomes[0] += 1
        if got is None or got != self.expected.get(page.url):
            self.faults.append(f"not what the origin has: {page!r}")

    def see_all(self) -> None:
        """Check which URLs the crawl gave."""
        self._compare("found", self.found, dict.fromkeys(self.expected, 1))

    def see_records(self, records: Iterable[Record]) -> None:
        """Check what was kept."""
        kept: Counter[str] = Counter()
        for record in records:
            kept[record.url] += 1
            if record.status is None or record.content is None:
                got = FORBIDDEN_OUTCOME
            else:
                got = outcome(record.status, record.content)
            if got != self.expected.get(record.url):
                self.faults.append(f"not what the origin has: the record of {record.url}")
        self._compare("kept", kept, dict.fromkeys(self.expected, 1))

    def see_asked(self, asked: Mapping[str, int]) -> None:
        """Check what the origin was asked for: all of it once, a page of the busy host twice, and nothing forbidden."""
        wanted = {url: 1 for url, what in self.expected.items() if what != FORBIDDEN_OUTCOME}
        wanted |= {self.site.url(place, "/robots.txt"): 1 for place in range(len(self.site.hosts))}
        if len(self.site.hosts) > BUSY:
            wanted[self.site.url(BUSY, "/")] += 1
        self._compare("asked for", asked, wanted)

    def _compare(self, what: str, got: Mapping[str, int], wanted: Mapping[str, int]) -> None:
        for url in sorted(got.keys() | wanted.keys()):
            times, right = got.get(url, 0), wanted.get(url, 0)
            if times != right:
                self.faults.append(f"{what} {times} times and not {right}: {url}")

    def __str__(self) -> str:
        return "\n".join(
            f"{self.outcomes[status]:>8,} {KINDS.get(status, f'with status {status}')}"
            for status in [*KINDS, *(self.outcomes.keys() - KINDS.keys())]
        )
