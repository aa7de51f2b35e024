"""A dialer whose connections never leave the process: what is dialled is a function."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import inspect
import itertools
import os
import ssl as ssl_module
import traceback
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias

from ..net import StreamProtocol
from ._stream import ServerProtocol
from ._transport import MemoryTransport, pair
from ._way import ROOM

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    Handler: TypeAlias = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[object] | None]
    Refuse: TypeAlias = Callable[[str, int], BaseException | Awaitable[BaseException | None] | None]

DEPARTURES = (EOFError, ConnectionError, ssl_module.SSLError)
"""What a handler raises when its client has gone: that is how most handlers end, and no failure."""

EPHEMERAL = range(49152, 65536)
"""The ports that clients have (RFC 6335 section 6), one after the other."""


class MemoryDialer:
    r"""A :class:`aiohttpclient.net.Dialer` that connects to ``handler``, whatever host and port are dialled.

    ::

        async def handler(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        async with MemoryDialer(handler) as dialer, AsyncHTTPClient(transport=dialer) as client:
            response = await client.get("http://example.org/")

    It serves clients, pools and connections alike: ``AsyncHTTPClient(transport=dialer)``,
    ``ConnectionPool(dialer=dialer)``, ``AsyncHTTPConnection("example.org", dialer=dialer)``.

    What a handler raises makes ``close``, or the end of the ``async with`` block, raise it: all of it, in an
    ``ExceptionGroup``, where that is more than one. Only what comes of the client's having gone (``EOFError``,
    ``ConnectionError``, ``ssl.SSLError``) is taken for the end of a conversation.

    :param handler: called for each connection with an ``asyncio.StreamReader`` and an ``asyncio.StreamWriter``, as the
        callback of ``asyncio.start_server`` is. When it is a coroutine function, its end closes the connection; with a
        plain function that is up to whoever has the writer. ``writer.get_extra_info("sockname")`` is the (host, port)
        that was dialled, ``"peername"`` the client's, and ``"scheme"`` is ``"https"`` where the client takes the
        connection for encrypted.
    :param refuse: called with the host (str) and the port (int) that are dialled; the exception that it gives, if it
        does, is raised by the dial. It may be a coroutine function, and take its time, for a dial that is slow.
    :param ssl: the server's TLS context: ``handler`` is called after a handshake. This takes the event loop of asyncio
        itself; uvloop encrypts only what is on a socket.
    :param secure: the streams of this dialer count as encrypted: for an ``https`` URL there is no handshake. For those
        who test what is said, and not how it is kept secret. A tunnel through a proxy is encrypted all the same.
    :param room: bytes that may be on their way in either direction, before a writer finds that they pile up
    """

    _culprit: ClassVar[str] = "A handler of the MemoryDialer"
    """Whose fault it is what is in ``failures``."""

    def __init__(
        self,
        handler: Handler,
        *,
        refuse: Refuse | None = None,
        ssl: ssl_module.SSLContext | None = None,
        secure: bool = False,
        room: int = ROOM,
    ) -> None:
        if secure and ssl is not None:
            raise ValueError("secure=True is for connections without a handshake, and ssl= makes one: give one of them")
        if room < 1:
            raise ValueError(f"room must be at least one byte, got {room!r}")
        self.failures: list[BaseException] = []
        """What handlers have raised, in order."""
        self.dialed: list[tuple[str, int]] = []
        """The (host, port) of each dial, in order, with those that were refused."""
        self.streams_are_secure = secure
        self._handler = handler
        self._refuse = refuse
        self._ssl = ssl
        self._room = room
        self._ports = itertools.cycle(EPHEMERAL)
        self._handlers: set[asyncio.Task[None]] = set()
        self._ends: set[MemoryTransport] = set()
        self._raised = 0
        self._closed = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self._ends)} connections{', closed' if self._closed else ''}>"

    @property
    def connections(self) -> int:
        """How many connections the handlers have open."""
        return len(self._ends)

    async def dial(self, host: str, port: int) -> StreamProtocol:
        """A stream to a new call of the handler.

        :raises ConnectionRefusedError: the dialer is closed
        :raises BaseException: what ``refuse`` gives
        :raises NotImplementedError: TLS was asked for, on an event loop that encrypts sockets only
        """
        self.dialed.append((host, port))
        loop = asyncio.get_running_loop()
        if self._ssl is not None and not isinstance(loop, asyncio.BaseEventLoop):
            raise NotImplementedError(
                f"{type(loop).__module__} cannot encrypt what is not on a socket: run the test on asyncio's own event "
                "loop, give MemoryDialer secure=True in place of ssl=, or use a server on a socket"
            )
        refusal = None if self._refuse is None else self._refuse(host, port)
        if inspect.isawaitable(refusal):
            refusal = await refusal
        if refusal is not None:
            raise refusal
        if self._closed:
            text = f"{os.strerror(errno.ECONNREFUSED)}: the {type(self).__name__} is closed"
            raise ConnectionRefusedError(errno.ECONNREFUSED, text)
        stream = self._connect(loop, (host, port))
        try:
            await asyncio.sleep(0)  # in which the other end is made
        except BaseException as error:
            await stream.aborted(error)
            raise
        return stream

    def secured(self, stream: StreamProtocol) -> None:
        """``stream``, from a dial, counts as encrypted from now on: see :class:`aiohttpclient.net.Dialer`."""
        end = stream.transport
        assert isinstance(end, MemoryTransport)
        end.shared["scheme"] = "https"

    async def close(self) -> None:
        """Refuse every dial from now on, cancel the handlers that still run, wait for them, and close what they left.

        Clients see the end of their connections. It may be called again.

        :raises BaseException: what handlers have raised since the last call; an ``ExceptionGroup`` if it is more
        """
        await self._end()
        failures, self._raised = self.failures[self._raised :], len(self.failures)
        if len(failures) == 1:
            raise failures[0]
        if failures:
            raise BaseExceptionGroup(f"{self._culprit} failed {len(failures)} times", failures)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.close()
            return
        await self._end()
        for failure in self.failures[self._raised :]:  # most likely why the block failed
            trace_of = "".join(traceback.format_exception(failure))
            error.add_note(f"{self._culprit} had failed:\n{trace_of}")

    # -- inside ------------------------------------------------------------------------------------------------------

    def _connect(self, loop: asyncio.AbstractEventLoop, address: tuple[str, int]) -> StreamProtocol:
        """The near end of a connection; the far end is made in the next turn of the loop."""
        client = ("127.0.0.1", next(self._ports))
        stream = StreamProtocol(loop)
        stream.sendfile_works = False  # there is no socket that a kernel could send it to
        protocol = self._protocol(loop)
        near, far = pair(loop, stream, protocol, room=self._room, near_address=client, far_address=address)
        far.on_gone = lambda: self._ends.discard(far)
        self._ends.add(far)
        stream.connection_made(near)
        loop.call_soon(protocol.connection_made, far)
        return stream

    def _protocol(self, loop: asyncio.AbstractEventLoop) -> asyncio.BaseProtocol:
        """What the far end of a new connection is told."""
        reader = asyncio.StreamReader(loop=loop)
        return ServerProtocol(reader, self._accept, loop=loop)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        end = writer.transport
        assert isinstance(end, MemoryTransport)
        if self._closed:
            end.close()
            return
        name = "MemoryDialer: the handler of {}:{}".format(*end.get_extra_info("sockname"))
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer, end), name=name)
        self._handlers.add(task)
        task.add_done_callback(self._handlers.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, end: MemoryTransport) -> None:
        stays = False
        try:
            if self._ssl is not None:
                with contextlib.suppress(OSError):  # of a handshake that fails the client knows as well
                    await writer.start_tls(self._ssl)
                    end.shared["scheme"] = "https"
                if end.is_closing():
                    return
            work = self._handler(reader, writer)
            if inspect.isawaitable(work):
                await work
            else:
                stays = True
        except asyncio.CancelledError:
            pass  # by close(), or by the handler itself: there is nobody else
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001  # also what test frameworks fail a test with
            if not (end.was_left and isinstance(error, DEPARTURES)):
                self.failures.append(error)
        finally:
            if not stays:
                writer.close()

    async def _end(self) -> None:
        self._closed = True
        loop = asyncio.get_running_loop()
        self._ends = {end for end in self._ends if end.loop is loop}  # others went with their loops
        running = {task for task in self._handlers if task.get_loop() is loop} - {asyncio.current_task()}
        for task in running:
            task.cancel()
        try:
            if running:
                await asyncio.wait(running)
        finally:
            for end in list(self._ends):
                end.close()
                if end.get_write_buffer_size():
                    end.abort()
        while self._ends:
            await asyncio.sleep(0)
