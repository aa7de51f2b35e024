"""Names to addresses.

Theory of operation
-------------------
The system's own ``getaddrinfo`` is asked, so that a name means here what it means to every program of the machine. It
blocks, for ten seconds or more when a name server is dead, so it runs in a thread: one of a few that only resolvers
use, since a default executor that is full of other work must not look like a network that does not answer.

Whoever asks for a name that is being looked up joins that job, from whatever event loop. A job knows who waits for it,
and wakes each in its own loop. A waiter that is cancelled just leaves; the last one takes the job along, unless a
thread has begun it: that cannot be interrupted, ends by itself, and what it finds is kept for the next.

The lock is held for a few dictionary operations, never while a name is looked up.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import functools
import os
import socket
import time
from collections import OrderedDict
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakSet

from .._url import ascii_host
from ..errors import InvalidURL

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable, Iterable

AddrInfoType: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]
"""Family, type, protocol, canonical name and socket address, as ``socket.getaddrinfo`` returns them."""

Key: TypeAlias = tuple[str, bool]
"""A name in lower case (RFC 4343), and whether its addresses are to be bound to."""

THREADS = 16
"""Look-ups at a time. A name whose servers are dead keeps a thread for 10 s (``timeout`` and ``attempts`` of
resolv.conf(5)), and some such names must not hold up all others; a thread that waits costs little."""

CACHE_SIZE = 1024
"""Names that are kept, at about half a KiB each; the one not used for longest goes first."""

LITERALS = 1024
"""Texts of which it is remembered whether they are addresses, and which: of as many names as are kept."""

CACHE_SECONDS = 30.0
"""Seconds for which addresses are kept. ``getaddrinfo`` does not tell the TTL of a record, so this is a guess: half of
the 60 s that load balancers commonly give theirs. The JVM keeps 30 s too, curl 60, aiohttp 10."""


class Resolver:
    """Names to addresses: look-ups in threads of their own, joined, and kept for a while.

    May be used from several event loops and threads at once. The first look-up starts the first thread.

    :param threads: look-ups at a time
    :param size: names whose addresses are kept
    :param ttl: seconds for which they are; None keeps none
    """

    def __init__(self, *, threads: int = THREADS, size: int = CACHE_SIZE, ttl: float | None = CACHE_SECONDS) -> None:
        self._threads = threads
        self._size = size
        self._ttl = ttl
        self._clock: Callable[[], float] = time.monotonic
        self._cache: OrderedDict[Key, tuple[float, list[AddrInfoType]]] = OrderedDict()
        self._begin_anew()
        _RESOLVERS.add(self)

    def _begin_anew(self) -> None:
        # Reentrant: the collector may run anywhere, and what it finalizes may call close().
        self._lock = RLock()
        self._jobs: dict[Key, _Job] = {}
        self._executor: concurrent.futures.Executor | None = None

    async def resolve(self, host: str, port: int, *, local: bool = False) -> list[AddrInfoType]:
        """All stream addresses of ``host``, in the order of RFC 6724, each with ``port`` in it.

        An address literal, in any spelling that the system knows (``127.1`` is one), needs no look-up and no thread.
        With ``local`` the addresses are to be bound to, and an empty host stands for any address of this machine.

        :raises socket.gaierror: the name is not known; the text names it
        :raises InvalidURL: no name can be like this: a label is empty or too long, or there is no IDNA form
        """
        flags = socket.AI_PASSIVE if local else 0
        # A zone is the name of an interface, of which there may be others later.
        addresses = (literal if "%" not in host else literal.__wrapped__)(host, port, flags)
        if addresses:
            return addresses.copy()
        name = "" if local and not host else checked_name(host)
        return with_port(port, await self._joined(name, flags, (name.lower(), local)))

    def forget(self, host: str) -> None:
        """Drop what is kept for ``host``: its addresses failed, and the next look-up may find others."""
        with contextlib.suppress(InvalidURL):
            name = checked_name(host).lower()
            with self._lock:
                self._cache.pop((name, False), None)
                self._cache.pop((name, True), None)

    def close(self) -> None:
        """Let the threads go, and forget everything. What is being looked up ends by itself and reaches its waiters.

        What no thread has begun fails with ``socket.gaierror``. A resolver that is used again begins anew.
        """
        with self._lock:
            executor, self._executor = self._executor, None
            self._cache.clear()
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)

    # -- inside ------------------------------------------------------------------------------------------------------

    async def _joined(self, name: str, flags: int, key: Key) -> list[AddrInfoType]:
        """What is kept for ``key``, or what the one job for it finds."""
        waiter = asyncio.get_running_loop().create_future()
        with self._lock:
            found = self._kept(key)
            if found is not None:
                return found
            job = self._jobs.get(key)
            if job is None:
                job = self._begin(name, flags, key, waiter)
            else:
                job.waiters[waiter] = None
        try:
            await waiter
        except BaseException:
            with self._lock:
                job.waiters.pop(waiter, None)
                if not job.waiters:
                    job.future.cancel()  # in vain when a thread has begun it
            raise
        try:
            return job.future.result(timeout=0)
        except concurrent.futures.CancelledError:
            text = f"the resolver was closed before it looked up {name!r}"
            raise socket.gaierror(socket.EAI_AGAIN, text) from None
        except socket.gaierror as error:
            raise naming(error, name) from None

    def _begin(self, name: str, flags: int, key: Key, waiter: asyncio.Future[None]) -> _Job:
        if self._executor is None:
            # The submodule is loaded with the first look-up, not with the package.
            self._executor = concurrent.futures.ThreadPoolExecutor(self._threads, thread_name_prefix="resolver")
        job = self._jobs[key] = _Job(self._executor.submit(look_up, name, flags), waiter)
        job.future.add_done_callback(partial(self._ended, key, job))  # perhaps at once, so the waiter is there already
        return job

    def _ended(self, key: Key, job: _Job, future: concurrent.futures.Future[list[AddrInfoType]]) -> None:
        """Keep what was found, and wake everybody; called in any thread."""
        with self._lock:
            if self._jobs.get(key) is job:
                del self._jobs[key]
            if self._ttl is not None and not future.cancelled() and future.exception() is None:
                self._cache[key] = self._clock() + self._ttl, future.result()
                self._cache.move_to_end(key)
                while len(self._cache) > self._size:
                    self._cache.popitem(last=False)
            waiters, job.waiters = job.waiters, {}
        wake(waiters)

    def _kept(self, key: Key) -> list[AddrInfoType] | None:
        if key not in self._cache:
            return None
        expiry, found = self._cache[key]
        if self._clock() >= expiry:
            del self._cache[key]
            return None
        self._cache.move_to_end(key)
        return found


class _Job:
    """One look-up, and who waits for it, in the order in which they came."""

    __slots__ = ("future", "waiters")

    def __init__(self, future: concurrent.futures.Future[list[AddrInfoType]], waiter: asyncio.Future[None]) -> None:
        self.future = future
        self.waiters: dict[asyncio.Future[None], None] = {waiter: None}


def checked_name(host: str) -> str:
    """``host`` in the form that is looked up.

    :raises InvalidURL: it is empty, has a NUL (where C would end it), or has no IDNA form
    """
    if not host or "\0" in host:
        raise InvalidURL(f"host {host!r} is not a name")
    return ascii_host(host)


def look_up(name: str, flags: int) -> list[AddrInfoType]:
    """Ask the system, without a port; this blocks unless ``flags`` has ``AI_NUMERICHOST``.

    :raises socket.gaierror: it does not know
    :raises InvalidURL: a label of ``name`` is empty or too long
    """
    flags |= socket.AI_NUMERICSERV
    try:
        return list[AddrInfoType](socket.getaddrinfo(name or None, 0, type=socket.SOCK_STREAM, flags=flags))
    except UnicodeError as error:
        raise InvalidURL(f"host {name!r} is not a name: {error}") from None


@functools.lru_cache(LITERALS)
def literal(host: str, port: int, flags: int) -> list[AddrInfoType]:
    """The address that ``host`` is a spelling of; none if it is a name. It depends on nothing but the text.

    :raises InvalidURL: see :func:`checked_name`
    """
    name = "" if flags and not host else checked_name(host)
    with contextlib.suppress(socket.gaierror):
        return with_port(port, look_up(name, flags | socket.AI_NUMERICHOST))
    return []


def with_port(port: int, addresses: Iterable[AddrInfoType]) -> list[AddrInfoType]:
    """``addresses``, which were looked up without one."""
    return [(*each[:4], (each[4][0], port, *each[4][2:])) for each in addresses]


def naming(error: socket.gaierror, name: str) -> socket.gaierror:
    """An error like ``error``, of its own for each waiter, that says which name was meant."""
    text = error.strerror or str(error)
    return socket.gaierror(error.errno, text if name in text else f"{text}: {name!r}")


def wake(waiters: Iterable[asyncio.Future[None]]) -> None:
    """Wake ``waiters`` from whatever thread, with one call into each of their loops."""
    by_loop: dict[AbstractEventLoop, list[asyncio.Future[None]]] = {}
    for waiter in waiters:
        by_loop.setdefault(waiter.get_loop(), []).append(waiter)
    for loop, theirs in by_loop.items():
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody waits there any more
            loop.call_soon_threadsafe(_wake_here, theirs)


def _wake_here(waiters: list[asyncio.Future[None]]) -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)


_RESOLVERS: WeakSet[Resolver] = WeakSet()


def _after_fork() -> None:
    """The threads stayed with the parent, and so did whoever held a lock."""
    for resolver in _RESOLVERS:
        resolver._begin_anew()  # noqa: SLF001  # of the same file


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
