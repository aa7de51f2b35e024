"""HTTPS. Whatever is connected to is verified: by the public authorities, or by those of one's own context."""

import asyncio
import ssl

import trustme

from aiohttpclient import AsyncHTTPSConnection
from examples._server import serve, site


async def main() -> None:
    authority = trustme.CA()
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(server_side)

    async with serve(site({"/": b"a secret\n"}), server_side) as (host, port):
        trusting = ssl.create_default_context()
        authority.configure_trust(trusting)
        # The connection goes to an address, so that the name to verify has to be said.
        async with AsyncHTTPSConnection(host, port, context=trusting, server_hostname="localhost") as conn:
            await conn.request("GET", "/")
            response = await conn.getresponse()
            print(response.status, response.url, await response.read())


asyncio.run(main())
