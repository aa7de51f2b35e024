"""103 Early Hints, and other 1xx responses: offered to a callback when they come, and not taken for the answer."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import AsyncHTTPConnection, Headers
from examples._server import read_request, response, serve


async def hinting(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
    await writer.drain()
    await asyncio.sleep(0.05)  # the page takes a while
    writer.write(response(b"<html>the page</html>"))
    await reader.read()


def preload(status: int, reason: str, headers: Headers) -> None:
    print(status, reason, headers.getall("Link"))


async def main() -> None:
    async with serve(hinting) as (host, port), AsyncHTTPConnection(host, port, on_informational=preload) as conn:
        await conn.request("GET", "/")
        answer = await conn.getresponse()
        print(answer.status, answer.reason, await answer.read())


asyncio.run(main())
