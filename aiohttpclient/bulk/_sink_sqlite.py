"""Results in a table of SQLite: one transaction for each batch, in the mode WAL, in which others can read meanwhile."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import SinkError
from ._sink import Sink
from ._sink_jsonlines import refuse_existing
from ._sink_lock import Lock
from ._sink_record import NAMES, Record
from ._sink_store import DONE, FAILED

if TYPE_CHECKING:
    import os
    import sqlite3
    from collections.abc import Iterator

    from ._sink_ledger import Ledger
    from ._sink_store import Entry, Store

APPLICATION_ID: Final = 0x61686362
"""``ahcb``, in the head of the file: says that it is one of ours (https://www.sqlite.org/pragma.html)."""

VERSION: Final = 1
"""Of the table, as ``user_version``; a later version may add columns without counting up."""

_COLUMNS: Final = {
    "key": "BLOB NOT NULL PRIMARY KEY",
    "url": "TEXT NOT NULL",
    "method": "TEXT NOT NULL",
    "status": "INTEGER",
    "reason": "TEXT",
    "version": "INTEGER",
    "headers": "TEXT",
    "content": "BLOB",
    "encoding": "TEXT",
    "elapsed": "REAL",
    "final_url": "TEXT",
    "redirects": "TEXT",
    "attempts": "INTEGER",
    "timings": "TEXT",
    "error": "TEXT",
    "time": "TEXT NOT NULL",
}
"""The fields of a record. What is neither text nor a number nor bytes is there as JSON."""

_JSON: Final = ("headers", "redirects", "timings", "error")

_CREATE: Final = f"CREATE TABLE results (done INTEGER NOT NULL, {', '.join(map(' '.join, _COLUMNS.items()))})"

_UPDATES: Final = ", ".join(f"{name} = excluded.{name}" for name in ("done", *NAMES[1:]))

_INSERT: Final = " ".join(
    (
        f"INSERT INTO results (done, {', '.join(NAMES)}) VALUES (?{', ?' * len(NAMES)})",  # noqa: S608  # names of ours
        f"ON CONFLICT (key) DO UPDATE SET {_UPDATES} WHERE results.done = 0",
    )
)
"""A result takes the place of one that failed, never of one that is done."""


class SQLite(Sink):
    """A row in the table ``results`` for each item: ``done`` is 1, or 0 for what failed, until it is done.

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
        return _Table(path)

    @staticmethod
    def read(path: str | os.PathLike[str], *, failed: bool = False) -> Iterator[Record]:
        """The records in the file at ``path``, one by one; or those of the results that ``failed``.

        It may be read while it is written, and after a kill.

        :raises FileNotFoundError: there is none
        :raises SinkError: it is another kind of file
        """
        file = Path(path).resolve()
        if not file.exists():
            raise FileNotFoundError(f"there is no {file}")
        return _rows(file, failed)


class _Table:
    """The store: a connection, which is used by the thread of the sink only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock(path, path.with_name(path.name + ".lock"))
        self._connection: sqlite3.Connection | None = None

    def open(self, ledger: Ledger, resume: bool) -> None:
        import sqlite3

        self._lock.acquire()
        if not resume:
            refuse_existing(self.path)
        try:
            connection = self._connection = connected(self.path)
            self._prepare(connection)
            for key, done in connection.execute("SELECT key, done FROM results"):
                ledger.set(key, DONE if done else FAILED)
        except sqlite3.Error as error:
            raise SinkError(f"{self.path}: {error}", str(self.path)) from error

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if not is_ours(connection, self.path):
            # The first thing: what is killed on the way is an empty file of ours, or none.
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # in WAL a transaction is on the disk only so
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'results'").fetchone():
                connection.execute(_CREATE)
                connection.execute(f"PRAGMA user_version = {VERSION}")

    def write(self, entries: list[Entry]) -> None:
        connection = self._connection
        assert connection is not None
        rows = [_row(Record.of(entry.key, entry.result), entry) for entry in entries]
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, rows)

    def tidy(self, ledger: Ledger) -> None:
        """Nothing: when the last connection is closed, SQLite takes everything into the one file."""

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._lock.release()


def connected(path: Path | str) -> sqlite3.Connection:
    """A connection to the database at ``path``; an empty one stands for a file that is gone when it is closed."""
    import sqlite3  # which not every Python has

    # None: transactions begin where BEGIN says so. Readers hold a lock for moments only, for which this waits.
    return sqlite3.connect(path, timeout=30, isolation_level=None)


def is_ours(
    connection: sqlite3.Connection, path: Path, application_id: int = APPLICATION_ID, known: int = VERSION
) -> bool:
    """Whether there is a file of ours, of the kind ``application_id``; false if there is nothing.

    :raises SinkError: there is something else
    """
    import sqlite3

    try:
        (found,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        raise SinkError(f"{path} cannot be read as a database of ours: {error}", str(path)) from error
    if found != application_id and (found or version or tables):
        raise SinkError(f"{path} is a database of something else", str(path))
    if version > known:
        raise SinkError(f"{path} has version {version}, and this program knows {known}", str(path))
    return bool(found)


def _row(record: Record, entry: Entry) -> tuple[Any, ...]:
    values = record.values() | {"key": entry.key}
    for name in _JSON:
        if values[name] is not None:
            values[name] = json.dumps(values[name], ensure_ascii=False)
    return (entry.done, *values.values())


def _rows(path: Path, failed: bool) -> Iterator[Record]:
    with closing(connected(path)) as connection:
        if not is_ours(connection, path):
            return
        cursor = connection.execute("SELECT * FROM results WHERE done = ? ORDER BY rowid", (not failed,))
        names = [column[0] for column in cursor.description]
        for row in cursor:
            values = dict(zip(names, row, strict=True))
            values["key"] = values["key"].hex()
            for name in _JSON:
                if values.get(name) is not None:
                    values[name] = json.loads(values[name])
            yield Record.from_values(values)
