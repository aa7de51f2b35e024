"""What a body may be made of: bytes, files, paths, and what can be iterated over.

Theory of operation
-------------------
Content stays where it is: a file is measured, never read ahead, and is read block by block by whoever sends it.
``open`` is called once for each time a body is sent, so it is there that a file goes back to where it stood, and that
an iterator which was used up is refused. ``blocks`` is the same body as a part of a larger one.

A length that was told is a promise. ``open`` refuses a file that has another one by now, before anything is sent; one
that changes later is refused by whoever sends it, since no byte beyond a Content-Length leaves and none may be missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from ..connection import reads_in_loop, tells_size
from ..errors import BodyNotReplayable

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from typing import BinaryIO

    Content: TypeAlias = (
        str | bytes | bytearray | memoryview | BinaryIO | os.PathLike[str] | Iterable[bytes] | AsyncIterable[bytes]
    )
    """What ``content=`` takes, and what a file of ``files=`` may consist of."""

BLOCK = 256 * 1024
"""Bytes read from a file at a time: as many as the sender hands to a transport at a time, so that no block waits for a
second write, while a hop to a thread is paid once for many packets."""

GRACE = 1.0
"""Seconds that a thread has to end its read from a path when nobody needs that any more: a disk that has to be woken
takes longer, or a network behind it, and nearly everything else much less."""

TEXT = "text/plain; charset=utf-8"


class BytesPayload:
    """A body that is in memory. It is not copied: what is mutable must not change until it was sent.

    :raises TypeError: bytes that do not lie one behind the other, as those of a slice with a step
    """

    __slots__ = ("_data", "content_type", "length")

    replayable = True
    grace = 0.0

    def __init__(self, data: bytes | bytearray | memoryview, content_type: str | None = None) -> None:
        with memoryview(data) as view:
            if not view.c_contiguous:
                raise TypeError("bytes must be contiguous to be sent; make a copy of them")
            self.length = view.nbytes
        self._data = data
        self.content_type = content_type

    def open(self) -> bytes | bytearray | memoryview:
        """The bytes."""
        return self._data

    async def blocks(self) -> AsyncGenerator[bytes | bytearray | memoryview, None]:
        """The bytes, in one block."""
        yield self._data


class Blocks:
    """A body in pieces: what ``open`` gives where it is neither one ``bytes`` nor one file.

    ``grace`` tells the connection how long an answer waits for the next piece; it may change from piece to piece.
    See :attr:`Source.grace`.
    """

    __slots__ = ("_begin", "grace")

    def __init__(self, begin: Callable[[Blocks], AsyncGenerator[Any, None]], grace: float | None) -> None:
        self._begin = begin
        self.grace = grace

    def __aiter__(self) -> AsyncIterator[Any]:
        return self._begin(self)


class ReplayableBlocks(Blocks):
    """The same, of something that can be gone through again."""

    __slots__ = ()

    def rewind(self) -> None:
        """Nothing: each iteration begins at the beginning. That this can be called is what the pool looks for."""


class Source(ABC):
    """What those payloads have in common that are read while they are sent."""

    __slots__ = ("_opened", "content_type", "length", "replayable")

    grace: float | None
    """Seconds for which an answer that refuses the body waits for the next block; None: until it is there.

    Iterators and coroutines are told at once. A file that was opened here is left to the thread that reads it, and
    closed after that; but a disk is seldom so slow, and then nothing is left open. A file that the caller opened cannot
    be left: the thread would move it while the caller, or a later attempt, reads it too, what it reads would be lost,
    and to close the file meanwhile would stop the loop."""

    def __init__(self, content_type: str | None, length: int | None, replayable: bool) -> None:
        self.content_type = content_type
        self.length = length
        self.replayable = replayable
        self._opened = False

    def open(self) -> Any:
        """See :meth:`Payload.open`."""
        if self._opened and not self.replayable:
            raise BodyNotReplayable(f"{self.describe()} can be sent only once, and that was done or begun")
        self.check()
        self._opened = True
        return self.body()

    @abstractmethod
    def describe(self) -> str:
        """What it is, for errors."""

    def check(self) -> None:  # noqa: B027  # what cannot change need not be looked at
        """Find out whether it is still what it was.

        :raises ValueError: it has another length
        """

    def body(self) -> Any:
        """What ``open`` gives."""
        return (ReplayableBlocks if self.replayable else Blocks)(self.begin, self.grace)

    def begin(self, _: Blocks) -> AsyncGenerator[Any, None]:
        """The blocks, for a connection that looks at ``grace`` of what it was given."""
        return self.blocks()

    @abstractmethod
    def blocks(self) -> AsyncGenerator[Any, None]:
        """All of it from the beginning, block by block."""

    def compare(self, length: int | None) -> None:
        """Refuse a file that has another length than the one that was told."""
        if length != self.length:
            raise ValueError(f"{self.describe()} had {self.length} bytes when the request was made, and has {length}")


class FilePayload(Source):
    """A binary file that the caller has opened, from where it stands to its end. It is never closed here.

    :raises TypeError: a file in text mode
    :raises ValueError: a closed file
    """

    __slots__ = ("_file", "_position", "grace")

    def __init__(self, file: Any) -> None:
        if isinstance(file, io.TextIOBase) or isinstance(getattr(file, "encoding", None), str):
            raise TypeError("a file must be opened in binary mode to be sent: open(path, 'rb')")
        if getattr(file, "closed", False) is True:
            raise ValueError("the file is closed; it must stay open until it was sent")
        self._file = file
        self.grace = 0.0 if reads_in_loop(file) else None
        self._position = position = start_of(file)
        super().__init__(None, None if position is None else rest_of(file, position), position is not None)

    def describe(self) -> str:
        """Its name, where it has one."""
        name = getattr(self._file, "name", None)
        return f"the file {name!r}" if isinstance(name, str) else "the file"

    def check(self) -> None:
        """Go back to where it stood, and measure it again."""
        if self._position is not None:
            self._file.seek(self._position)
            if self.length is not None:
                self.compare(rest_of(self._file, self._position))

    def body(self) -> Any:
        """The file itself: a connection knows how to send it best."""
        return self._file

    async def blocks(self) -> AsyncGenerator[Any, None]:
        """Its blocks, read in a thread where it is not in memory, since a disk may be slow."""
        file = self._file
        at_once = isinstance(file, io.BytesIO) or reads_in_loop(file)
        loop = asyncio.get_running_loop()
        if self._position is not None:
            file.seek(self._position)
        while True:
            block = file.read(BLOCK) if at_once else await loop.run_in_executor(None, file.read, BLOCK)
            if inspect.isawaitable(block):
                block = await block
            if not block:
                return
            yield checked(block)


class PathPayload(Source):
    """A file that is opened when it is sent, and closed after that.

    :raises ValueError: it is not a regular file; to open a pipe, say, could take for ever
    :raises OSError: there is none
    """

    __slots__ = ("_path",)

    grace = GRACE

    def __init__(self, path: os.PathLike[str]) -> None:
        self._path = Path(path)
        status = self._path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{self.describe()} is not a regular file")
        super().__init__(None, status.st_size if tells_size(self._path, status) else None, True)

    def describe(self) -> str:
        """Its path."""
        return f"the file {str(self._path)!r}"

    def check(self) -> None:
        """Measure it again."""
        if self.length is not None:
            self.compare(self._path.stat().st_size)

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        """Its blocks, read in a thread. When a read is cancelled, the file is closed as soon as the thread returns."""
        loop = asyncio.get_running_loop()
        file = self._path.open("rb", buffering=0)
        reading: asyncio.Future[bytes] | None = None
        try:
            while True:
                reading = loop.run_in_executor(None, file.read, BLOCK)
                block = await asyncio.shield(reading)
                if not block:
                    return
                yield block
        finally:
            if reading is None or reading.done():
                file.close()
            else:
                reading.add_done_callback(lambda _: file.close())


class IterablePayload(Source):
    """An iterable or async iterable of bytes; one that is not its own iterator can be gone through again."""

    __slots__ = ("_iterable",)

    grace = 0.0

    def __init__(self, iterable: Iterable[Any] | AsyncIterable[Any]) -> None:
        self._iterable = iterable
        super().__init__(None, None, not isinstance(iterable, (Iterator, AsyncIterator)))

    def describe(self) -> str:
        """Its type."""
        return f"a body of type {type(self._iterable).__name__!r}"

    async def blocks(self) -> AsyncGenerator[Any, None]:
        """Its pieces. When the sending ends early, a generator is closed here and not by the collector."""
        iterable = self._iterable
        if isinstance(iterable, AsyncIterable):
            iterator = aiter(iterable)
            try:
                async for block in iterator:
                    yield checked(block)
            finally:
                if hasattr(iterator, "aclose"):
                    await iterator.aclose()
        else:
            pieces = iter(iterable)
            with contextlib.closing(pieces) if isinstance(pieces, Generator) else contextlib.nullcontext():
                for block in pieces:
                    yield checked(block)


def checked(block: object) -> Any:
    """A piece of a body, if it is bytes-like.

    :raises TypeError: it is not; nor is text, whose encoding is for the caller to choose
    """
    try:
        memoryview(cast("bytes", block))
    except TypeError:
        raise TypeError(f"a piece of a body must be bytes-like, got {type(block).__name__!r}") from None
    return block


def start_of(file: Any) -> int | None:
    """Where a file stands; None: it cannot be brought back there."""
    if reads_in_loop(file):
        return None
    try:
        position = file.tell() if file.seekable() is True else None
    except (AttributeError, OSError, ValueError):
        return None
    return position if isinstance(position, int) else None


def rest_of(file: Any, position: int) -> int | None:
    """How many bytes there are from ``position`` to the end of a file, which is left at ``position``.

    None: they would have to be computed, as those of devices, and of files that tell no size. Files of gzip, bz2, lzma
    and zipfile find their end by decompressing all that is before it. What they have in common, and no other file of
    the standard library has, is that they are buffered without being one of the classes that do nothing but that.
    """
    below = getattr(file, "raw", file)
    plain = (io.BytesIO, io.BufferedReader, io.BufferedRandom)
    if isinstance(below, io.BufferedIOBase) and not isinstance(below, plain):
        return None
    if isinstance(below, io.FileIO) and not tells_size(below.fileno(), os.fstat(below.fileno())):
        return None
    file.seek(0, os.SEEK_END)
    end: int = file.tell()
    file.seek(position)
    return max(end - position, 0)


def content_payload(content: Content) -> BytesPayload | FilePayload | PathPayload | IterablePayload:
    """The payload that consists of ``content``, whatever that is.

    :raises TypeError: it cannot be a body
    :raises ValueError: text with surrogates, a closed file, a path to something else than a regular file
    :raises OSError: a path that leads nowhere
    """
    if isinstance(content, str):
        return BytesPayload(content.encode(), TEXT)
    if isinstance(content, (bytes, bytearray, memoryview)):
        return BytesPayload(content)
    if hasattr(content, "read"):
        return FilePayload(content)
    if isinstance(content, os.PathLike):
        return PathPayload(content)
    other = cast("object", content)
    try:
        return BytesPayload(memoryview(cast("bytes", other)))
    except TypeError:
        if isinstance(other, (Iterable, AsyncIterable)) and not isinstance(other, Mapping):
            return IterablePayload(other)
    raise TypeError(
        "a body may be str, bytes, a binary file, a path, or an iterable or async iterable of bytes,"
        f" not {type(content).__name__!r}; data= takes the fields of a form, json= what JSON can express"
    )
