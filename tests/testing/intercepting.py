"""Interceptors for tests, and requests of every kind to have intercepted."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import AsyncHTTPClient, AsyncHTTPConnection, AsyncHTTPSConnection, ConnectionPool
from aiohttpclient.testing import Interceptor
from tests.net.streams import turns
from tests.support.leaks import other_tasks

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import TypeAlias

    from yarl import URL

    from aiohttpclient.testing import InterceptedRequest

    Ask: TypeAlias = Callable[[str], Coroutine[Any, Any, bytes]]

URL_TEXT = "http://example.org/"


class Boom(Exception):
    """What an interceptor raises."""


class Answers(Interceptor):
    """Answers with what ``answer`` is, or returns; remembers what it was asked, and what it let pass."""

    def __init__(self, answer: Any = b"ok") -> None:
        self.answer = answer
        self.requests: list[InterceptedRequest] = []

    async def respond(self, request: InterceptedRequest) -> Any:
        self.requests.append(request)
        answer = self.answer(request) if callable(self.answer) else self.answer
        return await answer if asyncio.iscoroutine(answer) else answer


class Picky(Answers):
    """Lets pass what ``lets`` says."""

    def __init__(self, lets: Callable[[str, URL], bool], answer: Any = b"ok") -> None:
        super().__init__(answer)
        self.lets = lets

    def passes(self, method: str, url: URL) -> bool:
        return self.lets(method, url)


async def by_client(url: str) -> bytes:
    """The answer that a client gets."""
    async with AsyncHTTPClient(retries=None) as client:
        return (await client.get(url)).content


async def by_pool(url: str) -> bytes:
    """The answer that a pool gets."""
    async with ConnectionPool() as pool:
        return await (await pool.request("GET", url)).read()


async def by_lease(url: str) -> bytes:
    """The answer that a leased connection gets."""
    async with ConnectionPool() as pool, pool.connection(url) as conn:
        await conn.request("GET", "/" + url.split("/", 3)[3])
        return await (await conn.getresponse()).read()


async def by_connection(url: str) -> bytes:
    """The answer that a connection without a pool gets."""
    scheme, _, host, path = url.split("/", 3)
    async with (AsyncHTTPSConnection if scheme == "https:" else AsyncHTTPConnection)(host) as conn:
        await conn.request("GET", "/" + path)
        return await (await conn.getresponse()).read()


WAYS: dict[str, Ask] = {
    "client": by_client,
    "pool": by_pool,
    "lease": by_lease,
    "connection": by_connection,
}
"""All ways to ask for something."""

every_way = pytest.mark.parametrize("ask", WAYS.values(), ids=list(WAYS))


async def nobody_is_left() -> None:
    """A few turns of the loop, after which no task is there but the test's."""
    await turns(8)
    assert not other_tasks()
