"""The command line in this process: its arguments, what it wrote, and its exit code."""

from __future__ import annotations

import asyncio
import contextlib
import io
import sys
from typing import TYPE_CHECKING, NamedTuple

from aiohttpclient import bulk
from aiohttpclient.cli import main

if TYPE_CHECKING:
    from pathlib import Path


KINDS: dict[str, type[bulk.JSONLines | bulk.SQLite | bulk.Directory]] = {
    "o.jsonl": bulk.JSONLines,
    "o.sqlite": bulk.SQLite,
    "o/": bulk.Directory,
}
"""What -o may say, and what then is there."""


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.rglob("*"))


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: bytes
    err: str


class Terminal(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


async def ran(*argv: str, stdin: bytes = b"", terminal: bool = False) -> Ran:
    """Run ``main(argv)`` in a thread, since it has a loop of its own, beside the server in the loop of the test."""
    kind = Terminal if terminal else io.TextIOWrapper
    out, err = kind(io.BytesIO(), encoding="utf-8"), io.StringIO()
    before, sys.stdin = sys.stdin, io.TextIOWrapper(io.BytesIO(stdin))
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = await asyncio.to_thread(main, argv)
    finally:
        sys.stdin = before
    out.flush()
    return Ran(code, out.buffer.getvalue(), err.getvalue())  # type: ignore[attr-defined]  # a BytesIO
