"""A real server on this machine, for tests: routes, what was asked, and whatever can go wrong."""

from __future__ import annotations

import asyncio
import ssl
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, TypeVar

from . import _certificates
from ._address import Addressed
from ._listener import Listener
from ._routes import ANY, in_turn
from ._server_faults import ServerFaults
from ._service import Service

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from ._certificates import Certificate
    from ._connection import ServerConnection
    from ._request import ServerRequest

_Function = TypeVar("_Function", bound=Callable[..., Any])


class LoopbackServer(Addressed):
    """An HTTP/1.1 server on this machine, in the loop of the test that enters its block.

    ::

        async with LoopbackServer() as server, AsyncHTTPClient(base_url=server.url) as client:

            @server.route("GET", "/users/{name}")
            async def user(request: ServerRequest) -> dict[str, str]:
                return {"name": request.params["name"]}

            response = await client.get("/users/joe")
            assert response.json() == {"name": "joe"}
            assert server.requests[0].path == "/users/joe"

    :param host: the address to listen at, ``"127.0.0.1"`` or ``"::1"``; the port is one that is free
    :param path: of a Unix socket to listen at instead
    :param tls: True for a certificate that ``client_context`` trusts (made with trustme), or an ``ssl.SSLContext``
    :param slow_accept, refuse, close_after, certificate: see :class:`ServerFaults`; ``server.faults`` has them

    ``requests``: all :class:`ServerRequest` in the order in which they were there; ``connections``: all
    :class:`ServerConnection`; ``failures``: what handlers raised, and requests that break RFC 9112. When the block
    ends, it raises these, one as it is, more in an ExceptionGroup; a test that provokes them empties the list. Nothing
    listens any more then, and no task and no descriptor is left, whatever clients and handlers still do.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        path: str | Path | None = None,
        tls: bool | ssl.SSLContext = False,
        slow_accept: float = 0.0,
        refuse: bool = False,
        close_after: int | None = None,
        certificate: Certificate = "good",
    ) -> None:
        if certificate != "good" and tls is not True:
            raise ValueError("a certificate is chosen with tls=True; a context of your own has its own")
        super().__init__(host, path)
        self._faults = ServerFaults(slow_accept, refuse, close_after, certificate)
        self._tls = tls
        self._service = Service(self.faults, tls)

    async def __aenter__(self) -> Self:
        self._enter()
        if self._tls is True:
            _certificates.server_context(self.faults.certificate)  # without trustme nothing has begun
        service = self._service
        listener = Listener(self._host, self._path, service.accepted, service.cannot_accept)
        self._listener = service.listener = listener
        try:
            self.faults.watch(lambda refuse: listener.refuse() if refuse else listener.accept())
        except BaseException:
            listener.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.faults.watch(None)
        if self._listener is not None:
            self._listener.close()
        await self._service.stop()
        if error is not None:
            for failure in self.failures:  # most likely why the client failed
                error.add_note("A handler of the LoopbackServer had failed:\n" + _shown(failure))
        elif len(self.failures) == 1:
            raise self.failures[0]
        elif self.failures:
            raise BaseExceptionGroup("handlers of the LoopbackServer failed", self.failures)

    # -- what happened

    @property
    def faults(self) -> ServerFaults:
        """What it does to all connections: ``server.faults.refuse = True``, at any time."""
        return self._faults

    @property
    def requests(self) -> list[ServerRequest]:
        """All requests that came, in their order."""
        return self._service.requests

    @property
    def connections(self) -> list[ServerConnection]:
        """All connections that were accepted, in their order; also those that are over."""
        return self._service.connections

    @property
    def failures(self) -> list[BaseException]:
        """What handlers raised, and requests that break RFC 9112; the list may be emptied."""
        return self._service.failures

    # -- where it is

    @property
    def url(self) -> str:
        """The URL of its root, without a slash at the end."""
        return f"{'https' if self._tls else 'http'}://{self.netloc}"

    @property
    def client_context(self) -> ssl.SSLContext | None:
        """A new TLS context that trusts the server, for clients; None where the server has no TLS.

        :raises RuntimeError: the server has a context of yours, about whose authority it knows nothing
        """
        if isinstance(self._tls, ssl.SSLContext):
            text = "the server has a context of your own: make the client's with the same authority"
            raise RuntimeError(text)  # noqa: TRY004  # it is not an argument that is of the wrong type
        return _certificates.client_context() if self._tls else None

    @property
    def authority_pem(self) -> bytes:
        """The certificate of the authority of ``tls=True``, for clients that want a file: ``curl --cacert``."""
        return _certificates.authority_pem()

    # -- what it answers

    def route(self, *method_and_path: str, early: bool = False) -> Callable[[_Function], _Function]:
        """Have a function answer: ``@server.route("GET", "/users/{name}")``, or a path alone for every method.

        ``{name}`` stands for one segment of the path, which is in ``request.params``, and ``{name:path}`` at the end
        for the rest. HEAD is answered by the routes for GET. Of several routes that fit, the most specific is taken:
        ``/users/joe`` before ``/users/{name}`` before ``/{rest:path}``. One that is added again with the same method
        and path takes the place of the first.

        :param early: the function is called before the body of the request was read; ``await request.read()`` does that

        The function, which may be a coroutine function, is given the :class:`ServerRequest`, and returns a
        :class:`ServerResponse`, bytes, str (text), dict or list (JSON), a tuple of a status and one of these, or a
        :class:`Fault`.

        :raises ValueError: a method or a path that no request has
        :raises TypeError: neither of the two forms
        """
        if len(method_and_path) not in {1, 2}:
            raise TypeError("a route has one method and one path, or a path alone for every method")

        method, path = (ANY, *method_and_path)[-2:]

        def add(handler: _Function) -> _Function:
            self._service.routes.add(method, path, handler, early)
            return handler

        return add

    def add(self, method: str, path: str, *answers: Any, early: bool = False) -> None:
        """Answer with ``answers``, one after the other, and with the last from then on.

        ``server.add("GET", "/report", Reset(), (503, "later"), {"done": True})``. A function among them is called, as
        that of a route; ``early`` is that of :meth:`route`.

        :raises ValueError: a method or a path that no request has, or no answer
        :raises TypeError: an answer that is none
        """
        self._service.routes.add(method, path, in_turn(answers), early)

    def raw(self, handler: _Function) -> _Function:
        """Have a function do all that is done with a connection: ``@server.raw``, given a reader and a writer.

        It is called for each new connection, after the TLS handshake if there is one, in place of all routes. When it
        returns, the connection is closed. What it raises fails the test, but for what the departure of a client makes
        reading and writing raise (EOFError, ConnectionError, ssl.SSLError), which is in ``ServerConnection.error``.
        """
        self._service.raw = handler
        return handler

    # -- what was asked

    async def wait_requests(self, number: int = 1, timeout: float = 10.0) -> list[ServerRequest]:
        """Wait until ``number`` requests have come in all, and return them.

        :raises TimeoutError: they have not after ``timeout`` seconds
        """
        try:
            async with asyncio.timeout(timeout):
                while len(self.requests) < number:
                    self._service.arrived.clear()
                    await self._service.arrived.wait()
        except TimeoutError:
            came = ", ".join(map(repr, self.requests)) or "none"
            raise TimeoutError(f"{number} requests did not come within {timeout:g} s, but: {came}") from None
        return self.requests[:number]


def _shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip()
