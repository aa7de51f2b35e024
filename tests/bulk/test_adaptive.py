"""``bulk/_adaptive.py``: one more while it goes well, half as many when it does not."""

from __future__ import annotations

import itertools

from aiohttpclient.bulk._adaptive import START, Adaptive


def rounds(adaptive: Adaptive, count: int, seconds: float = 1.0) -> list[int]:
    """The limit after each round of answers that all took so long."""
    limits = []
    for _ in range(count):
        for _ in range(adaptive.limit):
            adaptive.answered(seconds, full=True)
        limits.append(adaptive.limit)
    return limits


def test_grows_to_its_bound() -> None:
    """The limit begins low, grows by about one each round, and not beyond what is allowed."""
    limits = [START, *rounds(Adaptive(8, True), 30)]
    assert all(0 <= after - before <= 1 for before, after in itertools.pairwise(limits))
    assert limits[-1] == 8
    assert max(limits) == 8
    assert limits.index(8) <= 12


def test_does_not_grow_unused() -> None:
    """Answers that came when less was under way than may be say nothing about more."""
    adaptive = Adaptive(8, True)
    for _ in range(100):
        adaptive.answered(1.0, full=False)
    assert adaptive.limit == START


def test_does_not_grow_while_answers_are_slow() -> None:
    """Answers that take more than twice as long as the best ones were waiting for each other."""
    adaptive = Adaptive(100, True)
    rounds(adaptive, 3, seconds=1.0)
    before = adaptive.limit
    rounds(adaptive, 2, seconds=2.5)
    assert adaptive.limit == before
    rounds(adaptive, 2, seconds=1.5)
    assert adaptive.limit > before


def test_forgets_what_was_quick() -> None:
    """What was quick once is forgotten when it has not been so for long."""
    adaptive = Adaptive(100, True)
    adaptive.answered(0.001, full=True)
    rounds(adaptive, 60, seconds=1.0)
    assert adaptive.limit > START + 1


def test_halves_once_a_round() -> None:
    """Trouble halves the limit, once for all requests that were under way then; the least is one."""
    adaptive = Adaptive(16, True)
    rounds(adaptive, 200)
    assert adaptive.limit == 16
    for began in (5.0, 6.0, 7.0):
        adaptive.strained(began, now=10.0)
    assert adaptive.limit == 8
    adaptive.strained(10.0, now=11.0)
    assert adaptive.limit == 4
    for now in range(20, 30):
        adaptive.strained(now, now)
    assert adaptive.limit == 1
    assert rounds(adaptive, 3)[-1] > 1


def test_fixed() -> None:
    """What does not adapt is what it may be at most, whatever happens."""
    adaptive = Adaptive(5, False)
    adaptive.strained(1.0, 2.0)
    adaptive.answered(1.0, full=True)
    assert adaptive.limit == 5


def test_never_above_a_low_bound() -> None:
    """With a bound of one it is always one."""
    assert rounds(Adaptive(1, True), 5) == [1] * 5
