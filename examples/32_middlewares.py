"""Middlewares of one's own stand around all that a client does; what each attempt and hop needs anew is an `Auth`."""

import asyncio
import hashlib
import hmac
import itertools

from aiohttpclient import AsyncHTTPClient, Request, ResponseStream
from aiohttpclient.client import Handler
from examples._app import Answer, Asked, app
from examples._server import serve

KEY = b"shared with the server"


def signature(method: str, target: str) -> str:
    return hmac.new(KEY, f"{method} {target}".encode(), hashlib.sha256).hexdigest()


class Numbered:
    """Gives each request a number, and tells how it ended; where there is nothing to keep, a function will do."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)

    async def __call__(self, request: Request, call_next: Handler) -> ResponseStream:
        request.headers["X-Request-Id"] = number = str(next(self.numbers))
        stream = await call_next(request)  # redirects, retries, cookies: all of that is behind it
        print(f"{number}: {request.method} {request.url.path} -> {stream.status}, {len(stream.history)} redirects")
        return stream


class Signed:
    """Signs what is sent: each attempt, and each hop within the origin, by its own URL."""

    async def authorize(self, request: Request) -> None:
        request.headers["Authorization"] = f"HMAC {signature(request.method, request.url.raw_path_qs)}"

    async def answer(self, request: Request, stream: ResponseStream) -> bool:
        return False  # after a 401 there is nothing to do better


def site(asked: Asked) -> Answer:
    if asked.fields.get("authorization") != f"HMAC {signature(asked.method, asked.path)}":
        return Answer(b"the signature is wrong", "403 Forbidden")
    if asked.path == "/old":
        return Answer(status="308 Permanent Redirect", fields={"Location": "/new"})
    return Answer(f"{asked.path}, asked for by number {asked.fields['x-request-id']}".encode())


async def main() -> None:
    async with serve(app(site)) as (host, port):
        url = f"http://{host}:{port}"
        async with AsyncHTTPClient(base_url=url, auth=Signed(), middlewares=[Numbered()]) as client:
            print((await client.get("/page")).text)
            print((await client.get("/old")).text)
            print((await client.get("/page", auth=None)).text)


asyncio.run(main())
