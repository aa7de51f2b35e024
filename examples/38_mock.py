"""Testing a service with a mock: what others answer, what they were asked, and what is nearest if nothing fits."""

import asyncio
import re

from aiohttpclient import AsyncHTTPClient, IncompleteRead, RetryPolicy
from aiohttpclient.testing import HTTPMock, UnmatchedRequest

API = "https://shop.example/api"


class Shop:
    """The service under test: it orders what is in stock, and says what came of it."""

    def __init__(self, client: AsyncHTTPClient) -> None:
        self.client = client

    async def order(self, item: str, count: int) -> str:
        stock = await self.client.get(f"{API}/stock", params={"item": item, "unit": "piece"})
        if stock.raise_for_status().json()["count"] < count:
            return f"{item}: sold out"
        order = await self.client.post(f"{API}/orders", json={"item": item, "count": count})
        return f"{item}: {order.status} {order.reason}, number {order.json()['number']}"


async def test_orders(shop: Shop) -> None:
    async with HTTPMock(assert_all_called=True) as mock:
        mock.get(f"{API}/stock?unit=piece&item=tea", payload={"count": 7}, repeat=True)
        mock.get(re.compile(rf"{API}/stock\?item=\w+"), payload={"count": 0})
        mock.post(f"{API}/orders", status=201, payload={"number": 1}, match_json={"item": "tea", "count": 2})
        print(await shop.order("tea", 2))
        print(await shop.order("rum", 1))
        mock.assert_any_call(f"{API}/orders", method="POST", json={"item": "tea", "count": 2})


async def test_trouble(shop: Shop) -> None:
    async with HTTPMock() as mock:
        # The client tries again by itself: what it is given first, it never shows.
        mock.get(re.compile(f"{API}/stock"), exception=ConnectionResetError("gone"))
        mock.get(re.compile(f"{API}/stock"), body=['{"count"', 0.01, ": 7", ValueError("the disk is full")])
        try:
            await shop.order("tea", 2)
        except IncompleteRead as error:
            print(f"half an answer: {error.partial.decode()}, because {error.__cause__}")

        mock.get(re.compile(f"{API}/stock"), payload={"count": 7})
        mock.post(f"{API}/orders", match_json={"item": "tea", "count": 3}, match_headers={"X-Shop": "7"})
        try:
            await shop.order("tea", 2)
        except UnmatchedRequest as error:
            print(error)


async def main() -> None:
    async with AsyncHTTPClient(retries=RetryPolicy(backoff=0)) as client:
        await test_orders(Shop(client))
        await test_trouble(Shop(client))


asyncio.run(main())
