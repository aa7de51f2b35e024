"""Bodies as arguments say them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aiohttpclient.cli._bodies import body_settings, implied_fields
from aiohttpclient.cli._exits import UsageError
from aiohttpclient.cli._parser import parse
from aiohttpclient.cli._sources import Sources

if TYPE_CHECKING:
    from pathlib import Path


def body(*words: str) -> dict[str, object]:
    return body_settings(parse(["post", "http://h/", *words]), Sources())


def test_each_kind(tmp_path: Path) -> None:
    """A body is nothing, JSON as it is written, bytes, a form, or a form with files."""
    (tmp_path / "a.txt").write_bytes(b"x")
    assert body() == {}
    assert body("-j", '{"a":  1}') == {"content": b'{"a":  1}'}
    assert body("-c", "é") == {"content": "é".encode()}
    assert body("-d", "a=1", "-d", "a=2") == {"data": [("a", "1"), ("a", "2")]}
    plain = [("f", ("a.txt", tmp_path / "a.txt", None))]
    assert body("-d", "a=1", "-F", f"f=@{tmp_path}/a.txt") == {"data": [("a", "1")], "files": plain}
    other = [("f", ("b", tmp_path / "a.txt", "image/png"))]
    assert body("-F", f"f=@{tmp_path}/a.txt;filename=b;type=image/png") == {"data": [], "files": other}


@pytest.mark.parametrize("words", [("-j", "1", "-c", "x"), ("-d", "a=b", "-j", "1"), ("-F", "f=@x", "-c", "x")])
def test_one_body(words: tuple[str, ...]) -> None:
    """A request has one body."""
    with pytest.raises(UsageError, match="one body"):
        body(*words)


@pytest.mark.parametrize("text", ["{'pin': 4711}", '{"pin": 4711,}', "NaN", "", '{"pin": 4711', "[" * 100_000])
def test_what_is_not_json(text: str) -> None:
    """What is not JSON is refused before anything is sent, and not repeated."""
    with pytest.raises(UsageError) as caught:
        body("-j", text)
    assert "4711" not in str(caught.value)
    assert str(caught.value).startswith("--json-body: ")


def test_the_type_of_json() -> None:
    """JSON has its content type, unless a field says another."""
    args = parse(["post", "http://h/", "-j", "1"])
    assert implied_fields(args, []) == [("Content-Type", "application/json")]
    assert implied_fields(args, [("content-TYPE", "application/ld+json")]) == []
    assert implied_fields(parse(["post", "http://h/"]), []) == []
