"""Every exception of the library, in one tree.

Names marked ``*`` are the very classes of :mod:`http.client`, re-exported, so that ``except http.client.HTTPException``
catches what this library raises::

    HTTPException *
    +-- NotConnected *                    no connection, and ``auto_open`` is off
    +-- InvalidURL *                      host, port or target that cannot be sent
    +-- UnknownProtocol *                 the peer answered with an HTTP version that is not 1.x
    +-- UnknownTransferEncoding *         a transfer coding that this library cannot decode
    +-- UnimplementedFileMode *           kept for ``http.client``; never raised
    +-- IncompleteRead *                  the body ended early; ``.partial`` and ``.expected``
    +-- BadStatusLine *                   the status line is not one; ``.line``
    |   +-- RemoteDisconnected *          the peer closed before it answered (also a ConnectionResetError)
    +-- LineTooLong *                     a line over ``MessageLimits.line``
    +-- ImproperConnectionState *
    |   +-- CannotSendRequest *           a request before the response to the last one was read
    |   +-- CannotSendHeader *            a field outside ``putrequest`` .. ``endheaders``
    |   +-- ResponseNotReady *            a response asked for that no request has earned
    |   +-- ConcurrentUse                 two tasks on one connection
    +-- ProtocolError                     the peer broke RFC 9112; the connection is closed
    |   +-- InvalidHead                   a field line or its surroundings break the grammar
    |   +-- AmbiguousFraming              where the body ends cannot be told for sure
    |   +-- InvalidChunk                  chunked coding that breaks the grammar
    |   +-- LimitExceeded                 more than a bound of ``MessageLimits`` allows; ``.limit`` names it
    +-- TunnelError                       a proxy refused CONNECT (also an OSError); ``.status``, ``.headers``
    +-- PhaseTimeout                      a named wait took too long (also a TimeoutError); ``.phase``, ``.limit``,
        |                                 ``.elapsed``, ``.method``, ``.url``
        +-- ConnectTimeout                name look-up, TCP, CONNECT and TLS together
        +-- WriteTimeout                  the peer took no bytes
        +-- ReadTimeout                   the peer sent no bytes

Errors of the operating system and of TLS pass unwrapped (``OSError``, ``ssl.SSLError``), as they do in ``http.client``.
Every exception pickles, and keeps its attributes when it does.
"""

from __future__ import annotations

from http.client import (
    BadStatusLine,
    CannotSendHeader,
    CannotSendRequest,
    HTTPException,
    ImproperConnectionState,
    IncompleteRead,
    InvalidURL,
    LineTooLong,
    NotConnected,
    RemoteDisconnected,
    ResponseNotReady,
    UnimplementedFileMode,
    UnknownProtocol,
    UnknownTransferEncoding,
)
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "AmbiguousFraming",
    "BadStatusLine",
    "CannotSendHeader",
    "CannotSendRequest",
    "ConcurrentUse",
    "ConnectTimeout",
    "HTTPException",
    "ImproperConnectionState",
    "IncompleteRead",
    "InvalidChunk",
    "InvalidHead",
    "InvalidURL",
    "LimitExceeded",
    "LineTooLong",
    "NotConnected",
    "PhaseTimeout",
    "ProtocolError",
    "ReadTimeout",
    "RemoteDisconnected",
    "ResponseNotReady",
    "TunnelError",
    "UnimplementedFileMode",
    "UnknownProtocol",
    "UnknownTransferEncoding",
    "WriteTimeout",
]


class ConcurrentUse(ImproperConnectionState):
    """Two tasks used one connection at the same time; the second call raises this and changes nothing."""


class ProtocolError(HTTPException):
    """The peer sent something that RFC 9112 does not allow, or that this library refuses as ambiguous."""


class InvalidHead(ProtocolError):
    """A response head breaks the grammar of RFC 9112 section 5 (field syntax), or its line ends do."""


class AmbiguousFraming(ProtocolError):
    """The fields of a response leave room for doubt where its body ends (RFC 9112 section 6.3)."""


class InvalidChunk(ProtocolError):
    """A chunk size, chunk end or trailer section breaks the grammar of RFC 9112 section 7.1."""


class LimitExceeded(ProtocolError):
    """The peer sent more than a bound allows.

    ``limit`` (str) is the name of the bound in :class:`aiohttpclient.MessageLimits`, ``allowed`` (int) its value.
    """

    def __init__(self, limit: str, allowed: int) -> None:
        super().__init__(f"the peer exceeded the limit {limit!r} ({allowed})")
        self.limit = limit
        self.allowed = allowed

    def __reduce__(self) -> tuple[type[LimitExceeded], tuple[str, int]]:
        return type(self), (self.limit, self.allowed)


class TunnelError(OSError, HTTPException):
    """A proxy answered CONNECT with something other than 2xx (RFC 9110 section 9.3.6).

    ``http.client`` raises a bare ``OSError`` with the same text here. ``status`` (int), ``reason`` (str) and
    ``headers`` (list of name, value pairs) are the proxy's.
    """

    def __init__(self, status: int, reason: str, headers: list[tuple[str, str]] | None = None) -> None:
        super().__init__(f"Tunnel connection failed: {status} {reason}".rstrip())
        self.status = status
        self.reason = reason
        self.headers = headers if headers is not None else []

    def __reduce__(self) -> tuple[type[TunnelError], tuple[int, str, list[tuple[str, str]]]]:
        return type(self), (self.status, self.reason, self.headers)


class PhaseTimeout(TimeoutError, HTTPException):
    """A wait took longer than its limit; the connection it happened on is closed.

    ``phase`` (str) names the wait, ``limit`` and ``elapsed`` are seconds, ``method`` and ``url`` (str or None) the
    request that waited.
    """

    phase: ClassVar[str] = "wait"

    def __init__(self, limit: float, elapsed: float, method: str | None = None, url: str | None = None) -> None:
        super().__init__(limit, elapsed, method, url)
        self.limit = limit
        self.elapsed = elapsed
        self.method = method  # may be filled in by whoever knows the request
        self.url = url

    def __str__(self) -> str:
        request = f" for {self.method} {self.url}" if self.method and self.url else ""
        return f"{self.phase} timed out after {self.elapsed:.3g} s (limit {self.limit:g} s){request}"

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return type(self), (self.limit, self.elapsed, self.method, self.url)


class ConnectTimeout(PhaseTimeout):
    """Name look-up, TCP, proxy tunnel and TLS handshake together took too long."""

    phase = "connect"


class WriteTimeout(PhaseTimeout):
    """The peer accepted no bytes of the request for too long."""

    phase = "write"


class ReadTimeout(PhaseTimeout):
    """The peer sent no bytes of the response for too long."""

    phase = "read"
