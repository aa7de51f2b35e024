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
    |   +-- LeaseEnded                    a connection of a pool, used after its ``async with`` block
    +-- PoolClosed                        a request to a pool that is closed
    +-- PoolFull                          more requests wait than ``PoolLimits.waiting`` allows
    +-- ProtocolError                     the peer broke RFC 9112; the connection is closed
    |   +-- InvalidHead                   a field line or its surroundings break the grammar
    |   +-- AmbiguousFraming              where the body ends cannot be told for sure
    |   +-- InvalidChunk                  chunked coding that breaks the grammar
    |   +-- LimitExceeded                 more than a bound of ``MessageLimits`` allows; ``.limit`` names it
    |   |   +-- BodyTooLarge              a decoded body is longer than ``max_body``
    |   +-- DecodingError                 a content coding is broken, cut short, or not known; ``.coding``
    +-- StatusError                       what ``raise_for_status`` raises; ``.response``, with its body
    +-- TooManyRedirects                  the limit was reached, or they go round in a circle; ``.url``, ``.history``
    +-- RedirectRefused                   a redirect that is not followed, such as https to http; ``.url``, ``.history``
    +-- BodyNotReplayable                 a body that can be sent once would have to be sent again
    +-- HostGivenUp                       a host gave no answer so often that it is not asked; ``.host``, ``.failures``
    +-- RobotsDisallowed                  robots.txt does not let us fetch a URL; ``.url``, ``.reason``, ``.final``
    +-- DownloadError                     a file could not be completed; ``.path``
    |   +-- DigestMismatch                ... it is complete, and another one; ``.expected``, ``.actual``
    +-- ClusterError                      a cluster is gone, or lost, or cannot do, what it was to fetch
    +-- SinkError                         results could not be written, or not be resumed; ``.path``, ``.reported``
    +-- AddressRefused                    a policy forbids every address of a name (also an OSError); ``.addresses``
    +-- ProxyError                        a proxy refused or failed (also an OSError); ``.status``, ``.body``
    |   +-- TunnelError                   ... in answer to CONNECT
    +-- PhaseTimeout                      a named wait took too long (also a TimeoutError); ``.phase``, ``.limit``,
        |                                 ``.elapsed``, ``.method``, ``.url``
        +-- PoolTimeout                   no connection of the pool became free
        +-- ConnectTimeout                name look-up, TCP, CONNECT and TLS together
        +-- WriteTimeout                  the peer took no bytes
        +-- ReadTimeout                   the peer sent no bytes
        +-- StallTimeout                  the peer sent or took bytes more slowly than ``Timeout.min_rate``
        +-- TotalTimeout                  all of it together

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
from typing import Any, ClassVar

from ._redact import shown_url

__all__ = [
    "AddressRefused",
    "AmbiguousFraming",
    "BadStatusLine",
    "BodyNotReplayable",
    "BodyTooLarge",
    "CannotSendHeader",
    "CannotSendRequest",
    "ClusterError",
    "ConcurrentUse",
    "ConnectTimeout",
    "DecodingError",
    "DigestMismatch",
    "DownloadError",
    "HTTPException",
    "HostGivenUp",
    "ImproperConnectionState",
    "IncompleteRead",
    "InvalidChunk",
    "InvalidHead",
    "InvalidURL",
    "LeaseEnded",
    "LimitExceeded",
    "LineTooLong",
    "NotConnected",
    "PhaseTimeout",
    "PoolClosed",
    "PoolFull",
    "PoolTimeout",
    "ProtocolError",
    "ProxyError",
    "ReadTimeout",
    "RedirectRefused",
    "RemoteDisconnected",
    "ResponseNotReady",
    "RobotsDisallowed",
    "SinkError",
    "StallTimeout",
    "StatusError",
    "TooManyRedirects",
    "TotalTimeout",
    "TunnelError",
    "UnimplementedFileMode",
    "UnknownProtocol",
    "UnknownTransferEncoding",
    "WriteTimeout",
]


class ConcurrentUse(ImproperConnectionState):
    """Two tasks used one connection at the same time; the second call raises this and changes nothing."""


class LeaseEnded(ImproperConnectionState):
    """A connection of a pool was used after the ``async with`` block that it was leased for."""


class PoolClosed(HTTPException):
    """The pool is closed, or was closed before the request had its turn."""


class PoolFull(HTTPException):
    """As many requests as ``PoolLimits.waiting`` allows wait for a connection already.

    ``allowed`` (int) is that number.
    """

    def __init__(self, allowed: int) -> None:
        super().__init__(f"the pool is full, and {allowed} requests wait already (PoolLimits.waiting)")
        self.allowed = allowed

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.allowed,), self.__dict__


class AddressRefused(OSError, HTTPException):
    """Every address of a name is one that the policy of the dialer does not let connections go to.

    ``host`` (str) is the name, ``addresses`` (list of str) what it stands for.
    """

    def __init__(self, host: str, addresses: list[str]) -> None:
        super().__init__(f"the policy forbids every address of {host!r}: {', '.join(addresses)}")
        self.host = host
        self.addresses = addresses

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.host, self.addresses), self.__dict__


class ProtocolError(HTTPException):
    """The peer sent something that RFC 9112 does not allow, or that this library refuses as ambiguous."""


class InvalidHead(ProtocolError):
    """A response head breaks the grammar of RFC 9112 section 5 (field syntax), or its line ends do; or it has no end.

    ``cut`` (bool) tells the last: the connection ended within it. What there is of it breaks no rule.
    """

    cut = False


class AmbiguousFraming(ProtocolError):
    """The fields of a response leave room for doubt where its body ends (RFC 9112 section 6.3)."""


class InvalidChunk(ProtocolError):
    """A chunk size, chunk end or trailer section breaks the grammar of RFC 9112 section 7.1."""


class LimitExceeded(ProtocolError):
    """The peer sent more than a bound allows.

    ``limit`` (str) is the name of the bound: one of :class:`aiohttpclient.MessageLimits`, or ``max_body``,
    ``max_line``, ``max_event``; ``allowed`` (int) its value.
    """

    def __init__(self, limit: str, allowed: int) -> None:
        super().__init__(f"the peer exceeded the limit {limit!r} ({allowed})")
        self.limit = limit
        self.allowed = allowed

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit, self.allowed), self.__dict__


class BodyTooLarge(LimitExceeded):
    """The body of a response is longer than ``max_body`` bytes, decoded; the connection is closed.

    ``allowed`` (int) is that bound.
    """

    def __init__(self, allowed: int) -> None:
        super().__init__("max_body", allowed)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.allowed,), self.__dict__


class DecodingError(ProtocolError):
    """A body is not what its ``Content-Encoding`` says, ends too early, or has a coding that nobody here can undo.

    ``coding`` (str) is the name of the coding, ``reason`` (str) what is wrong.
    """

    def __init__(self, coding: str, reason: str) -> None:
        super().__init__(f"content coding {coding!r}: {reason}")
        self.coding = coding
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.coding, self.reason), self.__dict__


class StatusError(HTTPException):
    """A response whose status tells of an error: 4xx, or 5xx.

    ``response`` is the :class:`aiohttpclient.Response`, complete with its body.
    """

    def __init__(self, response: Any) -> None:
        super().__init__(response)
        self.response = response

    def __str__(self) -> str:
        response = self.response
        return f"{response.status} {response.reason} for {response.method} {shown_url(str(response.url))}"


class TooManyRedirects(HTTPException):
    """More redirects than are followed, or the same one again.

    ``limit`` (int) is how many are followed, ``url`` (str) where the next one would have led, ``history`` (tuple of
    :class:`aiohttpclient.Response`) the answers so far.
    """

    def __init__(self, limit: int, url: str, history: tuple[Any, ...] = ()) -> None:
        super().__init__(limit, shown_url(url))
        self.limit = limit
        self.url = url
        self.history = history

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit, self.url, self.history), self.__dict__

    def __str__(self) -> str:
        if len(self.history) <= self.limit:
            return f"redirects go round in a circle: {shown_url(self.url)} was asked for before"
        return f"more than {self.limit} redirects; the next would lead to {shown_url(self.url)}"


class RedirectRefused(HTTPException):
    """A redirect that is not followed.

    ``reason`` (str) says why, ``url`` (str) where it would have led, ``history`` (tuple of
    :class:`aiohttpclient.Response`) are the answers so far.
    """

    def __init__(self, reason: str, url: str, history: tuple[Any, ...] = ()) -> None:
        super().__init__(reason, shown_url(url))
        self.reason = reason
        self.url = url
        self.history = history

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.reason, self.url, self.history), self.__dict__

    def __str__(self) -> str:
        return f"a redirect to {shown_url(self.url)} is not followed: {self.reason}"


class BodyNotReplayable(HTTPException):
    """The body of a request, an iterator say, can be sent once, and would have to be sent again."""


class RobotsDisallowed(HTTPException):
    """The ``robots.txt`` of an origin does not let us fetch a URL (RFC 9309), or could not be had; nothing was sent.

    ``url`` (str) is that URL, ``reason`` (str) says why. ``final`` (bool) tells which: True where a rule forbids it,
    as it will the next time; False where the file could not be had (5xx, no answer), and another time it may be.
    """

    def __init__(self, url: str, reason: str, final: bool = True) -> None:
        super().__init__(shown_url(url), reason)
        self.url = url
        self.reason = reason
        self.final = final

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.url, self.reason, self.final), self.__dict__

    def __str__(self) -> str:
        return f"{shown_url(self.url)} is not fetched: {self.reason}"


class HostGivenUp(HTTPException):
    """A host that gave no answer to many requests in a row is left alone for a time; nothing was sent.

    ``host`` (str) is its name, with a port that is not usual; ``failures`` (int) says how many those were, several at
    once counted as one; ``reason`` (str) is the last error.
    """

    def __init__(self, host: str, failures: int, reason: str) -> None:
        super().__init__(host, failures, reason)
        self.host = host
        self.failures = failures
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.host} is not asked: {self.failures} times in a row there was no answer, the last: {self.reason}"


class DownloadError(HTTPException):
    """A file could not be downloaded completely.

    ``reason`` (str) says why, ``path`` (str) which file.
    """

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(reason, path)
        self.reason = reason
        self.path = path

    def __str__(self) -> str:
        return f"{self.path} was not downloaded: {self.reason}"


class DigestMismatch(DownloadError):
    """A file arrived completely, but is not the one whose digest was given.

    ``algorithm``, ``expected`` and ``actual`` (str; the digests in hexadecimal).
    """

    def __init__(self, algorithm: str, expected: str, actual: str, path: str = "") -> None:
        super().__init__(f"its {algorithm} is {actual}, not {expected}", path)
        self.algorithm = algorithm
        self.expected = expected
        self.actual = actual

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.algorithm, self.expected, self.actual, self.path), self.__dict__


class ClusterError(HTTPException):
    """A cluster cannot fetch: its scheduler is gone, or something is missing on its workers; this ends a fetch.

    As the error of one result: workers were lost again and again while they had it, or what a worker has sent cannot be
    read here. The text says which.
    """


class SinkError(HTTPException):
    """Results could not be written, or what a sink should go on with is none of its files, or in use.

    ``reason`` (str) says why, and ``__cause__`` is what the system said, if it did; ``path`` (str) is where the results
    are; ``reported`` (int) how many of this run are safe there: the first that were written.
    """

    def __init__(self, reason: str, path: str, reported: int = 0) -> None:
        super().__init__(reason, path, reported)
        self.reason = reason
        self.path = path
        self.reported = reported

    def __str__(self) -> str:
        return self.reason


class ProxyError(OSError, HTTPException):
    """A proxy refused to connect, or broke the protocol that it should speak.

    ``status`` (int) is that of an HTTP proxy's answer, None where there is none (SOCKS); ``reason`` (str) says why;
    ``headers`` (list of name, value pairs) and ``body`` (bytes, at most ``PROXY_BODY`` of them) came with the answer.
    """

    _what: ClassVar[str] = "Proxy"

    def __init__(
        self,
        status: int | None,
        reason: str,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> None:
        answer = reason if status is None else f"{status} {reason}"
        super().__init__(f"{self._what} connection failed: {answer}".rstrip())
        self.status = status
        self.reason = reason
        self.headers = headers if headers is not None else []
        self.body = body

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.reason, self.headers, self.body), self.__dict__


class TunnelError(ProxyError):
    """A proxy answered CONNECT with something other than 2xx (RFC 9110 section 9.3.6).

    ``http.client`` raises a bare ``OSError`` with the same text here.
    """

    _what = "Tunnel"


class PhaseTimeout(TimeoutError, HTTPException):
    """A wait took longer than its limit; the connection it happened on is closed.

    ``phase`` (str) names the wait, ``limit`` and ``elapsed`` are seconds, ``method`` and ``url`` (str or None) the
    request that waited.
    """

    phase: ClassVar[str] = "wait"

    def __init__(self, limit: float, elapsed: float, method: str | None = None, url: str | None = None) -> None:
        # Past OSError, which would take these for an error number, its text and the names of files.
        Exception.__init__(self, limit, elapsed, method, url)
        self.limit = limit
        self.elapsed = elapsed
        self.method = method  # may be filled in by whoever knows the request
        self.url = url

    def __repr__(self) -> str:
        url = None if self.url is None else shown_url(self.url)
        return f"{type(self).__name__}({self.limit!r}, {self.elapsed!r}, {self.method!r}, {url!r})"

    def __str__(self) -> str:
        request = f" for {self.method} {shown_url(self.url)}" if self.method and self.url else ""
        return f"{self.phase} timed out after {self.elapsed:.3g} s (limit {self.limit:g} s){request}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit, self.elapsed, self.method, self.url), self.__dict__


class PoolTimeout(PhaseTimeout):
    """No connection of the pool became free in time."""

    phase = "pool"


class ConnectTimeout(PhaseTimeout):
    """Name look-up, TCP, proxy tunnel and TLS handshake together took too long."""

    phase = "connect"


class WriteTimeout(PhaseTimeout):
    """The peer accepted no bytes of the request for too long."""

    phase = "write"


class ReadTimeout(PhaseTimeout):
    """The peer sent no bytes of the response for too long."""

    phase = "read"


class StallTimeout(PhaseTimeout):
    """The peer sent, or took, fewer bytes a second than ``Timeout.min_rate`` asks for, over its whole window.

    ``limit`` is the window in seconds, ``rate`` (float) the bytes a second that are asked for.
    """

    phase = "transfer"

    def __init__(
        self, limit: float, elapsed: float, method: str | None = None, url: str | None = None, rate: float = 0.0
    ) -> None:
        super().__init__(limit, elapsed, method, url)
        self.rate = rate

    def __str__(self) -> str:
        request = f" for {self.method} {shown_url(self.url)}" if self.method and self.url else ""
        return f"transfer stalled: fewer than {self.rate:g} bytes a second over {self.limit:g} s{request}"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.limit, self.elapsed, self.method, self.url, self.rate), self.__dict__


class TotalTimeout(PhaseTimeout):
    """The whole took too long: waiting for a connection, connecting, retries, request and response together."""

    phase = "total"
