"""What a client tells while it works: one vocabulary, for hooks and for the log."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from .._redact import shown_url

if TYPE_CHECKING:
    from ..wire import ResponseHead
    from ._request import Request
    from ._timings import Timings


class EventKind(Enum):
    """What a client says that it does. What its pool does is told by :class:`aiohttpclient.pool.EventKind`.

    Each ``SENDING`` is followed by ``SENT``, ``ANSWERED`` and ``RECEIVED``, or ends before that in ``FAILED``, or after
    ``ANSWERED`` in ``GIVEN_UP``. Between ``SENDING`` and ``SENT`` the pool tells what it does about a connection. Where
    it sends a request again, which it says, there is a second ``SENT``. A stream that is neither read nor closed, but
    forgotten, has no end: of that only the pool tells.
    """

    SENDING = "a request is sent, or waits for a connection"
    SENT = "a request was written, and its answer is waited for"
    ANSWERED = "the head of an answer came"
    RECEIVED = "the body of an answer was read"
    GIVEN_UP = "the body of an answer is given up before its end"
    FAILED = "a request failed"


class ClientEvent(NamedTuple):
    """One step of a request.

    ``kind``, ``method`` and ``url`` (str; secrets in its query are hidden) of the request, ``detail`` (str: the status,
    the error, or what of the request was not sent; or empty), and ``timings`` (:class:`Timings` so far; None before
    there is an answer). After a redirect, an attempt that failed or a question who we are, the next ``SENDING``
    follows.

    ``request`` is the request itself, as it is sent, and ``head`` that of the answer, in ``ANSWERED`` only; both are to
    be looked at, and may have secrets in them, which neither the text nor the repr of an event shows.
    """

    kind: EventKind
    method: str
    url: str
    detail: str = ""
    timings: Timings | None = None
    request: Request | None = None
    head: ResponseHead | None = None

    def __str__(self) -> str:
        return " ".join(filter(None, (self.method, self.url, f"{self.kind.value}{self.detail and ': '}{self.detail}")))

    def __repr__(self) -> str:
        shown = zip(self._fields[:5], self[:5], strict=True)
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown)})"


class Teller(Protocol):
    """What tells of a request, where anybody listens."""

    def __call__(
        self,
        kind: EventKind,
        request: Request,
        detail: str = "",
        timings: Timings | None = None,
        head: ResponseHead | None = None,
    ) -> None: ...


def event_of(
    kind: EventKind, request: Request, detail: str, timings: Timings | None, head: ResponseHead | None = None
) -> ClientEvent:
    """The event that tells of ``request``, in its text without what nobody should see."""
    return ClientEvent(kind, request.method, shown_url(request.url_text), detail, timings, request, head)
