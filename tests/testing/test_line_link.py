"""A connection through the proxy, from its acceptance to its end, whatever comes in between."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing import FaultProxy, LoopbackServer, line
from tests.net.stepping import Moment, sweep
from tests.support.leaks import open_descriptors, other_tasks
from tests.testing.lines import GONE, RESET, client_through, connected, echo, outcome
from tests.testing.serving import SCHEMES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.net.stepping import Ending


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def test_server_that_refuses() -> None:
    """Where the server cannot be connected to, the client is reset, and the log says why."""
    async with LoopbackServer() as server:
        async with FaultProxy("127.0.0.1", _free_port()) as proxy:
            assert await outcome(proxy, server) in {GONE, RESET}
            await proxy.wait_closed()
            assert list(map(str, proxy.log)) == ["connection 0: no connection to the server (ConnectionRefusedError)"]
            assert isinstance(proxy.connections[0].error, ConnectionRefusedError)


async def test_server_that_is_not_there(tmp_path: Path) -> None:
    """A Unix socket that does not exist is a server that cannot be connected to."""
    async with FaultProxy(tmp_path / "nothing") as proxy, connected(proxy) as (reader, _):
        with pytest.raises(ConnectionResetError):
            await reader.read()
        assert isinstance(proxy.connections[0].error, FileNotFoundError)


async def test_both_ended_is_over() -> None:
    """A connection that is stalled is over when client and server have ended it, and is held until then."""
    async with echo(faults=line.Stall(after=2)) as (server, proxy):
        async with connected(proxy) as (reader, writer):
            writer.write(b"hello")
            assert await reader.readexactly(2) == b"he"
            assert not proxy.connections[0].closed
        await proxy.wait_closed()
    assert server.connections[0].error is None


async def test_cut_waits_for_the_client() -> None:
    """After a cut the client may go on to send, and is not reset for that."""
    async with echo(faults=line.Cut(after=2)) as (_, proxy):
        async with connected(proxy) as (reader, writer):
            writer.write(b"hello")
            assert await reader.read() == b"he"
            for _ in range(20):
                writer.write(b"x" * 100_000)
                await writer.drain()
            assert not proxy.connections[0].closed
        await proxy.wait_closed()


async def test_black_hole() -> None:
    """A black hole takes all there is, says nothing, and is over when the client leaves."""
    async with echo(faults=line.BlackHole()) as (server, proxy):
        async with connected(proxy) as (_, writer):
            for _ in range(20):
                writer.write(b"x" * 100_000)
                await writer.drain()
        await proxy.wait_closed()
        assert server.connections == []
        assert list(map(str, proxy.log)) == ["connection 0: BlackHole"]


async def test_client_that_left_before() -> None:
    """A client that is gone before its connection is dealt with does no harm."""
    async with echo(faults=line.SlowAccept(0.001)) as (_, proxy):
        for _ in range(5):
            sock = socket.create_connection((proxy.host, proxy.port))
            sock.close()
        await proxy.wait_connections(5)
        await proxy.wait_closed()


# -- the end of the block, and cancellation


STATES: dict[str, Any] = {
    "plain": None,
    "stalled": line.Stall(after=2),
    "delayed": line.Delay(3600, to="both"),
    "dripping": line.Drip(1, 3600),
    "idle": line.CloseIdle(3600),
    "cut": line.Cut(after=2),
    "half-closed": line.HalfClose(after=2),
    "not accepted": line.SlowAccept(3600),
    "black hole": line.BlackHole(),
    "refused": line.Refuse(),
}


@pytest.mark.parametrize("faults", STATES.values(), ids=list(STATES))
@pytest.mark.parametrize("how", ["end", "drop_all"])
async def test_nothing_is_left(faults: Any, how: str) -> None:
    """Whatever connections are at, behind the block and behind drop_all no task and no descriptor of them is left."""
    async with LoopbackServer() as server:
        server.add("GET", "/", b"hello")
        async with contextlib.AsyncExitStack() as stack:
            tasks, descriptors = other_tasks(), open_descriptors()
            async with FaultProxy(server, faults=faults) as proxy:
                streams = [await stack.enter_async_context(connected(proxy)) for _ in range(3)]
                for _, writer in streams:
                    if not writer.is_closing():  # it may be refused already
                        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                await proxy.wait_connections(3)
                for _ in range(20):
                    await asyncio.sleep(0)
                if how == "drop_all":
                    await proxy.drop_all()
                    assert all(connection.closed for connection in proxy.connections)
                    assert not proxy._service._links
            own = (proxy.host, proxy.port)
            assert not [one for one in open_descriptors() - descriptors if one.addresses()[:1] == [own]]
            assert {task for task in other_tasks() - tasks if "FaultProxy" in task.get_name()} == set()
            for reader, _ in streams:
                with contextlib.suppress(ConnectionError):
                    await reader.read()


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize(
    "faults",
    [None, line.SlowAccept(0), line.SlowAccept(3600), line.Cut(after=100), line.Refuse(), line.Stall(after=4)],
    ids=["plain", "slow accept", "too slow accept", "cut", "refuse", "stall"],
)
async def test_cancelled_anywhere(moment: Moment, faults: Any) -> None:
    """A test that is cancelled, at any step, leaves nothing of its proxy."""
    async with echo() as (_, behind):
        tasks, descriptors = other_tasks(), open_descriptors()

        async def work() -> None:
            async with FaultProxy(behind, faults=faults) as proxy, connected(proxy) as (reader, writer):
                writer.write(b"hello")
                await proxy.wait_connections(1)
                if not isinstance(faults, line.SlowAccept):
                    with contextlib.suppress(ConnectionError):
                        await reader.read(1)
                    await proxy.drop_all()

        async def after(ending: Ending) -> None:
            for _ in range(30):
                if not (other_tasks() - tasks or open_descriptors() - descriptors) and not behind._service._links:
                    return
                await asyncio.sleep(0)
            assert other_tasks() <= tasks, ending
            assert open_descriptors() <= descriptors, ending

        assert await sweep(moment, work, after=after) >= 2


@pytest.mark.parametrize("moment", Moment)
@pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))
async def test_requests_cancelled_anywhere(moment: Moment, tls: bool) -> None:
    """A client that gives up, at any step of a request over a slow line, leaves no connection behind it."""
    async with LoopbackServer(tls=tls) as server:
        server.add("POST", "/", b"x" * 500)
        async with FaultProxy(server, faults=line.Drip(200, 0, to="both")) as proxy:

            async def work() -> None:
                async with client_through(proxy, server) as client:
                    assert len((await client.post("/", content=b"x" * 500)).content) == 500

            async def after(ending: Ending) -> None:
                await proxy.wait_closed()
                assert not proxy._service._links, ending

            assert await sweep(moment, work, after=after) >= 1


async def test_cancelled_before_it_begins() -> None:
    """A connection whose task is cancelled before it has begun is closed, too."""
    async with echo() as (_, proxy):
        sock = socket.create_connection((proxy.host, proxy.port))
        while not proxy.connections:
            await asyncio.sleep(0)
        for task in proxy._service._tasks._tasks:
            task.cancel()
        await proxy.wait_closed()
        sock.close()


async def test_client_that_is_cancelled() -> None:
    """A request that is cancelled ends its connection, and that to the server."""
    async with LoopbackServer() as server, FaultProxy(server, faults=line.Stall()) as proxy:
        server.add("GET", "/", b"hello")
        async with client_through(proxy, server) as client:
            task = asyncio.create_task(client.get("/"))
            await proxy.wait_log(1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await proxy.wait_closed()
        while not server.connections[0].closed:
            await asyncio.sleep(0)
