"""What runs behind a server's address: a task for each connection, and the end of all of them.

Theory of operation. The listener calls ``accepted`` with each socket; a task serves it, and closes it. How they all
come to their end is in ``_tasks.py``. What handlers raise is kept in ``failures``, also what they raise when they are
cancelled.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from ._certificates import server_context
from ._connection import ServerConnection
from ._exchange import converse, refused
from ._routes import Routes, called
from ._stream import DEPARTURES, ClientGone, open_stream
from ._tasks import SocketTasks, peer_of, too_many_files, wait_closed

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    from ._listener import Listener
    from ._request import ServerRequest
    from ._response import ServerResponse
    from ._server_faults import ServerFaults
    from ._stream import ServerStream

    Raw: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Service:
    """The routes, what came, and the tasks. It is the application of the conversations, see ``_exchange.py``."""

    def __init__(self, faults: ServerFaults, tls: bool | ssl.SSLContext) -> None:
        self.faults = faults
        self.tls = tls
        self.routes = Routes()
        self.raw: Raw | None = None
        self.requests: list[ServerRequest] = []
        self.connections: list[ServerConnection] = []
        self.failures: list[BaseException] = []
        self.arrived = asyncio.Event()
        self.listener: Listener | None = None
        self._tasks = SocketTasks(self.failures)

    # -- the application

    def is_early(self, request: ServerRequest) -> bool:
        """Whether the route is for requests whose body was not read."""
        return self.routes.find(request).early

    def received(self, request: ServerRequest) -> None:
        """Note it."""
        self.requests.append(request)
        self.arrived.set()

    async def respond(self, request: ServerRequest) -> Any:
        """What the handler returns."""
        return await called(self.routes.find(request).handler, request)

    def failed(self, error: BaseException) -> None:
        """Keep it for the end of the block."""
        self.failures.append(error)

    def refusal(self, error: BaseException) -> ServerResponse:
        """The usual one."""
        return refused(error)

    def closes_after(self, number: int) -> bool:
        """Whether that many answers are all that a connection gives."""
        return self.faults.close_after is not None and number >= self.faults.close_after

    # -- connections

    def accepted(self, sock: socket.socket) -> None:
        """Serve a new connection."""
        connection = ServerConnection(len(self.connections), peer_of(sock))
        self.connections.append(connection)
        name = f"LoopbackServer: connection {connection.number}"
        self._tasks.start(self._serve(sock, connection), sock, name, partial(self._ended, connection))

    def cannot_accept(self, error: OSError) -> None:
        """Say what can be done."""
        self.failures.append(too_many_files(error, "LoopbackServer"))

    def _ended(self, connection: ServerConnection) -> None:
        connection.closed = True
        if self.listener is not None:
            self.listener.resume()

    async def _serve(self, sock: socket.socket, connection: ServerConnection) -> None:
        stream: ServerStream | None = None
        try:
            stream = await self._opened(sock)
            tls = stream.get_extra_info("ssl_object")
            connection.tls_version = None if tls is None else tls.version()
            if self.raw is not None:
                await self.raw(stream.reader, stream.writer)
            else:
                await converse(stream, self, connection)
            await stream.wait_closed()
        except (ClientGone, *DEPARTURES) as error:
            connection.error = error
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  # of a raw handler, pytest.fail() among them: the block raises it
            self.failures.append(error)
        finally:
            if stream is not None:
                stream.abort()
        await wait_closed(sock)

    async def _opened(self, sock: socket.socket) -> ServerStream:
        try:
            if self.faults.slow_accept:
                await asyncio.sleep(self.faults.slow_accept)
            context = server_context(self.faults.certificate) if self.tls is True else self.tls or None
        except BaseException:
            sock.close()
            raise
        return await open_stream(sock, context)

    # -- the end

    async def stop(self) -> None:
        """Let what can come to its end do so, cancel what cannot, and close all sockets."""
        await self._tasks.stop()
