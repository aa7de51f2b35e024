"""What the kernel is between two sockets, in one direction: bytes on their way, and what comes after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = 64 * 1024
"""Bytes on their way in one direction. Less than any kernel has, so that flow control is met by tests of some KiB."""


def nobody() -> None:
    """Who is told where there is nobody."""


class Way:
    """One direction of a connection; it holds ``room`` bytes at most.

    The writer calls ``put`` and ``end``, the reader ``take`` and ``leave``. Whom that concerns at the other end is told
    within the call, by ``on_news`` (something has come: bytes, the end or a reset), ``on_room`` (there is room that was
    not there) and ``on_left`` (nobody will take anything any more). What they call may only make a note of it.

    ``ended`` and ``was_reset`` tell what comes after the bytes that are held, ``is_read`` whether there is a reader.
    """

    __slots__ = ("_held", "_room", "ended", "is_read", "on_left", "on_news", "on_room", "was_reset")

    def __init__(self, room: int = ROOM) -> None:
        self._held = bytearray()
        self._room = room
        self.ended = False
        self.was_reset = False
        self.is_read = True
        self.on_news: Callable[[], object] = nobody
        self.on_room: Callable[[], object] = nobody
        self.on_left: Callable[[], object] = nobody

    def __len__(self) -> int:
        return len(self._held)

    def put(self, view: memoryview) -> int:
        """Send what there is room for of ``view``; how many bytes that is."""
        count = min(len(view), self._room - len(self._held))
        if count:
            self._held += view[:count]
            self.on_news()
        return count

    def end(self, reset: bool = False) -> None:
        """Nothing follows; with ``reset`` because the writer is gone all of a sudden."""
        if reset:
            self.was_reset = True
        else:
            self.ended = True
        self.on_news()

    def take(self, most: int) -> bytes:
        """The first bytes, ``most`` at most."""
        with memoryview(self._held) as view:
            data = bytes(view[:most])
        del self._held[:most]
        self.on_room()
        return data

    def leave(self) -> None:
        """Take nothing any more."""
        self.is_read = False
        self._held.clear()
        self.on_left()
