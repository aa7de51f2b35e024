"""``_recent.py``: what is remembered of what is asked for."""

from __future__ import annotations

import random
from typing import Any

import pytest

from aiohttpclient._recent import PLACES, Recent


def ask(recent: Recent[str, int] | Recent[int, int], key: Any) -> bool:
    """Ask for ``key``, as the users of a Recent do; whether it was there."""
    if key in recent:
        return True
    if recent.again(key):
        recent[key] = 1
    return False


def test_kept_the_second_time() -> None:
    """What was asked for once is not kept; what comes for the second time is there for the third."""
    for number in range(100):
        recent: Recent[str, int] = Recent(10)
        asked = [ask(recent, f"key {number}") for _ in range(4)]
        assert asked in ([False, False, True, True], [False, True, True, True])


def test_nothing_of_a_list() -> None:
    """Of things that come once, next to nothing is kept: one in 256 is taken for another."""
    recent: Recent[str, int] = Recent(100_000)
    count = 20_000
    for number in range(count):
        ask(recent, f"http://example.org/pages/{number}")
    assert len(recent) < 3 * count / 256


@pytest.mark.parametrize("seed", range(10))
def test_found_among_others(seed: int) -> None:
    """What comes again and again is found, though more others come in between than are kept.

    The keys are numbers, whose hashes are the same in each run: which of them share a place is chance.
    """
    chance = random.Random(seed)
    recent: Recent[int, int] = Recent(256)
    keys = [chance.getrandbits(60) for _ in range(100)]
    for _ in range(10):
        for _ in range(300):
            ask(recent, chance.getrandbits(60))
        for key in keys:
            ask(recent, key)
    assert sum(key in recent for key in keys) > 90


@pytest.mark.parametrize("most", [1, 2, 10])
def test_bounded(most: int) -> None:
    """There are never more than that; those that come again are kept again."""
    recent: Recent[str, int] = Recent(most)
    for number in range(50):
        for _ in range(2):
            ask(recent, f"key {number}")
        assert f"key {number}" in recent
        assert len(recent) <= most


def test_keys_of_any_kind() -> None:
    """Hashes may be negative, of any size, and alike."""
    recent: Recent[int, str] = Recent(4)
    for key in (0, -1, -2, 2**61 - 2, -(2**61) + 2, PLACES, -PLACES):
        recent.again(key)
        assert recent.again(key)
    assert len(recent) == 0
    with pytest.raises(TypeError):
        recent.again([])  # type: ignore[arg-type]  # it has no hash
