"""Results as JSON Lines: one object a line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._sink import Sink
from ._sink_failures import Failures, read_failures
from ._sink_key import key_of
from ._sink_lock import Lock
from ._sink_log import Log, read_log
from ._sink_record import Record
from ._sink_store import DONE
from ._sink_text import line_of

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from ._result import Result
    from ._sink_ledger import Ledger
    from ._sink_store import Entry, Store


class JSONLines(Sink):
    """One line of JSON for each result that is done; those that failed are in ``name.failed.jsonl`` beside.

    :param path: the file
    :param resume: go on with what is there: what is done is skipped, what failed is repeated. Without it there must be
        nothing
    :param batch: results that are written at a time
    :param interval: seconds after which they are written although they are fewer
    :param repeat: tells of a result whether the next run is to repeat it; see :func:`is_failure`
    :param key: tells items apart, by the text of what it returns; None: method, URL and body do
    """

    @staticmethod
    def _store_at(path: Path) -> Store:
        return _Lines(path)

    @staticmethod
    def read(path: str | os.PathLike[str], *, failed: bool = False) -> Iterator[Record]:
        """The records in the file at ``path``, one by one; or those of the results that ``failed``.

        It may be read while it is written, and after a kill.

        :raises FileNotFoundError: there is none
        :raises SinkError: it is another kind of file
        """
        lines = read_failures(failures_of(Path(path))) if failed else read_log(Path(path))
        return map(Record.from_values, lines)

    @staticmethod
    def line(result: Result) -> bytes:
        """The line that is written of ``result``, with its line feed; for who writes it elsewhere.

        :raises TypeError: of an item that needs a ``key`` of its own
        """
        return line_of(Record.of(key_of(result.item), result))


class _Lines:
    """The store: two logs and a lock."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._log = Log(path)
        self._failures = Failures(failures_of(path))
        self._lock = Lock(path, path.with_name(path.name + ".lock"))

    def open(self, ledger: Ledger, resume: bool) -> None:
        self._lock.acquire()
        if not resume:
            refuse_existing(self.path, self._failures.path)

        def see(values: dict[str, Any]) -> None:
            ledger.set(bytes.fromhex(values["key"]), DONE)

        self._log.open(see)
        self._failures.open(ledger)

    def write(self, entries: list[Entry]) -> None:
        done, failed = lines_of(entries)
        self._failures.append(failed)
        self._log.append(done)

    def tidy(self, ledger: Ledger) -> None:
        self._failures.tidy(ledger)

    def release(self) -> None:
        self._log.close()
        self._failures.close()
        self._lock.release()


def failures_of(path: Path) -> Path:
    """Where the failures are that belong to ``path``."""
    return path.with_name(f"{path.stem}.failed{path.suffix}")


def refuse_existing(*paths: Path) -> None:
    """Make sure that there is nothing yet.

    :raises FileExistsError: there is
    """
    for path in paths:
        if path.exists() and (path.is_dir() or path.stat().st_size):
            raise FileExistsError(f"{path} is there already: resume=True goes on with it")


def lines_of(entries: list[Entry]) -> tuple[list[bytes], list[bytes]]:
    """``entries`` as lines: those that are done, and those that failed."""
    done: list[bytes] = []
    failed: list[bytes] = []
    for entry in entries:
        (done if entry.done else failed).append(line_of(Record.of(entry.key, entry.result)))
    return done, failed
