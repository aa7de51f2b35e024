"""``bulk/_sink_log.py``: a file that grows by lines, and what a kill makes of it."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient import SinkError
from aiohttpclient.bulk import Record, _sink_log
from aiohttpclient.bulk._sink_log import Log, read_log
from aiohttpclient.bulk._sink_text import line_of

if TYPE_CHECKING:
    from pathlib import Path


def line(number: int, url: str = "http://h/") -> bytes:
    return line_of(Record(f"{number:032x}", url, content=b"text\xff" if number % 2 else b"text"))


LINES = [line(number) for number in range(4)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def opened(log: Log) -> list[int]:
    """The numbers of the lines that ``log`` finds."""
    seen: list[dict[str, Any]] = []
    log.open(seen.append)
    return [int(values["key"], 16) for values in seen]


def reopened(path: Path) -> list[int]:
    log = Log(path)
    found = opened(log)
    log.close()
    return found


def test_grows(path: Path) -> None:
    """What was appended is found, by a reader at once, and by whoever opens the file again and goes on."""
    log = Log(path)
    assert opened(log) == []
    assert path.read_bytes() == b""
    log.append(LINES[:2])
    log.append([])
    assert [values["key"] for values in read_log(path)] == [f"{n:032x}" for n in range(2)]
    log.close()
    assert opened(log) == [0, 1]
    log.append(LINES[2:])
    log.close()
    assert path.read_bytes() == b"".join(LINES)
    log.close()


def test_nothing_but_zeros(path: Path) -> None:
    """A file that had not even one safe line may be all zero bytes."""
    path.write_bytes(bytes(4096))
    assert reopened(path) == []


def test_optional(path: Path) -> None:
    """A file that may be missing is made by the first line."""
    log = Log(path, optional=True)
    assert opened(log) == []
    assert not path.exists()
    log.append(LINES[:1])
    log.close()
    assert reopened(path) == [0]


def test_torn_anywhere(path: Path) -> None:
    """Cut at any byte of its last two lines, a file has all lines before, and goes on as if nothing had been."""
    whole, safe = b"".join(LINES), sum(map(len, LINES[:2]))
    for end in range(safe, len(whole) + 1):
        path.write_bytes(whole[:end])
        expected = [number for number in range(4) if end >= sum(map(len, LINES[: number + 1])) - 1]  # but the line feed
        assert [int(values["key"], 16) for values in read_log(path)] == expected
        log = Log(path)
        assert opened(log) == expected
        log.append(LINES[len(expected) :])
        log.close()
        assert path.read_bytes() == whole


@pytest.mark.parametrize("first", [0, 1, 2])
def test_holes(path: Path, first: int) -> None:
    """Zero bytes, which a loss of power may leave for what was not safe, end the file, whatever comes behind."""
    whole = b"".join(LINES)
    start = sum(map(len, LINES[:first]))
    for length in (1, 50, len(LINES[first]) + 1):
        for at in (start, start + 6, start + 40)[not first :]:  # what does not begin like a record may be anybody's
            path.write_bytes(whole[:at] + bytes(length) + whole[at + length :])
            assert reopened(path) == list(range(first))
            assert path.read_bytes() == whole[:start]


@pytest.mark.parametrize(
    "content",
    [
        b"some notes",
        b"some notes\n",
        b'{"url": "http://h/"}\n',
        b"SQLite format 3\0...",
        b"\x1f\x8b\0\0",
        b"\0\0\0\x20ftypisom\n",
        LINES[0] + b"\n" + LINES[1],
        LINES[0] + b"spoilt\n",
        LINES[0] + b"spoilt",
        LINES[0] + LINES[1][:50] + b"\n",
        LINES[0].replace(b'{"v":1', b'{"v":2'),
        LINES[0].replace(b'{"v":1', b'{"v":2').rstrip(b"\n"),
    ],
    ids=range(12),
)
def test_files_of_others(path: Path, content: bytes) -> None:
    """A file of somebody else, of a later version, or changed by hand, is refused, and stays as it is."""
    path.write_bytes(content)
    with pytest.raises(SinkError, match=r"log\.jsonl is not a file .* line [12] is"):
        reopened(path)
    assert path.read_bytes() == content
    with pytest.raises(SinkError):
        list(read_log(path))


@pytest.mark.parametrize("written", [0, 1, 100])
def test_disk_full(path: Path, monkeypatch: pytest.MonkeyPatch, written: int) -> None:
    """Where the disk is full in the middle of a line, the file ends behind the last safe one, and can go on later."""
    log = Log(path)
    log.open(lambda _: None)
    log.append(LINES[:2])

    def full(file: Any, data: Any) -> None:
        file.write(bytes(data)[:written])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(_sink_log, "write_all", full)
        with pytest.raises(OSError, match="No space"):
            log.append(LINES[2:])
    assert path.read_bytes() == b"".join(LINES[:2])
    log.append(LINES[2:])
    log.close()
    assert path.read_bytes() == b"".join(LINES)


def test_tidy(path: Path) -> None:
    """Of each key the last line stays, in the order of these, and only where it is to stay."""
    later = [line(number, f"http://later/{number}") for number in range(4)]
    path.write_bytes(b"".join([*LINES, later[3], later[1]]))
    Log(path).tidy(lambda key: key[-1] != 2)
    assert path.read_bytes() == LINES[0] + later[3] + later[1]
    before = path.stat().st_ino
    Log(path).tidy(lambda _: True)
    assert path.stat().st_ino == before, "there was nothing to do"
    Log(path).tidy(lambda _: False)
    Log(path).tidy(lambda _: False)
    assert not list(path.parent.iterdir())


def test_tidy_fails(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no room to tidy up, the file stays as it was, and nothing beside it."""
    path.write_bytes(b"".join([*LINES, LINES[0]]))

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        Log(path).tidy(lambda _: True)
    assert path.read_bytes() == b"".join([*LINES, LINES[0]])
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_no_file(path: Path) -> None:
    """A reader of nothing is told so."""
    with pytest.raises(FileNotFoundError):
        list(read_log(path))
