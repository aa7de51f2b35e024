"""Places in a stream of bytes: so far from its beginning, behind a pattern, or both, one after the other."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeAlias

from ._faults import check_least

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

Step: TypeAlias = int | bytes | range
"""So many bytes; through the next occurrence of these bytes; a number of bytes by chance, out of a range."""

After: TypeAlias = Step | tuple[Step, ...]
"""A place: one step from the beginning of the stream, or several."""


def check_place(after: Any) -> None:
    """Refuse what is no place.

    :raises TypeError: something else than steps
    :raises ValueError: a negative number, an empty pattern, an empty range, or no step at all
    """
    steps = _steps(after)
    if not steps:
        raise ValueError("a place has one step at least")
    for step in steps:
        if isinstance(step, bool) or not isinstance(step, (int, bytes, range)):
            raise TypeError(f"a place is a number of bytes, bytes, a range, or a tuple of these, not {step!r}")
        if isinstance(step, int):
            check_least("after", step)
        elif not step:
            raise ValueError(f"after is empty: {step!r}")
        elif isinstance(step, range):
            check_least("after", min(step))


def _steps(after: Any) -> Sequence[Any]:
    return after if isinstance(after, tuple) else (after,)


class Place:
    """Looks for a place in a stream that comes in pieces, and finds the same one however it is cut.

    A place behind a byte is found together with that byte, and the place 0 together with the first one: it has nothing
    before it, and nothing is known to be there before something comes.
    """

    def __init__(self, after: After, random: Random) -> None:
        self._steps = deque(random.choice(step) if isinstance(step, range) else step for step in _steps(after))
        self._tail = b""  # what came of a pattern, as far as it may be its beginning

    def find(self, data: bytes) -> int | None:
        """How many bytes of ``data``, the next piece, are before the place; None if it is not there yet.

        It is called until the place was found, with pieces of one byte at least.
        """
        at = 0
        while self._steps:
            passed = self._pass(data, at)
            if passed is None:
                return None
            at = passed
            self._steps.popleft()
        return at

    def _pass(self, data: bytes, at: int) -> int | None:
        """The end of the first step, which begins at ``at``; None if it is not in ``data``."""
        step = self._steps[0]
        if isinstance(step, int):
            if at + step <= len(data):
                return at + step
            self._steps[0] = step - (len(data) - at)
            return None
        window = self._tail + data[at:]
        found = window.find(step)
        if found < 0:
            self._tail = window[max(0, len(window) - len(step) + 1) :]
            return None
        at += found + len(step) - len(self._tail)
        self._tail = b""
        return at
