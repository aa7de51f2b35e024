"""What faults do to the bytes of one direction of a connection: no clock and no socket, bytes in and items out.

Theory of operation. Each fault that concerns a direction has a :class:`Stage` there, and the stages stand one behind
the other: a fault counts the bytes that the one before it lets through. What goes through them are :class:`Item`
objects, which are bytes or marks (an end, a reset, a wait) between bytes; marks keep their place. Until the place of
its fault is found, a stage lets everything through. There it does what the fault's ``begin`` says, and from then on
what ``edit`` says to each piece.

All that a stage decides depends on what came before in its direction, byte by byte, and on its own random numbers,
never on the pieces in which it came. What was done travels as a mark, too: behind a cut there are no marks, so what a
stage had done to bytes that happened to be in the same piece is not told.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypeAlias

from ._line_places import After, Place, check_place

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator

Direction: TypeAlias = Literal["client", "server"]
"""Where bytes go: to the client, or to the server."""

Directions: TypeAlias = Literal["client", "server", "both"]

DIRECTIONS: tuple[Direction, Direction] = ("server", "client")


class Kind(Enum):
    """What an item is."""

    BYTES = "bytes"
    NOTE = "note"
    """Something was done; goes no further than to the log."""
    WAIT = "wait"
    """Nothing goes on for so many seconds."""
    END = "end"
    """Nothing follows (FIN)."""
    CUT = "cut"
    """Both directions end (FIN)."""
    RESET = "reset"
    """The connection breaks (RST)."""


class Item(NamedTuple):
    """What goes through the stages.

    ``late``: seconds that must have gone by since it came, before it goes on. ``pause``: seconds behind it in which
    nothing goes on; 0 is a turn of the loop, None is nothing. ``at`` and ``data`` are of a note the place and the text.
    """

    kind: Kind
    data: bytes = b""
    late: float = 0.0
    pause: float | None = None
    at: int = 0

    def split(self, size: int) -> tuple[Item, Item]:
        """The first ``size`` bytes, and the others; a pause is behind the last one."""
        if size >= len(self.data):
            return self, self._replace(data=b"", pause=None)
        return self._replace(data=self.data[:size], pause=None), self._replace(data=self.data[size:])

    def later(self, seconds: float) -> Item:
        """The same, ``seconds`` later."""
        return self._replace(late=self.late + seconds) if seconds else self

    def paused(self, seconds: float) -> Item:
        """The same, with ``seconds`` more behind it."""
        return self._replace(pause=(self.pause or 0.0) + seconds)


@dataclass(frozen=True, kw_only=True)
class LineFault:
    """What goes wrong with connections.

    :param connection: the number of the one that it concerns, from 0, or a container of numbers (``range(5)``); None is
        all of them
    :param chance: of each of these to be concerned, from 0 to 1
    :raises TypeError: ``connection`` is nothing that numbers can be in
    :raises ValueError: a number that means nothing
    """

    connection: int | Container[int] | None = None
    chance: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.chance <= 1:
            raise ValueError(f"chance is from 0 to 1, not {self.chance!r}")
        if self.connection is not None and not isinstance(self.connection, int):
            _ = 0 in self.connection  # raises where it is nothing that numbers can be in

    def concerns(self, number: int, random: Random) -> bool:
        """Whether it happens to the connection of this number."""
        chosen = (self.connection,) if isinstance(self.connection, int) else self.connection
        return (chosen is None or number in chosen) and random.random() < self.chance

    def told(self) -> str:
        """What the log says of it."""
        return type(self).__name__


@dataclass(frozen=True, kw_only=True)
class StreamFault(LineFault):
    r"""What goes wrong with the bytes of a direction, from a place on.

    :param after: where: so many bytes from the beginning; behind the next occurrence of these bytes
        (``b"\r\n\r\n"``); a number out of a range, by chance; or a tuple of these, one after the other. It happens
        as soon as the last byte before it has passed; at 0 when the first byte comes, in its place
    :param to: the direction: to the ``"client"``, to the ``"server"``, or ``"both"``
    """

    after: After | None = 0
    to: Directions = "client"

    takes_none: ClassVar[bool] = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.to not in {"client", "server", "both"}:
            raise ValueError(f'to is "client", "server" or "both", not {self.to!r}')
        if self.after is not None or not self.takes_none:
            check_place(self.after)

    # -- what it does; ``stage`` has what it must remember, for an object of this class serves all connections

    def begin(self, stage: Stage) -> Iterable[Item]:
        """What comes at its place."""
        return ()

    def edit(self, stage: Stage, item: Item) -> Iterable[Item]:
        """What becomes of bytes behind it."""
        return (item,)

    def mark(self, stage: Stage, item: Item) -> Item:
        """What becomes of a mark behind it."""
        return item

    def end(self, stage: Stage) -> Iterable[Item]:
        """What comes before the end of the stream."""
        return ()


class Stage:
    """One fault at work on one direction of one connection.

    ``at``: bytes that have come to it. ``left``, ``late`` and ``kept`` are the fault's, who remembers with them where
    it is; ``over``: nothing is let through any more.
    """

    def __init__(self, fault: StreamFault, random: Random) -> None:
        self.fault = fault
        self.random = random
        self.at = 0
        self.left = 0
        self.late = 0.0
        self.kept = bytearray()
        self.over = False
        self._begun = False
        self._place = None if fault.after is None else Place(fault.after, random)

    def note(self) -> Item:
        """That it does what it does, here."""
        return Item(Kind.NOTE, self.fault.told().encode(), at=self.at)

    def feed(self, items: Iterable[Item]) -> Iterator[Item]:
        """What becomes of ``items``."""
        for item in items:
            if self.over:
                return
            if item.kind is Kind.BYTES:
                yield from self._bytes(item)
            else:
                if item.kind is Kind.END:
                    yield from self._later(self.fault.end(self), item)
                yield self.fault.mark(self, item) if self._begun else item

    def _bytes(self, item: Item) -> Iterator[Item]:
        if not self._begun:
            before = None if self._place is None else self._place.find(item.data)
            if before is None:
                self.at += len(item.data)
                yield item
                return
            head, item = item.split(before)
            self.at += before
            if before:
                yield head
            self._begun = True
            yield from self._later((self.note(), *self.fault.begin(self)), item)
        if item.data and not self.over:
            self.at += len(item.data)
            yield from self.fault.edit(self, item)

    @staticmethod
    def _later(items: Iterable[Item], than: Item) -> Iterator[Item]:
        for item in items:
            yield item.later(than.late)


def through(stages: Iterable[Stage], item: Item) -> Iterator[Item]:
    """What becomes of ``item`` on its way through all ``stages``, in the moment in which it is asked for."""
    items: Iterator[Item] = iter((item,))
    for stage in stages:
        items = stage.feed(items)
    return items


def random_of(seed: Any, number: int, direction: str, index: str) -> Random:
    """The random numbers of one fault for one direction of one connection: always the same ones, in every process."""
    return Random(f"{seed}/{number}/{direction}/{index}")  # noqa: S311  # repeatable, that is what it is for
