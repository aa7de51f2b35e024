"""The results that failed, in a file of their own beside those that are done.

A file that only grows cannot take back that something failed. So the one with what is done has each item once, at
every moment, and this one is a note of what is to be repeated. What has been done since, or has failed again, is taken
out when a sink is opened and when it is closed; until then what is done has the say. Without failures there is no file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._sink_log import Log, read_log
from ._sink_store import DONE, FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ._sink_ledger import Ledger


class Failures:
    """The file at ``path``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = Log(path, optional=True)

    def open(self, ledger: Ledger) -> None:
        """Tell ``ledger`` what has failed, and drop what it knows as done.

        :raises SinkError: it is no such file
        """

        def see(values: dict[str, Any]) -> None:
            key = bytes.fromhex(values["key"])
            if ledger.get(key) != DONE:
                ledger.set(key, FAILED)

        self._log.open(see)
        self.tidy(ledger)
        self._log.open(lambda _: None)

    def append(self, lines: list[bytes]) -> None:
        """See :meth:`Log.append`."""
        self._log.append(lines)

    def tidy(self, ledger: Ledger) -> None:
        """Leave each that is not done, once. The file is closed then."""
        self._log.tidy(lambda key: ledger.get(key) != DONE)

    def close(self) -> None:
        """Close the file."""
        self._log.close()


def read_failures(path: Path) -> Iterator[dict[str, Any]]:
    """What the records in ``path`` say; none, if there is no such file."""
    if path.exists():
        yield from read_log(path)
