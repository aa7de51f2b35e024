"""Relative references, and bytes that are not ASCII."""

from __future__ import annotations

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._references import relative_to, utf8_text, without_dots
from tests.properties.strategies import checked
from tests.support.references import ABNORMAL, BASE, NORMAL


@pytest.mark.parametrize(("reference", "expected"), [*NORMAL.items(), *ABNORMAL.items()])
def test_examples_of_the_rfc(reference: str, expected: str) -> None:
    """References resolve as the examples of RFC 3986 section 5.4 say."""
    assert relative_to(BASE, reference) == expected


@pytest.mark.parametrize(
    ("base", "reference", "expected"),
    [
        ("http://a/", "x?", "http://a/x?"),
        ("http://a/", "x#", "http://a/x#"),
        ("http://a/b", "x//y///", "http://a/x//y///"),
        ("http://a/b//c", "x", "http://a/b//x"),
        ("http://a/b", "/%2e%2E/%2f", "http://a/%2e%2E/%2f"),
        ("http://a/x/../y", "?q", "http://a/x/../y?q"),
        ("http://a/x", "1:y", "http://a/1:y"),
        ("http://a?x", "y", "http://a/y"),
        ("http://a/x", "https://b/../y", "https://b/y"),
        ("https://a/x", "//b:1/./y", "https://b:1/y"),
        ("http://a/x", "mailto:joe@example.org", "mailto:joe@example.org"),
    ],
)
def test_what_is_kept(base: str, reference: str, expected: str) -> None:
    """Empty queries and fragments, empty segments and escapes stay as they are."""
    assert relative_to(base, reference) == expected


@checked
@given(st.lists(st.sampled_from(["a", "b.", ".", "..", "..."]), min_size=1, max_size=8))
def test_dots_as_the_standard_library(segments: list[str]) -> None:
    """Where no segment is empty, dot segments go as urllib.parse removes them."""
    path = "/" + "/".join(segments)
    assert f"http://a{without_dots(path)}" == urljoin("http://a/", path)


@checked
@given(st.text("ab./", max_size=20))
def test_no_dots_are_left(path: str) -> None:
    """Nothing is left to remove, and the path begins with one slash more than nothing."""
    found = without_dots(f"/{path}")
    assert found.startswith("/")
    assert not {".", ".."} & set(found.split("/"))
    assert without_dots(found) == found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("/caf%C3%A9", "/caf%C3%A9"),
        ("/café".encode().decode("iso-8859-1"), "/café"),
        ("/caf\xe9", "/caf%E9"),
        ("/\xe9\xe9?\xff", "/%E9%E9?%FF"),
        ("/日本", "/日本"),
    ],
)
def test_bytes_that_are_not_ascii(value: str, expected: str) -> None:
    """Raw UTF-8 is text; other bytes are percent-encoded one by one; what cannot be of a field is text already."""
    assert utf8_text(value) == expected


def test_length_is_no_problem() -> None:
    """The time is in proportion to the length."""
    size = 200_000
    assert without_dots("/." * size) == "/"
    assert without_dots("/.." * size + "/x") == "/x"
    assert relative_to("http://a/", "a" * size).endswith("a")
    assert relative_to("http://a/", "//" + "/" * size) == "http:///" + "/" * (size - 1)
