"""Loops of every kind: more than one, in debug mode, with eager tasks."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
import threading
import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPConnection, ExchangeState

from .exchanges import ALL, ROUTES, Exchange, again, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.tls import TlsKit


class Threads:
    """A server outside every loop: it answers each request on a connection, and notes how many there were."""

    def __init__(self) -> None:
        self.requests: list[int] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.requests.append(0)
                self._sockets.append(sock)
                thread = threading.Thread(target=self._serve, args=(sock, len(self.requests) - 1))
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock, contextlib.suppress(OSError):
            while sock.recv(65536):
                self.requests[number] += 1
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def wait_for_ends(self) -> None:
        """Wait until all clients have closed their connections."""
        for thread in self._threads[1:]:
            thread.join(30)
            assert not thread.is_alive()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            with contextlib.suppress(OSError):  # closed already
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()


@pytest.fixture
def server() -> Iterator[Threads]:
    """A server that needs no loop."""
    server = Threads()
    yield server
    server.close()


def loop_factories() -> list[Callable[[], asyncio.AbstractEventLoop]]:
    """The kinds of loops there are here."""
    if find_spec("uvloop") is None:
        return [asyncio.new_event_loop]
    import uvloop

    return [asyncio.new_event_loop, uvloop.new_event_loop]


async def fetch(conn: AsyncHTTPConnection) -> bytes:
    await conn.request("GET", "/")
    return await (await conn.getresponse()).read()


@pytest.mark.parametrize("new_loop", loop_factories(), ids=lambda factory: factory.__module__.split(".")[0])
@pytest.mark.parametrize("closed", [True, False], ids=["first closed", "first open"])
def test_second_loop(server: Threads, new_loop: Callable[[], asyncio.AbstractEventLoop], closed: bool) -> None:
    """A connection that is still open in one loop is not written to from another: it is a clear error, or a new one."""
    conn = AsyncHTTPConnection("127.0.0.1", server.port)
    first, second = new_loop(), new_loop()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the caller did not close it, and hears of it
        assert first.run_until_complete(fetch(conn)) == b"ok"
        stream = conn._stream
        if closed:
            first.close()
        try:
            assert second.run_until_complete(fetch(conn)) == b"ok"
        except RuntimeError as error:
            assert "another event loop" in str(error)  # noqa: PT017  # either outcome is right
            assert conn.state is ExchangeState.IDLE
            assert second.run_until_complete(fetch(conn)) == b"ok"
        second.run_until_complete(conn.close())
        second.close()
        assert server.requests == [1, 1]
        if not closed:
            assert stream is not None
            first.run_until_complete(stream.aborted())
            first.close()
        del conn, stream
        gc.collect()  # while the warnings are still expected


@pytest.mark.parametrize("new_loop", loop_factories(), ids=lambda factory: factory.__module__.split(".")[0])
@pytest.mark.parametrize("closed", [True, False], ids=["first closed", "first open"])
def test_closed_in_a_second_loop(
    server: Threads, new_loop: Callable[[], asyncio.AbstractEventLoop], closed: bool
) -> None:
    """Closing from another loop does not hang, and leaves a connection that works there."""
    conn = AsyncHTTPConnection("127.0.0.1", server.port)
    first, second = new_loop(), new_loop()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        first.run_until_complete(fetch(conn))
        stream = conn._stream
        if closed:
            first.close()
        with contextlib.suppress(RuntimeError):
            second.run_until_complete(asyncio.wait_for(conn.close(), 5))
        assert second.run_until_complete(fetch(conn)) == b"ok"
        second.run_until_complete(conn.close())
        second.close()
        if not closed:
            assert stream is not None
            first.run_until_complete(stream.aborted())
            first.close()
        del conn, stream
        gc.collect()  # while the warnings are still expected


@pytest.mark.parametrize("new_loop", loop_factories(), ids=lambda factory: factory.__module__.split(".")[0])
def test_closed_and_used_in_a_second_loop(server: Threads, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """A connection that was closed in one loop opens in another."""
    conn = AsyncHTTPConnection("127.0.0.1", server.port)

    async def use() -> bytes:
        async with conn:
            return await fetch(conn)

    for _ in range(3):
        loop = new_loop()
        assert loop.run_until_complete(use()) == b"ok"
        loop.close()
    assert server.requests == [1, 1, 1]


def test_run_three_times(server: Threads) -> None:
    """``asyncio.run`` again and again, each time with a connection of its own, leaves nothing."""
    for _ in range(3):

        async def main() -> bytes:
            async with AsyncHTTPConnection("127.0.0.1", server.port) as conn:
                return await fetch(conn)

        assert asyncio.run(main()) == b"ok"


async def run_all(exchange: Exchange, tls: TlsKit) -> list[int]:
    """``exchange``, undisturbed, on every route; for each how many connections that has taken."""
    connections = []
    for route in ROUTES:
        async with serving(exchange.answer, route, tls) as server:
            conn = route.connect(server, tls)
            await exchange.act(conn)
            await again(conn)
            connections.append(server.connections)
    return connections


@pytest.mark.parametrize("exchange", ALL, ids=str)
async def test_debug_mode(exchange: Exchange, tls: TlsKit) -> None:
    """Every exchange works, on every route, on a loop in debug mode."""
    asyncio.get_running_loop().set_debug(True)
    assert await run_all(exchange, tls) == [2] * len(ROUTES)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with Python 3.12")
@pytest.mark.parametrize("exchange", ALL, ids=str)
async def test_eager_tasks(exchange: Exchange, tls: TlsKit) -> None:
    """Every exchange works, on every route, where a task runs up to its first wait before ``create_task`` returns."""
    if not isinstance(asyncio.get_running_loop(), asyncio.BaseEventLoop):
        pytest.skip("uvloop does not agree with Python's eager task factory on its arguments")
    factory: Any = getattr(asyncio, "eager_task_factory", None)
    asyncio.get_running_loop().set_task_factory(factory)
    assert await asyncio.create_task(run_all(exchange, tls)) == [2] * len(ROUTES)


async def test_tasks_side_by_side(tls: TlsKit) -> None:
    """Exchanges of every kind that run at the same time do not touch each other."""
    servers = []
    async with contextlib.AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        for exchange in ALL:
            for route in ROUTES:
                server = await stack.enter_async_context(serving(exchange.answer, route, tls))
                group.create_task(exchange.act(route.connect(server, tls)))
                servers.append(server)
    assert [server.connections for server in servers] == [1] * len(ALL) * len(ROUTES)
