"""What goes over the wire, printed as http.client prints it."""

import asyncio

from aiohttpclient import AsyncHTTPConnection
from examples._server import serve, site


async def main() -> None:
    async with serve(site({"/": b"hello\n"})) as (host, port), AsyncHTTPConnection(host, port) as conn:
        conn.set_debuglevel(1)
        await conn.request("POST", "/", b"a body", {"X-Field": "value"})
        response = await conn.getresponse()
        await response.read()
        print(conn, response)


asyncio.run(main())
