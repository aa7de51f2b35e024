"""``bulk/_sink_ledger.py``: what is known of keys, and in how much memory."""

from __future__ import annotations

import random
import tracemalloc

from aiohttpclient.bulk._sink_ledger import Ledger

MIB = 1024 * 1024


def test_like_a_dict() -> None:
    """A ledger knows of each key what was said last, and counts who has what."""
    rng, ledger, known = random.Random(1), Ledger(), dict[bytes, int]()
    keys = [rng.randbytes(16) for _ in range(300)]
    for _ in range(3000):
        key, number = rng.choice(keys), rng.randrange(1, 4)
        assert ledger.get(key) == known.get(key, 0)
        assert ledger.set(key, number) == known.get(key, 0)
        known[key] = number
    assert [ledger.counts[number] for number in (1, 2, 3)] == [list(known.values()).count(n) for n in (1, 2, 3)]


def test_neighbours() -> None:
    """A key that two others happen to have between them is not there."""
    ledger = Ledger()
    one, other = bytes([0] * 15 + [5]), bytes([0] * 16)
    for key in (one, other):
        ledger.set(key, 1)
    between = (one + b"\1" + other)[1:17]
    assert between[:2] == one[:2] == other[:2]  # all on one shelf
    assert ledger.get(between) == 0
    assert ledger.set(between, 2) == 0
    assert (ledger.get(between), ledger.get(one), ledger.get(other)) == (2, 1, 1)


def test_memory() -> None:
    """100,000 keys are less than 4 MiB."""
    rng = random.Random(1)
    tracemalloc.start()
    ledger = Ledger()
    for _ in range(100_000):
        ledger.set(rng.randbytes(16), 1)
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert ledger.counts[1] == 100_000
    assert size < 4 * MIB
