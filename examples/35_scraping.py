"""A crawl: many pages at once, but not too many; whatever fails fails alone, and everything ends together."""

import asyncio
import re

from aiohttpclient import AsyncHTTPClient, HTTPException, PoolLimits, Timeout
from examples._app import Answer, Asked, app
from examples._server import serve

PAGES = 200
AT_ONCE = 16


def site(asked: Asked) -> Answer:
    """Each page links to two others; some are gone."""
    number = int(asked.path.removeprefix("/page/"))
    if number % 50 == 49:
        return Answer(b"gone", "410 Gone")
    links = [f"<a href='/page/{2 * number + more}'>" for more in (1, 2) if 2 * number + more < PAGES]
    return Answer(f"<title>Page {number}</title>{''.join(links)}".encode(), fields={"Content-Type": "text/html"})


class Crawl:
    def __init__(self, client: AsyncHTTPClient, group: asyncio.TaskGroup) -> None:
        self.client, self.group = client, group
        self.room = asyncio.Semaphore(AT_ONCE)  # what runs at once; the pool bounds connections only
        self.titles: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.seen: set[str] = set()

    def add(self, url: str) -> None:
        if url not in self.seen:
            self.seen.add(url)
            self.group.create_task(self.visit(url))

    async def visit(self, url: str) -> None:
        try:
            async with self.room:
                response = await self.client.get(url, max_body=1_000_000)
            response.raise_for_status()
        except (HTTPException, OSError) as error:  # all that can go wrong on a network
            self.failed[url] = str(error)
            return
        self.titles[url] = response.text.partition("<title>")[2].partition("</title>")[0]
        for link in re.findall(r"href='([^']+)'", response.text):
            self.add(str(response.url.join(response.url.with_path(link))))


async def main() -> None:
    limits = PoolLimits(connections=AT_ONCE, per_origin=8)
    async with serve(app(site)) as (host, port), AsyncHTTPClient(limits=limits, timeout=Timeout(total=10)) as client:
        async with asyncio.TaskGroup() as group:
            crawl = Crawl(client, group)
            crawl.add(f"http://{host}:{port}/page/0")
        assert client.pool.stats().opened <= 8
        print(f"{len(crawl.titles)} pages; {len(crawl.failed)} failed, such as", next(iter(crawl.failed.values()))[:8])


asyncio.run(main())
