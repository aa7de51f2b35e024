"""What took how long, and what happened when: on each response, as events, and in the log; nothing secret in any."""

import asyncio
import logging
import sys

from aiohttpclient import AsyncHTTPClient, ClientEvent
from aiohttpclient.pool import PoolEvent  # noqa: TC001  # examples import plainly
from examples._app import Answer, Asked, app
from examples._server import serve


def site(asked: Asked) -> Answer:
    return Answer(asked.path.encode() * 1_000_000)


async def main() -> None:
    events: list[ClientEvent | PoolEvent] = []
    async with (
        serve(app(site)) as (_, port),
        AsyncHTTPClient(base_url=f"http://localhost:{port}", on_event=events.append) as client,
    ):
        for _ in range(2):
            response = await client.get("/", params={"token": "secret"})
            timings = response.timings
            assert timings.receive is not None
            opening = "a used connection" if timings.reused else f"connect {1000 * (timings.connect or 0):.1f}"
            print(f"pool {1000 * timings.pool:.1f}, {opening}, wait {1000 * timings.wait:.1f}, ", end="")
            print(f"receive {1000 * timings.receive:.1f}, in all {1000 * timings.total:.1f} ms, {timings.address[0]}")

        for event in events:
            print(f"{type(event).__name__}: {event}".replace(str(port), "8080"))
        assert not any("secret" in str(event) for event in events)

        async with client.stream("GET", "/") as stream:
            events.clear()
            await anext(stream.iter_bytes(1000))
        print(*events, sep="\n")  # what is left early is told, too, and what becomes of its connection

        logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(name)s: %(message)s")
        logging.getLogger("asyncio").setLevel(logging.WARNING)
        await client.get("/", auth=("me", "secret"))  # the same, for who has no code for it


asyncio.run(main())
