"""A pool keeps connections and lends each to one request at a time: a hundred requests over eight connections."""

import asyncio

from aiohttpclient import ConnectionPool, PoolLimits
from examples._server import serve, site

PAGES = {f"/{number}": b"page %d" % number for number in range(100)}


async def main() -> None:
    async with serve(site(PAGES)) as (host, port), ConnectionPool(PoolLimits(connections=8)) as pool:

        async def fetch(path: str) -> bytes:
            response = await pool.request("GET", f"http://{host}:{port}{path}")
            return await response.read()  # with its last byte the connection is the next request's

        bodies = await asyncio.gather(*(fetch(path) for path in PAGES))
        assert bodies == list(PAGES.values())  # each answer is the answer to its own request

        stats = pool.stats()
        print(f"{len(bodies)} pages, {stats.opened} connections opened, {stats.reused} requests over a used one")
        print(pool)


asyncio.run(main())
