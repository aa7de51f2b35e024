"""A timeout of five minutes is tested in no time: the server is a function, and so is the clock."""

import asyncio
import time
from asyncio import StreamReader, StreamWriter

from aiohttpclient import AsyncHTTPClient, ReadTimeout, Timeout
from aiohttpclient.testing import MemoryDialer, VirtualTimeLoop, virtual_time


async def fetch_report(client: AsyncHTTPClient) -> str:
    """What is tested: it waits five minutes for the first byte, and not longer."""
    try:
        return (await client.get("https://reports.example/2026", timeout=Timeout(read=300))).text
    except ReadTimeout as error:
        return f"no report after {error.elapsed:.0f} s"


async def silent(reader: StreamReader, _: StreamWriter) -> None:
    """A server that takes the request and says nothing, until the client has enough."""
    await reader.read()


async def slow(reader: StreamReader, writer: StreamWriter) -> None:
    """One that answers just in time."""
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(299)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nall well")


async def test_on_its_own_loop() -> None:
    """On this loop nobody waits: where all do, the next timer is due."""
    async with MemoryDialer(silent, secure=True) as dialer, AsyncHTTPClient(transport=dialer) as client:
        assert await fetch_report(client) == "no report after 300 s"
    async with MemoryDialer(slow, secure=True) as dialer, AsyncHTTPClient(transport=dialer) as client:
        assert await fetch_report(client) == "all well"
    print(f"{asyncio.get_running_loop().time():.0f} s on the clock of the loop")


async def test_on_any_loop() -> None:
    """On any other, time stands still until the test moves it."""
    with virtual_time() as clock:
        async with MemoryDialer(silent, secure=True) as dialer, AsyncHTTPClient(transport=dialer) as client:
            task = asyncio.create_task(fetch_report(client))
            await clock.elapse(299)
            assert not task.done()
            await clock.elapse(1)
            print(task.result())


started = time.perf_counter()
with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
    runner.run(test_on_its_own_loop())
asyncio.run(test_on_any_loop())
print(f"{time.perf_counter() - started:.1f} s on that of the wall")
