"""What took how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from ..net import Marks as StreamMarks


class Timings(NamedTuple):
    """The parts of one request, in seconds, in the order in which they follow each other.

    ``pool`` is the wait for a connection, or for the room for one; ``dns``, ``connect`` (with a proxy's tunnel) and
    ``tls`` are None where nothing of the kind was done; ``send`` is the body of the request, ``wait`` the time until
    the head of the answer, ``receive`` that for its body, None as long as it was not read.

    ``reused`` tells that the connection was open before; ``address`` is the peer's, as ``getpeername`` gives it, and
    ``tls_version`` such as ``"TLSv1.3"``; both None where there is none.
    """

    pool: float
    dns: float | None
    connect: float | None
    tls: float | None
    send: float
    wait: float
    receive: float | None
    reused: bool
    address: Any
    tls_version: str | None

    @property
    def total(self) -> float:
        """All of it together, without the redirects and attempts before."""
        return sum(part for part in self[:7] if part)


Marks: TypeAlias = tuple[Callable[[], float], float, StreamMarks, float]
"""A clock, and times by it from which the parts follow: when the request was begun, what ``AsyncHTTPResponse.marks``
said when it was answered, and when that was. A plain tuple, because every request makes one."""


def timings_of(marks: Marks, received: float | None) -> Timings:
    """The parts of a request whose body was read until ``received``; None: it was not."""
    _, started, (dialed, first, begun, awaited), answered = marks
    reused = dialed is None or not first
    ready = started if reused or dialed is None else dialed.at
    # What the stream noted may be of an earlier request: then there was nothing to note in this one.
    sent = awaited if started <= awaited <= answered else answered if begun >= started else ready
    # Without a body a request is written at once, so that the wait for an answer begins when there is a connection.
    begin = begun if started <= begun <= sent else sent
    dns, connect, tls = (None, None, None) if reused or dialed is None else dialed[1:4]
    opening = (dns or 0.0) + (connect or 0.0) + (tls or 0.0)
    return Timings(
        pool=max(0.0, begin - started - opening),
        dns=dns,
        connect=connect,
        tls=tls,
        send=sent - begin,
        wait=answered - sent,
        receive=None if received is None else received - answered,
        reused=reused and dialed is not None,
        address=None if dialed is None else dialed.address,
        tls_version=None if dialed is None else dialed.tls_version,
    )
