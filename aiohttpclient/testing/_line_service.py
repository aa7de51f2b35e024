"""What runs behind a proxy's address: a link for each connection, what happens to it, and the end of all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ._line_link import Link
from ._line_log import ProxyConnection
from ._line_plan import as_faults, plan, possible
from ._line_pump import BUFFER
from ._tasks import SocketTasks, peer_of, too_many_files

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

    from ._line_plan import Plan
    from ._line_stage import Direction, LineFault
    from ._line_target import Target
    from ._listener import Listener


class LineService:
    """The connections of a :class:`FaultProxy`.

    ``faults``: what concerns all connections; ``failures``: what faults have raised, and what stops it from accepting.
    """

    target: Target

    def __init__(self, seed: int | str, faults: Any, chaos: float, chaos_faults: Any) -> None:
        if not 0 <= chaos <= 1:
            raise ValueError(f"chaos is from 0 to 1, not {chaos!r}")
        self.seed = seed
        self.faults = as_faults(faults)
        self.connections: list[ProxyConnection] = []
        self.failures: list[BaseException] = []
        self.buffer = memoryview(bytearray(BUFFER))
        self.running = asyncio.Event()
        self.running.set()
        self.listener: Listener | None = None
        self.was_accepted: Callable[[], object] = lambda: None
        self._chaos = chaos
        self._chaos_faults = as_faults(chaos_faults)
        if chaos and not self._chaos_faults:
            raise ValueError("chaos takes chaos_faults, and there are none")
        self._script: list[list[LineFault]] = []
        self._script_from = 0
        self._tasks = SocketTasks(self.failures)
        self._links: dict[int, Link] = {}
        self._changed = asyncio.Event()

    # -- what happens to connections

    def script(self, connections: Sequence[Any]) -> None:
        """Have what ``connections`` say happen to the next ones, one after the other."""
        self._script = [as_faults(faults) for faults in connections]
        self._script_from = len(self.connections)

    def _scripted(self, number: int) -> list[LineFault]:
        if not self._script:
            return []
        return self._script[min(number - self._script_from, len(self._script) - 1)]

    def accepted(self, sock: socket.socket) -> None:
        """Serve a new connection."""
        number = len(self.connections)
        connection = ProxyConnection(number, peer_of(sock))
        self.connections.append(connection)
        link = Link(connection, sock, self._plan(number), self)
        self._links[number] = link
        self._tasks.start(link.serve(), sock, f"FaultProxy: connection {number}", lambda: self._ended(link))
        self.happened()
        self.was_accepted()

    def _plan(self, number: int) -> Plan:
        try:
            faults = as_faults(self.faults)
            may_be = possible(self.seed, number, faults, self._scripted(number), self._chaos, self._chaos_faults)
            return plan(self.seed, number, may_be)
        except Exception as error:  # noqa: BLE001  # what is no fault, or one of the user's own that raises
            self.failures.append(error)
            return plan(self.seed, number, ())

    def cannot_accept(self, error: OSError) -> None:
        """Say what can be done."""
        self.failures.append(too_many_files(error, "FaultProxy"))

    def _ended(self, link: Link) -> None:
        del self._links[link.connection.number]
        link.ended()
        if self.listener is not None:
            self.listener.resume()

    # -- what a test does

    def resume(self) -> None:
        """Go on, after ``running`` was cleared."""
        self.running.set()
        for link in list(self._links.values()):
            link.step()

    async def drop_all(self) -> None:
        """Reset all connections, and wait until they are closed."""
        links = list(self._links.values())
        for link in links:
            link.drop()
        while not all(link.connection.closed for link in links):
            await self._change()

    def sent(self, to: Direction, number: int | None) -> int:
        """How many bytes were sent in a direction, over one connection, which may still be to come, or over all."""
        connections = self.connections if number is None else self.connections[number : number + 1]
        return sum(one.to_server if to == "server" else one.to_client for one in connections)

    def happened(self) -> None:
        """Tell those who wait for something."""
        self._changed.set()

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def until(self, reached: Callable[[], bool], timeout: float, otherwise: Callable[[], str]) -> None:
        """Wait until something is true.

        :raises TimeoutError: it is not after ``timeout`` seconds, with the text of ``otherwise``
        """
        try:
            async with asyncio.timeout(timeout):
                while not reached():
                    await self._change()
        except TimeoutError:
            raise TimeoutError(f"{otherwise()} within {timeout:g} s, but: {self._came()}") from None

    def _came(self) -> str:
        return ", ".join(map(repr, self.connections)) or "no connection"

    # -- the end

    async def stop(self) -> None:
        """Let what can come to its end do so, cancel what cannot, and close all sockets."""
        links = list(self._links.values())
        await self._tasks.stop()
        for link in links:
            await link.wait_closed()
