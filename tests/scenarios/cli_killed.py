"""Commands that are killed while they fetch, or interrupted, and given again; a script, because it forks.

``python -m tests.scenarios.cli_killed FOLDER SEEDS``: for each kind of command and each seed a command is killed three
times, each at a request chosen at random, and then left to end; and then Ctrl-C is pressed. What must hold is asserted
after each.

The server and this process go in step: no request is answered before it was told here.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import select
import signal
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import certifi

from aiohttpclient.bulk import Crawl, JSONLines, SQLite  # noqa: F401  # imported once, and not in each process
from aiohttpclient.cli import main as command

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter
    from collections.abc import Callable

PAGES = 30
KILLS = 3
KINDS = ("fetch o.jsonl", "fetch o.sqlite", "crawl o.jsonl")


def content_of(path: str) -> bytes:
    """A page: those with a number from 1 on lead to two others, as in a heap."""
    number = int(path.rpartition("/")[2])
    links = [f'<a href="{one}">{path}</a>' for one in (2 * number, 2 * number + 1) if one <= PAGES]
    return f"<title>{path}</title>{' '.join(links)}".encode()


# -- processes


def forked(work: Callable[[], int]) -> int:
    """The process that does ``work``, which ends with its exit code."""
    child = os.fork()
    if not child:
        code = 99
        try:
            code = work()
        except BaseException:  # noqa: BLE001  # it ends here
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


class Server:
    """A process that answers, once it is told to; a seventh of its pages fail when they are first asked for."""

    def __init__(self) -> None:
        self.told, self._tells = os.pipe()
        self._allowed, self._allows = os.pipe()
        self.process = forked(self._run)
        os.close(self._tells)
        os.close(self._allowed)
        self.run = 0
        self.url = f"http://127.0.0.1:{self.next()}"

    def next(self) -> str:
        """What was asked for next, with the number of the run before it; it is answered when that is allowed."""
        line = b""
        while not line.endswith(b"\n"):
            byte = os.read(self.told, 1)
            assert byte, "the server is gone"
            line += byte
        return line.decode().strip()

    def allow(self) -> None:
        """Let what was told last be answered."""
        os.write(self._allows, b".")

    def _run(self) -> int:
        os.close(self.told)
        os.close(self._allows)
        asyncio.run(self._serve())
        return 0

    async def _serve(self) -> None:
        seen: set[str] = set()

        async def answer(reader: StreamReader, writer: StreamWriter) -> None:
            while head := await reader.readuntil(b"\r\n\r\n"):
                path, run = head.split()[1].decode(), head.partition(b"X-Run: ")[2].split()[0].decode()
                os.write(self._tells, f"{run}{path}\n".encode())
                os.read(self._allowed, 1)
                fails = int(path.rpartition("/")[2]) % 7 == 6 and path not in seen
                seen.add(path)
                status, body = ("500 Later", b"later") if fails else ("200 OK", content_of(path))
                fields = f"Content-Type: text/html\r\nContent-Length: {len(body)}"
                writer.write(f"HTTP/1.1 {status}\r\n{fields}\r\n\r\n".encode() + body)

        async def quietly(reader: StreamReader, writer: StreamWriter) -> None:
            try:
                await answer(reader, writer)
            except (EOFError, ConnectionError):  # who asked was killed
                writer.close()

        server = await asyncio.start_server(quietly, "127.0.0.1", 0)
        os.write(self._tells, f"{server.sockets[0].getsockname()[1]}\n".encode())
        await server.serve_forever()


class Run(NamedTuple):
    """One command: what it asked for, its exit code (below zero: the signal that ended it), and what it told."""

    asked: list[str]
    code: int
    told: str


def ran(server: Server, words: list[str], log: Path, moment: int | None, signals: tuple[int, ...]) -> Run:
    """Run a command; at the request with the number ``moment`` it gets ``signals``."""
    alive, ends = os.pipe()
    server.run += 1
    mark = str(server.run)

    def work() -> int:
        os.close(alive)
        with log.open("w", encoding="utf-8") as file, contextlib.redirect_stderr(file):
            return command([*words, "--retries", "0", "-H", f"X-Run: {mark}"])

    child = forked(work)
    os.close(ends)
    asked: list[str] = []
    while server.told in select.select([server.told, alive], [], [])[0]:
        run, _, path = server.next().partition("/")
        if run == mark:  # else it is of one that was killed, and has never got an answer
            if len(asked) == moment:
                for one in signals:
                    os.kill(child, one)
                select.select([alive], [], [])
            asked.append(f"{server.url}/{path}")
        server.allow()
    os.close(alive)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Run(asked, code, log.read_text(encoding="utf-8"))


# -- what must hold


class Place:
    """Where a command keeps its results, and the command."""

    def __init__(self, server: Server, kind: str, folder: Path) -> None:
        folder.mkdir()
        name, output = kind.split()
        self.urls = [f"{server.url}/{folder.name}/{number}" for number in range(1, PAGES + 1)]
        (folder / "urls.txt").write_text("\n".join(self.urls), encoding="utf-8")
        source = [str(folder / "urls.txt")] if name == "fetch" else [self.urls[0], "--no-robots"]
        self.words = [name, *source, "-o", str(folder / output), "--resume"]
        self.path = folder / output
        self.log = folder / "log"
        self.server = server

    def run(self, moment: int | None = None, signals: tuple[int, ...] = (), *words: str) -> Run:
        """One time of it; nothing that was done before is lost."""
        before = set(self.done())
        run = ran(self.server, [*self.words, *words], self.log, moment, signals)
        assert "Traceback" not in run.told, run.told
        if self.words[0] == "fetch":  # a crawl has to read a page again whose links were not noted yet
            assert not set(run.asked) & before, "what was done was asked for again"
        assert before <= set(self.done()), "lost"
        return run

    def done(self) -> list[str]:
        """The URLs that are there, each with what its page has."""
        if not self.path.exists():
            return []
        kind = SQLite if self.path.suffix == ".sqlite" else JSONLines
        try:
            records = list(kind.read(self.path))
        except Exception as error:  # noqa: BLE001  # it was killed when it had just been made
            assert not self.path.stat().st_size, error  # noqa: PT017  # that is how it is told
            return []
        assert all(one.content == content_of(one.url.removeprefix(self.server.url)) for one in records)
        urls = [one.url for one in records]
        assert len(urls) == len(set(urls)), "twice"
        return urls

    def end(self) -> None:
        """Go on until nothing fails any more: then everything is there."""
        codes = [self.run().code]
        while codes[-1] == 1 and len(codes) < 5:
            codes.append(self.run().code)
        assert codes[-1] == 0, (codes, self.log.read_text(encoding="utf-8"))
        assert sorted(self.done()) == sorted(self.urls)


def kill(server: Server, kind: str, folder: Path, seed: int) -> int:
    """How often a run was killed that had begun to ask."""
    rng, place, killed = random.Random(seed), Place(server, kind, folder), 0
    for _ in range(KILLS):
        run = place.run(rng.randrange(max(1, PAGES - len(place.done()))), (signal.SIGKILL,))
        killed += run.code == -signal.SIGKILL
    place.end()
    return killed


def interrupt(server: Server, kind: str, folder: Path, signals: tuple[int, ...]) -> None:
    """Press Ctrl-C when five answers have come, as the sixth request shows."""
    place = Place(server, kind, folder)
    run = place.run(5, signals, "-c", "1")
    assert run.code in {130, -signal.SIGINT}, run
    if len(signals) == 1:
        assert run.code == 130
        assert len(place.done()) == 5, place.done()
        lines = run.told.splitlines()
        assert lines[0].startswith("interrupted: 5 done in "), run.told
        hint = f"interrupted; what is done is kept in {place.path}, and the same command goes on from there"
        assert lines[-1] == hint, run.told
    place.end()


def main(name: str, seeds: str) -> None:
    pem, end = Path(certifi.where()).read_text(encoding="ascii"), "-----END CERTIFICATE-----\n"
    folder = Path(name)
    (folder / "one.pem").write_text(pem[: pem.index(end)] + end)  # to read all takes longer than a run
    os.environ["SSL_CERT_FILE"] = str(folder / "one.pem")
    signal.signal(signal.SIGINT, signal.default_int_handler)  # it may be ignored, as it is in the background of a shell
    for sink in (JSONLines, SQLite):
        sink._BATCH, sink._INTERVAL = 4, 0.001
    server, killed = Server(), 0
    try:
        for kind in KINDS:
            for seed in range(int(seeds)):
                killed += kill(server, kind, folder / f"{kind.replace(' ', '-')}-{seed}", seed)
            interrupt(server, kind, folder / kind.replace(" ", "-"), (signal.SIGINT,) * (1 + kind.endswith("sqlite")))
    finally:
        os.kill(server.process, signal.SIGKILL)
        os.waitpid(server.process, 0)
    print(killed)  # noqa: T201  # what the test reads


if __name__ == "__main__":
    main(*sys.argv[1:])
