"""Whether a peer keeps up a rate: arithmetic only, with numbers in and a verdict out.

Time is counted while the peer is waited for, and only then: that a consumer is slow, or busy with something else, is
not held against the peer. Bytes are counted whenever they come. When the waiting has added up to a window, there is a
verdict: too few bytes are a stall. Enough of them begin a new window, and so does none at all: that is silence, which
has a limit of its own, and may be long where the caller allows it.
"""

from __future__ import annotations

from math import inf


class Pace:
    """Counts the bytes of one transfer against ``rate`` bytes a second over each ``window`` seconds of waiting.

    ``ends`` is the moment at which the window is full if the waiting goes on until then; infinity while nobody waits.
    Callers hand in the time (seconds, of a clock that never goes back).
    """

    __slots__ = ("_bytes", "_left", "_needed", "ends", "rate", "window")

    def __init__(self, rate: float, window: float) -> None:
        self.rate = rate
        self.window = window
        self.ends = inf
        self._needed = rate * window
        self._left = window
        self._bytes = 0

    @property
    def running(self) -> bool:
        """True between ``resume`` and ``pause``."""
        return self.ends < inf

    def resume(self, now: float) -> None:
        """The peer is waited for from now on. Time since an earlier ``resume`` that had no ``pause`` is not counted."""
        self.ends = now + self._left

    def pause(self, now: float) -> None:
        """The peer is not waited for any more."""
        if self.ends < inf:
            self._left = self.ends - now
            self.ends = inf

    def count(self, nbytes: int) -> None:
        """The peer sent, or took, ``nbytes``."""
        self._bytes += nbytes

    def left(self, now: float) -> float:
        """Seconds of waiting until the verdict is due; not above zero when it is."""
        return self._left if self.ends == inf else self.ends - now

    def stalled(self, now: float) -> bool:
        """The verdict: True when the window is full, and there were bytes, but too few. Else a full one begins anew."""
        if (self._left > 0) if self.ends == inf else (now < self.ends):
            return False
        if 0 < self._bytes < self._needed:
            return True
        self._bytes = 0
        self._left = self.window
        if self.ends < inf:
            self.ends = now + self.window
        return False
