"""A connection carries one transaction at a time; for more at a time there are more connections."""

import asyncio

from aiohttpclient import AsyncHTTPConnection, CannotSendRequest
from examples._server import serve, site

PAGES = {f"/{number}": b"page %d" % number for number in range(100)}


async def worker(host: str, port: int, paths: asyncio.Queue[str]) -> int:
    """Fetches one page after another over one connection; how many bytes."""
    size = 0
    async with AsyncHTTPConnection(host, port) as conn:
        while not paths.empty():
            await conn.request("GET", paths.get_nowait())
            response = await conn.getresponse()
            size += len(await response.read())
    return size


async def main() -> None:
    async with serve(site(PAGES)) as (host, port):
        paths: asyncio.Queue[str] = asyncio.Queue()
        for path in PAGES:
            paths.put_nowait(path)
        sizes = await asyncio.gather(*(worker(host, port, paths) for _ in range(5)))
        print("pages:", len(PAGES), "bytes:", sum(sizes))

        async with AsyncHTTPConnection(host, port) as conn:
            await conn.request("GET", "/1")
            try:
                await conn.request("GET", "/2")  # the response to the first was not read
            except CannotSendRequest as error:
                print(error)


asyncio.run(main())
