"""Whether a request may be sent again, on a fresh connection, because the reused one died before it was answered.

A server may close an idle connection in the moment in which a request is written to it; no client can avoid that. What
it must not do is send twice what was perhaps done once: RFC 9110 section 9.2.2, RFC 9112 section 9.3.1.
"""

from __future__ import annotations

import inspect
import ssl
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""RFC 9110 section 9.2.2. Of methods that are not registered nothing is known."""


def may_repeat(method: str, untouched: bool, refused: bool, error: BaseException) -> bool:
    """Whether the request may go out again.

    :param untouched: not a byte of a response had come
    :param refused: not a byte of the request was taken by the transport
    :param error: how the connection died; our own closing is no reason, nor is a timeout
    """
    died = isinstance(error, (ConnectionError, ssl.SSLError)) and not isinstance(error, ConnectionAbortedError)
    return died and untouched and (refused or method in IDEMPOTENT)


def note_unsent(error: Exception, unsent: bool) -> None:
    """Let ``error`` say, as ``error.unsent``, whether it is certain that nothing of its request was sent.

    Its class does not tell: what gives the body of a request may well be a connection that is refused. Such an error
    may also say so already, of another request.
    """
    vars(error)["unsent"] = unsent


def nothing_to_rewind() -> None:
    """What brings back a body that does not get used up."""


def rewinder(body: Any) -> Callable[[], object] | None:
    """What brings ``body`` back to where it is now, once it was sent in part; None: nothing does.

    An iterable may have a method for that, ``rewind``. That of a file (``gzip.GzipFile``) goes to its beginning, which
    need not be where it is.
    """
    if body is None or isinstance(body, (str, bytes, bytearray, memoryview, list, tuple)):
        return nothing_to_rewind
    if not hasattr(body, "read"):
        rewind: Callable[[], object] | None = getattr(body, "rewind", None)
        return rewind
    if inspect.iscoroutinefunction(body.read):
        return None
    try:
        position = body.tell() if body.seekable() is True else None
    except (AttributeError, OSError, ValueError):
        return None
    return (lambda: body.seek(position)) if isinstance(position, int) else None
