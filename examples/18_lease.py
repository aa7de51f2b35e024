"""A leased connection is one holder's for as many exchanges as it wants, and of no use to it afterwards."""

import asyncio

from aiohttpclient import ConnectionPool, LeaseEnded
from examples._server import serve, site

PAGES = {"/login": b"", "/account": b"your account"}


async def main() -> None:
    async with serve(site(PAGES)) as (host, port), ConnectionPool() as pool:
        async with pool.connection(f"http://{host}:{port}") as conn:  # an AsyncHTTPConnection
            await conn.request("POST", "/login", b"user=me")
            response = await conn.getresponse()
            print(await response.read())

            await conn.request("GET", "/account")  # over the same connection, whatever others ask the pool for
            response = await conn.getresponse()
            print(await response.read())
        print(pool)

        try:
            await conn.request("GET", "/account")
        except LeaseEnded as error:
            print(error)


asyncio.run(main())
