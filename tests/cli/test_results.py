"""Where results go."""

from __future__ import annotations

import asyncio
import threading
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import InvalidURL, Request, bulk
from aiohttpclient.cli import _results
from aiohttpclient.cli._exits import LocalError, ReaderGone, UsageError
from aiohttpclient.cli._output import Output
from aiohttpclient.cli._results import FULL, Printed, format_of, line_of, sink_of
from tests.bulk.sinking import answered, failed

if TYPE_CHECKING:
    from aiohttpclient.bulk import Result


def asked(output: str | None, form: str | None = None, resume: bool = False) -> Namespace:
    return Namespace(output=output, format=form, resume=resume)


@pytest.mark.parametrize(
    ("output", "form", "kind"),
    [
        (None, None, None),
        ("-", None, None),
        ("out.jsonl", None, "jsonl"),
        ("out.NDJSON", None, "jsonl"),
        ("out.sqlite", None, "sqlite"),
        ("a/out.db", None, "sqlite"),
        ("out/", None, "directory"),
        ("out.db/", None, "directory"),
        ("out.parquet", None, "parquet"),
        ("out.parquet/", None, "parquet"),
        ("out", "sqlite", "sqlite"),
        ("out.jsonl", "directory", "directory"),
        ("out/", "parquet", "parquet"),
    ],
)
def test_what_is_asked_for(output: str | None, form: str | None, kind: str | None) -> None:
    """The end of the name says what it is, unless that is said."""
    assert format_of(asked(output, form)) == kind


@pytest.mark.parametrize(
    "args",
    [asked("out"), asked("out.txt"), asked(None, resume=True), asked("-", "jsonl"), asked("")],
    ids=["no end", "another end", "nothing to resume", "stdout", "nothing"],
)
def test_what_cannot_be_meant(args: Namespace) -> None:
    """What says not what is wanted is told how to say it."""
    with pytest.raises(UsageError, match=r"^--?[a-z]"):
        format_of(args)


@pytest.mark.parametrize(
    ("output", "kind"),
    [("o.jsonl", bulk.JSONLines), ("o.db", bulk.SQLite), ("o/", bulk.Directory), ("o.parquet", bulk.Parquet)],
    ids=["jsonl", "sqlite", "directory", "parquet"],
)
def test_sinks(output: str, kind: type, tmp_path: Path) -> None:
    """Each kind is that of the library, at the path that was said."""
    sink = sink_of(asked(f"{tmp_path}/{output}"))
    assert sink is not None
    assert type(sink) is kind
    assert sink.path == tmp_path / Path(output)


@pytest.mark.parametrize(
    "output", ["no/such/o.jsonl", "nul\0/o.jsonl", "nul\0.jsonl"], ids=["no folder", "nul", "nul file"]
)
def test_no_place(output: str, tmp_path: Path) -> None:
    """A folder that is not there is told before anything is asked for."""
    with pytest.raises(UsageError, match="-o: "):
        sink_of(asked(f"{tmp_path}/{output}"))


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (answered("http://h/a", b"four", 201), "201\t4\t0.250\thttp://h/a\n"),
        (
            failed("http://h/a", ConnectionRefusedError(111, "nobody\nis there")),
            "ConnectionRefusedError\t-\t0.500\thttp://h/a\tnobody is there\n",
        ),
        (
            bulk.Result(("ftp://me:secret@h/\tx\x1b", {}), 0, None, None, InvalidURL("no"), 0.0),
            "InvalidURL\t-\t0.000\tftp://h/\\tx\\x1b\tno\n",
        ),
    ],
    ids=["answer", "error", "no request"],
)
def test_a_line(result: Result, line: str) -> None:
    """A result is status, size, seconds and URL; of an error its class and text; in one line, without secrets."""
    assert line_of(result).decode() == line


class Slow:
    """A file whose reader reads when it is told to."""

    def __init__(self) -> None:
        self.reads = threading.Event()
        self.written = b""

    def write(self, view: memoryview) -> int:
        self.reads.wait(10)
        self.written += view
        return len(view)


async def test_lines_in_their_order() -> None:
    """Everything is written, in the order in which it came, and whoever writes far ahead waits."""
    file = Slow()
    async with Printed(Output(file, "stdout"), line_of) as printed:
        long = answered("http://h/" + "x" * FULL)
        await printed.write(answered("http://h/0"))
        waiting = asyncio.ensure_future(printed.write(long))
        await asyncio.sleep(0)
        assert not waiting.done()
        file.reads.set()
        await waiting
        await printed.write(answered("http://h/2"))
    assert [line.split(b"\t")[3][:12] for line in file.written.splitlines()] == [
        b"http://h/0", b"http://h/xxx", b"http://h/2"
    ]  # fmt: skip


async def test_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted, it waits for a reader for a moment only, and does not wait for room."""
    monkeypatch.setattr(_results, "LAST", 0.01)
    file = Slow()
    printed = Printed(Output(file, "stdout"), line_of)
    long = answered("http://h/" + "x" * FULL)
    with pytest.raises(asyncio.CancelledError):
        async with printed:
            printed.hurry()
            await printed.write(long)
            await printed.write(long)
            raise asyncio.CancelledError
    file.reads.set()


@pytest.mark.parametrize("error", [ReaderGone(), LocalError("full")], ids=["gone", "full"])
async def test_it_cannot_be_written(error: Exception) -> None:
    """What goes wrong with writing is raised to who writes, or at the end."""

    class Broken(Output):
        async def write(self, block: bytes) -> None:
            raise error

    results: Any = [answered(f"http://h/{number}") for number in range(3)]
    with pytest.raises(type(error)):
        async with Printed(Broken(None, "stdout"), line_of) as printed:
            await printed.write(results[0])
    with pytest.raises(type(error)):
        async with Printed(Broken(None, "stdout"), line_of) as printed:
            await printed.write(results[0])
            while True:
                await asyncio.sleep(0)
                await printed.write(results[1])


def test_json_is_what_a_sink_writes(tmp_path: Path) -> None:
    """A line of JSON on stdout can be read as those of a sink can."""
    result = bulk.Result("http://h/", 0, Request("GET", "http://h/"), None, OSError("no"), 0.0)
    (tmp_path / "o.jsonl").write_bytes(bulk.JSONLines.line(answered("http://h/a", b"x")) + bulk.JSONLines.line(result))
    assert [record.url for record in bulk.JSONLines.read(tmp_path / "o.jsonl")] == ["http://h/a", "http://h/"]
