"""A proxy that stands between any client and any server, for tests, and does harm to what passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from ._address import Addressed
from ._line import CHAOS
from ._line_log import shown
from ._line_plan import as_faults
from ._line_service import LineService
from ._line_target import as_target
from ._listener import Listener

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import TracebackType

    from ._line_log import ProxyConnection, ProxyEvent
    from ._line_stage import Direction, LineFault


class FaultProxy(Addressed):
    """A proxy on this machine, in the loop of the test that enters its block, for the bytes of whatever goes over TCP.

    ::

        async with LoopbackServer() as server, FaultProxy(server, faults=line.Cut(after=100)) as proxy:
            async with AsyncHTTPClient(base_url=proxy.url) as client:
                ...  # the connection ends behind the first 100 bytes that come from the server

    :param target: where it leads: a host, with ``port``; ``"host:port"``; a URL; a LoopbackServer; or the path of a
        Unix socket, a Path or with a slash at its beginning
    :param host: the address to listen at, ``"127.0.0.1"`` or ``"::1"``; the port is one that is free
    :param path: of a Unix socket to listen at instead
    :param seed: what comes by chance depends on it, on the number of the connection, and on the direction
    :param faults: what happens to connections, of ``line``: one, or an iterable
    :param chaos: how likely it is, from 0 to 1, that one of ``chaos_faults`` happens to a connection besides
    :param chaos_faults: those of ``line.CHAOS``, unless others are given
    :param refuse: new connections are refused
    :param refuse_after: new connections are refused once so many were accepted
    :raises TypeError: there is something among the faults that is none
    :raises ValueError: a number that means nothing

    An error of the block gets the seed and the log as a note. When the block has ended, nothing listens any more, and
    no task and no descriptor is left, whatever clients and servers still do.
    """

    _called = "proxy"

    def __init__(
        self,
        target: Any,
        port: int | None = None,
        *,
        host: str = "127.0.0.1",
        path: str | Path | None = None,
        seed: int | str = 0,
        faults: LineFault | Iterable[LineFault] | None = None,
        chaos: float = 0.0,
        chaos_faults: Iterable[LineFault] = CHAOS,
        refuse: bool = False,
        refuse_after: int | None = None,
    ) -> None:
        if refuse_after is not None and refuse_after < 1:
            raise ValueError(f"refuse_after is at least 1, not {refuse_after!r}; to have none accepted there is refuse")
        super().__init__(host, path)
        self._target = (target, port)
        self._refuse = refuse
        self._refuse_after = refuse_after
        self._service = LineService(seed, faults, chaos, chaos_faults)

    async def __aenter__(self) -> Self:
        self._enter()
        service = self._service
        service.target = as_target(*self._target)
        self._listener = Listener(self._host, self._path, service.accepted, service.cannot_accept)
        service.listener = self._listener
        service.was_accepted = self._was_accepted
        try:
            self.refuse = self._refuse
        except BaseException:
            self._listener.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listener is not None:
            self._listener.close()
        await self._service.stop()
        if error is not None:
            error.add_note(f"FaultProxy(seed={self.seed!r}) did this:\n{shown(self.log)}")
        elif len(failures := self._service.failures) == 1:
            raise failures[0]
        elif failures:
            raise BaseExceptionGroup("faults of the FaultProxy failed", failures)

    def _was_accepted(self) -> None:
        if self._refuse_after is not None and len(self.connections) >= self._refuse_after:
            self._refuse_after = None  # once: a test may have it accept again
            self.refuse = True

    # -- where it is

    @property
    def url(self) -> str:
        """The URL of the target, with this host and port for its own; ``http`` where it was not given as one."""
        self._address()
        return self._service.target.url_at(self.netloc)

    # -- what happens to connections

    @property
    def seed(self) -> int | str:
        """What all that comes by chance depends on."""
        return self._service.seed

    @property
    def faults(self) -> list[LineFault]:
        """What happens to connections; it may be changed, and set, for those that come after that."""
        return self._service.faults

    @faults.setter
    def faults(self, faults: LineFault | Iterable[LineFault] | None) -> None:
        self._service.faults = as_faults(faults)

    def script(self, *connections: LineFault | Iterable[LineFault] | None) -> None:
        """What happens to the next connections, one after the other, and what happened to the last one from then on.

        ``proxy.script(line.Reset(), [line.Delay(1), line.Cut(after=10)], None)``: the first one is reset, the second
        has two faults, one behind the other, and all that follow have none, but for those of ``faults``.

        :raises TypeError: something that is no fault
        """
        self._service.script(connections)

    @property
    def refuse(self) -> bool:
        """Whether new connections are refused."""
        return self._refuse

    @refuse.setter
    def refuse(self, refuse: bool) -> None:
        self._refuse = refuse
        if self._listener is not None:
            (self._listener.refuse if refuse else self._listener.accept)()

    def pause(self) -> None:
        """Stop all traffic. Connections stay, and new ones are accepted, but nothing goes through them."""
        self._service.running.clear()

    def resume(self) -> None:
        """Let the traffic go on, with what was held back."""
        self._service.resume()

    async def drop_all(self) -> None:
        """Reset all connections, to clients and to servers, and wait until they are closed."""
        await self._service.drop_all()

    # -- what happened

    @property
    def connections(self) -> list[ProxyConnection]:
        """All connections that were accepted, in their order; also those that are over."""
        return self._service.connections

    @property
    def log(self) -> list[ProxyEvent]:
        """What was done, connection after connection, see :attr:`ProxyConnection.log`."""
        return [event for connection in self.connections for event in connection.log]

    async def wait_connections(self, number: int = 1, timeout: float = 10.0) -> list[ProxyConnection]:
        """Wait until ``number`` connections were accepted in all, and return them.

        :raises TimeoutError: they were not after ``timeout`` seconds
        """
        await self._service.until(
            lambda: len(self.connections) >= number, timeout, lambda: f"{number} connections did not come"
        )
        return self.connections[:number]

    async def wait_bytes(
        self, number: int = 1, *, to: Direction = "server", connection: int | None = None, timeout: float = 10.0
    ) -> None:
        """Wait until ``number`` bytes were sent to the server, or to the client, over one connection or over all.

        :raises TimeoutError: they were not after ``timeout`` seconds
        """
        await self._service.until(
            lambda: self._service.sent(to, connection) >= number,
            timeout,
            lambda: f"{number} bytes did not go to the {to}",
        )

    async def wait_log(self, number: int = 1, timeout: float = 10.0) -> list[ProxyEvent]:
        """Wait until the log has ``number`` entries, and return it.

        :raises TimeoutError: it has not after ``timeout`` seconds
        """
        await self._service.until(lambda: len(self.log) >= number, timeout, lambda: f"{number} faults did not happen")
        return self.log

    async def wait_closed(self, timeout: float = 10.0) -> None:
        """Wait until all connections that were accepted are closed.

        :raises TimeoutError: they are not after ``timeout`` seconds
        """
        await self._service.until(
            lambda: all(connection.closed for connection in self.connections),
            timeout,
            lambda: "the connections were not closed",
        )
