"""What the server of a storm sends, step by step, for each behaviour that a plan can ask for."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from .plans import LARGE, payload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

POISON: Final = b"HTTP/1.1 200 OK\r\nX-Name: poison\r\nContent-Length: 6\r\n\r\npoison"
TOO_LATE: Final = (
    b"HTTP/1.1 408 Request Timeout\r\nX-Name: poison\r\nConnection: close\r\nContent-Length: 4\r\n\r\nlate"
)
HINTS: Final = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
SWITCH: Final = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"


class End(Enum):
    """How a connection ends, other than by itself."""

    CLOSE = 1
    RESET = 2
    STALL = 3
    """It stays open, and nothing more comes."""
    UNLESS_ASKED = 4
    """It is closed if the next request has not come yet."""


Step: TypeAlias = "bytes | int | End"
"""Bytes to send, a number of turns of the loop to wait, or an end."""


class Answer:
    """What an answer is made of. ``used``: its connection has carried another one before."""

    def __init__(self, name: str, size: int, only_head: bool, used: bool) -> None:
        body = payload(name, size)
        chunks = b"".join(
            b"%x\r\n%b\r\n" % (len(part), part) for at in range(0, size, 2000) if (part := body[at : at + 2000])
        )
        self.name = name.encode()
        self.size = size
        self.used = used
        self.first = b"HTTP/1.1 200 OK\r\nX-Name: %b\r\n" % self.name
        self.only_head = only_head
        self.body = b"" if only_head else body
        self.chunks = b"" if only_head else chunks

    def head(self, *fields: bytes) -> bytes:
        """A head with these fields."""
        return self.first + b"".join(field + b"\r\n" for field in (*fields, b""))

    @property
    def length(self) -> bytes:
        """The head of a body whose length is told."""
        return self.head(b"Content-Length: %d" % self.size)

    @property
    def longer(self) -> bytes:
        """The same, and it is a lie."""
        return self.head(b"Content-Length: %d" % (self.size + 1))

    @property
    def coded(self) -> bytes:
        """The head of a body in chunks."""
        return self.head(b"Transfer-Encoding: chunked")

    @property
    def whole(self) -> bytes:
        """Head and body."""
        return self.length + self.body

    @property
    def part(self) -> bytes:
        """A part of a head."""
        return self.length[: 3 + self.size % (len(self.length) - 5)]

    def bare(self, data: bytes) -> bytes:
        """``data``, unless only the head is wanted."""
        return b"" if self.only_head else data

    def dripped(self) -> Iterable[Step]:
        """Most of it byte by byte."""
        for byte in self.length[:30]:
            yield bytes([byte])
            yield 1
        yield self.length[30:]
        for byte in self.body:
            yield bytes([byte])
            yield 1


ANSWERS: Final[dict[str, Callable[[Answer], Iterable[Step]]]] = {
    # whole
    "plain": lambda a: (a.whole,),
    "large": lambda a: (a.whole,),
    "chunked": lambda a: (a.coded + a.bare(a.chunks + LAST_CHUNK),),
    "trailers": lambda a: (a.coded, 1, a.bare(a.chunks + b"0\r\nX-End: " + a.name + b"\r\n\r\n")),
    "hints": lambda a: (HINTS, 1, HINTS + a.whole),
    "dripped": Answer.dripped,
    "in two": lambda a: (a.length + a.body[: a.size // 2], 2, a.body[a.size // 2 :]),
    "empty": lambda a: (b"HTTP/1.1 204 No Content\r\nX-Name: %b\r\n\r\n" % a.name,),
    "last": lambda a: (a.head(b"Connection: close", b"Content-Length: %d" % a.size) + a.body,),
    "until close": lambda a: (a.head() + a.body, 1, End.CLOSE),
    "kept for long": lambda a: (a.head(b"Keep-Alive: timeout=5", b"Content-Length: %d" % a.size) + a.body,),
    "gone": lambda a: (a.whole, End.CLOSE),
    "gone later": lambda a: (a.whole, a.size % 7 + 1, End.UNLESS_ASKED),
    "twice": lambda a: (a.whole + a.whole,),
    "poisoned": lambda a: (a.whole + POISON,),
    "a byte more": lambda a: (a.whole + b"\n",),
    "too late": lambda a: (a.whole + TOO_LATE, End.CLOSE),
    "used up": lambda a: (a.size % 3, End.RESET if a.size % 2 else End.CLOSE) if a.used else (a.whole,),
    # broken
    "refuse": lambda a: (b"HTTP/1.1 413 Content Too Large\r\nX-Name: %b\r\n\r\n" % a.name, 3, End.CLOSE),
    "close before": lambda a: (a.size % 3, End.CLOSE),
    "reset before": lambda a: (a.size % 3, End.RESET),
    "cut head": lambda a: (a.part, 1, End.CLOSE),
    "reset in head": lambda a: (a.part, 1, End.RESET),
    "cut body": lambda a: (a.longer + a.body, a.size % 3, End.CLOSE),
    "reset in body": lambda a: (a.longer + a.body, a.size % 3, End.RESET),
    "cut chunks": lambda a: (a.coded + a.chunks + (b"", b"0", b"0\r\n", b"5\r\nab")[a.size % 4], 1, End.CLOSE),
    "garbage": lambda a: (b"220 mail.example ESMTP\r\n",),
    "ambiguous": lambda a: (a.head(b"Content-Length: 3", b"Transfer-Encoding: chunked") + LAST_CHUNK,),
    "endless hints": lambda a: [HINTS] * 500,
    "large head": lambda a: (a.head(b"X-Large: %b" % (b"a" * LARGE)),),
    "switch": lambda a: (SWITCH,),
    # stalled
    "stall": lambda a: (End.STALL,),
    "stall in head": lambda a: (a.part, End.STALL),
    "stall in body": lambda a: (a.longer + a.body, End.STALL),
}

SPENT: Final = {
    "last": "the last answer",
    "until close": "an answer until the end",
    "twice": "two answers",
    "poisoned": "an answer and poison",
    "a byte more": "an answer and a byte",
    "too late": "an answer and a timeout",
    "garbage": "garbage",
    "ambiguous": "an ambiguous head",
    "endless hints": "endless hints",
    "large head": "a large head",
    "switch": "a switch that nobody wanted",
}
"""After what nothing may come over a connection any more."""
