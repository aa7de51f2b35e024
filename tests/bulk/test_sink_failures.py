"""``bulk/_sink_failures.py``: what failed, until it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiohttpclient.bulk import Record
from aiohttpclient.bulk._sink_failures import Failures, read_failures
from aiohttpclient.bulk._sink_ledger import Ledger
from aiohttpclient.bulk._sink_store import DONE, FAILED
from aiohttpclient.bulk._sink_text import line_of

if TYPE_CHECKING:
    from pathlib import Path


def line(number: int, why: str = "refused") -> bytes:
    return line_of(Record(f"{number:032x}", f"http://h/{number}", error={"type": "E", "message": why}))


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.failed.jsonl"


def test_without_failures(path: Path) -> None:
    """Without failures there is no file."""
    failures, ledger = Failures(path), Ledger()
    failures.open(ledger)
    failures.append([])
    failures.tidy(ledger)
    failures.close()
    assert not path.exists()
    assert list(read_failures(path)) == []


def test_resumed(path: Path) -> None:
    """When it is opened, what is done is not failed; of the rest, the last failure of each stays."""
    path.write_bytes(b"".join([line(1), line(2), line(3), line(1, "timeout")]) + line(4)[:20])
    path.with_name("out.failed.jsonl.new").write_bytes(line(5))  # what a kill while it was written anew has left
    failures, ledger = Failures(path), Ledger()
    ledger.set(key(2), DONE)
    failures.open(ledger)
    assert [ledger.get(key(number)) for number in (1, 2, 3, 4)] == [FAILED, DONE, FAILED, 0]
    assert path.read_bytes() == line(3) + line(1, "timeout")
    failures.append([line(3, "again")])
    ledger.set(key(1), DONE)
    failures.tidy(ledger)
    assert path.read_bytes() == line(3, "again")
    assert [one.name for one in path.parent.iterdir()] == [path.name]
    failures.close()
