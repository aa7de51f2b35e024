"""One direction of a link: what comes from one side goes through the faults, and is sent to the other, in time.

Theory of operation. A pump is driven by what happens: something comes, there is room again, time has passed, the proxy
goes on. Each of these calls :meth:`Pump.step`, which takes item after item from the stages until it must wait. What
came is queued as it came, and goes through the stages only when it is its turn; so there is never more in a pump than
``BUFFER`` bytes, and what stages do is told when it is done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from ._line_stage import Item, Kind, through

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._line_side import Side
    from ._line_stage import Direction, Stage

BUFFER: Final = 64 * 1024
"""Bytes that are under way in one direction of a connection; the kernel's buffers before and behind it are not counted.
With a delay it is what goes through in that time: that of ten seconds lets 6.4 KiB a second through."""


class Owner(Protocol):
    """The link that a pump belongs to."""

    @property
    def is_held(self) -> bool:
        """Whether nothing is to go on."""

    def noted(self, to: Direction, at: int, what: str) -> None:
        """A fault has done something."""

    def passed(self) -> None:
        """Bytes were handed on."""

    def came(self) -> None:
        """Something has come from a side."""

    def cut(self) -> None:
        """End both directions."""

    def reset(self) -> None:
        """Reset both sides."""

    def drained(self) -> None:
        """All of a source that has ended has been dealt with."""

    def failed(self, error: Exception) -> None:
        """A fault has raised, which it should not."""


class Pump:
    """See the top of this file.

    ``count``: bytes that were sent to ``sink``. ``is_drained``: the source has ended, and nothing of it is left.
    """

    def __init__(self, to: Direction, stages: list[Stage], source: Side, sink: Side, owner: Owner) -> None:
        self.to = to
        self.owner = owner
        self.count = 0
        self._stages = stages
        self._source = source
        self._sink = sink
        self._raw: deque[tuple[float, Item]] = deque()
        self._queued = self._size = 0  # bytes in the queue and in work, and of these in work
        self._items: Iterator[Item] = iter(())
        self._item: Item | None = None
        self._arrived = 0.0
        self._timer: asyncio.Handle | None = None
        self._loop = asyncio.get_running_loop()
        self._is_stepping = self._is_stopped = self._has_ended = False
        source.outward = sink.inward = self

    @property
    def room(self) -> int:
        """Bytes that may come."""
        return BUFFER - self._queued

    @property
    def is_drained(self) -> bool:
        """Whether the source has ended, and nothing of it is left."""
        return self._has_ended and not self._raw and self._item is None and not self._size

    # -- what happens to the source

    def received(self, data: bytes) -> None:
        """Something came from it."""
        self.owner.came()
        if not self._is_stopped:
            self._queued += len(data)
            self._put(Item(Kind.BYTES, data))

    def source_ended(self) -> None:
        """It sends nothing more."""
        self._has_ended = True
        self._put(Item(Kind.END))

    def source_broke(self) -> None:
        """It was reset, or is lost in another way."""
        self._has_ended = True
        self._put(Item(Kind.RESET))

    def _put(self, item: Item) -> None:
        if not self._is_stopped:
            self._raw.append((self._loop.time(), item))
        self.step()

    # -- what is done about it

    def step(self) -> None:
        """Hand on what can be."""
        if self._is_stepping:
            return
        self._is_stepping = True
        try:
            while not self._must_wait() and (item := self._next()) is not None and self._is_due(item):
                self._item = None
                self._do(item)
        except Exception as error:  # noqa: BLE001  # of a fault of the user's own
            self.owner.failed(error)
        finally:
            self._is_stepping = False
        if self.is_drained:
            self.owner.drained()

    def stop(self) -> None:
        """Hand on nothing more: what is queued, and what comes, is thrown away."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._raw.clear()
        self._items = iter(())
        self._item = None
        self._queued = self._size = 0
        self._source.resume_reading()

    def _must_wait(self) -> bool:
        return self._is_stopped or self._timer is not None or self._sink.is_full or self.owner.is_held

    def _next(self) -> Item | None:
        while self._item is None:
            self._item = next(self._items, None)
            if self._item is None:
                self._release()
                if not self._raw:
                    return None
                self._arrived, item = self._raw.popleft()
                self._size = len(item.data)
                self._items = through(self._stages, item)
        return self._item

    def _release(self) -> None:
        if self._size:
            self._queued -= self._size
            self._size = 0
            self._source.resume_reading()

    def _is_due(self, item: Item) -> bool:
        due = self._arrived + item.late
        if item.late and due > self._loop.time():
            self._wake_at(due)
            return False
        return True

    def _wake_at(self, when: float) -> None:
        self._timer = self._loop.call_at(when, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.step()

    def _do(self, item: Item) -> None:
        if item.kind is Kind.BYTES:
            self.count += len(item.data)
            self._sink.write(item.data)
            self.owner.passed()
        elif item.kind is Kind.NOTE:
            self.owner.noted(self.to, item.at, item.data.decode())
        elif item.kind is Kind.END:
            self._sink.end()
        elif item.kind is Kind.CUT:
            self.owner.cut()
        elif item.kind is Kind.RESET:
            self.owner.reset()
        if item.pause is not None and not self._is_stopped:
            self._wake_at(self._loop.time() + item.pause)
