"""What a test can know of what a proxy has done, and to which connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._line_stage import Direction

MOST_SHOWN = 100
"""Lines of a log that are notes of an error. A test that needs more of them has the log."""


class ProxyEvent(NamedTuple):
    """Something that a :class:`FaultProxy` has done.

    ``connection``: its number. ``to``: the direction, ``"client"`` or ``"server"``, None if it was both. ``at``: how
    many bytes had come in this direction, or, where other faults stand before this one, had been let through by them.
    ``what``: the fault, such as ``"Reset"``.
    """

    connection: int
    to: Direction | None
    at: int
    what: str

    def __str__(self) -> str:
        if self.to is None:
            return f"connection {self.connection}: {self.what}"
        return f"connection {self.connection}, to the {self.to}, after {self.at} bytes: {self.what}"


class ProxyConnection:
    """One connection through a :class:`FaultProxy`.

    ``number`` (int): how many had been accepted before it. ``peer``: the client's address. ``closed`` (bool): whether
    both sides of it are closed. ``error``: by what the server could not be connected to, or None.
    """

    def __init__(self, number: int, peer: Any = None) -> None:
        self.number = number
        self.peer = peer
        self.closed = False
        self.error: OSError | None = None
        self._counts: dict[Direction, int] = {"server": 0, "client": 0}
        self._events: dict[Direction | None, list[ProxyEvent]] = {None: [], "server": [], "client": []}

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<ProxyConnection {self.number}, {state}, {self.to_server} bytes to the server, {self.to_client} back>"

    @property
    def to_server(self) -> int:
        """Bytes that were sent to the server."""
        return self._counts["server"]

    @property
    def to_client(self) -> int:
        """Bytes that were sent to the client."""
        return self._counts["client"]

    @property
    def log(self) -> list[ProxyEvent]:
        """What was done: to both directions, to that to the server, to that to the client, each in its order.

        What happens to one direction before the other depends on the time, so it is not told.
        """
        return [event for events in self._events.values() for event in events]

    def count(self, to: Direction, bytes_sent: int) -> None:
        """So many bytes were sent by now."""
        self._counts[to] = bytes_sent

    def note(self, to: Direction | None, at: int, what: str) -> None:
        """Something was done."""
        self._events[to].append(ProxyEvent(self.number, to, at, what))


def shown(events: Iterable[ProxyEvent]) -> str:
    """A log, one event a line."""
    lines = [f"  {event}" for event in events] or ["  nothing"]
    left = len(lines) - MOST_SHOWN
    return "\n".join(lines[:MOST_SHOWN] + ([f"  and {left} more"] if left > 0 else []))
