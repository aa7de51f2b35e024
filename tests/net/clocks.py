"""Time that passes when a test says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar, cast

from aiohttpclient.net import TCPDialer
from aiohttpclient.net._stream_timer import StreamTimer

from .streams import until

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from aiohttpclient.net import StreamProtocol

T = TypeVar("T")


class FakeHandle:
    def __init__(self, loop: FakeLoop, when: float, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._when = when
        self.callback = callback

    def when(self) -> float:
        return self._when

    def cancel(self) -> None:
        self._loop.handles.remove(self)


class FakeLoop:
    """A loop whose clock moves when told to, and which counts the timers that it was given."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.handles: list[FakeHandle] = []
        self.armed = 0

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> FakeHandle:
        self.armed += 1
        handle = FakeHandle(self, when, callback)
        self.handles.append(handle)
        return handle

    def advance(self, seconds: float) -> None:
        """Move the clock, firing on the way what is due, each at its time."""
        end = self.now + seconds
        while due := [handle for handle in self.handles if handle.when() <= end]:
            first = min(due, key=FakeHandle.when)
            self.handles.remove(first)
            self.now = max(self.now, first.when())
            first.callback()
        self.now = end


class Clock(FakeLoop):
    """Such a clock for the running loop, and for the streams that it has dialled, or was given.

    It is the dialer of a pool or of a connection. The timers of the loop itself are none of its business.
    """

    def __init__(self, monkeypatch: Any) -> None:
        super().__init__()
        self._dialer = TCPDialer()
        monkeypatch.setattr(asyncio.get_running_loop(), "time", self.time, raising=False)

    async def dial(self, host: str, port: int) -> StreamProtocol:
        """A stream whose timer goes by this clock."""
        return self.give(await self._dialer.dial(host, port))

    def give(self, stream: StreamProtocol) -> StreamProtocol:
        """``stream``, from now on with a timer that goes by this clock: for one that TLS has been put on."""
        stream._timer.close()
        stream._timer = StreamTimer(cast("asyncio.AbstractEventLoop", self), stream._expired)
        return stream

    async def during(self, work: Coroutine[Any, Any, T], seconds: float, once: Callable[[], Any]) -> T:
        """What comes of ``work``, while ``seconds`` pass ``once()`` is true, or it has ended already."""
        task = asyncio.create_task(work)
        await until(lambda: once() or task.done())
        self.advance(seconds)
        return await task

    async def drip(
        self, pieces: Iterable[bytes], seconds: float, send: Callable[[bytes], Awaitable[None]], stream: StreamProtocol
    ) -> None:
        """``send`` one piece after the other, ``seconds`` after ``stream`` waits for it, until nobody does any more."""
        for piece in pieces:
            await until(lambda: stream.waited_for or stream.lost)
            self.advance(seconds)
            if stream.fault is not None or stream.lost:
                break
            await send(piece)
            await until(lambda: stream._timer.started == self.now or stream.lost)


def fake_clock(stream: StreamProtocol) -> FakeLoop:
    """Give ``stream`` a timer whose clock the test moves."""
    clock = FakeLoop()
    stream._timer = StreamTimer(cast("asyncio.AbstractEventLoop", clock), stream._expired)
    return clock
