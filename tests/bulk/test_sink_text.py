"""``bulk/_sink_text.py``: records as lines of JSON, and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.bulk import Record
from aiohttpclient.bulk._sink_text import NoJSON, NoRecord, checked, line_of, values_in

KEY = "00" * 16
URL = "http://example.org/"


def record(**values: Any) -> Record:
    return Record(KEY, URL, **values)


def back(one: Record) -> Record:
    return Record.from_values(values_in(line_of(one)))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        "für".encode(),
        b"\xff",
        b"\0",
        b'"\\\n\r\t',
        bytes(range(256)),
        "\ufeffbom".encode(),
        b"\xed\xa0\x80",
    ],
)
@pytest.mark.parametrize(
    "encoding", [None, "utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-7", "cp1252", "hex", "none"]
)
def test_content(content: bytes, encoding: str | None) -> None:
    """Content comes back byte by byte, whatever its encoding is said to be."""
    assert back(record(content=content, encoding=encoding)).content == content


@given(st.binary() | st.text().map(str.encode), st.sampled_from(["utf-8", "latin-1", "utf-16", "utf-7", "shift_jis"]))
def test_any_content(content: bytes, encoding: str) -> None:
    """Content comes back byte by byte, whatever it is."""
    line = line_of(record(content=content, encoding=encoding))
    assert Record.from_values(values_in(line)).content == content
    assert len(line.decode().splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        ("für".encode(), "utf-8", {"content": "für"}),
        ("für".encode("latin-1"), "latin-1", {"content": "für"}),
        ("für".encode("latin-1"), "utf-8", {"content_base64": "Zvxy"}),
        (b"\x89PNG", "utf-8", {"content_base64": "iVBORw=="}),
    ],
)
def test_text_or_base64(content: bytes, encoding: str, said: dict[str, str]) -> None:
    """What is text in its encoding is there as text, anything else as base64."""
    values = json.loads(line_of(record(content=content, encoding=encoding)))
    assert {name: value for name, value in values.items() if name.startswith("content")} == said


def test_everything() -> None:
    """All fields come back; what is None is not written, and ``v`` comes first."""
    full = record(
        method="POST", status=200, reason="OK", version=11, headers=[("A", "b"), ("A", "c")], content=b"x",
        encoding="utf-8", elapsed=1.5, final_url="http://h/", redirects=[(301, "http://g/")], attempts=2,
        timings={"pool": 0.1, "dns": None, "reused": True}, error={"type": "E", "message": "m"}, time="2026-01-01",
    )  # fmt: skip
    assert back(full) == full
    assert back(record()) == record()
    assert line_of(record()).startswith(b'{"v":1,"key":"')
    assert b"status" not in line_of(record())


def test_later_fields() -> None:
    """Fields that a later version has added are passed over."""
    line = line_of(record(status=200), new={"a": [1]})
    assert Record.from_values(values_in(line)) == record(status=200)


@pytest.mark.parametrize(
    ("line", "error", "says"),
    [
        (b"", NoJSON, "no JSON"),
        (b'{"v":1,"key', NoJSON, "no JSON"),
        (b"\xff\n", NoJSON, "no JSON"),
        (b"[" * 100_000, NoJSON, "no JSON"),
        (b"[]", NoRecord, "no record"),
        (b'"v"', NoRecord, "no record"),
        (b'{"url": "http://h/"}', NoRecord, "no record"),
        (b'{"v":true}', NoRecord, "no record"),
        (b'{"v":2}', NoRecord, "newer"),
        (b'{"v":1}', NoRecord, "without key"),
        (b'{"v":1,"key":"../../etc/passwd","url":""}', NoRecord, "without key"),
        (b'{"v":1,"key":"' + KEY.encode() + b'"}', NoRecord, "and URL"),
    ],
    ids=range(12),
)
def test_other_lines(line: bytes, error: type[NoRecord], says: str) -> None:
    """A line that is no record of this version is refused, and what is wrong is said."""
    with pytest.raises(error, match=says):
        checked(line)


@pytest.mark.parametrize(
    "wrong",
    [
        {"content_base64": "?"},
        {"content": "ü", "encoding": "ascii"},
        {"content": 5},
        {"encoding": "none", "content": ""},
    ],
)
def test_content_that_is_none(wrong: dict[str, Any]) -> None:
    """Content that somebody has spoilt is refused."""
    line = json.dumps({"v": 1, "key": KEY, "url": URL} | wrong).encode()
    with pytest.raises(NoRecord, match="content"):
        values_in(line)
