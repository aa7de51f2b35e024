"""Cookies: what a server sets comes back to it, is saved to a file, and is there again in the next run."""

import asyncio
import tempfile
from pathlib import Path

from aiohttpclient import AsyncHTTPClient, CookieJar
from examples._app import Answer, Asked, app
from examples._server import serve


def site(asked: Asked) -> Answer:
    if asked.path == "/login":
        return Answer(b"welcome", fields={"Set-Cookie": "session=opensesame; Path=/; HttpOnly; Max-Age=3600"})
    if asked.path == "/sly":  # a domain that is not its own: such a cookie is dropped
        return Answer(b"welcome", fields={"Set-Cookie": "spy=1; Domain=example.org"})
    return Answer(asked.fields.get("cookie", "no cookie").encode())


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cookies.json"
        async with serve(app(site)) as (host, port):
            url = f"http://{host}:{port}"
            async with AsyncHTTPClient(base_url=url) as client:
                response = await client.get("/login")
                print("set:", response.cookies)
                await client.get("/sly")
                print("sent:", (await client.get("/")).text)
                response = await client.get("/", cookies={"lang": "en"})  # with this request only
                print("sent:", response.text)
                for cookie in client.cookies:
                    print("kept:", cookie)  # without its value
                client.cookies.save(path)  # readable by nobody else

            async with AsyncHTTPClient(base_url=url, cookies=CookieJar.load(path)) as client:
                response = await client.get("/")
                assert response.text == "session=opensesame"
                print("the next day:", response.text)
                client.cookies.clear()
                print("after that:", (await client.get("/")).text)


asyncio.run(main())
