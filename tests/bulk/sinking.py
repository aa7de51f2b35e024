"""What the tests of sinks have in common: results that were never fetched, and every kind of sink."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from aiohttpclient import Request, Response
from aiohttpclient.bulk import Directory, JSONLines, Parquet, Result, SQLite
from aiohttpclient.client._made import MadeResponse

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aiohttpclient.bulk import Record

SITE = "http://example.org"

Kind = type[Directory] | type[JSONLines] | type[Parquet] | type[SQLite]

KINDS: list[Kind] = [JSONLines, SQLite, Directory, *([Parquet] if find_spec("pyarrow") else [])]

NAMES = {JSONLines: "out.jsonl", SQLite: "out.sqlite", Directory: "out", Parquet: "out"}


def kind_name(kind: type) -> str:
    return kind.__name__


def urls(count: int) -> list[str]:
    return [f"{SITE}/{number}" for number in range(count)]


def answered(
    item: Any,
    content: bytes = b"content",
    status: int = 200,
    headers: dict[str, str] | list[tuple[str, str]] | None = None,
    index: int = 0,
) -> Result:
    """An answer to ``item``."""
    request = item if isinstance(item, Request) else Request("GET", str(item[0] if isinstance(item, tuple) else item))
    given = {"Content-Type": "text/plain"} if headers is None else headers
    pairs = list(given.items()) if isinstance(given, dict) else given
    head = MadeResponse(status, pairs, content).head
    return Result(item, index, request, Response(request, head, content), None, 0.25)


def failed(item: Any, error: Exception | None = None) -> Result:
    """An item for which there was no answer."""
    return Result(item, 0, Request("GET", str(item)), None, error or ConnectionRefusedError("nobody is there"), 0.5)


async def keep(kind: Kind, path: Path, results: Iterable[Result], **options: Any) -> None:
    """One run that writes ``results``."""
    async with kind(path, **options) as sink:
        for result in results:
            await sink.write(result)


def read(kind: Kind, path: Path, failed: bool = False) -> list[Record]:
    return list(kind.read(path, failed=failed))


def listed(kind: Kind, path: Path, failed: bool = False) -> list[str]:
    """The URLs that are there."""
    return [record.url for record in read(kind, path, failed)]


def put(path: Path, content: bytes) -> None:
    """Make the file at ``path``, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def got(path: Path) -> bytes:
    return path.read_bytes()


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}
