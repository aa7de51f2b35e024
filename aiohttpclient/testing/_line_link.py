"""One connection through a proxy, from its acceptance until both sides are closed.

Theory of operation. A :class:`Link` has two sides and two pumps (``_line_side.py``, ``_line_pump.py``), and one task,
which opens the sides, waits until it is told how the connection ends, and closes them. It ends

* when both sides have ended, and all that they had sent has arrived: both are closed;
* when a fault cuts it: both sides are told the end, what they still send is thrown away until the client has ended;
* when a side, or a fault, resets it: both are reset;
* when the server cannot be connected to: the client is reset.
"""

from __future__ import annotations

import asyncio
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol

from ._line_endings import BlackHole, CloseIdle, Refuse, SlowAccept
from ._line_pump import Pump
from ._line_side import Side
from ._stream import flushed, reset_on_close
from ._tasks import CLOSE_TURNS

if TYPE_CHECKING:
    import socket

    from ._line_log import ProxyConnection
    from ._line_plan import Plan
    from ._line_stage import Direction
    from ._line_target import Target

DROPPED: Final = "dropped by drop_all"


class Ending(Enum):
    """How a connection ends."""

    CLOSE = "close"
    RESET = "reset"


class Host(Protocol):
    """The proxy, as its connections see it."""

    target: Target
    buffer: memoryview
    running: asyncio.Event
    """Not set while it is paused."""

    failures: list[BaseException]
    """What the block is to raise."""

    def happened(self) -> None:
        """Tell those who wait for something."""


class Link:
    """See the top of this file."""

    def __init__(self, connection: ProxyConnection, sock: socket.socket, plan: Plan, host: Host) -> None:
        self.connection = connection
        self._socket = sock
        self._plan = plan
        self._host = host
        self._client, self._server = Side(host.buffer), Side(host.buffer)
        self._to_server = Pump("server", plan.stages["server"], self._client, self._server, self)
        self._to_client = Pump("client", plan.stages["client"], self._server, self._client, self)
        self._over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._ending = Ending.CLOSE
        self._task: asyncio.Task[Any] | None = None
        self._is_ready = self._is_cut = False
        self._idle_since = 0.0
        self._idle_timer: asyncio.TimerHandle | None = None

    # -- its task

    async def serve(self) -> None:
        """All of it."""
        self._task = asyncio.current_task()
        try:
            if not self._over.done():
                await self._open()
            self._ending = await self._over
            if self._ending is Ending.RESET:
                await flushed()
        finally:
            self._close()
        await self.wait_closed()

    async def _open(self) -> None:
        for fault in self._plan.whole:
            if not isinstance(fault, CloseIdle):
                self.connection.note(None, 0, fault.told())
        self._host.happened()
        if slow := self._plan.find(SlowAccept):
            await asyncio.sleep(slow.seconds)
        if not self._host.running.is_set():
            await self._host.running.wait()
        if self._plan.find(Refuse):
            self.reset()
        elif self._plan.find(BlackHole):
            self._to_server.stop()
            self._to_client.stop()
            self._to_client.source_ended()
            await self._open_client()
        elif await self._open_server():
            await self._open_client()

    async def _open_server(self) -> bool:
        try:
            await self._host.target.connect(lambda: self._server)
        except OSError as error:
            self.connection.error = error
            self.connection.note(None, 0, f"no connection to the server ({type(error).__name__})")
            self._host.happened()
            self.reset()
            return False
        return True

    async def _open_client(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: self._client, self._socket)
        except OSError:  # it is gone
            self.reset()
            return
        self._is_ready = True
        if self._plan.find(CloseIdle):
            self._idle_since = loop.time()
            self._watch_idle()
        self.step()

    def _close(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._to_server.stop()
        self._to_client.stop()
        for side in (self._client, self._server):
            if self._ending is Ending.RESET:
                side.reset()
            else:
                side.close()
        if not self._client.was_made:
            if self._ending is Ending.RESET:
                reset_on_close(self._socket)
            self._socket.close()

    # -- for the proxy

    def step(self) -> None:
        """Go on, if the proxy was paused."""
        self._to_server.step()
        self._to_client.step()

    def drop(self) -> None:
        """Reset it, whatever it is at."""
        if self.connection.closed:
            return
        self.connection.note(None, 0, DROPPED)
        self.reset()
        if self._task is not None and not self._is_ready:  # it waits for something else
            self._ending = Ending.RESET
            self._task.cancel()

    def ended(self) -> None:
        """Its task has ended, maybe without having begun."""
        self.connection.closed = True
        if self._task is None:
            self._socket.close()
        self._host.happened()

    @property
    def is_closed(self) -> bool:
        """Whether no socket of it is open."""
        return self._socket.fileno() < 0 and not any(
            side.was_made and not side.lost for side in (self._client, self._server)
        )

    async def wait_closed(self) -> None:
        """Wait for that; both sides were closed."""
        for _ in range(CLOSE_TURNS):
            if self.is_closed:
                return
            await asyncio.sleep(0)

    # -- for the pumps

    @property
    def is_held(self) -> bool:
        """Whether nothing is to go on."""
        return not self._is_ready or not self._host.running.is_set()

    def noted(self, to: Direction, at: int, what: str) -> None:
        """A fault has done something."""
        self.connection.note(to, at, what)
        self._host.happened()

    def passed(self) -> None:
        """Bytes were handed on."""
        self.connection.count("server", self._to_server.count)
        self.connection.count("client", self._to_client.count)
        self._host.happened()

    def came(self) -> None:
        """Something has come from a side."""
        if self._idle_timer is not None:
            self._idle_since = asyncio.get_running_loop().time()

    def cut(self) -> None:
        """End both directions."""
        self._is_cut = True
        self._to_server.stop()
        self._to_client.stop()
        self._client.end()
        self._server.end()
        self.drained()

    def reset(self) -> None:
        """Reset both sides."""
        self._finish(Ending.RESET)

    def failed(self, error: Exception) -> None:
        """A fault has raised, which fails the test."""
        self._host.failures.append(error)
        self.reset()

    def drained(self) -> None:
        """See whether there is anything left to do."""
        if self._to_server.is_drained and (self._is_cut or self._to_client.is_drained):
            self._finish(Ending.CLOSE)

    def _finish(self, ending: Ending) -> None:
        if not self._over.done():
            self._over.set_result(ending)
            self._to_server.stop()
            self._to_client.stop()

    def _watch_idle(self) -> None:
        fault = self._plan.find(CloseIdle)
        assert fault is not None
        loop = asyncio.get_running_loop()
        if loop.time() < self._idle_since + fault.seconds:
            self._idle_timer = loop.call_at(self._idle_since + fault.seconds, self._watch_idle)
            return
        self._idle_timer = None
        self.connection.note(None, 0, fault.told())
        self._host.happened()
        self.cut()
