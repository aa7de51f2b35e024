"""A long run that is broken off, and resumed: what is done is not asked for again, and what failed is."""

import asyncio
import tempfile
from pathlib import Path

from aiohttpclient import AsyncHTTPClient, bulk
from examples._app import Answer, Asked, app
from examples._server import serve

asked_for: list[str] = []
busy = True


def shop(asked: Asked) -> Answer:
    """Every tenth page comes when the rush is over."""
    asked_for.append(asked.path)
    if busy and int(asked.path.removeprefix("/item/")) % 10 == 0:
        return Answer(b"too many people", "503 Service Unavailable")
    return Answer(f"item {asked.path[6:]}, 5 €".encode(), fields={"Content-Type": "text/plain; charset=utf-8"})


async def fetch_all(client: AsyncHTTPClient, path: Path, stop_after: int | None = None) -> None:
    """The whole program: it can be started again and again."""
    urls = (f"/item/{number}" for number in range(100))
    async with (
        bulk.JSONLines(path, resume=True) as sink,
        bulk.fetch(sink.pending(urls), client=client, concurrency=8) as results,
    ):
        async for result in results:
            await sink.write(result)
            if sink.done == stop_after:
                break
    print(f"{sink.reported} results of this run are safe; {sink.done} items are done, {sink.failed} failed")


async def main() -> None:
    global busy
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "items.jsonl"
        async with (
            serve(app(shop)) as (host, port),
            AsyncHTTPClient(base_url=f"http://{host}:{port}", retries=None) as client,
        ):
            await fetch_all(client, path, stop_after=40)
            # Had the process been killed, the last line might be torn. A run that resumes would cut it off.
            with path.open("ab") as file:
                file.write(b'{"v":1,"key":"5f')
            await fetch_all(client, path)

            busy, before = False, len(asked_for)
            await fetch_all(client, path)
            print(f"the last run has asked for {len(asked_for) - before} pages")

        records = list(bulk.JSONLines.read(path))
        assert len({record.url for record in records}) == 100
        print(records[-1].status, records[-1].text, records[-1].headers)


asyncio.run(main())
