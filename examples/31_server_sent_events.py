"""Server-sent events: an endless stream that is connected to again where it broke, without losing an event."""

import asyncio
import json
from collections.abc import AsyncIterator

from aiohttpclient import AsyncHTTPClient
from examples._app import Answer, Asked, app
from examples._server import serve

PRICES = [100, 103, 101, 99, 104, 107]
EVENTS = {"Content-Type": "text/event-stream"}


async def prices(start: int) -> AsyncIterator[bytes]:
    """Three at a time; then the connection ends, as proxies like to end it."""
    yield b": hello\nretry: 100\n\n"
    for number, price in list(enumerate(PRICES, 1))[start : start + 3]:
        data = json.dumps({"price": price})
        yield f"id: {number}\nevent: price\ndata: {data}\n\n".encode()


def exchange(asked: Asked) -> Answer:
    last = int(asked.fields.get("last-event-id", 0))
    if last == len(PRICES):
        return Answer(status="204 No Content")  # the end, for good
    return Answer(prices(last), fields=EVENTS)


async def main() -> None:
    async with serve(app(exchange)) as (host, port), AsyncHTTPClient(base_url=f"http://{host}:{port}") as client:
        got = []
        async for event in client.events("/prices"):
            got.append(event.json()["price"])
            print(event.id, event.event, event.data)
        assert got == PRICES

        async with client.stream("GET", "/prices") as stream:  # one stream, and what else its answer says
            print(stream.status, [event.id async for event in stream.iter_events()])


asyncio.run(main())
