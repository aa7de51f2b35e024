"""Retries: what is safe to repeat is, within the time there is; every attempt can be seen."""

import asyncio
from collections import Counter

from aiohttpclient import AsyncHTTPClient, RetryPolicy, Timeout
from examples._app import Answer, Asked, app
from examples._server import serve

CALLS: Counter[str] = Counter()


def restarting(asked: Asked) -> Answer:
    """Is not up at first, each time it is asked for another path."""
    CALLS[asked.path] += 1
    if CALLS[asked.path] < 3:
        return Answer(b"starting", "503 Service Unavailable", {"Retry-After": "0"})
    return Answer(b"up")


async def main() -> None:
    async with serve(app(restarting)) as (host, port), AsyncHTTPClient(base_url=f"http://{host}:{port}") as client:
        response = await client.get("/get")
        print(response.status, response.text)
        for attempt in response.attempts:
            print(f"  {attempt.number}: {attempt.status or attempt.error}, next after {attempt.delay}")

        response = await client.post("/post", json={"pay": 100})
        print(response.status, "POST is not sent twice: the server may have done it")

        # A service that says that its POSTs may be repeated, by a key for example, gets another policy:
        policy = RetryPolicy(5, methods=None, backoff=0.01, on_status={503})
        key, within = {"Idempotency-Key": "7c9e6679"}, Timeout(total=5)  # seconds, for all attempts and waits together
        response = await client.post("/charge", json={"pay": 100}, headers=key, retries=policy, timeout=within)
        print(response.status, response.text, "after", len(response.attempts), "attempts")

        response = await client.get("/once", retries=None)
        print(response.status, "without retries")


asyncio.run(main())
