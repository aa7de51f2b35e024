"""A service over a bad line: what its retries are worth, with the same bad luck in each run."""

import asyncio
from collections import Counter

from aiohttpclient import AsyncHTTPClient, HTTPException, RetryPolicy, Timeout
from aiohttpclient.testing import FaultProxy, LoopbackServer, ServerRequest, line

QUICK = Timeout(connect=0.2, read=0.2)


async def prices(client: AsyncHTTPClient) -> Counter[str]:
    """What is tested: it asks for a hundred prices, and counts what became of that."""
    outcomes: Counter[str] = Counter()
    for number in range(100):
        try:
            response = await client.get(f"/prices/{number}")
            outcomes["right" if response.json() == {"price": number} else "wrong"] += 1
        except (HTTPException, OSError) as error:
            outcomes[type(error).__name__] += 1
    return outcomes


async def main() -> None:
    # A fifth of the connections have one of the faults of networks: which one, and at which byte, the seed says.
    async with LoopbackServer(close_after=2) as server, FaultProxy(server, chaos=0.2, seed=7) as proxy:

        @server.route("GET", "/prices/{number}")
        async def price(request: ServerRequest) -> dict[str, int]:
            return {"price": int(request.params["number"])}

        async with AsyncHTTPClient(base_url=proxy.url, timeout=QUICK, retries=None) as client:
            print("without retries:", dict(await prices(client)))
        print("because of:", *proxy.log, sep="\n  ")

        # An answer that is late, or ends in its head, is no reason to ask again, unless one says so: GET may be.
        again = RetryPolicy(4, on_errors=(OSError, HTTPException), backoff=0)
        async with AsyncHTTPClient(base_url=proxy.url, timeout=QUICK, retries=again) as client:
            print("with retries:", dict(await prices(client)))

    # A line that does one thing, to one connection: the answer is lost, and the order was taken.
    async with LoopbackServer() as server, FaultProxy(server) as proxy:
        server.add("POST", "/orders", (201, "thank you"))
        proxy.script(line.Reset(after=0), None)
        async with AsyncHTTPClient(base_url=proxy.url) as client:
            try:
                await client.post("/orders", json={"sku": 1})
            except OSError as error:
                print(type(error).__name__, "after", len(server.requests), "order: not sent again")
            await proxy.wait_closed()

            # And one that is interrupted while a test looks on.
            proxy.pause()
            task = asyncio.create_task(client.post("/orders", json={"sku": 2}))
            await proxy.wait_connections(2)
            proxy.resume()
            print("resumed:", (await task).text)


asyncio.run(main())
