"""Tasks that each have a socket: how they all come to their end."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

from aiohttpclient.testing._tasks import STUBBORN, SocketTasks, peer_of, too_many_files, wait_closed

if TYPE_CHECKING:
    from collections.abc import Coroutine


class _Kept:
    """Tasks, and what they told."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self.ended: list[str] = []
        self.tasks = SocketTasks(self.failures)

    def start(self, name: str, work: Coroutine[None, None, None], sock: socket.socket) -> None:
        async def closes() -> None:
            try:
                await work
            finally:
                sock.close()

        self.tasks.start(closes(), sock, name, lambda: self.ended.append(name))


async def test_those_that_can_come_to_their_end() -> None:
    """A task that needs a few turns of the loop gets them, and is not cancelled."""
    kept, sock = _Kept(), socket.socket()
    done = []

    async def work() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        done.append(sock)

    kept.start("one", work(), sock)
    await kept.tasks.stop()
    assert done == [sock]
    assert kept.ended == ["one"]
    assert sock.fileno() < 0


async def test_those_that_cannot() -> None:
    """A task that waits for ever is cancelled; what one raises is kept, and what one does to be stubborn is in vain."""
    kept = _Kept()
    cancelled = []

    async def wait() -> None:
        await asyncio.Event().wait()

    async def defy() -> None:
        for _ in range(STUBBORN - 2):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append("defy")

    async def fail() -> None:
        raise ZeroDivisionError

    for work in (wait, defy, fail):
        kept.start(work.__name__, work(), socket.socket())
    await kept.tasks.stop()
    assert sorted(kept.ended) == ["defy", "fail", "wait"]
    assert [type(error) for error in kept.failures] == [ZeroDivisionError]
    assert cancelled == ["defy"] * (STUBBORN - 2)
    await kept.tasks.stop()


async def test_stop_that_is_cancelled() -> None:
    """Where the end of a test is cancelled, its tasks are, too, at whatever moment."""
    for turns in range(4):
        kept, sock = _Kept(), socket.socket()

        async def wait() -> None:
            await asyncio.Event().wait()

        kept.start("wait", wait(), sock)
        stopping = asyncio.create_task(kept.tasks.stop())
        for _ in range(turns):
            await asyncio.sleep(0)
        stopping.cancel()
        await asyncio.wait([stopping])
        if turns:
            await wait_closed(sock)
            assert kept.ended == ["wait"]
        await kept.tasks.stop()


async def test_sockets() -> None:
    """A socket has a peer as long as it is connected, and is closed when its number is gone."""
    one, other = socket.socketpair()
    assert peer_of(one) is not None
    other.close()
    one.close()
    assert peer_of(one) is None
    await wait_closed(one)


def test_too_many_files() -> None:
    """Who cannot accept is told what to do."""
    error = too_many_files(OSError("Too many open files"), "FaultProxy")
    assert error.__notes__ == [
        "FaultProxy cannot accept: where too many files are open, raise the bound (`ulimit -n`)."
    ]
