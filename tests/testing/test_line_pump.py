"""One direction of a connection: bytes in their order, and never more of them under way than there is room for."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing import FaultProxy, LoopbackServer, line, virtual_time
from aiohttpclient.testing._line_pump import BUFFER
from tests.testing.lines import connected, echo

if TYPE_CHECKING:
    from aiohttpclient.testing._line_pump import Pump

LARGE = Random(3).randbytes(1_000_003) * 40
"""More than the kernel has room for, in all of its buffers on the way."""

SOME = LARGE[:500_000]


def _pumps(proxy: FaultProxy) -> tuple[Pump, Pump]:
    (link,) = proxy._service._links.values()
    return link._to_server, link._to_client


async def _turns(number: int = 100) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def _filled(pump: Pump) -> None:
    while pump.room:
        await asyncio.sleep(0)


async def _stands_still(proxy: FaultProxy) -> None:
    """Wait until nothing moves any more: as many turns of the loop as it never takes to go on."""
    (connection,) = proxy.connections
    before = -1
    while before != (before := connection.to_client + connection.to_server):
        await _turns()


@pytest.mark.parametrize(
    "faults",
    [None, line.Delay(0.001, jitter=0.001), line.Bandwidth(100_000_000), line.Drip(100_000, 0), line.Stall(0, after=9)],
    ids=["none", "Delay", "Bandwidth", "Drip", "Stall"],
)
async def test_all_arrives(faults: Any) -> None:
    """What is sent arrives, all of it and in its order, both ways at once."""
    data = SOME * 2
    async with echo(faults=faults) as (_, proxy), connected(proxy) as (reader, writer):
        writer.write(data)
        writer.write_eof()
        assert await reader.read() == data
        assert (proxy.connections[0].to_server, proxy.connections[0].to_client) == (len(data), len(data))


async def test_client_that_does_not_read() -> None:
    """A client that does not read slows the server down, and little waits in between."""
    sent = 0
    async with LoopbackServer() as server, FaultProxy(server) as proxy:

        @server.raw
        async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal sent
            await reader.readexactly(1)
            for at in range(0, len(LARGE), 50_000):
                writer.write(LARGE[at : at + 50_000])
                await writer.drain()
                sent = at + 50_000

        async with connected(proxy) as (reader, writer):
            writer.transport.pause_reading()  # type: ignore[attr-defined]  # the writer's type has not got it
            writer.write(b"x")
            await proxy.wait_bytes(1)
            to_client = _pumps(proxy)[1]
            await _filled(to_client)
            await _stands_still(proxy)
            assert sent < len(LARGE)
            assert to_client._queued <= BUFFER
            writer.transport.resume_reading()  # type: ignore[attr-defined]  # the writer's type has not got it
            assert await reader.read() == LARGE


async def test_server_that_does_not_read() -> None:
    """A server that does not read slows the client down."""
    go_on = asyncio.Event()
    got = asyncio.get_running_loop().create_future()
    async with LoopbackServer() as server, FaultProxy(server) as proxy:

        @server.raw
        async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await go_on.wait()
            got.set_result(await reader.read())

        async with connected(proxy) as (_, writer):
            writer.write(LARGE)
            await proxy.wait_bytes(1)
            to_server = _pumps(proxy)[0]
            await _filled(to_server)
            await _stands_still(proxy)
            assert to_server._queued <= BUFFER
            assert writer.transport.get_write_buffer_size() > 0
            go_on.set()
            writer.write_eof()
            assert await got == LARGE


async def test_pause() -> None:
    """While the proxy is paused nothing passes, no end either, and then all that was held back does."""
    async with echo() as (_, proxy), connected(proxy) as (reader, writer):
        writer.write(b"before")
        assert await reader.readexactly(6) == b"before"
        proxy.pause()
        writer.write(SOME)
        writer.write_eof()
        to_server = _pumps(proxy)[0]
        await _filled(to_server)
        await _turns()
        assert proxy.connections[0].to_server == 6
        assert to_server._queued <= BUFFER
        proxy.resume()
        assert await reader.read() == SOME


async def test_room_of_a_delay() -> None:
    """Under way with a delay are as many bytes as there is room for, and the others after them."""
    with virtual_time() as clock:
        async with echo(faults=line.Delay(10, to="server")) as (_, proxy), connected(proxy) as (reader, writer):
            writer.write(LARGE[: 2 * BUFFER])
            await proxy.wait_connections(1)
            to_server = _pumps(proxy)[0]
            await _filled(to_server)
            await clock.elapse(10.001)
            assert await reader.readexactly(BUFFER) == LARGE[:BUFFER]
            await proxy.wait_bytes(BUFFER)
            for _ in range(100):
                await asyncio.sleep(0)
            assert to_server.room == 0
            assert proxy.connections[0].to_server == BUFFER
            await clock.elapse(10.001)
            assert await reader.readexactly(BUFFER) == LARGE[BUFFER : 2 * BUFFER]


async def test_what_is_thrown_away() -> None:
    """Behind a stall for ever the sender can go on: what it sends is taken, and thrown away."""
    async with LoopbackServer() as server, FaultProxy(server, faults=line.Stall(after=3, to="server")) as proxy:

        @server.raw
        async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readexactly(3) == LARGE[:3]
            assert await reader.read() == b""  # when the client has left

        async with connected(proxy) as (_, writer):
            writer.write(LARGE)
            await writer.drain()
            while writer.transport.get_write_buffer_size():
                await asyncio.sleep(0)
            assert proxy.connections[0].to_server == 3
            assert _pumps(proxy)[0].room == BUFFER
