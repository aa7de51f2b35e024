"""The two sides of a connection: what one does, the other gets to see."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing import FaultProxy, LoopbackServer
from tests.testing.lines import connected

if TYPE_CHECKING:
    from pathlib import Path


def _reset(writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_half_close_of_the_client() -> None:
    """A client that ends its side can be answered, and the server's end comes behind the answer."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy:

        @server.raw
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            data = await reader.read()
            writer.write(data.upper())
            await writer.drain()

        async with connected(proxy) as (reader, writer):
            writer.write(b"hello")
            writer.write_eof()
            assert await reader.read() == b"HELLO"
        await proxy.wait_closed()


async def test_half_close_of_the_server() -> None:
    """A server that ends its side goes on to get what the client sends."""
    got = asyncio.get_running_loop().create_future()
    async with LoopbackServer() as server, FaultProxy(server) as proxy:

        @server.raw
        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"go on")
            writer.write_eof()
            got.set_result(await reader.read())

        async with connected(proxy) as (reader, writer):
            assert await reader.read() == b"go on"
            writer.write(b"I do")
            writer.write_eof()
            assert await got == b"I do"
            await proxy.wait_closed()


async def test_reset_of_the_server() -> None:
    """A reset of the server is one for the client, and no end."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy:

        @server.raw
        async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(5)
            _reset(writer)

        async with connected(proxy) as (reader, writer):
            writer.write(b"hello")
            with pytest.raises(ConnectionResetError):
                await reader.read()
        await proxy.wait_closed()
        assert proxy.log == []


@pytest.mark.parametrize("has_ended", [False, True], ids=["at once", "after its end"])
async def test_reset_of_the_client(has_ended: bool) -> None:
    """A reset of the client is one for the server, also when the client had ended its side before."""
    got = asyncio.get_running_loop().create_future()
    async with LoopbackServer() as server, FaultProxy(server) as proxy:

        @server.raw
        async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                assert await reader.readexactly(5) == b"hello"
                writer.write(b"hello")
                while True:
                    if has_ended:  # what is sent to a client that is gone is how that shows
                        writer.write(b"x" * 1000)
                        await writer.drain()
                        await asyncio.sleep(0)
                    elif not await reader.read(100):
                        break
                got.set_result(None)
            except ConnectionError as error:
                got.set_result(error)

        async with connected(proxy) as (reader, writer):
            writer.write(b"hello")
            assert await reader.readexactly(5) == b"hello"
            if has_ended:
                writer.write_eof()
            _reset(writer)
            assert isinstance(await got, ConnectionError)
            await proxy.wait_closed()


async def test_end_before_anything() -> None:
    """A client that connects and leaves is a connection to the server that ends."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy:
        async with connected(proxy):
            await proxy.wait_connections(1)
        await proxy.wait_closed()
        while not (server.connections and server.connections[0].closed):
            await asyncio.sleep(0)
        assert (proxy.connections[0].to_server, proxy.connections[0].to_client) == (0, 0)


async def test_server_that_speaks_first() -> None:
    """What the server sends before the client has sent anything gets through."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy:

        @server.raw
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 hello\r\n")
            assert await reader.readline() == b"QUIT\r\n"

        async with connected(proxy) as (reader, writer):
            assert await reader.readline() == b"220 hello\r\n"
            writer.write(b"QUIT\r\n")
            assert await reader.read() == b""


async def test_unix_sockets(tmp_path: Path) -> None:
    """On Unix sockets it is the same, but for resets, which are ends there."""
    async with LoopbackServer(path=tmp_path / "server") as server:

        @server.raw
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write((await reader.read()).upper())

        async with FaultProxy(server, path=tmp_path / "proxy") as proxy, connected(proxy) as (reader, writer):
            writer.write(b"hello")
            writer.write_eof()
            assert await reader.read() == b"HELLO"
