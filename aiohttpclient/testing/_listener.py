"""The listening socket of a server: it accepts, refuses, or is closed.

Its address is the same all the time. Who refuses has a socket that is bound and does not listen: connections to it are
refused by the kernel, and nobody else gets the port meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BACKLOG: Final = 4096
"""Connections that may wait to be accepted: more than tests open at once. The kernel has a bound of its own, 4096."""

AT_ONCE: Final = 100
"""Connections that are accepted in one turn of the loop, so that others get theirs."""


class Listener:
    """Calls ``accepted`` with each new connection, a socket that does not block; see the top of this file.

    :param host: an address of this machine, to which a port that is free is taken
    :param path: of a Unix socket, in place of an address; the file is removed by ``close``
    :param failed: called with what goes wrong when a connection should be accepted; no more are, until ``resume``
    :raises OSError: there is no such address, or the file exists
    """

    def __init__(
        self,
        host: str,
        path: str | None,
        accepted: Callable[[socket.socket], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._accepted = accepted
        self._failed = failed
        self._loop = asyncio.get_running_loop()
        self._family = socket.AF_UNIX if path is not None else socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket: socket.socket | None = self._bound((host, 0) if path is None else path)
        self.address: Any = self._socket.getsockname()
        self._listens = False

    def _bound(self, address: Any) -> socket.socket:
        sock = socket.socket(self._family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            if self._family != socket.AF_UNIX:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # for refuse(): connections may exist
            sock.bind(address)
        except BaseException:
            sock.close()
            raise
        return sock

    def accept(self) -> None:
        """Accept connections from now on.

        :raises NotImplementedError: the loop cannot watch a socket
        """
        if self._socket is None or self._listens:
            return
        try:
            self._loop.add_reader(self._socket, self._ready)
        except NotImplementedError as error:  # Windows
            raise NotImplementedError(
                "LoopbackServer and FaultProxy need a loop with add_reader: asyncio.SelectorEventLoop on Windows"
            ) from error
        self._socket.listen(BACKLOG)
        self._listens = True

    def refuse(self) -> None:
        """Refuse connections from now on, also those that are not accepted yet."""
        if self._socket is None or not self._listens:
            return
        self._end()
        if isinstance(self.address, str):
            Path(self.address).unlink(missing_ok=True)
        self._socket = self._bound(self.address)

    def resume(self) -> None:
        """Try again after a failure."""
        if self._socket is not None and self._listens:
            self._loop.add_reader(self._socket, self._ready)

    def close(self) -> None:
        """Have no address any more."""
        if self._socket is not None:
            self._end()
            if isinstance(self.address, str):
                with contextlib.suppress(OSError):
                    Path(self.address).unlink()

    def _end(self) -> None:
        if self._socket is not None:
            if self._listens:
                self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None
            self._listens = False

    def _ready(self) -> None:
        # A plain callback: a task that is cancelled in the turn in which it accepts would lose the socket.
        for _ in range(AT_ONCE):
            if self._socket is None or not self._listens:  # closed, or refusing, by what `accepted` did
                return
            try:
                sock, _ = self._socket.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:  # no more descriptors, mostly: the socket stays readable
                self._loop.remove_reader(self._socket)
                self._failed(error)
                return
            sock.setblocking(False)
            self._accepted(sock)
