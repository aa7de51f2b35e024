"""A script: one call a request, and what the environment says about proxies; a client may be told to ignore that."""

import asyncio
import os
from asyncio import StreamReader, StreamWriter

import aiohttpclient
from aiohttpclient import AsyncHTTPClient, Proxy
from examples._app import Answer, Asked, app, read_asked
from examples._server import response, serve


def site(asked: Asked) -> Answer:
    return Answer(f"{asked.path} straight from the origin".encode())


async def proxy(reader: StreamReader, writer: StreamWriter) -> None:
    """Plays all origins itself, and says what it was asked for."""
    while True:
        asked = await read_asked(reader)
        known = "proxy-authorization" in asked.fields
        writer.write(response(f"{asked.path} by way of the proxy, {'known' if known else 'unknown'}".encode()))


async def main() -> None:
    async with serve(app(site)) as (_, port), serve(proxy) as (host, proxy_port):
        os.environ["HTTP_PROXY"] = f"http://me:secret@{host}:{proxy_port}"
        os.environ["NO_PROXY"] = f"localhost,10.0.0.0/8,127.0.0.1:{port}"

        answer = await aiohttpclient.get("http://example.org/page")  # a client for one request
        print(answer.text)
        answer = await aiohttpclient.get(f"http://127.0.0.1:{port}/")
        print(answer.text)

        async with AsyncHTTPClient(trust_env=False) as client:  # neither proxies, nor netrc, nor SSL_CERT_FILE
            print((await client.get(f"http://localhost:{port}/")).text)

        def choose(origin: str) -> Proxy | None:
            """Asked once for each origin."""
            return Proxy.parse(f"http://{host}:{proxy_port}") if origin.endswith(".example") else None

        async with AsyncHTTPClient(proxy=choose) as client:
            print((await client.get("http://shop.example/cart")).text)
            print((await client.get(f"http://127.0.0.1:{port}/")).text)


asyncio.run(main())
