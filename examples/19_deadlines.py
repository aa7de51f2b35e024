"""One deadline for everything: waiting for a connection, connecting, the answer, and the next request as well."""

import asyncio
from asyncio import StreamReader, StreamWriter

from aiohttpclient import ConnectionPool, PoolLimits, PoolTimeout, Timeout, TimeoutManager, TotalTimeout
from examples._server import read_request, response, serve


async def dripping(reader: StreamReader, writer: StreamWriter) -> None:
    """Answers at once, or a byte at a time and never to the end, so that no silence is ever long."""
    while True:
        _, path, _ = await read_request(reader)
        if path == "/fast":
            writer.write(response(b"here you are"))
            continue
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b".")
            await asyncio.sleep(0.01)


async def main() -> None:
    limits = PoolLimits(connections=1)
    async with serve(dripping) as (host, port), ConnectionPool(limits, Timeout(total=5)) as pool:
        url = f"http://{host}:{port}"
        clock = TimeoutManager(Timeout(total=0.3))  # runs from now on, and can be given to several requests
        answer = await pool.request("GET", f"{url}/fast", timeout=clock)
        print(await answer.read(), f"{clock.left:.1f} s left")
        try:
            answer = await pool.request("GET", f"{url}/slow", timeout=clock)
            await answer.read()  # which `read=0.3` would let go on for ever
        except TotalTimeout as error:
            print(f"{error.phase}: {error.method} {error.url}, {error.elapsed:.1f} s")

        answer = await pool.request("GET", f"{url}/slow")
        try:
            await pool.request("GET", f"{url}/fast", timeout=Timeout(pool=0.05))  # the only connection is busy
        except PoolTimeout as error:
            print(f"{error.phase}: waited {error.elapsed:.2f} s")
        await answer.close()  # not read to its end: the connection is given up, and its room is free
        print(pool)


asyncio.run(main())
