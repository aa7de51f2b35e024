"""Where results are kept: what all kinds of sinks have in common, which is all that is not a matter of files.

Theory of operation. ``write`` takes a result before it waits for anything: a result that was taken is written, whatever
becomes of the caller. What is known of its key is noted in the same step, in the loop; the thread that writes (see
``_sink_writer``) reads these notes only while nothing is taken, at the beginning and at the end. So an item that is
done is never written again: not by a caller who was cancelled and gives the result once more, nor where the input has
the same twice.
"""

from __future__ import annotations

import contextlib
import warnings
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar, overload

from ..errors import RobotsDisallowed, SinkError
from ._sink_key import key_by, key_of
from ._sink_ledger import Ledger
from ._sink_store import DONE, FAILED, Entry
from ._sink_writer import Writer

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Iterator
    from types import TracebackType
    from typing import Self

    from ._items import Item
    from ._result import Result
    from ._sink_store import Store

    _I = TypeVar("_I", bound=Item)

NOT_NOW: Final = frozenset({408, 425, 429})
"""Statuses below 500 that are no answer: to ask later may help (RFC 9110 section 15.5.9, RFC 8470, RFC 6585)."""


def is_failure(result: Result) -> bool:
    """Whether ``result`` is to be repeated by the next run: there is no answer, or it says that another time may do.

    That is 408, 425, 429, and 500 and above. A 404 is an answer: it would be the same the next time. So is that a rule
    in ``robots.txt`` forbids it; that this file could not be had is none.
    """
    if result.status is None:
        return not (isinstance(result.error, RobotsDisallowed) and result.error.final)
    return result.status >= 500 or result.status in NOT_NOW


class Sink(ABC):
    """Takes results, and keeps them; see :class:`JSONLines`, :class:`SQLite`, :class:`Directory`, :class:`Parquet`.

    :param path: where they are
    :param resume: go on with what is there: what is done is skipped, what failed is repeated. Without it there must be
        nothing
    :param batch: results that are written at a time; None: as many as suit the kind
    :param interval: seconds after which they are written although they are fewer; None: as suits the kind
    :param repeat: tells of a result whether the next run is to repeat it; see :func:`is_failure`
    :param key: tells items apart, by the text of what it returns; None: method, URL and body do
    :raises FileExistsError: (on entering) there is something, and ``resume`` is false
    :raises SinkError: (on entering) what is there is something else, or another sink writes it

    It is used as ``async with``, once. What was written is on the disk when the block ends, however it ends.
    """

    _BATCH: ClassVar[int] = 1000
    """At 5,000 results a second the some 5 ms of an ``fsync`` come five times a second."""
    _BYTES: ClassVar[int] = 8 * 1024 * 1024
    """Bytes of content that wait to be written, but for the last result; twice that many are in memory."""
    _INTERVAL: ClassVar[float] = 1.0
    """What a process that is killed has to do again, in seconds."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        resume: bool = False,
        batch: int | None = None,
        interval: float | None = None,
        repeat: Callable[[Result], bool] = is_failure,
        key: Callable[[Any], object] | None = None,
    ) -> None:
        self._store = self._store_at(Path(path).resolve())
        self._resume = resume
        self._batch = self._BATCH if batch is None else batch
        self._interval = self._INTERVAL if interval is None else interval
        if self._batch < 1 or self._interval < 0:
            raise ValueError(f"batch must be 1 or more and interval not negative, got {batch!r} and {interval!r}")
        self._repeat = repeat
        self._key: Callable[[Item], bytes] = key_of if key is None else lambda item: key_by(item, key)
        self._ledger = Ledger()
        self._writer: Writer | None = None
        self._closed = False
        self._duplicates = 0

    @staticmethod
    @abstractmethod
    def _store_at(path: Path) -> Store:
        """What keeps the results at ``path``, which is absolute."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {str(self.path)!r}: {self.reported} of {self.taken} results are safe>"

    # -- what it knows -----------------------------------------------------------------------------------------------

    @property
    def path(self) -> Path:
        """Where the results are."""
        return self._store.path

    @property
    def reported(self) -> int:
        """Results of this run that are on the disk, done or failed: the first so many that were written.

        One that was done already (see ``duplicates``) does not count.
        """
        return 0 if self._writer is None else self._writer.reported

    @property
    def taken(self) -> int:
        """Results of this run that were taken; they are safe when ``reported`` has come to this."""
        return 0 if self._writer is None else self._writer.taken

    @property
    def done(self) -> int:
        """Items that are done, by this run or before it; the last of them may not be on the disk yet."""
        return self._ledger.counts[DONE]

    @property
    def failed(self) -> int:
        """Items that have failed, and not been done since."""
        return self._ledger.counts[FAILED]

    @property
    def duplicates(self) -> int:
        """Results that were given, and not written, because the item was done already."""
        return self._duplicates

    def repeats(self, result: Result) -> bool:
        """Whether the next run is to repeat ``result``, as ``repeat`` says."""
        return self._repeat(result)

    # -- items -------------------------------------------------------------------------------------------------------

    @overload
    def pending(self, items: Iterable[_I]) -> Iterator[_I]: ...
    @overload
    def pending(self, items: AsyncIterable[_I]) -> AsyncIterator[_I]: ...
    def pending(self, items: Iterable[_I] | AsyncIterable[_I]) -> Iterator[_I] | AsyncIterator[_I]:
        """Those of ``items`` that are not done, each once, in their order; looked at when they are asked for.

        Items are the same if they have the same method, URL and body, or the same ``key``. A generator is closed when
        this is.

        :raises TypeError: (when it is asked for) an item whose body can be looked at once only
        """
        if isinstance(items, (str, bytes)):
            raise TypeError(f"pending takes the items that are to be fetched, and not one of them: [{items!r}]")
        self._opened()
        return self._pending_async(items) if isinstance(items, AsyncIterable) else self._pending(items)

    def _pending(self, items: Iterable[_I]) -> Iterator[_I]:
        given = Ledger()
        with contextlib.ExitStack() as stack:
            if isinstance(items, Generator):
                stack.callback(items.close)
            for item in items:
                if self._is_pending(item, given):
                    yield item

    async def _pending_async(self, items: AsyncIterable[_I]) -> AsyncIterator[_I]:
        given = Ledger()
        async with contextlib.AsyncExitStack() as stack:
            if isinstance(items, AsyncGenerator):
                stack.push_async_callback(items.aclose)
            async for item in items:
                if self._is_pending(item, given):
                    yield item

    def _is_pending(self, item: Item, given: Ledger) -> bool:
        key = self._key(item)
        return self._ledger.get(key) != DONE and not given.set(key, 1)

    # -- results -----------------------------------------------------------------------------------------------------

    async def write(self, result: Result) -> None:
        """Take ``result``, and wait while too many others have to be written first.

        It is taken before this waits: when the caller is cancelled the result is written all the same, and to give it
        again does no harm. It is safe when ``reported`` counts it, for which :meth:`flush` waits. Of an item that is
        done nothing is written any more.

        :raises SinkError: results could not be written
        """
        writer = self._opened()
        writer.check()
        key, done = self._key(result.item), not self._repeat(result)
        if self._ledger.get(key) == DONE:
            self._duplicates += 1
            return
        self._ledger.set(key, DONE if done else FAILED)
        writer.take(Entry(key, done, result), 0 if result.response is None else len(result.response.content))
        await writer.room()
        writer.check()

    async def flush(self) -> None:
        """Wait until everything that was taken is on the disk.

        :raises SinkError: it is not
        """
        writer = self._opened()
        await writer.flush()
        writer.check()

    # -- beginning and end -------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._writer is not None:
            raise RuntimeError(f"{self!r} was opened before; make another one")
        self._writer = Writer(self._store, self._batch, self._BYTES, self._interval)
        try:
            await self._writer.open(self._ledger, self._resume)
        except BaseException:
            self._closed = True
            raise
        return self

    async def close(self) -> None:
        """Write everything, and close. It is done also when the caller is cancelled meanwhile.

        :raises SinkError: not everything could be written
        """
        if self._closed or self._writer is None:
            return
        self._closed = True
        await self._writer.close(self._ledger)
        self._writer.check()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.close()
        except SinkError as own:
            if error is None:
                raise
            if not isinstance(error, SinkError):  # what ended the block has the say, be it a cancellation
                error.add_note(str(own))

    def __del__(self) -> None:
        if getattr(self, "_writer", None) is not None and not self._closed:
            warnings.warn(f"{self!r} was not closed", ResourceWarning, source=self, stacklevel=1)

    def _opened(self) -> Writer:
        if self._writer is None or self._closed:
            raise RuntimeError(f"{self!r} is {'closed' if self._closed else 'not open: it is used as async with'}")
        return self._writer
