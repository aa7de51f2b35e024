"""The body of a request, on its way to the peer.

A sender takes whatever ``http.client`` takes (bytes, text, files, iterables) and async iterables besides, and passes it
on in pieces that the transport can hold. Between pieces it looks for two things: room, and an answer. A final answer
that refuses the body (a 413, say) ends the sending, and so does the end of the connection when an answer came before
it: the caller then reads that answer, not a broken pipe. While an async iterable or an async ``read`` of the caller's
makes a piece, which may take for ever, the stream is watched instead, and either ends that wait, as the total does.

Where a thread reads a file of the caller's, only the total and the caller's own cancellation end the wait: a thread
cannot be interrupted. It would take bytes from the file that nobody gets, move it while a later attempt or the caller
reads it too, and hold the lock of a buffered file, for which ``close`` waits, and with it the loop. So an answer that
comes meanwhile has its turn when the thread is done. A source of pieces that waits for such a thread says so by an
attribute ``grace``: None then, or the seconds that it still has once the answer is there; it may change from piece
to piece.

It owns the arithmetic of the framing: no byte beyond the declared Content-Length leaves, and a body that ends short of
it is an error, since both would shift the boundary of the next request.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO

from ..errors import PhaseTimeout, ReadTimeout, RemoteDisconnected, TotalTimeout, WriteTimeout
from ..wire import LAST_CHUNK, chunk_header, encode_chunk, refuses_body
from ._blocks import as_bytes, blocks_of, body_size, file_blocks, reads_in_loop, regular_file

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncGenerator

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
    ``stopped`` turns true when an answer ended the sending early, ``refused`` when the transport was found closed by
    the very first write: then nothing has been sent. (A loop that writes later does not tell.)
    """

    def __init__(
        self,
        heads: HeadReader,
        left: int | None,
        seconds: float | None,
        blocksize: int,
        deadline: float | None = None,
        total: float | None = None,
    ) -> None:
        self.left = left
        self.stopped = False
        self.refused = False
        self._first = True
        self._metered = True
        self._heads = heads
        self._stream = heads.stream
        self._seconds = seconds
        self._deadline = deadline
        self._total = total or 0.0
        self._blocksize = blocksize
        self._shown = False
        self._seen: Exception | None = None  # while nobody waited

    @property
    def complete(self) -> bool:
        """Whether everything that was declared has been sent; where nothing was declared, the caller decides."""
        return not self.left and not self.stopped

    async def send_request(self, head: bytes, body: object, plan: Plan, expect_timeout: float) -> None:
        """Send a head and the body that it announces, if that is at hand: a small one in the same segment as the head.

        Where the caller expects ``100 Continue``, the body waits for it for ``expect_timeout`` seconds, and is not sent
        when a final response comes instead (RFC 9110 section 10.1.1).
        """
        self._shown = shown = self._heads.debuglevel > 0
        size = body_size(body)
        if size is not None and size <= self._blocksize and not (plan.expects or plan.chunked or shown):
            data = as_bytes(body)
            self._account(data.nbytes)
            await self._write(b"".join((head, data)))
            return
        if shown:
            print("send:", repr(head))
        await self._write(head)
        if plan.expects and not await self._continue(expect_timeout):
            self.stopped = True
        elif body is not None or plan.chunked:
            if shown and hasattr(body, "read"):
                print("reading a readable")
                note_text(body)
            await self._send_body(b"" if body is None else body, plan.chunked)
        self._shown = False

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

    async def send(self, data: object) -> None:
        """Send one more piece of the body, as it is.

        :raises TypeError: ``data`` is of a kind that cannot be sent
        :raises ValueError: it is longer than what is left of the declared length
        :raises WriteTimeout: the peer took nothing for too long
        :raises ConnectionError: the connection ended, and no answer came before that
        """
        if self._heads.debuglevel > 0:
            print("send:", repr(data))
            if hasattr(data, "read"):
                print("sending a readable")
                note_text(data)
        await self._send_body(data, chunked=False)

    async def _send_body(self, body: Any, chunked: bool) -> None:
        """Send ``body``; with ``chunked``, each piece of it as one chunk, and the last chunk after them."""
        if not hasattr(body, "read"):
            await self._send_blocks(blocks_of(body), chunked, body if isinstance(body, AsyncIterable) else None)
        elif self._shown or not (span := regular_file(body)):
            await self._send_blocks(file_blocks(body, self._blocksize), chunked, body if reads_in_loop(body) else None)
        else:
            await self._send_regular(body, *span, chunked)
        if chunked and not self.stopped:
            if self._shown:
                print("send:", repr(LAST_CHUNK))
            await self._write(LAST_CHUNK)

    async def _send_blocks(self, blocks: AsyncGenerator[object, None], chunked: bool, source: object = None) -> None:
        """Send ``blocks``, which come from ``source``; None: the wait for them cannot be interrupted."""
        stream, deadline = self._stream, self._deadline
        scope = asyncio.timeout_at(deadline)  # for whoever makes the blocks: the stream cannot wake that
        if source is not None:
            stream.watcher = partial(copy_context().run, self._look, scope, source)
        try:
            async with scope, contextlib.aclosing(blocks):
                try:
                    async for block in blocks:
                        if self._seen is not None or not await self._send_block(block, chunked):
                            break
                finally:
                    if source is not None:
                        self._look_away(scope)
        except TimeoutError as error:
            if not scope.expired() or isinstance(error, PhaseTimeout):
                raise
        # Whoever makes the blocks may have swallowed the cancellation. And a loop may be early, by its resolution.
        seen, self._seen = self._seen, None
        try:
            if seen is not None:
                raise seen
        finally:
            del seen  # whose traceback leads to this frame
        if scope.expired() and deadline is not None and not self.stopped:
            late = max(0.0, stream.loop.time() - deadline)
            raise TotalTimeout(self._total, self._total + late)

    def _look(self, scope: asyncio.Timeout, source: object) -> None:
        """Called when something has happened on the stream and nobody waits for that: end ``scope`` if all is over."""
        grace = getattr(source, "grace", 0.0)
        if grace is None:
            return  # it is noticed before the next piece is sent
        try:
            over = self._over()
        except Exception as error:  # noqa: BLE001  # raised where the blocks are sent
            self._seen, over = error, True
        if over:
            self._stream.watcher = None
            with contextlib.suppress(RuntimeError):  # it is over already
                scope.reschedule(self._sooner(grace) if grace else 0)

    def _sooner(self, seconds: float) -> float:
        """The time of the loop in ``seconds``, or the deadline if that comes before."""
        then = self._stream.loop.time() + seconds
        return then if self._deadline is None else min(then, self._deadline)

    def _look_away(self, scope: asyncio.Timeout) -> None:
        """From here on the iterator is closed, in which only the deadline disturbs it."""
        self._stream.watcher = None
        if not scope.expired():
            scope.reschedule(self._deadline)

    async def _send_block(self, block: object, chunked: bool) -> bool:
        data = as_bytes(block)
        if not data.nbytes:
            if self._shown:
                print("Zero length chunk ignored")
            return not self.stopped
        self._account(data.nbytes)
        if not chunked:
            if self._shown:
                print("send:", repr(block))
            return await self._write(data)
        # Around a small block one write is cheaper than three; around a large one a copy is dearer.
        if data.nbytes <= self._blocksize or self._shown:
            chunk = encode_chunk(data)
            if self._shown:
                print("send:", repr(chunk))
            return await self._write(chunk)
        head = chunk_header(data.nbytes)
        return await self._write(head) and await self._write(data) and await self._write(b"\r\n")

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
        stream, write = self._stream, self._stream.writer.write
        if len(data) <= SLICE:
            if self._over():
                return False
            write(data)
            if self._first:
                self._first = False
                self.refused = stream.base_transport.is_closing()
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
        return not self.stopped and self._seen is None  # by whoever watches: the next piece must not be begun

    async def _drain(self) -> bool:
        while self._stream.writing_paused:
            if self._over():
                return False
            await self._stream.wait(self._seconds, WriteTimeout, self._metered)
        return not self._over()

    def _over(self) -> bool:
        """Whether to stop: the peer answered, or it is gone. Gone without a byte of an answer is an error."""
        stream = self._stream
        if not self.stopped and (stream.reader.buffered or stream.ended):
            answer = self._heads.poll()
            if answer is None and stream.ended and not stream.reader.buffered:
                if isinstance(stream.fault, (ConnectionAbortedError, PhaseTimeout)):
                    raise stream.fault
                raise RemoteDisconnected("Remote end closed connection during the request") from stream.fault
            self.stopped = stream.ended or (answer is not None and refuses_body(answer.status))
        return self.stopped

    # -- files -------------------------------------------------------------------------------------------------------

    async def _send_regular(self, file: BinaryIO, offset: int, end: int, chunked: bool) -> None:
        """Send the rest of a regular file: on plain TCP by the kernel, where the loop can, else by reading it.

        ``loop.sendfile`` takes the transport over while it runs: no answer is heard, and a connection that ends
        meanwhile breaks the transport's own bookkeeping. So the work behind it, ``loop.sock_sendfile``, is given a
        descriptor of its own for the same socket, and the transport goes on reading.
        """
        self._account(end - offset)
        stream = self._stream
        sock = None
        if stream.sendfile_works:
            stream.transport.set_write_buffer_limits(high=0)  # the kernel's turn comes when the transport holds nothing
            sock = stream.transport.get_extra_info("socket").dup()
            self._metered = False  # what the kernel sends besides cannot be counted
        try:
            more = await self._drain()
            while more and offset < end:
                count = min(SENDFILE_PART, end - offset)
                more = (
                    (not chunked or await self._write(chunk_header(count)))
                    and await self._send_part(sock, file, offset, count)
                    and (not chunked or await self._write(b"\r\n"))
                )
                offset += count
        finally:
            self._metered = True
            if sock is not None:
                sock.close()
                if not stream.lost:
                    stream.transport.set_write_buffer_limits()
        file.seek(offset)

    async def _send_part(self, sock: socket.socket | None, file: BinaryIO, offset: int, count: int) -> bool:
        """Send one part of a file; False when an answer has ended the sending."""
        if sock is not None and self._stream.sendfile_works and await self._sendfile(sock, file, offset, count):
            return not self._over()
        return not self._over() and await self._copy(file, offset, count)

    async def _sendfile(self, sock: socket.socket, file: BinaryIO, offset: int, count: int) -> bool:
        """Let the kernel send one part of a file; False when that was not to be."""
        stream = self._stream
        part = stream.loop.create_task(
            stream.loop.sock_sendfile(sock, file, offset, count, fallback=False), name="aiohttpclient sendfile"
        )
        part.add_done_callback(stream.wake)
        try:
            while not part.done():
                await stream.wait(self._seconds, WriteTimeout, metered=False)
                if not part.done() and self._over():
                    return False
            sent = part.result()
        except (asyncio.SendfileNotAvailableError, NotImplementedError):
            stream.sendfile_works = False
            return False
        except ConnectionError:
            await self._after_reset()
            return False
        finally:
            if not part.done():
                part.cancel()
                await asyncio.wait([part])
            if not part.cancelled():
                part.exception()  # seen: another exception may be on its way already
        if sent != count:
            raise ValueError(f"the file shrank while it was being sent: {count - sent} bytes are missing")
        return True

    async def _after_reset(self) -> None:
        """Let the transport read what the peer sent before it reset the connection, then judge by that."""
        stream = self._stream
        while not stream.ended and not self._over():
            await stream.wait(self._seconds, WriteTimeout, metered=False)
        self._over()

    async def _copy(self, file: BinaryIO, offset: int, count: int) -> bool:
        """Send one part of a file by reading it."""
        file.seek(offset)
        left = count
        while left and not self._over():
            block = await self._stream.loop.run_in_executor(None, file.read, min(left, self._blocksize))
            if not block:
                raise ValueError(f"the file shrank while it was being sent: {left} bytes are missing")
            left -= len(block)
            await self._write(block)
        return not self.stopped


def note_text(file: object) -> None:
    """Print what ``http.client`` prints of a text file."""
    if isinstance(file, io.TextIOBase):
        print("encoding file using iso-8859-1")
