"""``net/_resolver.py``."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from aiohttpclient.net._resolver import resolve


class NoThreads:
    """A loop that must not be asked."""

    def getaddrinfo(self, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError("a literal was looked up")


@pytest.mark.parametrize(
    ("host", "family", "address"),
    [
        ("127.0.0.1", socket.AF_INET, ("127.0.0.1", 80)),
        ("::1", socket.AF_INET6, ("::1", 80, 0, 0)),
        ("2001:db8::7", socket.AF_INET6, ("2001:db8::7", 80, 0, 0)),
    ],
)
def test_literals_take_no_thread(host: str, family: int, address: Any) -> None:
    """An address literal is resolved without a look-up and without waiting."""
    work = resolve(NoThreads(), host, 80)  # type: ignore[arg-type]  # a loop that must not be asked
    with pytest.raises(StopIteration) as done:
        work.send(None)
    found = done.value.value
    assert [(each[0], each[1], each[4]) for each in found] == [(family, socket.SOCK_STREAM, address)]


async def test_names_are_looked_up() -> None:
    """A name has all its addresses, each for a stream socket."""
    found = await resolve(asyncio.get_running_loop(), "localhost", 8080)
    assert found
    assert all(each[1] == socket.SOCK_STREAM for each in found)
    assert all(each[4][0] in {"127.0.0.1", "::1"} for each in found)
    assert all(each[4][1] == 8080 for each in found)


async def test_unknown_name() -> None:
    """A name that nobody knows is an error of the system's resolver."""
    with pytest.raises(socket.gaierror):
        await resolve(asyncio.get_running_loop(), "no-such-host.invalid", 80)
