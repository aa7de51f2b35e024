"""A site in memory that says what it was asked, by how many at once, and when; and clients for it."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttpclient import AsyncHTTPClient, PoolLimits
from aiohttpclient.testing import MemoryDialer

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator, Callable

    from aiohttpclient.bulk import Fetch, Result


class Asked(NamedTuple):
    """One request: the host that was dialled, the target, the text of the head, and the time of the loop."""

    host: str
    path: str
    head: str
    at: float


class Site:
    """Answers each request with what ``answer`` gives: seconds to wait, a body, a whole answer, or None: it goes away.

    ``asked`` (list of Asked), ``under_way`` (int), ``most`` (int: the most that were) and ``most_of`` (dict: by host).
    """

    def __init__(self, answer: Callable[[Asked], Any]) -> None:
        self._answer = answer
        self.asked: list[Asked] = []
        self.under_way = 0
        self.most = 0
        self.of: dict[str, int] = {}
        self.most_of: dict[str, int] = {}

    async def talk(self, reader: StreamReader, writer: StreamWriter) -> None:
        try:
            await self._serve(reader, writer)
        except ConnectionError:
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()  # else its future complains, if it is collected first
            raise

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        host, port = writer.get_extra_info("sockname")[:2]
        place = host if port == 80 else f"{host}:{port}"
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            asked = Asked(place, head.split(" ")[1], head, asyncio.get_running_loop().time())
            self.asked.append(asked)
            with self._counted(place):
                answer = self._answer(asked)
                if inspect.isawaitable(answer):
                    answer = await answer
                if isinstance(answer, (int, float)):
                    await asyncio.sleep(answer)
                    answer = asked.path.encode()
            if answer is None:
                return
            writer.write(answer if answer[:5] == b"HTTP/" else reply(answer))

    @property
    def paths(self) -> list[str]:
        """What was asked for, in its order."""
        return [asked.path for asked in self.asked]

    @contextlib.contextmanager
    def _counted(self, host: str) -> Any:
        self.under_way += 1
        self.of[host] = self.of.get(host, 0) + 1
        self.most = max(self.most, self.under_way)
        self.most_of[host] = max(self.most_of.get(host, 0), self.of[host])
        try:
            yield
        finally:
            self.under_way -= 1
            self.of[host] -= 1


def reply(body: bytes, status: str = "200 OK", *fields: str) -> bytes:
    """A whole answer."""
    lines = "".join(f"{field}\r\n" for field in fields)
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


@contextlib.asynccontextmanager
async def site(
    answer: Callable[[Asked], Any] = lambda asked: asked.path.encode(),
    refuse: Callable[[str, int], Any] | None = None,
    **options: Any,
) -> AsyncIterator[tuple[AsyncHTTPClient, Site]]:
    """A client with ``options``, for which every host is the site, but for those that ``refuse`` has an error for."""
    here = Site(answer)
    given: dict[str, Any] = {"trust_env": False, "limits": PoolLimits(connections=1000), "retries": None, **options}
    async with (
        MemoryDialer(here.talk, refuse=refuse) as dialer,
        AsyncHTTPClient(transport=dialer, base_url="http://example.org", **given) as client,
    ):
        yield client, here


def numbered(count: int) -> list[str]:
    """Paths: ``/0`` and so on."""
    return [f"/{number}" for number in range(count)]


async def all_of(results: Fetch) -> list[Result]:
    """Every result."""
    return [result async for result in results]


async def settle() -> None:
    """Let everybody go on until they wait: with what is in memory that takes a few turns of the loop."""
    for _ in range(50):
        await asyncio.sleep(0)
