"""``net/_steps.py``; what is told on whole ways to an origin is in ``tests/scenarios/test_events.py``."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.net import CONNECTED, LOOKED_UP, Resolver, SocksDialer, TCPDialer, UnixDialer, dial, dial_telling
from aiohttpclient.net._steps import shown_address, tell_addresses
from tests.pool.servers import socks5_proxy
from tests.support.server import raw_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from aiohttpclient.net import Dialer, StreamProtocol, Tell
    from tests.support.server import Peer


class Told(list[tuple[str, str]]):
    """A ``Tell`` that keeps what it is told."""

    def __call__(self, step: str, detail: str, seconds: float) -> None:
        assert seconds >= 0
        self.append((step, detail))


class Plain:
    """A dialer of somebody's own, which tells nothing."""

    async def dial(self, host: str, port: int) -> StreamProtocol:
        return await dial(host, port)


class Telling:
    """One that tells, or hands on what tells."""

    def __init__(self) -> None:
        self.given: list[Tell | None] = []

    async def dial(self, host: str, port: int, tell: Tell | None = None) -> StreamProtocol:
        self.given.append(tell)
        return await TCPDialer().dial(host, port, tell)


class Wrapping(Plain):
    """One of which nobody can say what it takes."""

    dial: Any

    def __init__(self) -> None:
        self.dial = Unsigned()


class Unsigned:
    __signature__ = "none"

    async def __call__(self, host: str, port: int) -> StreamProtocol:
        return await dial(host, port)


async def keep(peer: Peer) -> None:
    await peer.read_until_eof()


@pytest.mark.parametrize("make", [Plain, Telling, Wrapping, TCPDialer])
async def test_a_connection_is_told_once(make: Callable[[], Dialer]) -> None:
    """Of every dialer it is told that there is a connection and where to, by itself or for it; an address is not
    looked up.
    """
    told = Told()
    async with raw_server(keep) as server:
        stream = await dial_telling(make(), server.host, server.port, told)
        assert told == [(CONNECTED, server.netloc)]
        await stream.aborted()


async def test_unix_socket(tmp_path: Path) -> None:
    """The address of a Unix socket is its path."""
    told = Told()
    path = str(tmp_path / "socket")
    async with raw_server(keep, path=path):
        stream = await dial_telling(UnixDialer(path), "anything", 80, told)
        assert told == [(CONNECTED, path)]
        await stream.aborted()


async def test_nobody_listens() -> None:
    """Where nobody listens a dialer is called as it always was."""
    telling = Telling()
    async with raw_server(keep) as server:
        for dialer in (telling, Plain()):
            stream = await dial_telling(dialer, server.host, server.port, None)
            await stream.aborted()
    assert telling.given == [None]


class Here(Resolver):
    """Knows that every name stands for this machine."""

    async def resolve(self, host: str, port: int, *, local: bool = False) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]


def direct(_: str, __: int) -> Dialer:
    return TCPDialer(Here())


def through(host: str, port: int) -> Dialer:
    return SocksDialer(TCPDialer(Here()), "socks5", host, port, resolver=Here())


@pytest.mark.parametrize("make", [direct, through])
async def test_whoever_listens_raises(make: Callable[[str, int], Dialer]) -> None:
    """What a ``Tell`` raises, at whatever step, ends the dialling, and leaves nothing open."""
    asked: list[Any] = []
    script: Callable[[Peer], Awaitable[None]] = keep if make is direct else partial(socks5_proxy, asked=asked)
    steps = Told()
    async with raw_server(script) as server:
        stream = await dial_telling(make(server.host, server.port), "name.test", server.port, steps)
        await stream.aborted()
        assert len(steps) == (2 if make is direct else 3)
        for number in range(len(steps)):
            told = Told()

            def tell(step: str, detail: str, seconds: float, told: Told = told, number: int = number) -> None:
                told(step, detail, seconds)
                if len(told) > number:
                    raise ZeroDivisionError

            with pytest.raises(ZeroDivisionError):
                await dial_telling(make(server.host, server.port), "name.test", server.port, tell)
            assert told == steps[: number + 1]


@pytest.mark.parametrize(
    ("host", "addresses", "detail"),
    [
        ("127.0.0.1", ["127.0.0.1"], None),
        ("::1", ["::1"], None),
        ("127.1", ["127.0.0.1"], "127.1 is 127.0.0.1"),
        ("a.test", ["192.0.2.1", "2001:db8::1", "192.0.2.1"], "a.test is 192.0.2.1, 2001:db8::1"),
    ],
)
def test_addresses(host: str, addresses: list[str], detail: str | None) -> None:
    """All addresses of a name are told, each once; what is one already was not looked up."""
    told = Told()
    tell_addresses(told, host, [(0, 0, 0, "", (address, 80)) for address in addresses], 0.5)
    assert told == ([] if detail is None else [(LOOKED_UP, detail)])


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (("192.0.2.1", 80), "192.0.2.1:80"),
        (("2001:db8::1", 80, 0, 0), "[2001:db8::1]:80"),
        ("/run/socket", "/run/socket"),
        ("", ""),
        (b"\0abstract", ""),
        (None, ""),
    ],
)
def test_address(address: Any, text: str) -> None:
    """An address reads as in a URL; one that is no text is left out."""
    assert shown_address(address) == text
