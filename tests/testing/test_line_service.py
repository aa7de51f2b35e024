"""Many connections behind one address: what happens to which, how a test waits, and how all of it ends."""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, HTTPException, PoolLimits, RetryPolicy, Timeout
from aiohttpclient.testing import FaultProxy, LoopbackServer, ServerRequest, ServerResponse, line
from tests.support.leaks import open_descriptors, other_tasks
from tests.testing.lines import ALL, DIGITS, GONE, RESET, client_through, connected, echo, outcome
from tests.testing.serving import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))


# -- what happens to which connection


async def test_script() -> None:
    """A script is for the next connections, one after the other, and its last line for all that follow."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy:
        server.add("GET", "/", DIGITS)
        assert await outcome(proxy, server) == ALL
        proxy.script(line.Cut(), [line.Drip(1, 0), line.Truncate(2, after=8)], None)
        assert await outcome(proxy, server) == GONE
        assert (await outcome(proxy, server)).startswith("BadStatusLine: HTTP/1.1")
        assert [await outcome(proxy, server) for _ in range(3)] == [ALL] * 3
        proxy.script(line.Cut())
        assert [await outcome(proxy, server) for _ in range(3)] == [GONE] * 3
        proxy.script()
        assert await outcome(proxy, server) == ALL
        assert {event.connection for event in proxy.log} == {1, 2, 6, 7, 8}


async def test_faults_change() -> None:
    """The faults of all connections may be changed and set, which holds for those that come after that."""
    async with LoopbackServer() as server, FaultProxy(server, faults=line.Cut(connection=1)) as proxy:
        server.add("GET", "/", DIGITS)
        assert [await outcome(proxy, server) for _ in range(3)] == [ALL, GONE, ALL]
        proxy.faults.append(line.Refuse())
        assert await outcome(proxy, server) in {GONE, RESET}
        proxy.faults = line.Cut()
        assert await outcome(proxy, server) == GONE
        proxy.faults = None
        assert await outcome(proxy, server) == ALL
        assert proxy.faults == []


async def test_what_is_no_fault() -> None:
    """What is no fault is refused, and where it is smuggled in, the block raises."""
    with pytest.raises(TypeError, match="not a fault of a line: 3"):
        FaultProxy("127.0.0.1", 80, faults=3)  # type: ignore[arg-type]  # that is the test
    async with LoopbackServer() as server:
        with pytest.raises(TypeError, match="not a fault of a line: 'Cut'"):
            async with FaultProxy(server) as proxy:
                with pytest.raises(TypeError, match="not a fault of a line: 3"):
                    proxy.script(None, 3)  # type: ignore[arg-type]  # that is the test
                with pytest.raises(TypeError, match="not a fault of a line: 3"):
                    proxy.faults = [3]  # type: ignore[list-item]  # that is the test
                proxy.faults.append("Cut")  # type: ignore[arg-type]  # that is the test
                server.add("GET", "/", DIGITS)
                assert await outcome(proxy, server) == ALL


async def test_one_of_your_own() -> None:
    """A fault of one's own is a class that says what becomes of bytes."""

    class Shout(line.StreamFault):
        def edit(self, stage: line.Stage, item: line.Item) -> Iterator[line.Item]:
            yield item._replace(data=item.data.upper())

    async with LoopbackServer() as server, FaultProxy(server, faults=Shout(after=b"\r\n\r\n")) as proxy:
        server.add("GET", "/", b"hello")
        assert await outcome(proxy, server) == "200: HELLO"
        assert [event.what for event in proxy.log] == ["Shout"]


async def test_one_of_your_own_that_fails() -> None:
    """A fault that raises resets its connection, and fails the test; more failures than one come in a group."""

    class Broken(line.StreamFault):
        def edit(self, stage: line.Stage, item: line.Item) -> Iterator[line.Item]:
            raise ZeroDivisionError

    class Undecided(line.LineFault):
        def concerns(self, number: int, random: Random) -> bool:
            return bool(1 / number)

    async with LoopbackServer() as server:
        server.add("GET", "/", DIGITS)
        with pytest.raises(ZeroDivisionError):
            async with FaultProxy(server, faults=Broken()) as proxy:
                assert await outcome(proxy, server) in {GONE, RESET}
        with pytest.raises(BaseExceptionGroup) as caught:
            async with FaultProxy(server, faults=[Broken(to="server")]) as proxy:
                for _ in range(2):
                    assert await outcome(proxy, server) in {GONE, RESET}
        assert [type(error) for error in caught.value.exceptions] == [ZeroDivisionError] * 2
        undecided = Undecided.__new__(Undecided)  # which is asked only when there is a connection
        with pytest.raises(ZeroDivisionError):
            async with FaultProxy(server, faults=undecided) as proxy:
                assert await outcome(proxy, server) == ALL


async def test_too_many_open_files() -> None:
    """Where no more connections can be accepted, the test is told what to do."""
    with pytest.raises(OSError, match="Too many open files") as caught:
        async with echo() as (_, proxy):
            proxy._service.cannot_accept(OSError(errno.EMFILE, "Too many open files"))
    assert "FaultProxy cannot accept" in caught.value.__notes__[0]


# -- what a test does meanwhile


async def test_pause_holds_new_connections() -> None:
    """While the proxy is paused, connections are accepted, and the server hears nothing of them."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy:
        server.add("GET", "/", DIGITS)
        proxy.pause()
        task = asyncio.create_task(outcome(proxy, server))
        await proxy.wait_connections(1)
        for _ in range(50):
            await asyncio.sleep(0)
        assert server.connections == []
        proxy.resume()
        assert await task == ALL


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
async def test_drop_all(paused: bool) -> None:
    """All connections are reset, on both sides, and new ones are as before."""
    async with echo() as (server, proxy):
        async with connected(proxy) as (reader, writer), connected(proxy) as (other, _):
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"
            await proxy.wait_connections(2)
            if paused:
                proxy.pause()
            await proxy.drop_all()
            for one in (reader, other):
                with pytest.raises(ConnectionResetError):
                    await one.read()
            assert [str(event) for event in proxy.log] == [
                f"connection {number}: dropped by drop_all" for number in range(2)
            ]
            await proxy.drop_all()
            proxy.resume()
        while not server.connections[0].closed:
            await asyncio.sleep(0)
        assert isinstance(server.connections[0].error, ConnectionResetError)
        async with connected(proxy) as (reader, writer):
            writer.write(b"x")
            assert await reader.readexactly(1) == b"x"


async def test_waiting() -> None:
    """A test can wait for connections, bytes, faults and ends; it is told what came where they do not come."""
    async with echo(faults=line.Stall(after=3, connection=1)) as (_, proxy):
        with pytest.raises(TimeoutError, match=r"^2 connections did not come within 0\.01 s, but: no connection$"):
            await proxy.wait_connections(2, timeout=0.01)
        async with connected(proxy) as (_, writer), connected(proxy) as (_, other):
            assert [connection.number for connection in await proxy.wait_connections(2)] == [0, 1]
            writer.write(b"hello")
            await proxy.wait_bytes(5)
            await proxy.wait_bytes(5, to="client")
            await proxy.wait_bytes(5, to="client", connection=0)
            other.write(b"hello")
            assert list(map(str, await proxy.wait_log(1))) == ["connection 1, to the client, after 3 bytes: Stall"]
            await proxy.wait_bytes(8, to="client")
            with pytest.raises(
                TimeoutError, match=r"^4 bytes did not go to the client within .* 5 bytes to the server, 3 b"
            ):
                await proxy.wait_bytes(4, to="client", connection=1, timeout=0.01)
            with pytest.raises(TimeoutError, match=r"^2 faults did not happen within"):
                await proxy.wait_log(2, timeout=0.01)
            with pytest.raises(TimeoutError, match=r"^the connections were not closed within"):
                await proxy.wait_closed(timeout=0.01)
        await proxy.wait_closed()


# -- a storm


@both
async def test_storm(tls: bool) -> None:
    """Of 300 requests over a bad line each has its own answer, whole, or an error; and nothing is left."""
    tasks = other_tasks()
    descriptors = open_descriptors()
    requests, timeout = 300, Timeout(total=5, connect=0.5, read=0.5)
    async with LoopbackServer(tls=tls) as server, FaultProxy(server, chaos=0.3, seed=7) as proxy:

        @server.route("/{number}")
        async def answer(request: ServerRequest) -> ServerResponse:
            number = int(request.params["number"])
            return ServerResponse(200, _body(number), chunked=number % 3 == 0)

        async with client_through(proxy, server, timeout=timeout, limits=PoolLimits(connections=30)) as client:
            right, wrong = 0, []

            async def ask(number: int) -> None:
                nonlocal right
                method = "POST" if number % 2 else "GET"
                try:
                    response = await client.request(method, f"/{number}", content=_body(number) if number % 2 else None)
                except (HTTPException, OSError) as error:
                    wrong.append(error)
                else:
                    assert response.content == _body(number)
                    right += 1

            await asyncio.gather(*[ask(number) for number in range(requests)])
            assert right + len(wrong) == requests
            assert right > 200
            kinds = {event.what.partition("(")[0] for event in proxy.log}
            assert wrong
            assert len(kinds) >= 4, kinds
            assert client.pool.stats().busy == 0
    server.failures.clear()
    assert all(connection.closed for connection in proxy.connections)
    assert other_tasks() <= tasks
    assert not {one for one in open_descriptors() - descriptors if one.addresses()}


def _body(number: int) -> bytes:
    return f"<{number}>".encode() * (number % 50 + 1)


async def test_retries_get_through() -> None:
    """What a test wants to see: a client that tries again gets an answer to each request over a bad line."""
    lost: dict[str, Any] = {"chance": 0.1, "connection": range(1, 1000)}
    faults = [
        line.Reset(**lost),
        line.Cut(**lost),
        line.Cut(to="server", after=b"\r\n\r\n", **lost),
        line.Refuse(**lost),
    ]
    retries = RetryPolicy(6, backoff=0, budget=None)
    async with LoopbackServer(close_after=1) as server, FaultProxy(server, faults=faults, seed=3) as proxy:
        server.route("/{number}")(lambda request: request.params["number"])
        async with AsyncHTTPClient(base_url=proxy.url, retries=retries, trust_env=False) as client:
            for number in range(50):
                assert (await client.get(f"/{number}")).text == str(number)
        assert len(proxy.log) > 15
