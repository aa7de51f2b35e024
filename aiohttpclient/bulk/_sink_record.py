"""What is written of a result: the same fields in every kind of sink.

What is a secret is not written. Of the request there are method and URL only, and the URL has no user information. Of
the answer, fields that are credentials by their names (``Set-Cookie`` above all) have ``***`` as their value: results
are kept, copied and shown around, and a session would go with them. The query of a URL is written as it is, since it is
what tells results apart.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from .._headers import Headers
from .._redact import HIDDEN, is_secret
from .._url import without_userinfo
from ._sink_key import method_of, url_of, userinfo_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..client import Response
    from ._result import Result

_ADDRESSES: Final = frozenset({"content-location", "location"})
"""Fields of an answer that are URLs, and so may have user information."""

_TIMES: Final = ("pool", "dns", "connect", "tls", "send", "wait", "receive", "reused")
"""What of ``response.timings`` is written; the address and the version of TLS are not."""


@dataclass(slots=True)
class Record:
    """What was written of one result.

    :param key: tells the item, 32 hexadecimal digits
    :param url: what was asked for, without user information
    :param method: by which method
    :param status: the status code; None where there was no answer, and so in all that follows but ``elapsed``
    :param reason: the reason phrase
    :param version: 10 or 11, for HTTP/1.0 and HTTP/1.1
    :param headers: the fields of the answer, (name, value) in their order; ``***`` stands for secrets
    :param content: the decoded body, byte by byte as it came
    :param encoding: the character encoding of its text
    :param elapsed: seconds for all of it, with redirects and retries
    :param final_url: the URL that answered, where redirects led to another
    :param redirects: (status, URL) of each answer before the last
    :param attempts: how often the last request was sent
    :param timings: the parts of the last request in seconds, as in :class:`aiohttpclient.Timings`
    :param error: why there is no answer: ``type`` and ``message``
    :param time: when it was written, in UTC (ISO 8601)
    """

    key: str
    url: str
    method: str = "GET"
    status: int | None = None
    reason: str | None = None
    version: int | None = None
    headers: list[tuple[str, str]] | None = None
    content: bytes | None = None
    encoding: str | None = None
    elapsed: float = 0.0
    final_url: str | None = None
    redirects: list[tuple[int, str]] | None = None
    attempts: int | None = None
    timings: dict[str, Any] | None = None
    error: dict[str, str] | None = None
    time: str = ""

    @property
    def fields(self) -> Headers:
        """``headers``, by their names without case."""
        return Headers(self.headers or ())

    @property
    def text(self) -> str:
        """``content`` as text; bytes that are none in its encoding become U+FFFD."""
        return (self.content or b"").decode(self.encoding or "utf-8", "replace")

    def values(self) -> dict[str, Any]:
        """All fields by their names."""
        return {name: getattr(self, name) for name in NAMES}

    @classmethod
    def of(cls, key: bytes, result: Result) -> Record:
        """What is to be written of ``result``."""
        record = cls(
            key.hex(),
            plain(url_of(result.item, result.request)),
            _method(result),
            elapsed=round(result.elapsed, 6),
            time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        )
        if result.response is not None:
            record._answered(result.response)
        elif result.error is not None:
            record.error = _told(result)
        record.status = result.status  # also of a response that was let go
        return record

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Record:
        """The record that has ``values``; what a later version may have added is passed over."""
        record = cls(**{name: value for name, value in values.items() if name in _KNOWN})
        for name in ("headers", "redirects"):
            pairs = getattr(record, name)
            if pairs is not None:
                setattr(record, name, [(one, other) for one, other in pairs])
        return record

    def _answered(self, response: Response) -> None:
        self.status, self.reason, self.version = response.status, plain(response.reason), response.version
        self.headers = [(plain(name), _shown(name, value)) for name, value in response.headers.items()]
        self.content, self.encoding = response.content, response.encoding
        last = plain(response.request.url_text)
        if last != self.url:
            self.final_url = last
        if response.history:
            self.redirects = [(one.status, plain(one.request.url_text)) for one in response.history]
        self.attempts = len(response.attempts) or 1
        try:
            timings = response.timings
        except ValueError:  # somebody made it up
            return
        self.timings = {name: _rounded(getattr(timings, name)) for name in _TIMES}


NAMES: Final = tuple(field.name for field in fields(Record))
"""The fields of a record, in the order in which they are written."""

_KNOWN: Final = frozenset(NAMES)


def plain(text: str) -> str:
    """``text``, which every file can hold: surrogates that stand alone are written as escapes."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def _method(result: Result) -> str:
    if result.request is not None:
        return result.request.method
    return plain(method_of(result.item))


def _shown(name: str, value: str) -> str:
    shown = _rule_for(name)
    return plain(value) if shown is None else shown(value)


@functools.lru_cache(256)
def _rule_for(name: str) -> Callable[[str], str] | None:
    """How the value of a field is written, if not as it is.

    To look at a name takes longer than to write it, and the same few come again and again.
    """
    if is_secret(name):
        return lambda _: HIDDEN
    if name.lower() in _ADDRESSES:
        return lambda value: plain(without_userinfo(value))
    return None


def _told(result: Result) -> dict[str, str]:
    """The error of ``result``, without what stands before the host in its URL."""
    error, message = type(result.error), str(result.error)
    if userinfo := userinfo_of(result.item):
        message = message.replace(userinfo, "").replace(userinfo[:-1], HIDDEN)
    name = error.__qualname__ if error.__module__ == "builtins" else f"{error.__module__}.{error.__qualname__}"
    return {"type": name, "message": plain(message)}


def _rounded(seconds: float | None) -> float | None:
    return seconds if seconds is None or isinstance(seconds, bool) else round(seconds, 6)
