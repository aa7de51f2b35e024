"""The client: connections side by side, each used for one file after another."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from aiohttpclient import AsyncHTTPConnection


@dataclass
class Tally:
    """What was fetched over one scheme, and what went wrong."""

    requests: int = 0
    bytes: int = 0
    seconds: float = 0.0
    errors: list[str] = field(default_factory=list)


async def fetch_files(
    connect: Callable[[], AsyncHTTPConnection], root: Path, files: Iterable[Path], connections: int
) -> Tally:
    """Fetches ``files`` (paths below ``root``) and compares each with the one on disk.

    ``connect`` makes a connection; ``connections`` of them work side by side.
    """
    tally = Tally()
    waiting = iter(files)  # shared: each worker takes the next file that nobody has taken
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_worker(connect(), root, waiting, tally))
    tally.seconds = time.perf_counter() - began
    return tally


async def _worker(conn: AsyncHTTPConnection, root: Path, files: Iterator[Path], tally: Tally) -> None:
    async with conn:
        for file in files:
            tally.requests += 1
            try:
                await _fetch(conn, root, file, tally)
            except (OSError, HTTPException) as error:
                tally.errors.append(f"{file}: {error!r}")
                await conn.close()  # the next request connects again


async def _fetch(conn: AsyncHTTPConnection, root: Path, file: Path, tally: Tally) -> None:
    await conn.request("GET", "/" + quote(file.as_posix()))
    response = await conn.getresponse()
    body = await response.read()
    tally.bytes += len(body)
    if response.status != 200:
        tally.errors.append(f"{file}: {response.status} {response.reason}")
    elif body != await asyncio.to_thread((root / file).read_bytes):
        tally.errors.append(f"{file}: the body differs from the file")
