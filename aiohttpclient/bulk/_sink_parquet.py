"""Results as Parquet, in a folder of parts, as pyarrow, pandas, polars, DuckDB and Spark read them.

A file of Parquet can be read only when it is complete. So each batch of results becomes a part of its own, that is put
on the disk under a name which readers pass over, and then gets its own. What failed is in ``_failed.jsonl``, which
they pass over as well.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .._files import OPEN_FLAGS, sync_folder, write_all
from ..errors import SinkError
from ._sink import Sink
from ._sink_failures import Failures, read_failures
from ._sink_jsonlines import refuse_existing
from ._sink_lock import Lock
from ._sink_log import NEW
from ._sink_record import NAMES, Record
from ._sink_store import DONE
from ._sink_text import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._sink_ledger import Ledger
    from ._sink_store import Entry, Store

VERSION: Final = 1
"""Of the columns; a later version may add some without counting up."""

_MARK: Final = b"aiohttpclient.results"
"""The key in a part's metadata under which its version is."""

_PART: Final = re.compile(r"part-(\d{6,})\.parquet").fullmatch
_FAILED: Final = "_failed.jsonl"
_LOCK: Final = ".lock"
_INCOMING: Final = ".incoming"

ROWS: Final = 100
"""Rows that are read at a time: with contents of 10 MiB each that is as much as one should hold."""


class Parquet(Sink):
    """A folder with ``part-000000.parquet`` and so on: a row for each result that is done.

    What is safe are whole parts, so that batches are larger here than in other sinks, and wait for longer: see
    ``batch`` and ``interval``. It needs the package pyarrow.

    :param path: the folder; it is made
    :param resume: go on with what is there: what is done is skipped, what failed is repeated. Without it the folder
        must be empty, or not exist
    :param batch: results that are written at a time: 10,000, or 64 MiB of content
    :param interval: seconds after which they are written although they are fewer: 60
    :param repeat: tells of a result whether the next run is to repeat it; see :func:`is_failure`
    :param key: tells items apart, by the text of what it returns; None: method, URL and body do
    :raises ImportError: (on entering) there is no pyarrow
    """

    _BATCH = 10_000
    _BYTES = 64 * 1024 * 1024
    _INTERVAL = 60.0

    @staticmethod
    def _store_at(path: Path) -> Store:
        return _Parts(path)

    @staticmethod
    def read(path: str | os.PathLike[str], *, failed: bool = False) -> Iterator[Record]:
        """The records in the folder at ``path``, one by one; or those of the results that ``failed``.

        It may be read while it is written, and after a kill.

        :raises FileNotFoundError: there is none
        :raises SinkError: it is another kind of folder
        """
        folder = Path(path)
        if failed:
            return map(Record.from_values, read_failures(folder / _FAILED))
        return _rows(_parts(folder))


class _Parts:
    """The store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._failures = Failures(path / _FAILED)
        self._lock = Lock(path, path / _LOCK)
        self._next = 0
        self._schema: Any = None

    def open(self, ledger: Ledger, resume: bool) -> None:
        self._schema = _schema()
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        if not resume:
            refuse_existing(*(one for one in self.path.iterdir() if one.name != _LOCK))
        others = {one.name for one in self.path.iterdir()} - {_LOCK, _INCOMING, _FAILED, _FAILED + NEW}
        if strange := sorted(name for name in others if not _PART(name)):
            raise SinkError(f"{self.path} has {strange[0]} in it: it is another folder", str(self.path))
        for number, part in _parts(self.path):
            self._next = number + 1
            with _opened(part) as file:
                for batch in file.iter_batches(ROWS * 100, columns=["key"]):
                    for key in batch.column("key").to_pylist():
                        ledger.set(bytes.fromhex(key), DONE)
        self._failures.open(ledger)

    def write(self, entries: list[Entry]) -> None:
        rows, failed = [], []
        for entry in entries:
            record = Record.of(entry.key, entry.result)
            if entry.done:
                rows.append(_row(record))
            else:
                failed.append(line_of(record))
        self._failures.append(failed)
        if rows:
            incoming = self.path / _INCOMING
            try:
                with io.FileIO(os.open(incoming, OPEN_FLAGS | os.O_TRUNC, 0o666), "r+") as file:
                    write_all(file, _encoded(rows, self._schema))
                    os.fsync(file.fileno())
                incoming.replace(self.path / f"part-{self._next:06}.parquet")
            except BaseException:
                with contextlib.suppress(OSError):
                    incoming.unlink(missing_ok=True)
                raise
            sync_folder(self.path)
            self._next += 1

    def tidy(self, ledger: Ledger) -> None:
        self._failures.tidy(ledger)
        (self.path / _INCOMING).unlink(missing_ok=True)

    def release(self) -> None:
        self._failures.close()
        self._lock.release()


def _parts(folder: Path) -> list[tuple[int, Path]]:
    """The parts in ``folder``, by their numbers."""
    found = ((_PART(path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match is not None)


def _arrow() -> tuple[Any, Any]:
    """The package pyarrow, and its module for Parquet.

    :raises ImportError: it is not installed
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped, import-not-found, unused-ignore]  # it has no types
        import pyarrow.parquet as pq  # type: ignore[import-untyped, import-not-found, unused-ignore]  # the same
    except ImportError as error:
        raise ImportError("results as Parquet need the package pyarrow: pip install pyarrow") from error
    return pa, pq


def _schema() -> Any:
    arrow, _ = _arrow()
    text, seconds, count = arrow.string(), arrow.float64(), arrow.int32()
    timings = [(name, seconds) for name in ("pool", "dns", "connect", "tls", "send", "wait", "receive")]
    kinds = {
        "headers": arrow.list_(arrow.struct([("name", text), ("value", text)])),
        "content": arrow.large_binary(),
        "elapsed": seconds,
        "redirects": arrow.list_(arrow.struct([("status", count), ("url", text)])),
        "timings": arrow.struct([*timings, ("reused", arrow.bool_())]),
        "error": arrow.struct([("type", text), ("message", text)]),
    } | dict.fromkeys(("status", "version", "attempts"), count)
    columns = [(name, kinds.get(name, text)) for name in NAMES]
    return arrow.schema(columns, metadata={_MARK: str(VERSION).encode()})


def _encoded(rows: list[dict[str, Any]], schema: Any) -> Any:
    """``rows`` as a file."""
    arrow, parquet = _arrow()
    out = arrow.BufferOutputStream()
    parquet.write_table(arrow.Table.from_pylist(rows, schema=schema), out)
    return out.getvalue()


def _row(record: Record) -> dict[str, Any]:
    values = record.values()
    if record.headers is not None:
        values["headers"] = [{"name": name, "value": value} for name, value in record.headers]
    if record.redirects is not None:
        values["redirects"] = [{"status": status, "url": url} for status, url in record.redirects]
    return values


@contextlib.contextmanager
def _opened(part: Path) -> Iterator[Any]:
    """The part at that path, as long as it is needed.

    :raises SinkError: it is none of ours
    """
    arrow, parquet = _arrow()
    with part.open("rb") as raw:  # which is closed then, whatever pyarrow makes of it
        try:
            file = parquet.ParquetFile(raw)
            version = (file.schema_arrow.metadata or {}).get(_MARK)
        except arrow.ArrowException as error:
            raise SinkError(f"{part} cannot be read as Parquet: {error}", str(part)) from error
        if version is None:
            raise SinkError(f"{part} is not a file that this sink could have written", str(part))
        if int(version) > VERSION:
            raise SinkError(f"{part} has version {int(version)}, and this program knows {VERSION}", str(part))
        yield file


def _rows(parts: list[tuple[int, Path]]) -> Iterator[Record]:
    for _, part in parts:
        with _opened(part) as file:
            for batch in file.iter_batches(ROWS):
                for values in batch.to_pylist():
                    for name in ("headers", "redirects"):
                        if values.get(name) is not None:
                            values[name] = [tuple(pair.values()) for pair in values[name]]
                    yield Record.from_values(values)
