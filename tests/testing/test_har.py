"""``_har.py``: files, read and written."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from aiohttpclient.testing import _har
from tests.testing.har import FILE, check

if TYPE_CHECKING:
    from pathlib import Path


def _document(*entries: Any) -> dict[str, Any]:
    document = _har.new_document()
    document["log"]["entries"] += entries
    return document


# -- reading


def test_no_file(tmp_path: Path) -> None:
    """Where there is no file there is no recording, which is no error."""
    assert _har.read(tmp_path / "none.har") is None


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "not JSON: Expecting value (line 1, column 1)"),
        (b'{"log":\n {"entries": [}}', "not JSON: Expecting value (line 2, column 15)"),
        (b"\xff\xfe", "not UTF-8, as a HAR file is (at byte 0)"),
        (b"[" * 200_000, "not a HAR file: there are too many objects within each other"),
        (b"[]", 'not a HAR file: it has no object "log"'),
        (b"{}", 'not a HAR file: it has no object "log"'),
        (b'{"log": []}', 'not a HAR file: it has no object "log"'),
        (b'{"log": {}}', 'not a HAR file: "log" has no list "entries"'),
        (b'{"log": {"entries": {}}}', 'not a HAR file: "log" has no list "entries"'),
        (b'{"log": {"entries": [{}, 1]}}', "entry 2 is not an object"),
        (b'{"log": {"version": "2.0", "entries": []}}', "a HAR file of version '2.0', where 1.2 is known"),
        (b'{"log": {"version": 1.2, "entries": []}}', "a HAR file of version 1.2, where 1.2 is known"),
        (b'{"interactions": [], "version": 1}', 'not a HAR file: it has no object "log"'),
        (b"9" * 5_000, "not a HAR file: there is a number of too many digits"),
    ],
)
def test_wrong_files(tmp_path: Path, data: bytes, why: str) -> None:
    """What is no HAR file is refused by its name, and with the reason."""
    path = tmp_path / "x.har"
    path.write_bytes(data)
    with pytest.raises(ValueError) as caught:
        _har.read(path)
    assert str(caught.value) == f"{path}: {why}"


def test_an_error_shows_nothing_of_the_file(tmp_path: Path) -> None:
    """The text and the context of an error have no part of a file that may hold secrets."""
    path = tmp_path / "x.har"
    path.write_bytes(b'{"password": "hunter2"')
    with pytest.raises(ValueError) as caught:
        _har.read(path)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("version", ["1.2", "1.1", "1.3", ""])
def test_a_byte_order_mark(tmp_path: Path, version: str) -> None:
    """A mark before the file is passed over, as HAR 1.2 asks for, and versions that differ little are read."""
    path = tmp_path / "x.har"
    path.write_text(json.dumps({"log": {"version": version, "entries": []}}), encoding="utf-8-sig")
    assert _har.read(path) == {"log": {"version": version, "entries": []}}


# -- writing


def test_a_new_document_is_valid(tmp_path: Path) -> None:
    """A file without entries is HAR 1.2 already, and what is written is read as it was."""
    path = tmp_path / "x.har"
    _har.write(path, _har.new_document())
    check(json.loads(path.read_text()), FILE)
    assert _har.read(path) == _har.new_document()


def test_small_objects_are_lines() -> None:
    """Each member has a line of its own, small objects have one together, and names are in order."""
    text = _har.dumps({"log": {"b": [{"value": "1", "name": "x"}, {"name": "y", "value": "ü"}], "a": [], "c": "d"}})
    assert text == (
        '{\n  "log": {\n    "a": [],\n    "b": [\n      {"name": "x", "value": "1"},\n'
        '      {"name": "y", "value": "ü"}\n    ],\n    "c": "d"\n  }\n}\n'
    )


@pytest.mark.parametrize(("size", "lines"), [(92, 1), (93, 4)])
def test_long_objects_are_several_lines(size: int, lines: int) -> None:
    """An object that would make a line of more than 120 characters, without its name, is written in several."""
    text = _har.dumps({"x": {"name": "n", "value": "v" * size}})
    assert len([line for line in text.splitlines() if line not in "{}"]) == lines


NASTY = ["\ud800", "\udfff\ud800", "\u2028", "\u202e", "\ufeff", "\x85", "\x7f", "\x00", '"\\', "\u200b", "😀", "é"]


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_every_text_survives(tmp_path: Path, text: str) -> None:
    """What cannot be in UTF-8, or cannot be seen, is written as an escape, and everything is read as it was."""
    path = tmp_path / "x.har"
    _har.write(path, _document({"comment": text}))
    assert _har.read(path) == _document({"comment": text})
    assert len(path.read_text().splitlines()) == 9


def test_the_same_is_written_the_same(tmp_path: Path) -> None:
    """However a document was put together, its text is the same, and reading and writing changes nothing."""
    one, two = tmp_path / "1.har", tmp_path / "2.har"
    _har.write(one, _document({"b": 1, "a": {"d": 2, "c": [1, {"f": None}]}}))
    _har.write(two, _document({"a": {"c": [1, {"f": None}], "d": 2}, "b": 1}))
    assert one.read_bytes() == two.read_bytes()
    document = _har.read(one)
    assert document is not None
    _har.write(two, document)
    assert one.read_bytes() == two.read_bytes()


def test_folders_are_made(tmp_path: Path) -> None:
    """The folders on the way to a file are made."""
    path = tmp_path / "a" / "b" / "x.har"
    _har.write(path, _har.new_document())
    assert [one.name for one in path.parent.iterdir()] == ["x.har"]


def test_whoever_is_interrupted_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is there whole or as it was: whatever goes wrong before the end leaves it, and nothing beside it."""
    path = tmp_path / "x.har"
    _har.write(path, _document({"n": 1}))
    before = path.read_bytes()

    def die(descriptor: int) -> None:
        assert path.read_bytes() == before
        assert len(list(tmp_path.iterdir())) == 2
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", die)
    with pytest.raises(KeyboardInterrupt):
        _har.write(path, _document({"n": 2}))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_reader_sees_one_or_the_other(tmp_path: Path) -> None:
    """A file that is open while it is replaced is read to its end as it was."""
    path = tmp_path / "x.har"
    _har.write(path, _document({"n": 1}))
    with path.open("rb") as file:
        _har.write(path, _document({"n": 2}))
        assert b'{"n": 1}' in file.read()
    assert b'{"n": 2}' in path.read_bytes()


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """A value that JSON does not have leaves the old file."""
    path = tmp_path / "x.har"
    _har.write(path, _document({"n": 1}))
    with pytest.raises(TypeError):
        _har.write(path, _document({"n": b""}))
    assert b'{"n": 1}' in path.read_bytes()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    """Who could read the old file can read the new one, and nobody else."""
    path = tmp_path / "x.har"
    _har.write(path, _har.new_document())
    path.chmod(mode)
    _har.write(path, _document({"n": 2}))
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    """A new file has the mode that the umask asks for, as of any program."""
    path, other = tmp_path / "x.har", tmp_path / "other"
    _har.write(path, _har.new_document())
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


def test_a_link_stays(tmp_path: Path) -> None:
    """Of a symbolic link the file is written to which it leads."""
    (tmp_path / "real").mkdir()
    link = tmp_path / "x.har"
    link.symlink_to(tmp_path / "real" / "x.har")
    _har.write(link, _har.new_document())
    assert link.is_symlink()
    assert (tmp_path / "real" / "x.har").is_file()


def test_alone(tmp_path: Path) -> None:
    """Whoever changes a file keeps other processes from its folder, which is made, and leaves nothing there."""
    fcntl = pytest.importorskip("fcntl")
    path = tmp_path / "a" / "x.har"
    with _har.alone(path):
        descriptor = os.open(path.parent, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
    assert list(path.parent.iterdir()) == []
