"""A pool behind a proxy: `http` is forwarded, `https` goes through a tunnel; the password is for the proxy alone."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import ConnectionPool, Proxy, TunnelError
from examples._server import response, serve


async def forwarding(reader: StreamReader, writer: StreamWriter) -> None:
    """A proxy that plays the origin itself, and has no tunnels."""
    while True:
        line, *fields = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        if line.startswith("CONNECT"):
            writer.write(response(b"tunnels are for members", "403 Forbidden"))
        else:
            known = any(field.startswith("Proxy-Authorization: Basic ") for field in fields)
            writer.write(response(f"{line} ({'known' if known else 'unknown'})".encode()))


async def main() -> None:
    async with serve(forwarding) as (host, port):
        proxy = Proxy.parse(f"http://me:secret@{host}:{port}")  # also https://, socks5h:// and others
        print(repr(proxy).replace(str(port), "8080"))
        async with ConnectionPool(proxy=proxy) as pool:
            answer = await pool.request("GET", "http://origin.example/page")
            print(await answer.read())
            try:
                await pool.request("GET", "https://origin.example/page")
            except TunnelError as error:
                print(error.status, error.reason, error.body)


asyncio.run(main())
