"""A server that refuses a body while it is being sent: the answer is delivered, and not a broken pipe."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import CONTENT_TOO_LARGE, AsyncHTTPConnection
from examples._server import response, serve


async def strict(reader: StreamReader, writer: StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if b"Expect: 100-continue" in head and b"Content-Length: 5\r\n" in head:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        writer.write(response(await reader.readexactly(5)))
    else:
        writer.write(response(b"at most 5 bytes, please", "413 Content Too Large"))
    await writer.drain()
    # The connection is closed now, whatever is still on its way.


async def main() -> None:
    async with serve(strict) as (host, port), AsyncHTTPConnection(host, port) as conn:
        await conn.request("PUT", "/", bytes(50_000_000))  # returns when the answer is there
        answer = await conn.getresponse()
        print(answer.status == CONTENT_TOO_LARGE, await answer.read())

        # Who expects a refusal can ask first: the body waits for the server's word, for a second at most.
        await conn.request("PUT", "/", b"small", {"Expect": "100-continue"})
        answer = await conn.getresponse()
        print(answer.status, await answer.read())


asyncio.run(main())
