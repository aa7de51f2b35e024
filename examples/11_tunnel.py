"""Through a proxy: set_tunnel() asks it for a tunnel with CONNECT, and HTTPS would go through the same way."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import AsyncHTTPConnection, TunnelError
from examples._server import response, serve


async def proxy(reader: StreamReader, writer: StreamWriter) -> None:
    """Leads to one origin only, which it plays itself."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"CONNECT origin.example:80 ") or b"Proxy-Authorization: Basic " not in head:
        writer.write(response(b"", "407 Proxy Authentication Required"))
        return
    writer.write(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 example\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    writer.write(response(b"from the origin"))
    await reader.read()


async def main() -> None:
    async with serve(proxy) as (host, port):
        async with AsyncHTTPConnection(host, port) as conn:
            conn.set_tunnel("origin.example", headers={"Proxy-Authorization": "Basic dXNlcjpwdw=="})
            await conn.request("GET", "/page")
            answer = await conn.getresponse()
            print(answer.url, await answer.read())
            print(conn.get_proxy_response_headers())

        async with AsyncHTTPConnection(host, port) as conn:
            conn.set_tunnel("origin.example")
            try:
                await conn.connect()
            except TunnelError as error:  # also an OSError, as in http.client
                print(error.status, error.reason)


asyncio.run(main())
