"""Every wait is bounded, and the error says which it was, for what, and how long it took."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import AsyncHTTPConnection, ReadTimeout, Timeout
from examples._server import read_request, response, serve


async def slow(reader: StreamReader, writer: StreamWriter) -> None:
    _, path, _ = await read_request(reader)
    if path == "/fast":
        writer.write(response(b"here you are"))
    await reader.read()


async def main() -> None:
    # Seconds. A bare number would bound each phase alike; what is not named has a default.
    timeout = Timeout(connect=5, read=0.1)
    async with serve(slow) as (host, port), AsyncHTTPConnection(host, port, timeout=timeout) as conn:
        try:
            await conn.request("GET", "/slow")
            await conn.getresponse()
        except ReadTimeout as error:  # also a TimeoutError, and an HTTPException
            print(f"{error.phase}: {error.method} {error.url}")
            print(f"limit {error.limit} s, given up after {error.elapsed:.1f} s")

        conn.timeout = 5  # counts from now on
        await conn.request("GET", "/fast")  # over a new connection: the late answer can answer nothing
        answer = await conn.getresponse()
        print(answer.status, await answer.read())


asyncio.run(main())
