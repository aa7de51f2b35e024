"""What may be given as a body, and the pieces that it is sent in."""

from __future__ import annotations

import asyncio
import inspect
import io
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Mapping
from typing import Any, cast


def body_size(body: object) -> int | None:
    """Bytes of a body that is bytes-like or text; None for files and iterables, and for no body."""
    if type(body) is bytes or isinstance(body, str):
        return len(body)  # ISO-8859-1: a byte a character
    if body is None or hasattr(body, "read"):
        return None
    try:
        return memoryview(body).nbytes  # type: ignore[arg-type]  # that it may not be bytes-like is what is being asked
    except TypeError:
        return None


def check_body(body: object) -> None:
    """Refuse what cannot be a body at all, before anything is done for it.

    A mapping is an iterable of its keys. ``http.client`` sends them where they are bytes, and fails once the head is
    sent where they are text, as the names are in what is meant for a form or for JSON.

    :raises TypeError: it is neither bytes-like nor text, a file or iterable; or a mapping of names
    """
    if body_size(body) is not None or hasattr(body, "read"):
        return
    if not isinstance(body, (Iterable, AsyncIterable)):
        raise TypeError(f"body should be bytes-like, str, a file or an iterable of those, got {type(body)!r}")
    if isinstance(body, Mapping) and any(isinstance(key, str) for key in body):
        raise TypeError(
            f"body should not be a mapping of names, of which only these would be sent, got {type(body)!r};"
            " AsyncHTTPClient has data= for the fields of a form, and json="
        )


def reads_in_loop(file: Any) -> bool:
    """Whether a file is read by a coroutine, which ends when the wait for it does, and not by a thread."""
    return inspect.iscoroutinefunction(file.read)


async def file_blocks(file: Any, blocksize: int) -> AsyncGenerator[object, None]:
    """The blocks of a file, or of anything else with a ``read``, which may be a coroutine function.

    A disk may be slow and a pipe may never answer, so what is not in memory is read in a thread.
    """
    at_once = isinstance(file, (io.BytesIO, io.StringIO)) or reads_in_loop(file)
    loop = asyncio.get_running_loop()
    while True:
        block = file.read(blocksize) if at_once else await loop.run_in_executor(None, file.read, blocksize)
        if inspect.isawaitable(block):
            block = await block
        if not block:
            return
        yield block


async def blocks_of(body: object) -> AsyncGenerator[object, None]:
    """The pieces of a body that is not a file: itself, or what it iterates over."""
    if isinstance(body, (str, bytes, bytearray, memoryview)):
        yield body
    elif isinstance(body, AsyncIterable):
        iterator = aiter(body)
        try:
            async for block in iterator:
                yield block
        finally:
            if hasattr(iterator, "aclose"):  # an unfinished generator is closed here, not by the collector
                await iterator.aclose()
    else:
        try:
            memoryview(cast("bytes", body))
        except TypeError:
            check_body(body)
            try:
                for block in cast("Iterable[object]", body):
                    yield block
            finally:
                if isinstance(body, Generator):
                    body.close()
        else:
            yield body


def as_bytes(block: object) -> memoryview:
    """A piece of a body as bytes: text as ISO-8859-1, as ``http.client`` does.

    :raises TypeError: it is neither text nor bytes-like
    :raises UnicodeEncodeError: it is text that ISO-8859-1 cannot express
    """
    if isinstance(block, str):
        return memoryview(encode_text(block))
    try:
        return memoryview(cast("bytes", block)).cast("B")
    except TypeError:
        raise TypeError(f"a piece of a body should be bytes-like or str, got {type(block)!r}") from None


def encode_text(text: str) -> bytes:
    """``text`` as ISO-8859-1; an error says what to do instead."""
    try:
        return text.encode("iso-8859-1")
    except UnicodeEncodeError as error:
        raise UnicodeEncodeError(
            error.encoding,
            error.object,
            error.start,
            error.end,
            "body is not valid Latin-1; use body.encode('utf-8') if you want to send it encoded in UTF-8",
        ) from None


def regular_file(file: Any) -> tuple[int, int] | None:
    """(offset, end) of a plain binary file on disk, from its position to its end; None for every other kind of file.

    Wrappers that have a ``fileno`` but other contents (``gzip.GzipFile``) are not plain files.
    """
    raw = getattr(file, "raw", file) if isinstance(file, (io.BufferedReader, io.BufferedRandom)) else file
    if not isinstance(raw, io.FileIO):
        return None
    try:
        status = os.fstat(raw.fileno())
        offset = file.tell()
    except (OSError, ValueError):
        return None
    is_plain = stat.S_ISREG(status.st_mode) and offset < status.st_size and tells_size(raw.fileno(), status)
    return (offset, status.st_size) if is_plain else None


def tells_size(file: int | os.PathLike[str], status: os.stat_result) -> bool:
    """Whether the size of a file, of which this is the ``status``, is the number of bytes that it gives.

    Devices have none, but for whole disks. What proc and sysfs have is made when it is read: most of it claims to be
    empty, some a page long. Such file systems have no blocks, and their files occupy none.
    """
    if not (stat.S_ISREG(status.st_mode) or stat.S_ISBLK(status.st_mode)):
        return False
    if getattr(status, "st_blocks", 1) or not hasattr(os, "statvfs"):
        return True
    return os.statvfs(file).f_blocks > 0
