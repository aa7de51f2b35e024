"""``python -m benchmarks.probe``: measures the memory of one contender in a process that has done nothing else.

:func:`run` starts it; it prints one number of bytes. Each contender is warmed up with small requests before the base
line is taken, so that modules, caches and the shared receive buffer are not counted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import socket
import subprocess
import sys
import warnings
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

from aiohttpclient import AsyncHTTPConnection

from . import memory
from .clients import CLIENTS, Setup, url_of
from .floors import BareStream
from .servers import LARGE, LARGE_SIZE, SMALL, SMALL_SIZE, Address, allow_many_files

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .clients import Client

OURS: Final = "aiohttpclient"
AIOHTTP: Final = "aiohttp"
BARE_STREAM: Final = "bare stream"
SEMAPHORE: Final = "bare streams and a semaphore"

WARM_UP: Final = 20
"""Requests, or connections, before the base line."""

BUSY: Final = 50
"""Connections that are busy while others wait."""

SETTLED: Final = 0.2
"""Seconds after which whoever is going to wait does, also in the threads of a compiled core."""


def run(work: str, contender: str, address: Address, count: int = 1) -> int:
    """What ``contender`` needs for ``work``, one of those in :data:`PROBES`, in bytes, measured in a fresh process.

    :raises subprocess.CalledProcessError: when the measurement fails; its error is on stderr
    """
    arguments = [work, contender, address.host, str(address.port), str(count)]
    command = [sys.executable, "-m", "benchmarks.probe", *arguments]
    answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(answer.stdout)


async def _peak_above(start: Callable[[], Awaitable[object]]) -> int:
    """By how many bytes the process grows, at the highest, while ``start()`` is awaited."""
    gc.collect()
    memory.reset_peak()
    before = memory.resident()
    kept = await start()
    grown = memory.peak() - before
    del kept
    return grown


async def _read_ours(address: Address, _count: int) -> int:
    async with AsyncHTTPConnection(address.host, address.port) as conn:

        async def get(path: str) -> bytes:
            await conn.request("GET", path)
            response = await conn.getresponse()
            return await response.read()

        for _ in range(WARM_UP):
            await get(SMALL)
        return await _peak_above(lambda: get(LARGE))


async def _read_aiohttp(address: Address, _count: int) -> int:
    import aiohttp

    async with aiohttp.ClientSession(f"http://{address.host}:{address.port}") as session:

        async def get(path: str) -> bytes:
            async with session.get(path) as response:
                return await response.read()

        for _ in range(WARM_UP):
            await get(SMALL)
        return await _peak_above(lambda: get(LARGE))


async def _send_ours(address: Address, _count: int) -> int:
    async with AsyncHTTPConnection(address.host, address.port) as conn:

        async def post(body: bytes) -> bytes:
            await conn.request("POST", "/sink", body)
            response = await conn.getresponse()
            return await response.read()

        for _ in range(WARM_UP):
            await post(b"x")
        body = b"x" * LARGE_SIZE
        return await _peak_above(lambda: post(body))


async def _send_aiohttp(address: Address, _count: int) -> int:
    import aiohttp

    async with aiohttp.ClientSession(f"http://{address.host}:{address.port}") as session:

        async def post(body: bytes) -> bytes:
            async with session.post("/sink", data=body) as response:
                return await response.read()

        for _ in range(WARM_UP):
            await post(b"x")
        body = b"x" * LARGE_SIZE
        return await _peak_above(lambda: post(body))


async def _idle_ours(address: Address, count: int) -> int:
    async with AsyncExitStack() as stack:

        async def connect() -> None:
            conn = AsyncHTTPConnection(address.host, address.port)
            await stack.enter_async_context(conn)
            await conn.request("GET", SMALL)
            response = await conn.getresponse()
            await response.read()

        return await _private_per(connect, count)


async def _idle_bare_stream(address: Address, count: int) -> int:
    async with AsyncExitStack() as stack:

        async def connect() -> None:
            stream = await BareStream.connect(address, SMALL, SMALL_SIZE)
            stack.push_async_callback(stream.close)
            await stream.fetch()

        return await _private_per(connect, count)


async def _private_per(connect: Callable[[], Awaitable[None]], count: int) -> int:
    """Bytes of private memory that each of ``count`` connections takes when all of them are idle."""
    for _ in range(WARM_UP):
        await connect()
    gc.collect()
    before = memory.private()
    for _ in range(count):
        await connect()
    gc.collect()
    return (memory.private() - before) // count


async def _wait_semaphore(_address: Address, count: int) -> int:
    semaphore = asyncio.Semaphore(BUSY)
    never = asyncio.Event()

    async def fetch() -> None:
        async with semaphore:
            await never.wait()

    return await _private_waiting(fetch, count)


def _wait_through(client: Client) -> Callable[[Address, int], Awaitable[int]]:
    async def wait(address: Address, count: int) -> int:
        # Nobody accepts: the kernel does that by itself, and no request is ever answered.
        with socket.create_server((address.host, 0), backlog=2 * BUSY) as listener:
            silent = Address("silence", *listener.getsockname())
            async with client(Setup(silent, BUSY)) as fetch:
                url = url_of(silent)
                return await _private_waiting(lambda: fetch(url), count)

    return wait


async def _private_waiting(fetch: Callable[[], Awaitable[object]], count: int) -> int:
    """Bytes of private memory that each of ``count`` tasks takes when all of them wait for a connection."""

    async def request() -> None:
        await fetch()

    tasks = [asyncio.create_task(request()) for _ in range(BUSY + WARM_UP)]
    try:
        await asyncio.sleep(SETTLED)
        gc.collect()
        before = memory.private()
        tasks += [asyncio.create_task(request()) for _ in range(count)]
        await asyncio.sleep(SETTLED)
        gc.collect()
        if any(task.done() for task in tasks):
            raise RuntimeError("not all requests wait")
        return (memory.private() - before) // count
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


PROBES: Final[dict[tuple[str, str], Callable[[Address, int], Awaitable[int]]]] = {
    ("read", OURS): _read_ours,
    ("read", AIOHTTP): _read_aiohttp,
    ("send", OURS): _send_ours,
    ("send", AIOHTTP): _send_aiohttp,
    ("idle", OURS): _idle_ours,
    ("idle", BARE_STREAM): _idle_bare_stream,
    ("wait", SEMAPHORE): _wait_semaphore,
    **{("wait", name): _wait_through(client) for name, client in CLIENTS.items()},
}


async def _measure(arguments: argparse.Namespace) -> int:
    address = Address("", arguments.host, arguments.port)
    return await PROBES[arguments.work, arguments.contender](address, arguments.count)


def main() -> None:
    """Measures what the command line names and prints the number of bytes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probe")
    parser.add_argument("work", choices=sorted({work for work, _ in PROBES}))
    parser.add_argument("contender")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("count", type=int)
    allow_many_files()
    # aiohttp advises against large bytes; sending them is what is measured.
    warnings.filterwarnings("ignore", "Sending a large body directly", ResourceWarning)
    print(asyncio.run(_measure(parser.parse_args())))


if __name__ == "__main__":
    main()
