"""What can be sent: bytes, text, files, iterables, async iterables. Each is framed as http.client frames it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import Any

from aiohttpclient import AsyncHTTPConnection
from examples._server import serve, site


async def measurements() -> AsyncIterator[bytes]:
    """Data that is made while it is sent."""
    for number in range(3):
        await asyncio.sleep(0.01)
        yield b"%d;" % number


async def upload(conn: AsyncHTTPConnection, what: str, body: Any, **headers: str) -> None:
    await conn.request("PUT", "/upload", body, headers)
    response = await conn.getresponse()
    print(f"{what}: {len(await response.read())} bytes arrived")


async def main() -> None:
    async with serve(site({"/upload": b""})) as (host, port), AsyncHTTPConnection(host, port) as conn:
        await upload(conn, "bytes", b"abc")
        await upload(conn, "text, as ISO-8859-1", "caf\xe9")
        await upload(conn, "pieces, each a chunk", [b"one", b"two"])
        await upload(conn, "an async generator", measurements())
        with tempfile.TemporaryFile() as file:
            file.write(bytes(1_000_000))
            file.seek(0)
            # A file on disk goes from the disk to the network inside the kernel (sendfile), never through this process.
            await upload(conn, "a file of declared length", file, **{"Content-Length": "1000000"})


asyncio.run(main())
