"""What ``--verbose`` tells, in the manner of ``curl -v``: ``*`` what is done, ``>`` what was sent, ``<`` what came.

Secrets are hidden unless ``--show-secrets`` is given: fields that look like credentials by their names, parameters of
URLs, user information.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._redact import HIDDEN, is_secret, shown_text
from ._terminal import say

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client import Request, Response, ResponseStream
    from ..wire import ResponseHead

QUIET = {"RECEIVED", "IDLE", "CLOSED", "SENT", "ANSWERED", "HANDED_OVER"}
"""Events that the lines around them say already."""


class Talk:
    """Listens to a client, and tells on stderr.

    ``timings`` is what took how long, of the last request whose body was read or given up; None before.
    """

    def __init__(self, *, verbose: bool, show_secrets: bool = False) -> None:
        self._verbose = verbose
        self._show_secrets = show_secrets
        self.timings: Any = None

    def __call__(self, event: Any) -> None:
        """Take note of an event of the client, or of its pool."""
        kind = event.kind.name
        if kind in {"RECEIVED", "GIVEN_UP"}:
            self.timings = event.timings
        if not self._verbose:
            return
        if kind == "SENT":
            self._tell(">", request_lines(event.request))
        if kind == "ANSWERED":
            self._tell("<", response_lines(event.head))
        if kind not in QUIET or (event.detail and kind == "SENT"):
            say(f"* {self.shown(str(event))}")

    def _tell(self, mark: str, lines: Iterable[str]) -> None:
        for line in lines:
            say(f"{mark} {self._line(line)}")

    def shown(self, text: str) -> str:
        """``text`` with the secrets hidden that URLs in it have."""
        return text if self._show_secrets else shown_text(text)

    def _line(self, line: str) -> str:
        name, colon, value = line.partition(": ")
        if not colon or self._show_secrets or not is_secret(name):
            return self.shown(line)
        scheme = value.split(" ", 1)[0] + " " if name.lower().endswith("authorization") and " " in value else ""
        return f"{name}: {scheme}{HIDDEN}"


def request_lines(request: Request) -> Iterable[str]:
    """The head of a request, as it is sent to an origin."""
    authority, slash, path = request.url_text.partition("://")[2].partition("/")
    yield f"{request.method} {slash}{path} HTTP/1.1"
    if "Host" not in request.headers:
        yield f"Host: {authority}"
    for name, value in request.headers.items():
        yield f"{name}: {value}"
    payload = request.payload
    if payload is not None:
        if payload.content_type is not None and "Content-Type" not in request.headers:
            yield f"Content-Type: {payload.content_type}"
        yield "Transfer-Encoding: chunked" if payload.length is None else f"Content-Length: {payload.length}"
    yield ""


def response_lines(response: Response | ResponseStream | ResponseHead) -> Iterable[str]:
    """The head of an answer."""
    yield f"HTTP/{response.version // 10}.{response.version % 10} {response.status} {response.reason}".rstrip()
    for name, value in response.headers.items():
        yield f"{name}: {value}"
    yield ""
