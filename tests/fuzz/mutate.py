"""Where fuzzed input comes from: the corpus of the tests, and what a mutation makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.properties.strategies import SPANNERS
from tests.wire.hostile import HOSTILE

if TYPE_CHECKING:
    from random import Random

# Longer ones only repeat themselves, and take the time of many short ones.
LONGEST = 4096

SEEDS = [entry.raw for entries in HOSTILE.values() for entry in entries if len(entry.raw) <= LONGEST]
BODIES = [raw.partition(b"\r\n\r\n")[2] for raw in SEEDS if b"chunked" in raw]
REQUESTS = [b"GET|/|Host|example.org", b"POST|/a?b=c|A|b|C|d", b"M-SEARCH|*|x|", b"GET|http://a/|A|b\r\n c"]


def mutate(raw: bytes, seeds: list[bytes], chance: Random) -> bytes:
    """``raw`` after one to eight changes."""
    data = bytearray(raw)
    for _ in range(1 << chance.randrange(4)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.choice((0, 1, 2, 3, 8, 64)))
        match chance.randrange(7):
            case 0:
                data[at:end] = b""
            case 1:
                data[at:end] = chance.randbytes(chance.randrange(4))
            case 2:
                data[at:end] = chance.choice(SPANNERS)
            case 3:
                data[at:at] = data[at:end] * chance.choice((1, 2, 10))
            case 4 if at < len(data):
                data[at] ^= 1 << chance.randrange(8)
            case 5:
                other = chance.choice(seeds)
                begin = chance.randrange(len(other) + 1)
                data[at:end] = other[begin : begin + chance.choice((1, 8, 64))]
            case _:
                other = chance.choice(seeds)
                data[at:] = other[chance.randrange(len(other) + 1) :]
    return bytes(data[:LONGEST])
