"""URLs from others: only the public Internet is connected to, whatever a name turns out to stand for."""

import asyncio

from aiohttpclient import AddressRefused, ConnectionPool
from aiohttpclient.net import TCPDialer, public_only
from examples._server import serve, site


async def main() -> None:
    async with serve(site({"/": b"secrets"})) as (_, port), ConnectionPool(dialer=TCPDialer(allow=public_only)) as pool:
        for host in ("localhost", "127.0.0.1", "127.1", "[::ffff:127.0.0.1]", "169.254.169.254", "10.0.0.1"):
            try:
                await pool.request("GET", f"http://{host}:{port}/")
            except AddressRefused as error:  # decided on the address that would be connected to, not on the name
                print(error)


asyncio.run(main())
