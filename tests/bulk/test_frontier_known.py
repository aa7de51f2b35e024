"""``bulk/_frontier_known.py``: what is remembered of URLs, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttpclient.bulk import _frontier_known
from aiohttpclient.bulk._frontier_known import Known

if TYPE_CHECKING:
    import pytest


def test_depth() -> None:
    """A URL is known at the depth at which it was found, and at greater ones."""
    known = Known()
    assert not known.has("a", 9)
    known.add("a", 2)
    assert [known.has("a", depth) for depth in (1, 2, 3)] == [False, True, True]
    known.add("a", 1)
    assert known.has("a", 1)


def test_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many URLs the last ones are known, and those that are asked for."""
    monkeypatch.setattr(_frontier_known, "KEPT", 10)
    known = Known()
    for number in range(1000):
        known.add(f"{number}", 1)
        assert known.has("0", 1)
        assert len(known) <= 20
    assert all(known.has(f"{number}", 1) for number in range(995, 1000))
    assert not known.has("500", 1)


def test_long_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long URLs are fewer."""
    monkeypatch.setattr(_frontier_known, "CHARACTERS", 100)
    known = Known()
    for number in range(50):
        known.add(f"{number:050}", 1)
    assert len(known) <= 4
