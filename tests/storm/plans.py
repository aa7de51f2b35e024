"""What one request of a storm is to be: drawn from the seed and its number alone, so the same whatever else happens.

A plan says what the client asks for and how it takes the answer, what the server does, and who disturbs it when.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Final

from aiohttpclient import Timeout

LONG: Final = 20.0
"""Seconds. What takes that long hangs."""

SIZES: Final = (0, 1, 40, 700, 5000)
"""Bytes of most bodies: poison behind one of these is in the same segment."""

LARGE: Final = 300_000
"""Bytes of a body that is received directly, and of one that is refused while it is sent."""

WHOLE: Final = {
    "plain": 24,
    "chunked": 8,
    "trailers": 3,
    "hints": 4,
    "large": 3,
    "dripped": 2,
    "in two": 4,
    "empty": 4,
    "last": 5,
    "until close": 3,
    "kept for long": 3,
    "gone": 4,
    "gone later": 4,
    "twice": 4,
    "poisoned": 4,
    "a byte more": 2,
    "too late": 2,
    "used up": 5,
}
"""What a server does that ends in a whole answer, and how often; of some the connection cannot be used again."""

BROKEN: Final = {
    "close before": 3,
    "reset before": 3,
    "cut head": 2,
    "reset in head": 2,
    "cut body": 4,
    "reset in body": 4,
    "cut chunks": 3,
    "garbage": 1,
    "ambiguous": 1,
    "endless hints": 1,
    "large head": 1,
    "switch": 1,
    "refused": 1,
}
"""What never is an answer."""

STALLED: Final = {"stall": 3, "stall in head": 2, "stall in body": 3, "black hole": 2}
"""What goes on for ever: somebody or some timeout has to end it."""

ACTIONS: Final = {
    "whole": 15,
    "read": 15,
    "pieces": 3,
    "blocks": 3,
    "lines": 3,
    "into": 3,
    "close": 2,
    "forget": 2,
    "hold": 3,
}
"""How the answer is taken."""

PARTLY: Final = frozenset({"close", "forget"})

DISTURBANCES: Final = {"cancel": 6, "scope": 2, "pool": 1, "connect": 1, "read": 3, "write": 1, "total": 3, "rate": 1}
"""Who disturbs: a cancellation, ``asyncio.timeout``, or a timeout of the library's."""

ENDING: Final = {"cancel": 4, "scope": 2, "read": 2, "total": 3, "rate": 1}
"""Those that end what is stalled."""

ONCE: Final = frozenset({"POST"})
"""Methods of which one request may arrive once at most."""


@dataclass(frozen=True)
class Plan:
    """One request, or as many as a lease makes."""

    number: int
    origin: int
    method: str
    behaviour: str
    size: int
    """Bytes of the body of the answer."""
    upload: int | None
    """Bytes of the body of the request; None: there is none."""
    blocks: bool
    """That body is an async iterable."""
    expects: bool
    action: str
    leased: int
    """Requests that are made by one lease; 0: one is made of the pool."""
    disturbance: str | None
    seconds: float
    turns: int

    @property
    def whole(self) -> bool:
        """Whether the server gives a whole answer."""
        return self.behaviour in WHOLE

    @property
    def succeeds(self) -> bool:
        """Whether it must: nobody disturbs it, and where a kept connection dies it may be repeated.

        Only the pool repeats, so a lease may fail; and a request of which the server has said that it goes on with it
        is not repeated either.
        """
        replayable = self.method not in ONCE and not self.blocks and not (self.expects and self.behaviour == "used up")
        return self.whole and replayable and not self.leased and self.disturbance is None

    def timeout(self) -> Timeout:
        """The bounds of the request."""
        tiny: dict[str, Any] = (
            {"connect": self.seconds} if self.behaviour == "black hole" else {}
        )  # there the kernel stops to answer
        if self.disturbance in {"pool", "connect", "read", "write", "total"}:
            tiny[self.disturbance] = self.seconds
        if self.disturbance == "rate":
            return Timeout(LONG, read=self.seconds, min_rate=(1e6, self.seconds), **tiny)
        return Timeout(LONG, **tiny)


def pick(chance: random.Random, weights: dict[str, int]) -> str:
    """One of the keys of ``weights``."""
    return chance.choices(tuple(weights), tuple(weights.values()))[0]


def draw(seed: int, number: int, origins: int) -> Plan:
    """The plan of one request."""
    chance = random.Random(f"{seed} {number}")
    kind = chance.choices((WHOLE, BROKEN, STALLED), (84, 12, 4))[0]
    behaviour = pick(chance, kind)
    disturbed = kind is STALLED or chance.random() < 0.2
    method = chance.choices(("GET", "HEAD", "PUT", "POST", "DELETE"), (60, 6, 8, 20, 6))[0]
    if method == "HEAD" and (kind is BROKEN or behaviour == "stall in body"):
        method = "GET"  # there is no body that could break
    upload = chance.choice((0, 10, 1000, 60_000, LARGE)) if method in {"PUT", "POST"} else None
    if upload is not None and behaviour == "plain" and chance.random() < 0.1:
        behaviour, upload = "refuse", LARGE
    return Plan(
        number,
        chance.choices(range(origins), (20, *[1] * (origins - 1)))[0],
        method,
        behaviour,
        LARGE if behaviour == "large" else 40 if behaviour == "dripped" else chance.choice(SIZES),
        upload,
        blocks=bool(upload) and chance.random() < 0.2,
        expects=bool(upload) and chance.random() < 0.1,
        action=pick(chance, ACTIONS),
        leased=chance.randrange(1, 4) if chance.random() < 0.1 else 0,
        disturbance=pick(chance, ENDING if kind is STALLED else DISTURBANCES) if disturbed else None,
        seconds=chance.choice((0.0005, 0.001, 0.003, 0.006)),
        turns=chance.randrange(40),
    )


def payload(name: str, size: int) -> bytes:
    """``size`` bytes that belong to the request ``name`` and to no other; with a line end now and then."""
    unit = f"<{name}>\n".encode()
    return (unit * (size // len(unit) + 1))[:size]
