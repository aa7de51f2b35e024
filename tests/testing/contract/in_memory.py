"""The application at the other end of connections in memory, by itself."""

from __future__ import annotations

import contextlib
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttpclient.testing import MemoryDialer, ServerConnection, ServerResponse, no_network
from aiohttpclient.testing._exchange import converse
from aiohttpclient.testing._stream import ClientGone, ServerStream

from .application import Application
from .places import Site

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from aiohttpclient.testing import ServerRequest

    from .places import Rehearse


class Conversing:
    """The application of a conversation in memory."""

    def __init__(self, application: Application) -> None:
        self.respond = application.respond
        self.failures: list[BaseException] = []

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer what comes over one connection."""
        with contextlib.suppress(ClientGone):
            await converse(ServerStream(reader, writer), self, ServerConnection(0))
        if self.failures:
            raise self.failures[0]

    def is_early(self, request: ServerRequest) -> bool:
        return False

    def received(self, request: ServerRequest) -> None: ...

    def failed(self, error: BaseException) -> None:
        self.failures.append(error)

    def refusal(self, error: BaseException) -> ServerResponse:
        return ServerResponse(500, repr(error))

    def closes_after(self, number: int) -> bool:
        return False


@asynccontextmanager
async def in_memory(folder: Path, rehearse: Rehearse, scheme: str = "http") -> AsyncIterator[Site]:
    """At the other end of connections in memory."""
    base, other = f"{scheme}://one.test", f"{scheme}://two.test:8080"
    conversing = Conversing(Application(base, other))
    with no_network(loopback=False):
        async with MemoryDialer(conversing.serve, secure=scheme == "https") as dialer:
            yield Site(base, other, {"transport": dialer}, folder)


def in_memory_https(folder: Path, rehearse: Rehearse) -> AbstractAsyncContextManager[Site]:
    """The same for https."""
    return in_memory(folder, rehearse, "https")
