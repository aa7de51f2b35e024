"""``client/_json.py``: the same as ``json.loads``."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiohttpclient.client._json import loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be")


def outcome(function: Any, content: bytes) -> Any:
    """What ``function`` makes of ``content``, so that it can be compared."""
    try:
        value = function(content)
    except ValueError as error:
        return type(error), str(error)
    return json.dumps(value) if not (isinstance(value, float) and math.isnan(value)) else "nan"


@given(
    VALUES, st.sampled_from(ENCODINGS), st.booleans(), st.sampled_from(["", " ", "\n", "\r\n\t ", "\ufeff", "x", "\0"])
)
def test_same_as_the_standard_library(value: Any, encoding: str, ascii_only: bool, around: str) -> None:
    """Values in every encoding, with or without something around them, come out as from ``json.loads``."""
    text = json.dumps(value, ensure_ascii=ascii_only)
    for whole in (text, text + around, around + text, around + text + around):
        content = whole.encode(encoding, "surrogatepass")
        assert outcome(loads, content) == outcome(json.loads, content)


@given(st.binary(max_size=12))
def test_same_of_nonsense(content: bytes) -> None:
    """Bytes of any kind give what ``json.loads`` gives, or fail with the same words."""
    assert outcome(loads, content) == outcome(json.loads, content)


@pytest.mark.parametrize(
    "content",
    [b"", b" ", b"{", b'{"a": 1', b'{"a": 1}}', b'"\xff"', b'"\xed\xa0\x80"', b"01", b"-", b"[1,]", b'"\n"', b"nul"],
    ids=repr,
)
def test_same_of_mistakes(content: bytes) -> None:
    """Mistakes that are made give the words of ``json.loads``."""
    assert outcome(loads, content) == outcome(json.loads, content)
