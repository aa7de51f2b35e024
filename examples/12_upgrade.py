"""Another protocol on the same connection: after 101 the byte stream is given away, as asyncio's reader and writer."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import SWITCHING_PROTOCOLS, AsyncHTTPConnection
from examples._server import read_request, serve


async def shouting(reader: StreamReader, writer: StreamWriter) -> None:
    await read_request(reader)
    writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\nWELCOME\n")
    while line := await reader.readline():
        writer.write(line.upper())


async def main() -> None:
    async with serve(shouting) as (host, port):
        conn = AsyncHTTPConnection(host, port)
        await conn.request("GET", "/", headers={"Connection": "upgrade", "Upgrade": "shout"})
        response = await conn.getresponse()
        assert response.status == SWITCHING_PROTOCOLS
        reader, writer = conn.detach()  # whoever has them closes them; the connection has nothing left to close
        print(await reader.readline())  # it came in the same segment as the response
        writer.write(b"is anybody there?\n")
        print(await reader.readline())
        writer.close()
        await writer.wait_closed()


asyncio.run(main())
