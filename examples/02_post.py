"""Posting a form: the other example session of http.client's documentation, with await."""

import asyncio
import urllib.parse

from aiohttpclient import AsyncHTTPConnection
from examples._server import serve, site


async def main() -> None:
    async with serve(site({"/cgi-bin/query": b""})) as (host, port):  # an empty page gives back what is posted
        params = urllib.parse.urlencode({"spam": 1, "eggs": 2, "bacon": 0})
        headers = {"Content-type": "application/x-www-form-urlencoded", "Accept": "text/plain"}
        conn = AsyncHTTPConnection(f"{host}:{port}")
        await conn.request("POST", "/cgi-bin/query", params, headers)
        response = await conn.getresponse()
        print(response.status, response.reason)  # 200 OK
        data = await response.read()
        print(data)
        await conn.close()


asyncio.run(main())
