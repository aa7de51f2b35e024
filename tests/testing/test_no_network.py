from __future__ import annotations

import pickle
import socket
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, AsyncHTTPConnection, ConnectionPool, RetryPolicy
from aiohttpclient.net import Resolver, TCPDialer, UnixDialer, dial_unix
from aiohttpclient.testing import LoopbackServer, MemoryDialer, NetworkForbidden, no_network

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiohttpclient.net import StreamProtocol

METHODS = [(TCPDialer, "dial"), (UnixDialer, "dial"), (Resolver, "resolve")]


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The names that the system was asked for; there is nobody who could answer."""
    asked: list[Any] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if not options.get("flags", 0) & socket.AI_NUMERICHOST:
            asked.append(host)
            raise socket.gaierror(socket.EAI_NONAME, "nobody knows")
        return real(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


async def by_client(host: str) -> None:
    async with AsyncHTTPClient(trust_env=False) as client:
        await client.get(f"http://{host}/path")


async def by_pool(host: str) -> None:
    async with ConnectionPool() as pool:
        await pool.request("GET", f"http://{host}/")


async def by_lease(host: str) -> None:
    async with ConnectionPool() as pool, pool.connection(f"https://{host}"):
        pass


async def by_connection(host: str) -> None:
    async with AsyncHTTPConnection(host) as conn:
        await conn.connect()


async def by_proxy(host: str) -> None:
    async with AsyncHTTPClient(proxy=f"http://{host}:3128") as client:
        await client.get("http://127.0.0.1/")


async def by_socks_proxy(host: str) -> None:
    async with AsyncHTTPClient(proxy="socks5://127.0.0.1:9") as client:
        await client.get(f"http://{host}/")


@pytest.mark.parametrize("way", [by_client, by_pool, by_lease, by_connection, by_proxy, by_socks_proxy])
async def test_names_are_not_looked_up(way: Callable[[str], Any], looked_up: list[Any]) -> None:
    """Whatever part of the library is about to connect to a name, or look it up, is refused before."""
    with no_network(who="a test"):
        with pytest.raises(NetworkForbidden) as caught:
            await way("example.test")
    assert (caught.value.host, caught.value.who, looked_up) == ("example.test", "a test", [])


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]", "3221225985", "0.0.0.0", "[::ffff:192.0.2.1]"])
async def test_addresses(host: str) -> None:
    """Addresses that are not those of loopback are refused, in every spelling."""
    with no_network():
        with pytest.raises(NetworkForbidden):
            await by_client(host)


async def test_what_the_error_says() -> None:
    """The error says who must not, what was to be done, and what can be done about it; a note has the URL."""
    with no_network(who="tests/test_shop.py::test_buy"):
        with pytest.raises(NetworkForbidden) as caught:
            await by_client("example.test:8080")
    assert str(caught.value) == (
        "tests/test_shop.py::test_buy must not use the network, but connects to example.test:8080: mock it (HTTPMock), "
        "serve it on this machine (LoopbackServer), or let it pass: no_network(allow=['example.test'])"
    )
    assert caught.value.__notes__ == ["GET http://example.test:8080/path"]


async def test_retries() -> None:
    """No policy repeats what is forbidden, also one that repeats every OSError."""
    policy = RetryPolicy(5, on_errors=OSError, backoff=0)
    async with AsyncHTTPClient(retries=policy, trust_env=False) as client:
        with no_network():
            with pytest.raises(NetworkForbidden) as caught:
                await client.get("http://example.test/")
    assert not hasattr(caught.value, "attempts")


def test_pickles() -> None:
    """The error is the same after pickling, as those of workers are."""
    error = NetworkForbidden("a test", "connects to example.test:80", "example.test")
    copied = pickle.loads(pickle.dumps(error))
    assert (str(copied), copied.__dict__) == (str(error), error.__dict__)


# -- what is no network


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("tls", [False, True])
async def test_loopback(host: str, tls: bool) -> None:
    """A server on this machine is reached."""
    with no_network():
        async with LoopbackServer(host=host, tls=tls) as server:
            server.add("GET", "/", "here")
            async with AsyncHTTPClient(ssl_context=server.client_context, trust_env=False) as client:
                assert (await client.get(server.url)).text == "here"


@pytest.mark.parametrize("host", ["127.1", "localhost", "LOCALHOST", "127.0.0.1", "[::ffff:127.0.0.1]"])
async def test_names_of_loopback(host: str) -> None:
    """So it is by every name of loopback."""
    with no_network():
        async with LoopbackServer() as server:
            server.add("GET", "/", "here")
            async with AsyncHTTPClient(trust_env=False) as client:
                assert (await client.get(f"http://{host}:{server.port}/")).text == "here"


async def test_unix_sockets(tmp_path: Path) -> None:
    """Unix sockets are on this machine, too."""
    path = str(tmp_path / "socket")
    with no_network():
        async with LoopbackServer(path=path):
            stream = await dial_unix(path)
            stream.abort()


async def test_not_even_loopback(tmp_path: Path) -> None:
    """With loopback=False this machine is no exception, but for what is allowed."""
    path = str(tmp_path / "socket")
    async with LoopbackServer() as server, LoopbackServer(path=path):
        with no_network(loopback=False):
            for host in (server.netloc, f"localhost:{server.port}", f"[::1]:{server.port}"):
                with pytest.raises(NetworkForbidden):
                    await by_connection(host)
            with pytest.raises(NetworkForbidden, match="the Unix socket"):
                await dial_unix(path)
        with no_network(loopback=False, allow=["127.0.0.1", path]):
            await by_connection(server.netloc)
            (await dial_unix(path)).abort()


async def silent(reader: Any, writer: Any) -> None:
    await reader.read()


async def test_memory() -> None:
    """What is connected in memory is not connected to anything."""
    with no_network(loopback=False):
        async with MemoryDialer(silent) as dialer, AsyncHTTPConnection("example.test", dialer=dialer) as conn:
            await conn.connect()
        assert dialer.dialed == [("example.test", 80)]


async def test_connections_that_are_open() -> None:
    """What is open already goes on."""
    async with LoopbackServer() as server, AsyncHTTPClient(trust_env=False) as client:
        server.add("GET", "/", "here")
        await client.get(server.url)
        with no_network(loopback=False):
            assert (await client.get(server.url)).text == "here"


# -- what is allowed


class Reached(Exception):
    """A dialer was asked for it."""


@pytest.mark.parametrize(
    ("allow", "host"),
    [
        ("db.internal", "db.internal"),
        ("DB.internal.", "db.Internal"),
        ("bücher.test", "xn--bcher-kva.test"),
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.0/24", "192.0.2.7"),
        ("2001:db8::/32", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("192.0.2.7", "::ffff:192.0.2.7"),
    ],
)
async def test_allowed(allow: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, addresses and networks that are allowed are connected to, and nothing else."""

    async def dial(self: TCPDialer, host: str, port: int, tell: Any = None) -> StreamProtocol:
        raise Reached

    monkeypatch.setattr(TCPDialer, "dial", dial)
    with no_network(allow=["else.test", allow]):
        with pytest.raises(Reached):
            await TCPDialer().dial(host, 80)
        for other in ("192.0.3.7", "2001:db9::7", "sub.db.internal", "internal"):
            with pytest.raises(NetworkForbidden):
                await TCPDialer().dial(other, 80)


@pytest.mark.parametrize("allow", ["https://example.test", "example.test:80", "10.0.0.1/8", "", "*.test", "a/24"])
def test_nothing_that_could_be_allowed(allow: str) -> None:
    """What is no name, address or network is refused when the rules are made."""
    with pytest.raises(ValueError, match="neither the name of a host"):
        no_network(allow=[allow])


@pytest.mark.parametrize("options", [{"allow": "db.internal"}, {"allow": [1]}, {"loopback": "no"}])
def test_other_types(options: Any) -> None:
    """So are other types: a name alone would be a list of letters."""
    with pytest.raises(TypeError):
        no_network(**options)


# -- what is replaced


def found() -> list[Any]:
    return [owner.__dict__[name] for owner, name in METHODS]


def test_methods_are_put_back() -> None:
    """Outside of all blocks the methods are the very functions that they were; blocks need not end in order."""
    before = found()
    first, second = no_network(), no_network()
    first.__enter__()
    second.__enter__()
    assert not [one for one in found() if one in before]
    first.__exit__(None, None, None)
    assert not [one for one in found() if one in before]
    second.__exit__(None, None, None)
    assert found() == before
    with pytest.raises(ZeroDivisionError), no_network():
        raise ZeroDivisionError
    assert found() == before


async def test_nested() -> None:
    """Of blocks within blocks each has to agree."""
    with no_network(allow=["192.0.2.1"], who="outer"), no_network(who="inner"):
        with pytest.raises(NetworkForbidden, match=r"^inner"):
            await by_client("192.0.2.1")
    with no_network(who="outer"), no_network(allow=["192.0.2.1"], who="inner"):
        with pytest.raises(NetworkForbidden, match=r"^outer"):
            await by_client("192.0.2.1")
