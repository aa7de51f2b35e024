"""What is known of a crawl, on the disk: its URLs, and what has become of each.

Theory of operation
-------------------
A row of ``urls`` is FRESH until it is given out, then ASKED, then DONE or FAILED. A store that is opened again makes
AGAIN of those that are ASKED or FAILED: they were given out before, and count as that. So of ``pages`` URLs that may be
asked for, those that were under way when a run was killed are asked again, and no others in their place.

``rank`` orders those that wait: first the depth, then how many URLs of the same host were known before, which mixes
the hosts. Where there is a bound for the depth, no URL is given out before those of a lower depth have told what they
lead to: so its depth is the least, and which pages are found does not depend on who answers first.

All that has happened since the last step is one transaction. The statements take whole lists, as JSON: a statement for
each URL would let go of the interpreter, and wait for it, each time.

In WAL a commit is safe from a kill of the process without waiting for the disk. Where the machine goes down, the last
ones may be gone, as if they had not been; what is said of a page in them would be found out again.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from ..errors import SinkError
from ._frontier_work import Row
from ._sink_jsonlines import refuse_existing
from ._sink_lock import Lock
from ._sink_sqlite import connected, is_ours

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from ._frontier_work import Bounds, Found, Work

APPLICATION_ID: Final = 0x61686366
"""``ahcf``, in the head of the file."""

VERSION: Final = 1
"""Of the tables."""

FRESH, AGAIN, ASKED, DONE, FAILED = range(5)
"""What has become of a URL."""

SHIFT: Final = 40
"""Bits of a rank that are for the place among the URLs of the host."""

DEEPEST: Final = (1 << 22) - 1
"""The greatest depth that is told from others in the order: a rank has 63 bits."""

OLDEST: Final = (3, 33, 0)
"""The version of SQLite that has UPDATE FROM: of 2020."""

CACHE: Final = 16 * 1024
"""KiB of the database that SQLite keeps in memory."""

_TABLES: Final = (
    """CREATE TABLE urls (
        id INTEGER PRIMARY KEY, url TEXT NOT NULL UNIQUE, depth INTEGER NOT NULL, hops INTEGER NOT NULL,
        rank INTEGER NOT NULL, referrer INTEGER, state INTEGER NOT NULL)""",
    f"CREATE INDEX fresh ON urls (rank) WHERE state = {FRESH}",
    f"CREATE INDEX again ON urls (rank) WHERE state = {AGAIN}",
    "CREATE TABLE hosts (host TEXT PRIMARY KEY, urls INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE seeds (url TEXT PRIMARY KEY) WITHOUT ROWID",
)

_PASSING: Final = (
    "CREATE TEMP TABLE found (url TEXT, host TEXT, depth INTEGER, hops INTEGER, referrer INTEGER)",
    "CREATE TEMP TABLE new (url TEXT, host TEXT, depth INTEGER, hops INTEGER, referrer INTEGER, turn INTEGER)",
)

_ADD: Final = (
    f"""UPDATE urls SET depth = f.depth, rank = min(f.depth, {DEEPEST}) << {SHIFT} | rank & {(1 << SHIFT) - 1},
        hops = f.hops, referrer = f.referrer
        FROM found f WHERE f.url = urls.url AND urls.state <= {AGAIN} AND f.depth < urls.depth""",  # noqa: S608
    """INSERT INTO new SELECT f.*, coalesce(hosts.urls, 0) + row_number() OVER (PARTITION BY host ORDER BY f.rowid) - 1
        FROM found f LEFT JOIN hosts USING (host) WHERE NOT EXISTS (SELECT 1 FROM urls WHERE urls.url = f.url)""",
    "DELETE FROM new WHERE turn >= :per_host",
    f"""INSERT INTO urls (url, depth, hops, rank, referrer, state)
        SELECT url, depth, hops, min(depth, {DEEPEST}) << {SHIFT} | turn, referrer, {FRESH} FROM new ORDER BY rowid""",  # noqa: S608
    """INSERT INTO hosts SELECT host, count(*) FROM new WHERE true GROUP BY host
        ON CONFLICT (host) DO UPDATE SET urls = urls + excluded.urls""",
)

_FOUND: Final = """INSERT INTO found SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
    json_extract(value, '$[2]'), json_extract(value, '$[3]'), json_extract(value, '$[4]') FROM json_each(?)"""

_SELECT: Final = """SELECT json_group_array(json_array(id, url, depth, hops, (SELECT url FROM urls r
    WHERE r.id = u.referrer))) FROM (SELECT * FROM urls WHERE state = {} AND rank < ? ORDER BY rank, id LIMIT ?) u"""

_MARK: Final = "UPDATE urls SET state = ? WHERE id IN (SELECT value FROM json_each(?))"


class Store:
    """The database at ``path``, or one that is gone when it is closed. All of it is called in one thread, in turn.

    ``known``, ``done`` and ``again`` (int) count URLs; ``known`` goes on while it is used, the others are what was
    there when it was opened.
    """

    def __init__(self, path: Path | None, resume: bool, bounds: Bounds) -> None:
        self.path = path
        self._resume = resume
        self._bounds = bounds
        self._lock = None if path is None else Lock(path, path.with_name(path.name + ".lock"), "crawl")
        self._connection: sqlite3.Connection | None = None
        self._under_way = Counter[int]()
        self._left = self._fresh = sys.maxsize
        self._broken = True
        self.known = self.done = self.again = 0

    # -- beginning and end -------------------------------------------------------------------------------------------

    def open(self, seeds: list[Found]) -> list[str]:
        """All seeds: those that were there, and ``seeds``, which are added.

        :raises FileExistsError: there is something, and ``resume`` is false
        :raises SinkError: what is there is something else, or another crawl has it
        """
        import sqlite3

        if sqlite3.sqlite_version_info < OLDEST:
            raise SinkError(f"a crawl needs SQLite {'.'.join(map(str, OLDEST))}, this is {sqlite3.sqlite_version}", "")
        if self._lock is not None:
            self._lock.acquire()
        if self.path is not None and not self._resume:
            refuse_existing(self.path)
        connection = self._connection = connected(self.path or "")
        self._prepare(connection)
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            self._create(connection)
            connection.execute(f"UPDATE urls SET state = {AGAIN} WHERE state IN ({ASKED}, {FAILED})")  # noqa: S608
            self._count(connection)
            self._add(connection, seeds)
            urls = json.dumps([seed.url for seed in seeds])
            connection.execute("INSERT OR IGNORE INTO seeds SELECT value FROM json_each(?)", (urls,))
        self._broken = False
        return [url for (url,) in connection.execute("SELECT url FROM seeds")]

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if self.path is None:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
        else:
            if not is_ours(connection, self.path, APPLICATION_ID, VERSION):
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute(f"PRAGMA cache_size = -{CACHE}")

    def _create(self, connection: sqlite3.Connection) -> None:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'urls'").fetchone():
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        for statement in _PASSING:
            connection.execute(statement)

    def _count(self, connection: sqlite3.Connection) -> None:
        counts = dict(connection.execute("SELECT state, count(*) FROM urls GROUP BY state"))
        self.known, self.done, self.again = sum(counts.values()), counts.get(DONE, 0), counts.get(AGAIN, 0)
        if (pages := self._bounds.pages) is not None:
            self._left = max(0, pages - self.done)
            self._fresh = max(0, self._left - self.again)

    def end(self, work: Work | None) -> None:
        """Note what has happened, if nothing has gone wrong, and close and unlock everything.

        :raises sqlite3.Error: nothing of it is noted
        """
        try:
            if work is not None and not self._broken:
                self.step(work)
        finally:
            self._close()

    def _close(self) -> None:
        try:
            if self._connection is not None:
                self._connection.close()
        finally:
            self._connection = None
            if self._lock is not None:
                self._lock.release()

    # -- steps -------------------------------------------------------------------------------------------------------

    def step(self, work: Work) -> list[Row]:
        """Note what has happened, and give out what can be; that is one transaction.

        :raises sqlite3.Error: nothing of it is noted
        """
        connection = self._connection
        assert connection is not None
        assert not self._broken
        self._broken = True  # until it is done: what follows may stand on what is not noted then
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            self._add(connection, list(work.found.values()))
            self._mark(connection, DONE, work.done)
            self._mark(connection, FAILED, work.failed)
            self._under_way.subtract(work.read)
            rows = self._take(connection, work.wanted)
        self._broken = False
        return rows

    def _add(self, connection: sqlite3.Connection, found: list[Found]) -> None:
        if not found:
            return
        per_host = 1 << SHIFT if self._bounds.per_host is None else min(1 << SHIFT, self._bounds.per_host)
        connection.execute(_FOUND, (json.dumps(found),))
        for statement in _ADD:
            changed = connection.execute(statement, {"per_host": per_host})
            if statement is _ADD[3]:
                self.known += changed.rowcount
        connection.execute("DELETE FROM found")
        connection.execute("DELETE FROM new")

    def _mark(self, connection: sqlite3.Connection, state: int, ids: list[int]) -> None:
        if ids:
            connection.execute(_MARK, (state, json.dumps(ids)))

    def _take(self, connection: sqlite3.Connection, wanted: int) -> list[Row]:
        wanted = min(wanted, self._left)
        if wanted <= 0:
            return []
        below = self._below(connection)
        rows = self._select(connection, AGAIN, wanted, below)
        if (fresh := min(wanted - len(rows), self._fresh)) > 0:
            more = self._select(connection, FRESH, fresh, below)
            self._fresh -= len(more)
            rows += more
        self._left -= len(rows)
        self._mark(connection, ASKED, [row.id for row in rows])
        self._under_way.update(row.depth for row in rows)
        return rows

    def _below(self, connection: sqlite3.Connection) -> int:
        """What the rank of rows that are given out must be below."""
        if self._bounds.depth is None:
            return DEEPEST + 1 << SHIFT
        self._under_way = +self._under_way  # without those of which there are none
        depths = list(self._under_way)
        for state in (AGAIN, FRESH) if self._fresh else (AGAIN,):
            (least,) = connection.execute(f"SELECT min(rank) FROM urls WHERE state = {state}").fetchone()  # noqa: S608
            depths += () if least is None else (least >> SHIFT,)
        return min([*depths, self._bounds.depth, DEEPEST]) + 1 << SHIFT

    @staticmethod
    def _select(connection: sqlite3.Connection, state: int, count: int, below: int) -> list[Row]:
        (rows,) = connection.execute(_SELECT.format(state), (below, count)).fetchone()
        made: list[list[Any]] = json.loads(rows)
        return [Row(*row) for row in made]


def as_sink_error(error: BaseException, path: Path | None) -> SinkError:
    """``error``, of the database of a crawl, as who crawls is told of it."""
    where = "a temporary file" if path is None else str(path)
    return SinkError(f"the frontier in {where}: {error}", "" if path is None else str(path))
