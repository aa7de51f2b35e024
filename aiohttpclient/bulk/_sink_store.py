"""What a sink needs of a place where results are kept. All of it blocks, and is called in one thread, in turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from ._result import Result
    from ._sink_ledger import Ledger

FAILED: Final = 1
DONE: Final = 2
"""What is known of a key, in a :class:`Ledger`."""


class Entry(NamedTuple):
    """A result to be written: with its key, and whether it is done or is to be repeated."""

    key: bytes
    done: bool
    result: Result


class Store(Protocol):
    """The place.

    Whatever the moment in which the process is killed, ``open`` finds each key done once, and in what it finds is
    everything that ``write`` was done with. A key that is done is never written again; one that failed may be.
    """

    @property
    def path(self) -> Path:
        """Where it is."""

    def open(self, ledger: Ledger, resume: bool) -> None:
        """Lock it, put it in order, and tell ``ledger`` what is there.

        :raises FileExistsError: there is something, and ``resume`` is false
        :raises SinkError: what is there is something else, or somebody writes it
        """

    def write(self, entries: list[Entry]) -> None:
        """Write ``entries``; they are on the disk when this returns.

        :raises OSError: none of them is, and nothing of them is left that ``open`` would not clean away
        """

    def tidy(self, ledger: Ledger) -> None:
        """Leave everything in its final form. Only called when nothing has gone wrong."""

    def release(self) -> None:
        """Close and unlock everything, whatever state it is in."""
