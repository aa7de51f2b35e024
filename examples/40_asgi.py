"""A service is tested in process: no port, no thread, and its startup and shutdown are the block of the transport."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.testing import ASGITransport


def with_fastapi() -> Any:
    """The service, where FastAPI is installed."""
    from fastapi import FastAPI, Request  # it may not be there

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[dict[str, Any]]:
        yield {"prices": {"tea": 3}}

    service = FastAPI(lifespan=lifespan)

    async def price(name: str, request: Request) -> dict[str, Any]:
        return {"name": name, "price": request.state.prices.get(name)}

    service.add_api_route("/prices/{name}", price)
    return service


async def by_hand(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The same in the words of ASGI."""
    if scope["type"] == "lifespan":
        await receive()
        scope["state"]["prices"] = {"tea": 3}
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    name = scope["path"].rpartition("/")[2]
    body = json.dumps({"name": name, "price": scope["state"]["prices"].get(name)}).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})


async def main() -> None:
    try:
        app = with_fastapi()
    except ImportError:
        app = by_hand
    async with (
        ASGITransport(app, client=("198.51.100.7", 4711)) as transport,
        AsyncHTTPClient(transport=transport, base_url="https://shop.example") as client,
    ):
        for name in ("tea", "coffee"):
            print((await client.get(f"/prices/{name}")).json())
        print("dialled:", transport.dialed, "and nothing failed:", not transport.failures)


asyncio.run(main())
