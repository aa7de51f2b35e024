"""A service on a Unix socket, as Docker's and many others are: host and port only name it then."""

import asyncio
import tempfile
from asyncio import StreamReader, StreamWriter
from pathlib import Path

from aiohttpclient import AsyncHTTPConnection
from examples._server import read_request, response


async def service(reader: StreamReader, writer: StreamWriter) -> None:
    _, path, _ = await read_request(reader)
    writer.write(response(b"you asked for " + path.encode()))
    writer.close()
    await writer.wait_closed()


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "service.sock")
        server = await asyncio.start_unix_server(service, path)
        async with server, AsyncHTTPConnection("localhost", uds=path) as conn:
            await conn.request("GET", "/version")
            answer = await conn.getresponse()
            print(answer.status, await answer.read())


asyncio.run(main())
