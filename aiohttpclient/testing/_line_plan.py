"""What happens to one connection: decided when it is there, by its number and the seed, and by nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ._line_stage import DIRECTIONS, LineFault, Stage, StreamFault, random_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ._line_stage import Direction

_Fault = TypeVar("_Fault", bound=LineFault)

Possible = tuple[str, LineFault]
"""A fault, and where it was found: what its random numbers depend on besides seed, connection and direction."""


def as_faults(faults: Any) -> list[LineFault]:
    """A fault, an iterable of faults, or None.

    :raises TypeError: something else
    """
    if faults is None:
        return []
    if isinstance(faults, LineFault):
        return [faults]
    try:
        found = list(faults)
    except TypeError:
        found = [faults]
    for fault in found:
        if not isinstance(fault, LineFault):
            raise TypeError(f"not a fault of a line: {fault!r}; one is line.Stall(), line.Reset(after=100), ...")
    return found


class Plan(NamedTuple):
    """``whole``: the faults of a connection as such; ``stages``: those of its bytes, for each direction."""

    whole: list[LineFault]
    stages: dict[Direction, list[Stage]]

    def find(self, kind: type[_Fault]) -> _Fault | None:
        """The first fault of a kind, of those of the connection as such."""
        return next((fault for fault in self.whole if isinstance(fault, kind)), None)


def plan(seed: Any, number: int, faults: Iterable[Possible]) -> Plan:
    """What those of ``faults`` do that concern the connection ``number``."""
    found = Plan([], {direction: [] for direction in DIRECTIONS})
    for index, fault in faults:
        if not fault.concerns(number, random_of(seed, number, "connection", index)):
            continue
        if not isinstance(fault, StreamFault):
            found.whole.append(fault)
            continue
        for direction in DIRECTIONS:
            if fault.to in {direction, "both"}:
                found.stages[direction].append(Stage(fault, random_of(seed, number, direction, index)))
    return found


def possible(
    seed: Any,
    number: int,
    faults: Iterable[LineFault],
    scripted: Sequence[LineFault],
    chaos: float,
    of: Sequence[LineFault],
) -> Iterator[Possible]:
    """All that may happen to the connection ``number``: ``faults``, what is scripted, and what comes by chance."""
    yield from ((f"fault {index}", fault) for index, fault in enumerate(faults))
    yield from ((f"script {index}", fault) for index, fault in enumerate(scripted))
    random = random_of(seed, number, "connection", "chaos")
    if random.random() < chaos:
        yield "chaos fault", random.choice(of)
