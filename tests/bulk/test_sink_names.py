"""``bulk/_sink_names.py``: names of files that are safe everywhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from aiohttpclient.bulk._sink_names import file_name, suffix_of

KEY = "0123456789abcdef" * 2
DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://example.org/", "example.org/index"),
        ("http://example.org/a/b.html", "example.org/a_b.html"),
        ("http://example.org/a?b=c&d=e", "example.org/a_b_c_d_e"),
        ("http://Example.ORG:8080/a", "example.org_8080/a"),
        ("http://user:pw@example.org/a", "example.org/a"),
        ("http://[::1]:80/a", "1_80/a"),
        ("http://example.org/%C3%BCber/..%2f..%2Fetc/passwd", "example.org/ber_.._.._etc_passwd"),
        ("http://example.org/../../etc/passwd", "example.org/etc_passwd"),
        ("http://example.org/.hidden", "example.org/hidden"),
        ("http://example.org/a%00b%0Ac", "example.org/a_b_c"),
        ("http://../a", "unknown/a"),
        ("http://con/nul", "_con/nul"),
        ("http://aux.example/a", "_aux.example/a"),
        ("http://[broken/a", "unknown/http_broken_a"),
        ("page", "unknown/page"),
        ("http://h/" + "x" * 300, "h/" + "x" * 80),
        ("http://" + "h" * 200 + "/", "h" * 100 + "/index"),
    ],
)
def test_names(url: str, name: str) -> None:
    """A name tells host and path; nothing in it leads elsewhere, and it has an end."""
    assert file_name(url, KEY, "text/html") == f"{name}~0123456789abcdef.html"


@given(st.text(max_size=300), st.text("./\\%2ef:aC", max_size=20))
@example("//../..", "")
def test_names_are_safe(text: str, host: str) -> None:
    """Whatever the URL, the name has two parts, both short, of letters that every system takes, and is no device."""
    name = file_name(f"http://{host}/{text}", KEY, None)
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,100}/[A-Za-z0-9][A-Za-z0-9._-]{0,79}~[0-9a-f]{16}\.bin", name)
    assert not any(DEVICE.match(part) or part.endswith(".") for part in name.split("/"))


def test_case() -> None:
    """Names that differ only in upper and lower case have digests that differ."""
    names = [file_name(f"http://h/{path}", key * 32, None) for path, key in (("a", "1"), ("A", "2"))]
    assert len({name.lower() for name in names}) == 2


@pytest.mark.parametrize(
    ("content_type", "suffix"),
    [
        ("text/html; charset=utf-8", ".html"),
        ("TEXT/HTML", ".html"),
        ("application/json", ".json"),
        ("application/problem+json", ".json"),
        ("application/atom+xml", ".xml"),
        ("image/svg+xml", ".svg"),
        ("application/x-msdownload", ".bin"),
        ("../../x", ".bin"),
        ("", ".bin"),
        (None, ".bin"),
    ],
)
def test_suffixes(content_type: str | None, suffix: str) -> None:
    """The suffix is one of a list, by the content type."""
    assert suffix_of(content_type) == suffix
