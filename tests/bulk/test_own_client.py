"""``bulk/_own_client.py``: the client of a fetch that was given none."""

from __future__ import annotations

import builtins
import math
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.bulk import Politeness, fetch
from aiohttpclient.bulk._own_client import FILES, IDLE, most_files, own_client, pool_limits, room_for
from aiohttpclient.testing import LoopbackServer
from tests.bulk.pages import all_of

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("concurrency", "files", "connections"),
    [(100, math.inf, 100 + IDLE), (100, 20_000, 100 + IDLE), (100, 1024, 512), (100, 150, 100), (600, 1024, 600)],
)
def test_room(concurrency: int, files: float, connections: int) -> None:
    """There is room for all requests at once, and for idle connections, unless files are scarce."""
    assert room_for(concurrency, files) == connections


def test_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of open files is the soft one; where it cannot be told, it is what is usual."""
    resource = pytest.importorskip("resource")
    assert most_files() > 100
    for soft, files in ((256, 256), (resource.RLIM_INFINITY, math.inf)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, soft=soft: (soft, 4096))
        assert most_files() == files
    real: Callable[..., Any] = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "resource":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert most_files() == FILES


async def test_limits() -> None:
    """Who makes the client can have the limits of one that a fetch makes."""
    async with own_client(7, None) as client:
        assert client.pool.limits == pool_limits(7)
    assert pool_limits(7).connections == room_for(7, most_files())


async def test_who_asks() -> None:
    """It says who asks, if politeness does."""
    async with own_client(5, Politeness("name/1.0")) as client:
        assert client.headers["User-Agent"] == "name/1.0"
    async with own_client(5, None) as client:
        assert "name/1.0" not in client.headers["User-Agent"]


async def test_many_hosts() -> None:
    """Hosts that are asked in turn, more of them than there are workers, keep their connections."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(LoopbackServer()) for _ in range(8)]
        for server in servers:
            server.add("GET", "/{path}", "yes")
        results = await all_of(fetch((f"{one.url}/{turn}" for turn in range(4) for one in servers), concurrency=2))
        assert [result.ok for result in results] == [True] * 32
        assert [len(server.connections) for server in servers] == [1] * 8
