"""A large response in parts: as it comes, line by line, or into memory of one's own."""

import asyncio

from aiohttpclient import AsyncHTTPConnection
from examples._server import serve, site

LINES = b"".join(b"line %d\n" % number for number in range(20_000))


async def main() -> None:
    async with serve(site({"/lines": LINES})) as (host, port), AsyncHTTPConnection(host, port) as conn:
        await conn.request("GET", "/lines")
        response = await conn.getresponse()
        print("bytes announced:", response.length)
        size = 0
        async for block in response.iter_bytes():  # while this loop waits, the server has to wait too
            size += len(block)
        print("bytes received: ", size)

        await conn.request("GET", "/lines")
        response = await conn.getresponse()
        count = 0
        async for _ in response:
            count += 1
        print("lines:", count)

        await conn.request("GET", "/lines")
        response = await conn.getresponse()
        buffer = bytearray(response.length or 0)
        await response.readinto(buffer)  # received straight into the buffer
        print("the same bytes:", buffer == LINES)


asyncio.run(main())
