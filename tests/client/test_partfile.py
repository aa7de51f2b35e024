"""The part of a file: what it keeps, whom it locks out, and what is left of it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.client._partfile import NOTE_SIZE, READ, PartFile
from aiohttpclient.client._ranges import Body, Held
from aiohttpclient.errors import DownloadError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

URL = "http://example.org/file?secret=token"
ETAG = '"abc"'


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


@pytest.fixture
def part(target: Path) -> Iterator[PartFile]:
    part = PartFile(target, URL)
    yield part
    part.close()


def names(target: Path) -> set[str]:
    """What is in the folder, without the name that all have."""
    return {path.name.removeprefix(target.name) for path in target.parent.iterdir()}


def leave(target: Path, content: bytes, total: int | None = None, validator: str | None = ETAG, url: str = URL) -> None:
    """Leave a part behind, as a download that was cut does."""
    part = PartFile(target, url)
    part.open()
    part.expect(Body(0, total, total, validator))
    part.write([content], None)
    part.give_up([])


def test_a_file_that_comes_at_once(part: PartFile, target: Path) -> None:
    """A file that is complete takes its name, and nothing else is left; there never was a note."""
    assert part.open() is None
    part.expect(Body(0, 5, 5, ETAG))
    part.write([b"con", b"tent"], None, note=False)
    assert names(target) == {".part"}
    part.complete()
    assert names(target) == {""}
    assert target.read_bytes() == b"content"


@pytest.mark.parametrize("total", [7, None])
def test_going_on(part: PartFile, target: Path, total: int | None) -> None:
    """What was left is there again, but for its last byte, and what is written then goes on there."""
    leave(target, b"cont", total)
    assert names(target) == {".part", ".part.json"}
    assert part.open() == Held(3, ETAG, total)
    part.expect(Body(3, 7, 7, ETAG))
    part.write([b"te"], None)
    part.write([b"nt"], None)
    part.complete()
    assert names(target) == {""}
    assert target.read_bytes() == b"content"


def test_the_note_holds_no_secret(target: Path) -> None:
    """A note tells which URL it is about without having it."""
    leave(target, b"cont")
    text = target.with_name("file.bin.part.json").read_text()
    assert json.loads(text) == {"url": hashlib.sha256(URL.encode()).hexdigest(), "validator": ETAG, "total": None}
    assert "secret" not in text
    assert "token" not in text


def test_rest_is_kept(part: PartFile, target: Path) -> None:
    """What came, but was not written yet, is written when the download is given up."""
    part.open()
    part.expect(Body(0, 7, 7, ETAG))
    part.give_up([b"c", b"on"])
    again = PartFile(target, URL)
    assert again.open() == Held(2, ETAG, 7)
    again.close()


@pytest.mark.parametrize(("validator", "resume"), [(None, True), (ETAG, False)])
def test_what_cannot_be_continued_goes(target: Path, validator: str | None, resume: bool) -> None:
    """Without a validator, or without the wish to continue, nothing is left of a download that was cut."""
    for rest in ([], [b"ent"]):
        part = PartFile(target, URL, resume=resume)
        part.open()
        part.expect(Body(0, 7, 7, validator))
        part.write([b"cont"], None)
        part.give_up(rest)
        assert names(target) == set()


def test_an_old_part_stays_until_there_is_something_new(part: PartFile, target: Path) -> None:
    """A download that fails before the first byte leaves the part of an earlier one as it was."""
    leave(target, b"cont")
    part.open()
    part.give_up([])
    part.open()
    part.expect(Body(0, 5, 5, '"new"'))
    part.give_up([])
    assert part.open() == Held(3, ETAG, None)


def test_beginning_anew(part: PartFile, target: Path) -> None:
    """What begins anew has nothing of the old part, and its own note."""
    leave(target, b"old content")
    part.open()
    part.expect(Body(0, 7, 7, '"new"'))
    part.give_up([b"new"])
    assert target.with_name("file.bin.part").read_bytes() == b"new"
    assert part.open() == Held(2, '"new"', 7)


def test_beginning_anew_at_once(part: PartFile, target: Path) -> None:
    """What was emptied is not continued, and leaves nothing, unless something new comes."""
    for new in ([], [b"new"]):
        leave(target, b"old content")
        part.open()
        part.expect(Body(10, 20, 20, ETAG))
        part.write([b"junk"], None)
        part.empty()
        assert names(target) == {".part"}
        part.expect(Body(0, 7, 7, '"new"'))
        part.give_up(new)
        assert names(target) == ({".part", ".part.json"} if new else set())
    assert part.open() == Held(2, '"new"', 7)


def test_the_order_of_things(part: PartFile, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a part is begun anew its old note is gone first, and the new one is there before the first byte."""
    leave(target, b"old content")
    seen: list[tuple[set[str], int]] = []

    def look(function: Any) -> Any:
        def looking(*args: Any) -> Any:
            seen.append((names(target), target.with_name("file.bin.part").stat().st_size))
            return function(*args)

        return looking

    part.open()
    part.expect(Body(0, 7, 7, '"new"'))

    class Watched:
        def __init__(self, file: Any) -> None:
            self.close, self.fileno, self.seek = file.close, file.fileno, file.seek
            self.truncate, self.write = look(file.truncate), look(file.write)

    monkeypatch.setattr(part, "_file", Watched(part._file))
    part.write([b"new"], None)
    assert seen == [({".part"}, 11), ({".part", ".part.json"}, 0)]


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 20000,
        b" " * NOTE_SIZE + b"{}",
        {"url": "other"},
        {"url": None},
        {"validator": None},
        {"validator": 'W/"abc"'},
        {"validator": '"a"\r\nX: y'},
        {"total": 3},
        {"total": -1},
        {"total": "7"},
        {"total": True},
        {"total": 7.0},
    ],
    ids=repr,
)
def test_notes_of_no_use(part: PartFile, target: Path, note: bytes | dict[str, Any]) -> None:
    """A note that is broken, or about something else, is as good as none."""
    leave(target, b"cont", 7)
    path = target.with_name("file.bin.part.json")
    if isinstance(note, dict):
        note = json.dumps({**json.loads(path.read_text()), **note}).encode()
    path.write_bytes(note)
    assert part.open() is None


def test_parts_of_no_use(target: Path) -> None:
    """A part of another URL, without a note, or too short to have anything left without its last byte, is of no use."""
    leave(target, b"cont", url=URL + "2")
    for resume in (True, False):
        part = PartFile(target, URL, resume=resume)
        assert part.open() is None
        part.close()
    leave(target, b"c")
    part = PartFile(target, URL)
    assert part.open() is None
    part.close()
    leave(target, b"cont")
    part = PartFile(target, URL, resume=False)
    assert part.open() is None
    part.close()
    target.with_name("file.bin.part.json").unlink()
    part = PartFile(target, URL)
    assert part.open() is None
    part.close()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_two_at_once(part: PartFile, target: Path) -> None:
    """A part that somebody writes is not written by anybody else, until he has ended."""
    part.open()
    other = PartFile(target, URL)
    with pytest.raises(DownloadError, match=r"another download is writing .*file\.bin\.part"):
        other.open()
    part.expect(Body(0, 1, 1, None))
    part.write([b"x"], None)
    part.complete()
    assert other.open() is None
    assert target.read_bytes() == b"x"
    other.discard()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_a_part_that_took_its_name_meanwhile(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens a part just before it takes its name, and locks it just after that, begins with a part of his own."""
    import fcntl

    part, other = PartFile(target, URL), PartFile(target, URL)
    part.open()
    real = fcntl.flock

    def flock(file: Any, operation: int) -> None:
        monkeypatch.undo()
        part.expect(Body(0, 7, 7, None))
        part.write([b"content"], None)
        part.complete()
        real(file, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    assert other.open() is None
    other.expect(Body(0, 3, 3, None))
    other.write([b"new"], None)
    assert target.read_bytes() == b"content"
    other.complete()
    assert target.read_bytes() == b"new"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_file_systems_without_locks(part: PartFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file system knows no locks, files are downloaded without."""
    import fcntl

    def flock(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert part.open() is None


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="links are followed here")
@pytest.mark.parametrize("name", ["file.bin.part", "file.bin.part.json"])
def test_links_are_not_followed(part: PartFile, target: Path, name: str) -> None:
    """A link where the part or its note should be leads nowhere: what it points to is not written."""
    victim = target.with_name("victim")
    victim.write_bytes(b"precious")
    target.with_name(name).symlink_to(victim)
    if name.endswith("json"):
        part.open()
        part.expect(Body(0, 7, 7, ETAG))
        part.write([b"new"], None)
        assert not target.with_name(name).is_symlink()
    else:
        with pytest.raises(OSError, match="symbolic"):
            part.open()
    assert victim.read_bytes() == b"precious"


def test_targets_that_exist(target: Path) -> None:
    """An existing file is replaced, unless it must not be, at the beginning or at the end; a folder never is."""
    part = PartFile(target, URL, overwrite=False)
    part.open()
    target.write_bytes(b"old")
    part.expect(Body(0, 3, 3, None))
    part.write([b"new"], None)
    with pytest.raises(FileExistsError):
        part.complete()
    part.give_up([])
    with pytest.raises(FileExistsError):
        part.open()
    assert names(target) == {""}
    part = PartFile(target, URL)
    part.open()
    part.expect(Body(0, 3, 3, None))
    part.write([b"new"], None)
    part.complete()
    assert target.read_bytes() == b"new"
    with pytest.raises(IsADirectoryError):
        PartFile(target.parent, URL).open()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives files away")
def test_the_owner(part: PartFile, target: Path) -> None:
    """What replaces a file belongs to whom that belonged, where we may say so, so that its mode means the same."""
    target.write_bytes(b"old")
    target.chmod(0o640)
    os.chown(target, 1234, 5678)
    part.open()
    assert (part.path.stat().st_uid, part.path.stat().st_gid) == (1234, 5678)
    part.expect(Body(0, 3, 3, None))
    part.write([b"new"], None)
    part.complete()
    status = target.stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (1234, 5678, 0o640)


def test_a_full_disk(part: PartFile, target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes half of what it is given, and then nothing, leaves the beginning of the file."""
    part.open()
    part.expect(Body(0, 9, 9, ETAG))
    real, room = part._file, [2, 2]

    class Full:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def write(self, data: memoryview) -> int:
            if not room:
                raise OSError(errno.ENOSPC, "full")
            assert real is not None
            return real.write(data[: room.pop()])

    monkeypatch.setattr(part, "_file", Full())
    with pytest.raises(OSError, match="full"):
        part.write([b"content"], None)
    part.give_up([b"more"])
    assert target.with_name("file.bin.part").read_bytes() == b"cont"


def test_hashing(part: PartFile, target: Path) -> None:
    """What is there is hashed from any byte to any other, and what is written after it."""
    content = os.urandom(READ + 1000)
    leave(target, content)
    part.open()
    hasher = hashlib.sha256()
    part.hash(hasher, 0, 1000)
    part.hash(hasher, 1000, len(content))
    part.expect(Body(len(content), None, None, ETAG))
    part.write([b"more"], hasher)
    assert hasher.digest() == hashlib.sha256(content + b"more").digest()
    with pytest.raises(DownloadError, match="shorter"):
        part.hash(hasher, 0, len(content) + 100)


def test_long_names(tmp_path: Path) -> None:
    """Part and note of a name that is too long for what is put behind it have a digest in it, each name its own."""
    usual = PartFile(tmp_path / ("a" * 245), URL)
    assert usual.note.name == "a" * 245 + ".part.json"
    names = ["a" * 246, "a" * 247, "é" * 127, "b" * 100 + "a" * 155]
    parts = [PartFile(tmp_path / name, URL) for name in names]
    beside = [path.name for part in parts for path in (part.path, part.note)]
    assert len({*beside}) == 2 * len(names)
    assert all(len(os.fsencode(name)) <= 255 for name in beside)
    assert [name.endswith(".part") for name in beside] == [True, False] * len(names)
    assert beside[0].startswith("aaaa")


@pytest.mark.parametrize("stays", ["note", "path"])
def test_what_cannot_be_removed(part: PartFile, target: Path, stays: str) -> None:
    """When a download is given up, what can be removed is, whatever else cannot."""
    leave(target, b"cont")
    part.open()
    left = getattr(part, stays)
    left.unlink()
    left.mkdir()
    part.discard()
    assert names(target) == {left.name.removeprefix(target.name)}


def test_ending_twice(part: PartFile, target: Path) -> None:
    """To give up or to close what is over, or was never begun, does nothing."""
    part.give_up([])
    part.close()
    part.open()
    part.discard()
    part.give_up([b"more"])
    part.discard()
    assert names(target) == set()
