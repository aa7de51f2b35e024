"""Faults that change bytes, take some away, or put some in.

No network does that under TCP, which has a checksum: such bytes come from broken proxies, broken memory, and peers that
say nonsense.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from ._faults import check_least
from ._line_stage import Item, Kind, StreamFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._line_places import After
    from ._line_stage import Stage


@dataclass(frozen=True)
class SizedFault(StreamFault):
    """What concerns ``size`` bytes, one at least."""

    size: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least("size", self.size, 1)

    def begin(self, stage: Stage) -> tuple[Item, ...]:
        """Count them."""
        stage.left = self.size
        return ()


@dataclass(frozen=True)
class Corrupt(SizedFault):
    """In each of ``size`` bytes one bit is flipped, which one by chance."""

    size: int = 1

    def edit(self, stage: Stage, item: Item) -> Iterator[Item]:
        """Bytes with other bits."""
        bad, good = item.split(stage.left)
        stage.left -= len(bad.data)
        if bad.data:
            yield bad._replace(data=bytes([byte ^ (1 << stage.random.randrange(8)) for byte in bad.data]))
        if good.data:
            yield good

    def told(self) -> str:
        """What the log says of it."""
        return f"Corrupt({self.size})"


@dataclass(frozen=True)
class Garbage(StreamFault):
    """``data`` comes in place of as many bytes."""

    data: bytes = b"\x00\xff\xfe garbage \x80\r\n\r\n"

    def begin(self, stage: Stage) -> tuple[Item, ...]:
        """Begin with its first byte."""
        stage.left = len(self.data)
        return ()

    def edit(self, stage: Stage, item: Item) -> Iterator[Item]:
        """Other bytes."""
        bad, good = item.split(stage.left)
        at = len(self.data) - stage.left
        stage.left -= len(bad.data)
        if bad.data:
            yield bad._replace(data=self.data[at : at + len(bad.data)])
        if good.data:
            yield good

    def told(self) -> str:
        """What the log says of it."""
        return f"Garbage of {len(self.data)} bytes"


@dataclass(frozen=True)
class Extra(StreamFault):
    """``data`` comes between the bytes, or, if ``after`` is None, behind the last one, before the end."""

    data: bytes
    after: After | None = field(default=None, kw_only=True)

    takes_none: ClassVar[bool] = True

    def begin(self, stage: Stage) -> tuple[Item, ...]:
        """Put it in."""
        return (Item(Kind.BYTES, self.data),)

    def end(self, stage: Stage) -> tuple[Item, ...]:
        """Put it in, if its place is here."""
        return (stage.note(), Item(Kind.BYTES, self.data)) if self.after is None else ()

    def told(self) -> str:
        """What the log says of it."""
        return f"Extra of {len(self.data)} bytes"


@dataclass(frozen=True)
class Repeat(SizedFault):
    """``size`` bytes come twice: all of them, and all of them again."""

    def edit(self, stage: Stage, item: Item) -> Iterator[Item]:
        """Keep a copy of those, and let it follow them."""
        if not stage.left:
            yield item
            return
        part, rest = item.split(stage.left)
        stage.kept += part.data
        stage.left -= len(part.data)
        yield part
        if not stage.left:
            yield from self.end(stage)
        if rest.data:
            yield rest

    def end(self, stage: Stage) -> Iterator[Item]:
        """Those that have not come again."""
        if stage.kept:
            yield Item(Kind.BYTES, bytes(stage.kept))
            stage.kept.clear()

    def told(self) -> str:
        """What the log says of it."""
        return f"Repeat({self.size})"


@dataclass(frozen=True)
class Truncate(StreamFault):
    """``size`` bytes are left out; None is all that follow, and then the end comes when it comes."""

    size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_least("size", 1 if self.size is None else self.size, 1)

    def begin(self, stage: Stage) -> tuple[Item, ...]:
        """Count them."""
        stage.left = self.size or 0
        return ()

    def edit(self, stage: Stage, item: Item) -> Iterator[Item]:
        """What is left."""
        if self.size is None:
            return
        gone, rest = item.split(stage.left)
        stage.left -= len(gone.data)
        if rest.data:
            yield rest

    def told(self) -> str:
        """What the log says of it."""
        return "Truncate" if self.size is None else f"Truncate({self.size})"
