"""Fuzz the wire layer for some seconds: ``python -m tests.fuzz [seconds] [--seed number] [--target name]``.

Plain mutation of the tests' corpus, in pure Python, so that it runs wherever the tests do. Prints the input of a
failure, and the command that repeats the run, and exits with 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter

from tests.fuzz.mutate import mutate
from tests.fuzz.targets import TARGETS

# Seconds for one input of at most 4 KiB, on a machine that does other things too. Linear work takes some milliseconds.
SLOW = 2.0


# Inputs of one kind of outcome that are kept.
COMMON = 5


def fuzz(name: str, seconds: float, seed: int, most: int | None = None) -> tuple[int, bytes | None]:
    """Run one target; return how many inputs it took, and the one that broke a rule, if one did."""
    target, seeds = TARGETS[name]
    # Inputs with an outcome that is still rare are mutated again, so that changes add up.
    pool = list(seeds)
    kinds: Counter[str] = Counter()
    chance = random.Random(f"{name} {seed}")
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end and (most is None or count < most):
        raw = mutate(chance.choice(pool), seeds, chance) if count >= len(seeds) else seeds[count]
        count += 1
        start = time.monotonic()
        try:
            kind = str(target(raw, random.Random(seed + count)))
            assert time.monotonic() - start < SLOW, "took too long"
        except Exception:  # noqa: BLE001  # whatever comes out is what is looked for
            traceback.print_exc()
            return count, raw
        kinds[kind] += 1
        if kinds[kind] <= COMMON:
            pool.append(raw)
    return count, None


def main(arguments: list[str]) -> int:
    """Fuzz every target for its share of the time; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("seconds", nargs="?", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--target", choices=TARGETS, action="append")
    options = parser.parse_args(arguments)
    names = options.target or list(TARGETS)
    for name in names:
        count, broken = fuzz(name, options.seconds / len(names), options.seed)
        if broken is not None:
            print(f"{name}: input {count} broke a rule: {broken!r}")  # noqa: T201  # a command line program
            again = f"python -m tests.fuzz {options.seconds:g} --seed {options.seed} --target {name}"
            print(f"again: {again}")  # noqa: T201  # the same
            return 1
        print(f"{name}: {count} inputs, seed {options.seed}")  # noqa: T201  # the same
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
