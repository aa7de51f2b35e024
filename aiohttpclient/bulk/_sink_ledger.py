"""What is known of millions of keys, in little memory: a byte each, besides the key.

Keys are digests, so that their first bytes spread them evenly over shelves. On a shelf they stand one behind the other
in one ``bytearray``, which is searched as a whole: no objects, no table that is made anew in one go, while the loop
waits, when it is full. 100,000 keys are some 2.5 MiB, 10,000,000 some 190, with 2,400 keys to be searched for one.
"""

from __future__ import annotations

from typing import Final

from ._sink_key import KEY_SIZE

SHELVES: Final = 4096
"""Of 415 bytes each for 100,000 keys: searching one is no dearer than finding it."""

_ENTRY: Final = KEY_SIZE + 1

UNKNOWN: Final = 0
"""What is said of a key that nobody has said anything of."""


class Ledger:
    """Keys, and a number from 1 to 255 for each; ``counts[number]`` (list of int) tells how many have that one."""

    __slots__ = ("_shelves", "counts")

    def __init__(self) -> None:
        self._shelves: list[bytearray | None] = [None] * SHELVES
        self.counts = [0] * 256

    def get(self, key: bytes) -> int:
        """The number of ``key``; ``UNKNOWN`` (0): it has none."""
        shelf = self._shelves[(key[0] << 4) | (key[1] >> 4)]
        if shelf is None:
            return UNKNOWN
        at = _find(shelf, key)
        return UNKNOWN if at < 0 else shelf[at + KEY_SIZE]

    def set(self, key: bytes, number: int) -> int:
        """Give ``key`` a number; the one that it had before."""
        place = (key[0] << 4) | (key[1] >> 4)
        shelf = self._shelves[place]
        if shelf is None:
            shelf = self._shelves[place] = bytearray()
        self.counts[number] += 1
        at = _find(shelf, key)
        if at < 0:
            shelf += key
            shelf.append(number)
            return UNKNOWN
        before = shelf[at + KEY_SIZE]
        shelf[at + KEY_SIZE] = number
        self.counts[before] -= 1
        return before


def _find(shelf: bytearray, key: bytes) -> int:
    """Where ``key`` stands, not where two neighbours happen to have its bytes between them; -1: nowhere."""
    at = shelf.find(key)
    while at > 0 and at % _ENTRY:
        at = shelf.find(key, at + 1)
    return at
