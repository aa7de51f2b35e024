"""What was recorded, as values: a request, its response, and the entry of a HAR file that has both.

Beyond HAR 1.2, an entry that is written here may have, all of it left out where there is nothing to say:

* ``_trailers`` of a request or a response: the fields behind a chunked body, as ``headers`` has fields
* ``_encoding`` of ``postData``: ``"base64"`` where the body is no text; HAR has that for responses only
* ``_compressed`` of ``content``: the body as it was sent, in base64, where compressing ``text`` again makes other bytes
* ``_undecoded`` of ``content``: true where ``text`` is the body as it was sent, since its codings cannot be undone
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote_plus

from yarl import URL

from .._headers import Headers
from ..wire import field_line
from . import _har_bodies as bodies
from ._har_json import Reader, cookies_of, cookies_set, pairs

if TYPE_CHECKING:
    from ._har import Document


@dataclass
class RecordedRequest:
    """A request as a recording has it, with its secrets replaced; a function that filters may change it.

    ``method``; ``url``, absolute; ``headers``; ``body``, the bytes without transfer coding; ``trailers``, the fields
    behind a chunked body; ``http_version``, ``"1.1"`` or ``"1.0"``.
    """

    method: str
    url: URL
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    trailers: Headers = field(default_factory=Headers)
    http_version: str = "1.1"

    def __str__(self) -> str:
        return f"{self.method} {self.url}"


@dataclass
class RecordedResponse:
    """A response as a recording has it, with its secrets replaced; a function that filters may change it.

    ``status``; ``reason``; ``headers``; ``body``, the content: without transfer and content codings (these are applied
    again when it is replayed, and Content-Length follows); ``trailers``; ``http_version``, ``"1.1"`` or ``"1.0"``, or
    what else a browser has written (``"h2"``), which is replayed as 1.1; ``sent``, the body as it was sent, which
    counts as long as it stands for ``body``, or None; ``undecoded``: ``body`` is as it was sent.
    """

    status: int
    reason: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    trailers: Headers = field(default_factory=Headers)
    http_version: str = "1.1"
    sent: bytes | None = None
    undecoded: bool = False

    @property
    def content_encoding(self) -> str | None:
        """The codings of the body as it is sent; None where it has none, or ``body`` has them still."""
        return None if self.undecoded else ", ".join(self.headers.getall("Content-Encoding", ())) or None

    def on_the_wire(self) -> bytes | None:
        """The body with its content codings; None where they cannot be made."""
        if self.sent is not None and bodies.decoded(self.sent, self.content_encoding) == self.body:
            return self.sent
        return bodies.encoded(self.body, self.content_encoding)


@dataclass
class Recorded:
    """A request and its response: an entry of a file.

    ``response`` is None where the entry has none that can be replayed; ``flaw`` says why. ``started``: when the request
    was sent, if the file says so; ``elapsed``: milliseconds. ``entry`` is where it was read.
    """

    request: RecordedRequest
    response: RecordedResponse | None = None
    started: datetime | None = None
    elapsed: int = 0
    entry: Document | None = None
    flaw: str = ""


# -- writing


def to_entry(recorded: Recorded) -> Document:
    """The entry for ``recorded``, which has a response.

    ``wait`` is all the time there is, as nobody knows the rest; what may be unknown is -1 (HAR 1.2, timings).
    """
    assert recorded.response is not None
    started = (recorded.started or datetime.now(UTC)).astimezone(UTC)
    timings = {"blocked": -1, "dns": -1, "connect": -1, "ssl": -1, "send": 0, "wait": recorded.elapsed, "receive": 0}
    return {
        "startedDateTime": started.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "time": recorded.elapsed,
        "request": _request_entry(recorded.request),
        "response": _response_entry(recorded.response),
        "cache": {},
        "timings": timings,
    }


def _request_entry(request: RecordedRequest) -> Document:
    entry: Document = {
        "method": request.method,
        "url": str(request.url),
        "httpVersion": f"HTTP/{request.http_version}",
        "cookies": cookies_of(request.headers),
        "headers": pairs(request.headers.items()),
        "queryString": pairs(request.url.query.items()),
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        content_type = request.headers.get("Content-Type")
        text, is_base64 = bodies.stored(request.body, content_type)
        entry["postData"] = {"mimeType": content_type or "", "text": text}
        if is_base64:
            entry["postData"]["_encoding"] = "base64"
    if request.trailers:
        entry["_trailers"] = pairs(request.trailers.items())
    return entry


def _response_entry(response: RecordedResponse) -> Document:
    sent = response.on_the_wire()
    entry: Document = {
        "status": response.status,
        "statusText": response.reason,
        "httpVersion": f"HTTP/{response.http_version}",
        "cookies": cookies_set(response.headers),
        "headers": pairs(response.headers.items()),
        "content": _content_entry(response, sent),
        "redirectURL": response.headers.get("Location", ""),
        "headersSize": -1,
        "bodySize": len(response.body if sent is None else sent),
    }
    if response.trailers:
        entry["_trailers"] = pairs(response.trailers.items())
    return entry


def _content_entry(response: RecordedResponse, sent: bytes | None) -> Document:
    content_type = response.headers.get("Content-Type")
    content: Document = {"size": len(response.body), "mimeType": content_type or ""}
    if response.body:
        content["text"], is_base64 = bodies.stored(response.body, content_type)
        if is_base64:
            content["encoding"] = "base64"
    if response.undecoded:
        content["_undecoded"] = True
    elif sent is not None and response.content_encoding is not None:
        content["compression"] = len(response.body) - len(sent)
        if sent != bodies.encoded(response.body, response.content_encoding):
            content["_compressed"] = base64.b64encode(sent).decode()
    return content


# -- reading


def from_entry(entry: Document, where: str) -> Recorded:
    """What ``entry`` has: written here, or by a browser, which may leave out a lot.

    :param where: how to call it in an error: the file, and its number
    :raises ValueError: it is not what an entry is
    """
    reader = Reader(entry, where)
    request = _request_from(reader.object("request"))
    recorded = Recorded(request, started=_date(reader.text("startedDateTime")), entry=entry)
    found = reader.object("response")
    status = found.number("status")
    if status == 101 or request.method == "CONNECT" or "_webSocketMessages" in entry:
        recorded.flaw = "it opens a connection for another protocol"
    elif not 200 <= status <= 999:
        recorded.flaw = f"it has no answer (status {status})"
    elif request.method != "HEAD" and status not in {204, 304} and _lacks_text(found.object("content")):
        recorded.flaw = "its content was not saved: save the file with content"
    else:
        recorded.response = _response_from(found, status)
    return recorded


def _lacks_text(content: Reader) -> bool:
    return "text" not in content.found and content.number("size") > 0


def _request_from(reader: Reader) -> RecordedRequest:
    method = reader.text("method")
    text = re.sub(r"(?i)^([a-z]+://)[^/?#@]*@", r"\1", reader.text("url").partition("#")[0])
    try:
        url = URL(text, encoded=True)
        is_whole = bool(method and url.host and url.port)
    except ValueError:
        url, is_whole = URL(), False
    if not is_whole:
        raise ValueError(f"{reader.where}: no method, or no absolute URL")
    headers, post = reader.fields("headers"), reader.object("postData")
    if mime_type := post.text("mimeType"):
        headers.setdefault("Content-Type", mime_type)
    content_type = headers.get("Content-Type")
    text, encoding = post.text("text"), post.found.get("_encoding") or post.found.get("encoding")
    if not text and (params := post.params()):
        text = "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in params)
    body = reader.restored(text, encoding, content_type)
    return RecordedRequest(method, url, headers, body, reader.fields("_trailers"), _version(reader))


def _response_from(reader: Reader, status: int) -> RecordedResponse:
    headers, content = reader.fields("headers"), reader.object("content")
    content_type = headers.get("Content-Type") or content.text("mimeType") or None
    body = reader.restored(content.text("text"), content.found.get("encoding"), content_type)
    sent = None
    if compressed := content.text("_compressed"):
        sent = reader.restored(compressed, "base64", None)
    reason = reader.latin(reader.text("statusText"))
    try:
        field_line("reason", reason)
    except ValueError:
        raise ValueError(f"{reader.where}: a statusText that no status line can have") from None
    trailers = reader.fields("_trailers")
    undecoded = content.found.get("_undecoded") is True
    return RecordedResponse(status, reason, headers, body, trailers, _version(reader), sent, undecoded)


def _version(reader: Reader) -> str:
    return reader.text("httpVersion").upper().removeprefix("HTTP/") or "1.1"


def _date(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
