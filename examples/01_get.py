"""Two pages over one connection: the example session of http.client's documentation, with await."""

import asyncio

from aiohttpclient import AsyncHTTPConnection
from examples._server import serve, site


async def main() -> None:
    async with serve(site({"/index.html": b"<html>Welcome</html>\n"})) as (host, port):
        conn = AsyncHTTPConnection(host, port)
        await conn.request("GET", "/index.html")
        r1 = await conn.getresponse()
        print(r1.status, r1.reason)  # 200 OK
        data1 = await r1.read()
        print(data1)
        await conn.request("GET", "/parrot.spam")
        r2 = await conn.getresponse()
        print(r2.status, r2.reason)  # 404 Not Found
        data2 = await r2.read()
        print(data2)
        await conn.close()


asyncio.run(main())
