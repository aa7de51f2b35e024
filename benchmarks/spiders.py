"""What people write with scrapy. Importing this imports scrapy, so only the process does it in which scrapy works.

Its settings are what its documentation advises for many pages (*Broad crawls*): no cookies, no retries, as many
requests at once as are allowed, to one host as well; no delay, no ``robots.txt``, nothing logged but errors, and no
console of its own. It runs on the reactor that it chooses itself, in a process that does nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scrapy import Request, Spider
from scrapy.crawler import AsyncCrawlerProcess
from scrapy.linkextractors import LinkExtractor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from scrapy.http import Response, TextResponse

SETTINGS: Final = {
    "COOKIES_ENABLED": False,
    "DOWNLOAD_DELAY": 0,
    "LOG_LEVEL": "ERROR",
    "RETRY_ENABLED": False,
    "ROBOTSTXT_OBEY": False,
    "TELNETCONSOLE_ENABLED": False,
}


class Fetching(Spider):
    """Asks for ``urls``, of which no two are alike."""

    name = "fetching"
    urls: Iterator[str]
    seen: Callable[[bytes], None]

    async def start(self) -> AsyncIterator[Request]:
        for url in self.urls:
            yield Request(url, dont_filter=True)

    def parse(self, response: Response, **kwargs: Any) -> None:
        self.seen(response.body)


class Crawling(Spider):
    """Follows all links from ``seed``, each once."""

    name = "crawling"
    seed: str
    seen: Callable[[bytes], None]

    async def start(self) -> AsyncIterator[Request]:
        yield Request(self.seed)

    def parse(self, response: TextResponse, **kwargs: Any) -> Iterator[Request]:  # type: ignore[override]  # HTML only
        self.seen(response.body)
        for link in self.links.extract_links(response):
            yield Request(link.url)

    links = LinkExtractor()


def fetch(urls: Iterator[str], at_once: int, seen: Callable[[bytes], None]) -> None:
    """Calls ``seen`` with the body of each of ``urls``."""
    _run(Fetching, at_once, urls=urls, seen=seen)


def crawl(seed: str, at_once: int, seen: Callable[[bytes], None]) -> None:
    """Calls ``seen`` with the body of each page of the site."""
    _run(Crawling, at_once, seed=seed, seen=seen)


def _run(spider: type[Spider], at_once: int, **given: object) -> None:
    limits = {"CONCURRENT_REQUESTS": at_once, "CONCURRENT_REQUESTS_PER_DOMAIN": at_once}
    process = AsyncCrawlerProcess({**SETTINGS, **limits})
    crawling = process.crawl(spider, **given)
    process.start()
    crawling.result()
