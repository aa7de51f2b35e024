"""A site crawled whole: links followed, bounds kept, and broken off in the middle, from where the next run goes on."""

import asyncio
import tempfile
from pathlib import Path

from aiohttpclient import AsyncHTTPClient, bulk
from examples._app import Answer, Asked, app
from examples._server import serve

POLITE = bulk.Politeness("example/1.0 (+https://example.org/bot)")


def shelf(asked: Asked) -> Answer:
    """A library: each shelf leads to two others, and back; ``/old`` has moved, and the staff room is private."""
    if asked.path == "/robots.txt":
        return Answer(b"User-agent: *\nDisallow: /staff\n")
    if asked.path == "/old":
        return Answer(b"", "301 Moved Permanently", {"Location": "/shelf/1"})
    number = int(asked.path.removeprefix("/shelf/"))
    links = [f"/shelf/{other}" for other in (2 * number, 2 * number + 1, number // 2) if 0 < other < 64]
    page = "".join(
        f"<li><a href='{link}#books'>{link}</a>" for link in [*links, "/staff", "https://elsewhere.example/"]
    )
    return Answer(f"<title>Shelf {number}</title>{page}".encode(), fields={"Content-Type": "text/html"})


async def crawl_all(client: AsyncHTTPClient, seed: str, folder: Path, enough: int = 1000) -> None:
    """The whole program: it can be started again and again."""
    frontier = folder / "frontier"
    async with (
        bulk.JSONLines(folder / "pages.jsonl", resume=True) as sink,
        bulk.crawl([seed], client=client, politeness=POLITE, sink=sink, frontier=frontier, resume=True) as pages,
    ):
        async for page in pages:
            if pages.known > enough:
                print(f"left at {page.url}, {page.depth} links away from the seed")
                break
    print(pages)


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with serve(app(shelf)) as (host, port), AsyncHTTPClient(max_body=1_000_000) as client:
            seed = f"http://{host}:{port}/old"
            await crawl_all(client, seed, Path(folder), enough=30)
            await crawl_all(client, seed, Path(folder))

            async for page in bulk.crawl([seed], client=client, politeness=POLITE, depth=1):
                print(page.depth, page.url.rpartition("/")[2], page.error or [link.text for link in page.links])

        shelves = [record.url for record in bulk.JSONLines.read(Path(folder) / "pages.jsonl") if record.status == 200]
        assert len(shelves) == len(set(shelves)) == 63


asyncio.run(main())
