"""Faults that let all bytes through, but later, or more slowly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ._faults import check_least
from ._line_stage import Item, Kind, StreamFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._line_stage import Stage

SEGMENT: Final = 1460
"""Bytes that share one jitter: what a packet of Ethernet has room for. Their places are counted, not how they came."""

SLICES: Final = 20
"""Pieces a second into which a bandwidth is divided."""


@dataclass(frozen=True)
class Delay(StreamFault):
    """Bytes, and an end, come ``seconds`` later, and up to ``jitter`` seconds more or less; their order stays.

    What is under way does not keep the next bytes waiting, as on a long line, as far as there is room for it.
    """

    seconds: float
    jitter: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least("seconds", self.seconds)
        check_least("jitter", self.jitter)

    def edit(self, stage: Stage, item: Item) -> Iterator[Item]:
        """All of it, later; each segment by another jitter."""
        while item.data:
            if not stage.left:
                stage.left = SEGMENT
                stage.late = self._drawn(stage)
            part, item = item.split(stage.left)
            stage.left -= len(part.data)
            yield part.later(stage.late)

    def mark(self, stage: Stage, item: Item) -> Item:
        """The same, later."""
        return item.later(self.seconds)

    def _drawn(self, stage: Stage) -> float:
        return max(0.0, self.seconds + stage.random.uniform(-self.jitter, self.jitter))

    def told(self) -> str:
        """What the log says of it."""
        return f"Delay({self.seconds:g}, jitter={self.jitter:g})" if self.jitter else f"Delay({self.seconds:g})"


@dataclass(frozen=True)
class Bandwidth(StreamFault):
    """No more than ``rate`` bytes come in a second."""

    rate: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.rate <= 0:
            raise ValueError(f"rate is in bytes a second, and not {self.rate!r}; to have none pass there is Stall")

    def edit(self, stage: Stage, item: Item) -> Iterator[Item]:
        """Pieces, and behind each the time that it takes."""
        size = max(1, int(self.rate / SLICES))
        while item.data:
            part, item = item.split(size)
            yield part.paused(len(part.data) / self.rate)

    def told(self) -> str:
        """What the log says of it."""
        return f"Bandwidth({self.rate:g})"


@dataclass(frozen=True)
class Drip(StreamFault):
    """Bytes come in pieces of 1 to ``size``, with ``pause`` seconds between two; 0 is a turn of the loop.

    How long each piece is comes by chance. A piece of which only a part is there does not wait for the rest.
    """

    size: int = 1
    pause: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least("size", self.size, 1)
        check_least("pause", self.pause)

    def edit(self, stage: Stage, item: Item) -> Iterator[Item]:
        """The pieces."""
        while item.data:
            stage.left = stage.left or stage.random.randint(1, self.size)
            part, item = item.split(stage.left)
            stage.left -= len(part.data)
            yield part if stage.left else part.paused(self.pause)

    def told(self) -> str:
        """What the log says of it."""
        return f"Drip({self.size}, {self.pause:g})"


@dataclass(frozen=True)
class Stall(StreamFault):
    """Nothing more comes for ``seconds``; None is for ever.

    After a stall for ever, what is sent is taken and thrown away, and nobody hears that the sender ends or breaks the
    connection. When both sides have ended it, it is over.
    """

    seconds: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least("seconds", self.seconds or 0)

    def begin(self, stage: Stage) -> Iterator[Item]:
        """A wait, or silence."""
        if self.seconds is None:
            stage.over = True
        else:
            yield Item(Kind.WAIT, pause=self.seconds)

    def told(self) -> str:
        """What the log says of it."""
        return "Stall" if self.seconds is None else f"Stall({self.seconds:g})"
