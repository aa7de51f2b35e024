"""``_recent.py``: what is remembered of what is asked for."""

from __future__ import annotations

import pytest

from aiohttpclient._recent import PLACES, Recent


def ask(recent: Recent[str, int], key: str) -> bool:
    """Ask for ``key``, as the users of a Recent do; whether it was there."""
    if key in recent:
        return True
    if recent.again(key):
        recent[key] = len(key)
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


def test_found_among_others() -> None:
    """What comes again and again is found, though as many others come in between as are kept."""
    recent: Recent[str, int] = Recent(256)
    keys = [f"http://example.org/{number}" for number in range(100)]
    for turn in range(10):
        for number in range(150):
            ask(recent, f"http://example.org/once/{turn}/{number}")
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
