"""A response's body into a file: resumed, checked, and there only when it is complete.

Theory of operation. ``_ranges`` decides what to ask for and what an answer is worth, ``_partfile`` knows about files;
here one is fed from the other. Blocks are gathered while they come, and written in a thread a mebibyte at a time, while
the next are received; there is never more than one such thread at work, and its end is waited for even by a download
that is cancelled, since nothing else can be done with the file before.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from .._threads import finished, in_thread, start
from ..errors import BodyTooLarge, DigestMismatch, DownloadError, IncompleteRead
from ._checksums import checksum_of
from ._partfile import PartFile
from ._ranges import DISLIKED, Refusal, is_stuck, judge, range_fields

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager

    from ._checksums import Checksum, Hasher
    from ._ranges import Body, Held

Progress: TypeAlias = Callable[[int, int | None], object]
"""Called with the bytes that are there and those of the whole file (None: not known); may return an awaitable."""

BLOCK: Final = 1024 * 1024
"""Bytes that are written at a time: a thread costs some 50 us, which is nothing beside writing that many."""

FLUSH_INTERVAL: Final = 1.0
"""Seconds after which they are written although they are fewer: what a process that is killed loses at most."""

PROGRESS_INTERVAL: Final = 0.1
"""Seconds between two calls of ``progress``: as often as anybody can look."""

STUCK: Final = 2
"""Connections in a row that may break before the first new byte of a part, before all of the file is asked for."""

HASHED: Final = 16 * 1024 * 1024
"""Bytes of an old part that are hashed in one go: some 20 ms, for which a download that is cancelled waits."""


class FileStream(Protocol):
    """What :func:`download` needs of a :class:`ResponseStream`."""

    @property
    def status(self) -> int:
        """The status code."""

    def field(self, name: str) -> str | None:
        """The first value of a header field."""

    def iter_bytes(self) -> AsyncIterator[bytes]:
        """The decoded body."""

    async def raise_for_status(self) -> Any:
        """Raise StatusError for a status of 400 and above."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was downloaded completely.

    ``path`` (Path) is where it is, ``size`` (int) its bytes, ``resumed`` (int) how many of them were there before,
    ``digest`` (str, ``"sha256:9f86d0..."``) the digest that was asked for.
    """

    path: Path
    size: int
    resumed: int = 0
    digest: str | None = None


async def download(
    open_stream: Callable[[dict[str, str]], AbstractAsyncContextManager[FileStream]],
    path: str | os.PathLike[str],
    *,
    url: str,
    resume: bool = True,
    overwrite: bool = True,
    progress: Progress | None = None,
    digest: str | tuple[str, str] | None = None,
    max_size: int | None = None,
) -> Download:
    """Write what ``open_stream`` gives to ``path``.

    Until the file is complete it is ``path`` with ``.part`` behind. That stays when the download fails or is cancelled,
    and the next one continues it, if the server has named a strong validator, and has the same file still (RFC 9110
    sections 13.1.5 and 14); in every other case it begins anew. So the file is what the server has, or there is an
    error.

    It begins anew, too, when going on brings the file no further: a part that ends before its first new byte, two
    connections in a row that break before it, or an error that may be about the ``Range`` alone (400, 403, 405, 406,
    412, 416, 501). What was there is only given up for bytes of the new beginning where
    these are of another file: so another connection that breaks costs nothing.

    :param open_stream: called with fields of the request: once, and again as often as that says, so three times at most
    :param url: what is asked for; a part is only continued from the same URL
    :param resume: continue what an earlier download left, and leave something to continue
    :param overwrite: an existing file is replaced, once the new one is complete
    :param progress: called at the beginning, about ten times a second, and at the end
    :param digest: ``"sha256:9f86d0..."`` or ``("sha256", "9f86d0...")``, which the file must have; ``"sha256"``: to be
        computed. What was there before is included
    :param max_size: bytes that the file may have at most; None: any number
    :raises StatusError: the status is 400 or above
    :raises DownloadError: the file did not come completely, or another download writes it
    :raises DigestMismatch: it came completely, and is another one; nothing of it is left
    :raises BodyTooLarge: it is larger than ``max_size``; nothing of it is left
    :raises FileExistsError: there is a file, and ``overwrite`` is false
    :raises OSError, IncompleteRead: the disk is full, ..., or the connection broke
    :raises ValueError: ``digest`` is none
    """
    checksum = None if digest is None else checksum_of(digest)
    part = PartFile(Path(path), url, resume=resume, overwrite=overwrite)
    return await _Transfer(open_stream, part, progress, checksum, max_size).run()


class _Transfer:
    """One call of :func:`download`."""

    def __init__(
        self,
        open_stream: Callable[[dict[str, str]], AbstractAsyncContextManager[FileStream]],
        part: PartFile,
        progress: Progress | None,
        checksum: Checksum | None,
        max_size: int | None,
    ) -> None:
        self._open_stream = open_stream
        self._part = part
        self._progress = progress
        self._checksum = checksum
        self._max_size = max_size
        self._hasher: Hasher | None = None
        self._now = asyncio.get_running_loop().time
        self._blocks: list[bytes] = []
        self._gathered = 0  # bytes in them
        self._writing: asyncio.Future[None] | None = None
        self._done = 0
        self._body: Body | None = None
        self._flush_at = self._tell_at = 0.0

    async def run(self) -> Download:
        try:
            held = await in_thread(self._part.open)
            if held is None or not await self._go_on(held):
                refusal = await self._ask(None)
                if refusal is not None:
                    raise DownloadError(refusal.reason, str(self._part.target))
            return await self._end()
        except BaseException as error:
            await self._give_up(error)
            raise

    async def _hash(self, end: int) -> None:
        """Begin the digest with the bytes that are there."""
        self._hasher = None if self._checksum is None else self._checksum.hasher()
        if self._hasher is not None:
            for start in range(0, end, HASHED):
                await in_thread(self._part.hash, self._hasher, start, min(end, start + HASHED))

    async def _go_on(self, held: Held) -> bool:
        """Ask for what is missing, and take it; false where all of the file is to be asked for.

        A connection that breaks before the first new byte may have had bad luck. One that does so again, though the
        right part was announced each time, would do so for ever.
        """
        for _ in range(STUCK):
            await self._hash(held.offset)
            broke = refused = False
            try:
                refused = await self._ask(held) is not None
            except (IncompleteRead, ConnectionError):
                if not is_stuck(held, self._body, self._done):
                    raise
                broke = True
            if not refused and not is_stuck(held, self._body, self._done):
                return True
            await self._settle()
            self._body = None
            if not broke:
                break
        return False

    # -- receiving ---------------------------------------------------------------------------------------------------

    async def _ask(self, held: Held | None) -> Refusal | None:
        """Ask for what is missing, and take it; or say why the answer is of no use."""
        async with self._open_stream(range_fields(held)) as stream:
            if held is None or stream.status not in DISLIKED:
                await stream.raise_for_status()
                if stream.status not in (200, 203, 206):
                    return Refusal(f"the server answered {stream.status}")
            body = judge(stream.status, stream.field, held)
            if isinstance(body, Refusal):
                return body
            await self._receive(stream, body)
            return None

    async def _receive(self, stream: FileStream, body: Body) -> None:
        self._body = body
        self._done = body.start
        if body.start == 0:
            await self._hash(0)
        self._part.expect(body)
        self._check_size(body.total or 0)
        self._flush_at = self._now() + FLUSH_INTERVAL
        await self._tell()
        async for block in stream.iter_bytes():
            self._done += len(block)
            if body.end is not None and self._done > body.end:
                await self._forget()
                raise DownloadError(f"more came than the {body.end} bytes announced", str(self._part.target))
            self._check_size(self._done)
            self._blocks.append(block)
            self._gathered += len(block)
            now = self._now()
            if self._gathered >= BLOCK or now >= self._flush_at:
                await self._flush()
                self._flush_at = now + FLUSH_INTERVAL
            if now >= self._tell_at:
                await self._tell()

    def _check_size(self, size: int) -> None:
        if self._max_size is not None and size > self._max_size:
            raise BodyTooLarge(self._max_size)

    async def _forget(self) -> None:
        """Leave nothing of what came, since nobody knows what it was: the next download begins anew."""
        await self._settle()
        await in_thread(self._part.empty)

    async def _settle(self) -> None:
        """Wait until what is being written is, and drop what is not written."""
        if self._writing is not None:
            await finished(self._writing)
        self._writing, self._blocks, self._gathered = None, [], 0

    async def _flush(self) -> None:
        """Have what was gathered written, when what was gathered before is."""
        if self._writing is not None:
            await finished(self._writing)
        blocks, self._blocks, self._gathered = self._blocks, [], 0
        self._writing = start(self._part.write, blocks, self._hasher)

    async def _tell(self) -> None:
        if self._progress is not None:
            assert self._body is not None
            result = self._progress(self._done, self._body.total)
            if inspect.isawaitable(result):
                await result
            self._tell_at = self._now() + PROGRESS_INTERVAL

    # -- ending ------------------------------------------------------------------------------------------------------

    async def _end(self) -> Download:
        body = self._body
        assert body is not None
        if body.end != body.total or (body.end is not None and self._done != body.end):
            raise DownloadError(f"{self._done} of {body.total} bytes came", str(self._part.target))
        if self._writing is not None:
            await finished(self._writing)
        blocks, self._blocks = self._blocks, []
        digest = await in_thread(self._complete, blocks)
        await self._tell()
        return Download(self._part.target, self._done, body.start, digest)

    def _complete(self, blocks: list[bytes]) -> str | None:
        """Write the rest, check everything, and put the file in its place; in a thread."""
        self._part.write(blocks, self._hasher, note=False)
        digest = None
        if self._checksum is not None and self._hasher is not None:
            digest = self._checksum.check(self._hasher, str(self._part.target))
        self._part.complete()
        return digest

    async def _give_up(self, reason: BaseException) -> None:
        """Leave what can be continued, and no open file, whatever else goes wrong meanwhile."""
        try:
            if self._writing is not None:
                with contextlib.suppress(OSError):  # it was raised already, or is not what this download failed for
                    await finished(self._writing)
        finally:
            if isinstance(reason, (DigestMismatch, BodyTooLarge)):
                await in_thread(self._part.discard)
            else:
                await in_thread(self._part.give_up, self._blocks)
