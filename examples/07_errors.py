"""What goes wrong on networks, and the exceptions for it: http.client's own classes, and some that say more."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import AsyncHTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected
from examples._server import read_request, serve


async def faulty(reader: StreamReader, writer: StreamWriter) -> None:
    _, path, _ = await read_request(reader)
    if path == "/half":
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this much")
    elif path == "/nonsense":
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\n")


async def main() -> None:
    async with serve(faulty) as (host, port), AsyncHTTPConnection(host, port) as conn:
        for path in ("/nothing", "/half", "/nonsense"):
            try:
                await conn.request("GET", path)
                response = await conn.getresponse()
                await response.read()
            except RemoteDisconnected as error:
                print(f"{path}: {error}")
            except IncompleteRead as error:
                print(f"{path}: {len(error.partial)} bytes came, {error.expected} did not")
            except HTTPException as error:  # everything else that this library raises
                print(f"{path}: {type(error).__name__}: {error}")
            # The connection was closed; the next request opens another by itself.


asyncio.run(main())
