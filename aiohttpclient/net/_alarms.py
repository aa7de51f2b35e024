"""Alarms of a loop, which outlive what they were set for.

Arming a timer of asyncio and cancelling it again, as each connection does twice, is a tenth of what a connection costs
that carries one small answer. Most bounds are of the same few lengths, and hardly any is reached. So an alarm that is
no longer wanted stays in the loop, and serves the next who wants to be woken at a later time: it rings too early, which
whoever set it looks at anyway, since a deadline moves in the meantime (see ``_timer``).

Alarms are only kept beside others that somebody waits for. With the last one of these all are gone: a program whose
connections are closed finds no timer in its loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, TimerHandle
    from collections.abc import Callable

SPARES = 64
"""Alarms that a loop keeps for the next: as many connections as one program commonly opens at a time. Each is a timer
of asyncio's, some 300 bytes."""


class Alarm:
    """Calls ``ring``, once, at ``due``, a time of the loop; or never, once it was released or cancelled."""

    __slots__ = ("_alarms", "_handle", "due", "ring")

    def __init__(self, alarms: Alarms, due: float, ring: Callable[[], object]) -> None:
        self.due = due
        self.ring: Callable[[], object] | None = ring
        self._alarms = alarms
        self._handle: TimerHandle = alarms.loop.call_at(due, self._rings)

    def _rings(self) -> None:
        ring, self.ring = self.ring, None
        if ring is None:
            self._alarms.spare.remove(self)
        else:
            try:
                ring()  # which most likely sets another
            finally:
                self._alarms.less()

    def release(self) -> None:
        """Do not ring; the next who wants an alarm may have this one. After it has rung this does nothing."""
        if self.ring is not None:
            self.ring = None
            alarms = self._alarms
            if len(alarms.spare) < SPARES:
                alarms.spare.append(self)
            else:
                self._handle.cancel()
            alarms.less()

    def cancel(self) -> None:
        """Do not ring, and be of no use to others. After it has rung this does nothing."""
        if self.ring is not None:
            self.ring = None
            self._handle.cancel()
            self._alarms.less()

    def dismiss(self) -> None:
        """The same for a spare one."""
        self._handle.cancel()


class Alarms:
    """All alarms of one loop. ``wanted`` counts those that somebody waits for, ``spare`` are the others."""

    __slots__ = ("__weakref__", "loop", "spare", "wanted")

    def __init__(self, loop: AbstractEventLoop) -> None:
        self.loop = loop
        self.spare: list[Alarm] = []
        self.wanted = 0

    def set(self, when: float, ring: Callable[[], object]) -> Alarm:
        """An alarm that calls ``ring`` at ``when``, a time of the loop, or earlier: at its ``due``."""
        spare = self.spare
        if spare and spare[-1].due <= when:
            alarm = spare.pop()
            alarm.ring = ring
        else:
            alarm = Alarm(self, when, ring)
        self.wanted += 1
        return alarm

    def less(self) -> None:
        """One fewer is waited for."""
        self.wanted -= 1
        if not self.wanted:
            while self.spare:
                self.spare.pop().dismiss()


# Nothing of a loop may be kept alive by a registry of loops. What is alive itself keeps its loop alive, and so its id.
_alarms: WeakValueDictionary[int, Alarms] = WeakValueDictionary()


def alarms_of(loop: AbstractEventLoop) -> Alarms:
    """The alarms of ``loop``; keep what you get for as long as one may be set."""
    alarms = _alarms.get(id(loop))
    if alarms is None:
        alarms = _alarms[id(loop)] = Alarms(loop)
    return alarms


def renew_alarms(loop: AbstractEventLoop) -> None:
    """Whoever asks from now on gets other alarms: ``loop`` goes by another clock."""
    _alarms.pop(id(loop), None)
