"""A dialer at whose other end is an ASGI application, in the same process."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

from ._asgi_answer import Answer
from ._asgi_connection import ASGIConnection
from ._asgi_exchange import ASGIExchange
from ._asgi_lifespan import Lifespan
from ._asgi_scope import http_scope, takes_trailers
from ._asgi_work import Work
from ._memory import MemoryDialer
from ._request import BadRequest, keeps_connection, wants_continue

if TYPE_CHECKING:
    from ..net import StreamProtocol
    from ._asgi_exchange import Application
    from ._request import ServerRequest

ROOM: Final = 4 << 20
"""Bytes on their way in one direction. Over a socket of this machine an echo of 8 MiB gets through to a client that
reads nothing before it has sent everything; so some MiB should here, while what nobody reads does not pile up."""

LIFESPANS: Final = ("auto", "on", "off")

log = logging.getLogger("aiohttpclient.testing")


class ASGITransport(MemoryDialer):
    """Connects to an ASGI 3 application in this process, whatever host and port are dialled.

    ::

        async with ASGITransport(app) as transport, AsyncHTTPClient(transport=transport) as client:
            response = await client.get("http://example.org/")

    The block is the application's lifespan: its startup is complete when the block begins, and its end waits for what
    still runs, such as background tasks, before the shutdown. What goes over the connections are the bytes that would
    go over sockets, so that bodies are streamed both ways, and whoever is too slow is waited for. An ``https`` URL
    needs no handshake; the application sees its scheme.

    What the application raises is answered with 500, or cuts the answer that has begun, and is raised when the block
    ends: one error as it is, more in an ``ExceptionGroup``; ``failures`` has them before. If the block fails itself,
    they are notes of its error. So it is with requests that break RFC 9112, whoever sends them.

    Without a block, ``AsyncHTTPClient(transport=ASGITransport(app))``, there is no lifespan, and errors are logged.

    :param app: a coroutine function, or what can be called like one, of scope, receive and send
    :param lifespan: ``"auto"``: an application that does not know the protocol has none; ``"on"``: it must know it;
        ``"off"``: it is not asked
    :param root_path: where the application is mounted; ``scope["path"]`` begins with it, and targets do not
    :param client: the (host, port) that the application takes for that of its client; None where it is unknown
    :param raise_app_exceptions: False: errors of the application are logged, and not raised
    :param startup_timeout: seconds that the startup may take
    :param shutdown_timeout: seconds for which the end of the block waits for the application, once for its requests and
        once for its shutdown; what takes longer is cancelled, and reported. A request that lost its client before it
        was answered is cancelled after half a second
    :param room: bytes that may be on their way in either direction, before who sends them has to wait
    """

    _culprit: ClassVar[str] = "The application"

    def __init__(
        self,
        app: Application,
        *,
        lifespan: Literal["auto", "on", "off"] = "auto",
        root_path: str = "",
        client: tuple[str, int] | None = ("127.0.0.1", 123),
        raise_app_exceptions: bool = True,
        startup_timeout: float = 10.0,
        shutdown_timeout: float = 5.0,
        room: int = ROOM,
    ) -> None:
        if not callable(app):
            raise TypeError(f"app is an ASGI application, not {type(app).__name__}")
        if lifespan not in LIFESPANS:
            raise ValueError(f"lifespan is one of {LIFESPANS}, not {lifespan!r}")
        super().__init__(lambda *_: None, secure=True, room=room)  # it is not called: _protocol() is ours
        self._app = app
        self._lifespan = None if lifespan == "off" else Lifespan(app, lifespan == "on")
        self._needs_block = lifespan == "on"
        self._root_path = root_path
        self._client = client
        self._raises = raise_app_exceptions
        self._startup_timeout = startup_timeout
        self._shutdown_timeout = shutdown_timeout
        self._entered = False
        self._context = contextvars.copy_context()
        self._work = Work(shutdown_timeout, self._note)

    async def __aenter__(self) -> Self:
        if self._entered:
            raise RuntimeError("an ASGITransport is used for one block: make another one")
        self._entered = True
        self._context = contextvars.copy_context()
        if self._lifespan is not None:
            try:
                await self._lifespan.startup(self._startup_timeout, self._context.copy())
            except BaseException:
                self._closed = True
                raise
        return self

    async def dial(self, host: str, port: int) -> StreamProtocol:
        """A connection to the application.

        :raises ConnectionRefusedError: the transport is closed
        :raises RuntimeError: ``lifespan="on"``, and there is no block
        """
        if self._needs_block and not self._entered:
            raise RuntimeError('with lifespan="on" an ASGITransport is used in a block: async with ASGITransport(...)')
        return await super().dial(host, port)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _protocol(self, loop: asyncio.AbstractEventLoop) -> asyncio.BaseProtocol:
        return ASGIConnection(self._connected, self._begin, self._start, self._note)

    def _connected(self, connection: ASGIConnection) -> None:
        if self._closed:
            connection.transport.close()

    def _begin(self, request: ServerRequest, connection: ASGIConnection) -> ASGIExchange:
        end = connection.transport
        scope = http_scope(
            request,
            scheme=end.get_extra_info("scheme"),
            client=self._client,
            server=end.get_extra_info("sockname"),
            root_path=self._root_path,
            state={} if self._lifespan is None else self._lifespan.state,
        )
        answer = Answer(request.method, request.version, keeps_connection(request), takes_trailers(request))
        return ASGIExchange(scope, answer, connection, wants_continue(request))

    def _start(self, exchange: ASGIExchange) -> None:
        # Each request has the context of the block, as those of a server have the server's, whoever has sent it.
        self._work.start(exchange, exchange.run(self._app, self._note), self._context.copy())

    def _note(self, error: BaseException) -> None:
        raises = self._raises or isinstance(error, BadRequest)  # which is the client's fault
        if raises:
            self.failures.append(error)
        if not (raises and self._entered):
            log.error("a request failed", exc_info=error)

    async def _end(self) -> None:
        self._closed = True
        loop = asyncio.get_running_loop()
        try:
            for end in list(self._ends):
                protocol = end.get_protocol()
                if end.loop is loop and isinstance(protocol, ASGIConnection) and protocol.is_made:
                    protocol.stop()  # those that are not made yet find out by themselves
            await self._work.finish()
            await self._shut_down()
        finally:
            self._work.abort()
            if self._lifespan is not None:
                self._lifespan.abort()
            await super()._end()

    async def _shut_down(self) -> None:
        if self._lifespan is None:
            return
        try:
            await self._lifespan.shutdown(self._shutdown_timeout)
        except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  # pytest.fail() too is raised when all is closed
            self._note(error)
