"""The body of a request, on its way to the peer.

A sender takes whatever ``http.client`` takes (bytes, text, files, iterables) and async iterables besides, and passes it
on in pieces that the transport can hold. Between pieces it looks for two things: room, and an answer. A final answer
that refuses the body (a 413, say) ends the sending, and so does the end of the connection when an answer came before
it: the caller then reads that answer, not a broken pipe.

It owns the arithmetic of the framing: no byte beyond the declared Content-Length leaves, and a body that ends short of
it is an error, since both would shift the boundary of the next request.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import io
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from ..errors import ReadTimeout, RemoteDisconnected, WriteTimeout
from ..wire import LAST_CHUNK, chunk_header, refuses_body
from ._request import body_size

if TYPE_CHECKING:
    from ._heads import HeadReader
    from ._request import Plan

SLICE = 256 * 1024
"""Bytes handed to the transport at a time. It copies what the kernel does not take at once, so this bounds that copy.
"""

SENDFILE_PART = 256 * 1024
"""Bytes of a file sent by one ``loop.sendfile``; each part is one chunk where the body is chunked. How far one call has
come cannot be seen from outside, so this, in ``Timeout.write`` seconds, is the slowest peer that is not taken for a
dead one."""


class BodySender:
    """Sends one body, in one or more calls of :meth:`send`.

    ``left`` counts the bytes that the declared Content-Length still owes; None where the length is not declared.
    ``stopped`` turns true when an answer ended the sending early.
    """

    def __init__(self, heads: HeadReader, left: int | None, seconds: float | None, blocksize: int) -> None:
        self.left = left
        self.stopped = False
        self._heads = heads
        self._stream = heads.stream
        self._seconds = seconds
        self._blocksize = blocksize
        self._debuglevel = heads.debuglevel

    @property
    def complete(self) -> bool:
        """Whether everything that was declared has been sent; where nothing was declared, the caller decides."""
        return not self.left and not self.stopped

    async def send_request(self, head: bytes, body: object, plan: Plan, expect_timeout: float) -> None:
        """Send a head and the body that it announces, if that is at hand: a small one in the same segment as the head.

        Where the caller expects ``100 Continue``, the body waits for it for ``expect_timeout`` seconds, and is not sent
        when a final response comes instead (RFC 9110 section 10.1.1).
        """
        size = body_size(body)
        joined = size is not None and size <= self._blocksize
        if plan.expects or plan.chunked or not joined or self._debuglevel > 0:
            await self._write(head)
            if plan.expects and not await self._continue(expect_timeout):
                self.stopped = True
            elif body is not None:
                await self.send(body, chunked=plan.chunked)
        else:
            data = as_bytes(body)
            self._account(data.nbytes)
            await self._write(b"".join((head, data)))

    async def _continue(self, seconds: float) -> bool:
        """Wait for ``100 Continue``; False when a final response came, or the end."""
        heads, stream = self._heads, self._stream
        deadline = stream.loop.time() + seconds
        while heads.poll() is None and not heads.continued and not stream.ended:
            left = deadline - stream.loop.time()
            try:
                await stream.wait(max(left, 0.0), ReadTimeout)
            except ReadTimeout:
                return True
        return heads.final is None and not stream.ended

    async def send(self, body: object, *, chunked: bool = False) -> None:
        """Send ``body``; with ``chunked``, each piece of it as one chunk, and the last chunk after them.

        :raises TypeError: ``body`` is of a kind that cannot be sent
        :raises ValueError: it is longer than its declared length
        :raises WriteTimeout: the peer took nothing for too long
        :raises ConnectionError: the connection ended, and no answer came before that
        """
        if hasattr(body, "read"):
            await self._send_file(body, chunked)
        else:
            await self._send_blocks(blocks_of(body), chunked)
        if chunked and not self.stopped:
            await self._write(LAST_CHUNK)

    async def _send_blocks(self, blocks: AsyncGenerator[object, None], chunked: bool) -> None:
        async with contextlib.aclosing(blocks):
            async for block in blocks:
                if not await self._send_block(block, chunked):
                    break

    async def _send_block(self, block: object, chunked: bool) -> bool:
        data = as_bytes(block)
        if not data.nbytes:
            self._debug("Zero length chunk ignored")
            return not self.stopped
        self._account(data.nbytes)
        if chunked:
            # Around a small block one write is cheaper than three; around a large one a copy is dearer.
            head, tail = chunk_header(data.nbytes), b"\r\n"
            if data.nbytes <= self._blocksize:
                return await self._write(b"".join((head, data, tail)))
            return await self._write(head) and await self._write(data) and await self._write(tail)
        return await self._write(data)

    def _account(self, count: int) -> None:
        if self.left is None:
            return
        if count > self.left:
            raise ValueError(
                f"the body is longer than its Content-Length: {count} bytes where {self.left} are left"
                if self.left
                else "a body needs a Content-Length or Transfer-Encoding field that covers it"
            )
        self.left -= count

    async def _write(self, data: bytes | memoryview) -> bool:
        """Pass ``data`` on in slices; False once an answer has ended the sending."""
        if self._debuglevel > 0:
            print("send:", repr(bytes(data)))
        stream, write = self._stream, self._stream.writer.write
        if len(data) <= SLICE:
            if self._over():
                return False
            write(data)
            return not stream.writing_paused or await self._drain()
        view = memoryview(data)
        for start in range(0, len(view), SLICE):
            if self._over():
                return False
            write(view[start : start + SLICE])
            if stream.writing_paused:
                if not await self._drain():
                    return False
            else:
                await asyncio.sleep(0)  # a turn of the loop, so that an answer can be noticed between two slices
        return True

    async def _drain(self) -> bool:
        while self._stream.writing_paused:
            if self._over():
                return False
            await self._stream.wait(self._seconds, WriteTimeout)
        return not self._over()

    def _over(self) -> bool:
        """Whether to stop: the peer answered, or it is gone. Gone without a byte of an answer is an error."""
        stream = self._stream
        if not self.stopped and (stream.reader.buffered or stream.ended):
            answer = self._heads.poll()
            if answer is None and stream.ended and not stream.reader.buffered:
                raise RemoteDisconnected("Remote end closed connection during the request") from stream.fault
            self.stopped = stream.ended or (answer is not None and refuses_body(answer.status))
        return self.stopped

    # -- files -------------------------------------------------------------------------------------------------------

    async def _send_file(self, file: Any, chunked: bool) -> None:
        self._debug("sending a readable")
        if self._debuglevel <= 0 and (span := regular_file(file)) and await self._send_regular(file, *span, chunked):
            return
        await self._send_blocks(self._read_blocks(file), chunked)

    async def _read_blocks(self, file: Any) -> AsyncGenerator[object, None]:
        if isinstance(file, io.TextIOBase):
            self._debug("encoding file using iso-8859-1")
        in_memory = isinstance(file, (io.BytesIO, io.StringIO)) or inspect.iscoroutinefunction(file.read)
        loop = self._stream.loop
        while True:
            if in_memory:
                block = file.read(self._blocksize)
            else:  # a disk may be slow, a pipe may never answer: not on the loop's time
                block = await loop.run_in_executor(None, file.read, self._blocksize)
            if inspect.isawaitable(block):
                block = await block
            if not block:
                return
            yield block

    async def _send_regular(self, file: BinaryIO, offset: int, end: int, chunked: bool) -> bool:
        """Send the rest of a regular file, by ``loop.sendfile`` where the loop and the transport can."""
        self._account(end - offset)
        while offset < end and not self.stopped:
            count = min(SENDFILE_PART, end - offset)
            if chunked and not await self._write(chunk_header(count)):
                break
            if not (self._stream.sendfile_works and await self._sendfile(file, offset, count)):
                await self._send_part(file, offset, count)
            offset += count
            if chunked:
                await self._write(b"\r\n")
        file.seek(offset)
        return True

    async def _sendfile(self, file: BinaryIO, offset: int, count: int) -> bool:
        """Send one part of a file; False when this transport has no sendfile."""
        stream = self._stream
        if self._over():
            return True
        part = stream.loop.create_task(
            stream.loop.sendfile(stream.transport, file, offset, count, fallback=False), name="aiohttpclient sendfile"
        )
        part.add_done_callback(stream.wake)
        try:
            await asyncio.sleep(0)
            while not part.done():
                # sendfile stops the transport from reading; but an answer must be heard while the file is being sent.
                stream.transport.resume_reading()
                await stream.wait(self._seconds, WriteTimeout)
                if not part.done() and self._over():
                    return True
            sent = part.result()
        except (asyncio.SendfileNotAvailableError, NotImplementedError):
            stream.sendfile_works = False
            return False
        except ConnectionError:
            await self._after_reset()
            return True
        finally:
            if not part.done():
                part.cancel()
                await asyncio.wait([part])
        if sent != count:
            raise ValueError(f"the file shrank while it was being sent: {count - sent} bytes are missing")
        return True

    async def _after_reset(self) -> None:
        """Let the transport read what the peer sent before it reset the connection, then judge by that."""
        stream = self._stream
        while not stream.ended and not self._over():
            await stream.wait(self._seconds, WriteTimeout)
        self._over()

    async def _send_part(self, file: BinaryIO, offset: int, count: int) -> None:
        file.seek(offset)
        left = count
        while left and not self.stopped:
            block = await self._stream.loop.run_in_executor(None, file.read, min(left, self._blocksize))
            if not block:
                raise ValueError(f"the file shrank while it was being sent: {left} bytes are missing")
            left -= len(block)
            await self._write(block)

    def _debug(self, text: str) -> None:
        if self._debuglevel > 0:
            print(text)


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
            if not isinstance(body, Iterable):
                kinds = "bytes-like, str, a file or an iterable of those"
                raise TypeError(f"body should be {kinds}, got {type(body)!r}") from None
            for block in body:
                yield block
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
    return (offset, status.st_size) if stat.S_ISREG(status.st_mode) and offset < status.st_size else None
