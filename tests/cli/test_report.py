"""Timings and answers as tables and objects."""

from __future__ import annotations

import json

import pytest

from aiohttpclient import Timings
from aiohttpclient.cli._report import body_object, json_line, timings_object, timings_table

TIMINGS = Timings(0.001, None, 0.0123456789, 1.5, 0.0, 0.25, None, False, ("127.0.0.1", 443), "TLSv1.3")


def test_timings_table() -> None:
    """Each part has a line; what was not done has a hyphen, and where it went is the last."""
    lines = [line.split() for line in timings_table(TIMINGS)]
    assert lines[:4] == [["pool", "1.00", "ms"], ["dns", "-"], ["connect", "12.35", "ms"], ["tls", "1.50", "s"]]
    assert lines[6:] == [["receive", "-"], ["total", "1.76", "s"], ["to", "127.0.0.1,", "TLSv1.3"]]
    unix = TIMINGS._replace(address="", tls_version=None)
    assert len(timings_table(unix)) == len(lines) - 1


def test_timings_object() -> None:
    """For programs they are seconds."""
    told = timings_object(TIMINGS)
    assert told is not None
    assert (told["connect"], told["dns"], told["tls"], told["reused"]) == (0.012346, None, 1.5, False)
    assert told["tls_version"] == "TLSv1.3"
    assert timings_object(None) is None


@pytest.mark.parametrize(
    ("content", "encoding", "told"),
    [
        (b"a", None, {"size": 1, "text": "a"}),
        (b"\xe9", "iso-8859-1", {"size": 1, "text": "é"}),
        (b"\xe9", None, {"size": 1, "base64": "6Q=="}),
        (b"a", "no-such", {"size": 1, "base64": "YQ=="}),
        (b"", None, {"size": 0, "text": ""}),
    ],
)
def test_body_object(content: bytes, encoding: str | None, told: dict[str, object]) -> None:
    """A body is text where it can be read as such, and base64 where not: nothing of it is lost."""
    assert body_object(content, encoding) == told


def test_json_line() -> None:
    """An object is one line of ASCII."""
    line = json_line({"a": "é\n\x9b\u2028"})
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert json.loads(line) == {"a": "é\n\x9b\u2028"}
