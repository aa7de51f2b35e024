"""``bulk/_sink_lock.py``: one at a time."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from aiohttpclient import SinkError
from aiohttpclient._files import lock as lock_file
from aiohttpclient.bulk import _sink_lock
from aiohttpclient.bulk._sink_lock import Lock

if TYPE_CHECKING:
    import io
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "out.lock"


def lock(place: Path) -> Lock:
    return Lock(place.with_suffix(".jsonl"), place)


def test_one_at_a_time(place: Path) -> None:
    """Who comes second is told, and can have it when the first has given it back; then nothing is left."""
    one, other = lock(place), lock(place)
    one.acquire()
    with pytest.raises(SinkError, match=r"out\.jsonl is being written"):
        other.acquire()
    other.release()
    one.release()
    one.release()
    other.acquire()
    assert place.exists()
    other.release()
    assert not place.exists()


def test_another_process(place: Path) -> None:
    """It holds between processes."""
    own = lock(place)
    own.acquire()
    code = f"from pathlib import Path; from aiohttpclient.bulk._sink_lock import Lock; place = Path({str(place)!r}); "
    run = subprocess.run(
        [sys.executable, "-c", code + "Lock(place, place).acquire()"], capture_output=True, check=False
    )
    own.release()
    assert b"SinkError" in run.stderr


def test_what_a_kill_leaves(place: Path) -> None:
    """A file that nobody has locked is in nobody's way."""
    place.touch()
    own = lock(place)
    own.acquire()
    with pytest.raises(SinkError):
        lock(place).acquire()
    own.release()


def test_given_back_meanwhile(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is gone when it could be locked is no lock: another one is made."""
    taken = lock_file
    removed: list[bool] = []

    def late(file: io.FileIO) -> None:
        if not removed:
            removed.append(True)
            place.unlink()
        taken(file)

    monkeypatch.setattr(_sink_lock, "lock", late)
    own = lock(place)
    own.acquire()
    assert place.exists()
    own.release()


def test_nothing_stays_open(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When something else goes wrong, nothing stays open."""

    def fail(*_: object) -> bool:
        raise PermissionError("no")

    monkeypatch.setattr(_sink_lock, "is_at", fail)
    with pytest.raises(PermissionError):
        lock(place).acquire()


def test_holder(place: Path) -> None:
    """Who comes second is told who may have it."""
    one = lock(place)
    one.acquire()
    with pytest.raises(SinkError, match="by another crawl"):
        Lock(place.with_suffix(".jsonl"), place, "crawl").acquire()
    one.release()
