"""One coding taken off (RFC 9110 section 8.4.1): the same way for all of them.

Theory of operation. A coded body is a sequence of runs: members in gzip (RFC 1952 section 2.2), frames in zstd (RFC
8878 section 3), and exactly one in deflate and br. What undoes one says where it ends; the step begins the next, and
decides what may stand behind the last:

============  ========================================================================================================
gzip          members, then zeros, with which tapes and some servers pad, and which ``gzip -d`` ignores as well
zstd          frames, skippable ones too
deflate, br   nothing
============  ========================================================================================================

Anything else there raises: two readers that disagree about where a body ends see different bodies.

A step that was given nothing gives nothing, and nothing is missing: servers label what has no content (an answer to
HEAD, a 304, an empty file) with the coding that content would have had.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..errors import DecodingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._decompressors import Buffer, Coding, Run

SLICE: Final = 16 * 1024
"""Bytes. The most that a decompressor is given at once. One that stops at its bound copies what it has not read yet,
and would copy a long input again for every piece; text of usual density makes one piece out of a slice."""

EMPTY_RUNS: Final = 4096
"""Runs without content that a body may have besides one for each run that has some, as parallel compressors write it.
Each takes 8 bytes and some 25 microseconds, so that all of them together cost a tenth of a second."""

UNBROKEN_RUNS: Final = 64
"""Runs without content after which whoever takes the pieces gets an empty one: that many cost one or two
milliseconds."""


class Step:
    """Takes one coding off what it is given.

    :param coding: which
    """

    __slots__ = ("_coding", "_empty", "_ended", "_padding", "_run", "_started", "_unbroken")

    def __init__(self, coding: Coding) -> None:
        self._coding = coding
        self._run: Run | None = None
        self._ended = False
        self._padding = False
        self._started = False  # the run has given something
        self._empty = 0  # runs without content, less those with some
        self._unbroken = 0

    @property
    def name(self) -> str:
        """The name of the coding."""
        return self._coding.name

    def decode(self, data: Buffer) -> Iterator[bytes]:
        """Yield what the next bytes stand for, in pieces of ``PIECE`` bytes at most.

        All pieces must be taken before the next call, and `data` must not change before. An empty piece is given after
        ``UNBROKEN_RUNS`` that had no content, so that others can have their turn.

        :raises DecodingError: the bytes are not what the coding makes, or a checksum or length in them is wrong, or
            there are more than ``EMPTY_RUNS`` of no use
        """
        view = memoryview(data)
        try:
            for start in range(0, len(view), SLICE):
                yield from self._decode(view[start : start + SLICE])
        except self._coding.error as error:
            raise DecodingError(self.name, str(error)) from error

    def _decode(self, data: Buffer) -> Iterator[bytes]:
        while data:
            if self._run is None:
                if self._ended and not self._goes_on(data):
                    return
                self._run = self._coding.begin()
            run = self._run
            for piece in run.decode(data):
                self._started = True
                yield piece
            if not run.done:
                return
            data = run.rest
            self._run = None
            self._ended = True
            if self._counted():
                yield b""

    def _counted(self) -> bool:
        """Count a run that has ended; whether there were many without content."""
        if self._started:
            self._started = False
            self._empty -= 1
            return False
        self._empty += 1
        if self._empty > EMPTY_RUNS:
            why = f"many bytes that stand for few: more than {EMPTY_RUNS} members or frames without content"
            raise DecodingError(self.name, why)
        self._unbroken = (self._unbroken + 1) % UNBROKEN_RUNS
        return self._unbroken == 0

    def _goes_on(self, data: Buffer) -> bool:
        """Whether bytes after the end of a run begin another one; those that may be dropped do not."""
        if self._coding.padded and (self._padding or data[0] == 0):
            self._padding = True
            if bytes(data).strip(b"\0"):
                raise DecodingError(self.name, "bytes after the padding")
            return False
        if not self._coding.many:
            raise DecodingError(self.name, "bytes after the end")
        return True

    def finish(self) -> None:
        """The coded bytes are over.

        :raises DecodingError: before their end mark
        """
        if self._run is not None:
            raise DecodingError(self.name, "the body ends before its end mark: it was cut short")


class Refusal:
    """Stands for a step that cannot be made, and says why when there is something to decode, and not before.

    :param name: of the coding
    :param reason: why it cannot be undone
    """

    __slots__ = ("_reason", "name")

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self._reason = reason

    def decode(self, data: Buffer) -> Iterator[bytes]:
        """Yield nothing for nothing.

        :raises DecodingError: there is something
        """
        if data:
            raise DecodingError(self.name, self._reason)
        return iter(())

    def finish(self) -> None:
        """Nothing was decoded, so nothing is missing."""
