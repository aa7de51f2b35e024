"""The server's end of a connection in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from aiohttpclient.net import StreamProtocol
from aiohttpclient.testing._far_end import FarEnd
from aiohttpclient.testing._stream import ClientGone
from aiohttpclient.testing._transport import pair
from tests.net.streams import arrival, turns, until
from tests.support.leaks import other_tasks
from tests.testing.intercepting import Boom

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Ends:
    """Both ends of a connection; ``serve`` is given the far one."""

    def __init__(self, serve: Callable[[FarEnd], Awaitable[None]], room: int = 64) -> None:
        loop = asyncio.get_running_loop()
        self.gone = 0

        async def served() -> None:
            await serve(self.far)

        def gone() -> None:
            self.gone += 1

        self.near = StreamProtocol(loop)
        self.far = FarEnd(loop, self.near, served, gone)
        one, other = pair(loop, self.near, self.far, room=room)
        self.near.connection_made(one)
        self.far.connection_made(other)
        self.near.allow(None, None, None)


async def echo(far: FarEnd) -> None:
    await far.send(far.take(len(far.unread)))


async def test_no_task_without_bytes() -> None:
    """There is a task from the first byte until what came was answered, and none before, after or in between."""
    ends = Ends(echo)
    await turns()
    assert not other_tasks()
    for _ in range(2):
        ends.near.transport.write(b"hello")
        await arrival(ends.near)
        assert ends.near.reader.take(5) == b"hello"
        await turns()
        assert not other_tasks()
        assert ends.far.task is None
    await ends.near.aborted()
    await turns()
    assert ends.gone == 1


async def test_room() -> None:
    """``send`` returns when there is room for all; one who reads nothing makes it wait."""
    sent: list[int] = []

    async def serve(far: FarEnd) -> None:
        for number in range(3):
            await far.send(b"x" * 64)
            sent.append(number)

    ends = Ends(serve)
    ends.near.transport.pause_reading()
    ends.near.transport.write(b"go")
    await turns()
    assert sent == [0]
    ends.near.transport.resume_reading()
    await turns(10)
    assert sent == [0, 1, 2]
    await ends.near.aborted()


@pytest.mark.parametrize("leave", ["abort", "close", "write_eof"])
@pytest.mark.parametrize("at", ["receiving", "sending", "elsewhere"])
async def test_the_client_leaves(leave: str, at: str) -> None:
    """Whatever it waits for, the task is cancelled when the client leaves, in whatever way."""
    ended: list[BaseException] = []

    async def serve(far: FarEnd) -> None:
        try:
            if at == "receiving":
                await far.receive()
            elif at == "sending":
                await far.send(b"x" * 1000)
            else:
                await asyncio.Event().wait()
        except BaseException as error:
            ended.append(error)
            raise

    ends = Ends(serve)
    if at == "sending":
        ends.near.transport.pause_reading()
    ends.near.transport.write(b"go")
    await turns()
    getattr(ends.near.transport, leave)()
    await turns()
    assert [type(error) for error in ended] == [asyncio.CancelledError]
    with pytest.raises(ClientGone):
        await ends.far.receive()
    with pytest.raises(ClientGone):
        await ends.far.send(b"x")
    await ends.near.aborted()
    await turns()
    assert ends.gone == 1
    assert not other_tasks()


async def test_finish() -> None:
    """``finish`` lets what was sent arrive, and throws away what still comes."""

    async def serve(far: FarEnd) -> None:
        await far.send(b"bye")
        await far.finish(read_all=False)
        await far.finish()

    ends = Ends(serve)
    ends.near.transport.write(b"go")
    ends.near.transport.write(b"and more than there is room for" * 10)
    while not ends.near.ended:
        await asyncio.sleep(0)
    assert ends.near.reader.take(3) == b"bye"
    await until(lambda: ends.gone)
    assert ends.near.fault is None


async def test_fail() -> None:
    """``fail`` lets what was sent arrive, and then its error be what ended the connection."""
    error = Boom()

    async def serve(far: FarEnd) -> None:
        await far.send(b"begun")
        await far.fail(error)

    ends = Ends(serve)
    ends.near.transport.write(b"go")
    while not ends.near.lost:
        await asyncio.sleep(0)
    assert ends.near.reader.take(5) == b"begun"
    assert ends.near.fault is error
    await turns()
    assert ends.gone == 1


async def test_abort() -> None:
    """``abort`` ends the connection with its error at once: what was on its way to the far end begins nothing."""
    error, served = Boom(), False

    async def serve(far: FarEnd) -> None:
        nonlocal served
        served = True

    ends = Ends(serve)
    ends.near.transport.write(b"go")
    ends.far.abort(error)
    await until(lambda: ends.gone)
    assert (ends.near.fault, served) == (error, False)


async def test_cancel() -> None:
    """``cancel`` cancels what runs, and nothing where nothing does, or where it is the task that asks."""

    async def serve(far: FarEnd) -> None:
        assert far.cancel() is None
        await asyncio.Event().wait()

    ends = Ends(serve)
    assert ends.far.cancel() is None
    ends.near.transport.write(b"go")
    await turns()
    task = ends.far.cancel()
    assert task is not None
    await asyncio.wait([task])
    assert task.cancelled()
    await ends.near.aborted()
    await turns()
