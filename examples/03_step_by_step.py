"""A request in its steps, for whoever wants to decide about each: putrequest, putheader, endheaders, send."""

import asyncio

from aiohttpclient import AsyncHTTPConnection
from examples._server import serve, site


async def main() -> None:
    async with serve(site({"/form": b""})) as (host, port), AsyncHTTPConnection(host, port) as conn:
        print(conn.state.name)  # IDLE
        conn.putrequest("POST", "/form", skip_accept_encoding=True)
        conn.putheader("Accept", "text/plain")
        conn.putheader("Content-Length", 11)
        print(conn.state.name)  # REQUEST_STARTED: nothing was sent yet
        await conn.endheaders()
        print(conn.state.name)  # SENDING_BODY
        await conn.send(b"in ")
        await conn.send([b"three ", b"go"])
        print(conn.state.name)  # REQUEST_SENT: 11 bytes are complete
        response = await conn.getresponse()
        print(response.status, await response.read())


asyncio.run(main())
