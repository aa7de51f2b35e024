"""URLs that were found not long ago: most links of a page lead to where those of the page before led."""

from __future__ import annotations

from typing import Final

KEPT: Final = 1 << 15
"""URLs until the older half is forgotten; with what Python needs for it, twice as many are some 15 MiB."""

CHARACTERS: Final = 4 << 20
"""The same, for long ones."""


class Known:
    """URLs, and the least depth at which each was found. The store knows them all; this one saves asking it."""

    __slots__ = ("_newer", "_older", "_size")

    def __init__(self) -> None:
        self._newer: dict[str, int] = {}
        self._older: dict[str, int] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._newer) + len(self._older)

    def has(self, url: str, depth: int) -> bool:
        """Whether ``url`` is known at ``depth`` or less; one that is asked for is remembered longer."""
        found = self._newer.get(url)
        if found is None:
            found = self._older.get(url)
            if found is None:
                return False
            self.add(url, found)
        return found <= depth

    def add(self, url: str, depth: int) -> None:
        """Remember it."""
        self._newer[url] = depth
        self._size += len(url)
        if len(self._newer) >= KEPT or self._size >= CHARACTERS:
            self._newer, self._older, self._size = {}, self._newer, 0
