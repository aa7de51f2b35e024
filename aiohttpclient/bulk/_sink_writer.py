"""The one thread of a sink, and what is on its way there.

Theory of operation. Entries gather in a batch. When there are enough of them, or the first has waited for long enough,
or somebody wants all written, the batch goes as a whole to the thread, which has it on the disk when it returns
(``fsync``, or a transaction, once for all of them); meanwhile the next batch fills. One that is full before the last
one is written is what ``room`` waits for: at most two batches, and one entry for each task that writes, are in memory.

An error of the thread is final. Nothing is written after it, so that the results that are safe are the first that were
taken, without a gap; everybody who has to do with the sink from then on is told.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from .._threads import finished
from ..errors import SinkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._sink_ledger import Ledger
    from ._sink_store import Entry, Store

    _T = TypeVar("_T")


class Writer:
    """Has entries written to ``store``: ``batch`` of them at a time, or ``size`` bytes, or after ``interval`` seconds.

    ``taken`` and ``reported`` (int) count those that were given, and those that are on the disk. It belongs to the
    loop that runs.
    """

    def __init__(self, store: Store, batch: int, size: int, interval: float) -> None:
        self._store = store
        self._batch = batch
        self._most = size
        self._interval = interval
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "aiohttpclient-sink")
        self._gathered: list[Entry] = []
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None
        self._job: asyncio.Future[None] | None = None
        self._hurry = False
        self._error: BaseException | None = None
        self.taken = self.reported = 0

    async def open(self, ledger: Ledger, resume: bool) -> None:
        """See :meth:`Store.open`. Where that fails, or is cancelled, nothing stays open."""
        try:
            await self._in_thread(self._store.open, ledger, resume)
        except BaseException:
            await self._release()
            raise

    # -- entries -----------------------------------------------------------------------------------------------------

    def take(self, entry: Entry, size: int) -> None:
        """Have ``entry`` written, in its turn; its content is ``size`` bytes."""
        self._gathered.append(entry)
        self.taken += 1
        self._size += size
        if self._is_full():
            if self._job is None:
                self._begin()
        elif self._timer is None:
            self._timer = self._loop.call_later(self._interval, self._is_due)

    async def room(self) -> None:
        """Wait until one batch at most is to be written."""
        while self._job is not None and self._is_full():
            await asyncio.wait((self._job,))

    async def flush(self) -> None:
        """Wait until what was taken so far is on the disk, or there was an error."""
        count = self.taken
        while self.reported < count and self._error is None:
            if self._job is None:
                self._begin()
            assert self._job is not None
            await asyncio.wait((self._job,))

    def check(self) -> None:
        """Say what is safe, if there was an error.

        :raises SinkError: there was
        """
        if (error := self._error) is not None:
            path, what = str(self._store.path), str(error) or type(error).__name__
            safe = f"{self.reported} of {self.taken} results are safe, the first ones; the next run can resume there"
            raise SinkError(f"{path}: {what}; {safe}", path, self.reported) from error

    async def close(self, ledger: Ledger) -> None:
        """Write everything and close; to the end, also when the caller is cancelled meanwhile."""
        await finished(self._loop.create_task(self._finish(ledger)))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _is_full(self) -> bool:
        return len(self._gathered) >= self._batch or self._size >= self._most

    def _is_due(self) -> None:
        self._timer = None
        if self._job is None:
            self._begin()
        else:
            self._hurry = True

    def _begin(self) -> None:
        """Have what is gathered written. Nothing is being written, and something is gathered."""
        if self._timer is not None:
            self._timer.cancel()
        entries, self._gathered, self._size, self._timer, self._hurry = self._gathered, [], 0, None, False
        self._job = self._loop.run_in_executor(self._thread, self._store.write, entries)
        self._job.add_done_callback(lambda job: self._is_written(job, len(entries)))

    def _is_written(self, job: asyncio.Future[None], count: int) -> None:
        self._job = None
        self._error = job.exception()
        if self._error is not None:
            self._gathered.clear()
            return
        self.reported += count
        if self._gathered and (self._hurry or self._is_full()):
            self._begin()

    async def _finish(self, ledger: Ledger) -> None:
        try:
            await self.flush()
            if self._error is None:
                await self._in_thread(self._store.tidy, ledger)
        except Exception as error:  # noqa: BLE001  # check() raises it
            self._error = error
        finally:
            await self._release()

    async def _release(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        try:
            await self._in_thread(self._store.release)
        finally:
            self._thread.shutdown(wait=False)

    async def _in_thread(self, work: Callable[..., _T], *arguments: object) -> _T:
        return await finished(self._loop.run_in_executor(self._thread, work, *arguments))
