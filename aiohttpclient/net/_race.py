"""Happy Eyeballs (RFC 8305 section 5): of several addresses, the first that answers.

Attempts start one after the other: at once when another has failed, else after a delay, beside those that still wait.
The first connected socket wins. Every attempt is a task of its own, and has ended before ``race`` does, however that
ends: no socket but the winner's is open then. Nothing here looks at the text of an error, which differs between loops.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import sys
from collections import deque
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ._resolver import AddrInfoType

    Attempt: TypeAlias = asyncio.Task[socket.socket | OSError]


ASKS_AGAIN: Final = sys.platform == "linux"
"""Elsewhere it is not known to be of any use; on Windows a socket that is being connected must not be touched."""

NONBLOCKING: Final[int] = getattr(socket, "SOCK_NONBLOCK", 0)
"""Where there is such a flag, a socket need not be told later (socket(2))."""

PENDING: Final = frozenset({errno.EINPROGRESS, errno.EALREADY, errno.EAGAIN, errno.EINTR})
CONNECTED: Final = frozenset({0, errno.EISCONN})
"""What ``connect`` says on the way (connect(2))."""


class IPv4Socket(socket.socket):
    """A TCP socket that knows what it is.

    ``socket`` makes members of two enumerations of numbers whenever it is asked, and asyncio asks three times for each
    connection.
    """

    __slots__ = ()
    family = socket.AF_INET  # a property there
    type = socket.SOCK_STREAM


class IPv6Socket(IPv4Socket):
    """The same for the other family."""

    __slots__ = ()
    family = socket.AF_INET6


SOCKETS: Final[dict[int, type[socket.socket]]] = {socket.AF_INET: IPv4Socket, socket.AF_INET6: IPv6Socket}


async def race(
    addresses: Sequence[AddrInfoType], local: Sequence[AddrInfoType] | None, delay: float
) -> socket.socket | list[OSError]:
    """A socket connected to one of ``addresses``, or why each of them failed, in the order in which they were tried.

    ``local`` are the addresses to connect from, of which each attempt takes the first of its family that can be bound;
    ``delay`` is in seconds.
    """
    if len(addresses) == 1:
        outcome = await attempt(addresses[0], local)
        return [outcome] if isinstance(outcome, OSError) else outcome
    left = deque(interleaved(addresses))
    tasks: list[Attempt] = []
    won: Attempt | None = None
    try:
        while won is None and (left or _running(tasks)):
            started = [asyncio.create_task(attempt(left.popleft(), local))] if left else []
            tasks += started
            if not any(task.done() for task in started):  # which an eager task may be
                timeout = delay if left else None
                await asyncio.wait(_running(tasks), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            won = next((task for task in tasks if task.done() and not isinstance(task.result(), OSError)), None)
        await _end(tasks, but=won)
    except GeneratorExit:  # nothing may be awaited any more
        for task in tasks:
            task.cancel()
            task.add_done_callback(_discard)
        raise
    except BaseException:
        await _end(tasks)
        raise
    if won is not None:
        return cast("socket.socket", won.result())
    return [error for task in tasks if isinstance(error := task.result(), OSError)]


def _running(tasks: Iterable[Attempt]) -> list[Attempt]:
    return [task for task in tasks if not task.done()]


async def _end(tasks: list[Attempt], but: Attempt | None = None) -> None:
    """Cancel what still runs, wait for it whatever comes meanwhile, and close every socket ``but`` the winner's."""
    for task in tasks:
        task.cancel()
    cancelled: asyncio.CancelledError | None = None
    while running := _running(tasks):
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError as error:
            cancelled = error
    for task in tasks:
        if task is not but:
            _discard(task)
    if cancelled is not None:
        raise cancelled


def _discard(task: Attempt) -> None:
    if not task.cancelled() and task.exception() is None and isinstance(outcome := task.result(), socket.socket):
        outcome.close()


async def attempt(address: AddrInfoType, local: Sequence[AddrInfoType] | None) -> socket.socket | OSError:
    """A socket connected to ``address``, or why there is none: a new error, with reason and address, without frames."""
    family, kind, protocol, _, where = address
    sock: socket.socket | None = None
    try:
        sock = SOCKETS.get(family, socket.socket)(family, kind | NONBLOCKING, protocol)
        if not NONBLOCKING:
            sock.setblocking(False)
        if local is not None:
            bind(sock, [each[4] for each in local if each[0] == family])
        await connect(sock, where)
    except BaseException as error:
        if sock is not None:
            sock.close()
        if not isinstance(error, OSError):
            raise
        return OSError(error.errno, f"{error.strerror} ({where[0]})")
    return sock


async def connect(sock: socket.socket, where: tuple[Any, ...] | str) -> None:
    """``loop.sock_connect`` with the system's own text in its errors: asyncio's has only the address."""
    loop: asyncio.AbstractEventLoop
    try:
        if not is_connected_at_once(sock, where):
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, where)
    except OSError as error:
        raise OSError(error.errno, os.strerror(error.errno) if error.errno else str(error)) from None
    except GeneratorExit:
        # Closed, not cancelled: the loop would go on watching a descriptor that is soon somebody else's.
        with contextlib.suppress(NotImplementedError):  # on the loop of Windows that is not asked to
            loop.remove_writer(sock)
        raise


def is_connected_at_once(sock: socket.socket, where: tuple[Any, ...] | str) -> bool:
    """Whether the peer has accepted already; else ``loop.sock_connect`` waits for that.

    One on the same machine has done so before ``connect`` is back, which says all the same that it is in progress.
    Asking once more is one system call, in place of the turn of the loop in which the socket would become writable.

    :raises OSError: it has refused
    """
    if not ASKS_AGAIN:
        return False
    error = sock.connect_ex(where)
    if error in PENDING:
        error = sock.connect_ex(where)
    if error not in PENDING and error not in CONNECTED:
        raise OSError(error, os.strerror(error))
    return error in CONNECTED


def bind(sock: socket.socket, local: Sequence[tuple[Any, ...]]) -> None:
    """Bind ``sock`` to the first of ``local`` that can be.

    :raises OSError: there is none
    """
    failure = OSError(errno.EADDRNOTAVAIL, "No local address of its family")
    for where in local:
        try:
            return sock.bind(where)
        except OSError as error:
            failure = OSError(error.errno, f"{error.strerror}: local address {where[0]} port {where[1]}")
    raise failure


def interleaved(addresses: Iterable[AddrInfoType]) -> list[AddrInfoType]:
    """The families in turn, that of the first address first (RFC 8305 section 4): a dead one holds up one attempt."""
    by_family: dict[int, list[AddrInfoType]] = {}
    for address in addresses:
        by_family.setdefault(address[0], []).append(address)
    return [each for turn in zip_longest(*by_family.values()) for each in turn if each is not None]
