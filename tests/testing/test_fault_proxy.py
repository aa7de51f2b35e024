"""The proxy as its users have it: where it is, what it is told, and what it tells."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, IncompleteRead
from aiohttpclient.net import UnixDialer
from aiohttpclient.testing import FaultProxy, LoopbackServer, line
from tests.support.leaks import open_descriptors, other_tasks
from tests.testing.lines import ALL, DIGITS, GONE, RESET, client_through, connected, echo, outcome
from tests.testing.serving import SCHEMES

if TYPE_CHECKING:
    from pathlib import Path

both = pytest.mark.parametrize("tls", SCHEMES.values(), ids=list(SCHEMES))


# -- as a user has it


@both
async def test_nothing_happens(tls: bool) -> None:
    """Without faults all passes as if there were no proxy, TLS and its certificates as well."""
    async with LoopbackServer(tls=tls) as server, FaultProxy(server) as proxy, client_through(proxy, server) as client:
        server.route("/{rest:path}")(lambda request: request.body)
        assert proxy.url == server.url.replace(str(server.port), str(proxy.port))
        for size in (0, 10, 1_000_000):
            assert len((await client.post("/x", content=b"x" * size)).content) == size
        assert len(proxy.connections) == 1
        assert server.requests[0].headers["Host"] == proxy.netloc
        assert proxy.log == []


async def test_a_fault() -> None:
    """A fault happens, the client reports it, and the log says where it was."""
    async with LoopbackServer() as server, FaultProxy(server, faults=line.Cut(after=(b"\r\n\r\n", 4))) as proxy:
        server.add("GET", "/", DIGITS)
        async with AsyncHTTPClient(base_url=proxy.url, retries=None, trust_env=False) as client:
            with pytest.raises(IncompleteRead):
                await client.get("/")
        (event,) = proxy.log
        assert event == (0, "client", proxy.connections[0].to_client, "Cut")


async def test_targets(tmp_path: Path) -> None:
    """The target is whatever one has at hand."""
    async with LoopbackServer() as server, LoopbackServer(path=tmp_path / "server") as at_path:
        for one in (server, at_path):
            one.add("GET", "/", DIGITS)
        targets: list[tuple[Any, ...]] = [
            (server,),
            (server.url,),
            (f"127.0.0.1:{server.port}",),
            ("localhost", server.port),
            (at_path,),
            (tmp_path / "server",),
            (str(tmp_path / "server"),),
        ]
        for target in targets:
            async with FaultProxy(*target) as proxy:
                assert await outcome(proxy, server) == ALL
        async with FaultProxy(server) as proxy, FaultProxy(proxy, faults=line.Cut()) as second:
            assert await outcome(second, server) == GONE


async def test_ipv6_and_unix_sockets(tmp_path: Path) -> None:
    """The proxy listens at ::1 or at a Unix socket, and leads there."""
    async with LoopbackServer(host="::1") as server:
        server.add("GET", "/", DIGITS)
        async with FaultProxy(server, host="::1") as proxy:
            assert proxy.netloc == f"[::1]:{proxy.port}"
            assert await outcome(proxy, server) == ALL
        path = tmp_path / "socket"
        async with FaultProxy(server, path=path) as proxy:
            assert (proxy.url, proxy.host, proxy.port, proxy.path) == ("http://localhost", "localhost", 0, str(path))
            async with connected(proxy) as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                assert (await reader.read()).endswith(DIGITS)
        assert not path.exists()


async def test_name_of_the_server(tmp_path: Path) -> None:
    """Through a Unix socket a client goes to the proxy under the name of the server, which its certificate is for."""
    path = str(tmp_path / "socket")
    async with LoopbackServer(tls=True) as server, FaultProxy(server, path=path, faults=line.Drip(1000, 0)) as proxy:
        server.add("GET", "/", DIGITS)
        dialer = UnixDialer(path)
        async with AsyncHTTPClient(transport=dialer, ssl_context=server.client_context, trust_env=False) as client:
            assert (await client.get("https://localhost/")).content == DIGITS
            with pytest.raises(ssl.SSLCertVerificationError):
                await client.get("https://other.example/")
        assert len(proxy.connections) == 2


async def test_url() -> None:
    """The URL is that of the target, with user and path, at another place."""
    async with FaultProxy("postgresql://me:pw@db.example:5432/accounts") as proxy:
        assert proxy.url == f"postgresql://me:pw@127.0.0.1:{proxy.port}/accounts"
    async with FaultProxy("db.example", 5432) as proxy:
        assert proxy.url == f"http://127.0.0.1:{proxy.port}"


@both
async def test_refuse(tls: bool) -> None:
    """The proxy refuses connections while it is told to, always at the same port."""
    async with LoopbackServer(tls=tls) as server, FaultProxy(server, refuse=True) as proxy:
        server.add("GET", "/", DIGITS)
        port = proxy.port
        for _ in range(2):
            assert proxy.refuse
            assert (await outcome(proxy, server)).endswith("Connection refused (127.0.0.1)")
            proxy.refuse = False
            assert proxy.port == port
            assert await outcome(proxy, server) == ALL
            proxy.refuse = True
    assert len(proxy.connections) == 2


async def test_refuse_after() -> None:
    """After so many connections new ones are refused, until a test says otherwise."""
    async with LoopbackServer() as server, FaultProxy(server, refuse_after=2) as proxy:
        server.add("GET", "/", DIGITS)
        assert [await outcome(proxy, server) for _ in range(2)] == [ALL] * 2
        assert proxy.refuse
        assert (await outcome(proxy, server)).endswith("Connection refused (127.0.0.1)")
        proxy.refuse = False
        assert [await outcome(proxy, server) for _ in range(2)] == [ALL] * 2
        assert len(proxy.connections) == 4


async def test_pause_and_resume() -> None:
    """A proxy that is paused lets nothing through, and a request goes on when it goes on."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy, client_through(proxy, server) as client:
        server.add("GET", "/", DIGITS)
        await client.get("/")
        proxy.pause()
        task = asyncio.create_task(client.get("/"))
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(server.requests) == 1
        assert not task.done()
        proxy.resume()
        assert (await task).content == DIGITS
        assert len(proxy.connections) == 1


async def test_drop_all() -> None:
    """A client that keeps connections gets over it that all of them are reset."""
    async with LoopbackServer() as server, FaultProxy(server) as proxy, client_through(proxy, server) as client:
        server.add("GET", "/", DIGITS)
        await client.get("/")
        await proxy.drop_all()
        assert (await client.get("/")).content == DIGITS
        assert len(proxy.connections) == 2


async def test_chaos() -> None:
    """With chaos a connection has a fault by chance, out of a list, and the same seed gives the same."""
    seen = []
    async with LoopbackServer() as server:
        server.add("GET", "/", DIGITS)
        faults = [line.Refuse(), line.Cut(), line.Drip(1, 0)]
        for seed in (7, 7, 8):
            async with FaultProxy(server, chaos=0.5, seed=seed, chaos_faults=faults) as proxy:
                reports = [await outcome(proxy, server) for _ in range(20)]
                seen.append(([RESET if report == RESET else report[:5] for report in reports], proxy.log))
                assert {event.what for event in proxy.log} == {"Refuse", "Cut", "Drip(1, 0)"}
    assert seen[0][1] == seen[1][1] != seen[2][1]


# -- what it tells


async def test_failure_of_the_test_is_explained() -> None:
    """Where the test fails, its error has the seed and the log as a note."""
    with pytest.raises(AssertionError) as caught:
        async with LoopbackServer() as server, FaultProxy(server, seed=5, faults=line.Cut(after=9)) as proxy:
            server.add("GET", "/", DIGITS)
            assert await outcome(proxy, server) == ALL
    assert caught.value.__notes__ == ["FaultProxy(seed=5) did this:\n  connection 0, to the client, after 9 bytes: Cut"]


async def test_misuse() -> None:
    """There is no address before the block, and no second block; numbers that mean nothing are refused."""
    proxy = FaultProxy("127.0.0.1", 80)
    for name in ("host", "port", "netloc", "url"):
        with pytest.raises(RuntimeError, match="no address before its block"):
            getattr(proxy, name)
    async with proxy:
        pass
    with pytest.raises(RuntimeError, match="used for one block"):
        async with proxy:
            pass
    for options, text in (
        ({"chaos": 2}, "chaos is from 0 to 1, not 2"),
        ({"chaos": -1}, "chaos is from 0 to 1, not -1"),
        ({"chaos": 0.1, "chaos_faults": []}, "chaos takes chaos_faults, and there are none"),
        ({"refuse_after": 0}, "refuse_after is at least 1, not 0"),
    ):
        with pytest.raises(ValueError, match=text):
            FaultProxy("127.0.0.1", 80, **options)
    with pytest.raises(OSError, match="assign"):
        async with FaultProxy("127.0.0.1", 80, host="192.0.2.1"):
            pass


async def test_target_that_is_none() -> None:
    """What is no target is refused when the block is entered, and nothing is open then."""
    for target in ("nowhere", LoopbackServer()):
        with pytest.raises((ValueError, RuntimeError)):
            async with FaultProxy(target):
                pass


# -- the end


@both
async def test_nothing_is_left_at_once(tls: bool) -> None:
    """When the block has ended there is no task and no descriptor of the proxy's, and nobody listens."""
    async with LoopbackServer(tls=tls) as server:
        server.add("GET", "/", b"x" * 1000)
        tasks, descriptors = other_tasks(), open_descriptors()
        async with FaultProxy(server) as proxy:
            host, port = proxy.host, proxy.port
            async with client_through(proxy, server) as client:
                await asyncio.gather(*[client.get("/") for _ in range(5)])
        assert not {one for one in open_descriptors() - descriptors if (host, port) in one.addresses()}
        assert not {task for task in other_tasks() - tasks if "FaultProxy" in task.get_name()}
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(host, port)


async def test_many_connections() -> None:
    """Hundreds of connections, many at once, all get through."""
    async with echo() as (_, proxy):

        async def talk(number: int) -> bytes:
            async with connected(proxy) as (reader, writer):
                writer.write(str(number).encode())
                writer.write_eof()
                return await reader.read()

        for _ in range(3):
            said = await asyncio.gather(*[talk(number) for number in range(100)])
            assert said == [str(number).encode() for number in range(100)]
        assert len(proxy.connections) == 300
