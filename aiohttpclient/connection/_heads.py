"""Response heads, taken off a stream: the final one of an exchange, and the informational ones before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import BadStatusLine, InvalidHead, LimitExceeded, PhaseTimeout, ReadTimeout, RemoteDisconnected
from ..wire import (
    REPEATED_HEAD,
    MessageLimits,
    ResponseHead,
    check_partial_head,
    head_end,
    looks_like_http,
    parse_response_head,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._headers import Headers
    from ..net import StreamProtocol

    OnInformational = Callable[[int, str, Headers], object]
    """Called with status, reason and fields of each 1xx response (103 Early Hints, say) but 101."""

SWITCHING_PROTOCOLS = 101

DEFAULT_LIMITS = MessageLimits()


class HeadReader:
    """The heads of one exchange after another on one stream.

    ``final`` is the head that answers the request, once it is there; ``informational`` counts those before it, and
    ``continued`` tells that one was a 100.
    """

    __slots__ = (
        "_first",
        "_scanned",
        "_seen",
        "_seen_head",
        "continued",
        "debuglevel",
        "final",
        "informational",
        "limits",
        "on_informational",
        "stream",
        "strict",
    )

    def __init__(self, stream: StreamProtocol) -> None:
        self.stream = stream
        self.on_informational: OnInformational | None = None
        self.limits = DEFAULT_LIMITS
        self.strict = False
        self.debuglevel = 0
        self.final: ResponseHead | None = None
        self.continued = False
        self._first = True
        self._scanned = 0
        self.informational = 0
        self._seen: bytes | tuple[()] = ()  # the last final head: nothing begins with () where there is none
        self._seen_head: ResponseHead | None = None

    def renewed(self, stream: StreamProtocol) -> HeadReader:
        """The same reader for a ``stream`` on which there was no exchange; it knows the last head of the one before."""
        self.stream = stream
        self._first = True
        self._scanned = 0
        self.rest()
        return self

    def adapt(
        self,
        limits: MessageLimits,
        strict: bool,
        on_informational: OnInformational | None = None,
        debuglevel: int = 0,
    ) -> None:
        """Read the heads from now on in another way."""
        self.limits = limits
        self.strict = strict
        self.on_informational = on_informational
        self.debuglevel = debuglevel
        self._seen = ()

    def rest(self) -> None:
        """An exchange is over: keep nothing of it."""
        self.final = None
        self.continued = False
        self.informational = 0

    @property
    def untouched(self) -> bool:
        """True when not a byte of a response has come in this exchange."""
        return self.final is None and not self.informational and not self.stream.reader.buffered

    def poll(self) -> ResponseHead | None:
        """The final head, if it has arrived; informational ones before it are handed to the callback.

        :raises HTTPException: what arrived is not the head of a response, or exceeds a limit
        """
        reader, strict = self.stream.reader, self.strict
        buffer = reader.buffered
        if buffer.startswith(self._seen) and self.final is None:  # what began alike before has ended alike
            assert type(self._seen) is bytes
            del buffer[: len(self._seen)]
            self._scanned = 0
            self.final = self._seen_head
            return self.final
        while buffer and self.final is None:
            if self._first and not strict and not looks_like_http(buffer):
                return self._accept_simple() if looks_like_http(buffer) is False else None
            end = head_end(buffer, self._scanned, strict)
            if end < 0:
                self._check_partial()
                return None
            self._scanned = 0
            data = reader.take(end)
            head = parse_response_head(data, self.limits, strict)
            self._first = False
            if self.debuglevel > 0:
                self._print(data, head)
            if head.status >= 200 or head.status == SWITCHING_PROTOCOLS:
                self.final = head
                if end <= REPEATED_HEAD and not self.debuglevel:
                    self._seen, self._seen_head = data, head
                return head
            self._inform(head)
        return self.final

    async def wait(self, seconds: float | None) -> ResponseHead:
        """The final head; ``seconds`` bound each silence before it.

        :raises ReadTimeout: nothing came for so long
        """
        stream = self.stream
        while (head := self.poll()) is None:
            if stream.ended:
                return self._end_of_stream()
            await stream.wait(seconds, ReadTimeout)
        return head

    def _end_of_stream(self) -> ResponseHead:
        """Judge what there is when nothing more will come and no final head was found.

        :raises RemoteDisconnected: there is nothing
        :raises InvalidHead: there is a part of a head
        """
        buffer = self.stream.reader.buffered
        fault = self.stream.fault
        if isinstance(fault, PhaseTimeout):
            raise fault
        if buffer and self._first and not self.strict and not looks_like_http(buffer):
            return self._accept_simple()
        if not buffer:
            if fault is not None and (
                isinstance(fault, ConnectionAbortedError) or not isinstance(fault, ConnectionError)
            ):
                raise fault  # our own doing, or TLS's: not the peer's end of the connection
            raise RemoteDisconnected("Remote end closed connection without response") from fault
        error = InvalidHead("the connection ended within the head of the response")
        error.cut = True
        raise error from fault

    def _check_partial(self) -> None:
        buffer = self.stream.reader.buffered
        if looks_like_http(buffer) is False:
            raise BadStatusLine(bytes(buffer[:200]).decode("iso-8859-1"))
        check_partial_head(buffer, self.limits, self.strict, self._scanned)
        self._scanned = len(buffer)
        self.stream.reader.resume()  # a head may be larger than what a reader holds for somebody slow

    def _accept_simple(self) -> ResponseHead:
        # HTTP/0.9 is recognised in the first response of a connection only: having no end, it is also its last.
        self._first = False
        self.final = ResponseHead(9, 200, "", (), strict=False)
        return self.final

    def _inform(self, head: ResponseHead) -> None:
        self.informational += 1
        self.stream.may_think()
        if self.informational > self.limits.informational:
            raise LimitExceeded("informational", self.limits.informational)
        self.continued = self.continued or head.status == 100
        if self.on_informational is not None:
            self.on_informational(head.status, head.reason, head.headers)

    def _print(self, data: bytes, head: ResponseHead) -> None:
        print("reply:", repr(data[: data.find(b"\n") + 1].decode("iso-8859-1")))
        if head.status < 200 and head.status != SWITCHING_PROTOCOLS:
            print("headers:", [line + b"\n" for line in data.split(b"\n")[1:-1]])
        else:
            for name, value in head.headers.items():
                print("header:", name + ":", value)
