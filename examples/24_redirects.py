"""Redirects are followed, and kept in `history`; what is for one origin does not go to another."""

import asyncio

from aiohttpclient import AsyncHTTPClient, RedirectRefused, TooManyRedirects
from examples._app import Answer, Asked, app, as_json
from examples._server import serve

MOVED = {
    "/old": ("301 Moved Permanently", "/newer"),
    "/newer": ("302 Found", "new?page=1#top"),
    "/form": ("303 See Other", "/new"),  # now a GET, without the body, as a POST after 301 and 302; not after 307, 308
    "/circle": ("302 Found", "/circle"),
    "/file": ("302 Found", "file:///etc/passwd"),
    "/new": ("200 OK", ""),
}


def site(asked: Asked) -> Answer:
    status, location = MOVED.get(asked.path) or ("302 Found", asked.query["to"])
    return Answer(f"{asked.method} {asked.path}, {len(asked.body)} bytes".encode(), status, {"Location": location})


def stranger(asked: Asked) -> Answer:
    return as_json({name: value for name, value in asked.fields.items() if "auth" in name or "key" in name})


async def main() -> None:
    async with (
        serve(app(stranger)) as (_, other_port),
        serve(app(site)) as (host, port),
        AsyncHTTPClient(base_url=f"http://{host}:{port}") as client,
    ):
        response = await client.get("/old")
        print(response.text, "after", [one.status for one in response.history], "at", response.url.fragment)
        response = await client.post("/form", data={"spam": "eggs"})
        print(response.text)

        away = {"to": f"http://{host}:{other_port}/"}
        response = await client.get("/away", params=away, auth=("me", "secret"), headers={"X-Api-Key": "secret"})
        assert response.url.port == other_port
        print("the other origin got", response.json())

        for path in ("/circle", "/file"):
            try:
                await client.get(path)
            except (TooManyRedirects, RedirectRefused) as error:
                print(f"{type(error).__name__}: {error}".replace(str(port), "8080"))
        response = await client.get("/old", follow_redirects=False)
        print(response.status, response.headers["Location"])


asyncio.run(main())
