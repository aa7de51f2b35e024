"""Runs that are killed while they write results, and resumed; a script, because it forks.

``python -m tests.scenarios.killed KIND FOLDER SEEDS``: for each seed, a run in a process of its own fetches pages and
writes them to a sink of that kind, until it is killed: from outside, after so many lines of what it tells, or at one
of the steps by which files become safe, a write torn in the middle among them. That is done again two times, each
resuming what the one before has left, and the last run is left to end. What must hold is asserted after each.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import signal
import sys
import traceback
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttpclient import AsyncHTTPClient
from aiohttpclient.bulk import _sink_directory, _sink_log, _sink_parquet, fetch
from aiohttpclient.testing import MemoryDialer
from tests.bulk.sinking import KINDS, NAMES

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable, Iterator

    from tests.bulk.sinking import Kind

PAGES = 60
WORKERS = 6
KILLS = 3

WRITES = ("write",)
STEPS = ("fsync", "replace", "mkdir", "unlink", "rmdir")

URLS = [f"http://example.org/page/{number}" for number in range(PAGES)]


def content_of(url: str) -> bytes:
    """What a page has: text of some length, or bytes that are none."""
    rng = random.Random(url)
    return rng.randbytes(rng.randrange(300)) if rng.random() < 0.3 else f"{url} für alle\u2028\n".encode() * 20


# -- the run that is killed


async def fetch_all(kind: Kind, path: Path, tell: Callable[[str], None], breaks: bool) -> None:
    async def page(reader: StreamReader, writer: StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            url = "http://example.org" + head.split()[1].decode()
            tell(f"asked {url}")
            fails = breaks and int(url.rpartition("/")[2]) % 3 == 0
            body = b"later" if fails else content_of(url)
            status = "503 Service Unavailable" if fails else "200 OK"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    async with MemoryDialer(page) as dialer, AsyncHTTPClient(transport=dialer, retries=None) as client:
        async with kind(path, resume=True, batch=4, interval=0.001) as sink:
            async for result in fetch(sink.pending(URLS), client=client, concurrency=WORKERS):
                tell(f"{'wrote' if result.ok else 'failed'} {result.item}")  # taken before anything else can happen
                await sink.write(result)
                tell(f"reported {sink.reported}")
    tell("closed")


class Steps:
    """Dies at the ``last`` step towards a safe file; ``counted`` are those that count."""

    def __init__(self, counted: tuple[str, ...], last: int) -> None:
        self.left = last
        for name in counted:
            if name == "write":
                for module in (_sink_directory, _sink_log, _sink_parquet):
                    self.tear(module)
            else:
                self.before(name)

    def is_last(self) -> bool:
        self.left -= 1
        return self.left < 0

    def before(self, name: str) -> None:
        call = getattr(os, name)

        def wrapped(*arguments: Any, **options: Any) -> Any:
            if self.is_last():
                os.kill(os.getpid(), signal.SIGKILL)
            return call(*arguments, **options)

        setattr(os, name, wrapped)

    def tear(self, module: Any) -> None:
        write_all = module.write_all

        def wrapped(file: Any, data: Any) -> None:
            if self.is_last():
                write_all(file, bytes(data)[: len(data) // 2])
                os.kill(os.getpid(), signal.SIGKILL)
            write_all(file, data)

        module.write_all = wrapped


def run(kind: Kind, path: Path, way: tuple[tuple[str, ...], int], breaks: bool, told: int) -> None:
    Steps(*way)
    asyncio.run(fetch_all(kind, path, lambda line: void(os.write(told, f"{line}\n".encode())), breaks))


def void(_: object) -> None:
    """Nothing."""


# -- the one that kills it


def forked(work: Callable[[int], None]) -> tuple[int, Iterator[str]]:
    """The process that does ``work``, given where it may tell something; and what it tells."""
    told, tells = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # so that it cannot be far ahead of what is read
        fcntl.fcntl(tells, fcntl.F_SETPIPE_SZ, 4096)
    child = os.fork()
    if not child:
        code = 1
        try:
            os.close(told)
            work(tells)
            code = 0
        except BaseException:  # noqa: BLE001  # it ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(tells)
    return child, lines_of(told)


def lines_of(told: int) -> Iterator[str]:
    """What comes out of a pipe, which is closed at its end."""
    with os.fdopen(told, encoding="utf-8") as file:
        yield from file


def killed(kind: Kind, path: Path, rng: random.Random, breaks: bool) -> list[str]:
    """What a run told before it was killed, or ended."""
    counted = rng.choice([(), WRITES, STEPS])
    last = rng.randrange(rng.choice([4, 20, 120 if kind.__name__ == "Directory" else 30]))
    from_outside = not counted or kind.__name__ == "SQLite"  # which makes its steps where nobody looks
    child, lines = forked(lambda told: run(kind, path, (counted, last), breaks, told))
    told, moment = [], rng.randrange(1, 2 * PAGES)
    for line in lines:
        told.append(line.rstrip("\n"))
        if from_outside and len(told) == moment:
            os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return told


def found(kind: Kind, path: Path, failed: bool = False) -> list[str]:
    """URLs that a reader finds, in a process of its own: pyarrow and forks do not go well together."""

    def look(told: int) -> None:
        for record in kind.read(path, failed=failed):
            right = record.content == (b"later" if failed else content_of(record.url))
            os.write(told, f"{record.url} {'right' if right else 'wrong'}\n".encode())

    child, lines = forked(look)
    told = [line.split() for line in lines]
    os.waitpid(child, 0)
    assert all(how == "right" for _, how in told), told
    return [url for url, _ in told]


def safe_in(told: list[str]) -> set[str]:
    """What a run said was safe, and is done."""
    written = [line.split() for line in told if line.startswith(("wrote", "failed"))]
    reported = max((int(line.split()[1]) for line in told if line.startswith("reported")), default=0)
    count = len(written) if told[-1:] == ["closed"] else reported
    return {url for how, url in written[:count] if how == "wrote"}


def check(kind: Kind, folder: Path, seed: int) -> Counter[str]:
    """Kill, resume, and look; how often what happened."""
    rng, path, seen, safe = random.Random(seed), folder / NAMES[kind], Counter[str](), set[str]()
    for _ in range(KILLS):
        told = killed(kind, path, rng, breaks=True)
        asked = {line.split()[1] for line in told if line.startswith("asked")}
        assert not asked & safe, "what was safe was fetched again"
        safe |= safe_in(told)
        seen["closed" if told[-1:] == ["closed"] else "killed"] += 1
        if safe:
            there = found(kind, path)
            assert len(there) == len(set(there)), "twice"
            assert safe <= set(there), "lost"
    child, lines = forked(lambda told: run(kind, path, ((), 0), False, told))
    told = [line.rstrip("\n") for line in lines]
    assert os.waitpid(child, 0)[1] == 0
    assert told[-1] == "closed"
    assert not {line.split()[1] for line in told if line.startswith("asked")} & safe
    assert sorted(found(kind, path)) == sorted(URLS)
    assert not found(kind, path, failed=True)
    assert {one.name for one in folder.iterdir()} == {path.name}, "something is left"
    check_folder(kind, path)
    return seen


def check_folder(kind: Kind, path: Path) -> None:
    """There are as many files as results, where each has its own."""
    if kind.__name__ == "Directory":
        files = [one for one in path.rglob("*") if one.is_file()]
        assert len(files) == PAGES + 1, files


def main(name: str, folder: str, seeds: str) -> None:
    (kind,) = [kind for kind in KINDS if kind.__name__ == name]
    if kind.__name__ == "Parquet":
        _sink_parquet._arrow()  # once, and not in each process
    total = Counter[str]()
    for seed in range(int(seeds)):
        place = Path(folder) / str(seed)
        place.mkdir()
        try:
            total += check(kind, place, seed)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
    print(total["killed"])  # noqa: T201  # what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
