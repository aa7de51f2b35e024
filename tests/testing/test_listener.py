"""The listening socket: it accepts, refuses, and is closed."""

from __future__ import annotations

import asyncio
import errno
import socket
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.testing._listener import AT_ONCE, Listener

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class _Log:
    """What a listener told."""

    def __init__(self) -> None:
        self.sockets: list[socket.socket] = []
        self.failures: list[OSError] = []

    def listener(self, host: str = "127.0.0.1", path: str | None = None) -> Listener:
        return Listener(host, path, self.sockets.append, self.failures.append)

    def close(self) -> None:
        for sock in self.sockets:
            sock.close()


async def _connect(listener: Listener) -> None:
    _, writer = await asyncio.open_connection(*listener.address[:2])
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_accepts_and_refuses(host: str) -> None:
    """A listener accepts while it is told to, and refuses in between, at the same port."""
    log = _Log()
    listener = log.listener(host)
    address = listener.address
    for number in (1, 2):
        with pytest.raises(ConnectionRefusedError):
            await _connect(listener)
        listener.accept()
        listener.accept()
        await _connect(listener)
        while len(log.sockets) < number:
            await asyncio.sleep(0)
        listener.refuse()
        listener.refuse()
    assert listener.address == address
    listener.close()
    listener.close()
    log.close()


async def test_nobody_gets_the_port_meanwhile() -> None:
    """While a listener refuses, its port is taken."""
    listener = _Log().listener()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(listener.address)
    listener.close()


async def test_path(tmp_path: Path) -> None:
    """The file of a Unix socket is there until the listener is closed; one of somebody else is not taken."""
    path = tmp_path / "socket"
    listener = _Log().listener(path=str(path))
    assert path.exists()
    with pytest.raises(OSError, match="in use"):
        _Log().listener(path=str(path))
    listener.accept()
    listener.refuse()
    assert path.exists()
    listener.close()
    assert not path.exists()


async def test_no_such_address() -> None:
    """An address of another machine is refused, and nothing stays open."""
    with pytest.raises(OSError, match="assign"):
        _Log().listener("192.0.2.1")


async def test_many_at_once() -> None:
    """More connections than are accepted in one turn are accepted in the next."""
    log = _Log()
    listener = log.listener()
    listener.accept()
    clients = [socket.create_connection(listener.address) for _ in range(AT_ONCE + 5)]
    while len(log.sockets) < len(clients):
        await asyncio.sleep(0)
    assert not any(sock.getblocking() for sock in log.sockets)
    listener.close()
    log.close()
    for sock in clients:
        sock.close()


@pytest.mark.parametrize("end", [Listener.refuse, Listener.close], ids=["refuse", "close"])
async def test_ended_while_it_accepts(end: Callable[[Listener], None]) -> None:
    """Who is given a connection may have the listener refuse, or close it, and others get no connection then."""
    log = _Log()

    def accepted(sock: socket.socket) -> None:
        log.sockets.append(sock)
        end(listener)

    listener = Listener("127.0.0.1", None, accepted, log.failures.append)
    listener.accept()
    clients = [socket.create_connection(listener.address) for _ in range(3)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert len(log.sockets) == 1
    assert not log.failures
    listener.close()
    log.close()
    for sock in clients:
        sock.close()


async def test_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where accepting fails, that is told once, and tried again on request: the connection is still there."""
    log = _Log()
    listener = log.listener()
    listener.accept()

    def fail(self: socket.socket) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "accept", fail)
        client = socket.create_connection(listener.address)
        while not log.failures:
            await asyncio.sleep(0)
        for _ in range(10):
            await asyncio.sleep(0)
    assert len(log.failures) == 1
    assert not log.sockets
    listener.resume()
    while not log.sockets:
        await asyncio.sleep(0)
    listener.close()
    listener.resume()
    listener.accept()
    listener.refuse()
    log.close()
    client.close()


async def test_loop_that_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that cannot watch a socket is named, with one that can."""

    class Loop:
        def add_reader(self, *_: object) -> None:
            raise NotImplementedError

    listener = _Log().listener()
    monkeypatch.setattr(listener, "_loop", Loop())
    with pytest.raises(NotImplementedError, match=r"asyncio\.SelectorEventLoop on Windows"):
        listener.accept()
    listener.close()
