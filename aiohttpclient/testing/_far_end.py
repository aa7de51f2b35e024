"""The server's end of a connection in memory, with no more behind it than a request needs.

Theory of operation. There is no task as long as nothing is asked: the first byte of a request begins one, which ends
when everything that came was answered. So a connection that is idle, also one of a loop that is over, is nothing but
objects. When the client leaves, the task is cancelled: who answers must not outlive who asked.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from ._stream import ClientGone, ServerSide

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..net import StreamProtocol
    from ._transport import MemoryTransport


DELIVERY_TURNS = 3
"""Turns of the loop after which the client has got what there was room for."""


class FarEnd(ServerSide, asyncio.Protocol):
    """The protocol of the far end of a ``pair``.

    :param near: the protocol of the near end
    :param serve: answers what has come, and returns when there is nothing more to be answered
    :param on_gone: called when the connection is over
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        near: StreamProtocol,
        serve: Callable[[], Coroutine[Any, Any, None]],
        on_gone: Callable[[], object],
    ) -> None:
        self.loop = loop
        self.unread = bytearray()
        self.task: asyncio.Task[None] | None = None
        self.near = near
        self.transport: MemoryTransport
        self._serve = serve
        self._on_gone = on_gone
        self._busy = False
        self._ended = False
        self._news: asyncio.Future[None] | None = None
        self._room: asyncio.Future[None] | None = None

    # -- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Write no more than there is room for without being told."""
        self.transport = cast("MemoryTransport", transport)
        self.transport.set_write_buffer_limits(0)

    def data_received(self, data: bytes) -> None:
        """Let whoever reads go on; begin to read where nobody does."""
        if self._ended:  # it was on its way when this end was aborted
            return
        self.unread += data
        if not self._busy:
            self._busy = True
            task = self.loop.create_task(self._run())
            if not task.done():  # as one may be that begins at once
                self.task = task
        elif self._news is not None:
            _wake(self._news)

    def eof_received(self) -> bool:
        """The client has ended its side: it does not wait for an answer."""
        self._leave()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._leave()
        self._on_gone()

    def pause_writing(self) -> None:
        """There is no room."""
        self._room = self.loop.create_future()

    def resume_writing(self) -> None:
        """There is."""
        room, self._room = self._room, None
        if room is not None:
            _wake(room)

    def _leave(self) -> None:
        self._ended = True
        for future in (self._news, self._room):
            if future is not None:
                _wake(future)
        self.cancel()

    # -- the task

    async def _run(self) -> None:
        try:
            await self._serve()
        except asyncio.CancelledError as error:
            if not self._ended:  # by somebody else: who waits for an answer would wait in vain
                self.abort(error)
            raise
        finally:
            self._busy = False
            self.task = None

    def cancel(self) -> asyncio.Task[None] | None:
        """Cancel the task, if there is one and it is not the one that calls this; which one that is."""
        task = self.task
        if task is None or task.done() or task is current_task():
            return None
        task.cancel()
        return task

    # -- called by the task

    async def receive(self) -> None:
        if self._ended:
            raise ClientGone("the client has ended its side")
        self._news = self.loop.create_future()
        try:
            await self._news
        finally:
            self._news = None
        if self._ended:
            raise ClientGone("the client has ended its side")

    async def send(self, data: bytes | bytearray | memoryview) -> None:
        if self._ended or self.transport.is_closing():
            raise ClientGone("the client is gone")
        self.transport.write(data)
        while self._room is not None:
            await self._room
            if self._ended:
                raise ClientGone("the client is gone")

    async def finish(self, read_all: bool = True) -> None:
        """End this side, and wait until the client has ended the other: then all that was sent has arrived."""
        if not self.transport.is_closing():
            self.transport.write_eof()
            await self.discard()
            self.transport.close()

    async def cut(self) -> None:
        self.transport.close()

    async def fail(self, error: BaseException) -> None:
        """Let the client have what was sent, and then ``error`` itself."""
        for _ in range(DELIVERY_TURNS):
            await asyncio.sleep(0)
        self.abort(error)

    def abort(self, error: BaseException) -> None:
        """End the connection now; ``error`` is raised where the client waits for something, or goes on to use it."""
        self._ended = True
        if self.near.fault is None and not self.near.quiet:
            self.near.fault = error  # type: ignore[assignment]  # pytest.fail() is as good
        self.near.abort()

    async def reset(self) -> None:
        self.transport.abort()


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def current_task() -> asyncio.Task[Any] | None:
    """The task that runs, also where no loop does."""
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None
