"""The faults of a :class:`FaultProxy`: ``from aiohttpclient.testing import line``, and then ``line.Stall(after=100)``.

Those that the answers of a :class:`LoopbackServer` have, too, are named like these. ``CHAOS`` is what a network does to
connections over TCP, ``DAMAGE`` what it does not do, but broken programs. A fault of one's own derives from
``StreamFault``, and says what becomes of each :class:`Item`.
"""

from __future__ import annotations

from typing import Final

from ._line_damage import Corrupt, Extra, Garbage, Repeat, Truncate
from ._line_endings import BlackHole, CloseIdle, Cut, HalfClose, Refuse, Reset, SlowAccept
from ._line_stage import Item, Kind, LineFault, Stage, StreamFault
from ._line_timing import Bandwidth, Delay, Drip, Stall

_EARLY: Final = range(256)
"""Where it happens: that early, it does in an exchange of usual size, in the head or in the body."""

CHAOS: Final[tuple[LineFault, ...]] = (
    Refuse(),
    SlowAccept(0.05),
    BlackHole(),
    Delay(0.02, jitter=0.02, to="both"),
    Bandwidth(20_000),
    Drip(100, 0),
    Drip(100, 0, to="server"),
    Stall(after=_EARLY),
    Stall(after=_EARLY, to="server"),
    Cut(after=_EARLY),
    Cut(after=_EARLY, to="server"),
    HalfClose(after=_EARLY),
    Reset(after=_EARLY),
    Reset(after=_EARLY, to="server"),
)
"""What ``FaultProxy(chaos=...)`` does, one of them to a connection. No answer is another one because of it."""

DAMAGE: Final[tuple[LineFault, ...]] = (
    Corrupt(8, after=_EARLY),
    Corrupt(8, after=_EARLY, to="server"),
    Garbage(after=_EARLY),
    Extra(b"extra", after=_EARLY),
    Repeat(20, after=_EARLY),
    Truncate(20, after=_EARLY),
)
"""For ``FaultProxy(chaos_faults=line.CHAOS + line.DAMAGE)``: bytes are others, and so may an answer be."""

__all__ = [
    "CHAOS",
    "DAMAGE",
    "Bandwidth",
    "BlackHole",
    "CloseIdle",
    "Corrupt",
    "Cut",
    "Delay",
    "Drip",
    "Extra",
    "Garbage",
    "HalfClose",
    "Item",
    "Kind",
    "LineFault",
    "Refuse",
    "Repeat",
    "Reset",
    "SlowAccept",
    "Stage",
    "Stall",
    "StreamFault",
    "Truncate",
]
