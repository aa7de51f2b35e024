"""Ranges of a representation (RFC 9110 section 14): how to ask for the rest of a file, and what the answer is worth.

Theory of operation. A part of a file may be continued only with bytes of the very same representation. Three things see
to that, and where one of them is missing the file is fetched anew: the request names a strong validator in If-Range,
so that a server whose file has changed sends all of it (section 13.1.5); a 206 must have that validator again, because
there are servers that look at Range only; and it must continue at the right byte, of a whole of the same length, and be
as long as it says.

The last byte that is there is asked for once more. So there is always something to ask for, a file that is complete
already is confirmed by a 206 of one byte, and 416 can only mean that the file has changed.

Ranges count bytes of the representation as coded (section 8.4), so a part that was decoded could not be continued, and
the length of the whole would say nothing about what is written. Hence ``Accept-Encoding: identity``; what is coded all
the same is taken as a whole, decoded, and not continued.
"""

from __future__ import annotations

import re
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    Field = Callable[[str], str | None]

SETTLED: Final = 60
"""Seconds between Last-Modified and Date from which a date is a strong validator: RFC 9110 section 8.8.2.2 asks for one
if both come from the same clock, which nobody can know; RFC 7232 asked for this many."""

DISLIKED: Final = frozenset({400, 403, 405, 406, 412, 416, 501})
"""Statuses of an answer to a request for a part that may be about the Range or the If-Range, and not about the file:
416 by its definition, the others from servers, and what stands before them, that want none. The same request without
these fields tells. What is gone, asks for credentials or is too busy will not be otherwise without them."""

# RFC 9110 section 8.8.3, without the prefix W/ of a weak one:
#   opaque-tag = DQUOTE *etagc DQUOTE,  etagc = %x21 / %x23-7E / obs-text
_strong_tag = re.compile(r"\"[\x21\x23-\x7e\x80-\xff]*+\"").fullmatch

# RFC 9110 section 5.6.7, all three forms of a date, as far as they are to be sent back: visible ASCII and blanks.
_date = re.compile(r"[0-9A-Za-z:, +-]{1,40}+").fullmatch

# RFC 9110 section 14.4:  Content-Range = range-unit SP ( first-pos "-" last-pos "/" ( complete-length / "*" ) / ... )
# Digits bounded as those of Content-Length are: 18 always fit into 63 bits.
_content_range = re.compile(r"bytes ([0-9]{1,18})-([0-9]{1,18})/(?:([0-9]{1,18})|\*)", re.IGNORECASE).fullmatch
_content_length = re.compile(r"[0-9]{1,18}").fullmatch


class Held(NamedTuple):
    """What is there of a file: its first ``offset`` bytes, the validator that came with them, the length of it all."""

    offset: int
    validator: str
    total: int | None


class Body(NamedTuple):
    """What a response holds: the bytes from ``start`` up to ``end`` of a whole of ``total`` bytes (None: not known).

    ``validator`` is for continuing it later; None: it cannot be continued.
    """

    start: int
    end: int | None
    total: int | None
    validator: str | None


class Refusal(NamedTuple):
    """Why a response is of no use."""

    reason: str


def range_fields(held: Held | None) -> dict[str, str]:
    """The fields of a request for a file, or for what is missing of it."""
    fields = {"Accept-Encoding": "identity"}
    if held is not None:
        fields["Range"] = f"bytes={held.offset}-"
        fields["If-Range"] = held.validator
    return fields


def is_validator(text: str) -> bool:
    """Whether ``text`` can stand in If-Range: a strong entity tag, or a date."""
    return bool(_strong_tag(text) or _date(text))


def strong_validator(field: Field) -> str | None:
    """The validator of a response that If-Range may hold (RFC 9110 sections 8.8.2.2 and 13.1.5), if it has one.

    A strong entity tag; a date only where there is no entity tag at all, and only if the file was not modified shortly
    before.
    """
    if tag := field("ETag"):
        return tag if _strong_tag(tag) else None
    modified = field("Last-Modified")
    if modified is None or not _date(modified):
        return None
    changed, sent = _seconds(modified), _seconds(field("Date"))
    return modified if changed is not None and sent is not None and sent - changed >= SETTLED else None


def judge(status: int, field: Field, held: Held | None) -> Body | Refusal:
    """What a response (200, 203, 206, or one of ``DISLIKED``) to a request for what :class:`Held` lacks brings."""
    if status == 206:
        return _part(field, held)
    if status == 416:
        return Refusal("the server has not as many bytes as are here")
    if status in DISLIKED:
        return Refusal(f"the server answers a request for a part with {status}")
    if _is_coded(field):
        return Body(0, None, None, None)
    total = _length(field)
    return Body(0, total, total, strong_validator(field))


def is_stuck(held: Held, body: Body | None, done: int) -> bool:
    """Whether a part of which ``done`` bytes of the file are there now has brought none that was not there before."""
    return body is not None and body.start > 0 and done <= held.offset + 1 != body.total


def is_rewritten(held: Held | None, body: Body) -> bool:
    """Whether ``body`` is for certain all of the very file of which there is a part: it may be written over that."""
    return held is not None and body.start == 0 and body.total is not None and body[2:] == (held.total, held.validator)


def _part(field: Field, held: Held | None) -> Body | Refusal:
    if held is None:
        return Refusal("the server sent a part of the file when asked for all of it")
    # A multipart/byteranges body has its ranges inside, and no Content-Range of its own (section 14.6).
    found = _content_range(field("Content-Range") or "")
    if found is None or _is_coded(field):
        return Refusal("the server sent something else than a range of bytes")
    first, last = int(found[1]), int(found[2])
    total = held.total if found[3] is None else int(found[3])
    if total is None or total != (held.total or total) or not first <= last < total:
        return Refusal("the server does not say which part of the file it sent, or the file has changed its length")
    if first != held.offset or _length(field) not in (None, last + 1 - first):
        return Refusal("the server sent another part of the file than it was asked for, or than it says")
    if not _is_same(field, held.validator):
        return Refusal("the server sent a part of a file that has changed")
    return Body(first, last + 1, total, held.validator)


def _length(field: Field) -> int | None:
    length = field("Content-Length")
    return int(length) if length is not None and _content_length(length) else None


def _is_same(field: Field, validator: str) -> bool:
    if validator.startswith('"'):
        return field("ETag") == validator  # section 15.3.7: a 206 has the entity tag that a 200 would have
    return field("Last-Modified") in (None, validator)  # which a 206 after If-Range need not repeat


def _is_coded(field: Field) -> bool:
    return (field("Content-Encoding") or "identity").strip().lower() != "identity"


def _seconds(date: str | None) -> int | None:
    """A date of a field as seconds of the epoch; None if it is none."""
    try:
        parsed = parsedate_tz(date) if date else None
        return None if parsed is None else mktime_tz(parsed)
    except (ValueError, OverflowError):
        return None
