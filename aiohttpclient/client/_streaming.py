"""A response that is there for the time of an ``async with`` block."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from ._request import Request
    from ._stream import ResponseStream


class Streaming:
    """What ``client.stream`` gives: ``async with`` it is the answer, which is closed at the end of the block.

    :param send: sends what ``make`` gives, which is called at the beginning of the block
    """

    __slots__ = ("_make", "_send", "_stream")

    def __init__(self, send: Callable[[Request], Awaitable[ResponseStream]], make: Callable[[], Request]) -> None:
        self._send = send
        self._make = make
        self._stream: ResponseStream | None = None

    async def __aenter__(self) -> ResponseStream:
        self._stream = await self._send(self._make())
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        assert self._stream is not None
        await self._stream.close()
