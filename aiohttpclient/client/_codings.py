"""Content codings (RFC 9110 section 8.4): what a client asks for, and how a body in any stack of them is read.

Theory of operation. A body has the codings that ``Content-Encoding`` names, applied in the order of that list; a
:class:`Decoder` takes them off from the last to the first. Each piece that a step gives goes through all further steps
before the next one is made, so however much a body unfolds to, what is held of it is one piece a step.

A field value that cannot be obeyed (a coding that is unknown or not installed, or one too many) is no error until
there is a byte to decode: status, headers, the raw body and a response without content stay within reach.

Memory is not the only thing that a small body can take. Between two steps there may be a thousand times more bytes than
came from the network, again for each step, and the last step may make nothing of them: empty gzip members are valid.
Nobody above would see a byte. So what is unfolded on the way has to show for itself in the end (see ``SLACK``), and so
has each member or frame (``EMPTY_RUNS``); meanwhile empty pieces give others their turns.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from ..errors import DecodingError
from ._decoders import Refusal, Step
from ._decompressors import ALIASES, CODINGS, PACKAGES, coding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._decompressors import Buffer

MAX_CODINGS: Final = 5
"""The most codings in a stack. Nobody has a use for more than two; each one costs a window, and multiplies what a byte
can unfold to."""

SLACK: Final = 256 * 1024
"""Bytes between two codings of a stack that may lead to nothing. Beyond them, a step must have given at least half of
what it was given: a coding makes things shorter, and what another coding made starts to give after a block of 128 KiB
at the latest (RFC 8878 section 3.1.1.2)."""

_SHOWN: Final = 40
"""Characters of a peer's field value in an error."""


@cache
def accept_encoding() -> str:
    """The value of Accept-Encoding that names all content codings that can be decoded here, such as "gzip, deflate".

    Raises nothing; what is installed is looked up once.
    """
    return ", ".join(name for name in CODINGS if coding(name) is not None)


class Decoder:
    """Takes the content codings off one body, in pieces; does no I/O.

    :param codings: names in the order in which they were applied, as in ``Content-Encoding``; in lower case

    ``codings`` (tuple of str) is that again.
    """

    __slots__ = ("_failure", "_given", "_idle", "_steps", "codings")

    def __init__(self, codings: tuple[str, ...]) -> None:
        self.codings = codings
        self._steps = _steps(codings)
        self._given = [0] * len(self._steps)  # bytes that each step has given
        self._idle = True
        self._failure: DecodingError | None = None

    def feed(self, data: Buffer) -> Iterator[bytes]:
        """Yield what the next bytes of the body stand for, lazily, in pieces of about 64 KiB at most.

        An empty piece says that much was done for nothing since the last one: let others have their turn.

        :param data: any number of bytes; they must not change while the pieces are taken
        :raises DecodingError: the bytes are not what the codings make, a checksum or length in them is wrong, or the
            codings cannot be undone here; raised by the iterator. Pieces before it may come from a damaged body.
            After that, every call raises the same
        :raises RuntimeError: the iterator of an earlier call was not taken to its end
        """
        self._check()
        self._idle = False
        return self._feed(data)

    def _feed(self, data: Buffer) -> Iterator[bytes]:
        try:
            yield from self._decode(0, data)
        except DecodingError as error:
            self._failure = error
            raise
        self._idle = True

    def finish(self) -> Iterator[bytes]:
        """The body is over: yield what is left of it, which is nothing with the codings that there are.

        A body without any byte is an empty one, whatever its codings: servers name them for answers that have no
        content.

        :raises DecodingError: the body is not complete; raised at once
        :raises RuntimeError: as for :meth:`feed`
        """
        self._check()
        for step in self._steps:
            step.finish()
        return iter(())

    def _check(self) -> None:
        if self._failure is not None:
            raise DecodingError(self._failure.coding, self._failure.reason)
        if not self._idle:
            raise RuntimeError("not all pieces of an earlier feed() were taken")

    def _decode(self, at: int, data: Buffer) -> Iterator[bytes]:
        """Yield what `data` is after the steps from number `at` on."""
        pieces = self._steps[at].decode(data)
        given = self._given
        is_last = at + 1 == len(given)
        for piece in pieces:
            given[at] += len(piece)
            if is_last or not piece:
                yield piece
            else:
                yield from self._decode(at + 1, piece)
                self._check_progress(at)

    def _check_progress(self, at: int) -> None:
        """Refuse a body of which too much was unfolded for nothing between two steps."""
        if self._given[at] > SLACK + 2 * self._given[at + 1]:
            raise DecodingError(self._steps[at + 1].name, "within another coding, many bytes that stand for few")


def _steps(codings: tuple[str, ...]) -> list[Step | Refusal]:
    if len(codings) > MAX_CODINGS:
        return [Refusal(", ".join(codings)[:_SHOWN], f"{len(codings)} codings, where {MAX_CODINGS} are the most")]
    steps: list[Step | Refusal] = []
    for name in reversed(codings):
        found = coding(name)
        if found is None:
            return [Refusal(name[:_SHOWN], _why_not(name))]
        steps.append(Step(found))
    return steps


def _why_not(name: str) -> str:
    """Why a coding cannot be undone, and what to do."""
    if package := PACKAGES.get(ALIASES.get(name, name)):
        return f"its package is not installed, or too old: `pip install -U {package}`"
    return f"not known; what can be decoded is {accept_encoding()}"


def decoder_for(content_encoding: str | None) -> Decoder | None:
    """What decodes a body with this ``Content-Encoding``: None where there is nothing to do.

    :param content_encoding: the field value, several lines joined by commas; None if there is no such field

    Never raises. A coding that cannot be undone is an error of :meth:`Decoder.feed`, when there is something to decode.
    """
    if not content_encoding:
        return None
    names = (name.strip(" \t").lower() for name in content_encoding.split(","))
    codings = tuple(name for name in names if name and name != "identity")
    return Decoder(codings) if codings else None
