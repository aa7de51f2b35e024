"""Thousands of URLs, one loop: results as they come, errors among them, and nothing held that is not needed."""

import asyncio
from collections import Counter
from collections.abc import Iterator

from aiohttpclient import AsyncHTTPClient, bulk
from examples._app import Answer, Asked, app
from examples._server import serve

PAGES = 2000


def site(asked: Asked) -> Answer:
    """Every hundredth page is gone."""
    return Answer(asked.path.encode(), "410 Gone" if asked.path.endswith("99") else "200 OK")


def urls() -> Iterator[str]:
    """They are taken one by one, as there is room for them: a file of millions would do as well."""
    for number in range(PAGES):
        yield f"/page/{number}"
    yield "http://[not a URL"


async def main() -> None:
    async with serve(app(site)) as (host, port), AsyncHTTPClient(base_url=f"http://{host}:{port}") as client:
        statuses: Counter[int] = Counter()
        async for result in bulk.fetch(urls(), client=client, concurrency=20):
            if result.response is not None:
                statuses[result.response.status] += 1
            else:
                print("not fetched:", result.item, "-", type(result.error).__name__)
        print(*(f"{status}: {number}" for status, number in sorted(statuses.items())), sep=", ")
        print(client.pool.stats().opened, "connections")

        # In the order of the input, with options, and only as many as are wanted: to leave the loop ends the rest.
        searches = (("/search", {"params": {"page": number}, "timeout": 5}) for number in range(PAGES))
        async with bulk.fetch(searches, client=client, ordered=True) as results:
            async for result in results:
                print(result.index, result.unwrap().url.query_string)
                if result.index == 2:
                    break


asyncio.run(main())
