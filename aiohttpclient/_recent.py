"""What is remembered of what was asked for: little, and only what is asked for again.

A service asks for the same few things again and again; whoever fetches a list asks for each of them once. To keep what
never comes back costs more than to work it out: it is stored, thrown away, and pushes what is needed out of the caches
of the processor. So a thing is kept when it comes for the second time. Of the first time there is one byte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

K = TypeVar("K")
V = TypeVar("V")

PLACES: Final = 4096
"""Bytes that stand for things that came once. A new one takes the place of an old one, and of two that share a place
neither may ever be kept when they come in turns: so there are many more places than things that are kept."""


class Recent(dict[K, V]):
    """Values by what they were worked out of. Look them up as in any ``dict``; ask ``again`` before one is put in.

    :param most: how many are kept
    """

    __slots__ = ("_marks", "_most")

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self._marks = bytearray(PLACES)

    def again(self, what: Hashable) -> bool:
        """Whether ``what`` was asked about before, lately, and so is worth to be kept; then there is room for it.

        One new thing in 256 is taken for one that was. When there are too many, all are forgotten: those that are
        wanted come again.
        """
        mark, place = divmod(hash(what), PLACES)
        mark &= 0xFF
        marks = self._marks
        if marks[place] != mark:
            marks[place] = mark
            return False
        if len(self) >= self._most:
            self.clear()
        return True
