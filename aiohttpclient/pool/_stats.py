"""What a pool has done, and has at the moment; and the events by which it says so."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Drop(Enum):
    """Why a connection left the pool."""

    SERVER_CLOSED = "the server closed it while it was idle"
    UNEXPECTED_BYTES = "bytes arrived on it while none were due"
    EXPIRED = "it was idle for too long"
    LIFETIME = "it was as old as it may get"
    EVICTED = "another origin needed the room"
    LAST = "the last response said that it was the last"
    ABANDONED = "a response was not read to its end: that failed, was cancelled, or given up"
    CUT = "it ended before its last response was read"
    FAILED = "a request on it failed or was cancelled before its response came"
    NOT_OPENED = "it could not be opened, or its opener was cancelled"
    LEASE = "the holder of a lease closed it, or left it unusable"
    POOL_CLOSED = "the pool was closed"


class EventKind(Enum):
    """What a pool says that it does."""

    WAITING = "a request waits for a connection"
    CONNECTING = "a connection is being opened"
    OPENED = "a connection is open"
    REUSED = "a request goes over a connection that was idle"
    HANDED_OVER = "a waiting request was given a connection, or the room for one"
    IDLE = "a connection is idle"
    RETRIED = "a request is sent again, because a reused connection died before an answer"
    DROPPED = "a connection left the pool"
    CLOSED = "the pool was closed"


class PoolEvent(NamedTuple):
    """One decision of a pool.

    ``kind``, the ``origin`` it is about (``scheme://host:port``; empty for the pool itself), and ``detail`` (a reason,
    or empty). There is no path, no query and no credential in it.
    """

    kind: EventKind
    origin: str
    detail: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.origin, f"{self.kind.value}{self.detail and ': '}{self.detail}")))


class PoolStats(NamedTuple):
    """A count of everything, as it was in one moment.

    ``idle``, ``busy``, ``connecting`` (connections), ``waiting`` (requests) and ``origins`` (that have either) say what
    there is now; the others count since the pool was made: connections ``opened``, and of these ``resumed`` with an
    earlier TLS session; ``reused``: requests that went over a connection that another one had used; ``retried``;
    ``dropped``: connections by the reason for which they left.
    """

    idle: int
    busy: int
    connecting: int
    waiting: int
    origins: int
    opened: int
    resumed: int
    reused: int
    retried: int
    dropped: Mapping[Drop, int]
