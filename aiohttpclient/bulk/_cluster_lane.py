"""What goes to one worker of a cluster, and comes back.

Theory of operation. Items wait in the lane, are sent with a call, and are known until their result has come: what comes
for an item that is not known any more is nobody's. So each has one result, also where Dask runs a call twice, or a
worker that was given up goes on all the same. A lane is lost when a call finds no session, or fails, or when the
scheduler does not know the worker any more. Then all of its items go to others, in the order of the input.

There is one call as long as the worker has anything, and a second one where there are so many new items that they
should not wait for the first to return. Whatever is not worth a call goes with the next.
"""

from __future__ import annotations

import asyncio
import pickle
import uuid
from collections import deque
from typing import TYPE_CHECKING, Final, Protocol

from ..errors import ClusterError
from ..net import clock_of
from ._cluster_pack import PROTOCOL, told
from ._cluster_session import LEASE
from ._sources import Given

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ._cluster_pack import Packed
    from ._cluster_shares import Share

CALLS: Final = 2
"""At once."""

REST: Final = 0.005
"""Seconds for which a call waits for more items: those that take the place of what has just come back."""

CARGO: Final = 4 << 20
"""Bytes of items after which a call is full: below what Dask calls large (10 MiB)."""

IDLE: Final = 30.0
"""Seconds after which a worker that has nothing to do is called, so that its session goes on: a part of ``LEASE``."""


class Lost(Exception):  # nobody outside gets to see it
    """The worker has no session of ours, or cannot be asked; the text says why."""


class Posted(Given):
    """An item on its way to a worker: as it travels, the share of its host, and how often it was lost."""

    __slots__ = ("losses", "packed", "share")

    def __init__(self, given: Given, packed: str | bytes, share: Share) -> None:
        super().__init__(given.item, given.index)
        self.packed = packed
        self.share = share
        self.losses = 0


class Caller(Protocol):
    """What a lane needs of a :class:`._cluster_dask.Link`."""

    async def call(
        self, worker: str, name: str, plan: bytes | None, number: int, lowest: int, cargo: bytes, /
    ) -> bytes | str | None:
        """Call the session."""


class Lane:
    """Sends items to ``worker``.

    :param plan: what makes the session there, pickled
    :param stock: items that it has at most
    :param batch: items that are worth a call of their own
    :param arrived: called with what has come back for an item

    ``name`` is that of the session; ``lost`` tells that nothing more is to be given to it, and ``why`` (str) that is.
    """

    def __init__(
        self, worker: str, link: Caller, plan: bytes, stock: int, batch: int, arrived: Callable[[Posted, Packed], None]
    ) -> None:
        self.worker = worker
        self.name = uuid.uuid4().hex
        self.lost = False
        self.why = "it is gone"
        self.shares = 0
        self._link = link
        self._plan: bytes | None = plan
        self._stock = stock
        self._batch = batch
        self._arrived = arrived
        self._waiting: deque[Posted] = deque()
        self._sent: dict[int, Posted] = {}
        self._open: set[int] = set()
        self._number = 0
        self._resting = False
        self._neglected = False
        self._change = asyncio.Event()
        self._now = clock_of(asyncio.get_running_loop())
        self._called = self._now()

    @property
    def load(self) -> int:
        """Items that are with it."""
        return len(self._waiting) + len(self._sent)

    def add(self, posted: Posted) -> None:
        """One more."""
        self._waiting.append(posted)
        self._change.set()

    def give_up(self) -> list[Posted]:
        """It is lost: all that it has, in the order of the input. What the worker had counts as lost once more.

        Not so where it lives, and its session has ended since nobody called, which no item has brought about.
        """
        self.lost = True
        if not self._neglected:
            for posted in self._sent.values():
                posted.losses += 1
        left = sorted([*self._sent.values(), *self._waiting], key=lambda posted: posted.index)
        self._sent.clear()
        self._waiting.clear()
        self._change.set()
        return left

    async def run(self) -> None:
        """Call, until it is lost.

        :raises ClusterError: nothing can be fetched there, nor will it be elsewhere
        """
        try:
            async with asyncio.TaskGroup() as calls:
                for number in range(CALLS):
                    calls.create_task(self._call_on(), name=f"bulk.fetch {self.worker} {number}")
        except ExceptionGroup as failures:
            lost, others = failures.split(Lost)
            if others is not None:
                raise others.exceptions[0] from None
            self.why = str(lost and lost.exceptions[0])

    async def _call_on(self) -> None:
        while True:
            if self._resting or not self._is_due():
                self._change.clear()
                await self._change.wait()
                continue
            if not self._open and len(self._waiting) < self._batch:
                self._resting = True
                try:
                    await asyncio.sleep(REST)
                finally:
                    self._resting = False
            await self._call()

    def _is_due(self) -> bool:
        """Whether a call is to be made now."""
        if not self._open:
            return bool(self._waiting or self._sent) or self._now() - self._called > IDLE
        room = self._stock - len(self._sent)
        return self._plan is None and min(room, len(self._waiting)) >= self._batch

    def nudge(self) -> None:
        """See whether it is time for a call, though nothing is to be sent."""
        if not self._open and self._now() - self._called > IDLE:
            self._change.set()

    async def _call(self) -> None:
        quiet = self._now() - self._called
        number, cargo = self._number, self._cargo()
        self._number += 1
        self._open.add(number)
        self._called = self._now()
        try:
            answer = await self._link.call(self.worker, self.name, self._plan, number, min(self._open), cargo)
        except Exception as error:  # whatever Dask raises: the worker is gone, or the scheduler, which others see
            raise Lost(told(error)) from error
        finally:
            self._open.discard(number)
            self._change.set()
        if isinstance(answer, str):
            raise ClusterError(f"{answer} ({self.worker})")
        if answer is None:
            self._neglected = quiet >= LEASE
            raise Lost("it has forgotten us")
        self._plan = None
        self._take(pickle.loads(answer))  # noqa: S301  # as Dask's own

    def _cargo(self) -> bytes:
        """Items for one call, which are sent with it: in one piece, since Dask looks through whatever is not."""
        items: list[tuple[int, str | bytes]] = []
        size = 0
        while self._waiting and len(self._sent) < self._stock and size < CARGO:
            posted = self._waiting.popleft()
            self._sent[posted.index] = posted
            items.append((posted.index, posted.packed))
            size += len(posted.packed)
        return pickle.dumps(items, PROTOCOL) if items else b""

    def _take(self, results: Iterable[Packed]) -> None:
        for packed in results:
            posted = self._sent.pop(packed[0], None)
            if posted is not None:
                self._arrived(posted, packed)
