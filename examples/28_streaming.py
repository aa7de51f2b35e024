"""A large answer, read as it comes: decoded on the way, in bounded memory, however much it unfolds to."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

from aiohttpclient import AsyncHTTPClient, BodyTooLarge, DecodingError
from examples._app import Answer, Asked, app
from examples._server import serve

RECORDS = 20_000
GZIPPED = {"Content-Encoding": "gzip", "Content-Type": "application/x-ndjson"}
BOMB = gzip.compress(bytes(100_000_000))


async def records() -> AsyncIterator[bytes]:
    """Gzip members one after the other, in pieces that end anywhere."""
    lines = "".join(json.dumps({"number": number, "square": number**2}) + "\n" for number in range(RECORDS))
    data = gzip.compress(lines[:100_000].encode()) + gzip.compress(lines[100_000:].encode())
    for start in range(0, len(data), 5000):
        yield data[start : start + 5000]


def site(asked: Asked) -> Answer:
    if asked.path == "/records":
        return Answer(records(), fields=GZIPPED)
    return Answer(BOMB if asked.path == "/bomb" else BOMB[:-100], fields=GZIPPED)


async def main() -> None:
    async with serve(app(site)) as (host, port), AsyncHTTPClient(base_url=f"http://{host}:{port}") as client:
        async with client.stream("GET", "/records") as stream:
            await stream.raise_for_status()
            total = 0
            async for line in stream.iter_lines():
                total += json.loads(line)["square"]
        assert total == sum(number**2 for number in range(RECORDS))
        print(RECORDS, "records, sum of squares", total)

        try:
            await client.get("/bomb", max_body=1_000_000)  # 100 MB from 100 KB: stopped after the first of them
        except BodyTooLarge as error:
            print(error)
        try:
            await client.get("/broken")  # cut short within the coding: an error, not a shorter answer
        except DecodingError as error:
            print(error)

        async with client.stream("GET", "/bomb") as stream:
            async for block in stream.iter_raw(10):  # as it travels
                print(block.hex(), "...")
                break  # the rest is not read, so this connection is closed


asyncio.run(main())
