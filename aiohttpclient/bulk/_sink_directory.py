"""Results as files: one for each URL, and an index of all.

Theory of operation. A file must be there exactly if the index names it, whenever the process is killed. So contents are
first written to ``.incoming``, under names that are the keys, and put on the disk; then the index grows by their
records, and only then they get their final names. What is found in ``.incoming`` when a sink is opened is either in the
index, and gets its name now, or it is not, and goes.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from .._files import OPEN_FLAGS, sync_folder, write_all
from ..errors import SinkError
from ._sink import Sink
from ._sink_failures import Failures, read_failures
from ._sink_jsonlines import failures_of, refuse_existing
from ._sink_lock import Lock
from ._sink_log import Log, read_log
from ._sink_names import file_name
from ._sink_record import Record
from ._sink_store import DONE
from ._sink_text import line_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._sink_ledger import Ledger
    from ._sink_store import Entry, Store

INDEX: Final = "index.jsonl"
INCOMING: Final = ".incoming"


class Directory(Sink):
    """One file for each result that is done, in folders by host, and ``index.jsonl``, a line for each without content.

    In the index ``file`` is the name of the file, relative to the folder; results that failed are, with what came, in
    ``index.failed.jsonl``.

    :param path: the folder; it is made
    :param resume: go on with what is there: what is done is skipped, what failed is repeated. Without it the folder
        must be empty, or not exist
    :param batch: results that are written at a time
    :param interval: seconds after which they are written although they are fewer
    :param repeat: tells of a result whether the next run is to repeat it; see :func:`is_failure`
    :param key: tells items apart, by the text of what it returns; None: method, URL and body do
    """

    _BATCH = 200
    """Each file costs an ``fsync``; 200 of them are a second or less on most disks."""

    @staticmethod
    def _store_at(path: Path) -> Store:
        return _Files(path)

    @staticmethod
    def read(path: str | os.PathLike[str], *, failed: bool = False) -> Iterator[Record]:
        """The records in the folder at ``path``, one by one, with their contents; or those of the ``failed``.

        :raises FileNotFoundError: there is none
        :raises SinkError: it is another kind of folder, or somebody took a file away
        """
        folder = Path(path)
        if failed:
            return map(Record.from_values, read_failures(failures_of(folder / INDEX)))
        return (_with_content(folder, values) for values in read_log(folder / INDEX))


class _Files:
    """The store."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._incoming = path / INCOMING
        self._log = Log(path / INDEX)
        self._failures = Failures(failures_of(path / INDEX))
        self._lock = Lock(path, path / ".lock")
        self._folders: set[str] = set()

    def open(self, ledger: Ledger, resume: bool) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        if not resume:
            refuse_existing(*(one for one in self.path.iterdir() if one.name != ".lock"))
        elif not self._log.path.exists() and any(not one.name.startswith(".") for one in self.path.iterdir()):
            raise SinkError(f"{self.path} has files in it, and no {INDEX}: it is another folder", str(self.path))
        self._incoming.mkdir(exist_ok=True)
        waiting = set(os.listdir(self._incoming))  # noqa: PTH208  # names only, as they stand in the index

        def see(values: dict[str, Any]) -> None:
            ledger.set(bytes.fromhex(values["key"]), DONE)
            if values["key"] in waiting:
                waiting.remove(values["key"])
                self._move(values["key"], _checked(self.path, values))

        self._log.open(see)
        for name in waiting:
            (self._incoming / name).unlink()
        self._failures.open(ledger)

    def write(self, entries: list[Entry]) -> None:
        done, failed, names = [], [], {}
        for entry in entries:
            record = Record.of(entry.key, entry.result)
            if not entry.done:
                failed.append(line_of(record))
                continue
            if record.content is None:  # robots.txt forbids it, or the response was let go
                done.append(line_of(record))
                continue
            content, record.content = record.content or b"", None
            names[record.key] = name = file_name(record.url, record.key, record.fields.get("Content-Type"))
            self._put(record.key, content)
            done.append(line_of(record, encoding=record.encoding, file=name, size=len(content)))
        sync_folder(self._incoming)
        self._failures.append(failed)
        self._log.append(done)
        for key, name in names.items():
            self._move(key, name)
        for folder in {name.partition("/")[0] for name in names.values()}:
            sync_folder(self.path / folder)

    def _put(self, key: str, content: bytes) -> None:
        """Write ``content`` where it waits for its name. What fails after some stays there: ``open`` cleans it away."""
        with io.FileIO(os.open(self._incoming / key, OPEN_FLAGS | os.O_TRUNC, 0o666), "r+") as file:
            write_all(file, content)
            os.fsync(file.fileno())

    def _move(self, key: str, name: str) -> None:
        folder = name.partition("/")[0]
        if folder not in self._folders:
            (self.path / folder).mkdir(exist_ok=True)
            sync_folder(self.path)
            self._folders.add(folder)
        (self._incoming / key).replace(self.path / name)

    def tidy(self, ledger: Ledger) -> None:
        self._failures.tidy(ledger)
        with contextlib.suppress(OSError):  # somebody has put something there
            self._incoming.rmdir()

    def release(self) -> None:
        self._log.close()
        self._failures.close()
        self._lock.release()


def _checked(folder: Path, values: dict[str, Any]) -> str:
    """The name of a file that the index names, which is in ``folder``."""
    name = values.get("file")
    parts = name.split("/") if isinstance(name, str) else []
    if len(parts) != 2 or not all(part.strip(".") and "\\" not in part and "\0" not in part for part in parts):
        raise SinkError(f"{folder / INDEX} names a file {name!r}, as no sink does", str(folder))
    return "/".join(parts)


def _with_content(folder: Path, values: dict[str, Any]) -> Record:
    record = Record.from_values(values)
    if record.version is None and "file" not in values:  # there was nothing that a file could have in it
        return record
    name = _checked(folder, values)
    for path in (folder / name, folder / INCOMING / record.key, folder / name):  # it may get its name meanwhile
        with contextlib.suppress(FileNotFoundError):
            record.content = path.read_bytes()
            return record
    raise SinkError(f"{folder / name} is gone, or was renamed", str(folder))
