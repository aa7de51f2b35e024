"""A recorded response on its way to a client: byte for byte what it was, as far as a recording has it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING

from .._headers import Headers
from ..errors import HTTPException
from ..wire import encode_chunk, field_line, keeps_alive, response_framing
from ._exchange import Fault

if TYPE_CHECKING:
    from ._exchange import Exchange
    from ._har_entry import RecordedResponse

_BODILESS = {204, 304}


class Replayed(Fault):
    """The bytes of an answer, and the end of the connection behind them where the answer says so.

    :param response: what was recorded
    :param method: of the request that is answered
    :param started: when it was recorded, or None. A cookie that was good then and is over now is given as much time as
        it had then: a recording does not go bad
    """

    def __init__(self, response: RecordedResponse, method: str, started: datetime | None = None) -> None:
        fields, body = _fields_and_body(response, method, started)
        version = "1.0" if response.http_version == "1.0" else "1.1"
        # Without a length or chunks the end of the body is that of the connection (RFC 9112 section 6.3, rule 8).
        has_end = body is None or "Content-Length" in fields or "Transfer-Encoding" in fields
        self.closes = not has_end or not keeps_alive(11 if version == "1.1" else 10, fields)
        lines = b"".join([field_line(*one) for one in fields.items()])
        field_line("reason", response.reason)  # a filter of the caller's may have set it
        line = f"HTTP/{version} {response.status} {response.reason}\r\n".encode("latin-1")
        self.data = line + lines + b"\r\n" + (body or b"")

    async def play(self, exchange: Exchange) -> None:
        """Send them."""
        await exchange.send(self.data)
        if self.closes:
            await exchange.finish()


def _fields_and_body(response: RecordedResponse, method: str, started: datetime | None) -> tuple[Headers, bytes | None]:
    """The head's fields, of which those about the body are made true, and the framed body; None where it has none."""
    fields = Headers([(name, _kept_fresh(name, value, started)) for name, value in response.headers.items()])
    if response.http_version not in {"1.0", "1.1"} and "Content-Length" not in fields:
        fields.add("Content-Length", "0")  # HTTP/2 tells the end in another way
    if method == "HEAD" or response.status in _BODILESS:
        if response.status == 204:  # neither may be there (RFC 9110 section 8.6, RFC 9112 section 6.1)
            fields.popall("Content-Length", None)
            fields.popall("Transfer-Encoding", None)
        return fields, None
    body = response.on_the_wire()
    if body is None:  # from a browser, or written by hand, in a coding that cannot be made here
        body = response.body
        fields.popall("Content-Encoding", None)
    return fields, _framed(fields, body, response)


def _framed(fields: Headers, body: bytes, response: RecordedResponse) -> bytes:
    if "Transfer-Encoding" in fields:
        if response.http_version == "1.0":
            fields.popall("Transfer-Encoding")
        else:
            fields.popall("Content-Length", None)
            trailer = b"".join([field_line(*one) for one in response.trailers.items()])
            return encode_chunk(body) + b"0\r\n" + trailer + b"\r\n"
    if "Content-Length" in fields and _length(fields) != len(body):
        name = next(one for one in fields if one.lower() == "content-length")
        fields[name] = str(len(body))  # at the place of the first one
    return body


def _length(fields: Headers) -> int | None:
    """The length that a client reads there, however it is written; None where it would refuse it."""
    try:
        return response_framing("GET", 200, 11, fields, True).length
    except HTTPException:
        return None


def _kept_fresh(name: str, value: str, started: datetime | None) -> str:
    """A Set-Cookie, with its end moved as far as time has gone on, if it was ahead when it was recorded, and is not."""
    if name.lower() != "set-cookie" or started is None:
        return value
    parts = value.split(";")
    for at, part in enumerate(parts):
        attribute, _, text = part.partition("=")
        if attribute.strip().lower() == "expires":
            try:
                end = parsedate_to_datetime(text.strip())
            except (ValueError, OverflowError):
                continue
            end, now = end if end.tzinfo else end.replace(tzinfo=UTC), datetime.now(UTC)
            if started < end <= now:
                moved = (end + (now - started)).astimezone(UTC)
                parts[at] = f"{attribute}={format_datetime(moved, usegmt=True)}"
    return ";".join(parts)
