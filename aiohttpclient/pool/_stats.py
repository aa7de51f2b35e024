"""What a pool has done, and has at the moment; and the events by which it says so."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..net import CONNECTED, LOOKED_UP, SECURED, TUNNELLED

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
    """What a pool says that it does.

    Between ``CONNECTING`` and ``OPENED`` come those of ``LOOKED_UP``, ``CONNECTED``, ``TUNNELLED`` and ``SECURED`` that
    the way to the origin has, each in the moment in which it is done: an address is not looked up, a proxy is connected
    to, and over TLS secured, before the tunnel through it. What fails has no event of its own: the connection is
    ``DROPPED`` after the last step that was done.
    """

    WAITING = "a request waits for a connection"
    CONNECTING = "a connection is being opened"
    LOOKED_UP = LOOKED_UP
    CONNECTED = CONNECTED
    TUNNELLED = TUNNELLED
    SECURED = SECURED
    OPENED = "a connection is open"
    REUSED = "a request goes over a connection that was idle"
    HANDED_OVER = "a waiting request was given a connection, or the room for one"
    IDLE = "a connection is idle"
    RETRIED = "a request is sent again, because a reused connection died before an answer"
    DROPPED = "a connection left the pool"
    CLOSED = "the pool was closed"


class PoolEvent(NamedTuple):
    """One decision of a pool, or one step on the way to a connection.

    ``kind``, the ``origin`` it is about (``scheme://host:port``, and its proxy; empty for the pool itself), and
    ``detail`` (a reason, addresses, the version of TLS; or empty). ``seconds`` (float) are those that a step took; None
    for a decision. There is no path, query or credential of a URL in it.

    It is about an origin, and not about a request: a connection serves whichever request takes it.
    """

    kind: EventKind
    origin: str
    detail: str = ""
    seconds: float | None = None

    def __str__(self) -> str:
        took = "" if self.seconds is None else f"({1000 * self.seconds:.1f} ms)"
        what = f"{self.kind.value}{self.detail and ': '}{self.detail}"
        return " ".join(filter(None, (self.origin, what, took)))


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
