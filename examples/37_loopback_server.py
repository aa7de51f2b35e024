"""Testing a service against a real server on this machine, which goes wrong in just the way that a test wants."""

import asyncio

from aiohttpclient import AsyncHTTPClient, HTTPException, RetryPolicy, Timeout
from aiohttpclient.testing import CutBody, Garbage, LoopbackServer, Reset, ServerRequest, Stall


class Weather:
    """The service under test: it should always know something."""

    def __init__(self, client: AsyncHTTPClient) -> None:
        self.client = client
        self.last: dict[str, str] = {}

    async def at(self, place: str) -> str:
        try:
            response = await self.client.get(f"/weather/{place}")
            response.raise_for_status()
            self.last[place] = response.json()["sky"]
        except (HTTPException, OSError) as error:
            return f"{self.last.get(place, 'unknown')}, as far as we know ({type(error).__name__})"
        return self.last[place]


async def main() -> None:
    retries = RetryPolicy(2, on_status={503}, backoff=0)
    async with (
        LoopbackServer() as server,
        AsyncHTTPClient(base_url=server.url, timeout=Timeout(read=0.1), retries=retries) as client,
    ):
        weather = Weather(client)

        @server.route("GET", "/weather/{place}")
        async def sky(request: ServerRequest) -> dict[str, str]:
            return {"sky": "rain" if request.params["place"] == "Bergen" else "sun"}

        print("Bergen:", await weather.at("Bergen"))
        print("asked for", server.requests[0].path, "with", server.requests[0].headers["Accept"])

        # Answers that are given one after the other: the client tries again by itself.
        server.add("GET", "/weather/Oslo", (503, "starting"), {"sky": "fog"})
        print("Oslo:", await weather.at("Oslo"), "at request", len(server.requests))

        # An answer may be a fault: one kind of trouble, which the server makes in the same way each time.
        for fault in (Stall(), Reset(), Garbage(), CutBody({"sky": "snow"}, after=5)):
            server.add("GET", "/weather/{place}", fault)
            print(f"{type(fault).__name__}:", await weather.at("Bergen"))

        # So may the server be as a whole. By now no connection is left: each of the faults has cost one.
        server.faults.refuse = True
        print("refused:", await weather.at("Bergen"))
    # The block has ended: nothing listens any more, and a handler that had failed would have raised here.


asyncio.run(main())
