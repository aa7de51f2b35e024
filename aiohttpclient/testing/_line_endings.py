"""Faults that end a connection, or never let it begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ._faults import check_least
from ._line_stage import Item, Kind, LineFault, StreamFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._line_stage import Stage


@dataclass(frozen=True)
class Cut(StreamFault):
    """Both directions end (FIN), as of a peer that dies; what still comes is taken and thrown away."""

    def begin(self, stage: Stage) -> Iterator[Item]:
        """End them."""
        stage.over = True
        yield Item(Kind.CUT)


@dataclass(frozen=True)
class HalfClose(StreamFault):
    """This direction ends (FIN), and the other goes on; what still comes in this one is taken and thrown away."""

    def begin(self, stage: Stage) -> Iterator[Item]:
        """End it."""
        stage.over = True
        yield Item(Kind.END)


@dataclass(frozen=True)
class Reset(StreamFault):
    """The connections to the client and to the server are reset (RST).

    A reset may overtake what was sent before it. A Unix socket has no reset: there the connection just ends.
    """

    def begin(self, stage: Stage) -> Iterator[Item]:
        """Reset them."""
        stage.over = True
        yield Item(Kind.RESET)


@dataclass(frozen=True)
class Refuse(LineFault):
    """The connection is reset as soon as it is accepted, and the server hears nothing of it.

    That a kernel refuses connections it can do for all of them only: ``proxy.refuse``.
    """


@dataclass(frozen=True)
class BlackHole(LineFault):
    """All that the client sends is taken and thrown away, and the server hears nothing of it."""


@dataclass(frozen=True)
class SlowAccept(LineFault):
    """The connection is left alone for ``seconds``: no byte is read, and the server hears nothing of it until then.

    That there is a connection the client knows from its kernel at once.
    """

    seconds: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least("seconds", self.seconds)

    def told(self) -> str:
        """What the log says of it."""
        return f"SlowAccept({self.seconds:g})"


@dataclass(frozen=True)
class CloseIdle(LineFault):
    """Both directions end (FIN) when no byte has come from either side for ``seconds``, as servers do with idle ones.

    It is begun to be counted when the connection to the server is there.
    """

    seconds: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.seconds <= 0:
            raise ValueError(f"seconds is more than 0, not {self.seconds!r}")

    def told(self) -> str:
        """What the log says of it."""
        return f"CloseIdle({self.seconds:g})"
