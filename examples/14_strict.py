"""Strict mode refuses what could be read in two ways, and limits bound what a peer may send."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import AsyncHTTPConnection, HTTPException, MessageLimits
from examples._server import read_request, serve

DOUBTFUL = {
    "/lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 5\r\n\r\nok",
    "/both": b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "/lines": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "/fields": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50 + b"Content-Length: 2\r\n\r\nok",
}


async def doubtful(reader: StreamReader, writer: StreamWriter) -> None:
    while True:
        _, path, _ = await read_request(reader)
        writer.write(DOUBTFUL[path])


async def fetch(conn: AsyncHTTPConnection, path: str) -> str:
    try:
        await conn.request("GET", path)
        response = await conn.getresponse()
        return repr(await response.read())
    except HTTPException as error:
        return f"{type(error).__name__}: {error}"


async def main() -> None:
    async with (
        serve(doubtful) as (host, port),
        AsyncHTTPConnection(host, port) as lenient,  # forgives what http.client forgives
        AsyncHTTPConnection(host, port, strict=True, limits=MessageLimits(fields=20)) as strict,
    ):
        for path in DOUBTFUL:
            print(f"{path:9} lenient: {await fetch(lenient, path)}")
            print(f"{path:9} strict:  {await fetch(strict, path)}")


asyncio.run(main())
